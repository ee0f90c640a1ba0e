#!/usr/bin/perl
# A dump brings everything back: rows, sequences, the audit trail to the row, rights, and what users added. The
# application's next INSERT works, check_install() finds nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $dir = $node->dir;

# ---- a database with rows of two tenants and things of the user's own ------------------------------------------

$node->sql('CREATE DATABASE source');
$node->sql(<<'SQL', db => 'source');
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north'), ('South', 'south');
BEGIN;
SELECT stratum.enter(1);
INSERT INTO stratum.users (email, password_hash) VALUES ('ann@north.test', 'secret');
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, impressions, clicks, total_spend_cents)
  SELECT 'meta', 'c' || g, 'acc', 'Campaign ' || g, g * 1000, g * 7, g * 100 FROM generate_series(1, 50) g;
INSERT INTO stratum.cdp_profiles (canonical_id, email, traits)
  SELECT md5(g::text)::uuid, 'p' || g || '@x.test', jsonb_build_object('ltv', g * 10) FROM generate_series(1, 200) g;
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'Purchase', 'track', now() FROM stratum.cdp_profiles;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES
  ('rich', '{"conditions": [{"field": "trait.ltv", "operator": "greater_than", "value": 1500}]}');
SELECT stratum.refresh_segments();
UPDATE stratum.campaigns SET name = name || '!' WHERE id % 5 = 0;
DELETE FROM stratum.campaigns WHERE id % 10 = 1;
SELECT stratum.log_event('login', 'session');
COMMIT;
BEGIN;
SELECT stratum.enter(2);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('google', 'x', 'acc', 'South 1');
COMMIT;

-- the user's own
ALTER TABLE stratum.campaigns ADD COLUMN team text DEFAULT 'none';
UPDATE stratum.campaigns SET team = 'blue' WHERE id < 9;
CREATE INDEX my_team ON stratum.campaigns (tenant_id, team);
ALTER TABLE stratum.campaigns ADD CONSTRAINT my_team_check CHECK (team <> '');
CREATE POLICY my_policy ON stratum.campaigns AS RESTRICTIVE FOR DELETE USING (team <> 'locked');
CREATE TABLE public.notes (id serial PRIMARY KEY, tenant_id int DEFAULT stratum.current_tenant_id(), body text);
SELECT stratum.audit_table('public.notes', redact => '{body}');
INSERT INTO public.notes (tenant_id, body) VALUES (1, 'hush');
CREATE VIEW public.rich WITH (security_invoker) AS
  SELECT p.id, stratum.audience_hash('meta'::stratum.ad_platform::text, 'email', p.email) AS hash
  FROM stratum.cdp_profiles p, stratum.cdp_segments s WHERE s.name = 'rich' AND stratum.segment_matches(s.conditions, p);
GRANT SELECT ON public.rich TO app;
REVOKE DELETE ON stratum.cdp_events FROM stratum_app;
GRANT DELETE ON stratum.cdp_events TO stratum_app;
SQL

# Everything that must be the same afterwards, as text.
sub state_of
{
	my ($db) = @_;
	my @state;
	my $tables = $node->sql(q{SELECT string_agg(format('%I.%I', schemaname, tablename), ' ' ORDER BY 1)
		FROM pg_tables WHERE schemaname IN ('stratum', 'public')}, db => $db);
	for my $table (sort split ' ', $tables)
	{
		push @state, "$table: " . $node->sql("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM $table t", db => $db);
	}
	push @state, $node->sql(q{SELECT schemaname || '.' || sequencename || ': ' || coalesce(last_value::text, 'new') FROM pg_sequences ORDER BY 1}, db => $db);
	push @state, $node->sql(q{SELECT kind || ' ' || object || ': ' || definition FROM stratum._storage_found() ORDER BY 1}, db => $db);
	push @state, $node->sql(q{SELECT c.oid::regclass || ': ' || r.rolname || ' ' || string_agg(p, ',' ORDER BY p)
		FROM pg_class c, pg_roles r, unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) p
		WHERE c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace) AND c.relkind IN ('r', 'v')
		  AND r.rolname IN ('app', 'stratum_app', 'stratum_admin', 'stratum_auditor', 'stratum_auth') AND has_table_privilege(r.oid, c.oid, p)
		GROUP BY c.oid, r.rolname ORDER BY 1}, db => $db);
	push @state, $node->sql(q{SELECT obj_description('stratum.campaigns'::regclass), obj_description('stratum'::regnamespace)}, db => $db);
	push @state, $node->sql(q{SELECT p.oid::regprocedure || ' ' || has_function_privilege('stratum_app', p.oid, 'EXECUTE')
		FROM pg_proc p WHERE p.pronamespace = 'stratum'::regnamespace ORDER BY 1}, db => $db);
	push @state, $node->sql(q{SELECT r.rolname || has_schema_privilege(r.oid, 'stratum', 'USAGE') FROM pg_roles r WHERE r.rolname LIKE 'stratum%' ORDER BY 1}, db => $db);
	return join "\n", @state;
}

