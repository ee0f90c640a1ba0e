-- stratum.rules: automation rules: conditions over campaigns, and what to do when they hold.

CREATE FUNCTION stratum._install_rules() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.rules') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.rules (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      name VARCHAR(255) NOT NULL,
      description TEXT,

      conditions JSONB NOT NULL,
      actions JSONB NOT NULL,

      schedule VARCHAR(50),

      status stratum.rule_status DEFAULT 'draft',
      is_enabled BOOLEAN DEFAULT TRUE,

      executions_count INTEGER DEFAULT 0 CHECK (executions_count >= 0),
      last_executed_at TIMESTAMP WITH TIME ZONE,
      last_execution_result JSONB,

      created_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      updated_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),
      is_deleted BOOLEAN DEFAULT FALSE
    );

    CREATE INDEX ix_rules_tenant_status ON stratum.rules (tenant_id, status);

    COMMENT ON TABLE stratum.rules IS 'Automation rules: conditions over campaigns, and what to do when they hold.';
    COMMENT ON COLUMN stratum.rules.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.rules.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.rules.name IS 'Name of the rule.';
    COMMENT ON COLUMN stratum.rules.description IS 'What it is for.';
    COMMENT ON COLUMN stratum.rules.conditions IS 'Definition in the condition language, over campaigns; checked when written.';
    COMMENT ON COLUMN stratum.rules.actions IS 'What to do, an array of {"type": rule_action, ...}.';
    COMMENT ON COLUMN stratum.rules.schedule IS 'When to run: a cron expression or an interval.';
    COMMENT ON COLUMN stratum.rules.status IS 'Status.';
    COMMENT ON COLUMN stratum.rules.is_enabled IS 'Switch beside the status.';
    COMMENT ON COLUMN stratum.rules.executions_count IS 'Times run; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.last_executed_at IS 'Last run; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.last_execution_result IS 'What the last run did; bookkeeping, not audited.';
    COMMENT ON COLUMN stratum.rules.created_at IS 'When the row was made.';
    COMMENT ON COLUMN stratum.rules.updated_at IS 'When the row last changed; kept by stratum.';
    COMMENT ON COLUMN stratum.rules.is_deleted IS 'Soft delete.';
    COMMENT ON INDEX stratum.ix_rules_tenant_status IS 'Rules of a tenant by status.';
    COMMENT ON SEQUENCE stratum.rules_id_seq IS 'Numbers the rows of stratum.rules, for all tenants together.';
    PERFORM stratum._comment_constraints('rules');
  END IF;

  ALTER TABLE stratum.rules ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('rules', '{campaign_conditions}',
    '{id,status,is_enabled,executions_count,created_at,updated_at,is_deleted}');
  PERFORM stratum._put_trigger(
    'stratum.rules', 'zz_stratum_check',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._check_rule()',
    'Schedules and actions that mean nothing are refused.');
  PERFORM stratum._audit_stratum_table('rules', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('rules', 'tenant_id');
  PERFORM stratum._give_rights('rules', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_rules() IS
  'Creates stratum.rules where it is missing and puts its default, triggers, policies and rights back; internal to install().';
