-- Which tables nothing audits.

-- A table with a tenant_id holds a tenant's data. That one of ours is not audited is known, and whether it should be
-- check_install() knows; of the user's own, audit_table() with operations => 'none' says that it is meant.
CREATE FUNCTION stratum._check_unaudited_tables() RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
  RETURN QUERY
    SELECT 'table ' || c.oid::regclass, 'has a tenant_id, and nothing audits it',
           format('SELECT stratum.audit_table(%L); or, where that is meant, SELECT stratum.audit_table(%1$L, operations => ''none'');',
                  c.oid::regclass)
    FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
      -- a domain has the output function of what it is over
      JOIN pg_type y ON y.oid = a.atttypid AND y.typoutput = ANY ('{int2out,int4out,int8out}'::regproc[])
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND NOT (n.nspname = 'stratum' AND EXISTS (SELECT FROM stratum._storage_expected() e WHERE e.kind = 'table' AND e.object = c.relname))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      AND NOT EXISTS (SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_namespace s ON s.oid = p.pronamespace
                      WHERE g.tgrelid = c.oid AND s.nspname = 'stratum' AND p.proname ~ '^_audit_' AND p.proname !~ 'truncate|guard')
      -- there _check_audited_tables() says more
      AND NOT EXISTS (SELECT FROM stratum.audited_tables t WHERE t.table_name = c.oid::regclass::text)
    ORDER BY 1;
END $$;
COMMENT ON FUNCTION stratum._check_unaudited_tables() IS
  'Tables of the user''s with a tenant_id that nothing audits; internal to check_install().';
