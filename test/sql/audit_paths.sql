-- The same entries by every path: statement or row trigger, written directly or through a plan.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET datestyle = iso;
SET intervalstyle = postgres;
SET track_functions = 'all';
INSERT INTO stratum.tenants (id, name, slug) VALUES (7501, 'Path East', 'path-east'), (7502, 'Path West', 'path-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (7501, 7501, 'ann@path.test', 'x');
CREATE SCHEMA audit_paths;
CREATE TYPE audit_paths.mood AS ENUM ('sad', 'it''s "ok"');
CREATE TYPE audit_paths.pair AS (a integer, b text);
CREATE DOMAIN audit_paths.count AS integer CHECK (value > 0);
CREATE DOMAIN audit_paths.bag AS jsonb;
-- more than 32 keys, of which every 32nd has another kind of entry; columns that are gone, and one that came later
CREATE TABLE audit_paths.kinds (
  gone text, id bigint PRIMARY KEY, tenant_id integer, secret text, seen timestamptz, is_deleted boolean, updated_at timestamptz,
  a smallint, b integer, c bigint, d numeric, e real, f double precision, g boolean, h text, i varchar(20), j char(5), k "char", l bytea,
  m date, n timestamp, o timestamptz, p time, q timetz, r interval, s uuid, t inet, u json, v jsonb, w audit_paths.mood, x audit_paths.pair,
  y audit_paths.count, z audit_paths.bag, aa integer[], ab text[], ac audit_paths.pair[], ad int4range, ae point, ag money, ah bit(3), ai tsvector,
  aj oid, al name, am numrange, an jsonb[], ao macaddr, ap numeric[], aq boolean[], ar timestamptz[], at audit_paths.mood[], au json[], av int2vector, aw date[], ax float8[]);
ALTER TABLE audit_paths.kinds DROP COLUMN gone;
ALTER TABLE audit_paths.kinds ADD COLUMN later jsonb DEFAULT '{"is": "there"}';

-- What is written, each statement being all that one trigger call sees: odd values of each type, long ones, many rows.
CREATE PROCEDURE audit_paths.work() LANGUAGE plpgsql AS $$
DECLARE
  written bigint;
BEGIN
  INSERT INTO audit_paths.kinds (id, tenant_id, secret, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, ag, ah, ai, aj, al, am, an, ao, ap, aq, ar, at, au, av, aw, ax)
  VALUES
    (1, 7501, 'hush', 1, -2, 9007199254740993, 'NaN', 'NaN', '-Infinity', true, E'tab\tquote" \\ \u00e9 \U0001F600', 'v', 'c', 'x', '\x00ff', 'infinity', '-infinity', 'infinity',
     '24:00', '12:00+03', '1 mon -2 days', '00000000-0000-0000-0000-000000000001', '10.0.0.0/8', '{"b": 1, "a": [1, 1.0]}', 'null', 'it''s "ok"', (1, NULL), 5, '{"deep": {"er": [1, null, {}]}}',
     '{1,NULL,3}', '{{a,b},{c,NULL}}', ARRAY[(1, 'x'), (NULL, NULL)]::audit_paths.pair[], '[1,5)', '(1,2)', 12.5, '101', 'a b:2', 42, 'n', '(1.5,)', ARRAY['{"k": 1}', 'null']::jsonb[],
     '08:00:2b:01:02:03', '{1.50,NaN,1e400}', '{t,f,NULL}', '{infinity,2024-01-01 00:00+05}', '{sad,NULL}', ARRAY['{"a":"\u0000"}']::json[], '1 2', '{2024-02-29}', '{0.1,-0,1e300}'),
    (2, 7502, NULL, NULL, NULL, NULL, 1.50, 1e10, 0.1, false, '', NULL, NULL, NULL, '', '0044-03-15 BC', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+05', NULL, NULL, '0', NULL, NULL, '"\u0000"',
     '"text"', 'sad', NULL, NULL, 'null', '{}', '{}', '{}', 'empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', '{}', '{}', '{}', '', '{}', '{}'),
    (3, 7501, 'x', -32768, 2147483647, -9223372036854775808, 1e400, 3.4e38, 5e-324, NULL, repeat('long ', 50000), 'é', 'é', '', decode(repeat('ab', 5000), 'hex'), '5874897-12-31', '294276-12-31', '4713-01-01 BC', '00:00',
     '00:00-12', '-178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '::1', 'null', 'true', NULL, (NULL, repeat('y', 3000)), NULL, '[]', '{{1,2},{3,4}}', ARRAY[repeat('z', 4000)], NULL, '(,)', NULL, -0.01, '000', '', 0, '', NULL, '{}',
     NULL, ARRAY[1e-400], NULL, NULL, NULL, NULL, NULL, NULL, '{NaN,Infinity}');
  UPDATE audit_paths.kinds SET v = jsonb_build_object('many', (SELECT jsonb_agg(n) FROM generate_series(1, 3000) n)), later = NULL WHERE id IN (1, 3);
  INSERT INTO audit_paths.kinds (id, tenant_id, h, d) SELECT n, 7501 + n % 2, repeat('r', n % 500), n / 7.0 FROM generate_series(100, 1250) n;
  UPDATE audit_paths.kinds SET b = id, f = sqrt(id), secret = 'new', seen = '2030-01-01' WHERE id >= 100;
  UPDATE audit_paths.kinds SET seen = '2030-01-02', updated_at = '2030-01-01';           -- nothing that counts
  UPDATE audit_paths.kinds SET v = v, h = h, d = d;                                           -- nothing
  UPDATE audit_paths.kinds SET id = -id WHERE id < 105;                                       -- other keys
  UPDATE audit_paths.kinds SET v = CASE WHEN v IS NULL THEN 'null'::jsonb END WHERE id < 0;   -- SQL NULL and JSON null
  UPDATE audit_paths.kinds SET is_deleted = true WHERE id % 1000 = 0;
  UPDATE audit_paths.kinds SET is_deleted = NULL, b = NULL WHERE id = 1000;
  INSERT INTO audit_paths.kinds (id, tenant_id, b) SELECT n, 7501, n FROM generate_series(1100, 1500, 100) n
    ON CONFLICT (id) DO UPDATE SET b = -excluded.b, tenant_id = excluded.tenant_id;
  MERGE INTO audit_paths.kinds k USING (VALUES (1201, 1), (1202, NULL), (5000, 3)) s (id, b) ON k.id = s.id
    WHEN MATCHED AND s.b IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET b = s.b WHEN NOT MATCHED THEN INSERT (id, b) VALUES (s.id, s.b);
  WITH gone AS (DELETE FROM audit_paths.kinds WHERE id = 1203 RETURNING id), moved AS (UPDATE audit_paths.kinds SET b = 7 WHERE id = 1204 RETURNING id)
    INSERT INTO audit_paths.kinds (id, tenant_id) SELECT 10000 + id, 7502 FROM gone UNION ALL SELECT 10000 + id, 7502 FROM moved;
  WITH first AS (UPDATE audit_paths.kinds SET c = 1 WHERE id = 1205 RETURNING id), second AS (UPDATE audit_paths.kinds SET c = 2 WHERE id = 1206 RETURNING id) SELECT count(*) INTO written FROM first, second;
  DELETE FROM audit_paths.kinds WHERE false;
  DELETE FROM audit_paths.kinds;
END $$;

-- The work, as one who has entered; then all of it is undone. What was recorded but for id and time, sorted, and how the log was
-- written: its guard sees what goes through a plan.
CREATE FUNCTION audit_paths.recorded(preparation text DEFAULT NULL, OUT entries bigint, OUT digest text, OUT by_plan bigint, OUT in_order boolean, OUT state text)
LANGUAGE plpgsql AS $$
DECLARE
  last bigint := (SELECT max(l.id) FROM stratum.audit_logs l);
  calls bigint;
BEGIN
  BEGIN
    IF preparation IS NOT NULL THEN
      EXECUTE preparation;
    END IF;
    calls := coalesce(pg_stat_get_xact_function_calls('stratum._audit_guard_insert'::regproc), 0);
    PERFORM stratum.enter(7501, 7501, 'req-1', '192.0.2.9', 'agent/1');
    CALL audit_paths.work();
    SELECT count(*), md5(string_agg(x.line, E'\n' ORDER BY x.line COLLATE "C")), bool_and(x.follows) INTO entries, digest, in_order
    FROM (SELECT concat_ws('|', l.tenant_id, l.user_id, l.action, l.resource_type, l.resource_id, l.old_values, l.new_values, l.metadata, l.ip_address, l.user_agent, l.request_id, l.created_at = now()) AS line,
                 l.action <> 'create' OR min(l.id) OVER (PARTITION BY l.resource_id) = l.id AS follows
          FROM stratum.audit_logs l WHERE l.id > last AND l.resource_type <> 'audit_logs') x;
    by_plan := coalesce(pg_stat_get_xact_function_calls('stratum._audit_guard_insert'::regproc), 0) - calls;
    RAISE EXCEPTION USING ERRCODE = 'RB000';
  EXCEPTION WHEN SQLSTATE 'RB000' THEN state := 'done';
            WHEN OTHERS THEN state := sqlstate || ' ' || sqlerrm;
  END;
END $$;

SELECT stratum.audit_table('audit_paths.kinds', redact => '{secret}', ignore => '{seen}');
CREATE TABLE audit_paths.results (n serial, path text, entries bigint, digest text, by_plan bigint, in_order boolean, state text);
CREATE FUNCTION audit_paths.note(path text, preparation text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
  INSERT INTO audit_paths.results (path, entries, digest, by_plan, in_order, state) SELECT path, r.* FROM audit_paths.recorded(preparation) r
$$;
\o /dev/null
SELECT audit_paths.note('statement, directly');
-- what somebody may do to the log: it goes through a plan then
SELECT audit_paths.note('a CHECK', 'ALTER TABLE stratum.audit_logs ADD CHECK (resource_type <> '''')');
SELECT audit_paths.note('a trigger', 'CREATE FUNCTION audit_paths.pass() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''; CREATE TRIGGER own BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION audit_paths.pass()');
SELECT audit_paths.note('a statement trigger', 'CREATE FUNCTION audit_paths.pass() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN new; END''; CREATE TRIGGER own AFTER INSERT ON stratum.audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_paths.pass()');
SELECT audit_paths.note('a rule', 'CREATE TABLE audit_paths.copy (id bigint); CREATE RULE own AS ON INSERT TO stratum.audit_logs DO ALSO INSERT INTO audit_paths.copy VALUES (1)');
SELECT audit_paths.note('a column with a default', 'ALTER TABLE stratum.audit_logs ADD COLUMN more text DEFAULT clock_timestamp()::text');
SELECT audit_paths.note('a generated column', 'ALTER TABLE stratum.audit_logs ADD COLUMN more text GENERATED ALWAYS AS (resource_type || ''x'') STORED');
SELECT audit_paths.note('an identity column', 'ALTER TABLE stratum.audit_logs ADD COLUMN more integer GENERATED ALWAYS AS IDENTITY');
SELECT audit_paths.note('a column of a domain', 'CREATE DOMAIN audit_paths.some AS text CHECK (value IS NULL); ALTER TABLE stratum.audit_logs ADD COLUMN more audit_paths.some');
SELECT audit_paths.note('another default of id', 'CREATE FUNCTION audit_paths.next() RETURNS bigint LANGUAGE sql AS ''SELECT nextval(''''stratum.audit_logs_id_seq'''')''; ALTER TABLE stratum.audit_logs ALTER id SET DEFAULT audit_paths.next()');
SELECT audit_paths.note('an index on an expression', 'CREATE INDEX ON stratum.audit_logs ((new_values ->> ''id''))');
SELECT audit_paths.note('a partial index', 'CREATE INDEX ON stratum.audit_logs (user_id) WHERE user_id > 0');
SELECT audit_paths.note('many indexes', 'DO $x$ BEGIN FOR i IN 1 .. 11 LOOP CREATE INDEX ON stratum.audit_logs (id); END LOOP; END $x$');
SELECT audit_paths.note('a deferred key', 'ALTER TABLE stratum.audit_logs ADD UNIQUE (id, created_at) DEFERRABLE INITIALLY DEFERRED');
SELECT audit_paths.note('another reference', 'ALTER TABLE stratum.audit_logs ADD COLUMN more integer REFERENCES stratum.rules');
SELECT audit_paths.note('a shorter column', 'ALTER TABLE stratum.audit_logs ALTER resource_type TYPE varchar(50)');
SELECT audit_paths.note('unlogged', 'ALTER TABLE stratum.audit_logs SET UNLOGGED');
-- and what is nothing to a direct writer
SELECT audit_paths.note('a column of one''s own', 'ALTER TABLE stratum.audit_logs ADD COLUMN more text');
SELECT audit_paths.note('an index', 'CREATE INDEX ON stratum.audit_logs USING gin (new_values); CREATE INDEX ON stratum.audit_logs USING brin (created_at)');
SELECT audit_paths.note('a partial index of what is not NULL', 'CREATE INDEX ON stratum.audit_logs (user_id, created_at) INCLUDE (resource_id) WHERE old_values IS NOT NULL');
SELECT audit_paths.note('a hash index', 'CREATE INDEX ON stratum.audit_logs USING hash (resource_id)');
SELECT audit_paths.note('wider ids', 'ALTER TABLE stratum.audit_logs ALTER id TYPE bigint, ALTER user_id TYPE bigint; ALTER SEQUENCE stratum.audit_logs_id_seq AS bigint');
SELECT audit_paths.note('texts', 'ALTER TABLE stratum.audit_logs ALTER resource_type TYPE text, ALTER resource_id TYPE varchar, ALTER request_id TYPE text');
SELECT audit_paths.note('no references', 'ALTER TABLE stratum.audit_logs DROP CONSTRAINT audit_logs_tenant_id_fkey, DROP CONSTRAINT audit_logs_user_id_fkey');
SELECT audit_paths.note('columns in another order', 'ALTER TABLE stratum.audit_logs ADD COLUMN o jsonb, ADD COLUMN r varchar(255); ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER; UPDATE stratum.audit_logs SET o = old_values, r = resource_id;
  ALTER TABLE stratum.audit_logs DROP COLUMN old_values CASCADE, DROP COLUMN resource_id CASCADE; ALTER TABLE stratum.audit_logs RENAME o TO old_values; ALTER TABLE stratum.audit_logs RENAME r TO resource_id; ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER');
SELECT audit_paths.note('a trigger that is off', 'CREATE FUNCTION audit_paths.pass() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER own BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION audit_paths.pass(); ALTER TABLE stratum.audit_logs DISABLE TRIGGER own');
-- partitions of the log
SELECT audit_paths.note('a partitioned log', 'ALTER TABLE stratum.audit_logs RENAME TO audit_logs_old;
  CREATE TABLE stratum.audit_logs (LIKE stratum.audit_logs_old INCLUDING DEFAULTS) PARTITION BY RANGE (created_at); CREATE TABLE stratum.audit_logs_all PARTITION OF stratum.audit_logs DEFAULT; SELECT stratum._attach_audit_guard();');
-- other forms
SELECT audit_paths.note('warnings instead of errors', 'SET LOCAL stratum.audit_failure = warning');
\set by_row 'SELECT stratum.unaudit_table(''audit_paths.kinds''); CREATE TRIGGER zz_stratum_audit AFTER INSERT OR UPDATE OR DELETE ON audit_paths.kinds FOR EACH ROW EXECUTE FUNCTION stratum._audit_row(''audit_paths.kinds'', ''{secret}'', ''{seen}'');'
SELECT audit_paths.note('row, directly', :'by_row');
SELECT audit_paths.note('row, by plan', :'by_row' || ' ALTER TABLE stratum.audit_logs ADD CHECK (resource_type <> '''')');
SELECT audit_paths.note('a table with children', 'CREATE TABLE audit_paths.child () INHERITS (audit_paths.kinds); SELECT stratum.audit_table(''audit_paths.kinds'', redact => ''{secret}'', ignore => ''{seen}'')');
SELECT audit_paths.note('a partitioned table', 'ALTER TABLE audit_paths.kinds RENAME TO template; CREATE TABLE audit_paths.kinds (LIKE audit_paths.template INCLUDING ALL) PARTITION BY HASH (id);
  CREATE TABLE audit_paths.p0 PARTITION OF audit_paths.kinds FOR VALUES WITH (MODULUS 1, REMAINDER 0); SELECT stratum.audit_table(''audit_paths.kinds'', redact => ''{secret}'', ignore => ''{seen}'')');
SELECT audit_paths.note('other settings', 'SET LOCAL extra_float_digits = -10; SET LOCAL bytea_output = escape; SET LOCAL IntervalStyle = iso_8601; SET LOCAL DateStyle = German; SET LOCAL work_mem = ''64kB''');
\o
SELECT path, entries, digest = first_value(digest) OVER (ORDER BY n) AS same, by_plan, in_order, state FROM audit_paths.results ORDER BY n;

-- the encoder: to the byte what to_jsonb makes, where json can be jsonb
BEGIN;
SELECT max(id) AS last FROM stratum.audit_logs \gset
ALTER TABLE stratum.audit_logs ALTER new_values SET STORAGE EXTERNAL;
ALTER TABLE audit_paths.kinds ALTER u TYPE text USING NULL, ALTER au TYPE text[] USING NULL;
CREATE TABLE audit_paths.wide (LIKE audit_paths.kinds INCLUDING ALL);
SELECT stratum.audit_table('audit_paths.wide');
CREATE FUNCTION audit_paths.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO audit_paths.wide VALUES (new.*); RETURN NULL; END';
CREATE TRIGGER keep AFTER INSERT ON audit_paths.kinds FOR EACH ROW EXECUTE FUNCTION audit_paths.keep();
CALL audit_paths.work();
SELECT count(*) AS rows, count(*) FILTER (WHERE l.new_values::text = j.r::text) AS same_text, count(*) FILTER (WHERE l.new_values = j.r) AS equal,
       count(*) FILTER (WHERE length(j.r::text) > 1900 OR pg_column_size(l.new_values) = pg_column_size(j.r)) AS same_size,
       count(*) FILTER (WHERE length(j.r::text) <= 1900) AS of_these,
       count(*) FILTER (WHERE (SELECT bool_and(l.new_values -> k IS NOT DISTINCT FROM j.r -> k AND l.new_values ? k) FROM jsonb_object_keys(j.r) k)) AS same_keys
FROM audit_paths.wide whole CROSS JOIN LATERAL (SELECT to_jsonb(whole) AS r) j
  JOIN stratum.audit_logs l ON l.id > :last AND l.resource_type = 'audit_paths.wide' AND l.resource_id = whole.id::text;
ROLLBACK;

-- every index leads to every entry
BEGIN;
SELECT max(id) AS last FROM stratum.audit_logs \gset
CREATE INDEX paths_hash ON stratum.audit_logs USING hash (resource_id);
CREATE INDEX paths_brin ON stratum.audit_logs USING brin (id);
CREATE INDEX paths_gin ON stratum.audit_logs USING gin (old_values) WHERE old_values IS NOT NULL;
CREATE INDEX paths_partial ON stratum.audit_logs (user_id, id) INCLUDE (resource_id) WHERE user_id IS NOT NULL;
DO $$ BEGIN PERFORM stratum.enter(7501, 7501, 'req-2'); CALL audit_paths.work(); PERFORM stratum.leave(); CALL audit_paths.work(); END $$;
CREATE FUNCTION audit_paths.count(condition text, by_index boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  result bigint;
BEGIN
  PERFORM set_config('enable_seqscan', CASE WHEN by_index THEN 'off' ELSE 'on' END, true), set_config('enable_bitmapscan', by_index::text, true),
          set_config('enable_indexscan', by_index::text, true), set_config('enable_indexonlyscan', by_index::text, true);
  EXECUTE format('SELECT count(*) FROM stratum.audit_logs WHERE %s', condition) INTO result;
  RETURN result;
END $$;
SELECT n, audit_paths.count(condition, true) = audit_paths.count(condition, false) AS same, audit_paths.count(condition, true) > 0 AS any
FROM (VALUES (1, 'id > ' || :last), (2, 'tenant_id = 7501'), (3, 'user_id = 7501'), (4, 'user_id IS NULL'), (5, 'resource_type = ''audit_paths.kinds'' AND resource_id = ''1205'''),
             (6, 'created_at = now()'), (7, 'request_id = ''req-2'''), (8, 'resource_id = ''1206'''), (9, 'old_values @> ''{"c": 1}'''),
             (10, 'user_id = 7501 AND id > ' || :last)) c (n, condition) ORDER BY n;
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA audit_paths CASCADE;
DELETE FROM stratum.audited_tables;
RESET track_functions;
