--
-- The property test: random definitions against random profiles and campaigns, evaluated by the
-- oracle and by the library in every way that the library offers. Leaves in schema oracle:
--
--   answer        expected, for each definition and row
--   disagreement  where the library said something else, with the way and what it said
--   failure       what the library raised
--
-- Needs oracle.sql, generate.sql, generate_subjects.sql, and psql variables: per_operator, nested, profiles, campaigns, seed.
-- All in one transaction, which stands still in time.
--
\set ON_ERROR_STOP 1
BEGIN;
-- Nothing may depend on these.
SET LOCAL timezone = 'Asia/Kathmandu';
SET LOCAL datestyle = 'German';
-- Plans without a sequential scan look dear.
SET LOCAL jit = off;

-- ---- what is compared ---------------------------------------------------------------------------

INSERT INTO stratum.tenants (name, slug) VALUES ('Oracle', 'oracle') RETURNING id AS tenant \gset
SELECT setseed(:seed) AS seeded \gset
CALL oracle.generate_definitions('profile', :per_operator, :nested);
CALL oracle.generate_long_lists(18);
CALL oracle.generate_choices(3);
CALL oracle.generate_thresholds();
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
CALL oracle.generate_found(:tenant);

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

-- Traits beyond 2 kB that stay in the row, compressed; and such that leave it, with and without compression.
CREATE TABLE oracle.squeezed AS SELECT * FROM stratum.cdp_profiles WITH NO DATA;
ALTER TABLE oracle.squeezed ALTER traits SET STORAGE MAIN;
INSERT INTO oracle.squeezed SELECT * FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
UPDATE oracle.squeezed SET traits = traits || jsonb_build_object('unasked', repeat('again and ', 400 + id % 400)) WHERE jsonb_typeof(traits) = 'object';
CREATE TABLE oracle.far AS SELECT * FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
UPDATE oracle.far SET traits = traits || jsonb_build_object('unasked', (SELECT string_agg(md5(id || ' ' || n), 'between ') FROM generate_series(1, 300) n))
	WHERE jsonb_typeof(traits) = 'object';

-- What indexes may find. The profiles themselves have two, of which the planner would take what it likes.
CREATE TABLE oracle.with_values AS SELECT * FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
CREATE INDEX ON oracle.with_values USING gin (traits);
CREATE TABLE oracle.with_paths AS SELECT * FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
CREATE INDEX ON oracle.with_paths USING gin (traits jsonb_path_ops);
CREATE INDEX ON oracle.with_paths USING gin (computed_traits jsonb_path_ops);
CREATE INDEX ON oracle.with_paths USING gin (consent);
CREATE TABLE oracle.with_tenant AS SELECT * FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
SELECT count(*) > 0 AS has_btree_gin FROM pg_extension WHERE extname = 'btree_gin' \gset
\if :has_btree_gin
CREATE INDEX ON oracle.with_tenant USING gin (tenant_id, traits jsonb_path_ops);
\endif

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
ANALYZE oracle.answer, oracle.definition, oracle.with_values, oracle.with_paths, oracle.with_tenant, stratum.cdp_profiles, stratum.cdp_events;

-- ---- said ---------------------------------------------------------------------------------------

CREATE TABLE oracle.said (way text, definition int, subject int, result boolean);
CREATE TABLE oracle.failure (way text, definition int, subject int, message text);
CREATE TABLE oracle.plan (way text, definition int, plan text);		-- of those that should be special

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

