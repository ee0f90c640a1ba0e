-- Events as they come in, against a description of the rules in plain SQL: 2,000 events at random, good ones and bad ones.
-- And what storing them must not pass over: references, triggers, defaults, a table without a key of message ids.
\set VERBOSITY default
\set SHOW_CONTEXT never
-- It takes many ids: from where no other test has put rows of its own.
SELECT e.last_value AS events_before, p.last_value AS profiles_before FROM stratum.cdp_events_id_seq e, stratum.cdp_profiles_id_seq p \gset
SELECT setval('stratum.cdp_events_id_seq', 941100000), setval('stratum.cdp_profiles_id_seq', 941100000);
INSERT INTO stratum.tenants (id, name, slug) VALUES (9411, 'Rules', 'ingest-rules');
CREATE ROLE regress_stratum_rules LOGIN IN ROLE stratum_app;
CREATE SCHEMA ingest_rules;
GRANT USAGE ON SCHEMA ingest_rules TO stratum_app;

-- ---- the rules ------------------------------------------------------------------------------------
-- What a key may hold: for each the values to choose from, mostly good ones. 'absent' is none.
CREATE TABLE ingest_rules.choices AS
SELECT key, string_to_array(good, ' or ') AS good, string_to_array(bad, ' or ') AS bad FROM (VALUES
  ('event_name', '"View" or "Purchase" or "Ünï çode ✓" or "Order Completed"', 'absent or null or "" or 5 or [] or {} or true or "LONG"'),
  ('event_type', 'absent or absent or "page" or null or "" or "track"', '5 or [] or false or "LONG"'),
  ('timestamp', '"TIME"', 'absent or null or "" or 5 or "yesterday" or "2025-02-30" or "2025-13-01T00:00:00Z" or []'),
  ('message_id', 'absent or absent or "UUID" or "UUID" or null or "" or "SAME" or "UPPER" or "BARE"', '5 or {} or "5" or "UUID-" or "-UUID" or "UUIDa" or "{UUID}" or " UUID"'),
  ('properties', 'absent or {"a": 1, "b": [1, {"c": null}]} or null or {} or ""', '[] or 5 or "x" or true'),
  ('context', 'absent or absent or {"page": "/ü"} or null', '[1] or 5 or "x"'),
  ('traits', 'absent or absent or absent or absent or {"n": 1} or {"n": 2, "x": {"y": 1}} or {"x": null} or {} or null', '[] or 5 or "x"'),
  ('canonical_id', 'absent or absent or absent or absent or absent or absent or absent or "00000000-0000-4000-8000-00009411000N" or null', '5 or "x" or []'),
  ('email', 'absent or absent or "n.N@example.com" or " N.n@Example.com " or "encrypted" or null or ""', '5 or {} or "LONG"'),
  ('email_hash', 'absent or absent or absent or absent or null or "" or "HASH" or "DIGEST"', '5 or "abc" or "HASHa" or []'),
  ('external_id', 'absent or absent or "e-N" or null or "e-N"', '5 or "LONG" or {}'),
  ('anonymous_id', 'absent or "d-N" or "d-N" or "" or "d-N"', '5 or [] or true or "LONG"'),
  ('other', 'absent', '1 or null')) AS c(key, good, bad);

-- The same numbers at each run.
CREATE FUNCTION ingest_rules.pick(n integer, what text, below integer) RETURNS integer LANGUAGE sql IMMUTABLE AS
  $$ SELECT (('x' || left(md5(what || ' ' || n), 7))::bit(28)::integer) % below $$;
