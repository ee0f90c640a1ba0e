/*
 * audit_reference.c
 *	  Keeps the references of directly written entries true: to a tenant, to a user.
 *
 * A row that is referred to is locked (KEY SHARE) until the transaction ends, as PostgreSQL's own check
 * of a reference does for every row, but once. What is locked cannot be deleted by anybody else. The own
 * transaction can, so whoever records a DELETE of tenants or users forgets the locks first, and a
 * sub-transaction that is rolled back takes its locks along: then all are forgotten.
 *
 * A lock is dear: the tenant's row has many writers, and what several lock at once PostgreSQL has to
 * write down as a multixact. Mostly there is a better guarantee. The row that was changed refers to its
 * tenant itself, and stands in the way of whoever would delete that: he finds it, or waits for who has just
 * made it. So it is relied on, without a lock, until this transaction takes the row away (a DELETE, a
 * TRUNCATE, another tenant), which its triggers see: then the tenants relied on are locked after all,
 * while he who would delete them still waits for us. That a tenant was there at all is looked up once a
 * session, since rows that came by replication have not been checked.
 */
#include "audit.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct Referenced
{
	Oid			relation;
	Oid			padding;		/* zero: the key is compared as bytes */
	int64		id;
} Referenced;

/* Those that this transaction has locked; NULL: none. */
static HTAB *locked = NULL;

/* Tenants that this session has seen; NULL: none. */
static HTAB *seen = NULL;

/* So many are kept in mind, of a session that serves more it begins anew. */
#define SEEN_MOST 1000

/* Those that this transaction relies on without a lock. More than these are locked. */
#define RELIED_MOST 8
static AuditReference relied_reference;
static int64 relied[RELIED_MOST];
static int	relied_count = 0;

/* The table itself goes with the transaction's memory. */
void
stratum_forget_referenced(void)
{
	locked = NULL;
}

/* What has been seen may have been made by what is rolled back now. */
static void
forget_seen(void)
{
	if (seen != NULL)
		hash_destroy(seen);
	seen = NULL;
}

static void
forget_at_end(XactEvent event, void *arg)
{
	stratum_forget_referenced();
	relied_count = 0;
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_PRE_COMMIT)
		forget_seen();
}

static void
forget_at_rollback(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid,
				   void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	stratum_forget_referenced();
	forget_seen();
}

/* Registers the callbacks; called once, when the library is loaded. */
void
stratum_define_audit_references(void)
{
	RegisterXactCallback(forget_at_end, NULL);
	RegisterSubXactCallback(forget_at_rollback, NULL);
}

/* Puts an id into one of the tables, which is made where it is not there yet. */
static void
remember(HTAB **table, MemoryContext context, const Referenced *referenced)
{
	if (*table == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Referenced), .entrysize = sizeof(Referenced),
			.hcxt = context
		};

		*table = hash_create("stratum audited tenants and users", 16, &control,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	hash_search(*table, referenced, HASH_ENTER, NULL);
}

static bool
is_among(HTAB *table, const Referenced *referenced)
{
	return table != NULL && hash_search(table, referenced, HASH_FIND, NULL) != NULL;
}

/* --- locks --- */

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

/* What became of an attempt to lock a row. */
typedef enum Outcome
{
	NOT_FOUND,
	CHANGED,					/* since the snapshot was taken */
	LOCKED
} Outcome;

/* Locks the one visible row that the scan finds. */
static Outcome
lock_found(Relation relation, Relation index, ScanKey key, Snapshot snapshot)
{
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	IndexScanDesc scan = stratum_index_beginscan(relation, index, snapshot, 1, 0);
	TM_FailureData failure;
	Outcome		outcome = NOT_FOUND;

	index_rescan(scan, key, 1, NULL, 0);
	if (index_getnext_slot(scan, ForwardScanDirection, slot))
		outcome = table_tuple_lock(relation, &slot->tts_tid, snapshot, slot, GetCurrentCommandId(false),
								   LockTupleKeyShare, LockWaitBlock,
								   TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS, &failure) == TM_Ok ?
			LOCKED : CHANGED;
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return outcome;
}

static Oid
primary_key_index(Relation relation)
{
	if (!relation->rd_indexvalid)
		list_free(RelationGetIndexList(relation));	/* sets the field */
	return relation->rd_pkindex;
}

static Outcome
find_and_lock(Relation relation, AttrNumber column, int64 id, Snapshot snapshot)
{
	Oid			index_oid = primary_key_index(relation);
	Relation	index;
	ScanKeyData key;
	Outcome		outcome = NOT_FOUND;

	if (relation->rd_rel->relam != HEAP_TABLE_AM_OID || !OidIsValid(index_oid))
		return NOT_FOUND;
	index = index_open(index_oid, AccessShareLock);
	if (make_scan_key(&key, index, column, id))
		outcome = lock_found(relation, index, &key, snapshot);
	index_close(index, AccessShareLock);
	return outcome;
}

/*
 * Locks the row with this id until the transaction ends, unless that has been done. False where that is
 * not possible, which says nothing yet: PostgreSQL's own check shall decide. The look-up is by what the statement
 * sees: a row that only this very command has made, or that has changed since the statement began, is not found.
 */
