/*
 * audit_table.c
 *	  What the audit trail needs to know of a table, kept for the session.
 *
 * An entry belongs to one trigger, since redacted and ignored columns are the trigger's arguments.
 * An invalidation only marks it: whoever is using it may be further down the stack. The memory of
 * a replaced entry goes with the transaction, which no trigger outlives.
 */
#include "audit.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

typedef struct CachedTable
{
	Oid			trigger;		/* the key */
	Oid			relation;
	Oid			root;			/* the topmost partitioned table, or the table itself */
	bool		valid;
	MemoryContext context;
	AuditTable *table;
} CachedTable;

static HTAB *cache = NULL;

/* Counts invalidations, so that one which arrives while an entry is built is not missed. */
static uint64 invalidations = 0;

/* Never in clear, whatever the table. */
static const char *const secrets[] = {
	"password_hash", "totp_secret", "backup_codes", "access_token", "refresh_token"
};

/* What the library itself keeps up to date in stratum's own tables. */
static const char *const bookkeeping[] = {
	"profile_count", "last_computed_at", "last_executed_at", "executions_count",
	"last_execution_result", "last_login_at", "last_synced_at"
};

/* --- names --- */

static bool
is_one_of(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_listed(const char *name, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(name, lfirst(cell)) == 0)
			return true;
	}
	return false;
}

/*
 * The topmost partitioned table, or the table itself. A partition that is being detached concurrently has no
 * ancestors any more: its root is itself.
 */
Oid
stratum_root_of(Oid relid)
{
	List	   *ancestors = get_rel_relispartition(relid) ? get_partition_ancestors(relid) : NIL;

	return ancestors != NIL ? llast_oid(ancestors) : relid;
}

/* A table's bare name in schema stratum, schema.table (quoted where needed) elsewhere. */
static char *
compose_name(Oid namespace, const char *name)
{
	char	   *schema = get_namespace_name(namespace);

	if (schema == NULL)
		elog(ERROR, "cache lookup failed for namespace %u", namespace);
	if (strcmp(schema, STRATUM_SCHEMA) == 0)
		return pstrdup(name);
	return quote_qualified_identifier(schema, name);
}

/* `name` without "_" and the digits at its end; NULL if it does not end like that. */
static char *
strip_number(const char *name)
{
	Size		size = strlen(name);
	Size		kept = size;

	while (kept > 0 && is_digit(name[kept - 1]))
		kept--;
	if (kept == size || kept < 2 || name[kept - 1] != '_')
		return NULL;
	return pnstrdup(name, kept - 1);
}

Oid
stratum_owner_of_table(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Whether a table may speak for the one that is called `name`: only its owner makes its shards. */
static bool
may_be_shard(Oid relid, Oid namespace, const char *name)
{
	Oid			table = get_relname_relid(name, namespace);

	return !OidIsValid(table) || stratum_owner_of_table(table) == stratum_owner_of_table(relid);
}

/*
 * What audit_logs.resource_type says of a table. A partition counts as its partitioned table. The
 * name is the table's own, so that nobody who may create a trigger can write another table's
 * history; a name declared in the trigger is believed of its shards only ("campaigns_102018").
 */
static char *
name_resource_type(Oid relid, const char *declared)
{
	Oid			root = stratum_root_of(relid);
	Oid			namespace = get_rel_namespace(root);
	char	   *name = get_rel_name(root);
	char	   *result, *stripped;

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", root)));
	result = compose_name(namespace, name);
	if (declared != NULL && strcmp(declared, result) != 0 &&
		(stripped = strip_number(name)) != NULL && may_be_shard(root, namespace, stripped))
	{
		stripped = compose_name(namespace, stripped);
		if (strcmp(declared, stripped) == 0)
			result = stripped;
	}
	if (pg_mbstrlen(result) > AUDIT_RESOURCE_TYPE_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("name of table %s is too long for the audit trail", result),
				 errdetail("audit_logs.resource_type holds %d characters.", AUDIT_RESOURCE_TYPE_LENGTH)));
	return result;
}

/* --- building --- */

