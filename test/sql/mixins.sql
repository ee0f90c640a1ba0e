-- What the server keeps right in every row, and the traffic of ORMs.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9101, 'East', 'test-east'), (9102, 'West', 'test-west');
CREATE ROLE regress_stratum_orm LOGIN IN ROLE stratum_app;
SET SESSION AUTHORIZATION regress_stratum_orm;

-- explicit NULLs become the tenant and the documented defaults
BEGIN;
SELECT stratum.enter(9101);
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name, status, objective, total_spend_cents,
    currency, impressions, clicks, conversions, revenue_cents, ctr, labels, is_deleted, created_at, updated_at)
VALUES (NULL, 'meta', 'a', 'acc', 'A', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
RETURNING tenant_id, status, total_spend_cents, currency, impressions, clicks, conversions, revenue_cents, ctr, labels,
    is_deleted, created_at = now() AS created, updated_at = now() AS updated, id > 0 AS has_id;
INSERT INTO stratum.users (tenant_id, email, email_hash, password_hash, role, permissions, is_active, is_verified, is_protected,
    totp_enabled, failed_totp_attempts, locale, timezone, preferences, consent_marketing, consent_analytics, is_deleted)
VALUES (NULL, ' Ann@East.Test', NULL, 'h', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
RETURNING tenant_id, email_hash = stratum.email_hash('ann@east.test') AS hashed, role, permissions, is_active, is_verified,
    is_protected, totp_enabled, failed_totp_attempts, locale, timezone, preferences, consent_marketing, consent_analytics, is_deleted;
-- JSON null is a value, not NULL
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, labels, targeting_genders)
VALUES ('google', 'jsonnull', 'acc', 'J', 'null', 'null') RETURNING labels, targeting_genders, targeting_locations;
-- INSERT ... SELECT FROM (VALUES ...) ORDER BY ... RETURNING, as SQLAlchemy 2 sends it
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name)
SELECT p0::integer, p1::stratum.ad_platform, p2::varchar, p3::varchar, p4::varchar
FROM (VALUES (NULL, 'meta', 'b', 'acc', 'B', 0), (NULL, 'tiktok', 'c', 'acc', 'C', 1)) AS imp_sen (p0, p1, p2, p3, p4, sen_counter)
ORDER BY sen_counter
RETURNING external_id, tenant_id;
-- upsert that sets every non-key column
INSERT INTO stratum.campaigns AS c (tenant_id, platform, external_id, account_id, name, total_spend_cents, clicks, impressions)
VALUES (NULL, 'meta', 'b', 'acc2', 'B2', 1000, 3, 400)
ON CONFLICT (tenant_id, platform, external_id) DO UPDATE SET account_id = excluded.account_id, name = excluded.name,
    total_spend_cents = excluded.total_spend_cents, clicks = excluded.clicks, impressions = excluded.impressions,
    ctr = excluded.ctr, cpc_cents = excluded.cpc_cents, status = excluded.status, labels = excluded.labels
RETURNING name, ctr, cpc_cents, cpm_cents, cpa_cents, roas;
-- every column listed, unchanged tenant and id too; a no-op still counts
UPDATE stratum.campaigns SET id = id, tenant_id = tenant_id, name = name, created_at = created_at WHERE external_id = 'b'
RETURNING name;
-- a stranger's tenant
SAVEPOINT a;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) VALUES (9102, 'meta', 'x', 'acc', 'X');
ROLLBACK TO a;
COMMIT;

-- metrics are those of the counters, whatever is written into them
BEGIN;
SELECT stratum.enter(9101);
UPDATE stratum.campaigns SET impressions = 2800000, clicks = 56000, conversions = 7, total_spend_cents = 100, revenue_cents = 450, ctr = 99, roas = -1
WHERE external_id = 'b' RETURNING ctr, cpc_cents, cpm_cents, cpa_cents, roas;
UPDATE stratum.campaigns SET roas = 77, cpc_cents = 5 WHERE external_id = 'b' RETURNING roas, cpc_cents;
-- one that does not fit its column is NULL
UPDATE stratum.campaigns SET total_spend_cents = 2147483647, impressions = 1, clicks = 0, conversions = NULL
WHERE external_id = 'b' RETURNING ctr, cpc_cents, cpm_cents, cpa_cents, roas;
COMMIT;

