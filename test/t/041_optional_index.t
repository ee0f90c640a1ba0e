#!/usr/bin/env perl
# The index that needs btree_gin: made where that is installed, missed nowhere else, and carried by dumps.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure load_rows is_same);
use Test::More;

my $node = Stratum::Cluster->new;
my $dir = $node->dir;
plan skip_all => 'no btree_gin here' if $node->sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gin'}) eq '0';

my $check = 'SELECT * FROM stratum.check_install()';
my $name = 'stratum.ix_cdp_profiles_tenant_traits';
my $definition = 'CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops)';
my $find = qq{SET search_path = pg_catalog; SELECT pg_get_indexdef(to_regclass('$name'))};
my $comment = qq{SELECT obj_description('$name'::regclass, 'pg_class')};

sub new_database
{
	my ($db, @sql) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql($_, db => $db) for @sql;
	return $db;
}

sub dump_and_restore
{
	my ($from, $to) = @_;
	new_database($to);
	for my $command ([ 'pg_dump', '-Fc', '-f', "$dir/$to.dump", $from ], [ 'pg_restore', '-d', $to, "$dir/$to.dump" ])
	{
		my ($rc, undef, $err) = $node->command(@$command);
		is($rc, 0, "$command->[0] of $from") or diag($err);
	}
	is($node->sql($check, db => $to), '', "$to: healthy");
	return;
}

# ---- without, then with btree_gin ------------------------------------------------------------------------------

new_database('plain', 'CREATE EXTENSION stratum');
load_rows($node, 'plain');
is($node->sql($find, db => 'plain'), '', 'without btree_gin there is no index');
is($node->sql($check, db => 'plain'), '', 'and nothing is amiss');
dump_and_restore('plain', 'plain2');

# In a schema that nobody has in his path, with a name to quote.
$node->sql('CREATE SCHEMA "Other Things"; CREATE EXTENSION btree_gin SCHEMA "Other Things"', db => 'plain');
is($node->sql($check, db => 'plain'), 'index ix_cdp_profiles_tenant_traits|missing|SELECT stratum.install();', 'with it the index is missed');
$node->sql('SELECT stratum.install()', db => 'plain');
is($node->sql($find, db => 'plain'), $definition, 'install() makes it');
is($node->sql($comment, db => 'plain'), 'Containment in traits within a tenant; there where btree_gin is.', 'with a comment');
is($node->sql($check, db => 'plain'), '', 'and nothing is amiss');
dump_and_restore('plain', 'plain3');
is($node->sql($find, db => 'plain3'), $definition, 'a dump brings it');

new_database('gin', 'CREATE EXTENSION btree_gin', 'CREATE EXTENSION stratum');
is($node->sql($find, db => 'gin'), $definition, 'CREATE EXTENSION makes it');
is($node->sql($check, db => 'gin'), '', 'healthy');
is($node->sqlstate('DROP EXTENSION btree_gin', db => 'gin'), '2BP01', 'btree_gin is needed now');
$node->sql('DROP EXTENSION btree_gin CASCADE', db => 'gin');
is($node->sql($check, db => 'gin'), '', 'and without it nothing is amiss again');

# ---- up and down -----------------------------------------------------------------------------------------------

# With btree_gin first, and rows, so that the index has something to hold.
sub fresh
{
	my ($db, $version) = @_;
	new_database($db, 'CREATE EXTENSION btree_gin', "CREATE EXTENSION stratum VERSION '$version'");
	load_rows($node, $db);
	return structure($node, $db);
}

my ($fresh10, $fresh11) = (fresh('fresh10', '1.0'), fresh('fresh11', '1.1'));
like($fresh11, qr/^comment on index $name/m, 'a fresh 1.1 has it, a fresh 1.0 has not');
unlike($fresh10, qr/ix_cdp_profiles_tenant_traits/, '(it is for 1.1 only)');
fresh('updated', '1.0');
for my $round (1, 2)
{
	$node->sql(q{ALTER EXTENSION stratum UPDATE TO '1.1'}, db => 'updated');
	is_same(structure($node, 'updated'), $fresh11, "round $round: updated is as fresh");
	is($node->sql($check, db => 'updated'), '', 'healthy');
	$node->sql(q{ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'updated');
	is_same(structure($node, 'updated'), $fresh10, "round $round: and back");
}

# Made before the update, CONCURRENTLY: that one stays.
$node->sql('CREATE INDEX CONCURRENTLY ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops)', db => 'updated');
my $oid = $node->sql("SELECT '$name'::regclass::oid", db => 'updated');
$node->sql(q{ALTER EXTENSION stratum UPDATE TO '1.1'}, db => 'updated');
is($node->sql("SELECT '$name'::regclass::oid", db => 'updated'), $oid, 'an index that was there before the update stays');
is_same(structure($node, 'updated'), $fresh11, 'and is as the one of a fresh install');

# ---- another index of that name, another type of tenant_id -----------------------------------------------------

for my $db ('updated', 'plain2')
{
	$node->sql("DROP INDEX IF EXISTS $name; CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles (tenant_id); SELECT stratum.install()", db => $db);
	is($node->sql($check, db => $db), 'index ix_cdp_profiles_tenant_traits|changed: is "CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING btree (tenant_id)"'
		. qq{, should be "$definition"|DROP INDEX $name; SELECT stratum.install();}, "$db: another index of that name is reported");
	is($node->sql($comment, db => $db), '', 'and left alone');
	$node->sql("DROP INDEX $name; SELECT stratum.install();", db => $db);
	is($node->sql($check, db => $db), '', 'the remedy helps');
}

# install() would put back a default that the changed column has lost, so only the index is made here.
$node->sql("DROP INDEX $name; ALTER TABLE stratum.cdp_profiles DISABLE ROW LEVEL SECURITY", db => 'updated');
$node->sql('DROP POLICY tenant_isolation ON stratum.cdp_profiles; ALTER TABLE stratum.cdp_profiles ALTER tenant_id DROP DEFAULT, ALTER tenant_id TYPE bigint;
	SELECT stratum._install_optional_indexes()', db => 'updated');
is($node->sql($find, db => 'updated'), $definition, 'it is made for a bigint as well');

done_testing();
