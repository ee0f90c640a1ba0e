# What users can see of an install, as text that can be compared between databases; for the tests of updates.
#
#   use Stratum::Install qw(structure rows load_rows fill_tables empty_tables versions is_same);
#   is_same(structure($node, 'updated'), structure($node, 'fresh'), 'updated is as fresh');
#   fill_tables($node, 'fresh');                     # load_rows(), and a row at least in every table of the version
#   is(empty_tables($node, 'fresh'), '');
#   for my $version (versions()) { ... }             # those with an install script, the oldest first
package Stratum::Install;

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
our @EXPORT_OK = qw(structure rows load_rows fill_tables empty_tables versions is_same);

# Every object of the schema, one line a thing. Access lists are sorted: their order depends on history.
my $structure = <<'SQL';
SET search_path = pg_catalog;
CREATE TEMP VIEW ours AS SELECT * FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind IN ('r', 'p', 'S', 'v');
CREATE FUNCTION pg_temp.acl(aclitem[]) RETURNS text LANGUAGE sql AS
  $$ SELECT string_agg(x::text, ', ' ORDER BY x::text COLLATE "C") FROM unnest($1) x $$;

SELECT line FROM (
  SELECT 'version ' || stratum.version() || ', storage ' || stratum.storage_version()
  UNION ALL
  SELECT 'member ' || pg_describe_object(d.classid, d.objid, d.objsubid)
  FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
  WHERE e.extname = 'stratum' AND d.deptype = 'e'
  UNION ALL
  SELECT format('function %s: %s %s', p.oid::regprocedure, pg_get_functiondef(p.oid), pg_temp.acl(p.proacl))
  FROM pg_proc p WHERE p.pronamespace = 'stratum'::regnamespace
  UNION ALL
  SELECT format('relation %s: %s %s %s %s %s %s %s', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relowner::regrole, c.reloptions,
                pg_temp.acl(coalesce(c.relacl, acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))))
  FROM ours c
  UNION ALL
  SELECT format('column %s.%s: %s %s %s %s %s %s', c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage,
                pg_get_expr(d.adbin, d.adrelid), pg_temp.acl(a.attacl))
  FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  UNION ALL
  SELECT format('sequence %s: %s %s %s %s %s %s of %s', c.relname, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle,
                (SELECT pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) FROM pg_depend d
                 WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a' AND d.refclassid = 'pg_class'::regclass))
  FROM ours c JOIN pg_sequence s ON s.seqrelid = c.oid
  UNION ALL
  SELECT format('constraint %s.%s: %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
  FROM ours c JOIN pg_constraint k ON k.conrelid = c.oid
  UNION ALL
  SELECT format('index %s %s', pg_get_indexdef(i.indexrelid), i.indisvalid) FROM ours c JOIN pg_index i ON i.indrelid = c.oid
  UNION ALL
  SELECT format('policy %s.%s: %s %s %s %s %s', c.relname, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[],
                pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid))
  FROM ours c JOIN pg_policy p ON p.polrelid = c.oid
  UNION ALL
  SELECT format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM ours c JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT format('type %s: %s %s', t.typname, (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), pg_temp.acl(t.typacl))
  FROM pg_type t WHERE t.typnamespace = 'stratum'::regnamespace AND t.typtype = 'e'
  UNION ALL
  SELECT 'schema ' || pg_temp.acl(nspacl) FROM pg_namespace WHERE nspname = 'stratum'
  UNION ALL
  SELECT format('comment on %s %s: %s', o.type, o.identity, d.description)
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o WHERE o.identity LIKE '%stratum%'
  UNION ALL
  SELECT format('initial rights of %s %s: %s', o.type, o.identity, pg_temp.acl(i.initprivs))
  FROM pg_init_privs i, pg_identify_object(i.classoid, i.objoid, i.objsubid) o WHERE o.identity LIKE '%stratum%'
) s (line) ORDER BY line COLLATE "C"
SQL

sub structure { my ($node, $db) = @_; return $node->sql($structure, db => $db) }

# Number and checksum of the rows of every table that has some, and where the sequences stand that have been used:
# another version may have more of them.
sub rows
{
	my ($node, $db) = @_;
	return $node->sql(<<'SQL', db => $db);
SELECT format('SELECT %L || count(*) || $$ $$ || coalesce(md5(string_agg(t::text, $$|$$ ORDER BY t::text)), $$$$) FROM %s t HAVING count(*) > 0', c.oid::regclass || ' ', c.oid::regclass)
FROM pg_class c WHERE c.relnamespace IN ('stratum'::regnamespace, 'public'::regnamespace) AND c.relkind IN ('r', 'p')
ORDER BY c.oid::regclass::text \gexec
SELECT schemaname || '.' || sequencename || ' ' || last_value FROM pg_sequences WHERE last_value IS NOT NULL ORDER BY 1;
SQL
}

# Rows of two tenants, changed and deleted ones too, and a table of the user's under audit.
sub load_rows
{
	my ($node, $db) = @_;
	return $node->sql(<<'SQL', db => $db);
INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north'), ('South', 'south');
BEGIN;
SELECT stratum.enter(1);
INSERT INTO stratum.users (email, password_hash) VALUES ('ann@north.test', 'secret');
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, impressions, clicks, total_spend_cents)
  SELECT 'meta', 'ext' || g, 'acc', 'Campaign ' || g, g * 1000, g * 7, g * 100 FROM generate_series(1, 20) g;
