-- What row security costs: the same question of one tenant of a thousand, with as many profiles and events as --profiles says.
--
--   explicit   a superuser, whom row security does not hold, writes the tenant into the query: WHERE tenant_id = 507
--   policy     a member of stratum_app, who has entered tenant 507, leaves it to row security
--
-- Fair: the same rows, literals and indexes, and the same triggers for the insert, which is rolled back. Who enters the tenant, and the
-- change of role, are outside of the clock. The section adds rows to the tables that others measure: it comes last.
\echo
\echo '== isolation: row security beside an explicit tenant_id, 1000 tenants'

DO $$ BEGIN
  CREATE ROLE bench_app IN ROLE stratum_app;
EXCEPTION WHEN duplicate_object THEN
  NULL;     -- a role belongs to the cluster: an earlier run has left it
END $$;
GRANT USAGE ON SCHEMA bench TO bench_app;

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

INSERT INTO bench.contestants (section, item, contestant, statement, settings)
SELECT 'isolation', q.item, c.contestant, format(q.statement, VARIADIC CASE c.contestant WHEN 'explicit' THEN q.explicit ELSE q.policy END),
       jsonb_build_object('role', CASE c.contestant WHEN 'explicit' THEN 'none' ELSE 'bench_app' END)
FROM (VALUES
    (1, 'point, by UUID', 'SELECT count(*) FROM stratum.cdp_profiles WHERE %s canonical_id = md5(''i406'')::uuid', '{tenant_id = 507 AND}'::text[], '{""}'::text[]),
    (2, 'point, by address', 'SELECT count(*) FROM stratum.cdp_profiles WHERE %s email_hash = encode(sha256(''i406@example.org''), ''hex'')', '{tenant_id = 507 AND}', '{""}'),
    (3, 'range of time', 'SELECT count(*), min(timestamp) FROM stratum.cdp_events WHERE %s timestamp > bench.today() - interval ''90 days''', '{tenant_id = 507 AND}', '{""}'),
    (4, 'count', 'SELECT count(*) FROM stratum.cdp_events %s', '{WHERE tenant_id = 507}', '{""}'),
    (5, 'join', 'SELECT count(*), sum(e.id) FROM stratum.cdp_profiles p JOIN stratum.cdp_events e ON e.tenant_id = p.tenant_id AND e.profile_id = p.id %s', '{WHERE p.tenant_id = 507}', '{""}'),
    (6, 'bulk insert', 'SELECT bench.undone($i$INSERT INTO stratum.cdp_events (%s profile_id, event_name, event_type, properties, timestamp)'
       || ' SELECT %s 100000406, ''Bulk'', ''track'', jsonb_build_object(''amount'', i), now() FROM generate_series(1, ' || :profiles / 10 || ') i$i$)', '{"tenant_id,","507,"}', '{"",""}')
  ) q (place, item, statement, explicit, policy)
  CROSS JOIN (VALUES ('explicit'), ('policy')) c (contestant)
ORDER BY q.place, c.contestant;

BEGIN;
SELECT stratum.enter(507) \g /dev/null
CALL bench.run('isolation', :rounds);
COMMIT;

\set section isolation
\set baseline explicit
\set plans true
\ir report.sql
