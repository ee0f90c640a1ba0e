-- The hash by which advertising platforms match an e-mail address, for one address a profile.
--
--   sql         encode(sha256(convert_to(lower(btrim(address)), 'UTF8')), 'hex')
--   pgcrypto    encode(digest(lower(btrim(address)), 'sha256'), 'hex')
--   email_hash  stratum.email_hash(address)
--
-- Fair: the addresses have blanks and capitals to be normalised and are ASCII, where all three mean the same; the hashes
-- themselves are compared. lower() folds every alphabet, by the database's locale (here C.UTF-8), email_hash A-Z only.
\echo
\echo '== hash: one e-mail address a profile'
CREATE UNLOGGED TABLE bench.addresses AS SELECT email::text AS address FROM stratum.cdp_profiles;
VACUUM (FREEZE, ANALYZE) bench.addresses;
CALL bench.warm('{bench.addresses}');

INSERT INTO bench.contestants (section, item, contestant, statement, answer_of)
SELECT 'hash', 'e-mail addresses', contestant, format('SELECT count(%s) FROM bench.addresses', expression),
       format('SELECT sum(hashtextextended(%s, 0)) FROM bench.addresses', expression)
FROM (VALUES
  (1, 'sql', $$encode(sha256(convert_to(lower(btrim(address)), 'UTF8')), 'hex')$$),
  (2, 'pgcrypto', $$encode(digest(lower(btrim(address)), 'sha256'), 'hex')$$),
  (3, 'email_hash', 'stratum.email_hash(address)')) c (place, contestant, expression)
ORDER BY place;
CALL bench.run('hash', :rounds);
DROP TABLE bench.addresses;

\set section hash
\set baseline sql
\set plans false
\ir report.sql
