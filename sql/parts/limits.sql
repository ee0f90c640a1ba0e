-- How many users and campaigns a tenant may have.

CREATE FUNCTION stratum._limit_rows() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'stratum_limit_rows';
COMMENT ON FUNCTION stratum._limit_rows() IS
  'AFTER trigger that counts the rows of the tenant that is entered when a statement has added or restored some; the argument is a column of stratum.tenants.';

CREATE FUNCTION stratum._limit_table(table_name text, column_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass := format('stratum.%I', table_name)::regclass;
  action text := format('EXECUTE FUNCTION stratum._limit_rows(%L)', column_name);
BEGIN
  PERFORM stratum._put_trigger(
    relation, 'zz_stratum_limit_insert',
    'AFTER INSERT ON %s REFERENCING NEW TABLE AS added FOR EACH STATEMENT ' || action,
    format('A tenant has no more rows than its %s.', column_name));
  PERFORM stratum._put_trigger(
    relation, 'zz_stratum_limit_update',
    'AFTER UPDATE ON %s FOR EACH STATEMENT ' || action,
    format('A tenant has no more rows than its %s, restored ones included.', column_name));
END $$;
COMMENT ON FUNCTION stratum._limit_table(text, text) IS
  'Puts the triggers on a table that hold its rows below a limit of the tenant; internal to install().';

CREATE FUNCTION stratum.tenant_limits()
  RETURNS TABLE (plan text, plan_expires_at timestamptz, plan_expired boolean,
                 users bigint, max_users integer, campaigns bigint, max_campaigns integer)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT t.plan::text, t.plan_expires_at, coalesce(t.plan_expires_at <= now(), false),
           (SELECT count(*) FROM stratum.users u WHERE u.tenant_id = t.id AND u.is_deleted IS NOT TRUE), t.max_users,
           (SELECT count(*) FROM stratum.campaigns c WHERE c.tenant_id = t.id AND c.is_deleted IS NOT TRUE), t.max_campaigns
    FROM stratum.tenants t WHERE t.id = stratum.current_tenant_id();
END $$;
COMMENT ON FUNCTION stratum.tenant_limits() IS
  'Plan of the current tenant, whether it has expired, and how many users and campaigns there are and may be (NULL: no limit).';
