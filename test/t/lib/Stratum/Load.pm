# Clients that write everything at once, each in a process of its own, and remember what they were told to be committed.
# They go on through whatever happens to their sessions and to the server.
#
#   my $load = Stratum::Load->start($node, clients => 4);    # over the data of Stratum::Shop
#   $load->wait_for_more(5);                                  # until each client has committed so many more
#   kill 'KILL', $load->backend;                              # of one of them; undef while there is none
#   $load->stop;
#   $load->is_kept('after the crash');                        # tests: what was told is there, and what is there was told of
package Stratum::Load;

use strict;
use warnings;
use POSIX ();
use Stratum::Query qw(finds_nothing);
use Stratum::Session;
use Test::More;
use Time::HiRes qw(sleep);

# Statements of a transaction of tenant T's application, with R for a random number; each leaves a line in the ledger.
my $ledger = 'INSERT INTO shop.ledger SELECT CLIENT, N,';
my %work = (
	events => "$ledger 'events', count(*) FILTER (WHERE outcome = 'stored') FROM stratum.ingest_events((SELECT jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase'])[1 + (R + k) % 3],
		'external_id', 'x' || (R + k * 7) % 150, 'message_id', md5('CLIENT N ' || k), 'traits', jsonb_build_object('n', R % 100))) FROM generate_series(1, 6) k))",
	impressions => "WITH u AS (UPDATE stratum.campaigns SET impressions = impressions + 1 WHERE id % 7 = R % 7 RETURNING id) $ledger 'impressions', count(*) FROM u",
	stock => "WITH u AS (UPDATE shop.stock SET n = n + 1, note = 'R' WHERE id % 11 = R % 11 RETURNING id) $ledger 'stock', count(*) FROM u",
	goods => "WITH i AS (INSERT INTO shop.stock SELECT 10000000 + CLIENT * 1000000 + N * 10 + k, T, 0, 'R' FROM generate_series(1, 5) k RETURNING id) $ledger 'goods', count(*) FROM i",
	undone => "SAVEPOINT a; DELETE FROM shop.stock; SELECT count(*) FROM stratum.refresh_segments(); ROLLBACK TO a; $ledger 'undone', 0",
	traits => "WITH u AS (UPDATE stratum.cdp_profiles SET traits = jsonb_build_object('n', R % 100) WHERE id % 50 = R % 50 RETURNING id) $ledger 'traits', count(*) FROM u",
	refresh => "$ledger 'refresh', count(*) FROM stratum.refresh_segments()",
	rules => "$ledger 'rules', stratum.run_due_rules(now() + N * interval '1 minute')",
	decide => "$ledger 'decided', count(stratum.approve_action(q.id)) FROM (SELECT id FROM stratum.fact_actions_queue WHERE status = 'pending' ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED) q",
	execute => "$ledger 'executed', count(stratum.execute_action(q.id)) FROM (SELECT id FROM stratum.fact_actions_queue WHERE status = 'approved' AND action_type <> 'send_alert' ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED) q",
	seal => "$ledger 'sealed', stratum.seal_audit(T)",
	live => "$ledger 'live', count(stratum.set_segment_options(id, is_live => R % 2 = 0)) FROM stratum.cdp_segments WHERE slug = 's' || 1 + R % 4");
my @order = sort keys %work;

# What must have been told in other ways than by a fault that was asked for: SQLSTATEs of cancelled and ended sessions, deadlocks.
my $expected = qr/57014|57P0[123]|08006|40P01|40001|25P02/;

my $started = 0;

