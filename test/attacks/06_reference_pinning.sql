-- A row that refers to the victim's pins it: its owner cannot delete it, or has to wait. Two sessions.
BEGIN;
:enter;
SELECT attack.try('INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (201, ''pin'', ''track'', now())') \g /dev/null
SELECT attack.control('its own it pins', attack.try('INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (100, ''pin'', ''track'', now())') = '1 rows');
-- while the attacker's transaction is open
\set answer `as app "BEGIN; SELECT stratum.enter(2); DELETE FROM stratum.cdp_profiles WHERE id = 201 RETURNING id; ROLLBACK"`
SELECT attack.held('open transaction', :'answer' LIKE '%201%');
SELECT attack.held('FOR UPDATE', attack.try('SELECT FROM stratum.cdp_profiles WHERE id = 201 FOR UPDATE') = '0 rows');
SELECT attack.try('UPDATE stratum.cdp_profiles SET traits = ''{}'' WHERE id IN (200, 201)') \g /dev/null
\set answer `as app "BEGIN; SELECT stratum.enter(2); UPDATE stratum.cdp_profiles SET email = 'n@victim.test' WHERE id = 201 RETURNING id; ROLLBACK"`
SELECT attack.held('row locks', :'answer' LIKE '%201%');
-- its own tenant's row, which every reference and every entry of the trail locks
UPDATE stratum.campaigns SET name = name || '.';
\set answer `as app "BEGIN; SELECT stratum.enter(2); UPDATE stratum.campaigns SET name = name || '.' WHERE id = 200 RETURNING id; ROLLBACK"`
SELECT attack.held('a long transaction of many writes', :'answer' LIKE '%200%');
COMMIT;
-- and once it is committed
\set answer `as app "BEGIN; SELECT stratum.enter(2); DELETE FROM stratum.cdp_profiles WHERE id = 201 RETURNING id; ROLLBACK"`
SELECT attack.held('committed', :'answer' LIKE '%201%');
\set answer `as app "BEGIN; SELECT stratum.enter(1); DELETE FROM stratum.cdp_profiles WHERE id = 100 RETURNING id; ROLLBACK"`
SELECT attack.control('its own is pinned', :'answer' LIKE '%ERROR 23503%');
