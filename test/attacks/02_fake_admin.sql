-- A setting that says: I am an administrator.
CREATE FUNCTION pg_temp.rows_of_victim() RETURNS bigint LANGUAGE sql AS
  $$ SELECT (SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 2) + (SELECT count(*) FROM stratum.users WHERE tenant_id = 2) $$;
BEGIN;
:enter;
SELECT attack.try(format('SET %s = on', n))
FROM unnest('{app.is_admin,stratum.is_admin,stratum.admin,stratum.restoring,stratum.allow_data_loss,is_superuser,session_replication_role}'::text[]) n \g /dev/null
SELECT attack.held('settings that sound like it', pg_temp.rows_of_victim() = 0);
SELECT attack.held('the role as a setting', attack.try('SET role = ''stratum_admin''') = '42501' AND attack.try('SET session_authorization = ''postgres''') = '42501');
SELECT attack.held('triggers off', attack.try('SET session_replication_role = replica') = '42501');
SELECT * FROM stratum.cdp_profiles WHERE tenant_id = 2;
ROLLBACK;
\c - postgres
SET ROLE stratum_app;
SELECT attack.control('the row security is about rows that are there', count(*) = 0) FROM stratum.cdp_profiles;
RESET ROLE;
SELECT attack.control('as a superuser sees', count(*) = 2) FROM stratum.cdp_profiles WHERE tenant_id = 2;
