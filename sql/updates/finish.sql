-- The end of every update script: the storage gets the version that the members have now. install() makes what
-- is missing and puts defaults, triggers and policies back; it takes no storage of another version, so that comes
-- first. The version's function is no member, hence not the script's to replace: it is taken in for the moment. That
-- keeps its rights and what depends on it.
DO $finish$
BEGIN
  IF stratum._restoring() THEN
    -- A script runs with notices off; this one has to be seen.
    PERFORM pg_catalog.set_config('client_min_messages', 'notice', true);
    RAISE NOTICE 'stratum: the storage is not updated while a dump is restored'
      USING HINT = 'If this is no restore, SET row_security = on and do what stratum.check_install() says.';
    PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
  ELSE
    IF to_regprocedure('stratum.storage_version()') IS NOT NULL THEN
      ALTER EXTENSION stratum ADD FUNCTION stratum.storage_version();
      CREATE OR REPLACE FUNCTION stratum.storage_version() RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '@VERSION@'::pg_catalog.text$$;
    END IF;
    PERFORM stratum.install();
  END IF;
END $finish$;

SELECT stratum._let_go();
