-- Another role, and row security switched off.
BEGIN;
:enter;
SELECT attack.held('SET ROLE ' || r, attack.try(format('SET LOCAL ROLE %I', r)) = '42501')
FROM unnest('{postgres,stratum_admin,stratum_auditor,stratum_auth,app}'::text[]) r;
SELECT attack.held('SET SESSION AUTHORIZATION ' || r, attack.try(format('SET LOCAL SESSION AUTHORIZATION %I', r)) = '42501')
FROM unnest('{postgres,app,stratum_admin}'::text[]) r;
SELECT attack.control('its own group it may become', attack.try('SET LOCAL ROLE stratum_app') = '0 rows');
SELECT attack.held('which sees no more', NOT EXISTS (SELECT FROM stratum.campaigns WHERE tenant_id = 2));
SELECT * FROM stratum.campaigns WHERE tenant_id = 2;
RESET ROLE;
SELECT attack.held('roles of its own', attack.try('CREATE ROLE mole BYPASSRLS') = '42501' AND attack.try('ALTER ROLE mallory BYPASSRLS') = '42501'
  AND attack.try('GRANT stratum_admin TO mallory') = '42501');
SET LOCAL row_security = off;
SELECT attack.held('row_security = off is an error, not a door', attack.try('SELECT * FROM stratum.campaigns') = '42501');
ROLLBACK;
\c - postgres
SET row_security = off;
SELECT attack.control('for a superuser it is none', count(*) = 10) FROM stratum.campaigns WHERE tenant_id = 2;
