-- Events as they come in: ingest_event(), ingest_events(); and merge_profiles().
\set VERBOSITY default
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, settings) VALUES (9401, 'North', 'ingest-north', '{}'), (9402, 'South', 'ingest-south', '{"ingest": {"purchase_events": ["Kauf"]}}');
CREATE ROLE regress_stratum_ingest LOGIN IN ROLE stratum_app;
-- what there is, in the order in which it was made, under names that do not change from run to run
CREATE SCHEMA ingest_test;
CREATE VIEW ingest_test.profile WITH (security_invoker) AS
  SELECT dense_rank() OVER (ORDER BY p.id) AS n, p.external_id AS external, p.email, left(p.email_hash, 6) AS hash, p.anonymous_id AS anonymous, p.lifecycle_stage AS stage,
    (p.first_seen_at AT TIME ZONE 'UTC')::date AS first, (p.last_seen_at AT TIME ZONE 'UTC')::date AS last, p.traits,
    (SELECT count(*) FROM stratum.cdp_events e WHERE e.profile_id = p.id) AS events,
    (SELECT string_agg(left(a.kind, 1) || ':' || left(a.value, 6), ' ' ORDER BY a.kind, a.value) FROM stratum.cdp_profile_aliases a WHERE a.profile_id = p.id) AS aliases
  FROM stratum.cdp_profiles p WHERE p.tenant_id = stratum.current_tenant_id();
GRANT USAGE ON SCHEMA ingest_test TO stratum_app;
GRANT SELECT ON ingest_test.profile TO stratum_app;

SET SESSION AUTHORIZATION regress_stratum_ingest;
SELECT * FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a1"}');
BEGIN;
SELECT stratum.enter(9401);
-- ---- one person, told of bit by bit ---------------------------------------------------------------
SELECT outcome, event_id IS NOT NULL AS stored, profile_id IS NOT NULL AS known
FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a1", "timestamp": "2025-03-01T10:00:00Z", "properties": {"page": "/"}}');
SELECT * FROM ingest_test.profile;
-- the same device logs in
SELECT outcome FROM stratum.ingest_event('{"event_name": "Login", "anonymous_id": "a1", "email": " Mia@Example.com ", "timestamp": "2025-03-02", "traits": {"plan": "free"}}');
SELECT * FROM ingest_test.profile;
-- another device of the same address; then that device alone
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a2", "email": "mia@example.com", "timestamp": "2025-03-03"}');
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a2", "timestamp": "2025-02-03"}');
SELECT outcome FROM stratum.ingest_event('{"event_name": "Purchase", "external_id": "c-1", "email_hash": "0dc6a8ae5e6a8a4fd0a4a3ff3b3d0ae8ef3a17ba8e1d2a1a7dd2b1a9dcb3d9f0", "timestamp": "2025-03-04"}');
SELECT * FROM ingest_test.profile;
SELECT outcome FROM stratum.ingest_event('{"event_name": "Purchase", "external_id": "c-2", "email": "mia@example.com", "timestamp": "2025-03-05", "traits": {"plan": "pro", "ltv": 5}}');
SELECT * FROM ingest_test.profile;
-- a shared device: another address is another person, and the device stays whose it was
SELECT outcome FROM stratum.ingest_event('{"event_name": "Login", "anonymous_id": "a1", "email": "noah@example.com", "timestamp": "2025-03-06"}');
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a1", "timestamp": "2025-03-07"}');
-- the client's own id of the person decides before all others
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "canonical_id": "00000000-0000-4000-8000-000000000001", "email": "mia@example.com", "timestamp": "2025-03-08"}');
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "canonical_id": "00000000-0000-4000-8000-000000000001", "anonymous_id": "a4", "timestamp": "2025-03-08"}');
SELECT n, external, email, hash, anonymous, stage, first, last, events, aliases FROM ingest_test.profile;
-- once per message
SELECT a.outcome, b.outcome, a.event_id = b.event_id AS same_event, a.profile_id = b.profile_id AS same_profile
FROM stratum.ingest_event('{"event_name": "View", "anonymous_id": "a1", "message_id": "00000000-0000-4000-8000-0000000000aa", "timestamp": "2025-03-09"}') a,
     stratum.ingest_event('{"event_name": "View again", "anonymous_id": "a1", "message_id": "00000000-0000-4000-8000-0000000000AA", "timestamp": "2025-03-19"}') b;
