-- The log is append-only, and what others write to it is true: events, from the context.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7101, 'Guard East', 'guard-east'), (7102, 'Guard West', 'guard-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7101, 7101, 'ann@guard.test', 'x'), (7102, 7102, 'bob@guard.test', 'x');
CREATE ROLE regress_audit_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_audit_admin LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_audit_auditor LOGIN IN ROLE stratum_auditor;

-- nobody changes it: a superuser, an administrator, a tenant, an auditor
\set VERBOSITY sqlstate
SELECT count(*) > 0 AS rows, max(id) AS last FROM stratum.audit_logs \gset
UPDATE stratum.audit_logs SET action = 'login';
UPDATE stratum.audit_logs SET action = 'login' WHERE false;
DELETE FROM stratum.audit_logs;
TRUNCATE stratum.audit_logs;
TRUNCATE stratum.audit_logs, stratum.rules;
INSERT INTO stratum.audit_logs (id, action, resource_type) VALUES (:last, 'login', 'session') ON CONFLICT (id) DO UPDATE SET action = 'logout';
MERGE INTO stratum.audit_logs l USING (VALUES (1)) v (x) ON true WHEN MATCHED THEN DELETE;
WITH x AS (DELETE FROM stratum.audit_logs RETURNING *) SELECT count(*) FROM x;
DELETE FROM stratum.tenants WHERE id = 7101;
SET ROLE regress_audit_admin;
UPDATE stratum.audit_logs SET action = 'login';
DELETE FROM stratum.audit_logs;
TRUNCATE stratum.audit_logs;
ALTER TABLE stratum.audit_logs DISABLE TRIGGER ALL;
SET session_replication_role = replica;
SET ROLE regress_audit_app;
BEGIN; SELECT stratum.enter(7101, 7101); DELETE FROM stratum.audit_logs; ROLLBACK;
BEGIN; SELECT stratum.enter(7101, 7101); UPDATE stratum.audit_logs SET action = 'login'; ROLLBACK;
SET ROLE regress_audit_auditor;
DELETE FROM stratum.audit_logs;
INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('login', 'session');
SELECT stratum.log_event('login', 'session');
RESET ROLE;
\set VERBOSITY default
DELETE FROM stratum.audit_logs;

-- changes are the triggers' to write
INSERT INTO stratum.audit_logs (action, resource_type, resource_id) VALUES ('update', 'campaigns', '1');
\set VERBOSITY sqlstate
INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('create', 'anything');
COPY stratum.audit_logs (action, resource_type) FROM stdin;
delete	rules
\.
SET ROLE regress_audit_app;
BEGIN; SELECT stratum.enter(7101, 7101); INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('delete', 'campaigns'); ROLLBACK;
SET ROLE regress_audit_admin;
INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('delete', 'campaigns');
RESET ROLE;
-- not from within a trigger on the log either, which the library's own INSERT fires
CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.action = 'create' AND new.resource_type = 'rules' THEN
    INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('delete', 'forged');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER zzz AFTER INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION forge();
INSERT INTO stratum.rules (tenant_id, name, conditions, actions) VALUES (7101, 'forged', '{}', '[]');
DROP TRIGGER zzz ON stratum.audit_logs;
DROP FUNCTION forge;
SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'forged';
\set VERBOSITY terse

-- an ORM's login row: every column listed, with whatever it likes
SET ROLE regress_audit_app;
BEGIN;
SELECT stratum.enter(7101, 7101, 'req-1', '192.0.2.1', 'agent/1');
INSERT INTO stratum.audit_logs (id, tenant_id, user_id, action, resource_type, resource_id, old_values, new_values, metadata, ip_address, user_agent, request_id, created_at)
VALUES (2147483647, NULL, 7102, 'login', 'session', 's-1', NULL, 'null', NULL, '203.0.113.9', NULL, NULL, '1999-01-01'),
       (NULL, 7102, NULL, 'logout', 'session', 's-2', NULL, NULL, '{"a": 1}', NULL, 'mine', 'own', NULL)
RETURNING id < 2000000000 AS id_from_sequence, tenant_id, user_id, action, resource_id, new_values, metadata, ip_address, user_agent, request_id, created_at = now() AS transaction_time;
COMMIT;
-- no context: no writes
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type) VALUES (7101, 'login', 'session');
BEGIN;
SELECT stratum.enter(7101);
INSERT INTO stratum.audit_logs (tenant_id, user_id, action, resource_type, ip_address) VALUES (7101, 7101, 'export', 'report', '10.0.0.1')
RETURNING tenant_id, user_id, ip_address, request_id;
COMMIT;
-- an administrator without a context
SET ROLE regress_audit_admin;
INSERT INTO stratum.audit_logs (tenant_id, user_id, action, resource_type, created_at) VALUES (7102, 7101, 'login', 'session', '1999-01-01')
RETURNING tenant_id, user_id, created_at = now() AS transaction_time;
RESET ROLE;

