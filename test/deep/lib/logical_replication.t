#!/usr/bin/env perl
# Logical replication of all tables to a newer server, and the switch to it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../../t/lib";
use Stratum::Cluster;
use Stratum::Install qw(rows fill_tables empty_tables is_same);
use Stratum::Tried qw(tried);
use Test::More;

my $older = $ENV{STRATUM_OLDER} or plan(skip_all => 'needs a second server: test/deep/logical_replication');
my $check = 'SELECT * FROM stratum.check_install()';
my $verify = 'SELECT t, v.* FROM unnest(ARRAY[1, 2, NULL]) t, stratum.verify_audit(t) v';
my $settings = "max_wal_senders = 20\nmax_replication_slots = 20\n";
my $publisher = Stratum::Cluster->new(bin => $older, config => "wal_level = logical\n$settings");
my $subscriber = Stratum::Cluster->new(config => "${settings}max_logical_replication_workers = 12\nmax_sync_workers_per_subscription = 4\nmax_worker_processes = 20\n");
my $versions = $publisher->sql('SHOW server_version') . ' -> ' . $subscriber->sql('SHOW server_version');
$_->sql('CREATE EXTENSION stratum; CREATE ROLE app LOGIN IN ROLE stratum_app') for $publisher, $subscriber;

# The rows and what the sequences say; they are not replicated.
sub tables { return join "\n", grep { !/_seq / } split /\n/, rows($_[0], 'postgres') }

sub sequences
{
	return $publisher->sql(q{SELECT format('SELECT setval(%L, %s);', format('%I.%I', schemaname, sequencename), last_value) FROM pg_sequences WHERE last_value IS NOT NULL});
}

sub wait_for
{
	my ($what, $node, $sql) = @_;
	for (1 .. 900) { return pass($what) if $node->sql($sql) eq 't'; select undef, undef, undef, 0.1 }
	return fail($what);
}

sub caught_up
{
	my ($what) = @_;
	my $end = $publisher->sql('SELECT pg_current_wal_insert_lsn()');
	return wait_for($what, $publisher, "SELECT confirmed_flush_lsn >= '$end' FROM pg_replication_slots WHERE slot_name = 'moving'");
}

# ---- the copy --------------------------------------------------------------------------------------------------

fill_tables($publisher, 'postgres');
is(empty_tables($publisher, 'postgres'), '', 'rows in every table');
is($publisher->sql(q{SELECT string_agg(c.relname, ' ') FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r'
	AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)}), '', 'every table has a key, so updates and deletes go along');
