/*
 * audit_change.c
 *	  How retention and erasure get past the guard of the log, and write what they did.
 *
 * The functions here are called by members of the extension only: nobody has a right to them. Each
 * opens something for what follows in the same (sub)transaction; an error ends that by itself, since
 * the numbers of another one differ.
 */
#include "audit.h"

#include "access/xact.h"
#include "catalog/partition.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef struct Opening
{
	FullTransactionId xid;
	SubTransactionId subid;
} Opening;

static Opening log_opening;		/* for the next statement that changes the log */
static Opening audit_pause;		/* while the changes of one table are not recorded */
static Oid	paused_table = InvalidOid;
static Opening tenant_pause;		/* while the changes of one tenant are not */
static int64 paused_tenant = 0;

static Opening
open_now(void)
{
	Opening		opening = {GetTopFullTransactionId(), GetCurrentSubTransactionId()};

	return opening;
}

static bool
is_open(const Opening *opening)
{
	return opening->subid != InvalidSubTransactionId &&
		opening->subid == GetCurrentSubTransactionId() &&
		FullTransactionIdEquals(opening->xid, GetTopFullTransactionIdIfAny());
}

/* --- the log --- */

/* _open_audit_log(): the next UPDATE or DELETE of audit_logs is let through. */
PG_FUNCTION_INFO_V1(stratum_allow_log_change);
Datum
stratum_allow_log_change(PG_FUNCTION_ARGS)
{
	log_opening = open_now();
	PG_RETURN_VOID();
}

/* Whether the guard lets a statement through; once. */
bool
stratum_take_log_opening(void)
{
	bool		result = is_open(&log_opening);

	log_opening.subid = InvalidSubTransactionId;
	return result;
}

/* --- a table --- */

/*
 * _pause_audit(regclass): changes of the table are not recorded, until it is called with NULL. What
 * an erasure overwrites would be in the trail once more.
 */
PG_FUNCTION_INFO_V1(stratum_pause_audit);
Datum
stratum_pause_audit(PG_FUNCTION_ARGS)
{
	paused_table = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
	audit_pause = open_now();
	PG_RETURN_VOID();
}

/* Whether the changes of a table, or of the one that it is a partition of, are not recorded. */
bool
stratum_audit_is_paused(Oid relid)
{
	if (!OidIsValid(paused_table) || !is_open(&audit_pause))
		return false;
	return relid == paused_table ||
		(get_rel_relispartition(relid) && list_member_oid(get_partition_ancestors(relid), paused_table));
}

/* --- a tenant --- */

/*
 * _pause_tenant_audit(bigint): changes of that tenant's rows are not recorded, in whatever table, until
 * it is called with NULL. Who is being deleted has no trail to write to any more.
 */
PG_FUNCTION_INFO_V1(stratum_pause_tenant_audit);
Datum
stratum_pause_tenant_audit(PG_FUNCTION_ARGS)
{
	paused_tenant = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	tenant_pause = open_now();
	PG_RETURN_VOID();
}

bool
stratum_tenant_audit_is_paused(int64 tenant_id)
{
	return paused_tenant != 0 && tenant_id == paused_tenant && is_open(&tenant_pause);
}

/* --- what was done --- */

/*
 * _log_record(tenant bigint, action text, resource_type text, resource_id text, metadata jsonb) ->
 * bigint: an entry in the chain of a tenant (NULL: of none), past the guard. Its id.
 */
PG_FUNCTION_INFO_V1(stratum_log_record);
Datum
stratum_log_record(PG_FUNCTION_ARGS)
{
	AuditEntry	entry = {0};

	entry.tenant_id = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT64(0);
	entry.resource_type = text_to_cstring(PG_GETARG_TEXT_PP(2));
	entry.resource_id = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	entry.metadata = PG_GETARG_JSONB_P(4);
	PG_RETURN_INT64(stratum_write_record(text_to_cstring(PG_GETARG_TEXT_PP(1)), &entry));
}