my $before = state_of('source');
is($node->sql('SELECT count(*) FROM stratum.check_install()', db => 'source'), '0', 'the source is healthy');

my $copies = 0;
sub check_copy
{
	my ($name, $db) = @_;
	$copies++;
	is(state_of($db), $before, "$name: identical");
	is($node->sql('SELECT * FROM stratum.check_install()', db => $db), '', "$name: healthy");
	is($node->sql('SELECT string_agg(id::text || hash, $$,$$ ORDER BY id) FROM public.rich', db => $db),
		$node->sql('SELECT string_agg(id::text || hash, $$,$$ ORDER BY id) FROM public.rich', db => 'source'), "$name: the view answers");
	# The application goes on: ids continue, triggers and row security are at work.
	is($node->sql(<<'SQL', db => $db, user => 'app'), "2\nSouth 2|2|2|1|t", "$name: the next INSERT works");
BEGIN;
SELECT stratum.enter(2) \g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, impressions, clicks) VALUES ('google', 'y', 'acc', 'South 2', 100, 2);
SELECT count(*) FROM stratum.campaigns;
SELECT name, tenant_id, ctr, (SELECT count(*) FROM stratum.audit_logs WHERE resource_id = c.id::text AND resource_type = 'campaigns'),
  id = (SELECT max(id) FROM stratum.campaigns) FROM stratum.campaigns c WHERE external_id = 'y';
COMMIT;
SQL
	return;
}

sub run_ok
{
	my ($name, @command) = @_;
	my ($rc, $out, $err) = $node->command(@command);
	is($rc, 0, $name) or diag($err);
	return $err;
}

sub new_database
{
	my ($db) = @_;
	$node->sql("CREATE DATABASE $db");
	return $db;
}

# ---- every way of dumping --------------------------------------------------------------------------------------

run_ok('pg_dump, plain', 'pg_dump', '-f', "$dir/plain.sql", 'source');
my $err = run_ok('psql', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/plain.sql", new_database('plain'));
like($err, qr/NOTICE.*no storage is created while a dump is restored/, 'plain: it says so');
check_copy('plain', 'plain');

run_ok('pg_dump -Fc', 'pg_dump', '-Fc', '-f', "$dir/custom", 'source');
run_ok('pg_restore -1', 'pg_restore', '-1', '-d', new_database('custom'), "$dir/custom");
check_copy('custom', 'custom');

run_ok('pg_dump -Fd -j 2', 'pg_dump', '-Fd', '-j', '2', '-f', "$dir/directory", 'source');
run_ok('pg_restore -j 2', 'pg_restore', '-j', '2', '-d', new_database('directory'), "$dir/directory");
check_copy('directory -j 2', 'directory');

run_ok('schema only', 'pg_restore', '--schema-only', '-d', new_database('twostep'), "$dir/custom");
run_ok('--data-only --disable-triggers', 'pg_restore', '--data-only', '--disable-triggers', '-d', 'twostep', "$dir/custom");
check_copy('data only', 'twostep');

# over a live install
run_ok('--clean --if-exists', 'pg_restore', '--clean', '--if-exists', '-d', 'custom', "$dir/custom");
check_copy('over a live install', 'custom');

# without rights in the dump: check_install() says so, install() puts them back
run_ok('--no-privileges', 'pg_restore', '--no-privileges', '-d', new_database('norights'), "$dir/custom");
like($node->sql('SELECT string_agg(object, $$,$$) FROM stratum.check_install()', db => 'norights'), qr/right campaigns to stratum_app/, 'missing rights are found');
$node->sql('SELECT stratum.install()', db => 'norights');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'norights'), '', 'and put back');

# A dump of a database in which the rights were put back still has them.
run_ok('dump it again', 'pg_dump', '-Fc', '-f', "$dir/again", 'norights');
run_ok('restore it', 'pg_restore', '-d', new_database('again'), "$dir/again");
is($node->sql('SELECT * FROM stratum.check_install()', db => 'again'), '', 'rights that install() put back are dumped');

tried('dumps restored plain, custom, by two jobs, schema and data apart, over a live install; rows, sequences, rights, storage compared, and the application goes on', "$copies databases");
done_testing();
