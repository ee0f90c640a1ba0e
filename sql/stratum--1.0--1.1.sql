\echo Use "ALTER EXTENSION stratum UPDATE TO '1.1'" to load this file. \quit
-- Written by bin/build-updates from the install scripts of both versions and sql/updates; do not edit.

-- ==== sql/parts/guard.sql
-- Nothing of what follows may find a function or an operator in schema stratum that it did not name: the schema
-- may have been there before, with other people's objects in it.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Nothing may be installed into a schema that an unprivileged role owns, or where one has left functions: they
-- could stand for what trusted functions call.
DO $$
DECLARE
  strangers text := (
    SELECT pg_catalog.string_agg(p.oid::pg_catalog.regprocedure::text, ', ' ORDER BY p.oid)
    FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE n.nspname = 'stratum' AND NOT r.rolsuper);
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
          WHERE n.nspname = 'stratum') THEN
    RAISE EXCEPTION 'schema "stratum" belongs to a role that is not a superuser'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what is in it, then drop it or give it to a superuser with ALTER SCHEMA stratum OWNER TO.';
  ELSIF strangers IS NOT NULL THEN
    RAISE EXCEPTION 'functions in schema "stratum" are owned by roles that are no superusers: %', strangers
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what they are, then drop them or give them to a superuser with ALTER FUNCTION ... OWNER TO.';
  END IF;
END $$;

-- ==== members that cannot be replaced, or have a successor of the same name
DROP FUNCTION stratum._refresh(bigint, bigint);
DROP FUNCTION stratum._row_entries(text, text, boolean);
DROP FUNCTION stratum._row_versions(regclass, text);

-- ==== members that are new or changed
CREATE FUNCTION stratum._refuse_transaction_block(procedure_name text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'stratum_refuse_transaction_block';
COMMENT ON FUNCTION stratum._refuse_transaction_block(text) IS
  'Raises inside a transaction block, in the name of a procedure that commits; internal.';

CREATE OR REPLACE FUNCTION stratum.enter(
    tenant_id bigint,
    user_id bigint DEFAULT NULL,
    request_id text DEFAULT NULL,
    ip_address inet DEFAULT NULL,
    user_agent text DEFAULT NULL)
  RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'stratum_enter';

CREATE FUNCTION stratum._acting_tenant() RETURNS bigint
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_acting_tenant';
COMMENT ON FUNCTION stratum._acting_tenant() IS 'The current tenant; raises where there is none; internal.';

CREATE FUNCTION stratum._current_user_id() RETURNS bigint
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_current_user_key';
COMMENT ON FUNCTION stratum._current_user_id() IS
  'current_user_id() whatever widen_ids() has let in; internal.';

CREATE FUNCTION stratum.enter_session(tenant_id bigint, user_id bigint, token text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'stratum_enter_session';
COMMENT ON FUNCTION stratum.enter_session(bigint, bigint, text) IS
  'The session acts for this tenant and user until leave_session() is shown the token again. DISCARD ALL and RESET ALL close it: nobody is entered until the token opens it.';

CREATE FUNCTION stratum.leave_session(token text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_leave_session';
COMMENT ON FUNCTION stratum.leave_session(text) IS
  'Ends the session lock that was made with this token.';

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

CREATE FUNCTION stratum._profile_columns_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_profile_columns_support';
COMMENT ON FUNCTION stratum._profile_columns_support(internal) IS
  'Index conditions, selectivity and cost of _profile_matches(); internal.';

CREATE FUNCTION stratum._campaign_columns_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_campaign_columns_support';
COMMENT ON FUNCTION stratum._campaign_columns_support(internal) IS
  'Index conditions, selectivity and cost of _campaign_matches(); internal.';

CREATE FUNCTION stratum._profile_matches(conditions jsonb, columns text[], VARIADIC "any") RETURNS boolean
  LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE SUPPORT stratum._profile_columns_support
  AS 'MODULE_PATHNAME', 'stratum_profile_columns_match';
COMMENT ON FUNCTION stratum._profile_matches(jsonb, text[], "any") IS
  'Whether a profile of which these columns are given satisfies the definition; false for one that means nothing. The planner puts it in place of segment_matches(); internal.';

CREATE FUNCTION stratum._campaign_matches(conditions jsonb, columns text[], VARIADIC "any") RETURNS boolean
  LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE SUPPORT stratum._campaign_columns_support
  AS 'MODULE_PATHNAME', 'stratum_campaign_columns_match';
COMMENT ON FUNCTION stratum._campaign_matches(jsonb, text[], "any") IS
  'Whether a campaign of which these columns are given satisfies the definition; false for one that means nothing. The planner puts it in place of campaign_matches(); internal.';

CREATE FUNCTION stratum._segment_matches_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_segment_matches_support';
COMMENT ON FUNCTION stratum._segment_matches_support(internal) IS
  'Turns segment_matches() of a whole row into _profile_matches() of its columns; internal.';

CREATE FUNCTION stratum._traits_match_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_traits_match_support';
COMMENT ON FUNCTION stratum._traits_match_support(internal) IS
  'Turns traits_match() into _profile_matches(); internal.';

CREATE FUNCTION stratum._campaign_matches_support(internal) RETURNS internal
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_campaign_matches_support';
COMMENT ON FUNCTION stratum._campaign_matches_support(internal) IS
  'Turns campaign_matches() of a whole row into _campaign_matches() of its columns; internal.';

CREATE OR REPLACE FUNCTION stratum.segment_matches(conditions jsonb, profile anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT stratum._segment_matches_support
  AS 'MODULE_PATHNAME', 'stratum_segment_matches';

CREATE OR REPLACE FUNCTION stratum.segment_matches(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT stratum._traits_match_support
  AS 'MODULE_PATHNAME', 'stratum_traits_match';

CREATE OR REPLACE FUNCTION stratum.traits_match(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 SUPPORT stratum._traits_match_support
  AS 'MODULE_PATHNAME', 'stratum_traits_match';

CREATE OR REPLACE FUNCTION stratum.campaign_matches(conditions jsonb, campaign anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 100 SUPPORT stratum._campaign_matches_support
  AS 'MODULE_PATHNAME', 'stratum_campaign_matches';

CREATE FUNCTION stratum._segment_bits(definitions jsonb[], columns text[], VARIADIC "any") RETURNS bytea
  LANGUAGE c STABLE PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'stratum_segment_bits';
COMMENT ON FUNCTION stratum._segment_bits(jsonb[], text[], "any") IS
  'Which of the definitions a profile satisfies of which these columns are given: bit n % 8 of byte n / 8 for definition n, from 0; all compiled once per query; internal to the refresh functions.';

CREATE FUNCTION stratum._expand_segments(tenant bigint, conditions jsonb) RETURNS jsonb
  LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_expanded_definition';
COMMENT ON FUNCTION stratum._expand_segments(bigint, jsonb) IS
  'A definition with those of the tenant''s segments that it asks about put in their places; raises for one that means nothing; internal.';

CREATE FUNCTION stratum._usable_definition(tenant bigint, segment_id bigint, name text, conditions jsonb) RETURNS jsonb
  LANGUAGE c STABLE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_usable_segment';
COMMENT ON FUNCTION stratum._usable_definition(bigint, bigint, text, jsonb) IS
  'The same of a stored definition; NULL for one that means nothing any more, and a WARNING says why; internal.';

CREATE OR REPLACE FUNCTION stratum._preview_segment(
    definition jsonb, wanted integer, OUT profile_count bigint, OUT profiles jsonb)
  RETURNS record
  -- only where the definition is a constant can the planner use an index for it
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  IF wanted IS NULL THEN
    RAISE EXCEPTION 'the size of the sample must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF wanted NOT BETWEEN 0 AND 1000 THEN
    RAISE EXCEPTION 'a sample of % profiles is not possible', wanted
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The sample has 0 to 1000 profiles.';
  END IF;
  PERFORM stratum.validate_conditions(definition);
  definition := stratum._expand_segments(stratum.current_tenant_id(), definition);
  WITH matching AS MATERIALIZED (
    SELECT p.id
    FROM stratum.cdp_profiles p
    WHERE p.tenant_id = stratum.current_tenant_id() AND stratum.segment_matches(definition, p)
  )
  SELECT (SELECT count(*) FROM matching m),
         (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id), '[]')
          FROM stratum.cdp_profiles p
          WHERE p.tenant_id = stratum.current_tenant_id()
            AND p.id = ANY (ARRAY(SELECT m.id FROM matching m ORDER BY m.id LIMIT wanted)))
  INTO profile_count, profiles;
END $$;

CREATE FUNCTION stratum._segment_profiles(segment bigint) RETURNS SETOF bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  definition jsonb;
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RETURN;
  END IF;
  SELECT stratum._expand_segments(s.tenant_id, s.conditions) INTO definition
  FROM stratum.cdp_segments s
  WHERE s.tenant_id = stratum.current_tenant_id() AND s.id = segment;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT p.id::bigint
    FROM stratum.cdp_profiles p
    WHERE p.tenant_id = stratum.current_tenant_id() AND stratum.segment_matches(definition, p);
END $$;
COMMENT ON FUNCTION stratum._segment_profiles(bigint) IS
  'segment_profiles() with ids as bigint; internal.';

CREATE OR REPLACE FUNCTION stratum.segment_profiles(segment_id bigint)
  RETURNS TABLE (profile_id integer)
  LANGUAGE sql STABLE
AS 'SELECT p.id FROM stratum._segment_profiles($1) p (id)';

CREATE OR REPLACE FUNCTION stratum.profile_segments(profile_id bigint)
  RETURNS TABLE (segment_id integer)
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'stratum_profile_segments';

CREATE FUNCTION stratum._segments_changed() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_segments_changed';
COMMENT ON FUNCTION stratum._segments_changed() IS
  'AFTER statement trigger of cdp_segments: every session forgets the definitions that it keeps for profile_segments().';

CREATE FUNCTION stratum._refresh_memberships(tenant bigint, ids bigint[], definitions jsonb[])
  RETURNS TABLE (segment_id bigint, profile_count bigint, added bigint, removed bigint)
  LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_refresh_memberships';
COMMENT ON FUNCTION stratum._refresh_memberships(bigint, bigint[], jsonb[]) IS
  'Evaluates the definitions over a tenant''s profiles, as many at a time as maintenance_work_mem has room for, and writes the memberships that differ; internal to _refresh().';

CREATE FUNCTION stratum._refresh(tenant bigint, wanted bigint)
  RETURNS TABLE (segment_id bigint, profile_count bigint, added bigint, removed bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
<<run>>
DECLARE
  segment record;
  definition jsonb;
  ids bigint[] := '{}';
  definitions jsonb[] := '{}';
BEGIN
  -- Two refreshes of a segment go one after the other; the second sees what the first wrote.
  FOR segment IN
    SELECT s.id, s.name, s.conditions
    FROM stratum.cdp_segments s
    WHERE s.tenant_id = _refresh.tenant
      AND CASE WHEN _refresh.wanted IS NULL THEN s.is_active ELSE s.id = _refresh.wanted END
    ORDER BY s.id
    FOR NO KEY UPDATE
  LOOP
    IF wanted IS NOT NULL THEN
      definition := stratum._expand_segments(tenant, segment.conditions);
    ELSE
      definition := stratum._usable_definition(tenant, segment.id, segment.name, segment.conditions);
      CONTINUE WHEN definition IS NULL;
    END IF;
    ids := array_append(ids, segment.id::bigint);
    definitions := array_append(definitions, definition);
  END LOOP;
  IF ids = '{}' THEN
    RETURN;
  END IF;

  -- What new memberships refer to has to stay: the segments are locked, this is the tenant, profiles follow.
  PERFORM FROM stratum.tenants t WHERE t.id = _refresh.tenant FOR KEY SHARE;
  RETURN QUERY
    UPDATE stratum.cdp_segments s
    SET profile_count = r.profile_count, last_computed_at = now()
    FROM stratum._refresh_memberships(_refresh.tenant, run.ids, run.definitions) r
    WHERE s.tenant_id = _refresh.tenant AND s.id = r.segment_id
    RETURNING s.id::bigint, r.profile_count, r.added, r.removed;
END $$;
COMMENT ON FUNCTION stratum._refresh(bigint, bigint) IS
  'Brings the memberships of one segment, or of all active ones of a tenant, up to date, reading the profiles once; internal to the refresh functions.';

CREATE OR REPLACE FUNCTION stratum.refresh_segment(
    segment_id bigint, OUT profile_count bigint, OUT added bigint, OUT removed bigint)
  RETURNS record
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- An id of NULL is no segment; for _refresh() it would be all of them.
  SELECT r.profile_count, r.added, r.removed INTO profile_count, added, removed
  FROM stratum._refresh(stratum._acting_tenant(), coalesce(refresh_segment.segment_id, 0)) r;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum.refresh_segments()
  RETURNS TABLE (segment_id integer, profile_count bigint, added bigint, removed bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  FOR segment_id, profile_count, added, removed IN
    SELECT r.segment_id, r.profile_count, r.added, r.removed
    FROM stratum._refresh(stratum._acting_tenant(), NULL) r
    ORDER BY r.segment_id
  LOOP
    RETURN NEXT;
  END LOOP;
END $$;

CREATE OR REPLACE PROCEDURE stratum.refresh_all_segments()
  LANGUAGE plpgsql
AS $$
DECLARE
  tenant record;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('refresh_all_segments');
  FOR tenant IN SELECT t.id FROM stratum.tenants t WHERE t.is_deleted IS NOT TRUE ORDER BY t.id
  LOOP
    BEGIN
      PERFORM stratum._refresh_tenant_segments(tenant.id);
    EXCEPTION WHEN OTHERS THEN
      -- One tenant's trouble is not the others', but the nightly job has to hear of it.
      RAISE WARNING 'the segments of tenant % were not refreshed: %', tenant.id, SQLERRM;
      failed := failed + 1;
    END;
    COMMIT;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of tenants whose segments were not refreshed: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; all other tenants were.';
  END IF;
END $$;

CREATE FUNCTION stratum._lock_names(names text[]) RETURNS void
  LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_lock_names';
COMMENT ON FUNCTION stratum._lock_names(text[]) IS
  'Until the end of the transaction nobody else makes a profile of one of these names for the current tenant; internal.';

CREATE FUNCTION stratum._notice_growth() RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_notice_growth';
COMMENT ON FUNCTION stratum._notice_growth() IS
  'Analyzes those small tables that events are looked up in that are twice as large as when that was last done; internal.';

CREATE FUNCTION stratum._find_profiles(tenant bigint, canonicals uuid[], hashes text[], externals text[], anonymous_ids text[])
  RETURNS TABLE (place bigint, profile bigint, canonical uuid, is_complete boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  -- upper() is here, since in the look-up it would keep row security from using the index. OFFSET 0 for a look-up of each name: the
  -- planner would rather read all aliases while they are few, and do so for each person.
  WITH wanted AS MATERIALIZED (
    SELECT u.*, upper(u.hash) AS upper_hash
    FROM unnest(canonicals, hashes, externals, anonymous_ids) WITH ORDINALITY AS u(canonical, hash, external, anonymous, place))
  SELECT w.place, p.id::bigint, p.canonical_id,
         p.id IS NOT NULL AND (w.hash IS NULL OR p.email_hash IS NOT NULL) AND (w.external IS NULL OR p.external_id IS NOT NULL)
           AND (w.anonymous IS NULL OR p.anonymous_id = w.anonymous
                OR EXISTS (SELECT FROM stratum.cdp_profile_aliases a
                           WHERE a.tenant_id = tenant AND a.kind = 'anonymous_id' AND a.value = w.anonymous OFFSET 0))
  FROM wanted w
  LEFT JOIN LATERAL (
    SELECT c.id, c.canonical_id, c.email_hash, c.external_id, c.anonymous_id
    FROM (
      SELECT 1 AS rank, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.canonical_id = w.canonical
      UNION ALL
      SELECT 2, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.email_hash IN (w.hash, w.upper_hash)
      UNION ALL
      SELECT 3, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.external_id = w.external
      UNION ALL
      SELECT 4, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.anonymous_id = w.anonymous
      UNION ALL
      SELECT n.rank, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM (VALUES (1, 'canonical_id', w.canonical::text), (2, 'email_hash', w.hash), (3, 'external_id', w.external),
                   (4, 'anonymous_id', w.anonymous)) AS n(rank, kind, name)
        CROSS JOIN LATERAL (SELECT x.profile_id FROM stratum.cdp_profile_aliases x
                            WHERE x.tenant_id = tenant AND x.kind = n.kind AND x.value = n.name OFFSET 0) k
        JOIN stratum.cdp_profiles a ON a.tenant_id = tenant AND a.id = k.profile_id
    ) c
    WHERE (c.rank <= 1 OR w.canonical IS NULL OR c.canonical_id = w.canonical)
      AND (c.rank <= 2 OR w.hash IS NULL OR coalesce(lower(c.email_hash), w.hash) = w.hash)
      AND (c.rank <= 3 OR w.external IS NULL OR coalesce(c.external_id, w.external) = w.external)
    ORDER BY c.rank, c.id
    LIMIT 1) p ON true
  ORDER BY w.place;
END $$;
COMMENT ON FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]) IS
  'The profiles of a tenant that persons stand for, NULL where there is none, and whether they have names of all kinds given; internal.';

CREATE FUNCTION stratum._is_name_taken(tenant bigint, kind text, name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE kind
      WHEN 'email_hash' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.email_hash IN (name, upper(name)))
      WHEN 'external_id' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.external_id = name)
      WHEN 'anonymous_id' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.anonymous_id = name)
    END OR EXISTS (SELECT FROM stratum.cdp_profile_aliases a WHERE a.tenant_id = tenant AND a.kind = _is_name_taken.kind AND a.value = name);
END $$;
COMMENT ON FUNCTION stratum._is_name_taken(bigint, text, text) IS
  'Whether a profile of a tenant has a name already; internal.';

CREATE FUNCTION stratum._add_names(
    tenant bigint, profile bigint, email text, hash text, external text, anonymous text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  new_hash text := CASE WHEN NOT stratum._is_name_taken(tenant, 'email_hash', hash) THEN hash END;
  new_external text := CASE WHEN NOT stratum._is_name_taken(tenant, 'external_id', external) THEN external END;
  new_anonymous text := CASE WHEN NOT stratum._is_name_taken(tenant, 'anonymous_id', anonymous) THEN anonymous END;
BEGIN
  UPDATE stratum.cdp_profiles p
  SET email = CASE WHEN p.email_hash IS NULL AND new_hash IS NOT NULL THEN coalesce(p.email, _add_names.email) ELSE p.email END,
      email_hash = coalesce(p.email_hash, new_hash),
      external_id = coalesce(p.external_id, new_external),
      anonymous_id = coalesce(p.anonymous_id, new_anonymous)
  WHERE p.tenant_id = tenant AND p.id = profile
    AND (p.email_hash IS NULL AND new_hash IS NOT NULL OR p.external_id IS NULL AND new_external IS NOT NULL
         OR p.anonymous_id IS NULL AND new_anonymous IS NOT NULL);
  IF new_anonymous IS NOT NULL AND NOT stratum._is_name_taken(tenant, 'anonymous_id', new_anonymous) THEN
    INSERT INTO stratum.cdp_profile_aliases (tenant_id, kind, value, profile_id) VALUES (tenant, 'anonymous_id', new_anonymous, profile);
    PERFORM stratum._notice_growth();
  END IF;
END $$;
COMMENT ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) IS
  'Gives a profile the names that nobody has yet; internal to _settle_profile().';

CREATE FUNCTION stratum._settle_profile(
    tenant bigint, wanted uuid, email text, hash text, external text, anonymous text, OUT profile bigint, OUT canonical uuid)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  complete boolean;
BEGIN
  FOR try IN 1 .. 20 LOOP
    SELECT f.profile, f.canonical, f.is_complete INTO profile, canonical, complete
    FROM stratum._find_profiles(tenant, ARRAY[wanted], ARRAY[hash], ARRAY[external], ARRAY[anonymous]) f;
    IF profile IS NULL THEN
      INSERT INTO stratum.cdp_profiles AS p (tenant_id, canonical_id) VALUES (tenant, coalesce(wanted, gen_random_uuid()))
      RETURNING p.id, p.canonical_id INTO profile, canonical;
      IF profile IS NULL THEN
        RAISE EXCEPTION 'a trigger has kept the profile of an event from being made' USING ERRCODE = 'triggered_action_exception';
      END IF;
      PERFORM stratum._notice_growth();
      EXIT;
    END IF;
    EXIT WHEN complete;
    PERFORM FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = profile AND p.canonical_id = canonical FOR KEY SHARE;
    EXIT WHEN FOUND;
    IF try = 20 THEN
      RAISE EXCEPTION 'profile % cannot be locked', profile
        USING ERRCODE = 'insufficient_privilege', HINT = 'A policy on stratum.cdp_profiles may hide it from UPDATE.';
    END IF;
  END LOOP;
  IF complete IS NOT TRUE THEN
    PERFORM stratum._add_names(tenant, profile, email, hash, external, anonymous);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text) IS
  'The profile that a person stands for, made where there is none, with those names that nobody has yet; internal to ingest_events().';

CREATE FUNCTION stratum._purchase_events(tenant bigint) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  names jsonb := (SELECT t.settings -> 'ingest' -> 'purchase_events' FROM stratum.tenants t WHERE t.id = tenant);
BEGIN
  IF jsonb_typeof(names) IS DISTINCT FROM 'array' THEN
    RETURN ARRAY['Purchase', 'Order Completed'];
  END IF;
  RETURN ARRAY(SELECT n FROM jsonb_array_elements_text(names) n);
END $$;
COMMENT ON FUNCTION stratum._purchase_events(bigint) IS
  'Names of the events that make somebody a customer: settings -> ingest -> purchase_events of the tenant; internal.';

CREATE FUNCTION stratum._later_stage(stage text, reached text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN array_position('{anonymous,lead,prospect,customer}'::text[], coalesce(stage, 'anonymous'))
                 < array_position('{anonymous,lead,prospect,customer}'::text[], reached)
              THEN reached ELSE stage END
$$;
COMMENT ON FUNCTION stratum._later_stage(text, text) IS
  'The later of two stages of a customer''s life; another than the known ones stays; internal.';

CREATE FUNCTION stratum._reached_stage(stage text, has_bought boolean, email_hash text, external_id text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT stratum._later_stage(stage,
    CASE WHEN has_bought THEN 'customer' WHEN email_hash IS NOT NULL OR external_id IS NOT NULL THEN 'lead' ELSE 'anonymous' END)
$$;
COMMENT ON FUNCTION stratum._reached_stage(text, boolean, text, text) IS
  'The stage of somebody''s life after an event; internal to ingest_events().';

CREATE FUNCTION stratum._joined_traits(traits jsonb, given jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN given IS NULL THEN traits WHEN jsonb_typeof(traits) = 'object' THEN traits || given ELSE given END $$;
COMMENT ON FUNCTION stratum._joined_traits(jsonb, jsonb) IS
  'Traits with those that an event gives, if it gives any; internal to ingest_events().';

CREATE FUNCTION stratum._lock_profiles(tenant bigint, profiles bigint[], canonicals uuid[]) RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT p.id::bigint
               FROM (SELECT DISTINCT u.profile, u.canonical FROM unnest(profiles, canonicals) AS u(profile, canonical)) w
                 JOIN stratum.cdp_profiles p ON p.tenant_id = tenant AND p.id = w.profile AND p.canonical_id = w.canonical
               ORDER BY p.id FOR NO KEY UPDATE OF p);
END $$;
COMMENT ON FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]) IS
  'Locks profiles in ascending order and returns those that there are; internal.';

CREATE FUNCTION stratum._persons_with_news(tenant bigint, persons integer[], event_persons integer[], messages uuid[]) RETURNS integer[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT array_agg(n.person ORDER BY n.first)
    FROM (SELECT e.person, min(e.place) AS first
          FROM (SELECT u.person, u.message, u.place, row_number() OVER (PARTITION BY u.message ORDER BY u.place) AS nth
                FROM unnest(event_persons, messages) WITH ORDINALITY AS u(person, message, place)) e
          WHERE e.person = ANY (persons)
            AND (e.message IS NULL
                 OR e.nth = 1 AND NOT EXISTS (SELECT FROM stratum.cdp_events d WHERE d.tenant_id = tenant AND d.message_id = e.message))
          GROUP BY e.person) n);
END $$;
COMMENT ON FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]) IS
  'Those of the persons, by number, of whom there is an event that is not stored yet, in the order of these events; NULL where there are none; internal to ingest_events().';

CREATE FUNCTION stratum._make_strangers(
    tenant bigint, persons integer[], canonicals uuid[], emails text[], hashes text[], externals text[], anonymous_ids text[],
    OUT strangers integer[], OUT profiles bigint[], OUT ids uuid[])
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_asked boolean[] := array_fill(false, ARRAY[cardinality(hashes)]);
  wanted uuid[];
  n integer;
BEGIN
  FOREACH n IN ARRAY persons LOOP
    is_asked[n] := true;
  END LOOP;
  WITH asked AS MATERIALIZED (
      SELECT w.*, upper(w.hash) AS upper_hash
      FROM unnest(canonicals, hashes, externals, anonymous_ids) WITH ORDINALITY AS w(canonical, hash, external, anonymous, person)
      WHERE is_asked[w.person]),
    names AS MATERIALIZED (
      SELECT a.person, k.kind, k.name
      FROM asked a, LATERAL (VALUES ('canonical_id', a.canonical::text), ('email_hash', a.hash), ('external_id', a.external), ('anonymous_id', a.anonymous)) AS k(kind, name)
      WHERE k.name IS NOT NULL)
  SELECT array_agg(a.person::integer ORDER BY a.person), array_agg(coalesce(a.canonical, gen_random_uuid()) ORDER BY a.person)
  INTO strangers, wanted
  FROM asked a
  WHERE a.person NOT IN (SELECT c.person FROM (SELECT m.person, count(*) OVER (PARTITION BY m.kind, m.name) AS times FROM names m) c WHERE c.times > 1)
    AND a.person NOT IN (SELECT m.person FROM names m JOIN stratum.cdp_profile_aliases k ON k.tenant_id = tenant AND k.kind = m.kind AND k.value = m.name)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.canonical_id = a.canonical)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.email_hash IN (a.hash, a.upper_hash))
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.external_id = a.external)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.anonymous_id = a.anonymous);
  IF strangers IS NULL THEN
    RETURN;
  END IF;
  WITH made AS (
      INSERT INTO stratum.cdp_profiles AS p (tenant_id, canonical_id, email, email_hash, external_id, anonymous_id)
      SELECT tenant, w.canonical, CASE WHEN hashes[w.person] IS NOT NULL THEN emails[w.person] END, hashes[w.person], externals[w.person], anonymous_ids[w.person]
      FROM unnest(strangers, wanted) WITH ORDINALITY AS w(person, canonical, place) ORDER BY w.place
      RETURNING p.id, p.canonical_id)
  SELECT array_agg(m.id::bigint ORDER BY m.id), array_agg(m.canonical_id ORDER BY m.id) INTO profiles, ids FROM made m;
  IF cardinality(ids) IS DISTINCT FROM cardinality(wanted) THEN
    strangers := NULL;
  END IF;
  PERFORM stratum._notice_growth();
END $$;
COMMENT ON FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]) IS
  'Makes profiles of those persons, by number, whose names are nobody''s; internal to ingest_events().';

CREATE FUNCTION stratum._profiles_of(
    tenant bigint, canonicals uuid[], emails text[], hashes text[], externals text[], anonymous_ids text[],
    event_persons integer[], messages uuid[])
  RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  profiles bigint[];
  ids uuid[];  -- their canonical ids
  made record;
  open_ones integer[];
  n integer;
BEGIN
  PERFORM stratum._notice_growth();
  SELECT array_agg(CASE WHEN f.is_complete THEN f.profile END ORDER BY f.place),
         array_agg(CASE WHEN f.is_complete THEN f.canonical END ORDER BY f.place),
         array_agg(f.place::integer ORDER BY f.place) FILTER (WHERE f.is_complete IS NOT TRUE)
  INTO profiles, ids, open_ones
  FROM stratum._find_profiles(tenant, canonicals, hashes, externals, anonymous_ids) f;
  IF open_ones IS NOT NULL THEN
    open_ones := stratum._persons_with_news(tenant, open_ones, event_persons, messages);
  END IF;
  IF open_ones IS NOT NULL THEN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
      RAISE EXCEPTION 'profiles cannot be made out of events in a transaction that is REPEATABLE READ'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Others may have made the same ones, unseen. Use READ COMMITTED, or SERIALIZABLE.';
    END IF;
    PERFORM stratum._lock_names(ARRAY(SELECT k.kind || k.name FROM unnest(open_ones) o(place),
      LATERAL (VALUES ('canonical_id ', canonicals[o.place]::text), ('email_hash ', hashes[o.place]),
                      ('external_id ', externals[o.place]), ('anonymous_id ', anonymous_ids[o.place])) AS k(kind, name)));
    SELECT * INTO made FROM stratum._make_strangers(tenant, open_ones, canonicals, emails, hashes, externals, anonymous_ids);
    FOR n IN 1 .. coalesce(cardinality(made.strangers), 0) LOOP
      profiles[made.strangers[n]] := made.profiles[n];
      ids[made.strangers[n]] := made.ids[n];
    END LOOP;
    FOREACH n IN ARRAY open_ones LOOP
      CONTINUE WHEN profiles[n] IS NOT NULL;
      SELECT * INTO made FROM stratum._settle_profile(tenant, canonicals[n], emails[n], hashes[n], externals[n], anonymous_ids[n]);
      profiles[n] := made.profile;
      ids[n] := made.canonical;
    END LOOP;
  END IF;
  -- One that has been merged into another one, erased or deleted meanwhile is looked for once more.
  IF cardinality(stratum._lock_profiles(tenant, profiles, ids)) < (SELECT count(DISTINCT p) FROM unnest(profiles) p) THEN
    RETURN stratum._profiles_of(tenant, canonicals, emails, hashes, externals, anonymous_ids, event_persons, messages);
  END IF;
  RETURN profiles;
END $$;
COMMENT ON FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]) IS
  'The profiles that persons stand for, made where there are none, and locked; of each event the number of its person and its message id; internal to ingest_events().';

CREATE FUNCTION stratum.ingest_events(events jsonb)
  RETURNS TABLE (place integer, outcome text, event_id bigint, profile_id bigint)
  LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_ingest_events';
COMMENT ON FUNCTION stratum.ingest_events(jsonb) IS
  'Stores events of the current tenant, each once per message_id, for the profiles that their names stand for, which are made where there are none.';

CREATE FUNCTION stratum.ingest_event(event jsonb, OUT outcome text, OUT event_id bigint, OUT profile_id bigint)
  RETURNS record
  LANGUAGE sql
AS $$ SELECT i.outcome, i.event_id, i.profile_id FROM stratum.ingest_events(pg_catalog.jsonb_build_array($1)) i $$;
COMMENT ON FUNCTION stratum.ingest_event(jsonb) IS 'ingest_events() of one event.';

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

CREATE FUNCTION stratum._merged_object(a jsonb, b jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN jsonb_typeof(b) IS DISTINCT FROM 'object' THEN a WHEN jsonb_typeof(a) IS DISTINCT FROM 'object' THEN b ELSE b || a END
$$;
COMMENT ON FUNCTION stratum._merged_object(jsonb, jsonb) IS 'Two objects as one; the first one''s keys win; internal.';

CREATE FUNCTION stratum._hand_over_names(tenant bigint, keep bigint, other bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.cdp_profile_aliases a SET profile_id = keep WHERE a.tenant_id = tenant AND a.profile_id = other;
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

CREATE FUNCTION stratum._has_consented(consent jsonb, keys text[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce((SELECT bool_and(consent -> k = 'true') FROM unnest(keys) k WHERE consent ? k), false)
$$;
COMMENT ON FUNCTION stratum._has_consented(jsonb, text[]) IS
  'Whether a person has agreed to something for which these keys stand, and not refused it; internal.';

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

CREATE FUNCTION stratum._draft_columns() RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = 'stratum.campaigns'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attname <> ALL ('{id,tenant_id,platform,total_spend_cents,impressions,clicks,conversions,revenue_cents,ctr,cpc_cents,cpm_cents,cpa_cents,roas,
        demographics_age,demographics_gender,demographics_location,raw_data,last_synced_at,sync_error,created_at,updated_at,is_deleted}'::name[])
    ORDER BY a.attnum);
END $$;
COMMENT ON FUNCTION stratum._draft_columns() IS 'Columns of a campaign that a draft may set: not its counters, nor what stratum keeps; internal.';

CREATE FUNCTION stratum._refuse_draft(place text, fault text, hint text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'invalid draft at %: %', place, fault USING ERRCODE = 'invalid_parameter_value', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_draft(text, text, text) IS 'Refuses a draft, with the place of the fault; internal.';

CREATE FUNCTION stratum._check_draft_platforms(platforms jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text[] := enum_range(NULL::stratum.ad_platform)::text[];
  hint text := 'Platforms: ' || array_to_string(known, ', ') || '.';
  it record;
BEGIN
  IF jsonb_typeof(platforms) IS DISTINCT FROM 'array' OR platforms = '[]' THEN
    PERFORM stratum._refuse_draft('platforms', 'it must be an array of at least one platform', hint);
  END IF;
  FOR it IN SELECT e.value, e.place - 1 AS place, count(*) OVER (PARTITION BY e.value) AS times
            FROM jsonb_array_elements(platforms) WITH ORDINALITY AS e(value, place) ORDER BY e.place LOOP
    IF jsonb_typeof(it.value) <> 'string' OR it.value #>> '{}' <> ALL (known) THEN
      PERFORM stratum._refuse_draft(format('platforms[%s]', it.place), format('unknown platform %s', left(it.value::text, 60)), hint);
    ELSIF it.times > 1 THEN
      PERFORM stratum._refuse_draft(format('platforms[%s]', it.place), format('platform %s is there twice', it.value), hint);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._check_draft_platforms(jsonb) IS 'Refuses platforms of a draft that are none; internal.';

CREATE FUNCTION stratum._check_draft_data(data jsonb, place text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  columns text[] := stratum._draft_columns();
  it record;
BEGIN
  IF jsonb_typeof(data) IS DISTINCT FROM 'object' THEN
    PERFORM stratum._refuse_draft(place, 'it must be an object', 'Its keys are columns of campaigns: ' || array_to_string(columns, ', ') || '.');
  END IF;
  FOR it IN SELECT e.key, e.value FROM jsonb_each(data) e ORDER BY e.key LOOP
    IF it.key <> ALL (columns) THEN
      PERFORM stratum._refuse_draft(format('%s.%s', place, left(it.key, 60)), 'it is no column that a draft may set',
        'Columns: ' || array_to_string(columns, ', ') || '; or a platform with an object of its own.');
    END IF;
    BEGIN
      PERFORM jsonb_populate_record(NULL::stratum.campaigns, jsonb_build_object(it.key, it.value));
    EXCEPTION WHEN data_exception OR string_data_right_truncation THEN
      PERFORM stratum._refuse_draft(format('%s.%s', place, it.key), SQLERRM, 'The value must fit the column of campaigns.');
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._check_draft_data(jsonb, text) IS 'Refuses data of a draft that cannot become a campaign; internal.';

CREATE FUNCTION stratum._check_draft() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  platform text;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.platforms = OLD.platforms AND NEW.data = OLD.data THEN
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' AND OLD.status = 'published' THEN
    RAISE EXCEPTION 'draft % has been published and stays as it is', OLD.id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  -- JSON null is what an ORM writes for a value that is not there yet.
  IF NEW.platforms <> 'null' THEN
    PERFORM stratum._check_draft_platforms(NEW.platforms);
  END IF;
  IF NEW.data = 'null' THEN
    RETURN NEW;
  END IF;
  PERFORM stratum._check_draft_data(CASE jsonb_typeof(NEW.data) WHEN 'object' THEN NEW.data - enum_range(NULL::stratum.ad_platform)::text[] ELSE NEW.data END, 'data');
  FOREACH platform IN ARRAY enum_range(NULL::stratum.ad_platform)::text[] LOOP
    IF NEW.data ? platform THEN
      PERFORM stratum._check_draft_data(NEW.data -> platform, format('data.%s', platform));
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION stratum._check_draft() IS 'BEFORE trigger of campaign_drafts: refuses platforms and data that cannot become campaigns.';

CREATE FUNCTION stratum.publish_draft(draft_id bigint) RETURNS SETOF integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  draft record;
  platform text;
  whole jsonb;
  given text[];
  campaign bigint;
BEGIN
  SELECT d.* INTO draft FROM stratum.campaign_drafts d WHERE d.tenant_id = tenant AND d.id = publish_draft.draft_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'draft % does not exist', draft_id USING ERRCODE = 'no_data_found';
  ELSIF draft.status = 'published' THEN
    RAISE EXCEPTION 'draft % has been published already', draft_id USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  PERFORM stratum._check_draft_platforms(draft.platforms);
  FOR platform IN SELECT jsonb_array_elements_text(draft.platforms) LOOP
    whole := (coalesce(nullif(draft.data, 'null'), '{}') - enum_range(NULL::stratum.ad_platform)::text[]) || coalesce(nullif(draft.data -> platform, 'null'), '{}');
    -- what is null there is as good as absent
    whole := jsonb_build_object('name', draft.name, 'external_id', 'draft-' || draft.id, 'status', 'draft')
      || coalesce((SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(whole) e WHERE e.value <> 'null'), '{}')
      || jsonb_build_object('tenant_id', tenant, 'platform', platform);
    IF coalesce(whole ->> 'account_id', '') = '' THEN
      PERFORM stratum._refuse_draft(format('data.%s.account_id', platform), 'it is missing',
        'Write the account of the platform there, or as data.account_id for all of them.');
    END IF;
    -- only the columns given, so that the others get their defaults
    given := ARRAY(SELECT k FROM jsonb_object_keys(whole) k ORDER BY k);
    EXECUTE format('INSERT INTO stratum.campaigns (%1$s) SELECT %1$s FROM jsonb_populate_record(NULL::stratum.campaigns, $1) RETURNING id',
                   (SELECT string_agg(quote_ident(g), ', ' ORDER BY g) FROM unnest(given) g))
      INTO campaign USING whole;
    RETURN NEXT campaign;
  END LOOP;
  UPDATE stratum.campaign_drafts d SET status = 'published' WHERE d.tenant_id = tenant AND d.id = publish_draft.draft_id;
END $$;
COMMENT ON FUNCTION stratum.publish_draft(bigint) IS
  'Makes a campaign of a draft for each of its platforms, once; returns their ids in the order of the platforms.';

CREATE FUNCTION stratum._note_profile() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_profile';
COMMENT ON FUNCTION stratum._note_profile() IS
  'AFTER row trigger of cdp_profiles: notes the profile; its live memberships are brought up to date at the end of the transaction.';

CREATE FUNCTION stratum._note_event() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_event';
COMMENT ON FUNCTION stratum._note_event() IS
  'AFTER row trigger of cdp_events: notes the profile, also the one that an event was moved away from.';

CREATE FUNCTION stratum._note_segment() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_segment';
COMMENT ON FUNCTION stratum._note_segment() IS
  'AFTER row trigger of cdp_segments: notes a segment that is new or whose definition, activity or slug has changed.';

CREATE FUNCTION stratum._note_options() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_options';
COMMENT ON FUNCTION stratum._note_options() IS
  'AFTER row trigger of cdp_segment_options: notes a segment whose options have changed.';

CREATE FUNCTION stratum._note_all(tenant bigint) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'stratum_note_all';
COMMENT ON FUNCTION stratum._note_all(bigint) IS
  'Notes that all live segments of a tenant may have other members; internal to _events_truncated().';

CREATE FUNCTION stratum._lock_live(tenant bigint) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'stratum_lock_live';
COMMENT ON FUNCTION stratum._lock_live(bigint) IS
  'Until the end of the transaction no other one writes live memberships of the tenant; internal.';

CREATE FUNCTION stratum._events_truncated() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._note_all(t.tenant_id)
  FROM (SELECT DISTINCT o.tenant_id FROM stratum.cdp_segment_options o WHERE o.is_live) t;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION stratum._events_truncated() IS
  'AFTER TRUNCATE trigger of cdp_events: live segments of all tenants are brought up to date.';

CREATE FUNCTION stratum.settle_segments() RETURNS bigint
  LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_settle_segments';
COMMENT ON FUNCTION stratum.settle_segments() IS
  'Brings live memberships up to date with what the transaction has written so far, which otherwise happens when it commits; returns how many came and went.';

CREATE FUNCTION stratum._lock_members(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM
  FROM stratum.cdp_segment_memberships m
    JOIN stratum.cdp_profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id
  WHERE m.tenant_id = tenant AND m.segment_id = segment
  FOR KEY SHARE OF p;
END $$;
COMMENT ON FUNCTION stratum._lock_members(bigint, bigint) IS
  'Locks the members of a segment against deletion; internal to set_segment_options().';

CREATE FUNCTION stratum._begin_history(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.cdp_segment_history (tenant_id, segment_id, profile_id, entered_at)
  SELECT tenant, segment, x.profile_id, greatest(max(x.added_at), max(x.left_at))
  FROM (
    SELECT m.profile_id, m.added_at, NULL::timestamptz AS left_at FROM stratum.cdp_segment_memberships m
    WHERE m.tenant_id = tenant AND m.segment_id = segment
    UNION ALL
    SELECT h.profile_id, NULL, h.left_at FROM stratum.cdp_segment_history h
    WHERE h.tenant_id = tenant AND h.segment_id = segment
  ) x
  GROUP BY x.profile_id
  HAVING max(x.added_at) IS NOT NULL;
END $$;
COMMENT ON FUNCTION stratum._begin_history(bigint, bigint) IS
  'A stay for each present member of a segment; internal to set_segment_options().';

CREATE FUNCTION stratum._end_history(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.cdp_segment_history h
  SET left_at = greatest(clock_timestamp(), h.entered_at)
  WHERE h.tenant_id = tenant AND h.segment_id = segment AND h.left_at IS NULL;
END $$;
COMMENT ON FUNCTION stratum._end_history(bigint, bigint) IS
  'Ends the stays that last; internal to set_segment_options().';

CREATE FUNCTION stratum.set_segment_options(
    segment_id bigint, is_live boolean DEFAULT NULL, keeps_history boolean DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
<<run>>
DECLARE
  tenant bigint := stratum._acting_tenant();
  is_active boolean;
  before stratum.cdp_segment_options%ROWTYPE;
  wants_live boolean;
  wants_history boolean;
BEGIN
  -- Refreshes and others who come here wait.
  SELECT s.is_active INTO is_active FROM stratum.cdp_segments s
  WHERE s.tenant_id = tenant AND s.id = set_segment_options.segment_id
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT * INTO before FROM stratum.cdp_segment_options o
  WHERE o.tenant_id = tenant AND o.segment_id = set_segment_options.segment_id;
  before.is_live := coalesce(before.is_live, false);
  before.keeps_history := coalesce(before.keeps_history, false);
  wants_live := coalesce(set_segment_options.is_live, before.is_live);
  wants_history := coalesce(set_segment_options.keeps_history, before.keeps_history);

  -- What is live needs no wait for most of the work: what changes meanwhile is found when the transaction commits.
  IF wants_live AND NOT before.is_live AND is_active THEN
    PERFORM stratum._refresh(tenant, set_segment_options.segment_id);
  END IF;
  IF wants_history <> before.keeps_history THEN
    PERFORM stratum._lock_members(tenant, set_segment_options.segment_id);
    IF before.is_live THEN
      PERFORM stratum._lock_live(tenant);
    END IF;
    IF wants_history THEN
      PERFORM stratum._begin_history(tenant, set_segment_options.segment_id);
    ELSE
      PERFORM stratum._end_history(tenant, set_segment_options.segment_id);
    END IF;
  END IF;
  IF wants_live <> before.is_live OR wants_history <> before.keeps_history THEN
    INSERT INTO stratum.cdp_segment_options AS o (tenant_id, segment_id, is_live, keeps_history)
    VALUES (tenant, set_segment_options.segment_id, wants_live, wants_history)
    ON CONFLICT ON CONSTRAINT cdp_segment_options_pkey
    DO UPDATE SET is_live = EXCLUDED.is_live, keeps_history = EXCLUDED.keeps_history;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.set_segment_options(bigint, boolean, boolean) IS
  'Whether every write keeps the memberships of a segment current, and whether it keeps a history; NULL leaves it as it is. What becomes live is brought up to date.';

CREATE FUNCTION stratum.segment_size_history(
    segment_id bigint, since timestamptz, until timestamptz DEFAULT now(), step interval DEFAULT '1 day')
  RETURNS TABLE (at timestamptz, size bigint)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RETURN;
  END IF;
  PERFORM FROM stratum.cdp_segments s
  WHERE s.tenant_id = stratum.current_tenant_id() AND s.id = segment_size_history.segment_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  ELSIF since IS NULL OR until IS NULL OR step IS NULL THEN
    RAISE EXCEPTION 'since, until and step must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT isfinite(since) OR NOT isfinite(until) OR step <= '0'::interval OR since + step <= since THEN
    RAISE EXCEPTION 'since and until must be finite, and step must go forward'
      USING ERRCODE = 'invalid_parameter_value';
  ELSIF since + step * 10000 < until THEN
    RAISE EXCEPTION 'from % to % are more than 10000 steps of %', since, until, step
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Take a longer step.';
  ELSIF NOT EXISTS (SELECT FROM stratum.cdp_segment_options o WHERE o.tenant_id = stratum.current_tenant_id()
                      AND o.segment_id = segment_size_history.segment_id AND o.keeps_history)
    AND NOT EXISTS (SELECT FROM stratum.cdp_segment_history h WHERE h.tenant_id = stratum.current_tenant_id()
                      AND h.segment_id = segment_size_history.segment_id) THEN
    RAISE EXCEPTION 'segment % keeps no history', segment_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT stratum.set_segment_options(%s, keeps_history => true);', segment_id);
  END IF;
  -- Who enters at a time is counted there, who leaves is not any more.
  RETURN QUERY
    WITH changes AS (
      SELECT h.entered_at AS moment, 1 AS change, false AS is_step
      FROM stratum.cdp_segment_history h
      WHERE h.tenant_id = stratum.current_tenant_id() AND h.segment_id = segment_size_history.segment_id
      UNION ALL
      SELECT h.left_at, -1, false
      FROM stratum.cdp_segment_history h
      WHERE h.tenant_id = stratum.current_tenant_id() AND h.segment_id = segment_size_history.segment_id
        AND h.left_at IS NOT NULL
      UNION ALL
      SELECT s.moment, 0, true FROM generate_series(since, until, step) s (moment)
    ), sizes AS (
      SELECT c.moment, c.is_step, sum(c.change) OVER (ORDER BY c.moment, c.is_step ROWS UNBOUNDED PRECEDING) AS members
      FROM changes c
    )
    SELECT s.moment, s.members FROM sizes s WHERE s.is_step ORDER BY s.moment;
END $$;
COMMENT ON FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval) IS
  'How many profiles were in a segment that keeps a history, at each step from since to until.';

CREATE FUNCTION stratum._audit_statement() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_statement';
COMMENT ON FUNCTION stratum._audit_statement() IS
  'AFTER statement trigger of audited tables, with transition tables; arguments: resource type, redacted columns, ignored columns.';

CREATE OR REPLACE FUNCTION stratum._audit_operations(operations text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked text[] := ARRAY(SELECT lower(btrim(o) COLLATE "C") FROM unnest(string_to_array(operations, ',')) o);
  known constant text[] := '{insert,update,delete,truncate}';
  strange text := (SELECT o FROM unnest(asked) o WHERE o <> ALL (known) LIMIT 1);
BEGIN
  IF asked = '{none}' THEN
    RETURN '{}';
  ELSIF strange IS NOT NULL OR asked = '{}' THEN
    RAISE EXCEPTION 'unknown operation "%"', coalesce(strange, '')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Operations are insert, update, delete and truncate, with commas between; or none.';
  END IF;
  RETURN ARRAY(SELECT o FROM unnest(known) WITH ORDINALITY k (o, n) WHERE o = ANY (asked) ORDER BY n);
END $$;
COMMENT ON FUNCTION stratum._audit_operations(text) IS
  'The operations of a list, in a fixed order, of none for "none"; raises for unknown ones; internal.';

CREATE OR REPLACE FUNCTION stratum._check_columns(table_name regclass, columns text[]) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  strange text := (
    SELECT x.name FROM unnest(columns) x (name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = table_name AND a.attname = x.name AND a.attnum > 0 AND NOT a.attisdropped)
    LIMIT 1);
BEGIN
  IF array_position(columns, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a column name must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF strange LIKE '%:%' THEN
    RAISE EXCEPTION 'column "%" of table % does not exist', strange, table_name
      USING ERRCODE = 'undefined_column', HINT = 'Behind the name of a column to be redacted comes :mask, :hash, :drop, or nothing.';
  ELSIF strange IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of table % does not exist', strange, table_name USING ERRCODE = 'undefined_column';
  END IF;
END $$;

CREATE FUNCTION stratum._audited_by_row(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = table_name)
      OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = table_name OR i.inhrelid = table_name)
      OR EXISTS (SELECT FROM pg_trigger g
                 WHERE g.tgrelid = table_name AND g.tgname ~ '^zz_stratum_audit(_insert|_update|_delete)?$' AND g.tgenabled IN ('A', 'R'))
      OR EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'citus');
END $$;
COMMENT ON FUNCTION stratum._audited_by_row(regclass) IS
  'Whether changes of a table have to be recorded by a row trigger, not by statement triggers; internal.';

CREATE FUNCTION stratum._audit_trigger_forms()
  RETURNS TABLE (name text, by_row boolean, operation text, transition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('zz_stratum_audit', true, NULL, NULL),
         ('zz_stratum_audit_insert', false, 'insert', 'REFERENCING NEW TABLE AS stratum_new'),
         ('zz_stratum_audit_update', false, 'update', 'REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new'),
         ('zz_stratum_audit_delete', false, 'delete', 'REFERENCING OLD TABLE AS stratum_old');
$$;
COMMENT ON FUNCTION stratum._audit_trigger_forms() IS
  'Names and forms of the audit triggers that record rows; internal.';

CREATE OR REPLACE FUNCTION stratum._put_audit_trigger(
    table_name regclass, trigger_name text, events text, action text, comment text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF events IS NOT NULL THEN
    PERFORM stratum._put_trigger(
      table_name, trigger_name,
      'AFTER ' || events || ' ON %s ' || replace(action, '%', '%%'), comment);
  -- what a partition has from its partitioned table goes with that one's
  ELSIF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = table_name AND g.tgname = trigger_name AND g.tgparentid = 0) THEN
    EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, table_name);
  END IF;
END $$;

CREATE FUNCTION stratum._put_row_triggers(table_name regclass, arguments text, asked text[], by_row boolean)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  before name[] := ARRAY(SELECT g.tgname FROM pg_trigger g WHERE g.tgrelid = table_name AND NOT g.tgisinternal);
  state "char" := (
    SELECT g.tgenabled
    FROM pg_trigger g JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname
    WHERE g.tgrelid = table_name
    ORDER BY array_position('{A,O,R,D}'::text[], g.tgenabled::text) LIMIT 1);
  form record;
  events text;
BEGIN
  FOR form IN SELECT * FROM stratum._audit_trigger_forms() LOOP
    events := CASE WHEN form.by_row <> _put_row_triggers.by_row THEN NULL
                   WHEN by_row THEN (SELECT string_agg(o, ' OR ') FROM unnest(asked) o WHERE o <> 'truncate')
                   WHEN form.operation = ANY (asked) THEN form.operation END;
    PERFORM stratum._put_audit_trigger(
      table_name, form.name, events,
      CASE WHEN by_row THEN 'FOR EACH ROW EXECUTE FUNCTION stratum._audit_row('
           ELSE form.transition || ' FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(' END || arguments || ')',
      'Records changes in stratum.audit_logs.');
    IF events IS NOT NULL AND state <> 'O' AND form.name <> ALL (before) THEN
      EXECUTE format('ALTER TABLE %s %s TRIGGER %I', table_name,
                     CASE state WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, form.name);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean) IS
  'Puts the audit triggers that record rows on a table, in one form, and takes off those of the other; internal.';

CREATE FUNCTION stratum._has_audit_triggers(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_trigger g
                 WHERE g.tgrelid = table_name AND g.tgname ~ '^zz_stratum_audit(_insert|_update|_delete|_truncate)?$' AND g.tgparentid = 0);
END $$;
COMMENT ON FUNCTION stratum._has_audit_triggers(regclass) IS
  'Whether a table has audit triggers of its own; internal to unaudit_table().';

CREATE OR REPLACE FUNCTION stratum._put_audit_triggers(table_name regclass, redact text[], ignore text[], operations text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  asked text[] := stratum._audit_operations(operations);
  resource_type text := stratum._resource_type(table_name);
BEGIN
  PERFORM stratum._put_row_triggers(
    table_name, format('%L, %L, %L', resource_type, redact, ignore), asked, stratum._audited_by_row(table_name));
  PERFORM stratum._put_audit_trigger(
    table_name, 'zz_stratum_audit_truncate',
    CASE WHEN 'truncate' = ANY (asked) THEN 'TRUNCATE' END,
    format('FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(%L)', resource_type),
    'Records TRUNCATE in stratum.audit_logs.');
END $$;

CREATE FUNCTION stratum._redacted_columns(table_name regclass, redact text[]) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped_key text;
BEGIN
  SELECT a.attname INTO dropped_key
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = table_name AND (i.indisprimary OR i.indisreplident) AND a.attname || ':drop' = ANY (redact) LIMIT 1;
  IF dropped_key IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of table % is part of its key and cannot be left out of the audit trail', dropped_key, table_name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Mask or hash it.';
  END IF;
  RETURN ARRAY(
    SELECT CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = table_name AND a.attname = r.entry AND NOT a.attisdropped)
                THEN r.entry ELSE regexp_replace(r.entry, ':(mask|hash|drop)$', '') END
    FROM unnest(redact) WITH ORDINALITY r (entry, n) ORDER BY r.n);
END $$;
COMMENT ON FUNCTION stratum._redacted_columns(regclass, text[]) IS
  'The columns of a list that may say how each is redacted; internal to audit_table().';

CREATE FUNCTION stratum._make_audit_key() RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.audit_keys (id, key)
    VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
  ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION stratum._make_audit_key() IS
  'Makes the key for hashed values where there is none; internal to audit_table().';

CREATE FUNCTION stratum._tell_shown_columns(table_name regclass) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  shown text := (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM stratum.audited_tables t CROSS JOIN stratum._audit_shape(_tell_shown_columns.table_name) s
      JOIN pg_attribute a ON a.attrelid = _tell_shown_columns.table_name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.table_name = _tell_shown_columns.table_name::text
      AND t.redact && ARRAY[a.attname::text, a.attname || ':mask', a.attname || ':hash', a.attname || ':drop']
      AND a.attname::text <> ALL (s.redacted || s.virtual_columns));
BEGIN
  IF shown IS NOT NULL THEN
    RAISE NOTICE 'table % has columns that are no longer redacted in the audit trail: %', table_name, shown
      USING HINT = 'Each call replaces the choice of the one before. Give redact every column that is to be redacted.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._tell_shown_columns(regclass) IS
  'Says in a NOTICE which columns are no longer redacted; internal to audit_table().';

CREATE FUNCTION stratum._record_audited_table(table_name regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  choice jsonb := (
    SELECT jsonb_build_object('operation', 'audit_table', 'redact', t.redact, 'ignore', t.ignore, 'operations', t.operations)
    FROM stratum.audited_tables t WHERE t.table_name = _record_audited_table.table_name::text);
BEGIN
  IF choice IS NULL AND NOT stratum._has_audit_triggers(table_name) THEN
    choice := '{"operation": "unaudit_table"}';
  END IF;
  IF choice IS NOT NULL THEN
    PERFORM stratum._log_record(NULL, 'update', 'audit_logs', stratum._resource_type(table_name), choice || jsonb_build_object('by', session_user));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._record_audited_table(regclass) IS
  'Writes into the trail whether a table is audited, how, and who has called; internal to audit_table() and unaudit_table().';

CREATE OR REPLACE FUNCTION stratum.audit_table(
    table_name regclass,
    redact text[] DEFAULT '{}',
    ignore text[] DEFAULT '{}',
    operations text DEFAULT 'insert,update,delete,truncate')
  RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF table_name IS NULL OR redact IS NULL OR ignore IS NULL OR operations IS NULL THEN
    RAISE EXCEPTION 'no argument of audit_table() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM stratum._check_auditable(table_name);
  PERFORM stratum._check_columns(table_name, stratum._redacted_columns(table_name, redact) || ignore);
  IF array_to_string(redact, ',') ~ ':hash(,|$)' THEN
    PERFORM stratum._make_audit_key();
  END IF;
  PERFORM stratum._put_audit_triggers(table_name, redact, ignore, operations);
  PERFORM stratum._tell_shown_columns(table_name);
  INSERT INTO stratum.audited_tables AS t (table_name, redact, ignore, operations)
    VALUES (audit_table.table_name::text, audit_table.redact, audit_table.ignore,
            coalesce(nullif(array_to_string(stratum._audit_operations(audit_table.operations), ','), ''), 'none'))
  ON CONFLICT ON CONSTRAINT audited_tables_pkey DO UPDATE
    SET redact = excluded.redact, ignore = excluded.ignore, operations = excluded.operations;
  PERFORM stratum._record_audited_table(table_name);
END $$;
COMMENT ON FUNCTION stratum.audit_table(regclass, text[], text[], text) IS
  'Every change to the table is recorded in audit_logs from now on; values of redacted columns never in clear, changes of ignored columns alone not at all. Calling it again replaces the choice. An entry without a tenant says who chose what.';

CREATE OR REPLACE FUNCTION stratum.unaudit_table(table_name regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  was_audited constant boolean := stratum._has_audit_triggers(table_name);
BEGIN
  IF table_name IS NULL THEN
    RAISE EXCEPTION 'table_name must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM stratum._put_audit_trigger(unaudit_table.table_name, x.name, NULL, NULL, NULL)
  FROM (SELECT f.name FROM stratum._audit_trigger_forms() f UNION ALL VALUES ('zz_stratum_audit_truncate')) x (name);
  DELETE FROM stratum.audited_tables t WHERE t.table_name = unaudit_table.table_name::text;
  IF was_audited OR found THEN
    PERFORM stratum._record_audited_table(table_name);
  END IF;
END $$;
COMMENT ON FUNCTION stratum.unaudit_table(regclass) IS
  'Changes to the table are recorded no longer; what has been recorded stays. An entry without a tenant says who called it.';

CREATE OR REPLACE FUNCTION stratum._restore_audit_triggers() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  audited record;
BEGIN
  FOR audited IN
    SELECT to_regclass(t.table_name) AS relation, t.redact, t.ignore, t.operations
    FROM stratum.audited_tables t
    WHERE to_regclass(t.table_name) IS NOT NULL
    ORDER BY t.table_name
  LOOP
    BEGIN
      PERFORM stratum._check_auditable(audited.relation);
      PERFORM stratum._check_columns(audited.relation, stratum._redacted_columns(audited.relation, audited.redact));
      PERFORM stratum._put_audit_triggers(audited.relation, audited.redact, audited.ignore, audited.operations);
    EXCEPTION WHEN wrong_object_type OR undefined_column OR invalid_parameter_value OR null_value_not_allowed THEN
      RAISE WARNING 'table % is not audited again: %', audited.relation, sqlerrm;
    END;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION stratum._is_chosen_audit(trigger_object text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF trigger_object !~ '\.zz_stratum_audit(_insert|_update|_delete|_truncate)?$' OR to_regclass('stratum.audited_tables') IS NULL THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM stratum.audited_tables t
                 WHERE t.table_name = 'stratum.' || split_part(trigger_object, '.', 1));
END $$;

CREATE FUNCTION stratum._key_condition(table_name regclass, key_columns text[]) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT string_agg(
    CASE WHEN t.typoutput = 'jsonb_out'::regproc THEN format('stratum_row.%I = %s', a.attname, v.json)
         WHEN t.typoutput = ANY ('{array_out,record_out}'::regproc[]) THEN
           format('stratum_row.%I = (SELECT k.value FROM pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object(''value'', %s)) k (value %s))',
                  a.attname, v.json, v.type)
         WHEN e.schema <> 'pg_catalog' THEN
           format('stratum_row.%1$I OPERATOR(%2$I.%3$s) %4$s::%5$s AND pg_catalog.format(''%%s'', stratum_row.%1$I) = %4$s',
                  a.attname, e.schema, e.name, v.text, v.type)
         ELSE format('stratum_row.%I = %s::%s', a.attname, v.text, v.type) END, ' AND ' ORDER BY k.n)
  FROM unnest(key_columns) WITH ORDINALITY k (name, n)
    JOIN pg_attribute a ON a.attrelid = table_name AND a.attname = k.name
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (
      -- without a length: "character" and "bit" are those of length 1, and -1 makes them "bpchar" and quoted "bit"
      SELECT format_type(a.atttypid, -1) AS type,
             CASE cardinality(key_columns) WHEN 1 THEN '$1' ELSE format('($1::jsonb ->> %s)', k.n - 1) END AS text,
             CASE cardinality(key_columns) WHEN 1 THEN '$1::jsonb' ELSE format('($1::jsonb -> %s)', k.n - 1) END AS json) v
    LEFT JOIN LATERAL (
      SELECT n.nspname AS schema, o.oprname AS name
      FROM pg_index i
        JOIN pg_opclass c ON c.oid = i.indclass[array_position(i.indkey::smallint[], a.attnum)]
        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
        JOIN pg_am h ON h.oid = m.amopmethod AND h.amname = 'btree'
        JOIN pg_operator o ON o.oid = m.amopopr
        JOIN pg_namespace n ON n.oid = o.oprnamespace
      WHERE i.indrelid = table_name AND (i.indisprimary OR i.indisreplident)
      ORDER BY i.indisprimary DESC LIMIT 1) e ON true;
$$;
COMMENT ON FUNCTION stratum._key_condition(regclass, text[]) IS
  'What finds a row stratum_row of a table by its resource_id, $1; internal.';

CREATE OR REPLACE FUNCTION stratum._current_row(
    table_name regclass, key_columns text[], redacted text[], virtual_columns text[], resource_id text)
  RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  condition text;
  masks text;
  result jsonb;
BEGIN
  IF NOT has_table_privilege(table_name, 'SELECT') OR cardinality(key_columns) = 0 OR NOT (
       SELECT has_schema_privilege(c.relnamespace, 'USAGE') FROM pg_class c WHERE c.oid = table_name) THEN
    RETURN NULL;
  END IF;
  condition := stratum._key_condition(table_name, key_columns);
  SELECT string_agg(format(' || CASE WHEN stratum_row.%I IS NULL THEN ''{}'' ELSE jsonb_build_object(%L, ''[REDACTED]'') END',
                           r.name, r.name), '')
    INTO masks
  FROM unnest(redacted) r (name);
  EXECUTE format('SELECT to_jsonb(stratum_row.*) - $2 %s FROM %s stratum_row WHERE %s', masks, table_name, condition)
    INTO result USING resource_id, virtual_columns;
  RETURN result;
EXCEPTION WHEN data_exception OR undefined_function THEN
  -- no such key can be: text for a number, or a type without an equality of its own
  RETURN NULL;
END $$;

CREATE FUNCTION stratum._row_entries(resource_type text, resource_id text, is_gone boolean)
  RETURNS TABLE (
    id bigint, created_at timestamptz, action text, user_id bigint, request_id text, old_values jsonb,
    new_values jsonb, is_moved boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key text := resource_id;
  previous_key text;
  may_move boolean;
  below bigint := 9223372036854775807;
  entry record;
BEGIN
  LOOP
    previous_key := NULL;
    may_move := strpos(resource_type, '.') > 0 AND (
      SELECT coalesce(bool_or(e.is_lost OR e.begins AND e.was_there), is_gone)
      FROM (SELECT l.old_values IS NULL OR l.metadata ? 'previous_resource_id' AS begins,
                   l.new_values IS NOT NULL AND is_gone AND lead(l.id) OVER ids IS NULL AS is_lost,
                   lag(l.new_values IS NOT NULL) OVER ids AS was_there
            FROM stratum.audit_logs l
            WHERE l.resource_type = _row_entries.resource_type AND l.resource_id = key AND l.id < below
              AND l.action IN ('create', 'update', 'delete')
            WINDOW ids AS (ORDER BY l.id)) e);
    FOR entry IN
      SELECT l.id, l.created_at, l.action::text AS action, l.user_id, l.request_id::text AS request_id,
             l.old_values, l.new_values, m.is_moved,
             CASE WHEN NOT m.is_moved THEN l.metadata ->> 'previous_resource_id' END AS previous,
             l.resource_id IS NOT NULL
               OR coalesce(lead(l.resource_id IS NOT NULL AND l.new_values IS NOT NULL AND NOT m.is_moved)
                             OVER (ORDER BY l.id DESC), false)
               AS counts
      FROM stratum.audit_logs l CROSS JOIN LATERAL (SELECT l.resource_id <> key AS is_moved) m
      WHERE l.resource_type = _row_entries.resource_type AND l.id < below
        AND (l.resource_id = key OR l.resource_id IS NULL AND l.metadata ->> 'operation' = 'truncate'
             OR may_move AND l.metadata ->> 'previous_resource_id' = key)
        AND l.action IN ('create', 'update', 'delete')
        -- no row of log_event(), from before the table was audited
        AND (l.resource_id IS NULL OR l.old_values IS NOT NULL OR l.new_values IS NOT NULL)
      ORDER BY l.id DESC
    LOOP
      CONTINUE WHEN NOT entry.counts;
      RETURN QUERY SELECT entry.id::bigint, entry.created_at, entry.action, entry.user_id::bigint, entry.request_id,
                          entry.old_values, entry.new_values, coalesce(entry.is_moved, false);
      below := entry.id;
      previous_key := entry.previous;
      EXIT WHEN previous_key IS NOT NULL;
    END LOOP;
    EXIT WHEN previous_key IS NULL;
    key := previous_key;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._row_entries(text, text, boolean) IS
  'Entries of the trail on one row, newest first; internal to row_history().';

CREATE FUNCTION stratum._row_versions(table_name regclass, resource_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, action text, user_id bigint, request_id text, old_values jsonb,
    new_values jsonb, row_before jsonb, row_after jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  entries record;
  after jsonb[] := '{}';
  state jsonb;
  is_gone boolean;
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  state := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id);
  is_gone := state IS NULL;
  SELECT count(*)::integer AS n, array_agg(e.action) AS action, array_agg(e.old_values) AS was,
         array_agg(e.new_values) AS became, array_agg(e.is_moved) AS is_moved
    INTO entries
  FROM stratum._row_entries(shape.resource_type, resource_id, is_gone) e;

  FOR i IN 1 .. entries.n LOOP
    IF entries.became[i] IS NULL THEN  -- gone, unless it came back without an entry
      after[i] := state;
      state := entries.was[i];
    ELSIF entries.is_moved[i] THEN  -- gone on under another key, what it was is not in the entry
      after[i] := NULL;
      state := NULL;
    ELSIF entries.action[i] = 'create' THEN
      after[i] := CASE WHEN i = 1 THEN coalesce(state, entries.became[i]) ELSE entries.became[i] END;
      state := NULL;
    ELSE
      after[i] := state;
      state := state || entries.was[i];
    END IF;
  END LOOP;
  FOR i IN REVERSE entries.n - 1 .. 1 LOOP
    IF after[i] IS NULL AND entries.became[i] IS NOT NULL AND NOT entries.is_moved[i] THEN
      after[i] := after[i + 1] || entries.became[i];
    END IF;
  END LOOP;

  RETURN QUERY
    SELECT e.id, e.created_at, e.action, e.user_id, e.request_id, e.old_values, e.new_values,
           CASE WHEN e.action = 'create' THEN NULL
                WHEN e.new_values IS NULL THEN e.old_values
                WHEN e.is_moved THEN after[e.n + 1]
                ELSE after[e.n] || e.old_values END,
           after[e.n]
    FROM stratum._row_entries(shape.resource_type, resource_id, is_gone)
      WITH ORDINALITY e (id, created_at, action, user_id, request_id, old_values, new_values, is_moved, n)
    ORDER BY e.n;
END $$;
COMMENT ON FUNCTION stratum._row_versions(regclass, text) IS
  'Every entry on a row, newest first, with the row before and after it; internal to row_history() and row_as_of().';

CREATE OR REPLACE FUNCTION stratum.row_history(table_name regclass, resource_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, action text, user_id integer, request_id text, old_values jsonb,
    new_values jsonb, row_after jsonb)
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  FOR audit_id, changed_at, action, user_id, request_id, old_values, new_values, row_after IN
    SELECT v.audit_id, v.changed_at, v.action, v.user_id, v.request_id, v.old_values, v.new_values, v.row_after
    FROM stratum._row_versions(table_name, resource_id) v
  LOOP
    RETURN NEXT;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION stratum.row_as_of(table_name regclass, resource_id text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  version record;
  shape record;
  present jsonb;
BEGIN
  -- The newest that is not later; where all are, the oldest, for what was before it.
  SELECT v.row_before, v.row_after, v.changed_at <= row_as_of.at AS in_time
    INTO version
  FROM stratum._row_versions(table_name, resource_id) v
  ORDER BY v.changed_at <= row_as_of.at DESC,
           CASE WHEN v.changed_at <= row_as_of.at THEN v.audit_id ELSE -v.audit_id END DESC
  LIMIT 1;
  IF found THEN
    PERFORM stratum._check_not_purged(table_name, coalesce(version.row_before, version.row_after), at);
    RETURN CASE WHEN version.in_time THEN version.row_after ELSE version.row_before END;
  END IF;
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  present := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id);
  PERFORM stratum._check_not_purged(table_name, present, at);
  RETURN present;
END $$;
COMMENT ON FUNCTION stratum.row_as_of(regclass, text, timestamptz) IS
  'A row as it was at a time, secrets redacted; NULL before it existed, once it is deleted, and where it never was. Raises for a time of which the trail has been purged.';

CREATE FUNCTION stratum._limit_rows() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_limit_rows';
COMMENT ON FUNCTION stratum._limit_rows() IS
  'AFTER trigger that counts the rows of the tenant that is entered when a statement has added or restored some; the argument is a column of stratum.tenants.';

CREATE FUNCTION stratum._limit_table(table_name text, column_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := format('stratum.%I', table_name)::regclass;
  action text := format('EXECUTE FUNCTION stratum._limit_rows(%L)', column_name);
BEGIN
  PERFORM stratum._put_trigger(
    relation, 'zz_stratum_limit_insert',
    'AFTER INSERT ON %s REFERENCING NEW TABLE AS added FOR EACH STATEMENT ' || action,
    format('A tenant has no more rows than its %s.', column_name));
  PERFORM stratum._put_trigger(
    relation, 'zz_stratum_limit_update',
    'AFTER UPDATE ON %s FOR EACH STATEMENT ' || action,
    format('A tenant has no more rows than its %s, restored ones included.', column_name));
END $$;
COMMENT ON FUNCTION stratum._limit_table(text, text) IS
  'Puts the triggers on a table that hold its rows below a limit of the tenant; internal to install().';

CREATE FUNCTION stratum.tenant_limits()
  RETURNS TABLE (plan text, plan_expires_at timestamptz, plan_expired boolean,
                 users bigint, max_users integer, campaigns bigint, max_campaigns integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT t.plan::text, t.plan_expires_at, coalesce(t.plan_expires_at <= now(), false),
           (SELECT count(*) FROM stratum.users u WHERE u.tenant_id = t.id AND u.is_deleted IS NOT TRUE), t.max_users,
           (SELECT count(*) FROM stratum.campaigns c WHERE c.tenant_id = t.id AND c.is_deleted IS NOT TRUE), t.max_campaigns
    FROM stratum.tenants t WHERE t.id = stratum.current_tenant_id();
END $$;
COMMENT ON FUNCTION stratum.tenant_limits() IS
  'Plan of the current tenant, whether it has expired, and how many users and campaigns there are and may be (NULL: no limit).';

CREATE FUNCTION stratum.refuse_viewer() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_refuse_viewer';
COMMENT ON FUNCTION stratum.refuse_viewer() IS
  'BEFORE statement trigger: refuses every write while a viewer is entered. For tables of your own, too.';

CREATE FUNCTION stratum._guard_protected_user() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_guard_protected_user';
COMMENT ON FUNCTION stratum._guard_protected_user() IS
  'AFTER row trigger of users, for protected ones: only administrators delete them or change their role and state.';

CREATE FUNCTION stratum._role_permissions(role text) RETURNS text[]
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE role
    WHEN 'superadmin' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read,connections.manage,users.manage,tenant.manage,platform.manage}'
    WHEN 'admin' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read,connections.manage,users.manage,tenant.manage}'
    WHEN 'manager' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read}'
    WHEN 'analyst' THEN '{read,export,segments.write}'
    WHEN 'viewer' THEN '{read}'
    ELSE '{}'
  END::text[];
$$;
COMMENT ON FUNCTION stratum._role_permissions(text) IS
  'What each role may; internal to user_can().';

CREATE FUNCTION stratum.user_can(permission text) RETURNS boolean
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  acting record;
  own jsonb;
BEGIN
  IF permission IS NULL THEN
    RAISE EXCEPTION 'permission must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT u.role::text AS role, u.permissions, u.tenant_id IS NULL AS of_platform INTO acting
  FROM stratum.users u
  WHERE u.id = stratum._current_user_id() AND (u.tenant_id = stratum.current_tenant_id() OR u.tenant_id IS NULL)
    AND u.is_active AND u.is_deleted IS NOT TRUE;
  -- Tenants write the roles and permissions of their own users: nothing there makes one the platform's.
  IF NOT found OR (permission LIKE 'platform.%' AND NOT acting.of_platform) THEN
    RETURN false;
  END IF;
  own := acting.permissions -> permission;
  IF jsonb_typeof(acting.permissions) = 'object' AND jsonb_typeof(own) = 'boolean' THEN
    RETURN own::boolean;
  END IF;
  RETURN permission = ANY (stratum._role_permissions(acting.role));
END $$;
COMMENT ON FUNCTION stratum.user_can(text) IS
  'Whether the current user may: what its permissions say, else its role; false without a user.';

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

CREATE FUNCTION stratum.request_changes(request_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, tenant_id bigint, user_id bigint, action text, resource_type text,
    resource_id text, old_values jsonb, new_values jsonb, metadata jsonb, ip_address inet, user_agent text)
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT l.id::bigint, l.created_at, l.tenant_id::bigint, l.user_id::bigint, l.action::text, l.resource_type::text, l.resource_id::text,
           l.old_values, l.new_values, l.metadata, l.ip_address, l.user_agent
    FROM stratum.audit_logs l
    WHERE l.request_id = request_changes.request_id
    ORDER BY l.id;
END $$;
COMMENT ON FUNCTION stratum.request_changes(text) IS
  'Who did what in a request: the entries with the request id that enter() was given, oldest first.';

CREATE FUNCTION stratum._revertible_columns(table_name regclass, state jsonb, hidden text[]) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}')
  FROM pg_attribute a
  WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND state ? a.attname::text AND a.attname::text <> ALL (hidden) AND state -> a.attname::text <> '"[ERASED]"';
$$;
COMMENT ON FUNCTION stratum._revertible_columns(regclass, jsonb, text[]) IS
  'Columns whose old values can be written back; internal to revert_row().';

CREATE FUNCTION stratum._jsonb_columns(table_name regclass) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE types AS (
    SELECT a.attname::text AS name, a.attnum, a.atttypid AS type
    FROM pg_attribute a WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.name, d.attnum, t.typbasetype FROM types d JOIN pg_type t ON t.oid = d.type WHERE t.typtype = 'd'
  )
  SELECT coalesce(array_agg(name ORDER BY attnum), '{}') FROM types WHERE type = 'jsonb'::regtype;
$$;
COMMENT ON FUNCTION stratum._jsonb_columns(regclass) IS
  'Columns of type jsonb, or of a domain over it; internal to revert_row().';

CREATE FUNCTION stratum._nulls_as_of(table_name regclass, resource_id text, at timestamptz, columns text[]) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  is_gone boolean;
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  is_gone := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id) IS NULL;
  RETURN (
    WITH entries AS MATERIALIZED (
      SELECT e.id, e.old_values, e.new_values, l.metadata -> 'json_null' AS nulls,
             (e.id <= max(e.id) FILTER (WHERE e.created_at <= _nulls_as_of.at) OVER ()) IS TRUE AS is_before
      FROM stratum._row_entries(shape.resource_type, resource_id, is_gone) e JOIN stratum.audit_logs l ON l.id = e.id
      WHERE NOT e.is_moved
    )
    SELECT coalesce(jsonb_object_agg(c.name, coalesce(told.nulls ? c.name, false)), '{}')
    FROM unnest(columns) c (name) CROSS JOIN LATERAL (
      SELECT CASE WHEN e.is_before THEN e.nulls -> 'new' ELSE e.nulls -> 'old' END AS nulls
      FROM entries e
      WHERE CASE WHEN e.is_before
                 THEN e.new_values ? c.name
                      AND e.id > coalesce((SELECT max(d.id) FROM entries d WHERE d.is_before AND d.new_values IS NULL), 0)
                 ELSE e.old_values ? c.name END
      ORDER BY e.is_before DESC, CASE WHEN e.is_before THEN -e.id ELSE e.id END
      LIMIT 1) told);
END $$;
COMMENT ON FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]) IS
  'Which nulls of a row at a time were JSON''s, as far as the audit trail knows; internal to revert_row().';

CREATE FUNCTION stratum._revert_statement(table_name regclass, key_columns text[], columns text[], json_nulls text[], is_there boolean) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  names text := (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.n) FROM unnest(columns) WITH ORDINALITY c (name, n));
  types text := (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
                 FROM pg_attribute a WHERE a.attrelid = table_name AND a.attname = ANY (columns) AND NOT a.attisdropped);
  old_values text := format('SELECT %s FROM pg_catalog.jsonb_to_record($2) stratum_state (%s)',
    (SELECT string_agg(CASE WHEN c.name = ANY (json_nulls) THEN format('CAST(''null'' AS %s)', format_type(a.atttypid, a.atttypmod))
                            ELSE 'stratum_state.' || quote_ident(c.name) END, ', ' ORDER BY c.n)
     FROM unnest(columns) WITH ORDINALITY c (name, n) JOIN pg_attribute a ON a.attrelid = table_name AND a.attname = c.name), types);
BEGIN
  IF is_there THEN
    RETURN format('UPDATE %s stratum_row SET (%s) = (%s) WHERE %s', table_name, names, old_values,
                  stratum._key_condition(table_name, key_columns));
  END IF;
  RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE %s', table_name, names, old_values);
END $$;
COMMENT ON FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean) IS
  'The statement that writes an old state back; internal to revert_row().';

CREATE FUNCTION stratum._lock_row(
    table_name regclass, key_columns text[], json_columns text[], resource_id text, OUT present jsonb, OUT json_nulls text[])
  RETURNS record
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  EXECUTE format('SELECT to_jsonb(stratum_row.*), ARRAY[%s]::text[] FROM %s stratum_row WHERE %s FOR UPDATE',
                 (SELECT string_agg(format('CASE WHEN stratum_row.%I::text = ''null'' THEN %L END', c.name, c.name), ', ') FROM unnest(json_columns) c (name)),
                 table_name, stratum._key_condition(table_name, key_columns))
    INTO present, json_nulls USING resource_id;
END $$;
COMMENT ON FUNCTION stratum._lock_row(regclass, text[], text[], text) IS
  'Locks a row and tells what it is, with the nulls that are JSON''s; internal to revert_row().';

CREATE FUNCTION stratum._key_of(state jsonb, key_columns text[], json_columns text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN cardinality(key_columns) > 1
              THEN (SELECT jsonb_agg(state -> k.name ORDER BY k.n)::text FROM unnest(key_columns) WITH ORDINALITY k (name, n))
              WHEN key_columns[1] = ANY (json_columns) THEN (state -> key_columns[1])::text
              ELSE state ->> key_columns[1] END;
$$;
COMMENT ON FUNCTION stratum._key_of(jsonb, text[], text[]) IS 'The resource_id of a row; internal to revert_row().';

CREATE FUNCTION stratum._check_not_moved(table_name regclass, resource_id text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_key text := (SELECT l.resource_id FROM stratum.row_history(table_name, resource_id) h JOIN stratum.audit_logs l ON l.id = h.audit_id
                    ORDER BY h.audit_id DESC LIMIT 1);
BEGIN
  IF last_key <> resource_id THEN
    RAISE EXCEPTION 'row % of % has gone on under the key %', resource_id, table_name, last_key
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Revert it under that key.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_not_moved(regclass, text) IS
  'Raises for a key that its row has given up; internal to revert_row().';

CREATE FUNCTION stratum._plan_revert(table_name regclass, resource_id text, at timestamptz, OUT statement text, OUT state jsonb, OUT key text)
  RETURNS record
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  there record;
  json_columns text[] := stratum._jsonb_columns(table_name);
  nulls jsonb;
  columns text[];
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  IF cardinality(shape.key_columns) = 0 THEN
    RAISE EXCEPTION 'table % has no key to find a row by', table_name USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  state := stratum.row_as_of(table_name, resource_id, at);
  IF state IS NULL THEN
    RAISE EXCEPTION 'row % of % was not there at %', resource_id, table_name, at
      USING ERRCODE = 'no_data_found', HINT = CASE
        WHEN stratum.current_tenant_id() IS NULL AND NOT pg_has_role('stratum_admin', 'USAGE')
        THEN 'No tenant was entered: stratum.enter() comes first, or there are no rows to see.'
        ELSE 'stratum.row_history() says when it was. A row that should not be there is for you to delete.' END;
  END IF;
  SELECT * INTO there FROM stratum._lock_row(table_name, shape.key_columns, json_columns, resource_id);
  columns := stratum._revertible_columns(table_name, state, shape.redacted || shape.virtual_columns || '{updated_at}');
  nulls := stratum._nulls_as_of(table_name, resource_id, at,
                                ARRAY(SELECT c.name FROM unnest(json_columns) c (name) WHERE c.name = ANY (columns) AND state -> c.name = 'null'));
  key := resource_id;
  IF there.present IS NULL THEN
    PERFORM stratum._check_not_moved(table_name, resource_id);
    key := stratum._key_of(state, shape.key_columns, json_columns);
  ELSE
    columns := ARRAY(SELECT c.name FROM unnest(columns) c (name)
                     WHERE c.name <> ALL (shape.key_columns)
                       AND (there.present -> c.name IS DISTINCT FROM state -> c.name
                            OR (nulls -> c.name)::boolean <> (array_position(there.json_nulls, c.name) IS NOT NULL)));
  END IF;
  IF columns <> '{}' THEN
    statement := stratum._revert_statement(
      table_name, shape.key_columns, columns, ARRAY(SELECT n.key FROM jsonb_each(nulls) n WHERE n.value = 'true'), there.present IS NOT NULL);
    state := (SELECT jsonb_object_agg(c.name, state -> c.name) FROM unnest(columns) c (name));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._plan_revert(regclass, text, timestamptz) IS
  'The statement that puts a row back, and the values it takes; internal to revert_row().';

CREATE FUNCTION stratum.revert_row(table_name regclass, resource_id text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  revert record;
BEGIN
  IF table_name IS NULL OR resource_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION 'no argument of revert_row() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT p.statement, p.state, p.key INTO revert FROM stratum._plan_revert(table_name, resource_id, at) p;
  IF revert.statement IS NOT NULL THEN
    EXECUTE revert.statement USING resource_id, revert.state;
  END IF;
  RETURN stratum.row_as_of(table_name, revert.key, 'infinity'::pg_catalog.timestamptz);
END $$;
COMMENT ON FUNCTION stratum.revert_row(regclass, text, timestamptz) IS
  'Writes a row back as it was at a time, with the caller''s rights and recorded like any change; returns the row. What the trail does not have in clear stays as it is.';

CREATE FUNCTION stratum._check_unaudited_tables() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT 'table ' || c.oid::regclass, 'has a tenant_id, and nothing audits it',
           format('SELECT stratum.audit_table(%L); or, where that is meant, SELECT stratum.audit_table(%1$L, operations => ''none'');',
                  c.oid::regclass)
    FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      -- a domain has the output function of what it is over
      JOIN pg_type y ON y.oid = a.atttypid AND y.typoutput = ANY ('{int2out,int4out,int8out}'::regproc[])
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT (n.nspname = 'stratum' AND EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'table' AND e.object = c.relname))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      AND NOT EXISTS (SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace s ON s.oid = p.pronamespace
                      WHERE g.tgrelid = c.oid AND s.nspname = 'stratum' AND p.proname ~ '^_audit_' AND p.proname !~ 'truncate|guard')
      -- there _check_audited_tables() says more
      AND NOT EXISTS (SELECT FROM stratum.audited_tables t WHERE t.table_name = c.oid::regclass::text)
    ORDER BY 1;
END $$;
COMMENT ON FUNCTION stratum._check_unaudited_tables() IS
  'Tables of the user''s with a tenant_id that nothing audits; internal to check_install().';

CREATE FUNCTION stratum._put_auditor_policy(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('DROP POLICY IF EXISTS auditor_read ON stratum.%I', table_name);
  EXECUTE format('CREATE POLICY auditor_read ON stratum.%I FOR SELECT TO stratum_auditor USING (true)', table_name);
  EXECUTE format('COMMENT ON POLICY auditor_read ON stratum.%I IS %L', table_name,
                 'Auditors read what there is of every tenant.');
END $$;
COMMENT ON FUNCTION stratum._put_auditor_policy(text) IS 'The policy of stratum_auditor on a table; internal.';

CREATE FUNCTION stratum._next_xid() RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_next_xid';
COMMENT ON FUNCTION stratum._next_xid() IS
  'The number that the next transaction will get; internal to seal_audit().';

CREATE FUNCTION stratum._seal_rows(
    tenant bigint, settled_id bigint, suspect_id bigint, suspect_xid bigint, last_number bigint, last_digest bytea, next_xid bigint,
    drawn_id bigint,
    OUT sealed bigint, OUT number bigint, OUT digest bytea, OUT suspects_ended boolean, OUT all_ended boolean)
  RETURNS record
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS 'MODULE_PATHNAME', 'stratum_seal_rows';
COMMENT ON FUNCTION stratum._seal_rows(bigint, bigint, bigint, bigint, bigint, bytea, bigint, bigint) IS
  'Seals the rows of a chain that have no seal; the caller has locked the chain; internal to seal_audit().';

CREATE FUNCTION stratum._audit_place() RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN concat_ws('/', (SELECT c.system_identifier FROM pg_control_system() c),
                   (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
                   (SELECT string_agg(pg_relation_filenode(t.relid)::text, ',' ORDER BY t.relid)
                    FROM pg_partition_tree('stratum.audit_logs') t),
                   pg_relation_filenode('stratum.audit_logs'));
END $$;
COMMENT ON FUNCTION stratum._audit_place() IS
  'Server, database and files of audit_logs; internal to seal_audit().';

CREATE FUNCTION stratum._last_audit_id() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sequence regclass := pg_get_serial_sequence('stratum.audit_logs', 'id')::regclass;
  result bigint;
BEGIN
  IF EXISTS (SELECT FROM pg_sequence s WHERE s.seqrelid = sequence AND s.seqcache = 1 AND s.seqincrement > 0) THEN
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s', sequence) INTO result;
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._last_audit_id() IS
  'The last id of audit_logs that was drawn; internal to seal_audit().';

CREATE FUNCTION stratum._chain_id(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN tenant IS NULL THEN (SELECT c.id FROM stratum.audit_chains c WHERE c.tenant_id IS NULL)
              ELSE (SELECT c.id FROM stratum.audit_chains c WHERE c.tenant_id = tenant) END;
END $$;
COMMENT ON FUNCTION stratum._chain_id(bigint) IS 'The row of audit_chains of a tenant; internal to seal_audit().';

CREATE FUNCTION stratum._last_seal_id(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN tenant IS NULL
              THEN (SELECT s.id FROM stratum.audit_seals s WHERE s.tenant_id IS NULL ORDER BY s.number DESC LIMIT 1)
              ELSE (SELECT s.id FROM stratum.audit_seals s WHERE s.tenant_id = tenant ORDER BY s.number DESC LIMIT 1) END;
END $$;
COMMENT ON FUNCTION stratum._last_seal_id(bigint) IS 'The last seal of the chain of a tenant; internal to seal_audit() and audit_head().';

CREATE FUNCTION stratum._seal_chain(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  chain record;
  chain_id bigint;
  last_seal_id bigint;
  here text := stratum._audit_place();
  drawn bigint;
  next_xid bigint;
  run record;
BEGIN
  IF tenant IS NOT NULL AND NOT EXISTS (SELECT FROM stratum.tenants t WHERE t.id = tenant) THEN
    RAISE EXCEPTION 'tenant % does not exist', tenant USING ERRCODE = 'no_data_found';
  END IF;
  chain_id := stratum._chain_id(tenant);
  IF chain_id IS NULL THEN
    INSERT INTO stratum.audit_chains (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    chain_id := stratum._chain_id(tenant);
  END IF;
  SELECT * INTO STRICT chain FROM stratum.audit_chains c WHERE c.id = chain_id FOR NO KEY UPDATE;
  last_seal_id := stratum._last_seal_id(tenant);
  IF chain.last_number <> coalesce((SELECT s.number FROM stratum.audit_seals s WHERE s.id = last_seal_id), 0) THEN
    RAISE EXCEPTION 'the seals of tenant % are not those that were made', coalesce(tenant::text, 'NULL')
      USING ERRCODE = 'data_corrupted', HINT = 'stratum.verify_audit() says what is wrong.';
  END IF;
  IF chain.place IS DISTINCT FROM here THEN
    chain.drawn_id := NULL;
  END IF;
  -- in this order: an id that was drawn before is of a transaction below next_xid
  drawn := stratum._last_audit_id();
  next_xid := stratum._next_xid();

  SELECT * INTO run
  FROM stratum._seal_rows(tenant, chain.settled_id, chain.drawn_id, chain.drawn_xid, chain.last_number, chain.last_digest, next_xid,
                          drawn);
  UPDATE stratum.audit_chains c
  SET last_number = run.number, last_digest = run.digest,
      settled_id = greatest(chain.settled_id, CASE WHEN run.all_ended THEN drawn
                                                   WHEN run.suspects_ended THEN chain.drawn_id END),
      drawn_id = CASE WHEN run.suspects_ended OR chain.drawn_id IS NULL THEN drawn ELSE chain.drawn_id END,
      drawn_xid = CASE WHEN run.suspects_ended OR chain.drawn_id IS NULL THEN next_xid ELSE chain.drawn_xid END,
      place = here
  WHERE c.id = chain.id;
  RETURN run.sealed;
END $$;
COMMENT ON FUNCTION stratum._seal_chain(bigint) IS
  'Seals what has no seal in the chain of a tenant, NULL for the rows without one; returns how many rows; internal.';

CREATE FUNCTION stratum._seal_own_audit() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._seal_chain(stratum._acting_tenant());
END $$;
COMMENT ON FUNCTION stratum._seal_own_audit() IS 'seal_audit() of the current tenant; internal.';

CREATE FUNCTION stratum._seal_any_audit(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._seal_chain(tenant);
END $$;
COMMENT ON FUNCTION stratum._seal_any_audit(bigint) IS 'seal_audit() of any tenant; internal.';

CREATE FUNCTION stratum._is_own_audit(tenant bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() = tenant THEN
    RETURN true;
  ELSIF NOT has_function_privilege('stratum._seal_any_audit(bigint)', 'EXECUTE') THEN
    RAISE EXCEPTION 'permission denied for the audit trail of another tenant'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A tenant may see to the trail of the tenant that it has entered; auditors to all.';
  END IF;
  RETURN false;
END $$;
COMMENT ON FUNCTION stratum._is_own_audit(bigint) IS
  'Whether a tenant is the current one; raises where the caller may not see to another''s trail; internal.';

CREATE FUNCTION stratum.seal_audit(tenant_id bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    RETURN stratum._seal_own_audit();
  END IF;
  RETURN stratum._seal_any_audit(tenant_id);
END $$;
COMMENT ON FUNCTION stratum.seal_audit(bigint) IS
  'Seals the rows of a tenant''s audit trail that have no seal yet, NULL for the rows without a tenant; returns how many. Writers do not wait for it.';

CREATE PROCEDURE stratum.seal_all_audit()
  LANGUAGE plpgsql
AS $$
DECLARE
  chain bigint;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('seal_all_audit');
  FOR chain IN SELECT t.id FROM stratum.tenants t UNION ALL SELECT NULL ORDER BY 1
  LOOP
    BEGIN
      PERFORM stratum._seal_any_audit(chain);
    EXCEPTION WHEN OTHERS THEN
      -- One chain's trouble is not the others', but whoever called has to hear of it.
      RAISE WARNING 'the audit trail of tenant % was not sealed: %', coalesce(chain::text, 'NULL'), SQLERRM;
      failed := failed + 1;
    END;
    COMMIT;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of audit trails that were not sealed: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; all others were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.seal_all_audit() IS
  'seal_audit() of every tenant and of the rows without one, with a commit after each; for a schedule. One that fails is a warning, and an error in the end. CALL it outside a transaction block.';

CREATE FUNCTION stratum._head_of_chain(tenant bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_seal_id bigint := stratum._last_seal_id(tenant);
BEGIN
  SELECT s.number, encode(s.digest, 'hex'), s.sealed_at INTO number, digest, sealed_at
  FROM stratum.audit_seals s
  WHERE s.id = last_seal_id;
END $$;
COMMENT ON FUNCTION stratum._head_of_chain(bigint) IS 'The last seal of a chain; internal to audit_head().';

CREATE FUNCTION stratum._own_audit_head(OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NOT NULL THEN
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at
    FROM stratum._head_of_chain(stratum.current_tenant_id()) h;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._own_audit_head() IS 'audit_head() of the current tenant; internal.';

CREATE FUNCTION stratum._any_audit_head(tenant bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._head_of_chain(tenant) h;
END $$;
COMMENT ON FUNCTION stratum._any_audit_head(bigint) IS 'audit_head() of any tenant; internal.';

CREATE FUNCTION stratum.audit_head(tenant_id bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._own_audit_head() h;
  ELSE
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._any_audit_head(tenant_id) h;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.audit_head(bigint) IS
  'Number, digest and time of the last seal of a tenant''s trail (NULL: of the rows without a tenant), to be kept elsewhere.';

CREATE FUNCTION stratum._verify_chain(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS 'MODULE_PATHNAME', 'stratum_verify_chain';
COMMENT ON FUNCTION stratum._verify_chain(bigint, text) IS
  'What is wrong with the chain of a tenant; internal to verify_audit().';

CREATE FUNCTION stratum._seal_and_verify(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_read_only') = 'off' THEN
    BEGIN
      PERFORM stratum._seal_chain(tenant);
    EXCEPTION WHEN data_corrupted THEN
      NULL;
    END;
  END IF;
  RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_chain(tenant, head) v;
END $$;
COMMENT ON FUNCTION stratum._seal_and_verify(bigint, text) IS 'Seals a chain and verifies it; internal to verify_audit().';

CREATE FUNCTION stratum._verify_own_audit(head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT v.id, v.problem FROM stratum._seal_and_verify(stratum._acting_tenant(), head) v;
END $$;
COMMENT ON FUNCTION stratum._verify_own_audit(text) IS 'verify_audit() of the current tenant; internal.';

CREATE FUNCTION stratum._verify_any_audit(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT v.id, v.problem FROM stratum._seal_and_verify(tenant, head) v;
END $$;
COMMENT ON FUNCTION stratum._verify_any_audit(bigint, text) IS 'verify_audit() of any tenant; internal.';

CREATE FUNCTION stratum.verify_audit(tenant_id bigint, head text DEFAULT NULL) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_own_audit(head) v;
  ELSE
    RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_any_audit(tenant_id, head) v;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.verify_audit(bigint, text) IS
  'What is wrong with a tenant''s audit trail (NULL: with the rows without a tenant): a row for each problem, none when it is whole. Seals it first. With a digest from audit_head() it also finds seals that were taken away.';

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

CREATE FUNCTION stratum._purged_before(tenant bigint) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT max((l.metadata ->> 'before')::timestamptz) FROM stratum.audit_logs l
          WHERE l.resource_type = 'audit_logs' AND l.resource_id = coalesce(tenant::text, 'NULL') AND l.action = 'delete'
            AND l.tenant_id IS NOT DISTINCT FROM tenant AND l.metadata ? 'before_microseconds');
END $$;
COMMENT ON FUNCTION stratum._purged_before(bigint) IS
  'Until when a tenant''s trail was purged, if the caller may read that; internal to purge_audit() and row_as_of().';

CREATE FUNCTION stratum._any_purged_before() RETURNS timestamptz
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT max((l.metadata ->> 'before')::timestamptz) FROM stratum.audit_logs l
          WHERE l.resource_type = 'audit_logs' AND l.resource_id IS NOT NULL AND l.action = 'delete'
            AND l.metadata ? 'before_microseconds');
END $$;
COMMENT ON FUNCTION stratum._any_purged_before() IS
  'Until when any of the trails was purged that the caller may read; internal to row_as_of().';

CREATE FUNCTION stratum._check_not_purged(table_name regclass, state jsonb, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant_column text := CASE WHEN table_name = to_regclass('stratum.tenants') THEN 'id' ELSE 'tenant_id' END;
  purged timestamptz;
BEGIN
  IF jsonb_typeof(state -> tenant_column) IN ('number', 'null') AND EXISTS (
       -- a domain has the output function of what it is over
       SELECT FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
       WHERE a.attrelid = table_name AND a.attname = tenant_column
         AND y.typoutput = ANY ('{int2out,int4out,int8out}'::regproc[])) THEN
    purged := stratum._purged_before((state ->> tenant_column)::bigint);
  ELSE
    purged := stratum._any_purged_before();
  END IF;
  IF at < purged THEN
    RAISE EXCEPTION 'the audit trail before % has been purged', purged
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'What a row was is known from then on. stratum.row_history() lists the changes that are left.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz) IS
  'Raises for a time of which changes of a row may have been purged; internal to row_as_of().';

CREATE FUNCTION stratum._record_purge(tenant bigint, before timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  seals_before bigint := (SELECT count(*) FROM stratum.audit_seals s WHERE s.tenant_id IS NOT DISTINCT FROM tenant AND s.newest_at < before);
BEGIN
  PERFORM stratum._log_record(tenant, 'delete', 'audit_logs', coalesce(tenant::text, 'NULL'), jsonb_build_object(
    'operation', 'purge', 'by', session_user, 'before', before, 'seals', seals_before,
    'before_microseconds', ((extract(epoch FROM before) - 946684800) * 1000000)::bigint));
END $$;
COMMENT ON FUNCTION stratum._record_purge(bigint, timestamptz) IS
  'Writes into the trail that rows before a time may be gone, and who took them; internal to purge_audit().';

CREATE FUNCTION stratum._purgeable_rows(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN ARRAY(
    SELECT l.id::bigint FROM stratum.audit_logs l
    WHERE CASE WHEN tenant IS NULL THEN l.tenant_id IS NULL ELSE l.tenant_id = tenant END
      AND l.created_at < before
      AND NOT (l.resource_type = 'audit_logs' AND l.action = 'anonymize'
               AND EXISTS (SELECT FROM jsonb_object_keys(l.metadata -> 'erased') e (key)
                             JOIN stratum.audit_logs x ON x.id = e.key::bigint AND x.created_at >= before))
    ORDER BY l.id
    LIMIT at_most);
END $$;
COMMENT ON FUNCTION stratum._purgeable_rows(bigint, timestamptz, bigint) IS
  'Ids of the rows that a purge of a tenant''s trail takes next; internal to purge_audit().';

CREATE FUNCTION stratum._purge_chain(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  ids bigint[];
  purged bigint;
BEGIN
  PERFORM stratum._seal_chain(tenant);
  ids := stratum._purgeable_rows(tenant, before, at_most);
  IF ids = '{}' THEN
    RETURN 0;
  END IF;
  IF coalesce(stratum._purged_before(tenant), '-infinity') < before THEN
    PERFORM stratum._record_purge(tenant, before);
  END IF;
  PERFORM stratum._open_audit_log();
  -- all of them are older; with partitions that spares the newer ones
  DELETE FROM stratum.audit_logs l USING unnest(ids) i (id) WHERE l.id = i.id AND l.created_at < before;
  GET DIAGNOSTICS purged = ROW_COUNT;
  -- seals none of whose rows are left keep what the chain needs
  UPDATE stratum.audit_seals s
  SET log_ids = NULL, logged_at = NULL, digests = NULL, salts = NULL
  WHERE s.tenant_id IS NOT DISTINCT FROM tenant AND s.newest_at < before AND s.log_ids IS NOT NULL
    AND s.last_id <= (SELECT max(i.id) FROM unnest(ids) i (id))
    AND NOT EXISTS (SELECT FROM stratum.audit_logs l WHERE l.id = ANY (s.log_ids));
  PERFORM stratum._seal_chain(tenant);
  RETURN purged;
END $$;
COMMENT ON FUNCTION stratum._purge_chain(bigint, timestamptz, bigint) IS
  'Removes rows before a time from a tenant''s trail, at most so many (NULL: all), sealed first; returns how many; internal.';

CREATE FUNCTION stratum._check_purge(before timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF before IS NULL THEN
    RAISE EXCEPTION 'the time before which to purge must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF before > now() OR before < '1900-01-01' THEN
    RAISE EXCEPTION 'the audit trail cannot be purged before %', before
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a time between the year 1900 and now, such as now() - interval ''2 years''.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_purge(timestamptz) IS
  'Raises for times before which nothing can be purged; internal to purge_audit().';

CREATE FUNCTION stratum.purge_audit(before timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_purge(before);
  RETURN stratum._purge_chain(stratum._acting_tenant(), before, NULL);
END $$;
COMMENT ON FUNCTION stratum.purge_audit(timestamptz) IS
  'Removes the current tenant''s audit trail before a time; returns how many rows. Recorded in the trail, and the rest still verifies.';

CREATE FUNCTION stratum._purge_batch(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_purge(before);
  RETURN stratum._purge_chain(tenant, before, at_most);
END $$;
COMMENT ON FUNCTION stratum._purge_batch(bigint, timestamptz, bigint) IS
  'Removes at most so many rows of a tenant''s trail; internal to purge_all_audit().';

CREATE PROCEDURE stratum.purge_all_audit(before timestamptz)
  LANGUAGE plpgsql
AS $$
DECLARE
  chain bigint;
  at_once constant bigint := 10000;
  purged bigint;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('purge_all_audit');
  FOR chain IN SELECT t.id FROM stratum.tenants t UNION ALL SELECT NULL ORDER BY 1
  LOOP
    LOOP
      BEGIN
        purged := stratum._purge_batch(chain, before, at_once);
      EXCEPTION
        WHEN null_value_not_allowed OR invalid_parameter_value OR insufficient_privilege THEN
          RAISE;
        WHEN OTHERS THEN
          -- One chain's trouble is not the others', but whoever called has to hear of it.
          RAISE WARNING 'the audit trail of tenant % was not purged: %', coalesce(chain::text, 'NULL'), SQLERRM;
          failed := failed + 1;
          purged := 0;
      END;
      COMMIT;
      EXIT WHEN purged < at_once;
    END LOOP;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of audit trails that were not purged: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; all others were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.purge_all_audit(timestamptz) IS
  'purge_audit() for every tenant and for the rows without one, 10000 rows at a time with a commit after each. One that fails is a warning, and an error in the end. CALL it outside a transaction block.';

CREATE FUNCTION stratum.signal_health_status(score double precision) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF score NOT BETWEEN 0 AND 100 THEN
    RAISE EXCEPTION 'a health score of % is not possible', score
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Scores are 0 to 100.';
  END IF;
  RETURN CASE WHEN score >= 70 THEN 'healthy' WHEN score >= 40 THEN 'degraded' ELSE 'unhealthy' END;
END $$;
COMMENT ON FUNCTION stratum.signal_health_status(double precision) IS
  'healthy from 70, degraded from 40, else unhealthy; the score is 0 to 100.';

CREATE FUNCTION stratum._mean_score(VARIADIC scores integer[]) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT round(avg(s))::integer FROM unnest(scores) s $$;
COMMENT ON FUNCTION stratum._mean_score(integer[]) IS
  'Mean of the scores that are not NULL, rounded half up; NULL where there is none; internal.';

CREATE FUNCTION stratum._keep_signal_health() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  mean integer := stratum._mean_score(new.data_freshness_score, new.completeness_score, new.accuracy_score);
BEGIN
  -- A score that was the mean follows its components; any other is the client's own.
  IF new.health_score IS NULL
     OR tg_op = 'UPDATE' AND new.health_score = old.health_score AND mean IS NOT NULL
        AND old.health_score = stratum._mean_score(old.data_freshness_score, old.completeness_score, old.accuracy_score) THEN
    new.health_score := mean;
  END IF;
  -- A score that is out of range, and a status that is none, the table's CHECKs refuse.
  IF new.health_score BETWEEN 0 AND 100 AND coalesce(new.status = ANY ('{healthy,degraded,unhealthy}'), true) THEN
    new.status := stratum.signal_health_status(new.health_score);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._keep_signal_health() IS
  'BEFORE row trigger of fact_signal_health_daily: a score that is left out is the mean of its components, the status is that of the score.';

CREATE FUNCTION stratum._trust_settings()
  RETURNS TABLE (name text, fallback numeric, lowest numeric, highest numeric, meaning text)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('risky', 80::numeric, 0::numeric, 100::numeric, 'least score for risky actions'),
         ('cautious', 60, 0, 100, 'least score for cautious actions'),
         ('standard', 70, 0, 100, 'least score for all other actions'),
         ('block_below', 40, 0, 100, 'below this score actions are blocked, not held'),
         ('max_age_days', 2, 0, 30, 'age in days up to which a health score counts'),
         ('max_attempts', 5, 1, 100, 'number of failures after which workers give an action up');
$$;
COMMENT ON FUNCTION stratum._trust_settings() IS
  'Keys of tenants.settings -> trust, with what they are where not set and their bounds; internal.';

CREATE FUNCTION stratum._read_trust_settings(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_object_agg(s.name, CASE
           WHEN jsonb_typeof(settings -> 'trust' -> s.name) = 'number'
             AND settings -> 'trust' -> s.name BETWEEN to_jsonb(s.lowest) AND to_jsonb(s.highest)
           THEN settings -> 'trust' -> s.name
           ELSE to_jsonb(s.fallback) END)
  FROM stratum._trust_settings() s
$$;
COMMENT ON FUNCTION stratum._read_trust_settings(jsonb) IS
  'Every trust setting of a tenant''s settings; the default for one that is missing or means nothing. Never raises; internal.';

CREATE FUNCTION stratum._check_trust_settings(settings jsonb) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  trust jsonb := nullif(settings -> 'trust', 'null');
  fault record;
BEGIN
  IF trust IS NULL OR jsonb_typeof(settings) <> 'object' THEN
    RETURN;
  ELSIF jsonb_typeof(trust) <> 'object' THEN
    RAISE EXCEPTION 'invalid setting at $.trust: it must be an object' USING ERRCODE = 'invalid_parameter_value',
      HINT = (SELECT 'Known there: ' || string_agg(s.name, ', ') || '.' FROM stratum._trust_settings() s);
  END IF;
  SELECT k.key, s.name, s.lowest, s.highest INTO fault
  FROM jsonb_each(trust) k LEFT JOIN stratum._trust_settings() s ON s.name = k.key
  WHERE s.name IS NULL
     OR k.value <> 'null' AND (jsonb_typeof(k.value) <> 'number'
                               OR NOT k.value BETWEEN to_jsonb(s.lowest) AND to_jsonb(s.highest))
  ORDER BY k.key LIMIT 1;
  IF FOUND AND fault.name IS NULL THEN
    RAISE EXCEPTION 'invalid setting at $.trust: unknown key "%"', left(fault.key, 64) USING ERRCODE = 'invalid_parameter_value',
      HINT = (SELECT 'Known there: ' || string_agg(s.name, ', ') || '.' FROM stratum._trust_settings() s);
  ELSIF FOUND THEN
    RAISE EXCEPTION 'invalid setting at $.trust.%: it must be a number from % to %', fault.key, fault.lowest, fault.highest
      USING ERRCODE = 'invalid_parameter_value',
            HINT = (SELECT format('This is the %s; without it: %s.', s.meaning, s.fallback) FROM stratum._trust_settings() s WHERE s.name = fault.key);
  END IF;
  trust := stratum._read_trust_settings(settings);
  SELECT t.key, t.value INTO fault
  FROM jsonb_each(trust) t WHERE t.key = ANY ('{risky,cautious,standard}') AND t.value < trust -> 'block_below' ORDER BY t.key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'invalid setting at $.trust.block_below: it is above % (%)', fault.key, fault.value
      USING ERRCODE = 'invalid_parameter_value', HINT = 'What is blocked must not be allowed.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_trust_settings(jsonb) IS
  'Raises for trust settings that mean nothing: SQLSTATE 22023, the JSON path and what is allowed there; internal.';

CREATE FUNCTION stratum._check_tenant_settings() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF tg_op = 'INSERT' OR new.settings -> 'trust' IS DISTINCT FROM old.settings -> 'trust' THEN
    PERFORM stratum._check_trust_settings(new.settings);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._check_tenant_settings() IS
  'BEFORE row trigger of tenants: trust settings that mean nothing are refused.';

CREATE FUNCTION stratum._trust(
    tenant bigint, platform text, action_type text, OUT decision text, OUT health_score integer, OUT threshold numeric)
  RETURNS record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
<<gate>>
DECLARE
  settings jsonb;
  today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  IF action_type = ANY ('{pause_all,emergency_stop}') THEN
    decision := 'pass';
    RETURN;
  END IF;
  SELECT stratum._read_trust_settings(t.settings) INTO gate.settings FROM stratum.tenants t WHERE t.id = _trust.tenant;
  threshold := settings ->> CASE
    WHEN action_type = ANY ('{increase_budget,increase_bid,expand_targeting,launch_new_campaigns}') THEN 'risky'
    WHEN action_type = ANY ('{reduce_budget,reduce_bid,pause_underperforming}') THEN 'cautious'
    ELSE 'standard' END;
  -- The day of a client east of Greenwich may be tomorrow; what is dated later is a slip and must not hold the gate open.
  SELECT h.health_score INTO _trust.health_score
  FROM stratum.fact_signal_health_daily h
  WHERE h.tenant_id = _trust.tenant AND h.platform = _trust.platform::stratum.ad_platform
    AND h.date BETWEEN today - ceil((settings ->> 'max_age_days')::numeric)::integer AND today + 1
  ORDER BY h.date DESC LIMIT 1;
  decision := CASE
    WHEN health_score >= threshold THEN 'pass'
    WHEN health_score < (settings ->> 'block_below')::numeric THEN 'block'
    ELSE 'hold' END;
END $$;
COMMENT ON FUNCTION stratum._trust(bigint, text, text) IS
  'What the gate says to an action of a tenant, from which health score and threshold; internal.';

CREATE FUNCTION stratum._check_platform(platform text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF platform IS NULL THEN
    RAISE EXCEPTION 'the platform must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF platform <> ALL (enum_range(NULL::stratum.ad_platform)::text[]) THEN
    RAISE EXCEPTION 'unknown platform "%"', left(platform, 64)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Platforms: ' || array_to_string(enum_range(NULL::stratum.ad_platform)::text[], ', ') || '.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_platform(text) IS 'Raises for what is no ad platform; internal.';

CREATE FUNCTION stratum.trust_gate(platform text, action_type text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_platform(platform);
  IF action_type IS NULL THEN
    RAISE EXCEPTION 'the type of the action must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN (SELECT g.decision FROM stratum._trust(stratum.current_tenant_id(), trust_gate.platform, trust_gate.action_type) g);
END $$;
COMMENT ON FUNCTION stratum.trust_gate(text, text) IS
  'Whether the current tenant''s signal health at a platform allows an action: pass, hold or block; hold where no recent health is known.';

CREATE FUNCTION stratum.validate_schedule(schedule text) RETURNS void
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_validate_schedule';
COMMENT ON FUNCTION stratum.validate_schedule(text) IS
  'Raises for what is neither a five-field cron expression that can be due nor an interval of a minute or more: SQLSTATE 22023, what is wrong, what is allowed.';

CREATE FUNCTION stratum.next_due(schedule text, after timestamptz) RETURNS timestamptz
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_next_due';
COMMENT ON FUNCTION stratum.next_due(text, timestamptz) IS
  'The first time after another one at which a schedule, a cron expression or an interval, is due. All of it in UTC.';

CREATE FUNCTION stratum._schedule_job(job_name text, every text, command text, otherwise text) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  job bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
    RAISE EXCEPTION 'pg_cron is not installed in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = otherwise;
  END IF;
  IF every IS NULL THEN
    RAISE EXCEPTION 'when the job is to run must not be NULL'
      USING ERRCODE = 'null_value_not_allowed', HINT = 'It is a cron expression, such as ''17 3 * * *''.';
  END IF;
  -- by name, so that calling it again changes the job instead of adding one
  EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO job USING job_name, every, command;
  RETURN job;
END $$;
COMMENT ON FUNCTION stratum._schedule_job(text, text, text, text) IS
  'Has pg_cron run a command, as the caller''s job of that name; the last argument is the hint where it is not installed; internal to schedule_rules() and schedule_partitions().';

CREATE FUNCTION stratum._refuse_action(place text, fault text, hint text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'invalid action at %: %', place, fault USING ERRCODE = 'invalid_parameter_value', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_action(text, text, text) IS
  'Raises for an action that means nothing: SQLSTATE 22023, the JSON path and what is allowed there; internal.';

CREATE FUNCTION stratum._check_action_keys(action_type text, action jsonb, place text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  allowed text[] := CASE action_type WHEN 'apply_label' THEN '{label}' WHEN 'adjust_budget' THEN '{percent}'
                                     WHEN 'pause_campaign' THEN '{}' END::text[] || '{type,cooldown_hours}'::text[];
  strange text;
BEGIN
  SELECT k INTO strange FROM jsonb_object_keys(action) k
  WHERE k <> ALL (allowed) OR k = ANY ('{rule_id,outcome}') ORDER BY k LIMIT 1;
  IF strange = ANY ('{rule_id,outcome}') THEN
    PERFORM stratum._refuse_action(place, format('key "%s" is reserved', strange), 'stratum writes it into the queue.');
  ELSIF strange IS NOT NULL THEN
    PERFORM stratum._refuse_action(place, format('unknown key "%s"', left(strange, 64)),
      format('Keys of %s: %s.', action_type, array_to_string(allowed, ', ')));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_action_keys(text, jsonb, text) IS
  'Raises for keys that an action of that type does not know; internal to _check_action().';

CREATE FUNCTION stratum._check_action(action_type text, action jsonb, place text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF action_type = 'apply_label' THEN
    IF jsonb_typeof(action -> 'label') IS DISTINCT FROM 'string' OR btrim(action ->> 'label') = '' OR length(action ->> 'label') > 255 THEN
      PERFORM stratum._refuse_action(place || '.label', 'the label must be a string that is not blank, of at most 255 characters',
        'For example {"type": "apply_label", "label": "needs review"}.');
    END IF;
  ELSIF action_type = 'adjust_budget' THEN
    IF jsonb_typeof(action -> 'percent') IS DISTINCT FROM 'number' THEN
      PERFORM stratum._refuse_action(place || '.percent', 'the per cent must be a number',
        'For example {"type": "adjust_budget", "percent": -20}: a fifth less.');
    ELSIF (action -> 'percent') = '0' OR (action -> 'percent') NOT BETWEEN '-100' AND '1000' THEN
      PERFORM stratum._refuse_action(place || '.percent', format('%s per cent is out of range', left(action ->> 'percent', 20)),
        'Allowed: -100 to 1000, but for 0.');
    END IF;
  ELSIF action_type = 'pause_campaign' AND jsonb_typeof(action) <> ALL ('{object,"null"}') THEN
    PERFORM stratum._refuse_action(place, 'it must be an object', 'It may be empty: {}.');
  ELSIF action_type = ANY ('{send_alert,notify_slack,notify_whatsapp}') THEN
    IF jsonb_typeof(action -> 'message') <> ALL ('{string,"null"}') THEN
      PERFORM stratum._refuse_action(place || '.message', 'the message must be a string', 'It may be left out.');
    ELSIF length(action::text) > 8000 THEN
      PERFORM stratum._refuse_action(place, 'it is longer than 8000 characters', 'Leave to the worker what it can look up.');
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_action(text, jsonb, text) IS
  'Raises unless the action has what its type needs; types that are done elsewhere are not looked at; internal.';

CREATE FUNCTION stratum._check_rule_action(action jsonb, place text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known constant text[] := enum_range(NULL::stratum.rule_action)::text[];
BEGIN
  IF jsonb_typeof(action) <> 'object' THEN
    PERFORM stratum._refuse_action(place, 'an action must be an object', 'For example {"type": "pause_campaign"}.');
  ELSIF jsonb_typeof(action -> 'type') IS DISTINCT FROM 'string' OR action ->> 'type' <> ALL (known) THEN
    PERFORM stratum._refuse_action(place || '.type',
      CASE WHEN action ->> 'type' IS NULL THEN 'the type is missing' ELSE format('unknown action %s', left(action ->> 'type', 64)) END,
      'Actions: ' || array_to_string(known, ', ') || '.');
  END IF;
  IF action ->> 'type' <> ALL ('{send_alert,notify_slack,notify_whatsapp}') OR action ?| '{rule_id,outcome}' THEN
    PERFORM stratum._check_action_keys(action ->> 'type', action, place);
  END IF;
  PERFORM stratum._check_action(action ->> 'type', action, place);
  IF action -> 'cooldown_hours' <> 'null' AND (jsonb_typeof(action -> 'cooldown_hours') <> 'number'
       OR NOT action -> 'cooldown_hours' BETWEEN '0' AND '87600') THEN
    PERFORM stratum._refuse_action(place || '.cooldown_hours', 'the cooldown must be a number of hours from 0 to 87600',
      'So long the rule does not propose the action for the same campaign again.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_rule_action(jsonb, text) IS
  'Raises for an action of a rule that means nothing; internal to validate_actions().';

CREATE FUNCTION stratum.validate_actions(actions jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF actions IS NULL OR actions = 'null' THEN
    RETURN;
  ELSIF jsonb_typeof(actions) <> 'array' THEN
    PERFORM stratum._refuse_action('$', 'the actions must be an array', 'For example [{"type": "pause_campaign"}].');
  ELSIF jsonb_array_length(actions) > 100 THEN
    PERFORM stratum._refuse_action('$', 'there are more than 100', 'A rule does a few things; make several rules.');
  END IF;
  PERFORM stratum._check_rule_action(a.action, format('$[%s]', a.n - 1))
  FROM jsonb_array_elements(actions) WITH ORDINALITY a (action, n);
END $$;
COMMENT ON FUNCTION stratum.validate_actions(jsonb) IS
  'Raises if the actions of a rule cannot mean anything: SQLSTATE 22023, the JSON path of the fault, and what is allowed there.';

CREATE FUNCTION stratum._rule_actions(actions jsonb)
  RETURNS TABLE (n bigint, action_type text, payload jsonb, cooldown interval)
  LANGUAGE sql IMMUTABLE ROWS 3 SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(a.n), a.action ->> 'type', a.action - '{type,cooldown_hours}'::text[],
         max((a.action ->> 'cooldown_hours')::double precision) * interval '1 hour'
  FROM jsonb_array_elements(CASE jsonb_typeof(actions) WHEN 'array' THEN actions ELSE '[]' END) WITH ORDINALITY a (action, n)
  GROUP BY 2, 3
$$;
COMMENT ON FUNCTION stratum._rule_actions(jsonb) IS
  'The actions of a rule, one that is there twice once; internal.';

CREATE FUNCTION stratum._gate_action(action_type text, payload jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN action_type = ANY ('{apply_label,send_alert,notify_slack,notify_whatsapp}') THEN NULL
    WHEN action_type = 'pause_campaign' THEN 'pause_underperforming'
    WHEN action_type = 'adjust_budget' THEN
      CASE WHEN jsonb_typeof(payload -> 'percent') = 'number' AND payload -> 'percent' < '0' THEN 'reduce_budget' ELSE 'increase_budget' END
    ELSE action_type END
$$;
COMMENT ON FUNCTION stratum._gate_action(text, jsonb) IS
  'The name under which an action is put to the trust gate; NULL for labels and messages, which are not; internal.';

CREATE FUNCTION stratum._ask_gate(
    tenant bigint, platform text, action_type text, payload jsonb,
    OUT decision text, OUT asked text, OUT health_score integer, OUT threshold numeric)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  asked := stratum._gate_action(action_type, payload);
  IF asked IS NULL THEN
    decision := 'pass';
  ELSE
    SELECT t.decision, t.health_score, t.threshold INTO decision, health_score, threshold
    FROM stratum._trust(tenant, platform, asked) t;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._ask_gate(bigint, text, text, jsonb) IS
  'What the trust gate says to an action as the queue has it; internal.';

CREATE FUNCTION stratum._campaign_state(tenant bigint, campaign bigint, OUT platform text, OUT state jsonb)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT c.platform::text, jsonb_build_object('status', c.status, 'labels', c.labels,
           'daily_budget_cents', c.daily_budget_cents, 'lifetime_budget_cents', c.lifetime_budget_cents)
  INTO platform, state
  FROM stratum.campaigns c
  WHERE c.tenant_id = _campaign_state.tenant AND c.id = _campaign_state.campaign AND c.is_deleted IS NOT TRUE
  FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION stratum._campaign_state(bigint, bigint) IS
  'Locks a campaign; what actions may change in it, and its platform; NULL where there is none; internal.';

CREATE FUNCTION stratum._budget_effect(percent numeric, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  budget text;
  cents numeric;
  before jsonb := '{}';
  after jsonb := '{}';
BEGIN
  FOREACH budget IN ARRAY '{daily_budget_cents,lifetime_budget_cents}'::text[] LOOP
    cents := state ->> budget;
    CONTINUE WHEN cents IS NULL;
    before := before || jsonb_build_object(budget, cents);
    cents := greatest(0, round(cents * (100 + percent) / 100));
    IF cents > 2147483647 THEN
      RETURN '{"problem": "the budget would be larger than 2147483647 cents", "sqlstate": "22003"}';
    END IF;
    after := after || jsonb_build_object(budget, cents);
  END LOOP;
  IF before = '{}' THEN
    RETURN '{"problem": "the campaign has no budget"}';
  END IF;
  RETURN jsonb_build_object('before', before, 'after', after);
END $$;
COMMENT ON FUNCTION stratum._budget_effect(numeric, jsonb) IS
  'Both budgets of a campaign, those that it has, so many per cent higher, to the cent; internal to _action_effect().';

CREATE FUNCTION stratum._action_effect(action_type text, payload jsonb, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  labels jsonb := coalesce(nullif(state -> 'labels', 'null'), '[]');
BEGIN
  CASE action_type
    WHEN 'apply_label' THEN
      IF jsonb_typeof(labels) <> 'array' THEN
        RETURN '{"problem": "the labels of the campaign are no array"}';
      END IF;
      RETURN jsonb_build_object(
        'before', jsonb_build_object('labels', state -> 'labels'),
        'after', jsonb_build_object('labels', CASE WHEN labels ? (payload ->> 'label') THEN state -> 'labels' ELSE labels || (payload -> 'label') END));
    WHEN 'pause_campaign' THEN
      IF state ->> 'status' = ANY ('{completed,archived}') THEN
        RETURN jsonb_build_object('problem', format('the campaign is %s', state ->> 'status'));
      END IF;
      RETURN jsonb_build_object('before', jsonb_build_object('status', state -> 'status'), 'after', '{"status": "paused"}'::jsonb);
    WHEN 'adjust_budget' THEN
      RETURN stratum._budget_effect((payload ->> 'percent')::numeric, state);
    ELSE
      -- a worker's
      RETURN '{}';
  END CASE;
END $$;
COMMENT ON FUNCTION stratum._action_effect(text, jsonb, jsonb) IS
  'What an action changes in a campaign: {"before", "after"}, or {"problem"} where it cannot be done, or nothing for what a worker does; internal.';

CREATE FUNCTION stratum._change_campaign(tenant bigint, campaign bigint, change jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.campaigns c
  SET labels = CASE WHEN change ? 'labels' THEN nullif(change -> 'labels', 'null') ELSE c.labels END,
      status = CASE WHEN change ? 'status' THEN (change ->> 'status')::stratum.campaign_status ELSE c.status END,
      daily_budget_cents = CASE WHEN change ? 'daily_budget_cents' THEN (change ->> 'daily_budget_cents')::integer ELSE c.daily_budget_cents END,
      lifetime_budget_cents = CASE WHEN change ? 'lifetime_budget_cents' THEN (change ->> 'lifetime_budget_cents')::integer ELSE c.lifetime_budget_cents END
  WHERE c.tenant_id = _change_campaign.tenant AND c.id = _change_campaign.campaign;
END $$;
COMMENT ON FUNCTION stratum._change_campaign(bigint, bigint, jsonb) IS
  'Writes what an action changes into a campaign; internal to execute_action() and undo_action().';

CREATE FUNCTION stratum._check_rule() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF new.schedule IS NOT NULL AND (tg_op = 'INSERT' OR new.schedule IS DISTINCT FROM old.schedule) THEN
    PERFORM stratum.validate_schedule(new.schedule);
  END IF;
  IF tg_op = 'INSERT' OR new.actions IS DISTINCT FROM old.actions THEN
    PERFORM stratum.validate_actions(new.actions);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._check_rule() IS
  'BEFORE row trigger of rules: a schedule or an action that means nothing is refused.';

CREATE FUNCTION stratum._explain_conditions(definitions jsonb[], campaign anyelement) RETURNS jsonb
  LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_explain_conditions';
COMMENT ON FUNCTION stratum._explain_conditions(jsonb[], anyelement) IS
  'For definitions of one condition each: what the campaign''s field holds and whether the condition does, an array in the same order; internal.';

CREATE FUNCTION stratum._conditions_of(definition jsonb, within text DEFAULT '$')
  RETURNS TABLE (place text, condition jsonb)
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT format('%s.conditions[%s]', within, c.n - 1), c.value
    FROM jsonb_array_elements(coalesce(nullif(definition -> 'conditions', 'null'), '[]')) WITH ORDINALITY c (value, n);
  RETURN QUERY
    SELECT i.place, i.condition
    FROM jsonb_array_elements(coalesce(nullif(definition -> 'groups', 'null'), '[]')) WITH ORDINALITY g (value, n)
      CROSS JOIN LATERAL stratum._conditions_of(g.value, format('%s.groups[%s]', within, g.n - 1)) i;
END $$;
COMMENT ON FUNCTION stratum._conditions_of(jsonb, text) IS
  'Every single condition of a valid definition with its JSON path; internal.';

CREATE FUNCTION stratum._rule_proposals(
    tenant bigint, rule_id bigint, conditions jsonb, actions jsonb, at timestamptz, all_campaigns boolean)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb, payload jsonb, refusal text)
  -- only where the definition is a constant can the planner use an index for it; compiling the rest costs more than it saves
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
<<run>>
DECLARE
  single jsonb[];
  singles jsonb;
BEGIN
  PERFORM stratum.validate_conditions(conditions, 'campaign');
  PERFORM stratum.validate_actions(actions);
  SELECT array_agg(jsonb_build_object('conditions', jsonb_build_array(c.condition)) ORDER BY c.n),
         jsonb_agg(jsonb_build_object('place', c.place) || c.condition ORDER BY c.n)
  INTO single, singles
  FROM stratum._conditions_of(conditions) WITH ORDINALITY c (place, condition, n);
  RETURN QUERY
    WITH campaign AS MATERIALIZED (
      SELECT c.id::bigint AS id, c.platform::text AS platform, stratum.campaign_matches(_rule_proposals.conditions, c) AS matched,
             stratum._explain_conditions(run.single, c) AS answers,
             jsonb_build_object('status', c.status, 'labels', c.labels, 'daily_budget_cents', c.daily_budget_cents,
                                'lifetime_budget_cents', c.lifetime_budget_cents) AS state
      FROM stratum.campaigns c
      WHERE c.tenant_id = _rule_proposals.tenant AND c.is_deleted IS NOT TRUE
        AND (all_campaigns OR stratum.campaign_matches(_rule_proposals.conditions, c))
    ), wanted AS MATERIALIZED (
      SELECT a.* FROM stratum._rule_actions(_rule_proposals.actions) a
    ), gate AS MATERIALIZED (
      SELECT p.platform, w.n, g.*
      FROM (SELECT DISTINCT c.platform FROM campaign c WHERE c.matched) p
        CROSS JOIN wanted w
        CROSS JOIN LATERAL stratum._ask_gate(_rule_proposals.tenant, p.platform, w.action_type, w.payload) g
    ), queued AS MATERIALIZED (
      SELECT * FROM stratum._queued_actions(_rule_proposals.tenant, _rule_proposals.rule_id, at - (SELECT max(w.cooldown) FROM wanted w))
    )
    SELECT c.id, c.matched, w.action_type, g.decision, jsonb_strip_nulls(jsonb_build_object(
             'gate', CASE WHEN g.asked IS NOT NULL THEN jsonb_build_object('action', g.asked, 'health_score', g.health_score, 'threshold', g.threshold) END,
             'action', w.payload, 'effect', nullif(e.effect, '{}')))
           || jsonb_build_object('conditions', coalesce((
             SELECT jsonb_agg(s.condition || (c.answers -> (s.n - 1)::integer) ORDER BY s.n)
             FROM jsonb_array_elements(run.singles) WITH ORDINALITY s (condition, n)), '[]')),
           w.payload || jsonb_build_object('rule_id', _rule_proposals.rule_id),
           CASE WHEN w.n IS NULL THEN NULL
                WHEN e.effect ? 'problem' THEN 'impossible'
                WHEN e.effect -> 'before' = e.effect -> 'after' THEN 'no change'
                WHEN g.decision = 'block' THEN 'blocked'
                WHEN q.is_open THEN 'pending'
                WHEN q.last_proposed > at - w.cooldown THEN 'cooldown' END
    FROM campaign c
      LEFT JOIN wanted w ON c.matched
      LEFT JOIN gate g ON g.platform = c.platform AND g.n = w.n
      LEFT JOIN LATERAL stratum._action_effect(w.action_type, w.payload, c.state) e (effect) ON w.n IS NOT NULL
      LEFT JOIN queued q ON q.campaign_id = c.id AND q.action_type = w.action_type AND q.payload = w.payload
    ORDER BY c.id, w.n;
END $$;
COMMENT ON FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean) IS
  'What a rule would do now to each campaign that it matches, or to all campaigns, those that it does not match included; changes nothing; internal.';

CREATE FUNCTION stratum._queued_actions(tenant bigint, rule_id bigint, since timestamptz)
  RETURNS TABLE (campaign_id bigint, action_type text, payload jsonb, is_open boolean, last_proposed timestamptz)
  LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH action AS (
      SELECT q.entity_id, q.action_type::text AS action_type, coalesce(nullif(q.payload, 'null'), '{}') - '{rule_id,outcome}'::text[] AS payload,
             q.status = ANY ('{pending,approved}'::text[])
               AND NOT EXISTS (SELECT FROM stratum.action_deliveries d WHERE d.tenant_id = q.tenant_id AND d.action_id = q.id AND d.state = 'dead') AS is_open,
             CASE WHEN q.payload -> 'rule_id' = to_jsonb(_queued_actions.rule_id) THEN q.created_at END AS proposed
      FROM stratum.fact_actions_queue q
      WHERE q.tenant_id = _queued_actions.tenant AND q.entity_type = 'campaign' AND jsonb_typeof(q.payload) = ANY ('{object,"null"}'::text[])
        AND (q.status = ANY ('{pending,approved}'::text[]) OR q.created_at > since)
    )
    SELECT a.entity_id::bigint, a.action_type, a.payload, bool_or(a.is_open), max(a.proposed)
    FROM action a
    GROUP BY a.entity_id, a.action_type, a.payload;
END $$;
COMMENT ON FUNCTION stratum._queued_actions(bigint, bigint, timestamptz) IS
  'Actions for campaigns that are still open, and those that a rule proposed after a point in time; internal.';

CREATE FUNCTION stratum._run_rule(tenant bigint, rule_id bigint, at timestamptz, all_campaigns boolean)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
  rule record;
  proposal record;
  matching bigint := 0;
  counts jsonb := '{}';
BEGIN
  PERFORM FROM stratum.tenants t WHERE t.id = _run_rule.tenant FOR NO KEY UPDATE;
  SELECT r.id, r.name, r.conditions, r.actions INTO rule
  FROM stratum.rules r WHERE r.tenant_id = _run_rule.tenant AND r.id = _run_rule.rule_id AND r.is_deleted IS NOT TRUE
  FOR NO KEY UPDATE SKIP LOCKED;
  -- Not to be waited for: who edits it may be about to wait for us.
  IF NOT FOUND AND EXISTS (SELECT FROM stratum.rules r WHERE r.tenant_id = _run_rule.tenant AND r.id = _run_rule.rule_id AND r.is_deleted IS NOT TRUE) THEN
    RAISE EXCEPTION 'rule % is being edited or run by another session', rule_id
      USING ERRCODE = 'lock_not_available', HINT = 'Try again when that has ended.';
  ELSIF NOT FOUND THEN
    RAISE EXCEPTION 'rule % does not exist', rule_id USING ERRCODE = 'no_data_found';
  END IF;
  FOR proposal IN
    WITH proposed AS MATERIALIZED (
      SELECT r.*, row_number() OVER () AS place
      FROM stratum._rule_proposals(_run_rule.tenant, rule.id, rule.conditions, rule.actions, at, all_campaigns) r
    ), queued AS (
      INSERT INTO stratum.fact_actions_queue AS q (tenant_id, action_type, entity_type, entity_id, payload, reason, status, created_by_id)
      SELECT _run_rule.tenant, p.action, 'campaign', p.campaign_id, p.payload, format('Rule %s: %s', rule.id, rule.name), 'pending',
             stratum._current_user_id()
      FROM proposed p WHERE p.action IS NOT NULL AND p.refusal IS NULL
      ORDER BY p.place
      RETURNING q.id, q.entity_id, q.action_type, q.payload
    )
    SELECT p.*, q.id AS action_id
    FROM proposed p
      LEFT JOIN queued q ON q.entity_id = p.campaign_id AND q.action_type = p.action AND q.payload = p.payload
    ORDER BY p.place
  LOOP
    IF proposal.matched AND campaign_id IS DISTINCT FROM proposal.campaign_id THEN
      matching := matching + 1;
    END IF;
    campaign_id := proposal.campaign_id;
    matched := proposal.matched;
    action := proposal.action;
    decision := proposal.decision;
    detail := stratum._with_outcome(proposal.detail, proposal.action, proposal.refusal, proposal.action_id);
    RETURN NEXT;
    IF action IS NOT NULL THEN
      counts := counts || jsonb_build_object(coalesce(proposal.refusal, 'queued'),
                  coalesce((counts ->> coalesce(proposal.refusal, 'queued'))::bigint, 0) + 1);
    END IF;
  END LOOP;
  PERFORM stratum._note_rule_run(tenant, rule_id, at, jsonb_build_object('status', 'succeeded', 'matched', matching, 'actions', counts));
END $$;
COMMENT ON FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean) IS
  'Evaluates a rule, queues what it proposes and keeps the record of the run; internal to evaluate_rule() and run_due_rules().';

CREATE FUNCTION stratum._with_outcome(detail jsonb, action text, refusal text, action_id bigint) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN action IS NULL THEN detail
              ELSE detail || jsonb_strip_nulls(jsonb_build_object('skipped', refusal, 'action_id', action_id)) END
$$;
COMMENT ON FUNCTION stratum._with_outcome(jsonb, text, text, bigint) IS
  'Adds to what a rule proposes why it is not queued, or the id in the queue; internal.';

CREATE FUNCTION stratum._note_rule_run(tenant bigint, rule_id bigint, at timestamptz, result jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.rules r
  SET executions_count = coalesce(r.executions_count, 0) + 1, last_executed_at = at,
      last_execution_result = result
  WHERE r.tenant_id = _note_rule_run.tenant AND r.id = _note_rule_run.rule_id;
END $$;
COMMENT ON FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb) IS
  'Keeps executions_count, last_executed_at and last_execution_result of a rule; internal.';

CREATE FUNCTION stratum.evaluate_rule(rule_id bigint, dry_run boolean DEFAULT true)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  rule record;
BEGIN
  IF NOT coalesce(dry_run, true) THEN
    RETURN QUERY SELECT r.* FROM stratum._run_rule(tenant, evaluate_rule.rule_id, now(), true) r;
    RETURN;
  END IF;
  SELECT r.id, r.conditions, r.actions INTO rule
  FROM stratum.rules r WHERE r.tenant_id = tenant AND r.id = evaluate_rule.rule_id AND r.is_deleted IS NOT TRUE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rule % does not exist', rule_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT p.campaign_id, p.matched, p.action, p.decision, stratum._with_outcome(p.detail, p.action, p.refusal, NULL)
    FROM stratum._rule_proposals(tenant, rule.id, rule.conditions, rule.actions, now(), true) p;
END $$;
COMMENT ON FUNCTION stratum.evaluate_rule(bigint, boolean) IS
  'What a rule of the current tenant does to each campaign: whether it matches, each condition''s actual value, each action with what it changes and what the trust gate says. Unless it is a dry run, the actions are queued.';

CREATE FUNCTION stratum._is_due(schedule text, last_run timestamptz, made timestamptz, at timestamptz) RETURNS boolean
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_is_due';
COMMENT ON FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz) IS
  'Whether a schedule is due at a time, after its last run, or NULL: it was made and never run; internal to run_due_rules().';

CREATE FUNCTION stratum._run_if_due(tenant bigint, rule_id bigint, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule record;
BEGIN
  SELECT r.schedule, r.last_executed_at, r.created_at INTO rule
  FROM stratum.rules r
  WHERE r.tenant_id = _run_if_due.tenant AND r.id = _run_if_due.rule_id
    AND r.status = 'active' AND r.is_enabled AND r.is_deleted IS NOT TRUE AND r.schedule IS NOT NULL
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND OR NOT stratum._is_due(rule.schedule, rule.last_executed_at, rule.created_at, at) THEN
    RETURN false;
  END IF;
  PERFORM FROM stratum._run_rule(tenant, rule_id, at, false);
  RETURN true;
END $$;
COMMENT ON FUNCTION stratum._run_if_due(bigint, bigint, timestamptz) IS
  'Locks a rule, looks again whether it is due, and runs it; internal to run_due_rules().';

CREATE FUNCTION stratum._note_failure(tenant bigint, rule_id bigint, at timestamptz, code text, message text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE WARNING 'rule % failed: %', rule_id, message;
  PERFORM FROM stratum.rules r WHERE r.tenant_id = _note_failure.tenant AND r.id = _note_failure.rule_id FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    PERFORM stratum._note_rule_run(tenant, rule_id, at, jsonb_build_object('status', 'failed',
      'error', jsonb_build_object('code', code, 'message', message)));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text) IS
  'Warns that a rule failed, and keeps that on record; internal to run_due_rules().';

CREATE FUNCTION stratum._run_due_rules(tenant bigint, at timestamptz) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate record;
  is_due boolean;
  ran bigint := 0;
BEGIN
  PERFORM FROM stratum.tenants t WHERE t.id = _run_due_rules.tenant AND t.is_deleted IS NOT TRUE FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  FOR candidate IN
    SELECT r.id, r.schedule, r.last_executed_at, r.created_at, r.last_execution_result
    FROM stratum.rules r
    WHERE r.tenant_id = _run_due_rules.tenant
      AND r.status = 'active' AND r.is_enabled AND r.is_deleted IS NOT TRUE AND r.schedule IS NOT NULL
    ORDER BY r.id
  LOOP
    is_due := NULL;
    BEGIN
      is_due := stratum._is_due(candidate.schedule, candidate.last_executed_at, candidate.created_at, at);
      IF is_due AND stratum._run_if_due(tenant, candidate.id, at) THEN
        ran := ran + 1;
      END IF;
    EXCEPTION
      WHEN serialization_failure THEN
        RAISE;
      WHEN OTHERS THEN
        ran := ran + coalesce(is_due, false)::integer;
        -- A schedule that means nothing, which only storage without triggers has, goes on record once.
        IF is_due OR candidate.last_execution_result -> 'error' ->> 'message' IS DISTINCT FROM sqlerrm THEN
          PERFORM stratum._note_failure(tenant, candidate.id, at, sqlstate, sqlerrm);
        END IF;
    END;
  END LOOP;
  RETURN ran;
END $$;
COMMENT ON FUNCTION stratum._run_due_rules(bigint, timestamptz) IS
  'Runs the rules of a tenant that are due, each in a sub-transaction of its own; returns how many; internal.';

CREATE FUNCTION stratum._check_time(at timestamptz) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF at IS NULL THEN
    RAISE EXCEPTION 'the time must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT isfinite(at) THEN
    RAISE EXCEPTION 'rules cannot be run at %', at USING ERRCODE = 'datetime_field_overflow', HINT = 'Give a point in time, or nothing: now.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_time(timestamptz) IS 'Raises for a time at which no rule can be run; internal.';

CREATE FUNCTION stratum.run_due_rules(at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_time(at);
  RETURN stratum._run_due_rules(stratum._acting_tenant(), at);
END $$;
COMMENT ON FUNCTION stratum.run_due_rules(timestamptz) IS
  'Runs the enabled, active rules of the current tenant that are due, each once, however many sessions call it; returns how many. A rule that fails is on record, and the others go on.';

CREATE PROCEDURE stratum.run_all_due_rules(at timestamptz DEFAULT now())
  LANGUAGE plpgsql
AS $$
DECLARE
  tenant record;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('run_all_due_rules');
  PERFORM stratum._check_time(at);
  FOR tenant IN SELECT t.id FROM stratum.tenants t WHERE t.is_deleted IS NOT TRUE ORDER BY t.id
  LOOP
    BEGIN
      PERFORM stratum._run_due_rules(tenant.id, at);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the rules of tenant % were not run: %', tenant.id, SQLERRM;
      failed := failed + 1;
    END;
    COMMIT;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of tenants whose rules were not run: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; those of all other tenants were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.run_all_due_rules(timestamptz) IS
  'run_due_rules() for every tenant that is not deleted, with a commit after each; CALL it outside a transaction block.';

CREATE FUNCTION stratum.schedule_rules(every text DEFAULT '* * * * *') RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._schedule_job('stratum rules', every, 'CALL stratum.run_all_due_rules()',
                               'Install it, or let any scheduler call CALL stratum.run_all_due_rules() every minute.');
END $$;
COMMENT ON FUNCTION stratum.schedule_rules(text) IS
  'Lets pg_cron call run_all_due_rules() every minute, or as the cron expression says; returns the number of the job, which is the caller''s. Calling it again changes the job.';

CREATE FUNCTION stratum._refuse_state(fault text, hint text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '%', fault USING ERRCODE = 'check_violation', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_state(text, text) IS
  'Raises for a change that the life of an action does not have; internal to the trigger of the queue.';

CREATE FUNCTION stratum._payload_core(payload jsonb, without text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE jsonb_typeof(payload) WHEN 'object' THEN payload #- without WHEN 'null' THEN '{}' ELSE payload END $$;
COMMENT ON FUNCTION stratum._payload_core(jsonb, text[]) IS
  'A payload without what stratum itself has written there; JSON null is an empty one; internal.';

CREATE FUNCTION stratum._keep_action() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moves boolean;
  own text[];  -- what in the payload is stratum's own
BEGIN
  IF tg_op = 'INSERT' THEN
    IF new.status IS DISTINCT FROM 'pending' THEN
      PERFORM stratum._refuse_state(format('an action is born pending, not %s', coalesce(new.status, 'NULL')), 'Insert it as pending, then decide.');
    ELSIF new.approved_by_id IS NOT NULL OR new.approved_at IS NOT NULL OR new.executed_at IS NOT NULL THEN
      PERFORM stratum._refuse_state('an action is born undecided', 'Leave approved_by_id, approved_at and executed_at out.');
    END IF;
    new.created_by_id := coalesce(new.created_by_id, stratum._current_user_id());
    RETURN new;
  END IF;
  moves := new.status IS DISTINCT FROM old.status;
  own := CASE WHEN moves THEN '{outcome}' ELSE '{outcome,undone}' END;
  IF moves AND NOT coalesce((old.status, new.status) IN (('pending', 'approved'), ('pending', 'rejected'), ('approved', 'executed')), false) THEN
    PERFORM stratum._refuse_state(format('action %s is %s and cannot become %s', old.id, coalesce(old.status, 'NULL'), coalesce(new.status, 'NULL')),
      'pending becomes approved or rejected, approved becomes executed; nothing else.');
  END IF;
  IF old.status = 'pending' AND NOT moves
     AND (new.approved_by_id, new.approved_at, new.executed_at) IS NOT DISTINCT FROM (old.approved_by_id, old.approved_at, old.executed_at) THEN
    RETURN new;  -- it may be edited as long as nobody has decided
  END IF;
  -- What was decided is what is done. The outcome is written once, and whether it was undone.
  IF (new.action_type, new.entity_type, new.entity_id) IS DISTINCT FROM (old.action_type, old.entity_type, old.entity_id)
     OR stratum._payload_core(new.payload, own) IS DISTINCT FROM stratum._payload_core(old.payload, own)
     OR NOT moves AND new.payload IS DISTINCT FROM old.payload AND (old.status <> 'executed' OR old.payload #> '{outcome,undone}' IS NOT NULL) THEN
    PERFORM stratum._refuse_state(format('action %s is decided and cannot be edited', old.id), 'Propose another one.');
  END IF;
  IF NOT moves THEN
    IF (new.approved_by_id, new.approved_at, new.executed_at) IS DISTINCT FROM (old.approved_by_id, old.approved_at, old.executed_at) THEN
      PERFORM stratum._refuse_state(format('who decided about action %s, and when, is not to be edited', old.id), 'stratum keeps that with the status.');
    END IF;
    RETURN new;
  END IF;
  -- Who and when is what the server knows, not what the client says.
  new.approved_by_id := CASE new.status WHEN 'executed' THEN old.approved_by_id ELSE stratum._current_user_id() END;
  new.approved_at := CASE new.status WHEN 'executed' THEN old.approved_at WHEN 'approved' THEN now() END;
  new.executed_at := CASE new.status WHEN 'executed' THEN now() END;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._keep_action() IS
  'BEFORE row trigger of fact_actions_queue: born pending, then approved or rejected, approved becomes executed, nothing else by any path; who and when; what was decided stays.';

CREATE FUNCTION stratum._lock_action(
    wanted bigint, needed text, verb text,
    OUT action_type text, OUT entity_type text, OUT entity_id bigint, OUT payload jsonb)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_status text;
BEGIN
  SELECT q.action_type, q.entity_type, q.entity_id, q.payload, q.status
  INTO action_type, entity_type, entity_id, payload, found_status
  FROM stratum.fact_actions_queue q
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = wanted
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'action % does not exist', wanted USING ERRCODE = 'no_data_found';
  ELSIF found_status IS DISTINCT FROM needed THEN
    RAISE EXCEPTION 'action % is % and cannot be %', wanted, found_status, verb
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN found_status = 'pending' THEN format('Approve it first: SELECT stratum.approve_action(%s).', wanted)
                        WHEN needed = 'executed' THEN 'Only what was executed can be undone.'
                        WHEN found_status = 'approved' THEN 'It was approved already; it can only be executed.'
                        ELSE format('It was %s already; propose another one.', found_status) END;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._lock_action(bigint, text, text) IS
  'Locks an action of the current tenant, which must have the status needed; internal.';

CREATE FUNCTION stratum.approve_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM stratum._lock_action(approve_action.id, 'pending', 'approved');
  UPDATE stratum.fact_actions_queue q SET status = 'approved'
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = approve_action.id;
  RETURN 'approved';
END $$;
COMMENT ON FUNCTION stratum.approve_action(bigint) IS
  'Approves a pending action of the current tenant, as the current user; returns its new status.';

CREATE FUNCTION stratum.reject_action(id bigint, reason text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM stratum._lock_action(reject_action.id, 'pending', 'rejected');
  UPDATE stratum.fact_actions_queue q SET status = 'rejected', reason = coalesce(reject_action.reason, q.reason)
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = reject_action.id;
  RETURN 'rejected';
END $$;
COMMENT ON FUNCTION stratum.reject_action(bigint, text) IS
  'Rejects a pending action of the current tenant, as the current user; the reason, if there is one, takes the place of the proposal''s. Returns its new status.';

CREATE FUNCTION stratum._is_done_here(action_type text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT action_type = ANY ('{apply_label,pause_campaign,adjust_budget}'::text[]) $$;
COMMENT ON FUNCTION stratum._is_done_here(text) IS
  'Whether an action is done in the database; all others are a worker''s; internal.';

CREATE FUNCTION stratum._refuse_blocked(tenant bigint, id bigint, platform text, action_type text, payload jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gate record;
BEGIN
  SELECT * INTO gate FROM stratum._ask_gate(tenant, platform, action_type, payload);
  IF gate.decision = 'block' THEN
    RAISE EXCEPTION 'the trust gate blocks action % (% on %)', id, gate.asked, platform
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('The latest health score is %s.', gate.health_score),
            HINT = 'Execute it when the signals are healthier; it stays approved.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb) IS
  'Raises for an action that the trust gate blocks now; internal to execute_action().';

CREATE FUNCTION stratum._change_of(id bigint, action_type text, payload jsonb, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  effect jsonb;
BEGIN
  PERFORM stratum._check_action(action_type, payload, '$');
  effect := stratum._action_effect(action_type, payload, state);
  IF effect ? 'problem' THEN
    RAISE EXCEPTION 'action % cannot be executed: %', id, effect ->> 'problem'
      USING ERRCODE = coalesce(effect ->> 'sqlstate', '55000');
  END IF;
  RETURN effect;
END $$;
COMMENT ON FUNCTION stratum._change_of(bigint, text, jsonb, jsonb) IS
  'What an approved action changes in a campaign; raises where it cannot be done; internal to execute_action().';

CREATE FUNCTION stratum.execute_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  action record;
  campaign record;
  change jsonb;
BEGIN
  SELECT * INTO action FROM stratum._lock_action(execute_action.id, 'approved', 'executed');
  SELECT * INTO campaign FROM stratum._campaign_state(tenant, CASE action.entity_type WHEN 'campaign' THEN action.entity_id END);
  IF campaign.state IS NULL AND action.entity_type = 'campaign' THEN
    RAISE EXCEPTION 'campaign % of action % does not exist', action.entity_id, id USING ERRCODE = 'no_data_found';
  ELSIF campaign.state IS NULL AND stratum._is_done_here(action.action_type) THEN
    RAISE EXCEPTION 'action % is about an entity of type "%", not a campaign', id, action.entity_type USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM stratum._refuse_blocked(tenant, id, coalesce(campaign.platform, stratum._payload_platform(action.payload)), action.action_type, action.payload);
  IF NOT stratum._is_done_here(action.action_type) THEN
    PERFORM stratum._hand_over(tenant, id);
    RETURN 'handed over';
  END IF;
  change := stratum._change_of(id, action.action_type, action.payload, campaign.state);
  PERFORM stratum._change_campaign(tenant, action.entity_id, change -> 'after');
  UPDATE stratum.fact_actions_queue q
  SET status = 'executed', payload = coalesce(nullif(q.payload, 'null'), '{}') || jsonb_build_object('outcome', change)
  WHERE q.tenant_id = tenant AND q.id = execute_action.id;
  RETURN 'executed';
END $$;
COMMENT ON FUNCTION stratum.execute_action(bigint) IS
  'Does an approved action of the current tenant, unless the trust gate blocks it: executed. What is not done in the database goes to a worker, NOTIFY stratum_actions with the id: handed over.';

CREATE FUNCTION stratum._payload_platform(payload jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT p FROM unnest(enum_range(NULL::stratum.ad_platform)::text[]) p WHERE p = payload ->> 'platform');
END $$;
COMMENT ON FUNCTION stratum._payload_platform(jsonb) IS
  'The platform that the payload of an action names, for what is not about a campaign; NULL where it names none; internal.';

CREATE FUNCTION stratum.undo_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  action record;
  state jsonb;
BEGIN
  SELECT a.*, a.payload -> 'outcome' -> 'before' AS before, a.payload -> 'outcome' -> 'after' AS after INTO action
  FROM stratum._lock_action(undo_action.id, 'executed', 'undone') a;
  IF action.payload #> '{outcome,undone}' IS NOT NULL THEN
    RAISE EXCEPTION 'action % is undone already', id USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF action.before IS NULL OR action.after IS NULL OR NOT stratum._is_done_here(action.action_type) THEN
    RAISE EXCEPTION 'action % cannot be undone', id USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Only what execute_action() has changed in a campaign can be put back.';
  END IF;
  SELECT c.state INTO state FROM stratum._campaign_state(tenant, action.entity_id) c;
  IF state IS NULL THEN
    RAISE EXCEPTION 'campaign % of action % does not exist', action.entity_id, id USING ERRCODE = 'no_data_found';
  ELSIF NOT (SELECT coalesce(bool_and(state -> a.key = a.value), false) FROM jsonb_each(action.after) a) THEN
    RAISE EXCEPTION 'action % cannot be undone: campaign % has been changed since', id, action.entity_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It was left with %s.', action.after);
  END IF;
  PERFORM stratum._change_campaign(tenant, action.entity_id, action.before);
  UPDATE stratum.fact_actions_queue q
  SET payload = jsonb_set(q.payload, '{outcome,undone}', jsonb_build_object('at', now(), 'by', stratum._current_user_id()))
  WHERE q.tenant_id = tenant AND q.id = undo_action.id;
  RETURN 'undone';
END $$;
COMMENT ON FUNCTION stratum.undo_action(bigint) IS
  'Puts back what an executed action of the current tenant changed in a campaign, once, and only if nobody has changed it since.';

CREATE FUNCTION stratum._hand_over(tenant bigint, id bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.action_deliveries AS d (action_id, tenant_id)
  SELECT q.id, q.tenant_id
  FROM stratum.fact_actions_queue q
  WHERE q.tenant_id = _hand_over.tenant AND q.tenant_id = stratum.current_tenant_id() AND q.id = _hand_over.id AND q.status = 'approved'
  ON CONFLICT (tenant_id, action_id) DO UPDATE
    SET state = 'waiting', attempts = 0, worker = NULL, lease_until = NULL, available_at = now(), finished_at = NULL
    WHERE d.state = 'dead';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'action % has been handed over already', id USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'A worker has it or will claim it; stratum.action_deliveries says which.';
  END IF;
  PERFORM pg_notify('stratum_actions', id::text);
END $$;
COMMENT ON FUNCTION stratum._hand_over(bigint, bigint) IS
  'Lets workers claim an approved action of the current tenant, and one that was given up again; NOTIFY stratum_actions; internal to execute_action().';

CREATE FUNCTION stratum._check_claim(worker text, wanted integer, lease interval) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF worker IS NULL OR wanted IS NULL OR lease IS NULL THEN
    RAISE EXCEPTION 'no argument of claim_actions() may be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(worker) = '' OR length(worker) > 200 THEN
    RAISE EXCEPTION 'the name of the worker must be 1 to 200 characters long' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Each process needs a name of its own, for example of its host and its number.';
  ELSIF wanted NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION '% actions cannot be claimed', wanted USING ERRCODE = 'invalid_parameter_value', HINT = 'Claim 1 to 1000.';
  ELSIF lease NOT BETWEEN interval '1 second' AND interval '1 day' THEN
    RAISE EXCEPTION 'a lease of % is not possible', lease USING ERRCODE = 'invalid_parameter_value', HINT = 'A lease is one second to one day long.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_claim(text, integer, interval) IS
  'Raises for arguments that mean nothing; internal to claim_actions().';

CREATE FUNCTION stratum._max_attempts(tenant bigint) RETURNS numeric
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT stratum._read_trust_settings(t.settings) ->> 'max_attempts' FROM stratum.tenants t WHERE t.id = tenant);
END $$;
COMMENT ON FUNCTION stratum._max_attempts(bigint) IS
  'How often workers may fail before an action of the tenant is given up; internal.';

CREATE FUNCTION stratum._give_up_expired(tenant bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.action_deliveries d
  SET state = 'dead', lease_until = NULL, finished_at = clock_timestamp(), last_error = 'the lease ran out'
  WHERE d.tenant_id = _give_up_expired.tenant AND d.action_id = ANY (ARRAY(
    SELECT e.action_id FROM stratum.action_deliveries e
    WHERE e.tenant_id = _give_up_expired.tenant AND e.state = 'claimed' AND e.lease_until <= clock_timestamp()
      AND e.attempts >= stratum._max_attempts(_give_up_expired.tenant)
    FOR NO KEY UPDATE SKIP LOCKED));
END $$;
COMMENT ON FUNCTION stratum._give_up_expired(bigint) IS
  'Gives up actions whose last attempt was never reported; internal to claim_actions().';

CREATE FUNCTION stratum.claim_actions(worker text, "limit" integer DEFAULT 10, lease interval DEFAULT '5 minutes')
  RETURNS TABLE (action_id bigint, action_type text, entity_type text, entity_id bigint, payload jsonb, attempt integer, lease_until timestamptz)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  PERFORM stratum._check_claim(worker, "limit", lease);
  PERFORM stratum._give_up_expired(tenant);
  RETURN QUERY
    WITH claimed AS (
      UPDATE stratum.action_deliveries d
      SET state = 'claimed', worker = claim_actions.worker, attempts = d.attempts + 1, lease_until = clock_timestamp() + lease
      WHERE d.tenant_id = tenant AND d.action_id = ANY (ARRAY(
        SELECT w.action_id
        FROM stratum.action_deliveries w JOIN stratum.fact_actions_queue q ON q.tenant_id = w.tenant_id AND q.id = w.action_id
        WHERE w.tenant_id = tenant AND q.status = 'approved'
          AND (w.state = 'waiting' AND w.available_at <= clock_timestamp() OR w.state = 'claimed' AND w.lease_until <= clock_timestamp())
        ORDER BY w.available_at, w.action_id
        LIMIT claim_actions."limit"
        FOR NO KEY UPDATE OF w SKIP LOCKED))
      RETURNING d.action_id, d.attempts, d.lease_until
    )
    SELECT c.action_id::bigint, q.action_type::text, q.entity_type::text, q.entity_id::bigint, q.payload, c.attempts, c.lease_until
    FROM claimed c JOIN stratum.fact_actions_queue q ON q.tenant_id = tenant AND q.id = c.action_id
    ORDER BY c.action_id;
END $$;
COMMENT ON FUNCTION stratum.claim_actions(text, integer, interval) IS
  'Takes actions of the current tenant that were handed over, for the time of the lease; no two workers get the same one. A lease that runs out frees the action for another attempt.';

CREATE FUNCTION stratum._lock_claim(tenant bigint, id bigint, worker text) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  claim record;
BEGIN
  PERFORM FROM stratum._lock_action(_lock_claim.id, 'approved', 'reported');
  SELECT d.state, d.worker, d.attempts INTO claim
  FROM stratum.action_deliveries d WHERE d.tenant_id = _lock_claim.tenant AND d.action_id = _lock_claim.id
  FOR NO KEY UPDATE;
  IF NOT FOUND OR claim.state <> 'claimed' OR claim.worker IS DISTINCT FROM _lock_claim.worker THEN
    RAISE EXCEPTION 'worker "%" has not claimed action %', left(worker, 64), id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN claim.state = 'claimed' THEN format('Worker "%s" has it.', claim.worker) ELSE format('It is %s.', coalesce(claim.state, 'not handed over')) END,
            HINT = 'The lease may have run out: what another worker does now is not this one''s to report.';
  END IF;
  RETURN claim.attempts;
END $$;
COMMENT ON FUNCTION stratum._lock_claim(bigint, bigint, text) IS
  'Locks an action that a worker has claimed; the number of its attempts; internal to complete_action() and fail_action().';

CREATE FUNCTION stratum.complete_action(id bigint, worker text) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  PERFORM stratum._lock_claim(tenant, complete_action.id, complete_action.worker);
  UPDATE stratum.action_deliveries d SET state = 'done', lease_until = NULL, finished_at = clock_timestamp(), last_error = NULL
  WHERE d.tenant_id = tenant AND d.action_id = complete_action.id;
  UPDATE stratum.fact_actions_queue q SET status = 'executed' WHERE q.tenant_id = tenant AND q.id = complete_action.id;
  RETURN 'executed';
END $$;
COMMENT ON FUNCTION stratum.complete_action(bigint, text) IS
  'For a worker that has done an action which it claimed; the action is executed.';

CREATE FUNCTION stratum.fail_action(id bigint, worker text, error text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  tried integer := stratum._lock_claim(tenant, fail_action.id, fail_action.worker);
  given_up boolean := tried >= stratum._max_attempts(tenant);
BEGIN
  UPDATE stratum.action_deliveries d
  SET state = CASE WHEN given_up THEN 'dead' ELSE 'waiting' END, lease_until = NULL, last_error = left(error, 2000),
      -- 1, 2, 4, 8 ... minutes, at most an hour
      available_at = clock_timestamp() + least(60, 2 ^ least(tried - 1, 10)) * interval '1 minute',
      finished_at = CASE WHEN given_up THEN clock_timestamp() END
  WHERE d.tenant_id = tenant AND d.action_id = fail_action.id;
  RETURN CASE WHEN given_up THEN 'dead' ELSE 'waiting' END;
END $$;
COMMENT ON FUNCTION stratum.fail_action(bigint, text, text) IS
  'For a worker that could not do an action which it claimed: waiting, to be claimed again after a while, or dead after too many failures. execute_action() hands a dead one over again.';

CREATE OR REPLACE FUNCTION stratum._install_tenants() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.tenants') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.tenants (
      id SERIAL PRIMARY KEY,
      name VARCHAR(255) NOT NULL,
      slug VARCHAR(100) UNIQUE NOT NULL,
      domain VARCHAR(255),

      plan VARCHAR(50) DEFAULT 'free',
      plan_expires_at TIMESTAMP WITH TIME ZONE,
      stripe_customer_id VARCHAR(255),

      settings JSONB DEFAULT '{}',
      feature_flags JSONB DEFAULT '{}',

      max_users INTEGER DEFAULT 5 CHECK (max_users >= 0),
      max_campaigns INTEGER DEFAULT 50 CHECK (max_campaigns >= 0),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,
      deleted_at TIMESTAMP WITH TIME ZONE
    );

    CREATE INDEX ix_tenants_slug ON stratum.tenants (slug);
    CREATE INDEX ix_tenants_active ON stratum.tenants (is_deleted, plan);

    COMMENT ON TABLE stratum.tenants IS 'Customers of the platform; every other row belongs to one of them.';
    COMMENT ON COLUMN stratum.tenants.id IS 'Identifier; shared by all tenants'' counting, so gaps are normal.';
    COMMENT ON COLUMN stratum.tenants.name IS 'Name of the company. The tenant may change it.';
    COMMENT ON COLUMN stratum.tenants.slug IS 'Short unique name for addresses.';
    COMMENT ON COLUMN stratum.tenants.domain IS 'Web domain of the company. The tenant may change it.';
    COMMENT ON COLUMN stratum.tenants.plan IS 'Subscription plan.';
    COMMENT ON COLUMN stratum.tenants.plan_expires_at IS 'When the plan ends; NULL: never.';
    COMMENT ON COLUMN stratum.tenants.stripe_customer_id IS 'Customer id at the payment provider.';
    COMMENT ON COLUMN stratum.tenants.settings IS 'Preferences of the tenant, which may change them.';
    COMMENT ON COLUMN stratum.tenants.feature_flags IS 'Features switched on or off by the platform.';
    COMMENT ON COLUMN stratum.tenants.max_users IS 'Most users the plan allows.';
    COMMENT ON COLUMN stratum.tenants.max_campaigns IS 'Most campaigns the plan allows.';
    COMMENT ON COLUMN stratum.tenants.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.tenants.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.tenants.is_deleted IS 'Soft delete: nobody can enter a deleted tenant.';
    COMMENT ON COLUMN stratum.tenants.deleted_at IS 'When is_deleted became true; kept by stratum.';
    COMMENT ON INDEX stratum.ix_tenants_slug IS 'Look-up by slug.';
    COMMENT ON INDEX stratum.ix_tenants_active IS 'Active tenants by plan.';
    COMMENT ON SEQUENCE stratum.tenants_id_seq IS 'Numbers the rows of stratum.tenants, for all tenants together.';
    PERFORM stratum._comment_constraints('tenants');
  END IF;

  PERFORM stratum._attach_mixin('tenants', '{}',
    '{id,plan,settings,feature_flags,max_users,max_campaigns,created_at,updated_at,is_deleted}');
  PERFORM stratum._put_trigger(
    'stratum.tenants', 'zz_stratum_check',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_tenant_settings()',
    'Settings that mean nothing are refused.');
  PERFORM stratum._audit_stratum_table('tenants', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('tenants', 'id');
  PERFORM stratum._give_rights('tenants', is_new, 'SELECT, UPDATE (name, domain, settings, updated_at)',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_users() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.users') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.users (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      email VARCHAR(255) NOT NULL,
      email_hash VARCHAR(64) NOT NULL CHECK (email_hash ~ '^[0-9a-fA-F]{64}$'),
      password_hash VARCHAR(255) NOT NULL,

      full_name VARCHAR(255),
      phone VARCHAR(100),
      avatar_url VARCHAR(500),

      role stratum.user_role DEFAULT 'analyst',
      permissions JSONB DEFAULT '{}',

      is_active BOOLEAN DEFAULT TRUE,
      is_verified BOOLEAN DEFAULT FALSE,
      is_protected BOOLEAN DEFAULT FALSE,
      last_login_at TIMESTAMP WITH TIME ZONE,

      totp_secret VARCHAR(255),
      totp_enabled BOOLEAN DEFAULT FALSE,
      totp_verified_at TIMESTAMP WITH TIME ZONE,
      backup_codes JSONB,
      failed_totp_attempts INTEGER DEFAULT 0 CHECK (failed_totp_attempts >= 0),
      totp_lockout_until TIMESTAMP WITH TIME ZONE,

      locale VARCHAR(10) DEFAULT 'en',
      timezone VARCHAR(50) DEFAULT 'UTC',
      preferences JSONB DEFAULT '{}',

      consent_marketing BOOLEAN DEFAULT FALSE,
      consent_analytics BOOLEAN DEFAULT TRUE,
      gdpr_anonymized_at TIMESTAMP WITH TIME ZONE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,
      deleted_at TIMESTAMP WITH TIME ZONE,

      UNIQUE (tenant_id, email_hash),
      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_users_email_hash ON stratum.users (email_hash);
    CREATE INDEX ix_users_tenant_active ON stratum.users (tenant_id, is_active, is_deleted);
    CREATE UNIQUE INDEX ix_users_platform_email_hash ON stratum.users (email_hash) WHERE tenant_id IS NULL;

    COMMENT ON TABLE stratum.users IS 'People who sign in, with a role; tenant_id NULL: a user of the platform itself.';
    COMMENT ON COLUMN stratum.users.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.users.tenant_id IS 'Tenant of the user; NULL: the platform''s own.';
    COMMENT ON COLUMN stratum.users.email IS 'E-mail address, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.users.email_hash IS 'SHA-256 of the normalised address, for look-ups; filled by stratum for a plain address.';
    COMMENT ON COLUMN stratum.users.password_hash IS 'Password hash of the client; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.full_name IS 'Full name.';
    COMMENT ON COLUMN stratum.users.phone IS 'Telephone number.';
    COMMENT ON COLUMN stratum.users.avatar_url IS 'Address of a picture.';
    COMMENT ON COLUMN stratum.users.role IS 'Role.';
    COMMENT ON COLUMN stratum.users.permissions IS 'Rights beyond the role.';
    COMMENT ON COLUMN stratum.users.is_active IS 'Only active users can be entered.';
    COMMENT ON COLUMN stratum.users.is_verified IS 'The address was confirmed.';
    COMMENT ON COLUMN stratum.users.is_protected IS 'Not to be deleted or demoted.';
    COMMENT ON COLUMN stratum.users.last_login_at IS 'Last sign-in; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.users.totp_secret IS 'Secret of the second factor; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.totp_enabled IS 'A second factor is asked for.';
    COMMENT ON COLUMN stratum.users.totp_verified_at IS 'When the second factor was set up.';
    COMMENT ON COLUMN stratum.users.backup_codes IS 'Codes that replace the second factor; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.failed_totp_attempts IS 'Failed second factors in a row.';
    COMMENT ON COLUMN stratum.users.totp_lockout_until IS 'No second factor is accepted before this time.';
    COMMENT ON COLUMN stratum.users.locale IS 'Language.';
    COMMENT ON COLUMN stratum.users.timezone IS 'Time zone name.';
    COMMENT ON COLUMN stratum.users.preferences IS 'Preferences of the user.';
    COMMENT ON COLUMN stratum.users.consent_marketing IS 'Agreed to marketing messages.';
    COMMENT ON COLUMN stratum.users.consent_analytics IS 'Agreed to analytics.';
    COMMENT ON COLUMN stratum.users.gdpr_anonymized_at IS 'When the person was anonymised.';
    COMMENT ON COLUMN stratum.users.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.users.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.users.is_deleted IS 'Soft delete.';
    COMMENT ON COLUMN stratum.users.deleted_at IS 'When is_deleted became true; kept by stratum.';
    COMMENT ON INDEX stratum.ix_users_email_hash IS 'Look-up at sign-in.';
    COMMENT ON INDEX stratum.ix_users_tenant_active IS 'Active users of a tenant.';
    COMMENT ON INDEX stratum.ix_users_platform_email_hash IS 'One platform user an address, which UNIQUE (tenant_id, email_hash) does not say for NULL.';
    COMMENT ON SEQUENCE stratum.users_id_seq IS 'Numbers the rows of stratum.users, for all tenants together.';
    PERFORM stratum._comment_constraints('users');
  END IF;

  ALTER TABLE stratum.users ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('users', '{email}',
    '{id,role,permissions,is_active,is_verified,is_protected,totp_enabled,failed_totp_attempts,
      locale,timezone,preferences,consent_marketing,consent_analytics,created_at,updated_at,
      is_deleted}');
  PERFORM stratum._audit_stratum_table('users', 'insert,update,delete,truncate');
  PERFORM stratum._limit_table('users', 'max_users');
  PERFORM stratum._put_trigger(
    'stratum.users', 'zz_stratum_protected',
    'AFTER UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._guard_protected_user()',
    'A protected user is not deleted or demoted by the application.');
  PERFORM stratum._isolate('users', 'tenant_id');
  PERFORM stratum._give_rights('users', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_campaigns() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.campaigns') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.campaigns (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      platform stratum.ad_platform NOT NULL,
      external_id VARCHAR(255) NOT NULL,
      account_id VARCHAR(255) NOT NULL,

      name VARCHAR(500) NOT NULL,
      status stratum.campaign_status DEFAULT 'draft',
      objective VARCHAR(100),

      daily_budget_cents INTEGER CHECK (daily_budget_cents >= 0),
      lifetime_budget_cents INTEGER CHECK (lifetime_budget_cents >= 0),
      total_spend_cents INTEGER DEFAULT 0,
      currency VARCHAR(3) DEFAULT 'USD',

      impressions INTEGER DEFAULT 0 CHECK (impressions >= 0),
      clicks INTEGER DEFAULT 0 CHECK (clicks >= 0),
      conversions INTEGER DEFAULT 0 CHECK (conversions >= 0),
      revenue_cents INTEGER DEFAULT 0,

      ctr FLOAT,
      cpc_cents INTEGER,
      cpm_cents INTEGER,
      cpa_cents INTEGER,
      roas FLOAT,

      targeting_age_min INTEGER CHECK (targeting_age_min >= 0),
      targeting_age_max INTEGER CHECK (targeting_age_max >= 0),
      targeting_genders JSONB,
      targeting_locations JSONB,
      targeting_interests JSONB,

      demographics_age JSONB,
      demographics_gender JSONB,
      demographics_location JSONB,

      start_date DATE,
      end_date DATE,

      labels JSONB DEFAULT '[]',
      raw_data JSONB,

      last_synced_at TIMESTAMP WITH TIME ZONE,
      sync_error TEXT,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,

      UNIQUE (tenant_id, platform, external_id),
      CONSTRAINT campaigns_dates_check CHECK (end_date >= start_date),
      CONSTRAINT campaigns_targeting_age_check CHECK (targeting_age_max >= targeting_age_min)
    );

    CREATE INDEX ix_campaigns_tenant_status ON stratum.campaigns (tenant_id, status);
    CREATE INDEX ix_campaigns_platform ON stratum.campaigns (tenant_id, platform);
    CREATE INDEX ix_campaigns_date_range ON stratum.campaigns (tenant_id, start_date, end_date);
    CREATE INDEX ix_campaigns_roas ON stratum.campaigns (tenant_id, roas);
    CREATE INDEX ix_campaigns_active ON stratum.campaigns (tenant_id, created_at) WHERE status = 'active' AND is_deleted = FALSE;

    COMMENT ON TABLE stratum.campaigns IS 'Ad campaigns of every platform, with their counters and metrics.';
    COMMENT ON COLUMN stratum.campaigns.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.campaigns.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.campaigns.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.campaigns.external_id IS 'Id of the campaign at the platform.';
    COMMENT ON COLUMN stratum.campaigns.account_id IS 'Ad account at the platform.';
    COMMENT ON COLUMN stratum.campaigns.name IS 'Name of the campaign.';
    COMMENT ON COLUMN stratum.campaigns.status IS 'Status.';
    COMMENT ON COLUMN stratum.campaigns.objective IS 'Objective, in the platform''s words.';
    COMMENT ON COLUMN stratum.campaigns.daily_budget_cents IS 'Budget a day, cents of currency.';
    COMMENT ON COLUMN stratum.campaigns.lifetime_budget_cents IS 'Budget over the whole run, cents of currency.';
    COMMENT ON COLUMN stratum.campaigns.total_spend_cents IS 'Spent so far, cents of currency; may fall below 0 by credits.';
    COMMENT ON COLUMN stratum.campaigns.currency IS 'ISO 4217 code.';
    COMMENT ON COLUMN stratum.campaigns.impressions IS 'Times shown.';
    COMMENT ON COLUMN stratum.campaigns.clicks IS 'Clicks.';
    COMMENT ON COLUMN stratum.campaigns.conversions IS 'Conversions.';
    COMMENT ON COLUMN stratum.campaigns.revenue_cents IS 'Revenue attributed, cents of currency; may fall below 0 by refunds.';
    COMMENT ON COLUMN stratum.campaigns.ctr IS 'Click-through rate, per cent; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpc_cents IS 'Cost a click, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpm_cents IS 'Cost a thousand impressions, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.cpa_cents IS 'Cost a conversion, cents; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.roas IS 'Return on ad spend, ratio of revenue to spend; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.targeting_age_min IS 'Youngest age targeted, years.';
    COMMENT ON COLUMN stratum.campaigns.targeting_age_max IS 'Oldest age targeted, years.';
    COMMENT ON COLUMN stratum.campaigns.targeting_genders IS 'Genders targeted.';
    COMMENT ON COLUMN stratum.campaigns.targeting_locations IS 'Places targeted.';
    COMMENT ON COLUMN stratum.campaigns.targeting_interests IS 'Interests targeted.';
    COMMENT ON COLUMN stratum.campaigns.demographics_age IS 'Results by age.';
    COMMENT ON COLUMN stratum.campaigns.demographics_gender IS 'Results by gender.';
    COMMENT ON COLUMN stratum.campaigns.demographics_location IS 'Results by place.';
    COMMENT ON COLUMN stratum.campaigns.start_date IS 'First day.';
    COMMENT ON COLUMN stratum.campaigns.end_date IS 'Last day.';
    COMMENT ON COLUMN stratum.campaigns.labels IS 'Labels, an array of strings.';
    COMMENT ON COLUMN stratum.campaigns.raw_data IS 'The platform''s own answer.';
    COMMENT ON COLUMN stratum.campaigns.last_synced_at IS 'Last fetched from the platform; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.campaigns.sync_error IS 'Why the last fetch failed.';
    COMMENT ON COLUMN stratum.campaigns.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.campaigns.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.campaigns.is_deleted IS 'Soft delete.';
    COMMENT ON INDEX stratum.ix_campaigns_tenant_status IS 'Campaigns of a tenant by status.';
    COMMENT ON INDEX stratum.ix_campaigns_platform IS 'Campaigns of a tenant by platform.';
    COMMENT ON INDEX stratum.ix_campaigns_date_range IS 'Campaigns of a tenant by date.';
    COMMENT ON INDEX stratum.ix_campaigns_roas IS 'Best campaigns of a tenant.';
    COMMENT ON INDEX stratum.ix_campaigns_active IS 'Active campaigns only.';
    COMMENT ON SEQUENCE stratum.campaigns_id_seq IS 'Numbers the rows of stratum.campaigns, for all tenants together.';
    PERFORM stratum._comment_constraints('campaigns');
  END IF;

  ALTER TABLE stratum.campaigns ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('campaigns', '{metrics}',
    '{id,status,total_spend_cents,currency,impressions,clicks,conversions,revenue_cents,labels,
      created_at,updated_at,is_deleted}');
  PERFORM stratum._audit_stratum_table('campaigns', 'insert,update,delete,truncate');
  PERFORM stratum._limit_table('campaigns', 'max_campaigns');
  PERFORM stratum._isolate('campaigns', 'tenant_id');
  PERFORM stratum._give_rights('campaigns', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_cdp_profiles() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_profiles') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_profiles (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      canonical_id UUID UNIQUE NOT NULL,
      anonymous_id VARCHAR(255),
      external_id VARCHAR(255),

      email VARCHAR(255),
      email_hash VARCHAR(64) CHECK (email_hash ~ '^[0-9a-fA-F]{64}$'),
      phone VARCHAR(100),
      phone_hash VARCHAR(64) CHECK (phone_hash ~ '^[0-9a-fA-F]{64}$'),

      first_name VARCHAR(255),
      last_name VARCHAR(255),

      lifecycle_stage VARCHAR(50) DEFAULT 'anonymous',
      first_seen_at TIMESTAMP WITH TIME ZONE,
      last_seen_at TIMESTAMP WITH TIME ZONE,

      traits JSONB DEFAULT '{}',
      computed_traits JSONB DEFAULT '{}',

      consent JSONB DEFAULT '{}',

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id),
      UNIQUE (tenant_id, canonical_id)
    ) WITH (fillfactor = 85);  -- room for a new version in the same page: every event moves last_seen_at, which no index holds

    CREATE INDEX ix_cdp_profiles_tenant ON stratum.cdp_profiles (tenant_id);
    CREATE INDEX ix_cdp_profiles_email_hash ON stratum.cdp_profiles (tenant_id, email_hash);
    CREATE INDEX ix_cdp_profiles_lifecycle ON stratum.cdp_profiles (tenant_id, lifecycle_stage);
    CREATE INDEX ix_profiles_traits ON stratum.cdp_profiles USING GIN (traits);

    COMMENT ON TABLE stratum.cdp_profiles IS 'Unified customer profiles.';
    COMMENT ON COLUMN stratum.cdp_profiles.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_profiles.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_profiles.canonical_id IS 'Id of the person across systems, made by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.anonymous_id IS 'Id before the person was known.';
    COMMENT ON COLUMN stratum.cdp_profiles.external_id IS 'Id in the client''s own system.';
    COMMENT ON COLUMN stratum.cdp_profiles.email IS 'E-mail address, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.email_hash IS 'SHA-256 of the normalised address; filled by stratum for a plain address.';
    COMMENT ON COLUMN stratum.cdp_profiles.phone IS 'Telephone number, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.phone_hash IS 'SHA-256 of the digits; filled by stratum for a plain number.';
    COMMENT ON COLUMN stratum.cdp_profiles.first_name IS 'First name.';
    COMMENT ON COLUMN stratum.cdp_profiles.last_name IS 'Last name.';
    COMMENT ON COLUMN stratum.cdp_profiles.lifecycle_stage IS 'Stage: anonymous, lead, customer, ...';
    COMMENT ON COLUMN stratum.cdp_profiles.first_seen_at IS 'First contact.';
    COMMENT ON COLUMN stratum.cdp_profiles.last_seen_at IS 'Last contact.';
    COMMENT ON COLUMN stratum.cdp_profiles.traits IS 'What the client knows of the person; field trait.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.computed_traits IS 'What was computed of the person; field computed.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.consent IS 'What the person agreed to; field consent.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_profiles.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_tenant IS 'Profiles of a tenant.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_email_hash IS 'Look-up by address.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_lifecycle IS 'Profiles of a tenant by stage.';
    COMMENT ON INDEX stratum.ix_profiles_traits IS 'Containment in traits.';
    COMMENT ON SEQUENCE stratum.cdp_profiles_id_seq IS 'Numbers the rows of stratum.cdp_profiles, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_profiles');
  END IF;

  -- since 1.1
  IF to_regclass('stratum.ix_cdp_profiles_external_id') IS NULL THEN
    CREATE INDEX ix_cdp_profiles_external_id ON stratum.cdp_profiles (tenant_id, external_id);
    COMMENT ON INDEX stratum.ix_cdp_profiles_external_id IS 'Look-up by the client''s own id.';
  END IF;
  IF to_regclass('stratum.ix_cdp_profiles_anonymous_id') IS NULL THEN
    CREATE INDEX ix_cdp_profiles_anonymous_id ON stratum.cdp_profiles (tenant_id, anonymous_id);
    COMMENT ON INDEX stratum.ix_cdp_profiles_anonymous_id IS 'Look-up by the id of a device.';
  END IF;

  ALTER TABLE stratum.cdp_profiles ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_profiles', '{email,phone}',
    '{id,lifecycle_stage,traits,computed_traits,consent,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_profiles', 'zz_stratum_live',
    'AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_profile()',
    'Live memberships of the profile are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_profiles', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_profiles', 'tenant_id');
  PERFORM stratum._give_rights('cdp_profiles', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE FUNCTION stratum._install_cdp_profile_aliases() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_profile_aliases') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_profile_aliases (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      kind TEXT NOT NULL CHECK (kind = ANY ('{canonical_id,email_hash,external_id,anonymous_id}'::text[])),
      value TEXT NOT NULL,
      profile_id INTEGER NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),

      PRIMARY KEY (tenant_id, kind, value),
      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE
    );

    CREATE INDEX ix_cdp_profile_aliases_profile ON stratum.cdp_profile_aliases (tenant_id, profile_id);

    COMMENT ON TABLE stratum.cdp_profile_aliases IS 'Other names of profiles: of those merged into them, and of further devices.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.kind IS 'Column of cdp_profiles that the value would be in.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.value IS 'The name.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.profile_id IS 'Profile that it stands for.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.created_at IS 'When it was learnt.';
    COMMENT ON INDEX stratum.ix_cdp_profile_aliases_profile IS 'Other names of a profile.';
    PERFORM stratum._comment_constraints('cdp_profile_aliases');
  END IF;

  ALTER TABLE stratum.cdp_profile_aliases ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  -- A name is part of the key, and no erasure changes a resource_id.
  PERFORM stratum._put_audit_triggers('stratum.cdp_profile_aliases', '{value}', '{}', 'update,delete,truncate');
  PERFORM stratum._isolate('cdp_profile_aliases', 'tenant_id');
  PERFORM stratum._give_rights('cdp_profile_aliases', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_profile_aliases() IS
  'Creates stratum.cdp_profile_aliases where it is missing and puts its default, triggers, policies and rights back; internal to install().';

CREATE OR REPLACE FUNCTION stratum._install_cdp_events() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_events') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_events (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      profile_id INTEGER,

      event_name VARCHAR(255) NOT NULL,
      event_type VARCHAR(50) NOT NULL,
      properties JSONB DEFAULT '{}',
      context JSONB DEFAULT '{}',

      message_id UUID UNIQUE,
      anonymous_id VARCHAR(255),

      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      received_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id),
      UNIQUE (tenant_id, message_id)
    );

    CREATE INDEX ix_cdp_events_profile ON stratum.cdp_events (profile_id);
    CREATE INDEX ix_cdp_events_name ON stratum.cdp_events (tenant_id, event_name);
    CREATE INDEX ix_cdp_events_timestamp ON stratum.cdp_events (tenant_id, timestamp);

    COMMENT ON TABLE stratum.cdp_events IS 'What customers did.';
    COMMENT ON COLUMN stratum.cdp_events.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_events.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_events.profile_id IS 'Profile that did it; NULL while unknown.';
    COMMENT ON COLUMN stratum.cdp_events.event_name IS 'Name, for example Purchase; field event.<name> in segments.';
    COMMENT ON COLUMN stratum.cdp_events.event_type IS 'Kind, for example track or page.';
    COMMENT ON COLUMN stratum.cdp_events.properties IS 'Details of the event.';
    COMMENT ON COLUMN stratum.cdp_events.context IS 'Device, page, campaign and the like.';
    COMMENT ON COLUMN stratum.cdp_events.message_id IS 'Id given by the sender, so that a repeated delivery is refused.';
    COMMENT ON COLUMN stratum.cdp_events.anonymous_id IS 'Id before the person was known.';
    COMMENT ON COLUMN stratum.cdp_events.timestamp IS 'When it happened.';
    COMMENT ON COLUMN stratum.cdp_events.received_at IS 'When it arrived.';
    COMMENT ON INDEX stratum.ix_cdp_events_profile IS 'Events of a profile.';
    COMMENT ON INDEX stratum.ix_cdp_events_name IS 'Events of a tenant by name.';
    COMMENT ON INDEX stratum.ix_cdp_events_timestamp IS 'Events of a tenant by time.';
    COMMENT ON SEQUENCE stratum.cdp_events_id_seq IS 'Numbers the rows of stratum.cdp_events, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_events');
  END IF;

  -- since 1.1. With the ids, which tell events at the same time apart, the index alone answers what segments ask.
  IF to_regclass('stratum.ix_cdp_events_profile_name') IS NULL THEN
    CREATE INDEX ix_cdp_events_profile_name ON stratum.cdp_events (tenant_id, profile_id, event_name, timestamp) INCLUDE (id);
    COMMENT ON INDEX stratum.ix_cdp_events_profile_name IS 'Events of a profile by name and time: what segments ask.';
  END IF;

  ALTER TABLE stratum.cdp_events ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_events', '{}',
    '{id,properties,context,received_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_events', 'zz_stratum_live',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_event()',
    'Live memberships of the profile are brought up to date at the end of the transaction.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_events', 'zz_stratum_live_truncate',
    'AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._events_truncated()',
    'Live memberships are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_events', 'update,delete,truncate');
  PERFORM stratum._isolate('cdp_events', 'tenant_id');
  PERFORM stratum._give_rights('cdp_events', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_cdp_segments() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segments') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segments (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      name VARCHAR(255) NOT NULL,
      description TEXT,
      slug VARCHAR(100),

      conditions JSONB NOT NULL,

      profile_count INTEGER DEFAULT 0 CHECK (profile_count >= 0),
      last_computed_at TIMESTAMP WITH TIME ZONE,

      is_active BOOLEAN DEFAULT TRUE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id)
    );

    COMMENT ON TABLE stratum.cdp_segments IS 'Dynamic customer segments: a definition, evaluated over profiles.';
    COMMENT ON COLUMN stratum.cdp_segments.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_segments.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segments.name IS 'Name of the segment.';
    COMMENT ON COLUMN stratum.cdp_segments.description IS 'What it is for.';
    COMMENT ON COLUMN stratum.cdp_segments.slug IS 'Short name for addresses.';
    COMMENT ON COLUMN stratum.cdp_segments.conditions IS 'Definition in the condition language; checked when written.';
    COMMENT ON COLUMN stratum.cdp_segments.profile_count IS 'Members at the last refresh; kept by refresh_segment().';
    COMMENT ON COLUMN stratum.cdp_segments.last_computed_at IS 'Time of the last refresh; kept by refresh_segment().';
    COMMENT ON COLUMN stratum.cdp_segments.is_active IS 'refresh_segments() takes active ones.';
    COMMENT ON COLUMN stratum.cdp_segments.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_segments.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON SEQUENCE stratum.cdp_segments_id_seq IS 'Numbers the rows of stratum.cdp_segments, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_segments');
  END IF;

  ALTER TABLE stratum.cdp_segments ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_segments', '{profile_conditions}',
    '{id,profile_count,is_active,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segments', 'zz_stratum_segments_changed',
    'AFTER INSERT OR DELETE OR UPDATE OF id, tenant_id, slug, conditions, is_active ON %s'
      || ' FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()',
    'Sessions forget the definitions that they keep.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segments', 'zz_stratum_live',
    'AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_segment()',
    'Live segments that depend on it are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_segments', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_segments', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segments', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE FUNCTION stratum._install_cdp_segment_options() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segment_options') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segment_options (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      segment_id INTEGER NOT NULL,
      is_live BOOLEAN NOT NULL DEFAULT FALSE,
      keeps_history BOOLEAN NOT NULL DEFAULT FALSE,

      PRIMARY KEY (tenant_id, segment_id),
      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE
    );

    COMMENT ON TABLE stratum.cdp_segment_options IS 'Which segments are kept live, and which keep a history; written by set_segment_options() only. No row: neither.';
    COMMENT ON COLUMN stratum.cdp_segment_options.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segment_options.segment_id IS 'Segment.';
    COMMENT ON COLUMN stratum.cdp_segment_options.is_live IS 'Every write of a profile or an event keeps its memberships current.';
    COMMENT ON COLUMN stratum.cdp_segment_options.keeps_history IS 'When profiles enter and leave is kept in stratum.cdp_segment_history.';
    PERFORM stratum._comment_constraints('cdp_segment_options');
  END IF;

  ALTER TABLE stratum.cdp_segment_options ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._put_trigger(
    'stratum.cdp_segment_options', 'zz_stratum_segments_changed',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()',
    'Sessions forget the definitions that they keep.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segment_options', 'zz_stratum_live',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_options()',
    'Members of a segment that becomes live are found at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_segment_options', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_segment_options', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segment_options', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segment_options() IS
  'Creates stratum.cdp_segment_options where it is missing and puts its default, triggers, policies and rights back; internal to install().';

CREATE FUNCTION stratum._install_cdp_segment_history() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segment_history') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segment_history (
      id BIGSERIAL PRIMARY KEY,
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      segment_id INTEGER NOT NULL,
      profile_id INTEGER NOT NULL,

      entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
      left_at TIMESTAMP WITH TIME ZONE CHECK (left_at >= entered_at),

      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE,
      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE
    );

    CREATE UNIQUE INDEX ix_cdp_segment_history_present ON stratum.cdp_segment_history (tenant_id, segment_id, profile_id)
      WHERE left_at IS NULL;
    CREATE INDEX ix_cdp_segment_history_entered ON stratum.cdp_segment_history (tenant_id, segment_id, entered_at);
    CREATE INDEX ix_cdp_segment_history_profile ON stratum.cdp_segment_history (tenant_id, profile_id);

    COMMENT ON TABLE stratum.cdp_segment_history IS 'Stays of profiles in the segments that keep a history; written with the memberships only.';
    COMMENT ON COLUMN stratum.cdp_segment_history.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_segment_history.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segment_history.segment_id IS 'Segment.';
    COMMENT ON COLUMN stratum.cdp_segment_history.profile_id IS 'Profile that was in it.';
    COMMENT ON COLUMN stratum.cdp_segment_history.entered_at IS 'When it came in.';
    COMMENT ON COLUMN stratum.cdp_segment_history.left_at IS 'When it left; NULL while it is in.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_present IS 'Stays that last: one for each member.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_entered IS 'Stays of a segment by their beginning.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_profile IS 'Stays of a profile.';
    COMMENT ON SEQUENCE stratum.cdp_segment_history_id_seq IS 'Numbers the rows of stratum.cdp_segment_history, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_segment_history');
  END IF;

  ALTER TABLE stratum.cdp_segment_history ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('cdp_segment_history', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segment_history', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segment_history() IS
  'Creates stratum.cdp_segment_history where it is missing and puts its default, triggers, policies and rights back; internal to install().';

CREATE OR REPLACE FUNCTION stratum._install_cdp_audience_syncs() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_audience_syncs') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_audience_syncs (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      segment_id INTEGER,

      platform stratum.ad_platform NOT NULL,
      platform_audience_id VARCHAR(255),

      name VARCHAR(255) NOT NULL,
      sync_interval VARCHAR(50) DEFAULT 'daily',
      identifier_types JSONB DEFAULT '["email"]',

      is_active BOOLEAN DEFAULT TRUE,
      last_sync_at TIMESTAMP WITH TIME ZONE,
      last_sync_status VARCHAR(50),
      last_sync_error TEXT,

      profiles_synced INTEGER DEFAULT 0 CHECK (profiles_synced >= 0),
      match_rate FLOAT CHECK (match_rate >= 0),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id),
      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_cdp_audience_syncs_segment ON stratum.cdp_audience_syncs (tenant_id, segment_id);

    COMMENT ON TABLE stratum.cdp_audience_syncs IS 'Segments that are uploaded to an ad platform as audiences.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.segment_id IS 'Segment that is uploaded.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.platform_audience_id IS 'Id of the audience at the platform.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.name IS 'Name of the audience.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.sync_interval IS 'How often it is uploaded.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.identifier_types IS 'Identifiers that are sent, an array of strings.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.is_active IS 'Whether it is uploaded at all.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_at IS 'Last upload.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_status IS 'How the last upload ended.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_error IS 'Why the last upload failed.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.profiles_synced IS 'Profiles in the last upload.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.match_rate IS 'Share that the platform recognised, as it reports it.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_cdp_audience_syncs_segment IS 'Uploads of a segment.';
    COMMENT ON SEQUENCE stratum.cdp_audience_syncs_id_seq IS 'Numbers the rows of stratum.cdp_audience_syncs, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_audience_syncs');
  END IF;

  ALTER TABLE stratum.cdp_audience_syncs ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_audience_syncs', '{}',
    '{id,sync_interval,identifier_types,is_active,profiles_synced,created_at,updated_at}');
  PERFORM stratum._audit_stratum_table('cdp_audience_syncs', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_audience_syncs', 'tenant_id');
  PERFORM stratum._give_rights('cdp_audience_syncs', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE FUNCTION stratum._install_cdp_audience_uploads() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_audience_uploads') IS NULL;
BEGIN
  IF is_new THEN
    -- No reference to the profile: what was uploaded has to be taken back when the profile is gone.
    CREATE TABLE stratum.cdp_audience_uploads (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      audience_sync_id INTEGER NOT NULL,
      profile_id INTEGER NOT NULL,
      identifier_type TEXT NOT NULL,
      hash TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state = ANY ('{adding,uploaded,removing}'::text[])),

      PRIMARY KEY (tenant_id, audience_sync_id, profile_id, identifier_type, hash),
      FOREIGN KEY (tenant_id, audience_sync_id) REFERENCES stratum.cdp_audience_syncs (tenant_id, id) ON DELETE CASCADE
    );

    COMMENT ON TABLE stratum.cdp_audience_uploads IS 'What ad platforms have been given, so that they can be given the differences; written by the audience functions only.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.audience_sync_id IS 'Audience sync.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.profile_id IS 'Profile that it was; it may be gone.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.identifier_type IS 'Kind of identifier, as audience_hash() knows it.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.hash IS 'What the platform was given.';
    COMMENT ON COLUMN stratum.cdp_audience_uploads.state IS 'adding and removing: in the run that has been started, and adding also after one that has failed: the platform may have it; uploaded: it has it.';
    PERFORM stratum._comment_constraints('cdp_audience_uploads');
  END IF;

  ALTER TABLE stratum.cdp_audience_uploads ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('cdp_audience_uploads', 'tenant_id');
  PERFORM stratum._give_rights('cdp_audience_uploads', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_audience_uploads() IS
  'Creates stratum.cdp_audience_uploads where it is missing and puts its default, triggers, policies and rights back; internal to install().';

CREATE OR REPLACE FUNCTION stratum._install_fact_signal_health_daily() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.fact_signal_health_daily') IS NULL;
BEGIN
  IF is_new THEN
    -- = ANY (array) rather than IN: it reads the same after a dump.
    CREATE TABLE stratum.fact_signal_health_daily (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      date DATE NOT NULL,

      platform stratum.ad_platform NOT NULL,
      health_score INTEGER NOT NULL CHECK (health_score BETWEEN 0 AND 100),

      data_freshness_score INTEGER CHECK (data_freshness_score BETWEEN 0 AND 100),
      completeness_score INTEGER CHECK (completeness_score BETWEEN 0 AND 100),
      accuracy_score INTEGER CHECK (accuracy_score BETWEEN 0 AND 100),

      status VARCHAR(20) CHECK (status = ANY ('{healthy,degraded,unhealthy}'::text[])),

      issues JSONB DEFAULT '[]',

      UNIQUE (tenant_id, date, platform)
    );

    COMMENT ON TABLE stratum.fact_signal_health_daily IS 'Daily health of the signals that a platform gets.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.date IS 'Day.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.health_score IS 'Health, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.data_freshness_score IS 'Freshness of the data, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.completeness_score IS 'Completeness, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.accuracy_score IS 'Accuracy, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.status IS 'healthy, degraded or unhealthy.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.issues IS 'What was found, an array.';
    COMMENT ON SEQUENCE stratum.fact_signal_health_daily_id_seq IS 'Numbers the rows of stratum.fact_signal_health_daily, for all tenants together.';
    PERFORM stratum._comment_constraints('fact_signal_health_daily');
  END IF;

  ALTER TABLE stratum.fact_signal_health_daily ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('fact_signal_health_daily', '{}',
    '{id,issues}');
  PERFORM stratum._put_trigger(
    'stratum.fact_signal_health_daily', 'zz_stratum_signals',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._keep_signal_health()',
    'The score that is left out, and the status.');
  PERFORM stratum._audit_stratum_table('fact_signal_health_daily', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('fact_signal_health_daily', 'tenant_id');
  PERFORM stratum._give_rights('fact_signal_health_daily', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_fact_actions_queue() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.fact_actions_queue') IS NULL;
BEGIN
  IF is_new THEN
    -- = ANY (array) rather than IN: it reads the same after a dump.
    CREATE TABLE stratum.fact_actions_queue (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      action_type VARCHAR(50) NOT NULL,
      entity_type VARCHAR(50) NOT NULL,
      entity_id INTEGER NOT NULL,

      payload JSONB NOT NULL,
      reason TEXT,

      status VARCHAR(20) DEFAULT 'pending' CHECK (status = ANY ('{pending,approved,rejected,executed}'::text[])),

      created_by_id INTEGER,
      approved_by_id INTEGER,
      approved_at TIMESTAMP WITH TIME ZONE,
      executed_at TIMESTAMP WITH TIME ZONE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_fact_actions_queue_tenant_status ON stratum.fact_actions_queue (tenant_id, status);

    COMMENT ON TABLE stratum.fact_actions_queue IS 'Actions that the autopilot proposes, until somebody decides.';
    COMMENT ON COLUMN stratum.fact_actions_queue.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.fact_actions_queue.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.fact_actions_queue.action_type IS 'What to do.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_type IS 'Kind of thing it is done to, for example campaign.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_id IS 'Id of that thing.';
    COMMENT ON COLUMN stratum.fact_actions_queue.payload IS 'Details of the action; "outcome" is what execute_action() has changed.';
    COMMENT ON COLUMN stratum.fact_actions_queue.reason IS 'Why it is proposed; where it was rejected with a reason, that one.';
    COMMENT ON COLUMN stratum.fact_actions_queue.status IS 'pending, approved, rejected or executed.';
    COMMENT ON COLUMN stratum.fact_actions_queue.created_by_id IS 'User who proposed it.';
    COMMENT ON COLUMN stratum.fact_actions_queue.approved_by_id IS 'User who decided.';
    COMMENT ON COLUMN stratum.fact_actions_queue.approved_at IS 'When it was approved.';
    COMMENT ON COLUMN stratum.fact_actions_queue.executed_at IS 'When it was done.';
    COMMENT ON COLUMN stratum.fact_actions_queue.created_at IS 'When the row was made.';
    COMMENT ON INDEX stratum.ix_fact_actions_queue_tenant_status IS 'What waits in a tenant.';
    COMMENT ON SEQUENCE stratum.fact_actions_queue_id_seq IS 'Numbers the rows of stratum.fact_actions_queue, for all tenants together.';
    PERFORM stratum._comment_constraints('fact_actions_queue');
  END IF;

  ALTER TABLE stratum.fact_actions_queue ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('fact_actions_queue', '{}',
    '{id,status,created_at}');
  PERFORM stratum._put_trigger(
    'stratum.fact_actions_queue', 'zz_stratum_state',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._keep_action()',
    'The life of an action; who decided, and when.');
  PERFORM stratum._audit_stratum_table('fact_actions_queue', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('fact_actions_queue', 'tenant_id');
  PERFORM stratum._give_rights('fact_actions_queue', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE FUNCTION stratum._install_action_deliveries() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.action_deliveries') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.action_deliveries (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      action_id INTEGER NOT NULL,

      state VARCHAR(20) NOT NULL DEFAULT 'waiting' CHECK (state = ANY ('{waiting,claimed,done,dead}'::text[])),
      attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      worker TEXT,
      lease_until TIMESTAMP WITH TIME ZONE,
      available_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      last_error TEXT,

      handed_over_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      finished_at TIMESTAMP WITH TIME ZONE,

      PRIMARY KEY (tenant_id, action_id),
      FOREIGN KEY (tenant_id, action_id) REFERENCES stratum.fact_actions_queue (tenant_id, id) ON DELETE CASCADE
    );

    CREATE INDEX ix_action_deliveries_tenant_state ON stratum.action_deliveries (tenant_id, state, available_at);

    COMMENT ON TABLE stratum.action_deliveries IS 'Actions that workers do, with who has which and until when; written by stratum only.';
    COMMENT ON COLUMN stratum.action_deliveries.action_id IS 'Action of fact_actions_queue.';
    COMMENT ON COLUMN stratum.action_deliveries.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.action_deliveries.state IS 'waiting, claimed, done, or dead: given up.';
    COMMENT ON COLUMN stratum.action_deliveries.attempts IS 'How often it was claimed.';
    COMMENT ON COLUMN stratum.action_deliveries.worker IS 'Who claimed it last.';
    COMMENT ON COLUMN stratum.action_deliveries.lease_until IS 'Until when nobody else may claim it.';
    COMMENT ON COLUMN stratum.action_deliveries.available_at IS 'From when on it may be claimed.';
    COMMENT ON COLUMN stratum.action_deliveries.last_error IS 'What the last failure was.';
    COMMENT ON COLUMN stratum.action_deliveries.handed_over_at IS 'When it was first handed over.';
    COMMENT ON COLUMN stratum.action_deliveries.finished_at IS 'When it was done or given up.';
    COMMENT ON INDEX stratum.ix_action_deliveries_tenant_state IS 'What workers of a tenant may claim.';
    PERFORM stratum._comment_constraints('action_deliveries');
  END IF;

  ALTER TABLE stratum.action_deliveries ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('action_deliveries', 'tenant_id');
  PERFORM stratum._give_rights('action_deliveries', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_action_deliveries() IS
  'Creates stratum.action_deliveries where it is missing and puts its default, policies and rights back; internal to install().';

CREATE OR REPLACE FUNCTION stratum._install_campaign_drafts() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.campaign_drafts') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.campaign_drafts (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      created_by_id INTEGER,

      name VARCHAR(500) NOT NULL,
      platforms JSONB NOT NULL,

      data JSONB NOT NULL,

      status VARCHAR(50) DEFAULT 'draft',

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, created_by_id) REFERENCES stratum.users (tenant_id, id)
    );

    CREATE INDEX ix_campaign_drafts_created_by ON stratum.campaign_drafts (tenant_id, created_by_id);

    COMMENT ON TABLE stratum.campaign_drafts IS 'Campaigns before they are published.';
    COMMENT ON COLUMN stratum.campaign_drafts.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.campaign_drafts.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.campaign_drafts.created_by_id IS 'User who made it, of the same tenant.';
    COMMENT ON COLUMN stratum.campaign_drafts.name IS 'Name of the campaign.';
    COMMENT ON COLUMN stratum.campaign_drafts.platforms IS 'Platforms to publish to, an array of strings.';
    COMMENT ON COLUMN stratum.campaign_drafts.data IS 'Settings of the campaign.';
    COMMENT ON COLUMN stratum.campaign_drafts.status IS 'Status.';
    COMMENT ON COLUMN stratum.campaign_drafts.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.campaign_drafts.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_campaign_drafts_created_by IS 'Drafts of a user.';
    COMMENT ON SEQUENCE stratum.campaign_drafts_id_seq IS 'Numbers the rows of stratum.campaign_drafts, for all tenants together.';
    PERFORM stratum._comment_constraints('campaign_drafts');
  END IF;

  ALTER TABLE stratum.campaign_drafts ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('campaign_drafts', '{}',
    '{id,status,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.campaign_drafts', 'zz_stratum_draft',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_draft()',
    'Refuses platforms and data that cannot become campaigns.');
  PERFORM stratum._audit_stratum_table('campaign_drafts', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('campaign_drafts', 'tenant_id');
  PERFORM stratum._give_rights('campaign_drafts', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_rules() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.rules') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.rules (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      name VARCHAR(255) NOT NULL,
      description TEXT,

      conditions JSONB NOT NULL,
      actions JSONB NOT NULL,

      schedule VARCHAR(50),

      status stratum.rule_status DEFAULT 'draft',
      is_enabled BOOLEAN DEFAULT TRUE,

      executions_count INTEGER DEFAULT 0 CHECK (executions_count >= 0),
      last_executed_at TIMESTAMP WITH TIME ZONE,
      last_execution_result JSONB,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE
    );

    CREATE INDEX ix_rules_tenant_status ON stratum.rules (tenant_id, status);

    COMMENT ON TABLE stratum.rules IS 'Automation rules: conditions over campaigns, and what to do when they hold.';
    COMMENT ON COLUMN stratum.rules.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.rules.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.rules.name IS 'Name of the rule.';
    COMMENT ON COLUMN stratum.rules.description IS 'What it is for.';
    COMMENT ON COLUMN stratum.rules.conditions IS 'Definition in the condition language, over campaigns; checked when written.';
    COMMENT ON COLUMN stratum.rules.actions IS 'What to do, an array of {"type": rule_action, ...}.';
    COMMENT ON COLUMN stratum.rules.schedule IS 'When to run: a cron expression or an interval.';
    COMMENT ON COLUMN stratum.rules.status IS 'Status.';
    COMMENT ON COLUMN stratum.rules.is_enabled IS 'Switch beside the status.';
    COMMENT ON COLUMN stratum.rules.executions_count IS 'Times run; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.last_executed_at IS 'Last run; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.last_execution_result IS 'What the last run did; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.rules.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.rules.is_deleted IS 'Soft delete.';
    COMMENT ON INDEX stratum.ix_rules_tenant_status IS 'Rules of a tenant by status.';
    COMMENT ON SEQUENCE stratum.rules_id_seq IS 'Numbers the rows of stratum.rules, for all tenants together.';
    PERFORM stratum._comment_constraints('rules');
  END IF;

  ALTER TABLE stratum.rules ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('rules', '{campaign_conditions}',
    '{id,status,is_enabled,executions_count,created_at,updated_at,is_deleted}');
  PERFORM stratum._put_trigger(
    'stratum.rules', 'zz_stratum_check',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_rule()',
    'Schedules and actions that mean nothing are refused.');
  PERFORM stratum._audit_stratum_table('rules', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('rules', 'tenant_id');
  PERFORM stratum._give_rights('rules', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

CREATE OR REPLACE FUNCTION stratum._install_audit_logs() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_logs') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_logs (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      user_id INTEGER REFERENCES stratum.users (id),

      action stratum.audit_action NOT NULL,
      resource_type VARCHAR(100) NOT NULL,
      resource_id VARCHAR(255),

      old_values JSONB,
      new_values JSONB,
      metadata JSONB DEFAULT '{}',

      ip_address INET,
      user_agent TEXT,
      request_id VARCHAR(100),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
    );

    CREATE INDEX ix_audit_logs_tenant ON stratum.audit_logs (tenant_id);
    CREATE INDEX ix_audit_logs_user ON stratum.audit_logs (user_id);
    CREATE INDEX ix_audit_logs_resource ON stratum.audit_logs (resource_type, resource_id);
    CREATE INDEX ix_audit_logs_created ON stratum.audit_logs (created_at);

    COMMENT ON TABLE stratum.audit_logs IS 'Who changed what; append-only.';
    COMMENT ON COLUMN stratum.audit_logs.id IS 'Identifier; later rows of a transaction have higher ones.';
    COMMENT ON COLUMN stratum.audit_logs.tenant_id IS 'Tenant of the changed row; NULL: of the platform.';
    COMMENT ON COLUMN stratum.audit_logs.user_id IS 'User of the context; NULL: none was entered.';
    COMMENT ON COLUMN stratum.audit_logs.action IS 'What was done.';
    COMMENT ON COLUMN stratum.audit_logs.resource_type IS 'Table, or any kind of thing for logged events.';
    COMMENT ON COLUMN stratum.audit_logs.resource_id IS 'Key of the row; a JSON array for a composite one.';
    COMMENT ON COLUMN stratum.audit_logs.old_values IS 'Before: the changed columns of an update, the whole row of a delete.';
    COMMENT ON COLUMN stratum.audit_logs.new_values IS 'After: the changed columns of an update, the whole row of a create.';
    COMMENT ON COLUMN stratum.audit_logs.metadata IS 'Whatever else is known.';
    COMMENT ON COLUMN stratum.audit_logs.ip_address IS 'Address given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.user_agent IS 'User agent given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.request_id IS 'Request id given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.created_at IS 'Time of the transaction.';
    COMMENT ON INDEX stratum.ix_audit_logs_tenant IS 'Trail of a tenant.';
    COMMENT ON INDEX stratum.ix_audit_logs_user IS 'Trail of a user.';
    COMMENT ON INDEX stratum.ix_audit_logs_resource IS 'Trail of a row.';
    COMMENT ON INDEX stratum.ix_audit_logs_created IS 'Trail by time.';
    COMMENT ON SEQUENCE stratum.audit_logs_id_seq IS 'Numbers the rows of stratum.audit_logs, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_logs');
  END IF;

  -- since 1.1
  IF to_regclass('stratum.ix_audit_logs_request') IS NULL THEN
    CREATE INDEX ix_audit_logs_request ON stratum.audit_logs (request_id) WHERE request_id IS NOT NULL;
    COMMENT ON INDEX stratum.ix_audit_logs_request IS 'Trail of a request.';
  END IF;

  ALTER TABLE stratum.audit_logs ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_audit_guard();
  PERFORM stratum._isolate('audit_logs', 'tenant_id');
  DROP POLICY IF EXISTS auditor_read ON stratum.audit_logs;
  CREATE POLICY auditor_read ON stratum.audit_logs FOR SELECT TO stratum_auditor USING (true);
  COMMENT ON POLICY auditor_read ON stratum.audit_logs IS 'Auditors read the trail of every tenant.';
  PERFORM stratum._give_rights('audit_logs', is_new, 'SELECT, INSERT',
    'SELECT, INSERT', 'SELECT');
END $install$;

CREATE FUNCTION stratum._install_jwt_keys() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.jwt_keys') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.jwt_keys (
      kid TEXT PRIMARY KEY CHECK (kid <> ''),
      secret BYTEA NOT NULL CHECK (octet_length(secret) >= 32 AND octet_length(secret) <= 1024),
      audience TEXT NOT NULL CHECK (audience <> ''),
      valid_from TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      valid_until TIMESTAMP WITH TIME ZONE,

      CONSTRAINT jwt_keys_valid_check CHECK (valid_until >= valid_from)
    );

    COMMENT ON TABLE stratum.jwt_keys IS 'Keys that tokens for enter_jwt() are signed with; nobody may read it but superusers.';
    COMMENT ON COLUMN stratum.jwt_keys.kid IS 'Name of the key, as the header of a token has it.';
    COMMENT ON COLUMN stratum.jwt_keys.secret IS 'Shared with who signs; 32 to 1024 bytes; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.jwt_keys.audience IS 'Claim "aud" that tokens with this key must have.';
    COMMENT ON COLUMN stratum.jwt_keys.valid_from IS 'Tokens are taken from this time on.';
    COMMENT ON COLUMN stratum.jwt_keys.valid_until IS 'No token is taken from this time on; NULL: no end.';
    PERFORM stratum._comment_constraints('jwt_keys');
  END IF;

  PERFORM stratum._put_audit_triggers('stratum.jwt_keys', '{secret}', '{}', 'insert,update,delete,truncate');
  -- Without a policy: only superusers, as whom the functions run.
  ALTER TABLE stratum.jwt_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.jwt_keys FORCE ROW LEVEL SECURITY;
  PERFORM stratum._give_rights('jwt_keys', is_new, NULL, NULL);
END $install$;
COMMENT ON FUNCTION stratum._install_jwt_keys() IS
  'Creates stratum.jwt_keys where it is missing and puts its triggers and rights back; internal to install().';

CREATE FUNCTION stratum._install_audit_keys() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_keys') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_keys (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      key BYTEA NOT NULL CHECK (length(key) = 32)
    );

    COMMENT ON TABLE stratum.audit_keys IS 'The key of hashed values in the audit trail, made when audit_table() is first asked to hash. Nobody has a right to it.';
    COMMENT ON COLUMN stratum.audit_keys.id IS 'Always 1: there is one key.';
    COMMENT ON COLUMN stratum.audit_keys.key IS '32 random bytes.';
    PERFORM stratum._comment_constraints('audit_keys');
  END IF;

  ALTER TABLE stratum.audit_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_keys FORCE ROW LEVEL SECURITY;
  PERFORM stratum._give_rights('audit_keys', is_new, NULL, NULL);
END $install$;
COMMENT ON FUNCTION stratum._install_audit_keys() IS
  'Creates stratum.audit_keys where it is missing; internal to install().';

CREATE FUNCTION stratum._install_audit_chains() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_chains') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_chains (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      last_number BIGINT NOT NULL DEFAULT 0,
      last_digest BYTEA NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
      settled_id BIGINT NOT NULL DEFAULT 0,
      drawn_id BIGINT,
      drawn_xid BIGINT,
      place TEXT,

      UNIQUE NULLS NOT DISTINCT (tenant_id)
    );

    COMMENT ON TABLE stratum.audit_chains IS 'How far the audit trail of each tenant is sealed; kept by seal_audit(). Sealers lock its rows, writers never do.';
    COMMENT ON COLUMN stratum.audit_chains.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.audit_chains.tenant_id IS 'Tenant; NULL: the rows without one, a chain of their own.';
    COMMENT ON COLUMN stratum.audit_chains.last_number IS 'Number of the last seal; 0: none yet.';
    COMMENT ON COLUMN stratum.audit_chains.last_digest IS 'Digest of the last seal; 32 zero bytes: none yet.';
    COMMENT ON COLUMN stratum.audit_chains.settled_id IS 'Rows of the chain up to this id are sealed, and no other can come.';
    COMMENT ON COLUMN stratum.audit_chains.drawn_id IS 'Last id that had been drawn at a sealing; it settles when the transactions of that time have ended.';
    COMMENT ON COLUMN stratum.audit_chains.drawn_xid IS 'Number that the next transaction was to get then.';
    COMMENT ON COLUMN stratum.audit_chains.place IS 'Server, database and files that drawn_xid is of: it means nothing elsewhere, after a restore for instance.';
    COMMENT ON SEQUENCE stratum.audit_chains_id_seq IS 'Numbers the rows of stratum.audit_chains, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_chains');
  END IF;

  ALTER TABLE stratum.audit_chains ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_chains FORCE ROW LEVEL SECURITY;
  PERFORM stratum._put_admin_policy('audit_chains');
  PERFORM stratum._put_auditor_policy('audit_chains');
  PERFORM stratum._give_rights('audit_chains', is_new, NULL, 'SELECT', 'SELECT');
END $install$;
COMMENT ON FUNCTION stratum._install_audit_chains() IS
  'Creates stratum.audit_chains where it is missing and puts its policies and rights back; internal to install().';

CREATE FUNCTION stratum._install_audit_seals() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_seals') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_seals (
      id BIGSERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      number BIGINT NOT NULL,
      sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
      settled_id BIGINT NOT NULL,
      row_count BIGINT NOT NULL,
      last_id BIGINT NOT NULL,
      newest_at TIMESTAMP WITH TIME ZONE NOT NULL,
      previous BYTEA NOT NULL,
      content BYTEA NOT NULL,
      digest BYTEA NOT NULL,

      log_ids BIGINT[],
      logged_at TIMESTAMP WITH TIME ZONE[],
      digests BYTEA,
      salts BYTEA,

      UNIQUE NULLS NOT DISTINCT (tenant_id, number)
    );
    -- Digests and salts are random bytes: trying to compress them takes time only.
    ALTER TABLE stratum.audit_seals ALTER COLUMN digests SET STORAGE EXTERNAL, ALTER COLUMN salts SET STORAGE EXTERNAL;

    CREATE INDEX ix_audit_seals_last_id ON stratum.audit_seals (tenant_id, last_id);

    COMMENT ON TABLE stratum.audit_seals IS 'Digests of up to 1000 rows of audit_logs each, chained within a tenant; written by seal_audit() only.';
    COMMENT ON COLUMN stratum.audit_seals.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.audit_seals.tenant_id IS 'Tenant of the rows; NULL: they have none.';
    COMMENT ON COLUMN stratum.audit_seals.number IS 'Place in the chain: 1, 2, 3 and so on without gaps.';
    COMMENT ON COLUMN stratum.audit_seals.sealed_at IS 'When it was made, by the clock.';
    COMMENT ON COLUMN stratum.audit_seals.settled_id IS 'What audit_chains.settled_id was before: all rows in the seal have higher ids.';
    COMMENT ON COLUMN stratum.audit_seals.row_count IS 'Rows in the seal.';
    COMMENT ON COLUMN stratum.audit_seals.last_id IS 'Highest id of them.';
    COMMENT ON COLUMN stratum.audit_seals.newest_at IS 'Latest created_at of them.';
    COMMENT ON COLUMN stratum.audit_seals.previous IS 'Digest of the seal before; 32 zero bytes in the first.';
    COMMENT ON COLUMN stratum.audit_seals.content IS 'SHA-256 of ids, times and digests of the rows.';
    COMMENT ON COLUMN stratum.audit_seals.digest IS 'SHA-256 of everything before, from tenant to content.';
    COMMENT ON COLUMN stratum.audit_seals.log_ids IS 'Ids of the rows, ascending; NULL once they are all purged, as the three below.';
    COMMENT ON COLUMN stratum.audit_seals.logged_at IS 'created_at of the rows.';
    COMMENT ON COLUMN stratum.audit_seals.digests IS 'Digests of the rows, 32 bytes each.';
    COMMENT ON COLUMN stratum.audit_seals.salts IS 'Salts of the rows, 16 bytes each; zeros where an erasure has destroyed it.';
    COMMENT ON INDEX stratum.ix_audit_seals_last_id IS 'Seals that may hold a row.';
    COMMENT ON SEQUENCE stratum.audit_seals_id_seq IS 'Numbers the rows of stratum.audit_seals, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_seals');
  END IF;

  ALTER TABLE stratum.audit_seals ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_seals FORCE ROW LEVEL SECURITY;
  PERFORM stratum._put_admin_policy('audit_seals');
  PERFORM stratum._put_auditor_policy('audit_seals');
  PERFORM stratum._give_rights('audit_seals', is_new, NULL, 'SELECT', 'SELECT');
END $install$;
COMMENT ON FUNCTION stratum._install_audit_seals() IS
  'Creates stratum.audit_seals where it is missing and puts its policies and rights back; internal to install().';

CREATE OR REPLACE FUNCTION stratum._storage_expected() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $manifest$ VALUES
('column', 'action_deliveries.action_id', 'integer NOT NULL'),
('column', 'action_deliveries.attempts', 'integer NOT NULL DEFAULT 0'),
('column', 'action_deliveries.available_at', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'action_deliveries.finished_at', 'timestamp with time zone'),
('column', 'action_deliveries.handed_over_at', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'action_deliveries.last_error', 'text'),
('column', 'action_deliveries.lease_until', 'timestamp with time zone'),
('column', 'action_deliveries.state', 'character varying(20) NOT NULL DEFAULT ''waiting''::character varying'),
('column', 'action_deliveries.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'action_deliveries.worker', 'text'),
('column', 'audit_chains.drawn_id', 'bigint'),
('column', 'audit_chains.drawn_xid', 'bigint'),
('column', 'audit_chains.id', 'integer NOT NULL DEFAULT nextval(''stratum.audit_chains_id_seq''::regclass)'),
('column', 'audit_chains.last_digest', 'bytea NOT NULL DEFAULT decode(repeat(''00''::text, 32), ''hex''::text)'),
('column', 'audit_chains.last_number', 'bigint NOT NULL DEFAULT 0'),
('column', 'audit_chains.place', 'text'),
('column', 'audit_chains.settled_id', 'bigint NOT NULL DEFAULT 0'),
('column', 'audit_chains.tenant_id', 'integer'),
('column', 'audit_keys.id', 'integer NOT NULL'),
('column', 'audit_keys.key', 'bytea NOT NULL'),
('column', 'audit_logs.action', 'stratum.audit_action NOT NULL'),
('column', 'audit_logs.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'audit_logs.id', 'integer NOT NULL DEFAULT nextval(''stratum.audit_logs_id_seq''::regclass)'),
('column', 'audit_logs.ip_address', 'inet'),
('column', 'audit_logs.metadata', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'audit_logs.new_values', 'jsonb'),
('column', 'audit_logs.old_values', 'jsonb'),
('column', 'audit_logs.request_id', 'character varying(100)'),
('column', 'audit_logs.resource_id', 'character varying(255)'),
('column', 'audit_logs.resource_type', 'character varying(100) NOT NULL'),
('column', 'audit_logs.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'audit_logs.user_agent', 'text'),
('column', 'audit_logs.user_id', 'integer'),
('column', 'audit_seals.content', 'bytea NOT NULL'),
('column', 'audit_seals.digest', 'bytea NOT NULL'),
('column', 'audit_seals.digests', 'bytea'),
('column', 'audit_seals.id', 'bigint NOT NULL DEFAULT nextval(''stratum.audit_seals_id_seq''::regclass)'),
('column', 'audit_seals.last_id', 'bigint NOT NULL'),
('column', 'audit_seals.log_ids', 'bigint[]'),
('column', 'audit_seals.logged_at', 'timestamp with time zone[]'),
('column', 'audit_seals.newest_at', 'timestamp with time zone NOT NULL'),
('column', 'audit_seals.number', 'bigint NOT NULL'),
('column', 'audit_seals.previous', 'bytea NOT NULL'),
('column', 'audit_seals.row_count', 'bigint NOT NULL'),
('column', 'audit_seals.salts', 'bytea'),
('column', 'audit_seals.sealed_at', 'timestamp with time zone NOT NULL'),
('column', 'audit_seals.settled_id', 'bigint NOT NULL'),
('column', 'audit_seals.tenant_id', 'integer'),
('column', 'audited_tables.ignore', 'text[] NOT NULL DEFAULT ''{}''::text[]'),
('column', 'audited_tables.operations', 'text NOT NULL DEFAULT ''insert,update,delete,truncate''::text'),
('column', 'audited_tables.redact', 'text[] NOT NULL DEFAULT ''{}''::text[]'),
('column', 'audited_tables.table_name', 'text NOT NULL'),
('column', 'campaign_drafts.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'campaign_drafts.created_by_id', 'integer'),
('column', 'campaign_drafts.data', 'jsonb NOT NULL'),
('column', 'campaign_drafts.id', 'integer NOT NULL DEFAULT nextval(''stratum.campaign_drafts_id_seq''::regclass)'),
('column', 'campaign_drafts.name', 'character varying(500) NOT NULL'),
('column', 'campaign_drafts.platforms', 'jsonb NOT NULL'),
('column', 'campaign_drafts.status', 'character varying(50) DEFAULT ''draft''::character varying'),
('column', 'campaign_drafts.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'campaign_drafts.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'campaigns.account_id', 'character varying(255) NOT NULL'),
('column', 'campaigns.clicks', 'integer DEFAULT 0'),
('column', 'campaigns.conversions', 'integer DEFAULT 0'),
('column', 'campaigns.cpa_cents', 'integer'),
('column', 'campaigns.cpc_cents', 'integer'),
('column', 'campaigns.cpm_cents', 'integer'),
('column', 'campaigns.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'campaigns.ctr', 'double precision'),
('column', 'campaigns.currency', 'character varying(3) DEFAULT ''USD''::character varying'),
('column', 'campaigns.daily_budget_cents', 'integer'),
('column', 'campaigns.demographics_age', 'jsonb'),
('column', 'campaigns.demographics_gender', 'jsonb'),
('column', 'campaigns.demographics_location', 'jsonb'),
('column', 'campaigns.end_date', 'date'),
('column', 'campaigns.external_id', 'character varying(255) NOT NULL'),
('column', 'campaigns.id', 'integer NOT NULL DEFAULT nextval(''stratum.campaigns_id_seq''::regclass)'),
('column', 'campaigns.impressions', 'integer DEFAULT 0'),
('column', 'campaigns.is_deleted', 'boolean DEFAULT false'),
('column', 'campaigns.labels', 'jsonb DEFAULT ''[]''::jsonb'),
('column', 'campaigns.last_synced_at', 'timestamp with time zone'),
('column', 'campaigns.lifetime_budget_cents', 'integer'),
('column', 'campaigns.name', 'character varying(500) NOT NULL'),
('column', 'campaigns.objective', 'character varying(100)'),
('column', 'campaigns.platform', 'stratum.ad_platform NOT NULL'),
('column', 'campaigns.raw_data', 'jsonb'),
('column', 'campaigns.revenue_cents', 'integer DEFAULT 0'),
('column', 'campaigns.roas', 'double precision'),
('column', 'campaigns.start_date', 'date'),
('column', 'campaigns.status', 'stratum.campaign_status DEFAULT ''draft''::stratum.campaign_status'),
('column', 'campaigns.sync_error', 'text'),
('column', 'campaigns.targeting_age_max', 'integer'),
('column', 'campaigns.targeting_age_min', 'integer'),
('column', 'campaigns.targeting_genders', 'jsonb'),
('column', 'campaigns.targeting_interests', 'jsonb'),
('column', 'campaigns.targeting_locations', 'jsonb'),
('column', 'campaigns.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'campaigns.total_spend_cents', 'integer DEFAULT 0'),
('column', 'campaigns.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_audience_syncs.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_audience_syncs.id', 'integer NOT NULL DEFAULT nextval(''stratum.cdp_audience_syncs_id_seq''::regclass)'),
('column', 'cdp_audience_syncs.identifier_types', 'jsonb DEFAULT ''["email"]''::jsonb'),
('column', 'cdp_audience_syncs.is_active', 'boolean DEFAULT true'),
('column', 'cdp_audience_syncs.last_sync_at', 'timestamp with time zone'),
('column', 'cdp_audience_syncs.last_sync_error', 'text'),
('column', 'cdp_audience_syncs.last_sync_status', 'character varying(50)'),
('column', 'cdp_audience_syncs.match_rate', 'double precision'),
('column', 'cdp_audience_syncs.name', 'character varying(255) NOT NULL'),
('column', 'cdp_audience_syncs.platform', 'stratum.ad_platform NOT NULL'),
('column', 'cdp_audience_syncs.platform_audience_id', 'character varying(255)'),
('column', 'cdp_audience_syncs.profiles_synced', 'integer DEFAULT 0'),
('column', 'cdp_audience_syncs.segment_id', 'integer'),
('column', 'cdp_audience_syncs.sync_interval', 'character varying(50) DEFAULT ''daily''::character varying'),
('column', 'cdp_audience_syncs.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_audience_syncs.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_audience_uploads.audience_sync_id', 'integer NOT NULL'),
('column', 'cdp_audience_uploads.hash', 'text NOT NULL'),
('column', 'cdp_audience_uploads.identifier_type', 'text NOT NULL'),
('column', 'cdp_audience_uploads.profile_id', 'integer NOT NULL'),
('column', 'cdp_audience_uploads.state', 'text NOT NULL'),
('column', 'cdp_audience_uploads.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_events.anonymous_id', 'character varying(255)'),
('column', 'cdp_events.context', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'cdp_events.event_name', 'character varying(255) NOT NULL'),
('column', 'cdp_events.event_type', 'character varying(50) NOT NULL'),
('column', 'cdp_events.id', 'integer NOT NULL DEFAULT nextval(''stratum.cdp_events_id_seq''::regclass)'),
('column', 'cdp_events.message_id', 'uuid'),
('column', 'cdp_events.profile_id', 'integer'),
('column', 'cdp_events.properties', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'cdp_events.received_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_events.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_events.timestamp', 'timestamp with time zone NOT NULL'),
('column', 'cdp_profile_aliases.created_at', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'cdp_profile_aliases.kind', 'text NOT NULL'),
('column', 'cdp_profile_aliases.profile_id', 'integer NOT NULL'),
('column', 'cdp_profile_aliases.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_profile_aliases.value', 'text NOT NULL'),
('column', 'cdp_profiles.anonymous_id', 'character varying(255)'),
('column', 'cdp_profiles.canonical_id', 'uuid NOT NULL'),
('column', 'cdp_profiles.computed_traits', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'cdp_profiles.consent', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'cdp_profiles.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_profiles.email', 'character varying(255)'),
('column', 'cdp_profiles.email_hash', 'character varying(64)'),
('column', 'cdp_profiles.external_id', 'character varying(255)'),
('column', 'cdp_profiles.first_name', 'character varying(255)'),
('column', 'cdp_profiles.first_seen_at', 'timestamp with time zone'),
('column', 'cdp_profiles.id', 'integer NOT NULL DEFAULT nextval(''stratum.cdp_profiles_id_seq''::regclass)'),
('column', 'cdp_profiles.last_name', 'character varying(255)'),
('column', 'cdp_profiles.last_seen_at', 'timestamp with time zone'),
('column', 'cdp_profiles.lifecycle_stage', 'character varying(50) DEFAULT ''anonymous''::character varying'),
('column', 'cdp_profiles.phone', 'character varying(100)'),
('column', 'cdp_profiles.phone_hash', 'character varying(64)'),
('column', 'cdp_profiles.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_profiles.traits', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'cdp_profiles.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_segment_history.entered_at', 'timestamp with time zone NOT NULL'),
('column', 'cdp_segment_history.id', 'bigint NOT NULL DEFAULT nextval(''stratum.cdp_segment_history_id_seq''::regclass)'),
('column', 'cdp_segment_history.left_at', 'timestamp with time zone'),
('column', 'cdp_segment_history.profile_id', 'integer NOT NULL'),
('column', 'cdp_segment_history.segment_id', 'integer NOT NULL'),
('column', 'cdp_segment_history.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_segment_memberships.added_at', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'cdp_segment_memberships.profile_id', 'integer NOT NULL'),
('column', 'cdp_segment_memberships.segment_id', 'integer NOT NULL'),
('column', 'cdp_segment_memberships.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_segment_options.is_live', 'boolean NOT NULL DEFAULT false'),
('column', 'cdp_segment_options.keeps_history', 'boolean NOT NULL DEFAULT false'),
('column', 'cdp_segment_options.segment_id', 'integer NOT NULL'),
('column', 'cdp_segment_options.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_segments.conditions', 'jsonb NOT NULL'),
('column', 'cdp_segments.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'cdp_segments.description', 'text'),
('column', 'cdp_segments.id', 'integer NOT NULL DEFAULT nextval(''stratum.cdp_segments_id_seq''::regclass)'),
('column', 'cdp_segments.is_active', 'boolean DEFAULT true'),
('column', 'cdp_segments.last_computed_at', 'timestamp with time zone'),
('column', 'cdp_segments.name', 'character varying(255) NOT NULL'),
('column', 'cdp_segments.profile_count', 'integer DEFAULT 0'),
('column', 'cdp_segments.slug', 'character varying(100)'),
('column', 'cdp_segments.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'cdp_segments.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'fact_actions_queue.action_type', 'character varying(50) NOT NULL'),
('column', 'fact_actions_queue.approved_at', 'timestamp with time zone'),
('column', 'fact_actions_queue.approved_by_id', 'integer'),
('column', 'fact_actions_queue.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'fact_actions_queue.created_by_id', 'integer'),
('column', 'fact_actions_queue.entity_id', 'integer NOT NULL'),
('column', 'fact_actions_queue.entity_type', 'character varying(50) NOT NULL'),
('column', 'fact_actions_queue.executed_at', 'timestamp with time zone'),
('column', 'fact_actions_queue.id', 'integer NOT NULL DEFAULT nextval(''stratum.fact_actions_queue_id_seq''::regclass)'),
('column', 'fact_actions_queue.payload', 'jsonb NOT NULL'),
('column', 'fact_actions_queue.reason', 'text'),
('column', 'fact_actions_queue.status', 'character varying(20) DEFAULT ''pending''::character varying'),
('column', 'fact_actions_queue.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'fact_signal_health_daily.accuracy_score', 'integer'),
('column', 'fact_signal_health_daily.completeness_score', 'integer'),
('column', 'fact_signal_health_daily.data_freshness_score', 'integer'),
('column', 'fact_signal_health_daily.date', 'date NOT NULL'),
('column', 'fact_signal_health_daily.health_score', 'integer NOT NULL'),
('column', 'fact_signal_health_daily.id', 'integer NOT NULL DEFAULT nextval(''stratum.fact_signal_health_daily_id_seq''::regclass)'),
('column', 'fact_signal_health_daily.issues', 'jsonb DEFAULT ''[]''::jsonb'),
('column', 'fact_signal_health_daily.platform', 'stratum.ad_platform NOT NULL'),
('column', 'fact_signal_health_daily.status', 'character varying(20)'),
('column', 'fact_signal_health_daily.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'jwt_keys.audience', 'text NOT NULL'),
('column', 'jwt_keys.kid', 'text NOT NULL'),
('column', 'jwt_keys.secret', 'bytea NOT NULL'),
('column', 'jwt_keys.valid_from', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'jwt_keys.valid_until', 'timestamp with time zone'),
('column', 'rules.actions', 'jsonb NOT NULL'),
('column', 'rules.conditions', 'jsonb NOT NULL'),
('column', 'rules.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'rules.description', 'text'),
('column', 'rules.executions_count', 'integer DEFAULT 0'),
('column', 'rules.id', 'integer NOT NULL DEFAULT nextval(''stratum.rules_id_seq''::regclass)'),
('column', 'rules.is_deleted', 'boolean DEFAULT false'),
('column', 'rules.is_enabled', 'boolean DEFAULT true'),
('column', 'rules.last_executed_at', 'timestamp with time zone'),
('column', 'rules.last_execution_result', 'jsonb'),
('column', 'rules.name', 'character varying(255) NOT NULL'),
('column', 'rules.schedule', 'character varying(50)'),
('column', 'rules.status', 'stratum.rule_status DEFAULT ''draft''::stratum.rule_status'),
('column', 'rules.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'rules.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'tenant_platform_connections.access_token', 'text'),
('column', 'tenant_platform_connections.connection_error', 'text'),
('column', 'tenant_platform_connections.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'tenant_platform_connections.id', 'integer NOT NULL DEFAULT nextval(''stratum.tenant_platform_connections_id_seq''::regclass)'),
('column', 'tenant_platform_connections.is_connected', 'boolean DEFAULT false'),
('column', 'tenant_platform_connections.last_verified_at', 'timestamp with time zone'),
('column', 'tenant_platform_connections.platform', 'stratum.ad_platform NOT NULL'),
('column', 'tenant_platform_connections.refresh_token', 'text'),
('column', 'tenant_platform_connections.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'tenant_platform_connections.token_expires_at', 'timestamp with time zone'),
('column', 'tenant_platform_connections.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'tenants.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'tenants.deleted_at', 'timestamp with time zone'),
('column', 'tenants.domain', 'character varying(255)'),
('column', 'tenants.feature_flags', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'tenants.id', 'integer NOT NULL DEFAULT nextval(''stratum.tenants_id_seq''::regclass)'),
('column', 'tenants.is_deleted', 'boolean DEFAULT false'),
('column', 'tenants.max_campaigns', 'integer DEFAULT 50'),
('column', 'tenants.max_users', 'integer DEFAULT 5'),
('column', 'tenants.name', 'character varying(255) NOT NULL'),
('column', 'tenants.plan', 'character varying(50) DEFAULT ''free''::character varying'),
('column', 'tenants.plan_expires_at', 'timestamp with time zone'),
('column', 'tenants.settings', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'tenants.slug', 'character varying(100) NOT NULL'),
('column', 'tenants.stripe_customer_id', 'character varying(255)'),
('column', 'tenants.updated_at', 'timestamp with time zone DEFAULT now()'),
('column', 'users.avatar_url', 'character varying(500)'),
('column', 'users.backup_codes', 'jsonb'),
('column', 'users.consent_analytics', 'boolean DEFAULT true'),
('column', 'users.consent_marketing', 'boolean DEFAULT false'),
('column', 'users.created_at', 'timestamp with time zone DEFAULT now()'),
('column', 'users.deleted_at', 'timestamp with time zone'),
('column', 'users.email', 'character varying(255) NOT NULL'),
('column', 'users.email_hash', 'character varying(64) NOT NULL'),
('column', 'users.failed_totp_attempts', 'integer DEFAULT 0'),
('column', 'users.full_name', 'character varying(255)'),
('column', 'users.gdpr_anonymized_at', 'timestamp with time zone'),
('column', 'users.id', 'integer NOT NULL DEFAULT nextval(''stratum.users_id_seq''::regclass)'),
('column', 'users.is_active', 'boolean DEFAULT true'),
('column', 'users.is_deleted', 'boolean DEFAULT false'),
('column', 'users.is_protected', 'boolean DEFAULT false'),
('column', 'users.is_verified', 'boolean DEFAULT false'),
('column', 'users.last_login_at', 'timestamp with time zone'),
('column', 'users.locale', 'character varying(10) DEFAULT ''en''::character varying'),
('column', 'users.password_hash', 'character varying(255) NOT NULL'),
('column', 'users.permissions', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'users.phone', 'character varying(100)'),
('column', 'users.preferences', 'jsonb DEFAULT ''{}''::jsonb'),
('column', 'users.role', 'stratum.user_role DEFAULT ''analyst''::stratum.user_role'),
('column', 'users.tenant_id', 'integer DEFAULT stratum.current_tenant_id()'),
('column', 'users.timezone', 'character varying(50) DEFAULT ''UTC''::character varying'),
('column', 'users.totp_enabled', 'boolean DEFAULT false'),
('column', 'users.totp_lockout_until', 'timestamp with time zone'),
('column', 'users.totp_secret', 'character varying(255)'),
('column', 'users.totp_verified_at', 'timestamp with time zone'),
('column', 'users.updated_at', 'timestamp with time zone DEFAULT now()'),
('constraint', 'action_deliveries.action_deliveries_attempts_check', 'CHECK ((attempts >= 0))'),
('constraint', 'action_deliveries.action_deliveries_pkey', 'PRIMARY KEY (tenant_id, action_id)'),
('constraint', 'action_deliveries.action_deliveries_state_check', 'CHECK (((state)::text = ANY (''{waiting,claimed,done,dead}''::text[])))'),
('constraint', 'action_deliveries.action_deliveries_tenant_id_action_id_fkey', 'FOREIGN KEY (tenant_id, action_id) REFERENCES stratum.fact_actions_queue(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'action_deliveries.action_deliveries_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'audit_chains.audit_chains_pkey', 'PRIMARY KEY (id)'),
('constraint', 'audit_chains.audit_chains_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'audit_chains.audit_chains_tenant_id_key', 'UNIQUE NULLS NOT DISTINCT (tenant_id)'),
('constraint', 'audit_keys.audit_keys_id_check', 'CHECK ((id = 1))'),
('constraint', 'audit_keys.audit_keys_key_check', 'CHECK ((length(key) = 32))'),
('constraint', 'audit_keys.audit_keys_pkey', 'PRIMARY KEY (id)'),
('constraint', 'audit_logs.audit_logs_pkey', 'PRIMARY KEY (id)'),
('constraint', 'audit_logs.audit_logs_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'audit_logs.audit_logs_user_id_fkey', 'FOREIGN KEY (user_id) REFERENCES stratum.users(id)'),
('constraint', 'audit_seals.audit_seals_pkey', 'PRIMARY KEY (id)'),
('constraint', 'audit_seals.audit_seals_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'audit_seals.audit_seals_tenant_id_number_key', 'UNIQUE NULLS NOT DISTINCT (tenant_id, number)'),
('constraint', 'audited_tables.audited_tables_pkey', 'PRIMARY KEY (table_name)'),
('constraint', 'campaign_drafts.campaign_drafts_pkey', 'PRIMARY KEY (id)'),
('constraint', 'campaign_drafts.campaign_drafts_tenant_id_created_by_id_fkey', 'FOREIGN KEY (tenant_id, created_by_id) REFERENCES stratum.users(tenant_id, id)'),
('constraint', 'campaign_drafts.campaign_drafts_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'campaigns.campaigns_clicks_check', 'CHECK ((clicks >= 0))'),
('constraint', 'campaigns.campaigns_conversions_check', 'CHECK ((conversions >= 0))'),
('constraint', 'campaigns.campaigns_daily_budget_cents_check', 'CHECK ((daily_budget_cents >= 0))'),
('constraint', 'campaigns.campaigns_dates_check', 'CHECK ((end_date >= start_date))'),
('constraint', 'campaigns.campaigns_impressions_check', 'CHECK ((impressions >= 0))'),
('constraint', 'campaigns.campaigns_lifetime_budget_cents_check', 'CHECK ((lifetime_budget_cents >= 0))'),
('constraint', 'campaigns.campaigns_pkey', 'PRIMARY KEY (id)'),
('constraint', 'campaigns.campaigns_targeting_age_check', 'CHECK ((targeting_age_max >= targeting_age_min))'),
('constraint', 'campaigns.campaigns_targeting_age_max_check', 'CHECK ((targeting_age_max >= 0))'),
('constraint', 'campaigns.campaigns_targeting_age_min_check', 'CHECK ((targeting_age_min >= 0))'),
('constraint', 'campaigns.campaigns_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'campaigns.campaigns_tenant_id_platform_external_id_key', 'UNIQUE (tenant_id, platform, external_id)'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_match_rate_check', 'CHECK ((match_rate >= (0)::double precision))'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_profiles_synced_check', 'CHECK ((profiles_synced >= 0))'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id)'),
('constraint', 'cdp_audience_uploads.cdp_audience_uploads_pkey', 'PRIMARY KEY (tenant_id, audience_sync_id, profile_id, identifier_type, hash)'),
('constraint', 'cdp_audience_uploads.cdp_audience_uploads_state_check', 'CHECK ((state = ANY (''{adding,uploaded,removing}''::text[])))'),
('constraint', 'cdp_audience_uploads.cdp_audience_uploads_tenant_id_audience_sync_id_fkey', 'FOREIGN KEY (tenant_id, audience_sync_id) REFERENCES stratum.cdp_audience_syncs(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_audience_uploads.cdp_audience_uploads_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_events.cdp_events_message_id_key', 'UNIQUE (message_id)'),
('constraint', 'cdp_events.cdp_events_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_message_id_key', 'UNIQUE (tenant_id, message_id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id)'),
('constraint', 'cdp_profile_aliases.cdp_profile_aliases_kind_check', 'CHECK ((kind = ANY (''{canonical_id,email_hash,external_id,anonymous_id}''::text[])))'),
('constraint', 'cdp_profile_aliases.cdp_profile_aliases_pkey', 'PRIMARY KEY (tenant_id, kind, value)'),
('constraint', 'cdp_profile_aliases.cdp_profile_aliases_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_profile_aliases.cdp_profile_aliases_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_profiles.cdp_profiles_canonical_id_key', 'UNIQUE (canonical_id)'),
('constraint', 'cdp_profiles.cdp_profiles_email_hash_check', 'CHECK (((email_hash)::text ~ ''^[0-9a-fA-F]{64}$''::text))'),
('constraint', 'cdp_profiles.cdp_profiles_phone_hash_check', 'CHECK (((phone_hash)::text ~ ''^[0-9a-fA-F]{64}$''::text))'),
('constraint', 'cdp_profiles.cdp_profiles_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_canonical_id_key', 'UNIQUE (tenant_id, canonical_id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'cdp_segment_history.cdp_segment_history_check', 'CHECK ((left_at >= entered_at))'),
('constraint', 'cdp_segment_history.cdp_segment_history_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_segment_history.cdp_segment_history_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segment_history.cdp_segment_history_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segment_history.cdp_segment_history_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_pkey', 'PRIMARY KEY (tenant_id, segment_id, profile_id)'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segment_options.cdp_segment_options_pkey', 'PRIMARY KEY (tenant_id, segment_id)'),
('constraint', 'cdp_segment_options.cdp_segment_options_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segment_options.cdp_segment_options_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segments.cdp_segments_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_segments.cdp_segments_profile_count_check', 'CHECK ((profile_count >= 0))'),
('constraint', 'cdp_segments.cdp_segments_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segments.cdp_segments_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'fact_actions_queue.fact_actions_queue_pkey', 'PRIMARY KEY (id)'),
('constraint', 'fact_actions_queue.fact_actions_queue_status_check', 'CHECK (((status)::text = ANY (''{pending,approved,rejected,executed}''::text[])))'),
('constraint', 'fact_actions_queue.fact_actions_queue_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'fact_actions_queue.fact_actions_queue_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_accuracy_score_check', 'CHECK (((accuracy_score >= 0) AND (accuracy_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_completeness_score_check', 'CHECK (((completeness_score >= 0) AND (completeness_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_data_freshness_score_check', 'CHECK (((data_freshness_score >= 0) AND (data_freshness_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_health_score_check', 'CHECK (((health_score >= 0) AND (health_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_pkey', 'PRIMARY KEY (id)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_status_check', 'CHECK (((status)::text = ANY (''{healthy,degraded,unhealthy}''::text[])))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_tenant_id_date_platform_key', 'UNIQUE (tenant_id, date, platform)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'jwt_keys.jwt_keys_audience_check', 'CHECK ((audience <> ''''::text))'),
('constraint', 'jwt_keys.jwt_keys_kid_check', 'CHECK ((kid <> ''''::text))'),
('constraint', 'jwt_keys.jwt_keys_pkey', 'PRIMARY KEY (kid)'),
('constraint', 'jwt_keys.jwt_keys_secret_check', 'CHECK (((octet_length(secret) >= 32) AND (octet_length(secret) <= 1024)))'),
('constraint', 'jwt_keys.jwt_keys_valid_check', 'CHECK ((valid_until >= valid_from))'),
('constraint', 'rules.rules_executions_count_check', 'CHECK ((executions_count >= 0))'),
('constraint', 'rules.rules_pkey', 'PRIMARY KEY (id)'),
('constraint', 'rules.rules_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'tenant_platform_connections.tenant_platform_connections_pkey', 'PRIMARY KEY (id)'),
('constraint', 'tenant_platform_connections.tenant_platform_connections_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'tenant_platform_connections.tenant_platform_connections_tenant_id_platform_key', 'UNIQUE (tenant_id, platform)'),
('constraint', 'tenants.tenants_max_campaigns_check', 'CHECK ((max_campaigns >= 0))'),
('constraint', 'tenants.tenants_max_users_check', 'CHECK ((max_users >= 0))'),
('constraint', 'tenants.tenants_pkey', 'PRIMARY KEY (id)'),
('constraint', 'tenants.tenants_slug_key', 'UNIQUE (slug)'),
('constraint', 'users.users_email_hash_check', 'CHECK (((email_hash)::text ~ ''^[0-9a-fA-F]{64}$''::text))'),
('constraint', 'users.users_failed_totp_attempts_check', 'CHECK ((failed_totp_attempts >= 0))'),
('constraint', 'users.users_pkey', 'PRIMARY KEY (id)'),
('constraint', 'users.users_tenant_id_email_hash_key', 'UNIQUE (tenant_id, email_hash)'),
('constraint', 'users.users_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'users.users_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('function', 'stratum._acl_rights(aclitem[],text)', 'sql s search_path=pg_catalog, pg_temp 18554b3eef653f45513ddc3903fa66b3'),
('function', 'stratum._acting_tenant()', 'c s e8b1666979cee3ceccb546652a2dabe5'),
('function', 'stratum._action_effect(text,jsonb,jsonb)', 'plpgsql i search_path=pg_catalog, pg_temp 35316216ccb4d64b28656e39236b507a'),
('function', 'stratum._add_month(text,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off 8319ae953ae66db5d51993a4d9100999'),
('function', 'stratum._add_names(bigint,bigint,text,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp a7b0f57fb70880cce6ce9ae55ea365b5'),
('function', 'stratum._anonymize_own_user(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp 27ae7e405cfdc88992fec9bc03066d7b'),
('function', 'stratum._anonymize_platform_user(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp 29ee15caa472496d6c21fc93e072bc10'),
('function', 'stratum._anonymize_user(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 000ad17378f3047d2e0f78720b33ed31'),
('function', 'stratum._any_audit_head(bigint)', 'plpgsql s definer search_path=pg_catalog, pg_temp ce6c8bec7907a472eb05a738b014caf5'),
('function', 'stratum._any_purged_before()', 'plpgsql s search_path=pg_catalog, pg_temp c60fe0563a9c65c40969d735e277f508'),
('function', 'stratum._ask_gate(bigint,text,text,jsonb)', 'plpgsql s search_path=pg_catalog, pg_temp e5877a5c388738109d1ddb3a91d40f0c'),
('function', 'stratum._attach_audit_guard()', 'plpgsql v search_path=pg_catalog, pg_temp 6cf38d1136c03f45d0217f231fcf5b9e'),
('function', 'stratum._attach_mixin(text,text[],text[])', 'plpgsql v search_path=pg_catalog, pg_temp fbb4e66d368356a9f100828cd5f41f04'),
('function', 'stratum._attach_month(text,regclass,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off 047e0c7ce9a11f2e60a517c1636065c4'),
('function', 'stratum._audience_identifier(text,text,jsonb)', 'sql i 417dfb61901f9edd933bf2b52b6dc33d'),
('function', 'stratum._audience_members(bigint,bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 18ceec2713f3a582e5f3352f761b16bb'),
('function', 'stratum._audience_sync(bigint,bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 08fa1e1843f747702c2fc246884eacc9'),
('function', 'stratum._audit_form_misfits(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp be4d1384a41b9a967401fcd169e7733b'),
('function', 'stratum._audit_guard_change()', 'c v 35ec05d45455a9e74344d25519d9b259'),
('function', 'stratum._audit_guard_insert()', 'c v f45324f99a8abc6f2a938bd66157e272'),
('function', 'stratum._audit_operations(text)', 'plpgsql i search_path=pg_catalog, pg_temp f27eb518d79a2a3016ba658bf7eee181'),
('function', 'stratum._audit_place()', 'plpgsql s search_path=pg_catalog, pg_temp 2ee92ccf3cb1d170726002a127634ac5'),
('function', 'stratum._audit_row()', 'c v 855c59f8cb52ffa4a7dd475a8e1f8d83'),
('function', 'stratum._audit_shape(regclass)', 'c s quote_all_identifiers=off b28acd9e95804632ced09b0451d22fca'),
('function', 'stratum._audit_statement()', 'c v c035a8d9e1ad41dc7a501c001b1dded3'),
('function', 'stratum._audit_stratum_table(text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 7307c0b87a3a5d5b27c494b3b0d3c95b'),
('function', 'stratum._audit_trigger_forms()', 'sql i search_path=pg_catalog, pg_temp 067748b158c8a5b6c1edf51c024c31f0'),
('function', 'stratum._audit_triggers_wanted(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp 45ab6c53f7eec999c413ed3ffad63321'),
('function', 'stratum._audit_truncate()', 'c v 5906e8612dd8d5b0a492c66a51b2dfa5'),
('function', 'stratum._audited_by_row(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp 28ff3409848d5a99d4e597ed01e76d83'),
('function', 'stratum._begin_history(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp f2363c5fd8ff355ac47694e6ab1c859f'),
('function', 'stratum._behaviour_commands(text)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 28ebb5963651df7adb153532413425ec'),
('function', 'stratum._budget_effect(numeric,jsonb)', 'plpgsql i search_path=pg_catalog, pg_temp 8a094d09c9d200be665d3a1ae1b1712f'),
('function', 'stratum._campaign_columns_support(internal)', 'c i 497406d8b58351ce7da3c510f388ce44'),
('function', 'stratum._campaign_matches(jsonb,text[],"any")', 'c s 358edb9cf10c96b2756b82c156587e6a'),
('function', 'stratum._campaign_matches_support(internal)', 'c i 084bca684040fe9a63b97729fa0e3eb3'),
('function', 'stratum._campaign_state(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 1db89ecab9cb93ee023942d3f45cc884'),
('function', 'stratum._chain_id(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 463db574c2081d493fc3cc63f0c36e4f'),
('function', 'stratum._change_campaign(bigint,bigint,jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp 3933d9580254a3d77ed02226213ec079'),
('function', 'stratum._change_of(bigint,text,jsonb,jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp 47c0650929779538603ff5e42bd5c012'),
('function', 'stratum._check_action(text,jsonb,text)', 'plpgsql i search_path=pg_catalog, pg_temp a71dc3dddbef9f1cc464899afa8a154c'),
('function', 'stratum._check_action_keys(text,jsonb,text)', 'plpgsql i search_path=pg_catalog, pg_temp d6f1780f311fb332923271d586cc0cf7'),
('function', 'stratum._check_adoption()', 'plpgsql v search_path=pg_catalog, pg_temp 9ada569829ad9933a021ddc7110f4f16'),
('function', 'stratum._check_audit_forms()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off fac442704ef2a6f6e08dac75f2b2c744'),
('function', 'stratum._check_auditable(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp c32f593c8f22bac30de410bed000aae8'),
('function', 'stratum._check_audited_tables()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 0b41335703bf83f4d4dd0ab3f91738be'),
('function', 'stratum._check_claim(text,integer,interval)', 'plpgsql i search_path=pg_catalog, pg_temp fab13060579cbd498f64fc6d0b8207f0'),
('function', 'stratum._check_columns(regclass,text[])', 'plpgsql s search_path=pg_catalog, pg_temp f6e4cc4a785c6f78eda732fb6d8044a3'),
('function', 'stratum._check_conversion(text,boolean)', 'plpgsql s search_path=pg_catalog, pg_temp c1f1deb4673ea87c15e517b2f5678915'),
('function', 'stratum._check_definers()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off d363aa30ce3d22a102eb12e835414c08'),
('function', 'stratum._check_dependants(text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off ee2208b007da5288a9f8d36936fef106'),
('function', 'stratum._check_draft()', 'plpgsql v search_path=pg_catalog, pg_temp 655f3c491e75dc1a49c7611d00afbf14'),
('function', 'stratum._check_draft_data(jsonb,text)', 'plpgsql s search_path=pg_catalog, pg_temp 7c02764ceca1e0b51a5e0a6e1014f001'),
('function', 'stratum._check_draft_platforms(jsonb)', 'plpgsql s search_path=pg_catalog, pg_temp 44e2a9ea6b445c32213494ff78e92733'),
('function', 'stratum._check_foreign_policies()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off b8914234c75b147a15a578990ffd6d3c'),
('function', 'stratum._check_foreign_triggers()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 1a8b569841b7f5908bf95dd6efb3fa00'),
('function', 'stratum._check_leaf(regclass)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 2db29c65ce6a312ddf47694a6b930937'),
('function', 'stratum._check_logins()', 'sql s search_path=pg_catalog, pg_temp cf2aa85375a1ff84ad1451fe9485a76c'),
('function', 'stratum._check_months_ahead(integer)', 'plpgsql i search_path=pg_catalog, pg_temp 5ff90227b2642300e5a7a31d0a4906bd'),
('function', 'stratum._check_not_moved(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp cbc6467483a25c37f4769a8987f4cf64'),
('function', 'stratum._check_not_purged(regclass,jsonb,timestamp with time zone)', 'plpgsql s search_path=pg_catalog, pg_temp 8a9b978413825e8f2f9dc250cf94438e'),
('function', 'stratum._check_partitions()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 94ff032396d835c0d3f6285ce14b0d57'),
('function', 'stratum._check_platform(text)', 'plpgsql s search_path=pg_catalog, pg_temp 5c00c467ce1bcd25042c9fd6352c5758'),
('function', 'stratum._check_policies()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off a8ef736bd553150af7a63a9220238ca4'),
('function', 'stratum._check_public_rights()', 'sql s search_path=pg_catalog, pg_temp edb67d4493b88527229b80b801256055'),
('function', 'stratum._check_purge(timestamp with time zone)', 'plpgsql s search_path=pg_catalog, pg_temp 75f8ff162c83acaee295564981bcd491'),
('function', 'stratum._check_roles()', 'sql s search_path=pg_catalog, pg_temp c83dddf8601395edf70cd4bcc0534d29'),
('function', 'stratum._check_rule()', 'plpgsql v definer search_path=pg_catalog, pg_temp fcfd89d3a685add3950a306e0c730edc'),
('function', 'stratum._check_rule_action(jsonb,text)', 'plpgsql s search_path=pg_catalog, pg_temp 00a51527ee82dc1175e57236d613cae9'),
('function', 'stratum._check_sequences()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 6a6e7f2890eb16d0a63446ed41ebdb0f'),
('function', 'stratum._check_server(integer)', 'sql s search_path=pg_catalog, pg_temp abf68fdb9b34d0455a4497ac229d0d67'),
('function', 'stratum._check_statistics()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off dfe012916d943ba0e7e37789aa09caac'),
('function', 'stratum._check_stored_settings()', 'sql s search_path=pg_catalog, pg_temp 20364b875672a77f89dab641370cccb1'),
('function', 'stratum._check_surplus_rights()', 'sql s search_path=pg_catalog, pg_temp 6626c7013e7dfccc8c5a70116b95e032'),
('function', 'stratum._check_tenant_indexes()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 53544a19327eab8a1079db8db6d08804'),
('function', 'stratum._check_tenant_settings()', 'plpgsql v definer search_path=pg_catalog, pg_temp 825233fbc01d8c294db8f464842e70d7'),
('function', 'stratum._check_time(timestamp with time zone)', 'plpgsql i search_path=pg_catalog, pg_temp ab706a24eae81790d4b5c80516ebfc3f'),
('function', 'stratum._check_trust_settings(jsonb)', 'plpgsql i search_path=pg_catalog, pg_temp b05893d2119b785b61d3ca81ee9cc36f'),
('function', 'stratum._check_unaudited_tables()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off ea10e95f48159b6bdc277061ba935d49'),
('function', 'stratum._check_values(text,boolean)', 'plpgsql s search_path=pg_catalog, pg_temp 22aa9a212018e2225d21278679d64ed1'),
('function', 'stratum._check_versions()', 'plpgsql s search_path=pg_catalog, pg_temp a10d91db740b4971a45059ef39124b62'),
('function', 'stratum._check_views()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 1280e8f667057edd7b66e14667330d6f'),
('function', 'stratum._check_widths()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 25cb4d3284421b6fff568f28331dd6ab'),
('function', 'stratum._close_members()', 'plpgsql v search_path=pg_catalog, pg_temp fd1213be8d9329e22b0c85461c7e4b2d'),
('function', 'stratum._commands_to_join(text)', 'sql s search_path=pg_catalog, pg_temp 22f47a5a6ae4a5c2adc24414af91a9b4'),
('function', 'stratum._comment_constraints(text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 3a5e8b5f2d8339006f1305868e9b80b7'),
('function', 'stratum._conditions_of(jsonb,text)', 'plpgsql i search_path=pg_catalog, pg_temp ba0ec7c0fbce1ab0b628d2d1c71f285e'),
('function', 'stratum._consent_keys(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp a6c5e60b7743c5c289810cad1803e337'),
('function', 'stratum._current_row(regclass,text[],text[],text[],text)', 'plpgsql s search_path=pg_catalog, pg_temp 6e8f233271cf81407fe52fd6d6c21bbb'),
('function', 'stratum._current_user_id()', 'c s 054617bea0c76d2964c3edd3f871c7ef'),
('function', 'stratum._default_partition(text)', 'sql s search_path=pg_catalog, pg_temp 547771eca8d300135645ac8ef6bc78a9'),
('function', 'stratum._delete_rows_of_tenant(bigint,oid)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 1d21960cb90fca560d731aa200054217'),
('function', 'stratum._draft_columns()', 'plpgsql s search_path=pg_catalog, pg_temp ce29f72504e76bc260d3a4a3b0f301ce'),
('function', 'stratum._drop_partition_policies(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off b47acaba870ad0618a79813dfc2a3e6d'),
('function', 'stratum._empty_default(text,regclass,regclass,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off f37ae2018add8e9aa73c0630619f1bfe'),
('function', 'stratum._end_history(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp c2c8ef0dbf1ba1af09ce1a71b917660c'),
('function', 'stratum._erase_log(bigint,bigint[],text[],bigint[],jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp b15aac0b9c6500ad52dffb9f6357b421'),
('function', 'stratum._erase_profile(bigint,bigint,bigint[])', 'plpgsql v search_path=pg_catalog, pg_temp 44e40ae90f6a5d04af670c90f81425e9'),
('function', 'stratum._erase_sealed_rows(bigint,bigint,jsonb,jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp 8bc53d1436ef19fead56be9d84c74886'),
('function', 'stratum._erase_user(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 01d5369f4e40f00f23cb775f5150c5ce'),
('function', 'stratum._erase_user_log(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 6fda971c83ac58cfda2d090e1aa048e8'),
('function', 'stratum._erased_values(jsonb,text[])', 'sql i search_path=pg_catalog, pg_temp c73163cfbd4176b56fee825afb2ed44e'),
('function', 'stratum._events_truncated()', 'plpgsql v definer search_path=pg_catalog, pg_temp 64d07f8bbaedf081cf1bf6ef146a7612'),
('function', 'stratum._expand_segments(bigint,jsonb)', 'c s bf1ccb1e166bb4a543061922f5f65666'),
('function', 'stratum._explain_conditions(jsonb[],anyelement)', 'c s e0e8705e6f3141885815c5c394cc700c'),
('function', 'stratum._export_profile_tables(bigint,bigint)', 'plpgsql s search_path=pg_catalog, pg_temp e209205e15def445fd1c3949b5c956fb'),
('function', 'stratum._find_profiles(bigint,uuid[],text[],text[],text[])', 'plpgsql s search_path=pg_catalog, pg_temp e8f8c994bb0a23d1d18408df994be15c'),
('function', 'stratum._fit_audit_form(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 343262028e11ea50a32aaa992c87ce8e'),
('function', 'stratum._fit_partition(text,regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off d436bcc6907bbb5cb5c47c7345f50ee3'),
('function', 'stratum._fit_partitions(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp 3c07a7f5203f3380b5706b32546fa667'),
('function', 'stratum._fit_results(text)', 'plpgsql v search_path=pg_catalog, pg_temp 7c2d9a31cda106d165468461075ba11d'),
('function', 'stratum._foreign_triggers(integer)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 50328a8fe2ea48bdf29ebee890eed08f'),
('function', 'stratum._forget_at_partman(text)', 'plpgsql v search_path=pg_catalog, pg_temp 857edc73def6ad5cfedb2411c597c413'),
('function', 'stratum._forget_profile(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 6865aaa2f09c88af3dbc7267eb1398aa'),
('function', 'stratum._forget_types()', 'plpgsql v search_path=pg_catalog, pg_temp 3c71f095daca3b2741acdfb3d8b098b1'),
('function', 'stratum._gate_action(text,jsonb)', 'sql i search_path=pg_catalog, pg_temp 59b3644039c7c3d06b6fdf1be42b23da'),
('function', 'stratum._give_rights(text,boolean,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 56a081c03231ce647aa97e32789ffb1a'),
('function', 'stratum._give_up_expired(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 43d46629e6c98645cd050dd84664a938'),
('function', 'stratum._global_keys()', 'sql i search_path=pg_catalog, pg_temp cc96e5b8d5a6e818a52809be90748abd'),
('function', 'stratum._guard_audited_tables()', 'plpgsql v search_path=pg_catalog, pg_temp 6137d1e8251a489889d80f33f1ef5b83'),
('function', 'stratum._guard_protected_user()', 'c v a36f0d3a05bd58496acd0ee9ca81c638'),
('function', 'stratum._hand_over(bigint,bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp 4626aa06ab6d831829a1e20850b170fd'),
('function', 'stratum._hand_over_names(bigint,bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 00b5d326ebac141e1c476f1556b36e2b'),
('function', 'stratum._hand_to_partman(text,integer)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; client_min_messages=error 8962b2c499963d1a32b64e45d8c89644'),
('function', 'stratum._has_audit_triggers(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp bae4997bf919c2618cb09028ba56e1b1'),
('function', 'stratum._has_consented(jsonb,text[])', 'sql i f67cd18e2f23610f4c4c29162ca61ece'),
('function', 'stratum._has_constraint(text,text)', 'sql s search_path=pg_catalog, pg_temp 810e1e5aab474339ad0313d3148077a0'),
('function', 'stratum._has_message_key(regclass)', 'sql s search_path=pg_catalog, pg_temp bfc457345f3fedc97fea76c566732cb5'),
('function', 'stratum._has_rows_of(regclass,text,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off c96efee938c431cf8178919b4664cd85'),
('function', 'stratum._has_wide_ids()', 'sql s search_path=pg_catalog, pg_temp 9e2ffc49b2c4b7d93f5b048e3771d354'),
('function', 'stratum._head_of_chain(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 35c32506c233e86d31b9ee29857299ef'),
('function', 'stratum._id_columns()', 'sql s search_path=pg_catalog, pg_temp 1d7738ad83aae0a7392adeae8cff2984'),
('function', 'stratum._id_functions()', 'sql s search_path=pg_catalog, pg_temp 573b306a0c68a8bbd2fc1f8e9c1dcc61'),
('function', 'stratum._in_extension_script()', 'c s 5530c12ae1569206656d08c2d6b10d7b'),
('function', 'stratum._in_the_way(regclass,smallint[])', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 11884972c55e120a43dc0673436d711f'),
('function', 'stratum._index_commands(text,boolean)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 60628c61e4da687aa4618a5ecaa46410'),
('function', 'stratum._install_action_deliveries()', 'plpgsql v search_path=pg_catalog, pg_temp 89ed7e5c545d4a99a893a2db2645fdab'),
('function', 'stratum._install_audit_chains()', 'plpgsql v search_path=pg_catalog, pg_temp 2bb47bd608dbc73364887e0ab72742ff'),
('function', 'stratum._install_audit_keys()', 'plpgsql v search_path=pg_catalog, pg_temp 9a1c644089b36bc733b29315d10dca05'),
('function', 'stratum._install_audit_logs()', 'plpgsql v search_path=pg_catalog, pg_temp 3e13d6fa67f7614fa2524ef18dbc40a5'),
('function', 'stratum._install_audit_seals()', 'plpgsql v search_path=pg_catalog, pg_temp ad009bdf559243fe0c6a304f954ad2e9'),
('function', 'stratum._install_audited_tables()', 'plpgsql v search_path=pg_catalog, pg_temp f63bdbcbbd9dfd2812f3ccfc9a2def55'),
('function', 'stratum._install_campaign_drafts()', 'plpgsql v search_path=pg_catalog, pg_temp 78989217f8ac1bbe078a6297c506f63d'),
('function', 'stratum._install_campaigns()', 'plpgsql v search_path=pg_catalog, pg_temp 5464a942644eaa34b3508290aae0c03b'),
('function', 'stratum._install_cdp_audience_syncs()', 'plpgsql v search_path=pg_catalog, pg_temp 3fa039627db7fc41f5a0ab78565950f3'),
('function', 'stratum._install_cdp_audience_uploads()', 'plpgsql v search_path=pg_catalog, pg_temp 6eb9b524154f9cedd5d0911f45d5a705'),
('function', 'stratum._install_cdp_events()', 'plpgsql v search_path=pg_catalog, pg_temp 81d656172493f2f43c52d17dce3f3e96'),
('function', 'stratum._install_cdp_profile_aliases()', 'plpgsql v search_path=pg_catalog, pg_temp 7764db5267058151f87b2aa65f544d4a'),
('function', 'stratum._install_cdp_profiles()', 'plpgsql v search_path=pg_catalog, pg_temp 733a5fd39ad7a5b585b332cb3b2f325b'),
('function', 'stratum._install_cdp_segment_history()', 'plpgsql v search_path=pg_catalog, pg_temp 2a7e995329fe598b5ad00a0a527c2293'),
('function', 'stratum._install_cdp_segment_memberships()', 'plpgsql v search_path=pg_catalog, pg_temp 765aa0168f614523c2558bb08516f4ee'),
('function', 'stratum._install_cdp_segment_options()', 'plpgsql v search_path=pg_catalog, pg_temp 8ab103fb8d47b0d556be411347c0b461'),
('function', 'stratum._install_cdp_segments()', 'plpgsql v search_path=pg_catalog, pg_temp f24c0b826b8aa82a40ab57d0129c0da9'),
('function', 'stratum._install_fact_actions_queue()', 'plpgsql v search_path=pg_catalog, pg_temp bf5b0997bc8c5aae880b3fafd6e328b7'),
('function', 'stratum._install_fact_signal_health_daily()', 'plpgsql v search_path=pg_catalog, pg_temp e63aad938b40539e87e766192b3b4afb'),
('function', 'stratum._install_jwt_keys()', 'plpgsql v search_path=pg_catalog, pg_temp fca971ed45b77357c998a339f9490380'),
('function', 'stratum._install_optional_indexes()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 093a6a35d6396467858924e352a4b9f3'),
('function', 'stratum._install_rules()', 'plpgsql v search_path=pg_catalog, pg_temp 58ea0e966c775d0bd5a3cbd403ddcf08'),
('function', 'stratum._install_storage_version()', 'plpgsql v search_path=pg_catalog, pg_temp 32f85857bbf4d2ec304d7dfd29db5edc'),
('function', 'stratum._install_tenant_platform_connections()', 'plpgsql v search_path=pg_catalog, pg_temp 0d4acf2117b938bfec08c5037aa22053'),
('function', 'stratum._install_tenants()', 'plpgsql v search_path=pg_catalog, pg_temp 5fa55320c11eed7a72be592a3408947c'),
('function', 'stratum._install_types()', 'plpgsql v search_path=pg_catalog, pg_temp 75899d521855b7cc5f08dd3dab59655c'),
('function', 'stratum._install_users()', 'plpgsql v search_path=pg_catalog, pg_temp 023cb332238543da803a331c0392b929'),
('function', 'stratum._is_chosen_audit(text)', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 418696da99e2101e0441bca41b214c85'),
('function', 'stratum._is_done_here(text)', 'sql i search_path=pg_catalog, pg_temp 0a49b9f8eaa13b334d689f3072357e5d'),
('function', 'stratum._is_due(text,timestamp with time zone,timestamp with time zone,timestamp with time zone)', 'c i 4b6208d73ca5112ac187ce44e51c95c7'),
('function', 'stratum._is_foreign_condition(oid)', 'sql s search_path=pg_catalog, pg_temp 81f0721320ecdfbac839210ad447ae70'),
('function', 'stratum._is_id_column(text,text,text)', 'sql i search_path=pg_catalog, pg_temp 02ff0db2ed6c3e56e78f2deae13acbab'),
('function', 'stratum._is_known_to_partman(text)', 'plpgsql s search_path=pg_catalog, pg_temp 07b7f4236bc1579b82b9145ca4cfa060'),
('function', 'stratum._is_name_taken(bigint,text,text)', 'plpgsql s search_path=pg_catalog, pg_temp ff0a5305f9977bff507a9482e635b6b6'),
('function', 'stratum._is_other_audit_form(text)', 'plpgsql s search_path=pg_catalog, pg_temp 9446a7f991d908c451ba057e2de107f7'),
('function', 'stratum._is_own_audit(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp a29287599b81539c56846f5a5e6b7dcc'),
('function', 'stratum._is_partitioned(text)', 'sql s search_path=pg_catalog, pg_temp e6b437d8a1db8483b660a9d7a2695e1a'),
('function', 'stratum._is_unfit(text,regclass)', 'sql s search_path=pg_catalog, pg_temp 8f924f3f89895a5dc6822d85294df659'),
('function', 'stratum._isolate(text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 3f9fee23a39173627455f9dc2af9f94a'),
('function', 'stratum._joined_traits(jsonb,jsonb)', 'sql i 168d4870f7037940e7621bc134d5f3da'),
('function', 'stratum._jsonb_columns(regclass)', 'sql s search_path=pg_catalog, pg_temp 60bd1218a343d35972efe987b8e67217'),
('function', 'stratum._keep_action()', 'plpgsql v definer search_path=pg_catalog, pg_temp 2aef660a1a5f5f3f5562c9a14f2a5bbd'),
('function', 'stratum._keep_signal_health()', 'plpgsql v definer search_path=pg_catalog, pg_temp 1006b55e8f71abac61d93e2a99d2d2c6'),
('function', 'stratum._key_condition(regclass,text[])', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off a5041369e72a8fd8129e9b7f1e33c4ca'),
('function', 'stratum._key_of(jsonb,text[],text[])', 'sql i search_path=pg_catalog, pg_temp b1210c34fe01682dade0a4d6c922aff5'),
('function', 'stratum._last_audit_id()', 'plpgsql v search_path=pg_catalog, pg_temp 5d531285e9b68ef7b5fc4573b1754e74'),
('function', 'stratum._last_seal_id(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 374897284d77ee72ee54cdcef39107b6'),
('function', 'stratum._later_stage(text,text)', 'sql i a97929db8c5e631fcb5ce13933f1a601'),
('function', 'stratum._let_go()', 'plpgsql v search_path=pg_catalog, pg_temp ff0f4c5dd3be31f0975fd53c2f48bcac'),
('function', 'stratum._library_version()', 'c s 55884b7d7bce9c4490b69c06864cb814'),
('function', 'stratum._limit_rows()', 'c v 43f1caa79e7166037a1919027b5fc604'),
('function', 'stratum._limit_table(text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 7f8712806afe0f9e18e791000d5031d6'),
('function', 'stratum._lock_action(bigint,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp f17cf80343db4ce147b574cbfb280957'),
('function', 'stratum._lock_all(text)', 'plpgsql v search_path=pg_catalog, pg_temp 85a5d85aa6b45d1d59e99b2de6e30812'),
('function', 'stratum._lock_audience_sync(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp fb22aab95350a90241219df5cc659ffc'),
('function', 'stratum._lock_claim(bigint,bigint,text)', 'plpgsql v search_path=pg_catalog, pg_temp d9d30f7af889ae9b8143f11d7434a2f1'),
('function', 'stratum._lock_holders(text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off a37fc2c89bc0142095a8d3227a96fadf'),
('function', 'stratum._lock_live(bigint)', 'c v ed2e5435b41ed1a381c1138506a81b54'),
('function', 'stratum._lock_members(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp b50013fa759eb083880300d15fee15de'),
('function', 'stratum._lock_names(text[])', 'c v 5988905243b24ec69f1058bb302fefeb'),
('function', 'stratum._lock_profiles(bigint,bigint[],uuid[])', 'plpgsql v search_path=pg_catalog, pg_temp be0cbcd7ed560ec6ca4ea785e113f281'),
('function', 'stratum._lock_row(regclass,text[],text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 653b844a43b92089b1219d4b5f9aead9'),
('function', 'stratum._locks_to_add(text[],integer,regclass[])', 'sql v search_path=pg_catalog, pg_temp d9afeb9a6f506df9b99afbbaed4a6874'),
('function', 'stratum._locks_to_convert(text)', 'sql s search_path=pg_catalog, pg_temp 1db2f4cfa877dfb5d4f46b021fb186f1'),
('function', 'stratum._log_record(bigint,text,text,text,jsonb)', 'c v search_path=pg_catalog, pg_temp d69f8ccb138bd5cd3788e134f3216357'),
('function', 'stratum._make_audit_key()', 'plpgsql v definer search_path=pg_catalog, pg_temp 71b61684a330493ad65656436914355d'),
('function', 'stratum._make_first_partitions(text,regclass,text[],integer)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off 6674b76dcafac96268aec559923d76f2'),
('function', 'stratum._make_id_function(regprocedure,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 1ecfadc9a84f77a86e2c544aedb8b2ea'),
('function', 'stratum._make_leaf(text,text,text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 83b42b9e03245b7108e3e452b648982f'),
('function', 'stratum._make_month(text,timestamp with time zone,text[])', 'sql v search_path=pg_catalog, pg_temp; TimeZone=UTC 4056c766f7dbf4ecb99513aa9b45f1d9'),
('function', 'stratum._make_partitions(text[],integer)', 'plpgsql v search_path=pg_catalog, pg_temp; TimeZone=UTC; quote_all_identifiers=off b5629aaee732ea824841b42d059ab11b'),
('function', 'stratum._make_strangers(bigint,integer[],uuid[],text[],text[],text[],text[])', 'plpgsql v search_path=pg_catalog, pg_temp 73755c04de591fda43c38e0139510a49'),
('function', 'stratum._make_twin(text,regclass,text[],boolean)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 898750372f7f0c5aad4542bce54a906f'),
('function', 'stratum._max_attempts(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp d8ec27a1e203f069f57c03992d43f697'),
('function', 'stratum._mean_score(integer[])', 'sql i search_path=pg_catalog, pg_temp 1cfebb82009ffeef8aa030fbbfbfeae7'),
('function', 'stratum._members(regclass)', 'sql s search_path=pg_catalog, pg_temp 32de517749424aff7342d7813af12b23'),
('function', 'stratum._merged_consent(jsonb,jsonb)', 'sql i search_path=pg_catalog, pg_temp a83f3828990d2bf105cdea0725c784ed'),
('function', 'stratum._merged_object(jsonb,jsonb)', 'sql i a7a6d374161a68b880c55a2a7bd87c46'),
('function', 'stratum._missing_months(text,integer)', 'sql s search_path=pg_catalog, pg_temp; TimeZone=UTC 6be80d6ba0619de1694554fea38891b9'),
('function', 'stratum._missing_partition_policies(text,regclass)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off bcd550726525bb7bcf717471de275738'),
('function', 'stratum._mixin()', 'c v f4637eda5ece5af58dc4960283a0daed'),
('function', 'stratum._narrow_ids()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 1434cf2f7eacd84b5c4790d6b399aa34'),
('function', 'stratum._next_xid()', 'c v f8290760c3028a480061b0c0df2600ad'),
('function', 'stratum._note_all(bigint)', 'c v 2736ad4a9e0c1afbba5ccd9f39830a6d'),
('function', 'stratum._note_event()', 'c v 9d6c106fd39f352d8e4b03a27c347e94'),
('function', 'stratum._note_failure(bigint,bigint,timestamp with time zone,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp b554eb971dddd4a88954a8f7e166a3a2'),
('function', 'stratum._note_options()', 'c v b8bfd0ca26349f172c0c31a5a294925e'),
('function', 'stratum._note_profile()', 'c v 7bc6f8630d7e1ea9e127e003101c7ca0'),
('function', 'stratum._note_rule_run(bigint,bigint,timestamp with time zone,jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp 32072bfb5ce9fe4d083f715a0abc38be'),
('function', 'stratum._note_segment()', 'c v e4902e5252d31b9d7ec9e0db3ae73ff2'),
('function', 'stratum._notice_growth()', 'c v definer search_path=pg_catalog, pg_temp 6d099935cc5a074204b88f11d45853bf'),
('function', 'stratum._notice_partitioned(text,boolean)', 'plpgsql v search_path=pg_catalog, pg_temp 825dd042087c0da8710c3b5676243f50'),
('function', 'stratum._nulls_as_of(regclass,text,timestamp with time zone,text[])', 'plpgsql s search_path=pg_catalog, pg_temp ee2189e93eae6962c2e74558be7c1bac'),
('function', 'stratum._obstacles(regclass,text,boolean)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off efb912c3e7cd1a747a45bad2787612f0'),
('function', 'stratum._open_audit_log()', 'c v 016713ee2e50dc441f0e6e6de9136693'),
('function', 'stratum._optional_indexes()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off d7947bbaa5e7113a39a561d5f2a4d797'),
('function', 'stratum._own_audit_head()', 'plpgsql s definer search_path=pg_catalog, pg_temp becece57d5d7714ceb5b3f78fedcd46e'),
('function', 'stratum._own_keys(regclass)', 'sql s search_path=pg_catalog, pg_temp 9f0d5e4b431f68c37066a7cb2a0e7d62'),
('function', 'stratum._partition_faults(text,regclass)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 35d8189180f044b0bea95ec643f13965'),
('function', 'stratum._partition_name(text,timestamp with time zone)', 'sql s search_path=pg_catalog, pg_temp; TimeZone=UTC 18e151343fd09625a82884204752e431'),
('function', 'stratum._partitionable()', 'sql i search_path=pg_catalog, pg_temp 07fb6ad2c425e269e187ffa653edfc8f'),
('function', 'stratum._partitioned_form(text,text,text)', 'sql s search_path=pg_catalog, pg_temp 6e9ed0d98c0e61a0a21509081c46be0d'),
('function', 'stratum._partitions(text)', 'sql s search_path=pg_catalog, pg_temp; TimeZone=UTC; DateStyle=ISO 0eaabeff55285a4cd56de1684697df0e'),
('function', 'stratum._partman()', 'sql s search_path=pg_catalog, pg_temp be58a7fcd2a0ec7cff38998293ca2b67'),
('function', 'stratum._pause_audit(regclass)', 'c v 7c6282fc3731443a9c739b5e0e8b03eb'),
('function', 'stratum._pause_tenant_audit(bigint)', 'c v 399f57e957e41d5b9136544b56a6f41f'),
('function', 'stratum._payload_core(jsonb,text[])', 'sql i search_path=pg_catalog, pg_temp 78cd7a60c7c9fedbf51d96aaca377245'),
('function', 'stratum._payload_digest(jsonb,jsonb,jsonb,text,text,bytea)', 'c i 46f26d34a8b4014322da1107ca279194'),
('function', 'stratum._payload_platform(jsonb)', 'plpgsql s search_path=pg_catalog, pg_temp 01e7ab8d7a73dbe5853077dde8cc0796'),
('function', 'stratum._persons_with_news(bigint,integer[],integer[],uuid[])', 'plpgsql s search_path=pg_catalog, pg_temp ec3650610a67e725e9438d0f798819f9'),
('function', 'stratum._plan_revert(regclass,text,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp 3992ef5a6ecc64183d6562c782690967'),
('function', 'stratum._policy_command(oid)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 99789d7eb367519faeed5a8b080ff46c'),
('function', 'stratum._preview_segment(jsonb,integer)', 'plpgsql s search_path=pg_catalog, pg_temp; plan_cache_mode=force_custom_plan 8e6d2837b203fd7deee5c7f2287729f6'),
('function', 'stratum._profile_columns_support(internal)', 'c i af5088317e7e8e42493b1fe24ad81120'),
('function', 'stratum._profile_matches(jsonb,text[],"any")', 'c s 4a320e4582ffd86a1ce1a085c0e77fa4'),
('function', 'stratum._profile_tables()', 'plpgsql s search_path=pg_catalog, pg_temp 393f7752e684f958321e91a370ec2f6c'),
('function', 'stratum._profiles_of(bigint,uuid[],text[],text[],text[],text[],integer[],uuid[])', 'plpgsql v search_path=pg_catalog, pg_temp 7cbbec1ea00503b32d20f8b5748dfa26'),
('function', 'stratum._purchase_events(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 982f5290053ed310f9c04435fdb231ec'),
('function', 'stratum._purge_batch(bigint,timestamp with time zone,bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp ed6251b9d633bde8cd6a52351037a950'),
('function', 'stratum._purge_chain(bigint,timestamp with time zone,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp d4e0518c4be02a2521adb102f5f4318d'),
('function', 'stratum._purgeable_rows(bigint,timestamp with time zone,bigint)', 'plpgsql s search_path=pg_catalog, pg_temp; plan_cache_mode=force_custom_plan 2e6252693f6eb41020847dc63939b4b7'),
('function', 'stratum._purged_before(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 67a6df22a72b96180f4bd74134e5a9ab'),
('function', 'stratum._put_admin_policy(text)', 'plpgsql v search_path=pg_catalog, pg_temp 885344c00f1fe2085d9672a6b144aa33'),
('function', 'stratum._put_audit_trigger(regclass,text,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp b7e9d145b3deb8d71b07cd6764575f38'),
('function', 'stratum._put_audit_triggers(regclass,text[],text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off ae4850a38a6f2e52639f30ab62522c7c'),
('function', 'stratum._put_auditor_policy(text)', 'plpgsql v search_path=pg_catalog, pg_temp a35ccc74f65b502554ccc5425f6cf845'),
('function', 'stratum._put_enum(text,text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp 60fb80418e6bcce82898a8f961fad162'),
('function', 'stratum._put_partition_guards(text,regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off ec9b0129f8d160f1adba990f76128f2a'),
('function', 'stratum._put_partition_policies(text,regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off; client_min_messages=warning 7689df02830d770ebab6ded11ab0f03b'),
('function', 'stratum._put_row_triggers(regclass,text,text[],boolean)', 'plpgsql v search_path=pg_catalog, pg_temp f67bfacd75838423d3bb747ac68518f2'),
('function', 'stratum._put_trigger(regclass,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 15562f473dc21ff8c588181f4f30beb8'),
('function', 'stratum._queued_actions(bigint,bigint,timestamp with time zone)', 'plpgsql s jit=off; search_path=pg_catalog, pg_temp 7ef3cd2528d45ab55fede312878377dd'),
('function', 'stratum._reached_stage(text,boolean,text,text)', 'sql i aa7f2372f297166f29832edf4e1f354c'),
('function', 'stratum._read_trust_settings(jsonb)', 'sql i search_path=pg_catalog, pg_temp 47b3827fdf7a1ad0068adaabc1fdac3e'),
('function', 'stratum._rebuild_table(text,boolean,integer)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off; client_min_messages=warning 8d9d26b3d04dccdacbec832a34e45f00'),
('function', 'stratum._record_audited_table(regclass)', 'plpgsql v definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off 69eceb800473bf1c1ca7481c9ccb40c0'),
('function', 'stratum._record_purge(bigint,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp 21dffb4e6e3decd2f2e498d9007dd9de'),
('function', 'stratum._redacted_columns(regclass,text[])', 'plpgsql s search_path=pg_catalog, pg_temp 2470240bae6d0120e11349f0498624ab'),
('function', 'stratum._reference_partners(regclass)', 'sql s search_path=pg_catalog, pg_temp ca66b5a7fe8f150cde34a165f9252d73'),
('function', 'stratum._refresh(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 6480ef732fad93132482bf7ef7dcf35c'),
('function', 'stratum._refresh_memberships(bigint,bigint[],jsonb[])', 'c v search_path=pg_catalog, pg_temp f896136206e736d9a2a3a5c61d4191f8'),
('function', 'stratum._refresh_tenant_segments(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp d13b57ec4a8f1d0e2104b9c5c6d5b9b0'),
('function', 'stratum._refuse_action(text,text,text)', 'plpgsql i search_path=pg_catalog, pg_temp 4918f126fc0cb2752525595eab1fa79a'),
('function', 'stratum._refuse_blocked(bigint,bigint,text,text,jsonb)', 'plpgsql v search_path=pg_catalog, pg_temp 2efc1cf4f6e930d2431725ce44780a80'),
('function', 'stratum._refuse_data_loss(text[])', 'plpgsql v search_path=pg_catalog, pg_temp d25fcd42f0e344a3feb7eca73ce8de0d'),
('function', 'stratum._refuse_draft(text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp ef7f3c237a3c330ad72fcd85bcfe59db'),
('function', 'stratum._refuse_foreign_casts()', 'plpgsql v search_path=pg_catalog, pg_temp 2f6cc6154f117ae54ca336dbbd202628'),
('function', 'stratum._refuse_foreign_triggers(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 63a693f0d700bfa93305f102694e3d70'),
('function', 'stratum._refuse_references(text,text,text,bigint,text)', 'plpgsql s search_path=pg_catalog, pg_temp 67e277ba36767763637a9d79a7c28aac'),
('function', 'stratum._refuse_state(text,text)', 'plpgsql i search_path=pg_catalog, pg_temp 476d21226ae87a8bc39d8877158c160a'),
('function', 'stratum._refuse_transaction_block(text)', 'c v fb42b7836bd8ad4a74ac48c7d24cf53a'),
('function', 'stratum._remedy(text,text,text,text)', 'sql s search_path=pg_catalog, pg_temp 237b4eda3dd1a2735427def053b8adf1'),
('function', 'stratum._report_narrow_references()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 828c4acc73e24f309d8c63ff7bdc023f'),
('function', 'stratum._resource_type(regclass)', 'c s quote_all_identifiers=off 58ca3266d3549674ac462334a7379fbd'),
('function', 'stratum._restore_audit_triggers()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 7b0265f820486ebdeba1f24590f84d1b'),
('function', 'stratum._restoring()', 'plpgsql s search_path=pg_catalog, pg_temp 91e33eea074e35e08fe300306154dac3'),
('function', 'stratum._revert_statement(regclass,text[],text[],text[],boolean)', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off cd512c275b012d3456deff8272cce0c8'),
('function', 'stratum._revertible_columns(regclass,jsonb,text[])', 'sql s search_path=pg_catalog, pg_temp 026b3c6f87afeea6185da2a80aafa1cd'),
('function', 'stratum._revoke_everything(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off d4a17eff2329851c53acc548bee8bc93'),
('function', 'stratum._role_permissions(text)', 'sql i search_path=pg_catalog, pg_temp 4e6655b3e30b7e2b83f65556dc4f9f08'),
('function', 'stratum._row_entries(text,text,boolean)', 'plpgsql s search_path=pg_catalog, pg_temp 0bd02efeeb232ee86695a735f6cb06a7'),
('function', 'stratum._row_versions(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp c63f614313cea86f49fbd74583504456'),
('function', 'stratum._rule_actions(jsonb)', 'sql i search_path=pg_catalog, pg_temp b76cf3387d885f94c3895b811532afa0'),
('function', 'stratum._rule_proposals(bigint,bigint,jsonb,jsonb,timestamp with time zone,boolean)', 'plpgsql s search_path=pg_catalog, pg_temp; plan_cache_mode=force_custom_plan; jit=off d20c13056d5436c527cb8165efea5f5f'),
('function', 'stratum._run_due_rules(bigint,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp c4bb2bf1ad5186ffba8b703bb0358a58'),
('function', 'stratum._run_if_due(bigint,bigint,timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp 912d8a398421a87264b8ca94cd9a7fe4'),
('function', 'stratum._run_rule(bigint,bigint,timestamp with time zone,boolean)', 'plpgsql v search_path=pg_catalog, pg_temp; jit=off 768c66b0327d8b1eb56ae458871d8f72'),
('function', 'stratum._schedule_job(text,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp f7954ebd7f3367569e75ff2455918f79'),
('function', 'stratum._seal_and_verify(bigint,text)', 'plpgsql v search_path=pg_catalog, pg_temp d36e219239d7488bfdda7d4d944c066c'),
('function', 'stratum._seal_any_audit(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp 4e49a7c0d556e051acc9ce92c7598488'),
('function', 'stratum._seal_chain(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 39174e71aa2125c35c1312d95112d404'),
('function', 'stratum._seal_own_audit()', 'plpgsql v definer search_path=pg_catalog, pg_temp ede6de025d9c11ac84d1c1b7745ae7c4'),
('function', 'stratum._seal_rows(bigint,bigint,bigint,bigint,bigint,bytea,bigint,bigint)', 'c v search_path=pg_catalog, pg_temp; enable_nestloop=off 1d219a000c8c3ec1673bab42adbfa8d9'),
('function', 'stratum._secret_columns(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 842d372479885c278d9ff7e70202fbb4'),
('function', 'stratum._segment_bits(jsonb[],text[],"any")', 'c s f4e4aeafb5adb0a64c03643cebc85aa6'),
('function', 'stratum._segment_matches_support(internal)', 'c i 616937d79fbd3f708bfc6aa7ce6a7733'),
('function', 'stratum._segment_profiles(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp; plan_cache_mode=force_custom_plan e451dddb8ccc94afad17f3be9c16a3c8'),
('function', 'stratum._segments_changed()', 'c v b28fe5528a094406eb1693380d8a2b37'),
('function', 'stratum._server_faults()', 'sql i search_path=pg_catalog, pg_temp 1041bd2feff739ba809de6b61ff3c0a0'),
('function', 'stratum._set_id_width(regclass,text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off c9bfa82b3f7427aa088a09c6d2157991'),
('function', 'stratum._settle_profile(bigint,uuid,text,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 0d46a4d1e286e715e603551972a67960'),
('function', 'stratum._size_with_partitions(regclass)', 'sql s search_path=pg_catalog, pg_temp 61652cfa1fa21ffa8707ee3990429abf'),
('function', 'stratum._slug_of_tenant(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp dbe1816130b98138eeb0cc9cc855346b'),
('function', 'stratum._storage_found()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 6f789e99257a799e69623b8b548a9bd2'),
('function', 'stratum._storage_owners()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off db5340c1fb2dda049688bddc7bb99573'),
('function', 'stratum._storage_version()', 'plpgsql s search_path=pg_catalog, pg_temp f44d9576c80591599ea0c9f32bbe5247'),
('function', 'stratum._storage_version_made()', 'sql i ed5281a64b1c98c5ef3ff6c45781ea40'),
('function', 'stratum._storage_wanted()', 'sql s search_path=pg_catalog, pg_temp e6922be86e5c28c48826239d9c994bbd'),
('function', 'stratum._subject_events(bigint,bigint,text)', 'plpgsql s search_path=pg_catalog, pg_temp d56f172c62216238715013d9f774f298'),
('function', 'stratum._subject_log(bigint,bigint,bigint[])', 'plpgsql s search_path=pg_catalog, pg_temp 163e17ef4578fd0a13da31b44e479be3'),
('function', 'stratum._table_of(text,text,text)', 'sql i search_path=pg_catalog, pg_temp 5d8fd4f2a0cf49ae887841c31abb9157'),
('function', 'stratum._tables_of_tenants()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 787e8fa263bd9f63fc714c74d265fc13'),
('function', 'stratum._tables_that_follow()', 'sql s search_path=pg_catalog, pg_temp 5179f8f775bc479a5f2dc29eed5bf0b6'),
('function', 'stratum._tables_to_widen()', 'plpgsql s search_path=pg_catalog, pg_temp 96c3f02c0327ed503fd3b232e0540019'),
('function', 'stratum._take_locks(text,integer,integer)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 471898e9b5fe3d856d15f7d0acd66baa'),
('function', 'stratum._tell_shown_columns(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 09937b450ce6b555c55514e6335b4562'),
('function', 'stratum._tenant_relations()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 95bda81bf512e659ab5bcbf86d524cd7'),
('function', 'stratum._time_column(text)', 'plpgsql i search_path=pg_catalog, pg_temp 766322bac2442b0abfacd57a6fff5c4e'),
('function', 'stratum._traits_match_support(internal)', 'c i 02d59bcfb72bdf934a6d04377efb52fc'),
('function', 'stratum._trigger_command(oid)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off be45d729e5cbd8bea8481c62e051cad3'),
('function', 'stratum._trust(bigint,text,text)', 'plpgsql s search_path=pg_catalog, pg_temp 017d461514da6ae420062484fef868af'),
('function', 'stratum._trust_settings()', 'sql i search_path=pg_catalog, pg_temp fd95083e80cd7f455b6eb48b0aa44b00'),
('function', 'stratum._try_step(text,integer)', 'plpgsql v 0abcfff0f9c44818a9dd0411a400913d'),
('function', 'stratum._unpartitionable(regclass,text)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 234402dd981e0cd1398d40a824455cfa'),
('function', 'stratum._usable_definition(bigint,bigint,text,jsonb)', 'c s b15e2a5b48d5e01db1d729fe268a3a8c'),
('function', 'stratum._validation_steps()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 9c7ddeed26fad61526433dda2568c236'),
('function', 'stratum._verify_any_audit(bigint,text)', 'plpgsql v definer search_path=pg_catalog, pg_temp 548cc1e75f9e80019db844a9362d6989'),
('function', 'stratum._verify_chain(bigint,text)', 'c s search_path=pg_catalog, pg_temp; enable_nestloop=off 2a779debe28716c894350a18b9af3b81'),
('function', 'stratum._verify_own_audit(text)', 'plpgsql v definer search_path=pg_catalog, pg_temp 76056d85b6c268b372778389b103ab7c'),
('function', 'stratum._widening_step(text)', 'plpgsql v search_path=pg_catalog, pg_temp 5a08afab527af53f516a3bd391324f91'),
('function', 'stratum._with_outcome(jsonb,text,text,bigint)', 'sql i search_path=pg_catalog, pg_temp ddd99adf7f0febb8395ccab763fb0871'),
('function', 'stratum._without_salts(bytea,bigint[])', 'plpgsql i search_path=pg_catalog, pg_temp ce093144c76f4ef26b96af18a75ffb97'),
('function', 'stratum._written_columns(regclass)', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off a7020baafb1bf1743ee145569603bab6'),
('function', 'stratum.add_jwt_key(text,bytea,text,timestamp with time zone,timestamp with time zone)', 'plpgsql v definer search_path=pg_catalog, pg_temp f16ba77a1c3580e70f1fe0adefbb1297'),
('function', 'stratum.anonymize_profile(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp 55e801aeacbc87a8428d3c01e04902d7'),
('function', 'stratum.anonymize_user(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 83ea47de23271c6f7dc68719ba682608'),
('function', 'stratum.approve_action(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 61de31f763e82be5e777fad03ef92909'),
('function', 'stratum.audience_changes(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 5338b56ad2827e1466c625b37e5b4c0f'),
('function', 'stratum.audience_hash(text,text,text)', 'c i 4ef0524d9f35a741049acce7fe65c7f6'),
('function', 'stratum.audience_members(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 3321958bf905287f83f4a9bc66a0944a'),
('function', 'stratum.audit_head(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 126e448fdf78b15f7a884641864e2e84'),
('function', 'stratum.audit_table(regclass,text[],text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off e3cae78311ef7f0fb9db3f5b319535a8'),
('function', 'stratum.campaign_matches(jsonb,anyelement)', 'c s a56c73682626a34cdec5f9a8914ca441'),
('function', 'stratum.check_install()', 'plpgsql s definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off 9413688d76ca45201dba36dbfae4b885'),
('function', 'stratum.claim_actions(text,integer,interval)', 'plpgsql v definer search_path=pg_catalog, pg_temp c5519cb6f9f9ea3d014dcc41b9f4ac9a'),
('function', 'stratum.complete_action(bigint,text)', 'plpgsql v definer search_path=pg_catalog, pg_temp 70370bb90b448289b394c041631fcaf3'),
('function', 'stratum.cpa_cents(bigint,bigint)', 'c i 4e36adefb7cfdbce58b57e8ccbab136d'),
('function', 'stratum.cpc_cents(bigint,bigint)', 'c i 4e36adefb7cfdbce58b57e8ccbab136d'),
('function', 'stratum.cpm_cents(bigint,bigint)', 'c i 96c3a726702d490d985cfdf970f4c726'),
('function', 'stratum.ctr(bigint,bigint)', 'c i 7b95e3b179c6bfe9e74e13c084ea1dd0'),
('function', 'stratum.current_request_id()', 'c s 3069807caa28885581e412563bdfb5bf'),
('function', 'stratum.current_tenant_id()', 'c s 3960aaa195d808d69044c6f576240142'),
('function', 'stratum.current_user_id()', 'c s e0a5837f849f8054050ae356f603a8ca'),
('function', 'stratum.delete_tenant(bigint,text)', 'plpgsql v definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off 362e73699efe67421785a8981b7f9527'),
('function', 'stratum.email_hash(text)', 'c i 29387341d17c8d835f952034c963fcfb'),
('function', 'stratum.enter(bigint,bigint,text,inet,text)', 'c v e15c92191c9f1bed76ca22e96546f1c9'),
('function', 'stratum.enter_jwt(text,text,inet,text)', 'c v definer search_path=pg_catalog, pg_temp 977dc4a6fe49c42a763e4167c6bbb56a'),
('function', 'stratum.enter_session(bigint,bigint,text)', 'c v 273932e18599e6d9a0cf9c1212f8c85a'),
('function', 'stratum.evaluate_rule(bigint,boolean)', 'plpgsql v search_path=pg_catalog, pg_temp 558c33dd1b26b6a5d3e6c2baefd5af12'),
('function', 'stratum.execute_action(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp ca116d446b3adbc5d0194f7fe44de0e5'),
('function', 'stratum.export_subject(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp f09e97aced0c50a1ae22b405e8390619'),
('function', 'stratum.export_tenant(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off 3650073d405784720501eff5a760ac1f'),
('function', 'stratum.fail_action(bigint,text,text)', 'plpgsql v definer search_path=pg_catalog, pg_temp 6cea2a658469b28c193842430f834b84'),
('function', 'stratum.finish_audience_sync(bigint,boolean,text,double precision)', 'plpgsql v definer search_path=pg_catalog, pg_temp ab65f7cf41207c8c8a894eb897f56e1f'),
('function', 'stratum.ingest_event(jsonb)', 'sql v c15b154541e1cfeca3b58a005be382d8'),
('function', 'stratum.ingest_events(jsonb)', 'c v search_path=pg_catalog, pg_temp edf8080a44e74a25f185852b54f8ad49'),
('function', 'stratum.install()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off; client_min_messages=warning a4a80c8658aa34f8700cb47eae2bc7a0'),
('function', 'stratum.leave()', 'c v f76ce8b0d89085d764dd7d5834dc08b4'),
('function', 'stratum.leave_session(text)', 'c v e5c101c100ca32fc5a135e62a9123d01'),
('function', 'stratum.list_jwt_keys()', 'plpgsql s definer search_path=pg_catalog, pg_temp d3ab15a51e878a427fb516a353f03008'),
('function', 'stratum.log_event(text,text,text,jsonb)', 'c v search_path=pg_catalog, pg_temp fdfcf559ccb65ce07b0d3793b5c6f51c'),
('function', 'stratum.make_partitions(integer)', 'plpgsql v definer search_path=pg_catalog, pg_temp 5302aa62dfe6c2517d7678408dfd0a27'),
('function', 'stratum.merge_profiles(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 65bd35748b747d593bdaeb29d5a1a3ba'),
('function', 'stratum.next_due(text,timestamp with time zone)', 'c i f9ef07ae2d14f21828b385db16dd4dde'),
('function', 'stratum.normalize_email(text)', 'c i 9888aebd664d1bd312d3068927ff6be7'),
('function', 'stratum.normalize_phone(text)', 'c i 6cc54b806bf00e8a6541160c60656670'),
('function', 'stratum.note_second_factor(bigint,boolean)', 'plpgsql v definer search_path=pg_catalog, pg_temp 7b3b15b336385bcfa858694d54bfd477'),
('function', 'stratum.partition_by_month(text,boolean,integer)', 'plpgsql v search_path=pg_catalog, pg_temp ddb3a9baeae94076f99d7e17d23f7a5e'),
('function', 'stratum.phone_hash(text)', 'c i 54d7434bf492c53c3ecb7b155206d5ff'),
('function', 'stratum.preview_segment(jsonb,integer)', 'sql s d7493feca461b384bad3d73762e8480c'),
('function', 'stratum.profile_segments(bigint)', 'c s 4ad7dc01735e1c10734ad156b27ac26e'),
('function', 'stratum.publish_draft(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp f59e9e9feadfd9fb744423a51f060ea4'),
('function', 'stratum.purge_all_audit(timestamp with time zone)', 'plpgsql v bed120c748c99952835738d844fb5011'),
('function', 'stratum.purge_audit(timestamp with time zone)', 'plpgsql v definer search_path=pg_catalog, pg_temp cc50b82b56d9da044caa768fed800b02'),
('function', 'stratum.refresh_all_segments()', 'plpgsql v 8fe5e5e3f80850cd72a5e6de3f61766e'),
('function', 'stratum.refresh_segment(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp adedce8e06b37abdd9178d114c050768'),
('function', 'stratum.refresh_segments()', 'plpgsql v definer search_path=pg_catalog, pg_temp 6a1204e0c99a0c4eeea85cfb0f1eb8cc'),
('function', 'stratum.refuse_viewer()', 'c v 3bc965e2e90b5901ab84f1c4f03a5f80'),
('function', 'stratum.reject_action(bigint,text)', 'plpgsql v search_path=pg_catalog, pg_temp 6389ce2b55b7d292fe8b3c271f2b9a25'),
('function', 'stratum.request_changes(text)', 'plpgsql s search_path=pg_catalog, pg_temp 842ffa9d1d03b986c71c4cff3bf5ee0d'),
('function', 'stratum.retire_jwt_key(text,timestamp with time zone)', 'plpgsql v definer search_path=pg_catalog, pg_temp b331c6920f63c63da3753eafc601e67e'),
('function', 'stratum.revert_row(regclass,text,timestamp with time zone)', 'plpgsql v 3e34673e851a2ed6ede0dcfe4851ffe5'),
('function', 'stratum.roas(bigint,bigint)', 'c i 054fc9bf4380d08b7e673791842d30db'),
('function', 'stratum.row_as_of(regclass,text,timestamp with time zone)', 'plpgsql s search_path=pg_catalog, pg_temp af22b2589691330d658ade8ff9b41766'),
('function', 'stratum.row_history(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp 7c3ce9ba53e4562dc7906185904d970d'),
('function', 'stratum.run_all_due_rules(timestamp with time zone)', 'plpgsql v b8c4bc0fd364825c6b008316d7e93fe9'),
('function', 'stratum.run_due_rules(timestamp with time zone)', 'plpgsql v search_path=pg_catalog, pg_temp 6bf17607523ac02060cec69fbc111723'),
('function', 'stratum.schedule_partitions(text)', 'plpgsql v search_path=pg_catalog, pg_temp 99084d672f09a105b786124cd42c00ed'),
('function', 'stratum.schedule_rules(text)', 'plpgsql v search_path=pg_catalog, pg_temp b833678524a417240ec63a58498b7785'),
('function', 'stratum.scope_unique_keys()', 'plpgsql v search_path=pg_catalog, pg_temp 6e0caba5e0d95b5b9b1d8c69df532b7d'),
('function', 'stratum.seal_all_audit()', 'plpgsql v e5c282e2e6baea7c49ae18edfdaedcaf'),
('function', 'stratum.seal_audit(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp e8a2fee8dfe6f2f353dafda357120ee3'),
('function', 'stratum.security_check()', 'plpgsql s definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off c265f4e9341a852ec5e5fc766cdb6637'),
('function', 'stratum.segment_matches(jsonb,anyelement)', 'c s 98370640c96fe75fc5270b9a082e3484'),
('function', 'stratum.segment_matches(jsonb,jsonb)', 'c s cb546fb9fcedb49e7660dcb44996aefb'),
('function', 'stratum.segment_profiles(bigint)', 'sql s 57dc78b3ff65c9e6bb78537310b90f5c'),
('function', 'stratum.segment_size_history(bigint,timestamp with time zone,timestamp with time zone,interval)', 'plpgsql s search_path=pg_catalog, pg_temp 65c5da1162bb8d4206d75632dde63a17'),
('function', 'stratum.set_segment_options(bigint,boolean,boolean)', 'plpgsql v definer search_path=pg_catalog, pg_temp b87f4eb6150a760a5a98cc7c81cb3866'),
('function', 'stratum.settle_segments()', 'c v definer search_path=pg_catalog, pg_temp cb3dd9a18614b3c0f36131ffb98afcdc'),
('function', 'stratum.sign_in_candidates(text)', 'plpgsql s definer search_path=pg_catalog, pg_temp 6fe6b3158b7a9605626fe0b3ff2a36fe'),
('function', 'stratum.signal_health_status(double precision)', 'plpgsql i search_path=pg_catalog, pg_temp 7ce4442b025159eb29f7481b38e7e9ff'),
('function', 'stratum.start_audience_sync(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp f09ca1ebdfaf170272aabeb632a2ebee'),
('function', 'stratum.tenant_limits()', 'plpgsql s search_path=pg_catalog, pg_temp 18d8bda37fa200111f80f80c03a77436'),
('function', 'stratum.traits_match(jsonb,jsonb)', 'c s cb546fb9fcedb49e7660dcb44996aefb'),
('function', 'stratum.trust_gate(text,text)', 'plpgsql s search_path=pg_catalog, pg_temp c9ca349f11fd80f89a38180ff1ab399b'),
('function', 'stratum.unaudit_table(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 38b4420d7811b97dce323076cabe1800'),
('function', 'stratum.undo_action(bigint)', 'plpgsql v search_path=pg_catalog, pg_temp 2e2a0e67fd23cf4aa40ff44130da0e76'),
('function', 'stratum.unpartition(text)', 'plpgsql v search_path=pg_catalog, pg_temp 747d31430bc70349dfb6354876dfd192'),
('function', 'stratum.user_can(text)', 'plpgsql s definer search_path=pg_catalog, pg_temp fe0a7a9d773e061d4654b239853391a6'),
('function', 'stratum.validate_actions(jsonb)', 'plpgsql s search_path=pg_catalog, pg_temp f6fd9aada4c7a21820a97bffc66bd16e'),
('function', 'stratum.validate_conditions(jsonb,text)', 'c s c379c32f9968538445dc032b6ab5529d'),
('function', 'stratum.validate_schedule(text)', 'c i 22813fb133915759cb0f2aee9b051c80'),
('function', 'stratum.verify_audit(bigint,text)', 'plpgsql v search_path=pg_catalog, pg_temp 4cf282883efcaf54f84a4016cebccac3'),
('function', 'stratum.version()', 'sql s search_path=pg_catalog, pg_temp 515f026f54b4c393b5e5cfd12120a9af'),
('function', 'stratum.widen_ids(integer)', 'plpgsql v a5f5e4dd86893d02f75cf622a1e8d53c'),
('index', 'ix_action_deliveries_tenant_state', 'CREATE INDEX ix_action_deliveries_tenant_state ON stratum.action_deliveries USING btree (tenant_id, state, available_at)'),
('index', 'ix_audit_logs_created', 'CREATE INDEX ix_audit_logs_created ON stratum.audit_logs USING btree (created_at)'),
('index', 'ix_audit_logs_request', 'CREATE INDEX ix_audit_logs_request ON stratum.audit_logs USING btree (request_id) WHERE (request_id IS NOT NULL)'),
('index', 'ix_audit_logs_resource', 'CREATE INDEX ix_audit_logs_resource ON stratum.audit_logs USING btree (resource_type, resource_id)'),
('index', 'ix_audit_logs_tenant', 'CREATE INDEX ix_audit_logs_tenant ON stratum.audit_logs USING btree (tenant_id)'),
('index', 'ix_audit_logs_user', 'CREATE INDEX ix_audit_logs_user ON stratum.audit_logs USING btree (user_id)'),
('index', 'ix_audit_seals_last_id', 'CREATE INDEX ix_audit_seals_last_id ON stratum.audit_seals USING btree (tenant_id, last_id)'),
('index', 'ix_campaign_drafts_created_by', 'CREATE INDEX ix_campaign_drafts_created_by ON stratum.campaign_drafts USING btree (tenant_id, created_by_id)'),
('index', 'ix_campaigns_active', 'CREATE INDEX ix_campaigns_active ON stratum.campaigns USING btree (tenant_id, created_at) WHERE ((status = ''active''::stratum.campaign_status) AND (is_deleted = false))'),
('index', 'ix_campaigns_date_range', 'CREATE INDEX ix_campaigns_date_range ON stratum.campaigns USING btree (tenant_id, start_date, end_date)'),
('index', 'ix_campaigns_platform', 'CREATE INDEX ix_campaigns_platform ON stratum.campaigns USING btree (tenant_id, platform)'),
('index', 'ix_campaigns_roas', 'CREATE INDEX ix_campaigns_roas ON stratum.campaigns USING btree (tenant_id, roas)'),
('index', 'ix_campaigns_tenant_status', 'CREATE INDEX ix_campaigns_tenant_status ON stratum.campaigns USING btree (tenant_id, status)'),
('index', 'ix_cdp_audience_syncs_segment', 'CREATE INDEX ix_cdp_audience_syncs_segment ON stratum.cdp_audience_syncs USING btree (tenant_id, segment_id)'),
('index', 'ix_cdp_events_name', 'CREATE INDEX ix_cdp_events_name ON stratum.cdp_events USING btree (tenant_id, event_name)'),
('index', 'ix_cdp_events_profile', 'CREATE INDEX ix_cdp_events_profile ON stratum.cdp_events USING btree (profile_id)'),
('index', 'ix_cdp_events_profile_name', 'CREATE INDEX ix_cdp_events_profile_name ON stratum.cdp_events USING btree (tenant_id, profile_id, event_name, "timestamp") INCLUDE (id)'),
('index', 'ix_cdp_events_timestamp', 'CREATE INDEX ix_cdp_events_timestamp ON stratum.cdp_events USING btree (tenant_id, "timestamp")'),
('index', 'ix_cdp_profile_aliases_profile', 'CREATE INDEX ix_cdp_profile_aliases_profile ON stratum.cdp_profile_aliases USING btree (tenant_id, profile_id)'),
('index', 'ix_cdp_profiles_anonymous_id', 'CREATE INDEX ix_cdp_profiles_anonymous_id ON stratum.cdp_profiles USING btree (tenant_id, anonymous_id)'),
('index', 'ix_cdp_profiles_email_hash', 'CREATE INDEX ix_cdp_profiles_email_hash ON stratum.cdp_profiles USING btree (tenant_id, email_hash)'),
('index', 'ix_cdp_profiles_external_id', 'CREATE INDEX ix_cdp_profiles_external_id ON stratum.cdp_profiles USING btree (tenant_id, external_id)'),
('index', 'ix_cdp_profiles_lifecycle', 'CREATE INDEX ix_cdp_profiles_lifecycle ON stratum.cdp_profiles USING btree (tenant_id, lifecycle_stage)'),
('index', 'ix_cdp_profiles_tenant', 'CREATE INDEX ix_cdp_profiles_tenant ON stratum.cdp_profiles USING btree (tenant_id)'),
('index', 'ix_cdp_segment_history_entered', 'CREATE INDEX ix_cdp_segment_history_entered ON stratum.cdp_segment_history USING btree (tenant_id, segment_id, entered_at)'),
('index', 'ix_cdp_segment_history_present', 'CREATE UNIQUE INDEX ix_cdp_segment_history_present ON stratum.cdp_segment_history USING btree (tenant_id, segment_id, profile_id) WHERE (left_at IS NULL)'),
('index', 'ix_cdp_segment_history_profile', 'CREATE INDEX ix_cdp_segment_history_profile ON stratum.cdp_segment_history USING btree (tenant_id, profile_id)'),
('index', 'ix_cdp_segment_memberships_profile', 'CREATE INDEX ix_cdp_segment_memberships_profile ON stratum.cdp_segment_memberships USING btree (tenant_id, profile_id)'),
('index', 'ix_fact_actions_queue_tenant_status', 'CREATE INDEX ix_fact_actions_queue_tenant_status ON stratum.fact_actions_queue USING btree (tenant_id, status)'),
('index', 'ix_profiles_traits', 'CREATE INDEX ix_profiles_traits ON stratum.cdp_profiles USING gin (traits)'),
('index', 'ix_rules_tenant_status', 'CREATE INDEX ix_rules_tenant_status ON stratum.rules USING btree (tenant_id, status)'),
('index', 'ix_tenants_active', 'CREATE INDEX ix_tenants_active ON stratum.tenants USING btree (is_deleted, plan)'),
('index', 'ix_tenants_slug', 'CREATE INDEX ix_tenants_slug ON stratum.tenants USING btree (slug)'),
('index', 'ix_users_email_hash', 'CREATE INDEX ix_users_email_hash ON stratum.users USING btree (email_hash)'),
('index', 'ix_users_platform_email_hash', 'CREATE UNIQUE INDEX ix_users_platform_email_hash ON stratum.users USING btree (email_hash) WHERE (tenant_id IS NULL)'),
('index', 'ix_users_tenant_active', 'CREATE INDEX ix_users_tenant_active ON stratum.users USING btree (tenant_id, is_active, is_deleted)'),
('policy', 'action_deliveries.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'action_deliveries.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'audit_chains.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'audit_chains.auditor_read', 'permissive r to stratum_auditor using true'),
('policy', 'audit_logs.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'audit_logs.auditor_read', 'permissive r to stratum_auditor using true'),
('policy', 'audit_logs.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'audit_seals.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'audit_seals.auditor_read', 'permissive r to stratum_auditor using true'),
('policy', 'audited_tables.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaign_drafts.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaign_drafts.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'campaigns.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaigns.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_audience_syncs.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_audience_syncs.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_audience_uploads.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_audience_uploads.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_events.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_events.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_profile_aliases.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_profile_aliases.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_profiles.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_profiles.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_segment_history.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_segment_history.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_segment_memberships.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_segment_memberships.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_segment_options.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_segment_options.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_segments.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_segments.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'fact_actions_queue.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'fact_actions_queue.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'fact_signal_health_daily.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'fact_signal_health_daily.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'rules.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'rules.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'tenant_platform_connections.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'tenant_platform_connections.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'tenants.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'tenants.tenant_isolation', 'permissive * to public using (id = stratum.current_tenant_id())'),
('policy', 'users.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'users.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('right', 'SCHEMA stratum to stratum_admin', 'USAGE'),
('right', 'SCHEMA stratum to stratum_app', 'USAGE'),
('right', 'SCHEMA stratum to stratum_auditor', 'USAGE'),
('right', 'SCHEMA stratum to stratum_auth', 'USAGE'),
('right', 'TYPE stratum.ad_platform to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.ad_platform to stratum_app', 'USAGE'),
('right', 'TYPE stratum.ad_platform to stratum_auditor', 'USAGE'),
('right', 'TYPE stratum.audit_action to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.audit_action to stratum_app', 'USAGE'),
('right', 'TYPE stratum.audit_action to stratum_auditor', 'USAGE'),
('right', 'TYPE stratum.campaign_status to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.campaign_status to stratum_app', 'USAGE'),
('right', 'TYPE stratum.campaign_status to stratum_auditor', 'USAGE'),
('right', 'TYPE stratum.rule_action to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.rule_action to stratum_app', 'USAGE'),
('right', 'TYPE stratum.rule_action to stratum_auditor', 'USAGE'),
('right', 'TYPE stratum.rule_status to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.rule_status to stratum_app', 'USAGE'),
('right', 'TYPE stratum.rule_status to stratum_auditor', 'USAGE'),
('right', 'TYPE stratum.user_role to stratum_admin', 'USAGE'),
('right', 'TYPE stratum.user_role to stratum_app', 'USAGE'),
('right', 'TYPE stratum.user_role to stratum_auditor', 'USAGE'),
('right', 'action_deliveries to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'action_deliveries to stratum_app', 'SELECT'),
('right', 'audit_chains to stratum_admin', 'SELECT'),
('right', 'audit_chains to stratum_auditor', 'SELECT'),
('right', 'audit_logs to stratum_admin', 'INSERT, SELECT'),
('right', 'audit_logs to stratum_app', 'INSERT, SELECT'),
('right', 'audit_logs to stratum_auditor', 'SELECT'),
('right', 'audit_logs_id_seq to stratum_admin', 'USAGE'),
('right', 'audit_logs_id_seq to stratum_app', 'USAGE'),
('right', 'audit_seals to stratum_admin', 'SELECT'),
('right', 'audit_seals to stratum_auditor', 'SELECT'),
('right', 'audited_tables to stratum_admin', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'campaign_drafts to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'campaign_drafts to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'campaign_drafts_id_seq to stratum_admin', 'USAGE'),
('right', 'campaign_drafts_id_seq to stratum_app', 'USAGE'),
('right', 'campaigns to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'campaigns to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'campaigns_id_seq to stratum_admin', 'USAGE'),
('right', 'campaigns_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_audience_syncs to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_audience_syncs to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_audience_syncs_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_audience_syncs_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_audience_uploads to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_audience_uploads to stratum_app', 'SELECT'),
('right', 'cdp_events to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_events to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_events_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_events_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_profile_aliases to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_profile_aliases to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_profiles to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_profiles to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_profiles_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_profiles_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_segment_history to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_segment_history to stratum_app', 'SELECT'),
('right', 'cdp_segment_history_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_segment_memberships to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_segment_memberships to stratum_app', 'SELECT'),
('right', 'cdp_segment_options to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_segment_options to stratum_app', 'SELECT'),
('right', 'cdp_segments to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_segments to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_segments_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_segments_id_seq to stratum_app', 'USAGE'),
('right', 'fact_actions_queue to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'fact_actions_queue to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'fact_actions_queue_id_seq to stratum_admin', 'USAGE'),
('right', 'fact_actions_queue_id_seq to stratum_app', 'USAGE'),
('right', 'fact_signal_health_daily to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'fact_signal_health_daily to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'fact_signal_health_daily_id_seq to stratum_admin', 'USAGE'),
('right', 'fact_signal_health_daily_id_seq to stratum_app', 'USAGE'),
('right', 'rules to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'rules to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'rules_id_seq to stratum_admin', 'USAGE'),
('right', 'rules_id_seq to stratum_app', 'USAGE'),
('right', 'tenant_platform_connections to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'tenant_platform_connections to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'tenant_platform_connections_id_seq to stratum_admin', 'USAGE'),
('right', 'tenant_platform_connections_id_seq to stratum_app', 'USAGE'),
('right', 'tenants to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'tenants to stratum_app', 'SELECT, UPDATE (domain), UPDATE (name), UPDATE (settings), UPDATE (updated_at)'),
('right', 'tenants_id_seq to stratum_admin', 'USAGE'),
('right', 'users to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'users to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'users_id_seq to stratum_admin', 'USAGE'),
('right', 'users_id_seq to stratum_app', 'USAGE'),
('table', 'action_deliveries', 'row security, forced'),
('table', 'audit_chains', 'row security, forced'),
('table', 'audit_keys', 'row security, forced'),
('table', 'audit_logs', 'row security, forced'),
('table', 'audit_seals', 'row security, forced'),
('table', 'audited_tables', 'row security, forced'),
('table', 'campaign_drafts', 'row security, forced'),
('table', 'campaigns', 'row security, forced'),
('table', 'cdp_audience_syncs', 'row security, forced'),
('table', 'cdp_audience_uploads', 'row security, forced'),
('table', 'cdp_events', 'row security, forced'),
('table', 'cdp_profile_aliases', 'row security, forced'),
('table', 'cdp_profiles', 'row security, forced'),
('table', 'cdp_segment_history', 'row security, forced'),
('table', 'cdp_segment_memberships', 'row security, forced'),
('table', 'cdp_segment_options', 'row security, forced'),
('table', 'cdp_segments', 'row security, forced'),
('table', 'fact_actions_queue', 'row security, forced'),
('table', 'fact_signal_health_daily', 'row security, forced'),
('table', 'jwt_keys', 'row security, forced'),
('table', 'rules', 'row security, forced'),
('table', 'tenant_platform_connections', 'row security, forced'),
('table', 'tenants', 'row security, forced'),
('table', 'users', 'row security, forced'),
('trigger', 'action_deliveries.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.action_deliveries FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'audit_logs.zz_stratum_guard_change', 'CREATE TRIGGER zz_stratum_guard_change BEFORE DELETE OR UPDATE ON stratum.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()'),
('trigger', 'audit_logs.zz_stratum_guard_insert', 'CREATE TRIGGER zz_stratum_guard_insert BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION stratum._audit_guard_insert()'),
('trigger', 'audit_logs.zz_stratum_guard_truncate', 'CREATE TRIGGER zz_stratum_guard_truncate BEFORE TRUNCATE ON stratum.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()'),
('trigger', 'audited_tables.zz_stratum_guard', 'CREATE TRIGGER zz_stratum_guard BEFORE INSERT OR DELETE OR UPDATE ON stratum.audited_tables FOR EACH ROW EXECUTE FUNCTION stratum._guard_audited_tables()'),
('trigger', 'campaign_drafts.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.campaign_drafts REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaign_drafts'', ''{}'', ''{}'')'),
('trigger', 'campaign_drafts.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.campaign_drafts REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaign_drafts'', ''{}'', ''{}'')'),
('trigger', 'campaign_drafts.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.campaign_drafts FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''campaign_drafts'')'),
('trigger', 'campaign_drafts.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.campaign_drafts REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaign_drafts'', ''{}'', ''{}'')'),
('trigger', 'campaign_drafts.zz_stratum_draft', 'CREATE TRIGGER zz_stratum_draft BEFORE INSERT OR UPDATE ON stratum.campaign_drafts FOR EACH ROW EXECUTE FUNCTION stratum._check_draft()'),
('trigger', 'campaign_drafts.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.campaign_drafts FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,status,created_at,updated_at}'')'),
('trigger', 'campaign_drafts.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.campaign_drafts FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'campaigns.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.campaigns REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaigns'', ''{}'', ''{}'')'),
('trigger', 'campaigns.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.campaigns REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaigns'', ''{}'', ''{}'')'),
('trigger', 'campaigns.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.campaigns FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''campaigns'')'),
('trigger', 'campaigns.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.campaigns REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''campaigns'', ''{}'', ''{}'')'),
('trigger', 'campaigns.zz_stratum_limit_insert', 'CREATE TRIGGER zz_stratum_limit_insert AFTER INSERT ON stratum.campaigns REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stratum._limit_rows(''max_campaigns'')'),
('trigger', 'campaigns.zz_stratum_limit_update', 'CREATE TRIGGER zz_stratum_limit_update AFTER UPDATE ON stratum.campaigns FOR EACH STATEMENT EXECUTE FUNCTION stratum._limit_rows(''max_campaigns'')'),
('trigger', 'campaigns.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{metrics}'', ''{id,status,total_spend_cents,currency,impressions,clicks,conversions,revenue_cents,labels,created_at,updated_at,is_deleted}'')'),
('trigger', 'campaigns.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.campaigns FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_audience_syncs REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_audience_syncs'', ''{}'', ''{}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.cdp_audience_syncs REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_audience_syncs'', ''{}'', ''{}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_audience_syncs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_audience_syncs'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_audience_syncs REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_audience_syncs'', ''{}'', ''{}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_audience_syncs FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,sync_interval,identifier_types,is_active,profiles_synced,created_at,updated_at}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_audience_syncs FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_audience_uploads.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_audience_uploads FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_events.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_events REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_events'', ''{}'', ''{}'')'),
('trigger', 'cdp_events.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_events FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_events'')'),
('trigger', 'cdp_events.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_events REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_events'', ''{}'', ''{}'')'),
('trigger', 'cdp_events.zz_stratum_live', 'CREATE TRIGGER zz_stratum_live AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION stratum._note_event()'),
('trigger', 'cdp_events.zz_stratum_live_truncate', 'CREATE TRIGGER zz_stratum_live_truncate AFTER TRUNCATE ON stratum.cdp_events FOR EACH STATEMENT EXECUTE FUNCTION stratum._events_truncated()'),
('trigger', 'cdp_events.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,properties,context,received_at}'')'),
('trigger', 'cdp_events.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_events FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_profile_aliases.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_profile_aliases REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_profile_aliases'', ''{value}'', ''{}'')'),
('trigger', 'cdp_profile_aliases.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_profile_aliases FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_profile_aliases'')'),
('trigger', 'cdp_profile_aliases.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_profile_aliases REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_profile_aliases'', ''{value}'', ''{}'')'),
('trigger', 'cdp_profile_aliases.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_profile_aliases FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_profiles.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_profiles REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_profiles'', ''{}'', ''{}'')'),
('trigger', 'cdp_profiles.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.cdp_profiles REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_profiles'', ''{}'', ''{}'')'),
('trigger', 'cdp_profiles.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_profiles FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_profiles'')'),
('trigger', 'cdp_profiles.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_profiles REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_profiles'', ''{}'', ''{}'')'),
('trigger', 'cdp_profiles.zz_stratum_live', 'CREATE TRIGGER zz_stratum_live AFTER INSERT OR UPDATE ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION stratum._note_profile()'),
('trigger', 'cdp_profiles.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{email,phone}'', ''{id,lifecycle_stage,traits,computed_traits,consent,created_at,updated_at}'')'),
('trigger', 'cdp_profiles.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_profiles FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_segment_history.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_segment_history FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_segment_memberships.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_segment_memberships FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_segment_options.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_segment_options REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segment_options'', ''{}'', ''{}'')'),
('trigger', 'cdp_segment_options.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.cdp_segment_options REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segment_options'', ''{}'', ''{}'')'),
('trigger', 'cdp_segment_options.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_segment_options FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_segment_options'')'),
('trigger', 'cdp_segment_options.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_segment_options REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segment_options'', ''{}'', ''{}'')'),
('trigger', 'cdp_segment_options.zz_stratum_live', 'CREATE TRIGGER zz_stratum_live AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_segment_options FOR EACH ROW EXECUTE FUNCTION stratum._note_options()'),
('trigger', 'cdp_segment_options.zz_stratum_segments_changed', 'CREATE TRIGGER zz_stratum_segments_changed AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_segment_options FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()'),
('trigger', 'cdp_segment_options.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_segment_options FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'cdp_segments.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.cdp_segments REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segments'', ''{}'', ''{}'')'),
('trigger', 'cdp_segments.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.cdp_segments REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segments'', ''{}'', ''{}'')'),
('trigger', 'cdp_segments.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_segments FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_segments'')'),
('trigger', 'cdp_segments.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.cdp_segments REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''cdp_segments'', ''{}'', ''{}'')'),
('trigger', 'cdp_segments.zz_stratum_live', 'CREATE TRIGGER zz_stratum_live AFTER INSERT OR UPDATE ON stratum.cdp_segments FOR EACH ROW EXECUTE FUNCTION stratum._note_segment()'),
('trigger', 'cdp_segments.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_segments FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{profile_conditions}'', ''{id,profile_count,is_active,created_at,updated_at}'')'),
('trigger', 'cdp_segments.zz_stratum_segments_changed', 'CREATE TRIGGER zz_stratum_segments_changed AFTER INSERT OR DELETE OR UPDATE OF id, tenant_id, slug, conditions, is_active ON stratum.cdp_segments FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()'),
('trigger', 'cdp_segments.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.cdp_segments FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'fact_actions_queue.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.fact_actions_queue REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_actions_queue'', ''{}'', ''{}'')'),
('trigger', 'fact_actions_queue.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.fact_actions_queue REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_actions_queue'', ''{}'', ''{}'')'),
('trigger', 'fact_actions_queue.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.fact_actions_queue FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''fact_actions_queue'')'),
('trigger', 'fact_actions_queue.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.fact_actions_queue REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_actions_queue'', ''{}'', ''{}'')'),
('trigger', 'fact_actions_queue.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.fact_actions_queue FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,status,created_at}'')'),
('trigger', 'fact_actions_queue.zz_stratum_state', 'CREATE TRIGGER zz_stratum_state BEFORE INSERT OR UPDATE ON stratum.fact_actions_queue FOR EACH ROW EXECUTE FUNCTION stratum._keep_action()'),
('trigger', 'fact_actions_queue.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.fact_actions_queue FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.fact_signal_health_daily REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_signal_health_daily'', ''{}'', ''{}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.fact_signal_health_daily REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_signal_health_daily'', ''{}'', ''{}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.fact_signal_health_daily FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''fact_signal_health_daily'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.fact_signal_health_daily REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''fact_signal_health_daily'', ''{}'', ''{}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.fact_signal_health_daily FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,issues}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_signals', 'CREATE TRIGGER zz_stratum_signals BEFORE INSERT OR UPDATE ON stratum.fact_signal_health_daily FOR EACH ROW EXECUTE FUNCTION stratum._keep_signal_health()'),
('trigger', 'fact_signal_health_daily.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.fact_signal_health_daily FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'jwt_keys.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.jwt_keys REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''jwt_keys'', ''{secret}'', ''{}'')'),
('trigger', 'jwt_keys.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.jwt_keys REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''jwt_keys'', ''{secret}'', ''{}'')'),
('trigger', 'jwt_keys.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.jwt_keys FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''jwt_keys'')'),
('trigger', 'jwt_keys.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.jwt_keys REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''jwt_keys'', ''{secret}'', ''{}'')'),
('trigger', 'rules.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.rules REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''rules'', ''{}'', ''{}'')'),
('trigger', 'rules.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.rules REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''rules'', ''{}'', ''{}'')'),
('trigger', 'rules.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.rules FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''rules'')'),
('trigger', 'rules.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.rules REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''rules'', ''{}'', ''{}'')'),
('trigger', 'rules.zz_stratum_check', 'CREATE TRIGGER zz_stratum_check BEFORE INSERT OR UPDATE ON stratum.rules FOR EACH ROW EXECUTE FUNCTION stratum._check_rule()'),
('trigger', 'rules.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.rules FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{campaign_conditions}'', ''{id,status,is_enabled,executions_count,created_at,updated_at,is_deleted}'')'),
('trigger', 'rules.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.rules FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'tenant_platform_connections.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.tenant_platform_connections REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenant_platform_connections'', ''{}'', ''{}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.tenant_platform_connections REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenant_platform_connections'', ''{}'', ''{}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.tenant_platform_connections FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''tenant_platform_connections'')'),
('trigger', 'tenant_platform_connections.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.tenant_platform_connections REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenant_platform_connections'', ''{}'', ''{}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.tenant_platform_connections FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,is_connected,created_at,updated_at}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.tenant_platform_connections FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'tenants.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.tenants REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenants'', ''{}'', ''{}'')'),
('trigger', 'tenants.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.tenants REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenants'', ''{}'', ''{}'')'),
('trigger', 'tenants.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.tenants FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''tenants'')'),
('trigger', 'tenants.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.tenants REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''tenants'', ''{}'', ''{}'')'),
('trigger', 'tenants.zz_stratum_check', 'CREATE TRIGGER zz_stratum_check BEFORE INSERT OR UPDATE ON stratum.tenants FOR EACH ROW EXECUTE FUNCTION stratum._check_tenant_settings()'),
('trigger', 'tenants.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.tenants FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,plan,settings,feature_flags,max_users,max_campaigns,created_at,updated_at,is_deleted}'')'),
('trigger', 'tenants.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.tenants FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('trigger', 'users.zz_stratum_audit_delete', 'CREATE TRIGGER zz_stratum_audit_delete AFTER DELETE ON stratum.users REFERENCING OLD TABLE AS stratum_old FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''users'', ''{}'', ''{}'')'),
('trigger', 'users.zz_stratum_audit_insert', 'CREATE TRIGGER zz_stratum_audit_insert AFTER INSERT ON stratum.users REFERENCING NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''users'', ''{}'', ''{}'')'),
('trigger', 'users.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.users FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''users'')'),
('trigger', 'users.zz_stratum_audit_update', 'CREATE TRIGGER zz_stratum_audit_update AFTER UPDATE ON stratum.users REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(''users'', ''{}'', ''{}'')'),
('trigger', 'users.zz_stratum_limit_insert', 'CREATE TRIGGER zz_stratum_limit_insert AFTER INSERT ON stratum.users REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stratum._limit_rows(''max_users'')'),
('trigger', 'users.zz_stratum_limit_update', 'CREATE TRIGGER zz_stratum_limit_update AFTER UPDATE ON stratum.users FOR EACH STATEMENT EXECUTE FUNCTION stratum._limit_rows(''max_users'')'),
('trigger', 'users.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.users FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{email}'', ''{id,role,permissions,is_active,is_verified,is_protected,totp_enabled,failed_totp_attempts,locale,timezone,preferences,consent_marketing,consent_analytics,created_at,updated_at,is_deleted}'')'),
('trigger', 'users.zz_stratum_protected', 'CREATE TRIGGER zz_stratum_protected AFTER DELETE OR UPDATE ON stratum.users FOR EACH ROW EXECUTE FUNCTION stratum._guard_protected_user()'),
('trigger', 'users.zz_stratum_viewer', 'CREATE TRIGGER zz_stratum_viewer BEFORE INSERT OR DELETE OR UPDATE OR TRUNCATE ON stratum.users FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()'),
('type', 'ad_platform', 'meta, google, tiktok, snapchat'),
('type', 'audit_action', 'create, update, delete, login, logout, export, anonymize'),
('type', 'campaign_status', 'draft, active, paused, completed, archived'),
('type', 'rule_action', 'apply_label, send_alert, pause_campaign, adjust_budget, notify_slack, notify_whatsapp'),
('type', 'rule_status', 'active, paused, draft'),
('type', 'user_role', 'superadmin, admin, manager, analyst, viewer')
$manifest$;

CREATE FUNCTION stratum._is_id_column(kind text, object text, definition text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT kind = 'column' AND object ~ '[._]id$' AND definition ~ '^integer\M' $$;
COMMENT ON FUNCTION stratum._is_id_column(text, text, text) IS
  'Whether a row of _storage_expected() is a column that widen_ids() widens; internal.';

CREATE FUNCTION stratum._id_columns() RETURNS TABLE (table_oid regclass, column_number smallint, column_name name, width regtype, sequence_oid regclass)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.attrelid::regclass, a.attnum, a.attname, a.atttypid::regtype,
         CASE WHEN a.attname = 'id' THEN pg_get_serial_sequence(a.attrelid::regclass::text, 'id')::regclass END
  FROM stratum._storage_expected() e
    JOIN pg_attribute a ON a.attrelid = to_regclass('stratum.' || quote_ident(split_part(e.object, '.', 1)))
      AND a.attname = split_part(e.object, '.', 2) AND NOT a.attisdropped AND a.atttypid IN ('integer'::regtype, 'bigint'::regtype)
  WHERE stratum._is_id_column(e.kind, e.object, e.definition);
$$;
COMMENT ON FUNCTION stratum._id_columns() IS
  'The ids of the storage, and what refers to them, as they are: table, column, type, and the sequence that numbers them; internal.';

CREATE FUNCTION stratum._has_wide_ids() RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM stratum._id_columns() c WHERE c.width = 'bigint'::regtype) $$;
COMMENT ON FUNCTION stratum._has_wide_ids() IS 'Whether widen_ids() has been at work here; internal.';

CREATE FUNCTION stratum._id_functions() RETURNS TABLE (signature regprocedure, definition text, width text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p.oid::regprocedure, pg_get_functiondef(p.oid),
         substring(pg_get_function_result(p.oid) FROM '(?:profile_id|segment_id|user_id|SETOF) (integer|bigint)')
  FROM unnest(ARRAY['segment_profiles(bigint)', 'profile_segments(bigint)', 'refresh_segments()', 'publish_draft(bigint)',
                    'row_history(regclass,text)']) f (name)
    JOIN pg_proc p ON p.oid = to_regprocedure('stratum.' || f.name)
    JOIN stratum._members('pg_proc') m ON m.oid = p.oid;
$$;
COMMENT ON FUNCTION stratum._id_functions() IS
  'The functions that return ids as the documented integer, and the type that they return here; internal to widen_ids().';

CREATE FUNCTION stratum._make_id_function(signature regprocedure, definition text, width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text := signature::text;
  comment text := obj_description(signature, 'pg_proc');
  in_script boolean := stratum._in_extension_script();
  ours text[];
  others text[];
  grantee text;
BEGIN
  SELECT array_agg(r.rolname) FILTER (WHERE r.rolname LIKE 'stratum\_%'), array_agg(r.rolname) FILTER (WHERE r.rolname NOT LIKE 'stratum\_%')
  INTO ours, others
  FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE p.oid = signature AND a.grantee <> p.proowner;
  IF NOT in_script THEN
    EXECUTE format('ALTER EXTENSION stratum DROP FUNCTION %s', name);
  END IF;
  EXECUTE format('DROP FUNCTION %s', name);
  EXECUTE regexp_replace(definition, E'(\\n RETURNS [^\\n]*(?:profile_id|segment_id|user_id|SETOF)) (?:integer|bigint)', E'\\1 ' || width);
  EXECUTE format('COMMENT ON FUNCTION %s IS %L', name, comment);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
  FOREACH grantee IN ARRAY coalesce(ours, '{}') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', name, grantee);
  END LOOP;
  IF NOT in_script THEN
    EXECUTE format('ALTER EXTENSION stratum ADD FUNCTION %s', name);
  END IF;
  FOREACH grantee IN ARRAY coalesce(others, '{}') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', name, grantee);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._make_id_function(regprocedure, text, text) IS
  'Makes a function that returns ids anew with another type of its result; internal to widen_ids().';

CREATE FUNCTION stratum._fit_results(wanted text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f record;
BEGIN
  FOR f IN SELECT * FROM stratum._id_functions() i WHERE i.width <> wanted LOOP
    PERFORM stratum._make_id_function(f.signature, f.definition, wanted);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._fit_results(text) IS
  'Makes the functions that return ids return this type, integer or bigint; internal to widen_ids() and install().';

CREATE FUNCTION stratum._policy_command(policy oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass,
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) o))
           || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
           || format('; COMMENT ON POLICY %I ON %s IS %L', p.polname, p.polrelid::regclass, obj_description(p.oid, 'pg_policy'))
  FROM pg_policy p WHERE p.oid = policy;
$$;
COMMENT ON FUNCTION stratum._policy_command(oid) IS 'What makes a policy again, with its comment; internal to widen_ids() and partition_by_month().';

CREATE FUNCTION stratum._trigger_command(trigger oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT pg_get_triggerdef(t.oid)
           || format('; COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, obj_description(t.oid, 'pg_trigger'))
           || format('; ALTER TABLE %s %s TRIGGER %I', t.tgrelid::regclass,
                     CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname)
  FROM pg_trigger t WHERE t.oid = trigger;
$$;
COMMENT ON FUNCTION stratum._trigger_command(oid) IS
  'What makes a trigger again, with its comment and state; internal to widen_ids() and partition_by_month().';

CREATE FUNCTION stratum._in_the_way(table_oid regclass, columns smallint[]) RETURNS TABLE (drop_it text, make_it text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''))
           || CASE WHEN r.relkind = 'r' AND pg_get_constraintdef(c.oid) !~ 'NOT ENFORCED' THEN ' NOT VALID' ELSE '' END
           || format('; COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass, obj_description(c.oid, 'pg_constraint'))
  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
  WHERE c.contype = 'f' AND c.conparentid = 0
    AND (c.conrelid = table_oid AND c.conkey && columns OR c.confrelid = table_oid AND c.confkey && columns)
  UNION ALL
  SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass), stratum._policy_command(p.oid)
  FROM pg_policy p
  WHERE EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = table_oid AND d.refobjsubid = ANY (columns))
  UNION ALL
  SELECT format('DROP TRIGGER %I ON %s', t.tgname, table_oid), stratum._trigger_command(t.oid)
  FROM pg_trigger t
  WHERE t.tgrelid = table_oid AND NOT t.tgisinternal
    AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = table_oid AND d.refobjsubid = ANY (columns));
$$;
COMMENT ON FUNCTION stratum._in_the_way(regclass, smallint[]) IS
  'References, policies and triggers that use columns whose type is to change, with what drops them and puts them back; internal to widen_ids().';

CREATE FUNCTION stratum._forget_types() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure AS signature, p.procost
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname = 'plpgsql' AND p.prokind = 'f'
  LOOP
    EXECUTE format('ALTER FUNCTION %s COST %s', f.signature, f.procost);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._forget_types() IS
  'Makes every session compile stratum''s plpgsql functions anew; internal to widen_ids().';

CREATE FUNCTION stratum._set_id_width(table_oid regclass, width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  columns smallint[];
  changes text;
  drops text[];
  makes text[];
  command text;
  was_analyzed boolean := (SELECT r.reltuples > 0 FROM pg_class r WHERE r.oid = table_oid);
BEGIN
  SELECT array_agg(c.column_number), string_agg(format('ALTER COLUMN %I TYPE %s', c.column_name, _set_id_width.width), ', ' ORDER BY c.column_number)
  INTO columns, changes
  FROM stratum._id_columns() c WHERE c.table_oid = _set_id_width.table_oid AND c.width <> _set_id_width.width::regtype;
  IF columns IS NOT NULL THEN
    PERFORM stratum._drop_partition_policies(table_oid);
    SELECT array_agg(i.drop_it), array_agg(i.make_it) INTO drops, makes FROM stratum._in_the_way(table_oid, columns) i;
    FOREACH command IN ARRAY coalesce(drops, '{}') LOOP
      EXECUTE command;
    END LOOP;
    EXECUTE format('ALTER TABLE %s %s', table_oid, changes);
    FOREACH command IN ARRAY coalesce(makes, '{}') LOOP
      EXECUTE command;
    END LOOP;
    PERFORM stratum._fit_partitions(table_oid);
    PERFORM stratum._forget_types();
    IF was_analyzed THEN
      EXECUTE format('ANALYZE %s', table_oid);
    END IF;
  END IF;
  FOR command IN
    SELECT format('ALTER SEQUENCE %s AS %s', c.sequence_oid, _set_id_width.width)
    FROM stratum._id_columns() c JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
    WHERE c.table_oid = _set_id_width.table_oid AND s.seqtypid <> _set_id_width.width::regtype
  LOOP
    EXECUTE command;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._set_id_width(regclass, text) IS
  'Gives the ids of a table, and its sequence, a type: integer or bigint; rewrites the table; internal to widen_ids().';

CREATE FUNCTION stratum._check_dependants(width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  found_ones text;
BEGIN
  SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ') INTO found_ones
  FROM pg_depend d
  WHERE EXISTS (SELECT FROM stratum._id_columns() c
                WHERE c.width <> _check_dependants.width::regtype AND d.refclassid = 'pg_class'::regclass
                  AND d.refobjid = c.table_oid AND d.refobjsubid = c.column_number)
        AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
             OR EXISTS (SELECT FROM pg_attrdef a JOIN pg_attribute g ON g.attrelid = a.adrelid AND g.attnum = a.adnum
                        WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid AND g.attgenerated <> ''))
     OR EXISTS (SELECT FROM stratum._id_functions() f
                WHERE f.width <> _check_dependants.width AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.signature);
  IF found_ones IS NOT NULL THEN
    RAISE EXCEPTION 'ids of stratum cannot change their type while these use them: %', found_ones
      USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop them, and make them again afterwards.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_dependants(text) IS
  'Refuses views, generated columns and the like that use ids whose type is to change; internal to widen_ids().';

CREATE FUNCTION stratum._size_with_partitions(table_oid regclass) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(sum(pg_table_size(p.relid))::bigint, pg_table_size(table_oid)) FROM pg_partition_tree(table_oid) p $$;
COMMENT ON FUNCTION stratum._size_with_partitions(regclass) IS 'Bytes of a table, those of its partitions among them; internal to widen_ids().';

CREATE FUNCTION stratum._tables_to_widen() RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'widen_ids() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  ELSIF stratum.version() <> stratum._storage_version() OR stratum._storage_version() IS NULL THEN
    RAISE EXCEPTION 'the storage is not of the extension''s version'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do first what SELECT * FROM stratum.check_install() says.';
  END IF;
  PERFORM stratum._check_dependants('bigint');
  RETURN ARRAY(
    SELECT t.table_oid::text
    FROM (SELECT DISTINCT c.table_oid FROM stratum._id_columns() c LEFT JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
          WHERE c.width <> 'bigint'::regtype OR s.seqtypid <> 'bigint'::regtype) t
    ORDER BY stratum._size_with_partitions(t.table_oid), t.table_oid::text);
END $$;
COMMENT ON FUNCTION stratum._tables_to_widen() IS
  'The tables that widen_ids() has left to do; refuses what it cannot do; internal.';

CREATE FUNCTION stratum._validation_steps() RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT ARRAY(SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.conrelid::regclass, c.conname)
               FROM pg_constraint c
               WHERE c.contype = 'f' AND NOT c.convalidated AND c.conparentid = 0 AND pg_get_constraintdef(c.oid) !~ 'NOT ENFORCED'
                 AND (c.conrelid IN (SELECT i.table_oid FROM stratum._id_columns() i) OR c.confrelid IN (SELECT i.table_oid FROM stratum._id_columns() i))
               ORDER BY pg_table_size(c.conrelid), c.conname);
$$;
COMMENT ON FUNCTION stratum._validation_steps() IS
  'References of and to the storage that wait for the check of the rows that were there before them, as commands; internal to widen_ids().';

CREATE FUNCTION stratum._widening_step(command text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('lock_timeout') = '0' THEN
    PERFORM set_config('lock_timeout', '2s', true);
  END IF;
  EXECUTE command;
EXCEPTION WHEN foreign_key_violation THEN
  RAISE WARNING '%', SQLERRM USING HINT = format('Mend the rows, then %s;', command);
END $$;
COMMENT ON FUNCTION stratum._widening_step(text) IS 'One step of widen_ids(), which waits for its locks 2 seconds, or lock_timeout; internal.';

CREATE PROCEDURE stratum._try_step(command text, tries integer)
  LANGUAGE plpgsql
AS $$
DECLARE
  done boolean := false;
BEGIN
  FOR attempt IN 1 .. tries LOOP
    BEGIN
      PERFORM stratum._widening_step(command);
      done := true;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF attempt = tries THEN
        RAISE EXCEPTION 'no lock was to be had: %', SQLERRM
          USING ERRCODE = SQLSTATE, DETAIL = pg_catalog.format('Tried %s times: %s', tries, command),
                HINT = 'What was done before stays done. End the transactions that hold the table, or wait, and CALL stratum.widen_ids() again.';
      END IF;
    END;
    COMMIT;
    EXIT WHEN done;
    PERFORM pg_catalog.pg_sleep(0.5);
  END LOOP;
END $$;
COMMENT ON PROCEDURE stratum._try_step(text, integer) IS 'A step of widen_ids(), again and again where its locks are not to be had, and a commit; internal.';

CREATE FUNCTION stratum._report_narrow_references() RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  found_one record;
BEGIN
  FOR found_one IN
    SELECT DISTINCT c.conrelid::regclass AS table_name, a.attname, c.confrelid::regclass AS target
    FROM pg_constraint c, unnest(c.conkey, c.confkey) k (own, referred)
      JOIN pg_attribute a ON a.attnum = k.own
      JOIN stratum._id_columns() i ON i.column_number = k.referred
    WHERE c.contype = 'f' AND c.conparentid = 0 AND a.attrelid = c.conrelid AND i.table_oid = c.confrelid
      AND a.atttypid = 'integer'::regtype AND c.conrelid NOT IN (SELECT t.table_oid FROM stratum._id_columns() t)
    ORDER BY 1, 2
  LOOP
    RAISE NOTICE 'column % of table %, which refers to %, is still integer', found_one.attname, found_one.table_name, found_one.target
      USING HINT = 'It serves until ids pass 2147483647; its type is yours to change.';
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._report_narrow_references() IS 'Names the user''s own columns that refer to ids and are integer, in notices; internal to widen_ids().';

CREATE PROCEDURE stratum.widen_ids(tries integer DEFAULT 20)
  LANGUAGE plpgsql
AS $$
DECLARE
  tables text[];
  checks text[];
BEGIN
  PERFORM stratum._refuse_transaction_block('widen_ids');
  tables := stratum._tables_to_widen();
  IF tries IS NULL OR tries < 1 THEN
    RAISE EXCEPTION 'tries must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR n IN 1 .. pg_catalog.cardinality(tables) LOOP
    CALL stratum._try_step(pg_catalog.format('SELECT stratum._set_id_width(%L, %L)', tables[n], 'bigint'), tries);
    RAISE NOTICE 'widened % (% of % tables)', tables[n], n, pg_catalog.cardinality(tables);
  END LOOP;
  checks := stratum._validation_steps();
  FOR n IN 1 .. pg_catalog.cardinality(checks) LOOP
    CALL stratum._try_step(checks[n], tries);
    RAISE NOTICE 'done: % (% of % references)', checks[n], n, pg_catalog.cardinality(checks);
  END LOOP;
  CALL stratum._try_step('SELECT stratum._fit_results(''bigint'')', tries);
  PERFORM stratum._report_narrow_references();
END $$;
COMMENT ON PROCEDURE stratum.widen_ids(integer) IS
  'Turns the serial ids and what refers to them into bigint, a table a transaction; what an interruption leaves is done by the next CALL.';

CREATE FUNCTION stratum._narrow_ids() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  c record;
  is_beyond boolean;
BEGIN
  PERFORM stratum._check_dependants('integer');
  FOR c IN SELECT * FROM stratum._id_columns() i WHERE i.width = 'bigint'::regtype ORDER BY i.table_oid::text, i.column_number LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE t.%I NOT BETWEEN -2147483648 AND 2147483647)', c.table_oid, c.column_name) INTO is_beyond;
    is_beyond := is_beyond OR coalesce(pg_sequence_last_value(c.sequence_oid) > 2147483647, false);
    IF is_beyond THEN
      RAISE EXCEPTION 'ids of % have passed 2147483647, more than version 1.0 can hold', c.table_oid
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It has integer ids only; this is about column %I.', c.column_name),
              HINT = 'Stay with this version.';
    END IF;
  END LOOP;
  FOR c IN
    SELECT DISTINCT i.table_oid FROM stratum._id_columns() i LEFT JOIN pg_sequence s ON s.seqrelid = i.sequence_oid
    WHERE i.width = 'bigint'::regtype OR s.seqtypid = 'bigint'::regtype
  LOOP
    PERFORM stratum._set_id_width(c.table_oid, 'integer');
  END LOOP;
  FOR c IN SELECT v.command FROM unnest(stratum._validation_steps()) v (command) LOOP
    EXECUTE c.command;
  END LOOP;
  PERFORM stratum._fit_results('integer');
END $$;
COMMENT ON FUNCTION stratum._narrow_ids() IS
  'Undoes widen_ids(), in one transaction; refused where an id does not fit; internal to the way down to version 1.0.';

CREATE FUNCTION stratum._check_widths() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'sequence ' || c.sequence_oid, 'still integer, the ids are bigint', 'CALL stratum.widen_ids();'
  FROM stratum._id_columns() c JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
  WHERE c.width = 'bigint'::regtype AND s.seqtypid <> 'bigint'::regtype
  UNION ALL
  SELECT 'function ' || f.signature, 'returns integer, and ids are past the half of that', 'SELECT stratum.install();'
  FROM stratum._id_functions() f
  WHERE f.width = 'integer'
    AND EXISTS (SELECT FROM stratum._id_columns() c WHERE c.width = 'bigint'::regtype AND pg_sequence_last_value(c.sequence_oid) > 1073741823);
$$;
COMMENT ON FUNCTION stratum._check_widths() IS
  'Where sequences and functions have not followed the ids; internal to check_install().';

CREATE FUNCTION stratum._partitionable() RETURNS TABLE (table_name text, time_column text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ VALUES ('audit_logs', 'created_at'), ('cdp_events', 'timestamp') $$;
COMMENT ON FUNCTION stratum._partitionable() IS 'Tables that partition_by_month() converts, and by which column; internal.';

CREATE FUNCTION stratum._time_column(table_name text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result text := (SELECT p.time_column FROM stratum._partitionable() p WHERE p.table_name = _time_column.table_name);
BEGIN
  IF result IS NULL THEN
    RAISE EXCEPTION 'table % cannot have monthly partitions', coalesce(quote_literal(table_name), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is audit_logs or cdp_events.';
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._time_column(text) IS
  'The column by which a table is partitioned; raises for tables that cannot be; internal.';

CREATE FUNCTION stratum._is_partitioned(table_name text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(format('stratum.%I', table_name)) AND c.relkind = 'p');
$$;
COMMENT ON FUNCTION stratum._is_partitioned(text) IS 'Whether a stratum table has been converted to partitions; internal.';

CREATE FUNCTION stratum._partitions(table_name text)
  RETURNS TABLE (oid regclass, name text, is_default boolean, starts timestamptz, ends timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
AS $$
  SELECT c.oid::regclass, c.relname::text, b.bounds = 'DEFAULT',
         CASE WHEN b.bounds ~ '^FOR VALUES FROM \(MINVALUE\)' THEN '-infinity'
              ELSE substring(b.bounds FROM '^FOR VALUES FROM \(''([^'']*)''\)') END::timestamptz,
         CASE WHEN b.bounds ~ ' TO \(MAXVALUE\)$' THEN 'infinity'
              ELSE substring(b.bounds FROM ' TO \(''([^'']*)''\)$') END::timestamptz
  FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
  WHERE i.inhparent = to_regclass(format('stratum.%I', table_name)) AND stratum._is_partitioned(table_name);
$$;
COMMENT ON FUNCTION stratum._partitions(text) IS 'The partitions of a converted table, with the time that each is for; internal.';

CREATE FUNCTION stratum._revoke_everything(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  grantee text;
BEGIN
  FOR grantee IN
    SELECT DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC')
    FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.oid = table_oid AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', table_oid, grantee);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._revoke_everything(regclass) IS 'Takes a table''s rights from everybody but its owner; internal.';

CREATE FUNCTION stratum._put_partition_guards(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF table_name = 'audit_logs' THEN
    PERFORM stratum._put_trigger(leaf, g.name,
      'BEFORE ' || g.events || ' ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()', 'The audit trail is append-only.')
    FROM (VALUES ('zz_stratum_guard_change', 'UPDATE OR DELETE'), ('zz_stratum_guard_truncate', 'TRUNCATE')) g (name, events);
  ELSE
    PERFORM stratum._put_trigger(leaf, 'zz_stratum_viewer',
      'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()', 'A viewer writes nothing.');
    PERFORM stratum._put_trigger(leaf, 'zz_stratum_live_truncate',
      'AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._events_truncated()',
      'Live memberships are brought up to date at the end of the transaction.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_partition_guards(text, regclass) IS
  'Puts the statement triggers on a partition that guard it when it is named itself; internal.';

CREATE FUNCTION stratum._put_partition_policies(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', leaf);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', leaf);
  EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON %s', leaf);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s USING (tenant_id = stratum.current_tenant_id())', leaf);
  EXECUTE format('COMMENT ON POLICY tenant_isolation ON %s IS %L', leaf, 'Rows of the tenant that the transaction has entered, and no others.');
  EXECUTE format('DROP POLICY IF EXISTS admin_all ON %s', leaf);
  EXECUTE format('CREATE POLICY admin_all ON %s TO stratum_admin USING (true)', leaf);
  EXECUTE format('COMMENT ON POLICY admin_all ON %s IS %L', leaf, 'Administrators see every tenant.');
  EXECUTE format('DROP POLICY IF EXISTS auditor_read ON %s', leaf);
  IF table_name = 'audit_logs' THEN
    EXECUTE format('CREATE POLICY auditor_read ON %s FOR SELECT TO stratum_auditor USING (true)', leaf);
    EXECUTE format('COMMENT ON POLICY auditor_read ON %s IS %L', leaf, 'Auditors read the trail of every tenant.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_partition_policies(text, regclass) IS
  'Row security of a partition, as its partitioned table has it from stratum: nobody has a right on it, and if somebody gets one it holds; internal.';

CREATE FUNCTION stratum._has_message_key(leaf regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = leaf AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 2
      AND ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = leaf AND a.attnum = ANY (i.indkey[0:1])) @> '{tenant_id,message_id}'::name[]);
$$;
COMMENT ON FUNCTION stratum._has_message_key(regclass) IS
  'Whether a partition of cdp_events takes a message of a tenant once; internal.';

CREATE FUNCTION stratum._fit_partition(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  PERFORM stratum._put_partition_policies(table_name, leaf);
  PERFORM stratum._put_partition_guards(table_name, leaf);
  IF table_name = 'cdp_events' AND NOT stratum._has_message_key(leaf) THEN
    EXECUTE format('ALTER TABLE %s ADD UNIQUE (tenant_id, message_id)', leaf);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._fit_partition(text, regclass) IS
  'Policies, guards and the key of messages of a partition, which it has not from its partitioned table; internal.';

CREATE FUNCTION stratum._fit_partitions(table_oid regclass DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._fit_partition(t.table_name, p.oid)
  FROM stratum._partitionable() t CROSS JOIN LATERAL stratum._partitions(t.table_name) p
  WHERE table_oid IS NULL OR table_oid = to_regclass('stratum.' || t.table_name);
END $$;
COMMENT ON FUNCTION stratum._fit_partitions(regclass) IS '_fit_partition() of all partitions there are, or those of one table; internal to install() and widen_ids().';

CREATE FUNCTION stratum._drop_partition_policies(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  policy record;
BEGIN
  FOR policy IN
    SELECT p.polname, p.polrelid::regclass AS leaf
    FROM stratum._partitionable() t CROSS JOIN LATERAL stratum._partitions(t.table_name) l JOIN pg_policy p ON p.polrelid = l.oid
    WHERE table_oid = to_regclass('stratum.' || t.table_name) AND p.polname IN ('tenant_isolation', 'admin_all', 'auditor_read')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', policy.polname, policy.leaf);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._drop_partition_policies(regclass) IS
  'Drops the policies of the partitions of a table, which _fit_partitions() puts back; internal to widen_ids().';

CREATE FUNCTION stratum._make_leaf(table_name text, leaf_name text, options text[], comment text) RETURNS regclass
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  leaf regclass;
  settings text := (SELECT string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') FROM unnest(options) o);
BEGIN
  EXECUTE format('CREATE TABLE stratum.%I (LIKE stratum.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED'
                 || ' INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)%s', leaf_name, table_name, ' WITH (' || settings || ')');
  leaf := format('stratum.%I', leaf_name)::regclass;
  EXECUTE format('ALTER TABLE %s OWNER TO %I', leaf,
                 (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = format('stratum.%I', table_name)::regclass));
  PERFORM stratum._revoke_everything(leaf);
  EXECUTE format('COMMENT ON TABLE %s IS %L', leaf, comment);
  RETURN leaf;
END $$;
COMMENT ON FUNCTION stratum._make_leaf(text, text, text[], text) IS
  'A table that can become a partition of another one, with the storage options given; internal.';

CREATE FUNCTION stratum._partition_name(table_name text, month timestamptz) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT table_name || '_p' || to_char(month, CASE WHEN (SELECT split_part(e.extversion, '.', 1)::integer FROM pg_extension e WHERE e.extname = 'pg_partman') >= 5
                                                   THEN 'YYYYMMDD' ELSE 'YYYY_MM' END);
$$;
COMMENT ON FUNCTION stratum._partition_name(text, timestamptz) IS 'Name of the partition of a month; internal.';

CREATE FUNCTION stratum._make_month(table_name text, month timestamptz, options text[]) RETURNS regclass
  LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT stratum._make_leaf(table_name, stratum._partition_name(table_name, month), options,
                            format('Rows of stratum.%s of %s (UTC).', table_name, to_char(month, 'FMMonth YYYY')));
$$;
COMMENT ON FUNCTION stratum._make_month(text, timestamptz, text[]) IS 'The table for the rows of a month, not yet attached; internal.';

CREATE FUNCTION stratum._attach_month(table_name text, leaf regclass, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', table_name, leaf, month, month + interval '1 month');
END $$;
COMMENT ON FUNCTION stratum._attach_month(text, regclass, timestamptz) IS 'Attaches the table of a month; internal.';

CREATE FUNCTION stratum._written_columns(table_oid regclass) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
  WHERE a.attrelid = table_oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
$$;
COMMENT ON FUNCTION stratum._written_columns(regclass) IS 'The columns of a table that are not computed; internal.';

CREATE FUNCTION stratum._empty_default(table_name text, default_leaf regclass, leaf regclass, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  columns text := stratum._written_columns(leaf);
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I DETACH PARTITION %s', table_name, default_leaf);
  IF table_name = 'audit_logs' THEN
    PERFORM stratum._open_audit_log();
  END IF;
  EXECUTE format('WITH moved AS (DELETE FROM %1$s WHERE %2$I >= $1 AND %2$I < $2 RETURNING %3$s) INSERT INTO %4$s (%3$s) SELECT %3$s FROM moved',
                 default_leaf, stratum._time_column(table_name), columns, leaf) USING month, month + interval '1 month';
  PERFORM stratum._attach_month(table_name, leaf, month);
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s DEFAULT', table_name, default_leaf);
END $$;
COMMENT ON FUNCTION stratum._empty_default(text, regclass, regclass, timestamptz) IS
  'Moves the rows of a month from the default partition into their own, and attaches both; internal to make_partitions().';

CREATE FUNCTION stratum._has_rows_of(leaf regclass, time_column text, month timestamptz) RETURNS boolean
  LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  result boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE %2$I >= $1 AND %2$I < $2)', leaf, time_column) INTO result USING month, month + interval '1 month';
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._has_rows_of(regclass, text, timestamptz) IS 'Whether a partition has rows of a month; internal to make_partitions().';

CREATE FUNCTION stratum._default_partition(table_name text) RETURNS regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT p.oid FROM stratum._partitions(table_name) p WHERE p.is_default $$;
COMMENT ON FUNCTION stratum._default_partition(text) IS 'The partition of a converted table that takes what no other is for; internal.';

CREATE FUNCTION stratum._add_month(table_name text, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  default_leaf constant regclass := stratum._default_partition(table_name);
  leaf constant regclass := format('stratum.%I', stratum._partition_name(table_name, month))::regclass;
BEGIN
  IF stratum._has_rows_of(default_leaf, stratum._time_column(table_name), month) THEN
    PERFORM stratum._empty_default(table_name, default_leaf, leaf, month);
  ELSE
    PERFORM stratum._attach_month(table_name, leaf, month);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._add_month(text, timestamptz) IS 'Gives a converted table the partition of a month, which is there as a table; internal to make_partitions().';

CREATE FUNCTION stratum._check_months_ahead(months_ahead integer) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF months_ahead IS NULL OR months_ahead NOT BETWEEN 0 AND 120 THEN
    RAISE EXCEPTION 'partitions cannot be made % months ahead', coalesce(months_ahead::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a number from 0 to 120.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_months_ahead(integer) IS 'Raises for numbers of months that make_partitions() does not take; internal.';

CREATE FUNCTION stratum._missing_months(table_name text, months_ahead integer) RETURNS SETOF timestamptz
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT m FROM generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead), interval '1 month') m
  WHERE NOT EXISTS (SELECT FROM stratum._partitions(table_name) p WHERE p.starts < m + interval '1 month' AND p.ends > m);
$$;
COMMENT ON FUNCTION stratum._missing_months(text, integer) IS 'Months, this one and those to come, that a converted table has no partition for; internal to make_partitions().';

CREATE FUNCTION stratum._make_partitions(table_names text[], months_ahead integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  converted text;
  month timestamptz;
  unfit regclass[] := '{}';
  made integer := 0;
BEGIN
  FOREACH converted IN ARRAY table_names LOOP
    EXECUTE format('LOCK TABLE ONLY stratum.%I IN SHARE UPDATE EXCLUSIVE MODE', converted);
    unfit := unfit || ARRAY(SELECT p.oid FROM stratum._partitions(converted) p WHERE stratum._is_unfit(converted, p.oid));
    PERFORM stratum._fit_partition(converted, stratum._make_month(converted, m, (SELECT c.reloptions FROM pg_class c WHERE c.oid = stratum._default_partition(converted))))
    FROM stratum._missing_months(converted, months_ahead) m;
  END LOOP;
  PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_add(%L, %L, %L)', table_names, months_ahead, unfit));
  FOREACH converted IN ARRAY table_names LOOP
    PERFORM stratum._fit_partition(converted, p.oid) FROM stratum._partitions(converted) p WHERE p.oid = ANY (unfit);
    FOR month IN SELECT m FROM stratum._missing_months(converted, months_ahead) m LOOP
      PERFORM stratum._add_month(converted, month);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
COMMENT ON FUNCTION stratum._make_partitions(text[], integer) IS 'make_partitions() of some tables; internal.';

CREATE FUNCTION stratum.make_partitions(months_ahead integer DEFAULT 3) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_months_ahead(months_ahead);
  RETURN stratum._make_partitions(ARRAY(SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)), months_ahead);
END $$;
COMMENT ON FUNCTION stratum.make_partitions(integer) IS
  'Makes the partitions of this month and of so many to come for the tables that partition_by_month() has converted; returns how many. For a schedule.';

CREATE FUNCTION stratum.schedule_partitions(every text DEFAULT '17 3 * * *') RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._schedule_job('stratum partitions', every, 'SELECT stratum.make_partitions()',
                               'Install it, or let any scheduler call SELECT stratum.make_partitions() once a day.');
END $$;
COMMENT ON FUNCTION stratum.schedule_partitions(text) IS
  'Lets pg_cron call make_partitions() once a day, or as the cron expression says; returns the number of the job, which is the caller''s. Calling it again changes the job.';

CREATE FUNCTION stratum._reference_partners(table_oid regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.confrelid::regclass FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = table_oid
  UNION
  SELECT k.conrelid::regclass FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = table_oid
$$;
COMMENT ON FUNCTION stratum._reference_partners(regclass) IS 'Tables that a table refers to, or that refer to it; internal.';

CREATE FUNCTION stratum._locks_to_add(table_names text[], months_ahead integer, unfit regclass[]) RETURNS TABLE (table_oid regclass, mode text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
  WITH growing AS MATERIALIZED (
    SELECT to_regclass(format('stratum.%I', t.table_name)) AS oid, d AS default_leaf, coalesce(bool_or(stratum._has_rows_of(d, t.time_column, m)), false) AS moves_rows
    FROM stratum._partitionable() t
      CROSS JOIN LATERAL stratum._default_partition(t.table_name) d
      CROSS JOIN LATERAL stratum._missing_months(t.table_name, months_ahead) m
    WHERE t.table_name = ANY (table_names)
    GROUP BY 1, 2)
  SELECT u, 'ACCESS EXCLUSIVE' FROM unnest(unfit) u
  UNION ALL
  SELECT g.oid, 'ACCESS EXCLUSIVE' FROM growing g WHERE g.moves_rows
  UNION ALL
  SELECT g.default_leaf, 'ACCESS EXCLUSIVE' FROM growing g WHERE g.default_leaf IS NOT NULL
  UNION ALL
  (SELECT r, CASE WHEN bool_or(g.moves_rows) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END
   FROM growing g, stratum._reference_partners(g.oid) r GROUP BY r ORDER BY r);
$$;
COMMENT ON FUNCTION stratum._locks_to_add(text[], integer, regclass[]) IS
  'What has to be locked, and how, before months are added to converted tables and partitions are made fit; internal to make_partitions().';

CREATE FUNCTION stratum._locks_to_convert(table_name text) RETURNS TABLE (table_oid regclass, mode text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT x.oid, 'ACCESS EXCLUSIVE'
  FROM (SELECT 1 AS rank, format('stratum.%I', table_name)::regclass AS oid
        UNION ALL
        SELECT 2, p.oid FROM stratum._partitions(table_name) p
        UNION ALL
        SELECT 3, r FROM stratum._reference_partners(format('stratum.%I', table_name)::regclass) r) x
  ORDER BY x.rank, x.oid;
$$;
COMMENT ON FUNCTION stratum._locks_to_convert(text) IS
  'What has to be locked, and how, before a table is converted, or converted back; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._take_locks(wanted text, milliseconds integer, direction integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  ends constant timestamptz := clock_timestamp() + milliseconds * interval '1 millisecond';
  taken text[] := '{}';
  is_all boolean;
  one record;
BEGIN
  FOR one IN EXECUTE format('SELECT w.table_oid, w.mode FROM (%s) w ORDER BY $1 * row_number() OVER ()', wanted) USING direction LOOP
    PERFORM set_config('lock_timeout', greatest(1, ceil(extract(epoch FROM ends - clock_timestamp()) * 1000))::text, true);
    EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', one.table_oid, one.mode);
    taken := taken || (one.table_oid || ' ' || one.mode);
  END LOOP;
  EXECUTE format('SELECT bool_and(w.table_oid || '' '' || w.mode = ANY ($1)) FROM (%s) w', wanted) INTO is_all USING taken;
  IF NOT is_all THEN
    RAISE lock_not_available;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._take_locks(text, integer, integer) IS 'One try of _lock_all(); internal.';

CREATE FUNCTION stratum._lock_holders(wanted text) RETURNS TABLE (pid integer, description text, is_autovacuum boolean)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  -- who is there is seen once in a transaction; the next autovacuum worker came later
  PERFORM pg_stat_clear_snapshot();
  RETURN QUERY EXECUTE format(
    $query$
      SELECT DISTINCT l.pid, format('Process %%s has %%s on %%s.', l.pid, l.mode, w.table_oid),
             a.backend_type = 'autovacuum worker' AND a.query !~ 'to prevent wraparound'
      FROM (%s) w JOIN pg_locks l ON l.relation = w.table_oid JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
        AND (w.mode = 'ACCESS EXCLUSIVE' OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
    $query$, wanted);
END $$;
COMMENT ON FUNCTION stratum._lock_holders(text) IS 'Who has the locks that a query names, or what conflicts with them; internal to _lock_all().';

CREATE FUNCTION stratum._lock_all(wanted text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  limit_before constant text := current_setting('lock_timeout');
  allowed constant interval := coalesce(nullif(limit_before::interval, interval '0'), interval '1 minute');
  ends constant timestamptz := clock_timestamp() + allowed;
  longest constant integer := (SELECT greatest(s.setting::integer / 2, 1) FROM pg_settings s WHERE s.name = 'deadlock_timeout');
  patience integer := 1;
  direction integer := 1;
  pause double precision;
BEGIN
  LOOP
    BEGIN
      PERFORM stratum._take_locks(wanted, patience, direction);
      PERFORM set_config('lock_timeout', limit_before, true);
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      NULL;
    END;
    IF clock_timestamp() > ends THEN
      RAISE EXCEPTION 'the locks that a change of partitions needs were not to be had within %', allowed
        USING ERRCODE = 'lock_not_available', HINT = 'Nothing has changed. Call it again when the transactions that hold them have ended.',
              DETAIL = coalesce((SELECT string_agg(h.description, ' ' ORDER BY h.description) FROM stratum._lock_holders(wanted) h), 'Nobody has them now.');
    END IF;
    pause := least(patience * 0.004, greatest(extract(epoch FROM ends - clock_timestamp()), 0.001));
    -- as PostgreSQL does for those who wait longer; the next try, as long as this one, has to come before the next autovacuum
    IF patience = longest AND direction > 0 THEN
      PERFORM pg_cancel_backend(h.pid) FROM stratum._lock_holders(wanted) h WHERE h.is_autovacuum;
      IF found THEN
        pause := 0.01;
      END IF;
    END IF;
    PERFORM pg_sleep(pause);
    patience := CASE WHEN direction > 0 THEN patience WHEN patience = longest THEN 1 ELSE least(patience * 2, longest) END;
    direction := -direction;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._lock_all(text) IS
  'Takes all of the locks that a query names, or none, again and again without keeping anybody waiting for long; internal to make_partitions(), partition_by_month() and unpartition().';

CREATE FUNCTION stratum._partitioned_form(kind text, object text, definition text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN kind = 'constraint' AND k.name IS NOT NULL THEN k.partitioned_form
    WHEN kind = 'column' AND definition !~ ' NOT NULL( |$)'
      AND (split_part(object, '.', 1), split_part(object, '.', 2)) IN (SELECT p.table_name, p.time_column FROM stratum._partitionable() p)
      THEN regexp_replace(definition, '( DEFAULT |$)', ' NOT NULL\1')
    WHEN kind = 'index' THEN regexp_replace(definition, '^(CREATE (?:UNIQUE )?INDEX \S+) ON ', '\1 ON ONLY ')
    ELSE definition END
  FROM (SELECT 1) one
    LEFT JOIN stratum._own_keys(to_regclass('stratum.' || quote_ident(split_part(object, '.', 1)))) k ON k.name = split_part(object, '.', 2);
$$;
COMMENT ON FUNCTION stratum._partitioned_form(text, text, text) IS
  'What check_install() expects of a table with partitions in the place of this; internal.';

CREATE FUNCTION stratum._table_of(kind text, object text, definition text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE kind WHEN 'index' THEN substring(definition FROM ' ON (?:ONLY )?stratum\.(\S+) ') ELSE split_part(object, '.', 1) END;
$$;
COMMENT ON FUNCTION stratum._table_of(text, text, text) IS 'The table that a row of _storage_expected() is about; internal to check_install().';

CREATE FUNCTION stratum._missing_partition_policies(table_name text, leaf regclass) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT w.name
  FROM (VALUES ('tenant_isolation', '*', '-', '(tenant_id = stratum.current_tenant_id())'),
               ('admin_all', '*', 'stratum_admin', 'true'),
               ('auditor_read', 'r', 'stratum_auditor', 'true')) w (name, command, role, condition)
  WHERE (w.name <> 'auditor_read' OR table_name = 'audit_logs')
    AND NOT EXISTS (SELECT FROM pg_policy p
                    WHERE p.polrelid = leaf AND p.polname = w.name AND p.polcmd::text = w.command AND p.polpermissive
                      AND p.polroles::regrole[]::text[] = ARRAY[w.role]
                      AND pg_get_expr(p.polqual, p.polrelid) = w.condition AND p.polwithcheck IS NULL);
$$;
COMMENT ON FUNCTION stratum._missing_partition_policies(text, regclass) IS
  'Policies that a partition should have and has not, or has otherwise; internal to check_install().';

CREATE FUNCTION stratum._partition_faults(table_name text, leaf regclass) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'has no row security of its own, or it is not forced' FROM pg_class c WHERE c.oid = leaf AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
  UNION ALL
  SELECT format('policy %s is missing or changed', p) FROM stratum._missing_partition_policies(table_name, leaf) p
  UNION ALL
  SELECT format('trigger %s is missing', w.name)
  FROM (VALUES ('audit_logs', 'zz_stratum_guard_change', '_audit_guard_change'), ('audit_logs', 'zz_stratum_guard_truncate', '_audit_guard_change'),
               ('cdp_events', 'zz_stratum_viewer', 'refuse_viewer'), ('cdp_events', 'zz_stratum_live_truncate', '_events_truncated')) w (of_table, name, called)
  WHERE w.of_table = table_name
    AND NOT EXISTS (SELECT FROM pg_trigger g
                    WHERE g.tgrelid = leaf AND g.tgname = w.name AND g.tgfoid = to_regproc('stratum.' || w.called))
  UNION ALL
  SELECT 'takes a message of a tenant more than once' WHERE table_name = 'cdp_events' AND NOT stratum._has_message_key(leaf);
$$;
COMMENT ON FUNCTION stratum._partition_faults(text, regclass) IS
  'What a partition should have of its own and has not; internal to check_install() and make_partitions().';

CREATE FUNCTION stratum._is_unfit(table_name text, leaf regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM stratum._partition_faults(table_name, leaf)) $$;
COMMENT ON FUNCTION stratum._is_unfit(text, regclass) IS 'Whether _fit_partition() has something to do; internal to make_partitions().';

CREATE FUNCTION stratum._check_leaf(leaf regclass) RETURNS TABLE (problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'foreign: its owner is not a superuser', 'ALTER ... OWNER TO a superuser, after looking at it.'
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = leaf AND NOT r.rolsuper
  UNION ALL
  SELECT format('surplus right: %s of %s', a.privilege, a.role), format('REVOKE ALL ON %s FROM %s;', leaf, a.role)
  FROM pg_class c, stratum._acl_rights(c.relacl) a WHERE c.oid = leaf
  UNION ALL
  SELECT format('trigger %s is %s', g.tgname, CASE g.tgenabled WHEN 'D' THEN 'disabled' ELSE 'not in the state of its partitioned table''s' END),
         format('ALTER TABLE %s ENABLE TRIGGER %I;', leaf, g.tgname)
  FROM pg_trigger g LEFT JOIN pg_trigger p ON p.oid = g.tgparentid
  WHERE g.tgrelid = leaf AND NOT g.tgisinternal AND g.tgname ~ '^zz_stratum_' AND g.tgenabled <> coalesce(p.tgenabled, 'O') AND g.tgenabled <> 'A';
$$;
COMMENT ON FUNCTION stratum._check_leaf(regclass) IS 'Owner, rights and disabled triggers of a partition; internal to check_install().';

CREATE FUNCTION stratum._check_partitions() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH converted AS (SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)),
       leaves AS (SELECT c.table_name, p.* FROM converted c, stratum._partitions(c.table_name) p)
  SELECT 'partition ' || l.oid, f, 'SELECT stratum.install();' FROM leaves l, stratum._partition_faults(l.table_name, l.oid) f
  UNION ALL
  SELECT 'partition ' || l.oid, k.problem, k.remedy FROM leaves l, stratum._check_leaf(l.oid) k
  UNION ALL
  SELECT 'table ' || c.table_name, 'has no default partition: rows of other months are refused',
         format('CREATE TABLE stratum.%1$I PARTITION OF stratum.%2$I DEFAULT; SELECT stratum.install();', c.table_name || '_default', c.table_name)
  FROM converted c WHERE NOT EXISTS (SELECT FROM leaves l WHERE l.table_name = c.table_name AND l.is_default)
  UNION ALL
  SELECT 'table ' || c.table_name, 'has no partition for this month', 'SELECT stratum.make_partitions(); and have it called once a day.'
  FROM converted c WHERE NOT EXISTS (SELECT FROM leaves l WHERE l.table_name = c.table_name AND now() >= l.starts AND now() < l.ends)
  ORDER BY 1, 2;
$$;
COMMENT ON FUNCTION stratum._check_partitions() IS
  'What is wrong with the partitions of converted tables; internal to check_install().';

CREATE FUNCTION stratum._obstacles(table_oid regclass, time_column text, to_partitions boolean) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
  FROM pg_class c
    JOIN pg_type t ON t.oid = c.reltype
    JOIN pg_depend d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                         AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
                      OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n')
  WHERE c.oid = table_oid
  UNION ALL
  SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0) FROM pg_constraint k
  WHERE k.contype = 'f' AND k.confrelid = table_oid AND k.conparentid = 0
  UNION ALL
  SELECT 'inheritance of ' || i.inhrelid::regclass FROM pg_inherits i
  WHERE i.inhrelid = table_oid OR to_partitions AND i.inhparent = table_oid
  UNION ALL
  SELECT 'subscription ' || s.subname FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srrelid = table_oid
  UNION ALL
  SELECT x.fault FROM pg_class c, (VALUES ('an unlogged table', 'u'), ('a temporary table', 't')) x (fault, persistence)
  WHERE c.oid = table_oid AND c.relpersistence::text = x.persistence
  UNION ALL
  SELECT 'a replica identity that is not the default' FROM pg_class c WHERE c.oid = table_oid AND c.relreplident <> 'd'
  UNION ALL
  SELECT f.fault FROM stratum._unpartitionable(table_oid, time_column) f (fault) WHERE to_partitions;
$$;
COMMENT ON FUNCTION stratum._obstacles(regclass, text, boolean) IS
  'What keeps a table from being converted, in words; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._unpartitionable(table_oid regclass, time_column text) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  -- keys of stratum's own are changed; see _own_keys()
  SELECT format('unique index %s, which has not the column %I', x.indexrelid::regclass, time_column)
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  WHERE x.indrelid = table_oid AND x.indisunique AND i.relname NOT IN (SELECT k.name FROM stratum._own_keys(table_oid) k)
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = table_oid AND a.attname = time_column AND a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1]))
  UNION ALL
  SELECT 'invalid index ' || x.indexrelid::regclass FROM pg_index x WHERE x.indrelid = table_oid AND NOT x.indisvalid
  UNION ALL
  SELECT format('constraint %I, which %s', k.conname,
                CASE WHEN k.contype = 'x' THEN 'excludes' WHEN NOT k.convalidated THEN 'is not validated' ELSE 'is NO INHERIT' END)
  FROM pg_constraint k
  WHERE k.conrelid = table_oid AND (k.contype = 'x' OR NOT k.convalidated OR k.contype = 'c' AND k.connoinherit)
  UNION ALL
  SELECT format('trigger %I, a row trigger with transition tables', g.tgname) FROM pg_trigger g
  WHERE g.tgrelid = table_oid AND NOT g.tgisinternal AND g.tgtype & 1 = 1 AND num_nonnulls(g.tgoldtable, g.tgnewtable) > 0
  UNION ALL
  SELECT format('identity column %I', a.attname) FROM pg_attribute a WHERE a.attrelid = table_oid AND a.attidentity <> '' AND NOT a.attisdropped
  UNION ALL
  SELECT 'another primary key than (id)'
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = table_oid AND k.contype = 'p' AND pg_get_constraintdef(k.oid) = 'PRIMARY KEY (id)');
$$;
COMMENT ON FUNCTION stratum._unpartitionable(regclass, text) IS
  'What a table has and no partitioned one can have, in words; internal to partition_by_month().';

CREATE FUNCTION stratum._own_keys(table_oid regclass) RETURNS TABLE (name text, partitioned_form text, plain_form text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'audit_logs_pkey', 'PRIMARY KEY (id, created_at)', 'PRIMARY KEY (id)' WHERE table_oid = to_regclass('stratum.audit_logs')
  UNION ALL
  SELECT k.* FROM (VALUES ('cdp_events_pkey', 'PRIMARY KEY (id, "timestamp")', 'PRIMARY KEY (id)'),
                          ('cdp_events_tenant_id_message_id_key', NULL, 'UNIQUE (tenant_id, message_id)'),
                          ('cdp_events_message_id_key', NULL, 'UNIQUE (message_id)')) k
  WHERE table_oid = to_regclass('stratum.cdp_events');
$$;
COMMENT ON FUNCTION stratum._own_keys(regclass) IS 'Keys of stratum''s tables that differ once they are partitioned; internal.';

CREATE FUNCTION stratum._check_conversion(table_name text, to_partitions boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  time_column text := stratum._time_column(table_name);
  table_oid regclass := to_regclass(format('stratum.%I', table_name));
  found_ones text;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION '% needs a superuser', CASE WHEN to_partitions THEN 'partition_by_month()' ELSE 'unpartition()' END
      USING ERRCODE = 'insufficient_privilege';
  ELSIF table_oid IS NULL OR stratum.version() <> stratum._storage_version() OR stratum._storage_version() IS NULL THEN
    RAISE EXCEPTION 'the storage is not of the extension''s version, or not whole'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do first what SELECT * FROM stratum.check_install() says.';
  END IF;
  SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") INTO found_ones FROM stratum._obstacles(table_oid, time_column, to_partitions) o;
  IF found_ones IS NOT NULL THEN
    RAISE EXCEPTION 'stratum.% cannot be converted: %', table_name, found_ones
      USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop what is named, or take it away, and make it again afterwards where that is possible.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_conversion(text, boolean) IS
  'Refuses conversions that cannot be made, before anything has changed; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._check_values(table_name text, to_partitions boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  time_column text := stratum._time_column(table_name);
  n bigint;
  one record;
BEGIN
  IF to_partitions THEN
    EXECUTE format('SELECT count(*) FROM stratum.%I WHERE %I IS NULL', table_name, time_column) INTO n;
    IF n > 0 THEN
      RAISE EXCEPTION 'number of rows of stratum.% without %: %', table_name, time_column, n
        USING ERRCODE = 'not_null_violation', HINT = 'Without a time a row has no month. Only a superuser can have written such rows.';
    END IF;
  ELSIF table_name = 'cdp_events' THEN
    SELECT count(*) OVER () AS n, e.tenant_id, e.message_id INTO one
    FROM stratum.cdp_events e WHERE e.message_id IS NOT NULL
    GROUP BY e.tenant_id, e.message_id HAVING count(*) > 1
    ORDER BY e.tenant_id, e.message_id
    LIMIT 1;
    IF found THEN
      RAISE EXCEPTION 'number of messages that are there in several months: %', one.n
        USING ERRCODE = 'unique_violation', DETAIL = format('The first is %L of tenant %s.', one.message_id, one.tenant_id), HINT = 'Delete all but one event of each (tenant_id, message_id) first.';
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_values(text, boolean) IS 'Refuses rows that the other form of a table cannot hold; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._index_commands(table_name text, to_partitions boolean) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH it AS (SELECT format('stratum.%I', table_name)::regclass AS oid)
  SELECT * FROM (
    SELECT format('ALTER TABLE stratum.%I ADD CONSTRAINT %I %s', table_name, k.conname,
                  coalesce(CASE WHEN to_partitions THEN o.partitioned_form ELSE o.plain_form END, pg_get_constraintdef(k.oid)))
    FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype IN ('p', 'u') LEFT JOIN stratum._own_keys(it.oid) o ON o.name = k.conname
    WHERE o.name IS NULL OR NOT to_partitions OR o.partitioned_form IS NOT NULL
    ORDER BY k.conname COLLATE "C") keys
  UNION ALL
  -- the key of messages over all tenants comes back where the one of profiles still is: scope_unique_keys() drops both
  SELECT format('ALTER TABLE stratum.%1$I ADD CONSTRAINT %2$I %3$s; COMMENT ON CONSTRAINT %2$I ON stratum.%1$I IS %4$L; COMMENT ON INDEX stratum.%2$I IS %5$L',
                table_name, o.name, o.plain_form, format('No two rows have the same%s.', substr(o.plain_form, length('UNIQUE') + 1)), 'Index of the constraint of the same name.')
  FROM it, stratum._own_keys(it.oid) o
  WHERE NOT to_partitions AND NOT stratum._has_constraint(table_name, o.name)
    AND (o.name <> 'cdp_events_message_id_key' OR stratum._has_constraint('cdp_profiles', 'cdp_profiles_canonical_id_key'))
  UNION ALL
  SELECT replace(pg_get_indexdef(x.indexrelid), format(' ON ONLY stratum.%I ', table_name), format(' ON stratum.%I ', table_name))
  FROM it JOIN pg_index x ON x.indrelid = it.oid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.conrelid = it.oid)
  UNION ALL
  SELECT pg_get_statisticsobjdef(s.oid)
         || format('; COMMENT ON STATISTICS %I.%I IS %L', s.stxnamespace::regnamespace, s.stxname, obj_description(s.oid, 'pg_statistic_ext'))
  FROM it JOIN pg_statistic_ext s ON s.stxrelid = it.oid
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I ADD CONSTRAINT %I %s', table_name, k.conname, pg_get_constraintdef(k.oid))
  FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT format('COMMENT ON CONSTRAINT %I ON stratum.%I IS %L', k.conname, table_name, obj_description(k.oid, 'pg_constraint'))
  FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
  WHERE NOT to_partitions OR k.conname NOT IN (SELECT o.name FROM stratum._own_keys(it.oid) o WHERE o.partitioned_form IS NULL)
  UNION ALL
  SELECT format('COMMENT ON INDEX stratum.%I IS %L', i.relname, obj_description(i.oid, 'pg_class'))
  FROM it JOIN pg_index x ON x.indrelid = it.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT to_partitions OR i.relname NOT IN (SELECT o.name FROM stratum._own_keys(it.oid) o WHERE o.partitioned_form IS NULL);
$$;
COMMENT ON FUNCTION stratum._index_commands(text, boolean) IS
  'What makes a table''s keys, indexes, statistics and references again; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._behaviour_commands(table_name text) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH it AS (SELECT format('stratum.%I', table_name)::regclass AS oid)
  SELECT stratum._policy_command(p.oid) FROM it JOIN pg_policy p ON p.polrelid = it.oid
  UNION ALL
  SELECT stratum._trigger_command(g.oid) FROM it JOIN pg_trigger g ON g.tgrelid = it.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I %s ROW LEVEL SECURITY', table_name, x.what)
  FROM it JOIN pg_class c ON c.oid = it.oid CROSS JOIN LATERAL (VALUES ('ENABLE', c.relrowsecurity), ('FORCE', c.relforcerowsecurity)) x (what, is_on)
  WHERE x.is_on
  UNION ALL
  SELECT format('GRANT %s%s ON stratum.%I TO %s%s', a.privilege_type, ' (' || quote_ident(a.column_name) || ')', table_name,
                coalesce(quote_ident(r.rolname), 'PUBLIC'), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM it JOIN pg_class c ON c.oid = it.oid
    CROSS JOIN LATERAL (
      SELECT NULL::name AS column_name, e.* FROM aclexplode(c.relacl) e
      UNION ALL
      SELECT t.attname, e.* FROM pg_attribute t, aclexplode(t.attacl) e WHERE t.attrelid = c.oid AND NOT t.attisdropped) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE a.grantee <> c.relowner
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I ALTER COLUMN %I SET STATISTICS %s', table_name, a.attname, a.attstattarget)
  FROM it JOIN pg_attribute a ON a.attrelid = it.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
  UNION ALL
  SELECT format('COMMENT ON TABLE stratum.%I IS %L', table_name, obj_description(it.oid, 'pg_class')) FROM it;
$$;
COMMENT ON FUNCTION stratum._behaviour_commands(text) IS
  'What makes a table''s policies, triggers, rights and comments again; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._make_first_partitions(table_name text, old_table regclass, options text[], months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  this_month timestamptz := date_trunc('month', now());
  last_month timestamptz := this_month + make_interval(months => months_ahead);
  month timestamptz;
BEGIN
  FOR month IN EXECUTE format(
      'SELECT date_trunc(''month'', %1$I) FROM %2$s WHERE %1$I >= $1 AND %1$I < $2 GROUP BY 1'
      || ' UNION SELECT generate_series($3, $4, interval ''1 month'') ORDER BY 1', stratum._time_column(table_name), old_table)
    USING this_month - interval '120 months', last_month, this_month, last_month
  LOOP
    PERFORM stratum._attach_month(table_name, stratum._make_month(table_name, month, options), month);
  END LOOP;
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s DEFAULT', table_name,
                 stratum._make_leaf(table_name, table_name || '_default', options,
                                    format('Rows of stratum.%s that no other partition is for.', table_name)));
END $$;
COMMENT ON FUNCTION stratum._make_first_partitions(text, regclass, text[], integer) IS
  'The partitions that a table begins with; internal to partition_by_month().';

CREATE FUNCTION stratum._make_twin(table_name text, old_table regclass, options text[], to_partitions boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  sequence_oid regclass := pg_get_serial_sequence(old_table::text, 'id')::regclass;
BEGIN
  EXECUTE format('CREATE TABLE stratum.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE'
                 || ' INCLUDING COMPRESSION INCLUDING COMMENTS)%s', table_name, old_table,
                 CASE WHEN to_partitions THEN format(' PARTITION BY RANGE (%I)', stratum._time_column(table_name))
                      ELSE (SELECT ' WITH (' || string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') || ')'
                            FROM unnest(options) o) END);
  EXECUTE format('ALTER TABLE stratum.%I OWNER TO %I', table_name, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = old_table));
  PERFORM stratum._revoke_everything(format('stratum.%I', table_name)::regclass);
  IF sequence_oid IS NOT NULL THEN
    EXECUTE format('ALTER SEQUENCE %s OWNED BY stratum.%I.id', sequence_oid, table_name);
  END IF;
  IF NOT to_partitions AND table_name = 'audit_logs' THEN
    ALTER TABLE stratum.audit_logs ALTER COLUMN created_at DROP NOT NULL;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._make_twin(text, regclass, text[], boolean) IS
  'A table of a stratum table''s name and columns beside the old one, partitioned or plain; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._fit_audit_form(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  arguments text;
  operations text[];
BEGIN
  SELECT min(substring(pg_get_triggerdef(g.oid) FROM '_audit_(?:statement|row)"?\((.*)\)$')),
         array_agg(DISTINCT o) INTO arguments, operations
  FROM pg_trigger g
    JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname
    CROSS JOIN LATERAL (VALUES ('insert', 4), ('delete', 8), ('update', 16)) x (o, bit)
  WHERE g.tgrelid = table_oid AND g.tgtype & x.bit > 0;
  IF arguments IS NOT NULL THEN
    PERFORM stratum._put_row_triggers(table_oid, arguments, operations, stratum._audited_by_row(table_oid));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._fit_audit_form(regclass) IS
  'Gives the audit triggers of a table the form that suits it by now; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._rebuild_table(table_name text, to_partitions boolean, months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
DECLARE
  old_table constant regclass := format('stratum.%I', table_name)::regclass;
  columns text := stratum._written_columns(old_table);
  indexes text[] := ARRAY(SELECT c FROM stratum._index_commands(table_name, to_partitions) c);
  behaviour text[] := ARRAY(SELECT c FROM stratum._behaviour_commands(table_name) c);
  -- a partitioned table has no storage, and so no options of it: the default partition has them
  options text[] := (SELECT c.reloptions FROM pg_class c
                     WHERE c.oid = coalesce(stratum._default_partition(table_name), old_table));
  command text;
BEGIN
  EXECUTE format('ALTER TABLE %s RENAME TO %I', old_table, table_name || '_before');
  PERFORM stratum._make_twin(table_name, old_table, options, to_partitions);
  IF to_partitions THEN
    PERFORM stratum._make_first_partitions(table_name, old_table, options, months_ahead);
  END IF;
  EXECUTE format('INSERT INTO stratum.%I (%2$s) SELECT %2$s FROM %3$s', table_name, columns, old_table);
  EXECUTE format('DROP TABLE %s', old_table);
  FOREACH command IN ARRAY indexes || behaviour LOOP
    EXECUTE command;
  END LOOP;
  IF to_partitions THEN
    PERFORM stratum._fit_partition(table_name, p.oid) FROM stratum._partitions(table_name) p;
  END IF;
  PERFORM stratum._fit_audit_form(format('stratum.%I', table_name)::regclass);
  EXECUTE format('ANALYZE stratum.%I', table_name);
END $$;
COMMENT ON FUNCTION stratum._rebuild_table(text, boolean, integer) IS
  'Makes a table anew in its other form, with rows and everything else that it has; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._partman() RETURNS TABLE (schema_name text, major integer)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT n.nspname::text, split_part(e.extversion, '.', 1)::integer
  FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'part_config' AND c.relkind = 'r'
  WHERE e.extname = 'pg_partman'
    AND NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid IN (e.extowner, n.nspowner, c.relowner) AND NOT o.rolsuper);
$$;
COMMENT ON FUNCTION stratum._partman() IS 'Where pg_partman is, if a superuser has installed it, and its major version; internal.';

CREATE FUNCTION stratum._is_known_to_partman(table_name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name text := (SELECT p.schema_name FROM stratum._partman() p);
  result boolean := false;
BEGIN
  IF schema_name IS NOT NULL THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.part_config c WHERE c.parent_table = $1)', schema_name) INTO result USING 'stratum.' || table_name;
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._is_known_to_partman(text) IS 'Whether pg_partman is there and maintains a table; internal.';

CREATE FUNCTION stratum._notice_partitioned(table_name text, use_partman boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_known constant boolean := stratum._is_known_to_partman(table_name);
BEGIN
  RAISE NOTICE 'stratum.% has monthly partitions already%', table_name,
               CASE WHEN is_known THEN ', which pg_partman maintains' WHEN use_partman THEN ', which pg_partman takes over as they are' ELSE '' END
    USING HINT = CASE WHEN is_known OR use_partman
                      THEN 'pg_partman makes those to come; premake and retention are set in its part_config. Call stratum.make_partitions() after its maintenance.'
                      ELSE 'SELECT stratum.make_partitions() makes those to come; CALL stratum.unpartition() is the way back.' END;
END $$;
COMMENT ON FUNCTION stratum._notice_partitioned(text, boolean) IS 'Says that there is nothing to convert, and what there is to do; internal to partition_by_month().';

CREATE FUNCTION stratum._hand_to_partman(table_name text, months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET client_min_messages = error
AS $$
DECLARE
  partman record;
  leaf record;
  template text;
  premake constant integer := greatest(months_ahead, 1);
BEGIN
  SELECT * INTO STRICT partman FROM stratum._partman();
  IF stratum._is_known_to_partman(table_name) THEN
    RETURN;
  END IF;
  -- those that were there before pg_partman are called as it calls them from now on
  FOR leaf IN SELECT p.oid, stratum._partition_name(table_name, p.starts) AS new_name FROM stratum._partitions(table_name) p
              WHERE p.name ~ '_p\d{4}(_\d\d|\d{4})$' AND p.name <> stratum._partition_name(table_name, p.starts) LOOP
    EXECUTE format('ALTER TABLE %s RENAME TO %I', leaf.oid, leaf.new_name);
  END LOOP;
  -- with nothing left for it to make, it does not stumble over the default partition
  PERFORM stratum._make_partitions(ARRAY[table_name], premake);
  EXECUTE format('SELECT %I.create_parent(p_parent_table => $1, p_control => $2, p_interval => $3, p_premake => $4, p_start_partition => $5%s)', partman.schema_name,
                 CASE WHEN partman.major < 5 THEN ', p_type => ''native'', p_jobmon => false' ELSE ', p_default_table => false, p_jobmon => false' END)
    USING 'stratum.' || table_name, stratum._time_column(table_name), '1 month', premake, date_trunc('month', now())::text;
  -- months to come, whether or not there are rows of this one; and one row of a wrong clock, in the default partition, shall not end its maintenance
  EXECUTE format('UPDATE %I.part_config SET infinite_time_partitions = true, ignore_default_data = true WHERE parent_table = $1 RETURNING template_table', partman.schema_name)
    INTO template USING 'stratum.' || table_name;
  -- an empty table with a tenant_id: nobody shall wonder about it
  PERFORM stratum._put_partition_policies(table_name, template::regclass);
  PERFORM stratum.audit_table(template::regclass, operations => 'none');
  EXECUTE format(CASE table_name WHEN 'cdp_events' THEN 'CREATE UNIQUE INDEX ON %s (tenant_id, message_id)' ELSE 'CREATE INDEX ON %s (tenant_id)' END, template::regclass);
END $$;
COMMENT ON FUNCTION stratum._hand_to_partman(text, integer) IS
  'Tells pg_partman that a converted table is its to maintain; internal to partition_by_month().';

CREATE FUNCTION stratum._forget_at_partman(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name text := (SELECT p.schema_name FROM stratum._partman() p);
  template text;
BEGIN
  IF schema_name IS NOT NULL THEN
    EXECUTE format('DELETE FROM %I.part_config c WHERE c.parent_table = $1 RETURNING c.template_table', schema_name) INTO template USING 'stratum.' || table_name;
    IF template = format('%s.template_stratum_%s', schema_name, table_name) AND to_regclass(template) IS NOT NULL THEN
      PERFORM stratum.unaudit_table(template::regclass);
      EXECUTE format('DROP TABLE %s', template::regclass);
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._forget_at_partman(text) IS 'Takes a table from pg_partman again, where it has it; internal to unpartition().';

CREATE PROCEDURE stratum.partition_by_month(table_name text, use_partman boolean DEFAULT false, months_ahead integer DEFAULT 3)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_done boolean;
BEGIN
  PERFORM stratum._time_column(table_name);
  PERFORM stratum._check_months_ahead(months_ahead);
  IF use_partman AND NOT EXISTS (SELECT FROM stratum._partman()) THEN
    RAISE EXCEPTION 'pg_partman is not installed in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Install it as a superuser, or leave the partitions to SELECT stratum.make_partitions(), called once a day.';
  END IF;
  is_done := stratum._is_partitioned(table_name);
  IF is_done THEN
    PERFORM stratum._notice_partitioned(table_name, use_partman);
  ELSE
    PERFORM stratum._check_conversion(table_name, true);
  END IF;
  IF use_partman OR NOT is_done THEN
    PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_convert(%L)', table_name));
  END IF;
  IF NOT is_done THEN
    PERFORM stratum._check_conversion(table_name, true);
    PERFORM stratum._check_values(table_name, true);
    PERFORM stratum._rebuild_table(table_name, true, months_ahead);
  END IF;
  IF use_partman THEN
    PERFORM stratum._hand_to_partman(table_name, months_ahead);
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.partition_by_month(text, boolean, integer) IS
  'Turns audit_logs or cdp_events into a table with a partition for each month, with everything that is in it; use_partman hands the partitions to pg_partman.';

CREATE PROCEDURE stratum.unpartition(table_name text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._time_column(table_name);
  IF NOT stratum._is_partitioned(table_name) THEN
    RAISE NOTICE 'stratum.% has no partitions', table_name;
    RETURN;
  END IF;
  PERFORM stratum._check_conversion(table_name, false);
  PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_convert(%L)', table_name));
  PERFORM stratum._check_conversion(table_name, false);
  PERFORM stratum._check_values(table_name, false);
  PERFORM stratum._rebuild_table(table_name, false, 0);
  PERFORM stratum._forget_at_partman(table_name);
END $$;
COMMENT ON PROCEDURE stratum.unpartition(text) IS 'Turns audit_logs or cdp_events back into one plain table, with everything that is in it.';

CREATE FUNCTION stratum._optional_indexes() RETURNS TABLE (name text, definition text, command text, comment text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'ix_cdp_profiles_tenant_traits',
         'CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops)',
         (SELECT format('CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin'
                          || ' (tenant_id %I.%I, traits pg_catalog.jsonb_path_ops)', n.nspname, c.opcname)
          FROM pg_attribute a
            JOIN pg_opclass c ON c.opcintype = a.atttypid AND c.opcdefault
            JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'gin'
            JOIN pg_namespace n ON n.oid = c.opcnamespace
            JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'btree_gin'
          WHERE a.attrelid = to_regclass('stratum.cdp_profiles') AND a.attname = 'tenant_id'),
         'Containment in traits within a tenant; there where btree_gin is.';
$$;
COMMENT ON FUNCTION stratum._optional_indexes() IS
  'The indexes that need another extension, with what makes them where that is installed; internal.';

CREATE FUNCTION stratum._install_optional_indexes() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  optional record;
BEGIN
  FOR optional IN SELECT * FROM stratum._optional_indexes() LOOP
    IF to_regclass('stratum.' || optional.name) IS NULL AND optional.command IS NOT NULL THEN
      EXECUTE optional.command;
    END IF;
    IF pg_get_indexdef(to_regclass('stratum.' || optional.name)) = optional.definition THEN
      EXECUTE format('COMMENT ON INDEX stratum.%I IS %L', optional.name, optional.comment);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._install_optional_indexes() IS
  'Creates the optional indexes that are missing and possible; internal to install().';

CREATE FUNCTION stratum._storage_wanted() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT * FROM (
    SELECT e.kind, e.object,
           CASE WHEN w.wide AND stratum._is_id_column(e.kind, e.object, e.definition) THEN regexp_replace(e.definition, '^integer', 'bigint')
                WHEN e.kind IN ('column', 'constraint', 'index') AND stratum._table_of(e.kind, e.object, e.definition) = ANY (w.partitioned)
                  THEN stratum._partitioned_form(e.kind, e.object, e.definition)
                ELSE e.definition END AS definition
    FROM stratum._storage_expected() e,
      -- asked once, not for each row
      (SELECT stratum._has_wide_ids(), ARRAY(SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)) OFFSET 0)
        w (wide, partitioned)
    -- scope_unique_keys() has dropped it
    WHERE NOT (e.kind = 'constraint' AND EXISTS (
      SELECT FROM stratum._global_keys() k
      WHERE e.object = k.table_name || '.' || k.constraint_name AND NOT stratum._has_constraint(k.table_name, k.constraint_name)))) x
  WHERE x.definition IS NOT NULL
  UNION ALL
  SELECT 'index', o.name, o.definition FROM stratum._optional_indexes() o
  WHERE o.command IS NOT NULL OR to_regclass('stratum.' || o.name) IS NOT NULL;
$$;
COMMENT ON FUNCTION stratum._storage_wanted() IS
  'What check_install() expects in this database, one row a thing; internal.';

CREATE FUNCTION stratum._refuse_data_loss(VARIADIC lost text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF cardinality(lost) = 0 THEN
    RETURN;
  ELSIF coalesce(nullif(current_setting('stratum.allow_data_loss', true), '')::boolean, false) THEN
    RAISE WARNING 'the downgrade loses %', array_to_string(lost, '; ');
  ELSE
    RAISE EXCEPTION 'the downgrade would lose %', array_to_string(lost, '; ')
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SET stratum.allow_data_loss = on; and repeat it, if that is meant.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_data_loss(text[]) IS
  'Raises unless stratum.allow_data_loss is on, and warns then; internal to the scripts that go down a version, which name all that they drop.';

CREATE OR REPLACE FUNCTION stratum._isolate(table_name text, tenant_column text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I ENABLE ROW LEVEL SECURITY', table_name);
  EXECUTE format('ALTER TABLE stratum.%I FORCE ROW LEVEL SECURITY', table_name);
  EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON stratum.%I', table_name);
  EXECUTE format('CREATE POLICY tenant_isolation ON stratum.%I USING (%I = stratum.current_tenant_id())',
                 table_name, tenant_column);
  EXECUTE format('COMMENT ON POLICY tenant_isolation ON stratum.%I IS %L', table_name,
                 'Rows of the tenant that the transaction has entered, and no others.');
  PERFORM stratum._put_admin_policy(table_name);
  -- That somebody has signed in is logged for viewers too; the trail has guards of its own.
  IF table_name <> 'audit_logs' THEN
    PERFORM stratum._put_trigger(
      format('stratum.%I', table_name)::regclass, 'zz_stratum_viewer',
      'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()',
      'A viewer writes nothing.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._isolate(text, text) IS
  'Who may do what with the rows of a table: one policy for everyone, one for administrators, no writes of viewers; internal.';

CREATE OR REPLACE FUNCTION stratum._give_rights(table_name text, is_new boolean, app text, admin text, auditor text DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  grantee text;
  rights text;
  sequence_name text := table_name || '_id_seq';
  has_sequence boolean := to_regclass(format('stratum.%I', sequence_name)) IS NOT NULL;
BEGIN
  IF NOT is_new AND stratum._in_extension_script() THEN
    RETURN;
  END IF;
  EXECUTE format('REVOKE ALL ON stratum.%I FROM PUBLIC, stratum_app, stratum_admin, stratum_auditor, stratum_auth', table_name);
  -- a REVOKE of nothing would leave a list of the owner's own rights, which a dump does not carry
  IF (SELECT c.relacl IS NOT NULL FROM pg_class c WHERE c.oid = to_regclass(format('stratum.%I', sequence_name))) THEN
    EXECUTE format('REVOKE ALL ON SEQUENCE stratum.%I FROM PUBLIC, stratum_app, stratum_admin, stratum_auditor, stratum_auth', sequence_name);
  END IF;
  FOR grantee, rights IN VALUES ('stratum_app', app), ('stratum_admin', admin), ('stratum_auditor', auditor) LOOP
    CONTINUE WHEN rights IS NULL;
    EXECUTE format('GRANT %s ON stratum.%I TO %I', rights, table_name, grantee);
    IF has_sequence AND rights LIKE '%INSERT%' THEN
      EXECUTE format('GRANT USAGE ON SEQUENCE stratum.%I TO %I', sequence_name, grantee);
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION stratum._storage_version_made() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '1.1'::pg_catalog.text $$;

CREATE OR REPLACE FUNCTION stratum._check_adoption() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  strangers text;
  found_version text;
  made text := stratum._storage_version_made();
BEGIN
  SELECT string_agg(o.object, ', ' ORDER BY o.object) INTO strangers
  FROM stratum._storage_owners() o WHERE NOT o.is_superuser;
  IF strangers IS NOT NULL THEN
    RAISE EXCEPTION 'storage of stratum is owned by roles that are no superusers: %', strangers
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what they are, then drop them or give them to a superuser with ALTER ... OWNER TO.';
  END IF;
  found_version := stratum._storage_version();
  IF found_version <> made THEN
    RAISE EXCEPTION 'the storage found is of version %, this is version %', found_version, made
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN stratum._in_extension_script()
                        THEN format('Use CREATE EXTENSION stratum VERSION %L, then ALTER EXTENSION stratum UPDATE TO %L.', found_version, made)
                        ELSE stratum._commands_to_join(found_version) END;
  ELSIF found_version IS NULL
    AND EXISTS (SELECT FROM stratum._storage_found() f JOIN stratum._storage_expected() e USING (kind, object) WHERE kind = 'table') THEN
    RAISE EXCEPTION 'storage was found, but not stratum.storage_version(), which says its version'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('If the storage is of version %s: CREATE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE AS %L;',
                          made, format('SELECT %L::text', made));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum.install() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'install() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM stratum._check_adoption();
  PERFORM stratum._install_types();
  PERFORM stratum._install_tenants();
  PERFORM stratum._install_users();
  PERFORM stratum._install_campaigns();
  PERFORM stratum._install_cdp_profiles();
  PERFORM stratum._install_cdp_profile_aliases();
  PERFORM stratum._install_cdp_events();
  PERFORM stratum._install_cdp_segments();
  PERFORM stratum._install_cdp_segment_memberships();
  PERFORM stratum._install_cdp_segment_options();
  PERFORM stratum._install_cdp_segment_history();
  PERFORM stratum._install_cdp_audience_syncs();
  PERFORM stratum._install_cdp_audience_uploads();
  PERFORM stratum._install_fact_signal_health_daily();
  PERFORM stratum._install_fact_actions_queue();
  PERFORM stratum._install_action_deliveries();
  PERFORM stratum._install_tenant_platform_connections();
  PERFORM stratum._install_campaign_drafts();
  PERFORM stratum._install_rules();
  PERFORM stratum._install_audit_logs();
  PERFORM stratum._install_audited_tables();
  PERFORM stratum._install_jwt_keys();
  PERFORM stratum._install_audit_keys();
  PERFORM stratum._install_audit_chains();
  PERFORM stratum._install_audit_seals();
  PERFORM stratum._install_optional_indexes();
  PERFORM stratum._restore_audit_triggers();
  PERFORM stratum._fit_partitions();
  PERFORM stratum._fit_results(CASE WHEN stratum._has_wide_ids() THEN 'bigint' ELSE 'integer' END);
  PERFORM stratum._install_storage_version();
END $$;

CREATE OR REPLACE FUNCTION stratum._storage_found() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH tables AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'stratum' AND c.relkind IN ('r', 'p')
  )
  SELECT 'type', t.typname::text, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid
  WHERE n.nspname = 'stratum'
  GROUP BY t.typname
  UNION ALL
  SELECT 'table', relname::text,
         concat_ws(', ', CASE WHEN relrowsecurity THEN 'row security' END,
                         CASE WHEN relforcerowsecurity THEN 'forced' END,
                         CASE WHEN relpersistence = 'u' THEN 'UNLOGGED' END)
  FROM tables
  UNION ALL
  SELECT 'column', t.relname || '.' || a.attname,
         concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                   'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT 'constraint', t.relname || '.' || c.conname, pg_get_constraintdef(c.oid)
  FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype IN ('p', 'u', 'f', 'c')
  UNION ALL
  SELECT 'index', i.relname::text, pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
  FROM tables t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.conrelid = t.oid)
  UNION ALL
  SELECT 'policy', t.relname || '.' || p.polname,
         concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd::text,
                   'to', (SELECT string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY r.rolname)
                          FROM unnest(p.polroles) o LEFT JOIN pg_roles r ON r.oid = o),
                   'using', pg_get_expr(p.polqual, p.polrelid),
                   'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
  UNION ALL
  SELECT 'trigger', t.relname || '.' || g.tgname,
         pg_get_triggerdef(g.oid) ||
         CASE g.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ON REPLICA' ELSE ' ALWAYS' END
  FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text,
         concat_ws(' ', l.lanname, p.provolatile, CASE WHEN p.prosecdef THEN 'definer' END,
                   -- as it is where whoever made it did not quote all identifiers
                   replace(array_to_string(p.proconfig, '; '), '"pg_catalog", "pg_temp"', 'pg_catalog, pg_temp'), md5(p.prosrc))
  FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid JOIN pg_language l ON l.oid = p.prolang
  WHERE p.proname <> '_storage_expected'  -- it cannot hold itself
  UNION ALL
  SELECT 'right', r.name || ' to ' || r.role, string_agg(r.privilege, ', ' ORDER BY r.privilege)
  FROM (
    SELECT t.relname::text AS name, a.role, a.privilege FROM tables t, stratum._acl_rights(t.relacl) a
    UNION ALL
    SELECT t.relname::text, c.role, c.privilege
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attacl IS NOT NULL,
         stratum._acl_rights(a.attacl, ' (' || a.attname || ')') c
    UNION ALL
    SELECT s.relname::text, a.role, a.privilege
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = 'stratum',
         stratum._acl_rights(s.relacl) a
    WHERE s.relkind = 'S'
    UNION ALL
    SELECT 'SCHEMA stratum', a.role, a.privilege
    FROM pg_namespace n, stratum._acl_rights(n.nspacl) a WHERE n.nspname = 'stratum'
    UNION ALL
    SELECT 'TYPE ' || format_type(t.oid, NULL), a.role, a.privilege
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = 'stratum',
         stratum._acl_rights(coalesce(t.typacl, acldefault('T', t.typowner))) a
    WHERE t.typtype = 'e'
    UNION ALL
    SELECT 'ROUTINE ' || p.oid::regprocedure, a.role, a.privilege
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid,
         stratum._acl_rights(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE a.role = 'PUBLIC'  -- the roles' rights on members come with the script
  ) r
  GROUP BY r.name, r.role;
$$;

CREATE FUNCTION stratum._commands_to_join(storage text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('ALTER EXTENSION stratum UPDATE TO %L; ALTER EXTENSION stratum UPDATE TO %L;', storage, stratum.version()) $$;
COMMENT ON FUNCTION stratum._commands_to_join(text) IS
  'What brings storage of another version to that of the extension: down or up to it, and back together; internal to check_install() and install().';

CREATE OR REPLACE FUNCTION stratum._check_versions() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  extension text := stratum.version();
  library text := stratum._library_version();
  storage text := stratum._storage_version();
BEGIN
  IF library <> extension THEN
    RETURN QUERY SELECT 'library', format('library is version %s, extension is %s', library, extension),
      'Install the files of one version, then ALTER EXTENSION stratum UPDATE, and connect anew.';
  END IF;
  IF storage IS NULL THEN
    RETURN QUERY SELECT 'stratum.storage_version()', 'missing', 'SELECT stratum.install();';
  ELSIF storage <> extension THEN
    RETURN QUERY SELECT 'storage', format('storage is version %s, extension is %s', storage, extension),
      stratum._commands_to_join(storage);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum._check_roles() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH ours AS (
    SELECT x.name, r.*
    FROM unnest(ARRAY['stratum_app', 'stratum_admin', 'stratum_auditor', 'stratum_auth']) x (name)
      LEFT JOIN pg_roles r ON r.rolname = x.name
  )
  SELECT 'role ' || o.name, 'missing', format('CREATE ROLE %I NOLOGIN; SELECT stratum.install();', o.name)
  FROM ours o WHERE o.rolname IS NULL
  UNION ALL
  SELECT 'role ' || o.name, a.problem, format('ALTER ROLE %I %s;', o.name, a.cure)
  FROM ours o,
       (VALUES ('is a superuser', 'NOSUPERUSER'), ('bypasses row security', 'NOBYPASSRLS'), ('can log in', 'NOLOGIN'),
               ('can create roles', 'NOCREATEROLE'), ('can replicate', 'NOREPLICATION')) a (problem, cure)
  WHERE CASE a.cure WHEN 'NOSUPERUSER' THEN o.rolsuper WHEN 'NOBYPASSRLS' THEN o.rolbypassrls WHEN 'NOLOGIN' THEN o.rolcanlogin
                    WHEN 'NOCREATEROLE' THEN o.rolcreaterole ELSE o.rolreplication END
  UNION ALL
  SELECT 'role ' || o.name, 'is a member of ' || g.rolname, format('REVOKE %I FROM %I;', g.rolname, o.name)
  FROM ours o JOIN pg_auth_members m ON m.member = o.oid JOIN pg_roles g ON g.oid = m.roleid
  WHERE g.rolsuper OR g.rolbypassrls OR g.rolname LIKE 'pg\_%' OR g.rolname LIKE 'stratum\_%';
$$;

CREATE OR REPLACE FUNCTION stratum._remedy(kind text, object text, expected text, found text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN kind = 'trigger' AND found LIKE '% DISABLED' THEN
      format('ALTER TABLE stratum.%s ENABLE TRIGGER %s;', split_part(object, '.', 1), split_part(object, '.', 2))
    WHEN kind = 'table' AND found LIKE '%UNLOGGED' THEN format('ALTER TABLE stratum.%s SET LOGGED;', object)
    WHEN kind = 'column' AND expected ~ '^bigint' AND found ~ '^integer' THEN 'CALL stratum.widen_ids();'
    WHEN kind = 'constraint' AND found = expected || ' NOT VALID' THEN
      format('ALTER TABLE stratum.%s VALIDATE CONSTRAINT %s;', split_part(object, '.', 1), split_part(object, '.', 2))
    WHEN kind = 'right' AND object ~ '^(SCHEMA|ROUTINE) ' THEN
      concat('REVOKE ALL ON ', regexp_replace(object, ' to (.*)$', ' FROM \1; '),
             'GRANT ' || expected || ' ON ' || object || ';')
    WHEN kind IN ('table', 'trigger', 'policy', 'right') OR (kind = 'type' AND found IS NULL)
      OR (kind = 'column' AND object LIKE '%.tenant_id' AND found IS NOT NULL) THEN 'SELECT stratum.install();'
    WHEN kind = 'function' THEN 'DROP EXTENSION stratum CASCADE; CREATE EXTENSION stratum; /* the tables stay */'
    WHEN kind = 'index' THEN
      concat(CASE WHEN found IS NOT NULL THEN 'DROP INDEX stratum.' || object || '; ' END,
             CASE WHEN object IN (SELECT o.name FROM stratum._optional_indexes() o) THEN 'SELECT stratum.install()'
                  ELSE expected END, ';')
    WHEN kind = 'constraint' THEN
      format('ALTER TABLE stratum.%1$s %2$sADD CONSTRAINT %3$s %4$s;', split_part(object, '.', 1),
             CASE WHEN found IS NOT NULL THEN format('DROP CONSTRAINT %s, ', split_part(object, '.', 2)) END,
             split_part(object, '.', 2), expected)
    ELSE 'Put it back by hand: ' || expected
  END;
$$;

CREATE OR REPLACE FUNCTION stratum.check_install() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY SELECT v.object, v.problem, v.remedy FROM stratum._check_versions() v;
  -- Tables of another version differ in much, all of which goes with that.
  IF stratum._storage_version() <> stratum.version() THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT r.object, r.problem, r.remedy FROM stratum._check_roles() r;
  RETURN QUERY
    SELECT o.object, 'foreign: its owner is not a superuser', 'ALTER ... OWNER TO a superuser, after looking at it.'
    FROM stratum._storage_owners() o WHERE NOT o.is_superuser;
  RETURN QUERY
    SELECT e.kind || ' ' || e.object,
           CASE WHEN f.object IS NULL THEN 'missing'
                WHEN f.definition = e.definition || ' DISABLED' THEN 'disabled'
                ELSE format('changed: is "%s", should be "%s"', f.definition, e.definition) END,
           stratum._remedy(e.kind, e.object, e.definition, f.definition)
    FROM stratum._storage_wanted() e
      LEFT JOIN stratum._storage_found() f ON f.kind = e.kind AND f.object = e.object
    WHERE f.definition IS DISTINCT FROM e.definition
      -- audit_table() was called for one of our tables: _check_audited_tables() looks after it
      AND NOT (e.kind = 'trigger' AND (stratum._is_chosen_audit(e.object) OR stratum._is_other_audit_form(e.object)))
      -- a table that is missing says enough
      AND (e.kind IN ('table', 'type', 'index', 'function') OR e.object ~ '^(SCHEMA|TYPE|ROUTINE) '
           OR to_regclass('stratum.' || quote_ident(split_part(split_part(e.object, ' ', 1), '.', 1))) IS NOT NULL)
    ORDER BY e.kind, e.object;
  RETURN QUERY SELECT w.object, w.problem, w.remedy FROM stratum._check_widths() w;
  RETURN QUERY SELECT p.object, p.problem, p.remedy FROM stratum._check_partitions() p;
  RETURN QUERY SELECT r.object, r.problem, r.remedy FROM stratum._check_surplus_rights() r;
  RETURN QUERY SELECT a.object, a.problem, a.remedy FROM stratum._check_audited_tables() a;
  IF to_regclass('stratum.audited_tables') IS NOT NULL THEN
    RETURN QUERY SELECT u.object, u.problem, u.remedy FROM stratum._check_unaudited_tables() u;
  END IF;
  RETURN QUERY SELECT f.object, f.problem, f.remedy FROM stratum._check_audit_forms() f;
END $$;

CREATE OR REPLACE FUNCTION stratum._check_audited_tables() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF to_regclass('stratum.audited_tables') IS NOT NULL THEN
    RETURN QUERY
      SELECT 'audited table ' || t.table_name, 'renamed or dropped',
             format('SELECT stratum.audit_table(''new name''); DELETE FROM stratum.audited_tables WHERE table_name = %L;', t.table_name)
      FROM stratum.audited_tables t WHERE to_regclass(t.table_name) IS NULL;
    RETURN QUERY
      SELECT format('trigger %s on %s', x.trigger_name, t.table_name),
             CASE WHEN g.oid IS NULL THEN 'missing' ELSE 'disabled' END,
             CASE WHEN g.oid IS NULL
                  THEN format('SELECT stratum.audit_table(%L, %L, %L, %L);', t.table_name, t.redact, t.ignore, t.operations)
                  ELSE format('ALTER TABLE %s ENABLE TRIGGER %s;', t.table_name, x.trigger_name) END
      FROM stratum.audited_tables t
        CROSS JOIN LATERAL stratum._audit_triggers_wanted(to_regclass(t.table_name), t.operations) x
        LEFT JOIN pg_trigger g ON g.tgrelid = to_regclass(t.table_name) AND g.tgname = x.trigger_name
      WHERE to_regclass(t.table_name) IS NOT NULL AND (g.oid IS NULL OR g.tgenabled = 'D')
        -- a table that the triggers of another form are on is told of below
        AND NOT stratum._audit_form_misfits(to_regclass(t.table_name));
  END IF;
END $$;

CREATE FUNCTION stratum._audit_triggers_wanted(table_name regclass, operations text) RETURNS TABLE (trigger_name text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rows_one_by_one boolean := stratum._audited_by_row(table_name);
BEGIN
  RETURN QUERY
    SELECT f.name FROM stratum._audit_trigger_forms() f
    WHERE f.by_row = rows_one_by_one AND operations ~ coalesce(f.operation, 'insert|update|delete')
    UNION ALL
    SELECT 'zz_stratum_audit_truncate' WHERE operations ~ 'truncate';
END $$;
COMMENT ON FUNCTION stratum._audit_triggers_wanted(regclass, text) IS
  'The audit triggers that a table should have; internal to check_install().';

CREATE FUNCTION stratum._audit_form_misfits(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._audited_by_row(table_name)
     AND EXISTS (SELECT FROM pg_trigger g JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname AND NOT f.by_row
                 WHERE g.tgrelid = table_name);
END $$;
COMMENT ON FUNCTION stratum._audit_form_misfits(regclass) IS
  'Whether a table has statement triggers for its audit and should have a row trigger; internal to check_install().';

CREATE FUNCTION stratum._is_other_audit_form(trigger_object text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := to_regclass('stratum.' || quote_ident(split_part(trigger_object, '.', 1)));
BEGIN
  RETURN trigger_object ~ '\.zz_stratum_audit_(insert|update|delete)$' AND relation IS NOT NULL
     AND stratum._audited_by_row(relation)
     AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = relation AND g.tgname = 'zz_stratum_audit' AND g.tgenabled <> 'D');
END $$;
COMMENT ON FUNCTION stratum._is_other_audit_form(text) IS
  'Whether an audit trigger (table.trigger) of a stratum table is missing because the table has a row trigger, and rightly; internal to check_install().';

CREATE FUNCTION stratum._check_audit_forms() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT 'audited table ' || c.oid::regclass,
           CASE WHEN c.relispartition THEN 'has become a partition: what is written through its partitioned table is not recorded'
                WHEN EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
                  THEN 'has come to inherit, or others from it: its statement triggers do not fit'
                ELSE 'has statement triggers, and needs a row trigger' END,
           CASE WHEN c.relispartition THEN
                  format('SELECT stratum.unaudit_table(%L); and audit its partitioned table.', c.oid::regclass)
                WHEN c.relnamespace = 'stratum'::regnamespace THEN 'SELECT stratum.install();'
                ELSE format('SELECT stratum.audit_table(%L, ...) again.', c.oid::regclass) END
    FROM pg_class c
    WHERE c.oid IN (SELECT g.tgrelid FROM pg_trigger g WHERE g.tgname ~ '^zz_stratum_audit_(insert|update|delete)$')
      AND stratum._audit_form_misfits(c.oid)
    ORDER BY 1;
END $$;
COMMENT ON FUNCTION stratum._check_audit_forms() IS
  'Audited tables that need a row trigger by now; internal to check_install().';

CREATE FUNCTION stratum._tables_that_follow() RETURNS TABLE (oid oid, is_ours boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE reached AS (
    SELECT c.oid, true AS is_ours
    FROM pg_class c WHERE c.relnamespace = to_regnamespace('stratum') AND c.relkind IN ('r', 'p')
    UNION
    SELECT n.oid, n.is_ours
    FROM reached r CROSS JOIN LATERAL (
      -- a reference changes no children of the table that has it, but its partitions
      SELECT i.inhrelid AS oid, r.is_ours
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = r.oid AND (r.is_ours OR c.relispartition)
      UNION ALL
      SELECT k.conrelid, false
      FROM pg_constraint k
      WHERE k.contype = 'f' AND k.confrelid = r.oid AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))) n
  )
  SELECT r.oid, bool_or(r.is_ours) FROM reached r GROUP BY r.oid;
$$;
COMMENT ON FUNCTION stratum._tables_that_follow() IS
  'Our tables, and those of others whose rows are deleted or changed with ours; internal to _foreign_triggers().';

CREATE FUNCTION stratum._is_foreign_condition(trigger_id oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
           SELECT FROM pg_trigger g
             CROSS JOIN LATERAL regexp_matches(g.tgqual::text, ':(?:op)?funcid (\d+)', 'g') m (called)
             JOIN pg_proc p ON p.oid = m.called[1]::oid
             JOIN pg_roles o ON o.oid = p.proowner
           WHERE g.oid = trigger_id
             AND (NOT o.rolsuper OR p.provolatile = 'v'
                  OR p.provolatile = 's' AND (p.prorettype = 'xml'::regtype
                                              OR EXISTS (SELECT FROM pg_type a WHERE a.oid = ANY (p.proargtypes) AND a.typtype = 'p'))))
      OR EXISTS (
           SELECT FROM pg_depend d
             JOIN pg_type t ON t.oid = d.refobjid
             JOIN pg_roles o ON o.oid = t.typowner
           WHERE d.classid = 'pg_trigger'::regclass AND d.objid = trigger_id AND d.refclassid = 'pg_type'::regclass AND NOT o.rolsuper);
$$;
COMMENT ON FUNCTION stratum._is_foreign_condition(oid) IS
  'Whether the condition of a trigger can run what is not to run as a superuser; internal to _foreign_triggers().';

CREATE FUNCTION stratum._foreign_triggers(version_num integer) RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('trigger %I on %s', g.tgname, t.oid::regclass),
         CASE WHEN o.rolsuper THEN 'has a condition that runs with the rights of a superuser when stratum changes rows'
              ELSE format('runs function %s of %I with the rights of a superuser when stratum changes rows', g.tgfoid::regprocedure, o.rolname) END,
         format('ALTER TABLE %s DISABLE TRIGGER %I;', t.oid::regclass, g.tgname)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles w ON w.oid = c.relowner
    JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
    JOIN pg_proc p ON p.oid = g.tgfoid
    JOIN pg_roles o ON o.oid = p.proowner
  WHERE (NOT o.rolsuper OR g.tgqual IS NOT NULL AND stratum._is_foreign_condition(g.oid))
    -- 8: DELETE, 16: UPDATE
    AND (t.is_ours OR w.rolsuper AND g.tgtype & (8 | 16) <> 0)
    -- that of a partition comes and goes with that of the partitioned table, unless only the latter is disabled
    AND NOT EXISTS (SELECT FROM pg_trigger above WHERE above.oid = g.tgparentid AND above.tgenabled <> 'D')
  UNION ALL
  SELECT format('constraint %I on %s', k.conname, k.conrelid::regclass),
         format('lets the table follow, by CASCADE, SET NULL or SET DEFAULT: its owner %I can run functions with the rights of a superuser when stratum changes rows', o.rolname),
         CASE WHEN whole.oid IS NULL THEN format('ALTER TABLE %s DROP CONSTRAINT %I;', k.conrelid::regclass, k.conname)
              ELSE format('ALTER TABLE %s DETACH PARTITION %s;', whole.conrelid::regclass, k.conrelid::regclass) END
  FROM stratum._tables_that_follow() t
    JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = t.oid AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_roles o ON o.oid = c.relowner AND NOT o.rolsuper
    LEFT JOIN pg_constraint whole ON whole.oid = k.conparentid
    LEFT JOIN pg_class above ON above.oid = whole.conrelid
  WHERE version_num < 180000
    -- one partition of somebody else's is the matter only where the partitioned table is not
    AND (whole.oid IS NULL OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = above.relowner AND r.rolsuper))
    -- nor the rows that PostgreSQL has for each partition of a table that is referred to
    AND k.conrelid IS DISTINCT FROM whole.conrelid;
$$;
COMMENT ON FUNCTION stratum._foreign_triggers(integer) IS
  'Triggers of roles that are no superusers, and tables of such roles that follow ours, where a server of this version runs functions as a superuser when stratum changes rows; internal to security_check() and delete_tenant().';

CREATE FUNCTION stratum._check_foreign_triggers() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'error', f.object, f.problem, f.remedy FROM stratum._foreign_triggers(current_setting('server_version_num')::integer) f
  UNION
  SELECT 'error', 'table ' || c.oid::regclass,
         format('%s has %s on it, and so can run functions with the rights of a superuser', w.who, a.privilege_type),
         format('REVOKE %s ON %s FROM %s CASCADE;', a.privilege_type, c.oid::regclass, w.who)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles owner ON owner.oid = c.relowner AND owner.rolsuper
    CROSS JOIN LATERAL (SELECT c.relacl AS acl UNION ALL
                        SELECT x.attacl FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attacl IS NOT NULL) r
    CROSS JOIN LATERAL aclexplode(r.acl) a
    LEFT JOIN pg_roles o ON o.oid = a.grantee
    CROSS JOIN LATERAL (SELECT coalesce(quote_ident(o.rolname), 'PUBLIC') AS who) w
  WHERE a.privilege_type IN ('REFERENCES', 'TRIGGER') AND a.grantee <> c.relowner AND NOT coalesce(o.rolsuper, false)
  UNION
  SELECT 'error', format('constraint %I on %s', k.conname, k.conrelid::regclass),
         format('has keys of type %s of %I, whose casts run with the rights of a superuser when rows are written', format_type(y.oid, NULL), o.rolname),
         format('ALTER TABLE %s DROP CONSTRAINT %I;', k.conrelid::regclass, k.conname)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles owner ON owner.oid = c.relowner AND owner.rolsuper
    JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = t.oid AND k.conparentid = 0
    JOIN pg_attribute x ON x.attrelid = k.conrelid AND x.attnum = ANY (k.conkey)
    JOIN pg_type y ON y.oid = x.atttypid
    JOIN pg_roles o ON o.oid = y.typowner AND NOT o.rolsuper;
$$;
COMMENT ON FUNCTION stratum._check_foreign_triggers() IS
  'Triggers of others that run as a superuser, tables that follow, and the rights to make such; internal to security_check().';

CREATE FUNCTION stratum._refuse_foreign_triggers(tenant bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  locked oid[] := '{}';
  following oid[];
  next oid;
  foreign_trigger record;
BEGIN
  LOOP
    following := ARRAY(SELECT t.oid FROM stratum._tables_that_follow() t JOIN pg_class c ON c.oid = t.oid
                       WHERE c.relkind IN ('r', 'p') AND t.oid <> ALL (locked) ORDER BY NOT t.is_ours, t.oid);
    EXIT WHEN following = '{}';
    FOREACH next IN ARRAY following LOOP
      EXECUTE format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', next::regclass);
    END LOOP;
    locked := locked || following;
  END LOOP;
  SELECT f.object, f.problem INTO foreign_trigger FROM stratum._foreign_triggers(current_setting('server_version_num')::integer) f ORDER BY f.object COLLATE "C" LIMIT 1;
  IF found THEN
    RAISE EXCEPTION 'tenant % cannot be deleted: % %', tenant, foreign_trigger.object, foreign_trigger.problem
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'stratum.security_check() lists all such, each with a remedy.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_foreign_triggers(bigint) IS
  'Locks the tables whose rows follow ours and raises if functions of others would run there as a superuser; internal to delete_tenant().';

CREATE FUNCTION stratum._server_faults() RETURNS TABLE (name text, fault text, major integer, cured_in integer)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES
    ('CVE-2023-2455', 'policies disregard a change of the user after inlining', 15, 3),
    ('CVE-2023-39417', 'an extension''s script can be made to run others'' SQL', 15, 4),
    ('CVE-2023-39418', 'MERGE does not enforce policies for UPDATE and SELECT', 15, 4),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 15, 9),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 16, 5),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 17, 1),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 15, 9),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 16, 5),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 17, 1),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 15, 14),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 16, 10),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 17, 6),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 15, 18),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 16, 14),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 17, 10),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 18, 4);
$$;
COMMENT ON FUNCTION stratum._server_faults() IS
  'Known faults of PostgreSQL that matter to row security, and the minor versions that cured them; internal to security_check().';

CREATE FUNCTION stratum._check_server(version_num integer)
  RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'warning', format('PostgreSQL %s.%s', f.major, version_num % 10000), f.name || ': ' || f.fault,
         format('Update the server to %s.%s or later; no dump is needed.', f.major, f.cured_in)
  FROM stratum._server_faults() f
  WHERE f.major = version_num / 10000 AND version_num % 10000 < f.cured_in;
$$;
COMMENT ON FUNCTION stratum._check_server(integer) IS
  'The known faults that a server of this version has; internal to security_check().';

CREATE FUNCTION stratum._tenant_relations()
  RETURNS TABLE (oid oid, name text, tenant_column text, kind "char", owner oid, is_ours boolean, is_granted boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT c.oid, c.oid::regclass::text, a.attname::text, c.relkind, c.relowner,
         n.nspname = 'stratum' AND EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'table' AND e.object = c.relname),
         EXISTS (SELECT
                 FROM (SELECT c.relacl AS acl UNION ALL
                       SELECT x.attacl FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attacl IS NOT NULL) r,
                      aclexplode(r.acl) g LEFT JOIN pg_roles o ON o.oid = g.grantee
                 WHERE g.grantee <> c.relowner AND NOT coalesce(o.rolsuper, false))
  FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname = CASE WHEN c.oid = to_regclass('stratum.tenants') THEN 'id' ELSE 'tenant_id' END
  WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');
$$;
COMMENT ON FUNCTION stratum._tenant_relations() IS
  'Tables and materialized views with rows of tenants, in all schemas, and whether somebody has a right on them; internal to security_check().';

CREATE FUNCTION stratum._check_logins() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH logins AS (
    SELECT r.*, pg_has_role(r.oid, 'stratum_app', 'MEMBER') AS is_app
    FROM pg_roles r WHERE r.rolcanlogin
  ), mortals AS (
    SELECT * FROM logins WHERE NOT rolsuper
  )
  SELECT 'note', 'role ' || l.rolname, 'a superuser sees every tenant', 'Let no application connect as this role.'
  FROM logins l WHERE l.rolsuper
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'warning' END, 'role ' || l.rolname, 'bypasses row security', format('ALTER ROLE %I NOBYPASSRLS;', l.rolname)
  FROM mortals l WHERE l.rolbypassrls
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'warning' END, 'role ' || l.rolname, 'may make itself a member of other roles',
         format('ALTER ROLE %I NOCREATEROLE;', l.rolname)
  FROM mortals l WHERE l.rolcreaterole
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'note' END, 'role ' || l.rolname, 'reads every row through replication', format('ALTER ROLE %I NOREPLICATION;', l.rolname)
  FROM mortals l WHERE l.rolreplication
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' WHEN g.rolname = 'stratum_admin' THEN 'note' ELSE 'warning' END, 'role ' || l.rolname,
         CASE WHEN g.rolname = 'stratum_admin' THEN 'is an administrator of every tenant' ELSE 'has the rights of ' || g.rolname END,
         format('REVOKE %I FROM %I%s;', via.rolname, l.rolname,
                -- from 16 on each grantor's grant is one of its own
                CASE WHEN m.grantor <> 10 AND current_setting('server_version_num')::integer >= 160000
                     THEN format(' GRANTED BY %I', pg_get_userbyid(m.grantor)) END)
  FROM mortals l
    JOIN pg_roles g ON g.rolname IN ('stratum_admin', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
                       AND pg_has_role(l.oid, g.oid, 'MEMBER')
    JOIN pg_auth_members m ON m.member = l.oid
    JOIN pg_roles via ON via.oid = m.roleid AND pg_has_role(via.oid, g.oid, 'MEMBER')
  UNION ALL
  SELECT CASE WHEN t.is_ours OR l.is_app THEN 'error' ELSE 'warning' END, 'table ' || t.name,
         format('is the login %I''s, who can take its policies off', l.rolname), format('ALTER TABLE %s OWNER TO %I;', t.name, s.rolname)
  FROM mortals l JOIN stratum._tenant_relations() t ON t.kind IN ('r', 'p') AND pg_has_role(l.oid, t.owner, 'MEMBER')
    CROSS JOIN (SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = to_regclass('stratum.tenants')) s;
$$;
COMMENT ON FUNCTION stratum._check_logins() IS
  'Roles that log in and for which row security is no wall; internal to security_check().';

CREATE FUNCTION stratum._check_policies() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH tables AS (
    SELECT t.*, c.relrowsecurity AS is_on, c.relforcerowsecurity AS is_forced, p.inhparent::regclass AS parent,
           EXISTS (SELECT FROM pg_policy x WHERE x.polrelid = t.oid AND x.polpermissive) AS has_policy,
           format('CREATE POLICY tenant_isolation ON %s USING (%I = stratum.current_tenant_id());', t.name, t.tenant_column) AS cure
    FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
      LEFT JOIN pg_inherits p ON p.inhrelid = t.oid AND p.inhseqno = 1
    WHERE t.kind IN ('r', 'p')
  )
  -- Nobody reaches a child by its own name who has no right on it.
  SELECT CASE WHEN t.is_granted THEN 'error' WHEN t.parent IS NULL THEN 'warning' ELSE 'note' END, 'table ' || t.name,
         CASE WHEN t.parent IS NULL THEN 'has no row security' ELSE format('has no row security of its own; that of %s does not count when it is named itself', t.parent) END,
         concat_ws(' ', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.name), CASE WHEN NOT t.has_policy THEN t.cure END)
  FROM tables t WHERE NOT t.is_on
  UNION ALL
  SELECT 'warning', 'table ' || t.name, 'has row security but no policy: nobody sees a row', t.cure
  FROM tables t WHERE t.is_on AND NOT t.has_policy
  UNION ALL
  SELECT 'warning', 'table ' || t.name, 'does not hold its owner to the policies', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.name)
  FROM tables t JOIN pg_roles o ON o.oid = t.owner WHERE t.is_on AND NOT t.is_forced AND NOT o.rolsuper
  UNION ALL
  SELECT 'error', 'foreign table ' || t.name, 'has no row security', format('REVOKE ALL ON %s FROM PUBLIC, stratum_app;', t.name)
  FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
  WHERE t.kind = 'f' AND EXISTS (SELECT FROM aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
                                 WHERE g.grantee = 0 OR r.rolname = 'stratum_app');
$$;
COMMENT ON FUNCTION stratum._check_policies() IS
  'Tables with rows of tenants, partitions and children among them, that no policy keeps apart; internal to security_check().';

CREATE FUNCTION stratum._check_foreign_policies() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'error', format('policy %s on %s', p.polname, t.name), 'lets rows through that are not the tenant''s', format('DROP POLICY %I ON %s;', p.polname, t.name)
  FROM stratum._tenant_relations() t
    JOIN pg_policy p ON p.polrelid = t.oid
    CROSS JOIN LATERAL (SELECT format('(%I = stratum.current_tenant_id())', t.tenant_column) AS expression) tenant
  WHERE p.polpermissive
    AND NOT (coalesce(pg_get_expr(p.polqual, p.polrelid), tenant.expression) = tenant.expression
             AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), tenant.expression) = tenant.expression)
    AND NOT (p.polroles <@ ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname IN ('stratum_admin', 'stratum_auditor')) AND p.polroles <> '{0}')
    AND NOT (t.is_ours AND EXISTS (
      SELECT FROM stratum._storage_expected() e JOIN stratum._storage_found() f USING (kind, object, definition)
      WHERE e.kind = 'policy' AND e.object = (SELECT c.relname FROM pg_class c WHERE c.oid = t.oid) || '.' || p.polname));
$$;
COMMENT ON FUNCTION stratum._check_foreign_policies() IS
  'Permissive policies that do not ask for the tenant; internal to security_check().';

CREATE FUNCTION stratum._check_views() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH RECURSIVE reads AS (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE d.refobjid <> r.ev_class
  ), over_tenants AS (
    SELECT t.oid FROM stratum._tenant_relations() t WHERE t.kind IN ('r', 'p')
    UNION
    SELECT r.view FROM reads r JOIN over_tenants o ON o.oid = r.relation
  )
  SELECT CASE WHEN g.is_granted THEN 'error' ELSE 'warning' END, CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || c.oid::regclass,
         CASE c.relkind WHEN 'v' THEN format('reads as its owner %I, who sees every tenant', o.rolname) ELSE 'has no row security' END,
         CASE c.relkind WHEN 'v' THEN format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass) ELSE format('DROP MATERIALIZED VIEW %s;', c.oid::regclass) END
  FROM over_tenants x
    JOIN pg_class c ON c.oid = x.oid AND c.relkind IN ('v', 'm')
    JOIN pg_roles o ON o.oid = c.relowner
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
                                       WHERE a.grantee <> c.relowner AND NOT coalesce(r.rolsuper, false)) AS is_granted) g
  WHERE c.relnamespace <> 'information_schema'::regnamespace AND c.relnamespace <> 'pg_catalog'::regnamespace
    AND (c.relkind = 'm' AND g.is_granted
         OR c.relkind = 'v' AND (o.rolsuper OR o.rolbypassrls OR pg_has_role(o.oid, 'stratum_admin', 'USAGE'))
            AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) p WHERE p.option_name = 'security_invoker' AND p.option_value::boolean));
$$;
COMMENT ON FUNCTION stratum._check_views() IS
  'Views and materialized views that show rows of every tenant; internal to security_check().';

CREATE FUNCTION stratum._check_definers() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH definers AS (
    SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END AS kind, o.rolsuper OR o.rolbypassrls AS is_mighty,
           (SELECT substr(c, length('search_path=') + 1) FROM unnest(p.proconfig) c WHERE c LIKE 'search\_path=%') AS path
    FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
    WHERE p.prosecdef AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  )
  SELECT CASE WHEN d.is_mighty THEN 'error' ELSE 'warning' END, d.kind || d.oid::regprocedure,
         'runs as its owner with the caller''s search_path, so with the caller''s functions and operators',
         format('ALTER %s%s SET search_path = pg_catalog, pg_temp;', upper(d.kind), d.oid::regprocedure)
  FROM definers d WHERE d.path IS NULL
  UNION ALL
  SELECT 'note', d.kind || d.oid::regprocedure, 'runs as its owner and looks for tables in the caller''s temporary schema first',
         format('ALTER %s%s SET search_path = %s, pg_temp;', upper(d.kind), d.oid::regprocedure, coalesce(nullif(d.path, '""'), 'pg_catalog'))
  FROM definers d WHERE d.path !~ '\mpg_temp\M';
$$;
COMMENT ON FUNCTION stratum._check_definers() IS
  'SECURITY DEFINER functions that can be led astray; internal to security_check().';

CREATE FUNCTION stratum._check_public_rights() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN n.nspname = 'stratum' THEN 'error' ELSE 'warning' END, 'schema ' || n.nspname,
         format('%s may create objects in it', w.who), format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname, w.who)
  FROM pg_namespace n
    CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    CROSS JOIN LATERAL (SELECT coalesce((SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = a.grantee), 'PUBLIC') AS who) w
  WHERE a.privilege_type = 'CREATE' AND w.who IN ('PUBLIC', 'stratum_app')
  UNION ALL
  SELECT CASE a.privilege_type WHEN 'CREATE' THEN 'warning' ELSE 'note' END, 'database ' || d.datname,
         CASE a.privilege_type WHEN 'CREATE' THEN 'PUBLIC may create schemas in it' ELSE 'PUBLIC may create temporary objects in it' END,
         format('REVOKE %s ON DATABASE %I FROM PUBLIC;', a.privilege_type, d.datname)
  FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type IN ('CREATE', 'TEMPORARY');
$$;
COMMENT ON FUNCTION stratum._check_public_rights() IS
  'Rights to create objects that everybody has; internal to security_check().';

CREATE FUNCTION stratum._check_statistics() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM stratum._check_server(current_setting('server_version_num')::integer) f
                           WHERE f.problem LIKE 'CVE-2025-8713%') THEN 'error' ELSE 'note' END,
         format('statistics %I.%I on %s', n.nspname, s.stxname, t.name), 'hold values of an expression from rows of every tenant',
         format('DROP STATISTICS %I.%I;', n.nspname, s.stxname)
  FROM pg_statistic_ext s JOIN stratum._tenant_relations() t ON t.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE s.stxexprs IS NOT NULL;
$$;
COMMENT ON FUNCTION stratum._check_statistics() IS
  'Extended statistics on expressions over rows of tenants; internal to security_check().';

CREATE FUNCTION stratum._check_tenant_indexes() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'warning', 'table ' || t.name, 'has no index that begins with ' || t.tenant_column || ': every tenant''s query reads all tenants'' rows',
         format('CREATE INDEX ON %s (%I);', t.name, t.tenant_column)
  FROM stratum._tenant_relations() t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = t.tenant_column
  WHERE t.kind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum);
$$;
COMMENT ON FUNCTION stratum._check_tenant_indexes() IS
  'Tables without an index for the policy to use; internal to security_check().';

CREATE FUNCTION stratum._check_sequences() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT CASE WHEN used.share > 0.9 THEN 'error' ELSE 'warning' END, 'sequence ' || d.objid::regclass,
         format('%s of 2147483647 ids of %s are used, by all tenants together', used.last, t.name),
         CASE WHEN EXISTS (SELECT FROM stratum._id_columns() i WHERE i.sequence_oid = d.objid) THEN 'CALL stratum.widen_ids();'
              ELSE concat_ws(' ',
                (SELECT string_agg(format('ALTER TABLE %s ALTER %I TYPE bigint;', k.conrelid::regclass, x.attname), ' ' ORDER BY k.conrelid::regclass::text)
                 FROM pg_constraint k JOIN pg_attribute x ON x.attrelid = k.conrelid AND x.attnum = k.conkey[array_position(k.confkey, a.attnum)]
                 WHERE k.contype = 'f' AND k.confrelid = t.oid AND a.attnum = ANY (k.confkey) AND x.atttypid = 'integer'::regtype),
                format('ALTER TABLE %s ALTER %I TYPE bigint; ALTER SEQUENCE %s AS bigint;', t.name, a.attname, d.objid::regclass)) END
  FROM stratum._tenant_relations() t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.atttypid = 'integer'::regtype
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_sequence s ON s.seqrelid = d.objid
    CROSS JOIN LATERAL (SELECT pg_sequence_last_value(d.objid) AS last, pg_sequence_last_value(d.objid) / 2147483647.0 AS share) used
  WHERE used.share > 0.5;
$$;
COMMENT ON FUNCTION stratum._check_sequences() IS
  'Sequences of integer ids that are past 50 or 90 per cent; internal to security_check().';

CREATE FUNCTION stratum._check_stored_settings() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'error', 'setting ' || x.name, 'a secret in a setting can be read by everybody',
         CASE WHEN r.rolname IS NULL AND d.datname IS NULL THEN format('ALTER ROLE ALL RESET %s;', q.name)
              WHEN r.rolname IS NULL THEN format('ALTER DATABASE %I RESET %s;', d.datname, q.name)
              WHEN d.datname IS NULL THEN format('ALTER ROLE %I RESET %s;', r.rolname, q.name)
              ELSE format('ALTER ROLE %I IN DATABASE %I RESET %s;', r.rolname, d.datname, q.name) END
  FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL (SELECT split_part(c, '=', 1) AS name FROM unnest(s.setconfig) c) x
    CROSS JOIN LATERAL (SELECT string_agg(quote_ident(part), '.') AS name FROM unnest(string_to_array(x.name, '.')) part) q
  WHERE x.name ~* '^stratum\..*(key|secret|password|token)'
  UNION ALL
  SELECT DISTINCT 'error', 'setting ' || f.name, 'a secret in a setting can be read by everybody',
         format('Remove the line from %s, then SELECT pg_reload_conf();', f.sourcefile)
  FROM pg_file_settings f WHERE f.name ~* '^stratum\..*(key|secret|password|token)';
$$;
COMMENT ON FUNCTION stratum._check_stored_settings() IS
  'Secrets in settings of roles, databases and configuration files; internal to security_check().';

CREATE FUNCTION stratum.security_check() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT c.severity, c.object, c.problem, c.remedy
    FROM (SELECT * FROM stratum._check_logins() UNION
          SELECT * FROM stratum._check_policies() UNION
          SELECT * FROM stratum._check_foreign_policies() UNION
          SELECT * FROM stratum._check_views() UNION
          SELECT * FROM stratum._check_definers() UNION
          SELECT * FROM stratum._check_foreign_triggers() UNION
          SELECT * FROM stratum._check_public_rights() UNION
          SELECT * FROM stratum._check_statistics() UNION
          SELECT * FROM stratum._check_server(current_setting('server_version_num')::integer) UNION
          SELECT * FROM stratum._check_tenant_indexes() UNION
          SELECT * FROM stratum._check_sequences() UNION
          SELECT * FROM stratum._check_stored_settings()) c
    ORDER BY array_position('{error,warning,note}', c.severity), c.object COLLATE "C", c.problem COLLATE "C";
END $$;
COMMENT ON FUNCTION stratum.security_check() IS
  'What lets somebody see, change or learn what is another tenant''s, the worst first: error, warning, note; each with a remedy.';

CREATE FUNCTION stratum._tables_of_tenants() RETURNS TABLE (oid oid, name text, tenant_column text, is_ours boolean, place integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  remaining oid[] := ARRAY(
    SELECT t.oid FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
    WHERE t.kind IN ('r', 'p') AND NOT c.relispartition
      AND (c.relnamespace = 'stratum'::regnamespace OR EXISTS (SELECT FROM stratum.audited_tables a WHERE to_regclass(a.table_name) = t.oid)));
  placed oid[] := '{}';
  next oid;
BEGIN
  WHILE remaining <> '{}' LOOP
    SELECT r INTO next
    FROM unnest(remaining) r
    ORDER BY (SELECT count(*) FROM pg_constraint k
              WHERE k.contype = 'f' AND k.conrelid = r AND k.confrelid <> r AND k.confrelid = ANY (remaining)),
             r::regclass::text COLLATE "C"
    LIMIT 1;
    placed := placed || next;
    remaining := array_remove(remaining, next);
  END LOOP;
  RETURN QUERY
    SELECT t.oid, t.name, t.tenant_column, c.relnamespace = 'stratum'::regnamespace, p.place::integer
    FROM unnest(placed) WITH ORDINALITY p (oid, place) JOIN stratum._tenant_relations() t ON t.oid = p.oid JOIN pg_class c ON c.oid = p.oid;
END $$;
COMMENT ON FUNCTION stratum._tables_of_tenants() IS
  'Tables with rows of tenants, each after those that it refers to; internal to export_tenant() and delete_tenant().';

CREATE FUNCTION stratum._slug_of_tenant(tenant bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result text;
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'tenant_id must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT t.slug INTO result FROM stratum.tenants t WHERE t.id = tenant;
  IF NOT found THEN
    RAISE EXCEPTION 'tenant % does not exist', tenant USING ERRCODE = 'no_data_found';
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._slug_of_tenant(bigint) IS
  'The slug of a tenant, deleted or not; raises where there is none; internal to export_tenant() and delete_tenant().';

CREATE FUNCTION stratum._secret_columns(table_name regclass) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attname = ANY ('{password_hash,totp_secret,backup_codes,access_token,refresh_token}'::name[])
           OR EXISTS (SELECT FROM stratum.audited_tables t WHERE to_regclass(t.table_name) = a.attrelid AND a.attname = ANY (t.redact::name[]))));
END $$;
COMMENT ON FUNCTION stratum._secret_columns(regclass) IS
  'Columns whose values are not exported; internal to export_tenant().';

CREATE FUNCTION stratum._refuse_foreign_casts() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_cast record;
BEGIN
  LOCK TABLE pg_catalog.pg_cast IN SHARE MODE;
  SELECT c.castsource::regtype AS source, c.casttarget::regtype AS target, f.oid::regprocedure AS function, r.rolname AS owner INTO found_cast
  FROM pg_cast c JOIN pg_proc f ON f.oid = c.castfunc JOIN pg_roles r ON r.oid = f.proowner
  WHERE NOT r.rolsuper AND (c.casttarget IN ('json'::regtype, 'jsonb'::regtype) OR c.castcontext = 'i')
  LIMIT 1;
  IF found THEN
    RAISE EXCEPTION 'the cast from % to % runs function %, which belongs to %', found_cast.source, found_cast.target, found_cast.function, found_cast.owner
      USING ERRCODE = 'insufficient_privilege', DETAIL = 'Rows are read with the rights of a superuser, and so would it run.',
            HINT = 'Drop the cast, or give its function to a superuser who has read it.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_foreign_casts() IS
  'Raises if there are casts that run functions of somebody who is no superuser when rows become json; internal to export_tenant() and export_subject().';

CREATE FUNCTION stratum.export_tenant(tenant_id bigint) RETURNS TABLE (table_name text, "row" jsonb)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  slug text := stratum._slug_of_tenant(tenant_id);
  source record;
  exported bigint;
  counts jsonb := '{}';
BEGIN
  PERFORM stratum._refuse_foreign_casts();
  FOR source IN
    -- keys that sign tokens are no tenant's to take along
    SELECT t.* FROM stratum._tables_of_tenants() t WHERE t.name <> 'stratum.jwt_keys' ORDER BY t.place
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, j.row || coalesce((SELECT jsonb_object_agg(c, ''[REDACTED]'') FROM unnest($2) c WHERE j.row -> c <> ''null''), ''{}'')'
      || ' FROM %s x CROSS JOIN LATERAL (SELECT to_jsonb(x) AS row) j WHERE x.%I = $3 ORDER BY %s',
      source.name, source.tenant_column,
      coalesce((SELECT string_agg(format('x.%I', a.attname), ', ' ORDER BY k.place)
                FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY k (attnum, place)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE i.indrelid = source.oid AND i.indisprimary), '1'))
      USING source.name, stratum._secret_columns(source.oid), tenant_id;
    GET DIAGNOSTICS exported = ROW_COUNT;
    counts := counts || jsonb_build_object(source.name, exported);
  END LOOP;
  PERFORM stratum._log_record(tenant_id, 'export', 'tenants', tenant_id::text, jsonb_build_object('slug', slug, 'by', session_user, 'rows', counts));
END $$;
COMMENT ON FUNCTION stratum.export_tenant(bigint) IS
  'Every row of a tenant, each table after those that it refers to, secrets redacted; the export is recorded in the audit trail.';

CREATE FUNCTION stratum._pause_tenant_audit(tenant bigint) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_pause_tenant_audit';
COMMENT ON FUNCTION stratum._pause_tenant_audit(bigint) IS
  'Changes of the tenant''s rows are not recorded for the rest of the transaction, or until it is called with NULL; internal.';

CREATE FUNCTION stratum._delete_rows_of_tenant(tenant bigint, source oid) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  tenant_column text := CASE WHEN source = 'stratum.tenants'::regclass THEN 'id' ELSE 'tenant_id' END;
  deleted bigint;
BEGIN
  PERFORM stratum._pause_audit(source);
  IF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = source AND g.tgfoid = 'stratum._audit_guard_change()'::regprocedure) THEN
    PERFORM stratum._open_audit_log();
  END IF;
  EXECUTE format('DELETE FROM %s x WHERE x.%I = $1', source::regclass, tenant_column) USING tenant;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  PERFORM stratum._pause_audit(NULL);
  RETURN deleted;
END $$;
COMMENT ON FUNCTION stratum._delete_rows_of_tenant(bigint, oid) IS
  'Deletes a tenant''s rows of one of our tables, past the audit trail; internal to delete_tenant().';

CREATE FUNCTION stratum._refuse_references(schema_name text, table_name text, constraint_name text, tenant bigint, detail text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'tenant % cannot be deleted: rows of table %.% refer to it', tenant, quote_ident(schema_name), quote_ident(table_name)
    USING ERRCODE = 'foreign_key_violation', SCHEMA = schema_name, TABLE = table_name, CONSTRAINT = constraint_name,
          DETAIL = coalesce(nullif(detail, ''), format('Constraint %s.', constraint_name)),
          HINT = CASE WHEN schema_name = 'stratum' AND table_name = 'audit_logs'
                   THEN 'Entries of other tenants, or of none, name a user of this one. They are evidence and stay, so set is_deleted in stratum.tenants and anonymize its users instead.'
                   ELSE 'stratum deletes from its own tables only. Delete those rows first, or give the reference ON DELETE CASCADE.' END;
END $$;
COMMENT ON FUNCTION stratum._refuse_references(text, text, text, bigint, text) IS
  'Raises for rows that stand in the way of a deletion; internal to delete_tenant().';

CREATE FUNCTION stratum.delete_tenant(tenant_id bigint, confirm_slug text) RETURNS TABLE (table_name text, row_count bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
  tenant constant bigint := delete_tenant.tenant_id;
  slug text := stratum._slug_of_tenant(tenant);
  source record;
  deleted bigint;
  counts jsonb := '{}';
  schema_name text;
  referrer text;
  reference text;
  detail text;
BEGIN
  IF confirm_slug IS DISTINCT FROM slug THEN
    RAISE EXCEPTION 'the slug given is not that of tenant %', tenant
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Type the slug of the tenant to confirm that it is the one to be deleted.';
  ELSIF stratum.current_tenant_id() IS NOT NULL THEN
    RAISE EXCEPTION 'this transaction acts for tenant %', stratum.current_tenant_id()
      USING ERRCODE = 'active_sql_transaction', HINT = 'Delete a tenant in a transaction that has entered none.';
  END IF;
  PERFORM stratum._refuse_foreign_triggers(tenant);
  -- whoever writes for it waits, and then finds no tenant to refer to
  PERFORM FROM stratum.tenants t WHERE t.id = tenant FOR UPDATE;
  PERFORM FROM stratum.users u WHERE u.tenant_id = tenant FOR UPDATE;
  BEGIN
    -- also in tables of the user's own, which CASCADE empties
    PERFORM stratum._pause_tenant_audit(tenant);
    -- The trail comes after the rows that others may be changing: then it has all that they have left in it.
    FOR source IN
      SELECT t.* FROM stratum._tables_of_tenants() t
      WHERE t.is_ours
      ORDER BY coalesce(array_position('{stratum.audit_logs,stratum.users,stratum.tenants}', t.name), 0), t.place DESC
    LOOP
      deleted := stratum._delete_rows_of_tenant(tenant, source.oid);
      counts := counts || jsonb_build_object(source.name, deleted);
    END LOOP;
    PERFORM stratum._pause_tenant_audit(NULL);
  EXCEPTION WHEN foreign_key_violation THEN
    GET STACKED DIAGNOSTICS schema_name = SCHEMA_NAME, referrer = TABLE_NAME, reference = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
    PERFORM stratum._refuse_references(schema_name, referrer, reference, tenant, detail);
  END;
  PERFORM stratum._log_record(NULL, 'delete', 'tenants', tenant::text, jsonb_build_object('slug', slug, 'by', session_user, 'rows', counts));
  RETURN QUERY SELECT c.key, c.value::bigint FROM jsonb_each_text(counts) c ORDER BY c.key COLLATE "C";
END $$;
COMMENT ON FUNCTION stratum.delete_tenant(bigint, text) IS
  'For offboarding, after export_tenant(): every row of a tenant, its audit trail and the tenant itself are gone for good; one entry without a tenant says so. Returns how many rows of which table.';

CREATE FUNCTION stratum._global_keys() RETURNS TABLE (table_name text, column_name text, constraint_name text, scoped_name text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('cdp_profiles', 'canonical_id', 'cdp_profiles_canonical_id_key', 'cdp_profiles_tenant_id_canonical_id_key'),
         ('cdp_events', 'message_id', 'cdp_events_message_id_key', 'cdp_events_tenant_id_message_id_key');
$$;
COMMENT ON FUNCTION stratum._global_keys() IS
  'The unique constraints that scope_unique_keys() drops; internal.';

CREATE FUNCTION stratum._has_constraint(table_name text, constraint_name text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_constraint k
                 WHERE k.conrelid = to_regclass(format('stratum.%I', table_name)) AND k.conname = constraint_name);
$$;
COMMENT ON FUNCTION stratum._has_constraint(text, text) IS 'Whether one of our tables has a constraint of that name; internal.';

CREATE PROCEDURE stratum.scope_unique_keys()
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key record;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'scope_unique_keys() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOR key IN SELECT * FROM stratum._global_keys() LOOP
    -- its partitions have the one within the tenant, each for itself, and no other
    CONTINUE WHEN stratum._is_partitioned(key.table_name);
    IF NOT stratum._has_constraint(key.table_name, key.scoped_name) THEN
      RAISE EXCEPTION 'constraint % of stratum.% is missing', key.scoped_name, key.table_name
        USING ERRCODE = 'undefined_object', HINT = 'stratum.check_install() says how to put it back.';
    ELSIF stratum._has_constraint(key.table_name, key.constraint_name) THEN
      EXECUTE format('ALTER TABLE stratum.%I DROP CONSTRAINT %I', key.table_name, key.constraint_name);
    END IF;
  END LOOP;
END $$;
COMMENT ON PROCEDURE stratum.scope_unique_keys() IS
  'canonical_id and message_id are unique within a tenant only, so that nobody can learn what another has. For good; can be called again.';

-- ==== rights that are new or gone
REVOKE ALL ON FUNCTION stratum._refuse_transaction_block(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._refuse_transaction_block(text) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._acting_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._acting_tenant() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._current_user_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._current_user_id() TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum.enter_session(bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.enter_session(bigint, bigint, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.leave_session(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.leave_session(text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.enter_jwt(text, text, inet, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.enter_jwt(text, text, inet, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.add_jwt_key(text, bytea, text, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.add_jwt_key(text, bytea, text, timestamptz, timestamptz) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.retire_jwt_key(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.retire_jwt_key(text, timestamptz) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.list_jwt_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.list_jwt_keys() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._profile_columns_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._campaign_columns_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._profile_matches(jsonb, text[], "any") FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._profile_matches(jsonb, text[], "any") TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._campaign_matches(jsonb, text[], "any") FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._campaign_matches(jsonb, text[], "any") TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._segment_matches_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._traits_match_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._campaign_matches_support(internal) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._segment_bits(jsonb[], text[], "any") FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._expand_segments(bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._expand_segments(bigint, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._usable_definition(bigint, bigint, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._segment_profiles(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._segment_profiles(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._segments_changed() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refresh_memberships(bigint, bigint[], jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refresh(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._lock_names(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._lock_names(text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._notice_growth() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._notice_growth() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._is_name_taken(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._is_name_taken(bigint, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._purchase_events(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._purchase_events(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._later_stage(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._later_stage(text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._reached_stage(text, boolean, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._reached_stage(text, boolean, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._joined_traits(jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._joined_traits(jsonb, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.ingest_events(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.ingest_events(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.ingest_event(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.ingest_event(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._merged_consent(jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._merged_consent(jsonb, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._merged_object(jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._merged_object(jsonb, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._hand_over_names(bigint, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._hand_over_names(bigint, bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.merge_profiles(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.merge_profiles(bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._audience_sync(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audience_sync(bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._consent_keys(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._consent_keys(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._has_consented(jsonb, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._has_consented(jsonb, text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._audience_identifier(text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audience_identifier(text, text, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._audience_members(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audience_members(bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.audience_members(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.audience_members(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.audience_changes(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.audience_changes(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._lock_audience_sync(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.start_audience_sync(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.start_audience_sync(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.finish_audience_sync(bigint, boolean, text, float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.finish_audience_sync(bigint, boolean, text, float8) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._draft_columns() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._draft_columns() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._refuse_draft(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._refuse_draft(text, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_draft_platforms(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_draft_platforms(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_draft_data(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_draft_data(jsonb, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_draft() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.publish_draft(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.publish_draft(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._note_profile() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._note_event() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._note_segment() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._note_options() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._note_all(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._lock_live(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._events_truncated() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.settle_segments() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.settle_segments() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._lock_members(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._begin_history(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._end_history(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.set_segment_options(bigint, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.set_segment_options(bigint, boolean, boolean) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._audit_statement() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audit_statement() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._audited_by_row(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audited_by_row(regclass) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._audit_trigger_forms() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._audit_trigger_forms() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._has_audit_triggers(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._has_audit_triggers(regclass) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._redacted_columns(regclass, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._redacted_columns(regclass, text[]) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._make_audit_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._make_audit_key() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._tell_shown_columns(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._tell_shown_columns(regclass) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._record_audited_table(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._record_audited_table(regclass) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._key_condition(regclass, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._key_condition(regclass, text[]) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._row_entries(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._row_entries(text, text, boolean) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._row_versions(regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._row_versions(regclass, text) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._limit_rows() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._limit_table(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.tenant_limits() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.tenant_limits() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.refuse_viewer() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.refuse_viewer() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._guard_protected_user() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._role_permissions(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.user_can(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.user_can(text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.sign_in_candidates(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.sign_in_candidates(text) TO stratum_auth;
REVOKE ALL ON FUNCTION stratum.note_second_factor(bigint, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.note_second_factor(bigint, boolean) TO stratum_auth;
REVOKE ALL ON FUNCTION stratum.request_changes(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.request_changes(text) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._revertible_columns(regclass, jsonb, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._revertible_columns(regclass, jsonb, text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._jsonb_columns(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._jsonb_columns(regclass) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._lock_row(regclass, text[], text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._lock_row(regclass, text[], text[], text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._key_of(jsonb, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._key_of(jsonb, text[], text[]) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_not_moved(regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_not_moved(regclass, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._plan_revert(regclass, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._plan_revert(regclass, text, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.revert_row(regclass, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.revert_row(regclass, text, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_unaudited_tables() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._put_auditor_policy(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._next_xid() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._seal_rows(bigint, bigint, bigint, bigint, bigint, bytea, bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._audit_place() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._last_audit_id() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._chain_id(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._last_seal_id(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._seal_chain(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._seal_own_audit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._seal_own_audit() TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._seal_any_audit(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._seal_any_audit(bigint) TO stratum_admin, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._is_own_audit(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._is_own_audit(bigint) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum.seal_audit(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.seal_audit(bigint) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON PROCEDURE stratum.seal_all_audit() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE stratum.seal_all_audit() TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._head_of_chain(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._own_audit_head() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._own_audit_head() TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._any_audit_head(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._any_audit_head(bigint) TO stratum_admin, stratum_auditor;
REVOKE ALL ON FUNCTION stratum.audit_head(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.audit_head(bigint) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._verify_chain(bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._seal_and_verify(bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._verify_own_audit(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._verify_own_audit(text) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._verify_any_audit(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._verify_any_audit(bigint, text) TO stratum_admin, stratum_auditor;
REVOKE ALL ON FUNCTION stratum.verify_audit(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.verify_audit(bigint, text) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._open_audit_log() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._pause_audit(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._log_record(bigint, text, text, text, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._payload_digest(jsonb, jsonb, jsonb, text, text, bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._erased_values(jsonb, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._without_salts(bytea, bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._erase_sealed_rows(bigint, bigint, jsonb, jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._erase_log(bigint, bigint[], text[], bigint[], jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._profile_tables() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._subject_log(bigint, bigint, bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._subject_events(bigint, bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._erase_profile(bigint, bigint, bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._forget_profile(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.anonymize_profile(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.anonymize_profile(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._erase_user(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._erase_user_log(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._anonymize_user(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._anonymize_own_user(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._anonymize_own_user(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._anonymize_platform_user(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._anonymize_platform_user(bigint) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.anonymize_user(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.anonymize_user(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._export_profile_tables(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.export_subject(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.export_subject(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._purged_before(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._purged_before(bigint) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._any_purged_before() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._any_purged_before() TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._record_purge(bigint, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._purgeable_rows(bigint, timestamptz, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._purge_chain(bigint, timestamptz, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_purge(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.purge_audit(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.purge_audit(timestamptz) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._purge_batch(bigint, timestamptz, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._purge_batch(bigint, timestamptz, bigint) TO stratum_admin;
REVOKE ALL ON PROCEDURE stratum.purge_all_audit(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE stratum.purge_all_audit(timestamptz) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.signal_health_status(double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.signal_health_status(double precision) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._mean_score(integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._keep_signal_health() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._trust_settings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._trust_settings() TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._read_trust_settings(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._read_trust_settings(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_trust_settings(jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_tenant_settings() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._trust(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._trust(bigint, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_platform(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_platform(text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.trust_gate(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.trust_gate(text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.validate_schedule(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.validate_schedule(text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.next_due(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.next_due(text, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._schedule_job(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._schedule_job(text, text, text, text) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._refuse_action(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._refuse_action(text, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_action_keys(text, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_action_keys(text, jsonb, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_action(text, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_action(text, jsonb, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_rule_action(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_rule_action(jsonb, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.validate_actions(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.validate_actions(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._rule_actions(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._rule_actions(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._gate_action(text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._gate_action(text, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._ask_gate(bigint, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._ask_gate(bigint, text, text, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._campaign_state(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._campaign_state(bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._budget_effect(numeric, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._budget_effect(numeric, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._action_effect(text, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._action_effect(text, jsonb, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._change_campaign(bigint, bigint, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._change_campaign(bigint, bigint, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_rule() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._explain_conditions(jsonb[], anyelement) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._explain_conditions(jsonb[], anyelement) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._conditions_of(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._conditions_of(jsonb, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._queued_actions(bigint, bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._queued_actions(bigint, bigint, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._with_outcome(jsonb, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._with_outcome(jsonb, text, text, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.evaluate_rule(bigint, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.evaluate_rule(bigint, boolean) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._run_if_due(bigint, bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._run_if_due(bigint, bigint, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._run_due_rules(bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._run_due_rules(bigint, timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_time(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._check_time(timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.run_due_rules(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.run_due_rules(timestamptz) TO stratum_admin, stratum_app;
REVOKE ALL ON PROCEDURE stratum.run_all_due_rules(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE stratum.run_all_due_rules(timestamptz) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.schedule_rules(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.schedule_rules(text) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._refuse_state(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._payload_core(jsonb, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._keep_action() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._lock_action(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._lock_action(bigint, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.approve_action(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.approve_action(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.reject_action(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.reject_action(bigint, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._is_done_here(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._is_done_here(text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._change_of(bigint, text, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._change_of(bigint, text, jsonb, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.execute_action(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.execute_action(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._payload_platform(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._payload_platform(jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.undo_action(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.undo_action(bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._hand_over(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._hand_over(bigint, bigint) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._check_claim(text, integer, interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._max_attempts(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._give_up_expired(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.claim_actions(text, integer, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.claim_actions(text, integer, interval) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._lock_claim(bigint, bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.complete_action(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.complete_action(bigint, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum.fail_action(bigint, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.fail_action(bigint, text, text) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._install_cdp_profile_aliases() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_cdp_segment_options() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_cdp_segment_history() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_cdp_audience_uploads() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_action_deliveries() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_jwt_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_audit_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_audit_chains() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_audit_seals() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_id_column(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._id_columns() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._has_wide_ids() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._id_functions() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_id_function(regprocedure, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._fit_results(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._policy_command(oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._trigger_command(oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._in_the_way(regclass, smallint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._forget_types() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._set_id_width(regclass, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_dependants(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._size_with_partitions(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._tables_to_widen() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._validation_steps() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._widening_step(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE stratum._try_step(text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._report_narrow_references() FROM PUBLIC;
REVOKE ALL ON PROCEDURE stratum.widen_ids(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._narrow_ids() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_widths() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partitionable() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._time_column(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_partitioned(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partitions(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._revoke_everything(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._put_partition_guards(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._put_partition_policies(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._has_message_key(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._fit_partition(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._fit_partitions(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._drop_partition_policies(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_leaf(text, text, text[], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partition_name(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_month(text, timestamptz, text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._attach_month(text, regclass, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._written_columns(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._empty_default(text, regclass, regclass, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._has_rows_of(regclass, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._default_partition(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._add_month(text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_months_ahead(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._missing_months(text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_partitions(text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.make_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.make_partitions(integer) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum.schedule_partitions(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.schedule_partitions(text) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._reference_partners(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._locks_to_add(text[], integer, regclass[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._locks_to_convert(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._take_locks(text, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._lock_holders(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._lock_all(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partitioned_form(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._table_of(text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._missing_partition_policies(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partition_faults(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_unfit(text, regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_leaf(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_partitions() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._obstacles(regclass, text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._unpartitionable(regclass, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._own_keys(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_conversion(text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_values(text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._index_commands(text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._behaviour_commands(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_first_partitions(text, regclass, text[], integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._make_twin(text, regclass, text[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._fit_audit_form(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._rebuild_table(text, boolean, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._partman() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_known_to_partman(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._notice_partitioned(text, boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._hand_to_partman(text, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._forget_at_partman(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE stratum.partition_by_month(text, boolean, integer) FROM PUBLIC;
REVOKE ALL ON PROCEDURE stratum.unpartition(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._optional_indexes() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._install_optional_indexes() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._storage_wanted() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refuse_data_loss(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._commands_to_join(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._audit_triggers_wanted(regclass, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._audit_form_misfits(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_other_audit_form(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_audit_forms() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._tables_that_follow() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_foreign_condition(oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._foreign_triggers(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_foreign_triggers() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refuse_foreign_triggers(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._server_faults() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_server(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._tenant_relations() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_logins() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_policies() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_foreign_policies() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_views() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_definers() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_public_rights() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_statistics() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_tenant_indexes() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_sequences() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._check_stored_settings() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.security_check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.security_check() TO stratum_admin, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._tables_of_tenants() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._slug_of_tenant(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._secret_columns(regclass) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refuse_foreign_casts() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.export_tenant(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.export_tenant(bigint) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._pause_tenant_audit(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._delete_rows_of_tenant(bigint, oid) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refuse_references(text, text, text, bigint, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum.delete_tenant(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.delete_tenant(bigint, text) TO stratum_admin;
REVOKE ALL ON FUNCTION stratum._global_keys() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._has_constraint(text, text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE stratum.scope_unique_keys() FROM PUBLIC;

-- ==== sql/updates/1.0--1.1.sql
DO $steps$
BEGIN
  IF NOT stratum._restoring() THEN

-- What the storage of 1.0 needs to become that of 1.1, beyond what install() does by itself: it makes tables and
-- optional indexes that are missing. Each step is guarded, so that it can run again after a restore.

-- An ORM sends a time with every change of a tenant; the mixin trigger puts its own in place.
IF to_regclass('stratum.tenants') IS NOT NULL THEN
  ALTER EXTENSION stratum ADD TABLE stratum.tenants;
  GRANT UPDATE (updated_at) ON stratum.tenants TO stratum_app;
END IF;

IF to_regclass('stratum.cdp_audience_syncs') IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('stratum.cdp_audience_syncs') AND conname = 'cdp_audience_syncs_tenant_id_id_key') THEN
  ALTER TABLE stratum.cdp_audience_syncs ADD CONSTRAINT cdp_audience_syncs_tenant_id_id_key UNIQUE (tenant_id, id);
  PERFORM stratum._comment_constraints('cdp_audience_syncs');
END IF;

IF to_regclass('stratum.fact_actions_queue') IS NOT NULL THEN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('stratum.fact_actions_queue') AND conname = 'fact_actions_queue_tenant_id_id_key') THEN
    ALTER TABLE stratum.fact_actions_queue ADD CONSTRAINT fact_actions_queue_tenant_id_id_key UNIQUE (tenant_id, id);
    PERFORM stratum._comment_constraints('fact_actions_queue');
  END IF;
  COMMENT ON COLUMN stratum.fact_actions_queue.payload IS 'Details of the action; "outcome" is what execute_action() has changed.';
  COMMENT ON COLUMN stratum.fact_actions_queue.reason IS 'Why it is proposed; where it was rejected with a reason, that one.';
END IF;

-- Pages that are filled from now on have room for a profile that changes; a user's own choice stays.
IF EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass('stratum.cdp_profiles')
             AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'fillfactor')) THEN
  ALTER TABLE stratum.cdp_profiles SET (fillfactor = 85);
END IF;

  END IF;
END $steps$;

-- ==== sql/updates/finish.sql
-- The end of every update script: the storage gets the version that the members have now. install() makes what
-- is missing and puts defaults, triggers and policies back; it takes no storage of another version, so that comes
-- first. The version's function is no member, hence not the script's to replace: it is taken in for the moment. That
-- keeps its rights and what depends on it.
DO $finish$
BEGIN
  IF stratum._restoring() THEN
    -- A script runs with notices off; this one has to be seen.
    PERFORM pg_catalog.set_config('client_min_messages', 'notice', true);
    RAISE NOTICE 'stratum: the storage is not updated while a dump is restored'
      USING HINT = 'If this is no restore, SET row_security = on and do what stratum.check_install() says.';
    PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
  ELSE
    IF to_regprocedure('stratum.storage_version()') IS NOT NULL THEN
      ALTER EXTENSION stratum ADD FUNCTION stratum.storage_version();
      CREATE OR REPLACE FUNCTION stratum.storage_version() RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '1.1'::pg_catalog.text$$;
    END IF;
    PERFORM stratum.install();
  END IF;
END $finish$;

SELECT stratum._let_go();

-- ==== members that are gone
DROP FUNCTION stratum._refreshing_tenant();
DROP FUNCTION stratum._is_valid_segment(bigint, text, jsonb);
DROP FUNCTION stratum._matching_segments(bigint[], jsonb[], anyelement);
