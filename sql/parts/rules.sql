-- Rules: which campaigns match, what to propose for them, and running the rules that are due.
-- rights: evaluate_rule, run_due_rules and the internal functions that they call as their caller -> stratum_app, stratum_admin;
--   run_all_due_rules, schedule_rules -> stratum_admin

CREATE FUNCTION stratum._check_rule() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF new.schedule IS NOT NULL AND (tg_op = 'INSERT' OR new.schedule IS DISTINCT FROM old.schedule) THEN
    PERFORM stratum.validate_schedule(new.schedule);
  END IF;
  IF tg_op = 'INSERT' OR new.actions IS DISTINCT FROM old.actions THEN
    PERFORM stratum.validate_actions(new.actions);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._check_rule() IS
  'BEFORE row trigger of rules: a schedule or an action that means nothing is refused.';

-- ---- why a campaign matches -------------------------------------------------------------------------------------

CREATE FUNCTION stratum._explain_conditions(definitions jsonb[], campaign anyelement) RETURNS jsonb
  LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_explain_conditions';
COMMENT ON FUNCTION stratum._explain_conditions(jsonb[], anyelement) IS
  'For definitions of one condition each: what the campaign''s field holds and whether the condition does, an array in the same order; internal.';

CREATE FUNCTION stratum._conditions_of(definition jsonb, within text DEFAULT '$')
  RETURNS TABLE (place text, condition jsonb)
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT format('%s.conditions[%s]', within, c.n - 1), c.value
    FROM jsonb_array_elements(coalesce(nullif(definition -> 'conditions', 'null'), '[]')) WITH ORDINALITY c (value, n);
  RETURN QUERY
    SELECT i.place, i.condition
    FROM jsonb_array_elements(coalesce(nullif(definition -> 'groups', 'null'), '[]')) WITH ORDINALITY g (value, n)
      CROSS JOIN LATERAL stratum._conditions_of(g.value, format('%s.groups[%s]', within, g.n - 1)) i;
END $$;
COMMENT ON FUNCTION stratum._conditions_of(jsonb, text) IS
  'Every single condition of a valid definition with its JSON path; internal.';

-- ---- what a rule proposes ---------------------------------------------------------------------------------------

-- "refusal" says why an action is not to be queued: NULL, blocked, impossible, no change, pending or cooldown.
CREATE FUNCTION stratum._rule_proposals(
    tenant bigint, rule_id bigint, conditions jsonb, actions jsonb, at timestamptz, all_campaigns boolean)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb, payload jsonb, refusal text)
  -- only where the definition is a constant can the planner use an index for it; compiling the rest costs more than it saves
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
<<run>>
DECLARE
  single jsonb[];
  singles jsonb;
