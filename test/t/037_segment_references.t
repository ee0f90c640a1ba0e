#!/usr/bin/env perl
# Segments that ask about other segments, against an interpreter that goes by who is in those (test/oracle/references.sql).
#
#   STRATUM_SEED=0.1      another seed, between -1 and 1; the default is always the same
#   STRATUM_SCALE=5       so many times the segments
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Query qw(load);
use Stratum::Tried qw(tried);
use Test::More;

my $scale = $ENV{STRATUM_SCALE} // 1;
my %variable = (seed => $ENV{STRATUM_SEED} // 0.42, segments => int(160 * $scale), profiles => 40);
my $oracle = "$FindBin::RealBin/../oracle";
my $node = Stratum::Cluster->new;

sub segments_are_worth_it
{
	my ($asking, $deep, $percent, $refused) = split /\|/, $node->sql(<<"SQL");
WITH RECURSIVE asked AS (
	SELECT s.id, references_oracle.segment_named(x[1]) AS other FROM stratum.cdp_segments s, regexp_matches(s.conditions::text, '"segment(?:\\.|", ")((?:[^"\\\\]|\\\\.)*)"', 'g') x
	WHERE s.name LIKE 'reference %'
), chain AS (
	SELECT id, other, 1 AS length FROM asked
	UNION SELECT c.id, a.other, c.length + 1 FROM chain c JOIN asked a ON a.id = c.other WHERE c.length < 6
)
SELECT (SELECT count(DISTINCT id) FROM asked), (SELECT count(DISTINCT id) FROM chain WHERE length > 4),
	(SELECT round(100 * avg(holds::int)) FROM references_oracle.truth),
	(SELECT count(*) FROM references_oracle.refused)
SQL
	cmp_ok($asking, '>=', 80 * $scale, "$asking segments ask about others");
	cmp_ok($deep, '>=', 20 * $scale, "$deep of them through four others or more");
	ok($percent > 20 && $percent < 80, "$percent % of the pairs match");
	is($node->sql("SELECT DISTINCT sqlstate || ' ' || regexp_replace(message, 'at [^:]*', 'at x') FROM references_oracle.refused
		WHERE message !~ 'come to more than 1000|nested deeper than 64'"), '', "none is refused but for its size ($refused)");
	return;
}

sub nothing_disagrees
{
	my @ways = split /\n/, $node->sql('SELECT DISTINCT way FROM references_oracle.said ORDER BY way');
	is(scalar @ways, 6, 'ways to ask');
	for my $way (@ways)
	{
		my $answers = $node->sql("SELECT count(*) FROM references_oracle.said WHERE way = '$way'");
		cmp_ok($answers, '>=', 4000 * $scale, "$way: $answers answers");
		my $wrong = $node->sql("SELECT count(*) FROM references_oracle.disagreement WHERE way = '$way'");
		is($wrong, 0, '    all as the oracle says')
		  or diag($node->sql("SELECT format(E'%s of profile %s, expected %s\\n  %s', result, profile, expected, conditions)
			FROM references_oracle.disagreement d JOIN stratum.cdp_segments s ON s.id = d.segment WHERE way = '$way' ORDER BY length(conditions::text) LIMIT 3"));
	}
	return;
}

$node->sql('CREATE EXTENSION stratum; CREATE ROLE app LOGIN IN ROLE stratum_app');
load($node, "$oracle/$_", %variable) for qw(oracle.sql generate.sql generate_subjects.sql events.sql events_generate.sql references.sql);
segments_are_worth_it();
nothing_disagrees();

tried('segments in segments: random ones against a second interpreter', $node->sql('SELECT count(*) FROM references_oracle.said') . ' answers');
done_testing();
