#!/usr/bin/env perl
# widen_ids(): serial ids and what refers to them become bigint, a table at a time; what is interrupted is done by the
# next call. Everything works before, in between and after, also with ids that no integer holds.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows is_same);
use Stratum::Tried qw(tried);
use Test::More;

# Without an autovacuum, which could have a lock for longer than is waited here.
my $node = Stratum::Cluster->new(config => "max_prepared_transactions = 2\nautovacuum = off\n");
my $dir = $node->dir;
my $check = 'SELECT * FROM stratum.check_install()';
my $narrow = q{SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r'
	AND a.attname ~ '^id$|_id$' AND a.atttypid = 'integer'::regtype AND NOT a.attisdropped};
my $narrow_sequences = q{SELECT count(*) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relnamespace = 'stratum'::regnamespace AND s.seqtypid <> 'bigint'::regtype};
$node->sql('CREATE ROLE app LOGIN; CREATE ROLE reports LOGIN');

sub new_database
{
	my ($db, $version) = @_;
	$node->sql("CREATE DATABASE $db");
	$node->sql("CREATE EXTENSION stratum VERSION '$version'", db => $db) if $version;
	load_rows($node, $db) if $version;
	return $db;
}

# ---- an application at work ------------------------------------------------------------------------------------

# Rows through every table, and the functions that go by ids; it prints what must be the same whatever the ids are.
sub work
{
	my ($n) = @_;
	return <<"SQL";
UPDATE stratum.tenants SET max_users = 100 WHERE id = 1;
BEGIN;
SELECT stratum.enter(1)\\g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'w$n', 'a', 'w') RETURNING id AS campaign \\gset
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES (date '2024-01-01' + $n, 'meta', 80);
INSERT INTO stratum.fact_actions_queue (action_type, entity_type, entity_id, payload) VALUES ('pause', 'campaign', :campaign, '{}');
INSERT INTO stratum.rules (name, conditions, actions) VALUES ('r$n', '{}', '[]');
DELETE FROM stratum.tenant_platform_connections;
INSERT INTO stratum.tenant_platform_connections (platform) VALUES ('meta');
SELECT * FROM stratum.ingest_event('{"event_name": "Purchase", "email": "w$n\@x.test", "external_id": "x$n", "traits": {"ltv": 900}}') \\gset
SELECT :'outcome', :profile_id = (SELECT max(id) FROM stratum.cdp_profiles), (SELECT profile_id = :profile_id FROM stratum.cdp_events WHERE id = :event_id);
INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES ('w$n', 's$n', ('{"conditions": [{"field": "profile.id", "operator": "equals", "value": ' || :profile_id || '}, {"field": "trait.ltv", "operator": "equals", "value": 900}]}')::jsonb) RETURNING id AS segment \\gset
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('after w$n', '{"conditions": [{"field": "segment.s$n", "operator": "equals", "value": true}]}') RETURNING id AS segment2 \\gset
SELECT profile_count, added, removed FROM stratum.refresh_segments() WHERE segment_id IN (:segment, :segment2);
SELECT * FROM stratum.refresh_segment(:segment);
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE segment_id = :segment2 AND profile_id = :profile_id;
SELECT profile_id = :profile_id FROM stratum.segment_profiles(:segment);
SELECT array_agg(segment_id ORDER BY segment_id)::text[] \@> ARRAY[:'segment', :'segment2'] FROM stratum.profile_segments(:profile_id);
SELECT profile_count, (sample -> 0 ->> 'id')::bigint = :profile_id FROM stratum.preview_segment(('{"conditions": [{"field": "profile.id", "operator": "in", "value": [' || :profile_id || ']}]}')::jsonb);
INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name) VALUES (:segment, 'meta', 'w') RETURNING id AS sync \\gset
UPDATE stratum.cdp_profiles SET consent = '{"marketing": true, "ads": true}' WHERE id = :profile_id;
SELECT profile_id = :profile_id, identifier_type FROM stratum.audience_members(:sync);
SELECT * FROM stratum.start_audience_sync(:sync);
SELECT change, profile_id = :profile_id FROM stratum.audience_changes(:sync);
SELECT stratum.finish_audience_sync(:sync)\\g /dev/null
SELECT count(*) FROM stratum.cdp_audience_uploads WHERE audience_sync_id = :sync AND profile_id = :profile_id;
INSERT INTO stratum.users (email, password_hash) VALUES ('w$n\@x.test', 'x') RETURNING id AS "user" \\gset
INSERT INTO stratum.campaign_drafts (created_by_id, name, platforms, data) VALUES (:user, 'd$n', '["meta"]', '{"account_id": "a"}') RETURNING id AS draft \\gset
SELECT p AS published FROM stratum.publish_draft(:draft) p \\gset
SELECT external_id = 'draft-' || :draft FROM stratum.campaigns WHERE id = :published;
INSERT INTO stratum.cdp_profiles (canonical_id) VALUES (md5('o$n')::uuid) RETURNING id AS other \\gset
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (:other, 'E', 'track', now());
SELECT stratum.merge_profiles(:profile_id, :other);
SELECT count(*) FROM stratum.cdp_profile_aliases WHERE profile_id = :profile_id;
SELECT stratum.set_segment_options(:segment, is_live => true, keeps_history => true)\\g /dev/null
UPDATE stratum.cdp_profiles SET traits = '{"ltv": 1}' WHERE id = :profile_id;
SELECT stratum.settle_segments();
SELECT count(*), count(left_at) FROM stratum.cdp_segment_history WHERE segment_id = :segment AND profile_id = :profile_id;
COMMIT;
BEGIN;
SELECT stratum.enter(1, :user, 'q$n')\\g /dev/null
UPDATE stratum.campaigns SET name = 'w2' WHERE id = :campaign;
SELECT action, user_id = :user, new_values ->> 'name' FROM stratum.row_history('stratum.campaigns', :'campaign');
SELECT stratum.row_as_of('stratum.campaigns', :'campaign', now()) ->> 'id' = :'campaign';
SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'campaigns' AND resource_id = :'campaign' AND user_id = :user;
SELECT count(*) FROM stratum.request_changes('q$n') WHERE user_id = :user AND tenant_id = 1;
INSERT INTO stratum.rules (name, conditions, actions, status) VALUES ('a$n', '{"conditions": [{"field": "external_id", "operator": "equals", "value": "w$n"}]}', '[{"type": "apply_label", "label": "x"}]', 'active') RETURNING id AS rule \\gset
SELECT campaign_id = :campaign, matched, decision FROM stratum.evaluate_rule(:rule, false) WHERE campaign_id = :campaign;
SELECT id AS queued FROM stratum.fact_actions_queue WHERE entity_id = :campaign AND action_type = 'apply_label' \\gset
SELECT stratum.approve_action(:queued)\\g /dev/null
SELECT stratum.execute_action(:queued)\\g /dev/null
SELECT labels FROM stratum.campaigns WHERE id = :campaign;
DELETE FROM stratum.rules WHERE name = 'r$n';
COMMIT;
SELECT stratum.seal_audit(1) > 0;
SELECT count(*) FROM stratum.verify_audit(1);
SQL
}

