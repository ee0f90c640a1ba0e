-- stratum.users: people who sign in, with a role; tenant_id NULL: a user of the platform itself.

CREATE FUNCTION stratum._install_users() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.users') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.users (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      email VARCHAR(255) NOT NULL,
      email_hash VARCHAR(64) NOT NULL CHECK (email_hash ~ '^[0-9a-fA-F]{64}$'),
      password_hash VARCHAR(255) NOT NULL,

      full_name VARCHAR(255),
      phone VARCHAR(100),
      avatar_url VARCHAR(500),

      role stratum.user_role DEFAULT 'analyst',
      permissions JSONB DEFAULT '{}',

      is_active BOOLEAN DEFAULT TRUE,
      is_verified BOOLEAN DEFAULT FALSE,
      is_protected BOOLEAN DEFAULT FALSE,
      last_login_at TIMESTAMP WITH TIME ZONE,

      totp_secret VARCHAR(255),
      totp_enabled BOOLEAN DEFAULT FALSE,
      totp_verified_at TIMESTAMP WITH TIME ZONE,
      backup_codes JSONB,
      failed_totp_attempts INTEGER DEFAULT 0 CHECK (failed_totp_attempts >= 0),
      totp_lockout_until TIMESTAMP WITH TIME ZONE,

      locale VARCHAR(10) DEFAULT 'en',
      timezone VARCHAR(50) DEFAULT 'UTC',
      preferences JSONB DEFAULT '{}',

      consent_marketing BOOLEAN DEFAULT FALSE,
      consent_analytics BOOLEAN DEFAULT TRUE,
      gdpr_anonymized_at TIMESTAMP WITH TIME ZONE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE,
      deleted_at TIMESTAMP WITH TIME ZONE,

      UNIQUE (tenant_id, email_hash),
      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_users_email_hash ON stratum.users (email_hash);
    CREATE INDEX ix_users_tenant_active ON stratum.users (tenant_id, is_active, is_deleted);
    CREATE UNIQUE INDEX ix_users_platform_email_hash ON stratum.users (email_hash) WHERE tenant_id IS NULL;

    COMMENT ON TABLE stratum.users IS 'People who sign in, with a role; tenant_id NULL: a user of the platform itself.';
    COMMENT ON COLUMN stratum.users.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.users.tenant_id IS 'Tenant of the user; NULL: the platform''s own.';
    COMMENT ON COLUMN stratum.users.email IS 'E-mail address, plain or encrypted by the client.';
    COMMENT ON COLUMN stratum.users.email_hash IS 'SHA-256 of the normalised address, for look-ups; filled by stratum for a plain address.';
    COMMENT ON COLUMN stratum.users.password_hash IS 'Password hash of the client; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.full_name IS 'Full name.';
    COMMENT ON COLUMN stratum.users.phone IS 'Telephone number.';
    COMMENT ON COLUMN stratum.users.avatar_url IS 'Address of a picture.';
    COMMENT ON COLUMN stratum.users.role IS 'Role.';
    COMMENT ON COLUMN stratum.users.permissions IS 'Rights beyond the role.';
    COMMENT ON COLUMN stratum.users.is_active IS 'Only active users can be entered.';
    COMMENT ON COLUMN stratum.users.is_verified IS 'The address was confirmed.';
    COMMENT ON COLUMN stratum.users.is_protected IS 'Not to be deleted or demoted.';
    COMMENT ON COLUMN stratum.users.last_login_at IS 'Last sign-in; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.users.totp_secret IS 'Secret of the second factor; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.totp_enabled IS 'A second factor is asked for.';
    COMMENT ON COLUMN stratum.users.totp_verified_at IS 'When the second factor was set up.';
    COMMENT ON COLUMN stratum.users.backup_codes IS 'Codes that replace the second factor; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.users.failed_totp_attempts IS 'Failed second factors in a row.';
    COMMENT ON COLUMN stratum.users.totp_lockout_until IS 'No second factor is accepted before this time.';
    COMMENT ON COLUMN stratum.users.locale IS 'Language.';
    COMMENT ON COLUMN stratum.users.timezone IS 'Time zone name.';
    COMMENT ON COLUMN stratum.users.preferences IS 'Preferences of the user.';
    COMMENT ON COLUMN stratum.users.consent_marketing IS 'Agreed to marketing messages.';
    COMMENT ON COLUMN stratum.users.consent_analytics IS 'Agreed to analytics.';
    COMMENT ON COLUMN stratum.users.gdpr_anonymized_at IS 'When the person was anonymised.';
    COMMENT ON COLUMN stratum.users.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.users.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.users.is_deleted IS 'Soft delete.';
    COMMENT ON COLUMN stratum.users.deleted_at IS 'When is_deleted became true; kept by stratum.';
    COMMENT ON INDEX stratum.ix_users_email_hash IS 'Look-up at sign-in.';
    COMMENT ON INDEX stratum.ix_users_tenant_active IS 'Active users of a tenant.';
    COMMENT ON INDEX stratum.ix_users_platform_email_hash IS 'One platform user an address, which UNIQUE (tenant_id, email_hash) does not say for NULL.';
    COMMENT ON SEQUENCE stratum.users_id_seq IS 'Numbers the rows of stratum.users, for all tenants together.';
    PERFORM stratum._comment_constraints('users');
  END IF;

  ALTER TABLE stratum.users ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('users', '{email}',
    '{id,role,permissions,is_active,is_verified,is_protected,totp_enabled,failed_totp_attempts,
      locale,timezone,preferences,consent_marketing,consent_analytics,created_at,updated_at,
      is_deleted}');
  PERFORM stratum._audit_stratum_table('users', 'insert,update,delete,truncate');
  PERFORM stratum._limit_table('users', 'max_users');
  PERFORM stratum._put_trigger(
    'stratum.users', 'zz_stratum_protected',
    'AFTER UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._guard_protected_user()',
    'A protected user is not deleted or demoted by the application.');
  PERFORM stratum._isolate('users', 'tenant_id');
  PERFORM stratum._give_rights('users', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_users() IS
  'Creates stratum.users where it is missing and puts its default, triggers, policies and rights back; internal to install().';
