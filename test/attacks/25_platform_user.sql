-- Users without a tenant are the platform's: not to be seen, made or become.
BEGIN;
:enter;
SELECT attack.control('his own users he sees', count(*) = 1) FROM stratum.users WHERE tenant_id = 1;
SELECT attack.held('seen', count(*) = 0) FROM stratum.users WHERE tenant_id IS NULL;
SELECT * FROM stratum.users WHERE id = 900;
SELECT attack.held('made', attack.try($$INSERT INTO stratum.users (tenant_id, email, email_hash, password_hash, role) VALUES (NULL, 'n@n.test', repeat('3', 64), 'x', 'superadmin')$$) <> '1 rows'
  OR NOT EXISTS (SELECT FROM stratum.users WHERE email = 'n@n.test' AND tenant_id IS NULL));
SELECT attack.held('his own made one', attack.try('UPDATE stratum.users SET tenant_id = NULL WHERE id = 100') NOT LIKE '% rows');
SELECT attack.held('changed', attack.try('UPDATE stratum.users SET password_hash = ''mine'' WHERE id = 900') = '0 rows');
SELECT attack.held('looked up by the sign-in role', attack.try('SET LOCAL ROLE stratum_auth') = '42501');
SELECT attack.held('looked up by its function', attack.try($$SELECT * FROM stratum.sign_in_candidates(encode(sha256('root@platform.test'), 'hex'))$$) IN ('42501', '42883'));
SELECT attack.held('the keys that sign tokens', attack.try('SELECT * FROM stratum.jwt_keys') IN ('42501', '42P01') AND attack.try('UPDATE stratum.jwt_keys SET id = id') IN ('42501', '42P01', '42703'));
COMMIT;
\c - postgres
SELECT attack.control('it is there', count(*) = 1) FROM stratum.users WHERE id = 900;
