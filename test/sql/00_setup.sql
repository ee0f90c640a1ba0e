-- The extension installs, is healthy, and knows its version. The other tests use this database.
CREATE EXTENSION stratum;
SELECT stratum.version() = extversion AS version_is_extversion, stratum.storage_version()
FROM pg_extension WHERE extname = 'stratum';
SELECT * FROM stratum.check_install();
-- twice: PostgreSQL's own error
CREATE EXTENSION stratum;
-- storage is no member, logic is nothing but members
SELECT c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'stratum');
SELECT p.proname FROM pg_proc p
WHERE p.pronamespace = 'stratum'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e');
-- no member's signature names a storage type
SELECT p.oid::regprocedure FROM pg_proc p, unnest(p.proallargtypes || p.proargtypes::oid[] || p.prorettype) t
WHERE p.pronamespace = 'stratum'::regnamespace
  AND t IN (SELECT oid FROM pg_type WHERE typnamespace = 'stratum'::regnamespace);
-- everything has a comment
SELECT 'function ' || p.oid::regprocedure AS without_comment FROM pg_proc p
WHERE p.pronamespace = 'stratum'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'relation ' || c.oid::regclass FROM pg_class c
WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'S', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column ' || c.oid::regclass || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND col_description(c.oid, a.attnum) IS NULL
UNION ALL
SELECT 'type ' || t.oid::regtype FROM pg_type t
WHERE t.typnamespace = 'stratum'::regnamespace AND t.typtype = 'e' AND obj_description(t.oid, 'pg_type') IS NULL
UNION ALL
SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'stratum'::regnamespace AND NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
UNION ALL
SELECT 'policy ' || p.polname || ' on ' || p.polrelid::regclass FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'stratum'::regnamespace AND obj_description(p.oid, 'pg_policy') IS NULL
UNION ALL
SELECT 'setting ' || name FROM pg_settings WHERE name LIKE 'stratum.%' AND short_desc = '';
