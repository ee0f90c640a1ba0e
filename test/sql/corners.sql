-- What the other files pass by: rare values, rare expressions, calls by hand of what the extension calls itself.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';

-- ---- conditions -----------------------------------------------------------------------------------
CREATE TEMP TABLE odd (n numeric, d date, j json, i2 smallint);
CREATE FUNCTION pg_temp.odd_is(field text, operator text, value jsonb) RETURNS boolean LANGUAGE sql AS $$
  SELECT stratum.segment_matches(jsonb_build_object('conditions', jsonb_build_array(
    jsonb_build_object('field', field, 'operator', operator) || CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object('value', value) END)), odd)
  FROM pg_temp.odd
$$;
-- NaN is a text, as Infinity is, and neither more nor less than a number; a date before all others
INSERT INTO odd VALUES ('NaN', '-infinity', '{"face": "\ud83d\ude00", "letter": "\u00e9"}', 7);
SELECT pg_temp.odd_is('profile.n', 'equals', '"NaN"') AS text, pg_temp.odd_is('profile.n', 'gte', '0') AS more, pg_temp.odd_is('profile.n', 'lte', '0') AS less,
  pg_temp.odd_is('profile.d', 'before', '"0001-01-01"') AS before_all, pg_temp.odd_is('profile.d', 'within_last', '1000000') AS within;
-- json that is text: what jsonb takes is a value, what it refuses is missing, and no error
SELECT pg_temp.odd_is('profile.j', 'equals', '{"face": "😀", "letter": "é"}') AS pair;
SELECT j, missing
FROM (VALUES ('"\ud83d"'), ('"\ude00"'), ('"\ud83d\u0041"'), ('"\ud83d "'), ('"\ud83d\n12345"'), ('"\u0000"'), ('"\uFFFF"'), ('"\u0041\n"'), ('["\ud83d\ude00"]')) v (j),
  LATERAL (SELECT stratum.segment_matches('{"conditions": [{"field": "profile.j", "operator": "is_null"}]}', r) FROM (SELECT v.j::json) r) s (missing);
