# A session that goes on while the test does something else: to cancel what it does, or to take its server away.
#
#   my $session = Stratum::Session->new($node, user => 'app');
#   my $said = $session->query('SELECT 1');          # all that psql says, errors with their SQLSTATE; dies on a lost session
#   $session->send('SELECT pg_sleep(10)');           # returns at once
#   $session->cancel;                                # also terminate, and kill_hard (-9)
#   my ($said, $seconds) = $session->answer(30);     # what was said, and how long it took from here; undef if the session is lost,
#                                                    # dies when nothing comes for so many seconds
#   my @measured = ($session->memory, ...);                   # again and again, outside a transaction
#   my @faults = leaks(@measured);                           # in words; none if it does not grow each time
#   $session->close;
package Stratum::Session;

use strict;
use warnings;
use Exporter qw(import);
use IO::Handle;
use IO::Select;
use List::Util qw(min);
use Time::HiRes qw(time);

our @EXPORT_OK = qw(leaks);

my $end = 'that is all';

sub new
{
	my ($class, $node, %option) = @_;
	my $self = bless { seen => '', owner => $$ }, $class;
	pipe my $in, $self->{to} or die $!;
	pipe $self->{from}, my $out or die $!;
	$self->{psql} = fork // die $!;
	if ($self->{psql} == 0)
	{
		open STDIN, '<&', $in or die $!;
		open STDOUT, '>&', $out or die $!;
		open STDERR, '>&', $out or die $!;
		close $self->{to};
		@ENV{qw(PGHOST PGUSER PGDATABASE)} = ($node->dir, $option{user} // 'postgres', $option{db} // 'postgres');
		exec $node->bin . '/psql', '-XqAt', '-v', 'VERBOSITY=verbose' or die $!;
	}
	close $in;
	close $out;
	$self->{to}->autoflush(1);
	my $said = eval { $self->query('SELECT pg_backend_pid()') } // '';
	($self->{pid}) = $said =~ /^(\d+)$/m;
	return $self->{pid} ? $self : do { $self->close; undef };
}

sub pid { return $_[0]{pid} }

# What goes to a session that is gone is lost.
sub send
{
	my ($self, $sql) = @_;
	local $SIG{PIPE} = 'IGNORE';
	print { $self->{to} } "$sql;\n\\echo $end\n";
	return;
}

sub answer
{
	my ($self, $patience) = @_;
	my $began = time;
	my $select = IO::Select->new($self->{from});
	while (1)
	{
		return ($1, time - $began) if $self->{seen} =~ s/\A(.*?)\n?^\Q$end\E\n//ms;
		my $left = $began + ($patience // 60) - time;
		die "no answer in $patience seconds; so far: $self->{seen}\n" if $left <= 0;
		next unless $select->can_read($left);
		return (undef, time - $began) unless sysread $self->{from}, $self->{seen}, 65536, length $self->{seen};
	}
}

sub query
{
	my ($self, $sql) = @_;
	$self->send($sql);
	my ($said) = $self->answer(120);
	die "the session is lost: $self->{seen}\n" unless defined $said;
	return $said;
}

# The signals that pg_cancel_backend() and pg_terminate_backend() send, without a second session that would have to be
# scheduled in time.
sub cancel    { return kill 'INT', $_[0]{pid} }
sub terminate { return kill 'TERM', $_[0]{pid} }
sub kill_hard { return kill 'KILL', $_[0]{pid} }

my $memory = q{SELECT count(*) || ' ' || sum(used_bytes) || ' ' || count(*) FILTER (WHERE name ILIKE '%stratum%') FROM pg_backend_memory_contexts};

# Of memory contexts outside a transaction: their number, bytes used in them, and the number of the library's own.
sub memory { my ($self) = @_; return [ split / /, $self->query($memory) ] }

# Caches are filled for a while, but what leaks grows each time: some time must go by without. What is measured with is a
# little itself.
sub leaks
{
	my (@measured) = @_;
	my @faults;
	for my $of ([ 0, 'contexts', 0 ], [ 1, 'bytes', 4000 ], [ 2, 'contexts of the library', 0 ])
	{
		my ($column, $what, $tolerance) = @$of;
		my $least = min(map { $measured[$_][$column] - $measured[ $_ - 1 ][$column] } 1 .. $#measured);
		push @faults, "at least $least $what more each time" if $least > $tolerance;
	}
	return @faults;
}

sub close
{
	my ($self) = @_;
	return unless $self->{psql} && $self->{owner} == $$;
	close $self->{to};
	close $self->{from};
	waitpid $self->{psql}, 0;
	$self->{psql} = 0;
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@); $self->close; return }

1;
