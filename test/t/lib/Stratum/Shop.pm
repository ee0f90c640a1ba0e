# A tenant's whole data, large enough that work on it can be interrupted, and what has to be true of it at all times.
#
#   use Stratum::Shop qw(open_shop is_whole said_nothing_odd);
#   open_shop($node, profiles => 4000);             # extension, role app, tenants 1 (large), 2 and 3 (small), schema shop
#   is_whole($node, 'after the crash');             # several tests; refreshes what is not live, and seals
#   is_sound($node, 'after the crash');             # tables and indexes fit each other, as amcheck sees it
#   said_nothing_odd($node, 'in all that');         # the server's log
package Stratum::Shop;

use strict;
use warnings;
use Exporter qw(import);
use Stratum::Query qw(finds_nothing);
use Test::More;
our @EXPORT_OK = qw(open_shop is_whole is_sound said_nothing_odd);

my $tables = <<'SQL';
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
CREATE SCHEMA shop;
CREATE TABLE shop.stock (id integer PRIMARY KEY, tenant_id integer, n integer, note text);
CREATE TABLE shop.ledger (client integer, n integer, kind text, amount integer, PRIMARY KEY (client, n));
SELECT stratum.audit_table('shop.stock');
INSERT INTO stratum.tenants (id, name, slug, max_users, max_campaigns) SELECT n, 'T' || n, 't' || n, 1000000, 1000000 FROM generate_series(1, 3) n;
INSERT INTO stratum.users (id, tenant_id, email, password_hash) SELECT n, n, 'u' || n || '@x.test', 'x' FROM generate_series(1, 3) n;
-- The number of rows of each table, as the caller sees them.
CREATE FUNCTION shop.counts() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t regclass;
  n bigint;
  told text := '';
BEGIN
  FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace IN ('stratum'::regnamespace, 'shop'::regnamespace) AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.relname COLLATE "C" LOOP
    EXECUTE format('SELECT count(*) FROM %s', t) INTO n;
    told := told || CASE WHEN n > 0 THEN format('%s %s; ', t, n) ELSE '' END;
  END LOOP;
  RETURN told;
END $$;
-- What a tenant's entries say of the rows of a table that are not as they say.
CREATE FUNCTION shop.untrue(t regclass, type text) RETURNS SETOF text LANGUAGE plpgsql SET stratum.progress_interval = 0 AS $$
BEGIN
  RETURN QUERY EXECUTE format($q$
    WITH last_life AS MATERIALIZED (
      SELECT l.*, max(l.id) FILTER (WHERE l.action = 'create') OVER (PARTITION BY l.resource_id) AS born,
             max(l.id) FILTER (WHERE l.action = 'delete') OVER (PARTITION BY l.resource_id) AS gone
      FROM stratum.audit_logs l WHERE l.resource_type = %L
    ), told AS (
      SELECT resource_id, jsonb_object_agg(e.key, e.value ORDER BY l.id) - $1 AS row
      FROM last_life l, jsonb_each(l.new_values) e WHERE l.id >= l.born AND (l.gone IS NULL OR l.gone < l.born) GROUP BY resource_id
    )
    SELECT format('%%s: %%s is told as %%s', coalesce(t.resource_id, s.id::text), to_jsonb(s), t.row)
    FROM %s s FULL JOIN told t ON t.resource_id = s.id::text WHERE t.row IS DISTINCT FROM to_jsonb(s) - $1$q$, type, t)
  USING '{updated_at,last_executed_at,executions_count,last_execution_result,profile_count,last_computed_at,last_login_at,password_hash}'::text[];
END $$;
-- Profiles that are no members of a segment and should be, and the other way round, by the definition.
CREATE FUNCTION shop.misplaced(only_live boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  s record;
BEGIN
  FOR s IN SELECT g.id, g.tenant_id, g.conditions FROM stratum.cdp_segments g LEFT JOIN stratum.cdp_segment_options o ON o.segment_id = g.id
           WHERE g.is_active AND g.slug <> 'after' AND (o.is_live OR NOT only_live) LOOP
    RETURN QUERY EXECUTE format($q$SELECT format('segment %1$s, profile %%s', p.id) FROM stratum.cdp_profiles p
      LEFT JOIN stratum.cdp_segment_memberships m ON m.segment_id = %1$s AND m.profile_id = p.id
      WHERE p.tenant_id = %2$s AND stratum.segment_matches(%3$L, p) <> (m.profile_id IS NOT NULL)$q$, s.id, s.tenant_id, s.conditions);
  END LOOP;
END $$;
GRANT pg_read_all_stats TO app;
GRANT USAGE ON SCHEMA shop TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO app;
SQL

my $rows = <<'SQL';
BEGIN;
SELECT stratum.enter(:tenant, :tenant) \g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, status, daily_budget_cents, total_spend_cents, revenue_cents, clicks, impressions, conversions)
  SELECT 'meta', 'c' || n, 'a', 'Campaign ' || n, 'active', 10000 + n, 1000, 10 * n, 100, 1000, n FROM generate_series(1, greatest(:profiles / 10, 20)) n;
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES (current_date, 'meta', 95), (current_date + 1, 'meta', 95);
INSERT INTO stratum.rules (name, status, schedule, conditions, actions) VALUES
  ('up', 'active', '1 minute', '{"conditions": [{"field": "roas", "operator": "gte", "value": 1}]}', '[{"type": "adjust_budget", "percent": 10}, {"type": "apply_label", "label": "winner"}]'),
  ('down', 'active', '2 minutes', '{"conditions": [{"field": "roas", "operator": "less_than", "value": 1}]}', '[{"type": "adjust_budget", "percent": -10}, {"type": "send_alert"}]');
