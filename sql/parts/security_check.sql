-- security_check(): what lets somebody see, change or learn what is another tenant's. Each function below looks for one kind of
-- fault; security_check() puts them together.
-- rights: security_check -> stratum_admin, stratum_auditor

-- Faults of PostgreSQL itself that row security has to fear, with the minor version that cured each. Keep the newest at the end:
-- https://www.postgresql.org/support/security/ has them all.
CREATE FUNCTION stratum._server_faults() RETURNS TABLE (name text, fault text, major integer, cured_in integer)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES
    ('CVE-2023-2455', 'policies disregard a change of the user after inlining', 15, 3),
    ('CVE-2023-39417', 'an extension''s script can be made to run others'' SQL', 15, 4),
    ('CVE-2023-39418', 'MERGE does not enforce policies for UPDATE and SELECT', 15, 4),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 15, 9),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 16, 5),
    ('CVE-2024-10976', 'policies disregard a change of the user below sub-queries', 17, 1),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 15, 9),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 16, 5),
    ('CVE-2024-10978', 'SET ROLE and SET SESSION AUTHORIZATION go back to the wrong user', 17, 1),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 15, 14),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 16, 10),
    ('CVE-2025-8713', 'statistics show values that a policy hides', 17, 6),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 15, 18),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 16, 14),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 17, 10),
    ('CVE-2026-6473', 'whoever can run SQL can overwrite the server''s memory', 18, 4);
$$;
COMMENT ON FUNCTION stratum._server_faults() IS
  'Known faults of PostgreSQL that matter to row security, and the minor versions that cured them; internal to security_check().';

CREATE FUNCTION stratum._check_server(version_num integer)
  RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'warning', format('PostgreSQL %s.%s', f.major, version_num % 10000), f.name || ': ' || f.fault,
         format('Update the server to %s.%s or later; no dump is needed.', f.major, f.cured_in)
  FROM stratum._server_faults() f
  WHERE f.major = version_num / 10000 AND version_num % 10000 < f.cured_in;
$$;
COMMENT ON FUNCTION stratum._check_server(integer) IS
  'The known faults that a server of this version has; internal to security_check().';

