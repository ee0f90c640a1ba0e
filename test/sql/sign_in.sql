-- Signing in: what a login of stratum_auth may do.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug, is_deleted) VALUES (8901, 'B North', 'sign-north', false), (8902, 'A South', 'sign-south', false), (8903, 'Gone', 'sign-gone', true), (8904, 'C West', 'sign-west', false);
INSERT INTO stratum.users (id, tenant_id, email, password_hash, role, is_active, is_deleted, gdpr_anonymized_at, totp_enabled, totp_secret, backup_codes, is_verified, email_hash) VALUES
  (8901, 8901, 'ann@sign.test', 'hash 1', 'admin', true, false, NULL, true, 'secret', '["c1"]', true, NULL),
  (8902, 8902, 'ann@sign.test', 'hash 2', 'viewer', true, false, NULL, false, NULL, NULL, false, NULL),
  (8903, 8903, 'ann@sign.test', 'hash 3', 'admin', true, false, NULL, false, NULL, NULL, false, NULL),
  (8904, NULL, 'ann@sign.test', 'hash 4', 'superadmin', true, false, NULL, false, NULL, NULL, false, NULL),
  (8905, 8901, 'off@sign.test', 'hash 5', 'admin', false, false, NULL, false, NULL, NULL, false, NULL),
  (8906, 8901, 'del@sign.test', 'hash 6', 'admin', true, true, NULL, false, NULL, NULL, false, NULL),
  (8907, 8901, 'ano@sign.test', 'hash 7', 'admin', true, false, now(), false, NULL, NULL, false, NULL),
  (8908, 8904, 'encrypted', 'hash 8', 'admin', true, false, NULL, false, NULL, NULL, false, upper(stratum.email_hash('ann@sign.test')));
SELECT stratum.email_hash('ann@sign.test') AS ann, stratum.email_hash('off@sign.test') AS off, stratum.email_hash('del@sign.test') AS del, stratum.email_hash('ano@sign.test') AS ano \gset
CREATE ROLE regress_stratum_auth LOGIN IN ROLE stratum_auth;
CREATE ROLE regress_stratum_app LOGIN IN ROLE stratum_app;

\c - regress_stratum_auth
-- a row a tenant, the platform's last; nothing of those who may not
SELECT tenant_id, tenant_slug, user_id, role, password_hash, is_verified, totp_enabled, totp_secret, backup_codes, failed_totp_attempts AS failed, locked_out FROM stratum.sign_in_candidates(:'ann');
SELECT count(*) FROM stratum.sign_in_candidates(upper(:'ann'));
SELECT count(*) FROM unnest(ARRAY[:'off', :'del', :'ano', repeat('0', 64)]) h, stratum.sign_in_candidates(h);
\set VERBOSITY sqlstate
SELECT stratum.sign_in_candidates(NULL);
SELECT stratum.sign_in_candidates('ann@sign.test');
SELECT stratum.sign_in_candidates('%');
SELECT stratum.note_second_factor(NULL, true);
SELECT stratum.note_second_factor(8901, NULL);
SELECT stratum.note_second_factor(8999, true);
SELECT stratum.note_second_factor(8905, false);
SELECT stratum.note_second_factor(8906, false);
SELECT stratum.note_second_factor(8903, false);
-- and nothing else
SELECT * FROM stratum.users;
SELECT * FROM stratum.tenants;
UPDATE stratum.users SET failed_totp_attempts = 0;
SELECT stratum.enter(8901);
SELECT stratum.enter_session(8901, NULL, '0123456789abcdef');
SELECT stratum.enter_jwt('x');
SELECT stratum.current_tenant_id();
\set VERBOSITY terse
-- the second factor: success sets back, five failures in a row lock, during the lock nothing counts
SELECT accepted, failed_totp_attempts AS failed, totp_lockout_until > now() AS locked FROM generate_series(1, 4) g, stratum.note_second_factor(8901, g < 0);
SELECT accepted, failed_totp_attempts AS failed, totp_lockout_until > now() AS locked FROM stratum.note_second_factor(8901, true);
SELECT accepted, failed_totp_attempts AS failed, totp_lockout_until > now() AS locked FROM generate_series(1, 7) g, stratum.note_second_factor(8901, g = 7);
SELECT locked_out, totp_lockout_until - now() BETWEEN '14 minutes' AND '15 minutes' AS quarter FROM stratum.sign_in_candidates(:'ann') WHERE user_id = 8901;
-- the application may not, nor enter by it
\c - regress_stratum_app
\set VERBOSITY sqlstate
SELECT * FROM stratum.sign_in_candidates(:'ann');
SELECT * FROM stratum.note_second_factor(8901, true);
BEGIN; SELECT stratum.enter(8901); SELECT * FROM stratum.sign_in_candidates(:'ann'); ROLLBACK;
\set VERBOSITY terse
-- a platform user is no tenant's to see or to make
BEGIN; SELECT stratum.enter(8901, 8904); SELECT count(*) FROM stratum.users WHERE tenant_id IS NULL; INSERT INTO stratum.users (tenant_id, email, password_hash) VALUES (NULL, 'new@sign.test', 'x') RETURNING tenant_id; ROLLBACK;
\c - postgres
-- after the lock the next failure counts on, success sets back
UPDATE stratum.users SET totp_lockout_until = now() - interval '1 second' WHERE id = 8901;
SELECT accepted, failed_totp_attempts AS failed, totp_lockout_until > now() AS locked FROM stratum.note_second_factor(8901, false);
SELECT * FROM stratum.note_second_factor(8901, true);
-- the trail has it
SELECT old_values ->> 'failed_totp_attempts' AS was, new_values ->> 'failed_totp_attempts' AS is, tenant_id, user_id FROM stratum.audit_logs WHERE resource_type = 'users' AND resource_id = '8901' AND action = 'update' ORDER BY id LIMIT 2;
DROP ROLE regress_stratum_auth, regress_stratum_app;
