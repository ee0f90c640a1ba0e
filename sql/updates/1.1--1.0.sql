-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them asks stratum._refuse_data_loss() first; so far there is none.

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
END IF;

-- The seals prove nothing without the functions that read them, but nobody can make them again.
IF to_regclass('stratum.audit_seals') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.audit_seals) THEN
    PERFORM stratum._refuse_data_loss('the seals of the audit trail');
  END IF;
END IF;
DROP TABLE IF EXISTS stratum.audit_seals, stratum.audit_chains;