-- log_event()
SET ROLE regress_audit_app;
BEGIN;
SELECT stratum.enter(7101, 7101, 'req-2', '192.0.2.2', 'agent/2');
SELECT stratum.log_event('export', 'report', 'r-1', '{"rows": 10}') AS first \gset
SELECT stratum.log_event(action => 'login', resource_type => 'session') > :first AS later;
SELECT stratum.log_event('logout', 'session', NULL, NULL) > :first AS later;
-- a change of something that no trigger watches
SELECT stratum.log_event('update', 'crm.deal', 'd-1') > :first AS later;
SELECT stratum.log_event('create', 'a "thing" . b / c', repeat('k', 255)) > :first AS later;
SELECT tenant_id, user_id, action, resource_type, left(resource_id, 5) AS key, old_values, new_values, metadata, ip_address, user_agent, request_id, created_at = now() AS transaction_time
FROM stratum.audit_logs WHERE id >= :first ORDER BY id;
COMMIT;
-- refused
\set VERBOSITY sqlstate
SELECT stratum.log_event('login', 'session');
BEGIN;
SELECT stratum.enter(7101, 7101);
SAVEPOINT a;
SELECT stratum.log_event('update', 'campaigns', '1'); ROLLBACK TO a;
SELECT stratum.log_event('create', 'stratum.campaigns', '1'); ROLLBACK TO a;
SELECT stratum.log_event('delete', '"stratum"."users"', '1'); ROLLBACK TO a;
SELECT stratum.log_event('delete', 'cdp_events', '1'); ROLLBACK TO a;
SELECT stratum.log_event('signed', 'session'); ROLLBACK TO a;
SELECT stratum.log_event('LOGIN', 'session'); ROLLBACK TO a;
SELECT stratum.log_event(NULL, 'session'); ROLLBACK TO a;
SELECT stratum.log_event('login', NULL); ROLLBACK TO a;
SELECT stratum.log_event('login', repeat('x', 101)); ROLLBACK TO a;
SELECT stratum.log_event('login', 'x', repeat('x', 256)); ROLLBACK TO a;
\set VERBOSITY default
SELECT stratum.log_event('update', 'campaigns', '1'); ROLLBACK TO a;
COMMIT;
SELECT stratum.log_event('login', 'session');
\set VERBOSITY terse
-- administrators: events of the platform
SET ROLE regress_audit_admin;
SELECT stratum.log_event('export', 'everything') AS id \gset
SELECT tenant_id, user_id, action FROM stratum.audit_logs WHERE id = :id;
RESET ROLE;
-- a failed write leaves nothing that lets the next one through
BEGIN;
SAVEPOINT a;
SELECT stratum.log_event('signed', 'session');
ROLLBACK TO a;
INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('delete', 'campaigns');
ROLLBACK;

-- columns of another width do, of another type not
CREATE FUNCTION pg_temp.after_alter(changes text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE 'ALTER TABLE stratum.audit_logs ' || changes;
  INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('login', 'session')
    RETURNING to_jsonb(audit_logs) - '{id,action,resource_type,resource_id,old_values,new_values,created_at}'::text[] INTO result;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN OTHERS THEN RETURN sqlstate || ' ' || sqlerrm;
END $$;
BEGIN;
SELECT stratum.enter(7101, 7101, 'req-9', '10.1.2.3', 'agent');
SELECT c.changes, pg_temp.after_alter(c.changes)
FROM (VALUES (1, 'ALTER id TYPE bigint, ALTER user_id TYPE bigint'), (2, 'ALTER user_id TYPE smallint'), (3, 'ALTER request_id TYPE text, ALTER user_agent TYPE char(9)'),
  (4, 'DROP request_id, DROP metadata, DROP ip_address, DROP created_at'), (5, 'ALTER created_at TYPE timestamp'), (6, 'ALTER ip_address TYPE text'), (7, 'ALTER ip_address TYPE cidr USING NULL'),
  (8, 'ALTER request_id TYPE bytea USING NULL'), (9, 'ALTER metadata DROP DEFAULT, ALTER metadata TYPE json'), (10, 'DROP CONSTRAINT audit_logs_user_id_fkey, ALTER user_id TYPE numeric')) c (n, changes) ORDER BY n;
ROLLBACK;

-- each sees his own
SET ROLE regress_audit_app;
SELECT count(*) FROM stratum.audit_logs;
BEGIN; SELECT stratum.enter(7102); SELECT action, resource_type FROM stratum.audit_logs ORDER BY id; COMMIT;
SET ROLE regress_audit_auditor;
SELECT count(DISTINCT tenant_id) FROM stratum.audit_logs WHERE tenant_id IN (7101, 7102);
RESET ROLE;
DROP ROLE regress_audit_app, regress_audit_admin, regress_audit_auditor;
