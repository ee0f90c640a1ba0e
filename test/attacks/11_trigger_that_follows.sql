-- A table that refers to theirs and follows by CASCADE: before PostgreSQL 18 its AFTER triggers run as whoever deletes there. Nor may the attacker put triggers on theirs.
\c - postgres
CREATE SCHEMA mine AUTHORIZATION mallory;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) VALUES (150, 1, md5('150')::uuid);
\ir as_mallory.psql
CREATE TABLE mine.loot (line text);
CREATE FUNCTION mine.take() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO mine.loot SELECT current_user || ' reads ' || u.full_name FROM stratum.users u WHERE u.tenant_id = 2;
  RETURN NULL;
END $$;
SELECT attack.held('a table of mine refers to theirs', attack.try('CREATE TABLE mine.early (id integer REFERENCES stratum.cdp_profiles ON DELETE CASCADE)') = '42501');
SELECT attack.held('a trigger of mine is on their table', attack.try('CREATE TRIGGER early AFTER DELETE ON stratum.cdp_profiles EXECUTE FUNCTION mine.take()') = '42501');
-- somebody lets him do the first, and thinks better of it
\c - postgres
DROP TRIGGER IF EXISTS early ON stratum.cdp_profiles;
GRANT REFERENCES ON stratum.cdp_profiles TO mallory;
\ir as_mallory.psql
CREATE TABLE mine.followers (id integer REFERENCES stratum.cdp_profiles ON DELETE CASCADE);
INSERT INTO mine.followers VALUES (150);
CREATE TRIGGER take AFTER DELETE ON mine.followers FOR EACH ROW EXECUTE FUNCTION mine.take();
\c - postgres
SELECT (current_setting('server_version_num')::integer < 180000)::text AS older \gset
REVOKE REFERENCES ON stratum.cdp_profiles FROM mallory;
BEGIN;
DELETE FROM stratum.cdp_profiles WHERE id = 150;
SELECT attack.control('it runs as a superuser who deletes by hand, if the server is older', (count(*) > 0) = :older) FROM mine.loot;
ROLLBACK;
\if :guarded
BEGIN;
SET LOCAL ROLE stratum_admin;
SELECT attack.held('the attacker''s own tenant is made to leave', attack.try($$SELECT * FROM stratum.delete_tenant(1, 'attacker')$$) = '42501' OR NOT :older);
SELECT attack.held('nobody is told of it', NOT :older
  OR EXISTS (SELECT FROM stratum.security_check() WHERE severity = 'error' AND object = 'constraint followers_id_fkey on mine.followers'));
RESET ROLE;
SELECT line FROM mine.loot;
ROLLBACK;
\else
DELETE FROM stratum.cdp_profiles WHERE id = 150;
SELECT line FROM mine.loot;
\endif
