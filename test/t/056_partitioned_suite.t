#!/usr/bin/env perl
# Regression tests in a database whose audit trail and events have monthly partitions: they print what they print elsewhere. Left out are those
# that have nothing to do with either, that count tables, and that do to the audit trail what cannot be done to a partitioned table
# (audit_failures, audit_guard, audit_paths; t/056_partitions.t has what is to be had of them).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Suite qw(regress_database regress_tests);
use Test::More;

my @tests = qw(actions audit audit_coverage audit_history audit_json_null audit_privacy audit_redact audit_retention audit_seals audit_settings audit_table audit_use
	conditions conditions_events_errors examples ingest ingest_rules leaving limits live_segments reset_plans rules segments segment_planning segment_references sign_in signals tenancy);
Stratum::Cluster->in_mid_month;
my $node = Stratum::Cluster->new;
my $dir = $node->dir;

regress_database($node, 'converted');
$node->sql("CREATE EXTENSION stratum;\nCALL stratum.partition_by_month('audit_logs');\nCALL stratum.partition_by_month('cdp_events');", db => 'converted');

# Messages of PostgreSQL name the partition; and no row is without its time, so nobody can take it away.
my $month = $node->sql(q{SELECT to_char(now() AT TIME ZONE 'UTC', '"p"YYYY_MM')});
sub adapt
{
	my ($from, $to, $test) = @_;
	open my $in, '<', $from or die "$from: $!";
	local $/;
	my $text = <$in>;
	$text =~ s/(on table|relation) "audit_logs" violates/$1 "audit_logs_$month" violates/g;
	if ($test eq 'audit_seals')
	{
		$text =~ s/^ *\(\d+, 'UPDATE stratum\.audit_logs SET created_at = NULL WHERE id = ONE'\),\n//m or $text =~ s/^ UPDATE stratum\.audit_logs SET created_at = NULL WHERE id = ONE .*\n//m or die 'audit_seals has changed';
		$text =~ s/^ UPDATE stratum\.audit_logs SET created_at = NULL WHERE id = ONE .*\n//m;
		$text =~ s/\(21 rows\)/(20 rows)/;
	}
	$text =~ s/^ stratum\.cdp_events   \| cdp_events_tenant_id_message_id_key\n\(3 rows\)/(2 rows)/m if $test eq 'leaving';
	$text =~ s/^ERROR:  constraint cdp_events_tenant_id_message_id_key of stratum\.cdp_events is missing\n//m if $test eq 'leaving';
	$text =~ s/on table "cdp_events" violates/on table "cdp_events_$month" violates/g;
	# References of a partition are PostgreSQL's to check.
	$text =~ s/^ERROR:  a tenant or profile of events that come in is gone$/ERROR:  insert or update on table "cdp_events_$month" violates foreign key constraint "cdp_events_tenant_id_profile_id_fkey"/m
		if $test eq 'ingest_rules';
	# Another tenant's message of the same id is another message: no key is over all tenants.
	$text =~ s/^(SELECT outcome FROM stratum\.ingest_event\(.*\);)\nERROR:  23505\n/$1\n outcome \n---------\n stored\n(1 row)\n\n/m if $test eq 'ingest';
	open my $out, '>', $to or die "$to: $!";
	print $out $text;
	close $out or die $!;
	return;
}
mkdir "$dir/$_" or die $! for qw(input input/sql input/expected);
symlink "$ENV{STRATUM_SRC}/examples", "$dir/examples" or die $!;
for my $test (@tests)
{
	adapt("$ENV{STRATUM_SRC}/test/sql/$test.sql", "$dir/input/sql/$test.sql", $test);
	adapt("$ENV{STRATUM_SRC}/test/expected/$test.out", "$dir/input/expected/$test.out", $test);
}

regress_tests($node, 'converted', \@tests, "$dir/input");

is($node->sql(q{SELECT count(*) FROM pg_class WHERE relname IN ('audit_logs', 'cdp_events') AND relnamespace = 'stratum'::regnamespace AND relkind = 'p'}, db => 'converted'),
	'2', 'in a converted database');

done_testing();
