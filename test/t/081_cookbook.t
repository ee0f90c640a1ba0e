#!/usr/bin/env perl
# Every block of doc/cookbook.md runs, as a member of stratum_app, and finds whom it should: people about the bounds of
# each segment, worked out by hand (test/cookbook/people.sql), and all of them by plain SQL.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Query qw(finds_nothing);
use Test::More;

my $src = $ENV{STRATUM_SRC} or die "run this test with bin/test\n";
my $node = Stratum::Cluster->new;

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return <$file> }

# People, segments and answers in one transaction, in which now() stands still.
sub page_runs
{
	my $page = slurp("$src/doc/cookbook.md");
	my @blocks = $page =~ /^```sql\n(.*?)^```/msg;
	my $recipes = grep { /^INSERT INTO stratum\.cdp_segments/ } @blocks;
	my $headings = () = $page =~ /^### /mg;
	cmp_ok($recipes, '>=', 10, "$recipes recipes");
	is($recipes, $headings, 'one below each heading');
	is(scalar @blocks, $recipes + 1, 'and the block that refreshes them');
	is(scalar(() = $page =~ /^Presumes .*\nTraps: /mg), $recipes, 'each says what it presumes, and its traps');

	$node->sql(q(CREATE EXTENSION stratum; CREATE ROLE app LOGIN IN ROLE stratum_app; CREATE SCHEMA cookbook AUTHORIZATION app;
		INSERT INTO stratum.tenants (name, slug) VALUES ('Cookbook', 'cookbook')));
	my $out = $node->sql(join("\n", 'BEGIN; SELECT FROM stratum.enter(1);', slurp("$src/test/cookbook/people.sql"), @blocks,
		slurp("$src/test/cookbook/ask.sql"), 'COMMIT;'), user => 'app');
	is(scalar(() = $out =~ /^[\w-]+\|[1-9]\d*\|\d+\|0$/mg), $recipes, 'all have members after the refresh');
	return;
}

sub people_are_worth_it
{
	finds_nothing($node, "SELECT s.slug FROM stratum.cdp_segments s WHERE 2 <> (SELECT count(DISTINCT is_in) FROM cookbook.person p WHERE p.slug = s.slug)",
		'somebody just inside and somebody just outside of each');
	finds_nothing($node, "SELECT slug FROM (SELECT slug FROM cookbook.person UNION SELECT slug FROM cookbook.plain) x
		WHERE slug NOT IN (SELECT slug FROM stratum.cdp_segments)", 'nobody waits for a segment that is not there');
	# On whichever day the test runs: 29 February, the days about it, the end of a year.
	finds_nothing($node, "SELECT format('%s, in %s days', today::date, days)
		FROM generate_series('2023-12-20'::timestamp, '2032-03-10', '1 day') today, unnest('{-1,0,3,7,8}'::int[]) days
		WHERE (days BETWEEN 0 AND 7) <> (cookbook.days_to(('1990-' || cookbook.month_and_day(today::date, days))::date, today::date) <= 7)",
		'birthdays are about the bounds on every day of the calendar');
	return;
}

sub answers_are_right
{
	my @ways = split /\n/, $node->sql("SELECT DISTINCT zone || ', ' || way FROM cookbook.answer ORDER BY 1");
	is(scalar @ways, 15, 'ways to ask');
	for my $way (@ways)
	{
		my $is_in = "EXISTS (SELECT FROM cookbook.answer a WHERE a.zone || ', ' || a.way = '$way' AND (a.slug, a.profile) = (p.slug, p.profile))";
		finds_nothing($node, "SELECT format('%s: %s (%s)', p.slug, p.why, CASE WHEN p.is_in THEN 'should be in' ELSE 'should be out' END)
			FROM cookbook.person p WHERE p.is_in <> $is_in", "$way: everybody where the hand says");
		finds_nothing($node, "SELECT (slug, profile)::text FROM (
				(SELECT slug, profile FROM cookbook.answer a WHERE a.zone || ', ' || a.way = '$way' EXCEPT SELECT slug, profile FROM cookbook.answer WHERE zone = 'UTC' AND way = 'plain SQL')
				UNION ALL
				(SELECT slug, profile FROM cookbook.answer WHERE zone = 'UTC' AND way = 'plain SQL' EXCEPT SELECT slug, profile FROM cookbook.answer a WHERE a.zone || ', ' || a.way = '$way')) x",
			'    and all others where plain SQL says') unless $way eq 'UTC, plain SQL';
	}
	finds_nothing($node, "SELECT format('%s of %s: %s', way, slug, stored) FROM cookbook.counted c
		WHERE stored <> (SELECT count(*) FROM cookbook.answer a WHERE a.zone = 'UTC' AND a.way = 'plain SQL' AND a.slug = c.slug)", 'the counts are those of plain SQL');
	return;
}

page_runs();
people_are_worth_it();
answers_are_right();
done_testing();
