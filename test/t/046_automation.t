#!/usr/bin/env perl
# What only a server of its own shows of automation: notifications, many workers and schedulers at once, pg_cron.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $has_cron = -e `$ENV{STRATUM_BIN}/pg_config --pkglibdir 2>/dev/null` =~ s/\s+$//r . '/pg_cron.so';
my $node = Stratum::Cluster->new(config => "deadlock_timeout = 200ms\nmax_connections = 40\n"
	  . ($has_cron ? "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on\n" : ''));
my $dir = $node->dir;

$node->sql(q{
	CREATE EXTENSION stratum;
	INSERT INTO stratum.tenants (id, name, slug) SELECT n, 'T' || n, 't' || n FROM generate_series(1, 3) n;
	INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name, status, daily_budget_cents)
	SELECT 100 * t + n, t, 'meta', n, 'x', 'c', 'active', 1000 FROM generate_series(1, 3) t, generate_series(1, 20) n;
	CREATE ROLE app LOGIN IN ROLE stratum_app});

# Runs a script with pgbench: so many clients, so many transactions each; returns what went wrong.
sub bench
{
	my ($name, $clients, $transactions, $script) = @_;
	open my $file, '>', "$dir/$name.sql" or die $!;
	print $file $script;
	close $file;
	my ($rc, undef, $err) = $node->command('pgbench', '-n', '-U', 'app', '-c', $clients, '-j', 2, '-t', $transactions, '-f', "$dir/$name.sql", 'postgres');
	return $rc == 0 ? '' : $err;
}

sub notifications
{
	my $listen = 'LISTEN stratum_actions;';
	my $propose = q{INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload) VALUES (%d, 1, '%s', 'campaign', 101, '{"label": "x"}');
		BEGIN; SELECT stratum.enter(1); SELECT stratum.approve_action(%d); SELECT stratum.execute_action(%1$d); %s; SELECT 'end';};
	my ($rc, $out) = $node->psql($listen . sprintf($propose, 1, 'notify_slack', 1, 'COMMIT'));
	like($out, qr/handed over.*notification "stratum_actions" with payload "1"/s, 'what a worker does is told to those who listen, by its id');
	($rc, $out) = $node->psql($listen . sprintf($propose, 2, 'send_alert', 2, 'ROLLBACK'));
	like($out, qr/handed over/, 'what was handed over');
	unlike($out, qr/notification/, 'and taken back is told to nobody');
	($rc, $out) = $node->psql($listen . sprintf($propose, 3, 'apply_label', 3, 'COMMIT'));
	like($out, qr/executed/, 'what is done here');
	unlike($out, qr/notification/, 'is told to nobody');
	$node->sql(q{DELETE FROM stratum.fact_actions_queue; UPDATE stratum.campaigns SET labels = '[]'});
	return;
}

# Eight schedulers at the same times: each rule runs once for each of its times, and each action is queued once.
sub schedulers
{
	$node->sql(q{INSERT INTO stratum.rules (id, tenant_id, name, status, schedule, created_at, conditions, actions)
		SELECT 10 * t + n, t, 'r', 'active', '*/10 * * * *', '2026-01-01', '{"conditions": [{"field": "status", "operator": "equals", "value": "active"}]}',
			CASE n WHEN 1 THEN '[{"type": "apply_label", "label": "a"}]' ELSE '[{"type": "apply_label", "label": "a"}, {"type": "notify_slack"}]' END::jsonb
		FROM generate_series(1, 3) t, generate_series(1, 4) n});
	is(bench('schedulers', 8, 30, <<'SQL'), '', 'schedulers beside each other get no error');
\set t random(1, 3)
BEGIN;
SELECT stratum.enter(:t);
SELECT stratum.run_due_rules('2026-03-01 10:05+00');
COMMIT;
SQL
	is($node->sql('SELECT min(executions_count), max(executions_count) FROM stratum.rules'), '1|1', 'and each rule has run once');
	is($node->sql(q{SELECT count(*), count(DISTINCT (entity_id, action_type)), count(*) FILTER (WHERE status = 'pending') FROM stratum.fact_actions_queue}), '120|120|120', 'and nothing is queued twice');
	$node->sql(q{CALL stratum.run_all_due_rules('2026-03-01 10:10+00')});
	is($node->sql('SELECT min(executions_count), max(executions_count) FROM stratum.rules'), '2|2', 'at the next time they run again');
	return;
}

