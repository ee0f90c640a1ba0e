-- stratum.cdp_segments: dynamic customer segments: a definition, evaluated over profiles.

CREATE FUNCTION stratum._install_cdp_segments() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segments') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segments (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      name VARCHAR(255) NOT NULL,
      description TEXT,
      slug VARCHAR(100),

      conditions JSONB NOT NULL,

      profile_count INTEGER DEFAULT 0 CHECK (profile_count >= 0),
      last_computed_at TIMESTAMP WITH TIME ZONE,

      is_active BOOLEAN DEFAULT TRUE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id)
    );

    COMMENT ON TABLE stratum.cdp_segments IS 'Dynamic customer segments: a definition, evaluated over profiles.';
    COMMENT ON COLUMN stratum.cdp_segments.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_segments.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segments.name IS 'Name of the segment.';
    COMMENT ON COLUMN stratum.cdp_segments.description IS 'What it is for.';
    COMMENT ON COLUMN stratum.cdp_segments.slug IS 'Short name for addresses.';
    COMMENT ON COLUMN stratum.cdp_segments.conditions IS 'Definition in the condition language; checked when written.';
    COMMENT ON COLUMN stratum.cdp_segments.profile_count IS 'Members at the last refresh; kept by refresh_segment().';
    COMMENT ON COLUMN stratum.cdp_segments.last_computed_at IS 'Time of the last refresh; kept by refresh_segment().';
    COMMENT ON COLUMN stratum.cdp_segments.is_active IS 'refresh_segments() takes active ones.';
    COMMENT ON COLUMN stratum.cdp_segments.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.cdp_segments.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON SEQUENCE stratum.cdp_segments_id_seq IS 'Numbers the rows of stratum.cdp_segments, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_segments');
  END IF;

  ALTER TABLE stratum.cdp_segments ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_segments', '{profile_conditions}',
    '{id,profile_count,is_active,created_at,updated_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segments', 'zz_stratum_segments_changed',
    'AFTER INSERT OR DELETE OR UPDATE OF id, tenant_id, slug, conditions, is_active ON %s'
      || ' FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()',
    'Sessions forget the definitions that they keep.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segments', 'zz_stratum_live',
    'AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_segment()',
    'Live segments that depend on it are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_segments', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_segments', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segments', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segments() IS
  'Creates stratum.cdp_segments where it is missing and puts its default, triggers, policies and rights back; internal to install().';
