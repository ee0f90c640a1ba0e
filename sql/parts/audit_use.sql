-- Using the trail: what a request did, and a row put back as it was.
-- rights: request_changes -> stratum_app, stratum_admin, stratum_auditor
-- rights: revert_row -> stratum_app, stratum_admin

CREATE FUNCTION stratum.request_changes(request_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, tenant_id bigint, user_id bigint, action text, resource_type text,
    resource_id text, old_values jsonb, new_values jsonb, metadata jsonb, ip_address inet, user_agent text)
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT l.id::bigint, l.created_at, l.tenant_id::bigint, l.user_id::bigint, l.action::text, l.resource_type::text, l.resource_id::text,
           l.old_values, l.new_values, l.metadata, l.ip_address, l.user_agent
    FROM stratum.audit_logs l
    WHERE l.request_id = request_changes.request_id
    ORDER BY l.id;
END $$;
COMMENT ON FUNCTION stratum.request_changes(text) IS
  'Who did what in a request: the entries with the request id that enter() was given, oldest first.';

-- ---- a row put back ----

-- The columns that are written back: those of the old state, but for computed ones, and for values that the trail does
-- not have in clear.
CREATE FUNCTION stratum._revertible_columns(table_name regclass, state jsonb, hidden text[]) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}')
  FROM pg_attribute a
  WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND state ? a.attname::text AND a.attname::text <> ALL (hidden) AND state -> a.attname::text <> '"[ERASED]"';
$$;
COMMENT ON FUNCTION stratum._revertible_columns(regclass, jsonb, text[]) IS
  'Columns whose old values can be written back; internal to revert_row().';

-- The columns whose null may be JSON's.
CREATE FUNCTION stratum._jsonb_columns(table_name regclass) RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE types AS (
    SELECT a.attname::text AS name, a.attnum, a.atttypid AS type
    FROM pg_attribute a WHERE a.attrelid = table_name AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.name, d.attnum, t.typbasetype FROM types d JOIN pg_type t ON t.oid = d.type WHERE t.typtype = 'd'
  )
  SELECT coalesce(array_agg(name ORDER BY attnum), '{}') FROM types WHERE type = 'jsonb'::regtype;
$$;
COMMENT ON FUNCTION stratum._jsonb_columns(regclass) IS
  'Columns of type jsonb, or of a domain over it; internal to revert_row().';

-- {"column": true}: its null was JSON's, false: SQL's, in the state that row_as_of() tells; for those of `columns` of which the
-- trail knows. A value is what the last entry before has made of it since the row is there, else what the first one after has found.
CREATE FUNCTION stratum._nulls_as_of(table_name regclass, resource_id text, at timestamptz, columns text[]) RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  is_gone boolean;
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  is_gone := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id) IS NULL;
  RETURN (
    WITH entries AS MATERIALIZED (
      SELECT e.id, e.old_values, e.new_values, l.metadata -> 'json_null' AS nulls,
             (e.id <= max(e.id) FILTER (WHERE e.created_at <= _nulls_as_of.at) OVER ()) IS TRUE AS is_before
      FROM stratum._row_entries(shape.resource_type, resource_id, is_gone) e JOIN stratum.audit_logs l ON l.id = e.id
      WHERE NOT e.is_moved
    )
    SELECT coalesce(jsonb_object_agg(c.name, coalesce(told.nulls ? c.name, false)), '{}')
    FROM unnest(columns) c (name) CROSS JOIN LATERAL (
      SELECT CASE WHEN e.is_before THEN e.nulls -> 'new' ELSE e.nulls -> 'old' END AS nulls
      FROM entries e
      WHERE CASE WHEN e.is_before
                 THEN e.new_values ? c.name
                      AND e.id > coalesce((SELECT max(d.id) FROM entries d WHERE d.is_before AND d.new_values IS NULL), 0)
                 ELSE e.old_values ? c.name END
      ORDER BY e.is_before DESC, CASE WHEN e.is_before THEN -e.id ELSE e.id END
      LIMIT 1) told);
