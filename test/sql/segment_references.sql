-- Definitions that ask about other segments: segment.<slug or id>.
\set VERBOSITY default
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9351, 'North', 'references-north'), (9352, 'South', 'references-south');
CREATE ROLE regress_stratum_references LOGIN IN ROLE stratum_app;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits)
SELECT 93510000 + n, 9351, md5('reference' || n)::uuid, jsonb_build_object('n', n) FROM generate_series(1, 10) n
UNION ALL SELECT 93520001, 9352, md5('reference of south')::uuid, '{"n": 1}';
INSERT INTO stratum.cdp_segments (id, tenant_id, name, slug, conditions) VALUES
  (935201, 9352, 'of the South', 'south', '{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}');

-- a definition with one condition about a segment
CREATE SCHEMA reference_test AUTHORIZATION regress_stratum_references;
CREATE FUNCTION reference_test.asks(field jsonb, operator text DEFAULT 'equals', value jsonb DEFAULT 'true') RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', field, 'operator', operator, 'value', value))) $$;
-- who is in a segment by every way there is of asking; one line where all agree
CREATE FUNCTION reference_test.members(segment bigint) RETURNS TABLE (way text, who text)
LANGUAGE plpgsql AS $$
DECLARE
  definition jsonb := (SELECT conditions FROM stratum.cdp_segments WHERE id = segment);
BEGIN
  PERFORM FROM stratum.refresh_segments();
  RETURN QUERY
    WITH said (way, who) AS (
      SELECT 'refresh_segments', (SELECT string_agg((m.profile_id - 93510000)::text, ' ' ORDER BY m.profile_id) FROM stratum.cdp_segment_memberships m WHERE m.segment_id = segment)
      UNION ALL
      SELECT 'segment_profiles', (SELECT string_agg((s.profile_id - 93510000)::text, ' ' ORDER BY s.profile_id) FROM stratum.segment_profiles(segment) s)
      UNION ALL
      SELECT 'profile_segments', (SELECT string_agg((p.id - 93510000)::text, ' ' ORDER BY p.id) FROM stratum.cdp_profiles p WHERE segment IN (SELECT stratum.profile_segments(p.id)))
      UNION ALL
      SELECT 'preview_segment', (SELECT string_agg(((e ->> 'id')::int - 93510000)::text, ' ' ORDER BY (e ->> 'id')::int) FROM stratum.preview_segment(definition, 100) v, jsonb_array_elements(v.sample) e)
      UNION ALL
      SELECT 'segment_matches', (SELECT string_agg((p.id - 93510000)::text, ' ' ORDER BY p.id) FROM stratum.cdp_profiles p WHERE stratum.segment_matches(definition, p))
    )
    SELECT string_agg(said.way, ', '), said.who FROM said GROUP BY said.who;
END $$;

SET SESSION AUTHORIZATION regress_stratum_references;
BEGIN;
SELECT stratum.enter(9351);
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES
  (935101, 'low', 'low', '{"conditions": [{"field": "trait.n", "operator": "lte", "value": 4}]}'),
  (935102, 'even', 'even.ones', '{"conditions": [{"field": "trait.n", "operator": "in", "value": [2, 4, 6, 8, 10]}]}'),
  (935103, 'nobody', 'nobody', '{}'),
  (935104, 'asleep', 'asleep', '{"conditions": [{"field": "trait.n", "operator": "gte", "value": 9}]}'),
  (935105, 'nobody either', 'null', 'null');
UPDATE stratum.cdp_segments SET is_active = false WHERE id = 935104;

-- ---- what it says ---------------------------------------------------------------------------------
-- by slug, by id, by a slug with a dot; an inactive one; nobody
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES
  (935111, 'by slug', reference_test.asks('"segment.low"')),
  (935112, 'by id', reference_test.asks('"segment.935102"')),
  (935113, 'by pieces', reference_test.asks('["segment", "even.ones"]')),
  (935114, 'not in it', reference_test.asks('"segment.low"', 'equals', 'false')),
  (935115, 'not equal', reference_test.asks('"segment.low"', 'not_equals')),
  (935116, 'inactive', reference_test.asks('"segment.asleep"')),
  (935117, 'in nobody', reference_test.asks('"segment.nobody"')),
  (935118, 'not in nobody', reference_test.asks('"segment.null"', 'equals', 'false')),
  (935119, 'either way', reference_test.asks('"segment.low"', 'is_not_null')),
  (935120, 'neither way', reference_test.asks('"segment.low"', 'is_null')),
  (935121, 'in', reference_test.asks('"segment.low"', 'in', '[true, "x"]')),
  (935122, 'another type', reference_test.asks('"segment.low"', 'not_equals', '"true"'));
