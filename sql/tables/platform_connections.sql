-- stratum.tenant_platform_connections: connections to ad platforms.

CREATE FUNCTION stratum._install_tenant_platform_connections() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.tenant_platform_connections') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.tenant_platform_connections (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      platform stratum.ad_platform NOT NULL,

      access_token TEXT,
      refresh_token TEXT,
      token_expires_at TIMESTAMP WITH TIME ZONE,

      is_connected BOOLEAN DEFAULT FALSE,
      last_verified_at TIMESTAMP WITH TIME ZONE,
      connection_error TEXT,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, platform)
    );

    COMMENT ON TABLE stratum.tenant_platform_connections IS 'Connections to ad platforms.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.access_token IS 'OAuth token, encrypted by the client; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.refresh_token IS 'OAuth token, encrypted by the client; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.token_expires_at IS 'When the access token ends.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.is_connected IS 'The connection works.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.last_verified_at IS 'When it was last tried.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.connection_error IS 'Why it does not work.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.tenant_platform_connections.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON SEQUENCE stratum.tenant_platform_connections_id_seq IS 'Numbers the rows of stratum.tenant_platform_connections, for all tenants together.';
    PERFORM stratum._comment_constraints('tenant_platform_connections');
  END IF;

  ALTER TABLE stratum.tenant_platform_connections ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('tenant_platform_connections', '{}',
    '{id,is_connected,created_at,updated_at}');
  PERFORM stratum._audit_stratum_table('tenant_platform_connections', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('tenant_platform_connections', 'tenant_id');
  PERFORM stratum._give_rights('tenant_platform_connections', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_tenant_platform_connections() IS
  'Creates stratum.tenant_platform_connections where it is missing and puts its default, triggers, policies and rights back; internal to install().';
