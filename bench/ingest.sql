-- What keeping memberships current costs who writes: tenants 8 and 9 have the same 200 segments, 150 about traits and 50 about
-- events; those of tenant 8 are live. The same events and profiles are written for both, in turn.
--
--   plain   nothing is live: memberships wait for the next refresh
--   live    every transaction brings the memberships of the profiles that it wrote up to date
--
-- Fair: both have as many profiles, events and memberships, the same triggers and indexes; commits count, with synchronous_commit off, so that
-- no disk hides the difference. Afterwards a refresh must find nothing to do for tenant 8. Times are of 1000 rows.
\echo
\echo '== ingest: 1000 rows, with 200 live segments (50 about events) and without'
SELECT setseed(0.8) \g /dev/null

-- Definitions without a limit that moves: what is found at the end must not differ because a minute has passed.
CREATE TABLE bench.ingest_segments AS
SELECT n, jsonb_build_object('logic', 'and', 'conditions', jsonb_build_array(first, CASE WHEN n % 3 > 0 THEN second ELSE third END)) AS conditions
FROM generate_series(1, 150) n CROSS JOIN LATERAL (SELECT
  jsonb_build_object('field', 'trait.country', 'operator', 'in', 'value', (ARRAY['["US"]', '["DE", "FR"]', '["GB", "JP", "ES"]', '["BR", "IN"]'])[1 + n % 4]::jsonb) AS first,
  jsonb_build_object('field', 'trait.ltv', 'operator', 'between', 'value', jsonb_build_array(10 * n, 10 * n + 300)) AS second,
  jsonb_build_object('field', 'trait.orders', 'operator', 'gte', 'value', n / 5) AS third) c
UNION ALL
SELECT 150 + n, jsonb_build_object('logic', CASE n % 5 WHEN 0 THEN 'or' ELSE 'and' END, 'conditions', jsonb_build_array(
  jsonb_build_object('field', format('event.Event %s.count', n % 10), 'operator', 'gte', 'value', 1 + n % 7, 'within_days', 10 * (1 + n % 9)),
  jsonb_build_object('field', format('event.Event %s.%s', (n + 3) % 10, CASE n % 4 WHEN 0 THEN 'sum.amount' ELSE 'count' END), 'operator', 'less_than', 'value', 200 + n)))
FROM generate_series(1, 50) n;
INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
SELECT t, 'Ingest ' || n, 'ingest-' || n, conditions FROM bench.ingest_segments, unnest('{8,9}'::integer[]) t;
UPDATE stratum.cdp_segments SET is_active = slug LIKE 'ingest-%' WHERE tenant_id IN (8, 9) AND is_active IS DISTINCT FROM (slug LIKE 'ingest-%');

-- Ten events of every profile to begin with, at midnights.
ALTER TABLE stratum.cdp_events DISABLE TRIGGER USER;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
SELECT p.tenant_id, p.id, 'Event ' || floor(10 * random() ^ 2)::integer, 'track', jsonb_build_object('amount', 10 + i, 'page', 'p' || i),
       bench.today() - floor(random() * 120) * interval '1 day'
FROM stratum.cdp_profiles p, generate_series(1, 10) i WHERE p.tenant_id IN (8, 9);
ALTER TABLE stratum.cdp_events ENABLE TRIGGER USER;

CREATE TABLE bench.ingest_profiles AS
SELECT tenant_id AS tenant, row_number() OVER (PARTITION BY tenant_id ORDER BY id) - 1 AS place, id
FROM stratum.cdp_profiles WHERE tenant_id IN (8, 9);
ALTER TABLE bench.ingest_profiles ADD PRIMARY KEY (tenant, place);
SELECT set_config('bench.ingest_profiles', (count(*) / 2)::text, false) FROM bench.ingest_profiles \g /dev/null

DO $$
DECLARE
  tenant integer;
BEGIN
  FOR tenant IN 8 .. 9 LOOP
    PERFORM stratum.leave();
    PERFORM count(*) FROM stratum._refresh(tenant, NULL);
  END LOOP;
