-- A pooled session: a statement that was prepared, and planned, for the victim runs for the attacker, and for nobody.
\c - mallory
SET plan_cache_mode = force_generic_plan;
PREPARE names AS SELECT tenant_id, name FROM stratum.campaigns;
PREPARE mails AS SELECT tenant_id, email_hash FROM stratum.cdp_profiles WHERE email IS NOT NULL;
CREATE FUNCTION pg_temp.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM stratum.campaigns WHERE tenant_id = 2); END $$;
BEGIN;
SELECT stratum.enter(2);
EXECUTE names \g /dev/null
EXECUTE mails \g /dev/null
SELECT attack.control('for the victim there are rows', pg_temp.count() = 10);
COMMIT;
BEGIN;
SELECT stratum.enter(1);
EXECUTE names;
EXECUTE mails;
SELECT attack.held('function', pg_temp.count() = 0);
SET LOCAL ROLE stratum_app;
EXECUTE names;
EXECUTE mails;
SELECT attack.held('function after a change of role', pg_temp.count() = 0);
COMMIT;
EXECUTE names;
EXECUTE mails;
SELECT attack.held('function without a context', pg_temp.count() = 0);
-- planned for an administrator, run as the application
\c - postgres
SET plan_cache_mode = force_generic_plan;
PREPARE names AS SELECT name FROM stratum.campaigns;
EXECUTE names \g /dev/null
SET ROLE stratum_app;
EXECUTE names;