-- Tables whose rows are tenants': stratum's, and whatever has a column tenant_id.
CREATE FUNCTION stratum._tenant_relations()
  RETURNS TABLE (oid oid, name text, tenant_column text, kind "char", owner oid, is_ours boolean, is_granted boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT c.oid, c.oid::regclass::text, a.attname::text, c.relkind, c.relowner,
         n.nspname = 'stratum' AND EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'table' AND e.object = c.relname),
         EXISTS (SELECT
                 FROM (SELECT c.relacl AS acl UNION ALL
                       SELECT x.attacl FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attacl IS NOT NULL) r,
                      aclexplode(r.acl) g LEFT JOIN pg_roles o ON o.oid = g.grantee
                 WHERE g.grantee <> c.relowner AND NOT coalesce(o.rolsuper, false))
  FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname = CASE WHEN c.oid = to_regclass('stratum.tenants') THEN 'id' ELSE 'tenant_id' END
  WHERE c.relkind IN ('r', 'p', 'f', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');
$$;
COMMENT ON FUNCTION stratum._tenant_relations() IS
  'Tables and materialized views with rows of tenants, in all schemas, and whether somebody has a right on them; internal to security_check().';

-- Logins for which row security is no wall. The membership to revoke is the login's own, by which it gets there.
CREATE FUNCTION stratum._check_logins() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH logins AS (
    SELECT r.*, pg_has_role(r.oid, 'stratum_app', 'MEMBER') AS is_app
    FROM pg_roles r WHERE r.rolcanlogin
  ), mortals AS (
    SELECT * FROM logins WHERE NOT rolsuper
  )
  SELECT 'note', 'role ' || l.rolname, 'a superuser sees every tenant', 'Let no application connect as this role.'
  FROM logins l WHERE l.rolsuper
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'warning' END, 'role ' || l.rolname, 'bypasses row security', format('ALTER ROLE %I NOBYPASSRLS;', l.rolname)
  FROM mortals l WHERE l.rolbypassrls
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'warning' END, 'role ' || l.rolname, 'may make itself a member of other roles',
         format('ALTER ROLE %I NOCREATEROLE;', l.rolname)
  FROM mortals l WHERE l.rolcreaterole
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' ELSE 'note' END, 'role ' || l.rolname, 'reads every row through replication', format('ALTER ROLE %I NOREPLICATION;', l.rolname)
  FROM mortals l WHERE l.rolreplication
  UNION ALL
  SELECT CASE WHEN l.is_app THEN 'error' WHEN g.rolname = 'stratum_admin' THEN 'note' ELSE 'warning' END, 'role ' || l.rolname,
         CASE WHEN g.rolname = 'stratum_admin' THEN 'is an administrator of every tenant' ELSE 'has the rights of ' || g.rolname END,
         format('REVOKE %I FROM %I%s;', via.rolname, l.rolname,
                -- from 16 on each grantor's grant is one of its own
                CASE WHEN m.grantor <> 10 AND current_setting('server_version_num')::integer >= 160000
                     THEN format(' GRANTED BY %I', pg_get_userbyid(m.grantor)) END)
  FROM mortals l
    JOIN pg_roles g ON g.rolname IN ('stratum_admin', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
                       AND pg_has_role(l.oid, g.oid, 'MEMBER')
    JOIN pg_auth_members m ON m.member = l.oid
    JOIN pg_roles via ON via.oid = m.roleid AND pg_has_role(via.oid, g.oid, 'MEMBER')
  UNION ALL
  SELECT CASE WHEN t.is_ours OR l.is_app THEN 'error' ELSE 'warning' END, 'table ' || t.name,
         format('is the login %I''s, who can take its policies off', l.rolname), format('ALTER TABLE %s OWNER TO %I;', t.name, s.rolname)
  FROM mortals l JOIN stratum._tenant_relations() t ON t.kind IN ('r', 'p') AND pg_has_role(l.oid, t.owner, 'MEMBER')
    CROSS JOIN (SELECT r.rolname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = to_regclass('stratum.tenants')) s;
$$;
COMMENT ON FUNCTION stratum._check_logins() IS
  'Roles that log in and for which row security is no wall; internal to security_check().';

CREATE FUNCTION stratum._check_policies() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH tables AS (
    SELECT t.*, c.relrowsecurity AS is_on, c.relforcerowsecurity AS is_forced, p.inhparent::regclass AS parent,
           EXISTS (SELECT FROM pg_policy x WHERE x.polrelid = t.oid AND x.polpermissive) AS has_policy,
           format('CREATE POLICY tenant_isolation ON %s USING (%I = stratum.current_tenant_id());', t.name, t.tenant_column) AS cure
    FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
      LEFT JOIN pg_inherits p ON p.inhrelid = t.oid AND p.inhseqno = 1
    WHERE t.kind IN ('r', 'p')
  )
  -- Nobody reaches a child by its own name who has no right on it.
  SELECT CASE WHEN t.is_granted THEN 'error' WHEN t.parent IS NULL THEN 'warning' ELSE 'note' END, 'table ' || t.name,
         CASE WHEN t.parent IS NULL THEN 'has no row security' ELSE format('has no row security of its own; that of %s does not count when it is named itself', t.parent) END,
         concat_ws(' ', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.name), CASE WHEN NOT t.has_policy THEN t.cure END)
  FROM tables t WHERE NOT t.is_on
  UNION ALL
  SELECT 'warning', 'table ' || t.name, 'has row security but no policy: nobody sees a row', t.cure
  FROM tables t WHERE t.is_on AND NOT t.has_policy
  UNION ALL
  SELECT 'warning', 'table ' || t.name, 'does not hold its owner to the policies', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', t.name)
  FROM tables t JOIN pg_roles o ON o.oid = t.owner WHERE t.is_on AND NOT t.is_forced AND NOT o.rolsuper
  UNION ALL
  SELECT 'error', 'foreign table ' || t.name, 'has no row security', format('REVOKE ALL ON %s FROM PUBLIC, stratum_app;', t.name)
  FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
  WHERE t.kind = 'f' AND EXISTS (SELECT FROM aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
                                 WHERE g.grantee = 0 OR r.rolname = 'stratum_app');
$$;
COMMENT ON FUNCTION stratum._check_policies() IS
  'Tables with rows of tenants, partitions and children among them, that no policy keeps apart; internal to security_check().';

-- A permissive policy is OR-ed with the others, so each has to ask for the tenant. Stratum's own are those of the manifest.
CREATE FUNCTION stratum._check_foreign_policies() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'error', format('policy %s on %s', p.polname, t.name), 'lets rows through that are not the tenant''s', format('DROP POLICY %I ON %s;', p.polname, t.name)
  FROM stratum._tenant_relations() t
    JOIN pg_policy p ON p.polrelid = t.oid
    CROSS JOIN LATERAL (SELECT format('(%I = stratum.current_tenant_id())', t.tenant_column) AS expression) tenant
  WHERE p.polpermissive
    AND NOT (coalesce(pg_get_expr(p.polqual, p.polrelid), tenant.expression) = tenant.expression
             AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), tenant.expression) = tenant.expression)
    AND NOT (p.polroles <@ ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname IN ('stratum_admin', 'stratum_auditor')) AND p.polroles <> '{0}')
    AND NOT (t.is_ours AND EXISTS (
      SELECT FROM stratum._storage_expected() e JOIN stratum._storage_found() f USING (kind, object, definition)
      WHERE e.kind = 'policy' AND e.object = (SELECT c.relname FROM pg_class c WHERE c.oid = t.oid) || '.' || p.polname));