END $$;
INSERT INTO stratum.cdp_segment_options (tenant_id, segment_id, is_live)
SELECT tenant_id, id, true FROM stratum.cdp_segments WHERE tenant_id = 8 AND is_active;
VACUUM (FREEZE, ANALYZE) stratum.cdp_events, stratum.cdp_segments, stratum.cdp_segment_memberships, stratum.cdp_segment_options,
  bench.ingest_profiles;
CALL bench.warm('{stratum.cdp_events,stratum.cdp_segment_memberships}');

-- So many events of profiles from all over the tenant, and other traits; each call other ones.
CREATE SEQUENCE bench.ingested;
CREATE FUNCTION bench.some_profile(of_tenant integer, i bigint) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT p.id FROM bench.ingest_profiles p WHERE p.tenant = of_tenant AND p.place = (7919 * i) % current_setting('bench.ingest_profiles')::bigint);
END $$;
CREATE FUNCTION bench.write_events(of_tenant integer, count integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, properties, timestamp)
  SELECT of_tenant, bench.some_profile(of_tenant, n.i), 'Event ' || n.i % 12, 'track',
         jsonb_build_object('amount', n.i % 90, 'page', 'p' || n.i % 300), bench.today() - n.i % 5 * interval '1 day'
  FROM (SELECT nextval('bench.ingested') AS i FROM generate_series(1, count)) n;
END $$;
CREATE FUNCTION bench.write_profiles(of_tenant integer, count integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  i bigint;
BEGIN
  FOR n IN 1 .. count LOOP
    i := nextval('bench.ingested');
    UPDATE stratum.cdp_profiles p SET traits = p.traits || jsonb_build_object('ltv', i % 1900, 'orders', i % 40)
    WHERE p.id = bench.some_profile(of_tenant, i);
  END LOOP;
END $$;

-- 1000 rows, committed so many at a time.
CREATE PROCEDURE bench.ingest(what text, tenant integer, at_a_time integer) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 1000 / at_a_time LOOP
    IF what = 'events' THEN
      PERFORM bench.write_events(tenant, at_a_time);
    ELSE
      PERFORM bench.write_profiles(tenant, at_a_time);
    END IF;
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE bench.time_ingest(what text, at_a_time integer, rounds integer) LANGUAGE plpgsql AS $$
DECLARE
  label text := format('%s, %s a transaction', what, at_a_time);
  started timestamptz;
  contestant text;
BEGIN
  FOR i IN 0 .. rounds LOOP
    FOREACH contestant IN ARRAY '{plain,live}'::text[] LOOP
      started := clock_timestamp();
      CALL bench.ingest(what, CASE contestant WHEN 'live' THEN 8 ELSE 9 END, at_a_time);
      IF i > 0 THEN     -- the first one warms up
        INSERT INTO bench.timings VALUES ('ingest', label, contestant, i, 1000 * extract(epoch FROM clock_timestamp() - started));
      END IF;
      COMMIT;
    END LOOP;
  END LOOP;
END $$;

INSERT INTO bench.contestants (section, item, contestant, statement, answer)
SELECT 'ingest', format('%s, %s a transaction', what, at_a_time), contestant, 'bench.ingest()', ''
FROM (VALUES ('events', 1), ('events', 1000), ('profiles', 1), ('profiles', 1000)) i (what, at_a_time), unnest('{plain,live}'::text[]) contestant;
CALL bench.time_ingest('events', 1, :rounds);
CALL bench.time_ingest('events', 1000, :rounds);
CALL bench.time_ingest('profiles', 1, :rounds);
CALL bench.time_ingest('profiles', 1000, :rounds);

-- What was kept live is what a refresh finds, and it has changed.
DO $$
DECLARE
  found record;
BEGIN
  PERFORM stratum.enter(8);
  SELECT sum(added) + sum(removed) AS differing, sum(profile_count) AS members INTO found FROM stratum.refresh_segments();
  IF found.differing <> 0 THEN
    RAISE EXCEPTION 'a refresh found % memberships to differ from those that were kept live', found.differing;
  ELSIF found.members = (SELECT count(*) FROM stratum.cdp_segment_memberships WHERE tenant_id = 9) THEN
    RAISE EXCEPTION 'nothing has changed';
  END IF;
END $$;

\set section ingest
\set baseline plain
\set plans false
\ir report.sql