SELECT s.id, s.name, m.* FROM stratum.cdp_segments s, reference_test.members(s.id) m WHERE s.id BETWEEN 935111 AND 935122 ORDER BY s.id;

ROLLBACK;

-- among others, in every logic, and through each other
BEGIN;
SELECT stratum.enter(9351);
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES
  (935101, 'low', 'low', '{"conditions": [{"field": "trait.n", "operator": "lte", "value": 4}]}'),
  (935102, 'even', 'even.ones', '{"conditions": [{"field": "trait.n", "operator": "in", "value": [2, 4, 6, 8, 10]}]}');
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES
  (935131, 'and', 'low-and-even', '{"conditions": [{"field": "segment.low", "operator": "equals", "value": true}, {"field": ["segment", "even.ones"], "operator": "equals", "value": true}]}'),
  (935132, 'or', 'low-or-even', '{"logic": "OR", "conditions": [{"field": "segment.low", "operator": "equals", "value": true}, {"field": ["segment", "even.ones"], "operator": "equals", "value": true}]}'),
  (935133, 'not', NULL, '{"logic": "not", "conditions": [{"field": "segment.low", "operator": "equals", "value": true}, {"field": "trait.n", "operator": "greater_than", "value": 8}]}'),
  (935134, 'of those', NULL, '{"conditions": [{"field": "segment.low-or-even", "operator": "equals", "value": true}],
    "groups": [{"logic": "not", "conditions": [{"field": "segment.low-and-even", "operator": "equals", "value": true}, {"field": "trait.n", "operator": "equals", "value": 10}]}]}'),
  (935135, 'with events', NULL, '{"logic": "or", "conditions": [{"field": "event.Purchase.count", "operator": "gte", "value": 2}, {"field": "segment.low-and-even", "operator": "equals", "value": true}]}');
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT 93510007, 'Purchase', 'track', now() FROM generate_series(1, 2);
SELECT s.id, s.name, m.* FROM stratum.cdp_segments s, reference_test.members(s.id) m WHERE s.id BETWEEN 935131 AND 935135 ORDER BY s.id;
-- of traits alone; and what the planner puts in place of others is not put in place of these
SELECT stratum.traits_match(reference_test.asks('"segment.low"'), '{"n": 3}'), stratum.segment_matches(reference_test.asks('"segment.low"'), '{"n": 5}'::jsonb);
SELECT stratum._profile_matches(reference_test.asks('"segment.low"'), '{traits}', '{"n": 3}'::jsonb);
-- (the filter alone: which index is used depends on what other tests have left in the table)
CREATE FUNCTION pg_temp.filter(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~ 'Filter:' THEN
      RETURN btrim(line);
    END IF;
  END LOOP;
END $$;
SELECT pg_temp.filter($$SELECT FROM stratum.cdp_profiles p WHERE stratum.segment_matches('{"conditions": [{"field": "segment.low", "operator": "equals", "value": true}]}', p)$$);
-- a change is seen at once, also of a segment in a segment, in one statement after the other and by what was compiled before
PREPARE who AS SELECT string_agg((p.id - 93510000)::text, ' ' ORDER BY p.id) FROM stratum.cdp_profiles p
  WHERE stratum.segment_matches('{"conditions": [{"field": "segment.low-and-even", "operator": "equals", "value": true}]}', p);
EXECUTE who;
SELECT string_agg((p.id - 93510000)::text, ' ' ORDER BY p.id) AS live FROM stratum.cdp_profiles p WHERE 935134 IN (SELECT stratum.profile_segments(p.id));
UPDATE stratum.cdp_segments SET conditions = '{"conditions": [{"field": "trait.n", "operator": "lte", "value": 7}]}' WHERE id = 935101;
EXECUTE who;
SELECT string_agg((p.id - 93510000)::text, ' ' ORDER BY p.id) AS live FROM stratum.cdp_profiles p WHERE 935134 IN (SELECT stratum.profile_segments(p.id));
DO $$
DECLARE
  definition jsonb := reference_test.asks('"segment.low"');
BEGIN
  FOR n IN 1..3 LOOP
    UPDATE stratum.cdp_segments SET conditions = jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'equals', 'value', n))) WHERE id = 935101;
    RAISE NOTICE 'n = %: % % %', n, stratum.traits_match(definition, '{"n": 1}'), stratum.traits_match(definition, '{"n": 2}'), stratum.traits_match(definition, '{"n": 3}');
    BEGIN
      UPDATE stratum.cdp_segments SET conditions = '{"conditions": [{"field": "trait.n", "operator": "equals", "value": 0}]}' WHERE id = 935101;
      RAISE NOTICE 'n = 0: %', stratum.traits_match(definition, '{"n": 0}');
      RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
      RAISE NOTICE 'back:  %', stratum.traits_match(definition, '{"n": 0}');
    END;
  END LOOP;
