-- A partition is a table: asked by its own name, the policy of the partitioned table does not count.
BEGIN;
:enter;
SELECT attack.control('his own row through the partitioned table', count(*) = 1) FROM public.orders;
SELECT attack.held(t, attack.try(format('SELECT * FROM public.%I WHERE tenant_id = 2', t)) = '0 rows')
FROM unnest('{orders,orders_1,orders_2}'::text[]) t;
SELECT * FROM public.orders_2;
UPDATE public.orders_2 SET item = 'changed';
DELETE FROM public.orders_2;
SELECT attack.held('INSERT into it', attack.try('INSERT INTO public.orders_2 VALUES (2, 201, ''planted'')') = '42501');
COMMIT;
-- an inheritance child of his own shows nothing, and takes no place in the parent
SELECT attack.held('a child of his own', attack.try('CREATE TEMP TABLE child () INHERITS (stratum.campaigns)') = '42501');
\c - postgres
SELECT attack.control('the victim''s row is there', count(*) >= 1) FROM public.orders;
