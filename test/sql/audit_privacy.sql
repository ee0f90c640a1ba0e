-- anonymize_profile(), anonymize_user(), export_subject(): in the tables and in the trail, which stays whole.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (7601, 'Privacy East', 'privacy-east'), (7602, 'Privacy West', 'privacy-west');
INSERT INTO stratum.users (id, tenant_id, email, password_hash, full_name, phone, preferences) VALUES
  (7601, 7601, 'ann@privacy.test', 'x', 'Ann Secret', '+49 30 1234567', '{"nick": "annie"}'), (7602, 7601, 'bob@privacy.test', 'x', 'Bob', NULL, '{}'),
  (7603, NULL, 'root@privacy.test', 'x', 'Root Secret', NULL, '{}');
UPDATE stratum.users SET is_protected = true WHERE id = 7602;
CREATE ROLE regress_privacy_app LOGIN IN ROLE stratum_app;
CREATE ROLE regress_privacy_admin LOGIN IN ROLE stratum_admin;
CREATE ROLE regress_privacy_auditor LOGIN IN ROLE stratum_auditor;

-- Eve's life: profile, events, changes, a merged event that is gone, events before she was known; and somebody else
BEGIN;
SELECT stratum.enter(7601, 7601, 'req-1', '192.0.2.77', 'secret-agent');
INSERT INTO stratum.cdp_profiles (id, canonical_id, anonymous_id, external_id, email, phone, first_name, last_name, traits, computed_traits, consent, lifecycle_stage)
VALUES (7601, '00000000-0000-0000-0000-000000007601', 'anon-eve', 'crm-eve', 'eve@secret.test', '+49 171 5550000', 'Eve', 'Secret', '{"city": "Secretville"}', '{"ltv": 5}', '{"email": true}', 'customer'),
       (7602, '00000000-0000-0000-0000-000000007602', 'anon-mal', NULL, 'mallory@other.test', NULL, 'Mallory', NULL, '{"city": "Otherton"}', '{}', '{}', 'lead');
