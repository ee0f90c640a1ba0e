-- Segments whose memberships every write keeps current, and the history of memberships.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
INSERT INTO stratum.tenants (id, name, slug) VALUES (9601, 'Live', 'live-one'), (9602, 'Other', 'live-two');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits)
SELECT t * 10000 + n, t, md5('live' || t || n)::uuid, jsonb_build_object('n', n) FROM generate_series(1, 10) n, unnest('{9601,9602}'::int[]) t;
CREATE FUNCTION pg_temp.def(field text, operator text, value text DEFAULT NULL) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'value', value::jsonb))))
$$;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions)
SELECT t * 10000 + n, t, name, definition
FROM unnest('{9601,9602}'::int[]) t, (VALUES (1, 'many', pg_temp.def('trait.n', 'gte', '8')), (2, 'buyers', pg_temp.def('event.Buy.count', 'gte', '2')), (3, 'not live', pg_temp.def('trait.n', 'gte', '8'))) s (n, name, definition);
-- Who is in, by the last digits: segment: profiles.
CREATE VIEW pg_temp.members AS
SELECT string_agg(members, '  ' ORDER BY members) AS members FROM (
  SELECT segment_id % 10000 || ': ' || string_agg((profile_id % 10000)::text, ' ' ORDER BY profile_id) AS members
  FROM stratum.cdp_segment_memberships WHERE tenant_id = 9601 GROUP BY segment_id) m;
CREATE VIEW pg_temp.stays AS
SELECT segment_id % 10000 AS segment, profile_id % 10000 AS profile, count(*) AS stays, count(left_at) AS over, bool_and(entered_at <= coalesce(left_at, entered_at)) AS in_order
FROM stratum.cdp_segment_history WHERE tenant_id = 9601 GROUP BY 1, 2 ORDER BY 1, 2;
-- Whether a refresh of a tenant finds anything to do, then taken back.
CREATE FUNCTION pg_temp.is_settled(tenant int DEFAULT 9601) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  result boolean;
BEGIN
  PERFORM stratum.enter(tenant);
  SELECT coalesce(sum(r.added + r.removed), 0) = 0 INTO result FROM stratum.refresh_segments() r JOIN stratum.cdp_segment_options o ON o.segment_id = r.segment_id AND o.is_live;
  RAISE EXCEPTION USING message = result;
EXCEPTION WHEN raise_exception THEN
  RETURN SQLERRM::boolean;
END $$;
CREATE FUNCTION pg_temp.buy(profile int, times int DEFAULT 1) RETURNS void LANGUAGE sql AS $$
  INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) SELECT profile / 10000, profile, 'Buy', 'track', now() FROM generate_series(1, times)
$$;

-- ---- options --------------------------------------------------------------------------------------------------
SELECT stratum.set_segment_options(96010001, true);
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SAVEPOINT s;
SELECT stratum.set_segment_options(NULL, true);
ROLLBACK TO s;
SELECT stratum.set_segment_options(96020001, true);
ROLLBACK TO s;
SELECT stratum.set_segment_options(96010001, is_live => true, keeps_history => true) \g /dev/null
SELECT stratum.set_segment_options(96010002, keeps_history => true) \g /dev/null
SELECT stratum.set_segment_options(96010002, is_live => true) \g /dev/null
SELECT stratum.set_segment_options(96010003) \g /dev/null
-- at once, in the same transaction
SELECT * FROM pg_temp.members;
COMMIT;
SELECT segment_id, is_live, keeps_history FROM stratum.cdp_segment_options WHERE tenant_id = 9601 ORDER BY 1;
SELECT id, profile_count, last_computed_at IS NOT NULL AS computed FROM stratum.cdp_segments WHERE tenant_id = 9601 ORDER BY id;
SELECT * FROM pg_temp.stays;
-- what was set is in the audit trail
SELECT action, resource_id, new_values - 'tenant_id' AS new_values FROM stratum.audit_logs WHERE resource_type = 'cdp_segment_options' AND tenant_id = 9601 ORDER BY id;

