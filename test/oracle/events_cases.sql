--
-- Conditions about events with answers worked out by hand from the documentation, and definitions that
-- must be refused. Needs events.sql and bad_definitions.sql.
--
-- A case: its answer, the events of a profile in the order of their ids, and a condition or a whole
-- definition. An event: [name, time, properties, context]; its time is in days from now, negative in the
-- past, [days, microseconds], or a text. "@-3" in a definition is the time three days ago, "@-3+1" a
-- microsecond later.
--
CREATE TABLE events_oracle.unit (
	id serial PRIMARY KEY,
	expected boolean NOT NULL,
	events jsonb NOT NULL,
	definition text NOT NULL,
	conditions jsonb,
	profile int
);

CREATE PROCEDURE events_oracle.unit(expected boolean, events text, definition text)
LANGUAGE sql AS $$ INSERT INTO events_oracle.unit (expected, events, definition) VALUES (expected, events::jsonb, definition) $$;

CREATE FUNCTION events_oracle.moment(t jsonb, now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
	SELECT CASE jsonb_typeof(t) WHEN 'string' THEN (t #>> '{}')::timestamptz
		ELSE now + (CASE jsonb_typeof(t) WHEN 'array' THEN (t ->> 0)::numeric * 86400000000 + (t ->> 1)::numeric
			ELSE (t #>> '{}')::numeric * 86400000000 END)::bigint * interval '1 microsecond' END
$$;

CREATE FUNCTION events_oracle.at_clock(definition text, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
	p text[];
	result text := definition;
BEGIN
	LOOP
		p := regexp_match(result, '"@(-?[0-9.]+)([-+][0-9]+)?"');
		IF p IS NULL THEN
			RETURN CASE WHEN result::jsonb ?| '{conditions,groups}' THEN result::jsonb
				ELSE jsonb_build_object('conditions', jsonb_build_array(result::jsonb)) END;
		END IF;
		result := replace(result, '"@' || p[1] || coalesce(p[2], '') || '"', to_json(to_char(
			events_oracle.moment(jsonb_build_array(p[1]::numeric, coalesce(p[2], '0')::numeric), now) AT TIME ZONE 'UTC',
			'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text);
	END LOOP;
END $$;

-- So many times the same step.
CREATE FUNCTION events_oracle.steps(n int) RETURNS text
LANGUAGE sql AS $$ SELECT '{"sequence": [' || string_agg('{"event": "A"}', ', ') || ']}' FROM generate_series(1, n) $$;

-- ---- count, exists --------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -29.5]]', '{"field": "event.Purchase.count", "operator": "gte", "value": 2, "within_days": 30}');
CALL events_oracle.unit(false, '[["Purchase", -1], ["Purchase", -30.5]]', '{"field": "event.Purchase.count", "operator": "gte", "value": 2, "within_days": 30}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -30]]', '{"field": "event.Purchase.count", "operator": "gte", "value": 2, "within_days": 30}');
CALL events_oracle.unit(false, '[["Purchase", -1], ["Purchase", [-30, -1]]]', '{"field": "event.Purchase.count", "operator": "gte", "value": 2, "within_days": 30}');
CALL events_oracle.unit(true, '[["Purchase", 0]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "within_days": 0.5}');
CALL events_oracle.unit(true, '[["Purchase", [0, 1]]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 0, "within_days": 30}');
CALL events_oracle.unit(true, '[["Purchase", 40]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -1], ["Purchase", -1]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 3}');
CALL events_oracle.unit(true, '[]', '{"field": "event.Purchase.count", "operator": "equals", "value": 0}');
CALL events_oracle.unit(true, '[]', '{"field": "event.Purchase.count", "operator": "is_not_null"}');
CALL events_oracle.unit(true, '[["purchase", -1]]', '{"field": "event.Purchase.exists", "operator": "equals", "value": false}');
CALL events_oracle.unit(true, '[["Purchase", -1]]', '{"field": "event.Purchase.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(false, '[["Purchase", -1]]', '{"field": "event.Purchase.exists", "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["page.view", -1]]', '{"field": ["event", "page.view", "count"], "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["Größe \"x\" ''y''", -1]]', '{"field": "event.Größe \"x\" ''y''.count", "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["Purchase", -900000]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 0, "within_days": 365}');
CALL events_oracle.unit(true, '[["Purchase", -900000]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "within_days": 1000000}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -2], ["Purchase", -3]]', '{"field": "event.Purchase.count", "operator": "between", "value": [3, 3]}');

-- ---- since, until ---------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -3]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "since": "@-3"}');
CALL events_oracle.unit(true, '[["Purchase", -3]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 0, "since": "@-3+1"}');
CALL events_oracle.unit(true, '[["Purchase", -3]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 0, "until": "@-3"}');
CALL events_oracle.unit(true, '[["Purchase", -3]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "until": "@-3+1"}');
CALL events_oracle.unit(true, '[["Purchase", 3]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "since": "@1"}');
CALL events_oracle.unit(true, '[["Purchase", -9], ["Purchase", -5], ["Purchase", -1]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "within_days": 7, "until": "@-2"}');
CALL events_oracle.unit(true, '[["Purchase", "2024-02-29 12:00+00"]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "since": "2024-02-29", "until": "2024-03-01"}');
CALL events_oracle.unit(true, '[["Purchase", "2024-03-10 06:59:59.999999+00"]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "since": "2024-03-10T01:00-0500", "until": "2024-03-10T02:00-05"}');
CALL events_oracle.unit(true, '[["Purchase", "2024-03-31 00:30+00"]]', '{"field": "event.Purchase.first", "operator": "equals", "value": "2024-03-31T00:30", "since": "2024-03-31 00:30"}');

-- ---- first, last, property ------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -5], ["Purchase", -3]]', '{"field": "event.Purchase.first", "operator": "equals", "value": "@-5"}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -5], ["Purchase", -3]]', '{"field": "event.Purchase.first", "operator": "equals", "value": "@-3", "within_days": 4}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", 2]]', '{"field": "event.Purchase.last", "operator": "after", "value": "@1"}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", 2]]', '{"field": "event.Purchase.last", "operator": "within_last", "value": 1, "within_days": 9}');
CALL events_oracle.unit(true, '[]', '{"field": "event.Purchase.last", "operator": "is_null"}');
CALL events_oracle.unit(false, '[]', '{"field": "event.Purchase.last", "operator": "not_equals", "value": "@-1"}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"a": "new"}], ["Purchase", -2, {"a": "old"}]]', '{"field": "event.Purchase.property.a", "operator": "equals", "value": "new"}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"a": "one"}], ["Purchase", -1, {"a": "two"}]]', '{"field": "event.Purchase.property.a", "operator": "equals", "value": "two"}');
CALL events_oracle.unit(true, '[["Purchase", -2, {"a": "old"}], ["Purchase", -1, {}]]', '{"field": "event.Purchase.property.a", "operator": "is_null"}');
CALL events_oracle.unit(true, '[["Purchase", -2, {"a": "old"}], ["Purchase", -1, {}]]', '{"field": "event.Purchase.property.a", "operator": "contains", "value": "OL", "where": {"conditions": [{"field": "property.a", "operator": "is_not_null"}]}}');
CALL events_oracle.unit(true, '[["Purchase", -2, {"a": "old"}], ["Purchase", -1, null]]', '{"field": "event.Purchase.property.a", "operator": "is_null"}');
CALL events_oracle.unit(true, '[["Purchase", -2, {"a": {"b.c": [1, 2]}}]]', '{"field": ["event", "Purchase", "property", "a", "b.c"], "operator": "contains", "value": 2}');

