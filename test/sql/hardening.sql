-- What was found by attacking: each of these crashed the server, forged, leaked or raised once.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9801, 'Keep', 'hard-keep');
CREATE SCHEMA hardening;
CREATE ROLE regress_stratum_chief LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_stratum_mallory LOGIN IN ROLE stratum_admin;
GRANT ALL ON SCHEMA hardening TO regress_stratum_chief, regress_stratum_mallory;

-- a partition that is being detached has no root: as after an interrupted DETACH ... CONCURRENTLY
CREATE TABLE hardening.parted (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE hardening.parted_1 PARTITION OF hardening.parted FOR VALUES IN (1);
SELECT stratum.audit_table('hardening.parted');
UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'hardening.parted_1'::regclass;
INSERT INTO hardening.parted_1 VALUES (1);
SELECT action, row_after FROM stratum.row_history('hardening.parted_1', '1');
ALTER TABLE hardening.parted DETACH PARTITION hardening.parted_1 FINALIZE;

-- a column whose type somebody changed is refused, not taken for what it was
CREATE FUNCTION pg_temp.try_type(target text, other text, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE stratum.%s ALTER %s DROP DEFAULT, ALTER %2$s TYPE %s USING NULL', split_part(target, '.', 1), split_part(target, '.', 2), other);
  EXECUTE statement;
  RAISE EXCEPTION 'accepted' USING ERRCODE = 'RB000';
EXCEPTION WHEN OTHERS THEN
  RETURN sqlstate || ' ' || sqlerrm;
END $$;
BEGIN;
SELECT stratum.enter(9801);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'h', 'acc', 'H');
INSERT INTO stratum.cdp_profiles (canonical_id, email, phone) VALUES (gen_random_uuid(), 'h@keep.test', '555 123 4567');
SELECT t, pg_temp.try_type(t, o, 'UPDATE stratum.' || split_part(t, '.', 1) || ' SET ' ||
         CASE WHEN t LIKE 'campaigns%' THEN 'clicks = 3, impressions = 10, is_deleted = true' ELSE 'email = ''i@keep.test''' END)
FROM (VALUES ('campaigns.ctr', 'numeric'), ('campaigns.roas', 'real'), ('campaigns.cpc_cents', 'numeric'),
             ('campaigns.revenue_cents', 'numeric'), ('campaigns.updated_at', 'text'), ('campaigns.updated_at', 'timestamp'),
             ('campaigns.ctr', 'float8'),
             ('cdp_profiles.email_hash', 'bytea'), ('cdp_profiles.email_hash', 'name'), ('cdp_profiles.email_hash', 'text'),
             ('cdp_profiles.phone_hash', 'integer')) v (t, o);
SELECT t, pg_temp.try_type(t, o, 'INSERT INTO stratum.audit_logs (action, resource_type) VALUES (''login'', ''x'')')
FROM (VALUES ('audit_logs.ip_address', 'numeric'), ('audit_logs.created_at', 'text'), ('audit_logs.request_id', 'integer'),
             ('audit_logs.metadata', 'json'), ('audit_logs.metadata', 'jsonb')) v (t, o);
ROLLBACK;

-- json that jsonb refuses: written, logged as a string, and missing for a condition
CREATE TYPE hardening.pair AS (a integer, j json);
CREATE TABLE hardening.texts (id integer PRIMARY KEY, j json, js json[], pair hardening.pair, n numeric[], good json[]);
SELECT stratum.audit_table('hardening.texts');
INSERT INTO hardening.texts VALUES (1, '{"a": "\u0000"}', '{"1","\"\\\\ud800\""}', ROW(1, '"\u0000"'), '{1,NaN}', '{"{\"b\": 1}","null"}');
SELECT jsonb_pretty(new_values) FROM stratum.audit_logs WHERE resource_type = 'hardening.texts';
UPDATE hardening.texts SET j = '1';
SELECT new_values, old_values FROM stratum.audit_logs WHERE resource_type = 'hardening.texts' ORDER BY id DESC LIMIT 1;
SELECT f, stratum.segment_matches(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'profile.' || f, 'operator', 'is_null'))), p) AS is_missing
FROM (SELECT '"\u0000"'::json AS j, ARRAY['"\u0000"', '1']::json[] AS js, ROW(1, '"\u0000"')::hardening.pair AS pair, ARRAY['1']::json[] AS good) p,
     unnest(ARRAY['j', 'js', 'pair', 'good']) f;

