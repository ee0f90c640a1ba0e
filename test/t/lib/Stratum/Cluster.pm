# A throw-away cluster for TAP tests, made from the private tree of bin/test; it listens on a unix socket only.
#
#   use FindBin;
#   use lib "$FindBin::RealBin/lib";
#   use Stratum::Cluster;
#
#   my $node = Stratum::Cluster->new;                   # runs; stopped and removed when the test ends
#   is($node->sql('SELECT 1'), '1');                    # output of psql -XqAt; dies on an error
#   is($node->sql('SELECT 1', db => 'other', user => 'app'), '1');
#   ok($node->comes_true('SELECT ...'));                # asks for five minutes (seconds => n) until it is; sql()'s options
#   is($node->sqlstate('SELECT 1/0'), '22012');         # '' if there was no error
#   my ($rc, $out, $err) = $node->psql('SELECT 1/0');
#   my ($rc, $out, $err) = $node->command('pg_dump', '-Fc', '-f', $node->dir . '/x', 'postgres');
#   $node->restart; $node->stop; $node->start;          # new(start => 0, config => "work_mem = 8MB\n", data_in => '/small/disk')
#   $node->kill_all;                                    # -9, all processes at once; how many backends there were
#   new(bin => '/opt/old/bin', initdb => ['-k'])        # another server's programs; initdb is called, with these options
#   Stratum::Cluster->in_mid_month;                     # waits for the next one if a month is about to end
#   my $standby = $node->standby; $node->wait_for($standby);   # a hot standby, and what the node has written is there
package Stratum::Cluster;

use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);

my @running;

