-- The nightly job: :segments segments of each of ten tenants, over their profiles.
--
--   sql             one hand-written query for each segment, over the profiles of all tenants at once. Only a sample of
--                   50 segments is run, and the time multiplied: all of them would take too long.
--   evaluation      stratum finds out who is in which segment, and does nothing with it
--   sql_insert      one hand-written INSERT ... SELECT for each segment into a table like the memberships', indexes and
--                   foreign keys included; the sample again. To its advantage the indexes stay small, and the profiles are
--                   locked beforehand: the check of the foreign key does that, once for each profile and not in proportion.
--   first_refresh   refresh_segments() for each tenant, from nothing: finds out, and writes all memberships; once
--   same_again      the same with nothing changed (but the time: a profile may leave "the last 30 days")
--   one_per_cent    the same after other traits have been given to a random hundredth of the profiles
--
-- Fair: all do the same work per segment and profile, and a sample of the segments is checked: after each step the
-- members must be those that the hand-written SQL finds. VACUUM ANALYZE runs between the steps, as autovacuum would;
-- what changes data runs once (first_refresh) or at most three times.
\echo
\echo '== refresh:' :segments 'segments of each of ten tenants'
\ir definitions.sql
\set has_definitions true
\ir evaluate.sql
SELECT least(:rounds, 3) AS few_rounds \gset

CREATE TABLE bench.changes (contestant text, round integer, members bigint, added bigint, removed bigint);
CREATE TABLE bench.memberships (LIKE stratum.cdp_segment_memberships INCLUDING ALL,
  FOREIGN KEY (tenant_id) REFERENCES stratum.tenants,
  FOREIGN KEY (tenant_id, segment_id) REFERENCES stratum.cdp_segments (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, profile_id) REFERENCES stratum.cdp_profiles (tenant_id, id) ON DELETE CASCADE);

INSERT INTO bench.contestants (section, item, contestant, statement, answer)
VALUES ('refresh', 'evaluation', 'sql', 'a query for each of the sample, times segments / sample', ''),
       ('refresh', 'evaluation', 'evaluation', 'bench.evaluation()', ''),
       ('refresh', 'refresh', 'sql_insert', 'an INSERT for each of the sample, times segments / sample', ''),
       ('refresh', 'refresh', 'first_refresh', 'stratum.refresh_segments()', ''),
       ('refresh', 'refresh', 'same_again', 'stratum.refresh_segments()', ''),
       ('refresh', 'refresh', 'one_per_cent', 'stratum.refresh_segments()', '');

CREATE PROCEDURE bench.note(of_contestant text, round integer, ms double precision) LANGUAGE sql AS $$
  INSERT INTO bench.timings
  SELECT section, item, contestant, round, ms FROM bench.contestants WHERE section = 'refresh' AND contestant = of_contestant
$$;

CREATE PROCEDURE bench.time_sample(of_contestant text, template text, round integer) LANGUAGE plpgsql AS $$
DECLARE
  ms double precision;
  parts double precision;   -- how many samples all the segments are
BEGIN
  SELECT count(*)::float8 / count(*) FILTER (WHERE in_sample) INTO parts FROM bench.definitions;
  SELECT sum(bench.milliseconds(format(template, ids, sql))) INTO ms FROM bench.definitions WHERE in_sample;
  CALL bench.note(of_contestant, round, ms * parts);
END $$;

