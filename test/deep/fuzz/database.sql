-- What the fuzzer finds in its database: a tenant with people, events, campaigns and segments, and the statements that inputs are
-- arguments of. For psql, and for a single-user server (-j: a statement ends with a semicolon and an empty line).

CREATE EXTENSION stratum;

CREATE SCHEMA fuzz;

INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north'), ('South', 'south');

INSERT INTO stratum.users (tenant_id, email, password_hash) VALUES (1, 'ann@north.test', 'x');

INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name, status, impressions, clicks, conversions, total_spend_cents, revenue_cents, raw_data)
VALUES (1, 'meta', 'c1', 'acc', 'One', 'active', 100000, 700, 12, 1234567, 7654321, '{"x": 1, "a": "b"}'), (1, 'google', 'c2', 'acc', '', 'draft', 0, 0, 0, 0, 0, NULL);

INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, email, phone, external_id, traits, computed_traits, lifecycle_stage)
VALUES (1, '00000000-0000-0000-0000-000000000001', 'a@example.com', '+49 30 1234567', 'x-1', '{"a": 5, "ltv": 500, "b": "vip"}', '{"a": "2024-01-15"}', 'customer'),
  (1, '00000000-0000-0000-0000-000000000002', NULL, NULL, NULL, '{"a": {"b": [1, "vip", null, {"a": 1.0}]}, "": "", "a.b": "2024-02-29T10:00:00Z", "é": {"😀": true}}', NULL, NULL),
  (1, '00000000-0000-0000-0000-000000000003', '', '', '', '{"a": "1e400", "b": [[], {}, "A"]}', '{"a": 1e400}', 'known'),
  (1, '00000000-0000-0000-0000-000000000004', 'b@example.com', NULL, NULL, 'null', '[]', 'churned');

INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, properties, context)
SELECT 1, p, (ARRAY['A', 'B', 'a.b'])[1 + g % 3], 'track', now() - g * interval '30 hours', jsonb_build_object('p', g, 'q', 'x'), '{"p": {"q": 1}}'
FROM generate_series(1, 3) p, generate_series(0, 9) g;

INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, properties, context)
VALUES (1, 1, 'A', 'track', '0001-01-01', '{"p": "1e400"}', NULL), (1, 2, 'A', 'track', '9999-12-31', '{"p": {"q": -1e300}}', '[]'), (1, 3, 'B', 'track', now(), 'null', 'null');

INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
VALUES (1, 'rich', 'rich', '{"conditions": [{"field": "trait.ltv", "operator": "greater_than", "value": 300}]}'),
  (1, 'active', 'active', '{"conditions": [{"field": "event.A.count", "operator": "gte", "value": 1, "within_days": 90}]}');

INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
VALUES (1, 'both', 'both', '{"logic": "or", "conditions": [{"field": "segment.rich", "operator": "equals", "value": true}, {"field": "segment.active", "operator": "equals", "value": true}]}');

SELECT stratum.set_segment_options(s.id, is_live => true) FROM stratum.enter(1), stratum.cdp_segments s;

SELECT stratum.add_jwt_key('k1', convert_to(repeat('k', 32), 'UTF8'), 'test', '2000-01-01');