-- updated_at: the transaction's time when the row changes, and only then
BEGIN;
SELECT stratum.enter(9101);
UPDATE stratum.campaigns SET name = name WHERE external_id = 'b' RETURNING updated_at < now() AS untouched;
UPDATE stratum.campaigns SET name = 'B3', updated_at = '2001-01-01' WHERE external_id = 'b' RETURNING updated_at = now() AS touched;
COMMIT;

-- soft delete
BEGIN;
SELECT stratum.enter(9101);
UPDATE stratum.users SET is_deleted = true RETURNING deleted_at = now() AS now;
UPDATE stratum.users SET is_deleted = true RETURNING deleted_at = now() AS still;
UPDATE stratum.users SET is_deleted = false RETURNING deleted_at;
UPDATE stratum.users SET is_deleted = true, deleted_at = '2020-01-01 00:00Z' RETURNING deleted_at = '2020-01-01 00:00Z' AS client;
UPDATE stratum.users SET is_deleted = NULL RETURNING deleted_at;
UPDATE stratum.campaigns SET is_deleted = true WHERE external_id = 'b' RETURNING is_deleted;
COMMIT;

-- hashes
BEGIN;
SELECT stratum.enter(9101);
INSERT INTO stratum.cdp_profiles (canonical_id, external_id, email, phone) VALUES
  ('00000000-0000-0000-0000-000000009101', 'plain', 'A@x.test', '+49 (171) 123-45.67'),
  ('00000000-0000-0000-0000-000000009102', 'cipher', 'gAAAAABk', 'enc:0171'),
  ('00000000-0000-0000-0000-000000009103', 'short', NULL, '123456');
SELECT external_id, email_hash = stratum.email_hash('a@x.test') AS email, phone_hash = stratum.phone_hash('491711234567') AS phone,
  email_hash IS NULL AS no_email, phone_hash IS NULL AS no_phone FROM stratum.cdp_profiles ORDER BY id;
-- follows a changed address
UPDATE stratum.cdp_profiles SET email = 'b@x.test' WHERE external_id = 'plain' RETURNING email_hash = stratum.email_hash('b@x.test') AS follows;
-- filled again when a merge sets it to NULL
UPDATE stratum.cdp_profiles SET email_hash = NULL, phone_hash = NULL WHERE external_id = 'plain'
RETURNING email_hash = stratum.email_hash('b@x.test') AS email, phone_hash IS NOT NULL AS phone;
-- also one that the client wrote in capitals
UPDATE stratum.cdp_profiles SET email_hash = upper(email_hash) WHERE external_id = 'plain';
UPDATE stratum.cdp_profiles SET email = 'b2@x.test' WHERE external_id = 'plain' RETURNING email_hash = stratum.email_hash('b2@x.test') AS follows;
-- the client's own stays
UPDATE stratum.cdp_profiles SET email_hash = repeat('a', 64) WHERE external_id = 'plain';
UPDATE stratum.cdp_profiles SET email = 'c@x.test' WHERE external_id = 'plain' RETURNING email_hash = repeat('a', 64) AS stays;
-- encrypting in place keeps the hash; taking the address away takes it away
UPDATE stratum.cdp_profiles SET email_hash = NULL WHERE external_id = 'plain';
UPDATE stratum.cdp_profiles SET email = 'gAAAAABl' WHERE external_id = 'plain' RETURNING email_hash = stratum.email_hash('c@x.test') AS kept;
UPDATE stratum.cdp_profiles SET email = 'd@x.test', email_hash = NULL WHERE external_id = 'plain';
UPDATE stratum.cdp_profiles SET email = NULL WHERE external_id = 'plain' RETURNING email_hash;
-- not 64 hex digits
UPDATE stratum.cdp_profiles SET email_hash = 'nonsense' WHERE external_id = 'plain';
ROLLBACK;
-- an encrypting client must bring the hash of a user
BEGIN;
SELECT stratum.enter(9101);
INSERT INTO stratum.users (email, password_hash) VALUES ('gAAAAABk', 'h');
ROLLBACK;

