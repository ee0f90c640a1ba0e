# The regression tests and pgTAP's in a database that came about in another way than by CREATE EXTENSION alone.
#
#   use Stratum::Suite qw(regress_database regress_names regress_tests pgtap_tests);
#   regress_database($node, 'updated');              # an empty database with the settings that pg_regress gives one
#   regress_tests($node, 'updated', [regress_names()]);   # a test each; of another directory than test/ if that is given too
#   pgtap_tests($node, 'updated');                   # a test each file
# Both return how many of pg_regress' files, or of pgTAP's assertions, have run.
package Stratum::Suite;

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
our @EXPORT_OK = qw(regress_database regress_names regress_tests pgtap_tests);

sub regress_database
{
	my ($node, $db) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql("ALTER DATABASE $db SET $_") for map { "lc_$_ = 'C'" } qw(messages monetary numeric time);
	return $db;
}

sub names
{
	my ($kind) = @_;
	return map { m{([^/]+)\.sql$} } sort glob "$ENV{STRATUM_SRC}/test/$kind/*.sql";
}

# 00_setup creates the extension, which is there already.
sub regress_names { return grep { $_ ne '00_setup' } names('sql') }

# What the tests print has pg_regress' name of the database.
sub regress_tests
{
	my ($node, $db, $tests, $input) = @_;
	my @tests = @$tests;
	$input //= "$ENV{STRATUM_SRC}/test";
	chomp(my $pgxs = `'$ENV{PG_CONFIG}' --pgxs`);
	my $pg_regress = $pgxs =~ s{makefiles/pgxs\.mk$}{test/regress/pg_regress}r;
	my ($dir, $out) = ($node->dir, $node->dir . "/regress_$db");
	mkdir $out or die "$out: $!";
	$node->sql("ALTER DATABASE $db RENAME TO contrib_regression");
	my $said = `'$pg_regress' --use-existing --dbname=contrib_regression --inputdir='$input' --outputdir='$out' --bindir='$ENV{STRATUM_BIN}' --host='$dir' --user=postgres @tests 2>&1`;
	my $rc = $?;
	$node->sql("ALTER DATABASE contrib_regression RENAME TO $db");
	is($rc, 0, "$db: the regression tests pass") or diag($said, -e "$out/regression.diffs" ? `cat '$out/regression.diffs'` : '');
	ok($said =~ /^(?:ok \d+\s+- |test )\Q$_\E\s(?!.*FAILED)/m, "$db: $_") for @tests;
	return scalar @tests;
}

sub pgtap_tests
{
	my ($node, $db) = @_;
	my $count = 0;
	$node->sql('CREATE EXTENSION IF NOT EXISTS pgtap', db => $db);
	for my $name (names('pgtap'))
	{
		my ($rc, $out, $err) = $node->psql("\\i $ENV{STRATUM_SRC}/test/pgtap/$name.sql\n", db => $db);
		my ($planned, $good, $bad) = ($out =~ /^1\.\.(\d+)/m, scalar(() = $out =~ /^ok /mg), scalar(() = $out =~ /^not ok /mg));
		ok($rc == 0 && $bad == 0 && $good == ($planned // -1), "$db: pgTAP $name, $good passed") or diag($err, grep { !/^ok / } split /^/, $out);
		$count += $good;
	}
	return $count;
}

1;
