-- What it costs that every change of a campaign is recorded: 100,000 campaigns (fewer with fewer profiles) of 38 columns, 8 of
-- them jsonb, in stratum.campaigns with its documented indexes, references and mixin, which all contestants have.
--
--   none         the audit triggers are disabled
--   stratum      the audit triggers, as installed: entries in stratum.audit_logs with its five documented indexes and that of requests
--   row_trigger  a row-level plpgsql trigger in the manner of supa_audit: looks the key's columns up, makes to_jsonb of the old
--                and the new row and a UUID of the key, inserts them into a table like its audit.record_version with the same
--                indexes. Cheaper than the original in one thing: the UUID is made by md5(), which is built in
--
--   INSERT, UPDATE, DELETE   one statement over all of them; UPDATE adds to two integers of each (the metrics follow)
--   one row                  a prepared UPDATE of one of them by its key, one client, a transaction each: pgbench
--                            floor    nothing is found out, and a finished row written by the same statement into a table like audit_logs with its
--                                     indexes, without triggers and references: what a record of the change costs, whoever makes it
--   sealed                   the same by four clients, all rows of one tenant, whose trail is sealed five times a second meanwhile
--                            recorded  the trail is not sealed, nor is the floor
--
-- Fair: the same statements on the same rows, in turns. In each round everything is emptied and filled anew, for one contestant after the
-- other. After each statement the entries must be as many as rows, and after the INSERT stratum's new_values must be to the
-- byte the rows that the row trigger recorded.
\echo
\echo '== audit: what recording costs'
SELECT least(:profiles, 100000) AS campaigns, least(:profiles / 10, 4000) AS single_updates \gset

SELECT setseed(0.5) \g /dev/null
CREATE UNLOGGED TABLE bench.campaigns AS
SELECT i AS id, 1 + i % 10 AS tenant_id, (enum_range(NULL::stratum.ad_platform))[1 + i % 4] AS platform, 'ext-' || i AS external_id,
       'act_' || (i % 50) AS account_id, 'Campaign ' || i || ' spring' AS name,
       (enum_range(NULL::stratum.campaign_status))[1 + i % 3] AS status, 'CONVERSIONS' AS objective,
       (random() * 100000)::int AS daily_budget_cents, NULL::int AS lifetime_budget_cents, (random() * 5000000)::int AS total_spend_cents,
       'USD' AS currency, 1000000 + (random() * 3000000)::int AS impressions, 1000 + (random() * 60000)::int AS clicks,
       100 + (random() * 1500)::int AS conversions, (random() * 20000000)::int AS revenue_cents,
       18 + i % 10 AS targeting_age_min, 45 + i % 20 AS targeting_age_max,
       '["male", "female"]'::jsonb AS targeting_genders, jsonb_build_array('US', 'DE', 'city-' || i % 400) AS targeting_locations,
       jsonb_build_array('sports', 'music', 'i' || i % 70) AS targeting_interests,
       jsonb_build_object('18-24', i % 30, '25-34', i % 40, '35-44', i % 20) AS demographics_age,
       jsonb_build_object('male', i % 60, 'female', i % 40) AS demographics_gender,
       jsonb_build_object('US', i % 70, 'DE', i % 30) AS demographics_location,
       date '2026-01-01' + i % 90 AS start_date, date '2026-06-01' + i % 90 AS end_date, jsonb_build_array('label-' || i % 20) AS labels,
       jsonb_build_object('id', 'ext-' || i, 'effective_status', 'ACTIVE', 'bid', i % 500, 'pacing', jsonb_build_array('standard')) AS raw_data,
       timestamptz '2026-01-01 UTC' + i * interval '1 minute' AS last_synced_at,
       timestamptz '2025-01-01 UTC' + i * interval '1 minute' AS created_at, timestamptz '2025-01-01 UTC' + i * interval '1 minute' AS updated_at
FROM generate_series(1, :campaigns) i;
VACUUM (FREEZE, ANALYZE) bench.campaigns;

-- ---- the row trigger -------------------------------------------------------------------------------------------

CREATE TABLE bench.row_versions (
  id bigserial PRIMARY KEY,
  record_id uuid,
  old_record_id uuid,
  op text NOT NULL,
  ts timestamptz NOT NULL DEFAULT now(),
  table_oid oid NOT NULL,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  record jsonb,
  old_record jsonb,
  CHECK (coalesce(record_id, old_record_id) IS NOT NULL OR op = 'TRUNCATE'),
  CHECK (op IN ('INSERT', 'UPDATE') OR record_id IS NULL),
  CHECK (op IN ('UPDATE', 'DELETE') OR old_record_id IS NULL));
