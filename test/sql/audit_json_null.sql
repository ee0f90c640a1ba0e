-- JSON null and SQL NULL both read null in old_values and new_values, and metadata tells them apart: every version of every
-- row, of 24 columns of jsonb, can be told from its entries.
\set VERBOSITY terse
CREATE SCHEMA audit_null;
CREATE DOMAIN audit_null.bag AS jsonb;
DO $$ BEGIN
  EXECUTE 'CREATE TABLE audit_null.bags (id integer PRIMARY KEY, ' || (SELECT string_agg(format('c%s %s', n, CASE WHEN n % 8 = 0 THEN 'audit_null.bag' ELSE 'jsonb' END), ', ') FROM generate_series(1, 24) n) || ')';
END $$;
SELECT stratum.audit_table('audit_null.bags');
-- what each version was: the columns' own texts, which are NULL for SQL's
CREATE TABLE audit_null.versions (n bigserial, id integer, columns jsonb);
CREATE FUNCTION audit_null.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'INSERT INTO audit_null.versions (id, columns) SELECT ($1).id, jsonb_build_object('
    || (SELECT string_agg(format('''c%1$s'', coalesce(($1).c%1$s::text, ''SQL'')', n), ', ') FROM generate_series(1, 24) n) || ')' USING new;
  RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER INSERT OR UPDATE ON audit_null.bags FOR EACH ROW EXECUTE FUNCTION audit_null.keep();
SELECT setseed(0.7);
CREATE FUNCTION audit_null.any_value() RETURNS jsonb LANGUAGE sql VOLATILE AS $$ SELECT (ARRAY[NULL, NULL, 'null', 'null', '{}', '"null"', 'true', '{"a": null}', '[null]']::jsonb[])[1 + floor(random() * 9)::integer] $$;
DO $$
DECLARE
  set_all text := (SELECT string_agg(format('c%s = audit_null.any_value()', n), ', ') FROM generate_series(1, 24) n);
BEGIN
  EXECUTE 'INSERT INTO audit_null.bags SELECT i, ' || (SELECT string_agg('audit_null.any_value()', ', ') FROM generate_series(1, 24)) || ' FROM generate_series(1, 50) i';
  FOR round IN 1 .. 5 LOOP
    EXECUTE 'UPDATE audit_null.bags SET ' || set_all;
    UPDATE audit_null.bags SET c1 = CASE WHEN c1 IS NULL THEN 'null'::jsonb END, c8 = CASE WHEN c8 IS NULL THEN 'null'::audit_null.bag END;
  END LOOP;
END $$;
-- each entry on top of those before it
CREATE FUNCTION audit_null.texts(object jsonb, nulls jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_object_agg(key, CASE WHEN value <> 'null' OR nulls ? key THEN value::text ELSE 'SQL' END) FROM jsonb_each(object) WHERE key <> 'id'
$$;
CREATE TABLE audit_null.told AS
WITH RECURSIVE entries AS (
  SELECT resource_id::integer AS id, row_number() OVER (PARTITION BY resource_id ORDER BY id) AS n,
         audit_null.texts(new_values, metadata -> 'json_null' -> 'new') AS became, audit_null.texts(old_values, metadata -> 'json_null' -> 'old') AS was
  FROM stratum.audit_logs WHERE resource_type = 'audit_null.bags'
), told AS (
  SELECT id, n, became AS columns, true AS fits FROM entries WHERE n = 1
  UNION ALL
  SELECT e.id, e.n, t.columns || e.became, t.columns @> e.was FROM told t JOIN entries e ON e.id = t.id AND e.n = t.n + 1
)
SELECT * FROM told;
SELECT count(*) AS versions, count(*) FILTER (WHERE t.columns = v.columns) AS told_right, bool_and(t.fits) AS old_values_fit,
       sum((SELECT count(*) FROM jsonb_each_text(v.columns) WHERE value = 'SQL')) > 1000 AS many_of_sql,
       sum((SELECT count(*) FROM jsonb_each_text(v.columns) WHERE value = 'null')) > 1000 AS many_of_json
FROM (SELECT id, columns, row_number() OVER (PARTITION BY id ORDER BY n) AS n FROM audit_null.versions) v FULL JOIN audit_null.told t USING (id, n);
-- what it looks like; with a key that changes, a redacted column, and what is deleted
UPDATE audit_null.bags SET c2 = NULL, c3 = 'null' WHERE id = 1;
UPDATE audit_null.bags SET id = 100, c2 = 'null', c3 = NULL WHERE id = 1;
SELECT old_values, new_values, metadata FROM stratum.audit_logs WHERE resource_id = '100' AND resource_type = 'audit_null.bags';
SELECT stratum.audit_table('audit_null.bags', redact => '{c2}');
DELETE FROM audit_null.bags WHERE id = 100;
SELECT old_values ->> 'c2' AS c2, metadata -> 'json_null' ? 'new' AS new, metadata -> 'json_null' -> 'old' ? 'c2' AS redacted
FROM stratum.audit_logs WHERE resource_id = '100' AND resource_type = 'audit_null.bags' AND action = 'delete';
-- put back, also from nothing, each version is what it was, and nothing is written where nothing differs
CREATE TABLE audit_null.kept (id integer PRIMARY KEY, tag text, j json);
DO $$ BEGIN
  EXECUTE 'ALTER TABLE audit_null.kept ' || (SELECT string_agg(format('ADD c%s %s', n, CASE WHEN n % 8 = 0 THEN 'audit_null.bag' ELSE 'jsonb' END), ', ') FROM generate_series(1, 24) n);
END $$;
SELECT stratum.audit_table('audit_null.kept');
CREATE TABLE audit_null.moments (n integer, at timestamptz, id integer, columns jsonb);
CREATE FUNCTION audit_null.columns_of(key integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  result jsonb;
BEGIN
  EXECUTE 'SELECT jsonb_build_object(''tag'', tag, ' || (SELECT string_agg(format('''c%1$s'', coalesce(c%1$s::text, ''SQL'')', n), ', ') FROM generate_series(1, 24) n)
    || ') FROM audit_null.kept WHERE id = $1' INTO result USING key;
  RETURN result;
END $$;
CREATE PROCEDURE audit_null.live() LANGUAGE plpgsql AS $$
DECLARE
  changes text;
BEGIN
  EXECUTE 'INSERT INTO audit_null.kept SELECT i, NULL, NULL, ' || (SELECT string_agg('audit_null.any_value()', ', ') FROM generate_series(1, 24)) || ' FROM generate_series(1, 12) i';
  FOR round IN 1 .. 6 LOOP
    COMMIT;
    INSERT INTO audit_null.moments SELECT round, clock_timestamp(), id, audit_null.columns_of(id) FROM audit_null.kept;
    COMMIT;
    changes := (SELECT string_agg(format('c%s = audit_null.any_value()', n), ', ') FROM generate_series(1, 24) n WHERE random() < 0.4 OR n = round);
    EXECUTE 'UPDATE audit_null.kept SET tag = concat(tag, ''b''), j = ''null'', ' || changes;
  END LOOP;
END $$;
CALL audit_null.live();
CREATE TABLE audit_null.outcome (n integer, id integer, is_right boolean, entries bigint);
CREATE PROCEDURE audit_null.put_back() LANGUAGE plpgsql AS $$
DECLARE
  m record;
  before bigint;
BEGIN
  FOR m IN SELECT * FROM audit_null.moments ORDER BY random() LOOP
    IF m.id % 4 = 0 THEN
      DELETE FROM audit_null.kept WHERE id = m.id;
      COMMIT;
    END IF;
    PERFORM stratum.revert_row('audit_null.kept', m.id::text, m.at);
    COMMIT;
    before := (SELECT count(*) FROM stratum.audit_logs);
    PERFORM stratum.revert_row('audit_null.kept', m.id::text, m.at);
    INSERT INTO audit_null.outcome VALUES (m.n, m.id, audit_null.columns_of(m.id) = m.columns, (SELECT count(*) FROM stratum.audit_logs) - before);
    COMMIT;
  END LOOP;
END $$;
CALL audit_null.put_back();
SELECT count(*) AS reverted, count(*) FILTER (WHERE is_right) AS right, sum(entries) AS written_twice FROM audit_null.outcome;
-- a row that was there before the trail; a column that the trail has no entry of stays
CREATE TABLE audit_null.late (id integer PRIMARY KEY, a jsonb, b jsonb, v integer);
INSERT INTO audit_null.late VALUES (1, 'null', NULL, 1);
SELECT stratum.audit_table('audit_null.late');
SELECT clock_timestamp() AS at \gset
UPDATE audit_null.late SET v = 2;
SELECT stratum.revert_row('audit_null.late', '1', :'at');
SELECT a::text, b::text, v FROM audit_null.late;
UPDATE audit_null.late SET a = NULL, b = 'null';
SELECT stratum.revert_row('audit_null.late', '1', :'at');
SELECT a::text, b::text, v FROM audit_null.late;
DELETE FROM audit_null.late;
SELECT stratum.revert_row('audit_null.late', '1', :'at');
SELECT a::text, b::text, v FROM audit_null.late;
SET client_min_messages = warning;
DROP SCHEMA audit_null CASCADE;
DELETE FROM stratum.audited_tables;