-- a row keeps its id and its tenant
\set VERBOSITY sqlstate
BEGIN;
SELECT stratum.enter(9101);
SAVEPOINT a;
UPDATE stratum.campaigns SET id = id + 100000;
ROLLBACK TO a;
UPDATE stratum.campaigns SET tenant_id = 9102;
ROLLBACK TO a;
UPDATE stratum.campaigns SET tenant_id = NULL;
ROLLBACK;
RESET SESSION AUTHORIZATION;
UPDATE stratum.campaigns SET tenant_id = 9102 WHERE tenant_id = 9101;
UPDATE stratum.tenants SET id = 9199 WHERE id = 9101;
\set VERBOSITY terse

-- one prepared statement used by two tenants in turn, with custom and with generic plans
SET SESSION AUTHORIZATION regress_stratum_orm;
BEGIN; SELECT stratum.enter(9102);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'w', 'acc', 'W'); COMMIT;
PREPARE names AS SELECT string_agg(external_id, ',' ORDER BY external_id) FROM stratum.campaigns;
PREPARE one (text) AS SELECT count(*) FROM stratum.campaigns WHERE external_id = $1;
SET plan_cache_mode = force_generic_plan;
BEGIN; SELECT stratum.enter(9101); EXECUTE names; EXECUTE one ('w'); COMMIT;
BEGIN; SELECT stratum.enter(9102); EXECUTE names; EXECUTE one ('w'); COMMIT;
EXECUTE names;
SET plan_cache_mode = force_custom_plan;
BEGIN; SELECT stratum.enter(9101); EXECUTE names; EXECUTE one ('w'); COMMIT;
BEGIN; SELECT stratum.enter(9102); EXECUTE names; EXECUTE one ('w'); COMMIT;
EXECUTE one ('w');
RESET plan_cache_mode;
RESET SESSION AUTHORIZATION;

-- a column that a user adds: writable at once, its explicit NULL stays NULL
ALTER TABLE stratum.campaigns ADD COLUMN regress_note text DEFAULT 'none';
SET SESSION AUTHORIZATION regress_stratum_orm;
BEGIN;
SELECT stratum.enter(9102);
UPDATE stratum.campaigns SET regress_note = 'mine' RETURNING regress_note;
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, regress_note) VALUES ('meta', 'w2', 'acc', 'W', NULL) RETURNING regress_note;
ROLLBACK;
RESET SESSION AUTHORIZATION;
ALTER TABLE stratum.campaigns DROP COLUMN regress_note;
SELECT * FROM stratum.check_install();

-- definitions are checked when they are written, and only then
BEGIN;
SELECT stratum.enter(9101);
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('s', '{"conditions": [{"field": "trait.a", "operator": "equals", "value": 1}]}'), ('none', 'null');
SAVEPOINT a;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('s', '{"conditions": [{"field": "trait.a", "operator": "nonsense"}]}');
ROLLBACK TO a;
UPDATE stratum.cdp_segments SET conditions = '{"conditions": [{"field": "spend", "operator": "is_null"}]}';
ROLLBACK TO a;
INSERT INTO stratum.rules (name, conditions, actions) VALUES ('r', '{"conditions": [{"field": "spend", "operator": "gt", "value": 1}]}', '[]');
ROLLBACK TO a;
INSERT INTO stratum.rules (name, conditions, actions) VALUES ('r', '{"conditions": [{"field": "spend", "operator": "greater_than", "value": 1}]}', '[]') RETURNING status;
ROLLBACK;