SELECT last FROM ingest_test.profile WHERE n = 1;
-- an encrypted address names nobody by itself; a time to come is no last contact
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "email": "gAAAAA", "external_id": "c-9", "timestamp": "2999-01-01", "event_type": "page", "context": null, "properties": null, "message_id": ""}');
SELECT external, email, last = (now() AT TIME ZONE 'UTC')::date AS today FROM ingest_test.profile WHERE external = 'c-9';
SELECT event_type, properties, context, message_id FROM stratum.cdp_events ORDER BY id DESC LIMIT 1;
ROLLBACK;

-- ---- hashes in another letter case ----------------------------------------------------------------
BEGIN;
SELECT stratum.enter(9401);
SELECT stratum.email_hash('mia@example.com') AS hash, upper(stratum.email_hash('mia@example.com')) AS upper_hash, upper(stratum.email_hash('noah@example.com')) AS other_hash \gset
SELECT count(DISTINCT profile_id) AS people FROM stratum.ingest_events(jsonb_build_array(
  jsonb_build_object('event_name', 'View', 'email_hash', :'upper_hash'), jsonb_build_object('event_name', 'View', 'email_hash', :'hash'),
  jsonb_build_object('event_name', 'View', 'email', 'mia@example.com'), jsonb_build_object('event_name', 'View', 'email_hash', initcap(:'hash'))));
SELECT outcome FROM stratum.ingest_event(jsonb_build_object('event_name', 'View', 'email_hash', :'upper_hash', 'external_id', 'c-1'));
SELECT email_hash = :'hash' AS in_lower_case, external_id FROM stratum.cdp_profiles;
-- a profile that was written with such a one is found, by either, and no other gets the hash
INSERT INTO stratum.cdp_profiles (canonical_id, external_id, email_hash) VALUES ('00000000-0000-4000-8000-000000000001', 'c-2', :'other_hash');
SELECT count(DISTINCT profile_id) AS people FROM stratum.ingest_events(jsonb_build_array(
  jsonb_build_object('event_name', 'View', 'email_hash', :'other_hash'), jsonb_build_object('event_name', 'View', 'email', 'noah@example.com', 'external_id', 'c-2')));
SELECT outcome FROM stratum.ingest_event(jsonb_build_object('event_name', 'View', 'canonical_id', '00000000-0000-4000-8000-000000000002', 'email', 'noah@example.com'));
SELECT external_id, email_hash = :'other_hash' AS as_written FROM stratum.cdp_profiles ORDER BY id;
-- merged into another one, its hash still leads to it
SELECT stratum.merge_profiles(a.id, b.id) FROM stratum.cdp_profiles a, stratum.cdp_profiles b WHERE a.external_id = 'c-1' AND b.external_id = 'c-2';
SELECT p.external_id FROM stratum.ingest_event(jsonb_build_object('event_name', 'View', 'email_hash', :'other_hash')) e JOIN stratum.cdp_profiles p ON p.id = e.profile_id;
-- what is no hash is refused
SAVEPOINT s;
SELECT outcome FROM stratum.ingest_event(jsonb_build_object('event_name', 'View', 'email_hash', left(:'hash', 63) || 'g'));
ROLLBACK TO s;
SELECT outcome FROM stratum.ingest_event(jsonb_build_object('event_name', 'View', 'email_hash', left(:'hash', 63)));
ROLLBACK;

