#!/usr/bin/perl
# DROP EXTENSION is refused; with CASCADE no row is lost and row security fails closed; CREATE EXTENSION adopts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $count = q{SELECT (SELECT count(*) FROM stratum.campaigns) || ' ' || (SELECT count(*) FROM stratum.audit_logs) || ' ' || (SELECT count(*) FROM stratum.tenants)};

$node->sql(<<'SQL');
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
CREATE ROLE mallory LOGIN;
INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north'), ('South', 'south');
BEGIN;
SELECT stratum.enter(1);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'meta', g::text, 'acc', 'C' FROM generate_series(1, 20) g;
COMMIT;
CREATE TABLE public.notes (id serial PRIMARY KEY, tenant_id int, body text);
SELECT stratum.audit_table('public.notes');
SQL
my $rows = $node->sql($count);
$node->sql('GRANT UPDATE ON stratum.audit_logs TO stratum_app; GRANT SELECT ON stratum.users TO PUBLIC; GRANT USAGE ON SEQUENCE stratum.rules_id_seq TO stratum_auth; SELECT stratum.install()');
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'install() takes back rights that nothing expects');

is($node->sqlstate('DROP EXTENSION stratum'), '2BP01', 'DROP EXTENSION is refused');
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'and changed nothing');

$node->sql('DROP EXTENSION stratum CASCADE');
is($node->sql($count), $rows, 'CASCADE loses no row');
is($node->sql('SELECT count(*) FROM stratum.campaigns', user => 'app'), '0', 'row security fails closed');
is($node->sqlstate(q{INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (1, 'meta', 'z', 'a', 'n')}, user => 'app'), '42501', 'for writes too');

