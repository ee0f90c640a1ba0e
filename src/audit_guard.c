/*
 * audit_guard.c
 *	  Keeps stratum.audit_logs append-only and true: triggers of the log itself.
 *
 * They bind superusers too, who can still disable a trigger; nobody else can.
 */
#include "audit.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

static TriggerData *
check_guard(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, name);

	if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be fired before the change", name)));
	return trigdata;
}

/* --- nothing changes --- */

/*
 * _audit_guard_change(): BEFORE UPDATE, DELETE or TRUNCATE, FOR EACH STATEMENT
 *
 * Retention and erasure say beforehand that the next statement is theirs.
 */
PG_FUNCTION_INFO_V1(stratum_audit_guard_change);
Datum
stratum_audit_guard_change(PG_FUNCTION_ARGS)
{
	(void) check_guard(fcinfo, "_audit_guard_change");
	if (stratum_take_log_opening())
		return PointerGetDatum(NULL);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the audit trail is append-only"),
			 errdetail("Rows of stratum.audit_logs are never changed, and are removed by retention only.")));
}

/* --- what others insert --- */

static bool
is_null(const StratumRow *row, AttrNumber column)
{
	return row->nulls[column - 1];
}

/* A number in the integer type that the column has; 0 is NULL. */
static void
set_number(StratumRow *row, const char *name, int64 number)
{
	AttrNumber	column = stratum_find_column(row->desc, name, STRATUM_INTEGER);

	if (!column)
		return;
	if (!stratum_put_integer(row, column, number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg(INT64_FORMAT " does not fit column \"%s\" of stratum.audit_logs", number, name)));
	if (number == 0)
		stratum_put_null(row, column);
}

static void
set_text_if_null(StratumRow *row, const char *name, const char *text)
{
	AttrNumber	column = stratum_find_column(row->desc, name, STRATUM_STRING);

	if (column && is_null(row, column) && text != NULL)
		stratum_put(row, column, CStringGetTextDatum(text));
}

/* Entries on the trail itself say what was purged, erased and covered: they are the library's own. */
static void
refuse_own_entries(const StratumRow *row)
{
	AttrNumber	column = stratum_find_column(row->desc, "resource_type", STRATUM_STRING);

	if (column && !is_null(row, column) &&
		strcmp(TextDatumGetCString(row->values[column - 1]), "audit_logs") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("audit_logs rows about audit_logs are written by stratum's own functions only")));
}

/* What others insert are events; changes are the triggers' to record. */
static void
refuse_changes(const StratumRow *row)
{
	AttrNumber	column = stratum_find_column(row->desc, "action", STRATUM_ANYTHING);
	char	   *action;
	Oid			output;
	bool		is_varlena;

	if (!column || is_null(row, column))
		return;
	getTypeOutputInfo(TupleDescAttr(row->desc, column - 1)->atttypid, &output, &is_varlena);
	action = OidOutputFunctionCall(output, row->values[column - 1]);
	if (stratum_is_change(action))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("audit_logs rows with action \"%s\" are written by triggers only", action),
				 errhint("stratum.audit_table() puts a table under audit; stratum.log_event() logs other events.")));
}

static void
set_address(StratumRow *row, const char *address)
{
	AttrNumber	column = stratum_find_column(row->desc, "ip_address", STRATUM_ADDRESS);

	if (!column)
		return;
	if (address != NULL)
		stratum_put(row, column, DirectFunctionCall1(inet_in, CStringGetDatum(address)));
	else
		stratum_put_null(row, column);
}

/* Who and where: the context's, not the client's. */
static void
fill_from_context(StratumRow *row)
{
	const StratumContext *context = stratum_context();

	if (context->tenant_id != 0)
		set_number(row, "tenant_id", context->tenant_id);
	set_number(row, "user_id", context->user_id);
	set_address(row, context->ip_address);
	set_text_if_null(row, "request_id", context->request_id);
	set_text_if_null(row, "user_agent", context->user_agent);
}

