-- Runs what is new of :section, in tenant 7, with those of its segments active whose slugs match :active; and refreshed, if :refreshed is
-- true.
UPDATE stratum.cdp_segments SET is_active = slug ~ :'active' WHERE tenant_id = 7;
\if :refreshed
BEGIN;
SELECT stratum.enter(7) \g /dev/null
SELECT count(*) FROM stratum.refresh_segments() \g /dev/null
COMMIT;
VACUUM (ANALYZE) stratum.cdp_segment_memberships;
\endif
VACUUM (ANALYZE) stratum.cdp_segments;

BEGIN;
SELECT stratum.enter(7) \g /dev/null
CALL bench.run(:'section', :rounds);
COMMIT;
