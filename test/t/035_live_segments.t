#!/usr/bin/env perl
# Several clients write profiles, events and segments at random while segments are kept live. When all is still, a refresh
# finds nothing to do, SQL written by hand agrees, and the history tells the same as the memberships.
#
#   STRATUM_SECONDS=3600    so long; the default is 8
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $seconds = $ENV{STRATUM_SECONDS} // 8;
my $node = Stratum::Cluster->new(config => "deadlock_timeout = 200ms\nmax_connections = 40\n");
my $dir = $node->dir;

# ---- what is written -------------------------------------------------------------------------------------------

my $traits = q{jsonb_build_object('n', :v, 'color', (ARRAY['red', 'green', 'blue', 'none'])[1 + :o])};
my $names = q{(ARRAY['Purchase', 'Visit', 'Other'])[1 + :o]};
my $event = "INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, timestamp) SELECT p.id, $names, 'track', jsonb_build_object('total', :v), now() - :v * interval '1 hour' FROM stratum.cdp_profiles p WHERE";
my $definition = q{jsonb_build_object('logic', (ARRAY['and', 'or'])[1 + :l], 'conditions', jsonb_build_array(
	jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', :v),
	jsonb_build_object('field', 'event.Purchase.count', 'operator', 'gte', 'value', 1 + :o)))};
my $random = join "\n", '\set id random(1, 300)', '\set other random(1, 300)', '\set segment random(1, 40)', '\set v random(0, 100)',
	'\set l random(0, 1)', '\set o random(0, 2)';

# Profiles of odd ids have no events and may be deleted.
my %writes = (
	update => [ 30, "UPDATE stratum.cdp_profiles SET traits = $traits WHERE id = :id" ],
	touch => [ 5, 'UPDATE stratum.cdp_profiles SET last_seen_at = now() WHERE id = :id' ],
	insert => [ 5, "INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (gen_random_uuid(), $traits)" ],
	delete => [ 4, 'DELETE FROM stratum.cdp_profiles WHERE id = :id AND id % 2 = 1' ],
	event => [ 40, "$event p.id = :id AND p.id % 2 = 0" ],
	two => [ 5, "$event p.id = :id AND p.id % 2 = 0;\nUPDATE stratum.cdp_profiles SET traits = $traits WHERE id = :other" ],
	bulk => [ 2, "$event p.id % 2 = 0 AND p.id % 3 = :o" ],
	forget => [ 10, 'DELETE FROM stratum.cdp_events WHERE id = (SELECT max(e.id) FROM stratum.cdp_events e WHERE e.profile_id = :id)' ],
	move => [ 5, 'UPDATE stratum.cdp_events SET profile_id = :other / 2 * 2 WHERE id = (SELECT max(e.id) FROM stratum.cdp_events e WHERE e.profile_id = :id) AND EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.id = :other / 2 * 2)' ],
	rename => [ 5, "UPDATE stratum.cdp_events SET event_name = $names WHERE id = (SELECT max(e.id) FROM stratum.cdp_events e WHERE e.profile_id = :id)" ],
	settle => [ 5, "$event p.id = :id AND p.id % 2 = 0;\nSELECT stratum.settle_segments()" ],
	undo => [ 5, "$event p.id = :id AND p.id % 2 = 0;\nSAVEPOINT s;\nUPDATE stratum.cdp_profiles SET traits = $traits WHERE id = :id;\nSELECT stratum.settle_segments();\nROLLBACK TO s" ]);
my %one_snapshot = map { $_ => $writes{$_} } qw(update event two forget bulk);
my %segments = (
	edit => [ 5, "UPDATE stratum.cdp_segments SET conditions = $definition WHERE id = :segment AND id > 2" ],
	switch => [ 2, 'UPDATE stratum.cdp_segments SET is_active = NOT is_active WHERE id = :segment AND id > 4' ],
	options => [ 4, 'SELECT stratum.set_segment_options(s.id, is_live => :l = 1) FROM stratum.cdp_segments s WHERE s.id = :segment AND s.id > 4' ],
	keep => [ 2, 'SELECT stratum.set_segment_options(s.id, keeps_history => :l = 1) FROM stratum.cdp_segments s WHERE s.id = :segment AND s.id > 4' ],
	found => [ 3, "WITH s AS (INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('new', $definition) RETURNING id) SELECT id FROM s" ],
	remove => [ 2, 'DELETE FROM stratum.cdp_segments WHERE id = :segment AND id > 10' ]);
