#!/usr/bin/env perl
# Profiles and segments change at random while others refresh; what the last refresh leaves is what segment_matches() says.
#
#   STRATUM_SECONDS=60    so long; the default is 8
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $seconds = $ENV{STRATUM_SECONDS} // 8;
my $profiles = 1500;
my $node = Stratum::Cluster->new(config => "deadlock_timeout = 200ms\nmax_connections = 30\n");
my $dir = $node->dir;

# Definitions whose members change with the profiles, and some that all or none match.
my $definition = q{jsonb_build_object('logic', (ARRAY['and', 'or', 'not'])[1 + :l], 'conditions', jsonb_build_array(
	jsonb_build_object('field', 'trait.n', 'operator', (ARRAY['gte', 'less_than', 'equals'])[1 + :o], 'value', :v),
	jsonb_build_object('field', 'trait.color', 'operator', 'in', 'value', '["red", "green"]'::jsonb)))};
my $wide = q{jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', (ARRAY['is_null', 'is_not_null'])[1 + :l])))};
my $traits = q{jsonb_build_object('n', :v, 'color', (ARRAY['red', 'green', 'blue', 'none'])[1 + :o])};
my $random = join "\n", '\set id random(1, 2500)', '\set segment random(1, 40)', '\set v random(0, 100)', '\set l random(0, 1)', '\set o random(0, 2)';

# Profiles with events stay: these refer to them.
my %profiles = (
	update => [ 40, "UPDATE stratum.cdp_profiles SET traits = $traits WHERE id = :id" ],
	erase => [ 3, 'UPDATE stratum.cdp_profiles SET traits = NULL WHERE id = :id' ],
	insert => [ 20, "INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (gen_random_uuid(), $traits)" ],
	delete => [ 20, 'DELETE FROM stratum.cdp_profiles WHERE id = :id AND id % 10 > 0' ],
	event => [ 5, "INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'Purchase', 'track', now() FROM stratum.cdp_profiles WHERE id = :id AND id % 10 = 0" ]);
my %segments = (
	edit => [ 6, "UPDATE stratum.cdp_segments SET conditions = $definition WHERE id = :segment" ],
	widen => [ 3, "UPDATE stratum.cdp_segments SET conditions = $wide WHERE id = :segment" ],
	switch => [ 2, 'UPDATE stratum.cdp_segments SET is_active = NOT is_active WHERE id = :segment' ],
	found => [ 3, "INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('new', $definition)" ],
	remove => [ 2, 'DELETE FROM stratum.cdp_segments WHERE id = :segment AND id > 10' ]);
my %refreshes = (
	all => [ 3, 'SELECT count(*) FROM stratum.refresh_segments()' ],
	one => [ 1, 'SELECT * FROM stratum.refresh_segment(1 + :segment % 10)' ]);

# A pgbench script for each: one transaction of the tenant's application.
sub scripts
{
	my (%transactions) = @_;
	my @options;
	for my $name (sort keys %transactions)
	{
		my ($weight, $statement) = @{ $transactions{$name} };
		$statement =~ s/\s*\n\s*/ /g;
		open my $file, '>', "$dir/$name.sql" or die $!;
		print $file "$random\nBEGIN;\nSELECT stratum.enter(1);\n$statement;\nCOMMIT;\n";
		close $file;
		push @options, '-f', "$dir/$name.sql\@$weight";
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
	open my $file, '<', "$dir/$name.log" or return '';
	local $/;
	return <$file> // '';
}

$node->sql("CREATE EXTENSION stratum;
	CREATE ROLE app LOGIN IN ROLE stratum_app;
	INSERT INTO stratum.tenants (name, slug) VALUES ('One', 'one'), ('Two', 'two');
	BEGIN;
	SELECT stratum.enter(1);
	SELECT setseed(0.5);
	INSERT INTO stratum.cdp_profiles (canonical_id, traits)
		SELECT gen_random_uuid(), jsonb_build_object('n', n % 101, 'color', (ARRAY['red', 'green', 'blue'])[1 + n % 3]) FROM generate_series(1, $profiles) n;
	INSERT INTO stratum.cdp_segments (name, conditions)
		SELECT 's' || n, CASE WHEN n = 1 THEN '{\"conditions\": [{\"field\": \"event.Purchase.count\", \"operator\": \"gte\", \"value\": 1}]}'
			ELSE jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', n))) END
		FROM generate_series(1, 40) n;
	COMMIT");

my $transactions = 0;
my %pid = (
	profiles => start_pgbench('profiles', 3, scripts(%profiles)),
	segments => start_pgbench('segments', 1, scripts(%segments)),
	refreshes => start_pgbench('refreshes', 2, scripts(%refreshes)));
for my $name (sort keys %pid)
{
	waitpid $pid{$name}, 0;
	is($?, 0, "$name went through") or diag(log_of($name));
	my ($done) = log_of($name) =~ /transactions actually processed: (\d+)/;
	$transactions += $done // 0;
	cmp_ok($done // 0, '>', 2, "$name: " . ($done // 'no') . ' transactions');
}

# ---- and when all is still -------------------------------------------------------------------------------------

$node->sql('BEGIN; SELECT stratum.enter(1); UPDATE stratum.cdp_segments SET is_active = true; SELECT count(*) FROM stratum.refresh_segments(); COMMIT');
cmp_ok($node->sql('SELECT count(*) FROM stratum.cdp_segment_memberships'), '>', 1000, 'there are members');
is($node->sql('SELECT count(*) FROM stratum.cdp_segments s CROSS JOIN stratum.cdp_profiles p
		LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = s.id AND m.profile_id = p.id
		WHERE stratum.segment_matches(s.conditions, p) <> (m.profile_id IS NOT NULL)'), 0, 'they are the right ones');
is($node->sql('SELECT count(*) FROM stratum.cdp_segment_memberships m
		LEFT JOIN stratum.cdp_segments s ON s.id = m.segment_id AND s.tenant_id = m.tenant_id
		LEFT JOIN stratum.cdp_profiles p ON p.id = m.profile_id AND p.tenant_id = m.tenant_id
		WHERE s.id IS NULL OR p.id IS NULL'), 0, 'none is of a profile or segment that is gone');
is($node->sql('SELECT count(*) FROM stratum.cdp_segments s
		WHERE s.profile_count <> (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.segment_id = s.id)'), 0, 'and they are counted');

open my $file, '<', $node->log_file or die $!;
my $log = do { local $/; <$file> };
is(() = $log =~ /ERROR|FATAL|PANIC/g, 0, 'no deadlock, nor any other error') or diag($log);

tried('refreshes, writes to profiles and to segments at once; then memberships recounted', "$transactions transactions of 6 clients");
done_testing();
