--
-- Random definitions about events against random profiles, by the oracle and in every way that the library can be
-- asked, as a superuser and as a member of stratum_app. Leaves in schema events_oracle: answer, said, failure,
-- disagreement, miscount.
--
-- Needs what events_generate.sql needs, the role app, and psql variables: seed, single, nested (definitions), profiles,
-- fillers, padding. All in one transaction, which stands still in time.
--
\set ON_ERROR_STOP 1
BEGIN;
INSERT INTO stratum.tenants (name, slug) VALUES ('Events', 'events') RETURNING id AS tenant \gset
INSERT INTO stratum.tenants (name, slug) VALUES ('Others', 'others') RETURNING id AS others \gset
SELECT setseed(:seed) AS seeded \gset

-- ---- what is compared -----------------------------------------------------------------------------

-- The ids leave room for profiles between them; with these, a refresh of 1,000 at a time ends and begins a range at one.
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id)
	SELECT 1000 + n * 60 + n % 7, :tenant, md5('p' || n)::uuid FROM generate_series(1, :profiles) AS n;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id)
	SELECT id, :tenant, md5('e' || id)::uuid FROM unnest('{2000,2001,3000,3001,4000,4001}'::int[]) AS id
	ON CONFLICT DO NOTHING;
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) VALUES (1000000, :others, md5('other')::uuid);
SELECT setval('stratum.cdp_profiles_id_seq', 2000000) AS done \gset
CREATE TABLE events_oracle.subject AS SELECT id FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
SELECT array_agg(id ORDER BY id) AS ids FROM events_oracle.subject \gset
CALL events_oracle.generate_events(:tenant, :'ids');
CREATE TABLE events_oracle.times AS SELECT profile_id AS profile, timestamp AS at FROM stratum.cdp_events WHERE tenant_id = :tenant;
-- What is not the profile's: another tenant's, nobody's, no tenant's.
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, context, timestamp)
	SELECT :others, 1000000, event_name, 'track', properties, context, timestamp FROM stratum.cdp_events WHERE tenant_id = :tenant AND id % 3 = 0
	UNION ALL
	SELECT :tenant, NULL, event_name, 'track', properties, context, timestamp FROM stratum.cdp_events WHERE tenant_id = :tenant AND id % 3 = 1;
CREATE TABLE events_oracle.orphan AS
	SELECT profile_id, event_name, properties, context, timestamp FROM stratum.cdp_events WHERE tenant_id = :tenant AND profile_id IS NOT NULL AND id % 5 = 0;
ALTER TABLE stratum.cdp_events ALTER tenant_id DROP DEFAULT;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, context, timestamp)
	SELECT NULL, profile_id, event_name, 'track', properties, context, timestamp FROM events_oracle.orphan;
ANALYZE stratum.cdp_events, stratum.cdp_profiles;

CREATE TABLE events_oracle.definition (id serial PRIMARY KEY, conditions jsonb);
INSERT INTO events_oracle.definition (conditions)
	SELECT jsonb_build_object('conditions', jsonb_build_array(events_oracle.random_condition())) FROM generate_series(1, :single);
INSERT INTO events_oracle.definition (conditions)
	SELECT events_oracle.random_definition(2) FROM generate_series(1, :nested);

-- The subject 0 is a profile without events.
CREATE TABLE events_oracle.answer (definition int, subject int, expected boolean NOT NULL, PRIMARY KEY (definition, subject));
INSERT INTO events_oracle.answer
	SELECT d.id, s.id, events_oracle.matches(d.conditions, s.id, now())
	FROM events_oracle.definition d, (SELECT id FROM events_oracle.subject UNION ALL SELECT 0) s;
ANALYZE events_oracle.answer;

-- ---- said -----------------------------------------------------------------------------------------

CREATE TABLE events_oracle.said (way text, definition int, subject int, result boolean);
CREATE TABLE events_oracle.failure (way text, definition int, message text);
CREATE TABLE events_oracle.counted (way text, definition int, stored bigint, expected bigint);
CREATE TABLE events_oracle.stored (definition int, segment int);

