-- Of a time before a purge, row_as_of() and revert_row() know nothing, and say so.
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7661, 'Purged East', 'purged-east'), (7662, 'Purged West', 'purged-west');
CREATE ROLE regress_purged_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_purged_admin LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_purged_auditor LOGIN IN ROLE stratum_auditor;
CREATE SCHEMA audit_purged;
GRANT USAGE ON SCHEMA audit_purged TO regress_purged_app, regress_purged_auditor;
CREATE TABLE audit_purged.notes (id integer PRIMARY KEY, tenant_id integer, v text);
CREATE TABLE audit_purged.common (id integer PRIMARY KEY, v text);
SELECT stratum.audit_table('audit_purged.notes'), stratum.audit_table('audit_purged.common');
-- a life in two parts: one that is purged, and one that is left
INSERT INTO stratum.rules (id, tenant_id, name, conditions, actions) VALUES (7661, 7661, 'one', '{}', '[]'), (7662, 7662, 'one', '{}', '[]'), (7663, 7661, 'gone', '{}', '[]');
INSERT INTO audit_purged.notes VALUES (1, NULL, 'one'), (2, 7661, 'one');
INSERT INTO audit_purged.common VALUES (1, 'one');
SELECT clock_timestamp() AS first \gset
UPDATE stratum.rules SET name = 'two' WHERE id IN (7661, 7662);
DELETE FROM stratum.rules WHERE id = 7663;
UPDATE audit_purged.notes SET v = 'two';
UPDATE audit_purged.common SET v = 'two';
UPDATE stratum.tenants SET domain = 'two.test' WHERE id = 7661;
SELECT clock_timestamp() AS purged \gset
UPDATE audit_purged.notes SET v = 'three';
SELECT clock_timestamp() AS later \gset
SELECT stratum.row_as_of('stratum.rules', '7661', :'first') ->> 'name' AS name, stratum.row_as_of('stratum.rules', '7663', :'first') ->> 'name' AS gone,
       stratum.row_as_of('audit_purged.common', '1', :'first') ->> 'v' AS common;
SET ROLE regress_purged_admin;
BEGIN; SELECT stratum.enter(7661); SELECT stratum.purge_audit(:'purged') > 0 AS purged; COMMIT;
RESET ROLE;
-- who purged is in the record
SELECT resource_id, metadata ->> 'operation' AS operation, metadata ->> 'by' = session_user AS by, (metadata ->> 'before')::timestamptz = :'purged' AS before
FROM stratum.audit_logs WHERE tenant_id = 7661 AND resource_type = 'audit_logs';
SELECT * FROM stratum.verify_audit(7661);

-- before: refused, whether the row has entries left, has none, or is gone
SELECT stratum.row_as_of('stratum.rules', '7661', :'first');
SELECT stratum.row_as_of('stratum.rules', '7661', '-infinity');
SELECT stratum.row_as_of('stratum.rules', '7663', :'first');
SELECT stratum.row_as_of('audit_purged.notes', '2', :'first');
SELECT stratum.row_as_of('stratum.tenants', '7661', :'first');
SELECT stratum.revert_row('stratum.rules', '7661', :'first');
SELECT stratum.revert_row('audit_purged.notes', '2', :'first');
-- a table without a tenant_id, of whose changes any trail may have some
SELECT stratum.row_as_of('audit_purged.common', '1', :'first');
-- from then on: told
SELECT stratum.row_as_of('stratum.rules', '7661', :'purged') ->> 'name' AS name, stratum.row_as_of('stratum.rules', '7663', :'purged') AS gone,
       stratum.row_as_of('audit_purged.notes', '2', :'purged') ->> 'v' AS two, stratum.row_as_of('audit_purged.notes', '2', :'later') ->> 'v' AS three,
       stratum.row_as_of('stratum.tenants', '7661', :'purged') ->> 'domain' AS domain, stratum.row_as_of('audit_purged.common', '1', :'purged') ->> 'v' AS common;
SELECT stratum.revert_row('audit_purged.notes', '2', :'purged') ->> 'v' AS back;
-- the history is what is left
SELECT action, old_values, new_values FROM stratum.row_history('audit_purged.notes', '2') WHERE changed_at < :'later';
-- others are as they were: another tenant's rows, rows without a tenant
SELECT stratum.row_as_of('stratum.rules', '7662', :'first') ->> 'name' AS west, stratum.row_as_of('audit_purged.notes', '1', :'first') ->> 'v' AS none;

