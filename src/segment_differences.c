/*
 * segment_differences.c
 *	  Writes what a refresh found to have changed: memberships that came and that went.
 *
 * In batches, so that neither memory nor a statement grows with the number of changes.
 *
 * A new membership refers to a tenant, a segment and a profile, and PostgreSQL would look each of them up and
 * lock it, for every row. A refresh has locked the tenant and the segments, and locks each profile once. So
 * where there are many rows, and nothing but these three references would be looked after, the triggers that do
 * it are left out.
 */
#include "live.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* Memberships in a statement. */
#define BATCH 10000

/* Setting the references' triggers aside drops all cached plans, so it has to be worth it. */
#define MANY 1000

/* Memberships that are to come, or to go. */
typedef struct Batch
{
	int			count;
	Datum	   *segments;		/* NULL as long as there was none, like the next */
	Datum	   *profiles;
} Batch;

static void
make_batch(Batch *batch)
{
	batch->segments = palloc(BATCH * sizeof(Datum));
	batch->profiles = palloc(BATCH * sizeof(Datum));
}

Datum
stratum_number_array(const Datum *numbers, int count)
{
	return PointerGetDatum(construct_array(unconstify(Datum *, numbers), count, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static SegmentCount *
counted_segment(Refresh *refresh, TupleTableSlot *row)
{
	return &refresh->segments[places_lookup(refresh->segment_places,
											DatumGetInt64(row->tts_values[0]))->place];
}

/* A membership that was written: (segment, profile). */
static void
count_added(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	SegmentCount *segment = counted_segment(refresh, row);

	segment->added++;
	if (refresh->notifies)
		stratum_note_change(refresh->tenant, DatumGetInt64(row->tts_values[1]), segment->id, true);
}

static void
count_removed(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	SegmentCount *segment = counted_segment(refresh, row);

	segment->removed++;
	if (refresh->notifies)
		stratum_note_change(refresh->tenant, DatumGetInt64(row->tts_values[1]), segment->id, false);
}

/* A history's times are those of the clock: who writes later, having waited, is later. */
static void
run_batch(Refresh *refresh, RefreshPlan kept, const Batch *batch, const char *query, RowFunction function)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), stratum_number_array(batch->segments, batch->count),
	stratum_number_array(batch->profiles, batch->count), refresh->history, TimestampTzGetDatum(GetCurrentTimestamp())};

	stratum_refresh_query(refresh, kept, query, refresh->history == 0 ? 3 : lengthof(values), types, values, function);
	pfree(DatumGetPointer(values[1]));
	pfree(DatumGetPointer(values[2]));
}

/* --- profiles --- */

static void
note_locked(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	bool		found;

	places_insert(refresh->locked, DatumGetInt64(row->tts_values[0]), &found);
}

/*
 * Locks the profiles of a batch against deletion. One that is being deleted is waited for, and then left out: its
 * memberships have gone with it. Who deletes a profile locks it first and then its memberships, so a refresh does not
 * touch these before, or each would wait for the other.
 */
static void
lock_profiles(Refresh *refresh, Batch *batch)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), (Datum) 0};
	Datum	   *profiles = palloc(batch->count * sizeof(Datum));
	int			nprofiles = 0;
	int			left = 0;

	for (int i = 0; i < batch->count; i++)
	{
		if (i == 0 || batch->profiles[i] != batch->profiles[i - 1])
			profiles[nprofiles++] = batch->profiles[i];
	}
	values[1] = stratum_number_array(profiles, nprofiles);
	refresh->locked = places_create(CurrentMemoryContext, nprofiles, NULL);
	stratum_refresh_query(refresh, PLAN_ANEW,
						  "SELECT CAST(p.id AS bigint) FROM stratum.cdp_profiles p"
						  " WHERE p.tenant_id = $1 AND p.id = ANY ($2) FOR KEY SHARE",
						  lengthof(values), types, values, note_locked);
	for (int i = 0; i < batch->count; i++)
	{
		if (places_lookup(refresh->locked, DatumGetInt64(batch->profiles[i])) == NULL)
			continue;
		batch->profiles[left] = batch->profiles[i];
		batch->segments[left++] = batch->segments[i];
	}
	batch->count = left;
	places_destroy(refresh->locked);
	pfree(profiles);
	pfree(DatumGetPointer(values[1]));
}

