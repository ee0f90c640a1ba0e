#!/usr/bin/env perl
# For every two versions of the extension, with rows in every table: updated, taken back, updated again and restored
# from a dump, a database is in all that its users can see what a fresh one of that version is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows fill_tables empty_tables versions is_same);
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $dir = $node->dir;
my @versions = versions();
my $newest = $versions[-1];
my %tried = map { $_ => 0 } qw(ways copies);
my (%structure, %rows, %tables);

sub database { return join '_', 'db', map { tr/.//dr } @_ }

sub new_database
{
	my ($db, $version) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql("CREATE EXTENSION stratum VERSION '$version'", db => $db) if $version;
	fill_tables($node, $db) if $version;
	return $db;
}

# What the tables of the user and those that the given version has hold, of what the text of rows() says.
sub rows_of
{
	my ($version, $text) = @_;
	return join "\n", grep { !/^stratum\.(\w+)/ || $1 ne 'audited_tables' && $tables{$version}{ $1 =~ s/_id_seq$//r } } split /\n/, $text;
}

cmp_ok(scalar @versions, '>', 1, 'versions: ' . join ', ', @versions);
for my $version (@versions)
{
	my $db = new_database(database('fresh', $version), $version);
	is(empty_tables($node, $db), '', "$version: rows in every table");
	$tables{$version} = { map { $_ => 1 } split /\n/, $node->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind IN ('r', 'p')}, db => $db) };
	($structure{$version}, $rows{$version}) = (structure($node, $db), rows($node, $db));
	for my $kind ('function', 'relation', 'column', 'sequence', 'constraint', 'index', 'policy', 'trigger', 'type', 'comment on trigger', 'comment on policy', 'comment on table column', 'comment on function')
	{
		cmp_ok(scalar(() = $structure{$version} =~ /^\Q$kind\E /mg), '>', 5, "$version: $kind, there are some to compare");
	}
}

# ---- updates, there and back -----------------------------------------------------------------------------------

# The user's table is redacted in a way that 1.0 does not know, which is forgotten on the way down; redacted it stays.
my $redacted = q{SELECT redact FROM stratum.audited_tables WHERE table_name = 'public.notes'};
my $work = <<'SQL';
BEGIN;
SELECT stratum.enter(1, 1)\g /dev/null
INSERT INTO public.notes (body) VALUES ('hush');
UPDATE stratum.campaigns SET name = 'Another' WHERE id = 2;
SELECT resource_type || ' ' || action || coalesce(' ' || (new_values ->> 'body' ~ '^(\[REDACTED\]|hmac-sha256:.*)$')::text, '') FROM stratum.audit_logs WHERE created_at = now() ORDER BY 1;
ROLLBACK;
SQL

# Downwards what the older version has no table for is given up, and nothing else.
sub travel
{
	my ($start, @stops) = @_;
	my $db = new_database(database('from', $start, @stops), $start);
	my ($way, $expected) = ($start, $rows{$start});
	is_same(rows($node, $db) =~ s/ [0-9a-f]{32}$//mgr, $expected =~ s/ [0-9a-f]{32}$//mgr, "$way: the same number of rows in all of them");
	$expected = rows($node, $db);
	my $hidden = $node->sql($redacted, db => $db);
	for my $stop (@stops)
	{
		$node->sql("SET stratum.allow_data_loss = on; ALTER EXTENSION stratum UPDATE TO '$stop'", db => $db);
		$way .= " -> $stop";
		is_same(structure($node, $db), $structure{$stop}, "$way is as a fresh $stop");
		$expected = rows_of($stop, $expected);
		is_same(rows_of($stop, rows($node, $db)), $expected, "$way: no row has changed");
		is($node->sql($redacted, db => $db), $hidden = $stop eq '1.0' ? '{body}' : $hidden, "$way: what is redacted");
		is($node->sql($work, db => $db), "campaigns update\npublic.notes create true", "$way: writes are recorded, secrets not in clear");
		$expected = rows($node, $db);
		$tried{ways}++;
	}
	return $db;
}

for my $i (0 .. $#versions - 1)
{
	for my $j ($i + 1 .. $#versions)
	{
		my ($old, $new) = @versions[ $i, $j ];
		my $updated = travel($old, $new, $old, $new);
		travel($new, $old, $new);
		copy_of($updated, "a dump of $old -> $new -> $old -> $new") if $new eq $newest;
	}
}

# ---- dumps -----------------------------------------------------------------------------------------------------

# CREATE EXTENSION in a dump names no version: it is restored by the newest one.
sub copy_of
{
	my ($source, $what) = @_;
	my $db = new_database("copy_of_$source");
	for my $command ([ 'pg_dump', '-Fc', '-f', "$dir/$db.dump", $source ], [ 'pg_restore', '-d', $db, "$dir/$db.dump" ])
	{
		my ($rc, undef, $err) = $node->command(@$command);
		is($rc, 0, "$what: $command->[0]") or diag($err);
	}
	$node->sql('SELECT remedy FROM stratum.check_install() \gexec', db => $db);
	is($node->sql('SELECT * FROM stratum.check_install()', db => $db), '', "$what: healthy");
	is_same(structure($node, $db), $structure{$newest}, "$what: restored as a fresh $newest");
	is_same(rows($node, $db), rows($node, $source), "$what: no row has changed");
	$tried{copies}++;
	return;
}

copy_of(database('fresh', $_), "a dump of $_") for @versions;

tried('updates between every two versions, up and down, with rows in every table; structure, rights, comments and rows compared with a fresh install', "$tried{ways} updates");
tried('dumps of every version, fresh and updated, restored and repaired', "$tried{copies} databases");
done_testing();
