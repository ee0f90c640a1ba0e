#!/usr/bin/env perl
# Every public function that can take long is cancelled, timed out and terminated at random moments. It ends at once; a block
# that goes on from a savepoint finds everything as before, and the same call then comes to what it would have come to;
# procedures that commit leave whole parts; and nothing is left behind: locks, files, memory, half-done work.
#
#   STRATUM_SECONDS=600    go on for so long; by default each is interrupted a few times, which takes about a minute
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Install qw(structure rows load_rows is_same);
use Stratum::Query qw(finds_nothing);
use Stratum::Session qw(leaks);
use Stratum::Shop qw(open_shop is_whole is_sound said_nothing_odd);
use Stratum::Tried qw(tried);
use Test::More;
use Time::HiRes qw(time sleep);

my $until = time + ($ENV{STRATUM_SECONDS} // 0);
my $profiles = $ENV{STRATUM_SECONDS} ? 20000 : 1500;
my $node = Stratum::Cluster->new(config => "log_min_messages = warning\nmax_connections = 20\n");
open_shop($node, profiles => $profiles);
srand(my $seed = $ENV{STRATUM_SEED} // 42);

# ---- what is interrupted ---------------------------------------------------------------------------------------

my $events = q{(SELECT jsonb_agg(jsonb_build_object('event_name', (ARRAY['View', 'Cart', 'Purchase'])[1 + n % 3], 'external_id', 'x' || n * 3, 'anonymous_id', 'new' || n,
	'message_id', md5('e' || n), 'traits', jsonb_build_object('n', n % 100))) FROM generate_series(1, 120) n)};
my $some = q{'{"conditions": [{"field": "trait.n", "operator": "gte", "value": 20}, {"field": "event.Purchase.sum.total", "operator": "gte", "value": 1}]}'};
my $late = q{now() + interval '1 hour'};

# In a block of tenant 1 as its application, if nothing else is said. `first` prepares. `caches`: makes tables, references and so on each time,
# which PostgreSQL's own caches do not forget; memory is not looked at.
my %call = (
	refresh_segment => { call => "SELECT * FROM stratum.refresh_segment(1)" },
	refresh_segments => { call => 'SELECT count(*) FROM stratum.refresh_segments()' },
	preview_segment => { call => "SELECT profile_count FROM stratum.preview_segment($some, 100)" },
	segment_profiles => { call => "SELECT count(*) FROM stratum.cdp_segments s, stratum.segment_profiles(s.id) p WHERE s.slug IN ('b1', 's1', 'after')" },
	profile_segments => { call => 'SELECT count(*) FROM stratum.cdp_profiles p, stratum.profile_segments(p.id) s WHERE p.id % 4 = 0' },
	segment_matches => { call => "SELECT count(*) FROM stratum.cdp_profiles p WHERE stratum.segment_matches($some, p)" },
	traits_match => { call => q{SELECT stratum.traits_match('{"conditions": [{"field": "trait.t", "operator": "matches", "value": "(a|b)*c$"}]}', jsonb_build_object('t', repeat('ab', 4000))) FROM generate_series(1, 20)} },
	campaign_matches => { call => q{SELECT count(*) FROM stratum.campaigns c, generate_series(1, 50) WHERE stratum.campaign_matches('{"conditions": [{"field": "name", "operator": "matches", "value": "(C|a|m)+.*9"}]}', c)} },
	validate_conditions => { call => q{SELECT stratum.validate_conditions(jsonb_build_object('conditions', jsonb_agg(jsonb_build_object('field', 'trait.' || n, 'operator', 'matches', 'value', '(a|b){1,9}' || n)))) FROM generate_series(1, 800) n} },
	ingest_events => { call => "SELECT count(*) FROM stratum.ingest_events($events)" },
	ingest_event => { call => "SELECT count(stratum.ingest_event(e)) FROM jsonb_array_elements($events) WITH ORDINALITY AS a (e, n) WHERE n <= 15" },
	merge_profiles => { call => 'SELECT stratum.merge_profiles(1, 101)' },
	settle_segments => { first => q{INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'Purchase', 'track', now() FROM stratum.cdp_profiles WHERE id % 5 = 0}, call => 'SELECT stratum.settle_segments() >= 0' },
	set_segment_options => { call => "SELECT stratum.set_segment_options(id, is_live => true, keeps_history => true) FROM stratum.cdp_segments WHERE slug IN ('s2', 'b1')" },
	segment_size_history => { call => q{SELECT count(*) FROM stratum.cdp_segments s, stratum.segment_size_history(s.id, now() - interval '10 days', now(), '10 minutes') WHERE s.slug IN ('s10', 's11')} },
	audience_members => { call => 'SELECT count(*) FROM stratum.audience_members(1)' },
	audience_changes => { first => 'SELECT stratum.start_audience_sync(1)', call => 'SELECT count(*) FROM stratum.audience_changes(1)' },
	start_audience_sync => { call => 'SELECT count(*) FROM stratum.start_audience_sync(1)' },
	finish_audience_sync => { first => 'SELECT stratum.start_audience_sync(1)', call => 'SELECT stratum.finish_audience_sync(1)' },
	publish_draft => { call => 'SELECT count(*) FROM stratum.publish_draft(1)' },
	evaluate_rule => { call => 'SELECT count(*) FROM stratum.evaluate_rule(1, false)' },
	run_due_rules => { call => "SELECT stratum.run_due_rules($late) > 0" },
	execute_action => { first => q{SELECT count(*) FROM stratum.evaluate_rule(1, false); SELECT count(stratum.approve_action(id)) FROM stratum.fact_actions_queue WHERE status = 'pending'},
		call => q{SELECT count(stratum.execute_action(id)) FROM stratum.fact_actions_queue WHERE status = 'approved'} },
	log_event => { call => q{SELECT count(stratum.log_event('login', 'session', n::text)) FROM generate_series(1, 2000) n} },
	row_history => { first => q{DO $$ BEGIN FOR i IN 1 .. 150 LOOP UPDATE stratum.campaigns SET name = name || 'x', raw_data = jsonb_build_object('i', i) WHERE id = 7; END LOOP; END $$},
		call => q{SELECT count(*) FROM stratum.row_history('stratum.campaigns', '7')} },
	row_as_of => { call => q{SELECT count(stratum.row_as_of('stratum.campaigns', id::text, now())) FROM stratum.campaigns WHERE id < 40} },
	request_changes => { first => q{SELECT stratum.enter(1, 1, 'request'); UPDATE shop.stock SET n = -n}, call => q{SELECT count(*) FROM stratum.request_changes('request')} },
	revert_row => { as => 'postgres', first => "UPDATE stratum.campaigns SET name = 'changed'", call => q{SELECT count(stratum.revert_row('stratum.campaigns', id::text, now() - interval '1 microsecond')) FROM stratum.campaigns WHERE id < 20} },
	seal_audit => { first => 'UPDATE shop.stock SET n = -n', call => 'SELECT stratum.seal_audit(1) > 0' },
	verify_audit => { call => 'SELECT count(*) FROM stratum.verify_audit(1)' },
	purge_audit => { as => 'postgres', call => 'SELECT stratum.purge_audit(now()) > 0' },
	anonymize_profile => { call => 'SELECT stratum.anonymize_profile(1)' },
	anonymize_user => { call => 'SELECT stratum.anonymize_user(1)' },
	export_subject => { call => 'SELECT count(stratum.export_subject(id)) FROM stratum.cdp_profiles WHERE id IN (1, 101, 201)' },
	export_tenant => { as => 'postgres', call => 'SELECT count(*) FROM stratum.export_tenant(1)' },
	delete_tenant => { as => 'postgres', no_tenant => 1, call => q{SELECT stratum.delete_tenant(3, 't3')} },
	audit_table => { as => 'postgres', call => q{SELECT stratum.audit_table('shop.ledger')} },
	unaudit_table => { as => 'postgres', call => q{SELECT stratum.unaudit_table('shop.stock')} },
	check_install => { as => 'postgres', call => 'SELECT count(*) FROM stratum.check_install()' },
	security_check => { as => 'postgres', call => 'SELECT count(*) > 0 FROM stratum.security_check()' },
	install => { as => 'postgres', no_tenant => 1, call => 'SELECT stratum.install()' },
	partition_by_month => { as => 'postgres', no_tenant => 1, caches => 1, call => q{CALL stratum.partition_by_month('cdp_events')} },
	unpartition => { as => 'postgres', no_tenant => 1, caches => 1, first => q{CALL stratum.partition_by_month('audit_logs')}, call => q{CALL stratum.unpartition('audit_logs')} },
	make_partitions => { as => 'postgres', no_tenant => 1, caches => 1, first => q{CALL stratum.partition_by_month('cdp_events')}, call => 'SELECT stratum.make_partitions(24)' },
	email_hash => { call => q{SELECT count(stratum.email_hash('a' || n || '@x.test')) FROM generate_series(1, 200000) n} },
	audience_hash => { call => q{SELECT count(stratum.audience_hash('meta', 'email', 'a' || n || '@x.test')) FROM generate_series(1, 50000) n} });
# Statements that the library's triggers take part in.
my %statement = (
	'bulk INSERT' => { call => 'INSERT INTO shop.stock SELECT 5000000 + n, 1, n FROM generate_series(1, 5000) n' },
	'bulk UPDATE' => { call => "UPDATE shop.stock SET n = n + 1, note = note || 'x'" },
	'bulk DELETE' => { call => 'DELETE FROM shop.stock' },
	'TRUNCATE' => { as => 'postgres', call => 'TRUNCATE shop.stock' },
	'profiles, with live segments' => { call => q{UPDATE stratum.cdp_profiles SET traits = traits || '{"n": 31}' WHERE id % 3 = 0; SET CONSTRAINTS ALL IMMEDIATE} },
	'events, with live segments' => { call => q{INSERT INTO stratum.cdp_events (profile_id, event_name, event_type, timestamp) SELECT id, 'Purchase', 'track', now() FROM stratum.cdp_profiles; SET CONSTRAINTS ALL IMMEDIATE} },
	'a segment that is redefined' => { call => q{UPDATE stratum.cdp_segments SET conditions = '{"conditions": [{"field": "trait.n", "operator": "less_than", "value": 50}]}' WHERE slug = 's10'; SET CONSTRAINTS ALL IMMEDIATE} },
	'campaigns, with their metrics' => { call => 'UPDATE stratum.campaigns SET impressions = impressions + 1, clicks = clicks + 1' });
# A call is over before one could do anything about it; or it is built of those above.
my @short = qw(version enter leave current_tenant_id current_user_id current_request_id enter_session leave_session enter_jwt add_jwt_key retire_jwt_key list_jwt_keys
	normalize_email normalize_phone phone_hash ctr cpc_cents cpm_cents cpa_cents roas tenant_limits refuse_viewer user_can sign_in_candidates note_second_factor audit_head
	signal_health_status trust_gate validate_schedule next_due validate_actions schedule_rules schedule_partitions approve_action reject_action undo_action claim_actions complete_action fail_action storage_version);
# Committed parts; further down.
my @procedures = qw(refresh_all_segments seal_all_audit purge_all_audit run_all_due_rules widen_ids scope_unique_keys);

is($node->sql(q{SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM pg_proc WHERE pronamespace = 'stratum'::regnamespace AND proname !~ '^_'}),
	join(' ', sort(keys %call, @short, @procedures)), 'every public function is interrupted here, or short');

# ---- how -------------------------------------------------------------------------------------------------------

my %done = (cancelled => 0, 'timed out' => 0, terminated => 0, finished => 0);
my $longest = [ 0, '' ];
my $counts = 'SELECT shop.counts()';
my $context = q{SELECT stratum.current_tenant_id(), current_user, current_setting('session_replication_role'), current_setting('search_path')};

sub faults { my ($said) = @_; return join "\n", $said =~ /^((?:ERROR|FATAL|WARNING|PANIC):.*)$/mg }

# An interruption that comes late, or a short time-out, may hit this one.
sub insist { my ($session, $sql) = @_; 1 while $session->query($sql) =~ /57014/; return }

sub waited
{
	my ($seconds, $name) = @_;
	$longest = [ $seconds, $name ] if $seconds > $longest->[0];
	return;
}

# Sends a call and interrupts it after a while; what was said, undef if the session is gone.
sub interrupt
{
	my ($session, $name, $call, $after, $how) = @_;
	$call = sprintf 'SET LOCAL statement_timeout = %d; %s', 1 + $after * 1000, $call if $how eq 'timed out';
	$session->send($call);
	if ($how ne 'timed out')
	{
		sleep($after);
		$how eq 'terminated' ? $session->terminate : $session->cancel;
	}
	my ($said, $seconds) = $session->answer(60);
	waited($seconds - ($how eq 'timed out' ? $after : 0), $name);
	$done{ !defined $said || $said =~ /57014/ ? $how : 'finished' }++;
	return $said;
}

sub block { my ($case) = @_; return join '; ', 'BEGIN', ($case->{no_tenant} ? () : 'SELECT stratum.enter(1, 1)'), $case->{first} // () }

# The case to its end: what it says, what there is then, and how long it took. In a block.
sub complete
{
	my ($session, $case) = @_;
	my $began = time;
	my $said = $session->query($case->{call});
	return ($said . "\n" . $session->query($counts), time - $began);
}

# Cancelled in a block, which goes on from a savepoint; returns what is wrong.
sub cancel_in_block
{
	my ($session, $name, $case, $how, $expected, $takes) = @_;
	my @wrong;
	push @wrong, faults($session->query(block($case)));
	my $before = $session->query($context);
	$session->query('SAVEPOINT a');
	my $said = interrupt($session, $name, $case->{call}, rand() * $takes, $how);
	push @wrong, grep { $_ && !/57014|57P01|25P02/ } split /\n/, faults($said // 'ERROR: the session is lost');
	insist($session, 'ROLLBACK TO a');
	my $after = $session->query($context);
	push @wrong, "$before became $after" if $after ne $before;
	my ($came_to) = complete($session, $case);
	push @wrong, "$expected became $came_to" if $came_to ne $expected;
	$session->query('ROLLBACK');
	return grep { $_ ne '' } @wrong;
}

sub terminate_in_block
{
	my ($name, $case, $takes) = @_;
	my $session = Stratum::Session->new($node, user => $case->{as} // 'app') or return 'no session';
	$session->query(block($case));
	interrupt($session, $name, $case->{call}, rand() * $takes, 'terminated');
	my $pid = $session->pid;
	$session->close;
	return $node->comes_true("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") ? () : "backend $pid goes on";
}

sub interrupt_case
{
	my ($name, $case, $times) = @_;
	my $session = Stratum::Session->new($node, user => $case->{as} // 'app') or die "no session\n";
	my ($expected, $takes, @wrong, @memory);
	for (1 .. 2)
	{
		push @wrong, faults($session->query(block($case)));
		($expected, $takes) = complete($session, $case);
		$session->query('ROLLBACK');
		push @memory, $session->memory;
	}
	push @wrong, faults($expected);
	my $all = $node->sql($counts);
	# More often where caches are still growing: plans in PL/pgSQL are made several times.
	for my $n (1 .. $times + 12)
	{
		last if $n > $times && ($case->{caches} || !leaks(@memory));
		push @wrong, cancel_in_block($session, $name, $case, $n % 2 == 0 ? 'timed out' : 'cancelled', $expected, $takes);
		push @memory, $session->memory;
	}
	push @wrong, terminate_in_block($name, $case, $takes);
	push @wrong, 'something is left: ' . $node->sql($counts) . " was $all" if $node->sql($counts) ne $all;
	push @wrong, leaks(@memory) unless $case->{caches};
	@wrong = grep { $_ ne '' } @wrong;
	is(scalar @wrong, 0, "$name, interrupted $times times and terminated") or diag(join "\n", @wrong);
	return;
}

my %case = (%call, %statement);
my @names = grep { !$ENV{STRATUM_ONLY} || /$ENV{STRATUM_ONLY}/ } sort keys %case;
interrupt_case($_, $case{$_}, 2) for @names;
while (time < $until)
{
	interrupt_case($_, $case{$_}, 10) for $names[ rand @names ];
}

# ---- procedures, which commit -----------------------------------------------------------------------------------

# What a procedure is run on anew, and, wherever it stopped, what must not be there.
my $not_live = 'm.%s NOT IN (SELECT o.segment_id FROM stratum.cdp_segment_options o WHERE o.is_live)';
my ($member, $segment) = map { sprintf $not_live, $_ } qw(segment_id id);
my $minute = 0;
my %procedure = (
	refresh_all_segments => { reset => sub { "DELETE FROM stratum.cdp_segment_memberships m WHERE $member; UPDATE stratum.cdp_segments m SET profile_count = 0 WHERE $segment" },
		call => sub { 'CALL stratum.refresh_all_segments()' },
		half => "SELECT format('tenant %s has %s members, not %s', f.tenant, n, f.n_full) FROM shop.full_members f CROSS JOIN LATERAL (SELECT count(*) AS n FROM stratum.cdp_segment_memberships m WHERE m.tenant_id = f.tenant AND $member) c WHERE n NOT IN (0, f.n_full)" },
	seal_all_audit => { reset => sub { 'UPDATE shop.stock SET n = -n' }, call => sub { 'CALL stratum.seal_all_audit()' },
		half => q{SELECT v::text FROM generate_series(1, 3) t, stratum.verify_audit(t) v} },
	run_all_due_rules => { reset => sub { $minute += 5; 'SELECT 1' }, call => sub { "CALL stratum.run_all_due_rules(now() + interval '$minute minutes')" },
		half => q{SELECT format('rule %s', r.id) FROM stratum.rules r WHERE (r.executions_count > 0) <> (r.last_executed_at IS NOT NULL)
			UNION ALL SELECT q::text FROM stratum.fact_actions_queue q WHERE q.status = 'pending' AND EXISTS (SELECT FROM stratum.fact_actions_queue o WHERE o.id < q.id AND o.status = 'pending' AND (o.entity_id, o.action_type, o.payload) = (q.entity_id, q.action_type, q.payload))} });
$node->sql("SET client_min_messages = warning; CALL stratum.refresh_all_segments(); CREATE TABLE shop.full_members AS SELECT tenant_id AS tenant, count(*) AS n_full FROM stratum.cdp_segment_memberships m WHERE $member GROUP BY 1");

# Outside a block, from a session that may be gone then.
sub interrupt_call
{
	my ($session, $name, $call, $takes, $how) = @_;
	$session->query("SET statement_timeout = " . int(1 + rand() * $takes * 1000)) if $how eq 'timed out';
	$session->send($call);
	if ($how ne 'timed out')
	{
		sleep(rand() * $takes);
		$how eq 'terminated' ? $session->terminate : $session->cancel;
	}
	my ($said, $seconds) = $session->answer(60);
	waited($seconds, $name) if $how ne 'timed out';
	$done{ !defined $said || $said =~ /57014/ ? $how : 'finished' }++;
	insist($session, 'RESET statement_timeout') if $how eq 'timed out';
	return grep { !/57014|57P01/ } split /\n/, faults($said // '');
}

sub interrupt_procedure
{
	my ($name, $case, $times) = @_;
	my ($takes, @wrong) = (0.1);
	for my $n (0 .. $times)
	{
		my $session = Stratum::Session->new($node) or die "no session\n";
		push @wrong, faults($session->query($case->{reset}->()));
		my $call = $case->{call}->();
		push @wrong, interrupt_call($session, $name, $call, $takes, (qw(cancelled), 'timed out', 'terminated')[ $n % 3 ]) if $n > 0;
		push @wrong, split /\n/, $node->sql($case->{half});
		$session = Stratum::Session->new($node) if $n % 3 == 2;
		my $began = time;
		push @wrong, faults($session->query($call));
		$takes = time - $began if $n == 0;
		push @wrong, split /\n/, $node->sql($case->{half});
	}
	@wrong = grep { $_ ne '' } @wrong;
	is(scalar @wrong, 0, "$name, interrupted $times times, leaves whole parts") or diag(join "\n", @wrong);
	return;
}

interrupt_procedure($_, $procedure{$_}, $ENV{STRATUM_SECONDS} ? 30 : 3) for grep { !$ENV{STRATUM_ONLY} || /$ENV{STRATUM_ONLY}/ } sort keys %procedure;
is_whole($node, 'after all that');

# What cannot be repeated: each call goes on where the one before was interrupted, until one comes to its end.
sub interrupt_until_done
{
	my ($name, $call, $begin, $db) = @_;
	my ($tries, $ended, @wrong) = (0, 0);
	until ($ended || $tries++ >= 60)
	{
		my $session = Stratum::Session->new($node, db => $db // 'postgres') or die "no session\n";
		my $how = $tries % 3 == 0 ? 'terminated' : 'cancelled';
		$session->send($call);
		sleep($begin * $tries * rand());
		$how eq 'terminated' ? $session->terminate : $session->cancel;
		my ($said, $seconds) = $session->answer(60);
		waited($seconds, $name);
		$ended = defined $said && $said !~ /57014/;
		$done{ $ended ? 'finished' : $how }++;
		push @wrong, grep { !/57014|57P01/ } split /\n/, faults($said // '');
	}
	ok($ended && !@wrong, "$name, interrupted " . ($tries - 1) . ' times, comes to its end') or diag(join "\n", @wrong);
	return;
}

interrupt_until_done('scope_unique_keys', 'CALL stratum.scope_unique_keys()', 0.02);
interrupt_until_done('widen_ids', 'SET client_min_messages = warning; CALL stratum.widen_ids()', 0.1);
interrupt_until_done('purge_all_audit', q{CALL stratum.purge_all_audit(now() - interval '1 second')}, 0.05);
finds_nothing($node, 'SELECT v::text FROM (VALUES (1), (2), (3), (NULL)) t (id), stratum.verify_audit(t.id) v', 'what a purge leaves is whole');
finds_nothing($node, 'SELECT c::text FROM stratum.check_install() c', 'the install is healthy');

# ---- the extension's own scripts --------------------------------------------------------------------------------

# A script is one transaction: interrupted, the version before is there as a whole.
sub interrupt_script
{
	my ($db, $script, $state, $takes) = @_;
	my ($before, @wrong) = ($state->());
	for my $how ('cancelled', 'terminated')
	{
		my $session = Stratum::Session->new($node, db => $db) or die "no session\n";
		push @wrong, grep { !/57014|57P01/ } split /\n/, faults(interrupt($session, $script, "BEGIN; $script", rand() * $takes, $how) // '');
		insist($session, 'ROLLBACK') if $how ne 'terminated';
		$session->close;
		is_same($state->(), $before, "$script, $how: all is as it was");
	}
	is("@wrong", '', "$script says nothing but that it was cancelled");
	return;
}

$node->sql('CREATE DATABASE old');
interrupt_script('old', $_, sub { $node->sql(q{SELECT n.nspname, count(p.oid) FROM pg_namespace n LEFT JOIN pg_proc p ON p.pronamespace = n.oid WHERE nspname = 'stratum' GROUP BY 1}, db => 'old') }, 1) for 'CREATE EXTENSION stratum';
$node->sql(q{CREATE EXTENSION stratum VERSION '1.0'}, db => 'old');
load_rows($node, 'old');
my $whole = sub { return structure($node, 'old') . rows($node, 'old') };
interrupt_script('old', q{ALTER EXTENSION stratum UPDATE TO '1.1'}, $whole, 1);
$node->sql(q{ALTER EXTENSION stratum UPDATE TO '1.1'}, db => 'old');
interrupt_script('old', q{ALTER EXTENSION stratum UPDATE TO '1.0'}, $whole, 1);
interrupt_script('old', 'DROP EXTENSION stratum CASCADE', $whole, 0.1);
is($node->sql('SELECT count(*) FROM stratum.check_install()', db => 'old'), 0, 'and healthy');
is($node->sqlstate(q{ALTER EXTENSION stratum UPDATE TO '9.9'}, db => 'old'), '22023', 'no way leads to an unknown version');
is($node->sql(q{SELECT string_agg(s, ' ' ORDER BY s) FROM (SELECT stratum.version() UNION SELECT stratum.storage_version()) q (s)}, db => 'old'), '1.1', '    and nothing has changed');

# ---- and in the end ---------------------------------------------------------------------------------------------

is_sound($node, 'in the end');
finds_nothing($node, q{SELECT l::text FROM pg_locks l WHERE locktype = 'advisory'}, 'no advisory lock is left');
said_nothing_odd($node, 'all the time');
cmp_ok($done{$_}, '>', 5, "$done{$_} calls were $_") for 'cancelled', 'timed out', 'terminated';
note sprintf 'the longest wait for an end was %.3f s, of %s', @$longest;
tried(sprintf('%d functions, procedures and statements cancelled, timed out or terminated at random moments; then all is as before, nothing leaks', scalar(keys %case) + @procedures),
	sprintf('%d interrupted, %d had ended before; longest wait %.2f s', $done{cancelled} + $done{'timed out'} + $done{terminated}, $done{finished}, $longest->[0]));
done_testing();
