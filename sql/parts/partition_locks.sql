-- Locks for changes of partitions, taken all at once or not at all.

-- References have triggers on both sides, so a partition that comes or goes concerns the other table too.
CREATE FUNCTION stratum._reference_partners(table_oid regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.confrelid::regclass FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = table_oid
  UNION
  SELECT k.conrelid::regclass FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = table_oid
$$;
COMMENT ON FUNCTION stratum._reference_partners(regclass) IS 'Tables that a table refers to, or that refer to it; internal.';

-- A partition is attached under the weaker lock; where the default one is detached and attached
-- again, to move rows, PostgreSQL also drops triggers of the tables referred to.
CREATE FUNCTION stratum._locks_to_add(table_names text[], months_ahead integer, unfit regclass[]) RETURNS TABLE (table_oid regclass, mode text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
  WITH growing AS MATERIALIZED (
    SELECT to_regclass(format('stratum.%I', t.table_name)) AS oid, d AS default_leaf, coalesce(bool_or(stratum._has_rows_of(d, t.time_column, m)), false) AS moves_rows
    FROM stratum._partitionable() t
      CROSS JOIN LATERAL stratum._default_partition(t.table_name) d
      CROSS JOIN LATERAL stratum._missing_months(t.table_name, months_ahead) m
    WHERE t.table_name = ANY (table_names)
    GROUP BY 1, 2)
  SELECT u, 'ACCESS EXCLUSIVE' FROM unnest(unfit) u
  UNION ALL
  SELECT g.oid, 'ACCESS EXCLUSIVE' FROM growing g WHERE g.moves_rows
  UNION ALL
  SELECT g.default_leaf, 'ACCESS EXCLUSIVE' FROM growing g WHERE g.default_leaf IS NOT NULL
  UNION ALL
  (SELECT r, CASE WHEN bool_or(g.moves_rows) THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END
   FROM growing g, stratum._reference_partners(g.oid) r GROUP BY r ORDER BY r);
$$;
COMMENT ON FUNCTION stratum._locks_to_add(text[], integer, regclass[]) IS
  'What has to be locked, and how, before months are added to converted tables and partitions are made fit; internal to make_partitions().';

-- A table that is dropped takes triggers of the tables referred to along, which asks for the strongest lock on these too.
CREATE FUNCTION stratum._locks_to_convert(table_name text) RETURNS TABLE (table_oid regclass, mode text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT x.oid, 'ACCESS EXCLUSIVE'
  FROM (SELECT 1 AS rank, format('stratum.%I', table_name)::regclass AS oid
        UNION ALL
        SELECT 2, p.oid FROM stratum._partitions(table_name) p
        UNION ALL
        SELECT 3, r FROM stratum._reference_partners(format('stratum.%I', table_name)::regclass) r) x
  ORDER BY x.rank, x.oid;
$$;
COMMENT ON FUNCTION stratum._locks_to_convert(text) IS
  'What has to be locked, and how, before a table is converted, or converted back; internal to partition_by_month() and unpartition().';

-- The locks that a query names, in its order or from its end, within so many milliseconds, or 55P03. What it names is asked again
-- afterwards: rows that have come meanwhile may want more of them.
CREATE FUNCTION stratum._take_locks(wanted text, milliseconds integer, direction integer) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  ends constant timestamptz := clock_timestamp() + milliseconds * interval '1 millisecond';
  taken text[] := '{}';
  is_all boolean;
  one record;
BEGIN
  FOR one IN EXECUTE format('SELECT w.table_oid, w.mode FROM (%s) w ORDER BY $1 * row_number() OVER ()', wanted) USING direction LOOP
    PERFORM set_config('lock_timeout', greatest(1, ceil(extract(epoch FROM ends - clock_timestamp()) * 1000))::text, true);
    EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', one.table_oid, one.mode);
    taken := taken || (one.table_oid || ' ' || one.mode);
  END LOOP;
  EXECUTE format('SELECT bool_and(w.table_oid || '' '' || w.mode = ANY ($1)) FROM (%s) w', wanted) INTO is_all USING taken;
  IF NOT is_all THEN
    RAISE lock_not_available;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._take_locks(text, integer, integer) IS 'One try of _lock_all(); internal.';

CREATE FUNCTION stratum._lock_holders(wanted text) RETURNS TABLE (pid integer, description text, is_autovacuum boolean)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  -- who is there is seen once in a transaction; the next autovacuum worker came later
  PERFORM pg_stat_clear_snapshot();
  RETURN QUERY EXECUTE format(
    $query$
      SELECT DISTINCT l.pid, format('Process %%s has %%s on %%s.', l.pid, l.mode, w.table_oid),
             a.backend_type = 'autovacuum worker' AND a.query !~ 'to prevent wraparound'
      FROM (%s) w JOIN pg_locks l ON l.relation = w.table_oid JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.granted AND l.pid <> pg_backend_pid() AND a.datname = current_database()
        AND (w.mode = 'ACCESS EXCLUSIVE' OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
    $query$, wanted);
END $$;
COMMENT ON FUNCTION stratum._lock_holders(text) IS 'Who has the locks that a query names, or what conflicts with them; internal to _lock_all().';

-- All of the locks that a query names (table_oid, mode), or none: so that nobody who works with the tables is the victim of a
-- deadlock. Whoever waits for what is held here may hold what is still wanted. Out of such a circle PostgreSQL takes one of
-- both after deadlock_timeout; so no try lasts longer than half of that, and then everything is given back. Short tries come first,
-- since others queue behind whoever waits, and four fifths of the time are theirs. While some go on to take their locks in one order, only the
-- same order gets through: each length is tried in both. It ends with 55P03 after lock_timeout, or a minute.
CREATE FUNCTION stratum._lock_all(wanted text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  limit_before constant text := current_setting('lock_timeout');
  allowed constant interval := coalesce(nullif(limit_before::interval, interval '0'), interval '1 minute');
  ends constant timestamptz := clock_timestamp() + allowed;
  longest constant integer := (SELECT greatest(s.setting::integer / 2, 1) FROM pg_settings s WHERE s.name = 'deadlock_timeout');
  patience integer := 1;
  direction integer := 1;
  pause double precision;
BEGIN
  LOOP
    BEGIN
      PERFORM stratum._take_locks(wanted, patience, direction);
      PERFORM set_config('lock_timeout', limit_before, true);
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      NULL;
    END;
    IF clock_timestamp() > ends THEN
      RAISE EXCEPTION 'the locks that a change of partitions needs were not to be had within %', allowed
        USING ERRCODE = 'lock_not_available', HINT = 'Nothing has changed. Call it again when the transactions that hold them have ended.',
              DETAIL = coalesce((SELECT string_agg(h.description, ' ' ORDER BY h.description) FROM stratum._lock_holders(wanted) h), 'Nobody has them now.');
    END IF;
    pause := least(patience * 0.004, greatest(extract(epoch FROM ends - clock_timestamp()), 0.001));
    -- as PostgreSQL does for those who wait longer; the next try, as long as this one, has to come before the next autovacuum
    IF patience = longest AND direction > 0 THEN
      PERFORM pg_cancel_backend(h.pid) FROM stratum._lock_holders(wanted) h WHERE h.is_autovacuum;
      IF found THEN
        pause := 0.01;
      END IF;
    END IF;
    PERFORM pg_sleep(pause);
    patience := CASE WHEN direction > 0 THEN patience WHEN patience = longest THEN 1 ELSE least(patience * 2, longest) END;
    direction := -direction;
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._lock_all(text) IS
  'Takes all of the locks that a query names, or none, again and again without keeping anybody waiting for long; internal to make_partitions(), partition_by_month() and unpartition().';
