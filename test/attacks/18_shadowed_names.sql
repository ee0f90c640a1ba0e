-- Tables, functions, operators and casts of the attacker's, by names that trusted functions and triggers use, found first through his path.
CREATE FUNCTION pg_temp.spy(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF current_user NOT IN ('mallory', 'stratum_app') THEN
    RAISE NOTICE 'XQSECRETQX: % ran as %', what, current_user;
  END IF;
  RETURN true;
END $$;
SELECT attack.try(format('CREATE TEMP VIEW %I AS SELECT * FROM stratum.%1$I WHERE pg_temp.spy(%1$L)', t))
FROM unnest('{tenants,users,campaigns,cdp_profiles,cdp_events,cdp_segments,cdp_segment_memberships,audit_logs,pg_class,pg_roles}'::text[]) t \g /dev/null
SELECT attack.try(format('CREATE FUNCTION %s.%s LANGUAGE plpgsql AS %L', s, f, 'BEGIN PERFORM pg_temp.spy(''' || f || '''); RETURN NULL; END'))
FROM unnest('{pg_temp,public,stratum}'::text[]) s,
     unnest(ARRAY['lower(varchar) RETURNS text', 'lower(text) RETURNS text', 'count(integer) RETURNS bigint', 'format(text, integer) RETURNS text', 'to_jsonb(integer) RETURNS jsonb',
                  'current_tenant_id() RETURNS integer', 'now() RETURNS timestamptz', 'int4eq(integer, bigint) RETURNS boolean']) f \g /dev/null
CREATE FUNCTION pg_temp.eq(integer, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_temp.spy('='); RETURN true; END $$;
CREATE FUNCTION pg_temp.eq(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_temp.spy('='); RETURN true; END $$;
CREATE OPERATOR pg_temp.= (LEFTARG = integer, RIGHTARG = bigint, FUNCTION = pg_temp.eq);
CREATE OPERATOR pg_temp.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_temp.eq);
SELECT attack.held('nothing can be left in schema stratum', attack.try('CREATE FUNCTION stratum.f() RETURNS integer LANGUAGE sql AS ''SELECT 1''') = '42501'
  AND attack.try('CREATE TABLE stratum.t ()') = '42501');
SET search_path = pg_temp, public, stratum, pg_catalog;
SELECT pg_catalog.set_config('search_path', 'pg_temp, public, stratum, pg_catalog', false);
BEGIN;
:enter;
SELECT attack.control('they do stand in the way of his own queries', attack.try('SELECT name FROM campaigns') NOT LIKE '42P01');
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'n', 'a', 'n');
UPDATE stratum.campaigns SET name = 'n2' WHERE external_id OPERATOR(pg_catalog.=) 'n';
INSERT INTO stratum.users (email, email_hash, password_hash) VALUES ('n@n.test', pg_catalog.repeat('0', 64), 'x');
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('n', '{"conditions": [{"field": "trait.a", "operator": "is_null"}]}');
SELECT stratum.refresh_segment(100);
COMMIT;
RESET search_path;
SELECT attack.held('an enter() through them', attack.try('SELECT stratum.enter(1)') = '1 rows');
