/*
 * audit_index.c
 *	  The indexes of stratum.audit_logs, of directly written entries.
 *
 * The executor would describe each index anew for every statement, and open also those that have nothing
 * to do with its rows. Here an index is opened when a row needs it, and a btree gets along without a
 * description. What an index may be is what needs no executor: columns, of rows where a column is
 * not NULL or of all, any access method.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "nodes/primnodes.h"
#include "utils/relcache.h"

typedef struct OpenIndex
{
	Relation	relation;		/* NULL: not opened, since no row needed it */
	IndexInfo  *info;
} OpenIndex;

struct AuditIndexes
{
	const AuditLog *log;
	Relation	table;
	MemoryContext context;
	IndexInfo  *none;			/* for access methods that do not look at it */
	OpenIndex	indexes[LOG_INDEXES];
};

/* --- what they are --- */

/* The column of the predicate "column IS NOT NULL"; 0: it is another predicate. */
static AttrNumber
column_of_predicate(Relation index)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	NullTest   *test = list_length(predicate) == 1 ? linitial(predicate) : NULL;
	Var		   *column;

	if (test == NULL || !IsA(test, NullTest) || test->nulltesttype != IS_NOT_NULL || test->argisrow ||
		!IsA(test->arg, Var))
		return InvalidAttrNumber;
	column = (Var *) test->arg;
	return column->varattno > 0 ? column->varattno : InvalidAttrNumber;
}

/* Expressions and other predicates may run functions of somebody's; a deferred check is a trigger's. */
static bool
describe_index(Relation index, AuditLogIndex *result)
{
	result->index = RelationGetRelid(index);
	result->not_null = InvalidAttrNumber;
	if (!index->rd_index->indimmediate || index->rd_index->indisexclusion ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, NULL))
		return false;
	if (heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		return true;
	result->not_null = column_of_predicate(index);
	return result->not_null != InvalidAttrNumber;
}

/* False if one of them is for the executor, or there are too many. */
bool
stratum_describe_log_indexes(AuditLog *log, Relation relation)
{
	List	   *list = RelationGetIndexList(relation);
	ListCell   *cell;
	bool		plain = list_length(list) <= LOG_INDEXES;

	foreach(cell, list)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		plain = plain && describe_index(index, &log->indexes[log->index_count++]);
		index_close(index, AccessShareLock);
	}
	return plain;
}

/* --- writing --- */

/* Of a log that is open; it and the description stay where they are. In the current memory context. */
AuditIndexes *
stratum_open_log_indexes(const AuditLog *log, Relation table)
{
	AuditIndexes *result = palloc(sizeof(AuditIndexes));

	result->log = log;
	result->table = table;
	result->context = CurrentMemoryContext;
	result->none = makeNode(IndexInfo);
	for (int i = 0; i < log->index_count; i++)
		result->indexes[i].relation = NULL;
	return result;
}

static void
open_index(AuditIndexes *indexes, OpenIndex *index, Oid oid)
{
	MemoryContext before = MemoryContextSwitchTo(indexes->context);

	index->relation = index_open(oid, RowExclusiveLock);
	index->info = index->relation->rd_rel->relam == BTREE_AM_OID ? indexes->none :
		BuildIndexInfo(index->relation);
	MemoryContextSwitchTo(before);
}

static void
insert_into(const OpenIndex *index, Relation table, TupleTableSlot *slot)
{
	Form_pg_index form = index->relation->rd_index;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];

	/* One that is still being built takes rows later on. */
	if (!form->indisready)
		return;
	for (int i = 0; i < form->indnatts; i++)
		values[i] = slot_getattr(slot, form->indkey.values[i], &nulls[i]);
	index_insert(index->relation, values, nulls, &slot->tts_tid, table,
				 form->indisunique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false, index->info);
}

/* A row that has been put into the table. */
void
stratum_insert_into_log_indexes(AuditIndexes *indexes, TupleTableSlot *slot)
{
	for (int i = 0; i < indexes->log->index_count; i++)
	{
		const AuditLogIndex *described = &indexes->log->indexes[i];
		OpenIndex  *index = &indexes->indexes[i];

		if (described->not_null != InvalidAttrNumber && slot->tts_isnull[described->not_null - 1])
			continue;
		if (index->relation == NULL)
			open_index(indexes, index, described->index);
		insert_into(index, indexes->table, slot);
	}
}

/* Their locks stay until the transaction ends, as the table's does. */
void
stratum_close_log_indexes(AuditIndexes *indexes)
{
	for (int i = 0; i < indexes->log->index_count; i++)
	{
		OpenIndex  *index = &indexes->indexes[i];

		if (index->relation == NULL)
			continue;
		stratum_finish_index_insert(index->relation, index->info);
		index_close(index->relation, NoLock);
	}
}
