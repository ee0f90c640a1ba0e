-- The queue of actions: its states by every path, deciding, doing, undoing, workers.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET timezone = 'UTC';
INSERT INTO stratum.tenants (id, name, slug) VALUES (9871, 'North', 'actions-north'), (9872, 'South', 'actions-south');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (9871, 9871, 'ann@actions.test', 'x'), (9872, 9871, 'bob@actions.test', 'x');
CREATE ROLE regress_stratum_actions LOGIN IN ROLE stratum_app;
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name, status, daily_budget_cents, lifetime_budget_cents, labels) VALUES
  (987101, 9871, 'meta', 'a', 'x', 'A', 'active', 10000, NULL, '["old"]'), (987102, 9871, 'meta', 'b', 'x', 'B', 'active', 1999999999, 5, NULL),
  (987103, 9871, 'google', 'c', 'x', 'C', 'archived', NULL, NULL, '{}'), (987201, 9872, 'meta', 'a', 'x', 'South''s', 'active', 5000, NULL, '[]');
UPDATE stratum.campaigns SET labels = NULL WHERE id = 987102;
INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload) VALUES (987201, 9872, 'pause_campaign', 'campaign', 987201, '{}');
CREATE FUNCTION pg_temp.try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; hint text;
BEGIN
  EXECUTE command INTO result;
  RETURN coalesce(result, 'done');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN format('%s %s', sqlstate, sqlerrm) || coalesce(' | ' || nullif(hint, ''), '');
END $$;

-- ---- the states, by plain writes as an ORM makes them, and for everybody ----
-- born pending
SELECT pg_temp.try(format('INSERT INTO stratum.fact_actions_queue (tenant_id, action_type, entity_type, entity_id, payload, status) VALUES (9871, %L, %L, 1, %L, %L)', 'x', 'y', '{}', s))
FROM unnest('{approved,rejected,executed,nonsense}'::text[]) s;
SELECT pg_temp.try(format('INSERT INTO stratum.fact_actions_queue (tenant_id, action_type, entity_type, entity_id, payload, %s) VALUES (9871, %L, %L, 1, %L, %s)', c, 'x', 'y', '{}', v))
FROM (VALUES ('approved_by_id', '1'), ('approved_at', 'now()'), ('executed_at', 'now()')) x (c, v);
-- every way from one state to another
CREATE FUNCTION pg_temp.move(was text, becomes text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM stratum.fact_actions_queue WHERE id = 987100;
  INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload, status) VALUES (987100, 9871, 'x', 'y', 1, '{}', NULL);
  IF was <> 'pending' THEN UPDATE stratum.fact_actions_queue SET status = CASE was WHEN 'executed' THEN 'approved' ELSE was END WHERE id = 987100; END IF;
  IF was = 'executed' THEN UPDATE stratum.fact_actions_queue SET status = was WHERE id = 987100; END IF;
  RETURN split_part(pg_temp.try(format('UPDATE stratum.fact_actions_queue SET status = %L WHERE id = 987100 RETURNING status', becomes)), '|', 1);
END $$;
SELECT a AS was, b AS becomes, pg_temp.move(a, b) FROM unnest('{pending,approved,rejected,executed}'::text[]) WITH ORDINALITY a (a, n), unnest('{pending,approved,rejected,executed,NULL}'::text[]) WITH ORDINALITY b (b, m) ORDER BY n, m;
DELETE FROM stratum.fact_actions_queue WHERE id = 987100;
-- who and when is the server's; an ORM may write all columns back; while pending an action may be edited
BEGIN;
SELECT stratum.enter(9871, 9871);
INSERT INTO stratum.fact_actions_queue (id, action_type, entity_type, entity_id, payload) VALUES (987101, 'apply_label', 'campaign', 987101, '{"label": "x"}') RETURNING status, created_by_id;
UPDATE stratum.fact_actions_queue SET payload = '{"label": "y"}', status = status, approved_by_id = approved_by_id, approved_at = approved_at WHERE id = 987101 RETURNING status, payload;
UPDATE stratum.fact_actions_queue SET status = 'approved', approved_by_id = 9872, approved_at = '2000-01-01', executed_at = '2000-01-01' WHERE id = 987101
RETURNING status, approved_by_id, approved_at = now() AS now, executed_at;
SELECT pg_temp.try('UPDATE stratum.fact_actions_queue SET ' || c || ' WHERE id = 987101 RETURNING id') AS edited, c AS what
FROM unnest(ARRAY['payload = ''{"label": "z"}''', 'payload = ''{"label": "y", "outcome": 1}''', 'payload = ''[]''', 'action_type = ''pause_campaign''', 'entity_id = 987102', 'entity_type = ''x''', 'approved_by_id = 9872', 'approved_at = NULL',
  'executed_at = now()', 'status = ''executed'', payload = ''{"label": "z"}''', 'reason = ''because''', 'payload = payload']) c;
