-- The tenant context.
\set VERBOSITY terse
\set SHOW_CONTEXT never
BEGIN;
INSERT INTO stratum.tenants (id, name, slug, is_deleted) VALUES
  (9001, 'North', 'test-north', false), (9002, 'South', 'test-south', false), (9003, 'Gone', 'test-gone', true);
INSERT INTO stratum.users (id, tenant_id, email, password_hash, is_active, is_deleted) VALUES
  (9001, 9001, 'ann@north.test', 'x', true, false), (9002, 9002, 'bob@south.test', 'x', true, false),
  (9003, 9001, 'cid@north.test', 'x', false, false), (9004, 9001, 'dot@north.test', 'x', true, true),
  (9005, NULL, 'eve@platform.test', 'x', true, false);
COMMIT;
CREATE ROLE regress_stratum_app LOGIN IN ROLE stratum_app;

-- what enter() sets, and for how long
SELECT stratum.current_tenant_id(), stratum.current_user_id(), stratum.current_request_id();
BEGIN;
SELECT stratum.enter(9001, 9001, 'req-1: with "odd" characters and 7 8 9:', '192.0.2.7', 'agent');
SELECT stratum.current_tenant_id(), stratum.current_user_id(), stratum.current_request_id();
SAVEPOINT a;
SELECT stratum.leave();
SELECT stratum.current_tenant_id(), stratum.current_user_id(), stratum.current_request_id();
ROLLBACK TO a;
SELECT stratum.current_tenant_id();
SELECT stratum.enter(9001);
SELECT stratum.current_tenant_id(), stratum.current_user_id();
COMMIT;
SELECT stratum.current_tenant_id();
-- a platform user acts in any tenant; empty strings are kept apart from NULL
BEGIN;
SELECT stratum.enter(tenant_id => 9002, user_id => 9005, request_id => '', user_agent => '');
SELECT stratum.current_user_id(), stratum.current_request_id() = '' AS empty_request;
COMMIT;

-- refused
\set VERBOSITY sqlstate
SELECT stratum.enter(NULL);
SELECT stratum.enter(8999);
SELECT stratum.enter(-1);
SELECT stratum.enter(9223372036854775807);
SELECT stratum.enter(9003);
SELECT stratum.enter(9001, 9002);
SELECT stratum.enter(9001, 8999);
SELECT stratum.enter(9001, 9003);
SELECT stratum.enter(9001, 9004);
SELECT stratum.enter(9001, NULL, repeat('x', 101));
\set VERBOSITY terse
SELECT stratum.enter(8999);
SELECT stratum.enter(9003);
SELECT stratum.enter(9001, 9002);
SELECT stratum.enter(9001, 9003);
SELECT stratum.current_tenant_id();

-- one tenant a transaction, in whatever way it is tried
BEGIN;
SELECT stratum.enter(9001);
SAVEPOINT a;
SELECT stratum.enter(9002);
ROLLBACK TO a;
SELECT stratum.leave();
SAVEPOINT b;
SELECT stratum.enter(9002);
ROLLBACK TO b;
RESET ALL;
SELECT stratum.enter(9002);
ROLLBACK;
-- but what was rolled back was not entered
BEGIN;
SAVEPOINT a;
SELECT stratum.enter(9001);
SAVEPOINT b;
RELEASE b;
ROLLBACK TO a;
SELECT stratum.enter(9002);
SELECT stratum.current_tenant_id();
COMMIT;
BEGIN;
SAVEPOINT a;
SELECT stratum.enter(9001);
RELEASE a;
SAVEPOINT c;
SELECT stratum.enter(9002);
ROLLBACK;

-- no other way to set it, for superusers neither
SET stratum.context = '9001 0 -1 -1 -1:';
SET stratum.context = '';
SET LOCAL stratum.context = '9001 0 -1 -1 -1:';
SELECT set_config('stratum.context', '9001 0 -1 -1 -1:', false);
UPDATE pg_settings SET setting = '9001 0 -1 -1 -1:' WHERE name = 'stratum.context';
ALTER ROLE regress_stratum_app SET stratum.context = '9001 0 -1 -1 -1:';
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET stratum.context = %L', current_database(), '9001 0 -1 -1 -1:'); END $$;
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql SET stratum.context = '9001 0 -1 -1 -1:' AS 'SELECT stratum.current_tenant_id()';
SET stratum.tenant_id = 9001;
SET SESSION AUTHORIZATION regress_stratum_app;
SET stratum.context = '9001 0 -1 -1 -1:';
SELECT set_config('stratum.context', '9001 0 -1 -1 -1:', true);
\set VERBOSITY sqlstate
SHOW stratum.context;
\set VERBOSITY terse
SELECT stratum.current_tenant_id();
RESET SESSION AUTHORIZATION;
-- before the library is loaded
\c -
SET SESSION AUTHORIZATION regress_stratum_app;
SET stratum.context = '9001 0 -1 -1 -1:';
SELECT count(*) FROM stratum.tenants;
SELECT stratum.current_tenant_id();
RESET SESSION AUTHORIZATION;
-- DISCARD ALL and RESET ALL forget it
BEGIN;
SELECT stratum.enter(9001);
RESET ALL;
SELECT stratum.current_tenant_id();
COMMIT;
DISCARD ALL;

-- ids count from 1
BEGIN;
INSERT INTO stratum.tenants (id, name, slug) VALUES (0, 'Zero', 'test-zero');
SELECT stratum.enter(0);
ROLLBACK;

-- parallel workers know it
CREATE TABLE public.regress_stratum_rows AS SELECT g FROM generate_series(1, 20000) g;
BEGIN;
SELECT stratum.enter(9001, 9001, 'a b', '192.0.2.7', 'agent');
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_leader_participation = off;
SELECT count(*) FROM public.regress_stratum_rows
WHERE stratum.current_tenant_id() + g * 0 = 9001 AND stratum.current_request_id() || g <> '';
COMMIT;
DROP TABLE public.regress_stratum_rows;


-- in autocommit entering does nothing, and says so
SELECT stratum.enter(9001);
DO $$ BEGIN PERFORM stratum.enter(9001); END $$;
SELECT stratum.enter(9001), stratum.current_tenant_id() IS NULL;
DO $$ BEGIN PERFORM stratum.enter(9001); PERFORM FROM stratum.campaigns; END $$;
DO $$ BEGIN PERFORM stratum.enter(9001); PERFORM stratum.leave(); END $$;
SELECT stratum.enter(9001)\; SELECT 1;
BEGIN; SELECT stratum.enter(9001); COMMIT;
\set VERBOSITY default
DO $$ BEGIN PERFORM stratum.enter(9001); PERFORM FROM stratum.campaigns; COMMIT; PERFORM stratum.enter(9001); COMMIT; END $$;
DROP ROLE regress_stratum_app;
