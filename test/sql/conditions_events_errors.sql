-- Bad input of conditions about events: what is refused, where, and with which words, by validate_conditions() and when it is
-- stored; and what looks bad and has a meaning. More places are in test/oracle/events_cases.sql.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.one(condition text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('conditions', jsonb_build_array(condition::jsonb)) $$;
CREATE FUNCTION pg_temp.refusal(statement text, definition jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement USING definition;
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '^invalid condition at ', '') || ' | ' || left(hint, 60);
END $$;
-- The same on every way in: checked, previewed, stored, and given to an existing segment.
BEGIN;
INSERT INTO stratum.tenants (name, slug) VALUES ('Event errors', 'regress-event-errors') RETURNING id AS tenant \gset
SELECT stratum.enter(:tenant) \gset
INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES ('there', 'there', '{}');
CREATE FUNCTION pg_temp.judged(definition jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text[] := ARRAY(SELECT pg_temp.refusal(s, definition) FROM unnest(ARRAY['SELECT stratum.validate_conditions($1)', 'SELECT stratum.preview_segment($1, 0)',
    'INSERT INTO stratum.cdp_segments (name, conditions) VALUES (''new'', $1)', 'UPDATE stratum.cdp_segments SET conditions = $1 WHERE slug = ''there''']) s);
BEGIN
  RETURN CASE WHEN said[1] = ALL (said) THEN said[1] ELSE 'NOT THE SAME: ' || said::text END;
END $$;
\pset tuples_only
-- sequences
SELECT n, pg_temp.judged(pg_temp.one(format('{"sequence": [%s]}', (SELECT string_agg('{"event": "A"}', ', ') FROM generate_series(1, n))))) FROM unnest('{0,1,2,16,17,100,100000}'::int[]) n;
SELECT s, pg_temp.judged(pg_temp.one(format('{"sequence": [%s]}', s))) FROM (VALUES
  (1, '{"event": "A", "then_not": true}, {"event": "B"}'), (2, '{"event": "A"}, {"event": "B", "then_not": true}, {"event": "C"}'), (3, '{"event": "A"}, {"event": "B", "then_not": "yes"}'),
  (4, '{"event": "A", "within_days": 7}, {"event": "B"}'), (5, '{"event": "A"}, {"event": "B", "within_days": 0}'), (6, '{"event": "A"}, {"event": "B", "within_days": "7"}'),
  (7, '{"event": "A"}, {"event": ""}'), (8, '{"event": "A"}, {"event": ["B"]}'), (9, '{"event": "A"}, {"within_days": 7}'), (10, '{"event": "A"}, "B"'), (11, 'null, {"event": "A"}'),
  (12, '{"event": "A"}, {"event": "B", "until": "2024-01-01"}'), (13, '{"event": "A"}, {"event": "B", "then_not": true, "where": {}}'),
  (14, '{"event": "A"}, {"event": "B", "where": {"conditions": [{"field": "trait.x", "operator": "is_null"}]}}')) v (n, s) ORDER BY n;
SELECT c, pg_temp.judged(pg_temp.one(c)) FROM (VALUES
  (1, '{"sequence": {"event": "A"}}'), (2, '{"sequence": "A"}'), (3, '{"sequence": null}'), (4, '{"sequence": [{"event": "A"}, {"event": "B"}], "field": "event.A.count"}'),
  (5, '{"sequence": [{"event": "A"}, {"event": "B"}], "where": {"conditions": [{"field": "property.a", "operator": "is_null"}]}}'), (6, '{"sequence": [{"event": "A"}, {"event": "B"}], "steps": 2}'),
  (7, '{"sequence": [{"event": "A"}, {"event": "B"}], "field": null, "operator": null, "value": null, "where": null}'), (8, '{"sequence": null, "field": "event.A.exists", "operator": "equals", "value": true}')) v (n, c) ORDER BY n;
-- windows
SELECT w, pg_temp.judged(pg_temp.one(format('{"field": "event.A.count", "operator": "gte", "value": 1, %s}', w))) FROM (VALUES
  (1, '"within_days": 1000000'), (2, '"within_days": 1e300'), (3, '"within_days": 1e-300'), (4, '"within_days": 0'), (5, '"within_days": -1'), (6, '"within_days": "NaN"'), (7, '"within_days": "Infinity"'), (8, '"within_days": true'),
  (9, '"since": "infinity"'), (10, '"since": "-infinity"'), (11, '"until": "10000-01-01"'), (12, '"until": "294277-01-01"'), (13, '"until": "0000-01-01"'), (14, '"since": "0001-01-01", "until": "9999-12-31T24:00"'),
  (15, '"since": "2024-01-02", "until": "2024-01-01"'), (16, '"since": "2024-01-01", "until": "2024-01-01T00:00Z"'), (17, '"since": "now"'), (18, '"since": 20240101'), (19, '"until": "2023-02-29"'), (20, '"within_days": 7, "within_days": 0')) v (n, w) ORDER BY n;
-- names
SELECT left(f, 60), pg_temp.judged(pg_temp.one(format('{"field": %s, "operator": "gte", "value": 1}', f))) FROM (VALUES
  (1, '"event.page.view.count"'), (2, '["event", "page.view", "count"]'), (3, '"event..count"'), (4, '["event", "", "count"]'), (5, '"event.a\"b''c\\d.count"'), (6, '"event.a\"b''c\\d.nope"'), (7, '"event.%s%n.nope"'),
  (8, '"event.größe.count"'), (9, '["event", 5, "count"]'), (10, '["event", "A", "COUNT"]'), (11, to_json('event.' || repeat('é', 256) || '.count')::text), (12, to_json('event.' || repeat('é', 256) || '.nope')::text)) v (n, f) ORDER BY n;
-- where
SELECT w, pg_temp.judged(pg_temp.one(format('{"field": "event.A.count", "operator": "gte", "value": 1, "where": %s}', w))) FROM (VALUES
  (1, '{}'), (2, '[]'), (3, '5'), (4, '{"field": "property.a", "operator": "is_null"}'), (5, '{"conditions": [{"field": "trait.a", "operator": "is_null"}]}'),
  (6, '{"conditions": [{"field": "property.a", "operator": "matches", "value": "(a{1,250}){1,250}"}]}'), (7, '{"conditions": [{"sequence": [{"event": "A"}, {"event": "B"}]}]}')) v (n, w) ORDER BY n;
SELECT levels, regexp_replace(pg_temp.judged(pg_temp.one('{"field": "event.A.count", "operator": "gte", "value": 1, "where": ' || repeat('{"groups": [', levels) || '{"conditions": [{"field": "property.a", "operator": "is_null"}]}' || repeat(']}', levels) || '}')), '(\.groups\[0\]){2,}', '...')
FROM unnest('{62,63,3000}'::int[]) levels;
\pset tuples_only
-- What was refused has left nothing behind; what was accepted is evaluated, in a refresh too.
SELECT count(*) AS stored, count(DISTINCT conditions) AS definitions FROM stratum.cdp_segments WHERE name = 'new';
INSERT INTO stratum.cdp_profiles (canonical_id, first_seen_at) SELECT gen_random_uuid(), t FROM unnest('{-infinity,4713-01-01 BC,2024-01-01,294276-12-31,infinity}'::timestamptz[]) t;
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'A', 'track', first_seen_at FROM stratum.cdp_profiles WHERE tenant_id = stratum.current_tenant_id() AND first_seen_at IS NOT NULL;
INSERT INTO stratum.cdp_segments (name, conditions)
SELECT 'far', pg_temp.one(format('{"field": %s}', f)) FROM (VALUES ('"profile.first_seen_at", "operator": "within_last", "value": 1e300'), ('"profile.first_seen_at", "operator": "within_next", "value": 1e300'),
  ('"profile.first_seen_at", "operator": "not_within_last", "value": 1e300'), ('"event.A.count", "operator": "gte", "value": 1, "within_days": 1000000'), ('"event.A.count", "operator": "gte", "value": 1, "within_days": 1e300')) v (f);
SELECT count(*) AS refreshed FROM stratum.refresh_segments();
SELECT conditions #>> '{conditions,0,field}' AS field, conditions #>> '{conditions,0,operator}' AS operator, left(conditions #>> '{conditions,0,within_days}', 8) AS within_days,
  (SELECT string_agg(p.first_seen_at::date::text, ' ' ORDER BY p.id) FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_profiles p ON p.id = m.profile_id WHERE m.segment_id = s.id) AS members,
  (SELECT string_agg(p.first_seen_at::date::text, ' ' ORDER BY p.id) FROM stratum.cdp_profiles p WHERE p.tenant_id = s.tenant_id AND stratum.segment_matches(s.conditions, p)) AS live
FROM stratum.cdp_segments s WHERE name = 'far' ORDER BY id;
ROLLBACK;
