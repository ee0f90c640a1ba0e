# Writes doc/reliability.md from what the runs of bin/reliability said.
#
#   perl bin/lib/reliability.pl PAGE DIRECTORY HERE NAME...     HERE: this machine's version of PostgreSQL
use strict;
use warnings;

my ($page, $said, $here, @names) = @ARGV;
my (%row, @order, @runs);

# A thing tried on several versions is one row.
sub add {
	my ($what, $often, $result, $version) = @_;
	push @order, $what unless $row{$what};
	push @{ $row{$what} }, { often => $often, result => $result, version => $version };
}

# "a", if every version has it, else "a (15), b (17, 18)".
sub by_version {
	my ($entries, $key) = @_;
	my (%versions, @values);
	for (@$entries) {
		push @values, $_->{$key} unless $versions{ $_->{$key} };
		push @{ $versions{ $_->{$key} } }, $_->{version};
	}
	return $values[0] if @values == 1;
	return join ', ', map { "$_ (" . join(', ', @{ $versions{$_} }) . ')' } @values;
}

# The lines of a run; those of the suite come before the line that tells the version.
sub read_run {
	my ($name) = @_;
	my (@waiting, $counts);
	open my $lines, '<', "$said/$name" or return push @runs, "| `$name` | not run yet | | `bin/reliability $name` |";
	while (<$lines>) {
		chomp;
		if (/^# reliability: (.*)/) {
			my ($what, $often, $result, $version) = split / *\| */, $1;
			die "$name says: $_\n" unless defined $result;
			push @waiting, [ $what, $often, $result, $version ];
		}
		elsif (/^PostgreSQL (here|\d+): (\d+) passed, (\d+) failed/) {
			my $version = $1 eq 'here' ? $here : $1;
			add('the whole suite, warnings of the compiler being errors', "$2 tests", "$3 failed", $version);
			add(@$_[ 0 .. 2 ], $_->[3] // $version) for splice @waiting;
		}
		$counts = $_ if /^\d+ passed, \d+ failed$/;
		push @runs, sprintf "| `%s` | %s | %s s | %s |", $1, $2, $3, $4 eq '0' ? $counts // 'passed' : 'FAILED: ' . ($counts // "exit $4")
			if /^# run: (\S+) \| (\S+) \| (\d+) \| (\d+)/;
	}
	add(@$_[ 0 .. 2 ], $_->[3] // $here) for @waiting;
}

read_run($_) for @names;
open my $out, '>', "$page.new" or die "$page.new: $!\n";
print $out <<'MD';
# What was tried, how often, with what result

Written by `bin/reliability`, which runs the suite on every version of PostgreSQL and each script of [test/deep](../test/deep/README.md).
A row says what the run has counted. What could not be tried says why.

| what was tried | how often | PostgreSQL | result |
|---|---|---|---|
MD
for my $what (@order) {
	my $entries = $row{$what};
	my %seen;
	printf $out "| %s | %s | %s | %s |\n", $what, by_version($entries, 'often'),
		join(', ', grep { !$seen{$_}++ } map { $_->{version} } @$entries), by_version($entries, 'result');
}
print $out <<'MD';

PostgreSQL 16 is in no release of Debian, so it is not on the machines that run this: `.github/workflows/ci.yml` runs the suite on it, and
`PG_CONFIG=/path/of/pg_config bin/test` does wherever it is installed.

## The runs

| run | when | took | result |
|---|---|---|---|
MD
print $out "$_\n" for @runs;
close $out or die "$page.new: $!\n";
rename "$page.new", $page or die "$page: $!\n";
