-- Room to grow: serial ids, and what refers to them, become bigint.
-- rights: widen_ids() is for superusers, who own the tables

-- An id is a column of the documented type integer that is called id or something_id.
CREATE FUNCTION stratum._is_id_column(kind text, object text, definition text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT kind = 'column' AND object ~ '[._]id$' AND definition ~ '^integer\M' $$;
COMMENT ON FUNCTION stratum._is_id_column(text, text, text) IS
  'Whether a row of _storage_expected() is a column that widen_ids() widens; internal.';

CREATE FUNCTION stratum._id_columns() RETURNS TABLE (table_oid regclass, column_number smallint, column_name name, width regtype, sequence_oid regclass)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.attrelid::regclass, a.attnum, a.attname, a.atttypid::regtype,
         CASE WHEN a.attname = 'id' THEN pg_get_serial_sequence(a.attrelid::regclass::text, 'id')::regclass END
  FROM stratum._storage_expected() e
    JOIN pg_attribute a ON a.attrelid = to_regclass('stratum.' || quote_ident(split_part(e.object, '.', 1)))
      AND a.attname = split_part(e.object, '.', 2) AND NOT a.attisdropped AND a.atttypid IN ('integer'::regtype, 'bigint'::regtype)
  WHERE stratum._is_id_column(e.kind, e.object, e.definition);
$$;
COMMENT ON FUNCTION stratum._id_columns() IS
  'The ids of the storage, and what refers to them, as they are: table, column, type, and the sequence that numbers them; internal.';

CREATE FUNCTION stratum._has_wide_ids() RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM stratum._id_columns() c WHERE c.width = 'bigint'::regtype) $$;
COMMENT ON FUNCTION stratum._has_wide_ids() IS 'Whether widen_ids() has been at work here; internal.';

-- ---- results of functions -------------------------------------------------------------------------