sub new
{
	my ($class, %option) = @_;
	my $bin = $option{bin} // $ENV{STRATUM_BIN} or die "run this test with bin/test\n";
	my $dir = tempdir('cXXXXX', DIR => $ENV{STRATUM_TMP} // '/tmp');
	my $self = bless { bin => $bin, dir => $dir, data => ($option{data_in} // $dir) . '/data', owner => $$ }, $class;

	$option{bin} || $option{initdb} ? $self->_initdb(@{ $option{initdb} // [] })
	  : system('cp', '-R', $ENV{STRATUM_TEMPLATE}, $self->{data}) == 0 or die "cannot copy the template\n";
	$self->_configure($option{config} // '');
	push @running, $self;
	$self->start unless exists $option{start} && !$option{start};
	return $self;
}

# As bin/lib/server.sh makes the template.
sub _initdb
{
	my ($self, @options) = @_;
	my ($rc, undef, $err) = $self->command('initdb', '-D', $self->{data}, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N', @options);
	die "initdb: $err" if $rc != 0;
	return 1;
}

sub standby
{
	my ($self) = @_;
	my $standby = ref($self)->new(start => 0);
	remove_tree($standby->{data});
	my ($rc, undef, $err) = $self->command('pg_basebackup', '-U', 'postgres', '-D', $standby->{data}, '-R', '-c', 'fast');
	die "pg_basebackup: $err" if $rc != 0;
	$standby->_configure('');
	$standby->start;
	return $standby;
}

sub wait_for
{
	my ($self, $standby) = @_;
	my $written = $self->sql('SELECT pg_current_wal_insert_lsn()');
	$standby->comes_true("SELECT pg_last_wal_replay_lsn() >= '$written'") or die "the standby does not follow\n";
	return;
}

sub dir  { return $_[0]{dir} }
sub data { return $_[0]{data} }
sub bin  { return $_[0]{bin} }
sub log_file { return "$_[0]{dir}/log" }

sub _configure
{
	my ($self, $more) = @_;
	open my $file, '>>', "$self->{data}/postgresql.conf" or die $!;
	print $file "listen_addresses = ''\nunix_socket_directories = '$self->{dir}'\n",
	  "fsync = off\nshared_buffers = 32MB\ntimezone = 'UTC'\n$more";
	close $file;
}

sub _control
{
	my ($self, @arguments) = @_;
	my ($rc, undef, $err) = $self->command('pg_ctl', '-w', '-t', 600, '-s', '-D', $self->{data}, @arguments);
	die "pg_ctl @arguments: $err\n" . _read($self->log_file) if $rc != 0;
	return;
}

sub start   { my ($self) = @_; $self->_control('-l', $self->log_file, 'start'); $self->{up} = 1; return }
sub stop    { my ($self) = @_; $self->_control('-m', 'fast', 'stop'); $self->{up} = 0; return }
sub restart { my ($self) = @_; $self->stop; $self->start; return }

# Nobody tidies up. What is left of the dead would keep a new server from starting.
sub kill_all
{
	my ($self) = @_;
	my ($postmaster) = _read("$self->{data}/postmaster.pid") =~ /\A(\d+)/ or die "no server\n";
	kill 'STOP', $postmaster;
	my @children = grep { _read("/proc/$_/stat") =~ /\) \S $postmaster / } map { m{^/proc/(\d+)/stat$} } glob '/proc/[0-9]*/stat';
	kill 'KILL', @children, $postmaster;
	for my $pid (@children, $postmaster)
	{
		for (1 .. 600)
		{
			last unless _read("/proc/$pid/stat") =~ /\) [^ZX] /;
			select undef, undef, undef, 0.05;
		}
	}
	unlink "$self->{data}/postmaster.pid", "$self->{dir}/.s.PGSQL.5432.lock";
	$self->{up} = 0;
	return scalar @children;
}

# Runs a program of the server's bin directory as a client of this cluster: exit code, output, errors.
sub command
{
	my ($self, $program, @arguments) = @_;
	local %ENV = (%ENV, PGHOST => $self->{dir});
	return $self->_capture('/dev/null', "$self->{bin}/$program", @arguments);
}

sub psql
{
	my ($self, $sql, %option) = @_;
	my $input = "$self->{dir}/input.sql";
	open my $file, '>', $input or die $!;
	print $file $sql;
	close $file;
	local %ENV = (%ENV, PGHOST => $self->{dir}, PGUSER => $option{user} // 'postgres', PGDATABASE => $option{db} // 'postgres');
	return $self->_capture($input, "$self->{bin}/psql", '-XqAt', '-v', 'ON_ERROR_STOP=1', @{ $option{options} // [] });
}

sub sql
{
	my ($self, $sql, %option) = @_;
	my ($rc, $out, $err) = $self->psql($sql, %option);
	die "$err\nin: $sql\n" if $rc != 0;
	chomp $out;
	return $out;
}

sub comes_true
{
	my ($self, $sql, %option) = @_;
	for (1 .. 10 * ($option{seconds} // 300))
	{
		return 1 if $self->sql($sql, %option) eq 't';
		select undef, undef, undef, 0.1;
	}
	return 0;
}

# For tests that count months: none ends in the next ten minutes.
sub in_mid_month { sleep 5 while (gmtime)[4] != (gmtime time + 600)[4]; return }

sub sqlstate
{
	my ($self, $sql, %option) = @_;
	my ($rc, undef, $err) = $self->psql($sql, %option, options => [ '-v', 'VERBOSITY=sqlstate' ]);
	return '' if $rc == 0;
	return $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5})/ ? $1 : $err;
}

sub _capture
{
	my ($self, $input, @command) = @_;
	my ($out, $err) = ("$self->{dir}/out", "$self->{dir}/err");
	my $pid = fork // die $!;
	if ($pid == 0)
	{
		open STDIN, '<', $input or die $!;
		open STDOUT, '>', $out or die $!;
		open STDERR, '>', $err or die $!;
		exec @command or die "$command[0]: $!";
	}
	waitpid $pid, 0;
	my $rc = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return ($rc, _read($out), _read($err));
}

sub _read
{
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return <$file> // '';
}

END
{
	my $rc = $?;
	for my $node (grep { $_->{owner} == $$ } @running)
	{
		eval { $node->_control('-m', 'immediate', 'stop') } if $node->{up};
		remove_tree($node->{data}, $node->{dir});
	}
	$? = $rc;
}

1;
