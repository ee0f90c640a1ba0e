# Tests that ask a database, for what is told as rows that must not be there.
#
#   use Stratum::Query qw(finds_nothing load);
#   load($node, "$oracle/cases.sql", seed => 0.42);     # psql variables; prints nothing but errors
#   finds_nothing($node, 'SELECT name FROM wrong', 'none is wrong');
package Stratum::Query;

use strict;
use warnings;
use Exporter qw(import);
use Test::More;
our @EXPORT_OK = qw(finds_nothing load);

# Runs a script.
sub load
{
	my ($node, $path, %variable) = @_;
	my $set = join '', map { "\\set $_ $variable{$_}\n" } sort keys %variable;
	$node->sql("SET client_min_messages = warning;\n$set\\i $path\n");
	return;
}

# One test: the query, of one column of text, finds nothing. How many it finds is shown, and up to five of them, in
# which what repeats is shortened.
sub finds_nothing
{
	my ($node, $query, $name) = @_;
	is($node->sql("SELECT count(*) FROM ($query) AS q"), 0, $name)
	  or diag($node->sql("SELECT left(regexp_replace(left(t, 8000), '(.{1,5})\\1{20,}', '\\1...\\1', 'g'), 4000) FROM ($query LIMIT 5) AS q(t)"));
	return;
}

1;
