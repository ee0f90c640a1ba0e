#!/usr/bin/env perl
# The SQL of version 1.0 with this library, as a database has it until ALTER EXTENSION UPDATE: it says what the new one
# says of the same rows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new(config => "stratum.progress_interval = 0\n");
my @versions = ('1.0', '1.1');
my %db = map { $_ => 'v' . tr/.//dr } @versions;
for my $version (@versions)
{
	$node->sql("CREATE DATABASE $db{$version}");
	$node->sql(<<"SQL", db => $db{$version});
CREATE EXTENSION stratum VERSION '$version';
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'A', 'a'), (2, 'B', 'b');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id, email, traits)
SELECT n, 1 + n / 12001, md5(n::text)::uuid, CASE WHEN n % 3 = 0 THEN 'p' || n || '\@x.test' END,
  CASE WHEN n % 11 > 0 THEN jsonb_build_object('n', n, 'tags', jsonb_build_array('t' || n % 5, n % 4), 'ltv', CASE WHEN n % 2 = 0 THEN to_jsonb(n) ELSE to_jsonb(n::text) END, 'at', now() - n * interval '1 hour') END
FROM generate_series(1, 12100) n;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp, properties) SELECT 1, n, 'Purchase', 'track', now() - n * interval '1 day', jsonb_build_object('total', n) FROM generate_series(1, 50) n;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name, total_spend_cents, clicks, conversions) SELECT 1, 'meta', n, 'a', 'c' || n, n * 100, n % 7, n FROM generate_series(1, 30) n;
CREATE TABLE def (n serial, d jsonb);
INSERT INTO def (d) SELECT jsonb_build_object('logic', l, 'conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('field', f, 'operator', o, 'value', v::jsonb))))
FROM (VALUES ('trait.n', 'lte', '5000'), ('trait.n', 'equals', '77'), ('trait.n', 'is_null', NULL), ('trait.ltv', 'gte', '6000'), ('trait.tags', 'contains', '"T1"'), ('trait.tags', 'contains_all', '["t1", 2]'),
  ('trait.tags', 'contains_any', '["t3", 1]'), ('trait.at', 'within_last', '10'), ('profile.email', 'starts_with', '"P1"'), ('identifier.email', 'equals', 'false'), ('profile.id', 'between', '[10, 20]'),
  ('event.Purchase.count', 'gte', '1'), ('event.Purchase.property.total', 'lte', '10'), ('profile.created_at', 'after', '"2020-01-01"')) v (f, o, v), unnest('{and,not}'::text[]) l;
INSERT INTO def (d) VALUES ('{}'), ('{"logic": "or", "conditions": [{"field": "trait.n", "operator": "equals", "value": 3}], "groups": [{"conditions": [{"field": "identifier.email", "operator": "equals", "value": true}, {"field": "trait.n", "operator": "gte", "value": 11000}]}]}');
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) SELECT n, 1, 's' || n, d FROM def;
INSERT INTO stratum.cdp_segments (id, tenant_id, name, conditions) VALUES (100, 2, 'b', '{"conditions": [{"field": "trait.n", "operator": "is_not_null"}]}');
SQL
}

my $compared = 0;
sub same
{
	$compared++;
	my ($name, $sql) = @_;
	my %said = map { $_ => join '', ($node->psql($sql, db => $db{$_}))[ 1, 2 ] } @versions;
	is($said{'1.0'}, $said{'1.1'}, $name);
	cmp_ok(length $said{'1.0'}, '>', 1, '    there is something to say');
	return $said{'1.0'};
}
my $enter = "BEGIN; SELECT stratum.enter(1)\\g /dev/null\n";

