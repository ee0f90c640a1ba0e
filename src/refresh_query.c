/*
 * refresh_query.c
 *	  The queries of a refresh.
 *
 * Most see what was committed when they begin, like any query. A transaction with one snapshot for all of it would
 * miss what others have committed since, but memberships that are kept live have to be right for all: there, queries are
 * run with a snapshot of their own, as PostgreSQL does for foreign keys.
 */
#include "segment_refresh.h"

#include "access/xact.h"
#include "utils/snapmgr.h"

/* The plan of a query, which is kept if it is one of those. */
static SPIPlanPtr
get_plan(Refresh *refresh, RefreshPlan kept, const char *query, int nargs, const Oid *types)
{
	bool		keep = refresh->plans != NULL && kept != PLAN_ANEW;
	SPIPlanPtr	plan;

	if (keep && refresh->plans[kept] != NULL)
		return refresh->plans[kept];
	plan = SPI_prepare_cursor(query, nargs, unconstify(Oid *, types), keep ? CURSOR_OPT_GENERIC_PLAN : 0);
	if (plan == NULL || (keep && SPI_keepplan(plan) != 0))
		elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
	if (keep)
		refresh->plans[kept] = plan;
	return plan;
}

/* The rows that SPI has collected, handed over one by one. */
static void
hand_over(void *argument, RowFunction function)
{
	SPITupleTable *table = SPI_tuptable;
	TupleTableSlot *slot;

	if (table == NULL)
		return;
	slot = MakeSingleTupleTableSlot(table->tupdesc, &TTSOpsHeapTuple);
	for (uint64 i = 0; i < table->numvals; i++)
	{
		ExecStoreHeapTuple(table->vals[i], slot, false);
		slot_getallattrs(slot);
		function(argument, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	SPI_freetuptable(table);
}

static void
query_latest(Refresh *refresh, RefreshPlan kept, const char *query, int nargs, const Oid *types,
			 const Datum *values, RowFunction function)
{
	MemoryContext before = CurrentMemoryContext;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	int			result = SPI_execute_snapshot(get_plan(refresh, kept, query, nargs, types), unconstify(Datum *, values),
											  NULL, snapshot, InvalidSnapshot, false, true, 0);

	MemoryContextSwitchTo(before);
	if (result < 0)
		elog(ERROR, "could not refresh segments: %s", SPI_result_code_string(result));
	hand_over(refresh, function);
	UnregisterSnapshot(snapshot);
}

/* Runs a query, whose rows the function is given one by one. Inside SPI_connect(). */
void
stratum_refresh_query(Refresh *refresh, RefreshPlan kept, const char *query, int nargs, const Oid *types,
					  const Datum *values, RowFunction function)
{
	RowReceiver receiver = stratum_row_receiver(function, refresh);
	SPIExecuteOptions options = {0};
	MemoryContext before = CurrentMemoryContext;
	int			result;

	if (refresh->latest && IsolationUsesXactSnapshot())
	{
		query_latest(refresh, kept, query, nargs, types, values, function);
		return;
	}
	options.params = stratum_constant_parameters(nargs, types, values);
	options.dest = &receiver.receiver;
	if (refresh->plans != NULL && kept != PLAN_ANEW)
		result = SPI_execute_plan_extended(get_plan(refresh, kept, query, nargs, types), &options);
	else
		result = SPI_execute_extended(query, &options);
	/* SPI has turned to its own, which lasts as long as the refresh */
	MemoryContextSwitchTo(before);
	if (result < 0)
		elog(ERROR, "could not refresh segments: %s", SPI_result_code_string(result));
}
