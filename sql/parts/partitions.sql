-- Monthly partitions of audit_logs and cdp_events, for those who choose them.
-- rights: partition_by_month() and unpartition() are for superusers, who own the tables; make_partitions, schedule_partitions -> stratum_admin

-- The tables that can be converted, and the column whose month decides. Months are those of UTC, whatever the time zone of a session.
CREATE FUNCTION stratum._partitionable() RETURNS TABLE (table_name text, time_column text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ VALUES ('audit_logs', 'created_at'), ('cdp_events', 'timestamp') $$;
COMMENT ON FUNCTION stratum._partitionable() IS 'Tables that partition_by_month() converts, and by which column; internal.';

CREATE FUNCTION stratum._time_column(table_name text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  result text := (SELECT p.time_column FROM stratum._partitionable() p WHERE p.table_name = _time_column.table_name);
BEGIN
  IF result IS NULL THEN
    RAISE EXCEPTION 'table % cannot have monthly partitions', coalesce(quote_literal(table_name), 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is audit_logs or cdp_events.';
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._time_column(text) IS
  'The column by which a table is partitioned; raises for tables that cannot be; internal.';

CREATE FUNCTION stratum._is_partitioned(table_name text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(format('stratum.%I', table_name)) AND c.relkind = 'p');
$$;
COMMENT ON FUNCTION stratum._is_partitioned(text) IS 'Whether a stratum table has been converted to partitions; internal.';

-- Bounds of partitions that somebody made otherwise than by time ranges are NULL.
CREATE FUNCTION stratum._partitions(table_name text)
  RETURNS TABLE (oid regclass, name text, is_default boolean, starts timestamptz, ends timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
AS $$
  SELECT c.oid::regclass, c.relname::text, b.bounds = 'DEFAULT',
         CASE WHEN b.bounds ~ '^FOR VALUES FROM \(MINVALUE\)' THEN '-infinity'
              ELSE substring(b.bounds FROM '^FOR VALUES FROM \(''([^'']*)''\)') END::timestamptz,
         CASE WHEN b.bounds ~ ' TO \(MAXVALUE\)$' THEN 'infinity'
              ELSE substring(b.bounds FROM ' TO \(''([^'']*)''\)$') END::timestamptz
  FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
  WHERE i.inhparent = to_regclass(format('stratum.%I', table_name)) AND stratum._is_partitioned(table_name);
$$;
COMMENT ON FUNCTION stratum._partitions(text) IS 'The partitions of a converted table, with the time that each is for; internal.';

-- ---- rights, policies, triggers of a partition ----------------------------------------------------

-- Default privileges may give away what is made.
CREATE FUNCTION stratum._revoke_everything(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  grantee text;
BEGIN
  FOR grantee IN
    SELECT DISTINCT coalesce(quote_ident(r.rolname), 'PUBLIC')
    FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE c.oid = table_oid AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', table_oid, grantee);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._revoke_everything(regclass) IS 'Takes a table''s rights from everybody but its owner; internal.';

-- Statement triggers of the partitioned table do not fire for statements on a partition itself.
CREATE FUNCTION stratum._put_partition_guards(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  IF table_name = 'audit_logs' THEN
    PERFORM stratum._put_trigger(leaf, g.name,
      'BEFORE ' || g.events || ' ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._audit_guard_change()', 'The audit trail is append-only.')
    FROM (VALUES ('zz_stratum_guard_change', 'UPDATE OR DELETE'), ('zz_stratum_guard_truncate', 'TRUNCATE')) g (name, events);
  ELSE
    PERFORM stratum._put_trigger(leaf, 'zz_stratum_viewer',
      'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum.refuse_viewer()', 'A viewer writes nothing.');
    PERFORM stratum._put_trigger(leaf, 'zz_stratum_live_truncate',
      'AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._events_truncated()',
      'Live memberships are brought up to date at the end of the transaction.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_partition_guards(text, regclass) IS
  'Puts the statement triggers on a partition that guard it when it is named itself; internal.';

CREATE FUNCTION stratum._put_partition_policies(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET client_min_messages = warning
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', leaf);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', leaf);
  EXECUTE format('DROP POLICY IF EXISTS tenant_isolation ON %s', leaf);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s USING (tenant_id = stratum.current_tenant_id())', leaf);
  EXECUTE format('COMMENT ON POLICY tenant_isolation ON %s IS %L', leaf, 'Rows of the tenant that the transaction has entered, and no others.');
  EXECUTE format('DROP POLICY IF EXISTS admin_all ON %s', leaf);
  EXECUTE format('CREATE POLICY admin_all ON %s TO stratum_admin USING (true)', leaf);
  EXECUTE format('COMMENT ON POLICY admin_all ON %s IS %L', leaf, 'Administrators see every tenant.');
  EXECUTE format('DROP POLICY IF EXISTS auditor_read ON %s', leaf);
  IF table_name = 'audit_logs' THEN
    EXECUTE format('CREATE POLICY auditor_read ON %s FOR SELECT TO stratum_auditor USING (true)', leaf);
    EXECUTE format('COMMENT ON POLICY auditor_read ON %s IS %L', leaf, 'Auditors read the trail of every tenant.');
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_partition_policies(text, regclass) IS
  'Row security of a partition, as its partitioned table has it from stratum: nobody has a right on it, and if somebody gets one it holds; internal.';

-- A key of a partitioned table must have its time in it, that of a partition need not: a message comes once in a month.
CREATE FUNCTION stratum._has_message_key(leaf regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = leaf AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 2
      AND ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = leaf AND a.attnum = ANY (i.indkey[0:1])) @> '{tenant_id,message_id}'::name[]);
$$;
COMMENT ON FUNCTION stratum._has_message_key(regclass) IS
  'Whether a partition of cdp_events takes a message of a tenant once; internal.';

CREATE FUNCTION stratum._fit_partition(table_name text, leaf regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  PERFORM stratum._put_partition_policies(table_name, leaf);
  PERFORM stratum._put_partition_guards(table_name, leaf);
  IF table_name = 'cdp_events' AND NOT stratum._has_message_key(leaf) THEN
    EXECUTE format('ALTER TABLE %s ADD UNIQUE (tenant_id, message_id)', leaf);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._fit_partition(text, regclass) IS
  'Policies, guards and the key of messages of a partition, which it has not from its partitioned table; internal.';

-- Whoever made them: pg_partman, or a person.
CREATE FUNCTION stratum._fit_partitions(table_oid regclass DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._fit_partition(t.table_name, p.oid)
  FROM stratum._partitionable() t CROSS JOIN LATERAL stratum._partitions(t.table_name) p
  WHERE table_oid IS NULL OR table_oid = to_regclass('stratum.' || t.table_name);
END $$;
COMMENT ON FUNCTION stratum._fit_partitions(regclass) IS '_fit_partition() of all partitions there are, or those of one table; internal to install() and widen_ids().';

-- While a column that they ask for changes its type they cannot be there.
CREATE FUNCTION stratum._drop_partition_policies(table_oid regclass) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  policy record;
BEGIN
  FOR policy IN
    SELECT p.polname, p.polrelid::regclass AS leaf
    FROM stratum._partitionable() t CROSS JOIN LATERAL stratum._partitions(t.table_name) l JOIN pg_policy p ON p.polrelid = l.oid
    WHERE table_oid = to_regclass('stratum.' || t.table_name) AND p.polname IN ('tenant_isolation', 'admin_all', 'auditor_read')
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', policy.polname, policy.leaf);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._drop_partition_policies(regclass) IS
  'Drops the policies of the partitions of a table, which _fit_partitions() puts back; internal to widen_ids().';

-- ---- making partitions ----------------------------------------------------------------------------

-- Made beside its table, filled, then attached: that waits for no reader and no writer of the partitioned table.
CREATE FUNCTION stratum._make_leaf(table_name text, leaf_name text, options text[], comment text) RETURNS regclass
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  leaf regclass;
  settings text := (SELECT string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ') FROM unnest(options) o);
BEGIN
  EXECUTE format('CREATE TABLE stratum.%I (LIKE stratum.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED'
                 || ' INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)%s', leaf_name, table_name, ' WITH (' || settings || ')');
  leaf := format('stratum.%I', leaf_name)::regclass;
  EXECUTE format('ALTER TABLE %s OWNER TO %I', leaf,
                 (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = format('stratum.%I', table_name)::regclass));
  PERFORM stratum._revoke_everything(leaf);
  EXECUTE format('COMMENT ON TABLE %s IS %L', leaf, comment);
  RETURN leaf;
END $$;
COMMENT ON FUNCTION stratum._make_leaf(text, text, text[], text) IS
  'A table that can become a partition of another one, with the storage options given; internal.';

-- As pg_partman calls them, 5 and later otherwise than before, so that it takes them for its own.
CREATE FUNCTION stratum._partition_name(table_name text, month timestamptz) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT table_name || '_p' || to_char(month, CASE WHEN (SELECT split_part(e.extversion, '.', 1)::integer FROM pg_extension e WHERE e.extname = 'pg_partman') >= 5
                                                   THEN 'YYYYMMDD' ELSE 'YYYY_MM' END);
$$;
COMMENT ON FUNCTION stratum._partition_name(text, timestamptz) IS 'Name of the partition of a month; internal.';

CREATE FUNCTION stratum._make_month(table_name text, month timestamptz, options text[]) RETURNS regclass
  LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT stratum._make_leaf(table_name, stratum._partition_name(table_name, month), options,
                            format('Rows of stratum.%s of %s (UTC).', table_name, to_char(month, 'FMMonth YYYY')));
$$;
COMMENT ON FUNCTION stratum._make_month(text, timestamptz, text[]) IS 'The table for the rows of a month, not yet attached; internal.';

CREATE FUNCTION stratum._attach_month(table_name text, leaf regclass, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', table_name, leaf, month, month + interval '1 month');
END $$;
COMMENT ON FUNCTION stratum._attach_month(text, regclass, timestamptz) IS 'Attaches the table of a month; internal.';

-- Columns that are written, as a list: not those that are computed.
CREATE FUNCTION stratum._written_columns(table_oid regclass) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
  WHERE a.attrelid = table_oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
$$;
COMMENT ON FUNCTION stratum._written_columns(regclass) IS 'The columns of a table that are not computed; internal.';

-- Rows of the month that have come into the default partition move, unrecorded: they are the same rows. Detached, it has no triggers but
-- those of statements.
CREATE FUNCTION stratum._empty_default(table_name text, default_leaf regclass, leaf regclass, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  columns text := stratum._written_columns(leaf);
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I DETACH PARTITION %s', table_name, default_leaf);
  IF table_name = 'audit_logs' THEN
    PERFORM stratum._open_audit_log();
  END IF;
  EXECUTE format('WITH moved AS (DELETE FROM %1$s WHERE %2$I >= $1 AND %2$I < $2 RETURNING %3$s) INSERT INTO %4$s (%3$s) SELECT %3$s FROM moved',
                 default_leaf, stratum._time_column(table_name), columns, leaf) USING month, month + interval '1 month';
  PERFORM stratum._attach_month(table_name, leaf, month);
  EXECUTE format('ALTER TABLE stratum.%I ATTACH PARTITION %s DEFAULT', table_name, default_leaf);
END $$;
COMMENT ON FUNCTION stratum._empty_default(text, regclass, regclass, timestamptz) IS
  'Moves the rows of a month from the default partition into their own, and attaches both; internal to make_partitions().';

CREATE FUNCTION stratum._has_rows_of(leaf regclass, time_column text, month timestamptz) RETURNS boolean
  LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  result boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %1$s WHERE %2$I >= $1 AND %2$I < $2)', leaf, time_column) INTO result USING month, month + interval '1 month';
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._has_rows_of(regclass, text, timestamptz) IS 'Whether a partition has rows of a month; internal to make_partitions().';

CREATE FUNCTION stratum._default_partition(table_name text) RETURNS regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT p.oid FROM stratum._partitions(table_name) p WHERE p.is_default $$;
COMMENT ON FUNCTION stratum._default_partition(text) IS 'The partition of a converted table that takes what no other is for; internal.';

-- Everything that can wait is locked already; see _locks_to_add().
CREATE FUNCTION stratum._add_month(table_name text, month timestamptz) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  default_leaf constant regclass := stratum._default_partition(table_name);
  leaf constant regclass := format('stratum.%I', stratum._partition_name(table_name, month))::regclass;
BEGIN
  IF stratum._has_rows_of(default_leaf, stratum._time_column(table_name), month) THEN
    PERFORM stratum._empty_default(table_name, default_leaf, leaf, month);
  ELSE
    PERFORM stratum._attach_month(table_name, leaf, month);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._add_month(text, timestamptz) IS 'Gives a converted table the partition of a month, which is there as a table; internal to make_partitions().';

CREATE FUNCTION stratum._check_months_ahead(months_ahead integer) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF months_ahead IS NULL OR months_ahead NOT BETWEEN 0 AND 120 THEN
    RAISE EXCEPTION 'partitions cannot be made % months ahead', coalesce(months_ahead::text, 'NULL')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It is a number from 0 to 120.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_months_ahead(integer) IS 'Raises for numbers of months that make_partitions() does not take; internal.';

CREATE FUNCTION stratum._missing_months(table_name text, months_ahead integer) RETURNS SETOF timestamptz
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
  SELECT m FROM generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead), interval '1 month') m
  WHERE NOT EXISTS (SELECT FROM stratum._partitions(table_name) p WHERE p.starts < m + interval '1 month' AND p.ends > m);
$$;
COMMENT ON FUNCTION stratum._missing_months(text, integer) IS 'Months, this one and those to come, that a converted table has no partition for; internal to make_partitions().';

-- Two at the same time: the second one waits, and finds them made. The tables of the new months are made beside the others before anything is locked that a
-- reader or writer wants.
CREATE FUNCTION stratum._make_partitions(table_names text[], months_ahead integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET quote_all_identifiers = off
AS $$
DECLARE
  converted text;
  month timestamptz;
  unfit regclass[] := '{}';
  made integer := 0;
BEGIN
  FOREACH converted IN ARRAY table_names LOOP
    EXECUTE format('LOCK TABLE ONLY stratum.%I IN SHARE UPDATE EXCLUSIVE MODE', converted);
    unfit := unfit || ARRAY(SELECT p.oid FROM stratum._partitions(converted) p WHERE stratum._is_unfit(converted, p.oid));
    PERFORM stratum._fit_partition(converted, stratum._make_month(converted, m, (SELECT c.reloptions FROM pg_class c WHERE c.oid = stratum._default_partition(converted))))
    FROM stratum._missing_months(converted, months_ahead) m;
  END LOOP;
  PERFORM stratum._lock_all(format('SELECT * FROM stratum._locks_to_add(%L, %L, %L)', table_names, months_ahead, unfit));
  FOREACH converted IN ARRAY table_names LOOP
    PERFORM stratum._fit_partition(converted, p.oid) FROM stratum._partitions(converted) p WHERE p.oid = ANY (unfit);
    FOR month IN SELECT m FROM stratum._missing_months(converted, months_ahead) m LOOP
      PERFORM stratum._add_month(converted, month);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
COMMENT ON FUNCTION stratum._make_partitions(text[], integer) IS 'make_partitions() of some tables; internal.';

CREATE FUNCTION stratum.make_partitions(months_ahead integer DEFAULT 3) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_months_ahead(months_ahead);
  RETURN stratum._make_partitions(ARRAY(SELECT t.table_name FROM stratum._partitionable() t WHERE stratum._is_partitioned(t.table_name)), months_ahead);
END $$;
COMMENT ON FUNCTION stratum.make_partitions(integer) IS
  'Makes the partitions of this month and of so many to come for the tables that partition_by_month() has converted; returns how many. For a schedule.';

CREATE FUNCTION stratum.schedule_partitions(every text DEFAULT '17 3 * * *') RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._schedule_job('stratum partitions', every, 'SELECT stratum.make_partitions()',
                               'Install it, or let any scheduler call SELECT stratum.make_partitions() once a day.');
END $$;
COMMENT ON FUNCTION stratum.schedule_partitions(text) IS
  'Lets pg_cron call make_partitions() once a day, or as the cron expression says; returns the number of the job, which is the caller''s. Calling it again changes the job.';
