#!/usr/bin/env perl
# Behind PgBouncer, in transaction and in session mode, no context goes from one client to another: not with errors, aborted transactions and
# clients that vanish in the middle of one, and not with sessions that were locked. Debian's package, unix sockets only.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use POSIX ();
use Stratum::Cluster;
use Stratum::PgBouncer;
use Stratum::Tried qw(tried);
use Test::More;

plan skip_all => 'PgBouncer is not installed (Debian: pgbouncer)' unless Stratum::PgBouncer::program();

my $tenants = 6;
my $node = Stratum::Cluster->new(config => "max_connections = 40\n");
$node->sql(<<"SQL");
CREATE EXTENSION stratum;
CREATE ROLE app LOGIN IN ROLE stratum_app;
INSERT INTO stratum.tenants (name, slug) SELECT 'T' || n, 't' || n FROM generate_series(1, $tenants) n;
INSERT INTO stratum.campaigns (tenant_id, platform, external_id, account_id, name) SELECT t, 'meta', 'e' || n, 'acc', 'C' FROM generate_series(1, $tenants) t, generate_series(1, 7) n;
SQL

# ---- what a client does ------------------------------------------------------------------------------------------

# Each prints the server's process, whom it acts for, how many rows it sees and of which tenants.
my $look = q{SELECT 'seen', pg_backend_pid(), coalesce(stratum.current_tenant_id(), 0), count(*), coalesce(string_agg(DISTINCT tenant_id::text, ','), '0') FROM stratum.campaigns;};
my %client = (
	transaction => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\n$look COMMIT;" },
	nobody => sub { $look },
	left => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\nSELECT stratum.leave() \\g /dev/null\n$look COMMIT; $look" },
	failed => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\n$look SELECT 1/0; ROLLBACK; $look" },
	failed_and_committed => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\nSELECT 1/0; COMMIT; $look" },
	savepoint => sub { "BEGIN; SAVEPOINT s; SELECT stratum.enter($_[0]) \\g /dev/null\nROLLBACK TO s; $look COMMIT;" },
	written => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\nUPDATE stratum.campaigns SET clicks = clicks + 1; $look COMMIT;" },
	without_block => sub { "SELECT stratum.enter($_[0]) \\g /dev/null\n$look" },
	vanished => sub { "BEGIN; SELECT stratum.enter($_[0]) \\g /dev/null\n$look UPDATE stratum.campaigns SET clicks = 777777;" });

# A session of some of them, for one tenant or another; reproducible.
sub session
{
	my ($seed) = @_;
	srand $seed;
	my @names = sort keys %client;
	my @steps = map { $names[ rand @names ] } 1 .. 6;
	# who vanishes does so at the end
	@steps = ((grep { $_ ne 'vanished' } @steps), grep { $_ eq 'vanished' } @steps);
	return join "\n", map { $client{$_}->(1 + int rand $tenants) } @steps;
}

# Many clients at once, a process each, one session after the other.
sub clients
{
	my ($pooler, $number, $sessions) = @_;
	my @pids;
	for my $client (1 .. $number)
	{
		my $pid = fork // die $!;
		if ($pid)
		{
			push @pids, $pid;
			next;
		}
		my $ok = eval {
			open my $file, '>', "$pooler->{dir}/client.$client" or die $!;
			for my $n (1 .. $sessions)
			{
				my ($in, $out) = ("$pooler->{dir}/in.$client", "$pooler->{dir}/out.$client");
				open my $input, '>', $in or die $!;
				print $input session(1000 * $client + $n);
				close $input;
				local %ENV = (%ENV, $pooler->environment);
				system('sh', '-c', q{exec "$0" -XqAt -v VERBOSITY=sqlstate <"$1" >"$2" 2>&1}, $node->bin . '/psql', $in, $out);
				open my $output, '<', $out or die $!;
				print {$file} readline $output;
			}
			close $file;
		};
		POSIX::_exit($ok ? 0 : 1);
	}
	my $failed = 0;
	for (@pids) { waitpid $_, 0; $failed++ if $? }
	is($failed, 0, "$number clients came to their end");
	return map { open my $file, '<', $_ or die $!; readline $file } glob "$pooler->{dir}/client.*";
}

