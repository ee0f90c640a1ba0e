#!/usr/bin/env perl
# The next 1,000 times of next_due() are those of two others: crontab(5) as plain SQL, test/oracle/cron.sql, and Python's
# croniter (Debian: python3-croniter) where that is installed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $wanted = 1000;
my $start = '2023-12-30 23:58:31';
my $node = Stratum::Cluster->new(config => "jit = off\n");

my @expressions = (
	'* * * * *', '*/7 * * * *', '*/59 * * * *', '5-50/9 * * * *', '0,15,30-35,59 * * * *', '58 23 * * *', '59 23 31 12 *', '0 0 * * *',
	'30 */5 * * *', '0 8-18/3 * * mon-fri', '1 0 1 * *', '0 0 31 * *', '0 0 30 * *', '0 12 29 2 *', '0 12 29 feb *', '0 0 28-31 * *',
	'0 0 31 1,3,5,7,8,10,12 *', '0 0 30 4,6,9,11 *', '*/30 6 29 2,3 *', '0 9 * * 1-5', '0 9 * * 6,0', '0 9 * * 7', '0 9 * * SUN', '0 9 * * wed,Fri',
	'15 14 1 * 1', '0 0 13 * 5', '0 0 1,15 * 3', '0 0 29 2 1', '0 0 31 12 sun', '0 0 10-20/5 * 2-4/2', '20 4 * jan-mar 5', '0 0 * */3 *',
	'0 0 */10 * *', '0 22 * 1,7 *', '23 0-20/2 * * *', '5 4 * * sun', '0 0 1 1 *', '59 23 28 2 *',
	# a day field that begins with "*" is not restricted, whatever follows: both must match
	'0 0 */2 * 1', '0 0 29 2 */2', '0 6 */7 feb mon-wed', '0 0 13 * */5');
# croniter takes a day field as unrestricted only if it is "*" alone; and 1.3.5 loses the 1st of March after "*/10" in February.
my %croniter_differs = map { $_ => 1 } @expressions[-4 .. -1], '0 0 */10 * *';

$node->sql('CREATE EXTENSION stratum');
{
	open my $file, '<', "$ENV{STRATUM_SRC}/test/oracle/cron.sql" or die $!;
	local $/;
	$node->sql(<$file>);
}

# Seconds since 1970, separated by commas.
sub ours
{
	my ($expression) = @_;
	return $node->sql(qq{SET timezone = 'UTC'; WITH RECURSIVE due (n, at) AS (SELECT 1, stratum.next_due('$expression', '$start')
		UNION ALL SELECT n + 1, stratum.next_due('$expression', at) FROM due WHERE n < $wanted)
		SELECT string_agg(extract(epoch FROM at)::bigint::text, ',' ORDER BY n) FROM due});
}

sub by_manual
{
	my ($expression) = @_;
	for my $days (3, 50, 1200, 40_000, 410_000, 1_600_000, 3_200_000)
	{
		my $times = $node->sql(qq{SET timezone = 'UTC'; SELECT string_agg(extract(epoch FROM t)::bigint::text, ',' ORDER BY t) FROM cron_times('$expression', '$start', $days, $wanted) t});
		return $times if split(/,/, $times) == $wanted;
	}
	die "the manual knows too few times of $expression\n";
}

# All of them in one go: a line for each expression.
sub by_croniter
{
	my $script = $node->dir . '/times.py';
	open my $file, '>', $script or die $!;
	print $file <<"PYTHON";
import sys
from datetime import datetime, timezone
from croniter import croniter
start = datetime.fromisoformat('$start').replace(tzinfo=timezone.utc)
for line in sys.stdin:
    times = croniter(line.strip(), start)
    print(','.join(str(int(times.get_next(float))) for _ in range($wanted)), flush=True)
PYTHON
	close $file;
	open $file, '>', "$script.in" or die $!;
	print $file map { "$_\n" } grep { !$croniter_differs{$_} } @expressions;
	close $file;
	my ($python) = grep { system("$_ -c 'import croniter' 2>/dev/null") == 0 } 'python3', '/usr/bin/python3';
	return undef unless $python;
	chomp(my @lines = `$python '$script' < '$script.in'`);
	return \@lines;
}

# The first time that differs says more than two lists of a thousand.
sub same_times
{
	my ($got, $expected, $name) = @_;
	my @got = split /,/, $got // '';
	my @expected = split /,/, $expected // '';
	my ($at) = grep { ($got[$_] // '') ne ($expected[$_] // '') } 0 .. $wanted - 1;
	return ok(@got == $wanted && !defined $at, $name)
	  || diag(defined $at ? sprintf('time %d: %s, expected %s', $at + 1, map { defined $_ ? scalar gmtime $_ : 'none' } $got[$at], $expected[$at]) : 'too few times');
}

cmp_ok(scalar @expressions, '>=', 40, 'there are forty expressions');
my %ours = map { $_ => ours($_) } @expressions;
same_times($ours{$_}, by_manual($_), "$_ is due when crontab(5) says") for @expressions;
SKIP:
{
	my $theirs = by_croniter() or skip 'no croniter here', 1;
	same_times($ours{$_}, shift @$theirs, "$_ is due when croniter says") for grep { !$croniter_differs{$_} } @expressions;
}
# What the manual never runs is refused.
for my $never ('0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 30-31 feb *')
{
	is($node->sql("SELECT count(*) FROM cron_days('$never', '2000-01-01', '2400-01-01')"), '0', "$never never comes");
	is($node->sqlstate("SELECT stratum.validate_schedule('$never')"), '22023', 'and is refused');
}
done_testing();
