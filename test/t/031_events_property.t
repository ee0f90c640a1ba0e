#!/usr/bin/env perl
# Conditions about events against a second interpreter (test/oracle/events.sql), over random definitions and events,
# and cases with known answers.
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
my %size = (single => int(320 * $scale), nested => int(90 * $scale), profiles => 56, fillers => 3400, padding => 4200);
my $oracle = "$FindBin::RealBin/../oracle";
my $node = Stratum::Cluster->new;

# ---- cases with known answers -----------------------------------------------------------------------------------

# One profile and one segment a case; all in one transaction, in which now() stands still.
sub hand_made_cases
{
	my $tenant = $node->sql("INSERT INTO stratum.tenants (name, slug) VALUES ('Cases', 'cases') RETURNING id");
	$node->sql(<<"SQL");
BEGIN;
SELECT FROM stratum.enter($tenant);
UPDATE events_oracle.unit SET conditions = events_oracle.at_clock(definition, now());
DO \$\$
DECLARE
	u events_oracle.unit;
	e jsonb;
BEGIN
	FOR u IN SELECT * FROM events_oracle.unit ORDER BY id LOOP
		INSERT INTO stratum.cdp_profiles (canonical_id) VALUES (gen_random_uuid()) RETURNING id INTO u.profile;
		UPDATE events_oracle.unit SET profile = u.profile WHERE id = u.id;
		FOR e IN SELECT jsonb_array_elements(u.events) LOOP
			INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, context, timestamp)
			VALUES (u.profile, e ->> 0, 'track', e -> 2, e -> 3, events_oracle.moment(e -> 1, now()));
		END LOOP;
	END LOOP;
END \$\$;
INSERT INTO stratum.cdp_segments (name, conditions) SELECT id, conditions FROM events_oracle.unit;
SELECT FROM stratum.refresh_segments();
CREATE TABLE events_oracle.unit_said AS
	SELECT u.id, 'the oracle' AS way, events_oracle.matches(u.conditions, u.profile, now()) AS result FROM events_oracle.unit u
	UNION ALL
	SELECT u.id, 'segment_matches()', stratum.segment_matches(u.conditions, p) FROM events_oracle.unit u JOIN stratum.cdp_profiles p ON p.id = u.profile
	UNION ALL
	SELECT u.id, 'refresh_segments()', m.profile_id IS NOT NULL
	FROM events_oracle.unit u JOIN stratum.cdp_segments s ON s.name = u.id::text
	LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = s.id AND m.profile_id = u.profile
	UNION ALL
	SELECT u.id, 'profile_segments()', s.id IN (SELECT stratum.profile_segments(u.profile))
	FROM events_oracle.unit u JOIN stratum.cdp_segments s ON s.name = u.id::text;
COMMIT;
SQL
	my $cases = $node->sql('SELECT count(*) FROM events_oracle.unit');
	cmp_ok($cases, '>=', 60, "$cases cases worked out by hand");
	for my $way ('the oracle', 'segment_matches()', 'refresh_segments()', 'profile_segments()')
	{
		is($node->sql("SELECT count(*) FROM events_oracle.unit_said WHERE way = '$way'"), $cases, "$way answers all");
		finds_nothing($node, "SELECT format('%s, expected %s: %s %s', result, expected, events, definition)
			FROM events_oracle.unit JOIN events_oracle.unit_said USING (id) WHERE way = '$way' AND result IS DISTINCT FROM expected", '    and has them right');
	}
	return;
}

