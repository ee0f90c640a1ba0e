-- Signal health, the settings of the trust gate, and the gate.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET timezone = 'UTC';
INSERT INTO stratum.tenants (id, name, slug) VALUES (9851, 'Signals', 'test-signals'), (9852, 'Other', 'test-signals-other');

-- ---- status ----
SELECT s, stratum.signal_health_status(s) FROM unnest('{0,39,39.9,40,69,69.999,70,100}'::float8[]) s;
SELECT stratum.signal_health_status(70), stratum.signal_health_status(70::bigint), stratum.signal_health_status(69.5), stratum.signal_health_status(NULL) IS NULL AS null_for_null;
\set VERBOSITY default
SELECT stratum.signal_health_status(-1);
\set VERBOSITY sqlstate
SELECT stratum.signal_health_status(100.5);
SELECT stratum.signal_health_status('NaN');
SELECT stratum.signal_health_status('Infinity');
\set VERBOSITY terse

-- ---- what is filled ----
BEGIN;
SELECT stratum.enter(9851);
INSERT INTO stratum.fact_signal_health_daily (id, date, platform, health_score, data_freshness_score, completeness_score, accuracy_score, status) VALUES
  (985101, '2026-01-01', 'meta', NULL, 90, 80, 71, NULL),
  (985102, '2026-01-02', 'meta', NULL, 90, NULL, 45, 'healthy'),
  (985103, '2026-01-03', 'meta', NULL, NULL, NULL, 0, NULL),
  (985104, '2026-01-04', 'meta', 55, 90, 90, 90, NULL),
  (985105, '2026-01-05', 'meta', 39, NULL, NULL, NULL, 'healthy')
RETURNING id, health_score, status;
-- the column left out altogether
INSERT INTO stratum.fact_signal_health_daily (id, date, platform, accuracy_score) VALUES (985106, '2026-01-06', 'meta', 69) RETURNING health_score, status;
-- a mean follows its components; a client's own score stays; the status is that of the score
UPDATE stratum.fact_signal_health_daily SET accuracy_score = 10 WHERE id IN (985101, 985104) RETURNING id, health_score, status;
UPDATE stratum.fact_signal_health_daily SET health_score = 70 WHERE id IN (985101, 985104) RETURNING id, health_score, status;
UPDATE stratum.fact_signal_health_daily SET status = 'unhealthy', issues = '["x"]' WHERE id = 985104 RETURNING health_score, status;
UPDATE stratum.fact_signal_health_daily SET health_score = NULL WHERE id = 985104 RETURNING health_score, status;
UPDATE stratum.fact_signal_health_daily SET accuracy_score = NULL WHERE id = 985103 RETURNING health_score, status;
-- without a score and components there is nothing to fill
\set VERBOSITY sqlstate
SAVEPOINT a;
INSERT INTO stratum.fact_signal_health_daily (date, platform) VALUES ('2026-01-07', 'meta');
ROLLBACK TO a;
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES ('2026-01-07', 'meta', 101);
ROLLBACK TO a;
INSERT INTO stratum.fact_signal_health_daily (date, platform, accuracy_score) VALUES ('2026-01-07', 'meta', -1);
ROLLBACK TO a;
\set VERBOSITY terse
COMMIT;

