#!/usr/bin/env perl
# The condition language against a second interpreter (test/oracle), over random definitions and profiles.
#
#   STRATUM_SEED=0.1      another seed, between -1 and 1; the default is always the same
#   STRATUM_SCALE=5       so many times the definitions
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Query qw(finds_nothing load);
use Stratum::Tried qw(tried);
use Test::More;

my $seed = $ENV{STRATUM_SEED} // 0.42;
my $scale = $ENV{STRATUM_SCALE} // 1;
my %size = (per_operator => int(12 * $scale), nested => int(220 * $scale), profiles => 96, campaigns => 30);
my $oracle = "$FindBin::RealBin/../oracle";
my $node = Stratum::Cluster->new;
my $with_btree_gin = $node->sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gin'});

# Where a definition can be written or used: for which targets, and how.
my %judges = (
	'validate_conditions()' => [ 'profile campaign', 'SELECT stratum.validate_conditions($1, $2)' ],
	'INSERT of a segment' => [ 'profile', q{INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('x', $1)} ],
	'INSERT of a rule' => [ 'campaign', q{INSERT INTO stratum.rules (name, conditions, actions) VALUES ('x', $1, '[]')} ],
	'segment_matches(row)' => [ 'profile', 'SELECT stratum.segment_matches($1, p) FROM stratum.cdp_profiles p' ],
	'segment_matches(traits)' => [ 'profile', q{SELECT stratum.segment_matches($1, '{"a": 1}'::jsonb)} ],
	'traits_match()' => [ 'profile', q{SELECT stratum.traits_match($1, '{"a": 1}')} ],
	'preview_segment()' => [ 'profile', 'SELECT stratum.preview_segment($1)' ],
	'campaign_matches()' => [ 'campaign', 'SELECT stratum.campaign_matches($1, c) FROM stratum.campaigns c' ]);

# ---- cases with known answers -----------------------------------------------------------------------------------

