-- How many users and campaigns a tenant may have. See specs/tenant_limits for two at a time.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, plan, plan_expires_at, max_users, max_campaigns) VALUES
  (8601, 'Small', 'limit-small', 'pro', '2001-01-01', 3, 4), (8602, 'Free', 'limit-free', 'pro', NULL, NULL, NULL), (8603, 'None', 'limit-none', 'free', 'infinity', 0, 0);
-- an explicit NULL on INSERT is the default, as in every such column
UPDATE stratum.tenants SET max_users = NULL, max_campaigns = NULL WHERE id = 8602;
CREATE ROLE regress_stratum_limit LOGIN IN ROLE stratum_app;
CREATE FUNCTION public.limit_users(from_ int, to_ int, deleted bool DEFAULT false) RETURNS void LANGUAGE sql AS
  $$ INSERT INTO stratum.users (email, password_hash, is_deleted) SELECT 'u' || g || '@limit.test', 'x', deleted FROM generate_series(from_, to_) g $$;
CREATE FUNCTION public.limit_campaigns(from_ int, to_ int) RETURNS void LANGUAGE sql AS
  $$ INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'meta', g::text, 'a', 'C' || g FROM generate_series(from_, to_) g $$;
\c - regress_stratum_limit

BEGIN;
SELECT stratum.enter(8601);
SELECT limit_users(1, 2), limit_campaigns(1, 4);
SELECT * FROM stratum.tenant_limits();
-- the last place, and one too many, with the limit in the message
SELECT limit_users(3, 3);
SAVEPOINT a;
\set VERBOSITY default
SELECT limit_users(4, 4);
ROLLBACK TO a;
SELECT limit_campaigns(5, 5);
ROLLBACK TO a;
\set VERBOSITY sqlstate
SELECT limit_users(4, 9);
ROLLBACK TO a;
\set VERBOSITY terse
-- deleted ones do not count, restored ones do
SELECT limit_users(10, 12, deleted => true);
UPDATE stratum.users SET is_deleted = true WHERE email = 'u1@limit.test';
SELECT users, max_users FROM stratum.tenant_limits();
SELECT limit_users(4, 4);
SAVEPOINT b;
UPDATE stratum.users SET is_deleted = false WHERE email = 'u1@limit.test';
ROLLBACK TO b;
UPDATE stratum.users SET is_deleted = NULL;
ROLLBACK TO b;
INSERT INTO stratum.users (email, password_hash) VALUES ('u1@limit.test', 'x') ON CONFLICT (tenant_id, email_hash) DO UPDATE SET is_deleted = false;
ROLLBACK TO b;
-- one for another, in one statement
UPDATE stratum.users SET is_deleted = (email = 'u2@limit.test') WHERE email IN ('u1@limit.test', 'u2@limit.test');
DELETE FROM stratum.users WHERE email = 'u3@limit.test';
UPDATE stratum.users SET is_deleted = false WHERE email = 'u2@limit.test';
SELECT users, max_users FROM stratum.tenant_limits();
-- what changes no number is always allowed
UPDATE stratum.users SET full_name = 'x', is_deleted = is_deleted;
INSERT INTO stratum.users (email, password_hash) VALUES ('u1@limit.test', 'x') ON CONFLICT DO NOTHING;
INSERT INTO stratum.users (email, password_hash) VALUES ('u1@limit.test', 'x') ON CONFLICT (tenant_id, email_hash) DO UPDATE SET full_name = 'y';
INSERT INTO stratum.users (email, password_hash) SELECT 'z@limit.test', 'x' WHERE false;
COMMIT;

-- what a savepoint takes back is free again; a loop of single rows
BEGIN;
SELECT stratum.enter(8601);
DELETE FROM stratum.campaigns;
SAVEPOINT a; SELECT limit_campaigns(1, 4); ROLLBACK TO a;
DO $$ BEGIN FOR i IN 1..4 LOOP PERFORM limit_campaigns(i, i); END LOOP; END $$;
DO $$ BEGIN FOR i IN 5..9 LOOP
  BEGIN PERFORM limit_campaigns(i, i); EXCEPTION WHEN configuration_limit_exceeded THEN RAISE NOTICE 'no campaign %', i; END;
  IF i = 6 THEN DELETE FROM stratum.campaigns WHERE external_id = '1'; END IF;