bool
stratum_lock_referenced(const AuditReference *reference, int64 id)
{
	Referenced	referenced = {.relation = reference->relation, .id = id};
	Relation	table;
	bool		done;

	if (is_among(locked, &referenced))
		return true;
	if (!ActiveSnapshotSet())
		return false;
	table = table_open(reference->relation, RowShareLock);
	done = find_and_lock(table, reference->column, id, GetActiveSnapshot()) == LOCKED;
	table_close(table, NoLock);
	if (done)
		remember(&locked, TopTransactionContext, &referenced);
	return done;
}

/* --- rows that hold their tenants --- */

/* Whether the trigger on the inserted row checks this reference, and has not been disabled. */
static bool
is_checked(const TriggerDesc *triggers, Oid constraint)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgconstraint == constraint && trigger->tgfoid == F_RI_FKEY_CHECK_INS)
			return trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN || trigger->tgenabled == TRIGGER_FIRES_ALWAYS;
	}
	return false;
}

/* Whether a reference has been true of every row, at every moment, and its row cannot be deleted with those that refer to it. */
static bool
is_firm(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	bool		firm;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	firm = form->convalidated && !form->condeferrable &&
		(form->confdeltype == FKCONSTR_ACTION_NOACTION || form->confdeltype == FKCONSTR_ACTION_RESTRICT);
	ReleaseSysCache(tuple);
	return firm;
}

/* Whether the trail sees to it that no row goes away unnoticed. */
static bool
records_removals(const TriggerDesc *triggers)
{
	bool		deletes = false;
	bool		truncates = false;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if ((trigger->tgenabled != TRIGGER_FIRES_ON_ORIGIN && trigger->tgenabled != TRIGGER_FIRES_ALWAYS) ||
			!stratum_is_audit_trigger(trigger))
			continue;
		deletes |= TRIGGER_FOR_DELETE(trigger->tgtype);
		truncates |= TRIGGER_FOR_TRUNCATE(trigger->tgtype);
	}
	return deletes && truncates;
}

/*
 * What a table's rows keep from deletion by what they have in a column; none: an invalid relation. Copies are looked at:
 * looking anything up may bring an invalidation, and the relation others in the place of what it has.
 */
AuditReference
stratum_held_reference(Relation relation, AttrNumber column)
{
	AuditReference held = {InvalidOid, InvalidAttrNumber};
	const TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);
	ListCell   *cell;

	if (column == InvalidAttrNumber || !records_removals(triggers))
		return held;
	foreach(cell, copyObject(RelationGetFKeyList(relation)))
	{
		const ForeignKeyCacheInfo *key = lfirst(cell);

		if (key->nkeys != 1 || key->conkey[0] != column || !is_firm(key->conoid) ||
			!is_checked(triggers, key->conoid))
			continue;
		held.relation = key->confrelid;
		held.column = key->confkey[0];
	}
	return held;
}

/* Whether a row that holds what is referred to is enough; it must be there until stratum_lock_relied(). */
static bool
rely(const AuditReference *reference, const Referenced *referenced)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA || !is_among(seen, referenced))
		return false;
	for (int i = 0; i < relied_count; i++)
	{
		if (relied[i] == referenced->id && relied_reference.relation == reference->relation)
			return true;
	}
	if (relied_count == RELIED_MOST ||
		(relied_count > 0 && relied_reference.relation != reference->relation))
		return false;
	relied_reference = *reference;
	relied[relied_count++] = referenced->id;
	return true;
}

/*
 * As stratum_lock_referenced(), for an entry of a row that is there and holds what is referred to (`held`
 * is what stratum_held_reference() says of its table).
 */
bool
stratum_secure_referenced(const AuditReference *reference, const AuditReference *held, int64 id)
{
	Referenced	referenced = {.relation = reference->relation, .id = id};

	if (held->relation != reference->relation || held->column != reference->column)
		return stratum_lock_referenced(reference, id);
	if (rely(reference, &referenced))
		return true;
	if (!stratum_lock_referenced(reference, id))
		return false;
	if (seen != NULL && hash_get_num_entries(seen) >= SEEN_MOST)
		forget_seen();
	remember(&seen, TopMemoryContext, &referenced);
	return true;
}

/* Locks the newest version of a row, if there is one. */
static void
lock_newest(Relation relation, AttrNumber column, int64 id)
{
	Outcome		outcome;

	do
	{
		CHECK_FOR_INTERRUPTS();
		PushActiveSnapshot(GetLatestSnapshot());
		outcome = find_and_lock(relation, column, id, GetActiveSnapshot());
		PopActiveSnapshot();
	} while (outcome == CHANGED);
}

/*
 * Locks what this transaction relies on: rows are taken away that hold it. To be called before the transaction ends,
 * whatever was rolled back of it.
 */
void
stratum_lock_relied(void)
{
	Relation	table;

	if (relied_count == 0)
		return;
	table = table_open(relied_reference.relation, RowShareLock);
	for (int i = 0; i < relied_count; i++)
	{
		Referenced	referenced = {.relation = relied_reference.relation, .id = relied[i]};

		if (is_among(locked, &referenced))
			continue;
		lock_newest(table, relied_reference.column, relied[i]);
		remember(&locked, TopTransactionContext, &referenced);
	}
	table_close(table, NoLock);
}