-- ---- many at once: as one after the other ---------------------------------------------------------
BEGIN;
SELECT stratum.enter(9401);
SELECT place, outcome, dense_rank() OVER (ORDER BY profile_id) AS profile FROM stratum.ingest_events('[
  {"event_name": "View", "anonymous_id": "a1", "timestamp": "2025-03-01"},
  {"event_name": "View", "anonymous_id": "b1", "timestamp": "2025-03-01", "message_id": "00000000-0000-4000-8000-000000000001"},
  {"event_name": "Login", "anonymous_id": "a1", "email": "mia@example.com", "timestamp": "2025-03-02", "traits": {"plan": "free", "city": "Bonn"}},
  {"event_name": "View", "email": "MIA@example.com", "timestamp": "2025-03-03", "traits": {"plan": "pro"}},
  {"event_name": "View", "anonymous_id": "b1", "timestamp": "2025-03-04", "message_id": "00000000-0000-4000-8000-000000000001", "traits": {"not": "taken"}},
  {"event_name": "Order Completed", "email": "mia@example.com", "external_id": "c-1", "timestamp": "2025-03-01"},
  {"event_name": "View", "external_id": "c-1", "timestamp": "2024-03-01", "traits": {"plan": "trial"}}]') ORDER BY place;
SELECT * FROM ingest_test.profile;
SELECT count(*) FROM stratum.ingest_events('[]');
SELECT outcome, count(*), count(DISTINCT profile_id) FROM stratum.ingest_events((SELECT jsonb_agg(jsonb_build_object('event_name', 'View', 'external_id', 'many-' || n % 100,
  'message_id', md5('many' || n % 900)::uuid, 'timestamp', '2025-01-01')) FROM generate_series(1, 1000) n)) GROUP BY 1 ORDER BY 1;
SELECT outcome, count(*) FROM stratum.ingest_events((SELECT jsonb_agg(jsonb_build_object('event_name', 'View', 'external_id', 'many-' || n % 100,
  'message_id', md5('many' || n % 900)::uuid, 'timestamp', '2025-01-01')) FROM generate_series(1, 1000) n)) GROUP BY 1 ORDER BY 1;
ROLLBACK;
-- an event that is there already tells nothing, whomever it names when it comes again: no profile, no name
BEGIN;
SELECT stratum.enter(9401);
SELECT outcome FROM stratum.ingest_events('[{"event_name": "View", "external_id": "once", "message_id": "00000000-0000-4000-8000-0000000000c1"}, {"event_name": "View", "external_id": "twice"}]');
SELECT place, outcome, first_value(event_id) OVER (ORDER BY place) = event_id AS as_first FROM stratum.ingest_events('[
  {"event_name": "View", "external_id": "once", "email": "once@example.com", "anonymous_id": "o1", "message_id": "00000000-0000-4000-8000-0000000000c1"},
  {"event_name": "View", "external_id": "stranger", "message_id": "00000000-0000-4000-8000-0000000000c1"},
  {"event_name": "View", "external_id": "new", "message_id": "00000000-0000-4000-8000-0000000000c2"},
  {"event_name": "View", "external_id": "repeated", "message_id": "00000000-0000-4000-8000-0000000000c2"},
  {"event_name": "View", "external_id": "later", "message_id": "00000000-0000-4000-8000-0000000000c2"},
  {"event_name": "View", "external_id": "later", "email": "later@example.com"},
  {"event_name": "View", "external_id": "twice", "anonymous_id": "t1", "message_id": "00000000-0000-4000-8000-0000000000c1"},
  {"event_name": "View", "external_id": "twice"}]') ORDER BY place;
SELECT n, external, email, anonymous, events, aliases FROM ingest_test.profile;
-- nor does it bring back who has been erased
SELECT stratum.anonymize_profile(id) FROM stratum.cdp_profiles WHERE external_id = 'once';
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "external_id": "once", "email": "once@example.com", "message_id": "00000000-0000-4000-8000-0000000000c1"}');
SELECT count(*) FROM ingest_test.profile WHERE external = 'once' OR email LIKE 'once%';
ROLLBACK;
-- which events make a customer is the tenant's; stages that are not of the known order stay
BEGIN;
SELECT stratum.enter(9402);
INSERT INTO stratum.cdp_profiles (canonical_id, external_id, lifecycle_stage) VALUES (gen_random_uuid(), 'vip', 'vip'), (gen_random_uuid(), 'none', NULL);
SELECT FROM stratum.ingest_events('[{"event_name": "Purchase", "external_id": "x"}, {"event_name": "Kauf", "external_id": "y"}, {"event_name": "Kauf", "external_id": "vip"}, {"event_name": "Kauf", "external_id": "none"}]');
SELECT external, stage FROM ingest_test.profile ORDER BY external;
ROLLBACK;

