-- Refreshes of many memberships: ranges of profiles, what users have put on the table, definitions of all sizes.
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO stratum.tenants (id, name, slug) VALUES (9501, 'Many', 'memberships-many'), (9502, 'Empty', 'memberships-empty');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits)
SELECT 95000000 + n, 9501, md5('many' || n)::uuid, jsonb_build_object('n', n, 'k', n % 97) FROM generate_series(1, 12000) n;
CREATE FUNCTION pg_temp.def(field text, operator text, value text DEFAULT NULL) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'value', value::jsonb))))
$$;
CREATE FUNCTION pg_temp.segments(n int, definition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM stratum.cdp_segments WHERE tenant_id = 9501;
  EXECUTE format('INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) SELECT 95000000 + n, 9501, ''s'' || n, %s FROM generate_series(1, %s) n', definition, n);
END $$;
-- What a refresh says: how many segments, members, came, went; and whether the table and the counts say the same.
CREATE FUNCTION pg_temp.refresh(tenant int DEFAULT 9501, OUT segments bigint, OUT members bigint, OUT added bigint, OUT removed bigint, OUT counts_agree boolean, OUT role text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stratum.enter(tenant);
  SELECT count(*), coalesce(sum(r.profile_count), 0), coalesce(sum(r.added), 0), coalesce(sum(r.removed), 0) INTO segments, members, added, removed FROM stratum.refresh_segments() r;
  counts_agree := members = (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.tenant_id = tenant)
    AND NOT EXISTS (SELECT FROM stratum.cdp_segments s WHERE s.tenant_id = tenant AND s.is_active AND s.profile_count <> (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.tenant_id = tenant AND m.segment_id = s.id));
  role := current_setting('session_replication_role');
END $$;
-- Memberships of which one end has gone.
CREATE VIEW pg_temp.orphans AS SELECT count(*) FROM stratum.cdp_segment_memberships m
WHERE NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = m.tenant_id AND p.id = m.profile_id) OR NOT EXISTS (SELECT FROM stratum.cdp_segments s WHERE s.tenant_id = m.tenant_id AND s.id = m.segment_id)
  OR NOT EXISTS (SELECT FROM stratum.tenants t WHERE t.id = m.tenant_id);

-- ---- none at all --------------------------------------------------------------------------------------------
SELECT * FROM pg_temp.refresh();
SELECT * FROM pg_temp.refresh(9502);
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (950901, 9502, 'nobody there', pg_temp.def('trait.n', 'is_null')), (950902, 9502, 'asks nothing', '{}');
SELECT * FROM pg_temp.refresh(9502);
-- segments that ask nothing, alone
SELECT pg_temp.segments(3, $$ '{}' $$);
SELECT * FROM pg_temp.refresh();
SELECT pg_temp.segments(20, $$ '{"groups": []}' $$);
SELECT * FROM pg_temp.refresh();

-- ---- many memberships at once: references are not looked up one by one ------------------------------------------
SELECT pg_temp.segments(2, $$ pg_temp.def('trait.n', 'gte', n::text) $$);
SELECT * FROM pg_temp.refresh();
SELECT * FROM pg_temp.refresh();
TABLE pg_temp.orphans;
-- they are kept as ever
DELETE FROM stratum.cdp_profiles WHERE id = 95000003;
DELETE FROM stratum.cdp_segments WHERE id = 95000002;
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501;
TABLE pg_temp.orphans;
INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id) VALUES (9501, 95000001, 95000003);
-- and what goes is deleted as ever
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('trait.n', 'lte', '10') WHERE tenant_id = 9501;
SELECT * FROM pg_temp.refresh();

