/*
 * live_settle.c
 *	  Brings the memberships of live segments up to date with what a transaction has written, when it commits.
 *
 * Two transactions that write about the same profile do not see each other's rows, and neither may decide alone.
 * So each takes a lock on the profile, which it keeps to its end, and looks then: the second sees what the first has
 * committed. The locks, in the order in which everybody takes them:
 *
 *	1. rows of profiles, if they are not locked by what was written, and of segments: against deletion
 *	2. the tenant: shared by those who write profiles, for oneself alone to change what is live, or to write many profiles
 *	3. profiles, by stripes, so that a transaction never takes too many locks
 *
 * Who writes few profiles does not lock all segments, but those in which he finds a difference. If that had to be
 * waited for, he gives 2 and 3 back, waits, and begins anew. A refresh finds differences without any of these locks, and
 * hands the profiles over to be looked at again.
 */
#include "live.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define STRIPES 256

/* Who needs more stripes takes the tenant. */
#define MAX_STRIPES 64

/* Advisory locks of users are of class 1 and 2. */
#define LOCK_CLASS 21331

/* Or who needs more profiles. */
#define MAX_PROFILES 10000

/* Profiles that are looked at together: all, if the tenant is shared. */
#define LIST 20000

/* Triggers of users on memberships may write profiles, which changes memberships, and so on. */
#define MAX_PASSES 10

static bool settling = false;
static LiveSegments *pinned = NULL;

/* --- locks --- */

/* Number 0 is the tenant, others its stripes. */
static LOCKTAG
lock_tag(int64 tenant, int number)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant ^ (uint32) (tenant >> 32), number, LOCK_CLASS);
	return tag;
}

/* To the end of the transaction. */
static void
take_lock(int64 tenant, int number, LOCKMODE mode)
{
	LOCKTAG		tag = lock_tag(tenant, number);

	(void) LockAcquire(&tag, mode, false, false);
}

/* One that was taken before in this transaction is kept as often as it was taken. */
static void
give_back(int64 tenant, int number, LOCKMODE mode)
{
	LOCKTAG		tag = lock_tag(tenant, number);

	(void) LockRelease(&tag, mode, false);
}

static inline int
stripe_of(int64 profile)
{
	return stratum_hash_number(profile) % STRIPES;
}

static void
take_stripes(int64 tenant, const bool *stripes)
{
	for (int i = 0; i < STRIPES; i++)
	{
		if (stripes[i])
			take_lock(tenant, i + 1, ExclusiveLock);
	}
}

static void
give_back_all(int64 tenant, const bool *stripes)
{
	for (int i = 0; i < STRIPES; i++)
	{
		if (stripes[i])
			give_back(tenant, i + 1, ExclusiveLock);
	}
	give_back(tenant, 0, ShareLock);
}

/* Marks the stripes of profiles, and says how many there are. */
static int
mark_stripes(const int64 *profiles, int count, bool *stripes)
{
	int			marked = 0;

	memset(stripes, 0, STRIPES * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		marked += !stripes[stripe_of(profiles[i])];
		stripes[stripe_of(profiles[i])] = true;
	}
	return marked;
}

static void
take_nothing(void *argument, TupleTableSlot *row)
{
}