$$;
COMMENT ON FUNCTION stratum._check_foreign_policies() IS
  'Permissive policies that do not ask for the tenant; internal to security_check().';

-- A view asks row security as its owner, unless it has security_invoker; through views over views too.
CREATE FUNCTION stratum._check_views() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH RECURSIVE reads AS (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    WHERE d.refobjid <> r.ev_class
  ), over_tenants AS (
    SELECT t.oid FROM stratum._tenant_relations() t WHERE t.kind IN ('r', 'p')
    UNION
    SELECT r.view FROM reads r JOIN over_tenants o ON o.oid = r.relation
  )
  SELECT CASE WHEN g.is_granted THEN 'error' ELSE 'warning' END, CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || c.oid::regclass,
         CASE c.relkind WHEN 'v' THEN format('reads as its owner %I, who sees every tenant', o.rolname) ELSE 'has no row security' END,
         CASE c.relkind WHEN 'v' THEN format('ALTER VIEW %s SET (security_invoker = true);', c.oid::regclass) ELSE format('DROP MATERIALIZED VIEW %s;', c.oid::regclass) END
  FROM over_tenants x
    JOIN pg_class c ON c.oid = x.oid AND c.relkind IN ('v', 'm')
    JOIN pg_roles o ON o.oid = c.relowner
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
                                       WHERE a.grantee <> c.relowner AND NOT coalesce(r.rolsuper, false)) AS is_granted) g
  WHERE c.relnamespace <> 'information_schema'::regnamespace AND c.relnamespace <> 'pg_catalog'::regnamespace
    AND (c.relkind = 'm' AND g.is_granted
         OR c.relkind = 'v' AND (o.rolsuper OR o.rolbypassrls OR pg_has_role(o.oid, 'stratum_admin', 'USAGE'))
            AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) p WHERE p.option_name = 'security_invoker' AND p.option_value::boolean));
$$;
COMMENT ON FUNCTION stratum._check_views() IS
  'Views and materialized views that show rows of every tenant; internal to security_check().';

