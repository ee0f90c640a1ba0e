#!/usr/bin/env perl
# Partitions are made, and tables converted, while others work: no reader and no writer is the victim of a deadlock, whatever they hold and want
# next; locks that are not to be had are given up in time, with nothing changed; and no lock comes later than those taken at the start.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stratum::Cluster;
use Stratum::Session;
use Test::More;
use Time::HiRes qw(sleep time);

Stratum::Cluster->in_mid_month;
# Deadlocks are looked for soon, so that they come to light soon.
my $node = Stratum::Cluster->new(config => "deadlock_timeout = 200ms\nautovacuum_naptime = 1s\n");
$node->sql(<<'SQL');
CREATE EXTENSION stratum;
INSERT INTO stratum.tenants (id, name, slug) VALUES (1, 'One', 'one');
INSERT INTO stratum.users (id, tenant_id, email, password_hash) VALUES (1, 1, 'a@one.test', 'x');
INSERT INTO stratum.cdp_profiles (id, tenant_id, canonical_id) SELECT g, 1, md5('p' || g)::uuid FROM generate_series(1, 100) g;
INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) SELECT 1, g, 'Seen', 'track', now() FROM generate_series(1, 100) g;
SQL

$node->sql(q{SELECT setval('stratum.cdp_profiles_id_seq', 1000)});

my $partitions = q{SELECT count(*) FROM pg_class WHERE relname ~ '^(cdp_events|audit_logs)_(p\d|default)' AND relkind = 'r'};
my $profile = q{UPDATE stratum.cdp_profiles SET first_name = 'changed' WHERE id = 1 AND tenant_id = 1};
my $user = q{UPDATE stratum.users SET full_name = 'changed' WHERE id = 1};
sub event { my ($time) = @_; return "INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) VALUES (1, 1, 'New', 'track', $time)" }

my $chief = Stratum::Session->new($node);
my $writer = Stratum::Session->new($node);

# Until the chief waits for a lock, or between two tries.
sub await_chief
{
	$node->comes_true('SELECT wait_event_type IS NOT NULL AND state = \'active\' FROM pg_stat_activity WHERE pid = ' . $chief->pid . q{ AND wait_event IN ('relation', 'PgSleep')})
		or die "the chief does not wait\n";
	return;
}

# The writer has done something, then the chief comes, then the writer wants more: which it gets, and the chief too, afterwards.
sub meets
{
	my ($name, $first, $call, $then, $expected) = @_;
	$writer->query('BEGIN');
	my $said = $writer->query($first);
	$chief->send($call);
	await_chief();
	sleep 0.5;    # more than deadlock_timeout: the chief has looked for a deadlock by now, and it is the writer who would find one
	$said .= $writer->query($then);
	$said .= $writer->query('COMMIT');
	unlike($said, qr/ERROR/, "$name: the writer is served");
	my ($answer) = $chief->answer(120);
	like($answer, $expected, "$name: and then the other one");
	return;
}

# ---- conversions -----------------------------------------------------------------------------------------------

meets('partition_by_month()', $profile, q{CALL stratum.partition_by_month('cdp_events')}, event('now()'), qr/\A\z/);
meets('partition_by_month() of the trail', q{SELECT count(*) FROM stratum.users}, q{CALL stratum.partition_by_month('audit_logs')}, $user, qr/\A\z/);
meets('unpartition()', $profile, q{CALL stratum.unpartition('cdp_events')}, event('now()'), qr/\A\z/);
$node->sql(q{CALL stratum.partition_by_month('cdp_events')});

# ---- partitions to come ----------------------------------------------------------------------------------------

my $all_events = 'SELECT count(*) > 0 FROM stratum.cdp_events WHERE profile_id = 1';
meets('make_partitions(), a profile and then all its events', $profile, 'SELECT stratum.make_partitions(4)', $all_events, qr/\A2\z/);
meets('events and then a profile', $all_events, 'SELECT stratum.make_partitions(5)', $profile, qr/\A2\z/);
meets('the tenant, and then an event of a later month', q{UPDATE stratum.tenants SET name = 'Once' WHERE id = 1}, 'SELECT stratum.make_partitions(6)',
	event(q{now() + interval '4 months'}), qr/\A2\z/);
meets('the trail and then a user', 'SELECT count(*) FROM stratum.audit_logs', 'SELECT stratum.make_partitions(7)', $user, qr/\A2\z/);

