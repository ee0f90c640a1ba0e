-- The condition language: what each operator says to each kind of value.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET TimeZone = 'Asia/Kolkata';  -- nothing may depend on it
SET IntervalStyle = 'postgres';  -- but the text of an interval does

-- "x" is the field; a case says what comes out. Only surprises are printed.
CREATE TEMP TABLE cases (operator text, value jsonb, x jsonb, expected boolean);
CREATE FUNCTION pg_temp.ask(operator text, value jsonb, x jsonb) RETURNS boolean LANGUAGE sql AS $$
  SELECT stratum.traits_match(
    jsonb_build_object('conditions', jsonb_build_array(
      jsonb_build_object('field', 'trait.x', 'operator', operator) ||
      CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END)),
    CASE WHEN x IS NULL THEN '{"y": 1}' ELSE jsonb_build_object('x', x) END)
$$;

-- equality is by JSON type
INSERT INTO cases VALUES
  ('equals', '100', '100', true), ('equals', '100', '"100"', false), ('equals', '1', '1.0', true), ('equals', '1e2', '100.00', true),
  ('equals', '-0.0', '0', true), ('equals', '"a"', '"A"', false), ('equals', 'true', 'true', true), ('equals', 'true', '1', false),
  ('equals', 'true', '"true"', false), ('equals', 'null', 'null', false), ('equals', 'null', '1', false), ('not_equals', 'null', '1', true),
  ('not_equals', 'null', 'null', false), ('not_equals', '"a"', '"b"', true), ('not_equals', '"a"', '"a"', false), ('not_equals', '"a"', '1', true),
  ('not_equals', '"a"', NULL, false), ('equals', '"a"', NULL, false), ('equals', '[1, 2]', '[1, 2.0]', true), ('equals', '[1, 2]', '[2, 1]', false),
  ('equals', '{"a": [1, {"b": null}]}', '{"a": [1, {"b": null}]}', true), ('equals', '{"a": [1, {"b": null}]}', '{"a": [1, {"b": false}]}', false),
  ('equals', '{"a": 1, "bb": 2}', '{"bb": 2.00, "a": 1}', true), ('equals', '[]', '{}', false), ('equals', '[[]]', '[{}]', false), ('equals', '[]', '[]', true),
  ('equals', '["2024-01-01"]', '["2024-01-01T00:00Z"]', false), ('equals', '"2024-01-01"', '"2024-01-01T00:00Z"', false),
  ('equals', '123456789012345678901234567890.5', '123456789012345678901234567890.50', true),
  ('equals', '0.00000000000000000000000000000000000001', '1e-38', true), ('equals', '""', '""', true), ('EQUALS', '"ä"', '"ä"', true), ('equals', '"ä"', '"Ä"', false);
-- lists
INSERT INTO cases VALUES
  ('in', '["a", 1, true, [1], {"k": 1}]', '"a"', true), ('in', '["a", 1, true, [1], {"k": 1}]', '1.0', true), ('in', '["a", 1, true, [1], {"k": 1}]', 'true', true),
  ('in', '["a", 1, true, [1], {"k": 1}]', '[1]', true), ('in', '["a", 1, true, [1], {"k": 1}]', '{"k": 1.0}', true), ('in', '["a", 1, true, [1], {"k": 1}]', '"1"', false),
  ('in', '["a", 1, true, [1], {"k": 1}]', 'false', false), ('in', '["a", 1, true, [1], {"k": 1}]', '[2]', false), ('in', '["a"]', '["a"]', false), ('in', '[]', '"a"', false),
  ('in', '[null]', 'null', false), ('in', '[null]', NULL, false), ('in', '["a", "a", "A"]', '"A"', true), ('in', '["a"]', '"A"', false), ('not_in', '["a"]', '"A"', true),
  ('not_in', '["a"]', '"a"', false), ('not_in', '[]', '1', true), ('not_in', '["a"]', NULL, false), ('not_in', '["a"]', 'null', false), ('not_in', '[null]', '1', true),
  ('contains_any', '["a", 2]', '["b", "a"]', true), ('contains_any', '["a", 2]', '[2.0]', true), ('contains_any', '["a"]', '["A"]', false), ('contains_any', '[]', '["a"]', false),
  ('contains_any', '["a"]', '"a"', false), ('contains_any', '["a"]', '{"a": 1}', false), ('contains_any', '[null]', '[null]', false), ('contains_any', '[[1]]', '[[1]]', true),
  ('contains_any', '["a"]', '[]', false), ('contains_any', '["a"]', NULL, false),
  ('contains_all', '["a", 2]', '[2.0, "x", "a"]', true), ('contains_all', '["a", "a"]', '["a"]', true), ('contains_all', '["a", "b"]', '["a"]', false), ('contains_all', '[]', '[]', true),
  ('contains_all', '[]', '"a"', false), ('contains_all', '[]', NULL, false), ('contains_all', '[null]', '[null]', false), ('contains_all', '[{"k": 1}]', '[{"k": 1}, 2]', true);
