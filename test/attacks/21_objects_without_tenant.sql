-- Large objects and advisory locks know no tenants.
\c - app
SELECT lo_from_bytea(7001, 'XQSECRETQX') \g /dev/null
SELECT attack.control('its owner reads it', length(lo_get(7001)) = 10);
\ir as_mallory.psql
BEGIN;
:enter;
SELECT attack.held('another login''s large object', attack.try('SELECT lo_get(7001)') = '42501' AND attack.try('SELECT lo_unlink(7001)') = '42501');
SELECT attack.held('their pages', attack.try('SELECT * FROM pg_largeobject') = '42501');
-- all that stratum might lock by
SELECT count(pg_advisory_xact_lock(n)), count(pg_advisory_xact_lock(n, 2)), count(pg_advisory_xact_lock(2, n)) FROM generate_series(1, 300) n;
SELECT count(pg_advisory_xact_lock(c.oid::integer, n)) FROM pg_class c, generate_series(1, 3) n WHERE relnamespace = 'stratum'::regnamespace AND relkind = 'r';
\set answer `as app "BEGIN; SELECT stratum.enter(2); UPDATE stratum.campaigns SET clicks = 7 WHERE id = 200; SELECT stratum.refresh_segment(200); SELECT 'done'; ROLLBACK"`
SELECT attack.held('advisory locks of all numbers', :'answer' LIKE '%done%');
SELECT pg_advisory_xact_lock(4242);
\set answer `as app "SELECT pg_advisory_xact_lock(4242)"`
SELECT attack.known('Large objects and advisory locks', :'answer' LIKE '%55P03%');
COMMIT;
\c - postgres
SELECT lo_unlink(7001) \g /dev/null