/* --- what went and what came --- */

#define REMOVE \
	"DELETE FROM stratum.cdp_segment_memberships d" \
	" USING unnest($2, $3) AS u (segment, profile)" \
	" WHERE d.tenant_id = $1 AND d.segment_id = u.segment AND d.profile_id = u.profile" \
	" RETURNING CAST(d.segment_id AS bigint) AS segment, CAST(d.profile_id AS bigint) AS profile"

#define ADD(column, value) \
	"INSERT INTO stratum.cdp_segment_memberships AS i (tenant_id, segment_id, profile_id" column ")" \
	" SELECT $1, u.segment, u.profile" value " FROM unnest($2, $3) AS u (segment, profile)" \
	" ON CONFLICT DO NOTHING" \
	" RETURNING CAST(i.segment_id AS bigint) AS segment, CAST(i.profile_id AS bigint) AS profile"

/*
 * The same, and the stays of those segments that keep a history: looked up one by one, since nobody can tell
 * PostgreSQL how many rows were removed.
 */
#define REMOVE_WITH_HISTORY \
	"WITH removed AS (" REMOVE "), ended AS (" \
	" UPDATE stratum.cdp_segment_history h SET left_at = greatest($5, h.entered_at)" \
	" WHERE h.id = ANY (ARRAY(SELECT s.id FROM removed r CROSS JOIN LATERAL" \
	"   (SELECT t.id FROM stratum.cdp_segment_history t WHERE t.tenant_id = $1 AND t.segment_id = r.segment" \
	"     AND t.profile_id = r.profile AND t.left_at IS NULL OFFSET 0) s WHERE r.segment = ANY ($4))))" \
	" SELECT r.segment, r.profile FROM removed r"

/* A single one. */
#define REMOVE_ONE \
	"DELETE FROM stratum.cdp_segment_memberships d" \
	" WHERE d.tenant_id = $1 AND d.segment_id = $2 AND d.profile_id = $3" \
	" RETURNING CAST(d.segment_id AS bigint) AS segment, CAST(d.profile_id AS bigint) AS profile"

#define REMOVE_ONE_WITH_HISTORY \
	"WITH removed AS (" REMOVE_ONE "), ended AS (" \
	" UPDATE stratum.cdp_segment_history h SET left_at = greatest($5, h.entered_at)" \
	" WHERE h.tenant_id = $1 AND h.segment_id = $2 AND h.profile_id = $3 AND h.left_at IS NULL" \
	" AND $2 = ANY ($4) AND EXISTS (SELECT FROM removed))" \
	" SELECT r.segment, r.profile FROM removed r"

#define ADD_WITH_HISTORY \
	"WITH added AS (" ADD(", added_at", ", $5") "), begun AS (" \
	" INSERT INTO stratum.cdp_segment_history (tenant_id, segment_id, profile_id, entered_at)" \
	" SELECT $1, a.segment, a.profile, $5 FROM added a WHERE a.segment = ANY ($4) ON CONFLICT DO NOTHING)" \
	" SELECT a.segment, a.profile FROM added a"

/* A plan that is kept must not depend on how many there are, nor on how large the tenant is. */
static void
remove_one_by_one(Refresh *refresh, const Batch *batch)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID, INT8ARRAYOID, TIMESTAMPTZOID};
	bool		plain = refresh->history == 0;

	for (int i = 0; i < batch->count; i++)
	{
		Datum		values[] = {Int64GetDatum(refresh->tenant), batch->segments[i], batch->profiles[i],
		refresh->history, TimestampTzGetDatum(GetCurrentTimestamp())};

		stratum_refresh_query(refresh, PLAN_REMOVE, plain ? REMOVE_ONE : REMOVE_ONE_WITH_HISTORY,
							  plain ? 3 : lengthof(values), types, values, count_removed);
	}
}

