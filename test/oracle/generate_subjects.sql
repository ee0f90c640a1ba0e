--
-- Random profiles, events and campaigns for the property test. Needs generate.sql, whose pools of values they
-- draw from.
--

-- ---- profiles -----------------------------------------------------------------------------------

CREATE FUNCTION oracle.put(root jsonb, keys text[], value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	inner_root jsonb := root -> keys[1];
BEGIN
	IF cardinality(keys) = 1 THEN
		RETURN root || jsonb_build_object(keys[1], value);
	END IF;
	IF inner_root IS NULL OR jsonb_typeof(inner_root) <> 'object' THEN
		inner_root := '{}';
	END IF;
	RETURN root || jsonb_build_object(keys[1], oracle.put(inner_root, keys[2:], value));
END $$;

-- Keys that no definition asks for, before and behind the others in every order.
CREATE FUNCTION oracle.random_filler(n int) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(jsonb_object_agg(left(md5(random()::text), 1 + oracle.below(12)), (ARRAY['1', '"x"', 'null', 'true', '[1, 2]', '{"a": 1}'])[1 + oracle.below(6)]::jsonb), '{}')
	FROM generate_series(1, n)
$$;

-- What a jsonb column of a profile, or the properties of an event, may hold. Deeper paths are put
-- in first: what replaces an object of theirs makes them missing.
CREATE FUNCTION oracle.random_document(of_source text, event text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f oracle.field;
	document jsonb := oracle.random_filler((ARRAY[0, 0, 3, 30, 200])[1 + oracle.below(5)]);
BEGIN
	IF oracle.chance(0.06) THEN
		RETURN oracle.pick('[null, [], [1], "text", 5, true, {}, [{"ltv": 5}], [[]]]');
	END IF;
	FOR f IN
		SELECT * FROM oracle.field
		WHERE target = 'profile' AND source = of_source AND (event IS NULL OR (keys[2] = event AND keys[3] = 'property'))
		ORDER BY cardinality(keys) DESC, id
	LOOP
		-- mostly a list, without such a key
		CONTINUE WHEN f.keys[cardinality(f.keys)] = '0' AND oracle.chance(0.85);
		-- a shorter path would take the longer ones' object away: not too often
		IF oracle.chance(CASE WHEN f.kind = 'object' OR cardinality(f.keys) = 2 AND document ? f.keys[2] THEN 0.15 ELSE 0.85 END) THEN
			document := oracle.put(document, CASE WHEN event IS NULL THEN f.keys[2:] ELSE f.keys[4:] END, oracle.held_value(f.pool));
		END IF;
	END LOOP;
	RETURN document;
END $$;

CREATE FUNCTION oracle.random_text(pool text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE WHEN oracle.chance(0.8) THEN left(oracle.named_value(pool) #>> '{}', 50) END;
END $$;

CREATE FUNCTION oracle.random_instant() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF oracle.chance(0.15) THEN
		RETURN NULL;
	ELSIF oracle.chance(0.5) THEN
		RETURN oracle.recent_time(false);
	END IF;
	RETURN timestamptz '1970-01-01 00:00:00+00'
		+ oracle.parse_time(oracle.pick((SELECT entries FROM oracle.pool WHERE kind = 'time' AND use = 'value')) #>> '{}')
			/ 1000000 * interval '1 second';
END $$;

-- A profile as it may be inserted; a NULL is left to the column's default.
CREATE FUNCTION oracle.random_profile() RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN jsonb_build_object(
		'canonical_id', md5(random()::text)::uuid,
		'anonymous_id', oracle.random_text('identity'),
		'external_id', oracle.random_text('identity'),
		'email', oracle.random_text('email'),
		'phone', CASE WHEN oracle.chance(0.5) THEN '+49 30 ' || oracle.below(1000000) WHEN oracle.chance(0.2) THEN '' END,
		'first_name', oracle.random_text('text'),
		'lifecycle_stage', oracle.random_text('stage'),
		'first_seen_at', oracle.random_instant(),
		'last_seen_at', oracle.random_instant(),
		'created_at', oracle.random_instant(),
		'traits', oracle.random_document('traits', NULL),
		'computed_traits', oracle.random_document('computed_traits', NULL),
		'consent', oracle.random_document('consent', NULL));
END $$;

CREATE FUNCTION oracle.random_event_properties(event text) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$ SELECT oracle.random_document('event', event) $$;

-- Definitions that ask for just what profiles hold, so that each finds somebody: a scalar, one in an array, and two in
-- different columns.
CREATE PROCEDURE oracle.generate_found(tenant int)
LANGUAGE sql AS $$
	WITH held AS (
		SELECT c.id, f.keys, f.source, oracle.dig(CASE f.source WHEN 'traits' THEN c.traits ELSE c.computed_traits END, f.keys[2:]) AS value
		FROM stratum.cdp_profiles c, oracle.field f
		WHERE c.tenant_id = tenant AND f.target = 'profile' AND f.source IN ('traits', 'computed_traits') AND f.kind IN ('number', 'text', 'list', 'boolean')
	), asked AS (
		SELECT h.id, h.keys, h.source, jsonb_build_object('field', to_jsonb(h.keys), 'operator', CASE WHEN e.element IS NULL THEN 'equals' ELSE 'contains' END, 'value', coalesce(e.element, h.value)) AS condition
		FROM held h LEFT JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(h.value) WHEN 'array' THEN h.value END) AS e(element) ON true
		WHERE length(h.value::text) < 500 AND jsonb_typeof(coalesce(e.element, h.value)) NOT IN ('array', 'object', 'null')
	), one AS (
		SELECT condition, source, row_number() OVER (PARTITION BY keys ORDER BY md5(condition::text)) AS place
		FROM (SELECT DISTINCT keys, source, condition FROM asked) a
	), two AS (
		SELECT DISTINCT ON (a.id) jsonb_build_array(a.condition, b.condition) AS conditions
		FROM asked a JOIN asked b USING (id) WHERE a.source = 'traits' AND b.source = 'computed_traits'
		ORDER BY a.id, md5(a.condition::text || b.condition)
	)
	INSERT INTO oracle.definition (target, traits_only, conditions)
	SELECT 'profile', source = 'traits', oracle.group_of('and', jsonb_build_array(condition)) FROM one
	WHERE place <= CASE condition -> 'field' ->> 1 WHEN 'exact' THEN 60 ELSE 5 END
	UNION ALL SELECT 'profile', false, oracle.group_of('and', conditions) FROM two
	ON CONFLICT DO NOTHING
$$;

-- Events, half of a profile's at one of few times, so that there are ties; every eighth is to come.
CREATE PROCEDURE oracle.generate_events(tenant int, profiles int[])
LANGUAGE plpgsql AS $$
DECLARE
	profile int;
	name text;
	at timestamptz;
BEGIN
	FOREACH profile IN ARRAY profiles LOOP
		at := NULL;
		FOR i IN 1 .. oracle.below(9) LOOP
			name := (ARRAY['purchase', 'purchase', 'purchase', 'page.view', 'Purchase', 'Ünïcode Evènt'])[1 + oracle.below(6)];
			IF at IS NULL OR oracle.chance(0.6) THEN
				at := oracle.recent_time(oracle.chance(0.2));
			END IF;
			INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
			VALUES (tenant, profile, name, 'track', oracle.random_event_properties(name), at);
		END LOOP;
	END LOOP;
END $$;

-- ---- campaigns ----------------------------------------------------------------------------------

CREATE FUNCTION oracle.random_count() RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN CASE WHEN oracle.chance(0.9) THEN (ARRAY[0, 1, 7, 10, 99, 100, 250, 1000, 1234, 2800, 56000, 100005, 2147483647])[1 + oracle.below(13)] END;
END $$;

CREATE FUNCTION oracle.random_campaign(n int) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN jsonb_build_object(
		'id', n, 'tenant_id', 1,
		'platform', (ARRAY['meta', 'google', 'tiktok', 'snapchat'])[1 + oracle.below(4)],
		'external_id', n::text,
		'account_id', 'a',
		'name', coalesce(oracle.random_text('text'), 'n'),
		'status', (ARRAY['draft', 'active', 'paused', 'completed', 'archived', NULL])[1 + oracle.below(6)],
		'objective', oracle.random_text('text'),
		'impressions', oracle.random_count(), 'clicks', oracle.random_count(), 'conversions', oracle.random_count(),
		'total_spend_cents', oracle.random_count(), 'revenue_cents', oracle.random_count(), 'daily_budget_cents', oracle.random_count(),
		'cpc_cents', oracle.random_count(), 'cpm_cents', oracle.random_count(), 'cpa_cents', oracle.random_count(),
		'ctr', (ARRAY[NULL, 0, 0.5, 2, 1.98765, 33.25, 1e10])[1 + oracle.below(7)],
		'roas', (ARRAY[NULL, 0, 0.5, 2, 1.98765, 33.25, 1e10])[1 + oracle.below(7)],
		'labels', oracle.held_value('list'),
		'targeting_locations', CASE WHEN oracle.chance(0.8) THEN oracle.held_value('list') END,
		'start_date', (oracle.random_instant() AT TIME ZONE 'UTC')::date,
		'end_date', (oracle.random_instant() AT TIME ZONE 'UTC')::date,
		'last_synced_at', oracle.random_instant(),
		'created_at', now(),
		'is_deleted', oracle.chance(0.5));
END $$;