# Whoever acts for a tenant sees its seven rows, whoever acts for nobody sees none.
my $looks = 0;
sub check
{
	my ($name, @lines) = @_;
	my (%tenants_of, $seen, $entered, $errors);
	my @leaks;
	for my $line (@lines)
	{
		$errors++ if $line =~ /22012/;
		my ($pid, $tenant, $count, $of) = $line =~ /^seen\|(\d+)\|(\d+)\|(\d+)\|(.*)$/ or next;
		$seen++;
		$entered++ if $tenant;
		$tenants_of{$pid}{$tenant} = 1 if $tenant;
		push @leaks, $line if $tenant ? $count != 7 || $of ne $tenant : $count != 0;
	}
	$looks += $seen;
	is(join('', @leaks), '', "$name: whoever looked saw his own rows or none, $seen times");
	cmp_ok($entered // 0, '>', 50, '    many of them for a tenant');
	cmp_ok($seen - $entered, '>', 50, '    many of them for nobody');
	cmp_ok($errors // 0, '>', 10, '    with errors in between');
	my @shared = grep { keys %{ $tenants_of{$_} } > 2 } keys %tenants_of;
	cmp_ok(scalar @shared, '>', 0, '    and connections of the server went through many tenants\' hands');
	is($node->sql('SELECT count(*) FROM stratum.campaigns WHERE clicks = 777777'), '0', '    what a client left in mid-transaction is rolled back');
	return;
}

# ---- transaction mode --------------------------------------------------------------------------------------------

my $pooler = Stratum::PgBouncer->start($node, pool_mode => 'transaction', default_pool_size => 3);
check('transaction mode', clients($pooler, 6, 8));

# A thousand and more short transactions of sixteen clients over three connections; one that sees anything else divides by zero.
my $script = $node->dir . '/short.sql';
open my $file, '>', $script or die $!;
print $file "\\set t random(1, $tenants)\n",
  "BEGIN;\nSELECT stratum.enter(:t);\nSELECT 1 / (count(*) = 7 AND min(tenant_id) = :t AND max(tenant_id) = :t)::integer FROM stratum.campaigns;\nCOMMIT;\n",
  "SELECT 1 / (count(*) = 0 AND stratum.current_tenant_id() IS NULL)::integer FROM stratum.campaigns;\n";
close $file;
my ($rc, $out, $err) = $pooler->command('pgbench', '-n', '-c', 16, '-t', 100, '--random-seed=7', '-f', $script);
is($rc, 0, 'transaction mode: pgbench met nobody else') or diag("$out$err");
like($out, qr/actually processed: 1600\/1600/, '    in 1600 transactions');
cmp_ok($node->sql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'}), '<=', 3, '    over three connections');
$pooler->stop;

# A session lock belongs to a session of the server, which in this mode is everybody's in turn. With DISCARD ALL after each transaction it is
# closed for the next: nobody sees a row, or can enter, until the token is shown.
my $token = 'one-token-of-the-application';
my $locked = "SELECT stratum.enter_session(%d, NULL, '$token') \\g /dev/null\n";
$pooler = Stratum::PgBouncer->start($node, pool_mode => 'transaction', default_pool_size => 1, server_reset_query_always => 1);
(undef, $out) = $pooler->psql(sprintf($locked, 1) . $look);
like($out, qr/^seen\|\d+\|0\|0\|0$/, 'transaction mode, DISCARD ALL always: the lock does not outlive its transaction');
(undef, $out, $err) = $pooler->psql("$look\nBEGIN; SELECT stratum.enter(2); ROLLBACK;");
like($out, qr/^seen\|\d+\|0\|0\|0$/, '    the next client sees nothing');
like($err, qr/ERROR:\s+55000/, '    and can enter nobody');
$pooler->stop;

# ---- session mode ------------------------------------------------------------------------------------------------

$pooler = Stratum::PgBouncer->start($node, pool_mode => 'session', default_pool_size => 3);
check('session mode', clients($pooler, 6, 8));
$pooler->stop;

$pooler = Stratum::PgBouncer->start($node, pool_mode => 'session', default_pool_size => 1);
my ($pid) = ($pooler->psql('SELECT pg_backend_pid()'))[1] =~ /(\d+)/;
(undef, $out) = $pooler->psql(sprintf($locked, 1) . "$look\nBEGIN; $look ROLLBACK; SELECT 1/0; $look");
is(() = $out =~ /^seen\|$pid\|1\|7\|1$/mg, 3, 'session mode: a locked session acts for its tenant, through transactions and errors');
(undef, $out, $err) = $pooler->psql("$look\nBEGIN; SELECT stratum.enter(1); ROLLBACK; BEGIN; SELECT stratum.enter(2); ROLLBACK; SELECT stratum.enter_session(2, NULL, 'a-guess-at-the-token'); $look");
is(() = $out =~ /^seen\|$pid\|0\|0\|0$/mg, 2, '    after DISCARD ALL the next client, on the same connection, sees nothing');
is(join(' ', $err =~ /ERROR:\s+(\w{5})/g), '55000 55000 28P01', '    and gets in neither without the token nor with another');
(undef, $out) = $pooler->psql(sprintf($locked, 2) . $look);
like($out, qr/^seen\|$pid\|2\|7\|2$/m, '    with the token it acts for the tenant of its own');
(undef, $out) = $pooler->psql(sprintf($locked, 3) . "BEGIN; UPDATE stratum.campaigns SET clicks = 777777; $look");
like($out, qr/^seen\|$pid\|3\|7\|3$/m, '    one more, which vanishes in mid-transaction');
(undef, $out) = $pooler->psql($look);
like($out, qr/^seen\|\d+\|0\|0\|0$/m, '    leaves nothing either');
is($node->sql('SELECT count(*) FROM stratum.campaigns WHERE clicks = 777777'), '0', '    but a rolled back transaction');
$pooler->psql(sprintf($locked, 1) . "SELECT stratum.leave_session('$token')");
(undef, $out) = $pooler->psql("BEGIN; SELECT stratum.enter(4) \\g /dev/null\n$look COMMIT;");
like($out, qr/^seen\|\d+\|4\|7\|4$/m, '    whoever ends the lock himself leaves an ordinary connection');

# What a session keeps besides goes with DISCARD ALL.
$pooler->psql("BEGIN; SELECT stratum.enter(1); CREATE TEMP TABLE kept AS SELECT * FROM stratum.campaigns; DECLARE kept CURSOR WITH HOLD FOR SELECT * FROM stratum.campaigns; COMMIT;");
(undef, $out, $err) = $pooler->psql('SELECT * FROM kept; FETCH ALL FROM kept;');
is($out, '', 'session mode: neither temporary tables nor cursors WITH HOLD are left');
is(join(' ', $err =~ /ERROR:\s+(\w{5})/g), '42P01 34000', '    as their names are unknown');
$pooler->stop;

tried('clients of a pooler in transaction and session mode, with errors and vanishing clients: own rows or none', "$looks looks, 1600 transactions");
done_testing();
