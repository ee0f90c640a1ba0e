/*
 * audit_log.c
 *	  Whether stratum.audit_logs may be written directly: without the executor, its triggers and its
 *	  checks.
 *
 * It may if nothing would come to pass that the executor sees to: the log is an ordinary table with
 * the documented columns, its ids come from a sequence, its triggers are the library's own guards
 * (which let the library's own rows pass) and those of references to a tenant and a user (which
 * audit_reference.c looks after). Whatever somebody adds that would have to be run or checked, such as
 * a trigger, a rule, a CHECK, a default, another reference, partitions: then the entry goes through a
 * saved plan as any INSERT does. So every doubt is answered with "no", and nothing is lost by it but
 * time.
 *
 * The answer is kept until an invalidation of the log, of its namespace or of the action's labels.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "rewrite/rewriteHandler.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

typedef struct ExpectedColumn
{
	const char *name;
	StratumKind kind;
	int			length;			/* of characters; 0: any */
} ExpectedColumn;

/* In the order of AuditLogColumn. */
static const ExpectedColumn expected[LOG_COLUMNS] = {
	{"id", STRATUM_INTEGER, 0},
	{"tenant_id", STRATUM_INTEGER, 0},
	{"user_id", STRATUM_INTEGER, 0},
	{"action", STRATUM_ANYTHING, 0},
	{"resource_type", STRATUM_STRING, AUDIT_RESOURCE_TYPE_LENGTH},
	{"resource_id", STRATUM_STRING, AUDIT_RESOURCE_ID_LENGTH},
	{"old_values", STRATUM_JSON, 0},
	{"new_values", STRATUM_JSON, 0},
	{"metadata", STRATUM_JSON, 0},
	{"ip_address", STRATUM_ADDRESS, 0},
	{"user_agent", STRATUM_STRING, 0},
	{"request_id", STRATUM_STRING, 100},
	{"created_at", STRATUM_TIME, 0}
};

/* What was found, and whether it still holds. */
static AuditLog found;
static bool found_direct = false;
static bool is_known = false;
static uint64 invalidations = 0;

/* --- the cache --- */

static void
invalidate_relation(Datum arg, Oid relid)
{
	if (relid != InvalidOid && relid != found.relation)
		return;
	is_known = false;
	invalidations++;
}

static void
invalidate_all(Datum arg, int cacheid, uint32 hashvalue)
{
	is_known = false;
	invalidations++;
}

static void
watch_invalidations(void)
{
	static bool watching = false;

	if (watching)
		return;
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_all, (Datum) 0);
	watching = true;
}

/* --- columns --- */

static bool
is_expected_type(Form_pg_attribute attribute, const ExpectedColumn *column)
{
	Oid			type = attribute->atttypid;

	switch (column->kind)
	{
		case STRATUM_INTEGER:
			return stratum_is_integer(type);
		case STRATUM_STRING:
			/* The length of what is written has been checked against the documented one. */
			return type == TEXTOID ||
				(type == VARCHAROID && (attribute->atttypmod < (int32) VARHDRSZ ||
										(column->length > 0 && attribute->atttypmod == column->length + (int32) VARHDRSZ)));
		case STRATUM_JSON:
			return type == JSONBOID;
		case STRATUM_ADDRESS:
			return type == INETOID;
		case STRATUM_TIME:
			return type == TIMESTAMPTZOID;
		default:
			return type_is_enum(type);
	}
}

/* Which documented column this is; -1: none. */
static int
which_column(Form_pg_attribute attribute)
{
	for (int i = 0; i < LOG_COLUMNS; i++)
	{
		if (strcmp(NameStr(attribute->attname), expected[i].name) == 0)
			return i;
	}
	return -1;
}

/* Whether the executor would have nothing to do for a column but to store the value, or NULL. */
static bool
is_plain_column(Form_pg_attribute attribute, int which)
{
	if (attribute->attgenerated != '\0' || attribute->attidentity != '\0')
		return false;
	if (which >= 0)
		return is_expected_type(attribute, &expected[which]) &&
			(!attribute->attnotnull || which == LOG_ID || which == LOG_ACTION ||
			 which == LOG_RESOURCE_TYPE || which == LOG_METADATA || which == LOG_CREATED_AT);
	/* A user's own: it gets a NULL. A domain may refuse that. */
	return !attribute->attnotnull && !attribute->atthasdef &&
		get_typtype(attribute->atttypid) != TYPTYPE_DOMAIN;
}

static bool
find_columns(AuditLog *log, TupleDesc desc)
{
	int			count = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		int			which;

		if (attribute->attisdropped)
			continue;
		which = which_column(attribute);
		if (!is_plain_column(attribute, which))
			return false;
		if (which < 0)
			continue;
		log->columns[which] = attribute->attnum;
		count++;
	}
	return count == LOG_COLUMNS;
}

/* The sequence that the id's default takes numbers from, if it does that and nothing else. */
static Oid
sequence_of_id(Relation relation, AttrNumber id)
{
	Node	   *expression = build_column_default(relation, id);
	FuncExpr   *call;

	/* int4(nextval('...')), where the column is no bigint */
	while (expression != NULL && IsA(expression, FuncExpr) &&
		   ((FuncExpr *) expression)->funcid != F_NEXTVAL &&
		   (((FuncExpr *) expression)->funcid == F_INT4_INT8 ||
			((FuncExpr *) expression)->funcid == F_INT2_INT8))
		expression = linitial(((FuncExpr *) expression)->args);
	if (expression == NULL || !IsA(expression, FuncExpr))
		return InvalidOid;
	call = (FuncExpr *) expression;
	if (call->funcid != F_NEXTVAL || !IsA(linitial(call->args), Const))
		return InvalidOid;
	return DatumGetObjectId(((Const *) linitial(call->args))->constvalue);
}

