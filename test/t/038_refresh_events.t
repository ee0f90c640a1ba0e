#!/usr/bin/env perl
# A refresh reads events in the order of profiles or as they come, all or those of some names, as PostgreSQL finds it cheaper: the
# members are the same, in one range of profiles or in many, by one process or several; and it can be cancelled.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new(config => "max_worker_processes = 8\nautovacuum = off\n");

# 1500 profiles, of which every ninth has no events; names of all lengths, some of which differ in a byte only. At a few moments many
# things happened at once.
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'A', 'a'), (2, 'B', 'b');
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) SELECT 1 + n % 2, md5(n::text)::uuid FROM generate_series(1, 3000) n;
CREATE FUNCTION name(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT (ARRAY['A', 'B', '12345678', '12345679', '1234567812345678', '1234567812345679', 'Order Completed ' || repeat('x', 200), 'Order Completed ' || repeat('x', 199) || 'y', 'ä', 'never'])[1 + n % 10]
$$;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
	SELECT p.tenant_id, p.id, name(hashint4(n * 7 + p.id) & 1023), 'track', jsonb_build_object('amount', n * 17 % 50, 'plan', 'p' || n % 3, 'filler', repeat('z', 300)), now() - (hashint4(p.id + n * 99991) & 63) * interval '1 day'
	FROM stratum.cdp_profiles p, generate_series(1, 40) n
	WHERE p.id % 9 <> 0 AND n < 3 + p.id % 37;
VACUUM ANALYZE stratum.cdp_events;
SQL

my $n = 0;
my @definitions;
sub condition { my ($field, $rest) = @_; push @definitions, qq({"conditions": [{"field": $field, $rest}]}) }
for my $name ('A', 'B', '12345678', '12345679', '1234567812345678', '1234567812345679', 'Order Completed ' . 'x' x 200, 'Order Completed ' . 'x' x 199 . 'y', "ä", 'elsewhere')
{
	condition(qq(["event", "$name", "count"]), '"operator": "gte", "value": ' . (1 + ++$n % 4) . ', "within_days": ' . 7 * $n);
	condition(qq(["event", "$name", "exists"]), '"operator": "equals", "value": false, "within_days": ' . 3 * $n);
	condition(qq(["event", "$name", "last"]), '"operator": "within_last", "value": 9');
}
condition('"event.A.first_time"', '"operator": "equals", "value": true, "within_days": 50');
push @definitions, '{"conditions": [{"sequence": [{"event": "A"}, {"event": "B", "within_days": 4}]}]}',
	'{"conditions": [{"sequence": [{"event": "A"}, {"event": "A"}, {"event": "12345678", "then_not": true}]}]}';
my @plain = @definitions;
condition('"event.B.sum.amount"', '"operator": "greater_than", "value": 60');
condition('"event.A.property.plan"', '"operator": "equals", "value": "p1"');
condition('"event.A.count"', '"operator": "gte", "value": 2, "where": {"conditions": [{"field": "property.amount", "operator": "gte", "value": 20}]}');

# Asked profile by profile. Times are whole days before those of the events, so it holds for the rest of the test.
my $one_by_one = q{SELECT md5(string_agg(s.id || ' ' || p.profile_id, ',' ORDER BY s.id, p.profile_id)), count(*) FROM stratum.cdp_segments s, stratum.segment_profiles(s.id) p};
my $expected;

sub use_definitions
{
	my $values = join ', ', map { "(1, 's', '$_')" } @_;
	$node->sql("DELETE FROM stratum.cdp_segment_memberships; DELETE FROM stratum.cdp_segments; INSERT INTO stratum.cdp_segments (tenant_id, name, conditions) VALUES $values");
	$expected = $node->sql("BEGIN; SELECT stratum.enter(1) \\g /dev/null\n$one_by_one; COMMIT");
	return;
}
my $members = q{SELECT md5(string_agg(segment_id || ' ' || profile_id, ',' ORDER BY segment_id, profile_id)), count(*) FROM stratum.cdp_segment_memberships};
my %order = (
	'in the order of profiles' => 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL cpu_tuple_cost = 10;',
	'as they come' => 'SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL cpu_tuple_cost = 0;');
my %circumstances = (
	'at once' => '',
	'in ranges' => q{SET LOCAL maintenance_work_mem = '1MB';},
	'by several processes' => 'SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL min_parallel_index_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;');

# Returns what was said about the way to read events.
sub same_members
{
	my ($settings, $name) = @_;
	my (undef, $out, $err) = $node->psql("BEGIN; SELECT stratum.enter(1) \\g /dev/null\n$settings SET LOCAL client_min_messages = debug1;
		SELECT count(*) FROM stratum.refresh_segments() \\g /dev/null\nRESET client_min_messages; $members; ROLLBACK");
	is($out, "$expected\n", "$name: the members that are found one by one");
	return join '; ', $err =~ /^DEBUG:  (events of .*)$/mg;
}

sub ways
{
	my ($what) = @_;
	for my $order (sort keys %order)
	{
		for my $circumstance (sort keys %circumstances)
		{
			my $said = same_members("$order{$order} $circumstances{$circumstance}", "$what, $order, $circumstance");
			my $times = () = $said =~ /read \Q$order\E/g;
			ok($circumstance eq 'in ranges' ? $times >= 2 : $times == 1, "    that is how they are read, $times times") or diag($said);
		}
	}
	return;
}

use_definitions(@plain);
ways('without documents');
use_definitions(@definitions);
ways('with documents');

# ---- what PostgreSQL chooses --------------------------------------------------------------------------------------

# Only the names differ, or what is known of the table.
sub chooses
{
	my ($way, $name) = @_;
	is(same_members('', $name), "events of $way", '    read that way');
	return;
}

use_definitions(@plain);
chooses('all names are read in the order of profiles', 'where the index does');
use_definitions(@definitions);
chooses('all names are read as they come', 'where documents are wanted');
use_definitions('{"conditions": [{"field": "event.never.count", "operator": "equals", "value": 0}]}', '{"conditions": [{"field": "event.elsewhere.exists", "operator": "equals", "value": true}]}');
like(same_members('', 'where hardly any event matters'), qr/^events of the names asked about are read /, '    those are asked for');
use_definitions(@plain);
$node->sql('UPDATE stratum.cdp_events SET received_at = now()');
$node->sql('ANALYZE stratum.cdp_events');
chooses('all names are read as they come', 'where every row has changed since the last VACUUM');

# Definitions that name no event read none.
use_definitions('{"conditions": [{"field": "trait.x", "operator": "is_null"}]}');
is(same_members('', 'without events'), '', '    none are read');

# ---- cancelled ----------------------------------------------------------------------------------------------------

use_definitions(@definitions);
$node->sql('INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
	SELECT tenant_id, profile_id, event_name, event_type, properties, timestamp FROM stratum.cdp_events, generate_series(1, 6)');
# The time-out holds for this one, too, and is there until it has succeeded.
my $back = "ROLLBACK TO s;\n\\if :ERROR\nROLLBACK TO s;\n\\endif\n";
my $state = 'SELECT count(*), coalesce(max(profile_count), 0) FROM stratum.cdp_segment_memberships, (SELECT max(profile_count) AS profile_count FROM stratum.cdp_segments) s';
for my $order (sort keys %order)
{
	my ($cancelled, $whole) = (0, 1);
	for my $after (3, 10, 30, 60, 120, 200)
	{
		my (undef, $out, $err) = $node->psql("\\set ON_ERROR_STOP off\nBEGIN; SELECT stratum.enter(1) \\g /dev/null\n$order{$order} SAVEPOINT s; SET LOCAL statement_timeout = $after;
			SELECT count(*) FROM stratum.refresh_segments() \\g /dev/null\n$back$state; SELECT count(*) FROM stratum.refresh_segments(); ROLLBACK");
		$cancelled++ if $err =~ /canceling statement due to statement timeout/;
		$whole &&= $out eq "0|0\n" . @definitions . "\n";
	}
	cmp_ok($cancelled, '>', 0, "cancelled $cancelled times, $order");
	ok($whole, '    nothing is written, and the session goes on');
}
done_testing();