UPDATE stratum.fact_actions_queue SET status = 'executed', approved_by_id = 9872 WHERE id = 987101 RETURNING status, approved_by_id, executed_at = now() AS now;
SELECT pg_temp.try('UPDATE stratum.fact_actions_queue SET ' || c || ' WHERE id = 987101 RETURNING id') AS edited, c AS what FROM unnest(ARRAY['payload = ''{}''', 'executed_at = NULL', 'approved_at = now() + interval ''1 day''']) c;
ROLLBACK;
-- administrators, too
BEGIN;
SET LOCAL ROLE stratum_admin;
INSERT INTO stratum.fact_actions_queue (id, tenant_id, action_type, entity_type, entity_id, payload) VALUES (987101, 9871, 'x', 'y', 1, '5');
SELECT pg_temp.try('UPDATE stratum.fact_actions_queue SET status = ''executed'' WHERE id = 987101');
UPDATE stratum.fact_actions_queue SET status = 'rejected' WHERE id = 987101 RETURNING status, approved_by_id, approved_at;
ROLLBACK;

-- ---- deciding ----
SET SESSION AUTHORIZATION regress_stratum_actions;
BEGIN;
SELECT stratum.enter(9871, 9871);
INSERT INTO stratum.fact_actions_queue (id, action_type, entity_type, entity_id, payload, reason)
SELECT 987100 + n, 'apply_label', 'campaign', 987101, '{"label": "x"}', 'proposed' FROM generate_series(1, 3) n;
SELECT stratum.approve_action(987101), stratum.reject_action(987102, 'too risky'), stratum.reject_action(987103);
SELECT id, status, reason, approved_by_id, approved_at = now() AS approved_now FROM stratum.fact_actions_queue ORDER BY id;
SELECT c AS command, pg_temp.try('SELECT stratum.' || c) FROM unnest('{approve_action(987101),reject_action(987101),approve_action(987102),reject_action(987102),execute_action(987102),undo_action(987101),execute_action(NULL),approve_action(987201),reject_action(987201),execute_action(987201),undo_action(987201),approve_action(9223372036854775807),complete_action(987201;w),fail_action(987201;w)}'::text[]) x, LATERAL replace(replace(x, ';', ', '), 'w)', '''w'')') c;
SELECT id, status FROM stratum.fact_actions_queue ORDER BY id;
SELECT action, resource_id, user_id, new_values ->> 'status' AS status, new_values ->> 'approved_by_id' AS approved_by FROM stratum.audit_logs WHERE tenant_id = 9871 AND resource_type = 'fact_actions_queue' AND action = 'update' AND resource_id IN ('987101', '987102') AND created_at = now() ORDER BY id;
ROLLBACK;
SELECT pg_temp.try('SELECT stratum.approve_action(987201)'), pg_temp.try('SELECT * FROM stratum.claim_actions(''w'', 1)');

-- ---- doing ----
CREATE FUNCTION pg_temp.proposed(id bigint, action_type text, campaign bigint, payload jsonb) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO stratum.fact_actions_queue (id, action_type, entity_type, entity_id, payload) VALUES ($1, $2, CASE WHEN $3 IS NULL THEN 'account' ELSE 'campaign' END, coalesce($3, 1), $4) RETURNING id $$;
CREATE FUNCTION pg_temp.done(id bigint, action_type text, campaign bigint, payload jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stratum.approve_action(pg_temp.proposed($1, $2, $3, $4));
  RETURN pg_temp.try(format('SELECT stratum.execute_action(%s)', $1));
END $$;
CREATE VIEW pg_temp.state AS SELECT id, status, daily_budget_cents AS daily, lifetime_budget_cents AS lifetime, labels FROM stratum.campaigns ORDER BY id;
BEGIN;
SELECT stratum.enter(9871, 9872);
SELECT pg_temp.proposed(987100, 'pause_campaign', 987101, '{}');
SELECT pg_temp.try('SELECT stratum.execute_action(987100)');
SELECT pg_temp.done(987101, 'apply_label', 987101, '{"label": "new", "rule_id": 7}'), pg_temp.done(987102, 'apply_label', 987102, '{"label": "new"}'), pg_temp.done(987103, 'pause_campaign', 987101, '{}'),
       pg_temp.done(987104, 'adjust_budget', 987101, '{"percent": -33.335}'), pg_temp.done(987105, 'adjust_budget', 987102, '{"percent": -100}');
SELECT * FROM pg_temp.state;
SELECT id, status, payload, approved_by_id, executed_at = now() AS now FROM stratum.fact_actions_queue WHERE id > 987100 ORDER BY id;
SELECT pg_temp.try('SELECT stratum.execute_action(987101)');
-- what is there already changes nothing, and is done
SELECT pg_temp.done(987106, 'apply_label', 987101, '{"label": "new"}'), pg_temp.done(987107, 'pause_campaign', 987101, '{}');
-- an action that needs nothing takes a payload of JSON null, as an ORM writes None; no other but an object
SAVEPOINT payloads;
UPDATE stratum.campaigns SET status = 'active' WHERE id = 987101;
SELECT pg_temp.done(987111, 'pause_campaign', 987101, 'null'), (SELECT payload FROM stratum.fact_actions_queue WHERE id = 987111);
SELECT payload, status FROM stratum.fact_actions_queue WHERE id = 987111;
SELECT pg_temp.try('SELECT stratum.undo_action(987111)'), (SELECT status FROM stratum.campaigns WHERE id = 987101);
SELECT pg_temp.done(987112 + n::integer, 'pause_campaign', 987101, p) FROM unnest('{[],"\"x\"",5,true,"[{}]"}'::jsonb[]) WITH ORDINALITY x (p, n) ORDER BY n;
SELECT pg_temp.done(987118, 'apply_label', 987101, 'null'), pg_temp.done(987119, 'adjust_budget', 987101, 'null'), pg_temp.done(987120, 'send_alert', 987101, 'null');
ROLLBACK TO payloads;
-- undone, in the order that leads back; once
SELECT pg_temp.try(format('SELECT stratum.undo_action(%s)', n)) FROM generate_series(987101, 987105) n;
SELECT * FROM pg_temp.state;
SELECT pg_temp.try('SELECT stratum.undo_action(987101)');
SELECT payload #- '{outcome,undone,at}' AS payload, status FROM stratum.fact_actions_queue WHERE id = 987104;
SELECT pg_temp.try('UPDATE stratum.fact_actions_queue SET payload = payload - ''outcome'' WHERE id = 987104');
-- half a cent goes up; from nothing comes nothing
UPDATE stratum.campaigns SET daily_budget_cents = 50, lifetime_budget_cents = 0 WHERE id = 987101;
SELECT pg_temp.done(987110, 'adjust_budget', 987101, '{"percent": 1}');
SELECT * FROM pg_temp.state WHERE id = 987101;
-- somebody has changed it since
UPDATE stratum.campaigns SET daily_budget_cents = 52 WHERE id = 987101;
SELECT pg_temp.try('SELECT stratum.undo_action(987110)');
UPDATE stratum.campaigns SET is_deleted = true WHERE id = 987101;
SELECT pg_temp.try('SELECT stratum.undo_action(987110)');
ROLLBACK;

-- what cannot be done: each for its own reason, nothing changed, the action still approved
BEGIN;
SELECT stratum.enter(9871, 9872);
SELECT n, action_type, payload, pg_temp.done(987100 + n, action_type, campaign, payload::jsonb) FROM (VALUES
  (1, 'adjust_budget', 987102, '{"percent": 50}'), (2, 'adjust_budget', 987102, '{"percent": -150}'), (3, 'adjust_budget', 987102, '{"percent": "NaN"}'), (4, 'adjust_budget', 987102, '{}'), (5, 'adjust_budget', 987102, '[]'), (6, 'adjust_budget', 987102, '5'),
  (7, 'adjust_budget', 987102, 'null'), (8, 'adjust_budget', 987103, '{"percent": 5}'), (9, 'pause_campaign', 987103, '{}'), (10, 'apply_label', 987103, '{"label": "x"}'), (11, 'apply_label', 987101, '{"label": ""}'),
  (12, 'apply_label', 987199, '{"label": "x"}'), (13, 'apply_label', 987201, '{"label": "x"}'), (14, 'pause_campaign', NULL, '{}'), (15, 'send_alert', 987201, '{}')) v (n, action_type, campaign, payload);
SELECT status, count(*), count(executed_at) AS executed FROM stratum.fact_actions_queue GROUP BY status;
SELECT * FROM pg_temp.state;
ROLLBACK;

-- the gate is asked again: it may block what it let pass before; a hold is overridden by the approval
BEGIN;
SELECT stratum.enter(9871, 9872);
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES ((now() AT TIME ZONE 'UTC')::date, 'meta', 39);
SELECT pg_temp.done(987101, 'adjust_budget', 987101, '{"percent": -1}'), pg_temp.done(987102, 'pause_campaign', 987101, '{}'), pg_temp.done(987103, 'apply_label', 987101, '{"label": "x"}'),
       pg_temp.done(987104, 'increase_bid', 987101, '{}'), pg_temp.done(987105, 'increase_bid', NULL, '{"platform": "meta"}'), pg_temp.done(987106, 'increase_bid', NULL, '{"platform": "none"}'), pg_temp.done(987107, 'send_alert', 987101, '{}'),
       pg_temp.done(987108, 'emergency_stop', 987101, '{}');
SELECT id, status FROM stratum.fact_actions_queue ORDER BY id;
UPDATE stratum.fact_signal_health_daily SET health_score = 40;
SELECT stratum.trust_gate('meta', 'reduce_budget'), stratum.execute_action(987101);
ROLLBACK;

-- ---- workers ----
BEGIN;
SELECT stratum.enter(9871, 9871);
SELECT pg_temp.done(987101, 'notify_slack', 987101, '{"channel": "#ads"}'), pg_temp.done(987102, 'send_alert', 987101, '{"message": "hi"}'), pg_temp.done(987103, 'launch_new_campaigns', NULL, '{}');
SELECT pg_temp.try('SELECT stratum.execute_action(987101)');
COMMIT;
BEGIN;
SELECT stratum.enter(9872);
SELECT count(*) AS of_another_tenant FROM stratum.claim_actions('w', 10);
SELECT pg_temp.try('SELECT stratum.complete_action(987101, ''w'')'), pg_temp.try('SELECT stratum.fail_action(987101, ''w'', ''x'')'), (SELECT count(*) FROM stratum.action_deliveries) AS seen;
COMMIT;
BEGIN;
SELECT stratum.enter(9871);
SELECT action_id, action_type, entity_type, entity_id, payload, attempt, lease_until > now() AS leased FROM stratum.claim_actions('one', 2);
SELECT action_id, attempt FROM stratum.claim_actions('two', "limit" => 10, lease => '1 hour');
SELECT count(*) AS no_more FROM stratum.claim_actions('three');
SELECT pg_temp.try('SELECT stratum.complete_action(987101, ''two'')'), pg_temp.try('SELECT stratum.fail_action(987103, ''one'', ''x'')'), pg_temp.try('SELECT stratum.complete_action(987101, NULL)');
SELECT stratum.complete_action(987101, 'one'), stratum.fail_action(987102, 'one', 'no network');
SELECT pg_temp.try('SELECT stratum.complete_action(987101, ''one'')'), pg_temp.try('SELECT stratum.fail_action(987102, ''one'', ''x'')');
SELECT count(*) AS not_before_a_while FROM stratum.claim_actions('three');
SELECT d.action_id, d.state, d.attempts, d.worker, d.last_error, q.status, q.executed_at = now() AS executed, round(extract(epoch FROM d.available_at - now()) / 60) AS minutes FROM stratum.action_deliveries d JOIN stratum.fact_actions_queue q ON q.id = d.action_id ORDER BY 1;
SELECT pg_temp.try('SELECT stratum.undo_action(987101)');
COMMIT;
-- nobody writes that table himself
SELECT pg_temp.try('UPDATE stratum.action_deliveries SET state = ''done'''), pg_temp.try('DELETE FROM stratum.action_deliveries'), pg_temp.try('INSERT INTO stratum.action_deliveries (action_id, tenant_id) VALUES (987201, 9872)'), pg_temp.try('SELECT stratum._hand_over(9872, 987201)');
RESET SESSION AUTHORIZATION;

