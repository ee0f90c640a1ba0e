-- stratum.audit_chains: how far the audit trail of each tenant is sealed.

CREATE FUNCTION stratum._install_audit_chains() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_chains') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_chains (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      last_number BIGINT NOT NULL DEFAULT 0,
      last_digest BYTEA NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
      settled_id BIGINT NOT NULL DEFAULT 0,
      drawn_id BIGINT,
      drawn_xid BIGINT,
      place TEXT,

      UNIQUE NULLS NOT DISTINCT (tenant_id)
    );

    COMMENT ON TABLE stratum.audit_chains IS 'How far the audit trail of each tenant is sealed; kept by seal_audit(). Sealers lock its rows, writers never do.';
    COMMENT ON COLUMN stratum.audit_chains.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.audit_chains.tenant_id IS 'Tenant; NULL: the rows without one, a chain of their own.';
    COMMENT ON COLUMN stratum.audit_chains.last_number IS 'Number of the last seal; 0: none yet.';
    COMMENT ON COLUMN stratum.audit_chains.last_digest IS 'Digest of the last seal; 32 zero bytes: none yet.';
    COMMENT ON COLUMN stratum.audit_chains.settled_id IS 'Rows of the chain up to this id are sealed, and no other can come.';
    COMMENT ON COLUMN stratum.audit_chains.drawn_id IS 'Last id that had been drawn at a sealing; it settles when the transactions of that time have ended.';
    COMMENT ON COLUMN stratum.audit_chains.drawn_xid IS 'Number that the next transaction was to get then.';
    COMMENT ON COLUMN stratum.audit_chains.place IS 'Server, database and files that drawn_xid is of: it means nothing elsewhere, after a restore for instance.';
    COMMENT ON SEQUENCE stratum.audit_chains_id_seq IS 'Numbers the rows of stratum.audit_chains, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_chains');
  END IF;

  ALTER TABLE stratum.audit_chains ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_chains FORCE ROW LEVEL SECURITY;
  PERFORM stratum._put_admin_policy('audit_chains');
  PERFORM stratum._put_auditor_policy('audit_chains');
  PERFORM stratum._give_rights('audit_chains', is_new, NULL, 'SELECT', 'SELECT');
END $install$;
COMMENT ON FUNCTION stratum._install_audit_chains() IS
  'Creates stratum.audit_chains where it is missing and puts its policies and rights back; internal to install().';
