-- What the audit trail records.
-- the trail has its own, whatever the session has
SET datestyle = iso;
SET intervalstyle = postgres;
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7001, 'Audit East', 'audit-east'), (7002, 'Audit West', 'audit-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7001, 7001, 'ann@east.test', 'x');
-- what has been recorded since the last look
CREATE SEQUENCE audit_seen;
SELECT setval('audit_seen', max(id)) > 0 AS something FROM stratum.audit_logs;
CREATE FUNCTION recorded() RETURNS TABLE (
  tenant integer, by_user integer, action text, type text, id text, old_values jsonb, new_values jsonb, metadata jsonb)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT l.tenant_id::integer, l.user_id::integer, l.action::text, l.resource_type::text, l.resource_id::text, l.old_values, l.new_values, l.metadata
  FROM stratum.audit_logs l WHERE l.id > (SELECT last_value FROM audit_seen) AND l.resource_type <> 'audit_logs' ORDER BY l.id;
  PERFORM setval('audit_seen', (SELECT max(l.id) FROM stratum.audit_logs l));
END $$;

-- a row's life, without a context
INSERT INTO stratum.rules (id, tenant_id, name, conditions, actions) VALUES (7001, 7001, 'r', '{}', '[]');
SELECT l.tenant, l.by_user, l.action, l.type, l.id, l.old_values IS NULL AS old_null, l.new_values = to_jsonb(r) AS whole_row, l.metadata
FROM recorded() l, stratum.rules r WHERE r.id = 7001;
UPDATE stratum.rules SET name = 's', description = 'd' WHERE id = 7001;
SELECT tenant, by_user, action, type, id, old_values - 'updated_at' AS old, new_values - 'updated_at' AS new, old_values ? 'updated_at' AS with_time
FROM recorded();
-- nothing, the same, bookkeeping only: not recorded
UPDATE stratum.rules SET name = name, description = 'd' WHERE id = 7001;
UPDATE stratum.rules SET executions_count = 5, last_executed_at = now(), last_execution_result = '{"a": 1}', updated_at = now() WHERE id = 7001;
UPDATE stratum.rules SET name = 'x' WHERE false;
SELECT * FROM recorded();
-- bookkeeping beside something else is listed
UPDATE stratum.rules SET executions_count = 6, name = 't' WHERE id = 7001;
SELECT old_values - 'updated_at' AS old, new_values - 'updated_at' AS new FROM recorded();
-- soft delete, and back; is_deleted NULL is not deleted
UPDATE stratum.rules SET is_deleted = true WHERE id = 7001;
UPDATE stratum.rules SET is_deleted = true, name = 'u' WHERE id = 7001;
UPDATE stratum.rules SET is_deleted = NULL WHERE id = 7001;
UPDATE stratum.rules SET is_deleted = true WHERE id = 7001;
UPDATE stratum.rules SET is_deleted = false WHERE id = 7001;
SELECT action, old_values - 'updated_at' AS old, new_values - 'updated_at' AS new FROM recorded();
DELETE FROM stratum.rules WHERE id = 7001;
SELECT action, id, old_values ->> 'name' AS name, (SELECT count(*) FROM jsonb_object_keys(old_values)) = (SELECT count(*) FROM pg_attribute
  WHERE attrelid = 'stratum.rules'::regclass AND attnum > 0 AND NOT attisdropped) AS whole_row, new_values FROM recorded();

-- the context says who; the row says which tenant
BEGIN;
SELECT stratum.enter(7001, 7001, 'req-7', '192.0.2.9', 'agent/1');
INSERT INTO stratum.rules (id, name, conditions, actions) VALUES (7002, 'r', '{}', '[]');
COMMIT;
SELECT l.tenant_id, l.user_id, l.request_id, l.ip_address, l.user_agent, l.created_at = r.created_at AS transaction_time
FROM stratum.audit_logs l, stratum.rules r WHERE l.resource_type = 'rules' AND l.resource_id = '7002' AND r.id = 7002;
UPDATE stratum.tenants SET domain = 'west.test' WHERE id = 7002;
SELECT tenant, by_user, type, id FROM recorded();
-- a platform user has no tenant
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7009, NULL, 'root@platform.test', 'x');
SELECT tenant, action, type, id FROM recorded();

