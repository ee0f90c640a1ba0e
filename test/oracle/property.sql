--
-- The property test: random definitions against random profiles and campaigns, evaluated by the
-- oracle and by the library in every way that the library offers. Leaves in schema oracle:
--
--   answer        expected, for each definition and row
--   disagreement  where the library said something else, with the way and what it said
--   failure       what the library raised
--
-- Needs oracle.sql, generate.sql, and psql variables: per_operator, nested, profiles, campaigns, seed.
-- All in one transaction, which stands still in time.
--
\set ON_ERROR_STOP 1
BEGIN;
-- Nothing may depend on these.
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL datestyle = 'German';

-- ---- what is compared ---------------------------------------------------------------------------

INSERT INTO stratum.tenants (name, slug) VALUES ('Oracle', 'oracle') RETURNING id AS tenant \gset
SELECT setseed(:seed) AS seeded \gset
CALL oracle.generate_definitions('profile', :per_operator, :nested);
CALL oracle.generate_definitions('campaign', :per_operator / 2 + 1, :nested / 3);

SELECT set_config('oracle.tenant', :'tenant', true) AS done \gset
DO $$
BEGIN
	PERFORM FROM stratum.enter(current_setting('oracle.tenant')::bigint);
END $$;

CREATE TABLE oracle.born AS SELECT n, oracle.random_profile() AS profile FROM generate_series(1, :profiles) AS n;
INSERT INTO stratum.cdp_profiles (canonical_id, anonymous_id, external_id, email, phone, first_name,
	lifecycle_stage, first_seen_at, last_seen_at, created_at, traits, computed_traits, consent)
SELECT r.canonical_id, r.anonymous_id, r.external_id, r.email, r.phone, r.first_name,
	r.lifecycle_stage, r.first_seen_at, r.last_seen_at, r.created_at, r.traits, r.computed_traits, r.consent
FROM oracle.born b, jsonb_populate_record(NULL::stratum.cdp_profiles, b.profile) r
ORDER BY b.n;
SELECT array_agg(id ORDER BY id) AS ids FROM stratum.cdp_profiles WHERE tenant_id = :tenant \gset
UPDATE stratum.cdp_profiles SET traits = NULL, consent = NULL WHERE id = (:'ids'::int[])[3];
UPDATE stratum.cdp_profiles SET computed_traits = 'null', traits = 'null' WHERE id = (:'ids'::int[])[4];
CALL oracle.generate_events(:tenant, :'ids');

CREATE TABLE oracle.campaign AS
	SELECT r.* FROM (SELECT oracle.random_campaign(n) AS born FROM generate_series(1, :campaigns) AS n OFFSET 0) b,
		jsonb_populate_record(NULL::stratum.campaigns, b.born) r;

-- The same profiles in a table of the user's: its columns in another order and one more among them, and
-- all that is not short out of line and uncompressed.
CREATE TABLE oracle.customer AS
	SELECT consent, traits, 1 AS extra, created_at, id, email, phone, lifecycle_stage, last_seen_at, external_id, anonymous_id,
		first_name, last_name, canonical_id, computed_traits, first_seen_at, tenant_id, email_hash, phone_hash, updated_at
	FROM stratum.cdp_profiles WITH NO DATA;
ALTER TABLE oracle.customer ALTER traits SET STORAGE EXTERNAL, ALTER computed_traits SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
INSERT INTO oracle.customer
	SELECT consent, traits, 1, created_at, id, email, phone, lifecycle_stage, last_seen_at, external_id, anonymous_id,
		first_name, last_name, canonical_id, computed_traits, first_seen_at, tenant_id, email_hash, phone_hash, updated_at
	FROM stratum.cdp_profiles WHERE tenant_id = :tenant;

-- ---- expected -----------------------------------------------------------------------------------

CREATE TABLE oracle.answer (definition int, target text, subject int, expected boolean NOT NULL, PRIMARY KEY (definition, subject));
INSERT INTO oracle.answer
	SELECT d.id, d.target, p.id, oracle.matches(d.conditions, p.document, now())
	FROM oracle.definition d, (SELECT id, to_jsonb(c) AS document FROM stratum.cdp_profiles c WHERE tenant_id = :tenant OFFSET 0) p
	WHERE d.target = 'profile';
INSERT INTO oracle.answer
	SELECT d.id, d.target, c.id, oracle.campaign_matches(d.conditions, to_jsonb(c), now())
	FROM oracle.definition d, oracle.campaign c
	WHERE d.target = 'campaign';