END $$;
COMMENT ON FUNCTION stratum._nulls_as_of(regclass, text, timestamptz, text[]) IS
  'Which nulls of a row at a time were JSON''s, as far as the audit trail knows; internal to revert_row().';

-- The key's condition is that of _current_row(); $1 is the resource_id, $2 the old state, which does not tell which nulls
-- are JSON's. Of the table's row type it is not: a column that is not in it may be of a domain that no NULL gets into.
CREATE FUNCTION stratum._revert_statement(table_name regclass, key_columns text[], columns text[], json_nulls text[], is_there boolean) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  names text := (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.n) FROM unnest(columns) WITH ORDINALITY c (name, n));
  types text := (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ')
                 FROM pg_attribute a WHERE a.attrelid = table_name AND a.attname = ANY (columns) AND NOT a.attisdropped);
  old_values text := format('SELECT %s FROM pg_catalog.jsonb_to_record($2) stratum_state (%s)',
    (SELECT string_agg(CASE WHEN c.name = ANY (json_nulls) THEN format('CAST(''null'' AS %s)', format_type(a.atttypid, a.atttypmod))
                            ELSE 'stratum_state.' || quote_ident(c.name) END, ', ' ORDER BY c.n)
     FROM unnest(columns) WITH ORDINALITY c (name, n) JOIN pg_attribute a ON a.attrelid = table_name AND a.attname = c.name), types);
BEGIN
  IF is_there THEN
    RETURN format('UPDATE %s stratum_row SET (%s) = (%s) WHERE %s', table_name, names, old_values,
                  stratum._key_condition(table_name, key_columns));
  END IF;
  RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE %s', table_name, names, old_values);
END $$;
COMMENT ON FUNCTION stratum._revert_statement(regclass, text[], text[], text[], boolean) IS
  'The statement that writes an old state back; internal to revert_row().';

-- The row as it is, locked; NULL where it is not there. Of `json_columns`, those whose null is JSON's.
CREATE FUNCTION stratum._lock_row(
    table_name regclass, key_columns text[], json_columns text[], resource_id text, OUT present jsonb, OUT json_nulls text[])
  RETURNS record
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  EXECUTE format('SELECT to_jsonb(stratum_row.*), ARRAY[%s]::text[] FROM %s stratum_row WHERE %s FOR UPDATE',
                 (SELECT string_agg(format('CASE WHEN stratum_row.%I::text = ''null'' THEN %L END', c.name, c.name), ', ') FROM unnest(json_columns) c (name)),
                 table_name, stratum._key_condition(table_name, key_columns))
    INTO present, json_nulls USING resource_id;
END $$;
COMMENT ON FUNCTION stratum._lock_row(regclass, text[], text[], text) IS
  'Locks a row and tells what it is, with the nulls that are JSON''s; internal to revert_row().';

