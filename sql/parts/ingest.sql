-- Events as they come in: the profile is found or made, the event stored once, the profile moved forward.
-- rights: ingest_event, ingest_events and the internal functions they call as their caller -> stratum_app, stratum_admin

CREATE FUNCTION stratum._iso_time(value text) RETURNS timestamptz
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'stratum_iso_time';
COMMENT ON FUNCTION stratum._iso_time(text) IS 'An ISO 8601 time, UTC where it has no zone; NULL for what is none; internal.';

CREATE FUNCTION stratum._lock_names(names text[]) RETURNS void
  LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_lock_names';
COMMENT ON FUNCTION stratum._lock_names(text[]) IS
  'Until the end of the transaction nobody else makes a profile of one of these names for the current tenant; internal.';

-- ---- reading --------------------------------------------------------------------------------------

-- Absent, JSON null, or a string of at most so many characters.
CREATE FUNCTION stratum._is_text_key(event jsonb, key text, most integer) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE jsonb_typeof(event -> key) WHEN 'string' THEN length(event ->> key) <= most WHEN 'null' THEN true ELSE NOT event ? key END
$$;
COMMENT ON FUNCTION stratum._is_text_key(jsonb, text, integer) IS 'Whether a key of an event holds a text, or nothing; internal.';

CREATE FUNCTION stratum._is_uuid_key(event jsonb, key text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(event ->> key, '') = ''
      OR jsonb_typeof(event -> key) = 'string' AND event ->> key ~ '^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}$'
$$;
COMMENT ON FUNCTION stratum._is_uuid_key(jsonb, text) IS 'Whether a key of an event holds a UUID, or nothing; internal.';

CREATE FUNCTION stratum._is_object_key(event jsonb, key text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT coalesce(jsonb_typeof(event -> key), 'null') IN ('object', 'null')
$$;
COMMENT ON FUNCTION stratum._is_object_key(jsonb, text) IS 'Whether a key of an event holds an object, or nothing; internal.';

CREATE FUNCTION stratum._event_keys() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT '{event_name,event_type,timestamp,message_id,properties,context,traits,canonical_id,email,email_hash,external_id,anonymous_id}'::text[]
$$;
COMMENT ON FUNCTION stratum._event_keys() IS 'Keys of an event that comes in; internal.';

CREATE FUNCTION stratum._first_key(object jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT k FROM jsonb_object_keys(object) k LIMIT 1 $$;
COMMENT ON FUNCTION stratum._first_key(jsonb) IS 'A key of an object; internal.';

-- What is wrong with an event: the key, or '' for the whole of it, and the words for it. NULL where nothing is.
CREATE FUNCTION stratum._event_fault(event jsonb) RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN jsonb_typeof(event) <> 'object' THEN ARRAY['', 'must be an object']
    WHEN event - stratum._event_keys() <> '{}' THEN ARRAY[stratum._first_key(event - stratum._event_keys()), 'is no key of an event']
    WHEN coalesce(event ->> 'event_name', '') = '' THEN ARRAY['event_name', 'is missing']
    WHEN NOT stratum._is_text_key(event, 'event_name', 255) THEN ARRAY['event_name', 'must be a string of at most 255 characters']
    WHEN NOT stratum._is_text_key(event, 'event_type', 50) THEN ARRAY['event_type', 'must be a string of at most 50 characters']
    WHEN event ->> 'timestamp' IS NOT NULL AND (jsonb_typeof(event -> 'timestamp') <> 'string' OR stratum._iso_time(event ->> 'timestamp') IS NULL)
      THEN ARRAY['timestamp', 'must be an ISO 8601 time']
    WHEN NOT stratum._is_uuid_key(event, 'message_id') THEN ARRAY['message_id', 'must be a UUID']
    WHEN NOT stratum._is_object_key(event, 'properties') THEN ARRAY['properties', 'must be an object']
    WHEN NOT stratum._is_object_key(event, 'context') THEN ARRAY['context', 'must be an object']
    WHEN NOT stratum._is_object_key(event, 'traits') THEN ARRAY['traits', 'must be an object']
    WHEN NOT stratum._is_uuid_key(event, 'canonical_id') THEN ARRAY['canonical_id', 'must be a UUID']
    WHEN NOT stratum._is_text_key(event, 'email', 255) THEN ARRAY['email', 'must be a string of at most 255 characters']
    WHEN coalesce(event ->> 'email_hash', '') <> '' AND (jsonb_typeof(event -> 'email_hash') <> 'string' OR event ->> 'email_hash' !~ '^[0-9A-Fa-f]{64}$')
      THEN ARRAY['email_hash', 'must be 64 hexadecimal digits']
    WHEN NOT stratum._is_text_key(event, 'external_id', 255) THEN ARRAY['external_id', 'must be a string of at most 255 characters']
    WHEN NOT stratum._is_text_key(event, 'anonymous_id', 255) THEN ARRAY['anonymous_id', 'must be a string of at most 255 characters']
    WHEN coalesce(event ->> 'canonical_id', '') || coalesce(event ->> 'email_hash', '') || coalesce(event ->> 'external_id', '')
      || coalesce(event ->> 'anonymous_id', '') = '' AND NOT coalesce(event ->> 'email', '') LIKE '%@%'
      THEN ARRAY['', 'names nobody']
  END
$$;
COMMENT ON FUNCTION stratum._event_fault(jsonb) IS
  'What is wrong with an event that comes in: its key and words for it; NULL where nothing is; internal.';

CREATE FUNCTION stratum._check_events(events jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wrong record;
BEGIN
  IF jsonb_typeof(events) IS DISTINCT FROM 'array' THEN
    RAISE EXCEPTION 'the events must be a JSON array' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT e.place - 1 AS place, stratum._event_fault(e.event) AS fault INTO wrong
  FROM jsonb_array_elements(events) WITH ORDINALITY AS e(event, place)
  WHERE stratum._event_fault(e.event) IS NOT NULL
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'invalid event at $[%]%: it %', wrong.place,
        CASE WHEN wrong.fault[1] = '' THEN '' ELSE '.' || wrong.fault[1] END, wrong.fault[2]
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Keys of an event: event_name, event_type, timestamp, message_id, properties, context, traits, and at least one of'
                   || ' canonical_id, email, email_hash, external_id, anonymous_id.';
  END IF;
END $$;
COMMENT ON FUNCTION stratum._check_events(jsonb) IS 'Refuses events that cannot be stored, naming the first one and its key; internal.';

-- ---- persons --------------------------------------------------------------------------------------

-- The profiles that persons stand for, in their order; each person is an array of (canonical_id, email, email_hash, external_id, anonymous_id). The
-- first kind of name that finds one decides, its own or an alias; not a profile that has another name of a kind before
-- that: then the names are of two people. Of several the oldest. `is_complete`: it has a name of every kind given.
CREATE FUNCTION stratum._find_profiles(tenant bigint, persons jsonb[])
  RETURNS TABLE (place bigint, profile bigint, is_complete boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  SELECT w.place, p.id::bigint,
         (w.hash IS NULL OR p.email_hash IS NOT NULL) AND (w.external IS NULL OR p.external_id IS NOT NULL)
           AND (w.anonymous IS NULL OR p.anonymous_id = w.anonymous
                OR EXISTS (SELECT FROM stratum.cdp_profile_aliases a
                           WHERE a.tenant_id = tenant AND a.kind = 'anonymous_id' AND a.value = w.anonymous))
  FROM (SELECT u.place, (u.person ->> 0)::uuid AS canonical, u.person ->> 2 AS hash, u.person ->> 3 AS external, u.person ->> 4 AS anonymous
        FROM unnest(persons) WITH ORDINALITY AS u(person, place)) w
  LEFT JOIN LATERAL (
    SELECT c.id, c.email_hash, c.external_id, c.anonymous_id
    FROM (
      SELECT a.id, 1 AS rank FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.canonical_id = w.canonical
      UNION ALL
      SELECT a.id, 2 FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.email_hash = w.hash
      UNION ALL
      SELECT a.id, 3 FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.external_id = w.external
      UNION ALL
      SELECT a.id, 4 FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.anonymous_id = w.anonymous
      UNION ALL
      SELECT a.profile_id, array_position('{canonical_id,email_hash,external_id,anonymous_id}', a.kind)
      FROM stratum.cdp_profile_aliases a
      WHERE a.tenant_id = tenant AND (a.kind, a.value) IN
        (('canonical_id', w.canonical::text), ('email_hash', w.hash), ('external_id', w.external), ('anonymous_id', w.anonymous))
    ) found JOIN stratum.cdp_profiles c ON c.tenant_id = tenant AND c.id = found.id
    WHERE (found.rank <= 1 OR w.canonical IS NULL OR c.canonical_id = w.canonical)
      AND (found.rank <= 2 OR w.hash IS NULL OR coalesce(c.email_hash, w.hash) = w.hash)
      AND (found.rank <= 3 OR w.external IS NULL OR coalesce(c.external_id, w.external) = w.external)
    ORDER BY found.rank, c.id
    LIMIT 1) p ON true
  ORDER BY w.place;
END $$;
COMMENT ON FUNCTION stratum._find_profiles(bigint, jsonb[]) IS
  'The profiles of a tenant that persons stand for, NULL where there is none, and whether they have names of all kinds given; internal.';

-- Whether a profile of the tenant has that name already, as its own or as an alias.
CREATE FUNCTION stratum._is_name_taken(tenant bigint, kind text, name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE kind
      WHEN 'email_hash' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.email_hash = name)
      WHEN 'external_id' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.external_id = name)
      WHEN 'anonymous_id' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.anonymous_id = name)
    END OR EXISTS (SELECT FROM stratum.cdp_profile_aliases a WHERE a.tenant_id = tenant AND a.kind = _is_name_taken.kind AND a.value = name);
END $$;
COMMENT ON FUNCTION stratum._is_name_taken(bigint, text, text) IS
  'Whether a profile of a tenant has a name already; internal.';

-- Names that a profile has no one of yet become its own; a further anonymous id becomes an alias. What another profile has stays there.
CREATE FUNCTION stratum._add_names(
    tenant bigint, profile bigint, email text, hash text, external text, anonymous text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  new_hash text := CASE WHEN NOT stratum._is_name_taken(tenant, 'email_hash', hash) THEN hash END;
  new_external text := CASE WHEN NOT stratum._is_name_taken(tenant, 'external_id', external) THEN external END;
  new_anonymous text := CASE WHEN NOT stratum._is_name_taken(tenant, 'anonymous_id', anonymous) THEN anonymous END;
BEGIN
  UPDATE stratum.cdp_profiles p
  SET email = CASE WHEN p.email_hash IS NULL AND new_hash IS NOT NULL THEN coalesce(p.email, _add_names.email) ELSE p.email END,
      email_hash = coalesce(p.email_hash, new_hash),
      external_id = coalesce(p.external_id, new_external),
      anonymous_id = coalesce(p.anonymous_id, new_anonymous)
  WHERE p.tenant_id = tenant AND p.id = profile
    AND (p.email_hash IS NULL AND new_hash IS NOT NULL OR p.external_id IS NULL AND new_external IS NOT NULL
         OR p.anonymous_id IS NULL AND new_anonymous IS NOT NULL);
  IF new_anonymous IS NOT NULL AND NOT stratum._is_name_taken(tenant, 'anonymous_id', new_anonymous) THEN
    INSERT INTO stratum.cdp_profile_aliases (tenant_id, kind, value, profile_id) VALUES (tenant, 'anonymous_id', new_anonymous, profile);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) IS
  'Gives a profile the names that nobody has yet; internal to _settle_profile().';

-- The profile of a person, made where there is none. The names are locked, so nobody else makes it at the same time.
CREATE FUNCTION stratum._settle_profile(tenant bigint, person jsonb) RETURNS bigint
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found record;
BEGIN
  SELECT f.profile, f.is_complete INTO found FROM stratum._find_profiles(tenant, ARRAY[person]) f;
  IF found.profile IS NULL THEN
    INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) VALUES (tenant, coalesce((person ->> 0)::uuid, gen_random_uuid()))
    RETURNING id INTO found.profile;
  END IF;
  IF found.is_complete IS NOT TRUE THEN
    PERFORM stratum._add_names(tenant, found.profile, person ->> 1, person ->> 2, person ->> 3, person ->> 4);
  END IF;
  RETURN found.profile;
END $$;
COMMENT ON FUNCTION stratum._settle_profile(bigint, jsonb) IS
  'The profile that a person stands for, made where there is none, with those names that nobody has yet; internal to ingest_events().';

-- ---- profiles -------------------------------------------------------------------------------------

CREATE FUNCTION stratum._purchase_events(tenant bigint) RETURNS text[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  names jsonb := (SELECT t.settings -> 'ingest' -> 'purchase_events' FROM stratum.tenants t WHERE t.id = tenant);
BEGIN
  IF jsonb_typeof(names) IS DISTINCT FROM 'array' THEN
    RETURN ARRAY['Purchase', 'Order Completed'];
  END IF;
  RETURN ARRAY(SELECT n FROM jsonb_array_elements_text(names) n);
END $$;
COMMENT ON FUNCTION stratum._purchase_events(bigint) IS
  'Names of the events that make somebody a customer: settings -> ingest -> purchase_events of the tenant; internal.';

-- anonymous, lead, prospect, customer: only forward, and only from one of these.
CREATE FUNCTION stratum._later_stage(stage text, reached text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE WHEN array_position('{anonymous,lead,prospect,customer}'::text[], coalesce(stage, 'anonymous'))
                 < array_position('{anonymous,lead,prospect,customer}'::text[], reached)
              THEN reached ELSE stage END
$$;
COMMENT ON FUNCTION stratum._later_stage(text, text) IS
  'The later of two stages of a customer''s life; another than the known ones stays; internal.';

-- Moves the profiles of events that have been stored forward. `profiles`, `names`, `times`, `traits`: one an event, in their order.
CREATE FUNCTION stratum._advance_profiles(
    tenant bigint, profiles bigint[], names text[], times timestamptz[], traits jsonb[]) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  purchases text[] := stratum._purchase_events(tenant);
BEGIN
  UPDATE stratum.cdp_profiles p
  SET first_seen_at = least(p.first_seen_at, s.first), last_seen_at = greatest(p.last_seen_at, s.last),
      lifecycle_stage = stratum._later_stage(p.lifecycle_stage, CASE
        WHEN s.has_bought THEN 'customer' WHEN p.email_hash IS NOT NULL OR p.external_id IS NOT NULL THEN 'lead' ELSE 'anonymous' END)
  FROM (SELECT e.profile, least(min(e.time), now()) AS first, least(max(e.time), now()) AS last, bool_or(e.name = ANY (purchases)) AS has_bought
        FROM unnest(profiles, names, times) AS e(profile, name, time)
        GROUP BY e.profile) s
  WHERE p.tenant_id = tenant AND p.id = s.profile;

  UPDATE stratum.cdp_profiles p
  SET traits = CASE jsonb_typeof(p.traits) WHEN 'object' THEN p.traits ELSE '{}' END || s.traits
  FROM (SELECT e.profile, jsonb_object_agg(t.key, t.value ORDER BY e.time, e.place) AS traits
        FROM unnest(profiles, times, _advance_profiles.traits) WITH ORDINALITY AS e(profile, time, traits, place), jsonb_each(e.traits) t
        GROUP BY e.profile) s
  WHERE p.tenant_id = tenant AND p.id = s.profile AND p.traits IS DISTINCT FROM p.traits || s.traits;
END $$;
COMMENT ON FUNCTION stratum._advance_profiles(bigint, bigint[], text[], timestamptz[], jsonb[]) IS
  'First and last contact, stage and traits of profiles, from events that have been stored; internal to ingest_events().';

-- ---- events ---------------------------------------------------------------------------------------

-- Locks profiles against changes, in ascending order; returns those that are there.
CREATE FUNCTION stratum._lock_profiles(tenant bigint, profiles bigint[]) RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT p.id::bigint FROM stratum.cdp_profiles p
               WHERE p.tenant_id = tenant AND p.id = ANY (profiles) ORDER BY p.id FOR NO KEY UPDATE);
END $$;
COMMENT ON FUNCTION stratum._lock_profiles(bigint, bigint[]) IS
  'Locks profiles in ascending order and returns those that there are; internal.';

-- The profiles of these persons, in their order; all locked.
-- First those that are known by all their names are looked up. Only if there are others are names locked and profiles
-- made, in the order in which the persons came, so that what one event tells of a person holds for the next.
CREATE FUNCTION stratum._profiles_of(tenant bigint, persons jsonb[]) RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  profiles bigint[];
  open_ones integer[];
  n integer;
BEGIN
  SELECT array_agg(CASE WHEN f.is_complete THEN f.profile END ORDER BY f.place),
         array_agg(f.place::integer ORDER BY f.place) FILTER (WHERE f.is_complete IS NOT TRUE)
  INTO profiles, open_ones
  FROM stratum._find_profiles(tenant, persons) f;
  IF open_ones IS NOT NULL THEN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
      RAISE EXCEPTION 'profiles cannot be made out of events in a transaction that is REPEATABLE READ'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Others may have made the same ones, unseen. Use READ COMMITTED, or SERIALIZABLE.';
    END IF;
    PERFORM stratum._lock_names(ARRAY(SELECT k.kind || k.name FROM unnest(open_ones) o(place),
      LATERAL (VALUES ('canonical_id ', persons[o.place] ->> 0), ('email_hash ', persons[o.place] ->> 2),
                      ('external_id ', persons[o.place] ->> 3), ('anonymous_id ', persons[o.place] ->> 4)) AS k(kind, name)));
    FOREACH n IN ARRAY open_ones LOOP
      profiles[n] := stratum._settle_profile(tenant, persons[n]);
    END LOOP;
  END IF;
  -- One that has been merged into another one or deleted meanwhile is looked for once more.
  IF cardinality(stratum._lock_profiles(tenant, profiles)) < (SELECT count(DISTINCT p) FROM unnest(profiles) p) THEN
    RETURN stratum._profiles_of(tenant, persons);
  END IF;
  RETURN profiles;
END $$;
COMMENT ON FUNCTION stratum._profiles_of(bigint, jsonb[]) IS
  'The profiles that persons stand for, made where there are none, and locked; internal to ingest_events().';

CREATE FUNCTION stratum._acting_tenant() RETURNS bigint
  LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF stratum.current_tenant_id() IS NULL THEN
    RAISE EXCEPTION 'there is no tenant to act for'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT stratum.enter(tenant_id, user_id) first, in the same transaction.';
  END IF;
  RETURN stratum.current_tenant_id();
END $$;
COMMENT ON FUNCTION stratum._acting_tenant() IS 'The current tenant; raises where there is none; internal.';

CREATE FUNCTION stratum.ingest_events(events jsonb)
  RETURNS TABLE (place integer, outcome text, event_id bigint, profile_id bigint)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
<<run>>
DECLARE
  tenant bigint := stratum._acting_tenant();
  ids bigint[];
  names text[];
  types text[];
  properties jsonb[];
  contexts jsonb[];
  messages uuid[];
  anonymous text[];
  times timestamptz[];
  traits jsonb[];
  of_persons jsonb[];
  persons jsonb[];
  profiles bigint[];
  of_profiles bigint[];
  stored bigint[];
BEGIN
  PERFORM stratum._check_events(events);
  SELECT array_agg(nextval('stratum.cdp_events_id_seq')), array_agg(e.event ->> 'event_name'), array_agg(coalesce(e.event ->> 'event_type', 'track')),
         array_agg(coalesce(nullif(e.event -> 'properties', 'null'), '{}')), array_agg(coalesce(nullif(e.event -> 'context', 'null'), '{}')),
         array_agg(nullif(e.event ->> 'message_id', '')::uuid), array_agg(nullif(e.event ->> 'anonymous_id', '')),
         array_agg(coalesce(stratum._iso_time(e.event ->> 'timestamp'), now())), array_agg(nullif(e.event -> 'traits', 'null')),
         array_agg(jsonb_build_array(nullif(e.event ->> 'canonical_id', '')::uuid, nullif(e.event ->> 'email', ''),
           coalesce(nullif(e.event ->> 'email_hash', ''), CASE WHEN e.event ->> 'email' LIKE '%@%' THEN stratum.email_hash(e.event ->> 'email') END),
           nullif(e.event ->> 'external_id', ''), nullif(e.event ->> 'anonymous_id', '')))
  INTO ids, names, types, properties, contexts, messages, anonymous, times, traits, of_persons
  FROM (SELECT a.event FROM jsonb_array_elements(events) WITH ORDINALITY AS a(event, place) ORDER BY a.place) e;
  IF ids IS NULL THEN
    RETURN;
  END IF;

  SELECT array_agg(d.person ORDER BY d.first) INTO persons
  FROM (SELECT e.person, min(e.place) AS first FROM unnest(of_persons) WITH ORDINALITY AS e(person, place) GROUP BY e.person) d;
  profiles := stratum._profiles_of(tenant, persons);
  SELECT array_agg(k.profile ORDER BY e.place) INTO of_profiles
  FROM unnest(of_persons) WITH ORDINALITY AS e(person, place) JOIN unnest(persons, profiles) AS k(person, profile) USING (person);

  -- In the order of their message ids, so that two who store the same ones do not wait for each other in a circle.
  WITH kept AS (
    INSERT INTO stratum.cdp_events AS n
      (id, tenant_id, profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)
    SELECT e.id, tenant, e.profile, e.name, e.type, e.properties, e.context, e.message, e.anonymous, e.time
    FROM unnest(ids, of_profiles, names, types, run.properties, contexts, messages, run.anonymous, times)
      AS e(id, profile, name, type, properties, context, message, anonymous, time)
    ORDER BY e.message, e.id
    ON CONFLICT (tenant_id, message_id) DO NOTHING
    RETURNING n.id)
  SELECT coalesce(array_agg(k.id), '{}') INTO stored FROM kept k;

  IF cardinality(stored) = cardinality(ids) THEN
    PERFORM stratum._advance_profiles(tenant, of_profiles, names, times, traits);
    RETURN QUERY SELECT (e.number - 1)::integer, 'stored'::text, e.id, e.profile
      FROM unnest(ids, of_profiles) WITH ORDINALITY AS e(id, profile, number);
    RETURN;
  END IF;
  PERFORM stratum._advance_profiles(tenant, array_agg(e.profile), array_agg(e.name), array_agg(e.time), array_agg(e.traits))
  FROM unnest(ids, of_profiles, names, times, run.traits) AS e(id, profile, name, time, traits) JOIN unnest(stored) AS k(id) USING (id);
  RETURN QUERY
    SELECT (e.number - 1)::integer, CASE WHEN k.id IS NULL THEN 'duplicate' ELSE 'stored' END,
           coalesce(k.id, d.id), CASE WHEN k.id IS NULL THEN d.profile_id ELSE e.profile END
    FROM unnest(ids, of_profiles, messages) WITH ORDINALITY AS e(id, profile, message, number)
      LEFT JOIN unnest(stored) AS k(id) USING (id)
      LEFT JOIN stratum.cdp_events d ON k.id IS NULL AND d.tenant_id = tenant AND d.message_id = e.message
    ORDER BY e.number;
END $$;
COMMENT ON FUNCTION stratum.ingest_events(jsonb) IS
  'Stores events of the current tenant, each once per message_id, for the profiles that their names stand for, which are made where there are none.';

CREATE FUNCTION stratum.ingest_event(event jsonb, OUT outcome text, OUT event_id bigint, OUT profile_id bigint)
  RETURNS record
  LANGUAGE sql
AS $$ SELECT i.outcome, i.event_id, i.profile_id FROM stratum.ingest_events(pg_catalog.jsonb_build_array($1)) i $$;
COMMENT ON FUNCTION stratum.ingest_event(jsonb) IS 'ingest_events() of one event.';
