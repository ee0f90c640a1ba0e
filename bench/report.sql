-- The tables of a section, :section: milliseconds, ratios to the contestant :baseline, and plans if :plans is true.
\echo 'Milliseconds (median of' :rounds 'rounds; all contestants of a line gave the same answer)'
SELECT r.item, r.contestant, bench.rounded(r.ms) AS ms, r.place
FROM bench.results r WHERE r.section = :'section'
UNION ALL
SELECT DISTINCT ON (r.item) r.item, 'answer', r.answer::numeric, 1000000
FROM bench.results r WHERE r.section = :'section' AND r.answer ~ '^\d{1,9}$'
ORDER BY place
\crosstabview item contestant ms place

\echo 'Ratio of the times to those of' :baseline
WITH ratios AS (
  SELECT r.item, r.contestant, r.ms / b.ms AS ratio, r.place
  FROM bench.results r JOIN bench.results b USING (section, item)
  WHERE r.section = :'section' AND b.contestant = :'baseline'
)
SELECT item, contestant, round(ratio::numeric, CASE WHEN ratio < 0.1 THEN 4 ELSE 2 END) AS ratio, place FROM ratios
UNION ALL
SELECT 'geometric mean', contestant, round(bench.geometric_mean(array_agg(ratio))::numeric, 2), 1000000 + min(place)
FROM ratios
-- a contestant that did not run everywhere has a mean over other items than the rest
GROUP BY contestant HAVING count(*) = (SELECT count(DISTINCT item) FROM ratios) AND count(*) > 1
ORDER BY place
\crosstabview item contestant ratio place

\if :plans
\echo 'Read through'
SELECT item, contestant, plan, place FROM bench.results WHERE section = :'section' ORDER BY place
\crosstabview item contestant plan place
\endif
