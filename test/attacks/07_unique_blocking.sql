-- The victim's transaction is open and has written a key: whoever writes the same waits, and knows. Two sessions.
\if :guarded
\c - postgres
CALL stratum.scope_unique_keys();
\endif
\c - app
BEGIN;
SELECT stratum.enter(2);
INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES ('33333333-3333-4333-8333-333333333333', 'v@v.test', repeat('1', 64));
INSERT INTO stratum.users (email, email_hash, password_hash) VALUES ('v@v.test', repeat('1', 64), 'x');
\set answer `as mallory "BEGIN; SELECT stratum.enter(1); INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES ('33333333-3333-4333-8333-333333333333', 'v@v.test', repeat('1', 64)) RETURNING 'done'; ROLLBACK"`
SELECT attack.held('canonical_id', :'answer' LIKE '%done%');
\set answer `as mallory "BEGIN; SELECT stratum.enter(1); INSERT INTO stratum.users (email, email_hash, password_hash) VALUES ('v@v.test', repeat('1', 64), 'x') RETURNING 'done'; ROLLBACK"`
SELECT attack.held('address of a user', :'answer' LIKE '%done%');
\set answer `as app "BEGIN; SELECT stratum.enter(2); INSERT INTO stratum.cdp_profiles (canonical_id, email, email_hash) VALUES ('33333333-3333-4333-8333-333333333333', 'v@v.test', repeat('1', 64)) RETURNING 'done'; ROLLBACK"`
SELECT attack.control('who is of the same tenant waits', :'answer' LIKE '%ERROR 55P03%');
ROLLBACK;
