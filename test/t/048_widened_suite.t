#!/usr/bin/env perl
# Regression tests in a database whose ids are bigint: they print what they print elsewhere. Left out are those that
# have nothing to do with ids, those that take long, and audit.sql, which looks for the error of an id that is no integer.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my @tests = qw(acl actions audience audience_sync audit_coverage audit_guard audit_history audit_privacy audit_retention audit_seals audit_use conditions examples ingest ingest_rules leaving limits live_segments mixins permissions rules segments segment_planning
	segment_references session_lock sign_in signals tenancy tenant_isolation);
my $node = Stratum::Cluster->new;
my $dir = $node->dir;

# As pg_regress would make the database.
$node->sql(q{CREATE DATABASE widened; ALTER DATABASE widened SET lc_messages = 'C'; ALTER DATABASE widened SET lc_monetary = 'C'; ALTER DATABASE widened SET lc_numeric = 'C';
	ALTER DATABASE widened SET lc_time = 'C'});
$node->sql('CREATE EXTENSION stratum; SET client_min_messages = warning; CALL stratum.widen_ids()' =~ s/; /;\n/gr, db => 'widened');

chomp(my $pgxs = `'$ENV{PG_CONFIG}' --pgxs`);
my $pg_regress = $pgxs =~ s{makefiles/pgxs\.mk$}{test/regress/pg_regress}r;
mkdir "$dir/regress" or die $!;
my $said = `'$pg_regress' --use-existing --dbname=widened --inputdir='$ENV{STRATUM_SRC}/test' --outputdir='$dir/regress' --bindir='$ENV{STRATUM_BIN}' --host='$dir' --user=postgres @tests 2>&1`;
is($?, 0, 'the tests pass') or diag($said, `cat '$dir/regress/regression.diffs'`);
ok(-s "$dir/regress/results/$_.out", "$_ has run") for @tests;
is($node->sql(q{SELECT count(*) FROM pg_attribute WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind = 'r')
	AND attname ~ '^id$|_id$' AND atttypid = 'integer'::regtype AND NOT attisdropped}, db => 'widened'), '0', 'in a widened database');

done_testing();
