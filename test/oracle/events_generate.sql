--
-- Random events and random definitions about them, the same for the same seed. Needs events.sql, generate.sql
-- (for its dice) and a transaction that stands still in time.
--
-- Times are chains: an event comes so many days after another one, or before now, to the microsecond or one off, so
-- that the edges of windows and ties are met all the time. Definitions take their days from the same few, their
-- times from those of events, and their operands from what the field is for some profile.
--

CREATE FUNCTION events_oracle.one_of(list anyarray) RETURNS anyelement
LANGUAGE sql VOLATILE AS $$ SELECT list[1 + oracle.below(cardinality(list))] $$;

CREATE FUNCTION events_oracle.after(t timestamptz, days numeric) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT t + round(days * 86400000000)::bigint * interval '1 microsecond' $$;

CREATE FUNCTION events_oracle.random_name() RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT events_oracle.one_of(ARRAY['Purchase', 'Purchase', 'Purchase', 'Purchase', 'View', 'View', 'View', 'Cart', 'Cart', 'purchase',
		'page.view', 'page.view', 'Größe "O''Brien"', 'größe "o''brien"', ' Purchase', '', 'Never'])
$$;

CREATE FUNCTION events_oracle.random_days() RETURNS numeric
LANGUAGE sql VOLATILE AS $$ SELECT events_oracle.one_of('{0.5,1,1,2,7,7,7,30,30,90,365,1.25,0.000001,1e-12,0.1,1000000}'::numeric[]) $$;

-- ---- events ---------------------------------------------------------------------------------------

CREATE FUNCTION events_oracle.random_number() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	few jsonb := '[1, 2, "3", 10, 10.0, "10", 5, 5, "2.50", 0]';
	more jsonb := '[99.99, -3.5, "abc", null, true, [], [1], {"net": 1}, "1e2", 1e1000, "1e1000", -1e1000, 1e1001, "1e1001", -2e1000, 0.5e1001, "99e999",
		1.0000001e1000, 123456789012345678901234567890.123, " 5", "", "-0", "05", 0.333333333333333333333333333333333333, 1e-1001, "1e-1000", "1e-1001", 1e-4000]';
BEGIN
	IF oracle.chance(0.65) THEN
		RETURN oracle.pick(few);
	ELSIF oracle.chance(0.1) THEN
		RETURN (ARRAY[to_jsonb(repeat('9', 1000)), to_jsonb(repeat('9', 1001)), to_jsonb(repeat('9', 1000)::numeric), to_jsonb(repeat('9', 1001)::numeric),
			to_jsonb('0.' || repeat('3', 999)), to_jsonb('0.' || repeat('3', 1000)), to_jsonb(('0.' || repeat('3', 3000))::numeric)])[1 + oracle.below(7)];
	END IF;
	RETURN oracle.pick(more);
END $$;

CREATE FUNCTION events_oracle.random_text() RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN oracle.chance(0.12) THEN to_jsonb(oracle.iso(events_oracle.after(now(), -events_oracle.one_of('{0,1,7}'::numeric[]))
		+ events_oracle.one_of('{0,0,1 microsecond,-1 microsecond}'::interval[])))
		ELSE oracle.pick('["USD", "USD", "EUR", "usd", "Größe", "größe", "", null, ["USD", "x"], ["usd"], {"net": "USD"}, "2024-02-29", "2024-03-10T02:30:00-05:00", "2024-02-30"]') END
$$;