/*
 * A column that was to be redacted and is not there any more may have been renamed: rather no write
 * than a secret in clear.
 */
static void
check_redacted_exist(Relation relation, List *redacted)
{
	ListCell   *cell;

	foreach(cell, redacted)
	{
		char	   *name = stratum_redacted_name(RelationGetRelid(relation), lfirst(cell));

		if (get_attnum(RelationGetRelid(relation), name) == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table %s is to be redacted in the audit trail and does not exist",
							name,
							quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
													   RelationGetRelationName(relation))),
					 errhint("Call stratum.audit_table() again with the names of today.")));
	}
}

static void
describe_column(AuditTable *table, AuditColumn *column, Form_pg_attribute attribute)
{
	Oid			type = getBaseType(attribute->atttypid);

	column->number = attribute->attnum;
	column->name = pstrdup(NameStr(attribute->attname));
	column->name_length = strlen(column->name);
	stratum_choose_encoding(column, attribute->atttypid);

	if (strcmp(column->name, "is_deleted") == 0 && type == BOOLOID)
		table->is_deleted = attribute->attnum;
	if (strcmp(column->name, "tenant_id") == 0 && stratum_is_integer(type))
		table->tenant_id = attribute->attnum;
}

static void
describe_columns(AuditTable *table, Relation relation, Trigger *trigger)
{
	TupleDesc	desc = RelationGetDescr(relation);
	bool		own = strcmp(get_namespace_name(RelationGetNamespace(relation)), STRATUM_SCHEMA) == 0;
	/* The first argument is the resource type. */
	List	   *redacted = stratum_trigger_names(trigger, 1);
	List	   *ignored = stratum_trigger_names(trigger, 2);

	check_redacted_exist(relation, redacted);
	table->columns = palloc0(sizeof(AuditColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		AuditColumn *column = &table->columns[table->ncolumns];

		/* A virtual column has no value of its own to change, and none in a trigger. */
		if (attribute->attisdropped || STRATUM_IS_VIRTUAL(attribute))
			continue;
		describe_column(table, column, attribute);
		column->redaction = stratum_redaction(column->name, redacted);
		if (column->redaction == AUDIT_SHOW && is_one_of(column->name, secrets, lengthof(secrets)))
			column->redaction = AUDIT_MASK;
		column->redacted = column->redaction != AUDIT_SHOW;
		column->ignored = strcmp(column->name, "updated_at") == 0 ||
			(own && is_one_of(column->name, bookkeeping, lengthof(bookkeeping))) ||
			is_listed(column->name, ignored);
		if (column->redaction == AUDIT_DROP)
			table->left_out = lappend(table->left_out, unconstify(char *, column->name));
		else
			table->ncolumns++;
	}
}

static AuditColumn *
find_column(AuditTable *table, AttrNumber number)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].number == number)
			return &table->columns[i];
	}
	elog(ERROR, "key column %d is not a column of %s", number, table->resource_type);
}

/*
 * A partitioned table's key must have the time in it, and so stratum's own have (partition_by_month()). A row of
 * theirs is known by its id all the same.
 */
static bool
is_known_by_id(Relation relation, AttrNumber *id)
{
	Oid			root = stratum_root_of(RelationGetRelid(relation));

	*id = get_attnum(RelationGetRelid(relation), "id");
	return (relation->rd_rel->relispartition || relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		*id != InvalidAttrNumber &&
		strcmp(get_namespace_name(get_rel_namespace(root)), STRATUM_SCHEMA) == 0;
}

static bool
is_primary(Oid index_oid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index_oid));
	bool		result = HeapTupleIsValid(tuple) && ((Form_pg_index) GETSTRUCT(tuple))->indisprimary;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/*
 * The primary key's index, else the replica identity's; InvalidOid without either. The relation itself does not name a
 * deferrable primary key on all versions.
 */
static Oid
index_of_key(Relation relation)
{
	List	   *indexes = RelationGetIndexList(relation);	/* sets the field */
	Oid			result = relation->rd_replidindex;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		if (is_primary(lfirst_oid(cell)))
			result = lfirst_oid(cell);
	}
	list_free(indexes);
	return result;
}

