-- What the planner makes of a definition that is a constant, and what it leaves alone.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE SCHEMA regress_planning;
SET search_path = regress_planning;

-- Columns before and after the ones that count have gone, one has come later.
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE people (gone1 int, id int PRIMARY KEY, tenant_id int, traits jsonb, gone2 text, email text, mood mood, body xid8);
ALTER TABLE people DROP COLUMN gone1, DROP COLUMN gone2;
INSERT INTO people SELECT n, 1, CASE WHEN n % 7 > 0 THEN jsonb_build_object('n', n, 'h', md5(n::text), 'tags', jsonb_build_array('t' || n % 5, n % 3)) END,
  CASE WHEN n % 3 = 0 THEN 'p' || n || '@x.test' END, CASE WHEN n % 2 = 0 THEN 'glad'::mood END, '1' FROM generate_series(1, 60) n;
ALTER TABLE people ADD COLUMN score numeric DEFAULT 5;
CREATE INDEX people_traits ON people USING gin (traits);
CREATE TABLE others AS SELECT n AS id FROM generate_series(55, 70) n;
CREATE TABLE definition (d jsonb);
INSERT INTO definition VALUES (NULL);
ANALYZE people, others;

-- What a plan calls: columns (with their names), row (the public function), and whether an index is asked.
CREATE FUNCTION shape(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
    plan := plan || E'\n' || line;
  END LOOP;
  RETURN concat_ws(' ', (SELECT string_agg(DISTINCT m[1], ' ') FROM regexp_matches(plan, '_(?:profile|campaign)_matches\([^\n]*?''(\{[a-z_,0-9]*\})''::text\[\]', 'g') m),
    CASE WHEN plan ~ '[ (.](segment_matches|traits_match|campaign_matches)\(' THEN 'row' END, CASE WHEN plan ~ 'Index Cond: [^\n]*@@' THEN 'index' END);
END $$;
-- The shape of a query in which DEF stands for a definition, and whether it says the same as with one that is no constant.
CREATE FUNCTION ask(query text, definition jsonb, OUT shape text, OUT agrees boolean, OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
  constant text := replace(query, 'DEF', quote_literal(definition) || '::jsonb');
  variable text := replace(query, 'DEF', '(SELECT d FROM regress_planning.definition)');
  counted text := 'SELECT coalesce(string_agg(x::text, '' '' ORDER BY x::text), ''nothing'') FROM (%s) x';
  two text;
BEGIN
  UPDATE regress_planning.definition SET d = ask.definition;
  shape := regress_planning.shape(constant);
  EXECUTE format(counted, constant) INTO answer;
  EXECUTE format(counted, variable) INTO two;
  agrees := answer = two;
END $$;
CREATE FUNCTION def(field text, operator text, value text DEFAULT NULL, logic text DEFAULT 'and') RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('logic', logic, 'conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'value', value::jsonb))))
$$;
-- the same of two definitions, one that a missing field fails and one that it satisfies; their answers differ
CREATE FUNCTION ask_two(query text, OUT shape text, OUT agrees boolean) LANGUAGE sql AS $$
  SELECT string_agg(DISTINCT a.shape, ' / '), bool_and(a.agrees) AND min(a.answer) <> max(a.answer)
  FROM (VALUES (def('trait.n', 'lte', '20')), (def('trait.n', 'is_null'))) v (d), LATERAL ask(query, d) a
$$;

-- ---- columns instead of rows ------------------------------------------------------------------------------
SELECT * FROM ask_two('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)');
SELECT * FROM ask_two('SELECT id, stratum.segment_matches(DEF, p) FROM people p');
SELECT * FROM ask_two('SELECT id FROM people WHERE stratum.segment_matches(DEF, traits)');
SELECT * FROM ask_two('SELECT id FROM people WHERE stratum.traits_match(DEF, traits)');
SELECT shape, agrees FROM ask('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)', '{"logic": "or", "conditions": [{"field": "profile.mood", "operator": "equals", "value": "glad"},
  {"field": "identifier.email", "operator": "equals", "value": true}, {"field": "profile.score", "operator": "gte", "value": 6}]}');
-- of traits alone, other fields are missing
SELECT shape, agrees FROM ask('SELECT id FROM people WHERE stratum.traits_match(DEF, traits)', def('profile.email', 'is_null'));
SELECT shape, agrees FROM ask('SELECT id FROM people WHERE stratum.traits_match(DEF, traits)', def('event.a.count', 'equals', '0'));
-- one that matches nobody needs no call
SELECT shape, agrees FROM ask('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)', '{}');
SELECT shape, agrees FROM ask('SELECT id, stratum.traits_match(DEF, traits) FROM people p', 'null');
-- views and sub-queries that are merged into the query
CREATE VIEW flat AS SELECT id, email AS name, traits FROM people WHERE id > 3;
SELECT * FROM ask_two('SELECT id FROM flat f WHERE stratum.segment_matches(DEF, f)');
SELECT * FROM ask_two('SELECT id FROM (SELECT p.*, 1 AS more FROM people p) s WHERE stratum.segment_matches(DEF, s)');
SELECT * FROM ask_two('SELECT s.id FROM (SELECT id, traits FROM people p UNION ALL SELECT id, NULL FROM others) s WHERE stratum.segment_matches(DEF, s)');
SELECT * FROM ask_two('SELECT 1 FROM people p JOIN others o USING (id) WHERE stratum.segment_matches(DEF, p)');
SELECT * FROM ask_two('SELECT id FROM people p WHERE EXISTS (SELECT FROM people q WHERE q.id = p.id AND stratum.segment_matches(DEF, q))');
-- rows made by hand
SELECT * FROM ask_two('SELECT id FROM people p WHERE stratum.segment_matches(DEF, ROW(id, tenant_id, traits, email, mood, body, score)::people)');
SELECT shape, agrees FROM ask('SELECT id FROM people p WHERE stratum.segment_matches(DEF, ROW(id, email))', def('profile.f2', 'is_null'));
-- a function that is put in place of its call
CREATE FUNCTION young(p people) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', p) $$;
SELECT shape('SELECT id FROM people p WHERE young(p)');
-- the rights of a row's columns stay as they are: the query asked for the whole row
CREATE ROLE regress_planning LOGIN;
GRANT USAGE ON SCHEMA regress_planning, stratum TO regress_planning;
GRANT SELECT (id, traits) ON people TO regress_planning;
GRANT EXECUTE ON FUNCTION stratum.segment_matches(jsonb, anyelement), stratum._profile_matches(jsonb, text[], "any") TO regress_planning;
SET ROLE regress_planning;
SELECT count(*) FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', p);
RESET ROLE;

-- ---- campaigns --------------------------------------------------------------------------------------------
CREATE TABLE ads (id int, conversions int, clicks bigint, total_spend_cents int, name text, status varchar(20));
INSERT INTO ads SELECT n, n, n % 4, n * 100, 'ad' || n, 'on' FROM generate_series(1, 20) n;
SELECT shape, agrees FROM ask('SELECT id FROM ads a WHERE stratum.campaign_matches(DEF, a)', def('spend', 'lte', '9'));
SELECT shape, agrees FROM ask('SELECT id FROM ads a WHERE stratum.campaign_matches(DEF, a)', def('conversion_rate', 'greater_than', '300'));
SELECT shape, agrees FROM ask('SELECT id FROM ads a WHERE stratum.campaign_matches(DEF, a)', def('campaign.status', 'equals', '"on"', 'not'));

-- ---- a row that may be NULL is not taken apart --------------------------------------------------------------
SELECT * FROM ask_two('SELECT o.id, stratum.segment_matches(DEF, p) FROM others o LEFT JOIN people p USING (id)');
SELECT * FROM ask_two('SELECT id, stratum.segment_matches(DEF, p) FROM others o FULL JOIN people p USING (id)');
SELECT * FROM ask_two('SELECT o.id, stratum.segment_matches(DEF, f) FROM others o LEFT JOIN flat f USING (id)');
SELECT * FROM ask_two('SELECT o.id, stratum.segment_matches(DEF, s) FROM others o LEFT JOIN (SELECT p.id, p.traits FROM people p JOIN others x USING (id)) s USING (id)');
SELECT agrees FROM ask_two('SELECT o.id, stratum.segment_matches(DEF, j) FROM others o LEFT JOIN (people p JOIN others x USING (id)) j ON j.id = o.id');
-- nor what another query's row is
SELECT * FROM ask_two('SELECT o.id, (SELECT stratum.segment_matches(DEF, p) FROM others x WHERE x.id = o.id OFFSET 0) FROM others o LEFT JOIN people p USING (id)');
SELECT * FROM ask_two('SELECT p.id FROM people p, LATERAL (SELECT stratum.segment_matches(DEF, p) AS m OFFSET 0) l WHERE l.m');
-- traits are just a value that is NULL or not
SELECT agrees FROM ask_two('SELECT o.id, stratum.traits_match(DEF, p.traits) FROM others o LEFT JOIN people p USING (id)');
-- an outer join elsewhere, and the side that stays
SELECT agrees FROM ask_two('SELECT p.id FROM people p LEFT JOIN others o USING (id) WHERE stratum.segment_matches(DEF, p)');
SELECT agrees FROM ask_two('SELECT o.id, p.id FROM others o LEFT JOIN people p ON p.id = o.id AND stratum.segment_matches(DEF, p)');

-- ---- grouping: what is not grouped by becomes NULL, the row or its columns -----------------------------------
SELECT agrees FROM ask_two('SELECT p.id, stratum.segment_matches(DEF, p) FROM people p GROUP BY p.id');
SELECT agrees FROM ask_two('SELECT stratum.segment_matches(DEF, s), count(*) FROM (SELECT id, traits FROM people) s GROUP BY s');
SELECT * FROM ask_two('SELECT stratum.segment_matches(DEF, s) FROM (SELECT id, traits FROM people) s GROUP BY GROUPING SETS ((s), ())');
SELECT * FROM ask_two('SELECT stratum.segment_matches(DEF, p) FROM (SELECT id, traits FROM people OFFSET 0) p GROUP BY ROLLUP (p)');
SELECT agrees FROM ask_two('SELECT p.id, p.traits, stratum.segment_matches(DEF, p) FROM people p GROUP BY p.id, ROLLUP (p.traits)');
SELECT agrees FROM ask_two('SELECT p.traits FROM people p GROUP BY p.id, ROLLUP (p.traits) HAVING stratum.segment_matches(DEF, p)');
SELECT agrees FROM ask_two('SELECT stratum.traits_match(DEF, traits) FROM people p GROUP BY ROLLUP (traits)');
SELECT agrees FROM ask('SELECT stratum.segment_matches(DEF, ROW(email)) FROM people p GROUP BY GROUPING SETS ((ROW(email)), ())', def('profile.f1', 'is_null'));
-- below them it is a row like any other
SELECT * FROM ask_two('SELECT mood, count(*) FROM people p WHERE stratum.segment_matches(DEF, p) GROUP BY ROLLUP (mood)');
SELECT agrees FROM ask_two('SELECT stratum.segment_matches(DEF, p), count(*) FROM people p GROUP BY 1 HAVING count(*) > 1');
SELECT agrees FROM ask_two('SELECT id, count(*) FILTER (WHERE stratum.segment_matches(DEF, p)) OVER (ORDER BY id) FROM people p');
SELECT agrees FROM ask_two('SELECT DISTINCT ON (stratum.segment_matches(DEF, p)) id FROM people p ORDER BY stratum.segment_matches(DEF, p), id DESC');

-- ---- not leakproof: events, types of users, output functions -------------------------------------------------
SELECT shape, agrees FROM ask('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)', def('event.a.count', 'equals', '0'));
SELECT shape, agrees FROM ask('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)', def('profile.body', 'equals', '"1"'));
CREATE TYPE pair AS (a int, b text);
CREATE TABLE typed AS SELECT id, traits, (id, 'x')::pair AS pair, ARRAY[id] AS list FROM people;
SELECT shape, agrees FROM ask('SELECT id FROM typed p WHERE stratum.segment_matches(DEF, p)', def('profile.pair', 'equals', '{"a": 3, "b": "x"}'));
SELECT shape, agrees FROM ask('SELECT id FROM typed p WHERE stratum.segment_matches(DEF, p)', def('profile.list', 'contains', '3'));

-- ---- other places ----------------------------------------------------------------------------------------------
-- volatile columns are not left out or moved
SELECT shape($$ SELECT FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "profile.f1", "operator": "lte", "value": 20}]}', ROW(random(), id)) $$);
-- checks, whose table is the first one only where it is alone
CREATE TABLE checked (a int, traits jsonb, CONSTRAINT small CHECK (stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', checked)));
INSERT INTO checked VALUES (1, '{"n": 3}');
INSERT INTO checked VALUES (1, '{"n": 30}');
SET constraint_exclusion = on;
SELECT count(*) FROM people p JOIN checked c ON p.id = c.a WHERE c.a = 1;
RESET constraint_exclusion;
-- what is written
BEGIN;
INSERT INTO people (id, traits) VALUES (100, '{"n": 1}') RETURNING stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', people);
INSERT INTO people AS p (id, traits) VALUES (100, '{"n": 2}') ON CONFLICT (id) DO UPDATE SET traits = '{"n": 99}'
  WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 2}]}', excluded) AND stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 1}]}', p)
  RETURNING traits, stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', p);
