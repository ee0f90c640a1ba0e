-- stratum.action_deliveries: actions that workers do, with who has which and until when.

CREATE FUNCTION stratum._install_action_deliveries() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.action_deliveries') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.action_deliveries (
      tenant_id INTEGER NOT NULL REFERENCES stratum.tenants (id),
      action_id INTEGER NOT NULL,

      state VARCHAR(20) NOT NULL DEFAULT 'waiting' CHECK (state = ANY ('{waiting,claimed,done,dead}'::text[])),
      attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      worker TEXT,
      lease_until TIMESTAMP WITH TIME ZONE,
      available_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      last_error TEXT,

      handed_over_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
      finished_at TIMESTAMP WITH TIME ZONE,

      PRIMARY KEY (tenant_id, action_id),
      FOREIGN KEY (tenant_id, action_id) REFERENCES stratum.fact_actions_queue (tenant_id, id) ON DELETE CASCADE
    );

    CREATE INDEX ix_action_deliveries_tenant_state ON stratum.action_deliveries (tenant_id, state, available_at);

    COMMENT ON TABLE stratum.action_deliveries IS 'Actions that workers do, with who has which and until when; written by stratum only.';
    COMMENT ON COLUMN stratum.action_deliveries.action_id IS 'Action of fact_actions_queue.';
    COMMENT ON COLUMN stratum.action_deliveries.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.action_deliveries.state IS 'waiting, claimed, done, or dead: given up.';
    COMMENT ON COLUMN stratum.action_deliveries.attempts IS 'How often it was claimed.';
    COMMENT ON COLUMN stratum.action_deliveries.worker IS 'Who claimed it last.';
    COMMENT ON COLUMN stratum.action_deliveries.lease_until IS 'Until when nobody else may claim it.';
    COMMENT ON COLUMN stratum.action_deliveries.available_at IS 'From when on it may be claimed.';
    COMMENT ON COLUMN stratum.action_deliveries.last_error IS 'What the last failure was.';
    COMMENT ON COLUMN stratum.action_deliveries.handed_over_at IS 'When it was first handed over.';
    COMMENT ON COLUMN stratum.action_deliveries.finished_at IS 'When it was done or given up.';
    COMMENT ON INDEX stratum.ix_action_deliveries_tenant_state IS 'What workers of a tenant may claim.';
    PERFORM stratum._comment_constraints('action_deliveries');
  END IF;

  ALTER TABLE stratum.action_deliveries ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._isolate('action_deliveries', 'tenant_id');
  PERFORM stratum._give_rights('action_deliveries', is_new, 'SELECT',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_action_deliveries() IS
  'Creates stratum.action_deliveries where it is missing and puts its default, policies and rights back; internal to install().';
