-- The five advertising metrics of a row of integer counters, in one query, for as many rows as there are profiles.
--
--   float8   plain SQL: float8 with nullif(), rounded half away from zero by floor(x + 0.5), which takes for granted that
--            no counter is negative
--   numeric  plain SQL as it is mostly seen: CASE WHEN ... THEN round(...) in numeric
--   stratum  stratum.ctr(), cpc_cents(), cpm_cents(), cpa_cents(), roas()
--
-- Fair: the same rows, and the same results up to the tenth digit of the two that are not whole numbers.
\echo
\echo '== metrics: five metrics of a row'
SELECT setseed(0.3) \g /dev/null
CREATE UNLOGGED TABLE bench.counters AS
SELECT (random() * 5000000)::integer AS spend, (random() * 20000000)::integer AS revenue,
       (random() * 3000000)::integer AS impressions,
       -- some campaigns have no clicks, more no conversions
       greatest((random() * 60000 - 3000)::integer, 0) AS clicks, greatest((random() * 1500 - 300)::integer, 0) AS conversions
FROM generate_series(1, :profiles);
VACUUM (FREEZE, ANALYZE) bench.counters;
CALL bench.warm('{bench.counters}');

INSERT INTO bench.contestants (section, item, contestant, statement, answer_of)
SELECT 'metrics', 'five metrics', contestant,
       format('SELECT count(%s), count(%s), count(%s), count(%s), count(%s) FROM bench.counters', ctr, roas, cpc, cpm, cpa),
       format('SELECT sum(round((%s)::numeric, 10)), sum(round((%s)::numeric, 10)), sum(%s), sum(%s), sum(%s) FROM bench.counters',
              ctr, roas, cpc, cpm, cpa)
FROM (VALUES
  (1, 'float8',
   '100.0::float8 * clicks / nullif(impressions, 0)',
   'revenue::float8 / nullif(spend, 0)',
   'floor(spend::float8 / nullif(clicks, 0) + 0.5)::bigint',
   'floor(spend::float8 * 1000 / nullif(impressions, 0) + 0.5)::bigint',
   'floor(spend::float8 / nullif(conversions, 0) + 0.5)::bigint'),
  (2, 'numeric',
   'CASE WHEN impressions > 0 THEN (100.0 * clicks / impressions)::float8 END',
   'CASE WHEN spend > 0 THEN (revenue::numeric / spend)::float8 END',
   'CASE WHEN clicks > 0 THEN round(spend::numeric / clicks)::bigint END',
   'CASE WHEN impressions > 0 THEN round(spend::numeric * 1000 / impressions)::bigint END',
   'CASE WHEN conversions > 0 THEN round(spend::numeric / conversions)::bigint END'),
  (3, 'stratum',
   'stratum.ctr(clicks, impressions)',
   'stratum.roas(revenue, spend)',
   'stratum.cpc_cents(spend, clicks)',
   'stratum.cpm_cents(spend, impressions)',
   'stratum.cpa_cents(spend, conversions)')) c (place, contestant, ctr, roas, cpc, cpm, cpa)
ORDER BY place;
CALL bench.run('metrics', :rounds);
DROP TABLE bench.counters;

\set section metrics
\set baseline float8
\set plans false
\ir report.sql
