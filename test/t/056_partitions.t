#!/usr/bin/env perl
# partition_by_month() and unpartition(): rows and everything else before and after; what is recorded; isolation in the partitions themselves;
# tampering and retention; make_partitions(); dump and restore, the extension gone and back, updates, wide ids; pg_partman.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows is_same);
use Test::More;
use Time::HiRes qw(time);

Stratum::Cluster->in_mid_month;
my $node = Stratum::Cluster->new;
my $dir = $node->dir;
my $check = 'SELECT * FROM stratum.check_install()';
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE reports LOGIN; CREATE ROLE admin LOGIN');

sub convert { my ($db) = @_; return $node->sql(join("\n", map { "CALL stratum.partition_by_month('$_');" } qw(audit_logs cdp_events)), db => $db) }
sub convert_back { my ($db) = @_; return $node->sql(join("\n", map { "CALL stratum.unpartition('$_');" } qw(audit_logs cdp_events)), db => $db) }

sub new_database
{
	my ($db, $version) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql("CREATE EXTENSION stratum VERSION '" . ($version // '1.1') . "'", db => $db);
	load_rows($node, $db);
	# a year of both
	$node->sql(<<'SQL', db => $db);
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, message_id)
  SELECT 1, g, 'Seen', 'track', now() - g * interval '9 days', md5('m' || g)::uuid FROM generate_series(1, 40) g;
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
UPDATE stratum.audit_logs SET created_at = now() - id * interval '3 days';
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SQL
	return $db;
}

# Of the tables, not of their partitions, which have the same rows once more.
sub rows_of_tables { my ($db) = @_; return join "\n", grep { !/_(?:p\d{4}_\d\d|default) / } split /\n/, rows($node, $db) }

# ---- there and back --------------------------------------------------------------------------------------------

new_database('own');
$node->sql('GRANT stratum_app TO app; GRANT stratum_admin TO admin');
$node->sql(<<'SQL', db => 'own');
ALTER TABLE stratum.audit_logs ADD COLUMN note text DEFAULT 'none', ADD COLUMN bytes integer GENERATED ALWAYS AS (id % 10) STORED;
ALTER TABLE stratum.audit_logs ADD CONSTRAINT note_check CHECK (note <> '');
COMMENT ON CONSTRAINT note_check ON stratum.audit_logs IS 'mine';
COMMENT ON TABLE stratum.audit_logs IS 'Ours.';
CREATE INDEX mine ON stratum.audit_logs (lower(resource_id)) WHERE note = 'none';
COMMENT ON INDEX stratum.mine IS 'my index';
CREATE UNIQUE INDEX "Once a time" ON stratum.cdp_events (timestamp, id) WHERE id < 0;
CREATE STATISTICS stratum.mine_too ON tenant_id, user_id FROM stratum.audit_logs;
COMMENT ON STATISTICS stratum.mine_too IS 'my statistics';
CREATE POLICY mine ON stratum.cdp_events AS RESTRICTIVE FOR DELETE TO stratum_app USING (event_name <> 'locked' AND profile_id IN (SELECT p.id FROM stratum.cdp_profiles p));
CREATE FUNCTION public.quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER mine AFTER INSERT OR UPDATE OF event_name ON stratum.cdp_events FOR EACH ROW WHEN (new.event_name = 'x') EXECUTE FUNCTION public.quiet();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON stratum.cdp_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.quiet();
CREATE TRIGGER whole AFTER INSERT ON stratum.cdp_events REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION public.quiet();
ALTER TABLE stratum.cdp_events DISABLE TRIGGER zz_stratum_live;
ALTER TABLE stratum.cdp_events ENABLE ALWAYS TRIGGER mine;
ALTER TABLE stratum.cdp_events SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE stratum.cdp_events ALTER COLUMN event_name SET STATISTICS 500;
GRANT SELECT, REFERENCES ON stratum.cdp_events TO reports WITH GRANT OPTION;
GRANT UPDATE (note) ON stratum.audit_logs TO reports;
REVOKE DELETE ON stratum.cdp_events FROM stratum_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA stratum GRANT SELECT ON TABLES TO reports;
SQL
my $before = structure($node, 'own');
my $rows = rows_of_tables('own');
my $rights = q{SELECT c.oid::regclass || ' ' || r.rolname || ' ' || p FROM pg_class c, pg_roles r, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES}'::text[]) p
	WHERE c.oid IN ('stratum.audit_logs'::regclass, 'stratum.cdp_events'::regclass) AND has_table_privilege(r.oid, c.oid, p) ORDER BY 1};