-- The public functions whose documented result is an id of type integer. They return what the ids are: bodies suit both.
CREATE FUNCTION stratum._id_functions() RETURNS TABLE (signature regprocedure, definition text, width text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p.oid::regprocedure, pg_get_functiondef(p.oid),
         substring(pg_get_function_result(p.oid) FROM '(?:profile_id|segment_id|user_id|SETOF) (integer|bigint)')
  FROM unnest(ARRAY['segment_profiles(bigint)', 'profile_segments(bigint)', 'refresh_segments()', 'publish_draft(bigint)',
                    'row_history(regclass,text)']) f (name)
    JOIN pg_proc p ON p.oid = to_regprocedure('stratum.' || f.name)
    JOIN stratum._members('pg_proc') m ON m.oid = p.oid;
$$;
COMMENT ON FUNCTION stratum._id_functions() IS
  'The functions that return ids as the documented integer, and the type that they return here; internal to widen_ids().';

-- No CREATE OR REPLACE changes a result, so the function is made anew, with its rights and comment. Grants to stratum's
-- roles come before it is a member again and users' own afterwards, as dumps want it.
CREATE FUNCTION stratum._make_id_function(signature regprocedure, definition text, width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text := signature::text;
  comment text := obj_description(signature, 'pg_proc');
  in_script boolean := stratum._in_extension_script();
  ours text[];
  others text[];
  grantee text;
BEGIN
  SELECT array_agg(r.rolname) FILTER (WHERE r.rolname LIKE 'stratum\_%'), array_agg(r.rolname) FILTER (WHERE r.rolname NOT LIKE 'stratum\_%')
  INTO ours, others
  FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE p.oid = signature AND a.grantee <> p.proowner;
  IF NOT in_script THEN
    EXECUTE format('ALTER EXTENSION stratum DROP FUNCTION %s', name);
  END IF;
  EXECUTE format('DROP FUNCTION %s', name);
  EXECUTE regexp_replace(definition, E'(\\n RETURNS [^\\n]*(?:profile_id|segment_id|user_id|SETOF)) (?:integer|bigint)', E'\\1 ' || width);
  EXECUTE format('COMMENT ON FUNCTION %s IS %L', name, comment);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
  FOREACH grantee IN ARRAY coalesce(ours, '{}') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', name, grantee);
  END LOOP;
  IF NOT in_script THEN
    EXECUTE format('ALTER EXTENSION stratum ADD FUNCTION %s', name);
  END IF;
  FOREACH grantee IN ARRAY coalesce(others, '{}') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', name, grantee);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._make_id_function(regprocedure, text, text) IS
  'Makes a function that returns ids anew with another type of its result; internal to widen_ids().';

CREATE FUNCTION stratum._fit_results(wanted text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f record;
BEGIN
  FOR f IN SELECT * FROM stratum._id_functions() i WHERE i.width <> wanted LOOP
    PERFORM stratum._make_id_function(f.signature, f.definition, wanted);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._fit_results(text) IS
  'Makes the functions that return ids return this type, integer or bigint; internal to widen_ids() and install().';

-- ---- one table ------------------------------------------------------------------------------------

CREATE FUNCTION stratum._policy_command(policy oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass,
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) o))
           || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
           || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
           || format('; COMMENT ON POLICY %I ON %s IS %L', p.polname, p.polrelid::regclass, obj_description(p.oid, 'pg_policy'))
  FROM pg_policy p WHERE p.oid = policy;
$$;
COMMENT ON FUNCTION stratum._policy_command(oid) IS 'What makes a policy again, with its comment; internal to widen_ids() and partition_by_month().';

CREATE FUNCTION stratum._trigger_command(trigger oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT pg_get_triggerdef(t.oid)
           || format('; COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, obj_description(t.oid, 'pg_trigger'))
           || format('; ALTER TABLE %s %s TRIGGER %I', t.tgrelid::regclass,
                     CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname)
  FROM pg_trigger t WHERE t.oid = trigger;
$$;
COMMENT ON FUNCTION stratum._trigger_command(oid) IS
  'What makes a trigger again, with its comment and state; internal to widen_ids() and partition_by_month().';

-- What ALTER TABLE cannot carry along, or would carry along badly: policies and triggers it refuses to touch, and references it
-- would check row by row under its exclusive lock. So they are put back NOT VALID, which is enforced all the same.
CREATE FUNCTION stratum._in_the_way(table_oid regclass, columns smallint[]) RETURNS TABLE (drop_it text, make_it text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname),
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''))
           || CASE WHEN r.relkind = 'r' AND pg_get_constraintdef(c.oid) !~ 'NOT ENFORCED' THEN ' NOT VALID' ELSE '' END
           || format('; COMMENT ON CONSTRAINT %I ON %s IS %L', c.conname, c.conrelid::regclass, obj_description(c.oid, 'pg_constraint'))
  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
  WHERE c.contype = 'f' AND c.conparentid = 0
    AND (c.conrelid = table_oid AND c.conkey && columns OR c.confrelid = table_oid AND c.confkey && columns)
  UNION ALL
  SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass), stratum._policy_command(p.oid)
  FROM pg_policy p
  WHERE EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = table_oid AND d.refobjsubid = ANY (columns))
  UNION ALL
  SELECT format('DROP TRIGGER %I ON %s', t.tgname, table_oid), stratum._trigger_command(t.oid)
  FROM pg_trigger t
  WHERE t.tgrelid = table_oid AND NOT t.tgisinternal
    AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = table_oid AND d.refobjsubid = ANY (columns));
$$;
COMMENT ON FUNCTION stratum._in_the_way(regclass, smallint[]) IS
  'References, policies and triggers that use columns whose type is to change, with what drops them and puts them back; internal to widen_ids().';

-- A session keeps the types that a plpgsql function has met. It forgets them when the function's row in the catalog
-- is another one, though it says the same.
CREATE FUNCTION stratum._forget_types() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure AS signature, p.procost
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname = 'plpgsql' AND p.prokind = 'f'
  LOOP
    EXECUTE format('ALTER FUNCTION %s COST %s', f.signature, f.procost);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._forget_types() IS
  'Makes every session compile stratum''s plpgsql functions anew; internal to widen_ids().';

