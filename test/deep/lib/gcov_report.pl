# Reads what `gcov --json-format --stdout` prints, a document a line. Prints a line for each source file, with what did not run, and last
# the share of all.
use strict;
use warnings;
use JSON::PP qw(decode_json);

my (%runs, $all, $ran);

# A header is part of many objects: a line has run if it ran in one of them.
while (my $document = <>)
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
printf "%.1f %% of %d lines\n", 100 * $ran / $all, $all;
