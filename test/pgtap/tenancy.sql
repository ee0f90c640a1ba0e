-- What every table of the schema has in common: tenant default, row security, indexes, comments.
\ir helpers.psql
SELECT plan(22);

CREATE TEMP TABLE tenant_table (name text PRIMARY KEY);
INSERT INTO tenant_table VALUES
  ('users'), ('campaigns'), ('cdp_profiles'), ('cdp_events'), ('cdp_segments'), ('cdp_audience_syncs'),
  ('cdp_segment_memberships'), ('cdp_segment_options'), ('cdp_segment_history'), ('cdp_profile_aliases'), ('cdp_audience_uploads'), ('fact_signal_health_daily'), ('fact_actions_queue'),
  ('action_deliveries'),
  ('tenant_platform_connections'), ('campaign_drafts'), ('rules'), ('audit_logs');

SELECT is_empty($$
  SELECT t.name FROM tenant_table t WHERE pg_temp.relation(t.name) IS NULL
  UNION ALL SELECT 'tenants' WHERE pg_temp.relation('tenants') IS NULL
$$, 'all documented tables exist in schema stratum');
SELECT is_empty($$
  SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = to_regnamespace('stratum') AND c.relkind IN ('r', 'p')
    AND c.relname NOT IN (SELECT name FROM tenant_table UNION SELECT 'tenants' UNION SELECT 'audited_tables' UNION SELECT 'jwt_keys'
                          UNION SELECT 'audit_chains' UNION SELECT 'audit_seals' UNION SELECT 'audit_keys')
$$, 'there is no other table but audited_tables, where audit_table() remembers the user''s own, the seals and the keys');

-- ---- tenant_id
SELECT is_empty($$
  SELECT t.name FROM tenant_table t
  WHERE NOT EXISTS (SELECT FROM pg_temp.actual_columns(t.name) c
                    WHERE c.name = 'tenant_id' AND c.definition LIKE '%default stratum.current_tenant_id()')
$$, 'every tenant_id defaults to stratum.current_tenant_id()');
SELECT is_empty($$
  SELECT t.name FROM tenant_table t
  WHERE NOT EXISTS (SELECT FROM pg_temp.actual_keys(t.name) k
                    WHERE k.definition = 'FOREIGN KEY (tenant_id) REFERENCES stratum.tenants(id)')
$$, 'every tenant table refers to tenants');
SELECT is_empty($$
  SELECT conrelid::regclass, conname FROM pg_constraint
  WHERE connamespace = 'stratum'::regnamespace AND contype = 'f' AND confrelid <> 'stratum.tenants'::regclass
    AND conname <> 'audit_logs_user_id_fkey'
    AND conrelid IN (SELECT pg_temp.relation(name) FROM tenant_table)
    AND (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) <> 'tenant_id'
$$, 'references between tenant tables are composite, led by tenant_id');
SELECT is_empty($$
  SELECT conname FROM pg_constraint
  WHERE connamespace = 'stratum'::regnamespace AND contype IN ('p', 'u', 'f') AND (condeferrable OR NOT convalidated)
$$, 'no key is deferrable (ON CONFLICT) or not validated');

-- ---- indexes
SELECT is_empty($$
  SELECT t.name FROM tenant_table t
  WHERE NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = pg_temp.relation(t.name) AND i.indisvalid AND i.indpred IS NULL AND a.attname = 'tenant_id')
