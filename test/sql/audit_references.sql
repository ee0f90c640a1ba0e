-- Which entries lock the tenant that they name: those of rows that do not keep it from being deleted.
\set VERBOSITY terse
CREATE SCHEMA audit_ref;
INSERT INTO stratum.tenants (id, name, slug) VALUES (7421, 'Ref East', 'ref-east'), (7422, 'Ref West', 'ref-west');
CREATE TABLE audit_ref.kept (id integer PRIMARY KEY, tenant_id bigint, v integer DEFAULT 0);
CREATE TABLE audit_ref.bare (LIKE audit_ref.kept INCLUDING ALL);
CREATE TABLE audit_ref.unproved (LIKE audit_ref.kept INCLUDING ALL);
CREATE TABLE audit_ref.late (LIKE audit_ref.kept INCLUDING ALL);
CREATE TABLE audit_ref.along (LIKE audit_ref.kept INCLUDING ALL);
CREATE TABLE audit_ref.silent (LIKE audit_ref.kept INCLUDING ALL);
CREATE TABLE audit_ref.tenantless (id integer PRIMARY KEY, v integer DEFAULT 0);
ALTER TABLE audit_ref.kept ADD FOREIGN KEY (tenant_id) REFERENCES stratum.tenants;
ALTER TABLE audit_ref.unproved ADD FOREIGN KEY (tenant_id) REFERENCES stratum.tenants NOT VALID;
ALTER TABLE audit_ref.late ADD FOREIGN KEY (tenant_id) REFERENCES stratum.tenants DEFERRABLE;
ALTER TABLE audit_ref.along ADD FOREIGN KEY (tenant_id) REFERENCES stratum.tenants ON DELETE CASCADE;
ALTER TABLE audit_ref.silent ADD FOREIGN KEY (tenant_id) REFERENCES stratum.tenants;
SELECT stratum.audit_table(format('audit_ref.%s', t)::regclass) FROM unnest('{kept,bare,unproved,late,along,tenantless}'::text[]) t;
SELECT stratum.audit_table('audit_ref.silent', operations => 'update,truncate');
INSERT INTO audit_ref.kept VALUES (1, 7421);
INSERT INTO audit_ref.bare VALUES (1, 7421);
INSERT INTO audit_ref.unproved VALUES (1, 7421);
INSERT INTO audit_ref.late VALUES (1, 7421);
INSERT INTO audit_ref.along VALUES (1, 7421);
INSERT INTO audit_ref.silent VALUES (1, 7421);
-- a statement in a transaction of its own, and which tenants it has locked
CREATE TABLE audit_ref.found (what text, locked text);
CREATE PROCEDURE audit_ref.try(what text, statements text[]) LANGUAGE plpgsql AS $$
DECLARE
  statement text;
BEGIN
  COMMIT;
  FOREACH statement IN ARRAY statements LOOP EXECUTE statement; END LOOP;
  INSERT INTO audit_ref.found
    VALUES (what, (SELECT string_agg(slug, ', ' ORDER BY slug) FROM stratum.tenants WHERE id IN (7421, 7422) AND xmax::text = pg_current_xact_id()::xid::text));
  COMMIT;
