#!/usr/bin/env perl
# Clients write everything at once while their sessions are cancelled, terminated and killed, and the server too, with -9. Afterwards
# all that was told to be committed is there and nothing of what was not, nothing is half done, trail and seals are whole, and
# amcheck finds tables and indexes in order.
#
#   STRATUM_SECONDS=600    so long; by default a few rounds of each
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Load;
use Stratum::Shop qw(open_shop is_whole is_sound said_nothing_odd);
use Stratum::Tried qw(tried);
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = $ENV{STRATUM_SECONDS} // 0;
my $node = Stratum::Cluster->new(config => "deadlock_timeout = 200ms\nmax_connections = 30\ncheckpoint_timeout = 30s\nmax_wal_size = 64MB\n");
open_shop($node, profiles => 800);
srand(42);

my %done;
my ($told, $began) = (0, time);

# So many times, or until a third of the time is over.
sub rounds
{
	my ($least, $do) = @_;
	my $until = time + $seconds / 3;
	for (my $n = 1; $n <= $least || time < $until; $n++) { $do->() }
	return;
}

sub wait_for_server
{
	for (1 .. 600)
	{
		my ($rc) = $node->psql('SELECT 1');
		return if $rc == 0;
		sleep 0.1;
	}
	die "the server does not come back\n";
}

# One kind of mischief under load, and what it leaves.
sub mischief
{
	my ($what, $times, $do) = @_;
	my $load = Stratum::Load->start($node, clients => 4);
	rounds($times, sub { $do->($load); $done{$what}++ });
	$load->wait_for_more(2);
	$load->stop;
	$told += $load->told;
	$load->is_kept($what);
	is_whole($node, $what);
	is_sound($node, $what);
	return;
}

mischief('cancelled and terminated', 40, sub {
	my ($load) = @_;
	sleep rand 0.2;
	my $pid = $load->backend;
	kill rand() < 0.8 ? 'INT' : 'TERM', $pid if $pid;
});
mischief('backends killed', 4, sub {
	my ($load) = @_;
	$load->wait_for_more(3);
	sleep rand 0.3;
	my $pid;
	sleep 0.05 until $pid = $load->backend;
	kill 'KILL', $pid;
	sleep 0.2;
	wait_for_server();
});
mischief('server killed', 3, sub {
	my ($load) = @_;
	$load->wait_for_more(3);
	sleep rand 0.3;
	$node->kill_all;
	$node->start;
});

said_nothing_odd($node, 'all the time', qr/terminated by signal 9|terminating (?:any other active|connection because of crash)/);
tried('sessions cancelled and terminated, backends and the server killed with -9 under a mixed load; then nothing committed is lost, all is whole, amcheck finds nothing',
	sprintf('%d, %d and %d times in %d s, %d transactions', @done{ 'cancelled and terminated', 'backends killed', 'server killed' }, time - $began, $told));
done_testing();
