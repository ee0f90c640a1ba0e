-- A tenant leaves: export_tenant() and delete_tenant(). Tables are found in the catalogs, so new ones are covered.
-- rights: export_tenant, delete_tenant -> stratum_admin

-- The tables with rows of tenants, each after those that it refers to; where references run in a circle any order is as good. Ours, and of
-- the user's own those that are audited; no partitions, whose rows are the partitioned table's.
CREATE FUNCTION stratum._tables_of_tenants() RETURNS TABLE (oid oid, name text, tenant_column text, is_ours boolean, place integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  remaining oid[] := ARRAY(
    SELECT t.oid FROM stratum._tenant_relations() t JOIN pg_class c ON c.oid = t.oid
    WHERE t.kind IN ('r', 'p') AND NOT c.relispartition
      AND (c.relnamespace = 'stratum'::regnamespace OR EXISTS (SELECT FROM stratum.audited_tables a WHERE to_regclass(a.table_name) = t.oid)));
  placed oid[] := '{}';
  next oid;
BEGIN
  WHILE remaining <> '{}' LOOP
    SELECT r INTO next
    FROM unnest(remaining) r
    ORDER BY (SELECT count(*) FROM pg_constraint k
              WHERE k.contype = 'f' AND k.conrelid = r AND k.confrelid <> r AND k.confrelid = ANY (remaining)),
             r::regclass::text COLLATE "C"
    LIMIT 1;
    placed := placed || next;
    remaining := array_remove(remaining, next);
  END LOOP;
  RETURN QUERY
    SELECT t.oid, t.name, t.tenant_column, c.relnamespace = 'stratum'::regnamespace, p.place::integer
    FROM unnest(placed) WITH ORDINALITY p (oid, place) JOIN stratum._tenant_relations() t ON t.oid = p.oid JOIN pg_class c ON c.oid = p.oid;
END $$;
COMMENT ON FUNCTION stratum._tables_of_tenants() IS
  'Tables with rows of tenants, each after those that it refers to; internal to export_tenant() and delete_tenant().';

CREATE FUNCTION stratum._slug_of_tenant(tenant bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result text;
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'tenant_id must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT t.slug INTO result FROM stratum.tenants t WHERE t.id = tenant;
  IF NOT found THEN
    RAISE EXCEPTION 'tenant % does not exist', tenant USING ERRCODE = 'no_data_found';
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._slug_of_tenant(bigint) IS
  'The slug of a tenant, deleted or not; raises where there is none; internal to export_tenant() and delete_tenant().';

-- ---- export ----

-- Columns that read "[REDACTED]" as in the audit trail: secrets by name, and what the user asked for.
CREATE FUNCTION stratum._secret_columns(table_name regclass) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN ARRAY(
    SELECT a.attname::text FROM pg_attribute a
    WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attname = ANY ('{password_hash,totp_secret,backup_codes,access_token,refresh_token}'::name[])
           OR EXISTS (SELECT FROM stratum.audited_tables t WHERE to_regclass(t.table_name) = a.attrelid AND a.attname = ANY (t.redact::name[]))));
END $$;
COMMENT ON FUNCTION stratum._secret_columns(regclass) IS
  'Columns whose values are not exported; internal to export_tenant().';

-- Rows are read as a superuser, and become json by casts that the owner of a type may have made: those must not run. Nobody makes
-- another one until the transaction ends.
CREATE FUNCTION stratum._refuse_foreign_casts() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found_cast record;
BEGIN
  LOCK TABLE pg_catalog.pg_cast IN SHARE MODE;
  SELECT c.castsource::regtype AS source, c.casttarget::regtype AS target, f.oid::regprocedure AS function, r.rolname AS owner INTO found_cast
  FROM pg_cast c JOIN pg_proc f ON f.oid = c.castfunc JOIN pg_roles r ON r.oid = f.proowner
  WHERE NOT r.rolsuper AND (c.casttarget IN ('json'::regtype, 'jsonb'::regtype) OR c.castcontext = 'i')
  LIMIT 1;
  IF found THEN
    RAISE EXCEPTION 'the cast from % to % runs function %, which belongs to %', found_cast.source, found_cast.target, found_cast.function, found_cast.owner
      USING ERRCODE = 'insufficient_privilege', DETAIL = 'Rows are read with the rights of a superuser, and so would it run.',
            HINT = 'Drop the cast, or give its function to a superuser who has read it.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_foreign_casts() IS
  'Raises if there are casts that run functions of somebody who is no superuser when rows become json; internal to export_tenant() and export_subject().';

CREATE FUNCTION stratum.export_tenant(tenant_id bigint) RETURNS TABLE (table_name text, "row" jsonb)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  slug text := stratum._slug_of_tenant(tenant_id);
  source record;
  exported bigint;
  counts jsonb := '{}';
BEGIN
  PERFORM stratum._refuse_foreign_casts();
  FOR source IN
    -- keys that sign tokens are no tenant's to take along
    SELECT t.* FROM stratum._tables_of_tenants() t WHERE t.name <> 'stratum.jwt_keys' ORDER BY t.place
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, j.row || coalesce((SELECT jsonb_object_agg(c, ''[REDACTED]'') FROM unnest($2) c WHERE j.row -> c <> ''null''), ''{}'')'
      || ' FROM %s x CROSS JOIN LATERAL (SELECT to_jsonb(x) AS row) j WHERE x.%I = $3 ORDER BY %s',
      source.name, source.tenant_column,
      coalesce((SELECT string_agg(format('x.%I', a.attname), ', ' ORDER BY k.place)
                FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY k (attnum, place)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE i.indrelid = source.oid AND i.indisprimary), '1'))
      USING source.name, stratum._secret_columns(source.oid), tenant_id;
    GET DIAGNOSTICS exported = ROW_COUNT;
    counts := counts || jsonb_build_object(source.name, exported);
  END LOOP;
  PERFORM stratum._log_record(tenant_id, 'export', 'tenants', tenant_id::text, jsonb_build_object('slug', slug, 'by', session_user, 'rows', counts));
