-- partition_by_month() and unpartition(): a table is made anew, as a partitioned one or a plain one again, with all that it had.

-- ---- what stands in the way -----------------------------------------------------------------------

-- What goes by the table's identity, and what PostgreSQL has no partitioned form of. `to_partitions`: the way there; otherwise back.
CREATE FUNCTION stratum._obstacles(table_oid regclass, time_column text, to_partitions boolean) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
  FROM pg_class c
    JOIN pg_type t ON t.oid = c.reltype
    JOIN pg_depend d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                         AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
                      OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n')
  WHERE c.oid = table_oid
  UNION ALL
  SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0) FROM pg_constraint k
  WHERE k.contype = 'f' AND k.confrelid = table_oid AND k.conparentid = 0
  UNION ALL
  SELECT 'inheritance of ' || i.inhrelid::regclass FROM pg_inherits i
  WHERE i.inhrelid = table_oid OR to_partitions AND i.inhparent = table_oid
  UNION ALL
  SELECT 'subscription ' || s.subname FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srrelid = table_oid
  UNION ALL
  SELECT x.fault FROM pg_class c, (VALUES ('an unlogged table', 'u'), ('a temporary table', 't')) x (fault, persistence)
  WHERE c.oid = table_oid AND c.relpersistence::text = x.persistence
  UNION ALL
  SELECT 'a replica identity that is not the default' FROM pg_class c WHERE c.oid = table_oid AND c.relreplident <> 'd'
  UNION ALL
  SELECT f.fault FROM stratum._unpartitionable(table_oid, time_column) f (fault) WHERE to_partitions;
$$;
COMMENT ON FUNCTION stratum._obstacles(regclass, text, boolean) IS
  'What keeps a table from being converted, in words; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._unpartitionable(table_oid regclass, time_column text) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  -- keys of stratum's own are changed; see _own_keys()
  SELECT format('unique index %s, which has not the column %I', x.indexrelid::regclass, time_column)
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  WHERE x.indrelid = table_oid AND x.indisunique AND i.relname NOT IN (SELECT k.name FROM stratum._own_keys(table_oid) k)
    AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = table_oid AND a.attname = time_column AND a.attnum = ANY (x.indkey[0:x.indnkeyatts - 1]))
  UNION ALL
  SELECT 'invalid index ' || x.indexrelid::regclass FROM pg_index x WHERE x.indrelid = table_oid AND NOT x.indisvalid
  UNION ALL
  SELECT format('constraint %I, which %s', k.conname,
                CASE WHEN k.contype = 'x' THEN 'excludes' WHEN NOT k.convalidated THEN 'is not validated' ELSE 'is NO INHERIT' END)
  FROM pg_constraint k
  WHERE k.conrelid = table_oid AND (k.contype = 'x' OR NOT k.convalidated OR k.contype = 'c' AND k.connoinherit)
  UNION ALL
  SELECT format('trigger %I, a row trigger with transition tables', g.tgname) FROM pg_trigger g
  WHERE g.tgrelid = table_oid AND NOT g.tgisinternal AND g.tgtype & 1 = 1 AND num_nonnulls(g.tgoldtable, g.tgnewtable) > 0
  UNION ALL
  SELECT format('identity column %I', a.attname) FROM pg_attribute a WHERE a.attrelid = table_oid AND a.attidentity <> '' AND NOT a.attisdropped
  UNION ALL
  SELECT 'another primary key than (id)'
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = table_oid AND k.contype = 'p' AND pg_get_constraintdef(k.oid) = 'PRIMARY KEY (id)');
$$;
COMMENT ON FUNCTION stratum._unpartitionable(regclass, text) IS
  'What a table has and no partitioned one can have, in words; internal to partition_by_month().';

