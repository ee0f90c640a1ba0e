-- Entries whose text PostgreSQL cannot make: refused, since no dump could hold them; and sealed, where one has come in all the same.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7451, 'Size East', 'size-east'), (7452, 'Size West', 'size-west');
CREATE SCHEMA audit_size;
CREATE TABLE audit_size.notes (id integer PRIMARY KEY, tenant_id integer, body jsonb);
CREATE TABLE audit_size.texts (id integer PRIMARY KEY, tenant_id integer, a text, b text);
ALTER TABLE audit_size.texts ALTER a SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
SELECT stratum.audit_table(t::regclass) FROM unnest('{audit_size.notes,audit_size.texts}'::text[]) t;
-- a number of ten bytes and 131072 digits, often enough
CREATE TABLE audit_size.huge AS SELECT jsonb_agg(t.n) AS body FROM (SELECT jsonb_build_array(1e131071) -> 0 AS n FROM generate_series(1, 8200) OFFSET 0) t;
SELECT pg_column_size(body) BETWEEN 1000 AND 200000 AS is_small FROM audit_size.huge;

-- the write fails, or goes on as the setting says
\set VERBOSITY default
INSERT INTO audit_size.notes SELECT 1, 7451, body FROM audit_size.huge;
SET stratum.audit_failure = 'warning';
INSERT INTO audit_size.notes SELECT 1, 7451, body FROM audit_size.huge;
RESET stratum.audit_failure;
\set VERBOSITY terse
-- what is no larger than it looks is taken, and what has a text that is nearly as large
INSERT INTO audit_size.notes SELECT 2, 7451, jsonb_agg(n) FROM generate_series(1, 100000) n;
INSERT INTO audit_size.notes SELECT 3, 7451, jsonb_agg(body -> 0) FROM audit_size.huge, generate_series(1, 300);
-- values that are small enough by themselves, but not together
INSERT INTO audit_size.texts VALUES (1, 7451, repeat('x', 1 << 27), repeat('y', 1 << 27));
-- events too, whichever way they come
SELECT stratum.log_event('login', 'session', NULL, jsonb_build_object('h', body)) FROM audit_size.huge;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, metadata) SELECT 7451, 'login', 'session', body FROM audit_size.huge;
SELECT resource_type, action, resource_id FROM stratum.audit_logs WHERE resource_type LIKE 'audit\_size.%' ORDER BY id;

-- one that came in with the triggers off is sealed like others, and does not stand in the way of anybody
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, metadata) SELECT 7451, 'login', 'session', body FROM audit_size.huge;
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SELECT stratum.seal_audit(7451) > 2 AS sealed;
SELECT * FROM stratum.verify_audit(7451);
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
UPDATE stratum.audit_logs SET metadata = metadata || '[1]' WHERE tenant_id = 7451 AND resource_type = 'session';
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SELECT v.problem, l.resource_type FROM stratum.verify_audit(7451) v JOIN stratum.audit_logs l ON l.id = v.id;

-- a chain that cannot go on is one chain's trouble
DELETE FROM stratum.audit_seals WHERE tenant_id = 7451;
INSERT INTO audit_size.notes VALUES (4, 7451, '{}'), (5, 7452, '{}');
\set VERBOSITY default
SET client_min_messages = warning;
CALL stratum.seal_all_audit();
CALL stratum.purge_all_audit('2001-01-01');
RESET client_min_messages;
\set VERBOSITY terse
SELECT number > 0 AS sealed FROM stratum.audit_head(7452);
SELECT * FROM stratum.verify_audit(7452);
CALL stratum.purge_all_audit(NULL);
CALL stratum.purge_all_audit('infinity');

-- back to where it was
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
DELETE FROM stratum.audit_logs WHERE tenant_id IN (7451, 7452);
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
DELETE FROM stratum.audit_chains WHERE tenant_id IN (7451, 7452);
DELETE FROM stratum.audit_seals WHERE tenant_id IN (7451, 7452);
SET client_min_messages = warning;
DROP SCHEMA audit_size CASCADE;
DELETE FROM stratum.audited_tables;
