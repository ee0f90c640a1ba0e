-- Segments: who is in one, live and as memberships.
-- rights: preview_segment, segment_profiles, profile_segments, refresh_segment, refresh_segments and the
--   internal functions they call as their caller -> stratum_app, stratum_admin;
--   refresh_all_segments, _refresh_tenant_segments -> stratum_admin

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

-- ---- live -----------------------------------------------------------------------------------------

CREATE FUNCTION stratum._preview_segment(
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
COMMENT ON FUNCTION stratum._preview_segment(jsonb, integer) IS
  'preview_segment() under names of arguments that plpgsql can tell apart; internal.';

CREATE FUNCTION stratum.preview_segment(
    conditions jsonb, sample integer DEFAULT 10, OUT profile_count bigint, OUT sample jsonb)
  RETURNS record
  LANGUAGE sql STABLE
AS 'SELECT p.profile_count, p.profiles FROM stratum._preview_segment($1, $2) p';
COMMENT ON FUNCTION stratum.preview_segment(jsonb, integer) IS
  'How many profiles of the current tenant satisfy a definition, and the first of them (at most 1000) by id as a JSON array. Stores nothing.';

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

-- The planner puts the body in the place of a call, where the id becomes what the function returns: see _id_functions().
CREATE FUNCTION stratum.segment_profiles(segment_id bigint)
  RETURNS TABLE (profile_id integer)
  LANGUAGE sql STABLE
AS 'SELECT p.id FROM stratum._segment_profiles($1) p (id)';
COMMENT ON FUNCTION stratum.segment_profiles(bigint) IS
  'Profiles that satisfy the segment''s definition now, whatever the last refresh found.';

CREATE FUNCTION stratum.profile_segments(profile_id bigint)
  RETURNS TABLE (segment_id integer)
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'stratum_profile_segments';
COMMENT ON FUNCTION stratum.profile_segments(bigint) IS
  'Active segments that the profile is in now, whatever the last refresh found.';

CREATE FUNCTION stratum._segments_changed() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_segments_changed';
COMMENT ON FUNCTION stratum._segments_changed() IS
  'AFTER statement trigger of cdp_segments: every session forgets the definitions that it keeps for profile_segments().';

-- ---- memberships ----------------------------------------------------------------------------------

CREATE FUNCTION stratum._refresh_memberships(tenant bigint, ids bigint[], definitions jsonb[])
  RETURNS TABLE (segment_id bigint, profile_count bigint, added bigint, removed bigint)
  LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_refresh_memberships';
COMMENT ON FUNCTION stratum._refresh_memberships(bigint, bigint[], jsonb[]) IS
  'Evaluates the definitions over a tenant''s profiles, as many at a time as maintenance_work_mem has room for, and writes the memberships that differ; internal to _refresh().';

-- Called by definer functions only, so it runs with their rights; every statement names the tenant.
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

CREATE FUNCTION stratum.refresh_segment(
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
COMMENT ON FUNCTION stratum.refresh_segment(bigint) IS
  'Brings memberships, profile_count and last_computed_at of a segment up to date; returns its size and how many came in and went.';

CREATE FUNCTION stratum.refresh_segments()
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
COMMENT ON FUNCTION stratum.refresh_segments() IS
  'refresh_segment() of all active segments of the current tenant, reading its profiles once.';

CREATE FUNCTION stratum._refresh_tenant_segments(tenant_id bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT count(*) FROM stratum._refresh(_refresh_tenant_segments.tenant_id, NULL) r);
END $$;
COMMENT ON FUNCTION stratum._refresh_tenant_segments(bigint) IS
  'Refreshes the active segments of a tenant, for administrators; returns how many; internal to refresh_all_segments().';

-- It commits, so it must not be a definer function and cannot pin its search_path.
CREATE PROCEDURE stratum.refresh_all_segments()
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
COMMENT ON PROCEDURE stratum.refresh_all_segments() IS
  'refresh_segments() for every tenant that is not deleted, with a commit after each; CALL it outside a transaction block.';
