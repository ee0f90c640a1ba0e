#!/usr/bin/env perl
# A day in the life: four clients of a tenant bring events in, refresh segments, run rules, decide, execute and undo, all at
# once. Then everything fits together: counts, states, budgets, and a trail that explains every row.
#
#   STRATUM_SECONDS=600   so many instead of 8
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $seconds = $ENV{STRATUM_SECONDS} // 8;
my $node = Stratum::Cluster->new;
my $dir = $node->dir;

$node->sql(<<'SQL');
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
INSERT INTO stratum.tenants (name, slug) VALUES ('Day', 'day');
INSERT INTO stratum.users (tenant_id, email, password_hash, role) VALUES (1, 'ann@day.test', 'x', 'manager');
CREATE SCHEMA day;
CREATE TABLE day.told (outcome text, events bigint);
CREATE TABLE day.began AS SELECT now() AS at;
GRANT USAGE ON SCHEMA day TO app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA day TO app;
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, status, daily_budget_cents, total_spend_cents, revenue_cents, clicks, impressions, conversions)
	SELECT 'meta', 'c' || n, 'a', 'Campaign ' || n, 'active', 10000 * n, 1000, 500 * n, 100, 1000, n FROM generate_series(1, 12) n;
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES (current_date, 'meta', 95), (current_date + 1, 'meta', 95);
INSERT INTO stratum.rules (name, status, schedule, conditions, actions) VALUES
	('up', 'active', '1 minute', '{"conditions": [{"field": "roas", "operator": "gte", "value": 3}]}', '[{"type": "adjust_budget", "percent": 10}, {"type": "apply_label", "label": "winner"}]'),
	('down', 'active', '2 minutes', '{"conditions": [{"field": "roas", "operator": "less_than", "value": 3}]}', '[{"type": "adjust_budget", "percent": -10}, {"type": "send_alert"}]');
INSERT INTO stratum.cdp_segments (name, conditions)
	SELECT 'trait ' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', n * 10))) FROM generate_series(1, 6) n
	UNION ALL
	SELECT 'bought ' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'event.Purchase.count', 'operator', 'gte', 'value', n))) FROM generate_series(1, 4) n;
SELECT stratum.set_segment_options(id, is_live => true, keeps_history => true) FROM stratum.cdp_segments WHERE id % 2 = 0;
COMMIT;
SQL

my %script = (
	# some messages come twice, some names are new, some are of persons that others bring in at the same moment
	events => [ 10, q{\set person random(1, 200)
\set message random(1, 100000)
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO day.told SELECT i.outcome, count(*) FROM stratum.ingest_events((SELECT jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase'])[1 + (:message + k) % 3],
  'external_id', 'p' || (:person + k * 7) % 200, 'anonymous_id', 'd' || (:person * 3 + k) % 300, 'message_id', md5('m' || (:message + k) % 5000), 'traits', jsonb_build_object('n', (:person + k) % 100)))
  FROM generate_series(1, 5) k)) i GROUP BY 1;
COMMIT;} ],
	refresh => [ 1, 'BEGIN; SELECT stratum.enter(1, 1); SELECT count(*) FROM stratum.refresh_segments(); COMMIT;' ],
	# a minute passes with every second
	rules => [ 2, q{BEGIN; SELECT stratum.enter(1, 1); SELECT stratum.run_due_rules(b.at + extract(epoch FROM clock_timestamp() - b.at) * interval '1 minute') FROM day.began b; COMMIT;} ],
	decide => [ 3, q{BEGIN; SELECT stratum.enter(1, 1);
SELECT CASE WHEN q.id % 7 = 0 THEN stratum.reject_action(q.id, 'no') ELSE stratum.approve_action(q.id) END
  FROM (SELECT id FROM stratum.fact_actions_queue WHERE status = 'pending' ORDER BY id LIMIT 2 FOR UPDATE SKIP LOCKED) q;
COMMIT;} ],
	# somebody else may have handed the same one over since the query began, and it says so
	execute => [ 3, q{BEGIN; SELECT stratum.enter(1, 1);
SELECT stratum.execute_action(q.id) FROM (SELECT id FROM stratum.fact_actions_queue WHERE status = 'approved' AND action_type IN ('adjust_budget', 'apply_label') ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) q;
DO $$ BEGIN
  PERFORM stratum.execute_action(q.id) FROM (SELECT a.id FROM stratum.fact_actions_queue a WHERE a.status = 'approved' AND a.action_type = 'send_alert'
    AND NOT EXISTS (SELECT FROM stratum.action_deliveries d WHERE d.action_id = a.id) ORDER BY a.id LIMIT 1 FOR UPDATE SKIP LOCKED) q;
EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
END $$;
COMMIT;} ],
	work => [ 2, q{BEGIN; SELECT stratum.enter(1, 1);
SELECT stratum.complete_action(c.action_id, 'worker :client_id') FROM stratum.claim_actions('worker :client_id', 2) c;
COMMIT;} ],
	# what has been changed since is not undone, which is no fault
	undo => [ 1, q{BEGIN; SELECT stratum.enter(1, 1);
DO $$ BEGIN
  PERFORM stratum.undo_action(q.id) FROM (SELECT id FROM stratum.fact_actions_queue WHERE status = 'executed' AND action_type = 'adjust_budget' AND payload #> '{outcome,undone}' IS NULL
    ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED) q;
EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
END $$;
COMMIT;} ]);

