-- What check_install() expects: the rows that _storage_found() gave on a fresh install.
-- Written by bin/build-manifest; do not edit.

CREATE FUNCTION stratum._storage_expected() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $manifest$ VALUES
('none', 'none', 'none')
$manifest$;
COMMENT ON FUNCTION stratum._storage_expected() IS
  'The storage as a fresh install has it, one row a thing; internal to check_install().';
