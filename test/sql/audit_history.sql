-- row_history() and row_as_of().
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7301, 'History East', 'history-east'), (7302, 'History West', 'history-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash, backup_codes) VALUES (7301, 7301, 'ann@history.test', 'x', '["c"]');
CREATE ROLE regress_history_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_history_auditor LOGIN IN ROLE stratum_auditor;
-- a transaction each, for a time of its own
BEGIN;
SELECT stratum.enter(7301, 7301, 'req-1');
INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name, labels) VALUES (7301, 'meta', 'x', 'y', 'one', '["a"]');
COMMIT;
UPDATE stratum.campaigns SET name = 'two', impressions = 1000, clicks = 10 WHERE id = 7301;
BEGIN;
UPDATE stratum.campaigns SET name = 'three', labels = 'null' WHERE id = 7301;
UPDATE stratum.campaigns SET name = 'four' WHERE id = 7301;
COMMIT;
UPDATE stratum.campaigns SET is_deleted = true WHERE id = 7301;
UPDATE stratum.campaigns SET is_deleted = false, raw_data = '{"a": null}' WHERE id = 7301;
CREATE VIEW pg_temp.history AS SELECT *, row_number() OVER (ORDER BY audit_id) AS n FROM stratum.row_history('stratum.campaigns', '7301');
SELECT n, action, user_id, request_id, old_values - 'updated_at' AS old, CASE WHEN old_values IS NULL THEN '...' ELSE (new_values - 'updated_at')::text END AS new,
       row_after ->> 'name' AS name, row_after -> 'labels' AS labels, row_after ->> 'ctr' AS ctr, row_after -> 'is_deleted' AS deleted, row_after -> 'raw_data' AS raw
FROM pg_temp.history ORDER BY audit_id DESC;
SELECT row_after = to_jsonb(c) AS newest_is_now FROM pg_temp.history, stratum.campaigns c WHERE c.id = 7301 ORDER BY audit_id DESC LIMIT 1;
-- every version as of its time; the last of a transaction counts
SELECT n, stratum.row_as_of('stratum.campaigns', '7301', changed_at) ->> 'name' AS name,
       stratum.row_as_of('stratum.campaigns', '7301', changed_at - interval '1 microsecond') ->> 'name' AS before
FROM pg_temp.history ORDER BY n;
SELECT stratum.row_as_of('stratum.campaigns', '7301', now()) = to_jsonb(c) AS now, stratum.row_as_of('stratum.campaigns', '7301', 'infinity') = to_jsonb(c) AS infinity,
       stratum.row_as_of('stratum.campaigns', '7301', '-infinity') AS before
FROM stratum.campaigns c WHERE c.id = 7301;
-- what was changed without being recorded shows up in what is current
UPDATE stratum.campaigns SET last_synced_at = '2024-01-01' WHERE id = 7301;
SELECT stratum.row_as_of('stratum.campaigns', '7301', now()) = to_jsonb(c) AS now FROM stratum.campaigns c WHERE c.id = 7301;
-- never was
SELECT stratum.row_as_of('stratum.campaigns', '999999', now()), stratum.row_as_of('stratum.campaigns', 'abc', now()), stratum.row_as_of('stratum.campaigns', '99999999999999999999', now()),
       stratum.row_as_of('stratum.campaigns', '', now()), stratum.row_as_of('stratum.campaigns', NULL, now()), stratum.row_as_of('stratum.campaigns', '7301', NULL);
SELECT count(*) FROM stratum.row_history('stratum.campaigns', '999999');
SELECT * FROM stratum.row_history('stratum.nowhere', '1');
SELECT * FROM stratum.row_as_of('nowhere', '1', now());
-- secrets, in the present row too
SELECT row_after ->> 'password_hash' AS password_hash, row_after ->> 'backup_codes' AS backup_codes, row_after -> 'totp_secret' AS totp_secret FROM stratum.row_history('stratum.users', '7301');
SELECT v ->> 'password_hash' AS password_hash, v -> 'totp_secret' AS totp_secret FROM stratum.row_as_of('stratum.users', '7301', now()) v;

