-- From one tenant to another inside one transaction: after leave(), in a savepoint, in the middle of a statement, after RESET ALL.
BEGIN;
:enter;
SELECT attack.control('it acts for its own', stratum.current_tenant_id() = 1);
SELECT attack.held('enter(2)', attack.try('SELECT stratum.enter(2)') <> '1 rows');
SELECT * FROM stratum.cdp_profiles;
SAVEPOINT s;
SELECT stratum.leave();
SELECT attack.held('after leave()', attack.try('SELECT stratum.enter(2)') <> '1 rows');
SELECT * FROM stratum.cdp_profiles;
ROLLBACK TO s;
RESET ALL;
SELECT attack.held('after RESET ALL', attack.try('SELECT stratum.enter(2)') <> '1 rows');
SELECT * FROM stratum.cdp_profiles;
ROLLBACK;
-- read as one, write as the other
BEGIN;
:enter;
SELECT attack.held('in the middle of a statement',
  attack.try('INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name)
              SELECT 2, ''meta'', ''new'', account_id, name FROM stratum.campaigns c, LATERAL (SELECT stratum.enter(2) WHERE c.id > 0) e WHERE c.id = 100') <> '1 rows');
SELECT attack.held('in a CTE', attack.try('WITH e AS MATERIALIZED (SELECT stratum.enter(2)) SELECT c.* FROM e, stratum.cdp_profiles c WHERE c.tenant_id = 2') <> '2 rows');
CREATE FUNCTION pg_temp.go() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM stratum.enter(2); RETURN 2; EXCEPTION WHEN OTHERS THEN RETURN -1; END $$;
SELECT attack.held('in a function that swallows the error', pg_temp.go() = -1);
SELECT * FROM stratum.cdp_profiles WHERE tenant_id = 2;
DELETE FROM stratum.cdp_events WHERE tenant_id = 2;
COMMIT;
