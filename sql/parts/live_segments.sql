-- Segments whose memberships every write keeps current, and the history of memberships.
-- rights: set_segment_options, settle_segments, segment_size_history -> stratum_app, stratum_admin

CREATE FUNCTION stratum._note_profile() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_profile';
COMMENT ON FUNCTION stratum._note_profile() IS
  'AFTER row trigger of cdp_profiles: notes the profile; its live memberships are brought up to date at the end of the transaction.';

CREATE FUNCTION stratum._note_event() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_event';
COMMENT ON FUNCTION stratum._note_event() IS
  'AFTER row trigger of cdp_events: notes the profile, also the one that an event was moved away from.';

CREATE FUNCTION stratum._note_segment() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_segment';
COMMENT ON FUNCTION stratum._note_segment() IS
  'AFTER row trigger of cdp_segments: notes a segment that is new or whose definition, activity or slug has changed.';

CREATE FUNCTION stratum._note_options() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_note_options';
COMMENT ON FUNCTION stratum._note_options() IS
  'AFTER row trigger of cdp_segment_options: notes a segment whose options have changed.';

CREATE FUNCTION stratum._note_all(tenant bigint) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'stratum_note_all';
COMMENT ON FUNCTION stratum._note_all(bigint) IS
  'Notes that all live segments of a tenant may have other members; internal to _events_truncated().';

CREATE FUNCTION stratum._lock_live(tenant bigint) RETURNS void
  LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'stratum_lock_live';
COMMENT ON FUNCTION stratum._lock_live(bigint) IS
  'Until the end of the transaction no other one writes live memberships of the tenant; internal.';

CREATE FUNCTION stratum._events_truncated() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._note_all(t.tenant_id)
  FROM (SELECT DISTINCT o.tenant_id FROM stratum.cdp_segment_options o WHERE o.is_live) t;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION stratum._events_truncated() IS
  'AFTER TRUNCATE trigger of cdp_events: live segments of all tenants are brought up to date.';

CREATE FUNCTION stratum.settle_segments() RETURNS bigint
  LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_settle_segments';
COMMENT ON FUNCTION stratum.settle_segments() IS
  'Brings live memberships up to date with what the transaction has written so far, which otherwise happens when it commits; returns how many came and went.';

-- ---- options --------------------------------------------------------------------------------------

