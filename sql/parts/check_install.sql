-- check_install(): what is missing, foreign, changed or of another version.

CREATE FUNCTION stratum._acl_rights(acl aclitem[], suffix text DEFAULT '')
  RETURNS TABLE (role text, privilege text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(r.rolname::text, 'PUBLIC'), a.privilege_type || suffix
  FROM aclexplode(acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE a.grantee = 0 OR r.rolname IN ('stratum_app', 'stratum_admin', 'stratum_auditor', 'stratum_auth');
$$;
COMMENT ON FUNCTION stratum._acl_rights(aclitem[], text) IS
  'Rights of PUBLIC and of the stratum roles in an access list; internal to check_install().';

-- The storage as the catalogs tell it, one row a thing. _storage_expected() holds the same rows of a
-- fresh install; see CONTRIBUTING.md for how it is made.
CREATE FUNCTION stratum._storage_found() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH tables AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'stratum' AND c.relkind IN ('r', 'p')
  )
  SELECT 'type', t.typname::text, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid
  WHERE n.nspname = 'stratum'
  GROUP BY t.typname
  UNION ALL
  SELECT 'table', relname::text,
         concat_ws(', ', CASE WHEN relrowsecurity THEN 'row security' END,
                         CASE WHEN relforcerowsecurity THEN 'forced' END,
                         CASE WHEN relpersistence = 'u' THEN 'UNLOGGED' END)
  FROM tables
  UNION ALL
  SELECT 'column', t.relname || '.' || a.attname,
         concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                   'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT 'constraint', t.relname || '.' || c.conname, pg_get_constraintdef(c.oid)
  FROM tables t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype IN ('p', 'u', 'f', 'c')
  UNION ALL
  SELECT 'index', i.relname::text, pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
  FROM tables t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.conrelid = t.oid)
  UNION ALL
  SELECT 'policy', t.relname || '.' || p.polname,
         concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd::text,
                   'to', (SELECT string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY r.rolname)
                          FROM unnest(p.polroles) o LEFT JOIN pg_roles r ON r.oid = o),
                   'using', pg_get_expr(p.polqual, p.polrelid),
                   'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
  UNION ALL
  SELECT 'trigger', t.relname || '.' || g.tgname,
         pg_get_triggerdef(g.oid) ||
         CASE g.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ON REPLICA' ELSE ' ALWAYS' END
  FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text,
         concat_ws(' ', l.lanname, p.provolatile, CASE WHEN p.prosecdef THEN 'definer' END,
                   -- as it is where whoever made it did not quote all identifiers
                   replace(array_to_string(p.proconfig, '; '), '"pg_catalog", "pg_temp"', 'pg_catalog, pg_temp'), md5(p.prosrc))
  FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid JOIN pg_language l ON l.oid = p.prolang
  WHERE p.proname <> '_storage_expected'  -- it cannot hold itself
  UNION ALL
  SELECT 'right', r.name || ' to ' || r.role, string_agg(r.privilege, ', ' ORDER BY r.privilege)
  FROM (
    SELECT t.relname::text AS name, a.role, a.privilege FROM tables t, stratum._acl_rights(t.relacl) a
    UNION ALL
    SELECT t.relname::text, c.role, c.privilege
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attacl IS NOT NULL,
         stratum._acl_rights(a.attacl, ' (' || a.attname || ')') c
    UNION ALL
    SELECT s.relname::text, a.role, a.privilege
    FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = 'stratum',
         stratum._acl_rights(s.relacl) a
    WHERE s.relkind = 'S'
    UNION ALL
    SELECT 'SCHEMA stratum', a.role, a.privilege
    FROM pg_namespace n, stratum._acl_rights(n.nspacl) a WHERE n.nspname = 'stratum'
    UNION ALL
    SELECT 'TYPE ' || format_type(t.oid, NULL), a.role, a.privilege
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname = 'stratum',
         stratum._acl_rights(coalesce(t.typacl, acldefault('T', t.typowner))) a
    WHERE t.typtype = 'e'
    UNION ALL
    SELECT 'ROUTINE ' || p.oid::regprocedure, a.role, a.privilege
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid,
         stratum._acl_rights(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE a.role = 'PUBLIC'  -- the roles' rights on members come with the script
  ) r
  GROUP BY r.name, r.role;
$$;
COMMENT ON FUNCTION stratum._storage_found() IS
  'The storage as the catalogs tell it, one row a thing; internal to check_install().';

CREATE FUNCTION stratum._storage_owners() RETURNS TABLE (object text, is_superuser boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH owned AS (
    SELECT c.oid::regclass::text AS object, c.relowner AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'stratum'
      AND (c.relname IN (SELECT e.object FROM stratum._storage_expected() e WHERE e.kind = 'table')
           OR c.relname IN (SELECT e.object || '_id_seq' FROM stratum._storage_expected() e WHERE e.kind = 'table'))
    UNION ALL
    SELECT 'type ' || t.oid::regtype::text, t.typowner
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = 'stratum'
      AND t.typname IN (SELECT e.object FROM stratum._storage_expected() e WHERE e.kind = 'type')
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure::text, p.proowner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'stratum'
  )
  SELECT o.object, r.rolsuper FROM owned o JOIN pg_roles r ON r.oid = o.owner;
$$;
COMMENT ON FUNCTION stratum._storage_owners() IS
  'Owners of the storage, and of every function beside it; internal to install() and check_install().';

CREATE FUNCTION stratum._commands_to_join(storage text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT format('ALTER EXTENSION stratum UPDATE TO %L; ALTER EXTENSION stratum UPDATE TO %L;', storage, stratum.version()) $$;
COMMENT ON FUNCTION stratum._commands_to_join(text) IS
  'What brings storage of another version to that of the extension: down or up to it, and back together; internal to check_install() and install().';

CREATE FUNCTION stratum._check_versions() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  extension text := stratum.version();
  library text := stratum._library_version();
  storage text := stratum._storage_version();
BEGIN
  IF library <> extension THEN
    RETURN QUERY SELECT 'library', format('library is version %s, extension is %s', library, extension),
      'Install the files of one version, then ALTER EXTENSION stratum UPDATE, and connect anew.';
  END IF;
  IF storage IS NULL THEN
    RETURN QUERY SELECT 'stratum.storage_version()', 'missing', 'SELECT stratum.install();';
  ELSIF storage <> extension THEN
    RETURN QUERY SELECT 'storage', format('storage is version %s, extension is %s', storage, extension),
      stratum._commands_to_join(storage);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_versions() IS
  'Where library, extension and storage are of different versions; internal to check_install().';

CREATE FUNCTION stratum._check_roles() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH ours AS (
    SELECT x.name, r.*
    FROM unnest(ARRAY['stratum_app', 'stratum_admin', 'stratum_auditor', 'stratum_auth']) x (name)
      LEFT JOIN pg_roles r ON r.rolname = x.name
  )
  SELECT 'role ' || o.name, 'missing', format('CREATE ROLE %I NOLOGIN; SELECT stratum.install();', o.name)
  FROM ours o WHERE o.rolname IS NULL
  UNION ALL
  SELECT 'role ' || o.name, a.problem, format('ALTER ROLE %I %s;', o.name, a.cure)
  FROM ours o,
       (VALUES ('is a superuser', 'NOSUPERUSER'), ('bypasses row security', 'NOBYPASSRLS'), ('can log in', 'NOLOGIN'),
               ('can create roles', 'NOCREATEROLE'), ('can replicate', 'NOREPLICATION')) a (problem, cure)
  WHERE CASE a.cure WHEN 'NOSUPERUSER' THEN o.rolsuper WHEN 'NOBYPASSRLS' THEN o.rolbypassrls WHEN 'NOLOGIN' THEN o.rolcanlogin
                    WHEN 'NOCREATEROLE' THEN o.rolcreaterole ELSE o.rolreplication END
  UNION ALL
  SELECT 'role ' || o.name, 'is a member of ' || g.rolname, format('REVOKE %I FROM %I;', g.rolname, o.name)
  FROM ours o JOIN pg_auth_members m ON m.member = o.oid JOIN pg_roles g ON g.oid = m.roleid
  WHERE g.rolsuper OR g.rolbypassrls OR g.rolname LIKE 'pg\_%' OR g.rolname LIKE 'stratum\_%';
$$;
COMMENT ON FUNCTION stratum._check_roles() IS
  'Roles that are missing or may more than a stratum role should; internal to check_install().';

-- What install() puts back, and what a person has to.
CREATE FUNCTION stratum._remedy(kind text, object text, expected text, found text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN kind = 'trigger' AND found LIKE '% DISABLED' THEN
      format('ALTER TABLE stratum.%s ENABLE TRIGGER %s;', split_part(object, '.', 1), split_part(object, '.', 2))
    WHEN kind = 'table' AND found LIKE '%UNLOGGED' THEN format('ALTER TABLE stratum.%s SET LOGGED;', object)
    WHEN kind = 'column' AND expected ~ '^bigint' AND found ~ '^integer' THEN 'CALL stratum.widen_ids();'
    WHEN kind = 'constraint' AND found = expected || ' NOT VALID' THEN
      format('ALTER TABLE stratum.%s VALIDATE CONSTRAINT %s;', split_part(object, '.', 1), split_part(object, '.', 2))
    WHEN kind = 'right' AND object ~ '^(SCHEMA|ROUTINE) ' THEN
      concat('REVOKE ALL ON ', regexp_replace(object, ' to (.*)$', ' FROM \1; '),
             'GRANT ' || expected || ' ON ' || object || ';')
    WHEN kind IN ('table', 'trigger', 'policy', 'right') OR (kind = 'type' AND found IS NULL)
      OR (kind = 'column' AND object LIKE '%.tenant_id' AND found IS NOT NULL) THEN 'SELECT stratum.install();'
    WHEN kind = 'function' THEN 'DROP EXTENSION stratum CASCADE; CREATE EXTENSION stratum; /* the tables stay */'
    WHEN kind = 'index' THEN
      concat(CASE WHEN found IS NOT NULL THEN 'DROP INDEX stratum.' || object || '; ' END,
             CASE WHEN object IN (SELECT o.name FROM stratum._optional_indexes() o) THEN 'SELECT stratum.install()'
                  ELSE expected END, ';')
    WHEN kind = 'constraint' THEN
      format('ALTER TABLE stratum.%1$s %2$sADD CONSTRAINT %3$s %4$s;', split_part(object, '.', 1),
             CASE WHEN found IS NOT NULL THEN format('DROP CONSTRAINT %s, ', split_part(object, '.', 2)) END,
             split_part(object, '.', 2), expected)
    ELSE 'Put it back by hand: ' || expected
  END;
$$;
COMMENT ON FUNCTION stratum._remedy(text, text, text, text) IS
  'What to do about a difference; internal to check_install().';

-- Rights that nothing expects: PUBLIC's on anything of ours, a stratum role's on our tables.
CREATE FUNCTION stratum._check_surplus_rights() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'right ' || f.object, 'surplus: ' || f.definition, stratum._remedy(f.kind, f.object, NULL, f.definition)
  FROM stratum._storage_found() f
  WHERE f.kind = 'right'
    AND NOT EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'right' AND e.object = f.object)
    AND (f.object ~ '^(SCHEMA|TYPE|ROUTINE) '
         OR EXISTS (SELECT FROM stratum._storage_expected() e
                    WHERE e.kind = 'table' AND split_part(f.object, ' ', 1) IN (e.object, e.object || '_id_seq')))
  UNION ALL
  SELECT 'schema stratum', format('%s may create objects in it', r.rolname), format('REVOKE CREATE ON SCHEMA stratum FROM %I;', r.rolname)
  FROM pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee
  WHERE n.nspname = 'stratum' AND a.privilege_type = 'CREATE' AND NOT r.rolsuper AND r.rolname NOT LIKE 'stratum\_%'
  ORDER BY 1;
$$;
COMMENT ON FUNCTION stratum._check_surplus_rights() IS
  'Rights on the storage and the members that a fresh install does not give; internal to check_install().';

CREATE FUNCTION stratum.check_install() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY SELECT v.object, v.problem, v.remedy FROM stratum._check_versions() v;
  -- Tables of another version differ in much, all of which goes with that.
  IF stratum._storage_version() <> stratum.version() THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT r.object, r.problem, r.remedy FROM stratum._check_roles() r;
  RETURN QUERY
    SELECT o.object, 'foreign: its owner is not a superuser', 'ALTER ... OWNER TO a superuser, after looking at it.'
    FROM stratum._storage_owners() o WHERE NOT o.is_superuser;
  RETURN QUERY
    SELECT e.kind || ' ' || e.object,
           CASE WHEN f.object IS NULL THEN 'missing'
                WHEN f.definition = e.definition || ' DISABLED' THEN 'disabled'
                ELSE format('changed: is "%s", should be "%s"', f.definition, e.definition) END,
           stratum._remedy(e.kind, e.object, e.definition, f.definition)
    FROM stratum._storage_wanted() e
      LEFT JOIN stratum._storage_found() f ON f.kind = e.kind AND f.object = e.object
    WHERE f.definition IS DISTINCT FROM e.definition
      -- audit_table() was called for one of our tables: _check_audited_tables() looks after it
      AND NOT (e.kind = 'trigger' AND (stratum._is_chosen_audit(e.object) OR stratum._is_other_audit_form(e.object)))
      -- a table that is missing says enough
      AND (e.kind IN ('table', 'type', 'index', 'function') OR e.object ~ '^(SCHEMA|TYPE|ROUTINE) '
           OR to_regclass('stratum.' || quote_ident(split_part(split_part(e.object, ' ', 1), '.', 1))) IS NOT NULL)
    ORDER BY e.kind, e.object;
  RETURN QUERY SELECT w.object, w.problem, w.remedy FROM stratum._check_widths() w;
  RETURN QUERY SELECT p.object, p.problem, p.remedy FROM stratum._check_partitions() p;
  RETURN QUERY SELECT r.object, r.problem, r.remedy FROM stratum._check_surplus_rights() r;
  RETURN QUERY SELECT a.object, a.problem, a.remedy FROM stratum._check_audited_tables() a;
  IF to_regclass('stratum.audited_tables') IS NOT NULL THEN
    RETURN QUERY SELECT u.object, u.problem, u.remedy FROM stratum._check_unaudited_tables() u;
  END IF;
  RETURN QUERY SELECT f.object, f.problem, f.remedy FROM stratum._check_audit_forms() f;
END $$;
COMMENT ON FUNCTION stratum.check_install() IS
  'One row for each thing of the install that is missing, foreign, changed or of another version; none on a healthy one.';

CREATE FUNCTION stratum._check_audited_tables() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF to_regclass('stratum.audited_tables') IS NOT NULL THEN
    RETURN QUERY
      SELECT 'audited table ' || t.table_name, 'renamed or dropped',
             format('SELECT stratum.audit_table(''new name''); DELETE FROM stratum.audited_tables WHERE table_name = %L;', t.table_name)
      FROM stratum.audited_tables t WHERE to_regclass(t.table_name) IS NULL;
    RETURN QUERY
      SELECT format('trigger %s on %s', x.trigger_name, t.table_name),
             CASE WHEN g.oid IS NULL THEN 'missing' ELSE 'disabled' END,
             CASE WHEN g.oid IS NULL
                  THEN format('SELECT stratum.audit_table(%L, %L, %L, %L);', t.table_name, t.redact, t.ignore, t.operations)
                  ELSE format('ALTER TABLE %s ENABLE TRIGGER %s;', t.table_name, x.trigger_name) END
      FROM stratum.audited_tables t
        CROSS JOIN LATERAL stratum._audit_triggers_wanted(to_regclass(t.table_name), t.operations) x
        LEFT JOIN pg_trigger g ON g.tgrelid = to_regclass(t.table_name) AND g.tgname = x.trigger_name
      WHERE to_regclass(t.table_name) IS NOT NULL AND (g.oid IS NULL OR g.tgenabled = 'D')
        -- a table that the triggers of another form are on is told of below
        AND NOT stratum._audit_form_misfits(to_regclass(t.table_name));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_audited_tables() IS
  'Audited tables of the user whose triggers are missing or disabled; internal to check_install().';

CREATE FUNCTION stratum._audit_triggers_wanted(table_name regclass, operations text) RETURNS TABLE (trigger_name text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rows_one_by_one boolean := stratum._audited_by_row(table_name);
BEGIN
  RETURN QUERY
    SELECT f.name FROM stratum._audit_trigger_forms() f
    WHERE f.by_row = rows_one_by_one AND operations ~ coalesce(f.operation, 'insert|update|delete')
    UNION ALL
    SELECT 'zz_stratum_audit_truncate' WHERE operations ~ 'truncate';
END $$;
COMMENT ON FUNCTION stratum._audit_triggers_wanted(regclass, text) IS
  'The audit triggers that a table should have; internal to check_install().';

-- A table that was attached to another one, or got partitions or children, after it was put under audit.
CREATE FUNCTION stratum._audit_form_misfits(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._audited_by_row(table_name)
     AND EXISTS (SELECT FROM pg_trigger g JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname AND NOT f.by_row
                 WHERE g.tgrelid = table_name);
END $$;
COMMENT ON FUNCTION stratum._audit_form_misfits(regclass) IS
  'Whether a table has statement triggers for its audit and should have a row trigger; internal to check_install().';

-- Expected are the triggers of tables that stand alone.
CREATE FUNCTION stratum._is_other_audit_form(trigger_object text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := to_regclass('stratum.' || quote_ident(split_part(trigger_object, '.', 1)));
BEGIN
  RETURN trigger_object ~ '\.zz_stratum_audit_(insert|update|delete)$' AND relation IS NOT NULL
     AND stratum._audited_by_row(relation)
     AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = relation AND g.tgname = 'zz_stratum_audit' AND g.tgenabled <> 'D');
END $$;
COMMENT ON FUNCTION stratum._is_other_audit_form(text) IS
  'Whether an audit trigger (table.trigger) of a stratum table is missing because the table has a row trigger, and rightly; internal to check_install().';

CREATE FUNCTION stratum._check_audit_forms() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT 'audited table ' || c.oid::regclass,
           CASE WHEN c.relispartition THEN 'has become a partition: what is written through its partitioned table is not recorded'
                WHEN EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
                  THEN 'has come to inherit, or others from it: its statement triggers do not fit'
                ELSE 'has statement triggers, and needs a row trigger' END,
           CASE WHEN c.relispartition THEN
                  format('SELECT stratum.unaudit_table(%L); and audit its partitioned table.', c.oid::regclass)
                WHEN c.relnamespace = 'stratum'::regnamespace THEN 'SELECT stratum.install();'
                ELSE format('SELECT stratum.audit_table(%L, ...) again.', c.oid::regclass) END
    FROM pg_class c
    WHERE c.oid IN (SELECT g.tgrelid FROM pg_trigger g WHERE g.tgname ~ '^zz_stratum_audit_(insert|update|delete)$')
      AND stratum._audit_form_misfits(c.oid)
    ORDER BY 1;
END $$;
COMMENT ON FUNCTION stratum._check_audit_forms() IS
  'Audited tables that need a row trigger by now; internal to check_install().';
