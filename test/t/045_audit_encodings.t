#!/usr/bin/env perl
# The audit trail in databases of other encodings: seals are those of the UTF-8 text, and bytes that have no character in
# UTF-8 are sealed as they are: they keep neither the write nor the chain from going on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new;

# A trail with one entry, whose salt and time are given, so that its digest depends on the text alone.
sub make_trail
{
	my ($db, $encoding) = @_;
	$node->sql("CREATE DATABASE $db TEMPLATE template0 ENCODING '$encoding' LOCALE 'C' LOCALE_PROVIDER libc");
	$node->sql(<<'SQL', db => $db);
CREATE EXTENSION stratum;
SET client_encoding = 'UTF8';
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'Café', 'cafe');
CREATE TABLE public.notes (id text PRIMARY KEY, tenant_id integer, body text);
SELECT stratum.audit_table('public.notes');
INSERT INTO public.notes VALUES ('é', 1, 'Crème brûlée ' || repeat('ß', 1000));
SQL
	return;
}

my $payload = q{SELECT stratum._payload_digest(old_values, new_values, metadata, ip_address::text, user_agent, '\x000102030405060708090a0b0c0d0e0f') FROM stratum.audit_logs WHERE resource_type = 'public.notes' ORDER BY id LIMIT 1};
make_trail('utf8', 'UTF8');
make_trail('latin1', 'LATIN1');
make_trail('win1252', 'WIN1252');
my $digest = $node->sql($payload, db => 'utf8');
like($digest, qr/^[0-9a-f]{64}$/, 'a digest');
is($node->sql($payload, db => $_), $digest, "the same in $_") for qw(latin1 win1252);

for my $db (qw(utf8 latin1 win1252))
{
	is($node->sql('SELECT stratum.seal_audit(1) > 0; SELECT * FROM stratum.verify_audit(1)', db => $db), 't', "$db: sealed and whole");
}

# 0x81 is no character of Windows-1252, but PostgreSQL lets it in.
my $odd = q{SET client_encoding = 'WIN1252'; INSERT INTO public.notes VALUES ('x' || chr(129), 1, repeat(chr(129) || 'y', 500)); UPDATE public.notes SET body = body || 'z' WHERE id LIKE 'x%'};
$node->sql($odd, db => 'win1252');
is($node->sqlstate(q{SELECT body FROM public.notes WHERE id LIKE 'x%'}, db => 'win1252'), '', 'bytes without a character are stored');
is($node->sqlstate(q{SET client_encoding = 'UTF8'; SELECT body FROM public.notes WHERE id LIKE 'x%'}, db => 'win1252'), '22P05', '    that UTF-8 does not have');
is($node->sql(q{SELECT count(*) FROM stratum.audit_logs WHERE resource_id LIKE 'x%'}, db => 'win1252'), 2, '    and recorded');
is($node->sql('SELECT stratum.seal_audit(1); SELECT * FROM stratum.verify_audit(1)', db => 'win1252'), 2, '    and sealed');
is($node->sql(q{ALTER TABLE stratum.audit_logs DISABLE TRIGGER USER; UPDATE stratum.audit_logs SET new_values = '{"body": "y"}' WHERE resource_id LIKE 'x%' AND action = 'update';
	SELECT problem FROM stratum.verify_audit(1)}, db => 'win1252'), 'was changed', '    and a change is found');
done_testing();
