/*
 * ingest_store.c
 *	  Stores events that have been read, each once per message id, and finds those that were there before.
 *
 * The rows are handed to an ordinary INSERT, with the caller's rights: row security, triggers and defaults of the
 * user's own columns are as for any other. Only the references are checked together (ingest_references.c).
 *
 * Rows go in the order of their message ids, so that two who store the same ones do not wait for each other in a circle.
 */
#include "ingest.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "row_receiver.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#define INCOMING "stratum_incoming"

#define STORE \
	"INSERT INTO stratum.cdp_events AS n" \
	" (id, tenant_id, profile_id, event_name, event_type, properties, context, message_id, anonymous_id, timestamp)" \
	" SELECT e.id, $1, e.profile, e.name, e.type, e.properties, e.context, e.message, e.anonymous, e.time" \
	" FROM " INCOMING " e"
#define RETURN_ID " RETURNING CAST(n.id AS bigint)"

/* Without a key of (tenant_id, message_id) the message ids are locked, and one that is there is seen. */
#define STORE_BY_KEY STORE " ON CONFLICT (tenant_id, message_id) DO NOTHING" RETURN_ID
#define STORE_LOCKED \
	STORE " WHERE e.message IS NULL OR NOT EXISTS" \
	" (SELECT FROM stratum.cdp_events d WHERE d.tenant_id = $1 AND d.message_id = e.message)" RETURN_ID

#define FIND_STORED \
	"SELECT d.message_id, CAST(d.id AS bigint), CAST(d.profile_id AS bigint)" \
	" FROM stratum.cdp_events d WHERE d.tenant_id = $1 AND d.message_id = ANY ($2)"

/* What one call stores. */
typedef struct Store
{
	Intake	   *intake;
	Event	  **order;			/* by message id, those without one last */
	int			nmessages;		/* that have one */
	int64	   *stored;			/* ids, as they are returned */
	int			nstored;
} Store;

/* --- order --- */

static int
compare_messages(const void *a, const void *b)
{
	const Event *x = *(const Event *const *) a;
	const Event *y = *(const Event *const *) b;
	int			order;

	if (x->message == NULL || y->message == NULL)
		order = (x->message == NULL) - (y->message == NULL);
	else
		order = memcmp(x->message, y->message, sizeof(pg_uuid_t));
	/* the first that came is the one that counts */
	return order != 0 ? order : (x > y) - (x < y);
}

static bool
repeats_message(const Store *store, int i)
{
	return i > 0 && i < store->nmessages &&
		memcmp(store->order[i]->message, store->order[i - 1]->message, sizeof(pg_uuid_t)) == 0;
}

static void
put_in_order(Store *store)
{
	Intake	   *intake = store->intake;

	store->order = palloc_extended(intake->nevents * sizeof(Event *), MCXT_ALLOC_HUGE);
	for (int i = 0; i < intake->nevents; i++)
	{
		store->order[i] = &intake->events[i];
		store->nmessages += intake->events[i].message != NULL;
	}
	qsort(store->order, intake->nevents, sizeof(Event *), compare_messages);
}

