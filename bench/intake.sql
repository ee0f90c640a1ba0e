-- Events as a collector delivers them: 10 calls with 1,000 events each, of 200 persons that tenant 7 knows.
--
--   insert         a plain INSERT of finished rows, whose profiles are known; no look-up, no profile is touched
--   sql            what one would write: look-up by external_id, INSERT ... ON CONFLICT, last_seen_at of the profiles
--   ingest_events  stratum.ingest_events(): each event checked, four kinds of names, stage and traits too
--
-- Fair: the events are made before, and each run is rolled back, so all of them store the same number in the same tables. Each is a
-- transaction of its own, as deliveries are, so that what the one before it left can be cleared up; and has messages of its own, since a unique index that
-- has seen a message before, if only to be rolled back, has to look whether it is still there. The changes of profiles are audited, those of events
-- are not, as by default.
\echo
\echo '== intake: 10,000 events for 2,000 profiles of tenant 7'
CREATE TABLE bench.deliveries AS
SELECT t.turn, b.number, jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase', 'Login'])[1 + n % 4], 'message_id', md5(t.turn || ' ' || b.number || ' ' || n),
         'timestamp', to_char(timestamptz '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'external_id', p.external_id, 'anonymous_id', p.anonymous_id,
         'properties', jsonb_build_object('amount', n % 500, 'currency', 'USD', 'sku', 's' || n % 1000), 'context', jsonb_build_object('page', '/p/' || n % 100)) ORDER BY n) AS events
FROM generate_series(1, 3 * (:rounds + 2)) t(turn), generate_series(0, 9) b(number), generate_series(0, 999) n
  JOIN (SELECT row_number() OVER (ORDER BY hashint4(id)) - 1 AS place, external_id, anonymous_id FROM stratum.cdp_profiles WHERE tenant_id = 7) p ON true
WHERE p.place = b.number * 200 + n % 200
GROUP BY t.turn, b.number;
CREATE TABLE bench.finished AS
SELECT d.turn, d.number, p.id AS profile_id, e ->> 'event_name' AS event_name, e -> 'properties' AS properties, e -> 'context' AS context, (e ->> 'message_id')::uuid AS message_id,
       e ->> 'anonymous_id' AS anonymous_id, (e ->> 'timestamp')::timestamptz AS timestamp
FROM bench.deliveries d, jsonb_array_elements(d.events) e JOIN stratum.cdp_profiles p ON p.tenant_id = 7 AND p.external_id = e ->> 'external_id';
CREATE INDEX ON bench.finished (turn, number);
ANALYZE bench.deliveries, bench.finished;
CREATE SEQUENCE bench.turn;

CREATE FUNCTION bench.insert_delivery(at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
  SELECT profile_id, event_name, 'track', properties, context, message_id, anonymous_id, timestamp FROM bench.finished WHERE turn = at_turn AND number = delivery
$$;
CREATE FUNCTION bench.store_delivery(at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  WITH given AS MATERIALIZED (
    SELECT p.id AS profile_id, e ->> 'event_name' AS event_name, e -> 'properties' AS properties, e -> 'context' AS context, (e ->> 'message_id')::uuid AS message_id,
           e ->> 'anonymous_id' AS anonymous_id, (e ->> 'timestamp')::timestamptz AS timestamp
    FROM bench.deliveries d, jsonb_array_elements(d.events) e
      JOIN stratum.cdp_profiles p ON p.tenant_id = stratum.current_tenant_id() AND p.external_id = e ->> 'external_id'
    WHERE d.turn = at_turn AND d.number = delivery),
  stored AS (
    INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
    SELECT profile_id, event_name, 'track', properties, context, message_id, anonymous_id, timestamp FROM given
    ON CONFLICT (tenant_id, message_id) DO NOTHING RETURNING profile_id, timestamp)
  UPDATE stratum.cdp_profiles p SET last_seen_at = greatest(p.last_seen_at, s.last)
  FROM (SELECT profile_id, max(timestamp) AS last FROM stored GROUP BY 1) s WHERE p.id = s.profile_id
$$;
CREATE FUNCTION bench.ingest_delivery(at_turn bigint, delivery integer) RETURNS void LANGUAGE sql AS $$
  SELECT count(*) FROM bench.deliveries d, stratum.ingest_events(d.events) WHERE d.turn = at_turn AND d.number = delivery
$$;

-- All deliveries by a function of the above; how many events that has stored. Then all of it is rolled back.
CREATE FUNCTION bench.deliver(by text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  turn bigint := 1 + nextval('bench.turn') % (SELECT max(d.turn) FROM bench.deliveries d);
  before bigint;
  stored bigint;
BEGIN
  PERFORM stratum.enter(7);
  SELECT count(*) INTO before FROM stratum.cdp_events;
  BEGIN
    FOR n IN 0 .. 9 LOOP
      EXECUTE format('SELECT bench.%I(%s, %s)', by, turn, n);
    END LOOP;
    SELECT count(*) - before INTO stored FROM stratum.cdp_events;
    RAISE assert_failure;
  EXCEPTION WHEN assert_failure THEN
    RETURN stored;
  END;
END $$;

INSERT INTO bench.contestants (section, item, contestant, statement)
VALUES ('intake', '10,000 events', 'insert', $$SELECT bench.deliver('insert_delivery')$$),
       ('intake', '10,000 events', 'sql', $$SELECT bench.deliver('store_delivery')$$),
       ('intake', '10,000 events', 'ingest_events', $$SELECT bench.deliver('ingest_delivery')$$);
CALL bench.run('intake', :rounds, apart => true);
DROP TABLE bench.deliveries, bench.finished;
DROP SEQUENCE bench.turn;

\set section intake
\set baseline insert
\set plans false
\ir report.sql
SELECT contestant, round((10000 / ms * 1000)::numeric, -2) AS "events a second" FROM bench.results WHERE section = 'intake' ORDER BY place;
