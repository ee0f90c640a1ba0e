-- stratum.cdp_audience_syncs: segments that are uploaded to an ad platform as audiences.

CREATE FUNCTION stratum._install_cdp_audience_syncs() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_audience_syncs') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_audience_syncs (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      segment_id INTEGER,

      platform stratum.ad_platform NOT NULL,
      platform_audience_id VARCHAR(255),

      name VARCHAR(255) NOT NULL,
      sync_interval VARCHAR(50) DEFAULT 'daily',
      identifier_types JSONB DEFAULT '["email"]',

      is_active BOOLEAN DEFAULT TRUE,
      last_sync_at TIMESTAMP WITH TIME ZONE,
      last_sync_status VARCHAR(50),
      last_sync_error TEXT,

      profiles_synced INTEGER DEFAULT 0 CHECK (profiles_synced >= 0),
      match_rate FLOAT CHECK (match_rate >= 0),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id),
      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_cdp_audience_syncs_segment ON stratum.cdp_audience_syncs (tenant_id, segment_id);

    COMMENT ON TABLE stratum.cdp_audience_syncs IS 'Segments that are uploaded to an ad platform as audiences.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.segment_id IS 'Segment that is uploaded.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.platform_audience_id IS 'Id of the audience at the platform.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.name IS 'Name of the audience.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.sync_interval IS 'How often it is uploaded.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.identifier_types IS 'Identifiers that are sent, an array of strings.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.is_active IS 'Whether it is uploaded at all.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_at IS 'Last upload.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_status IS 'How the last upload ended.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.last_sync_error IS 'Why the last upload failed.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.profiles_synced IS 'Profiles in the last upload.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.match_rate IS 'Share that the platform recognised, as it reports it.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_audience_syncs.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_cdp_audience_syncs_segment IS 'Uploads of a segment.';
    COMMENT ON SEQUENCE stratum.cdp_audience_syncs_id_seq IS 'Numbers the rows of stratum.cdp_audience_syncs, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_audience_syncs');
  END IF;

  ALTER TABLE stratum.cdp_audience_syncs ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_audience_syncs', '{}',
    '{id,sync_interval,identifier_types,is_active,profiles_synced,created_at,updated_at}');
  PERFORM stratum._audit_stratum_table('cdp_audience_syncs', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_audience_syncs', 'tenant_id');
  PERFORM stratum._give_rights('cdp_audience_syncs', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_audience_syncs() IS
  'Creates stratum.cdp_audience_syncs where it is missing and puts its default, triggers, policies and rights back; internal to install().';
