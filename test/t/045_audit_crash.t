#!/usr/bin/env perl
# The server is killed while it writes. Afterwards the audit trail tells exactly the rows that are there, and its indexes
# lead to exactly its rows: entries are WAL-logged like any row, also those that were written past the executor.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new(config => "checkpoint_timeout = 30s\nmax_wal_size = 64MB\nsynchronous_commit = off\n");
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) SELECT n, 'T' || n, 't' || n FROM generate_series(1, 3) n;
CREATE TABLE stock (id integer PRIMARY KEY, tenant_id integer, n integer, note text, more jsonb);
SELECT stratum.audit_table('stock');
CREATE SEQUENCE stock_ids;
SQL

# Batches that are larger than what is gathered before it is written, single rows, and what is undone.
my $load = <<'SQL';
INSERT INTO stock SELECT nextval('stock_ids'), 1 + i % 3, i, repeat('n', i % 100), jsonb_build_object('i', i) FROM generate_series(1, 1500) i;
UPDATE stock SET n = n + 1, more = more || '{"u": true}' WHERE id % 3 = (random() * 3)::integer;
UPDATE stock SET note = 'one' WHERE id = (SELECT min(id) FROM stock);
DELETE FROM stock WHERE id % 7 = (random() * 7)::integer;
BEGIN; INSERT INTO stock SELECT nextval('stock_ids'), 1, 0, 'undone' FROM generate_series(1, 1200) i; ROLLBACK;
BEGIN; UPDATE stock SET n = 0 WHERE id % 5 = 0; SAVEPOINT a; DELETE FROM stock; ROLLBACK TO a; COMMIT;
INSERT INTO stock VALUES (nextval('stock_ids'), 2, 1, 'single');
SQL

# A client that repeats the load until the server is gone.
sub start_client
{
	my ($name) = @_;
	my $pid = fork // die $!;
	return $pid if $pid;
	local %ENV = (%ENV, PGHOST => $node->dir, PGUSER => 'postgres', PGDATABASE => 'postgres');
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', '/dev/null';
	open STDERR, '>', '/dev/null';
	open my $file, '>', $node->dir . "/$name.sql" or die $!;
	print $file $load x 200;
	close $file;
	exec $node->bin . '/psql', '-Xq', '-f', $node->dir . "/$name.sql" or die $!;
}

sub slurp { my ($path) = @_; open my $file, '<', $path or return; local $/; return <$file> }

# What the entries say of each row: the last one's whole row, or the changes on top of one another.
my $told = <<'SQL';
WITH last_life AS (
  SELECT l.*, max(l.id) FILTER (WHERE l.action = 'create') OVER (PARTITION BY l.resource_id) AS born,
         bool_or(l.action = 'delete') OVER (PARTITION BY l.resource_id) AS gone
  FROM stratum.audit_logs l WHERE l.resource_type = 'public.stock'
), told AS (
  SELECT resource_id, jsonb_object_agg(e.key, e.value ORDER BY l.id) AS row
  FROM last_life l, jsonb_each(l.new_values) e WHERE l.id >= l.born AND NOT l.gone GROUP BY resource_id
)
SELECT count(*) FILTER (WHERE s.id IS NULL) AS told_but_gone, count(*) FILTER (WHERE t.row IS NULL) AS untold, count(*) FILTER (WHERE t.row <> to_jsonb(s)) AS differing,
       count(*) > 0 AS something
FROM stock s FULL JOIN told t ON t.resource_id = s.id::text;
SQL

my $has_amcheck = -f (`'$ENV{PG_CONFIG}' --sharedir` =~ s/\n//r) . '/extension/amcheck.control';
$node->sql('CREATE EXTENSION amcheck') if $has_amcheck;
my $entries = 0;
for my $round (1 .. 3)
{
	my @clients = map { start_client("client$_") } 1 .. 2;
	# Until each of them has done something since the last time.
	my $before = $entries + 4000 * $round;
	$node->comes_true("SELECT count(*) > $before FROM stratum.audit_logs");
	cmp_ok($node->kill_all, '>=', 2, "round $round: killed in the midst of it");
	waitpid $_, 0 for @clients;
	$node->start;
	like(slurp($node->log_file), qr/database system was not properly shut down/, 'the server has recovered');
	is($node->sql($told), '0|0|0|t', 'the trail tells the rows that are there, no more and no less');
	$entries = $node->sql('SELECT count(*) FROM stratum.audit_logs');
	cmp_ok($entries, '>', $before / 2, 'and has much to tell');
	my @counts = map { $node->sql("SET enable_seqscan = $_; SET enable_bitmapscan = off; SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'public.stock'") } qw(on off);
	is($counts[1], $counts[0], 'an index leads to all entries');
  SKIP:
	{
		skip 'no amcheck here', 1 unless $has_amcheck;
		is($node->sql(q{SELECT count(bt_index_check(indexrelid, true)) FROM pg_index WHERE indrelid = 'stratum.audit_logs'::regclass}), '6', 'every entry is in every index');
	}
	is($node->sql('SELECT * FROM stratum.check_install()'), '', 'healthy');
}

tried('the server killed with -9 while audited tables are written; then the trail tells the rows that are there', "3 crashes, $entries entries");
done_testing();