-- ---- what users have put on the table ---------------------------------------------------------------------------
-- a column with a default, and one that is computed
SELECT pg_temp.segments(1, $$ pg_temp.def('trait.n', 'is_not_null') $$);
BEGIN;
ALTER TABLE stratum.cdp_segment_memberships ADD COLUMN source text NOT NULL DEFAULT 'refresh', ADD COLUMN twice bigint GENERATED ALWAYS AS (profile_id::bigint * 2) STORED;
SELECT * FROM pg_temp.refresh();
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501 AND source = 'refresh' AND twice = 2 * profile_id::bigint;
ROLLBACK;
-- a trigger of any kind
BEGIN;
CREATE TABLE public.regress_seen (n bigint);
CREATE FUNCTION regress_see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.regress_seen SELECT count(*) FROM added; RETURN NULL; END $$;
CREATE TRIGGER see AFTER INSERT ON stratum.cdp_segment_memberships REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION regress_see();
SELECT * FROM pg_temp.refresh();
SELECT sum(n) FROM public.regress_seen;
ROLLBACK;
-- a reference of their own, even to a table that ours go to
BEGIN;
ALTER TABLE stratum.cdp_segment_memberships ADD COLUMN introduced_by int REFERENCES stratum.cdp_profiles (id), ALTER COLUMN introduced_by SET DEFAULT -1;
SELECT * FROM pg_temp.refresh();
ROLLBACK;
-- a table of theirs that refers to memberships: it is heard of those that go, though many come
BEGIN;
CREATE TABLE regress_notes (tenant int, segment int, profile int, FOREIGN KEY (tenant, segment, profile) REFERENCES stratum.cdp_segment_memberships ON DELETE CASCADE);
SELECT * FROM pg_temp.refresh();
INSERT INTO regress_notes SELECT tenant_id, segment_id, profile_id FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501 LIMIT 100;
UPDATE stratum.cdp_segments SET conditions = pg_temp.def('trait.n', 'is_null') WHERE tenant_id = 9501;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (95000009, 9501, 'new', pg_temp.def('trait.n', 'is_not_null'));
SELECT * FROM pg_temp.refresh();
SELECT count(*) AS notes FROM regress_notes;
ROLLBACK;
-- a function of theirs that writes elsewhere: there references are looked after
BEGIN;
CREATE TABLE public.regress_written (profile int REFERENCES stratum.cdp_profiles (id));
CREATE FUNCTION public.regress_write() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.regress_written VALUES (-1); RETURN 1; END $$;
ALTER TABLE stratum.cdp_segment_memberships ADD COLUMN written int;
ALTER TABLE stratum.cdp_segment_memberships ALTER COLUMN written SET DEFAULT public.regress_write();
SELECT * FROM pg_temp.refresh();
ROLLBACK;
-- a check that fails when most is written: nothing is, and references are looked after again
BEGIN;
ALTER TABLE stratum.cdp_segment_memberships ADD CHECK (profile_id < 95011500);
SAVEPOINT s;
SELECT * FROM pg_temp.refresh();
ROLLBACK TO s;
SHOW session_replication_role;
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501;
SELECT profile_count, last_computed_at FROM stratum.cdp_segments WHERE tenant_id = 9501;
INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id) VALUES (9501, 95000001, -1);
ROLLBACK;
-- one that fails inside of a block that goes on
BEGIN;
ALTER TABLE stratum.cdp_segment_memberships ADD CHECK (profile_id < 95011500);
DO $$ BEGIN PERFORM stratum.enter(9501); PERFORM stratum.refresh_segments(); EXCEPTION WHEN check_violation THEN RAISE NOTICE 'caught, role %', current_setting('session_replication_role'); END $$;
SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501;
ROLLBACK;
-- who had it set aside himself has it so afterwards
BEGIN;
SET LOCAL session_replication_role = local;
SELECT * FROM pg_temp.refresh();
ROLLBACK;

-- ---- transactions -----------------------------------------------------------------------------------------------
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM pg_temp.refresh();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT * FROM pg_temp.refresh();
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT * FROM pg_temp.refresh();
ROLLBACK TO s;
SHOW session_replication_role;
SELECT * FROM pg_temp.refresh();
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM pg_temp.refresh();
ROLLBACK;

-- ---- ranges of profiles -----------------------------------------------------------------------------------------
SET maintenance_work_mem = '1MB';
SELECT pg_temp.segments(1000, $$ pg_temp.def('trait.n', 'in', format('[%s, %s, %s]', n, n + 5000, n + 10000)) $$);
SELECT * FROM pg_temp.refresh();
SELECT count(*) AS wrong FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501 AND (profile_id - 95000000 - (segment_id - 95000000)) NOT IN (0, 5000, 10000);
UPDATE stratum.cdp_profiles SET traits = jsonb_set(traits, '{n}', to_jsonb((traits ->> 'n')::int + 1)) WHERE tenant_id = 9501;
SELECT * FROM pg_temp.refresh();
SELECT count(*) AS wrong FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501 AND (profile_id - 95000000 + 1 - (segment_id - 95000000)) NOT IN (0, 5000, 10000);
SELECT * FROM pg_temp.refresh();
RESET maintenance_work_mem;

-- ---- many and large definitions -----------------------------------------------------------------------------------
SELECT pg_temp.segments(5000, $$ CASE n % 5 WHEN 0 THEN pg_temp.def('trait.n', 'equals', n::text) WHEN 1 THEN pg_temp.def('trait.n', 'between', format('[%s, %s]', n, n + 2)) WHEN 2 THEN pg_temp.def('trait.n', 'lte', (n / 1000)::text)
  WHEN 3 THEN pg_temp.def('trait.absent', 'equals', n::text) ELSE jsonb_build_object('logic', 'or', 'groups', jsonb_build_array(pg_temp.def('trait.n', 'equals', n::text), pg_temp.def('trait.k', 'equals', '97'))) END $$);
