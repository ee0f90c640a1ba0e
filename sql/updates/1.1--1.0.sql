-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them asks stratum._refuse_data_loss() first.

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
END IF;

IF to_regclass('stratum.rules') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_check ON stratum.rules;
END IF;
IF to_regclass('stratum.tenants') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_check ON stratum.tenants;
END IF;
IF to_regclass('stratum.fact_signal_health_daily') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_signals ON stratum.fact_signal_health_daily;
END IF;
IF to_regclass('stratum.fact_actions_queue') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_state ON stratum.fact_actions_queue;
END IF;

IF to_regclass('stratum.action_deliveries') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.action_deliveries) THEN
    PERFORM stratum._refuse_data_loss('what workers have been handed');
  END IF;
  DROP TABLE stratum.action_deliveries;
END IF;
