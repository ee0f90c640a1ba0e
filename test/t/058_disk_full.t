#!/usr/bin/env perl
# The disk is full, earlier or later in each kind of work. The statement fails with 53100, the server lives, the transaction goes
# on from its savepoint, and with room again the same comes to its end; a full disk of the WAL ends the server, as
# PostgreSQL does, and it recovers. Trail, seals, memberships, tables and indexes are whole in the end.
#
# The disks are small tmpfs, mounted in a user namespace of the test's own; where there are none it is skipped.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows is_same);
use Stratum::Load;
use Stratum::Session;
use Stratum::Shop qw(open_shop is_whole is_sound said_nothing_odd);
use Stratum::Tried qw(tried);
use Test::More;
use Time::HiRes qw(sleep);

# ---- a small disk ----------------------------------------------------------------------------------------------

# Root in a namespace may mount, and PostgreSQL refuses root: so a second one gives back who we are.
sub in_namespace
{
	my ($disk, @command) = @_;
	my ($group) = split ' ', $);
	return ('unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=400m,mode=0777 small "$0" && exec unshare -U --map-user=' . "$> --map-group=$group" . ' "$@"', $disk, @command);
}

unless ($ENV{STRATUM_SMALL_DISK})
{
	my $disk = ($ENV{STRATUM_TMP} // '/tmp') . "/small$$";
	mkdir $disk or die "$disk: $!";
	my $said = join ' ', map { quotemeta } in_namespace($disk, 'true');
	if (`$said 2>&1` ne '' || $? != 0)
	{
		rmdir $disk;
		plan skip_all => 'no user namespace in which to mount a small disk';
	}
	# A child, so that the mount is gone when the directory goes.
	my $rc = do { local $ENV{STRATUM_SMALL_DISK} = $disk; system in_namespace($disk, $^X, "$FindBin::RealBin/$FindBin::RealScript") };
	rmdir $disk;
	exit($rc == 0 ? 0 : 1);
}
my $disk = $ENV{STRATUM_SMALL_DISK};

sub make_room { unlink "$disk/ballast"; return }

# Fills the disk up to so many kB.
sub leave
{
	my ($kb) = @_;
	# The server may write meanwhile.
	for (1 .. 20)
	{
		make_room();
		my ($free) = `df -k --output=avail '$disk'` =~ /(\d+)\s*\z/;
		my $size = $free - $kb;
		return if $size <= 0 || system("fallocate -l ${size}K '$disk/ballast' 2>/dev/null") == 0;
	}
	die "cannot fill the disk\n";
}

# A directory of a server's data is on another disk.
sub move_out
{
	my ($server, $what, $to) = @_;
	my $from = $server->data . "/$what";
	system('mv', $from, "$to/$what") == 0 && symlink "$to/$what", $from or die "$what: $!\n";
	return;
}

my ($failed, $tried) = (0, 0);

# With more and more room, until it is enough; whatever else is said than that the disk is full is a fault.
sub with_more_room
{
	my ($name, $try) = @_;
	my ($room, $times, @odd) = (0, 0);
	while ($room < 64 * 1024)
	{
		my $said = $try->($room);
		$tried++;
		# A rule that fails is a WARNING: the others go on. PostgreSQL says the other one wherever a transition table has spilled: to
		# close it, in the abort, it writes what it still holds.
		my @faults = $said =~ /^((?:ERROR|FATAL|PANIC|WARNING):.*)$/mg;
		push @odd, grep { !/53100|25P02|No space left|AbortSubTransaction while in ABORT state/ } @faults;
		last unless @faults;
		$times++;
		$room = $room * 4 || 32;
	}
	make_room();
	$failed += $times;
	is("@odd", '', "$name: no other error than a full disk");
	cmp_ok($times, '>', 0, "    which it met $times times") if $name ne 'seals';
	return;
}

# ---- full where the tables are ---------------------------------------------------------------------------------

my $node = Stratum::Cluster->new(data_in => $disk, start => 0, config => "autovacuum = off\nmax_wal_size = 64MB\nmin_wal_size = 32MB\ntemp_file_limit = -1\n");
# What is full is the tables' disk. The WAL is on another, and so is what each checkpoint writes anew: without room for that the server ends
# itself (PANIC: could not write to file "pg_logical/replorigin_checkpoint.tmp").
move_out($node, $_, $node->dir) for qw(pg_wal pg_logical);
$node->start;
open_shop($node, profiles => 500);
my $counts = 'SELECT shop.counts()';

my $events = q{(SELECT jsonb_agg(jsonb_build_object('event_name', 'View', 'external_id', 'n' || n, 'message_id', md5('e' || n), 'properties', jsonb_build_object('more', md5(n::text) || repeat(md5(n || 'x'), 50)))) FROM generate_series(1, 150) n)};
my %work = (
	'refresh' => { call => 'SELECT count(*) FROM stratum.refresh_segments()' },
	'ingest' => { call => "SELECT count(*) FROM stratum.ingest_events($events)" },
	'bulk insert under audit' => { call => q{INSERT INTO shop.stock SELECT 5000000 + n, 1, n, repeat(md5(n::text), 10) FROM generate_series(1, 3000) n} },
	'bulk update under audit' => { call => q{UPDATE shop.stock SET note = repeat(md5(id::text), 20)} },
	'transition tables that spill' => { first => q{SET LOCAL work_mem = '64kB'; INSERT INTO shop.stock SELECT 5000000 + n, 1, n, repeat(md5(n::text), 10) FROM generate_series(1, 3000) n}, call => 'DELETE FROM shop.stock' },
	'live segments' => { call => q{UPDATE stratum.cdp_profiles SET traits = traits || '{"n": 31}'; SET CONSTRAINTS ALL IMMEDIATE} },
	'seals' => { first => 'UPDATE shop.stock SET n = -n; UPDATE shop.stock SET n = -n; UPDATE shop.stock SET n = -n', call => 'SELECT stratum.seal_audit(1)' },
	'rules' => { call => q{SELECT stratum.run_due_rules(now() + interval '1 hour')} },
	'audience' => { call => 'SELECT stratum.start_audience_sync(1); SELECT stratum.finish_audience_sync(1)' },
	'erasure' => { call => 'SELECT count(stratum.anonymize_profile(id)) FROM stratum.cdp_profiles WHERE id % 100 = 1' });

# One session all the time: what one failure leaves in it would show in the next.
sub fill_up
{
	my ($name, $work, $session) = @_;
	my @differs;
	with_more_room($name, sub {
		my ($room) = @_;
		make_room();
		$session->query('BEGIN; SELECT stratum.enter(1, 1); ' . ($work->{first} // 'SELECT 1'));
		my $before = $session->query("$counts; SELECT stratum.current_tenant_id()");
		$session->query('SAVEPOINT a');
		leave($room);
		# one that comes by itself may come here
		$node->psql('CHECKPOINT');
		my $said = $session->query($work->{call});
		make_room();
		$session->query('ROLLBACK TO a');
		my $after = $session->query("$counts; SELECT stratum.current_tenant_id()");
		push @differs, "$before became $after" if $after ne $before;
		$session->query('ROLLBACK');
		return $said;
	});
	is("@differs", '', '    from which a savepoint leads back');
	return;
}

my $session = Stratum::Session->new($node, user => 'app');
fill_up($_, $work{$_}, $session) for sort keys %work;
is($session->query('SELECT 1'), '1', 'the session has lived through all that');
$session->query("BEGIN; SELECT stratum.enter(1, 1); $_; COMMIT") for map { $_->{call} } @work{'refresh', 'ingest', 'bulk update under audit'};
$session->close;
is_whole($node, 'with room again');
is_sound($node, 'with room again');

# ---- the library's own scripts, each in a database of its own ---------------------------------------------------

sub script_fills_up
{
	my ($db, $script) = @_;
	my $state = sub { return structure($node, $db) . rows($node, $db) };
	my $before = $db eq 'new' ? '' : $state->();
	my @differs;
	with_more_room($script, sub {
		my ($room) = @_;
		make_room();
		if ($script !~ /^CALL/)
		{
			my $now = $node->sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'stratum'", db => $db) ? $state->() : '';
			push @differs, 'it is half there' if $now ne $before;
		}
		my $session = Stratum::Session->new($node, db => $db);
		leave($room);
		return $session->query("SET client_min_messages = warning; $script");
	});
	is("@differs", '', '    each time all was as before');
	is($node->sql('SELECT count(*) FROM stratum.check_install()', db => $db), 0, '    and it is healthy then');
	return;
}

$node->sql("CREATE DATABASE $_") for qw(new old);
$node->sql(q{CREATE EXTENSION stratum VERSION '1.0'}, db => 'old');
load_rows($node, 'old');
$node->sql('CHECKPOINT');
script_fills_up('new', 'CREATE EXTENSION stratum');
script_fills_up('old', q{ALTER EXTENSION stratum UPDATE TO '1.1'});
$node->sql(q{INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) SELECT tenant_id, id, 'View', 'track', now() FROM stratum.cdp_profiles, generate_series(1, 100)}, db => 'old');
script_fills_up('old', 'CALL stratum.widen_ids()');
said_nothing_odd($node, 'all the time', qr/could not (?:extend|write|create|open)/);
$node->stop;

# ---- full where the WAL is -------------------------------------------------------------------------------------

my $other = Stratum::Cluster->new(start => 0, config => "max_wal_size = 64MB\nmin_wal_size = 32MB\nwal_recycle = off\n");
move_out($other, 'pg_wal', $disk);
$other->start;
open_shop($other, profiles => 300);
my $load = Stratum::Load->start($other, clients => 3);
my $panics = 0;
for my $round (1 .. 2)
{
	$load->wait_for_more(2);
	leave(8 * 1024);
	for (1 .. 600)
	{
		my ($rc) = $other->psql('SELECT pg_switch_wal()');
		last if $rc != 0;
		sleep 0.1;
	}
	sleep 0.5;
	make_room();
	# It may have come back by itself, if it could; if it is down for good, it has to be started.
	my ($rc) = $other->psql('SELECT 1');
	for (1 .. 50) { last if $rc == 0; sleep 0.1; ($rc) = $other->psql('SELECT 1') }
	if ($rc != 0) { $other->command('pg_ctl', '-D', $other->data, '-m', 'immediate', 'stop'); $other->start }
}
$load->wait_for_more(2);
$load->stop;
open my $file, '<', $other->log_file or die $!;
$panics = grep { /PANIC:.*No space left/ } <$file>;
cmp_ok($panics, '>', 0, "a full disk of the WAL: the server ended $panics times, as PostgreSQL does");
$load->is_kept('recovered');
is_whole($other, 'recovered');
is_sound($other, 'recovered');

tried(sprintf('disk full in %d kinds of work, install, update and widening, and the disk of the WAL under load; then all is whole, amcheck finds nothing', scalar keys %work),
	"$failed of $tried statements met it; $panics panics recovered from");
done_testing();