/* Profiles of a list are locked already. */
static void
remove_batch(Refresh *refresh, Batch *batch)
{
	if (refresh->by_list)
		remove_one_by_one(refresh, batch);
	else if (batch->count > 0)
	{
		lock_profiles(refresh, batch);
		if (batch->count > 0)
			run_batch(refresh, PLAN_ANEW, batch, refresh->history == 0 ? REMOVE : REMOVE_WITH_HISTORY, count_removed);
	}
	batch->count = 0;
}

static void
add_batch(Refresh *refresh, Batch *batch)
{
	if (batch->count > 0 && !refresh->by_list)
		lock_profiles(refresh, batch);
	if (batch->count > 0 && refresh->latest)
		stratum_check_visible(refresh->tenant, batch->segments, batch->profiles, batch->count);
	if (batch->count > 0)
		run_batch(refresh, PLAN_ADD, batch, refresh->history == 0 ? ADD("", "") : ADD_WITH_HISTORY, count_added);
	batch->count = 0;
}

/* --- differences --- */

/* The three references, as pg_get_constraintdef() has them where nothing is in the search_path. */
#define REFERENCES_PATTERN \
	"^FOREIGN KEY \\((tenant_id\\) REFERENCES stratum\\.tenants\\(id" \
	"|tenant_id, segment_id\\) REFERENCES stratum\\.cdp_segments\\(tenant_id, id" \
	"|tenant_id, profile_id\\) REFERENCES stratum\\.cdp_profiles\\(tenant_id, id)\\)"

/* The table's defaults, constraints and indexes, each as its catalog and its oid there. */
#define PARTS_OF_TABLE \
	"(SELECT 'pg_attrdef'::regclass, f.oid FROM pg_attrdef f, pg_attribute a" \
	"   WHERE f.adrelid = c.oid AND a.attrelid = c.oid AND a.attnum = f.adnum AND a.attname <> 'tenant_id'" \
	" UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = c.oid" \
	" UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid)"

/*
 * Whether nothing looks after a table but the three references, and the trigger that refuses viewers, whom a refresh
 * meets at the segments too. A user's own may go to the same tables, and a
 * table of his may refer to this one. And whether none of his functions would run meanwhile, as defaults or checks
 * may have: what such a one writes elsewhere is to be looked after. The lock, which writing takes anyway, keeps it so.
 */
