-- The planner has looked at everybody's rows: what does it tell?
\c - postgres
CREATE STATISTICS stratum.profile_statistics (mcv) ON tenant_id, email FROM stratum.cdp_profiles;
CREATE STATISTICS stratum.profile_expressions ON (lower(email)) FROM stratum.cdp_profiles;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT 2, 'meta', 'many' || n, 'acc', 'XQSECRETQX' FROM generate_series(1, 200) n;
ANALYZE stratum.campaigns, stratum.cdp_profiles, stratum.users;
SELECT attack.control('the statistics have values of the victim', count(*) > 0) FROM pg_stats WHERE most_common_vals::text LIKE '%XQSECRETQX%';
SELECT attack.control('those of expressions too', count(*) > 0) FROM pg_stats_ext_exprs WHERE statistics_name = 'profile_expressions';
SELECT attack.remember();
\ir as_mallory.psql
BEGIN;
:enter;
SELECT attack.held('pg_stats', count(*) = 0) FROM pg_stats WHERE schemaname = 'stratum';
SELECT attack.held('pg_stats_ext', count(*) = 0) FROM pg_stats_ext WHERE schemaname = 'stratum';
SELECT attack.held('pg_stats_ext_exprs', count(*) = 0) FROM pg_stats_ext_exprs WHERE schemaname = 'stratum';
SELECT attack.held('pg_statistic', attack.try('SELECT * FROM pg_statistic') = '42501' AND attack.try('SELECT * FROM pg_statistic_ext_data') = '42501');
SELECT * FROM pg_stats WHERE schemaname = 'stratum';
-- an operator that says what it is given, on the planner's histogram
CREATE FUNCTION pg_temp.lt(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'planned with % and %', $1, $2; RETURN true; END $$;
CREATE OPERATOR pg_temp.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.lt, RESTRICT = scalarltsel);
CREATE OPERATOR pg_temp.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_temp.lt, RESTRICT = eqsel);
EXPLAIN SELECT FROM stratum.cdp_profiles WHERE email::text OPERATOR(pg_temp.<<<) 'm';
EXPLAIN SELECT FROM stratum.campaigns WHERE name::text OPERATOR(pg_temp.===) 'm';
EXPLAIN SELECT FROM stratum.cdp_profiles WHERE lower(email) OPERATOR(pg_temp.===) 'm';
-- how many rows there are in all is to be seen
CREATE FUNCTION pg_temp.plan(query text) RETURNS jsonb LANGUAGE plpgsql AS $$ DECLARE result json; BEGIN EXECUTE query INTO result; RETURN result; END $$;
SELECT attack.known('tell how much data there is in all', (SELECT reltuples FROM pg_class WHERE oid = 'stratum.campaigns'::regclass) > 200);
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_indexscan = off;
SELECT attack.known('Rows Removed by Filter', jsonb_path_exists(pg_temp.plan('EXPLAIN (ANALYZE, FORMAT JSON) SELECT FROM stratum.campaigns'), 'strict $.** ? (@."Rows Removed by Filter" > 200)'));
ROLLBACK;
