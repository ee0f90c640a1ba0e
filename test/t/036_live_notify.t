#!/usr/bin/env perl
# NOTIFY stratum_segments where a payload would be too long, two-phase commit, sessions that write without triggers, and
# live segments and histories in a dump.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new(config => "max_prepared_transactions = 2\n");
my $dir = $node->dir;
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'A', 'a');
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions)
SELECT n, 1, 's' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', n))) FROM generate_series(1, 2000) n;
INSERT INTO stratum.cdp_segment_options (tenant_id, segment_id, is_live) SELECT 1, n, true FROM generate_series(1, 2000) n;
BEGIN; SELECT stratum.enter(1) \g /dev/null
SELECT stratum.set_segment_options(1, keeps_history => true) \g /dev/null
COMMIT;
SQL
my $insert = 'INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) VALUES';
my $members = 'SELECT count(*) FROM stratum.cdp_segment_memberships WHERE profile_id =';

# What a session hears of its own transactions.
sub heard
{
	my ($sql) = @_;
	my (undef, $out, $err) = $node->psql("LISTEN stratum_segments;\n$sql");
	is($err, '', '    without a complaint');
	return join "\n", $out =~ /^Asynchronous notification "stratum_segments" with payload "(.*)" received/mg;
}

# ---- payloads ----------------------------------------------------------------------------------------------------

is(heard("$insert (1, 1, gen_random_uuid(), '{\"n\": 3}');"), '{"tenant_id": 1, "profile_id": 1, "entered": [1, 2, 3], "left": []}', 'who comes in');
is(heard("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 2}';"), '{"tenant_id": 1, "profile_id": 1, "entered": [], "left": [3]}', 'and goes');
like(heard("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 1300}';"), qr/"entered": \[3, 4, .*, 1300\], "left": \[\]}$/, 'many');
$node->sql("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 0}'");
is(heard("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 2000}';"), '{"tenant_id": 1, "profile_id": 1, "entered": null, "left": null}', 'too many to be named');
is($node->sql("$members 1"), 2000, '    they are all there');
is(heard("BEGIN; UPDATE stratum.cdp_profiles SET traits = '{\"n\": 1999}'; $insert (2, 1, gen_random_uuid(), '{\"n\": 1}'), (3, 1, gen_random_uuid(), '{\"n\": 0}'); COMMIT;"),
	qq({"tenant_id": 1, "profile_id": 1, "entered": [], "left": [2000]}\n{"tenant_id": 1, "profile_id": 2, "entered": [1], "left": []}), 'one for each profile that changed');
is(heard("BEGIN; UPDATE stratum.cdp_profiles SET traits = '{\"n\": 1}'; SAVEPOINT s; SELECT stratum.settle_segments(); ROLLBACK TO s; ROLLBACK;"), '', 'none of what was rolled back');

# ---- two phases --------------------------------------------------------------------------------------------------

$node->sql("BEGIN; $insert (10, 1, gen_random_uuid(), '{\"n\": 7}'); PREPARE TRANSACTION 'x'");
is($node->sql("$members 10"), 0, 'prepared: not to be seen yet');
cmp_ok($node->sql(q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')), '>', 0, '    the locks are kept');
is($node->sqlstate("SET lock_timeout = '100ms'; BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT stratum.set_segment_options(2, is_live => false); COMMIT"), '55P03', '    so that who changes a segment waits');
is(heard("COMMIT PREPARED 'x';"), '', 'nothing is told of a transaction that was prepared');
is($node->sql("$members 10"), 7, '    but its memberships are there');
$node->sql("BEGIN; UPDATE stratum.cdp_profiles SET traits = '{}' WHERE id = 10; PREPARE TRANSACTION 'y'");
$node->sql("ROLLBACK PREPARED 'y'");
is($node->sql("$members 10"), 7, 'and the other way round');

# ---- without triggers --------------------------------------------------------------------------------------------

$node->sql("SET session_replication_role = replica; $insert (11, 1, gen_random_uuid(), '{\"n\": 5}')");
is($node->sql("$members 11"), 0, 'a session without triggers leaves memberships as they are');
is($node->sql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT sum(added), sum(removed) FROM stratum.refresh_segments(); COMMIT"), '5|0', '    to be found by a refresh');

# ---- a dump ------------------------------------------------------------------------------------------------------

for my $command ([ 'pg_dump', '-Fc', '-f', "$dir/dump", 'postgres' ], [ 'createdb', 'copy' ], [ 'pg_restore', '-d', 'copy', "$dir/dump" ])
{
	my ($rc, undef, $err) = $node->command(@$command);
	is($rc, 0, $command->[0]) or diag($err);
}
for my $table (qw(cdp_segment_options cdp_segment_history cdp_segment_memberships))
{
	my $all = "SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM stratum.$table t";
	is($node->sql($all, db => 'copy'), $node->sql($all), "$table is the same");
}
is($node->sql('SELECT * FROM stratum.check_install()', db => 'copy'), '', 'healthy');
$node->sql("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 1}' WHERE id = 10", db => 'copy');
is($node->sql("$members 10", db => 'copy'), 1, 'and alive');
is($node->sql("SELECT count(*), count(left_at) FROM stratum.cdp_segment_history WHERE profile_id = 10", db => 'copy'), '1|0', '    with its history going on');
$node->sql('DROP EXTENSION stratum CASCADE', db => 'copy');
$node->sql("INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) VALUES (12, 1, gen_random_uuid(), '{\"n\": 9}')", db => 'copy');
$node->sql('CREATE EXTENSION stratum', db => 'copy');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'copy'), '', 'dropped and made again: healthy');
$node->sql("UPDATE stratum.cdp_profiles SET traits = '{\"n\": 4}' WHERE id = 12", db => 'copy');
is($node->sql("$members 12", db => 'copy'), 4, '    and alive again');

# ---- the version before ------------------------------------------------------------------------------------------

is($node->sqlstate("ALTER EXTENSION stratum UPDATE TO '1.0'", db => 'copy'), '55000', 'going down would lose the history');
$node->sql("DELETE FROM stratum.cdp_segment_history", db => 'copy');
is($node->sqlstate("ALTER EXTENSION stratum UPDATE TO '1.0'", db => 'copy'), '55000', '    and what is live');
$node->sql("SET stratum.allow_data_loss = on; ALTER EXTENSION stratum UPDATE TO '1.0'; INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) VALUES (13, 1, gen_random_uuid(), '{}'); ALTER EXTENSION stratum UPDATE TO '1.1'", db => 'copy');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'copy'), '', 'down and up in one session: healthy');
is($node->sql("$members 12", db => 'copy'), 4, '    with the memberships');
done_testing();
