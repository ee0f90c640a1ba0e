-- Events as they come in: the profile is found or made, the event stored once, the profile moved forward.
-- rights: ingest_event, ingest_events and the internal functions they call as their caller -> stratum_app, stratum_admin

CREATE FUNCTION stratum._lock_names(names text[]) RETURNS void
  LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'stratum_lock_names';
COMMENT ON FUNCTION stratum._lock_names(text[]) IS
  'Until the end of the transaction nobody else makes a profile of one of these names for the current tenant; internal.';

CREATE FUNCTION stratum._notice_growth() RETURNS void
  LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_notice_growth';
COMMENT ON FUNCTION stratum._notice_growth() IS
  'Analyzes those small tables that events are looked up in that are twice as large as when that was last done; internal.';

-- ---- persons --------------------------------------------------------------------------------------

-- The profiles that persons stand for, in their order; each array has a kind of name, one a person, NULL where it has none. The
-- first kind of name that finds one decides, its own or an alias; not a profile that has another name of a kind before
-- that: then the names are of two people. Of several the oldest. `is_complete`: it has a name of every kind given. Hashes come in
-- lower case; a profile may have been written with one in upper case.
CREATE FUNCTION stratum._find_profiles(tenant bigint, canonicals uuid[], hashes text[], externals text[], anonymous_ids text[])
  RETURNS TABLE (place bigint, profile bigint, canonical uuid, is_complete boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
  -- upper() is here, since in the look-up it would keep row security from using the index. OFFSET 0 for a look-up of each name: the
  -- planner would rather read all aliases while they are few, and do so for each person.
  WITH wanted AS MATERIALIZED (
    SELECT u.*, upper(u.hash) AS upper_hash
    FROM unnest(canonicals, hashes, externals, anonymous_ids) WITH ORDINALITY AS u(canonical, hash, external, anonymous, place))
  SELECT w.place, p.id::bigint, p.canonical_id,
         p.id IS NOT NULL AND (w.hash IS NULL OR p.email_hash IS NOT NULL) AND (w.external IS NULL OR p.external_id IS NOT NULL)
           AND (w.anonymous IS NULL OR p.anonymous_id = w.anonymous
                OR EXISTS (SELECT FROM stratum.cdp_profile_aliases a
                           WHERE a.tenant_id = tenant AND a.kind = 'anonymous_id' AND a.value = w.anonymous OFFSET 0))
  FROM wanted w
  LEFT JOIN LATERAL (
    SELECT c.id, c.canonical_id, c.email_hash, c.external_id, c.anonymous_id
    FROM (
      SELECT 1 AS rank, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.canonical_id = w.canonical
      UNION ALL
      SELECT 2, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.email_hash IN (w.hash, w.upper_hash)
      UNION ALL
      SELECT 3, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.external_id = w.external
      UNION ALL
      SELECT 4, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM stratum.cdp_profiles a WHERE a.tenant_id = tenant AND a.anonymous_id = w.anonymous
      UNION ALL
      SELECT n.rank, a.id, a.canonical_id, a.email_hash, a.external_id, a.anonymous_id
      FROM (VALUES (1, 'canonical_id', w.canonical::text), (2, 'email_hash', w.hash), (3, 'external_id', w.external),
                   (4, 'anonymous_id', w.anonymous)) AS n(rank, kind, name)
        CROSS JOIN LATERAL (SELECT x.profile_id FROM stratum.cdp_profile_aliases x
                            WHERE x.tenant_id = tenant AND x.kind = n.kind AND x.value = n.name OFFSET 0) k
        JOIN stratum.cdp_profiles a ON a.tenant_id = tenant AND a.id = k.profile_id
    ) c
    WHERE (c.rank <= 1 OR w.canonical IS NULL OR c.canonical_id = w.canonical)
      AND (c.rank <= 2 OR w.hash IS NULL OR coalesce(lower(c.email_hash), w.hash) = w.hash)
      AND (c.rank <= 3 OR w.external IS NULL OR coalesce(c.external_id, w.external) = w.external)
    ORDER BY c.rank, c.id
    LIMIT 1) p ON true
  ORDER BY w.place;
END $$;
COMMENT ON FUNCTION stratum._find_profiles(bigint, uuid[], text[], text[], text[]) IS
  'The profiles of a tenant that persons stand for, NULL where there is none, and whether they have names of all kinds given; internal.';

-- Whether a profile of the tenant has that name already, as its own or as an alias.
CREATE FUNCTION stratum._is_name_taken(tenant bigint, kind text, name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN CASE kind
      WHEN 'email_hash' THEN EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.email_hash IN (name, upper(name)))
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
    PERFORM stratum._notice_growth();
  END IF;
END $$;
COMMENT ON FUNCTION stratum._add_names(bigint, bigint, text, text, text, text) IS
  'Gives a profile the names that nobody has yet; internal to _settle_profile().';

-- The profile of a person, made where there is none. The names are locked, so nobody else makes it at the same time. One
-- that is being erased or merged is looked for again when that has ended.
CREATE FUNCTION stratum._settle_profile(
    tenant bigint, wanted uuid, email text, hash text, external text, anonymous text, OUT profile bigint, OUT canonical uuid)
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  complete boolean;
BEGIN
  FOR try IN 1 .. 20 LOOP
    SELECT f.profile, f.canonical, f.is_complete INTO profile, canonical, complete
    FROM stratum._find_profiles(tenant, ARRAY[wanted], ARRAY[hash], ARRAY[external], ARRAY[anonymous]) f;
    IF profile IS NULL THEN
      INSERT INTO stratum.cdp_profiles AS p (tenant_id, canonical_id) VALUES (tenant, coalesce(wanted, gen_random_uuid()))
      RETURNING p.id, p.canonical_id INTO profile, canonical;
      IF profile IS NULL THEN
        RAISE EXCEPTION 'a trigger has kept the profile of an event from being made' USING ERRCODE = 'triggered_action_exception';
      END IF;
      PERFORM stratum._notice_growth();
      EXIT;
    END IF;
    EXIT WHEN complete;
    PERFORM FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.id = profile AND p.canonical_id = canonical FOR KEY SHARE;
    EXIT WHEN FOUND;
    IF try = 20 THEN
      RAISE EXCEPTION 'profile % cannot be locked', profile
        USING ERRCODE = 'insufficient_privilege', HINT = 'A policy on stratum.cdp_profiles may hide it from UPDATE.';
    END IF;
  END LOOP;
  IF complete IS NOT TRUE THEN
    PERFORM stratum._add_names(tenant, profile, email, hash, external, anonymous);
  END IF;
END $$;
COMMENT ON FUNCTION stratum._settle_profile(bigint, uuid, text, text, text, text) IS
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

CREATE FUNCTION stratum._reached_stage(stage text, has_bought boolean, email_hash text, external_id text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT stratum._later_stage(stage,
    CASE WHEN has_bought THEN 'customer' WHEN email_hash IS NOT NULL OR external_id IS NOT NULL THEN 'lead' ELSE 'anonymous' END)
$$;
COMMENT ON FUNCTION stratum._reached_stage(text, boolean, text, text) IS
  'The stage of somebody''s life after an event; internal to ingest_events().';

CREATE FUNCTION stratum._joined_traits(traits jsonb, given jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN given IS NULL THEN traits WHEN jsonb_typeof(traits) = 'object' THEN traits || given ELSE given END $$;
COMMENT ON FUNCTION stratum._joined_traits(jsonb, jsonb) IS
  'Traits with those that an event gives, if it gives any; internal to ingest_events().';

-- ---- events ---------------------------------------------------------------------------------------

-- Locks profiles against changes, in ascending order; returns those that are there. One with another canonical id has been
-- erased since it was found: it is nobody any more.
CREATE FUNCTION stratum._lock_profiles(tenant bigint, profiles bigint[], canonicals uuid[]) RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN ARRAY(SELECT p.id::bigint
               FROM (SELECT DISTINCT u.profile, u.canonical FROM unnest(profiles, canonicals) AS u(profile, canonical)) w
                 JOIN stratum.cdp_profiles p ON p.tenant_id = tenant AND p.id = w.profile AND p.canonical_id = w.canonical
               ORDER BY p.id FOR NO KEY UPDATE OF p);
END $$;
COMMENT ON FUNCTION stratum._lock_profiles(bigint, bigint[], uuid[]) IS
  'Locks profiles in ascending order and returns those that there are; internal.';

-- Events that have come before tell nothing, not even of names: persons of no others are left out.
CREATE FUNCTION stratum._persons_with_news(tenant bigint, persons integer[], event_persons integer[], messages uuid[]) RETURNS integer[]
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT array_agg(n.person ORDER BY n.first)
    FROM (SELECT e.person, min(e.place) AS first
          FROM (SELECT u.person, u.message, u.place, row_number() OVER (PARTITION BY u.message ORDER BY u.place) AS nth
                FROM unnest(event_persons, messages) WITH ORDINALITY AS u(person, message, place)) e
          WHERE e.person = ANY (persons)
            AND (e.message IS NULL
                 OR e.nth = 1 AND NOT EXISTS (SELECT FROM stratum.cdp_events d WHERE d.tenant_id = tenant AND d.message_id = e.message))
          GROUP BY e.person) n);
END $$;
COMMENT ON FUNCTION stratum._persons_with_news(bigint, integer[], integer[], uuid[]) IS
  'Those of the persons, by number, of whom there is an event that is not stored yet, in the order of these events; NULL where there are none; internal to ingest_events().';

-- Of persons those who share no name with another of them, and none of whose names anybody has, get their profiles all at once. Their
-- numbers, in order, and those profiles; nobody where a trigger has kept a row out. The names are locked.
CREATE FUNCTION stratum._make_strangers(
    tenant bigint, persons integer[], canonicals uuid[], emails text[], hashes text[], externals text[], anonymous_ids text[],
    OUT strangers integer[], OUT profiles bigint[], OUT ids uuid[])
  RETURNS record
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_asked boolean[] := array_fill(false, ARRAY[cardinality(hashes)]);
  wanted uuid[];
  n integer;
BEGIN
  FOREACH n IN ARRAY persons LOOP
    is_asked[n] := true;
  END LOOP;
  WITH asked AS MATERIALIZED (
      SELECT w.*, upper(w.hash) AS upper_hash
      FROM unnest(canonicals, hashes, externals, anonymous_ids) WITH ORDINALITY AS w(canonical, hash, external, anonymous, person)
      WHERE is_asked[w.person]),
    names AS MATERIALIZED (
      SELECT a.person, k.kind, k.name
      FROM asked a, LATERAL (VALUES ('canonical_id', a.canonical::text), ('email_hash', a.hash), ('external_id', a.external), ('anonymous_id', a.anonymous)) AS k(kind, name)
      WHERE k.name IS NOT NULL)
  SELECT array_agg(a.person::integer ORDER BY a.person), array_agg(coalesce(a.canonical, gen_random_uuid()) ORDER BY a.person)
  INTO strangers, wanted
  FROM asked a
  WHERE a.person NOT IN (SELECT c.person FROM (SELECT m.person, count(*) OVER (PARTITION BY m.kind, m.name) AS times FROM names m) c WHERE c.times > 1)
    AND a.person NOT IN (SELECT m.person FROM names m JOIN stratum.cdp_profile_aliases k ON k.tenant_id = tenant AND k.kind = m.kind AND k.value = m.name)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.canonical_id = a.canonical)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.email_hash IN (a.hash, a.upper_hash))
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.external_id = a.external)
    AND NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = tenant AND p.anonymous_id = a.anonymous);
  IF strangers IS NULL THEN
    RETURN;
  END IF;
  WITH made AS (
      INSERT INTO stratum.cdp_profiles AS p (tenant_id, canonical_id, email, email_hash, external_id, anonymous_id)
      SELECT tenant, w.canonical, CASE WHEN hashes[w.person] IS NOT NULL THEN emails[w.person] END, hashes[w.person], externals[w.person], anonymous_ids[w.person]
      FROM unnest(strangers, wanted) WITH ORDINALITY AS w(person, canonical, place) ORDER BY w.place
      RETURNING p.id, p.canonical_id)
  SELECT array_agg(m.id::bigint ORDER BY m.id), array_agg(m.canonical_id ORDER BY m.id) INTO profiles, ids FROM made m;
  IF cardinality(ids) IS DISTINCT FROM cardinality(wanted) THEN
    strangers := NULL;
  END IF;
  PERFORM stratum._notice_growth();
