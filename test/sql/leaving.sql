-- A tenant leaves: export_tenant(), delete_tenant(). And scope_unique_keys().
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
INSERT INTO stratum.tenants (id, name, slug) VALUES (9701, 'Leaver', 'leaver'), (9702, 'Stayer', 'stayer');
CREATE ROLE regress_stratum_chief LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_stratum_app LOGIN IN ROLE stratum_app;
-- tables of the user's own: one that goes with its tenant, one that nobody audits, one that stands in the way
CREATE TABLE public.regress_notes (id integer PRIMARY KEY, tenant_id integer REFERENCES stratum.tenants ON DELETE CASCADE, body text, pin text);
SELECT stratum.audit_table('public.regress_notes', redact => '{pin}');
CREATE TABLE public.regress_silent (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE public."Regress invoices" (id integer PRIMARY KEY, tenant_id integer CONSTRAINT regress_invoice_of REFERENCES stratum.tenants, n integer);
CREATE TABLE public.regress_details (id integer, body text);

CREATE FUNCTION pg_temp.fill(tenant integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  n integer := tenant * 100;
BEGIN
  PERFORM stratum.enter(tenant);
  INSERT INTO stratum.users (id, email, password_hash, totp_secret, backup_codes, is_protected) VALUES (n, 'u@x.test', 'hush', 'hush', '["hush"]', true), (n + 1, 'v@x.test', 'hush', NULL, NULL, false);
  INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) SELECT n + i, 'meta', 'e' || i, 'acc', 'C' || i FROM generate_series(0, 4) i;
  INSERT INTO stratum.cdp_profiles (id, canonical_id, email, traits) SELECT n + i, md5(tenant || '/' || i)::uuid, i || '@x.test', '{"a": 1}' FROM generate_series(0, 2) i;
  INSERT INTO stratum.cdp_events (id, profile_id, event_name, event_type, timestamp) SELECT n + i, n + i, 'e', 'track', '2026-01-01' FROM generate_series(0, 2) i;
  INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (n, 's', '{"conditions": [{"field": "trait.a", "operator": "equals", "value": 1}]}');
  INSERT INTO stratum.cdp_audience_syncs (id, segment_id, platform, name) VALUES (n, n, 'meta', 'a');
  INSERT INTO stratum.fact_signal_health_daily (id, date, platform, health_score) VALUES (n, '2026-01-01', 'meta', 90);
  INSERT INTO stratum.fact_actions_queue (id, action_type, entity_type, entity_id, payload) VALUES (n, 'a', 'campaign', 1, '{}');
  INSERT INTO stratum.tenant_platform_connections (id, platform, access_token, refresh_token) VALUES (n, 'meta', 'hush', 'hush');
  INSERT INTO stratum.campaign_drafts (id, name, platforms, data, created_by_id) VALUES (n, 'd', '["meta"]', '{}', n);
  INSERT INTO stratum.rules (id, name, conditions, actions) VALUES (n, 'r', '{}', '[]');
  INSERT INTO public.regress_notes VALUES (n, tenant, 'a note', 'hush');
  INSERT INTO public.regress_silent VALUES (n, tenant);
  PERFORM stratum.refresh_segments();
  PERFORM stratum.log_event('login', 'session');
END $$;
BEGIN; SELECT pg_temp.fill(9701) \g /dev/null
COMMIT;
BEGIN; SELECT pg_temp.fill(9702) \g /dev/null
COMMIT;
SELECT stratum.seal_audit(t) > 10 AS sealed FROM unnest('{9701,9702}'::integer[]) t;

-- Rows of a tenant in every table of the schema that has such.
CREATE FUNCTION pg_temp.rows_of(tenant integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name regclass;
  n bigint;
BEGIN
  FOR name IN
    SELECT c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'stratum'::regnamespace
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum > 0)
    ORDER BY c.relname COLLATE "C"
  LOOP
    EXECUTE format('SELECT count(*) FROM %s WHERE tenant_id = $1', name) USING tenant INTO n;
    IF n > 0 THEN
      RETURN NEXT name || CASE WHEN name::text ~ 'audit' THEN '' ELSE ' ' || n END;
    END IF;
  END LOOP;
END $$;
SELECT string_agg(r, ', ') FROM pg_temp.rows_of(9701) r;

-- who may
SELECT r, has_function_privilege(r, 'stratum.export_tenant(bigint)', 'EXECUTE') AS export,
       has_function_privilege(r, 'stratum.delete_tenant(bigint, text)', 'EXECUTE') AS delete
FROM unnest('{stratum_app,stratum_admin,stratum_auditor,stratum_auth}'::text[]) r;
SET SESSION AUTHORIZATION regress_stratum_app;
SELECT * FROM stratum.export_tenant(9701);
SELECT * FROM stratum.delete_tenant(9701, 'leaver');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_stratum_chief;

-- export: in an order in which it can go in again, secrets redacted
CREATE TEMP TABLE exported AS SELECT row_number() OVER () AS n, e.* FROM stratum.export_tenant(9701) e;
SELECT table_name, CASE WHEN table_name !~ 'audit' THEN count(*) END AS rows, array_agg(DISTINCT row ->> 'tenant_id') AS tenants
FROM exported GROUP BY 1 ORDER BY min(n);
SELECT count(*) AS hush FROM exported WHERE row::text LIKE '%hush%';
SELECT table_name, row ->> 'id' AS id, key, value FROM exported, jsonb_each(row) WHERE value = '"[REDACTED]"' AND table_name !~ 'audit' ORDER BY n, key;
SELECT row ->> 'totp_secret' IS NULL AS null_stays FROM exported WHERE row ->> 'email' = 'v@x.test';
SELECT tenant_id, action, resource_type, resource_id, metadata ->> 'slug' AS slug, metadata ->> 'by' AS by,
       (metadata -> 'rows' ->> 'stratum.campaigns')::integer AS campaigns
FROM stratum.audit_logs WHERE tenant_id = 9701 AND action = 'export';
-- refused
SELECT * FROM stratum.export_tenant(NULL);
SELECT * FROM stratum.export_tenant(9799);
SELECT * FROM stratum.delete_tenant(NULL, 'leaver');
SELECT * FROM stratum.delete_tenant(9799, 'leaver');
SELECT * FROM stratum.delete_tenant(9701, 'stayer');
SELECT * FROM stratum.delete_tenant(9701, NULL);
BEGIN;
SELECT stratum.enter(9702);
SELECT * FROM stratum.delete_tenant(9701, 'leaver');
ROLLBACK;
RESET SESSION AUTHORIZATION;
INSERT INTO public."Regress invoices" VALUES (1, 9701, 1);
\set VERBOSITY default
SET SESSION AUTHORIZATION regress_stratum_chief;
SELECT * FROM stratum.delete_tenant(9701, 'leaver');
\set VERBOSITY terse
SELECT string_agg(r, ', ') AS nothing_is_gone FROM pg_temp.rows_of(9701) r;
RESET SESSION AUTHORIZATION;
DELETE FROM public."Regress invoices";
-- an entry without a tenant that names a user of it
BEGIN;
SELECT stratum.enter(9701, 970100);
UPDATE stratum.tenants SET name = 'Stayer 2' WHERE id = 9702;
COMMIT;
\set VERBOSITY default
SELECT * FROM stratum.delete_tenant(9701, 'leaver');
\set VERBOSITY terse
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
UPDATE stratum.audit_logs SET user_id = NULL WHERE tenant_id = 9702 AND user_id = 970100;
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;

-- it leaves; the log is closed again at once
SET SESSION AUTHORIZATION regress_stratum_chief;
BEGIN;
SELECT table_name, CASE WHEN table_name !~ 'audit' THEN row_count END AS rows, row_count > 0 AS some FROM stratum.delete_tenant(9701, 'leaver') WHERE row_count > 0;
DELETE FROM stratum.audit_logs WHERE tenant_id = 9702;
ROLLBACK;
SELECT string_agg(r, ', ') AS rolled_back FROM pg_temp.rows_of(9701) r;
SELECT count(*) > 15 AS many_tables FROM stratum.delete_tenant(9701, 'leaver');
SELECT string_agg(r, ', ') AS gone FROM pg_temp.rows_of(9701) r;
SELECT count(*) AS tenants FROM stratum.tenants WHERE id = 9701;
SELECT string_agg(r, ', ') AS stayed FROM pg_temp.rows_of(9702) r;
SELECT tenant_id, user_id, action, resource_type, resource_id, metadata ->> 'slug' AS slug, metadata ->> 'by' AS by, metadata -> 'rows' ->> 'stratum.campaigns' AS campaigns
FROM stratum.audit_logs WHERE resource_id = '9701' AND resource_type = 'tenants';
SELECT * FROM stratum.delete_tenant(9701, 'leaver');
RESET SESSION AUTHORIZATION;
SELECT count(*) AS cascaded FROM public.regress_notes WHERE tenant_id = 9701;
SELECT count(*) AS left_alone FROM public.regress_silent WHERE tenant_id = 9701;
-- nobody else may now: the guard, and recording, are what they were
DELETE FROM stratum.audit_logs WHERE tenant_id = 9702;
BEGIN;
SELECT stratum.enter(9702);
UPDATE stratum.campaigns SET name = 'recorded' WHERE id = 970200;
SELECT new_values ->> 'name' AS name FROM stratum.audit_logs ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT stratum.seal_audit(NULL) > 0 AS sealed;
SELECT p.* FROM unnest('{9702,NULL}'::integer[]) t, stratum.verify_audit(t) p;

-- what was exported goes in again, in that order, but for the trail
DO $$
DECLARE
  it record;
BEGIN
  FOR it IN SELECT * FROM exported WHERE table_name !~ 'audit' ORDER BY n LOOP
    EXECUTE format('INSERT INTO %s SELECT * FROM jsonb_populate_record(NULL::%s, $1)', it.table_name, it.table_name) USING it.row;
  END LOOP;
END $$;
SELECT e.table_name, count(*) AS different
FROM exported e
WHERE table_name !~ 'audit' AND NOT EXISTS (SELECT FROM stratum.export_tenant(9701) x WHERE x.table_name = e.table_name AND x.row = e.row)
GROUP BY 1;

-- keys that are unique within a tenant only
-- a cast of somebody's would run as a superuser
BEGIN;
CREATE SCHEMA regress_casts AUTHORIZATION regress_stratum_chief;
SET LOCAL SESSION AUTHORIZATION regress_stratum_chief;
CREATE TYPE regress_casts.mood AS ENUM ('x');
CREATE FUNCTION regress_casts.evil(regress_casts.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it runs as %', current_user; END $$;
CREATE CAST (regress_casts.mood AS json) WITH FUNCTION regress_casts.evil(regress_casts.mood);
SAVEPOINT made;
SELECT * FROM stratum.export_tenant(9701);
ROLLBACK TO made;
SELECT stratum.enter(9701) \g /dev/null
SELECT stratum.export_subject(970100);
ROLLBACK;
CREATE FUNCTION pg_temp.twice() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) VALUES (9701, 'aaaaaaaa-0000-4000-8000-000000000000'), (9702, 'aaaaaaaa-0000-4000-8000-000000000000');
  INSERT INTO stratum.cdp_events (tenant_id, message_id, event_name, event_type, timestamp)
    VALUES (9701, 'aaaaaaaa-0000-4000-8000-000000000000', 'e', 't', now()), (9702, 'aaaaaaaa-0000-4000-8000-000000000000', 'e', 't', now());
  RETURN 'both';
EXCEPTION WHEN unique_violation THEN
  RETURN sqlerrm;
END $$;
SELECT pg_temp.twice();
BEGIN;
CALL stratum.scope_unique_keys();
SELECT pg_temp.twice();
SELECT * FROM stratum.check_install() WHERE problem !~ 'audits it';
CALL stratum.scope_unique_keys();
SELECT stratum.install();
SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'u' AND conrelid IN ('stratum.cdp_profiles'::regclass, 'stratum.cdp_events'::regclass) ORDER BY conrelid::regclass::text DESC, 2;
-- but twice within one tenant
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) VALUES (9701, 'aaaaaaaa-0000-4000-8000-000000000000');
ROLLBACK;
-- refused
BEGIN;
ALTER TABLE stratum.cdp_events DROP CONSTRAINT IF EXISTS cdp_events_tenant_id_message_id_key;
CALL stratum.scope_unique_keys();
ROLLBACK;
BEGIN;
SET LOCAL ROLE stratum_admin;
CALL stratum.scope_unique_keys();
ROLLBACK;
SELECT * FROM stratum.check_install() WHERE problem !~ 'audits it';

SELECT count(*) > 10 AS left FROM stratum.delete_tenant(9701, 'leaver');
SELECT stratum.unaudit_table('public.regress_notes');
SELECT count(*) > 10 AS left FROM stratum.delete_tenant(9702, 'stayer');
DROP TABLE exported, public.regress_notes, public.regress_silent, public."Regress invoices", public.regress_details;
DROP ROLE regress_stratum_chief, regress_stratum_app;
