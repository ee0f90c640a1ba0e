-- The queue of actions: who decides, what is done, and what workers do.
-- rights: approve_action, reject_action, execute_action, undo_action, claim_actions, complete_action, fail_action and the
--   internal functions that they call as their caller -> stratum_app, stratum_admin

-- ---- the states of an action ------------------------------------------------------------------------------------

CREATE FUNCTION stratum._refuse_state(fault text, hint text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION '%', fault USING ERRCODE = 'check_violation', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_state(text, text) IS
  'Raises for a change that the life of an action does not have; internal to the trigger of the queue.';

CREATE FUNCTION stratum._payload_core(payload jsonb, without text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE jsonb_typeof(payload) WHEN 'object' THEN payload #- without WHEN 'null' THEN '{}' ELSE payload END $$;
COMMENT ON FUNCTION stratum._payload_core(jsonb, text[]) IS
  'A payload without what stratum itself has written there; JSON null is an empty one; internal.';

CREATE FUNCTION stratum._keep_action() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moves boolean;
  own text[];  -- what in the payload is stratum's own
BEGIN
  IF tg_op = 'INSERT' THEN
    IF new.status IS DISTINCT FROM 'pending' THEN
      PERFORM stratum._refuse_state(format('an action is born pending, not %s', coalesce(new.status, 'NULL')), 'Insert it as pending, then decide.');
    ELSIF new.approved_by_id IS NOT NULL OR new.approved_at IS NOT NULL OR new.executed_at IS NOT NULL THEN
      PERFORM stratum._refuse_state('an action is born undecided', 'Leave approved_by_id, approved_at and executed_at out.');
    END IF;
    new.created_by_id := coalesce(new.created_by_id, stratum._current_user_id());
    RETURN new;
  END IF;
  moves := new.status IS DISTINCT FROM old.status;
  own := CASE WHEN moves THEN '{outcome}' ELSE '{outcome,undone}' END;
  IF moves AND NOT coalesce((old.status, new.status) IN (('pending', 'approved'), ('pending', 'rejected'), ('approved', 'executed')), false) THEN
    PERFORM stratum._refuse_state(format('action %s is %s and cannot become %s', old.id, coalesce(old.status, 'NULL'), coalesce(new.status, 'NULL')),
      'pending becomes approved or rejected, approved becomes executed; nothing else.');
  END IF;
  IF old.status = 'pending' AND NOT moves
     AND (new.approved_by_id, new.approved_at, new.executed_at) IS NOT DISTINCT FROM (old.approved_by_id, old.approved_at, old.executed_at) THEN
    RETURN new;  -- it may be edited as long as nobody has decided
  END IF;
  -- What was decided is what is done. The outcome is written once, and whether it was undone.
  IF (new.action_type, new.entity_type, new.entity_id) IS DISTINCT FROM (old.action_type, old.entity_type, old.entity_id)
     OR stratum._payload_core(new.payload, own) IS DISTINCT FROM stratum._payload_core(old.payload, own)
     OR NOT moves AND new.payload IS DISTINCT FROM old.payload AND (old.status <> 'executed' OR old.payload #> '{outcome,undone}' IS NOT NULL) THEN
    PERFORM stratum._refuse_state(format('action %s is decided and cannot be edited', old.id), 'Propose another one.');
  END IF;
  IF NOT moves THEN
    IF (new.approved_by_id, new.approved_at, new.executed_at) IS DISTINCT FROM (old.approved_by_id, old.approved_at, old.executed_at) THEN
      PERFORM stratum._refuse_state(format('who decided about action %s, and when, is not to be edited', old.id), 'stratum keeps that with the status.');
    END IF;
    RETURN new;
  END IF;
  -- Who and when is what the server knows, not what the client says.
  new.approved_by_id := CASE new.status WHEN 'executed' THEN old.approved_by_id ELSE stratum._current_user_id() END;
  new.approved_at := CASE new.status WHEN 'executed' THEN old.approved_at WHEN 'approved' THEN now() END;
  new.executed_at := CASE new.status WHEN 'executed' THEN now() END;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._keep_action() IS
  'BEFORE row trigger of fact_actions_queue: born pending, then approved or rejected, approved becomes executed, nothing else by any path; who and when; what was decided stays.';

-- ---- deciding ---------------------------------------------------------------------------------------------------

CREATE FUNCTION stratum._lock_action(
    wanted bigint, needed text, verb text,
    OUT action_type text, OUT entity_type text, OUT entity_id bigint, OUT payload jsonb)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_status text;
BEGIN
  SELECT q.action_type, q.entity_type, q.entity_id, q.payload, q.status
  INTO action_type, entity_type, entity_id, payload, found_status
  FROM stratum.fact_actions_queue q
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = wanted
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'action % does not exist', wanted USING ERRCODE = 'no_data_found';
  ELSIF found_status IS DISTINCT FROM needed THEN
    RAISE EXCEPTION 'action % is % and cannot be %', wanted, found_status, verb
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE WHEN found_status = 'pending' THEN format('Approve it first: SELECT stratum.approve_action(%s).', wanted)
                        WHEN needed = 'executed' THEN 'Only what was executed can be undone.'
                        WHEN found_status = 'approved' THEN 'It was approved already; it can only be executed.'
                        ELSE format('It was %s already; propose another one.', found_status) END;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._lock_action(bigint, text, text) IS
  'Locks an action of the current tenant, which must have the status needed; internal.';

CREATE FUNCTION stratum.approve_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM stratum._lock_action(approve_action.id, 'pending', 'approved');
  UPDATE stratum.fact_actions_queue q SET status = 'approved'
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = approve_action.id;
  RETURN 'approved';
END $$;
COMMENT ON FUNCTION stratum.approve_action(bigint) IS
  'Approves a pending action of the current tenant, as the current user; returns its new status.';

CREATE FUNCTION stratum.reject_action(id bigint, reason text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM stratum._lock_action(reject_action.id, 'pending', 'rejected');
  UPDATE stratum.fact_actions_queue q SET status = 'rejected', reason = coalesce(reject_action.reason, q.reason)
  WHERE q.tenant_id = stratum._acting_tenant() AND q.id = reject_action.id;
  RETURN 'rejected';
END $$;
COMMENT ON FUNCTION stratum.reject_action(bigint, text) IS
  'Rejects a pending action of the current tenant, as the current user; the reason, if there is one, takes the place of the proposal''s. Returns its new status.';

-- ---- doing ------------------------------------------------------------------------------------------------------

CREATE FUNCTION stratum._is_done_here(action_type text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT action_type = ANY ('{apply_label,pause_campaign,adjust_budget}'::text[]) $$;
COMMENT ON FUNCTION stratum._is_done_here(text) IS
  'Whether an action is done in the database; all others are a worker''s; internal.';

CREATE FUNCTION stratum._refuse_blocked(tenant bigint, id bigint, platform text, action_type text, payload jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  gate record;
BEGIN
  SELECT * INTO gate FROM stratum._ask_gate(tenant, platform, action_type, payload);
  IF gate.decision = 'block' THEN
    RAISE EXCEPTION 'the trust gate blocks action % (% on %)', id, gate.asked, platform
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('The latest health score is %s.', gate.health_score),
            HINT = 'Execute it when the signals are healthier; it stays approved.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_blocked(bigint, bigint, text, text, jsonb) IS
  'Raises for an action that the trust gate blocks now; internal to execute_action().';

CREATE FUNCTION stratum._change_of(id bigint, action_type text, payload jsonb, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  effect jsonb;
BEGIN
  PERFORM stratum._check_action(action_type, payload, '$');
  effect := stratum._action_effect(action_type, payload, state);
  IF effect ? 'problem' THEN
    RAISE EXCEPTION 'action % cannot be executed: %', id, effect ->> 'problem'
      USING ERRCODE = coalesce(effect ->> 'sqlstate', '55000');
  END IF;
  RETURN effect;
END $$;
COMMENT ON FUNCTION stratum._change_of(bigint, text, jsonb, jsonb) IS
  'What an approved action changes in a campaign; raises where it cannot be done; internal to execute_action().';

-- Locks the action, then the campaign, then what waits for workers: all functions do it in this order.
CREATE FUNCTION stratum.execute_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  action record;
  campaign record;
  change jsonb;
BEGIN
  SELECT * INTO action FROM stratum._lock_action(execute_action.id, 'approved', 'executed');
  SELECT * INTO campaign FROM stratum._campaign_state(tenant, CASE action.entity_type WHEN 'campaign' THEN action.entity_id END);
  IF campaign.state IS NULL AND action.entity_type = 'campaign' THEN
    RAISE EXCEPTION 'campaign % of action % does not exist', action.entity_id, id USING ERRCODE = 'no_data_found';
  ELSIF campaign.state IS NULL AND stratum._is_done_here(action.action_type) THEN
    RAISE EXCEPTION 'action % is about an entity of type "%", not a campaign', id, action.entity_type USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM stratum._refuse_blocked(tenant, id, coalesce(campaign.platform, stratum._payload_platform(action.payload)), action.action_type, action.payload);
  IF NOT stratum._is_done_here(action.action_type) THEN
    PERFORM stratum._hand_over(tenant, id);
    RETURN 'handed over';
  END IF;
  change := stratum._change_of(id, action.action_type, action.payload, campaign.state);
  PERFORM stratum._change_campaign(tenant, action.entity_id, change -> 'after');
  UPDATE stratum.fact_actions_queue q
  SET status = 'executed', payload = coalesce(nullif(q.payload, 'null'), '{}') || jsonb_build_object('outcome', change)
  WHERE q.tenant_id = tenant AND q.id = execute_action.id;
  RETURN 'executed';
END $$;
COMMENT ON FUNCTION stratum.execute_action(bigint) IS
  'Does an approved action of the current tenant, unless the trust gate blocks it: executed. What is not done in the database goes to a worker, NOTIFY stratum_actions with the id: handed over.';

CREATE FUNCTION stratum._payload_platform(payload jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT p FROM unnest(enum_range(NULL::stratum.ad_platform)::text[]) p WHERE p = payload ->> 'platform');
END $$;
COMMENT ON FUNCTION stratum._payload_platform(jsonb) IS
  'The platform that the payload of an action names, for what is not about a campaign; NULL where it names none; internal.';

CREATE FUNCTION stratum.undo_action(id bigint) RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  action record;
  state jsonb;
BEGIN
  SELECT a.*, a.payload -> 'outcome' -> 'before' AS before, a.payload -> 'outcome' -> 'after' AS after INTO action
  FROM stratum._lock_action(undo_action.id, 'executed', 'undone') a;
  IF action.payload #> '{outcome,undone}' IS NOT NULL THEN
    RAISE EXCEPTION 'action % is undone already', id USING ERRCODE = 'object_not_in_prerequisite_state';
  ELSIF action.before IS NULL OR action.after IS NULL OR NOT stratum._is_done_here(action.action_type) THEN
    RAISE EXCEPTION 'action % cannot be undone', id USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Only what execute_action() has changed in a campaign can be put back.';
  END IF;
  SELECT c.state INTO state FROM stratum._campaign_state(tenant, action.entity_id) c;
  IF state IS NULL THEN
    RAISE EXCEPTION 'campaign % of action % does not exist', action.entity_id, id USING ERRCODE = 'no_data_found';
  ELSIF NOT (SELECT coalesce(bool_and(state -> a.key = a.value), false) FROM jsonb_each(action.after) a) THEN
    RAISE EXCEPTION 'action % cannot be undone: campaign % has been changed since', id, action.entity_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It was left with %s.', action.after);
  END IF;
  PERFORM stratum._change_campaign(tenant, action.entity_id, action.before);
  UPDATE stratum.fact_actions_queue q
  SET payload = jsonb_set(q.payload, '{outcome,undone}', jsonb_build_object('at', now(), 'by', stratum._current_user_id()))
  WHERE q.tenant_id = tenant AND q.id = undo_action.id;
  RETURN 'undone';
END $$;
COMMENT ON FUNCTION stratum.undo_action(bigint) IS
  'Puts back what an executed action of the current tenant changed in a campaign, once, and only if nobody has changed it since.';
