-- stratum.fact_signal_health_daily: daily health of the signals that a platform gets.

CREATE FUNCTION stratum._install_fact_signal_health_daily() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.fact_signal_health_daily') IS NULL;
BEGIN
  IF is_new THEN
    -- = ANY (array) rather than IN: it reads the same after a dump.
    CREATE TABLE stratum.fact_signal_health_daily (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),

      date DATE NOT NULL,

      platform stratum.ad_platform NOT NULL,
      health_score INTEGER NOT NULL CHECK (health_score BETWEEN 0 AND 100),

      data_freshness_score INTEGER CHECK (data_freshness_score BETWEEN 0 AND 100),
      completeness_score INTEGER CHECK (completeness_score BETWEEN 0 AND 100),
      accuracy_score INTEGER CHECK (accuracy_score BETWEEN 0 AND 100),

      status VARCHAR(20) CHECK (status = ANY ('{healthy,degraded,unhealthy}'::text[])),

      issues JSONB DEFAULT '[]',

      UNIQUE (tenant_id, date, platform)
    );

    COMMENT ON TABLE stratum.fact_signal_health_daily IS 'Daily health of the signals that a platform gets.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.date IS 'Day.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.platform IS 'Ad platform.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.health_score IS 'Health, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.data_freshness_score IS 'Freshness of the data, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.completeness_score IS 'Completeness, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.accuracy_score IS 'Accuracy, 0 to 100.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.status IS 'healthy, degraded or unhealthy.';
    COMMENT ON COLUMN stratum.fact_signal_health_daily.issues IS 'What was found, an array.';
    COMMENT ON SEQUENCE stratum.fact_signal_health_daily_id_seq IS 'Numbers the rows of stratum.fact_signal_health_daily, for all tenants together.';
    PERFORM stratum._comment_constraints('fact_signal_health_daily');
  END IF;

  ALTER TABLE stratum.fact_signal_health_daily ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('fact_signal_health_daily', '{}',
    '{id,issues}');
  PERFORM stratum._put_trigger(
    'stratum.fact_signal_health_daily', 'zz_stratum_signals',
    'BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._keep_signal_health()',
    'The score that is left out, and the status.');
  PERFORM stratum._audit_stratum_table('fact_signal_health_daily', 'insert,update,delete,truncate');
  PERFORM stratum._isolate('fact_signal_health_daily', 'tenant_id');
  PERFORM stratum._give_rights('fact_signal_health_daily', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_fact_signal_health_daily() IS
  'Creates stratum.fact_signal_health_daily where it is missing and puts its default, triggers, policies and rights back; internal to install().';
