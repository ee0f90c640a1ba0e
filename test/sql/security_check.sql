-- security_check(): each fault is made, seen, cured by the remedy as it is printed, and no longer seen.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- a fresh database: nothing but notes, whoever else has been at the cluster, and however old the server is
SELECT severity, object, problem, remedy FROM stratum.security_check()
WHERE severity <> 'note' AND object !~ '^(role|PostgreSQL) ';
SELECT DISTINCT severity, problem FROM stratum.security_check() WHERE object ~ '^database |^role postgres' ORDER BY 2;
-- who may call it
SELECT r, has_function_privilege(r, 'stratum.security_check()', 'EXECUTE') FROM unnest('{stratum_app,stratum_admin,stratum_auditor,stratum_auth}'::text[]) r;
SET ROLE stratum_auditor;
SELECT count(*) > 0 AS auditor_sees FROM stratum.security_check();
RESET ROLE;

-- what was there before the fault
CREATE TABLE public.regress_before AS SELECT * FROM stratum.security_check();
CREATE VIEW public.found WITH (security_invoker) AS
  SELECT severity, object, problem, remedy FROM stratum.security_check() EXCEPT SELECT severity, object, problem, remedy FROM public.regress_before;
\set look 'SELECT * FROM public.found ORDER BY severity, object COLLATE "C", problem COLLATE "C";'
\set cure 'SELECT remedy FROM public.found ORDER BY object COLLATE "C", problem COLLATE "C" \\gexec'
\set rest 'SELECT count(*) AS left FROM public.found;'

-- logins
CREATE ROLE regress_stratum_app LOGIN BYPASSRLS CREATEROLE REPLICATION IN ROLE stratum_app, stratum_admin, pg_read_server_files;
:look
:cure
:rest
CREATE ROLE regress_stratum_group IN ROLE stratum_admin;
CREATE ROLE regress_stratum_clerk LOGIN BYPASSRLS CREATEROLE REPLICATION IN ROLE regress_stratum_group, pg_execute_server_program;
:look
:cure
:rest
DROP ROLE regress_stratum_clerk;

-- owners
CREATE TABLE public.regress_notes (id integer PRIMARY KEY, tenant_id integer NOT NULL, body text);
CREATE INDEX ON public.regress_notes (tenant_id);
ALTER TABLE public.regress_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.regress_notes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON public.regress_notes USING (tenant_id = stratum.current_tenant_id());
:look
ALTER TABLE public.regress_notes OWNER TO regress_stratum_app;
ALTER TABLE stratum.rules OWNER TO regress_stratum_group;
GRANT regress_stratum_group TO regress_stratum_app;
:look
:cure
:rest
SELECT * FROM stratum.check_install() WHERE problem !~ 'audits it';
-- an owner that is no login is not held by policies that are not forced
ALTER TABLE public.regress_notes OWNER TO regress_stratum_group;
ALTER TABLE public.regress_notes NO FORCE ROW LEVEL SECURITY;
:look
:cure
:rest
ALTER TABLE public.regress_notes OWNER TO CURRENT_USER;

-- policies
ALTER TABLE public.regress_notes DISABLE ROW LEVEL SECURITY;
:look
:cure
:rest
ALTER TABLE public.regress_notes DISABLE ROW LEVEL SECURITY;
DROP POLICY tenant_isolation ON public.regress_notes;
GRANT SELECT (body) ON public.regress_notes TO stratum_app;
:look
:cure
:rest
DROP POLICY tenant_isolation ON public.regress_notes;
:look
:cure
:rest
CREATE POLICY everybody ON public.regress_notes FOR SELECT USING (true);
CREATE POLICY writers ON public.regress_notes FOR INSERT TO stratum_app WITH CHECK (body <> '');
CREATE POLICY old_way ON stratum.campaigns USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::integer);
:look
:cure
:rest
-- no fault: one that says the same, one for administrators, one that takes away
CREATE POLICY same ON public.regress_notes FOR SELECT TO stratum_app USING (tenant_id = stratum.current_tenant_id());
CREATE POLICY chiefs ON public.regress_notes TO stratum_admin USING (true);
CREATE POLICY less ON public.regress_notes AS RESTRICTIVE USING (body <> '');
:look

