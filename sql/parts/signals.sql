-- Signal health, and whether it allows an action: the trust gate.
-- rights: signal_health_status, trust_gate and the internal functions that it calls as its caller -> stratum_app, stratum_admin
--   Trigger functions are definer functions: whoever may write the table need not be allowed to call what they call.

CREATE FUNCTION stratum.signal_health_status(score double precision) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF score NOT BETWEEN 0 AND 100 THEN
    RAISE EXCEPTION 'a health score of % is not possible', score
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Scores are 0 to 100.';
  END IF;
  RETURN CASE WHEN score >= 70 THEN 'healthy' WHEN score >= 40 THEN 'degraded' ELSE 'unhealthy' END;
END $$;
COMMENT ON FUNCTION stratum.signal_health_status(double precision) IS
  'healthy from 70, degraded from 40, else unhealthy; the score is 0 to 100.';

-- ---- what is filled in fact_signal_health_daily -----------------------------------------------------------------

CREATE FUNCTION stratum._mean_score(VARIADIC scores integer[]) RETURNS integer
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT round(avg(s))::integer FROM unnest(scores) s $$;
COMMENT ON FUNCTION stratum._mean_score(integer[]) IS
  'Mean of the scores that are not NULL, rounded half up; NULL where there is none; internal.';

CREATE FUNCTION stratum._keep_signal_health() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  mean integer := stratum._mean_score(new.data_freshness_score, new.completeness_score, new.accuracy_score);
BEGIN
  -- A score that was the mean follows its components; any other is the client's own.
  IF new.health_score IS NULL
     OR tg_op = 'UPDATE' AND new.health_score = old.health_score AND mean IS NOT NULL
        AND old.health_score = stratum._mean_score(old.data_freshness_score, old.completeness_score, old.accuracy_score) THEN
    new.health_score := mean;
  END IF;
  -- A score that is out of range, and a status that is none, the table's CHECKs refuse.
  IF new.health_score BETWEEN 0 AND 100 AND coalesce(new.status = ANY ('{healthy,degraded,unhealthy}'), true) THEN
    new.status := stratum.signal_health_status(new.health_score);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._keep_signal_health() IS
  'BEFORE row trigger of fact_signal_health_daily: a score that is left out is the mean of its components, the status is that of the score.';

-- ---- settings of a tenant ---------------------------------------------------------------------------------------

CREATE FUNCTION stratum._trust_settings()
  RETURNS TABLE (name text, fallback numeric, lowest numeric, highest numeric, meaning text)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('risky', 80::numeric, 0::numeric, 100::numeric, 'least score for risky actions'),
         ('cautious', 60, 0, 100, 'least score for cautious actions'),
         ('standard', 70, 0, 100, 'least score for all other actions'),
         ('block_below', 40, 0, 100, 'below this score actions are blocked, not held'),
         ('max_age_days', 2, 0, 30, 'age in days up to which a health score counts'),
         ('max_attempts', 5, 1, 100, 'number of failures after which workers give an action up');
$$;
COMMENT ON FUNCTION stratum._trust_settings() IS
  'Keys of tenants.settings -> trust, with what they are where not set and their bounds; internal.';

