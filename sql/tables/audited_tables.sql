-- stratum.audited_tables: the user's own tables that audit_table() was called for.

CREATE FUNCTION stratum._install_audited_tables() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audited_tables') IS NULL;
BEGIN
  IF is_new THEN
    -- By name, not by OID: a dump keeps names, and adoption puts the triggers back by them.
    CREATE TABLE stratum.audited_tables (
      table_name TEXT PRIMARY KEY,
      redact TEXT[] NOT NULL DEFAULT '{}',
      ignore TEXT[] NOT NULL DEFAULT '{}',
      operations TEXT NOT NULL DEFAULT 'insert,update,delete,truncate'
    );

    COMMENT ON TABLE stratum.audited_tables IS 'The user''s own tables that are audited; kept by audit_table() and unaudit_table().';
    COMMENT ON COLUMN stratum.audited_tables.table_name IS 'Schema and name, quoted as SQL wants them.';
    COMMENT ON COLUMN stratum.audited_tables.redact IS 'Columns whose values read "[REDACTED]" in the trail.';
    COMMENT ON COLUMN stratum.audited_tables.ignore IS 'Columns whose change alone is not logged.';
    COMMENT ON COLUMN stratum.audited_tables.operations IS 'What is logged: insert, update, delete, truncate, with commas between.';
    PERFORM stratum._comment_constraints('audited_tables');
  END IF;

  PERFORM stratum._put_trigger(
    'stratum.audited_tables', 'zz_stratum_guard',
    'BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._guard_audited_tables()',
    'Nobody lists a table that he could not put under audit himself.');
  ALTER TABLE stratum.audited_tables ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audited_tables FORCE ROW LEVEL SECURITY;
  PERFORM stratum._put_admin_policy('audited_tables');
  PERFORM stratum._give_rights('audited_tables', is_new, NULL,
    'SELECT, INSERT, UPDATE, DELETE');
END $install$;
COMMENT ON FUNCTION stratum._install_audited_tables() IS
  'Creates stratum.audited_tables where it is missing and puts its policy and rights back; internal to install().';
