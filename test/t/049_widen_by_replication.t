#!/usr/bin/env perl
# The way to bigint ids without a window: logical replication into a database that was widened while it was empty.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(rows load_rows is_same);
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new(config => "wal_level = logical\n");
my $dir = $node->dir;
$node->sql("CREATE DATABASE $_") for qw(narrow wide);
$node->sql('CREATE EXTENSION stratum', db => $_) for qw(narrow wide);
load_rows($node, 'narrow');
$node->sql('CREATE TABLE public.notes (id serial PRIMARY KEY, tenant_id int DEFAULT stratum.current_tenant_id(), body text)', db => 'wide');
$node->sql('SET client_min_messages = warning; CALL stratum.widen_ids()' =~ s/; /;\n/r, db => 'wide');

# Both are in one cluster here, so the slot is made by hand.
$node->sql('CREATE PUBLICATION moving FOR TABLES IN SCHEMA stratum, public', db => 'narrow');
$node->sql(q{SELECT pg_create_logical_replication_slot('moving', 'pgoutput')}, db => 'narrow');
$node->sql("CREATE SUBSCRIPTION moving CONNECTION 'host=$dir dbname=narrow user=postgres' PUBLICATION moving WITH (create_slot = false, slot_name = 'moving')", db => 'wide');

sub wait_for { my ($what, $sql, $db) = @_; return ok($node->comes_true($sql, db => $db), $what) }

wait_for('the tables are copied', q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel}, 'wide');
$node->sql(<<'SQL', db => 'narrow');
BEGIN;
SELECT stratum.enter(1);
UPDATE stratum.campaigns SET name = name || '?';
DELETE FROM stratum.cdp_events WHERE id < 10;
INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (md5('late')::uuid, '{"ltv": 1000}');
SELECT stratum.refresh_segments();
COMMIT;
SQL
my $end = $node->sql('SELECT pg_current_wal_lsn()', db => 'narrow');
wait_for('and what was written meanwhile has come', "SELECT confirmed_flush_lsn >= '$end' FROM pg_replication_slots WHERE slot_name = 'moving'", 'narrow');
$node->sql('ALTER SUBSCRIPTION moving DISABLE', db => 'wide');
$node->sql("ALTER SUBSCRIPTION moving SET (slot_name = NONE); DROP SUBSCRIPTION moving", db => 'wide');

# The switch: sequences, and the triggers of tables that are audited.
my $positions = $node->sql(q{SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value) FROM pg_sequences WHERE last_value IS NOT NULL}, db => 'narrow');
$node->sql($positions, db => 'wide');
$node->sql('SELECT stratum.install()', db => 'wide');
is_same(rows($node, 'wide'), rows($node, 'narrow'), 'every row is there, and ids go on where they were');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'wide'), '', 'healthy');
is($node->sql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT count(*) FROM stratum.segment_profiles(1)", db => 'wide'), '21', 'and at work');
is($node->sql(q{SELECT DISTINCT atttypid::regtype FROM pg_attribute WHERE attname = 'profile_id' AND attrelid = 'stratum.cdp_events'::regclass}, db => 'wide'), 'bigint', 'with wide ids');

tried('ids made bigint by logical replication into a widened database, and the switch', '1 database');
done_testing();