CREATE FUNCTION stratum._read_trust_settings(settings jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_object_agg(s.name, CASE
           WHEN jsonb_typeof(settings -> 'trust' -> s.name) = 'number'
             AND settings -> 'trust' -> s.name BETWEEN to_jsonb(s.lowest) AND to_jsonb(s.highest)
           THEN settings -> 'trust' -> s.name
           ELSE to_jsonb(s.fallback) END)
  FROM stratum._trust_settings() s
$$;
COMMENT ON FUNCTION stratum._read_trust_settings(jsonb) IS
  'Every trust setting of a tenant''s settings; the default for one that is missing or means nothing. Never raises; internal.';

CREATE FUNCTION stratum._check_trust_settings(settings jsonb) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  trust jsonb := nullif(settings -> 'trust', 'null');
  fault record;
BEGIN
  IF trust IS NULL OR jsonb_typeof(settings) <> 'object' THEN
    RETURN;
  ELSIF jsonb_typeof(trust) <> 'object' THEN
    RAISE EXCEPTION 'invalid setting at $.trust: it must be an object' USING ERRCODE = 'invalid_parameter_value',
      HINT = (SELECT 'Known there: ' || string_agg(s.name, ', ') || '.' FROM stratum._trust_settings() s);
  END IF;
  SELECT k.key, s.name, s.lowest, s.highest INTO fault
  FROM jsonb_each(trust) k LEFT JOIN stratum._trust_settings() s ON s.name = k.key
  WHERE s.name IS NULL
     OR k.value <> 'null' AND (jsonb_typeof(k.value) <> 'number'
                               OR NOT k.value BETWEEN to_jsonb(s.lowest) AND to_jsonb(s.highest))
  ORDER BY k.key LIMIT 1;
  IF FOUND AND fault.name IS NULL THEN
    RAISE EXCEPTION 'invalid setting at $.trust: unknown key "%"', left(fault.key, 64) USING ERRCODE = 'invalid_parameter_value',
      HINT = (SELECT 'Known there: ' || string_agg(s.name, ', ') || '.' FROM stratum._trust_settings() s);
  ELSIF FOUND THEN
    RAISE EXCEPTION 'invalid setting at $.trust.%: it must be a number from % to %', fault.key, fault.lowest, fault.highest
      USING ERRCODE = 'invalid_parameter_value',
            HINT = (SELECT format('This is the %s; without it: %s.', s.meaning, s.fallback) FROM stratum._trust_settings() s WHERE s.name = fault.key);
  END IF;
  trust := stratum._read_trust_settings(settings);
  SELECT t.key, t.value INTO fault
  FROM jsonb_each(trust) t WHERE t.key = ANY ('{risky,cautious,standard}') AND t.value < trust -> 'block_below' ORDER BY t.key LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'invalid setting at $.trust.block_below: it is above % (%)', fault.key, fault.value
      USING ERRCODE = 'invalid_parameter_value', HINT = 'What is blocked must not be allowed.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_trust_settings(jsonb) IS
  'Raises for trust settings that mean nothing: SQLSTATE 22023, the JSON path and what is allowed there; internal.';

CREATE FUNCTION stratum._check_tenant_settings() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF tg_op = 'INSERT' OR new.settings -> 'trust' IS DISTINCT FROM old.settings -> 'trust' THEN
    PERFORM stratum._check_trust_settings(new.settings);
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION stratum._check_tenant_settings() IS
  'BEFORE row trigger of tenants: trust settings that mean nothing are refused.';

-- ---- the gate ---------------------------------------------------------------------------------------------------

CREATE FUNCTION stratum._trust(
    tenant bigint, platform text, action_type text, OUT decision text, OUT health_score integer, OUT threshold numeric)
  RETURNS record
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
<<gate>>
DECLARE
  settings jsonb;
  today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
  IF action_type = ANY ('{pause_all,emergency_stop}') THEN
    decision := 'pass';
    RETURN;
  END IF;
  SELECT stratum._read_trust_settings(t.settings) INTO gate.settings FROM stratum.tenants t WHERE t.id = _trust.tenant;
  threshold := settings ->> CASE
    WHEN action_type = ANY ('{increase_budget,increase_bid,expand_targeting,launch_new_campaigns}') THEN 'risky'
    WHEN action_type = ANY ('{reduce_budget,reduce_bid,pause_underperforming}') THEN 'cautious'
    ELSE 'standard' END;
  -- The day of a client east of Greenwich may be tomorrow; what is dated later is a slip and must not hold the gate open.
  SELECT h.health_score INTO _trust.health_score
  FROM stratum.fact_signal_health_daily h
  WHERE h.tenant_id = _trust.tenant AND h.platform = _trust.platform::stratum.ad_platform
    AND h.date BETWEEN today - ceil((settings ->> 'max_age_days')::numeric)::integer AND today + 1
  ORDER BY h.date DESC LIMIT 1;
  decision := CASE
    WHEN health_score >= threshold THEN 'pass'
    WHEN health_score < (settings ->> 'block_below')::numeric THEN 'block'
    ELSE 'hold' END;
END $$;
COMMENT ON FUNCTION stratum._trust(bigint, text, text) IS
  'What the gate says to an action of a tenant, from which health score and threshold; internal.';

CREATE FUNCTION stratum._check_platform(platform text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF platform IS NULL THEN
    RAISE EXCEPTION 'the platform must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF platform <> ALL (enum_range(NULL::stratum.ad_platform)::text[]) THEN
    RAISE EXCEPTION 'unknown platform "%"', left(platform, 64)
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Platforms: ' || array_to_string(enum_range(NULL::stratum.ad_platform)::text[], ', ') || '.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_platform(text) IS 'Raises for what is no ad platform; internal.';

CREATE FUNCTION stratum.trust_gate(platform text, action_type text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_platform(platform);
  IF action_type IS NULL THEN
    RAISE EXCEPTION 'the type of the action must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN (SELECT g.decision FROM stratum._trust(stratum.current_tenant_id(), trust_gate.platform, trust_gate.action_type) g);
END $$;
COMMENT ON FUNCTION stratum.trust_gate(text, text) IS
  'Whether the current tenant''s signal health at a platform allows an action: pass, hold or block; hold where no recent health is known.';