INSERT INTO stratum.cdp_events (id, profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
VALUES (7601, 7601, 'Purchase', 'track', '{"note": "secret gift"}', '{"ip": "192.0.2.78"}', '00000000-0000-0000-0000-00000000aaaa', 'anon-eve', '2024-01-01'),
       (7602, 7601, 'Page', 'page', '{"url": "/secret"}', '{}', NULL, NULL, '2024-01-02'),
       (7603, NULL, 'Page', 'page', '{"url": "/secret-before"}', '{}', NULL, 'anon-eve', '2024-01-01'),
       (7604, 7602, 'Page', 'page', '{"url": "/other"}', '{}', NULL, 'anon-mal', '2024-01-03'),
       (7605, 7601, 'Gone', 'track', '{"note": "secret and gone"}', '{}', NULL, NULL, '2024-01-04');
UPDATE stratum.cdp_profiles SET last_name = 'Secret-Smith', traits = traits || '{"pet": "secret dog"}' WHERE id = 7601;
UPDATE stratum.cdp_events SET properties = '{"note": "another secret"}' WHERE id IN (7601, 7605);
DELETE FROM stratum.cdp_events WHERE id = 7605;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES (7601, 'Buyers', 'buyers', '{"conditions": [{"field": "event.Purchase.exists", "operator": "equals", "value": true}]}');
SELECT profile_count FROM stratum.refresh_segment(7601);
SELECT stratum.log_event('export', 'cdp_profiles', '7601', '{"to": "eve@secret.test", "format": "pdf"}') > 0 AS logged;
SELECT stratum.log_event('login', 'session', 's-1') > 0 AS logged;
COMMIT;

CREATE FUNCTION pg_temp.secrets() RETURNS TABLE (place text, n bigint) LANGUAGE sql AS $$
  SELECT 'profiles', count(*) FROM stratum.cdp_profiles t WHERE t.id BETWEEN 7601 AND 7602 AND t::text ~* 'secret|eve|5550000|0000000007601|anon-eve'
  UNION ALL SELECT 'events', count(*) FROM stratum.cdp_events t WHERE t.tenant_id = 7601 AND t::text ~* 'secret|eve|192.0.2.78'
  UNION ALL SELECT 'memberships', count(*) FROM stratum.cdp_segment_memberships WHERE profile_id = 7601
  UNION ALL SELECT 'log', count(*) FROM stratum.audit_logs t WHERE t.tenant_id = 7601 AND resource_type ~ '^cdp_(p|e)' AND concat_ws(' ', t.old_values, t.new_values, t.metadata) ~* 'secret|eve@|5550000|0000000007601|anon-eve|192.0.2.78'
$$;
SELECT * FROM pg_temp.secrets();

-- what is held of her
SET ROLE regress_privacy_app;
SELECT stratum.export_subject(7601);
BEGIN;
SELECT stratum.enter(7602);
SELECT stratum.export_subject(7601);
ROLLBACK;
BEGIN;
SELECT stratum.enter(7601, 7601, 'req-2');
SELECT stratum.export_subject(7601) AS held \gset
SELECT stratum.export_subject(NULL);
ROLLBACK;
BEGIN;
SELECT stratum.enter(7601, 7601, 'req-2');
SELECT key, CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value)::text ELSE value ->> 'email' END FROM jsonb_each(stratum.export_subject(7601)) WHERE key IN ('audit_logs', 'cdp_events', 'cdp_profiles', 'cdp_segment_memberships', 'segments') ORDER BY key;
COMMIT;
SELECT jsonb_path_query_array(:'held', '$.cdp_events[*].id') AS events, jsonb_path_query_array(:'held', '$.segments[*].name') AS segments, jsonb_path_query_array(:'held', '$.audit_logs[*].action') AS log;
BEGIN;
SELECT stratum.enter(7601);
SELECT action, resource_id, metadata -> 'cdp_events' AS events, metadata -> 'audit_logs' AS log_rows, request_id FROM stratum.audit_logs ORDER BY id DESC LIMIT 1;
COMMIT;