my %refreshes = (
	all => [ 3, 'SELECT count(*) FROM stratum.refresh_segments()' ],
	one => [ 1, 'SELECT * FROM stratum.refresh_segment(1 + :segment % 10)' ]);

# A pgbench script for each: one transaction of the tenant's application.
sub scripts
{
	my ($level, %transactions) = @_;
	my @options;
	for my $name (sort keys %transactions)
	{
		my ($weight, $statement) = @{ $transactions{$name} };
		$statement =~ s/[\t ]*\n\t+/ /g;
		open my $file, '>', "$dir/$level-$name.sql" or die $!;
		print $file "$random\nBEGIN ISOLATION LEVEL $level;\nSELECT stratum.enter(1);\n$statement;\nCOMMIT;\n";
		close $file;
		push @options, '-f', "$dir/$level-$name.sql\@$weight";
	}
	return @options;
}

# In a process of its own, whose output is kept.
sub start_pgbench
{
	my ($name, $clients, @options) = @_;
	my $pid = fork // die $!;
	return $pid if $pid;
	open STDOUT, '>', "$dir/$name.log" or die $!;
	open STDERR, '>&', \*STDOUT or die $!;
	@ENV{qw(PGHOST PGUSER PGDATABASE)} = ($dir, 'app', 'postgres');
	exec $node->bin . '/pgbench', '-n', '-c', $clients, '-T', $seconds, '--random-seed=42', @options or die $!;
}

sub log_of
{
	my ($name) = @_;
	open my $file, '<', $name or return '';
	local $/;
	return <$file> // '';
}