my ($transactions, @options) = (0);
for my $name (sort keys %script)
{
	my ($weight, $text) = @{ $script{$name} };
	open my $file, '>', "$dir/$name.sql" or die $!;
	print $file "$text\n";
	close $file;
	push @options, '-f', "$dir/$name.sql\@$weight";
}
{
	local @ENV{qw(PGUSER PGDATABASE)} = ('app', 'postgres');
	my ($rc, $err, $days) = (0, '', 0);
	# On a slow machine it takes some of these days until something was undone.
	while ($rc == 0 && $days < 20)
	{
		($rc, my $out, $err) = $node->command('pgbench', '-n', '-c', 4, '-T', $seconds, '--random-seed=' . (42 + $days++), @options);
		my ($done) = $out =~ /transactions actually processed: (\d+)/;
		$transactions += $done // 0;
		last if $transactions > 40 && $node->sql("SELECT count(*) > 3 AND count(payload #> '{outcome,undone}') > 0 FROM stratum.fact_actions_queue WHERE status = 'executed'") eq 't';
	}
	is($rc, 0, 'four clients went through the day') or diag($err);
	cmp_ok($transactions, '>', 40, "$transactions transactions");
}

# ---- in the evening ---------------------------------------------------------------------------------------------

cmp_ok($node->sql("SELECT count(*) FROM stratum.fact_actions_queue WHERE status = 'executed'"), '>', 3, 'actions were executed');
cmp_ok($node->sql("SELECT count(*) FROM stratum.fact_actions_queue WHERE payload #> '{outcome,undone}' IS NOT NULL"), '>', 0, 'and some undone');
is($node->sql("SELECT count(*) FROM stratum.cdp_events"), $node->sql("SELECT sum(events) FROM day.told WHERE outcome = 'stored'"), 'every event that was told to be stored is there, once');
cmp_ok($node->sql("SELECT sum(events) FROM day.told WHERE outcome = 'duplicate'"), '>', 0, 'others were duplicates');
is($node->sql('SELECT count(*) FROM (SELECT external_id FROM stratum.cdp_profiles WHERE external_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1) q'), 0, 'every person is one profile');
is($node->sql("SELECT count(*) FROM stratum.cdp_profiles p WHERE EXISTS (SELECT FROM stratum.cdp_events e WHERE e.profile_id = p.id AND e.event_name = 'Purchase') <> (p.lifecycle_stage = 'customer')"), 0, 'who bought is a customer');

is($node->sql('BEGIN; SELECT FROM stratum.enter(1, 1); SELECT coalesce(sum(added + removed), 0) FROM stratum.refresh_segments() r JOIN stratum.cdp_segment_options o ON o.segment_id = r.segment_id AND o.is_live; COMMIT') =~ s/^\n+//r, 0, 'live memberships need no refresh');
is($node->sql('SELECT count(*) FROM stratum.cdp_segments s WHERE s.profile_count <> (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.segment_id = s.id)'), 0, 'segments are counted right');
is($node->sql('SELECT count(*) FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_segment_options o ON o.segment_id = m.segment_id AND o.keeps_history
	FULL JOIN (SELECT * FROM stratum.cdp_segment_history WHERE left_at IS NULL) h ON h.segment_id = m.segment_id AND h.profile_id = m.profile_id
	WHERE m.profile_id IS NULL OR h.profile_id IS NULL'), 0, 'who is in has a stay that lasts, and nobody else');

is($node->sql("SELECT count(*) FROM stratum.fact_actions_queue WHERE (status IN ('approved', 'executed')) <> (approved_at IS NOT NULL) OR (status = 'executed') <> (executed_at IS NOT NULL)"), 0, 'no action is in two states');
is($node->sql("SELECT count(*) FROM (SELECT 1 FROM stratum.fact_actions_queue WHERE status = 'pending' GROUP BY entity_id, action_type, payload - 'outcome' HAVING count(*) > 1) q"), 0, 'none waits twice');
# what was done to a budget, and not undone, leads from the first to the last one
is($node->sql(<<'SQL'), 0, 'budgets are what the actions made of them');
SELECT count(*) FROM stratum.campaigns c WHERE c.daily_budget_cents <> 10000 * substr(c.external_id, 2)::int + coalesce((
	SELECT sum((q.payload #>> '{outcome,after,daily_budget_cents}')::int - (q.payload #>> '{outcome,before,daily_budget_cents}')::int)
	FROM stratum.fact_actions_queue q
	WHERE q.entity_id = c.id AND q.action_type = 'adjust_budget' AND q.status = 'executed' AND q.payload #> '{outcome,undone}' IS NULL), 0)
SQL

# The entries of a row, one after the other, make the row, but for what is not recorded alone.
for my $table (qw(campaigns fact_actions_queue rules cdp_profiles cdp_segments))
{
	my $keys = "'{updated_at,last_executed_at,executions_count,last_execution_result,profile_count,last_computed_at}'::text[]";
	is($node->sql(<<"SQL"), 0, "the trail explains every row of $table");
SELECT count(*) FROM stratum.$table t LEFT JOIN LATERAL (
	SELECT jsonb_object_agg(e.key, e.value ORDER BY a.id) AS told FROM stratum.audit_logs a, jsonb_each(a.new_values) e
	WHERE a.resource_type = '$table' AND a.resource_id = t.id::text) q ON true
WHERE (to_jsonb(t) - $keys) IS DISTINCT FROM (q.told - $keys)
SQL
}
is($node->sql('SELECT count(*) FROM stratum.verify_audit(1)'), 0, 'and is whole');
is($node->sql('SELECT count(*) FROM stratum.check_install()'), 0, 'so is the install');

tried('a day of a tenant: ingest, refresh, rules, decisions, workers and undoing at once; then counts, states, budgets and the trail hold', "$transactions transactions of 4 clients in $seconds s");
done_testing();