END LOOP; END $$;
SELECT string_agg(external_id, ',' ORDER BY external_id) FROM stratum.campaigns;
ROLLBACK;
-- by whatever kind of statement
BEGIN;
SELECT stratum.enter(8601);
DELETE FROM stratum.campaigns;
MERGE INTO stratum.campaigns c USING generate_series(1, 5) g ON c.external_id = g::text
  WHEN NOT MATCHED THEN INSERT (tenant_id, platform, external_id, account_id, name) VALUES (8601, 'meta', g::text, 'a', 'C');
ROLLBACK;
BEGIN;
SELECT stratum.enter(8601);
WITH gone AS (DELETE FROM stratum.campaigns RETURNING *)
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) SELECT 'google', external_id, 'a', 'C' FROM gone;
SELECT campaigns, max_campaigns FROM stratum.tenant_limits();
ROLLBACK;

-- 0 is none, NULL is no limit
BEGIN; SELECT stratum.enter(8603); SELECT limit_users(1, 1); ROLLBACK;
BEGIN;
SELECT stratum.enter(8602);
SELECT limit_users(1, 100), limit_campaigns(1, 1000);
SELECT * FROM stratum.tenant_limits();
ROLLBACK;
SELECT * FROM stratum.tenant_limits();

-- administrators: without a tenant nothing is limited, with one they are; a limit that they change counts at once
\c - postgres
SET ROLE stratum_admin;
INSERT INTO stratum.users (tenant_id, email, password_hash) SELECT 8601, 'admin' || g || '@limit.test', 'x' FROM generate_series(1, 3) g;
SELECT count(*) FROM stratum.users WHERE tenant_id = 8601 AND NOT is_deleted;
BEGIN;
SELECT stratum.enter(8601);
SELECT limit_users(20, 20);
ROLLBACK;
BEGIN;
SELECT stratum.enter(8601);
UPDATE stratum.tenants SET max_users = 7;
SELECT limit_users(20, 20);
UPDATE stratum.tenants SET max_users = 6;
SELECT limit_users(21, 21);
ROLLBACK;
BEGIN;
SELECT stratum.enter(8601);
UPDATE stratum.tenants SET max_users = 7;
SELECT limit_users(20, 20);
SELECT stratum.leave();
INSERT INTO stratum.users (tenant_id, email, password_hash) VALUES (8601, 'left@limit.test', 'x');
SELECT stratum.enter(8601);
UPDATE stratum.tenants SET max_users = 8;
SELECT limit_users(21, 21);
ROLLBACK;
RESET ROLE;
-- the trigger is nobody's to misuse
\set VERBOSITY sqlstate
SELECT stratum._limit_rows();
CREATE TRIGGER t BEFORE INSERT ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION stratum._limit_rows('max_users');
BEGIN; SELECT stratum.enter(8602); SELECT limit_campaigns(1, 1); ROLLBACK;
DROP TRIGGER t ON stratum.campaigns;
CREATE TRIGGER t AFTER INSERT ON stratum.campaigns EXECUTE FUNCTION stratum._limit_rows('max_users');
BEGIN; SELECT stratum.enter(8602); SELECT limit_campaigns(1, 1); ROLLBACK;
DROP TRIGGER t ON stratum.campaigns;
CREATE TRIGGER t AFTER INSERT ON stratum.campaigns REFERENCING NEW TABLE AS x EXECUTE FUNCTION stratum._limit_rows('max_everything');
BEGIN; SELECT stratum.enter(8602); SELECT limit_campaigns(1, 1); ROLLBACK;
DROP TRIGGER t ON stratum.campaigns;
\set VERBOSITY terse
DROP FUNCTION public.limit_users, public.limit_campaigns;
DROP ROLE regress_stratum_limit;