# rows of the month: those that are there, and one that comes while the locks are tried for
$node->sql(event(q{now() + interval '8 months'}));
meets('rows that have to move', $profile, 'SELECT stratum.make_partitions(8)', $all_events, qr/\A2\z/);
meets('rows that come meanwhile', event(q{now() + interval '9 months'}), 'SELECT stratum.make_partitions(9)', event(q{now() + interval '9 months'}), qr/\A2\z/);
is($node->sql(q{SELECT count(*) FROM stratum.cdp_events_default; SELECT count(*) FROM stratum.cdp_events WHERE timestamp > now() + interval '7 months'}), "0\n3", 'all rows are in their months');

# partitions that somebody else has made have to be made fit
$node->sql(q{ALTER TABLE stratum.cdp_events_default NO FORCE ROW LEVEL SECURITY; DROP POLICY admin_all ON stratum.} . $node->sql(q{SELECT name FROM stratum._partitions('cdp_events') WHERE now() >= starts AND now() < ends}));
meets('partitions to be made fit', event('now()'), 'SELECT stratum.make_partitions(9)', event('now()') . '; SELECT FROM stratum.cdp_events_default', qr/\A0\z/);
is($node->sql('SELECT * FROM stratum.check_install()'), '', 'healthy');

# ---- who never ends --------------------------------------------------------------------------------------------

my $before = $node->sql($partitions);
$writer->query("BEGIN; $profile");
like($chief->query(q{SET lock_timeout = '700ms'; SELECT stratum.make_partitions(10)}),
	qr/ERROR:  55P03: the locks that a change of partitions needs were not to be had within 00:00:00\.7\nDETAIL:  (?:.* )?Process \d+ has RowExclusiveLock on stratum\.cdp_profiles\.(?: .*)?\nHINT:  Nothing has changed/, 'it gives up');
like($chief->query(q{CALL stratum.unpartition('cdp_events')}), qr/ERROR:  55P03/, 'so do conversions');
is($node->sql($partitions), $before, 'nothing has changed');
is($node->sql('SELECT count(*) FROM pg_locks WHERE pid = ' . $chief->pid . " AND locktype = 'relation'"), '0', 'and nothing is locked');
is($chief->query('SHOW lock_timeout'), '700ms', 'lock_timeout is as it was');
$writer->query('ROLLBACK');
is($chief->query('BEGIN; SELECT stratum.make_partitions(10); SHOW lock_timeout; COMMIT; RESET lock_timeout'), "2\n700ms", 'afterwards it succeeds');

# ---- who never ends all together -------------------------------------------------------------------------------

