-- Actions that workers do: handed over, claimed for a while, reported.
-- rights: claim_actions, complete_action, fail_action and the internal function that execute_action() calls -> stratum_app, stratum_admin

-- stratum_app may read action_deliveries, not write it: these are definer functions, and every statement names the tenant.
CREATE FUNCTION stratum._hand_over(tenant bigint, id bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.action_deliveries AS d (action_id, tenant_id)
  SELECT q.id, q.tenant_id
  FROM stratum.fact_actions_queue q
  WHERE q.tenant_id = _hand_over.tenant AND q.tenant_id = stratum.current_tenant_id() AND q.id = _hand_over.id AND q.status = 'approved'
  ON CONFLICT (tenant_id, action_id) DO UPDATE
    SET state = 'waiting', attempts = 0, worker = NULL, lease_until = NULL, available_at = now(), finished_at = NULL
    WHERE d.state = 'dead';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'action % has been handed over already', id USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'A worker has it or will claim it; stratum.action_deliveries says which.';
  END IF;
  PERFORM pg_notify('stratum_actions', id::text);
END $$;
COMMENT ON FUNCTION stratum._hand_over(bigint, bigint) IS
  'Lets workers claim an approved action of the current tenant, and one that was given up again; NOTIFY stratum_actions; internal to execute_action().';

CREATE FUNCTION stratum._check_claim(worker text, wanted integer, lease interval) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF worker IS NULL OR wanted IS NULL OR lease IS NULL THEN
    RAISE EXCEPTION 'no argument of claim_actions() may be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(worker) = '' OR length(worker) > 200 THEN
    RAISE EXCEPTION 'the name of the worker must be 1 to 200 characters long' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Each process needs a name of its own, for example of its host and its number.';
  ELSIF wanted NOT BETWEEN 1 AND 1000 THEN
    RAISE EXCEPTION '% actions cannot be claimed', wanted USING ERRCODE = 'invalid_parameter_value', HINT = 'Claim 1 to 1000.';
  ELSIF lease NOT BETWEEN interval '1 second' AND interval '1 day' THEN
    RAISE EXCEPTION 'a lease of % is not possible', lease USING ERRCODE = 'invalid_parameter_value', HINT = 'A lease is one second to one day long.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_claim(text, integer, interval) IS
  'Raises for arguments that mean nothing; internal to claim_actions().';

CREATE FUNCTION stratum._max_attempts(tenant bigint) RETURNS numeric
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT stratum._read_trust_settings(t.settings) ->> 'max_attempts' FROM stratum.tenants t WHERE t.id = tenant);
END $$;
COMMENT ON FUNCTION stratum._max_attempts(bigint) IS
  'How often workers may fail before an action of the tenant is given up; internal.';

