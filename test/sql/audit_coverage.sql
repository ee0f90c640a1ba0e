-- check_install() names the tables with a tenant_id that nothing audits.
\set VERBOSITY terse
SELECT * FROM stratum.check_install();
CREATE SCHEMA audit_coverage;
CREATE TABLE audit_coverage.orders (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE audit_coverage."odd Name" (id integer PRIMARY KEY, tenant_id bigint) PARTITION BY RANGE (id);
CREATE TABLE audit_coverage.part PARTITION OF audit_coverage."odd Name" FOR VALUES FROM (1) TO (10);
CREATE TABLE stratum.mine (tenant_id integer);
CREATE DOMAIN audit_coverage.tenant AS integer;
CREATE DOMAIN audit_coverage.own_tenant AS audit_coverage.tenant;
CREATE TABLE audit_coverage.by_domain (tenant_id audit_coverage.own_tenant);
-- no tenant_id, one that is no number, no table, none that stays
CREATE DOMAIN audit_coverage.label AS text;
CREATE TABLE audit_coverage.by_label (tenant_id audit_coverage.label);
CREATE TABLE audit_coverage.countries (id integer PRIMARY KEY);
CREATE TABLE audit_coverage.others (tenant_id text);
CREATE VIEW audit_coverage.some AS SELECT tenant_id FROM audit_coverage.orders;
CREATE TEMP TABLE short_lived (tenant_id integer);
SELECT object, problem, remedy FROM stratum.check_install();
SELECT stratum.audit_table('audit_coverage.orders');
SELECT stratum.audit_table('audit_coverage."odd Name"', operations => 'truncate');
SELECT stratum.audit_table('stratum.mine', operations => ' NONE ');
SELECT stratum.audit_table('audit_coverage.by_domain');
SELECT object, problem FROM stratum.check_install();
SELECT table_name, operations FROM stratum.audited_tables WHERE table_name <> 'public.notes' ORDER BY 1;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'stratum.mine'::regclass;
-- the choice is kept
SELECT stratum.install();
SELECT object, problem FROM stratum.check_install();
SELECT stratum.audit_table('stratum.mine', operations => 'none,insert');
SELECT stratum.unaudit_table('audit_coverage.orders');
SELECT object, problem FROM stratum.check_install();
SELECT stratum.unaudit_table('stratum.mine'), stratum.unaudit_table('audit_coverage.by_domain'), stratum.unaudit_table('audit_coverage."odd Name"');
DROP TABLE stratum.mine;
DROP SCHEMA audit_coverage CASCADE;
SELECT * FROM stratum.check_install();