-- secrets: never in clear, NULL stays null, a change of a secret is a change
INSERT INTO stratum.users (id, tenant_id, email, password_hash, totp_secret, backup_codes)
VALUES (7002, 7001, 'bob@east.test', 'hash-one', NULL, '["c1"]');
UPDATE stratum.users SET password_hash = 'hash-two', totp_secret = 'seed', backup_codes = NULL WHERE id = 7002;
INSERT INTO stratum.tenant_platform_connections (tenant_id, platform, access_token, refresh_token) VALUES (7001, 'meta', 'at-1', 'rt-1');
DELETE FROM stratum.tenant_platform_connections WHERE tenant_id = 7001;
SELECT action, type, x.key, x.old, x.new FROM recorded() r,
  LATERAL (SELECT k AS key, r.old_values -> k AS old, r.new_values -> k AS new
           FROM unnest('{password_hash,totp_secret,backup_codes,access_token,refresh_token}'::text[]) WITH ORDINALITY u (k, n)
           WHERE r.old_values ? k OR r.new_values ? k ORDER BY n) x;
SELECT count(*) AS in_clear FROM stratum.audit_logs WHERE concat(old_values, new_values) ~ 'hash-one|hash-two|seed|"c1"|at-1|rt-1';

-- not audited: memberships, INSERTs of events
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) VALUES (7001, 7001, '00000000-0000-0000-0000-000000007001');
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (7001, 7001, 's', '{}');
SELECT count(*) FROM recorded();
INSERT INTO stratum.cdp_events (id, tenant_id, profile_id, event_name, event_type, timestamp) VALUES (7001, 7001, 7001, 'e', 't', now());
INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id) VALUES (7001, 7001, 7001);
UPDATE stratum.cdp_segments SET profile_count = 1, last_computed_at = now() WHERE id = 7001;
UPDATE stratum.cdp_events SET event_type = 'u' WHERE id = 7001;
DELETE FROM stratum.cdp_events WHERE id = 7001;
DELETE FROM stratum.cdp_segment_memberships WHERE segment_id = 7001;
SELECT action, type, id FROM recorded();

-- every type reads as to_jsonb reads the row
CREATE SCHEMA audit_test;
CREATE TYPE audit_test.mood AS ENUM ('sad', 'it''s "ok"');
CREATE TYPE audit_test.pair AS (a integer, b text);
CREATE DOMAIN audit_test.short AS varchar(10) CHECK (value <> '');
CREATE DOMAIN audit_test.bag AS jsonb;
CREATE TABLE audit_test.kinds (
  gone_first text, id bigserial PRIMARY KEY, gone_second integer,
  a smallint, b integer, c bigint, d numeric, e real, f double precision, g boolean, h text, i varchar(20), j char(5), k "char",
  l bytea, m date, n timestamp, o timestamptz, p time, q timetz, r interval, s uuid, t inet, u json, v jsonb, w audit_test.mood,
  x audit_test.pair, y audit_test.short, z audit_test.bag, aa integer[], ab text[], ac audit_test.pair[], ad int4range, ae point, af xml,
  ag money, ah bit(3), ai tsvector, aj oid, ak regclass, al name, am numrange, an jsonb[], ao macaddr,
  "Odd ""name"" %" integer, gen integer GENERATED ALWAYS AS (b * 2) STORED);
