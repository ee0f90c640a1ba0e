-- The keys of enter_jwt().
\ir helpers.psql
SELECT plan(15);

SELECT pg_temp.columns_are('jwt_keys', $$
  kid text not null
  secret bytea not null
  audience text not null
  valid_from timestamp with time zone not null default now()
  valid_until timestamp with time zone
$$);
SELECT pg_temp.keys_are('jwt_keys', $$
  jwt_keys_pkey PRIMARY KEY (kid)
$$);
SELECT is_empty($$
  SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = pg_temp.relation('jwt_keys') AND a.grantee <> c.relowner
  UNION ALL SELECT p.oid FROM pg_policy p WHERE p.polrelid = pg_temp.relation('jwt_keys')
$$, 'nobody has a right on the keys, and no policy shows one');
SELECT results_eq($$
  SELECT bool_and(pg_get_triggerdef(t.oid) LIKE '%{secret}%') AND count(*) = 3 FROM pg_trigger t
  WHERE t.tgrelid = pg_temp.relation('jwt_keys') AND t.tgname ~ '^zz_stratum_audit_(insert|update|delete)$'
$$, 'VALUES (true)', 'secrets are redacted in the audit trail');
SELECT throws_ok($$INSERT INTO stratum.jwt_keys (kid, secret, audience) VALUES ('', sha256('x'), 'a')$$, '23514', NULL, 'a key has a name');
SELECT throws_ok($$INSERT INTO stratum.jwt_keys (kid, secret, audience) VALUES ('k', 'short', 'a')$$, '23514', NULL, 'a secret is long');
SELECT throws_ok($$INSERT INTO stratum.jwt_keys (kid, secret, audience) VALUES ('k', sha256('x'), '')$$, '23514', NULL, 'a key has an audience');
SELECT throws_ok($$INSERT INTO stratum.jwt_keys (kid, secret, audience, valid_until) VALUES ('k', sha256('x'), 'a', '2000-01-01')$$, '23514', NULL, 'a key ends after it begins');
SELECT lives_ok($$INSERT INTO stratum.jwt_keys (kid, secret, audience, valid_until) VALUES ('k', sha256('x'), 'a', now())$$, 'a key may end at once');

SELECT * FROM finish();
ROLLBACK;