INSERT INTO stratum.cdp_profiles (canonical_id, email, external_id, anonymous_id, traits, consent)
  SELECT md5(:tenant || ' ' || n)::uuid, 'p' || n || '@x.test', 'x' || n, 'd' || n, jsonb_build_object('n', n % 100, 'city', (ARRAY['Bonn', 'Rome', 'Oslo'])[1 + n % 3]), '{"ads": true}'
  FROM generate_series(1, :profiles) n;
COMMIT;
\c - postgres
ANALYZE;
\c - app
BEGIN;
SELECT stratum.enter(:tenant, :tenant) \g /dev/null
-- every hundredth one has many
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, properties, timestamp)
  SELECT p.id, (ARRAY['View', 'Cart', 'Purchase'])[1 + k % 3], 'track', jsonb_build_object('total', k), now() - k * interval '1 hour'
  FROM stratum.cdp_profiles p, generate_series(1, CASE WHEN p.id % 100 = 1 THEN 60 ELSE 2 END) k;
COMMIT;
\c - postgres
ANALYZE;
\c - app
BEGIN;
SELECT stratum.enter(:tenant, :tenant) \g /dev/null
INSERT INTO stratum.cdp_segments (name, slug, conditions)
  SELECT 'trait ' || n, 's' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'trait.n', 'operator', 'gte', 'value', n * 3))) FROM generate_series(1, 12) n
  UNION ALL
  SELECT 'bought ' || n, 'b' || n, jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('field', 'event.Purchase.count', 'operator', 'gte', 'value', n))) FROM generate_series(1, 4) n
  UNION ALL
  SELECT 'after', 'after', '{"conditions": [{"field": "segment.s1", "operator": "equals", "value": true}]}'
  UNION ALL
  SELECT 'in Bonn or Rome', 'regex', '{"conditions": [{"field": "trait.city", "operator": "matches", "value": "^(B|R).{0,150}(abcdefghijklmnopqrstuvwxyz0123456789)?$"}]}';
SELECT stratum.set_segment_options(id, is_live => true, keeps_history => true) FROM stratum.cdp_segments WHERE name IN ('trait 10', 'trait 11', 'bought 3') \g /dev/null
INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name, identifier_types) SELECT id, 'google', 'sync', '["email"]' FROM stratum.cdp_segments WHERE name = 'trait 11';
INSERT INTO stratum.campaign_drafts (name, platforms, data) VALUES ('draft', '["meta", "google", "tiktok"]', '{"account_id": "a"}');
INSERT INTO shop.stock SELECT :tenant * 1000000 + n, :tenant, n, repeat('n', n % 50) FROM generate_series(1, :profiles / 2) n;
COMMIT;
SQL

sub open_shop
{
	my ($node, %option) = @_;
	my $profiles = $option{profiles} // 4000;
	$node->sql($tables);
	$node->sql("\\set tenant $_\n\\set profiles " . ($_ == 1 ? $profiles : 100) . "\n$rows", user => 'app') for 1 .. 3;
	$node->sql('SELECT stratum.seal_audit(1); UPDATE stratum.campaigns SET name = name || $$!$$ WHERE tenant_id = 1; VACUUM ANALYZE');
	$node->sql('CREATE EXTENSION amcheck') if has_amcheck();
	return;
}

