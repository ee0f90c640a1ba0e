-- What the role of a user allows: viewers, protected users, user_can(); and what the application may write of its tenant.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (8701, 'North', 'role-north'), (8702, 'South', 'role-south');
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role, permissions, is_protected, is_active) VALUES
  (8701, 8701, 'ann@role.test', 'x', 'admin', '{}', true, true), (8702, 8701, 'vic@role.test', 'x', 'viewer', '{"export": true}', false, true),
  (8703, 8701, 'mel@role.test', 'x', 'manager', '{"rules.write": false, "billing": true, "platform.manage": true, "read": "no"}', false, true),
  (8704, 8701, 'sue@role.test', 'x', 'superadmin', '{}', false, true), (8705, NULL, 'pat@role.test', 'x', 'superadmin', NULL, false, true),
  (8706, NULL, 'val@role.test', 'x', 'viewer', '[]', false, true), (8707, 8701, 'nil@role.test', 'x', 'analyst', '{}', false, true);
UPDATE stratum.users SET role = NULL WHERE id = 8707;
-- a row of everything
BEGIN;
SELECT stratum.enter(8701);
INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) VALUES (8701, 'meta', 'c', 'a', 'C');
INSERT INTO stratum.cdp_profiles (id, canonical_id, email) VALUES (8701, gen_random_uuid(), 'p@role.test');
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (8701, 's', '{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}]}');
COMMIT;
CREATE ROLE regress_stratum_role LOGIN IN ROLE stratum_app;
CREATE FUNCTION public.role_try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- every table of a tenant has the trigger
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'zz_stratum_viewer') ORDER BY 1;

\c - regress_stratum_role
BEGIN;
SELECT stratum.enter(8701, 8702);
-- a viewer reads
SELECT name FROM stratum.campaigns;
SELECT profile_count FROM stratum.preview_segment('{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}]}');
-- and writes nothing, by whatever way, though it changes no row
SELECT s, role_try(s) FROM unnest(ARRAY[
  'INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES (''meta'', ''v'', ''a'', ''V'')',
  'UPDATE stratum.campaigns SET name = name',
  'UPDATE stratum.campaigns SET name = ''x'' WHERE false',
  'DELETE FROM stratum.campaigns WHERE id = 1',
  'UPDATE stratum.tenants SET name = ''x''',
  'UPDATE stratum.users SET full_name = ''Vic'' WHERE id = 8702',
  'UPDATE stratum.users SET role = ''admin'' WHERE id = 8702',
  'INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES (''meta'', ''c'', ''a'', ''V'') ON CONFLICT DO NOTHING',
  'INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES (''meta'', ''c'', ''a'', ''V'') ON CONFLICT (tenant_id, platform, external_id) DO UPDATE SET name = ''x''',
  'MERGE INTO stratum.campaigns c USING (SELECT 1) x ON c.name = ''C'' WHEN MATCHED THEN DELETE',
  'WITH gone AS (DELETE FROM stratum.cdp_segments RETURNING *) SELECT * FROM gone',
  'SELECT * FROM stratum.refresh_segment(8701)',
  'SELECT * FROM stratum.refresh_segments()']) s;
SELECT c.relname AS writes FROM pg_class c
WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r' AND role_try(format('DELETE FROM stratum.%I', c.relname)) NOT LIKE '42501 %';
-- that it has signed in is logged
SELECT stratum.log_event('login', 'session') > 0 AS logged;
-- leaving does not help, nor another role of the login
SELECT stratum.leave();
UPDATE stratum.campaigns SET name = 'x';
SELECT stratum.enter(8701, 8702);
SET LOCAL ROLE stratum_app;
SELECT role_try('DELETE FROM stratum.campaigns');
ROLLBACK;
-- a viewer of the platform, a user without a role; in a locked session
BEGIN; SELECT stratum.enter(8701, 8706); SELECT role_try('DELETE FROM stratum.campaigns'); ROLLBACK;
BEGIN; SELECT stratum.enter(8701, 8707); SELECT role_try('DELETE FROM stratum.campaigns'); ROLLBACK;
SELECT stratum.enter_session(8701, 8702, '0123456789abcdef');
DELETE FROM stratum.campaigns;
BEGIN; SELECT stratum.enter(8701); DELETE FROM stratum.campaigns; ROLLBACK;
SELECT stratum.leave_session('0123456789abcdef');
-- others write, and the application does without a user
BEGIN; SELECT stratum.enter(8701, 8703); SELECT role_try('UPDATE stratum.campaigns SET name = ''M'''); ROLLBACK;
BEGIN; SELECT stratum.enter(8701, 8705); SELECT role_try('UPDATE stratum.campaigns SET name = ''P'''); ROLLBACK;
BEGIN; SELECT stratum.enter(8701); SELECT role_try('UPDATE stratum.users SET full_name = ''Vic'' WHERE id = 8702'); ROLLBACK;

