-- The audit trail: triggers that record changes, events, the history of a row, the guard of the log.
-- rights: log_event -> stratum_app, stratum_admin
-- rights: row_history, row_as_of -> stratum_app, stratum_admin, stratum_auditor
-- rights: audit_table, unaudit_table and the trigger functions they name -> stratum_admin

-- Not SECURITY DEFINER: only the INSERT into the log runs as the owner of these three, so that a cast to
-- json which somebody wrote for a type of his own does not.
CREATE FUNCTION stratum._audit_row() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_row';
COMMENT ON FUNCTION stratum._audit_row() IS
  'AFTER row trigger of audited tables; arguments: resource type, redacted columns, ignored columns.';

CREATE FUNCTION stratum._audit_statement() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_statement';
COMMENT ON FUNCTION stratum._audit_statement() IS
  'AFTER statement trigger of audited tables, with transition tables; arguments: resource type, redacted columns, ignored columns.';

CREATE FUNCTION stratum._audit_truncate() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_truncate';
COMMENT ON FUNCTION stratum._audit_truncate() IS
  'AFTER TRUNCATE statement trigger of audited tables; argument: resource type.';

CREATE FUNCTION stratum._audit_guard_insert() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_guard_insert';
COMMENT ON FUNCTION stratum._audit_guard_insert() IS
  'BEFORE INSERT row trigger of audit_logs: others than the library write events only, with who and when taken from the context.';

CREATE FUNCTION stratum._audit_guard_change() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_audit_guard_change';
COMMENT ON FUNCTION stratum._audit_guard_change() IS
  'BEFORE UPDATE, DELETE and TRUNCATE statement trigger of audit_logs: refuses them.';

CREATE FUNCTION stratum._audit_shape(
    table_name regclass, OUT resource_type text, OUT key_columns text[], OUT redacted text[],
    OUT virtual_columns text[])
  LANGUAGE c STABLE STRICT SET quote_all_identifiers = off AS 'MODULE_PATHNAME', 'stratum_audit_shape';
COMMENT ON FUNCTION stratum._audit_shape(regclass) IS
  'A table as the audit trail sees it, audited or not; internal.';

CREATE FUNCTION stratum._resource_type(table_name regclass) RETURNS text
  LANGUAGE c STABLE STRICT SET quote_all_identifiers = off AS 'MODULE_PATHNAME', 'stratum_resource_type';
COMMENT ON FUNCTION stratum._resource_type(regclass) IS
  'What the audit trail calls a table: its bare name in schema stratum, schema.table elsewhere; internal.';

-- ---- events ----

CREATE FUNCTION stratum.log_event(
    action text, resource_type text, resource_id text DEFAULT NULL, metadata jsonb DEFAULT '{}')
  RETURNS bigint
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_log_event';
COMMENT ON FUNCTION stratum.log_event(text, text, text, jsonb) IS
  'Logs what no trigger sees: login, logout, export and the like. Returns the id of the row in audit_logs.';

-- ---- putting tables under audit ----