-- Against deletion: who deletes a profile is waited for here, and not where others would wait as well.
CREATE FUNCTION stratum._lock_members(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM
  FROM stratum.cdp_segment_memberships m
    JOIN stratum.cdp_profiles p ON p.tenant_id = m.tenant_id AND p.id = m.profile_id
  WHERE m.tenant_id = tenant AND m.segment_id = segment
  FOR KEY SHARE OF p;
END $$;
COMMENT ON FUNCTION stratum._lock_members(bigint, bigint) IS
  'Locks the members of a segment against deletion; internal to set_segment_options().';

-- The segment is locked, and if it is live nobody else writes its memberships. Where a history was kept before, it
-- ended when that was turned off.
CREATE FUNCTION stratum._begin_history(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.cdp_segment_history (tenant_id, segment_id, profile_id, entered_at)
  SELECT tenant, segment, x.profile_id, greatest(max(x.added_at), max(x.left_at))
  FROM (
    SELECT m.profile_id, m.added_at, NULL::timestamptz AS left_at FROM stratum.cdp_segment_memberships m
    WHERE m.tenant_id = tenant AND m.segment_id = segment
    UNION ALL
    SELECT h.profile_id, NULL, h.left_at FROM stratum.cdp_segment_history h
    WHERE h.tenant_id = tenant AND h.segment_id = segment
  ) x
  GROUP BY x.profile_id
  HAVING max(x.added_at) IS NOT NULL;
END $$;
COMMENT ON FUNCTION stratum._begin_history(bigint, bigint) IS
  'A stay for each present member of a segment; internal to set_segment_options().';

CREATE FUNCTION stratum._end_history(tenant bigint, segment bigint) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  UPDATE stratum.cdp_segment_history h
  SET left_at = greatest(clock_timestamp(), h.entered_at)
  WHERE h.tenant_id = tenant AND h.segment_id = segment AND h.left_at IS NULL;
END $$;
COMMENT ON FUNCTION stratum._end_history(bigint, bigint) IS
  'Ends the stays that last; internal to set_segment_options().';

CREATE FUNCTION stratum.set_segment_options(
    segment_id bigint, is_live boolean DEFAULT NULL, keeps_history boolean DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
<<run>>
DECLARE
  tenant bigint := stratum._acting_tenant();
  is_active boolean;
  before stratum.cdp_segment_options%ROWTYPE;
  wants_live boolean;
  wants_history boolean;
BEGIN
  -- Refreshes and others who come here wait.
  SELECT s.is_active INTO is_active FROM stratum.cdp_segments s
  WHERE s.tenant_id = tenant AND s.id = set_segment_options.segment_id
  FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  END IF;
  SELECT * INTO before FROM stratum.cdp_segment_options o
  WHERE o.tenant_id = tenant AND o.segment_id = set_segment_options.segment_id;
  before.is_live := coalesce(before.is_live, false);
  before.keeps_history := coalesce(before.keeps_history, false);
  wants_live := coalesce(set_segment_options.is_live, before.is_live);
  wants_history := coalesce(set_segment_options.keeps_history, before.keeps_history);

  -- What is live needs no wait for most of the work: what changes meanwhile is found when the transaction commits.
  IF wants_live AND NOT before.is_live AND is_active THEN
    PERFORM stratum._refresh(tenant, set_segment_options.segment_id);
  END IF;
  IF wants_history <> before.keeps_history THEN
    PERFORM stratum._lock_members(tenant, set_segment_options.segment_id);
    IF before.is_live THEN
      PERFORM stratum._lock_live(tenant);
    END IF;
    IF wants_history THEN
      PERFORM stratum._begin_history(tenant, set_segment_options.segment_id);
    ELSE
      PERFORM stratum._end_history(tenant, set_segment_options.segment_id);
    END IF;
  END IF;
  IF wants_live <> before.is_live OR wants_history <> before.keeps_history THEN
    INSERT INTO stratum.cdp_segment_options AS o (tenant_id, segment_id, is_live, keeps_history)
    VALUES (tenant, set_segment_options.segment_id, wants_live, wants_history)
    ON CONFLICT ON CONSTRAINT cdp_segment_options_pkey
    DO UPDATE SET is_live = EXCLUDED.is_live, keeps_history = EXCLUDED.keeps_history;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.set_segment_options(bigint, boolean, boolean) IS
  'Whether every write keeps the memberships of a segment current, and whether it keeps a history; NULL leaves it as it is. What becomes live is brought up to date.';

-- ---- history --------------------------------------------------------------------------------------

CREATE FUNCTION stratum.segment_size_history(
    segment_id bigint, since timestamptz, until timestamptz DEFAULT now(), step interval DEFAULT '1 day')
  RETURNS TABLE (at timestamptz, size bigint)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RETURN;
  END IF;
  PERFORM FROM stratum.cdp_segments s
  WHERE s.tenant_id = stratum.current_tenant_id() AND s.id = segment_size_history.segment_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'segment % does not exist', segment_id USING ERRCODE = 'no_data_found';
  ELSIF since IS NULL OR until IS NULL OR step IS NULL THEN
    RAISE EXCEPTION 'since, until and step must not be NULL' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT isfinite(since) OR NOT isfinite(until) OR step <= '0'::interval OR since + step <= since THEN
    RAISE EXCEPTION 'since and until must be finite, and step must go forward'
      USING ERRCODE = 'invalid_parameter_value';
  ELSIF since + step * 10000 < until THEN
    RAISE EXCEPTION 'from % to % are more than 10000 steps of %', since, until, step
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Take a longer step.';
  ELSIF NOT EXISTS (SELECT FROM stratum.cdp_segment_options o WHERE o.tenant_id = stratum.current_tenant_id()
                      AND o.segment_id = segment_size_history.segment_id AND o.keeps_history)
    AND NOT EXISTS (SELECT FROM stratum.cdp_segment_history h WHERE h.tenant_id = stratum.current_tenant_id()
                      AND h.segment_id = segment_size_history.segment_id) THEN
    RAISE EXCEPTION 'segment % keeps no history', segment_id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT stratum.set_segment_options(%s, keeps_history => true);', segment_id);
  END IF;
  -- Who enters at a time is counted there, who leaves is not any more.
  RETURN QUERY
    WITH changes AS (
      SELECT h.entered_at AS moment, 1 AS change, false AS is_step
      FROM stratum.cdp_segment_history h
      WHERE h.tenant_id = stratum.current_tenant_id() AND h.segment_id = segment_size_history.segment_id
      UNION ALL
      SELECT h.left_at, -1, false
      FROM stratum.cdp_segment_history h
      WHERE h.tenant_id = stratum.current_tenant_id() AND h.segment_id = segment_size_history.segment_id
        AND h.left_at IS NOT NULL
      UNION ALL
      SELECT s.moment, 0, true FROM generate_series(since, until, step) s (moment)
    ), sizes AS (
      SELECT c.moment, c.is_step, sum(c.change) OVER (ORDER BY c.moment, c.is_step ROWS UNBOUNDED PRECEDING) AS members
      FROM changes c
    )
    SELECT s.moment, s.members FROM sizes s WHERE s.is_step ORDER BY s.moment;
END $$;
COMMENT ON FUNCTION stratum.segment_size_history(bigint, timestamptz, timestamptz, interval) IS
  'How many profiles were in a segment that keeps a history, at each step from since to until.';
