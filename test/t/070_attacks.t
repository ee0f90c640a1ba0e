#!/usr/bin/env perl
# Attacks by somebody who can run SQL: each script of test/attacks has to fail against stratum, in transactions that have entered a tenant and
# in sessions that are locked to one; and it is known which of them a hand-written set-up falls to. See test/attacks/README.md.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Tried qw(tried);
use Test::More;

my $here = "$FindBin::RealBin/../attacks";
my $wanted = $ENV{ATTACKS} // '';
my $node = Stratum::Cluster->new(config => "wal_level = logical\nmax_replication_slots = 10\nmax_wal_senders = 2\n");
my $secret = qr/XQSECRETQX/;

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return <$file> }

# What the README says under "Security and caveats", without line breaks.
my ($caveats) = slurp("$FindBin::RealBin/../../README.md") =~ /^## Security and caveats\n(.*?)^## /ms;
$caveats =~ s/\s+/ /g;

# ---- the two databases -------------------------------------------------------------------------------------------

sub make_databases
{
	$node->sql('CREATE DATABASE guarded; CREATE DATABASE naive');
	$node->sql('CREATE EXTENSION stratum', db => 'guarded');
	is($node->sql(q{SELECT * FROM stratum.security_check() WHERE severity <> 'note' AND object !~ '^PostgreSQL '}, db => 'guarded'), '', 'security_check() has nothing against a fresh install');
	$node->sql('CREATE ROLE mallory LOGIN IN ROLE stratum_app; CREATE ROLE app LOGIN IN ROLE stratum_app', db => 'guarded');
	$node->sql(slurp("$here/stage.sql") . slurp("$here/guarded.sql"), db => 'guarded');
	is($node->sql(q{SELECT * FROM stratum.security_check() WHERE severity <> 'note' AND object !~ '^PostgreSQL '}, db => 'guarded'), '', '    nor against the database that is attacked');
	$node->sql(slurp("$here/naive.sql") . slurp("$here/stage.sql") . slurp("$here/naive_after.sql"), db => 'naive');
	return;
}

# ---- one attack --------------------------------------------------------------------------------------------------

# Runs a script in a fresh copy of a database: what it reported, by kind, and why it is broken if it is.
sub attack
{
	my ($name, $template, %variable) = @_;
	$node->sql("CREATE DATABASE attacked TEMPLATE $template");
	$node->sql('SELECT attack.remember()', db => 'attacked');
	my ($script) = glob "$here/$name.sql";
	local %ENV = (%ENV, PATH => "$here:$ENV{STRATUM_BIN}:$ENV{PATH}");
	my (undef, $out, $err) = $node->psql("\\ir $here/as_mallory.psql\n\\ir $script\n", db => 'attacked',
		options => [ '-v', 'ON_ERROR_STOP=0', '-v', 'guarded=' . ($template eq 'guarded' ? 1 : 0), map { ('-v', "$_=$variable{$_}") } sort keys %variable ]);
	my ($before, $after) = map { $node->sql($_, db => 'attacked') } 'SELECT rows FROM attack.remembered', 'SELECT attack.victims_rows()';
	$node->sql('DROP DATABASE attacked WITH (FORCE)');

	my %reported = (held => [], control => [], known => []);
	push @{ $reported{$1} }, [ $2, $3 eq 'true' ] while $out =~ /^(held|control|known)\|(.*)\|(true|false)$/mg;
	my @faults = map { $_->[0] } grep { !$_->[1] } @{ $reported{held} };
	push @faults, 'the mark was seen: ' . join(' / ', grep { $_ =~ $secret } split /\n/, "$out$err") if "$out$err" =~ $secret;
	push @faults, "rows of the victim are others:\n$before$after" if $before ne $after;
	return { %reported, faults => \@faults, said => "$out$err" };
}

# An attempt without a control that worked proves nothing.
sub is_real
{
	my ($result) = @_;
	return @{ $result->{control} } && !grep { !$_->[1] } @{ $result->{control} };
}

sub must_hold
{
	my ($name, $mode, $result) = @_;
	ok(!@{ $result->{faults} }, "$name holds, $mode") or diag(join("\n", @{ $result->{faults} }), "\n$result->{said}");
	ok(is_real($result), '    and was a real attempt') or diag($result->{said});
	for my $known (@{ $result->{known} })
	{
		ok($known->[1] && index($caveats, $known->[0]) >= 0, "    limit that is documented: $known->[0]") or diag($result->{said});
	}
	return;
}

# ---- all of them -------------------------------------------------------------------------------------------------

my @attacks = grep { /^\Q$wanted\E/ } map { m{([^/]+)\.sql$} } sort glob "$here/[0-9][0-9]_*.sql";
my %families = map { substr($_, 0, 2) => 1 } @attacks;
is(scalar keys %families, 25, 'all 25 families of attacks are there') unless $wanted;

make_databases();
for my $name (@attacks)
{
	must_hold($name, 'in an entered transaction', attack($name, 'guarded', enter => 'SELECT stratum.enter(1)', lock => ''));
}

# The same under a session lock, where there is something to enter.
for my $name (grep { slurp("$here/$_.sql") =~ /^:enter;/m } @attacks)
{
	must_hold($name, 'under a session lock', attack($name, 'guarded', enter => 'SELECT stratum.enter(1)',
		lock => q{SELECT stratum.enter_session(1, NULL, 'token-of-the-application')}));
}

# What a typical set-up falls to. Changes here are changes of the attacks' strength: look twice.
my @expected = qw(
	01_connection_option 01_set_the_context 02_fake_admin 03_no_context 05_enter_another 05_session_lock
	06_reference_oracle 06_reference_pinning 07_unique_blocking 07_unique_oracle 08_chosen_id 09_move_row
	11_definer_function 11_trigger_that_follows 11_view 13_sequence 13_truncate 14_audit_rows 16_cached_plan 17_held_cursor 18_shadowed_names
	20_notification 24_partition 25_platform_user);
my @broken;
for my $name (@attacks)
{
	my $result = attack($name, 'naive', enter => 'SELECT stratum.enter(1)', lock => '');
	push @broken, $name if @{ $result->{faults} };
	diag("$name: ", join("\n   ", map { substr $_, 0, 300 } @{ $result->{faults} }), "\n", $ENV{VERBOSE} ? $result->{said} : '') if $ENV{VERBOSE};
	ok(is_real($result), "$name is a real attempt against the naive set-up too") or diag($result->{said});
}
is_deeply(\@broken, [ grep { /^\Q$wanted\E/ } @expected ], scalar(@broken) . ' attacks succeed against the naive set-up');
cmp_ok(scalar @broken, '>=', 12, 'twelve at least') unless $wanted;

tried('attacks on the isolation of tenants by somebody who can run SQL, in a transaction and under a session lock', scalar(@attacks) . ' attacks of ' . keys(%families) . ' families; ' . @broken . ' of them succeed against a hand-written set-up') unless $wanted;
done_testing();
