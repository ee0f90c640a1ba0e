-- Storage is created, unless a dump brings it, and let go: it must outlive the extension.
DO $$
BEGIN
  IF stratum._restoring() THEN
    -- A script runs with notices off; this one has to be seen.
    PERFORM pg_catalog.set_config('client_min_messages', 'notice', true);
    RAISE NOTICE 'stratum: no storage is created while a dump is restored'
      USING HINT = 'If this is no restore, run SELECT stratum.install() afterwards.';
    PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
  ELSE
    PERFORM stratum.install();
  END IF;
END $$;

DO $$
DECLARE
  member record;
BEGIN
  FOR member IN
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind,
           c.oid::pg_catalog.regclass::text AS name
    FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      JOIN pg_catalog.pg_class c ON c.oid = d.objid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE e.extname = 'stratum' AND d.deptype = 'e' AND c.relkind IN ('r', 'p', 'S', 'v')
    UNION ALL
    SELECT 'TYPE', t.oid::pg_catalog.regtype::text
    FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      JOIN pg_catalog.pg_type t ON t.oid = d.objid AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
    WHERE e.extname = 'stratum' AND d.deptype = 'e' AND t.typtype = 'e'
    UNION ALL
    SELECT 'FUNCTION', p.oid::pg_catalog.regprocedure::text
    FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
      JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    WHERE e.extname = 'stratum' AND d.deptype = 'e' AND p.proname = 'storage_version'
  LOOP
    EXECUTE pg_catalog.format('ALTER EXTENSION stratum DROP %s %s', member.kind, member.name);
  END LOOP;
END $$;