-- erasure
SELECT stratum.anonymize_profile(7601);
BEGIN; SELECT stratum.enter(7602); SELECT stratum.anonymize_profile(7601); ROLLBACK;
BEGIN;
SELECT stratum.enter(7601, 7601, 'req-3');
SAVEPOINT a;
SELECT stratum.anonymize_profile(999999); ROLLBACK TO a;
SELECT stratum.anonymize_profile(NULL); ROLLBACK TO a;
SELECT stratum.anonymize_profile(7601);
COMMIT;
RESET ROLE;
SELECT * FROM pg_temp.secrets();
SELECT canonical_id = '00000000-0000-0000-0000-000000007601' AS same_id, anonymous_id, external_id, email, email_hash, phone, phone_hash, first_name, last_name, traits, computed_traits, consent, lifecycle_stage FROM stratum.cdp_profiles WHERE id = 7601;
SELECT id, profile_id, event_name, properties, context, message_id, anonymous_id, timestamp::date FROM stratum.cdp_events WHERE tenant_id = 7601 ORDER BY id;
SELECT first_name, traits FROM stratum.cdp_profiles WHERE id = 7602;
-- the trail: what was personal is gone, the rest is there, and the chain is whole
SELECT action, resource_type, old_values ->> 'last_name' AS old_name, new_values ->> 'last_name' AS new_name, new_values -> 'traits' AS traits, new_values ->> 'lifecycle_stage' AS stage, user_id, request_id
FROM stratum.audit_logs WHERE tenant_id = 7601 AND resource_id = '7601' AND resource_type IN ('cdp_profiles', 'cdp_events') ORDER BY id;
SELECT action, resource_type, resource_id, metadata - 'erased' AS metadata, cardinality(ARRAY(SELECT jsonb_object_keys(metadata -> 'erased'))) AS rows, user_id, request_id
FROM stratum.audit_logs WHERE tenant_id = 7601 AND action = 'anonymize' ORDER BY id;
SELECT * FROM stratum.verify_audit(7601);
SELECT v.row_after ->> 'email' AS email, v.row_after ->> 'lifecycle_stage' AS stage FROM stratum.row_history('stratum.cdp_profiles', '7601') v;
-- nothing is left to be guessed: the salts of these rows, and of no other, are gone
SELECT count(*) AS salts_gone, bool_and(l.resource_type IN ('cdp_profiles', 'cdp_events')) AS of_these
FROM stratum.audit_seals s, unnest(s.log_ids) WITH ORDINALITY k (id, n) JOIN stratum.audit_logs l ON l.id = k.id
WHERE s.tenant_id = 7601 AND substr(s.salts, 16 * k.n::integer - 15, 16) = decode(repeat('00', 16), 'hex');
-- a second time nothing is done
SELECT max(id) AS last FROM stratum.audit_logs \gset
BEGIN; SELECT stratum.enter(7601); SELECT stratum.anonymize_profile(7601); COMMIT;
SELECT count(*) FROM stratum.audit_logs WHERE id > :last;
-- but new data of the same person is
UPDATE stratum.cdp_profiles SET first_name = 'Secret again' WHERE id = 7601;
BEGIN; SELECT stratum.enter(7601); SELECT stratum.anonymize_profile(7601); COMMIT;
SELECT * FROM pg_temp.secrets();
SELECT * FROM stratum.verify_audit(7601);
-- one who has been merged: what was held of the others too, under all their names, and nothing about the names is left
CREATE FUNCTION pg_temp.olivia() RETURNS TABLE (place text, n bigint) LANGUAGE sql AS $$
  SELECT 'profiles', count(*) FROM stratum.cdp_profiles t WHERE t.tenant_id = 7601 AND t::text ~* 'olivia'
  UNION ALL SELECT 'aliases', count(*) FROM stratum.cdp_profile_aliases t WHERE t.tenant_id = 7601
  UNION ALL SELECT 'events', count(*) FROM stratum.cdp_events t WHERE t.tenant_id = 7601 AND t::text ~* 'olivia'
  UNION ALL SELECT 'log', count(*) FROM stratum.audit_logs t WHERE t.tenant_id = 7601 AND t::text ~* 'olivia'
  UNION ALL SELECT 'hashes', count(*) FROM stratum.audit_logs t WHERE t.tenant_id = 7601 AND strpos(t::text, stratum.email_hash('olivia@home.test')) + strpos(t::text, stratum.email_hash('olivia@work.test')) > 0
$$;
BEGIN;
SELECT stratum.enter(7601, 7602, 'req-4');
INSERT INTO stratum.cdp_profiles (id, canonical_id, anonymous_id, email, first_name, traits) VALUES
  (7611, '00000000-0000-0000-0000-000000007611', 'olivia-phone', 'olivia@home.test', 'Olivia', '{}'), (7612, '00000000-0000-0000-0000-000000007612', 'olivia-pad', 'olivia@work.test', 'Olivia W', '{"dog": "Olivia''s"}'),
  (7613, '00000000-0000-0000-0000-000000007613', 'olivia-desk', NULL, NULL, '{"cat": "Olivia''s"}');
INSERT INTO stratum.cdp_events (id, profile_id, event_name, event_type, properties, anonymous_id, timestamp) VALUES
  (7611, 7612, 'Page', 'page', '{"q": "olivia"}', 'olivia-pad', '2024-01-01'), (7612, NULL, 'Page', 'page', '{"q": "olivia 2"}', 'olivia-desk', '2024-01-01'), (7613, 7613, 'Gone', 'page', '{"q": "olivia 3"}', NULL, '2024-01-01');
