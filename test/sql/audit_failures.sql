-- What cannot be recorded: the write fails, or goes on with a warning, as stratum.audit_failure says. And what is undone.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7401, 'Fail East', 'fail-east');
CREATE SCHEMA audit_fail;
CREATE TABLE audit_fail.notes (id text PRIMARY KEY, tenant_id integer, body text);
SELECT stratum.audit_table('audit_fail.notes');
CREATE FUNCTION audit_fail.recorded() RETURNS TABLE (action text, id text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT l.action::text, left(l.resource_id, 12) FROM stratum.audit_logs l WHERE l.resource_type LIKE 'audit\_fail.%' AND l.action <> 'login' ORDER BY l.id;
END $$;

-- the setting
SHOW stratum.audit_failure;
SELECT short_desc, extra_desc, context, enumvals FROM pg_settings WHERE name = 'stratum.audit_failure';
SET stratum.audit_failure = 'ignore';
CREATE ROLE regress_audit_setter LOGIN;
SET ROLE regress_audit_setter;
SET stratum.audit_failure = 'warning';
RESET ROLE;
DROP ROLE regress_audit_setter;

-- each fault, with both: what was said, and whether the row is there
CREATE TABLE audit_fail.faults (n serial, fault text, preparation text, write text DEFAULT $$INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), ('b', 7401, 'y')$$);
INSERT INTO audit_fail.faults (fault, preparation) VALUES
  ('the log is gone', 'ALTER TABLE stratum.audit_logs RENAME TO audit_logs_away'),
  ('a column of it is gone', 'ALTER TABLE stratum.audit_logs DROP COLUMN metadata'),
  ('a column of it has another type', 'ALTER TABLE stratum.audit_logs ALTER new_values TYPE bigint USING NULL'),
  ('a label is gone', $$ALTER TYPE stratum.audit_action RENAME VALUE 'create' TO 'made'$$),
  ('its sequence is gone', 'DROP SEQUENCE stratum.audit_logs_id_seq CASCADE'),
  ('its sequence is at its end', $$SELECT setval('stratum.audit_logs_id_seq', 2147483647)$$),
  ('an id is taken', $$SELECT setval('stratum.audit_logs_id_seq', (SELECT max(id) - 1 FROM stratum.audit_logs))$$),
  ('a CHECK refuses', $$ALTER TABLE stratum.audit_logs ADD CHECK (resource_type <> 'audit_fail.notes')$$),
  ('a trigger swallows it', $$CREATE FUNCTION audit_fail.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER aa BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION audit_fail.swallow()$$),
  ('a rule takes it elsewhere', 'CREATE RULE own AS ON INSERT TO stratum.audit_logs DO INSTEAD NOTHING'),
  ('a unique index that entries violate', 'CREATE TABLE audit_fail.log (LIKE stratum.audit_logs INCLUDING ALL); ALTER TABLE stratum.audit_logs RENAME TO audit_logs_away; ALTER TABLE audit_fail.log RENAME TO audit_logs; ALTER TABLE audit_fail.audit_logs SET SCHEMA stratum; CREATE UNIQUE INDEX ON stratum.audit_logs (created_at)'),
  ('a redacted column was renamed', $$SELECT stratum.audit_table('audit_fail.notes', redact => '{body}'); ALTER TABLE audit_fail.notes RENAME body TO text$$),
  ('another reference of the tenant', 'ALTER TABLE stratum.audit_logs ADD FOREIGN KEY (tenant_id) REFERENCES audit_fail.big (id) NOT VALID');
INSERT INTO audit_fail.faults (fault, preparation, write) VALUES
  ('the triggers do not fit any more', $$INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'); CREATE TABLE audit_fail.more () INHERITS (audit_fail.notes)$$, $$UPDATE audit_fail.notes SET body = 'y'$$);
INSERT INTO audit_fail.faults (fault, write) VALUES
  ('a tenant that is none', $$INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), ('b', 6999, 'y')$$),
  ('a tenant that fits no integer', $$INSERT INTO audit_fail.big VALUES (1, 3000000000)$$),
  ('a key that is too long', $$INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), (repeat('b', 256), 7401, 'y')$$),
  ('a value that does not become json', $$INSERT INTO audit_fail.odd VALUES (1, 'one')$$),
  ('a value that is too large', $$INSERT INTO audit_fail.notes VALUES ('a', 7401, repeat('x', 1 << 28))$$);
