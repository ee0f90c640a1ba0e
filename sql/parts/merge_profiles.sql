-- Two profiles that turn out to be one person's.
-- rights: merge_profiles and the internal functions it calls as its caller -> stratum_app, stratum_admin

-- Where both have said something, what restricts more holds: false, JSON null, anything else.
CREATE FUNCTION stratum._merged_consent(a jsonb, b jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN jsonb_typeof(a) = 'object' AND jsonb_typeof(b) = 'object' THEN
      (SELECT coalesce(jsonb_object_agg(k.key, CASE
                WHEN a -> k.key = 'false' OR b -> k.key = 'false' THEN 'false'::jsonb
                WHEN a -> k.key = 'null' OR b -> k.key = 'null' THEN 'null'
                ELSE stratum._merged_consent(coalesce(a -> k.key, b -> k.key), coalesce(b -> k.key, a -> k.key)) END), '{}')
       FROM jsonb_object_keys(a || b) AS k(key))
    ELSE coalesce(a, b) END
$$;
COMMENT ON FUNCTION stratum._merged_consent(jsonb, jsonb) IS
  'What two profiles have agreed to, as one: a refusal of either holds; internal.';

-- An object of both, in which the first one's keys win.
CREATE FUNCTION stratum._merged_object(a jsonb, b jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(b) IS DISTINCT FROM 'object' THEN a WHEN jsonb_typeof(a) IS DISTINCT FROM 'object' THEN b ELSE b || a END
$$;
COMMENT ON FUNCTION stratum._merged_object(jsonb, jsonb) IS 'Two objects as one; the first one''s keys win; internal.';

-- Aliases of a profile become another one's, unrecorded: an alias is the key of its row, and no erasure reaches the key in an
-- entry of the trail. That the profile goes is recorded.
CREATE FUNCTION stratum._move_aliases(keep bigint, other bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._pause_audit('stratum.cdp_profile_aliases');
  UPDATE stratum.cdp_profile_aliases a SET profile_id = keep
  WHERE a.tenant_id = stratum._acting_tenant() AND a.profile_id = other;
  PERFORM stratum._pause_audit(NULL);
END $$;
COMMENT ON FUNCTION stratum._move_aliases(bigint, bigint) IS
  'Aliases of a profile of the current tenant become those of another one; internal to merge_profiles().';

-- The names of a profile that is about to go, and its aliases, become aliases of another one.
CREATE FUNCTION stratum._hand_over_names(tenant bigint, keep bigint, other bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._move_aliases(keep, other);
  INSERT INTO stratum.cdp_profile_aliases (tenant_id, kind, value, profile_id)
  SELECT tenant, n.kind, n.value, keep
  FROM stratum.cdp_profiles o
    JOIN stratum.cdp_profiles k ON k.tenant_id = tenant AND k.id = keep,
    LATERAL (VALUES ('canonical_id', o.canonical_id::text, k.canonical_id::text), ('email_hash', lower(o.email_hash), lower(k.email_hash)),
                    ('external_id', o.external_id, k.external_id), ('anonymous_id', o.anonymous_id, k.anonymous_id)) AS n(kind, value, kept)
  WHERE o.tenant_id = tenant AND o.id = other AND n.value <> coalesce(n.kept, '')
  ON CONFLICT (tenant_id, kind, value) DO NOTHING;
END $$;
COMMENT ON FUNCTION stratum._hand_over_names(bigint, bigint, bigint) IS
  'Names of a profile that is merged into another one become aliases of that; internal to merge_profiles().';

CREATE FUNCTION stratum.merge_profiles(keep bigint, other bigint, OUT events_moved bigint)
  RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  gone record;
  missing bigint;
BEGIN
  IF keep IS NULL OR other IS NULL THEN
    RAISE EXCEPTION 'the profiles to be merged must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF keep = other THEN
    RAISE EXCEPTION 'profile % cannot be merged with itself', keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- In ascending order, as ingest_events() locks them; against references too, which would be lost with the row.
  PERFORM FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id IN (keep, other) ORDER BY p.id FOR UPDATE;
  SELECT w.id INTO missing FROM (VALUES (keep), (other)) AS w(id)
  WHERE NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = w.id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'profile % does not exist', missing USING ERRCODE = 'no_data_found';
  END IF;

  UPDATE stratum.cdp_events e SET profile_id = keep WHERE e.tenant_id = tenant AND e.profile_id = other;
  GET DIAGNOSTICS events_moved = ROW_COUNT;
  SELECT p.* INTO gone FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = other;
  UPDATE stratum.cdp_profiles k
  SET anonymous_id = coalesce(k.anonymous_id, gone.anonymous_id),
      external_id = coalesce(k.external_id, gone.external_id),
      email = CASE WHEN k.email_hash IS NULL AND k.email IS NULL THEN gone.email ELSE k.email END,
      email_hash = CASE WHEN k.email_hash IS NULL AND k.email IS NULL THEN gone.email_hash ELSE k.email_hash END,
      phone = CASE WHEN k.phone_hash IS NULL AND k.phone IS NULL THEN gone.phone ELSE k.phone END,
      phone_hash = CASE WHEN k.phone_hash IS NULL AND k.phone IS NULL THEN gone.phone_hash ELSE k.phone_hash END,
      first_name = coalesce(k.first_name, gone.first_name),
      last_name = coalesce(k.last_name, gone.last_name),
      lifecycle_stage = stratum._later_stage(k.lifecycle_stage, gone.lifecycle_stage),
      first_seen_at = least(k.first_seen_at, gone.first_seen_at),
      last_seen_at = greatest(k.last_seen_at, gone.last_seen_at),
      traits = stratum._merged_object(k.traits, gone.traits),
      computed_traits = stratum._merged_object(k.computed_traits, gone.computed_traits),
      consent = stratum._merged_consent(k.consent, gone.consent)
  WHERE k.tenant_id = tenant AND k.id = keep;
  PERFORM stratum._hand_over_names(tenant, keep, other);
  -- its memberships go with it
  DELETE FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = other;
END $$;
COMMENT ON FUNCTION stratum.merge_profiles(bigint, bigint) IS
  'Makes one profile of two: events, names, traits and consent of the second go to the first, and the second goes. Returns how many events moved.';
