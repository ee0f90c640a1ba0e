/*
 * audit_trigger.c
 *	  The triggers that record changes, as SQL calls them.
 */
#include "audit.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

/* Settings that change how names and values are written, and what they are in the trail. */
static bool
settings_are_plain(void)
{
	return !quote_all_identifiers && extra_float_digits > 0 && bytea_output == BYTEA_OUTPUT_HEX &&
		IntervalStyle == INTSTYLE_POSTGRES && DateStyle == USE_ISO_DATES;
}

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The writer has no say in how the trail writes what he did: otherwise SET would give a table another
 * name there, or a key another text. Returns what unpin_settings() takes; an error undoes it too.
 */
static int
pin_settings(void)
{
	int			level;

	if (settings_are_plain())
		return 0;
	level = NewGUCNestLevel();
	pin("quote_all_identifiers", "off");
	pin("extra_float_digits", "1");
	pin("bytea_output", "hex");
	pin("IntervalStyle", "postgres");
	pin("DateStyle", "ISO");
	return level;
}

static void
unpin_settings(int level)
{
	if (level != 0)
		AtEOXact_GUC(true, level);
}

/* What a function of the audit trail was called for; raises if that is no trigger. */
TriggerData *
stratum_audit_trigger_data(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be called as a trigger", name)));
	return (TriggerData *) fcinfo->context;
}

static void
check_protocol(bool holds, const char *name, const char *rule)
{
	if (!holds)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be fired %s", name, rule)));
}

/* --- what happens when a change cannot be recorded --- */

typedef enum AuditFailure
{
	AUDIT_FAILURE_ERROR,
	AUDIT_FAILURE_WARNING
} AuditFailure;

static const struct config_enum_entry audit_failures[] = {
	{"error", AUDIT_FAILURE_ERROR, false},
	{"warning", AUDIT_FAILURE_WARNING, false},
	{NULL, 0, false}
};

static int	audit_failure = AUDIT_FAILURE_ERROR;

/* Registers the setting and the callbacks; called once, when the library is loaded. */
void
stratum_define_audit(void)
{
	DefineCustomEnumVariable("stratum.audit_failure",
							 "What becomes of a write that cannot be recorded in the audit trail.",
							 "error: it fails; warning: it goes on unrecorded, with a warning.",
							 &audit_failure, AUDIT_FAILURE_ERROR, audit_failures,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	stratum_define_audit_references();
}

/* Records what a trigger was called for; entries are written as `owner`. */
typedef void (*AuditWork) (TriggerData *trigdata, Oid owner);

/* What has nothing to do with the trail: a cancelled query, a shutdown, a transaction to be repeated. */
static bool
ends_the_write(int sqlstate)
{
	int			class = ERRCODE_TO_CATEGORY(sqlstate);

	return class == ERRCODE_OPERATOR_INTERVENTION || class == ERRCODE_TRANSACTION_ROLLBACK;
}

static void
warn(TriggerData *trigdata, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("a change of table \"%s\" is not in the audit trail: %s",
					RelationGetRelationName(trigdata->tg_relation), error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 errhint("The write went on because stratum.audit_failure is \"warning\".")));
}

/* In a sub-transaction, so that an error leaves nothing of this trigger's and all of the write. */
static void
record_or_warn(AuditWork work, TriggerData *trigdata, Oid owner)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner resources = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(trigdata, owner);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = resources;
		if (ends_the_write(error->sqlerrcode))
			ReThrowError(error);
		warn(trigdata, error);
		FreeErrorData(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = resources;
}

static Datum
record(FunctionCallInfo fcinfo, AuditWork work)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Oid			owner = stratum_owner_of(fcinfo->flinfo->fn_oid);

	if (stratum_audit_is_paused(RelationGetRelid(trigdata->tg_relation)))
		return PointerGetDatum(NULL);
	if (audit_failure == AUDIT_FAILURE_WARNING)
		record_or_warn(work, trigdata, owner);
	else
		work(trigdata, owner);
	return PointerGetDatum(NULL);
}

/* --- rows, one by one --- */

/* Adds the entry of one change, if it is worth one. */
static void
record_change(AuditSink *sink, const AuditTable *table, TupleTableSlot *old, TupleTableSlot *new)
{
	MemoryContext before = MemoryContextSwitchTo(stratum_sink_context(sink));
	AuditEntry	entry;
	bool		worth = stratum_describe_change(table, old, new, &entry);

	MemoryContextSwitchTo(before);
	if (worth && !stratum_tenant_audit_is_paused(entry.tenant_id))
		stratum_sink_add(sink, &entry);
}

/* What entries refer to, of which this transaction now deletes some: to be locked anew if they are there. */
static void
forget_deleted(const AuditTable *table, TriggerData *trigdata)
{
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) &&
		(strcmp(table->resource_type, "tenants") == 0 || strcmp(table->resource_type, "users") == 0))
		stratum_forget_referenced();
}

static void
record_row(TriggerData *trigdata, Oid owner)
{
	int			pinned = pin_settings();
	const AuditTable *table = stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger);
	AuditSink  *sink = stratum_open_sink(owner, table->resource_type);

	forget_deleted(table, trigdata);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		record_change(sink, table, trigdata->tg_trigslot, trigdata->tg_newslot);
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		record_change(sink, table, NULL, trigdata->tg_trigslot);
	else
		record_change(sink, table, trigdata->tg_trigslot, NULL);
	stratum_close_sink(sink);
	unpin_settings(pinned);
}

