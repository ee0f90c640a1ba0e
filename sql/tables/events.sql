-- stratum.cdp_events: what customers did.

CREATE FUNCTION stratum._install_cdp_events() RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $install$
DECLARE
  is_new boolean := to_regclass('stratum.cdp_events') IS NULL;
BEGIN
  IF is_new THEN
    CREATE TABLE stratum.cdp_events (
      id SERIAL PRIMARY KEY,
      tenant_id INTEGER REFERENCES stratum.tenants (id),
      profile_id INTEGER,

      event_name VARCHAR(255) NOT NULL,
      event_type VARCHAR(50) NOT NULL,
      properties JSONB DEFAULT '{}',
      context JSONB DEFAULT '{}',

      message_id UUID UNIQUE,
      anonymous_id VARCHAR(255),

      timestamp TIMESTAMP WITH TIME ZONE NOT NULL,
      received_at TIMESTAMP WITH TIME ZONE DEFAULT NOW(),

      FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id),
      UNIQUE (tenant_id, message_id)
    );

    CREATE INDEX ix_cdp_events_profile ON stratum.cdp_events (profile_id);
    CREATE INDEX ix_cdp_events_name ON stratum.cdp_events (tenant_id, event_name);
    CREATE INDEX ix_cdp_events_timestamp ON stratum.cdp_events (tenant_id, timestamp);

    COMMENT ON TABLE stratum.cdp_events IS 'What customers did.';
    COMMENT ON COLUMN stratum.cdp_events.id IS 'Identifier.';
    COMMENT ON COLUMN stratum.cdp_events.tenant_id IS 'Tenant that owns the row.';
    COMMENT ON COLUMN stratum.cdp_events.profile_id IS 'Profile that did it; NULL while unknown.';
    COMMENT ON COLUMN stratum.cdp_events.event_name IS 'Name, for example Purchase; field event.<name> in segments.';
    COMMENT ON COLUMN stratum.cdp_events.event_type IS 'Kind, for example track or page.';
    COMMENT ON COLUMN stratum.cdp_events.properties IS 'Details of the event.';
    COMMENT ON COLUMN stratum.cdp_events.context IS 'Device, page, campaign and the like.';
    COMMENT ON COLUMN stratum.cdp_events.message_id IS 'Id given by the sender, so that a repeated delivery is refused.';
    COMMENT ON COLUMN stratum.cdp_events.anonymous_id IS 'Id before the person was known.';
    COMMENT ON COLUMN stratum.cdp_events.timestamp IS 'When it happened.';
    COMMENT ON COLUMN stratum.cdp_events.received_at IS 'When it arrived.';
    COMMENT ON INDEX stratum.ix_cdp_events_profile IS 'Events of a profile.';
    COMMENT ON INDEX stratum.ix_cdp_events_name IS 'Events of a tenant by name.';
    COMMENT ON INDEX stratum.ix_cdp_events_timestamp IS 'Events of a tenant by time.';
    COMMENT ON SEQUENCE stratum.cdp_events_id_seq IS 'Numbers the rows of stratum.cdp_events, for all tenants together.';
    PERFORM stratum._comment_constraints('cdp_events');
  END IF;

  -- since 1.1. With the ids, which tell events at the same time apart, the index alone answers what segments ask.
  IF to_regclass('stratum.ix_cdp_events_profile_name') IS NULL THEN
    CREATE INDEX ix_cdp_events_profile_name ON stratum.cdp_events (tenant_id, profile_id, event_name, timestamp) INCLUDE (id);
    COMMENT ON INDEX stratum.ix_cdp_events_profile_name IS 'Events of a profile by name and time: what segments ask.';
  END IF;

  ALTER TABLE stratum.cdp_events ALTER COLUMN tenant_id SET DEFAULT stratum.current_tenant_id();
  PERFORM stratum._attach_mixin('cdp_events', '{}',
    '{id,properties,context,received_at}');
  PERFORM stratum._put_trigger(
    'stratum.cdp_events', 'zz_stratum_live',
    'AFTER INSERT OR DELETE OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION stratum._note_event()',
    'Live memberships of the profile are brought up to date at the end of the transaction.');
  PERFORM stratum._put_trigger(
    'stratum.cdp_events', 'zz_stratum_live_truncate',
    'AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION stratum._events_truncated()',
    'Live memberships are brought up to date at the end of the transaction.');
  PERFORM stratum._audit_stratum_table('cdp_events', 'update,delete,truncate');
  PERFORM stratum._isolate('cdp_events', 'tenant_id');
  PERFORM stratum._give_rights('cdp_events', is_new, 'SELECT, INSERT, UPDATE, DELETE',
    'SELECT, INSERT, UPDATE, DELETE, TRUNCATE');
END $install$;
COMMENT ON FUNCTION stratum._install_cdp_events() IS
  'Creates stratum.cdp_events where it is missing and puts its default, triggers, policies and rights back; internal to install().';
