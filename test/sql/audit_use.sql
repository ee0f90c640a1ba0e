-- request_changes(), revert_row().
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7701, 'Use East', 'use-east'), (7702, 'Use West', 'use-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash, full_name) VALUES (7701, 7701, 'ann@use.test', 'first-hash', 'Ann');
CREATE ROLE regress_use_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_use_auditor LOGIN IN ROLE stratum_auditor;
-- a transaction each, for a time of its own
BEGIN;
SELECT stratum.enter(7701, 7701, 'request-1', '192.0.2.1', 'agent/1');
INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name, labels, impressions, clicks) VALUES (7701, 'meta', 'x', 'y', 'one', '["a"]', 1000, 10);
INSERT INTO stratum.rules (id, name, conditions, actions) VALUES (7701, 'rule', '{}', '[]');
COMMIT;
SELECT clock_timestamp() AS first \gset
BEGIN;
SELECT stratum.enter(7701, 7701, 'request-2', '192.0.2.2', 'agent/2');
UPDATE stratum.campaigns SET name = 'two', labels = '["b", {"c": null}]', clicks = 20, raw_data = '{"x": 1.50}' WHERE id = 7701;
SELECT stratum.log_event('export', 'report', 'r-1') > 0 AS logged;
COMMIT;
SELECT clock_timestamp() AS second \gset
BEGIN; SELECT stratum.enter(7702, NULL, 'request-2'); INSERT INTO stratum.rules (name, conditions, actions) VALUES ('west', '{}', '[]'); COMMIT;
UPDATE stratum.users SET password_hash = 'second-hash', full_name = 'Ann Other' WHERE id = 7701;

-- who did what in a request
SET ROLE regress_use_app;
SELECT count(*) FROM stratum.request_changes('request-2');
BEGIN;
SELECT stratum.enter(7701);
SELECT user_id, action, resource_type, resource_id, old_values -> 'name' AS old, new_values -> 'name' AS new, ip_address, user_agent FROM stratum.request_changes('request-2');
SELECT action, resource_type, resource_id FROM stratum.request_changes('request-1');
SELECT count(*) FROM stratum.request_changes('request-3');
SELECT count(*) FROM stratum.request_changes(NULL);
COMMIT;
SET ROLE regress_use_auditor;
SELECT tenant_id, action, resource_type FROM stratum.request_changes('request-2');
SELECT stratum.revert_row('stratum.campaigns', '7701', :'first');
RESET ROLE;

-- a row put back, as a change of its own
SET ROLE regress_use_app;
SET DateStyle = ISO; SET TimeZone = UTC;
\set VERBOSITY default
SELECT stratum.revert_row('stratum.campaigns', '7701', '2999-01-01');
RESET DateStyle; RESET TimeZone;
\set VERBOSITY sqlstate
SELECT stratum.revert_row('stratum.campaigns', '7701', :'first');
BEGIN; SELECT stratum.enter(7702); SELECT stratum.revert_row('stratum.campaigns', '7701', :'first'); ROLLBACK;
\set VERBOSITY terse
BEGIN;
SELECT stratum.enter(7701, 7701, 'request-4');
SELECT v ->> 'name' AS name, v -> 'labels' AS labels, v -> 'ctr' AS ctr, v -> 'raw_data' AS raw FROM stratum.revert_row('stratum.campaigns', '7701', :'first') v;
SELECT action, old_values - 'updated_at' AS old, new_values - 'updated_at' AS new FROM stratum.request_changes('request-4');
COMMIT;
BEGIN;
SELECT stratum.enter(7701, 7701, 'request-5');
SELECT v ->> 'name' AS name, v -> 'labels' AS labels, v -> 'raw_data' AS raw FROM stratum.revert_row('stratum.campaigns', '7701', :'second') v;
-- nothing differs: nothing is written
SELECT stratum.revert_row('stratum.campaigns', '7701', :'second') IS NOT NULL AS there;
SELECT count(*) FROM stratum.request_changes('request-5');
COMMIT;
-- deleted, and back again
BEGIN; SELECT stratum.enter(7701); DELETE FROM stratum.campaigns WHERE id = 7701; COMMIT;
BEGIN;
SELECT stratum.enter(7701, 7701, 'request-6');
SELECT v -> 'id' AS id, v ->> 'name' AS name, v -> 'tenant_id' AS tenant FROM stratum.revert_row('stratum.campaigns', '7701', :'second') v;
SELECT action, resource_id FROM stratum.request_changes('request-6');
COMMIT;
-- marked as deleted, and back
BEGIN; SELECT stratum.enter(7701); UPDATE stratum.campaigns SET is_deleted = true WHERE id = 7701; COMMIT;
BEGIN; SELECT stratum.enter(7701); SELECT v -> 'is_deleted' AS deleted, v -> 'deleted_at' AS at FROM stratum.revert_row('stratum.campaigns', '7701', :'second') v; COMMIT;
-- what the trail does not have in clear stays
BEGIN; SELECT stratum.enter(7701); SELECT v ->> 'full_name' AS full_name FROM stratum.revert_row('stratum.users', '7701', :'second') v; COMMIT;
RESET ROLE;
SELECT full_name, password_hash FROM stratum.users WHERE id = 7701;
-- bad input
SELECT stratum.revert_row('stratum.nowhere', '1', now());
SELECT stratum.revert_row(NULL, '1', now());
SELECT stratum.revert_row('stratum.campaigns', NULL, now());
SELECT stratum.revert_row('stratum.campaigns', '7701', NULL);
SET DateStyle = ISO; SET TimeZone = UTC;
\set VERBOSITY default
SELECT stratum.revert_row('stratum.campaigns', '7701', '2000-01-01');
\set VERBOSITY terse
SELECT stratum.revert_row('stratum.campaigns', '999999', '2999-01-01');
SELECT stratum.revert_row('stratum.campaigns', 'abc', '2999-01-01');

