#!/usr/bin/env perl
# bin/build-updates on two small versions that differ in every way it knows: its scripts, run as plain SQL, make of the
# one what the other is, in both directions.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $src = $ENV{STRATUM_SRC} or die "run this test with bin/test\n";
my $node = Stratum::Cluster->new;
my $dir = $node->dir;

sub spew { my ($path, $text) = @_; open my $file, '>', $path or die "$path: $!"; print $file $text; close $file or die $!; return }
sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return <$file> }

make_path("$dir/sql/parts", "$dir/sql/updates");
spew("$dir/sql/parts/guard.sql", "SET search_path = pg_catalog, pg_temp;\n");
spew("$dir/sql/updates/finish.sql", "COMMENT ON SCHEMA stratum IS 'made by \@VERSION\@';\n");
spew("$dir/sql/updates/1--2.sql", "-- up\nPERFORM stratum.added('step');\n");
spew("$dir/sql/updates/2--1.sql", "-- down; there's nothing to do\nPERFORM stratum.added('step');\n");

my $header = qq{\\echo Use "CREATE EXTENSION stratum" to load this file. \\quit\n};
my $common = <<'SQL';
/* nothing; /* of 'this */ is a statement; */
CREATE FUNCTION stratum._restoring() RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
COMMENT ON FUNCTION stratum._restoring() IS 'same; in both';
CREATE FUNCTION stratum.quotes(a$b text DEFAULT 'a;''b' , c text DEFAULT E'\';\\') RETURNS text LANGUAGE sql AS $a$ SELECT '$$;' || $b$;$b$ -- ;'
$a$;
COMMENT ON FUNCTION stratum.quotes(text, text) IS E'it''s \'; quoted';
SQL
spew("$dir/sql/stratum--1.sql", $header . $common . <<'SQL');
CREATE FUNCTION stratum.body() RETURNS text LANGUAGE sql AS $$ SELECT 'one; old' $$;
COMMENT ON FUNCTION stratum.body() IS 'body';
CREATE FUNCTION stratum.renamed(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql AS $$ SELECT $1 $$;
COMMENT ON FUNCTION stratum.renamed(integer, integer) IS 'an argument gets another name';
CREATE FUNCTION stratum.result() RETURNS integer LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION stratum.result() IS 'result';
CREATE FUNCTION stratum.defaulted(a integer, b integer DEFAULT length('x, y)')) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;
COMMENT ON FUNCTION stratum.defaulted(integer, integer) IS 'old words';
CREATE FUNCTION stratum.undefaulted(a integer DEFAULT 3) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;
COMMENT ON FUNCTION stratum.undefaulted(integer) IS 'loses its default';
CREATE FUNCTION stratum.grown(a text) RETURNS text LANGUAGE sql AS $$ SELECT 'one' $$;
COMMENT ON FUNCTION stratum.grown(text) IS 'gets an argument';
CREATE PROCEDURE stratum.gone(a text) LANGUAGE sql AS $$ SELECT 'gone' $$;
COMMENT ON PROCEDURE stratum.gone(text) IS 'is not there later';
REVOKE ALL ON ALL ROUTINES IN SCHEMA stratum FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.body() TO one, two;
GRANT EXECUTE ON FUNCTION stratum.result() TO one;
GRANT EXECUTE ON PROCEDURE stratum.gone(text) TO one;
SQL
spew("$dir/sql/stratum--2.sql", $header . $common . <<'SQL');
CREATE FUNCTION stratum.added(what text)
  RETURNS text LANGUAGE plpgsql AS $x$ BEGIN RETURN $$;$$ || what; END $x$;
COMMENT ON FUNCTION stratum.added(text)
  IS 'new';
CREATE FUNCTION stratum.body() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'two; new' $$;
COMMENT ON FUNCTION stratum.body() IS 'body';
CREATE FUNCTION stratum.renamed(a integer, c integer DEFAULT 1) RETURNS integer LANGUAGE sql AS $$ SELECT $1 $$;
COMMENT ON FUNCTION stratum.renamed(integer, integer) IS 'an argument gets another name';
CREATE FUNCTION stratum.result(OUT x integer, OUT y text) LANGUAGE sql AS $$ SELECT 1, 'a' $$;
COMMENT ON FUNCTION stratum.result() IS 'result';
CREATE FUNCTION stratum.defaulted(a integer = 7, b integer DEFAULT (2)) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;
COMMENT ON FUNCTION stratum.defaulted(integer, integer) IS 'new words';
CREATE FUNCTION stratum.undefaulted(a integer) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;
COMMENT ON FUNCTION stratum.undefaulted(integer) IS 'loses its default';
CREATE FUNCTION stratum.grown(a text, b text DEFAULT 'b') RETURNS text LANGUAGE sql AS $$ SELECT 'two' $$;
COMMENT ON FUNCTION stratum.grown(text, text) IS 'gets an argument';
REVOKE ALL ON ALL ROUTINES IN SCHEMA stratum FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stratum.body() TO two, three;
GRANT EXECUTE ON FUNCTION stratum.added(text) TO
  one;
GRANT EXECUTE ON FUNCTION stratum.result() TO one;
SQL

sub build { my $said = `cd '$dir' && perl '$src/bin/build-updates' 1 2 2>&1`; return ($?, $said) }

# Runs a script as plain SQL: without the line that keeps psql out.
sub run_script { my ($db, $name) = @_; return $node->sql(slurp("$dir/sql/stratum--$name.sql") =~ s/\A\\echo[^\n]*//r, db => $db) }

sub state_of
{
	my ($db) = @_;
	return $node->sql(q{SELECT pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(proacl) a)
		FROM pg_proc p WHERE pronamespace = 'stratum'::regnamespace ORDER BY p.oid::regprocedure::text}, db => $db);
}

my ($rc, $said) = build();
is($rc, 0, 'writes two scripts') or diag($said);
$node->sql('CREATE ROLE one; CREATE ROLE two; CREATE ROLE three');
my %fresh;
for my $version (1, 2)
{
	$node->sql("CREATE DATABASE v$version");
	$node->sql('CREATE SCHEMA stratum', db => "v$version");
	run_script("v$version", $version);
	$fresh{$version} = state_of("v$version");
}
for my $round (1, 2)
{
	run_script('v1', '1--2');
	is(state_of('v1'), $fresh{2}, "round $round: up");
	is($node->sql(q{SELECT obj_description('stratum'::regnamespace)}, db => 'v1'), 'made by 2', 'the end of the script knows the version');
	run_script('v1', '2--1');
	is(state_of('v1'), $fresh{1}, "round $round: down");
}

my $up = slurp("$dir/sql/stratum--1--2.sql");
like($up, qr/\A\\echo Use "ALTER EXTENSION stratum UPDATE TO '2'" to load this file\. \\quit\n/, 'psql is told what to do');
unlike($up, qr/quotes|_restoring\(\) RETURNS/, 'what is the same is left alone');
like($up, qr/^CREATE OR REPLACE FUNCTION stratum\.defaulted/m, 'other defaults are replaced');
is(join(' ', $up =~ /^DROP \w+ stratum\.(\w+)/mg), 'renamed result undefaulted grown gone', 'only what cannot be replaced is dropped');
like($up, qr/PERFORM stratum\.added.*DROP PROCEDURE stratum\.gone/s, 'and what is gone after everything else');

# What it cannot know it refuses.
sub refuses
{
	my ($name, $addition, $expected) = @_;
	my $whole = slurp("$dir/sql/stratum--2.sql");
	spew("$dir/sql/stratum--2.sql", $whole . $addition);
	my ($rc, $said) = build();
	isnt($rc, 0, $name);
	like($said, $expected, 'and says why');
	spew("$dir/sql/stratum--2.sql", $whole);
	return;
}
refuses('an object of another kind', 'CREATE OPERATOR stratum.@ (LEFTARG = int, FUNCTION = int4abs);', qr/one version only.*CREATE OPERATOR/s);
refuses('a member without a comment', 'CREATE FUNCTION stratum.mute() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;', qr/no comment follows CREATE FUNCTION stratum\.mute/);
refuses('rights of a member that is not there', 'GRANT EXECUTE ON FUNCTION stratum.added(integer) TO one;', qr/no member has this name/);
refuses('an open quote', q{SELECT 'it;}, qr/not closed/);
refuses('an open dollar quote', q{SELECT $a$ it; $b$}, qr/has no end/);

done_testing();