-- a tenant sees its own, an auditor all, from the log alone
SET ROLE regress_history_app;
SELECT count(*) FROM stratum.row_history('stratum.campaigns', '7301');
BEGIN;
SELECT stratum.enter(7302);
SELECT count(*), stratum.row_as_of('stratum.campaigns', '7301', now()) FROM stratum.row_history('stratum.campaigns', '7301');
COMMIT;
BEGIN;
SELECT stratum.enter(7301);
SELECT action, row_after ->> 'name' AS name, row_after ? 'last_synced_at' AS whole FROM stratum.row_history('stratum.campaigns', '7301');
SELECT v ->> 'name' AS name, v ->> 'last_synced_at' IS NOT NULL AS current FROM stratum.row_as_of('stratum.campaigns', '7301', now()) v;
COMMIT;
SET ROLE regress_history_auditor;
SELECT action, row_after ->> 'name' AS name, row_after -> 'labels' AS labels, row_after -> 'is_deleted' AS deleted FROM stratum.row_history('stratum.campaigns', '7301');
SELECT v ->> 'name' AS name, v -> 'last_synced_at' AS from_the_log FROM stratum.row_as_of('stratum.campaigns', '7301', now()) v;
RESET ROLE;

-- deleted, and the key used again
DELETE FROM stratum.campaigns WHERE id = 7301;
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name) VALUES (7301, 7302, 'meta', 'x', 'y', 'another');
SELECT n, action, row_after ->> 'name' AS name, row_after ->> 'tenant_id' AS tenant,
       stratum.row_as_of('stratum.campaigns', '7301', changed_at) ->> 'name' AS as_of
FROM pg_temp.history ORDER BY n DESC;
DELETE FROM stratum.campaigns WHERE id = 7301;
SELECT stratum.row_as_of('stratum.campaigns', '7301', now());
SET ROLE regress_history_auditor;
SELECT action, row_after ->> 'name' AS name FROM stratum.row_history('stratum.campaigns', '7301');
-- a tenant has the end of its own row's life
SET ROLE regress_history_app;
BEGIN;
SELECT stratum.enter(7301);
SELECT action, row_after ->> 'name' AS name FROM stratum.row_history('stratum.campaigns', '7301') LIMIT 2;
COMMIT;
RESET ROLE;

