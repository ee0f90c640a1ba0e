#!/usr/bin/env perl
# What the documents say is so: the SQL of README.md runs from top to bottom, its links lead somewhere, and
# doc/schema.md is what doc/schema.sql prints.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Basename qw(dirname);
use Stratum::Cluster;
use Test::More;

my $src = $ENV{STRATUM_SRC} or die "run this test with bin/test\n";
my $node = Stratum::Cluster->new;

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return <$file> }

sub readme_runs
{
	my $readme = slurp("$src/README.md");
	my @blocks = $readme =~ /^```sql\n(.*?)^```/msg;
	cmp_ok(scalar @blocks, '>', 5, 'README.md has blocks of SQL to copy');
	$node->sql('CREATE DATABASE readme');
	$node->sql('CREATE EXTENSION stratum', db => 'readme');
	my ($rc, $out, $err) = $node->psql(join("\n", @blocks), db => 'readme', options => ['-a']);
	is($rc, 0, 'they run one after the other') or diag($err);
	like($out, qr/^Spring sale\|2\|1\|20\|80\|4$/m, 'the campaign has the metrics that README.md shows');
	like($out, qr/^\Q1|1|1|0\E$/m, 'the segment has one member');
	like($out, qr/^\QAnn\E\@Example.com\|[0-9a-f]{64}$/m, 'with a hash');
	like($out, qr/^12000$/m, 'the rule has raised the budget');
	like($out, qr/^update\|campaigns\|\{.*"clicks": 56000.*\}\|\{.*"clicks": 84000/m, 'the change is in the log');
	return;
}

sub links_lead_somewhere
{
	for my $page ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', map { s{^\Q$src\E/}{}r } glob("$src/doc/*.md $src/doc/*/*.md $src/examples/*.md"))
	{
		next unless -f "$src/$page";
		my @broken = grep { !m{^https?:} && !-e "$src/" . dirname($page) . "/$_" }
		  map { s/#.*//r } slurp("$src/$page") =~ /\]\(([^)#][^)]*)\)/g;
		is("@broken", '', "links of $page");
	}
	return;
}

sub schema_page_is_current
{
	$node->sql('CREATE DATABASE page');
	$node->sql('CREATE EXTENSION stratum', db => 'page');
	my (undef, $out, $err) = $node->psql(slurp("$src/doc/schema.sql"), db => 'page');
	is($err, '', 'doc/schema.sql runs');
	my @printed = split /\n/, $out;
	my @page = split /\n/, slurp("$src/doc/schema.md");
	is_deeply(\@page, \@printed, 'doc/schema.md is what it prints')
	  or diag('psql -XqAt -f doc/schema.sql > doc/schema.md brings it up to date');
	return;
}

readme_runs();
links_lead_somewhere();
schema_page_is_current();
done_testing();