DELETE FROM stratum.cdp_events WHERE id = 7613;
SELECT event_name, outcome FROM (VALUES ('View')) v (event_name), stratum.ingest_event('{"event_name": "View", "email": "olivia@work.test", "anonymous_id": "olivia-tv"}');
SELECT stratum.merge_profiles(7612, 7613);
SELECT stratum.merge_profiles(7611, 7612);
COMMIT;
SELECT * FROM pg_temp.olivia();
BEGIN;
SELECT stratum.enter(7601, 7602, 'req-5');
SELECT jsonb_path_query_array(held, '$.cdp_events[*].event_name') AS events,
       (SELECT jsonb_agg(DISTINCT l -> 'resource_id') FROM jsonb_array_elements(held -> 'audit_logs') l WHERE l ->> 'resource_type' = 'cdp_profiles') AS profiles
FROM stratum.export_subject(7611) held;
SELECT stratum.anonymize_profile(7611);
COMMIT;
SELECT * FROM pg_temp.olivia();
SELECT * FROM stratum.verify_audit(7601);
-- whoever is known by a canonical id alone loses that, once
BEGIN;
SELECT stratum.enter(7601, 7602, 'req-6');
SELECT profile_id AS nameless FROM stratum.ingest_event('{"event_name": "View", "canonical_id": "00000000-0000-0000-0000-000000007621"}') \gset
SELECT stratum.log_event('anonymize', 'cdp_profiles', :'nameless', '{"asked": "by letter", "audit_logs": 1}') IS NOT NULL AS logged;
SELECT stratum.anonymize_profile(:nameless);
SELECT canonical_id AS new_id, canonical_id = '00000000-0000-0000-0000-000000007621' AS same FROM stratum.cdp_profiles WHERE id = :nameless \gset
SELECT :'same' AS same;
SELECT stratum.anonymize_profile(:nameless);
SELECT canonical_id = :'new_id' AS stays FROM stratum.cdp_profiles WHERE id = :nameless;
SELECT metadata -> 'asked' AS asked FROM stratum.audit_logs WHERE resource_id = :'nameless' AND metadata ? 'asked';
SELECT count(*) AS erasures FROM stratum.audit_logs WHERE resource_id = :'nameless' AND resource_type = 'cdp_profiles' AND metadata ? 'cdp_profiles';
COMMIT;
-- changes of others, in the same transaction too, are recorded as ever
BEGIN;
SELECT stratum.enter(7601);
UPDATE stratum.cdp_profiles SET first_name = 'x' WHERE id = 7602;
SELECT stratum.anonymize_profile(7601);
UPDATE stratum.cdp_profiles SET first_name = 'y' WHERE id = 7602;
SELECT old_values -> 'first_name' AS old, new_values -> 'first_name' AS new FROM stratum.audit_logs WHERE resource_type = 'cdp_profiles' AND resource_id = '7602' ORDER BY id DESC LIMIT 2;
ROLLBACK;