-- properties or context; NULL and what is no object at times
CREATE FUNCTION events_oracle.random_document(about text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result jsonb := '{}';
BEGIN
	IF oracle.chance(0.08) THEN
		RETURN (ARRAY[NULL, 'null', '5', '"amount"', '[1, {"amount": 1}]', '[]']::jsonb[])[1 + oracle.below(6)];
	END IF;
	IF about = 'context' THEN
		result := jsonb_build_object('page', jsonb_build_object('url', events_oracle.one_of('{/,/cart,/CART,/x}'::text[])), 'a.b', events_oracle.random_text());
	ELSE
		IF oracle.chance(0.85) THEN result := result || jsonb_build_object('amount', events_oracle.random_number()); END IF;
		IF oracle.chance(0.5) THEN result := result || jsonb_build_object('price', jsonb_build_object('net', events_oracle.random_number())); END IF;
		IF oracle.chance(0.8) THEN result := result || jsonb_build_object('currency', events_oracle.random_text()); END IF;
		IF oracle.chance(0.3) THEN result := result || jsonb_build_object('a.b', events_oracle.random_number(), '', events_oracle.random_text()); END IF;
		IF oracle.chance(0.3) THEN result := result || jsonb_build_object('größe', events_oracle.random_number()); END IF;
	END IF;
	RETURN result;
END $$;

CREATE FUNCTION events_oracle.random_time(before timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	dice float8 := random();
	days numeric := events_oracle.one_of('{0,0.5,1,1,2,7,7,7,30,30,90,1.25,0.1,0.000001}'::numeric[]);
	off interval := events_oracle.one_of(ARRAY['0', '0', '0', '1 microsecond', '-1 microsecond', '1 hour', '-1 hour']::interval[]);
	base timestamptz;
BEGIN
	IF dice < 0.15 AND before IS NOT NULL THEN
		RETURN before;
	ELSIF dice < 0.5 AND before IS NOT NULL THEN
		RETURN events_oracle.after(before, days * events_oracle.one_of('{1,1,-1}'::int[])) + off;
	ELSIF dice < 0.85 THEN
		RETURN events_oracle.after(now(), days * events_oracle.one_of('{-1,-1,-1,-1,-1,-1,-1,1}'::int[])) + off;
	END IF;
	-- daylight saving time begins and ends here and there; 29 February
	base := events_oracle.one_of(ARRAY['2024-03-10T07:00Z', '2024-03-31T01:00Z', '2024-10-27T01:00Z', '2024-11-03T06:00Z', '2024-02-29T00:00Z', '2024-03-01T00:00Z',
		'2000-02-29T23:59:59.999999Z', '2024-04-06T16:00Z', '0400-02-29T12:00Z', '9998-12-31T00:00Z']::timestamptz[]);
	RETURN events_oracle.after(base, days) + off;
END $$;

-- Events of the profiles: one in nine has none. Not in the order of time; some twice.
CREATE PROCEDURE events_oracle.generate_events(tenant int, profiles int[])
LANGUAGE plpgsql AS $$
DECLARE
	profile int;
	at timestamptz;
	before timestamptz;
	name text;
BEGIN
	CREATE TEMPORARY TABLE born (profile int, name text, properties jsonb, context jsonb, at timestamptz);
	FOREACH profile IN ARRAY profiles LOOP
		at := NULL;
		CONTINUE WHEN profile % 9 = 0;
		FOR i IN 1 .. oracle.below(events_oracle.one_of('{5,15,30}'::int[])) LOOP
			before := at;
			at := events_oracle.random_time(at);
			name := CASE WHEN at = before AND oracle.chance(0.7) THEN name ELSE events_oracle.random_name() END;
			INSERT INTO born VALUES (profile, name, events_oracle.random_document('properties'),
				events_oracle.random_document('context'), at);
		END LOOP;
	END LOOP;
	DELETE FROM born b WHERE b.name = 'Never';
	INSERT INTO born SELECT * FROM born WHERE oracle.chance(0.07);
	INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, context, timestamp)
		SELECT tenant, b.profile, b.name, 'track', b.properties, b.context, b.at FROM born b ORDER BY random();
END $$;

-- ---- definitions ----------------------------------------------------------------------------------

CREATE FUNCTION events_oracle.iso_near_event() RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	at timestamptz;
BEGIN
	IF oracle.chance(0.15) THEN
		RETURN events_oracle.one_of('{2024-02-29,2024-03-10T02:30:00-0500,2024-03-31T03:00+02:00,2024-10-27 02:30,2024-11-03T01:30:00-04,0001-01-01,9999-12-31T23:59:59.999999Z}'::text[]);
	END IF;
	SELECT t.at INTO at FROM events_oracle.times t ORDER BY random() LIMIT 1;
	RETURN oracle.iso(at + events_oracle.one_of('{0,0,0,1 microsecond,-1 microsecond}'::interval[]));
END $$;

CREATE FUNCTION events_oracle.where_condition() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN oracle.pick('[
		{"field": "property.currency", "operator": "equals", "value": "USD"},
		{"field": "property.currency", "operator": "equals", "value": "USD"},
		{"field": "property.currency", "operator": "not_equals", "value": "USD"},
		{"field": "property.currency", "operator": "in", "value": ["EUR", "usd", null, ["usd"]]},
		{"field": "property.currency", "operator": "contains", "value": "us"},
		{"field": "property.currency", "operator": "contains", "value": "GRÖSSE"},
		{"field": "property.currency", "operator": "is_null"},
		{"field": "property.currency", "operator": "before", "value": "2024-03-10T07:29:59Z"},
		{"field": "property.currency", "operator": "after", "value": "2024-02-28T23:59:59.999999"},
		{"field": "property.currency", "operator": "within_last", "value": 100000},
		{"field": "property.currency", "operator": "within_last", "value": 7},
		{"field": "property.currency", "operator": "within_last", "value": 1},
		{"field": "property.amount", "operator": "greater_than", "value": 3},
		{"field": "property.amount", "operator": "less_than", "value": "5"},
		{"field": "property.amount", "operator": "gte", "value": 5},
		{"field": "property.amount", "operator": "LTE", "value": 5},
		{"field": "property.amount", "operator": "between", "value": [2, "10"]},
		{"field": "property.amount", "operator": "is_not_null"},
		{"field": "property.price.net", "operator": "gte", "value": 2.5},
		{"field": "property.price.net.deeper", "operator": "is_null"},
		{"field": ["property", "a.b"], "operator": "is_not_null"},
		{"field": ["property", ""], "operator": "equals", "value": "USD"},
		{"field": "property.größe", "operator": "equals", "value": 5},
		{"field": "context.page.url", "operator": "equals", "value": "/cart"},
		{"field": "context.page.url", "operator": "starts_with", "value": "/CA"},
		{"field": "context.page", "operator": "equals", "value": {"url": "/x"}},
		{"field": ["context", "a.b"], "operator": "not_in", "value": ["USD", ""]},
		{"field": "context.amount", "operator": "is_null"}]');
END $$;

CREATE FUNCTION events_oracle.random_group(members jsonb, groups jsonb) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('logic', events_oracle.one_of('{and,or,not,NULL,OR,And}'::text[])))
		|| CASE WHEN members <> '[]' THEN jsonb_build_object('conditions', members) ELSE '{}' END
		|| CASE WHEN groups <> '[]' THEN jsonb_build_object('groups', groups) ELSE '{}' END
