/*
 * live_set.c
 *	  The live segments of a tenant, compiled; a session keeps those of the tenants that it wrote last.
 *
 * They are read as they are now, whatever the transaction's snapshot, and forgotten when a transaction commits that
 * changed a segment, its options or the columns of profiles. Who has the tenant's lock (live_settle.c) and then asks
 * here has the definitions that hold as long as he keeps the lock.
 */
#include "live.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define MAX_SETS 16

static LiveSegments sets[MAX_SETS];
static uint64 calls;
static Oid	tables[3];

static void
forget_set(LiveSegments *live)
{
	LiveSegments old = *live;

	memset(live, 0, sizeof(LiveSegments));
	for (int i = 0; i < REFRESH_PLANS; i++)
	{
		if (old.plans[i] != NULL)
			SPI_freeplan(old.plans[i]);
	}
	if (old.context != NULL)
		MemoryContextDelete(old.context);
}

/* A table changed, or all may have. Called at any moment: it may do no more than take a note. */
static void
note_changed_table(Datum argument, Oid table)
{
	if (OidIsValid(table) && table != tables[0] && table != tables[1] && table != tables[2])
		return;
	for (int i = 0; i < MAX_SETS; i++)
		sets[i].stale = true;
}

static void
find_tables(void)
{
	static bool registered = false;
	static const char *const names[] = {"cdp_segments", "cdp_segment_options", "cdp_profiles"};
	Oid			schema = get_namespace_oid(STRATUM_SCHEMA, true);

	for (int i = 0; i < (int) lengthof(names); i++)
		tables[i] = OidIsValid(schema) ? get_relname_relid(names[i], schema) : InvalidOid;
	if (!registered)
		CacheRegisterRelcacheCallback(note_changed_table, (Datum) 0);
	registered = true;
}

/* --- making one --- */

/* Takes the segments over that a query has found; one that means nothing any more is left out, with a WARNING. */
static void
take_segments(LiveSegments *live)
{
	int			rows = SPI_processed;
	Datum	   *history = palloc((rows + 1) * sizeof(Datum));
	int			nhistory = 0;
	MemoryContext before = CurrentMemoryContext;
	HeapTuple  *found = SPI_tuptable->vals;
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;

	MemoryContextSwitchTo(live->context);
	live->ids = palloc((rows + 1) * sizeof(Datum));
	live->definitions = palloc((rows + 1) * sizeof(Datum));
	for (int i = 0; i < rows; i++)
	{
		int64		id = DatumGetInt64(SPI_getbinval(found[i], desc, 1, &isnull));
		Datum		conditions = SPI_getbinval(found[i], desc, 3, &isnull);
		Jsonb	   *stored;
		Jsonb	   *definition;

		if (isnull)
			continue;
		stored = DatumGetJsonbP(conditions);
		definition = stratum_usable_definition(live->tenant, id, SPI_getvalue(found[i], desc, 2), stored);
		/* what it asks about may come back */
		live->asks_others |= definition != stored;
		if (definition == NULL)
			continue;
		live->ids[live->count] = Int64GetDatum(id);
		live->definitions[live->count++] = PointerGetDatum(DatumGetJsonbPCopy(PointerGetDatum(definition)));
		if (DatumGetBool(SPI_getbinval(found[i], desc, 4, &isnull)))
			history[nhistory++] = Int64GetDatum(id);
	}
	if (nhistory > 0)
		live->refresh.history = stratum_number_array(history, nhistory);
	MemoryContextSwitchTo(before);
}