-- Keys without the time, and what they become in a partitioned table; NULL: each partition has it.
CREATE FUNCTION stratum._own_keys(table_oid regclass) RETURNS TABLE (name text, partitioned_form text, plain_form text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 'audit_logs_pkey', 'PRIMARY KEY (id, created_at)', 'PRIMARY KEY (id)' WHERE table_oid = to_regclass('stratum.audit_logs')
  UNION ALL
  SELECT k.* FROM (VALUES ('cdp_events_pkey', 'PRIMARY KEY (id, "timestamp")', 'PRIMARY KEY (id)'),
                          ('cdp_events_tenant_id_message_id_key', NULL, 'UNIQUE (tenant_id, message_id)'),
                          ('cdp_events_message_id_key', NULL, 'UNIQUE (message_id)')) k
  WHERE table_oid = to_regclass('stratum.cdp_events');
$$;
COMMENT ON FUNCTION stratum._own_keys(regclass) IS 'Keys of stratum''s tables that differ once they are partitioned; internal.';

CREATE FUNCTION stratum._check_conversion(table_name text, to_partitions boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  time_column text := stratum._time_column(table_name);
  table_oid regclass := to_regclass(format('stratum.%I', table_name));
  found_ones text;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION '% needs a superuser', CASE WHEN to_partitions THEN 'partition_by_month()' ELSE 'unpartition()' END
      USING ERRCODE = 'insufficient_privilege';
  ELSIF table_oid IS NULL OR stratum.version() <> stratum._storage_version() OR stratum._storage_version() IS NULL THEN
    RAISE EXCEPTION 'the storage is not of the extension''s version, or not whole'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do first what SELECT * FROM stratum.check_install() says.';
  END IF;
  SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") INTO found_ones FROM stratum._obstacles(table_oid, time_column, to_partitions) o;
  IF found_ones IS NOT NULL THEN
    RAISE EXCEPTION 'stratum.% cannot be converted: %', table_name, found_ones
      USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop what is named, or take it away, and make it again afterwards where that is possible.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_conversion(text, boolean) IS
  'Refuses conversions that cannot be made, before anything has changed; internal to partition_by_month() and unpartition().';

-- Values that the new form has no room for. Of messages the copy would say it too, but not which rows.
CREATE FUNCTION stratum._check_values(table_name text, to_partitions boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  time_column text := stratum._time_column(table_name);
  n bigint;
  one record;
BEGIN
  IF to_partitions THEN
    EXECUTE format('SELECT count(*) FROM stratum.%I WHERE %I IS NULL', table_name, time_column) INTO n;
    IF n > 0 THEN
      RAISE EXCEPTION 'number of rows of stratum.% without %: %', table_name, time_column, n
        USING ERRCODE = 'not_null_violation', HINT = 'Without a time a row has no month. Only a superuser can have written such rows.';
    END IF;
  ELSIF table_name = 'cdp_events' THEN
    SELECT count(*) OVER () AS n, e.tenant_id, e.message_id INTO one
    FROM stratum.cdp_events e WHERE e.message_id IS NOT NULL
    GROUP BY e.tenant_id, e.message_id HAVING count(*) > 1
    ORDER BY e.tenant_id, e.message_id
    LIMIT 1;
    IF found THEN
      RAISE EXCEPTION 'number of messages that are there in several months: %', one.n
        USING ERRCODE = 'unique_violation', DETAIL = format('The first is %L of tenant %s.', one.message_id, one.tenant_id), HINT = 'Delete all but one event of each (tenant_id, message_id) first.';
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_values(text, boolean) IS 'Refuses rows that the other form of a table cannot hold; internal to partition_by_month() and unpartition().';

-- ---- what a table has -----------------------------------------------------------------------------

-- Keys and indexes first, references last. Checks, defaults and NOT NULL come with the columns.
CREATE FUNCTION stratum._index_commands(table_name text, to_partitions boolean) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH it AS (SELECT format('stratum.%I', table_name)::regclass AS oid)
  SELECT * FROM (
    SELECT format('ALTER TABLE stratum.%I ADD CONSTRAINT %I %s', table_name, k.conname,
                  coalesce(CASE WHEN to_partitions THEN o.partitioned_form ELSE o.plain_form END, pg_get_constraintdef(k.oid)))
    FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype IN ('p', 'u') LEFT JOIN stratum._own_keys(it.oid) o ON o.name = k.conname
    WHERE o.name IS NULL OR NOT to_partitions OR o.partitioned_form IS NOT NULL
    ORDER BY k.conname COLLATE "C") keys
  UNION ALL
  -- the key of messages over all tenants comes back where the one of profiles still is: scope_unique_keys() drops both
  SELECT format('ALTER TABLE stratum.%1$I ADD CONSTRAINT %2$I %3$s; COMMENT ON CONSTRAINT %2$I ON stratum.%1$I IS %4$L; COMMENT ON INDEX stratum.%2$I IS %5$L',
                table_name, o.name, o.plain_form, format('No two rows have the same%s.', substr(o.plain_form, length('UNIQUE') + 1)), 'Index of the constraint of the same name.')
  FROM it, stratum._own_keys(it.oid) o
  WHERE NOT to_partitions AND NOT stratum._has_constraint(table_name, o.name)
    AND (o.name <> 'cdp_events_message_id_key' OR stratum._has_constraint('cdp_profiles', 'cdp_profiles_canonical_id_key'))
  UNION ALL
  SELECT replace(pg_get_indexdef(x.indexrelid), format(' ON ONLY stratum.%I ', table_name), format(' ON stratum.%I ', table_name))
  FROM it JOIN pg_index x ON x.indrelid = it.oid
  WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.conrelid = it.oid)
  UNION ALL
  SELECT pg_get_statisticsobjdef(s.oid)
         || format('; COMMENT ON STATISTICS %I.%I IS %L', s.stxnamespace::regnamespace, s.stxname, obj_description(s.oid, 'pg_statistic_ext'))
  FROM it JOIN pg_statistic_ext s ON s.stxrelid = it.oid
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I ADD CONSTRAINT %I %s', table_name, k.conname, pg_get_constraintdef(k.oid))
  FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT format('COMMENT ON CONSTRAINT %I ON stratum.%I IS %L', k.conname, table_name, obj_description(k.oid, 'pg_constraint'))
  FROM it JOIN pg_constraint k ON k.conrelid = it.oid AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
  WHERE NOT to_partitions OR k.conname NOT IN (SELECT o.name FROM stratum._own_keys(it.oid) o WHERE o.partitioned_form IS NULL)
  UNION ALL
  SELECT format('COMMENT ON INDEX stratum.%I IS %L', i.relname, obj_description(i.oid, 'pg_class'))
  FROM it JOIN pg_index x ON x.indrelid = it.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT to_partitions OR i.relname NOT IN (SELECT o.name FROM stratum._own_keys(it.oid) o WHERE o.partitioned_form IS NULL);
$$;
COMMENT ON FUNCTION stratum._index_commands(text, boolean) IS
  'What makes a table''s keys, indexes, statistics and references again; internal to partition_by_month() and unpartition().';

-- The audit triggers of a plain table stay as they are for now: _rebuild_table() gives them their other form.
CREATE FUNCTION stratum._behaviour_commands(table_name text) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  WITH it AS (SELECT format('stratum.%I', table_name)::regclass AS oid)
  SELECT stratum._policy_command(p.oid) FROM it JOIN pg_policy p ON p.polrelid = it.oid
  UNION ALL
  SELECT stratum._trigger_command(g.oid) FROM it JOIN pg_trigger g ON g.tgrelid = it.oid AND NOT g.tgisinternal
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I %s ROW LEVEL SECURITY', table_name, x.what)
  FROM it JOIN pg_class c ON c.oid = it.oid CROSS JOIN LATERAL (VALUES ('ENABLE', c.relrowsecurity), ('FORCE', c.relforcerowsecurity)) x (what, is_on)
  WHERE x.is_on
  UNION ALL
  SELECT format('GRANT %s%s ON stratum.%I TO %s%s', a.privilege_type, ' (' || quote_ident(a.column_name) || ')', table_name,
                coalesce(quote_ident(r.rolname), 'PUBLIC'), CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM it JOIN pg_class c ON c.oid = it.oid
    CROSS JOIN LATERAL (
      SELECT NULL::name AS column_name, e.* FROM aclexplode(c.relacl) e
      UNION ALL
      SELECT t.attname, e.* FROM pg_attribute t, aclexplode(t.attacl) e WHERE t.attrelid = c.oid AND NOT t.attisdropped) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
  WHERE a.grantee <> c.relowner
  UNION ALL
  SELECT format('ALTER TABLE stratum.%I ALTER COLUMN %I SET STATISTICS %s', table_name, a.attname, a.attstattarget)
  FROM it JOIN pg_attribute a ON a.attrelid = it.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
  UNION ALL
  SELECT format('COMMENT ON TABLE stratum.%I IS %L', table_name, obj_description(it.oid, 'pg_class')) FROM it;
$$;
COMMENT ON FUNCTION stratum._behaviour_commands(text) IS
  'What makes a table''s policies, triggers, rights and comments again; internal to partition_by_month() and unpartition().';

-- ---- making it anew -------------------------------------------------------------------------------

-- Months that have rows, of the last ten years, and those to come. Whatever is older, or later, is for the default partition.
CREATE FUNCTION stratum._make_first_partitions(table_name text, old_table regclass, options text[], months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  this_month timestamptz := date_trunc('month', now());
  last_month timestamptz := this_month + make_interval(months => months_ahead);
  month timestamptz;
BEGIN
  FOR month IN EXECUTE format(
      'SELECT date_trunc(''month'', %1$I) FROM %2$s WHERE %1$I >= $1 AND %1$I < $2 GROUP BY 1'
      || ' UNION SELECT generate_series($3, $4, interval ''1 month'') ORDER BY 1', stratum._time_column(table_name), old_table)
    USING this_month - interval '120 months', last_month, this_month, last_month
  LOOP
    PERFORM stratum._attach_month(table_name, stratum._make_month(table_name, month, options), month);
  END LOOP;
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s DEFAULT', table_name,
                 stratum._make_leaf(table_name, table_name || '_default', options,
                                    format('Rows of stratum.%s that no other partition is for.', table_name)));
END $$;
COMMENT ON FUNCTION stratum._make_first_partitions(text, regclass, text[], integer) IS
  'The partitions that a table begins with; internal to partition_by_month().';

-- The new table, empty: columns in the same order, checks, defaults, comments of columns, the owner; and the sequence, which stays.
CREATE FUNCTION stratum._make_twin(table_name text, old_table regclass, options text[], to_partitions boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  sequence_oid regclass := pg_get_serial_sequence(old_table::text, 'id')::regclass;
BEGIN
  EXECUTE format('CREATE TABLE stratum.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE'
                 || ' INCLUDING COMPRESSION INCLUDING COMMENTS)%s', table_name, old_table,
                 CASE WHEN to_partitions THEN format(' PARTITION BY RANGE (%I)', stratum._time_column(table_name))
                      ELSE (SELECT ' WITH (' || string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') || ')'
                            FROM unnest(options) o) END);
  EXECUTE format('ALTER TABLE stratum.%I OWNER TO %I', table_name, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = old_table));
  PERFORM stratum._revoke_everything(format('stratum.%I', table_name)::regclass);
  IF sequence_oid IS NOT NULL THEN
    EXECUTE format('ALTER SEQUENCE %s OWNED BY stratum.%I.id', sequence_oid, table_name);
  END IF;
  IF NOT to_partitions AND table_name = 'audit_logs' THEN
    ALTER TABLE stratum.audit_logs ALTER COLUMN created_at DROP NOT NULL;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._make_twin(text, regclass, text[], boolean) IS
  'A table of a stratum table''s name and columns beside the old one, partitioned or plain; internal to partition_by_month() and unpartition().';

-- Where the triggers that record changes are of the form that does not fit the table any more. A table that was put out of audit stays so.
CREATE FUNCTION stratum._fit_audit_form(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  arguments text;
  operations text[];
BEGIN
  SELECT min(substring(pg_get_triggerdef(g.oid) FROM '_audit_(?:statement|row)"?\((.*)\)$')),
         array_agg(DISTINCT o) INTO arguments, operations
  FROM pg_trigger g
    JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname
    CROSS JOIN LATERAL (VALUES ('insert', 4), ('delete', 8), ('update', 16)) x (o, bit)
  WHERE g.tgrelid = table_oid AND g.tgtype & x.bit > 0;
  IF arguments IS NOT NULL THEN
    PERFORM stratum._put_row_triggers(table_oid, arguments, operations, stratum._audited_by_row(table_oid));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._fit_audit_form(regclass) IS
  'Gives the audit triggers of a table the form that suits it by now; internal to partition_by_month() and unpartition().';

CREATE FUNCTION stratum._rebuild_table(table_name text, to_partitions boolean, months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
DECLARE
  old_table constant regclass := format('stratum.%I', table_name)::regclass;
  columns text := stratum._written_columns(old_table);
  indexes text[] := ARRAY(SELECT c FROM stratum._index_commands(table_name, to_partitions) c);
  behaviour text[] := ARRAY(SELECT c FROM stratum._behaviour_commands(table_name) c);
  -- a partitioned table has no storage, and so no options of it: the default partition has them
  options text[] := (SELECT c.reloptions FROM pg_class c
                     WHERE c.oid = coalesce(stratum._default_partition(table_name), old_table));
  command text;
BEGIN
  EXECUTE format('ALTER TABLE %s RENAME TO %I', old_table, table_name || '_before');
  PERFORM stratum._make_twin(table_name, old_table, options, to_partitions);
  IF to_partitions THEN
    PERFORM stratum._make_first_partitions(table_name, old_table, options, months_ahead);
  END IF;
  EXECUTE format('INSERT INTO stratum.%I (%2$s) SELECT %2$s FROM %3$s', table_name, columns, old_table);
  EXECUTE format('DROP TABLE %s', old_table);
  FOREACH command IN ARRAY indexes || behaviour LOOP
    EXECUTE command;
  END LOOP;
  IF to_partitions THEN
    PERFORM stratum._fit_partition(table_name, p.oid) FROM stratum._partitions(table_name) p;
  END IF;
  PERFORM stratum._fit_audit_form(format('stratum.%I', table_name)::regclass);
  EXECUTE format('ANALYZE stratum.%I', table_name);
END $$;
COMMENT ON FUNCTION stratum._rebuild_table(text, boolean, integer) IS
  'Makes a table anew in its other form, with rows and everything else that it has; internal to partition_by_month() and unpartition().';

-- ---- pg_partman -----------------------------------------------------------------------------------

-- Only one that is a superuser's: what it has in its tables and functions runs as whoever calls.
CREATE FUNCTION stratum._partman() RETURNS TABLE (schema_name text, major integer)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT n.nspname::text, split_part(e.extversion, '.', 1)::integer
  FROM pg_extension e
    JOIN pg_namespace n ON n.oid = e.extnamespace
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'part_config' AND c.relkind = 'r'
  WHERE e.extname = 'pg_partman'
    AND NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid IN (e.extowner, n.nspowner, c.relowner) AND NOT o.rolsuper);
$$;
COMMENT ON FUNCTION stratum._partman() IS 'Where pg_partman is, if a superuser has installed it, and its major version; internal.';

CREATE FUNCTION stratum._is_known_to_partman(table_name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name text := (SELECT p.schema_name FROM stratum._partman() p);
  result boolean := false;
BEGIN
  IF schema_name IS NOT NULL THEN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.part_config c WHERE c.parent_table = $1)', schema_name) INTO result USING 'stratum.' || table_name;
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._is_known_to_partman(text) IS 'Whether pg_partman is there and maintains a table; internal.';

-- What to do next depends on who makes the months to come.
CREATE FUNCTION stratum._notice_partitioned(table_name text, use_partman boolean) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_known constant boolean := stratum._is_known_to_partman(table_name);
BEGIN
  RAISE NOTICE 'stratum.% has monthly partitions already%', table_name,
               CASE WHEN is_known THEN ', which pg_partman maintains' WHEN use_partman THEN ', which pg_partman takes over as they are' ELSE '' END
    USING HINT = CASE WHEN is_known OR use_partman
                      THEN 'pg_partman makes those to come; premake and retention are set in its part_config. Call stratum.make_partitions() after its maintenance.'
                      ELSE 'SELECT stratum.make_partitions() makes those to come; CALL stratum.unpartition() is the way back.' END;
END $$;
COMMENT ON FUNCTION stratum._notice_partitioned(text, boolean) IS 'Says that there is nothing to convert, and what there is to do; internal to partition_by_month().';

-- It takes the partitions that are there for its own, by their names. Its template gives the new ones the key of messages.
CREATE FUNCTION stratum._hand_to_partman(table_name text, months_ahead integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET client_min_messages = error
AS $$
DECLARE
  partman record;
  leaf record;
  template text;
  premake constant integer := greatest(months_ahead, 1);
BEGIN
  SELECT * INTO STRICT partman FROM stratum._partman();
  IF stratum._is_known_to_partman(table_name) THEN
    RETURN;
  END IF;
  -- those that were there before pg_partman are called as it calls them from now on
  FOR leaf IN SELECT p.oid, stratum._partition_name(table_name, p.starts) AS new_name FROM stratum._partitions(table_name) p
              WHERE p.name ~ '_p\d{4}(_\d\d|\d{4})$' AND p.name <> stratum._partition_name(table_name, p.starts) LOOP
    EXECUTE format('ALTER TABLE %s RENAME TO %I', leaf.oid, leaf.new_name);
  END LOOP;
  -- with nothing left for it to make, it does not stumble over the default partition
  PERFORM stratum._make_partitions(ARRAY[table_name], premake);
  EXECUTE format('SELECT %I.create_parent(p_parent_table => $1, p_control => $2, p_interval => $3, p_premake => $4, p_start_partition => $5%s)', partman.schema_name,
                 CASE WHEN partman.major < 5 THEN ', p_type => ''native'', p_jobmon => false' ELSE ', p_default_table => false, p_jobmon => false' END)
    USING 'stratum.' || table_name, stratum._time_column(table_name), '1 month', premake, date_trunc('month', now())::text;
  -- months to come, whether or not there are rows of this one; and one row of a wrong clock, in the default partition, shall not end its maintenance
  EXECUTE format('UPDATE %I.part_config SET infinite_time_partitions = true, ignore_default_data = true WHERE parent_table = $1 RETURNING template_table', partman.schema_name)
    INTO template USING 'stratum.' || table_name;
  -- an empty table with a tenant_id: nobody shall wonder about it
  PERFORM stratum._put_partition_policies(table_name, template::regclass);
  PERFORM stratum.audit_table(template::regclass, operations => 'none');
  EXECUTE format(CASE table_name WHEN 'cdp_events' THEN 'CREATE UNIQUE INDEX ON %s (tenant_id, message_id)' ELSE 'CREATE INDEX ON %s (tenant_id)' END, template::regclass);
END $$;
COMMENT ON FUNCTION stratum._hand_to_partman(text, integer) IS
  'Tells pg_partman that a converted table is its to maintain; internal to partition_by_month().';

CREATE FUNCTION stratum._forget_at_partman(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  schema_name text := (SELECT p.schema_name FROM stratum._partman() p);
  template text;
BEGIN
  IF schema_name IS NOT NULL THEN
    EXECUTE format('DELETE FROM %I.part_config c WHERE c.parent_table = $1 RETURNING c.template_table', schema_name) INTO template USING 'stratum.' || table_name;
    IF template = format('%s.template_stratum_%s', schema_name, table_name) AND to_regclass(template) IS NOT NULL THEN
      PERFORM stratum.unaudit_table(template::regclass);
      EXECUTE format('DROP TABLE %s', template::regclass);
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._forget_at_partman(text) IS 'Takes a table from pg_partman again, where it has it; internal to unpartition().';

-- ---- the procedures -------------------------------------------------------------------------------

CREATE PROCEDURE stratum.partition_by_month(table_name text, use_partman boolean DEFAULT false, months_ahead integer DEFAULT 3)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_done boolean;
BEGIN
  PERFORM stratum._time_column(table_name);
  PERFORM stratum._check_months_ahead(months_ahead);
  IF use_partman AND NOT EXISTS (SELECT FROM stratum._partman()) THEN
    RAISE EXCEPTION 'pg_partman is not installed in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Install it as a superuser, or leave the partitions to SELECT stratum.make_partitions(), called once a day.';
  END IF;
  is_done := stratum._is_partitioned(table_name);
  IF is_done THEN
    PERFORM stratum._notice_partitioned(table_name, use_partman);
  ELSE
    PERFORM stratum._check_conversion(table_name, true);
  END IF;
  IF use_partman OR NOT is_done THEN
    PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_convert(%L)', table_name));
  END IF;
  IF NOT is_done THEN
    PERFORM stratum._check_conversion(table_name, true);
    PERFORM stratum._check_values(table_name, true);
    PERFORM stratum._rebuild_table(table_name, true, months_ahead);
  END IF;
  IF use_partman THEN
    PERFORM stratum._hand_to_partman(table_name, months_ahead);
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.partition_by_month(text, boolean, integer) IS
  'Turns audit_logs or cdp_events into a table with a partition for each month, with everything that is in it; use_partman hands the partitions to pg_partman.';

CREATE PROCEDURE stratum.unpartition(table_name text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._time_column(table_name);
  IF NOT stratum._is_partitioned(table_name) THEN
    RAISE NOTICE 'stratum.% has no partitions', table_name;
    RETURN;
  END IF;
  PERFORM stratum._check_conversion(table_name, false);
  PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_convert(%L)', table_name));
  PERFORM stratum._check_conversion(table_name, false);
  PERFORM stratum._check_values(table_name, false);
  PERFORM stratum._rebuild_table(table_name, false, 0);
  PERFORM stratum._forget_at_partman(table_name);
END $$;
COMMENT ON PROCEDURE stratum.unpartition(text) IS 'Turns audit_logs or cdp_events back into one plain table, with everything that is in it.';