CREATE FUNCTION stratum._check_definers() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH definers AS (
    SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END AS kind, o.rolsuper OR o.rolbypassrls AS is_mighty,
           (SELECT substr(c, length('search_path=') + 1) FROM unnest(p.proconfig) c WHERE c LIKE 'search\_path=%') AS path
    FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
    WHERE p.prosecdef AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
  )
  SELECT CASE WHEN d.is_mighty THEN 'error' ELSE 'warning' END, d.kind || d.oid::regprocedure,
         'runs as its owner with the caller''s search_path, so with the caller''s functions and operators',
         format('ALTER %s%s SET search_path = pg_catalog, pg_temp;', upper(d.kind), d.oid::regprocedure)
  FROM definers d WHERE d.path IS NULL
  UNION ALL
  SELECT 'note', d.kind || d.oid::regprocedure, 'runs as its owner and looks for tables in the caller''s temporary schema first',
         format('ALTER %s%s SET search_path = %s, pg_temp;', upper(d.kind), d.oid::regprocedure, coalesce(nullif(d.path, '""'), 'pg_catalog'))
  FROM definers d WHERE d.path !~ '\mpg_temp\M';
$$;
COMMENT ON FUNCTION stratum._check_definers() IS
  'SECURITY DEFINER functions that can be led astray; internal to security_check().';

-- Where the application may leave objects for others to stumble over.
CREATE FUNCTION stratum._check_public_rights() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN n.nspname = 'stratum' THEN 'error' ELSE 'warning' END, 'schema ' || n.nspname,
         format('%s may create objects in it', w.who), format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname, w.who)
  FROM pg_namespace n
    CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    CROSS JOIN LATERAL (SELECT coalesce((SELECT quote_ident(r.rolname) FROM pg_roles r WHERE r.oid = a.grantee), 'PUBLIC') AS who) w
  WHERE a.privilege_type = 'CREATE' AND w.who IN ('PUBLIC', 'stratum_app')
  UNION ALL
  SELECT CASE a.privilege_type WHEN 'CREATE' THEN 'warning' ELSE 'note' END, 'database ' || d.datname,
         CASE a.privilege_type WHEN 'CREATE' THEN 'PUBLIC may create schemas in it' ELSE 'PUBLIC may create temporary objects in it' END,
         format('REVOKE %s ON DATABASE %I FROM PUBLIC;', a.privilege_type, d.datname)
  FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type IN ('CREATE', 'TEMPORARY');
$$;
COMMENT ON FUNCTION stratum._check_public_rights() IS
  'Rights to create objects that everybody has; internal to security_check().';

CREATE FUNCTION stratum._check_statistics() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM stratum._check_server(current_setting('server_version_num')::integer) f
                           WHERE f.problem LIKE 'CVE-2025-8713%') THEN 'error' ELSE 'note' END,
         format('statistics %I.%I on %s', n.nspname, s.stxname, t.name), 'hold values of an expression from rows of every tenant',
         format('DROP STATISTICS %I.%I;', n.nspname, s.stxname)
  FROM pg_statistic_ext s JOIN stratum._tenant_relations() t ON t.oid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
  WHERE s.stxexprs IS NOT NULL;
$$;
COMMENT ON FUNCTION stratum._check_statistics() IS
  'Extended statistics on expressions over rows of tenants; internal to security_check().';

CREATE FUNCTION stratum._check_tenant_indexes() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'warning', 'table ' || t.name, 'has no index that begins with ' || t.tenant_column || ': every tenant''s query reads all tenants'' rows',
         format('CREATE INDEX ON %s (%I);', t.name, t.tenant_column)
  FROM stratum._tenant_relations() t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = t.tenant_column
  WHERE t.kind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum);
$$;
COMMENT ON FUNCTION stratum._check_tenant_indexes() IS
  'Tables without an index for the policy to use; internal to security_check().';

