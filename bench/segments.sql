-- One segment over all profiles, each row looked at: eight definitions S1 to S8, from one comparison to nested groups.
--
--   sql             what one writes by hand: ->>, casts, ILIKE
--   sql_expert      what somebody writes who knows what is fast: casts without a detour over text, lower(..) LIKE, ISO
--                   times compared as text, the cheapest condition first. It relies on how the values are written.
--   jsonpath        traits @@ '...', the same question in PostgreSQL's own language for jsonb
--   jsquery         traits @@ '...' of the extension jsquery, where it can express it
--   matches_traits  stratum.segment_matches(conditions, traits)
--   matches_row     stratum.segment_matches(conditions, profile), the whole row
--
-- Fair: the same answer is asked of all (a count, checked), the data are clean, so that SQL's casts do not fail, and no
-- one may use an index. PostgreSQL's ->> unpacks nothing here: traits are neither compressed nor out of line.
\echo
\echo '== segments: one segment, every profile looked at'

CREATE FUNCTION bench.example_segments()
  RETURNS TABLE (name text, conditions text, sql text, sql_expert text, jsonpath text, jsquery text)
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  a_month_ago timestamptz := now() - interval '30 days';
  -- As text the bound has to be the first time of that precision that lies within: 'Z' sorts after a fraction.
  second text := bench.iso(date_trunc('second', a_month_ago) + interval '1 second');
  millisecond text := bench.iso(date_trunc('milliseconds', a_month_ago) + interval '1 millisecond', '.MS');
  spring text := bench.iso(bench.today() - interval '312 days');
  cities text[] := ARRAY(SELECT 'City' || i FROM generate_series(100, 149) i);
  json_cities text := to_jsonb(cities);
  jsquery_cities text := translate(json_cities, '[]', '()');
  sql_cities text := quote_literal(cities::text) || '::text[]';
  jsonpath_cities text := (SELECT string_agg(format('$.address.city == "%s"', city), ' || ') FROM unnest(cities) city);
BEGIN
  RETURN QUERY VALUES
  ('S1 country is US',
   '{"conditions": [{"field": "trait.country", "operator": "equals", "value": "US"}]}',
   $sql$ traits->>'country' = 'US' $sql$,
   $sql$ traits->>'country' = 'US' $sql$,
   '$.country == "US"',
   'country = "US"'),
  ('S2 ltv > 500',
   '{"conditions": [{"field": "trait.ltv", "operator": "greater_than", "value": 500}]}',
   $sql$ (traits->>'ltv')::numeric > 500 $sql$,
   $sql$ (traits->'ltv')::numeric > 500 $sql$,
   '$.ltv > 500',
   'ltv > 500'),
  ('S3 S1 and S2',
   '{"conditions": [{"field": "trait.country", "operator": "equals", "value": "US"},
                    {"field": "trait.ltv", "operator": "greater_than", "value": 500}]}',
   $sql$ traits->>'country' = 'US' AND (traits->>'ltv')::numeric > 500 $sql$,
   $sql$ traits->>'country' = 'US' AND (traits->'ltv')::numeric > 500 $sql$,
   '$.country == "US" && $.ltv > 500',
   'country = "US" AND ltv > 500'),
  ('S4 city in 50',
   format('{"conditions": [{"field": "trait.address.city", "operator": "in", "value": %s}]}', json_cities),
   format($sql$ traits->'address'->>'city' = ANY (%s) $sql$, sql_cities),
   format($sql$ traits->'address'->>'city' = ANY (%s) $sql$, sql_cities),
   jsonpath_cities,
   'address.city IN ' || jsquery_cities),
  ('S5 company contains',
   '{"conditions": [{"field": "trait.company", "operator": "contains", "value": "soft"}]}',
   $sql$ traits->>'company' ILIKE '%soft%' $sql$,
   $sql$ lower(traits->>'company') LIKE '%soft%' $sql$,
   '$.company like_regex "soft" flag "iq"',
   NULL),
  ('S6 between and >=',
   '{"conditions": [{"field": "trait.ltv", "operator": "between", "value": [100, 500]},
                    {"field": "trait.orders", "operator": "greater_or_equal", "value": 3}]}',
   $sql$ (traits->>'ltv')::numeric BETWEEN 100 AND 500 AND (traits->>'orders')::numeric >= 3 $sql$,
   $sql$ (traits->'ltv')::numeric BETWEEN 100 AND 500 AND (traits->'orders')::numeric >= 3 $sql$,
   '$.ltv >= 100 && $.ltv <= 500 && $.orders >= 3',
   'ltv >= 100 AND ltv <= 500 AND orders >= 3'),
  ('S7 within 30 days, in',
   '{"conditions": [{"field": "trait.last_order_at", "operator": "within_last", "value": 30},
                    {"field": "trait.country", "operator": "in", "value": ["US", "DE"]}]}',
   $sql$ (traits->>'last_order_at')::timestamptz >= now() - interval '30 days' AND traits->>'country' IN ('US', 'DE') $sql$,
   format($sql$ traits->>'last_order_at' >= %L AND traits->>'country' IN ('US', 'DE') $sql$, second),
   format('$.last_order_at >= "%s" && ($.country == "US" || $.country == "DE")', second),
   NULL),
  ('S8 nested and/or',
   format('{"logic": "or", "groups": [
              {"conditions": [{"field": "trait.company", "operator": "contains", "value": "soft"},
                              {"field": "trait.ltv", "operator": "between", "value": [100, 800]},
                              {"field": "trait.address.city", "operator": "in", "value": %s}]},
              {"conditions": [{"field": "trait.last_order_at", "operator": "before", "value": "%s"},
                              {"field": "trait.last_login_at", "operator": "within_last", "value": 30},
                              {"field": "trait.plan", "operator": "starts_with", "value": "ent"}]}]}', json_cities, spring),
   format($sql$ (traits->>'company' ILIKE '%%soft%%' AND (traits->>'ltv')::numeric BETWEEN 100 AND 800
                 AND traits->'address'->>'city' = ANY (%s))
                OR ((traits->>'last_order_at')::timestamptz < %L
                    AND (traits->>'last_login_at')::timestamptz >= now() - interval '30 days'
                    AND traits->>'plan' ILIKE 'ent%%') $sql$, sql_cities, spring),
   format($sql$ (traits->'address'->>'city' = ANY (%s) AND (traits->'ltv')::numeric BETWEEN 100 AND 800
                 AND lower(traits->>'company') LIKE '%%soft%%')
                OR (traits->>'plan' ILIKE 'ent%%' AND traits->>'last_order_at' < %L
                    AND traits->>'last_login_at' >= %L) $sql$, sql_cities, spring, millisecond),
   format('($.company like_regex "soft" flag "iq" && $.ltv >= 100 && $.ltv <= 800 && (%s))
           || ($.last_order_at < "%s" && $.last_login_at >= "%s" && $.plan starts with "ent")',
          jsonpath_cities, spring, millisecond),
   NULL);
