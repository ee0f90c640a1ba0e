-- Customer data: profiles, events, segments, memberships, audience syncs.
\ir helpers.psql
SELECT plan(148);

-- ---- cdp_profiles
SELECT pg_temp.columns_are('cdp_profiles', $$
  id integer not null default nextval('stratum.cdp_profiles_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  canonical_id uuid not null
  anonymous_id character varying(255)
  external_id character varying(255)
  email character varying(255)
  email_hash character varying(64)
  phone character varying(100)
  phone_hash character varying(64)
  first_name character varying(255)
  last_name character varying(255)
  lifecycle_stage character varying(50) default 'anonymous'::character varying
  first_seen_at timestamp with time zone
  last_seen_at timestamp with time zone
  traits jsonb default '{}'::jsonb
  computed_traits jsonb default '{}'::jsonb
  consent jsonb default '{}'::jsonb
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('cdp_profiles', $$
  cdp_profiles_pkey PRIMARY KEY (id)
  cdp_profiles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_profiles_canonical_id_key UNIQUE (canonical_id)
  cdp_profiles_tenant_id_canonical_id_key UNIQUE (tenant_id, canonical_id)
  cdp_profiles_tenant_id_id_key UNIQUE (tenant_id, id)
$$);
SELECT pg_temp.has_indexes('cdp_profiles', $$
  ix_cdp_profiles_tenant btree (tenant_id)
  ix_cdp_profiles_email_hash btree (tenant_id, email_hash)
  ix_cdp_profiles_lifecycle btree (tenant_id, lifecycle_stage)
  ix_profiles_traits gin (traits)
  ix_cdp_profiles_external_id btree (tenant_id, external_id)
  ix_cdp_profiles_anonymous_id btree (tenant_id, anonymous_id)
$$);

-- ---- cdp_events
SELECT pg_temp.columns_are('cdp_events', $$
  id integer not null default nextval('stratum.cdp_events_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  profile_id integer
  event_name character varying(255) not null
  event_type character varying(50) not null
  properties jsonb default '{}'::jsonb
  context jsonb default '{}'::jsonb
  message_id uuid
  anonymous_id character varying(255)
  timestamp timestamp with time zone not null
  received_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('cdp_events', $$
  cdp_events_pkey PRIMARY KEY (id)
  cdp_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_events_tenant_id_profile_id_fkey FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id)
  cdp_events_message_id_key UNIQUE (message_id)
  cdp_events_tenant_id_message_id_key UNIQUE (tenant_id, message_id)
$$);
SELECT pg_temp.has_indexes('cdp_events', $$
  ix_cdp_events_profile btree (profile_id)
  ix_cdp_events_profile_name btree (tenant_id, profile_id, event_name, "timestamp") INCLUDE (id)
  ix_cdp_events_name btree (tenant_id, event_name)
  ix_cdp_events_timestamp btree (tenant_id, "timestamp")
$$);

-- ---- cdp_segments
SELECT pg_temp.columns_are('cdp_segments', $$
  id integer not null default nextval('stratum.cdp_segments_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  name character varying(255) not null
  description text
  slug character varying(100)
  conditions jsonb not null
  profile_count integer default 0
  last_computed_at timestamp with time zone
  is_active boolean default true
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('cdp_segments', $$
  cdp_segments_pkey PRIMARY KEY (id)
  cdp_segments_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_segments_tenant_id_id_key UNIQUE (tenant_id, id)
$$);

-- ---- cdp_audience_syncs
SELECT pg_temp.columns_are('cdp_audience_syncs', $$
  id integer not null default nextval('stratum.cdp_audience_syncs_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  segment_id integer
  platform stratum.ad_platform not null
  platform_audience_id character varying(255)
  name character varying(255) not null
  sync_interval character varying(50) default 'daily'::character varying
  identifier_types jsonb default '["email"]'::jsonb
  is_active boolean default true
  last_sync_at timestamp with time zone
  last_sync_status character varying(50)
  last_sync_error text
  profiles_synced integer default 0
  match_rate double precision
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('cdp_audience_syncs', $$
  cdp_audience_syncs_pkey PRIMARY KEY (id)
  cdp_audience_syncs_tenant_id_id_key UNIQUE (tenant_id, id)
  cdp_audience_syncs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_audience_syncs_tenant_id_segment_id_fkey FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id)
$$);

-- ---- cdp_segment_memberships: who is in a segment now
SELECT pg_temp.columns_are('cdp_segment_memberships', $$
  tenant_id integer not null default stratum.current_tenant_id()
  segment_id integer not null
  profile_id integer not null
  added_at timestamp with time zone not null default now()
$$);
SELECT pg_temp.keys_are('cdp_segment_memberships', $$
  cdp_segment_memberships_pkey PRIMARY KEY (tenant_id, segment_id, profile_id)
  cdp_segment_memberships_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_segment_memberships_tenant_id_segment_id_fkey FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE
  cdp_segment_memberships_tenant_id_profile_id_fkey FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE
$$);

-- ---- cdp_audience_uploads: what platforms have
SELECT pg_temp.columns_are('cdp_audience_uploads', $$
  tenant_id integer not null default stratum.current_tenant_id()
  audience_sync_id integer not null
  profile_id integer not null
  identifier_type text not null
  hash text not null
  state text not null
$$);
SELECT pg_temp.keys_are('cdp_audience_uploads', $$
  cdp_audience_uploads_pkey PRIMARY KEY (tenant_id, audience_sync_id, profile_id, identifier_type, hash)
  cdp_audience_uploads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_audience_uploads_tenant_id_audience_sync_id_fkey FOREIGN KEY (tenant_id, audience_sync_id) REFERENCES stratum.cdp_audience_syncs(tenant_id, id) ON DELETE CASCADE
$$);

-- ---- cdp_profile_aliases: other names of profiles
SELECT pg_temp.columns_are('cdp_profile_aliases', $$
  tenant_id integer not null default stratum.current_tenant_id()
  kind text not null
  value text not null
  profile_id integer not null
  created_at timestamp with time zone not null default now()
$$);
SELECT pg_temp.keys_are('cdp_profile_aliases', $$
  cdp_profile_aliases_pkey PRIMARY KEY (tenant_id, kind, value)
  cdp_profile_aliases_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_profile_aliases_tenant_id_profile_id_fkey FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE
$$);
SELECT pg_temp.has_indexes('cdp_profile_aliases', $$
  ix_cdp_profile_aliases_profile btree (tenant_id, profile_id)
$$);

-- ---- cdp_segment_options: which segments are live and which keep a history
SELECT pg_temp.columns_are('cdp_segment_options', $$
  tenant_id integer not null default stratum.current_tenant_id()
  segment_id integer not null
  is_live boolean not null default false
  keeps_history boolean not null default false
$$);
SELECT pg_temp.keys_are('cdp_segment_options', $$
  cdp_segment_options_pkey PRIMARY KEY (tenant_id, segment_id)
  cdp_segment_options_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_segment_options_tenant_id_segment_id_fkey FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE
$$);

-- ---- cdp_segment_history: when profiles entered and left
SELECT pg_temp.columns_are('cdp_segment_history', $$
  id bigint not null default nextval('stratum.cdp_segment_history_id_seq'::regclass)
  tenant_id integer not null default stratum.current_tenant_id()
  segment_id integer not null
  profile_id integer not null
  entered_at timestamp with time zone not null
  left_at timestamp with time zone
$$);
SELECT pg_temp.keys_are('cdp_segment_history', $$
  cdp_segment_history_pkey PRIMARY KEY (id)
  cdp_segment_history_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  cdp_segment_history_tenant_id_segment_id_fkey FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments(tenant_id, id) ON DELETE CASCADE
  cdp_segment_history_tenant_id_profile_id_fkey FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles(tenant_id, id) ON DELETE CASCADE
$$);
SELECT pg_temp.has_indexes('cdp_segment_history', $$
  ix_cdp_segment_history_present UNIQUE btree (tenant_id, segment_id, profile_id) WHERE (left_at IS NULL)
  ix_cdp_segment_history_entered btree (tenant_id, segment_id, entered_at)
  ix_cdp_segment_history_profile btree (tenant_id, profile_id)
$$);

SELECT * FROM finish();
ROLLBACK;
