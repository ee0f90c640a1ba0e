-- Events as a collector delivers them: 10 calls with 1,000 events each, to tenant 7: of 200 persons that it knows, or of 500 that it does not.
--
--   insert         a plain INSERT of finished rows, whose profiles are known; no look-up, no profile is touched. For new persons, of
--                  finished profiles too
--   sql            what one would write: profiles for those whose external_id there is none of, look-up by external_id, INSERT ... ON CONFLICT,
--                  last_seen_at of the profiles
--   ingest_events  stratum.ingest_events(): each event checked, four kinds of names, stage and traits too
--
-- Fair: the events are made before, and each run is rolled back, so all of them store the same number in the same tables. Each is a
-- transaction of its own, as deliveries are, so that what the one before it left can be cleared up; and has messages of its own, since a unique index that
-- has seen a message before, if only to be rolled back, has to look whether it is still there. All run as stratum_app, under row security. The changes
-- of profiles are audited, those of events are not, as by default.
\echo
\echo '== intake: 10,000 events for tenant 7, as stratum_app'
CREATE TABLE bench.persons AS
SELECT 'known' AS kind, NULL::bigint AS turn, row_number() OVER (ORDER BY hashint4(id)) - 1 AS place, id::bigint, external_id::text, anonymous_id::text
FROM stratum.cdp_profiles WHERE tenant_id = 7;
INSERT INTO bench.persons
SELECT 'new', t, n, nextval('stratum.cdp_profiles_id_seq'), format('new-%s-%s', t, n), format('device-%s-%s', t, n)
FROM generate_series(1, 3 * (:rounds + 2)) t, generate_series(0, 4999) n;
CREATE TABLE bench.deliveries AS
SELECT k.kind, t.turn, b.number, jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase', 'Login'])[1 + n % 4], 'message_id', md5(k.kind || t.turn || ' ' || b.number || ' ' || n),
         'timestamp', to_char(timestamptz '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'external_id', p.external_id, 'anonymous_id', p.anonymous_id,
         'properties', jsonb_build_object('amount', n % 500, 'currency', 'USD', 'sku', 's' || n % 1000), 'context', jsonb_build_object('page', '/p/' || n % 100)) ORDER BY n) AS events
FROM (VALUES ('known', 200), ('new', 500)) k(kind, persons) CROSS JOIN generate_series(1, 3 * (:rounds + 2)) t(turn) CROSS JOIN generate_series(0, 9) b(number)
  CROSS JOIN generate_series(0, 999) n
  JOIN bench.persons p ON p.kind = k.kind AND (p.turn IS NULL OR p.turn = t.turn) AND p.place = b.number * k.persons + n % k.persons
GROUP BY k.kind, t.turn, b.number;
CREATE TABLE bench.finished AS
SELECT d.kind, d.turn, d.number, p.id AS profile_id, e ->> 'event_name' AS event_name, e -> 'properties' AS properties, e -> 'context' AS context, (e ->> 'message_id')::uuid AS message_id,
       e ->> 'external_id' AS external_id, e ->> 'anonymous_id' AS anonymous_id, (e ->> 'timestamp')::timestamptz AS timestamp
FROM bench.deliveries d CROSS JOIN jsonb_array_elements(d.events) e JOIN bench.persons p ON p.kind = d.kind AND p.external_id = e ->> 'external_id';
CREATE INDEX ON bench.finished (kind, turn, number);
ANALYZE bench.deliveries, bench.finished;
CREATE SEQUENCE bench.turn;

