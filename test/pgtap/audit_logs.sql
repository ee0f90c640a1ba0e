-- The audit log's table, its seals, and the one that remembers which of the user's own tables are audited.
\ir helpers.psql
SELECT plan(66);

SELECT pg_temp.columns_are('audit_logs', $$
  id integer not null default nextval('stratum.audit_logs_id_seq'::regclass)
  tenant_id integer default stratum.current_tenant_id()
  user_id integer
  action stratum.audit_action not null
  resource_type character varying(100) not null
  resource_id character varying(255)
  old_values jsonb
  new_values jsonb
  metadata jsonb default '{}'::jsonb
  ip_address inet
  user_agent text
  request_id character varying(100)
  created_at timestamp with time zone default now()
$$);
-- user_id stays single-column: platform users, who have no tenant, act in tenants too
SELECT pg_temp.keys_are('audit_logs', $$
  audit_logs_pkey PRIMARY KEY (id)
  audit_logs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  audit_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES stratum.users(id)
$$);
SELECT pg_temp.has_indexes('audit_logs', $$
  ix_audit_logs_tenant btree (tenant_id)
  ix_audit_logs_user btree (user_id)
  ix_audit_logs_resource btree (resource_type, resource_id)
  ix_audit_logs_created btree (created_at)
  ix_audit_logs_request btree (request_id) WHERE (request_id IS NOT NULL)
$$);
SELECT is(relpersistence, 'p'::"char", 'the log is a logged table')
FROM pg_class WHERE oid = pg_temp.relation('audit_logs');
SELECT is(count(*), 0::bigint, 'the log is not a partition and has no children')
FROM pg_inherits WHERE pg_temp.relation('audit_logs') IN (inhrelid, inhparent);

-- ---- audited_tables
SELECT pg_temp.columns_are('audited_tables', $$
  table_name text not null
  redact text[] not null default '{}'::text[]
  ignore text[] not null default '{}'::text[]
  operations text not null default 'insert,update,delete,truncate'::text
$$);
SELECT pg_temp.keys_are('audited_tables', $$
  audited_tables_pkey PRIMARY KEY (table_name)
$$);

-- ---- audit_chains, audit_seals
SELECT pg_temp.columns_are('audit_chains', $$
  id integer not null default nextval('stratum.audit_chains_id_seq'::regclass)
  tenant_id integer
  last_number bigint not null default 0
  last_digest bytea not null default decode(repeat('00'::text, 32), 'hex'::text)
  settled_id bigint not null default 0
  drawn_id bigint
  drawn_xid bigint
  place text
$$);
SELECT pg_temp.keys_are('audit_chains', $$
  audit_chains_pkey PRIMARY KEY (id)
  audit_chains_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  audit_chains_tenant_id_key UNIQUE NULLS NOT DISTINCT (tenant_id)
$$);
SELECT pg_temp.columns_are('audit_seals', $$
  id bigint not null default nextval('stratum.audit_seals_id_seq'::regclass)
  tenant_id integer
  number bigint not null
  sealed_at timestamp with time zone not null
  settled_id bigint not null
  row_count bigint not null
  last_id bigint not null
  newest_at timestamp with time zone not null
  previous bytea not null
  content bytea not null
  digest bytea not null
  log_ids bigint[]
  logged_at timestamp with time zone[]
  digests bytea
  salts bytea
$$);
SELECT pg_temp.keys_are('audit_seals', $$
  audit_seals_pkey PRIMARY KEY (id)
  audit_seals_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)
  audit_seals_tenant_id_number_key UNIQUE NULLS NOT DISTINCT (tenant_id, number)
$$);
SELECT pg_temp.has_indexes('audit_seals', $$
  ix_audit_seals_last_id btree (tenant_id, last_id)
$$);

SELECT * FROM finish();
ROLLBACK;
