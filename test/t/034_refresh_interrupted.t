#!/usr/bin/env perl
# A refresh that is cancelled in the middle leaves everything as it was; one that takes long says so, and no other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Session;
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

# The time-out holds for what ends the transaction, too, and is there until that has succeeded.
sub back { my ($sql) = @_; return "$sql;\n\\if :ERROR\n$sql;\n\\endif\n" }
my ($back, $back_to) = (back('ROLLBACK'), back('ROLLBACK TO s'));

my $cancelled = 0;
for my $after (20, 100, 250, 600, 1000)
{
	my (undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1)\\g /dev/null\nSET LOCAL statement_timeout = $after; $refresh;\n$back$state;");
	$cancelled++ if $err =~ /canceling statement due to statement timeout/;
	like($out, qr/^\Q$nothing\E$/m, "after $after ms: nothing is written, and the session is as it was");
	# In a block that goes on, the references' triggers are back at once.
	(undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1)\\g /dev/null\nSAVEPOINT s; SET LOCAL statement_timeout = $after; $refresh;\n$back_to$state;
		INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id) VALUES (1, 1, -1); ROLLBACK");
	like($out, qr/^\Q$nothing\E$/m, '    the same in a savepoint') if $err =~ /timeout/;
	like($err, qr/violates foreign key constraint/, '    where references are looked after');
}
cmp_ok($cancelled, '>', 1, 'there was something to cancel');

# Somebody else cancels it, while it writes without the triggers: the table, which is empty, grows.
$node->sql('TRUNCATE stratum.cdp_segment_memberships');
my $session = Stratum::Session->new($node);
$session->query('BEGIN; SELECT stratum.enter(1)');
$session->send($refresh);
ok($node->comes_true(q{SELECT pg_relation_size('stratum.cdp_segment_memberships') > 0}), 'it writes');
$session->cancel;
my ($said) = $session->answer(120);
like($said, qr/57014: canceling statement due to user request/, 'cancelled by somebody else');
is($session->query("ROLLBACK; $state"), $nothing, '    nothing is written');

# ---- progress ----------------------------------------------------------------------------------------------------

sub enter_and { my ($sql) = @_; return $node->psql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\n$sql; ROLLBACK") }
# However fast the machine is: it takes more than a second, since it has to wait that long for a lock.
my $in_the_way = Stratum::Session->new($node);
$in_the_way->query('BEGIN; LOCK TABLE stratum.cdp_segment_memberships IN SHARE MODE');
$session->query('BEGIN; SELECT stratum.enter(1); SET LOCAL stratum.progress_interval = 1');
$session->send($refresh);
ok($node->comes_true('SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pid = ' . $session->pid), 'a refresh that takes long');
sleep 2;
$in_the_way->query('COMMIT');
($said) = $session->answer(120);
like($said, qr/^30\|599565\|599565\|0$/m, 'comes to its end');
like($said, qr/NOTICE:  00000: segments of tenant 1: 30 segments and 20000 profiles in \d+\.\d seconds, \d+ profiles a second\nDETAIL:  599565 memberships; 599565 added, 0 removed\.\n/, 'and says what it came to');
$session->query('ROLLBACK');
my (undef, $out, $err) = enter_and("SET LOCAL stratum.progress_interval = 0; $refresh");
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