# What is told as rows that must not be there.
my %wrong = (
	'live segments have the members that they should' => q{SELECT shop.misplaced(true)},
	'members are counted where nothing is or was live' => q{SELECT format('segment %s of %s', s.id, s.profile_count) FROM stratum.cdp_segments s
		WHERE s.slug !~ '^(s1|s2|s3|s4|s10|s11|b3)$' AND s.profile_count <> (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.segment_id = s.id)},
	'the history says the same' => q{SELECT format('segment %s, profile %s', segment_id, profile_id) FROM (SELECT segment_id, profile_id FROM stratum.cdp_segment_history WHERE left_at IS NULL) h
		FULL JOIN (SELECT m.* FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_segment_options o USING (segment_id) WHERE o.keeps_history) m USING (segment_id, profile_id)
		WHERE h.profile_id IS NULL OR m.profile_id IS NULL},
	'no member is of a profile or a segment that is gone' => q{SELECT m::text FROM stratum.cdp_segment_memberships m
		WHERE NOT EXISTS (SELECT FROM stratum.cdp_profiles p WHERE p.id = m.profile_id AND p.tenant_id = m.tenant_id) OR NOT EXISTS (SELECT FROM stratum.cdp_segments s WHERE s.id = m.segment_id AND s.tenant_id = m.tenant_id)},
	'no action is in two states' => q{SELECT a::text FROM stratum.fact_actions_queue a WHERE (a.status IN ('approved', 'executed')) <> (a.approved_at IS NOT NULL) OR (a.status = 'executed') <> (a.executed_at IS NOT NULL)},
	'a person is one profile' => q{SELECT external_id FROM stratum.cdp_profiles WHERE external_id IS NOT NULL GROUP BY tenant_id, external_id HAVING count(*) > 1},
	'seals are whole' => q{SELECT v::text FROM (VALUES (1), (2), (3), (NULL)) t (id), stratum.verify_audit(t.id) v},
	'the install is healthy' => q{SELECT c::text FROM stratum.check_install() c},
	'no advisory lock is left' => q{SELECT l::text FROM pg_locks l WHERE locktype = 'advisory'},
	'no temporary file is left' => q{SELECT f.name FROM pg_ls_tmpdir() f});

sub is_whole
{
	my ($node, $when) = @_;
	finds_nothing($node, $wrong{$_}, "$when: $_") for sort keys %wrong;
	for my $table (qw(campaigns cdp_profiles cdp_segments rules fact_actions_queue users))
	{
		finds_nothing($node, "SELECT shop.untrue('stratum.$table', '$table')", "$when: the trail tells every row of $table");
	}
	finds_nothing($node, q{SELECT shop.untrue('shop.stock', 'shop.stock')}, "$when: the trail tells every row of a table of the user's");
	$node->sql('SET client_min_messages = warning; CALL stratum.refresh_all_segments()');
	finds_nothing($node, 'SELECT shop.misplaced(false)', "$when: after a refresh members are who the definitions say");
	finds_nothing($node, q{SELECT format('segment %s of %s', s.id, s.profile_count) FROM stratum.cdp_segments s
		WHERE s.profile_count <> (SELECT count(*) FROM stratum.cdp_segment_memberships m WHERE m.segment_id = s.id)}, "$when: and they are counted");
	return;
}

sub has_amcheck
{
	my ($share) = split /\n/, `'$ENV{PG_CONFIG}' --sharedir`;
	return -f "$share/extension/amcheck.control";
}

sub is_sound
{
	my ($node, $when) = @_;
  SKIP:
	{
		skip 'no amcheck here', 3 unless has_amcheck();
		my $ours = q{c.relnamespace IN ('stratum'::regnamespace, 'shop'::regnamespace)};
		my $indexes = qq{pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
			WHERE $ours AND a.amname = 'btree' AND x.relkind = 'i' AND i.indisvalid};
		cmp_ok($node->sql("SELECT count(bt_index_parent_check(x.oid, true)) FROM $indexes"), '>', 60, "$when: every row is in every index");
		finds_nothing($node, qq{SELECT format('%s: %s %s %s', c.relname, v.blkno, v.offnum, v.msg) FROM pg_class c, verify_heapam(c.oid, check_toast => true) v
			WHERE $ours AND c.relkind = 'r'}, "$when: no table is corrupt");
		finds_nothing($node, qq{SELECT format('%s lost %s', k.conname, k.conrelid::regclass) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE $ours AND NOT k.convalidated}, "$when: no constraint is half there");
	}
	return;
}

# Lines that PostgreSQL writes when something was not given back, and those of a crash. `allowed`: a pattern of what was asked for.
# A server that recovers logs where its WAL ends ("unexpected pageaddr"): that is no error.
sub said_nothing_odd
{
	my ($node, $when, $allowed) = @_;
	open my $file, '<', $node->log_file or die $!;
	my @odd = grep { /WARNING.*(?:leak|not closed|still (?:referenced|active|open)|you don't own|snapshot)|PANIC|TRAP|terminated by signal|cache lookup failed|invalid memory|could not open relation|XX000|(?:ERROR|FATAL|WARNING):.*unexpected/i
		  && !($allowed && /$allowed/) } <$file>;
	is(scalar @odd, 0, "$when: nothing leaks, nothing crashes") or diag(@odd[0 .. ($#odd > 9 ? 9 : $#odd)]);
	return;
}

1;
