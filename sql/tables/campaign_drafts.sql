-- stratum.campaign_drafts: campaigns before they are published.

CREATE FUNCTION stratum._install_campaign_drafts() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.campaign_drafts') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.campaign_drafts (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      created_by_id INTEGER,

      name VARCHAR(500) NOT NULL,
      platforms JSONB NOT NULL,

      data JSONB NOT NULL,

      status VARCHAR(50) DEFAULT 'draft',

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, created_by_id) REFERENCES stratum.users (tenant_id, id)
    );

    CREATE INDEX ix_campaign_drafts_created_by ON stratum.campaign_drafts (tenant_id, created_by_id);

    COMMENT ON TABLE stratum.campaign_drafts IS 'Campaigns before they are published.';
    COMMENT ON COLUMN stratum.campaign_drafts.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.campaign_drafts.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.campaign_drafts.created_by_id IS 'User who made it, of the same tenant.';
    COMMENT ON COLUMN stratum.campaign_drafts.name IS 'Name of the campaign.';
    COMMENT ON COLUMN stratum.campaign_drafts.platforms IS 'Platforms to publish to, an array of strings.';
    COMMENT ON COLUMN stratum.campaign_drafts.data IS 'Settings of the campaign.';
    COMMENT ON COLUMN stratum.campaign_drafts.status IS 'Status.';
    COMMENT ON COLUMN stratum.campaign_drafts.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.campaign_drafts.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_campaign_drafts_created_by IS 'Drafts of a user.';
    COMMENT ON SEQUENCE stratum.campaign_drafts_id_seq IS 'Numbers the rows of stratum.campaign_drafts, for all tenants together.';
    PERFORM stratum._comment_constraints('campaign_drafts');
  END IF;

  ALTER TABLE stratum.campaign_drafts ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('campaign_drafts', '{}',
    '{id,status,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.campaign_drafts', 'zz_stratum_draft',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_draft()',
    'Refuses platforms and data that cannot become campaigns.');
  PERFORM stratum._audit_stratum_table('campaign_drafts', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('campaign_drafts', 'tenant_id');
  PERFORM stratum._give_rights('campaign_drafts', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_campaign_drafts() IS
  'Creates stratum.campaign_drafts where it is missing and puts its default, triggers, policies and rights back; internal to install().';