-- ---- profiles -------------------------------------------------------------------------------------------------
UPDATE stratum.cdp_profiles SET traits = '{"n": 20}' WHERE id = 96010001;
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_profiles SET traits = NULL WHERE id IN (96010008, 96010009);
SELECT * FROM pg_temp.members;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) VALUES (96010011, 9601, md5('11')::uuid, '{"n": 9}'), (96010012, 9601, md5('12')::uuid, '{"n": 1}');
SELECT * FROM pg_temp.members;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) VALUES (96010012, 9601, md5('12')::uuid, '{"n": 30}') ON CONFLICT (id) DO UPDATE SET traits = EXCLUDED.traits;
SELECT * FROM pg_temp.members;
DELETE FROM stratum.cdp_profiles WHERE id IN (96010011, 96010012);
SELECT * FROM pg_temp.members;
-- a column that no live segment asks about
UPDATE stratum.cdp_profiles SET last_seen_at = now() WHERE tenant_id = 9601;
SELECT pg_temp.is_settled();
SELECT * FROM pg_temp.stays;

-- ---- events ---------------------------------------------------------------------------------------------------
SELECT pg_temp.buy(96010002) \g /dev/null
SELECT * FROM pg_temp.members;
SELECT pg_temp.buy(96010002) \g /dev/null
SELECT * FROM pg_temp.members;
-- known later who it was; moved; of another name; gone
INSERT INTO stratum.cdp_events (tenant_id, event_name, event_type, timestamp, anonymous_id) VALUES (9601, 'Buy', 'track', now(), 'x'), (9601, 'Buy', 'track', now(), 'x');
UPDATE stratum.cdp_events SET profile_id = 96010003 WHERE anonymous_id = 'x';
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_events SET profile_id = 96010004 WHERE profile_id = 96010003;
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_events SET event_name = 'Sell' WHERE profile_id = 96010004;
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_events SET event_name = 'Buy' WHERE profile_id = 96010004;
DELETE FROM stratum.cdp_events WHERE profile_id = 96010002;
SELECT * FROM pg_temp.members;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) SELECT 9601, 96010000 + n % 4 + 5, 'Visit', 'page', now() FROM generate_series(1, 100) n;
COPY stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) FROM STDIN;
9601	96010005	Buy	track	2026-01-01
9601	96010005	Buy	track	2026-01-02
9601	96010006	Buy	track	2026-01-02
\.
SELECT * FROM pg_temp.members;
SELECT pg_temp.is_settled();
SELECT * FROM pg_temp.stays WHERE segment = 2;

-- ---- transactions ---------------------------------------------------------------------------------------------
BEGIN;
SELECT pg_temp.buy(96010007, 2) \g /dev/null
SELECT * FROM pg_temp.members;
SELECT stratum.settle_segments();
SELECT * FROM pg_temp.members;
SELECT stratum.settle_segments();
ROLLBACK;
SELECT * FROM pg_temp.members;
SELECT stratum.settle_segments();
-- what is rolled back to a savepoint does not count, also if it was settled
BEGIN;
SELECT pg_temp.buy(96010007) \g /dev/null
SAVEPOINT s;
SELECT pg_temp.buy(96010007) \g /dev/null
SELECT stratum.settle_segments();
SELECT * FROM pg_temp.members;
ROLLBACK TO s;
SELECT * FROM pg_temp.members;
COMMIT;
SELECT * FROM pg_temp.members;
BEGIN;
SAVEPOINT s;
SELECT pg_temp.buy(96010007) \g /dev/null
RELEASE s;
COMMIT;
SELECT * FROM pg_temp.members;
DELETE FROM stratum.cdp_events WHERE profile_id = 96010007;
-- nothing that waits for the commit keeps a table from being changed
BEGIN;
SELECT pg_temp.buy(96010007, 2) \g /dev/null
ALTER TABLE stratum.cdp_events ADD COLUMN mine int;
ALTER TABLE stratum.cdp_events DROP COLUMN mine;
ALTER TABLE stratum.cdp_profiles ADD COLUMN mine int;
ALTER TABLE stratum.cdp_profiles DROP COLUMN mine;
COMMIT;
SELECT * FROM pg_temp.members;
-- a transaction with one snapshot, and one that only reads
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.buy(96010008, 2) \g /dev/null
SELECT stratum.settle_segments();
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
DELETE FROM stratum.cdp_events WHERE profile_id = 96010007;
COMMIT;
SELECT * FROM pg_temp.members;
BEGIN READ ONLY; SELECT stratum.settle_segments(); COMMIT;
-- several tenants at once, without a context
BEGIN;
UPDATE stratum.cdp_profiles SET traits = '{"n": 50}' WHERE id IN (96020001, 96010009);
COMMIT;
SELECT * FROM pg_temp.members;
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9602;

