-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them asks stratum._refuse_data_loss() first.

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_external_id;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_anonymous_id;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
END IF;

IF to_regclass('stratum.cdp_profile_aliases') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.cdp_profile_aliases) THEN
    PERFORM stratum._refuse_data_loss('the other names of profiles in stratum.cdp_profile_aliases');
  END IF;
  DROP TABLE stratum.cdp_profile_aliases;
END IF;

IF to_regclass('stratum.cdp_audience_uploads') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.cdp_audience_uploads) THEN
    PERFORM stratum._refuse_data_loss('what ad platforms have been given, in stratum.cdp_audience_uploads');
  END IF;
  DROP TABLE stratum.cdp_audience_uploads;
END IF;
IF to_regclass('stratum.cdp_audience_syncs') IS NOT NULL THEN
  ALTER TABLE stratum.cdp_audience_syncs DROP CONSTRAINT IF EXISTS cdp_audience_syncs_tenant_id_id_key;
END IF;
IF to_regclass('stratum.campaign_drafts') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_draft ON stratum.campaign_drafts;
END IF;

-- What widen_ids() has done: 1.0 knows integer ids only.
PERFORM stratum._narrow_ids();
