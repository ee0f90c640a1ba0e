-- The scripts of examples/, on their samples, as a login that is a member of stratum_app only.
\getenv testdir PG_ABS_SRCDIR
\set ECHO none
\set examples :testdir '/../examples'
INSERT INTO stratum.tenants (name, slug) VALUES ('Examples', 'regress-examples') RETURNING id AS tenant \gset
CREATE ROLE regress_example LOGIN IN ROLE stratum_app;
SET SESSION AUTHORIZATION regress_example;

\echo '== ads, loaded twice'
\set csv :examples '/data/ads_sample.csv'
\set script :examples '/load_ad_performance.sql'
\i :script
\i :script

\echo '== customers, loaded twice'
\set csv :examples '/data/customers_sample.csv'
\set script :examples '/load_customers.sql'
\i :script
\i :script

\echo '== segments, refreshed twice'
\set script :examples '/segments.sql'
\i :script
\i :script

\echo '== what the tenant has now'
BEGIN;
SELECT stratum.enter(:tenant) \gset
SELECT external_id, total_spend_cents, ctr, cpc_cents, cpm_cents, cpa_cents, roas
FROM stratum.campaigns ORDER BY external_id;
SELECT s.slug, s.profile_count, string_agg(p.external_id, ' ' ORDER BY p.external_id) AS members
FROM stratum.cdp_segments s
JOIN stratum.cdp_segment_memberships m ON m.segment_id = s.id
JOIN stratum.cdp_profiles p ON p.id = m.profile_id
GROUP BY s.id ORDER BY s.slug;
SELECT resource_type, action, count(*) FROM stratum.audit_logs
GROUP BY resource_type, action ORDER BY resource_type, action;
COMMIT;

RESET SESSION AUTHORIZATION;
DROP ROLE regress_example;
