/*
 * audit_sink.c
 *	  Puts the entries of one statement into stratum.audit_logs, as the log's owner.
 *
 * Where nothing stands in the way (audit_log.c) they are gathered and written in batches, straight into
 * the table and its indexes: WAL-logged, and visible or gone with the transaction, as any row. Otherwise,
 * and for an entry that PostgreSQL shall refuse in its own words, each goes through a saved plan.
 *
 * A sink lives within one call of a trigger, so whatever is in it when something fails goes with it.
 */
#include "audit.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A batch is written when it has so many rows, or so many bytes with all that their making left behind. */
#define BATCH_ROWS 1000
#define BATCH_BYTES ((Size) 1024 * 1024)

struct AuditSink
{
	Oid			owner;
	const AuditTable *table;
	const AuditEntry *entry;	/* that is being added */
	ErrorContextCallback callback;
	MemoryContext context;		/* of the sink itself */
	MemoryContext batch;		/* of the entries, emptied when they are written */
	bool		is_open;
	bool		is_direct;
	AuditLog	log;
	/* What follows is for direct writing. */
	Relation	relation;
	AuditIndexes *indexes;
	BulkInsertState bulk;
	bool		has_written;
	int			room;			/* for slots; most statements are of one row */
	int			made;			/* slots that are there */
	int			used;			/* slots that have an entry in them */
	TupleTableSlot **slots;
	Datum		same[LOG_COLUMNS];	/* values that all entries share */
	bool		same_null[LOG_COLUMNS];
	int64		last_tenant;	/* known to be there */
};

/* --- opening --- */

/* The trail is named in what goes wrong from here to the sink's end. */
static void
name_entry(void *arg)
{
	const AuditSink *sink = arg;

	if (sink->entry == NULL)
		errcontext("audit trail of %s", sink->table->resource_type);
	else
		errcontext("audit trail of %s, row %s", sink->table->resource_type,
				   sink->entry->resource_id != NULL ? sink->entry->resource_id : "without a key");
}

/* For entries on one table, to be written as `owner`. */
AuditSink *
stratum_open_sink(Oid owner, const AuditTable *table)
{
	AuditSink  *sink = palloc0(sizeof(AuditSink));

	sink->owner = owner;
	sink->table = table;
	sink->callback.previous = error_context_stack;
	sink->callback.callback = name_entry;
	sink->callback.arg = sink;
	error_context_stack = &sink->callback;
	sink->context = CurrentMemoryContext;
	sink->batch = AllocSetContextCreate(CurrentMemoryContext, "stratum audit entries",
										ALLOCSET_DEFAULT_SIZES);
	return sink;
}

/* Where entries are made: what is there lasts until the next one is added, at least. */
MemoryContext
stratum_sink_context(AuditSink *sink)
{
	return sink->batch;
}

static void
share(AuditSink *sink, AuditLogColumn column, bool present, Datum value)
{
	sink->same[column] = value;
	sink->same_null[column] = !present;
}

static void
share_text(AuditSink *sink, AuditLogColumn column, const char *text)
{
	share(sink, column, text != NULL, text != NULL ? CStringGetTextDatum(text) : (Datum) 0);
}

static Datum
empty_object(void)
{
	Jsonb	   *result = palloc0(VARHDRSZ + sizeof(uint32));

	SET_VARSIZE(result, VARHDRSZ + sizeof(uint32));
	result->root.header = JB_FOBJECT;
	return JsonbPGetDatum(result);
}

/* A number as the integer type that the column has. */
static bool
integer_datum(const AuditSink *sink, AuditLogColumn column, int64 number, Datum *result)
{
	TupleDesc	desc = RelationGetDescr(sink->relation);

	switch (TupleDescAttr(desc, sink->log.columns[column] - 1)->attlen)
	{
		case sizeof(int16):
			*result = Int16GetDatum((int16) number);
			return number >= PG_INT16_MIN && number <= PG_INT16_MAX;
		case sizeof(int32):
			*result = Int32GetDatum((int32) number);
			return number >= PG_INT32_MIN && number <= PG_INT32_MAX;
		default:
			*result = Int64GetDatum(number);
			return true;
	}
}

