\echo Use "ALTER EXTENSION stratum UPDATE TO '1.0'" to load this file. \quit
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

-- ==== sql/updates/1.1--1.0.sql
DO $steps$
BEGIN
  IF NOT stratum._restoring() THEN

-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them has a line in the list of what is lost.

-- 1.0 knows no partitions. The way back takes long where there is much, so it is not taken by the way.
DECLARE
  converted text := (SELECT string_agg(t.table_name, ' and ' ORDER BY t.table_name) FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name));
BEGIN
  IF converted IS NOT NULL THEN
    RAISE EXCEPTION 'version 1.0 cannot work with monthly partitions of %', converted
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL stratum.unpartition(''...'') for each of them first.';
  END IF;
END;

-- What 1.0 has no place for: said in one go, before anything is done. The locks keep it true.
DECLARE
  kept record;
  is_there boolean;
  lost text[] := '{}';
BEGIN
  FOR kept IN
    VALUES ('audit_seals', 'true', 'the seals of the audit trail'),
           ('audit_keys', 'true', 'the key of hashed values in the audit trail'),
           ('audited_tables', 'EXISTS (SELECT FROM unnest(t.redact) r WHERE r ~ '':(hash|drop)$'')',
              'that columns are hashed or left out in the audit trail: they are masked from then on'),
           ('jwt_keys', 'true', 'the keys of stratum.jwt_keys'),
           ('cdp_segment_options', 't.is_live OR t.keeps_history', 'which segments are live or keep a history'),
           ('cdp_segment_history', 'true', 'the history of segments'),
           ('cdp_profile_aliases', 'true', 'the other names of profiles in stratum.cdp_profile_aliases'),
           ('cdp_audience_uploads', 'true', 'what ad platforms have been given, in stratum.cdp_audience_uploads'),
           ('action_deliveries', 'true', 'what workers have been handed')
  LOOP
    CONTINUE WHEN to_regclass('stratum.' || kept.column1) IS NULL;
    EXECUTE format('LOCK TABLE stratum.%I', kept.column1);
    EXECUTE format('SELECT EXISTS (SELECT FROM stratum.%I t WHERE %s)', kept.column1, kept.column2) INTO is_there;
    IF is_there THEN
      lost := lost || kept.column3;
    END IF;
  END LOOP;
  PERFORM stratum._refuse_data_loss(VARIADIC lost);
END;

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;
DROP INDEX IF EXISTS stratum.ix_audit_logs_request;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_external_id;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_anonymous_id;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_segments;
END IF;
IF to_regclass('stratum.cdp_profiles') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_profiles;
END IF;
IF EXISTS (SELECT FROM pg_class c, pg_options_to_table(c.reloptions) o
           WHERE c.oid = to_regclass('stratum.cdp_profiles') AND o.option_name = 'fillfactor' AND o.option_value = '85') THEN
  ALTER TABLE stratum.cdp_profiles RESET (fillfactor);
END IF;
IF to_regclass('stratum.cdp_events') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_events;
  DROP TRIGGER IF EXISTS zz_stratum_live_truncate ON stratum.cdp_events;
END IF;

-- Who is in a segment stays; that it was kept live, and since when, goes.
DROP TABLE IF EXISTS stratum.cdp_segment_history;
DROP TABLE IF EXISTS stratum.cdp_segment_options;

-- 1.0 knows no keys within the tenant only: those over all tenants come back.
DECLARE
  key record;
  twice bigint;
BEGIN
  FOR key IN SELECT * FROM stratum._global_keys() LOOP
    CONTINUE WHEN to_regclass('stratum.' || key.table_name) IS NULL OR stratum._has_constraint(key.table_name, key.constraint_name);
    EXECUTE format('SELECT count(*) FROM (SELECT FROM stratum.%I WHERE %I IS NOT NULL GROUP BY %2$I HAVING count(*) > 1) x', key.table_name, key.column_name)
      INTO twice;
    IF twice > 0 THEN
      RAISE EXCEPTION 'version 1.0 takes each % once, and % are there more than once', key.column_name, twice
        USING ERRCODE = 'unique_violation', HINT = format('They came after stratum.scope_unique_keys(). Delete or change those rows of stratum.%s first.', key.table_name);
    END IF;
    EXECUTE format('ALTER TABLE stratum.%I ADD CONSTRAINT %I UNIQUE (%I)', key.table_name, key.constraint_name, key.column_name);
    EXECUTE format('COMMENT ON CONSTRAINT %I ON stratum.%I IS %L', key.constraint_name, key.table_name, format('No two rows have the same (%s).', key.column_name));
    EXECUTE format('COMMENT ON INDEX stratum.%I IS %L', key.constraint_name, 'Index of the constraint of the same name.');
  END LOOP;
END;

-- Viewers, protected users, limits.
DECLARE
  old_trigger record;
BEGIN
  FOR old_trigger IN
    SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'stratum'::regnamespace AND NOT t.tgisinternal
      AND t.tgname IN ('zz_stratum_viewer', 'zz_stratum_protected', 'zz_stratum_limit_insert', 'zz_stratum_limit_update')
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', old_trigger.tgname, old_trigger.relation);
  END LOOP;
END;

IF to_regclass('stratum.tenants') IS NOT NULL THEN
  ALTER EXTENSION stratum ADD TABLE stratum.tenants;
  REVOKE UPDATE (updated_at) ON stratum.tenants FROM stratum_app;
END IF;

DROP TABLE IF EXISTS stratum.jwt_keys;

-- The seals prove nothing without the functions that read them, but nobody can make them again.
DROP TABLE IF EXISTS stratum.audit_seals, stratum.audit_chains;
DROP TABLE IF EXISTS stratum.audit_keys;

IF to_regclass('stratum.rules') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_check ON stratum.rules;
END IF;
IF to_regclass('stratum.tenants') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_check ON stratum.tenants;
END IF;
IF to_regclass('stratum.fact_signal_health_daily') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_signals ON stratum.fact_signal_health_daily;
END IF;

DROP TABLE IF EXISTS stratum.action_deliveries;
IF to_regclass('stratum.fact_actions_queue') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_state ON stratum.fact_actions_queue;
  ALTER TABLE stratum.fact_actions_queue DROP CONSTRAINT IF EXISTS fact_actions_queue_tenant_id_id_key;
  COMMENT ON COLUMN stratum.fact_actions_queue.payload IS 'Details of the action.';
  COMMENT ON COLUMN stratum.fact_actions_queue.reason IS 'Why it is proposed.';
END IF;

DROP TABLE IF EXISTS stratum.cdp_profile_aliases;
DROP TABLE IF EXISTS stratum.cdp_audience_uploads;
IF to_regclass('stratum.cdp_audience_syncs') IS NOT NULL THEN
  ALTER TABLE stratum.cdp_audience_syncs DROP CONSTRAINT IF EXISTS cdp_audience_syncs_tenant_id_id_key;
END IF;
IF to_regclass('stratum.campaign_drafts') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_draft ON stratum.campaign_drafts;
END IF;

-- 1.0 knows one way to redact. What else was asked for is forgotten, that the value is not to be in clear is not: the
-- triggers get these lists from install().
IF to_regclass('stratum.audited_tables') IS NOT NULL THEN
  UPDATE stratum.audited_tables t
    SET redact = stratum._redacted_columns(to_regclass(t.table_name), t.redact)
    WHERE to_regclass(t.table_name) IS NOT NULL AND t.redact <> stratum._redacted_columns(to_regclass(t.table_name), t.redact);
END IF;

-- 1.0 records rows by row triggers only, and replaces the one that it finds. The arguments are the same, and a table
-- that a user has put out of audit stays so.
DECLARE
  audited record;
BEGIN
  FOR audited IN
    SELECT g.tgrelid::regclass AS relation, min(substring(pg_get_triggerdef(g.oid) FROM '_audit_statement"?\((.*)\)$')) AS arguments,
           array_agg(f.operation ORDER BY f.operation = 'delete', f.operation) AS operations
    FROM pg_trigger g JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname AND NOT f.by_row
    WHERE g.tgfoid = 'stratum._audit_statement'::regproc
    GROUP BY g.tgrelid
  LOOP
    PERFORM stratum._put_row_triggers(audited.relation, audited.arguments, audited.operations, true);
  END LOOP;
END;

-- What widen_ids() has done: 1.0 knows integer ids only.
PERFORM stratum._narrow_ids();

  END IF;
END $steps$;

-- ==== members that cannot be replaced, or have a successor of the same name
DROP FUNCTION stratum._refresh(bigint, bigint);
DROP FUNCTION stratum._row_entries(text, text, boolean);
DROP FUNCTION stratum._row_versions(regclass, text);

-- ==== members that are new or changed
CREATE OR REPLACE FUNCTION stratum.enter(
    tenant_id bigint,
    user_id bigint DEFAULT NULL,
    request_id text DEFAULT NULL,
    ip_address inet DEFAULT NULL,
    user_agent text DEFAULT NULL)
  RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'stratum_enter';