/* Places of those in order that have the message id: the first, or -1. */
static int
find_message(const Store *store, const pg_uuid_t *message)
{
	int			low = 0;
	int			high = store->nmessages;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (memcmp(store->order[middle]->message, message, sizeof(pg_uuid_t)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < store->nmessages && memcmp(store->order[low]->message, message, sizeof(pg_uuid_t)) == 0 ? low : -1;
}

/* --- message ids where no key looks after them --- */

static bool
is_message_key(Relation events, Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index key;
	AttrNumber	tenant = stratum_find_column(RelationGetDescr(events), "tenant_id", STRATUM_INTEGER);
	AttrNumber	message = stratum_find_column(RelationGetDescr(events), "message_id", STRATUM_ANYTHING);
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	key = (Form_pg_index) GETSTRUCT(tuple);
	result = key->indisunique && key->indimmediate && key->indisvalid && key->indnkeyatts == 2 &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
		((key->indkey.values[0] == tenant && key->indkey.values[1] == message) ||
		 (key->indkey.values[0] == message && key->indkey.values[1] == tenant));
	ReleaseSysCache(tuple);
	return result;
}

/* A table in partitions by time has none. */
static bool
has_message_key(void)
{
	Oid			table = get_relname_relid("cdp_events", get_namespace_oid(STRATUM_SCHEMA, false));
	Relation	events = table_open(table, RowExclusiveLock);
	List	   *indexes = RelationGetIndexList(events);
	ListCell   *cell;
	bool		result = false;

	foreach(cell, indexes)
		result |= is_message_key(events, lfirst_oid(cell));
	list_free(indexes);
	table_close(events, NoLock);
	return result;
}

/*
 * Events with those message ids that were not stored, as the transaction sees them, or as anybody would now; in
 * SPI_tuptable, to be freed.
 */
static uint64
find_stored(const Store *store, bool latest)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, UUIDARRAYOID};
	Datum	   *messages = palloc_extended((store->nmessages + 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	Datum		values[] = {Int64GetDatum(store->intake->tenant), (Datum) 0};
	Snapshot	snapshot = latest ? RegisterSnapshot(GetLatestSnapshot()) : InvalidSnapshot;
	int			count = 0;

	for (int i = 0; i < store->nmessages; i++)
	{
		if (!store->order[i]->stored)
			messages[count++] = UUIDPGetDatum(store->order[i]->message);
	}
	values[1] = PointerGetDatum(stratum_array_of(messages, NULL, count, UUIDOID));
	stratum_keep_plan(&plan, FIND_STORED, lengthof(types), types);
	if (SPI_execute_snapshot(plan, values, NULL, snapshot, InvalidSnapshot, false, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look for events of the same message_id");
	if (latest)
		UnregisterSnapshot(snapshot);
	pfree(messages);
	return SPI_processed;
}

/*
 * Nobody else stores one of these message ids until the end of the transaction. One of them that the transaction cannot
 * see, because its snapshot is older, ends it as a conflict of keys would.
 */
static void
lock_messages(const Store *store)
{
	uint32	   *hashes = palloc_extended((store->nmessages + 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint64		there;

	for (int i = 0; i < store->nmessages; i++)
		hashes[i] = hash_bytes(store->order[i]->message->data, UUID_LEN);
	stratum_lock_stripes(STRIPES_MESSAGES, store->intake->tenant, hashes, store->nmessages);
	pfree(hashes);
	if (store->nmessages == 0 || !IsolationUsesXactSnapshot())
		return;
	there = find_stored(store, true);
	SPI_freetuptable(SPI_tuptable);
	if (there > find_stored(store, false))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update"),
				 errdetail("Another transaction has stored an event of the same message_id.")));
	SPI_freetuptable(SPI_tuptable);
}

/* --- rows for the INSERT --- */

static TupleDesc
describe_incoming(void)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			columns[] =
	{
		{"id", INT8OID}, {"profile", INT8OID}, {"name", TEXTOID}, {"type", TEXTOID}, {"properties", JSONBOID},
		{"context", JSONBOID}, {"message", UUIDOID}, {"anonymous", TEXTOID}, {"time", TIMESTAMPTZOID}
	};
	TupleDesc	desc = CreateTemplateTupleDesc(lengthof(columns));

	for (int i = 0; i < (int) lengthof(columns); i++)
		TupleDescInitEntry(desc, i + 1, columns[i].name, columns[i].type, -1, 0);
	return desc;
}

static void
put_row(Tuplestorestate *rows, TupleDesc desc, const Event *event)
{
	Datum		values[] = {
		Int64GetDatum(event->id), Int64GetDatum(event->profile), PointerGetDatum(event->name), PointerGetDatum(event->type),
		JsonbPGetDatum(event->properties), JsonbPGetDatum(event->context), PointerGetDatum(event->message),
		PointerGetDatum(event->anonymous), TimestampTzGetDatum(event->time)
	};
	bool		nulls[] = {false, false, false, false, false, false, event->message == NULL, event->anonymous == NULL, false};

	tuplestore_putvalues(rows, desc, values, nulls);
}

/* The events as a relation that the INSERT reads; it has its ids from the table's sequence. */
static EphemeralNamedRelation
make_incoming(Store *store)
{
	EphemeralNamedRelation incoming = palloc0(sizeof(EphemeralNamedRelationData));
	Tuplestorestate *rows = tuplestore_begin_heap(false, false, work_mem);
	TupleDesc	desc = describe_incoming();

	for (int i = 0; i < store->intake->nevents; i++)
	{
		if (!repeats_message(store, i) && store->order[i]->has_profile)
			put_row(rows, desc, store->order[i]);
	}
	incoming->md.name = pstrdup(INCOMING);
	incoming->md.reliddesc = InvalidOid;
	incoming->md.tupdesc = desc;
	incoming->md.enrtype = ENR_NAMED_TUPLESTORE;
	incoming->md.enrtuples = store->intake->nevents;
	incoming->reldata = rows;
	return incoming;
}

/* --- the INSERT --- */

static void
note_stored(void *argument, TupleTableSlot *row)
{
	Store	   *store = argument;

	if (store->nstored < store->intake->nevents)
		store->stored[store->nstored++] = DatumGetInt64(row->tts_values[0]);
}

/*
 * Runs the INSERT as SPI would, but for the references, which are checked together when it has ended: the triggers
 * that would look after them row by row are left out of this execution.
 */
static void
run_insert(Store *store, SPIPlanPtr plan, const char *text, QueryEnvironment *environment, Oid owner)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(store->intake->tenant)};
	RowReceiver receiver = stratum_row_receiver(note_stored, store);
	CachedPlan *cached = SPI_plan_get_cached_plan(plan);
	QueryDesc  *query;
	bool		aside;

	if (cached == NULL || list_length(cached->stmt_list) != 1)
		elog(ERROR, "the INSERT of events has become something else");
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	query = CreateQueryDesc(linitial_node(PlannedStmt, cached->stmt_list), text, GetActiveSnapshot(), InvalidSnapshot,
							&receiver.receiver, stratum_constant_parameters(1, types, values), environment, 0);
	ExecutorStart(query, 0);
	aside = stratum_set_references_aside(query);
	stratum_executor_run(query);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
	PopActiveSnapshot();
	ReleaseCachedPlan(cached, CurrentResourceOwner);
	if (aside)
		stratum_check_references(store->intake, owner);
}

static void
insert_rows(Store *store, Oid owner)
{
	static SPIPlanPtr plans[2] = {NULL, NULL};
	Oid			types[] = {INT8OID};
	bool		by_key = has_message_key();
	const char *text = by_key ? STORE_BY_KEY : STORE_LOCKED;
	EphemeralNamedRelation incoming = make_incoming(store);
	QueryEnvironment *environment = create_queryEnv();

	if (!by_key)
		lock_messages(store);
	register_ENR(environment, incoming);
	if (SPI_register_relation(incoming) != SPI_OK_REL_REGISTER)
		elog(ERROR, "could not register \"%s\"", INCOMING);
	stratum_keep_plan(&plans[by_key], text, lengthof(types), types);
	run_insert(store, plans[by_key], text, environment, owner);
	SPI_unregister_relation(INCOMING);
	tuplestore_end(incoming->reldata);
}

/* --- what has become of each --- */

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

static void
mark_stored(Store *store)
{
	qsort(store->stored, store->nstored, sizeof(int64), compare_ids);
	for (int i = 0; i < store->intake->nevents; i++)
	{
		Event	   *event = &store->intake->events[i];

		event->stored = store->nstored == store->intake->nevents ||
			bsearch(&event->id, store->stored, store->nstored, sizeof(int64), compare_ids) != NULL;
	}
}

/* An event that is there, for those which have its message id and were not stored. */
static void
note_duplicate(const Store *store, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	const pg_uuid_t *message = DatumGetUUIDP(SPI_getbinval(row, desc, 1, &isnull));
	int			at = find_message(store, message);

	for (; at >= 0 && at < store->nmessages &&
		 memcmp(store->order[at]->message, message, sizeof(pg_uuid_t)) == 0; at++)
	{
		Event	   *event = store->order[at];

		if (event->stored)
			continue;
		event->is_known = true;
		event->id = DatumGetInt64(SPI_getbinval(row, desc, 2, &isnull));
		event->profile = DatumGetInt64(SPI_getbinval(row, desc, 3, &isnull));
		event->has_profile = !isnull;
	}
}

static void
find_duplicates(Store *store)
{
	uint64		there;

	for (int i = 0; i < store->nmessages; i++)
		store->order[i]->has_profile = store->order[i]->stored;
	there = find_stored(store, false);
	for (uint64 i = 0; i < there; i++)
		note_duplicate(store, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_freetuptable(SPI_tuptable);
}

/* Stores events whose persons have their profiles, and says of each what has become of it. Inside SPI_connect(). */
void
stratum_store_events(Intake *intake, Oid owner)
{
	Store		store = {.intake = intake};
	Oid			sequence = get_relname_relid("cdp_events_id_seq", get_namespace_oid(STRATUM_SCHEMA, false));

	for (int i = 0; i < intake->nevents; i++)
	{
		Event	   *event = &intake->events[i];

		CHECK_FOR_INTERRUPTS();
		event->id = nextval_internal(sequence, true);
		event->profile = intake->persons[event->person].profile;
		event->has_profile = event->profile != 0;
	}
	put_in_order(&store);
	store.stored = palloc_extended(intake->nevents * sizeof(int64), MCXT_ALLOC_HUGE);
	insert_rows(&store, owner);
	mark_stored(&store);
	if (store.nstored < intake->nevents)
		find_duplicates(&store);
}