-- text: the case of A-Z does not matter, that of other letters does
INSERT INTO cases VALUES
  ('contains', '"SOFT"', '"Microsoft"', true), ('contains', '"soft"', '"SOF"', false), ('contains', '""', '""', true), ('contains', '""', '"a"', true), ('contains', '"a"', '""', false),
  ('contains', '"É"', '"café"', false), ('contains', '"é"', '"CAFé"', true), ('contains', '"aab"', '"AAAB"', true), ('contains', '"[z"', '"a{Z"', false), ('contains', '"@"', '"`"', false),
  ('contains', '1', '"1"', false), ('not_contains', '1', '"1"', false), ('contains', '"1"', '1', false), ('not_contains', '"1"', '1', false), ('not_contains', '"x"', '"abc"', true),
  ('not_contains', '"B"', '"abc"', false), ('not_contains', '"x"', NULL, false), ('contains', '"a"', '{"a": 1}', false), ('not_contains', '"a"', '{"b": 1}', false), ('contains', 'true', 'true', false),
  ('contains', '"VIP"', '["x", "vip"]', true), ('contains', '"vi"', '["vip"]', false), ('contains', '1', '[1.0]', true), ('contains', '"1"', '[1]', false), ('contains', 'true', '[true]', true),
  ('contains', '[1]', '[[1], 2]', true), ('contains', '{"a": "B"}', '[{"a": "b"}]', false), ('not_contains', '"a"', '[]', true), ('not_contains', '"A"', '["a"]', false), ('not_contains', '"a"', '[null]', true),
  ('starts_with', '"Ab"', '"aBc"', true), ('starts_with', '"abc"', '"ab"', false), ('starts_with', '""', '""', true), ('starts_with', '"1"', '1', false), ('starts_with', '"a"', '["a"]', false),
  ('ends_with', '"BC"', '"abc"', true), ('ends_with', '"abc"', '"bc"', false), ('ends_with', '"é"', '"café"', true), ('ends_with', '"a"', NULL, false), ('starts_with', '"日本"', '"日本語"', true);
-- order: numbers, and strings that are JSON numbers
INSERT INTO cases VALUES
  ('greater_than', '5', '5.0001', true), ('greater_than', '5', '5', false), ('greater_than', '5', '"6"', true), ('greater_than', '"5"', '6', true), ('greater_than', '"5e0"', '"6.00"', true),
  ('greater_than', '5', '"abc"', false), ('less_than', '5', '"abc"', false), ('less_than', '5', '""', false), ('less_than', '5', '" 4"', false), ('less_than', '5', '"04"', false), ('less_than', '5', '"+4"', false),
  ('less_than', '5', '".5"', false), ('less_than', '5', '"4."', false), ('less_than', '5', '"-4.25e-1"', true), ('less_than', '5', '"4e"', false), ('less_than', '5', '"0x1"', false), ('less_than', '5', '"NaN"', false),
  ('greater_than', '5', '"Infinity"', false), ('less_than', '5', 'true', false), ('less_than', '5', '[1]', false), ('less_than', '5', NULL, false), ('less_than', '5', 'null', false), ('less_than', '5', '"2024-01-01"', false),
  ('greater_or_equal', '5', '5', true), ('gte', '5', '"5.0"', true), ('gte', '5', '4.99', false), ('less_or_equal', '-5', '-5.0', true), ('lte', '-5', '-4.99', false), ('LTE', '1e1000', '"1e1000"', true),
  ('less_than', '1e1000', '"1e1001"', false), ('greater_than', '0', '"1e1001"', false), ('greater_than', '0', '"1e-1000"', true), ('greater_than', '0', '"1e-1001"', false), ('greater_than', '0', '"1e0001000"', true),
  ('less_than', '0', '"-1e-1000"', true), ('equals', '0', '"0e5"', false), ('gte', '0', '"-0.000e7"', true), ('lte', '0', '"-0"', true), ('greater_than', '9999', '10000', true), ('greater_than', '9999.9999', '10000', true),
  ('less_than', '0.0001', '0.00009999', true), ('greater_than', '99999999', '100000000', true), ('less_than', '-9999', '-10000', true), ('greater_than', '1234567890123456789', '"1234567890123456789.0000000001"', true),
  ('greater_than', '0', to_jsonb(repeat('9', 1000)), true), ('greater_than', '0', to_jsonb(repeat('9', 1001)), false), ('greater_than', '0', to_jsonb('0.' || repeat('1', 999)), true),
  ('greater_than', '0', to_jsonb('0.' || repeat('1', 1000)), false), ('greater_than', '1e999', to_jsonb(repeat('9', 1000)), true), ('greater_than', '0', ('1' || repeat('0', 5000))::jsonb, true),
  ('between', '[1, 3]', '1', true), ('between', '[1, 3]', '3.0', true), ('between', '[1, 3]', '3.01', false), ('between', '["1", 3]', '"2"', true), ('between', '[3, 1]', '2', false), ('between', '[1, 3]', NULL, false),
  ('between', '[1, 3]', '"a"', false);
