-- The session lock.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, is_deleted) VALUES (8401, 'North', 'lock-north', false), (8402, 'South', 'lock-south', false), (8403, 'Gone', 'lock-gone', true);
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role, is_active) VALUES
  (8401, 8401, 'ann@lock.test', 'x', 'admin', true), (8402, 8401, 'bob@lock.test', 'x', 'admin', true), (8403, 8401, 'cid@lock.test', 'x', 'admin', false),
  (8404, 8402, 'dot@lock.test', 'x', 'admin', true);
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (8401, 'meta', 'n', 'a', 'of North'), (8402, 'meta', 's', 'a', 'of South');
CREATE ROLE regress_stratum_lock LOGIN IN ROLE stratum_app;
CREATE ROLE regress_stratum_other IN ROLE stratum_app;
GRANT regress_stratum_other TO regress_stratum_lock;
\set token 0123456789abcdef-of-the-pooler
\set state 'SELECT stratum.current_tenant_id() AS tenant, stratum.current_user_id() AS "user", (SELECT string_agg(name, \',\') FROM stratum.campaigns) AS sees;'

\c - regress_stratum_lock
-- what is refused, each with a code of its own; nobody is entered afterwards
\set VERBOSITY sqlstate
SELECT stratum.enter_session(NULL, NULL, :'token');
SELECT stratum.enter_session(8401, 8401, NULL);
SELECT stratum.enter_session(8401, 8401, 'short');
SELECT stratum.enter_session(8401, 8401, '');
SELECT stratum.enter_session(8401, 8401, repeat('x', 1025));
SELECT stratum.enter_session(8999, NULL, :'token');
SELECT stratum.enter_session(-1, NULL, :'token');
SELECT stratum.enter_session(8403, NULL, :'token');
SELECT stratum.enter_session(8401, 8404, :'token');
SELECT stratum.enter_session(8401, 8403, :'token');
SELECT stratum.leave_session(:'token');
BEGIN;
SELECT stratum.enter_session(8401, 8401, :'token');
ROLLBACK;
BEGIN;
SELECT stratum.leave_session(:'token');
ROLLBACK;
SELECT stratum.enter_session(8401, 8401, :'token')\; SELECT 1;
SELECT stratum.enter_session(8401, 8401, :'token'), 1 / 0;
SELECT stratum.enter(8402), stratum.enter_session(8401, 8401, :'token');
DO $$ BEGIN PERFORM stratum.enter_session(8401, 8401, '0123456789abcdef'); RAISE EXCEPTION 'x'; EXCEPTION WHEN SQLSTATE '25001' THEN RAISE NOTICE 'in a sub-transaction'; END $$;
\set VERBOSITY terse
:state
-- the failed one has left no lock behind
BEGIN; SELECT stratum.enter(8402); :state
COMMIT;

-- locked, whatever comes
SELECT stratum.enter_session(8401, 8401, :'token');
:state
SET ROLE regress_stratum_other;
:state
RESET ROLE;
BEGIN; :state
COMMIT;
BEGIN; SAVEPOINT a; SELECT 1 / 0; ROLLBACK TO a; :state
ROLLBACK;
:state
SELECT stratum.enter(8402);
BEGIN; SAVEPOINT a; SELECT stratum.enter(8402); ROLLBACK TO a; SELECT stratum.leave(); :state
SELECT stratum.enter(8402);
ROLLBACK;
BEGIN; SELECT stratum.enter(8401, 8402); ROLLBACK;
SELECT stratum.leave();
:state
SET stratum.context = '';
RESET stratum.context;
SET SESSION AUTHORIZATION DEFAULT;
:state
-- the same tenant and user with a request; no user means the lock's
BEGIN; SELECT stratum.enter(8401, request_id => 'req-9'); SELECT stratum.current_user_id(), stratum.current_request_id(); COMMIT;
SELECT stratum.current_user_id(), stratum.current_request_id();
BEGIN; SELECT stratum.enter(8401, 8401, 'req-10'); SELECT stratum.current_request_id(); ROLLBACK;
-- nor by somebody who does not know the token
\set VERBOSITY default
SELECT stratum.leave_session('0123456789abcdef-of-the-poolex');
SELECT stratum.enter_session(8402, NULL, '0123456789abcdef-of-the-poolex');
SELECT stratum.enter(8402);
SELECT stratum.enter(8401, 8402);
\set VERBOSITY terse
:state
-- who knows it closes first, so that no statement sees two tenants
SELECT stratum.enter_session(8402, 8404, :'token');
SELECT name, stratum.leave_session(:'token'), stratum.enter(8402) FROM stratum.campaigns;
CREATE FUNCTION pg_temp.go_over(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'RESET ALL';
  PERFORM stratum.enter_session(8402, NULL, token);
  RETURN (SELECT string_agg(name, ',') FROM stratum.campaigns);
END $$;
SELECT name, pg_temp.go_over(:'token') FROM stratum.campaigns;
:state

-- closed by DISCARD ALL and RESET ALL: no rows, nobody enters, until the token is shown
DISCARD ALL;
:state
SELECT stratum.enter(8401, 8401);
SELECT stratum.enter(8402);
SELECT stratum.leave();
SELECT stratum.enter(8401);
SELECT stratum.enter_session(8401, 8401, '0123456789abcdef-of-the-poolex');
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (8401, 'meta', 'x', 'a', 'x');
:state
SELECT stratum.enter_session(8402, 8404, :'token');
:state
RESET ALL;
:state
BEGIN; SELECT stratum.enter(8402); ROLLBACK;
SELECT stratum.enter_session(8401, 8401, :'token');
-- RESET ALL is undone like any setting where the transaction is
BEGIN; RESET ALL; :state
SELECT stratum.enter(8401);
ROLLBACK;
:state
BEGIN; RESET ALL; COMMIT;
:state
SELECT stratum.enter_session(8401, NULL, :'token');
:state
-- no user: none may be added
SELECT stratum.enter(8401, 8401);

-- cursors WITH HOLD
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns;
ROLLBACK;
DO $$ BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns'; END $$;
DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT 1;
BEGIN; DECLARE c CURSOR FOR SELECT name FROM stratum.campaigns; FETCH ALL FROM c; COMMIT;
SELECT count(*) FROM pg_cursors WHERE is_holdable;
SELECT stratum.leave_session(:'token');
:state
SELECT stratum.leave_session(:'token');
BEGIN; SELECT stratum.enter(8402); DECLARE c CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns; COMMIT;
\set VERBOSITY default
SELECT stratum.enter_session(8401, 8401, :'token');
\set VERBOSITY terse
:state
CLOSE c;
SELECT stratum.enter_session(8401, 8401, :'token');
:state
-- ended while closed
RESET ALL;
SELECT stratum.leave_session(:'token');
BEGIN; SELECT stratum.enter(8402); :state
COMMIT;

\c - postgres
DROP OWNED BY regress_stratum_lock;
DROP ROLE regress_stratum_lock, regress_stratum_other;