CREATE FUNCTION stratum._audit_operations(operations text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  asked text[] := ARRAY(SELECT lower(btrim(o) COLLATE "C") FROM unnest(string_to_array(operations, ',')) o);
  known constant text[] := '{insert,update,delete,truncate}';
  strange text := (SELECT o FROM unnest(asked) o WHERE o <> ALL (known) LIMIT 1);
BEGIN
  IF asked = '{none}' THEN
    RETURN '{}';
  ELSIF strange IS NOT NULL OR asked = '{}' THEN
    RAISE EXCEPTION 'unknown operation "%"', coalesce(strange, '')
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Operations are insert, update, delete and truncate, with commas between; or none.';
  END IF;
  RETURN ARRAY(SELECT o FROM unnest(known) WITH ORDINALITY k (o, n) WHERE o = ANY (asked) ORDER BY n);
END $$;
COMMENT ON FUNCTION stratum._audit_operations(text) IS
  'The operations of a list, in a fixed order, of none for "none"; raises for unknown ones; internal.';

CREATE FUNCTION stratum._check_auditable(table_name regclass) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  fault text;
BEGIN
  SELECT CASE
           WHEN c.relkind NOT IN ('r', 'p') THEN 'is not a table'
           WHEN c.oid < 16384 OR n.nspname ~ '^pg_' THEN CASE WHEN c.relpersistence = 't' THEN 'is temporary' ELSE 'belongs to the system' END
           WHEN c.relispartition THEN 'is a partition'
           WHEN n.nspname = 'stratum' AND c.relname = 'audit_logs' THEN 'is the audit trail itself'
         END
    INTO fault
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = table_name;
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION '% cannot be audited: it %', table_name, fault
      USING ERRCODE = 'wrong_object_type',
            HINT = CASE fault WHEN 'is a partition' THEN 'Audit its partitioned table.'
                              ELSE 'Ordinary and partitioned tables can be audited, but for temporary ones and those of the system.' END;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_auditable(regclass) IS
  'Raises for whatever cannot be audited; internal to audit_table().';

CREATE FUNCTION stratum._check_columns(table_name regclass, columns text[]) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  strange text := (
    SELECT x.name FROM unnest(columns) x (name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = table_name AND a.attname = x.name AND a.attnum > 0 AND NOT a.attisdropped)
    LIMIT 1);
BEGIN
  IF array_position(columns, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a column name must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF strange LIKE '%:%' THEN
    RAISE EXCEPTION 'column "%" of table % does not exist', strange, table_name
      USING ERRCODE = 'undefined_column', HINT = 'Behind the name of a column to be redacted comes :mask, :hash, :drop, or nothing.';
  ELSIF strange IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of table % does not exist', strange, table_name USING ERRCODE = 'undefined_column';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_columns(regclass, text[]) IS
  'Raises for names that are no columns of the table; internal to audit_table().';

-- Statement triggers, which see all rows of a statement at once, are for tables that stand alone. A statement on
-- a partitioned table fires none of its partitions' and the other way round; rows of tables that inherit
-- would be taken for the parent's; logical replication, which triggers that are ENABLE ALWAYS or REPLICA are meant
-- for, fires row triggers only; and on Citus there are no transition tables.
CREATE FUNCTION stratum._audited_by_row(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT c.relkind = 'p' FROM pg_class c WHERE c.oid = table_name)
      OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = table_name OR i.inhrelid = table_name)
      OR EXISTS (SELECT FROM pg_trigger g
                 WHERE g.tgrelid = table_name AND g.tgname ~ '^zz_stratum_audit(_insert|_update|_delete)?$' AND g.tgenabled IN ('A', 'R'))
      OR EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'citus');
END $$;
COMMENT ON FUNCTION stratum._audited_by_row(regclass) IS
  'Whether changes of a table have to be recorded by a row trigger, not by statement triggers; internal.';

-- The triggers that record rows: one for all events by row, or one for each event by statement.
CREATE FUNCTION stratum._audit_trigger_forms()
  RETURNS TABLE (name text, by_row boolean, operation text, transition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  VALUES ('zz_stratum_audit', true, NULL, NULL),
         ('zz_stratum_audit_insert', false, 'insert', 'REFERENCING NEW TABLE AS stratum_new'),
         ('zz_stratum_audit_update', false, 'update', 'REFERENCING OLD TABLE AS stratum_old NEW TABLE AS stratum_new'),
         ('zz_stratum_audit_delete', false, 'delete', 'REFERENCING OLD TABLE AS stratum_old');
$$;
COMMENT ON FUNCTION stratum._audit_trigger_forms() IS
  'Names and forms of the audit triggers that record rows; internal.';

-- `events` NULL: none. `action` follows the table's name, with FOR EACH ROW or STATEMENT.
CREATE FUNCTION stratum._put_audit_trigger(
    table_name regclass, trigger_name text, events text, action text, comment text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF events IS NOT NULL THEN
    PERFORM stratum._put_trigger(
      table_name, trigger_name,
      'AFTER ' || events || ' ON %s ' || replace(action, '%', '%%'), comment);
  -- what a partition has from its partitioned table goes with that one's
  ELSIF EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = table_name AND g.tgname = trigger_name AND g.tgparentid = 0) THEN
    EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, table_name);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_audit_trigger(regclass, text, text, text, text) IS
  'Creates, replaces or drops an audit trigger; internal.';

