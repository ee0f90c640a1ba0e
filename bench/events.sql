-- Segments by what customers did: tenant 7, a tenth of the profiles, and as many events as there are profiles in all; 20 segments
-- that each ask about events of one or two of ten names.
--
--   sql       one hand-written GROUP BY query for each segment, one after the other: who is in it
--   refresh   stratum.refresh_segments(): who is in each segment, and the memberships compared with that
--
-- Fair: the members are checked to be the same. The refresh does more: it reads the profiles and the memberships too. Nothing
-- has changed since the last one, so nothing is written. Plans of the hand-written queries may use the documented indexes.
\echo
\echo '== events: 20 segments by events of tenant 7'
SELECT setseed(0.7) \g /dev/null
UPDATE stratum.cdp_segments SET is_active = false WHERE is_active;
ALTER TABLE stratum.cdp_events DISABLE TRIGGER USER;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
SELECT 7, p.ids[1 + floor(random() * cardinality(p.ids))::integer], 'Event ' || floor(10 * random() ^ 2)::integer, 'track',
       jsonb_build_object('amount', round((random() * 200)::numeric, 2), 'page', 'p' || i % 300, 'plan', (ARRAY['free', 'pro'])[1 + i % 2]),
       now() - random() * interval '120 days'
FROM (SELECT array_agg(id) AS ids FROM stratum.cdp_profiles WHERE tenant_id = 7) p, generate_series(1, :profiles) i;
ALTER TABLE stratum.cdp_events ENABLE TRIGGER USER;
VACUUM (FREEZE, ANALYZE) stratum.cdp_events;
CALL bench.warm('{stratum.cdp_events}');

-- Segment n: at least 1 + n % 3 events of a name in the last so many days; every fourth also none of another name lately.
CREATE TABLE bench.event_segments AS
SELECT n,
  CASE WHEN n % 4 = 0 THEN jsonb_build_object('logic', 'and', 'conditions', jsonb_build_array(often, lately))
       ELSE jsonb_build_object('conditions', jsonb_build_array(often)) END AS conditions,
  format('SELECT profile_id FROM stratum.cdp_events WHERE tenant_id = 7 AND (%s%s) GROUP BY profile_id HAVING %s%s',
         is_often, CASE WHEN n % 4 = 0 THEN ' OR ' || is_lately ELSE '' END,
         format('count(*) FILTER (WHERE %s) >= %s', is_often, 1 + n % 3),
         CASE WHEN n % 4 = 0 THEN format(' AND count(*) FILTER (WHERE %s) = 0', is_lately) ELSE '' END) AS sql
FROM generate_series(1, 20) n CROSS JOIN LATERAL (SELECT
  jsonb_build_object('field', format('event.Event %s.count', n % 10), 'operator', 'gte', 'value', 1 + n % 3, 'within_days', 10 * (1 + n % 9)) AS often,
  jsonb_build_object('field', format('event.Event %s.exists', (n + 3) % 10), 'operator', 'equals', 'value', false, 'within_days', 14) AS lately,
  format('event_name = %L AND timestamp BETWEEN now() - interval ''%s days'' AND now()', 'Event ' || n % 10, 10 * (1 + n % 9)) AS is_often,
  format('event_name = %L AND timestamp BETWEEN now() - interval ''14 days'' AND now()', 'Event ' || (n + 3) % 10) AS is_lately) c;
INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
SELECT 7, 'Events ' || n, 'events-' || n, conditions FROM bench.event_segments;

CREATE FUNCTION bench.members_by_sql() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  total bigint := 0;
  members bigint;
  one text;
BEGIN
  FOR one IN SELECT sql FROM bench.event_segments ORDER BY n LOOP
    EXECUTE format('SELECT count(*) FROM (%s) q', one) INTO members;
    total := total + members;
  END LOOP;
  RETURN total;
END $$;

BEGIN;
SELECT stratum.enter(7) \g /dev/null
SELECT count(*) FROM stratum.refresh_segments() \g /dev/null
COMMIT;
VACUUM (ANALYZE) stratum.cdp_segment_memberships;

INSERT INTO bench.contestants (section, item, contestant, statement)
VALUES ('events', '20 segments', 'sql', 'SELECT bench.members_by_sql()'),
       ('events', '20 segments', 'refresh', 'SELECT sum(profile_count) FROM stratum.refresh_segments()');
BEGIN;
SELECT stratum.enter(7) \g /dev/null
CALL bench.run('events', :rounds);
COMMIT;

\set section events
\set baseline sql
\set plans false
\ir report.sql