CREATE INDEX ON bench.row_versions USING brin (ts);
CREATE INDEX ON bench.row_versions (table_oid);
CREATE INDEX ON bench.row_versions (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX ON bench.row_versions (old_record_id) WHERE old_record_id IS NOT NULL;

CREATE FUNCTION bench.key_columns(entity oid) RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
  SELECT coalesce(array_agg(a.attname::text ORDER BY a.attname), '{}')
  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = entity AND i.indisprimary
$$;

CREATE FUNCTION bench.record_id(entity oid, key_columns text[], record jsonb) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN record IS NOT NULL THEN
    md5((SELECT jsonb_build_array(to_jsonb(entity)) || jsonb_agg(record ->> k.name) FROM unnest(key_columns) k (name))::text)::uuid END
$$;

CREATE FUNCTION bench.record_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = bench, pg_catalog AS $$
DECLARE
  key_columns text[] := bench.key_columns(tg_relid);
  new_record jsonb := to_jsonb(new);
  old_record jsonb := to_jsonb(old);
BEGIN
  INSERT INTO bench.row_versions (record_id, old_record_id, op, table_oid, table_schema, table_name, record, old_record)
  SELECT bench.record_id(tg_relid, key_columns, new_record), bench.record_id(tg_relid, key_columns, old_record), tg_op,
         tg_relid, tg_table_schema, tg_table_name, new_record, old_record;
  RETURN coalesce(new, old);
END $$;
CREATE TRIGGER bench_row_trigger AFTER INSERT OR UPDATE OR DELETE ON stratum.campaigns
  FOR EACH ROW EXECUTE FUNCTION bench.record_version();

-- ---- the turns -------------------------------------------------------------------------------------------------

-- From here on the contestant's triggers are on and the others' off.
CREATE PROCEDURE bench.record_by(contestant text) LANGUAGE plpgsql AS $$
DECLARE
  g record;
BEGIN
  FOR g IN SELECT tgname AS name, CASE WHEN tgname LIKE 'zz\_stratum\_audit%' THEN 'stratum' ELSE 'row_trigger' END AS owner
           FROM pg_trigger WHERE tgrelid = 'stratum.campaigns'::regclass AND (tgname LIKE 'zz\_stratum\_audit%' OR tgname = 'bench_row_trigger') LOOP
    EXECUTE format('ALTER TABLE stratum.campaigns %s TRIGGER %I', CASE WHEN g.owner = contestant THEN 'ENABLE' ELSE 'DISABLE' END, g.name);
  END LOOP;
END $$;

CREATE TABLE bench.floor_log (LIKE stratum.audit_logs INCLUDING DEFAULTS INCLUDING INDEXES);

CREATE PROCEDURE bench.empty_logs() LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER;
  TRUNCATE stratum.audit_logs, bench.row_versions, bench.floor_log;
  ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER;
END $$;

CREATE FUNCTION bench.entries(contestant text) RETURNS bigint LANGUAGE sql AS $$
  SELECT CASE contestant WHEN 'stratum' THEN (SELECT count(*) FROM stratum.audit_logs)
                         WHEN 'row_trigger' THEN (SELECT count(*) FROM bench.row_versions)
                         WHEN 'floor' THEN (SELECT count(*) FROM bench.floor_log) ELSE 0 END
$$;

CREATE FUNCTION bench.recorded(contestant text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE contestant WHEN 'stratum' THEN (SELECT count(*) || ' ' || sum(hashtextextended(new_values::text, 0)) FROM stratum.audit_logs)
                         ELSE (SELECT count(*) || ' ' || sum(hashtextextended(record::text, 0)) FROM bench.row_versions) END
$$;

INSERT INTO bench.contestants (section, item, contestant, statement, answer)
SELECT 'audit', item, contestant, statement, NULL
FROM (VALUES
  (1, 'INSERT', format('INSERT INTO stratum.campaigns (%1$s) SELECT %1$s FROM bench.campaigns',
                (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'bench.campaigns'::regclass AND attnum > 0))),
  (2, 'UPDATE', 'UPDATE stratum.campaigns SET impressions = impressions + 1000, clicks = clicks + 7'),
  (3, 'DELETE', 'DELETE FROM stratum.campaigns'),
  (4, 'one row', 'UPDATE stratum.campaigns SET impressions = impressions + 1000, clicks = clicks + 7 WHERE id = $1')) i (i, item, statement),
  (VALUES (1, 'none'), (2, 'stratum'), (3, 'row_trigger'), (4, 'floor')) c (c, contestant)
WHERE contestant <> 'floor' OR item = 'one row'
ORDER BY i, c;

-- One contestant's three statements, each in a transaction of its own.
CREATE PROCEDURE bench.audit_turn(of_contestant text, round integer, campaigns integer) LANGUAGE plpgsql AS $$
DECLARE
  c record;
  ms double precision;
  before bigint := 0;
  recorded text;
BEGIN
  CALL bench.record_by('nobody');
  TRUNCATE stratum.campaigns;
  CALL bench.empty_logs();
  CALL bench.record_by(of_contestant);
  COMMIT;
  FOR c IN SELECT * FROM bench.contestants WHERE section = 'audit' AND contestant = of_contestant AND item <> 'one row' ORDER BY place LOOP
    ms := bench.milliseconds(c.statement);
    IF round > 0 THEN
      INSERT INTO bench.timings VALUES ('audit', c.item, of_contestant, round, ms);
    END IF;
    IF of_contestant <> 'none' AND bench.entries(of_contestant) - before <> campaigns THEN
      RAISE EXCEPTION '% of % rows has made % entries by %', c.item, campaigns, bench.entries(of_contestant) - before, of_contestant;
    END IF;
    before := bench.entries(of_contestant);
    IF c.item = 'INSERT' AND of_contestant <> 'none' THEN
      UPDATE bench.contestants b SET answer = bench.recorded(of_contestant)
      WHERE b.section = 'audit' AND b.item = c.item AND b.contestant = of_contestant;
    END IF;
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE bench.audit_rounds(rounds integer, campaigns integer) LANGUAGE plpgsql AS $$
DECLARE
  name text;
BEGIN
  -- Round 0 warms up. The row trigger takes so long that it is measured three times at most.
  FOR round IN 0 .. rounds LOOP
    FOREACH name IN ARRAY '{none,stratum,row_trigger}'::text[] LOOP
      CONTINUE WHEN name = 'row_trigger' AND round NOT BETWEEN 1 AND 3;
      CALL bench.audit_turn(name, round, campaigns);
    END LOOP;
    IF round = 1 AND (SELECT count(DISTINCT answer) FROM bench.contestants WHERE section = 'audit' AND item = 'INSERT') <> 1 THEN
      RAISE EXCEPTION 'the INSERT was recorded differently: %',
        (SELECT string_agg(contestant || ': ' || answer, '; ') FROM bench.contestants WHERE section = 'audit' AND item = 'INSERT');
    END IF;
  END LOOP;
END $$;
CALL bench.audit_rounds(:rounds, :campaigns);

-- ---- one row ---------------------------------------------------------------------------------------------------

CALL bench.record_by('nobody');
TRUNCATE stratum.campaigns;
CALL bench.empty_logs();
SELECT statement AS insert FROM bench.contestants WHERE section = 'audit' AND item = 'INSERT' LIMIT 1 \gset
:insert;
VACUUM (FREEZE, ANALYZE) stratum.campaigns;
\setenv rounds :rounds
\setenv campaigns :campaigns
\setenv updates :single_updates
\! "$bench_directory/audit_one_row"
SELECT count(*) <> 4 * :rounds AS failed FROM bench.timings WHERE section = 'audit' AND item = 'one row' \gset
\if :failed
DO $$ BEGIN RAISE EXCEPTION 'bench/audit_one_row has not measured'; END $$;
\endif
DO $$
DECLARE
  wrong text;
BEGIN
  SELECT string_agg(DISTINCT format('%s entries by %s', e.n, e.by), ', ') INTO wrong
  FROM (VALUES ('stratum', bench.entries('stratum')), ('row_trigger', bench.entries('row_trigger')), ('floor', bench.entries('floor'))) e (by, n)
  WHERE e.n <> (SELECT updates FROM bench.one_row);
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'of % updates of one row: %', (SELECT updates FROM bench.one_row), wrong;
  END IF;
END $$;

-- ---- what came of it -------------------------------------------------------------------------------------------

\echo 'Median of' :rounds 'alternating rounds;' :campaigns 'campaigns, one row: a transaction'
WITH t AS (
  SELECT item, min(place) AS place,
         max(ms::numeric) FILTER (WHERE contestant = 'none') AS none,
         max(ms::numeric) FILTER (WHERE contestant = 'stratum') AS stratum,
         max(ms::numeric) FILTER (WHERE contestant = 'row_trigger') AS row_trigger,
         max(ms::numeric) FILTER (WHERE contestant = 'floor') AS floor
  FROM bench.results WHERE section = 'audit' GROUP BY item
)
SELECT item, round(none, 3) AS "none, ms", round(stratum, 3) AS "stratum, ms", round(row_trigger, 3) AS "row_trigger, ms",
       round(floor, 3) AS "floor, ms", round(stratum / none, 2) AS "stratum : none", round(row_trigger / none, 2) AS "row_trigger : none",
       round(floor / none, 2) AS "floor : none",
       round((row_trigger - none) / nullif(greatest(stratum - none, 0), 0), 1) AS "dearer to record by row_trigger, times",
       CASE WHEN item <> 'one row' THEN round(stratum * 1000 / :campaigns, 1) END AS "stratum, µs a row"
FROM t ORDER BY place;
SELECT round(avg(pg_column_size(old_values))) AS "bytes of an update's old_values",
       (SELECT round(avg(length(record::text))) FROM bench.row_versions) AS "characters of a whole row as jsonb"
FROM stratum.audit_logs;

-- ---- seals -----------------------------------------------------------------------------------------------------

INSERT INTO bench.contestants (section, item, contestant, statement, answer)
SELECT 'audit', 'sealed', c, (SELECT statement FROM bench.contestants WHERE section = 'audit' AND item = 'one row' LIMIT 1), NULL
FROM unnest('{none,recorded,stratum,floor}'::text[]) c;
CALL bench.record_by('stratum');
UPDATE stratum.campaigns SET impressions = impressions + 1000;
UPDATE stratum.campaigns SET impressions = impressions - 1000;
-- as autovacuum does, which is off here
ANALYZE stratum.audit_logs;
SELECT count(*) AS first_entries FROM stratum.audit_logs WHERE tenant_id = 1 \gset
SELECT bench.milliseconds('SELECT stratum.seal_audit(1)') AS ms \gset
SELECT bench.milliseconds('SELECT * FROM stratum.verify_audit(1)') AS verify_ms \gset
SELECT :first_entries AS "entries of a tenant", round((:ms * 1000 / :first_entries)::numeric, 1) AS "µs to seal one", round((:verify_ms * 1000 / :first_entries)::numeric, 1) AS "µs to verify one";
\! "$bench_directory/audit_sealed"
SELECT count(*) <> 4 * :rounds AS failed FROM bench.timings WHERE section = 'audit' AND item = 'sealed' \gset
\if :failed
DO $$ BEGIN RAISE EXCEPTION 'bench/audit_sealed has not measured'; END $$;
\endif
DO $$ BEGIN
  IF EXISTS (SELECT FROM stratum.verify_audit(1)) THEN RAISE EXCEPTION 'the chain is not whole'; END IF;
END $$;
WITH t AS (
  SELECT max(ms::numeric) FILTER (WHERE contestant = 'none') AS none, max(ms::numeric) FILTER (WHERE contestant = 'stratum') AS stratum,
         max(ms::numeric) FILTER (WHERE contestant = 'recorded') AS recorded, max(ms::numeric) FILTER (WHERE contestant = 'floor') AS floor
  FROM bench.results WHERE section = 'audit' AND item = 'sealed')
SELECT round(none, 3) AS "none, ms", round(recorded, 3) AS "recorded, ms", round(stratum, 3) AS "recorded and sealed, ms", round(floor, 3) AS "floor, ms",
       round(recorded / none, 2) AS "recorded : none", round(stratum / none, 2) AS "sealed : none", round(floor / none, 2) AS "floor : none"
FROM t;

DROP TRIGGER bench_row_trigger ON stratum.campaigns;
CALL bench.record_by('stratum');
DROP TABLE bench.campaigns, bench.row_versions, bench.floor_log;
-- Other sections add campaigns too.
SELECT setval('stratum.campaigns_id_seq', (SELECT max(id) FROM stratum.campaigns)) \g /dev/null