my $rights_before = $node->sql($rights, db => 'own');

# A conversion is one transaction.
$node->sql("BEGIN;\nCALL stratum.partition_by_month('audit_logs');\nCALL stratum.partition_by_month('cdp_events');\nROLLBACK", db => 'own');
is_same(structure($node, 'own'), $before, 'rolled back: nothing has changed');

is(convert('own'), '', 'converted');
is_same(rows_of_tables('own'), $rows, 'the same rows');
is($node->sql($rights, db => 'own'), $rights_before, 'the same rights');
is($node->sql(q{SELECT c.relname, count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE c.relkind = 'p' GROUP BY 1 HAVING count(*) > 10 ORDER BY 1}, db => 'own') =~ s/\|\d+//gr,
	"audit_logs\ncdp_events", 'in a partition a month');
is($node->sql(q{SELECT (SELECT count(*) FROM stratum.audit_logs_default), (SELECT count(*) FROM stratum.cdp_events_default)}, db => 'own'), '0|0', 'and none in the default ones');

# What the parents have, as it was, but for what cannot be.
sub likened
{
	my ($structure) = @_;
	return join "\n", sort grep { !/_(?:p\d{4}_\d\d|default)\b/ && !/zz_stratum_audit(?:_update|_delete|\b)|_pkey\b|message_id_key|^relation (?:audit_logs|cdp_events):|^column audit_logs\.created_at|audit_logs_created_at_not_null/ }
		map { s/ ON ONLY / ON /r } split /\n/, $structure;
}
is_same(likened(structure($node, 'own')), likened($before), 'columns, checks, references, indexes, statistics, policies, triggers and their states, comments are the same');
is($node->sql(q{SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'stratum.cdp_events'::regclass AND tgname ~ '^zz_stratum_audit' ORDER BY 1}, db => 'own'),
	"zz_stratum_audit|O\nzz_stratum_audit_truncate|O", 'changes are recorded row by row');
is($node->sql(q{SELECT DISTINCT reloptions FROM pg_class WHERE relname ~ '^cdp_events_(p\d|default)' AND relkind = 'r'}, db => 'own'),
	'{fillfactor=90,autovacuum_vacuum_scale_factor=0.05}', 'partitions are stored as the table was');
is($node->sql(q{SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relispartition AND c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r' AND a.grantee <> c.relowner}, db => 'own'),
	'0', 'nobody has a right on a partition, whatever the default privileges');
# a disabled trigger is what check_install() finds in a plain table too
my $found = $node->sql('SELECT object, problem FROM stratum.check_install()', db => 'own');
is($found, qq{right cdp_events to stratum_app|changed: is "INSERT, SELECT, UPDATE", should be "DELETE, INSERT, SELECT, UPDATE"\ntrigger cdp_events.zz_stratum_live|disabled}, 'check_install() finds what was disabled and revoked, no more')
	or diag($found);
like(($node->psql("CALL stratum.partition_by_month('audit_logs')", db => 'own'))[2], qr/NOTICE:  stratum\.audit_logs has monthly partitions already\nHINT:  SELECT stratum\.make_partitions\(\) makes those to come/, 'again: a notice says what to do');

is(convert_back('own'), '', 'converted back');
is_same(structure($node, 'own'), $before, 'everything is as it was');
is_same(rows_of_tables('own'), $rows, 'the rows too');

# ---- what is recorded ------------------------------------------------------------------------------------------

# Every kind of write, and what the trail has of it, but for times. The rows of one statement may come in another order.
my $work = <<'SQL';
BEGIN;
SELECT stratum.enter(1, 1, 'r-1', '192.0.2.1', 'agent')\g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'meta', 'w' || g, 'a', 'W' || g FROM generate_series(1, 3) g;
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'w1', 'a', 'W') ON CONFLICT (tenant_id, platform, external_id) DO UPDATE SET name = 'again';
UPDATE stratum.campaigns SET labels = '["x"]' WHERE external_id LIKE 'w%';
UPDATE stratum.campaigns SET is_deleted = true WHERE external_id = 'w2';
DELETE FROM stratum.campaigns WHERE external_id = 'w3';
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp, message_id) VALUES (1, 'E', 'track', date_trunc('month', now()), md5('one')::uuid), (2, 'E', 'track', now() - interval '2 years', NULL);
UPDATE stratum.cdp_events SET properties = '{"a": 1}' WHERE event_name = 'E';
UPDATE stratum.cdp_events SET profile_id = 3 WHERE event_name = 'E' AND profile_id = 2;
DELETE FROM stratum.cdp_events WHERE event_name = 'E' AND profile_id = 1;
MERGE INTO stratum.cdp_events e USING (VALUES (3)) v (p) ON e.profile_id = v.p AND e.event_name = 'E' WHEN MATCHED THEN UPDATE SET event_type = 'page';
COPY stratum.rules (name, conditions, actions) FROM stdin;
copied	{}	[]
\.
SELECT stratum.merge_profiles(4, 5)\g /dev/null
SELECT stratum.log_event('export', 'profiles', 'all', '{"n": 1}') > 0;
SELECT stratum.anonymize_profile(6)\g /dev/null
COMMIT;
TRUNCATE stratum.cdp_events;
SELECT action, resource_type, resource_id, tenant_id, user_id, ip_address, user_agent, request_id,
  (old_values - '{timestamp,received_at,updated_at,created_at,first_seen_at,last_seen_at,deleted_at,tenant_id}'::text[])::text, (new_values - '{timestamp,received_at,updated_at,created_at,first_seen_at,last_seen_at,deleted_at,canonical_id}'::text[])::text,
  CASE WHEN metadata ? 'erased' THEN 'erased' ELSE metadata::text END