CREATE FUNCTION stratum._set_id_width(table_oid regclass, width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  columns smallint[];
  changes text;
  drops text[];
  makes text[];
  command text;
  was_analyzed boolean := (SELECT r.reltuples > 0 FROM pg_class r WHERE r.oid = table_oid);
BEGIN
  SELECT array_agg(c.column_number), string_agg(format('ALTER COLUMN %I TYPE %s', c.column_name, _set_id_width.width), ', ' ORDER BY c.column_number)
  INTO columns, changes
  FROM stratum._id_columns() c WHERE c.table_oid = _set_id_width.table_oid AND c.width <> _set_id_width.width::regtype;
  IF columns IS NOT NULL THEN
    PERFORM stratum._drop_partition_policies(table_oid);
    SELECT array_agg(i.drop_it), array_agg(i.make_it) INTO drops, makes FROM stratum._in_the_way(table_oid, columns) i;
    FOREACH command IN ARRAY coalesce(drops, '{}') LOOP
      EXECUTE command;
    END LOOP;
    EXECUTE format('ALTER TABLE %s %s', table_oid, changes);
    FOREACH command IN ARRAY coalesce(makes, '{}') LOOP
      EXECUTE command;
    END LOOP;
    PERFORM stratum._fit_partitions(table_oid);
    PERFORM stratum._forget_types();
    IF was_analyzed THEN
      EXECUTE format('ANALYZE %s', table_oid);
    END IF;
  END IF;
  FOR command IN
    SELECT format('ALTER SEQUENCE %s AS %s', c.sequence_oid, _set_id_width.width)
    FROM stratum._id_columns() c JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
    WHERE c.table_oid = _set_id_width.table_oid AND s.seqtypid <> _set_id_width.width::regtype
  LOOP
    EXECUTE command;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._set_id_width(regclass, text) IS
  'Gives the ids of a table, and its sequence, a type: integer or bigint; rewrites the table; internal to widen_ids().';

-- ---- all of them ----------------------------------------------------------------------------------

-- What PostgreSQL will not let stand on a column whose type changes, and what uses a function that is made anew.
CREATE FUNCTION stratum._check_dependants(width text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  found_ones text;
BEGIN
  SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid), ', ') INTO found_ones
  FROM pg_depend d
  WHERE EXISTS (SELECT FROM stratum._id_columns() c
                WHERE c.width <> _check_dependants.width::regtype AND d.refclassid = 'pg_class'::regclass
                  AND d.refobjid = c.table_oid AND d.refobjsubid = c.column_number)
        AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
             OR EXISTS (SELECT FROM pg_attrdef a JOIN pg_attribute g ON g.attrelid = a.adrelid AND g.attnum = a.adnum
                        WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid AND g.attgenerated <> ''))
     OR EXISTS (SELECT FROM stratum._id_functions() f
                WHERE f.width <> _check_dependants.width AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.signature);
  IF found_ones IS NOT NULL THEN
    RAISE EXCEPTION 'ids of stratum cannot change their type while these use them: %', found_ones
      USING ERRCODE = 'dependent_objects_still_exist', HINT = 'Drop them, and make them again afterwards.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_dependants(text) IS
  'Refuses views, generated columns and the like that use ids whose type is to change; internal to widen_ids().';

-- A partitioned table has its rows in its partitions. A plain one is in no tree.
CREATE FUNCTION stratum._size_with_partitions(table_oid regclass) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(sum(pg_table_size(p.relid))::bigint, pg_table_size(table_oid)) FROM pg_partition_tree(table_oid) p $$;
COMMENT ON FUNCTION stratum._size_with_partitions(regclass) IS 'Bytes of a table, those of its partitions among them; internal to widen_ids().';

-- Small ones first: a long one keeps none of them waiting.
CREATE FUNCTION stratum._tables_to_widen() RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'widen_ids() needs a superuser' USING ERRCODE = 'insufficient_privilege';
  ELSIF stratum.version() <> stratum._storage_version() OR stratum._storage_version() IS NULL THEN
    RAISE EXCEPTION 'the storage is not of the extension''s version'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do first what SELECT * FROM stratum.check_install() says.';
  END IF;
  PERFORM stratum._check_dependants('bigint');
  RETURN ARRAY(
    SELECT t.table_oid::text
    FROM (SELECT DISTINCT c.table_oid FROM stratum._id_columns() c LEFT JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
          WHERE c.width <> 'bigint'::regtype OR s.seqtypid <> 'bigint'::regtype) t
    ORDER BY stratum._size_with_partitions(t.table_oid), t.table_oid::text);
