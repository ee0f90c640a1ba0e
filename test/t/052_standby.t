#!/usr/bin/perl
# On a hot standby tenants are entered as on the primary: looking up locks no row and writes nothing. Promoted, it goes on
# where the primary was.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Stratum::Cluster;
use Stratum::Install qw(rows fill_tables is_same);
use Stratum::Tried qw(tried);
use Test::More;

my $primary = Stratum::Cluster->new;
my $secret = 'a secret of more than 32 bytes, for tests';
my $look = 'SELECT stratum.current_tenant_id(), stratum.current_user_id(), (SELECT string_agg(name, $$,$$) FROM stratum.campaigns)';
my $token = "'0123456789abcdef'";

$primary->sql(<<"SQL");
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
CREATE ROLE auth LOGIN IN ROLE stratum_auth;
INSERT INTO stratum.tenants (name, slug, is_deleted) VALUES ('North', 'north', false), ('South', 'south', false), ('Gone', 'gone', true);
INSERT INTO stratum.users (tenant_id, email, password_hash, role) VALUES (1, 'ann\@x.test', 'x', 'admin'), (2, 'bob\@x.test', 'x', 'viewer');
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT g, 'meta', 'x', 'a', 'C' || g FROM generate_series(1, 2) g;
SELECT stratum.add_jwt_key('k', '$secret', 'test');
SQL
my $node = $primary->standby;
$primary->wait_for($node);
is($node->sql('SELECT pg_is_in_recovery()'), 't', 'a standby');

is($node->sql("BEGIN;\nSELECT stratum.enter(1, 1) \\g /dev/null\n$look;\nCOMMIT;\n$look", user => 'app'), "1|1|C1\n||", 'enter()');
is($node->sql("BEGIN;\nSELECT stratum.enter(1, 1) \\g /dev/null\nSELECT stratum.leave() \\g /dev/null\n$look;\nCOMMIT", user => 'app'), '||', 'leave()');
is($node->sqlstate('SELECT stratum.enter(3)', user => 'app'), '55000', 'a deleted tenant');
is($node->sqlstate('SELECT stratum.enter(1, 2)', user => 'app'), 'P0002', "another tenant's user");
is($node->sql("SELECT stratum.enter_session(2, 2, $token) \\g /dev/null\n$look;\nDISCARD ALL;\n$look;\nSELECT stratum.leave_session($token) \\g /dev/null\n$look", user => 'app'),
	"2|2|C2\n||\n||", 'the session lock');

my $signed = encode_base64url('{"alg":"HS256","kid":"k"}', '') . '.'
  . encode_base64url(sprintf('{"exp":%d,"aud":"test","tenant_id":1,"user_id":1}', time + 600), '');
my $jwt = $signed . '.' . encode_base64url(hmac_sha256($signed, $secret), '');
is($node->sql("BEGIN;\nSELECT stratum.enter_jwt('$jwt') \\g /dev/null\n$look, stratum.user_can('users.manage');\nCOMMIT", user => 'app'), '1|1|C1|t', 'enter_jwt(), user_can()');
is($node->sql("SELECT tenant_id, user_id FROM stratum.sign_in_candidates(encode(sha256('ann\@x.test'), 'hex'))", user => 'auth'), '1|1', 'sign_in_candidates()');
is($node->sql("BEGIN;\nSELECT stratum.enter(1) \\g /dev/null\nSELECT users, max_users FROM stratum.tenant_limits();\nCOMMIT", user => 'app'), '1|5', 'tenant_limits()');
is($node->sqlstate("BEGIN; SELECT stratum.enter(1); UPDATE stratum.campaigns SET name = 'x'", user => 'app'), '25006', 'writing is what it cannot');

# What the primary says counts at once: nothing is remembered from one transaction to the next.
my $before = "BEGIN;\nSELECT stratum.enter(1, 1) \\g /dev/null\n$look;\nCOMMIT;\n";
is($node->sql($before, user => 'app'), '1|1|C1', 'entered before');
$primary->sql('UPDATE stratum.users SET is_active = false WHERE id = 1');
$primary->wait_for($node);
is($node->sqlstate('SELECT stratum.enter(1, 1)', user => 'app'), '28000', 'and not afterwards');

