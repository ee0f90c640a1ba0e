-- The attacker gives his own role, or a function of his own, the setting.
SELECT attack.try(format('ALTER ROLE mallory SET %s = %L', n, v))
FROM (VALUES ('stratum.context', '2 0 -1 -1 -1:'), ('stratum.context', '2 0 1 -1 -1 -1:'), ('app.tenant_id', '2')) s (n, v) \g /dev/null
SELECT attack.try(format('ALTER DATABASE %I SET %s = %L', current_database(), n, v))
FROM (VALUES ('stratum.context', '2 0 -1 -1 -1:'), ('stratum.context', '2 0 1 -1 -1 -1:'), ('app.tenant_id', '2')) s (n, v) \g /dev/null
SELECT attack.try(format('CREATE FUNCTION pg_temp.peek_%s() RETURNS bigint LANGUAGE sql SET %s = %L AS ''SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 2''',
  row_number() OVER (), n, v))
FROM (VALUES ('stratum.context', '2 0 -1 -1 -1:'), ('stratum.context', '2 0 1 -1 -1 -1:'), ('app.tenant_id', '2')) s (n, v) \g /dev/null
SELECT attack.held('function ' || n, attack.try(format('SELECT 1 / (1 - sign(pg_temp.peek_%s()))', n)) <> '22012') FROM generate_series(1, 3) n;
\c - mallory
SELECT attack.held('role setting, new session', count(*) = 0) FROM stratum.cdp_profiles;
SELECT * FROM stratum.cdp_profiles;
SELECT stratum.current_tenant_id();
SELECT attack.held('the same once the library is loaded', count(*) = 0) FROM stratum.cdp_profiles;
SELECT attack.control('role settings do reach a new session', attack.try('ALTER ROLE mallory SET application_name = ''seen''') = '0 rows');
\c - mallory
SELECT attack.control('as this one did', current_setting('application_name') IN ('seen', 'psql'));
\c - postgres
ALTER ROLE mallory RESET ALL;