CREATE TABLE ingest_rules.events AS
SELECT n, jsonb_object_agg(key, value::jsonb) FILTER (WHERE value <> 'absent') AS event
FROM (
  SELECT n, key, replace(replace(replace(replace(replace(replace(replace(replace(replace(chosen,
      'LONG', repeat('ü', ingest_rules.pick(n, 'long', 2) + CASE key WHEN 'event_type' THEN 51 ELSE 256 END)),
      'TIME', to_char(timestamp '2025-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS') || CASE n % 3 WHEN 0 THEN 'Z' WHEN 1 THEN '' ELSE '+00:00' END),
      'UUID', md5('message ' || n)::uuid::text), 'SAME', md5('message ' || n % 20)::uuid::text), 'UPPER', upper(md5('message ' || n)::uuid::text)),
      'BARE', md5('message ' || n)), 'HASH', encode(sha256(convert_to('hash ' || n % 8, 'UTF8')), 'hex')),
      'DIGEST', upper(encode(sha256(convert_to('hash ' || n % 8, 'UTF8')), 'hex'))), 'N', (n % 7)::text) AS value
  FROM (
    SELECT n, c.key, CASE WHEN ingest_rules.pick(n, c.key || ' is bad', 40) = 0 THEN c.bad[1 + ingest_rules.pick(n, c.key, cardinality(c.bad))]
                          ELSE c.good[1 + ingest_rules.pick(n, c.key, cardinality(c.good))] END AS chosen
    FROM generate_series(1, 2000) n, ingest_rules.choices c) a) b
GROUP BY n;
INSERT INTO ingest_rules.events VALUES (2001, '5'), (2002, 'null'), (2003, '[]'), (2004, '{}'), (2005, '"x"');
-- a short text whose limit counts characters, not bytes
INSERT INTO ingest_rules.events VALUES (2006, jsonb_build_object('event_name', repeat('ü', 255), 'event_type', repeat('✓', 50), 'external_id', repeat('ü', 255)));