-- Runs a query of (definition, subject, result); what it raises is kept.
CREATE FUNCTION events_oracle.ask(way text, definition int, query text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO events_oracle.said SELECT %L, * FROM (%s) AS q', way, query);
EXCEPTION WHEN OTHERS THEN
	INSERT INTO events_oracle.failure VALUES (way, definition, SQLSTATE || ' ' || SQLERRM);
END $$;

CREATE FUNCTION events_oracle.as_said(members text) RETURNS text
LANGUAGE sql AS $$
	SELECT format('SELECT s.definition, p.id, m.profile_id IS NOT NULL
		FROM events_oracle.stored s CROSS JOIN events_oracle.subject p
		LEFT JOIN (%s) AS m (segment_id, profile_id) ON m.segment_id = s.segment AND m.profile_id = p.id', members)
$$;

CREATE PROCEDURE events_oracle.ask_constants(way text, query text)
LANGUAGE plpgsql AS $$
DECLARE
	d events_oracle.definition;
BEGIN
	FOR d IN SELECT * FROM events_oracle.definition ORDER BY id LOOP
		PERFORM events_oracle.ask(way, d.id, replace(replace(query, 'DEFINITION', d.id::text), 'CONDITIONS', quote_literal(d.conditions) || '::jsonb'));
	END LOOP;
END $$;

CREATE PROCEDURE events_oracle.refresh(way text, call text)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM events_oracle.ask(way, NULL, 'SELECT NULL::int, NULL::int, NULL::boolean FROM ' || call);
	PERFORM events_oracle.ask(way, NULL, events_oracle.as_said('SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships'));
	INSERT INTO events_oracle.counted
		SELECT way, s.definition, c.profile_count,
			(SELECT count(*) FROM events_oracle.answer a WHERE a.definition = s.definition AND a.expected AND a.subject > 0)
		FROM events_oracle.stored s JOIN stratum.cdp_segments c ON c.id = s.segment;
END $$;

CREATE FUNCTION events_oracle.forget_members() RETURNS void
LANGUAGE sql SECURITY DEFINER AS $$ DELETE FROM stratum.cdp_segment_memberships WHERE profile_id % 3 = 0 $$;

GRANT USAGE ON SCHEMA events_oracle, oracle TO app;
GRANT ALL ON ALL TABLES IN SCHEMA events_oracle TO app;
CREATE PROCEDURE events_oracle.ask_all(who text, tenant int)
LANGUAGE plpgsql AS $$
DECLARE
	d events_oracle.definition;
	of text := ' as ' || who;
	segment int;
BEGIN
	PERFORM FROM stratum.enter(tenant);
	-- Another definition with every row, and another row with every definition.
	SET LOCAL timezone = 'America/New_York';
	PERFORM events_oracle.ask('segment_matches(variable, row)' || of, NULL,
		'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM (SELECT * FROM stratum.cdp_profiles ORDER BY id) p
			JOIN events_oracle.subject USING (id), LATERAL (SELECT * FROM events_oracle.definition ORDER BY id) d');
	SET LOCAL timezone = 'Europe/Berlin';
	CALL events_oracle.ask_constants('segment_matches(constant, row)' || of,
		'SELECT DEFINITION, p.id, stratum.segment_matches(CONDITIONS, p) FROM stratum.cdp_profiles p JOIN events_oracle.subject USING (id)');
	PERFORM events_oracle.ask('segment_matches(variable, traits)' || of, NULL,
		'SELECT d.id, 0, stratum.segment_matches(d.conditions, ''{"amount": 5}''::jsonb) FROM events_oracle.definition d');
	SET LOCAL timezone = 'Australia/Lord_Howe';
	CALL events_oracle.ask_constants('preview_segment()' || of,
		'SELECT DEFINITION, s.id, q.id IS NOT NULL FROM events_oracle.subject s LEFT JOIN
			(SELECT (e ->> ''id'')::int AS id FROM stratum.preview_segment(CONDITIONS, 1000) AS v, jsonb_array_elements(v.sample) AS e) AS q USING (id)');
	CALL events_oracle.ask_constants('WHERE segment_matches(constant, row)' || of,
		'SELECT DEFINITION, s.id, q.id IS NOT NULL FROM events_oracle.subject s LEFT JOIN
			(SELECT p.id FROM stratum.cdp_profiles p WHERE stratum.segment_matches(CONDITIONS, p)) AS q USING (id)');

	FOR d IN SELECT * FROM events_oracle.definition ORDER BY id LOOP
		BEGIN
			INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('events ' || d.id, d.conditions) RETURNING id INTO segment;
			INSERT INTO events_oracle.stored VALUES (d.id, segment);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO events_oracle.failure VALUES ('INSERT of a segment', d.id, SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
	SET LOCAL timezone = 'America/Sao_Paulo';
	CALL events_oracle.refresh('refresh_segments()' || of, 'stratum.refresh_segments()');
	SET LOCAL timezone = 'Asia/Kathmandu';
	PERFORM events_oracle.ask('profile_segments()' || of, NULL, events_oracle.as_said(
		'SELECT x.segment_id, p.id FROM events_oracle.subject p, stratum.profile_segments(p.id) AS x(segment_id)'));
	PERFORM events_oracle.ask('segment_profiles()' || of, NULL, events_oracle.as_said(
		'SELECT s.segment, x.profile_id FROM events_oracle.stored s, stratum.segment_profiles(s.segment) AS x(profile_id)'));
	SET LOCAL timezone = 'Pacific/Apia';
	PERFORM events_oracle.forget_members();
	CALL events_oracle.refresh('refresh_segment()' || of, 'events_oracle.stored s, stratum.refresh_segment(s.segment)');
END $$;

-- As the app, whose segments are then thrown away; as a superuser.
SET LOCAL ROLE app;
CALL events_oracle.ask_all('a member of stratum_app', :tenant);
RESET ROLE;
DELETE FROM stratum.cdp_segment_memberships;
DELETE FROM stratum.cdp_segments;
DELETE FROM events_oracle.stored;
CALL events_oracle.ask_all('a superuser', :tenant);

-- ---- both orders of events ------------------------------------------------------------------------

-- Where there is no index in the order of profiles, sorting costs more than nothing; where a row costs very much, finding its profile does.
SELECT events_oracle.forget_members() \g /dev/null
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL cpu_tuple_cost = 0;
CALL events_oracle.refresh('refresh_segments(), events as they come', 'stratum.refresh_segments()');
RESET cpu_tuple_cost;
RESET enable_indexscan;
RESET enable_indexonlyscan;
SELECT events_oracle.forget_members() \g /dev/null
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL cpu_tuple_cost = 10;
CALL events_oracle.refresh('refresh_segments(), events in order', 'stratum.refresh_segments()');
RESET cpu_tuple_cost;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- ---- several ranges -------------------------------------------------------------------------------

-- Profiles without events between the others, and segments of nobody, so that the memory has no room for all
-- profiles at once. Segments that a profile without events is in are left alone but for a few.
DELETE FROM stratum.cdp_segment_memberships;
INSERT INTO stratum.cdp_profiles (id, canonical_id)
	SELECT n, md5('f' || n)::uuid FROM generate_series(1001, 1000 + :fillers) AS n
	ON CONFLICT DO NOTHING;
INSERT INTO stratum.cdp_segments (name, conditions)
	SELECT 'padding ' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.padding', 'operator', 'equals', 'value', n)))
	FROM generate_series(1, :padding) AS n;
UPDATE stratum.cdp_segments c SET is_active = false
	FROM events_oracle.stored s JOIN events_oracle.answer a ON a.definition = s.definition AND a.subject = 0 AND a.expected
	WHERE c.id = s.segment AND s.definition % 10 <> 0;
DELETE FROM events_oracle.stored s USING stratum.cdp_segments c WHERE c.id = s.segment AND NOT c.is_active;
SET LOCAL maintenance_work_mem = '1MB';
SET LOCAL timezone = 'Africa/Casablanca';
CALL events_oracle.refresh('refresh_segments() in several ranges', 'stratum.refresh_segments()');
UPDATE events_oracle.counted c SET expected = c.expected +
	(SELECT count(*) FROM stratum.cdp_profiles p WHERE p.tenant_id = :tenant AND NOT EXISTS (SELECT FROM events_oracle.subject s WHERE s.id = p.id))
	FROM events_oracle.answer a
	WHERE c.way LIKE '%ranges' AND a.definition = c.definition AND a.subject = 0 AND a.expected;

CREATE TABLE events_oracle.disagreement AS
	SELECT s.way, s.definition, s.subject, a.expected, s.result
	FROM events_oracle.said s JOIN events_oracle.answer a USING (definition, subject)
	WHERE s.result IS DISTINCT FROM a.expected;
COMMIT;