END $$;

BEGIN;      -- one transaction, one now(): the bounds written as text stay what they are
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
INSERT INTO bench.contestants (section, item, contestant, statement)
SELECT 'segments', s.name, c.contestant, 'SELECT count(*) FROM stratum.cdp_profiles p WHERE ' || c.test
FROM bench.example_segments() s
  CROSS JOIN LATERAL (VALUES
    (1, 'sql', s.sql),
    (2, 'sql_expert', s.sql_expert),
    (3, 'jsonpath', format('p.traits @@ %L::jsonpath', s.jsonpath)),
    (4, 'jsquery', format('p.traits @@ %L::jsquery', s.jsquery)),
    (5, 'matches_traits', format('stratum.segment_matches(%L, p.traits)', s.conditions)),
    (6, 'matches_row', format('stratum.segment_matches(%L, p)', s.conditions))) c (place, contestant, test)
WHERE c.contestant <> 'jsquery' OR (:'jsquery' AND s.jsquery IS NOT NULL)
ORDER BY s.name, c.place;
CALL bench.run('segments', :rounds);
COMMIT;

\set section segments
\set baseline sql
\set plans false
\ir report.sql

\echo 'Ratio of stratum.segment_matches() to others'
WITH times AS (
  SELECT item, max(ms) FILTER (WHERE contestant = 'sql_expert') AS sql_expert,
         max(ms) FILTER (WHERE contestant = 'jsonpath') AS jsonpath,
         max(ms) FILTER (WHERE contestant = 'jsquery') AS jsquery,
         max(ms) FILTER (WHERE contestant = 'matches_traits') AS of_traits,
         max(ms) FILTER (WHERE contestant = 'matches_row') AS of_row
  FROM bench.results WHERE section = 'segments'
  GROUP BY item
), ratios AS (
  SELECT item, of_traits / sql_expert AS expert, of_traits / jsonpath AS jsonpath, of_traits / jsquery AS jsquery,
         of_row / of_traits AS of_row
  FROM times
)
SELECT item, round(expert::numeric, 2) AS "traits : sql_expert", round(jsonpath::numeric, 2) AS "traits : jsonpath",
       round(jsquery::numeric, 2) AS "traits : jsquery", round(of_row::numeric, 2) AS "row : traits"
FROM ratios
UNION ALL
SELECT 'geometric mean', round(bench.geometric_mean(array_agg(expert))::numeric, 2),
       round(bench.geometric_mean(array_agg(jsonpath))::numeric, 2),
       round(bench.geometric_mean(array_agg(jsquery) FILTER (WHERE jsquery IS NOT NULL))::numeric, 2),
       round(bench.geometric_mean(array_agg(of_row))::numeric, 2)
FROM ratios
ORDER BY 1;