-- ---- an application, which may not write memberships -------------------------------------------------------------
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SET LOCAL ROLE stratum_app;
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT 96010009, 'Buy', 'track', now() FROM generate_series(1, 2);
SELECT stratum.settle_segments();
SELECT count(*) FROM stratum.cdp_segment_options;
SAVEPOINT s;
INSERT INTO stratum.cdp_segment_options (segment_id, is_live) VALUES (96010003, true);
ROLLBACK TO s;
UPDATE stratum.cdp_segment_history SET left_at = NULL;
ROLLBACK TO s;
DELETE FROM stratum.cdp_segment_memberships;
ROLLBACK TO s;
SELECT stratum._note_all(9601);
ROLLBACK TO s;
SELECT stratum._lock_live(9601);
ROLLBACK TO s;
COMMIT;
SELECT * FROM pg_temp.members;
BEGIN; SELECT stratum.enter(9602) \g /dev/null
SET LOCAL ROLE stratum_app;
SELECT count(*) FROM stratum.cdp_segment_options;
SELECT count(*) FROM stratum.cdp_segment_history;
ROLLBACK;

-- ---- definitions ----------------------------------------------------------------------------------------------
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('trait.n', 'less_than', '4') WHERE id = 96010001;
SELECT * FROM pg_temp.members;
SELECT id, profile_count FROM stratum.cdp_segments WHERE id = 96010001;
-- one that is not active stays as it is
UPDATE stratum.cdp_segments SET is_active = false WHERE id = 96010001;
UPDATE stratum.cdp_profiles SET traits = '{"n": 0}' WHERE id = 96010010;
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_segments SET is_active = true WHERE id = 96010001;
SELECT * FROM pg_temp.members;
-- in the same transaction as what is written, and taken back
BEGIN;
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('trait.n', 'equals', '7') WHERE id = 96010001;
UPDATE stratum.cdp_profiles SET traits = '{"n": 7}' WHERE id = 96010010;
SELECT stratum.settle_segments();
SELECT * FROM pg_temp.members;
ROLLBACK;
SELECT * FROM pg_temp.members;
SELECT pg_temp.is_settled();
-- one that has lost its meaning
ALTER TABLE stratum.cdp_profiles ADD COLUMN mine int;
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('profile.mine', 'equals', '1') WHERE id = 96010001;
UPDATE stratum.cdp_profiles SET mine = 1 WHERE id = 96010002;
SELECT * FROM pg_temp.members;
ALTER TABLE stratum.cdp_profiles ALTER COLUMN mine TYPE bigint;
UPDATE stratum.cdp_profiles SET mine = 1 WHERE id = 96010003;
SELECT * FROM pg_temp.members;
ALTER TABLE stratum.cdp_profiles DROP COLUMN mine;
SELECT pg_temp.buy(96010001, 2) \g /dev/null
SELECT * FROM pg_temp.members;
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('trait.n', 'gte', '8') WHERE id = 96010001;
SELECT * FROM pg_temp.members;
-- one that goes takes its memberships, options and history along
BEGIN;
DELETE FROM stratum.cdp_segments WHERE id = 96010001;
SELECT pg_temp.buy(96010003, 2) \g /dev/null
UPDATE stratum.cdp_profiles SET traits = '{"n": 77}' WHERE id = 96010003;
SELECT stratum.settle_segments();
SELECT * FROM pg_temp.members;
SELECT count(*) FROM stratum.cdp_segment_history WHERE segment_id = 96010001;
ROLLBACK;
SELECT * FROM pg_temp.members;
-- live no more: it waits for a refresh, as others do
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SELECT stratum.set_segment_options(96010001, is_live => false) \g /dev/null
COMMIT;
UPDATE stratum.cdp_profiles SET traits = '{"n": 99}' WHERE id IN (96010001, 96010002);
SELECT * FROM pg_temp.members;
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SELECT added, removed FROM stratum.refresh_segment(96010001);
SELECT stratum.set_segment_options(96010001, is_live => true) \g /dev/null
COMMIT;
-- all events at once
BEGIN;
TRUNCATE stratum.cdp_events;
SELECT stratum.settle_segments() > 0;
SELECT * FROM pg_temp.members;
ROLLBACK;