sub definitions_are_judged
{
	my $refused = $node->sql('SELECT count(*) FROM oracle.verdict WHERE path IS NOT NULL');
	cmp_ok($refused, '>=', 25, "$refused definitions to refuse");
	finds_nothing($node, "SELECT format('%s (%s): %s', left(definition::text, 200), coalesce(path, 'right'), right(fault, 300))
		FROM oracle.verdict v, events_oracle.misjudged(v) AS fault WHERE fault IS NOT NULL", 'they are, with SQLSTATE, path and hint');
	return;
}

# ---- random pairs -----------------------------------------------------------------------------------------------

# Enough of them, and not all of one kind.
sub pairs_are_worth_it
{
	my $pairs = $node->sql('SELECT count(*) FROM (SELECT DISTINCT d.conditions, a.subject FROM events_oracle.answer a
		JOIN events_oracle.definition d ON d.id = a.definition WHERE a.subject > 0) q');
	cmp_ok($pairs, '>=', 20_000 * ($scale < 1 ? $scale : 1), "$pairs different pairs of definition and profile");
	my $all = 'SELECT d.conditions::text AS c, expected FROM events_oracle.answer a JOIN events_oracle.definition d ON d.id = a.definition WHERE subject > 0';
	for my $like ('', qw(.count .exists .first .last .property. .sum. .avg. .min. .max. .first_time sequence then_not where within_days since until))
	{
		(my $text = $like) =~ s/^\.(\w+)(.*)/(\\.|", ")$1\\M/;
		my $share = $node->sql("SELECT coalesce(round(100 * avg(expected::int)), 0) || '|' || count(*) FROM ($all) q WHERE c ~ '$text'");
		my ($percent, $count) = split /\|/, $share;
		ok($percent >= 5 && $percent <= 95 && $count >= 500 * $scale, "$percent % of $count match" . ($like ? " with $like" : ''));
	}
	return;
}

sub nothing_raises
{
	finds_nothing($node, "SELECT format(E'%s: %s\\n  %s', f.way, f.message, d.conditions)
		FROM events_oracle.failure f LEFT JOIN events_oracle.definition d ON d.id = f.definition", 'no definition and no event makes it raise');
	return;
}

# The shortest three definitions, with the events of the names that they have.
sub show_disagreements
{
	my ($way) = @_;
	diag($node->sql("SELECT format(E'%s, expected %s\\n  %s\\n  %s', x.result, x.expected, left(x.conditions::text, 1500),
			(SELECT jsonb_agg(jsonb_build_array(e.id, e.event_name, e.timestamp, left(e.properties::text, 200), e.context) ORDER BY e.timestamp, e.id)
			 FROM stratum.cdp_events e WHERE e.profile_id = x.subject AND e.tenant_id IS NOT NULL AND strpos(x.conditions::text, e.event_name) > 0))
		FROM (SELECT * FROM events_oracle.disagreement x JOIN events_oracle.definition d ON d.id = x.definition
			WHERE x.way = '$way' ORDER BY length(d.conditions::text), x.definition, x.subject LIMIT 3) x"));
	return;
}

sub nothing_disagrees
{
	my @ways = split /\n/, $node->sql('SELECT way FROM events_oracle.said WHERE subject IS NOT NULL GROUP BY way ORDER BY way');
	my $shown = 0;
	is(scalar @ways, 21, 'ways to ask');
	for my $way (@ways)
	{
		my $answers = $node->sql("SELECT count(*) FROM events_oracle.said JOIN events_oracle.answer USING (definition, subject) WHERE way = '$way'");
		cmp_ok($answers, '>=', ($way =~ /traits/ ? 350 : $way =~ /ranges/ ? 12_000 : 20_000) * $scale, "$way: $answers answers");
		my $wrong = $node->sql("SELECT count(*) FROM events_oracle.disagreement WHERE way = '$way'");
		is($wrong, 0, '    all as the oracle says') or $shown++ or show_disagreements($way);
	}
	finds_nothing($node, "SELECT format('%s: definition %s: %s stored, %s expected', way, definition, stored, expected)
		FROM events_oracle.counted WHERE stored IS DISTINCT FROM expected", 'profile_count is that of the members');
	return;
}

$node->sql('CREATE EXTENSION stratum; CREATE ROLE app LOGIN IN ROLE stratum_app');
load($node, "$oracle/oracle.sql");
load($node, "$oracle/bad_definitions.sql");
load($node, "$oracle/generate.sql", seed => $seed);
load($node, "$oracle/generate_subjects.sql");
load($node, "$oracle/events.sql");
load($node, "$oracle/events_cases.sql");
load($node, "$oracle/events_generate.sql");
hand_made_cases();
definitions_are_judged();
load($node, "$oracle/events_property.sql", seed => $seed, %size);
pairs_are_worth_it();
nothing_raises();
nothing_disagrees();

tried('conditions about events: random definitions and histories against a second interpreter, in every way to ask', $node->sql('SELECT count(*) FROM events_oracle.said JOIN events_oracle.answer USING (definition, subject)') . ' answers');
done_testing();
