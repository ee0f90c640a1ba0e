#!/usr/bin/env perl
# What is shipped beside the code: the install script refuses psql, make refuses old servers, the library keeps its
# symbols to itself, and no function or file has grown beyond what one wants to read.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $src = $ENV{STRATUM_SRC} or die "run this test with bin/test\n";
my $node = Stratum::Cluster->new;

sub slurp { my ($path) = @_; open my $file, '<', $path or die "$path: $!"; local $/; return <$file> }

sub install_script_refuses_psql
{
	for my $script (glob "$src/sql/stratum--*.sql")
	{
		my ($rc, $out, $err) = $node->psql(slurp($script));
		my ($name) = $script =~ m{([^/]+)$};
		like($out . $err, qr/\AUse "(?:CREATE|ALTER) EXTENSION stratum[^"]*" to load this file\.\s*\z/, "$name in psql says what to do");
		is($node->sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'stratum'"), '0', "$name in psql does nothing");
	}
}

# A pg_config that lies about the version stands for an old server.
sub make_refuses_old_servers
{
	my $fake = $node->dir . '/pg_config';
	open my $file, '>', $fake or die $!;
	print $file "#!/bin/sh\ncase \$1 in --version) echo 'PostgreSQL 14.11';; *) exec '$ENV{PG_CONFIG}' \"\$@\";; esac\n";
	close $file;
	chmod 0755, $fake;
	my $said = `make -C '$src' PG_CONFIG='$fake' 2>&1`;
	isnt($?, 0, 'make fails for version 14');
	my @lines = grep { !/(?:Entering|Leaving) directory/ } split /\n/, $said;
	is(scalar @lines, 1, 'with one line') or diag($said);
	like($lines[0], qr/needs PostgreSQL 15 or later.*14/, 'that says which version it takes');
}

sub library_keeps_its_symbols
{
	my @symbols = map { /\s[A-Z]\s(\S+)$/ ? $1 : () } `nm -D --defined-only '$src/stratum.so'`;
	# Those of gcov are in a library that counts what runs (test/deep/coverage), and in no other.
	@symbols = grep { !/^(?:__gcov_\w+|mangle_path)$/ } @symbols if grep { /^__gcov_/ } @symbols;
	my %exported = map { $_ => 1 } @symbols;
	# test/sql/sha256.sql makes a function of one more.
	my %named = map { $_ => 1 } 'stratum_sha256_test', map { slurp($_) =~ /'MODULE_PATHNAME'\s*,\s*'(\w+)'/g } glob "$src/sql/stratum--*.sql";
	my @foreign = grep { !/^(?:Pg_magic_func|_PG_init|_PG_fini)$/ && !$named{ s/^pg_finfo_//r } } @symbols;
	ok($exported{Pg_magic_func} && $exported{_PG_init}, 'the library has its magic block and _PG_init');
	is("@foreign", '', 'and exports nothing else but the functions that scripts of any version name');
	is(join(' ', grep { !/^(?:Pg_magic_func|_PG_init|_PG_fini|pg_finfo_stratum_\w+|stratum_\w+)$/ } @symbols), '', 'whose names begin with stratum_');
}

# pgindent style: a function's braces are the only ones in the first column that stand alone.
sub long_functions
{
	my ($path) = @_;
	my ($start, $name, @long) = (0, '?');
	my @lines = split /\n/, slurp($path);
	for my $i (0 .. $#lines)
	{
		$name = $1 if $lines[$i] =~ /^(\w+)\(/ && !$start;
		$start = $i + 1 if $lines[$i] eq '{';
		next unless $start && $lines[$i] =~ /^\}/;
		push @long, "$path: $name() has " . ($i + 1 - $start) . " lines" if $i + 1 - $start > 100;
		$start = 0;
	}
	return @long;
}

sub nothing_is_too_long
{
	my @sources = glob "$src/src/*.[ch]";
	my @files = (@sources, glob("$src/sql/parts/*.sql $src/sql/tables/*.sql $src/bin/* $src/bin/lib/* $src/bench/* $src/test/t/* $src/test/oracle/* $src/test/cookbook/*"));
	# manifest.sql is written by a program, and read by one.
	my @long = grep { -f && !m{/manifest[.]sql$} && (my $lines = () = slurp($_) =~ /\n/g) > 700 } @files;
	is("@long", '', 'no file has more than 700 lines');
	is(join("\n", map { long_functions($_) } @sources), '', 'no C function has more than 100 lines');
}

sub parts_are_joined
{
	my ($version) = slurp("$src/stratum.control") =~ /^default_version\s*=\s*'([^']+)'/m;
	my @scripts = grep { /--\Q$version\E(?:--|\.sql)/ } map { s{.*/}{}r } glob "$src/sql/stratum--*.sql";
	my %before = map { $_ => slurp("$src/sql/$_") } @scripts;
	is(scalar @scripts, 3, "$version has an install script and an update script for each direction");
	unlink map { "$src/sql/$_" } @scripts or die $!;
	system("make -s -C '$src' sql PG_CONFIG='$ENV{PG_CONFIG}'") == 0 or die 'make sql failed';
	ok($before{$_} eq slurp("$src/sql/$_"), "$_ is what `make sql` makes") for @scripts;
}

# A session may run an older version's functions with this library until ALTER EXTENSION UPDATE, and a downgrade
# brings them back: no symbol that any script names may ever go.
sub library_has_what_scripts_name
{
	my %exported = map { /\sT\s(\S+)$/ ? ($1 => 1) : () } `nm -D --defined-only '$src/stratum.so'`;
	for my $script (glob "$src/sql/stratum--*.sql")
	{
		my @symbols = slurp($script) =~ /'MODULE_PATHNAME'\s*,\s*'(\w+)'/g;
		my ($name) = $script =~ m{([^/]+)$};
		is(join(' ', grep { !$exported{$_} || !$exported{"pg_finfo_$_"} } @symbols), '', "the library has the symbols that $name names");
		cmp_ok(scalar @symbols, '>', 20, 'which are many') if $name !~ /--.*--/;
	}
}

# What has been released is never edited: databases out there were made by it.
sub released_scripts_are_frozen
{
	for my $line (split /\n/, slurp("$src/sql/frozen.sha256"))
	{
		my ($sum, $name) = split ' ', $line;
		is(sha256_hex(slurp("$src/sql/$name")), $sum, "$name is as it was released");
	}
}

install_script_refuses_psql();
released_scripts_are_frozen();
make_refuses_old_servers();
library_has_what_scripts_name();
library_keeps_its_symbols();
nothing_is_too_long();
parts_are_joined();
done_testing();
