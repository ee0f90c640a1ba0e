/*
 * segment_live.c
 *	  The segments that a profile is in now: profile_segments().
 *
 * All active segments of a tenant are compiled into one set, which the session keeps. A statement trigger on
 * cdp_segments makes every session forget its sets when the transaction that changed a segment commits: it sends
 * the message that PostgreSQL sends when a table itself has changed.
 *
 * What may be seen of the segments depends on who asks, so sets are kept by tenant and user; as many as there is
 * room for, and the one that was not asked for longest is forgotten first.
 */
#include "segment_set.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define MAX_SETS 16

typedef struct LiveSet
{
	int64		tenant;			/* 0: free */
	Oid			user;
	uint64		used;			/* the call that asked for it last */
	bool		complete;		/* no error came between */
	bool		stale;
	bool		of_transaction;	/* made from a snapshot that does not see what others commit */
	MemoryContext context;		/* holds the rest */
	SegmentSet *set;
	int64	   *ids;			/* in the order of the bits */
	SPIPlanPtr	plan;			/* reads the columns of a profile that the set asks about */
} LiveSet;

static LiveSet sets[MAX_SETS];
static uint64 calls;
static Oid	segments_table;
static Oid	profiles_table;

/* --- forgetting --- */

static void
forget_set(LiveSet *live)
{
	SPIPlanPtr	plan = live->plan;
	MemoryContext context = live->context;

	memset(live, 0, sizeof(LiveSet));
	if (plan != NULL)
		SPI_freeplan(plan);
	if (context != NULL)
		MemoryContextDelete(context);
}

/* A table changed, or all may have. Called at any moment: it may do no more than take a note. */
static void
note_changed_table(Datum argument, Oid table)
{
	if (OidIsValid(table) && table != segments_table && table != profiles_table)
		return;
	for (int i = 0; i < MAX_SETS; i++)
		sets[i].stale = true;
}

static void
note_transaction_end(XactEvent event, void *argument)
{
	for (int i = 0; i < MAX_SETS; i++)
		sets[i].stale |= sets[i].of_transaction;
}

static void
register_callbacks(void)
{
	static bool registered = false;

	if (registered)
		return;
	CacheRegisterRelcacheCallback(note_changed_table, (Datum) 0);
	RegisterXactCallback(note_transaction_end, NULL);
	registered = true;
}

static void
find_tables(void)
{
	Oid			schema = get_namespace_oid(STRATUM_SCHEMA, false);

	segments_table = get_relname_relid("cdp_segments", schema);
	profiles_table = get_relname_relid("cdp_profiles", schema);
}

/* --- making a set --- */

/*
 * The active segments' ids and definitions, with those of the segments that they ask about put in; of what means
 * nothing any more a WARNING says so.
 */