INSERT INTO stratum.cdp_profiles (canonical_id, email, traits)
  SELECT md5('person ' || g)::uuid, 'p' || g || '@x.test', jsonb_build_object('ltv', g * 10) FROM generate_series(1, 50) g;
INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'Purchase', 'track', now() FROM stratum.cdp_profiles;
INSERT INTO stratum.cdp_segments (name, conditions) VALUES
  ('rich', '{"conditions": [{"field": "trait.ltv", "operator": "greater_than", "value": 300}]}');
SELECT stratum.refresh_segments();
UPDATE stratum.campaigns SET name = name || '!' WHERE id % 5 = 0;
DELETE FROM stratum.campaigns WHERE id % 10 = 1;
SELECT stratum.log_event('login', 'session');
COMMIT;
CREATE TABLE public.notes (id serial PRIMARY KEY, tenant_id int DEFAULT stratum.current_tenant_id(), body text);
SELECT stratum.audit_table('public.notes', redact => '{body}');
INSERT INTO public.notes (tenant_id, body) VALUES (1, 'hush');
SQL
}

# load_rows(), and then a row at least in every other table that the version of the database has.
sub fill_tables
{
	my ($node, $db) = @_;
	load_rows($node, $db);
	$node->sql(<<'SQL', db => $db);
UPDATE stratum.tenants SET max_users = 50;
CREATE INDEX ON public.notes (tenant_id);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON public.notes USING (tenant_id = stratum.current_tenant_id());
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO stratum.tenant_platform_connections (platform, access_token) VALUES ('meta', 'hush');
INSERT INTO stratum.cdp_audience_syncs (segment_id, platform, name) VALUES (1, 'meta', 'the rich');
INSERT INTO stratum.campaign_drafts (created_by_id, name, platforms, data) VALUES (1, 'Draft', '["meta"]', '{"account_id": "a"}');
INSERT INTO stratum.fact_signal_health_daily (date, platform, health_score) VALUES (current_date, 'meta', 90), (current_date - 1, 'meta', 30);
INSERT INTO stratum.rules (name, conditions, actions, status) VALUES ('Label', '{"conditions": [{"field": "clicks", "operator": "gte", "value": 100}]}', '[{"type": "apply_label", "label": "x"}, {"type": "send_alert"}]', 'active');
INSERT INTO stratum.fact_actions_queue (action_type, entity_type, entity_id, payload) VALUES ('pause_campaign', 'campaign', 2, '{}');
COMMIT;
SELECT stratum.version() <> '1.0' AS since_11 \gset
\if :since_11
SELECT stratum.audit_table('public.notes', redact => '{body:hash}');
SELECT stratum.add_jwt_key('first', sha256('secret'), 'test');
BEGIN;
SELECT stratum.enter(1, 1);
INSERT INTO public.notes (body) VALUES ('hashed');
SELECT count(*) FROM stratum.evaluate_rule(1, false);
SELECT stratum.approve_action(id) FROM stratum.fact_actions_queue WHERE action_type = 'send_alert';
SELECT stratum.execute_action(id) FROM stratum.fact_actions_queue WHERE action_type = 'send_alert';
SELECT count(*) FROM stratum.claim_actions('worker', 2);
UPDATE stratum.cdp_profiles SET external_id = 'x' || id, consent = '{"marketing": true, "ads": true}' WHERE id < 9;
SELECT stratum.merge_profiles(1, 2), stratum.merge_profiles(40, 41);
SELECT stratum.set_segment_options(1, is_live => true, keeps_history => true);
UPDATE stratum.cdp_profiles SET traits = '{"ltv": 1}' WHERE id = 45;
SELECT stratum.settle_segments();
UPDATE stratum.cdp_profiles SET consent = '{"marketing": true, "ads": true}';
SELECT stratum.start_audience_sync(1);
SELECT stratum.finish_audience_sync(1);
COMMIT;
SELECT stratum.seal_audit(1), stratum.seal_audit(2), stratum.seal_audit(NULL);
\endif
SQL
	return;
}

sub empty_tables
{
	my ($node, $db) = @_;
	return $node->sql(<<'SQL', db => $db);
SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM %s)', c.oid::regclass, c.oid::regclass)
FROM pg_class c WHERE c.relnamespace = 'stratum'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname \gexec
SQL
}

# A version has an install script; `sort` by its numbers.
sub versions
{
	my @numbers = map { m{stratum--(\d+)\.(\d+)\.sql$} ? [ $1, $2 ] : () } glob "$ENV{STRATUM_SRC}/sql/stratum--*.sql";
	return map { "$_->[0].$_->[1]" } sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @numbers;
}

# So that a failure says what differs, not all of it.
sub is_same
{
	my ($got, $expected, $name) = @_;
	my (%got, %expected);
	$got{$_}++ for split /\n/, $got;
	$expected{$_}++ for split /\n/, $expected;
	return ok(1, $name) if $got eq $expected;
	ok(0, $name);
	diag("too many: $_") for grep { !$expected{$_} } sort keys %got;
	diag("missing: $_") for grep { !$got{$_} } sort keys %expected;
	return;
}

1;