END $$;
CALL audit_ref.try('kept', '{UPDATE audit_ref.kept SET v = v + 1}');
CALL audit_ref.try('no reference', '{UPDATE audit_ref.bare SET v = v + 1}');
CALL audit_ref.try('a reference that is not validated', '{UPDATE audit_ref.unproved SET v = v + 1}');
CALL audit_ref.try('a reference that is checked later', '{UPDATE audit_ref.late SET v = v + 1}');
CALL audit_ref.try('a row that is deleted with its tenant', '{UPDATE audit_ref.along SET v = v + 1}');
CALL audit_ref.try('a table whose deletions are not recorded', '{UPDATE audit_ref.silent SET v = v + 1}');
CALL audit_ref.try('deleted', '{DELETE FROM audit_ref.kept}');
CALL audit_ref.try('inserted, which PostgreSQL checks', '{"INSERT INTO audit_ref.kept VALUES (1, 7421), (2, 7422)"}');
CALL audit_ref.try('moved, with its own check', '{UPDATE audit_ref.kept SET tenant_id = 7422 WHERE id = 1}');
CALL audit_ref.try('changed', '{UPDATE audit_ref.kept SET v = v + 1}');
CALL audit_ref.try('changed, then moved', '{UPDATE audit_ref.kept SET v = v + 1,UPDATE audit_ref.kept SET tenant_id = 7421 WHERE id = 2}');
CALL audit_ref.try('changed, then truncated', '{UPDATE audit_ref.kept SET v = v + 1,TRUNCATE audit_ref.kept}');
INSERT INTO audit_ref.kept VALUES (1, 7421), (2, 7422);
CALL audit_ref.try('changed, then deleted', '{UPDATE audit_ref.kept SET v = v + 1,DELETE FROM audit_ref.kept WHERE id = 2}');
CALL audit_ref.try('with warnings', '{SET LOCAL stratum.audit_failure = warning,UPDATE audit_ref.kept SET v = v + 1}');
CALL audit_ref.try('with warnings, the next', '{SET LOCAL stratum.audit_failure = warning,UPDATE audit_ref.kept SET v = v + 1,UPDATE audit_ref.kept SET v = v + 1}');
ALTER TABLE audit_ref.kept DISABLE TRIGGER zz_stratum_audit_delete;
CALL audit_ref.try('a disabled trigger', '{UPDATE audit_ref.kept SET v = v + 1}');
ALTER TABLE audit_ref.kept ENABLE TRIGGER zz_stratum_audit_delete;
CALL audit_ref.try('enabled again', '{UPDATE audit_ref.kept SET v = v + 1}');
SELECT * FROM audit_ref.found;
-- more tenants than are kept in mind without a lock: all of them are there
INSERT INTO stratum.tenants (id, name, slug) SELECT 7430 + i, 'Many', 'ref-many-' || i FROM generate_series(1, 20) i;
INSERT INTO audit_ref.kept SELECT 7430 + i, 7430 + i FROM generate_series(1, 20) i;
UPDATE audit_ref.kept SET v = v + 1;
UPDATE audit_ref.kept SET v = v + 1 WHERE id > 7430;
SELECT count(*), count(DISTINCT tenant_id) FROM stratum.audit_logs WHERE resource_type = 'audit_ref.kept' AND resource_id::integer > 7430;
-- rows that came by replication were not checked: their tenant is looked for, also when the session knows others
SET session_replication_role = replica;
INSERT INTO audit_ref.kept VALUES (9, 999999421);
RESET session_replication_role;
UPDATE audit_ref.kept SET v = 5 WHERE id = 9;
BEGIN;
INSERT INTO stratum.tenants (id, name, slug) VALUES (7429, 'Ref Undone', 'ref-undone');
INSERT INTO audit_ref.kept VALUES (10, 7429);
UPDATE audit_ref.kept SET v = 1 WHERE id = 10;
ROLLBACK;
UPDATE audit_ref.kept SET tenant_id = 7421 WHERE id = 9;
SET session_replication_role = replica;
INSERT INTO audit_ref.kept VALUES (10, 7429);
RESET session_replication_role;
UPDATE audit_ref.kept SET v = 2 WHERE id = 10;
DELETE FROM audit_ref.kept WHERE id = 10;
SELECT count(*) AS orphans FROM stratum.audit_logs l WHERE NOT EXISTS (SELECT FROM stratum.tenants t WHERE t.id = l.tenant_id) AND l.tenant_id IS NOT NULL;
SET client_min_messages = warning;
DROP SCHEMA audit_ref CASCADE;
DELETE FROM stratum.audited_tables;
