-- Calls of every function of schema stratum with random arguments of the right types. After database.sql.

-- Expressions by type; those of "any" may be any of them.
CREATE TABLE fuzz.pool (type text NOT NULL, expression text NOT NULL);

INSERT INTO fuzz.pool SELECT 'int8', unnest('{0,1,2,3,7,100,-1,2147483647,2147483648,-2147483649,9223372036854775807,-9223372036854775808,999999}'::text[]);
INSERT INTO fuzz.pool SELECT 'int4', unnest('{0,1,2,10,-1,2147483647,-2147483648}'::text[]);
INSERT INTO fuzz.pool SELECT 'int2', unnest('{0,1,-1,32767,-32768}'::text[]);
INSERT INTO fuzz.pool SELECT 'oid', unnest('{0,1,1259,4294967295}'::text[]);
INSERT INTO fuzz.pool SELECT 'float8', unnest('{0,-0.0,40,70,100.5,-1,1e308,-1e308,5e-324,NaN,Infinity,-Infinity}'::text[]);
INSERT INTO fuzz.pool SELECT 'numeric', unnest('{0,1,-1.5,NaN,Infinity,-Infinity,1e1000,1e-1000,9223372036854775808}'::text[]);
INSERT INTO fuzz.pool SELECT 'bool', unnest('{true,false}'::text[]);
INSERT INTO fuzz.pool SELECT 'timestamptz', unnest('{now,2024-02-29,infinity,-infinity,epoch,4713-01-01 BC,294276-12-31 23:59:59.999999,0001-01-01 00:00:00 BC,2999-01-01}'::text[]);
INSERT INTO fuzz.pool SELECT 'interval', unnest('{0,1 second,5 minutes,-1 hour,178000000 years,-178000000 years,2147483647 days,1 month -30 days,0.000001 s}'::text[]);
INSERT INTO fuzz.pool SELECT 'inet', unnest('{127.0.0.1,::1,10.0.0.0/8,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128,0.0.0.0/0}'::text[]);
INSERT INTO fuzz.pool SELECT 'uuid', unnest('{00000000-0000-0000-0000-000000000001,ffffffff-ffff-ffff-ffff-ffffffffffff}'::text[]);
INSERT INTO fuzz.pool SELECT 'regclass', unnest('{stratum.campaigns,stratum.cdp_profiles,stratum.audit_logs,stratum.users,fuzz.notes,fuzz.partitioned,fuzz.notes_view,fuzz.notes_pkey,fuzz.notes_id_seq,pg_catalog.pg_class,0,4294967295}'::text[]);
INSERT INTO fuzz.pool SELECT 'regprocedure', unnest('{stratum.version(),"pg_catalog.length(text)",0,4294967295}'::text[]);
INSERT INTO fuzz.pool SELECT 'bytea', unnest('{"","\\\\x00","\\\\xff","\\\\x6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b"}'::text[]);
INSERT INTO fuzz.pool SELECT 'text', unnest(ARRAY['', ' ', 'x', 'profile', 'campaign', 'meta', 'google', 'email', 'phone', 'north', 'south', 'k1', 'test', '1', '-1', '[1]', '{}', '{"id": 1}', 'null',
  'login', 'create', 'rich', '1e400', 'NaN', '2024-02-29', 'infinity', '*/5 * * * *', '@daily', '90 minutes', '0 0 30 2 *', '* * * * * *', '59 23 31 12 7', 'Test@Example.COM', ' a@b ', '+49 (30) 123', '00', E'a\nb\tc',
  E'\u0001', 'é', '日本', '😀', '%s%n%d', '%', '"', '''', '\', '$$', ';', '--', repeat('x', 63), repeat('é', 64), repeat('ab', 5000), repeat('{', 5000), 'pass', 'pause_all', 'increase_budget', 'stratum.campaigns', 'fuzz.notes',
  'campaigns', 'insert,update', 'insert', 'a.b.c', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA', '..', 'pg_catalog', 'stratum_app', 'public', 'id', 'tenant_id', 'traits', 'properties', 'worker', '1_000', '0x10', '00000000-0000-0000-0000-000000000001']);
INSERT INTO fuzz.pool SELECT 'jsonb', unnest(ARRAY['null', 'true', '0', '-0.0', '1e1000', '"x"', '""', '[]', '{}', '[null]', '[[]]', '[{}]', '{"": ""}', '{"a": null}', '{"conditions": []}', '{"logic": "not"}', '{"conditions": null, "groups": null}',
  '{"conditions": [{"field": "trait.a", "operator": "equals", "value": 5}]}', '{"conditions": [{"field": "event.A.count", "operator": "gte", "value": 1}]}', '{"conditions": [{"field": "segment.rich", "operator": "equals", "value": true}]}',
  '{"conditions": [{"field": "spend", "operator": "gte", "value": 1}]}', '{"logic": "or", "conditions": [{"field": "trait.a", "operator": "matches", "value": "^a"}, {"field": "profile.created_at", "operator": "within_last", "value": 1e9}]}',
  '{"conditions": [{"sequence": [{"event": "A"}, {"event": "B", "within_days": 7}]}]}', '{"conditions": [{"field": "trait.a"}]}', '[{"type": "pause_campaign"}]', '[{"type": "adjust_budget", "percent": -100}]', '[{"type": "adjust_budget", "percent": 1e308}]',
  '[{"type": "apply_label", "label": ""}]', '{"event_name": "A"}', '[{"event_name": "A", "email": "x@y.z", "properties": {"p": 1}}, {"event_name": "A", "email": "x@y.z", "message_id": "00000000-0000-0000-0000-000000000001"}]',
  '{"event_name": "A", "anonymous_id": "q", "timestamp": "0001-01-01", "traits": {"a": [1]}}', '{"tenant_id": 1, "id": 1}', '{"id": "x", "tenant_id": [], "email": {}}', '{"é": "😀"}', '{"id": 1, "name": null, "created_at": "infinity"}', '[1, 2, 3]', '["a", "b"]',
  (SELECT jsonb_agg(g)::text FROM generate_series(1, 2000) g), (SELECT jsonb_object_agg('k' || g, repeat('v', g))::text FROM generate_series(1, 300) g), repeat('[', 5000) || repeat(']', 5000), repeat('{"groups": [', 70) || repeat(']}', 70)]);
UPDATE fuzz.pool SET expression = format('%L::%s', expression, type);
-- too long to be written into each statement
INSERT INTO fuzz.pool VALUES ('text', $$repeat('x', 1000000)$$), ('text', $$repeat('é@', 100000)$$), ('jsonb', $$to_jsonb(repeat('x', 1000000))$$), ('jsonb', $$(SELECT jsonb_agg(g::text) FROM generate_series(1, 30000) g)$$),
  ('text', $$fuzz.token('{"alg": "HS256", "kid": "k1"}', '{"tenant_id": 1, "user_id": null, "aud": "test", "exp": 9999999999}')$$), ('bytea', $$convert_to(repeat('x', 1000000), 'UTF8')$$);
INSERT INTO fuzz.pool SELECT 'anyelement', unnest(ARRAY['(SELECT p FROM stratum.cdp_profiles p WHERE id = 1)', '(SELECT p FROM stratum.cdp_profiles p WHERE id = 2)', '(SELECT c FROM stratum.campaigns c WHERE id = 1)', '(SELECT n FROM fuzz.notes n LIMIT 1)', 'NULL::stratum.cdp_profiles',
  'NULL::stratum.campaigns', 'NULL::jsonb', '5', '''x''::text', 'ROW(1, ''x'')', 'ROW()', '(SELECT q FROM (SELECT ''{}''::jsonb AS traits, 1 AS id, 1::bigint AS tenant_id) q)', '(SELECT q FROM (SELECT ''x''::text AS traits, ''a''::text AS id, now() AS email) q)',
  '''{1,2}''::int[]', 'NULL::fuzz.notes', '''{"a": 5}''::jsonb', '(SELECT s FROM stratum.cdp_segments s LIMIT 1)']);

CREATE TABLE fuzz.notes (id serial PRIMARY KEY, tenant_id int DEFAULT stratum.current_tenant_id(), body text, gone int, "odd ""name" jsonb);
ALTER TABLE fuzz.notes DROP COLUMN gone;
INSERT INTO fuzz.notes (tenant_id, body) VALUES (1, 'hush');
CREATE TABLE fuzz.partitioned (id int, at date) PARTITION BY RANGE (at);
CREATE VIEW fuzz.notes_view AS SELECT * FROM fuzz.notes;

CREATE FUNCTION fuzz.value(type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wanted text := type;
  element text;
BEGIN
  IF wanted = 'any' THEN
    SELECT p.type INTO wanted FROM fuzz.pool p WHERE p.type NOT LIKE 'any%' ORDER BY random() LIMIT 1;
  END IF;
  IF random() < 0.06 THEN
    RETURN format('NULL::%s', CASE wanted WHEN 'anyelement' THEN 'stratum.cdp_profiles' ELSE wanted END);
  ELSIF wanted LIKE '\_%' THEN
    SELECT string_agg(fuzz.value(substr(wanted, 2)), ', ') INTO element FROM generate_series(1, (random() * 4)::int);
    RETURN format('ARRAY[%s]::%s[]', element, substr(wanted, 2));
  END IF;
  RETURN coalesce((SELECT p.expression FROM fuzz.pool p WHERE p.type = wanted ORDER BY random() LIMIT 1), format('NULL::%s', wanted));
END $$;

-- A call of a function. The last arguments that have defaults are sometimes left away; a VARIADIC "any" gets a few.
CREATE FUNCTION fuzz.call(function oid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  p pg_proc := (SELECT p FROM pg_proc p WHERE p.oid = function);
  given int := p.pronargs - (random() * p.pronargdefaults)::int;
  arguments text;
BEGIN
  SELECT string_agg(fuzz.value(t.typname), ', ' ORDER BY a.place) INTO arguments
  FROM unnest(p.proargtypes) WITH ORDINALITY AS a(type, place) JOIN pg_type t ON t.oid = a.type WHERE a.place <= given;
  IF p.provariadic = '"any"'::regtype THEN
    arguments := arguments || ', ' || fuzz.value('any') || ', ' || fuzz.value('any');
  END IF;
  RETURN format(CASE p.prokind WHEN 'p' THEN 'CALL %I.%I(%s)' ELSE 'SELECT * FROM %I.%I(%s)' END, 'stratum', p.proname, coalesce(arguments, ''));
END $$;

-- Those that can be called from SQL: public ones, and internal ones that a member of stratum_app may call. Left away: what
-- install() and its parts do to the storage, which is not to be called by itself.
CREATE FUNCTION fuzz.functions(internal_too boolean) RETURNS SETOF oid LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT p.oid FROM pg_proc p
  WHERE p.pronamespace = 'stratum'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'internal'::regtype, 'event_trigger'::regtype)
    AND (p.proname NOT LIKE '\_%' OR internal_too AND has_function_privilege('stratum_app', p.oid, 'EXECUTE'))
  ORDER BY p.oid::regprocedure::text COLLATE "C";
END $$;
