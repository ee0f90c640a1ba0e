-- The sequences are everybody's: they may be counted on, and no more.
BEGIN;
:enter;
SELECT attack.held('currval of what another session took', attack.try('SELECT currval(''stratum.campaigns_id_seq'')') = '55000' AND attack.try('SELECT lastval()') = '55000');
SELECT attack.control('an INSERT counts on', attack.try($$INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'n', 'a', 'n')$$) = '1 rows');
SELECT attack.held('setval ' || t, attack.try(format('SELECT setval(''stratum.%s_id_seq'', 1)', t)) = '42501')
FROM unnest('{users,campaigns,cdp_profiles,cdp_events,cdp_segments,audit_logs}'::text[]) t;
SELECT attack.held('reading one', attack.try('SELECT last_value FROM stratum.campaigns_id_seq') = '42501');
SELECT attack.held('altering one', attack.try('ALTER SEQUENCE stratum.campaigns_id_seq RESTART') = '42501');
SELECT attack.known('Ids are shared', nextval('stratum.campaigns_id_seq') > 1000);
ROLLBACK;