-- ---- numbers --------------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1}], ["Purchase", -2, {"n": 2}], ["Purchase", -3, {"n": "3"}]]', '{"field": "event.Purchase.avg.n", "operator": "equals", "value": 2}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1}], ["Purchase", -2, {"n": 2}], ["Purchase", -3, {"n": "3"}]]', '{"field": "event.Purchase.sum.n", "operator": "equals", "value": 6.0}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1}], ["Purchase", -2, {"n": "x"}], ["Purchase", -3, {"n": true}], ["Purchase", -3]]', '{"field": "event.Purchase.avg.n", "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": "abc"}], ["Purchase", -1, {"n": null}], ["Purchase", -1, {"n": [5]}], ["Purchase", -1, {"n": " 5"}]]', '{"field": "event.Purchase.sum.n", "operator": "is_null"}');
CALL events_oracle.unit(true, '[]', '{"field": "event.Purchase.sum.n", "operator": "is_null"}');
CALL events_oracle.unit(false, '[]', '{"field": "event.Purchase.sum.n", "operator": "less_than", "value": 1}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": "10"}], ["Purchase", -2, {"n": 9}]]', '{"field": "event.Purchase.max.n", "operator": "equals", "value": 10}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": "10"}], ["Purchase", -2, {"n": 9}]]', '{"field": "event.Purchase.min.n", "operator": "less_than", "value": "9.5"}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 0.1}], ["Purchase", -2, {"n": 0.2}]]', '{"field": "event.Purchase.sum.n", "operator": "equals", "value": 0.3}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1e1001}], ["Purchase", -2, {"n": 7}], ["Purchase", -2, {"n": -2e1000}]]', '{"field": "event.Purchase.sum.n", "operator": "equals", "value": 7}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1e999}], ["Purchase", -2, {"n": 1}], ["Purchase", -2, {"n": -1e999}]]', '{"field": "event.Purchase.sum.n", "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"a": {"n": 5}}], ["Purchase", -2, [5]], ["Purchase", -2, 5]]', '{"field": "event.Purchase.sum.a.n", "operator": "in", "value": [4, 5]}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 5}], ["Purchase", -9, {"n": 7}], ["Purchase", -2, {"n": 1, "x": 1}]]', '{"field": "event.Purchase.sum.n", "operator": "equals", "value": 5, "within_days": 8, "where": {"logic": "not", "conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}');
CALL events_oracle.unit(false, '[["Purchase", -1, {"n": 1}], ["Purchase", -2, {"n": 2}]]', '{"field": "event.Purchase.avg.n", "operator": "equals", "value": "1.5"}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1}], ["Purchase", -2, {"n": 2}]]', '{"field": "event.Purchase.avg.n", "operator": "between", "value": ["1.5", 1.5]}');

CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1e1000}], ["Purchase", -2, {"n": 2}]]', '{"field": "event.Purchase.max.n", "operator": "equals", "value": 1e1000}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"n": 1e-1001}], ["Purchase", -2, {"n": "1e-1000"}], ["Purchase", -2, {"n": 1.5e-1000}], ["Purchase", -2, {"n": 3}]]', '{"field": "event.Purchase.min.n", "operator": "equals", "value": 1e-1000}');

-- ---- first_time -----------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -6]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": true, "within_days": 7}');
CALL events_oracle.unit(true, '[["Purchase", -1], ["Purchase", -60]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": false, "within_days": 7}');
CALL events_oracle.unit(true, '[]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": false, "within_days": 7}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"x": 1}], ["Purchase", -60]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": true, "within_days": 7, "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}');
CALL events_oracle.unit(true, '[["Purchase", 1]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": false, "within_days": 7}');
CALL events_oracle.unit(true, '[["Purchase", -60], ["Purchase", -30]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": true, "since": "@-60", "until": "@-60+1"}');
CALL events_oracle.unit(true, '[["Purchase", -60], ["Purchase", -30]]', '{"field": "event.Purchase.first_time", "operator": "equals", "value": false, "until": "@-60"}');

-- ---- where ----------------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["Purchase", -1, {"c": "USD"}], ["Purchase", -1, {"c": "usd"}], ["Purchase", -1]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "where": {"conditions": [{"field": "property.c", "operator": "equals", "value": "USD"}]}}');
CALL events_oracle.unit(true, '[["Purchase", -1, {}, {"page": {"url": "/x"}}], ["Purchase", -1, {"page": {"url": "/x"}}]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 1, "where": {"conditions": [{"field": "context.page.url", "operator": "starts_with", "value": "/X"}]}}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"a": 1}, {"b": 1}], ["Purchase", -1, {"a": 1}], ["Purchase", -1, {"a": 2}, null]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 2, "where": {"logic": "or", "conditions": [{"field": "property.a", "operator": "equals", "value": 2}], "groups": [{"conditions": [{"field": "property.a", "operator": "equals", "value": 1}, {"field": "context.b", "operator": "equals", "value": 1}]}]}}');
CALL events_oracle.unit(true, '[["Purchase", -1, null, null], ["Purchase", -1, 5, [1]]]', '{"field": "event.Purchase.count", "operator": "equals", "value": 2, "where": {"conditions": [{"field": "property.a", "operator": "is_null"}, {"field": "context.a", "operator": "is_null"}]}}');
CALL events_oracle.unit(true, '[["Purchase", -1, {"due": "2024-02-29T12:00"}]]', '{"field": "event.Purchase.exists", "operator": "equals", "value": true, "where": {"conditions": [{"field": "property.due", "operator": "before", "value": "2024-03-01"}]}}');

