-- What check_install() expects of a table that partition_by_month() has converted, and of its partitions.

-- A row of _storage_expected() as it is in a partitioned table; NULL: such a table has not got it.
CREATE FUNCTION stratum._partitioned_form(kind text, object text, definition text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN kind = 'constraint' AND k.name IS NOT NULL THEN k.partitioned_form
    WHEN kind = 'column' AND definition !~ ' NOT NULL( |$)'
      AND (split_part(object, '.', 1), split_part(object, '.', 2)) IN (SELECT p.table_name, p.time_column FROM stratum._partitionable() p)
      THEN regexp_replace(definition, '( DEFAULT |$)', ' NOT NULL\1')
    WHEN kind = 'index' THEN regexp_replace(definition, '^(CREATE (?:UNIQUE )?INDEX \S+) ON ', '\1 ON ONLY ')
    ELSE definition END
  FROM (SELECT 1) one
    LEFT JOIN stratum._own_keys(to_regclass('stratum.' || quote_ident(split_part(object, '.', 1)))) k ON k.name = split_part(object, '.', 2);
$$;
COMMENT ON FUNCTION stratum._partitioned_form(text, text, text) IS
  'What check_install() expects of a table with partitions in the place of this; internal.';

CREATE FUNCTION stratum._table_of(kind text, object text, definition text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE kind WHEN 'index' THEN substring(definition FROM ' ON (?:ONLY )?stratum\.(\S+) ') ELSE split_part(object, '.', 1) END;
$$;
COMMENT ON FUNCTION stratum._table_of(text, text, text) IS 'The table that a row of _storage_expected() is about; internal to check_install().';

-- Policies that each partition has for itself.
CREATE FUNCTION stratum._missing_partition_policies(table_name text, leaf regclass) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT w.name
  FROM (VALUES ('tenant_isolation', '*', '-', '(tenant_id = stratum.current_tenant_id())'),
               ('admin_all', '*', 'stratum_admin', 'true'),
               ('auditor_read', 'r', 'stratum_auditor', 'true')) w (name, command, role, condition)
  WHERE (w.name <> 'auditor_read' OR table_name = 'audit_logs')
    AND NOT EXISTS (SELECT FROM pg_policy p
                    WHERE p.polrelid = leaf AND p.polname = w.name AND p.polcmd::text = w.command AND p.polpermissive
                      AND p.polroles::regrole[]::text[] = ARRAY[w.role]
                      AND pg_get_expr(p.polqual, p.polrelid) = w.condition AND p.polwithcheck IS NULL);
$$;
COMMENT ON FUNCTION stratum._missing_partition_policies(text, regclass) IS
  'Policies that a partition should have and has not, or has otherwise; internal to check_install().';

-- What _fit_partition() mends.
CREATE FUNCTION stratum._partition_faults(table_name text, leaf regclass) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'has no row security of its own, or it is not forced' FROM pg_class c WHERE c.oid = leaf AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
  UNION ALL
  SELECT format('policy %s is missing or changed', p) FROM stratum._missing_partition_policies(table_name, leaf) p
  UNION ALL
  SELECT format('trigger %s is missing', w.name)
  FROM (VALUES ('audit_logs', 'zz_stratum_guard_change', '_audit_guard_change'), ('audit_logs', 'zz_stratum_guard_truncate', '_audit_guard_change'),
               ('cdp_events', 'zz_stratum_viewer', 'refuse_viewer'), ('cdp_events', 'zz_stratum_live_truncate', '_events_truncated')) w (of_table, name, called)
  WHERE w.of_table = table_name
    AND NOT EXISTS (SELECT FROM pg_trigger g
                    WHERE g.tgrelid = leaf AND g.tgname = w.name AND g.tgfoid = to_regproc('stratum.' || w.called))
  UNION ALL
  SELECT 'takes a message of a tenant more than once' WHERE table_name = 'cdp_events' AND NOT stratum._has_message_key(leaf);
$$;
COMMENT ON FUNCTION stratum._partition_faults(text, regclass) IS
  'What a partition should have of its own and has not; internal to check_install() and make_partitions().';

CREATE FUNCTION stratum._is_unfit(table_name text, leaf regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM stratum._partition_faults(table_name, leaf)) $$;
COMMENT ON FUNCTION stratum._is_unfit(text, regclass) IS 'Whether _fit_partition() has something to do; internal to make_partitions().';

-- Faults that are a person's to mend: whose table it is, who has rights, triggers that were disabled.
CREATE FUNCTION stratum._check_leaf(leaf regclass) RETURNS TABLE (problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'foreign: its owner is not a superuser', 'ALTER ... OWNER TO a superuser, after looking at it.'
  FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = leaf AND NOT r.rolsuper
  UNION ALL
  SELECT format('surplus right: %s of %s', a.privilege, a.role), format('REVOKE ALL ON %s FROM %s;', leaf, a.role)
  FROM pg_class c, stratum._acl_rights(c.relacl) a WHERE c.oid = leaf
  UNION ALL
  SELECT format('trigger %s is %s', g.tgname, CASE g.tgenabled WHEN 'D' THEN 'disabled' ELSE 'not in the state of its partitioned table''s' END),
         format('ALTER TABLE %s ENABLE TRIGGER %I;', leaf, g.tgname)
  FROM pg_trigger g LEFT JOIN pg_trigger p ON p.oid = g.tgparentid
  WHERE g.tgrelid = leaf AND NOT g.tgisinternal AND g.tgname ~ '^zz_stratum_' AND g.tgenabled <> coalesce(p.tgenabled, 'O') AND g.tgenabled <> 'A';
$$;
COMMENT ON FUNCTION stratum._check_leaf(regclass) IS 'Owner, rights and disabled triggers of a partition; internal to check_install().';

CREATE FUNCTION stratum._check_partitions() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH converted AS (SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)),
       leaves AS (SELECT c.table_name, p.* FROM converted c, stratum._partitions(c.table_name) p)
  SELECT 'partition ' || l.oid, f, 'SELECT stratum.install();' FROM leaves l, stratum._partition_faults(l.table_name, l.oid) f
  UNION ALL
  SELECT 'partition ' || l.oid, k.problem, k.remedy FROM leaves l, stratum._check_leaf(l.oid) k
  UNION ALL
  SELECT 'table ' || c.table_name, 'has no default partition: rows of other months are refused',
         format('CREATE TABLE stratum.%1$I PARTITION OF stratum.%2$I DEFAULT; SELECT stratum.install();', c.table_name || '_default', c.table_name)
  FROM converted c WHERE NOT EXISTS (SELECT FROM leaves l WHERE l.table_name = c.table_name AND l.is_default)
  UNION ALL
  SELECT 'table ' || c.table_name, 'has no partition for this month', 'SELECT stratum.make_partitions(); and have it called once a day.'
  FROM converted c WHERE NOT EXISTS (SELECT FROM leaves l WHERE l.table_name = c.table_name AND now() >= l.starts AND now() < l.ends)
  ORDER BY 1, 2;
$$;
COMMENT ON FUNCTION stratum._check_partitions() IS
  'What is wrong with the partitions of converted tables; internal to check_install().';