-- comparing lists with lists gives back its memory
CREATE FUNCTION pg_temp.peak() RETURNS bigint LANGUAGE sql AS
  $$ SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts $$;
CREATE TEMP TABLE lists AS
SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.a', 'operator', 'contains_any', 'value',
         (SELECT jsonb_agg(jsonb_build_object('k', -i)) FROM generate_series(1, 700) i)))) AS definition,
       jsonb_build_object('a', (SELECT jsonb_agg(jsonb_build_object('k', i)) FROM generate_series(1, 700) i)) AS traits;
SELECT stratum.traits_match(definition, traits) AS matches, pg_temp.peak() < 30000000 AS small FROM lists;

-- trusted functions do not look where others may write
CREATE FUNCTION hardening.to_jsonb(stratum.cdp_profiles) RETURNS jsonb LANGUAGE plpgsql AS
  $$ BEGIN RAISE NOTICE 'run as %', current_user; RETURN '"forged"'; END $$;
BEGIN;
SELECT stratum.enter(9801);
INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (gen_random_uuid(), '{"n": 1}');
SET LOCAL search_path = hardening, pg_catalog;
SELECT profile_count, jsonb_typeof(sample -> 0)
FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 1}]}');
ROLLBACK;

-- an administrator lists no table that he could not put under audit himself, nor changes another's listing
CREATE TABLE hardening.secrets (id integer PRIMARY KEY, secret text);
SET SESSION AUTHORIZATION regress_stratum_chief;
CREATE TABLE hardening.prices (id integer PRIMARY KEY, price integer, margin integer);
SELECT stratum.audit_table('hardening.prices', redact => '{margin}');
SET SESSION AUTHORIZATION regress_stratum_mallory;
INSERT INTO stratum.audited_tables (table_name) VALUES ('hardening.secrets');
INSERT INTO stratum.audited_tables (table_name) VALUES ('hardening.none');
UPDATE stratum.audited_tables SET redact = '{}' WHERE table_name = 'hardening.prices';
DELETE FROM stratum.audited_tables WHERE table_name = 'hardening.prices';
-- his own he may
CREATE TABLE hardening.mine (id integer PRIMARY KEY);
SELECT stratum.audit_table('hardening.mine');
UPDATE stratum.audited_tables SET table_name = 'hardening.secrets' WHERE table_name = 'hardening.mine';
SELECT stratum.unaudit_table('hardening.mine');
DROP TABLE hardening.mine;
-- a table with a number at its end is a shard of its owner's tables only
CREATE TABLE hardening.prices_1 (id integer PRIMARY KEY, price integer);
CREATE TRIGGER forge AFTER INSERT ON hardening.prices_1 FOR EACH ROW
  EXECUTE FUNCTION stratum._audit_row('hardening.prices', '{}', '{}');
INSERT INTO hardening.prices_1 VALUES (1, 666);
SELECT resource_type, new_values FROM stratum.audit_logs ORDER BY id DESC LIMIT 1;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM stratum.row_history('hardening.prices', '1');

SELECT count(stratum.unaudit_table(t)) FROM unnest('{hardening.prices,hardening.texts,hardening.parted,hardening.parted_1}'::regclass[]) t;
SELECT * FROM stratum.audited_tables WHERE table_name LIKE 'hardening%';
SET client_min_messages = warning;
DROP SCHEMA hardening CASCADE;
DROP ROLE regress_stratum_chief, regress_stratum_mallory;
