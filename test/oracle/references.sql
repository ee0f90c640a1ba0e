--
-- Random segments that ask about each other, about events and about traits: by an interpreter of its own, which knows
-- who is in the segments before, and in every way that the library can be asked. Leaves in schema references_oracle:
-- truth, said, disagreement.
--
-- Needs oracle.sql, generate.sql, events.sql and events_generate.sql, the role app, and psql variables: seed, segments,
-- profiles. All in one transaction, which stands still in time.
--
\set ON_ERROR_STOP 1
CREATE SCHEMA references_oracle;
BEGIN;
INSERT INTO stratum.tenants (name, slug) VALUES ('References', 'references') RETURNING id AS tenant \gset
INSERT INTO stratum.tenants (name, slug) VALUES ('Namesakes', 'namesakes') RETURNING id AS others \gset
SELECT setseed(:seed) AS seeded \gset

INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, traits)
	SELECT :tenant, md5('r' || n)::uuid, jsonb_build_object('n', n) FROM generate_series(1, :profiles) AS n;
CREATE TABLE references_oracle.subject AS SELECT id FROM stratum.cdp_profiles WHERE tenant_id = :tenant;
SELECT array_agg(id ORDER BY id) AS ids FROM references_oracle.subject \gset
CALL events_oracle.generate_events(:tenant, :'ids');
CREATE TABLE events_oracle.times AS SELECT profile_id AS profile, timestamp AS at FROM stratum.cdp_events WHERE tenant_id = :tenant;

-- Who is in which segment, of those made so far.
CREATE TABLE references_oracle.truth (segment int, profile int, holds boolean NOT NULL, PRIMARY KEY (segment, profile));

-- ---- the interpreter ------------------------------------------------------------------------------

CREATE FUNCTION references_oracle.segment_named(wanted text) RETURNS int
LANGUAGE sql STABLE AS $$
	SELECT s.id FROM stratum.cdp_segments s WHERE CASE WHEN wanted ~ '^[0-9]+$' THEN s.id = wanted::bigint ELSE s.slug = wanted END
		AND s.tenant_id = (SELECT t.id FROM stratum.tenants t WHERE t.slug = 'references')
$$;