FROM stratum.audit_logs WHERE created_at > now() - interval '1 hour' ORDER BY resource_type, resource_id, id;
SELECT count(*) FROM stratum.verify_audit(1);
SQL
new_database($_) for qw(plain parts);
convert('parts');
my ($plain, $parts) = map { $node->sql($work, db => $_) } qw(plain parts);
is(scalar(my @lines = split /\n/, $plain), 24, 'writes of every kind are recorded') or diag($plain);
is($parts, $plain, 'the same with partitions');

# An event that moves to another month.
$node->sql(q{INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) VALUES (1, 1, 'M', 'track', now());
	UPDATE stratum.cdp_events SET timestamp = timestamp + interval '40 days' WHERE event_name = 'M'}, db => 'parts');
is($node->sql(q{SELECT action FROM stratum.audit_logs WHERE resource_type = 'cdp_events' ORDER BY id DESC LIMIT 1}, db => 'parts'), 'delete', 'one that moves is recorded as gone from its month');

# The time of an entry that an application writes is the transaction's; a partition cannot be another one any more.
my $insert = q{BEGIN; SELECT stratum.enter(1)\g /dev/null
INSERT INTO stratum.audit_logs (id, action, resource_type%s) VALUES (-9, 'login', 'session'%s) RETURNING id > 0, created_at = now()};
sub insert_entry { return sprintf $insert, @_ ? (', created_at', ", $_[0]") : ('', '') }
is($node->sql(insert_entry() . ';', db => 'parts', user => 'app'), 't|t', 'an entry of the application has id and time of the library');
is($node->sql(insert_entry(q{date_trunc('month', now()) + interval '1 day'}) . ';', db => 'parts', user => 'app'), 't|t', 'also where it gives another time of the month');
is($node->sqlstate(insert_entry($_) . ';', db => 'parts', user => 'app'), '22023', "$_ is refused") for 'NULL', q{'1999-01-01'};

# ---- messages --------------------------------------------------------------------------------------------------

my $event = q{INSERT INTO stratum.cdp_events (tenant_id, event_name, event_type, timestamp, message_id) VALUES (%d, 'E', 'track', now() %s, md5('x')::uuid) %s};
$node->sql(sprintf($event, 1, '', ''), db => 'parts');
is($node->sqlstate(sprintf($event, 1, "- interval '1 second'", ''), db => 'parts'), '23505', 'a message comes once in a month');
is($node->sql(sprintf($event, 1, '', 'ON CONFLICT DO NOTHING RETURNING 1'), db => 'parts'), '', 'and is passed over where that is asked for');
is($node->sql(sprintf($event, 2, '', 'RETURNING 1'), db => 'parts'), '1', 'of another tenant it is another one');
is($node->sql(sprintf($event, 1, "- interval '40 days'", 'RETURNING 1'), db => 'parts'), '1', 'the storage takes it in another month, too');
like(($node->psql("CALL stratum.unpartition('cdp_events')", db => 'parts'))[2], qr/number of messages that are there in several months: 1\nDETAIL:  The first is '\S+' of tenant \d+\./, 'then there is no way back, yet');
$node->sql(q{DELETE FROM stratum.cdp_events WHERE message_id = md5('x')::uuid}, db => 'parts');
$node->sql('CALL stratum.scope_unique_keys()', db => 'parts');
is($node->sql($check, db => 'parts'), '', 'scope_unique_keys() has done its part');

# ---- isolation -------------------------------------------------------------------------------------------------

