-- Workers are processes of their own: they must know whom the transaction acts for, and nothing else.
\c - postgres
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT 1 + n % 2, 'meta', 'many' || n, 'acc', CASE n % 2 WHEN 1 THEN 'XQSECRETQX' ELSE 'mine' END FROM generate_series(1, 5000) n;
ANALYZE stratum.campaigns;
SELECT attack.remember();
\ir as_mallory.psql
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE line text; result text := ''; BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP result := result || line; END LOOP; RETURN result; END $$;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0;
SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
BEGIN;
:enter;
SELECT attack.control('there are workers', pg_temp.plan('SELECT count(*), min(name) FROM stratum.campaigns') LIKE '%Gather%');
SELECT attack.held('they see the tenant''s rows', count(*) = 2510 AND max(tenant_id) = 1) FROM stratum.campaigns;
SELECT min(name), max(name) FROM stratum.campaigns WHERE tenant_id = 2;
ROLLBACK;
SET debug_parallel_query = on;
SET force_parallel_mode = on;
BEGIN;
:enter;
SELECT attack.held('a whole query in a worker', count(*) = 0) FROM stratum.campaigns WHERE tenant_id = 2;
COMMIT;