/* What the context knows is the same for a statement; false if it does not fit the log. */
static bool
share_context(AuditSink *sink)
{
	const StratumContext *context = stratum_context();
	Datum		user;

	if (!integer_datum(sink, LOG_USER_ID, context->user_id, &user))
		return false;
	share(sink, LOG_USER_ID, context->user_id != 0, user);
	share(sink, LOG_METADATA, true, empty_object());
	share(sink, LOG_IP_ADDRESS, context->ip_address != NULL,
		  context->ip_address == NULL ? (Datum) 0 :
		  DirectFunctionCall1(inet_in, CStringGetDatum(context->ip_address)));
	share_text(sink, LOG_USER_AGENT, context->user_agent);
	share_text(sink, LOG_REQUEST_ID, context->request_id);
	share_text(sink, LOG_RESOURCE_TYPE, sink->table->resource_type);
	share(sink, LOG_CREATED_AT, true, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
	return context->user_id == 0 || !OidIsValid(sink->log.users.relation) ||
		stratum_lock_referenced(&sink->log.users, context->user_id);
}

static void
open_log(AuditSink *sink)
{
	MemoryContext before = MemoryContextSwitchTo(sink->context);

	sink->is_open = true;
	sink->is_direct = superuser_arg(sink->owner) &&
		stratum_open_audit_log(&sink->log, &sink->relation);
	if (sink->is_direct && !share_context(sink))
	{
		table_close(sink->relation, NoLock);
		sink->is_direct = false;
	}
	if (sink->is_direct)
	{
		sink->room = 8;
		sink->slots = palloc(sink->room * sizeof(TupleTableSlot *));
		sink->indexes = stratum_open_log_indexes(&sink->log, sink->relation);
	}
	MemoryContextSwitchTo(before);
}

/* --- writing directly --- */

static void
write_batch(AuditSink *sink)
{
	MemoryContext before = MemoryContextSwitchTo(sink->batch);
	CommandId	command = GetCurrentCommandId(true);

	if (sink->used == 1)
		table_tuple_insert(sink->relation, sink->slots[0], command, 0, NULL);
	else
	{
		/* From the second batch on it pays to keep the page at hand. */
		if (sink->bulk == NULL && sink->has_written)
		{
			MemoryContextSwitchTo(sink->context);
			sink->bulk = GetBulkInsertState();
			MemoryContextSwitchTo(sink->batch);
		}
		table_multi_insert(sink->relation, sink->slots, sink->used, command, 0, sink->bulk);
	}
	for (int i = 0; i < sink->used; i++)
	{
		stratum_insert_into_log_indexes(sink->indexes, sink->slots[i]);
		ExecClearTuple(sink->slots[i]);
	}
	sink->has_written = true;
	sink->used = 0;
	MemoryContextSwitchTo(before);
}

/* Writes what has been gathered. */
static void
flush(AuditSink *sink)
{
	if (sink->used > 0)
		write_batch(sink);
}

static TupleTableSlot *
next_slot(AuditSink *sink)
{
	if (sink->used == sink->made)
	{
		MemoryContext before = MemoryContextSwitchTo(sink->context);

		if (sink->made == sink->room)
		{
			sink->room = BATCH_ROWS;
			sink->slots = repalloc(sink->slots, sink->room * sizeof(TupleTableSlot *));
		}
		sink->slots[sink->made++] = MakeSingleTupleTableSlot(RelationGetDescr(sink->relation),
															 &TTSOpsVirtual);
		MemoryContextSwitchTo(before);
	}
	return sink->slots[sink->used];
}

static void
set_column(const AuditSink *sink, TupleTableSlot *slot, AuditLogColumn column, bool present,
		   Datum value)
{
	int			index = sink->log.columns[column] - 1;

	slot->tts_values[index] = value;
	slot->tts_isnull[index] = !present;
}

static Datum
next_id(const AuditSink *sink)
{
	int64		number;
	Datum		result;

	/* Sealing relies on it that a (sub)transaction has a number before it draws an id. */
	(void) GetCurrentTransactionId();
	number = nextval_internal(sink->log.sequence, false);
	if (!integer_datum(sink, LOG_ID, number, &result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg(INT64_FORMAT " does not fit column \"id\" of stratum.audit_logs", number)));
	return result;
}

static void
fill_slot(AuditSink *sink, TupleTableSlot *slot, const AuditEntry *entry, Datum tenant)
{
	const char *id = entry->resource_id;

	ExecClearTuple(slot);
	/* A user's own columns are NULL. */
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (int i = 0; i < LOG_COLUMNS; i++)
		set_column(sink, slot, i, !sink->same_null[i], sink->same[i]);
	set_column(sink, slot, LOG_ID, true, next_id(sink));
	set_column(sink, slot, LOG_TENANT_ID, entry->tenant_id != 0, tenant);
	set_column(sink, slot, LOG_ACTION, true, ObjectIdGetDatum(sink->log.actions[entry->action]));
	set_column(sink, slot, LOG_RESOURCE_ID, id != NULL,
			   id != NULL ? CStringGetTextDatum(id) : (Datum) 0);
	set_column(sink, slot, LOG_OLD_VALUES, entry->old_values != NULL,
			   PointerGetDatum(entry->old_values));
	set_column(sink, slot, LOG_NEW_VALUES, entry->new_values != NULL,
			   PointerGetDatum(entry->new_values));
	if (entry->metadata != NULL)
		set_column(sink, slot, LOG_METADATA, true, PointerGetDatum(entry->metadata));
	ExecStoreVirtualTuple(slot);
}

/* False if the entry's tenant is none that the log can take: PostgreSQL shall say so. */
static bool
tenant_is_there(AuditSink *sink, const AuditEntry *entry, Datum *result)
{
	const AuditReference *tenants = &sink->log.tenants;
	int64		tenant = entry->tenant_id;

	*result = (Datum) 0;
	if (tenant == 0)
		return true;
	if (!integer_datum(sink, LOG_TENANT_ID, tenant, result))
		return false;
	if (tenant != sink->last_tenant && OidIsValid(tenants->relation) &&
		!(entry->is_there ? stratum_secure_referenced(tenants, &sink->table->held, tenant) :
		  stratum_lock_referenced(tenants, tenant)))
		return false;
	sink->last_tenant = tenant;
	return true;
}

/* --- adding --- */

static void
add_entry(AuditSink *sink, const AuditEntry *entry)
{
	Datum		tenant;

	if (!sink->is_open)
		open_log(sink);
	if (sink->is_direct && tenant_is_there(sink, entry, &tenant))
	{
		MemoryContext before = MemoryContextSwitchTo(sink->batch);

		fill_slot(sink, next_slot(sink), entry, tenant);
		MemoryContextSwitchTo(before);
		sink->used++;
		if (sink->used < BATCH_ROWS && MemoryContextMemAllocated(sink->batch, false) < BATCH_BYTES)
			return;
		sink->entry = NULL;
		flush(sink);
	}
	else
	{
		flush(sink);
		stratum_write_entry(entry);
	}
	MemoryContextReset(sink->batch);
}

/* Adds an entry that was made in the sink's context. */
void
stratum_sink_add(AuditSink *sink, const AuditEntry *entry)
{
	Oid			user;
	int			security;

	sink->entry = entry;
	stratum_check_entry_size((Jsonb *[]) {entry->old_values, entry->new_values, entry->metadata}, 3);
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(sink->owner, security | SECURITY_LOCAL_USERID_CHANGE);
	add_entry(sink, entry);
	SetUserIdAndSecContext(user, security);
	sink->entry = NULL;
}

static void
close_log(AuditSink *sink)
{
	for (int i = 0; i < sink->made; i++)
		ExecDropSingleTupleTableSlot(sink->slots[i]);
	if (sink->bulk != NULL)
		FreeBulkInsertState(sink->bulk);
	table_finish_bulk_insert(sink->relation, 0);
	stratum_close_log_indexes(sink->indexes);
	table_close(sink->relation, NoLock);
}

/* Writes what is left, for the transaction's next command to see, and lets go of all. */
void
stratum_close_sink(AuditSink *sink)
{
	Oid			user;
	int			security;

	if (sink->is_direct)
	{
		GetUserIdAndSecContext(&user, &security);
		SetUserIdAndSecContext(sink->owner, security | SECURITY_LOCAL_USERID_CHANGE);
		flush(sink);
		SetUserIdAndSecContext(user, security);
		close_log(sink);
		CommandCounterIncrement();
	}
	MemoryContextDelete(sink->batch);
	error_context_stack = sink->callback.previous;
}
