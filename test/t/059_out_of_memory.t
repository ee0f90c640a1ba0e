#!/usr/bin/env perl
# One statement runs out of memory, at very many places: the backend's address space is limited to a little more than it has, in
# small steps up to what the statement needs. Each time it fails with 53200 and nothing else, the session goes on from its
# savepoint, the same call then comes to what it should, and nothing leaks.
#
#   STRATUM_SECONDS=600    so long, at random limits; by default some steps for each kind of work
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Session qw(leaks);
use Stratum::Shop qw(open_shop is_whole is_sound said_nothing_odd);
use Stratum::Tried qw(tried);
use Test::More;
use Time::HiRes qw(time);

plan skip_all => 'no prlimit here' if system('prlimit --version >/dev/null 2>&1') != 0 || !-r "/proc/$$/status";

my $until = time + ($ENV{STRATUM_SECONDS} // 0);
my $steps = 10;
# The heap grows by what is asked for, and shrinks when that is given back: so that every limit stops another allocation.
@ENV{qw(MALLOC_TOP_PAD_ MALLOC_TRIM_THRESHOLD_)} = (0, 0);
my $node = Stratum::Cluster->new(config => "autovacuum = off\njit = off\nmax_connections = 20\n");
open_shop($node, profiles => 500);
srand(my $seed = $ENV{STRATUM_SEED} // 42);

my $events = q{(SELECT jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase'])[1 + n % 3], 'external_id', 'x' || n * 3, 'anonymous_id', 'new' || n,
	'message_id', md5('e' || n), 'properties', jsonb_build_object('more', repeat('x', 3000)), 'traits', jsonb_build_object('n', n % 100))) FROM generate_series(1, 40) n)};
my $tree = q{(WITH RECURSIVE t (n, c) AS (SELECT 1, jsonb_build_object('field', 'trait.n', 'operator', 'in', 'value', (SELECT jsonb_agg(v) FROM generate_series(1, 2000) v)) UNION ALL
	SELECT n + 1, jsonb_build_object('logic', 'or', 'groups', jsonb_build_array(jsonb_build_object('conditions', jsonb_build_array(CASE n WHEN 1 THEN c ELSE '{"field": "trait.city", "operator": "matches", "value": "(B|O)+.*[a-z]{2,9}"}' END))) ||
		CASE n WHEN 1 THEN '[]' ELSE jsonb_build_array(c) END) FROM t WHERE n < 40) SELECT c FROM t ORDER BY n DESC LIMIT 1)};
my %work = (
	'refresh' => 'SELECT count(*) FROM stratum.refresh_segments()',
	'refresh of one' => 'SELECT * FROM stratum.refresh_segment(1)',
	'preview' => q{SELECT profile_count FROM stratum.preview_segment('{"conditions": [{"field": "event.Purchase.sum.total", "operator": "gte", "value": 1}, {"field": "trait.city", "operator": "matches", "value": "(B|O)+"}]}', 500)},
	'segments of a profile' => 'SELECT count(*) FROM stratum.cdp_profiles p, stratum.profile_segments(p.id) s',
	'a large definition' => "SELECT count(*) FROM (SELECT $tree AS c OFFSET 0) d, stratum.cdp_profiles p WHERE stratum.segment_matches(d.c, p)",
	'ingest' => "SELECT count(*) FROM stratum.ingest_events($events)",
	'bulk insert under audit' => q{INSERT INTO shop.stock SELECT 5000000 + n, 1, n, repeat('x', 1000) FROM generate_series(1, 1500) n},
	'bulk update under audit' => q{UPDATE shop.stock SET n = n + 1, note = repeat(note, 100)},
	'bulk delete under audit' => 'DELETE FROM shop.stock',
	'large values under audit' => q{INSERT INTO stratum.cdp_profiles (canonical_id, traits) SELECT gen_random_uuid(), jsonb_build_object('a', repeat('x', 3000000), 'b', (SELECT jsonb_agg(i) FROM generate_series(1, 20000) i))},
	'live segments' => q{UPDATE stratum.cdp_profiles SET traits = traits || '{"n": 31}'; SET CONSTRAINTS ALL IMMEDIATE},
	'a segment made live' => q{SELECT stratum.set_segment_options(id, is_live => true, keeps_history => true) FROM stratum.cdp_segments WHERE slug = 's2'},
	'seals' => 'SELECT stratum.seal_audit(1) >= 0; SELECT count(*) FROM stratum.verify_audit(1)',
	'rules' => 'SELECT count(*) FROM stratum.evaluate_rule(1, false)',
	'history' => q{SELECT count(*) FROM stratum.row_history('stratum.campaigns', '7'); SELECT count(stratum.row_as_of('stratum.campaigns', id::text, now())) FROM stratum.campaigns},
	'access' => 'SELECT count(stratum.export_subject(id)) FROM stratum.cdp_profiles WHERE id = 1',
	'audience' => 'SELECT count(*) FROM stratum.start_audience_sync(1); SELECT count(*) FROM stratum.audience_changes(1)',
	'entering' => q{SELECT count(*) FROM (SELECT stratum.enter(1, 1, 'r' || n, '10.0.0.1', repeat('b', 400)) FROM generate_series(1, 100) n) q},
	'hashes' => q{SELECT count(stratum.email_hash(repeat('A', 2000000) || n)), count(stratum.audience_hash('meta', 'email', repeat('A', 100000) || n)) FROM generate_series(1, 3) n});