END $$;
COMMENT ON FUNCTION stratum._tables_to_widen() IS
  'The tables that widen_ids() has left to do; refuses what it cannot do; internal.';

CREATE FUNCTION stratum._validation_steps() RETURNS text[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT ARRAY(SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.conrelid::regclass, c.conname)
               FROM pg_constraint c
               WHERE c.contype = 'f' AND NOT c.convalidated AND c.conparentid = 0 AND pg_get_constraintdef(c.oid) !~ 'NOT ENFORCED'
                 AND (c.conrelid IN (SELECT i.table_oid FROM stratum._id_columns() i) OR c.confrelid IN (SELECT i.table_oid FROM stratum._id_columns() i))
               ORDER BY pg_table_size(c.conrelid), c.conname);
$$;
COMMENT ON FUNCTION stratum._validation_steps() IS
  'References of and to the storage that wait for the check of the rows that were there before them, as commands; internal to widen_ids().';

-- Whoever waits for an exclusive lock keeps everybody else waiting: so it waits for a short time, and tries again.
CREATE FUNCTION stratum._widening_step(command text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('lock_timeout') = '0' THEN
    PERFORM set_config('lock_timeout', '2s', true);
  END IF;
  EXECUTE command;
EXCEPTION WHEN foreign_key_violation THEN
  RAISE WARNING '%', SQLERRM USING HINT = format('Mend the rows, then %s;', command);
END $$;
COMMENT ON FUNCTION stratum._widening_step(text) IS 'One step of widen_ids(), which waits for its locks 2 seconds, or lock_timeout; internal.';

-- It commits, so it must not be a definer function and cannot pin its search_path; what it calls does.
CREATE PROCEDURE stratum._try_step(command text, tries integer)
  LANGUAGE plpgsql
AS $$
DECLARE
  done boolean := false;
BEGIN
  FOR attempt IN 1 .. tries LOOP
    BEGIN
      PERFORM stratum._widening_step(command);
      done := true;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF attempt = tries THEN
        RAISE EXCEPTION 'no lock was to be had: %', SQLERRM
          USING ERRCODE = SQLSTATE, DETAIL = pg_catalog.format('Tried %s times: %s', tries, command),
                HINT = 'What was done before stays done. End the transactions that hold the table, or wait, and CALL stratum.widen_ids() again.';
      END IF;
    END;
    COMMIT;
    EXIT WHEN done;
    PERFORM pg_catalog.pg_sleep(0.5);
  END LOOP;
END $$;
COMMENT ON PROCEDURE stratum._try_step(text, integer) IS 'A step of widen_ids(), again and again where its locks are not to be had, and a commit; internal.';

CREATE FUNCTION stratum._report_narrow_references() RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  found_one record;
BEGIN
  FOR found_one IN
    SELECT DISTINCT c.conrelid::regclass AS table_name, a.attname, c.confrelid::regclass AS target
    FROM pg_constraint c, unnest(c.conkey, c.confkey) k (own, referred)
      JOIN pg_attribute a ON a.attnum = k.own
      JOIN stratum._id_columns() i ON i.column_number = k.referred
    WHERE c.contype = 'f' AND c.conparentid = 0 AND a.attrelid = c.conrelid AND i.table_oid = c.confrelid
      AND a.atttypid = 'integer'::regtype AND c.conrelid NOT IN (SELECT t.table_oid FROM stratum._id_columns() t)
    ORDER BY 1, 2
  LOOP
    RAISE NOTICE 'column % of table %, which refers to %, is still integer', found_one.attname, found_one.table_name, found_one.target
      USING HINT = 'It serves until ids pass 2147483647; its type is yours to change.';
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._report_narrow_references() IS 'Names the user''s own columns that refer to ids and are integer, in notices; internal to widen_ids().';

CREATE PROCEDURE stratum.widen_ids(tries integer DEFAULT 20)
  LANGUAGE plpgsql
AS $$
DECLARE
  tables text[];
  checks text[];
BEGIN
  PERFORM stratum._refuse_transaction_block('widen_ids');
  tables := stratum._tables_to_widen();
  IF tries IS NULL OR tries < 1 THEN
    RAISE EXCEPTION 'tries must be 1 or more' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  FOR n IN 1 .. pg_catalog.cardinality(tables) LOOP
    CALL stratum._try_step(pg_catalog.format('SELECT stratum._set_id_width(%L, %L)', tables[n], 'bigint'), tries);
    RAISE NOTICE 'widened % (% of % tables)', tables[n], n, pg_catalog.cardinality(tables);
  END LOOP;
  checks := stratum._validation_steps();
  FOR n IN 1 .. pg_catalog.cardinality(checks) LOOP
    CALL stratum._try_step(checks[n], tries);
    RAISE NOTICE 'done: % (% of % references)', checks[n], n, pg_catalog.cardinality(checks);
  END LOOP;
  CALL stratum._try_step('SELECT stratum._fit_results(''bigint'')', tries);
  PERFORM stratum._report_narrow_references();
END $$;
COMMENT ON PROCEDURE stratum.widen_ids(integer) IS
  'Turns the serial ids and what refers to them into bigint, a table a transaction; what an interruption leaves is done by the next CALL.';

-- ---- the way back, and what check_install() says --------------------------------------------------

CREATE FUNCTION stratum._narrow_ids() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  c record;
  is_beyond boolean;
BEGIN
  PERFORM stratum._check_dependants('integer');
  FOR c IN SELECT * FROM stratum._id_columns() i WHERE i.width = 'bigint'::regtype ORDER BY i.table_oid::text, i.column_number LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE t.%I NOT BETWEEN -2147483648 AND 2147483647)', c.table_oid, c.column_name) INTO is_beyond;
    is_beyond := is_beyond OR coalesce(pg_sequence_last_value(c.sequence_oid) > 2147483647, false);
    IF is_beyond THEN
      RAISE EXCEPTION 'ids of % have passed 2147483647, more than version 1.0 can hold', c.table_oid
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It has integer ids only; this is about column %I.', c.column_name),
              HINT = 'Stay with this version.';
    END IF;
  END LOOP;
  FOR c IN
    SELECT DISTINCT i.table_oid FROM stratum._id_columns() i LEFT JOIN pg_sequence s ON s.seqrelid = i.sequence_oid
    WHERE i.width = 'bigint'::regtype OR s.seqtypid = 'bigint'::regtype
  LOOP
    PERFORM stratum._set_id_width(c.table_oid, 'integer');
  END LOOP;
  FOR c IN SELECT v.command FROM unnest(stratum._validation_steps()) v (command) LOOP
    EXECUTE c.command;
  END LOOP;
  PERFORM stratum._fit_results('integer');
END $$;
COMMENT ON FUNCTION stratum._narrow_ids() IS
  'Undoes widen_ids(), in one transaction; refused where an id does not fit; internal to the way down to version 1.0.';

-- A restored database has functions as CREATE EXTENSION makes them. That is well until ids come near the end of integer.
CREATE FUNCTION stratum._check_widths() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'sequence ' || c.sequence_oid, 'still integer, the ids are bigint', 'CALL stratum.widen_ids();'
  FROM stratum._id_columns() c JOIN pg_sequence s ON s.seqrelid = c.sequence_oid
  WHERE c.width = 'bigint'::regtype AND s.seqtypid <> 'bigint'::regtype
  UNION ALL
  SELECT 'function ' || f.signature, 'returns integer, and ids are past the half of that', 'SELECT stratum.install();'
  FROM stratum._id_functions() f
  WHERE f.width = 'integer'
    AND EXISTS (SELECT FROM stratum._id_columns() c WHERE c.width = 'bigint'::regtype AND pg_sequence_last_value(c.sequence_oid) > 1073741823);
$$;
COMMENT ON FUNCTION stratum._check_widths() IS
  'Where sequences and functions have not followed the ids; internal to check_install().';
