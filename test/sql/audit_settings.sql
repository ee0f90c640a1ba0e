-- The writer's settings do not change what the trail says, and nobody's change what check_install() finds.
\set VERBOSITY terse
CREATE TABLE public.audit_settings (id bytea PRIMARY KEY, tenant_id int, ratio float8, span interval, day date);
SET quote_all_identifiers = on;
SELECT stratum.audit_table('public.audit_settings');
SELECT table_name FROM stratum.audited_tables WHERE table_name LIKE '%audit_settings%';
INSERT INTO public.audit_settings VALUES ('\x01ff', NULL, 1, '1 day 2 hours', '2026-02-03');
SET extra_float_digits = -10;
SET bytea_output = escape;
SET IntervalStyle = iso_8601;
SET DateStyle = 'German';
UPDATE public.audit_settings SET ratio = 0.1::float8 + 0.2::float8;
SELECT * FROM stratum.check_install();
RESET ALL;
DELETE FROM public.audit_settings;
SELECT action, resource_type, resource_id, old_values, new_values FROM stratum.audit_logs
WHERE resource_type LIKE '%audit_settings%' ORDER BY id;
SELECT stratum.unaudit_table('public.audit_settings');
DROP TABLE public.audit_settings;