$node->sql('CREATE EXTENSION stratum');
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'CREATE EXTENSION adopts: healthy');
is($node->sql($count), $rows, 'and no row changed');
is($node->sql(<<'SQL', user => 'app'), '20|20', 'the tenant sees its rows again');
BEGIN;
SELECT stratum.enter(1) \g /dev/null
SELECT count(*), sum((SELECT count(*) FROM stratum.audit_logs a WHERE a.resource_type = 'campaigns' AND a.resource_id = c.id::text)) FROM stratum.campaigns c;
COMMIT;
SQL
$node->sql(q{INSERT INTO public.notes (body) VALUES ('x')});
is($node->sql(q{SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'public.notes'}), '1', q{users' audited tables get their trigger back});

# install() on a live install changes nothing, and keeps a disabled trigger disabled
$node->sql('ALTER TABLE stratum.rules DISABLE TRIGGER zz_stratum_mixin; ALTER TABLE stratum.rules DISABLE TRIGGER zz_stratum_audit_update; SELECT stratum.install()');
is($node->sql(q{SELECT string_agg(object || ' ' || remedy, E'\n' ORDER BY object) FROM stratum.check_install()}),
	"trigger rules.zz_stratum_audit_update ALTER TABLE stratum.rules ENABLE TRIGGER zz_stratum_audit_update;\n"
	  . 'trigger rules.zz_stratum_mixin ALTER TABLE stratum.rules ENABLE TRIGGER zz_stratum_mixin;', 'disabled triggers stay so, and are reported');
$node->sql('ALTER TABLE stratum.rules ENABLE TRIGGER USER');

# what check_install() finds
my @damage = (
	['ALTER TABLE stratum.campaigns DROP COLUMN objective', qr/column campaigns.objective.*missing/],
	[q{ALTER TABLE stratum.campaigns ALTER COLUMN currency SET DEFAULT 'EUR'}, qr/column campaigns.currency.*changed/],
	['ALTER TABLE stratum.campaigns ALTER COLUMN tenant_id DROP DEFAULT', qr/column campaigns.tenant_id.*changed/],
	['DROP INDEX stratum.ix_campaigns_roas', qr/index ix_campaigns_roas.*missing/],
	['ALTER TABLE stratum.cdp_events DROP CONSTRAINT cdp_events_tenant_id_profile_id_fkey', qr/constraint cdp_events.cdp_events_tenant_id_profile_id_fkey.*missing/],
	['DROP POLICY tenant_isolation ON stratum.users', qr/policy users.tenant_isolation.*missing/],
	['DROP POLICY tenant_isolation ON stratum.users; CREATE POLICY tenant_isolation ON stratum.users USING (true)', qr/policy users.tenant_isolation.*changed/],
	['ALTER TABLE stratum.users NO FORCE ROW LEVEL SECURITY', qr/table users.*changed/],
	['DROP TRIGGER zz_stratum_audit_delete ON stratum.users', qr/trigger users.zz_stratum_audit_delete.*missing/],
	[q{ALTER TYPE stratum.rule_status RENAME VALUE 'draft' TO 'sketch'}, qr/type rule_status.*changed/],
	['REVOKE INSERT ON stratum.campaigns FROM stratum_app', qr/right campaigns to stratum_app.*changed/],
	['GRANT UPDATE ON stratum.audit_logs TO stratum_app', qr/right audit_logs to stratum_app.*changed.*install/],
	['GRANT SELECT ON stratum.users TO stratum_auth', qr/right users to stratum_auth.*surplus.*install/],
	['GRANT CREATE ON SCHEMA stratum TO mallory', qr/schema stratum\|mallory may create/],
	['GRANT SELECT ON stratum.users TO PUBLIC', qr/right users to PUBLIC.*surplus.*install/],
	['GRANT CREATE ON SCHEMA stratum TO stratum_app', qr/right SCHEMA stratum to stratum_app.*changed.*REVOKE ALL ON SCHEMA stratum FROM stratum_app/],
	['GRANT EXECUTE ON FUNCTION stratum._let_go() TO PUBLIC', qr/right ROUTINE stratum._let_go\(\) to PUBLIC.*surplus.*REVOKE ALL ON ROUTINE/],
	['ALTER TABLE stratum.rules OWNER TO mallory', qr/stratum\.rules.*foreign/],
	['DROP TABLE stratum.cdp_segment_memberships', qr/table cdp_segment_memberships.*missing/],
	['DROP FUNCTION stratum.storage_version()', qr/storage_version.*missing/],
	[q{CREATE OR REPLACE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''0.9''::text'}, qr/storage is version 0.9.*UPDATE TO '0.9'/],
	['ALTER ROLE stratum_app BYPASSRLS', qr/role stratum_app.*bypasses/],
	['ALTER ROLE stratum_admin LOGIN', qr/role stratum_admin\|can log in\|ALTER ROLE stratum_admin NOLOGIN/],
	['GRANT pg_read_all_data TO stratum_app', qr/role stratum_app\|is a member of pg_read_all_data\|REVOKE/],
	[q{CREATE OR REPLACE FUNCTION stratum.current_tenant_id() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT 1'}, qr/function stratum.current_tenant_id\(\).*changed/],
	['ALTER TABLE public.notes RENAME TO notes2', qr/audited table public.notes.*renamed or dropped/],
	['ALTER TABLE stratum.campaigns DROP CONSTRAINT campaigns_dates_check, ADD CONSTRAINT campaigns_dates_check CHECK (true)', qr/constraint campaigns.campaigns_dates_check.*DROP CONSTRAINT campaigns_dates_check, ADD/],
	['DROP TRIGGER zz_stratum_audit_update ON public.notes', qr/public.notes.*missing/],
);
for (@damage)
{
	my ($sql, $expected) = @$_;
	like($node->sql("BEGIN; $sql; SELECT * FROM stratum.check_install(); ROLLBACK"), $expected, "found: $sql");
}
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'all rolled back');
$node->sql(q{CREATE OR REPLACE FUNCTION stratum.current_tenant_id() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT 1'});
$node->sql('SELECT remedy FROM stratum.check_install() \gexec');
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'the remedy for a changed function is SQL as it stands');

# what install() and adoption refuse
$node->sql('DROP EXTENSION stratum CASCADE; ALTER TABLE stratum.campaigns OWNER TO mallory');
is($node->sqlstate('CREATE EXTENSION stratum'), '42501', q{a stranger's table is not adopted});
$node->sql('ALTER TABLE stratum.campaigns OWNER TO postgres');
$node->sql('GRANT CREATE ON SCHEMA stratum TO mallory');
$node->sql('CREATE FUNCTION stratum.trap() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', user => 'mallory');
is($node->sqlstate('CREATE EXTENSION stratum'), '42501', q{nor a schema with a stranger's function});
$node->sql('DROP FUNCTION stratum.trap(); REVOKE CREATE ON SCHEMA stratum FROM mallory');
$node->sql(q{CREATE OR REPLACE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''0.9''::text'});
is($node->sqlstate('CREATE EXTENSION stratum'), '55000', 'nor storage of another version');
$node->sql('DROP FUNCTION stratum.storage_version()');
is($node->sqlstate('CREATE EXTENSION stratum'), '55000', 'nor storage of no known version');
$node->sql(q{CREATE FUNCTION stratum.storage_version() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''1.1''::text'; CREATE EXTENSION stratum});
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'adopted at last');

# a schema that belongs to somebody else
$node->sql('CREATE DATABASE other');
$node->sql('CREATE SCHEMA stratum AUTHORIZATION mallory', db => 'other');
is($node->sqlstate('CREATE EXTENSION stratum', db => 'other'), '42501', q{a schema of an unprivileged role is refused});
is($node->sqlstate('CREATE EXTENSION stratum', db => 'other', user => 'mallory'), '42501', 'an unprivileged role cannot install');

# while restoring: no storage, until install() is asked for
$node->sql('CREATE DATABASE restored');
$node->sql('SET row_security = off; CREATE EXTENSION stratum', db => 'restored');
is($node->sql('SELECT count(*) FROM pg_tables WHERE schemaname = $$stratum$$', db => 'restored'), '0', 'row_security = off: no storage');
like($node->sql('SELECT string_agg(object, $$,$$) FROM stratum.check_install()', db => 'restored'), qr/table campaigns/, 'check_install() says what is missing');
$node->sql('SELECT stratum.install()', db => 'restored');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'restored'), '', 'install() makes it whole');
my $tables = $node->sql('SELECT count(*) FROM pg_tables WHERE schemaname = $$stratum$$', db => 'restored');
is($node->sql('DROP EXTENSION stratum CASCADE; SELECT count(*) FROM pg_tables WHERE schemaname = $$stratum$$', db => 'restored'), $tables, 'and it is let go');
is($node->sqlstate('SELECT stratum.install()', user => 'mallory'), '42501', 'install() is for superusers');

# The settings of functions are then written in another way, which is no other setting.
$node->sql('CREATE DATABASE quoted');
$node->sql('SET quote_all_identifiers = on; CREATE EXTENSION stratum', db => 'quoted');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'quoted'), '', 'made by a session that quotes all identifiers: healthy');
is($node->sql('ALTER FUNCTION stratum.delete_tenant(bigint, text) SET search_path = "pg_catalog, pg_temp"; SELECT split_part(problem, $$ $$, 1) FROM stratum.check_install()', db => 'quoted'), 'changed:',
	'    but one schema of that name is');

tried('damage to an install that check_install() finds', @damage . ' kinds');
tried('DROP EXTENSION ... CASCADE, and adoption by CREATE EXTENSION with no row lost', '2 times');
done_testing();
