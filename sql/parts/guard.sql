-- Nothing may be installed into a schema that an unprivileged role owns: its owner could replace what
-- trusted functions call (the schema exists before CREATE EXTENSION when somebody made it).
DO $$
BEGIN
  IF NOT (SELECT r.rolsuper FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
          WHERE n.nspname = 'stratum') THEN
    RAISE EXCEPTION 'schema "stratum" belongs to a role that is not a superuser'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Look at what is in it, then drop it or give it to a superuser with ALTER SCHEMA stratum OWNER TO.';
  END IF;
END $$;
