-- What row security costs: the same question of one tenant of a thousand, with as many profiles and events as --profiles says.
--
--   explicit   a member of stratum_app whom row security does not hold (BYPASSRLS) writes the tenant into the query:
--              WHERE tenant_id = 507
--   policy     a member of stratum_app, who has entered tenant 507, leaves it to row security
--
-- Fair: the same rows, literals and indexes, the same rights to be looked up, and the same triggers for the insert, which is
-- rolled back. Who enters the tenant, and the change of role, are outside of the clock. The section adds rows to the tables that
-- others measure: it comes last.
\echo
\echo '== isolation: row security beside an explicit tenant_id, 1000 tenants'

DO $$ BEGIN
  CREATE ROLE bench_app IN ROLE stratum_app;
EXCEPTION WHEN duplicate_object THEN
  NULL;     -- a role belongs to the cluster: an earlier run has left it
END $$;
DO $$ BEGIN
  CREATE ROLE bench_free BYPASSRLS IN ROLE stratum_app;
EXCEPTION WHEN duplicate_object THEN
  NULL;
END $$;
GRANT USAGE ON SCHEMA bench TO bench_app, bench_free;

INSERT INTO stratum.tenants (id, name, slug) SELECT i, 'Tenant ' || i, 'isolated-' || i FROM generate_series(101, 1100) i;
ALTER TABLE stratum.cdp_profiles DISABLE TRIGGER USER;
ALTER TABLE stratum.cdp_events DISABLE TRIGGER USER;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email, email_hash, lifecycle_stage, traits)
SELECT 100000000 + i, 101 + i % 1000, md5('i' || i)::uuid, 'i' || i || '@example.org', stratum.email_hash('i' || i || '@example.org'),
       (ARRAY['lead', 'customer', 'prospect', 'churned', 'vip'])[1 + i / 1000 % 5], jsonb_build_object('n', i % 100)
FROM generate_series(1, :profiles) i;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
SELECT 101 + i % 1000, 100000000 + i, 'Event ' || i / 1000 % 10, 'track', jsonb_build_object('amount', i % 200), bench.today() - i / 1000 % 365 * interval '1 day'
FROM generate_series(1, :profiles) i;
ALTER TABLE stratum.cdp_profiles ENABLE TRIGGER USER;
ALTER TABLE stratum.cdp_events ENABLE TRIGGER USER;
VACUUM (FREEZE, ANALYZE) stratum.cdp_profiles, stratum.cdp_events;
CALL bench.warm('{stratum.cdp_profiles,stratum.cdp_events}');

-- Rows that a statement writes; nothing stays.
CREATE FUNCTION bench.undone(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  rows bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RAISE EXCEPTION 'undo' USING ERRCODE = 'BE001';
EXCEPTION WHEN SQLSTATE 'BE001' THEN
  RETURN rows;
END $$;

-- A statement that runs so many times, prepared once as drivers do it, or planned each time. `key` makes its parameter, one for each run.
CREATE FUNCTION bench.repeated(times integer, prepared boolean, statement text, key text DEFAULT NULL) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  parameter text;
  answer numeric;
  total numeric := 0;
BEGIN
  IF prepared THEN
    EXECUTE 'PREPARE bench_repeated AS ' || statement;
  END IF;
  FOR i IN 1 .. times LOOP
    parameter := format(key, 406 + 1000 * (i % 200));
    IF prepared THEN
      EXECUTE 'EXECUTE bench_repeated' || coalesce('(' || parameter || ')', '') INTO answer;
    ELSE
      EXECUTE replace(statement, '$1', parameter) INTO answer;
    END IF;
    total := total + answer;
  END LOOP;
  IF prepared THEN
    DEALLOCATE bench_repeated;
  END IF;
  RETURN total;
END $$;

-- Contestants: the statement with the tenant written into it, and without.
CREATE PROCEDURE bench.contest(item text, statement text, explicit text[], policy text[]) LANGUAGE sql AS $$
  INSERT INTO bench.contestants (section, item, contestant, statement, settings)
  VALUES ('isolation', item, 'explicit', format(statement, VARIADIC explicit), '{"role": "bench_free", "plan_cache_mode": "force_generic_plan"}'),
         ('isolation', item, 'policy', format(statement, VARIADIC policy), '{"role": "bench_app", "plan_cache_mode": "force_generic_plan"}')
$$;

BEGIN;
SELECT stratum.enter(507) \g /dev/null
CALL bench.contest('1000 points by UUID', $$SELECT bench.repeated(1000, true, 'SELECT count(*) FROM stratum.cdp_profiles WHERE %s canonical_id = $1',
  'md5(''i%%s'')::uuid')$$, '{tenant_id = 507 AND}', '{""}');
CALL bench.contest('1000 points by address', $$SELECT bench.repeated(1000, true, 'SELECT count(*) FROM stratum.cdp_profiles WHERE %s email_hash = $1',
  'encode(sha256(''i%%s@example.org''), ''hex'')')$$, '{tenant_id = 507 AND}', '{""}');
CALL bench.contest('1000 points, planned anew', $$SELECT bench.repeated(1000, false, 'SELECT count(*) FROM stratum.cdp_profiles WHERE %s canonical_id = $1',
  'md5(''i%%s'')::uuid')$$, '{tenant_id = 507 AND}', '{""}');
CALL bench.contest('100 ranges of time', $$SELECT bench.repeated(100, true, 'SELECT count(*) + min(id) FROM stratum.cdp_events
  WHERE %s timestamp > bench.today() - interval ''90 days''')$$, '{tenant_id = 507 AND}', '{""}');
CALL bench.contest('100 counts', $$SELECT bench.repeated(100, true, 'SELECT count(*) FROM stratum.cdp_events %s')$$, '{WHERE tenant_id = 507}', '{""}');
CALL bench.contest('100 joins', $$SELECT bench.repeated(100, true, 'SELECT count(*) + sum(e.id) FROM stratum.cdp_profiles p
  JOIN stratum.cdp_events e ON e.tenant_id = p.tenant_id AND e.profile_id = p.id %s')$$, '{WHERE p.tenant_id = 507}', '{""}');
CALL bench.run('isolation', :rounds);
COMMIT;
-- Last, since what it has undone lies in the way of those who read.
BEGIN;
SELECT stratum.enter(507) \g /dev/null
CALL bench.contest('bulk insert', $$SELECT bench.undone('INSERT INTO stratum.cdp_events (%s profile_id, event_name, event_type, properties, timestamp)
  SELECT %s 100000406, ''Bulk'', ''track'', jsonb_build_object(''amount'', i), now() FROM generate_series(1, $$ || :profiles / 10 || $$) i')$$, '{"tenant_id,","507,"}', '{"",""}');
CALL bench.run('isolation', :rounds);
COMMIT;

\set section isolation
\set baseline explicit
\set plans false
\ir report.sql