-- a lease that runs out: the next one gets it, the first one reports in vain; after the last failure it is given up, and may be handed over again
UPDATE stratum.tenants SET settings = '{"trust": {"max_attempts": 3}}' WHERE id = 9871;
UPDATE stratum.action_deliveries SET lease_until = now() - interval '1 second' WHERE action_id = 987103;
UPDATE stratum.action_deliveries SET available_at = now() - interval '1 second' WHERE action_id = 987102;
BEGIN;
SELECT stratum.enter(9871, 9871);
SELECT action_id, attempt FROM stratum.claim_actions('three');
SELECT pg_temp.try('SELECT stratum.complete_action(987103, ''two'')');
SELECT stratum.fail_action(987102, 'three', repeat('x', 3000));
SELECT length(last_error), round(extract(epoch FROM available_at - now()) / 60) AS minutes FROM stratum.action_deliveries WHERE action_id = 987102;
COMMIT;
UPDATE stratum.action_deliveries SET lease_until = now() - interval '1 second' WHERE action_id = 987103;
UPDATE stratum.action_deliveries SET available_at = now() - interval '1 second' WHERE action_id = 987102;
BEGIN;
SELECT stratum.enter(9871, 9871);
SELECT action_id, attempt FROM stratum.claim_actions('four');
SELECT stratum.fail_action(987102, 'four', NULL) AS given_up;
COMMIT;
UPDATE stratum.action_deliveries SET lease_until = now() - interval '1 second' WHERE action_id = 987103;
BEGIN;
SELECT stratum.enter(9871, 9871);
SELECT count(*) AS none FROM stratum.claim_actions('five');
SELECT action_id, state, attempts, worker, last_error, finished_at IS NOT NULL AS finished FROM stratum.action_deliveries WHERE action_id > 987000 ORDER BY 1;
SELECT stratum.execute_action(987103);
SELECT action_id, attempt FROM stratum.claim_actions('five');
-- what the application itself reports as done is not handed out
UPDATE stratum.fact_actions_queue SET status = 'executed' WHERE id = 987103;
SELECT pg_temp.try('SELECT stratum.complete_action(987103, ''five'')');
COMMIT;
-- bad arguments
BEGIN;
SELECT stratum.enter(9871, 9871);
SELECT c AS arguments, pg_temp.try('SELECT count(*) FROM stratum.claim_actions(' || c || ')') FROM unnest(ARRAY['NULL', '''w'', NULL', '''w'', 1, NULL', '''''', 'repeat(''w'', 201)', '''w'', 0', '''w'', -1', '''w'', 1001', '''w'', 1, ''0''', '''w'', 1, ''2 days''', '''w'', 1, ''-1 hour''']) c;
ROLLBACK;

-- a deleted action takes its delivery along
DELETE FROM stratum.fact_actions_queue WHERE tenant_id IN (9871, 9872);
SELECT count(*) FROM stratum.action_deliveries WHERE tenant_id = 9871;
DELETE FROM stratum.campaigns WHERE tenant_id IN (9871, 9872);
UPDATE stratum.tenants SET settings = '{}' WHERE id = 9871;
DROP OWNED BY regress_stratum_actions;
DROP ROLE regress_stratum_actions;