static void
read_segments(LiveSegments *live)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(live->tenant);

	/* There is no table of options under SQL of version 1.0. */
	if (!OidIsValid(tables[1]))
		return;
	if (SPI_execute_with_args("SELECT CAST(s.id AS bigint), CAST(s.name AS text), s.conditions, o.keeps_history"
							  " FROM stratum.cdp_segments s JOIN stratum.cdp_segment_options o"
							  "   ON o.tenant_id = s.tenant_id AND o.segment_id = s.id"
							  " WHERE s.tenant_id = $1 AND s.is_active AND o.is_live ORDER BY s.id",
							  1, &type, &value, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read segments");
	take_segments(live);
	SPI_freetuptable(SPI_tuptable);
}

/* Where in the table the columns are that the set asks about. */
static void
find_asked(LiveSegments *live)
{
	TupleDesc	table = stratum_table_columns(STRATUM_PROFILE);
	TupleDesc	asked = live->refresh.columns;

	live->profiles = tables[2];
	live->asked = palloc(asked->natts * sizeof(AttrNumber));
	for (int i = 0; i < asked->natts; i++)
		live->asked[i] = stratum_find_column(table, NameStr(TupleDescAttr(asked, i)->attname), STRATUM_ANYTHING);
}

static void
compile(LiveSegments *live)
{
	MemoryContext before = MemoryContextSwitchTo(live->context);
	Refresh    *refresh = &live->refresh;

	refresh->tenant = live->tenant;
	refresh->nsegments = live->count;
	refresh->by_list = true;
	refresh->latest = true;
	refresh->plans = live->plans;
	refresh->definitions = stratum_definition_array(live->definitions, live->count);
	stratum_refresh_prepare(refresh, live->ids, live->definitions);
	find_asked(live);
	MemoryContextSwitchTo(before);
}

static void
make_set(LiveSegments *live, int64 tenant)
{
	static uint64 generations = 0;

	find_tables();
	live->tenant = tenant;
	live->generation = ++generations;
	live->context = AllocSetContextCreate(TopMemoryContext, "stratum kept segments", ALLOCSET_DEFAULT_SIZES);
	PushActiveSnapshot(GetLatestSnapshot());
	SPI_connect();
	read_segments(live);
	if (live->count > 0)
		compile(live);
	SPI_finish();
	PopActiveSnapshot();
	live->complete = true;
}

/* --- asking for one --- */

/*
 * The live segments of a tenant as they are now; made anew if they are not known. With the rights of the tables'
 * owner, whose search_path is pinned. It lasts until the next call, or longer if it is pinned.
 */
LiveSegments *
stratum_live_segments(int64 tenant)
{
	LiveSegments *oldest = NULL;

	AcceptInvalidationMessages();
	for (int i = 0; i < MAX_SETS; i++)
	{
		LiveSegments *live = &sets[i];

		if (live->pins == 0 && live->tenant != 0 && (live->stale || !live->complete))
			forget_set(live);
		if (live->tenant == tenant && live->complete && !live->stale)
		{
			live->used = ++calls;
			return live;
		}
		if (live->pins == 0 && (oldest == NULL || live->used < oldest->used))
			oldest = live;
	}
	if (oldest == NULL)
		elog(ERROR, "too many sets of segments are in use");
	forget_set(oldest);
	make_set(oldest, tenant);
	oldest->used = ++calls;
	return oldest;
}

/* The same if the session knows them, as far as it has heard; otherwise NULL. Looks at no table. */
const LiveSegments *
stratum_known_live_segments(int64 tenant)
{
	for (int i = 0; i < MAX_SETS; i++)
	{
		if (sets[i].tenant == tenant && sets[i].complete && !sets[i].stale)
			return &sets[i];
	}
	return NULL;
}

/* --- what a refresh has to know --- */

/* A segment that is live, or keeps a history: (segment, is live, keeps a history). */
static void
take_options(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	Datum		id = row->tts_values[0];
	const PlaceOf *segment = places_lookup(refresh->segment_places, DatumGetInt64(id));

	if (segment == NULL)
		return;
	if (DatumGetBool(row->tts_values[1]))
	{
		refresh->live[segment->place / BITS_PER_WORD] |= UINT64CONST(1) << (segment->place % BITS_PER_WORD);
		refresh->has_live = true;
	}
	if (DatumGetBool(row->tts_values[2]))
		refresh->history_ids[refresh->nhistory++] = id;
}

/*
 * Which segments of a refresh are live, and which keep a history. Their rows are locked, and who changes that locks
 * them too, so it stays as it is.
 */
void
stratum_read_options(Refresh *refresh)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(refresh->tenant);
	bool		latest = refresh->latest;

	find_tables();
	if (!OidIsValid(tables[1]))
		return;
	refresh->live = palloc0((refresh->nwords + 1) * sizeof(Bits));
	refresh->history_ids = palloc((refresh->nsegments + 1) * sizeof(Datum));
	refresh->latest = true;
	stratum_refresh_query(refresh, PLAN_ANEW,
						  "SELECT CAST(o.segment_id AS bigint), o.is_live AND s.is_active IS TRUE, o.keeps_history"
						  " FROM stratum.cdp_segment_options o JOIN stratum.cdp_segments s"
						  "   ON s.tenant_id = o.tenant_id AND s.id = o.segment_id"
						  " WHERE o.tenant_id = $1 AND (o.is_live OR o.keeps_history)",
						  1, &type, &value, take_options);
	refresh->latest = latest;
	if (refresh->nhistory > 0)
		refresh->history = stratum_number_array(refresh->history_ids, refresh->nhistory);
	refresh->candidates_room = 1024;
	refresh->candidates = palloc(refresh->candidates_room * sizeof(int64));
}
