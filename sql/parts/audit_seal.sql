-- Tamper evidence: seal_audit(), verify_audit(), audit_head().
-- rights: seal_audit, audit_head -> stratum_app (its own tenant), stratum_admin, stratum_auditor
-- rights: verify_audit -> the same; seal_all_audit -> stratum_admin

CREATE FUNCTION stratum._put_auditor_policy(table_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('DROP POLICY IF EXISTS auditor_read ON stratum.%I', table_name);
  EXECUTE format('CREATE POLICY auditor_read ON stratum.%I FOR SELECT TO stratum_auditor USING (true)', table_name);
  EXECUTE format('COMMENT ON POLICY auditor_read ON stratum.%I IS %L', table_name,
                 'Auditors read what there is of every tenant.');
END $$;
COMMENT ON FUNCTION stratum._put_auditor_policy(text) IS 'The policy of stratum_auditor on a table; internal.';

-- ---- sealing ----

CREATE FUNCTION stratum._next_xid() RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_next_xid';
COMMENT ON FUNCTION stratum._next_xid() IS
  'The number that the next transaction will get; internal to seal_audit().';

-- Without statistics, or with those of yesterday, the planner expects one row that has no seal, and would look through all seals for each that comes.
CREATE FUNCTION stratum._seal_rows(
    tenant bigint, settled_id bigint, suspect_id bigint, suspect_xid bigint, last_number bigint, last_digest bytea, next_xid bigint,
    drawn_id bigint,
    OUT sealed bigint, OUT number bigint, OUT digest bytea, OUT suspects_ended boolean, OUT all_ended boolean)
  RETURNS record
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS 'MODULE_PATHNAME', 'stratum_seal_rows';
COMMENT ON FUNCTION stratum._seal_rows(bigint, bigint, bigint, bigint, bigint, bytea, bigint, bigint) IS
  'Seals the rows of a chain that have no seal; the caller has locked the chain; internal to seal_audit().';

-- Where the numbers of transactions in the trail are from: a restore, or a table written anew, has others.
CREATE FUNCTION stratum._audit_place() RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN concat_ws('/', (SELECT c.system_identifier FROM pg_control_system() c),
                   (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
                   (SELECT string_agg(pg_relation_filenode(t.relid)::text, ',' ORDER BY t.relid)
                    FROM pg_partition_tree('stratum.audit_logs') t),
                   pg_relation_filenode('stratum.audit_logs'));
END $$;
COMMENT ON FUNCTION stratum._audit_place() IS
  'Server, database and files of audit_logs; internal to seal_audit().';

-- NULL where that says nothing: there is no sequence, or sessions keep numbers for later.
CREATE FUNCTION stratum._last_audit_id() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sequence regclass := pg_get_serial_sequence('stratum.audit_logs', 'id')::regclass;
  result bigint;
BEGIN
  IF EXISTS (SELECT FROM pg_sequence s WHERE s.seqrelid = sequence AND s.seqcache = 1 AND s.seqincrement > 0) THEN
    EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s', sequence) INTO result;
  END IF;
  RETURN result;
END $$;
COMMENT ON FUNCTION stratum._last_audit_id() IS
  'The last id of audit_logs that was drawn; internal to seal_audit().';

-- Each of the two has one form for a tenant and one for NULL: IS NOT DISTINCT FROM would find neither by an index.
CREATE FUNCTION stratum._chain_id(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN tenant IS NULL THEN (SELECT c.id FROM stratum.audit_chains c WHERE c.tenant_id IS NULL)
              ELSE (SELECT c.id FROM stratum.audit_chains c WHERE c.tenant_id = tenant) END;
END $$;
COMMENT ON FUNCTION stratum._chain_id(bigint) IS 'The row of audit_chains of a tenant; internal to seal_audit().';

CREATE FUNCTION stratum._last_seal_id(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE WHEN tenant IS NULL
              THEN (SELECT s.id FROM stratum.audit_seals s WHERE s.tenant_id IS NULL ORDER BY s.number DESC LIMIT 1)
              ELSE (SELECT s.id FROM stratum.audit_seals s WHERE s.tenant_id = tenant ORDER BY s.number DESC LIMIT 1) END;
END $$;
COMMENT ON FUNCTION stratum._last_seal_id(bigint) IS 'The last seal of the chain of a tenant; internal to seal_audit() and audit_head().';

-- Every statement gets its own snapshot, so what is sealed is what can be seen once the chain is locked.
CREATE FUNCTION stratum._seal_chain(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  chain record;
  chain_id bigint;
  last_seal_id bigint;
  here text := stratum._audit_place();
  drawn bigint;
  next_xid bigint;
  run record;
BEGIN
  IF tenant IS NOT NULL AND NOT EXISTS (SELECT FROM stratum.tenants t WHERE t.id = tenant) THEN
    RAISE EXCEPTION 'tenant % does not exist', tenant USING ERRCODE = 'no_data_found';
  END IF;
  chain_id := stratum._chain_id(tenant);
  IF chain_id IS NULL THEN
    INSERT INTO stratum.audit_chains (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    chain_id := stratum._chain_id(tenant);
  END IF;
  SELECT * INTO STRICT chain FROM stratum.audit_chains c WHERE c.id = chain_id FOR NO KEY UPDATE;
  last_seal_id := stratum._last_seal_id(tenant);
  IF chain.last_number <> coalesce((SELECT s.number FROM stratum.audit_seals s WHERE s.id = last_seal_id), 0) THEN
    RAISE EXCEPTION 'the seals of tenant % are not those that were made', coalesce(tenant::text, 'NULL')
      USING ERRCODE = 'data_corrupted', HINT = 'stratum.verify_audit() says what is wrong.';
  END IF;
  IF chain.place IS DISTINCT FROM here THEN
    chain.drawn_id := NULL;
  END IF;
  -- in this order: an id that was drawn before is of a transaction below next_xid
  drawn := stratum._last_audit_id();
  next_xid := stratum._next_xid();

  SELECT * INTO run
  FROM stratum._seal_rows(tenant, chain.settled_id, chain.drawn_id, chain.drawn_xid, chain.last_number, chain.last_digest, next_xid,
                          drawn);
  UPDATE stratum.audit_chains c
  SET last_number = run.number, last_digest = run.digest,
      settled_id = greatest(chain.settled_id, CASE WHEN run.all_ended THEN drawn
                                                   WHEN run.suspects_ended THEN chain.drawn_id END),
      drawn_id = CASE WHEN run.suspects_ended OR chain.drawn_id IS NULL THEN drawn ELSE chain.drawn_id END,
      drawn_xid = CASE WHEN run.suspects_ended OR chain.drawn_id IS NULL THEN next_xid ELSE chain.drawn_xid END,
      place = here
  WHERE c.id = chain.id;
  RETURN run.sealed;
END $$;
COMMENT ON FUNCTION stratum._seal_chain(bigint) IS
  'Seals what has no seal in the chain of a tenant, NULL for the rows without one; returns how many rows; internal.';

-- A tenant may do with its own chain what auditors may with all. The public functions run as the caller, so that the
-- right to the second of each pair is asked of him.
CREATE FUNCTION stratum._seal_own_audit() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._seal_chain(stratum._acting_tenant());
END $$;
COMMENT ON FUNCTION stratum._seal_own_audit() IS 'seal_audit() of the current tenant; internal.';

CREATE FUNCTION stratum._seal_any_audit(tenant bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN stratum._seal_chain(tenant);
END $$;
COMMENT ON FUNCTION stratum._seal_any_audit(bigint) IS 'seal_audit() of any tenant; internal.';

CREATE FUNCTION stratum._is_own_audit(tenant bigint) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() = tenant THEN
    RETURN true;
  ELSIF NOT has_function_privilege('stratum._seal_any_audit(bigint)', 'EXECUTE') THEN
    RAISE EXCEPTION 'permission denied for the audit trail of another tenant'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'A tenant may see to the trail of the tenant that it has entered; auditors to all.';
  END IF;
  RETURN false;
END $$;
COMMENT ON FUNCTION stratum._is_own_audit(bigint) IS
  'Whether a tenant is the current one; raises where the caller may not see to another''s trail; internal.';

CREATE FUNCTION stratum.seal_audit(tenant_id bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    RETURN stratum._seal_own_audit();
  END IF;
  RETURN stratum._seal_any_audit(tenant_id);
END $$;
COMMENT ON FUNCTION stratum.seal_audit(bigint) IS
  'Seals the rows of a tenant''s audit trail that have no seal yet, NULL for the rows without a tenant; returns how many. Writers do not wait for it.';

-- It commits, so it must not be a definer function and cannot pin its search_path.
CREATE PROCEDURE stratum.seal_all_audit()
  LANGUAGE plpgsql
AS $$
DECLARE
  chain bigint;
  failed integer := 0;
BEGIN
  PERFORM stratum._refuse_transaction_block('seal_all_audit');
  FOR chain IN SELECT t.id FROM stratum.tenants t UNION ALL SELECT NULL ORDER BY 1
  LOOP
    BEGIN
      PERFORM stratum._seal_any_audit(chain);
    EXCEPTION WHEN OTHERS THEN
      -- One chain's trouble is not the others', but whoever called has to hear of it.
      RAISE WARNING 'the audit trail of tenant % was not sealed: %', coalesce(chain::text, 'NULL'), SQLERRM;
      failed := failed + 1;
    END;
    COMMIT;
  END LOOP;
  IF failed > 0 THEN
    RAISE EXCEPTION 'number of audit trails that were not sealed: %', failed
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The warnings before say which and why; all others were.';
  END IF;
END $$;
COMMENT ON PROCEDURE stratum.seal_all_audit() IS
  'seal_audit() of every tenant and of the rows without one, with a commit after each; for a schedule. One that fails is a warning, and an error in the end. CALL it outside a transaction block.';

-- ---- the head ----

CREATE FUNCTION stratum._head_of_chain(tenant bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_seal_id bigint := stratum._last_seal_id(tenant);
BEGIN
  SELECT s.number, encode(s.digest, 'hex'), s.sealed_at INTO number, digest, sealed_at
  FROM stratum.audit_seals s
  WHERE s.id = last_seal_id;
END $$;
COMMENT ON FUNCTION stratum._head_of_chain(bigint) IS 'The last seal of a chain; internal to audit_head().';

CREATE FUNCTION stratum._own_audit_head(OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NOT NULL THEN
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at
    FROM stratum._head_of_chain(stratum.current_tenant_id()) h;
  END IF;
END $$;
COMMENT ON FUNCTION stratum._own_audit_head() IS 'audit_head() of the current tenant; internal.';

CREATE FUNCTION stratum._any_audit_head(tenant bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._head_of_chain(tenant) h;
END $$;
COMMENT ON FUNCTION stratum._any_audit_head(bigint) IS 'audit_head() of any tenant; internal.';

CREATE FUNCTION stratum.audit_head(tenant_id bigint, OUT number bigint, OUT digest text, OUT sealed_at timestamptz)
  RETURNS record
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._own_audit_head() h;
  ELSE
    SELECT h.number, h.digest, h.sealed_at INTO number, digest, sealed_at FROM stratum._any_audit_head(tenant_id) h;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.audit_head(bigint) IS
  'Number, digest and time of the last seal of a tenant''s trail (NULL: of the rows without a tenant), to be kept elsewhere.';

-- ---- verification ----

CREATE FUNCTION stratum._verify_chain(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS 'MODULE_PATHNAME', 'stratum_verify_chain';
COMMENT ON FUNCTION stratum._verify_chain(bigint, text) IS
  'What is wrong with the chain of a tenant; internal to verify_audit().';

-- Where nothing can be written, or a chain is so broken that it cannot go on, what is sealed can still be verified.
CREATE FUNCTION stratum._seal_and_verify(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF current_setting('transaction_read_only') = 'off' THEN
    BEGIN
      PERFORM stratum._seal_chain(tenant);
    EXCEPTION WHEN data_corrupted THEN
      NULL;
    END;
  END IF;
  RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_chain(tenant, head) v;
END $$;
COMMENT ON FUNCTION stratum._seal_and_verify(bigint, text) IS 'Seals a chain and verifies it; internal to verify_audit().';

CREATE FUNCTION stratum._verify_own_audit(head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT v.id, v.problem FROM stratum._seal_and_verify(stratum._acting_tenant(), head) v;
END $$;
COMMENT ON FUNCTION stratum._verify_own_audit(text) IS 'verify_audit() of the current tenant; internal.';

CREATE FUNCTION stratum._verify_any_audit(tenant bigint, head text) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY SELECT v.id, v.problem FROM stratum._seal_and_verify(tenant, head) v;
END $$;
COMMENT ON FUNCTION stratum._verify_any_audit(bigint, text) IS 'verify_audit() of any tenant; internal.';

CREATE FUNCTION stratum.verify_audit(tenant_id bigint, head text DEFAULT NULL) RETURNS TABLE (id bigint, problem text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum._is_own_audit(tenant_id) THEN
    RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_own_audit(head) v;
  ELSE
    RETURN QUERY SELECT v.id, v.problem FROM stratum._verify_any_audit(tenant_id, head) v;
  END IF;
END $$;
COMMENT ON FUNCTION stratum.verify_audit(bigint, text) IS
  'What is wrong with a tenant''s audit trail (NULL: with the rows without a tenant): a row for each problem, none when it is whole. Seals it first. With a digest from audit_head() it also finds seals that were taken away.';
