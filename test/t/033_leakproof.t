#!/usr/bin/env perl
# The two leakproof functions: whatever they are given by hand, they say true or false and nothing else. And
# what a tenant learns of others' rows from the functions that are not leakproof: nothing.
# STRATUM_SEED gives other values, STRATUM_ROUNDS more of them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $seed = ($ENV{STRATUM_SEED} // 4711) / 2**31;
my $rounds = $ENV{STRATUM_ROUNDS} // 4000;
my $node = Stratum::Cluster->new(config => "log_min_messages = notice\njit = off\n");
$node->sql('CREATE EXTENSION stratum');

# What a script says beside its result: errors, notices, warnings.
sub says_only
{
	my ($sql, $expected, $name, %option) = @_;
	my ($rc, $out, $err) = $node->psql($sql, %option);
	chomp $out;
	is($out, $expected, $name) or diag($err);
	is($err, '', '    and nothing else');
	return;
}

# ---- a value of every type -------------------------------------------------------------------------------------

# Types of users are there too: one has a cast to json that tells what it is asked about, and others have that one inside.
$node->sql(<<'SQL');
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TYPE pair AS (a int, b span);
CREATE FUNCTION told(span) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'told %', $1; RAISE EXCEPTION 'told %', $1; END $$;
CREATE CAST (span AS json) WITH FUNCTION told(span);
CREATE DOMAIN shortish AS text CHECK (length(VALUE) < 100);
CREATE DOMAIN document AS jsonb;
CREATE DOMAIN pairs AS pair[];

-- An expression for every type that has a value: its own text from a list of texts, or a column of a catalog.
CREATE TABLE values_of (type text PRIMARY KEY, expression text);
CREATE FUNCTION collect() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t record;
  try text;
BEGIN
  FOR t IN SELECT format_type(oid, NULL) AS name FROM pg_type WHERE typisdefined AND typtype <> 'p' AND typname !~ '^pg_toast' ORDER BY oid LOOP
    FOREACH try IN ARRAY ARRAY['{"n": 1, "a": ["x", null, {"b": 1e100}]}', '[1,5)', '{[1,5)}', '1', 'x', 't', '{}', '(1,x)', '2024-01-31 12:00:00', '12:00', '10.0.0.1/8', '(1,1),(2,2)', '<(1,1),2>', '[(1,1),(2,2)]', '{1,2,3}',
      '12345678-1234-1234-1234-123456789012', '1 day', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '$.a', '0/0', '(0,1)', '10:20:', 'glad', 'pg_class', 'int4', 'english', 'simple', '101', '=(int4,int4)', 'pg_catalog', 'postgres', 'now()', '"C"', '{"(1,x)"}', '(1,"[1,5)")', '{"(1,\"[1,5)\")"}', '{pg_class}', 'postgres=r/postgres', '<a/>'] LOOP
      BEGIN
        EXECUTE format('SELECT %L::%s', try, t.name);
        INSERT INTO values_of VALUES (t.name, format('%L::%s', try, t.name));
        EXIT;
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END LOOP;
    INSERT INTO values_of VALUES (t.name, 'NULL::' || t.name) ON CONFLICT DO NOTHING;
  END LOOP;