-- Traits alone, with definitions that ask for more: the subject's number is negative.
INSERT INTO oracle.answer
	SELECT d.id, 'traits', -p.id, oracle.matches_traits(d.conditions, p.traits, now())
	FROM oracle.definition d, stratum.cdp_profiles p
	WHERE d.target = 'profile' AND NOT d.traits_only AND (d.id + p.id) % 5 = 0 AND p.tenant_id = :tenant;
ANALYZE oracle.answer, oracle.definition, stratum.cdp_profiles, stratum.cdp_events;

-- ---- said ---------------------------------------------------------------------------------------

CREATE TABLE oracle.said (way text, definition int, subject int, result boolean);
CREATE TABLE oracle.failure (way text, definition int, subject int, message text);

-- Runs a query of (definition, subject, result), where a NULL definition says nothing; what it raises is kept.
CREATE FUNCTION oracle.ask(way text, definition int, query text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO oracle.said SELECT %L, * FROM (%s) AS q', way, query);
	RETURN true;
EXCEPTION WHEN OTHERS THEN
	INSERT INTO oracle.failure VALUES (way, definition, NULL, SQLSTATE || ' ' || SQLERRM);
	RETURN false;
END $$;

-- One by one, for the way that failed.
CREATE PROCEDURE oracle.find_culprits(way text, definition int, call text, source text)
LANGUAGE plpgsql AS $$
DECLARE
	subject int;
BEGIN
	FOR subject IN EXECUTE format('SELECT p.id FROM %s p', source) LOOP
		BEGIN
			EXECUTE format('SELECT %s FROM %s p WHERE p.id = %s', call, source, subject);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO oracle.failure VALUES (way, definition, subject, SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
END $$;

-- A definition that is a constant of the query.
CREATE PROCEDURE oracle.ask_constant(way text, call text, source text, for_target text, only_traits boolean)
LANGUAGE plpgsql AS $$
DECLARE
	d oracle.definition;
	this text;
BEGIN
	FOR d IN SELECT * FROM oracle.definition x WHERE x.target = for_target AND (x.traits_only OR NOT only_traits) ORDER BY x.id LOOP
		this := format(call, quote_literal(d.conditions) || '::jsonb');
		IF NOT oracle.ask(way, d.id, format('SELECT %s, p.id, %s FROM %s p', d.id, this, source)) THEN
			CALL oracle.find_culprits(way, d.id, this, source);
		END IF;
	END LOOP;
END $$;

-- As a filter: those that are not returned were not matched.
CREATE PROCEDURE oracle.ask_filter(way text, call text, source text, only_traits boolean)
LANGUAGE plpgsql AS $$
DECLARE
	d oracle.definition;
BEGIN
	FOR d IN SELECT * FROM oracle.definition x WHERE x.target = 'profile' AND (x.traits_only OR NOT only_traits) ORDER BY x.id LOOP
		PERFORM oracle.ask(way, d.id, format(
			'SELECT %s, a.id, q.id IS NOT NULL FROM %s a LEFT JOIN (SELECT p.id FROM %s p WHERE %s) AS q USING (id)',
			d.id, source, source, format(call, quote_literal(d.conditions) || '::jsonb')));
	END LOOP;
END $$;

CALL oracle.ask_constant('segment_matches(constant, row)', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', 'profile', false);
CALL oracle.ask_constant('segment_matches(constant, traits)', 'stratum.segment_matches(%s, p.traits)', 'stratum.cdp_profiles', 'profile', true);
CALL oracle.ask_constant('traits_match(constant, traits)', 'stratum.traits_match(%s, p.traits)', 'stratum.cdp_profiles', 'profile', true);
CALL oracle.ask_constant('segment_matches(constant, row of another table)', 'stratum.segment_matches(%s, p)', 'oracle.customer', 'profile', false);
CALL oracle.ask_constant('segment_matches(constant, row of a sub-query)', 'stratum.segment_matches(%s, p)',
	'(SELECT * FROM stratum.cdp_profiles OFFSET 0)', 'profile', false);
CALL oracle.ask_constant('campaign_matches(constant, row)', 'stratum.campaign_matches(%s, p)', 'oracle.campaign', 'campaign', false);

-- Another definition with every row, and another row with every definition.
SELECT oracle.ask('segment_matches(variable, row)', NULL,
	'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM (SELECT * FROM stratum.cdp_profiles ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''profile'' ORDER BY id) d') AS done \gset
SELECT oracle.ask('segment_matches(variable, traits)', NULL,
	'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p.traits) FROM (SELECT * FROM stratum.cdp_profiles ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''profile'' AND traits_only ORDER BY id) d') AS done \gset
SELECT oracle.ask('segment_matches(variable, traits of all fields)', NULL,
	'SELECT d.id, -p.id, stratum.segment_matches(d.conditions, p.traits) FROM (SELECT * FROM stratum.cdp_profiles ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''profile'' AND NOT traits_only ORDER BY id) d') AS done \gset
SELECT oracle.ask('campaign_matches(variable, row)', NULL,
	'SELECT d.id, p.id, stratum.campaign_matches(d.conditions, p) FROM (SELECT * FROM oracle.campaign ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''campaign'' ORDER BY id) d') AS done \gset

-- In a WHERE, with and without what an index can do.
CALL oracle.ask_filter('WHERE segment_matches(constant, row)', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', false);
SET LOCAL enable_seqscan = off;
CALL oracle.ask_filter('WHERE segment_matches(constant, traits), no seqscan', 'stratum.segment_matches(%s, p.traits)', 'stratum.cdp_profiles', true);
CALL oracle.ask_filter('WHERE segment_matches(constant, row), no seqscan', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', false);
RESET enable_seqscan;

-- Stored segments: all of them refreshed in one pass, some one by one, and asked for one by one.
CREATE TABLE oracle.stored (definition int, segment int);
DO $$
DECLARE
	d oracle.definition;
	segment int;
BEGIN
	FOR d IN SELECT * FROM oracle.definition x WHERE x.target = 'profile' ORDER BY x.id LOOP
		BEGIN
			INSERT INTO stratum.cdp_segments (name, conditions) VALUES ('oracle ' || d.id, d.conditions) RETURNING id INTO segment;
			INSERT INTO oracle.stored VALUES (d.id, segment);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO oracle.failure VALUES ('INSERT of a segment', d.id, NULL, SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
END $$;

CREATE FUNCTION oracle.as_said(members text) RETURNS text
LANGUAGE sql AS $$
	SELECT format('SELECT s.definition, p.id, m.profile_id IS NOT NULL
		FROM oracle.stored s CROSS JOIN oracle.customer p
		LEFT JOIN (%s) AS m (segment_id, profile_id) ON m.segment_id = s.segment AND m.profile_id = p.id', members)
$$;

SELECT oracle.ask('refresh_segments()', NULL, 'SELECT NULL::int, NULL::int, NULL::boolean FROM stratum.refresh_segments()') AS done \gset
SELECT oracle.ask('refresh_segments()', NULL, oracle.as_said('SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships')) AS done \gset
SELECT oracle.ask('profile_segments()', NULL, oracle.as_said(
	'SELECT x.segment_id, p.id FROM oracle.customer p, stratum.profile_segments(p.id) AS x(segment_id)')) AS done \gset
SELECT oracle.ask('segment_profiles()', NULL, oracle.as_said(
	'SELECT s.segment, x.profile_id FROM oracle.stored s, stratum.segment_profiles(s.segment) AS x(profile_id)')) AS done \gset
DELETE FROM stratum.cdp_segment_memberships WHERE profile_id % 3 = 0;
SELECT oracle.ask('refresh_segment()', NULL, 'SELECT NULL::int, NULL::int, NULL::boolean FROM oracle.stored s, stratum.refresh_segment(s.segment)') AS done \gset
SELECT oracle.ask('refresh_segment()', NULL, oracle.as_said('SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships')) AS done \gset

CREATE TABLE oracle.disagreement AS
	SELECT s.way, s.definition, s.subject, a.expected, s.result, a.target
	FROM oracle.said s JOIN oracle.answer a USING (definition, subject) JOIN oracle.definition d ON d.id = s.definition
	WHERE s.result IS DISTINCT FROM a.expected;

-- Counts that are not those of the members.
CREATE TABLE oracle.miscount AS
	SELECT s.definition, c.profile_count AS stored, pre.profile_count AS previewed, n.n AS expected
	FROM oracle.stored s
	JOIN stratum.cdp_segments c ON c.id = s.segment
	JOIN (SELECT definition, count(*) FILTER (WHERE expected) AS n FROM oracle.answer WHERE target = 'profile' GROUP BY definition) n USING (definition),
	LATERAL stratum.preview_segment(c.conditions, 2) AS pre
	WHERE c.profile_count IS DISTINCT FROM n.n OR pre.profile_count IS DISTINCT FROM n.n;
COMMIT;