$$, 'every tenant table has a whole index led by tenant_id');
SELECT is_empty($$
  SELECT k.conname FROM pg_constraint k
  WHERE k.connamespace = 'stratum'::regnamespace AND k.contype = 'f'
    AND NOT EXISTS (
      SELECT FROM pg_index i
      WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
        AND (i.indkey[0] = k.conkey[array_length(k.conkey, 1)]
             OR (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey))
$$, 'every reference has an index led by the referring column or covering all of them');
SELECT is_empty($$
  SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  WHERE c.relnamespace = 'stratum'::regnamespace AND NOT (i.indisvalid AND i.indisready AND i.indislive)
$$, 'every index is valid');

-- ---- ids
SELECT is_empty($$
  SELECT t FROM (SELECT name FROM tenant_table WHERE name NOT IN ('cdp_segment_memberships', 'cdp_segment_options', 'cdp_profile_aliases', 'cdp_audience_uploads', 'action_deliveries') UNION ALL SELECT 'tenants') AS x (t)
  WHERE pg_get_serial_sequence('stratum.' || t, 'id') IS DISTINCT FROM 'stratum.' || t || '_id_seq'
$$, 'every id is a serial that owns its sequence');

-- ---- row security
SELECT is_empty($$
  SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
$$, 'row security is enabled and forced on every table');
SELECT is_empty($$
  SELECT t.name FROM tenant_table t
  WHERE NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = pg_temp.relation(t.name) AND p.polpermissive AND p.polroles = '{0}'
      AND pg_get_expr(p.polqual, p.polrelid) = '(tenant_id = stratum.current_tenant_id())')
$$, 'every tenant table has the tenant policy, for everyone');
SELECT is_empty($$
  SELECT c.relname FROM pg_class c
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relname IN (SELECT name FROM tenant_table UNION SELECT 'tenants')
    AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
                      AND p.polroles @> ARRAY[to_regrole('stratum_admin')::oid])
$$, 'every table has a policy for stratum_admin');
SELECT is_empty($$
  SELECT c.relname, a.privilege_type FROM pg_class c
  CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
  WHERE c.relnamespace = 'stratum'::regnamespace AND a.grantee = 0
$$, 'PUBLIC has nothing on any table or sequence');

-- ---- storage is let go, logic is a member
SELECT is_empty($$
  SELECT d.classid::regclass, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'stratum'
    AND d.classid NOT IN ('pg_proc'::regclass)
$$, 'the extension''s members are functions only');

-- ---- comments
SELECT is_empty($$
  SELECT c.oid::regclass, c.relkind FROM pg_class c
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    AND coalesce(length(obj_description(c.oid, 'pg_class')), 0) < 10
$$, 'every table and view has a comment');
SELECT is_empty($$
  SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    AND a.attnum > 0 AND NOT a.attisdropped
    AND coalesce(length(col_description(a.attrelid, a.attnum)), 0) < 3
$$, 'every column has a comment');
SELECT is_empty($$
  SELECT p.oid::regprocedure FROM pg_proc p
  WHERE p.pronamespace = 'stratum'::regnamespace
    AND coalesce(length(obj_description(p.oid, 'pg_proc')), 0) < 10
$$, 'every function has a comment');
SELECT is_empty($$
  SELECT t.oid::regtype FROM pg_type t
  WHERE t.typnamespace = 'stratum'::regnamespace AND t.typtype IN ('e', 'd')
    AND coalesce(length(obj_description(t.oid, 'pg_type')), 0) < 10
$$, 'every type has a comment');
SELECT is_empty($$
  SELECT t.tgrelid::regclass, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'stratum'::regnamespace AND NOT t.tgisinternal
    AND coalesce(length(obj_description(t.oid, 'pg_trigger')), 0) < 10
  UNION ALL
  SELECT p.polrelid::regclass, p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  WHERE c.relnamespace = 'stratum'::regnamespace
    AND coalesce(length(obj_description(p.oid, 'pg_policy')), 0) < 10
$$, 'every trigger and policy has a comment');
SELECT is_empty($$
  SELECT c.oid::regclass, c.relkind FROM pg_class c
  WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('i', 'I', 'S')
    AND coalesce(length(obj_description(c.oid, 'pg_class')), 0) < 3
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'a' AND c.relkind = 'S')
$$, 'every index has a comment (those of keys and the sequences of ids are named by them)');
SELECT is_empty($$
  SELECT r FROM unnest(ARRAY['stratum_app', 'stratum_auditor', 'stratum_auth', 'stratum_admin']) AS r
  WHERE to_regrole(r) IS NULL OR coalesce(length(shobj_description(to_regrole(r), 'pg_authid')), 0) < 10
  UNION ALL SELECT 'schema stratum' WHERE obj_description(to_regnamespace('stratum'), 'pg_namespace') IS NULL
$$, 'the schema and the four roles have a comment');

SELECT * FROM finish();
ROLLBACK;