static bool
find_actions(AuditLog *log, TupleDesc desc)
{
	Oid			type = TupleDescAttr(desc, log->columns[LOG_ACTION] - 1)->atttypid;

	for (int i = 0; i < AUDIT_ACTIONS; i++)
	{
		log->actions[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type),
										  CStringGetDatum(stratum_audit_actions[i]));
		if (!OidIsValid(log->actions[i]))
			return false;
	}
	return true;
}

/* --- triggers and references --- */

static bool
is_own_guard(const Trigger *trigger)
{
	char	   *name = get_func_name(trigger->tgfoid);

	return name != NULL && strcmp(name, "_audit_guard_insert") == 0 &&
		get_func_namespace(trigger->tgfoid) == get_namespace_oid(STRATUM_SCHEMA, true);
}

/*
 * Whether an INSERT fires nothing but what is accounted for. A copy of the triggers is looked at: looking up a function
 * may bring an invalidation, and the relation other triggers in their place.
 */
static bool
triggers_are_own(Relation relation)
{
	const TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_INSERT(trigger->tgtype) || trigger->tgenabled == TRIGGER_DISABLED)
			continue;
		if (trigger->tgisinternal ? trigger->tgfoid != F_RI_FKEY_CHECK_INS : !is_own_guard(trigger))
			return false;
	}
	return true;
}

/* The two documented references, or fewer; any other is for the executor. */
static bool
find_references(AuditLog *log, Relation relation)
{
	ListCell   *cell;

	foreach(cell, RelationGetFKeyList(relation))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);
		AuditReference *reference = NULL;

		if (key->nkeys == 1 && key->conkey[0] == log->columns[LOG_TENANT_ID])
			reference = &log->tenants;
		else if (key->nkeys == 1 && key->conkey[0] == log->columns[LOG_USER_ID])
			reference = &log->users;
		if (reference == NULL || OidIsValid(reference->relation))
			return false;
		reference->relation = key->confrelid;
		reference->column = key->confkey[0];
	}
	return true;
}

/* --- indexes --- */

/* Expressions and predicates may run functions of somebody's; a deferred check is a trigger's. */
static bool
indexes_are_plain(Relation relation)
{
	ListCell   *cell;
	bool		plain = true;

	foreach(cell, RelationGetIndexList(relation))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		plain = plain && index->rd_index->indimmediate && !index->rd_index->indisexclusion &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL) &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);
		index_close(index, AccessShareLock);
	}
	return plain;
}

/* --- all of it --- */

static bool
is_plain_table(Relation relation)
{
	Form_pg_class class = relation->rd_rel;

	return class->relkind == RELKIND_RELATION && class->relpersistence == RELPERSISTENCE_PERMANENT &&
		class->relam == HEAP_TABLE_AM_OID && !class->relispartition && relation->rd_rules == NULL &&
		(relation->rd_att->constr == NULL || relation->rd_att->constr->num_check == 0) &&
	/* A distributed table looks like an empty one of its own. */
		!OidIsValid(get_extension_oid("citus", true));
}

static bool
examine(AuditLog *log, Relation relation)
{
	TupleDesc	desc = RelationGetDescr(relation);

	memset(log, 0, sizeof(*log));
	log->relation = RelationGetRelid(relation);
	if (!is_plain_table(relation) || !find_columns(log, desc) || !find_actions(log, desc))
		return false;
	log->sequence = sequence_of_id(relation, log->columns[LOG_ID]);
	return OidIsValid(log->sequence) && triggers_are_own(relation) &&
		find_references(log, relation) && indexes_are_plain(relation);
}

/* The log, locked as a writer locks it; NULL if it is not there. Waiting for the lock may bring news. */
static Relation
lock_log(void)
{
	Oid			namespace = get_namespace_oid(STRATUM_SCHEMA, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid("audit_logs", namespace) : InvalidOid;

	return OidIsValid(relid) ? try_table_open(relid, RowExclusiveLock) : NULL;
}

/* Looks at the log, which is open; false if that was disturbed. */
static bool
learn(Relation relation)
{
	uint64		before = invalidations;
	AuditLog	now;
	bool		direct;

	/* Invalidations are looked at by it from here on. */
	found.relation = RelationGetRelid(relation);
	direct = examine(&now, relation);
	found = now;
	found_direct = direct;
	is_known = before == invalidations;
	return is_known;
}

/*
 * Opens the log for direct writing and says what it looks like; false if it has to be written through
 * a plan. The caller closes it. Where the log changed between the look at it and its lock, it is
 * looked at again.
 */
bool
stratum_open_audit_log(AuditLog *log, Relation *relation)
{
	watch_invalidations();
	for (int try = 0; try < 3; try++)
	{
		bool		was_known = is_known;
		uint64		before = invalidations;

		*relation = was_known ? try_table_open(found.relation, RowExclusiveLock) : lock_log();
		if (*relation == NULL)
			return false;
		if (before == invalidations && (was_known || learn(*relation)))
		{
			*log = found;
			if (!found_direct)
				table_close(*relation, NoLock);
			return found_direct;
		}
		table_close(*relation, RowExclusiveLock);
	}
	return false;
}
