-- Roles belong to the cluster, so another database may have made them already. They cannot log in:
-- grant them to login roles. DROP EXTENSION leaves them.
DO $$
DECLARE
  role record;
BEGIN
  FOR role IN SELECT * FROM (VALUES
      ('stratum_app', 'stratum: reads and writes the rows of the tenant it has entered'),
      ('stratum_admin', 'stratum: every tenant, everything but changing the audit trail'),
      ('stratum_auditor', 'stratum: reads the audit trail of every tenant'),
      ('stratum_auth', 'stratum: kept for the look-up at sign-in; may do nothing else')) AS r (name, comment)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role.name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role.name);
      EXECUTE format('COMMENT ON ROLE %I IS %L', role.name, role.comment);
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role.name AND (rolsuper OR rolbypassrls)) THEN
      RAISE EXCEPTION 'role "%" exists and bypasses row security', role.name
        USING ERRCODE = 'insufficient_privilege',
              HINT = format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS;', role.name);
    END IF;
  END LOOP;
END $$;

-- Also while a dump is restored: pg_dump takes a grant made here for the extension's own and leaves it out.
GRANT USAGE ON SCHEMA stratum TO stratum_app, stratum_admin, stratum_auditor, stratum_auth;

COMMENT ON SCHEMA stratum IS 'Multi-tenant marketing database: tables that outlive the extension, functions that belong to it.';
