-- Rules: what is refused when they are written, evaluation, queueing, running the rules that are due.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET timezone = 'UTC';
INSERT INTO stratum.tenants (id, name, slug) VALUES (9861, 'North', 'rules-north'), (9862, 'South', 'rules-south'), (9863, 'Gone', 'rules-gone');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (9861, 9861, 'ann@rules.test', 'x');
CREATE ROLE regress_stratum_rules LOGIN IN ROLE stratum_app;
CREATE ROLE regress_stratum_rules_admin LOGIN IN ROLE stratum_admin;
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name, status, daily_budget_cents, lifetime_budget_cents, total_spend_cents, revenue_cents, impressions, clicks, conversions, labels, start_date, is_deleted) VALUES
  (986101, 9861, 'meta', 'a', 'x', 'Loses', 'active', 10000, NULL, 50000, 25000, 100000, 2000, 10, '["old"]', '2026-01-01', false),
  (986102, 9861, 'meta', 'b', 'x', 'Wins', 'active', 10000, 1000000, 50000, 200000, 100000, 3000, 90, '[]', '2026-01-02', false),
  (986103, 9861, 'google', 'c', 'x', 'Loses too', 'paused', NULL, NULL, 30000, 3000, 50000, 100, 0, NULL, NULL, false),
  (986104, 9861, 'google', 'd', 'x', 'Over', 'completed', 2147483647, NULL, 30000, 3000, 50000, 100, 0, '[]', NULL, false),
  (986105, 9861, 'tiktok', 'e', 'x', 'Deleted', 'active', 1, NULL, 30000, 3000, 50000, 100, 0, '[]', NULL, true),
  (986201, 9862, 'meta', 'a', 'x', 'South''s', 'active', 5000, NULL, 50000, 25000, 100000, 2000, 10, '[]', NULL, false);
INSERT INTO stratum.fact_signal_health_daily (tenant_id, date, platform, health_score) VALUES
  (9861, (now() AT TIME ZONE 'UTC')::date, 'meta', 75), (9861, (now() AT TIME ZONE 'UTC')::date, 'google', 20), (9862, (now() AT TIME ZONE 'UTC')::date, 'meta', 90);

