-- Signing in: what a login of stratum_auth may do, before anybody is entered.

CREATE FUNCTION stratum.sign_in_candidates(email_hash text)
  RETURNS TABLE (
    tenant_id bigint, tenant_name text, tenant_slug text, user_id bigint, role text, password_hash text, is_verified boolean,
    totp_enabled boolean, totp_secret text, backup_codes jsonb, failed_totp_attempts integer, totp_lockout_until timestamptz,
    locked_out boolean)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF email_hash IS NULL THEN
    RAISE EXCEPTION 'email_hash must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF email_hash !~ '^[0-9a-fA-F]{64}$' THEN
    RAISE EXCEPTION 'email_hash must be 64 hexadecimal digits'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'stratum.email_hash() makes it from an address.';
  END IF;
  RETURN QUERY
    SELECT t.id::bigint, t.name::text, t.slug::text, u.id::bigint, u.role::text, u.password_hash::text, coalesce(u.is_verified, false),
           coalesce(u.totp_enabled, false), u.totp_secret::text, u.backup_codes, coalesce(u.failed_totp_attempts, 0), u.totp_lockout_until,
           coalesce(u.totp_lockout_until > clock_timestamp(), false)
    FROM stratum.users u LEFT JOIN stratum.tenants t ON t.id = u.tenant_id
    WHERE u.email_hash = ANY (ARRAY[sign_in_candidates.email_hash, lower(sign_in_candidates.email_hash), upper(sign_in_candidates.email_hash)])
      AND u.is_active AND u.is_deleted IS NOT TRUE AND u.gdpr_anonymized_at IS NULL AND t.is_deleted IS NOT TRUE
    ORDER BY t.name, t.id;
END $$;
COMMENT ON FUNCTION stratum.sign_in_candidates(text) IS
  'Everybody who may sign in with that e-mail hash: a user for each tenant, and one of the platform (tenant_id NULL, last), with what checking password and second factor takes.';

-- Five failures in a row lock the second factor for 15 minutes. The row is locked by the UPDATE, so two at a time count twice.
CREATE FUNCTION stratum.note_second_factor(user_id bigint, succeeded boolean)
  RETURNS TABLE (accepted boolean, failed_totp_attempts integer, totp_lockout_until timestamptz)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  failures constant integer := 5;
  pause constant interval := '15 minutes';
BEGIN
  IF user_id IS NULL OR succeeded IS NULL THEN
    RAISE EXCEPTION 'no argument of note_second_factor() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN QUERY
    UPDATE stratum.users u
    SET failed_totp_attempts = CASE
          WHEN u.totp_lockout_until > clock_timestamp() THEN u.failed_totp_attempts
          WHEN note_second_factor.succeeded THEN 0
          ELSE coalesce(u.failed_totp_attempts, 0) + 1 END,
        totp_lockout_until = CASE
          WHEN u.totp_lockout_until > clock_timestamp() THEN u.totp_lockout_until
          WHEN note_second_factor.succeeded THEN NULL
          WHEN (coalesce(u.failed_totp_attempts, 0) + 1) % failures = 0 THEN clock_timestamp() + pause
          ELSE u.totp_lockout_until END
    WHERE u.id = note_second_factor.user_id
      AND u.is_active AND u.is_deleted IS NOT TRUE AND u.gdpr_anonymized_at IS NULL
      AND NOT EXISTS (SELECT FROM stratum.tenants t WHERE t.id = u.tenant_id AND t.is_deleted)
    RETURNING note_second_factor.succeeded AND u.totp_lockout_until IS NULL, u.failed_totp_attempts, u.totp_lockout_until;
  IF NOT found THEN
    RAISE EXCEPTION 'there is no user % who may sign in', note_second_factor.user_id USING ERRCODE = 'no_data_found';
  END IF;
END $$;
COMMENT ON FUNCTION stratum.note_second_factor(bigint, boolean) IS
  'Counts failed second factors; five in a row lock it for 15 minutes, in which neither success nor failure counts. accepted: the sign-in may go on.';