CREATE PROCEDURE bench.time_inserts() LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM stratum.cdp_profiles FOR KEY SHARE;
  CALL bench.time_sample('sql_insert',
    'INSERT INTO bench.memberships (tenant_id, segment_id, profile_id)
     SELECT tenant_id, (%L::integer[])[tenant_id], id FROM stratum.cdp_profiles WHERE %s', 1);
END $$;

CREATE PROCEDURE bench.time_evaluation(round integer) LANGUAGE plpgsql AS $$
DECLARE
  ms double precision := 0;
  t record;
BEGIN
  FOR t IN SELECT tenant_id AS id, array_agg(id::bigint ORDER BY id) AS ids, array_agg(conditions ORDER BY id) AS definitions
           FROM stratum.cdp_segments GROUP BY tenant_id ORDER BY tenant_id LOOP
    ms := ms + bench.milliseconds(bench.evaluation(t.id, t.ids, t.definitions));
  END LOOP;
  CALL bench.note('evaluation', round, ms);
END $$;

-- A transaction for each tenant, as an application or refresh_all_segments() has it.
CREATE PROCEDURE bench.time_refresh(of_contestant text, round integer) LANGUAGE plpgsql AS $$
DECLARE
  ms double precision := 0;
  started timestamptz;
  total record;
BEGIN
  FOR tenant IN 1 .. 10 LOOP
    PERFORM stratum.enter(tenant);
    started := clock_timestamp();
    SELECT sum(profile_count) AS members, sum(added) AS added, sum(removed) AS removed INTO total FROM stratum.refresh_segments();
    COMMIT;
    ms := ms + 1000 * extract(epoch FROM clock_timestamp() - started);
    INSERT INTO bench.changes VALUES (of_contestant, round, total.members, total.added, total.removed);
  END LOOP;
  CALL bench.note(of_contestant, round, ms);
END $$;

CREATE PROCEDURE bench.compare_counts(what text, number integer, members bigint, query text) LANGUAGE plpgsql AS $$
DECLARE
  expected text := bench.answer(query);
BEGIN
  IF members::text IS DISTINCT FROM expected THEN
    RAISE EXCEPTION '%: % members of segment % in tenant 7, but SQL finds %', what, members, number, expected;
  END IF;
END $$;

-- Ordered by size (in tenant 7, as evaluated) every twentieth (of 1000) is taken, so that the sample has small ones and
-- large ones as all of them have.
CREATE PROCEDURE bench.choose_sample() LANGUAGE sql AS $$
  WITH a AS MATERIALIZED (
    SELECT array_agg(ids[7]::bigint ORDER BY number) AS ids, array_agg(conditions ORDER BY number) AS definitions FROM bench.definitions
  ), e AS MATERIALIZED (
    SELECT e.* FROM a CROSS JOIN LATERAL bench.members(7, a.ids, a.definitions) e
  ), o AS (
    SELECT d.number, coalesce(e.members, 0) AS members, greatest(count(*) OVER () / 50, 1) AS step,
           row_number() OVER (ORDER BY coalesce(e.members, 0), d.number) AS place
    FROM bench.definitions d LEFT JOIN e ON e.id = d.ids[7]
  )
  UPDATE bench.definitions d
  SET members = o.members, in_sample = o.place % o.step = o.step / 2
  FROM o WHERE o.number = d.number
$$;

-- Tenant 7's members of the sample: what the evaluation finds, and SQL in the same transaction.
CREATE PROCEDURE bench.check_evaluation() LANGUAGE plpgsql AS $$
DECLARE
  checked record;
BEGIN
  CALL bench.choose_sample();
  FOR checked IN SELECT * FROM bench.definitions WHERE in_sample LOOP
    CALL bench.compare_counts('evaluation', checked.number, checked.members,
      'SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 7 AND ' || checked.sql);
  END LOOP;
END $$;

-- What is stored, against SQL at the time of the refresh.
CREATE PROCEDURE bench.check_memberships(what text) LANGUAGE plpgsql AS $$
DECLARE
  checked record;
BEGIN
  FOR checked IN
    SELECT d.number, s.profile_count,
           replace(d.sql, 'now()', quote_literal(s.last_computed_at) || '::timestamptz') AS sql,
           (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.tenant_id = 7 AND m.segment_id = s.id) AS members
    FROM bench.definitions d JOIN stratum.cdp_segments s ON s.id = d.ids[7]
    WHERE d.in_sample
  LOOP
    CALL bench.compare_counts(what, checked.number, checked.members, 'SELECT count(*) FROM stratum.cdp_profiles WHERE tenant_id = 7 AND ' || checked.sql);
    CALL bench.compare_counts(what || ', profile_count', checked.number, checked.profile_count, 'SELECT ' || checked.members);
  END LOOP;
END $$;

CREATE PROCEDURE bench.change_traits(part integer) LANGUAGE sql AS $$
  UPDATE stratum.cdp_profiles
  SET traits = traits || jsonb_build_object('ltv', id % 2000, 'orders', id % 40, 'plan', (ARRAY['free', 'basic', 'pro'])[1 + id % 3],
                                            'last_order_at', bench.iso(bench.today() - id % 100 * interval '1 day'))
  WHERE abs(hashint4(id)::bigint) % 100 = part
$$;

CALL bench.check_evaluation();
SELECT format('CALL bench.time_sample(''sql'', %L, %s); CALL bench.time_evaluation(%s)',
              'SELECT count(*) FROM stratum.cdp_profiles WHERE %2$s', round, round)
FROM generate_series(1, :few_rounds) round \gexec

CALL bench.time_inserts();
DROP TABLE bench.memberships;

CALL bench.time_refresh('first_refresh', 1);
CALL bench.check_memberships('first refresh');
VACUUM (ANALYZE) stratum.cdp_segment_memberships, stratum.cdp_segments;
CALL bench.warm('{stratum.cdp_segment_memberships}');
SELECT s.statement
FROM generate_series(1, :few_rounds) round
  CROSS JOIN LATERAL (VALUES
    (1, format('CALL bench.time_refresh(''same_again'', %s)', round)),
    (2, format('CALL bench.change_traits(%s)', round)),
    (3, 'VACUUM (ANALYZE) stratum.cdp_profiles'),
    (4, format('CALL bench.time_refresh(''one_per_cent'', %s)', round)),
    (5, 'CALL bench.check_memberships(''refresh after a change'')'),
    (6, 'VACUUM stratum.cdp_segment_memberships, stratum.cdp_segments')) s (step, statement)
ORDER BY round, s.step
\gexec

\echo 'All tenants together (sql, sql_insert: from a sample of 50 segments; its members are those that SQL finds, after each step)'
SELECT r.contestant, round(r.ms / 1000, 2) AS seconds, r.rounds,
       bench.rounded(1e6 * r.ms::float8 / (:profiles::float8 * :segments)) AS "ns per segment and profile",
       CASE WHEN r.item = 'refresh' THEN round((r.ms / e.ms), 2) END AS "to evaluation",
       c.members, c.added, c.removed, round(c.added / r.ms * 1000)::bigint AS "added per second"
FROM (SELECT place, item, contestant, rounds, ms::numeric AS ms FROM bench.results WHERE section = 'refresh') r
  CROSS JOIN (SELECT ms::numeric AS ms FROM bench.results WHERE section = 'refresh' AND contestant = 'evaluation') e
  LEFT JOIN (SELECT contestant, sum(members) AS members, sum(added) AS added, sum(removed) AS removed
             FROM bench.changes WHERE round = 1 GROUP BY contestant) c USING (contestant)
ORDER BY r.place;
SELECT round((max(ms) FILTER (WHERE contestant = 'sql') / max(ms) FILTER (WHERE contestant = 'evaluation'))::numeric, 1) AS "sql : evaluation",
       round((max(ms) FILTER (WHERE contestant = 'sql_insert') / max(ms) FILTER (WHERE contestant = 'first_refresh'))::numeric, 1) AS "sql_insert : first_refresh",
       (SELECT round(100.0 * sum(members) / (:profiles::float8 * :segments)::numeric, 1) FROM bench.changes
        WHERE contestant = 'first_refresh') AS "average segment, per cent",
       (SELECT round(100.0 * avg(members) / (:profiles / 10.0), 1) FROM bench.definitions WHERE in_sample) AS "in the sample"
FROM bench.results WHERE section = 'refresh';