-- ---- what is refused ------------------------------------------------------------------------------
BEGIN;
SELECT stratum.enter(9401);
SAVEPOINT s;
SELECT * FROM stratum.ingest_events('{"event_name": "View"}');
ROLLBACK TO s;
SELECT * FROM stratum.ingest_events(NULL);
ROLLBACK TO s;
CREATE FUNCTION pg_temp.fault(event jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM stratum.ingest_events(jsonb_build_array('{"event_name": "good", "external_id": "good"}'::jsonb, event));
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT left(e.event::text, 60) AS event, pg_temp.fault('{"event_name": "View", "external_id": "x"}'::jsonb || e.event) FROM (VALUES
  ('{"event_name": null}'::jsonb), ('{"event_name": ""}'), ('{"event_name": 5}'), (jsonb_build_object('event_name', repeat('x', 256))), ('{"event_type": []}'),
  ('{"timestamp": "yesterday"}'), ('{"timestamp": 5}'), ('{"timestamp": "2025-02-30"}'), ('{"message_id": "5"}'), ('{"message_id": 5}'), ('{"properties": []}'), ('{"context": "x"}'), ('{"traits": 5}'),
  ('{"canonical_id": "x"}'), ('{"email": {}}'), ('{"email_hash": "abc"}'), (jsonb_build_object('external_id', repeat('x', 256))), ('{"anonymous_id": true}'),
  ('{"external_id": ""}'), ('{"external_id": "", "email": "encrypted"}'), ('{"event": "View"}')) AS e(event);
SELECT pg_temp.fault('5'), pg_temp.fault('null'), pg_temp.fault('[]'), pg_temp.fault('{}');
SELECT count(*) AS nothing_changed FROM stratum.cdp_profiles;
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT stratum.enter(9401);
SELECT * FROM stratum.ingest_event('{"event_name": "View", "external_id": "x"}');
ROLLBACK;
-- a message of another tenant is not told apart from any other unique violation, and stores nothing
BEGIN;
SELECT stratum.enter(9402);
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "external_id": "x", "message_id": "00000000-0000-4000-8000-0000000000bb"}');
COMMIT;
BEGIN;
SELECT stratum.enter(9401);
\set VERBOSITY sqlstate
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "external_id": "x", "message_id": "00000000-0000-4000-8000-0000000000bb"}');
\set VERBOSITY default
ROLLBACK;

-- ---- two profiles become one ----------------------------------------------------------------------
BEGIN;
SELECT stratum.enter(9401);
INSERT INTO stratum.cdp_profiles (id, canonical_id, anonymous_id, external_id, email, first_name, phone, lifecycle_stage, first_seen_at, last_seen_at, traits, computed_traits, consent) VALUES
  (94010001, '00000000-0000-4000-8000-000000000001', 'a1', NULL, NULL, 'Mia', NULL, 'anonymous', '2025-01-02', '2025-03-01', '{"plan": "pro"}', '{}', '{"ads": true, "email": true, "deep": {"x": true}}'),
  (94010002, '00000000-0000-4000-8000-000000000002', 'a2', 'c-2', 'mia@example.com', 'Maria', '+49 30 1234567', 'customer', '2025-01-01', '2025-02-01', '{"plan": "free", "city": "Bonn"}', 'null', '{"ads": false, "sms": true, "deep": {"x": null, "y": true}}');
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) VALUES (94010001, 'View', 'track', '2025-01-02'), (94010002, 'Purchase', 'track', '2025-01-01'), (94010002, 'View', 'track', '2025-02-01');
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (940101, 'buyers', '{"conditions": [{"field": "event.Purchase.exists", "operator": "equals", "value": true}]}');
SELECT * FROM stratum.refresh_segments();
SELECT stratum.merge_profiles(94010001, 94010002);
SELECT * FROM ingest_test.profile;
SELECT first_name, phone, consent, computed_traits FROM stratum.cdp_profiles;
SELECT * FROM stratum.refresh_segments();
-- what came under the names of the second comes to the first
SELECT profile_id FROM stratum.ingest_events('[{"event_name": "View", "canonical_id": "00000000-0000-4000-8000-000000000002"}, {"event_name": "View", "anonymous_id": "a2"},
  {"event_name": "View", "external_id": "c-2"}, {"event_name": "View", "email": "mia@example.com", "anonymous_id": "a3"}]');
