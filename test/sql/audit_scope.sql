-- What audit_table() and unaudit_table() leave in the trail, and what they say.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7671, 'Scope East', 'scope-east');
CREATE ROLE regress_scope_admin LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_scope_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_scope_auditor LOGIN IN ROLE stratum_auditor;
CREATE SCHEMA audit_scope;
GRANT ALL ON SCHEMA audit_scope TO regress_scope_admin;
GRANT USAGE ON SCHEMA audit_scope TO regress_scope_app;
SELECT max(id) AS before FROM stratum.audit_logs \gset
CREATE VIEW pg_temp.records AS
  SELECT l.id, l.tenant_id, l.action, l.resource_id, l.metadata - 'by' AS metadata, l.metadata ->> 'by' = session_user AS by
  FROM stratum.audit_logs l WHERE l.resource_type = 'audit_logs' AND l.action = 'update';
CREATE TABLE audit_scope.orders (id integer PRIMARY KEY, card text, iban text, password_hash text);
SELECT count(*) FROM pg_temp.records WHERE id > :before;

-- put under audit, chosen anew, taken out and put back: an entry each
SELECT stratum.audit_table('audit_scope.orders', redact => '{card,iban:mask,password_hash}', ignore => '{id}');
SELECT stratum.audit_table('audit_scope.orders', redact => '{card:drop,iban:mask}', operations => 'update,insert');
SELECT stratum.unaudit_table('audit_scope.orders');
UPDATE audit_scope.orders SET card = 'unseen';
SELECT stratum.audit_table('audit_scope.orders', operations => 'none');
SELECT action, tenant_id, resource_id, metadata, by FROM pg_temp.records WHERE id > :before ORDER BY id;
-- nothing was done: nothing is said
SELECT max(id) AS before FROM stratum.audit_logs \gset
SELECT stratum.unaudit_table('audit_scope.orders');
SELECT stratum.unaudit_table('audit_scope.orders');
SELECT stratum.audit_table('audit_scope.orders', redact => '{cards}');
BEGIN; SELECT stratum.audit_table('audit_scope.orders'); ROLLBACK;
SELECT resource_id, metadata FROM pg_temp.records WHERE id > :before ORDER BY id;

-- a table of stratum's, which audited_tables has only by a choice
BEGIN;
SELECT stratum.unaudit_table('stratum.campaigns');
SELECT stratum.audit_table('stratum.campaigns', redact => '{name}');
SELECT resource_id, metadata FROM pg_temp.records WHERE id > :before AND resource_id = 'campaigns' ORDER BY id;
ROLLBACK;
-- whose triggers were lost: listed all the same
SELECT stratum.audit_table('audit_scope.orders', operations => 'delete');
DROP TRIGGER zz_stratum_audit_delete ON audit_scope.orders;
SELECT max(id) AS before FROM stratum.audit_logs \gset
SELECT stratum.install();
SELECT count(*) AS by_install FROM pg_temp.records WHERE id > :before;
DROP TRIGGER zz_stratum_audit_delete ON audit_scope.orders;
SELECT stratum.unaudit_table('audit_scope.orders');
SELECT resource_id, metadata FROM pg_temp.records WHERE id > :before;

-- a partition has its partitioned table's triggers, and only those of its own are taken off
CREATE TABLE audit_scope.parts (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE audit_scope.part PARTITION OF audit_scope.parts FOR VALUES IN (1);
SELECT stratum.audit_table('audit_scope.parts');
SELECT max(id) AS before FROM stratum.audit_logs \gset
SELECT stratum.unaudit_table('audit_scope.part');
SELECT count(*) FROM pg_temp.records WHERE id > :before;

-- by an administrator who acts for a tenant: the entry is of none, and who may read those reads it
SET ROLE regress_scope_admin;
CREATE TABLE audit_scope.mine (id integer PRIMARY KEY, note text);
BEGIN;
SELECT stratum.enter(7671, request_id => 'request-7671');
SELECT stratum.audit_table('audit_scope.mine', redact => '{note}');
COMMIT;
-- nobody writes such an entry by hand, nor by the way of stratum anything that is not so
SELECT stratum.log_event('update', 'audit_logs', 'audit_scope.mine', '{"operation": "unaudit_table"}');
SELECT stratum._log_record(NULL, 'update', 'audit_logs', 'audit_scope.mine', '{"operation": "unaudit_table"}');
SELECT stratum._record_audited_table('audit_scope.mine');
SELECT stratum._record_audited_table('stratum.campaigns');
SELECT stratum._record_audited_table(NULL);
SELECT stratum.unaudit_table('audit_scope.orders');
SET ROLE regress_scope_app;
SELECT stratum._record_audited_table('audit_scope.mine');
BEGIN; SELECT stratum.enter(7671); SELECT count(*) AS of_app FROM stratum.audit_logs WHERE resource_type = 'audit_logs' AND id > :before; COMMIT;
RESET ROLE;
SET ROLE regress_scope_auditor;
SELECT l.tenant_id, l.request_id, l.resource_id, l.metadata - 'by' AS metadata FROM stratum.audit_logs l WHERE l.resource_type = 'audit_logs' AND l.action = 'update' AND l.id > :before ORDER BY l.id;
RESET ROLE;
SELECT count(*) AS of_ours FROM stratum.verify_audit(NULL) v JOIN pg_temp.records r ON r.id = v.id;

-- redaction that ends is told, a secret by its name is not shown, and a column that was renamed is another
\set VERBOSITY default
SELECT stratum.audit_table('audit_scope.orders', redact => '{card:mask,iban,password_hash}');
SELECT stratum.audit_table('audit_scope.orders', redact => '{card:drop,iban:mask}');
SELECT stratum.audit_table('audit_scope.orders', redact => '{iban}');
ALTER TABLE audit_scope.orders RENAME iban TO "I ban";
SELECT stratum.audit_table('audit_scope.orders', redact => '{I ban}');
SELECT stratum.audit_table('audit_scope.orders');
-- a way that there is not
SELECT stratum.audit_table('audit_scope.orders', redact => '{card:wipe}');
SELECT stratum.audit_table('audit_scope.orders', redact => '{cards:drop}');
SET client_min_messages = warning;
DROP VIEW pg_temp.records;
DROP SCHEMA audit_scope CASCADE;
DELETE FROM stratum.audited_tables WHERE table_name LIKE 'audit\_scope.%';
DROP ROLE regress_scope_admin, regress_scope_app, regress_scope_auditor;