END $$;

-- ---- what is refused ------------------------------------------------------------------------------
SAVEPOINT s;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('unknown', '{"logic": "or", "groups": [{"conditions": [{"field": "trait.n", "operator": "is_null"}, {"field": "segment.no-such", "operator": "equals", "value": true}]}]}');
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('another tenant''s', reference_test.asks('"segment.south"'));
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('another tenant''s', reference_test.asks('"segment.935201"'));
ROLLBACK TO s;
SELECT stratum.validate_conditions(reference_test.asks('"segment.99999999999999999999"'));
ROLLBACK TO s;
SELECT stratum.validate_conditions(reference_test.asks('"segment"'));
ROLLBACK TO s;
SELECT stratum.validate_conditions(reference_test.asks('"segment.even.ones"'));
ROLLBACK TO s;
SELECT stratum.validate_conditions(reference_test.asks('["segment", ""]'));
ROLLBACK TO s;
SELECT stratum.validate_conditions('{"conditions": [{"field": "segment.low", "operator": "equals", "value": true, "within_days": 3}]}');
ROLLBACK TO s;
SELECT stratum.validate_conditions(reference_test.asks('"segment.low"'), 'campaign');
ROLLBACK TO s;
SELECT stratum.validate_conditions('{"conditions": [{"field": "event.x.count", "operator": "equals", "value": 1, "where": {"conditions": [{"field": "segment.low", "operator": "equals", "value": true}]}}]}');
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES ('low too', 'low', '{}');
SELECT stratum.validate_conditions(reference_test.asks('"segment.low"'));
ROLLBACK TO s;
-- by itself: under its id, under its new slug, through three others, and by a slug that closes the circle
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (935140, 'itself', reference_test.asks('"segment.935140"'));
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (935140, 'itself', 'me', reference_test.asks('"segment.me"'));
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES
  (935141, 'one', 'one', '{}'),
  (935142, 'two', 'two', reference_test.asks('"segment.one"')),
  (935143, 'three', 'three', reference_test.asks('"segment.two"', 'equals', 'false')),
  (935144, 'four', 'four', '{"groups": [{"logic": "not", "conditions": [{"field": "segment.three", "operator": "equals", "value": true}]}]}');
