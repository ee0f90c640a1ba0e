--
-- Conditions over traits with the answers worked out by hand from the documentation; both
-- interpreters are held to them. Needs oracle.sql. The clock of these cases stands still: what
-- depends on the time says so with {now-N} for a time N days ago.
--
CREATE TABLE oracle.unit (
	id serial PRIMARY KEY,
	conditions jsonb NOT NULL,
	traits jsonb,
	expected boolean NOT NULL
);

-- One condition on trait.f; value NULL for none.
CREATE PROCEDURE oracle.unit_case(operator text, value text, held text, expected boolean)
LANGUAGE sql AS $$
	INSERT INTO oracle.unit (conditions, traits, expected) VALUES (
		jsonb_build_object('conditions', jsonb_build_array(
			jsonb_build_object('field', 'trait.f', 'operator', operator)
			|| CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value::jsonb) END)),
		CASE WHEN held IS NULL THEN '{"other": 1}' ELSE jsonb_build_object('f', held::jsonb) END,
		expected)
$$;

-- {now-N} in a text: that time, in UTC
CREATE FUNCTION oracle.at_clock(document jsonb, now timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
	s text := document::text;
	m text[];
BEGIN
	LOOP
		m := regexp_match(s, '\{now([-+][0-9.]+)\}');
		EXIT WHEN m IS NULL;
		s := replace(s, '{now' || m[1] || '}',
			to_char((now + m[1]::numeric * 86400 * interval '1 second') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
	END LOOP;
	RETURN s::jsonb;
END $$;

-- equality is by JSON type, and deep
CALL oracle.unit_case('equals', '100', '100', true);
CALL oracle.unit_case('equals', '100', '"100"', false);
CALL oracle.unit_case('equals', '"100"', '100', false);
CALL oracle.unit_case('equals', '1', '1.0', true);
CALL oracle.unit_case('equals', '1e2', '100.000', true);
CALL oracle.unit_case('equals', '0', '-0', true);
CALL oracle.unit_case('equals', '9007199254740993', '9007199254740992', false);
CALL oracle.unit_case('equals', '"US"', '"us"', false);
CALL oracle.unit_case('equals', '"US"', '"US"', true);
CALL oracle.unit_case('equals', '"é"', '"e\u0301"', false);
CALL oracle.unit_case('equals', 'true', 'true', true);
CALL oracle.unit_case('equals', 'true', '"true"', false);
CALL oracle.unit_case('equals', 'true', '1', false);
CALL oracle.unit_case('equals', 'null', 'null', false);
CALL oracle.unit_case('equals', 'null', NULL, false);
CALL oracle.unit_case('equals', '[1, 2]', '[1.0, 2]', true);
CALL oracle.unit_case('equals', '[1, 2]', '[2, 1]', false);
CALL oracle.unit_case('equals', '{"a": 1, "b": [null]}', '{"b": [null], "a": 1.00}', true);
CALL oracle.unit_case('equals', '{"a": 1}', '{"a": 1, "b": 2}', false);
CALL oracle.unit_case('equals', '[1]', '1', false);
CALL oracle.unit_case('equals', '{}', '[]', false);
CALL oracle.unit_case('not_equals', '100', '"100"', true);
CALL oracle.unit_case('not_equals', '100', '100.0', false);
CALL oracle.unit_case('not_equals', '100', 'null', false);
CALL oracle.unit_case('not_equals', '100', NULL, false);
CALL oracle.unit_case('not_equals', 'null', '0', true);
CALL oracle.unit_case('not_equals', '"a"', '{}', true);
CALL oracle.unit_case('in', '["a", 1, [2]]', '"a"', true);
CALL oracle.unit_case('in', '["a", 1, [2]]', '1.0', true);
CALL oracle.unit_case('in', '["a", 1, [2]]', '[2]', true);
CALL oracle.unit_case('in', '["a", 1, [2]]', '2', false);
CALL oracle.unit_case('in', '["a", 1, [2]]', '"A"', false);
CALL oracle.unit_case('in', '[null]', 'null', false);
CALL oracle.unit_case('in', '[]', '1', false);
CALL oracle.unit_case('in', '["a", "b"]', '["a", "b"]', false);
CALL oracle.unit_case('not_in', '["a", 1]', '"1"', true);
CALL oracle.unit_case('not_in', '["a", 1]', '1', false);
CALL oracle.unit_case('not_in', '["a", 1]', NULL, false);
CALL oracle.unit_case('not_in', '["a", 1]', 'null', false);
CALL oracle.unit_case('not_in', '[]', '[]', true);
CALL oracle.unit_case('not_in', '[null]', '1', true);

-- text: the case of A-Z does not matter, that of other letters does
CALL oracle.unit_case('contains', '"soft"', '"MicroSOFT"', true);
CALL oracle.unit_case('contains', '"SOFT"', '"microsoft"', true);
CALL oracle.unit_case('contains', '"É"', '"café"', false);
CALL oracle.unit_case('contains', '"é"', '"CAFé"', true);
CALL oracle.unit_case('contains', '"ss"', '"straße"', false);
CALL oracle.unit_case('contains', '"K"', '"\u212a"', false);
CALL oracle.unit_case('contains', '""', '"x"', true);
CALL oracle.unit_case('contains', '""', '""', true);
CALL oracle.unit_case('contains', '"a%b"', '"axb"', false);
CALL oracle.unit_case('contains', '"_"', '"x"', false);
CALL oracle.unit_case('contains', '"@["', '"`{"', false);
CALL oracle.unit_case('contains', '"1"', '12', false);
CALL oracle.unit_case('contains', '1', '"12"', false);
CALL oracle.unit_case('not_contains', '1', '"12"', false);
CALL oracle.unit_case('not_contains', '"x"', '12', false);
CALL oracle.unit_case('not_contains', '"x"', '{"x": 1}', false);
CALL oracle.unit_case('not_contains', '"x"', '"abc"', true);
CALL oracle.unit_case('not_contains', '"B"', '"abc"', false);
CALL oracle.unit_case('not_contains', '"x"', NULL, false);
CALL oracle.unit_case('not_contains', '"x"', 'null', false);
CALL oracle.unit_case('starts_with', '"MIC"', '"microsoft"', true);
CALL oracle.unit_case('starts_with', '"microsofts"', '"microsoft"', false);
CALL oracle.unit_case('starts_with', '""', '""', true);
CALL oracle.unit_case('starts_with', '"日"', '"日本"', true);
CALL oracle.unit_case('starts_with', '"a"', '["a"]', false);
CALL oracle.unit_case('ends_with', '"SOFT"', '"microsoft"', true);
CALL oracle.unit_case('ends_with', '"xmicrosoft"', '"microsoft"', false);
CALL oracle.unit_case('ends_with', '"本"', '"日本"', true);
CALL oracle.unit_case('ends_with', '""', '"x"', true);
CALL oracle.unit_case('ends_with', '"5"', '5', false);

-- arrays
CALL oracle.unit_case('contains', '"VIP"', '["x", "vip"]', true);
CALL oracle.unit_case('contains', '"vi"', '["x", "vip"]', false);
CALL oracle.unit_case('contains', '1', '[1.0]', true);
CALL oracle.unit_case('contains', '"1"', '[1]', false);
CALL oracle.unit_case('contains', '[1]', '[[1], 2]', true);
CALL oracle.unit_case('contains', '{"a": 1}', '[{"a": 1.0}]', true);
CALL oracle.unit_case('contains', '"x"', '[]', false);
CALL oracle.unit_case('contains', '"x"', '[["x"]]', false);
CALL oracle.unit_case('not_contains', '"x"', '[]', true);
CALL oracle.unit_case('not_contains', '"x"', '[null, "X"]', false);
CALL oracle.unit_case('not_contains', '2', '[null, "2"]', true);
CALL oracle.unit_case('contains_any', '["a", "b"]', '["c", "b"]', true);
CALL oracle.unit_case('contains_any', '["a", "b"]', '["c", "B"]', false);
CALL oracle.unit_case('contains_any', '["a", 1]', '[1.0]', true);
CALL oracle.unit_case('contains_any', '[]', '["a"]', false);
CALL oracle.unit_case('contains_any', '[null]', '[null]', false);
CALL oracle.unit_case('contains_any', '["a"]', '"a"', false);
CALL oracle.unit_case('contains_all', '["a", "b"]', '["b", "c", "a"]', true);
CALL oracle.unit_case('contains_all', '["a", "a"]', '["a"]', true);
CALL oracle.unit_case('contains_all', '["a", "b"]', '["a"]', false);
CALL oracle.unit_case('contains_all', '[]', '[]', true);
CALL oracle.unit_case('contains_all', '[]', '"a"', false);
CALL oracle.unit_case('contains_all', '[null]', '[null]', false);
CALL oracle.unit_case('contains_all', '["A"]', '["a"]', false);

-- ordering
CALL oracle.unit_case('greater_than', '5', '6', true);
CALL oracle.unit_case('greater_than', '5', '5.0', false);
CALL oracle.unit_case('greater_than', '5', '"6"', true);
CALL oracle.unit_case('greater_than', '5', '"10"', true);
CALL oracle.unit_case('greater_than', '"5"', '10', true);
CALL oracle.unit_case('greater_than', '5', '"abc"', false);
CALL oracle.unit_case('less_than', '5', '"abc"', false);
CALL oracle.unit_case('less_than', '5', 'true', false);
CALL oracle.unit_case('less_than', '5', 'null', false);
CALL oracle.unit_case('less_than', '5', NULL, false);
CALL oracle.unit_case('less_than', '5', '[1]', false);
CALL oracle.unit_case('less_than', '5', '""', false);
CALL oracle.unit_case('less_than', '5', '" 1"', false);
CALL oracle.unit_case('less_than', '5', '"01"', false);
CALL oracle.unit_case('less_than', '5', '"+1"', false);
CALL oracle.unit_case('less_than', '5', '".1"', false);
CALL oracle.unit_case('less_than', '5', '"1."', false);
CALL oracle.unit_case('less_than', '5', '"NaN"', false);
CALL oracle.unit_case('greater_than', '5', '"Infinity"', false);
CALL oracle.unit_case('less_than', '5', '"-0.5e1"', true);
CALL oracle.unit_case('less_than', '5', '"1E-1000"', true);
CALL oracle.unit_case('greater_than', '5', '"1e1000"', true);
CALL oracle.unit_case('greater_than', '5', '"1e1001"', false);
CALL oracle.unit_case('less_than', '5', '"1e-1001"', false);
CALL oracle.unit_case('greater_than', '5', '1e1001', true);
CALL oracle.unit_case('greater_than', '1e400', '1e401', true);
CALL oracle.unit_case('greater_than', '0', '1e-400', true);
CALL oracle.unit_case('greater_than', '9007199254740992', '9007199254740993', true);
CALL oracle.unit_case('greater_or_equal', '123456789012345678901234567890.5', '"123456789012345678901234567890.50"', true);
CALL oracle.unit_case('greater_than', '123456789012345678901234567890.5', '"123456789012345678901234567890.51"', true);
CALL oracle.unit_case('greater_or_equal', '0', '"-0"', true);
CALL oracle.unit_case('less_than', '0', '"-0"', false);
CALL oracle.unit_case('gte', '5', '5', true);
CALL oracle.unit_case('LTE', '5', '"5"', true);
CALL oracle.unit_case('lte', '5', '5.0000001', false);
CALL oracle.unit_case('Less_Or_Equal', '-3', '-3.5', true);
CALL oracle.unit_case('between', '[1, 3]', '1', true);
CALL oracle.unit_case('between', '[1, 3]', '"3.0"', true);
CALL oracle.unit_case('between', '[1, 3]', '3.01', false);
CALL oracle.unit_case('between', '["1", 3]', '2', true);
CALL oracle.unit_case('between', '[1, 3]', '"x"', false);
CALL oracle.unit_case('greater_than', '5', '"2024-01-15"', false);

-- times
CALL oracle.unit_case('before', '"2024-01-15"', '"2024-01-14"', true);
CALL oracle.unit_case('before', '"2024-01-15"', '"2024-01-15"', false);
CALL oracle.unit_case('before', '"2024-01-15"', '"2024-01-14T23:59:59.999999Z"', true);
CALL oracle.unit_case('after', '"2024-01-15"', '"2024-01-15T00:00:00.000001"', true);
CALL oracle.unit_case('after', '"2024-01-15"', '"2024-01-15T00:00:00.0000004"', false);
CALL oracle.unit_case('after', '"2024-01-15"', '"2024-01-15T00:00:00.0000006"', true);
CALL oracle.unit_case('before', '"2024-01-15T00:00:00Z"', '"2024-01-15T01:00:00+02:00"', true);
CALL oracle.unit_case('after', '"2024-01-15T00:00:00Z"', '"2024-01-14T23:00-0500"', true);
CALL oracle.unit_case('after', '"2024-01-15T02:00:00+02:00"', '"2024-01-15"', false);
CALL oracle.unit_case('before', '"2024-01-15T02:00:00+02"', '"2024-01-15"', false);
CALL oracle.unit_case('after', '"2024-01-14"', '"2024-01-14t24:00:00z"', true);
CALL oracle.unit_case('before', '"2024-01-15"', '"2024-01-14 23:59:60"', false);
CALL oracle.unit_case('after', '"2024-01-15T10:00"', '"2024-01-15 10:00:00.5"', true);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-02-30"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2023-02-29"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"1900-02-29"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2000-02-29"', true);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-13-01T00:00:00Z"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T25:00:00Z"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T24:00:01Z"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T10:60"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T10:00:00+16:00"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T10:00:00+15:59"', true);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15T10"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-01-15Z"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '" 2024-01-15"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"2024-1-15"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"20240115"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"today"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '"0000-01-01"', false);
CALL oracle.unit_case('before', '"9999-12-31"', '20240115', false);
CALL oracle.unit_case('before', '"9999-12-31"', '["2024-01-15"]', false);
CALL oracle.unit_case('before', '"9999-12-31"', NULL, false);
CALL oracle.unit_case('before', '"0001-01-01"', '"0001-01-01T00:00:00+00:01"', true);
CALL oracle.unit_case('after', '"9999-12-31T23:59:59.999999Z"', '"9999-12-31T23:59:59-00:01"', true);
CALL oracle.unit_case('within_last', '7', '"{now-6.9}"', true);
CALL oracle.unit_case('within_last', '7', '"{now-7}"', true);
CALL oracle.unit_case('within_last', '7', '"{now-7.0001}"', false);
CALL oracle.unit_case('within_last', '7', '"{now+0}"', true);
CALL oracle.unit_case('within_last', '7', '"{now+0.001}"', false);
CALL oracle.unit_case('within_last', '0.5', '"{now-0.4}"', true);
CALL oracle.unit_case('within_last', '0.5', '"{now-0.6}"', false);
CALL oracle.unit_case('within_last', '1e6', '"1970-01-01"', true);
CALL oracle.unit_case('within_last', '7', '5', false);
CALL oracle.unit_case('within_last', '7', '"n/a"', false);

-- times to come, and times that are not recent
CALL oracle.unit_case('within_next', '7', '"{now+6.9}"', true);
CALL oracle.unit_case('within_next', '7', '"{now+7}"', true);
CALL oracle.unit_case('within_next', '7', '"{now+7.0001}"', false);
CALL oracle.unit_case('within_next', '7', '"{now+0}"', true);
CALL oracle.unit_case('within_next', '7', '"{now-0.001}"', false);
CALL oracle.unit_case('Within_Next', '0.5', '"{now+0.4}"', true);
CALL oracle.unit_case('within_next', '0', '"{now+0}"', true);
CALL oracle.unit_case('within_next', '0', '"{now+0.0001}"', false);
CALL oracle.unit_case('within_next', '1e7', '"9999-12-31"', true);
CALL oracle.unit_case('within_next', '1e300', '"9999-12-31"', true);
CALL oracle.unit_case('within_next', '7', '"n/a"', false);
CALL oracle.unit_case('within_next', '7', '5', false);
CALL oracle.unit_case('within_next', '7', NULL, false);
CALL oracle.unit_case('not_within_last', '7', '"{now-6.9}"', false);
CALL oracle.unit_case('not_within_last', '7', '"{now-7}"', false);
CALL oracle.unit_case('not_within_last', '7', '"{now-7.0001}"', true);
CALL oracle.unit_case('not_within_last', '7', '"{now+0}"', false);
CALL oracle.unit_case('not_within_last', '7', '"{now+0.001}"', true);
CALL oracle.unit_case('NOT_WITHIN_LAST', '0', '"{now-0.0001}"', true);
CALL oracle.unit_case('not_within_last', '1e300', '"0001-01-01"', false);
CALL oracle.unit_case('not_within_last', '1e300', '"9999-12-31"', true);
CALL oracle.unit_case('not_within_last', '7', '"n/a"', false);
CALL oracle.unit_case('not_within_last', '7', '5', false);
CALL oracle.unit_case('not_within_last', '7', '["2024-01-15"]', false);
CALL oracle.unit_case('not_within_last', '7', 'null', false);
CALL oracle.unit_case('not_within_last', '7', NULL, false);

-- anniversaries: any day is at most 366 days away, in whole days
CALL oracle.unit_case('anniversary_within', '0', '"{now+0}"', true);
CALL oracle.unit_case('anniversary_within', '366', '"1999-07-08"', true);
CALL oracle.unit_case('anniversary_within', '366', '"2000-02-29"', true);
CALL oracle.unit_case('anniversary_within', '366', '"0001-01-01T00:00:00+15:59"', true);
CALL oracle.unit_case('anniversary_within', '366', '"9999-12-31T23:59:59.999999Z"', true);
CALL oracle.unit_case('anniversary_within', '366', '"2023-02-29"', false);
CALL oracle.unit_case('anniversary_within', '366', '"07-08"', false);
CALL oracle.unit_case('anniversary_within', '366', '19990708', false);
CALL oracle.unit_case('anniversary_within', '366', 'null', false);
CALL oracle.unit_case('anniversary_within', '366', NULL, false);
CALL oracle.unit_case('anniversary_within', '1', '"{now+1}"', true);
CALL oracle.unit_case('anniversary_within', '1.999', '"{now+2}"', false);
CALL oracle.unit_case('anniversary_within', '0.999', '"{now+1}"', false);
CALL oracle.unit_case('anniversary_within', '300', '"{now-1}"', false);

-- regular expressions
CALL oracle.unit_case('matches', '"^mic.*ft$"', '"microsoft"', true);
CALL oracle.unit_case('matches', '"^MIC"', '"microsoft"', false);
CALL oracle.unit_case('matches', '"(?i)^MIC"', '"microsoft"', true);
CALL oracle.unit_case('MATCHES', '"soft"', '"microsofts"', true);
CALL oracle.unit_case('matches', '"^soft"', '"microsoft"', false);
CALL oracle.unit_case('matches', '""', '""', true);
CALL oracle.unit_case('matches', '"^$"', '"x"', false);
CALL oracle.unit_case('matches', '"^.$"', '"é"', true);
CALL oracle.unit_case('matches', '"^.$"', '"e\u0301"', false);
CALL oracle.unit_case('matches', '"(?i)É"', '"é"', false);
CALL oracle.unit_case('matches', '"^\\w$"', '"é"', false);
CALL oracle.unit_case('matches', '"[[:upper:]]"', '"É"', false);
CALL oracle.unit_case('matches', '"^\\d{4}-\\d\\d$"', '"2024-01"', true);
CALL oracle.unit_case('matches', '"\\mvip\\M"', '"a vip, too"', true);
CALL oracle.unit_case('matches', '"\\mvip\\M"', '"viper"', false);
CALL oracle.unit_case('matches', '"a.b"', '"a\nb"', true);
CALL oracle.unit_case('matches', '"(?n)a.b"', '"a\nb"', false);
CALL oracle.unit_case('matches', '"5"', '5', false);
CALL oracle.unit_case('matches', '"true"', 'true', false);
CALL oracle.unit_case('matches', '"a"', '["a"]', false);
CALL oracle.unit_case('matches', '".*"', 'null', false);
CALL oracle.unit_case('matches', '".*"', NULL, false);
CALL oracle.unit_case('matches', '"a$"', to_jsonb(repeat('a', 10000))::text, true);
CALL oracle.unit_case('matches', '"a$"', to_jsonb(repeat('a', 10001))::text, false);
CALL oracle.unit_case('matches', '"é$"', to_jsonb(repeat('é', 10000))::text, true);
CALL oracle.unit_case('matches', '"é"', to_jsonb(repeat('é', 10001))::text, false);
CALL oracle.unit_case('matches', '"(a+)+$"', to_jsonb(repeat('a', 9999) || 'b')::text, false);

-- samples: the hash of "a" is ca978112..., 79.1 % of all; of "1" 6b86b273..., 42.0 %; of "true" b5bea41b..., 71.0 %;
-- of "-0.5" 1b07b0cf..., 10.6 %; of the empty string e3b0c442..., 88.9 %
CALL oracle.unit_case('in_sample', '79', '"a"', false);
CALL oracle.unit_case('in_sample', '79.2', '"a"', true);
CALL oracle.unit_case('In_Sample', '42', '1', false);
CALL oracle.unit_case('in_sample', '42.1', '1', true);
CALL oracle.unit_case('in_sample', '42.1', '1.00', true);
CALL oracle.unit_case('in_sample', '42.1', '"1"', true);
CALL oracle.unit_case('in_sample', '42.1', '"1.00"', false);
CALL oracle.unit_case('in_sample', '70', 'true', false);
CALL oracle.unit_case('in_sample', '72', 'true', true);
CALL oracle.unit_case('in_sample', '88', '""', false);
CALL oracle.unit_case('in_sample', '89', '""', true);
CALL oracle.unit_case('in_sample', '10.5', '-0.50', false);
CALL oracle.unit_case('in_sample', '10.6', '-0.50', true);
CALL oracle.unit_case('in_sample', '0', '"a"', false);
CALL oracle.unit_case('in_sample', '100', '"a"', true);
CALL oracle.unit_case('in_sample', '100.0', '""', true);
CALL oracle.unit_case('in_sample', '1e-400', '"a"', false);
CALL oracle.unit_case('in_sample', '100', '[]', false);
CALL oracle.unit_case('in_sample', '100', '{"a": 1}', false);
CALL oracle.unit_case('in_sample', '100', 'null', false);
CALL oracle.unit_case('in_sample', '100', NULL, false);

-- missing and null
CALL oracle.unit_case('is_null', NULL, NULL, true);
CALL oracle.unit_case('is_null', NULL, 'null', true);
CALL oracle.unit_case('is_null', NULL, '0', false);
CALL oracle.unit_case('is_null', NULL, '""', false);
CALL oracle.unit_case('is_null', NULL, '[]', false);
CALL oracle.unit_case('IS_NOT_NULL', NULL, '{}', true);
CALL oracle.unit_case('is_not_null', NULL, 'false', true);
CALL oracle.unit_case('is_not_null', NULL, 'null', false);
CALL oracle.unit_case('is_not_null', NULL, NULL, false);

-- paths and roots
INSERT INTO oracle.unit (conditions, traits, expected)
SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', field::jsonb, 'operator', 'equals', 'value', 1))),
	traits::jsonb, expected
FROM (VALUES
	('"trait.a.b"', '{"a": {"b": 1}}', true),
	('"trait.a.b"', '{"a.b": 1}', false),
	('["trait", "a.b"]', '{"a.b": 1}', true),
	('["trait", "a", "b"]', '{"a": {"b": 1}}', true),
	('["trait", "a.b"]', '{"a": {"b": 1}}', false),
	('["trait", ""]', '{"": 1}', true),
	('["trait", "", "x"]', '{"": {"x": 1}}', true),
	('"trait.größe"', '{"größe": 1}', true),
	('"trait.A"', '{"a": 1}', false),
	('"trait.a.b"', '{"a": [{"b": 1}]}', false),
	('"trait.a.0"', '{"a": [1]}', false),
	('"trait.a.0"', '{"a": {"0": 1}}', true),
	('"trait.a"', '[{"a": 1}]', false),
	('"trait.a"', '["a"]', false),
	('"trait.a"', '"a"', false),
	('"trait.a"', '1', false),
	('"trait.a"', 'null', false),
	('"trait.a.b"', '{"a": null}', false),
	('"trait.a.b"', '{"a": "b"}', false)) AS t(field, traits, expected);

INSERT INTO oracle.unit (conditions, traits, expected)
SELECT '{"conditions": [{"field": "trait.a", "operator": "is_null"}]}', traits::jsonb, true
FROM (VALUES (NULL), ('null'), ('[]'), ('[{"a": 1}]'), ('"a"'), ('5'), ('{}')) AS t(traits);

-- logic; $T and $F stand for a true and a false condition
INSERT INTO oracle.unit (conditions, traits, expected)
SELECT replace(replace(definition,
		'$T', '{"field": "trait.a", "operator": "equals", "value": 1}'),
		'$F', '{"field": "trait.a", "operator": "equals", "value": 2}')::jsonb,
	'{"a": 1}', expected
FROM (VALUES
	('{}', false),
	('null', false),
	('{"logic": "not"}', false),
	('{"logic": "or", "conditions": []}', false),
	('{"logic": "not", "conditions": [], "groups": []}', false),
	('{"conditions": [$T]}', true),
	('{"conditions": [$T, $F]}', false),
	('{"logic": "and", "conditions": [$T, $T]}', true),
	('{"logic": "AND", "conditions": [$T], "groups": [{"conditions": [$F]}]}', false),
	('{"logic": "or", "conditions": [$F, $T]}', true),
	('{"logic": "Or", "conditions": [$F, $F]}', false),
	('{"logic": "or", "conditions": [$F], "groups": [{"conditions": [$T]}]}', true),
	('{"logic": "not", "conditions": [$F, $F]}', true),
	('{"logic": "not", "conditions": [$F, $T]}', false),
	('{"logic": "not", "conditions": [$T, $T]}', false),
	('{"logic": "NOT", "groups": [{"conditions": [$F]}, {"logic": "or", "conditions": [$F, $F]}]}', true),
	('{"logic": "not", "conditions": [$F], "groups": [{"logic": "not", "conditions": [$F]}]}', false),
	('{"logic": "not", "groups": [{"logic": "not", "conditions": [$T]}]}', true),
	('{"groups": [{"logic": "or", "conditions": [$T, $F]}, {"logic": "not", "conditions": [$F]}]}', true),
	('{"groups": [{"groups": [{"groups": [{"conditions": [$T]}]}]}]}', true)) AS t(definition, expected);

-- a missing field makes a condition false, hence its negation true
INSERT INTO oracle.unit (conditions, traits, expected) VALUES
	('{"logic": "not", "conditions": [{"field": "trait.z", "operator": "greater_than", "value": 1}]}', '{"a": 1}', true),
	('{"logic": "not", "conditions": [{"field": "trait.z", "operator": "not_equals", "value": 1}]}', '{"a": 1}', true),
	('{"logic": "not", "conditions": [{"field": "trait.z", "operator": "is_null"}]}', '{"a": 1}', false);

-- numbers at the limits of what a string may hold
INSERT INTO oracle.unit (conditions, traits, expected)
SELECT '{"conditions": [{"field": "trait.f", "operator": "greater_than", "value": 0}]}', jsonb_build_object('f', f), expected
FROM (VALUES
	(to_jsonb(repeat('9', 1000)), true),
	(to_jsonb(repeat('9', 1001)), false),
	(to_jsonb(repeat('9', 1001)::numeric), true),
	(to_jsonb('0.' || repeat('1', 999)), true),
	(to_jsonb('0.' || repeat('1', 1000)), false),
	(to_jsonb('1' || repeat('0', 999) || 'e1000'), true),
	(to_jsonb('1e99999999999999999999'::text), false),
	(to_jsonb('1e+0001000'::text), true)) AS t(f, expected);

-- What the library says to a case: t, f, or what it raises.
CREATE FUNCTION oracle.said_to(u oracle.unit, function text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result boolean;
BEGIN
	EXECUTE format('SELECT stratum.%I($1, $2)', function) INTO result
		USING oracle.at_clock(u.conditions, now()), oracle.at_clock(u.traits, now());
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
