/*
 * audit_trigger.c
 *	  The triggers that record changes, as SQL calls them.
 */
#include "audit.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

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

/* _audit_row(): AFTER INSERT, UPDATE or DELETE, FOR EACH ROW (resource type, redacted, ignored) */
PG_FUNCTION_INFO_V1(stratum_audit_row);
Datum
stratum_audit_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, "_audit_row");
	const AuditTable *table;
	AuditEntry	entry;
	bool		changed;
	int			pinned;

	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_row: must be fired after the change")));
	if (!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_row: must be fired for each row")));

	pinned = pin_settings();
	table = stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger);
	changed = stratum_describe_change(table, trigdata, &entry);
	unpin_settings(pinned);
	/* As the owner of the trigger's function: see audit_write.c. */
	if (changed)
		stratum_write_entry(&entry, stratum_owner_of(fcinfo));
	return PointerGetDatum(NULL);
}

/* _audit_truncate(): AFTER TRUNCATE, FOR EACH STATEMENT (resource type) */
PG_FUNCTION_INFO_V1(stratum_audit_truncate);
Datum
stratum_audit_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = stratum_audit_trigger_data(fcinfo, "_audit_truncate");
	AuditEntry	entry;
	int			pinned;

	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("_audit_truncate: must be fired after TRUNCATE")));

	pinned = pin_settings();
	stratum_describe_truncate(stratum_audit_table(trigdata->tg_relation, trigdata->tg_trigger),
							  &entry);
	unpin_settings(pinned);
	stratum_write_entry(&entry, stratum_owner_of(fcinfo));
	return PointerGetDatum(NULL);
}