-- columns of other types: of another width they do, anything else is refused before a row is touched
CREATE FUNCTION pg_temp.after_alter(relation text, changes text, statement text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE result jsonb;
BEGIN
  EXECUTE format('ALTER TABLE stratum.%I %s', relation, changes);
  EXECUTE statement INTO result;
  RAISE EXCEPTION USING ERRCODE = 'RB000', MESSAGE = coalesce(result::text, 'null');
EXCEPTION WHEN SQLSTATE 'RB000' THEN RETURN sqlerrm;
  WHEN OTHERS THEN RETURN to_jsonb(sqlstate || ' ' || sqlerrm);
END $$;
CREATE DOMAIN regress_cents AS bigint;
BEGIN;
SELECT stratum.enter(9101);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, total_spend_cents, revenue_cents, clicks, impressions)
VALUES ('meta', 'types', 'acc', 'T', 1000, 200, 3, 400);
INSERT INTO stratum.rules (name, conditions, actions) VALUES ('types', '{"conditions": [{"field": "spend", "operator": "is_null"}]}', '[]');
INSERT INTO stratum.users (email, password_hash) VALUES ('types@east.test', 'h');
SELECT c.changes, pg_temp.after_alter('campaigns', c.changes,
  'UPDATE stratum.campaigns c SET revenue_cents = 300, is_deleted = true WHERE external_id = ''types''
   RETURNING jsonb_build_array(ctr, cpc_cents, cpm_cents, roas, updated_at = now(), tenant_id)')
FROM (VALUES (1, 'ALTER name TYPE text'), (2, 'ALTER total_spend_cents TYPE bigint'), (3, 'ALTER total_spend_cents TYPE regress_cents'),
  (4, 'ALTER cpm_cents TYPE regress_cents, ALTER conversions TYPE smallint'), (5, 'ALTER cpc_cents TYPE smallint, ALTER clicks TYPE bigint'),
  (6, 'ALTER roas TYPE real, ALTER ctr TYPE real'), (7, 'ALTER roas TYPE numeric(10,4)'), (8, 'ALTER total_spend_cents TYPE numeric(20,0)'),
  (9, 'ALTER clicks TYPE double precision'), (10, 'ALTER ctr TYPE text'), (11, 'ALTER cpc_cents TYPE real'),
  (12, 'ALTER updated_at TYPE timestamp'), (13, 'ALTER updated_at TYPE text')) c (n, changes) ORDER BY n;
SELECT c.relation, c.changes, pg_temp.after_alter(c.relation, c.changes, format('UPDATE stratum.%I SET updated_at = NULL RETURNING to_jsonb(updated_at = now())', c.relation))
FROM (VALUES (1, 'rules', 'ALTER conditions TYPE json'), (2, 'rules', 'ALTER conditions TYPE text'), (3, 'users', 'ALTER email TYPE text, ALTER email_hash TYPE char(64)'),
  (4, 'users', 'ALTER email TYPE bytea USING email::bytea'), (5, 'users', 'ALTER is_deleted DROP DEFAULT, ALTER is_deleted TYPE text'),
  (6, 'users', 'ALTER deleted_at TYPE timestamp'), (7, 'users', 'ALTER deleted_at TYPE text'), (8, 'users', 'ALTER updated_at TYPE date')) c (n, relation, changes) ORDER BY n;
-- in a session that has prepared the statement
PREPARE earn AS UPDATE stratum.campaigns SET revenue_cents = revenue_cents + 100 WHERE external_id = 'types' RETURNING roas, cpm_cents;
EXECUTE earn;
ALTER TABLE stratum.campaigns ALTER roas TYPE real, ALTER total_spend_cents TYPE bigint, ALTER cpm_cents TYPE bigint;
PREPARE earn_now AS UPDATE stratum.campaigns SET revenue_cents = revenue_cents + 100, total_spend_cents = 30000000000 WHERE external_id = 'types' RETURNING true AS done;
EXECUTE earn_now;
SELECT roas, cpc_cents, cpm_cents FROM stratum.campaigns WHERE external_id = 'types';
ALTER TABLE stratum.campaigns ALTER roas TYPE numeric;
EXECUTE earn_now;
ROLLBACK;
DEALLOCATE ALL;
DROP DOMAIN regress_cents;

-- the trigger function does nothing by hand
SELECT stratum._mixin();
DROP ROLE regress_stratum_orm;
