-- The rights on every object. PUBLIC has none.
SELECT format('%s %s', CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure) AS member,
       (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ', ' ORDER BY r.rolname)
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE a.grantee <> p.proowner) AS executed_by,
       CASE WHEN p.prosecdef THEN 'definer' END AS runs_as
FROM pg_proc p
WHERE p.pronamespace = 'stratum'::regnamespace
ORDER BY p.proname LIKE '\_%', p.oid::regprocedure::text COLLATE "C";

SELECT c.relname, coalesce(r.rolname, 'PUBLIC') AS role, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS rights
FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'v', 'S') AND a.grantee <> c.relowner
GROUP BY c.relname, r.rolname
ORDER BY c.relname COLLATE "C", r.rolname COLLATE "C";

SELECT a.attrelid::regclass, a.attname, r.rolname, x.privilege_type
FROM pg_attribute a, aclexplode(a.attacl) x JOIN pg_roles r ON r.oid = x.grantee
WHERE a.attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'stratum'::regnamespace)
ORDER BY 1, 2, 3;

SELECT t.oid::regtype, string_agg(coalesce(r.rolname, 'PUBLIC'), ', ' ORDER BY r.rolname) AS used_by
FROM pg_type t, aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE t.typnamespace = 'stratum'::regnamespace AND t.typtype = 'e' AND a.grantee <> t.typowner
GROUP BY t.oid ORDER BY t.typname;

SELECT string_agg(r.rolname || ':' || a.privilege_type, ', ' ORDER BY r.rolname) AS schema_rights
FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = 'stratum' AND a.grantee <> n.nspowner;

-- A definer function has its search_path pinned.
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace = 'stratum'::regnamespace AND p.prosecdef
  AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
-- Row security is on and forced everywhere, with these policies.
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
       string_agg(format('%s to %s using (%s)', p.polname,
                         coalesce((SELECT string_agg(r.rolname, ',') FROM pg_roles r WHERE r.oid = ANY (p.polroles)), 'everyone'),
                         pg_get_expr(p.polqual, p.polrelid)), '; ' ORDER BY p.polname) AS policies
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r'
GROUP BY c.oid ORDER BY c.relname;
