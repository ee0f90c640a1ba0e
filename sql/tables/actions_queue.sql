-- stratum.fact_actions_queue: actions that the autopilot proposes, until somebody decides.

CREATE FUNCTION stratum._install_fact_actions_queue() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.fact_actions_queue') IS NULL;
BEGIN
  IF is_new THEN
    -- = ANY (array) rather than IN: it reads the same after a dump.
    CREATE TABLE stratum.fact_actions_queue (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      action_type VARCHAR(50) NOT NULL,
      entity_type VARCHAR(50) NOT NULL,
      entity_id INTEGER NOT NULL,

      payload JSONB NOT NULL,
      reason TEXT,

      status VARCHAR(20) DEFAULT 'pending' CHECK (status = ANY ('{pending,approved,rejected,executed}'::text[])),

      created_by_id INTEGER,
      approved_by_id INTEGER,
      approved_at TIMESTAMP WITH TIME ZONE,
      executed_at TIMESTAMP WITH TIME ZONE,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      UNIQUE (tenant_id, id)
    );

    CREATE INDEX ix_fact_actions_queue_tenant_status ON stratum.fact_actions_queue (tenant_id, status);

    COMMENT ON TABLE stratum.fact_actions_queue IS 'Actions that the autopilot proposes, until somebody decides.';
    COMMENT ON COLUMN stratum.fact_actions_queue.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.fact_actions_queue.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.fact_actions_queue.action_type IS 'What to do.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_type IS 'Kind of thing it is done to, for example campaign.';
    COMMENT ON COLUMN stratum.fact_actions_queue.entity_id IS 'Id of that thing.';
    COMMENT ON COLUMN stratum.fact_actions_queue.payload IS 'Details of the action; "outcome" is what execute_action() has changed.';
    COMMENT ON COLUMN stratum.fact_actions_queue.reason IS 'Why it is proposed; where it was rejected with a reason, that one.';
    COMMENT ON COLUMN stratum.fact_actions_queue.status IS 'pending, approved, rejected or executed.';
    COMMENT ON COLUMN stratum.fact_actions_queue.created_by_id IS 'User who proposed it.';
    COMMENT ON COLUMN stratum.fact_actions_queue.approved_by_id IS 'User who decided.';
    COMMENT ON COLUMN stratum.fact_actions_queue.approved_at IS 'When it was approved.';
    COMMENT ON COLUMN stratum.fact_actions_queue.executed_at IS 'When it was done.';
    COMMENT ON COLUMN stratum.fact_actions_queue.created_at IS 'When the row was made.';
    COMMENT ON INDEX stratum.ix_fact_actions_queue_tenant_status IS 'What waits in a tenant.';
    COMMENT ON SEQUENCE stratum.fact_actions_queue_id_seq IS 'Numbers the rows of stratum.fact_actions_queue, for all tenants together.';
    PERFORM stratum._comment_constraints('fact_actions_queue');
  END IF;

  ALTER TABLE stratum.fact_actions_queue ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('fact_actions_queue', '{}',
    '{id,status,created_at}');
  PERFORM stratum._put_trigger(
    'stratum.fact_actions_queue', 'zz_stratum_state',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._keep_action()',
    'The life of an action; who decided, and when.');
  PERFORM stratum._audit_stratum_table('fact_actions_queue', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('fact_actions_queue', 'tenant_id');
  PERFORM stratum._give_rights('fact_actions_queue', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_fact_actions_queue() IS
  'Creates stratum.fact_actions_queue where it is missing and puts its default, triggers, policies and rights back; internal to install().';