-- ---- what is refused when it is written ----
CREATE FUNCTION pg_temp.refusal(actions jsonb, schedule text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  INSERT INTO stratum.rules (id, tenant_id, name, conditions, actions, schedule) VALUES (960999, 9861, 'r', '{}', actions, schedule);
  DELETE FROM stratum.rules WHERE id = 960999;
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN format('%s %s | %s', sqlstate, sqlerrm, hint);
END $$;
SELECT left(a, 90) AS actions, pg_temp.refusal(a::jsonb) FROM unnest(ARRAY[
  '{}', '"pause_campaign"', '5', '["pause_campaign"]', '[null]', '[{}]', '[{"type": null}]', '[{"type": 5}]', '[{"type": "explode"}]', '[{"type": "Pause_Campaign"}]', '[{"type": "pause_campaign", "percent": 5}]',
  '[{"type": "send_alert"}, {"type": "apply_label"}]', '[{"type": "apply_label", "label": ""}]', '[{"type": "apply_label", "label": "  "}]', '[{"type": "apply_label", "label": 5}]', '[{"type": "apply_label", "label": "x", "color": "red"}]',
  '[{"type": "adjust_budget"}]', '[{"type": "adjust_budget", "percent": -150}]', '[{"type": "adjust_budget", "percent": "NaN"}]', '[{"type": "adjust_budget", "percent": "20"}]', '[{"type": "adjust_budget", "percent": 0}]',
  '[{"type": "adjust_budget", "percent": 1000.01}]', '[{"type": "adjust_budget", "percent": 1e300}]', '[{"type": "adjust_budget", "percent": null}]',
  '[{"type": "notify_slack", "message": 5}]', '[{"type": "notify_slack", "outcome": 5}]', '[{"type": "send_alert", "rule_id": 5}]', '[{"type": "pause_campaign", "cooldown_hours": -1}]', '[{"type": "pause_campaign", "cooldown_hours": "6"}]',
  '[{"type": "pause_campaign", "cooldown_hours": 87601}]',
  '[]', 'null', '[{"type": "pause_campaign", "cooldown_hours": null}]', '[{"type": "adjust_budget", "percent": -100}, {"type": "adjust_budget", "percent": 1000}, {"type": "adjust_budget", "percent": 0.01}]',
  '[{"type": "notify_whatsapp", "to": "+44", "message": null}, {"type": "notify_slack", "channel": "#ads", "blocks": [1]}]']) WITH ORDINALITY u (a, n) ORDER BY n;
SELECT pg_temp.refusal(jsonb_build_array(jsonb_build_object('type', 'send_alert', 'message', repeat('x', 8000)))),
       pg_temp.refusal((SELECT jsonb_agg('{"type": "pause_campaign"}'::jsonb) FROM generate_series(1, 101)));
SELECT s, left(pg_temp.refusal('[]', s), 100) FROM unnest('{0 0 30 2 *,61 * * * *,never,"",@daily,15 minutes}'::text[]) s;
SELECT stratum.validate_actions(NULL);

-- ---- evaluation: dry unless asked otherwise ----
INSERT INTO stratum.rules (id, tenant_id, name, status, conditions, actions) VALUES
  (986101, 9861, 'Losers', 'active', '{"conditions": [{"field": "roas", "operator": "less_than", "value": 1}], "groups": [{"logic": "or", "conditions": [{"field": "campaign.clicks", "operator": "gte", "value": 100}, {"field": "start_date", "operator": "after", "value": "2026-01-01"}]}]}',
   '[{"type": "adjust_budget", "percent": -33.333}, {"type": "pause_campaign", "cooldown_hours": 24}, {"type": "apply_label", "label": "loser"}, {"type": "notify_slack", "channel": "#ads"}, {"type": "apply_label", "label": "loser"}]'),
  (986102, 9861, 'Winners', 'draft', '{"conditions": [{"field": "spend", "operator": "between", "value": [100, 1000]}, {"field": "conversion_rate", "operator": "equals", "value": 3}]}', '[{"type": "adjust_budget", "percent": 20}]'),
  (986103, 9861, 'Nothing', 'active', '{}', '[{"type": "pause_campaign"}]'),
  (986104, 9861, 'No action', 'active', '{"conditions": [{"field": "name", "operator": "equals", "value": "Wins"}]}', 'null'),
  (986105, 9861, 'Too much', 'active', '{"conditions": [{"field": "status", "operator": "equals", "value": "completed"}]}', '[{"type": "adjust_budget", "percent": 1}, {"type": "pause_campaign"}]'),
  (986201, 9862, 'South''s', 'active', '{"conditions": [{"field": "roas", "operator": "less_than", "value": 1}]}', '[{"type": "pause_campaign"}]');
SET SESSION AUTHORIZATION regress_stratum_rules;
BEGIN;
SELECT stratum.enter(9861, 9861);
SELECT campaign_id, matched, action, decision, detail - 'conditions' AS detail FROM stratum.evaluate_rule(986101);
SELECT campaign_id, jsonb_pretty(detail -> 'conditions') AS conditions FROM stratum.evaluate_rule(986101) WHERE action = 'pause_campaign' OR campaign_id = 986102;
SELECT campaign_id, matched, action, decision, detail FROM stratum.evaluate_rule(986102, NULL);
SELECT * FROM stratum.evaluate_rule(986103);
SELECT campaign_id, matched, action, decision, detail - 'conditions' AS detail FROM stratum.evaluate_rule(986104);
SELECT campaign_id, matched, action, decision, detail - 'conditions' AS detail FROM stratum.evaluate_rule(986105) WHERE matched;
SELECT count(*) AS queued FROM stratum.fact_actions_queue;
SELECT executions_count, last_executed_at, last_execution_result FROM stratum.rules WHERE id = 986101;
-- values of every kind
INSERT INTO stratum.rules (id, name, conditions, actions) VALUES (986106, 'Kinds', '{"logic": "or", "conditions": [
  {"field": "labels", "operator": "contains", "value": "OLD"}, {"field": "name", "operator": "starts_with", "value": "lo"}, {"field": "is_deleted", "operator": "equals", "value": false},
  {"field": "cpc", "operator": "less_than", "value": 0.5}, {"field": "ctr", "operator": "greater_or_equal", "value": 2}, {"field": "raw_data", "operator": "is_null"}, {"field": "spend", "operator": "in", "value": [500, 300]}]}', '[]');