-- A trigger that was not there before takes over the state of those that record rows, so that a table which a user
-- has put out of audit stays so when the form changes. Where they differ, the one that records most counts.
CREATE FUNCTION stratum._put_row_triggers(table_name regclass, arguments text, asked text[], by_row boolean)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  before name[] := ARRAY(SELECT g.tgname FROM pg_trigger g WHERE g.tgrelid = table_name AND NOT g.tgisinternal);
  state "char" := (
    SELECT g.tgenabled
    FROM pg_trigger g JOIN stratum._audit_trigger_forms() f ON f.name = g.tgname
    WHERE g.tgrelid = table_name
    ORDER BY array_position('{A,O,R,D}'::text[], g.tgenabled::text) LIMIT 1);
  form record;
  events text;
BEGIN
  FOR form IN SELECT * FROM stratum._audit_trigger_forms() LOOP
    events := CASE WHEN form.by_row <> _put_row_triggers.by_row THEN NULL
                   WHEN by_row THEN (SELECT string_agg(o, ' OR ') FROM unnest(asked) o WHERE o <> 'truncate')
                   WHEN form.operation = ANY (asked) THEN form.operation END;
    PERFORM stratum._put_audit_trigger(
      table_name, form.name, events,
      CASE WHEN by_row THEN 'FOR EACH ROW EXECUTE FUNCTION stratum._audit_row('
           ELSE form.transition || ' FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_statement(' END || arguments || ')',
      'Records changes in stratum.audit_logs.');
    IF events IS NOT NULL AND state <> 'O' AND form.name <> ALL (before) THEN
      EXECUTE format('ALTER TABLE %s %s TRIGGER %I', table_name,
                     CASE state WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, form.name);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._put_row_triggers(regclass, text, text[], boolean) IS
  'Puts the audit triggers that record rows on a table, in one form, and takes off those of the other; internal.';

-- of its own, not those that a partition has from its partitioned table
CREATE FUNCTION stratum._has_audit_triggers(table_name regclass) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pg_trigger g
                 WHERE g.tgrelid = table_name AND g.tgname ~ '^zz_stratum_audit(_insert|_update|_delete|_truncate)?$' AND g.tgparentid = 0);
END $$;
COMMENT ON FUNCTION stratum._has_audit_triggers(regclass) IS
  'Whether a table has audit triggers of its own; internal to unaudit_table().';

CREATE FUNCTION stratum._put_audit_triggers(table_name regclass, redact text[], ignore text[], operations text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  asked text[] := stratum._audit_operations(operations);
  resource_type text := stratum._resource_type(table_name);
BEGIN
  PERFORM stratum._put_row_triggers(
    table_name, format('%L, %L, %L', resource_type, redact, ignore), asked, stratum._audited_by_row(table_name));
  PERFORM stratum._put_audit_trigger(
    table_name, 'zz_stratum_audit_truncate',
    CASE WHEN 'truncate' = ANY (asked) THEN 'TRUNCATE' END,
    format('FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_truncate(%L)', resource_type),
    'Records TRUNCATE in stratum.audit_logs.');
END $$;
COMMENT ON FUNCTION stratum._put_audit_triggers(regclass, text[], text[], text) IS
  'Puts the audit triggers on a table, or takes off those that are not asked for; internal.';

-- "name", "name:mask", "name:hash", "name:drop": the names. A column whose name ends like that is itself.
CREATE FUNCTION stratum._redacted_columns(table_name regclass, redact text[]) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dropped_key text;
BEGIN
  SELECT a.attname INTO dropped_key
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = table_name AND (i.indisprimary OR i.indisreplident) AND a.attname || ':drop' = ANY (redact) LIMIT 1;
  IF dropped_key IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of table % is part of its key and cannot be left out of the audit trail', dropped_key, table_name
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Mask or hash it.';
  END IF;
  RETURN ARRAY(
    SELECT CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = table_name AND a.attname = r.entry AND NOT a.attisdropped)
                THEN r.entry ELSE regexp_replace(r.entry, ':(mask|hash|drop)$', '') END
    FROM unnest(redact) WITH ORDINALITY r (entry, n) ORDER BY r.n);
END $$;
COMMENT ON FUNCTION stratum._redacted_columns(regclass, text[]) IS
  'The columns of a list that may say how each is redacted; internal to audit_table().';