my $counts = 'SELECT shop.counts()';
my ($tried, $failed) = (0, 0);

# kB of address space of a backend: that it has, or the most that it has had.
sub size
{
	my ($session, $which) = @_;
	open my $file, '<', '/proc/' . $session->pid . '/status' or die $!;
	my ($kb) = map { /^\Q$which\E:\s+(\d+) kB/ ? $1 : () } <$file>;
	return $kb;
}

sub limit { my ($session, $bytes) = @_; system('prlimit', '--pid', $session->pid, "--as=$bytes:") == 0 or die "prlimit failed\n"; return }

# A stack that would have to grow counts too, and cannot fail but by a crash: it has grown before.
sub fresh
{
	my $session = Stratum::Session->new($node, user => 'app') or die "no session\n";
	$session->query('SELECT ' . '(' x 3000 . '1' . ')' x 3000);
	$session->query('SELECT count(*) FROM (SELECT repeat($$[$$, 3000) || repeat($$]$$, 3000) AS t) s WHERE t::json IS NULL');
	return $session;
}

# The call with so many kB more than the backend has, in a block, and again without a limit; what is wrong.
sub starve
{
	my ($session, $call, $room, $expected) = @_;
	my @wrong;
	$session->query('BEGIN; SELECT stratum.enter(1, 1)');
	my $before = $session->query("$counts; SELECT stratum.current_tenant_id(), current_setting('session_replication_role'), current_setting('search_path'); SAVEPOINT a");
	limit($session, 1024 * (size($session, 'VmSize') + $room));
	$session->send($call);
	my ($said) = $session->answer(60);
	return "with $room kB the session is lost: $session->{seen}" unless defined $said;
	limit($session, 'unlimited');
	my @faults = $said =~ /^((?:ERROR|FATAL|PANIC|WARNING):.*)$/mg;
	# The other one is how PostgreSQL's own ~ puts it.
	push @wrong, map { "with $room kB: $_" } grep { !/53200|25P02|2201B: regular expression failed: out of memory/ } @faults;
	push @wrong, "with $room kB it came to $said, not $expected" if !@faults && $said ne "" && index($expected, "$said\n") != 0;
	$tried++;
	$failed++ if @faults;
	$session->query('ROLLBACK TO a');
	my $after = $session->query("$counts; SELECT stratum.current_tenant_id(), current_setting('session_replication_role'), current_setting('search_path')");
	push @wrong, "after $room kB: $before became $after" if $after ne $before;
	my $came_to = $session->query("$call; $counts");
	push @wrong, "after $room kB: $expected became $came_to" if $came_to ne $expected;
	$session->query('ROLLBACK');
	return @wrong;
}

# What the call comes to in a new session, and how many kB it takes.
sub measure
{
	my ($call) = @_;
	my $session = fresh();
	$session->query('BEGIN; SELECT stratum.enter(1, 1)');
	$session->query($counts);
	my $had = size($session, 'VmPeak');
	my $expected = $session->query("$call; $counts");
	return ($expected, size($session, 'VmPeak') - $had);
}

# In turns a session that is new, in which caches are filled too, and one that has seen all the failures before.
sub starve_in_steps
{
	my ($name, $times) = @_;
	my ($expected, $needs) = measure($work{$name});
	my ($veteran, @memory, @wrong) = (fresh());
	push @wrong, $expected if $expected =~ /ERROR/;
	for my $step (0 .. $times + 10)
	{
		last if $step > $times && !leaks(@memory);
		my $room = int($needs * ($step > $times ? rand : $step / $times) * 0.95);
		push @wrong, starve($step % 2 && $step <= $times ? fresh() : $veteran, $work{$name}, $room, $expected);
		push @memory, $veteran->memory if $step % 2 == 0 || $step > $times;
		last if @wrong;
	}
	push @wrong, leaks(@memory) unless @wrong;
	is(scalar @wrong, 0, "$name, which takes $needs kB") or diag(join "\n", map { substr $_, 0, 600 } @wrong);
	return;
}

my @names = grep { !$ENV{STRATUM_ONLY} || /$ENV{STRATUM_ONLY}/ } sort keys %work;
starve_in_steps($_, $steps) for @names;
starve_in_steps($names[ rand @names ], 20 + int rand 40) while time < $until;
cmp_ok($failed, '>', $tried / 3, "$failed of $tried statements ran out of memory");
is_whole($node, 'after all that');
is_sound($node, 'after all that');
said_nothing_odd($node, 'all the time');
tried(sprintf('out of memory at different allocations of %d kinds of work; then all is as before, nothing leaks', scalar @names), "$failed statements of $tried");
done_testing();
