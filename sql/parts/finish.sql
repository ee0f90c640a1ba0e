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

SELECT stratum._let_go();