SELECT events, aliases FROM ingest_test.profile;
-- and goes on when the first is merged into a third
INSERT INTO stratum.cdp_profiles (id, canonical_id) VALUES (94010003, '00000000-0000-4000-8000-000000000003');
SELECT stratum.merge_profiles(94010003, 94010001);
SELECT profile_id FROM stratum.ingest_events('[{"event_name": "View", "canonical_id": "00000000-0000-4000-8000-000000000002"}, {"event_name": "View", "anonymous_id": "a3"}]');
SELECT n, external, email, events, aliases FROM ingest_test.profile;
-- on record
SELECT action, resource_type, resource_id, old_values ->> 'external_id' AS external FROM stratum.audit_logs WHERE resource_type = 'cdp_profiles' AND action <> 'create' AND resource_id = '94010002' ORDER BY id;
SAVEPOINT s;
SELECT stratum.merge_profiles(94010003, 94010003);
ROLLBACK TO s;
SELECT stratum.merge_profiles(94010003, NULL);
ROLLBACK TO s;
SELECT stratum.merge_profiles(94010003, 94010002);
ROLLBACK TO s;
SELECT stratum.merge_profiles((SELECT id FROM stratum.cdp_profiles), 1);
ROLLBACK TO s;
ROLLBACK;
SELECT stratum.merge_profiles(1, 2);
-- across tenants
BEGIN;
RESET SESSION AUTHORIZATION;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) VALUES (94010001, 9401, gen_random_uuid()), (94020001, 9402, gen_random_uuid());
SET SESSION AUTHORIZATION regress_stratum_ingest;
SELECT stratum.enter(9401);
SELECT stratum.merge_profiles(94010001, 94020001);
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- ---- triggers and policies of others --------------------------------------------------------------
BEGIN;
CREATE FUNCTION ingest_test.block() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.canonical_id := coalesce(md5(NEW.external_id)::uuid, NEW.canonical_id);
  RETURN CASE WHEN current_setting('ingest_test.block', true) = 'on' THEN NULL ELSE NEW END;
END $$;
CREATE TRIGGER block BEFORE INSERT ON stratum.cdp_profiles FOR EACH ROW EXECUTE FUNCTION ingest_test.block();
CREATE POLICY frozen ON stratum.cdp_profiles AS RESTRICTIVE FOR UPDATE TO stratum_app USING (external_id <> 'frozen');
SET SESSION AUTHORIZATION regress_stratum_ingest;
SELECT stratum.enter(9401);
SAVEPOINT s;
-- who is kept out by a trigger is no duplicate
SET LOCAL ingest_test.block = on;
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "external_id": "t1"}');
ROLLBACK TO s;
-- what a trigger changes is no obstacle
SELECT outcome FROM stratum.ingest_events('[{"event_name": "View", "external_id": "t1", "canonical_id": "00000000-0000-4000-8000-0000000000f1"}, {"event_name": "View", "external_id": "t2"}]');
SELECT external, events, (SELECT canonical_id = md5(external)::uuid FROM stratum.cdp_profiles p WHERE p.external_id = external) AS changed FROM ingest_test.profile;
-- who may be read and not changed
INSERT INTO stratum.cdp_profiles (id, canonical_id, external_id) VALUES (94010009, gen_random_uuid(), 'frozen');
SELECT outcome FROM stratum.ingest_event('{"event_name": "View", "external_id": "frozen", "anonymous_id": "z"}');
ROLLBACK;
RESET SESSION AUTHORIZATION;

DELETE FROM stratum.cdp_events WHERE tenant_id IN (9401, 9402);
DELETE FROM stratum.cdp_profiles WHERE tenant_id IN (9401, 9402);
SET client_min_messages = warning;
DROP SCHEMA ingest_test CASCADE;
RESET client_min_messages;
DROP ROLE regress_stratum_ingest;
