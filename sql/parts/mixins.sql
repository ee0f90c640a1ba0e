-- What the server keeps right in every row by itself.

CREATE FUNCTION stratum._mixin() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_mixin';
COMMENT ON FUNCTION stratum._mixin() IS
  'BEFORE row trigger: tenant and defaults for explicit NULLs, updated_at, deleted_at, metrics, hashes, checked conditions; a row keeps its id and tenant.';

-- Triggers that a user disabled stay disabled, which CREATE OR REPLACE TRIGGER would undo.
CREATE FUNCTION stratum._put_trigger(table_name regclass, trigger_name text, definition text, comment text)
  RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  state "char" := (SELECT tgenabled FROM pg_trigger
                   WHERE tgrelid = table_name AND tgname = trigger_name AND NOT tgisinternal);
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER %I %s', trigger_name, format(definition, table_name));
  EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger_name, table_name, comment);
  IF state <> 'O' THEN
    EXECUTE format('ALTER TABLE %s %s TRIGGER %I', table_name,
                   CASE state WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                   trigger_name);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._put_trigger(regclass, text, text, text) IS
  'Creates or replaces a trigger and keeps its enabled state; the definition has %s for the table; internal.';

CREATE FUNCTION stratum._attach_mixin(table_name text, features text[], filled text[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Last by name of all BEFORE triggers, so that what it keeps right is right at the end.
  PERFORM stratum._put_trigger(
    format('stratum.%I', table_name)::regclass, 'zz_stratum_mixin',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._mixin('
      || format('%L, %L)', features, filled),
    'Keeps right what the server can know by itself.');
END $$;
COMMENT ON FUNCTION stratum._attach_mixin(text, text[], text[]) IS
  'Puts the mixin trigger on a stratum table: its features, and the columns in which NULL means the default; internal.';