my $leaf = $node->sql(q{SELECT 'audit_logs_p' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')}, db => 'parts');
my $events_leaf = $leaf =~ s/audit_logs/cdp_events/r;
$node->sql(sprintf($event, $_, '', ''), db => 'parts') for 1, 2;
is($node->sqlstate("SELECT FROM stratum.$_", db => 'parts', user => 'app'), '42501', "the application does not reach $_") for $leaf, $events_leaf, 'audit_logs_default';
$node->sql("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON stratum.$leaf, stratum.$events_leaf TO app", db => 'parts');
is($node->sql("SELECT (SELECT count(*) FROM stratum.$leaf), (SELECT count(*) FROM stratum.$events_leaf)", db => 'parts', user => 'app'), '0|0', 'with a right on a partition: nothing without a tenant');
is($node->sql("BEGIN; SELECT stratum.enter(2)\\g /dev/null\nSELECT (SELECT bool_and(tenant_id = 2) FROM stratum.$leaf), (SELECT bool_and(tenant_id = 2) FROM stratum.$events_leaf)", db => 'parts', user => 'app'),
	't|t', 'with one, the tenant\'s');
for my $statement ("INSERT INTO stratum.$events_leaf (id, tenant_id, event_name, event_type, timestamp) VALUES (-1, 1, 'E', 'track', now())", "DELETE FROM stratum.$leaf", "UPDATE stratum.$leaf SET user_id = NULL",
	"TRUNCATE stratum.$leaf", "INSERT INTO stratum.$leaf (action, resource_type, created_at) VALUES ('delete', 'x', now())")
{
	is($node->sqlstate("BEGIN; SELECT stratum.enter(2)\\g /dev/null\n$statement;", db => 'parts', user => 'app'), '42501', "refused: $statement");
}
is($node->sql(q{SELECT problem FROM stratum.security_check() WHERE object ~ '_p\d{4}'}, db => 'parts'), '', 'security_check() finds nothing there');
like($node->sql('SELECT object, problem FROM stratum.check_install()', db => 'parts'), qr/\A\z/, 'nor does check_install(), a user\'s own role having rights');
$node->sql("REVOKE ALL ON stratum.$leaf, stratum.$events_leaf FROM app; GRANT SELECT ON stratum.$leaf TO stratum_app", db => 'parts');
like($node->sql($check, db => 'parts'), qr/partition stratum\.$leaf\|surplus right: SELECT of stratum_app\|REVOKE ALL/, 'but a right of stratum_app');
$node->sql("REVOKE ALL ON stratum.$leaf FROM stratum_app", db => 'parts');

$node->sql("ALTER TABLE stratum.$leaf DISABLE ROW LEVEL SECURITY; DROP POLICY admin_all ON stratum.$leaf; DROP TRIGGER zz_stratum_guard_change ON stratum.$leaf;
	ALTER TABLE stratum.$events_leaf DROP CONSTRAINT ${events_leaf}_tenant_id_message_id_key; DROP TABLE stratum.cdp_events_default", db => 'parts');
is($node->sql('SELECT object, problem FROM stratum.check_install()', db => 'parts'), join("\n",
		"partition stratum.$leaf|has no row security of its own, or it is not forced", "partition stratum.$leaf|policy admin_all is missing or changed",
		"partition stratum.$leaf|trigger zz_stratum_guard_change is missing", "partition stratum.$events_leaf|takes a message of a tenant more than once",
		'table cdp_events|has no default partition: rows of other months are refused'), 'check_install() finds what a partition has lost');
like($node->sql('SELECT object, problem FROM stratum.security_check()', db => 'parts'), qr/table stratum\.$leaf\|has no row security of its own/, 'security_check() too');
$node->sql('CREATE TABLE stratum.cdp_events_default PARTITION OF stratum.cdp_events DEFAULT; SELECT stratum.install()', db => 'parts');
is($node->sql($check, db => 'parts'), '', 'install() puts it back');
$node->sql("ALTER TABLE stratum.$leaf DISABLE TRIGGER zz_stratum_guard_insert", db => 'parts');
like($node->sql($check, db => 'parts'), qr/partition stratum\.$leaf\|trigger zz_stratum_guard_insert is disabled\|ALTER TABLE stratum\.$leaf ENABLE TRIGGER zz_stratum_guard_insert;/, 'a trigger that was disabled in one partition is found');
$node->sql("ALTER TABLE stratum.$leaf ENABLE TRIGGER zz_stratum_guard_insert", db => 'parts');

# ---- tampering, retention --------------------------------------------------------------------------------------

sub found_in
{
	my ($statement) = @_;
	return $node->sql("BEGIN;\nSET session_replication_role = replica;\n$statement;\nSET session_replication_role = origin;\nSELECT count(*), min(problem) FROM stratum.verify_audit(1)", db => 'parts');
}
my $ids = join ',', split /\n/, $node->sql("SELECT min(id) FROM stratum.audit_logs WHERE tenant_id = 1 UNION SELECT max(id) FROM stratum.audit_logs WHERE tenant_id = 1", db => 'parts');
is($node->sql('SELECT count(*) FROM stratum.verify_audit(1)', db => 'parts'), '0', 'the trail is whole');
is($node->sqlstate("DELETE FROM stratum.$leaf", db => 'parts'), '42501', 'a superuser may not delete from a partition either');
is(found_in("UPDATE stratum.audit_logs SET user_id = 1 - coalesce(user_id, 0) WHERE id IN ($ids)"), '2|was changed', 'changed rows are found, in two partitions');
is(found_in("DELETE FROM stratum.audit_logs WHERE id IN ($ids)"), '2|was removed', 'removed ones');
is(found_in("UPDATE stratum.audit_logs SET created_at = created_at + interval '40 days' WHERE id IN ($ids)"), '2|was changed', 'moved ones');
is(found_in("INSERT INTO stratum.audit_logs SELECT (jsonb_populate_record(l, jsonb_build_object('created_at', l.created_at + interval '40 days'))).* FROM stratum.audit_logs l WHERE id IN ($ids)"),
	'2|is there twice', 'and those that are there twice, which no key prevents any more') or diag(found_in("SELECT 1"));
my $old_leaf = $node->sql(q{SELECT tableoid::regclass FROM stratum.audit_logs WHERE tenant_id = 1 ORDER BY created_at LIMIT 1}, db => 'parts');
my $dropped = $node->sql("SELECT count(*) FROM $old_leaf WHERE tenant_id = 1", db => 'parts');
is(found_in("DROP TABLE $old_leaf"), "$dropped|was removed", 'a partition that was dropped is missed');
unlike($node->sql(q{SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN (COSTS OFF) SELECT FROM stratum.audit_logs l WHERE l.id = ANY ('{1,2}')}, db => 'parts'), qr/Seq Scan|Filter/, 'rows are found by id in every partition');

is($node->sql(qq{SELECT count(*) FROM $old_leaf l, (SELECT ends FROM stratum._partitions('audit_logs') WHERE oid = '$old_leaf'::regclass) p WHERE l.created_at < p.ends}, db => 'parts') > 0, 1, 'the oldest month has rows');
$node->sql(qq{SELECT stratum.seal_audit(id) FROM stratum.tenants; SELECT stratum.seal_audit(NULL)}, db => 'parts');
$node->sql("DO \$\$ DECLARE t timestamptz := (SELECT ends FROM stratum._partitions('audit_logs') WHERE oid = '$old_leaf'::regclass); BEGIN PERFORM stratum._purge_batch(x.id, t, NULL) FROM (SELECT id FROM stratum.tenants UNION ALL SELECT NULL) x; END \$\$", db => 'parts');
is($node->sql("SELECT count(*) FROM $old_leaf", db => 'parts'), '0', 'purged, it is empty');
is($node->sql("DROP TABLE $old_leaf; SELECT count(*) FROM (SELECT id FROM stratum.tenants UNION ALL SELECT NULL) t, stratum.verify_audit(t.id)", db => 'parts'), '0', 'and may go: what is left verifies');
$node->sql("CALL stratum.purge_all_audit(now() - interval '60 days')", db => 'parts');
is($node->sql("SELECT count(*) FROM (SELECT id FROM stratum.tenants UNION ALL SELECT NULL) t, stratum.verify_audit(t.id)", db => 'parts'), '0', 'after purge_all_audit() too');

# ---- partitions to come ----------------------------------------------------------------------------------------

is($node->sql('SELECT stratum.make_partitions()', db => 'parts', user => 'admin'), '0', 'there are those of three months');
$node->sql(q{INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) VALUES (1, 1, 'Future', 'track', now() + interval '5 months'), (1, 1, 'Future', 'track', now() + interval '50 years');
	ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER; INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, created_at) VALUES (1, 'login', 'x', now() + interval '5 months'); ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER}, db => 'parts');
my $count = 'SELECT (SELECT count(*) FROM stratum.cdp_events), (SELECT count(*) FROM stratum.audit_logs), (SELECT count(*) FROM stratum.cdp_events_default WHERE timestamp > now()), (SELECT count(*) FROM stratum.audit_logs_default)';
my ($events, $entries) = split /\|/, $node->sql($count, db => 'parts');
is($node->sql($count, db => 'parts'), "$events|$entries|2|1", 'rows of later months are in the default partitions');
is($node->sql('SELECT stratum.make_partitions(6)', db => 'parts', user => 'admin'), '6', 'those of six months are made');
is($node->sql($count, db => 'parts'), "$events|$entries|1|0", 'and have their rows, which no trail tells of');
is($node->sql($check, db => 'parts'), '', 'healthy');
is($node->sql('SELECT count(*) FROM stratum.verify_audit(1)', db => 'parts'), '0', 'the trail is whole');
my @two = map { open(my $out, '-|', "$ENV{STRATUM_BIN}/psql", '-XqAt', '-h', $dir, '-U', 'postgres', '-d', 'parts', '-c', 'SELECT stratum.make_partitions(12)') or die $!; $out } 1, 2;
is(join(',', sort { $a <=> $b } map { my $line = <$_>; chomp $line; close $_ or die; $line } @two), '0,12', 'two at a time: one makes them');

# ---- the documented queries ------------------------------------------------------------------------------------

# Every partition has the index that serves a query; a time spares the other months, also where it is known only when the query runs.
new_database('queries');
$node->sql(q{INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, message_id)
	SELECT 1, 1 + g % 50, 'E' || g % 9, 'track', now() - g * interval '15 minutes', md5('q' || g)::uuid FROM generate_series(1, 30000) g;
	ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
	INSERT INTO stratum.audit_logs (tenant_id, user_id, action, resource_type, resource_id, request_id, created_at)
	SELECT 1 + (g % 50 = 0)::integer, 1, 'update', 'campaigns', g % 500, 'q' || g % 900, now() - g * interval '15 minutes' FROM generate_series(1, 30000) g;
	ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER}, db => 'queries');