/* The columns of the primary key, else those of the replica identity's index, else none. */
static void
describe_key(AuditTable *table, Relation relation)
{
	HeapTuple	tuple;
	Form_pg_index index;
	Oid			index_oid;
	AttrNumber	id;

	if (is_known_by_id(relation, &id))
	{
		table->keys = palloc(sizeof(AuditColumn *));
		table->keys[table->nkeys++] = find_column(table, id);
		return;
	}
	index_oid = index_of_key(relation);
	if (!OidIsValid(index_oid))
		return;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index_oid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", index_oid);
	index = (Form_pg_index) GETSTRUCT(tuple);
	table->keys = palloc(sizeof(AuditColumn *) * index->indnkeyatts);
	for (int i = 0; i < index->indnkeyatts; i++)
		table->keys[table->nkeys++] = find_column(table, index->indkey.values[i]);
	ReleaseSysCache(tuple);
}

/* A row of stratum.tenants is the tenant's own. */
static void
describe_tenants(AuditTable *table, Relation relation)
{
	AttrNumber	id = get_attnum(RelationGetRelid(relation), "id");

	if (strcmp(table->resource_type, "tenants") == 0 && id != InvalidAttrNumber &&
		stratum_is_integer(getBaseType(get_atttype(RelationGetRelid(relation), id))))
		table->tenant_id = id;
}

/* In the current memory context, all of it. */
static AuditTable *
build_table(Relation relation, Trigger *trigger)
{
	AuditTable *table = palloc0(sizeof(AuditTable));

	table->resource_type = name_resource_type(RelationGetRelid(relation),
											  trigger->tgnargs > 0 ? trigger->tgargs[0] : NULL);
	describe_columns(table, relation, trigger);
	stratum_sort_columns(table);
	describe_key(table, relation);
	table->held = stratum_held_reference(relation, table->tenant_id);
	describe_tenants(table, relation);
	return table;
}

/* --- the cache --- */

static void
invalidate_relation(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS scan;
	CachedTable *entry;

	invalidations++;
	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (relid == InvalidOid || relid == entry->relation || relid == entry->root)
			entry->valid = false;
	}
}

/* A renamed schema changes names, a cast to json values, without a word to the tables. */
static void
invalidate_all(Datum arg, int cacheid, uint32 hashvalue)
{
	invalidate_relation((Datum) 0, InvalidOid);
}

static void
create_cache(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(CachedTable)};

	cache = hash_create("stratum audited tables", 32, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(CASTSOURCETARGET, invalidate_all, (Datum) 0);
}

/* Drops what is out of date, tables that are gone among it. */
static void
sweep_cache(void)
{
	HASH_SEQ_STATUS scan;
	CachedTable *entry;

	hash_seq_init(&scan, cache);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (entry->valid)
			continue;
		MemoryContextSetParent(entry->context, TopTransactionContext);
		hash_search(cache, &entry->trigger, HASH_REMOVE, NULL);
	}
}

static const AuditTable *
add_to_cache(Relation relation, Trigger *trigger)
{
	uint64		before = invalidations;
	Oid			root = stratum_root_of(RelationGetRelid(relation));
	MemoryContext context, caller;
	AuditTable *table;
	CachedTable *entry;
	bool		found;

	context = AllocSetContextCreate(TopTransactionContext, "stratum audited table",
									ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	table = build_table(relation, trigger);
	MemoryContextSwitchTo(caller);

	/* Not worth keeping if something changed meanwhile, but right for this change. */
	if (before != invalidations)
		return table;
	entry = hash_search(cache, &trigger->tgoid, HASH_ENTER, &found);
	Assert(!found);
	entry->relation = RelationGetRelid(relation);
	entry->root = root;
	entry->context = context;
	entry->table = table;
	entry->valid = true;
	MemoryContextSetParent(context, CacheMemoryContext);
	return table;
}

/* What the trigger on this table has to know. The result lives as long as the transaction. */
const AuditTable *
stratum_audit_table(Relation relation, Trigger *trigger)
{
	CachedTable *entry;

	if (cache == NULL)
		create_cache();
	entry = hash_search(cache, &trigger->tgoid, HASH_FIND, NULL);
	if (entry != NULL && entry->valid)
		return entry->table;
	sweep_cache();
	return add_to_cache(relation, trigger);
}

/* --- for row_history() --- */

/* Whoever writes a table, has a right to the schema or not. */
static Oid
trigger_function(const char *name)
{
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(get_namespace_oid(STRATUM_SCHEMA, true)));
}

