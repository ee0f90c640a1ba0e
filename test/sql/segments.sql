-- Segments of a tenant: preview, live members, refreshed memberships, events.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9301, 'North', 'segments-north'), (9302, 'South', 'segments-south'), (9303, 'Gone', 'segments-gone');
UPDATE stratum.tenants SET is_deleted = true WHERE id = 9303;
CREATE ROLE regress_stratum_segments LOGIN IN ROLE stratum_app;
CREATE ROLE regress_stratum_segments_admin LOGIN IN ROLE stratum_admin;

-- ten profiles a tenant: ids end in the number n, trait n, and the South's are odd ones only
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email, traits)
SELECT 93010000 + n, 9301, md5('north' || n)::uuid, CASE WHEN n % 2 = 0 THEN 'n' || n || '@x.test' END, jsonb_build_object('n', n) FROM generate_series(1, 10) n
UNION ALL SELECT 93020000 + n, 9302, md5('south' || n)::uuid, NULL, jsonb_build_object('n', n) FROM generate_series(1, 9, 2) n;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, is_active, conditions) VALUES
  (930101, 9301, 'up to 5', true, '{"conditions": [{"field": "trait.n", "operator": "lte", "value": 5}]}'),
  (930102, 9301, 'with address', true, '{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}]}'),
  (930103, 9301, 'nobody', true, '{}'),
  (930104, 9301, 'asleep', false, '{"conditions": [{"field": "trait.n", "operator": "gte", "value": 9}]}'),
  (930201, 9302, 'all', true, '{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}'),
  (930301, 9303, 'of a deleted tenant', true, '{"logic": "not", "conditions": [{"field": "trait.n", "operator": "is_null"}]}');

SET SESSION AUTHORIZATION regress_stratum_segments;
-- without a tenant: no rows, and a refresh says what is missing
SELECT * FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}');
SELECT * FROM stratum.segment_profiles(930101);
SELECT * FROM stratum.profile_segments(93010001);
SELECT * FROM stratum.refresh_segment(930101);
\set VERBOSITY default
SELECT * FROM stratum.refresh_segments();
\set VERBOSITY terse
CALL stratum.refresh_all_segments();

BEGIN;
SELECT stratum.enter(9301);
-- ---- preview --------------------------------------------------------------------------------------
SELECT profile_count, jsonb_path_query_array(sample, '$[*].id') AS ids, sample -> 0 ? 'canonical_id' AS whole_rows
FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 5}]}', 3);
SELECT profile_count, jsonb_array_length(sample) AS sample FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}');
SELECT * FROM stratum.preview_segment('{}');
SELECT * FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "lte", "value": 5}]}', 0);
SAVEPOINT s;
SELECT * FROM stratum.preview_segment('{}', -1);
ROLLBACK TO s;
SELECT * FROM stratum.preview_segment('{}', 1001);
ROLLBACK TO s;
SELECT * FROM stratum.preview_segment('{}', NULL);
ROLLBACK TO s;
SELECT * FROM stratum.preview_segment('{"conditions": [{"field": "trait.n"}]}');
ROLLBACK TO s;
-- ---- live -----------------------------------------------------------------------------------------
SELECT profile_id FROM stratum.segment_profiles(930101) ORDER BY 1;
SELECT count(*) AS inactive_ones_too FROM stratum.segment_profiles(930104);
SELECT segment_id FROM stratum.profile_segments(93010002);
SELECT count(*) AS of_9 FROM stratum.profile_segments(93010009);
-- ids of nobody, and of another tenant
SELECT * FROM stratum.segment_profiles(1);
ROLLBACK TO s;
SELECT * FROM stratum.segment_profiles(930201);
ROLLBACK TO s;
SELECT * FROM stratum.segment_profiles(NULL);
ROLLBACK TO s;
SELECT * FROM stratum.profile_segments(93020001);
ROLLBACK TO s;
SELECT * FROM stratum.refresh_segment(930201);
ROLLBACK TO s;
SELECT * FROM stratum.refresh_segment(NULL);
ROLLBACK TO s;
SELECT * FROM stratum.refresh_segment(9223372036854775807);
ROLLBACK TO s;
-- ---- refresh --------------------------------------------------------------------------------------
SELECT * FROM stratum.refresh_segment(930101);
SELECT profile_id, added_at = now() AS now FROM stratum.cdp_segment_memberships ORDER BY 1;
SELECT profile_count, last_computed_at = now() AS now FROM stratum.cdp_segments WHERE id = 930101;
SELECT * FROM stratum.refresh_segments();
-- a member comes and one goes; the others' rows stay as they are
UPDATE stratum.cdp_profiles SET traits = '{"n": 77}' WHERE id = 93010001;
UPDATE stratum.cdp_profiles SET traits = '{"n": 0}' WHERE id = 93010010;
SELECT * FROM stratum.refresh_segments();
SELECT * FROM stratum.refresh_segments();
SELECT array_agg(profile_id ORDER BY profile_id) AS members FROM stratum.cdp_segment_memberships WHERE segment_id = 930101;
-- an inactive one by its id
SELECT * FROM stratum.refresh_segment(930104);
SELECT id, profile_count, last_computed_at IS NOT NULL AS computed FROM stratum.cdp_segments ORDER BY id;
-- a deleted profile takes its memberships along
DELETE FROM stratum.cdp_profiles WHERE id = 93010002;
SELECT * FROM stratum.refresh_segments();
COMMIT;
-- memberships cannot be written but by a refresh
BEGIN;
SELECT stratum.enter(9301);
DELETE FROM stratum.cdp_segment_memberships;
ROLLBACK;
-- the functions behind are nobody's
SELECT stratum._refresh(9302, NULL);
SELECT stratum._refresh_tenant_segments(9302);