UPDATE people p SET traits = '{"n": 5000}' WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 5}]}', p)
  RETURNING id, stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 5}]}', p);
MERGE INTO people p USING others o ON p.id = o.id
WHEN MATCHED AND stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "is_null"}]}', p) THEN DELETE
WHEN MATCHED AND stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "gte", "value": 60}]}', p) THEN UPDATE SET email = 'merged'
WHEN NOT MATCHED AND o.id = 70 THEN INSERT (id) VALUES (o.id);
SELECT id, email FROM people WHERE id >= 55 ORDER BY id;
DELETE FROM people p USING others o WHERE o.id = p.id AND stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}', p) RETURNING p.id;
ROLLBACK;
-- partitions and children, whose columns have other numbers
CREATE TABLE parted (id int, traits jsonb) PARTITION BY RANGE (id);
CREATE TABLE parted1 (traits jsonb, gone int, id int);
ALTER TABLE parted1 DROP COLUMN gone;
ALTER TABLE parted ATTACH PARTITION parted1 FOR VALUES FROM (0) TO (30);
CREATE TABLE parted2 PARTITION OF parted FOR VALUES FROM (30) TO (100);
INSERT INTO parted SELECT id, traits FROM people;
SELECT * FROM ask_two('SELECT id FROM parted p WHERE stratum.segment_matches(DEF, p)');
SELECT * FROM ask_two('SELECT id FROM parted1 p WHERE stratum.segment_matches(DEF, p)');
CREATE TABLE child (more int) INHERITS (people);
INSERT INTO child (id, traits, more) SELECT n, jsonb_build_object('n', n - 1000), 1 FROM generate_series(1001, 1005) n;
SELECT agrees FROM ask_two('SELECT id FROM people p WHERE stratum.segment_matches(DEF, p)');
SELECT agrees FROM ask_two('SELECT id FROM child p WHERE stratum.segment_matches(DEF, p)');
SELECT agrees FROM ask_two('SELECT id FROM child p WHERE stratum.segment_matches(DEF, p::people)');
BEGIN;
UPDATE people p SET email = 'u' WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 3}]}', p) RETURNING id;
UPDATE parted p SET traits = NULL WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 31}]}', p) RETURNING id;
ROLLBACK;
DROP TABLE child;
-- security barriers: the public function stays above, and is asked about what the view lets through only
CREATE VIEW walled WITH (security_barrier) AS SELECT id, traits FROM people WHERE id % 2 = 0;
SELECT agrees FROM ask_two('SELECT id FROM walled w WHERE stratum.segment_matches(DEF, w)');
SELECT * FROM ask_two('SELECT id FROM walled w WHERE stratum.segment_matches(DEF, traits)');

