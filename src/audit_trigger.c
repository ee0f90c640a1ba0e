/*
 * audit_trigger.c
 *	  The triggers that record changes, as SQL calls them.
 */
#include "audit.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

/* The entry is written as the owner of the trigger's function: see audit_write.c. */
static Oid
owner_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

static TriggerData *
check_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("%s: must be called as a trigger", name)));
	return (TriggerData *) fcinfo->context;
}

/* _audit_row(): AFTER INSERT, UPDATE or DELETE, FOR EACH ROW (resource type, redacted, ignored) */
PG_FUNCTION_INFO_V1(stratum_audit_row);
Datum
stratum_audit_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "_audit_row");
	const AuditTable *table;
	AuditEntry	entry;

	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_row: must be fired after the change")));
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_row: must be fired for each row")));

	table = stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger);
	if (stratum_describe_change(table, trigdata, &entry))
		stratum_write_entry(&entry, owner_of(fcinfo->flinfo->fn_oid));
	return PointerGetDatum(NULL);
}

/* _audit_truncate(): AFTER TRUNCATE, FOR EACH STATEMENT (resource type) */
PG_FUNCTION_INFO_V1(stratum_audit_truncate);
Datum
stratum_audit_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = check_trigger(fcinfo, "_audit_truncate");
	AuditEntry	entry;

	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_truncate: must be fired after TRUNCATE")));

	stratum_describe_truncate(stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger),
							  &entry);
	stratum_write_entry(&entry, owner_of(fcinfo->flinfo->fn_oid));
	return PointerGetDatum(NULL);
}
