-- Audiences: members of a segment as an ad platform matches them, all of them and as differences between runs.
-- rights: audience_members, audience_changes, start_audience_sync, finish_audience_sync and the internal functions that
--   audience_members calls -> stratum_app, stratum_admin

CREATE FUNCTION stratum._audience_sync(tenant bigint, wanted bigint) RETURNS TABLE (segment bigint, platform text, types text[])
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sync record;
BEGIN
  -- NULL and JSON null, which an ORM writes for nothing, are what the column has by default
  SELECT a.segment_id::bigint AS segment, a.platform::text AS platform, coalesce(nullif(a.identifier_types, 'null'), '["email"]') AS types INTO sync
  FROM stratum.cdp_audience_syncs a WHERE a.tenant_id = tenant AND a.id = wanted;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'audience sync % does not exist', wanted USING ERRCODE = 'no_data_found';
  ELSIF sync.segment IS NULL THEN
    RAISE EXCEPTION 'audience sync % has no segment', wanted USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF jsonb_typeof(sync.types) <> 'array' OR sync.types = '[]' OR jsonb_path_exists(sync.types, '$[*] ? (@.type() != "string")') THEN
    RAISE EXCEPTION 'identifier_types of audience sync % is no array of strings', wanted
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Write for example ["email", "phone"].';
  END IF;
  RETURN QUERY SELECT sync.segment, sync.platform, ARRAY(SELECT DISTINCT t FROM jsonb_array_elements_text(sync.types) t ORDER BY t);
END $$;
COMMENT ON FUNCTION stratum._audience_sync(bigint, bigint) IS
  'What an audience sync is about; raises where it is not there or cannot be run; internal.';

