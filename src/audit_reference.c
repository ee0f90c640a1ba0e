/*
 * audit_reference.c
 *	  Keeps the references of directly written entries true: to a tenant, to a user.
 *
 * A row that is referred to is locked (KEY SHARE) until the transaction ends, as PostgreSQL's own check
 * of a reference does for every row, but once. What is locked cannot be deleted by anybody else. The own
 * transaction can, so whoever records a DELETE of tenants or users forgets the locks first, and a
 * sub-transaction that is rolled back takes its locks along: then all are forgotten.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

typedef struct Referenced
{
	Oid			relation;
	Oid			padding;		/* zero: the key is compared as bytes */
	int64		id;
} Referenced;

/* Those that this transaction has locked; NULL: none. */
static HTAB *locked = NULL;

/* The table itself goes with the transaction's memory. */
void
stratum_forget_referenced(void)
{
	locked = NULL;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	stratum_forget_referenced();
}

static void
forget_at_rollback(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid,
				   void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		stratum_forget_referenced();
}

/* Registers the callbacks; called once, when the library is loaded. */
void
stratum_define_audit_references(void)
{
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_rollback, NULL);
}

static void
remember(const Referenced *referenced)
{
	if (locked == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Referenced), .entrysize = sizeof(Referenced),
			.hcxt = TopTransactionContext
		};

		locked = hash_create("stratum audited tenants and users", 16, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	hash_search(locked, referenced, HASH_ENTER, NULL);
}

/* Prepares the look-up of an id in the index; false if that is not of this one integer column. */
static bool
make_scan_key(ScanKey key, Relation index, AttrNumber column, int64 id)
{
	Oid			type = TupleDescAttr(RelationGetDescr(index), 0)->atttypid;
	bool		fits_int4 = id >= PG_INT32_MIN && id <= PG_INT32_MAX;

	if (index->rd_index->indnkeyatts != 1 || index->rd_index->indkey.values[0] != column ||
		index->rd_rel->relam != BTREE_AM_OID)
		return false;
	if (type == INT8OID)
		ScanKeyInit(key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	else if (type == INT4OID && fits_int4)
		ScanKeyInit(key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum((int32) id));
	else
		return false;
	return true;
}

/* Locks the one visible row that the scan finds; false if there is none, or it is being changed. */
static bool
lock_found(Relation relation, Relation index, ScanKey key, Snapshot snapshot)
{
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	IndexScanDesc scan = stratum_index_beginscan(relation, index, snapshot, 1, 0);
	TM_FailureData failure;
	bool		done = false;

	index_rescan(scan, key, 1, NULL, 0);
	if (index_getnext_slot(scan, ForwardScanDirection, slot))
		done = table_tuple_lock(relation, &slot->tts_tid, snapshot, slot, GetCurrentCommandId(false),
								LockTupleKeyShare, LockWaitBlock,
								TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, &failure) == TM_Ok;
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return done;
}

static Oid
primary_key_index(Relation relation)
{
	if (!relation->rd_indexvalid)
		list_free(RelationGetIndexList(relation));	/* sets the field */
	return relation->rd_pkindex;
}

/*
 * By what the statement sees. A row that only this very command has made, or that has changed since the
 * statement began, is not found here: then PostgreSQL's own check looks for it.
 */
static bool
find_and_lock(Relation relation, AttrNumber column, int64 id)
{
	Oid			index_oid = primary_key_index(relation);
	Relation	index;
	ScanKeyData key;
	bool		done;

	if (!OidIsValid(index_oid) || !ActiveSnapshotSet())
		return false;
	index = index_open(index_oid, AccessShareLock);
	done = make_scan_key(&key, index, column, id) &&
		lock_found(relation, index, &key, GetActiveSnapshot());
	index_close(index, AccessShareLock);
	return done;
}

/*
 * Locks the row with this id until the transaction ends, unless that has been done. False where that is
 * not possible, which says nothing yet: PostgreSQL's own check shall decide.
 */
bool
stratum_lock_referenced(const AuditReference *reference, int64 id)
{
	Referenced	referenced = {.relation = reference->relation, .id = id};
	Relation	table;
	bool		done;

	if (locked != NULL && hash_search(locked, &referenced, HASH_FIND, NULL) != NULL)
		return true;
	table = table_open(reference->relation, RowShareLock);
	done = table->rd_rel->relam == HEAP_TABLE_AM_OID && find_and_lock(table, reference->column, id);
	table_close(table, NoLock);
	if (done)
		remember(&referenced);
	return done;
}
