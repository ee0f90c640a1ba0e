-- Proof of identity: entering with a signed token, and the keys for it.

CREATE FUNCTION stratum.enter_jwt(
    token text,
    request_id text DEFAULT NULL,
    ip_address inet DEFAULT NULL,
    user_agent text DEFAULT NULL)
  RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'stratum_enter_jwt';
COMMENT ON FUNCTION stratum.enter_jwt(text, text, inet, text) IS
  'As enter(), for the tenant and user that a JSON Web Token names: signed (HS256) with a key of add_jwt_key(), not expired, meant for the key''s audience.';

CREATE FUNCTION stratum.add_jwt_key(
    kid text,
    secret bytea,
    audience text,
    valid_from timestamptz DEFAULT now(),
    valid_until timestamptz DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF kid IS NULL OR secret IS NULL OR audience IS NULL OR valid_from IS NULL THEN
    RAISE EXCEPTION 'of a key only valid_until may be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF kid = '' OR audience = '' OR octet_length(secret) NOT BETWEEN 32 AND 1024 OR valid_until <= valid_from THEN
    RAISE EXCEPTION 'this is no key for tokens'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It needs a name, an audience, a secret of 32 to 1024 bytes, and an end after its beginning.';
  ELSIF EXISTS (SELECT FROM stratum.jwt_keys k WHERE k.kid = add_jwt_key.kid) THEN
    RAISE EXCEPTION 'there is a key of this name already'
      USING ERRCODE = 'unique_violation',
            HINT = 'A key is never changed: add one of another name, and retire the old one.';
  END IF;
  INSERT INTO stratum.jwt_keys (kid, secret, audience, valid_from, valid_until)
  VALUES (kid, secret, audience, valid_from, valid_until);
END $$;
COMMENT ON FUNCTION stratum.add_jwt_key(text, bytea, text, timestamptz, timestamptz) IS
  'Adds a key for enter_jwt(): its name (kid), secret, the audience its tokens are meant for, and from when to when it is in use.';

CREATE FUNCTION stratum.retire_jwt_key(kid text, at timestamptz DEFAULT now()) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF kid IS NULL OR at IS NULL THEN
    RAISE EXCEPTION 'no argument of retire_jwt_key() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE stratum.jwt_keys k SET valid_until = greatest(k.valid_from, least(k.valid_until, at))
  WHERE k.kid = retire_jwt_key.kid;
  IF NOT found THEN
    RAISE EXCEPTION 'there is no key of this name' USING ERRCODE = 'no_data_found';
  END IF;
END $$;
COMMENT ON FUNCTION stratum.retire_jwt_key(text, timestamptz) IS
  'From that time on enter_jwt() takes no token signed with this key; it can be made earlier by another call, not later.';

CREATE FUNCTION stratum.list_jwt_keys()
  RETURNS TABLE (kid text, audience text, valid_from timestamptz, valid_until timestamptz, in_use boolean)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT k.kid, k.audience, k.valid_from, k.valid_until,
           clock_timestamp() >= k.valid_from AND (k.valid_until IS NULL OR clock_timestamp() < k.valid_until)
    FROM stratum.jwt_keys k ORDER BY k.valid_from, k.kid;
END $$;
COMMENT ON FUNCTION stratum.list_jwt_keys() IS
  'The keys for enter_jwt(), without their secrets.';
