-- SET, set_config() and an UPDATE of pg_settings write the setting that says whose rows are seen: before the library is loaded, and after.
CREATE FUNCTION pg_temp.set_all() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name text; value text;
BEGIN
  FOR name, value IN
    VALUES ('stratum.context', '2'), ('stratum.context', '2 0 -1 -1 -1:'), ('stratum.context', '2 0 1 -1 -1 -1:'), ('stratum.context', ''),
           ('stratum.tenant_id', '2'), ('stratum.current_tenant', '2'), ('app.tenant_id', '2'), ('app.current_tenant', '2')
  LOOP
    PERFORM attack.try(format('SET %s = %L', name, value));
    PERFORM attack.try(format('SELECT set_config(%L, %L, false)', name, value));
    PERFORM attack.try(format('UPDATE pg_settings SET setting = %L WHERE name = %L', value, name));
    RETURN NEXT attack.held(format('%s = %s', name, value),
      NOT EXISTS (SELECT FROM stratum.campaigns WHERE tenant_id = 2) AND NOT EXISTS (SELECT FROM stratum.cdp_profiles WHERE tenant_id = 2));
    PERFORM attack.try('RESET ' || name);
  END LOOP;
END $$;
SELECT pg_temp.set_all();
-- the library is loaded by a call
SELECT stratum.current_tenant_id();
SELECT pg_temp.set_all();
BEGIN;
:enter;
SELECT pg_temp.set_all();
SELECT set_config('app.tenant_id', '2', true), set_config('search_path', 'stratum', true);
SELECT * FROM campaigns WHERE tenant_id = 2;
ROLLBACK;
\c - app
BEGIN;
SELECT stratum.enter(2);
SELECT attack.control('whose context it is sees the rows', count(*) = 10) FROM stratum.campaigns;
COMMIT;