BEGIN
  PERFORM stratum.validate_conditions(conditions, 'campaign');
  PERFORM stratum.validate_actions(actions);
  SELECT array_agg(jsonb_build_object('conditions', jsonb_build_array(c.condition)) ORDER BY c.n),
         jsonb_agg(jsonb_build_object('place', c.place) || c.condition ORDER BY c.n)
  INTO single, singles
  FROM stratum._conditions_of(conditions) WITH ORDINALITY c (place, condition, n);
  RETURN QUERY
    WITH campaign AS MATERIALIZED (
      SELECT c.id::bigint AS id, c.platform::text AS platform, stratum.campaign_matches(_rule_proposals.conditions, c) AS matched,
             stratum._explain_conditions(run.single, c) AS answers,
             jsonb_build_object('status', c.status, 'labels', c.labels, 'daily_budget_cents', c.daily_budget_cents,
                                'lifetime_budget_cents', c.lifetime_budget_cents) AS state
      FROM stratum.campaigns c
      WHERE c.tenant_id = _rule_proposals.tenant AND c.is_deleted IS NOT TRUE
        AND (all_campaigns OR stratum.campaign_matches(_rule_proposals.conditions, c))
    ), wanted AS MATERIALIZED (
      SELECT a.* FROM stratum._rule_actions(_rule_proposals.actions) a
    ), gate AS MATERIALIZED (
      SELECT p.platform, w.n, g.*
      FROM (SELECT DISTINCT c.platform FROM campaign c WHERE c.matched) p
        CROSS JOIN wanted w
        CROSS JOIN LATERAL stratum._ask_gate(_rule_proposals.tenant, p.platform, w.action_type, w.payload) g
    ), queued AS MATERIALIZED (
      SELECT * FROM stratum._queued_actions(_rule_proposals.tenant, _rule_proposals.rule_id, at - (SELECT max(w.cooldown) FROM wanted w))
    )
    SELECT c.id, c.matched, w.action_type, g.decision, jsonb_strip_nulls(jsonb_build_object(
             'gate', CASE WHEN g.asked IS NOT NULL THEN jsonb_build_object('action', g.asked, 'health_score', g.health_score, 'threshold', g.threshold) END,
             'action', w.payload, 'effect', nullif(e.effect, '{}')))
           || jsonb_build_object('conditions', coalesce((
             SELECT jsonb_agg(s.condition || (c.answers -> (s.n - 1)::integer) ORDER BY s.n)
             FROM jsonb_array_elements(run.singles) WITH ORDINALITY s (condition, n)), '[]')),
           w.payload || jsonb_build_object('rule_id', _rule_proposals.rule_id),
           CASE WHEN w.n IS NULL THEN NULL
                WHEN e.effect ? 'problem' THEN 'impossible'
                WHEN e.effect -> 'before' = e.effect -> 'after' THEN 'no change'
                WHEN g.decision = 'block' THEN 'blocked'
                WHEN q.is_open THEN 'pending'
                WHEN q.last_proposed > at - w.cooldown THEN 'cooldown' END
    FROM campaign c
      LEFT JOIN wanted w ON c.matched
      LEFT JOIN gate g ON g.platform = c.platform AND g.n = w.n
      LEFT JOIN LATERAL stratum._action_effect(w.action_type, w.payload, c.state) e (effect) ON w.n IS NOT NULL
      LEFT JOIN queued q ON q.campaign_id = c.id AND q.action_type = w.action_type AND q.payload = w.payload
    ORDER BY c.id, w.n;
END $$;
COMMENT ON FUNCTION stratum._rule_proposals(bigint, bigint, jsonb, jsonb, timestamptz, boolean) IS
  'What a rule would do now to each campaign that it matches, or to all campaigns, those that it does not match included; changes nothing; internal.';

CREATE FUNCTION stratum._queued_actions(tenant bigint, rule_id bigint, since timestamptz)
  RETURNS TABLE (campaign_id bigint, action_type text, payload jsonb, is_open boolean, last_proposed timestamptz)
  LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH action AS (
      SELECT q.entity_id, q.action_type::text AS action_type, coalesce(nullif(q.payload, 'null'), '{}') - '{rule_id,outcome}'::text[] AS payload,
             q.status = ANY ('{pending,approved}'::text[])
               AND NOT EXISTS (SELECT FROM stratum.action_deliveries d WHERE d.tenant_id = q.tenant_id AND d.action_id = q.id AND d.state = 'dead') AS is_open,
             CASE WHEN q.payload -> 'rule_id' = to_jsonb(_queued_actions.rule_id) THEN q.created_at END AS proposed
      FROM stratum.fact_actions_queue q
      WHERE q.tenant_id = _queued_actions.tenant AND q.entity_type = 'campaign' AND jsonb_typeof(q.payload) = ANY ('{object,"null"}'::text[])
        AND (q.status = ANY ('{pending,approved}'::text[]) OR q.created_at > since)
    )
    SELECT a.entity_id::bigint, a.action_type, a.payload, bool_or(a.is_open), max(a.proposed)
    FROM action a
    GROUP BY a.entity_id, a.action_type, a.payload;
END $$;
COMMENT ON FUNCTION stratum._queued_actions(bigint, bigint, timestamptz) IS
  'Actions for campaigns that are still open, and those that a rule proposed after a point in time; internal.';

-- ---- one rule ---------------------------------------------------------------------------------------------------