# What the same work says everywhere, in a database like those of these tests.
my $said = $node->sql(work(1), db => new_database('plain', '1.1'));
$node->sql('GRANT stratum_app TO app');
is(scalar(split /\n/, $said), 26, 'the application works') or diag($said);
my $plain = structure($node, 'plain');

# ---- in one go -------------------------------------------------------------------------------------------------

# Of one session, and of another one beside it, both of which have met the old types.
new_database('whole', '1.1');
my $near_the_end = q{SELECT object, remedy FROM stratum.security_check() WHERE object LIKE 'sequence %'};
$node->sql(q{SELECT setval('stratum.campaign_drafts_id_seq', 2000000000)}, db => 'whole');
is($node->sql($near_the_end, db => 'whole'), 'sequence stratum.campaign_drafts_id_seq|CALL stratum.widen_ids();', 'security_check() says in time what to do');
my $calls = work(1) . "\\! '$ENV{STRATUM_BIN}/psql' -Xq -h '$dir' -U postgres -d whole -c 'SET client_min_messages = warning' -c 'CALL stratum.widen_ids()' 2>&1\n" . work(2);
is($node->sql("SET client_min_messages = warning;\n$calls", db => 'whole'), "$said\n$said", 'a session that has worked before works on');
is($node->sql($narrow, db => 'whole') . $node->sql($narrow_sequences, db => 'whole'), '00', 'no id and no sequence is integer');
is($node->sql($check, db => 'whole') . $node->sql($near_the_end, db => 'whole'), '', 'healthy, and no sequence is near its end');
is_same(structure($node, 'whole') =~ s/bigint/integer/gr, $plain =~ s/bigint/integer/gr, 'nothing but the width differs');
my $wide = structure($node, 'whole');
like($node->sql('CALL stratum.widen_ids()', db => 'whole') . $node->sql($check, db => 'whole'), qr/\A\z/, 'again: nothing to do');