-- ---- bad definitions are refused when the query is planned -----------------------------------------------------
\set VERBOSITY default
EXPLAIN SELECT FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "above", "value": 20}]}', p);
\set VERBOSITY terse
EXPLAIN SELECT FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "profile.gone1", "operator": "is_null"}]}', p);
EXPLAIN SELECT FROM people p WHERE stratum.traits_match('[]', traits);
EXPLAIN SELECT FROM flat p WHERE stratum.segment_matches('{"conditions": [{"field": "profile.email", "operator": "is_null"}]}', p);
EXPLAIN SELECT FROM ads a WHERE stratum.campaign_matches('{"conditions": [{"field": "trait.n", "operator": "is_null"}]}', a);
-- NULL is no definition
SELECT count(*) FROM people p WHERE stratum.segment_matches(NULL, p) IS NULL AND stratum.traits_match(NULL, traits) IS NULL;

-- ---- prepared statements ------------------------------------------------------------------------------------------
PREPARE by_definition(jsonb) AS SELECT count(*) FROM people p WHERE stratum.segment_matches($1, p);
SET plan_cache_mode = force_custom_plan;
SELECT shape($$ EXECUTE by_definition('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}') $$);
EXECUTE by_definition('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}');
EXECUTE by_definition('{"conditions": [{"field": "trait.n"}]}');
SET plan_cache_mode = force_generic_plan;
SELECT shape($$ EXECUTE by_definition('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}') $$);
EXECUTE by_definition('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}');
EXECUTE by_definition('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 10}]}');
EXECUTE by_definition(NULL);
EXECUTE by_definition('{"conditions": [{"field": "trait.n"}]}');
RESET plan_cache_mode;

