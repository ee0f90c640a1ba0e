-- Nothing of what follows may find a function or an operator in schema stratum that it did not name: the schema
-- may have been there before, with other people's objects in it.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Nothing may be installed into a schema that an unprivileged role owns, or where one has left functions: they
-- could stand for what trusted functions call.
DO $$
DECLARE
  strangers text := (
    SELECT pg_catalog.string_agg(p.oid::pg_catalog.regprocedure::text, ', ' ORDER BY p.oid)
    FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
    WHERE n.nspname = 'stratum' AND NOT r.rolsuper);
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
          WHERE n.nspname = 'stratum') THEN
    RAISE EXCEPTION 'schema "stratum" belongs to a role that is not a superuser'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what is in it, then drop it or give it to a superuser with ALTER SCHEMA stratum OWNER TO.';
  ELSIF strangers IS NOT NULL THEN
    RAISE EXCEPTION 'functions in schema "stratum" are owned by roles that are no superusers: %', strangers
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what they are, then drop them or give them to a superuser with ALTER FUNCTION ... OWNER TO.';
  END IF;
END $$;