-- exactly those rows may differ, and only so: tampering with an erased row, with the record, with what is not erased
CREATE FUNCTION pg_temp.found(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  SET LOCAL session_replication_role = replica;
  EXECUTE statement;
  SET LOCAL session_replication_role = origin;
  SELECT count(*) || coalesce(': ' || min(v.problem), '') INTO result FROM stratum.verify_audit(7601) v;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
END $$;
SELECT min(id) AS erased FROM stratum.audit_logs WHERE tenant_id = 7601 AND resource_type = 'cdp_profiles' AND resource_id = '7601' \gset
SELECT min(id) AS record FROM stratum.audit_logs WHERE tenant_id = 7601 AND resource_type = 'audit_logs' AND metadata -> 'erased' ? :'erased' \gset
SELECT min(id) AS kept FROM stratum.audit_logs WHERE tenant_id = 7601 AND resource_type = 'cdp_profiles' AND resource_id = '7602' \gset
SELECT s.statement, pg_temp.found(replace(replace(replace(s.statement, 'ERASED', :'erased'), 'RECORD', :'record'), 'KEPT', :'kept')) AS found
FROM (VALUES (1, 'UPDATE stratum.audit_logs SET new_values = new_values || ''{"email": "x"}'' WHERE id = ERASED'), (2, 'UPDATE stratum.audit_logs SET user_id = NULL WHERE id = ERASED'),
             (3, 'UPDATE stratum.audit_logs SET created_at = now() WHERE id = ERASED'), (4, 'DELETE FROM stratum.audit_logs WHERE id = ERASED'),
             (5, 'UPDATE stratum.audit_logs SET new_values = NULL WHERE id = KEPT'), (6, 'DELETE FROM stratum.audit_logs WHERE id = RECORD'),
             (7, 'UPDATE stratum.audit_logs SET metadata = ''{"erased": {"1": [1], "x": ["y", "z"], "2": "3", "": {}}}'' WHERE id = RECORD'),
             (8, 'UPDATE stratum.audit_logs SET metadata = ''[1]'' WHERE id = RECORD'), (9, 'UPDATE stratum.audit_logs SET metadata = ''{"erased": 5}'' WHERE id = RECORD')) s (n, statement)
ORDER BY s.n;

-- a user: data, and where he was when he did what he did
SELECT count(*) FILTER (WHERE ip_address IS NOT NULL) > 0 AS addresses, count(*) FILTER (WHERE user_agent IS NOT NULL) > 0 AS agents FROM stratum.audit_logs WHERE user_id = 7601;
SET ROLE regress_privacy_app;
SELECT stratum.anonymize_user(7601);
BEGIN;
SELECT stratum.enter(7601, 7602);
SAVEPOINT a;
SELECT stratum.anonymize_user(7602); ROLLBACK TO a;
SELECT stratum.anonymize_user(7603); ROLLBACK TO a;
SELECT stratum.anonymize_user(NULL); ROLLBACK TO a;
SELECT stratum.anonymize_user(7601);
SELECT stratum.anonymize_user(7601);
-- what comes up later goes too
SAVEPOINT a;
UPDATE stratum.users SET preferences = '{"nick": "annie"}', password_hash = 'y', timezone = 'Europe/Berlin', consent_marketing = true, is_active = true WHERE id = 7601;
SELECT stratum.anonymize_user(7601);
SELECT preferences, password_hash, timezone, consent_marketing, is_active FROM stratum.users WHERE id = 7601;
SELECT max(id) AS last FROM stratum.audit_logs \gset
SELECT stratum.anonymize_user(7601);
SELECT count(*) FROM stratum.audit_logs WHERE id > :last;
ROLLBACK TO a;
COMMIT;
RESET ROLE;
SELECT email, email_hash = stratum.email_hash(email) AS hash, password_hash, full_name, phone, preferences, is_active, gdpr_anonymized_at IS NOT NULL AS at FROM stratum.users WHERE id = 7601;
SELECT count(*) FILTER (WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL) AS traces, count(*) > 10 AS rows FROM stratum.audit_logs WHERE user_id = 7601;
SELECT count(*) FROM stratum.audit_logs t WHERE tenant_id = 7601 AND resource_type = 'users' AND t::text ~* 'ann@|ann secret|1234567|annie';
SELECT action, metadata, user_id FROM stratum.audit_logs WHERE tenant_id = 7601 AND resource_type = 'users' AND action = 'anonymize';
SELECT * FROM stratum.verify_audit(7601);
BEGIN; SELECT stratum.enter(7601, 7601); ROLLBACK;
-- a user of the platform, in the trails of all tenants
BEGIN; SELECT stratum.enter(7602, 7603, 'req-9', '192.0.2.99', 'root-agent'); SELECT stratum.log_event('login', 'session') > 0 AS logged; COMMIT;
SET ROLE regress_privacy_admin;
SELECT stratum.anonymize_user(7603);
SELECT stratum.anonymize_user(7601);
RESET ROLE;
SELECT email, full_name, is_active FROM stratum.users WHERE id = 7603;
SELECT count(*) FILTER (WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL) AS traces, count(*) AS rows FROM stratum.audit_logs WHERE user_id = 7603;
SELECT * FROM stratum.verify_audit(7602);
SELECT * FROM stratum.verify_audit(NULL);
SET ROLE regress_privacy_auditor;
SELECT stratum.anonymize_profile(7601);
SELECT stratum.anonymize_user(7601);
SELECT stratum.export_subject(7601);
RESET ROLE;
-- nobody else gets past the guard
SELECT stratum._open_audit_log(); DELETE FROM stratum.audit_logs WHERE id = 1;

-- ---- those who were merged into a profile are the same person ----
INSERT INTO stratum.tenants (id, name, slug) VALUES (7604, 'Privacy South', 'privacy-south');
BEGIN;
SELECT stratum.enter(7604);
INSERT INTO stratum.cdp_profiles (id, canonical_id, anonymous_id, external_id, email, first_name, traits) VALUES
  (7641, '00000000-0000-0000-0000-000000007641', 'anon-1', NULL, 'zoe@one.test', 'Zoe', '{"a": "zoe-a"}'), (7642, '00000000-0000-0000-0000-000000007642', 'zoe-anon', 'zoe-crm', 'zoe@two.test', 'Zoe', '{"b": "zoe-b"}'),
  (7643, '00000000-0000-0000-0000-000000007643', NULL, NULL, 'zoe@three.test', 'Zoe', '{}'), (7644, '00000000-0000-0000-0000-000000007644', NULL, NULL, 'max@one.test', 'Max', '{}');
INSERT INTO stratum.cdp_events (id, profile_id, event_name, event_type, message_id, properties, timestamp) VALUES
  (7641, 7643, 'Early', 'track', '00000000-0000-0000-0000-0000000a7641', '{"n": "zoe-early"}', '2024-01-01'), (7642, 7642, 'Later', 'track', '00000000-0000-0000-0000-0000000a7642', '{"n": "zoe-later"}', '2024-01-01');
DELETE FROM stratum.cdp_events WHERE id = 7641;
UPDATE stratum.cdp_events SET properties = '{"n": "zoe-last"}' WHERE id = 7642;
DELETE FROM stratum.cdp_profiles WHERE id = 7644;
SELECT stratum.merge_profiles(7642, 7643), stratum.merge_profiles(7641, 7642);
SELECT stratum.log_event('anonymize', 'cdp_profiles', '7641', '{"asked_by": "zoe@one.test"}') > 0 AS logged;
COMMIT;
CREATE FUNCTION pg_temp.names() RETURNS TABLE (name text, n bigint) LANGUAGE sql AS $$
  SELECT x.name, count(l) FROM unnest(array['zoe', 'max@', '0000000076', stratum.email_hash('zoe@one.test'), stratum.email_hash('zoe@two.test'), stratum.email_hash('zoe@three.test')]) WITH ORDINALITY x (name, i)
    LEFT JOIN stratum.audit_logs l ON l.tenant_id = 7604 AND strpos(lower(l::text), x.name) > 0
  GROUP BY x.i, x.name ORDER BY x.i
$$;
SELECT left(name, 12) AS name, n > 0 AS there FROM pg_temp.names();
BEGIN;
SELECT stratum.enter(7604);
SELECT jsonb_path_query_array(stratum.export_subject(7641), '$.audit_logs[*].resource_id') AS log;
SELECT stratum.anonymize_profile(7641);
COMMIT;
SELECT left(name, 12) AS name, n FROM pg_temp.names();
SELECT action, resource_id, old_values - 'created_at' AS old, new_values AS new FROM stratum.audit_logs WHERE tenant_id = 7604 AND resource_type = 'cdp_profile_aliases' ORDER BY action DESC, resource_id COLLATE "C", old_values ->> 'kind';
SELECT * FROM stratum.verify_audit(7604);
SELECT count(*) AS rows FROM stratum.audit_logs WHERE tenant_id = 7604 \gset
BEGIN;
SELECT stratum.enter(7604);
SELECT stratum.anonymize_profile(7641);
COMMIT;
SELECT count(*) - :rows AS more FROM stratum.audit_logs WHERE tenant_id = 7604;
DROP ROLE regress_privacy_app, regress_privacy_admin, regress_privacy_auditor;
