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