-- One tenant who writes enough ends the ids of all. What refers to such an id has to be widened with it: of stratum's own
-- that is more than references tell.
CREATE FUNCTION stratum._check_sequences() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT CASE WHEN used.share > 0.9 THEN 'error' ELSE 'warning' END, 'sequence ' || d.objid::regclass,
         format('%s of 2147483647 ids of %s are used, by all tenants together', used.last, t.name),
         CASE WHEN EXISTS (SELECT FROM stratum._id_columns() i WHERE i.sequence_oid = d.objid) THEN 'CALL stratum.widen_ids();'
              ELSE concat_ws(' ',
                (SELECT string_agg(format('ALTER TABLE %s ALTER %I TYPE bigint;', k.conrelid::regclass, x.attname), ' ' ORDER BY k.conrelid::regclass::text)
                 FROM pg_constraint k JOIN pg_attribute x ON x.attrelid = k.conrelid AND x.attnum = k.conkey[array_position(k.confkey, a.attnum)]
                 WHERE k.contype = 'f' AND k.confrelid = t.oid AND a.attnum = ANY (k.confkey) AND x.atttypid = 'integer'::regtype),
                format('ALTER TABLE %s ALTER %I TYPE bigint; ALTER SEQUENCE %s AS bigint;', t.name, a.attname, d.objid::regclass)) END
  FROM stratum._tenant_relations() t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.atttypid = 'integer'::regtype
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum
      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_sequence s ON s.seqrelid = d.objid
    CROSS JOIN LATERAL (SELECT pg_sequence_last_value(d.objid) AS last, pg_sequence_last_value(d.objid) / 2147483647.0 AS share) used
  WHERE used.share > 0.5;
$$;
COMMENT ON FUNCTION stratum._check_sequences() IS
  'Sequences of integer ids that are past 50 or 90 per cent; internal to security_check().';

-- A setting can be read by everybody until the library is loaded.
CREATE FUNCTION stratum._check_stored_settings() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'error', 'setting ' || x.name, 'a secret in a setting can be read by everybody',
         CASE WHEN r.rolname IS NULL AND d.datname IS NULL THEN format('ALTER ROLE ALL RESET %s;', q.name)
              WHEN r.rolname IS NULL THEN format('ALTER DATABASE %I RESET %s;', d.datname, q.name)
              WHEN d.datname IS NULL THEN format('ALTER ROLE %I RESET %s;', r.rolname, q.name)
              ELSE format('ALTER ROLE %I IN DATABASE %I RESET %s;', r.rolname, d.datname, q.name) END
  FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL (SELECT split_part(c, '=', 1) AS name FROM unnest(s.setconfig) c) x
    CROSS JOIN LATERAL (SELECT string_agg(quote_ident(part), '.') AS name FROM unnest(string_to_array(x.name, '.')) part) q
  WHERE x.name ~* '^stratum\..*(key|secret|password|token)'
  UNION ALL
  SELECT DISTINCT 'error', 'setting ' || f.name, 'a secret in a setting can be read by everybody',
         format('Remove the line from %s, then SELECT pg_reload_conf();', f.sourcefile)
  FROM pg_file_settings f WHERE f.name ~* '^stratum\..*(key|secret|password|token)';
$$;
COMMENT ON FUNCTION stratum._check_stored_settings() IS
  'Secrets in settings of roles, databases and configuration files; internal to security_check().';

CREATE FUNCTION stratum.security_check() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT c.severity, c.object, c.problem, c.remedy
    FROM (SELECT * FROM stratum._check_logins() UNION
          SELECT * FROM stratum._check_policies() UNION
          SELECT * FROM stratum._check_foreign_policies() UNION
          SELECT * FROM stratum._check_views() UNION
          SELECT * FROM stratum._check_definers() UNION
          SELECT * FROM stratum._check_foreign_triggers() UNION
          SELECT * FROM stratum._check_public_rights() UNION
          SELECT * FROM stratum._check_statistics() UNION
          SELECT * FROM stratum._check_server(current_setting('server_version_num')::integer) UNION
          SELECT * FROM stratum._check_tenant_indexes() UNION
          SELECT * FROM stratum._check_sequences() UNION
          SELECT * FROM stratum._check_stored_settings()) c
    ORDER BY array_position('{error,warning,note}', c.severity), c.object COLLATE "C", c.problem COLLATE "C";
END $$;
COMMENT ON FUNCTION stratum.security_check() IS
  'What lets somebody see, change or learn what is another tenant''s, the worst first: error, warning, note; each with a remedy.';
