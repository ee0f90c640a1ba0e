-- The session lock: a tenant for a whole session, for poolers and for sessions that run SQL of others.

CREATE FUNCTION stratum.enter_session(tenant_id bigint, user_id bigint, token text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'stratum_enter_session';
COMMENT ON FUNCTION stratum.enter_session(bigint, bigint, text) IS
  'The session acts for this tenant and user until leave_session() is shown the token again. DISCARD ALL and RESET ALL close it: nobody is entered until the token opens it.';

CREATE FUNCTION stratum.leave_session(token text) RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_leave_session';
COMMENT ON FUNCTION stratum.leave_session(text) IS
  'Ends the session lock that was made with this token.';
