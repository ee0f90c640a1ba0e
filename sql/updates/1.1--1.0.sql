-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them asks stratum._refuse_data_loss() first; so far there is none.

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
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
