-- The user's own tables under audit.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7201, 'Own East', 'own-east');
CREATE SCHEMA audit_own;
CREATE TABLE audit_own.orders (id serial PRIMARY KEY, tenant_id integer, card text, note text, viewed_at timestamptz, updated_at timestamptz);
CREATE VIEW audit_own.log AS
  SELECT l.tenant_id, l.action::text, l.resource_type::text, l.resource_id::text, l.old_values, l.new_values, l.metadata, l.id
  FROM stratum.audit_logs l WHERE l.resource_type LIKE '%audit\_own%';
CREATE VIEW audit_own.triggers AS
  SELECT tgrelid::regclass::text AS on_table, tgname::text AS name, tgenabled AS enabled,
         regexp_replace(pg_get_triggerdef(oid), '^CREATE TRIGGER \S+ | ON \S+', '', 'g') AS definition
  FROM pg_trigger WHERE tgname LIKE 'zz\_stratum\_audit%' AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'audit_own'::regnamespace);

SELECT stratum.audit_table('audit_own.orders', redact => '{card}', ignore => '{viewed_at}');
SELECT * FROM audit_own.triggers ORDER BY 1, 2;
SELECT * FROM stratum.audited_tables;
INSERT INTO audit_own.orders (tenant_id, card, note) VALUES (7201, '4111', 'a'), (7201, NULL, 'b');
UPDATE audit_own.orders SET viewed_at = now(), updated_at = now();
UPDATE audit_own.orders SET card = '4222' WHERE id = 1;
UPDATE audit_own.orders SET note = 'c', viewed_at = NULL WHERE id = 2;
SELECT action, resource_type, resource_id, old_values - 'updated_at' - 'viewed_at' AS old, new_values - 'updated_at' - 'viewed_at' AS new, new_values ? 'viewed_at' AS viewed FROM audit_own.log ORDER BY id;
-- calling it again replaces the choice
SELECT stratum.audit_table('audit_own.orders', operations => ' Delete,UPDATE ');
SELECT * FROM audit_own.triggers ORDER BY 1, 2;
SELECT * FROM stratum.audited_tables;
INSERT INTO audit_own.orders (tenant_id, card) VALUES (7201, '4333');
UPDATE audit_own.orders SET card = '4444' WHERE id = 3;
SELECT action, resource_id, new_values FROM audit_own.log ORDER BY id DESC LIMIT 1;
SELECT stratum.audit_table('audit_own.orders', operations => 'truncate');
SELECT * FROM audit_own.triggers ORDER BY 1, 2;
DELETE FROM audit_own.orders WHERE id = 3;
TRUNCATE audit_own.orders RESTART IDENTITY;
SELECT tenant_id, action, resource_id, metadata FROM audit_own.log ORDER BY id DESC LIMIT 1;
-- a trigger that was disabled stays disabled
SELECT stratum.audit_table('audit_own.orders');
ALTER TABLE audit_own.orders DISABLE TRIGGER zz_stratum_audit_update;
ALTER TABLE audit_own.orders ENABLE ALWAYS TRIGGER zz_stratum_audit_truncate;
SELECT stratum.audit_table('audit_own.orders', redact => '{card}');
SELECT name, enabled FROM audit_own.triggers ORDER BY 1;
ALTER TABLE audit_own.orders ENABLE TRIGGER zz_stratum_audit_update;

-- no longer
SELECT count(*) AS before FROM audit_own.log \gset
SELECT stratum.unaudit_table('audit_own.orders');
SELECT stratum.unaudit_table('audit_own.orders');
INSERT INTO audit_own.orders (tenant_id) VALUES (7201);
TRUNCATE audit_own.orders;
SELECT count(*) - :before AS more, (SELECT count(*) FROM audit_own.triggers) AS triggers, (SELECT count(*) FROM stratum.audited_tables) AS tables FROM audit_own.log;

-- names that need quotes
CREATE TABLE audit_own."My ""Orders"", %s" (id integer PRIMARY KEY, "Card, {No}" text, "100%" text);
SELECT stratum.audit_table('audit_own."My ""Orders"", %s"', redact => '{"Card, {No}"}', ignore => ARRAY['100%']);
INSERT INTO audit_own."My ""Orders"", %s" VALUES (1, 'secret', 'x');
UPDATE audit_own."My ""Orders"", %s" SET "100%" = 'y';
SELECT action, resource_type, resource_id, new_values FROM audit_own.log ORDER BY id DESC LIMIT 1;
SELECT table_name FROM stratum.audited_tables;