# Writers with hardly a pause, in whose way it comes again and again, and who in turn are in its way: whichever locks they take first.
my $months = 10;
for my $order ([ 'profiles first', "%s; INSERT INTO stratum.cdp_events (tenant_id, profile_id, event_name, event_type, timestamp) VALUES (1, %d, 'New', 'track', now()); PERFORM count(*) FROM stratum.cdp_events WHERE profile_id = %2\$d" ],
	[ 'events first', 'PERFORM count(*) FROM stratum.cdp_events WHERE profile_id = %2$d; %1$s' ])
{
	my ($name, $work) = @$order;
	my @crowd = map { Stratum::Session->new($node) } 1 .. 4;
	$node->sql('CREATE TABLE public.over ()');
	for my $n (0 .. $#crowd)
	{
		my $all = sprintf $work, sprintf(q{UPDATE stratum.cdp_profiles SET first_name = 'n' || random() WHERE id = %d AND tenant_id = 1}, 10 + $n), 10 + $n;
		$crowd[$n]->send("DO \$\$ BEGIN FOR i IN 1 .. 2000 LOOP $all; COMMIT; EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'seen_over'); PERFORM pg_sleep(0.01); END LOOP; END \$\$");
	}
	my $from = time;
	for (1 .. 3)
	{
		$months++;
		is($chief->query("SET lock_timeout = '100s'; SELECT stratum.make_partitions($months); RESET lock_timeout"), '2', "$months months ahead, in a crowd that writes $name");
	}
	printf "# measured: a month for both tables among four writers with hardly a pause, $name: %.2f s\n", (time - $from) / 3;
	$node->sql('ALTER TABLE public.over RENAME TO seen_over');
	is(join('', map { ($_->answer(60))[0] } @crowd), '', 'nobody in the crowd fails');
	$node->sql('DROP TABLE public.seen_over');
}
$node->sql('CREATE TABLE public.took (began timestamptz, ended timestamptz)');
print '# measured: a month, under locks: ', $node->sql(<<'SQL'), " ms\n";
BEGIN;
SELECT stratum._fit_partition(t, stratum._make_month(t, m, NULL)) FROM unnest('{audit_logs,cdp_events}'::text[]) t, stratum._missing_months(t, 17) m \g /dev/null
INSERT INTO public.took VALUES (clock_timestamp());
SELECT stratum._add_month(t, m) FROM unnest('{audit_logs,cdp_events}'::text[]) t, stratum._missing_months(t, 17) m \g /dev/null
UPDATE public.took SET ended = clock_timestamp();
SELECT round(extract(epoch FROM ended - began) * 500) FROM public.took;
ROLLBACK;
SQL

# An autovacuum that takes its time makes way, also one whose process began after this transaction saw who is there.
$chief->query('BEGIN; SELECT count(*) FROM pg_stat_activity');
$node->sql(q{ALTER TABLE stratum.cdp_profiles SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
	INSERT INTO stratum.cdp_profiles (tenant_id, canonical_id) SELECT 1, md5('v' || g)::uuid FROM generate_series(1, 20000) g; UPDATE stratum.cdp_profiles SET first_name = 'V' WHERE id % 2 = 0});
$node->comes_true(q{SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 'stratum.cdp_profiles'::regclass});
is($chief->query(q{SET lock_timeout = '100s'; SELECT stratum.make_partitions(17); RESET lock_timeout; COMMIT}), '2', 'an autovacuum is in nobody\'s way');
$node->sql('ALTER TABLE stratum.cdp_profiles RESET (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit, autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor)');

# ---- all locks at the start ------------------------------------------------------------------------------------

# A lock that comes later is one that a writer can hold who waits for one of the first. What is new is nobody's.
sub late_locks
{
	my ($call, $wanted) = @_;
	my $said = $chief->query("BEGIN; CREATE TEMP TABLE known ON COMMIT DROP AS SELECT oid, relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm');"
		. "CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT * FROM $wanted; $call;"
		. q{SELECT l.mode || ' on ' || k.relname FROM pg_locks l JOIN known k ON k.oid = l.relation
			WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384 AND l.mode ~ 'Exclusive' AND l.mode NOT IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock')
			AND NOT EXISTS (SELECT FROM wanted w WHERE w.table_oid = l.relation AND (w.mode = 'ACCESS EXCLUSIVE' OR l.mode = 'ShareRowExclusiveLock')); ROLLBACK});
	return $said =~ s/\A\d+\n?//r;
}
my $weak = q{SELECT string_agg(relation::regclass || ' ' || mode, ', ' ORDER BY relation::regclass::text COLLATE "C") FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode ~ '^(Access|ShareRow|ShareUpdate|)Exclusive'
	AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'stratum'::regnamespace AND relkind IN ('r', 'p') AND relname !~ '_p\d')};
is($chief->query("BEGIN; SELECT stratum.make_partitions(18); $weak; ROLLBACK"), "2\n" . join(', ', map { "stratum.$_" } 'audit_logs ShareUpdateExclusiveLock', 'audit_logs_default AccessExclusiveLock',
	'cdp_events ShareUpdateExclusiveLock', 'cdp_events_default AccessExclusiveLock', 'cdp_profiles ShareRowExclusiveLock', 'tenants ShareRowExclusiveLock', 'users ShareRowExclusiveLock'), 'the locks for new months, as documented');
is(late_locks('SELECT stratum.make_partitions(18)', q{stratum._locks_to_add('{audit_logs,cdp_events}', 18, '{}')}), '', 'new months: all locks are taken at the start');
$node->sql(event(q{now() + interval '18 months'}));
is(late_locks('SELECT stratum.make_partitions(18)', q{stratum._locks_to_add('{audit_logs,cdp_events}', 18, '{}')}), '', 'months with rows, too');
is(late_locks("CALL stratum.unpartition('$_')", "stratum._locks_to_convert('$_')"), '', "$_ back") for qw(cdp_events audit_logs);
$node->sql(q{CALL stratum.unpartition('audit_logs')});
$node->sql(q{CALL stratum.unpartition('cdp_events')});
is(late_locks("CALL stratum.partition_by_month('$_')", "stratum._locks_to_convert('$_')"), '', "$_ to partitions") for qw(cdp_events audit_logs);

done_testing();
