-- stratum.cdp_audience_uploads: what ad platforms have been given, so that they can be given the differences.

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