-- ---- history --------------------------------------------------------------------------------------------------
SELECT * FROM pg_temp.stays WHERE segment = 1;
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SELECT stratum.set_segment_options(96010001, keeps_history => false) \g /dev/null
SELECT count(*) FILTER (WHERE left_at IS NULL) FROM stratum.cdp_segment_history WHERE segment_id = 96010001;
SELECT stratum.set_segment_options(96010001, keeps_history => true) \g /dev/null
SELECT count(*) FILTER (WHERE left_at IS NULL) FROM stratum.cdp_segment_history WHERE segment_id = 96010001;
COMMIT;
SELECT count(*) AS overlapping FROM stratum.cdp_segment_history a JOIN stratum.cdp_segment_history b USING (segment_id, profile_id)
WHERE a.id < b.id AND (a.entered_at, coalesce(a.left_at, 'infinity')) OVERLAPS (b.entered_at, coalesce(b.left_at, 'infinity'));
-- a refresh of a segment that is not live writes it too
BEGIN; SELECT stratum.enter(9601) \g /dev/null
SELECT stratum.set_segment_options(96010003, keeps_history => true) \g /dev/null
SELECT added, removed FROM stratum.refresh_segment(96010003);
UPDATE stratum.cdp_profiles SET traits = '{"n": 1}' WHERE id = 96010001;
SELECT added, removed FROM stratum.refresh_segment(96010003);
SELECT profile, stays, over FROM pg_temp.stays WHERE segment = 3;
ROLLBACK;
-- the erasure of a profile takes it along
BEGIN;
DELETE FROM stratum.cdp_events WHERE profile_id = 96010001;
DELETE FROM stratum.cdp_profiles WHERE id = 96010001;
SELECT count(*) FROM stratum.cdp_segment_history WHERE profile_id = 96010001;
ROLLBACK;
-- the size over time
DELETE FROM stratum.cdp_segment_history WHERE tenant_id = 9602;
INSERT INTO stratum.cdp_segment_history (tenant_id, segment_id, profile_id, entered_at, left_at) VALUES
  (9602, 96020001, 96020001, '2026-01-01', NULL), (9602, 96020001, 96020002, '2026-01-02 12:00', '2026-01-04'), (9602, 96020001, 96020003, '2026-01-03', '2026-01-03 01:00'),
  (9602, 96020001, 96020003, '2026-01-05 00:00:00.000001', NULL);
BEGIN; SELECT stratum.enter(9602) \g /dev/null
SET LOCAL ROLE stratum_app;
SELECT at AT TIME ZONE 'UTC' AS at, size FROM stratum.segment_size_history(96020001, '2025-12-31', '2026-01-06');
SELECT at AT TIME ZONE 'UTC' AS at, size FROM stratum.segment_size_history(96020001, '2026-01-03', '2026-01-03 02:00', '30 minutes');
SELECT count(*) > 100 AS daily, max(size) FROM stratum.segment_size_history(96020001, '2026-01-01');
SELECT count(*) FROM stratum.segment_size_history(96020001, '2026-01-02', '2026-01-01');
SAVEPOINT s;
SELECT * FROM stratum.segment_size_history(96010001, '2026-01-01');
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020002, '2026-01-01');
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020001, NULL);
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020001, '2026-01-01', step => '0');
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020001, '2026-01-01', step => '-1 day');
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020001, '-infinity');
ROLLBACK TO s;
SELECT * FROM stratum.segment_size_history(96020001, '1900-01-01', '2026-01-01', '1 minute');
ROLLBACK;
SELECT count(*) FROM stratum.segment_size_history(96020001, '2026-01-01');

