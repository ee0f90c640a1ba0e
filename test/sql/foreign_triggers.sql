-- Tables of others that follow ours, and triggers of others on ours: what would run with a superuser's rights is named, and delete_tenant() refuses;
-- what PostgreSQL runs as the table's owner is not.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
INSERT INTO stratum.tenants (id, name, slug) VALUES (9751, 'Followed', 'followed');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) SELECT 975100 + n, 9751, md5('followed' || n)::uuid FROM generate_series(0, 9) n;
CREATE ROLE regress_stratum_owner;
CREATE ROLE regress_stratum_other;
CREATE SCHEMA regress_follow AUTHORIZATION regress_stratum_owner;
GRANT USAGE ON SCHEMA stratum TO regress_stratum_owner;
-- the rights; and what servers before 18 run, whatever this one is
CREATE FUNCTION pg_temp.rights() RETURNS TABLE (object text, problem text, remedy text) LANGUAGE sql AS $$
  SELECT c.object, c.problem, c.remedy FROM stratum.security_check() c
  WHERE c.severity = 'error' AND c.problem ~ '^(regress_.*|PUBLIC) has (REFERENCES|TRIGGER) ' ORDER BY c.object COLLATE "C", c.problem COLLATE "C" $$;
CREATE FUNCTION pg_temp.look() RETURNS TABLE (object text, problem text, remedy text) LANGUAGE sql AS $$
  SELECT * FROM stratum._foreign_triggers(150000) f WHERE f.object || f.problem ~ 'regress_' ORDER BY f.object COLLATE "C" $$;
\set leave 'SELECT count(*) > 10 AS deleted FROM stratum.delete_tenant(9751, \'followed\');'
SELECT * FROM pg_temp.rights();

GRANT REFERENCES ON stratum.cdp_profiles TO regress_stratum_owner WITH GRANT OPTION;
GRANT REFERENCES (id) ON stratum.tenants TO regress_stratum_owner;
GRANT TRIGGER ON stratum.campaigns TO PUBLIC;
SET ROLE regress_stratum_owner;
GRANT REFERENCES ON stratum.cdp_profiles TO regress_stratum_other;
RESET ROLE;
SELECT * FROM pg_temp.rights();

