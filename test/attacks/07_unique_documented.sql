-- As documented the two UUIDs are unique over all tenants: that one exists can be learned by who knows it, and nothing more.
BEGIN;
:enter;
CREATE FUNCTION pg_temp.profile(id text) RETURNS text LANGUAGE sql AS $$ SELECT attack.error(format(
  'INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES (%L, ''n@n.test'', repeat(''0'', 64))', id)) $$;
SELECT attack.control('a free one goes in', pg_temp.profile('33333333-3333-4333-8333-333333333333') = 'no error');
SELECT attack.known('unique over all tenants', pg_temp.profile('22222222-2222-4222-8222-222222222222') LIKE '23505%');
SELECT attack.held('the error is without a DETAIL', pg_temp.profile('22222222-2222-4222-8222-222222222222') NOT LIKE '%Key (%');
SELECT attack.held('an upsert neither reads nor changes it', attack.try($$INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash)
  VALUES ('22222222-2222-4222-8222-222222222222', 'n@n.test', repeat('0', 64)) ON CONFLICT (canonical_id) DO UPDATE SET email = 'taken@n.test' RETURNING traits$$) IN ('42501', '23505'));
ROLLBACK;
