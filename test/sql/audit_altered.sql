-- A log that somebody altered: either the write fails with an error that says what is wrong, or the entry is there; and
-- check_install() tells what it can.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7461, 'Altered', 'altered');
CREATE SCHEMA audit_altered;
CREATE TABLE audit_altered.notes (id text PRIMARY KEY, tenant_id integer, body text);
SELECT stratum.audit_table('audit_altered.notes');
CREATE TABLE audit_altered.changes (n serial, what text, how text);
INSERT INTO audit_altered.changes (what, how) VALUES
  ('nothing', 'SELECT 1'),
  ('a column more', 'ALTER TABLE stratum.audit_logs ADD cost_center text'),
  ('a column more, with a default', $$ALTER TABLE stratum.audit_logs ADD cost_center text DEFAULT 'none'$$),
  ('a column more that must have a value', $$ALTER TABLE stratum.audit_logs ADD cost_center text NOT NULL DEFAULT 'none'; ALTER TABLE stratum.audit_logs ALTER cost_center DROP DEFAULT$$),
  ('a generated column', 'ALTER TABLE stratum.audit_logs ADD length integer GENERATED ALWAYS AS (length(resource_id)) STORED'),
  ('an index less', 'DROP INDEX stratum.ix_audit_logs_created'),
  ('the key less', 'ALTER TABLE stratum.audit_logs DROP CONSTRAINT audit_logs_pkey'),
  ('an index more', 'CREATE INDEX ON stratum.audit_logs (resource_type, action)'),
  ('an index on what was not, for some rows', 'CREATE INDEX ON stratum.audit_logs (lower(resource_id)) WHERE user_id IS NULL'),
  ('the guards off', 'ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER'),
  ('the default of the id gone', 'ALTER TABLE stratum.audit_logs ALTER id DROP DEFAULT'),
  ('wider ids', 'ALTER TABLE stratum.audit_logs ALTER id TYPE bigint'),
  ('a narrower column', 'ALTER TABLE stratum.audit_logs ALTER resource_id TYPE varchar(3) USING left(resource_id, 3)'),
  ('the column of the user gone', 'ALTER TABLE stratum.audit_logs DROP COLUMN user_id'),
  ('the column of the time of another type', 'ALTER TABLE stratum.audit_logs ALTER created_at TYPE text USING created_at::text'),
  ('the references gone', 'ALTER TABLE stratum.audit_logs DROP CONSTRAINT audit_logs_tenant_id_fkey, DROP CONSTRAINT audit_logs_user_id_fkey'),
  ('compressed otherwise', 'ALTER TABLE stratum.audit_logs ALTER new_values SET STORAGE EXTERNAL'),
  ('row security off', 'ALTER TABLE stratum.audit_logs DISABLE ROW LEVEL SECURITY'),
  ('not logged', 'ALTER TABLE stratum.audit_logs SET UNLOGGED');

-- The change is made, a row is written, and all of it is undone.
CREATE FUNCTION audit_altered.try(how text, setting text, OUT outcome text, OUT told bigint) LANGUAGE plpgsql AS $$
DECLARE
  written bigint;
  entries bigint;
BEGIN
  PERFORM set_config('stratum.audit_failure', setting, true);
  EXECUTE how;
  INSERT INTO audit_altered.notes VALUES ('first', 7461, 'x'), ('second', 7461, 'y');
  GET DIAGNOSTICS written = ROW_COUNT;
  SELECT count(*) INTO entries FROM stratum.audit_logs l WHERE l.resource_type = 'audit_altered.notes';
  SELECT count(*) INTO told FROM stratum.check_install();
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = format('%s rows, %s entries', written, entries);
EXCEPTION WHEN SQLSTATE 'RB000' THEN outcome := sqlerrm;
          WHEN OTHERS THEN outcome := concat_ws(' ', sqlstate, sqlerrm);
END $$;
SET client_min_messages = error;
SELECT c.what, e.outcome AS error, e.told > 0 AS is_told, w.outcome AS warning
FROM audit_altered.changes c, audit_altered.try(c.how, 'error') e, audit_altered.try(c.how, 'warning') w ORDER BY c.n;
RESET client_min_messages;

-- the session that has seen all that writes as ever
INSERT INTO audit_altered.notes VALUES ('last', 7461, 'x');
SELECT action, resource_id, new_values FROM stratum.audit_logs WHERE resource_type = 'audit_altered.notes' ORDER BY id;
SELECT * FROM stratum.check_install();

-- what a crash would empty is told of
ALTER TABLE stratum.audit_logs SET UNLOGGED;
SELECT * FROM stratum.check_install();
ALTER TABLE stratum.audit_logs SET LOGGED;
SELECT * FROM stratum.check_install();

SET client_min_messages = warning;
DROP SCHEMA audit_altered CASCADE;
DELETE FROM stratum.audited_tables;
