# What a test has tried, for bin/reliability.
#
#   use Stratum::Tried qw(tried);
#   tried('dumps restored in every way', '6 ways');                   # at the end: "# reliability: ... | 6 ways | 0 failed"
#   tried('pg_upgrade', '3 databases', '15.20 -> 17.10');             # versions that are not this server's
package Stratum::Tried;

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
our @EXPORT_OK = qw(tried);

sub tried
{
	my ($what, $often, @versions) = @_;
	my $failed = grep { !$_ } Test::More->builder->summary;
	print join(' | ', "# reliability: $what", $often, "$failed failed", @versions), "\n";
	return;
}

1;
