-- Audiences: members with consent as a platform matches them, differences between runs; and drafts of campaigns.
\set VERBOSITY default
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9571, 'North', 'audience-north'), (9572, 'South', 'audience-south');
CREATE ROLE regress_stratum_audience LOGIN IN ROLE stratum_app;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (957201, 9572, 'South', '{}');
INSERT INTO stratum.cdp_audience_syncs (id, tenant_id, segment_id, platform, name) VALUES (957201, 9572, 957201, 'meta', 'South');
SET SESSION AUTHORIZATION regress_stratum_audience;
SELECT * FROM stratum.audience_members(957201);
BEGIN;
SELECT stratum.enter(9571);
INSERT INTO stratum.cdp_profiles (id, canonical_id, email, email_hash, phone, phone_hash, traits, consent) VALUES
  (95710001, gen_random_uuid(), 'Mia.Doe+x@gmail.com', NULL, '+49 30 1234567', NULL, '{"in": true, "city": "Bonn"}', '{"ads": true}'),
  (95710002, gen_random_uuid(), 'noah@example.com', NULL, NULL, NULL, '{"in": true}', '{"marketing": true, "ads": false}'),
  (95710003, gen_random_uuid(), 'encrypted', repeat('A', 64), 'encrypted', repeat('b', 64), '{"in": true}', '{"marketing": true}'),
  (95710004, gen_random_uuid(), 'pam@example.com', NULL, NULL, NULL, '{"in": true}', '{}'),
  (95710005, gen_random_uuid(), NULL, NULL, NULL, NULL, '{"in": true}', '{"ads": true}'),
  (95710006, gen_random_uuid(), 'quin@example.com', NULL, NULL, NULL, '{"in": false}', '{"ads": true}'),
  (95710007, gen_random_uuid(), 'rosa@example.com', NULL, NULL, NULL, '{"in": true}', 'null'),
  (95710008, gen_random_uuid(), 'sam@example.com', NULL, NULL, NULL, '{"in": true}', '{"ads": "yes"}');
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (957101, 'in', '{"conditions": [{"field": "trait.in", "operator": "equals", "value": true}]}');
SELECT * FROM stratum.refresh_segments();
INSERT INTO stratum.cdp_audience_syncs (id, segment_id, platform, name, identifier_types) VALUES
  (957101, 957101, 'meta', 'Meta', '["email", "phone", "city", "email"]'), (957102, 957101, 'google', 'Google', '["email", "phone"]'),
  (957103, 957101, 'google', 'odd', '["email", "gender"]'), (957104, 957101, 'google', 'odder', '"email"'), (957105, NULL, 'google', 'of nobody', '["email"]');
-- those with consent, by what the platform makes of each
SELECT m.profile_id, m.identifier_type, left(m.hash, 8) AS hash,
  m.hash = CASE m.identifier_type WHEN 'email' THEN stratum.audience_hash('meta', 'email', p.email) WHEN 'phone' THEN stratum.audience_hash('meta', 'phone', p.phone) ELSE stratum.audience_hash('meta', 'city', 'Bonn') END AS by_the_rule
FROM stratum.audience_members(957101) m JOIN stratum.cdp_profiles p ON p.id = m.profile_id ORDER BY 1, 2;
SELECT m.profile_id, m.identifier_type, m.hash = stratum.audience_hash('google', 'email', 'miadoe@gmail.com') AS google_gmail, m.hash = repeat('a', 64) AS given
FROM stratum.audience_members(957102) m ORDER BY 1, 2;
-- the tenant says what its key is
UPDATE stratum.tenants SET settings = '{"audiences": {"consent": "marketing"}}' WHERE id = 9571;
SELECT profile_id, identifier_type FROM stratum.audience_members(957102) ORDER BY 1, 2;
UPDATE stratum.tenants SET settings = '{"audiences": {"consent": ["marketing", "ads"]}}' WHERE id = 9571;
SELECT profile_id, identifier_type FROM stratum.audience_members(957102) ORDER BY 1, 2;
UPDATE stratum.tenants SET settings = '{}' WHERE id = 9571;
-- JSON null and NULL, as an ORM may write them for nothing: the types that the column has by default
SAVEPOINT s;
UPDATE stratum.cdp_audience_syncs SET identifier_types = 'null' WHERE id = 957102;
SELECT profile_id, identifier_type FROM stratum.audience_members(957102) ORDER BY 1, 2;
UPDATE stratum.cdp_audience_syncs SET identifier_types = NULL WHERE id = 957102;
SELECT profile_id, identifier_type FROM stratum.audience_members(957102) ORDER BY 1, 2;
SELECT * FROM stratum.start_audience_sync(957102);
ROLLBACK TO s;
SELECT * FROM stratum.audience_members(957103);
ROLLBACK TO s;
SELECT * FROM stratum.audience_members(957104);
ROLLBACK TO s;
SELECT * FROM stratum.audience_members(957105);
ROLLBACK TO s;
SELECT * FROM stratum.audience_members(957201);
ROLLBACK TO s;
SELECT * FROM stratum.audience_members(NULL);
ROLLBACK TO s;

