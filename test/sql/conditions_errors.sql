-- Definitions that mean nothing: the place, the fault, and a hint that names what is allowed.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.refusal(definition jsonb, target text DEFAULT 'profile') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  PERFORM stratum.validate_conditions(definition, target);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || ' | ' || left(hint, 60);
END $$;
CREATE FUNCTION pg_temp.one(condition jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('conditions', jsonb_build_array(condition)) $$;
CREATE FUNCTION pg_temp.x(operator text, value jsonb DEFAULT NULL, field text DEFAULT 'trait.x') RETURNS jsonb LANGUAGE sql AS $$
  SELECT pg_temp.one(jsonb_build_object('field', field, 'operator', operator) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END)
$$;
\pset tuples_only
-- shape
SELECT pg_temp.refusal(d) FROM (VALUES (1, '5'::jsonb), (2, '[]'), (3, '"x"'), (4, '{"foo": 1}'), (5, '{"logic": "xor"}'), (6, '{"logic": 1}'), (7, '{"conditions": {}}'), (8, '{"groups": "x"}'), (9, '{"conditions": [1]}'),
  (10, '{"conditions": [null]}'), (11, '{"groups": [[]]}'), (12, '{"groups": [{}]}'), (13, '{"groups": [{"logic": "or", "conditions": []}]}'), (14, '{"conditions": [{"logic": "or"}]}'), (15, '{"conditions": [{"operator": "equals"}]}'),
  (16, '{"conditions": [{"field": "trait.x"}]}'), (17, '{"conditions": [{"field": null, "operator": "equals"}]}'), (18, '{"conditions": [{"field": "trait.x", "operator": "is_null", "a b": 1}]}'),
  (19, '{"conditions": [{"field": "trait.x", "operator": "is_null"}], "groups": [{"conditions": [{"field": "trait.x", "operator": "is_null"}, {"field": "trait.x", "operator": "is_nil"}]}]}')) v (n, d) ORDER BY n;
-- what is no fault
SELECT pg_temp.refusal(d) FROM (VALUES (1, 'null'::jsonb), (2, '{}'), (3, NULL), (4, '{"logic": null, "conditions": null, "groups": null}'), (5, '{"logic": "NOT"}'),
  (6, '{"conditions": [{"field": "trait.x", "operator": "IS_NULL", "value": {}, "within_days": null}]}')) v (n, d) ORDER BY n;
-- fields
SELECT pg_temp.refusal(pg_temp.one(jsonb_build_object('field', f, 'operator', 'is_null'))) FROM (VALUES (1, '""'::jsonb), (2, '"x"'), (3, '"trait"'), (4, '"trait."'), (5, '"trait..x"'), (6, '".x"'), (7, '5'), (8, '[]'), (9, '["trait", 5]'),
  (10, '["profile", ""]'), (11, '["trait"]'), (12, '"Trait.x"'), (13, '"traits.x"'), (14, '"profile.nope"'), (15, '"profile.email.x"'), (16, '"profile.ctid"'), (17, '"identifier.nope"'), (18, '"identifier"'), (19, '"event.A"'), (20, '"event.A.sum"'),
  (21, '"event.A.count.x"'), (22, '"event.A.property"'), (23, '"event.A.property.x"'), (24, '["event", "a.b", "count"]'), (25, '"campaign.name"'), (26, '{"a": 1}'), (27, '"profile.email"'), (28, to_jsonb('trait' || repeat('é', 100)))) v (n, f) ORDER BY n;
SELECT pg_temp.refusal(pg_temp.one(jsonb_build_object('field', f, 'operator', 'is_null')), 'campaign') FROM (VALUES (1, 'trait.x'), (2, 'nope'), (3, 'campaign.nope'), (4, 'campaign.spend'), (5, 'spend'), (6, 'conversion_rate'), (7, 'status'), (8, 'campaign.status'),
  (9, 'campaign.raw_data.x'), (10, 'event.A.count')) v (n, f) ORDER BY n;
-- operators and values
SELECT pg_temp.refusal(pg_temp.x('nope', '1'));
SELECT pg_temp.refusal(pg_temp.one('{"field": "trait.x", "operator": 5}'));
SELECT o, pg_temp.refusal(pg_temp.x(o)) FROM unnest('{equals,not_equals,contains,starts_with,greater_than,between,in,contains_all,before,within_last,is_null,within_next,not_within_last,anniversary_within,matches,in_sample}'::text[]) o;
SELECT o, v, pg_temp.refusal(pg_temp.x(o, v)) FROM (VALUES (1, 'contains', 'null'::jsonb), (2, 'in', 'null'), (3, 'in', '"a"'), (4, 'not_in', '{"a": 1}'), (5, 'contains_any', '1'), (6, 'starts_with', '1'), (7, 'ends_with', '["a"]'), (8, 'greater_than', '"abc"'),
  (9, 'gte', '"2024-01-01"'), (10, 'less_than', 'true'), (11, 'less_than', '"1e1001"'), (12, 'less_than', '[1]'), (13, 'between', '5'), (14, 'between', '[1]'), (15, 'between', '[1, 2, 3]'), (16, 'between', '[1, "b"]'), (17, 'between', '[1, null]'), (18, 'before', '"x"'),
  (19, 'after', '20240101'), (20, 'before', '"2023-02-29"'), (21, 'within_last', '-1'), (22, 'within_last', '"30"'), (23, 'within_last', '"abc"'), (24, 'equals', 'null'), (25, 'in', '[]'), (26, 'between', '["1", 2e3]'), (27, 'within_last', '0.5')) v (n, o, v) ORDER BY n;
SELECT o, left(v::text, 40), pg_temp.refusal(pg_temp.x(o, v)) FROM (VALUES (1, 'within_next', '-1'::jsonb), (2, 'within_next', '"7"'), (3, 'not_within_last', 'true'), (4, 'not_within_last', '0'), (5, 'anniversary_within', '367'), (6, 'anniversary_within', '366.0001'),
  (7, 'anniversary_within', '-0.1'), (8, 'anniversary_within', '"7"'), (9, 'anniversary_within', '366'), (10, 'in_sample', '101'), (11, 'in_sample', '-1'), (12, 'in_sample', '"10"'), (13, 'in_sample', '100.00'), (14, 'matches', '5'), (15, 'matches', 'null'),
  (16, 'matches', '"(a"'), (17, 'matches', '"a)"'), (18, 'matches', '"[b-a]"'), (19, 'matches', '"a**"'), (20, 'matches', '"+"'), (21, 'matches', '"(a)\\1"'), (22, 'matches', '"[(a)\\1]"'), (23, 'matches', '"a(?=b)"'), (24, 'matches', '"(?<!b)a"'), (25, 'matches', '"(?z)a"'),
  (26, 'matches', '"(?b)\\(a\\{1,250\\}\\)\\{1,250\\}"'), (27, 'matches', '"***=a"'), (28, 'matches', '"(a{1,250}){1,250}"'), (29, 'matches', to_jsonb(repeat('a', 1001))), (30, 'matches', to_jsonb(repeat('a', 1000))), (31, 'matches', '"[[:nope:]]"'), (32, 'matches', '"\\"'),
  (33, 'matches', '"(?<name>a)"'), (34, 'matches', '"a{300}"'), (35, 'matches', '"[(?=a)]"'), (36, 'matches', '"\\(?=a"')) v (n, o, v) ORDER BY n;
-- times are ordered by ISO strings
SELECT v, pg_temp.refusal(pg_temp.x('greater_than', v, f)) FROM (VALUES (1, 'profile.created_at', '5'::jsonb), (2, 'profile.created_at', '"x"'), (3, 'profile.created_at', '"2024-01-01"'), (4, 'event.A.last', '5'), (5, 'event.A.last', '"2024-01-01"'), (6, 'event.A.count', '"2024-01-01"')) v (n, f, v) ORDER BY n;
-- windows
SELECT pg_temp.refusal(pg_temp.one(jsonb_build_object('field', f, 'operator', 'is_not_null', 'within_days', w))) FROM (VALUES (1, 'event.A.count', '0'::jsonb), (2, 'event.A.count', '-1'), (3, 'event.A.count', '"7"'), (4, 'event.A.count', '0.5'), (5, 'trait.x', '7'), (6, 'event.A.property.x', '7')) v (n, f, w) ORDER BY n;
-- depth
CREATE FUNCTION pg_temp.nest(depth int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  d jsonb := '{"conditions": [{"field": "trait.x", "operator": "equals", "value": 1}]}';
BEGIN
  FOR i IN 2..depth LOOP
    d := jsonb_build_object('groups', jsonb_build_array(d));
  END LOOP;
  RETURN d;
END $$;
SELECT pg_temp.refusal(pg_temp.nest(64)), stratum.traits_match(pg_temp.nest(64), '{"x": 1}');
SELECT left(pg_temp.refusal(pg_temp.nest(65)), 60), pg_temp.refusal(pg_temp.nest(65)) LIKE '%nested deeper than 64 levels%';
-- a value may be nested deeper than the stack would bear
SELECT stratum.traits_match(pg_temp.x('equals', (repeat('[', 5000) || repeat(']', 5000))::jsonb), jsonb_build_object('x', (repeat('[', 5000) || repeat(']', 5000))::jsonb));
-- arguments
SELECT stratum.validate_conditions('{}', 'Profile');
SELECT stratum.validate_conditions('{}', NULL);
SELECT stratum.segment_matches('{}', 5);
SELECT stratum.campaign_matches('{}', 'x'::text);
SELECT stratum.segment_matches('{"conditions": [{"field": "profile.nope", "operator": "is_null"}]}', q) FROM (SELECT '{}'::jsonb AS traits) q;
SELECT stratum.segment_matches('{"conditions": [{"field": "profile.email", "operator": "is_null"}, {"field": "event.A.count", "operator": "is_null"}]}', q) FROM (SELECT '{}'::jsonb AS traits, 1 AS id) q;
SELECT stratum.segment_matches('{"conditions": [{"field": "trait.x", "operator": "is_null"}]}', q) FROM (SELECT '{}'::text AS traits) q;
SELECT stratum.segment_matches('{"conditions": [{"field": "event.A.count", "operator": "is_null"}]}', q) FROM (SELECT 'a' AS id, 1 AS tenant_id) q;
SELECT stratum.traits_match('{"conditions": [{"field": "trait.x", "operator": "nope"}]}', '{}');
-- written into a table
INSERT INTO stratum.cdp_segments (tenant_id, name, conditions) VALUES (NULL, 'x', '{"conditions": [{"field": "trait.x", "operator": "nope"}]}');
INSERT INTO stratum.rules (tenant_id, name, conditions, actions) VALUES (NULL, 'x', '{"conditions": [{"field": "trait.x", "operator": "is_null"}]}', '[]');
\pset tuples_only