$node->sql("CREATE EXTENSION stratum;
	CREATE ROLE app LOGIN IN ROLE stratum_app;
	INSERT INTO stratum.tenants (name, slug) VALUES ('One', 'one'), ('Two', 'two');
	BEGIN;
	SELECT stratum.enter(1);
	INSERT INTO stratum.cdp_profiles (canonical_id, traits)
		SELECT gen_random_uuid(), jsonb_build_object('n', n % 101, 'color', (ARRAY['red', 'green', 'blue'])[1 + n % 3]) FROM generate_series(1, 300) n;
	INSERT INTO stratum.cdp_segments (name, conditions) VALUES
		('buyers', '{\"conditions\": [{\"field\": \"event.Purchase.count\", \"operator\": \"gte\", \"value\": 3}]}'),
		('rich', '{\"conditions\": [{\"field\": \"trait.n\", \"operator\": \"gte\", \"value\": 50}, {\"field\": \"event.Visit.sum.total\", \"operator\": \"less_than\", \"value\": 100}]}');
	INSERT INTO stratum.cdp_segments (name, conditions) SELECT 's' || n, jsonb_build_object('conditions', jsonb_build_array(
		jsonb_build_object('field', CASE n % 2 WHEN 0 THEN 'trait.n' ELSE 'event.Visit.count' END, 'operator', 'gte', 'value', n))) FROM generate_series(3, 30) n;
	SELECT stratum.set_segment_options(id, is_live => true, keeps_history => id % 2 = 1) FROM stratum.cdp_segments WHERE id <= 20;
	COMMIT");

my $transactions = 0;
my %pid = (
	writes => start_pgbench('writes', 4, scripts('READ COMMITTED', %writes)),
	one_snapshot => start_pgbench('one_snapshot', 2, '--max-tries=0', scripts('REPEATABLE READ', %one_snapshot)),
	segments => start_pgbench('segments', 1, scripts('READ COMMITTED', %segments)),
	refreshes => start_pgbench('refreshes', 1, scripts('READ COMMITTED', %refreshes)));
for my $name (sort keys %pid)
{
	waitpid $pid{$name}, 0;
	is($?, 0, "$name went through") or diag(log_of("$dir/$name.log"));
	my ($done) = log_of("$dir/$name.log") =~ /transactions actually processed: (\d+)/;
	$transactions += $done // 0;
	cmp_ok($done // 0, '>', 10, "$name: " . ($done // 'no') . ' transactions');
}

# ---- and when all is still -------------------------------------------------------------------------------------

my $live = 'SELECT o.segment_id FROM stratum.cdp_segment_options o JOIN stratum.cdp_segments s ON s.id = o.segment_id WHERE o.is_live AND s.is_active';
cmp_ok($node->sql("SELECT count(*) FROM ($live) l"), '>=', 4, 'there are live segments');
cmp_ok($node->sql("SELECT count(*) FROM stratum.cdp_segment_memberships WHERE segment_id IN ($live)"), '>', 300, 'with members');
is($node->sql("SELECT count(*) FROM stratum.cdp_segments s CROSS JOIN stratum.cdp_profiles p
		LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = s.id AND m.profile_id = p.id
		WHERE s.id IN ($live) AND stratum.segment_matches(s.conditions, p) <> (m.profile_id IS NOT NULL)"), 0, 'the right ones');
is($node->sql("SELECT count(*) FROM stratum.cdp_profiles p
		LEFT JOIN stratum.cdp_segment_memberships b ON b.segment_id = 1 AND b.profile_id = p.id
		LEFT JOIN stratum.cdp_segment_memberships r ON r.segment_id = 2 AND r.profile_id = p.id
		WHERE ((SELECT count(*) FROM stratum.cdp_events e WHERE e.profile_id = p.id AND e.event_name = 'Purchase') >= 3) <> (b.profile_id IS NOT NULL)
		OR (coalesce((p.traits->>'n')::numeric, 0) >= 50 AND (SELECT sum((e.properties->>'total')::numeric) FROM stratum.cdp_events e WHERE e.profile_id = p.id AND e.event_name = 'Visit') < 100) IS TRUE <> (r.profile_id IS NOT NULL)"), 0, 'so says SQL');
is($node->sql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT count(*), sum(added), sum(removed) FROM stratum.refresh_segments() WHERE segment_id IN ($live); ROLLBACK"),
	$node->sql("SELECT count(*) || '|0|0' FROM ($live) l"), 'a refresh adds none and removes none');
is($node->sql('SELECT count(*) FROM (SELECT segment_id, profile_id FROM stratum.cdp_segment_history WHERE left_at IS NULL) h
		FULL JOIN (SELECT m.* FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_segment_options o USING (segment_id) WHERE o.keeps_history) m USING (segment_id, profile_id)
		WHERE h.profile_id IS NULL OR m.profile_id IS NULL'), 0, 'the history says the same');
cmp_ok($node->sql('SELECT count(*) FROM stratum.cdp_segment_history WHERE left_at IS NOT NULL'), '>', 10, '    and has stays that are over');
is($node->sql('SELECT count(*) FROM stratum.cdp_segment_history a JOIN stratum.cdp_segment_history b USING (segment_id, profile_id)
		WHERE a.id < b.id AND (a.entered_at, coalesce(a.left_at, $$infinity$$)) OVERLAPS (b.entered_at, coalesce(b.left_at, $$infinity$$))'), 0, '    of which none overlap');

my $log = log_of($node->log_file);
my @errors = grep { !/could not serialize access/ } $log =~ /^.*?(?:ERROR|FATAL|PANIC):.*/gm;
is(scalar @errors, 0, 'no deadlock, nor any other error') or diag($log);
cmp_ok($node->sql(q(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')), '==', 0, 'no lock is left');

tried('live segments under concurrent writes in two isolation levels; then memberships and histories recounted', "$transactions transactions of 8 clients");
done_testing();
