-- stratum.tenants: customers of the platform; every other row belongs to one of them.

CREATE FUNCTION stratum._install_tenants() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.tenants') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.tenants (
      id SERIAL PRIMARY KEY,
      name VARCHAR(255) NOT NULL,
      slug VARCHAR(100) UNIQUE NOT NULL,
      domain VARCHAR(255),

      plan VARCHAR(50) DEFAULT 'free',
      plan_expires_at TIMESTAMP WITH TIME ZONE,
      stripe_customer_id VARCHAR(255),

      settings JSONB DEFAULT '{}',
      feature_flags JSONB DEFAULT '{}',

      max_users INTEGER DEFAULT 5 CHECK (max_users >= 0),
      max_campaigns INTEGER DEFAULT 50 CHECK (max_campaigns >= 0),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,
      deleted_at TIMESTAMP WITH TIME ZONE
    );

    CREATE INDEX ix_tenants_slug ON stratum.tenants (slug);
    CREATE INDEX ix_tenants_active ON stratum.tenants (is_deleted, plan);

    COMMENT ON TABLE stratum.tenants IS 'Customers of the platform; every other row belongs to one of them.';
    COMMENT ON COLUMN stratum.tenants.id IS 'Identifier; shared by all tenants'' counting, so gaps are normal.';
    COMMENT ON COLUMN stratum.tenants.name IS 'Name of the company. The tenant may change it.';
    COMMENT ON COLUMN stratum.tenants.slug IS 'Short unique name for addresses.';
    COMMENT ON COLUMN stratum.tenants.domain IS 'Web domain of the company. The tenant may change it.';
    COMMENT ON COLUMN stratum.tenants.plan IS 'Subscription plan.';
    COMMENT ON COLUMN stratum.tenants.plan_expires_at IS 'When the plan ends; NULL: never.';
    COMMENT ON COLUMN stratum.tenants.stripe_customer_id IS 'Customer id at the payment provider.';
    COMMENT ON COLUMN stratum.tenants.settings IS 'Preferences of the tenant, which may change them.';
    COMMENT ON COLUMN stratum.tenants.feature_flags IS 'Features switched on or off by the platform.';
    COMMENT ON COLUMN stratum.tenants.max_users IS 'Most users the plan allows.';
    COMMENT ON COLUMN stratum.tenants.max_campaigns IS 'Most campaigns the plan allows.';
    COMMENT ON COLUMN stratum.tenants.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.tenants.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.tenants.is_deleted IS 'Soft delete: nobody can enter a deleted tenant.';
    COMMENT ON COLUMN stratum.tenants.deleted_at IS 'When is_deleted became true; kept by stratum.';
    COMMENT ON INDEX stratum.ix_tenants_slug IS 'Look-up by slug.';
    COMMENT ON INDEX stratum.ix_tenants_active IS 'Active tenants by plan.';
    COMMENT ON SEQUENCE stratum.tenants_id_seq IS 'Numbers the rows of stratum.tenants, for all tenants together.';
    PERFORM stratum._comment_constraints('tenants');
  END IF;

  PERFORM stratum._attach_mixin('tenants', '{}',
    '{id,plan,settings,feature_flags,max_users,max_campaigns,created_at,updated_at,is_deleted}');
  PERFORM stratum._put_trigger(
    'stratum.tenants', 'zz_stratum_check',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_tenant_settings()',
    'Settings that mean nothing are refused.');
  PERFORM stratum._audit_stratum_table('tenants', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('tenants', 'id');
  PERFORM stratum._give_rights('tenants', is_new, 'SELECT, UPDATE (name, domain, settings, updated_at)',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_tenants() IS
  'Creates stratum.tenants where it is missing and puts its default, triggers, policies and rights back; internal to install().';
