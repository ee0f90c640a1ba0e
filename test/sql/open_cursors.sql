-- A cursor that one tenant has left open is not there for the next.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
INSERT INTO stratum.tenants (id, name, slug) VALUES (9691, 'One', 'cursor-one'), (9692, 'Two', 'cursor-two');
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name) VALUES
  (969100, 9691, 'meta', 'a', 'acc', 'One 1'), (969101, 9691, 'meta', 'b', 'acc', 'One 2'),
  (969200, 9692, 'meta', 'a', 'acc', 'Two 1'), (969201, 9692, 'meta', 'b', 'acc', 'Two 2');
CREATE ROLE regress_stratum_app LOGIN IN ROLE stratum_app;
SET SESSION AUTHORIZATION regress_stratum_app;
-- one that was there before any tenant counts too: whose rows it shows nobody can tell later
DECLARE early CURSOR WITH HOLD FOR SELECT 1;
BEGIN;
SELECT stratum.enter(9691);
DECLARE held CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns ORDER BY id;
COMMIT;
-- the same tenant goes on with it
BEGIN;
SELECT stratum.enter(9691);
FETCH 1 FROM held;
COMMIT;
-- another does not get in, as often as it tries
\set VERBOSITY default
BEGIN;
SELECT stratum.enter(9692);
FETCH 1 FROM held;
COMMIT;
\set VERBOSITY terse
SELECT stratum.enter(9692);
BEGIN;
SELECT stratum.enter(9691);
COMMIT;
CLOSE held;
SELECT stratum.enter(9692);
CLOSE early;
BEGIN;
SELECT stratum.enter(9692);
DECLARE inside CURSOR FOR SELECT name FROM stratum.campaigns ORDER BY id;
COMMIT;
-- an ordinary cursor has ended with its transaction
BEGIN;
SELECT stratum.enter(9691);
DECLARE inside CURSOR FOR SELECT name FROM stratum.campaigns ORDER BY id;
FETCH 1 FROM inside;
SELECT stratum.enter(9691);
COMMIT;
-- one from before a savepoint goes on as it began: with the tenant of an enter() that was rolled back
BEGIN;
DECLARE before CURSOR FOR SELECT name FROM stratum.campaigns;
SAVEPOINT s;
SELECT stratum.enter(9692);
FETCH 1 FROM before;
ROLLBACK TO s;
SELECT stratum.enter(9691);
ROLLBACK;
-- but one of a transaction that has only entered the other later is none of theirs
BEGIN;
DECLARE before CURSOR FOR SELECT 1;
SELECT stratum.enter(9692);
COMMIT;
-- DISCARD ALL closes them
BEGIN;
SELECT stratum.enter(9691);
DECLARE held CURSOR WITH HOLD FOR SELECT name FROM stratum.campaigns;
COMMIT;
DISCARD ALL;
BEGIN;
SELECT stratum.enter(9692);
COMMIT;
RESET SESSION AUTHORIZATION;
DROP ROLE regress_stratum_app;