SELECT x.c ->> 'field' AS field, x.c -> 'actual' AS actual, x.c -> 'holds' AS holds FROM stratum.evaluate_rule(986106) e, jsonb_array_elements(e.detail -> 'conditions') x (c) WHERE campaign_id IN (986101, 986103) ORDER BY campaign_id, x.c ->> 'place';

-- queued once; who, why, for what
SELECT campaign_id, action, decision, detail -> 'skipped' AS skipped, detail ? 'action_id' AS queued FROM stratum.evaluate_rule(986101, false) WHERE matched;
SELECT action_type, entity_type, entity_id, payload, reason, status, created_by_id, approved_by_id FROM stratum.fact_actions_queue ORDER BY id;
SELECT executions_count, last_executed_at = now() AS now, last_execution_result FROM stratum.rules WHERE id = 986101;
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986101, false) WHERE matched;
SELECT count(*) AS queued FROM stratum.fact_actions_queue;
SELECT executions_count, last_execution_result FROM stratum.rules WHERE id = 986101;
-- another rule does not queue the same action either
UPDATE stratum.rules SET conditions = (SELECT conditions FROM stratum.rules WHERE id = 986101), actions = '[{"type": "pause_campaign"}]' WHERE id = 986103;
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986103, false) WHERE matched;
-- nor what waits with a payload of JSON null
SAVEPOINT nulls;
DELETE FROM stratum.fact_actions_queue;
INSERT INTO stratum.fact_actions_queue (action_type, entity_type, entity_id, payload) SELECT 'pause_campaign', 'campaign', campaign_id, 'null' FROM stratum.evaluate_rule(986103) WHERE matched;
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986103, false) WHERE matched;
ROLLBACK TO nulls;
-- what was decided may be proposed again, after the cooldown
DO $$ BEGIN PERFORM stratum.reject_action(id, 'no') FROM stratum.fact_actions_queue; END $$;
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986101) WHERE matched AND action <> 'notify_slack';
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986103) WHERE matched;
UPDATE stratum.fact_actions_queue SET created_at = now() - interval '24 hours' WHERE action_type = 'pause_campaign';
SELECT campaign_id, action, detail -> 'skipped' AS skipped FROM stratum.evaluate_rule(986101) WHERE matched AND action <> 'notify_slack';
-- in the trail: the user, and no bookkeeping
SELECT DISTINCT resource_type, action, user_id, count(*) FROM stratum.audit_logs WHERE tenant_id = 9861 AND resource_type IN ('fact_actions_queue', 'rules') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
ROLLBACK;

-- bad input: another tenant's rule, none, a deleted one, no tenant
\set VERBOSITY default
SELECT * FROM stratum.evaluate_rule(986101);
BEGIN;
SELECT stratum.enter(9861);
SELECT * FROM stratum.evaluate_rule(986201);
ROLLBACK;
\set VERBOSITY sqlstate
BEGIN;
SELECT stratum.enter(9861);
SAVEPOINT a;
SELECT * FROM stratum.evaluate_rule(986201, false);
ROLLBACK TO a;
SELECT * FROM stratum.evaluate_rule(NULL);
ROLLBACK TO a;
SELECT * FROM stratum.evaluate_rule(9223372036854775807);
ROLLBACK TO a;
UPDATE stratum.rules SET is_deleted = true WHERE id = 986103;
SELECT * FROM stratum.evaluate_rule(986103);
ROLLBACK TO a;
SELECT stratum.run_due_rules(NULL);
ROLLBACK TO a;
SELECT stratum.run_due_rules('infinity');
ROLLBACK TO a;
CALL stratum.run_all_due_rules();
ROLLBACK TO a;
SELECT stratum.schedule_rules();
ROLLBACK;
SELECT stratum.run_due_rules();
\set VERBOSITY terse
RESET SESSION AUTHORIZATION;

