-- What the role of a user allows.

CREATE FUNCTION stratum.refuse_viewer() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_refuse_viewer';
COMMENT ON FUNCTION stratum.refuse_viewer() IS
  'BEFORE statement trigger: refuses every write while a viewer is entered. For tables of your own, too.';

CREATE FUNCTION stratum._guard_protected_user() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_guard_protected_user';
COMMENT ON FUNCTION stratum._guard_protected_user() IS
  'AFTER row trigger of users, for protected ones: only administrators delete them or change their role and state.';

CREATE FUNCTION stratum._role_permissions(role text) RETURNS text[]
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE role
    WHEN 'superadmin' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read,connections.manage,users.manage,tenant.manage,platform.manage}'
    WHEN 'admin' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read,connections.manage,users.manage,tenant.manage}'
    WHEN 'manager' THEN '{read,export,segments.write,campaigns.write,rules.write,actions.approve,audit.read}'
    WHEN 'analyst' THEN '{read,export,segments.write}'
    WHEN 'viewer' THEN '{read}'
    ELSE '{}'
  END::text[];
$$;
COMMENT ON FUNCTION stratum._role_permissions(text) IS
  'What each role may; internal to user_can().';

-- A definer, because the row of a platform user is invisible to the tenant in which it acts.
CREATE FUNCTION stratum.user_can(permission text) RETURNS boolean
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  acting record;
  own jsonb;
BEGIN
  IF permission IS NULL THEN
    RAISE EXCEPTION 'permission must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT u.role::text AS role, u.permissions, u.tenant_id IS NULL AS of_platform INTO acting
  FROM stratum.users u
  WHERE u.id = stratum._current_user_id() AND (u.tenant_id = stratum.current_tenant_id() OR u.tenant_id IS NULL)
    AND u.is_active AND u.is_deleted IS NOT TRUE;
  -- Tenants write the roles and permissions of their own users: nothing there makes one the platform's.
  IF NOT found OR (permission LIKE 'platform.%' AND NOT acting.of_platform) THEN
    RETURN false;
  END IF;
  own := acting.permissions -> permission;
  IF jsonb_typeof(acting.permissions) = 'object' AND jsonb_typeof(own) = 'boolean' THEN
    RETURN own::boolean;
  END IF;
  RETURN permission = ANY (stratum._role_permissions(acting.role));
END $$;
COMMENT ON FUNCTION stratum.user_can(text) IS
  'Whether the current user may: what its permissions say, else its role; false without a user.';
