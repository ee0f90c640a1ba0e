-- Selective segments, where an index pays: 0.1 %, 1 % and 10 % of the profiles, and an OR.
--
--   scan      hand-written SQL, every profile looked at: what there is without an index
--   contains  hand-written with @>, which a GIN index on traits serves
--   matches   stratum.segment_matches(conditions, traits): whatever the planner makes of it
--
-- for three indexes, one at a time: the documented GIN (traits); GIN (traits jsonb_path_ops), smaller and more exact;
-- GIN (tenant_id, traits jsonb_path_ops) with btree_gin, which row security can use (section tenant).
-- Fair: the definition is a literal, as are the other conditions; each but `scan` may use the index, and the last table
-- says who did. Then, what each index costs who writes.
\echo
\echo '== index: selective segments, with an index'

\ir selective.sql

CREATE PROCEDURE bench.compare_index(index text, rounds integer) LANGUAGE plpgsql AS $$
BEGIN
  CALL bench.warm('{stratum.cdp_profiles}');
  INSERT INTO bench.contestants (section, item, contestant, statement, settings)
  SELECT 'index', index || ': ' || s.name, c.contestant,
         'SELECT count(*) FROM stratum.cdp_profiles p WHERE ' || c.test, c.settings
  FROM bench.selective_segments() s
    CROSS JOIN LATERAL (VALUES
      (1, 'scan', s.sql, '{"enable_bitmapscan": "off", "enable_indexscan": "off"}'::jsonb),
      (2, 'contains', s.contains, '{}'),
      (3, 'matches', format('stratum.segment_matches(%L, p.traits)', s.conditions), '{}')) c (place, contestant, test, settings)
  ORDER BY s.name, c.place;
  CALL bench.run('index', rounds);
END $$;

CALL bench.compare_index('GIN (traits)', :rounds);
SELECT pg_get_indexdef('stratum.ix_profiles_traits'::regclass) AS traits_index,
       pg_size_pretty(pg_relation_size('stratum.ix_profiles_traits')) AS size_1 \gset
DROP INDEX stratum.ix_profiles_traits;

CREATE INDEX path_ops ON stratum.cdp_profiles USING gin (traits jsonb_path_ops);
CALL bench.compare_index('path_ops', :rounds);
SELECT pg_size_pretty(pg_relation_size('stratum.path_ops')) AS size_2 \gset
DROP INDEX stratum.path_ops;

CREATE INDEX tenant_path_ops ON stratum.cdp_profiles USING gin (tenant_id, traits jsonb_path_ops);
CALL bench.compare_index('tenant, path_ops', :rounds);
SELECT pg_size_pretty(pg_relation_size('stratum.tenant_path_ops')) AS size_3 \gset
DROP INDEX stratum.tenant_path_ops;
:traits_index;

\set section index
\set baseline scan
\set plans true
\ir report.sql

-- ---- what an index costs who writes ---------------------------------------------------------------
-- Copies of the profiles' table with its own indexes, but for the GIN index, which differs; no triggers, so that the
-- index stands out. A tenth of the profiles are in it; as many again are inserted, a fifth of those get other traits, and
-- outside of the clock they are removed again.

CREATE PROCEDURE bench.make_copy(name text, gin_columns text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE bench.%I (LIKE stratum.cdp_profiles INCLUDING ALL)', name);
  EXECUTE format('DROP INDEX bench.%I', (SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = format('bench.%I', name)::regclass AND pg_get_indexdef(c.oid) LIKE '% USING gin %'));
  EXECUTE format('INSERT INTO bench.%I SELECT * FROM stratum.cdp_profiles WHERE tenant_id = 1', name);
  IF gin_columns IS NOT NULL THEN
    EXECUTE format('CREATE INDEX ON bench.%I USING gin (%s)', name, gin_columns);
  END IF;
  INSERT INTO bench.contestants (section, item, contestant, statement)
  SELECT 'index_writes', w.item, name, format(w.statement, name)
  FROM (VALUES
    ('insert', 'INSERT INTO bench.%I SELECT * FROM stratum.cdp_profiles WHERE tenant_id = 2'),
    ('update', $sql$ UPDATE bench.%I SET traits = traits || '{"orders": 41}' WHERE tenant_id = 2 AND id %% 50 < 10 $sql$))
    w (item, statement);
END $$;

CREATE PROCEDURE bench.time_writes(of_item text, of_contestant text, of_round integer) LANGUAGE sql AS $$
  INSERT INTO bench.timings
  SELECT section, item, contestant, of_round, bench.milliseconds(statement)
  FROM bench.contestants WHERE section = 'index_writes' AND item = of_item AND contestant = of_contestant
$$;

CALL bench.make_copy('no_gin', NULL);
CALL bench.make_copy('gin_traits', 'traits');
CALL bench.make_copy('path_ops', 'traits jsonb_path_ops');
CALL bench.make_copy('tenant_path_ops', 'tenant_id, traits jsonb_path_ops');
VACUUM (FREEZE, ANALYZE) bench.no_gin, bench.gin_traits, bench.path_ops, bench.tenant_path_ops;
CALL bench.warm('{bench.no_gin,bench.gin_traits,bench.path_ops,bench.tenant_path_ops}');

-- VACUUM cannot be called by a procedure, so psql runs the list.
SELECT s.statement
FROM generate_series(1, least(:rounds, 5)) round
  CROSS JOIN (SELECT DISTINCT contestant, min(place) OVER (PARTITION BY contestant) AS place
              FROM bench.contestants WHERE section = 'index_writes') c
  CROSS JOIN LATERAL (VALUES
    (1, format('CALL bench.time_writes(''insert'', %L, %s)', c.contestant, round)),
    (2, format('CALL bench.time_writes(''update'', %L, %s)', c.contestant, round)),
    (3, format('DELETE FROM bench.%I WHERE tenant_id = 2', c.contestant)),
    (4, format('VACUUM bench.%I', c.contestant))) s (step, statement)
ORDER BY round, c.place, s.step
\gexec

\echo 'Writing: milliseconds (and how many times those without a GIN index)'
SELECT format(CASE item WHEN 'insert' THEN 'insert %s profiles' ELSE 'update the traits of %s profiles' END, n.n) AS item,
       contestant,
       format('%s (x %s)', bench.rounded(ms), bench.rounded(ms / max(ms) FILTER (WHERE contestant = 'no_gin') OVER (PARTITION BY item))) AS ms,
       place
FROM bench.results
  CROSS JOIN LATERAL (SELECT count(*) AS n FROM stratum.cdp_profiles
                      WHERE tenant_id = 2 AND (item = 'insert' OR id % 50 < 10)) n
WHERE section = 'index_writes'
ORDER BY item, place
\crosstabview item contestant ms place

\echo 'Size of the index over all profiles: GIN (traits)' :size_1 ', path_ops' :size_2 ', tenant with path_ops' :size_3
DROP TABLE bench.no_gin, bench.gin_traits, bench.path_ops, bench.tenant_path_ops;
