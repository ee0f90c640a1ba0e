-- Trust layer, campaign builder and automation.
\ir helpers.psql
SELECT plan(97);

-- ---- fact_signal_health_daily
SELECT pg_temp.columns_are('fact_signal_health_daily', $$
  id integer not null default nextval('stratum.fact_signal_health_daily_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  date date not null
  platform stratum.ad_platform not null
  health_score integer not null
  data_freshness_score integer
  completeness_score integer
  accuracy_score integer
  status character varying(20)
  issues jsonb default '[]'::jsonb
$$);
SELECT pg_temp.keys_are('fact_signal_health_daily', $$
  fact_signal_health_daily_pkey PRIMARY KEY (id)
  fact_signal_health_daily_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  fact_signal_health_daily_tenant_id_date_platform_key UNIQUE (tenant_id, date, platform)
$$);

-- ---- fact_actions_queue: who created and who approved are plain numbers, as documented
SELECT pg_temp.columns_are('fact_actions_queue', $$
  id integer not null default nextval('stratum.fact_actions_queue_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  action_type character varying(50) not null
  entity_type character varying(50) not null
  entity_id integer not null
  payload jsonb not null
  reason text
  status character varying(20) default 'pending'::character varying
  created_by_id integer
  approved_by_id integer
  approved_at timestamp with time zone
  executed_at timestamp with time zone
  created_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('fact_actions_queue', $$
  fact_actions_queue_pkey PRIMARY KEY (id)
  fact_actions_queue_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  fact_actions_queue_tenant_id_id_key UNIQUE (tenant_id, id)
$$);

-- ---- action_deliveries: what workers do
SELECT pg_temp.columns_are('action_deliveries', $$
  tenant_id integer not null default stratum.current_tenant_id()
  action_id integer not null
  state character varying(20) not null default 'waiting'::character varying
  attempts integer not null default 0
  worker text
  lease_until timestamp with time zone
  available_at timestamp with time zone not null default now()
  last_error text
  handed_over_at timestamp with time zone not null default now()
  finished_at timestamp with time zone
$$);
SELECT pg_temp.keys_are('action_deliveries', $$
  action_deliveries_pkey PRIMARY KEY (tenant_id, action_id)
  action_deliveries_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  action_deliveries_tenant_id_action_id_fkey FOREIGN KEY (tenant_id, action_id) REFERENCES stratum.fact_actions_queue(tenant_id, id) ON DELETE CASCADE
$$);

-- ---- tenant_platform_connections
SELECT pg_temp.columns_are('tenant_platform_connections', $$
  id integer not null default nextval('stratum.tenant_platform_connections_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  platform stratum.ad_platform not null
  access_token text
  refresh_token text
  token_expires_at timestamp with time zone
  is_connected boolean default false
  last_verified_at timestamp with time zone
  connection_error text
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('tenant_platform_connections', $$
  tenant_platform_connections_pkey PRIMARY KEY (id)
  tenant_platform_connections_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  tenant_platform_connections_tenant_id_platform_key UNIQUE (tenant_id, platform)
$$);

-- ---- campaign_drafts
SELECT pg_temp.columns_are('campaign_drafts', $$
  id integer not null default nextval('stratum.campaign_drafts_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  created_by_id integer
  name character varying(500) not null
  platforms jsonb not null
  data jsonb not null
  status character varying(50) default 'draft'::character varying
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
$$);
SELECT pg_temp.keys_are('campaign_drafts', $$
  campaign_drafts_pkey PRIMARY KEY (id)
  campaign_drafts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  campaign_drafts_tenant_id_created_by_id_fkey FOREIGN KEY (tenant_id, created_by_id) REFERENCES stratum.users(tenant_id, id)
$$);

-- ---- rules
SELECT pg_temp.columns_are('rules', $$
  id integer not null default nextval('stratum.rules_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  name character varying(255) not null
  description text
  conditions jsonb not null
  actions jsonb not null
  schedule character varying(50)
  status stratum.rule_status default 'draft'::stratum.rule_status
  is_enabled boolean default true
  executions_count integer default 0
  last_executed_at timestamp with time zone
  last_execution_result jsonb
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
  is_deleted boolean default false
$$);
SELECT pg_temp.keys_are('rules', $$
  rules_pkey PRIMARY KEY (id)
  rules_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
$$);

SELECT * FROM finish();
ROLLBACK;