-- ---- many at once, and what users put on the table ---------------------------------------------------------------
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) SELECT 96011000 + n, 9601, md5('bulk' || n)::uuid, jsonb_build_object('n', n) FROM generate_series(1, 3000) n;
SELECT segment_id, count(*) FROM stratum.cdp_segment_memberships WHERE profile_id > 96011000 GROUP BY 1;
SELECT count(*), count(left_at) FROM stratum.cdp_segment_history WHERE profile_id > 96011000;
UPDATE stratum.cdp_profiles SET traits = '{}' WHERE id > 96011000 AND tenant_id = 9601;
SELECT segment_id, count(*) FROM stratum.cdp_segment_memberships WHERE profile_id > 96011000 AND tenant_id = 9601 GROUP BY 1;
SELECT count(*), count(left_at) FROM stratum.cdp_segment_history WHERE profile_id > 96011000 AND tenant_id = 9601;
SHOW session_replication_role;
DELETE FROM stratum.cdp_profiles WHERE id > 96011000 AND tenant_id = 9601;
-- a trigger that writes profiles is heard
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('computed.in', 'is_not_null') WHERE id = 96010001;
CREATE FUNCTION public.regress_note_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.segment_id = 96010002 THEN UPDATE stratum.cdp_profiles SET computed_traits = '{"in": true}' WHERE id = NEW.profile_id; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER regress AFTER INSERT ON stratum.cdp_segment_memberships FOR EACH ROW EXECUTE FUNCTION public.regress_note_member();
SELECT pg_temp.buy(96010007, 2) \g /dev/null
SELECT * FROM pg_temp.members;
SELECT pg_temp.is_settled();
-- and one that never comes to rest is refused
CREATE OR REPLACE FUNCTION public.regress_note_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE stratum.cdp_profiles SET computed_traits = CASE TG_OP WHEN 'INSERT' THEN '{}' ELSE '{"in": 1}' END::jsonb WHERE id = coalesce(NEW.profile_id, OLD.profile_id);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER regress AFTER INSERT OR DELETE ON stratum.cdp_segment_memberships FOR EACH ROW EXECUTE FUNCTION public.regress_note_member();
UPDATE stratum.cdp_profiles SET computed_traits = '{"in": 1}' WHERE id = 96010006;
SELECT computed_traits FROM stratum.cdp_profiles WHERE id = 96010006;
DROP TRIGGER regress ON stratum.cdp_segment_memberships;
-- a deferred one fires, and an error in it ends the transaction
CREATE OR REPLACE FUNCTION public.regress_note_member() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no members wanted'; END $$;
CREATE CONSTRAINT TRIGGER regress AFTER INSERT ON stratum.cdp_segment_memberships DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.regress_note_member();
UPDATE stratum.cdp_profiles SET computed_traits = '{"in": 1}' WHERE id = 96010006;
SELECT computed_traits FROM stratum.cdp_profiles WHERE id = 96010006;
DROP FUNCTION public.regress_note_member() CASCADE;
SELECT * FROM pg_temp.members;
SELECT pg_temp.is_settled();
SELECT * FROM stratum.check_install();

DELETE FROM stratum.cdp_events WHERE tenant_id IN (9601, 9602);
DELETE FROM stratum.cdp_segments WHERE tenant_id IN (9601, 9602);
DELETE FROM stratum.cdp_profiles WHERE tenant_id IN (9601, 9602);
SELECT count(*) FROM stratum.cdp_segment_options WHERE tenant_id IN (9601, 9602);
