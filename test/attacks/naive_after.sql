-- After stage.sql. fault: the policy is on the partitioned table only
ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public.orders USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::integer);
