#!/usr/bin/env perl
# What the fuzzer has found worth keeping (test/deep/corpus/conditions), against an ordinary server: definitions, actions, events,
# tokens, schedules, identifiers. None may end the session, and an error is a documented refusal, never an internal one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $deep = "$FindBin::RealBin/../deep";
my $node = Stratum::Cluster->new;

# What is refused, by the input's letter: 22023 is the extension's word, and 22004 for a NULL where there may be none; 22P02, 22P05, 22003, 22007,
# 22008, 22021 and 54001 come from PostgreSQL, which reads the jsonb, the time or the number before; 28... and 0A000 are for tokens.
my $always = '22023|22004|22P02|22P05|22003|22021|54001';
my %documented = (map({ $_ => $always } split //, 'vctsewpgdkrixyzqamS'), n => "$always|22007|22008", j => "$always|28...|0A000", J => "$always|28...|0A000");

sub inputs
{
	my %input;
	for my $file (glob "$deep/corpus/conditions/*")
	{
		open my $handle, '<:raw', $file or die "$file: $!";
		local $/;
		my $text = <$handle>;
		# as the fuzzer reads it: up to a zero; what is not UTF-8 it does not ask about
		$text =~ s/\0.*//s;
		my ($name) = $file =~ m{([^/]+)$};
		$input{$name} = $text if utf8::decode(my $copy = $text) && $text =~ /^[a-zA-Z]/ && $documented{ substr($text, 0, 1) };
	}
	return \%input;
}

$node->psql(do { local (@ARGV, $/) = "$deep/fuzz/database.sql"; <> });
my $input = inputs();
cmp_ok(scalar(keys %$input), '>=', 100, 'inputs of the corpus');

my $tag = '$fuzz_input$';
my $script = "SELECT pg_backend_pid();\nBEGIN;\nSELECT FROM stratum.enter(1);\n"
  . join('', map { "SAVEPOINT s;\nSELECT '$_ ' || fuzz.attempt($tag$input->{$_}$tag);\nROLLBACK TO s;\n" } sort keys %$input)
  . "ROLLBACK;\nSELECT pg_backend_pid();\n";
my ($rc, $out, $err) = $node->psql($script);
is($rc, 0, 'the session lives') or diag($err);
my ($pid, @answers) = split /\n/, $out;
is(pop @answers, $pid, 'in the same process');

my %answered = map { /^([0-9a-f]{12,40}) (.*)/ ? ($1 => $2) : () } @answers;
is_deeply([ sort keys %answered ], [ sort keys %$input ], 'each is answered');
my (@wrong, $refused);
for my $name (sort keys %answered)
{
	my ($state) = $answered{$name} =~ /^([0-9A-Z]{5})/ or next;
	$refused++;
	push @wrong, "$name: $answered{$name}" if $state !~ /^(?:$documented{ substr $input->{$name}, 0, 1 })$/;
}
is(scalar(@wrong), 0, 'every refusal is a documented one') or diag(join "\n", @wrong);
cmp_ok($refused, '<', scalar(keys %answered), 'some are taken');
printf "# reliability: corpus of the fuzzer against a server | %d inputs, %d of them refused | 0 crashes, %d undocumented errors\n",
  scalar(keys %$input), $refused, scalar(@wrong);
is($node->sql('SELECT count(*) FROM stratum.check_install()'), '0', 'nothing is broken');

done_testing();