-- ---- rights --------------------------------------------------------------------------------------------------------
GRANT SELECT ON people TO regress_planning;
PREPARE constant AS SELECT count(*) FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 20}]}', p);
SELECT shape('EXECUTE constant');
EXECUTE constant;
-- who may not call the internal function gets the same from the public one, also from a plan of somebody who may
REVOKE EXECUTE ON FUNCTION stratum._profile_matches(jsonb, text[], "any") FROM regress_planning;
GRANT EXECUTE ON FUNCTION shape(text) TO regress_planning;
SET ROLE regress_planning;
SELECT shape('EXECUTE constant');
EXECUTE constant;
RESET ROLE;
SELECT shape('EXECUTE constant');
-- who may not call the public one is told so, whatever else he may call
GRANT EXECUTE ON FUNCTION stratum._profile_matches(jsonb, text[], "any") TO regress_planning;
REVOKE EXECUTE ON FUNCTION stratum.segment_matches(jsonb, anyelement) FROM regress_planning;
SET ROLE regress_planning;
EXECUTE constant;
SELECT count(*) FROM people p WHERE stratum.segment_matches('{}', p);
RESET ROLE;
DEALLOCATE ALL;

-- ---- indexes ---------------------------------------------------------------------------------------------------------
SET enable_seqscan = off; SET jit = off;
CREATE FUNCTION index_says(definition text) RETURNS TABLE (condition text, agrees boolean) LANGUAGE plpgsql AS $$
DECLARE
  line text;
  n int;
  m int;