my $bulk = q{UPDATE stratum.tenants SET max_campaigns = 100000; BEGIN; SELECT stratum.enter(1)\g /dev/null
	INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'meta', 'b' || g, 'a', 'B' FROM generate_series(1, 5000) g; ROLLBACK;};
sub seconds { my ($work) = @_; my $from = time; $work->(); return sprintf '%.1f s', time - $from }
my $of_plain = seconds(sub { $node->sql($bulk, db => 'queries') });
my $of_conversion = seconds(sub { convert('queries') });
print "# measured: an INSERT of 5,000 campaigns, recorded in a plain trail $of_plain, in one with partitions ", seconds(sub { $node->sql($bulk, db => 'queries') }), "\n",
	"# measured: cdp_events and audit_logs of 30,000 rows each converted to partitions in $of_conversion\n";
for my $query (
	[ 'the trail of a row', q{SELECT FROM stratum.audit_logs WHERE resource_type = 'campaigns' AND resource_id = '7'}, 1 ],
	[ 'of a request', q{SELECT FROM stratum.audit_logs WHERE request_id = 'q7'}, 1 ],
	[ 'rows by id', q{SELECT FROM stratum.audit_logs WHERE id = ANY ('{1,20000}')}, 1 ],
	[ 'of a tenant since last week', q{SELECT FROM stratum.audit_logs WHERE tenant_id = 2 AND created_at > now() - interval '7 days'}, 0 ],
	[ 'events of a profile', q{SELECT FROM stratum.cdp_events WHERE tenant_id = 1 AND profile_id = 7 AND event_name = 'E1'}, 1 ],
	[ 'of a profile lately', q{SELECT FROM stratum.cdp_events WHERE tenant_id = 1 AND profile_id = 7 AND timestamp > now() - interval '7 days'}, 0 ],
	[ 'a message', q{SELECT FROM stratum.cdp_events WHERE tenant_id = 1 AND message_id = md5('q7')::uuid}, 1 ])
{
	my ($name, $text, $all) = @$query;
	my $plan = $node->sql("EXPLAIN (COSTS OFF) $text", db => 'queries');
	my $scans = () = $plan =~ /(?:Index|Index Only|Bitmap Heap|Seq) Scan (?:using \S+ )?on \w+_(?:p\d{4}|default)/g;
	my $indexed = () = $plan =~ /(?:Index|Index Only|Bitmap Heap) Scan (?:using \S+ )?on \w+_p\d{4}/g;
	# months that are nearly empty are read as they are
	ok($all ? $indexed >= 9 : $scans <= 6 && $plan =~ /Subplans Removed: \d+/, "$name: " . ($all ? 'an index in every month' : 'of those months only')) or diag($plan);
}