/* _audit_row(): AFTER INSERT, UPDATE or DELETE, FOR EACH ROW (resource type, redacted, ignored) */
PG_FUNCTION_INFO_V1(stratum_audit_row);
Datum
stratum_audit_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, "_audit_row");

	check_protocol(TRIGGER_FIRED_AFTER(trigdata->tg_event), "_audit_row", "after the change");
	check_protocol(TRIGGER_FIRED_FOR_ROW(trigdata->tg_event), "_audit_row", "for each row");
	return record(fcinfo, record_row);
}

/* --- all rows of a statement --- */

typedef struct Transition
{
	Tuplestorestate *store;		/* NULL: the event has none of it */
	TupleTableSlot *slot;
} Transition;

static Transition
open_transition(TriggerData *trigdata, Tuplestorestate *store)
{
	Transition	result = {store, NULL};

	if (store != NULL)
	{
		result.slot = MakeSingleTupleTableSlot(RelationGetDescr(trigdata->tg_relation),
											   &TTSOpsMinimalTuple);
		/* Read from the start, whoever has read it before; others have pointers of their own. */
		tuplestore_select_read_pointer(store, tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND));
		tuplestore_rescan(store);
	}
	return result;
}

static void
close_transition(Transition *transition)
{
	if (transition->slot != NULL)
		ExecDropSingleTupleTableSlot(transition->slot);
}

static bool
next_row(Transition *transition)
{
	return transition->store == NULL ||
		tuplestore_gettupleslot(transition->store, true, false, transition->slot);
}

/*
 * Rows of tables that inherit from this one are among the transition tables', and could not be told from
 * its own. (relhassubclass may outlive the last of them.)
 */
static void
check_no_children(Relation relation)
{
	if (relation->rd_rel->relhassubclass && has_subclass(RelationGetRelid(relation)) &&
		find_inheritance_children(RelationGetRelid(relation), NoLock) != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the audit triggers of table \"%s\" do not fit any more",
						RelationGetRelationName(relation)),
				 errdetail("Other tables have come to inherit from it."),
				 errhint("Call stratum.audit_table() again; for a table of stratum's own, stratum.install().")));
}

/* An attached partition has the row trigger of its partitioned table: that one sees all its rows. */
static bool
is_seen_by_root(Relation relation)
{
	/* A copy: what is looked up may bring the relation other triggers. */
	const TriggerDesc *triggers = relation->rd_rel->relispartition ? CopyTriggerDesc(relation->trigdesc) : NULL;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) && trigger->tgenabled != TRIGGER_DISABLED &&
			stratum_is_audit_trigger(trigger))
			return true;
	}
	return false;
}

/* Old and new rows come in the same order, so a changed key does not matter. */
static void
record_rows(const AuditTable *table, TriggerData *trigdata, Oid owner)
{
	AuditSink  *sink = stratum_open_sink(owner, table->resource_type);
	bool		deleted = TRIGGER_FIRED_BY_DELETE(trigdata->tg_event);
	bool		inserted = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event);
	Transition	old = open_transition(trigdata, inserted ? NULL : trigdata->tg_oldtable);
	Transition	new = open_transition(trigdata, deleted ? NULL : trigdata->tg_newtable);

	forget_deleted(table, trigdata);
	while (next_row(&old) && next_row(&new))
	{
		CHECK_FOR_INTERRUPTS();
		record_change(sink, table, old.slot, new.slot);
	}
	stratum_close_sink(sink);
	close_transition(&old);
	close_transition(&new);
}

static void
record_statement(TriggerData *trigdata, Oid owner)
{
	int			pinned;

	if (!TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		check_no_children(trigdata->tg_relation);
	if (is_seen_by_root(trigdata->tg_relation))
		return;
	pinned = pin_settings();
	record_rows(stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger), trigdata, owner);
	unpin_settings(pinned);
}

/*
 * _audit_statement(): AFTER INSERT, UPDATE or DELETE, FOR EACH STATEMENT, with the transition tables of
 * the event (resource type, redacted, ignored)
 */
PG_FUNCTION_INFO_V1(stratum_audit_statement);
Datum
stratum_audit_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, "_audit_statement");
	TriggerEvent event = trigdata->tg_event;

	check_protocol(TRIGGER_FIRED_AFTER(event) && !TRIGGER_FIRED_BY_TRUNCATE(event),
				   "_audit_statement", "after the change");
	check_protocol(TRIGGER_FIRED_FOR_STATEMENT(event), "_audit_statement", "for each statement");
	check_protocol((trigdata->tg_oldtable != NULL || TRIGGER_FIRED_BY_INSERT(event)) &&
				   (trigdata->tg_newtable != NULL || TRIGGER_FIRED_BY_DELETE(event)),
				   "_audit_statement", "with the transition tables of the event");
	return record(fcinfo, record_statement);
}

/* --- TRUNCATE --- */

static void
record_truncate(TriggerData *trigdata, Oid owner)
{
	int			pinned = pin_settings();
	const AuditTable *table = stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger);
	AuditSink  *sink = stratum_open_sink(owner, table->resource_type);
	MemoryContext before = MemoryContextSwitchTo(stratum_sink_context(sink));
	AuditEntry	entry;

	stratum_describe_truncate(table, &entry);
	MemoryContextSwitchTo(before);
	stratum_sink_add(sink, &entry);
	stratum_close_sink(sink);
	unpin_settings(pinned);
}

/* _audit_truncate(): AFTER TRUNCATE, FOR EACH STATEMENT (resource type) */
PG_FUNCTION_INFO_V1(stratum_audit_truncate);
Datum
stratum_audit_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, "_audit_truncate");

	check_protocol(TRIGGER_FIRED_AFTER(trigdata->tg_event) &&
				   TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event),
				   "_audit_truncate", "after TRUNCATE");
	return record(fcinfo, record_truncate);
}
