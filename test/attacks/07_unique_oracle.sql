-- A key that the victim has taken is told from one that is free. UUIDs here as after CALL stratum.scope_unique_keys(): see 07_unique_documented.
\if :guarded
\c - postgres
CALL stratum.scope_unique_keys();
\ir as_mallory.psql
\endif
BEGIN;
:enter;
CREATE FUNCTION pg_temp.profile(id text, tail text DEFAULT '') RETURNS text LANGUAGE sql AS $$ SELECT attack.try(format(
  'INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES (%L, ''n@n.test'', repeat(''0'', 64)) %s', id, tail)) $$;
SELECT attack.control('its own key is taken', pg_temp.profile('11111111-1111-4111-8111-111111111111') = '23505');
SELECT attack.control('one of its own is left out by ON CONFLICT', pg_temp.profile('11111111-1111-4111-8111-111111111111', 'ON CONFLICT DO NOTHING') = '0 rows');
SELECT attack.held('canonical_id', pg_temp.profile('22222222-2222-4222-8222-222222222222') = '1 rows');
ROLLBACK;
BEGIN;
:enter;
CREATE FUNCTION pg_temp.profile(id text, tail text DEFAULT '') RETURNS text LANGUAGE sql AS $$ SELECT attack.try(format(
  'INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES (%L, ''n@n.test'', repeat(''0'', 64)) %s', id, tail)) $$;
SELECT attack.held('canonical_id, ON CONFLICT', pg_temp.profile('22222222-2222-4222-8222-222222222222', 'ON CONFLICT DO NOTHING') = '1 rows');
SELECT attack.held('message_id', attack.try($$INSERT INTO stratum.cdp_events (message_id, event_name, event_type, timestamp)
  VALUES ('22222222-aaaa-4222-8222-222222222222', 'e', 'track', now())$$) = '1 rows');
SELECT attack.held('address of a user', attack.try($$INSERT INTO stratum.users (email, email_hash, password_hash)
  VALUES ('vera@victim.test', encode(sha256('vera@victim.test'), 'hex'), 'x')$$) = '1 rows');
SELECT attack.held('address of a platform user', attack.try($$INSERT INTO stratum.users (email, email_hash, password_hash)
  VALUES ('root@platform.test', encode(sha256('root@platform.test'), 'hex'), 'x')$$) = '1 rows');
SELECT attack.held('slug of a tenant', attack.try($$UPDATE stratum.tenants SET slug = 'victim'$$) = '42501'
  AND attack.try($$INSERT INTO stratum.tenants (name, slug) VALUES ('n', 'victim')$$) = '42501');
ROLLBACK;
