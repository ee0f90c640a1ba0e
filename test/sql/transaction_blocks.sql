-- Procedures that commit say at once that they cannot run inside a transaction block, and have done nothing by then.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- whatever commits asks first
SELECT p.oid::regprocedure, p.prosrc ~ format('\nBEGIN\n  PERFORM stratum\._refuse_transaction_block\(%L\);\n', p.proname) AS asks_first
FROM pg_proc p WHERE p.pronamespace = 'stratum'::regnamespace AND p.proname !~ '^_' AND p.prosrc ~ '\mCOMMIT;|_try_step' ORDER BY p.proname;
BEGIN; CALL stratum.purge_all_audit('2001-01-01'); ROLLBACK;
BEGIN; CALL stratum.refresh_all_segments(); ROLLBACK;
BEGIN; CALL stratum.run_all_due_rules(); ROLLBACK;
BEGIN; CALL stratum.seal_all_audit(); ROLLBACK;
BEGIN; CALL stratum.widen_ids(); ROLLBACK;
-- statements sent together are a block, and so is what catches an error
\set VERBOSITY sqlstate
CALL stratum.seal_all_audit()\; SELECT 1;
DO $$ BEGIN CALL stratum.seal_all_audit(); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
-- from a function it is PostgreSQL that says so
CREATE FUNCTION pg_temp.seal() RETURNS void LANGUAGE plpgsql AS 'BEGIN CALL stratum.seal_all_audit(); END';
SELECT pg_temp.seal();
\set VERBOSITY default
-- nothing is in the way of a block that catches none, nor of administrators
DO $$ BEGIN CALL stratum.purge_all_audit('2001-01-01'); CALL stratum.purge_all_audit('2001-01-01'); END $$;
SET ROLE stratum_admin;
CALL stratum.purge_all_audit('2001-01-01');
BEGIN; CALL stratum.purge_all_audit('2001-01-01'); ROLLBACK;
RESET ROLE;
