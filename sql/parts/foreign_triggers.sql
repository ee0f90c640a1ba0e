-- Functions of others that would run with a superuser's rights when stratum's own functions change rows, by triggers and by tables that follow. Whoever
-- may refer to our tables, or put triggers on them, can make such. security_check() reports them, delete_tenant() refuses.

-- Tables in which rows change when those of our tables do: our own; partitions and children; and those that refer to them and follow, by CASCADE,
-- SET NULL or SET DEFAULT, however far.
CREATE FUNCTION stratum._tables_that_follow() RETURNS TABLE (oid oid, is_ours boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE reached AS (
    SELECT c.oid, true AS is_ours
    FROM pg_class c WHERE c.relnamespace = to_regnamespace('stratum') AND c.relkind IN ('r', 'p')
    UNION
    SELECT n.oid, n.is_ours
    FROM reached r CROSS JOIN LATERAL (
      -- a reference changes no children of the table that has it, but its partitions
      SELECT i.inhrelid AS oid, r.is_ours
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = r.oid AND (r.is_ours OR c.relispartition)
      UNION ALL
      SELECT k.conrelid, false
      FROM pg_constraint k
      WHERE k.contype = 'f' AND k.confrelid = r.oid AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))) n
  )
  SELECT r.oid, bool_or(r.is_ours) FROM reached r GROUP BY r.oid;
$$;
COMMENT ON FUNCTION stratum._tables_that_follow() IS
  'Our tables, and those of others whose rows are deleted or changed with ours; internal to _foreign_triggers().';

-- Whether the WHEN of a trigger can run what is not to run as a superuser: functions and types of others; volatile functions; and those that are
-- stable because what they do depends on the types they are given (casts to json, input and output), or that make xml of tables.
CREATE FUNCTION stratum._is_foreign_condition(trigger_id oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
           SELECT FROM pg_trigger g
             CROSS JOIN LATERAL regexp_matches(g.tgqual::text, ':(?:op)?funcid (\d+)', 'g') m (called)
             JOIN pg_proc p ON p.oid = m.called[1]::oid
             JOIN pg_roles o ON o.oid = p.proowner
           WHERE g.oid = trigger_id
             AND (NOT o.rolsuper OR p.provolatile = 'v'
                  OR p.provolatile = 's' AND (p.prorettype = 'xml'::regtype
                                              OR EXISTS (SELECT FROM pg_type a WHERE a.oid = ANY (p.proargtypes) AND a.typtype = 'p'))))
      OR EXISTS (
           SELECT FROM pg_depend d
             JOIN pg_type t ON t.oid = d.refobjid
             JOIN pg_roles o ON o.oid = t.typowner
           WHERE d.classid = 'pg_trigger'::regclass AND d.objid = trigger_id AND d.refclassid = 'pg_type'::regclass AND NOT o.rolsuper);
$$;
COMMENT ON FUNCTION stratum._is_foreign_condition(oid) IS
  'Whether the condition of a trigger can run what is not to run as a superuser; internal to _foreign_triggers().';

-- What PostgreSQL runs for a reference it runs as the owner of the table that refers. So on a superuser's table every trigger counts that can fire;
-- and before 18 no table of anybody else may follow: AFTER triggers, its own and of whatever its BEFORE triggers and rules write into, wait until
-- that is over, and run as whoever changed our row. From 18 on a trigger remembers as whom it is to run.
CREATE FUNCTION stratum._foreign_triggers(version_num integer) RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('trigger %I on %s', g.tgname, t.oid::regclass),
         CASE WHEN o.rolsuper THEN 'has a condition that runs with the rights of a superuser when stratum changes rows'
              ELSE format('runs function %s of %I with the rights of a superuser when stratum changes rows', g.tgfoid::regprocedure, o.rolname) END,
         format('ALTER TABLE %s DISABLE TRIGGER %I;', t.oid::regclass, g.tgname)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles w ON w.oid = c.relowner
    JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
    JOIN pg_proc p ON p.oid = g.tgfoid
    JOIN pg_roles o ON o.oid = p.proowner
  WHERE (NOT o.rolsuper OR g.tgqual IS NOT NULL AND stratum._is_foreign_condition(g.oid))
    -- 8: DELETE, 16: UPDATE
    AND (t.is_ours OR w.rolsuper AND g.tgtype & (8 | 16) <> 0)
    -- that of a partition comes and goes with that of the partitioned table, unless only the latter is disabled
    AND NOT EXISTS (SELECT FROM pg_trigger above WHERE above.oid = g.tgparentid AND above.tgenabled <> 'D')
  UNION ALL
  SELECT format('constraint %I on %s', k.conname, k.conrelid::regclass),
         format('lets the table follow, by CASCADE, SET NULL or SET DEFAULT: its owner %I can run functions with the rights of a superuser when stratum changes rows', o.rolname),
         CASE WHEN whole.oid IS NULL THEN format('ALTER TABLE %s DROP CONSTRAINT %I;', k.conrelid::regclass, k.conname)
              ELSE format('ALTER TABLE %s DETACH PARTITION %s;', whole.conrelid::regclass, k.conrelid::regclass) END
  FROM stratum._tables_that_follow() t
    JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = t.oid AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_roles o ON o.oid = c.relowner AND NOT o.rolsuper
    LEFT JOIN pg_constraint whole ON whole.oid = k.conparentid
    LEFT JOIN pg_class above ON above.oid = whole.conrelid
  WHERE version_num < 180000
    -- one partition of somebody else's is the matter only where the partitioned table is not
    AND (whole.oid IS NULL OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = above.relowner AND r.rolsuper))
    -- nor the rows that PostgreSQL has for each partition of a table that is referred to
    AND k.conrelid IS DISTINCT FROM whole.conrelid;
