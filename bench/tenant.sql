-- The same selective segments as the application asks: a member of stratum_app, under row security, in tenant 7.
--
--   contains         hand-written with @>, under row security. PostgreSQL does not let a condition near an index before the
--                    policy has been checked, unless its operator is leakproof, and @> is not.
--   contains_no_rls  the same by a superuser, with the tenant written into the query: what there is without row security
--   matches          stratum.segment_matches(conditions, traits), under row security
--
-- with the documented indexes, and with GIN (tenant_id, traits jsonb_path_ops) beside them. Fair: the same rows, the same
-- literals; who enters the tenant, and the change of role, are outside of the clock.
\echo
\echo '== tenant: selective segments under row security, a tenth of the profiles'

DO $$ BEGIN
  CREATE ROLE bench_app IN ROLE stratum_app;
EXCEPTION WHEN duplicate_object THEN
  NULL;     -- a role belongs to the cluster: an earlier run has left it
END $$;
GRANT USAGE ON SCHEMA bench TO bench_app;
\ir selective.sql

CREATE PROCEDURE bench.compare_tenant(index text, rounds integer) LANGUAGE plpgsql AS $$
BEGIN
  CALL bench.warm('{stratum.cdp_profiles}');
  PERFORM stratum.enter(7);
  INSERT INTO bench.contestants (section, item, contestant, statement, settings)
  SELECT 'tenant', index || ': ' || s.name, c.contestant,
         'SELECT count(*) FROM stratum.cdp_profiles p WHERE ' || c.test, jsonb_build_object('role', c.role)
  FROM bench.selective_segments() s
    CROSS JOIN LATERAL (VALUES
      (1, 'contains', s.contains, 'bench_app'),
      (2, 'contains_no_rls', 'tenant_id = 7 AND ' || s.contains, 'none'),
      (3, 'matches', format('stratum.segment_matches(%L, p.traits)', s.conditions), 'bench_app')) c (place, contestant, test, role)
  ORDER BY s.name, c.place;
  CALL bench.run('tenant', rounds);
END $$;

CALL bench.compare_tenant('as documented', :rounds);
CREATE INDEX tenant_path_ops ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops);
CALL bench.compare_tenant('tenant, path_ops', :rounds);
DROP INDEX stratum.tenant_path_ops;

\set section tenant
\set baseline contains
\set plans true
\ir report.sql
