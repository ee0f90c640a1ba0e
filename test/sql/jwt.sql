-- Entering with a signed token.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, is_deleted) VALUES (8501, 'North', 'jwt-north', false), (8502, 'South', 'jwt-south', false), (8503, 'Gone', 'jwt-gone', true);
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role, is_active) VALUES
  (8501, 8501, 'ann@jwt.test', 'x', 'admin', true), (8502, 8502, 'bob@jwt.test', 'x', 'admin', true), (8503, 8501, 'cid@jwt.test', 'x', 'admin', false),
  (8504, NULL, 'eve@jwt.test', 'x', 'superadmin', true);
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (8501, 'meta', 'n', 'a', 'of North'), (8502, 'meta', 's', 'a', 'of South');
CREATE ROLE regress_stratum_jwt LOGIN IN ROLE stratum_app;

-- What an identity provider does: HMAC of RFC 2104, base64url, the compact form. An object's text is as given.
CREATE SCHEMA jwt_test;
GRANT USAGE ON SCHEMA jwt_test TO PUBLIC;
CREATE FUNCTION jwt_test.pad(key bytea, filler int) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  padded bytea := CASE WHEN length(key) > 64 THEN sha256(key) ELSE key END;
BEGIN
  padded := padded || decode(repeat('00', 64 - length(padded)), 'hex');
  FOR i IN 0..63 LOOP padded := set_byte(padded, i, get_byte(padded, i) # filler); END LOOP;
  RETURN padded;
END $$;
CREATE FUNCTION jwt_test.hmac(message bytea, key bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS
  $$ SELECT sha256(jwt_test.pad(key, 92) || sha256(jwt_test.pad(key, 54) || message)) $$;
CREATE FUNCTION jwt_test.base64url(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT translate(encode(bytes, 'base64'), E'+/=\n', '-_') $$;
CREATE FUNCTION jwt_test.sign(header text, payload text, key bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT s || '.' || jwt_test.base64url(jwt_test.hmac(convert_to(s, 'UTF8'), key))
  FROM (SELECT jwt_test.base64url(convert_to(header, 'UTF8')) || '.' || jwt_test.base64url(convert_to(payload, 'UTF8'))) x (s) $$;
CREATE FUNCTION jwt_test.key(n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT sha256(convert_to('key ' || n, 'UTF8')) $$;
CREATE FUNCTION jwt_test.claims(changes jsonb DEFAULT '{}') RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (jsonb_build_object('exp', floor(extract(epoch FROM clock_timestamp())) + 300, 'aud', 'stratum', 'tenant_id', 8501, 'user_id', 8501) || changes)::text $$;
-- a good token but for these claims
CREATE FUNCTION jwt_test.token(changes jsonb DEFAULT '{}', without text DEFAULT '') RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT jwt_test.sign('{"alg":"HS256","typ":"JWT","kid":"k1"}', (jwt_test.claims(changes)::jsonb - without)::text, jwt_test.key(1)) $$;
-- what enter_jwt() says to it, and who is entered afterwards
CREATE FUNCTION jwt_test.try(token text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  state text; message text; detail text; hint text; said text;
BEGIN
  PERFORM stratum.leave();
  BEGIN
    PERFORM stratum.enter_jwt(token);
    RETURN concat_ws(' ', 'entered', stratum.current_tenant_id(), stratum.current_user_id());
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    said := concat_ws(' / ', state, message, nullif(detail, ''));
    IF stratum.current_tenant_id() IS NOT NULL THEN said := said || ' BUT ENTERED'; END IF;
    IF EXISTS (SELECT FROM regexp_split_to_table(token, '[.]') p WHERE length(p) > 3 AND strpos(concat(message, detail, hint), p) > 0) THEN said := said || ' ECHOED'; END IF;
    RETURN said;
  END;
END $$;
-- RFC 4231's second case
SELECT encode(jwt_test.hmac('what do ya want for nothing?', 'Jefe'), 'hex') = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' AS hmac_is_right;

-- keys: administrators add, list and retire them; nobody reads them
SET ROLE stratum_admin;
SELECT stratum.add_jwt_key('k1', jwt_test.key(1), 'stratum');
SELECT stratum.add_jwt_key('k2', jwt_test.key(2), 'reports', now() - interval '1 day', now() + interval '1 day');
SELECT stratum.add_jwt_key('old', jwt_test.key(3), 'stratum', now() - interval '2 days', now() - interval '1 day');
SELECT stratum.add_jwt_key('soon', jwt_test.key(4), 'stratum', now() + interval '1 day');
SELECT stratum.add_jwt_key('long', decode(repeat('ab', 100), 'hex'), 'stratum');
\set VERBOSITY sqlstate
SELECT stratum.add_jwt_key('k1', jwt_test.key(1), 'stratum');
SELECT stratum.add_jwt_key(NULL, jwt_test.key(1), 'stratum');
SELECT stratum.add_jwt_key('k9', NULL, 'stratum');
SELECT stratum.add_jwt_key('k9', '0123456789abcdef0123456789abcde', 'stratum');
SELECT stratum.add_jwt_key('k9', jwt_test.key(1), '');
SELECT stratum.add_jwt_key('k9', jwt_test.key(1), 'stratum', now(), now());
SELECT stratum.retire_jwt_key('k9');
SELECT stratum.retire_jwt_key(NULL);
SELECT * FROM stratum.jwt_keys;
\set VERBOSITY terse
SELECT kid, audience, valid_until IS NULL AS endless, in_use FROM stratum.list_jwt_keys() WHERE kid <> 'first' ORDER BY kid;
RESET ROLE;
SELECT new_values - '{valid_from,valid_until}'::text[] AS logged FROM stratum.audit_logs WHERE resource_type = 'jwt_keys' AND resource_id = 'k1' ORDER BY id LIMIT 1;
SELECT count(*) FROM stratum.audit_logs WHERE new_values::text LIKE '%' || encode(jwt_test.key(1), 'hex') || '%';

\c - regress_stratum_jwt
\set VERBOSITY sqlstate
SELECT * FROM stratum.jwt_keys;
SELECT stratum.add_jwt_key('mine', jwt_test.key(9), 'stratum');
SELECT stratum.retire_jwt_key('k1');
SELECT * FROM stratum.list_jwt_keys();
\set VERBOSITY terse
-- in
BEGIN;
SELECT stratum.enter_jwt(jwt_test.token(), 'req-7', '192.0.2.7', 'agent');
SELECT stratum.current_tenant_id(), stratum.current_user_id(), stratum.current_request_id(), (SELECT string_agg(name, ',') FROM stratum.campaigns) AS sees;
COMMIT;
SELECT stratum.current_tenant_id();
SELECT what, jwt_test.try(token) FROM (VALUES
  ('another key', jwt_test.sign('{"kid":"k2","alg":"HS256"}', jwt_test.claims('{"aud":["x","reports"]}'), jwt_test.key(2))),
  ('a key longer than a block', jwt_test.sign('{"kid":"long","alg":"HS256"}', jwt_test.claims(), decode(repeat('ab', 100), 'hex'))),
  ('no user', jwt_test.token('{"user_id":null}')),
  ('platform user', jwt_test.token('{"user_id":8504}')),
  ('no end in sight', jwt_test.token('{"exp":1e400}')),
  ('more claims', jwt_test.token('{"sub":"x","iat":1,"iss":"https://id.test","nbf":1.5,"roles":["admin",{"a":[1]}],"name":"J\u006frg Müller"}'))) t (what, token);

-- out: each with a code of its own, nobody entered, nothing echoed
SELECT what, jwt_test.try(token) AS said FROM (VALUES
  ('null', NULL),
  ('empty', ''),
  ('overlong', repeat('x', 8193)),
  ('malformed', 'x'),
  ('expired', jwt_test.token('{"exp":1700000000}')),
  ('not yet valid', jwt_test.token('{"nbf":4700000000}')),
  ('wrongly signed', jwt_test.sign('{"alg":"HS256","kid":"k1"}', jwt_test.claims(), jwt_test.key(2))),
  ('alg none', jwt_test.sign('{"alg":"none","kid":"k1"}', jwt_test.claims(), jwt_test.key(1))),
  ('for another audience', jwt_test.token('{"aud":"reports"}')),
  ('tenant id as text', jwt_test.token('{"tenant_id":"8501"}')),
  ('deleted tenant', jwt_test.token('{"tenant_id":8503,"user_id":null}')),
  ('no such tenant', jwt_test.token('{"tenant_id":8999}')),
  ('another tenant''s user', jwt_test.token('{"user_id":8502}')),
  ('inactive user', jwt_test.token('{"user_id":8503}'))) t (what, token);
BEGIN;
SELECT jwt_test.try(jwt_test.token()) AS first, jwt_test.try(jwt_test.token('{"tenant_id":8502,"user_id":8502}')) AS nested;
ROLLBACK;

-- the compact form
SELECT what, jwt_test.try(token) AS said FROM (VALUES
  ('one dot', 'a.b'), ('three dots', jwt_test.token() || '.'), ('four parts', jwt_test.token() || '.x'), ('dots', '..'), ('empty header', '.YQ.YQ'), ('empty payload', 'YQ..YQ'),
  ('no signature', regexp_replace(jwt_test.token(), '[^.]*$', '')),
  ('padding', regexp_replace(jwt_test.token(), '\.', '=.')),
  ('plus', '+' || jwt_test.token()),
  ('blank', ' ' || jwt_test.token()),
  ('a character too many', 'YWJjZ.YQ.YQ'),
  ('bits that mean nothing', 'YR.YQ.YQ'),
  ('signature with such bits', jwt_test.token() || 'A'),
  ('signature cut', left(jwt_test.token(), -2)),
  ('signature two bytes short', left(jwt_test.token(), -3)),
  ('signature of another token', regexp_replace(jwt_test.token(), '[^.]*$', '') || split_part(jwt_test.token('{"x":1}'), '.', 3)),
  ('payload exchanged', split_part(jwt_test.token(), '.', 1) || '.' || split_part(jwt_test.token('{"tenant_id":8502}'), '.', 2) || '.' || split_part(jwt_test.token(), '.', 3)),
  ('header is no JSON', jwt_test.sign('{"alg"', jwt_test.claims(), jwt_test.key(1))),
  ('header is an array', jwt_test.sign('["HS256"]', jwt_test.claims(), jwt_test.key(1))),
  ('header is a string', jwt_test.sign('"HS256"', jwt_test.claims(), jwt_test.key(1))),
  ('header is nothing', jwt_test.sign(' ', jwt_test.claims(), jwt_test.key(1))),
  ('header is two objects', jwt_test.sign('{"alg":"HS256","kid":"k1"} {}', jwt_test.claims(), jwt_test.key(1))),
  ('a zero in it', jwt_test.sign('{"alg":"HS256","kid":"k1","x":"\u0000"}', jwt_test.claims(), jwt_test.key(1))),
  ('half a surrogate', jwt_test.sign('{"alg":"HS256","kid":"k1","x":"\ud800"}', jwt_test.claims(), jwt_test.key(1))),
  ('a number out of range', jwt_test.sign('{"alg":"HS256","kid":"k1","x":1e999999}', jwt_test.claims(), jwt_test.key(1))),
  ('deep', jwt_test.sign('{"x":' || repeat('[', 3000), '{}', jwt_test.key(1))),
  ('deep and closed', jwt_test.sign('{"x":' || repeat('[', 2000) || repeat(']', 2000) || '}', '{}', jwt_test.key(1))),
  ('bytes that are no UTF-8', jwt_test.base64url('\x7b22ff223a317d') || '.e30.YQ'),
  ('a zero byte', jwt_test.base64url('\x7b7d00') || '.e30.YQ')) t (what, token);
-- its header
SELECT what, jwt_test.try(jwt_test.sign(header, jwt_test.claims(), jwt_test.key(1))) AS said FROM (VALUES
  ('no alg', '{"kid":"k1"}'), ('alg null', '{"alg":null,"kid":"k1"}'), ('alg HS512', '{"alg":"HS512","kid":"k1"}'), ('alg RS256', '{"alg":"RS256","kid":"k1"}'),
  ('alg in small letters', '{"alg":"hs256","kid":"k1"}'), ('alg with a blank', '{"alg":"HS256 ","kid":"k1"}'), ('alg in an array', '{"alg":["HS256"],"kid":"k1"}'),
  ('the last alg counts', '{"alg":"HS256","alg":"none","kid":"k1"}'), ('crit', '{"alg":"HS256","kid":"k1","crit":["exp"]}'),
  ('no kid', '{"alg":"HS256"}'), ('kid is a number', '{"alg":"HS256","kid":1}'), ('kid is empty', '{"alg":"HS256","kid":""}'),
  ('unknown kid', '{"alg":"HS256","kid":"k99"}'), ('a quote in the kid', '{"alg":"HS256","kid":"k1'' OR true --"}'),
  ('the key of another kid', '{"alg":"HS256","kid":"k2"}')) t (what, header);
SELECT what, jwt_test.try(jwt_test.sign(format('{"alg":"HS256","kid":"%s"}', kid), jwt_test.claims(), jwt_test.key(n))) AS said FROM (VALUES
  ('retired key', 'old', 3), ('key not in use yet', 'soon', 4), ('audience of another key', 'k2', 2)) t (what, kid, n);
-- its claims
SELECT what, jwt_test.try(jwt_test.token(changes, without)) AS said FROM (VALUES
  ('no exp', '{}'::jsonb, 'exp'), ('no aud', '{}', 'aud'), ('no tenant', '{}', 'tenant_id'), ('no user', '{}', 'user_id'),
  ('exp as text', '{"exp":"4700000000"}', ''), ('exp null', '{"exp":null}', ''), ('exp now', '{"exp":0}', ''), ('exp negative', '{"exp":-1e400}', ''),
  ('nbf as text', '{"nbf":"1"}', ''), ('nbf null', '{"nbf":null}', ''),
  ('aud null', '{"aud":null}', ''), ('aud empty', '{"aud":[]}', ''), ('aud is an object', '{"aud":{"stratum":1}}', ''), ('aud nested', '{"aud":[["stratum"]]}', ''), ('aud longer', '{"aud":"stratum2"}', ''),
  ('tenant null', '{"tenant_id":null}', ''), ('tenant 0', '{"tenant_id":0}', ''), ('tenant negative', '{"tenant_id":-8501}', ''), ('tenant 8501.5', '{"tenant_id":8501.5}', ''), ('tenant 8501.0', '{"tenant_id":8501.0}', ''),
  ('tenant too large', '{"tenant_id":99999999999999999999}', ''), ('tenant in an array', '{"tenant_id":[8501]}', ''), ('tenant true', '{"tenant_id":true}', ''),
  ('user as text', '{"user_id":"8501"}', ''), ('user 0', '{"user_id":0}', ''), ('user enormous', '{"user_id":1e30}', '')) t (what, changes, without);
SELECT jwt_test.try(jwt_test.sign('{"alg":"HS256","kid":"k1"}', payload, jwt_test.key(1))) AS said FROM (VALUES ('[]'), ('null'), ('{"exp":'), ('{}')) t (payload);
-- a character changed, left out or added anywhere: nobody is entered, and only the known errors come
SELECT count(*) FILTER (WHERE said LIKE 'entered%' OR said LIKE '%BUT%' OR said LIKE '%ECHOED%') AS entered,
  count(*) FILTER (WHERE left(said, 5) NOT IN ('22P02', '28P01', '0A000')) AS strange, count(*) > 1000 AS many
FROM jwt_test.token() t, generate_series(1, length(t)) g, unnest(ARRAY['', 'A', '_', '.', '=', E'\u00e9', substr(t, g, 1) || 'x']) c,
  LATERAL (SELECT overlay(t PLACING c FROM g FOR 1) AS changed) m, LATERAL (SELECT jwt_test.try(changed) AS said WHERE changed <> t) x;
-- in autocommit and after an error nobody is entered
SELECT stratum.enter_jwt('x.y.z');
SELECT stratum.current_tenant_id();
-- a key that is retired while it is in use
\c - postgres
SELECT stratum.retire_jwt_key('k1', now() + interval '1 hour');
SELECT jwt_test.try(jwt_test.token()) AS said;
SELECT stratum.retire_jwt_key('k1');
SELECT jwt_test.try(jwt_test.token()) AS said;
SELECT stratum.retire_jwt_key('k1', 'infinity');
SELECT jwt_test.try(jwt_test.token()) AS said;
-- the only way in, where an administrator says so; the session lock binds it too
SELECT stratum.add_jwt_key('k3', jwt_test.key(1), 'stratum');
CREATE OR REPLACE FUNCTION jwt_test.token(changes jsonb DEFAULT '{}', without text DEFAULT '') RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT jwt_test.sign('{"alg":"HS256","typ":"JWT","kid":"k3"}', jwt_test.claims(changes), jwt_test.key(1)) $$;
REVOKE EXECUTE ON FUNCTION stratum.enter(bigint, bigint, text, inet, text), stratum.enter_session(bigint, bigint, text) FROM stratum_app;
\c - regress_stratum_jwt
BEGIN;
SELECT stratum.enter(8502);
ROLLBACK;
SELECT stratum.enter_session(8502, NULL, '0123456789abcdef');
BEGIN;
SELECT stratum.enter_jwt(jwt_test.token());
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'by token', 'a', 'x');
SELECT user_id FROM stratum.audit_logs ORDER BY id DESC LIMIT 1;
ROLLBACK;
\c - postgres
GRANT EXECUTE ON FUNCTION stratum.enter(bigint, bigint, text, inet, text), stratum.enter_session(bigint, bigint, text) TO stratum_app;
SELECT stratum.enter_session(8501, 8501, '0123456789abcdef');
SELECT jwt_test.try(jwt_test.token()) AS own, jwt_test.try(jwt_test.token('{"user_id":null}')) AS no_user,
  jwt_test.try(jwt_test.token('{"user_id":8504}')) AS other_user, jwt_test.try(jwt_test.token('{"tenant_id":8502,"user_id":8502}')) AS other_tenant;
RESET ALL;
SELECT jwt_test.try(jwt_test.token()) AS closed;
SELECT stratum.leave_session('0123456789abcdef');

SET client_min_messages = warning;
DROP SCHEMA jwt_test CASCADE;
DELETE FROM stratum.jwt_keys;
DROP ROLE regress_stratum_jwt;