CREATE FUNCTION oracle.plan_of(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || line || E'\n';
	END LOOP;
	RETURN plan;
END $$;

-- As a filter: those that are not returned were not matched. Of the plans that have it, `mark` is noted.
CREATE PROCEDURE oracle.ask_filter(way text, call text, source text, only_traits boolean, mark text DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	d oracle.definition;
	filter text;
BEGIN
	FOR d IN SELECT * FROM oracle.definition x WHERE x.target = 'profile' AND (x.traits_only OR NOT only_traits) ORDER BY x.id LOOP
		filter := format('SELECT p.id FROM %s p WHERE %s', source, format(call, quote_literal(d.conditions) || '::jsonb'));
		PERFORM oracle.ask(way, d.id, format('SELECT %s, a.id, q.id IS NOT NULL FROM %s a LEFT JOIN (%s) AS q USING (id)', d.id, source, filter));
		IF strpos(oracle.plan_of(filter), mark) > 0 THEN
			INSERT INTO oracle.plan VALUES (way, d.id, mark);
		END IF;
	END LOOP;
END $$;

CALL oracle.ask_constant('segment_matches(constant, row)', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', 'profile', false);
CALL oracle.ask_constant('segment_matches(constant, traits)', 'stratum.segment_matches(%s, p.traits)', 'stratum.cdp_profiles', 'profile', true);
CALL oracle.ask_constant('traits_match(constant, traits)', 'stratum.traits_match(%s, p.traits)', 'stratum.cdp_profiles', 'profile', true);
CALL oracle.ask_constant('segment_matches(constant, row of another table)', 'stratum.segment_matches(%s, p)', 'oracle.customer', 'profile', false);
CALL oracle.ask_constant('segment_matches(constant, row with compressed traits)', 'stratum.segment_matches(%s, p)', 'oracle.squeezed', 'profile', false);
CALL oracle.ask_constant('segment_matches(constant, traits out of line)', 'stratum.segment_matches(%s, p.traits)', 'oracle.far', 'profile', true);
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
SELECT oracle.ask('segment_matches(variable, row of other tables)', NULL,
	'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM oracle.definition d, oracle.squeezed p WHERE d.target = ''profile'' AND d.id % 2 = 0
	UNION ALL SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM oracle.definition d, oracle.far p WHERE d.target = ''profile'' AND d.id % 2 = 1') AS done \gset
SELECT oracle.ask('campaign_matches(variable, row)', NULL,
	'SELECT d.id, p.id, stratum.campaign_matches(d.conditions, p) FROM (SELECT * FROM oracle.campaign ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''campaign'' ORDER BY id) d') AS done \gset

-- In a WHERE, with and without what an index can do.
CALL oracle.ask_filter('WHERE segment_matches(constant, row)', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', false);
SET LOCAL enable_seqscan = off;
CALL oracle.ask_filter('WHERE segment_matches(constant, traits), GIN of values', 'stratum.segment_matches(%s, p.traits)', 'oracle.with_values', true, '@@');
CALL oracle.ask_filter('WHERE segment_matches(constant, row), GIN of values', 'stratum.segment_matches(%s, p)', 'oracle.with_values', false, '@@');
CALL oracle.ask_filter('WHERE segment_matches(constant, traits), GIN of paths', 'stratum.segment_matches(%s, p.traits)', 'oracle.with_paths', true, '@@');
CALL oracle.ask_filter('WHERE segment_matches(constant, row), GIN of paths', 'stratum.segment_matches(%s, p)', 'oracle.with_paths', false, '@@');
\if :has_btree_gin
CALL oracle.ask_filter('WHERE segment_matches(constant, row), GIN of tenant and paths', 'p.tenant_id = ' || :'tenant' || ' AND stratum.segment_matches(%s, p)',
	'oracle.with_tenant', false, '@@');
\endif
RESET enable_seqscan;

-- As a tenant's application sees them.
CREATE ROLE oracle_app IN ROLE stratum_app;
GRANT USAGE ON SCHEMA oracle TO oracle_app;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA oracle TO oracle_app;
ALTER TABLE oracle.with_paths ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON oracle.with_paths USING (tenant_id = stratum.current_tenant_id());
ALTER TABLE oracle.with_tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON oracle.with_tenant USING (tenant_id = stratum.current_tenant_id());
SET LOCAL ROLE oracle_app;
SELECT stratum.enter(:tenant) AS done \gset
CALL oracle.ask_filter('WHERE segment_matches(constant, row), row security', 'stratum.segment_matches(%s, p)', 'stratum.cdp_profiles', false, '_profile_matches');
SET LOCAL enable_seqscan = off;
CALL oracle.ask_filter('WHERE segment_matches(constant, row), row security and GIN', 'stratum.segment_matches(%s, p)', 'oracle.with_paths', false, '@@');
CALL oracle.ask_filter('WHERE segment_matches(constant, traits), row security and GIN', 'stratum.segment_matches(%s, p.traits)', 'oracle.with_paths', true, '@@');
\if :has_btree_gin
CALL oracle.ask_filter('WHERE segment_matches(constant, row), row security and GIN of tenant', 'stratum.segment_matches(%s, p)', 'oracle.with_tenant', false, '@@');
\endif
RESET enable_seqscan;
SELECT oracle.ask('segment_matches(variable, row), row security', NULL,
	'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM (SELECT * FROM stratum.cdp_profiles ORDER BY id) p,
		LATERAL (SELECT * FROM oracle.definition WHERE target = ''profile'' ORDER BY id) d') AS done \gset
RESET ROLE;

-- ---- many definitions at once -------------------------------------------------------------------

-- The columns that a definition may ask about, in another order than the table's.
\set columns '{consent,last_seen_at,traits,email,id,phone,first_name,tenant_id,lifecycle_stage,created_at,external_id,first_seen_at,anonymous_id,computed_traits}'

-- The profiles' bits for the definitions of these numbers, which may come up more than once.
CREATE FUNCTION oracle.bits_of(definitions text, ids int[], columns text[], source text) RETURNS text
LANGUAGE sql AS $$
	SELECT format('SELECT DISTINCT a.definition, q.id, get_bit(q.bits, a.n::int - 1) = 1
		FROM (SELECT p.id, stratum._segment_bits(%s, %L::text[], %s) AS bits FROM %s p OFFSET 0) q, unnest(%L::int[]) WITH ORDINALITY AS a(definition, n)',
		definitions, columns, (SELECT string_agg(format('p.%I', c), ', ' ORDER BY n) FROM unnest(columns) WITH ORDINALITY AS u(c, n)), source, ids)
$$;

CREATE FUNCTION oracle.definitions_of(ids int[]) RETURNS jsonb[]
LANGUAGE sql STABLE AS $$ SELECT array_agg(d.conditions ORDER BY a.n) FROM unnest(ids) WITH ORDINALITY AS a(id, n) JOIN oracle.definition d USING (id) $$;

CREATE FUNCTION oracle.ask_bits(way text, ids int[], columns text[], source text) RETURNS boolean
LANGUAGE sql AS $$ SELECT oracle.ask(way, NULL, oracle.bits_of(quote_literal(oracle.definitions_of(ids)) || '::jsonb[]', ids, columns, source)) $$;

-- All of them, in groups of so many, in an order in which neighbours have nothing in common.
CREATE PROCEDURE oracle.ask_bits_in_groups(way text, size int, columns text[])
LANGUAGE plpgsql AS $$
DECLARE
	ids int[] := ARRAY(SELECT id FROM oracle.definition WHERE target = 'profile' ORDER BY md5(id::text));
BEGIN
	FOR i IN 1 .. cardinality(ids) BY size LOOP
		PERFORM oracle.ask_bits(way, ids[i : i + size - 1], columns, 'stratum.cdp_profiles');
	END LOOP;
END $$;

CALL oracle.ask_bits_in_groups('_segment_bits() of 3', 3, :'columns');
CALL oracle.ask_bits_in_groups('_segment_bits() of 7', 7, :'columns');
CALL oracle.ask_bits_in_groups('_segment_bits() of 8', 8, :'columns');
CALL oracle.ask_bits_in_groups('_segment_bits() of 65', 65, :'columns');

-- What tables decide alone comes first, so often that it fills a block; then with something else in between; then
-- definitions of 64 alternatives, one of which is in two blocks; then definitions of two alternatives among plain ones, and
-- one of them, the first of a word, whose second alternative is the first of a block.
SELECT array_agg(d.id ORDER BY d.id) AS plain FROM oracle.definition d
WHERE d.target = 'profile' AND d.conditions -> 'conditions' -> 0 -> 'field' ->> 0 IS DISTINCT FROM 'event' AND d.conditions::text NOT LIKE '%event.%'
	AND d.operator IN ('is_null', 'is_not_null', 'greater_than', 'less_than', 'greater_or_equal', 'less_or_equal', 'gte', 'lte', 'between', 'before', 'after', 'within_last') \gset
SELECT array_agg(d.id ORDER BY d.id) AS others FROM oracle.definition d WHERE d.target = 'profile' AND NOT d.id = ANY (:'plain') \gset
SELECT array_agg(x.id ORDER BY n, x.id) AS filled FROM generate_series(0, 2100 / cardinality(:'plain'::int[])) n, unnest(:'plain'::int[]) x(id) \gset
SELECT d.id AS wide FROM oracle.definition d WHERE d.target = 'profile' AND jsonb_array_length(d.conditions -> 'conditions') = 64 ORDER BY d.id LIMIT 1 \gset
SELECT oracle.ask_bits('_segment_bits() of all', :'others'::int[] || :'plain'::int[], :'columns', 'stratum.cdp_profiles') AS done \gset
SELECT oracle.ask_bits('_segment_bits() of all, columns of another table', :'others'::int[] || :'plain'::int[], :'columns', 'oracle.far') AS done \gset
SELECT oracle.ask_bits('_segment_bits(), a block of plain ones', :'filled'::int[] || :'others'::int[], :'columns', 'oracle.customer') AS done \gset
SELECT oracle.ask_bits('_segment_bits(), plain ones but for one', (:'filled'::int[])[:70] || :wide || (:'filled'::int[])[71:], :'columns', 'oracle.squeezed') AS done \gset
SELECT oracle.ask_bits('_segment_bits(), across blocks', (:'filled'::int[])[1:1] || array_fill(:wide, '{33}') || :'filled'::int[], :'columns', 'stratum.cdp_profiles') AS done \gset
SELECT array_agg(x.id) AS pairs FROM oracle.choice x \gset
SELECT oracle.ask_bits('_segment_bits(), pairs among plain ones', (:'filled'::int[])[:70] || :'pairs'::int[] || (:'filled'::int[])[71:300], :'columns', 'stratum.cdp_profiles') AS done \gset
SELECT oracle.ask_bits('_segment_bits(), a pair across blocks', array_fill((:'pairs'::int[])[1], '{63}') || (:'filled'::int[])[:1921] || (:'pairs'::int[])[2] || (:'filled'::int[])[:100],
	:'columns', 'stratum.cdp_profiles') AS done \gset
SELECT oracle.ask('_segment_bits(variable)', NULL, oracle.bits_of(format('(SELECT oracle.definitions_of(%L) WHERE p.id > 0)', ids), ids, :'columns', 'stratum.cdp_profiles'))
FROM (SELECT (:'others'::int[])[:40]) AS x(ids);

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
DELETE FROM stratum.cdp_segment_memberships WHERE profile_id % 3 = 0 AND segment_id % 3 = 0;
SELECT oracle.ask('refresh_segment()', NULL, 'SELECT NULL::int, NULL::int, NULL::boolean FROM oracle.stored s, stratum.refresh_segment(s.segment) WHERE s.segment % 3 = 0') AS done \gset
SELECT oracle.ask('refresh_segment()', NULL, oracle.as_said('SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships')) AS done \gset

-- ---- in parallel --------------------------------------------------------------------------------

SELECT CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'force_parallel_mode' ELSE 'debug_parallel_query' END AS force_parallel \gset
SET LOCAL :force_parallel = on;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;

-- INSERT ... SELECT is never parallel.
CREATE PROCEDURE oracle.ask_in_parallel(way text, definition int, query text)
LANGUAGE plpgsql AS $$
DECLARE
	definitions int[];
	subjects int[];
	results boolean[];
BEGIN
	query := format('SELECT array_agg(q.d), array_agg(q.s), array_agg(q.r) FROM (%s) AS q(d, s, r)', query);
	EXECUTE query INTO definitions, subjects, results;
	INSERT INTO oracle.said SELECT way, u.* FROM unnest(definitions, subjects, results) AS u;
	IF strpos(oracle.plan_of(query), 'Workers') > 0 THEN
		INSERT INTO oracle.plan VALUES (way, definition, 'Workers');
	END IF;
EXCEPTION WHEN OTHERS THEN
	INSERT INTO oracle.failure VALUES (way, definition, NULL, SQLSTATE || ' ' || SQLERRM);
END $$;

CREATE PROCEDURE oracle.ask_constants_in_parallel()
LANGUAGE plpgsql AS $$
DECLARE
	d oracle.definition;
BEGIN
	FOR d IN SELECT * FROM oracle.definition x WHERE x.target = 'profile' AND x.id % 16 = 0 ORDER BY x.id LOOP
		CALL oracle.ask_in_parallel('segment_matches(constant, row), parallel', d.id,
			format('SELECT %s, p.id, stratum.segment_matches(%L::jsonb, p) FROM stratum.cdp_profiles p', d.id, d.conditions));
	END LOOP;
END $$;
CALL oracle.ask_constants_in_parallel();
CALL oracle.ask_in_parallel('segment_matches(variable, row), parallel', 0,
	'SELECT d.id, p.id, stratum.segment_matches(d.conditions, p) FROM stratum.cdp_profiles p, oracle.definition d WHERE d.target = ''profile''');
DELETE FROM stratum.cdp_segment_memberships WHERE (profile_id + segment_id) % 3 = 0;
SELECT oracle.ask('refresh_segments(), parallel', NULL, 'SELECT NULL::int, NULL::int, NULL::boolean FROM stratum.refresh_segments()') AS done \gset
SELECT oracle.ask('refresh_segments(), parallel', NULL, oracle.as_said('SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships')) AS done \gset

RESET :force_parallel;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- ---- many segments and many profiles: one refresh takes them in several ranges ---------------------------------
-- Each profile many times, and so many segments, nearly all of them empty, that there is room for few profiles.
-- Another tenant's: this transaction cannot enter it, so the public functions are not for it.

INSERT INTO stratum.tenants (name, slug) VALUES ('Ranges', 'ranges') RETURNING id AS crowd \gset
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, anonymous_id, external_id, email, phone, first_name, last_name, lifecycle_stage, first_seen_at, last_seen_at, created_at,
	traits, computed_traits, consent)
SELECT :crowd, md5(p.id || ' ' || n)::uuid, anonymous_id, external_id, email, phone, first_name, last_name, lifecycle_stage, first_seen_at, last_seen_at, created_at,
	traits, computed_traits, consent
FROM stratum.cdp_profiles p, generate_series(1, 2300 / :profiles) n WHERE p.tenant_id = :tenant;
CREATE TABLE oracle.clone AS
	SELECT c.id, p.id AS original FROM stratum.cdp_profiles p, generate_series(1, 2300 / :profiles) n, stratum.cdp_profiles c
	WHERE p.tenant_id = :tenant AND c.tenant_id = :crowd AND c.canonical_id = md5(p.id || ' ' || n)::uuid;
CREATE TABLE oracle.crowded AS
	SELECT CASE WHEN n % 41 = 0 THEN d.id END AS definition, n,
		CASE WHEN n % 41 = 0 THEN d.conditions ELSE jsonb_build_object('conditions', jsonb_build_array(
			jsonb_build_object('field', 'profile.external_id', 'operator', 'equals', 'value', 'nobody ' || n))) END AS conditions
	FROM generate_series(1, 4200) n
	LEFT JOIN (SELECT *, row_number() OVER (ORDER BY md5(id::text)) AS place FROM oracle.definition
		WHERE target = 'profile' AND conditions::text !~ '"event|profile.id|"profile", "id"') d ON d.place = n / 41;
DELETE FROM oracle.crowded WHERE conditions IS NULL;
INSERT INTO stratum.cdp_segments (tenant_id, name, conditions) SELECT :crowd, n::text, conditions FROM oracle.crowded;
ALTER TABLE oracle.crowded ADD segment int;
UPDATE oracle.crowded c SET segment = s.id FROM stratum.cdp_segments s WHERE s.tenant_id = :crowd AND s.name = c.n::text;
SET LOCAL maintenance_work_mem = '1MB';

CREATE TABLE oracle.returned AS SELECT 'first' AS run, r.* FROM stratum._refresh(:crowd, NULL) r;
CREATE FUNCTION oracle.clones_as_said(way text) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO oracle.said
		SELECT DISTINCT way, c.definition, l.original, m.profile_id IS NOT NULL
		FROM oracle.crowded c CROSS JOIN oracle.clone l
		LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = c.segment AND m.profile_id = l.id
		WHERE c.definition IS NOT NULL;
	-- nobody is in the others
	INSERT INTO oracle.failure
		SELECT way, NULL, m.profile_id, 'member of ' || c.conditions::text
		FROM oracle.crowded c JOIN stratum.cdp_segment_memberships m ON m.segment_id = c.segment WHERE c.definition IS NULL;
$$;
SELECT oracle.clones_as_said('refresh_segments(), several ranges') AS done \gset

-- Some go and some that are wrong come: what the refresh says it did has to be just that.
CREATE TABLE oracle.was AS SELECT segment_id, profile_id FROM stratum.cdp_segment_memberships WHERE tenant_id = :crowd;
DELETE FROM stratum.cdp_segment_memberships WHERE tenant_id = :crowd AND profile_id % 3 = 0;
INSERT INTO stratum.cdp_segment_memberships (tenant_id, segment_id, profile_id)
	SELECT :crowd, c.segment, l.id FROM oracle.crowded c, oracle.clone l WHERE c.n % 11 = 0 AND l.id % 7 = 0
	ON CONFLICT DO NOTHING;
INSERT INTO oracle.returned
	SELECT 'expected', coalesce(w.segment_id, m.segment_id), count(w.segment_id), count(*) FILTER (WHERE m.segment_id IS NULL), count(*) FILTER (WHERE w.segment_id IS NULL)
	FROM oracle.was w FULL JOIN (SELECT * FROM stratum.cdp_segment_memberships WHERE tenant_id = :crowd) m USING (segment_id, profile_id)
	GROUP BY 2;
INSERT INTO oracle.returned SELECT 'second', r.* FROM stratum._refresh(:crowd, NULL) r;
SELECT oracle.clones_as_said('refresh_segments(), several ranges once more') AS done \gset
INSERT INTO oracle.returned SELECT 'third', r.* FROM stratum._refresh(:crowd, NULL) r;

-- ---- compared -----------------------------------------------------------------------------------

CREATE TABLE oracle.tally AS SELECT way, count(*) AS answers FROM oracle.said s JOIN oracle.answer a USING (definition, subject) GROUP BY way;
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