-- everyone by what he may read
SET ROLE regress_purged_app;
BEGIN;
SELECT stratum.enter(7661);
SAVEPOINT a;
SELECT stratum.row_as_of('stratum.rules', '7661', :'first'); ROLLBACK TO a;
SELECT stratum.row_as_of('stratum.rules', '7663', :'first'); ROLLBACK TO a;
SELECT stratum.revert_row('stratum.rules', '7661', :'first'); ROLLBACK TO a;
SELECT stratum.row_as_of('stratum.rules', '7661', :'purged') ->> 'name' AS name;
COMMIT;
BEGIN;
SELECT stratum.enter(7662);
SELECT stratum.row_as_of('stratum.rules', '7662', :'first') ->> 'name' AS name, stratum.row_as_of('stratum.rules', '7661', :'first') AS foreign, stratum.row_as_of('stratum.rules', '7663', :'first') AS gone;
COMMIT;
SELECT stratum.row_as_of('stratum.rules', '7661', :'first') AS nothing;
SET ROLE regress_purged_auditor;
SELECT stratum.row_as_of('stratum.rules', '7661', :'first');
SELECT stratum.row_as_of('audit_purged.notes', '2', :'first');
SELECT stratum.row_as_of('stratum.rules', '7662', :'first') ->> 'name' AS west;
RESET ROLE;

-- what it says
SET DateStyle = ISO; SET TimeZone = UTC;
\set VERBOSITY default
BEGIN;
SELECT stratum.enter(7662);
UPDATE stratum.rules SET name = 'three' WHERE id = 7662;
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, resource_id, created_at) VALUES (7662, 'create', 'rules', '7660', '2020-06-01 12:00+00');
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SELECT stratum.purge_audit('2021-01-01 00:00+00');
SELECT stratum.row_as_of('stratum.rules', '7662', '2020-12-31 23:59:59.999999+00');
ROLLBACK;
\set VERBOSITY sqlstate

-- rows without a tenant
BEGIN;
SELECT stratum._purge_batch(NULL, :'purged', NULL) > 0 AS purged;
SAVEPOINT a;
SELECT stratum.row_as_of('audit_purged.notes', '1', :'first'); ROLLBACK TO a;
SELECT stratum.row_as_of('audit_purged.common', '1', :'first'); ROLLBACK TO a;
SELECT stratum.row_as_of('audit_purged.notes', '1', :'purged') ->> 'v' AS two, stratum.row_as_of('stratum.rules', '7662', :'first') ->> 'name' AS west;
SELECT resource_id, metadata ->> 'by' = session_user AS by FROM stratum.audit_logs WHERE tenant_id IS NULL AND resource_type = 'audit_logs' AND action = 'delete' ORDER BY id DESC LIMIT 1;
ROLLBACK;

-- old entries that were loaded into ids which the sequence has yet to reach, as doc/reference/audit.md has it
CREATE FUNCTION pg_temp.load(sets_sequence boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
  INSERT INTO stratum.audit_logs (id, tenant_id, action, resource_type, created_at)
    SELECT last_value + 1, 7662, 'login', 'session', '2022-06-01' FROM stratum.audit_logs_id_seq;
  ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
  IF sets_sequence THEN
    PERFORM setval('stratum.audit_logs_id_seq', greatest((SELECT max(id) FROM stratum.audit_logs), (SELECT last_value FROM stratum.audit_logs_id_seq)));
  END IF;
END $$;
BEGIN; SELECT pg_temp.load(false); UPDATE stratum.rules SET name = 'four' WHERE id = 7662; ROLLBACK;
SELECT pg_temp.load(true);
UPDATE stratum.rules SET name = 'four' WHERE id = 7662;
SELECT * FROM stratum.verify_audit(7662);
SET client_min_messages = warning;
SELECT stratum.unaudit_table('audit_purged.notes'), stratum.unaudit_table('audit_purged.common');
DROP SCHEMA audit_purged CASCADE;
DROP ROLE regress_purged_app, regress_purged_admin, regress_purged_auditor;
