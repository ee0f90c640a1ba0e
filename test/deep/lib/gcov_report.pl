# Reads what `gcov --json-format --stdout` prints, a document a line; prints a line for each source file and the sum.
# Arguments: the least percentage, and the last line of bin/test.
use strict;
use warnings;
use JSON::PP qw(decode_json);

my ($least, $tests) = @ARGV;
my (%runs, $all, $ran);

# A header is part of many objects: a line has run if it ran in one of them.
while (my $document = <STDIN>)
{
	for my $file (grep { $_->{file} =~ m{^src/} } @{ decode_json($document)->{files} })
	{
		$runs{ $file->{file} }{ $_->{line_number} } += $_->{count} for @{ $file->{lines} };
	}
}

# Line numbers as ranges: 3-5 9.
sub ranges
{
	my @ranges;
	for my $line (@_)
	{
		if (@ranges && $ranges[-1][1] == $line - 1) { $ranges[-1][1] = $line }
		else { push @ranges, [ $line, $line ] }
	}
	return join ' ', map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @ranges;
}

for my $file (sort keys %runs)
{
	my @lines = sort { $a <=> $b } keys %{ $runs{$file} };
	my @missed = grep { !$runs{$file}{$_} } @lines;
	$all += @lines;
	$ran += @lines - @missed;
	printf "%-34s %5d lines %5.1f %%  %s\n", $file, scalar @lines, 100 * (@lines - @missed) / @lines, ranges(@missed);
}
die "no lines\n" if !$all;
my $share = 100 * $ran / $all;
printf "# reliability: lines of src/ that the tests run, by gcov | %d of %d lines; the tests: %s | %.1f %%\n", $ran, $all, $tests, $share;
printf "%s\n", $share >= $least ? '1 passed, 0 failed' : '0 passed, 1 failed';
exit($share >= $least ? 0 : 1);
