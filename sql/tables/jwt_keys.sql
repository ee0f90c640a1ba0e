-- stratum.jwt_keys: the keys that tokens for enter_jwt() are signed with.

CREATE FUNCTION stratum._install_jwt_keys() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.jwt_keys') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.jwt_keys (
      kid TEXT PRIMARY KEY CHECK (kid <> ''),
      secret BYTEA NOT NULL CHECK (octet_length(secret) >= 32 AND octet_length(secret) <= 1024),
      audience TEXT NOT NULL CHECK (audience <> ''),
      valid_from TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      valid_until TIMESTAMP WITH TIME ZONE,

      CONSTRAINT jwt_keys_valid_check CHECK (valid_until >= valid_from)
    );

    COMMENT ON TABLE stratum.jwt_keys IS 'Keys that tokens for enter_jwt() are signed with; nobody may read it but superusers.';
    COMMENT ON COLUMN stratum.jwt_keys.kid IS 'Name of the key, as the header of a token has it.';
    COMMENT ON COLUMN stratum.jwt_keys.secret IS 'Shared with who signs; 32 to 1024 bytes; redacted in the audit trail.';
    COMMENT ON COLUMN stratum.jwt_keys.audience IS 'Claim "aud" that tokens with this key must have.';
    COMMENT ON COLUMN stratum.jwt_keys.valid_from IS 'Tokens are taken from this time on.';
    COMMENT ON COLUMN stratum.jwt_keys.valid_until IS 'No token is taken from this time on; NULL: no end.';
    PERFORM stratum._comment_constraints('jwt_keys');
  END IF;

  PERFORM stratum._put_audit_triggers('stratum.jwt_keys', '{secret}', '{}', 'insert,update,delete,truncate');
  -- Without a policy: only superusers, as whom the functions run.
  ALTER TABLE stratum.jwt_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.jwt_keys FORCE ROW LEVEL SECURITY;
  PERFORM stratum._give_rights('jwt_keys', is_new, NULL, NULL);
END $install$;
COMMENT ON FUNCTION stratum._install_jwt_keys() IS
  'Creates stratum.jwt_keys where it is missing and puts its triggers and rights back; internal to install().';