SAVEPOINT circle;
UPDATE stratum.cdp_segments SET conditions = reference_test.asks('"segment.four"') WHERE id = 935141;
ROLLBACK TO circle;
UPDATE stratum.cdp_segments SET slug = 'later' WHERE id = 935141;
SELECT stratum.validate_conditions(reference_test.asks('"segment.four"'));
ROLLBACK TO circle;
UPDATE stratum.cdp_segments SET slug = 'then' WHERE id = 935141;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (935145, 'five', 'five', reference_test.asks('"segment.four"'));
ROLLBACK TO circle;
UPDATE stratum.cdp_segments SET slug = 'then' WHERE id = 935141;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (935145, 'five', 'five', '{}');
UPDATE stratum.cdp_segments SET slug = 'one' WHERE id = 935145;
UPDATE stratum.cdp_segments SET conditions = reference_test.asks('"segment.three"') WHERE id = 935145;
ROLLBACK TO s;
-- with others in the same statement: after those that it asks about
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (935151, 'first', 'first', '{}'), (935152, 'second', 'second', reference_test.asks('"segment.first"'));
ROLLBACK TO s;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (935152, 'second', 'second', reference_test.asks('"segment.first"')), (935151, 'first', 'first', '{}');
ROLLBACK TO s;
-- too many: each of them asks twice about the one before
DO $$
BEGIN
  INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES ('0', 'level-0', reference_test.asks('"trait.n"', 'equals', '1'));
  FOR n IN 1..12 LOOP
    INSERT INTO stratum.cdp_segments (name, slug, conditions) SELECT n, 'level-' || n, jsonb_build_object('conditions', jsonb_build_array(c, c))
    FROM (SELECT jsonb_build_object('field', 'segment.level-' || n - 1, 'operator', 'equals', 'value', true) AS c) q;
  END LOOP;
END $$;
ROLLBACK TO s;
-- too deep: each of them in a group of the next one; 31 are not
DO $$
BEGIN
  INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES ('0', 'level-0', reference_test.asks('"trait.n"', 'equals', '1'));
  FOR n IN 1..70 LOOP
    INSERT INTO stratum.cdp_segments (name, slug, conditions) VALUES (n, 'level-' || n, reference_test.asks(to_jsonb('segment.level-' || n - 1)));
  END LOOP;
END $$;
ROLLBACK TO s;

-- ---- what goes later ------------------------------------------------------------------------------
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (935161, 'asks', reference_test.asks('"segment.low"'));
SELECT count(*) FROM stratum.refresh_segments();
DELETE FROM stratum.cdp_segments WHERE id = 935101;
SELECT count(*) FROM stratum.refresh_segments();
SELECT count(*) FROM stratum.profile_segments(93510001);
SAVEPOINT gone;
SELECT * FROM stratum.refresh_segment(935161);
ROLLBACK TO gone;
SELECT * FROM stratum.segment_profiles(935161);
ROLLBACK TO gone;
SELECT * FROM stratum.refresh_segment(935131);
ROLLBACK TO gone;
ROLLBACK;
-- without a tenant
SELECT stratum.validate_conditions(reference_test.asks('"segment.low"'));
SELECT stratum.traits_match(reference_test.asks('"segment.low"'), '{}');
SELECT * FROM stratum.preview_segment(reference_test.asks('"segment.low"'));
RESET SESSION AUTHORIZATION;

-- an administrator without a tenant: those of the row's
INSERT INTO stratum.cdp_segments (id, tenant_id, name, slug, conditions) VALUES
  (935171, 9351, 'low', 'low', '{"conditions": [{"field": "trait.n", "operator": "lte", "value": 4}]}'),
  (935172, 9351, 'asks', 'asks', reference_test.asks('"segment.low"'));
INSERT INTO stratum.cdp_segments (tenant_id, name, conditions) VALUES (9352, 'asks', reference_test.asks('"segment.low"'));
SELECT stratum._refresh_tenant_segments(9351);
SELECT segment_id, string_agg((profile_id - 93510000)::text, ' ' ORDER BY profile_id) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9351 GROUP BY 1 ORDER BY 1;
-- an error in the look-up is an error, not a segment that is left out
BEGIN;
ALTER TABLE stratum.cdp_segments RENAME COLUMN slug TO short_name;
SELECT stratum._refresh_tenant_segments(9351);
ROLLBACK;

DELETE FROM stratum.cdp_segments WHERE tenant_id IN (9351, 9352);
DELETE FROM stratum.cdp_profiles WHERE tenant_id IN (9351, 9352);
SET client_min_messages = warning;
DROP SCHEMA reference_test CASCADE;
RESET client_min_messages;
DROP ROLE regress_stratum_references;
