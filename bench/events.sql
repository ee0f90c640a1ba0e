-- Segments by what customers did: tenant 7, a tenth of the profiles, and as many events as there are profiles in all.
--
-- Items: 20 segments that each ask about events of one or two of ten names; one segment about a sequence of two events, and one
-- about a sequence of three, each within a week of the one before.
--
--   sql       20 segments: one hand-written GROUP BY query for each, one after the other. Sequences: a query with window
--             functions, which sorts the events of each profile once
--   sql_join  two steps: the first events joined with the second ones, which counts on there being few of either for a profile
--   refresh   stratum.refresh_segments(): who is in each segment, and the memberships compared with that
--
-- Fair: the members are checked to be the same. The hand-written queries only count them; the refresh reads the profiles and the
-- memberships too, and compares. Nothing has changed since the last one, so nothing is written. Plans of the hand-written
-- queries may use the documented indexes.
\echo
\echo '== events: segments by events of tenant 7'
\if :{?has_events}
\else
\ir event_data.sql
\set has_events true
\endif

INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions, is_active) VALUES
  (7, 'Two steps', 'two-steps',
   '{"conditions": [{"sequence": [{"event": "Event 3"}, {"event": "Event 6", "within_days": 7}]}]}', false),
  (7, 'Three steps', 'three-steps',
   '{"conditions": [{"sequence": [{"event": "Event 3"}, {"event": "Event 6", "within_days": 7}, {"event": "Event 9", "within_days": 7}]}]}', false);

-- A step is later than the one before, by time and then id. Of the events before it that complete the steps so far, the latest is
-- nearest to it.
CREATE FUNCTION bench.sequences() RETURNS TABLE (item text, contestant text, query text) LANGUAGE sql AS $$
  VALUES
  ('two steps', 'sql', $sql$
    SELECT count(*) FROM (
      SELECT profile_id FROM (
        SELECT profile_id, event_name = 'Event 6'
            AND timestamp - max(timestamp) FILTER (WHERE event_name = 'Event 3') OVER before <= interval '7 days' AS happened
        FROM stratum.cdp_events WHERE tenant_id = 7 AND event_name IN ('Event 3', 'Event 6')
        WINDOW before AS (PARTITION BY profile_id ORDER BY timestamp, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) q
      WHERE happened GROUP BY profile_id) members $sql$),
  ('two steps', 'sql_join', $sql$
    SELECT count(DISTINCT a.profile_id)
    FROM stratum.cdp_events a JOIN stratum.cdp_events b
      ON b.tenant_id = a.tenant_id AND b.profile_id = a.profile_id AND (b.timestamp, b.id) > (a.timestamp, a.id)
        AND b.timestamp <= a.timestamp + interval '7 days'
    WHERE a.tenant_id = 7 AND a.event_name = 'Event 3' AND b.event_name = 'Event 6' $sql$),
  ('three steps', 'sql', $sql$
    SELECT count(*) FROM (
      SELECT profile_id FROM (
        SELECT profile_id, event_name = 'Event 9'
            AND timestamp - max(timestamp) FILTER (WHERE is_second) OVER before <= interval '7 days' AS happened
        FROM (
          SELECT profile_id, timestamp, id, event_name, event_name = 'Event 6'
            AND timestamp - max(timestamp) FILTER (WHERE event_name = 'Event 3') OVER before <= interval '7 days' AS is_second
          FROM stratum.cdp_events WHERE tenant_id = 7 AND event_name IN ('Event 3', 'Event 6', 'Event 9')
          WINDOW before AS (PARTITION BY profile_id ORDER BY timestamp, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) q
        WINDOW before AS (PARTITION BY profile_id ORDER BY timestamp, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) q
      WHERE happened GROUP BY profile_id) members $sql$)
$$;

INSERT INTO bench.contestants (section, item, contestant, statement) VALUES
  ('events', '20 segments', 'sql', $sql$
    SELECT bench.sum_of($$
      SELECT format('SELECT count(*) FROM (
                       SELECT profile_id FROM stratum.cdp_events WHERE tenant_id = 7 AND (%s) GROUP BY profile_id HAVING %s) members',
                    is_asked, is_member)
      FROM bench.event_segments WHERE n <= 20 ORDER BY n $$) $sql$),
  ('events', '20 segments', 'refresh', 'SELECT sum(profile_count) FROM stratum.refresh_segments()');
\set section events
\set active '^events-(1?[0-9]|20)$'
\set refreshed true
\ir run_segments.sql

INSERT INTO bench.contestants (section, item, contestant, statement)
SELECT 'events', item, contestant, query FROM bench.sequences() WHERE item = 'two steps'
UNION ALL VALUES ('events', 'two steps', 'refresh', 'SELECT sum(profile_count) FROM stratum.refresh_segments()');
\set active '^two-steps$'
\ir run_segments.sql

INSERT INTO bench.contestants (section, item, contestant, statement)
SELECT 'events', item, contestant, query FROM bench.sequences() WHERE item = 'three steps'
UNION ALL VALUES ('events', 'three steps', 'refresh', 'SELECT sum(profile_count) FROM stratum.refresh_segments()');
\set active '^three-steps$'
\ir run_segments.sql

\set baseline sql
\set plans false
\ir report.sql
