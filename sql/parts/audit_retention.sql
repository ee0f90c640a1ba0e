-- Retention: purge_audit(), purge_all_audit().
-- rights: both -> stratum_admin

-- What a seal says of a row that is gone is kept: the rest still verifies. That it may be gone, the record of the purge says,
-- a row of the trail like others. It stays while a later purge has not taken its place, and a record of an erasure while any
-- row that it names is there.
--
-- Its resource_id says whose trail it was, so that an index leads to the purges of one, past all the erasures: whatever
-- tells the past asks for them.
CREATE FUNCTION stratum._purged_before(tenant bigint) RETURNS timestamptz
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT max((l.metadata ->> 'before')::timestamptz) FROM stratum.audit_logs l
          WHERE l.resource_type = 'audit_logs' AND l.resource_id = coalesce(tenant::text, 'NULL') AND l.action = 'delete'
            AND l.tenant_id IS NOT DISTINCT FROM tenant AND l.metadata ? 'before_microseconds');
END $$;
COMMENT ON FUNCTION stratum._purged_before(bigint) IS
  'Until when a tenant''s trail was purged, if the caller may read that; internal to purge_audit() and row_as_of().';

CREATE FUNCTION stratum._any_purged_before() RETURNS timestamptz
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT max((l.metadata ->> 'before')::timestamptz) FROM stratum.audit_logs l
          WHERE l.resource_type = 'audit_logs' AND l.resource_id IS NOT NULL AND l.action = 'delete'
            AND l.metadata ? 'before_microseconds');
END $$;
COMMENT ON FUNCTION stratum._any_purged_before() IS
  'Until when any of the trails was purged that the caller may read; internal to row_as_of().';

