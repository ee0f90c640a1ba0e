-- Version.

CREATE FUNCTION stratum._library_version() RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_library_version';
COMMENT ON FUNCTION stratum._library_version() IS
  'Version that the loaded library was built as; internal to check_install().';

CREATE FUNCTION stratum.version() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'stratum';
$$;
COMMENT ON FUNCTION stratum.version() IS 'Version of the installed extension, for example 1.0.';

-- The first step of every procedure that commits.
CREATE FUNCTION stratum._refuse_transaction_block(procedure_name text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'stratum_refuse_transaction_block';
COMMENT ON FUNCTION stratum._refuse_transaction_block(text) IS
  'Raises inside a transaction block, in the name of a procedure that commits; internal.';