CREATE FUNCTION references_oracle.condition_holds(condition jsonb, of_profile int, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	keys text[] := oracle.keys_of(condition -> 'field');
	field oracle.field_value;
BEGIN
	IF keys[1] = 'segment' THEN
		field.json := to_jsonb(t.holds) FROM references_oracle.truth t WHERE t.segment = references_oracle.segment_named(keys[2]) AND t.profile = of_profile;
		RETURN events_oracle.holds(condition, field, now);
	ELSIF condition ? 'sequence' OR keys[1] = 'event' THEN
		RETURN events_oracle.matches(jsonb_build_object('conditions', jsonb_build_array(condition)), of_profile, now);
	END IF;
	RETURN oracle.condition_matches(condition, 'profile', (SELECT to_jsonb(p) FROM stratum.cdp_profiles p WHERE p.id = of_profile), now);
END $$;

CREATE FUNCTION references_oracle.matches(definition jsonb, of_profile int, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	n int := 0;
	are_true int := 0;
	m record;
BEGIN
	FOR m IN SELECT * FROM events_oracle.members(definition) LOOP
		n := n + 1;
		are_true := are_true + (CASE WHEN m.is_group THEN references_oracle.matches(m.member, of_profile, now)
			ELSE references_oracle.condition_holds(m.member, of_profile, now) END)::int;
	END LOOP;
	RETURN events_oracle.joined(definition, n, are_true);
END $$;

-- ---- segments -------------------------------------------------------------------------------------

-- One of the segments so far, mostly one of the last, by one of its names.
CREATE FUNCTION references_oracle.random_reference() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	segment record;
	name text;
	operator text := events_oracle.one_of('{equals,equals,equals,EQUALS,not_equals,in,not_in,is_null,is_not_null}'::text[]);
BEGIN
	SELECT s.id, s.slug INTO segment FROM (SELECT s.* FROM stratum.cdp_segments s ORDER BY s.id DESC LIMIT events_oracle.one_of('{3,20,1000}'::int[])) s ORDER BY random() LIMIT 1;
	name := CASE WHEN segment.slug IS NULL OR oracle.chance(0.3) THEN segment.id::text ELSE segment.slug END;
	RETURN jsonb_build_object('operator', operator,
		'field', CASE WHEN name ~ '[.]' OR oracle.chance(0.4) THEN to_jsonb(ARRAY['segment', name]) ELSE to_jsonb('segment.' || name) END,
		'value', CASE WHEN oracle.fold(operator) IN ('in', 'not_in') THEN oracle.pick('[[true], [false], [true, false], [], ["true", 1], [true, "x"]]')
			ELSE oracle.pick('[true, true, true, false, false, "true", 1, null]') END);
END $$;

CREATE FUNCTION references_oracle.random_trait() RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_object('field', 'trait.n', 'operator', events_oracle.one_of('{lte,gte,greater_than,not_equals}'::text[]), 'value', oracle.below(40))
$$;

CREATE FUNCTION references_oracle.random_definition(levels int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	members jsonb := '[]';
	groups jsonb := '[]';
BEGIN
	FOR i IN 1 .. 1 + oracle.below(3) LOOP
		IF levels > 0 AND oracle.chance(0.3) THEN
			groups := groups || jsonb_build_array(references_oracle.random_definition(levels - 1));
		ELSE
			members := members || CASE WHEN oracle.chance(0.5) THEN references_oracle.random_reference()
				WHEN oracle.chance(0.5) THEN references_oracle.random_trait() ELSE events_oracle.random_condition() END;
		END IF;
	END LOOP;
	RETURN events_oracle.random_group(members, groups);
END $$;

CREATE TABLE references_oracle.refused (definition jsonb, sqlstate text, message text);

-- Makes segments one after the other, each asking about those before; one in ten matches nobody, one in five is asleep.
CREATE PROCEDURE references_oracle.make_segments(n int)
LANGUAGE plpgsql AS $$
DECLARE
	definition jsonb;
	segment int;
BEGIN
	FOR i IN 1 .. n LOOP
		definition := CASE WHEN i < 4 THEN jsonb_build_object('conditions', jsonb_build_array(references_oracle.random_trait()))
			WHEN i % 10 = 0 THEN oracle.pick('[{}, null, {"logic": "or"}]') ELSE references_oracle.random_definition(2) END;
		BEGIN
			INSERT INTO stratum.cdp_segments (name, slug, is_active, conditions)
			VALUES ('reference ' || i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 's.' || i WHEN 2 THEN 'Größe "' || i || '"' ELSE 'plain-' || i END, i % 5 <> 0, definition)
			RETURNING id INTO segment;
			INSERT INTO references_oracle.truth SELECT segment, s.id, references_oracle.matches(definition, s.id, now()) FROM references_oracle.subject s;
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO references_oracle.refused VALUES (definition, SQLSTATE, SQLERRM);
		END;
	END LOOP;
END $$;

-- Another tenant's segments have the same slugs and everybody in them.
INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
	SELECT :others, 'namesake', v.slug, '{"logic": "not", "conditions": [{"field": "trait.n", "operator": "equals", "value": -1}]}'
	FROM generate_series(1, :segments) i, LATERAL (VALUES ('s.' || i), ('Größe "' || i || '"'), ('plain-' || i)) AS v(slug);

-- ---- said -----------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA references_oracle, events_oracle, oracle TO app;
GRANT ALL ON ALL TABLES IN SCHEMA references_oracle, events_oracle, oracle TO app;
SET LOCAL ROLE app;
SELECT FROM stratum.enter(:tenant);
CALL references_oracle.make_segments(:segments);
SELECT FROM stratum.refresh_segments();
CREATE TEMPORARY TABLE said AS
	WITH pairs AS MATERIALIZED (SELECT s.id AS segment, s.is_active, s.conditions, p.id AS profile FROM stratum.cdp_segments s, references_oracle.subject p)
	SELECT 'refresh_segments()' AS way, q.segment, q.profile, m.profile_id IS NOT NULL AS result
	FROM pairs q LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = q.segment AND m.profile_id = q.profile WHERE q.is_active
	UNION ALL
	SELECT 'profile_segments()', q.segment, q.profile, l.segment_id IS NOT NULL
	FROM pairs q LEFT JOIN (SELECT p.id AS profile, x.segment_id FROM references_oracle.subject p, stratum.profile_segments(p.id) x) l
		ON l.segment_id = q.segment AND l.profile = q.profile WHERE q.is_active
	UNION ALL
	SELECT 'segment_profiles()', q.segment, q.profile, l.profile_id IS NOT NULL
	FROM pairs q LEFT JOIN (SELECT s.id AS segment, x.profile_id FROM stratum.cdp_segments s, stratum.segment_profiles(s.id) x) l
		ON l.segment = q.segment AND l.profile_id = q.profile
	UNION ALL
	SELECT 'preview_segment()', q.segment, q.profile, l.profile_id IS NOT NULL
	FROM pairs q LEFT JOIN (SELECT s.id AS segment, (e ->> 'id')::int AS profile_id
		FROM stratum.cdp_segments s, stratum.preview_segment(s.conditions, 1000) v, jsonb_array_elements(v.sample) e) l
		ON l.segment = q.segment AND l.profile_id = q.profile
	UNION ALL
	SELECT 'segment_matches(variable, row)', q.segment, q.profile, stratum.segment_matches(q.conditions, p)
	FROM pairs q JOIN stratum.cdp_profiles p ON p.id = q.profile
	UNION ALL
	SELECT 'segment_profiles() of one that asks', q.segment, q.profile, l.profile_id IS NOT NULL
	FROM pairs q LEFT JOIN (SELECT s.id AS segment, p.id AS profile_id FROM stratum.cdp_segments s, stratum.cdp_profiles p
		WHERE stratum.segment_matches(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', ARRAY['segment', s.id::text], 'operator', 'equals', 'value', true))), p)) l
		ON l.segment = q.segment AND l.profile_id = q.profile;
RESET ROLE;
CREATE TABLE references_oracle.said AS SELECT * FROM said;
CREATE TABLE references_oracle.disagreement AS
	SELECT s.way, s.segment, s.profile, t.holds AS expected, s.result
	FROM references_oracle.said s JOIN references_oracle.truth t USING (segment, profile)
	WHERE s.result IS DISTINCT FROM t.holds;
COMMIT;
