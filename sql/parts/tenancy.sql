-- The tenant context: whom the transaction acts for. Row security reads it.

CREATE FUNCTION stratum.enter(
    tenant_id bigint,
    user_id bigint DEFAULT NULL,
    request_id text DEFAULT NULL,
    ip_address inet DEFAULT NULL,
    user_agent text DEFAULT NULL)
  RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'stratum_enter';
COMMENT ON FUNCTION stratum.enter(bigint, bigint, text, inet, text) IS
  'The rest of the transaction acts for this tenant, as this user; both are looked up. The request id, address and user agent go into the audit trail.';

CREATE FUNCTION stratum.leave() RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_leave';
COMMENT ON FUNCTION stratum.leave() IS
  'The rest of the transaction acts for no tenant: no rows, no writes.';

CREATE FUNCTION stratum.current_tenant_id() RETURNS integer
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_current_tenant_id';
COMMENT ON FUNCTION stratum.current_tenant_id() IS
  'Tenant that the transaction acts for; NULL without a context. Row security compares with it.';

CREATE FUNCTION stratum._acting_tenant() RETURNS bigint
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_acting_tenant';
COMMENT ON FUNCTION stratum._acting_tenant() IS 'The current tenant; raises where there is none; internal.';

CREATE FUNCTION stratum.current_user_id() RETURNS integer
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_current_user_id';
COMMENT ON FUNCTION stratum.current_user_id() IS
  'User that the transaction acts for; NULL where enter() was given none.';

CREATE FUNCTION stratum._current_user_id() RETURNS bigint
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_current_user_key';
COMMENT ON FUNCTION stratum._current_user_id() IS
  'current_user_id() whatever widen_ids() has let in; internal.';

CREATE FUNCTION stratum.current_request_id() RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_current_request_id';
COMMENT ON FUNCTION stratum.current_request_id() IS
  'Request id given to enter(); NULL where it was given none.';