$$;
COMMENT ON FUNCTION stratum._foreign_triggers(integer) IS
  'Triggers of roles that are no superusers, and tables of such roles that follow ours, where a server of this version runs functions as a superuser when stratum changes rows; internal to security_check() and delete_tenant().';

-- Who can make such: a trigger on a superuser's table that is ours or follows, or a reference to it. PostgreSQL compares keys as the owner of the
-- table that is referred to, with casts that may be those of a type of whoever refers to it.
CREATE FUNCTION stratum._check_foreign_triggers() RETURNS TABLE (severity text, object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT 'error', f.object, f.problem, f.remedy FROM stratum._foreign_triggers(current_setting('server_version_num')::integer) f
  UNION
  SELECT 'error', 'table ' || c.oid::regclass,
         format('%s has %s on it, and so can run functions with the rights of a superuser', w.who, a.privilege_type),
         format('REVOKE %s ON %s FROM %s CASCADE;', a.privilege_type, c.oid::regclass, w.who)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles owner ON owner.oid = c.relowner AND owner.rolsuper
    CROSS JOIN LATERAL (SELECT c.relacl AS acl UNION ALL
                        SELECT x.attacl FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attacl IS NOT NULL) r
    CROSS JOIN LATERAL aclexplode(r.acl) a
    LEFT JOIN pg_roles o ON o.oid = a.grantee
    CROSS JOIN LATERAL (SELECT coalesce(quote_ident(o.rolname), 'PUBLIC') AS who) w
  WHERE a.privilege_type IN ('REFERENCES', 'TRIGGER') AND a.grantee <> c.relowner AND NOT coalesce(o.rolsuper, false)
  UNION
  SELECT 'error', format('constraint %I on %s', k.conname, k.conrelid::regclass),
         format('has keys of type %s of %I, whose casts run with the rights of a superuser when rows are written', format_type(y.oid, NULL), o.rolname),
         format('ALTER TABLE %s DROP CONSTRAINT %I;', k.conrelid::regclass, k.conname)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles owner ON owner.oid = c.relowner AND owner.rolsuper
    JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = t.oid AND k.conparentid = 0
    JOIN pg_attribute x ON x.attrelid = k.conrelid AND x.attnum = ANY (k.conkey)
    JOIN pg_type y ON y.oid = x.atttypid
    JOIN pg_roles o ON o.oid = y.typowner AND NOT o.rolsuper;
$$;
COMMENT ON FUNCTION stratum._check_foreign_triggers() IS
  'Triggers of others that run as a superuser, tables that follow, and the rights to make such; internal to security_check().';

-- Whoever makes a trigger, a rule or a reference waits for the tables that are locked here; what was made in the meantime is looked at again.
CREATE FUNCTION stratum._refuse_foreign_triggers(tenant bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
  locked oid[] := '{}';
  following oid[];
  next oid;
  foreign_trigger record;
BEGIN
  LOOP
    following := ARRAY(SELECT t.oid FROM stratum._tables_that_follow() t JOIN pg_class c ON c.oid = t.oid
                       WHERE c.relkind IN ('r', 'p') AND t.oid <> ALL (locked) ORDER BY NOT t.is_ours, t.oid);
    EXIT WHEN following = '{}';
    FOREACH next IN ARRAY following LOOP
      EXECUTE format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', next::regclass);
    END LOOP;
    locked := locked || following;
  END LOOP;
  SELECT f.object, f.problem INTO foreign_trigger FROM stratum._foreign_triggers(current_setting('server_version_num')::integer) f ORDER BY f.object COLLATE "C" LIMIT 1;
  IF found THEN
    RAISE EXCEPTION 'tenant % cannot be deleted: % %', tenant, foreign_trigger.object, foreign_trigger.problem
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'stratum.security_check() lists all such, each with a remedy.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_foreign_triggers(bigint) IS
  'Locks the tables whose rows follow ours and raises if functions of others would run there as a superuser; internal to delete_tenant().';