CREATE TABLE audit_fail.big (id integer PRIMARY KEY, tenant_id bigint);
CREATE TYPE audit_fail.mood AS ENUM ('one', 'two');
CREATE FUNCTION audit_fail.refuse(audit_fail.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no json of %', $1 USING ERRCODE = '22P05'; END $$;
CREATE CAST (audit_fail.mood AS json) WITH FUNCTION audit_fail.refuse(audit_fail.mood);
CREATE TABLE audit_fail.odd (id integer PRIMARY KEY, mood audit_fail.mood);
SELECT stratum.audit_table(t::regclass) FROM unnest('{audit_fail.big,audit_fail.odd}'::text[]) t;
-- so that there are ids to collide with
SELECT count(stratum.log_event('login', 'audit_fail.' || n)) FROM generate_series(1, 5) n;
CREATE FUNCTION audit_fail.try(fault text, preparation text, write text, setting text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  written bigint;
BEGIN
  PERFORM set_config('stratum.audit_failure', setting, true);
  IF preparation IS NOT NULL THEN
    EXECUTE preparation;
  END IF;
  EXECUTE write;
  GET DIAGNOSTICS written = ROW_COUNT;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = format('%s rows written', written);
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
          WHEN OTHERS THEN RETURN concat_ws(' ', sqlstate, sqlerrm);
END $$;
SET client_min_messages = error;
SELECT fault, audit_fail.try(fault, preparation, write, 'error') FROM audit_fail.faults ORDER BY n;
SELECT fault, audit_fail.try(fault, preparation, write, 'warning') FROM audit_fail.faults ORDER BY n;
RESET client_min_messages;
SELECT * FROM audit_fail.recorded();
SELECT count(*) FROM stratum.check_install();

-- what the warning says
SET stratum.audit_failure = 'warning';
\set VERBOSITY default
INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), ('b', 6999, 'y');
INSERT INTO audit_fail.odd VALUES (1, 'one');
SELECT * FROM audit_fail.recorded();
TRUNCATE audit_fail.notes;
SELECT * FROM audit_fail.recorded();
-- by rows: each for itself
SELECT stratum.unaudit_table('audit_fail.notes');
CREATE TRIGGER by_row AFTER INSERT OR UPDATE OR DELETE ON audit_fail.notes FOR EACH ROW EXECUTE FUNCTION stratum._audit_row();
INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), ('b', 6999, 'y'), ('c', 7401, 'z');
SELECT * FROM audit_fail.recorded();
TRUNCATE audit_fail.notes;
DROP TRIGGER by_row ON audit_fail.notes;
SELECT stratum.audit_table('audit_fail.notes');
-- a statement that is cancelled is cancelled
CREATE OR REPLACE FUNCTION audit_fail.refuse(audit_fail.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
SET statement_timeout = '200ms';
INSERT INTO audit_fail.odd VALUES (2, 'two');
RESET statement_timeout;
-- and a transaction that has to be repeated is repeated
CREATE OR REPLACE FUNCTION audit_fail.refuse(audit_fail.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'once more' USING ERRCODE = '40001'; END $$;
INSERT INTO audit_fail.odd VALUES (2, 'two');
RESET stratum.audit_failure;
-- where the error is
\set SHOW_CONTEXT always
INSERT INTO audit_fail.notes VALUES ('a', 7401, 'x'), ('b', 6999, 'y');
INSERT INTO audit_fail.notes VALUES (repeat('b', 256), 7401, 'y');
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- what is undone leaves nothing: errors of triggers that come later, of deferred ones, handlers in plpgsql, savepoints
SELECT setval('stratum.audit_logs_id_seq', max(id)) > 0 AS set FROM stratum.audit_logs;
CREATE FUNCTION audit_fail.refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT FROM audit_fail.notes WHERE body = 'bad') THEN RAISE EXCEPTION 'bad'; END IF; RETURN NULL; END $$;
CREATE TRIGGER zzz_later AFTER INSERT OR UPDATE ON audit_fail.notes FOR EACH STATEMENT EXECUTE FUNCTION audit_fail.refuse_bad();
INSERT INTO audit_fail.notes SELECT 'r' || n, 7401, CASE n WHEN 2000 THEN 'bad' ELSE 'good' END FROM generate_series(1, 2000) n;
DO $$
BEGIN
  FOR i IN 1 .. 3 LOOP
    BEGIN
      INSERT INTO audit_fail.notes SELECT 'i' || i || 'n' || n, 7401, CASE WHEN i = 2 THEN 'bad' ELSE 'good' END FROM generate_series(1, 2) n;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
  END LOOP;
END $$;
SELECT * FROM audit_fail.recorded() WHERE id LIKE 'i%';
CREATE FUNCTION audit_fail.refuse_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'late'; END $$;
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON audit_fail.notes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.body = 'late') EXECUTE FUNCTION audit_fail.refuse_late();
BEGIN;
UPDATE audit_fail.notes SET body = 'early' WHERE id = 'i1n1';
UPDATE audit_fail.notes SET body = 'late' WHERE id = 'i1n1';
COMMIT;
BEGIN;
SAVEPOINT a;
UPDATE audit_fail.notes SET body = 'undone';
ROLLBACK TO a;
UPDATE audit_fail.notes SET body = 'done' WHERE id = 'i3n1';
SAVEPOINT b;
DELETE FROM audit_fail.notes WHERE id = 'i3n2';
RELEASE b;
COMMIT;
SELECT action, count(*), min(id) FROM audit_fail.recorded() WHERE id LIKE 'i%' GROUP BY action ORDER BY action;
-- a tenant made and referred to in the same statement's transaction, and a reference that was rolled back
BEGIN;
SAVEPOINT a;
INSERT INTO stratum.tenants (id, name, slug) VALUES (7402, 'Fail West', 'fail-west');
INSERT INTO audit_fail.notes VALUES ('w', 7402, 'x');
ROLLBACK TO a;
INSERT INTO audit_fail.notes VALUES ('w', 7402, 'x');
ROLLBACK;
BEGIN;
INSERT INTO audit_fail.notes VALUES ('w', 7401, 'x');
DELETE FROM stratum.tenants WHERE id = 7401;
ROLLBACK;
-- a user who has acted, and is deleted with what was recorded of him by one who may: his own last act cannot name him
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7401, 7401, 'gone@fail.test', 'x');
BEGIN;
SELECT stratum.enter(7401, 7401);
INSERT INTO audit_fail.notes VALUES ('u', 7401, 'x');
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
DELETE FROM stratum.audit_logs WHERE user_id = 7401;
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
DELETE FROM stratum.users WHERE id = 7401;
ROLLBACK;
-- a trigger of somebody's writes what is audited too, while the outer statement is being recorded
CREATE TABLE audit_fail.echo (id serial PRIMARY KEY, tenant_id integer, of text);
SELECT stratum.audit_table('audit_fail.echo');
CREATE FUNCTION audit_fail.echo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_fail.echo (tenant_id, of) SELECT 7401, id FROM new_rows; RETURN NULL; END $$;
CREATE TRIGGER zz_z AFTER INSERT ON audit_fail.notes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION audit_fail.echo();
CREATE TRIGGER aa_a AFTER INSERT ON audit_fail.notes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION audit_fail.echo();
INSERT INTO audit_fail.notes VALUES ('e1', 7401, 'x'), ('e2', 7401, 'x');
SELECT resource_type, new_values ->> 'of' AS of, resource_id FROM stratum.audit_logs WHERE resource_type LIKE 'audit\_fail.%' ORDER BY id DESC LIMIT 6;

