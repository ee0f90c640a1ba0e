-- stratum.audit_seals: digests of the rows of the audit trail, chained.

CREATE FUNCTION stratum._install_audit_seals() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_seals') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_seals (
      id BIGSERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      number BIGINT NOT NULL,
      sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
      settled_id BIGINT NOT NULL,
      row_count BIGINT NOT NULL,
      last_id BIGINT NOT NULL,
      newest_at TIMESTAMP WITH TIME ZONE NOT NULL,
      previous BYTEA NOT NULL,
      content BYTEA NOT NULL,
      digest BYTEA NOT NULL,

      log_ids BIGINT[],
      logged_at TIMESTAMP WITH TIME ZONE[],
      digests BYTEA,
      salts BYTEA,

      UNIQUE NULLS NOT DISTINCT (tenant_id, number)
    );
    -- Digests and salts are random bytes: trying to compress them takes time only.
    ALTER TABLE stratum.audit_seals ALTER COLUMN digests SET STORAGE EXTERNAL, ALTER COLUMN salts SET STORAGE EXTERNAL;

    CREATE INDEX ix_audit_seals_last_id ON stratum.audit_seals (tenant_id, last_id);

    COMMENT ON TABLE stratum.audit_seals IS 'Digests of up to 1000 rows of audit_logs each, chained within a tenant; written by seal_audit() only.';
    COMMENT ON COLUMN stratum.audit_seals.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.audit_seals.tenant_id IS 'Tenant of the rows; NULL: they have none.';
    COMMENT ON COLUMN stratum.audit_seals.number IS 'Place in the chain: 1, 2, 3 and so on without gaps.';
    COMMENT ON COLUMN stratum.audit_seals.sealed_at IS 'When it was made, by the clock.';
    COMMENT ON COLUMN stratum.audit_seals.settled_id IS 'What audit_chains.settled_id was before: all rows in the seal have higher ids.';
    COMMENT ON COLUMN stratum.audit_seals.row_count IS 'Rows in the seal.';
    COMMENT ON COLUMN stratum.audit_seals.last_id IS 'Highest id of them.';
    COMMENT ON COLUMN stratum.audit_seals.newest_at IS 'Latest created_at of them.';
    COMMENT ON COLUMN stratum.audit_seals.previous IS 'Digest of the seal before; 32 zero bytes in the first.';
    COMMENT ON COLUMN stratum.audit_seals.content IS 'SHA-256 of ids, times and digests of the rows.';
    COMMENT ON COLUMN stratum.audit_seals.digest IS 'SHA-256 of everything before, from tenant to content.';
    COMMENT ON COLUMN stratum.audit_seals.log_ids IS 'Ids of the rows, ascending; NULL once they are all purged, as the three below.';
    COMMENT ON COLUMN stratum.audit_seals.logged_at IS 'created_at of the rows.';
    COMMENT ON COLUMN stratum.audit_seals.digests IS 'Digests of the rows, 32 bytes each.';
    COMMENT ON COLUMN stratum.audit_seals.salts IS 'Salts of the rows, 16 bytes each; zeros where an erasure has destroyed it.';
    COMMENT ON INDEX stratum.ix_audit_seals_last_id IS 'Seals that may hold a row.';
    COMMENT ON SEQUENCE stratum.audit_seals_id_seq IS 'Numbers the rows of stratum.audit_seals, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_seals');
  END IF;

  ALTER TABLE stratum.audit_seals ENABLE ROW LEVEL SECURITY;
  ALTER TABLE stratum.audit_seals FORCE ROW LEVEL SECURITY;
  PERFORM stratum._put_admin_policy('audit_seals');
  PERFORM stratum._put_auditor_policy('audit_seals');
  PERFORM stratum._give_rights('audit_seals', is_new, NULL, 'SELECT', 'SELECT');
END $install$;
COMMENT ON FUNCTION stratum._install_audit_seals() IS
  'Creates stratum.audit_seals where it is missing and puts its policies and rights back; internal to install().';
