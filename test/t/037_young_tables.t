#!/usr/bin/env perl
# Events into new tables that nobody has analyzed yet, much at once and in one transaction: what is read stays in proportion to what comes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Session;
use Test::More;

my $node = Stratum::Cluster->new(config => "autovacuum = off\n");
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'One', 'one');
CREATE ROLE app LOGIN IN ROLE stratum_app;
SQL

# Events 2n and 2n + 1 are of one person; `names` makes the names of event e.n of person e.p.
sub events
{
	my ($turn, $names) = @_;
	return "(SELECT jsonb_agg(jsonb_build_object('event_name', 'View', 'message_id', md5('$turn ' || e.n)) || $names) FROM (SELECT n, '$turn ' || n / 2 AS p FROM generate_series(0, 3999) n) e)";
}
my %persons = (
	'persons by two names' => q{jsonb_build_object('external_id', 'x' || e.p, 'anonymous_id', 'a' || e.p)},
	'persons who tell of themselves bit by bit' => q{CASE e.n % 2 WHEN 0 THEN jsonb_build_object('anonymous_id', 'a' || e.p) ELSE jsonb_build_object('external_id', 'x' || e.p, 'anonymous_id', 'a' || e.p) END},
	'known persons on another device' => q{jsonb_build_object('external_id', 'xpersons by two names 1 ' || e.n / 2, 'anonymous_id', 'b' || e.p)});

my $session = Stratum::Session->new($node, user => 'app');
my $read = q{SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE schemaname = 'stratum' AND relname IN ('cdp_profiles', 'cdp_profile_aliases', 'cdp_events')};
$session->query('BEGIN; SELECT stratum.enter(1)');
for my $name ('persons by two names', 'persons who tell of themselves bit by bit', 'known persons on another device')
{
	for my $turn (1, 2)
	{
		my $before = $session->query($read);
		is($session->query("SELECT count(DISTINCT profile_id), count(*) FILTER (WHERE outcome = 'stored') FROM stratum.ingest_events(" . events("$name $turn", $persons{$name}) . ')'), '2000|4000', "$name, call $turn");
		my $rows = $session->query($read) - $before;
		cmp_ok($rows, '<', 200_000, "    reads $rows rows for 4,000 events");
	}
}
is($session->query("SELECT count(*) FROM stratum.cdp_profiles; SELECT count(*) FROM stratum.cdp_profile_aliases; SELECT count(*) FROM stratum.cdp_events"), "8000\n4000\n24000", 'all of it is there');
$session->query('COMMIT');
is($node->sql(q{SELECT count(*) FROM pg_class WHERE oid IN ('stratum.cdp_profiles'::regclass, 'stratum.cdp_profile_aliases'::regclass, 'stratum.cdp_events'::regclass) AND relpages > 0 AND reltuples > 0}), 3, 'the tables have been analyzed');

# Somebody else who is about to analyze the tables, or does what excludes that, is not waited for.
my $other = Stratum::Session->new($node);
$other->query('TRUNCATE stratum.cdp_profiles CASCADE; BEGIN; LOCK TABLE stratum.cdp_profiles, stratum.cdp_events IN SHARE UPDATE EXCLUSIVE MODE');
is($session->query(q{BEGIN; SET LOCAL lock_timeout = '10s'; SELECT stratum.enter(1)}) . $session->query('SELECT count(*) FROM stratum.ingest_events(' . events('again', $persons{'persons by two names'}) . '); COMMIT') =~ s/\s//gr, '4000', 'nobody waits');
$other->query('ROLLBACK');
is($node->sql(q{SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'cdp_profiles' AND action = 'create' AND new_values ->> 'external_id' ~ '^xagain'}), 2000, 'who is new is recorded as made, with all names, in one entry');
done_testing();