# How long it takes is told, not tested.
$primary->sql('UPDATE stratum.users SET is_active = true WHERE id = 1');
$primary->wait_for($node);
my (undef, undef, $said) = $node->psql(<<'SQL', user => 'app');
DO $$
DECLARE
  started timestamptz;
  least float := 'infinity';
BEGIN
  PERFORM stratum.enter(1, 1);
  FOR round IN 1..200 LOOP
    started := clock_timestamp();
    FOR i IN 1..100 LOOP PERFORM stratum.enter(1, 1); PERFORM stratum.leave(); END LOOP;
    least := least(least, extract(epoch FROM clock_timestamp() - started) * 10000);
  END LOOP;
  RAISE NOTICE 'enter() and leave() on the standby: % microseconds', round(least::numeric, 1);
END $$;
SQL
like($said, qr/microseconds/, 'a loop of them');
diag('measured: ' . ($said =~ /NOTICE:\s+(.*)/)[0]);

# ---- promotion ---------------------------------------------------------------------------------------------------

# Sealed and not yet sealed entries, a live segment, rows in every table, in a database of their own.
my $verify = 'SELECT t, v.* FROM unnest(ARRAY[1, 2, NULL]) t, stratum.verify_audit(t) v';
$primary->sql('CREATE DATABASE shop');
$primary->sql('CREATE EXTENSION stratum', db => 'shop');
fill_tables($primary, 'shop');
$primary->sql(q{UPDATE stratum.campaigns SET name = 'unsealed' WHERE id = 2}, db => 'shop');
$primary->wait_for($node);
sub tables { return join "\n", grep { !/_seq / } split /\n/, rows($_[0], 'shop') }    # what sequences say is not for a standby
is_same(tables($node), tables($primary), 'every row of every table is there');
is($node->sql($verify, db => 'shop'), '', 'the seals verify on the standby');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'shop'), '', 'which is healthy');
my ($entries, $last) = split /\|/, $primary->sql('SELECT count(*), max(id) FROM stratum.audit_logs', db => 'shop');

$primary->stop;
my ($rc, undef, $error) = $node->command('pg_ctl', '-w', '-t', 600, '-s', '-D', $node->data, 'promote');
is($rc, 0, 'promoted') or diag($error);
is($node->sql('SELECT pg_is_in_recovery()'), 'f', 'no standby any more');
is($node->sql('SELECT count(*) FROM stratum.audit_logs', db => 'shop'), $entries, 'nothing is lost, nothing is added');
is($node->sql(<<'SQL', db => 'shop', user => 'app'), "2|1\n2", 'the application writes');
BEGIN;
SELECT stratum.enter(1, 1)\g /dev/null
INSERT INTO stratum.campaigns (platform, external_id, account_id, name, impressions, clicks) VALUES ('google', 'promoted', 'a', 'n', 100, 2) RETURNING ctr, tenant_id;
INSERT INTO stratum.cdp_profiles (canonical_id, traits) VALUES (md5('promoted')::uuid, '{"ltv": 5000}');
SELECT count(*) FROM stratum.audit_logs WHERE created_at = now();
COMMIT;
SQL
is($node->sql("SELECT min(id) > $last, count(*) FROM stratum.audit_logs WHERE id > $last", db => 'shop'), 't|2', 'with new ids');
is($node->sql(q{SELECT count(*) FROM stratum.cdp_segment_memberships m JOIN stratum.cdp_profiles p ON p.id = m.profile_id WHERE p.canonical_id = md5('promoted')::uuid AND m.segment_id = 1}, db => 'shop'), '1', 'live segments are kept');
is($node->sql('SELECT stratum.seal_audit(1) > 0', db => 'shop'), 't', 'the chain goes on');
is($node->sql($verify, db => 'shop'), '', 'and is whole');
is($node->sql("BEGIN;\nSELECT stratum.enter(1, 1) \\g /dev/null\n$look;\nCOMMIT;\n$look", user => 'app'), "1|1|C1\n||", 'tenants are entered as before');
is($node->sql('SELECT * FROM stratum.check_install()', db => $_), '', "$_: healthy") for qw(postgres shop);

tried('a physical standby: tenants read there, promoted it goes on (writes, live segments, seals, rows in every table)', '1 promotion, ' . ($last + 2) . ' audited changes');
done_testing();