-- Runs of rules of one tenant go one after the other, so that none queues what another one is just queueing.
CREATE FUNCTION stratum._run_rule(tenant bigint, rule_id bigint, at timestamptz, all_campaigns boolean)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
  rule record;
  proposal record;
  matching bigint := 0;
  counts jsonb := '{}';
BEGIN
  PERFORM FROM stratum.tenants t WHERE t.id = _run_rule.tenant FOR NO KEY UPDATE;
  SELECT r.id, r.name, r.conditions, r.actions INTO rule
  FROM stratum.rules r WHERE r.tenant_id = _run_rule.tenant AND r.id = _run_rule.rule_id AND r.is_deleted IS NOT TRUE
  FOR NO KEY UPDATE SKIP LOCKED;
  -- Not to be waited for: who edits it may be about to wait for us.
  IF NOT FOUND AND EXISTS (SELECT FROM stratum.rules r WHERE r.tenant_id = _run_rule.tenant AND r.id = _run_rule.rule_id AND r.is_deleted IS NOT TRUE) THEN
    RAISE EXCEPTION 'rule % is being edited or run by another session', rule_id
      USING ERRCODE = 'lock_not_available', HINT = 'Try again when that has ended.';
  ELSIF NOT FOUND THEN
    RAISE EXCEPTION 'rule % does not exist', rule_id USING ERRCODE = 'no_data_found';
  END IF;
  FOR proposal IN
    WITH proposed AS MATERIALIZED (
      SELECT r.*, row_number() OVER () AS place
      FROM stratum._rule_proposals(_run_rule.tenant, rule.id, rule.conditions, rule.actions, at, all_campaigns) r
    ), queued AS (
      INSERT INTO stratum.fact_actions_queue AS q (tenant_id, action_type, entity_type, entity_id, payload, reason, status, created_by_id)
      SELECT _run_rule.tenant, p.action, 'campaign', p.campaign_id, p.payload, format('Rule %s: %s', rule.id, rule.name), 'pending',
             stratum._current_user_id()
      FROM proposed p WHERE p.action IS NOT NULL AND p.refusal IS NULL
      ORDER BY p.place
      RETURNING q.id, q.entity_id, q.action_type, q.payload
    )
    SELECT p.*, q.id AS action_id
    FROM proposed p
      LEFT JOIN queued q ON q.entity_id = p.campaign_id AND q.action_type = p.action AND q.payload = p.payload
    ORDER BY p.place
  LOOP
    IF proposal.matched AND campaign_id IS DISTINCT FROM proposal.campaign_id THEN
      matching := matching + 1;
    END IF;
    campaign_id := proposal.campaign_id;
    matched := proposal.matched;
    action := proposal.action;
    decision := proposal.decision;
    detail := stratum._with_outcome(proposal.detail, proposal.action, proposal.refusal, proposal.action_id);
    RETURN NEXT;
    IF action IS NOT NULL THEN
      counts := counts || jsonb_build_object(coalesce(proposal.refusal, 'queued'),
                  coalesce((counts ->> coalesce(proposal.refusal, 'queued'))::bigint, 0) + 1);
    END IF;
  END LOOP;
  PERFORM stratum._note_rule_run(tenant, rule_id, at, jsonb_build_object('status', 'succeeded', 'matched', matching, 'actions', counts));
END $$;
COMMENT ON FUNCTION stratum._run_rule(bigint, bigint, timestamptz, boolean) IS
  'Evaluates a rule, queues what it proposes and keeps the record of the run; internal to evaluate_rule() and run_due_rules().';

CREATE FUNCTION stratum._with_outcome(detail jsonb, action text, refusal text, action_id bigint) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN action IS NULL THEN detail
              ELSE detail || jsonb_strip_nulls(jsonb_build_object('skipped', refusal, 'action_id', action_id)) END
$$;
COMMENT ON FUNCTION stratum._with_outcome(jsonb, text, text, bigint) IS
  'Adds to what a rule proposes why it is not queued, or the id in the queue; internal.';

