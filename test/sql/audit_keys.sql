-- Keys that are no plain columns: deferrable ones, jsonb, arrays, composite types, times, types of others, domains.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9521, 'Keys', 'keys');
CREATE SCHEMA audit_keys;
CREATE VIEW audit_keys.log AS
  SELECT l.id, l.action::text, l.resource_type::text, l.resource_id::text, l.old_values, l.new_values, l.metadata
  FROM stratum.audit_logs l WHERE l.resource_type LIKE 'audit\_keys.%';
-- what the trail has of each row by its last entry, and the row itself
CREATE FUNCTION audit_keys.told(of regclass) RETURNS TABLE (resource_id text, action text, row_after jsonb, is_now boolean, was jsonb)
  LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
    SELECT DISTINCT ON (l.resource_id COLLATE "C") l.resource_id, h.action, h.row_after, h.row_after = stratum.row_as_of(of, l.resource_id, 'infinity'),
           stratum.row_as_of(of, l.resource_id, '-infinity')
    FROM audit_keys.log l CROSS JOIN LATERAL stratum.row_history(of, l.resource_id) h
    WHERE l.resource_type = of::text ORDER BY l.resource_id COLLATE "C", h.audit_id DESC;
END $$;

-- ---- a primary key that is checked at the end of the transaction ----
CREATE TABLE audit_keys.late (id integer PRIMARY KEY DEFERRABLE, v text);
SELECT stratum.audit_table('audit_keys.late');
INSERT INTO audit_keys.late VALUES (1, 'a');
UPDATE audit_keys.late SET v = 'b';
UPDATE audit_keys.late SET id = 2;
SELECT action, resource_id, metadata FROM audit_keys.log WHERE resource_type = 'audit_keys.late' ORDER BY id;
SELECT action, row_after FROM stratum.row_history('audit_keys.late', '2');
CREATE TABLE audit_keys.late_parts (id integer, v text, PRIMARY KEY (v, id) DEFERRABLE INITIALLY DEFERRED) PARTITION BY RANGE (id);
CREATE TABLE audit_keys.late_part PARTITION OF audit_keys.late_parts DEFAULT;
SELECT stratum.audit_table('audit_keys.late_parts');
INSERT INTO audit_keys.late_parts VALUES (1, 'a');
SELECT action, resource_id FROM audit_keys.log WHERE resource_type = 'audit_keys.late_parts';

-- ---- jsonb: the text of the value, in which a string is not a number; most rows were there before ----
CREATE DOMAIN audit_keys.json_key AS jsonb;
CREATE TABLE audit_keys.json (k audit_keys.json_key PRIMARY KEY, v text);
INSERT INTO audit_keys.json VALUES ('"1"', 'string'), ('1', 'number'), ('{"a": "x"}', 'object'), ('null', 'null'), ('"x y"', 'words');
SELECT stratum.audit_table('audit_keys.json');
UPDATE audit_keys.json SET v = v || '!';
SELECT * FROM audit_keys.told('audit_keys.json');
SELECT stratum.revert_row('audit_keys.json', '"1"', '-infinity');
DELETE FROM audit_keys.json WHERE k = '"x y"';
SELECT stratum.revert_row('audit_keys.json', '"x y"', '-infinity');

-- ---- arrays and composite types, alone and among others ----
CREATE TYPE audit_keys.pair AS (a integer, b text);
CREATE TABLE audit_keys.lists (k text[] PRIMARY KEY, v text);
CREATE TABLE audit_keys.pairs (k audit_keys.pair PRIMARY KEY, v text);
CREATE TABLE audit_keys.many (j jsonb, l integer[], p audit_keys.pair, t text, v text, PRIMARY KEY (t, p, l, j));
INSERT INTO audit_keys.lists VALUES ('{a,"b c"}', 'x'), ('{}', 'x');
INSERT INTO audit_keys.pairs VALUES ('(1,"x ""y""")', 'x');
INSERT INTO audit_keys.many VALUES ('"1"', '{1,2}', '(3,z)', 'w', 'x'), ('1', '{1,2}', '(3,z)', 'w', 'x');
SELECT stratum.audit_table('audit_keys.lists'), stratum.audit_table('audit_keys.pairs'), stratum.audit_table('audit_keys.many');
UPDATE audit_keys.lists SET v = 'y';
UPDATE audit_keys.pairs SET v = 'y';
UPDATE audit_keys.many SET v = 'y';
SELECT * FROM audit_keys.told('audit_keys.lists');
SELECT * FROM audit_keys.told('audit_keys.pairs');
SELECT * FROM audit_keys.told('audit_keys.many');
SELECT stratum.revert_row('audit_keys.lists', '["a", "b c"]', '-infinity');
SELECT stratum.revert_row('audit_keys.pairs', '{"a": 1, "b": "x \"y\""}', '-infinity');
DELETE FROM audit_keys.many;
SELECT stratum.revert_row('audit_keys.many', '["w", {"a": 3, "b": "z"}, [1, 2], "1"]', '-infinity');
SELECT stratum.row_as_of('audit_keys.lists', '{a}', now()), stratum.row_as_of('audit_keys.lists', '[1, ', now()), stratum.row_as_of('audit_keys.lists', '7', now());