-- The keys of consent that stand for advertising: settings -> audiences -> consent of the tenant, a string or an array.
CREATE FUNCTION stratum._consent_keys(tenant bigint) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  keys jsonb := (SELECT t.settings -> 'audiences' -> 'consent' FROM stratum.tenants t WHERE t.id = tenant);
BEGIN
  RETURN CASE jsonb_typeof(keys)
    WHEN 'string' THEN ARRAY[keys #>> '{}']
    WHEN 'array' THEN ARRAY(SELECT k FROM jsonb_array_elements_text(keys) k)
    ELSE '{ads,advertising,marketing}' END;
END $$;
COMMENT ON FUNCTION stratum._consent_keys(bigint) IS
  'Keys of a profile''s consent that are about giving it to ad platforms; internal.';

-- At least one of the keys is there, and all that are there are true.
CREATE FUNCTION stratum._has_consented(consent jsonb, keys text[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce((SELECT bool_and(consent -> k = 'true') FROM unnest(keys) k WHERE consent ? k), false)
$$;
COMMENT ON FUNCTION stratum._has_consented(jsonb, text[]) IS
  'Whether a person has agreed to something for which these keys stand, and not refused it; internal.';

-- What a profile has of an identifier: names and ids are columns, the rest are traits. An address that the client has encrypted is
-- of no use here, and its hash is not what every platform wants, so where only that is known it is used as it is.
CREATE FUNCTION stratum._audience_identifier(platform text, kind text, profile jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE kind
    WHEN 'email' THEN CASE WHEN profile ->> 'email' LIKE '%@%' THEN stratum.audience_hash(platform, kind, profile ->> 'email')
                      ELSE lower(profile ->> 'email_hash') END
    WHEN 'phone' THEN CASE WHEN profile ->> 'phone' ~ '^[0-9 +().-]*$' THEN stratum.audience_hash(platform, kind, profile ->> 'phone')
                      WHEN platform IN ('meta', 'snapchat') THEN lower(profile ->> 'phone_hash') END
    WHEN 'first_name' THEN stratum.audience_hash(platform, kind, profile ->> 'first_name')
    WHEN 'last_name' THEN stratum.audience_hash(platform, kind, profile ->> 'last_name')
    WHEN 'external_id' THEN stratum.audience_hash(platform, kind, profile ->> 'external_id')
    ELSE stratum.audience_hash(platform, kind, profile -> 'traits' ->> kind)
  END
$$;
COMMENT ON FUNCTION stratum._audience_identifier(text, text, jsonb) IS
  'A profile''s identifier as a platform matches it, NULL where it has none; internal.';

CREATE FUNCTION stratum._audience_members(tenant bigint, wanted bigint) RETURNS TABLE (profile_id bigint, identifier_type text, hash text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sync record;
  keys text[] := stratum._consent_keys(tenant);
  kind text;
BEGIN
  SELECT * INTO sync FROM stratum._audience_sync(tenant, wanted);
  -- Refuses a type that the platform does not match by, also for a segment without members.
  FOREACH kind IN ARRAY sync.types LOOP
    PERFORM stratum.audience_hash(sync.platform, kind, '');
  END LOOP;
  RETURN QUERY
    SELECT DISTINCT m.profile_id::bigint, t.type, stratum._audience_identifier(sync.platform, t.type, to_jsonb(p))
    FROM stratum.cdp_segment_memberships m
      JOIN stratum.cdp_profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id,
      unnest(sync.types) AS t(type)
    WHERE m.tenant_id = tenant AND m.segment_id = sync.segment AND stratum._has_consented(p.consent, keys)
      AND stratum._audience_identifier(sync.platform, t.type, to_jsonb(p)) IS NOT NULL;
END $$;
COMMENT ON FUNCTION stratum._audience_members(bigint, bigint) IS
  'What a platform should have of a tenant''s audience; internal to the audience functions.';

CREATE FUNCTION stratum.audience_members(audience_sync_id bigint)
  RETURNS TABLE (profile_id bigint, identifier_type text, hash text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT m.profile_id, m.identifier_type, m.hash
    FROM stratum._audience_members(stratum._acting_tenant(), audience_sync_id) m;
END $$;
COMMENT ON FUNCTION stratum.audience_members(bigint) IS
  'What to upload for an audience: the identifiers of those members of its segment that have consented, as the platform matches them.';

-- ---- runs -----------------------------------------------------------------------------------------

-- A platform has an identifier once, whoever it is given for: one that another member has too is not removed.
CREATE FUNCTION stratum.audience_changes(audience_sync_id bigint)
  RETURNS TABLE (change text, profile_id bigint, identifier_type text, hash text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  PERFORM FROM stratum._audience_sync(tenant, audience_sync_id);
  IF EXISTS (SELECT FROM stratum.cdp_audience_syncs a WHERE a.tenant_id = tenant AND a.id = audience_sync_id AND a.last_sync_status = 'running') THEN
    RETURN QUERY
      SELECT 'added', u.profile_id::bigint, u.identifier_type, u.hash
      FROM stratum.cdp_audience_uploads u
      WHERE u.tenant_id = tenant AND u.audience_sync_id = audience_changes.audience_sync_id AND u.state = 'adding'
      UNION ALL
      SELECT 'removed', u.profile_id::bigint, u.identifier_type, u.hash
      FROM stratum.cdp_audience_uploads u
      WHERE u.tenant_id = tenant AND u.audience_sync_id = audience_changes.audience_sync_id AND u.state = 'removing'
        AND NOT EXISTS (
          SELECT FROM stratum.cdp_audience_uploads o
          WHERE o.tenant_id = tenant AND o.audience_sync_id = audience_changes.audience_sync_id AND o.state <> 'removing'
            AND o.identifier_type = u.identifier_type AND o.hash = u.hash);
    RETURN;
  END IF;
  RETURN QUERY
    WITH wanted AS MATERIALIZED (SELECT * FROM stratum._audience_members(tenant, audience_sync_id)),
      given AS MATERIALIZED (SELECT u.profile_id::bigint, u.identifier_type, u.hash, u.state FROM stratum.cdp_audience_uploads u
                             WHERE u.tenant_id = tenant AND u.audience_sync_id = audience_changes.audience_sync_id)
    SELECT 'added', w.profile_id, w.identifier_type, w.hash
    FROM (SELECT * FROM wanted EXCEPT SELECT u.profile_id, u.identifier_type, u.hash FROM given u WHERE u.state = 'uploaded') w
    UNION ALL
    SELECT 'removed', g.profile_id, g.identifier_type, g.hash
    FROM (SELECT u.profile_id, u.identifier_type, u.hash FROM given u EXCEPT SELECT * FROM wanted) g
    WHERE NOT EXISTS (SELECT FROM wanted w WHERE w.identifier_type = g.identifier_type AND w.hash = g.hash);
END $$;
COMMENT ON FUNCTION stratum.audience_changes(bigint) IS
  'What to add to an audience and what to remove from it since the last run that succeeded; of a run that has been started, what that run is to do.';

-- Called by definer functions: locks the sync, so that two do not start or finish at once.
CREATE FUNCTION stratum._lock_audience_sync(tenant bigint, wanted bigint, OUT status text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT coalesce(a.last_sync_status, '') INTO status
  FROM stratum.cdp_audience_syncs a WHERE a.tenant_id = tenant AND a.id = wanted FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'audience sync % does not exist', wanted USING ERRCODE = 'no_data_found';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._lock_audience_sync(bigint, bigint) IS 'Locks an audience sync and says its status; internal.';

CREATE FUNCTION stratum.start_audience_sync(audience_sync_id bigint, OUT added bigint, OUT removed bigint)
  RETURNS record
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  IF stratum._lock_audience_sync(tenant, audience_sync_id) = 'running' THEN
    RAISE EXCEPTION 'a run of audience sync % has been started already', audience_sync_id
      USING ERRCODE = 'object_in_use', HINT = 'If its worker is gone: SELECT stratum.finish_audience_sync(audience_sync_id, false, ''why'').';
  END IF;
  WITH wanted AS MATERIALIZED (SELECT * FROM stratum._audience_members(tenant, audience_sync_id)),
    given AS MATERIALIZED (SELECT u.profile_id::bigint, u.identifier_type, u.hash FROM stratum.cdp_audience_uploads u
                           WHERE u.tenant_id = tenant AND u.audience_sync_id = start_audience_sync.audience_sync_id),
    coming AS (
      INSERT INTO stratum.cdp_audience_uploads (tenant_id, audience_sync_id, profile_id, identifier_type, hash, state)
      SELECT tenant, start_audience_sync.audience_sync_id, c.profile_id, c.identifier_type, c.hash, 'adding'
      FROM (SELECT * FROM wanted EXCEPT SELECT * FROM given) c)
  UPDATE stratum.cdp_audience_uploads u SET state = 'removing'
  FROM (SELECT * FROM given EXCEPT SELECT * FROM wanted) c
  WHERE u.tenant_id = tenant AND u.audience_sync_id = start_audience_sync.audience_sync_id
    AND u.profile_id = c.profile_id AND u.identifier_type = c.identifier_type AND u.hash = c.hash;
  UPDATE stratum.cdp_audience_syncs a SET last_sync_status = 'running', last_sync_error = NULL
  WHERE a.tenant_id = tenant AND a.id = start_audience_sync.audience_sync_id;
  SELECT count(*) FILTER (WHERE c.change = 'added'), count(*) FILTER (WHERE c.change = 'removed') INTO added, removed
  FROM stratum.audience_changes(audience_sync_id) c;
END $$;
COMMENT ON FUNCTION stratum.start_audience_sync(bigint) IS
  'Starts a run of an audience sync: what audience_changes() gives stays the same until the run is finished. Returns how many are to be added and removed.';

CREATE FUNCTION stratum.finish_audience_sync(
    audience_sync_id bigint, succeeded boolean DEFAULT true, error text DEFAULT NULL, match_rate float8 DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  IF succeeded IS NULL THEN
    RAISE EXCEPTION 'whether the run has succeeded must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF stratum._lock_audience_sync(tenant, audience_sync_id) <> 'running' THEN
    RAISE EXCEPTION 'no run of audience sync % has been started', audience_sync_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT stratum.start_audience_sync(audience_sync_id) first.';
  END IF;
  -- Of a run that has failed nobody knows how far it came: the platform may have all of it, or nothing.
  IF succeeded THEN
    DELETE FROM stratum.cdp_audience_uploads u
    WHERE u.tenant_id = tenant AND u.audience_sync_id = finish_audience_sync.audience_sync_id AND u.state = 'removing';
  END IF;
  UPDATE stratum.cdp_audience_uploads u SET state = CASE WHEN succeeded THEN 'uploaded' ELSE 'adding' END
  WHERE u.tenant_id = tenant AND u.audience_sync_id = finish_audience_sync.audience_sync_id
    AND u.state = CASE WHEN succeeded THEN 'adding' ELSE 'removing' END;
  UPDATE stratum.cdp_audience_syncs a
  SET last_sync_at = now(), last_sync_status = CASE WHEN succeeded THEN 'success' ELSE 'failed' END, last_sync_error = finish_audience_sync.error,
      match_rate = coalesce(finish_audience_sync.match_rate, a.match_rate),
      profiles_synced = CASE WHEN succeeded THEN (
        SELECT count(DISTINCT u.profile_id) FROM stratum.cdp_audience_uploads u
        WHERE u.tenant_id = tenant AND u.audience_sync_id = finish_audience_sync.audience_sync_id) ELSE a.profiles_synced END
  WHERE a.tenant_id = tenant AND a.id = finish_audience_sync.audience_sync_id;
END $$;
COMMENT ON FUNCTION stratum.finish_audience_sync(bigint, boolean, text, float8) IS
  'Ends a run of an audience sync and puts it on record. One that has failed may have done any part of it: the next run adds or removes all of it again.';