END $$;
SELECT collect();
INSERT INTO values_of VALUES ('pseudo record', 'ROW(1, ''x'')'), ('pseudo record[]', 'ARRAY[ROW(1, ''x''), ROW(2, ''y'')]'), ('pseudo cstring', 'textout(''x'')'), ('pseudo void', 'pg_sleep(0)'), ('pseudo unknown', '''x'''), ('pseudo null', 'NULL'),
  ('pseudo anyarray', '(SELECT most_common_vals FROM pg_stats WHERE most_common_vals IS NOT NULL LIMIT 1)'), ('catalog row', '(SELECT c FROM pg_class c LIMIT 1)'), ('tree', '(SELECT ev_action FROM pg_rewrite LIMIT 1)'),
  ('huge', '1e131071'), ('nan', '''NaN''::numeric'), ('infinite', '''-Infinity''::numeric'), ('float', '''Infinity''::float8'), ('far', '''infinity''::timestamptz'), ('early', '''4713-01-01 BC''::date'), ('late', '''5874897-12-31''::date'), ('long', 'repeat(''x'', 1000000)'),
  ('text with no json', '''"\u0000"''::json'), ('deep', '(repeat(''['', 5000) || repeat('']'', 5000))::jsonb'), ('wide', '(SELECT jsonb_object_agg(''k'' || g, g) FROM generate_series(1, 5000) g)');
SQL
cmp_ok($node->sql("SELECT count(*) FROM values_of WHERE expression NOT LIKE 'NULL%'"), '>', 150, 'types with a value');

# Each under a name that a definition asks about, in each way.
$node->sql(<<'SQL');
CREATE FUNCTION def(field text, operator text, value jsonb DEFAULT '1') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', field, 'operator', operator, 'value', value)))
$$;
-- Counts what does not say true or false.
CREATE FUNCTION every_type(function text, asks jsonb[], names text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v record;
  d jsonb;
  name text;
  said boolean;
  calls int := 0;
BEGIN
  FOR v IN SELECT * FROM values_of LOOP
    FOR i IN 1 .. cardinality(asks) LOOP
      BEGIN
        EXECUTE format('SELECT stratum.%I(%L, ARRAY[%L], %s)', function, asks[i], names[i], v.expression) INTO said;
        IF said IS NULL THEN RETURN format('%s %s: NULL', v.type, asks[i]); END IF;
        EXECUTE format('SELECT stratum.%I((SELECT %L::jsonb), ARRAY[%L], %s)', function, asks[i], names[i], v.expression) INTO said;
        calls := calls + 2;
      EXCEPTION WHEN OTHERS THEN RETURN format('%s %s: %s', v.type, asks[i], SQLERRM);
      END;
    END LOOP;
  END LOOP;
  RETURN CASE WHEN calls > 1000 THEN 'silent' END;
END $$;
SQL
says_only(<<'SQL', 'silent', 'a value of every type, under every kind of field of a profile');
SELECT every_type('_profile_matches', ARRAY[def('trait.n', 'equals'), def('trait.a', 'contains', '"x"'), def('profile.some', 'equals'), def('profile.some', 'is_null'), def('profile.some', 'gte'), def('profile.some', 'contains', '"x"'),
  def('profile.some', 'in', '[1, "x", {"a": 1, "b": "x"}, [1]]'), def('profile.some', 'within_last'), def('profile.some', 'before', '"2024-01-01"'), def('identifier.email', 'equals', 'true'), def('event.a.count', 'equals'), def('event.a.property.b', 'is_null')],
  ARRAY['traits', 'traits', 'some', 'some', 'some', 'some', 'some', 'some', 'some', 'email', 'id', 'tenant_id'])
SQL
says_only(<<'SQL', 'silent', 'and of a campaign');
SELECT every_type('_campaign_matches', ARRAY[def('spend', 'gte'), def('conversion_rate', 'gte'), def('conversion_rate', 'is_null'), def('some', 'equals'), def('cpc', 'in', '[1]')], ARRAY['total_spend_cents', 'conversions', 'clicks', 'some', 'cpc_cents'])
SQL
says_only("SELECT stratum._campaign_matches(def('conversion_rate', 'gte'), '{conversions,clicks}', a, b) IS NOT NULL AS said, count(*) FROM
	(VALUES (1e1000), (1e-1000), (0), (1e16383), ('NaN'), ('Infinity'), (NULL), (9.99e1003), (-1e-16383)) v (a), (VALUES (1e1000), (1e-1000), (0), (1e16383), ('NaN'), ('Infinity'), (NULL), (-1e-999)) w (b) GROUP BY 1",
	't|72', 'ratios of numbers of any size');

# ---- random arguments ------------------------------------------------------------------------------------------

$node->sql(<<'SQL');
CREATE FUNCTION pick(VARIADIC text[]) RETURNS text VOLATILE LANGUAGE sql AS $$ SELECT $1[1 + floor(random() * cardinality($1))] $$;
CREATE FUNCTION some_value(depth int) RETURNS jsonb VOLATILE LANGUAGE plpgsql AS $$
BEGIN
  CASE floor(random() * CASE WHEN depth > 0 THEN 10 ELSE 7 END)
    WHEN 0 THEN RETURN 'null';
    WHEN 1 THEN RETURN to_jsonb(random() < 0.5);
    WHEN 2 THEN RETURN to_jsonb((random() * 100)::int);
    WHEN 3 THEN RETURN pick('1e131000', '-1e-16000', '0.1', '99999999999999999999', '-0')::jsonb;
    WHEN 4 THEN RETURN to_jsonb(pick('', 'x', 'US', '1', '1e5', '2024-01-01', '2024-13-01', '24:00', 'NaN', E'\u00e9\u0001"\\'));
    WHEN 5 THEN RETURN to_jsonb(repeat(pick('a', 'Z', '1', E'\u0442'), (random() * 200)::int));
    WHEN 6 THEN RETURN to_jsonb(now() - random() * interval '30 days');
    WHEN 7 THEN RETURN coalesce((SELECT jsonb_agg(some_value(depth - 1)) FROM generate_series(1, floor(random() * 4)::int)), '[]');
    ELSE RETURN coalesce((SELECT jsonb_object_agg(pick('n', 'country', 'tags', 'a', '', 'b', 'logic', 'field'), some_value(depth - 1)) FROM generate_series(1, floor(random() * 4)::int)), '{}');
  END CASE;
END $$;
-- Definitions, most of them nearly right.
CREATE FUNCTION some_condition() RETURNS jsonb VOLATILE LANGUAGE plpgsql AS $$
DECLARE
  c jsonb := jsonb_build_object('field', pick('trait.n', 'trait.country', 'trait.tags', 'trait.a.b', 'computed.x', 'consent.a', 'profile.email', 'profile.id', 'profile.nobody', 'identifier.email', 'identifier.x', 'event.a.count', 'event.a.property.b', 'trait', '', '.', 'trait..a', 'spend', 'campaign.name', 'conversion_rate'),
    'operator', pick('equals', 'not_equals', 'contains', 'not_contains', 'starts_with', 'ends_with', 'greater_than', 'gte', 'LTE', 'between', 'in', 'not_in', 'is_null', 'is_not_null', 'before', 'after', 'within_last', 'contains_any', 'contains_all', 'nope'),
    'value', CASE WHEN random() < 0.3 THEN jsonb_build_array(some_value(1), some_value(1)) ELSE some_value(2) END);
BEGIN
  IF random() < 0.1 THEN c := c || jsonb_build_object('within_days', some_value(0)); END IF;
  IF random() < 0.1 THEN c := c - pick('field', 'operator', 'value'); END IF;
  IF random() < 0.1 THEN c := jsonb_set(c, ARRAY[pick('field', 'operator', 'value', 'more')], some_value(2)); END IF;
  RETURN c;
END $$;
CREATE FUNCTION some_definition(depth int) RETURNS jsonb VOLATILE LANGUAGE plpgsql AS $$
BEGIN
  IF random() < 0.05 THEN RETURN some_value(3); END IF;
  RETURN jsonb_build_object('logic', pick('and', 'or', 'not', 'AND', 'xor'), 'conditions', coalesce((SELECT jsonb_agg(some_condition()) FROM generate_series(1, floor(random() * 3)::int)), '[]'))
    || CASE WHEN depth > 0 AND random() < 0.5 THEN jsonb_build_object('groups', jsonb_build_array(some_definition(depth - 1))) ELSE '{}' END;
END $$;
CREATE FUNCTION some_names(n int) RETURNS text[] VOLATILE LANGUAGE plpgsql AS $$
DECLARE names text[];
BEGIN
  SELECT array_agg(pick('traits', 'traits', 'computed_traits', 'email', 'id', 'tenant_id', 'clicks', 'conversions', 'total_spend_cents', 'name', NULL, '', repeat('x', 70), repeat(E'\u0442', 40), repeat('y', 100000))) INTO names
  FROM generate_series(1, n + CASE WHEN random() < 0.1 THEN floor(random() * 3)::int - 1 ELSE 0 END);
  IF random() < 0.05 THEN names := ARRAY[names]; END IF;
  RETURN CASE WHEN random() > 0.03 THEN names END;
END $$;
CREATE FUNCTION fuzz(rounds int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  call text;
  said boolean;
  yes int := 0;
BEGIN
  FOR i IN 1 .. rounds LOOP
    SELECT format('SELECT stratum.%I(%s, %s, %s)', pick('_profile_matches', '_campaign_matches'),
      CASE WHEN random() < 0.97 THEN format(pick('%L::jsonb', '(SELECT %L::jsonb)'), some_definition(3)) ELSE 'NULL' END, format(pick('%L::text[]', '(SELECT %L::text[])'), some_names(n)),
      (SELECT string_agg(CASE WHEN random() < 0.6 THEN format('%L::jsonb', some_value(3)) ELSE (SELECT expression FROM values_of ORDER BY random() LIMIT 1) END, ', ') FROM generate_series(1, n)))
      INTO call FROM (SELECT 1 + floor(random() * 3)::int AS n) x;
    BEGIN
      EXECUTE call INTO said;
    EXCEPTION WHEN OTHERS THEN RETURN format('%s: %s', left(call, 2000), SQLERRM);
    END;
    IF said IS NULL THEN RETURN 'NULL: ' || left(call, 2000); END IF;
    yes := yes + said::int;
  END LOOP;
  RETURN CASE WHEN yes > rounds / 1000 THEN 'silent' ELSE format('only %s are true', yes) END;
END $$;
SQL
says_only("SELECT setseed($seed)\\g /dev/null\nSELECT fuzz($rounds)", 'silent', "$rounds random calls");

# ---- shapes that random values do not find -----------------------------------------------------------------------

my $right = q('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 1}]}');
my %odd = (
	'a right call' => [ "$right, '{traits}', '{\"n\": 1}'::jsonb", 't' ],
	'as an array' => [ "$right, '{traits}', VARIADIC ARRAY['{\"n\": 1}'::jsonb]", 'f' ],
	'as no array' => [ "$right, '{traits}', VARIADIC NULL::jsonb[]", 'f' ],
	'two names for one column' => [ "$right, '{traits,traits}', '{\"n\": 1}'::jsonb", 'f' ],
	'the same name twice' => [ "$right, '{traits,traits}', '{\"n\": 1}'::jsonb, '{\"n\": 2}'::jsonb", 't' ],
	'no names' => [ "$right, '{}', '{\"n\": 1}'::jsonb", 'f' ],
	'a NULL name' => [ "$right, '{NULL}', '{\"n\": 1}'::jsonb", 'f' ],
	'two dimensions' => [ "$right, '{{traits}}', '{\"n\": 1}'::jsonb", 't' ],
	'from the fifth' => [ "$right, '[5:5]={traits}', '{\"n\": 1}'::jsonb", 't' ],
	'98 columns' => [ "$right, (SELECT array_agg('c' || g) || 'traits'::text FROM generate_series(1, 97) g), " . join(', ', (1) x 97) . ", '{\"n\": 1}'::jsonb", 't' ],
	'traits that are text' => [ "$right, '{traits}', '{\"n\": 1}'::text", 'f' ],
	'a domain of jsonb' => [ "$right, '{traits}', '{\"n\": 1}'::document", 't' ],
	'65 levels' => [ "(repeat('{\"groups\": [', 65) || '{\"conditions\": []}' || repeat(']}', 65))::jsonb, '{traits}', '{}'::jsonb", 'f' ],
	'2,000 levels' => [ "(repeat('{\"groups\": [', 2000) || '{\"conditions\": []}' || repeat(']}', 2000))::jsonb, '{traits}', '{}'::jsonb", 'f' ],
	'deep values that are equal' => [ "jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'equals', 'value', (repeat('[', 5000) || repeat(']', 5000))::jsonb))), '{traits}', jsonb_build_object('n', (repeat('[', 5000) || repeat(']', 5000))::jsonb)", 't' ],
	'100,000 conditions' => [ "(SELECT jsonb_build_object('logic', 'or', 'conditions', jsonb_agg(jsonb_build_object('field', 'trait.n', 'operator', 'equals', 'value', g))) FROM generate_series(1, 100000) g), '{traits}', '{\"n\": 77777}'::jsonb", 't' ],
	'a path of 100,000 pieces' => [ "(SELECT jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', jsonb_agg('trait'::text), 'operator', 'is_null'))) FROM generate_series(1, 100000)), '{traits}', '{}'::jsonb", 't' ],
	'a long name of a column' => [ "jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'profile.' || repeat('x', 100000), 'operator', 'is_null'))), ARRAY[repeat('x', 100000)], 1", 'f' ],
);
for my $name (sort keys %odd)
{
	my ($arguments, $expected) = @{ $odd{$name} };
	says_only("SELECT stratum._profile_matches($arguments)", $expected, $name);
}
# Deep in the stack a constant and its plan are no other.
says_only(<<"SQL", 't', 'deep in the stack') ;
CREATE FUNCTION dig(n int) RETURNS boolean LANGUAGE plpgsql AS \$\$
BEGIN
  RETURN CASE WHEN n > 0 THEN dig(n - 1) ELSE stratum._profile_matches((SELECT $right\::jsonb), '{traits}', '{"n": 1}'::jsonb) END;
END \$\$;
SELECT dig(100)
SQL

# ---- a tenant looks at others' rows --------------------------------------------------------------------------------

$node->sql(<<'SQL');
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'A', 'a'), (2, 'B', 'b');
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, email, traits)
SELECT 1 + n % 2, md5(n::text)::uuid, CASE n % 2 WHEN 1 THEN 'secret' ELSE 'own' END || n || '@x.test', jsonb_build_object('n', n, CASE n % 2 WHEN 1 THEN 'secret' ELSE 'own' END, n, 'conditions', jsonb_build_array(jsonb_build_object('field', 'secret' || n, 'operator', 'secret' || n)))
FROM generate_series(1, 200) n;
UPDATE stratum.cdp_profiles SET traits = '{"n": 2}' WHERE tenant_id = 1;
ANALYZE stratum.cdp_profiles;
CREATE ROLE app LOGIN IN ROLE stratum_app;
GRANT CREATE ON SCHEMA public TO app;
SQL
sub as_tenant { my ($sql) = @_; return $node->psql("BEGIN; SELECT stratum.enter(1)\\g /dev/null\n$sql; COMMIT", user => 'app') }
$node->sql(q{CREATE FUNCTION leak(jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
	CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$}, user => 'app');

# The internal function may be asked before the policy; what stands beside it may not.
my ($rc, $out, $err) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE leak(p.traits) AND leak(p.email) AND stratum.segment_matches('{\"conditions\": [{\"field\": \"trait.n\", \"operator\": \"gte\", \"value\": 0}]}', p)");
is($out, "100\n", 'a leaky function beside ours');
unlike($err, qr/secret/, '    sees no row of others');
like($err, qr/saw/, '    though it sees its own');
($rc, $out, $err) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum._profile_matches($right, '{traits}', CASE WHEN leak(p.traits) THEN p.traits END)");
is($out, "0\n", 'a leaky function within ours');
unlike($err, qr/secret/, '    sees none either');
# Definitions from another column: the public functions raise, but after the policy.
for my $call ('stratum.segment_matches(p.traits, p)', 'stratum.segment_matches(p.traits, p.traits)', 'stratum.traits_match(p.traits, p.traits)', 'stratum.campaign_matches(p.traits, p)')
{
	($rc, $out, $err) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE $call");
	like($err, qr/invalid condition at \$/, "$call raises");
	unlike($err, qr/secret/, '    about what the tenant may see');
}
# The leakproof one is silent about everybody's.
for my $names ('{traits}', '{n}', '{secret}', '{id,tenant_id}')
{
	my $columns = $names =~ /,/ ? 'p.id, p.tenant_id' : 'p.traits';
	($rc, $out, $err) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum._profile_matches(p.traits, '$names', $columns) OR stratum._campaign_matches(p.traits, '$names', $columns)");
	is("$out$err", "0\n", "others' traits as a definition about $names say nothing");
}
# Statistics of what others hold are not asked by a type's own functions.
$node->sql('ALTER TABLE stratum.cdp_profiles ADD COLUMN pair pair');
$node->sql("SET session_replication_role = replica; UPDATE stratum.cdp_profiles SET pair = (1, '[1,5)')");
$node->sql('ANALYZE stratum.cdp_profiles');
($rc, $out, $err) = as_tenant("EXPLAIN SELECT FROM stratum.cdp_profiles p WHERE stratum._profile_matches('{\"conditions\": [{\"field\": \"profile.pair\", \"operator\": \"is_not_null\"}]}', '{pair}', p.pair)");
is($rc, 0, 'a plan about a column of a type of users');
is($node->sql("SELECT count(*) FROM pg_stats WHERE attname = 'pair' AND most_common_vals IS NOT NULL"), '1', '    of which there are statistics');
is($err, '', '    asks none of its functions about values in the statistics');
$node->sql('ALTER TABLE stratum.cdp_profiles DROP COLUMN pair');

# ---- indexes under row security ------------------------------------------------------------------------------------

$node->sql(<<'SQL');
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, traits)
SELECT 1 + n % 2, md5('more' || n)::uuid, jsonb_build_object('n', n, 'h', md5(n::text)) FROM generate_series(1001, 40000) n;
VACUUM ANALYZE stratum.cdp_profiles;
SQL
my $rare = q('{"conditions": [{"field": "trait.n", "operator": "equals", "value": 1234}]}');
my @ways = (
	[ "stratum.segment_matches($rare, p)", qr/Index Cond: .*\@\@/, 'a row' ],
	[ "stratum.traits_match($rare, traits)", qr/Index Cond: .*\@\@/, 'traits' ],
	[ q(traits @> '{"n": 1234}'), qr/Filter: .*\@>/, 'written by hand' ],
);
sub index_is_asked
{
	my ($index) = @_;
	for my $way (@ways)
	{
		my ($condition, $plan, $name) = @$way;
		($rc, $out, $err) = as_tenant("EXPLAIN (COSTS OFF) SELECT id FROM stratum.cdp_profiles p WHERE $condition");
		like($out, $plan, "$index, $name");
		$name =~ /hand/ ? unlike($out, qr/Index Cond: .*\@>/, '    asks no index') : like($out, qr/on $index/, '    by that index');
		($rc, $out, $err) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE $condition");
		is($out, "0\n", '    and no row of another tenant') if $name =~ /row|traits/ && $out ne "1\n";
	}
	return;
}
index_is_asked('ix_profiles_traits');
SKIP:
{
	skip 'no btree_gin here', 1 if $node->sql(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'btree_gin'}) eq '0';
	$node->sql('CREATE EXTENSION btree_gin; SELECT stratum.install(); DROP INDEX stratum.ix_profiles_traits; VACUUM ANALYZE stratum.cdp_profiles');
	index_is_asked('ix_cdp_profiles_tenant_traits');
	($rc, $out) = as_tenant("EXPLAIN (COSTS OFF) SELECT id FROM stratum.cdp_profiles p WHERE stratum.segment_matches($rare, p)");
	like($out, qr/Index Cond: .*tenant_id = stratum\.current_tenant_id\(\).*\@\@|Index Cond: .*\@\@.*tenant_id/, 'with the tenant as its first column');
}
# Estimates for a tenant use the statistics of what he may not see, since the function is leakproof; nothing is far off.
($rc, $out) = as_tenant("EXPLAIN SELECT id FROM stratum.cdp_profiles p WHERE stratum.segment_matches('{\"conditions\": [{\"field\": \"trait.n\", \"operator\": \"gte\", \"value\": 30000}]}', p)");
my ($estimate) = $out =~ /rows=(\d+)/;
my (undef, $actual) = as_tenant("SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum.segment_matches('{\"conditions\": [{\"field\": \"trait.n\", \"operator\": \"gte\", \"value\": 30000}]}', p)");
ok($estimate > $actual / 5 && $estimate < $actual * 5, "estimate $estimate, actual " . ($actual + 0));
unlike($node->sql("SELECT coalesce(string_agg(line, ''), '') FROM regexp_split_to_table(pg_read_file('" . $node->log_file . "'), '\\n') line WHERE line ~ 'secret' AND line !~ 'STATEMENT|LOG'"), qr/secret/, 'and the log tells no secret');
done_testing();
