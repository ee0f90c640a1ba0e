-- Three segments over the customers of load_customers.sql, each counted in four ways:
--   psql -d mydb -U example_app -v tenant=1 -f examples/segments.sql
-- before it is saved (preview_segment), when it is brought up to date (refresh_segments), live
-- (segment_profiles), and by plain SQL over the profiles. The script fails unless all four agree.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?tenant} \else
  \set tenant 1
\endif

BEGIN;
SELECT stratum.enter(:tenant) \gset

-- Bought much, and not for three months. Bought often after a click on an ad, as a consumer. Sends much
-- back, and leaves carts behind or buys at a discount only.
DELETE FROM stratum.cdp_segments WHERE slug IN ('lapsed-high-value', 'frequent-paid-consumers', 'returns-risk');
INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES
  ('Lapsed, high value', 'lapsed-high-value', '{
     "logic": "and",
     "conditions": [
       {"field": "trait.ltv_12_months", "operator": "greater_or_equal", "value": 1000},
       {"field": "trait.recency_days", "operator": "greater_than", "value": 90}]}'),
  ('Frequent consumers from paid ads', 'frequent-paid-consumers', '{
     "logic": "and",
     "conditions": [
       {"field": "trait.customer_type", "operator": "equals", "value": "b2c"},
       {"field": "trait.acquisition_channel", "operator": "in", "value": ["paid_search", "paid_social"]},
       {"field": "trait.frequency", "operator": "gte", "value": 10}]}'),
  ('Returns risk', 'returns-risk', '{
     "logic": "and",
     "conditions": [{"field": "trait.return_rate", "operator": "greater_than", "value": 0.2}],
     "groups": [{
       "logic": "or",
       "conditions": [
         {"field": "trait.cart_abandonment_rate", "operator": "between", "value": [0.7, 1]},
         {"field": "trait.discount_orders_pct", "operator": "greater_than", "value": 0.5}]}]}');

CREATE TEMP TABLE plain_sql ON COMMIT DROP AS
SELECT count(*) FILTER (WHERE (traits->>'ltv_12_months')::numeric >= 1000
                          AND (traits->>'recency_days')::numeric > 90) AS "lapsed-high-value",
       count(*) FILTER (WHERE traits->>'customer_type' = 'b2c'
                          AND traits->>'acquisition_channel' IN ('paid_search', 'paid_social')
                          AND (traits->>'frequency')::numeric >= 10) AS "frequent-paid-consumers",
       count(*) FILTER (WHERE (traits->>'return_rate')::numeric > 0.2
                          AND ((traits->>'cart_abandonment_rate')::numeric BETWEEN 0.7 AND 1
                               OR (traits->>'discount_orders_pct')::numeric > 0.5)) AS "returns-risk"
FROM stratum.cdp_profiles;

CREATE TEMP TABLE segment_size ON COMMIT DROP AS
SELECT s.slug, p.profile_count AS previewed, r.profile_count AS refreshed,
       (SELECT count(*) FROM stratum.segment_profiles(s.id)) AS live,
       (SELECT (to_jsonb(plain_sql)->>s.slug)::bigint FROM plain_sql) AS plain_sql
FROM stratum.refresh_segments() r
JOIN stratum.cdp_segments s ON s.id = r.segment_id
CROSS JOIN LATERAL stratum.preview_segment(s.conditions, 0) p
WHERE s.slug IN ('lapsed-high-value', 'frequent-paid-consumers', 'returns-risk');

\echo 'segments: their sizes'
SELECT slug, previewed, refreshed, live, plain_sql FROM segment_size ORDER BY slug;

DO $$
BEGIN
  IF (SELECT count(*) FROM segment_size WHERE refreshed = previewed AND live = previewed
                                          AND plain_sql = previewed) <> 3 THEN
    RAISE EXCEPTION 'the sizes differ';
  END IF;
END
$$;

COMMIT;