-- Made when it is first needed; nobody has a right to it but the library.
CREATE FUNCTION stratum._make_audit_key() RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO stratum.audit_keys (id, key)
    VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
  ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION stratum._make_audit_key() IS
  'Makes the key for hashed values where there is none; internal to audit_table().';

-- The new choice replaces the old: who leaves redact out may have forgotten it. The table has its new triggers, and
-- audited_tables the old choice.
CREATE FUNCTION stratum._tell_shown_columns(table_name regclass) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  shown text := (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM stratum.audited_tables t CROSS JOIN stratum._audit_shape(_tell_shown_columns.table_name) s
      JOIN pg_attribute a ON a.attrelid = _tell_shown_columns.table_name AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.table_name = _tell_shown_columns.table_name::text
      AND t.redact && ARRAY[a.attname::text, a.attname || ':mask', a.attname || ':hash', a.attname || ':drop']
      AND a.attname::text <> ALL (s.redacted || s.virtual_columns));
BEGIN
  IF shown IS NOT NULL THEN
    RAISE NOTICE 'table % has columns that are no longer redacted in the audit trail: %', table_name, shown
      USING HINT = 'Each call replaces the choice of the one before. Give redact every column that is to be redacted.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._tell_shown_columns(regclass) IS
  'Says in a NOTICE which columns are no longer redacted; internal to audit_table().';