# ---- a session that was there before ---------------------------------------------------------------------------

new_database('during');
my $calls = join "\n", map { my $n = $_; "BEGIN; SELECT stratum.enter(1)\\g /dev/null\nINSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'n$n', 'a', 'x');
	INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (1, 'E', 'track', now());
	UPDATE stratum.cdp_events SET properties = '{\"n\": $n}' WHERE profile_id = 1; SELECT count(*) FROM stratum.refresh_segments(); SELECT stratum.seal_audit(1) > 0; SELECT stratum.log_event('login', 'session') > 0; COMMIT;
	SELECT count(*) FROM stratum.verify_audit(1);" . ($n == 2 ? '' : "\n\\! $ENV{STRATUM_BIN}/psql -Xq -h '$dir' -U postgres -d during -c \"" . ($n == 1 ? 'CALL stratum.partition_by_month(\'audit_logs\')" -c "CALL stratum.partition_by_month(\'cdp_events\')'
		: 'CALL stratum.unpartition(\'audit_logs\')" -c "CALL stratum.unpartition(\'cdp_events\')') . '" 2>&1') } 1, 2, 3;
$calls = join "\n", (split /(?=BEGIN; SELECT stratum\.enter)/, $calls)[0, 1, 2];
is($node->sql($calls, db => 'during'), join("\n", ("1\nt\nt\n0") x 3), 'it works on, there and back');

