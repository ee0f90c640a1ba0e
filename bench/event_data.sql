-- What the customers of tenant 7 did: as many events of ten names as there are profiles in all. And 100 segments that ask about
-- one name or two, with the SQL that one would write by hand for each of them.
-- Committed for good before VACUUM comes: until then it does not take the rows for visible to all.
SET synchronous_commit = on;
SELECT setseed(0.7) \g /dev/null
ALTER TABLE stratum.cdp_events DISABLE TRIGGER USER;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
SELECT 7, p.ids[1 + floor(random() * cardinality(p.ids))::integer], 'Event ' || floor(10 * random() ^ 2)::integer, 'track',
       jsonb_build_object('amount', round((random() * 200)::numeric, 2), 'page', 'p' || i % 300, 'plan', (ARRAY['free', 'pro'])[1 + i % 2]),
       now() - random() * interval '120 days'
FROM (SELECT array_agg(id) AS ids FROM stratum.cdp_profiles WHERE tenant_id = 7) p, generate_series(1, :profiles) i;
ALTER TABLE stratum.cdp_events ENABLE TRIGGER USER;
SET synchronous_commit = off;
VACUUM (FREEZE, ANALYZE) stratum.cdp_events;
CALL bench.warm('{stratum.cdp_events}');

-- Segment n: at least 1 + n % 3 events of a name in the last so many days; every fourth also none of another name lately.
CREATE TABLE bench.event_segments AS
SELECT n,
  CASE WHEN n % 4 = 0 THEN jsonb_build_object('logic', 'and', 'conditions', jsonb_build_array(often, lately))
       ELSE jsonb_build_object('conditions', jsonb_build_array(often)) END AS conditions,
  CASE WHEN n % 4 = 0 THEN is_often || ' OR ' || is_lately ELSE is_often END AS is_asked,     -- whether an event matters
  format('count(*) FILTER (WHERE %s) >= %s', is_often, 1 + n % 3)
    || CASE WHEN n % 4 = 0 THEN format(' AND count(*) FILTER (WHERE %s) = 0', is_lately) ELSE '' END AS is_member   -- whose events they are
FROM generate_series(1, 100) n CROSS JOIN LATERAL (SELECT
  jsonb_build_object('field', format('event.Event %s.count', n % 10), 'operator', 'gte', 'value', 1 + n % 3, 'within_days', 10 * (1 + n % 9)) AS often,
  jsonb_build_object('field', format('event.Event %s.exists', (n + 3) % 10), 'operator', 'equals', 'value', false, 'within_days', 14) AS lately,
  format('event_name = %L AND timestamp BETWEEN now() - interval ''%s days'' AND now()', 'Event ' || n % 10, 10 * (1 + n % 9)) AS is_often,
  format('event_name = %L AND timestamp BETWEEN now() - interval ''14 days'' AND now()', 'Event ' || (n + 3) % 10) AS is_lately) c;

INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions, is_active)
SELECT 7, 'Events ' || n, 'events-' || n, conditions, false FROM bench.event_segments ORDER BY n;
