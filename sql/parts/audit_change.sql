-- How retention, erasure and offboarding get past the guard of the audit trail: see src/audit_change.c. Nobody has a right to these.

CREATE FUNCTION stratum._open_audit_log() RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_open_audit_log';
COMMENT ON FUNCTION stratum._open_audit_log() IS
  'Lets the next UPDATE or DELETE of audit_logs in this transaction through; internal.';

CREATE FUNCTION stratum._pause_audit(table_name regclass) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_pause_audit';
COMMENT ON FUNCTION stratum._pause_audit(regclass) IS
  'Changes of the table are not recorded for the rest of the transaction, or until it is called with NULL; internal.';

CREATE FUNCTION stratum._pause_tenant_audit(tenant bigint) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'stratum_pause_tenant_audit';
COMMENT ON FUNCTION stratum._pause_tenant_audit(bigint) IS
  'Changes of the tenant''s rows are not recorded for the rest of the transaction, or until it is called with NULL; internal.';

CREATE FUNCTION stratum._log_record(tenant bigint, action text, resource_type text, resource_id text, metadata jsonb) RETURNS bigint
  LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_log_record';
COMMENT ON FUNCTION stratum._log_record(bigint, text, text, text, jsonb) IS
  'An entry in the chain of a tenant, NULL for the rows without one, past the guard; internal.';