# Clients decide, execute and work at random; in the end everything was done once.
sub workers
{
	$node->sql('CREATE TABLE done (action_id bigint, client integer); GRANT INSERT ON done TO app');
	is(bench('deciders', 6, 150, <<'SQL'), '', 'deciding and executing beside each other: the losers are told, nobody is stopped');
\set t random(1, 3)
BEGIN;
SELECT stratum.enter(:t);
DO $$ BEGIN
  PERFORM CASE q.status WHEN 'pending' THEN stratum.approve_action(q.id) ELSE stratum.execute_action(q.id) END
  FROM (SELECT id, status FROM stratum.fact_actions_queue WHERE status IN ('pending', 'approved') ORDER BY random() LIMIT 1) q;
EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
END $$;
COMMIT;
SQL
	is(bench('workers', 6, 120, <<'SQL'), '', 'workers beside each other get no error');
\set t random(1, 3)
\set fails random(1, 20)
BEGIN;
SELECT stratum.enter(:t);
DO $$ BEGIN PERFORM stratum.approve_action(id) FROM stratum.fact_actions_queue WHERE status = 'pending' AND id % 7 = extract(second FROM clock_timestamp())::integer % 7;
EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$;
COMMIT;
BEGIN;
SELECT stratum.enter(:t);
CREATE TEMP TABLE claimed ON COMMIT DROP AS SELECT action_id FROM stratum.claim_actions('client ' || :client_id, 2);
INSERT INTO done SELECT action_id, :client_id FROM claimed WHERE :fails > 1;
SELECT CASE WHEN :fails > 1 THEN stratum.complete_action(action_id, 'client ' || :client_id) ELSE stratum.fail_action(action_id, 'client ' || :client_id, 'x') END FROM claimed;
COMMIT;
SQL
	# what is left, by one of them, with nothing to wait for
	$node->sql(q{UPDATE stratum.action_deliveries SET available_at = now() WHERE state = 'waiting'});
	$node->sql(qq{BEGIN; SELECT stratum.enter($_);
		SELECT stratum.approve_action(id) FROM stratum.fact_actions_queue WHERE tenant_id = $_ AND status = 'pending';
		SELECT stratum.execute_action(q.id) FROM stratum.fact_actions_queue q WHERE q.tenant_id = $_ AND q.status = 'approved' AND NOT EXISTS (SELECT FROM stratum.action_deliveries d WHERE d.action_id = q.id);
		INSERT INTO done SELECT c.action_id, -1 FROM stratum.claim_actions('last', 1000) c;
		SELECT stratum.complete_action(d.action_id, 'last') FROM stratum.action_deliveries d WHERE d.worker = 'last' AND d.state = 'claimed' AND d.tenant_id = $_;
		COMMIT}) for 1 .. 3;
	is($node->sql(q{SELECT count(*), count(*) FILTER (WHERE status = 'executed') FROM stratum.fact_actions_queue}), '120|120', 'in the end all is executed');
	is($node->sql(q{SELECT count(*), count(DISTINCT action_id), (SELECT count(*) FROM stratum.action_deliveries WHERE state = 'done') FROM done}), '60|60|60', 'what workers do was done once, and nothing is lost');
	is($node->sql(q{SELECT DISTINCT labels FROM stratum.campaigns}), '["a"]', 'and so was the rest');
	like($node->sql(q{SELECT count(DISTINCT client) FROM done}), qr/^(?!1$)\d+$/, 'by several workers');
	unlike(do { local (@ARGV, $/) = $node->log_file; <> }, qr/deadlock detected/, 'without a deadlock');
	return;
}

sub with_cron
{
	$node->sql(q{CREATE EXTENSION pg_cron; CREATE ROLE runner LOGIN IN ROLE stratum_admin; GRANT USAGE ON SCHEMA cron TO runner});
	$node->sql(q{UPDATE stratum.rules SET schedule = '1 minute', last_executed_at = NULL, executions_count = 0});
	my $job = $node->sql('SELECT stratum.schedule_rules()', user => 'runner');
	is($node->sql('SELECT jobid, jobname, schedule, command, username FROM cron.job'), "$job|stratum rules|* * * * *|CALL stratum.run_all_due_rules()|runner", 'a job of the caller');
	is($node->sql(q{SELECT stratum.schedule_rules('*/5 * * * *')}, user => 'runner'), $job, 'called again, it changes the job');
	is($node->sql('SELECT schedule FROM cron.job'), '*/5 * * * *', 'and its times');
	$node->sql('SELECT stratum.schedule_rules()', user => 'runner');
	my $ran = "SELECT count(*) FROM stratum.rules WHERE executions_count > 0";
	for (1 .. 300) { last if $node->sql($ran) eq '12'; select undef, undef, undef, 0.5 }
	is($node->sql($ran), '12', 'pg_cron runs the rules of every tenant') or diag($node->sql('SELECT status, return_message FROM cron.job_run_details'));
	isnt($node->sqlstate(q{SELECT stratum.schedule_rules('every day')}, user => 'runner'), '', 'a bad time is refused');
	is($node->sqlstate(q{SELECT stratum.schedule_rules(NULL)}, user => 'runner'), '22004', 'and none');
	$job = $node->sql('SELECT stratum.schedule_partitions()', user => 'runner');
	is($node->sql(q{SELECT stratum.schedule_partitions('5 5 * * *')}, user => 'runner'), $job, 'the partitions of months to come have a job, too');
	is($node->sql("SELECT jobname, schedule, command, username FROM cron.job WHERE jobid = $job"), 'stratum partitions|5 5 * * *|SELECT stratum.make_partitions()|runner', 'which can be changed');
	return;
}

notifications();
schedulers();
workers();
SKIP: { skip 'no pg_cron here', 1 unless $has_cron; with_cron() }

tried('schedulers and workers of automation beside each other, some of which fail: each action is done once', '6 workers, 120 actions');
done_testing();
