-- How redacted columns are shown: masked, hashed with a key, left out; before anything is written.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE ROLE regress_redact_admin LOGIN IN ROLE stratum_admin;
CREATE SCHEMA audit_redact;
CREATE TABLE audit_redact.people (id integer PRIMARY KEY, name text, card text, iban text, born date, note jsonb, diary text, "odd:hash" text);
-- there is no key before somebody asks for hashes
SELECT count(*) FROM stratum.audit_keys;
SELECT stratum.audit_table('audit_redact.people', redact => '{name,card:mask}');
SELECT count(*) FROM stratum.audit_keys;
SELECT stratum.audit_table('audit_redact.people', redact => '{name,card:mask,iban:hash,born:hash,note:hash,diary:drop,odd:hash}');
SELECT count(*), max(length(key)) FROM stratum.audit_keys;
INSERT INTO audit_redact.people VALUES (1, 'Eve', 'card 4711', 'DE1', '2000-01-01', '{"b": 1, "a": "x"}', 'secret', 'plain'), (2, 'Mal', 'card 4712', 'DE1', '2000-01-02', '{"a":"x","b":1}', NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE VIEW pg_temp.log AS SELECT id, action, resource_id, old_values, new_values FROM stratum.audit_logs WHERE resource_type = 'audit_redact.people';
SELECT action, resource_id, new_values ->> 'name' AS name, new_values ->> 'card' AS card, new_values -> 'iban' <> 'null' AS iban, new_values ? 'diary' AS diary, new_values -> 'odd:hash' AS odd FROM pg_temp.log ORDER BY id;
SELECT (SELECT count(DISTINCT new_values ->> 'iban') FROM pg_temp.log WHERE resource_id IN ('1', '2')) AS same_iban, (SELECT count(DISTINCT new_values ->> 'note') FROM pg_temp.log WHERE resource_id IN ('1', '2')) AS same_note,
       (SELECT count(DISTINCT new_values ->> 'born') FROM pg_temp.log WHERE resource_id IN ('1', '2')) AS other_born, (SELECT bool_and(new_values ->> 'iban' ~ '^hmac-sha256:[0-9a-f]{64}$') FROM pg_temp.log WHERE resource_id IN ('1', '2')) AS form;
-- an update lists what changed; of a column that is left out not even that
UPDATE audit_redact.people SET diary = 'more secrets' WHERE id = 1;
UPDATE audit_redact.people SET diary = 'even more', name = 'Eva', iban = 'DE2' WHERE id = 1;
SELECT action, old_values ->> 'name' AS name, old_values ->> 'iban' = new_values ->> 'iban' AS same, ARRAY(SELECT jsonb_object_keys(new_values)) AS changed FROM pg_temp.log WHERE action = 'update';
-- (digits alone would be found in a time of the day, too)
SELECT count(*) FROM stratum.audit_logs l WHERE l.resource_type = 'audit_redact.people' AND l::text ~ 'Eve|card 4711|DE1|2000-01|secret|more';
SELECT row_after FROM stratum.row_history('audit_redact.people', '3');
SELECT row_after ->> 'name' AS name, row_after ->> 'iban' AS iban, row_after ? 'diary' AS diary FROM stratum.row_history('audit_redact.people', '1') LIMIT 1;
-- by the row's trigger as by the statement's
CREATE TABLE audit_redact.parts (id integer PRIMARY KEY, card text, diary text) PARTITION BY RANGE (id);
CREATE TABLE audit_redact.part PARTITION OF audit_redact.parts FOR VALUES FROM (1) TO (10);
SELECT stratum.audit_table('audit_redact.parts', redact => '{card:hash,diary:drop}');
INSERT INTO audit_redact.parts VALUES (1, '4711', 'secret');
SELECT new_values ->> 'card' ~ '^hmac-sha256:' AS hashed, new_values ? 'diary' AS diary FROM stratum.audit_logs WHERE resource_type = 'audit_redact.parts';
-- a key that is hashed: the row can still be followed
CREATE TABLE audit_redact.cards (number text PRIMARY KEY, v integer);
SELECT stratum.audit_table('audit_redact.cards', redact => '{number:hash}');
INSERT INTO audit_redact.cards VALUES ('4711', 1), ('4712', 1);
UPDATE audit_redact.cards SET v = 2 WHERE number = '4711';
SELECT count(*), count(DISTINCT resource_id) FROM stratum.audit_logs WHERE resource_type = 'audit_redact.cards';
-- equal times have equal hashes, whoever writes them where
CREATE TABLE audit_redact.times (id integer PRIMARY KEY, at timestamptz, times timestamptz[], during tstzrange);
SELECT stratum.audit_table('audit_redact.times', redact => '{at:hash,times:hash,during:hash}');
SET timezone = 'Asia/Tokyo';
INSERT INTO audit_redact.times VALUES (1, '2026-01-01 00:00+00', '{2026-01-01 00:00+00}', '[2026-01-01 00:00+00,)');
SET timezone = 'UTC';
INSERT INTO audit_redact.times VALUES (2, '2026-01-01 00:00+00', '{2026-01-01 00:00+00}', '[2026-01-01 00:00+00,)');
RESET timezone;
SELECT count(*), count(DISTINCT new_values - 'id') AS ways FROM stratum.audit_logs WHERE resource_type = 'audit_redact.times';
-- refused
SELECT stratum.audit_table('audit_redact.cards', redact => '{number:drop}');
SELECT stratum.audit_table('audit_redact.people', redact => '{iban:md5}');
SELECT stratum.audit_table('audit_redact.people', redact => '{nothing:hash}');
SELECT stratum.audit_table('audit_redact.people', redact => '{name,NULL}');
SELECT stratum.audit_table('audit_redact.people', ignore => '{iban:hash}');
-- a redacted column that is renamed stops writes, as ever
BEGIN;
ALTER TABLE audit_redact.people RENAME iban TO account;
INSERT INTO audit_redact.people (id) VALUES (4);
ROLLBACK;
-- the key is nobody's to read; without it nothing is written
SET ROLE regress_redact_admin;
SELECT count(*) FROM stratum.audit_keys;
RESET ROLE;
BEGIN;
DELETE FROM stratum.audit_keys;
INSERT INTO audit_redact.people (id, iban) VALUES (5, 'DE5');
ROLLBACK;
-- a key that a rollback takes back is not used afterwards
BEGIN;
DELETE FROM stratum.audit_keys;
SELECT stratum.audit_table('audit_redact.people', redact => '{iban:hash}');
INSERT INTO audit_redact.people (id, iban) VALUES (6, 'DE1');
ROLLBACK;
INSERT INTO audit_redact.people (id, iban) VALUES (7, 'DE1');
SELECT count(DISTINCT new_values ->> 'iban') AS same FROM pg_temp.log WHERE resource_id IN ('1', '7') AND action = 'create';
-- the choice is kept
SELECT stratum.install();
SELECT * FROM stratum.check_install();
SELECT stratum.unaudit_table(x::regclass) FROM unnest('{audit_redact.people,audit_redact.parts,audit_redact.cards,audit_redact.times}'::text[]) x;
DROP SCHEMA audit_redact CASCADE;
DROP ROLE regress_redact_admin;
