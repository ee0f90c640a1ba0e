-- What test/deep/assertions runs twice: with every cache discarded at every chance, and without. Each way from SQL into the library that looks at
-- catalogs, once. In a database that has the extension and a role `app`; what it prints depends neither on the caches nor on the time.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET debug_discard_caches = :discard;

INSERT INTO stratum.tenants (id, name, slug, max_users) VALUES (1, 'North', 'north', 2), (2, 'South', 'south', NULL);
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int, body text, secret text);
SELECT stratum.audit_table('notes', redact => '{secret}');
INSERT INTO notes VALUES (1, 1, 'a', 'hush'), (2, 1, 'b', 'hush');
CREATE TABLE parts (id int, tenant_id int, body text) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
SELECT stratum.audit_table('parts');
INSERT INTO parts VALUES (1, 1, 'a');
UPDATE parts_1 SET body = 'b';
CREATE TABLE parts_2 (id int, tenant_id int, body text);
SELECT stratum.audit_table('parts_2');
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
INSERT INTO parts_2 VALUES (2, 1, 'c');

SET ROLE app;
BEGIN;
SELECT stratum.enter(1);
INSERT INTO stratum.users (id, email, password_hash) VALUES (1, ' Ann@North.test', 'x') RETURNING email_hash;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.campaigns (id, platform, external_id, account_id, name, impressions, clicks, total_spend_cents)
  SELECT g, 'meta', 'c' || g, 'a', 'Campaign ' || g, g * 1000, g * 7, g * 100 FROM generate_series(1, 5) g;
UPDATE stratum.campaigns SET clicks = clicks + 1 WHERE id < 4 RETURNING ctr, cpc_cents;
DELETE FROM stratum.campaigns WHERE id = 2;
INSERT INTO stratum.cdp_profiles (id, canonical_id, traits) SELECT g, md5(g::text)::uuid, jsonb_build_object('ltv', g * 100) FROM generate_series(1, 5) g;
INSERT INTO stratum.cdp_segments (id, name, slug, conditions) VALUES
  (1, 'rich', 'rich', '{"conditions": [{"field": "trait.ltv", "operator": "greater_than", "value": 200}]}'),
  (2, 'buyers', 'buyers', '{"conditions": [{"field": "event.Buy.count", "operator": "gte", "value": 1}, {"field": "segment.rich", "operator": "equals", "value": true}]}');
SELECT stratum.set_segment_options(2, is_live => true);
COMMIT;
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT g, 'Buy', 'track', now() FROM generate_series(2, 4) g;
UPDATE stratum.cdp_profiles SET traits = '{"ltv": 1}' WHERE id = 4;
SELECT stratum.log_event('login', 'session');
COMMIT;
BEGIN;
SELECT stratum.enter(1, 1);
SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships ORDER BY 1, 2;
SELECT * FROM stratum.refresh_segments() ORDER BY 1;
SELECT * FROM stratum.profile_segments(3) ORDER BY 1;
SELECT * FROM stratum.segment_profiles(2) ORDER BY 1;
SELECT profile_count FROM stratum.preview_segment('{"conditions": [{"field": "profile.traits", "operator": "is_not_null"}]}');
SELECT id FROM stratum.cdp_profiles p WHERE stratum.segment_matches('{"conditions": [{"field": "trait.ltv", "operator": "gte", "value": 300}]}', p) ORDER BY 1;
SELECT id FROM stratum.campaigns c WHERE stratum.campaign_matches('{"conditions": [{"field": "conversion_rate", "operator": "is_null"}, {"field": "spend", "operator": "lte", "value": 3}]}', c) ORDER BY 1;
SELECT action, new_values ->> 'clicks' AS clicks FROM stratum.row_history('stratum.campaigns', '1');
SELECT resource_type, action, count(*), count(DISTINCT user_id) FROM stratum.audit_logs GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK;
-- refused
BEGIN;
SELECT stratum.enter(1, 1);
SELECT stratum.log_event('update', 'campaigns');
ROLLBACK;
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.users (id, email, password_hash) SELECT g, g || '@north.test', 'x' FROM generate_series(2, 9) g;
ROLLBACK;
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('x', '{"conditions": [{"field": "segment.nowhere", "operator": "equals", "value": true}]}');
ROLLBACK;
RESET ROLE;

SELECT stratum.seal_audit(1) IS NOT NULL AS sealed;
SELECT * FROM stratum.verify_audit(1);
SELECT action, new_values FROM stratum.row_history('notes', '1');
ALTER TABLE notes RENAME body TO text;
UPDATE notes SET text = 'c';
ALTER TABLE notes ADD COLUMN more int DEFAULT 5;
UPDATE notes SET more = 6 WHERE id = 1;
SELECT action, new_values, old_values FROM stratum.audit_logs WHERE resource_type = 'public.notes' ORDER BY id;
-- while somebody has altered the log, it is written through a plan
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER mine BEFORE INSERT ON stratum.audit_logs FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE notes SET text = 'd';
DROP TRIGGER mine ON stratum.audit_logs;
UPDATE notes SET text = 'e';
SELECT count(*) FROM stratum.audit_logs WHERE resource_type = 'public.notes';
