/*
 * roles.c
 *	  What the role of a user forbids: triggers that refuse a viewer's writes, and changes of a
 *	  protected user.
 *
 * The context knows since enter() whether its user may write; see tenancy.c.
 */
#include "stratum.h"

#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/*
 * refuse_viewer(): BEFORE any write, FOR EACH STATEMENT
 *
 * Once a statement, whether it touches a row or not, and whoever runs it: a function that writes as its
 * owner writes for the viewer all the same.
 */
PG_FUNCTION_INFO_V1(stratum_refuse_viewer);
Datum
stratum_refuse_viewer(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum.refuse_viewer() was not called by a trigger")));
	if (!stratum_context()->may_write)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a viewer may not write to table \"%s\"",
						RelationGetRelationName(((TriggerData *) fcinfo->context)->tg_relation)),
				 errdetail("User " INT64_FORMAT " has the role viewer.", stratum_context()->user_id)));
	return PointerGetDatum(NULL);
}

/* Whether the row still has the value that it had; a column that somebody dropped has. */
static bool
is_kept(const StratumRow *old, const StratumRow *new, const char *name)
{
	AttrNumber	column = stratum_find_column(old->desc, name, STRATUM_ANYTHING);

	return !column ||
		stratum_same_value(TupleDescAttr(old->desc, column - 1), old->values[column - 1],
						   old->nulls[column - 1], new->values[column - 1], new->nulls[column - 1]);
}

static bool
was_protected(const StratumRow *old)
{
	AttrNumber	column = stratum_find_column(old->desc, "is_protected", STRATUM_BOOLEAN);

	return column && !old->nulls[column - 1] && DatumGetBool(old->values[column - 1]);
}

/* By whoever asked for it: a function with its owner's rights gives nobody more of them. */
static bool
is_administrator(void)
{
	return has_privs_of_role(GetOuterUserId(), get_role_oid("stratum_admin", true));
}

/*
 * _guard_protected_user(): AFTER UPDATE or DELETE, FOR EACH ROW
 *
 * Afterwards, so that no other trigger can change what has been looked at.
 */
PG_FUNCTION_INFO_V1(stratum_guard_protected_user);
Datum
stratum_guard_protected_user(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	StratumRow	old, new;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum._guard_protected_user() must be fired after UPDATE or DELETE for each row")));
	old = stratum_open_row(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation));
	if (!was_protected(&old) || is_administrator())
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		new = stratum_open_row(trigger->tg_newtuple, RelationGetDescr(trigger->tg_relation));
		if (is_kept(&old, &new, "role") && is_kept(&old, &new, "is_active") &&
			is_kept(&old, &new, "is_deleted") && is_kept(&old, &new, "is_protected"))
			return PointerGetDatum(NULL);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("this user is protected"),
			 errdetail("It cannot be deleted, and its role, is_active, is_deleted and is_protected stay as they are."),
			 errhint("A member of stratum_admin may change it.")));
}
