-- What the sections share: settings, schema bench, the clock, and the way contestants are compared.
--
-- A section fills bench.contestants with statements and calls bench.run(), which first lets each contestant answer and
-- stops if two answers to the same item differ, and then times them in alternating rounds (A B C, A B C, ...), so that
-- a change of the machine's mood meets all of them. The clock runs in the server: neither client nor network counts.
\set ECHO none
\pset footer off
\pset null '-'
\pset pager off
\pset linestyle unicode
SET client_min_messages = warning;
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET synchronous_commit = off;
SET TimeZone = 'UTC';
-- What an index of a million profiles takes; the default would write it to disk in pieces.
SET maintenance_work_mem = '512MB';

-- First, so that stratum makes no index that needs one of the others: the sections make those that they compare.
CREATE EXTENSION stratum;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION btree_gin;
CREATE EXTENSION pg_prewarm;
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'jsquery') AS jsquery \gset
\if :jsquery
CREATE EXTENSION jsquery;
\else
\echo 'The extension jsquery is not there: its column is left out.'
\endif

CREATE SCHEMA bench;

CREATE TABLE bench.contestants (
  section text,
  item text,                      -- contestants of the same item are compared
  contestant text,
  statement text NOT NULL,        -- what is timed
  answer_of text,                 -- what gives the answer that has to be the same; NULL: the statement itself
  settings jsonb NOT NULL DEFAULT '{}',   -- in force while this contestant runs
  place integer GENERATED ALWAYS AS IDENTITY,
  answer text,
  plan text,
  repeats integer NOT NULL DEFAULT 1,     -- in each round
  PRIMARY KEY (section, item, contestant)
);

CREATE TABLE bench.timings (section text, item text, contestant text, round integer, ms double precision);

CREATE VIEW bench.results AS
SELECT c.section, c.item, c.contestant, c.place, c.answer, c.plan, count(*) AS rounds,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY t.ms) AS ms, min(t.ms) AS min_ms, max(t.ms) AS max_ms
FROM bench.contestants c JOIN bench.timings t USING (section, item, contestant)
GROUP BY c.section, c.item, c.contestant;

-- Sets them until the end of the transaction; returns what was there before.
CREATE FUNCTION bench.set(settings jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  before jsonb;
BEGIN
  SELECT coalesce(jsonb_object_agg(key, current_setting(key)), '{}') INTO before FROM jsonb_each_text(settings);
  PERFORM set_config(key, value, true) FROM jsonb_each_text(settings);
  RETURN before;
END $$;

-- Of one run, the mean of several if the statement is to be repeated.
CREATE FUNCTION bench.milliseconds(statement text, settings jsonb DEFAULT '{}', repeats integer DEFAULT 1) RETURNS double precision
  LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := bench.set(settings);
  started timestamptz := clock_timestamp();
  finished timestamptz;
BEGIN
  FOR i IN 1 .. repeats LOOP
    EXECUTE statement;
  END LOOP;
  finished := clock_timestamp();
  PERFORM bench.set(before);
  RETURN 1000 * extract(epoch FROM finished - started) / repeats;
END $$;

-- The one row that a query returns, as text.
CREATE FUNCTION bench.answer(query text, settings jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := bench.set(settings);
  answer text;
BEGIN
  EXECUTE format('SELECT btrim(r::text, ''()'') FROM (%s) r', query) INTO STRICT answer;
  PERFORM bench.set(before);
  RETURN answer;
END $$;

-- What statements return, added up; the query gives the statements.
CREATE FUNCTION bench.sum_of(statements text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  statement text;
  part bigint;
  total bigint := 0;
BEGIN
  FOR statement IN EXECUTE statements LOOP
    EXECUTE statement INTO part;
    total := total + part;
  END LOOP;
  RETURN total;
END $$;

-- How a query reads its table: the indexes with the columns that they look up, or Seq Scan.
CREATE FUNCTION bench.plan(query text, settings jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before jsonb := bench.set(settings);
  plan jsonb;
  indexes text;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  PERFORM bench.set(before);
  SELECT string_agg(DISTINCT format('%s (%s)', node->>'Index Name', condition.columns), ', ') INTO indexes
  FROM jsonb_path_query(plan, 'strict $.** ? (exists (@."Index Name"))') node
    CROSS JOIN LATERAL (SELECT string_agg(name, ', ') AS columns FROM unnest('{tenant_id,traits}'::text[]) name
                        WHERE node->>'Index Cond' LIKE '%' || name || '%') condition;
  RETURN coalesce(indexes, jsonb_path_query_first(plan, 'strict $.**."Node Type" ? (@ like_regex "Scan")') #>> '{}');
END $$;

-- Lets every contestant of the section answer once, which also warms them up.
CREATE PROCEDURE bench.check_answers(of_section text) LANGUAGE plpgsql AS $$
DECLARE
  differing record;
BEGIN
  UPDATE bench.contestants
  SET answer = bench.answer(coalesce(answer_of, statement), settings), plan = bench.plan(statement, settings)
  WHERE section = of_section AND answer IS NULL;
  SELECT item, string_agg(contestant || ': ' || answer, '; ' ORDER BY place) AS answers INTO differing
  FROM bench.contestants
  WHERE section = of_section
  GROUP BY item HAVING count(DISTINCT answer) > 1
  ORDER BY item LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the contestants of "%" give different answers: %', differing.item, differing.answers;
  END IF;
END $$;

-- Checks and times those of the section that have not been timed yet. A statement of a few milliseconds is repeated in
-- its turn until some 50 have passed: one run alone would mostly measure what the contestant before it left in the
-- processor's caches.
-- With "apart" each run is a transaction of its own: PostgreSQL can clear up what it has left before the next one.
CREATE PROCEDURE bench.run(of_section text, rounds integer, apart boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
  fresh text[] := ARRAY(SELECT DISTINCT item FROM bench.contestants WHERE section = of_section AND answer IS NULL);
  c record;
BEGIN
  CALL bench.check_answers(of_section);
  UPDATE bench.contestants
  SET repeats = greatest(least(50 / bench.milliseconds(statement, settings), 100), 1)
  WHERE section = of_section AND item = ANY (fresh);
  FOR round IN 1 .. rounds LOOP
    FOR c IN SELECT * FROM bench.contestants WHERE section = of_section AND item = ANY (fresh) ORDER BY place LOOP
      INSERT INTO bench.timings
      VALUES (of_section, c.item, c.contestant, round, bench.milliseconds(c.statement, c.settings, c.repeats));
      IF apart THEN
        COMMIT;
      END IF;
    END LOOP;
  END LOOP;
END $$;

-- Three digits are more than a measurement is good for.
CREATE FUNCTION bench.rounded(x double precision) RETURNS numeric LANGUAGE sql IMMUTABLE AS
  'SELECT round(x::numeric, CASE WHEN x >= 99.5 THEN 0 WHEN x >= 9.95 THEN 1 ELSE 2 END)';

CREATE FUNCTION bench.geometric_mean(x double precision[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  'SELECT exp(avg(ln(y))) FROM unnest(x) y';