static Datum
id_array(const int64 *ids, int count)
{
	Datum	   *numbers = palloc((count + 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		numbers[i] = Int64GetDatum(ids[i]);
	return stratum_number_array(numbers, count);
}

/* Waits for those who delete them. */
static void
lock_rows(int64 tenant, const char *query, Datum ids)
{
	Refresh		refresh = {.latest = true};
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(tenant), ids};

	stratum_refresh_query(&refresh, PLAN_ANEW, query, lengthof(values), types, values, take_nothing);
}

static void
lock_profile_rows(int64 tenant, const int64 *profiles, int count)
{
	lock_rows(tenant, "SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = $1 AND p.id = ANY ($2)"
			  " ORDER BY p.id FOR KEY SHARE", id_array(profiles, count));
}

static void
lock_segment_rows(int64 tenant, Datum ids)
{
	lock_rows(tenant, "SELECT FROM stratum.cdp_segments s WHERE s.tenant_id = $1 AND s.id = ANY ($2)"
			  " ORDER BY s.id FOR KEY SHARE", ids);
}

/* What new memberships may refer to, before the tenant is taken. */
static void
lock_referenced(int64 tenant)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(tenant);
	Refresh		refresh = {.latest = true};

	stratum_refresh_query(&refresh, PLAN_ANEW,
						  "SELECT FROM stratum.tenants t WHERE t.id = $1 FOR KEY SHARE",
						  1, &type, &value, take_nothing);
	stratum_refresh_query(&refresh, PLAN_ANEW,
						  "SELECT FROM stratum.cdp_segments s JOIN stratum.cdp_segment_options o"
						  "   ON o.tenant_id = s.tenant_id AND o.segment_id = s.id"
						  " WHERE s.tenant_id = $1 AND s.is_active AND o.is_live ORDER BY s.id FOR KEY SHARE OF s",
						  1, &type, &value, take_nothing);
}

static void
count_locked(void *argument, TupleTableSlot *row)
{
	((Refresh *) argument)->nlocked++;
}

/* Finds the segments in which a profile of the list differs. */
static void
find_differing(Refresh *refresh)
{
	Bits	   *differ = palloc0((refresh->nwords + 1) * sizeof(Bits));

	for (Size i = 0; i < (Size) refresh->nprofiles * refresh->nwords; i++)
		differ[i % refresh->nwords] |= refresh->wanted[i] ^ refresh->present[i];
	refresh->ndiffering = refresh->nlocked = 0;
	for (int i = 0; i < refresh->nsegments; i++)
	{
		if ((differ[i / BITS_PER_WORD] >> (i % BITS_PER_WORD)) & 1)
			refresh->differing[refresh->ndiffering++] = Int64GetDatum(refresh->segments[i].id);
	}
}

/* Locks the segments of differences against deletion; false if that had to be waited for. */
bool
stratum_lock_differing(Refresh *refresh)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), (Datum) 0};

	find_differing(refresh);
	if (refresh->ndiffering == 0)
		return true;
	values[1] = stratum_number_array(refresh->differing, refresh->ndiffering);
	stratum_refresh_query(refresh, PLAN_SEGMENTS,
						  "SELECT FROM stratum.cdp_segments s WHERE s.tenant_id = $1 AND s.id = ANY ($2)"
						  " FOR KEY SHARE SKIP LOCKED",
						  lengthof(values), types, values, count_locked);
	refresh->is_blocked = refresh->nlocked < refresh->ndiffering;
	return !refresh->is_blocked;
}

/*
 * In a transaction with one snapshot, references are looked up with that, and one to what was made later would be
 * refused. The memberships are right only if it is there.
 */
void
stratum_check_visible(int64 tenant, const Datum *segments, const Datum *profiles, int count)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID, INT8ARRAYOID};
	Datum		values[3];
	bool		isnull;

	if (!IsolationUsesXactSnapshot())
		return;
	values[0] = Int64GetDatum(tenant);
	values[1] = stratum_number_array(segments, count);
	values[2] = stratum_number_array(profiles, count);
	if (SPI_execute_with_args("SELECT NOT EXISTS (SELECT FROM unnest($2) u (id) WHERE NOT EXISTS"
							  "   (SELECT FROM stratum.cdp_segments s WHERE s.tenant_id = $1 AND s.id = u.id))"
							  " AND NOT EXISTS (SELECT FROM unnest($3) u (id) WHERE NOT EXISTS"
							  "   (SELECT FROM stratum.cdp_profiles p WHERE p.tenant_id = $1 AND p.id = u.id))",
							  lengthof(values), types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look for segments and profiles");
	if (!DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a live segment or a profile that was made meanwhile"),
				 errhint("The transaction might succeed if retried.")));
}

/* --- work --- */

static int64
count_changes(const Refresh *refresh)
{
	int64		count = 0;

	for (int i = 0; i < refresh->nsegments; i++)
		count += refresh->segments[i].added + refresh->segments[i].removed;
	return count;
}