SELECT * FROM pg_temp.refresh();
SELECT count(*) AS wrong FROM stratum.cdp_segments s, LATERAL (SELECT count(*) FROM stratum.cdp_profiles p WHERE p.tenant_id = 9501 AND stratum.segment_matches(s.conditions, p)) live
WHERE s.tenant_id = 9501 AND s.id % 250 < 5 AND s.profile_count <> live.count;
-- an "and" of 20 "or"s of 10, which would be 10^20 alternatives; its own denial; among others and alone
CREATE FUNCTION pg_temp.explosive() RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT jsonb_build_object('groups', jsonb_agg(jsonb_build_object('logic', 'or', 'conditions', (SELECT jsonb_agg(jsonb_build_object('field', 'trait.n', 'operator', CASE WHEN j < 10 THEN 'equals' ELSE 'gte' END, 'value', i * 10 + j)) FROM generate_series(1, 10) j)))) FROM generate_series(1, 20) i
$$;
SELECT pg_temp.segments(10, $$ CASE WHEN n = 3 THEN pg_temp.explosive() WHEN n = 4 THEN jsonb_build_object('logic', 'not', 'groups', jsonb_build_array(pg_temp.explosive())) ELSE pg_temp.def('trait.n', 'equals', n::text) END $$);
SELECT * FROM pg_temp.refresh();
SELECT s.id, s.profile_count, (SELECT count(*) FROM stratum.cdp_profiles p WHERE p.tenant_id = 9501 AND stratum.segment_matches(s.conditions, p)) AS live FROM stratum.cdp_segments s WHERE id IN (95000003, 95000004) ORDER BY id;
SELECT pg_temp.segments(1, $$ pg_temp.explosive() $$);
SELECT * FROM pg_temp.refresh();
-- 100,000 conditions in one definition
SELECT pg_temp.segments(9, $$ CASE WHEN n = 5 THEN (SELECT jsonb_build_object('logic', 'or', 'conditions', jsonb_agg(jsonb_build_object('field', 'trait.n', 'operator', 'equals', 'value', -i))) FROM generate_series(1, 100000) i) ELSE pg_temp.def('trait.n', 'equals', n::text) END $$);
DELETE FROM stratum.cdp_profiles WHERE tenant_id = 9501 AND id > 95000100;
UPDATE stratum.cdp_profiles SET traits = '{"n": -77777}' WHERE id = 95000050;
SELECT * FROM pg_temp.refresh();
SELECT profile_id FROM stratum.cdp_segment_memberships WHERE segment_id = 95000005;
SELECT p.id FROM stratum.cdp_profiles p, stratum.cdp_segments s WHERE p.tenant_id = 9501 AND s.id = 95000005 AND stratum.segment_matches(s.conditions, p);
-- definitions that are the same in other words, and the same
SELECT pg_temp.segments(64, $$ CASE WHEN n % 2 = 0 THEN pg_temp.def('trait.n', 'lte', '10') ELSE '{"logic": "NOT", "groups": [{"conditions": [{"field": ["trait", "n"], "operator": "greater_than", "value": "10.0"}]}], "conditions": [{"field": "trait.n", "operator": "is_null"}, {"field": "trait.n", "operator": "equals", "value": "never"}]}' END $$);
SELECT segments, members, counts_agree FROM pg_temp.refresh();
SELECT count(DISTINCT profile_count) FROM stratum.cdp_segments WHERE tenant_id = 9501;

-- ---- ids beyond an integer, where somebody has widened the columns --------------------------------------------------
DELETE FROM stratum.cdp_segments WHERE tenant_id IN (9501, 9502);
BEGIN;
SET LOCAL client_min_messages = warning;
DROP VIEW pg_temp.orphans;
ALTER TABLE stratum.cdp_profiles ALTER COLUMN id TYPE bigint;
ALTER TABLE stratum.cdp_segment_memberships ALTER COLUMN profile_id TYPE bigint;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, traits) SELECT 5000000000 + n, 9501, md5('big' || n)::uuid, '{"n": 1}' FROM generate_series(1, 11000) n;
SELECT pg_temp.segments(2, $$ pg_temp.def('trait.n', 'equals', n::text) $$);
SELECT * FROM pg_temp.refresh();
SELECT count(*), min(profile_id), max(profile_id) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9501 AND segment_id = 95000001;
UPDATE stratum.cdp_profiles SET traits = '{"n": 2}' WHERE id = 5000000001;
SELECT * FROM pg_temp.refresh();
ROLLBACK;

-- ---- definitions about more columns than a function takes arguments -------------------------------------------------
BEGIN;
SET LOCAL client_min_messages = warning;
DO $$ BEGIN
  EXECUTE (SELECT 'ALTER TABLE stratum.cdp_profiles ' || string_agg(format('ADD COLUMN c%s integer DEFAULT %s', n, n), ', ') FROM generate_series(1, 120) n);
END $$;
SELECT pg_temp.segments(120, $$ pg_temp.def('profile.c' || n, 'equals', n::text) $$);
SELECT segments, members, counts_agree FROM pg_temp.refresh();
ROLLBACK;

DELETE FROM stratum.cdp_segments WHERE tenant_id IN (9501, 9502);
DELETE FROM stratum.cdp_profiles WHERE tenant_id IN (9501, 9502);
