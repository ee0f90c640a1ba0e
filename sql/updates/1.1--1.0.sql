-- Undoes what 1.1 has added to the storage. Each step is guarded, so that it can run again after a restore. One that
-- drops rows or columns with data in them asks stratum._refuse_data_loss() first.

-- Indexes and triggers are no data.
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_tenant_traits;
DROP INDEX IF EXISTS stratum.ix_cdp_events_profile_name;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_external_id;
DROP INDEX IF EXISTS stratum.ix_cdp_profiles_anonymous_id;

IF to_regclass('stratum.cdp_segments') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_segments_changed ON stratum.cdp_segments;
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_segments;
END IF;
IF to_regclass('stratum.cdp_profiles') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_profiles;
END IF;
IF to_regclass('stratum.cdp_events') IS NOT NULL THEN
  DROP TRIGGER IF EXISTS zz_stratum_live ON stratum.cdp_events;
  DROP TRIGGER IF EXISTS zz_stratum_live_truncate ON stratum.cdp_events;
END IF;

-- Who is in a segment stays; that it was kept live, and since when, goes.
IF to_regclass('stratum.cdp_segment_history') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.cdp_segment_history) THEN
    PERFORM stratum._refuse_data_loss('the history of segments');
  END IF;
  DROP TABLE stratum.cdp_segment_history;
END IF;
IF to_regclass('stratum.cdp_segment_options') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.cdp_segment_options o WHERE o.is_live OR o.keeps_history) THEN
    PERFORM stratum._refuse_data_loss('which segments are live or keep a history');
  END IF;
  DROP TABLE stratum.cdp_segment_options;
END IF;

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

IF to_regclass('stratum.jwt_keys') IS NOT NULL THEN
  IF EXISTS (SELECT FROM stratum.jwt_keys) THEN
    PERFORM stratum._refuse_data_loss('the keys of stratum.jwt_keys');
  END IF;
  DROP TABLE stratum.jwt_keys;
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