/* A refresh of lists of profiles by a kept set, with counts of its own. */
static Refresh
begin_lists(LiveSegments *live, bool is_whole)
{
	Refresh		refresh = live->refresh;

	refresh.segments = palloc(refresh.nsegments * sizeof(SegmentCount));
	for (int i = 0; i < refresh.nsegments; i++)
		refresh.segments[i] = (SegmentCount) {.id = live->refresh.segments[i].id};
	refresh.notifies = true;
	refresh.started = refresh.reported = GetCurrentTimestamp();
	refresh.is_locked = is_whole;
	refresh.must_not_wait = !is_whole;
	refresh.differing = palloc((refresh.nsegments + 1) * sizeof(Datum));
	return refresh;
}

static void
settle_lists(Refresh *refresh, const int64 *profiles, int count)
{
	for (int i = 0; i < count; i += LIST)
		stratum_refresh_list(refresh, profiles + i, Min(count - i, LIST));
}

/* Whether the transaction has changed this segment itself. */
static bool
is_ours(int64 tenant, int64 segment)
{
	const LiveNotes *notes = &stratum_live_notes;

	for (int i = 0; i < notes->nchanged; i++)
	{
		if (notes->changed[i].tenant == tenant && notes->changed[i].segment == segment)
			return true;
	}
	return false;
}

/* Whether it has changed any segment of the tenant. */
static bool
has_changed(int64 tenant)
{
	for (int i = 0; i < stratum_live_notes.nchanged; i++)
	{
		if (stratum_live_notes.changed[i].tenant == tenant)
			return true;
	}
	return false;
}