-- ---- sequences ------------------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["B", -1], ["A", -2]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(false, '[["A", -1], ["B", -2]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(true, '[["A", -1], ["B", -1]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(false, '[["B", -1], ["A", -1]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(false, '[["A", -1]]', '{"sequence": [{"event": "A"}, {"event": "A"}]}');
CALL events_oracle.unit(true, '[["A", -1], ["A", -1]]', '{"sequence": [{"event": "A"}, {"event": "A"}]}');
CALL events_oracle.unit(true, '[["A", -10], ["B", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7}]}');
CALL events_oracle.unit(false, '[["A", -10], ["B", [-3, 1]]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7}]}');
CALL events_oracle.unit(true, '[["A", -20], ["A", -5], ["B", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7}]}');
CALL events_oracle.unit(true, '[["A", -20], ["B", -18], ["B", -10], ["C", -9]]', '{"sequence": [{"event": "A"}, {"event": "B"}, {"event": "C", "within_days": 2}]}');
CALL events_oracle.unit(false, '[["A", -20], ["B", -10], ["C", -9]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 5}, {"event": "C"}]}');
-- An early A can only be left by an early B; a late A by a late one: the steps belong together.
CALL events_oracle.unit(false, '[["A", -20], ["B", -19], ["A", -3], ["C", -2]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 2}, {"event": "C", "within_days": 2}]}');
CALL events_oracle.unit(true, '[["A", -20], ["B", -19], ["A", -4], ["B", -3], ["C", -2]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 2}, {"event": "C", "within_days": 2}]}');
CALL events_oracle.unit(true, '[["A", -3], ["B", -2]]', '{"sequence": [{"event": "A"}, {"event": "B"}, {"event": "C", "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", -3], ["B", -2], ["C", -1]]', '{"sequence": [{"event": "A"}, {"event": "B"}, {"event": "C", "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -3], ["B", -2], ["C", -2.5]]', '{"sequence": [{"event": "A"}, {"event": "B"}, {"event": "C", "then_not": true}]}');
-- its window is still open
CALL events_oracle.unit(true, '[["A", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7, "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -30], ["B", -20]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7, "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", -30], ["B", -23]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7, "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -30], ["B", [-23, 1]]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7, "then_not": true}]}');
-- The earlier A stands, whatever became of the later one.
CALL events_oracle.unit(true, '[["A", -30], ["A", -10], ["B", -9]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7, "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", -30], ["A", -10], ["B", -9]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -30], ["B", -20], ["A", -10]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(false, '[["B", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(true, '[["B", -3], ["A", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", -3], ["B", -3]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -3], ["A", -2]]', '{"sequence": [{"event": "A"}, {"event": "A", "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -3], ["B", -2, {"x": 2}]]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true, "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}]}');
CALL events_oracle.unit(false, '[["A", -9], ["B", -2]]', '{"sequence": [{"event": "A"}, {"event": "B"}], "within_days": 7}');
CALL events_oracle.unit(true, '[["A", -9], ["B", -8], ["C", -2]]', '{"sequence": [{"event": "A"}, {"event": "B"}, {"event": "C", "then_not": true}], "until": "@-2"}');
CALL events_oracle.unit(true, '[["A", -9], ["B", -8]]', '{"sequence": [{"event": "A"}, {"event": "B"}], "since": "@-9", "until": "@-8+1"}');
CALL events_oracle.unit(true, '[["A", -4, {"x": 1}], ["A", -3, {"x": 2}], ["A", -2, {"x": 3}]]', '{"sequence": [{"event": "A", "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}, {"event": "A", "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 3}]}}]}');
CALL events_oracle.unit(false, '[["A", -4, {"x": 1}]]', '{"sequence": [{"event": "A"}, {"event": "A", "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}]}');
CALL events_oracle.unit(true, '[["A", -3], ["B", 2]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(true, '[["A", -3]]', '{"logic": "not", "conditions": [{"sequence": [{"event": "A"}, {"event": "B"}]}]}');
CALL events_oracle.unit(false, '[]', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}]}');
CALL events_oracle.unit(true, '[["A", -16], ["A", -15], ["A", -14], ["A", -13], ["A", -12], ["A", -11], ["A", -10], ["A", -9], ["A", -8], ["A", -7], ["A", -6], ["A", -5], ["A", -4], ["A", -3], ["A", -2], ["A", -1]]',
	events_oracle.steps(16));
CALL events_oracle.unit(false, '[["A", -16], ["A", -15], ["A", -14], ["A", -13], ["A", -12], ["A", -11], ["A", -10], ["A", -9], ["A", -8], ["A", -7], ["A", -6], ["A", -5], ["A", -4], ["A", -3], ["A", -2]]',
	events_oracle.steps(16));

-- ---- names of events ------------------------------------------------------------------------------

CALL events_oracle.unit(false, '[["page", -1], ["view", -1], ["page.views", -1], ["pagexview", -1]]', '{"field": ["event", "page.view", "exists"], "operator": "equals", "value": true}');
CALL events_oracle.unit(true, '[["a\"b''c\\d", -1]]', '{"field": ["event", "a\"b''c\\d", "count"], "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["a\"b''c\\d", -2], ["{x,\"y\"}", -1]]', '{"sequence": [{"event": "a\"b''c\\d"}, {"event": "{x,\"y\"}"}]}');
CALL events_oracle.unit(true, '[["NULL", -2], ["null", -1]]', '{"sequence": [{"event": "NULL"}, {"event": "null"}]}');
CALL events_oracle.unit(false, '[["NULL", -2]]', '{"field": "event.null.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(true, '[["%s%_\\_$1", -1]]', '{"field": "event.%s%_\\_$1.count", "operator": "equals", "value": 1}');
CALL events_oracle.unit(false, '[["axxb", -1]]', '{"field": "event.a%b.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(true, '[["カート \ud83d\uded2", -1]]', '{"field": "event.カート 🛒.count", "operator": "equals", "value": 1}');
-- é of one character is not é of two
CALL events_oracle.unit(false, '[["e\u0301", -1]]', '{"field": "event.\u00e9.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(false, '[["A ", -1], [" A", -1], ["a", -1]]', '{"field": "event.A.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(true, '[["A\n\tB", -1]]', '{"field": "event.A\n\tB.exists", "operator": "equals", "value": true}');
CALL events_oracle.unit(true, '[["", -1], ["A", -1]]', '{"field": ["event", "", "count"], "operator": "equals", "value": 1}');
CALL events_oracle.unit(true, '[["' || repeat('é', 255) || '", -1]]', '{"field": "event.' || repeat('é', 255) || '.count", "operator": "equals", "value": 1}');
-- longer than the column: no event has that name
CALL events_oracle.unit(true, '[["' || repeat('é', 255) || '", -1]]', '{"field": "event.' || repeat('é', 256) || '.count", "operator": "equals", "value": 0}');
CALL events_oracle.unit(true, '[["' || repeat('a', 255) || '", -2]]', '{"sequence": [{"event": "' || repeat('a', 255) || '"}, {"event": "' || repeat('a', 100000) || '", "then_not": true}]}');

-- ---- far and infinite times -----------------------------------------------------------------------

CALL events_oracle.unit(true, '[["A", "4713-01-01 BC"]]', '{"field": "event.A.count", "operator": "equals", "value": 1, "within_days": 1e7}');
CALL events_oracle.unit(true, '[["A", "4713-01-01 BC"]]', '{"field": "event.A.count", "operator": "equals", "value": 1, "within_days": 1e300}');
CALL events_oracle.unit(false, '[["A", "4713-01-01 BC"]]', '{"field": "event.A.exists", "operator": "equals", "value": true, "within_days": 1e6}');
CALL events_oracle.unit(true, '[["A", -1000000]]', '{"field": "event.A.first_time", "operator": "equals", "value": true, "within_days": 1000000}');
CALL events_oracle.unit(false, '[["A", [-1000000, -1000]]]', '{"field": "event.A.first_time", "operator": "equals", "value": true, "within_days": 1000000}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["A", "infinity"], ["A", "294276-12-31"]]', '{"field": "event.A.count", "operator": "equals", "value": 0, "within_days": 1e300}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["A", "infinity"]]', '{"field": "event.A.count", "operator": "equals", "value": 2}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["A", "infinity"]]', '{"field": "event.A.count", "operator": "equals", "value": 1, "until": "0001-01-01"}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["A", "infinity"]]', '{"field": "event.A.count", "operator": "equals", "value": 1, "since": "9999-12-31T24:00"}');
CALL events_oracle.unit(true, '[["A", 0], ["A", [0, -1]]]', '{"field": "event.A.count", "operator": "equals", "value": 1, "within_days": 1e-300}');
CALL events_oracle.unit(false, '[["A", "infinity"]]', '{"field": "event.A.last", "operator": "within_next", "value": 1e300}');
CALL events_oracle.unit(true, '[["A", "294276-12-31"]]', '{"field": "event.A.last", "operator": "within_next", "value": 1e300}');
CALL events_oracle.unit(false, '[["A", "-infinity"]]', '{"field": "event.A.last", "operator": "within_last", "value": 1e300}');
CALL events_oracle.unit(true, '[["A", "-infinity"]]', '{"field": "event.A.last", "operator": "not_within_last", "value": 1e300}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["B", "4713-01-01 BC"]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(false, '[["A", "-infinity"], ["B", "4713-01-01 BC"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300}]}');
CALL events_oracle.unit(true, '[["A", "-infinity"], ["B", "4713-01-01 BC"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300, "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", "-infinity"], ["B", -1]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300}]}');
CALL events_oracle.unit(false, '[["A", -1], ["B", "infinity"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300}]}');
CALL events_oracle.unit(false, '[["A", "infinity"], ["B", "infinity"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1}]}');
CALL events_oracle.unit(true, '[["A", "infinity"], ["B", "infinity"]]', '{"sequence": [{"event": "A"}, {"event": "B"}]}');
CALL events_oracle.unit(true, '[["A", "4713-01-01 BC"], ["B", "294276-12-31"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300}]}');
CALL events_oracle.unit(false, '[["A", "4713-01-01 BC"], ["B", "294276-12-31"]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1e300, "then_not": true}]}');
CALL events_oracle.unit(false, '[["A", "4713-01-01 BC"], ["B", -1]]', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1000000}]}');

-- ---- sequences in groups --------------------------------------------------------------------------

CALL events_oracle.unit(true, '[["A", -2], ["B", -1]]', '{"logic": "or", "conditions": [{"sequence": [{"event": "B"}, {"event": "A"}]}, {"sequence": [{"event": "A"}, {"event": "B"}]}]}');
CALL events_oracle.unit(false, '[["A", -2], ["B", -1]]', '{"logic": "not", "conditions": [{"sequence": [{"event": "B"}, {"event": "A"}]}], "groups": [{"logic": "or", "conditions": [{"sequence": [{"event": "A"}, {"event": "B"}]}]}]}');
CALL events_oracle.unit(true, '[["A", -2]]', '{"groups": [{"logic": "not", "conditions": [{"sequence": [{"event": "A"}, {"event": "B"}]}]}, {"logic": "not", "conditions": [{"sequence": [{"event": "B"}, {"event": "A", "then_not": true}]}]}]}');
CALL events_oracle.unit(true, '[["A", -3], ["B", -2, {"x": 1}, {"y": 1}], ["B", -1, {"x": 1}]]', '{"sequence": [{"event": "A"}, {"event": "B", "where": {"conditions": [{"field": "property.x", "operator": "equals", "value": 1}, {"field": "context.y", "operator": "equals", "value": 1}]}}, {"event": "B", "then_not": true, "where": {"logic": "not", "conditions": [{"field": "property.x", "operator": "equals", "value": 1}]}}]}');
-- null is as if not there
CALL events_oracle.unit(true, '[["A", -1]]', '{"sequence": null, "field": "event.A.count", "operator": "equals", "value": 1, "where": null, "since": null}');
CALL events_oracle.unit(true, '[["A", -2], ["B", -1]]', '{"sequence": [{"event": "A"}, {"event": "B"}], "field": null, "operator": null, "value": null, "where": null, "since": null}');

-- ---- to be refused, or taken ------------------------------------------------------------------------

TRUNCATE oracle.verdict;

CREATE FUNCTION events_oracle.nested_where(levels int) RETURNS text
LANGUAGE sql AS $$
	SELECT '{"field": "event.A.count", "operator": "gte", "value": 1, "where": ' || repeat('{"groups": [', levels - 1)
		|| '{"conditions": [{"field": "property.a", "operator": "is_null"}]}' || repeat(']}', levels - 1) || '}'
$$;

-- sequences
CALL oracle.refused_condition('sequence[1].nope', '{"sequence": [{"event": "A"}, {"event": "B", "nope": 1}]}');
CALL oracle.refused_condition('sequence[0].field', '{"sequence": [{"event": "A", "field": "event.A.count"}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1].since', '{"sequence": [{"event": "A"}, {"event": "B", "since": "2024-01-01"}]}');
CALL oracle.refused_condition('sequence', events_oracle.steps(1));
CALL oracle.refused_condition('sequence', '{"sequence": []}');
CALL oracle.refused_condition('sequence', events_oracle.steps(17));
CALL oracle.refused_condition('sequence', events_oracle.steps(100));
CALL oracle.refused_condition('sequence', '{"sequence": {"event": "A"}}');
CALL oracle.refused_condition('sequence', '{"sequence": "A"}');
CALL oracle.refused_condition('sequence[1]', '{"sequence": [{"event": "A"}, "B"]}');
CALL oracle.refused_condition('sequence[0]', '{"sequence": [null, {"event": "A"}]}');
CALL oracle.refused_condition('sequence[0].then_not', '{"sequence": [{"event": "A", "then_not": true}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1].then_not', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true}, {"event": "C"}]}');
CALL oracle.refused_condition('sequence[1].then_not', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": "yes"}]}');
CALL oracle.refused_condition('sequence[1].then_not', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": 1}]}');
CALL oracle.refused_condition('sequence[0].within_days', '{"sequence": [{"event": "A", "within_days": 7}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1].within_days', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": 0}]}');
CALL oracle.refused_condition('sequence[1].within_days', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": -1}]}');
CALL oracle.refused_condition('sequence[1].within_days', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": "x"}]}');
CALL oracle.refused_condition('within_days', '{"sequence": [{"event": "A"}, {"event": "B"}], "within_days": 0}');
CALL oracle.refused_condition('sequence[1].event', '{"sequence": [{"event": "A"}, {"event": 5}]}');
CALL oracle.refused_condition('sequence[0].event', '{"sequence": [{"event": ""}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1].event', '{"sequence": [{"event": "A"}, {"event": ["B"]}]}');
CALL oracle.refused_condition('sequence[0]', '{"sequence": [{}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1]', '{"sequence": [{"event": "A"}, {"event": null}]}');
CALL oracle.refused_condition('sequence[1].where', '{"sequence": [{"event": "A"}, {"event": "B", "where": {}}]}');
CALL oracle.refused_condition('sequence[1].where.conditions[0].field', '{"sequence": [{"event": "A"}, {"event": "B", "where": {"conditions": [{"field": "event.A.count", "operator": "is_null"}]}}]}');
CALL oracle.refused_condition('operator', '{"sequence": [{"event": "A"}, {"event": "B"}], "operator": "equals"}');
CALL oracle.refused_condition('field', '{"sequence": [{"event": "A"}, {"event": "B"}], "field": "event.A.count"}');
CALL oracle.refused_condition('value', '{"sequence": [{"event": "A"}, {"event": "B"}], "value": false}');
CALL oracle.refused_condition('', '{"sequence": null, "operator": "equals", "value": 1}');
CALL oracle.refused_condition('', '{"sequence": null}');
CALL oracle.refused_condition('field', '{"sequence": false, "field": "event.A.count", "operator": "equals", "value": 1}');
CALL oracle.refused_condition('sequence[0].then_not', '{"sequence": [{"event": "A", "then_not": true}, {"event": "B", "then_not": true}]}');
CALL oracle.refused_condition('sequence[0].then_not', '{"sequence": [{"event": "A", "then_not": false}, {"event": "B"}]}');
CALL oracle.refused_condition('sequence[1].then_not', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": []}]}');
CALL oracle.refused_condition('sequence[1].within_days', '{"sequence": [{"event": "A"}, {"event": "B", "within_days": "NaN"}]}');
CALL oracle.refused_condition('sequence[1].where', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true, "where": true}]}');
CALL oracle.refused_condition('sequence[1].where.conditions[0].value', '{"sequence": [{"event": "A"}, {"event": "B", "then_not": true, "where": {"conditions": [{"field": "property.a", "operator": "in", "value": 1}]}}]}');
CALL oracle.refused_condition('sequence[1].event', '{"sequence": [{"event": "A"}, {"event": true}]}');
CALL oracle.refused_condition('sequence[1].Event', '{"sequence": [{"event": "A"}, {"Event": "B"}]}');
CALL oracle.refused_condition('sequence[0]', '{"sequence": [[], []]}');
CALL oracle.refused_condition('sequence[1]', '{"sequence": [{"event": "A"}, null]}');
CALL oracle.refused_condition('sequence', '{"sequence": true}');
CALL oracle.refused_condition('since', '{"sequence": [{"event": "A"}, {"event": "B"}], "since": "-infinity"}');
CALL oracle.refused_condition('until', '{"sequence": [{"event": "A"}, {"event": "B"}], "until": 5}');
CALL oracle.refused('groups[0].conditions[0].sequence[1].then_not', '{"logic": "not", "groups": [{"logic": "or", "conditions": [{"sequence": [{"event": "A"}, {"event": "B", "then_not": 0}]}]}]}');
CALL oracle.refused_condition('where', '{"sequence": [{"event": "A"}, {"event": "B"}], "where": {"conditions": [{"field": "property.a", "operator": "is_null"}]}}');
CALL oracle.refused_condition('until', '{"sequence": [{"event": "A"}, {"event": "B"}], "since": "2024-01-02", "until": "2024-01-01"}');
CALL oracle.refused_condition('sequence', events_oracle.steps(2), 'campaign');
-- where
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {}}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"logic": "or", "conditions": [], "groups": []}}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": []}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": "property.a"}');
CALL oracle.refused_condition('where.groups[0]', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"groups": [{}]}}');
CALL oracle.refused_condition('where.conditions[0].field', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "trait.a", "operator": "is_null"}]}}');
CALL oracle.refused_condition('where.conditions[0].field', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "event.B.count", "operator": "is_null"}]}}');
CALL oracle.refused_condition('where.conditions[0].field', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "property", "operator": "is_null"}]}}');
CALL oracle.refused_condition('where.conditions[0].within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "property.a", "operator": "is_null", "within_days": 1}]}}');
CALL oracle.refused_condition('where.conditions[0].where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "property.a", "operator": "is_null", "where": {"conditions": [{"field": "property.a", "operator": "is_null"}]}}]}}');
CALL oracle.refused_condition('where.conditions[0].sequence', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [' || events_oracle.steps(2) || ']}}');
CALL oracle.refused_condition('where.conditions[1].operator', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "property.a", "operator": "is_null"}, {"field": "property.a", "operator": "above", "value": 1}]}}');
CALL oracle.refused_condition('where.conditions[0].value', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": {"conditions": [{"field": "context.a", "operator": "in", "value": 1}]}}');
CALL oracle.refused_condition('where' || repeat('.groups[0]', 63), events_oracle.nested_where(66));
CALL oracle.refused_condition('where', '{"field": "trait.a", "operator": "is_null", "where": {"conditions": [{"field": "property.a", "operator": "is_null"}]}}');
CALL oracle.refused_condition('since', '{"field": "trait.a", "operator": "is_null", "since": "2024-01-01"}');
CALL oracle.refused_condition('until', '{"field": "profile.created_at", "operator": "is_null", "until": "2024-01-01"}');
CALL oracle.refused_condition('field', '{"field": "property.a", "operator": "is_null"}');
CALL oracle.refused_condition('field', '{"field": "context.a", "operator": "is_null"}');
-- windows
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "yesterday"}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": 1705276800}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "2023-02-29"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "2024-01-01", "until": "2024-01-01"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "2024-01-01T02:00+02:00", "until": "2024-01-01T00:00Z"}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 0}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": -3}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": -0.0}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": "7"}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": "NaN"}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": "Infinity"}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": true}');
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": {}}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "infinity"}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "-infinity"}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": "now"}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": ""}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": true}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": ["2024-01-01"]}');
CALL oracle.refused_condition('since', '{"field": "event.A.count", "operator": "gte", "value": 1, "since": {}}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "10000-01-01"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "294277-01-01"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "0000-01-01"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "-0001-01-01"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "2024-01-01 BC"}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": 99999999999999999999}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": []}');
CALL oracle.refused_condition('until', '{"field": "event.A.count", "operator": "gte", "value": 1, "until": "2024-01-01", "since": "9999-12-31"}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": 5}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": true}');
CALL oracle.refused_condition('where', '{"field": "event.A.count", "operator": "gte", "value": 1, "where": false}');
-- of a key that stands twice, jsonb keeps the last
CALL oracle.refused_condition('within_days', '{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 7, "within_days": 0}');
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 0, "within_days": 7}');
-- fields
CALL oracle.refused_condition('field', '{"field": "event.A.first_time", "operator": "equals", "value": true}');
CALL oracle.refused_condition('field', '{"field": "event.A.first_time", "operator": "equals", "value": true, "where": {"conditions": [{"field": "property.a", "operator": "is_null"}]}}');
CALL oracle.refused_condition('field', '{"field": "event.A.first_time.x", "operator": "equals", "value": true, "within_days": 1}');
CALL oracle.refused_condition('field', '{"field": "event.A.sum", "operator": "gte", "value": 1}');
CALL oracle.refused_condition('field', '{"field": "event.A.avg", "operator": "gte", "value": 1}');
CALL oracle.refused_condition('field', '{"field": "event.A.median.n", "operator": "gte", "value": 1}');
CALL oracle.refused_condition('field', '{"field": "event.A.count.n", "operator": "gte", "value": 1}');
CALL oracle.refused_condition('field[1]', '{"field": ["event", 5, "count"], "operator": "gte", "value": 1}');
CALL oracle.refused_condition('field', '{"field": "event.A.count", "operator": "gte", "value": 1}', 'campaign');