/* The sequence behind the log's id, which is the partitioned table's; InvalidOid if somebody took it away. */
static Oid
sequence_of_id(Relation log)
{
	Oid			owner = stratum_root_of(RelationGetRelid(log));
	AttrNumber	id = get_attnum(owner, "id");
	ListCell   *cell;

	foreach(cell, getOwnedSequences(owner))
	{
		Oid			table;
		int32		column;

		if (sequenceIsOwned(lfirst_oid(cell), DEPENDENCY_AUTO, &table, &column) && column == id)
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/*
 * The next id, whatever was asked for: a chosen one could stand in the way of later rows. Sealing
 * relies on it that the transaction has a number before it draws an id.
 */
static void
fill_id(StratumRow *row, Relation log)
{
	Oid			sequence = sequence_of_id(log);

	(void) GetCurrentTransactionId();
	if (OidIsValid(sequence))
		set_number(row, "id", nextval_internal(sequence, false));
}

/* Whether the row is one of those that a partition is for. */
static bool
fits_partition(Relation partition, const StratumRow *row)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *info = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(row->desc, &TTSOpsVirtual);
	bool		result;

	InitResultRelInfo(info, partition, 0, NULL, 0);
	memcpy(slot->tts_values, row->values, sizeof(Datum) * row->desc->natts);
	memcpy(slot->tts_isnull, row->nulls, sizeof(bool) * row->desc->natts);
	ExecStoreVirtualTuple(slot);
	result = ExecPartitionCheck(info, slot, estate, false);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return result;
}

/*
 * The time of the transaction, whatever was asked for. In a partitioned log PostgreSQL has chosen the
 * partition by what was asked for, and it cannot be another one any more.
 */
static void
fill_time(StratumRow *row, Relation log)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	AttrNumber	column = stratum_find_column(row->desc, "created_at", STRATUM_TIME);

	if (!column || (!is_null(row, column) && DatumGetTimestampTz(row->values[column - 1]) == now))
		return;
	stratum_put(row, column, TimestampTzGetDatum(now));
	if (log->rd_rel->relispartition && !fits_partition(log, row))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("created_at of a row of audit_logs is the time of the transaction, which is in another partition than the one given"),
				 errhint("Leave created_at out of the INSERT, or use stratum.log_event().")));
}

static void
fill_metadata(StratumRow *row)
{
	AttrNumber	column = stratum_find_column(row->desc, "metadata", STRATUM_JSON);

	if (column && is_null(row, column))
		stratum_put(row, column, DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

static Jsonb *
json_of(const StratumRow *row, const char *name)
{
	AttrNumber	column = stratum_find_column(row->desc, name, STRATUM_JSON);

	return column && !is_null(row, column) ? DatumGetJsonbP(row->values[column - 1]) : NULL;
}

/* An event that cannot be dumped is none. */
static void
check_size(const StratumRow *row)
{
	stratum_check_entry_size((Jsonb *[]) {json_of(row, "old_values"), json_of(row, "new_values"), json_of(row, "metadata")}, 3);
}

/*
 * _audit_guard_insert(): BEFORE INSERT, FOR EACH ROW
 *
 * The library's own rows pass as they are, and log_event()'s with any action.
 */
PG_FUNCTION_INFO_V1(stratum_audit_guard_insert);
Datum
stratum_audit_guard_insert(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_guard(fcinfo, "_audit_guard_insert");
	AuditWriter writer = stratum_take_audit_writer();
	StratumRow	row;

	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_guard_insert: must be fired for each inserted row")));
	if (writer == AUDIT_WRITER_CHANGE)
		return PointerGetDatum(trigdata->tg_trigtuple);

	row = stratum_open_row(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation));
	refuse_own_entries(&row);
	check_size(&row);
	if (writer == AUDIT_WRITER_OTHER)
	{
		refuse_changes(&row);
		fill_id(&row, trigdata->tg_relation);
	}
	fill_from_context(&row);
	fill_metadata(&row);
	fill_time(&row, trigdata->tg_relation);
	return PointerGetDatum(heap_form_tuple(row.desc, row.values, row.nulls));
}
