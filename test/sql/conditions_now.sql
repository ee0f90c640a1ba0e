-- Now is the transaction's, whatever is kept from one transaction of a session to the next.
-- `was` has just been and is soon too long ago; `comes` is to come.
CREATE TEMP TABLE moment (id int, tenant_id int, last_seen_at timestamptz, first_seen_at timestamptz, traits jsonb);
CREATE TEMP TABLE asked AS
  SELECT '{"conditions": [{"field": "trait.was", "operator": "within_last", "value": 0.000002}]}'::jsonb AS was,
         '{"conditions": [{"field": "trait.comes", "operator": "within_last", "value": 1}]}'::jsonb AS comes,
         '{"logic": "or", "conditions": [{"field": "profile.last_seen_at", "operator": "within_last", "value": 0.000002}, {"field": "trait.none", "operator": "equals", "value": 1}]}'::jsonb AS was_column,
         '{"logic": "not", "conditions": [{"field": "profile.first_seen_at", "operator": "within_last", "value": 1}]}'::jsonb AS not_comes_column;
-- few definitions are asked one by one, many in tables, of which one holds times that move and times that do not
CREATE FUNCTION pg_temp.definitions(n int) RETURNS jsonb[] LANGUAGE sql AS $$
  SELECT (SELECT array_agg(CASE i % 4 WHEN 0 THEN a.was WHEN 1 THEN a.comes WHEN 2 THEN a.was_column ELSE a.not_comes_column END ORDER BY i) FROM generate_series(0, n - 1) i)
         || '{"conditions": [{"field": "profile.first_seen_at", "operator": "after", "value": "2020-01-01"}, {"field": "trait.comes", "operator": "before", "value": "9999-01-01"}]}'::jsonb
  FROM pg_temp.asked a
$$;
SELECT format($$PREPARE constant_row AS SELECT stratum.segment_matches(%L, m) AS was, stratum.segment_matches(%L, m) AS comes, stratum.segment_matches(%L, m) AS was_column, stratum.segment_matches(%L, m) AS not_comes_column FROM moment m$$,
  was, comes, was_column, not_comes_column) AS prepare FROM asked \gset
:prepare;
SELECT format($$PREPARE constant_traits AS SELECT stratum.segment_matches(%L, m.traits) AS was, stratum.traits_match(%L, m.traits) AS comes FROM moment m$$, was, comes) AS prepare FROM asked \gset
:prepare;
PREPARE variable_row AS SELECT stratum.segment_matches(a.was, m) AS was, stratum.segment_matches(a.comes, m) AS comes, stratum.segment_matches(a.was_column, m) AS was_column, stratum.segment_matches(a.not_comes_column, m) AS not_comes_column FROM moment m, asked a;
PREPARE bits (jsonb[]) AS SELECT stratum._segment_bits($1, '{traits,first_seen_at,last_seen_at}', traits, first_seen_at, last_seen_at) FROM moment;
CREATE FUNCTION pg_temp.simple_expressions() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  a record;
  m pg_temp.moment;
  was jsonb;
  comes jsonb;
BEGIN
  SELECT * INTO a FROM pg_temp.asked;
  SELECT * INTO m FROM pg_temp.moment;
  was := a.was;
  comes := a.comes;
  RETURN concat_ws(' ', stratum.segment_matches(was, m), stratum.traits_match(comes, m.traits),
    stratum.traits_match('{"conditions": [{"field": "trait.was", "operator": "within_last", "value": 0.000002}]}', m.traits),
    stratum.segment_matches('{"conditions": [{"field": "profile.first_seen_at", "operator": "within_last", "value": 1}]}', m),
    stratum._segment_bits(pg_temp.definitions(8), '{traits,first_seen_at,last_seen_at}', m.traits, m.first_seen_at, m.last_seen_at));
END $$;
CREATE PROCEDURE pg_temp.commits() LANGUAGE plpgsql AS $$
DECLARE
  m pg_temp.moment;
  was jsonb := (SELECT a.was FROM pg_temp.asked a);
  definitions jsonb[] := pg_temp.definitions(8);
BEGIN
  FOR i IN 1 .. 2 LOOP
    IF i = 1 THEN
      UPDATE pg_temp.moment SET last_seen_at = now(), first_seen_at = now() + interval '0.2 s', traits = jsonb_build_object('was', now(), 'comes', now() + interval '0.2 s');
    END IF;
    SELECT * INTO m FROM pg_temp.moment;
    RAISE NOTICE '% % %', stratum.segment_matches(was, m), stratum.traits_match('{"conditions": [{"field": "trait.comes", "operator": "within_last", "value": 1}]}', m.traits),
      stratum._segment_bits(definitions, '{traits,first_seen_at,last_seen_at}', m.traits, m.first_seen_at, m.last_seen_at);
    PERFORM pg_sleep(0.3);
    COMMIT;
  END LOOP;
END $$;
SET timezone = 'UTC';

\set ask 'EXECUTE constant_row; EXECUTE variable_row; EXECUTE constant_traits; EXECUTE bits (pg_temp.definitions(4)); EXECUTE bits (pg_temp.definitions(8)); EXECUTE bits (pg_temp.definitions(70)); SELECT pg_temp.simple_expressions();'
SET plan_cache_mode = force_generic_plan;
BEGIN;
INSERT INTO moment VALUES (1, 1, now(), now() + interval '0.2 s', jsonb_build_object('was', now(), 'comes', now() + interval '0.2 s'));
:ask
COMMIT;
SELECT pg_sleep(0.3) \g /dev/null
BEGIN;
:ask
COMMIT;
SET plan_cache_mode = force_custom_plan;
BEGIN;
:ask
COMMIT;
RESET plan_cache_mode;
CALL pg_temp.commits();
DEALLOCATE ALL;