-- ---- runs -----------------------------------------------------------------------------------------
SELECT change, profile_id, identifier_type FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
SELECT stratum.finish_audience_sync(957102);
ROLLBACK TO s;
SELECT * FROM stratum.start_audience_sync(957102);
SELECT last_sync_status, last_sync_at, profiles_synced FROM stratum.cdp_audience_syncs WHERE id = 957102;
SAVEPOINT running;
SELECT * FROM stratum.start_audience_sync(957102);
ROLLBACK TO running;
-- the run stays what it was, whatever happens meanwhile
UPDATE stratum.cdp_profiles SET consent = '{"ads": false}' WHERE id = 95710001;
SELECT change, profile_id, identifier_type FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
-- it fails: for all that is known nothing has been uploaded
SELECT stratum.finish_audience_sync(957102, false, 'quota');
SELECT last_sync_status, last_sync_error, last_sync_at IS NOT NULL AS at, profiles_synced FROM stratum.cdp_audience_syncs WHERE id = 957102;
-- but may have been: who has withdrawn meanwhile is removed to be sure
SELECT change, profile_id, identifier_type FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
SAVEPOINT s;
SELECT * FROM stratum.start_audience_sync(957102);
SELECT change, profile_id, identifier_type FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
SELECT stratum.finish_audience_sync(957102, false);
-- and who comes back is added, whatever that run has done
UPDATE stratum.cdp_profiles SET consent = '{"ads": true}' WHERE id = 95710001;
SELECT change, profile_id, identifier_type FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
ROLLBACK TO s;
UPDATE stratum.cdp_profiles SET consent = '{"ads": true}' WHERE id = 95710001;
SELECT * FROM stratum.start_audience_sync(957102);
SELECT stratum.finish_audience_sync(957102, match_rate => 0.5);
SELECT last_sync_status, last_sync_error, profiles_synced, match_rate FROM stratum.cdp_audience_syncs WHERE id = 957102;
SELECT * FROM stratum.audience_changes(957102);
-- consent withdrawn, a profile gone, another address, a new member
UPDATE stratum.cdp_profiles SET consent = '{"ads": false}' WHERE id = 95710001;
DELETE FROM stratum.cdp_profiles WHERE id = 95710003;
UPDATE stratum.cdp_profiles SET consent = '{"ads": true}' WHERE id = 95710004;
SELECT change, profile_id, identifier_type, left(hash, 6) AS hash FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
SELECT * FROM stratum.start_audience_sync(957102);
SELECT stratum.finish_audience_sync(957102, false);
SELECT change, profile_id, identifier_type, left(hash, 6) AS hash FROM stratum.audience_changes(957102) ORDER BY 1, 2, 3;
SELECT * FROM stratum.start_audience_sync(957102);
SELECT stratum.finish_audience_sync(957102);
SELECT * FROM stratum.audience_changes(957102);
SELECT profile_id, identifier_type, state FROM stratum.cdp_audience_uploads ORDER BY 1, 2;
SAVEPOINT s;
SELECT stratum.finish_audience_sync(957102, NULL);
ROLLBACK TO s;
SELECT * FROM stratum.start_audience_sync(957201);
ROLLBACK TO s;
INSERT INTO stratum.cdp_audience_uploads (audience_sync_id, profile_id, identifier_type, hash, state) VALUES (957102, 1, 'email', 'x', 'uploaded');
ROLLBACK TO s;
-- two profiles with one number: as long as one of them is a member, the platform is not told to drop it
INSERT INTO stratum.cdp_profiles (id, canonical_id, phone, traits, consent) VALUES
  (95710011, gen_random_uuid(), '+49 40 7654321', '{"both": true}', '{"ads": true}'), (95710012, gen_random_uuid(), '+49 40 7654321', '{"both": true}', '{"ads": true}');
INSERT INTO stratum.cdp_segments (id, name, conditions) VALUES (957106, 'both', '{"conditions": [{"field": "trait.both", "operator": "equals", "value": true}]}');
SELECT profile_count FROM stratum.refresh_segment(957106);
INSERT INTO stratum.cdp_audience_syncs (id, segment_id, platform, name, identifier_types) VALUES (957106, 957106, 'meta', 'both', '["phone"]');
SELECT * FROM stratum.start_audience_sync(957106);
SELECT stratum.finish_audience_sync(957106);
UPDATE stratum.cdp_profiles SET consent = '{"ads": false}' WHERE id = 95710012;
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT * FROM stratum.start_audience_sync(957106);
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT stratum.finish_audience_sync(957106, false);
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT * FROM stratum.start_audience_sync(957106);
SELECT stratum.finish_audience_sync(957106);
SELECT profile_id, state FROM stratum.cdp_audience_uploads WHERE audience_sync_id = 957106;
-- a profile that takes the place of another one, as when they are merged: nothing is removed; with the last one it is
INSERT INTO stratum.cdp_profiles (id, canonical_id, phone, traits, consent) VALUES (95710013, gen_random_uuid(), '004940-7654321', '{"both": true}', '{"ads": true}');
SELECT stratum.merge_profiles(95710013, 95710011);
SELECT profile_count FROM stratum.refresh_segment(957106);
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT * FROM stratum.start_audience_sync(957106);
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT stratum.finish_audience_sync(957106);
DELETE FROM stratum.cdp_profiles WHERE id = 95710013;
SELECT * FROM stratum.start_audience_sync(957106);
SELECT change, profile_id FROM stratum.audience_changes(957106);
SELECT stratum.finish_audience_sync(957106);
SELECT profile_id, state FROM stratum.cdp_audience_uploads WHERE audience_sync_id = 957106;
DELETE FROM stratum.cdp_audience_syncs WHERE id IN (957102, 957106);
SELECT count(*) FROM stratum.cdp_audience_uploads;