CREATE FUNCTION bench.insert_delivery(of_kind text, at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO stratum.cdp_profiles (id, canonical_id, external_id, anonymous_id, lifecycle_stage, first_seen_at, last_seen_at)
  SELECT profile_id, gen_random_uuid(), external_id, anonymous_id, 'lead', min(timestamp), max(timestamp)
  FROM bench.finished WHERE of_kind = 'new' AND kind = of_kind AND turn = at_turn AND number = delivery GROUP BY profile_id, external_id, anonymous_id;
  INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
  SELECT profile_id, event_name, 'track', properties, context, message_id, anonymous_id, timestamp
  FROM bench.finished WHERE kind = of_kind AND turn = at_turn AND number = delivery
$$;
CREATE FUNCTION bench.store_delivery(of_kind text, at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO stratum.cdp_profiles (canonical_id, external_id, anonymous_id, lifecycle_stage, first_seen_at, last_seen_at)
  SELECT gen_random_uuid(), e ->> 'external_id', min(e ->> 'anonymous_id'), 'lead', min((e ->> 'timestamp')::timestamptz), max((e ->> 'timestamp')::timestamptz)
  FROM bench.deliveries d, jsonb_array_elements(d.events) e
  WHERE d.kind = of_kind AND d.turn = at_turn AND d.number = delivery
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = stratum.current_tenant_id() AND p.external_id = e ->> 'external_id')
  GROUP BY e ->> 'external_id';
  WITH given AS MATERIALIZED (
    SELECT p.id AS profile_id, e ->> 'event_name' AS event_name, e -> 'properties' AS properties, e -> 'context' AS context, (e ->> 'message_id')::uuid AS message_id,
           e ->> 'anonymous_id' AS anonymous_id, (e ->> 'timestamp')::timestamptz AS timestamp
    FROM bench.deliveries d, jsonb_array_elements(d.events) e
      JOIN stratum.cdp_profiles p ON p.tenant_id = stratum.current_tenant_id() AND p.external_id = e ->> 'external_id'
    WHERE d.kind = of_kind AND d.turn = at_turn AND d.number = delivery),
  stored AS (
    INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
    SELECT profile_id, event_name, 'track', properties, context, message_id, anonymous_id, timestamp FROM given
    ON CONFLICT (tenant_id, message_id) DO NOTHING RETURNING profile_id, timestamp)
  UPDATE stratum.cdp_profiles p SET last_seen_at = greatest(p.last_seen_at, s.last)
  FROM (SELECT profile_id, max(timestamp) AS last FROM stored GROUP BY 1) s WHERE p.id = s.profile_id AND p.last_seen_at < s.last
$$;
CREATE FUNCTION bench.ingest_delivery(of_kind text, at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  SELECT count(*) FROM bench.deliveries d, stratum.ingest_events(d.events) WHERE d.kind = of_kind AND d.turn = at_turn AND d.number = delivery
$$;

-- All deliveries by a function of the above; how many events that has stored. Then all of it is rolled back.
CREATE FUNCTION bench.deliver(kind text, by text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  turn bigint := 1 + nextval('bench.turn') % (SELECT max(d.turn) FROM bench.deliveries d);
  before bigint;
  stored bigint;
BEGIN
  PERFORM stratum.enter(7);
  SELECT count(*) INTO before FROM stratum.cdp_events;
  BEGIN
    SET LOCAL ROLE stratum_app;
    FOR n IN 0 .. 9 LOOP
      EXECUTE format('SELECT bench.%I(%L, %s, %s)', by, kind, turn, n);
    END LOOP;
    RESET ROLE;
    SELECT count(*) - before INTO stored FROM stratum.cdp_events;
    RAISE assert_failure;
  EXCEPTION WHEN assert_failure THEN
    RETURN stored;
  END;
END $$;
GRANT USAGE ON SCHEMA bench TO stratum_app;
GRANT SELECT ON bench.deliveries, bench.finished TO stratum_app;

INSERT INTO bench.contestants (section, item, contestant, statement)
SELECT 'intake', format('of %s persons', k.kind), c.name, format('SELECT bench.deliver(%L, %L)', k.kind, c.function)
FROM (VALUES (1, 'known'), (2, 'new')) k(place, kind), (VALUES (1, 'insert', 'insert_delivery'), (2, 'sql', 'store_delivery'), (3, 'ingest_events', 'ingest_delivery')) c(place, name, function)
ORDER BY k.place, c.place;
CALL bench.run('intake', :rounds, apart => true);
REVOKE USAGE ON SCHEMA bench FROM stratum_app;
DROP TABLE bench.deliveries, bench.finished, bench.persons;
DROP SEQUENCE bench.turn;

\set section intake
\set baseline insert
\set plans false
\ir report.sql
SELECT item, contestant, round((10000 / ms * 1000)::numeric, -2) AS "events a second" FROM bench.results WHERE section = 'intake' ORDER BY place;
