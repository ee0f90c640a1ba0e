#!/usr/bin/env perl
# pg_upgrade of a cluster with three databases: one of today, one with bigint ids, one of stratum's oldest version.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../../t/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows fill_tables empty_tables versions is_same);
use Stratum::Suite qw(regress_database regress_names regress_tests pgtap_tests);
use Stratum::Tried qw(tried);
use Test::More;

my $older = $ENV{STRATUM_OLDER} or plan(skip_all => 'needs a second server: test/deep/pg_upgrade');
my ($oldest, $newest) = (versions())[ 0, -1 ];
my $check = 'SELECT * FROM stratum.check_install()';
my $verify = 'SELECT t, v.* FROM unnest(ARRAY[1, 2, NULL]) t, stratum.verify_audit(t) v';
my %version_of = (today => $newest, wide => $newest, behind => $oldest);

# ---- before ----------------------------------------------------------------------------------------------------

my $old = Stratum::Cluster->new(bin => $older, initdb => ['-k']);
$old->sql('CREATE ROLE app LOGIN');
for my $db (sort keys %version_of)
{
	regress_database($old, $db);
	$old->sql("CREATE EXTENSION stratum VERSION '$version_of{$db}'", db => $db);
	fill_tables($old, $db);
	is(empty_tables($old, $db), '', "$db: rows in every table");
}
$old->sql('GRANT stratum_app TO app');
$old->sql('SET client_min_messages = warning; CALL stratum.widen_ids()' =~ s/; /;\n/r, db => 'wide');
$old->sql(q{SELECT setval('stratum.cdp_events_id_seq', 3000000000)}, db => 'wide');
$old->sql(<<'SQL', db => 'today');
ALTER TABLE stratum.campaigns ADD COLUMN team text DEFAULT 'none';
CREATE POLICY my_policy ON stratum.campaigns AS RESTRICTIVE FOR DELETE USING (team <> 'locked');
ALTER TABLE stratum.rules DISABLE TRIGGER zz_stratum_mixin;
REVOKE DELETE ON stratum.cdp_events FROM stratum_app;
SQL

# What a tenant sees and gets; a write leaves nothing behind but its place in the sequences.
my $event = q{SELECT stratum.ingest_event('{"event_name": "Purchase", "external_id": "x7", "traits": {"ltv": 900}}')};
my $work = <<'SQL';
BEGIN;
SELECT stratum.enter(1, 1)\g /dev/null
SELECT count(*), sum(impressions), round(avg(ctr)::numeric, 9) FROM stratum.campaigns;
SELECT array_agg(p ORDER BY p) FROM stratum.segment_profiles(1) p;
SELECT action, changed_at IS NOT NULL FROM stratum.row_history('stratum.campaigns', '5');
UPDATE stratum.campaigns SET clicks = 40 WHERE id = 2 RETURNING ctr;
SELECT action, user_id, new_values ->> 'clicks' FROM stratum.audit_logs WHERE created_at = now();
ROLLBACK;
SELECT count(*) FROM stratum.campaigns;
SQL
$work =~ s/^SELECT action, changed_at.*\n//m;
my (%rows, %said);
# verify_audit() seals what it can
is($old->sql($verify, db => $_), '', "$_: the seals are whole") for qw(today wide);
is($old->sql($check, db => 'wide'), '', 'wide: healthy');
for my $db (sort keys %version_of)
{
	$said{$db} = $old->sql($work, db => $db, user => 'app');
	$rows{$db} = rows($old, $db);
}
my $number = $old->sql('SHOW server_version');
$old->stop;

# ---- pg_upgrade ------------------------------------------------------------------------------------------------

my $new = Stratum::Cluster->new(initdb => ['-k'], start => 0);
chdir $new->dir or die $!;
my ($rc, $out, $err) = $new->command('pg_upgrade', '-U', 'postgres', '-b', $older, '-B', $new->bin, '-d', $old->data, '-D', $new->data, '-s', $new->dir);
is($rc, 0, 'pg_upgrade') or diag($out, $err);
$new->start;
my $to = $new->sql('SHOW server_version');
$new->sql(q{SELECT format('VACUUM ANALYZE %s', oid::regclass) FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind = 'r' \gexec}, db => $_) for keys %version_of;

# A fresh install of the newer server, to compare with.
my %fresh;
for my $version ($oldest, $newest)
{
	my $db = 'fresh' . $version =~ tr/.//dr;
	$new->sql("CREATE DATABASE $db");
	$new->sql("CREATE EXTENSION stratum VERSION '$version'", db => $db);
	fill_tables($new, $db);
	$fresh{$version} = structure($new, $db);
}