-- not recorded from the start
CREATE SCHEMA audit_past;
GRANT USAGE ON SCHEMA audit_past TO regress_history_auditor;
CREATE TABLE audit_past.items (id integer PRIMARY KEY, tenant_id integer, a text, b jsonb, hidden text);
INSERT INTO audit_past.items VALUES (1, 7301, 'a0', '{}', 'h0'), (2, 7301, 'b0', NULL, NULL), (3, 7301, 'c0', '1', 'h');
SELECT stratum.log_event('update', 'audit_past.items', '1') > 0 AS logged;
SELECT stratum.audit_table('audit_past.items', redact => '{hidden}');
SELECT count(*), stratum.row_as_of('audit_past.items', '1', now()) FROM stratum.row_history('audit_past.items', '1');
UPDATE audit_past.items SET a = 'a1', hidden = 'h1' WHERE id = 1;
UPDATE audit_past.items SET b = '[1]' WHERE id = 1;
DELETE FROM audit_past.items WHERE id = 2;
SELECT action, old_values, new_values, row_after FROM stratum.row_history('audit_past.items', '1');
SELECT stratum.row_as_of('audit_past.items', '1', '2000-01-01') AS one, stratum.row_as_of('audit_past.items', '2', '2000-01-01') AS two, stratum.row_as_of('audit_past.items', '2', now()) AS gone;
-- an auditor cannot know what no entry tells, but what a later one does
SET ROLE regress_history_auditor;
SELECT action, row_after FROM stratum.row_history('audit_past.items', '1');
RESET ROLE;
DELETE FROM audit_past.items WHERE id = 1;
SET ROLE regress_history_auditor;
SELECT action, row_after FROM stratum.row_history('audit_past.items', '1');
RESET ROLE;
-- columns come and go
ALTER TABLE audit_past.items ADD COLUMN c integer DEFAULT 7;
UPDATE audit_past.items SET c = 8 WHERE id = 3;
ALTER TABLE audit_past.items DROP COLUMN b;
UPDATE audit_past.items SET c = 9 WHERE id = 3;
SELECT action, row_after FROM stratum.row_history('audit_past.items', '3');
-- TRUNCATE ends a row's life, and one that comes after has another
INSERT INTO audit_past.items VALUES (4, 7301, 'd0');
TRUNCATE audit_past.items;
TRUNCATE audit_past.items;
INSERT INTO audit_past.items VALUES (4, 7301, 'd1');
SELECT action, row_after ->> 'a' AS a FROM stratum.row_history('audit_past.items', '4');
SELECT action, row_after ->> 'a' AS a FROM stratum.row_history('audit_past.items', '3') LIMIT 2;
SELECT stratum.row_as_of('audit_past.items', '3', now());
TRUNCATE audit_past.items;
SELECT stratum.row_as_of('audit_past.items', '4', now());
-- a changed key is followed
INSERT INTO audit_past.items VALUES (5, 7301, 'e0');
UPDATE audit_past.items SET a = 'e1' WHERE id = 5;
UPDATE audit_past.items SET id = 6, a = 'e2' WHERE id = 5;
INSERT INTO audit_past.items VALUES (5, 7301, 'f0');
UPDATE audit_past.items SET a = 'e3' WHERE id = 6;
SELECT action, row_after ->> 'id' AS id, row_after ->> 'a' AS a FROM stratum.row_history('audit_past.items', '6');
SELECT action, row_after ->> 'id' AS id, row_after ->> 'a' AS a FROM stratum.row_history('audit_past.items', '5');
SELECT pg_typeof(audit_id) FROM stratum.row_history('audit_past.items', '5') LIMIT 1;
-- and the row is gone under the key that it had: until another comes, under any number of keys, whoever asks
CREATE TABLE audit_past.moved (id text PRIMARY KEY, tenant_id integer, v integer);
INSERT INTO audit_past.moved VALUES ('z', 7301, 0);
SELECT stratum.audit_table('audit_past.moved');
INSERT INTO audit_past.moved VALUES ('a', 7301, 1);
UPDATE audit_past.moved SET id = 'b', v = 2 WHERE id = 'a';
INSERT INTO audit_past.moved VALUES ('a', 7301, 10);
UPDATE audit_past.moved SET id = 'c', v = 3 WHERE id = 'b';
UPDATE audit_past.moved SET id = 'b', v = 11 WHERE id = 'a';
UPDATE audit_past.moved SET id = 'a' WHERE id = 'c';
UPDATE audit_past.moved SET id = 'y', v = 7 WHERE id = 'z';
SELECT k, stratum.row_as_of('audit_past.moved', k, now()) AS now, (SELECT to_jsonb(m) FROM audit_past.moved m WHERE m.id = k) AS is,
       (SELECT json_agg(concat_ws(' ', h.action, h.new_values, '->', coalesce(h.row_after ->> 'v', 'gone'))) FROM stratum.row_history('audit_past.moved', k) h) AS history
FROM unnest('{a,b,c,y,z}'::text[]) k;
SET ROLE regress_history_auditor;
SELECT k, stratum.row_as_of('audit_past.moved', k, now()) AS now,
       (SELECT json_agg(concat_ws(' ', h.action, h.new_values, '->', coalesce(h.row_after ->> 'v', 'gone'))) FROM stratum.row_history('audit_past.moved', k) h) AS history
FROM unnest('{a,b,c,y,z}'::text[]) k;
RESET ROLE;
DELETE FROM audit_past.moved;
INSERT INTO audit_past.moved VALUES ('c', 7301, 20);
TRUNCATE audit_past.moved;
SELECT k, stratum.row_as_of('audit_past.moved', k, now()) AS now,
       (SELECT json_agg(concat_ws(' ', h.action, h.new_values, '->', coalesce(h.row_after ->> 'v', 'gone'))) FROM stratum.row_history('audit_past.moved', k) h) AS history
