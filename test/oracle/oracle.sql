--
-- A second interpreter of the condition language, written from its documentation and from
-- nothing else. It is slow and plain on purpose: the property test compares the library with it.
-- It calls no function of the extension; it reads stratum.cdp_events and the catalog.
--
-- oracle.matches(conditions, profile, now)            profile = to_jsonb(row of cdp_profiles)
-- oracle.matches_traits(conditions, traits, now)      traits alone
-- oracle.campaign_matches(conditions, campaign, now)  campaign = to_jsonb(row of campaigns)
--
DROP SCHEMA IF EXISTS oracle CASCADE;
CREATE SCHEMA oracle;

-- ---- times --------------------------------------------------------------------------------------

-- Instants are numbers: microseconds since 1970-01-01T00:00:00Z.
CREATE FUNCTION oracle.instant(t timestamptz) RETURNS numeric
LANGUAGE sql STABLE AS $$ SELECT extract(epoch FROM t) * 1000000 $$;

-- An ISO 8601 time in the extended form, a date being its midnight and UTC where no zone is given;
-- NULL for any other text.
CREATE FUNCTION oracle.parse_time(s text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	p text[] := regexp_match(s,
		'^([0-9]{4})-([0-9]{2})-([0-9]{2})'
		'(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?'
		'(?:([Zz])|([-+])([0-9]{2})(?::?([0-9]{2}))?)?)?$');
	year int;
	month int;
	day int;
	hour int;
	minute int;
	second int;
	fraction numeric;		-- of a second
	zone_minutes int;
	days_in_month int;
	days int;
BEGIN
	IF p IS NULL THEN
		RETURN NULL;
	END IF;
	year := p[1]::int;
	month := p[2]::int;
	day := p[3]::int;
	hour := coalesce(p[4]::int, 0);
	minute := coalesce(p[5]::int, 0);
	second := coalesce(p[6]::int, 0);
	fraction := coalesce(('0' || p[7])::numeric, 0);
	IF year = 0 OR month NOT BETWEEN 1 AND 12 THEN
		RETURN NULL;
	END IF;
	days_in_month := CASE
		WHEN month IN (4, 6, 9, 11) THEN 30
		WHEN month <> 2 THEN 31
		WHEN year % 4 = 0 AND (year % 100 <> 0 OR year % 400 = 0) THEN 29
		ELSE 28 END;
	IF day NOT BETWEEN 1 AND days_in_month OR minute > 59 OR second > 60 THEN
		RETURN NULL;
	END IF;
	IF hour > 24 OR (hour = 24 AND (minute > 0 OR second > 0 OR fraction > 0)) THEN
		RETURN NULL;
	END IF;
	zone_minutes := 0;
	IF p[9] IS NOT NULL THEN
		IF p[10]::int > 15 OR coalesce(p[11]::int, 0) > 59 THEN
			RETURN NULL;
		END IF;
		zone_minutes := p[10]::int * 60 + coalesce(p[11]::int, 0);
		IF p[9] = '-' THEN
			zone_minutes := -zone_minutes;
		END IF;
	END IF;
	days := make_date(year, month, day) - make_date(1970, 1, 1);
	RETURN (days::numeric * 86400 + hour * 3600 + (minute - zone_minutes) * 60 + second) * 1000000
		+ round(fraction * 1000000);
END $$;

-- ---- numbers ------------------------------------------------------------------------------------

-- A JSON number, or a string that is one of at most 1,000 digits and an exponent within 1,000.
CREATE FUNCTION oracle.as_number(v jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	s text := v #>> '{}';
	p text[];
BEGIN
	IF jsonb_typeof(v) = 'number' THEN
		RETURN s::numeric;
	END IF;
	IF jsonb_typeof(v) <> 'string' THEN
		RETURN NULL;
	END IF;
	p := regexp_match(s, '^(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)(?:[eE]([-+]?[0-9]+))?$');
	IF p IS NULL THEN
		RETURN NULL;
	END IF;
	IF length(regexp_replace(p[1], '[^0-9]', '', 'g')) > 1000 THEN
		RETURN NULL;
	END IF;
	IF abs(coalesce(p[2]::numeric, 0)) > 1000 THEN
		RETURN NULL;
	END IF;
	RETURN s::numeric;
END $$;

-- ---- text ---------------------------------------------------------------------------------------

-- A-Z becomes a-z, everything else stays.
CREATE FUNCTION oracle.fold(s text) RETURNS text
LANGUAGE sql IMMUTABLE AS
$$ SELECT translate(s, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') $$;

-- ---- fields -------------------------------------------------------------------------------------

CREATE TYPE oracle.field_value AS (
	json jsonb,			-- NULL where the field is missing or JSON null
	at numeric			-- set instead where the field is a time by its type
);

-- Steps from key to key through objects; NULL where there is no such key or it holds JSON null.
CREATE FUNCTION oracle.dig(root jsonb, keys text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	here jsonb := root;
	key text;
BEGIN
	FOREACH key IN ARRAY keys LOOP
		IF here IS NULL OR jsonb_typeof(here) <> 'object' THEN
			RETURN NULL;
		END IF;
		here := here -> key;
	END LOOP;
	IF jsonb_typeof(here) = 'null' THEN
		RETURN NULL;
	END IF;
	RETURN here;
END $$;

-- A column, read by its type. table_name: cdp_profiles or campaigns.
CREATE FUNCTION oracle.column_value(source jsonb, table_name text, column_name text) RETURNS oracle.field_value
LANGUAGE plpgsql STABLE AS $$
DECLARE
	type text;
	raw text := source ->> column_name;
	result oracle.field_value;
BEGIN
	SELECT format_type(a.atttypid, NULL) INTO type
	FROM pg_attribute a
	WHERE a.attrelid = ('stratum.' || table_name)::regclass AND a.attname = column_name AND a.attnum > 0
		AND NOT a.attisdropped;
	IF type IS NULL THEN
		RAISE EXCEPTION 'oracle: % has no column %', table_name, column_name;
	END IF;
	IF raw IS NULL THEN
		RETURN result;
	END IF;
	IF type = 'timestamp with time zone' THEN
		result.at := oracle.instant(raw::timestamptz);
	ELSIF type IN ('date', 'timestamp without time zone') THEN
		result.at := oracle.instant(raw::timestamp AT TIME ZONE 'UTC');
	ELSE
		result.json := source -> column_name;
	END IF;
	RETURN result;
END $$;

-- keys: event, name, what, further keys
CREATE FUNCTION oracle.event_value(profile jsonb, keys text[], within_days numeric, now timestamptz)
RETURNS oracle.field_value
LANGUAGE plpgsql STABLE AS $$
DECLARE
	n bigint;
	first_at timestamptz;
	last_at timestamptz;
	latest jsonb;
	result oracle.field_value;
BEGIN
	SELECT count(*), min(e.timestamp), max(e.timestamp),
		(array_agg(e.properties ORDER BY e.timestamp DESC, e.id DESC))[1]
	INTO n, first_at, last_at, latest
	FROM stratum.cdp_events e
	WHERE e.profile_id = (profile ->> 'id')::bigint
		AND e.tenant_id = (profile ->> 'tenant_id')::bigint
		AND e.event_name = keys[2]
		AND (within_days IS NULL
			OR oracle.instant(e.timestamp) BETWEEN oracle.instant(now) - within_days * 86400000000 AND oracle.instant(now));

	IF keys[3] = 'count' THEN
		result.json := to_jsonb(n);
	ELSIF keys[3] = 'exists' THEN
		result.json := to_jsonb(n > 0);
	ELSIF keys[3] = 'first' THEN
		result.at := oracle.instant(first_at);
	ELSIF keys[3] = 'last' THEN
		result.at := oracle.instant(last_at);
	ELSIF keys[3] = 'property' THEN
		result.json := oracle.dig(latest, keys[4:]);
	ELSE
		RAISE EXCEPTION 'oracle: no event field %', keys;
	END IF;
	RETURN result;
END $$;

CREATE FUNCTION oracle.profile_value(profile jsonb, keys text[], within_days numeric, now timestamptz)
RETURNS oracle.field_value
LANGUAGE plpgsql STABLE AS $$
DECLARE
	result oracle.field_value;
BEGIN
	IF keys[1] = 'trait' THEN
		result.json := oracle.dig(profile -> 'traits', keys[2:]);
	ELSIF keys[1] = 'computed' THEN
		result.json := oracle.dig(profile -> 'computed_traits', keys[2:]);
	ELSIF keys[1] = 'consent' THEN
		result.json := oracle.dig(profile -> 'consent', keys[2:]);
	ELSIF keys[1] = 'identifier' THEN
		IF profile ? keys[2] THEN			-- traits alone have none
			result.json := to_jsonb(coalesce(profile ->> keys[2], '') <> '');
		END IF;
	ELSIF keys[1] = 'profile' THEN
		result := oracle.column_value(profile, 'cdp_profiles', keys[2]);
	ELSIF keys[1] = 'event' THEN
		result := oracle.event_value(profile, keys, within_days, now);
	ELSE
		RAISE EXCEPTION 'oracle: no field %', keys;
	END IF;
	RETURN result;
END $$;

CREATE FUNCTION oracle.campaign_value(campaign jsonb, keys text[]) RETURNS oracle.field_value
LANGUAGE plpgsql STABLE AS $$
DECLARE
	name text := CASE WHEN keys[1] = 'campaign' THEN keys[2] ELSE keys[1] END;
	result oracle.field_value;
BEGIN
	IF name = 'spend' THEN
		result.json := to_jsonb((campaign ->> 'total_spend_cents')::numeric / 100);
	ELSIF name = 'revenue' THEN
		result.json := to_jsonb((campaign ->> 'revenue_cents')::numeric / 100);
	ELSIF name IN ('cpc', 'cpm', 'cpa') THEN
		result.json := to_jsonb((campaign ->> (name || '_cents'))::numeric / 100);
	ELSIF name = 'conversion_rate' THEN
		result.json := to_jsonb((campaign ->> 'conversions')::numeric * 100
			/ nullif((campaign ->> 'clicks')::numeric, 0));
	ELSE
		result := oracle.column_value(campaign, 'campaigns', name);
	END IF;
	RETURN result;
END $$;

-- ---- operators ----------------------------------------------------------------------------------

CREATE FUNCTION oracle.operator_name(operator text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE oracle.fold(operator)
		WHEN 'gte' THEN 'greater_or_equal'
		WHEN 'lte' THEN 'less_or_equal'
		ELSE oracle.fold(operator) END
$$;

-- A number or time against the operand(s) of an ordering operator; false where one is NULL.
CREATE FUNCTION oracle.ordered(operator text, x numeric, a numeric, b numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(CASE operator
		WHEN 'greater_than' THEN x > a
		WHEN 'less_than' THEN x < a
		WHEN 'greater_or_equal' THEN x >= a
		WHEN 'less_or_equal' THEN x <= a
		WHEN 'before' THEN x < a
		WHEN 'after' THEN x > a
		WHEN 'between' THEN a <= x AND x <= b
		END, false)
$$;

-- Whether the month and day of an instant, 29 February being 1 March, are those of a day among so many
-- from the day of "now" on, all in UTC.
CREATE FUNCTION oracle.anniversary(x numeric, days numeric, now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (
		SELECT FROM generate_series(0, floor(days)::int) AS k
		WHERE to_char((now AT TIME ZONE 'UTC')::date + k, 'MM-DD') = (
			SELECT CASE md WHEN '02-29' THEN '03-01' ELSE md END
			FROM to_char(make_date(1970, 1, 1) + floor(x / 86400000000)::int, 'MM-DD') AS md))
$$;

-- Whether a text is in the sample of so many per cent.
CREATE FUNCTION oracle.sampled(s text, per_cent numeric) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT 100 * sum(get_byte(h, i) * 256::numeric ^ (7 - i)) < per_cent * 2::numeric ^ 64
	FROM sha256(convert_to(s, getdatabaseencoding())) AS h, generate_series(0, 7) AS i
$$;

-- before, after, within_last and the like, which are about times wherever they stand
CREATE FUNCTION oracle.timed(operator text, x numeric, value jsonb, now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN x IS NULL THEN false
		WHEN operator = 'within_last' THEN
			oracle.ordered('between', x,
				oracle.instant(now) - oracle.as_number(value) * 86400000000, oracle.instant(now))
		WHEN operator = 'not_within_last' THEN
			NOT oracle.timed('within_last', x, value, now)
		WHEN operator = 'within_next' THEN
			oracle.ordered('between', x,
				oracle.instant(now), oracle.instant(now) + oracle.as_number(value) * 86400000000)
		WHEN operator = 'anniversary_within' THEN
			oracle.anniversary(x, oracle.as_number(value), now)
		ELSE oracle.ordered(operator, x, oracle.parse_time(value #>> '{}'), NULL)
		END
$$;

-- A field that is a time by its type. Text and array operators do not fit it.
CREATE FUNCTION oracle.time_condition(operator text, x numeric, value jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	equal boolean;
BEGIN
	CASE operator
		WHEN 'equals', 'not_equals' THEN
			equal := coalesce(jsonb_typeof(value) = 'string' AND x = oracle.parse_time(value #>> '{}'), false);
			RETURN equal = (operator = 'equals');
		WHEN 'in', 'not_in' THEN
			equal := EXISTS (SELECT FROM jsonb_array_elements(value) AS _e(e)
				WHERE jsonb_typeof(e) = 'string' AND x = oracle.parse_time(e #>> '{}'));
			RETURN equal = (operator = 'in');
		WHEN 'between' THEN
			RETURN oracle.ordered(operator, x, oracle.parse_time(value ->> 0), oracle.parse_time(value ->> 1));
		WHEN 'greater_than', 'less_than', 'greater_or_equal', 'less_or_equal' THEN
			RETURN oracle.ordered(operator, x, oracle.parse_time(value #>> '{}'), NULL);
		WHEN 'before', 'after', 'within_last', 'not_within_last', 'within_next', 'anniversary_within' THEN
			RETURN oracle.timed(operator, x, value, now);
		WHEN 'in_sample' THEN		-- microseconds since 2000
			RETURN oracle.sampled(trim_scale(x - 946684800000000)::text, oracle.as_number(value));
		ELSE
			RETURN false;
	END CASE;
END $$;

-- contains: part of a text, or an element of an array; NULL where it fits neither
CREATE FUNCTION oracle.holds(field jsonb, value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF jsonb_typeof(field) = 'string' AND jsonb_typeof(value) = 'string' THEN
		RETURN strpos(oracle.fold(field #>> '{}'), oracle.fold(value #>> '{}')) > 0;
	END IF;
	IF jsonb_typeof(field) = 'array' THEN
		RETURN EXISTS (SELECT FROM jsonb_array_elements(field) AS _e(e)
			WHERE jsonb_typeof(e) <> 'null'
				AND (e = value
					OR (jsonb_typeof(e) = 'string' AND jsonb_typeof(value) = 'string'
						AND oracle.fold(e #>> '{}') = oracle.fold(value #>> '{}'))));
	END IF;
	RETURN NULL;
END $$;

-- A field that is a JSON value, neither missing nor null.
CREATE FUNCTION oracle.json_condition(operator text, field jsonb, value jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	is_text boolean := jsonb_typeof(field) = 'string';
	is_array boolean := jsonb_typeof(field) = 'array';
	s text := field #>> '{}';
	v text := value #>> '{}';
BEGIN
	CASE operator
		WHEN 'equals' THEN
			RETURN field = value;
		WHEN 'not_equals' THEN
			RETURN field <> value;
		WHEN 'in' THEN
			RETURN EXISTS (SELECT FROM jsonb_array_elements(value) AS _e(e) WHERE e = field);
		WHEN 'not_in' THEN
			RETURN NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS _e(e) WHERE e = field);
		WHEN 'contains' THEN
			RETURN coalesce(oracle.holds(field, value), false);
		WHEN 'not_contains' THEN
			RETURN coalesce(NOT oracle.holds(field, value), false);
		WHEN 'starts_with' THEN
			RETURN is_text AND left(oracle.fold(s), length(v)) = oracle.fold(v);
		WHEN 'ends_with' THEN
			RETURN is_text AND length(s) >= length(v) AND right(oracle.fold(s), length(v)) = oracle.fold(v);
		WHEN 'greater_than', 'less_than', 'greater_or_equal', 'less_or_equal' THEN
			RETURN oracle.ordered(operator, oracle.as_number(field), oracle.as_number(value), NULL);
		WHEN 'between' THEN
			RETURN oracle.ordered(operator, oracle.as_number(field),
				oracle.as_number(value -> 0), oracle.as_number(value -> 1));
		WHEN 'matches' THEN
			RETURN is_text AND length(s) <= 10000 AND s ~ v COLLATE "C";
		WHEN 'in_sample' THEN
			RETURN jsonb_typeof(field) IN ('string', 'number', 'boolean')
				AND oracle.sampled(CASE jsonb_typeof(field) WHEN 'number' THEN trim_scale(s::numeric)::text ELSE s END, oracle.as_number(value));
		WHEN 'before', 'after', 'within_last', 'not_within_last', 'within_next', 'anniversary_within' THEN
			RETURN is_text AND oracle.timed(operator, oracle.parse_time(s), value, now);
		WHEN 'contains_any' THEN
			RETURN is_array AND EXISTS (
				SELECT FROM jsonb_array_elements(value) AS _w(w), jsonb_array_elements(field) AS _e(e)
				WHERE w = e AND jsonb_typeof(w) <> 'null');
		WHEN 'contains_all' THEN
			RETURN is_array AND NOT EXISTS (
				SELECT FROM jsonb_array_elements(value) AS _w(w)
				WHERE jsonb_typeof(w) = 'null'
					OR NOT EXISTS (SELECT FROM jsonb_array_elements(field) AS _e(e) WHERE e = w));
		ELSE
			RAISE EXCEPTION 'oracle: no operator %', operator;
	END CASE;
END $$;

-- ---- definitions --------------------------------------------------------------------------------

CREATE FUNCTION oracle.keys_of(field jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE jsonb_typeof(field)
		WHEN 'array' THEN ARRAY(SELECT e FROM jsonb_array_elements_text(field) WITH ORDINALITY AS t(e, n) ORDER BY n)
		ELSE string_to_array(field #>> '{}', '.') END
$$;

CREATE FUNCTION oracle.condition_matches(condition jsonb, target text, source jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	operator text := oracle.operator_name(condition ->> 'operator');
	keys text[] := oracle.keys_of(condition -> 'field');
	value jsonb := condition -> 'value';
	field oracle.field_value;
	missing boolean;
BEGIN
	IF target = 'campaign' THEN
		field := oracle.campaign_value(source, keys);
	ELSE
		field := oracle.profile_value(source, keys, (condition ->> 'within_days')::numeric, now);
	END IF;
	missing := field.json IS NULL AND field.at IS NULL;
	IF operator = 'is_null' THEN
		RETURN missing;
	ELSIF operator = 'is_not_null' THEN
		RETURN NOT missing;
	ELSIF missing THEN
		RETURN false;
	ELSIF field.at IS NOT NULL THEN
		RETURN oracle.time_condition(operator, field.at, value, now);
	ELSE
		RETURN oracle.json_condition(operator, field.json, value, now);
	END IF;
END $$;

CREATE FUNCTION oracle.group_matches(definition jsonb, target text, source jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	logic text := coalesce(oracle.fold(definition ->> 'logic'), 'and');
	members int := 0;
	true_members int := 0;
	member jsonb;
BEGIN
	FOR member IN SELECT jsonb_array_elements(definition -> 'conditions') LOOP
		members := members + 1;
		IF oracle.condition_matches(member, target, source, now) THEN
			true_members := true_members + 1;
		END IF;
	END LOOP;
	FOR member IN SELECT jsonb_array_elements(definition -> 'groups') LOOP
		members := members + 1;
		IF oracle.group_matches(member, target, source, now) THEN
			true_members := true_members + 1;
		END IF;
	END LOOP;
	IF members = 0 THEN
		RETURN false;
	END IF;
	CASE logic
		WHEN 'and' THEN RETURN true_members = members;
		WHEN 'or' THEN RETURN true_members > 0;
		WHEN 'not' THEN RETURN true_members = 0;
	END CASE;
END $$;

CREATE FUNCTION oracle.matches(conditions jsonb, profile jsonb, now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT oracle.group_matches(conditions, 'profile', profile, now) $$;

CREATE FUNCTION oracle.matches_traits(conditions jsonb, traits jsonb, now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT oracle.group_matches(conditions, 'profile', jsonb_build_object('traits', traits), now) $$;

CREATE FUNCTION oracle.campaign_matches(conditions jsonb, campaign jsonb, now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT oracle.group_matches(conditions, 'campaign', campaign, now) $$;