-- tables of the user's: composite keys, types, computed columns, a key that changed, a trigger that counts on the path
CREATE SCHEMA audit_use;
SET search_path = audit_use, public;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE seen (n integer);
CREATE TABLE things (region text, no integer GENERATED ALWAYS AS IDENTITY, a numeric(10, 4)[], m mood, at timestamptz, b bytea, i interval, d date, r int4range, j json, t text, secret text,
  doubled integer GENERATED ALWAYS AS (no * 2) STORED, PRIMARY KEY (region, no));
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (new.no); RETURN new; END $$;
CREATE TRIGGER look BEFORE UPDATE ON things FOR EACH ROW EXECUTE FUNCTION look();
SELECT stratum.audit_table('things', redact => '{secret}');
INSERT INTO things (region, a, m, at, b, i, d, r, j, t, secret) VALUES ('e "u', '{1.5000,NULL}', 'good', '2024-02-29 12:00:00.123456+05', '\x00ff', '1 day 02:03:04', '2024-02-29', '[1,5)', '{"a" :  1}', E'x\ty', 's1');
CREATE TEMP TABLE was AS SELECT * FROM things;
SELECT clock_timestamp() AS first \gset
UPDATE things SET a = '{2}', m = 'bad', at = now(), b = '', i = '0', d = NULL, r = 'empty', j = '[]', t = NULL, secret = 's2';
SET TimeZone = 'Asia/Tokyo';
SELECT v ->> 't' AS t, v -> 'doubled' AS doubled FROM stratum.revert_row('things', '["e \"u", 1]', :'first') v;
SELECT (t.a, t.m, t.at, t.b, t.i, t.d, t.r, t.j::text, t.t) IS NOT DISTINCT FROM (w.a, w.m, w.at, w.b, w.i, w.d, w.r, w.j::jsonb::text, w.t) AS same, t.secret FROM things t, was w;
SELECT count(*) FROM seen;
DELETE FROM things;
SELECT v -> 'no' AS no FROM stratum.revert_row('things', '["e \"u", 1]', :'first') v;
SELECT (t.a, t.m, t.at, t.b, t.i, t.d, t.r, t.t) IS NOT DISTINCT FROM (w.a, w.m, w.at, w.b, w.i, w.d, w.r, w.t) AS same, t.secret FROM things t, was w;
UPDATE things SET region = 'us';
SELECT stratum.revert_row('things', '["e \"u", 1]', :'first');
SELECT v ->> 'region' AS region FROM stratum.revert_row('things', '["us", 1]', clock_timestamp()) v;
-- deleted under another key than it had then: it comes back under that one, and is what is returned
CREATE TABLE numbered (id integer PRIMARY KEY, v text);
SELECT stratum.audit_table('numbered');
INSERT INTO numbered VALUES (21, 'one');
SELECT clock_timestamp() AS numbered_at \gset
UPDATE numbered SET id = 27, v = 'two';
DELETE FROM numbered;
SELECT stratum.revert_row('numbered', '27', :'numbered_at');
SELECT * FROM numbered;
SELECT stratum.revert_row('numbered', '21', :'numbered_at');
CREATE TABLE paired (a text, b integer, v text, PRIMARY KEY (b, a));
SELECT stratum.audit_table('paired');
INSERT INTO paired VALUES ('x "y', 1, 'one');
SELECT clock_timestamp() AS paired_at \gset
UPDATE paired SET b = 2;
DELETE FROM paired;
SELECT stratum.revert_row('paired', '[2, "x \"y"]', :'paired_at');
SELECT stratum.unaudit_table('numbered'), stratum.unaudit_table('paired');
CREATE TABLE keyless (a integer);
SELECT stratum.audit_table('keyless');
SELECT stratum.revert_row('keyless', '1', now());
-- no rights on the table
\set VERBOSITY sqlstate
GRANT USAGE ON SCHEMA audit_use TO regress_use_app;
SET ROLE regress_use_app;
BEGIN; SELECT stratum.enter(7701); SELECT stratum.revert_row('audit_use.things', '["us", 1]', now()); ROLLBACK;
RESET ROLE;
GRANT SELECT ON things TO regress_use_app;
SET ROLE regress_use_app;
BEGIN; SELECT stratum.enter(7701); SELECT stratum.revert_row('audit_use.things', '["us", 1]', now()); ROLLBACK;
RESET ROLE;
-- a table that is not there
SELECT stratum.row_history(4294967295::regclass, '1');
SELECT stratum.row_as_of('0', '1', now());
SELECT stratum.revert_row('0', '1', now());
RESET search_path;
SELECT stratum.unaudit_table('audit_use.things'); SELECT stratum.unaudit_table('audit_use.keyless');
DROP SCHEMA audit_use CASCADE;
DROP ROLE regress_use_app, regress_use_auditor;

