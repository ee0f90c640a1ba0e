-- Functions that run with other people's rights are called with the victim's ids; all that may be called are.
CREATE FUNCTION pg_temp.argument(type regtype, tenant integer) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN type IN ('bigint'::regtype, 'integer'::regtype) THEN (tenant * 100)::text
              WHEN type = 'regclass'::regtype THEN '''stratum.cdp_profiles'''
              WHEN type = 'jsonb'::regtype THEN '''{"conditions": [{"field": "trait.note", "operator": "is_not_null"}]}'''
              WHEN type = 'text'::regtype THEN quote_literal(tenant * 100)
              WHEN type = 'timestamptz'::regtype THEN 'now()'
              ELSE format('NULL::%s', type) END $$;
CREATE FUNCTION pg_temp.call(signature oid, tenant integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  row text;
BEGIN
  FOR row IN EXECUTE format('SELECT f::text FROM %s(%s) f', signature::regproc,
    (SELECT string_agg(pg_temp.argument(t::regtype, tenant), ', ' ORDER BY n) FROM unnest((SELECT proargtypes::oid[] FROM pg_proc WHERE oid = signature)) WITH ORDINALITY a (t, n)))
  LOOP
    RETURN NEXT row;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RETURN NEXT sqlstate || ' ' || sqlerrm;
END $$;
-- not those that say whom the session acts for: they have attacks of their own
CREATE TEMP VIEW callable AS
  SELECT p.oid, p.proname FROM pg_proc p
  WHERE p.pronamespace = 'stratum'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype AND p.proretset IS NOT NULL
    AND has_function_privilege(p.oid, 'EXECUTE') AND p.proname !~ '^(enter|leave)'
    AND NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) t WHERE t IN ('anyelement'::regtype, '"any"'::regtype, 'internal'::regtype));
SELECT attack.control('there are functions to call', count(*) > 0) FROM callable c JOIN pg_proc p USING (oid) WHERE p.prosecdef;
BEGIN;
:enter;
SELECT c.proname, r FROM callable c CROSS JOIN LATERAL pg_temp.call(c.oid, 2) r;
SELECT attack.control(c.proname || ' answers for its own', count(*) > 0)
FROM callable c CROSS JOIN LATERAL pg_temp.call(c.oid, 1) r WHERE c.proname IN ('refresh_segment', 'current_tenant_id') AND r !~ '^[0-9A-Z]{5} ' GROUP BY 1;
COMMIT;
