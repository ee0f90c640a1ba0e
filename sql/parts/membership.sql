-- What belongs to the extension and what does not: for the end of install and update scripts.

CREATE FUNCTION stratum._members(catalog regclass) RETURNS TABLE (oid oid)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.objid FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
  WHERE e.extname = 'stratum' AND d.deptype = 'e' AND d.classid = catalog;
$$;
COMMENT ON FUNCTION stratum._members(regclass) IS 'Members of the extension in a catalog; internal.';

-- Functions are made with EXECUTE for PUBLIC. Only members: a REVOKE in a script on anything else would be left out
-- of dumps.
CREATE FUNCTION stratum._close_members() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  member record;
BEGIN
  FOR member IN
    SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind, p.oid::regprocedure AS signature
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid
  LOOP
    EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', member.kind, member.signature);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._close_members() IS
  'Takes every member''s EXECUTE from PUBLIC; internal to install and update scripts.';

CREATE FUNCTION stratum._let_go() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  member record;
BEGIN
  FOR member IN
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name
    FROM stratum._members('pg_class') m JOIN pg_class c ON c.oid = m.oid WHERE c.relkind IN ('r', 'p', 'S', 'v')
    UNION ALL
    SELECT 'TYPE', t.oid::regtype::text
    FROM stratum._members('pg_type') m JOIN pg_type t ON t.oid = m.oid WHERE t.typtype = 'e'
    UNION ALL
    SELECT 'FUNCTION', p.oid::regprocedure::text
    FROM stratum._members('pg_proc') m JOIN pg_proc p ON p.oid = m.oid WHERE p.proname = 'storage_version'
  LOOP
    EXECUTE format('ALTER EXTENSION stratum DROP %s %s', member.kind, member.name);
  END LOOP;
END $$;
COMMENT ON FUNCTION stratum._let_go() IS
  'Lets go of the storage that a script has made: it must outlive the extension; internal to install and update scripts.';
