#!/usr/bin/env perl
# Logical replication: what arrives was recorded where it was written, and is not recorded again; unless the subscriber says so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new(config => "wal_level = logical\nmax_wal_senders = 6\nmax_replication_slots = 6\n");
$node->sql("CREATE DATABASE $_") for qw(origin copy);
for my $db (qw(origin copy))
{
	$node->sql(<<'SQL', db => $db);
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'T', 't');
CREATE TABLE plain (id integer PRIMARY KEY, tenant_id integer, note text);
CREATE TABLE watched (id integer PRIMARY KEY, tenant_id integer, note text);
SELECT stratum.audit_table('plain'), stratum.audit_table('watched');
SQL
}
# On the subscriber one of them is to be recorded all the same.
$node->sql(<<'SQL', db => 'copy');
ALTER TABLE watched ENABLE ALWAYS TRIGGER zz_stratum_audit_insert;
ALTER TABLE watched ENABLE ALWAYS TRIGGER zz_stratum_audit_update;
ALTER TABLE watched ENABLE ALWAYS TRIGGER zz_stratum_audit_delete;
SQL
like($node->sql('SELECT * FROM stratum.check_install()', db => 'copy'), qr/audited table public.watched\|has statement triggers, and needs a row trigger\|SELECT stratum.audit_table\('public.watched', ...\) again/,
	'statement triggers are of no use there, and that is reported');
$node->sql(q{SELECT stratum.audit_table('watched')}, db => 'copy');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'copy'), '', 'put right by audit_table()');

$node->sql('CREATE PUBLICATION p FOR TABLE plain, watched', db => 'origin');
$node->sql(q{SELECT pg_create_logical_replication_slot('s', 'pgoutput')}, db => 'origin');
my $where = 'host=' . $node->dir . ' dbname=origin user=postgres';
$node->sql("CREATE SUBSCRIPTION s CONNECTION '$where' PUBLICATION p WITH (create_slot = false, slot_name = 's', copy_data = false)", db => 'copy');
$node->sql(<<'SQL', db => 'origin');
INSERT INTO plain SELECT n, 1, 'a' FROM generate_series(1, 1500) n;
UPDATE plain SET note = 'b' WHERE id <= 3;
DELETE FROM plain WHERE id > 2;
INSERT INTO watched VALUES (1, 1, 'a'), (2, 1, 'a');
UPDATE watched SET note = 'b' WHERE id = 1;
DELETE FROM watched WHERE id = 2;
INSERT INTO watched VALUES (9, 1, 'the last');
SQL
$node->comes_true('SELECT count(*) = 1 FROM watched WHERE id = 9', db => 'copy');
my $recorded = q{SELECT resource_type, action, count(*) FROM stratum.audit_logs WHERE resource_type LIKE 'public.%' GROUP BY 1, 2 ORDER BY 1, 2};
is($node->sql('SELECT count(*), min(note), max(id) FROM plain', db => 'copy'), '2|b|2', 'all has arrived');
is($node->sql($recorded, db => 'origin'), "public.plain|create|1500\npublic.plain|update|3\npublic.plain|delete|1498\npublic.watched|create|3\npublic.watched|update|1\npublic.watched|delete|1", 'recorded at the origin');
is($node->sql($recorded, db => 'copy'), "public.watched|create|3\npublic.watched|update|1\npublic.watched|delete|1", 'and at the subscriber what it asked for');

# The trail itself can be replicated, rows that were written past the executor too.
$node->sql(q{SELECT pg_create_logical_replication_slot('trail', 'test_decoding') }, db => 'origin') if -f (`'$ENV{PG_CONFIG}' --pkglibdir` =~ s/\n//r) . '/test_decoding.so';
$node->sql(q{INSERT INTO plain SELECT n, 1, 'c' FROM generate_series(3001, 4500) n}, db => 'origin');
SKIP:
{
	skip 'no test_decoding here', 1 unless -f (`'$ENV{PG_CONFIG}' --pkglibdir` =~ s/\n//r) . '/test_decoding.so';
	is($node->sql(q{SELECT count(*) FROM pg_logical_slot_get_changes('trail', NULL, NULL) WHERE data LIKE 'table stratum.audit_logs: INSERT:%public.plain%'}, db => 'origin'), '1500', 'entries are decoded from the WAL');
	$node->sql(q{SELECT pg_drop_replication_slot('trail')}, db => 'origin');
}
$node->sql('DROP SUBSCRIPTION s', db => 'copy');

tried('logical replication of audited tables: recorded once, or where it is asked for', '3006 changes');
done_testing();