for my $db (sort keys %version_of)
{
	is_same(rows($new, $db), $rows{$db}, "$db: every row, every sequence is as before");
	is($new->sql($work, db => $db, user => 'app'), $said{$db}, "$db: a tenant works as before");
}
is($new->sql('SHOW server_version_num') >= 170000, 1, "from $number to $to");

# ---- what is there ---------------------------------------------------------------------------------------------

sub without_own { return join "\n", grep { !/campaigns\.team/ } split /\n/, $_[0] }
like($new->sql(q{SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'my_policy'}, db => 'today'), qr/team <> 'locked'/, 'today: a policy of the user is there');
is(join(' ', map { (split /\|/)[0] } split /\n/, $new->sql($check, db => 'today')), 'right cdp_events to stratum_app trigger rules.zz_stratum_mixin', 'today: nothing is reported but what the user has done');
$new->sql('ALTER TABLE stratum.rules ENABLE TRIGGER zz_stratum_mixin; DROP POLICY my_policy ON stratum.campaigns; GRANT DELETE ON stratum.cdp_events TO stratum_app', db => 'today');
is($new->sql($check, db => $_), '', "$_: healthy") for qw(today wide);
is_same(without_own(structure($new, 'today')), $fresh{$newest}, 'today: as a fresh install of the newer server');
is_same(structure($new, 'wide') =~ s/bigint/integer/gr, $fresh{$newest} =~ s/bigint/integer/gr, 'wide: too, but for the width');
is_same(structure($new, 'behind'), $fresh{$oldest}, "behind: as a fresh $oldest");
$new->sql("ALTER EXTENSION stratum UPDATE TO '$newest'", db => 'behind');
is($new->sql($check, db => 'behind'), '', 'behind: updated, healthy');
is_same(structure($new, 'behind'), $fresh{$newest}, "behind: as a fresh $newest");
is($new->sql($work, db => 'behind', user => 'app'), $said{behind}, 'behind: a tenant works as before the update');

# ---- it goes on ------------------------------------------------------------------------------------------------

for my $db (qw(today wide behind))
{
	is($new->sql($verify, db => $db), '', "$db: the seals are whole");
	is($new->sql("BEGIN; SELECT stratum.enter(1, 1)\\g /dev/null\n$event\\g /dev/null\nUPDATE stratum.campaigns SET clicks = 41 WHERE id = 2; COMMIT;\nSELECT stratum.seal_audit(1) > 0", db => $db), 't', "$db: what is written now is sealed");
	is($new->sql($verify, db => $db), '', "$db: and verifies");
	is($new->sql(q{SELECT set_config('session_replication_role', 'replica', false)\g /dev/null
UPDATE stratum.audit_logs SET resource_id = '0' WHERE id = (SELECT max(id) FROM stratum.audit_logs WHERE tenant_id = 1);
SELECT count(*) > 0 FROM stratum.verify_audit(1)}, db => $db), 't', "$db: and would not if somebody had changed a row");
}
is($new->sql(q{SELECT max(id) > 3000000000 FROM stratum.cdp_events}, db => 'wide'), 't', 'wide: ids are beyond 2147483647');
is($new->sql("BEGIN; SELECT stratum.enter(1, 1)\\g /dev/null\nUPDATE stratum.cdp_profiles SET traits = '{\"ltv\": 999}' WHERE id = 45; SELECT stratum.settle_segments(); SELECT count(*) FROM stratum.cdp_segment_memberships WHERE profile_id = 45; ROLLBACK" =~ s/; /;\n/gr =~ s/settle_segments\(\);/settle_segments()\\g \/dev\/null/r, db => $_), '1', "$_: segments are kept live") for qw(today wide);

my $assertions = pgtap_tests($new, 'behind');
# As in t/048_suite_elsewhere.t.
my @tests = grep { !/^(?:conditions.*|hash.*|sha256|metrics|schedules|audit_failures|audit_paths|audit_redact|hardening|segment_memberships)$/ } regress_names();
my $files = regress_tests($new, 'today', @tests);
my $versions = "$number -> $to";
tried('pg_upgrade with rows in every table: of the newest version, with bigint ids, of the oldest version and updated then', '3 databases', $versions);
tried('the suite in databases that pg_upgrade made', "$files regression files, $assertions assertions of pgTAP", $versions);
chdir '/';
done_testing();
