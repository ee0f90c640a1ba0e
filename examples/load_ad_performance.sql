-- Loads a CSV of ad performance into stratum.campaigns, one campaign an ad:
--   psql -d mydb -U example_app -v tenant=1 -v csv=/path/to/ads.csv -f examples/load_ad_performance.sql
--
-- Columns of the file: Date (DD-MM-YYYY), ad_id, xyz_campaign_id, fb_campaign_id, age (30-34),
-- gender (M, F), interest, Impressions, Clicks, Spent (currency units), Total_Conversion (enquiries),
-- Approved_Conversion (sales).
--
-- A sale is what is counted as a conversion; the row of the file is kept whole in raw_data. Spend is
-- rounded to the cent ad by ad. The file may be loaded again: an ad is updated, not doubled.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?csv} \else
  DO $$ BEGIN RAISE EXCEPTION 'which file? psql -v csv=/path/to/ads.csv -f load_ad_performance.sql'; END $$;
\endif
\if :{?tenant} \else
  \set tenant 1
\endif

BEGIN;

-- COPY FROM is refused on a table with row security, so the file goes into a temporary table first.
CREATE TEMP TABLE staged_ad (
  "Date" text, ad_id text, xyz_campaign_id text, fb_campaign_id text, age text, gender text,
  interest integer, "Impressions" integer, "Clicks" integer, "Spent" numeric,
  "Total_Conversion" integer, "Approved_Conversion" integer
) ON COMMIT DROP;

-- \copy takes no variables: put the command together, then run it.
\set copy '\\copy staged_ad FROM ' :'csv' ' (FORMAT csv, HEADER)'
:copy

-- Everything from here to COMMIT acts for that tenant, and sees only its rows.
SELECT stratum.enter(:tenant) \gset

-- tenant_id is not listed: it defaults to the current tenant. The metrics are not listed either:
-- they are computed from the counters whenever a row is written.
INSERT INTO stratum.campaigns (
  platform, external_id, account_id, name, status, objective,
  total_spend_cents, impressions, clicks, conversions,
  targeting_age_min, targeting_age_max, targeting_genders, targeting_interests,
  start_date, labels, raw_data, last_synced_at)
SELECT 'meta', ad_id, xyz_campaign_id,
       format('Ad %s, %s %s, interest %s', ad_id, gender, age, interest), 'completed', 'conversions',
       round("Spent" * 100), "Impressions", "Clicks", "Approved_Conversion",
       split_part(age, '-', 1)::integer, split_part(age, '-', 2)::integer,
       jsonb_build_array(CASE gender WHEN 'M' THEN 'male' WHEN 'F' THEN 'female' ELSE lower(gender) END),
       jsonb_build_array(interest),
       to_date("Date", 'DD-MM-YYYY'), jsonb_build_array('fb_campaign:' || fb_campaign_id),
       to_jsonb(staged_ad), now()
FROM staged_ad
ON CONFLICT (tenant_id, platform, external_id) DO UPDATE SET
  account_id = excluded.account_id, name = excluded.name,
  total_spend_cents = excluded.total_spend_cents, impressions = excluded.impressions,
  clicks = excluded.clicks, conversions = excluded.conversions,
  targeting_age_min = excluded.targeting_age_min, targeting_age_max = excluded.targeting_age_max,
  targeting_genders = excluded.targeting_genders, targeting_interests = excluded.targeting_interests,
  start_date = excluded.start_date, labels = excluded.labels, raw_data = excluded.raw_data,
  last_synced_at = excluded.last_synced_at;

\echo 'campaigns: what stratum says, and what plain SQL says of the file'
SELECT 'stratum' AS source, count(*) AS ads, round(sum(total_spend_cents) / 100.0, 2) AS spend,
       sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions) AS sales,
       round(stratum.ctr(sum(clicks), sum(impressions))::numeric, 6) AS ctr_per_cent,
       stratum.cpc_cents(sum(total_spend_cents), sum(clicks)) AS cpc_cents,
       stratum.cpm_cents(sum(total_spend_cents), sum(impressions)) AS cpm_cents,
       stratum.cpa_cents(sum(total_spend_cents), sum(conversions)) AS cpa_cents
FROM stratum.campaigns WHERE external_id IN (SELECT ad_id FROM staged_ad)
UNION ALL
SELECT 'plain SQL', count(*), round(sum(round("Spent" * 100)) / 100.0, 2),
       sum("Impressions"), sum("Clicks"), sum("Approved_Conversion"),
       round(100.0 * sum("Clicks") / sum("Impressions"), 6),
       round(sum(round("Spent" * 100)) / sum("Clicks")),
       round(1000 * sum(round("Spent" * 100)) / sum("Impressions")),
       round(sum(round("Spent" * 100)) / nullif(sum("Approved_Conversion"), 0))
FROM staged_ad;

\echo 'ads whose own metrics differ from plain SQL (should be 0)'
SELECT count(*) AS different
FROM staged_ad s JOIN stratum.campaigns c ON c.external_id = s.ad_id
WHERE round(c.ctr::numeric, 9) IS DISTINCT FROM round(100.0 * "Clicks" / nullif("Impressions", 0), 9)
   OR c.cpc_cents IS DISTINCT FROM round(round("Spent" * 100) / nullif("Clicks", 0))
   OR c.cpm_cents IS DISTINCT FROM round(1000 * round("Spent" * 100) / nullif("Impressions", 0))
   OR c.cpa_cents IS DISTINCT FROM round(round("Spent" * 100) / nullif("Approved_Conversion", 0));

COMMIT;