-- `json_columns` are those of type jsonb.
CREATE FUNCTION stratum._key_of(state jsonb, key_columns text[], json_columns text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN cardinality(key_columns) > 1
              THEN (SELECT jsonb_agg(state -> k.name ORDER BY k.n)::text FROM unnest(key_columns) WITH ORDINALITY k (name, n))
              WHEN key_columns[1] = ANY (json_columns) THEN (state -> key_columns[1])::text
              ELSE state ->> key_columns[1] END;
$$;
COMMENT ON FUNCTION stratum._key_of(jsonb, text[], text[]) IS 'The resource_id of a row; internal to revert_row().';

-- A row that has gone on under another key would be there twice.
CREATE FUNCTION stratum._check_not_moved(table_name regclass, resource_id text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_key text := (SELECT l.resource_id FROM stratum.row_history(table_name, resource_id) h JOIN stratum.audit_logs l ON l.id = h.audit_id
                    ORDER BY h.audit_id DESC LIMIT 1);
BEGIN
  IF last_key <> resource_id THEN
    RAISE EXCEPTION 'row % of % has gone on under the key %', resource_id, table_name, last_key
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Revert it under that key.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_not_moved(regclass, text) IS
  'Raises for a key that its row has given up; internal to revert_row().';

-- `statement` is NULL where nothing differs. The row is locked meanwhile. `key` is what the row has afterwards: one that comes
-- back has the key of its old state, which need not be the one that it was lost under.
CREATE FUNCTION stratum._plan_revert(table_name regclass, resource_id text, at timestamptz, OUT statement text, OUT state jsonb, OUT key text)
  RETURNS record
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  there record;
  json_columns text[] := stratum._jsonb_columns(table_name);
  nulls jsonb;
  columns text[];
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  IF cardinality(shape.key_columns) = 0 THEN
    RAISE EXCEPTION 'table % has no key to find a row by', table_name USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  state := stratum.row_as_of(table_name, resource_id, at);
  IF state IS NULL THEN
    RAISE EXCEPTION 'row % of % was not there at %', resource_id, table_name, at
      USING ERRCODE = 'no_data_found', HINT = CASE
        WHEN stratum.current_tenant_id() IS NULL AND NOT pg_has_role('stratum_admin', 'USAGE')
        THEN 'No tenant was entered: stratum.enter() comes first, or there are no rows to see.'
        ELSE 'stratum.row_history() says when it was. A row that should not be there is for you to delete.' END;
  END IF;
  SELECT * INTO there FROM stratum._lock_row(table_name, shape.key_columns, json_columns, resource_id);
  columns := stratum._revertible_columns(table_name, state, shape.redacted || shape.virtual_columns || '{updated_at}');
  nulls := stratum._nulls_as_of(table_name, resource_id, at,
                                ARRAY(SELECT c.name FROM unnest(json_columns) c (name) WHERE c.name = ANY (columns) AND state -> c.name = 'null'));
  key := resource_id;
  IF there.present IS NULL THEN
    PERFORM stratum._check_not_moved(table_name, resource_id);
    key := stratum._key_of(state, shape.key_columns, json_columns);
  ELSE
    columns := ARRAY(SELECT c.name FROM unnest(columns) c (name)
                     WHERE c.name <> ALL (shape.key_columns)
                       AND (there.present -> c.name IS DISTINCT FROM state -> c.name
                            OR (nulls -> c.name)::boolean <> (array_position(there.json_nulls, c.name) IS NOT NULL)));
  END IF;
  IF columns <> '{}' THEN
    statement := stratum._revert_statement(
      table_name, shape.key_columns, columns, ARRAY(SELECT n.key FROM jsonb_each(nulls) n WHERE n.value = 'true'), there.present IS NOT NULL);
    state := (SELECT jsonb_object_agg(c.name, state -> c.name) FROM unnest(columns) c (name));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._plan_revert(regclass, text, timestamptz) IS
  'The statement that puts a row back, and the values it takes; internal to revert_row().';

-- The path is the caller's: the table's own triggers run as in any write of his.
CREATE FUNCTION stratum.revert_row(table_name regclass, resource_id text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  revert record;
BEGIN
  IF table_name IS NULL OR resource_id IS NULL OR at IS NULL THEN
    RAISE EXCEPTION 'no argument of revert_row() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT p.statement, p.state, p.key INTO revert FROM stratum._plan_revert(table_name, resource_id, at) p;
  IF revert.statement IS NOT NULL THEN
    EXECUTE revert.statement USING resource_id, revert.state;
  END IF;
  RETURN stratum.row_as_of(table_name, revert.key, 'infinity'::pg_catalog.timestamptz);
END $$;
COMMENT ON FUNCTION stratum.revert_row(regclass, text, timestamptz) IS
  'Writes a row back as it was at a time, with the caller''s rights and recorded like any change; returns the row. What the trail does not have in clear stays as it is.';