/* Whether the trigger records changes of rows, and so knows of redacted columns. */
static bool
records_rows(const Trigger *trigger)
{
	return trigger->tgfoid == trigger_function("_audit_row") ||
		trigger->tgfoid == trigger_function("_audit_statement");
}

/* Whether the trigger records changes in the trail. */
bool
stratum_is_audit_trigger(const Trigger *trigger)
{
	return records_rows(trigger) || trigger->tgfoid == trigger_function("_audit_truncate");
}

/*
 * A copy of the table's audit trigger, else one that says nothing. Looking anything up may bring an invalidation, and the
 * relation other triggers in the place of those that it has.
 */
static Trigger *
find_trigger(Relation relation)
{
	static Trigger none = {0};
	TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (records_rows(&triggers->triggers[i]))
			return &triggers->triggers[i];
	}
	return &none;
}

static Datum
array_of_names(ArrayBuildState *names)
{
	if (names == NULL)
		return PointerGetDatum(construct_empty_array(TEXTOID));
	return makeArrayResult(names, CurrentMemoryContext);
}

static ArrayBuildState *
add_name(ArrayBuildState *names, const char *name)
{
	return accumArrayResult(names, CStringGetTextDatum(name), false, TEXTOID, CurrentMemoryContext);
}

static Datum
key_names(const AuditTable *table)
{
	ArrayBuildState *names = NULL;

	for (int i = 0; i < table->nkeys; i++)
		names = add_name(names, table->keys[i]->name);
	return array_of_names(names);
}

static Datum
redacted_names(const AuditTable *table)
{
	ArrayBuildState *names = NULL;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].redacted)
			names = add_name(names, table->columns[i].name);
	}
	return array_of_names(names);
}

static Datum
virtual_names(const AuditTable *table, Relation relation)
{
	ArrayBuildState *names = NULL;
	ListCell   *cell;

	foreach(cell, table->left_out)
		names = add_name(names, lfirst(cell));

	for (int i = 0; i < RelationGetNumberOfAttributes(relation); i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);

		if (!attribute->attisdropped && STRATUM_IS_VIRTUAL(attribute))
			names = add_name(names, NameStr(attribute->attname));
	}
	return array_of_names(names);
}

/*
 * _audit_shape(regclass) -> (resource_type text, key_columns text[], redacted text[],
 * virtual_columns text[]): the table as the trail sees it, audited or not. With the virtual columns are
 * those that it was told to leave out.
 */
PG_FUNCTION_INFO_V1(stratum_audit_shape);
Datum
stratum_audit_shape(PG_FUNCTION_ARGS)
{
	Relation	relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	AuditTable *table;
	Datum		values[4];
	bool		nulls[4] = {false};
	TupleDesc	desc;

	/* a regclass may be any number, and of a table that is being dropped */
	if (relation == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("there is no table with OID %u", PG_GETARG_OID(0)));
	table = build_table(relation, find_trigger(relation));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CStringGetTextDatum(table->resource_type);
	values[1] = key_names(table);
	values[2] = redacted_names(table);
	values[3] = virtual_names(table, relation);
	relation_close(relation, AccessShareLock);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * _resource_type(regclass) -> text: what the trail calls a table. Nothing that its triggers say can
 * be in the way, since it is asked before they are replaced.
 */
PG_FUNCTION_INFO_V1(stratum_resource_type);
Datum
stratum_resource_type(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(name_resource_type(PG_GETARG_OID(0), NULL)));
}
