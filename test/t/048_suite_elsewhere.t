#!/usr/bin/env perl
# The suite in databases that did not begin with the CREATE EXTENSION of today: updated from the oldest version, taken
# back and updated again, restored from a dump of today or of the oldest version, and with ids that are bigint. All
# tests print what they print elsewhere. Each database has tenants with rows in every table from before.
#
#   STRATUM_ALL=1   all regression tests in all of them; without it the slow ones and those without a table are left out
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(fill_tables empty_tables versions);
use Stratum::Suite qw(regress_database regress_names regress_tests pgtap_tests);
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $dir = $node->dir;
my ($oldest, $newest) = (versions())[ 0, -1 ];
my $check = 'SELECT * FROM stratum.check_install()';
my ($files, $assertions) = (0, 0);

# Functions of the library, which read and write no table of the storage.
my @tableless = qw(conditions conditions_errors conditions_events_errors conditions_now hash hash_encoding metrics schedules sha256);
my @slow = qw(audit_failures audit_paths audit_seals hardening segment_memberships security_check);
# What tells by the storage how it came about: where rows, triggers, policies and rights are looked at.
my @telling = qw(acl actions audience_sync audit_coverage audit_guard audit_use examples ingest ingest_rules leaving limits live_segments mixins permissions rules segments segment_references signals tenancy tenant_isolation);
# audit and audit_failures look for the errors of ids that are no integers, audit_altered makes them wider; audit_redact: see below.
my @wide = (@telling, qw(audience audit_history audit_privacy audit_retention foreign_triggers segment_planning session_lock sign_in));
my @not_wide = qw(audit audit_altered audit_failures audit_redact);

sub created
{
	my ($db, $version) = @_;
	regress_database($node, $db);
	$node->sql("CREATE EXTENSION stratum VERSION '$version'", db => $db);
	fill_tables($node, $db);
	is(empty_tables($node, $db), '', "$db: rows in every table");
	return;
}

sub restored
{
	my ($source, $db) = @_;
	regress_database($node, $db);
	my ($rc, undef, $err) = $node->command('pg_dump', '-f', "$dir/$db.sql", $source);
	is($rc, 0, "$db: dumped") or diag($err);
	($rc, undef, $err) = $node->command('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $db, '-f', "$dir/$db.sql");
	is($rc, 0, "$db: restored") or diag($err);
	return;
}

sub update { my ($db, @versions) = @_; $node->sql("ALTER EXTENSION stratum UPDATE TO '$_'", db => $db) for @versions; return }

sub run_suite
{
	my ($db, $pgtap, @tests) = @_;
	is($node->sql($check, db => $db), '', "$db: healthy");
	$assertions += pgtap_tests($node, $db) if $pgtap;
	$files += regress_tests($node, $db, \@tests);
	return;
}

sub without
{
	my %out = map { $_ => 1 } @_;
	return grep { !$out{$_} } regress_names();
}

# What begins with an empty table of the newest version: a database has one key of the trail's hashes.
my %begins_empty = map { $_ => 1 } qw(audit_redact);
my @quick = $ENV{STRATUM_ALL} ? regress_names() : without(@tableless, @slow);
@telling = @quick if $ENV{STRATUM_ALL};
@wide = without(@not_wide) if $ENV{STRATUM_ALL};

created('updated', $oldest);
created('there_and_back', $oldest);
restored('updated', 'repaired');
update('updated', $newest);
update('there_and_back', $newest, $oldest, $newest);
$node->sql('SELECT remedy FROM stratum.check_install() \gexec', db => 'repaired');
created('today', $newest);
restored('today', 'restored');
created('widened', $newest);
$node->sql('SET client_min_messages = warning; CALL stratum.widen_ids()' =~ s/; /;\n/r, db => 'widened');

run_suite('updated', 1, @quick);
run_suite('restored', 1, grep { !$begins_empty{$_} } @quick);
run_suite('there_and_back', 0, @telling);
run_suite('repaired', 0, @telling);
run_suite('widened', 0, @wide);
is($node->sql(q{SELECT count(*) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind = 'r')
	AND attname ~ '^id$|_id$' AND atttypid = 'integer'::regtype AND NOT attisdropped}, db => 'widened'), '0', 'widened: no id is integer');

tried('regression tests in databases that were updated, taken back, restored, repaired, widened', "$files files");
tried('pgTAP in databases that were updated, restored', "$assertions assertions");
done_testing();