CREATE OR REPLACE FUNCTION stratum.segment_matches(conditions jsonb, profile anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_segment_matches';

CREATE OR REPLACE FUNCTION stratum.segment_matches(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_traits_match';

CREATE OR REPLACE FUNCTION stratum.traits_match(conditions jsonb, traits jsonb)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_traits_match';

CREATE OR REPLACE FUNCTION stratum.campaign_matches(conditions jsonb, campaign anyelement)
  RETURNS boolean
  LANGUAGE c STABLE PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'stratum_campaign_matches';

CREATE FUNCTION stratum._matching_segments(ids bigint[], definitions jsonb[], profile anyelement)
  RETURNS bigint[]
  LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'stratum_matching_segments';
COMMENT ON FUNCTION stratum._matching_segments(bigint[], jsonb[], anyelement) IS
  'Ids of the definitions that the profile satisfies, all compiled once per query; internal to the refresh functions.';

CREATE FUNCTION stratum._is_valid_segment(segment_id bigint, name text, conditions jsonb) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum.validate_conditions(conditions);
  RETURN true;
EXCEPTION WHEN invalid_parameter_value OR datatype_mismatch THEN
  -- It was valid when it was written: a column that it names has gone since.
  RAISE WARNING 'segment % "%" is left out: %', segment_id, name, SQLERRM;
  RETURN false;
END $$;
COMMENT ON FUNCTION stratum._is_valid_segment(bigint, text, jsonb) IS
  'Whether a stored definition still means something; if not, a WARNING says why; internal.';

CREATE FUNCTION stratum._refreshing_tenant() RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RAISE EXCEPTION 'there is no tenant whose segments could be refreshed'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT stratum.enter(tenant_id, user_id) first, in the same transaction.';
  END IF;
  RETURN stratum.current_tenant_id();
END $$;
COMMENT ON FUNCTION stratum._refreshing_tenant() IS
  'The current tenant; raises where there is none; internal to the refresh functions.';

CREATE OR REPLACE FUNCTION stratum._preview_segment(
    definition jsonb, wanted integer, OUT profile_count bigint, OUT profiles jsonb)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF wanted IS NULL THEN
    RAISE EXCEPTION 'the size of the sample must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF wanted NOT BETWEEN 0 AND 1000 THEN
    RAISE EXCEPTION 'a sample of % profiles is not possible', wanted
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The sample has 0 to 1000 profiles.';
  END IF;
  PERFORM stratum.validate_conditions(definition);
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

CREATE OR REPLACE FUNCTION stratum.segment_profiles(segment_id bigint)
  RETURNS TABLE (profile_id integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  definition jsonb;
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RETURN;
  END IF;
  SELECT s.conditions INTO definition
  FROM stratum.cdp_segments s
  WHERE s.tenant_id = stratum.current_tenant_id() AND s.id = segment_profiles.segment_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT p.id
    FROM stratum.cdp_profiles p
    WHERE p.tenant_id = stratum.current_tenant_id() AND stratum.segment_matches(definition, p);
END $$;

CREATE OR REPLACE FUNCTION stratum.profile_segments(profile_id bigint)
  RETURNS TABLE (segment_id integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RETURN;
  END IF;
  PERFORM FROM stratum.cdp_profiles p
  WHERE p.tenant_id = stratum.current_tenant_id() AND p.id = profile_segments.profile_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'profile % does not exist', profile_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT s.id
    FROM stratum.cdp_profiles p CROSS JOIN stratum.cdp_segments s
    WHERE p.tenant_id = stratum.current_tenant_id() AND p.id = profile_segments.profile_id
      AND s.tenant_id = stratum.current_tenant_id() AND s.is_active
      AND CASE WHEN stratum._is_valid_segment(s.id, s.name, s.conditions)
               THEN stratum.segment_matches(s.conditions, p) END
    ORDER BY s.id;
END $$;

CREATE FUNCTION stratum._refresh(tenant bigint, wanted bigint)
  RETURNS TABLE (segment_id integer, profile_count bigint, added bigint, removed bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
<<run>>
DECLARE
  segment record;
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
      PERFORM stratum.validate_conditions(segment.conditions);
    ELSIF NOT stratum._is_valid_segment(segment.id, segment.name, segment.conditions) THEN
      CONTINUE;
    END IF;
    ids := array_append(ids, segment.id::bigint);
    definitions := array_append(definitions, segment.conditions);
  END LOOP;
  IF ids = '{}' THEN
    RETURN;
  END IF;

  RETURN QUERY
  WITH matching AS MATERIALIZED (
    SELECT p.id AS profile, m.segment
    FROM stratum.cdp_profiles p
      CROSS JOIN LATERAL unnest(stratum._matching_segments(run.ids, run.definitions, p)) AS m (segment)
    WHERE p.tenant_id = _refresh.tenant
  ), deleted AS (
    DELETE FROM stratum.cdp_segment_memberships d
    WHERE d.tenant_id = _refresh.tenant AND d.segment_id = ANY (run.ids)
      AND NOT EXISTS (SELECT FROM matching m WHERE m.segment = d.segment_id AND m.profile = d.profile_id)
    RETURNING d.segment_id AS segment
  ), missing AS MATERIALIZED (
    SELECT m.segment, m.profile
    FROM matching m
    WHERE NOT EXISTS (SELECT FROM stratum.cdp_segment_memberships e
                      WHERE e.tenant_id = _refresh.tenant AND e.segment_id = m.segment AND e.profile_id = m.profile)
  ), inserted AS (
    INSERT INTO stratum.cdp_segment_memberships AS i (tenant_id, segment_id, profile_id)
    SELECT p.tenant_id, m.segment, p.id
    FROM missing m JOIN stratum.cdp_profiles p ON p.tenant_id = _refresh.tenant AND p.id = m.profile
    -- a profile that is being deleted meanwhile is waited for, and then left out
    FOR KEY SHARE OF p
    ON CONFLICT DO NOTHING
    RETURNING i.segment_id AS segment
  ), counts AS (
    SELECT c.segment, sum(c.n_matching) - sum(c.n_missing) + sum(c.n_inserted) AS members,
           sum(c.n_inserted) AS n_inserted, sum(c.n_deleted) AS n_deleted
    FROM (SELECT m.segment, count(*) AS n_matching, 0 AS n_missing, 0 AS n_inserted, 0 AS n_deleted
          FROM matching m GROUP BY m.segment
          UNION ALL SELECT m.segment, 0, count(*), 0, 0 FROM missing m GROUP BY m.segment
          UNION ALL SELECT i.segment, 0, 0, count(*), 0 FROM inserted i GROUP BY i.segment
          UNION ALL SELECT d.segment, 0, 0, 0, count(*) FROM deleted d GROUP BY d.segment
          UNION ALL SELECT r.segment, 0, 0, 0, 0 FROM unnest(run.ids) AS r (segment)) c
    GROUP BY c.segment
  )
  UPDATE stratum.cdp_segments s
  SET profile_count = c.members, last_computed_at = now()
  FROM counts c
  WHERE s.tenant_id = _refresh.tenant AND s.id = c.segment
  RETURNING s.id, c.members::bigint, c.n_inserted::bigint, c.n_deleted::bigint;
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
  FROM stratum._refresh(stratum._refreshing_tenant(), coalesce(refresh_segment.segment_id, 0)) r;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum.refresh_segments()
  RETURNS TABLE (segment_id integer, profile_count bigint, added bigint, removed bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT r.segment_id, r.profile_count, r.added, r.removed
    FROM stratum._refresh(stratum._refreshing_tenant(), NULL) r
    ORDER BY r.segment_id;
END $$;

CREATE OR REPLACE PROCEDURE stratum.refresh_all_segments()
  LANGUAGE plpgsql
AS $$
DECLARE
  tenant record;
  failed integer := 0;
BEGIN
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

CREATE OR REPLACE FUNCTION stratum._audit_operations(operations text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked text[] := ARRAY(SELECT lower(btrim(o) COLLATE "C") FROM unnest(string_to_array(operations, ',')) o);
  known constant text[] := '{insert,update,delete,truncate}';
  strange text := (SELECT o FROM unnest(asked) o WHERE o <> ALL (known) LIMIT 1);
BEGIN
  IF strange IS NOT NULL OR asked = '{}' THEN
    RAISE EXCEPTION 'unknown operation "%"', coalesce(strange, '')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Operations are insert, update, delete and truncate, with commas between.';
  END IF;
  RETURN ARRAY(SELECT o FROM unnest(known) WITH ORDINALITY k (o, n) WHERE o = ANY (asked) ORDER BY n);
END $$;
COMMENT ON FUNCTION stratum._audit_operations(text) IS
  'The operations of a list, in a fixed order; raises for unknown ones; internal.';

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
  ELSIF strange IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of table % does not exist', strange, table_name USING ERRCODE = 'undefined_column';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum._put_audit_trigger(
    table_name regclass, trigger_name text, events text, action text, comment text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF events IS NOT NULL THEN
    PERFORM stratum._put_trigger(
      table_name, trigger_name,
      'AFTER ' || events || ' ON %s FOR EACH ' || replace(action, '%', '%%'), comment);
  ELSIF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = table_name AND g.tgname = trigger_name) THEN
    EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, table_name);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION stratum._put_audit_triggers(table_name regclass, redact text[], ignore text[], operations text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  asked text[] := stratum._audit_operations(operations);
  resource_type text := stratum._resource_type(table_name);
BEGIN
  PERFORM stratum._put_audit_trigger(
    table_name, 'zz_stratum_audit',
    (SELECT string_agg(o, ' OR ') FROM unnest(asked) o WHERE o <> 'truncate'),
    format('ROW EXECUTE FUNCTION stratum._audit_row(%L, %L, %L)', resource_type, redact, ignore),
    'Records changes in stratum.audit_logs.');
  PERFORM stratum._put_audit_trigger(
    table_name, 'zz_stratum_audit_truncate',
    CASE WHEN 'truncate' = ANY (asked) THEN 'TRUNCATE' END,
    format('STATEMENT EXECUTE FUNCTION stratum._audit_truncate(%L)', resource_type),
    'Records TRUNCATE in stratum.audit_logs.');
END $$;

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
  PERFORM stratum._check_columns(table_name, redact || ignore);
  PERFORM stratum._put_audit_triggers(table_name, redact, ignore, operations);
  INSERT INTO stratum.audited_tables AS t (table_name, redact, ignore, operations)
    VALUES (audit_table.table_name::text, audit_table.redact, audit_table.ignore,
            array_to_string(stratum._audit_operations(audit_table.operations), ','))
  ON CONFLICT ON CONSTRAINT audited_tables_pkey DO UPDATE
    SET redact = excluded.redact, ignore = excluded.ignore, operations = excluded.operations;
END $$;
COMMENT ON FUNCTION stratum.audit_table(regclass, text[], text[], text) IS
  'Every change to the table is recorded in audit_logs from now on; values of redacted columns never in clear, changes of ignored columns alone not at all. Calling it again replaces the choice.';

CREATE OR REPLACE FUNCTION stratum.unaudit_table(table_name regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF table_name IS NULL THEN
    RAISE EXCEPTION 'table_name must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM stratum._put_audit_trigger(unaudit_table.table_name, x.name, NULL, NULL, NULL)
  FROM unnest(ARRAY['zz_stratum_audit', 'zz_stratum_audit_truncate']) x (name);
  DELETE FROM stratum.audited_tables t WHERE t.table_name = unaudit_table.table_name::text;
END $$;
COMMENT ON FUNCTION stratum.unaudit_table(regclass) IS
  'Changes to the table are recorded no longer; what has been recorded stays.';

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
      PERFORM stratum._check_columns(audited.relation, audited.redact);
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
  IF trigger_object !~ '\.zz_stratum_audit(_truncate)?$' OR to_regclass('stratum.audited_tables') IS NULL THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM stratum.audited_tables t
                 WHERE t.table_name = 'stratum.' || split_part(trigger_object, '.', 1));
END $$;

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
  SELECT string_agg(format('stratum_row.%I = %s::%s', a.attname,
                           CASE cardinality(key_columns) WHEN 1 THEN '$1' ELSE format('($1::jsonb ->> %s)', k.n - 1) END,
                           format_type(a.atttypid, NULL)), ' AND ')
    INTO condition
  FROM unnest(key_columns) WITH ORDINALITY k (name, n)
    JOIN pg_attribute a ON a.attrelid = table_name AND a.attname = k.name;
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
    id bigint, created_at timestamptz, action text, user_id integer, request_id text, old_values jsonb,
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
      RETURN QUERY SELECT entry.id::bigint, entry.created_at, entry.action, entry.user_id, entry.request_id,
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
    audit_id bigint, changed_at timestamptz, action text, user_id integer, request_id text, old_values jsonb,
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
    IF entries.became[i] IS NULL THEN  -- gone
      after[i] := NULL;
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
  RETURN QUERY
    SELECT v.audit_id, v.changed_at, v.action, v.user_id, v.request_id, v.old_values, v.new_values, v.row_after
    FROM stratum._row_versions(table_name, resource_id) v;
END $$;

CREATE OR REPLACE FUNCTION stratum.row_as_of(table_name regclass, resource_id text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  version record;
  shape record;
BEGIN
  -- The newest that is not later; where all are, the oldest, for what was before it.
  SELECT v.row_before, v.row_after, v.changed_at <= row_as_of.at AS in_time
    INTO version
  FROM stratum._row_versions(table_name, resource_id) v
  ORDER BY v.changed_at <= row_as_of.at DESC,
           CASE WHEN v.changed_at <= row_as_of.at THEN v.audit_id ELSE -v.audit_id END DESC
  LIMIT 1;
  IF found THEN
    RETURN CASE WHEN version.in_time THEN version.row_after ELSE version.row_before END;
  END IF;
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  RETURN stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id);
END $$;
COMMENT ON FUNCTION stratum.row_as_of(regclass, text, timestamptz) IS
  'A row as it was at a time, secrets redacted; NULL before it existed, once it is deleted, and where it never was.';

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
  PERFORM stratum._audit_stratum_table('tenants', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('tenants', 'id');
  PERFORM stratum._give_rights('tenants', is_new, 'SELECT, UPDATE (name, domain, settings)',
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
    );

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

  ALTER TABLE stratum.cdp_profiles ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_profiles', '{email,phone}',
    '{id,lifecycle_stage,traits,computed_traits,consent,created_at,updated_at}');
  PERFORM stratum._audit_stratum_table('cdp_profiles', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_profiles', 'tenant_id');
  PERFORM stratum._give_rights('cdp_profiles', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

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

  ALTER TABLE stratum.cdp_events ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_events', '{}',
    '{id,properties,context,received_at}');
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
  PERFORM stratum._audit_stratum_table('cdp_segments', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_segments', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segments', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

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

      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id)
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

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
    );

    CREATE INDEX ix_fact_actions_queue_tenant_status ON stratum.fact_actions_queue (tenant_id, status);

    COMMENT ON TABLE stratum.fact_actions_queue IS 'Actions that the autopilot proposes, until somebody decides.';
    COMMENT ON COLUMN stratum.fact_actions_queue.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.fact_actions_queue.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.fact_actions_queue.action_type IS 'What to do.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_type IS 'Kind of thing it is done to, for example campaign.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_id IS 'Id of that thing.';
    COMMENT ON COLUMN stratum.fact_actions_queue.payload IS 'Details of the action.';
    COMMENT ON COLUMN stratum.fact_actions_queue.reason IS 'Why it is proposed.';
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
  PERFORM stratum._audit_stratum_table('fact_actions_queue', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('fact_actions_queue', 'tenant_id');
  PERFORM stratum._give_rights('fact_actions_queue', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;

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

  ALTER TABLE stratum.audit_logs ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_audit_guard();
  PERFORM stratum._isolate('audit_logs', 'tenant_id');
  DROP POLICY IF EXISTS auditor_read ON stratum.audit_logs;
  CREATE POLICY auditor_read ON stratum.audit_logs FOR SELECT TO stratum_auditor USING (true);
  COMMENT ON POLICY auditor_read ON stratum.audit_logs IS 'Auditors read the trail of every tenant.';
  PERFORM stratum._give_rights('audit_logs', is_new, 'SELECT, INSERT',
    'SELECT, INSERT', 'SELECT');
END $install$;

CREATE OR REPLACE FUNCTION stratum._storage_expected() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $manifest$ VALUES
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
('column', 'cdp_segment_memberships.added_at', 'timestamp with time zone NOT NULL DEFAULT now()'),
('column', 'cdp_segment_memberships.profile_id', 'integer NOT NULL'),
('column', 'cdp_segment_memberships.segment_id', 'integer NOT NULL'),
('column', 'cdp_segment_memberships.tenant_id', 'integer NOT NULL DEFAULT stratum.current_tenant_id()'),
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
('constraint', 'audit_logs.audit_logs_pkey', 'PRIMARY KEY (id)'),
('constraint', 'audit_logs.audit_logs_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'audit_logs.audit_logs_user_id_fkey', 'FOREIGN KEY (user_id) REFERENCES stratum.users(id)'),
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
('constraint', 'cdp_audience_syncs.cdp_audience_syncs_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id)'),
('constraint', 'cdp_events.cdp_events_message_id_key', 'UNIQUE (message_id)'),
('constraint', 'cdp_events.cdp_events_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_message_id_key', 'UNIQUE (tenant_id, message_id)'),
('constraint', 'cdp_events.cdp_events_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id)'),
('constraint', 'cdp_profiles.cdp_profiles_canonical_id_key', 'UNIQUE (canonical_id)'),
('constraint', 'cdp_profiles.cdp_profiles_email_hash_check', 'CHECK (((email_hash)::text ~ ''^[0-9a-fA-F]{64}$''::text))'),
('constraint', 'cdp_profiles.cdp_profiles_phone_hash_check', 'CHECK (((phone_hash)::text ~ ''^[0-9a-fA-F]{64}$''::text))'),
('constraint', 'cdp_profiles.cdp_profiles_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_canonical_id_key', 'UNIQUE (tenant_id, canonical_id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_profiles.cdp_profiles_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_pkey', 'PRIMARY KEY (tenant_id, segment_id, profile_id)'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_profile_id_fkey', 'FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segment_memberships.cdp_segment_memberships_tenant_id_segment_id_fkey', 'FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE'),
('constraint', 'cdp_segments.cdp_segments_pkey', 'PRIMARY KEY (id)'),
('constraint', 'cdp_segments.cdp_segments_profile_count_check', 'CHECK ((profile_count >= 0))'),
('constraint', 'cdp_segments.cdp_segments_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'cdp_segments.cdp_segments_tenant_id_id_key', 'UNIQUE (tenant_id, id)'),
('constraint', 'fact_actions_queue.fact_actions_queue_pkey', 'PRIMARY KEY (id)'),
('constraint', 'fact_actions_queue.fact_actions_queue_status_check', 'CHECK (((status)::text = ANY (''{pending,approved,rejected,executed}''::text[])))'),
('constraint', 'fact_actions_queue.fact_actions_queue_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_accuracy_score_check', 'CHECK (((accuracy_score >= 0) AND (accuracy_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_completeness_score_check', 'CHECK (((completeness_score >= 0) AND (completeness_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_data_freshness_score_check', 'CHECK (((data_freshness_score >= 0) AND (data_freshness_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_health_score_check', 'CHECK (((health_score >= 0) AND (health_score <= 100)))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_pkey', 'PRIMARY KEY (id)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_status_check', 'CHECK (((status)::text = ANY (''{healthy,degraded,unhealthy}''::text[])))'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_tenant_id_date_platform_key', 'UNIQUE (tenant_id, date, platform)'),
('constraint', 'fact_signal_health_daily.fact_signal_health_daily_tenant_id_fkey', 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)'),
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
('function', 'stratum._attach_audit_guard()', 'plpgsql v search_path=pg_catalog, pg_temp 6cf38d1136c03f45d0217f231fcf5b9e'),
('function', 'stratum._attach_mixin(text,text[],text[])', 'plpgsql v search_path=pg_catalog, pg_temp fbb4e66d368356a9f100828cd5f41f04'),
('function', 'stratum._audit_guard_change()', 'c v 35ec05d45455a9e74344d25519d9b259'),
('function', 'stratum._audit_guard_insert()', 'c v f45324f99a8abc6f2a938bd66157e272'),
('function', 'stratum._audit_operations(text)', 'plpgsql i search_path=pg_catalog, pg_temp 83152f8a8e092bf54428bb449d848ed5'),
('function', 'stratum._audit_row()', 'c v 855c59f8cb52ffa4a7dd475a8e1f8d83'),
('function', 'stratum._audit_shape(regclass)', 'c s quote_all_identifiers=off b28acd9e95804632ced09b0451d22fca'),
('function', 'stratum._audit_stratum_table(text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 7307c0b87a3a5d5b27c494b3b0d3c95b'),
('function', 'stratum._audit_truncate()', 'c v 5906e8612dd8d5b0a492c66a51b2dfa5'),
('function', 'stratum._check_adoption()', 'plpgsql v search_path=pg_catalog, pg_temp 295082bc5a571268655da90f49a1218e'),
('function', 'stratum._check_auditable(regclass)', 'plpgsql s search_path=pg_catalog, pg_temp c32f593c8f22bac30de410bed000aae8'),
('function', 'stratum._check_audited_tables()', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 258ac574fa71a4d7fe1b00f3f2573eff'),
('function', 'stratum._check_columns(regclass,text[])', 'plpgsql s search_path=pg_catalog, pg_temp 651e9228d4fa0e3496bb6972bb68a2f4'),
('function', 'stratum._check_roles()', 'sql s search_path=pg_catalog, pg_temp 194b9d7e04bb9bd5a3015464045653e6'),
('function', 'stratum._check_surplus_rights()', 'sql s search_path=pg_catalog, pg_temp 6626c7013e7dfccc8c5a70116b95e032'),
('function', 'stratum._check_versions()', 'plpgsql s search_path=pg_catalog, pg_temp 48bfd265d3c0209460bcf41f1acf0e5a'),
('function', 'stratum._close_members()', 'plpgsql v search_path=pg_catalog, pg_temp fd1213be8d9329e22b0c85461c7e4b2d'),
('function', 'stratum._comment_constraints(text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 3a5e8b5f2d8339006f1305868e9b80b7'),
('function', 'stratum._current_row(regclass,text[],text[],text[],text)', 'plpgsql s search_path=pg_catalog, pg_temp f335ba41ec8f149654664a37c9bdbdc1'),
('function', 'stratum._give_rights(text,boolean,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 3b9bd4b921add26ec086e5974748d7a6'),
('function', 'stratum._guard_audited_tables()', 'plpgsql v search_path=pg_catalog, pg_temp 6137d1e8251a489889d80f33f1ef5b83'),
('function', 'stratum._in_extension_script()', 'c s 5530c12ae1569206656d08c2d6b10d7b'),
('function', 'stratum._install_audit_logs()', 'plpgsql v search_path=pg_catalog, pg_temp e47de42155b5899be21f023c1091ead2'),
('function', 'stratum._install_audited_tables()', 'plpgsql v search_path=pg_catalog, pg_temp f63bdbcbbd9dfd2812f3ccfc9a2def55'),
('function', 'stratum._install_campaign_drafts()', 'plpgsql v search_path=pg_catalog, pg_temp 3205e1cf82eddb2def9f9619a4624e0f'),
('function', 'stratum._install_campaigns()', 'plpgsql v search_path=pg_catalog, pg_temp 82852a9e1ab45444db9d941271024e80'),
('function', 'stratum._install_cdp_audience_syncs()', 'plpgsql v search_path=pg_catalog, pg_temp dbee2e8dc0c70a067ba643cb2c09aa87'),
('function', 'stratum._install_cdp_events()', 'plpgsql v search_path=pg_catalog, pg_temp 51f9575a98af1bee9171937a9fc3576f'),
('function', 'stratum._install_cdp_profiles()', 'plpgsql v search_path=pg_catalog, pg_temp 08eda8ac83f442be500b3522c56e27b8'),
('function', 'stratum._install_cdp_segment_memberships()', 'plpgsql v search_path=pg_catalog, pg_temp 765aa0168f614523c2558bb08516f4ee'),
('function', 'stratum._install_cdp_segments()', 'plpgsql v search_path=pg_catalog, pg_temp 9fa800322fcc9f69b1d2a102b826897c'),
('function', 'stratum._install_fact_actions_queue()', 'plpgsql v search_path=pg_catalog, pg_temp e393b9d04abb87a33847e2bc7dd4ff9e'),
('function', 'stratum._install_fact_signal_health_daily()', 'plpgsql v search_path=pg_catalog, pg_temp c1dd564b99e9f5a1f5dc4e9b0483c3e0'),
('function', 'stratum._install_rules()', 'plpgsql v search_path=pg_catalog, pg_temp 250552b4d9f5648b07f08e189872a178'),
('function', 'stratum._install_storage_version()', 'plpgsql v search_path=pg_catalog, pg_temp 32f85857bbf4d2ec304d7dfd29db5edc'),
('function', 'stratum._install_tenant_platform_connections()', 'plpgsql v search_path=pg_catalog, pg_temp 0d4acf2117b938bfec08c5037aa22053'),
('function', 'stratum._install_tenants()', 'plpgsql v search_path=pg_catalog, pg_temp 1c49c739151243642918964f01d67dff'),
('function', 'stratum._install_types()', 'plpgsql v search_path=pg_catalog, pg_temp 75899d521855b7cc5f08dd3dab59655c'),
('function', 'stratum._install_users()', 'plpgsql v search_path=pg_catalog, pg_temp 2daaac44db699f84f993c7091123e099'),
('function', 'stratum._is_chosen_audit(text)', 'plpgsql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off 902e8e7fb3d3aead4a7ee513382c850d'),
('function', 'stratum._is_valid_segment(bigint,text,jsonb)', 'plpgsql s search_path=pg_catalog, pg_temp cdcf17724217c7ea55bc31631696c30f'),
('function', 'stratum._isolate(text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 0d8a6ed3c69a96b3c90ca0d0752ca06b'),
('function', 'stratum._let_go()', 'plpgsql v search_path=pg_catalog, pg_temp ff0f4c5dd3be31f0975fd53c2f48bcac'),
('function', 'stratum._library_version()', 'c s 55884b7d7bce9c4490b69c06864cb814'),
('function', 'stratum._matching_segments(bigint[],jsonb[],anyelement)', 'c s 116e645c2eb2e37d755b2b7125901e75'),
('function', 'stratum._members(regclass)', 'sql s search_path=pg_catalog, pg_temp 32de517749424aff7342d7813af12b23'),
('function', 'stratum._mixin()', 'c v f4637eda5ece5af58dc4960283a0daed'),
('function', 'stratum._preview_segment(jsonb,integer)', 'plpgsql s search_path=pg_catalog, pg_temp 1f34bec84ce1f5d4854ccda92f74732f'),
('function', 'stratum._put_admin_policy(text)', 'plpgsql v search_path=pg_catalog, pg_temp 885344c00f1fe2085d9672a6b144aa33'),
('function', 'stratum._put_audit_trigger(regclass,text,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 7076e5c9123b013daddec90318160ada'),
('function', 'stratum._put_audit_triggers(regclass,text[],text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 55837c4723ae60e5a46f2b571bea3a29'),
('function', 'stratum._put_enum(text,text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp 60fb80418e6bcce82898a8f961fad162'),
('function', 'stratum._put_trigger(regclass,text,text,text)', 'plpgsql v search_path=pg_catalog, pg_temp 15562f473dc21ff8c588181f4f30beb8'),
('function', 'stratum._refresh(bigint,bigint)', 'plpgsql v search_path=pg_catalog, pg_temp a4396733cb361d0a4ed178ce5e231850'),
('function', 'stratum._refresh_tenant_segments(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp d13b57ec4a8f1d0e2104b9c5c6d5b9b0'),
('function', 'stratum._refreshing_tenant()', 'plpgsql s search_path=pg_catalog, pg_temp 9f3694ba4e6c6a837ad38b2bc6dcf9f0'),
('function', 'stratum._remedy(text,text,text,text)', 'sql i search_path=pg_catalog, pg_temp 4f31555ebbc712cbc7a969728b60d244'),
('function', 'stratum._resource_type(regclass)', 'c s quote_all_identifiers=off 58ca3266d3549674ac462334a7379fbd'),
('function', 'stratum._restore_audit_triggers()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 90d34b81093a9513366790594ebd59cf'),
('function', 'stratum._restoring()', 'plpgsql s search_path=pg_catalog, pg_temp 91e33eea074e35e08fe300306154dac3'),
('function', 'stratum._row_entries(text,text,boolean)', 'plpgsql s search_path=pg_catalog, pg_temp eaf1589a67b3d54a3922627936d10703'),
('function', 'stratum._row_versions(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp af8a1d756b85a0f18bb69a770e8e0c83'),
('function', 'stratum._storage_found()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off dcb2b3757d513e599de2167a9c90afa3'),
('function', 'stratum._storage_owners()', 'sql s search_path=pg_catalog, pg_temp; quote_all_identifiers=off db5340c1fb2dda049688bddc7bb99573'),
('function', 'stratum._storage_version()', 'plpgsql s search_path=pg_catalog, pg_temp f44d9576c80591599ea0c9f32bbe5247'),
('function', 'stratum._storage_version_made()', 'sql i ef311105cc2233be1a34df76b0bea18a'),
('function', 'stratum.audience_hash(text,text,text)', 'c i 4ef0524d9f35a741049acce7fe65c7f6'),
('function', 'stratum.audit_table(regclass,text[],text[],text)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 338c820e7dcdb37397392c807d4284f5'),
('function', 'stratum.campaign_matches(jsonb,anyelement)', 'c s a56c73682626a34cdec5f9a8914ca441'),
('function', 'stratum.check_install()', 'plpgsql s definer search_path=pg_catalog, pg_temp; quote_all_identifiers=off 7ede3417ccf905d21d4a480d45a13576'),
('function', 'stratum.cpa_cents(bigint,bigint)', 'c i 4e36adefb7cfdbce58b57e8ccbab136d'),
('function', 'stratum.cpc_cents(bigint,bigint)', 'c i 4e36adefb7cfdbce58b57e8ccbab136d'),
('function', 'stratum.cpm_cents(bigint,bigint)', 'c i 96c3a726702d490d985cfdf970f4c726'),
('function', 'stratum.ctr(bigint,bigint)', 'c i 7b95e3b179c6bfe9e74e13c084ea1dd0'),
('function', 'stratum.current_request_id()', 'c s 3069807caa28885581e412563bdfb5bf'),
('function', 'stratum.current_tenant_id()', 'c s 3960aaa195d808d69044c6f576240142'),
('function', 'stratum.current_user_id()', 'c s e0a5837f849f8054050ae356f603a8ca'),
('function', 'stratum.email_hash(text)', 'c i 29387341d17c8d835f952034c963fcfb'),
('function', 'stratum.enter(bigint,bigint,text,inet,text)', 'c v definer search_path=pg_catalog, pg_temp e15c92191c9f1bed76ca22e96546f1c9'),
('function', 'stratum.install()', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off; client_min_messages=warning e9c75886c2801e3d4cffdbbb7359ab68'),
('function', 'stratum.leave()', 'c v f76ce8b0d89085d764dd7d5834dc08b4'),
('function', 'stratum.log_event(text,text,text,jsonb)', 'c v search_path=pg_catalog, pg_temp fdfcf559ccb65ce07b0d3793b5c6f51c'),
('function', 'stratum.normalize_email(text)', 'c i 9888aebd664d1bd312d3068927ff6be7'),
('function', 'stratum.normalize_phone(text)', 'c i 6cc54b806bf00e8a6541160c60656670'),
('function', 'stratum.phone_hash(text)', 'c i 54d7434bf492c53c3ecb7b155206d5ff'),
('function', 'stratum.preview_segment(jsonb,integer)', 'sql s d7493feca461b384bad3d73762e8480c'),
('function', 'stratum.profile_segments(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 6068e80e8874a279ce4d9d369d9ee04f'),
('function', 'stratum.refresh_all_segments()', 'plpgsql v eb77157328cc20a78460b7096ccb5fd2'),
('function', 'stratum.refresh_segment(bigint)', 'plpgsql v definer search_path=pg_catalog, pg_temp b3f6e344180858a2215fc973b443b12a'),
('function', 'stratum.refresh_segments()', 'plpgsql v definer search_path=pg_catalog, pg_temp be66331c7a7dd91740db9772680840fa'),
('function', 'stratum.roas(bigint,bigint)', 'c i 054fc9bf4380d08b7e673791842d30db'),
('function', 'stratum.row_as_of(regclass,text,timestamp with time zone)', 'plpgsql s search_path=pg_catalog, pg_temp 1d2b2e01584230b344d989c540a11b92'),
('function', 'stratum.row_history(regclass,text)', 'plpgsql s search_path=pg_catalog, pg_temp 139083c44e6b0a419172db22838ddea5'),
('function', 'stratum.segment_matches(jsonb,anyelement)', 'c s 98370640c96fe75fc5270b9a082e3484'),
('function', 'stratum.segment_matches(jsonb,jsonb)', 'c s cb546fb9fcedb49e7660dcb44996aefb'),
('function', 'stratum.segment_profiles(bigint)', 'plpgsql s search_path=pg_catalog, pg_temp 7e871b476332dc836147dee0ca5d974b'),
('function', 'stratum.traits_match(jsonb,jsonb)', 'c s cb546fb9fcedb49e7660dcb44996aefb'),
('function', 'stratum.unaudit_table(regclass)', 'plpgsql v search_path=pg_catalog, pg_temp; quote_all_identifiers=off 5be2da3d7dc9e4ccb6e1932fcb210979'),
('function', 'stratum.validate_conditions(jsonb,text)', 'c s c379c32f9968538445dc032b6ab5529d'),
('function', 'stratum.version()', 'sql s search_path=pg_catalog, pg_temp 515f026f54b4c393b5e5cfd12120a9af'),
('index', 'ix_audit_logs_created', 'CREATE INDEX ix_audit_logs_created ON stratum.audit_logs USING btree (created_at)'),
('index', 'ix_audit_logs_resource', 'CREATE INDEX ix_audit_logs_resource ON stratum.audit_logs USING btree (resource_type, resource_id)'),
('index', 'ix_audit_logs_tenant', 'CREATE INDEX ix_audit_logs_tenant ON stratum.audit_logs USING btree (tenant_id)'),
('index', 'ix_audit_logs_user', 'CREATE INDEX ix_audit_logs_user ON stratum.audit_logs USING btree (user_id)'),
('index', 'ix_campaign_drafts_created_by', 'CREATE INDEX ix_campaign_drafts_created_by ON stratum.campaign_drafts USING btree (tenant_id, created_by_id)'),
('index', 'ix_campaigns_active', 'CREATE INDEX ix_campaigns_active ON stratum.campaigns USING btree (tenant_id, created_at) WHERE ((status = ''active''::stratum.campaign_status) AND (is_deleted = false))'),
('index', 'ix_campaigns_date_range', 'CREATE INDEX ix_campaigns_date_range ON stratum.campaigns USING btree (tenant_id, start_date, end_date)'),
('index', 'ix_campaigns_platform', 'CREATE INDEX ix_campaigns_platform ON stratum.campaigns USING btree (tenant_id, platform)'),
('index', 'ix_campaigns_roas', 'CREATE INDEX ix_campaigns_roas ON stratum.campaigns USING btree (tenant_id, roas)'),
('index', 'ix_campaigns_tenant_status', 'CREATE INDEX ix_campaigns_tenant_status ON stratum.campaigns USING btree (tenant_id, status)'),
('index', 'ix_cdp_audience_syncs_segment', 'CREATE INDEX ix_cdp_audience_syncs_segment ON stratum.cdp_audience_syncs USING btree (tenant_id, segment_id)'),
('index', 'ix_cdp_events_name', 'CREATE INDEX ix_cdp_events_name ON stratum.cdp_events USING btree (tenant_id, event_name)'),
('index', 'ix_cdp_events_profile', 'CREATE INDEX ix_cdp_events_profile ON stratum.cdp_events USING btree (profile_id)'),
('index', 'ix_cdp_events_timestamp', 'CREATE INDEX ix_cdp_events_timestamp ON stratum.cdp_events USING btree (tenant_id, "timestamp")'),
('index', 'ix_cdp_profiles_email_hash', 'CREATE INDEX ix_cdp_profiles_email_hash ON stratum.cdp_profiles USING btree (tenant_id, email_hash)'),
('index', 'ix_cdp_profiles_lifecycle', 'CREATE INDEX ix_cdp_profiles_lifecycle ON stratum.cdp_profiles USING btree (tenant_id, lifecycle_stage)'),
('index', 'ix_cdp_profiles_tenant', 'CREATE INDEX ix_cdp_profiles_tenant ON stratum.cdp_profiles USING btree (tenant_id)'),
('index', 'ix_cdp_segment_memberships_profile', 'CREATE INDEX ix_cdp_segment_memberships_profile ON stratum.cdp_segment_memberships USING btree (tenant_id, profile_id)'),
('index', 'ix_fact_actions_queue_tenant_status', 'CREATE INDEX ix_fact_actions_queue_tenant_status ON stratum.fact_actions_queue USING btree (tenant_id, status)'),
('index', 'ix_profiles_traits', 'CREATE INDEX ix_profiles_traits ON stratum.cdp_profiles USING gin (traits)'),
('index', 'ix_rules_tenant_status', 'CREATE INDEX ix_rules_tenant_status ON stratum.rules USING btree (tenant_id, status)'),
('index', 'ix_tenants_active', 'CREATE INDEX ix_tenants_active ON stratum.tenants USING btree (is_deleted, plan)'),
('index', 'ix_tenants_slug', 'CREATE INDEX ix_tenants_slug ON stratum.tenants USING btree (slug)'),
('index', 'ix_users_email_hash', 'CREATE INDEX ix_users_email_hash ON stratum.users USING btree (email_hash)'),
('index', 'ix_users_platform_email_hash', 'CREATE UNIQUE INDEX ix_users_platform_email_hash ON stratum.users USING btree (email_hash) WHERE (tenant_id IS NULL)'),
('index', 'ix_users_tenant_active', 'CREATE INDEX ix_users_tenant_active ON stratum.users USING btree (tenant_id, is_active, is_deleted)'),
('policy', 'audit_logs.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'audit_logs.auditor_read', 'permissive r to stratum_auditor using true'),
('policy', 'audit_logs.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'audited_tables.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaign_drafts.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaign_drafts.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'campaigns.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'campaigns.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_audience_syncs.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_audience_syncs.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_events.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_events.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_profiles.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_profiles.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
('policy', 'cdp_segment_memberships.admin_all', 'permissive * to stratum_admin using true'),
('policy', 'cdp_segment_memberships.tenant_isolation', 'permissive * to public using (tenant_id = stratum.current_tenant_id())'),
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
('right', 'audit_logs to stratum_admin', 'INSERT, SELECT'),
('right', 'audit_logs to stratum_app', 'INSERT, SELECT'),
('right', 'audit_logs to stratum_auditor', 'SELECT'),
('right', 'audit_logs_id_seq to stratum_admin', 'USAGE'),
('right', 'audit_logs_id_seq to stratum_app', 'USAGE'),
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
('right', 'cdp_events to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_events to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_events_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_events_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_profiles to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_profiles to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'cdp_profiles_id_seq to stratum_admin', 'USAGE'),
('right', 'cdp_profiles_id_seq to stratum_app', 'USAGE'),
('right', 'cdp_segment_memberships to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'cdp_segment_memberships to stratum_app', 'SELECT'),
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
('right', 'tenants to stratum_app', 'SELECT, UPDATE (domain), UPDATE (name), UPDATE (settings)'),
('right', 'tenants_id_seq to stratum_admin', 'USAGE'),
('right', 'users to stratum_admin', 'DELETE, INSERT, SELECT, TRUNCATE, UPDATE'),
('right', 'users to stratum_app', 'DELETE, INSERT, SELECT, UPDATE'),
('right', 'users_id_seq to stratum_admin', 'USAGE'),
('right', 'users_id_seq to stratum_app', 'USAGE'),
('table', 'audit_logs', 'row security, forced'),
('table', 'audited_tables', 'row security, forced'),
('table', 'campaign_drafts', 'row security, forced'),
('table', 'campaigns', 'row security, forced'),
('table', 'cdp_audience_syncs', 'row security, forced'),
('table', 'cdp_events', 'row security, forced'),
('table', 'cdp_profiles', 'row security, forced'),
('table', 'cdp_segment_memberships', 'row security, forced'),
('table', 'cdp_segments', 'row security, forced'),
('table', 'fact_actions_queue', 'row security, forced'),
('table', 'fact_signal_health_daily', 'row security, forced'),
('table', 'rules', 'row security, forced'),
('table', 'tenant_platform_connections', 'row security, forced'),
('table', 'tenants', 'row security, forced'),
('table', 'users', 'row security, forced'),
('trigger', 'audit_logs.zz_stratum_guard_change', 'CREATE TRIGGER zz_stratum_guard_change BEFORE DELETE OR UPDATE ON stratum.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()'),
('trigger', 'audit_logs.zz_stratum_guard_insert', 'CREATE TRIGGER zz_stratum_guard_insert BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION stratum._audit_guard_insert()'),
('trigger', 'audit_logs.zz_stratum_guard_truncate', 'CREATE TRIGGER zz_stratum_guard_truncate BEFORE TRUNCATE ON stratum.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()'),
('trigger', 'audited_tables.zz_stratum_guard', 'CREATE TRIGGER zz_stratum_guard BEFORE INSERT OR DELETE OR UPDATE ON stratum.audited_tables FOR EACH ROW EXECUTE FUNCTION stratum._guard_audited_tables()'),
('trigger', 'campaign_drafts.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.campaign_drafts FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''campaign_drafts'', ''{}'', ''{}'')'),
('trigger', 'campaign_drafts.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.campaign_drafts FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''campaign_drafts'')'),
('trigger', 'campaign_drafts.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.campaign_drafts FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,status,created_at,updated_at}'')'),
('trigger', 'campaigns.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''campaigns'', ''{}'', ''{}'')'),
('trigger', 'campaigns.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.campaigns FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''campaigns'')'),
('trigger', 'campaigns.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{metrics}'', ''{id,status,total_spend_cents,currency,impressions,clicks,conversions,revenue_cents,labels,created_at,updated_at,is_deleted}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_audience_syncs FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''cdp_audience_syncs'', ''{}'', ''{}'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_audience_syncs FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_audience_syncs'')'),
('trigger', 'cdp_audience_syncs.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_audience_syncs FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,sync_interval,identifier_types,is_active,profiles_synced,created_at,updated_at}'')'),
('trigger', 'cdp_events.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER DELETE OR UPDATE ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''cdp_events'', ''{}'', ''{}'')'),
('trigger', 'cdp_events.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_events FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_events'')'),
('trigger', 'cdp_events.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,properties,context,received_at}'')'),
('trigger', 'cdp_profiles.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''cdp_profiles'', ''{}'', ''{}'')'),
('trigger', 'cdp_profiles.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_profiles FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_profiles'')'),
('trigger', 'cdp_profiles.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{email,phone}'', ''{id,lifecycle_stage,traits,computed_traits,consent,created_at,updated_at}'')'),
('trigger', 'cdp_segments.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.cdp_segments FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''cdp_segments'', ''{}'', ''{}'')'),
('trigger', 'cdp_segments.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.cdp_segments FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''cdp_segments'')'),
('trigger', 'cdp_segments.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.cdp_segments FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{profile_conditions}'', ''{id,profile_count,is_active,created_at,updated_at}'')'),
('trigger', 'fact_actions_queue.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.fact_actions_queue FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''fact_actions_queue'', ''{}'', ''{}'')'),
('trigger', 'fact_actions_queue.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.fact_actions_queue FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''fact_actions_queue'')'),
('trigger', 'fact_actions_queue.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.fact_actions_queue FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,status,created_at}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.fact_signal_health_daily FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''fact_signal_health_daily'', ''{}'', ''{}'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.fact_signal_health_daily FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''fact_signal_health_daily'')'),
('trigger', 'fact_signal_health_daily.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.fact_signal_health_daily FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,issues}'')'),
('trigger', 'rules.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.rules FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''rules'', ''{}'', ''{}'')'),
('trigger', 'rules.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.rules FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''rules'')'),
('trigger', 'rules.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.rules FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{campaign_conditions}'', ''{id,status,is_enabled,executions_count,created_at,updated_at,is_deleted}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.tenant_platform_connections FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''tenant_platform_connections'', ''{}'', ''{}'')'),
('trigger', 'tenant_platform_connections.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.tenant_platform_connections FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''tenant_platform_connections'')'),
('trigger', 'tenant_platform_connections.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.tenant_platform_connections FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,is_connected,created_at,updated_at}'')'),
('trigger', 'tenants.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.tenants FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''tenants'', ''{}'', ''{}'')'),
('trigger', 'tenants.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.tenants FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''tenants'')'),
('trigger', 'tenants.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.tenants FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{}'', ''{id,plan,settings,feature_flags,max_users,max_campaigns,created_at,updated_at,is_deleted}'')'),
('trigger', 'users.zz_stratum_audit', 'CREATE TRIGGER zz_stratum_audit AFTER INSERT OR DELETE OR UPDATE ON stratum.users FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''users'', ''{}'', ''{}'')'),
('trigger', 'users.zz_stratum_audit_truncate', 'CREATE TRIGGER zz_stratum_audit_truncate AFTER TRUNCATE ON stratum.users FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(''users'')'),
('trigger', 'users.zz_stratum_mixin', 'CREATE TRIGGER zz_stratum_mixin BEFORE INSERT OR UPDATE ON stratum.users FOR EACH ROW EXECUTE FUNCTION stratum._mixin(''{email}'', ''{id,role,permissions,is_active,is_verified,is_protected,totp_enabled,failed_totp_attempts,locale,timezone,preferences,consent_marketing,consent_analytics,created_at,updated_at,is_deleted}'')'),
('type', 'ad_platform', 'meta, google, tiktok, snapchat'),
('type', 'audit_action', 'create, update, delete, login, logout, export, anonymize'),
('type', 'campaign_status', 'draft, active, paused, completed, archived'),
('type', 'rule_action', 'apply_label, send_alert, pause_campaign, adjust_budget, notify_slack, notify_whatsapp'),
('type', 'rule_status', 'active, paused, draft'),
('type', 'user_role', 'superadmin, admin, manager, analyst, viewer')
$manifest$;

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
END $$;
COMMENT ON FUNCTION stratum._isolate(text, text) IS
  'Row security of a table: one policy for everyone, one for administrators; internal.';

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
  IF has_sequence THEN
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
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT '1.0'::pg_catalog.text $$;

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
            HINT = format('Use CREATE EXTENSION stratum VERSION %L, then ALTER EXTENSION stratum UPDATE TO %L.', found_version, made);
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
  PERFORM stratum._install_cdp_events();
  PERFORM stratum._install_cdp_segments();
  PERFORM stratum._install_cdp_segment_memberships();
  PERFORM stratum._install_cdp_audience_syncs();
  PERFORM stratum._install_fact_signal_health_daily();
  PERFORM stratum._install_fact_actions_queue();
  PERFORM stratum._install_tenant_platform_connections();
  PERFORM stratum._install_campaign_drafts();
  PERFORM stratum._install_rules();
  PERFORM stratum._install_audit_logs();
  PERFORM stratum._install_audited_tables();
  PERFORM stratum._restore_audit_triggers();
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
                         CASE WHEN relforcerowsecurity THEN 'forced' END)
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
                   array_to_string(p.proconfig, '; '), md5(p.prosrc))
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
      format('ALTER EXTENSION stratum UPDATE TO %L; then ALTER EXTENSION stratum UPDATE TO %L;', storage, extension);
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
  SELECT 'role ' || o.name, 'missing', format('CREATE ROLE %I NOLOGIN; then SELECT stratum.install();', o.name)
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
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN kind = 'trigger' AND found LIKE '% DISABLED' THEN
      format('ALTER TABLE stratum.%s ENABLE TRIGGER %s;', split_part(object, '.', 1), split_part(object, '.', 2))
    WHEN kind = 'right' AND object ~ '^(SCHEMA|ROUTINE) ' THEN
      concat('REVOKE ALL ON ', regexp_replace(object, ' to (.*)$', ' FROM \1; '),
             'GRANT ' || expected || ' ON ' || object || ';')
    WHEN kind IN ('table', 'trigger', 'policy', 'right') OR (kind = 'type' AND found IS NULL)
      OR (kind = 'column' AND object LIKE '%.tenant_id' AND found IS NOT NULL) THEN 'SELECT stratum.install();'
    WHEN kind = 'function' THEN 'DROP EXTENSION stratum CASCADE; then CREATE EXTENSION stratum; (the tables stay)'
    WHEN kind = 'index' THEN
      concat(CASE WHEN found IS NOT NULL THEN 'DROP INDEX stratum.' || object || '; ' END, expected, ';')
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
    FROM stratum._storage_expected() e
      LEFT JOIN stratum._storage_found() f ON f.kind = e.kind AND f.object = e.object
    WHERE f.definition IS DISTINCT FROM e.definition
      -- audit_table() was called for one of our tables: _check_audited_tables() looks after it
      AND NOT (e.kind = 'trigger' AND stratum._is_chosen_audit(e.object))
      -- a table that is missing says enough
      AND (e.kind IN ('table', 'type', 'index', 'function') OR e.object ~ '^(SCHEMA|TYPE|ROUTINE) '
           OR to_regclass('stratum.' || quote_ident(split_part(split_part(e.object, ' ', 1), '.', 1))) IS NOT NULL)
    ORDER BY e.kind, e.object;
  RETURN QUERY SELECT r.object, r.problem, r.remedy FROM stratum._check_surplus_rights() r;
  RETURN QUERY SELECT a.object, a.problem, a.remedy FROM stratum._check_audited_tables() a;
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
        CROSS JOIN (VALUES ('zz_stratum_audit', 'insert|update|delete'), ('zz_stratum_audit_truncate', 'truncate'))
          AS x (trigger_name, operations)
        LEFT JOIN pg_trigger g ON g.tgrelid = to_regclass(t.table_name) AND g.tgname = x.trigger_name
      WHERE to_regclass(t.table_name) IS NOT NULL AND t.operations ~ x.operations
        AND (g.oid IS NULL OR g.tgenabled = 'D');
  END IF;
END $$;

-- ==== rights that are new or gone
REVOKE ALL ON FUNCTION stratum._matching_segments(bigint[], jsonb[], anyelement) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._is_valid_segment(bigint, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._is_valid_segment(bigint, text, jsonb) TO stratum_admin, stratum_app;
REVOKE ALL ON FUNCTION stratum._refreshing_tenant() FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._refresh(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION stratum._row_entries(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._row_entries(text, text, boolean) TO stratum_admin, stratum_app, stratum_auditor;
REVOKE ALL ON FUNCTION stratum._row_versions(regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum._row_versions(regclass, text) TO stratum_admin, stratum_app, stratum_auditor;

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
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '1.0'::pg_catalog.text$$;
    END IF;
    PERFORM stratum.install();
  END IF;
END $finish$;

SELECT stratum._let_go();

-- ==== members that are gone
DROP PROCEDURE stratum.scope_unique_keys();
DROP FUNCTION stratum._has_constraint(text, text);
DROP FUNCTION stratum._global_keys();
DROP FUNCTION stratum.delete_tenant(bigint, text);
DROP FUNCTION stratum._refuse_references(text, text, text, bigint, text);
DROP FUNCTION stratum._delete_rows_of_tenant(bigint, oid);
DROP FUNCTION stratum._pause_tenant_audit(bigint);
DROP FUNCTION stratum.export_tenant(bigint);
DROP FUNCTION stratum._refuse_foreign_casts();
DROP FUNCTION stratum._secret_columns(regclass);
DROP FUNCTION stratum._slug_of_tenant(bigint);
DROP FUNCTION stratum._tables_of_tenants();
DROP FUNCTION stratum.security_check();
DROP FUNCTION stratum._check_stored_settings();
DROP FUNCTION stratum._check_sequences();
DROP FUNCTION stratum._check_tenant_indexes();
DROP FUNCTION stratum._check_statistics();
DROP FUNCTION stratum._check_public_rights();
DROP FUNCTION stratum._check_definers();
DROP FUNCTION stratum._check_views();
DROP FUNCTION stratum._check_foreign_policies();
DROP FUNCTION stratum._check_policies();
DROP FUNCTION stratum._check_logins();
DROP FUNCTION stratum._tenant_relations();
DROP FUNCTION stratum._check_server(integer);
DROP FUNCTION stratum._server_faults();
DROP FUNCTION stratum._refuse_foreign_triggers(bigint);
DROP FUNCTION stratum._check_foreign_triggers();
DROP FUNCTION stratum._foreign_triggers(integer);
DROP FUNCTION stratum._is_foreign_condition(oid);
DROP FUNCTION stratum._tables_that_follow();
DROP FUNCTION stratum._check_audit_forms();
DROP FUNCTION stratum._is_other_audit_form(text);
DROP FUNCTION stratum._audit_form_misfits(regclass);
DROP FUNCTION stratum._audit_triggers_wanted(regclass, text);
DROP FUNCTION stratum._commands_to_join(text);
DROP FUNCTION stratum._refuse_data_loss(text[]);
DROP FUNCTION stratum._storage_wanted();
DROP FUNCTION stratum._install_optional_indexes();
DROP FUNCTION stratum._optional_indexes();
DROP PROCEDURE stratum.unpartition(text);
DROP PROCEDURE stratum.partition_by_month(text, boolean, integer);
DROP FUNCTION stratum._forget_at_partman(text);
DROP FUNCTION stratum._hand_to_partman(text, integer);
DROP FUNCTION stratum._notice_partitioned(text, boolean);
DROP FUNCTION stratum._is_known_to_partman(text);
DROP FUNCTION stratum._partman();
DROP FUNCTION stratum._rebuild_table(text, boolean, integer);
DROP FUNCTION stratum._fit_audit_form(regclass);
DROP FUNCTION stratum._make_twin(text, regclass, text[], boolean);
DROP FUNCTION stratum._make_first_partitions(text, regclass, text[], integer);
DROP FUNCTION stratum._behaviour_commands(text);
DROP FUNCTION stratum._index_commands(text, boolean);
DROP FUNCTION stratum._check_values(text, boolean);
DROP FUNCTION stratum._check_conversion(text, boolean);
DROP FUNCTION stratum._own_keys(regclass);
DROP FUNCTION stratum._unpartitionable(regclass, text);
DROP FUNCTION stratum._obstacles(regclass, text, boolean);
DROP FUNCTION stratum._check_partitions();
DROP FUNCTION stratum._check_leaf(regclass);
DROP FUNCTION stratum._is_unfit(text, regclass);
DROP FUNCTION stratum._partition_faults(text, regclass);
DROP FUNCTION stratum._missing_partition_policies(text, regclass);
DROP FUNCTION stratum._table_of(text, text, text);
DROP FUNCTION stratum._partitioned_form(text, text, text);
DROP FUNCTION stratum._lock_all(text);
DROP FUNCTION stratum._lock_holders(text);
DROP FUNCTION stratum._take_locks(text, integer, integer);
DROP FUNCTION stratum._locks_to_convert(text);
DROP FUNCTION stratum._locks_to_add(text[], integer, regclass[]);
DROP FUNCTION stratum._reference_partners(regclass);
DROP FUNCTION stratum.schedule_partitions(text);
DROP FUNCTION stratum.make_partitions(integer);
DROP FUNCTION stratum._make_partitions(text[], integer);
DROP FUNCTION stratum._missing_months(text, integer);
DROP FUNCTION stratum._check_months_ahead(integer);
DROP FUNCTION stratum._add_month(text, timestamptz);
DROP FUNCTION stratum._default_partition(text);
DROP FUNCTION stratum._has_rows_of(regclass, text, timestamptz);
DROP FUNCTION stratum._empty_default(text, regclass, regclass, timestamptz);
DROP FUNCTION stratum._written_columns(regclass);
DROP FUNCTION stratum._attach_month(text, regclass, timestamptz);
DROP FUNCTION stratum._make_month(text, timestamptz, text[]);
DROP FUNCTION stratum._partition_name(text, timestamptz);
DROP FUNCTION stratum._make_leaf(text, text, text[], text);
DROP FUNCTION stratum._drop_partition_policies(regclass);
DROP FUNCTION stratum._fit_partitions(regclass);
DROP FUNCTION stratum._fit_partition(text, regclass);
DROP FUNCTION stratum._has_message_key(regclass);
DROP FUNCTION stratum._put_partition_policies(text, regclass);
DROP FUNCTION stratum._put_partition_guards(text, regclass);
DROP FUNCTION stratum._revoke_everything(regclass);
DROP FUNCTION stratum._partitions(text);
DROP FUNCTION stratum._is_partitioned(text);
DROP FUNCTION stratum._time_column(text);
DROP FUNCTION stratum._partitionable();
DROP FUNCTION stratum._check_widths();
DROP FUNCTION stratum._narrow_ids();
DROP PROCEDURE stratum.widen_ids(integer);
DROP FUNCTION stratum._report_narrow_references();
DROP PROCEDURE stratum._try_step(text, integer);
DROP FUNCTION stratum._widening_step(text);
DROP FUNCTION stratum._validation_steps();
DROP FUNCTION stratum._tables_to_widen();
DROP FUNCTION stratum._size_with_partitions(regclass);
DROP FUNCTION stratum._check_dependants(text);
DROP FUNCTION stratum._set_id_width(regclass, text);
DROP FUNCTION stratum._forget_types();
DROP FUNCTION stratum._in_the_way(regclass, smallint[]);
DROP FUNCTION stratum._trigger_command(oid);
DROP FUNCTION stratum._policy_command(oid);
DROP FUNCTION stratum._fit_results(text);
DROP FUNCTION stratum._make_id_function(regprocedure, text, text);
DROP FUNCTION stratum._id_functions();
DROP FUNCTION stratum._has_wide_ids();
DROP FUNCTION stratum._id_columns();
DROP FUNCTION stratum._is_id_column(text, text, text);
DROP FUNCTION stratum._install_audit_seals();
DROP FUNCTION stratum._install_audit_chains();
DROP FUNCTION stratum._install_audit_keys();
DROP FUNCTION stratum._install_jwt_keys();
DROP FUNCTION stratum._install_action_deliveries();
DROP FUNCTION stratum._install_cdp_audience_uploads();
DROP FUNCTION stratum._install_cdp_segment_history();
DROP FUNCTION stratum._install_cdp_segment_options();
DROP FUNCTION stratum._install_cdp_profile_aliases();
DROP FUNCTION stratum.fail_action(bigint, text, text);
DROP FUNCTION stratum.complete_action(bigint, text);
DROP FUNCTION stratum._lock_claim(bigint, bigint, text);
DROP FUNCTION stratum.claim_actions(text, integer, interval);
DROP FUNCTION stratum._give_up_expired(bigint);
DROP FUNCTION stratum._max_attempts(bigint);
DROP FUNCTION stratum._check_claim(text, integer, interval);
DROP FUNCTION stratum._hand_over(bigint, bigint);
DROP FUNCTION stratum.undo_action(bigint);
DROP FUNCTION stratum._payload_platform(jsonb);
DROP FUNCTION stratum.execute_action(bigint);
DROP FUNCTION stratum._change_of(bigint, text, jsonb, jsonb);
DROP FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb);
DROP FUNCTION stratum._is_done_here(text);
DROP FUNCTION stratum.reject_action(bigint, text);
DROP FUNCTION stratum.approve_action(bigint);
DROP FUNCTION stratum._lock_action(bigint, text, text);
DROP FUNCTION stratum._keep_action();
DROP FUNCTION stratum._payload_core(jsonb, text[]);
DROP FUNCTION stratum._refuse_state(text, text);
DROP FUNCTION stratum.schedule_rules(text);
DROP PROCEDURE stratum.run_all_due_rules(timestamptz);
DROP FUNCTION stratum.run_due_rules(timestamptz);
DROP FUNCTION stratum._check_time(timestamptz);
DROP FUNCTION stratum._run_due_rules(bigint, timestamptz);
DROP FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text);
DROP FUNCTION stratum._run_if_due(bigint, bigint, timestamptz);
DROP FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz);
DROP FUNCTION stratum.evaluate_rule(bigint, boolean);
DROP FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb);
DROP FUNCTION stratum._with_outcome(jsonb, text, text, bigint);
DROP FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean);
DROP FUNCTION stratum._queued_actions(bigint, bigint, timestamptz);
DROP FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean);
DROP FUNCTION stratum._conditions_of(jsonb, text);
DROP FUNCTION stratum._explain_conditions(jsonb[], anyelement);
DROP FUNCTION stratum._check_rule();
DROP FUNCTION stratum._change_campaign(bigint, bigint, jsonb);
DROP FUNCTION stratum._action_effect(text, jsonb, jsonb);
DROP FUNCTION stratum._budget_effect(numeric, jsonb);
DROP FUNCTION stratum._campaign_state(bigint, bigint);
DROP FUNCTION stratum._ask_gate(bigint, text, text, jsonb);
DROP FUNCTION stratum._gate_action(text, jsonb);
DROP FUNCTION stratum._rule_actions(jsonb);
DROP FUNCTION stratum.validate_actions(jsonb);
DROP FUNCTION stratum._check_rule_action(jsonb, text);
DROP FUNCTION stratum._check_action(text, jsonb, text);
DROP FUNCTION stratum._check_action_keys(text, jsonb, text);
DROP FUNCTION stratum._refuse_action(text, text, text);
DROP FUNCTION stratum._schedule_job(text, text, text, text);
DROP FUNCTION stratum.next_due(text, timestamptz);
DROP FUNCTION stratum.validate_schedule(text);
DROP FUNCTION stratum.trust_gate(text, text);
DROP FUNCTION stratum._check_platform(text);
DROP FUNCTION stratum._trust(bigint, text, text);
DROP FUNCTION stratum._check_tenant_settings();
DROP FUNCTION stratum._check_trust_settings(jsonb);
DROP FUNCTION stratum._read_trust_settings(jsonb);
DROP FUNCTION stratum._trust_settings();
DROP FUNCTION stratum._keep_signal_health();
DROP FUNCTION stratum._mean_score(integer[]);
DROP FUNCTION stratum.signal_health_status(double precision);
DROP PROCEDURE stratum.purge_all_audit(timestamptz);
DROP FUNCTION stratum._purge_batch(bigint, timestamptz, bigint);
DROP FUNCTION stratum.purge_audit(timestamptz);
DROP FUNCTION stratum._check_purge(timestamptz);
DROP FUNCTION stratum._purge_chain(bigint, timestamptz, bigint);
DROP FUNCTION stratum._purgeable_rows(bigint, timestamptz, bigint);
DROP FUNCTION stratum._record_purge(bigint, timestamptz);
DROP FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz);
DROP FUNCTION stratum._any_purged_before();
DROP FUNCTION stratum._purged_before(bigint);
DROP FUNCTION stratum.export_subject(bigint);
DROP FUNCTION stratum._export_profile_tables(bigint, bigint);
DROP FUNCTION stratum.anonymize_user(bigint);
DROP FUNCTION stratum._anonymize_platform_user(bigint);
DROP FUNCTION stratum._anonymize_own_user(bigint);
DROP FUNCTION stratum._anonymize_user(bigint, bigint);
DROP FUNCTION stratum._erase_user_log(bigint);
DROP FUNCTION stratum._erase_user(bigint, bigint);
DROP FUNCTION stratum.anonymize_profile(bigint);
DROP FUNCTION stratum._forget_profile(bigint, bigint);
DROP FUNCTION stratum._erase_profile(bigint, bigint, bigint[]);
DROP FUNCTION stratum._subject_events(bigint, bigint, text);
DROP FUNCTION stratum._subject_log(bigint, bigint, bigint[]);
DROP FUNCTION stratum._profile_tables();
DROP FUNCTION stratum._erase_log(bigint, bigint[], text[], bigint[], jsonb);
DROP FUNCTION stratum._erase_sealed_rows(bigint, bigint, jsonb, jsonb);
DROP FUNCTION stratum._without_salts(bytea, bigint[]);
DROP FUNCTION stratum._erased_values(jsonb, text[]);
DROP FUNCTION stratum._payload_digest(jsonb, jsonb, jsonb, text, text, bytea);
DROP FUNCTION stratum._log_record(bigint, text, text, text, jsonb);
DROP FUNCTION stratum._pause_audit(regclass);
DROP FUNCTION stratum._open_audit_log();
DROP FUNCTION stratum.verify_audit(bigint, text);
DROP FUNCTION stratum._verify_any_audit(bigint, text);
DROP FUNCTION stratum._verify_own_audit(text);
DROP FUNCTION stratum._seal_and_verify(bigint, text);
DROP FUNCTION stratum._verify_chain(bigint, text);
DROP FUNCTION stratum.audit_head(bigint);
DROP FUNCTION stratum._any_audit_head(bigint);
DROP FUNCTION stratum._own_audit_head();
DROP FUNCTION stratum._head_of_chain(bigint);
DROP PROCEDURE stratum.seal_all_audit();
DROP FUNCTION stratum.seal_audit(bigint);
DROP FUNCTION stratum._is_own_audit(bigint);
DROP FUNCTION stratum._seal_any_audit(bigint);
DROP FUNCTION stratum._seal_own_audit();
DROP FUNCTION stratum._seal_chain(bigint);
DROP FUNCTION stratum._last_seal_id(bigint);
DROP FUNCTION stratum._chain_id(bigint);
DROP FUNCTION stratum._last_audit_id();
DROP FUNCTION stratum._audit_place();
DROP FUNCTION stratum._seal_rows(bigint, bigint, bigint, bigint, bigint, bytea, bigint, bigint);
DROP FUNCTION stratum._next_xid();
DROP FUNCTION stratum._put_auditor_policy(text);
DROP FUNCTION stratum._check_unaudited_tables();
DROP FUNCTION stratum.revert_row(regclass, text, timestamptz);
DROP FUNCTION stratum._plan_revert(regclass, text, timestamptz);
DROP FUNCTION stratum._check_not_moved(regclass, text);
DROP FUNCTION stratum._key_of(jsonb, text[], text[]);
DROP FUNCTION stratum._lock_row(regclass, text[], text[], text);
DROP FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean);
DROP FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]);
DROP FUNCTION stratum._jsonb_columns(regclass);
DROP FUNCTION stratum._revertible_columns(regclass, jsonb, text[]);
DROP FUNCTION stratum.request_changes(text);
DROP FUNCTION stratum.note_second_factor(bigint, boolean);
DROP FUNCTION stratum.sign_in_candidates(text);
DROP FUNCTION stratum.user_can(text);
DROP FUNCTION stratum._role_permissions(text);
DROP FUNCTION stratum._guard_protected_user();
DROP FUNCTION stratum.refuse_viewer();
DROP FUNCTION stratum.tenant_limits();
DROP FUNCTION stratum._limit_table(text, text);
DROP FUNCTION stratum._limit_rows();
DROP FUNCTION stratum._key_condition(regclass, text[]);
DROP FUNCTION stratum._record_audited_table(regclass);
DROP FUNCTION stratum._tell_shown_columns(regclass);
DROP FUNCTION stratum._make_audit_key();
DROP FUNCTION stratum._redacted_columns(regclass, text[]);
DROP FUNCTION stratum._has_audit_triggers(regclass);
DROP FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean);
DROP FUNCTION stratum._audit_trigger_forms();
DROP FUNCTION stratum._audited_by_row(regclass);
DROP FUNCTION stratum._audit_statement();
DROP FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval);
DROP FUNCTION stratum.set_segment_options(bigint, boolean, boolean);
DROP FUNCTION stratum._end_history(bigint, bigint);
DROP FUNCTION stratum._begin_history(bigint, bigint);
DROP FUNCTION stratum._lock_members(bigint, bigint);
DROP FUNCTION stratum.settle_segments();
DROP FUNCTION stratum._events_truncated();
DROP FUNCTION stratum._lock_live(bigint);
DROP FUNCTION stratum._note_all(bigint);
DROP FUNCTION stratum._note_options();
DROP FUNCTION stratum._note_segment();
DROP FUNCTION stratum._note_event();
DROP FUNCTION stratum._note_profile();
DROP FUNCTION stratum.publish_draft(bigint);
DROP FUNCTION stratum._check_draft();
DROP FUNCTION stratum._check_draft_data(jsonb, text);
DROP FUNCTION stratum._check_draft_platforms(jsonb);
DROP FUNCTION stratum._refuse_draft(text, text, text);
DROP FUNCTION stratum._draft_columns();
DROP FUNCTION stratum.finish_audience_sync(bigint, boolean, text, float8);
DROP FUNCTION stratum.start_audience_sync(bigint);
DROP FUNCTION stratum._lock_audience_sync(bigint, bigint);
DROP FUNCTION stratum.audience_changes(bigint);
DROP FUNCTION stratum.audience_members(bigint);
DROP FUNCTION stratum._audience_members(bigint, bigint);
DROP FUNCTION stratum._audience_identifier(text, text, jsonb);
DROP FUNCTION stratum._has_consented(jsonb, text[]);
DROP FUNCTION stratum._consent_keys(bigint);
DROP FUNCTION stratum._audience_sync(bigint, bigint);
DROP FUNCTION stratum.merge_profiles(bigint, bigint);
DROP FUNCTION stratum._hand_over_names(bigint, bigint, bigint);
DROP FUNCTION stratum._merged_object(jsonb, jsonb);
DROP FUNCTION stratum._merged_consent(jsonb, jsonb);
DROP FUNCTION stratum.ingest_event(jsonb);
DROP FUNCTION stratum.ingest_events(jsonb);
DROP FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]);
DROP FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]);
DROP FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]);
DROP FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]);
DROP FUNCTION stratum._joined_traits(jsonb, jsonb);
DROP FUNCTION stratum._reached_stage(text, boolean, text, text);
DROP FUNCTION stratum._later_stage(text, text);
DROP FUNCTION stratum._purchase_events(bigint);
DROP FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text);
DROP FUNCTION stratum._add_names(bigint, bigint, text, text, text, text);
DROP FUNCTION stratum._is_name_taken(bigint, text, text);
DROP FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]);
DROP FUNCTION stratum._notice_growth();
DROP FUNCTION stratum._lock_names(text[]);
DROP FUNCTION stratum._refresh_memberships(bigint, bigint[], jsonb[]);
DROP FUNCTION stratum._segments_changed();
DROP FUNCTION stratum._segment_profiles(bigint);
DROP FUNCTION stratum._usable_definition(bigint, bigint, text, jsonb);
DROP FUNCTION stratum._expand_segments(bigint, jsonb);
DROP FUNCTION stratum._segment_bits(jsonb[], text[], "any");
DROP FUNCTION stratum._campaign_matches_support(internal);
DROP FUNCTION stratum._traits_match_support(internal);
DROP FUNCTION stratum._segment_matches_support(internal);
DROP FUNCTION stratum._campaign_matches(jsonb, text[], "any");
DROP FUNCTION stratum._profile_matches(jsonb, text[], "any");
DROP FUNCTION stratum._campaign_columns_support(internal);
DROP FUNCTION stratum._profile_columns_support(internal);
DROP FUNCTION stratum.list_jwt_keys();
DROP FUNCTION stratum.retire_jwt_key(text, timestamptz);
DROP FUNCTION stratum.add_jwt_key(text, bytea, text, timestamptz, timestamptz);
DROP FUNCTION stratum.enter_jwt(text, text, inet, text);
DROP FUNCTION stratum.leave_session(text);
DROP FUNCTION stratum.enter_session(bigint, bigint, text);
DROP FUNCTION stratum._current_user_id();
DROP FUNCTION stratum._acting_tenant();
DROP FUNCTION stratum._refuse_transaction_block(text);