-- user_can()
CREATE FUNCTION pg_temp.ask(user_id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stratum.enter(8701, user_id);
  RETURN (SELECT string_agg(p, ' ' ORDER BY n) FROM unnest('{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read,connections.manage,users.manage,tenant.manage,platform.manage,billing,nonsense}'::text[])
    WITH ORDINALITY x (p, n) WHERE stratum.user_can(p));
END $$;
SELECT who, pg_temp.ask(id) AS can FROM (VALUES ('admin', 8701), ('viewer, export', 8702), ('manager, not rules, billing', 8703), ('superadmin of a tenant', 8704),
  ('superadmin of the platform', 8705), ('viewer of the platform', 8706), ('no role', 8707), ('no user', NULL)) u (who, id);
SELECT stratum.user_can('read') AS without_context;
\set VERBOSITY sqlstate
SELECT stratum.user_can(NULL);
\set VERBOSITY default

-- protected users
BEGIN;
SELECT stratum.enter(8701);
DELETE FROM stratum.users WHERE id = 8701;
ROLLBACK;
\set VERBOSITY terse
BEGIN;
SELECT stratum.enter(8701);
SELECT s, role_try('UPDATE stratum.users SET ' || s || ' WHERE id = 8701') FROM unnest('{is_deleted = true,is_active = false,is_active = NULL,role = ''viewer'',role = NULL,is_protected = false,is_protected = NULL}'::text[]) s;
SELECT role_try('DELETE FROM stratum.users') AS all;
SELECT role_try('UPDATE stratum.users SET full_name = ''Ann'', password_hash = ''y'', role = role, is_active = is_active, is_protected = is_protected, is_deleted = is_deleted WHERE id = 8701') AS others;
SELECT role_try('UPDATE stratum.users SET is_protected = true WHERE id = 8703') AS protects, role_try('UPDATE stratum.users SET is_protected = false WHERE id = 8703') AS unprotects;
SELECT role_try('UPDATE stratum.users SET role = ''viewer'' WHERE id = 8704') AS not_protected;
-- a function that runs as its owner gives no more
ROLLBACK;
\c - postgres
CREATE FUNCTION public.role_demote() RETURNS text SECURITY DEFINER LANGUAGE sql AS $$ SELECT role_try('UPDATE stratum.users SET role = ''viewer'' WHERE id = 8701') $$;
\c - regress_stratum_role
BEGIN; SELECT stratum.enter(8701); SELECT role_demote(); ROLLBACK;
\c - postgres
BEGIN;
SET LOCAL ROLE stratum_admin;
SELECT role_try('UPDATE stratum.users SET role = ''manager'' WHERE id = 8701') AS demoted, role_try('DELETE FROM stratum.users WHERE id = 8701') AS deleted;
ROLLBACK;
-- the application may send updated_at of its tenant; it is the transaction's all the same
\c - regress_stratum_role
BEGIN;
SELECT stratum.enter(8701);
UPDATE stratum.tenants SET name = 'North 2', updated_at = '2001-01-01';
SELECT name, updated_at = now() AS now FROM stratum.tenants;
UPDATE stratum.tenants SET updated_at = '2001-01-01';
SELECT updated_at = now() AS now FROM stratum.tenants;
SELECT role_try('UPDATE stratum.tenants SET created_at = ''2001-01-01''') AS created_at, role_try('UPDATE stratum.tenants SET max_users = 100') AS max_users;
ROLLBACK;
\c - postgres
-- a table of one's own
CREATE TABLE public.role_notes (tenant_id int DEFAULT stratum.current_tenant_id(), body text);
CREATE TRIGGER viewers BEFORE INSERT OR UPDATE OR DELETE ON public.role_notes EXECUTE FUNCTION stratum.refuse_viewer();
BEGIN; SELECT stratum.enter(8701, 8702); SELECT role_try('INSERT INTO public.role_notes (body) VALUES (''x'')'); ROLLBACK;
BEGIN; SELECT stratum.enter(8701, 8703); SELECT role_try('INSERT INTO public.role_notes (body) VALUES (''x'')'); ROLLBACK;
SELECT stratum.refuse_viewer();
SELECT stratum._guard_protected_user();
DROP TABLE public.role_notes;
DROP FUNCTION public.role_try, public.role_demote;
DROP ROLE regress_stratum_role;