-- A token signed with that key, whatever is in it. HMAC by hand: no extension is needed.
CREATE FUNCTION fuzz.token(header text, payload text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  signed text := fuzz.base64url(convert_to(header, 'UTF8')) || '.' || fuzz.base64url(convert_to(payload, 'UTF8'));
  inner_pad bytea := convert_to(repeat(chr(93), 32) || repeat('6', 32), 'UTF8');
  outer_pad bytea := convert_to(repeat('7', 32) || repeat(chr(92), 32), 'UTF8');
BEGIN
  RETURN signed || '.' || fuzz.base64url(sha256(outer_pad || sha256(inner_pad || convert_to(signed, 'UTF8'))));
END $$;

CREATE FUNCTION fuzz.base64url(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN translate(encode(bytes, 'base64'), E'+/=\n', '-_');
END $$;

CREATE FUNCTION fuzz.condition(operator text, value text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
  RETURN jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.a', 'operator', operator, 'value', value)));
END $$;

-- The definition as a constant, which the planner sees; it must say the same as when it is a parameter.
CREATE FUNCTION fuzz.same_as_constant(definition jsonb, subject jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  by_constant text;
  by_parameter text;
BEGIN
  EXECUTE format('SELECT string_agg(coalesce(stratum.segment_matches(%1$L::jsonb, p)::text, ''?''), '''' ORDER BY p.id) || coalesce(bool_and(stratum.traits_match(%1$L::jsonb, %2$L::jsonb))::text, ''?'') FROM stratum.cdp_profiles p', definition, subject)
    INTO by_constant;
  SELECT string_agg(coalesce(stratum.segment_matches(definition, p)::text, '?'), '' ORDER BY p.id) || coalesce(bool_and(stratum.traits_match(definition, subject))::text, '?') INTO by_parameter
    FROM stratum.cdp_profiles p;
  IF by_constant IS DISTINCT FROM by_parameter THEN
    RAISE EXCEPTION 'as a constant %, as a parameter %', by_constant, by_parameter USING ERRCODE = 'internal_error';
  END IF;
  EXECUTE format('SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum.segment_matches(%L::jsonb, p)', definition) INTO by_constant;
  SELECT count(*) INTO by_parameter FROM stratum.cdp_profiles p WHERE stratum.segment_matches(definition, p);
  IF by_constant IS DISTINCT FROM by_parameter THEN
    RAISE EXCEPTION 'as a constant % profiles, as a parameter %', by_constant, by_parameter USING ERRCODE = 'internal_error';
  END IF;
END $$;

-- A new segment with that definition: written, refreshed, asked about.
CREATE FUNCTION fuzz.as_segment(definition jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  segment bigint;
  live bigint;
  refreshed bigint;
BEGIN
  INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions) VALUES (1, 'new', 'new', definition) RETURNING id INTO segment;
  SELECT count(*) INTO live FROM stratum.segment_profiles(segment);
  SELECT profile_count INTO refreshed FROM stratum.refresh_segment(segment);
  IF live IS DISTINCT FROM refreshed OR live <> (SELECT count(*) FROM stratum.cdp_profiles p, stratum.profile_segments(p.id) s WHERE s.segment_id = segment) THEN
    RAISE EXCEPTION 'live %, refreshed %', live, refreshed USING ERRCODE = 'internal_error';
  END IF;
END $$;

-- What a profile has become shows in the memberships of live segments.
CREATE FUNCTION fuzz.live(new_traits jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  live bigint[];
  kept bigint[];
BEGIN
  UPDATE stratum.cdp_profiles SET traits = new_traits WHERE id = 1;
  PERFORM stratum.settle_segments();
  SELECT array_agg(s.segment_id ORDER BY s.segment_id) INTO live FROM stratum.profile_segments(1) s;
  SELECT array_agg(m.segment_id ORDER BY m.segment_id) INTO kept FROM stratum.cdp_segment_memberships m WHERE m.profile_id = 1;
  IF live IS DISTINCT FROM kept THEN
    RAISE EXCEPTION 'live %, kept %', live, kept USING ERRCODE = 'internal_error';
  END IF;
END $$;

CREATE TABLE fuzz.targets (letter "char" PRIMARY KEY, arguments int NOT NULL, statement text NOT NULL);

INSERT INTO fuzz.targets VALUES
  ('v', 1, $$SELECT stratum.validate_conditions($1::jsonb)$$),
  ('c', 1, $$SELECT stratum.campaign_matches($1::jsonb, c) FROM stratum.campaigns c$$),
  ('t', 2, $$SELECT stratum.traits_match($1::jsonb, $2::jsonb)$$),
  ('s', 1, $$SELECT stratum.segment_matches($1::jsonb, p) FROM stratum.cdp_profiles p$$),
  ('e', 1, $$SELECT stratum._explain_conditions(ARRAY[$1::jsonb], c) FROM stratum.campaigns c$$),
  ('w', 2, $$SELECT fuzz.same_as_constant($1::jsonb, $2::jsonb)$$),
  ('q', 1, $$SELECT fuzz.as_segment($1::jsonb)$$),
  ('p', 1, $$SELECT stratum.preview_segment($1::jsonb)$$),
  ('g', 1, $$SELECT stratum._expand_segments(1, $1::jsonb)$$),
  ('d', 2, $$SELECT stratum._segment_bits(ARRAY[$1::jsonb, $2::jsonb], '{traits,email,id,tenant_id,created_at}', p.traits, p.email, p.id, p.tenant_id, p.created_at) FROM stratum.cdp_profiles p$$),
  ('k', 1, $$SELECT fuzz.live($1::jsonb)$$),
  ('r', 1, $$SELECT stratum.validate_actions($1::jsonb)$$),
  ('i', 1, $$SELECT stratum.ingest_events($1::jsonb)$$),
  ('j', 2, $$SELECT stratum.enter_jwt(fuzz.token($1, $2))$$),
  ('J', 1, $$SELECT stratum.enter_jwt($1)$$),
  ('n', 2, $$SELECT stratum.next_due($1, $2::timestamptz)$$),
  ('S', 1, $$SELECT stratum.validate_schedule($1)$$),
  ('a', 3, $$SELECT stratum.audience_hash($1, $2, $3)$$),
  ('m', 1, $$SELECT stratum.normalize_email($1), stratum.email_hash($1), stratum.normalize_phone($1), stratum.phone_hash($1)$$),
  ('x', 2, $$SELECT stratum.traits_match(fuzz.condition('matches', $1), jsonb_build_object('a', $2))$$),
  ('y', 2, $$SELECT stratum.traits_match(fuzz.condition('after', $1), jsonb_build_object('a', coalesce($2, $1)))$$),
  ('z', 2, $$SELECT stratum.traits_match(fuzz.condition('greater_than', $1), jsonb_build_object('a', coalesce($2, $1)))$$);

-- One input, as the fuzzer reads it: the SQLSTATE and the message of an error, '' if there was none.
CREATE FUNCTION fuzz.attempt(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  target fuzz.targets;
  rest text := substr(input, 2);
  arguments text[] := '{}';
BEGIN
  SELECT * INTO STRICT target FROM fuzz.targets t WHERE t.letter = left(input, 1)::"char";
  FOR i IN 1 .. 3 LOOP
    IF i >= target.arguments OR strpos(rest, E'\n') = 0 THEN
      arguments[i] := rest;
      rest := NULL;
    ELSE
      arguments[i] := left(rest, strpos(rest, E'\n') - 1);
      rest := substr(rest, strpos(rest, E'\n') + 1);
    END IF;
  END LOOP;
  EXECUTE target.statement USING arguments[1], arguments[2], arguments[3];
  RETURN '';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