BEGIN
  agrees := true;
  FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT FROM people p WHERE stratum.segment_matches(%L, p)', definition) LOOP
    condition := coalesce(condition, substring(line FROM 'Index Cond: \(traits @@ (.*)\)'));
  END LOOP;
  UPDATE regress_planning.definition SET d = index_says.definition::jsonb;
  EXECUTE format('SELECT count(*) FROM people p WHERE stratum.segment_matches(%L, p)', definition) INTO n;
  SELECT count(*) INTO m FROM people p WHERE stratum.segment_matches((SELECT d FROM regress_planning.definition), p);
  agrees := n = m;
  RETURN NEXT;
END $$;
INSERT INTO people (id, traits) VALUES (201, '{"a": {"b": "x"}}'), (202, '{"a": [{"b": "x"}]}'), (203, '{"a": {"b": ["x"]}}'), (204, '{"b": true}'), (205, '{"n": -5.50}'),
  (206, '{"q\"\\\u0001é": "q\"\\\u0001é"}'), (207, '{"": "empty"}'), (208, '["x"]'), (209, '"x"'), (210, '{"tags": "t1"}'), (211, '{"tags": [["t1"], null]}'), (212, '{"n": 1e300}');
SELECT i.* FROM (VALUES
  (1, '{"conditions": [{"field": "trait.a.b", "operator": "equals", "value": "x"}]}'),
  (2, '{"conditions": [{"field": "trait.b", "operator": "equals", "value": true}, {"field": "trait.n", "operator": "is_null"}]}'),
  (3, '{"conditions": [{"field": "trait.n", "operator": "in", "value": [-5.5, 7.0, null, 0, 1e-3, "x"]}]}'),
  (4, '{"conditions": [{"field": "trait.tags", "operator": "contains", "value": 2}]}'),
  (5, '{"conditions": [{"field": "trait.tags", "operator": "contains_any", "value": ["t1", "t2"]}]}'),
  (6, '{"conditions": [{"field": "trait.tags", "operator": "contains_all", "value": ["t1", 2]}]}'),
  (7, '{"conditions": [{"field": ["trait", "q\"\\\u0001é"], "operator": "equals", "value": "q\"\\\u0001é"}]}'),
  (8, '{"conditions": [{"field": ["trait", ""], "operator": "equals", "value": "empty"}]}'),
  (9, '{"logic": "or", "conditions": [{"field": "trait.n", "operator": "equals", "value": 3}, {"field": "trait.b", "operator": "equals", "value": true}], "groups": [{"conditions": [{"field": "trait.n", "operator": "lte", "value": 9}, {"field": "trait.a.b", "operator": "equals", "value": "x"}]}]}'),
  -- nothing can be said of a part of a text, of what is not so, of any order, of a list of lists
  (10, '{"conditions": [{"field": "trait.tags", "operator": "contains", "value": "t1"}]}'),
  (11, '{"logic": "not", "conditions": [{"field": "trait.b", "operator": "equals", "value": true}]}'),
  (12, '{"logic": "or", "conditions": [{"field": "trait.b", "operator": "equals", "value": true}, {"field": "trait.n", "operator": "lte", "value": 9}]}'),
  (13, '{"conditions": [{"field": "trait.a", "operator": "equals", "value": {"b": "x"}}]}'),
  (14, '{"conditions": [{"field": "trait.n", "operator": "in", "value": [null]}]}'),
  (15, '{"conditions": [{"field": "trait.n", "operator": "equals", "value": 1e300}]}'),
  (16, '{"conditions": [{"field": "profile.email", "operator": "equals", "value": "p3@x.test"}]}')) v (n, d), LATERAL index_says(d) i ORDER BY n;