END $$;
COMMENT ON FUNCTION stratum._make_strangers(bigint, integer[], uuid[], text[], text[], text[], text[]) IS
  'Makes profiles of those persons, by number, whose names are nobody''s; internal to ingest_events().';

-- The profiles of these persons, in their order; all locked. NULL for one of whom there is nothing new.
-- First those that are known by all their names are looked up. Only if there are others are names locked and profiles
-- made, in the order in which the persons came, so that what one event tells of a person holds for the next; for those of whom no
-- other event tells anything, all at once.
CREATE FUNCTION stratum._profiles_of(
    tenant bigint, canonicals uuid[], emails text[], hashes text[], externals text[], anonymous_ids text[],
    event_persons integer[], messages uuid[])
  RETURNS bigint[]
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  profiles bigint[];
  ids uuid[];  -- their canonical ids
  made record;
  open_ones integer[];
  n integer;
BEGIN
  PERFORM stratum._notice_growth();
  SELECT array_agg(CASE WHEN f.is_complete THEN f.profile END ORDER BY f.place),
         array_agg(CASE WHEN f.is_complete THEN f.canonical END ORDER BY f.place),
         array_agg(f.place::integer ORDER BY f.place) FILTER (WHERE f.is_complete IS NOT TRUE)
  INTO profiles, ids, open_ones
  FROM stratum._find_profiles(tenant, canonicals, hashes, externals, anonymous_ids) f;
  IF open_ones IS NOT NULL THEN
    open_ones := stratum._persons_with_news(tenant, open_ones, event_persons, messages);
  END IF;
  IF open_ones IS NOT NULL THEN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
      RAISE EXCEPTION 'profiles cannot be made out of events in a transaction that is REPEATABLE READ'
        USING ERRCODE = 'feature_not_supported',
              HINT = 'Others may have made the same ones, unseen. Use READ COMMITTED, or SERIALIZABLE.';
    END IF;
    PERFORM stratum._lock_names(ARRAY(SELECT k.kind || k.name FROM unnest(open_ones) o(place),
      LATERAL (VALUES ('canonical_id ', canonicals[o.place]::text), ('email_hash ', hashes[o.place]),
                      ('external_id ', externals[o.place]), ('anonymous_id ', anonymous_ids[o.place])) AS k(kind, name)));
    SELECT * INTO made FROM stratum._make_strangers(tenant, open_ones, canonicals, emails, hashes, externals, anonymous_ids);
    FOR n IN 1 .. coalesce(cardinality(made.strangers), 0) LOOP
      profiles[made.strangers[n]] := made.profiles[n];
      ids[made.strangers[n]] := made.ids[n];
    END LOOP;
    FOREACH n IN ARRAY open_ones LOOP
      CONTINUE WHEN profiles[n] IS NOT NULL;
      SELECT * INTO made FROM stratum._settle_profile(tenant, canonicals[n], emails[n], hashes[n], externals[n], anonymous_ids[n]);
      profiles[n] := made.profile;
      ids[n] := made.canonical;
    END LOOP;
  END IF;
  -- One that has been merged into another one, erased or deleted meanwhile is looked for once more.
  IF cardinality(stratum._lock_profiles(tenant, profiles, ids)) < (SELECT count(DISTINCT p) FROM unnest(profiles) p) THEN
    RETURN stratum._profiles_of(tenant, canonicals, emails, hashes, externals, anonymous_ids, event_persons, messages);
  END IF;
  RETURN profiles;
END $$;
COMMENT ON FUNCTION stratum._profiles_of(bigint, uuid[], text[], text[], text[], text[], integer[], uuid[]) IS
  'The profiles that persons stand for, made where there are none, and locked; of each event the number of its person and its message id; internal to ingest_events().';

CREATE FUNCTION stratum.ingest_events(events jsonb)
  RETURNS TABLE (place integer, outcome text, event_id bigint, profile_id bigint)
  LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'stratum_ingest_events';
COMMENT ON FUNCTION stratum.ingest_events(jsonb) IS
  'Stores events of the current tenant, each once per message_id, for the profiles that their names stand for, which are made where there are none.';

CREATE FUNCTION stratum.ingest_event(event jsonb, OUT outcome text, OUT event_id bigint, OUT profile_id bigint)
  RETURNS record
  LANGUAGE sql
AS $$ SELECT i.outcome, i.event_id, i.profile_id FROM stratum.ingest_events(pg_catalog.jsonb_build_array($1)) i $$;
COMMENT ON FUNCTION stratum.ingest_event(jsonb) IS 'ingest_events() of one event.';
