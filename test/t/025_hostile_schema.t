#!/usr/bin/perl
# A schema stratum that was there before, and in which an unprivileged role could create things: nothing of his runs
# while a superuser creates the extension.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new;

# Better matches than pg_catalog's for calls that a script may make without naming a schema.
my $trap = <<'SQL';
CREATE ROLE mallory LOGIN;
CREATE SCHEMA stratum;
GRANT CREATE, USAGE ON SCHEMA stratum TO mallory;
SET ROLE mallory;
CREATE FUNCTION stratum.format(text, text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN pg_catalog.format($1, VARIADIC ARRAY[$2]); END $$;
CREATE FUNCTION stratum.format(text, text, text) RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; RETURN pg_catalog.format($1, VARIADIC ARRAY[$2, $3]); END $$;
CREATE FUNCTION stratum._put_admin_policy(varchar) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE 'ALTER ROLE mallory SUPERUSER'; END $$;
RESET ROLE;
SQL
my $super = q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'};

$node->sql($trap);
my ($rc, $out, $err) = $node->psql('CREATE EXTENSION stratum');
isnt($rc, 0, 'refused');
like($err, qr/functions in schema "stratum" are owned by roles that are no superusers: stratum\.format\(text,text\)/, 'and says what is in the way');
is($node->sql($super), 'f', 'nothing of his has run');

is($node->sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'stratum%'"), '0', 'no role was made');

$node->sql('DROP OWNED BY mallory');
is($node->sql("BEGIN; SET LOCAL search_path = public, pg_temp; CREATE EXTENSION stratum; SHOW search_path"), 'public, pg_temp',
	'the script leaves the search path as it was');
is($node->sql('SELECT count(*) FROM pg_extension WHERE extname = \'stratum\''), '0', 'rolled back');
$node->sql('CREATE EXTENSION stratum');
is($node->sql('SELECT count(*) FROM stratum.check_install()'), '0', 'installs once they are gone');

done_testing();