FROM unnest('{a,b,c,y,z}'::text[]) k;
-- composite keys, with a time; a table without a key
CREATE TABLE audit_past.two (at timestamptz, name text, v integer, PRIMARY KEY (name, at));
CREATE TABLE audit_past.none (v integer);
SELECT stratum.audit_table('audit_past.two'), stratum.audit_table('audit_past.none');
INSERT INTO audit_past.two VALUES ('2024-05-01 12:00+00', 'it''s', 1);
UPDATE audit_past.two SET v = 2;
SELECT action, row_after -> 'v' AS v FROM stratum.row_history('audit_past.two', '["it''s", "2024-05-01T12:00:00+00:00"]');
SELECT stratum.row_as_of('audit_past.two', '["it''s", "2024-05-01T12:00:00+00:00"]', now()) -> 'v' AS v, stratum.row_as_of('audit_past.two', 'no json', now()), stratum.row_as_of('audit_past.two', '[1]', now());
INSERT INTO audit_past.none VALUES (1);
SELECT count(*) FROM stratum.row_history('audit_past.none', '1');
SELECT count(*) FROM stratum.row_history('audit_past.none', NULL);

-- random lives: every version equals what the row was
CREATE TABLE audit_past.life (id integer PRIMARY KEY, a integer, b text, c jsonb, password_hash text);
CREATE TABLE audit_past.truth (n serial, id integer, audit_id integer, row_now jsonb);
SELECT stratum.audit_table('audit_past.life');
DO $$
DECLARE last integer; now_is jsonb; key integer;
BEGIN
  PERFORM setseed(0.42);
  FOR i IN 1 .. 3000 LOOP
    last := (SELECT max(id) FROM stratum.audit_logs);
    key := (random() * 10)::integer;
    CASE (random() * 6)::integer
      WHEN 0 THEN DELETE FROM audit_past.life WHERE id = key;
      WHEN 1 THEN INSERT INTO audit_past.life VALUES (key, (random() * 3)::integer, NULL, 'null', 's') ON CONFLICT DO NOTHING;
      WHEN 2 THEN UPDATE audit_past.life SET a = nullif((random() * 3)::integer, 0) WHERE id = key;
      WHEN 3 THEN UPDATE audit_past.life SET b = nullif(repeat('x', (random() * 3)::integer), ''), a = a + 1 WHERE id = key;
      WHEN 4 THEN UPDATE audit_past.life SET c = jsonb_build_object('k', (random() * 2)::integer) WHERE id = key;
      ELSE UPDATE audit_past.life SET password_hash = nullif(password_hash || 'x', 'sxxx') WHERE id = key;
    END CASE;
    SELECT to_jsonb(l) || jsonb_build_object('password_hash', CASE WHEN password_hash IS NOT NULL THEN '[REDACTED]' END) INTO now_is FROM audit_past.life l WHERE id = key;
    INSERT INTO audit_past.truth (id, audit_id, row_now) SELECT key, l.id, now_is FROM stratum.audit_logs l WHERE l.id > last AND l.resource_type = 'audit_past.life';
  END LOOP;
END $$;
SELECT count(*) > 1000 AS enough, count(*) FILTER (WHERE h.row_after IS DISTINCT FROM t.row_now) AS wrong, count(*) - count(h.audit_id) AS missing
FROM audit_past.truth t LEFT JOIN (SELECT DISTINCT id FROM audit_past.truth) k USING (id)
  LEFT JOIN LATERAL stratum.row_history('audit_past.life', k.id::text) h USING (audit_id);
SET ROLE regress_history_auditor;
CREATE TEMPORARY TABLE from_log AS SELECT h.* FROM generate_series(0, 10) k, LATERAL stratum.row_history('audit_past.life', k::text) h;
RESET ROLE;
SELECT count(*) FILTER (WHERE h.row_after IS DISTINCT FROM t.row_now) AS wrong, count(*) FILTER (WHERE h.audit_id IS NULL) AS missing
FROM audit_past.truth t LEFT JOIN from_log h USING (audit_id);

SET client_min_messages = warning;
DROP VIEW pg_temp.history;
DROP TABLE from_log;
DROP SCHEMA audit_past CASCADE;
DELETE FROM stratum.audited_tables;
DROP ROLE regress_history_app, regress_history_auditor;
