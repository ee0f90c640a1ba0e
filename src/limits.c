/*
 * limits.c
 *	  How many users and campaigns a tenant may have: triggers that count.
 *
 * A statement that adds rows for the tenant that is entered counts the tenant's rows when it is done.
 * What is deleted softly does not count; what is restored does again. Two transactions cannot both take
 * the last place, since the first has to lock the tenant's row: then nobody else can add any until it
 * ends, so that a transaction counts once, and for its further statements knows how many there are at most.
 *
 * Without a tenant nothing is limited: administrators and restores know what they do.
 */
#include "kept_plan.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

typedef struct RowLimit
{
	const char *column;			/* of stratum.tenants */
	const char *what;
	const char *read;			/* the queries: how many there may be, */
	const char *lock;			/* the same, and nobody else may add any, */
	const char *count;			/* how many there are, up to $2 */
	SPIPlanPtr	read_plan;
	SPIPlanPtr	lock_plan;
	SPIPlanPtr	count_plan;
	int64		tenant_id;		/* whose row this transaction has locked; 0: none */
	SubTransactionId locked_in;
	int64		allowed;
	int64		at_most;		/* so many there can be now */
} RowLimit;

#define READ(column) \
	"SELECT CAST(t." column " AS pg_catalog.int8) FROM stratum.tenants t" \
	" WHERE t.id OPERATOR(pg_catalog.=) $1"
#define COUNT(table) \
	"SELECT pg_catalog.count(*) FROM (SELECT FROM stratum." table " r" \
	" WHERE r.tenant_id OPERATOR(pg_catalog.=) $1 AND r.is_deleted IS NOT TRUE LIMIT $2) x"
#define LIMIT(column, table) \
	{column, table, READ(column), READ(column) " FOR NO KEY UPDATE", COUNT(table), \
	 NULL, NULL, NULL, 0, InvalidSubTransactionId, 0, 0}

static RowLimit limits[] = {
	LIMIT("max_users", "users"),
	LIMIT("max_campaigns", "campaigns")
};

#define NLIMITS ((int) lengthof(limits))

/* The table in which the statement that is running has restored a row, if it has. */
static Oid	restored_in = InvalidOid;

/* The mixin trigger tells; PostgreSQL could by a trigger with WHEN, but its columns could not be changed then. */
void
stratum_note_restored(Oid table)
{
	restored_in = table;
}

/* --- what is known lasts as long as the lock --- */

static void
forget_all(XactEvent event, void *argument)
{
	for (int i = 0; i < NLIMITS; i++)
		limits[i].tenant_id = 0;
}

/* A lock goes with the sub-transaction that has taken it. */
static void
follow_subtransaction(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid,
					  void *argument)
{
	for (int i = 0; i < NLIMITS; i++)
	{
		if (limits[i].tenant_id == 0 || limits[i].locked_in != my_subid)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			limits[i].tenant_id = 0;
		else if (event == SUBXACT_EVENT_COMMIT_SUB)
			limits[i].locked_in = parent_subid;
	}
}

static void
start_watching(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(forget_all, NULL);
	RegisterSubXactCallback(follow_subtransaction, NULL);
	watching = true;
}

/* --- asking the tables --- */

/*
 * The number that a query gives; false if it is NULL or there is none. The newest snapshot: under
 * REPEATABLE READ, too, what others have committed counts.
 */
