#!/usr/bin/env perl
# A refresh that is cancelled in the middle leaves everything as it was; one that takes long says so, and no other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'A', 'a');
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, traits) SELECT 1, md5(n::text)::uuid, jsonb_build_object('n', n) FROM generate_series(1, 20000) n;
INSERT INTO stratum.cdp_segments (tenant_id, name, conditions)
SELECT 1, 's' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', n))) FROM generate_series(1, 30) n;
VACUUM ANALYZE stratum.cdp_profiles;
SQL

my $nothing = '0|0||origin';
my $state = q{SELECT (SELECT count(*) FROM stratum.cdp_segment_memberships), sum(profile_count), max(last_computed_at), current_setting('session_replication_role') FROM stratum.cdp_segments};
my $refresh = 'SELECT count(*), sum(profile_count), sum(added), sum(removed) FROM stratum.refresh_segments()';

# ---- cancelled ---------------------------------------------------------------------------------------------------

my $cancelled = 0;
for my $after (20, 100, 250, 600, 1000)
{
	my (undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1)\\g /dev/null\nSET LOCAL statement_timeout = $after; $refresh; ROLLBACK; $state;");
	$cancelled++ if $err =~ /canceling statement due to statement timeout/;
	like($out, qr/^\Q$nothing\E$/m, "after $after ms: nothing is written, and the session is as it was");
	# In a block that goes on, the references' triggers are back at once.
	(undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1)\\g /dev/null\nSAVEPOINT s; SET LOCAL statement_timeout = $after; $refresh; ROLLBACK TO s; $state;
		INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id) VALUES (1, 1, -1); ROLLBACK");
	like($out, qr/^\Q$nothing\E$/m, '    the same in a savepoint') if $err =~ /timeout/;
	like($err, qr/violates foreign key constraint/, '    where references are looked after');
}
cmp_ok($cancelled, '>', 1, 'there was something to cancel');

# Somebody else cancels it, while it writes without the triggers.
my $pid = fork // die $!;
if ($pid == 0)
{
	select undef, undef, undef, 0.6;
	my $psql = $node->bin . '/psql';
	local %ENV = (%ENV, PGHOST => $node->dir, PGUSER => 'postgres', PGDATABASE => 'postgres');
	for (1 .. 40)
	{
		my $found = `$psql -XqAt -c "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%refresh_segments%' AND state = 'active' AND pid <> pg_backend_pid()" 2>/dev/null`;
		last if $found =~ /t/;
		select undef, undef, undef, 0.1;
	}
	require POSIX;
	POSIX::_exit(0);
}
my (undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1)\\g /dev/null\n$refresh; ROLLBACK; $state;");
waitpid $pid, 0;
like($err, qr/canceling statement due to user request/, 'cancelled by another session');
like($out, qr/^\Q$nothing\E$/m, '    nothing is written');

# ---- progress ----------------------------------------------------------------------------------------------------

sub enter_and { my ($sql) = @_; return $node->psql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\n$sql; ROLLBACK") }
(undef, $out, $err) = enter_and("SET LOCAL stratum.progress_interval = 1; $refresh");
is($out, "30|599565|599565|0\n", 'it comes to its end');
like($err, qr/NOTICE:  segments of tenant 1: 30 segments and 20000 profiles in \d+\.\d seconds, \d+ profiles a second\nDETAIL:  599565 memberships; 599565 added, 0 removed\.\n/, 'and says what it came to');
(undef, $out, $err) = enter_and("SET LOCAL stratum.progress_interval = 0; $refresh");
is($err, '', 'not where it was told to be silent');
(undef, $out, $err) = $node->psql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT count(*) FROM stratum.refresh_segment(1); COMMIT");
is($err, '', 'nor when it is short');

# ---- in parallel ---------------------------------------------------------------------------------------------------

(undef, $out, $err) = enter_and("SET LOCAL stratum.progress_interval = 0; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2; $refresh");
is("$out$err", "30|599565|579565|0\n", 'workers come to the same');
(undef, $out, $err) = enter_and("SET LOCAL stratum.progress_interval = 0; SET LOCAL maintenance_work_mem = '1MB'; $refresh");
is("$out$err", "30|599565|579565|0\n", 'so do ranges of profiles');
is($node->sql('SELECT count(*) FROM stratum.cdp_segment_memberships'), '20000', 'only what was committed is there');

tried('a refresh cancelled while it reads or writes', $cancelled + 1 . ' times');
done_testing();
