-- stratum.reset_plans_on_enter: a plan made for a huge tenant is not kept for a small one.
\set VERBOSITY terse
INSERT INTO stratum.tenants (id, name, slug) VALUES (8651, 'Huge', 'plan-huge'), (8652, 'Small', 'plan-small');
-- (an autovacuum that comes in between would make an index the better choice for both)
CREATE TABLE public.plan_rows (tenant_id int NOT NULL DEFAULT stratum.current_tenant_id(), body text) WITH (autovacuum_enabled = false);
INSERT INTO public.plan_rows SELECT 8651, repeat('x', 100) FROM generate_series(1, 20000);
INSERT INTO public.plan_rows VALUES (8652, 'y');
CREATE INDEX ON public.plan_rows (tenant_id);
ANALYZE public.plan_rows;
ALTER TABLE public.plan_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON public.plan_rows USING (tenant_id = stratum.current_tenant_id());
GRANT SELECT ON public.plan_rows TO stratum_app;
CREATE ROLE regress_stratum_plan LOGIN IN ROLE stratum_app;
-- how the prepared statement reads, and what, when this tenant is entered
CREATE PROCEDURE public.plan_shown(tenant int) LANGUAGE plpgsql AS $$
DECLARE
  line text;
  how text;
  found bigint;
BEGIN
  PERFORM stratum.enter(tenant);
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) EXECUTE plan_counts' LOOP
    IF line ~ ' on plan_rows' THEN how := CASE WHEN line ~ 'Seq Scan' THEN 'all of the table' ELSE 'an index' END; END IF;
  END LOOP;
  EXECUTE 'EXECUTE plan_counts' INTO found;
  RAISE NOTICE 'tenant % reads %, finds %', tenant, how, found;
END $$;
GRANT EXECUTE ON PROCEDURE public.plan_shown TO stratum_app;

\c - regress_stratum_plan
PREPARE plan_counts AS SELECT count(*) FROM public.plan_rows;
CALL plan_shown(8651);
SHOW stratum.reset_plans_on_enter;
CALL plan_shown(8652);
SET stratum.reset_plans_on_enter = on;
CALL plan_shown(8652);
CALL plan_shown(8651);
CALL plan_shown(8652);
CALL plan_shown(8651);
-- nothing is thrown away while it is the same tenant
SELECT generic_plans + custom_plans > 0 AS used FROM pg_prepared_statements WHERE name = 'plan_counts';
CALL plan_shown(8651);
-- for a locked session too
SELECT stratum.enter_session(8652, NULL, '0123456789abcdef');
CALL plan_shown(8652);
SELECT stratum.leave_session('0123456789abcdef');
-- a plan that is running while another function enters goes on
CREATE FUNCTION pg_temp.enter_again() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint := 0; r record;
BEGIN
  FOR r IN EXECUTE 'SELECT stratum.enter(8652), g FROM generate_series(1, 3) g' LOOP n := n + r.g; END LOOP;
  RETURN n;
END $$;
SELECT pg_temp.enter_again();
DROP FUNCTION pg_temp.enter_again();
\c - postgres
DROP PROCEDURE public.plan_shown;
DROP TABLE public.plan_rows;
DROP ROLE regress_stratum_plan;