$$;

CREATE FUNCTION events_oracle.random_where(levels int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	members jsonb := '[]';
	groups jsonb := '[]';
BEGIN
	FOR i IN 1 .. 1 + oracle.below(2) + oracle.below(2) LOOP
		IF levels > 0 AND oracle.chance(0.3) THEN
			groups := groups || jsonb_build_array(events_oracle.random_where(levels - 1));
		ELSE
			members := members || events_oracle.where_condition();
		END IF;
	END LOOP;
	RETURN events_oracle.random_group(members, groups);
END $$;

-- within_days, since, until, where: each in so many of all cases.
CREATE FUNCTION events_oracle.random_narrowing(p float8) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	result jsonb := '{}';
BEGIN
	IF oracle.chance(p) THEN result := result || jsonb_build_object('within_days', events_oracle.random_days()); END IF;
	IF oracle.chance(p * 0.5) THEN result := result || jsonb_build_object('since', events_oracle.iso_near_event()); END IF;
	IF oracle.chance(p * 0.5) THEN result := result || jsonb_build_object('until', events_oracle.iso_near_event()); END IF;
	IF result ?& '{since,until}' AND oracle.parse_time(result ->> 'since') >= oracle.parse_time(result ->> 'until') THEN
		result := result - events_oracle.one_of('{since,until}'::text[]);
	END IF;
	RETURN result;
END $$;

CREATE FUNCTION events_oracle.random_sequence() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	n int := events_oracle.one_of('{2,2,2,2,3,3,3,4,5,6}'::int[]);
	narrow float8 := events_oracle.one_of('{0,0.5}'::float8[]);
	steps jsonb := '[]';
	step jsonb;
BEGIN
	FOR i IN 1 .. n LOOP
		step := jsonb_build_object('event', CASE WHEN oracle.chance(0.8) THEN events_oracle.one_of('{Purchase,Purchase,View,View,Cart,page.view}'::text[])
			ELSE coalesce(nullif(events_oracle.random_name(), ''), 'Cart') END);
		IF i > 1 AND oracle.chance(narrow) THEN
			step := step || jsonb_build_object('within_days', events_oracle.random_days());
		END IF;
		IF oracle.chance(narrow * 0.5) THEN
			step := step || jsonb_build_object('where', events_oracle.random_where(1));
		END IF;
		IF i = n AND oracle.chance(0.4) THEN
			step := step || '{"then_not": true}';
		END IF;
		steps := steps || step;
	END LOOP;
	RETURN jsonb_build_object('sequence', steps) || events_oracle.random_narrowing(0.25);
END $$;

-- An operator with its value. what: number, boolean, time, or json; seen: what the field is for some profile.
CREATE FUNCTION events_oracle.random_test(kind text, seen oracle.field_value) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	operator text;
	operand jsonb;
	other jsonb;
BEGIN
	IF oracle.chance(0.06) THEN
		RETURN jsonb_build_object('operator', events_oracle.one_of('{is_null,IS_NOT_NULL}'::text[]));
	ELSIF kind = 'boolean' THEN
		RETURN jsonb_build_object('operator', events_oracle.one_of('{equals,equals,equals,equals,not_equals}'::text[]),
			'value', oracle.pick('[true, true, true, false, false, 1, "true"]'));
	ELSIF kind = 'time' THEN
		operator := events_oracle.one_of('{equals,not_equals,greater_than,less_than,gte,lte,between,before,after,within_last,within_last,in,contains}'::text[]);
		operand := to_jsonb(events_oracle.iso_near_event());
		other := to_jsonb(events_oracle.iso_near_event());
		IF seen.at IS NOT NULL AND oracle.chance(0.5) THEN
			operand := to_jsonb(oracle.iso(timestamptz 'epoch' + (seen.at)::bigint * interval '1 microsecond'));
		END IF;
		IF operator = 'within_last' THEN
			RETURN jsonb_build_object('operator', operator, 'value', events_oracle.random_days());
		END IF;
	ELSE
		operator := events_oracle.one_of('{equals,equals,not_equals,greater_than,less_than,gte,lte,between,in}'::text[]);
		IF kind = 'json' THEN
			operator := events_oracle.one_of(ARRAY[operator, operator, 'contains', 'before', 'after', 'within_last', 'starts_with', 'not_in']);
		END IF;
		operand := oracle.pick('[0, 1, 2, 3, "3", 5, 6, 10, 15, 20, 7.5, 1e1000]');
		other := oracle.pick('[1, 5, "10", 20, 100, 1e999]');
		IF oracle.chance(0.6) AND seen.json IS NOT NULL AND (operator IN ('equals', 'not_equals', 'in', 'not_in', 'contains')
				OR oracle.as_number(seen.json) IS NOT NULL) THEN
			operand := seen.json;
		END IF;
		IF operator IN ('before', 'after') THEN
			operand := to_jsonb(events_oracle.iso_near_event());
		ELSIF operator = 'within_last' THEN
			operand := to_jsonb(events_oracle.random_days());
		ELSIF operator = 'starts_with' THEN
			operand := oracle.pick('["u", "", "GR", "Gr"]');
		END IF;
	END IF;
	IF operator IN ('between', 'in', 'not_in') THEN
		operand := jsonb_build_array(operand, other);
	END IF;
	RETURN jsonb_build_object('operator', operator, 'value', operand);
END $$;

CREATE FUNCTION events_oracle.random_condition() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	what text := events_oracle.one_of('{count,count,exists,first,last,property,property,sum,avg,min,max,first_time,first_time}'::text[]);
	keys text[] := ARRAY['event', events_oracle.random_name(), what];
	condition jsonb;
	seen oracle.field_value;
	profile int;
BEGIN
	IF oracle.chance(0.4) THEN
		RETURN events_oracle.random_sequence();
	END IF;
	IF what IN ('property', 'sum', 'avg', 'min', 'max') THEN
		keys := keys || CASE oracle.below(8) WHEN 0 THEN '{price,net}'::text[] WHEN 1 THEN '{a.b}' WHEN 2 THEN '{größe}' WHEN 3 THEN '{""}' ELSE '{amount}' END;
		IF what = 'property' AND oracle.chance(0.4) THEN
			keys[4] := 'currency';
		END IF;
	END IF;
	condition := events_oracle.random_narrowing(events_oracle.one_of('{0,0.3,0.7}'::float8[]));
	IF what = 'first_time' AND condition = '{}' THEN
		condition := jsonb_build_object('within_days', events_oracle.random_days());
	END IF;
	IF oracle.chance(CASE what WHEN 'first_time' THEN 0.5 ELSE 0.3 END) THEN
		condition := condition || jsonb_build_object('where', events_oracle.random_where(2));
	END IF;
	condition := condition || jsonb_build_object('field', CASE WHEN oracle.chance(0.5) OR '' = ANY (keys) OR array_to_string(keys, '') ~ '[.]'
		THEN to_jsonb(keys) ELSE to_jsonb(array_to_string(keys, '.')) END);
	SELECT t.profile INTO profile FROM events_oracle.times t ORDER BY random() LIMIT 1;
	seen := events_oracle.field(condition, profile, now());
	RETURN condition || events_oracle.random_test(CASE WHEN what IN ('exists', 'first_time') THEN 'boolean' WHEN what IN ('first', 'last') THEN 'time'
		WHEN what = 'property' THEN 'json' ELSE 'number' END, seen);
END $$;

CREATE FUNCTION events_oracle.random_definition(levels int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	members jsonb := '[]';
	groups jsonb := '[]';
BEGIN
	FOR i IN 1 .. 1 + oracle.below(3) LOOP
		IF levels > 0 AND oracle.chance(0.3) THEN
			groups := groups || jsonb_build_array(events_oracle.random_definition(levels - 1));
		ELSE
			members := members || events_oracle.random_condition();
		END IF;
	END LOOP;
	RETURN events_oracle.random_group(members, groups);
END $$;
