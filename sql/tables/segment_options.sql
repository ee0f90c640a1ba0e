-- stratum.cdp_segment_options: which segments are kept live, and which keep a history.

CREATE FUNCTION stratum._install_cdp_segment_options() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_segment_options') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_segment_options (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      segment_id INTEGER NOT NULL,
      is_live BOOLEAN NOT NULL DEFAULT FALSE,
      keeps_history BOOLEAN NOT NULL DEFAULT FALSE,

      PRIMARY KEY (tenant_id, segment_id),
      FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE
    );

    COMMENT ON TABLE stratum.cdp_segment_options IS 'Which segments are kept live, and which keep a history; written by set_segment_options() only. No row: neither.';
    COMMENT ON COLUMN stratum.cdp_segment_options.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_segment_options.segment_id IS 'Segment.';
    COMMENT ON COLUMN stratum.cdp_segment_options.is_live IS 'Every write of a profile or an event keeps its memberships current.';
    COMMENT ON COLUMN stratum.cdp_segment_options.keeps_history IS 'When profiles enter and leave is kept in stratum.cdp_segment_history.';
    PERFORM stratum._comment_constraints('cdp_segment_options');
  END IF;

  ALTER TABLE stratum.cdp_segment_options ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._put_trigger(
    'stratum.cdp_segment_options', 'zz_stratum_segments_changed',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._segments_changed()',
    'Sessions forget the definitions that they keep.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_segment_options', 'zz_stratum_live',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_options()',
    'Members of a segment that becomes live are found at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_segment_options', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('cdp_segment_options', 'tenant_id');
  PERFORM stratum._give_rights('cdp_segment_options', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_segment_options() IS
  'Creates stratum.cdp_segment_options where it is missing and puts its default, triggers, policies and rights back; internal to install().';