-- ---- times, wherever in a key, are in UTC ----
CREATE TABLE audit_keys.times (r tstzrange, l timestamptz[], m tstzmultirange, at timestamptz, v integer, PRIMARY KEY (r, l, m, at));
SELECT stratum.audit_table('audit_keys.times');
SET timezone = 'Asia/Tokyo';
INSERT INTO audit_keys.times VALUES ('[2026-01-01 00:00+00,2026-01-02 00:00+00)', '{2026-01-01 00:00+00}', '{[2026-01-01 00:00+00,)}', '2026-01-01 00:00+00', 1);
SET timezone = 'America/New_York';
UPDATE audit_keys.times SET v = 2;
SHOW timezone;
SET timezone = 'UTC';
UPDATE audit_keys.times SET v = 3;
RESET timezone;
SELECT action, resource_id, new_values AS new FROM audit_keys.log WHERE resource_type = 'audit_keys.times' AND action = 'update' ORDER BY id;
SELECT count(DISTINCT resource_id), count(*) FROM audit_keys.log WHERE resource_type = 'audit_keys.times';

-- ---- a type of somebody's, whose equality is in no path; and is not that of the text ----
SET client_min_messages = warning;
CREATE TYPE audit_keys.number;
CREATE FUNCTION audit_keys.number_in(cstring) RETURNS audit_keys.number LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION audit_keys.number_out(audit_keys.number) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE audit_keys.number (INPUT = audit_keys.number_in, OUTPUT = audit_keys.number_out, LIKE = integer);
CREATE FUNCTION audit_keys.number_eq(audit_keys.number, audit_keys.number) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION audit_keys.number_cmp(audit_keys.number, audit_keys.number) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR audit_keys.= (LEFTARG = audit_keys.number, RIGHTARG = audit_keys.number, FUNCTION = audit_keys.number_eq);
CREATE OPERATOR CLASS audit_keys.number_ops DEFAULT FOR TYPE audit_keys.number USING btree AS OPERATOR 3 audit_keys.=, FUNCTION 1 audit_keys.number_cmp(audit_keys.number, audit_keys.number);
RESET client_min_messages;
CREATE TABLE audit_keys.numbers (k audit_keys.number PRIMARY KEY, v text);
INSERT INTO audit_keys.numbers VALUES ('7', 'x'), ('8', 'x');
SELECT stratum.audit_table('audit_keys.numbers');
UPDATE audit_keys.numbers SET v = 'y' WHERE k OPERATOR(audit_keys.=) '7';
SELECT * FROM audit_keys.told('audit_keys.numbers');
SELECT stratum.row_as_of('audit_keys.numbers', '8', now()) AS there, stratum.row_as_of('audit_keys.numbers', '08', now()) AS no_such_key;
SELECT stratum.revert_row('audit_keys.numbers', '7', '-infinity');

-- ---- a column of a domain that no NULL gets into is not in the way of other columns ----
CREATE DOMAIN audit_keys.filled AS text NOT NULL CHECK (value <> '');
CREATE TABLE audit_keys.domains (id integer PRIMARY KEY, n audit_keys.filled, v numeric(10, 2), s audit_keys.filled, d jsonb);
SELECT stratum.audit_table('audit_keys.domains', redact => '{s}');
INSERT INTO audit_keys.domains VALUES (1, 'x', 1, 'secret', 'null'), (2, 'x', 2, 'secret', NULL);
CREATE TABLE audit_keys.then AS SELECT clock_timestamp() AS at;
UPDATE audit_keys.domains SET v = 7, d = '{}';
SELECT stratum.revert_row('audit_keys.domains', '1', (SELECT at FROM audit_keys.then)), stratum.revert_row('audit_keys.domains', '2', (SELECT at FROM audit_keys.then));
SELECT id, n, v, s, d, d IS NULL AS is_null FROM audit_keys.domains ORDER BY id;
ALTER TABLE audit_keys.domains ALTER s SET DEFAULT 'anew';
DELETE FROM audit_keys.domains WHERE id = 1;
SELECT stratum.revert_row('audit_keys.domains', '1', (SELECT at FROM audit_keys.then));

SELECT count(*) FROM stratum.verify_audit(NULL);
SELECT stratum.unaudit_table(t.table_name::regclass) FROM stratum.audited_tables t WHERE t.table_name LIKE 'audit\_keys.%';
SET client_min_messages = warning;
DROP SCHEMA audit_keys CASCADE;
