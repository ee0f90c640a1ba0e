--
-- A second interpreter of conditions about events, written from the documentation and from nothing
-- else, for definitions of nothing but such conditions. Slow and plain on purpose. Calls no function
-- of the extension. Needs oracle.sql, whose operators, times and numbers it uses.
--
-- events_oracle.matches(conditions, profile id, now)      an id that is not there: a profile without events
--
DROP SCHEMA IF EXISTS events_oracle CASCADE;
CREATE SCHEMA events_oracle;

CREATE FUNCTION events_oracle.days(n jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$ SELECT (n #>> '{}')::numeric * 86400000000 $$;

CREATE FUNCTION events_oracle.given(condition jsonb, key text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(condition -> key), 'null') <> 'null' $$;

-- What an operator says of a field.
CREATE FUNCTION events_oracle.holds(condition jsonb, field oracle.field_value, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	operator text := oracle.operator_name(condition ->> 'operator');
	missing boolean := field.json IS NULL AND field.at IS NULL;
BEGIN
	IF operator IN ('is_null', 'is_not_null') THEN
		RETURN missing = (operator = 'is_null');
	ELSIF missing THEN
		RETURN false;
	ELSIF field.at IS NOT NULL THEN
		RETURN oracle.time_condition(operator, field.at, condition -> 'value', now);
	END IF;
	RETURN oracle.json_condition(operator, field.json, condition -> 'value', now);
END $$;

-- and, or, not over n members of which so many are true.
CREATE FUNCTION events_oracle.joined(definition jsonb, n int, are_true int) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT n > 0 AND CASE oracle.fold(coalesce(definition ->> 'logic', 'and'))
		WHEN 'and' THEN are_true = n
		WHEN 'or' THEN are_true > 0
		WHEN 'not' THEN are_true = 0 END
$$;

-- The members of a group, conditions before groups.
CREATE FUNCTION events_oracle.members(definition jsonb, OUT member jsonb, OUT is_group boolean) RETURNS SETOF record
LANGUAGE sql IMMUTABLE AS $$
	SELECT c, false FROM jsonb_array_elements(nullif(definition -> 'conditions', 'null')) AS c
	UNION ALL
	SELECT g, true FROM jsonb_array_elements(nullif(definition -> 'groups', 'null')) AS g
$$;

-- ---- which events ---------------------------------------------------------------------------------

CREATE FUNCTION events_oracle.where_holds(definition jsonb, properties jsonb, context jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	n int := 0;
	are_true int := 0;
	m record;
	keys text[];
	field oracle.field_value;
	says boolean;
BEGIN
	FOR m IN SELECT * FROM events_oracle.members(definition) LOOP
		IF m.is_group THEN
			says := events_oracle.where_holds(m.member, properties, context, now);
		ELSE
			keys := oracle.keys_of(m.member -> 'field');
			field.json := oracle.dig(CASE keys[1] WHEN 'property' THEN properties WHEN 'context' THEN context END, keys[2:]);
			says := events_oracle.holds(m.member, field, now);
		END IF;
		n := n + 1;
		are_true := are_true + says::int;
	END LOOP;
	RETURN events_oracle.joined(definition, n, are_true);
END $$;

-- condition: a condition or a sequence with within_days, since, until
CREATE FUNCTION events_oracle.in_window(t timestamptz, condition jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	at numeric := oracle.instant(t);
BEGIN
	IF events_oracle.given(condition, 'within_days')
		AND NOT (at >= oracle.instant(now) - events_oracle.days(condition -> 'within_days') AND at <= oracle.instant(now)) THEN
		RETURN false;
	END IF;
	IF events_oracle.given(condition, 'since') AND NOT at >= oracle.parse_time(condition ->> 'since') THEN
		RETURN false;
	END IF;
	RETURN NOT events_oracle.given(condition, 'until') OR at < oracle.parse_time(condition ->> 'until');
END $$;

-- A profile's events of a name for which the where of a condition or step holds, whenever.
CREATE FUNCTION events_oracle.events_of(profile int, name text, condition jsonb, now timestamptz) RETURNS SETOF stratum.cdp_events
LANGUAGE sql STABLE AS $$
	SELECT e.* FROM stratum.cdp_profiles p JOIN stratum.cdp_events e ON e.profile_id = p.id AND e.tenant_id = p.tenant_id
	WHERE p.id = profile AND e.event_name = name
		AND (NOT events_oracle.given(condition, 'where') OR events_oracle.where_holds(condition -> 'where', e.properties, e.context, now))
$$;

-- ---- fields ---------------------------------------------------------------------------------------

CREATE FUNCTION events_oracle.number(v jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$ SELECT n FROM oracle.as_number(v) AS n WHERE abs(n) <= '1e1000'::numeric AND n = trunc(n, 1000) $$;

CREATE FUNCTION events_oracle.field(condition jsonb, profile int, now timestamptz) RETURNS oracle.field_value
LANGUAGE plpgsql STABLE AS $$
DECLARE
	keys text[] := oracle.keys_of(condition -> 'field');
	what text := keys[3];
	path text[] := keys[4:];
	result oracle.field_value;
	e stratum.cdp_events[];
	number numeric;
	first_ever timestamptz;
BEGIN
	IF keys[1] <> 'event' THEN
		RAISE EXCEPTION 'oracle: no event field %', keys;
	END IF;
	e := ARRAY(SELECT x FROM events_oracle.events_of(profile, keys[2], condition, now) AS x
		WHERE what = 'first_time' OR events_oracle.in_window(x.timestamp, condition, now));
	CASE what
		WHEN 'count' THEN
			result.json := to_jsonb(cardinality(e));
		WHEN 'exists' THEN
			result.json := to_jsonb(cardinality(e) > 0);
		WHEN 'first' THEN
			result.at := (SELECT min(oracle.instant(x.timestamp)) FROM unnest(e) AS x);
		WHEN 'last' THEN
			result.at := (SELECT max(oracle.instant(x.timestamp)) FROM unnest(e) AS x);
		WHEN 'property' THEN
			result.json := (SELECT oracle.dig(x.properties, path) FROM unnest(e) AS x ORDER BY x.timestamp DESC, x.id DESC LIMIT 1);
		WHEN 'sum', 'avg', 'min', 'max' THEN
			SELECT CASE what WHEN 'sum' THEN sum(n) WHEN 'avg' THEN avg(n) WHEN 'min' THEN min(n) ELSE max(n) END INTO number
			FROM (SELECT events_oracle.number(oracle.dig(x.properties, path)) AS n FROM unnest(e) AS x) AS numbers;
			result.json := to_jsonb(number);
		WHEN 'first_time' THEN
			first_ever := (SELECT min(x.timestamp) FROM unnest(e) AS x);
			result.json := to_jsonb(first_ever IS NOT NULL AND events_oracle.in_window(first_ever, condition, now));
	END CASE;
	RETURN result;
END $$;

-- ---- sequences ------------------------------------------------------------------------------------

CREATE TYPE events_oracle.moment AS (at numeric, id int);

-- Whether b comes after a, and not more than the step's within_days after it.
CREATE FUNCTION events_oracle.follows(b events_oracle.moment, a events_oracle.moment, step jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT (b.at > a.at OR (b.at = a.at AND b.id > a.id))
		AND (NOT events_oracle.given(step, 'within_days') OR b.at - a.at <= events_oracle.days(step -> 'within_days'))
$$;

CREATE FUNCTION events_oracle.sequence_happened(condition jsonb, profile int, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	step jsonb;
	candidates events_oracle.moment[];
	reached events_oracle.moment[];			-- events with which the steps so far can end
BEGIN
	FOR step IN SELECT jsonb_array_elements(condition -> 'sequence') LOOP
		candidates := ARRAY(SELECT (oracle.instant(x.timestamp), x.id)::events_oracle.moment
			FROM events_oracle.events_of(profile, step ->> 'event', step, now) AS x
			WHERE events_oracle.in_window(x.timestamp, condition, now));
		IF reached IS NULL THEN
			reached := candidates;
		ELSIF step -> 'then_not' = 'true' THEN
			reached := ARRAY(SELECT r FROM unnest(reached) AS r
				WHERE NOT EXISTS (SELECT FROM unnest(candidates) AS c WHERE events_oracle.follows(c, r, step)));
		ELSE
			reached := ARRAY(SELECT c FROM unnest(candidates) AS c
				WHERE EXISTS (SELECT FROM unnest(reached) AS r WHERE events_oracle.follows(c, r, step)));
		END IF;
	END LOOP;
	RETURN cardinality(reached) > 0;
END $$;

-- ---- definitions ----------------------------------------------------------------------------------

CREATE FUNCTION events_oracle.matches(conditions jsonb, profile int, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	n int := 0;
	are_true int := 0;
	m record;
	says boolean;
BEGIN
	FOR m IN SELECT * FROM events_oracle.members(conditions) LOOP
		IF m.is_group THEN
			says := events_oracle.matches(m.member, profile, now);
		ELSIF events_oracle.given(m.member, 'sequence') THEN
			says := events_oracle.sequence_happened(m.member, profile, now);
		ELSE
			says := events_oracle.holds(m.member, events_oracle.field(m.member, profile, now), now);
		END IF;
		n := n + 1;
		are_true := are_true + says::int;
	END LOOP;
	RETURN events_oracle.joined(conditions, n, are_true);
END $$;
