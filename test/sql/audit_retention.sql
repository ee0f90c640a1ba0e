-- purge_audit(), purge_all_audit(): what is left still verifies.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7651, 'Retention East', 'retention-east'), (7652, 'Retention West', 'retention-west');
CREATE ROLE regress_retention_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_retention_admin LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_retention_auditor LOGIN IN ROLE stratum_auditor;
-- Rows of years past, as a load of old entries brings them, before anything is sealed: 3,000 of 2020, 500 of 2022, mixed at the border.
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, resource_id, new_values, created_at)
  SELECT 7651, 'create', 'rules', n::text, jsonb_build_object('n', n), CASE WHEN n > 3250 OR n % 2 = 0 AND n > 2750 THEN '2022-01-01'::timestamptz ELSE '2020-01-01' END + n * interval '1 minute'
  FROM generate_series(1, 3500) n;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, created_at) SELECT 7652, 'login', 'session', '2020-06-01' FROM generate_series(1, 20);
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, created_at) SELECT NULL, 'login', 'session', '2020-06-01' FROM generate_series(1, 5);
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
SELECT count(*) AS old, count(*) FILTER (WHERE created_at < '2021-01-01') AS of_2020 FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = 'rules';
SELECT stratum.seal_audit(7651) >= 3500 AS sealed;
SELECT digest AS early FROM stratum.audit_head(7651) \gset
-- who may, and when
SET ROLE regress_retention_app;
BEGIN; SELECT stratum.enter(7651); SELECT stratum.purge_audit('2021-01-01'); ROLLBACK;
SET ROLE regress_retention_auditor;
SELECT stratum.purge_audit('2021-01-01');
CALL stratum.purge_all_audit('2021-01-01');
SET ROLE regress_retention_admin;
SELECT stratum.purge_audit('2021-01-01');
BEGIN;
SELECT stratum.enter(7651);
SAVEPOINT a;
\set VERBOSITY default
SET LOCAL DateStyle = 'ISO';
SELECT stratum.purge_audit('2999-01-01 00:00+00' AT TIME ZONE 'UTC'); ROLLBACK TO a;
\set VERBOSITY terse
SELECT stratum.purge_audit('infinity'); ROLLBACK TO a;
SELECT stratum.purge_audit('-infinity'); ROLLBACK TO a;
SELECT stratum.purge_audit(NULL); ROLLBACK TO a;
SELECT stratum.purge_audit('2021-01-01');
SELECT stratum.purge_audit('2021-01-01') AS again, stratum.purge_audit('2020-07-01') AS earlier;
COMMIT;
RESET ROLE;
SELECT count(*), count(*) FILTER (WHERE created_at < '2021-01-01') AS old FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = 'rules';
SELECT count(*) AS others FROM stratum.audit_logs WHERE tenant_id IS DISTINCT FROM 7651 AND created_at < '2021-01-01';
SELECT action, resource_type, resource_id, metadata - '{before,by}'::text[] AS metadata FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = 'audit_logs';
SELECT number, row_count, log_ids IS NOT NULL AS has_rows, digests IS NOT NULL AS has_digests FROM stratum.audit_seals WHERE tenant_id = 7651 ORDER BY number;
SELECT * FROM stratum.verify_audit(7651);
-- a head of before, too
SELECT * FROM stratum.verify_audit(7651, :'early');
-- what the purge took may be gone, nothing else, and not without its record
CREATE FUNCTION pg_temp.found(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
  SET LOCAL session_replication_role = origin;
  SELECT count(*) || coalesce(': ' || min(v.problem), '') INTO result FROM stratum.verify_audit(7651) v;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
END $$;
SELECT min(id) AS kept FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = 'rules' \gset
SELECT log_ids[2] AS purged FROM stratum.audit_seals WHERE tenant_id = 7651 AND log_ids IS NOT NULL ORDER BY number LIMIT 1 \gset
SELECT s.n, pg_temp.found(replace(replace(s.statement, 'KEPT', :'kept'), 'PURGED', :'purged')) AS found
FROM (VALUES (1, 'DELETE FROM stratum.audit_logs WHERE id = KEPT'),
             (2, 'DELETE FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = ''audit_logs'''),
             (3, 'UPDATE stratum.audit_logs SET metadata = metadata || ''{"before_microseconds": 9e300}'' WHERE tenant_id = 7651 AND resource_type = ''audit_logs'''),
             (4, 'UPDATE stratum.audit_logs SET metadata = metadata || ''{"before_microseconds": "x"}'' WHERE tenant_id = 7651 AND resource_type = ''audit_logs'''),
             (5, 'INSERT INTO stratum.audit_logs (id, tenant_id, action, resource_type, created_at) VALUES (PURGED, 7651, ''create'', ''rules'', ''2020-01-01'')'),
             (6, 'UPDATE stratum.audit_seals SET newest_at = ''2019-01-01'', log_ids = NULL, logged_at = NULL, digests = NULL, salts = NULL WHERE tenant_id = 7651 AND number = 4'),
             (7, 'UPDATE stratum.audit_seals SET content = sha256(content) WHERE tenant_id = 7651 AND number = 1'),
             (8, 'DELETE FROM stratum.audit_seals WHERE tenant_id = 7651 AND number = 1'),
             (9, 'UPDATE stratum.audit_logs SET metadata = metadata || ''{"before_microseconds": -9e300}'' WHERE tenant_id = 7651 AND resource_type = ''audit_logs''')) s (n, statement) ORDER BY s.n;
-- what is written to a record of the library is what counts: others cannot write one
SET ROLE regress_retention_admin;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, metadata) VALUES (7651, 'export', 'audit_logs', '{"before_microseconds": 1e18}');
RESET ROLE;
-- an erasure's record stays while what it names is there: here a row that is later than the record
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email) VALUES (7651, 7651, '00000000-0000-0000-0000-000000007651', 'eve@retention.test');
ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
INSERT INTO stratum.audit_logs (tenant_id, action, resource_type, resource_id, new_values, created_at) VALUES (7651, 'update', 'cdp_profiles', '7651', '{"email": "x"}', now() + interval '1 hour');
ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
BEGIN; SELECT stratum.enter(7651); SELECT stratum.anonymize_profile(7651); COMMIT;
SELECT count(*) AS records FROM stratum.audit_logs WHERE tenant_id = 7651 AND resource_type = 'audit_logs' AND action = 'anonymize';
-- every tenant, and none
SET ROLE regress_retention_admin;
BEGIN; CALL stratum.purge_all_audit('2021-01-01'); ROLLBACK;
CALL stratum.purge_all_audit(NULL);
CALL stratum.purge_all_audit('2021-01-01');
RESET ROLE;
SELECT count(*) AS old FROM stratum.audit_logs WHERE created_at < '2021-01-01';
SELECT t.id, v.* FROM (VALUES (7651), (7652), (NULL)) t (id), stratum.verify_audit(t.id) v;
-- to the end: the record of the purge before goes too
SELECT now() AS moment \gset
BEGIN; SELECT stratum.enter(7651); SELECT stratum.purge_audit(:'moment') > 500 AS purged; COMMIT;
SELECT action, resource_type, metadata ->> 'operation' AS operation FROM stratum.audit_logs WHERE tenant_id = 7651 ORDER BY id;
SELECT count(*) AS seals, count(log_ids) AS with_rows FROM stratum.audit_seals WHERE tenant_id = 7651;
SELECT * FROM stratum.verify_audit(7651);
SELECT * FROM stratum.verify_audit(7651, :'early');
UPDATE stratum.tenants SET domain = 'east.test' WHERE id = 7651;
SELECT stratum.seal_audit(7651);
SELECT * FROM stratum.verify_audit(7651);
DROP ROLE regress_retention_app, regress_retention_admin, regress_retention_auditor;
