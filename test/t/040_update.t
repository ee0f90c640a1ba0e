#!/usr/bin/env perl
# ALTER EXTENSION stratum UPDATE between the released version and the next, up and down: what is there afterwards is
# what a fresh install of that version has, and no row has changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows fill_tables is_same);
use Stratum::Tried qw(tried);
use Test::More;

my ($old, $new) = ('1.0', '1.1');
my $node = Stratum::Cluster->new(config => "max_prepared_transactions = 2\n");
my $dir = $node->dir;
my $check = 'SELECT * FROM stratum.check_install()';
# The library is always the newer one.
my %healthy = ($new => '', $old => "library|library is version $new, extension is $old|"
	. 'Install the files of one version, then ALTER EXTENSION stratum UPDATE, and connect anew.');

$node->sql('CREATE ROLE reports LOGIN');

sub new_database
{
	my ($db, $version) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql("CREATE EXTENSION stratum VERSION '$version'", db => $db) if $version;
	load_rows($node, $db) if $version;
	return $db;
}

sub update { my ($db, $version) = @_; return $node->sql("ALTER EXTENSION stratum UPDATE TO '$version'", db => $db) }

sub dump_and_restore
{
	my ($from, $to) = @_;
	new_database($to);
	for my $command ([ 'pg_dump', '-Fc', '-f', "$dir/$to.dump", $from ], [ 'pg_restore', '-d', $to, "$dir/$to.dump" ])
	{
		my ($rc, undef, $err) = $node->command(@$command);
		is($rc, 0, "$command->[0] of $from") or diag($err);
	}
	return $to;
}

# ---- up, down, and up again ------------------------------------------------------------------------------------

