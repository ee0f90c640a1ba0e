-- A set-up as one finds it: the same tables, kept apart by policies over a setting. Each fault below is a common one; the attacks find them.
CREATE ROLE naive_owner;
CREATE SCHEMA stratum AUTHORIZATION naive_owner;
-- as in databases that were made before version 15
GRANT CREATE ON SCHEMA public TO PUBLIC;
GRANT USAGE ON SCHEMA stratum TO stratum_app;
SET ROLE naive_owner;

CREATE TABLE stratum.tenants (id serial PRIMARY KEY, name text NOT NULL, slug text UNIQUE NOT NULL, domain text, plan text DEFAULT 'free',
  settings jsonb, is_deleted boolean DEFAULT false);

-- fault: IMMUTABLE, "so that the planner folds it"
CREATE FUNCTION stratum.current_tenant_id() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT nullif(current_setting('app.tenant_id', true), '')::integer $$;
-- fault: anybody can set the setting; and nothing stops a change of it in the middle of a statement
CREATE FUNCTION stratum.enter(tenant_id bigint, user_id bigint DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('app.tenant_id', tenant_id::text, true); END $$;
CREATE FUNCTION stratum.leave() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.tenant_id', '', true); END $$;
CREATE FUNCTION stratum.enter_session(tenant_id bigint, user_id bigint, token text) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('app.tenant_id', tenant_id::text, false); END $$;

CREATE TABLE stratum.users (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  email text NOT NULL, email_hash text NOT NULL, password_hash text NOT NULL, full_name text, role text DEFAULT 'analyst',
  UNIQUE (tenant_id, email_hash));
CREATE TABLE stratum.campaigns (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  platform text, external_id text, account_id text, name text NOT NULL, clicks integer DEFAULT 0, UNIQUE (tenant_id, platform, external_id));
CREATE TABLE stratum.cdp_profiles (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  canonical_id uuid UNIQUE NOT NULL, email text, email_hash text, traits jsonb);
-- fault: references of one column
CREATE TABLE stratum.cdp_events (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  profile_id integer REFERENCES stratum.cdp_profiles, event_name text, event_type text, properties jsonb, message_id uuid UNIQUE, timestamp timestamptz);
CREATE TABLE stratum.cdp_segments (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  name text, conditions jsonb, profile_count integer);
CREATE TABLE stratum.cdp_audience_syncs (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id() REFERENCES stratum.tenants,
  segment_id integer REFERENCES stratum.cdp_segments, platform text, name text);
CREATE TABLE stratum.audit_logs (id serial PRIMARY KEY, tenant_id integer DEFAULT stratum.current_tenant_id(), user_id integer,
  action text, resource_type text, resource_id text, old_values jsonb, new_values jsonb, metadata jsonb, created_at timestamptz DEFAULT now());

-- fault: not forced, and a second way in by another setting
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{cdp_profiles,cdp_events,cdp_segments,cdp_audience_syncs,audit_logs}'::text[] LOOP
    EXECUTE format('ALTER TABLE stratum.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON stratum.%I USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::integer'
                   || ' OR current_setting(''app.is_admin'', true) = ''on'')', name);
  END LOOP;
END $$;
ALTER TABLE stratum.campaigns ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stratum.campaigns USING (tenant_id = stratum.current_tenant_id());
ALTER TABLE stratum.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON stratum.tenants USING (id = nullif(current_setting('app.tenant_id', true), '')::integer);
ALTER TABLE stratum.users ENABLE ROW LEVEL SECURITY;
-- fault: rows without a tenant are everybody's
CREATE POLICY tenant ON stratum.users USING (tenant_id IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::integer);

-- fault: the owner's view
CREATE VIEW stratum.campaign_overview AS SELECT tenant_id, name, clicks FROM stratum.campaigns;

-- fault: definer functions without a tenant predicate, and with the caller's search_path
CREATE FUNCTION stratum.find_profile(profile_id bigint) RETURNS SETOF stratum.cdp_profiles LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN RETURN QUERY SELECT * FROM stratum.cdp_profiles p WHERE p.id = profile_id; END $$;
CREATE FUNCTION stratum.refresh_segment(segment_id bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN UPDATE stratum.cdp_segments s SET profile_count = (SELECT count(*) FROM stratum.cdp_profiles p
     WHERE p.tenant_id = s.tenant_id AND lower(p.email) LIKE '%@%') WHERE s.id = segment_id; END $$;

-- fault: the trail is written by whoever is there, and whole rows are announced to whoever listens
CREATE FUNCTION stratum.log_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, resource_id, new_values)
    VALUES (coalesce(new.tenant_id, old.tenant_id), lower(tg_op), tg_table_name, coalesce(new.id, old.id)::text, to_jsonb(new));
  PERFORM pg_notify('stratum_' || tg_table_name, to_json(new)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER log_change AFTER INSERT OR UPDATE OR DELETE ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION stratum.log_change();
CREATE TRIGGER log_change AFTER INSERT OR UPDATE OR DELETE ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION stratum.log_change();

-- fault: more than is needed
GRANT ALL ON ALL TABLES IN SCHEMA stratum TO stratum_app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA stratum TO stratum_app;
RESET ROLE;