-- times
INSERT INTO cases VALUES
  ('before', '"2024-03-01"', '"2024-02-29T23:59:59.999999Z"', true), ('before', '"2024-03-01"', '"2024-03-01"', false), ('after', '"2024-03-01T00:00:00Z"', '"2024-03-01T00:00:00.000001"', true),
  ('after', '"2024-03-01T12:00+02:00"', '"2024-03-01 10:00:01"', true), ('before', '"2024-03-01T12:00+02:00"', '"2024-03-01t09:59:59z"', true), ('after', '"2024-03-01"', '"2024-02-29T23:00:00-01:30"', true),
  ('after', '"2024-03-01"', '"2024-02-29T23:00:00-0130"', true), ('after', '"2024-03-01"', '"2024-02-29T23:00:00-02"', true), ('before', '"9999-12-31"', '"2023-02-29"', false), ('before', '"9999-12-31"', '"1900-02-29"', false),
  ('before', '"9999-12-31"', '"2000-02-29"', true), ('before', '"9999-12-31"', '"0001-01-01"', true), ('before', '"9999-12-31"', '"0000-01-01"', false), ('before', '"9999-12-31"', '"2024-13-01"', false),
  ('before', '"9999-12-31"', '"2024-04-31"', false), ('before', '"9999-12-31"', '"2024-1-1"', false), ('before', '"9999-12-31"', '"20240101"', false), ('before', '"9999-12-31"', '" 2024-01-01"', false),
  ('before', '"9999-12-31"', '"2024-01-01 "', false), ('before', '"9999-12-31"', '"2024-01-01Z"', false), ('before', '"9999-12-31"', '"2024-01-01T10"', false), ('before', '"9999-12-31"', '"2024-01-01T10:00:"', false),
  ('before', '"9999-12-31"', '"2024-01-01T10:00:00."', false), ('before', '"9999-12-31"', '"2024-01-01T10:60"', false), ('before', '"9999-12-31"', '"2024-01-01T24:00:00"', true), ('before', '"9999-12-31"', '"2024-01-01T24:00:01"', false),
  ('before', '"2024-01-02T00:00:00.5"', '"2024-01-01T23:59:60.25"', true), ('after', '"2024-01-01T23:59:59.9"', '"2024-01-01T23:59:60"', true), ('before', '"9999-12-31"', '"2024-01-01T10:00:61"', false),
  ('before', '"9999-12-31"', '"2024-01-01T10:00+16:00"', false), ('before', '"9999-12-31"', '"2024-01-01T10:00+15:59"', true), ('before', '"9999-12-31"', '"2024-01-01T10:00+1:00"', false),
  ('before', '"9999-12-31"', '"2024-01-01T10:00 UTC"', false), ('before', '"9999-12-31"', '"now"', false), ('before', '"9999-12-31"', '"infinity"', false), ('before', '"9999-12-31"', '20240101', false), ('after', '"0001-01-01"', 'true', false),
  ('after', '"2024-01-01T00:00:00.000001"', '"2024-01-01T00:00:00.0000014999"', false), ('after', '"2024-01-01T00:00:00.000001"', '"2024-01-01T00:00:00.0000015"', true), ('after', '"2024-01-01"', NULL, false),
  ('after', '"2024-01-01T00:00:00.999999"', '"2024-01-01T00:00:00.9999999999"', true), ('before', '"9999-12-31"', '"2024-01-01T10:00:00,5"', false);