-- ---- rules that are due ----
DELETE FROM stratum.rules WHERE tenant_id IN (9861, 9862);
INSERT INTO stratum.rules (id, tenant_id, name, status, is_enabled, is_deleted, schedule, created_at, last_executed_at, conditions, actions) VALUES
  (986111, 9861, 'hourly', 'active', true, false, '0 * * * *', '2026-01-01', NULL, '{"conditions": [{"field": "clicks", "operator": "gte", "value": 0}]}', '[{"type": "apply_label", "label": "seen"}]'),
  (986112, 9861, 'by interval', 'active', true, false, '30 minutes', '2026-01-01', NULL, '{"conditions": [{"field": "name", "operator": "equals", "value": "Wins"}]}', '[{"type": "send_alert", "message": "hi", "cooldown_hours": 0.5}]'),
  (986114, 9861, 'draft', 'draft', true, false, '* * * * *', '2026-01-01', NULL, '{}', '[]'),
  (986115, 9861, 'off', 'active', false, false, '* * * * *', '2026-01-01', NULL, '{}', '[]'),
  (986116, 9861, 'deleted', 'active', true, true, '* * * * *', '2026-01-01', NULL, '{}', '[]'),
  (986117, 9861, 'no schedule', 'active', true, false, NULL, '2026-01-01', NULL, '{}', '[]'),
  (986118, 9861, 'later', 'active', true, false, '0 9 * * *', '2026-01-01', '2026-03-01 09:00', '{}', '[]'),
  (986211, 9862, 'South''s', 'active', true, false, '* * * * *', '2026-01-01', NULL, '{"conditions": [{"field": "clicks", "operator": "gte", "value": 0}]}', '[{"type": "pause_campaign"}]'),
  (986311, 9863, 'of a deleted tenant', 'active', true, false, '* * * * *', '2026-01-01', NULL, '{}', '[]');
UPDATE stratum.tenants SET is_deleted = true WHERE id = 9863;
-- one that fails, and one whose schedule means nothing: only storage whose triggers were off has them
SET session_replication_role = replica;
INSERT INTO stratum.rules (id, tenant_id, name, status, is_enabled, is_deleted, schedule, created_at, conditions, actions, executions_count) VALUES
  (986110, 9861, 'fails', 'active', true, false, '* * * * *', '2026-01-01', '{"conditions": [{"field": "extra", "operator": "is_null"}]}', '[]', 0),
  (986119, 9861, 'never', 'active', true, false, '0 0 30 2 *', '2026-01-01', '{}', '[]', 0);
RESET session_replication_role;
CREATE FUNCTION pg_temp.runs() RETURNS TABLE (id integer, executions_count integer, last_executed_at timestamptz, last_execution_result jsonb) LANGUAGE sql AS
  $$ SELECT id, executions_count, last_executed_at, last_execution_result FROM stratum.rules WHERE tenant_id IN (9861, 9862, 9863) AND last_execution_result IS NOT NULL ORDER BY id $$;
SET SESSION AUTHORIZATION regress_stratum_rules;
BEGIN;
SELECT stratum.enter(9861);
SELECT stratum.run_due_rules('2026-03-01 10:00');
SELECT * FROM pg_temp.runs();
SELECT entity_id, action_type, payload, reason, created_by_id FROM stratum.fact_actions_queue ORDER BY entity_id, action_type;
SELECT stratum.run_due_rules('2026-03-01 10:00') AS again;
SELECT stratum.run_due_rules('2026-03-01 10:29:59') AS those_that_fail_every_minute;
SELECT stratum.run_due_rules('2026-03-01 10:30') AS and_the_interval;
SELECT stratum.run_due_rules('2026-03-01 09:00') AS in_the_past;
SELECT * FROM pg_temp.runs();
COMMIT;
RESET SESSION AUTHORIZATION;
DELETE FROM stratum.rules WHERE id IN (986110, 986119);

-- all tenants: administrators only, outside a transaction block
SET SESSION AUTHORIZATION regress_stratum_rules_admin;
CALL stratum.run_all_due_rules('2026-03-02 09:00');
RESET SESSION AUTHORIZATION;
SELECT * FROM pg_temp.runs();
SELECT tenant_id, entity_id, action_type, reason FROM stratum.fact_actions_queue WHERE tenant_id IN (9861, 9862) ORDER BY id;
\set VERBOSITY sqlstate
BEGIN;
CALL stratum.run_all_due_rules('2026-03-03');
ROLLBACK;
CALL stratum.run_all_due_rules(NULL);
\set VERBOSITY default
SELECT stratum.schedule_rules();
\set VERBOSITY terse

DELETE FROM stratum.fact_actions_queue WHERE tenant_id IN (9861, 9862);
DELETE FROM stratum.rules WHERE tenant_id IN (9861, 9862, 9863);
DELETE FROM stratum.campaigns WHERE tenant_id IN (9861, 9862);
DELETE FROM stratum.fact_signal_health_daily WHERE tenant_id IN (9861, 9862);
DROP ROLE regress_stratum_rules, regress_stratum_rules_admin;