# The user's own tables are made without putting them under audit: which are is in audited_tables, which is replicated.
$subscriber->sql('CREATE TABLE public.notes (id serial PRIMARY KEY, tenant_id int DEFAULT stratum.current_tenant_id(), body text)');
is($subscriber->sql(q{SELECT format('SELECT 1 FROM %s', c.oid::regclass) FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r' \gexec}), '', 'a new install has no rows');
$publisher->sql('CREATE PUBLICATION moving FOR TABLES IN SCHEMA stratum, public');
$subscriber->sql("CREATE SUBSCRIPTION moving CONNECTION 'host=" . $publisher->dir . " dbname=postgres user=postgres' PUBLICATION moving");
wait_for('all tables are copied', $subscriber, q{SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel});
caught_up('and what was written meanwhile');
is_same(tables($subscriber), tables($publisher), 'the same rows in every table');

# ---- the stream ------------------------------------------------------------------------------------------------

my $rounds = 5;
for my $n (1 .. $rounds)
{
	$publisher->sql(<<"SQL");
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO public.notes (body) VALUES ('hush $n');
UPDATE stratum.campaigns SET name = name || '?', clicks = clicks + 1 WHERE id % 3 = 0;
DELETE FROM stratum.campaigns WHERE external_id = 'ext' || (12 + $n);
DELETE FROM stratum.cdp_events WHERE id BETWEEN $n * 7 AND $n * 7 + 3;
SELECT count(*) FROM stratum.ingest_events((SELECT jsonb_agg(jsonb_build_object('event_name', 'Purchase', 'external_id', 'r' || $n || '-' || g, 'traits', jsonb_build_object('ltv', g * 100))) FROM generate_series(1, 20) g));
UPDATE stratum.cdp_profiles SET traits = jsonb_build_object('ltv', 1000) WHERE id % 9 = $n;
SELECT stratum.settle_segments();
SELECT count(*) FROM stratum.refresh_segments();
SELECT stratum.merge_profiles(20 + $n, 30 + $n);
COMMIT;
SELECT stratum.seal_audit(1);
SQL
}
$publisher->sql('TRUNCATE public.notes; TRUNCATE stratum.tenant_platform_connections');
$publisher->sql(q{INSERT INTO public.notes (tenant_id, body) VALUES (1, 'after'), (2, 'of South')});
caught_up('the stream is through');
is_same(tables($subscriber), tables($publisher), 'updated, deleted, truncated, sealed: the same rows in every table');
is($subscriber->sql(q{SELECT count(*) > 0 FROM stratum.audit_logs WHERE metadata ->> 'operation' = 'truncate' OR metadata::text ~* 'truncate'}), 't', 'entries of TRUNCATE too');
is($subscriber->sql("SET default_transaction_read_only = on;\n$verify"), '', 'the seals are whole, as a transaction says that may not seal what is not');
is($subscriber->sql('SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats'), '0', 'no error on the way');
is($subscriber->sql("BEGIN; SELECT stratum.enter(2)\\g /dev/null\nSELECT count(*), string_agg(body, ',') FROM public.notes WHERE tenant_id = stratum.current_tenant_id()", user => 'postgres'), '1|of South', 'tenants are entered there');
my $segment = "BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT array_agg(p ORDER BY p) FROM stratum.segment_profiles(1) p";
is($subscriber->sql($segment, user => 'app'), $publisher->sql($segment, user => 'app'), 'and a segment has the same people');

# ---- the switch ------------------------------------------------------------------------------------------------

# Nobody writes any more; what the triggers have left unsealed is sealed on the other side.
$publisher->sql('ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()' =~ s/; /;\n/r);
caught_up('all is through');
my $positions = sequences();
$subscriber->sql('DROP SUBSCRIPTION moving');
$subscriber->sql($positions);
$subscriber->sql('SELECT stratum.install()');
is_same(rows($subscriber, 'postgres'), rows($publisher, 'postgres'), 'the same rows, and sequences go on where they were');
is($subscriber->sql($check), '', 'healthy');
is($subscriber->sql('SELECT count(*) FROM pg_replication_slots'), '0', 'nothing is left behind');
my $entries = $subscriber->sql('SELECT count(*) FROM stratum.audit_logs');
is($subscriber->sql(<<'SQL', user => 'app'), "1|1\n2", 'the application writes there');
BEGIN;
SELECT stratum.enter(1, 1)\g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, impressions, clicks) VALUES ('google', 'switched', 'a', 'n', 100, 1) RETURNING ctr, tenant_id;
INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (md5('switched')::uuid, '{"ltv": 5000}');
SELECT count(*) FROM stratum.audit_logs WHERE created_at = now();
COMMIT;
SQL
is($subscriber->sql(q{INSERT INTO public.notes (tenant_id, body) VALUES (1, 'hush'); SELECT new_values ->> 'body' ~ '^hmac-sha256:' FROM stratum.audit_logs ORDER BY id DESC LIMIT 1}), 't', 'tables of the user are under audit, by the same key');
is($subscriber->sql('SELECT count(*) FROM stratum.audit_logs'), $entries + 3, 'each is recorded once');
is($subscriber->sql('SELECT stratum.seal_audit(1) > 0, stratum.seal_audit(NULL) >= 0'), 't|t', 'the chains go on');
is($subscriber->sql($verify), '', 'and are whole');
is($subscriber->sql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\nSELECT count(*) FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_profiles p ON p.id = m.profile_id WHERE p.canonical_id = md5('switched')::uuid AND m.segment_id = 1"), '1', 'a live segment has taken the new profile');
is($publisher->sqlstate(q{INSERT INTO public.notes (tenant_id, body) VALUES (1, 'late')}), '25006', 'and the old server takes nothing');

my $rows = 0;
$rows += $_ for tables($subscriber) =~ /^\S+ (\d+) /mg;
tried('logical replication of all tables, copied and streamed (updates, deletes, truncates, seals), and the switch to the newer server', "$rounds rounds, $rows rows compared", $versions);
done_testing();
