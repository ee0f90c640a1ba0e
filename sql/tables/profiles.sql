-- stratum.cdp_profiles: unified customer profiles.

CREATE FUNCTION stratum._install_cdp_profiles() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_profiles') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_profiles (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      canonical_id UUID UNIQUE NOT NULL,
      anonymous_id VARCHAR(255),
      external_id VARCHAR(255),

      email VARCHAR(255),
      email_hash VARCHAR(64) CHECK (email_hash ~ '^[0-9a-fA-F]{64}$'),
      phone VARCHAR(100),
      phone_hash VARCHAR(64) CHECK (phone_hash ~ '^[0-9a-fA-F]{64}$'),

      first_name VARCHAR(255),
      last_name VARCHAR(255),

      lifecycle_stage VARCHAR(50) DEFAULT 'anonymous',
      first_seen_at TIMESTAMP WITH TIME ZONE,
      last_seen_at TIMESTAMP WITH TIME ZONE,

      traits JSONB DEFAULT '{}',
      computed_traits JSONB DEFAULT '{}',

      consent JSONB DEFAULT '{}',

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id),
      UNIQUE (tenant_id, canonical_id)
    ) WITH (fillfactor = 85);  -- room for a new version in the same page: every event moves last_seen_at, which no index holds

    CREATE INDEX ix_cdp_profiles_tenant ON stratum.cdp_profiles (tenant_id);
    CREATE INDEX ix_cdp_profiles_email_hash ON stratum.cdp_profiles (tenant_id, email_hash);
    CREATE INDEX ix_cdp_profiles_lifecycle ON stratum.cdp_profiles (tenant_id, lifecycle_stage);
    CREATE INDEX ix_profiles_traits ON stratum.cdp_profiles USING GIN (traits);

    COMMENT ON TABLE stratum.cdp_profiles IS 'Unified customer profiles.';
    COMMENT ON COLUMN stratum.cdp_profiles.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_profiles.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_profiles.canonical_id IS 'Id of the person across systems, made by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.anonymous_id IS 'Id before the person was known.';
    COMMENT ON COLUMN stratum.cdp_profiles.external_id IS 'Id in the client''s own system.';
    COMMENT ON COLUMN stratum.cdp_profiles.email IS 'E-mail address, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.email_hash IS 'SHA-256 of the normalised address; filled by stratum for a plain address.';
    COMMENT ON COLUMN stratum.cdp_profiles.phone IS 'Telephone number, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.cdp_profiles.phone_hash IS 'SHA-256 of the digits; filled by stratum for a plain number.';
    COMMENT ON COLUMN stratum.cdp_profiles.first_name IS 'First name.';
    COMMENT ON COLUMN stratum.cdp_profiles.last_name IS 'Last name.';
    COMMENT ON COLUMN stratum.cdp_profiles.lifecycle_stage IS 'Stage: anonymous, lead, customer, ...';
    COMMENT ON COLUMN stratum.cdp_profiles.first_seen_at IS 'First contact.';
    COMMENT ON COLUMN stratum.cdp_profiles.last_seen_at IS 'Last contact.';
    COMMENT ON COLUMN stratum.cdp_profiles.traits IS 'What the client knows of the person; field trait.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.computed_traits IS 'What was computed of the person; field computed.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.consent IS 'What the person agreed to; field consent.<path> in segments.';
    COMMENT ON COLUMN stratum.cdp_profiles.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_profiles.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_tenant IS 'Profiles of a tenant.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_email_hash IS 'Look-up by address.';
    COMMENT ON INDEX stratum.ix_cdp_profiles_lifecycle IS 'Profiles of a tenant by stage.';
    COMMENT ON INDEX stratum.ix_profiles_traits IS 'Containment in traits.';
    COMMENT ON SEQUENCE stratum.cdp_profiles_id_seq IS 'Numbers the rows of stratum.cdp_profiles, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_profiles');
  END IF;

  -- since 1.1
  IF to_regclass('stratum.ix_cdp_profiles_external_id') IS NULL THEN
    CREATE INDEX ix_cdp_profiles_external_id ON stratum.cdp_profiles (tenant_id, external_id);
    COMMENT ON INDEX stratum.ix_cdp_profiles_external_id IS 'Look-up by the client''s own id.';
  END IF;
  IF to_regclass('stratum.ix_cdp_profiles_anonymous_id') IS NULL THEN
    CREATE INDEX ix_cdp_profiles_anonymous_id ON stratum.cdp_profiles (tenant_id, anonymous_id);
    COMMENT ON INDEX stratum.ix_cdp_profiles_anonymous_id IS 'Look-up by the id of a device.';
  END IF;

  ALTER TABLE stratum.cdp_profiles ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_profiles', '{email,phone}',
    '{id,lifecycle_stage,traits,computed_traits,consent,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_profiles', 'zz_stratum_live',
    'AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_profile()',
    'Live memberships of the profile are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_profiles', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_profiles', 'tenant_id');
  PERFORM stratum._give_rights('cdp_profiles', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_profiles() IS
  'Creates stratum.cdp_profiles where it is missing and puts its default, triggers, policies and rights back; internal to install().';