# ---- dump, drop, update, wide ids ------------------------------------------------------------------------------

sub run_ok
{
	my ($name, @command) = @_;
	my ($rc, undef, $err) = $node->command(@command);
	return is($rc, 0, $name) || diag($err);
}
new_database('source');
convert('source');
my ($source, $source_rows) = (structure($node, 'source'), rows($node, 'source'));
run_ok('pg_dump', 'pg_dump', '-Fd', '-j', '2', '-f', "$dir/dump", 'source');
$node->sql("CREATE DATABASE $_") for qw(restored twostep);
run_ok('pg_restore -j 2', 'pg_restore', '-j', '2', '-d', 'restored', "$dir/dump");
run_ok('the schema', 'pg_restore', '--schema-only', '-d', 'twostep', "$dir/dump");
run_ok('the data', 'pg_restore', '--data-only', '--disable-triggers', '-d', 'twostep', "$dir/dump");
for my $db (qw(restored twostep))
{
	is_same(rows($node, $db), $source_rows, "$db: the same rows");
	is_same(join("\n", grep { !/^initial rights/ } split /\n/, structure($node, $db)), join("\n", grep { !/^initial rights/ } split /\n/, $source), "$db: the same structure");
	is($node->sql($check, db => $db), '', "$db: healthy");
	is($node->sql('SELECT count(*) FROM stratum.verify_audit(1)', db => $db), '0', "$db: the trail is whole");
}