CREATE FUNCTION ingest_rules.is_given(event jsonb, key text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(event ->> key, '') <> '' $$;
CREATE FUNCTION ingest_rules.is_wrong(event jsonb, key text, type text, pattern text, most integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT ingest_rules.is_given(event, key) AND (jsonb_typeof(event -> key) <> type OR event ->> key !~ pattern OR length(event ->> key) > most) $$;
-- What is to be said of an event, NULL where it is good.
CREATE FUNCTION ingest_rules.fault(event jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN jsonb_typeof(event) <> 'object' THEN ': it must be an object'
    WHEN event ? 'other' THEN '.other: it is no key of an event'
    WHEN NOT ingest_rules.is_given(event, 'event_name') THEN '.event_name: it is missing'
    ELSE (
      SELECT '.' || key || ': it must be ' || words
      FROM (VALUES
        (1, 'event_name', 'string', '', 'a string of at most 255 characters'), (2, 'event_type', 'string', '', 'a string of at most 50 characters'),
        (3, 'timestamp', 'string', '^2025-(0[13-9]|1[0-2]|02-[012])', 'an ISO 8601 time'), (4, 'message_id', 'string', '^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$', 'a UUID'),
        (5, 'properties', 'object', '', 'an object'), (6, 'context', 'object', '', 'an object'), (7, 'traits', 'object', '', 'an object'),
        (8, 'canonical_id', 'string', '^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$', 'a UUID'), (9, 'email', 'string', '', 'a string of at most 255 characters'),
        (10, 'email_hash', 'string', '^[0-9A-Fa-f]{64}$', '64 hexadecimal digits'), (11, 'external_id', 'string', '', 'a string of at most 255 characters'),
        (12, 'anonymous_id', 'string', '', 'a string of at most 255 characters')) AS r(place, key, type, pattern, words)
      WHERE ingest_rules.is_wrong(event, key, type, pattern, substring(words FROM 'most (\d+)')::integer)
      UNION ALL
      SELECT ': it names nobody'
      WHERE NOT ingest_rules.is_given(event, 'canonical_id') AND NOT ingest_rules.is_given(event, 'email_hash') AND NOT ingest_rules.is_given(event, 'external_id')
        AND NOT ingest_rules.is_given(event, 'anonymous_id') AND NOT coalesce(event ->> 'email', '') LIKE '%@%'
      LIMIT 1)
  END
$$;

-- What ingest_events() says of it, as the second of two.
CREATE FUNCTION ingest_rules.said(event jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM stratum.ingest_events(jsonb_build_array('{"event_name": "good", "external_id": "good"}'::jsonb, event));
  RETURN NULL;
EXCEPTION
  WHEN invalid_parameter_value THEN RETURN substr(SQLERRM, length('invalid event at $[1]') + 1);
END $$;
GRANT SELECT ON ALL TABLES IN SCHEMA ingest_rules TO stratum_app;

SET SESSION AUTHORIZATION regress_stratum_rules;
CREATE TEMP TABLE checked AS SELECT n, event, ingest_rules.fault(event) AS expected FROM ingest_rules.events;
BEGIN;
SELECT stratum.enter(9411);
CREATE TEMP TABLE answers ON COMMIT DROP AS SELECT n, ingest_rules.said(event) AS said FROM checked;
SELECT n, event, expected, said FROM checked JOIN answers USING (n) WHERE expected IS DISTINCT FROM said ORDER BY n LIMIT 5;
SELECT coalesce(said, 'good') COLLATE "C" AS what, count(*) > 0 AS tried FROM answers GROUP BY 1 ORDER BY what;
ROLLBACK;

-- ---- as SQL reads them ----------------------------------------------------------------------------
BEGIN;
SELECT stratum.enter(9411);
CREATE TEMP TABLE given ON COMMIT DROP AS SELECT row_number() OVER (ORDER BY n) - 1 AS place, event FROM checked WHERE expected IS NULL;
CREATE TEMP TABLE taken ON COMMIT DROP AS SELECT * FROM stratum.ingest_events((SELECT jsonb_agg(event ORDER BY place) FROM given));
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE outcome = 'duplicate') > 10 AS with_duplicates,
       count(*) FILTER (WHERE (e.event_name, e.event_type, e.properties, e.context, e.message_id, e.anonymous_id, e.timestamp, e.profile_id) IS DISTINCT FROM
         (g.event ->> 'event_name', coalesce(nullif(g.event ->> 'event_type', ''), 'track'), coalesce(nullif(nullif(g.event -> 'properties', 'null'), '""'), '{}'), coalesce(nullif(g.event -> 'context', 'null'), '{}'),
          nullif(g.event ->> 'message_id', '')::uuid, nullif(g.event ->> 'anonymous_id', ''), coalesce(nullif(g.event ->> 'timestamp', '')::timestamp AT TIME ZONE 'UTC', now()), t.profile_id)
         AND outcome = 'stored') AS stored_otherwise,
       count(*) FILTER (WHERE outcome = 'duplicate' AND (e.message_id IS DISTINCT FROM nullif(g.event ->> 'message_id', '')::uuid OR e.profile_id IS DISTINCT FROM t.profile_id)) AS wrong_duplicates,
       count(*) FILTER (WHERE e.id IS NULL) AS lost
FROM given g JOIN taken t USING (place) LEFT JOIN stratum.cdp_events e ON e.id = t.event_id;
-- a hash is one person's, in whatever letter case, and kept in lower case
SELECT count(*) AS hashes, count(*) FILTER (WHERE t.of_hash > 1) AS hashes_of_two, count(*) FILTER (WHERE t.in_upper_case) AS in_upper_case
FROM (SELECT lower(g.event ->> 'email_hash') AS hash, count(DISTINCT p.id) AS of_hash, bool_or(p.email_hash <> lower(p.email_hash)) AS in_upper_case
      FROM given g JOIN taken t USING (place) JOIN stratum.cdp_profiles p ON p.id = t.profile_id
      WHERE g.event ->> 'email_hash' <> '' AND coalesce(g.event ->> 'canonical_id', '') = '' AND t.outcome = 'stored' GROUP BY 1) t;
ROLLBACK;

-- ---- in one call as one by one --------------------------------------------------------------------
-- All there is of the tenant after the good ones of 700 events have come, under names that do not depend on the way; nothing of it stays.
CREATE FUNCTION pg_temp.state(at_once boolean) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  state text[];
  one record;
BEGIN
  BEGIN
    IF at_once THEN
      PERFORM FROM stratum.ingest_events((SELECT jsonb_agg(c.event ORDER BY n) FROM checked c WHERE expected IS NULL AND n <= 700));
    ELSE
      FOR one IN SELECT c.event FROM checked c WHERE expected IS NULL AND n <= 700 ORDER BY n LOOP
        PERFORM FROM stratum.ingest_event(one.event);
      END LOOP;
    END IF;
    WITH people AS (
      SELECT p.id, concat_ws('|', p.external_id, p.email, p.email_hash, p.anonymous_id, p.lifecycle_stage, p.first_seen_at, p.last_seen_at, p.traits,
               (SELECT string_agg(a.kind || a.value, ',' ORDER BY a.kind, a.value) FROM stratum.cdp_profile_aliases a WHERE a.profile_id = p.id)) AS person
      FROM stratum.cdp_profiles p)
    SELECT ARRAY[(SELECT count(*) FROM people)::text, (SELECT count(*) FROM stratum.cdp_events)::text, (SELECT md5(string_agg(person, E'\n' ORDER BY person)) FROM people),
                 (SELECT md5(string_agg(v, E'\n' ORDER BY v)) FROM (SELECT concat_ws('|', person, e.event_name, e.event_type, e.properties, e.context, e.message_id, e.anonymous_id, e.timestamp) AS v
                                                                  FROM stratum.cdp_events e JOIN people ON people.id = e.profile_id) x)]
    INTO state;
    RAISE assert_failure;
  EXCEPTION WHEN assert_failure THEN
    RETURN state;
  END;
END $$;
-- an event without a time is of now, later than the others: what it says of traits would win in one call, not one by one
DELETE FROM checked WHERE coalesce(event ->> 'timestamp', '') = '' AND event ? 'traits';
BEGIN;
SELECT stratum.enter(9411);
CREATE TEMP TABLE states ON COMMIT DROP AS SELECT pg_temp.state(true) AS at_once, pg_temp.state(false) AS one_by_one;
SELECT at_once = one_by_one AS same, at_once[1]::integer > 5 AS people, at_once[2]::integer > 300 AS events FROM states;
SELECT * FROM states WHERE at_once <> one_by_one;
COMMIT;

-- ---- references, triggers and defaults ------------------------------------------------------------
RESET SESSION AUTHORIZATION;
-- a user's own column, its default, its reference and its triggers
BEGIN;
CREATE TABLE ingest_rules.sources (id integer PRIMARY KEY);
INSERT INTO ingest_rules.sources VALUES (1);
CREATE FUNCTION ingest_rules.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    INSERT INTO ingest_rules.notes VALUES ('row ' || NEW.event_name);
  ELSE
    INSERT INTO ingest_rules.notes SELECT 'statement of ' || count(*) FROM new_events;
  END IF;
  RETURN NULL;
END $$;
CREATE TABLE ingest_rules.notes (note text);
ALTER TABLE stratum.cdp_events ADD COLUMN source integer DEFAULT 1 REFERENCES ingest_rules.sources;
CREATE TRIGGER note_row AFTER INSERT ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION ingest_rules.note();
CREATE TRIGGER note_statement AFTER INSERT ON stratum.cdp_events REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION ingest_rules.note();
SELECT stratum.enter(9411);
SELECT place, outcome FROM stratum.ingest_events('[{"event_name": "a", "external_id": "x"}, {"event_name": "b", "external_id": "y"}]');
SELECT event_name, source FROM stratum.cdp_events WHERE tenant_id = 9411 ORDER BY id;
SELECT note FROM ingest_rules.notes ORDER BY 1;
SAVEPOINT s;
ALTER TABLE stratum.cdp_events ALTER COLUMN source SET DEFAULT 2;
\set VERBOSITY terse
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x"}');
ROLLBACK TO s;
-- a trigger that leads the event to nobody: PostgreSQL's own check finds it
CREATE FUNCTION ingest_rules.mislead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.profile_id := 0; RETURN NEW; END $$;
CREATE TRIGGER mislead BEFORE INSERT ON stratum.cdp_events FOR EACH ROW EXECUTE FUNCTION ingest_rules.mislead();
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x"}');
ROLLBACK TO s;
-- a default that deletes the profile while its event is being stored
CREATE FUNCTION ingest_rules.forget() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM stratum.cdp_profiles WHERE external_id = 'z'; RETURN 1; END $$;
ALTER TABLE stratum.cdp_events ALTER COLUMN source SET DEFAULT ingest_rules.forget();
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "z"}');
ROLLBACK TO s;
-- a reference that is checked at the end of the transaction
ALTER TABLE stratum.cdp_events ALTER CONSTRAINT cdp_events_tenant_id_profile_id_fkey DEFERRABLE INITIALLY DEFERRED;
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x"}');
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
-- live segments follow, and an audit of inserted events, where somebody wants one
BEGIN;
SELECT stratum.enter(9411);
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (94111, 9411, 'twice', '{"conditions": [{"field": "event.a.count", "operator": "gte", "value": 2}]}');
SELECT stratum.set_segment_options(94111, is_live => true);
SELECT stratum._audit_stratum_table('cdp_events', 'insert,update,delete,truncate');
SELECT outcome FROM stratum.ingest_events('[{"event_name": "a", "external_id": "x"}, {"event_name": "a", "external_id": "y"}, {"event_name": "a", "external_id": "x"}]');
SELECT stratum.settle_segments();
SELECT p.external_id FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_profiles p ON p.id = m.profile_id WHERE m.segment_id = 94111;
SELECT action, count(*) FROM stratum.audit_logs WHERE tenant_id = 9411 AND resource_type = 'cdp_events' GROUP BY 1;
ROLLBACK;
-- a viewer stores nothing
BEGIN;
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role) VALUES (94111, 9411, 'viewer@rules.test', 'x', 'viewer');
SET LOCAL SESSION AUTHORIZATION regress_stratum_rules;
SELECT stratum.enter(9411, 94111);
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x"}');
ROLLBACK;

-- ---- a table without a key of message ids ---------------------------------------------------------
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE stratum.cdp_events DROP CONSTRAINT IF EXISTS cdp_events_message_id_key, DROP CONSTRAINT IF EXISTS cdp_events_tenant_id_message_id_key;
SELECT stratum.enter(9411);
SELECT place, outcome, event_id = first_value(event_id) OVER (ORDER BY place) AS as_first FROM stratum.ingest_events('[
  {"event_name": "a", "external_id": "x", "message_id": "94110000-0000-4000-8000-000000000001"}, {"event_name": "b", "external_id": "y", "message_id": "94110000-0000-4000-8000-000000000001"},
  {"event_name": "c", "external_id": "x"}, {"event_name": "d", "external_id": "x", "message_id": "94110000-0000-4000-8000-000000000002"}, {"event_name": "e", "external_id": "x"}]');
SELECT place, outcome FROM stratum.ingest_events('[
  {"event_name": "f", "external_id": "x", "message_id": "94110000-0000-4000-8000-000000000002"}, {"event_name": "g", "external_id": "y", "message_id": "94110000-0000-4000-8000-000000000003"}]');
SELECT event_name FROM stratum.cdp_events WHERE tenant_id = 9411 ORDER BY id;
SET LOCAL SESSION AUTHORIZATION regress_stratum_rules;
CREATE TEMP TABLE states ON COMMIT DROP AS SELECT pg_temp.state(true) AS at_once, pg_temp.state(false) AS one_by_one;
SELECT at_once = one_by_one AS same, at_once[1]::integer > 5 AS people, at_once[2]::integer > 300 AS events FROM states;
ROLLBACK;

-- A profile that an event tells nothing new of is left alone.
BEGIN;
SELECT stratum.enter(9411);
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x", "timestamp": "2025-01-05", "traits": {"a": {"b": 1, "c": 2}}}');
SELECT ctid AS version FROM stratum.cdp_profiles WHERE external_id = 'x' AND tenant_id = 9411 \gset
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x", "timestamp": "2025-01-05", "traits": {"a": {"b": 1, "c": 2}}}');
SELECT ctid = :'version' AS left_alone FROM stratum.cdp_profiles WHERE external_id = 'x' AND tenant_id = 9411;
SELECT outcome FROM stratum.ingest_event('{"event_name": "a", "external_id": "x", "timestamp": "2025-01-05", "traits": {"a": {"b": 1}}}');
SELECT traits FROM stratum.cdp_profiles WHERE external_id = 'x' AND tenant_id = 9411;
ROLLBACK;
SELECT reloptions AS profiles_have_room FROM pg_class WHERE oid = 'stratum.cdp_profiles'::regclass;

DELETE FROM stratum.cdp_events WHERE tenant_id = 9411;
DELETE FROM stratum.cdp_profiles WHERE tenant_id = 9411;
SELECT setval('stratum.cdp_events_id_seq', :events_before), setval('stratum.cdp_profiles_id_seq', :profiles_before) \g /dev/null
SET client_min_messages = warning;
DROP SCHEMA ingest_rules CASCADE;
RESET client_min_messages;
DROP OWNED BY regress_stratum_rules;
DROP ROLE regress_stratum_rules;
