-- The database with stratum: what its users add, made as the README says and as security_check() asks for.
DO $$
DECLARE
  name regclass;
BEGIN
  FOREACH name IN ARRAY '{public.orders,public.orders_1,public.orders_2}'::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant_isolation ON %s USING (tenant_id = stratum.current_tenant_id())', name);
  END LOOP;
END $$;
CREATE VIEW public.campaign_names WITH (security_invoker) AS SELECT id, tenant_id, name FROM stratum.campaigns;
GRANT SELECT ON public.campaign_names TO stratum_app;
