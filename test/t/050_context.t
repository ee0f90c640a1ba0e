#!/usr/bin/perl
# The tenant context cannot come from outside: connection options, settings of roles and databases, the configuration
# file, before the library is loaded and after. And the library may be preloaded.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $node = Stratum::Cluster->new;
my $forged = '1 0 -1 -1 -1:';
my $look = 'SELECT count(*) FROM stratum.campaigns; SELECT stratum.current_tenant_id() IS NULL; SELECT count(*) FROM stratum.tenants';

$node->sql(<<'SQL');
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north');
BEGIN;
SELECT stratum.enter(1);
INSERT INTO stratum.campaigns (platform, external_id, account_id, name) VALUES ('meta', 'a', 'acc', 'A');
COMMIT;
SQL

# Without a context there are no rows, whatever was tried before.
my $forgeries = -1;
sub closed
{
	$forgeries++;
	my ($name, %option) = @_;
	is($node->sql($look, user => 'app', %option), "0\nt\n0", $name);
	return;
}

closed('nothing set');
{
	local $ENV{PGOPTIONS} = '-c stratum.context=1\ 0\ -1\ -1\ -1:';
	closed('connection option');
	is($node->sql('SELECT stratum.enter(1) \g /dev/null' . "\nSELECT stratum.current_tenant_id() IS NULL", user => 'app'), 't', 'enter() in autocommit ends with its statement');
}

# A superuser who does not know better, in a session that has not loaded the library.
for my $where ('ROLE app', 'DATABASE postgres', 'ROLE app IN DATABASE postgres')
{
	my ($rc) = $node->psql("ALTER $where SET stratum.context = '$forged'");
	closed("ALTER $where SET (exit $rc)");
	$node->sql("ALTER $where RESET stratum.context");
}

# The app's own role setting.
$node->psql("ALTER ROLE app SET stratum.context = '$forged'", user => 'app');
closed('ALTER ROLE by the app itself');
$node->sql('ALTER ROLE app RESET ALL');

# The configuration file, and the library preloaded.
for my $preload ('', "session_preload_libraries = 'stratum'", "shared_preload_libraries = 'stratum'")
{
	open my $file, '>>', $node->data . '/postgresql.conf' or die $!;
	print $file "session_preload_libraries = ''\nshared_preload_libraries = ''\n$preload\nstratum.context = '$forged'\n";
	close $file;
	my $started = eval { $node->restart; 1 };
	if (!$started)
	{
		# Refused outright, since the setting is known when the file is read.
		open $file, '>>', $node->data . '/postgresql.conf' or die $!;
		close $file;
		my $conf = $node->data . '/postgresql.conf';
		system('sed', '-i', '/^stratum.context/d', $conf) == 0 or die;
		$node->start;
	}
	closed('configuration file, ' . ($preload || 'nothing preloaded'));
	is($node->sql("BEGIN;\nSELECT stratum.enter(1) \\g /dev/null\n$look;\nCOMMIT", user => 'app'), "1\nf\n1", 'and enter() works');
}

# With the library preloaded a misspelt setting is an error from the start.
isnt($node->sqlstate("SET stratum.tenant = '1'", user => 'app'), '', 'unknown stratum.* settings are refused');

tried('the tenant context forged by connection options, role, database and file settings, with and without preloading', "$forgeries ways");
done_testing();
