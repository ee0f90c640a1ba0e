-- stratum.cdp_segment_history: when profiles entered and left the segments that keep a history.

CREATE FUNCTION stratum._install_cdp_segment_history() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segment_history') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segment_history (
      id BIGSERIAL PRIMARY KEY,
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      segment_id INTEGER NOT NULL,
      profile_id INTEGER NOT NULL,

      entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
      left_at TIMESTAMP WITH TIME ZONE CHECK (left_at >= entered_at),

      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE,
      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE
    );

    CREATE UNIQUE INDEX ix_cdp_segment_history_present ON stratum.cdp_segment_history (tenant_id, segment_id, profile_id)
      WHERE left_at IS NULL;
    CREATE INDEX ix_cdp_segment_history_entered ON stratum.cdp_segment_history (tenant_id, segment_id, entered_at);
    CREATE INDEX ix_cdp_segment_history_profile ON stratum.cdp_segment_history (tenant_id, profile_id);

    COMMENT ON TABLE stratum.cdp_segment_history IS 'Stays of profiles in the segments that keep a history; written with the memberships only.';
    COMMENT ON COLUMN stratum.cdp_segment_history.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_segment_history.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segment_history.segment_id IS 'Segment.';
    COMMENT ON COLUMN stratum.cdp_segment_history.profile_id IS 'Profile that was in it.';
    COMMENT ON COLUMN stratum.cdp_segment_history.entered_at IS 'When it came in.';
    COMMENT ON COLUMN stratum.cdp_segment_history.left_at IS 'When it left; NULL while it is in.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_present IS 'Stays that last: one for each member.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_entered IS 'Stays of a segment by their beginning.';
    COMMENT ON INDEX stratum.ix_cdp_segment_history_profile IS 'Stays of a profile.';
    COMMENT ON SEQUENCE stratum.cdp_segment_history_id_seq IS 'Numbers the rows of stratum.cdp_segment_history, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_segment_history');
  END IF;

  ALTER TABLE stratum.cdp_segment_history ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('cdp_segment_history', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segment_history', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segment_history() IS
  'Creates stratum.cdp_segment_history where it is missing and puts its default, triggers, policies and rights back; internal to install().';