BEGIN;  -- "now" is the transaction's
INSERT INTO cases
SELECT 'within_last', value::jsonb, to_jsonb(to_char((now() + x::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), expected
FROM (VALUES ('30', '0', true), ('30', '1 microsecond', false), ('30', '-720 hours', true), ('30', '-720 hours -1 microsecond', false), ('0', '0', true), ('0', '-1 microsecond', false),
  ('0.5', '-12 hours', true), ('0.5', '-12 hours -1 microsecond', false), ('1e-6', '-86400 microseconds', true), ('1e-6', '-86401 microseconds', false), ('100000000', '-2000 years', true), ('1e300', '-2000 years', true),
  ('99999999.9999999999999999', '-2000 years', true), ('0.1', '-144 minutes', true), ('0.1', '-144 minutes -1 microsecond', false)) v (value, x, expected);
INSERT INTO cases VALUES ('within_last', '30', '"abc"', false), ('within_last', '30', '5', false), ('within_last', '30', NULL, false), ('within_last', '1e6', '"0001-01-01"', true);
INSERT INTO cases
SELECT operator, value::jsonb, to_jsonb(to_char((now() + x::interval) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), expected
FROM (VALUES ('within_next', '30', '0', true), ('within_next', '30', '-1 microsecond', false), ('within_next', '30', '720 hours', true), ('within_next', '30', '720 hours 1 microsecond', false), ('within_next', '0', '0', true),
  ('within_next', '0.5', '12 hours', true), ('Within_Next', '0.5', '12 hours 1 microsecond', false), ('within_next', '1e300', '2000 years', true), ('not_within_last', '30', '0', false), ('not_within_last', '30', '1 microsecond', true),
  ('not_within_last', '30', '-720 hours', false), ('not_within_last', '30', '-720 hours -1 microsecond', true), ('not_within_last', '0', '0', false), ('not_within_last', '1e300', '-2000 years', false)) v (operator, value, x, expected);
INSERT INTO cases VALUES
  ('within_next', '30', '"abc"', false), ('within_next', '30', NULL, false), ('not_within_last', '30', '"abc"', false), ('not_within_last', '30', '5', false), ('not_within_last', '30', 'null', false), ('not_within_last', '30', NULL, false),
  ('anniversary_within', '366', '"2024-02-29T23:00-23:00"', false), ('anniversary_within', '366', '"2024-02-29"', true), ('anniversary_within', '366', '"0001-12-31"', true), ('anniversary_within', '366', '"12-31"', false),
  ('anniversary_within', '366', '5', false), ('anniversary_within', '366', NULL, false);
-- every day of a leap year against a search day by day, at and below the limit; also long ago and to come, with clocks and zones
CREATE FUNCTION pg_temp.days_to(md text) RETURNS int LANGUAGE sql AS $$
  SELECT min(k) FROM generate_series(0, 366) k WHERE to_char((now() AT TIME ZONE 'UTC')::date + k, 'MM-DD') = CASE md WHEN '02-29' THEN '03-01' ELSE md END
$$;
INSERT INTO cases
SELECT 'anniversary_within', to_jsonb(n), to_jsonb(year || '-' || md || clock), n >= days
FROM (SELECT to_char(day, 'MM-DD') AS md, pg_temp.days_to(to_char(day, 'MM-DD')) AS days FROM generate_series(date '2000-01-01', date '2000-12-31', '1 day') day) d,
  (VALUES ('2000', ''), ('1904', 'T23:59:59.999999Z'), ('0004', ' 00:00'), ('9996', 'T05:30+05:30')) y (year, clock), LATERAL (SELECT greatest(x, 0) FROM (VALUES (days), (days + 0.5), (days - 0.001), (days - 1), (0), (366)) v (x)) w (n);
-- regular expressions: one case and no locale
INSERT INTO cases VALUES
  ('matches', '"^a.c$"', '"abc"', true), ('Matches', '"B"', '"abc"', false), ('matches', '"(?i)B"', '"abc"', true), ('matches', '"(?i)É"', '"é"', false), ('matches', '"\\w"', '"é"', false), ('matches', '"^\\S$"', '"日"', true),
  ('matches', '""', '""', true), ('matches', '"^$"', '"a"', false), ('matches', '"a|b"', '"xb"', true), ('matches', '"^(a|b)$"', '"xb"', false), ('matches', '"[[:digit:]]{3}"', '"a123"', true), ('matches', '"\\u00e9"', '"é"', true),
  ('matches', '"\\mvip\\M"', '"a vip"', true), ('matches', '"[[:<:]]vip[[:>:]]"', '"vips"', false), ('matches', '"(?n)^b$"', '"a\nb"', true), ('matches', '"^b$"', '"a\nb"', false), ('matches', '"[]a]b"', '"]b"', true),
  ('matches', '"1"', '1', false), ('matches', '"t"', 'true', false), ('matches', '"a"', '["a"]', false), ('matches', '"a"', '{"a": "a"}', false), ('matches', '""', 'null', false), ('matches', '""', NULL, false),
  ('matches', '"a(?#a (comment)b"', '"ab"', true), ('matches', '"a{,2}"', '"a{,2}"', true), ('matches', '"a{1,3}?b"', '"aab"', true), ('matches', '"x$"', to_jsonb(repeat('日', 9999) || 'x'), true), ('matches', '"x$"', to_jsonb(repeat('日', 10000) || 'x'), false),
  ('matches', '"x"', to_jsonb(repeat('x', 10001)), false), ('matches', '"x"', to_jsonb(repeat('x', 100000)), false), ('matches', to_jsonb(repeat('é', 500)), to_jsonb(repeat('é', 501)), true);
-- samples: against PostgreSQL's own hash and numeric
INSERT INTO cases
SELECT 'in_sample', to_jsonb(p), x, hash * 100 < p * 18446744073709551616
FROM (SELECT to_jsonb('person ' || i), 'person ' || i FROM generate_series(1, 100) i UNION ALL SELECT to_jsonb(i / 8.0), trim_scale(i / 8.0)::text FROM generate_series(-20, 20) i
    UNION ALL SELECT to_jsonb(n), trim_scale(n)::text FROM unnest('{1e3,12345678.90,1e-9,-0.00010,1e40,-1e-40,100000000,1.00000000,9999.9999,-10000.00001}'::numeric[]) n UNION ALL SELECT to_jsonb(b), b::text FROM unnest('{t,f}'::boolean[]) b
    UNION ALL SELECT to_jsonb(repeat('x', n)), repeat('x', n) FROM unnest('{0,55,56,64,65536,200000}'::int[]) n) v (x, t),
  LATERAL (SELECT sum(get_byte(sha256(convert_to(t, 'UTF8')), i) * 256::numeric ^ (7 - i)) AS hash FROM generate_series(0, 7) i) h, unnest('{0,0.0001,10,33.3333333333333333333333333333333333,50,99.99,100}'::numeric[]) p;
INSERT INTO cases VALUES ('in_sample', '100', '[1]', false), ('in_sample', '100', '{}', false), ('in_sample', '100', 'null', false), ('in_sample', '100', NULL, false), ('in_sample', '1e-1000', '"a"', false),
-- the hash of "a" is ca978112ca1bbdca..., so this is it in per cent, and a bit more
  ('in_sample', '79.1374270522381598040075056932352026706212200224399566650390625', '"a"', false), ('in_sample', '79.1374270522381598040075056932352026706212200224399566650390635', '"a"', true);
-- missing and null
INSERT INTO cases VALUES
  ('is_null', NULL, NULL, true), ('is_null', NULL, 'null', true), ('is_null', '5', NULL, true), ('is_null', NULL, '""', false), ('is_null', NULL, '[]', false), ('is_null', NULL, 'false', false),
  ('is_not_null', NULL, NULL, false), ('is_not_null', NULL, 'null', false), ('is_not_null', 'null', '0', true), ('Is_Not_Null', NULL, '{}', true);

SELECT operator, value, left(x::text, 60) AS x, expected AS should_be
FROM cases WHERE pg_temp.ask(operator, value, x) IS DISTINCT FROM expected;
SELECT count(*) AS cases, count(DISTINCT lower(operator)) AS operators FROM cases;
SELECT lower(operator) AS operator, count(*) > count(*) FILTER (WHERE expected) AS some_false, bool_or(expected) AS some_true FROM cases
WHERE lower(operator) IN ('within_next', 'not_within_last', 'anniversary_within', 'matches', 'in_sample') GROUP BY 1 ORDER BY 1;

-- "not" turns an answer round, also that of a missing field
SELECT count(*) AS not_turned_round
FROM (SELECT jsonb_build_object('field', 'trait.x', 'operator', operator) ||
             CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END AS condition,
             CASE WHEN x IS NULL THEN '{}' ELSE jsonb_build_object('x', x) END AS traits, expected
      FROM cases) c
WHERE stratum.traits_match(jsonb_build_object('logic', 'not', 'conditions', jsonb_build_array(condition)), traits) = expected;
COMMIT;

-- ---- groups ---------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.t(definition jsonb) RETURNS boolean LANGUAGE sql AS
  $$ SELECT stratum.traits_match(definition, '{"a": 1, "b": 2}') $$;
SELECT pg_temp.t('{}') AS empty, pg_temp.t('null') AS json_null, pg_temp.t('{"logic": "not"}') AS empty_not,
  pg_temp.t('{"logic": "or", "conditions": [], "groups": null}') AS empty_or, pg_temp.t(NULL) AS sql_null;
SELECT stratum.traits_match('{}', NULL) AS no_traits_empty,
  stratum.traits_match('{"conditions": [{"field": "trait.a", "operator": "is_null"}]}', NULL) AS no_traits;
SELECT logic, a, b, pg_temp.t(jsonb_build_object('logic', logic, 'conditions', jsonb_build_array(
  jsonb_build_object('field', 'trait.a', 'operator', 'equals', 'value', a),
  jsonb_build_object('field', 'trait.b', 'operator', 'equals', 'value', b)))) AS matches
FROM unnest('{and,OR,Not}'::text[]) logic, generate_series(0, 1) a, generate_series(1, 2) b ORDER BY 1, 2, 3;
-- (a = 1 and not (b = 1 or b = 3)) or b = 9
SELECT pg_temp.t('{"logic": "or", "conditions": [{"field": "trait.b", "operator": "equals", "value": 9}], "groups": [
  {"conditions": [{"field": "trait.a", "operator": "equals", "value": 1}], "groups": [
    {"logic": "not", "conditions": [{"field": "trait.b", "operator": "equals", "value": 1}, {"field": "trait.b", "operator": "equals", "value": 3}]}]}]}');
-- any nesting of and, or, not over constant members: against PostgreSQL's own logic
SELECT count(*) AS wrong
FROM generate_series(0, 2) o, generate_series(0, 2) l, generate_series(0, 2) r, generate_series(0, 15) bits,
  LATERAL (SELECT ARRAY(SELECT (bits >> i) & 1 = 1 FROM generate_series(0, 3) i) AS v) x,
  LATERAL (SELECT CASE l WHEN 0 THEN v[1] AND v[2] WHEN 1 THEN v[1] OR v[2] ELSE NOT (v[1] OR v[2]) END AS lv,
                  CASE r WHEN 0 THEN v[3] AND v[4] WHEN 1 THEN v[3] OR v[4] ELSE NOT (v[3] OR v[4]) END AS rv) y,
  LATERAL (SELECT jsonb_build_object('logic', (ARRAY['and', 'or', 'not'])[o + 1], 'groups', jsonb_build_array(
    jsonb_build_object('logic', (ARRAY['and', 'or', 'not'])[l + 1], 'conditions', jsonb_build_array(
      jsonb_build_object('field', 'trait.0', 'operator', 'equals', 'value', true), jsonb_build_object('field', 'trait.1', 'operator', 'contains', 'value', 't'))),
    jsonb_build_object('logic', (ARRAY['and', 'or', 'not'])[r + 1], 'conditions', jsonb_build_array(
      jsonb_build_object('field', 'trait.2', 'operator', 'is_not_null'), jsonb_build_object('field', 'trait.3', 'operator', 'gte', 'value', 1))))) AS definition,
    jsonb_build_object('0', v[1], '1', v[2]::text, '2', CASE WHEN v[3] THEN 1 END, '3', v[4]::int) AS traits) z
WHERE stratum.traits_match(definition, traits) <>
  CASE o WHEN 0 THEN lv AND rv WHEN 1 THEN lv OR rv ELSE NOT (lv OR rv) END;

-- ---- paths ----------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.has(field jsonb, traits jsonb) RETURNS boolean LANGUAGE sql AS $$
  SELECT stratum.traits_match(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', field, 'operator', 'is_not_null'))), traits)
$$;
SELECT pg_temp.has('"trait.a.b.c"', '{"a": {"b": {"c": 0}}}') AS nested, pg_temp.has('"trait.a.b"', '{"a.b": 1}') AS no_split,
  pg_temp.has('["trait", "a.b"]', '{"a.b": 1}') AS dotted, pg_temp.has('["trait", "a.b", "c"]', '{"a.b": {"c": 1}}') AS dotted_nested,
  pg_temp.has('"trait.a.0"', '{"a": [1]}') AS array_index, pg_temp.has('"trait.a.0"', '{"a": {"0": 1}}') AS key_0,
  pg_temp.has('"trait.a.b"', '{"a": "b"}') AS through_scalar, pg_temp.has('"trait.A"', '{"a": 1}') AS exact_case;
SELECT pg_temp.has('"trait.a"', '5') AS root_number, pg_temp.has('"trait.a"', '"a"') AS root_string, pg_temp.has('"trait.a"', '["a"]') AS root_array,
  pg_temp.has('"trait.a"', 'null') AS root_null, pg_temp.has('"trait.0"', '[1]') AS root_index;
-- objects of any size: every key is found, none that is not there
SELECT n, bool_and(pg_temp.has(to_jsonb('trait.' || k), o)) AS all_found, bool_or(pg_temp.has(to_jsonb('trait.' || k || 'x'), o)) AS others_found
FROM unnest(ARRAY[1, 31, 32, 33, 64, 65, 500]) n,
  LATERAL (SELECT jsonb_object_agg(repeat('k', i % 7) || i, i) AS o FROM generate_series(1, n) i) q, LATERAL jsonb_object_keys(o) k
GROUP BY n ORDER BY n;
-- other fields than traits are missing, but counts and existence of events
SELECT stratum.traits_match(d, '{}') AS matches, d #>> '{conditions,0,field}' AS field, d #>> '{conditions,0,operator}' AS operator
FROM (SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', f, 'operator', o, 'value', v))) AS d
      FROM (VALUES ('computed.x', 'is_null', NULL), ('consent.x', 'is_null', NULL), ('profile.email', 'is_null', NULL), ('identifier.email', 'is_null', NULL),
              ('event.A.count', 'equals', '0'::jsonb), ('event.A.exists', 'equals', 'false'), ('event.A.count', 'is_null', NULL), ('event.A.first', 'is_null', NULL),
              ('event.A.property.x', 'is_null', NULL)) v (f, o, v)) x;

-- ---- rows -----------------------------------------------------------------------------------------
CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN pg_temp.score AS int;
CREATE TEMP TABLE p (gone int, id int, tenant_id int, email text, phone varchar(20), external_id text, anonymous_id text, traits jsonb, computed_traits jsonb, consent jsonb,
  b boolean, i2 smallint, i8 bigint, f4 real, f8 double precision, n numeric, c char(5), u uuid, m pg_temp.mood, s pg_temp.score, ip inet,
  tz timestamptz, ts timestamp, d date, j json, arr text[], iv interval, r int4range, by bytea);
ALTER TABLE p DROP COLUMN gone;
INSERT INTO p VALUES (1, 1, 'a@b.c', '', NULL, 'x', '{"v": 1}', '{"v": 2}', '{"v": null}', true, -5, 9007199254740993, 0.1, 1e300, 12.50, 'ab', '00000000-0000-0000-0000-00000000000a', 'ok', 7, '10.0.0.1',
  '2024-03-01 12:00+02', '2024-03-01 10:00', '2024-03-01', '{"k": [1]}', '{a,b}', '1 day', '[1,5)', '\x01');
INSERT INTO p (id) VALUES (2);
CREATE FUNCTION pg_temp.row_is(field text, operator text, value jsonb, which int DEFAULT 1) RETURNS boolean LANGUAGE sql AS $$
  SELECT stratum.segment_matches(jsonb_build_object('conditions', jsonb_build_array(
    jsonb_build_object('field', field, 'operator', operator) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END)), p)
  FROM pg_temp.p WHERE id = which
$$;
SELECT field, operator, value, expected AS should_be
FROM (VALUES ('trait.v', 'equals', '1'::jsonb, true), ('computed.v', 'equals', '2', true), ('consent.v', 'is_null', NULL, true), ('identifier.email', 'equals', 'true', true),
  ('identifier.phone', 'equals', 'false', true), ('identifier.external_id', 'equals', 'false', true), ('identifier.anonymous_id', 'equals', 'true', true), ('identifier.external_id', 'is_null', NULL, false),
  ('profile.traits', 'equals', '{"v": 1}', true), ('profile.b', 'equals', 'true', true), ('profile.i2', 'equals', '-5', true), ('profile.i2', 'equals', '"-5"', false), ('profile.i8', 'equals', '9007199254740993', true),
  ('profile.i8', 'greater_than', '9007199254740992', true), ('profile.f4', 'equals', '0.1', true), ('profile.f8', 'equals', '1e300', true), ('profile.f8', 'gte', '"1e300"', true), ('profile.n', 'between', '[12.5, 12.5]', true),
  ('profile.c', 'equals', '"ab   "', true), ('profile.c', 'starts_with', '"AB"', true), ('profile.u', 'ends_with', '"000A"', true), ('profile.m', 'in', '["sad", "ok"]', true), ('profile.s', 'less_than', '8', true),
  ('profile.ip', 'starts_with', '"10."', true), ('profile.j', 'equals', '{"k": [1]}', true), ('profile.arr', 'contains_all', '["a", "b"]', true), ('profile.iv', 'equals', '"1 day"', true), ('profile.r', 'equals', '"[1,5)"', true),
  ('profile.by', 'equals', '"\\x01"', true), ('profile.tz', 'equals', '"2024-03-01T10:00Z"', true), ('profile.tz', 'not_equals', '"2024-03-01T10:00Z"', false), ('profile.tz', 'not_equals', '"abc"', true), ('profile.tz', 'equals', '5', false),
  ('profile.tz', 'in', '["x", "2024-03-01T12:00:00+02:00"]', true), ('profile.tz', 'not_in', '["2024-03-01"]', true), ('profile.ts', 'gte', '"2024-03-01T10:00"', true), ('profile.d', 'between', '["2024-03-01", "2024-03-02"]', true),
  ('profile.d', 'less_than', '"2024-03-01T00:00:00.000001Z"', true), ('profile.tz', 'before', '"2024-03-02"', true), ('profile.tz', 'within_last', '1', false), ('profile.tz', 'contains', '"2024"', false), ('profile.tz', 'is_not_null', NULL, true),
  ('profile.id', 'equals', '1', true)) c (field, operator, value, expected)
WHERE pg_temp.row_is(field, operator, value) IS DISTINCT FROM expected;
-- times of columns: microseconds since 2000 in a sample, anniversaries in UTC
SELECT pg_temp.row_is('profile.tz', 'anniversary_within', '366') AS anniversary, pg_temp.row_is('profile.tz', 'within_next', '1e6') AS to_come, pg_temp.row_is('profile.tz', 'not_within_last', '1') AS not_recent,
  pg_temp.row_is('profile.tz', 'not_within_last', '1e6') AS recent, pg_temp.row_is('profile.tz', 'matches', '"2024"') AS no_text, pg_temp.row_is('profile.email', 'matches', '"^[^@]+@[^@]+$"') AS text;
SELECT bool_and(pg_temp.row_is(f, 'in_sample', to_jsonb(n)) = (sum * 100 < n * 18446744073709551616)) AS sampled
FROM (VALUES ('profile.tz', '762602400000000'), ('profile.ts', '762602400000000'), ('profile.d', '762566400000000'), ('profile.i8', '9007199254740993'), ('profile.n', '12.5'), ('profile.f4', '0.1'), ('profile.b', 'true'), ('profile.m', 'ok')) v (f, t),
  LATERAL (SELECT sum(get_byte(sha256(t::bytea), i) * 256::numeric ^ (7 - i)) FROM generate_series(0, 7) i) h, generate_series(0, 100, 5) n;
SELECT bool_and(pg_temp.row_is(f, 'is_null', NULL, 2)) AS nulls_are_missing, bool_or(pg_temp.row_is(f, 'not_equals', '0', 2)) AS nulls_differ
FROM unnest('{trait.v,profile.b,profile.i2,profile.f8,profile.n,profile.c,profile.tz,profile.d,profile.j,profile.arr,profile.traits}'::text[]) f;
-- what no JSON number can be, the ends of time, JSON null in a column
UPDATE p SET f4 = 'NaN', f8 = '-Infinity', n = 'Infinity', tz = 'infinity', ts = '-infinity', d = 'infinity', traits = 'null', j = '{"k": "\u0000"}', computed_traits = '[1]', consent = '"v"' WHERE id = 2;
SELECT pg_temp.row_is('profile.f4', 'equals', '"NaN"', 2) AND pg_temp.row_is('profile.f8', 'equals', '"-Infinity"', 2) AND pg_temp.row_is('profile.n', 'equals', '"Infinity"', 2) AS strings,
  pg_temp.row_is('profile.f4', 'gte', '0', 2) OR pg_temp.row_is('profile.f8', 'lte', '0', 2) OR pg_temp.row_is('profile.n', 'gte', '0', 2) AS ordered,
  pg_temp.row_is('profile.tz', 'after', '"9999-12-31"', 2) AND pg_temp.row_is('profile.ts', 'before', '"0001-01-01"', 2) AND pg_temp.row_is('profile.d', 'after', '"9999-12-31"', 2) AS ends_of_time,
  pg_temp.row_is('profile.traits', 'is_null', NULL, 2) AS json_null, pg_temp.row_is('profile.j', 'is_null', NULL, 2) AS impossible_json, pg_temp.row_is('profile.computed_traits', 'contains', '1', 2) AS root_array,
  pg_temp.row_is('profile.consent', 'equals', '"v"', 2) AS root_scalar, pg_temp.row_is('consent.v', 'is_null', NULL, 2) AS key_of_scalar;
SELECT pg_temp.row_is('profile.' || f, 'anniversary_within', '366', 2) AS anniversary, pg_temp.row_is('profile.' || f, 'in_sample', '100', 2) AS in_sample, pg_temp.row_is('profile.' || f, 'not_within_last', '1', 2) AS not_recent,
  pg_temp.row_is('profile.' || f, 'within_next', '1', 2) AS soon FROM unnest('{tz,ts,d}'::text[]) f;
UPDATE p SET tz = '0005-02-29 12:00+00 BC', ts = '4713-12-31 BC', d = '4713-01-01 BC' WHERE id = 2;
SELECT bool_and(pg_temp.row_is(f, 'anniversary_within', to_jsonb(n), 2) = (n >= pg_temp.days_to(md))) AS before_christ FROM (VALUES ('profile.tz', '02-29'), ('profile.ts', '12-31'), ('profile.d', '01-01')) v (f, md), generate_series(0, 366) n;
UPDATE p SET d = '5874897-12-31', ts = '294276-12-31', f8 = 5e-324, i8 = '-9223372036854775808' WHERE id = 2;
SELECT pg_temp.row_is('profile.d', 'after', '"9999-12-31"', 2) AS far_date, pg_temp.row_is('profile.f8', 'greater_than', '0', 2) AS least_float, pg_temp.row_is('profile.i8', 'equals', '-9223372036854775808', 2) AS least_bigint;
-- a row that is NULL; any row type with the columns by name
SELECT stratum.segment_matches('{}', NULL::p) AS null_row, stratum.segment_matches(NULL, p) AS null_conditions FROM p WHERE id = 1;
SELECT stratum.segment_matches('{"conditions": [{"field": "trait.v", "operator": "equals", "value": 1}, {"field": "profile.extra", "operator": "equals", "value": 2}]}', q) AS sub_query
FROM (SELECT 2 AS extra, traits FROM p WHERE id = 1) q;
-- one expression, rows of two types
CREATE FUNCTION pg_temp.two_types(which int) RETURNS record LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  IF which = 1 THEN
    SELECT '{"v": 1}'::jsonb AS traits INTO r;
  ELSE
    SELECT 5 AS other, '{"v": 2}'::jsonb AS traits INTO r;
  END IF;
  RETURN r;
END $$;
SELECT i, stratum.segment_matches('{"conditions": [{"field": "trait.v", "operator": "gte", "value": 2}]}', pg_temp.two_types(i % 2))
FROM generate_series(1, 4) i;

-- ---- campaigns ------------------------------------------------------------------------------------
CREATE TEMP TABLE c (id int, status text, total_spend_cents int, revenue_cents bigint, cpc_cents int, cpm_cents int, cpa_cents int, conversions int, clicks int, roas float, labels jsonb, start_date date);
INSERT INTO c VALUES (1, 'active', 12345, -5, 10, NULL, 0, 1, 3, 2.5, '["a"]', '2024-01-01');
INSERT INTO c (id, revenue_cents, conversions, clicks) VALUES (2, 9223372036854775807, 5, 0);
CREATE FUNCTION pg_temp.campaign_is(field text, operator text, value jsonb, which int DEFAULT 1) RETURNS boolean LANGUAGE sql AS $$
  SELECT stratum.campaign_matches(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', field, 'operator', operator, 'value', value))), c) FROM pg_temp.c WHERE id = which
$$;
SELECT pg_temp.campaign_is('spend', 'equals', '123.45') AS spend, pg_temp.campaign_is('revenue', 'equals', '-0.05') AS revenue, pg_temp.campaign_is('cpc', 'equals', '0.1') AS cpc, pg_temp.campaign_is('cpm', 'is_null', NULL) AS cpm,
  pg_temp.campaign_is('cpa', 'equals', '0') AS cpa, pg_temp.campaign_is('revenue', 'equals', '92233720368547758.07', 2) AS great_revenue, pg_temp.campaign_is('spend', 'is_null', NULL, 2) AS no_spend;
SELECT pg_temp.campaign_is('conversion_rate', 'between', '[33.33333, 33.33334]') AS rate, pg_temp.campaign_is('conversion_rate', 'is_null', NULL, 2) AS no_clicks,
  pg_temp.campaign_is('campaign.status', 'equals', '"active"') AS column, pg_temp.campaign_is('status', 'in', '["active"]') AS bare, pg_temp.campaign_is('labels', 'contains', '"A"') AS json,
  pg_temp.campaign_is('start_date', 'lte', '"2024-01-01"') AS date, pg_temp.campaign_is('roas', 'gte', '2.5') AS roas;

-- ---- what is kept and what is not -----------------------------------------------------------------
-- definitions that change from row to row
SELECT i, stratum.traits_match(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.a', 'operator', 'equals', 'value', i / 2))), '{"a": 1}')
FROM generate_series(0, 5) i;
-- a function that is called in two transactions of one session: relative times move on
CREATE FUNCTION pg_temp.recent(at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN stratum.traits_match('{"conditions": [{"field": "trait.at", "operator": "within_last", "value": 0.000002}]}', jsonb_build_object('at', at));
END $$;
SELECT now() AS moment \gset
BEGIN;
SELECT pg_temp.recent(now()) AS at_once;
COMMIT;
SELECT pg_sleep(0.3) \g /dev/null
SELECT pg_temp.recent(:'moment') AS later, pg_temp.recent(now()) AS at_once;
-- a table whose columns change between two calls
CREATE TEMP TABLE shape (a int, traits jsonb);
INSERT INTO shape VALUES (1, '{"v": 1}');
CREATE FUNCTION pg_temp.shape_is() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  SELECT * INTO r FROM pg_temp.shape;
  RETURN stratum.segment_matches('{"conditions": [{"field": "trait.v", "operator": "equals", "value": 1}]}', r);
END $$;
BEGIN;
SELECT pg_temp.shape_is();
ALTER TABLE shape DROP COLUMN a, ADD COLUMN b text DEFAULT 'x';
SELECT pg_temp.shape_is();
ALTER TABLE shape RENAME TO shape_before;
CREATE TEMP TABLE shape AS SELECT 'y' AS b, '{"v": 2}'::jsonb AS traits;
SELECT pg_temp.shape_is();
COMMIT;
-- regular expressions that take others forever: refused, or done; and what takes a while can be cancelled (one message: no later statement is timed out)
CREATE TEMP TABLE pathological AS SELECT repeat('a', 9999) || 'b' AS x, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 312) i) AS y;
SELECT clock_timestamp() AS start \gset
CREATE FUNCTION pg_temp.matches(pattern text, x text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_temp.ask('matches', to_jsonb(pattern), to_jsonb(x));
EXCEPTION WHEN invalid_parameter_value THEN
  RETURN regexp_replace(SQLERRM, '^.*value: ', '');
END $$;
SELECT left(pattern, 40) AS pattern, pg_temp.matches(pattern, x) AS a, pg_temp.matches(pattern, y) AS hex
FROM pathological, unnest(ARRAY['(a+)+$', '(a*)*$', '(a|aa)+$', '(a|a?)+$', '(.*a){20}$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(x+x+)+y', '[0-9a-f]*[0-8](?:[0-9a-f]{100}){10}z', '(((((a+)+)+)+)+)+$',
  '(a{1,250}){1,250}', '((a{0,9}){0,99}){0,99}', '(a*){255}$', '((a*){50}){50}', '(?:(?:\y){20}a)*', repeat('a?', 450), repeat('(', 480) || 'a' || repeat(')', 480), repeat('(', 200) || 'a' || repeat(')+', 200),
  repeat('(', 100) || 'a' || repeat(')+?', 100), '(?:\w{1,63}\.){1,200}']) WITH ORDINALITY AS p (pattern, n) ORDER BY n;
SELECT clock_timestamp() - :'start'::timestamptz < '60 s' AS soon;
SET LOCAL statement_timeout = '5ms' \; SELECT pg_temp.matches('(a*){255}c|(b*){80}c', 'a');
SET LOCAL statement_timeout = '5ms' \; SELECT count(*) FROM pathological WHERE pg_temp.matches('(.*[0-8].{255}){10}z', y || length(x)) = 'true' OR pg_temp.matches('[0-9a-f]*[0-8](?:[0-9a-f]{100}){10}z', y) = 'true';
DROP TABLE pathological;
-- many of them, compiled anew for each row
SELECT count(*) FILTER (WHERE pg_temp.matches('^.{' || i % 250 || '}$', repeat('x', i % 250)) = 'true') FROM generate_series(1, 3000) i;
-- values that are compressed, and stored out of line
CREATE TEMP TABLE big (id int, traits jsonb);
ALTER TABLE big ALTER COLUMN traits SET STORAGE MAIN;
INSERT INTO big SELECT 1, jsonb_build_object('v', 1, 'pad', repeat('x', 100000));
ALTER TABLE big ALTER COLUMN traits SET STORAGE EXTERNAL;
INSERT INTO big SELECT 2, jsonb_build_object('v', 2, 'pad', string_agg(md5(i::text), '')) FROM generate_series(1, 10000) i;
INSERT INTO big VALUES (3, '{"v": 3}');
SELECT id, pg_column_size(traits) < 10000 AS small,
  stratum.traits_match(d, traits) AS traits, stratum.segment_matches(d, big) AS row
FROM big, (SELECT '{"conditions": [{"field": "trait.v", "operator": "in", "value": [1, 2, 3]}, {"field": "trait.pad", "operator": "not_contains", "value": "zz"}]}'::jsonb AS d) d ORDER BY id;
CREATE TEMP TABLE stored AS SELECT jsonb_build_object('conditions', jsonb_agg(jsonb_build_object('field', 'trait.v', 'operator', 'in', 'value', jsonb_build_array(1, repeat('y', i))))) AS d FROM generate_series(1, 500) i;
SELECT stratum.traits_match(d, '{"v": 1}') FROM stored;
-- many conditions
SELECT n, stratum.traits_match(jsonb_build_object('logic', 'or', 'conditions', jsonb_agg(jsonb_build_object('field', 'trait.k' || i, 'operator', 'equals', 'value', i))), '{"k1": 1}')
FROM generate_series(50000, 100000, 50000) n, generate_series(1, n) i GROUP BY n;
DROP TABLE cases, p, c, shape, shape_before, big, stored;
