-- Triggers and rules of others that would run with a superuser's rights when stratum's own functions change rows. Whoever may refer to
-- our tables, or put triggers on them, can make such. security_check() reports them, delete_tenant() refuses.

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

-- Whether the WHEN of a trigger calls what is not to run as a superuser: functions of others, domains of others, and those of PostgreSQL that can run
-- any SQL or reach beyond the database, which are volatile or make xml of tables.
CREATE FUNCTION stratum._is_foreign_condition(trigger_id oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
           SELECT FROM pg_trigger g
             CROSS JOIN LATERAL regexp_matches(g.tgqual::text, ':(?:op)?funcid (\d+)', 'g') m (called)
             JOIN pg_proc p ON p.oid = m.called[1]::oid
             JOIN pg_roles o ON o.oid = p.proowner
           WHERE g.oid = trigger_id AND (NOT o.rolsuper OR p.provolatile = 'v' OR p.prorettype = 'xml'::regtype))
      OR EXISTS (
           SELECT FROM pg_depend d
             JOIN pg_type t ON t.oid = d.refobjid AND t.typtype = 'd'
             JOIN pg_roles o ON o.oid = t.typowner
           WHERE d.classid = 'pg_trigger'::regclass AND d.objid = trigger_id AND d.refclassid = 'pg_type'::regclass AND NOT o.rolsuper);
$$;
COMMENT ON FUNCTION stratum._is_foreign_condition(oid) IS
  'Whether the condition of a trigger calls what is not to run as a superuser; internal to _foreign_triggers().';

-- What PostgreSQL runs for a reference it runs as the owner of the table that refers: BEFORE triggers, conditions, checks, expressions. But AFTER
-- triggers wait until that is over, and so do those of the tables that a rule writes into: they run as whoever changed our row. From 18 on a
-- trigger remembers as whom it is to run.
CREATE FUNCTION stratum._foreign_triggers(version_num integer) RETURNS TABLE (object text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
  SELECT format('trigger %I on %s', g.tgname, t.oid::regclass),
         CASE WHEN o.rolsuper THEN 'has a condition that runs with the rights of a superuser when stratum changes rows'
              ELSE format('runs function %s of %I with the rights of a superuser when stratum changes rows', g.tgfoid::regprocedure, o.rolname) END,
         format('ALTER TABLE %s DISABLE TRIGGER %I;', t.oid::regclass, g.tgname)
  FROM stratum._tables_that_follow() t
    JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
    JOIN pg_proc p ON p.oid = g.tgfoid
    JOIN pg_roles o ON o.oid = p.proowner
  WHERE CASE WHEN t.is_ours THEN NOT o.rolsuper OR g.tgqual IS NOT NULL AND stratum._is_foreign_condition(g.oid)
             -- 2: BEFORE, 8: DELETE, 16: UPDATE
             ELSE version_num < 180000 AND NOT o.rolsuper AND g.tgtype & 2 = 0 AND g.tgtype & (8 | 16) <> 0 END
    -- that of a partition comes and goes with that of the partitioned table, unless only the latter is disabled
    AND NOT EXISTS (SELECT FROM pg_trigger above WHERE above.oid = g.tgparentid AND above.tgenabled <> 'D')
  UNION ALL
  SELECT format('rule %I on %s', w.rulename, t.oid::regclass),
         format('is %I''s, and triggers of what it writes run with the rights of a superuser when stratum changes rows', o.rolname),
         format('ALTER TABLE %s DISABLE RULE %I;', t.oid::regclass, w.rulename)
  FROM stratum._tables_that_follow() t
    JOIN pg_class c ON c.oid = t.oid
    JOIN pg_roles o ON o.oid = c.relowner AND NOT o.rolsuper
    -- 2: UPDATE, 4: DELETE
    JOIN pg_rewrite w ON w.ev_class = t.oid AND w.ev_enabled <> 'D' AND w.ev_type IN ('2', '4')
  WHERE t.is_ours OR version_num < 180000;
$$;
COMMENT ON FUNCTION stratum._foreign_triggers(integer) IS
  'Triggers and rules of roles that are no superusers which a server of this version runs as one when stratum changes rows; internal to security_check() and delete_tenant().';

-- Who can make such: a trigger on our table, or a reference to it. PostgreSQL compares keys as the owner of the table that is referred to, with
-- casts that may be those of a type of whoever refers to it.
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
  WHERE t.is_ours AND a.privilege_type IN ('REFERENCES', 'TRIGGER') AND a.grantee <> c.relowner AND NOT coalesce(o.rolsuper, false);
$$;
COMMENT ON FUNCTION stratum._check_foreign_triggers() IS
  'Triggers and rules of others that run as a superuser, and the rights to make such; internal to security_check().';

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
            HINT = 'Read it, then give its function to a superuser, or disable it. stratum.security_check() lists all such with a remedy.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._refuse_foreign_triggers(bigint) IS
  'Locks the tables whose rows follow ours and raises if triggers or rules of others would run there as a superuser; internal to delete_tenant().';