-- arrays and objects that differ only within
SELECT value, stratum.traits_match(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.x', 'operator', 'equals', 'value', value))), jsonb_build_object('x', x)) AS same
FROM (VALUES ('[true, 1]'::jsonb, '[true, 1]'::jsonb), ('[true, 1]', '[false, 1]'), ('[[1], 2]', '[[1, 2], 2]'), ('[{"a": 1}]', '[{"a": 1, "b": 1}]'), ('[{"a": 1}]', '[["a"]]'), ('[null]', '[null]')) v (value, x);
-- expressions: names of characters, control characters, and what cannot be bounded
SELECT pattern, stratum.traits_match(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.x', 'operator', 'matches', 'value', pattern))), jsonb_build_object('x', x)) AS matches
FROM (VALUES ('^a[[.hyphen.]]b$', 'a-b'), ('^[[=a=]b]+$', 'abba'), ('^[[.a.]-c]+$', 'abd'), ('^\cI$', E'\t'), ('^[\cI]$', E'\t')) v (pattern, x);
\set VERBOSITY default
SELECT stratum.validate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.x', 'operator', 'matches', 'value', '(?=a)a'))));
SELECT stratum.validate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.x', 'operator', 'matches', 'value', 'a\'))));
\set VERBOSITY terse

-- the rate of conversions, whatever the type of the columns
SELECT t, stratum.campaign_matches('{"conditions": [{"field": "conversion_rate", "operator": "equals", "value": 25}]}', r) AS a_quarter
FROM (SELECT 'smallint' AS t, 1::int2 AS conversions, 4::int2 AS clicks) r;
SELECT t, stratum.campaign_matches('{"conditions": [{"field": "conversion_rate", "operator": "equals", "value": 25}]}', r) AS a_quarter
FROM (SELECT 'numeric, real' AS t, 1.5::numeric AS conversions, 6::real AS clicks) r;
SELECT t, stratum.campaign_matches('{"conditions": [{"field": "conversion_rate", "operator": "equals", "value": 25}]}', r) AS a_quarter
FROM (SELECT 'double precision' AS t, 0.5::float8 AS conversions, 2::float8 AS clicks) r;
SELECT t, stratum.campaign_matches('{"conditions": [{"field": "conversion_rate", "operator": "is_null"}]}', r) AS missing
FROM (SELECT 'too great to be divided' AS t, 1::numeric AS conversions, 1e1004::numeric AS clicks) r;

-- ---- limits ---------------------------------------------------------------------------------------
-- a place that was taken in a released savepoint is taken, one in a savepoint that was undone is free again
INSERT INTO stratum.tenants (id, name, slug, max_users) VALUES (9801, 'Corner', 'corner', 2);
CREATE ROLE regress_stratum_corner LOGIN IN ROLE stratum_app;
\c - regress_stratum_corner
BEGIN;
SELECT stratum.enter(9801);
SAVEPOINT a;
INSERT INTO stratum.users (email, password_hash) VALUES ('one@corner.test', 'x');
RELEASE a;
SAVEPOINT b;
INSERT INTO stratum.users (email, password_hash) VALUES ('two@corner.test', 'x');
ROLLBACK TO b;
INSERT INTO stratum.users (email, password_hash) VALUES ('three@corner.test', 'x');
INSERT INTO stratum.users (email, password_hash) VALUES ('four@corner.test', 'x');
ROLLBACK;
\c - postgres

-- ---- audit ----------------------------------------------------------------------------------------
-- a key of smallint
CREATE SCHEMA corners;
CREATE TABLE corners.small (id smallint PRIMARY KEY, tenant_id integer, note text);
SELECT stratum.audit_table('corners.small');
INSERT INTO corners.small VALUES (-32768, 9801, 'a');
UPDATE corners.small SET note = 'b';
DELETE FROM corners.small;
SELECT action, resource_id, new_values ->> 'note' AS note FROM stratum.audit_logs WHERE resource_type = 'corners.small' ORDER BY id;
SELECT action, new_values ->> 'note' AS note FROM stratum.row_history('corners.small', '-32768');

-- ---- triggers where they do not belong ------------------------------------------------------------
SELECT stratum.unaudit_table('corners.small');
CREATE FUNCTION pg_temp.try(function regprocedure, moment text, level text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER odd %s ON corners.small FOR EACH %s EXECUTE FUNCTION %s', moment, level, function);
  IF moment LIKE '%TRUNCATE' THEN
    TRUNCATE corners.small;
  ELSE
    INSERT INTO corners.small VALUES (1, 9801, 'x');
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'ZZZZZ', MESSAGE = 'nothing happens';
EXCEPTION WHEN OTHERS THEN
  RETURN CASE WHEN SQLSTATE = 'ZZZZZ' THEN SQLERRM ELSE SQLSTATE || ': ' || SQLERRM END;
END $$;
CREATE TEMP VIEW triggers AS SELECT p.oid::regprocedure AS function FROM pg_proc p
WHERE p.pronamespace = 'stratum'::regnamespace AND p.prorettype = 'trigger'::regtype AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c');
-- each of them, in five places: most say that this is not theirs, and only what is not said so is printed
CREATE TEMP TABLE tried AS SELECT function::text COLLATE "C", moment, level, pg_temp.try(function, moment, level) AS result
FROM triggers, (VALUES ('BEFORE INSERT', 'ROW'), ('AFTER INSERT', 'ROW'), ('BEFORE INSERT', 'STATEMENT'), ('AFTER INSERT', 'STATEMENT'), ('AFTER TRUNCATE', 'STATEMENT')) m (moment, level);
SELECT * FROM tried WHERE result !~ '^(39P01: |nothing happens$)' ORDER BY 1, 2, 3;
SELECT count(*) >= 70 AS many, count(*) FILTER (WHERE result LIKE '39P01%') >= 40 AS refused FROM tried;
-- nor is any a function to be called
CREATE FUNCTION pg_temp.call(function regprocedure) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT %s', function);
  RETURN 'nothing happens';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT pg_temp.call(function) AS call, count(*) >= 14 AS all FROM triggers GROUP BY 1;

SET client_min_messages = warning;
DROP SCHEMA corners CASCADE;
DROP ROLE regress_stratum_corner;