-- ---- drafts ---------------------------------------------------------------------------------------
CREATE FUNCTION pg_temp.fault(platforms jsonb, data jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stratum.campaign_drafts (name, platforms, data) VALUES ('x', platforms, data);
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT pg_temp.fault(p.platforms, p.data) FROM (VALUES
  ('["meta"]'::jsonb, '{}'::jsonb), ('["meta"]', '{"meta": {}, "google": {"name": "x"}}'),
  ('[]', '{}'), ('{}', '{}'), ('null', '{}'), ('["meta", "myspace"]', '{}'), ('[5]', '{}'), ('["meta", "google", "meta"]', '{}'),
  ('["meta"]', '[]'), ('["meta"]', 'null'), ('["meta"]', '{"nme": "x"}'), ('["meta"]', '{"id": 5}'), ('["meta"]', '{"tenant_id": 9572}'), ('["meta"]', '{"impressions": 5}'),
  ('["meta"]', '{"daily_budget_cents": "a lot"}'), ('["meta"]', '{"daily_budget_cents": 99999999999}'), ('["meta"]', '{"start_date": "2025-02-30"}'), ('["meta"]', '{"currency": "DOLLARS"}'),
  ('["meta"]', '{"status": "live"}'), ('["meta"]', '{"meta": {"objective": {}, "clicks": 1}}'), ('["meta"]', '{"meta": 5}')) AS p(platforms, data);
INSERT INTO stratum.campaign_drafts (id, name, platforms, data) VALUES
  (957101, 'Spring', '["google", "meta"]', '{"account_id": "all", "objective": "sales", "daily_budget_cents": 5000, "labels": ["spring"], "meta": {"account_id": "act-1", "daily_budget_cents": 7000}}'),
  (957102, 'No account', '["google"]', '{}'), (957103, 'Bad dates', '["google"]', '{"account_id": "a", "start_date": "2025-02-01", "end_date": "2025-01-01"}');
SELECT platform, external_id, account_id, name, status, objective, daily_budget_cents, currency, labels, impressions FROM stratum.campaigns c JOIN stratum.publish_draft(957101) p(id) USING (id) ORDER BY 1;
SELECT platform, external_id, account_id, name, status, objective, daily_budget_cents, currency, labels, impressions FROM stratum.campaigns ORDER BY id;
SELECT status FROM stratum.campaign_drafts WHERE id = 957101;
SAVEPOINT s;
SELECT stratum.publish_draft(957101);
ROLLBACK TO s;
UPDATE stratum.campaign_drafts SET data = '{}' WHERE id = 957101;
ROLLBACK TO s;
SELECT stratum.publish_draft(957102);
ROLLBACK TO s;
\set VERBOSITY terse
SELECT stratum.publish_draft(957103);
ROLLBACK TO s;
SELECT stratum.publish_draft(-1);
ROLLBACK TO s;
-- what is null in the data is as good as absent, and takes nothing else away
INSERT INTO stratum.campaign_drafts (id, name, platforms, data) VALUES
  (957104, 'Nulls', '["meta", "google"]', '{"account_id": "a", "name": null, "external_id": null, "status": null, "labels": null, "daily_budget_cents": 5, "meta": {"daily_budget_cents": null}, "targeting_locations": {"not": null}}');
SELECT count(*) FROM stratum.publish_draft(957104);
SELECT platform, external_id, name, status, daily_budget_cents, labels, targeting_locations FROM stratum.campaigns WHERE external_id = 'draft-957104' ORDER BY id;
-- a draft put back by hand is not published twice
UPDATE stratum.campaign_drafts SET status = 'draft' WHERE id = 957101;
SELECT stratum.publish_draft(957101);
ROLLBACK;
RESET SESSION AUTHORIZATION;
DELETE FROM stratum.cdp_audience_syncs WHERE tenant_id = 9572;
DELETE FROM stratum.cdp_segments WHERE tenant_id = 9572;
DROP ROLE regress_stratum_audience;
