-- stratum.audit_keys: the key of hashed values in the audit trail. Nobody has a right to it.

CREATE FUNCTION stratum._install_audit_keys() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_keys') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_keys (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      key BYTEA NOT NULL CHECK (length(key) = 32)
    );

    COMMENT ON TABLE stratum.audit_keys IS 'The key of hashed values in the audit trail, made when audit_table() is first asked to hash. Nobody has a right to it.';
    COMMENT ON COLUMN stratum.audit_keys.id IS 'Always 1: there is one key.';
    COMMENT ON COLUMN stratum.audit_keys.key IS '32 random bytes.';
    PERFORM stratum._comment_constraints('audit_keys');
  END IF;

  ALTER TABLE stratum.audit_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_keys FORCE ROW LEVEL SECURITY;
  PERFORM stratum._give_rights('audit_keys', is_new, NULL, NULL);
END $install$;
COMMENT ON FUNCTION stratum._install_audit_keys() IS
  'Creates stratum.audit_keys where it is missing; internal to install().';
