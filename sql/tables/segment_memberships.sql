-- stratum.cdp_segment_memberships: who is in a segment now; written by the refresh functions only.

CREATE FUNCTION stratum._install_cdp_segment_memberships() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segment_memberships') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segment_memberships (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      segment_id INTEGER NOT NULL,
      profile_id INTEGER NOT NULL,
      added_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),

      PRIMARY KEY (tenant_id, segment_id, profile_id),
      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE,
      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE
    );

    CREATE INDEX ix_cdp_segment_memberships_profile ON stratum.cdp_segment_memberships (tenant_id, profile_id);

    COMMENT ON TABLE stratum.cdp_segment_memberships IS 'Who is in a segment now; written by the refresh functions only.';
    COMMENT ON COLUMN stratum.cdp_segment_memberships.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segment_memberships.segment_id IS 'Segment.';
    COMMENT ON COLUMN stratum.cdp_segment_memberships.profile_id IS 'Member.';
    COMMENT ON COLUMN stratum.cdp_segment_memberships.added_at IS 'When the profile came in.';
    COMMENT ON INDEX stratum.ix_cdp_segment_memberships_profile IS 'Segments of a profile.';
    PERFORM stratum._comment_constraints('cdp_segment_memberships');
  END IF;

  ALTER TABLE stratum.cdp_segment_memberships ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('cdp_segment_memberships', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segment_memberships', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segment_memberships() IS
  'Creates stratum.cdp_segment_memberships where it is missing and puts its default, triggers, policies and rights back; internal to install().';