my %fresh = map { $_ => structure($node, new_database('fresh' . tr/.//dr, $_)) } $old, $new;
like($fresh{$old}, qr/^function stratum\.enter\(.*^member function stratum\.enter\(/ms, 'there is something to compare');
isnt($fresh{$old}, $fresh{$new}, 'the versions differ');
unlike($fresh{$new}, qr/^initial rights of (?:table|sequence|type|function stratum\.storage_version)/m, 'storage has no initial rights, which a dump would leave out');

for my $journey ([ $old, $new, $old, $new ], [ $new, $old, $new ])
{
	my ($start, @stops) = @$journey;
	my $db = new_database('from' . $start =~ tr/.//dr, $start);
	my $rows = rows($node, $db);
	my $way = $start;
	for my $stop (@stops)
	{
		update($db, $stop);
		$way .= "-$stop";
		is_same(structure($node, $db), $fresh{$stop}, "$way is as a fresh $stop");
		is_same(rows($node, $db), $rows, "$way: no row has changed");
		is($node->sql($check, db => $db), $healthy{$stop}, "$way: healthy");
	}
}

# ---- what users have added and changed -------------------------------------------------------------------------

new_database('added', $old);
$node->sql(<<'SQL', db => 'added');
ALTER TABLE stratum.campaigns ADD COLUMN team text DEFAULT 'none';
UPDATE stratum.campaigns SET team = 'blue' WHERE id < 9;
CREATE INDEX my_team ON stratum.campaigns (tenant_id, team);
CREATE POLICY my_policy ON stratum.campaigns AS RESTRICTIVE FOR DELETE USING (team <> 'locked');
ALTER TABLE stratum.rules DISABLE TRIGGER zz_stratum_audit;
ALTER TABLE stratum.rules ENABLE ALWAYS TRIGGER zz_stratum_mixin;
CREATE VIEW public.versions AS SELECT stratum.storage_version(), stratum.version();
GRANT SELECT ON public.versions TO reports;
GRANT USAGE ON SCHEMA stratum TO reports;
GRANT SELECT ON stratum.campaigns TO reports;
GRANT EXECUTE ON FUNCTION stratum.storage_version(), stratum.version(), stratum.current_tenant_id() TO reports;
REVOKE EXECUTE ON FUNCTION stratum.ctr(bigint, bigint) FROM stratum_app;
REVOKE DELETE ON stratum.cdp_events FROM stratum_app;
SQL

# Lines of the user's own, and what he took away. The audit has one trigger in 1.0 and three in 1.1, all of one state.
sub own_things
{
	my ($db) = @_;
	my %seen;
	my @lines = grep { /reports|team|my_policy|trigger .*rules.* [DA]$/ } grep { !/^initial/ } split /\n/, structure($node, $db);
	s/^trigger CREATE TRIGGER zz_stratum_audit(?:_(?:insert|update|delete))? .* (\S)$/trigger zz_stratum_audit $1/ for @lines;
	return join "\n", (grep { !$seen{$_}++ } @lines),
	  $node->sql(q{SELECT has_function_privilege('stratum_app', 'stratum.ctr(bigint, bigint)', 'EXECUTE'), has_table_privilege('stratum_app', 'stratum.cdp_events', 'DELETE'),
		has_schema_privilege('reports', 'stratum', 'USAGE'), has_function_privilege('reports', 'stratum.current_tenant_id()', 'EXECUTE')}, db => $db);
}

my ($own, $rows) = (own_things('added'), rows($node, 'added'));
like($own, qr/zz_stratum_audit D\n.*zz_stratum_mixin .* A\n.*^f\|f\|t\|t\z/ms, q{users' own things are found});
for my $version ($new, $old, $new)
{
	update('added', $version);
	is_same(own_things('added'), $own, "users' own things survive the way to $version");
	is_same(rows($node, 'added'), $rows, "so do the rows");
	is($node->sql('SELECT * FROM public.versions', db => 'added', user => 'reports'), "$version|$version", 'and a view over storage_version()');
}

# Tables of the user's under audit change the form of their triggers, and what is recorded is the same in both.
new_database('audited', $old);
$node->sql(<<'SQL', db => 'audited');
CREATE TABLE public.orders (id integer PRIMARY KEY, tenant_id integer, secret text, seen integer, note text);
CREATE TABLE public.off (id integer PRIMARY KEY);
CREATE TABLE public.parts (id integer PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE public.part PARTITION OF public.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE public.replicated (id integer PRIMARY KEY);
SELECT stratum.audit_table('public.orders', redact => '{secret}', ignore => '{seen}', operations => 'update,delete');
SELECT stratum.audit_table('public.off');
SELECT stratum.audit_table('public.parts');
SELECT stratum.audit_table('public.replicated');
ALTER TABLE public.off DISABLE TRIGGER zz_stratum_audit;
ALTER TABLE public.replicated ENABLE ALWAYS TRIGGER zz_stratum_audit;
SQL
my $audit_triggers = q{SELECT tgrelid::regclass::text || ' ' || string_agg(substr(tgname, 12) || ' ' || tgenabled::text, ', ' ORDER BY tgname)
	FROM pg_trigger WHERE tgname ~ '^zz_stratum_audit' AND tgname !~ 'truncate' AND tgrelid::regclass::text ~ '^(orders|off|part|parts|replicated)$' GROUP BY tgrelid ORDER BY 1};
my $work = q{INSERT INTO orders VALUES (1, 1, 'hush', 1, 'a'); UPDATE orders SET seen = 2; UPDATE orders SET secret = 'b', note = 'c'; DELETE FROM orders; INSERT INTO off VALUES (1); DELETE FROM off;
	INSERT INTO parts VALUES (1); DELETE FROM parts; INSERT INTO replicated VALUES (1); SET session_replication_role = replica; DELETE FROM replicated; RESET session_replication_role;
	SELECT action, resource_type, resource_id, old_values, new_values FROM stratum.audit_logs WHERE id > coalesce(nullif(current_setting('my.last', true), ''), '0')::integer AND resource_type LIKE 'public.%' ORDER BY id};
sub recorded { return $node->sql(q{SELECT set_config('my.last', max(id)::text, false) FROM stratum.audit_logs \g /dev/null} . "\n$work", db => 'audited') }
my @row_form = ($node->sql($audit_triggers, db => 'audited'), recorded());
is($row_form[0], "off audit D\norders audit O\npart audit O\nparts audit O\nreplicated audit A", '1.0 has row triggers');
is(scalar(split /\n/, $row_form[1]), 6, 'which record six changes');
for my $version ($new, $old, $new)
{
	$node->sql("SET quote_all_identifiers = on; ALTER EXTENSION stratum UPDATE TO '$version'", db => 'audited');
	is($node->sql($audit_triggers, db => 'audited'), $version eq $old ? $row_form[0]
		: "off audit_delete D, audit_insert D, audit_update D\norders audit_delete O, audit_update O\npart audit O\nparts audit O\nreplicated audit A", "the triggers of $version, as they were enabled");
	is_same(recorded(), $row_form[1], "the same is recorded in $version");
}

# Rights are what a dump loses when a script has given them; of members it never has more than the script's own.
dump_and_restore('added', 'added2');
is($node->sql('SELECT * FROM public.versions', db => 'added2', user => 'reports'), "$new|$new", 'a dump after the updates has the grants of users');
is($node->sql(q{SELECT has_table_privilege('reports', 'stratum.campaigns', 'SELECT'), has_table_privilege('stratum_app', 'stratum.campaigns', 'SELECT, INSERT'),
	has_table_privilege('stratum_app', 'stratum.cdp_events', 'DELETE'), has_function_privilege('reports', 'stratum.current_tenant_id()', 'EXECUTE'),
	has_function_privilege('stratum_app', 'stratum.ctr(bigint, bigint)', 'EXECUTE')}, db => 'added2'), 't|t|f|t|f', 'on storage and on members');

dump_and_restore('from10', 'from10copy');
is_same(structure($node, 'from10copy'), $fresh{$new}, 'a dump of an updated database restores as a fresh install');
is($node->sql($check, db => 'from10copy'), '', 'healthy');

# ---- an update that fails --------------------------------------------------------------------------------------

my $fails = 1;
sub update_fails
{
	my ($db, $version, $sqlstate, $name, %option) = @_;
	my @before = (structure($node, $db), rows($node, $db));
	$fails++;
	is($node->sqlstate(($option{setting} // '') . "ALTER EXTENSION stratum UPDATE TO '$version'", db => $db), $sqlstate, $name);
	is_same(structure($node, $db), $before[0], 'and left everything as it was');
	is_same(rows($node, $db), $before[1], 'rows too');
	return;
}

new_database('failing', $old);
$node->sql('CREATE FUNCTION stratum._optional_indexes() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', db => 'failing');
update_fails('failing', $new, '42723', 'a function is in the way');
$node->sql('DROP FUNCTION stratum._optional_indexes()', db => 'failing');
$node->sql(q{BEGIN; LOCK TABLE stratum.rules IN SHARE MODE; PREPARE TRANSACTION 'holds rules'}, db => 'failing');
update_fails('failing', $new, '55P03', 'a lock is not to be had in time', setting => 'SET lock_timeout = 100; ');
$node->sql(q{ROLLBACK PREPARED 'holds rules'}, db => 'failing');

# A backend that is terminated in the middle of it, where it waits for a lock.
{
	$node->sql(q{BEGIN; LOCK TABLE stratum.rules IN SHARE MODE; PREPARE TRANSACTION 'holds rules'}, db => 'failing');
	my @before = (structure($node, 'failing'), rows($node, 'failing'));
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		local %ENV = (%ENV, PGHOST => $dir, PGUSER => 'postgres', PGDATABASE => 'failing');
		open STDERR, '>', '/dev/null';
		exec "$ENV{STRATUM_BIN}/psql", '-Xq', '-c', "ALTER EXTENSION stratum UPDATE TO '$new'" or die $!;
	}
	my $waiting = q{FROM pg_stat_activity WHERE query LIKE 'ALTER EXTENSION stratum UPDATE%' AND wait_event_type = 'Lock'};
	$node->comes_true("SELECT count(*) > 0 $waiting");
	is($node->sql("SELECT pg_terminate_backend(pid, 60000) $waiting"), 't', 'a backend is terminated in the middle of an update');
	waitpid $pid, 0;
	$node->sql(q{ROLLBACK PREPARED 'holds rules'}, db => 'failing');
	is_same(structure($node, 'failing'), $before[0], 'which left everything as it was');
	is_same(rows($node, 'failing'), $before[1], 'rows too');
}
update('failing', $new);
is($node->sql($check, db => 'failing'), '', 'nothing in the way: it works');
$node->sql('CREATE VIEW public.mine AS SELECT * FROM stratum._optional_indexes()', db => 'failing');
update_fails('failing', $old, '2BP01', 'a view uses what the older version does not have');
$node->sql('DROP VIEW public.mine; GRANT CREATE ON SCHEMA stratum TO reports', db => 'failing');
$node->sql('CREATE FUNCTION stratum.format(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', db => 'failing', user => 'reports');
update_fails('failing', $old, '42501', q{a stranger's function is in the schema});
like(($node->psql(q{ALTER EXTENSION stratum UPDATE TO '9.9'}, db => 'failing'))[2], qr/ERROR:  extension "stratum" has no update path from version "\Q$new\E" to version "9\.9"/, q{a version that there is not: PostgreSQL's own message});
like(($node->psql(qq{BEGIN; UPDATE pg_extension SET extversion = '0.1' WHERE extname = 'stratum'; ALTER EXTENSION stratum UPDATE TO '$new'}, db => 'failing'))[2],
	qr/ERROR:  extension "stratum" has no update path from version "0\.1" to version "\Q$new\E"/, 'so from one');

# ---- dumps of the other version --------------------------------------------------------------------------------

$rows = rows($node, 'fresh10');
dump_and_restore('fresh10', 'restored');
my @row = split /\|/, $node->sql($check, db => 'restored');
is("$row[0]: $row[1]", "storage: storage is version $old, extension is $new", "a dump of $old restored by $new: check_install() says so");
is($row[2], "ALTER EXTENSION stratum UPDATE TO '$old'; ALTER EXTENSION stratum UPDATE TO '$new';", 'names two commands, and nothing that goes with it');
like(($node->psql('SELECT stratum.install()', db => 'restored'))[2], qr/ERROR:  the storage found is of version \Q$old\E, this is version \Q$new\E\nHINT:  \Q$row[2]\E\n/, 'install() names them too');
$node->sql('SELECT remedy FROM stratum.check_install() \gexec', db => 'restored');
is($node->sql($check, db => 'restored'), '', 'which repair it, sent as they are');
is_same(structure($node, 'restored'), $fresh{$new}, "as a fresh $new");
is_same(rows($node, 'restored'), $rows, 'with all its rows');

# The other way round: what the older version lacks fails to restore, and comes with the first of the two commands.
my $newer_rows = rows($node, 'fresh11');
new_database('behind');
$node->sql("SET row_security = off; CREATE EXTENSION stratum VERSION '$old'", db => 'behind');
$node->command('pg_dump', '-Fc', '-f', "$dir/behind.dump", 'fresh11');
my (undef, undef, $missing) = $node->command('pg_restore', '-d', 'behind', "$dir/behind.dump");
is(join("\n", grep { !/^(?:function stratum\.\w+\(\)|trigger "zz_stratum_\w+" for table "\w+") does not exist$/ } $missing =~ /ERROR:\s+(.*)/g), 'schema "stratum" already exists', "a dump of $new restored by $old lacks nothing but triggers whose functions are not there");
@row = map { [ split /\|/ ] } grep { /^storage\|/ } split /\n/, $node->sql($check, db => 'behind');
is($row[0][1], "storage is version $new, extension is $old", 'check_install() says so');
my @commands = $row[0][2] =~ /(ALTER EXTENSION stratum UPDATE TO '[\d.]+';)/g;
is(scalar @commands, 2, 'and names two commands');
$node->sql($_, db => 'behind') for @commands;
is($node->sql($check, db => 'behind'), $healthy{$old}, 'which repair it');
is_same(structure($node, 'behind'), $fresh{$old}, "as a fresh $old");
is_same(rows($node, 'behind'), $newer_rows, 'with all its rows');

# The version of the dump first, the update afterwards; a script that runs while restoring leaves the storage alone.
new_database('ahead');
$node->sql("SET row_security = off; CREATE EXTENSION stratum VERSION '$old'", db => 'ahead');
my (undef, undef, $err) = $node->psql("SET row_security = off; ALTER EXTENSION stratum UPDATE TO '$new'; ALTER EXTENSION stratum UPDATE TO '$old'", db => 'ahead');
like($err, qr/NOTICE.*the storage is not updated while a dump is restored/, 'an update while restoring says that it is none of the storage');
is($node->sql(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'stratum'::regnamespace}, db => 'ahead'), '0', 'and makes none');
isnt(($node->command('pg_restore', '--exit-on-error', '-d', 'ahead', "$dir/restored.dump"))[0], 0, 'pg_restore --exit-on-error does not get past the schema');
is($node->sql(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'stratum'::regnamespace}, db => 'ahead'), '0', 'and restores nothing');
my (undef, undef, $said) = $node->command('pg_restore', '-d', 'ahead', "$dir/restored.dump");
is(join("\n", $said =~ /ERROR:\s+(.*)/g), 'schema "stratum" already exists', 'the dump goes into it');
update('ahead', $new);
is_same(structure($node, 'ahead'), $fresh{$new}, "the version of the dump made first, then the update: as a fresh $new");
is_same(rows($node, 'ahead'), $rows, 'with all its rows');

# ---- adoption --------------------------------------------------------------------------------------------------

$node->sql('DROP EXTENSION stratum CASCADE', db => 'fresh10');
like(($node->psql('CREATE EXTENSION stratum', db => 'fresh10'))[2], qr/ERROR:  the storage found is of version \Q$old\E.*\nHINT:  Use CREATE EXTENSION stratum VERSION '\Q$old\E'/, "storage of $old is not adopted by $new");
$node->sql("CREATE EXTENSION stratum VERSION '$old'; ALTER EXTENSION stratum UPDATE TO '$new'", db => 'fresh10');
is($node->sql($check, db => 'fresh10'), '', 'but by its own version, and then updated');
is_same(rows($node, 'fresh10'), $rows, 'with all its rows');

$node->sql('DROP FUNCTION stratum.storage_version() CASCADE', db => 'added');
is($node->sqlstate("ALTER EXTENSION stratum UPDATE TO '$old'", db => 'added'), '55000', 'storage of no known version is not updated');

# ---- a downgrade that would lose data --------------------------------------------------------------------------

new_database('filled');
$node->sql("CREATE EXTENSION stratum VERSION '$new'", db => 'filled');
fill_tables($node, 'filled');
my $down = "ALTER EXTENSION stratum UPDATE TO '$old'";
my $lost = join '; ', 'the seals of the audit trail', 'the key of hashed values in the audit trail',
  'that columns are hashed or left out in the audit trail: they are masked from then on', 'the keys of stratum.jwt_keys', 'which segments are live or keep a history',
  'the history of segments', 'the other names of profiles in stratum.cdp_profile_aliases', 'what ad platforms have been given, in stratum.cdp_audience_uploads',
  'what workers have been handed';
update_fails('filled', $old, '55000', 'a downgrade that would lose data is refused');
like(($node->psql($down, db => 'filled'))[2], qr/ERROR:  the downgrade would lose \Q$lost\E\nHINT:  SET stratum\.allow_data_loss = on;/, 'it names all that would be lost');
like(($node->psql("SET stratum.allow_data_loss = on; $down", db => 'filled'))[2], qr/WARNING:  the downgrade loses \Q$lost\E\n\z/, 'allowed, it names what is');
is($node->sql($check, db => 'filled'), $healthy{$old}, 'and is done');
is($node->sql(q{SELECT redact FROM stratum.audited_tables WHERE table_name = 'public.notes'}, db => 'filled'), '{body}', 'what was hashed is masked');
is(($node->psql("ALTER EXTENSION stratum UPDATE TO '$new'; $down", db => 'filled'))[2], '', 'nothing to lose, nothing said');

tried('updates that fail or are interrupted leave everything as it was', "$fails updates");
tried('updates with what users have added and changed: columns, indexes, policies, rights, triggers switched off', '6 updates');
done_testing();