-- refused
\set VERBOSITY sqlstate
CREATE TABLE audit_own.list (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE audit_own.list_1 PARTITION OF audit_own.list FOR VALUES IN (1);
CREATE VIEW audit_own.view AS SELECT 1 AS id;
CREATE MATERIALIZED VIEW audit_own.matview AS SELECT 1 AS id;
CREATE TEMPORARY TABLE audit_temp (id integer);
CREATE FOREIGN DATA WRAPPER audit_fdw;
CREATE SERVER audit_server FOREIGN DATA WRAPPER audit_fdw;
CREATE FOREIGN TABLE audit_own.foreign (id integer) SERVER audit_server;
SELECT stratum.audit_table('audit_own.nowhere');
SELECT stratum.audit_table(NULL);
SELECT stratum.audit_table('audit_own.orders', redact => NULL);
SELECT stratum.audit_table('audit_own.orders', ignore => NULL);
SELECT stratum.audit_table('audit_own.orders', operations => NULL);
SELECT stratum.audit_table('audit_own.orders', redact => ARRAY[NULL]::text[]);
SELECT stratum.audit_table('audit_own.orders', redact => '{cards}');
SELECT stratum.audit_table('audit_own.orders', ignore => '{ctid}');
SELECT stratum.audit_table('audit_own.orders', operations => '');
SELECT stratum.audit_table('audit_own.orders', operations => 'insert,select');
SELECT stratum.audit_table('audit_own.orders', operations => 'insert,');
SELECT stratum.audit_table('audit_own.view');
SELECT stratum.audit_table('audit_own.matview');
SELECT stratum.audit_table('audit_own.foreign');
SELECT stratum.audit_table('audit_own.orders_id_seq');
SELECT stratum.audit_table('audit_own.orders_pkey');
SELECT stratum.audit_table('audit_own.list_1');
SELECT stratum.audit_table('pg_catalog.pg_class');
SELECT stratum.audit_table('information_schema.sql_features');
SELECT stratum.audit_table('audit_temp');
SELECT stratum.audit_table('stratum.audit_logs');
SELECT stratum.unaudit_table(NULL);
\set VERBOSITY default
SELECT stratum.audit_table('audit_own.view');
SELECT stratum.audit_table('audit_own.list_1');
SELECT stratum.audit_table('stratum.audit_logs');
SELECT stratum.audit_table('pg_catalog.pg_class');
SELECT stratum.audit_table('audit_temp');
SELECT stratum.audit_table('audit_own.orders', redact => '{cards}');
SELECT stratum.audit_table('audit_own.orders', operations => 'select');
SELECT count(*) FROM stratum.audited_tables;

-- a redacted column that was renamed: rather no write than a secret in clear
SELECT stratum.audit_table('audit_own.orders', redact => '{card}');
INSERT INTO audit_own.orders (tenant_id, card) VALUES (7201, '4555');
ALTER TABLE audit_own.orders RENAME COLUMN card TO pan;
INSERT INTO audit_own.orders (tenant_id, pan) VALUES (7201, '4666');
SELECT stratum.audit_table('audit_own.orders', redact => '{pan}');
\set VERBOSITY terse
INSERT INTO audit_own.orders (tenant_id, pan) VALUES (7201, '4777');
SELECT action, resource_id, new_values ->> 'pan' AS pan FROM audit_own.log ORDER BY id DESC LIMIT 1;
-- a secret key
CREATE TABLE audit_own.tokens (access_token text PRIMARY KEY, n integer);
SELECT stratum.audit_table('audit_own.tokens');
INSERT INTO audit_own.tokens VALUES ('tok-1', 1);
SELECT action, resource_id, new_values FROM audit_own.log ORDER BY id DESC LIMIT 1;

-- after the triggers were lost, install() puts them back
DROP TRIGGER zz_stratum_audit_insert ON audit_own.orders;
DROP TRIGGER zz_stratum_audit_truncate ON audit_own.orders;
ALTER TABLE audit_own.tokens DISABLE TRIGGER zz_stratum_audit_delete;
DROP TRIGGER zz_stratum_audit_update ON stratum.rules;
INSERT INTO stratum.audited_tables (table_name, redact) VALUES ('audit_own.gone', '{}'), ('audit_own.view', '{}'), ('audit_own.list', '{no}');
SELECT object, problem FROM stratum.check_install() WHERE object LIKE '%zz\_stratum\_audit%' ORDER BY 1;
SELECT stratum.install();
SELECT on_table, name, enabled FROM audit_own.triggers ORDER BY 1, 2;
DELETE FROM stratum.audited_tables WHERE table_name IN ('audit_own.gone', 'audit_own.view', 'audit_own.list');
SELECT object, problem FROM stratum.check_install();

-- a choice of one's own for a stratum table; its bookkeeping stays bookkeeping
SELECT stratum.audit_table('stratum.rules', redact => '{description}');
INSERT INTO stratum.rules (id, tenant_id, name, description, conditions, actions) VALUES (7201, 7201, 'r', 'd', '{}', '[]');
UPDATE stratum.rules SET executions_count = 1 WHERE id = 7201;
SELECT action, new_values ->> 'description' AS description FROM stratum.audit_logs WHERE resource_type = 'rules' AND resource_id = '7201';
SELECT object, problem FROM stratum.check_install();
SELECT stratum.install();
SELECT pg_get_triggerdef(oid) ~ 'description' AS chosen FROM pg_trigger WHERE tgrelid = 'stratum.rules'::regclass AND tgname = 'zz_stratum_audit_insert';
SELECT stratum.unaudit_table('stratum.rules');
SELECT object, problem FROM stratum.check_install();
SELECT stratum.install();
SELECT object, problem FROM stratum.check_install();

-- one's own tables need no superuser, but stratum_admin; others' need their owner
CREATE ROLE regress_audit_owner LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_audit_plain LOGIN IN ROLE stratum_app;
GRANT USAGE, CREATE ON SCHEMA audit_own TO regress_audit_owner, regress_audit_plain;
SET ROLE regress_audit_owner;
CREATE TABLE audit_own.mine (id integer PRIMARY KEY, tenant_id integer, note text);
SELECT stratum.audit_table('audit_own.mine');
INSERT INTO audit_own.mine VALUES (1, 7201, 'x');
SELECT stratum.audit_table('audit_own.orders');
SELECT stratum.unaudit_table('audit_own.orders');
SELECT stratum.audit_table('stratum.campaigns');
-- a trigger made by hand cannot write another table's history
CREATE TABLE audit_own.forger (id integer PRIMARY KEY, tenant_id integer);
CREATE TRIGGER t AFTER INSERT ON audit_own.forger FOR EACH ROW EXECUTE FUNCTION stratum._audit_row('campaigns', '{}', '{}');
INSERT INTO audit_own.forger VALUES (1, 7201);
SELECT action, resource_type, resource_id FROM stratum.audit_logs WHERE resource_type LIKE 'audit\_own.%' AND resource_id = '1' AND resource_type ~ 'mine|forger' ORDER BY id;
-- a cast of one's own runs as oneself
CREATE TYPE audit_own.odd AS ENUM ('one');
CREATE FUNCTION audit_own.spy(audit_own.odd) RETURNS json LANGUAGE sql AS $$ SELECT to_json(current_user::text || ' ' || current_setting('search_path')) $$;
CREATE CAST (audit_own.odd AS json) WITH FUNCTION audit_own.spy(audit_own.odd);
CREATE TABLE audit_own.spying (id integer PRIMARY KEY, tenant_id integer, odd audit_own.odd);
SELECT stratum.audit_table('audit_own.spying');
SET search_path = audit_own;
INSERT INTO spying VALUES (1, 7201, 'one');
RESET search_path;
SELECT new_values FROM stratum.audit_logs WHERE resource_type = 'audit_own.spying';
SET ROLE regress_audit_plain;
CREATE TABLE audit_own.plain (id integer PRIMARY KEY);
SELECT stratum.audit_table('audit_own.plain');
CREATE TRIGGER t AFTER INSERT ON audit_own.plain FOR EACH ROW EXECUTE FUNCTION stratum._audit_row();
RESET ROLE;
-- a writer without any right on the log
CREATE ROLE regress_audit_writer;
GRANT USAGE ON SCHEMA audit_own TO regress_audit_writer;
GRANT INSERT ON audit_own.mine TO regress_audit_writer;
SET ROLE regress_audit_writer;
INSERT INTO audit_own.mine VALUES (2, 7201, 'y');
SELECT current_user;
RESET ROLE;
SELECT tenant_id, resource_id FROM audit_own.log WHERE resource_type = 'audit_own.mine' ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA audit_own CASCADE;
DROP SERVER audit_server;
DROP FOREIGN DATA WRAPPER audit_fdw;
DELETE FROM stratum.audited_tables;
DROP ROLE regress_audit_owner, regress_audit_plain, regress_audit_writer;
