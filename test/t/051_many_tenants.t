#!/usr/bin/perl
# 10,000 tenants take turns on one pooled session: each sees its own row and no other, and the session's memory does not
# grow. With enter(), with tokens, and with the session lock and DISCARD ALL between.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Digest::SHA qw(hmac_sha256 sha256_hex);
use MIME::Base64 qw(encode_base64url);
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $tenants = 10_000;
my $secret = 'a secret of more than 32 bytes, for tests';

$node->sql(<<"SQL");
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
INSERT INTO stratum.tenants (name, slug) SELECT 'T' || g, 't' || g FROM generate_series(1, $tenants) g;
INSERT INTO stratum.users (tenant_id, email, password_hash, role)
  SELECT g, 'u' || g || '\@x.test', 'x', (CASE g % 2 WHEN 0 THEN 'admin' ELSE 'viewer' END)::stratum.user_role FROM generate_series(1, $tenants) g;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT g, 'meta', 'x', 'a', 'C' || g FROM generate_series(1, $tenants) g;
SELECT stratum.add_jwt_key('k', '$secret', 'test');
VACUUM ANALYZE;

-- kilobytes: what PostgreSQL's memory contexts hold, and what the process holds in all (settings are malloc'ed), without shared buffers that it has touched
CREATE FUNCTION public.memory() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
  \$\$ SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts \$\$;
CREATE FUNCTION public.process_memory() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS
  \$\$ SELECT coalesce(substring(s FROM 'RssAnon:\\s+(\\d+)'), substring(s FROM 'VmRSS:\\s+(\\d+)'))::bigint FROM pg_read_file('/proc/self/status') s \$\$;
-- what the tenant that is entered sees: is it its own?
CREATE FUNCTION public.sees_own(tenant int, acting int) RETURNS boolean LANGUAGE plpgsql AS \$\$
BEGIN
  RETURN stratum.current_tenant_id() = tenant AND stratum.current_user_id() = acting
    AND (SELECT array_agg(name) FROM stratum.campaigns) = ARRAY['C' || tenant]::varchar[]
    AND (SELECT array_agg(id) FROM stratum.users) = ARRAY[tenant]
    AND (SELECT array_agg(id) FROM stratum.tenants) = ARRAY[tenant];
END \$\$;
SQL

# ---- a transaction each

is($node->sql(<<"SQL", user => 'app'), "0\nt\nt", 'enter(): no wrong row, no growth');
CREATE TEMP TABLE result (wrong int, memory bigint[], process bigint[]);
DO \$\$
DECLARE
  wrong int := 0;
  memory bigint[];
  process bigint[];
BEGIN
  FOR round IN 1..3 LOOP
    FOR tenant IN 1..$tenants LOOP
      PERFORM stratum.enter(tenant, tenant, 'req-' || tenant, '192.0.2.1', 'agent ' || tenant);
      IF public.sees_own(tenant, tenant) IS NOT TRUE THEN wrong := wrong + 1; END IF;
      COMMIT;
      IF EXISTS (SELECT FROM stratum.campaigns) THEN wrong := wrong + 1; END IF;
    END LOOP;
    memory := memory || public.memory();
    process := process || public.process_memory();
    COMMIT;
  END LOOP;
  INSERT INTO result VALUES (wrong, memory, process);
END \$\$;
SELECT wrong FROM result;
SELECT memory[3] - memory[1] < 256 FROM result;
SELECT process[3] - process[1] < 2048 FROM result;
SQL

# ---- tokens

sub token
{
	my ($tenant) = @_;
	my $claims = sprintf '{"exp":%d,"aud":"test","tenant_id":%d,"user_id":%d}', time + 3600, $tenant, $tenant;
	my $signed = encode_base64url('{"alg":"HS256","kid":"k"}', '') . '.' . encode_base64url($claims, '');
	return $signed . '.' . encode_base64url(hmac_sha256($signed, $secret), '');
}

my @script = ('CREATE TEMP TABLE result (wrong boolean, memory bigint);', 'CREATE TEMP TABLE tokens (tenant int, token text);',
	'INSERT INTO tokens VALUES ' . join(', ', map { "($_, '" . token($_) . "')" } 1 .. 2000) . ';', <<'SQL');
DO $$
DECLARE t record; wrong boolean := false; before bigint;
BEGIN
  FOR round IN 1..3 LOOP
    FOR t IN SELECT * FROM tokens LOOP
      PERFORM stratum.enter_jwt(t.token);
      wrong := wrong OR public.sees_own(t.tenant, t.tenant) IS NOT TRUE;
      COMMIT;
    END LOOP;
    before := coalesce(before, public.memory());
  END LOOP;
  INSERT INTO result VALUES (wrong, public.memory() - before);
END $$;
SELECT wrong, memory < 256 FROM result;
SQL
is($node->sql(join("\n", @script), user => 'app'), 'f|t', 'enter_jwt(): no wrong row, no growth');

# ---- a locked session each, closed by the pooler

my @locked = ('\set token ' . sha256_hex('the pooler'));
for my $round (1 .. 2)
{
	push @locked, "SELECT stratum.enter_session($_, $_, :'token') \\g /dev/null\n"
	  . "SELECT $_ WHERE public.sees_own($_, $_) IS NOT TRUE;\nDISCARD ALL;\nSELECT $_ FROM stratum.campaigns;" for 1 .. 1000;
	push @locked, "SELECT stratum.enter_session(1, 1, :'token') \\g /dev/null\n"
	  . ($round == 1 ? 'SELECT public.memory() AS before \gset' : 'SELECT public.memory() - :before < 256;') . "\nDISCARD ALL;";
}
is($node->sql(join("\n", @locked), user => 'app'), 't', 'enter_session() and DISCARD ALL: no wrong row, no growth');

tried('tenants entered one after the other in one session: rows of its own only, no growth of memory', 3 * $tenants + 3 * 2000 + 2 * 1000 . ' times');
done_testing();