-- A worker that died with the last attempt cannot report it.
CREATE FUNCTION stratum._give_up_expired(tenant bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.action_deliveries d
  SET state = 'dead', lease_until = NULL, finished_at = clock_timestamp(), last_error = 'the lease ran out'
  WHERE d.tenant_id = _give_up_expired.tenant AND d.action_id = ANY (ARRAY(
    SELECT e.action_id FROM stratum.action_deliveries e
    WHERE e.tenant_id = _give_up_expired.tenant AND e.state = 'claimed' AND e.lease_until <= clock_timestamp()
      AND e.attempts >= stratum._max_attempts(_give_up_expired.tenant)
    FOR NO KEY UPDATE SKIP LOCKED));
END $$;
COMMENT ON FUNCTION stratum._give_up_expired(bigint) IS
  'Gives up actions whose last attempt was never reported; internal to claim_actions().';

CREATE FUNCTION stratum.claim_actions(worker text, "limit" integer DEFAULT 10, lease interval DEFAULT '5 minutes')
  RETURNS TABLE (action_id bigint, action_type text, entity_type text, entity_id bigint, payload jsonb, attempt integer, lease_until timestamptz)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  PERFORM stratum._check_claim(worker, "limit", lease);
  PERFORM stratum._give_up_expired(tenant);
  RETURN QUERY
    WITH claimed AS (
      UPDATE stratum.action_deliveries d
      SET state = 'claimed', worker = claim_actions.worker, attempts = d.attempts + 1, lease_until = clock_timestamp() + lease
      WHERE d.tenant_id = tenant AND d.action_id = ANY (ARRAY(
        SELECT w.action_id
        FROM stratum.action_deliveries w JOIN stratum.fact_actions_queue q ON q.tenant_id = w.tenant_id AND q.id = w.action_id
        WHERE w.tenant_id = tenant AND q.status = 'approved'
          AND (w.state = 'waiting' AND w.available_at <= clock_timestamp() OR w.state = 'claimed' AND w.lease_until <= clock_timestamp())
        ORDER BY w.available_at, w.action_id
        LIMIT claim_actions."limit"
        FOR NO KEY UPDATE OF w SKIP LOCKED))
      RETURNING d.action_id, d.attempts, d.lease_until
    )
    SELECT c.action_id::bigint, q.action_type::text, q.entity_type::text, q.entity_id::bigint, q.payload, c.attempts, c.lease_until
    FROM claimed c JOIN stratum.fact_actions_queue q ON q.tenant_id = tenant AND q.id = c.action_id
    ORDER BY c.action_id;
END $$;
COMMENT ON FUNCTION stratum.claim_actions(text, integer, interval) IS
  'Takes actions of the current tenant that were handed over, for the time of the lease; no two workers get the same one. A lease that runs out frees the action for another attempt.';

CREATE FUNCTION stratum._lock_claim(tenant bigint, id bigint, worker text) RETURNS integer
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  claim record;
BEGIN
  PERFORM FROM stratum._lock_action(_lock_claim.id, 'approved', 'reported');
  SELECT d.state, d.worker, d.attempts INTO claim
  FROM stratum.action_deliveries d WHERE d.tenant_id = _lock_claim.tenant AND d.action_id = _lock_claim.id
  FOR NO KEY UPDATE;
  IF NOT FOUND OR claim.state <> 'claimed' OR claim.worker IS DISTINCT FROM _lock_claim.worker THEN
    RAISE EXCEPTION 'worker "%" has not claimed action %', left(worker, 64), id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN claim.state = 'claimed' THEN format('Worker "%s" has it.', claim.worker) ELSE format('It is %s.', coalesce(claim.state, 'not handed over')) END,
            HINT = 'The lease may have run out: what another worker does now is not this one''s to report.';
  END IF;
  RETURN claim.attempts;
END $$;
COMMENT ON FUNCTION stratum._lock_claim(bigint, bigint, text) IS
  'Locks an action that a worker has claimed; the number of its attempts; internal to complete_action() and fail_action().';

CREATE FUNCTION stratum.complete_action(id bigint, worker text) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
BEGIN
  PERFORM stratum._lock_claim(tenant, complete_action.id, complete_action.worker);
  UPDATE stratum.action_deliveries d SET state = 'done', lease_until = NULL, finished_at = clock_timestamp(), last_error = NULL
  WHERE d.tenant_id = tenant AND d.action_id = complete_action.id;
  UPDATE stratum.fact_actions_queue q SET status = 'executed' WHERE q.tenant_id = tenant AND q.id = complete_action.id;
  RETURN 'executed';
END $$;
COMMENT ON FUNCTION stratum.complete_action(bigint, text) IS
  'For a worker that has done an action which it claimed; the action is executed.';

CREATE FUNCTION stratum.fail_action(id bigint, worker text, error text DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant bigint := stratum._acting_tenant();
  tried integer := stratum._lock_claim(tenant, fail_action.id, fail_action.worker);
  given_up boolean := tried >= stratum._max_attempts(tenant);
BEGIN
  UPDATE stratum.action_deliveries d
  SET state = CASE WHEN given_up THEN 'dead' ELSE 'waiting' END, lease_until = NULL, last_error = left(error, 2000),
      -- 1, 2, 4, 8 ... minutes, at most an hour
      available_at = clock_timestamp() + least(60, 2 ^ least(tried - 1, 10)) * interval '1 minute',
      finished_at = CASE WHEN given_up THEN clock_timestamp() END
  WHERE d.tenant_id = tenant AND d.action_id = fail_action.id;
  RETURN CASE WHEN given_up THEN 'dead' ELSE 'waiting' END;
END $$;
COMMENT ON FUNCTION stratum.fail_action(bigint, text, text) IS
  'For a worker that could not do an action which it claimed: waiting, to be claimed again after a while, or dead after too many failures. execute_action() hands a dead one over again.';
