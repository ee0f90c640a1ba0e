-- The people in the data: erasure, which reaches the audit trail, and access.
-- rights: anonymize_user, anonymize_profile, export_subject -> stratum_app, stratum_admin

CREATE FUNCTION stratum._open_audit_log() RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_allow_log_change';
COMMENT ON FUNCTION stratum._open_audit_log() IS
  'The next UPDATE or DELETE of audit_logs in this (sub)transaction is let through; internal to retention and erasure.';

CREATE FUNCTION stratum._pause_audit(table_name regclass) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_pause_audit';
COMMENT ON FUNCTION stratum._pause_audit(regclass) IS
  'Changes of the table are not recorded in this (sub)transaction until it is called with NULL; internal to erasure.';

CREATE FUNCTION stratum._log_record(tenant bigint, action text, resource_type text, resource_id text, metadata jsonb) RETURNS bigint
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_log_record';
COMMENT ON FUNCTION stratum._log_record(bigint, text, text, text, jsonb) IS
  'Writes an entry of retention or erasure into the trail of a tenant; internal.';

CREATE FUNCTION stratum._payload_digest(
    old_values jsonb, new_values jsonb, metadata jsonb, ip_address text, user_agent text, salt bytea) RETURNS text
  LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'stratum_payload_digest';
COMMENT ON FUNCTION stratum._payload_digest(jsonb, jsonb, jsonb, text, text, bytea) IS
  'Digest of what an erasure may replace in a row of audit_logs, in hex; internal to erasure.';

-- ---- the trail ----

