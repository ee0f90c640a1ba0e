-- stratum.cdp_profile_aliases: other names of profiles: of those merged into them, and of further devices.

CREATE FUNCTION stratum._install_cdp_profile_aliases() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_profile_aliases') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_profile_aliases (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      kind TEXT NOT NULL CHECK (kind = ANY ('{canonical_id,email_hash,external_id,anonymous_id}'::text[])),
      value TEXT NOT NULL,
      profile_id INTEGER NOT NULL,
      created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),

      PRIMARY KEY (tenant_id, kind, value),
      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE
    );

    CREATE INDEX ix_cdp_profile_aliases_profile ON stratum.cdp_profile_aliases (tenant_id, profile_id);

    COMMENT ON TABLE stratum.cdp_profile_aliases IS 'Other names of profiles: of those merged into them, and of further devices.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.kind IS 'Column of cdp_profiles that the value would be in.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.value IS 'The name.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.profile_id IS 'Profile that it stands for.';
    COMMENT ON COLUMN stratum.cdp_profile_aliases.created_at IS 'When it was learnt.';
    COMMENT ON INDEX stratum.ix_cdp_profile_aliases_profile IS 'Other names of a profile.';
    PERFORM stratum._comment_constraints('cdp_profile_aliases');
  END IF;

  ALTER TABLE stratum.cdp_profile_aliases ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  -- A name is part of the key, and no erasure changes a resource_id.
  PERFORM stratum._put_audit_triggers('stratum.cdp_profile_aliases', '{value}', '{}', 'update,delete,truncate');
  PERFORM stratum._isolate('cdp_profile_aliases', 'tenant_id');
  PERFORM stratum._give_rights('cdp_profile_aliases', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_profile_aliases() IS
  'Creates stratum.cdp_profile_aliases where it is missing and puts its default, triggers, policies and rights back; internal to install().';