-- partitions and children
CREATE TABLE public.regress_orders (tenant_id integer NOT NULL, id integer, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
ALTER TABLE public.regress_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON public.regress_orders USING (tenant_id = stratum.current_tenant_id());
CREATE TABLE public.regress_orders_1 PARTITION OF public.regress_orders FOR VALUES IN (1);
CREATE TABLE public.regress_orders_2 PARTITION OF public.regress_orders FOR VALUES IN (2);
CREATE TABLE public.regress_old_notes () INHERITS (public.regress_notes);
GRANT SELECT ON public.regress_orders, public.regress_orders_2, public.regress_old_notes TO stratum_app;
:look
:cure
:rest

-- a foreign table
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_server FOREIGN DATA WRAPPER regress_wrapper;
CREATE FOREIGN TABLE public.regress_elsewhere (tenant_id integer) SERVER regress_server;
:look
GRANT SELECT ON public.regress_elsewhere TO stratum_app;
:look
:cure
:rest
DROP FOREIGN DATA WRAPPER regress_wrapper CASCADE;

-- views
CREATE VIEW public.regress_names AS SELECT name FROM stratum.campaigns;
CREATE VIEW public.regress_names_2 WITH (security_barrier) AS SELECT * FROM public.regress_names;
CREATE VIEW public.regress_right WITH (security_invoker = true) AS SELECT name FROM stratum.campaigns;
CREATE VIEW public.regress_nothing AS SELECT 1;
CREATE MATERIALIZED VIEW public.regress_counts AS SELECT count(*) FROM stratum.campaigns;
CREATE MATERIALIZED VIEW public.regress_own_counts AS SELECT count(*) FROM stratum.campaigns;
GRANT SELECT ON public.regress_names_2, public.regress_right, public.regress_counts TO stratum_app;
:look
:cure
:rest

-- functions
CREATE FUNCTION public.regress_astray(a integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM pg_class';
CREATE PROCEDURE public.regress_half() LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS 'SELECT 1';
CREATE FUNCTION public.regress_empty() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
CREATE FUNCTION public.regress_fine() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
:look
:cure
:rest
CREATE FUNCTION public.regress_weak() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION public.regress_weak() OWNER TO regress_stratum_group;
:look
:cure
:rest

-- rights to create
GRANT CREATE ON SCHEMA public TO PUBLIC;
GRANT CREATE ON SCHEMA stratum TO stratum_app;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO PUBLIC', current_database()); END $$;
SELECT severity, regexp_replace(object, 'database .*', 'database'), problem FROM public.found ORDER BY object COLLATE "C";
:cure
:rest

-- statistics
CREATE STATISTICS public."Regress lower" ON (lower(email)) FROM stratum.cdp_profiles;
CREATE STATISTICS public.regress_columns ON tenant_id, email FROM stratum.cdp_profiles;
:look
:cure
:rest
DROP STATISTICS public.regress_columns;

-- indexes; one that is partial or begins otherwise does not count
CREATE TABLE public.regress_slow (id integer PRIMARY KEY, tenant_id bigint);
ALTER TABLE public.regress_slow ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON public.regress_slow USING (tenant_id = stratum.current_tenant_id());
CREATE INDEX ON public.regress_slow (id, tenant_id);
CREATE INDEX ON public.regress_slow (tenant_id) WHERE id > 0;
:look
:cure
:rest

-- sequences
BEGIN;
CREATE TABLE public.regress_counted (id serial PRIMARY KEY, tenant_id integer);
CREATE INDEX ON public.regress_counted (tenant_id);
ALTER TABLE public.regress_counted ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON public.regress_counted USING (tenant_id = stratum.current_tenant_id());
CREATE TABLE public.regress_counted_by (id integer REFERENCES public.regress_counted);
SELECT setval('public.regress_counted_id_seq', 1073741823);
:look
SELECT setval('public.regress_counted_id_seq', 1073741824);
SELECT severity, object, problem FROM public.found;
SELECT setval('public.regress_counted_id_seq', 1932735284);
SELECT severity, object, problem FROM public.found;
SELECT remedy FROM public.found;
:cure
:look
ROLLBACK;

-- stored settings; the library would refuse such a name, so this is a session that has not loaded it
\c -
SET client_min_messages = error;
ALTER ROLE regress_stratum_app SET stratum.jwt_key = 'hush';
DO $$ BEGIN EXECUTE format('ALTER ROLE regress_stratum_app IN DATABASE %I SET stratum.signing_secret = ''hush''', current_database()); END $$;
ALTER ROLE regress_stratum_app SET app.key = 'not ours';
SELECT severity, object, problem, replace(remedy, quote_ident(current_database()), 'DB') AS remedy FROM public.found ORDER BY 2;
CREATE TABLE public.regress_remedies AS SELECT remedy FROM public.found;
\c -
SET client_min_messages = error;
SELECT remedy FROM public.regress_remedies \gexec
SELECT count(*) AS left FROM public.found;

-- server versions
SELECT severity, object, problem, remedy FROM stratum._check_server(150002) ORDER BY 3, 4;
SELECT object, problem FROM stratum._check_server(160009) UNION ALL SELECT object, problem FROM stratum._check_server(170005);
SELECT count(*) FROM unnest('{150018,160014,170010,180004,190000}'::integer[]) v, stratum._check_server(v);

-- and it leaves no trace
SELECT * FROM stratum.check_install() WHERE problem !~ 'audits it';
SET client_min_messages = warning;
DROP TABLE public.regress_orders, public.regress_notes, public.regress_old_notes, public.regress_slow, public.regress_remedies;
DROP VIEW public.found, public.regress_names, public.regress_names_2, public.regress_right, public.regress_nothing;
DROP MATERIALIZED VIEW public.regress_own_counts;
DROP TABLE public.regress_before;
DROP FUNCTION public.regress_astray(integer), public.regress_empty(), public.regress_fine(), public.regress_weak();
DROP PROCEDURE public.regress_half();
DROP OWNED BY regress_stratum_app;
DROP ROLE regress_stratum_app, regress_stratum_group;