-- What the trail covers is part of the evidence. Writes what is the case, whatever the caller says, and as an entry about the
-- trail itself, which nobody else can write.
CREATE FUNCTION stratum._record_audited_table(table_name regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  choice jsonb := (
    SELECT jsonb_build_object('operation', 'audit_table', 'redact', t.redact, 'ignore', t.ignore, 'operations', t.operations)
    FROM stratum.audited_tables t WHERE t.table_name = _record_audited_table.table_name::text);
BEGIN
  IF choice IS NULL AND NOT stratum._has_audit_triggers(table_name) THEN
    choice := '{"operation": "unaudit_table"}';
  END IF;
  IF choice IS NOT NULL THEN
    PERFORM stratum._log_record(NULL, 'update', 'audit_logs', stratum._resource_type(table_name), choice || jsonb_build_object('by', session_user));
  END IF;
END $$;
COMMENT ON FUNCTION stratum._record_audited_table(regclass) IS
  'Writes into the trail whether a table is audited, how, and who has called; internal to audit_table() and unaudit_table().';

CREATE FUNCTION stratum.audit_table(
    table_name regclass,
    redact text[] DEFAULT '{}',
    ignore text[] DEFAULT '{}',
    operations text DEFAULT 'insert,update,delete,truncate')
  RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF table_name IS NULL OR redact IS NULL OR ignore IS NULL OR operations IS NULL THEN
    RAISE EXCEPTION 'no argument of audit_table() may be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM stratum._check_auditable(table_name);
  PERFORM stratum._check_columns(table_name, stratum._redacted_columns(table_name, redact) || ignore);
  IF array_to_string(redact, ',') ~ ':hash(,|$)' THEN
    PERFORM stratum._make_audit_key();
  END IF;
  PERFORM stratum._put_audit_triggers(table_name, redact, ignore, operations);
  PERFORM stratum._tell_shown_columns(table_name);
  INSERT INTO stratum.audited_tables AS t (table_name, redact, ignore, operations)
    VALUES (audit_table.table_name::text, audit_table.redact, audit_table.ignore,
            coalesce(nullif(array_to_string(stratum._audit_operations(audit_table.operations), ','), ''), 'none'))
  ON CONFLICT ON CONSTRAINT audited_tables_pkey DO UPDATE
    SET redact = excluded.redact, ignore = excluded.ignore, operations = excluded.operations;
  PERFORM stratum._record_audited_table(table_name);
END $$;
COMMENT ON FUNCTION stratum.audit_table(regclass, text[], text[], text) IS
  'Every change to the table is recorded in audit_logs from now on; values of redacted columns never in clear, changes of ignored columns alone not at all. Calling it again replaces the choice. An entry without a tenant says who chose what.';

CREATE FUNCTION stratum.unaudit_table(table_name regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  was_audited constant boolean := stratum._has_audit_triggers(table_name);
BEGIN
  IF table_name IS NULL THEN
    RAISE EXCEPTION 'table_name must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM stratum._put_audit_trigger(unaudit_table.table_name, x.name, NULL, NULL, NULL)
  FROM (SELECT f.name FROM stratum._audit_trigger_forms() f UNION ALL VALUES ('zz_stratum_audit_truncate')) x (name);
  DELETE FROM stratum.audited_tables t WHERE t.table_name = unaudit_table.table_name::text;
  IF was_audited OR found THEN
    PERFORM stratum._record_audited_table(table_name);
  END IF;
END $$;
COMMENT ON FUNCTION stratum.unaudit_table(regclass) IS
  'Changes to the table are recorded no longer; what has been recorded stays. An entry without a tenant says who called it.';

-- What is listed here a superuser puts under audit again, so nobody may list a table that he could not put
-- under audit himself: its rows would appear in the trail.
CREATE FUNCTION stratum._guard_audited_tables() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  listed text := CASE tg_op WHEN 'DELETE' THEN old.table_name ELSE new.table_name END;
  relation regclass;
BEGIN
  -- Superusers may, and pg_restore fills this table before it makes the others.
  IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
    relation := to_regclass(listed);
    IF tg_op = 'UPDATE' AND new.table_name <> old.table_name
       OR tg_op <> 'DELETE' AND (relation IS NULL OR relation::text <> listed)
       OR relation IS NOT NULL AND NOT has_table_privilege(relation, 'TRIGGER') THEN
      RAISE EXCEPTION 'permission denied to list table % as audited', listed
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Use stratum.audit_table() and stratum.unaudit_table().';
    END IF;
  END IF;
  RETURN CASE tg_op WHEN 'DELETE' THEN old ELSE new END;
END $$;
COMMENT ON FUNCTION stratum._guard_audited_tables() IS
  'BEFORE row trigger of audited_tables: nobody lists a table that he could not put under audit himself.';

CREATE FUNCTION stratum._restore_audit_triggers() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  audited record;
BEGIN
  FOR audited IN
    SELECT to_regclass(t.table_name) AS relation, t.redact, t.ignore, t.operations
    FROM stratum.audited_tables t
    WHERE to_regclass(t.table_name) IS NOT NULL
    ORDER BY t.table_name
  LOOP
    BEGIN
      PERFORM stratum._check_auditable(audited.relation);
      PERFORM stratum._check_columns(audited.relation, stratum._redacted_columns(audited.relation, audited.redact));
      PERFORM stratum._put_audit_triggers(audited.relation, audited.redact, audited.ignore, audited.operations);
    EXCEPTION WHEN wrong_object_type OR undefined_column OR invalid_parameter_value OR null_value_not_allowed THEN
      RAISE WARNING 'table % is not audited again: %', audited.relation, sqlerrm;
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._restore_audit_triggers() IS
  'Puts the audit triggers back on the tables of audited_tables; internal to install().';

CREATE FUNCTION stratum._is_chosen_audit(trigger_object text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF trigger_object !~ '\.zz_stratum_audit(_insert|_update|_delete|_truncate)?$' OR to_regclass('stratum.audited_tables') IS NULL THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM stratum.audited_tables t
                 WHERE t.table_name = 'stratum.' || split_part(trigger_object, '.', 1));
END $$;
COMMENT ON FUNCTION stratum._is_chosen_audit(text) IS
  'Whether an audit trigger (table.trigger) of a stratum table follows the user''s choice instead of ours; internal to check_install().';

-- Which columns of a stratum table are bookkeeping, whose change alone is not logged, is known to the library.
CREATE FUNCTION stratum._audit_stratum_table(table_name text, operations text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._put_audit_triggers(format('stratum.%I', table_name)::regclass, '{}', '{}', operations);
END $$;
COMMENT ON FUNCTION stratum._audit_stratum_table(text, text) IS
  'Puts the audit triggers on a stratum table; internal to install().';

CREATE FUNCTION stratum._attach_audit_guard() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._put_trigger(
    'stratum.audit_logs', 'zz_stratum_guard_insert',
    'BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION stratum._audit_guard_insert()',
    'Others than the library write events only, with who and when taken from the context.');
  PERFORM stratum._put_trigger(
    'stratum.audit_logs', 'zz_stratum_guard_change',
    'BEFORE UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()',
    'The audit trail is append-only.');
  PERFORM stratum._put_trigger(
    'stratum.audit_logs', 'zz_stratum_guard_truncate',
    'BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()',
    'The audit trail is append-only.');
END $$;
COMMENT ON FUNCTION stratum._attach_audit_guard() IS
  'Puts the guard triggers on audit_logs; internal to install().';

-- ---- the history of a row ----

-- Types of others have an equality that is in no path; it need not be of the text, which finds the row by an index all the same.
-- Arrays and composite types are in a resource_id as JSON has them. A domain has the output function of what it is over.
CREATE FUNCTION stratum._key_condition(table_name regclass, key_columns text[]) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT string_agg(
    CASE WHEN t.typoutput = 'jsonb_out'::regproc THEN format('stratum_row.%I = %s', a.attname, v.json)
         WHEN t.typoutput = ANY ('{array_out,record_out}'::regproc[]) THEN
           format('stratum_row.%I = (SELECT k.value FROM pg_catalog.jsonb_to_record(pg_catalog.jsonb_build_object(''value'', %s)) k (value %s))',
                  a.attname, v.json, v.type)
         WHEN e.schema <> 'pg_catalog' THEN
           format('stratum_row.%1$I OPERATOR(%2$I.%3$s) %4$s::%5$s AND pg_catalog.format(''%%s'', stratum_row.%1$I) = %4$s',
                  a.attname, e.schema, e.name, v.text, v.type)
         ELSE format('stratum_row.%I = %s::%s', a.attname, v.text, v.type) END, ' AND ' ORDER BY k.n)
  FROM unnest(key_columns) WITH ORDINALITY k (name, n)
    JOIN pg_attribute a ON a.attrelid = table_name AND a.attname = k.name
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (
      -- without a length: "character" and "bit" are those of length 1, and -1 makes them "bpchar" and quoted "bit"
      SELECT format_type(a.atttypid, -1) AS type,
             CASE cardinality(key_columns) WHEN 1 THEN '$1' ELSE format('($1::jsonb ->> %s)', k.n - 1) END AS text,
             CASE cardinality(key_columns) WHEN 1 THEN '$1::jsonb' ELSE format('($1::jsonb -> %s)', k.n - 1) END AS json) v
    LEFT JOIN LATERAL (
      SELECT n.nspname AS schema, o.oprname AS name
      FROM pg_index i
        JOIN pg_opclass c ON c.oid = i.indclass[array_position(i.indkey::smallint[], a.attnum)]
        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
        JOIN pg_am h ON h.oid = m.amopmethod AND h.amname = 'btree'
        JOIN pg_operator o ON o.oid = m.amopopr
        JOIN pg_namespace n ON n.oid = o.oprnamespace
      WHERE i.indrelid = table_name AND (i.indisprimary OR i.indisreplident)
      ORDER BY i.indisprimary DESC LIMIT 1) e ON true;
$$;
COMMENT ON FUNCTION stratum._key_condition(regclass, text[]) IS
  'What finds a row stratum_row of a table by its resource_id, $1; internal.';

-- A row as it is now, secrets redacted; NULL where it is not there, cannot be found by the key or may
-- not be read by the caller.
CREATE FUNCTION stratum._current_row(
    table_name regclass, key_columns text[], redacted text[], virtual_columns text[], resource_id text)
  RETURNS jsonb
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  condition text;
  masks text;
  result jsonb;
BEGIN
  IF NOT has_table_privilege(table_name, 'SELECT') OR cardinality(key_columns) = 0 OR NOT (
       SELECT has_schema_privilege(c.relnamespace, 'USAGE') FROM pg_class c WHERE c.oid = table_name) THEN
    RETURN NULL;
  END IF;
  condition := stratum._key_condition(table_name, key_columns);
  SELECT string_agg(format(' || CASE WHEN stratum_row.%I IS NULL THEN ''{}'' ELSE jsonb_build_object(%L, ''[REDACTED]'') END',
                           r.name, r.name), '')
    INTO masks
  FROM unnest(redacted) r (name);
  EXECUTE format('SELECT to_jsonb(stratum_row.*) - $2 %s FROM %s stratum_row WHERE %s', masks, table_name, condition)
    INTO result USING resource_id, virtual_columns;
  RETURN result;
EXCEPTION WHEN data_exception OR undefined_function THEN
  -- no such key can be: text for a number, or a type without an equality of its own
  RETURN NULL;
END $$;
COMMENT ON FUNCTION stratum._current_row(regclass, text[], text[], text[], text) IS
  'A row as it is now, secrets redacted, if the caller may read it; internal.';

-- What the trail has on a row, newest first. Followed back through changes of its key; one that took the key
-- away from the row is `is_moved`. A TRUNCATE counts where the row was there. Ordered by id, not by time: a
-- row's changes wait for each other, transactions do not.
--
-- No index leads to what took a key away. So it is looked for only where the key's own entries do not say how a
-- row came to its end, which may be the one that is not there today (`is_gone`); and never in stratum's tables,
-- whose names have no dot: their rows keep their ids.
CREATE FUNCTION stratum._row_entries(resource_type text, resource_id text, is_gone boolean)
  RETURNS TABLE (
    id bigint, created_at timestamptz, action text, user_id bigint, request_id text, old_values jsonb,
    new_values jsonb, is_moved boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key text := resource_id;
  previous_key text;
  may_move boolean;
  below bigint := 9223372036854775807;
  entry record;
BEGIN
  LOOP
    previous_key := NULL;
    may_move := strpos(resource_type, '.') > 0 AND (
      SELECT coalesce(bool_or(e.is_lost OR e.begins AND e.was_there), is_gone)
      FROM (SELECT l.old_values IS NULL OR l.metadata ? 'previous_resource_id' AS begins,
                   l.new_values IS NOT NULL AND is_gone AND lead(l.id) OVER ids IS NULL AS is_lost,
                   lag(l.new_values IS NOT NULL) OVER ids AS was_there
            FROM stratum.audit_logs l
            WHERE l.resource_type = _row_entries.resource_type AND l.resource_id = key AND l.id < below
              AND l.action IN ('create', 'update', 'delete')
            WINDOW ids AS (ORDER BY l.id)) e);
    FOR entry IN
      SELECT l.id, l.created_at, l.action::text AS action, l.user_id, l.request_id::text AS request_id,
             l.old_values, l.new_values, m.is_moved,
             CASE WHEN NOT m.is_moved THEN l.metadata ->> 'previous_resource_id' END AS previous,
             l.resource_id IS NOT NULL
               OR coalesce(lead(l.resource_id IS NOT NULL AND l.new_values IS NOT NULL AND NOT m.is_moved)
                             OVER (ORDER BY l.id DESC), false)
               AS counts
      FROM stratum.audit_logs l CROSS JOIN LATERAL (SELECT l.resource_id <> key AS is_moved) m
      WHERE l.resource_type = _row_entries.resource_type AND l.id < below
        AND (l.resource_id = key OR l.resource_id IS NULL AND l.metadata ->> 'operation' = 'truncate'
             OR may_move AND l.metadata ->> 'previous_resource_id' = key)
        AND l.action IN ('create', 'update', 'delete')
        -- no row of log_event(), from before the table was audited
        AND (l.resource_id IS NULL OR l.old_values IS NOT NULL OR l.new_values IS NOT NULL)
      ORDER BY l.id DESC
    LOOP
      CONTINUE WHEN NOT entry.counts;
      RETURN QUERY SELECT entry.id::bigint, entry.created_at, entry.action, entry.user_id::bigint, entry.request_id,
                          entry.old_values, entry.new_values, coalesce(entry.is_moved, false);
      below := entry.id;
      previous_key := entry.previous;
      EXIT WHEN previous_key IS NOT NULL;
    END LOOP;
    EXIT WHEN previous_key IS NULL;
    key := previous_key;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._row_entries(text, text, boolean) IS
  'Entries of the trail on one row, newest first; internal to row_history().';

-- Every entry with the row after it. Going back from the row of today, each entry is undone; where that leads
-- nowhere (the row is gone or may not be read), going forth from its creation, each is done again. NULL where
-- neither is possible.
CREATE FUNCTION stratum._row_versions(table_name regclass, resource_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, action text, user_id bigint, request_id text, old_values jsonb,
    new_values jsonb, row_before jsonb, row_after jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shape record;
  entries record;
  after jsonb[] := '{}';
  state jsonb;
  is_gone boolean;
BEGIN
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  state := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id);
  is_gone := state IS NULL;
  SELECT count(*)::integer AS n, array_agg(e.action) AS action, array_agg(e.old_values) AS was,
         array_agg(e.new_values) AS became, array_agg(e.is_moved) AS is_moved
    INTO entries
  FROM stratum._row_entries(shape.resource_type, resource_id, is_gone) e;

  FOR i IN 1 .. entries.n LOOP
    IF entries.became[i] IS NULL THEN  -- gone, unless it came back without an entry
      after[i] := state;
      state := entries.was[i];
    ELSIF entries.is_moved[i] THEN  -- gone on under another key, what it was is not in the entry
      after[i] := NULL;
      state := NULL;
    ELSIF entries.action[i] = 'create' THEN
      after[i] := CASE WHEN i = 1 THEN coalesce(state, entries.became[i]) ELSE entries.became[i] END;
      state := NULL;
    ELSE
      after[i] := state;
      state := state || entries.was[i];
    END IF;
  END LOOP;
  FOR i IN REVERSE entries.n - 1 .. 1 LOOP
    IF after[i] IS NULL AND entries.became[i] IS NOT NULL AND NOT entries.is_moved[i] THEN
      after[i] := after[i + 1] || entries.became[i];
    END IF;
  END LOOP;

  RETURN QUERY
    SELECT e.id, e.created_at, e.action, e.user_id, e.request_id, e.old_values, e.new_values,
           CASE WHEN e.action = 'create' THEN NULL
                WHEN e.new_values IS NULL THEN e.old_values
                WHEN e.is_moved THEN after[e.n + 1]
                ELSE after[e.n] || e.old_values END,
           after[e.n]
    FROM stratum._row_entries(shape.resource_type, resource_id, is_gone)
      WITH ORDINALITY e (id, created_at, action, user_id, request_id, old_values, new_values, is_moved, n)
    ORDER BY e.n;
END $$;
COMMENT ON FUNCTION stratum._row_versions(regclass, text) IS
  'Every entry on a row, newest first, with the row before and after it; internal to row_history() and row_as_of().';

CREATE FUNCTION stratum.row_history(table_name regclass, resource_id text)
  RETURNS TABLE (
    audit_id bigint, changed_at timestamptz, action text, user_id integer, request_id text, old_values jsonb,
    new_values jsonb, row_after jsonb)
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  FOR audit_id, changed_at, action, user_id, request_id, old_values, new_values, row_after IN
    SELECT v.audit_id, v.changed_at, v.action, v.user_id, v.request_id, v.old_values, v.new_values, v.row_after
    FROM stratum._row_versions(table_name, resource_id) v
  LOOP
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum.row_history(regclass, text) IS
  'Every recorded version of a row, newest first; row_after is the whole row after the change, NULL once it is deleted.';

CREATE FUNCTION stratum.row_as_of(table_name regclass, resource_id text, at timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  version record;
  shape record;
  present jsonb;
BEGIN
  -- The newest that is not later; where all are, the oldest, for what was before it.
  SELECT v.row_before, v.row_after, v.changed_at <= row_as_of.at AS in_time
    INTO version
  FROM stratum._row_versions(table_name, resource_id) v
  ORDER BY v.changed_at <= row_as_of.at DESC,
           CASE WHEN v.changed_at <= row_as_of.at THEN v.audit_id ELSE -v.audit_id END DESC
  LIMIT 1;
  IF found THEN
    PERFORM stratum._check_not_purged(table_name, coalesce(version.row_before, version.row_after), at);
    RETURN CASE WHEN version.in_time THEN version.row_after ELSE version.row_before END;
  END IF;
  SELECT * INTO shape FROM stratum._audit_shape(table_name);
  present := stratum._current_row(table_name, shape.key_columns, shape.redacted, shape.virtual_columns, resource_id);
  PERFORM stratum._check_not_purged(table_name, present, at);
  RETURN present;
END $$;
COMMENT ON FUNCTION stratum.row_as_of(regclass, text, timestamptz) IS
  'A row as it was at a time, secrets redacted; NULL before it existed, once it is deleted, and where it never was. Raises for a time of which the trail has been purged.';