-- a table that gets partitions' or children's company is reported, and put right by audit_table()
CREATE TABLE audit_fail.parts (id integer PRIMARY KEY, tenant_id integer) PARTITION BY RANGE (id);
CREATE TABLE audit_fail.part (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE audit_fail.parent (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE audit_fail.always (id integer PRIMARY KEY, tenant_id integer);
SELECT stratum.audit_table(t::regclass) FROM unnest('{audit_fail.parts,audit_fail.part,audit_fail.parent,audit_fail.always}'::text[]) t;
ALTER TABLE audit_fail.parts ATTACH PARTITION audit_fail.part FOR VALUES FROM (1) TO (100);
CREATE TABLE audit_fail.child (more text) INHERITS (audit_fail.parent);
ALTER TABLE audit_fail.always ENABLE ALWAYS TRIGGER zz_stratum_audit_update;
SELECT * FROM stratum.check_install();
-- once each, whichever way: the partitioned table's row trigger sees them
INSERT INTO audit_fail.parts VALUES (51, 7401);
INSERT INTO audit_fail.part VALUES (52, 7401);
SELECT * FROM audit_fail.recorded() WHERE id IN ('51', '52');
INSERT INTO audit_fail.parent VALUES (61, 7401);
DELETE FROM audit_fail.parent;
SELECT stratum.unaudit_table('audit_fail.part');
SELECT stratum.audit_table('audit_fail.parent');
SELECT stratum.audit_table('audit_fail.always');
SELECT tgrelid::regclass AS on_table, tgname, tgenabled FROM pg_trigger WHERE tgname LIKE 'zz\_stratum%' AND tgrelid IN ('audit_fail.parent'::regclass, 'audit_fail.always'::regclass, 'audit_fail.part'::regclass) ORDER BY 1, 2;
SELECT * FROM stratum.check_install();
INSERT INTO audit_fail.parent VALUES (63, 7401);
INSERT INTO audit_fail.child VALUES (64, 7401);
UPDATE audit_fail.parent SET id = -id;
SELECT * FROM audit_fail.recorded() WHERE id IN ('63', '64', '-63', '-64');
-- and back, when the child is gone
DROP TABLE audit_fail.child;
SELECT stratum.audit_table('audit_fail.parent');
INSERT INTO audit_fail.parent VALUES (65, 7401);
SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_fail.parent'::regclass AND tgname LIKE 'zz\_stratum%' ORDER BY 1;
SELECT * FROM audit_fail.recorded() WHERE id = '65';
-- stratum's own tables too
CREATE TABLE audit_fail.campaigns () INHERITS (stratum.campaigns);
SELECT object, remedy FROM stratum.check_install();
UPDATE stratum.campaigns SET name = 'x' WHERE false;
SELECT stratum.install();
SELECT * FROM stratum.check_install();
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name) VALUES (7401, 7401, 'meta', 'x', 'y', 'z');
DROP TABLE audit_fail.campaigns;
SELECT stratum.install();
DELETE FROM stratum.campaigns WHERE id = 7401;
SELECT action FROM stratum.audit_logs WHERE resource_type = 'campaigns' AND resource_id = '7401' ORDER BY id;
SELECT * FROM stratum.check_install();

SET client_min_messages = warning;
DROP SCHEMA audit_fail CASCADE;
DELETE FROM stratum.audited_tables;
