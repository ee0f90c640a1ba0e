-- TRUNCATE asks no policy.
BEGIN;
:enter;
SELECT attack.held(t, attack.try(format('TRUNCATE stratum.%I CASCADE', t)) = '42501')
FROM unnest('{users,campaigns,cdp_profiles,cdp_events,cdp_segments,cdp_audience_syncs,audit_logs}'::text[]) t;
SELECT attack.control('DELETE, which does, may', attack.try('DELETE FROM stratum.cdp_events') NOT LIKE '4%');
ROLLBACK;
\c - postgres
BEGIN;
SELECT attack.control('a superuser can', attack.try('TRUNCATE stratum.cdp_events') = '0 rows');
ROLLBACK;
