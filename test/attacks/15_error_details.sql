-- What errors say of rows that the caller may not see. Each is made to happen, and all of it is printed: the mark must not be in it.
\set VERBOSITY verbose
BEGIN;
:enter;
SELECT attack.control('of his own row an error tells the key',
  attack.error($$INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'ext1', 'a', 'n')$$) LIKE '23505%');
SELECT attack.error(s) FROM unnest(ARRAY[
  $$INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) VALUES (200, 'meta', 'n', 'a', 'n')$$,
  $$INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES ('22222222-2222-4222-8222-222222222222', 'n@n.test', repeat('0', 64))$$,
  $$INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES ('22222222-2222-4222-8222-222222222222', 'n@n.test', repeat('0', 64)) ON CONFLICT (canonical_id) DO UPDATE SET email = cdp_profiles.email$$,
  $$INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (200, 'e', 'track', now())$$,
  $$UPDATE stratum.campaigns SET tenant_id = 2$$,
  $$INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT 2, 'meta', 'n', 'a', 'n'$$,
  $$INSERT INTO stratum.users (id, email, email_hash, password_hash) VALUES (200, 'n@n.test', repeat('0', 64), 'x')$$,
  $$DELETE FROM stratum.tenants$$,
  $$SELECT stratum.enter(2, 200)$$, $$SELECT stratum.enter(1, 200)$$, $$SELECT stratum.enter(1, 900)$$,
  $$SELECT stratum.refresh_segment(200)$$]) s;
SELECT attack.held('another tenant''s user reads like none', replace(attack.error('SELECT stratum.enter(1, 200)'), '200', 'N') = replace(attack.error('SELECT stratum.enter(1, 987654)'), '987654', 'N'));
SELECT attack.held('no DETAIL with a key', attack.error($$INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) VALUES (200, 'meta', 'n', 'a', 'n')$$) NOT LIKE '%Key (%');
ROLLBACK;