-- more values or longer paths than it is worth, or than PostgreSQL could read
SELECT n, i.condition IS NOT NULL AS index, agrees
FROM (SELECT n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'in', 'value', (SELECT jsonb_agg(g) FROM generate_series(1, n) g)))) FROM unnest('{512,513,5000}'::int[]) n
  UNION ALL SELECT -n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', '["trait"]'::jsonb || (SELECT jsonb_agg('n'::text) FROM generate_series(1, n) g), 'operator', 'equals', 'value', 1))) FROM unnest('{64,65,100000}'::int[]) n
) v (n, d), LATERAL index_says(d::text) i ORDER BY n;
-- any strings at all become paths that PostgreSQL reads
SELECT count(*) AS read FROM generate_series(1, 400) n, LATERAL (SELECT string_agg(chr((1 + (n * k * 7919) % CASE WHEN n % 2 = 0 THEN 127 ELSE 20000 END)), '') AS s FROM generate_series(1, 6) k) r,
  LATERAL index_says(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', jsonb_build_array('trait', s, s || 'x'), 'operator', 'equals', 'value', s)))::text) i WHERE i.condition IS NOT NULL AND i.agrees;
-- both kinds of index on jsonb, and a view, and a written-out call
SELECT shape($$ SELECT id FROM flat f WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 3}]}', f) $$),
  shape($$ SELECT id FROM people WHERE stratum.traits_match('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 3}]}', traits) $$);
DROP INDEX people_traits;
SELECT shape($$ SELECT id FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 3}]}', p) $$);
CREATE INDEX people_traits ON people USING gin (traits jsonb_path_ops);
CREATE INDEX people_part ON people USING gin ((traits -> 'a'));
SELECT shape($$ SELECT id FROM people p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 3}]}', p) $$),
  shape($$ SELECT id FROM people p WHERE stratum.traits_match('{"conditions": [{"field": "trait.b", "operator": "equals", "value": "x"}]}', traits -> 'a') $$);
SELECT id FROM people p WHERE stratum.traits_match('{"conditions": [{"field": "trait.b", "operator": "equals", "value": "x"}]}', traits -> 'a');
RESET enable_seqscan; RESET jit;

-- ---- estimates: within a factor of five, or of ten rows -----------------------------------------------------------
CREATE TABLE many (id int, traits jsonb, email text, stage text, nothing text, seen timestamptz);
INSERT INTO many SELECT n, jsonb_build_object('h', h, 'common', h % 10 < 7, 'rare', h % 50, 'rank', h % 1000) - CASE WHEN h % 4 = 0 THEN 'rank' ELSE '' END,
  CASE WHEN h % 10 = 0 THEN 'm' || n || '@x.test' END, CASE WHEN h % 5 > 0 THEN 's' || h % 3 END, NULL, '2026-01-01Z'::timestamptz - h % 1000 * interval '1 hour'
