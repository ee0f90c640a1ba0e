#!/usr/bin/env perl
# scope_unique_keys() lasts: through dumps, install() and updates; and the way down to 1.0 puts the keys back, if it can.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows is_same);
use Test::More;

my $node = Stratum::Cluster->new;
my $keys = q{SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
	WHERE conname IN ('cdp_profiles_canonical_id_key', 'cdp_events_message_id_key', 'cdp_profiles_tenant_id_canonical_id_key', 'cdp_events_tenant_id_message_id_key')};
my $scoped = 'cdp_events_tenant_id_message_id_key cdp_profiles_tenant_id_canonical_id_key';
my $global = 'cdp_events_message_id_key cdp_events_tenant_id_message_id_key cdp_profiles_canonical_id_key cdp_profiles_tenant_id_canonical_id_key';
my $healthy = 'SELECT * FROM stratum.check_install()';

for my $db (qw(plain scoped))
{
	$node->sql("CREATE DATABASE $db");
	$node->sql('CREATE EXTENSION stratum', db => $db);
	load_rows($node, $db);
}
$node->sql('CALL stratum.scope_unique_keys()', db => 'scoped');
is($node->sql($keys, db => 'plain'), $global, 'at first the keys are global');
is($node->sql($keys, db => 'scoped'), $scoped, 'and then of a tenant');

# ---- dumps -------------------------------------------------------------------------------------------------------

for my $jobs (0, 2)
{
	my $file = $node->dir . "/dump$jobs";
	my ($rc, undef, $err) = $node->command('pg_dump', '-Fc', '-U', 'postgres', '-f', $file, 'scoped');
	is($rc, 0, 'pg_dump') or diag($err);
	$node->sql("CREATE DATABASE restored$jobs");
	($rc, undef, $err) = $node->command('pg_restore', '-U', 'postgres', ($jobs ? ('-j', $jobs) : '-1'), '-d', "restored$jobs", $file);
	is($rc, 0, 'pg_restore' . ($jobs ? " -j $jobs" : '')) or diag($err);
	is($node->sql($keys, db => "restored$jobs"), $scoped, '    the keys are still of a tenant');
	is($node->sql($healthy, db => "restored$jobs"), '', '    healthy');
}

# ---- updates -----------------------------------------------------------------------------------------------------

my $before = structure($node, 'plain');
my $rows = rows($node, 'scoped');
$node->sql("ALTER EXTENSION stratum UPDATE TO '1.0'", db => 'scoped');
is($node->sql($keys, db => 'scoped'), $global, '1.0 has the global keys');
$node->sql("ALTER EXTENSION stratum UPDATE TO '1.1'", db => 'scoped');
is($node->sql($healthy, db => 'scoped'), '', 'and 1.1 keeps them: healthy');
is_same(structure($node, 'scoped'), $before, '    as if nothing had been');
is(rows($node, 'scoped'), $rows, '    with the same rows');

$node->sql('CALL stratum.scope_unique_keys()', db => 'scoped');
$node->sql(q{INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) SELECT t, md5('twice')::uuid FROM generate_series(1, 2) t}, db => 'scoped');
my ($rc, undef, $err) = $node->psql("ALTER EXTENSION stratum UPDATE TO '1.0'", db => 'scoped');
isnt($rc, 0, 'where two tenants share a key the way down is refused');
like($err, qr/ERROR:  version 1\.0 takes each canonical_id once, and 1 are there more than once\nHINT:  They came after stratum\.scope_unique_keys\(\)/, '    with what to do');
is($node->sql('SELECT stratum.version()', db => 'scoped'), '1.1', '    and nothing has changed');
is($node->sql($healthy, db => 'scoped'), '', '    healthy');
done_testing();
