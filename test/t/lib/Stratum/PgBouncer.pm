# A PgBouncer in front of a throw-away cluster, on a unix socket only.
#
#   my $pooler = Stratum::PgBouncer->start($node, pool_mode => 'transaction', default_pool_size => 3);   # undef where there is none
#   my ($rc, $out, $err) = $pooler->psql('SELECT 1');      # as app, in database postgres
#   my ($rc, $out, $err) = $pooler->command('pgbench', '-c', 8, '-t', 10);
#   $pooler->stop;
package Stratum::PgBouncer;

use strict;
use warnings;

my $port = 6432;

sub program
{
	my ($found) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
	return $found;
}

sub start
{
	my ($class, $node, %setting) = @_;
	my $dir = $node->dir . '/pool' . ++$class->counter->{n};
	mkdir $dir or die "$dir: $!";
	my $self = bless { node => $node, dir => $dir, owner => $$ }, $class;
	$self->_configure(auth_type => 'trust', server_reset_query => 'DISCARD ALL', %setting);
	$self->{pid} = fork // die $!;
	if ($self->{pid} == 0)
	{
		open STDIN, '<', '/dev/null' or die $!;
		open STDOUT, '>', "$dir/said" or die $!;
		open STDERR, '>&', \*STDOUT or die $!;
		exec program(), '-q', "$dir/pgbouncer.ini" or die $!;
	}
	$self->_wait;
	return $self;
}

my %counter;
sub counter { return \%counter }

# listen_addr stays empty: the port is a part of the socket's name only.
sub _configure
{
	my ($self, %setting) = @_;
	my ($dir, $node) = @{$self}{qw(dir node)};
	_write("$dir/users", qq{"app" ""\n});
	_write("$dir/pgbouncer.ini", "[databases]\npostgres = host=" . $node->dir . " port=5432 dbname=postgres\n[pgbouncer]\n"
		. join('', map { "$_ = $setting{$_}\n" } sort keys %setting)
		. "listen_port = $port\nunix_socket_dir = $dir\nauth_file = $dir/users\npidfile = $dir/pid\nlogfile = $dir/log\n");
	return;
}

sub _write
{
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file;
	return;
}

sub log_text
{
	my ($self) = @_;
	my $text = '';
	for my $name ("$self->{dir}/log", "$self->{dir}/said")
	{
		open my $file, '<', $name or next;
		local $/;
		$text .= <$file> // '';
	}
	return $text;
}

sub _wait
{
	my ($self) = @_;
	for (1 .. 600)
	{
		my ($rc) = $self->psql('SELECT 1');
		return if $rc == 0;
		die "PgBouncer did not start:\n" . $self->log_text if waitpid($self->{pid}, 1) == $self->{pid};
		select undef, undef, undef, 0.1;
	}
	die "PgBouncer does not answer:\n" . $self->log_text;
}

# The client's environment that leads to the pooler.
sub environment { my ($self) = @_; return (PGHOST => $self->{dir}, PGPORT => $port, PGUSER => 'app', PGDATABASE => 'postgres') }

sub command
{
	my ($self, $program, @arguments) = @_;
	local %ENV = (%ENV, $self->environment);
	return $self->{node}->_capture('/dev/null', $self->{node}->bin . "/$program", @arguments);
}

# Does not stop at errors: a session goes on after them.
sub psql
{
	my ($self, $sql) = @_;
	my $input = "$self->{dir}/input.$$";
	_write($input, $sql);
	local %ENV = (%ENV, $self->environment);
	return $self->{node}->_capture($input, $self->{node}->bin . '/psql', '-XqAt', '-v', 'VERBOSITY=sqlstate');
}

sub stop
{
	my ($self) = @_;
	return if !$self->{pid} || $self->{owner} != $$;
	kill 'INT', $self->{pid};
	waitpid $self->{pid}, 0;
	$self->{pid} = 0;
	return;
}

sub DESTROY { my ($self) = @_; local $?; $self->stop; return }

1;