-- what they are good for: each way of following, two steps, partitions; each function says as whom it runs
SET ROLE regress_stratum_owner;
CREATE TABLE regress_follow.ran (place text, who text);
CREATE FUNCTION regress_follow.note(place text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO regress_follow.ran VALUES (place, current_user);
  RETURN true;
END $$;
CREATE FUNCTION regress_follow.fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM regress_follow.note(concat_ws(' ', tg_table_name, tg_name));
  RETURN coalesce(new, old);
END $$;
CREATE FUNCTION regress_follow.number(place text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_user <> 'regress_stratum_owner' THEN
    RAISE EXCEPTION '% runs as %', place, current_user;
  END IF;
  RETURN 975109;
END $$;
CREATE TABLE regress_follow.cascades (id serial PRIMARY KEY, profile_id integer REFERENCES stratum.cdp_profiles ON DELETE CASCADE);
CREATE TRIGGER before BEFORE DELETE ON regress_follow.cascades FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER after AFTER DELETE ON regress_follow.cascades FOR EACH ROW WHEN (regress_follow.note('condition')) EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER inserted AFTER INSERT ON regress_follow.cascades FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER off AFTER DELETE ON regress_follow.cascades FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
ALTER TABLE regress_follow.cascades DISABLE TRIGGER off;
CREATE TABLE regress_follow.nulls (profile_id integer REFERENCES stratum.cdp_profiles ON DELETE SET NULL,
  made integer GENERATED ALWAYS AS (regress_follow.number('generated' || coalesce(profile_id, 0))) STORED, CHECK (regress_follow.note('check')));
CREATE INDEX ON regress_follow.nulls (regress_follow.number('index' || coalesce(profile_id, 0)));
CREATE TRIGGER statement AFTER UPDATE ON regress_follow.nulls EXECUTE FUNCTION regress_follow.fire();
CREATE TABLE regress_follow.defaults (profile_id integer DEFAULT NULL REFERENCES stratum.cdp_profiles ON DELETE SET DEFAULT);
ALTER TABLE regress_follow.defaults ALTER profile_id SET DEFAULT nullif(regress_follow.number('default'), 975109);
CREATE CONSTRAINT TRIGGER checked AFTER UPDATE ON regress_follow.defaults DEFERRABLE FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
-- a step further, in a partition; the partitioned table's own trigger is off, not so the partition's
CREATE TABLE regress_follow.parts (id integer REFERENCES regress_follow.cascades ON DELETE CASCADE) PARTITION BY LIST (id);
CREATE TABLE regress_follow.part PARTITION OF regress_follow.parts DEFAULT;
CREATE TRIGGER all_parts AFTER DELETE ON regress_follow.parts FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER half AFTER DELETE ON regress_follow.parts FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
ALTER TABLE ONLY regress_follow.parts DISABLE TRIGGER half;
CREATE TRIGGER own AFTER DELETE ON regress_follow.part FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
-- a rule writes where triggers are
CREATE TABLE regress_follow.elsewhere (id integer);
CREATE TRIGGER written AFTER INSERT ON regress_follow.elsewhere FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE RULE too AS ON DELETE TO regress_follow.cascades DO ALSO INSERT INTO regress_follow.elsewhere VALUES (old.id);
-- a table that does not follow, and one that is changed with the key
CREATE TABLE regress_follow.stays (profile_id integer REFERENCES stratum.cdp_profiles);
CREATE TRIGGER after AFTER DELETE ON regress_follow.stays FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TABLE regress_follow.renamed (canonical_id uuid REFERENCES stratum.cdp_profiles (canonical_id) ON UPDATE CASCADE);
CREATE TRIGGER after AFTER UPDATE ON regress_follow.renamed FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
INSERT INTO regress_follow.cascades (profile_id) VALUES (975101);
INSERT INTO regress_follow.nulls VALUES (975102);
INSERT INTO regress_follow.defaults VALUES (975103);
INSERT INTO regress_follow.parts SELECT id FROM regress_follow.cascades;
TRUNCATE regress_follow.ran;
RESET ROLE;
-- that the rights are gone ends nothing of it
SELECT remedy FROM pg_temp.rights() \gexec
SELECT * FROM pg_temp.rights();
-- no fault: what a superuser has read
CREATE FUNCTION regress_follow.vetted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER vetted AFTER DELETE ON regress_follow.cascades FOR EACH ROW EXECUTE FUNCTION regress_follow.vetted();
CREATE TRIGGER vetted AFTER UPDATE ON stratum.campaigns FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.* AND now() > '2000-01-01') EXECUTE FUNCTION regress_follow.vetted();
SELECT * FROM pg_temp.look();
SELECT count(*) AS from_18_on FROM stratum._foreign_triggers(180000) f WHERE f.object ~ 'regress_';

-- they do run as whoever deletes, and from 18 on they do not; so the tenant stays, or may go
SELECT (current_setting('server_version_num')::integer < 180000)::text AS older \gset
BEGIN;
DELETE FROM stratum.cdp_profiles WHERE id BETWEEN 975101 AND 975103;
SELECT place, CASE who WHEN 'regress_stratum_owner' THEN 'owner' WHEN current_user THEN 'who deletes' END AS on_this_server
FROM regress_follow.ran WHERE who = 'regress_stratum_owner' AND place ~ 'before|check$|condition' ORDER BY place COLLATE "C";
SELECT string_agg(place, ', ' ORDER BY place COLLATE "C") AS others, bool_and(who = CASE WHEN :older THEN current_user ELSE 'regress_stratum_owner' END) AS as_expected
FROM regress_follow.ran WHERE place !~ 'before|check$|condition';
ROLLBACK;
CREATE FUNCTION pg_temp.leave() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  PERFORM stratum.delete_tenant(9751, 'followed');
  RETURN 'deleted';
EXCEPTION WHEN insufficient_privilege THEN
  GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT;
  RETURN sqlerrm || ' ' || said;
END $$;
BEGIN;
SET LOCAL ROLE stratum_admin;
SELECT pg_temp.leave() ~ CASE WHEN :older THEN '^tenant 9751 cannot be deleted: constraint cascades_profile_id_fkey on regress_follow.cascades .* stratum.security_check\(\)' ELSE '^deleted$' END AS as_expected;
RESET ROLE;
SELECT CASE WHEN :older THEN (SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 9751) ELSE 10 END AS profiles,
       CASE WHEN :older THEN (SELECT count(*) FROM regress_follow.ran) ELSE 0 END AS ran;
ROLLBACK;

-- on our own tables: any trigger, and conditions that can run anything
BEGIN;
GRANT TRIGGER ON stratum.campaigns TO regress_stratum_owner;
SET ROLE regress_stratum_owner;
CREATE DOMAIN regress_follow.word AS text CHECK (regress_follow.note(VALUE));
CREATE TRIGGER a_before BEFORE INSERT ON stratum.campaigns FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER b_xml AFTER DELETE ON stratum.campaigns FOR EACH ROW WHEN (query_to_xml('SELECT 1', true, false, '') IS NOT NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER c_volatile AFTER DELETE ON stratum.campaigns FOR EACH ROW WHEN (set_config('a.b', old.name, true) <> '') EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER d_function AFTER DELETE ON stratum.campaigns FOR EACH ROW WHEN (regress_follow.number('when') > 0) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER e_domain AFTER DELETE ON stratum.campaigns FOR EACH ROW WHEN (old.name::regress_follow.word IS NOT NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
RESET ROLE;
SELECT c.object, c.problem, c.remedy FROM stratum.security_check() c WHERE c.object ~ '^t.* stratum.campaigns' AND c.severity = 'error' ORDER BY c.object COLLATE "C";
SELECT remedy FROM pg_temp.look() WHERE object !~ 'a_before' ORDER BY object COLLATE "C" \gexec
\set VERBOSITY default
SET LOCAL ROLE stratum_admin;
:leave
\set VERBOSITY terse
ROLLBACK;

-- conditions that run what depends on types, and one that does not
BEGIN;
GRANT TRIGGER ON stratum.users TO regress_stratum_owner;
SET ROLE regress_stratum_owner;
CREATE DOMAIN regress_follow.d AS integer CHECK (regress_follow.note(VALUE::text));
CREATE TYPE regress_follow.c AS (a regress_follow.d);
CREATE TYPE regress_follow.e AS ENUM ('a');
CREATE TRIGGER a_row BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (('(1)'::text)::regress_follow.c IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER b_array BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (('{1}'::text)::regress_follow.d[] IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER c_populate BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (jsonb_populate_record(NULL::regress_follow.c, '{"a": 1}') IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER d_input BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (record_in('(1)', 'regress_follow.c'::regtype::oid, -1) IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER e_json BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (to_json('a'::regress_follow.e) IS NULL) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER f_format BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (format('%s', old.id) = '1') EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER g_harmless BEFORE UPDATE ON stratum.users FOR EACH ROW WHEN (old.email IS DISTINCT FROM new.email AND old.created_at < now() AND current_setting('a.b', true) = 'c') EXECUTE FUNCTION suppress_redundant_updates_trigger();
RESET ROLE;
SELECT f.object FROM stratum._foreign_triggers(180000) f WHERE f.object ~ 'stratum.users' ORDER BY 1;
ROLLBACK;

-- a table of a superuser's that follows: whoever has triggers on it, or may make them, or refers to it; also from 18 on
BEGIN;
CREATE TABLE regress_follow.trusted (id integer PRIMARY KEY, tenant_id integer REFERENCES stratum.tenants ON DELETE CASCADE);
GRANT ALL ON regress_follow.trusted TO regress_stratum_owner;
SET ROLE regress_stratum_owner;
CREATE TRIGGER before BEFORE DELETE ON regress_follow.trusted FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
CREATE TRIGGER inserted BEFORE INSERT ON regress_follow.trusted FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
RESET ROLE;
SELECT f.object, f.remedy FROM stratum._foreign_triggers(180000) f WHERE f.object ~ 'trusted';
SELECT * FROM pg_temp.rights();
ROLLBACK;
-- what it is for: a trigger that is harmless by itself makes another one while the tenant is deleted
BEGIN;
CREATE TABLE regress_follow.one (id integer REFERENCES stratum.tenants ON DELETE CASCADE);
ALTER TABLE regress_follow.one OWNER TO regress_stratum_owner;
SET ROLE regress_stratum_owner;
CREATE TRIGGER before BEFORE DELETE ON regress_follow.one FOR EACH ROW EXECUTE FUNCTION regress_follow.fire();
RESET ROLE;
SELECT f.object, f.remedy FROM stratum._foreign_triggers(150000) f WHERE f.object ~ 'follow.one$';
ROLLBACK;
-- keys of a type whose owner casts them as the owner of the table that they refer to, the right being gone
BEGIN;
GRANT REFERENCES ON stratum.tenants TO regress_stratum_owner;
SET ROLE regress_stratum_owner;
CREATE TYPE regress_follow.k AS (id integer);
CREATE FUNCTION regress_follow.id_of(regress_follow.k) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN regress_follow.number('cast'); END $$;
CREATE CAST (regress_follow.k AS integer) WITH FUNCTION regress_follow.id_of(regress_follow.k) AS IMPLICIT;
CREATE FUNCTION regress_follow.wide_id_of(regress_follow.k) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN regress_follow.number('cast'); END $$;
CREATE CAST (regress_follow.k AS bigint) WITH FUNCTION regress_follow.wide_id_of(regress_follow.k) AS IMPLICIT;
CREATE TABLE regress_follow.casts (x regress_follow.k REFERENCES stratum.tenants);
RESET ROLE;
REVOKE REFERENCES ON stratum.tenants FROM regress_stratum_owner;
SELECT c.object, c.problem, c.remedy FROM stratum.security_check() c WHERE c.object ~ 'regress_follow.casts' AND c.severity = 'error';
ROLLBACK;

-- every remedy cures, and then the tenant may leave: nothing follows any more
SELECT remedy FROM pg_temp.look() ORDER BY object COLLATE "C" \gexec
SELECT * FROM pg_temp.look();
TRUNCATE regress_follow.ran;
SET ROLE stratum_admin;
:leave
RESET ROLE;
SELECT (SELECT count(*) FROM regress_follow.ran) AS ran, (SELECT count(*) FROM regress_follow.cascades) AS cascades, (SELECT count(*) FROM regress_follow.part) AS part,
       (SELECT count(*) FROM regress_follow.nulls WHERE profile_id IS NULL) AS nulls, (SELECT count(*) FROM regress_follow.defaults WHERE profile_id IS NULL) AS defaults;

DROP TRIGGER vetted ON stratum.campaigns;
SET client_min_messages = error;
DROP SCHEMA regress_follow CASCADE;
REVOKE ALL ON SCHEMA stratum FROM regress_stratum_owner;
DROP ROLE regress_stratum_owner, regress_stratum_other;
DELETE FROM stratum.tenants WHERE id = 9751;