/* The counts of segments that we have changed: their rows are locked already. */
static void
write_counts(const Refresh *refresh)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID, INT8ARRAYOID};
	Datum	   *ids = palloc((refresh->nsegments + 1) * sizeof(Datum));
	Datum	   *counts = palloc((refresh->nsegments + 1) * sizeof(Datum));
	Datum		values[3];
	int			count = 0;

	for (int i = 0; i < refresh->nsegments; i++)
	{
		const SegmentCount *segment = &refresh->segments[i];

		if (!is_ours(refresh->tenant, segment->id))
			continue;
		ids[count] = Int64GetDatum(segment->id);
		counts[count++] = Int64GetDatum(segment->kept + segment->added);
	}
	values[0] = Int64GetDatum(refresh->tenant);
	values[1] = stratum_number_array(ids, count);
	values[2] = stratum_number_array(counts, count);
	if (SPI_execute_with_args("UPDATE stratum.cdp_segments s SET profile_count = u.count, last_computed_at = now()"
							  " FROM unnest($2, $3) AS u (id, count) WHERE s.tenant_id = $1 AND s.id = u.id",
							  lengthof(values), types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not write counts of segments");
}

/*
 * All profiles of the tenant, for the live segments that have changed, or all of them where one may depend on another.
 * Inside the tenant's lock.
 */
static int64
settle_all_profiles(LiveSegments *live, bool all_segments, bool notifies)
{
	Refresh		refresh = {.tenant = live->tenant, .latest = true, .notifies = notifies,
	.history = live->refresh.history, .is_locked = true};
	Datum	   *ids = palloc((live->count + 1) * sizeof(Datum));
	Datum	   *definitions = palloc((live->count + 1) * sizeof(Datum));

	all_segments |= live->asks_others || is_ours(live->tenant, 0);
	for (int i = 0; i < live->count; i++)
	{
		if (!all_segments && !is_ours(live->tenant, DatumGetInt64(live->ids[i])))
			continue;
		ids[refresh.nsegments] = live->ids[i];
		definitions[refresh.nsegments++] = live->definitions[i];
	}
	if (refresh.nsegments == 0)
		return 0;
	refresh.definitions = stratum_definition_array(definitions, refresh.nsegments);
	stratum_refresh_prepare(&refresh, ids, definitions);
	stratum_refresh_all(&refresh);
	if (has_changed(live->tenant))
		write_counts(&refresh);
	return count_changes(&refresh);
}

/* --- what was noted of a tenant --- */

static int
compare_profiles(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The profiles that matter, or all of them, ascending. */
static int64 *
list_profiles(const TenantNotes *notes, bool all, int *count)
{
	int64	   *profiles = palloc_extended((notes->profiles->members + 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	places_iterator iterator;
	PlaceOf    *note;

	*count = 0;
	places_start_iterate(notes->profiles, &iterator);
	while ((note = places_iterate(notes->profiles, &iterator)) != NULL)
	{
		if (all || note->place == 1)
			profiles[(*count)++] = note->number;
	}
	qsort(profiles, *count, sizeof(int64), compare_profiles);
	return profiles;
}

/* What was found not to matter does so still, if the set is the one by which it was found. */
static bool
are_notes_current(const TenantNotes *notes, const LiveSegments *live)
{
	return notes->generation == 0 || (!notes->unsure && notes->generation == live->generation);
}

static LiveSegments *
pin_segments(int64 tenant)
{
	pinned = stratum_live_segments(tenant);
	pinned->pins++;
	return pinned;
}

static void
unpin_segments(void)
{
	if (pinned != NULL)
		pinned->pins--;
	pinned = NULL;
}

/* Changed definitions, and all that was noted, or many profiles: the tenant is ours. */
static int64
settle_whole(const TenantNotes *notes)
{
	bool		changed = has_changed(notes->tenant);
	int64		changes = 0;
	LiveSegments *live;
	Refresh		refresh;
	int64	   *profiles;
	int			count;

	lock_referenced(notes->tenant);
	take_lock(notes->tenant, 0, ExclusiveLock);
	live = pin_segments(notes->tenant);
	if (live->count == 0)
		return 0;
	if (changed)
		changes += settle_all_profiles(live, false, false);
	if (notes->overflowed && !are_notes_current(notes, live))
		return changes + settle_all_profiles(live, true, true);
	profiles = list_profiles(notes, !are_notes_current(notes, live), &count);
	refresh = begin_lists(live, true);
	settle_lists(&refresh, profiles, count);
	return changes + count_changes(&refresh);
}

/* Few profiles. False if a segment has to be waited for: then that is done, and nothing else. */
static bool
try_to_settle(const TenantNotes *notes, int64 *changes)
{
	bool		stripes[STRIPES];
	LiveSegments *live;
	Refresh		refresh;
	int64	   *profiles;
	int			count;

	take_lock(notes->tenant, 0, ShareLock);
	live = pin_segments(notes->tenant);
	if (live->count == 0)
		return true;
	profiles = list_profiles(notes, !are_notes_current(notes, live), &count);
	if (count == 0)
		return true;
	(void) mark_stripes(profiles, count, stripes);
	take_stripes(notes->tenant, stripes);
	refresh = begin_lists(live, false);
	settle_lists(&refresh, profiles, count);
	if (refresh.is_blocked)
	{
		give_back_all(notes->tenant, stripes);
		lock_segment_rows(notes->tenant, stratum_number_array(refresh.differing, refresh.ndiffering));
		return false;
	}
	*changes += count_changes(&refresh);
	return true;
}

static int64
settle_tenant(const TenantNotes *notes)
{
	bool		stripes[STRIPES];
	int			count;
	int64	   *profiles = list_profiles(notes, false, &count);
	int64		changes = 0;

	if (notes->needs_lock && count > 0)
		lock_profile_rows(notes->tenant, profiles, count);
	if (mark_stripes(profiles, count, stripes) > MAX_STRIPES || count > MAX_PROFILES || notes->overflowed ||
		has_changed(notes->tenant))
		changes = settle_whole(notes);
	else
	{
		while (!try_to_settle(notes, &changes))
			unpin_segments();
	}
	unpin_segments();
	return changes;
}

/* All tenants, in the order of their ids. */
static int64
settle_tenants(void)
{
	int			count = stratum_live_notes.ntenants;
	TenantNotes *tenants = palloc(count * sizeof(TenantNotes));
	int64		changes = 0;

	/* A copy: who writes on may make them move. */
	memcpy(tenants, stratum_live_notes.tenants, count * sizeof(TenantNotes));
	qsort(tenants, count, sizeof(TenantNotes), compare_profiles);
	for (int i = 0; i < count; i++)
		changes += settle_tenant(&tenants[i]);
	return changes;
}

/* Until nothing more is written that has to be looked at. */
static int64
settle_passes(void)
{
	int64		changes = 0;
	uint64		seen;
	int			passes = 0;

	do
	{
		if (++passes > MAX_PASSES)
			ereport(ERROR,
					(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
					 errmsg("live segments do not come to rest: triggers change profiles again and again"),
					 errhint("A trigger on stratum.cdp_segment_memberships should change a profile only once.")));
		seen = stratum_live_notes.written;
		changes += settle_tenants();
	} while (stratum_live_notes.written != seen);
	return changes;
}

/* Runs the work inside SPI and a memory context of its own. */
static int64
run_settling(int64 (*work) (void))
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "stratum live segments", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = CurrentMemoryContext;
	int64		changes = 0;

	settling = true;
	/* What the last command has changed is heard of, and seen. */
	CommandCounterIncrement();
	PG_TRY();
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		SPI_connect();
		MemoryContextSwitchTo(context);
		changes = work();
		SPI_finish();
		PopActiveSnapshot();
	}
	PG_FINALLY();
	{
		settling = false;
		unpin_segments();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return changes;
}

static void
name_work(void *argument)
{
	errcontext("bringing live segments up to date");
}

/*
 * Does what the notes of the transaction ask for; returns how many memberships came and went. The notes stay: what is
 * called before the end of the transaction may be rolled back to a savepoint.
 */
int64
stratum_settle_notes(void)
{
	ErrorContextCallback callback = {.previous = error_context_stack, .callback = name_work};
	Oid			user;
	int			security,
				level;
	int64		changes;

	if (settling || stratum_live_notes.context == NULL)
		return 0;
	error_context_stack = &callback;
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(stratum_live_notes.owner, security | SECURITY_LOCAL_USERID_CHANGE);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	changes = run_settling(settle_passes);
	AtEOXact_GUC(true, level);
	SetUserIdAndSecContext(user, security);
	error_context_stack = callback.previous;
	return changes;
}

/* --- a refresh --- */

static Refresh *refreshing;

/* Adds up what became of the candidates in the segments of the refresh. */
static void
take_counts(Refresh *refresh, const Refresh *settled)
{
	for (int i = 0; i < settled->nsegments; i++)
	{
		const SegmentCount *count = &settled->segments[i];
		const PlaceOf *place = places_lookup(refresh->segment_places, count->id);

		if (place == NULL)
			continue;
		refresh->segments[place->place].kept += count->kept;
		refresh->segments[place->place].added += count->added;
		refresh->segments[place->place].removed += count->removed;
	}
}

static int64
settle_candidates(void)
{
	Refresh    *refresh = refreshing;
	LiveSegments *live;
	Refresh		settled;

	lock_profile_rows(refresh->tenant, refresh->candidates, refresh->ncandidates);
	lock_referenced(refresh->tenant);
	take_lock(refresh->tenant, 0, ExclusiveLock);
	live = pin_segments(refresh->tenant);
	if (live->count == 0)
		return 0;
	settled = begin_lists(live, true);
	settle_lists(&settled, refresh->candidates, refresh->ncandidates);
	take_counts(refresh, &settled);
	return count_changes(&settled);
}

/* Looks again at the profiles that a refresh found to differ in live segments, where nobody else writes them. */
void
stratum_settle_candidates(Refresh *refresh)
{
	if (settling)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("segments cannot be refreshed while live segments are being brought up to date")));
	stratum_follow_transactions();
	refreshing = refresh;
	(void) run_settling(settle_candidates);
}

/* --- SQL --- */

/* settle_segments() -> bigint: what would be done at the end of the transaction, now. */
PG_FUNCTION_INFO_V1(stratum_settle_segments);
Datum
stratum_settle_segments(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(stratum_settle_notes());
}

/* _lock_live(tenant bigint): until the end of the transaction nobody else writes live memberships of the tenant. */
PG_FUNCTION_INFO_V1(stratum_lock_live);
Datum
stratum_lock_live(PG_FUNCTION_ARGS)
{
	take_lock(PG_GETARG_INT64(0), 0, ExclusiveLock);
	PG_RETURN_VOID();
}