END $$;
COMMENT ON FUNCTION stratum.export_tenant(bigint) IS
  'Every row of a tenant, each table after those that it refers to, secrets redacted; the export is recorded in the audit trail.';

-- ---- deletion ----

CREATE FUNCTION stratum._pause_tenant_audit(tenant bigint) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_pause_tenant_audit';
COMMENT ON FUNCTION stratum._pause_tenant_audit(bigint) IS
  'Changes of the tenant''s rows are not recorded for the rest of the transaction, or until it is called with NULL; internal.';

CREATE FUNCTION stratum._delete_rows_of_tenant(tenant bigint, source oid) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  tenant_column text := CASE WHEN source = 'stratum.tenants'::regclass THEN 'id' ELSE 'tenant_id' END;
  deleted bigint;
BEGIN
  PERFORM stratum._pause_audit(source);
  IF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = source AND g.tgfoid = 'stratum._audit_guard_change()'::regprocedure) THEN
    PERFORM stratum._open_audit_log();
  END IF;
  EXECUTE format('DELETE FROM %s x WHERE x.%I = $1', source::regclass, tenant_column) USING tenant;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  PERFORM stratum._pause_audit(NULL);
  RETURN deleted;
END $$;
COMMENT ON FUNCTION stratum._delete_rows_of_tenant(bigint, oid) IS
  'Deletes a tenant''s rows of one of our tables, past the audit trail; internal to delete_tenant().';

