-- Indexes that need another extension. install() makes them where it is installed; elsewhere nobody misses them.

-- `command` makes the index, NULL where the operator class is not there; `definition` is what the catalogs then say,
-- which leave out the operator class because it is its type's default. The class is found as the extension's own, by
-- the type that tenant_id has, whatever schema it is in.
CREATE FUNCTION stratum._optional_indexes() RETURNS TABLE (name text, definition text, command text, comment text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'ix_cdp_profiles_tenant_traits',
         'CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops)',
         (SELECT format('CREATE INDEX ix_cdp_profiles_tenant_traits ON stratum.cdp_profiles USING gin'
                          || ' (tenant_id %I.%I, traits pg_catalog.jsonb_path_ops)', n.nspname, c.opcname)
          FROM pg_attribute a
            JOIN pg_opclass c ON c.opcintype = a.atttypid AND c.opcdefault
            JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'gin'
            JOIN pg_namespace n ON n.oid = c.opcnamespace
            JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'btree_gin'
          WHERE a.attrelid = to_regclass('stratum.cdp_profiles') AND a.attname = 'tenant_id'),
         'Containment in traits within a tenant; there where btree_gin is.';
$$;
COMMENT ON FUNCTION stratum._optional_indexes() IS
  'The indexes that need another extension, with what makes them where that is installed; internal.';

-- One of the name may have been made before, CONCURRENTLY, which no function can do. If it is another one,
-- check_install() says so.
CREATE FUNCTION stratum._install_optional_indexes() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  optional record;
BEGIN
  FOR optional IN SELECT * FROM stratum._optional_indexes() LOOP
    IF to_regclass('stratum.' || optional.name) IS NULL AND optional.command IS NOT NULL THEN
      EXECUTE optional.command;
    END IF;
    IF pg_get_indexdef(to_regclass('stratum.' || optional.name)) = optional.definition THEN
      EXECUTE format('COMMENT ON INDEX stratum.%I IS %L', optional.name, optional.comment);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._install_optional_indexes() IS
  'Creates the optional indexes that are missing and possible; internal to install().';

-- What is to be there: the storage of every fresh install, without the keys that may be dropped, with ids of bigint where widen_ids()
-- has been at work, as a partitioned table has it where partition_by_month() has, and an optional index where it is possible. One of its
-- name that is there all the same is looked at too.
CREATE FUNCTION stratum._storage_wanted() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT * FROM (
    SELECT e.kind, e.object,
           CASE WHEN w.wide AND stratum._is_id_column(e.kind, e.object, e.definition) THEN regexp_replace(e.definition, '^integer', 'bigint')
                WHEN e.kind IN ('column', 'constraint', 'index') AND stratum._table_of(e.kind, e.object, e.definition) = ANY (w.partitioned)
                  THEN stratum._partitioned_form(e.kind, e.object, e.definition)
                ELSE e.definition END AS definition
    FROM stratum._storage_expected() e,
      -- asked once, not for each row
      (SELECT stratum._has_wide_ids(), ARRAY(SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)) OFFSET 0)
        w (wide, partitioned)
    -- scope_unique_keys() has dropped it
    WHERE NOT (e.kind = 'constraint' AND EXISTS (
      SELECT FROM stratum._global_keys() k
      WHERE e.object = k.table_name || '.' || k.constraint_name AND NOT stratum._has_constraint(k.table_name, k.constraint_name)))) x
  WHERE x.definition IS NOT NULL
  UNION ALL
  SELECT 'index', o.name, o.definition FROM stratum._optional_indexes() o
  WHERE o.command IS NOT NULL OR to_regclass('stratum.' || o.name) IS NOT NULL;
$$;
COMMENT ON FUNCTION stratum._storage_wanted() IS
  'What check_install() expects in this database, one row a thing; internal.';
