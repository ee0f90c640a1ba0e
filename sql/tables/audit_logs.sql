-- stratum.audit_logs: who changed what; append-only.

CREATE FUNCTION stratum._install_audit_logs() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.audit_logs') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.audit_logs (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      user_id INTEGER REFERENCES stratum.users (id),

      action stratum.audit_action NOT NULL,
      resource_type VARCHAR(100) NOT NULL,
      resource_id VARCHAR(255),

      old_values JSONB,
      new_values JSONB,
      metadata JSONB DEFAULT '{}',

      ip_address INET,
      user_agent TEXT,
      request_id VARCHAR(100),

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW()
    );

    CREATE INDEX ix_audit_logs_tenant ON stratum.audit_logs (tenant_id);
    CREATE INDEX ix_audit_logs_user ON stratum.audit_logs (user_id);
    CREATE INDEX ix_audit_logs_resource ON stratum.audit_logs (resource_type, resource_id);
    CREATE INDEX ix_audit_logs_created ON stratum.audit_logs (created_at);

    COMMENT ON TABLE stratum.audit_logs IS 'Who changed what; append-only.';
    COMMENT ON COLUMN stratum.audit_logs.id IS 'Identifier; later rows of a transaction have higher ones.';
    COMMENT ON COLUMN stratum.audit_logs.tenant_id IS 'Tenant of the changed row; NULL: of the platform.';
    COMMENT ON COLUMN stratum.audit_logs.user_id IS 'User of the context; NULL: none was entered.';
    COMMENT ON COLUMN stratum.audit_logs.action IS 'What was done.';
    COMMENT ON COLUMN stratum.audit_logs.resource_type IS 'Table, or any kind of thing for logged events.';
    COMMENT ON COLUMN stratum.audit_logs.resource_id IS 'Key of the row; a JSON array for a composite one.';
    COMMENT ON COLUMN stratum.audit_logs.old_values IS 'Before: the changed columns of an update, the whole row of a delete.';
    COMMENT ON COLUMN stratum.audit_logs.new_values IS 'After: the changed columns of an update, the whole row of a create.';
    COMMENT ON COLUMN stratum.audit_logs.metadata IS 'Whatever else is known.';
    COMMENT ON COLUMN stratum.audit_logs.ip_address IS 'Address given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.user_agent IS 'User agent given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.request_id IS 'Request id given to enter().';
    COMMENT ON COLUMN stratum.audit_logs.created_at IS 'Time of the transaction.';
    COMMENT ON INDEX stratum.ix_audit_logs_tenant IS 'Trail of a tenant.';
    COMMENT ON INDEX stratum.ix_audit_logs_user IS 'Trail of a user.';
    COMMENT ON INDEX stratum.ix_audit_logs_resource IS 'Trail of a row.';
    COMMENT ON INDEX stratum.ix_audit_logs_created IS 'Trail by time.';
    COMMENT ON SEQUENCE stratum.audit_logs_id_seq IS 'Numbers the rows of stratum.audit_logs, for all tenants together.';
    PERFORM stratum._comment_constraints('audit_logs');
  END IF;

  -- since 1.1
  IF to_regclass('stratum.ix_audit_logs_request') IS NULL THEN
    CREATE INDEX ix_audit_logs_request ON stratum.audit_logs (request_id) WHERE request_id IS NOT NULL;
    COMMENT ON INDEX stratum.ix_audit_logs_request IS 'Trail of a request.';
  END IF;

  ALTER TABLE stratum.audit_logs ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_audit_guard();
  PERFORM stratum._isolate('audit_logs', 'tenant_id');
  DROP POLICY IF EXISTS auditor_read ON stratum.audit_logs;
  CREATE POLICY auditor_read ON stratum.audit_logs FOR SELECT TO stratum_auditor USING (true);
  COMMENT ON POLICY auditor_read ON stratum.audit_logs IS 'Auditors read the trail of every tenant.';
  PERFORM stratum._give_rights('audit_logs', is_new, 'SELECT, INSERT',
    'SELECT, INSERT', 'SELECT');
END $install$;
COMMENT ON FUNCTION stratum._install_audit_logs() IS
  'Creates stratum.audit_logs where it is missing and puts its default, triggers, policies and rights back; internal to install().';
