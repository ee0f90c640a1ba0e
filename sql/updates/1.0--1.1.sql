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