static int
read_segments(int64 tenant, int64 **ids, Jsonb ***definitions)
{
	Oid			type = INT8OID;
	Datum		value = Int64GetDatum(tenant);
	int			count = 0;
	int			rows;

	if (SPI_execute_with_args("SELECT CAST(s.id AS pg_catalog.int8), CAST(s.name AS pg_catalog.text), s.conditions"
							  " FROM stratum.cdp_segments s"
							  " WHERE s.tenant_id OPERATOR(pg_catalog.=) $1 AND s.is_active ORDER BY s.id",
							  1, &type, &value, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read segments");
	rows = SPI_processed;
	*ids = palloc((rows + 1) * sizeof(int64));
	*definitions = palloc((rows + 1) * sizeof(Jsonb *));
	for (int i = 0; i < rows; i++)
	{
		bool		isnull;
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		int64		id = DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
		Datum		conditions = SPI_getbinval(row, desc, 3, &isnull);
		Jsonb	   *definition;

		if (isnull)
			continue;
		definition = stratum_usable_definition(tenant, id, SPI_getvalue(row, desc, 2), DatumGetJsonbP(conditions));
		if (definition == NULL)
			continue;
		(*ids)[count] = id;
		(*definitions)[count++] = definition;
	}
	return count;
}

/* The plan that reads these columns of a profile. */
static SPIPlanPtr
prepare_profile_query(TupleDesc columns)
{
	Oid			types[] = {INT8OID, INT8OID};
	StringInfoData query;
	SPIPlanPtr	plan;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT ");
	for (int i = 0; i < columns->natts; i++)
		appendStringInfo(&query, "%sp.%s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(columns, i)->attname)));
	appendStringInfoString(&query, " FROM stratum.cdp_profiles p"
						   " WHERE p.tenant_id OPERATOR(pg_catalog.=) $1 AND p.id OPERATOR(pg_catalog.=) $2");
	plan = SPI_prepare(query.data, lengthof(types), types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the look-up of a profile: %s", SPI_result_code_string(SPI_result));
	return plan;
}

/* Makes the set in its own memory, in the order in which it is asked fastest. */
static void
compile_live_set(LiveSet *live, const int64 *ids, Jsonb **definitions, int count)
{
	SegmentSet *draft = stratum_set_create(stratum_table_columns(STRATUM_PROFILE), count, definitions);
	int		   *order = stratum_set_best_order(draft);
	TupleDesc	columns = stratum_asked_columns(draft->program);
	Jsonb	  **arranged = palloc((count + 1) * sizeof(Jsonb *));
	MemoryContext before = MemoryContextSwitchTo(live->context);

	live->ids = palloc((count + 1) * sizeof(int64));
	for (int i = 0; i < count; i++)
	{
		live->ids[i] = ids[order[i]];
		arranged[i] = definitions[order[i]];
	}
	live->set = stratum_set_create(columns, count, arranged);
	MemoryContextSwitchTo(before);
	stratum_set_free(draft);
	live->plan = prepare_profile_query(columns);
}

/*
 * Definitions are read as they are now, not as at the beginning of the statement: a change of which we have been
 * told in the meantime would otherwise be missed for ever. A transaction with one snapshot for all of it cannot
 * do that, and keeps its set for itself.
 */
static void
make_set(LiveSet *live, int64 tenant, Oid user)
{
	int64	   *ids;
	Jsonb	  **definitions;
	int			count;

	register_callbacks();
	find_tables();
	live->tenant = tenant;
	live->user = user;
	live->of_transaction = IsolationUsesXactSnapshot();
	live->context = AllocSetContextCreate(TopMemoryContext, "stratum live segments", ALLOCSET_DEFAULT_SIZES);
	PushActiveSnapshot(live->of_transaction ? GetActiveSnapshot() : GetLatestSnapshot());
	count = read_segments(tenant, &ids, &definitions);
	PopActiveSnapshot();
	compile_live_set(live, ids, definitions, count);
	live->complete = true;
}

/* The set of a tenant as a user sees it. */
static LiveSet *
get_set(int64 tenant, Oid user)
{
	LiveSet    *oldest = &sets[0];

	AcceptInvalidationMessages();
	for (int i = 0; i < MAX_SETS; i++)
	{
		LiveSet    *live = &sets[i];

		if (live->tenant != 0 && (live->stale || !live->complete))
			forget_set(live);
		if (live->tenant == tenant && live->user == user)
		{
			live->used = ++calls;
			return live;
		}
		if (live->used < oldest->used)
			oldest = live;
	}
	forget_set(oldest);
	make_set(oldest, tenant, user);
	oldest->used = ++calls;
	return oldest;
}

/* --- asking --- */

static int
compare_ids(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* The ids of the segments whose bits are set, ascending. */
static int64 *
collect_members(const LiveSet *live, const Bits *members, int *count)
{
	int64	   *ids = palloc((live->set->count + 1) * sizeof(int64));

	*count = 0;
	for (int i = 0; i < live->set->nwords; i++)
	{
		for (Bits word = members[i]; word != 0; word &= word - 1)
			ids[(*count)++] = live->ids[i * BITS_PER_WORD + pg_rightmost_one_pos64(word)];
	}
	qsort(ids, *count, sizeof(int64), compare_ids);
	return ids;
}

/* The columns of the row that a query gave, if they are as the set takes them. */
static void
open_profile(LiveSet *live, NullableDatum *columns)
{
	TupleDesc	expected = live->set->program->row_type;
	TupleDesc	found = SPI_tuptable->tupdesc;

	for (int i = 0; i < expected->natts; i++)
	{
		if (TupleDescAttr(found, i)->atttypid != TupleDescAttr(expected, i)->atttypid)
		{
			live->stale = true;
			ereport(ERROR,
					errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("column \"%s\" of stratum.cdp_profiles has another type since a moment ago",
						   NameStr(TupleDescAttr(expected, i)->attname)),
					errhint("Try again."));
		}
		columns[i].value = SPI_getbinval(SPI_tuptable->vals[0], found, i + 1, &columns[i].isnull);
	}
}

static void
refuse_profile(FunctionCallInfo fcinfo)
{
	ereport(ERROR,
			errcode(ERRCODE_NO_DATA_FOUND),
			errmsg("profile %s does not exist",
				   PG_ARGISNULL(0) ? "<NULL>" : psprintf(INT64_FORMAT, PG_GETARG_INT64(0))));
}

/* An id as the function returns it: integer as documented, bigint once widen_ids() has been called. */
static Datum
id_datum(int64 id, Oid type)
{
	return type == INT8OID ? Int64GetDatum(id) : DirectFunctionCall1(int84, Int64GetDatum(id));
}

/* The segments of a profile; read with the caller's rights and the statement's snapshot. */
static void
return_segments(FunctionCallInfo fcinfo, int64 tenant, LiveSet *live)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		arguments[] = {Int64GetDatum(tenant), PG_GETARG_DATUM(0)};
	NullableDatum *columns = palloc(live->set->program->row_type->natts * sizeof(NullableDatum));
	bool		isnull = false;
	int64	   *ids;
	int			count;

	if (SPI_execute_plan(live->plan, arguments, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read a profile");
	if (SPI_processed == 0)
		refuse_profile(fcinfo);
	open_profile(live, columns);
	ids = collect_members(live, stratum_set_members(live->set, columns), &count);
	for (int i = 0; i < count; i++)
	{
		Datum		id = id_datum(ids[i], TupleDescAttr(result->setDesc, 0)->atttypid);

		tuplestore_putvalues(result->setResult, result->setDesc, &id, &isnull);
	}
}

/* profile_segments(profile_id bigint) -> setof integer, or bigint; none without a tenant context. */
PG_FUNCTION_INFO_V1(stratum_profile_segments);
Datum
stratum_profile_segments(PG_FUNCTION_ARGS)
{
	int64		tenant = stratum_context()->tenant_id;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (tenant == 0)
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0))
		refuse_profile(fcinfo);
	SPI_connect();
	return_segments(fcinfo, tenant, get_set(tenant, GetUserId()));
	SPI_finish();
	PG_RETURN_NULL();
}

/* --- the trigger --- */

/* _segments_changed(): AFTER trigger of cdp_segments, for each statement. */
PG_FUNCTION_INFO_V1(stratum_segments_changed);
Datum
stratum_segments_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("stratum._segments_changed() was not called by a trigger"));
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}