-- ---- keys of types that have a length -------------------------------------------------------------
BEGIN;
CREATE TABLE public.regress_codes (code char(3) PRIMARY KEY, v text);
CREATE TABLE public.regress_bits (bits bit(4) PRIMARY KEY, v text);
SELECT stratum.audit_table('public.regress_codes'), stratum.audit_table('public.regress_bits');
INSERT INTO public.regress_codes VALUES ('U', 'one'), ('USD', 'three');
INSERT INTO public.regress_bits VALUES ('1000', 'first'), ('1010', 'second');
SELECT stratum.row_as_of('public.regress_codes', 'USD', now()) ->> 'v' AS three, stratum.row_as_of('public.regress_codes', 'U', now()) ->> 'v' AS one,
       stratum.row_as_of('public.regress_bits', '1010', now()) ->> 'v' AS second;
ROLLBACK;
-- ---- back without an entry: the arrival of events is not recorded ---------------------------------
INSERT INTO stratum.tenants (id, name, slug) VALUES (9512, 'Returns', 'returns');
INSERT INTO stratum.cdp_events (id, tenant_id, event_name, event_type, timestamp) VALUES (951200, 9512, 'a', 'track', '2026-01-01');
DELETE FROM stratum.cdp_events WHERE id = 951200;
SELECT stratum.row_as_of('stratum.cdp_events', '951200', now()) IS NULL AS is_gone;
SELECT stratum.revert_row('stratum.cdp_events', '951200', now() - interval '1 hour') ->> 'event_name' AS is_back;
SELECT stratum.row_as_of('stratum.cdp_events', '951200', now()) ->> 'event_name' AS is_there;
DELETE FROM stratum.cdp_events WHERE id = 951200;
SELECT stratum.row_as_of('stratum.cdp_events', '951200', now()) IS NULL AS is_gone;
SELECT count(*) > 0 AS gone FROM stratum.delete_tenant(9512, 'returns');
