-- :profiles realistic customer profiles of ten tenants, the same at each run but for the dates, which count back from
-- today's midnight (UTC). traits have 15 to 20 keys and some 530 bytes: strings, numbers, booleans, arrays, a nested
-- object and ISO times.
INSERT INTO stratum.tenants (name, slug) SELECT 'Tenant ' || i, 'tenant-' || i FROM generate_series(1, 10) i;

-- Loading is not what is measured: neither audit entries nor the upkeep of the index are wanted meanwhile.
ALTER TABLE stratum.cdp_profiles DISABLE TRIGGER zz_stratum_audit_insert;
SELECT pg_get_indexdef('stratum.ix_profiles_traits'::regclass) AS traits_index \gset
DROP INDEX stratum.ix_profiles_traits;

CREATE FUNCTION bench.today() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT date_trunc('day', now(), 'UTC') $$;

-- Times as the clients send them.
CREATE FUNCTION bench.iso(t timestamptz, fraction text DEFAULT '') RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS' || fraction || '"Z"') $$;

SELECT setseed(0.42) \g /dev/null
INSERT INTO stratum.cdp_profiles (
  tenant_id, canonical_id, anonymous_id, external_id, email, phone, first_name, last_name, lifecycle_stage,
  first_seen_at, last_seen_at, traits, computed_traits, consent)
SELECT
  1 + i % 10,
  md5('c' || i)::uuid,
  md5('a' || i),
  'ext-' || i,
  (CASE WHEN r[1] < 0.1 THEN '  ' ELSE '' END)
    || (ARRAY['John', 'maria', 'WEI', 'Ana', 'lars', 'Chloe'])[1 + (r[2] * 6)::int % 6] || '.'
    || (ARRAY['Smith', 'garcia', 'LI', 'Silva', 'berg', 'Martin'])[1 + (r[3] * 6)::int % 6] || i || '@'
    || (ARRAY['gmail.com', 'Yahoo.com', 'example.org', 'corp.co.uk', 'proton.me'])[1 + (r[4] * 5)::int % 5],
  '+1555' || lpad(i::text, 7, '0'),
  (ARRAY['John', 'Maria', 'Wei', 'Ana', 'Lars', 'Chloe'])[1 + (r[2] * 6)::int % 6],
  (ARRAY['Smith', 'Garcia', 'Li', 'Silva', 'Berg', 'Martin'])[1 + (r[3] * 6)::int % 6],
  (ARRAY['lead', 'customer', 'prospect', 'churned', 'vip'])[1 + (r[5] * 5)::int % 5],
  bench.today() - r[6] * interval '700 days',
  bench.today() - r[7] * interval '90 days',
  jsonb_build_object(
    'country', (ARRAY['US', 'US', 'US', 'DE', 'FR', 'GB', 'BR', 'IN', 'JP', 'ES'])[1 + (r[8] * 10)::int % 10],
    'plan', (ARRAY['free', 'free', 'free', 'free', 'free', 'basic', 'basic', 'pro', 'pro', 'enterprise'])[1 + (r[9] * 10)::int % 10],
    'ltv', round((power(r[10], 3) * 2000)::numeric, 2),
    'orders', (r[11] * r[11] * 40)::int,
    'aov', round((r[12] * 180)::numeric, 2),
    'tags', to_jsonb((ARRAY['vip', 'sale', 'newsletter', 'returner', 'b2b', 'trial', 'beta'])[1 + (r[13] * 4)::int % 4 : 3 + (r[13] * 5)::int % 5]),
    'address', jsonb_build_object(
      'city', 'City' || (r[14] * 400)::int,
      'zip', lpad(((r[14] * 99999)::int)::text, 5, '0'),
      'street', (i % 900) || ' Main Street'),
    'last_order_at', bench.iso(bench.today() - r[15] * interval '365 days'),
    'last_login_at', bench.iso(bench.today() - r[16] * interval '120 days', '.MS'),
    'newsletter', r[17] < 0.5,
    'company', (ARRAY['Acme', 'Globex', 'Initech', 'Umbrella', 'Stark', 'Wayne', 'Hooli'])[1 + (r[18] * 7)::int % 7]
      || ' ' || (ARRAY['Software', 'Logistics', 'Retail Group', 'Foods', 'Media'])[1 + (r[19] * 5)::int % 5]
      || ' ' || (ARRAY['Inc', 'GmbH', 'LLC'])[1 + (r[20] * 3)::int % 3],
    'language', (ARRAY['en', 'de', 'fr', 'es', 'pt'])[1 + (r[1] * 5)::int % 5],
    'device', (ARRAY['ios', 'android', 'web'])[1 + (r[2] * 3)::int % 3],
    'store', 's' || (r[21] * 100)::int % 100,
    'cohort', 'c' || (r[22] * 1000)::int % 1000)
  || CASE WHEN r[23] < 0.7 THEN jsonb_build_object(
       'utm_campaign', 'camp-' || (r[4] * 300)::int,
       'score', (r[5] * 100)::int) ELSE '{}' END
  || CASE WHEN r[24] < 0.5 THEN jsonb_build_object(
       'birth_year', 1950 + (r[6] * 55)::int,
       'gender', (ARRAY['f', 'm', 'x'])[1 + (r[7] * 3)::int % 3],
       'interests', to_jsonb((ARRAY['sports', 'music', 'travel', 'tech', 'food'])[1 + (r[3] * 3)::int : 4])) ELSE '{}' END,
  jsonb_build_object('events', jsonb_build_object(
    'PageView', jsonb_build_object('count', (r[10] * 100)::int),
    'Purchase', jsonb_build_object('count', (r[11] * 9)::int))),
  jsonb_build_object('email', r[12] < 0.8, 'ads', r[13] < 0.6)
FROM generate_series(1, :profiles) i
  -- the mention of i makes it new numbers for each profile
  CROSS JOIN LATERAL (SELECT ARRAY(SELECT random() FROM generate_series(1, 24) WHERE i > 0) AS r) dice;

:traits_index;
ALTER TABLE stratum.cdp_profiles ENABLE TRIGGER zz_stratum_audit_insert;

-- Hint bits and statistics are set, and everything is in memory, before anything is timed.
VACUUM (FREEZE, ANALYZE) stratum.cdp_profiles;
CREATE PROCEDURE bench.warm(tables regclass[]) LANGUAGE sql AS $$
  SELECT sum(pg_prewarm(c.oid))
  FROM pg_class c
  WHERE c.oid = ANY (tables) OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY (tables))
$$;
CALL bench.warm('{stratum.cdp_profiles}');
SELECT count(*) AS profiles, pg_size_pretty(pg_relation_size('stratum.cdp_profiles')) AS heap,
       round(avg(pg_column_size(traits))) AS "bytes of traits",
       (SELECT count(*) FROM jsonb_object_keys((SELECT traits FROM stratum.cdp_profiles WHERE id = 1))) AS "keys of the first",
       pg_size_pretty(pg_relation_size('stratum.ix_profiles_traits')) AS "GIN (traits)"
FROM stratum.cdp_profiles;