static bool
only_references_watch(const char *table)
{
	bool		isnull;

	if (SPI_execute(psprintf("LOCK TABLE %s IN ROW EXCLUSIVE MODE", table), false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not lock %s", table);
	if (SPI_execute(psprintf("SELECT c.relkind = 'r' AND NOT c.relhasrules"
							 "   AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal"
							 "     AND t.tgfoid IS DISTINCT FROM to_regprocedure('stratum.refuse_viewer()'))"
							 "   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND (k.confrelid = c.oid"
							 "     OR k.conrelid = c.oid AND pg_get_constraintdef(k.oid) !~ '" REFERENCES_PATTERN "'))"
							 "   AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
							 "     WHERE a.attrelid = c.oid AND t.typnamespace <> 'pg_catalog'::regnamespace)"
							 "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE (d.classid, d.objid) IN " PARTS_OF_TABLE
							 "     AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass))"
							 " FROM pg_class c WHERE c.oid = '%s'::regclass", table),
					false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not look at the triggers of %s", table);
	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/*
 * Whether references may be set aside: where there are many new memberships, and no older snapshot, which may not see
 * who watches.
 */
static bool
may_set_aside(const Refresh *refresh, int64 count)
{
	return count >= MANY && refresh->is_locked && !IsolationUsesXactSnapshot() &&
		only_references_watch("stratum.cdp_segment_memberships") &&
		(refresh->history == 0 || only_references_watch("stratum.cdp_segment_history"));
}

/* From here to the end of the nesting level, the references' triggers are left out. */
static int
set_references_aside(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static int64
count_new(const Refresh *refresh)
{
	Size		size = (Size) refresh->nprofiles * refresh->nwords;
	int64		count = 0;

	for (Size i = 0; i < size; i++)
	{
		if (refresh->wanted[i] != refresh->present[i])
			count += pg_popcount64(refresh->wanted[i] & ~refresh->present[i]);
	}
	return count;
}

static void
note_change(Refresh *refresh, Batch *batch, void (*full) (Refresh *, Batch *), uint32 profile, int segment)
{
	if (batch->segments == NULL)
		make_batch(batch);
	if (batch->count == BATCH)
		full(refresh, batch);
	batch->segments[batch->count] = Int64GetDatum(refresh->segments[segment].id);
	batch->profiles[batch->count++] = Int64GetDatum(refresh->profiles[profile]);
}

/* Where one word of a profile's bits differs. */
static void
note_word(Refresh *refresh, uint32 profile, int word, Batch *coming, Batch *going)
{
	Size		at = (Size) profile * refresh->nwords + word;
	Bits		differ = refresh->wanted[at] ^ refresh->present[at];

	if (refresh->has_live)
		differ &= ~refresh->live[word];
	while (differ != 0)
	{
		int			bit = pg_rightmost_one_pos64(differ);
		int			segment = word * BITS_PER_WORD + bit;

		differ &= differ - 1;
		if ((refresh->wanted[at] >> bit) & 1)
			note_change(refresh, coming, add_batch, profile, segment);
		else
			note_change(refresh, going, remove_batch, profile, segment);
	}
}

/*
 * Whether a profile differs in a segment that is kept live. Others write those too, so what is found here is only
 * a reason to look again when nobody else does (live_settle.c). There its memberships are counted.
 */
static bool
is_candidate(const Refresh *refresh, uint32 profile)
{
	Size		at = (Size) profile * refresh->nwords;

	for (int word = 0; word < refresh->nwords; word++)
	{
		if ((refresh->wanted[at + word] ^ refresh->present[at + word]) & refresh->live[word])
			return true;
	}
	return false;
}

static void
note_candidate(Refresh *refresh, uint32 profile)
{
	Size		at = (Size) profile * refresh->nwords;

	for (int word = 0; word < refresh->nwords; word++)
	{
		Bits		kept = refresh->wanted[at + word] & refresh->present[at + word] & refresh->live[word];

		for (; kept != 0; kept &= kept - 1)
			refresh->segments[word * BITS_PER_WORD + pg_rightmost_one_pos64(kept)].kept--;
	}
	if (refresh->ncandidates == refresh->candidates_room)
	{
		refresh->candidates_room *= 2;
		refresh->candidates = repalloc_huge(refresh->candidates, refresh->candidates_room * sizeof(int64));
	}
	refresh->candidates[refresh->ncandidates++] = refresh->profiles[profile];
}

static void
write_all(Refresh *refresh)
{
	Batch		coming = {0},
				going = {0};

	for (uint32 profile = 0; profile < refresh->nprofiles; profile++)
	{
		CHECK_FOR_INTERRUPTS();
		if (refresh->has_live && is_candidate(refresh, profile))
			note_candidate(refresh, profile);
		for (int word = 0; word < refresh->nwords; word++)
			note_word(refresh, profile, word, &coming, &going);
	}
	remove_batch(refresh, &going);
	add_batch(refresh, &coming);
}

/* Writes the differences of the range that has been read, and counts them. */
void
stratum_write_differences(Refresh *refresh)
{
	int			level = 0;

	if (refresh->must_not_wait && !stratum_lock_differing(refresh))
		return;
	if (may_set_aside(refresh, count_new(refresh)))
		level = set_references_aside();
	write_all(refresh);
	if (level > 0)
		AtEOXact_GUC(false, level);
}