# ---- what PostgreSQL makes of it -------------------------------------------------------------------------------

is($node->sql(q{SELECT proleakproof FROM pg_proc WHERE oid = 'int84eq(bigint, integer)'::regprocedure}), 't', 'the comparison of the policies is leakproof');
like($node->sql(<<'SQL', db => 'whole', user => 'app'), qr/Index Cond: \(\(?tenant_id = stratum\.current_tenant_id\(\)\)?/, 'and finds its index under row security');
BEGIN; SELECT stratum.enter(1)\g /dev/null
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT FROM stratum.cdp_profiles;
SQL
is($node->sql("BEGIN; SELECT stratum.enter(2)\\g /dev/null\nSELECT count(*) FROM stratum.cdp_profiles", db => 'whole', user => 'app'), '0', 'a tenant sees its own rows only');

# ---- ids that no integer holds ---------------------------------------------------------------------------------

sub beyond
{
	my ($db) = @_;
	return $node->sql(q{SELECT format('SELECT setval(%L, 3000000000)', c.oid::regclass) FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace
		AND c.relkind = 'S' AND c.relname <> 'tenants_id_seq' \gexec}, db => $db);
}

beyond('whole');
is($node->sql("SET client_min_messages = warning;\n" . work(3), db => 'whole'), $said, 'ids beyond 2147483647 work everywhere');
is($node->sql(q{SELECT min(id) > 3000000000 FROM (SELECT max(id) AS id FROM stratum.cdp_profiles UNION ALL SELECT max(id) FROM stratum.cdp_events
	UNION ALL SELECT max(id) FROM stratum.audit_logs UNION ALL SELECT max(id) FROM stratum.users UNION ALL SELECT max(profile_id) FROM stratum.cdp_segment_memberships
	UNION ALL SELECT max(segment_id) FROM stratum.cdp_segment_memberships UNION ALL SELECT max(entity_id) FROM stratum.fact_actions_queue) s}, db => 'whole'), 't', 'they are beyond');
is($node->sql($check, db => 'whole'), '', 'healthy');
my $user = $node->sql('SELECT max(id) FROM stratum.users', db => 'whole');
is($node->sqlstate("BEGIN; SELECT stratum.enter(1, $user); SELECT stratum.current_user_id()", db => 'whole'), '22003', 'current_user_id() returns integer, and says so');
is($node->sqlstate(q{BEGIN; INSERT INTO stratum.tenants (id, name, slug) VALUES (3000000000, 'Far', 'far'); SELECT stratum.enter(3000000000)}, db => 'whole'),
	'22003', 'so does enter(), for current_tenant_id()');
$node->sql('CALL stratum.refresh_all_segments()', db => 'whole');

# ---- dump, adoption, versions ----------------------------------------------------------------------------------

sub run_ok
{
	my (@command) = @_;
	my ($rc, undef, $err) = $node->command(@command);
	is($rc, 0, "$command[0] of a widened database") or diag($err);
	return;
}

my $rows = rows($node, 'whole');
run_ok('pg_dump', '-Fc', '-f', "$dir/whole.dump", 'whole');
run_ok('pg_restore', '-d', new_database('restored'), "$dir/whole.dump");
is_same(rows($node, 'restored'), $rows, 'a dump brings all rows');
is($node->sql('SELECT DISTINCT problem, remedy FROM stratum.check_install()', db => 'restored'),
	'returns integer, and ids are past the half of that|SELECT stratum.install();', 'check_install() says which functions have to follow');
is($node->sqlstate("BEGIN; SELECT stratum.enter(1); SELECT * FROM stratum.refresh_segments()", db => 'restored'), '22003', 'until then they say that the id does not fit');
$node->sql('SELECT stratum.install()', db => 'restored');
is($node->sql($check, db => 'restored'), '', 'and install() does it');
is_same(structure($node, 'restored'), $wide, 'as it was before the dump');
is($node->sql("SET client_min_messages = warning;\n" . work(4), db => 'restored'), $said, 'the application works on');

$node->sql('SET client_min_messages = warning; DROP EXTENSION stratum CASCADE; CREATE EXTENSION stratum', db => 'restored');
is($node->sql($check, db => 'restored'), '', 'widened tables are adopted');
is($node->sql("SET client_min_messages = warning;\n" . work(5), db => 'restored'), $said, 'the application works on');

my @before = (structure($node, 'whole'), rows($node, 'whole'));
is($node->sqlstate(q{ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'whole'), '55000', '1.0 has no ids beyond integer: refused');
is_same(structure($node, 'whole'), $before[0], 'and left everything as it was');
is_same(rows($node, 'whole'), $before[1], 'rows too');

my $fresh10 = structure($node, new_database('fresh10', '1.0'));
$node->sql('SET client_min_messages = warning; CALL stratum.widen_ids()', db => new_database('small', '1.1'));
$rows = rows($node, 'small');
run_ok('pg_dump', '-Fc', '-f', "$dir/small.dump", 'small');
run_ok('pg_restore', '-d', new_database('small2'), "$dir/small.dump");
is($node->sql($check, db => 'small2'), '', 'restored, with ids that are far from the end: healthy');
is($node->sql("SET client_min_messages = warning;\n" . work(1), db => 'small2'), $said, 'and the application works');
for my $stop ([ '1.0', $fresh10 ], [ '1.1', $plain ])
{
	my ($version, $fresh) = @$stop;
	$node->sql("ALTER EXTENSION stratum UPDATE TO '$version'", db => 'small');
	is_same(structure($node, 'small'), $fresh, "where ids fit, a widened database updated to $version is as a fresh one");
	is_same(rows($node, 'small'), $rows, 'with all its rows');
}

# ---- interrupted, with things of the user's own ----------------------------------------------------------------

my $db = new_database('grown', '1.1');
$node->sql(<<'SQL', db => $db);
CREATE TABLE public.visits (id serial PRIMARY KEY, tenant_id int, profile_id int, campaign_id bigint REFERENCES stratum.campaigns,
  CONSTRAINT mine FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE);
COMMENT ON CONSTRAINT mine ON public.visits IS 'of a person';
SELECT stratum.audit_table('public.visits', operations => 'none');
INSERT INTO public.visits (tenant_id, profile_id, campaign_id) SELECT 1, id, 2 FROM stratum.cdp_profiles;
CREATE POLICY my_policy ON stratum.campaigns AS RESTRICTIVE FOR DELETE TO stratum_app, reports USING (id <> 12345 AND tenant_id > 0);
COMMENT ON POLICY my_policy ON stratum.campaigns IS 'mine';
CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER my_trigger BEFORE UPDATE OF profile_id ON stratum.cdp_events FOR EACH ROW WHEN (OLD.id > 5) EXECUTE FUNCTION public.nothing();
ALTER TABLE stratum.cdp_events DISABLE TRIGGER my_trigger;
CREATE INDEX my_index ON stratum.cdp_events (profile_id, timestamp);
GRANT EXECUTE ON FUNCTION stratum.segment_profiles(bigint) TO reports;
CREATE VIEW public.people AS SELECT id FROM stratum.cdp_profiles;
CREATE VIEW public.rich AS SELECT p.profile_id FROM stratum.segment_profiles(1) p;
SQL
my ($rc, undef, $err) = $node->psql('CALL stratum.widen_ids()', db => $db, options => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/2BP01: .*view public\.people.*view public\.rich/, 'views that use an id are in the way, all named');
is($node->sql($check, db => $db), '', 'and nothing was begun');
$node->sql('DROP VIEW public.people, public.rich', db => $db);
is($node->sqlstate('CALL stratum.widen_ids()', db => $db, user => 'app'), '42501', 'it is not for everybody');
is($node->sqlstate('BEGIN; CALL stratum.widen_ids()', db => $db), '2D000', 'nor for a transaction block');
is($node->sqlstate('CALL stratum.widen_ids(0)', db => $db), '22023', 'nor never to be tried');

sub own_things
{
	return join "\n", (grep { /my_|mine|reports|visits/ } split /\n/, structure($node, $db)),
	  $node->sql(q{SELECT pg_get_constraintdef(oid), convalidated, obj_description(oid) FROM pg_constraint WHERE conrelid = 'public.visits'::regclass ORDER BY conname}, db => $db),
	  $node->sql(q{SELECT obj_description(oid) FROM pg_policy WHERE polname = 'my_policy'}, db => $db);
}
my $own = own_things();
like($own, qr/my_trigger.* D\n/, q{there are things of the user's own});

# Somebody reads the trail, and goes on reading: what refers to it, or it to, cannot be had.
$node->sql(q{BEGIN; LOCK TABLE stratum.audit_logs IN ACCESS SHARE MODE; PREPARE TRANSACTION 'reader'}, db => $db);
is($node->sqlstate(q{SET lock_timeout = '50ms'; CALL stratum.widen_ids(2)}, db => $db), '55P03', 'a lock is not to be had: it gives up');
my $left = $node->sql($narrow, db => $db);
cmp_ok($left, '>', 0, 'with tables left to do');
cmp_ok($left, '<', $node->sql($narrow, db => 'plain'), 'and others done');
like($node->sql(q{SELECT string_agg(DISTINCT remedy, ' ') FROM stratum.check_install() WHERE object LIKE 'column %'}, db => $db), qr/\ACALL stratum\.widen_ids\(\);\z/, 'check_install() says what to do about them');
is($node->sql(q{SELECT count(*) FROM stratum.check_install() WHERE object LIKE 'column %'}, db => $db), $left, 'and which they are');
is($node->sql("SET client_min_messages = warning;\n" . work(1), db => $db), $said, 'the application works in between');

# The next one gets farther, and is ended in the midst of it, where it waits for a lock, and goes on waiting for it.
$node->sql(q{ROLLBACK PREPARED 'reader'}, db => $db);
$node->sql(q{BEGIN; LOCK TABLE stratum.cdp_profiles IN ACCESS SHARE MODE; PREPARE TRANSACTION 'reader'}, db => $db);
my $pid = fork // die $!;
if ($pid == 0)
{
	local %ENV = (%ENV, PGHOST => $dir, PGUSER => 'postgres', PGDATABASE => $db);
	open STDERR, '>', '/dev/null';
	exec "$ENV{STRATUM_BIN}/psql", '-Xq', '-c', q{SET lock_timeout = '10min'}, '-c', 'CALL stratum.widen_ids(1000)' or die $!;
}
my $waiting = q{FROM pg_stat_activity WHERE query LIKE 'CALL stratum.widen_ids%' AND wait_event_type = 'Lock'};
$node->comes_true("SELECT count(*) > 0 $waiting", seconds => 120);
is($node->sql("SELECT pg_terminate_backend(pid, 600000) $waiting"), 't', 'ended while it waits');
waitpid $pid, 0;
is($node->sql(q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CALL stratum.widen_ids%'}), '0', 'it is gone');
my $left_now = $node->sql($narrow, db => $db);
cmp_ok($left_now, '>', 0, 'tables are left');
cmp_ok($left_now, '<=', $left, 'not more than before');
$node->sql(q{ROLLBACK PREPARED 'reader'}, db => $db);

# A row that refers to nothing, which no reference would let in.
my $of_before = rows($node, $db);
$node->sql(q{SET session_replication_role = replica; INSERT INTO stratum.cdp_events (id, tenant_id, profile_id, event_name, event_type, timestamp) VALUES (-1, 1, 888888, 'E', 'track', now())}, db => $db);
(undef, undef, $err) = $node->psql('CALL stratum.widen_ids()', db => $db);
is(join('; ', map { s/.*NOTICE:\s+//r } grep { /still integer/ } split /\n/, $err),
	'column profile_id of table public.visits, which refers to stratum.cdp_profiles, is still integer; column tenant_id of table public.visits, which refers to stratum.cdp_profiles, is still integer',
	q{the next call does the rest, and names what is the user's to widen});
is($node->sql($narrow, db => $db), '0', 'all of it');
like($err, qr/WARNING: .*violates foreign key.*\n(?:.*\n)*?HINT:  Mend the rows, then ALTER TABLE stratum\.cdp_events VALIDATE/, 'a row that refers to nothing is a warning');
is($node->sql('SELECT remedy FROM stratum.check_install()', db => $db), 'ALTER TABLE stratum.cdp_events VALIDATE CONSTRAINT cdp_events_tenant_id_profile_id_fkey;', 'check_install() remembers it');
$node->sql('SET session_replication_role = replica; DELETE FROM stratum.cdp_events WHERE id = -1; RESET session_replication_role; CALL stratum.widen_ids()', db => $db);
is($node->sql($check, db => $db), '', 'mended, and done by the next call');

is_same(own_things() =~ s/bigint/integer/gr, $own =~ s/bigint/integer/gr, q{users' own things are as they were});
is_same(rows($node, $db), $of_before, 'so are the rows');
sub without_own { return join "\n", grep { !/my_|mine/ } split /\n/, $_[0] =~ s{reports=X/postgres, }{}gr }
is_same(without_own(structure($node, $db)), without_own($wide), 'and what is there is as if it had been done in one go');
is($node->sqlstate('INSERT INTO public.visits (tenant_id, profile_id) VALUES (1, 777777)', db => $db), '23503', q{the user's reference refuses what is not there});
is($node->sql("SET client_min_messages = warning;\n" . work(2), db => $db), $said, 'the application works');

tried('ids made bigint in one go, and refused, cancelled and continued; an application at work before, in between and after', '6 calls');
done_testing();
