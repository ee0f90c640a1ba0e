/*
 * ingest_references.c
 *	  The two references of events, to their tenant and their profile, checked together.
 *
 * PostgreSQL looks both rows up and locks them for each event, which is two fifths of what storing one takes. The events of
 * one call belong to one tenant and to few profiles; so the triggers that do it are left out of that one INSERT, and
 * each profile is looked up and locked once when it has ended, as they would have done. What else there is, a user's own
 * references among it, is checked as ever.
 */
#include "ingest.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/execdesc.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define LOCK_TENANT "SELECT FROM ONLY stratum.tenants t WHERE t.id = $1 FOR KEY SHARE"
#define LOCK_PROFILES \
	"SELECT FROM ONLY stratum.cdp_profiles p WHERE p.tenant_id = $1 AND p.id = ANY ($2) FOR KEY SHARE"

/* --- setting aside --- */

static bool
is_column(Oid table, AttrNumber column, const char *name)
{
	char	   *found = get_attname(table, column, true);

	return found != NULL && strcmp(found, name) == 0;
}

/* (tenant_id) of the tenants, or (tenant_id, profile_id) of the profiles. */
static bool
is_known_reference(const ForeignKeyCacheInfo *key)
{
	Oid			schema = get_namespace_oid(STRATUM_SCHEMA, false);
	char	   *table = get_rel_name(key->confrelid);

	if (table == NULL || get_rel_namespace(key->confrelid) != schema ||
		get_rel_relkind(key->confrelid) != RELKIND_RELATION || !is_column(key->conrelid, key->conkey[0], "tenant_id"))
		return false;
	if (key->nkeys == 1)
		return strcmp(table, "tenants") == 0 && is_column(key->confrelid, key->confkey[0], "id");
	return key->nkeys == 2 && strcmp(table, "cdp_profiles") == 0 &&
		is_column(key->conrelid, key->conkey[1], "profile_id") &&
		is_column(key->confrelid, key->confkey[0], "tenant_id") && is_column(key->confrelid, key->confkey[1], "id");
}

static bool
checks_known_reference(Relation relation, const Trigger *trigger)
{
	ListCell   *cell;

	if (trigger->tgfoid != F_RI_FKEY_CHECK_INS || trigger->tgdeferrable || trigger->tgenabled != TRIGGER_FIRES_ON_ORIGIN)
		return false;
	/* A copy: what is looked up may bring the relation other keys. */
	foreach(cell, copyObject(RelationGetFKeyList(relation)))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->conoid == trigger->tgconstraint)
			return is_known_reference(key);
	}
	return false;
}

/* Whether a user's trigger may store other values than it was given. */
static bool
may_change_rows(const TriggerDesc *triggers)
{
	List	   *name = list_make2(makeString(STRATUM_SCHEMA), makeString("_mixin"));
	Oid			mixin = LookupFuncName(name, 0, NULL, true);

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_INSERT) &&
			trigger->tgenabled != TRIGGER_DISABLED && trigger->tgfoid != mixin)
			return true;
	}
	return false;
}

/*
 * For an INSERT of events that has been started: the triggers are turned off in the copy of them that this execution has
 * of its own. The parts of a table in partitions have triggers of their own, and keep them. Returns whether there is
 * now something to be checked.
 */
bool
stratum_set_references_aside(QueryDesc *insert)
{
	ResultRelInfo *target;
	TriggerDesc *triggers;
	bool		any = false;

	if (!IsA(insert->planstate, ModifyTableState) || SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return false;
	target = castNode(ModifyTableState, insert->planstate)->resultRelInfo;
	triggers = target->ri_TrigDesc;
	if (triggers == NULL || target->ri_RelationDesc->rd_rel->relkind != RELKIND_RELATION || may_change_rows(triggers))
		return false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!checks_known_reference(target->ri_RelationDesc, trigger))
			continue;
		trigger->tgenabled = TRIGGER_DISABLED;
		any = true;
	}
	return any;
}

/* --- checking --- */

static void
lock_referenced(SPIPlanPtr *plan, const char *query, int nargs, Oid *types, Datum *values, int expected)
{
	stratum_keep_plan(plan, query, nargs, types);
	if (SPI_execute_plan(*plan, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	if (SPI_processed != (uint64) expected)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("a tenant or profile of events that come in is gone"),
				 errdetail("It was deleted while they were stored.")));
	SPI_freetuptable(SPI_tuptable);
}

static int
compare_numbers(const void *a, const void *b)
{
	int64		x = DatumGetInt64(*(const Datum *) a);
	int64		y = DatumGetInt64(*(const Datum *) b);

	return (x > y) - (x < y);
}

/* The profiles of all persons who have one, ascending, each once. */
static int
collect_profiles(const Intake *intake, Datum *profiles)
{
	int			count = 0;

	for (int i = 0; i < intake->npersons; i++)
		profiles[i] = Int64GetDatum(intake->persons[i].profile);
	qsort(profiles, intake->npersons, sizeof(Datum), compare_numbers);
	for (int i = 0; i < intake->npersons; i++)
	{
		if (DatumGetInt64(profiles[i]) != 0 &&
			(count == 0 || DatumGetInt64(profiles[count - 1]) != DatumGetInt64(profiles[i])))
			profiles[count++] = profiles[i];
	}
	return count;
}

/* Locks what the events refer to, and raises if it is not there: as the owner, whatever the caller sees. */
void
stratum_check_references(const Intake *intake, Oid owner)
{
	static SPIPlanPtr tenant_plan = NULL;
	static SPIPlanPtr profiles_plan = NULL;
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum	   *profiles = palloc_extended(intake->npersons * sizeof(Datum), MCXT_ALLOC_HUGE);
	int			count = collect_profiles(intake, profiles);
	Datum		values[] = {
		Int64GetDatum(intake->tenant), PointerGetDatum(stratum_array_of(profiles, NULL, count, INT8OID))
	};
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	lock_referenced(&tenant_plan, LOCK_TENANT, 1, types, values, 1);
	lock_referenced(&profiles_plan, LOCK_PROFILES, 2, types, values, count);
	SetUserIdAndSecContext(user, security);
	pfree(profiles);
}
