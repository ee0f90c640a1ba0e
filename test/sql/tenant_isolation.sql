-- Two tenants, seen by a login that is a member of stratum_app only.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9201, 'A', 'test-a'), (9202, 'B', 'test-b');
CREATE ROLE regress_stratum_tenant LOGIN IN ROLE stratum_app;

-- The same rows for both, made through the front door; ids are 100 * tenant.
CREATE FUNCTION pg_temp.fill(tenant int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stratum.enter(tenant);
  INSERT INTO stratum.users (id, email, password_hash) VALUES (tenant * 100, 'u@x.test', 'h');
  INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) VALUES (tenant * 100, 'meta', 'same', 'acc', 'C');
  INSERT INTO stratum.cdp_profiles (id, canonical_id, email) VALUES (tenant * 100, md5(tenant::text)::uuid, 'p@x.test');
  INSERT INTO stratum.cdp_events (id, profile_id, event_name, event_type, timestamp) VALUES (tenant * 100, tenant * 100, 'e', 'track', now());
  INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (tenant * 100, 's', '{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}]}');
  INSERT INTO stratum.cdp_audience_syncs (id, segment_id, platform, name) VALUES (tenant * 100, tenant * 100, 'meta', 'a');
  INSERT INTO stratum.fact_signal_health_daily (id, date, platform, health_score) VALUES (tenant * 100, '2026-01-01', 'meta', 90);
  INSERT INTO stratum.fact_actions_queue (id, action_type, entity_type, entity_id, payload) VALUES (tenant * 100, 'a', 'campaign', 1, '{}');
  INSERT INTO stratum.tenant_platform_connections (id, platform, access_token) VALUES (tenant * 100, 'meta', 'token');
  INSERT INTO stratum.campaign_drafts (id, name, platforms, data, created_by_id) VALUES (tenant * 100, 'd', '["meta"]', '{}', tenant * 100);
  INSERT INTO stratum.rules (id, name, conditions, actions) VALUES (tenant * 100, 'r', '{}', '[]');
  PERFORM stratum.refresh_segments();
END $$;
BEGIN; SELECT pg_temp.fill(9201); COMMIT;
BEGIN; SELECT pg_temp.fill(9202); COMMIT;
SELECT tenant_id, count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id > 9200 GROUP BY 1 ORDER BY 1;
GRANT USAGE ON SCHEMA stratum TO regress_stratum_tenant;

-- What a statement does to a table: rows touched, or the SQLSTATE.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE tenant_tables AS
  SELECT c.relname::text AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname NOT IN ('id', 'tenant_id')) AS columns,
    bool_or(a.attname = 'id') AS has_id
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r'
    AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
  GROUP BY c.relname;
GRANT SELECT ON tenant_tables TO PUBLIC;

SET SESSION AUTHORIZATION regress_stratum_tenant;
-- no context: no rows, no writes
SELECT name, pg_temp.try(format('SELECT FROM stratum.%I', name)) AS seen,
  pg_temp.try(format('UPDATE stratum.%I SET tenant_id = tenant_id', name)) AS updated,
  pg_temp.try(format('DELETE FROM stratum.%I', name)) AS deleted
FROM tenant_tables ORDER BY name;
SELECT pg_temp.try('SELECT FROM stratum.tenants') AS tenants,
  pg_temp.try($$INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'n', 'a', 'n')$$) AS insert_without,
  pg_temp.try($$INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (9201, 'meta', 'n', 'a', 'n')$$) AS insert_for_a;

-- tenant A sees, changes and deletes nothing of B; its own rows it sees
BEGIN;
SELECT stratum.enter(9201);
SELECT name, pg_temp.try(format('SELECT FROM stratum.%I WHERE tenant_id = 9201', name)) <> '0 rows' AS sees_own,
  pg_temp.try(format('SELECT FROM stratum.%I WHERE tenant_id IS DISTINCT FROM 9201', name)) AS sees_others,
  pg_temp.try(format('UPDATE stratum.%I SET tenant_id = tenant_id WHERE tenant_id = 9202', name)) AS updates,
  pg_temp.try(format('DELETE FROM stratum.%I WHERE tenant_id = 9202', name)) AS deletes,
  pg_temp.try(format('SELECT FROM stratum.%I WHERE tenant_id = 9202 FOR UPDATE', name)) AS locks,
  pg_temp.try(format('TRUNCATE stratum.%I', name)) AS truncates
FROM tenant_tables ORDER BY name;
-- a row of B's cannot be made from one of A's, nor moved there
SELECT name, pg_temp.try(format('INSERT INTO stratum.%I (tenant_id, %s) SELECT 9202, %2$s FROM stratum.%1$I LIMIT 1', name, columns)) AS inserts_for_b,
  pg_temp.try(format('UPDATE stratum.%I SET tenant_id = 9202', name)) AS moves_to_b
FROM tenant_tables WHERE name NOT LIKE 'audit%' ORDER BY name;
-- exactly its own row of tenants, of which it may change three columns
SELECT id, name FROM stratum.tenants;
SELECT pg_temp.try($$UPDATE stratum.tenants SET name = 'A2', domain = 'a.test', settings = '{}'$$) AS own,
  pg_temp.try($$UPDATE stratum.tenants SET plan = 'gold'$$) AS plan, pg_temp.try($$UPDATE stratum.tenants SET is_deleted = true$$) AS deleted,
  pg_temp.try($$INSERT INTO stratum.tenants (name, slug) VALUES ('x', 'x')$$) AS inserts, pg_temp.try($$DELETE FROM stratum.tenants$$) AS deletes;
