-- Loads a CSV of customers into stratum.cdp_profiles, one profile a customer, its figures as traits:
--   psql -d mydb -U example_app -v tenant=1 -v csv=/path/to/customers.csv -f examples/load_customers.sql
--
-- Columns of the file: customer_id, customer_type (b2b, b2c), acquisition_channel, and 24 numbers
-- (recency_days, frequency, total_orders, total_revenue, return_rate, ltv_12_months, ...).
--
-- The file may be loaded again: canonical_id is computed from tenant and customer, so a customer is
-- updated, not doubled.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?csv} \else
  DO $$ BEGIN RAISE EXCEPTION 'which file? psql -v csv=/path/to/customers.csv -f load_customers.sql'; END $$;
\endif
\if :{?tenant} \else
  \set tenant 1
\endif

BEGIN;

-- COPY FROM is refused on a table with row security, so the file goes into a temporary table first.
CREATE TEMP TABLE staged_customer (
  customer_id text, customer_type text, acquisition_channel text, customer_acquisition_cost numeric,
  account_age_days integer, recency_days numeric, frequency integer, monetary_avg numeric,
  recency_score integer, frequency_score integer, monetary_score integer, rfm_score integer,
  first_purchase_value numeric, total_orders integer, total_revenue numeric, avg_order_value numeric,
  max_order_value numeric, avg_days_between_orders numeric, unique_products_purchased integer,
  unique_categories integer, website_visits_30d integer, email_opens_30d integer,
  cart_abandonment_rate numeric, discount_orders_pct numeric, avg_discount_amount numeric,
  return_rate numeric, ltv_12_months numeric
) ON COMMIT DROP;

-- \copy takes no variables: put the command together, then run it.
\set copy '\\copy staged_customer FROM ' :'csv' ' (FORMAT csv, HEADER)'
:copy

-- Everything from here to COMMIT acts for that tenant, and sees only its rows.
SELECT stratum.enter(:tenant) \gset

INSERT INTO stratum.cdp_profiles (
  canonical_id, external_id, lifecycle_stage, first_seen_at, last_seen_at, traits)
SELECT md5(format('%s:%s', stratum.current_tenant_id(), customer_id))::uuid, customer_id, 'customer',
       now() - account_age_days * interval '1 day', now() - recency_days * interval '1 day',
       to_jsonb(staged_customer) - 'customer_id'
FROM staged_customer
ON CONFLICT (tenant_id, canonical_id) DO UPDATE SET
  external_id = excluded.external_id, lifecycle_stage = excluded.lifecycle_stage,
  first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
  traits = cdp_profiles.traits || excluded.traits;

\echo 'profiles: what stratum holds, and what plain SQL says of the file'
SELECT 'stratum' AS source, count(*) AS customers, sum((traits->>'total_revenue')::numeric) AS revenue,
       sum((traits->>'ltv_12_months')::numeric) AS ltv_12_months
FROM stratum.cdp_profiles WHERE external_id IN (SELECT customer_id FROM staged_customer)
UNION ALL
SELECT 'plain SQL', count(*), sum(total_revenue), sum(ltv_12_months) FROM staged_customer;

COMMIT;
