-- One profile, all active segments of its tenant: what an application asks when a customer comes. Tenant 7 with :segments segments,
-- 1000 profiles one after the other, in one session that has asked before.
--
-- Items: all segments on traits; a tenth of them, 100 at most, on events, of which a profile has ten on average.
--
--   sql    for each profile one hand-written query with a column for each segment (no more than 1000: rows have 1600 columns); where
--          segments ask about events it reads those of the profile once, and counts them with a FILTER for each segment
--   live   stratum.profile_segments()
--
-- Fair: the members are checked to be the same. Both are prepared once, and executed for one profile after the other; even so the
-- hand-written query is planned for the first rounds.
\echo
\echo '== live: the segments of a profile, 1000 profiles of tenant 7'
\if :{?has_definitions}
\else
\ir definitions.sql
\set has_definitions true
\endif
\if :{?has_events}
\else
\ir event_data.sql
\set has_events true
\endif
CREATE TABLE bench.asked AS SELECT id FROM stratum.cdp_profiles WHERE tenant_id = 7 ORDER BY hashint4(id) LIMIT 1000;
SELECT least(:segments, 1000) AS many, least(:segments / 10, 100) AS by_events \gset

CREATE FUNCTION bench.ask(query text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT bench.sum_of(%L)', format('SELECT format(''EXECUTE %s (%%s)'', id) FROM bench.asked', query))
$$;
PREPARE bench_live (integer) AS SELECT count(*) FROM stratum.profile_segments($1);

SELECT format('PREPARE bench_traits (integer) AS SELECT %s FROM stratum.cdp_profiles p WHERE p.tenant_id = 7 AND p.id = $1',
              string_agg(format('coalesce(%s, false)::integer', sql), ' + ' ORDER BY number))
FROM (SELECT number, sql FROM bench.definitions ORDER BY number LIMIT :many) d \gexec
INSERT INTO bench.contestants (section, item, contestant, statement)
VALUES ('live', 'traits', 'sql', bench.ask('bench_traits')), ('live', 'traits', 'live', bench.ask('bench_live'));
\set section live
\set refreshed false
SELECT format('^(%s)$', string_agg(number::text, '|')) AS active FROM bench.definitions WHERE number <= :many \gset
\ir run_segments.sql

SELECT format('PREPARE bench_events (integer) AS SELECT %s + events.members FROM stratum.cdp_profiles p CROSS JOIN LATERAL (
                 SELECT %s AS members FROM stratum.cdp_events e WHERE e.tenant_id = p.tenant_id AND e.profile_id = p.id) events
               WHERE p.tenant_id = 7 AND p.id = $1',
              (SELECT string_agg(format('coalesce(%s, false)::integer', sql), ' + ' ORDER BY number)
               FROM bench.definitions WHERE number <= :many - :by_events),
              (SELECT string_agg(format('(%s)::integer', is_member), ' + ' ORDER BY n)
               FROM bench.event_segments WHERE n <= :by_events)) \gexec
INSERT INTO bench.contestants (section, item, contestant, statement)
VALUES ('live', 'traits and events', 'sql', bench.ask('bench_events')), ('live', 'traits and events', 'live', bench.ask('bench_live'));
SELECT format('^(%s|events-(%s))$', string_agg(number::text, '|') FILTER (WHERE number <= :many - :by_events),
              string_agg(number::text, '|') FILTER (WHERE number <= :by_events)) AS active FROM bench.definitions \gset
\ir run_segments.sql

\set baseline sql
\set plans false
\ir report.sql
SELECT item, round(ms::numeric, 1) AS "microseconds a call of profile_segments()" FROM bench.results WHERE section = 'live' AND contestant = 'live' ORDER BY place;