sub start
{
	my ($class, $node, %option) = @_;
	my $self = bless { node => $node, owner => $$, first => 1 + 100 * $started++, clients => $option{clients} // 4, before => sums($node) }, $class;
	$self->{dir} = $node->dir . "/load$started";
	mkdir $self->{dir} or die $!;
	for my $client ($self->names)
	{
		my $pid = fork // die $!;
		if ($pid == 0)
		{
			eval { $self->run($client) } or $self->remember($client, 'odd', $@);
			POSIX::_exit(0);
		}
		push @{ $self->{pids} }, $pid;
	}
	return $self;
}

sub names { my ($self) = @_; return $self->{first} .. $self->{first} + $self->{clients} - 1 }

sub path { my ($self, $what) = @_; return "$self->{dir}/$what" }

sub remember
{
	my ($self, $client, $what, $text) = @_;
	open my $file, '>>', $self->path("$what.$client") or die $!;
	print $file "$text\n";
	close $file;
	return;
}

sub lines { my ($self, $what) = @_; my @lines; for my $path (glob $self->path("$what.*")) { open my $file, '<', $path or next; push @lines, <$file> } chomp @lines; return @lines }

# One client: a session while there is one, transaction after transaction.
sub run
{
	my ($self, $client) = @_;
	my ($n, $session) = (0);
	srand($client);
	until (-e $self->path('stop'))
	{
		$session //= Stratum::Session->new($self->{node}, user => 'app');
		sleep 0.1, next unless $session;
		open my $file, '>', $self->path("pid.$client") or die $!;
		print $file $session->pid;
		close $file;
		$session = undef unless $self->transact($session, $client, ++$n);
	}
	return 1;
}

# False if the session is lost. What was not told to be committed may be there or not.
sub transact
{
	my ($self, $session, $client, $n) = @_;
	my $tenant = 1 + $client % 2;
	my $random = int rand 10000;
	my $kind = $order[ rand @order ];
	my $sql = $work{$kind};
	s/\bCLIENT\b/$client/g, s/\bN\b/$n/g, s/\bR\b/$random/g, s/\bT\b/$tenant/g, s/\s*\n\s*/ /g for $sql;
	$session->send("BEGIN; SELECT stratum.enter($tenant, $tenant); $sql; COMMIT");
	my ($said) = $session->answer(120);
	return 0 unless defined $said;
	my @faults = $said =~ /^((?:ERROR|FATAL|PANIC|WARNING):.*)$/mg;
	$self->remember($client, 'told', "$client $n") unless @faults;
	my @odd = grep { !/$expected/ } @faults;
	$self->remember($client, 'odd', "$kind: $_") for @odd;
	return $said !~ /FATAL|server closed/;
}

sub wait_for_more
{
	my ($self, $more) = @_;
	my %goal = map { $_ => $more + told_of($self, $_) } $self->names;
	for (1 .. 6000)
	{
		return if !grep { told_of($self, $_) < $goal{$_} } keys %goal;
		sleep 0.1;
	}
	die "the clients do not get on\n";
}

sub told_of { my ($self, $client) = @_; open my $file, '<', $self->path("told.$client") or return 0; my @lines = <$file>; return scalar @lines }

sub backend
{
	my ($self) = @_;
	my @names = $self->names;
	open my $file, '<', $self->path('pid.' . $names[ rand @names ]) or return;
	my $pid = <$file>;
	return $pid && kill(0, $pid) ? $pid : undef;
}

sub stop
{
	my ($self) = @_;
	return unless $self->{pids} && $self->{owner} == $$;
	open my $file, '>', $self->path('stop') or die $!;
	waitpid $_, 0 for @{ $self->{pids} };
	delete $self->{pids};
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@); $self->stop; return }

sub sums
{
	my ($node) = @_;
	return $node->sql(q{SELECT (SELECT count(*) FROM stratum.cdp_events), (SELECT sum(impressions) FROM stratum.campaigns), (SELECT sum(n) FROM shop.stock), (SELECT count(*) FROM shop.stock)});
}

# Number of transactions that were told to be committed.
sub told { my ($self) = @_; return scalar(my @lines = $self->lines('told')) }

sub is_kept
{
	my ($self, $when) = @_;
	my $range = sprintf 'client BETWEEN %d AND %d', $self->{first}, $self->{first} + $self->{clients} - 1;
	my %there = map { $_ => 1 } split /\n/, $self->{node}->sql("SELECT client || ' ' || n FROM shop.ledger WHERE $range");
	my @lost = grep { !$there{$_} } $self->lines('told');
	is(scalar @lost, 0, "$when: nothing is lost of " . $self->told . ' transactions') or diag("lost: @lost");
	my @before = split /\|/, $self->{before};
	my @more = map { $self->{node}->sql("SELECT coalesce(sum(amount), 0) FROM shop.ledger WHERE $range AND kind = '$_'") } qw(events impressions stock goods);
	is(sums($self->{node}), join('|', map { $before[$_] + $more[$_] } 0 .. 3), "$when: events, impressions and stock are those of the transactions that are there");
	my @odd = $self->lines('odd');
	is(scalar @odd, 0, "$when: no client was told anything odd") or diag(join "\n", @odd[0 .. ($#odd > 9 ? 9 : $#odd)]);
	return;
}

1;