-- ---- every tenant ---------------------------------------------------------------------------------
SET SESSION AUTHORIZATION regress_stratum_segments_admin;
CALL stratum.refresh_all_segments();
SELECT tenant_id, segment_id, count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id BETWEEN 9301 AND 9303 GROUP BY 1, 2 ORDER BY 1, 2;
SELECT id, profile_count, last_computed_at IS NULL AS never FROM stratum.cdp_segments WHERE tenant_id BETWEEN 9301 AND 9303 ORDER BY id;
BEGIN;
CALL stratum.refresh_all_segments();
ROLLBACK;
-- a tenant that fails is left out, the others are done, and the job hears of it
RESET SESSION AUTHORIZATION;
CREATE FUNCTION regress_segments_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF new.tenant_id = 9301 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN new; END $$;
CREATE TRIGGER aa_fail BEFORE UPDATE ON stratum.cdp_segments FOR EACH ROW EXECUTE FUNCTION regress_segments_fail();
UPDATE stratum.cdp_segments SET last_computed_at = '2001-01-01' WHERE tenant_id = 9302;
SET SESSION AUTHORIZATION regress_stratum_segments_admin;
CALL stratum.refresh_all_segments();
SELECT tenant_id, max(last_computed_at) > '2020-01-01' AS refreshed FROM stratum.cdp_segments WHERE tenant_id = 9302 GROUP BY 1;
RESET SESSION AUTHORIZATION;
DROP TRIGGER aa_fail ON stratum.cdp_segments;
DROP FUNCTION regress_segments_fail();
SET SESSION AUTHORIZATION regress_stratum_segments_admin;
-- an administrator who has entered a tenant sees that tenant's
BEGIN;
SELECT stratum.enter(9302);
SELECT profile_count FROM stratum.preview_segment('{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}');
SELECT * FROM stratum.refresh_segments();
COMMIT;

-- ---- events ---------------------------------------------------------------------------------------
RESET SESSION AUTHORIZATION;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, properties)
SELECT 9301, 93010003, 'Purchase', 'track', now() - d * interval '1 day', jsonb_build_object('total', d, 'item', jsonb_build_object('sku', 's' || d))
FROM unnest(ARRAY[1, 5, 40]) d
UNION ALL SELECT 9301, 93010004, 'Purchase', 'track', now() - interval '50 days', NULL
UNION ALL SELECT 9301, 93010005, 'Purchase', 'track', now() + interval '1 day', '{"total": -1}'
UNION ALL SELECT 9301, 93010003, 'page.view', 'page', '2024-05-01Z', '"scalar"'
UNION ALL SELECT 9302, 93020003, 'Purchase', 'track', now(), '{"total": 1}';
-- of two at the same time the later id is the latest
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, properties) VALUES
  (9301, 93010006, 'Same', 'track', '2024-05-01Z', '{"k": 1}'), (9301, 93010006, 'Same', 'track', '2024-05-01Z', '{"k": 2}');
CREATE FUNCTION pg_temp.who(field text, operator text, value jsonb DEFAULT NULL, within_days numeric DEFAULT NULL) RETURNS int[] LANGUAGE sql AS $$
  SELECT array_agg(p.id % 10000 ORDER BY p.id) FROM stratum.cdp_profiles p
  WHERE p.tenant_id BETWEEN 9301 AND 9302 AND stratum.segment_matches(jsonb_build_object('conditions', jsonb_build_array(
    jsonb_build_object('field', CASE WHEN field LIKE '[%' THEN field::jsonb ELSE to_jsonb(field) END, 'operator', operator, 'value', value, 'within_days', within_days))), p)
$$;
GRANT EXECUTE ON FUNCTION pg_temp.who TO PUBLIC;
SET SESSION AUTHORIZATION regress_stratum_segments;
BEGIN;
SELECT stratum.enter(9301);
SELECT pg_temp.who('event.Purchase.count', 'gte', '1') AS count, pg_temp.who('event.Purchase.count', 'equals', '3') AS three, pg_temp.who('event.Purchase.count', 'equals', '2', 30) AS two_in_30_days,
  pg_temp.who('event.Purchase.count', 'gte', '1', 45) AS in_45_days, pg_temp.who('event.Purchase.exists', 'equals', 'false') AS none;