FROM generate_series(1, 10000) n, LATERAL (SELECT abs(hashint4(n)::bigint) AS h) x;
INSERT INTO many (id) SELECT n FROM generate_series(1, 1000) n;
ANALYZE many;
CREATE FUNCTION estimate(query text, OUT rows float8, OUT actual bigint) LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  rows := plan -> 0 -> 'Plan' ->> 'Plan Rows';
  EXECUTE format('SELECT count(*) FROM (%s) x', query) INTO actual;
END $$;
CREATE TABLE estimated (n serial, d jsonb);
INSERT INTO estimated (d) SELECT def(f, o, v, l) FROM (VALUES ('trait.common', 'equals', 'true'), ('trait.common', 'not_equals', 'true'), ('trait.rare', 'equals', '7'), ('trait.rare', 'in', '[7, 8, 9]'), ('trait.rank', 'lte', '99'),
  ('trait.rank', 'between', '[0, 500]'), ('trait.rank', 'is_null', NULL), ('trait.absent', 'is_null', NULL), ('trait.absent', 'is_not_null', NULL), ('profile.email', 'is_null', NULL), ('profile.email', 'is_not_null', NULL),
  ('identifier.email', 'equals', 'true'), ('profile.stage', 'equals', '"s1"'), ('profile.stage', 'in', '["s1", "s2"]'), ('profile.stage', 'equals', '"nowhere"'), ('profile.stage', 'is_null', NULL), ('profile.nothing', 'is_null', NULL), ('profile.nothing', 'equals', '"x"'),
  ('profile.seen', 'after', '"2025-12-25"'), ('profile.seen', 'is_null', NULL), ('profile.id', 'lte', '1000')) v (f, o, v), unnest('{and,not}'::text[]) l;
INSERT INTO estimated (d) VALUES
  ('{"conditions": [{"field": "trait.common", "operator": "equals", "value": true}, {"field": "profile.stage", "operator": "equals", "value": "s1"}]}'),
  ('{"logic": "or", "conditions": [{"field": "trait.common", "operator": "equals", "value": true}, {"field": "profile.stage", "operator": "is_null"}]}'),
  ('{"logic": "not", "conditions": [{"field": "trait.common", "operator": "equals", "value": true}, {"field": "profile.email", "operator": "is_not_null"}]}'),
  ('{"logic": "or", "conditions": [{"field": "trait.rank", "operator": "gte", "value": 900}], "groups": [{"logic": "not", "conditions": [{"field": "trait.common", "operator": "equals", "value": true}]}]}');
SELECT n, d, rows, actual FROM estimated, LATERAL estimate(format('SELECT FROM regress_planning.many m WHERE stratum.segment_matches(%L, m)', d)) e
WHERE NOT (rows BETWEEN 1 AND 11000 AND rows + 10 >= actual / 5.0 AND rows <= (actual + 10) * 5);
-- documents that are too wide for statistics
CREATE TABLE fresh AS SELECT id, jsonb_build_object('w', id % 5, 'wide', repeat(md5(id::text), 60)) AS traits FROM many;
ANALYZE fresh;
SELECT rows >= 1 AND rows < 3000 AS sane FROM estimate($$ SELECT FROM regress_planning.fresh f WHERE stratum.segment_matches('{"conditions": [{"field": "trait.w", "operator": "equals", "value": 1}]}', f) $$);
-- half of them too wide, the others all alike
UPDATE fresh SET traits = '{"w": 1}' WHERE id % 2 = 0;
ANALYZE fresh;
SELECT rows > 1000 AS sane FROM estimate($$ SELECT FROM regress_planning.fresh f WHERE stratum.segment_matches('{"conditions": [{"field": "trait.w", "operator": "equals", "value": 1}]}', f) $$);

RESET search_path;
REVOKE ALL ON SCHEMA stratum FROM regress_planning;
REVOKE EXECUTE ON FUNCTION stratum._profile_matches(jsonb, text[], "any") FROM regress_planning;
SET client_min_messages = warning;
DROP SCHEMA regress_planning CASCADE;
DROP ROLE regress_planning;
