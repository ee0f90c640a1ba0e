-- Advertising metrics.
SET extra_float_digits = 1;

SELECT stratum.ctr(56000, 2800000) AS ctr, stratum.cpc_cents(1999, 2) AS cpc_cents, stratum.cpm_cents(12345, 1000000) AS cpm_cents,
       stratum.cpa_cents(1000, 3) AS cpa_cents, stratum.roas(300, 200) AS roas;

-- half away from zero
SELECT spend, stratum.cpc_cents(spend, 10) AS by_ten, stratum.cpc_cents(spend, -10) AS by_minus_ten
FROM unnest('{4,5,6,14,15,16,-4,-5,-6,-14,-15,-16}'::bigint[]) AS spend;

-- NULL: an argument, nothing to divide by, or too big
SELECT stratum.ctr(NULL, 1), stratum.ctr(1, NULL), stratum.ctr(1, 0), stratum.ctr(0, 0), stratum.roas(1, 0), stratum.roas(NULL, 1);
SELECT stratum.cpc_cents(1, 0), stratum.cpm_cents(1, 0), stratum.cpa_cents(1, 0), stratum.cpc_cents(NULL, 1), stratum.cpm_cents(1, NULL),
       stratum.cpc_cents(-9223372036854775808, -1) AS cpc, stratum.cpm_cents(9223372036854775807, 999) AS cpm;
SELECT stratum.cpm_cents(9223372036854775807, 1000), stratum.cpm_cents(-9223372036854775808, 1000), stratum.cpc_cents(-9223372036854775808, 1),
       stratum.roas(0, -5) AS no_minus_zero;

-- sums of integers, as in a report
SELECT stratum.ctr(sum(clicks), sum(impressions)), stratum.cpa_cents(sum(spend), sum(conversions))
FROM (VALUES (1, 100, 250, 1), (3, 100, 251, 1)) AS v (clicks, impressions, spend, conversions);

-- random and extreme counters against exact numeric arithmetic
SELECT setseed(0.5);
CREATE TEMPORARY TABLE pairs AS
WITH edges (n) AS (VALUES (-9223372036854775808), (-9223372036854775807), (-9223372036854776), (-9223372036854775), (-9007199254740993), (-2147483649), (-1000), (-3), (-2), (-1), (0),
                          (1), (2), (3), (999), (1000), (2147483648), (9007199254740993), (9223372036854775), (9223372036854776), (9223372036854775806), (9223372036854775807::bigint))
SELECT a.n AS a, b.n AS b FROM edges AS a, edges AS b
UNION ALL
SELECT ((random() - 0.5) * 2 ^ (random() * 63))::bigint, ((random() - 0.5) * 2 ^ (random() * 63))::bigint
FROM generate_series(1, 20000)
UNION ALL
SELECT a, b FROM generate_series(-40, 40) AS a, generate_series(-16, 16) AS b;

WITH exact AS (
  SELECT a, b, multiplier,
         sign(a::numeric) * sign(b::numeric) * div(2 * abs(a::numeric) * multiplier + abs(b::numeric), 2 * abs(b::numeric)) AS cents
  FROM pairs, (VALUES (1), (1000)) AS m (multiplier)
  WHERE b <> 0)
SELECT multiplier, count(*) > 15000 AS many,
       count(*) FILTER (WHERE found IS DISTINCT FROM CASE WHEN cents BETWEEN -9223372036854775808 AND 9223372036854775807 THEN cents::bigint END) AS wrong
FROM (SELECT *, CASE multiplier WHEN 1 THEN stratum.cpc_cents(a, b) ELSE stratum.cpm_cents(a, b) END AS found FROM exact) AS e
GROUP BY multiplier ORDER BY multiplier;

SELECT count(*) FILTER (WHERE stratum.cpa_cents(a, b) IS DISTINCT FROM stratum.cpc_cents(a, b)) AS cpa,
       count(*) FILTER (WHERE (stratum.ctr(a, b) IS NULL) <> (b = 0) OR (stratum.roas(a, b) IS NULL) <> (b = 0)) AS missing,
       count(*) FILTER (WHERE stratum.ctr(a, b) = 'NaN' OR abs(stratum.ctr(a, b)) = 'Infinity' OR stratum.ctr(a, b)::text = '-0') AS odd,
       count(*) FILTER (WHERE abs(stratum.ctr(a, b) - ctr) > abs(ctr) * 5e-16) AS ctr,
       count(*) FILTER (WHERE abs(stratum.roas(a, b) - roas) > abs(roas) * 5e-16) AS roas
FROM (SELECT a, b, (a::numeric(60, 40) * 100 / nullif(b, 0))::float8 AS ctr, (a::numeric(60, 40) / nullif(b, 0))::float8 AS roas FROM pairs) AS p;

SELECT proname, pg_get_function_arguments(oid) AS arguments, provolatile, proisstrict, proparallel
FROM pg_proc
WHERE pronamespace = 'stratum'::regnamespace AND proname IN ('ctr', 'cpc_cents', 'cpm_cents', 'cpa_cents', 'roas')
ORDER BY proname COLLATE "C";
