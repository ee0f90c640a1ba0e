-- Run once as a superuser, in a database that has stratum:
--   psql -d mydb -f examples/setup.sql
-- Makes the tenant and the login that the other examples use: a login that is a member of stratum_app
-- and of nothing else, as an application's should be. Set a password with \password example_app.
\set ON_ERROR_STOP on
\set QUIET on

INSERT INTO stratum.tenants (name, slug) VALUES ('Example', 'example') ON CONFLICT (slug) DO NOTHING;

SELECT to_regrole('example_app') IS NULL AS no_login \gset
\if :no_login
  CREATE ROLE example_app LOGIN IN ROLE stratum_app;
\endif

SELECT id AS tenant, name FROM stratum.tenants WHERE slug = 'example';