sub hand_made_cases
{
	my $case = 'oracle.at_clock(conditions, now()), oracle.at_clock(traits, now())';
	my $right = q{left(expected || ' ' || conditions || ' ' || coalesce(traits::text, 'NULL'), 300)};
	cmp_ok($node->sql('SELECT count(*) FROM oracle.unit'), '>=', 200, 'cases worked out by hand');
	finds_nothing($node, "SELECT $right FROM oracle.unit WHERE oracle.matches_traits($case, now()) <> expected", 'the oracle has them right');
	for my $function (qw(segment_matches traits_match))
	{
		finds_nothing($node, "SELECT $right || ': ' || said FROM oracle.unit u, oracle.said_to(u, '$function') AS said
			WHERE said IS DISTINCT FROM expected::text", "$function has them right");
	}
	return;
}

sub definitions_are_judged
{
	my $tenant = $node->sql("INSERT INTO stratum.tenants (name, slug) VALUES ('Judge', 'judge') RETURNING id");
	$node->sql("INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) VALUES ($tenant, gen_random_uuid());
		INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES ($tenant, 'meta', 'x', 'x', 'x')");
	cmp_ok($node->sql('SELECT count(*) FROM oracle.verdict WHERE path IS NOT NULL'), '>=', 100, 'definitions to refuse');
	cmp_ok($node->sql('SELECT count(*) FROM oracle.verdict WHERE path IS NULL'), '>=', 40, 'definitions to take');
	for my $judge (sort keys %judges)
	{
		my ($targets, $statement) = @{ $judges{$judge} };
		$node->sql("BEGIN; SELECT FROM stratum.enter($tenant);
			CREATE TABLE oracle.judged AS
				SELECT v.*, oracle.misjudged(v, \$sql\$$statement\$sql\$) AS fault FROM oracle.verdict v
				WHERE v.target = ANY (string_to_array('$targets', ' '));
			COMMIT");
		finds_nothing($node, "SELECT format('%s (%s): %s', left(definition::text, 200), coalesce(path, 'right'), left(fault, 300))
			FROM oracle.judged WHERE fault IS NOT NULL", "$judge judges them");
		$node->sql('DROP TABLE oracle.judged');
	}
	return;
}

# ---- random pairs -----------------------------------------------------------------------------------------------

# Enough of them, and not all of one kind.
sub pairs_are_worth_it
{
	my $pairs = $node->sql("SELECT count(DISTINCT (md5(d.conditions::text), p.hash))
		FROM oracle.answer a JOIN oracle.definition d ON d.id = a.definition
		JOIN (SELECT id, md5((to_jsonb(c) - 'id' - 'canonical_id')::text) AS hash FROM stratum.cdp_profiles c OFFSET 0) p ON p.id = a.subject
		WHERE a.target = 'profile'");
	cmp_ok($pairs, '>=', 50_000, "$pairs different pairs of definition and profile");
	for my $where ("a.target = 'profile' AND d.operator IS NULL", "a.target = 'profile' AND d.operator IS NOT NULL", "a.target = 'campaign'", 'd.traits_only')
	{
		my $share = $node->sql("SELECT round(100 * avg(expected::int)) FROM oracle.answer a JOIN oracle.definition d ON d.id = a.definition WHERE $where");
		ok($share >= 10 && $share <= 90, "$share % match where $where");
	}
	finds_nothing($node, "SELECT o.name || ' of a ' || t FROM oracle.operator o, unnest('{profile,campaign}'::text[]) t
		WHERE 2 <> (SELECT count(DISTINCT expected) FROM oracle.answer a JOIN oracle.definition d ON d.id = a.definition
			WHERE d.operator = o.name AND d.target = t)", 'every operator comes out true and false');
	return;
}

sub nothing_raises
{
	finds_nothing($node, "SELECT format(E'%s: %s\\n  %s\\n  %s', f.way, f.message, d.conditions, f.subject)
		FROM oracle.failure f LEFT JOIN oracle.definition d ON d.id = f.definition ORDER BY f.subject NULLS LAST",
		'no profile and no campaign makes it raise');
	return;
}

sub nothing_disagrees
{
	my %answers = map { split /\|/ } split /\n/, $node->sql('SELECT way, answers FROM oracle.tally');
	is(scalar keys %answers, $with_btree_gin ? 45 : 43, 'ways to ask');
	for my $way (sort keys %answers)
	{
		my $answers = $answers{$way};
		cmp_ok($answers, '>', 500, "$way: $answers answers");
		finds_nothing($node, "SELECT format(E'%s, expected %s\\n  %s\\n  %s', x.result, x.expected, d.conditions,
				CASE x.target WHEN 'campaign' THEN (SELECT to_jsonb(c)::text FROM oracle.campaign c WHERE c.id = x.subject)
					ELSE (SELECT to_jsonb(p)::text FROM stratum.cdp_profiles p WHERE p.id = abs(x.subject)) END)
			FROM oracle.disagreement x JOIN oracle.definition d ON d.id = x.definition
			WHERE x.way = '$way' ORDER BY length(d.conditions::text), x.definition, x.subject", '    all as the oracle says');
	}
	finds_nothing($node, "SELECT format('%s: stored %s, previewed %s, expected %s', definition, stored, previewed, expected) FROM oracle.miscount",
		'profile_count and preview_segment() count the members');
	return;
}

# So that a way is not another one by mistake.
sub plans_are_meant
{
	my %least = ('segment_matches(constant, row), parallel' => 10, 'segment_matches(variable, row), parallel' => 1,
		'WHERE segment_matches(constant, row), row security' => 200);
	$least{$_} = 100 for grep { /GIN/ } split /\n/, $node->sql('SELECT way FROM oracle.tally');
	for my $way (sort keys %least)
	{
		my $plans = $node->sql("SELECT count(*) FROM oracle.plan WHERE way = '$way'");
		cmp_ok($plans, '>=', $least{$way}, "$way: $plans plans are such");
	}
	return;
}

# Several ranges of profiles, and memberships spoilt in between.
sub refresh_counts
{
	my $first = $node->sql("SELECT sum(added) || ' ' || sum(removed) FROM oracle.returned WHERE run = 'first'");
	is($first, $node->sql('SELECT count(*) FROM oracle.was') . ' 0', 'the first refresh adds all');
	finds_nothing($node, "(SELECT (segment_id, profile_count, added, removed)::text FROM oracle.returned WHERE run = 'expected'
			EXCEPT SELECT (segment_id, profile_count, added, removed)::text FROM oracle.returned WHERE run = 'second')
			UNION ALL SELECT 'added or removed: ' || r FROM oracle.returned r WHERE run = 'second' AND added + removed > 0
				AND segment_id NOT IN (SELECT segment_id FROM oracle.returned WHERE run = 'expected')",
		'a refresh counts what it added and removed');
	finds_nothing($node, "SELECT t.segment_id::text FROM oracle.returned t JOIN oracle.returned s USING (segment_id)
			WHERE t.run = 'third' AND s.run = 'second' AND (t.added, t.removed, t.profile_count) IS DISTINCT FROM (0::bigint, 0::bigint, s.profile_count)",
		'one more has nothing to do');
	return;
}

# ---- what the language has no words for must at least not raise ------------------------------------------------

sub odd_times
{
	my @conditions;
	for my $column (qw(first_seen_at last_seen_at created_at))
	{
		for my $rest ('before", "value": "2024-01-15"', 'within_last", "value": 7', 'not_within_last", "value": 7', 'within_next", "value": 1e9', 'anniversary_within", "value": 7', 'in_sample", "value": 50', 'equals", "value": "2024-01-15"', 'between", "value": ["2024-01-15", "2024-01-16"]')
		{
			push @conditions, qq({"field": "profile.$column", "operator": "$rest});
		}
	}
	my $definition = '{"logic": "or", "conditions": [' . join(', ', @conditions) . ']}';
	is($node->sql("SELECT count(stratum.segment_matches('$definition', p)) FROM (
			SELECT 1 AS id, 1 AS tenant_id, t AS first_seen_at, t AS last_seen_at, t AS created_at
			FROM (VALUES ('infinity'::timestamptz), ('-infinity'), ('4713-01-01 BC'), ('294276-12-31 23:59:59.999999+00'), ('0001-01-01 BC'), (NULL)) AS v(t)) p"),
		6, 'infinite and far times do not raise');
	return;
}

sub odd_numbers
{
	is($node->sql(q(SELECT count(stratum.campaign_matches('{"logic": "or", "conditions": [
			{"field": "ctr", "operator": "greater_than", "value": 1e400},
			{"field": "roas", "operator": "between", "value": [-1e400, 1e-400]},
			{"field": "roas", "operator": "equals", "value": 1},
			{"field": "start_date", "operator": "before", "value": "2024-01-15"}]}', c)) FROM (
			SELECT 1 AS id, f AS ctr, f AS roas, d AS start_date FROM
				(VALUES ('NaN'::float8), ('Infinity'), ('-Infinity'), (1e308), (5e-324), ('-0'), (NULL)) AS v(f),
				(VALUES ('infinity'::date), ('-infinity'), ('4713-01-01 BC'), ('5874897-12-31'), (NULL)) AS w(d)) c)),
		35, 'nor do infinite floats and dates');
	return;
}

$node->sql('CREATE EXTENSION btree_gin') if $with_btree_gin;
$node->sql('CREATE EXTENSION stratum');
load($node, "$oracle/oracle.sql");
load($node, "$oracle/cases.sql");
load($node, "$oracle/bad_definitions.sql");
hand_made_cases();
definitions_are_judged();
load($node, "$oracle/generate.sql", seed => $seed);
load($node, "$oracle/generate_subjects.sql");
load($node, "$oracle/property.sql", seed => $seed, %size);
pairs_are_worth_it();
nothing_raises();
nothing_disagrees();
plans_are_meant();
refresh_counts();
odd_times();
odd_numbers();

tried('conditions: random definitions and subjects against a second interpreter, in every way to ask', $node->sql('SELECT sum(answers) FROM oracle.tally') . ' answers');
done_testing();
