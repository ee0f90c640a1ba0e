-- What both databases have: the helpers of the scripts, and rows of tenant 1 (the attacker's), tenant 2 (the victim's) and of the platform.
-- Every text of the victim's has the mark XQSECRETQX in it, but for what the attacker knows already: ids, an address, two UUIDs.
CREATE SCHEMA attack;
GRANT USAGE ON SCHEMA attack TO PUBLIC;

CREATE FUNCTION attack.held(name text, ok boolean) RETURNS text LANGUAGE sql AS
  $$ SELECT 'held|' || name || '|' || coalesce(ok, false)::text $$;
CREATE FUNCTION attack.control(name text, ok boolean) RETURNS text LANGUAGE sql AS
  $$ SELECT 'control|' || name || '|' || coalesce(ok, false)::text $$;
CREATE FUNCTION attack.known(phrase text, happens boolean) RETURNS text LANGUAGE sql AS
  $$ SELECT 'known|' || phrase || '|' || coalesce(happens, false)::text $$;

-- Rows that a statement touched, or the SQLSTATE.
CREATE FUNCTION attack.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN sqlstate;
END $$;

-- All that an error says.
CREATE FUNCTION attack.error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text; hint text; context text; constraint_name text;
BEGIN
  EXECUTE statement;
  RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, constraint_name = CONSTRAINT_NAME;
  RETURN concat_ws(' ; ', sqlstate, sqlerrm, detail, hint, constraint_name);
END $$;

-- Rows of the victim and of the platform, as one checksum; for superusers.
CREATE FUNCTION attack.victims_rows() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  it record;
  rows text;
  result text := '';
BEGIN
  FOR it IN
    SELECT a.attrelid::regclass AS name, a.attname AS tenant
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace)
      AND a.attname = CASE WHEN c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END
    ORDER BY 1
  LOOP
    EXECUTE format('SELECT count(*) || md5(coalesce(string_agg(t::text, ''|'' ORDER BY t::text), '''')) FROM ONLY %s t WHERE %I IS DISTINCT FROM 1',
                   it.name, it.tenant) INTO rows;
    result := result || it.name || ' ' || rows || E'\n';
  END LOOP;
  RETURN result;
END $$;
REVOKE ALL ON FUNCTION attack.victims_rows() FROM PUBLIC;

-- What they are before the attack; a script that first adds to them says so by calling it.
CREATE TABLE attack.remembered (rows text);
CREATE FUNCTION attack.remember() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM attack.remembered;
  INSERT INTO attack.remembered VALUES (attack.victims_rows());
  RETURN 'remembered';
END $$;

-- ids: 100 and up are the attacker's, 200 and up the victim's, 900 is the platform's
INSERT INTO stratum.tenants (id, name, slug, domain) VALUES (1, 'Attacker', 'attacker', 'attacker.test'), (2, 'XQSECRETQX', 'victim', 'XQSECRETQX.test');
INSERT INTO stratum.users (id, tenant_id, email, email_hash, password_hash, full_name) VALUES
  (100, 1, 'mal@attacker.test', encode(sha256('mal@attacker.test'), 'hex'), 'x', 'Mal'),
  (200, 2, 'vera@victim.test', encode(sha256('vera@victim.test'), 'hex'), 'XQSECRETQX', 'XQSECRETQX'),
  (900, NULL, 'root@platform.test', encode(sha256('root@platform.test'), 'hex'), 'XQSECRETQX', 'XQSECRETQX');
INSERT INTO stratum.campaigns (id, tenant_id, platform, external_id, account_id, name)
  SELECT t * 100 + n, t, 'meta', 'ext' || n, 'acc', CASE t WHEN 1 THEN 'Mine ' ELSE 'XQSECRETQX ' END || n
  FROM generate_series(1, 2) t, generate_series(0, 9) n;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email, email_hash, traits) VALUES
  (100, 1, '11111111-1111-4111-8111-111111111111', 'pat@attacker.test', encode(sha256('pat@attacker.test'), 'hex'), '{"ltv": 1}'),
  (200, 2, '22222222-2222-4222-8222-222222222222', 'pam@victim.test', encode(sha256('pam@victim.test'), 'hex'), '{"note": "XQSECRETQX", "ltv": 2}');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email, email_hash, traits) VALUES
  (201, 2, md5('lonely')::uuid, 'XQSECRETQX@x.test', encode(sha256('lonely'), 'hex'), '{"note": "XQSECRETQX"}');
INSERT INTO stratum.cdp_events (id, tenant_id, profile_id, event_name, event_type, message_id, timestamp) VALUES
  (100, 1, 100, 'Purchase', 'track', '11111111-aaaa-4111-8111-111111111111', now()),
  (200, 2, 200, 'XQSECRETQX', 'track', '22222222-aaaa-4222-8222-222222222222', now());
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES
  (100, 1, 'Mine', '{"conditions": [{"field": "trait.ltv", "operator": "equals", "value": 1}]}'),
  (200, 2, 'XQSECRETQX', '{"conditions": [{"field": "trait.ltv", "operator": "equals", "value": 2}]}');
SELECT setval(format('stratum.%s_id_seq', x), 1000) FROM unnest('{tenants,users,campaigns,cdp_profiles,cdp_events,cdp_segments}'::text[]) x \g /dev/null

-- a partitioned table of the user's own
CREATE TABLE public.orders (tenant_id integer NOT NULL, id integer NOT NULL, item text, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE public.orders_1 PARTITION OF public.orders FOR VALUES IN (1);
CREATE TABLE public.orders_2 PARTITION OF public.orders FOR VALUES IN (2);
INSERT INTO public.orders VALUES (1, 100, 'Mine'), (2, 200, 'XQSECRETQX');
GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders, public.orders_1, public.orders_2 TO stratum_app;