SELECT pg_temp.who('event.Purchase.last', 'within_last', '2') AS last, pg_temp.who('event.Purchase.first', 'within_last', '30') AS first, pg_temp.who('event.Purchase.first', 'within_last', '30', 10) AS first_in_10_days,
  pg_temp.who('event.Purchase.last', 'is_null') AS no_last, pg_temp.who('event.Purchase.last', 'gte', '"2000-01-01"') AS ordered, pg_temp.who('event.purchase.exists', 'equals', 'true') AS exact_name;
SELECT pg_temp.who('event.Purchase.property.total', 'equals', '1') AS latest, pg_temp.who('event.Purchase.property.item.sku', 'starts_with', '"S1"') AS nested, pg_temp.who('event.Purchase.property.total', 'equals', '-1') AS in_future,
  pg_temp.who('event.Purchase.property.total', 'is_not_null', NULL, 60) AS in_window, pg_temp.who('["event", "page.view", "count"]', 'equals', '1') AS dotted, pg_temp.who('["event", "page.view", "property", "x"]', 'is_not_null') AS scalar_properties,
  pg_temp.who('event.Same.property.k', 'equals', '2') AS later_id;
COMMIT;
-- another tenant's events do not count, and none without a tenant
BEGIN;
SELECT stratum.enter(9302);
SELECT pg_temp.who('event.Purchase.count', 'gte', '1') AS south;
COMMIT;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.who('event.Purchase.count', 'gte', '1') AS superuser;
-- several conditions on one event, and a plan that survives the table's change
SELECT array_agg(p.id % 10000 ORDER BY p.id) AS both FROM stratum.cdp_profiles p WHERE tenant_id = 9301 AND stratum.segment_matches('{"conditions": [
  {"field": "event.Purchase.count", "operator": "equals", "value": 3}, {"field": "event.Purchase.property.total", "operator": "equals", "value": 1},
  {"field": "event.Purchase.count", "operator": "equals", "value": 1, "within_days": 2}, {"field": "event.Purchase.last", "operator": "within_last", "value": 2}]}', p);
ALTER TABLE stratum.cdp_events ADD COLUMN seen boolean;
SELECT pg_temp.who('event.Purchase.count', 'equals', '3') AS after_alter;
ALTER TABLE stratum.cdp_events DROP COLUMN seen;
-- nobody's functions are called, whatever stands in the search_path
CREATE SCHEMA regress_evil;
CREATE FUNCTION regress_evil.eq(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
CREATE OPERATOR regress_evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_evil.eq);
CREATE FUNCTION regress_evil.count(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
SET search_path = regress_evil, pg_catalog, public;
SELECT pg_temp.who('event.Purchase.count', 'equals', '3') AS safe;
RESET search_path;
DROP SCHEMA regress_evil CASCADE;
-- in parallel workers, who know the tenant
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SET SESSION AUTHORIZATION regress_stratum_segments;
BEGIN;
SELECT stratum.enter(9301);
SELECT count(*) FROM stratum.cdp_profiles p
WHERE stratum.segment_matches('{"conditions": [{"field": "event.Purchase.count", "operator": "gte", "value": 1}]}', p);
COMMIT;
RESET SESSION AUTHORIZATION;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- ---- a definition that has lost its meaning -------------------------------------------------------
ALTER TABLE stratum.cdp_profiles ADD COLUMN vip boolean;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (930105, 9301, 'vips', '{"conditions": [{"field": "profile.vip", "operator": "equals", "value": true}]}');
UPDATE stratum.cdp_profiles SET vip = true WHERE id = 93010003;
BEGIN;
SELECT stratum.enter(9301);
SELECT * FROM stratum.refresh_segments();
COMMIT;
ALTER TABLE stratum.cdp_profiles DROP COLUMN vip;
BEGIN;
SELECT stratum.enter(9301);
SELECT * FROM stratum.refresh_segments();
SELECT * FROM stratum.profile_segments(93010003);
SAVEPOINT s;
SELECT * FROM stratum.refresh_segment(930105);
ROLLBACK TO s;
SELECT * FROM stratum.segment_profiles(930105);
ROLLBACK;
-- bookkeeping leaves no trail
SELECT count(*) AS entries FROM stratum.audit_logs WHERE tenant_id = 9301 AND resource_type = 'cdp_segments' AND action = 'update';

DELETE FROM stratum.cdp_events WHERE tenant_id BETWEEN 9301 AND 9303;
DELETE FROM stratum.cdp_segments WHERE tenant_id BETWEEN 9301 AND 9303;
DELETE FROM stratum.cdp_profiles WHERE tenant_id BETWEEN 9301 AND 9303;
DROP ROLE regress_stratum_segments, regress_stratum_segments_admin;