static bool
ask(SPIPlanPtr *plan, const char *query, int64 tenant_id, int64 most, int64 *result)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(tenant_id), Int64GetDatum(most)};
	bool		isnull;

	stratum_keep_plan(plan, query, lengthof(types), types);
	if (SPI_execute_snapshot(*plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, false, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	if (SPI_processed != 1)
		return false;
	*result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return !isnull;
}

/*
 * Locks the tenant's row, if it has a limit and is not locked yet, and says whether it has. The limit
 * is read each time: this transaction itself may have changed it.
 */
static bool
lock_limit(RowLimit *limit, int64 tenant_id)
{
	if (!ask(&limit->read_plan, limit->read, tenant_id, 0, &limit->allowed))
		return false;
	if (limit->tenant_id == tenant_id)
		return true;
	if (!ask(&limit->lock_plan, limit->lock, tenant_id, 0, &limit->allowed))
		return false;
	limit->tenant_id = tenant_id;
	limit->locked_in = GetCurrentSubTransactionId();
	limit->at_most = PG_INT64_MAX;
	return true;
}

/* Raises if there are too many now that "added" have come; how many there were may be unknown. */
static void
check_limit(RowLimit *limit, int64 tenant_id, int64 added)
{
	if (!lock_limit(limit, tenant_id))
		return;
	if (limit->at_most <= limit->allowed - added)
	{
		limit->at_most += added;
		return;
	}
	if (!ask(&limit->count_plan, limit->count, tenant_id, limit->allowed + 1, &limit->at_most))
		elog(ERROR, "could not count the %s of tenant " INT64_FORMAT, limit->what, tenant_id);
	if (limit->at_most > limit->allowed)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("tenant " INT64_FORMAT " may have at most " INT64_FORMAT " %s",
						tenant_id, limit->allowed, limit->what),
				 errhint("Delete some, or raise %s of the tenant.", limit->column)));
}

/* As the owner: the tenant may not lock its own row in stratum.tenants. */
static void
check_as_owner(FunctionCallInfo fcinfo, RowLimit *limit, int64 tenant_id, int64 added)
{
	Oid			user;
	int			security;

	start_watching();
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(stratum_owner_of(fcinfo->flinfo->fn_oid), security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	check_limit(limit, tenant_id, added);
	SPI_finish();
	SetUserIdAndSecContext(user, security);
}

/* --- the triggers --- */

/* A column of a new row, or NULL. */
static bool
slot_value(TupleTableSlot *slot, AttrNumber column, Datum *value)
{
	bool		isnull = true;

	if (column)
		*value = slot_getattr(slot, column, &isnull);
	return !isnull;
}

/* How many of the rows that the statement has added are the tenant's and not deleted. */
static int64
count_added(TriggerData *trigger, int64 tenant_id)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	AttrNumber	tenant = stratum_find_column(desc, "tenant_id", STRATUM_INTEGER);
	AttrNumber	is_deleted = stratum_find_column(desc, "is_deleted", STRATUM_BOOLEAN);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	Tuplestorestate *rows = trigger->tg_newtable;
	int64		added = 0;
	Datum		value;

	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (slot_value(slot, is_deleted, &value) && DatumGetBool(value))
			continue;
		if (slot_value(slot, tenant, &value) &&
			stratum_integer(TupleDescAttr(desc, tenant - 1), value) == tenant_id)
			added++;
	}
	ExecDropSingleTupleTableSlot(slot);
	return added;
}

static RowLimit *
find_limit(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		(TRIGGER_FIRED_BY_INSERT(trigger->tg_event) && trigger->tg_newtable == NULL))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum._limit_rows() must be fired after INSERT, with the new rows, or UPDATE, for each statement")));
	for (int i = 0; i < NLIMITS && trigger->tg_trigger->tgnargs == 1; i++)
	{
		if (strcmp(trigger->tg_trigger->tgargs[0], limits[i].column) == 0)
			return &limits[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the argument of stratum._limit_rows() must be a limit of a tenant")));
}

/*
 * _limit_rows(): AFTER, FOR EACH STATEMENT (column of stratum.tenants)
 *
 * INSERT, with the new rows, counts if there are any of the tenant's; UPDATE if it has restored one.
 */
PG_FUNCTION_INFO_V1(stratum_limit_rows);
Datum
stratum_limit_rows(PG_FUNCTION_ARGS)
{
	RowLimit   *limit = find_limit(fcinfo);
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	int64		tenant_id = stratum_context()->tenant_id;
	int64		added = 0;

	/* What comes without a tenant goes uncounted. */
	if (tenant_id == 0)
		limit->tenant_id = 0;
	else if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		added = count_added(trigger, tenant_id);
	else if (restored_in == RelationGetRelid(trigger->tg_relation))
	{
		restored_in = InvalidOid;
		limit->at_most = PG_INT64_MAX;
		added = 1;
	}
	if (added > 0)
		check_as_owner(fcinfo, limit, tenant_id, added);
	return PointerGetDatum(NULL);
}