-- ---- settings: refused when they are written, with the place ----
CREATE FUNCTION pg_temp.try_setting(trust jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  UPDATE stratum.tenants SET settings = jsonb_build_object('theme', 'dark', 'trust', trust) WHERE id = 9851;
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN format('%s %s | %s', sqlstate, sqlerrm, hint);
END $$;
SELECT t AS trust, pg_temp.try_setting(t::jsonb) FROM unnest(ARRAY[
  '5', '[]', '"strict"', '{"risky": "80"}', '{"risky": true}', '{"risky": [80]}', '{"risky": -0.001}', '{"risky": 100.1}', '{"risky": 1e400}',
  '{"riski": 80}', '{"block_below": 61}', '{"cautious": 39}', '{"block_below": 30, "cautious": 29.5}', '{"max_age_days": 31}', '{"max_attempts": 0}',
  '{}', 'null', '{"risky": null}', '{"risky": 90, "cautious": 50, "standard": 50, "block_below": 50, "max_age_days": 0, "max_attempts": 1}']) t;
SELECT settings FROM stratum.tenants WHERE id = 9851;
-- settings that are no object have no trust; other changes are not held up by what is there
UPDATE stratum.tenants SET settings = '[]' WHERE id = 9851;
UPDATE stratum.tenants SET settings = 'null' WHERE id = 9851;
UPDATE stratum.tenants SET settings = NULL WHERE id = 9851;
INSERT INTO stratum.tenants (name, slug, settings) VALUES ('x', 'x', '{"trust": {"risky": 101}}');

-- ---- the gate ----
UPDATE stratum.tenants SET settings = '{}' WHERE id = 9851;
CREATE ROLE regress_stratum_signals LOGIN IN ROLE stratum_app;
CREATE FUNCTION pg_temp.gate(score integer, action_type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM stratum.fact_signal_health_daily WHERE tenant_id = 9851;
  IF score IS NOT NULL THEN
    INSERT INTO stratum.fact_signal_health_daily (tenant_id, date, platform, health_score) VALUES (9851, (now() AT TIME ZONE 'UTC')::date, 'meta', score);
  END IF;
  RETURN stratum.trust_gate('meta', action_type);
END $$;
BEGIN;
SELECT stratum.enter(9851);
SELECT a AS action, string_agg(format('%s: %s', coalesce(s::text, 'none'), pg_temp.gate(s, a)), ', ' ORDER BY s) AS gate
FROM unnest('{increase_budget,increase_bid,expand_targeting,launch_new_campaigns,reduce_budget,reduce_bid,pause_underperforming,other,pause_all,emergency_stop}'::text[]) WITH ORDINALITY a (a, n),
     unnest('{0,39,40,59,60,69,70,79,80,100,NULL}'::integer[]) s
GROUP BY a, n ORDER BY n;
ROLLBACK;

-- which health counts: the latest one, at most two days old; of the platform; of the tenant
BEGIN;
SET LOCAL ROLE regress_stratum_signals;
SELECT stratum.enter(9851);
DELETE FROM stratum.fact_signal_health_daily;
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score)
SELECT (now() AT TIME ZONE 'UTC')::date - d, p::stratum.ad_platform, s FROM (VALUES (3, 'meta', 100), (2, 'google', 100), (1, 'tiktok', 100), (0, 'tiktok', 10), (2, 'snapchat', 10), (-1, 'snapchat', 100)) v (d, p, s);
SELECT p AS platform, stratum.trust_gate(p, 'increase_budget') FROM unnest('{meta,google,tiktok,snapchat}'::text[]) p;
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES ('2999-01-01', 'google', 0);
SELECT stratum.trust_gate('google', 'increase_budget') AS a_slip_in_the_date_counts_not;
UPDATE stratum.tenants SET settings = '{"trust": {"max_age_days": 3, "risky": 100}}';
SELECT stratum.trust_gate('meta', 'increase_budget'), stratum.trust_gate('google', 'increase_budget');
ROLLBACK;
BEGIN;
SET LOCAL ROLE regress_stratum_signals;
SELECT stratum.enter(9852);
SELECT stratum.trust_gate('google', 'increase_budget') AS of_another_tenant;
ROLLBACK;
SET ROLE regress_stratum_signals;
SELECT stratum.trust_gate('google', 'increase_budget') AS without_a_tenant, stratum.trust_gate('google', 'pause_all') AS stops_always;
\set VERBOSITY default
SELECT stratum.trust_gate('myspace', 'increase_budget');
\set VERBOSITY sqlstate
SELECT stratum.trust_gate(NULL, 'increase_budget');
SELECT stratum.trust_gate('meta', NULL);
SELECT stratum.trust_gate('', 'pause_all');
\set VERBOSITY terse
RESET ROLE;

-- ---- settings that mean nothing, in storage whose triggers were off, are read as if they were not there ----
SET session_replication_role = replica;
UPDATE stratum.tenants SET settings = '{"trust": {"risky": "NaN", "cautious": 1e300, "standard": [], "block_below": -1, "max_age_days": 1e9}}' WHERE id = 9851;
RESET session_replication_role;
BEGIN;
SELECT stratum.enter(9851);
SELECT string_agg(format('%s: %s', s, pg_temp.gate(s, 'increase_budget')), ', ' ORDER BY s) AS gate FROM unnest('{39,40,79,80}'::integer[]) s;
-- and do not hold up other changes
UPDATE stratum.tenants SET name = 'Renamed' WHERE id = 9851 RETURNING name;
ROLLBACK;
SET session_replication_role = replica;
UPDATE stratum.tenants SET settings = '{"trust": 5}' WHERE id = 9851;
RESET session_replication_role;
BEGIN;
SELECT stratum.enter(9851);
SELECT pg_temp.gate(80, 'increase_budget'), pg_temp.gate(79, 'increase_budget');
ROLLBACK;

DELETE FROM stratum.fact_signal_health_daily WHERE tenant_id = 9851;
UPDATE stratum.tenants SET settings = '{}' WHERE id = 9851;
DROP ROLE regress_stratum_signals;