-- What is NULL says nothing about anybody and stays.
CREATE FUNCTION stratum._erased_values(was jsonb, keys text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN jsonb_typeof(was) = 'object'
              THEN was || coalesce((SELECT jsonb_object_agg(k.name, '[ERASED]') FROM unnest(keys) k (name)
                                    WHERE was -> k.name <> 'null'), '{}')
              ELSE was END;
$$;
COMMENT ON FUNCTION stratum._erased_values(jsonb, text[]) IS
  'An object with "[ERASED]" for the values of these keys; internal to erasure.';

CREATE FUNCTION stratum._without_salts(salts bytea, places bigint[]) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  place bigint;
BEGIN
  FOREACH place IN ARRAY places LOOP
    salts := overlay(salts PLACING decode(repeat('00', 16), 'hex') FROM (16 * place - 15)::integer FOR 16);
  END LOOP;
  RETURN salts;
END $$;
COMMENT ON FUNCTION stratum._without_salts(bytea, bigint[]) IS
  'The salts of a seal, with zeros at these places; internal to erasure.';

-- Rows of one seal. The record keeps what the digest of the payload was, which proves the rest of the row, and what it
-- is now; the salt goes, so that nobody can try out what has been erased.
CREATE FUNCTION stratum._erase_sealed_rows(tenant bigint, seal_id bigint, changes jsonb, about jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  none constant bytea := decode(repeat('00', 16), 'hex');
  seal record;
  erased jsonb;
  places bigint[];
BEGIN
  SELECT s.log_ids, s.salts INTO STRICT seal FROM stratum.audit_seals s WHERE s.id = seal_id FOR UPDATE;
  SELECT jsonb_object_agg(c.id, jsonb_build_array(
           CASE WHEN k.salt = none THEN e.was
                ELSE stratum._payload_digest(l.old_values, l.new_values, l.metadata, l.ip_address::text, l.user_agent, k.salt) END,
           stratum._payload_digest(c.old_values, c.new_values, c.metadata, c.ip_address, c.user_agent, none))),
         array_agg(k.place)
    INTO erased, places
  FROM jsonb_to_recordset(changes) c (id bigint, old_values jsonb, new_values jsonb, metadata jsonb, ip_address text, user_agent text)
    JOIN stratum.audit_logs l ON l.id = c.id
    JOIN (SELECT u.id, u.place, substr(seal.salts, (16 * u.place - 15)::integer, 16) AS salt
          FROM unnest(seal.log_ids) WITH ORDINALITY u (id, place)) k ON k.id = c.id
    LEFT JOIN LATERAL (
      SELECT r.metadata -> 'erased' -> c.id::text ->> 0 AS was FROM stratum.audit_logs r
      WHERE k.salt = none AND r.resource_type = 'audit_logs' AND r.action = 'anonymize'
        AND r.tenant_id IS NOT DISTINCT FROM tenant AND r.metadata -> 'erased' ? c.id::text
      ORDER BY r.id LIMIT 1) e ON true;

  PERFORM stratum._open_audit_log();
  UPDATE stratum.audit_logs l
  SET old_values = c.old_values, new_values = c.new_values, metadata = c.metadata, ip_address = c.ip_address::inet, user_agent = c.user_agent
  FROM jsonb_to_recordset(changes) c (id bigint, old_values jsonb, new_values jsonb, metadata jsonb, ip_address text, user_agent text)
  WHERE l.id = c.id;
  UPDATE stratum.audit_seals s SET salts = stratum._without_salts(s.salts, places) WHERE s.id = seal_id;
  PERFORM stratum._log_record(tenant, 'anonymize', 'audit_logs', NULL, jsonb_build_object('about', about, 'erased', erased));
END $$;
COMMENT ON FUNCTION stratum._erase_sealed_rows(bigint, bigint, jsonb, jsonb) IS
  'Replaces payloads of rows of one seal, destroys their salts and records it; internal to erasure.';

-- `keys` are erased in the values of the rows `about_ids`; what an event of the application's had in its metadata too.
-- Of the rows `by_ids`, address and user agent. Returns how many rows that changed.
CREATE FUNCTION stratum._erase_log(tenant bigint, about_ids bigint[], keys text[], by_ids bigint[], about jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  seal record;
  total bigint := 0;
BEGIN
  PERFORM stratum._seal_chain(tenant);
  FOR seal IN
    WITH wanted AS (
      SELECT l.*,
             CASE WHEN x.about THEN stratum._erased_values(l.old_values, keys) ELSE l.old_values END AS new_old,
             CASE WHEN x.about THEN stratum._erased_values(l.new_values, keys) ELSE l.new_values END AS new_new,
             CASE WHEN x.about AND l.old_values IS NULL AND l.new_values IS NULL AND jsonb_typeof(l.metadata) = 'object'
                    AND l.action IN ('login', 'logout', 'export', 'anonymize')
                  -- not the numbers that an erasure has written
                  THEN stratum._erased_values(l.metadata, ARRAY(
                    SELECT e.key FROM jsonb_each(l.metadata) e
                    WHERE NOT (l.action = 'anonymize' AND l.metadata ? 'audit_logs' AND jsonb_typeof(e.value) = 'number')))
                  ELSE l.metadata END AS new_metadata,
             CASE WHEN x.by THEN NULL ELSE l.ip_address END AS new_ip,
             CASE WHEN x.by THEN NULL ELSE l.user_agent END AS new_agent
      FROM (SELECT i.id, bool_or(i.about) AS about, bool_or(NOT i.about) AS by
            FROM (SELECT unnest(about_ids), true UNION ALL SELECT unnest(by_ids), false) i (id, about)
            GROUP BY i.id) x
        JOIN stratum.audit_logs l ON l.id = x.id AND l.tenant_id IS NOT DISTINCT FROM tenant
    ), changed AS MATERIALIZED (
      SELECT * FROM wanted w
      WHERE (w.old_values, w.new_values, w.metadata, w.ip_address::text, w.user_agent)
            IS DISTINCT FROM (w.new_old, w.new_new, w.new_metadata, w.new_ip::text, w.new_agent)
    )
    SELECT s.id, count(*) AS n,
           jsonb_agg(jsonb_build_object('id', c.id, 'old_values', c.new_old, 'new_values', c.new_new, 'metadata', c.new_metadata,
                                        'ip_address', c.new_ip::text, 'user_agent', c.new_agent)) AS changes
    FROM stratum.audit_seals s CROSS JOIN LATERAL unnest(s.log_ids) k (id) JOIN changed c ON c.id = k.id
    WHERE s.tenant_id IS NOT DISTINCT FROM tenant AND s.last_id >= (SELECT min(c.id) FROM changed c)
    GROUP BY s.id
    ORDER BY s.id
  LOOP
    PERFORM stratum._erase_sealed_rows(tenant, seal.id, seal.changes, about);
    total := total + seal.n;
  END LOOP;
  RETURN total;
END $$;
COMMENT ON FUNCTION stratum._erase_log(bigint, bigint[], text[], bigint[], jsonb) IS
  'Erases personal values in rows of a tenant''s trail, sealed first; internal to anonymize_user() and anonymize_profile().';

-- ---- profiles ----

-- Our other tables that say something of a profile: memberships and the like.
CREATE FUNCTION stratum._profile_tables() RETURNS SETOF text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT c.relname::text
    FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'stratum'
      JOIN pg_attribute p ON p.attrelid = c.oid AND p.attname = 'profile_id' AND NOT p.attisdropped
      JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relname <> 'cdp_events'
      AND EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'table' AND e.object = c.relname)
    ORDER BY 1;
END $$;
COMMENT ON FUNCTION stratum._profile_tables() IS
  'Names of stratum''s tables with a profile_id, but for events; internal.';

-- Profiles that were merged into this one, known by the canonical ids that it took over, and events that are gone are in the
-- trail alone.
CREATE FUNCTION stratum._subject_log(tenant bigint, profile_id bigint, event_ids bigint[]) RETURNS SETOF bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  profiles text[] := profile_id::text || ARRAY(
    SELECT l.resource_id::text
    FROM stratum.cdp_profile_aliases a
      JOIN stratum.audit_logs l ON l.tenant_id = tenant AND l.resource_type = 'cdp_profiles'
        AND a.value IN (l.old_values ->> 'canonical_id', l.new_values ->> 'canonical_id')
    WHERE a.tenant_id = tenant AND a.profile_id = _subject_log.profile_id AND a.kind = 'canonical_id'
      AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id::text = l.resource_id));
  events text[] := event_ids::text[] || ARRAY(
    SELECT l.resource_id::text FROM stratum.audit_logs l
    WHERE l.tenant_id = tenant AND l.resource_type = 'cdp_events'
      AND (l.old_values ->> 'profile_id' = ANY (profiles) OR l.new_values ->> 'profile_id' = ANY (profiles)));
BEGIN
  RETURN QUERY
    SELECT l.id::bigint FROM stratum.audit_logs l
    WHERE l.tenant_id = tenant
      AND (l.resource_type = 'cdp_profiles' AND l.resource_id = ANY (profiles)
           OR l.resource_type = 'cdp_events' AND l.resource_id = ANY (events));
END $$;
COMMENT ON FUNCTION stratum._subject_log(bigint, bigint, bigint[]) IS
  'Rows of the trail about a profile, those merged into it, and their events; internal.';

-- Events without a profile that came under an anonymous id of the person's are the person's too.
CREATE FUNCTION stratum._subject_events(tenant bigint, profile_id bigint, anonymous_id text) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(
    SELECT e.id::bigint FROM stratum.cdp_events e
    WHERE e.tenant_id = tenant AND e.profile_id = _subject_events.profile_id
    UNION ALL
    SELECT e.id FROM stratum.cdp_events e
    WHERE e.tenant_id = tenant AND e.profile_id IS NULL
      AND e.anonymous_id = ANY (_subject_events.anonymous_id || ARRAY(
        SELECT a.value FROM stratum.cdp_profile_aliases a
        WHERE a.tenant_id = tenant AND a.profile_id = _subject_events.profile_id AND a.kind = 'anonymous_id'))
    ORDER BY 1);
END $$;
COMMENT ON FUNCTION stratum._subject_events(bigint, bigint, text) IS
  'Ids of the events of a profile; internal.';

-- What is overwritten here must not come up in the trail once more; an entry of its own says what was done instead. The
-- canonical id may be all that a person is known by; the new one tells that it has been replaced, and nothing else.
CREATE FUNCTION stratum._erase_profile(tenant bigint, profile_id bigint, event_ids bigint[], OUT profiles bigint, OUT events bigint)
  RETURNS record
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  nobody uuid := md5(format('erased profile %s of tenant %s', profile_id, tenant))::uuid;
BEGIN
  PERFORM stratum._pause_audit('stratum.cdp_profiles');
  UPDATE stratum.cdp_profiles p
  SET canonical_id = nobody, anonymous_id = NULL, external_id = NULL, email = NULL, email_hash = NULL, phone = NULL,
      phone_hash = NULL, first_name = NULL, last_name = NULL, traits = '{}', computed_traits = '{}', consent = '{}'
  WHERE p.tenant_id = tenant AND p.id = profile_id
    AND (p.canonical_id <> nobody
         OR num_nonnulls(p.anonymous_id, p.external_id, p.email, p.email_hash, p.phone, p.phone_hash, p.first_name, p.last_name) > 0
         OR (p.traits, p.computed_traits, p.consent) IS DISTINCT FROM ('{}'::jsonb, '{}'::jsonb, '{}'::jsonb));
  GET DIAGNOSTICS profiles = ROW_COUNT;
  PERFORM stratum._pause_audit('stratum.cdp_events');
  UPDATE stratum.cdp_events e
  SET properties = '{}', context = '{}', anonymous_id = NULL
  WHERE e.tenant_id = tenant AND e.id = ANY (event_ids)
    AND (e.anonymous_id IS NOT NULL OR (e.properties, e.context) IS DISTINCT FROM ('{}'::jsonb, '{}'::jsonb));
  GET DIAGNOSTICS events = ROW_COUNT;
  PERFORM stratum._pause_audit(NULL);
END $$;
COMMENT ON FUNCTION stratum._erase_profile(bigint, bigint, bigint[]) IS
  'Overwrites what is personal in a profile and its events, unrecorded; internal to anonymize_profile().';

-- What ad platforms hold of a person they have still to be told to drop: the next difference of each audience does that,
-- because nobody without consent is in one, and then removes the row.
CREATE FUNCTION stratum._forget_profile(tenant bigint, profile_id bigint) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  removed bigint;
  result jsonb := '{}';
BEGIN
  FOR name IN SELECT t FROM stratum._profile_tables() t WHERE t <> 'cdp_audience_uploads' LOOP
    EXECUTE format('DELETE FROM stratum.%I t WHERE t.tenant_id = $1 AND t.profile_id = $2', name) USING tenant, profile_id;
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
      result := result || jsonb_build_object(name, removed);
    END IF;
  END LOOP;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._forget_profile(bigint, bigint) IS
  'Removes a profile from memberships and the like; returns how many rows of each; internal to anonymize_profile().';

CREATE FUNCTION stratum.anonymize_profile(profile_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  profile record;
  event_ids bigint[];
  done record;
  removed jsonb;
  log_rows bigint;
BEGIN
  -- whoever else is changing the profile has to end first: what he wrote is in the trail then
  SELECT p.anonymous_id INTO profile FROM stratum.cdp_profiles p
  WHERE p.tenant_id = tenant AND p.id = anonymize_profile.profile_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'profile % does not exist', coalesce(profile_id::text, 'NULL') USING ERRCODE = 'no_data_found';
  END IF;
  event_ids := stratum._subject_events(tenant, profile_id, profile.anonymous_id);
  SELECT * INTO done FROM stratum._erase_profile(tenant, profile_id, event_ids);
  log_rows := stratum._erase_log(
    tenant, ARRAY(SELECT * FROM stratum._subject_log(tenant, profile_id, event_ids)),
    '{canonical_id,anonymous_id,external_id,email,email_hash,phone,phone_hash,first_name,last_name,traits,computed_traits,consent,
      properties,context}',
    '{}', jsonb_build_object('resource_type', 'cdp_profiles', 'resource_id', profile_id::text));
  -- last, as the other names tell what belongs to the person
  removed := stratum._forget_profile(tenant, profile_id);
  IF done.profiles + done.events + log_rows > 0 OR removed <> '{}' THEN
    PERFORM stratum._log_record(tenant, 'anonymize', 'cdp_profiles', profile_id::text,
      removed || jsonb_build_object('cdp_profiles', done.profiles, 'cdp_events', done.events, 'audit_logs', log_rows));
    PERFORM stratum._seal_chain(tenant);
  END IF;
END $$;
COMMENT ON FUNCTION stratum.anonymize_profile(bigint) IS
  'Erases a person: identity and traits of the profile, details of its events, memberships, and the same in the audit trail. Recorded there as anonymize. Does nothing the second time.';

-- ---- users ----

CREATE FUNCTION stratum._erase_user(tenant bigint, user_id bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  address text := format('anonymized-%s@invalid', user_id);
  changed bigint;
BEGIN
  PERFORM stratum._pause_audit('stratum.users');
  UPDATE stratum.users u
  SET email = address, email_hash = stratum.email_hash(address), password_hash = '!', full_name = NULL, phone = NULL, avatar_url = NULL,
      totp_secret = NULL, totp_enabled = false, totp_verified_at = NULL, backup_codes = NULL, permissions = '{}', preferences = '{}',
      locale = 'en', timezone = 'UTC', last_login_at = NULL, consent_marketing = false, consent_analytics = false,
      is_active = false, gdpr_anonymized_at = now()
  WHERE u.tenant_id IS NOT DISTINCT FROM tenant AND u.id = _erase_user.user_id
    AND (u.gdpr_anonymized_at IS NULL
         OR num_nonnulls(u.full_name, u.phone, u.avatar_url, u.totp_secret, u.totp_verified_at, u.backup_codes, u.last_login_at) > 0
         OR (u.email, u.email_hash, u.password_hash, u.permissions, u.preferences) IS DISTINCT FROM
            (address, stratum.email_hash(address), '!', '{}'::jsonb, '{}'::jsonb)
         OR (u.totp_enabled, u.locale, u.timezone, u.consent_marketing, u.consent_analytics, u.is_active) IS DISTINCT FROM
            (false, 'en', 'UTC', false, false, false));
  GET DIAGNOSTICS changed = ROW_COUNT;
  PERFORM stratum._pause_audit(NULL);
  RETURN changed;
END $$;
COMMENT ON FUNCTION stratum._erase_user(bigint, bigint) IS
  'Overwrites what is personal in a user, unrecorded; internal to anonymize_user().';

-- A user of the platform has left traces in the trails of many tenants.
CREATE FUNCTION stratum._erase_user_log(user_id bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  chain record;
  total bigint := 0;
BEGIN
  FOR chain IN
    SELECT l.tenant_id::bigint AS tenant,
           coalesce(array_agg(l.id::bigint) FILTER (WHERE l.resource_type = 'users' AND l.resource_id = _erase_user_log.user_id::text), '{}') AS about_ids,
           coalesce(array_agg(l.id::bigint) FILTER (WHERE l.user_id = _erase_user_log.user_id), '{}') AS by_ids
    FROM stratum.audit_logs l
    WHERE l.user_id = _erase_user_log.user_id OR l.resource_type = 'users' AND l.resource_id = _erase_user_log.user_id::text
    GROUP BY l.tenant_id
    ORDER BY l.tenant_id
  LOOP
    total := total + stratum._erase_log(
      chain.tenant, chain.about_ids,
      '{email,email_hash,full_name,phone,avatar_url,preferences,permissions,locale,timezone,password_hash,totp_secret,backup_codes}',
      chain.by_ids, jsonb_build_object('resource_type', 'users', 'resource_id', user_id::text));
  END LOOP;
  RETURN total;
END $$;
COMMENT ON FUNCTION stratum._erase_user_log(bigint) IS
  'Erases a user in every trail: values of the user, and addresses of what the user did; internal to anonymize_user().';

CREATE FUNCTION stratum._anonymize_user(tenant bigint, user_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_user record;
  users bigint;
  log_rows bigint;
BEGIN
  SELECT u.is_protected INTO found_user FROM stratum.users u
  WHERE u.tenant_id IS NOT DISTINCT FROM tenant AND u.id = _anonymize_user.user_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'user % does not exist', coalesce(user_id::text, 'NULL') USING ERRCODE = 'no_data_found';
  ELSIF found_user.is_protected THEN
    RAISE EXCEPTION 'user % is protected', user_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Set is_protected to false first.';
  END IF;
  users := stratum._erase_user(tenant, user_id);
  log_rows := stratum._erase_user_log(user_id);
  IF users + log_rows > 0 THEN
    PERFORM stratum._log_record(tenant, 'anonymize', 'users', user_id::text, jsonb_build_object('users', users, 'audit_logs', log_rows));
    PERFORM stratum._seal_chain(tenant);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._anonymize_user(bigint, bigint) IS
  'Anonymises a user of a tenant, NULL: of the platform; internal to anonymize_user().';

CREATE FUNCTION stratum._anonymize_own_user(user_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._anonymize_user(stratum._acting_tenant(), user_id);
END $$;
COMMENT ON FUNCTION stratum._anonymize_own_user(bigint) IS
  'anonymize_user() within the current tenant; internal.';

CREATE FUNCTION stratum._anonymize_platform_user(user_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._anonymize_user(NULL, user_id);
END $$;
COMMENT ON FUNCTION stratum._anonymize_platform_user(bigint) IS
  'anonymize_user() of a user without a tenant; internal.';

CREATE FUNCTION stratum.anonymize_user(user_id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL AND has_function_privilege('stratum._anonymize_platform_user(bigint)', 'EXECUTE') THEN
    PERFORM stratum._anonymize_platform_user(user_id);
  ELSE
    PERFORM stratum._anonymize_own_user(user_id);
  END IF;
END $$;
COMMENT ON FUNCTION stratum.anonymize_user(bigint) IS
  'Erases a user: name, addresses and secrets, sign-in closed; the same in the audit trail, and address and user agent of what the user did. Recorded there as anonymize. Without a tenant, administrators: a user of the platform.';

-- ---- access ----

CREATE FUNCTION stratum._export_profile_tables(tenant bigint, profile_id bigint) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
  found_rows jsonb;
  result jsonb := '{}';
BEGIN
  FOR name IN SELECT * FROM stratum._profile_tables() LOOP
    EXECUTE format('SELECT jsonb_agg(to_jsonb(t)) FROM stratum.%I t WHERE t.tenant_id = $1 AND t.profile_id = $2', name)
      INTO found_rows USING tenant, profile_id;
    result := result || jsonb_build_object(name, coalesce(found_rows, '[]'));
  END LOOP;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._export_profile_tables(bigint, bigint) IS
  'Rows of a profile in memberships and the like; internal to export_subject().';

CREATE FUNCTION stratum.export_subject(profile_id bigint) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  profile record;
  event_ids bigint[];
  result jsonb;
BEGIN
  PERFORM stratum._refuse_foreign_casts();
  SELECT p.* INTO profile FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = export_subject.profile_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'profile % does not exist', coalesce(profile_id::text, 'NULL') USING ERRCODE = 'no_data_found';
  END IF;
  event_ids := stratum._subject_events(tenant, profile_id, profile.anonymous_id);
  result := jsonb_build_object(
    'cdp_profiles', to_jsonb(profile),
    'cdp_events', coalesce((SELECT jsonb_agg(to_jsonb(e) ORDER BY e.timestamp, e.id) FROM stratum.cdp_events e
                            WHERE e.tenant_id = tenant AND e.id = ANY (event_ids)), '[]'),
    'segments', coalesce((SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'added_at', m.added_at) ORDER BY s.id)
                          FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_segments s ON s.tenant_id = m.tenant_id AND s.id = m.segment_id
                          WHERE m.tenant_id = tenant AND m.profile_id = export_subject.profile_id), '[]'),
    'audit_logs', coalesce((SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) FROM stratum.audit_logs l
                            WHERE l.tenant_id = tenant
                              AND l.id IN (SELECT * FROM stratum._subject_log(tenant, export_subject.profile_id, event_ids))), '[]'))
    || stratum._export_profile_tables(tenant, profile_id);
  PERFORM stratum._log_record(tenant, 'export', 'cdp_profiles', profile_id::text,
                              (SELECT jsonb_object_agg(e.key, jsonb_array_length(e.value)) FROM jsonb_each(result) e
                               WHERE jsonb_typeof(e.value) = 'array'));
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum.export_subject(bigint) IS
  'All that is held of a person, a key for each table: the profile, its events, segments, memberships, and rows of the audit trail. Recorded there as export.';