ALTER TABLE audit_test.kinds DROP COLUMN gone_first, DROP COLUMN gone_second;
SELECT stratum.audit_table('audit_test.kinds', ignore => '{"Odd \"name\" %"}');
INSERT INTO audit_test.kinds DEFAULT VALUES;
INSERT INTO audit_test.kinds (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af, ag, ah, ai, aj, ak, al, am, an, ao, "Odd ""name"" %")
VALUES (1, -2, 9007199254740993, 'NaN', 'NaN', '-Infinity', true, E'tab\tquote" \\ \u00e9 \U0001F600', 'v', 'c', 'x', '\x00ff', 'infinity', '-infinity', 'infinity',
  '24:00', '12:00+03', '1 mon -2 days', '00000000-0000-0000-0000-000000000001', '10.0.0.0/8', '{"b": 1, "a": [1, 1.0]}', 'null', 'it''s "ok"',
  (1, NULL), 'dom', '{"deep": {"er": [1, null, {}]}}', '{1,NULL,3}', '{{a,b},{c,NULL}}', ARRAY[(1, 'x'), (NULL, NULL)]::audit_test.pair[], '[1,5)',
  '(1,2)', '<a>b</a>', 12.5, '101', 'a b:2', 42, 'stratum.users', 'n', '(1.5,)', ARRAY['{"k": 1}', 'null']::jsonb[], '08:00:2b:01:02:03', 7),
 (NULL, NULL, NULL, 1.50, 1e10, 0.1, false, '', NULL, NULL, NULL, '', '0044-03-15 BC', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+05', NULL, NULL, '0', NULL, NULL, 'null',
  '"text"', 'sad', NULL, NULL, 'null', '{}', '{}', '{}', 'empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO audit_test.kinds (d, h, v) SELECT 12345678901234567890.123456789, repeat('long ', 100000), jsonb_build_object('x', (SELECT jsonb_agg(n) FROM generate_series(1, 5000) n));
SELECT count(*) AS rows, count(*) FILTER (WHERE new_values = to_jsonb(whole)) AS same, count(*) FILTER (WHERE new_values::text = to_jsonb(whole)::text) AS same_text
FROM recorded() r JOIN audit_test.kinds whole ON whole.id::text = r.id;
-- every column alone: exactly that column, before and after
DO $$
DECLARE col text; was jsonb; now_is jsonb; entry record; bad text[] := '{}'; n integer := 0;
BEGIN
  FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'audit_test.kinds'::regclass AND attnum > 0 AND NOT attisdropped
             AND attname NOT IN ('id', 'gen', 'b', 'Odd "name" %') ORDER BY attnum LOOP
    SELECT to_jsonb(whole) INTO was FROM audit_test.kinds whole WHERE id = 1;
    EXECUTE format('UPDATE audit_test.kinds SET %I = (SELECT %I FROM audit_test.kinds WHERE id = 2) WHERE id = 1', col, col);
    SELECT to_jsonb(whole) INTO now_is FROM audit_test.kinds whole WHERE id = 1;
    SELECT * INTO entry FROM recorded() LIMIT 1;
    n := n + 1;
    IF entry.old_values IS DISTINCT FROM jsonb_build_object(col, was -> col) OR entry.new_values IS DISTINCT FROM jsonb_build_object(col, now_is -> col) THEN
      bad := bad || col;
    END IF;
  END LOOP;
  RAISE NOTICE '% columns, wrong: %', n, bad;
END $$;
-- a generated column follows; SQL NULL and JSON null differ; the same text again is no change, nor are other bytes that are equal
UPDATE audit_test.kinds SET b = 21 WHERE id = 1;
UPDATE audit_test.kinds SET v = 'null' WHERE id = 2;
UPDATE audit_test.kinds SET v = NULL WHERE id = 2;
UPDATE audit_test.kinds SET d = 1.500 WHERE id = 3;
UPDATE audit_test.kinds SET h = repeat('long ', 100000) WHERE id = 4;
UPDATE audit_test.kinds SET h = h, v = v WHERE id = 4;
UPDATE audit_test.kinds SET "Odd ""name"" %" = 8 WHERE id = 2;
SELECT action, id, old_values, new_values FROM recorded();
-- a large value that is not touched is not written again
UPDATE audit_test.kinds SET a = 1 WHERE id = 4;
SELECT old_values, new_values FROM recorded();

-- keys
CREATE TABLE audit_test.two (tenant_id integer, at timestamptz, name text, note text, PRIMARY KEY (name, at));
CREATE TABLE audit_test.none (tenant_id integer, note text);
CREATE TABLE audit_test.replica (tenant_id bigint, code text NOT NULL, note text);
CREATE UNIQUE INDEX replica_code ON audit_test.replica (code);
ALTER TABLE audit_test.replica REPLICA IDENTITY USING INDEX replica_code;
CREATE TABLE audit_test.wide (id text PRIMARY KEY, tenant_id text);
SELECT stratum.audit_table(('audit_test.' || t)::regclass) FROM unnest('{two,none,replica,wide}'::text[]) t;
SET TimeZone = 'Asia/Kolkata';
INSERT INTO audit_test.two VALUES (7001, '2024-01-01 00:00+00', 'a"b', 'n');
RESET TimeZone;
UPDATE audit_test.two SET note = 'm';
UPDATE audit_test.two SET name = 'c';
INSERT INTO audit_test.none VALUES (7002, 'n');
UPDATE audit_test.none SET note = 'm';
INSERT INTO audit_test.replica VALUES (7002, 'code-1', 'n');
INSERT INTO audit_test.wide VALUES ('e', 'no number');
SELECT tenant, action, type, id, old_values, new_values -> 'note' AS note, metadata FROM recorded();
INSERT INTO audit_test.wide VALUES (repeat('é', 255));
SELECT char_length(id) FROM recorded();
\set VERBOSITY default
INSERT INTO audit_test.wide VALUES (repeat('é', 256));
INSERT INTO audit_test.replica VALUES (3000000000, 'code-2');
-- a tenant that does not exist: the write fails, and says where
INSERT INTO audit_test.two VALUES (6999, now(), 'x');
\set VERBOSITY terse
SELECT count(*) FROM recorded();
-- tables without a tenant belong to the tenant of the context
BEGIN;
SELECT stratum.enter(7002);
INSERT INTO audit_test.wide VALUES ('f');
COMMIT;
SELECT tenant, type, id FROM recorded();

-- TRUNCATE
BEGIN;
SELECT stratum.enter(7001, 7001);
TRUNCATE audit_test.two, audit_test.none;
COMMIT;
SELECT * FROM recorded();

-- transactions: what is undone leaves nothing
BEGIN;
INSERT INTO audit_test.replica VALUES (7001, 'kept');
SAVEPOINT a;
INSERT INTO audit_test.replica VALUES (7001, 'undone');
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO audit_test.replica VALUES (7001, repeat('x', 300));
ROLLBACK TO b;
INSERT INTO audit_test.replica VALUES (7001, 'kept too');
COMMIT;
BEGIN; INSERT INTO audit_test.replica VALUES (7001, 'never'); ROLLBACK;
SELECT action, id FROM recorded();
-- a statement that fails half way
INSERT INTO audit_test.replica SELECT 7001, CASE WHEN n = 3 THEN 'kept' ELSE n::text END FROM generate_series(1, 5) n;
SELECT count(*) FROM recorded();

-- ON CONFLICT, MERGE, COPY, CTE, a view
INSERT INTO audit_test.replica VALUES (7001, 'kept', 'no') ON CONFLICT DO NOTHING;
INSERT INTO audit_test.replica VALUES (7001, 'kept', 'yes'), (7001, 'new', 'yes') ON CONFLICT (code) DO UPDATE SET note = excluded.note;
MERGE INTO audit_test.replica r USING (VALUES ('kept', 'merged'), ('new', NULL), ('merged', 'in')) v (code, note) ON r.code = v.code
WHEN MATCHED AND v.note IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET note = v.note WHEN NOT MATCHED THEN INSERT VALUES (7001, v.code, v.note);
COPY audit_test.replica FROM stdin (FORMAT csv);
7001,copied,one
7002,copied 2,two
\.
WITH gone AS (DELETE FROM audit_test.replica WHERE code LIKE 'copied%' RETURNING *) INSERT INTO audit_test.replica SELECT tenant_id, 'again ' || code, note FROM gone;
CREATE VIEW audit_test.view AS SELECT * FROM audit_test.replica;
UPDATE audit_test.view SET note = 'through a view' WHERE code = 'merged';
SELECT tenant, action, id, coalesce(new_values, old_values) ->> 'note' AS note FROM recorded();

-- foreign keys
CREATE TABLE audit_test.parent (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE audit_test.child (id integer PRIMARY KEY, parent_id integer REFERENCES audit_test.parent ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE audit_test.other (id integer PRIMARY KEY, parent_id integer REFERENCES audit_test.parent ON DELETE SET NULL DEFERRABLE);
SELECT stratum.audit_table(('audit_test.' || t)::regclass) FROM unnest('{parent,child,other}'::text[]) t;
INSERT INTO audit_test.parent VALUES (1, 7001);
INSERT INTO audit_test.child VALUES (10, 1), (11, 1);
INSERT INTO audit_test.other VALUES (20, 1);
SELECT count(*) FROM recorded();
UPDATE audit_test.other SET parent_id = NULL;
UPDATE audit_test.parent SET id = 2;
SELECT action, type, id, old_values, new_values, metadata FROM recorded();
UPDATE audit_test.other SET parent_id = 2;
DELETE FROM audit_test.parent;
SELECT action, type, id, old_values, new_values FROM recorded();

-- many parents at once, and a tree that goes with its root: each row once, and each change of one in its order
INSERT INTO audit_test.parent SELECT n, 7001 FROM generate_series(1, 3) n;
INSERT INTO audit_test.child SELECT 100 + n, 1 + n % 3 FROM generate_series(1, 6) n;
CREATE TABLE audit_test.tree (id integer PRIMARY KEY, parent_id integer REFERENCES audit_test.tree ON DELETE CASCADE ON UPDATE CASCADE);
SELECT stratum.audit_table('audit_test.tree');
INSERT INTO audit_test.tree SELECT n, nullif(n / 2, 0) FROM generate_series(1, 15) n;
SELECT count(*) FROM recorded();
UPDATE audit_test.parent SET id = id + 10;
UPDATE audit_test.tree SET id = id + 100 WHERE id IN (1, 2);
SELECT action, type, id, old_values, new_values FROM recorded();
DELETE FROM audit_test.parent;
DELETE FROM audit_test.tree WHERE parent_id IS NULL;
SELECT action, type, count(*), count(DISTINCT id) FROM recorded() GROUP BY action, type ORDER BY 2, 1;

-- partitions: the partitioned table's name; a move is a delete and a create
CREATE TABLE audit_test.parts (id integer, tenant_id integer, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE audit_test.parts_2024 PARTITION OF audit_test.parts FOR VALUES IN ('n');
SELECT stratum.audit_table('audit_test.parts');
CREATE TABLE audit_test.late (region text NOT NULL, dropped text, tenant_id integer, id integer NOT NULL);
ALTER TABLE audit_test.late DROP COLUMN dropped;
ALTER TABLE audit_test.parts ATTACH PARTITION audit_test.late FOR VALUES IN ('s');
INSERT INTO audit_test.parts VALUES (1, 7001, 'n'), (2, 7001, 's');
INSERT INTO audit_test.late (id, tenant_id, region) VALUES (3, 7002, 's');
UPDATE audit_test.parts SET region = 's' WHERE id = 1;
UPDATE audit_test.parts SET tenant_id = 7002 WHERE id = 2;
TRUNCATE audit_test.parts;
SELECT tenant, action, type, id, old_values, new_values FROM recorded();

-- replicas write what the origin recorded already
SET session_replication_role = replica;
INSERT INTO audit_test.replica VALUES (7001, 'replicated');
RESET session_replication_role;
ALTER TABLE audit_test.replica DISABLE TRIGGER zz_stratum_audit_delete;
DELETE FROM audit_test.replica WHERE code = 'replicated';
ALTER TABLE audit_test.replica ENABLE TRIGGER zz_stratum_audit_delete;
SELECT * FROM recorded();

-- the table changes while the session lives
CREATE TABLE audit_test.moving (id integer PRIMARY KEY, tenant_id integer, note text);
SELECT stratum.audit_table('audit_test.moving');
INSERT INTO audit_test.moving VALUES (1, 7001, 'a');
ALTER TABLE audit_test.moving ADD COLUMN extra jsonb DEFAULT '{"a": 1}', DROP COLUMN note;
UPDATE audit_test.moving SET extra = '[]';
ALTER TABLE audit_test.moving RENAME COLUMN extra TO additional;
ALTER TABLE audit_test.moving ALTER COLUMN additional TYPE text, ALTER COLUMN tenant_id TYPE bigint;
UPDATE audit_test.moving SET additional = 'text';
ALTER TABLE audit_test.moving DROP CONSTRAINT moving_pkey, ADD PRIMARY KEY (id, additional);
UPDATE audit_test.moving SET tenant_id = 7002;
ALTER TABLE audit_test.moving RENAME TO moved;
UPDATE audit_test.moved SET tenant_id = 7001;
ALTER SCHEMA audit_test RENAME TO audit_testing;
DELETE FROM audit_testing.moved;
ALTER SCHEMA audit_testing RENAME TO audit_test;
BEGIN;
CREATE TABLE audit_test.brief (id integer PRIMARY KEY);
SELECT stratum.audit_table('audit_test.brief');
INSERT INTO audit_test.brief VALUES (1);
DROP TABLE audit_test.brief;
CREATE TABLE audit_test.brief (id text PRIMARY KEY, is_deleted boolean);
SELECT stratum.audit_table('audit_test.brief');
INSERT INTO audit_test.brief VALUES ('one');
UPDATE audit_test.brief SET is_deleted = true;
COMMIT;
SELECT tenant, action, type, id, old_values, new_values FROM recorded();
-- columns that are computed when they are read (from 18 on) are not recorded: the others tell
CREATE TABLE audit_test.computed (id integer PRIMARY KEY, tenant_id integer, n integer);
DO $$ BEGIN
  IF current_setting('server_version_num')::integer >= 180000 THEN
    EXECUTE 'ALTER TABLE audit_test.computed ADD COLUMN twice integer GENERATED ALWAYS AS (n * 2) VIRTUAL';
  END IF;
END $$;
SELECT stratum.audit_table('audit_test.computed');
INSERT INTO audit_test.computed (id, n) VALUES (1, 1);
UPDATE audit_test.computed SET n = 2;
SELECT action, old_values, new_values, row_after FROM stratum.row_history('audit_test.computed', '1');
SELECT count(*) FROM recorded();
-- is_deleted of another type is no flag
CREATE TABLE audit_test.flag (id integer PRIMARY KEY, is_deleted integer);
SELECT stratum.audit_table('audit_test.flag');
INSERT INTO audit_test.flag VALUES (1, 0);
UPDATE audit_test.flag SET is_deleted = 1;
SELECT action FROM recorded();

-- many rows in one statement
INSERT INTO audit_test.flag SELECT n, 0 FROM generate_series(2, 5001) n;
UPDATE audit_test.flag SET is_deleted = id WHERE id > 1;
DELETE FROM audit_test.flag WHERE id > 1;
SELECT action, count(*), count(DISTINCT id), min(tenant) FROM recorded() GROUP BY action ORDER BY action;

-- the protocol
CREATE TABLE audit_test.wrong (id integer);
CREATE TRIGGER t BEFORE INSERT ON audit_test.wrong FOR EACH ROW EXECUTE FUNCTION stratum._audit_row();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER INSERT ON audit_test.wrong FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_row();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER INSERT ON audit_test.wrong FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t BEFORE INSERT ON audit_test.wrong FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER INSERT ON audit_test.wrong FOR EACH ROW EXECUTE FUNCTION stratum._audit_statement();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER INSERT ON audit_test.wrong FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement();
INSERT INTO audit_test.wrong VALUES (1);
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER UPDATE ON audit_test.wrong REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement();
UPDATE audit_test.wrong SET id = 1;
DROP TRIGGER t ON audit_test.wrong;
CREATE TRIGGER t AFTER TRUNCATE ON audit_test.wrong FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement();
TRUNCATE audit_test.wrong;
DROP TRIGGER t ON audit_test.wrong;
SELECT stratum._audit_row();
SELECT stratum._audit_statement();
-- made by hand, without arguments
CREATE TRIGGER t AFTER INSERT ON audit_test.wrong FOR EACH ROW EXECUTE FUNCTION stratum._audit_row();
INSERT INTO audit_test.wrong VALUES (1);
SELECT type, id, new_values FROM recorded();

-- the log is not there, or does not take it: the write fails
BEGIN;
ALTER TABLE stratum.audit_logs RENAME TO audit_logs_away;
INSERT INTO audit_test.wrong VALUES (2);
ROLLBACK;
CREATE FUNCTION audit_test.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
BEGIN;
CREATE TRIGGER aa BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION audit_test.swallow();
INSERT INTO audit_test.wrong VALUES (2);
ROLLBACK;
SELECT count(*) FROM audit_test.wrong;

SET client_min_messages = warning;
DROP SCHEMA audit_test CASCADE;
DROP FUNCTION recorded;
DROP SEQUENCE audit_seen;
DELETE FROM stratum.audited_tables;
