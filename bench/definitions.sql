-- :segments definitions as a marketing department would write them, the same at each run but for dates, with 1 to 6
-- conditions over the traits of profiles.sql; and the SQL that one would write by hand for each of them.

CREATE FUNCTION bench.dice(sides integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT floor(random() * sides)::integer';

CREATE FUNCTION bench.pick(choices text[]) RETURNS text LANGUAGE sql VOLATILE AS
  'SELECT choices[1 + bench.dice(cardinality(choices))]';

-- n to 2n - 1 values like City17 in JSON; most of them differ.
CREATE FUNCTION bench.pick_some(prefix text, numbers integer, n integer) RETURNS jsonb LANGUAGE sql VOLATILE AS
  'SELECT jsonb_agg(DISTINCT prefix || bench.dice(numbers)) FROM generate_series(1, n + bench.dice(n))';

CREATE FUNCTION bench.condition(trait text, operator text, value anyelement) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
  $$ SELECT jsonb_build_object('field', 'trait.' || trait, 'operator', operator, 'value', value) $$;

-- True of a few per cent of the profiles.
CREATE FUNCTION bench.narrow_condition() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN CASE bench.dice(8)
    WHEN 0 THEN bench.condition('store', 'equals', 's' || bench.dice(100))
    WHEN 1 THEN bench.condition('store', 'in', bench.pick_some('s', 100, 2))
    WHEN 2 THEN bench.condition('address.city', 'in', bench.pick_some('City', 400, 8))
    WHEN 3 THEN bench.condition('cohort', 'in', bench.pick_some('c', 1000, 20))
    WHEN 4 THEN bench.condition('utm_campaign', 'in', bench.pick_some('camp-', 300, 6))
    WHEN 5 THEN bench.condition('last_order_at', 'within_last', 3 + bench.dice(18))
    WHEN 6 THEN bench.condition('ltv', 'greater_than', 1600 + 10 * bench.dice(35))
    ELSE bench.condition('orders', 'greater_or_equal', 36 + bench.dice(4))
  END;
END $$;

-- True of some 10 to 50 per cent.
CREATE FUNCTION bench.broad_condition() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  n integer := bench.dice(100);
BEGIN
  RETURN CASE bench.dice(18)
    WHEN 0 THEN bench.condition('country', 'equals', bench.pick('{US,DE,FR,GB,BR,IN,JP,ES}'))
    WHEN 1 THEN bench.condition('country', 'in', to_jsonb(ARRAY['DE', bench.pick('{FR,GB}'), bench.pick('{JP,ES}')]))
    WHEN 2 THEN bench.condition('plan', 'equals', bench.pick('{free,basic,pro,enterprise}'))
    WHEN 3 THEN bench.condition('plan', 'starts_with', bench.pick('{ent,pro,ba}'))
    WHEN 4 THEN bench.condition('ltv', 'greater_than', 200 + 10 * n)
    WHEN 5 THEN bench.condition('ltv', 'between', to_jsonb(ARRAY[10 * n, 10 * n + 300]))
    WHEN 6 THEN bench.condition('orders', 'greater_or_equal', 5 + n / 4)
    WHEN 7 THEN bench.condition('aov', 'less_than', 20 + n)
    WHEN 8 THEN bench.condition('company', 'contains', bench.pick('{soft,Retail,foods,media,logi}'))
    WHEN 9 THEN bench.condition('company', 'starts_with', bench.pick('{acme,Globex,stark,Way}'))
    WHEN 10 THEN bench.condition('last_order_at', 'within_last', 30 + n)
    WHEN 11 THEN bench.condition('last_login_at', 'within_last', 7 + n / 3)
    WHEN 12 THEN bench.condition('last_order_at', 'before', bench.iso(bench.today() - (200 + n) * interval '1 day'))
    WHEN 13 THEN bench.condition('tags', 'contains', bench.pick('{vip,sale,b2b,trial,beta}'))
    WHEN 14 THEN bench.condition('language', 'equals', bench.pick('{en,de,fr,es,pt}'))
    WHEN 15 THEN bench.condition('score', 'greater_or_equal', 40 + n / 2)
    WHEN 16 THEN bench.condition('birth_year', 'between', to_jsonb(ARRAY[1950 + n / 3, 1962 + n / 3]))
    ELSE bench.condition('newsletter', 'equals', true)
  END;
END $$;

CREATE FUNCTION bench.conditions(n integer, narrow integer DEFAULT 0) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_agg(CASE WHEN i <= narrow THEN bench.narrow_condition() ELSE bench.broad_condition() END)
  FROM generate_series(1, n) i
$$;

CREATE FUNCTION bench.definition() RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  n integer := 1 + bench.dice(6);
BEGIN
  RETURN CASE
    WHEN n <= 2 THEN jsonb_build_object('conditions', bench.conditions(n, 1))
    WHEN n = 3 THEN jsonb_build_object('logic', 'and', 'conditions', bench.conditions(3))
    WHEN bench.dice(2) = 0 THEN     -- all of some, and one of two
      jsonb_build_object('logic', 'and', 'conditions', bench.conditions(n - 2), 'groups', jsonb_build_array(
        jsonb_build_object('logic', 'or', 'conditions', bench.conditions(2))))
    ELSE                            -- one of two groups
      jsonb_build_object('logic', 'or', 'groups', jsonb_build_array(
        jsonb_build_object('logic', 'and', 'conditions', bench.conditions(n / 2, n % 2)),
        jsonb_build_object('logic', 'and', 'conditions', bench.conditions(n - n / 2))))
  END;
END $$;

-- The hand-written twin of a condition, as far as the functions above use the language.
CREATE FUNCTION bench.sql_of_condition(condition jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  operator text := condition->>'operator';
  path text[] := (string_to_array(condition->>'field', '.'))[2:];
  value jsonb := condition->'value';
  word text := value #>> '{}';
  json text := 'traits' || CASE cardinality(path) WHEN 1 THEN '' ELSE format('->%L', path[1]) END;
  plain text := format('%s->>%L', json, path[cardinality(path)]);
BEGIN
  RETURN CASE
    WHEN operator = 'equals' AND jsonb_typeof(value) = 'boolean' THEN format('(%s)::boolean', plain)
    WHEN operator = 'equals' THEN format('%s = %L', plain, word)
    WHEN operator = 'in' THEN format('%s = ANY (%L::text[])', plain, ARRAY(SELECT jsonb_array_elements_text(value)))
    WHEN operator = 'greater_than' THEN format('(%s)::numeric > %s', plain, word)
    WHEN operator = 'greater_or_equal' THEN format('(%s)::numeric >= %s', plain, word)
    WHEN operator = 'less_than' THEN format('(%s)::numeric < %s', plain, word)
    WHEN operator = 'between' THEN format('(%s)::numeric BETWEEN %s AND %s', plain, value->0, value->1)
    WHEN operator = 'contains' AND path = '{tags}' THEN format('%s->%L ? %L', json, path[1], word)
    WHEN operator = 'contains' THEN format('%s ILIKE %L', plain, '%' || word || '%')
    WHEN operator = 'starts_with' THEN format('%s ILIKE %L', plain, word || '%')
    WHEN operator = 'within_last' THEN format('(%s)::timestamptz >= now() - interval ''%s days''', plain, word)
    WHEN operator = 'before' THEN format('(%s)::timestamptz < %L', plain, word)
  END;
END $$;

CREATE FUNCTION bench.sql_of(definition jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT '(' || string_agg(m.test, upper(format(' %s ', coalesce(definition->>'logic', 'and'))) ORDER BY m.kind, m.place) || ')'
  FROM (SELECT 1, c.place, bench.sql_of_condition(c.condition)
        FROM jsonb_array_elements(definition->'conditions') WITH ORDINALITY c (condition, place)
        UNION ALL
        SELECT 2, g.place, bench.sql_of(g.definition)
        FROM jsonb_array_elements(definition->'groups') WITH ORDINALITY g (definition, place)) m (kind, place, test)
$$;

CREATE TABLE bench.definitions (
  number integer PRIMARY KEY,
  conditions jsonb NOT NULL,
  sql text,
  ids integer[],        -- of the segment in tenants 1 to 10
  members bigint,       -- in tenant 7
  in_sample boolean
);
SELECT setseed(0.17) \g /dev/null
INSERT INTO bench.definitions (number, conditions) SELECT i, bench.definition() FROM generate_series(1, :segments) i;
UPDATE bench.definitions SET sql = bench.sql_of(conditions);

-- Every tenant has all of them.
INSERT INTO stratum.cdp_segments (tenant_id, name, slug, conditions)
SELECT t.id, 'Segment ' || d.number, d.number::text, d.conditions
FROM stratum.tenants t CROSS JOIN bench.definitions d ORDER BY t.id, d.number;
UPDATE bench.definitions
SET ids = ARRAY(SELECT s.id FROM stratum.cdp_segments s WHERE s.slug = number::text ORDER BY s.tenant_id);
VACUUM (ANALYZE) stratum.cdp_segments, bench.definitions;