-- a reference to B's row fails like one to a row that does not exist
SELECT pg_temp.try($$INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (920200, 'e', 't', now())$$) AS of_b,
  pg_temp.try($$INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (1, 'e', 't', now())$$) AS of_nobody,
  pg_temp.try($$INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name) VALUES (920200, 'meta', 'a')$$) AS segment_of_b,
  pg_temp.try($$INSERT INTO stratum.campaign_drafts (name, platforms, data, created_by_id) VALUES ('d', '[]', '{}', 920200)$$) AS user_of_b;
-- functions are given B's ids
SELECT pg_temp.try('SELECT * FROM stratum.refresh_segment(920200)') AS refresh, pg_temp.try('SELECT stratum.segment_profiles(920200)') AS profiles,
  pg_temp.try('SELECT stratum.profile_segments(920200)') AS segments, pg_temp.try($$SELECT stratum.row_history('stratum.campaigns', '920200')$$) AS history;
SELECT stratum.row_as_of('stratum.campaigns', '920200', now()) AS as_of,
  (SELECT profile_count FROM stratum.preview_segment('{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}]}')) AS previewed;
SELECT segment_id, profile_count FROM stratum.refresh_segments();
-- what it may not do at all
SELECT pg_temp.try($$INSERT INTO stratum.cdp_segment_memberships (segment_id, profile_id) VALUES (920100, 920100)$$) AS membership,
  pg_temp.try($$UPDATE stratum.audit_logs SET metadata = '{}'$$) AS log_update, pg_temp.try($$DELETE FROM stratum.audit_logs$$) AS log_delete,
  pg_temp.try($$SELECT setval('stratum.campaigns_id_seq', 1)$$) AS setval, pg_temp.try($$SELECT last_value FROM stratum.campaigns_id_seq$$) AS sequence,
  pg_temp.try('SELECT * FROM stratum.audited_tables') AS audited, pg_temp.try('SELECT stratum.install()') AS install,
  pg_temp.try('SELECT * FROM stratum.check_install()') AS check_install, pg_temp.try($$SELECT stratum.audit_table('stratum.rules')$$) AS audit_table,
  pg_temp.try('ALTER TABLE stratum.rules DISABLE ROW LEVEL SECURITY') AS alter_table, pg_temp.try('DROP POLICY tenant_isolation ON stratum.rules') AS policy,
  pg_temp.try('CREATE TABLE stratum.x ()') AS create_table, pg_temp.try('CALL stratum.refresh_all_segments()') AS refresh_all;
SET LOCAL row_security = off;
SELECT pg_temp.try('SELECT FROM stratum.campaigns') AS row_security_off;
ROLLBACK;
SET ROLE stratum_admin;
-- \copy, because a refused COPY ... FROM stdin leaves psql's minor versions in different states
\copy stratum.campaigns (platform, external_id, account_id, name) FROM '/dev/null'
BEGIN; SELECT stratum.enter(9201); SET ROLE stratum_app; SELECT count(*) FROM stratum.campaigns; RESET ROLE; COMMIT;

-- a leaky function in the user's own hands sees no row of B before the policy does
BEGIN;
SELECT stratum.enter(9201);
CREATE FUNCTION pg_temp.leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
SELECT count(*) FROM stratum.campaigns WHERE pg_temp.leak(tenant_id || ':' || name);
SELECT count(*) FROM stratum.campaigns WHERE 1 / (tenant_id - 9202) < 5;
-- a cursor held over leave() and the end of the transaction shows what was there
DECLARE held CURSOR WITH HOLD FOR SELECT DISTINCT tenant_id FROM stratum.campaigns;
COMMIT;
FETCH ALL FROM held;
CLOSE held;
-- statistics
SELECT count(*) FROM pg_stats WHERE schemaname = 'stratum';
RESET SESSION AUTHORIZATION;

-- B deletes its rows though A holds the same keys; A's stay
BEGIN;
SELECT stratum.enter(9202);
SET LOCAL ROLE stratum_app;
DELETE FROM stratum.cdp_audience_syncs;
DELETE FROM stratum.cdp_segments;
DELETE FROM stratum.cdp_events;
DELETE FROM stratum.cdp_profiles;
DELETE FROM stratum.campaigns;
COMMIT;
SELECT tenant_id, count(*) FROM stratum.cdp_profiles WHERE tenant_id > 9200 GROUP BY 1;
SELECT tenant_id, count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id > 9200 GROUP BY 1;

-- auditors read every tenant's trail and nothing else
BEGIN;
SET LOCAL ROLE stratum_auditor;
SELECT count(DISTINCT tenant_id) FROM stratum.audit_logs WHERE tenant_id IN (9201, 9202);
SELECT pg_temp.try('SELECT FROM stratum.campaigns') AS campaigns, pg_temp.try($$INSERT INTO stratum.audit_logs (action, resource_type) VALUES ('login', 'x')$$) AS log_insert;
SELECT stratum.row_as_of('stratum.campaigns', '920100', now()) ->> 'external_id' AS external_id;
ROLLBACK;
-- administrators see every tenant, but do not change the trail
BEGIN;
SET LOCAL ROLE stratum_admin;
SELECT count(*) FROM stratum.tenants WHERE id IN (9201, 9202);
SELECT pg_temp.try('UPDATE stratum.audit_logs SET metadata = NULL') AS log_update, pg_temp.try('TRUNCATE stratum.audit_logs') AS log_truncate;
ROLLBACK;
-- the sign-in role may do nothing here
BEGIN;
SET LOCAL ROLE stratum_auth;
SELECT pg_temp.try('SELECT FROM stratum.users') AS users, pg_temp.try('SELECT stratum.enter(9201)') AS enter;
ROLLBACK;
REVOKE USAGE ON SCHEMA stratum FROM regress_stratum_tenant;
DROP OWNED BY regress_stratum_tenant;
DROP ROLE regress_stratum_tenant;
