#!/usr/bin/perl
# The seals of the audit trail are of the rows, not of the place: they verify after a restore, in another encoding, and after
# the table was written anew; and tampering is found there too.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $dir = $node->dir;
my $problems = 'SELECT * FROM stratum.verify_audit(1) UNION ALL SELECT * FROM stratum.verify_audit(NULL)';

$node->sql(q{CREATE DATABASE source TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'});
$node->sql(<<'SQL', db => 'source');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north');
INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id, email, first_name, traits)
  SELECT 1, md5(g::text)::uuid, 'p' || g || '@x.test', 'Zoë', jsonb_build_object('ltv', g / 7.0, 'näme', 'ß') FROM generate_series(1, 1500) g;
SELECT stratum.log_event('login', 'session');
BEGIN;
SELECT stratum.enter(1);
SELECT stratum.anonymize_profile(7);
COMMIT;
CALL stratum.seal_all_audit();
SQL
# not sealed at the time of the dump
$node->sql(q{UPDATE stratum.cdp_profiles SET first_name = 'Zoe' WHERE id < 10}, db => 'source');
my $head = $node->sql('SELECT digest FROM stratum.audit_head(1)', db => 'source');
like($head, qr/^[0-9a-f]{64}$/, 'there is a head');

my $verified = 0;
sub whole
{
	my ($db, $name) = @_;
	$verified += 2;
	is($node->sql($problems, db => $db), '', "$name: the chains are whole");
	is($node->sql("SELECT * FROM stratum.verify_audit(1, '$head')", db => $db), '', 'and hold the head of before');
	return;
}

is(($node->command('pg_dump', '-Fc', '-f', "$dir/source.dump", 'source'))[0], 0, 'pg_dump');
for my $encoding ('UTF8', 'LATIN1')
{
	my $db = lc "restored_$encoding";
	$node->sql("CREATE DATABASE $db TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	is(($node->command('pg_restore', '-d', $db, "$dir/source.dump"))[0], 0, "pg_restore into $encoding");
	whole($db, "restored in $encoding");
	$node->sql('ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER; DELETE FROM stratum.audit_logs WHERE id = 100; ALTER TABLE stratum.audit_logs ENABLE TRIGGER USER', db => $db);
	is($node->sql($problems, db => $db), '100|was removed', 'a row that is removed there is found');
}

# the numbers of the transactions are others then
for my $way ('VACUUM FULL stratum.audit_logs', 'ALTER TABLE stratum.audit_logs ALTER id TYPE bigint', 'CLUSTER stratum.audit_logs USING audit_logs_pkey',
	'VACUUM FREEZE stratum.audit_logs')
{
	$node->sql(q{UPDATE stratum.cdp_profiles SET first_name = first_name || '!' WHERE id < 10}, db => 'source');
	$node->sql($way, db => 'source');
	whole('source', $way);
}

# a downgrade would lose them
is($node->sqlstate(q{ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'source'), '55000', 'a downgrade is refused');
is($node->sqlstate(q{SET stratum.allow_data_loss = on; ALTER EXTENSION stratum UPDATE TO '1.0'}, db => 'source'), '', 'unless that is meant');
is($node->sql(q{SELECT to_regclass('stratum.audit_seals') IS NULL AND to_regclass('stratum.audit_chains') IS NULL}, db => 'source'), 't', 'then they are gone');

tried('the audit chain verified after dump and restore into other encodings and after tables were written anew', "$verified verifications");
done_testing();
