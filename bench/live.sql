-- One profile, all active segments of its tenant: what an application asks when a customer comes. Tenant 7 with :segments segments on
-- traits, 1000 profiles one after the other, in one session that has asked before.
--
--   sql    for each profile one hand-written query with a column for each segment (no more than 1000: rows have 1600 columns)
--   live   stratum.profile_segments()
--
-- Fair: the members are checked to be the same. The hand-written query is prepared once; even so it is planned for the first rounds.
\echo
\echo '== live: the segments of a profile, 1000 profiles of tenant 7'
\if :{?has_definitions}
\else
\ir definitions.sql
\set has_definitions true
\endif
UPDATE stratum.cdp_segments SET is_active = slug NOT LIKE 'events-%' WHERE tenant_id = 7;
CREATE TABLE bench.asked AS SELECT id FROM stratum.cdp_profiles WHERE tenant_id = 7 ORDER BY hashint4(id) LIMIT 1000;

CREATE FUNCTION bench.ask_live() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  total bigint := 0;
  members bigint;
  asked integer;
BEGIN
  FOR asked IN SELECT id FROM bench.asked LOOP
    SELECT count(*) INTO members FROM stratum.profile_segments(asked);
    total := total + members;
  END LOOP;
  RETURN total;
END $$;

SELECT format('PREPARE bench_ask (integer) AS SELECT %s FROM stratum.cdp_profiles p WHERE p.tenant_id = 7 AND p.id = $1',
              string_agg(format('coalesce(%s, false)::integer', sql), ' + ' ORDER BY number))
FROM (SELECT number, sql FROM bench.definitions ORDER BY number LIMIT 1000) d \gexec

CREATE FUNCTION bench.ask_by_sql() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  total bigint := 0;
  members bigint;
  asked integer;
BEGIN
  FOR asked IN SELECT id FROM bench.asked LOOP
    EXECUTE format('EXECUTE bench_ask (%s)', asked) INTO members;
    total := total + members;
  END LOOP;
  RETURN total;
END $$;

INSERT INTO bench.contestants (section, item, contestant, statement)
VALUES ('live', '1000 profiles', 'sql', 'SELECT bench.ask_by_sql()'),
       ('live', '1000 profiles', 'live', 'SELECT bench.ask_live()');
BEGIN;
SELECT stratum.enter(7) \g /dev/null
CALL bench.run('live', :rounds);
COMMIT;

\set section live
\set baseline sql
\set plans false
\ir report.sql
SELECT round((ms)::numeric, 1) AS "microseconds a call of profile_segments()" FROM bench.results WHERE section = 'live' AND contestant = 'live';
