-- Tenants, users and campaigns: every column, key and documented index.
\ir helpers.psql
SELECT plan(108);

-- ---- tenants
SELECT pg_temp.columns_are('tenants', $$
  id integer not null default nextval('stratum.tenants_id_seq'::regclass)
  name character varying(255) not null
  slug character varying(100) not null
  domain character varying(255)
  plan character varying(50) default 'free'::character varying
  plan_expires_at timestamp with time zone
  stripe_customer_id character varying(255)
  settings jsonb default '{}'::jsonb
  feature_flags jsonb default '{}'::jsonb
  max_users integer default 5
  max_campaigns integer default 50
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
  is_deleted boolean default false
  deleted_at timestamp with time zone
$$);
SELECT pg_temp.keys_are('tenants', $$
  tenants_pkey PRIMARY KEY (id)
  tenants_slug_key UNIQUE (slug)
$$);
SELECT pg_temp.has_indexes('tenants', $$
  ix_tenants_slug btree (slug)
  ix_tenants_active btree (is_deleted, plan)
$$);

-- ---- users
SELECT pg_temp.columns_are('users', $$
  id integer not null default nextval('stratum.users_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  email character varying(255) not null
  email_hash character varying(64) not null
  password_hash character varying(255) not null
  full_name character varying(255)
  phone character varying(100)
  avatar_url character varying(500)
  role stratum.user_role default 'analyst'::stratum.user_role
  permissions jsonb default '{}'::jsonb
  is_active boolean default true
  is_verified boolean default false
  is_protected boolean default false
  last_login_at timestamp with time zone
  totp_secret character varying(255)
  totp_enabled boolean default false
  totp_verified_at timestamp with time zone
  backup_codes jsonb
  failed_totp_attempts integer default 0
  totp_lockout_until timestamp with time zone
  locale character varying(10) default 'en'::character varying
  timezone character varying(50) default 'UTC'::character varying
  preferences jsonb default '{}'::jsonb
  consent_marketing boolean default false
  consent_analytics boolean default true
  gdpr_anonymized_at timestamp with time zone
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
  is_deleted boolean default false
  deleted_at timestamp with time zone
$$);
SELECT pg_temp.keys_are('users', $$
  users_pkey PRIMARY KEY (id)
  users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  users_tenant_id_email_hash_key UNIQUE (tenant_id, email_hash)
  users_tenant_id_id_key UNIQUE (tenant_id, id)
$$);
SELECT pg_temp.has_indexes('users', $$
  ix_users_email_hash btree (email_hash)
  ix_users_tenant_active btree (tenant_id, is_active, is_deleted)
$$);
SELECT ok(EXISTS (SELECT FROM pg_temp.actual_indexes('users')
                  WHERE definition = 'UNIQUE btree (email_hash) WHERE (tenant_id IS NULL)'),
          'one platform user an address: unique index on users (email_hash) where tenant_id is null');

-- ---- campaigns
SELECT pg_temp.columns_are('campaigns', $$
  id integer not null default nextval('stratum.campaigns_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  platform stratum.ad_platform not null
  external_id character varying(255) not null
  account_id character varying(255) not null
  name character varying(500) not null
  status stratum.campaign_status default 'draft'::stratum.campaign_status
  objective character varying(100)
  daily_budget_cents integer
  lifetime_budget_cents integer
  total_spend_cents integer default 0
  currency character varying(3) default 'USD'::character varying
  impressions integer default 0
  clicks integer default 0
  conversions integer default 0
  revenue_cents integer default 0
  ctr double precision
  cpc_cents integer
  cpm_cents integer
  cpa_cents integer
  roas double precision
  targeting_age_min integer
  targeting_age_max integer
  targeting_genders jsonb
  targeting_locations jsonb
  targeting_interests jsonb
  demographics_age jsonb
  demographics_gender jsonb
  demographics_location jsonb
  start_date date
  end_date date
  labels jsonb default '[]'::jsonb
  raw_data jsonb
  last_synced_at timestamp with time zone
  sync_error text
  created_at timestamp with time zone default now()
  updated_at timestamp with time zone default now()
  is_deleted boolean default false
$$);
SELECT pg_temp.keys_are('campaigns', $$
  campaigns_pkey PRIMARY KEY (id)
  campaigns_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  campaigns_tenant_id_platform_external_id_key UNIQUE (tenant_id, platform, external_id)
$$);
SELECT pg_temp.has_indexes('campaigns', $$
  ix_campaigns_tenant_status btree (tenant_id, status)
  ix_campaigns_platform btree (tenant_id, platform)
  ix_campaigns_date_range btree (tenant_id, start_date, end_date)
  ix_campaigns_roas btree (tenant_id, roas)
  ix_campaigns_active btree (tenant_id, created_at) WHERE ((status = 'active'::stratum.campaign_status) AND (is_deleted = false))
$$);

SELECT * FROM finish();
ROLLBACK;
