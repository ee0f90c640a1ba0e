#!/usr/bin/env perl
# The story of bin/demo, told once more: only the errors it means to show, and the numbers it promises.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new;
my $script = do { local (@ARGV, $/) = "$ENV{STRATUM_SRC}/examples/demo.sql"; <> };
my ($rc, $out, $err) = $node->psql($script, options => [ '-v', 'ON_ERROR_STOP=0' ]);

is($rc, 0, 'the script ends well');
is_deeply([ $err =~ /ERROR:\s+(.*)/g ],
	[ 'invalid condition at $.conditions[0].operator: unknown operator "bigger"',
		'new row violates row-level security policy for table "campaigns"',
		'invalid configuration parameter name "stratum.tenant_id"',
		'permission denied for table audit_logs' ],
	'with the errors it is about, and no other');
like($out, qr/^1\.1\|\d+\|\d+\|0$/m, 'a healthy install');
like($out, qr/^Spring tents\|meta\|2800000\|56000\|2\|75\|1500\|3750\|4$/m, 'metrics');
like($out, qr/^2\|2\|0$/m, 'two members in the segment');
like($out, qr/^0\|0\|0\|Globex Beauty\|0$/m, 'nothing for the other tenant');
like($out, qr/^update\|Ann Lee\|192\.0\.2\.7\|req-42\|clicks\|56000\|42000$/m, 'the trail of a change');
is($node->sql("SELECT count(*) FROM pg_roles WHERE rolname = 'stratum_demo'"), '0', 'its login is gone');
done_testing();