same('rows', 'SELECT n, count(*) FILTER (WHERE stratum.segment_matches(d, p)) FROM stratum.cdp_profiles p, def GROUP BY n ORDER BY n');
same('traits', 'SELECT n, count(*) FILTER (WHERE stratum.segment_matches(d, traits)), count(*) FILTER (WHERE stratum.traits_match(d, traits)) FROM stratum.cdp_profiles p, def GROUP BY n ORDER BY n');
same('constants', q(SELECT format('SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum.segment_matches(%L, p) IS NOT FALSE', d) FROM def ORDER BY n \gexec));
same('campaigns', q(SELECT name FROM stratum.campaigns c WHERE stratum.campaign_matches('{"logic": "or", "conditions": [{"field": "spend", "operator": "lte", "value": 3}, {"field": "conversion_rate", "operator": "greater_than", "value": 500}]}', c) ORDER BY id));
same('refusals', "\\set ON_ERROR_STOP off\n\\set VERBOSITY verbose\n" . q(SELECT stratum.validate_conditions('{"conditions": [{"field": "trait.n"}]}'); SELECT stratum.segment_matches('[]', '{}'); SELECT stratum.segment_matches('{}', 1)) =~ s/;/;\n/gr . ';') =~ /LOCATION/ or fail('refused');
same('refreshed', "$enter SELECT * FROM stratum.refresh_segments(); COMMIT");
same('again', "$enter SELECT * FROM stratum.refresh_segments() WHERE added + removed > 0; SELECT count(*), min(profile_count), max(profile_count) FROM stratum.cdp_segments; COMMIT");
same('members', 'SELECT segment_id, count(*), sum(profile_id) FROM stratum.cdp_segment_memberships GROUP BY 1 ORDER BY 1');
same('one of them', "UPDATE stratum.cdp_profiles SET traits = '{\"n\": 1}' WHERE id BETWEEN 6000 AND 6010; $enter SELECT * FROM stratum.refresh_segment(1); SELECT * FROM stratum.refresh_segment(2); COMMIT");
same('live', "$enter SELECT segment_id FROM stratum.profile_segments(77) ORDER BY 1; SELECT count(*), sum(profile_id) FROM stratum.segment_profiles(3); SELECT profile_count, jsonb_path_query_array(sample, '\$[*].id') FROM stratum.preview_segment((SELECT d FROM def WHERE n = 5), 3); COMMIT");
same('all tenants', 'CALL stratum.refresh_all_segments(); SELECT tenant_id, count(*) FROM stratum.cdp_segment_memberships GROUP BY 1 ORDER BY 1');

# The function behind, which 1.1 has no more, by hand.
sub old { my ($sql) = @_; return join '', ($node->psql($sql, db => $db{'1.0'}))[ 1, 2 ] }
is(old('SELECT DISTINCT stratum._matching_segments((SELECT array_agg(n ORDER BY n) FROM def), (SELECT array_agg(d ORDER BY n) FROM def), p) = ARRAY(SELECT n::bigint FROM def WHERE stratum.segment_matches(d, p) ORDER BY n) FROM stratum.cdp_profiles p WHERE id < 300'), "t\n", 'many definitions at once');
is(old("SELECT stratum._matching_segments('{}', '{}', p), stratum._matching_segments(NULL, '{}', p) FROM stratum.cdp_profiles p LIMIT 1"), "{}|\n", 'none');
like(old("SELECT stratum._matching_segments('{1}', '{}', p) FROM stratum.cdp_profiles p LIMIT 1"), qr/1 segments have 0 definitions/, 'fewer definitions than ids');
like(old("SELECT stratum._matching_segments('{1}', '{NULL}', p) FROM stratum.cdp_profiles p LIMIT 1"), qr/^ERROR:  null array element not allowed|ERROR:.*null array/m, 'a NULL among them');
like(old("SELECT stratum._matching_segments('{1}', '{\"[]\"}', p) FROM stratum.cdp_profiles p LIMIT 1"), qr/a definition must be an object/, 'a bad one');
like(old("SELECT stratum._matching_segments('{1}', '{\"{}\"}', 1)"), qr/a profile must be a row, not integer/, 'what is no row');
# Constants are not rewritten: the old functions have no support. After an update they are, with nothing else to do.
my $plan = "EXPLAIN SELECT FROM stratum.cdp_profiles p WHERE stratum.segment_matches('{\"conditions\": [{\"field\": \"trait.n\", \"operator\": \"equals\", \"value\": 77}]}', p)";
unlike(old($plan), qr/_profile_matches/, 'a constant, as of old');
old("ALTER EXTENSION stratum UPDATE TO '1.1'");
like(old($plan), qr/_profile_matches/, 'and after the update');
same('refreshed after the update', "$enter SELECT * FROM stratum.refresh_segments(); COMMIT");

tried('the SQL of 1.0 with the library of today: the same answers as those of today', "$compared queries");
done_testing();