$node->sql('DROP EXTENSION stratum CASCADE', db => 'restored');
is($node->sql("SET ROLE app; SELECT count(*) FROM stratum.cdp_events", db => 'restored'), '0', 'without the extension nobody sees a row');
is_same(rows($node, 'restored') =~ s/^stratum\.audit_(?:chains|seals).*\n//gmr, $source_rows =~ s/^stratum\.audit_(?:chains|seals).*\n//gmr, 'but the rows are there');
$node->sql('CREATE EXTENSION stratum', db => 'restored');
is($node->sql($check, db => 'restored'), '', 'it takes over what it finds');
is_same(structure($node, 'restored') =~ s/^initial rights.*\n//gmr, $source =~ s/^initial rights.*\n//gmr, 'and puts everything back');

like(($node->psql(q{SET stratum.allow_data_loss = on; ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'source'))[2],
	qr/version 1\.0 cannot work with monthly partitions of audit_logs and cdp_events\nHINT:  CALL stratum\.unpartition\(/, 'version 1.0 has no partitions');
convert_back('source');
$node->sql(q{SET stratum.allow_data_loss = on; ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'source');
like($node->sql($check, db => 'source'), qr/\Alibrary\|[^\n]*\z/, 'afterwards it can go down; of the library there is the newer one');
$node->sql(q{ALTER EXTENSION stratum UPDATE TO '1.1'}, db => 'source');
convert('source');
is($node->sql($check, db => 'source'), '', 'and up, and be converted');

is($node->sql(q{SELECT array_position(w, 'stratum.audit_logs') > array_position(w, 'stratum.tenants'), array_position(w, 'stratum.cdp_events') > array_position(w, 'stratum.tenants')
	FROM stratum._tables_to_widen() w}, db => 'source'), 't|t', 'to widen_ids() a table is as large as its partitions, and small ones come first');
$node->sql("SET client_min_messages = warning;\nCALL stratum.widen_ids()", db => 'source');
is($node->sql($check, db => 'source'), '', 'widen_ids() after the conversion');
is($node->sql(q{SELECT DISTINCT atttypid::regtype FROM pg_attribute WHERE attrelid IN (SELECT inhrelid FROM pg_inherits) AND attname IN ('id', 'tenant_id') AND attrelid::regclass::text ~ '^stratum.(audit|cdp)'}, db => 'source'),
	'bigint', 'partitions are as wide');
convert_back('source');
convert('source');
is($node->sql($check, db => 'source'), '', 'and a conversion after it');

# ---- pg_partman ------------------------------------------------------------------------------------------------

SKIP:
{
	skip 'pg_partman is not installed on this machine', 14 if $node->sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'}) eq '0';
	new_database('partman');
	is($node->sqlstate("CALL stratum.partition_by_month('cdp_events', use_partman => true)", db => 'partman'), '55000', 'without the extension it is refused');
	$node->sql('CREATE SCHEMA partman; CREATE EXTENSION pg_partman SCHEMA partman', db => 'partman');
	is($node->sqlstate("ALTER SCHEMA partman OWNER TO app;\nCALL stratum.partition_by_month('cdp_events', use_partman => true)", db => 'partman'), '55000', 'nor one that is not a superuser\'s');
	$node->sql('ALTER SCHEMA partman OWNER TO postgres', db => 'partman');
	convert('partman');
	my $of = q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'stratum.cdp_events'::regclass};
	my $now = $node->sql($of, db => 'partman');
	my @said = map { ($node->psql("CALL stratum.partition_by_month('$_', use_partman => true)", db => 'partman'))[2] } qw(audit_logs cdp_events cdp_events);
	like($said[0], qr/NOTICE:  stratum\.audit_logs has monthly partitions already, which pg_partman takes over as they are\nHINT:  pg_partman makes those to come/, 'they are handed over');
	like($said[2], qr/NOTICE:  stratum\.cdp_events has monthly partitions already, which pg_partman maintains\n/, 'once');
	is($node->sql('SELECT parent_table, control FROM partman.part_config ORDER BY 1', db => 'partman'), "stratum.audit_logs|created_at\nstratum.cdp_events|timestamp", 'pg_partman knows both');
	is($node->sql($of, db => 'partman'), $now, 'and has made no partitions beside those that are there');
	$node->sql(q{INSERT INTO stratum.cdp_events (tenant_id, event_name, event_type, timestamp) SELECT min(id), 'E', 'track', '2041-01-01 UTC' FROM stratum.tenants}, db => 'partman');
	is($node->sqlstate(q{UPDATE partman.part_config SET premake = 6; SELECT partman.run_maintenance()}, db => 'partman'), '', 'an event of a wrong clock is no matter to its maintenance');
	cmp_ok($node->sql($of, db => 'partman'), '>=', $now + 3, 'its maintenance makes others');
	is($node->sql(q{SELECT count(*) FROM stratum._partitions('cdp_events') p WHERE NOT stratum._has_message_key(p.oid)}, db => 'partman'), '0', 'which take a message once');
	like($node->sql($check, db => 'partman'), qr/partition stratum\.cdp_events_p\d{4}_?\d\d\S*\|has no row security/, 'and have no row security yet');
	is($node->sql("SELECT stratum.make_partitions(6);\n$check", db => 'partman'), '0', 'make_partitions() gives it to them');
	is($node->sql(q{SELECT object FROM stratum.security_check() WHERE object ~ 'template|_p\d{4}'}, db => 'partman'), '', 'security_check() minds nothing');
	$node->sql("CREATE DATABASE empty");
	$node->sql(q{CREATE EXTENSION stratum; CREATE SCHEMA p; CREATE EXTENSION pg_partman SCHEMA p; CALL stratum.partition_by_month('audit_logs', use_partman => true, months_ahead => 0); UPDATE p.part_config SET premake = 4; SELECT p.run_maintenance()} =~ s/; /;\n/gr, db => 'empty');
	cmp_ok($node->sql(q{SELECT count(*) FROM stratum._partitions('audit_logs') WHERE starts > now()}, db => 'empty'), '>=', 4, 'of a table without rows, too');
	convert_back('partman');
	is($node->sql("SELECT count(*) FROM partman.part_config;\n$check", db => 'partman'), '0', 'unpartition() takes them from pg_partman');
}

done_testing();