-- `state`: the row at some time, for its tenant, in whose trail its changes are. Those of a table without an integer
-- tenant_id are in the trail of whoever acted, and of a row that is not known those of any may have been.
CREATE FUNCTION stratum._check_not_purged(table_name regclass, state jsonb, at timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant_column text := CASE WHEN table_name = to_regclass('stratum.tenants') THEN 'id' ELSE 'tenant_id' END;
  purged timestamptz;
BEGIN
  IF jsonb_typeof(state -> tenant_column) IN ('number', 'null') AND EXISTS (
       -- a domain has the output function of what it is over
       SELECT FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
       WHERE a.attrelid = table_name AND a.attname = tenant_column
         AND y.typoutput = ANY ('{int2out,int4out,int8out}'::regproc[])) THEN
    purged := stratum._purged_before((state ->> tenant_column)::bigint);
  ELSE
    purged := stratum._any_purged_before();
  END IF;
  IF at < purged THEN
    RAISE EXCEPTION 'the audit trail before % has been purged', purged
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'What a row was is known from then on. stratum.row_history() lists the changes that are left.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_not_purged(regclass, jsonb, timestamptz) IS
  'Raises for a time of which changes of a row may have been purged; internal to row_as_of().';

CREATE FUNCTION stratum._record_purge(tenant bigint, before timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  seals_before bigint := (SELECT count(*) FROM stratum.audit_seals s WHERE s.tenant_id IS NOT DISTINCT FROM tenant AND s.newest_at < before);
BEGIN
  PERFORM stratum._log_record(tenant, 'delete', 'audit_logs', coalesce(tenant::text, 'NULL'), jsonb_build_object(
    'operation', 'purge', 'by', session_user, 'before', before, 'seals', seals_before,
    'before_microseconds', ((extract(epoch FROM before) - 946684800) * 1000000)::bigint));
END $$;
COMMENT ON FUNCTION stratum._record_purge(bigint, timestamptz) IS
  'Writes into the trail that rows before a time may be gone, and who took them; internal to purge_audit().';

-- The rows that a purge takes, the oldest ids first.
CREATE FUNCTION stratum._purgeable_rows(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
  RETURN ARRAY(
    SELECT l.id::bigint FROM stratum.audit_logs l
    WHERE CASE WHEN tenant IS NULL THEN l.tenant_id IS NULL ELSE l.tenant_id = tenant END
      AND l.created_at < before
      AND NOT (l.resource_type = 'audit_logs' AND l.action = 'anonymize'
               AND EXISTS (SELECT FROM jsonb_object_keys(l.metadata -> 'erased') e (key)
                             JOIN stratum.audit_logs x ON x.id = e.key::bigint AND x.created_at >= before))
    ORDER BY l.id
    LIMIT at_most);
END $$;
COMMENT ON FUNCTION stratum._purgeable_rows(bigint, timestamptz, bigint) IS
  'Ids of the rows that a purge of a tenant''s trail takes next; internal to purge_audit().';

CREATE FUNCTION stratum._purge_chain(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  ids bigint[];
  purged bigint;
BEGIN
  PERFORM stratum._seal_chain(tenant);
  ids := stratum._purgeable_rows(tenant, before, at_most);
  IF ids = '{}' THEN
    RETURN 0;
  END IF;
  IF coalesce(stratum._purged_before(tenant), '-infinity') < before THEN
    PERFORM stratum._record_purge(tenant, before);
  END IF;
  PERFORM stratum._open_audit_log();
  -- all of them are older; with partitions that spares the newer ones
  DELETE FROM stratum.audit_logs l USING unnest(ids) i (id) WHERE l.id = i.id AND l.created_at < before;
  GET DIAGNOSTICS purged = ROW_COUNT;
  -- seals none of whose rows are left keep what the chain needs
  UPDATE stratum.audit_seals s
  SET log_ids = NULL, logged_at = NULL, digests = NULL, salts = NULL
  WHERE s.tenant_id IS NOT DISTINCT FROM tenant AND s.newest_at < before AND s.log_ids IS NOT NULL
    AND s.last_id <= (SELECT max(i.id) FROM unnest(ids) i (id))
    AND NOT EXISTS (SELECT FROM stratum.audit_logs l WHERE l.id = ANY (s.log_ids));
  PERFORM stratum._seal_chain(tenant);
  RETURN purged;
END $$;
COMMENT ON FUNCTION stratum._purge_chain(bigint, timestamptz, bigint) IS
  'Removes rows before a time from a tenant''s trail, at most so many (NULL: all), sealed first; returns how many; internal.';

CREATE FUNCTION stratum._check_purge(before timestamptz) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF before IS NULL THEN
    RAISE EXCEPTION 'the time before which to purge must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF before > now() OR before < '1900-01-01' THEN
    RAISE EXCEPTION 'the audit trail cannot be purged before %', before
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a time between the year 1900 and now, such as now() - interval ''2 years''.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_purge(timestamptz) IS
  'Raises for times before which nothing can be purged; internal to purge_audit().';

CREATE FUNCTION stratum.purge_audit(before timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_purge(before);
  RETURN stratum._purge_chain(stratum._acting_tenant(), before, NULL);
END $$;
COMMENT ON FUNCTION stratum.purge_audit(timestamptz) IS
  'Removes the current tenant''s audit trail before a time; returns how many rows. Recorded in the trail, and the rest still verifies.';

CREATE FUNCTION stratum._purge_batch(tenant bigint, before timestamptz, at_most bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM stratum._check_purge(before);
  RETURN stratum._purge_chain(tenant, before, at_most);
END $$;
COMMENT ON FUNCTION stratum._purge_batch(bigint, timestamptz, bigint) IS
  'Removes at most so many rows of a tenant''s trail; internal to purge_all_audit().';

-- It commits, so it must not be a definer function and cannot pin its search_path.
CREATE PROCEDURE stratum.purge_all_audit(before timestamptz)
  LANGUAGE plpgsql
AS $$
DECLARE
  chain bigint;
  at_once constant bigint := 10000;
  purged bigint;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('purge_all_audit');
  FOR chain IN SELECT t.id FROM stratum.tenants t UNION ALL SELECT NULL ORDER BY 1
  LOOP
    LOOP
      BEGIN
        purged := stratum._purge_batch(chain, before, at_once);
      EXCEPTION
        WHEN null_value_not_allowed OR invalid_parameter_value OR insufficient_privilege THEN
          RAISE;
        WHEN OTHERS THEN
          -- One chain's trouble is not the others', but whoever called has to hear of it.
          RAISE WARNING 'the audit trail of tenant % was not purged: %', coalesce(chain::text, 'NULL'), SQLERRM;
          failed := failed + 1;
          purged := 0;
      END;
      COMMIT;
      EXIT WHEN purged < at_once;
    END LOOP;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of audit trails that were not purged: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; all others were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.purge_all_audit(timestamptz) IS
  'purge_audit() for every tenant and for the rows without one, 10000 rows at a time with a commit after each. One that fails is a warning, and an error in the end. CALL it outside a transaction block.';