CALL oracle.taken_condition(events_oracle.steps(2));
CALL oracle.taken_condition('{"sequence": null, "field": "event.A.count", "operator": "gte", "value": 1}');
CALL oracle.taken_condition('{"sequence": [{"event": "A"}, {"event": "B"}], "field": null, "operator": null, "value": null, "where": null}');
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 1e130000}');
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "since": "0001-01-01T00:00+15:59", "until": "9999-12-31T24:00"}');
CALL oracle.taken_condition('{"field": "event.' || repeat('x', 100000) || '.count", "operator": "gte", "value": 1}');
CALL oracle.taken_condition('{"sequence": [{"event": "A"}, {"event": "' || repeat('x', 100000) || '"}]}');
CALL oracle.taken_condition(events_oracle.steps(16));
CALL oracle.taken_condition(events_oracle.nested_where(63));
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 1000000}');
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": null, "since": null, "until": null, "where": null}');
CALL oracle.taken_condition('{"field": "event.A.count", "operator": "gte", "value": 1, "since": "2024-01-01", "until": "2024-01-01T00:00:00.000001"}');
CALL oracle.taken_condition('{"sequence": [{"event": "A"}, {"event": "B", "within_days": 1000000, "then_not": true}], "within_days": 0.25}');
CALL oracle.taken_condition('{"sequence": [{"event": "A", "within_days": null, "then_not": null}, {"event": "B", "within_days": 0.5, "then_not": false}]}');
CALL oracle.taken_condition('{"field": ["event", "", "sum", ""], "operator": "is_null"}');
CALL oracle.taken_condition('{"field": "event.A.first_time", "operator": "equals", "value": true, "until": "2024-01-01"}');

-- What is wrong with how a definition is judged: the path has to be that of the fault exactly, except where the
-- documentation does not say which of two it is: the object then.
CREATE FUNCTION events_oracle.misjudged(v oracle.verdict) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
	place text := '$' || CASE WHEN v.path = '' THEN '' ELSE '.' || v.path END;
BEGIN
	PERFORM stratum.validate_conditions(v.definition, v.target);
	RETURN CASE WHEN v.path IS NOT NULL THEN 'not refused' END;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN CASE
		WHEN v.path IS NULL OR SQLSTATE <> '22023' OR hint = '' OR NOT starts_with(message, 'invalid condition at ' || place || ':')
			THEN format('%s: %s (%s)', SQLSTATE, message, hint) END;
END $$;
