-- What a rule may do: its actions, checked, and what each of them changes in a campaign.
-- rights: validate_actions and the internal functions that others call as their caller -> stratum_app, stratum_admin

-- ---- what means something ---------------------------------------------------------------------------------------

CREATE FUNCTION stratum._refuse_action(place text, fault text, hint text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'invalid action at %: %', place, fault USING ERRCODE = 'invalid_parameter_value', HINT = hint;
END $$;
COMMENT ON FUNCTION stratum._refuse_action(text, text, text) IS
  'Raises for an action that means nothing: SQLSTATE 22023, the JSON path and what is allowed there; internal.';

-- Whoever works on a message knows what else it needs; the other actions are done here and take nothing else.
CREATE FUNCTION stratum._check_action_keys(action_type text, action jsonb, place text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  allowed text[] := CASE action_type WHEN 'apply_label' THEN '{label}' WHEN 'adjust_budget' THEN '{percent}'
                                     WHEN 'pause_campaign' THEN '{}' END::text[] || '{type,cooldown_hours}'::text[];
  strange text;
BEGIN
  SELECT k INTO strange FROM jsonb_object_keys(action) k
  WHERE k <> ALL (allowed) OR k = ANY ('{rule_id,outcome}') ORDER BY k LIMIT 1;
  IF strange = ANY ('{rule_id,outcome}') THEN
    PERFORM stratum._refuse_action(place, format('key "%s" is reserved', strange), 'stratum writes it into the queue.');
  ELSIF strange IS NOT NULL THEN
    PERFORM stratum._refuse_action(place, format('unknown key "%s"', left(strange, 64)),
      format('Keys of %s: %s.', action_type, array_to_string(allowed, ', ')));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_action_keys(text, jsonb, text) IS
  'Raises for keys that an action of that type does not know; internal to _check_action().';

-- Also for the payload of a queued action, which whoever may write the table can put there.
CREATE FUNCTION stratum._check_action(action_type text, action jsonb, place text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF action_type = 'apply_label' THEN
    IF jsonb_typeof(action -> 'label') IS DISTINCT FROM 'string' OR btrim(action ->> 'label') = '' OR length(action ->> 'label') > 255 THEN
      PERFORM stratum._refuse_action(place || '.label', 'the label must be a string that is not blank, of at most 255 characters',
        'For example {"type": "apply_label", "label": "needs review"}.');
    END IF;
  ELSIF action_type = 'adjust_budget' THEN
    IF jsonb_typeof(action -> 'percent') IS DISTINCT FROM 'number' THEN
      PERFORM stratum._refuse_action(place || '.percent', 'the per cent must be a number',
        'For example {"type": "adjust_budget", "percent": -20}: a fifth less.');
    ELSIF (action -> 'percent') = '0' OR (action -> 'percent') NOT BETWEEN '-100' AND '1000' THEN
      PERFORM stratum._refuse_action(place || '.percent', format('%s per cent is out of range', left(action ->> 'percent', 20)),
        'Allowed: -100 to 1000, but for 0.');
    END IF;
  ELSIF action_type = 'pause_campaign' AND jsonb_typeof(action) <> ALL ('{object,"null"}') THEN
    PERFORM stratum._refuse_action(place, 'it must be an object', 'It may be empty: {}.');
  ELSIF action_type = ANY ('{send_alert,notify_slack,notify_whatsapp}') THEN
    IF jsonb_typeof(action -> 'message') <> ALL ('{string,"null"}') THEN
      PERFORM stratum._refuse_action(place || '.message', 'the message must be a string', 'It may be left out.');
    ELSIF length(action::text) > 8000 THEN
      PERFORM stratum._refuse_action(place, 'it is longer than 8000 characters', 'Leave to the worker what it can look up.');
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_action(text, jsonb, text) IS
  'Raises unless the action has what its type needs; types that are done elsewhere are not looked at; internal.';

CREATE FUNCTION stratum._check_rule_action(action jsonb, place text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known constant text[] := enum_range(NULL::stratum.rule_action)::text[];
BEGIN
  IF jsonb_typeof(action) <> 'object' THEN
    PERFORM stratum._refuse_action(place, 'an action must be an object', 'For example {"type": "pause_campaign"}.');
  ELSIF jsonb_typeof(action -> 'type') IS DISTINCT FROM 'string' OR action ->> 'type' <> ALL (known) THEN
    PERFORM stratum._refuse_action(place || '.type',
      CASE WHEN action ->> 'type' IS NULL THEN 'the type is missing' ELSE format('unknown action %s', left(action ->> 'type', 64)) END,
      'Actions: ' || array_to_string(known, ', ') || '.');
  END IF;
  IF action ->> 'type' <> ALL ('{send_alert,notify_slack,notify_whatsapp}') OR action ?| '{rule_id,outcome}' THEN
    PERFORM stratum._check_action_keys(action ->> 'type', action, place);
  END IF;
  PERFORM stratum._check_action(action ->> 'type', action, place);
  IF action -> 'cooldown_hours' <> 'null' AND (jsonb_typeof(action -> 'cooldown_hours') <> 'number'
       OR NOT action -> 'cooldown_hours' BETWEEN '0' AND '87600') THEN
    PERFORM stratum._refuse_action(place || '.cooldown_hours', 'the cooldown must be a number of hours from 0 to 87600',
      'So long the rule does not propose the action for the same campaign again.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_rule_action(jsonb, text) IS
  'Raises for an action of a rule that means nothing; internal to validate_actions().';

CREATE FUNCTION stratum.validate_actions(actions jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF actions IS NULL OR actions = 'null' THEN
    RETURN;
  ELSIF jsonb_typeof(actions) <> 'array' THEN
    PERFORM stratum._refuse_action('$', 'the actions must be an array', 'For example [{"type": "pause_campaign"}].');
  ELSIF jsonb_array_length(actions) > 100 THEN
    PERFORM stratum._refuse_action('$', 'there are more than 100', 'A rule does a few things; make several rules.');
  END IF;
  PERFORM stratum._check_rule_action(a.action, format('$[%s]', a.n - 1))
  FROM jsonb_array_elements(actions) WITH ORDINALITY a (action, n);
END $$;
COMMENT ON FUNCTION stratum.validate_actions(jsonb) IS
  'Raises if the actions of a rule cannot mean anything: SQLSTATE 22023, the JSON path of the fault, and what is allowed there.';

CREATE FUNCTION stratum._rule_actions(actions jsonb)
  RETURNS TABLE (n bigint, action_type text, payload jsonb, cooldown interval)
  LANGUAGE sql IMMUTABLE ROWS 3 SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(a.n), a.action ->> 'type', a.action - '{type,cooldown_hours}'::text[],
         max((a.action ->> 'cooldown_hours')::double precision) * interval '1 hour'
  FROM jsonb_array_elements(CASE jsonb_typeof(actions) WHEN 'array' THEN actions ELSE '[]' END) WITH ORDINALITY a (action, n)
  GROUP BY 2, 3
$$;
COMMENT ON FUNCTION stratum._rule_actions(jsonb) IS
  'The actions of a rule, one that is there twice once; internal.';

-- ---- what the gate is asked -------------------------------------------------------------------------------------

CREATE FUNCTION stratum._gate_action(action_type text, payload jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN action_type = ANY ('{apply_label,send_alert,notify_slack,notify_whatsapp}') THEN NULL
    WHEN action_type = 'pause_campaign' THEN 'pause_underperforming'
    WHEN action_type = 'adjust_budget' THEN
      CASE WHEN jsonb_typeof(payload -> 'percent') = 'number' AND payload -> 'percent' < '0' THEN 'reduce_budget' ELSE 'increase_budget' END
    ELSE action_type END
$$;
COMMENT ON FUNCTION stratum._gate_action(text, jsonb) IS
  'The name under which an action is put to the trust gate; NULL for labels and messages, which are not; internal.';

CREATE FUNCTION stratum._ask_gate(
    tenant bigint, platform text, action_type text, payload jsonb,
    OUT decision text, OUT asked text, OUT health_score integer, OUT threshold numeric)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  asked := stratum._gate_action(action_type, payload);
  IF asked IS NULL THEN
    decision := 'pass';
  ELSE
    SELECT t.decision, t.health_score, t.threshold INTO decision, health_score, threshold
    FROM stratum._trust(tenant, platform, asked) t;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._ask_gate(bigint, text, text, jsonb) IS
  'What the trust gate says to an action as the queue has it; internal.';

-- ---- what an action changes -------------------------------------------------------------------------------------

CREATE FUNCTION stratum._campaign_state(tenant bigint, campaign bigint, OUT platform text, OUT state jsonb)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT c.platform::text, jsonb_build_object('status', c.status, 'labels', c.labels,
           'daily_budget_cents', c.daily_budget_cents, 'lifetime_budget_cents', c.lifetime_budget_cents)
  INTO platform, state
  FROM stratum.campaigns c
  WHERE c.tenant_id = _campaign_state.tenant AND c.id = _campaign_state.campaign AND c.is_deleted IS NOT TRUE
  FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION stratum._campaign_state(bigint, bigint) IS
  'Locks a campaign; what actions may change in it, and its platform; NULL where there is none; internal.';

CREATE FUNCTION stratum._budget_effect(percent numeric, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  budget text;
  cents numeric;
  before jsonb := '{}';
  after jsonb := '{}';
BEGIN
  FOREACH budget IN ARRAY '{daily_budget_cents,lifetime_budget_cents}'::text[] LOOP
    cents := state ->> budget;
    CONTINUE WHEN cents IS NULL;
    before := before || jsonb_build_object(budget, cents);
    cents := greatest(0, round(cents * (100 + percent) / 100));
    IF cents > 2147483647 THEN
      RETURN '{"problem": "the budget would be larger than 2147483647 cents", "sqlstate": "22003"}';
    END IF;
    after := after || jsonb_build_object(budget, cents);
  END LOOP;
  IF before = '{}' THEN
    RETURN '{"problem": "the campaign has no budget"}';
  END IF;
  RETURN jsonb_build_object('before', before, 'after', after);
END $$;
COMMENT ON FUNCTION stratum._budget_effect(numeric, jsonb) IS
  'Both budgets of a campaign, those that it has, so many per cent higher, to the cent; internal to _action_effect().';

CREATE FUNCTION stratum._action_effect(action_type text, payload jsonb, state jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  labels jsonb := coalesce(nullif(state -> 'labels', 'null'), '[]');
BEGIN
  CASE action_type
    WHEN 'apply_label' THEN
      IF jsonb_typeof(labels) <> 'array' THEN
        RETURN '{"problem": "the labels of the campaign are no array"}';
      END IF;
      RETURN jsonb_build_object(
        'before', jsonb_build_object('labels', state -> 'labels'),
        'after', jsonb_build_object('labels', CASE WHEN labels ? (payload ->> 'label') THEN state -> 'labels' ELSE labels || (payload -> 'label') END));
    WHEN 'pause_campaign' THEN
      IF state ->> 'status' = ANY ('{completed,archived}') THEN
        RETURN jsonb_build_object('problem', format('the campaign is %s', state ->> 'status'));
      END IF;
      RETURN jsonb_build_object('before', jsonb_build_object('status', state -> 'status'), 'after', '{"status": "paused"}'::jsonb);
    WHEN 'adjust_budget' THEN
      RETURN stratum._budget_effect((payload ->> 'percent')::numeric, state);
    ELSE
      -- a worker's
      RETURN '{}';
  END CASE;
END $$;
COMMENT ON FUNCTION stratum._action_effect(text, jsonb, jsonb) IS
  'What an action changes in a campaign: {"before", "after"}, or {"problem"} where it cannot be done, or nothing for what a worker does; internal.';

CREATE FUNCTION stratum._change_campaign(tenant bigint, campaign bigint, change jsonb) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.campaigns c
  SET labels = CASE WHEN change ? 'labels' THEN nullif(change -> 'labels', 'null') ELSE c.labels END,
      status = CASE WHEN change ? 'status' THEN (change ->> 'status')::stratum.campaign_status ELSE c.status END,
      daily_budget_cents = CASE WHEN change ? 'daily_budget_cents' THEN (change ->> 'daily_budget_cents')::integer ELSE c.daily_budget_cents END,
      lifetime_budget_cents = CASE WHEN change ? 'lifetime_budget_cents' THEN (change ->> 'lifetime_budget_cents')::integer ELSE c.lifetime_budget_cents END
  WHERE c.tenant_id = _change_campaign.tenant AND c.id = _change_campaign.campaign;
END $$;
COMMENT ON FUNCTION stratum._change_campaign(bigint, bigint, jsonb) IS
  'Writes what an action changes into a campaign; internal to execute_action() and undo_action().';
