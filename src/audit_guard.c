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
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* A row of the log, taken apart. */
typedef struct LogRow
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
} LogRow;

static TriggerData *
check_guard(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be called as a trigger", name)));
	if (!TRIGGER_FIRED_BEFORE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be fired before the change", name)));
	return trigdata;
}

/* --- nothing changes --- */

/* _audit_guard_change(): BEFORE UPDATE, DELETE or TRUNCATE, FOR EACH STATEMENT */
PG_FUNCTION_INFO_V1(stratum_audit_guard_change);
Datum
stratum_audit_guard_change(PG_FUNCTION_ARGS)
{
	(void) check_guard(fcinfo, "_audit_guard_change");
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the audit trail is append-only"),
			 errdetail("Rows of stratum.audit_logs are never changed, and are removed by retention only.")));
}

/* --- what others insert --- */

/* The index of a column in the row, -1 if the log has no such column. */
static int
find(const LogRow *row, const char *column, StratumKind kind)
{
	return stratum_find_column(row->desc, column, kind) - 1;
}

static void
set_value(LogRow *row, const char *column, StratumKind kind, Datum value, bool isnull)
{
	int			index = find(row, column, kind);

	if (index < 0)
		return;
	row->values[index] = value;
	row->nulls[index] = isnull;
}

/* A number in the integer type that the column has; 0 is NULL. */
static void
set_number(LogRow *row, const char *column, int64 number)
{
	int			index = find(row, column, STRATUM_INTEGER);

	if (index < 0)
		return;
	if (TupleDescAttr(row->desc, index)->atttypid == INT8OID)
		row->values[index] = Int64GetDatum(number);
	else
		row->values[index] = DirectFunctionCall1(int84, Int64GetDatum(number));
	row->nulls[index] = number == 0;
}

static void
set_text_if_null(LogRow *row, const char *column, const char *text)
{
	int			index = find(row, column, STRATUM_STRING);

	if (index >= 0 && row->nulls[index] && text != NULL)
		set_value(row, column, STRATUM_STRING, CStringGetTextDatum(text), false);
}

/* What others insert are events; changes are the triggers' to record. */
static void
refuse_changes(const LogRow *row)
{
	int			index = find(row, "action", STRATUM_ANYTHING);
	char	   *action;
	Oid			output;
	bool		is_varlena;

	if (index < 0 || row->nulls[index])
		return;
	getTypeOutputInfo(TupleDescAttr(row->desc, index)->atttypid, &output, &is_varlena);
	action = OidOutputFunctionCall(output, row->values[index]);
	if (strcmp(action, "create") == 0 || strcmp(action, "update") == 0 ||
		strcmp(action, "delete") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("audit_logs rows with action \"%s\" are written by triggers only", action),
				 errhint("stratum.audit_table() puts a table under audit; stratum.log_event() logs other events.")));
}

/* Who and where: the context's, not the client's. */
static void
fill_from_context(LogRow *row)
{
	const StratumContext *context = stratum_context();

	if (context->tenant_id != 0)
		set_number(row, "tenant_id", context->tenant_id);
	set_number(row, "user_id", context->user_id);
	if (context->ip_address != NULL)
		set_value(row, "ip_address", STRATUM_ADDRESS,
				  DirectFunctionCall1(inet_in, CStringGetDatum(context->ip_address)), false);
	else
		set_value(row, "ip_address", STRATUM_ADDRESS, (Datum) 0, true);
	set_text_if_null(row, "request_id", context->request_id);
	set_text_if_null(row, "user_agent", context->user_agent);
}

/* The sequence behind the log's id; InvalidOid if somebody took it away. */
static Oid
sequence_of_id(const LogRow *row, Relation log)
{
	ListCell   *cell;

	foreach(cell, getOwnedSequences(RelationGetRelid(log)))
	{
		Oid			table;
		int32		column;

		if (sequenceIsOwned(lfirst_oid(cell), DEPENDENCY_AUTO, &table, &column) &&
			column == find(row, "id", STRATUM_INTEGER) + 1)
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/* The next id, whatever was asked for: a chosen one could stand in the way of later rows. */
static void
fill_id(LogRow *row, Relation log)
{
	Oid			sequence = sequence_of_id(row, log);

	if (OidIsValid(sequence))
		set_number(row, "id", nextval_internal(sequence, false));
}

static void
fill_metadata(LogRow *row)
{
	int			index = find(row, "metadata", STRATUM_JSON);

	if (index >= 0 && row->nulls[index])
		set_value(row, "metadata", STRATUM_JSON, DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")), false);
}

static LogRow
take_apart(HeapTuple tuple, TupleDesc desc)
{
	LogRow		row;

	row.desc = desc;
	row.values = palloc(sizeof(Datum) * desc->natts);
	row.nulls = palloc(sizeof(bool) * desc->natts);
	heap_deform_tuple(tuple, desc, row.values, row.nulls);
	return row;
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
	LogRow		row;

	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_guard_insert: must be fired for each inserted row")));
	if (writer == AUDIT_WRITER_CHANGE)
		return PointerGetDatum(trigdata->tg_trigtuple);

	row = take_apart(trigdata->tg_trigtuple, RelationGetDescr(trigdata->tg_relation));
	if (writer == AUDIT_WRITER_OTHER)
	{
		refuse_changes(&row);
		fill_id(&row, trigdata->tg_relation);
	}
	fill_from_context(&row);
	fill_metadata(&row);
	set_value(&row, "created_at", STRATUM_TIME,
			  TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()), false);
	return PointerGetDatum(heap_form_tuple(row.desc, row.values, row.nulls));
}