CREATE FUNCTION stratum._note_rule_run(tenant bigint, rule_id bigint, at timestamptz, result jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.rules r
  SET executions_count = coalesce(r.executions_count, 0) + 1, last_executed_at = at,
      last_execution_result = result
  WHERE r.tenant_id = _note_rule_run.tenant AND r.id = _note_rule_run.rule_id;
END $$;
COMMENT ON FUNCTION stratum._note_rule_run(bigint, bigint, timestamptz, jsonb) IS
  'Keeps executions_count, last_executed_at and last_execution_result of a rule; internal.';

CREATE FUNCTION stratum.evaluate_rule(rule_id bigint, dry_run boolean DEFAULT true)
  RETURNS TABLE (campaign_id bigint, matched boolean, action text, decision text, detail jsonb)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  rule record;
BEGIN
  IF NOT coalesce(dry_run, true) THEN
    RETURN QUERY SELECT r.* FROM stratum._run_rule(tenant, evaluate_rule.rule_id, now(), true) r;
    RETURN;
  END IF;
  SELECT r.id, r.conditions, r.actions INTO rule
  FROM stratum.rules r WHERE r.tenant_id = tenant AND r.id = evaluate_rule.rule_id AND r.is_deleted IS NOT TRUE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rule % does not exist', rule_id USING ERRCODE = 'no_data_found';
  END IF;
  RETURN QUERY
    SELECT p.campaign_id, p.matched, p.action, p.decision, stratum._with_outcome(p.detail, p.action, p.refusal, NULL)
    FROM stratum._rule_proposals(tenant, rule.id, rule.conditions, rule.actions, now(), true) p;
END $$;
COMMENT ON FUNCTION stratum.evaluate_rule(bigint, boolean) IS
  'What a rule of the current tenant does to each campaign: whether it matches, each condition''s actual value, each action with what it changes and what the trust gate says. Unless it is a dry run, the actions are queued.';

-- ---- the rules that are due -------------------------------------------------------------------------------------

CREATE FUNCTION stratum._is_due(schedule text, last_run timestamptz, made timestamptz, at timestamptz) RETURNS boolean
  LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_is_due';
COMMENT ON FUNCTION stratum._is_due(text, timestamptz, timestamptz, timestamptz) IS
  'Whether a schedule is due at a time, after its last run, or NULL: it was made and never run; internal to run_due_rules().';

-- A rule that somebody is editing is left to the next call: it is still due then.
CREATE FUNCTION stratum._run_if_due(tenant bigint, rule_id bigint, at timestamptz) RETURNS boolean
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rule record;
BEGIN
  SELECT r.schedule, r.last_executed_at, r.created_at INTO rule
  FROM stratum.rules r
  WHERE r.tenant_id = _run_if_due.tenant AND r.id = _run_if_due.rule_id
    AND r.status = 'active' AND r.is_enabled AND r.is_deleted IS NOT TRUE AND r.schedule IS NOT NULL
  FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND OR NOT stratum._is_due(rule.schedule, rule.last_executed_at, rule.created_at, at) THEN
    RETURN false;
  END IF;
  PERFORM FROM stratum._run_rule(tenant, rule_id, at, false);
  RETURN true;
END $$;
COMMENT ON FUNCTION stratum._run_if_due(bigint, bigint, timestamptz) IS
  'Locks a rule, looks again whether it is due, and runs it; internal to run_due_rules().';

CREATE FUNCTION stratum._note_failure(tenant bigint, rule_id bigint, at timestamptz, code text, message text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE WARNING 'rule % failed: %', rule_id, message;
  PERFORM FROM stratum.rules r WHERE r.tenant_id = _note_failure.tenant AND r.id = _note_failure.rule_id FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    PERFORM stratum._note_rule_run(tenant, rule_id, at, jsonb_build_object('status', 'failed',
      'error', jsonb_build_object('code', code, 'message', message)));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._note_failure(bigint, bigint, timestamptz, text, text) IS
  'Warns that a rule failed, and keeps that on record; internal to run_due_rules().';

-- The tenant's row is locked as long as its rules run: another session that finds it locked has nothing to do.
CREATE FUNCTION stratum._run_due_rules(tenant bigint, at timestamptz) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate record;
  is_due boolean;
  ran bigint := 0;
BEGIN
  PERFORM FROM stratum.tenants t WHERE t.id = _run_due_rules.tenant AND t.is_deleted IS NOT TRUE FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  FOR candidate IN
    SELECT r.id, r.schedule, r.last_executed_at, r.created_at, r.last_execution_result
    FROM stratum.rules r
    WHERE r.tenant_id = _run_due_rules.tenant
      AND r.status = 'active' AND r.is_enabled AND r.is_deleted IS NOT TRUE AND r.schedule IS NOT NULL
    ORDER BY r.id
  LOOP
    is_due := NULL;
    BEGIN
      is_due := stratum._is_due(candidate.schedule, candidate.last_executed_at, candidate.created_at, at);
      IF is_due AND stratum._run_if_due(tenant, candidate.id, at) THEN
        ran := ran + 1;
      END IF;
    EXCEPTION
      WHEN serialization_failure THEN
        RAISE;
      WHEN OTHERS THEN
        ran := ran + coalesce(is_due, false)::integer;
        -- A schedule that means nothing, which only storage without triggers has, goes on record once.
        IF is_due OR candidate.last_execution_result -> 'error' ->> 'message' IS DISTINCT FROM sqlerrm THEN
          PERFORM stratum._note_failure(tenant, candidate.id, at, sqlstate, sqlerrm);
        END IF;
    END;
  END LOOP;
  RETURN ran;
END $$;
COMMENT ON FUNCTION stratum._run_due_rules(bigint, timestamptz) IS
  'Runs the rules of a tenant that are due, each in a sub-transaction of its own; returns how many; internal.';

CREATE FUNCTION stratum._check_time(at timestamptz) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF at IS NULL THEN
    RAISE EXCEPTION 'the time must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT isfinite(at) THEN
    RAISE EXCEPTION 'rules cannot be run at %', at USING ERRCODE = 'datetime_field_overflow', HINT = 'Give a point in time, or nothing: now.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_time(timestamptz) IS 'Raises for a time at which no rule can be run; internal.';

CREATE FUNCTION stratum.run_due_rules(at timestamptz DEFAULT now()) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_time(at);
  RETURN stratum._run_due_rules(stratum._acting_tenant(), at);
END $$;
COMMENT ON FUNCTION stratum.run_due_rules(timestamptz) IS
  'Runs the enabled, active rules of the current tenant that are due, each once, however many sessions call it; returns how many. A rule that fails is on record, and the others go on.';

-- It commits, so it must not be a definer function and cannot pin its search_path.
CREATE PROCEDURE stratum.run_all_due_rules(at timestamptz DEFAULT now())
  LANGUAGE plpgsql
AS $$
DECLARE
  tenant record;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('run_all_due_rules');
  PERFORM stratum._check_time(at);
  FOR tenant IN SELECT t.id FROM stratum.tenants t WHERE t.is_deleted IS NOT TRUE ORDER BY t.id
  LOOP
    BEGIN
      PERFORM stratum._run_due_rules(tenant.id, at);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'the rules of tenant % were not run: %', tenant.id, SQLERRM;
      failed := failed + 1;
    END;
    COMMIT;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of tenants whose rules were not run: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; those of all other tenants were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.run_all_due_rules(timestamptz) IS
  'run_due_rules() for every tenant that is not deleted, with a commit after each; CALL it outside a transaction block.';

CREATE FUNCTION stratum.schedule_rules(every text DEFAULT '* * * * *') RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._schedule_job('stratum rules', every, 'CALL stratum.run_all_due_rules()',
                               'Install it, or let any scheduler call CALL stratum.run_all_due_rules() every minute.');
END $$;
COMMENT ON FUNCTION stratum.schedule_rules(text) IS
  'Lets pg_cron call run_all_due_rules() every minute, or as the cron expression says; returns the number of the job, which is the caller''s. Calling it again changes the job.';
