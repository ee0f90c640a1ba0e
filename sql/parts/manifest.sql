CREATE FUNCTION stratum._storage_expected() RETURNS TABLE (kind text, object text, definition text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ VALUES ('table', 'none', '') $$;