-- What is no table of ours says by its reference what is to be done with its rows.
CREATE FUNCTION stratum._refuse_references(schema_name text, table_name text, constraint_name text, tenant bigint, detail text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'tenant % cannot be deleted: rows of table %.% refer to it', tenant, quote_ident(schema_name), quote_ident(table_name)
    USING ERRCODE = 'foreign_key_violation', SCHEMA = schema_name, TABLE = table_name, CONSTRAINT = constraint_name,
          DETAIL = coalesce(nullif(detail, ''), format('Constraint %s.', constraint_name)),
          HINT = CASE WHEN schema_name = 'stratum' AND table_name = 'audit_logs'
                   THEN 'Entries of other tenants, or of none, name a user of this one. They are evidence and stay, so set is_deleted in stratum.tenants and anonymize its users instead.'
                   ELSE 'stratum deletes from its own tables only. Delete those rows first, or give the reference ON DELETE CASCADE.' END;
END $$;
COMMENT ON FUNCTION stratum._refuse_references(text, text, text, bigint, text) IS
  'Raises for rows that stand in the way of a deletion; internal to delete_tenant().';

CREATE FUNCTION stratum.delete_tenant(tenant_id bigint, confirm_slug text) RETURNS TABLE (table_name text, row_count bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
#variable_conflict use_column
DECLARE
  tenant constant bigint := delete_tenant.tenant_id;
  slug text := stratum._slug_of_tenant(tenant);
  source record;
  deleted bigint;
  counts jsonb := '{}';
  schema_name text;
  referrer text;
  reference text;
  detail text;
BEGIN
  IF confirm_slug IS DISTINCT FROM slug THEN
    RAISE EXCEPTION 'the slug given is not that of tenant %', tenant
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Type the slug of the tenant to confirm that it is the one to be deleted.';
  ELSIF stratum.current_tenant_id() IS NOT NULL THEN
    RAISE EXCEPTION 'this transaction acts for tenant %', stratum.current_tenant_id()
      USING ERRCODE = 'active_sql_transaction', HINT = 'Delete a tenant in a transaction that has entered none.';
  END IF;
  PERFORM stratum._refuse_foreign_triggers(tenant);
  -- whoever writes for it waits, and then finds no tenant to refer to
  PERFORM FROM stratum.tenants t WHERE t.id = tenant FOR UPDATE;
  PERFORM FROM stratum.users u WHERE u.tenant_id = tenant FOR UPDATE;
  BEGIN
    -- also in tables of the user's own, which CASCADE empties
    PERFORM stratum._pause_tenant_audit(tenant);
    -- The trail comes after the rows that others may be changing: then it has all that they have left in it.
    FOR source IN
      SELECT t.* FROM stratum._tables_of_tenants() t
      WHERE t.is_ours
      ORDER BY coalesce(array_position('{stratum.audit_logs,stratum.users,stratum.tenants}', t.name), 0), t.place DESC
    LOOP
      deleted := stratum._delete_rows_of_tenant(tenant, source.oid);
      counts := counts || jsonb_build_object(source.name, deleted);
    END LOOP;
    PERFORM stratum._pause_tenant_audit(NULL);
  EXCEPTION WHEN foreign_key_violation THEN
    GET STACKED DIAGNOSTICS schema_name = SCHEMA_NAME, referrer = TABLE_NAME, reference = CONSTRAINT_NAME, detail = PG_EXCEPTION_DETAIL;
    PERFORM stratum._refuse_references(schema_name, referrer, reference, tenant, detail);
  END;
  PERFORM stratum._log_record(NULL, 'delete', 'tenants', tenant::text, jsonb_build_object('slug', slug, 'by', session_user, 'rows', counts));
  RETURN QUERY SELECT c.key, c.value::bigint FROM jsonb_each_text(counts) c ORDER BY c.key COLLATE "C";
END $$;
COMMENT ON FUNCTION stratum.delete_tenant(bigint, text) IS
  'For offboarding, after export_tenant(): every row of a tenant, its audit trail and the tenant itself are gone for good; one entry without a tenant says so. Returns how many rows of which table.';

-- ---- keys ----

-- Documented keys over all tenants, and the one of each within the tenant that is there from the start.
CREATE FUNCTION stratum._global_keys() RETURNS TABLE (table_name text, column_name text, constraint_name text, scoped_name text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('cdp_profiles', 'canonical_id', 'cdp_profiles_canonical_id_key', 'cdp_profiles_tenant_id_canonical_id_key'),
         ('cdp_events', 'message_id', 'cdp_events_message_id_key', 'cdp_events_tenant_id_message_id_key');
$$;
COMMENT ON FUNCTION stratum._global_keys() IS
  'The unique constraints that scope_unique_keys() drops; internal.';

CREATE FUNCTION stratum._has_constraint(table_name text, constraint_name text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_constraint k
                 WHERE k.conrelid = to_regclass(format('stratum.%I', table_name)) AND k.conname = constraint_name);
$$;
COMMENT ON FUNCTION stratum._has_constraint(text, text) IS 'Whether one of our tables has a constraint of that name; internal.';

CREATE PROCEDURE stratum.scope_unique_keys()
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key record;
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    RAISE EXCEPTION 'scope_unique_keys() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOR key IN SELECT * FROM stratum._global_keys() LOOP
    -- its partitions have the one within the tenant, each for itself, and no other
    CONTINUE WHEN stratum._is_partitioned(key.table_name);
    IF NOT stratum._has_constraint(key.table_name, key.scoped_name) THEN
      RAISE EXCEPTION 'constraint % of stratum.% is missing', key.scoped_name, key.table_name
        USING ERRCODE = 'undefined_object', HINT = 'stratum.check_install() says how to put it back.';
    ELSIF stratum._has_constraint(key.table_name, key.constraint_name) THEN
      EXECUTE format('ALTER TABLE stratum.%I DROP CONSTRAINT %I', key.table_name, key.constraint_name);
    END IF;
  END LOOP;
END $$;
COMMENT ON PROCEDURE stratum.scope_unique_keys() IS
  'canonical_id and message_id are unique within a tenant only, so that nobody can learn what another has. For good; can be called again.';
