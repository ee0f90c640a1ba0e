#!/usr/bin/perl
# A database whose locale folds letters in its own way (Turkish: I is the capital of dotless i): installs, and gives the
# same answers as any other.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Test::More;

my $node = Stratum::Cluster->new;
my ($rc, undef, $err) = $node->psql(q{CREATE DATABASE turkish TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C.UTF-8'});
plan skip_all => "no such locale here: $err" if $rc != 0;

$node->sql('CREATE EXTENSION stratum', db => 'turkish');
is($node->sql('SELECT * FROM stratum.check_install()', db => 'turkish'), '', 'installs and is healthy');
is($node->sql(q{SELECT upper('i')}, db => 'turkish'), 'İ', 'the locale is at work');
is($node->sql(q{SELECT stratum.normalize_email('INFO@X.TEST'), stratum.audience_hash('google', 'email', 'INFO@X.TEST') = stratum.email_hash('info@x.test')}, db => 'turkish'),
	'info@x.test|t', 'addresses are folded as everywhere');
is($node->sql(q{SELECT stratum.traits_match('{"logic": "NOT", "conditions": [{"field": "trait.a", "operator": "IS_NULL"}]}', '{"a": "TITLE"}'),
	stratum.traits_match('{"conditions": [{"field": "trait.a", "operator": "Contains", "value": "title"}]}', '{"a": "TITLE"}')}, db => 'turkish'),
	't|t', 'operators and text search too');
is($node->sql(q{CREATE TABLE t (id int PRIMARY KEY); SELECT stratum.audit_table('t', operations => 'INSERT, DELETE'); INSERT INTO t VALUES (1);
	SELECT action FROM stratum.audit_logs WHERE resource_type = 'public.t'}, db => 'turkish'), "\ncreate", 'audit_table() reads its operations');
done_testing();
