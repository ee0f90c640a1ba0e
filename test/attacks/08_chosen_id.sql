-- An INSERT with an id that is taken fails, so ids can be probed: documented. Whose it is, and what is in it, stays unknown; and no id ever changes.
BEGIN;
:enter;
CREATE FUNCTION pg_temp.campaign(id bigint) RETURNS text LANGUAGE sql AS $$ SELECT attack.error(format(
  'INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name) VALUES (%s, ''meta'', ''n'', ''a'', ''n'')', id)) $$;
SELECT attack.control('a free id goes in', pg_temp.campaign(5000) = 'no error');
SELECT attack.known('an INSERT with a chosen `id`', pg_temp.campaign(200) LIKE '23505%');
SELECT attack.held('the error is without a DETAIL', pg_temp.campaign(200) NOT LIKE '%Key (%');
SELECT attack.held('an upsert by id neither reads nor changes it', attack.try($$INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name)
  VALUES (200, 'meta', 'n', 'a', 'n') ON CONFLICT (id) DO UPDATE SET name = 'taken' RETURNING clicks$$) IN ('42501', '23505'));
SELECT attack.held('an id is changed', attack.try('UPDATE stratum.campaigns SET id = 6000 WHERE id = 101') NOT LIKE '%rows');
SELECT attack.held('an id of the trail is chosen', attack.try($$INSERT INTO stratum.audit_logs (id, action, resource_type) VALUES (7777, 'login', 'x')$$) <> '1 rows'
  OR NOT EXISTS (SELECT FROM stratum.audit_logs WHERE id = 7777));
ROLLBACK;
