-- A reference to a row of the victim's is told from one to a row that does not exist; and the other way round, a key that it refers to.
BEGIN;
:enter;
CREATE FUNCTION pg_temp.refer(profile bigint) RETURNS text LANGUAGE sql AS $$ SELECT attack.error(format(
  'INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (%s, ''e'', ''track'', now())', profile)) $$;
SELECT attack.control('to its own it may refer', pg_temp.refer(100) = 'no error');
SELECT attack.held('a profile of the victim', replace(pg_temp.refer(201), '201', 'N') = replace(pg_temp.refer(987654), '987654', 'N'));
SELECT attack.held('a segment of the victim',
  replace(attack.error('INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name) VALUES (200, ''meta'', ''n'')'), '200', 'N')
  = replace(attack.error('INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name) VALUES (987654, ''meta'', ''n'')'), '987654', 'N'));
SELECT attack.held('by an update', attack.try('UPDATE stratum.cdp_events SET profile_id = 201 WHERE id = 100') = '23503');
-- a child that is moved below another tenant's parent, in one go
SELECT attack.held('with the tenant''s id', attack.try(
  'INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) VALUES (2, 201, ''e'', ''track'', now())') = '42501');
ROLLBACK;
