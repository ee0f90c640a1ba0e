#!/usr/bin/env perl
# The measuring scripts run, and find that all contestants give the same answers. Nothing is said about times.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $extensions = `'$ENV{PG_CONFIG}' --sharedir` =~ s/\n//r . '/extension';
plan skip_all => 'no contrib modules here' if grep { !-f "$extensions/$_.control" } qw(pgcrypto btree_gin pg_prewarm);

my $node = Stratum::Cluster->new(config => "shared_buffers = 128MB\nautovacuum = off\n");
my $src = $ENV{STRATUM_SRC};
my $out = $node->dir . '/results';

# The server's programs come first in PATH: psql is the private one's.
my ($rc, $said, $err);
{
	local %ENV = (%ENV, PGHOST => $node->dir, PGUSER => 'postgres', PGDATABASE => 'postgres');
	$said = `'$src/bench/run' --profiles 2000 --rounds 1 --segments 20 --out '$out' 2>'$out.err'`;
	$rc = $? >> 8;
}
$err = do { local (@ARGV, $/) = "$out.err"; <> } // '';
is($rc, 0, 'bench/run ends well') or diag("$said\n$err");
is($err, '', 'without a complaint');

my %contestants;
open my $file, '<', "$out/results.tsv" or die "$out/results.tsv: $!";
while (<$file>)
{
	my ($section, $item, $contestant, undef, $ms) = split /\t/;
	$contestants{$section}{$contestant}++ if $ms =~ /^[\d.]+$/ && $ms > 0;
}
close $file;
is($contestants{segments}{$_}, 8, "eight segments by $_") for qw(sql sql_expert jsonpath matches_traits matches_row);
is($contestants{index}{matches}, 12, 'four selective ones, with three indexes');
is($contestants{tenant}{matches}, 8, 'and under row security, with two');
ok($contestants{refresh}{$_}, "refresh: $_") for qw(sql evaluation sql_insert first_refresh same_again one_per_cent);
is($contestants{live}{$_}, 2, "live, on traits and with events: $_") for qw(sql live);
is($contestants{events}{$_}, 3, "events, counted and in two sequences: $_") for qw(sql refresh);
is($contestants{events}{sql_join}, 1, 'and a sequence by a join');
is($contestants{isolation}{$_}, 7, "seven questions of one tenant of a thousand, $_") for qw(explicit policy);
ok($contestants{intake}{$_}, "intake: $_") for qw(insert sql ingest_events);
is($contestants{ingest}{$_}, 4, "ingest: $_") for qw(plain live);
ok($contestants{hash}{email_hash} && $contestants{metrics}{stratum}, 'hash and metrics');
ok($contestants{context}{enter} && $contestants{context}{enter_jwt}, 'context');
is($contestants{audit}{$_}, 5, "audit: four kinds of writes, and sealed, by $_") for qw(none stratum);
is($contestants{audit}{row_trigger}, 4, "audit: and by a row trigger");

SKIP:
{
	skip 'no jsquery here', 1 unless -f "$extensions/jsquery.control";
	is($contestants{segments}{jsquery}, 5, 'five of the eight by jsquery');
}

my $svg = `'$src/bench/plot' '$out'`;
is($?, 0, 'bench/plot draws');
like($svg, qr/\A<svg .*<\/svg>\n\z/s, 'an SVG');
is(scalar(() = $svg =~ /class="name"/g), 8, 'with eight groups of bars');

# Contestants that differ must not be measured in silence.
my ($status, undef, $message) = $node->psql(<<'SQL', db => 'stratum_bench');
INSERT INTO bench.contestants (section, item, contestant, statement) VALUES ('x', 'i', 'a', 'SELECT 1'), ('x', 'i', 'b', 'SELECT 2');
CALL bench.run('x', 1);
SQL
isnt($status, 0, 'different answers end the run');
like($message, qr/the contestants of "i" give different answers: a: 1; b: 2/, 'and are told');
done_testing();
