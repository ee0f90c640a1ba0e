/*
 * audit_seal.c
 *	  Seals the rows of a chain of the audit trail that have no seal yet.
 *
 * Rows come up in the order of commits, their ids are in that of the writes. So what is sealed is never a
 * range of ids: it is what can be seen and has no seal. To find that without looking at the whole trail,
 * a chain knows a settled id: up to there nothing can come any more but by another way than the library's.
 *
 * An id is drawn by a transaction that has a number already. So if an id is not above the last one
 * that had been drawn when the next transaction was to get the number X, then its row was written by
 * a transaction below X (or it was put there by somebody: then it gets no seal, and verify_audit()
 * names it). And once all of these have ended, the ids are settled. Nobody waits for anybody.
 */
#include "audit_seal.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "row_receiver.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define UNSEALED_ROWS(chain) \
	"SELECT " SEALED_COLUMNS ", l.xmin FROM stratum.audit_logs l" \
	" WHERE" chain " AND" WITHOUT_SEAL " ORDER BY l.id"

/*
 * Few ids, drawn since the chain was sealed: all of them are looked at, of whatever tenant. Left to
 * itself the planner goes through the whole trail of the tenant, five times a second, as long as the
 * table has not been analyzed. This form leaves the index of the tenants out; the upper end has the
 * planner expect few rows where it knows nothing, so that it takes the index of the ids. Few, since
 * each of many tenants comes by all of them.
 */
#define FEW_IDS 10000
#define OF_CHAIN_BY_IDS \
	" l.id <= 9223372036854775807 AND l.tenant_id IS NOT DISTINCT FROM $1"

#define INSERT_SEAL \
	"INSERT INTO stratum.audit_seals (tenant_id, number, sealed_at, settled_id, row_count," \
	" last_id, newest_at, previous, content, digest, log_ids, logged_at, digests, salts)" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
#define N_SEAL_COLUMNS 14

typedef struct Sealing
{
	bool		has_tenant;
	int64		settled_id;		/* rows at or below are sealed, or never will be */
	bool		has_suspects;
	int64		suspect_id;		/* a row at or below must be of a transaction ... */
	uint64		suspect_xid;	/* ... below this */
	bool		few_ids;		/* at most FEW_IDS have been drawn above settled_id */
	SealHeader	header;			/* of the last seal so far */
	uint8		digest[DIGEST_LENGTH];	/* its digest */
	int64		sealed;			/* rows in this run */
	MemoryContext batch;		/* what a seal takes */

	/* The seal that is being filled. */
	int			count;
	int64		ids[SEAL_ROWS];
	TimestampTz times[SEAL_ROWS];
	uint8		salts[SEAL_ROWS * SALT_LENGTH];
	uint8		digests[SEAL_ROWS * DIGEST_LENGTH];
} Sealing;

/* --- transactions --- */

/* The full number of the transaction that wrote a row; 0 for the bootstrap's and frozen ones. */
uint64
stratum_full_xid(TransactionId xid)
{
	uint64		next = U64FromFullTransactionId(ReadNextFullTransactionId());
	uint32		distance = (uint32) next - xid;

	if (!TransactionIdIsNormal(xid) || distance > next)
		return 0;
	return next - distance;
}

/* Whether all transactions below `limit` but our own had ended when the snapshot was taken. */
static bool
have_ended(Snapshot snapshot, uint64 limit)
{
	TransactionId own = GetTopTransactionIdIfAny();
	uint64		end = stratum_full_xid(snapshot->xmax);

	if (TransactionIdIsValid(own) && own == snapshot->xmax)
		end++;
	if (limit > end)
		return false;
	for (uint32 i = 0; i < snapshot->xcnt; i++)
	{
		if (snapshot->xip[i] != own && stratum_full_xid(snapshot->xip[i]) < limit)
			return false;
	}
	return true;
}

/* _next_xid() -> bigint: the number that the next transaction gets. */
PG_FUNCTION_INFO_V1(stratum_next_xid);
Datum
stratum_next_xid(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) U64FromFullTransactionId(ReadNextFullTransactionId()));
}

/* --- a seal --- */

static Datum
array_of(int count, const int64 *elements, Oid type)
{
	Datum	   *datums = palloc(sizeof(Datum) * count);

	for (int i = 0; i < count; i++)
		datums[i] = Int64GetDatum(elements[i]);
	return PointerGetDatum(construct_array(datums, count, type, sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static void
fill_header(Sealing *sealing)
{
	SealHeader *header = &sealing->header;

	header->number++;
	header->sealed_at = GetCurrentTimestamp();
	header->settled_id = sealing->settled_id;
	header->row_count = sealing->count;
	header->last_id = sealing->ids[sealing->count - 1];
	header->newest_at = DT_NOBEGIN;
	for (int i = 0; i < sealing->count; i++)
		header->newest_at = Max(header->newest_at, sealing->times[i]);
	memcpy(header->previous, sealing->digest, DIGEST_LENGTH);
	stratum_digest_content(sealing->count, sealing->ids, sealing->times, sealing->digests,
						   header->content);
	stratum_digest_seal(header, sealing->digest);
}

static void
insert_seal(const Sealing *sealing)
{
	static Oid	types[N_SEAL_COLUMNS] = {
		INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, BYTEAOID,
		BYTEAOID, BYTEAOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID, BYTEAOID, BYTEAOID
	};
	const SealHeader *header = &sealing->header;
	int			count = sealing->count;
	char		nulls[N_SEAL_COLUMNS];
	Datum		values[N_SEAL_COLUMNS] = {
		Int64GetDatum(header->tenant_id), Int64GetDatum(header->number),
		TimestampTzGetDatum(header->sealed_at), Int64GetDatum(header->settled_id),
		Int64GetDatum(header->row_count), Int64GetDatum(header->last_id),
		TimestampTzGetDatum(header->newest_at),
		PointerGetDatum(stratum_bytes(header->previous, DIGEST_LENGTH)),
		PointerGetDatum(stratum_bytes(header->content, DIGEST_LENGTH)),
		PointerGetDatum(stratum_bytes(sealing->digest, DIGEST_LENGTH)),
		array_of(count, sealing->ids, INT8OID), array_of(count, sealing->times, TIMESTAMPTZOID),
		PointerGetDatum(stratum_bytes(sealing->digests, (Size) count * DIGEST_LENGTH)),
		PointerGetDatum(stratum_bytes(sealing->salts, (Size) count * SALT_LENGTH))
	};

	memset(nulls, ' ', sizeof(nulls));
	if (!sealing->has_tenant)
		nulls[0] = 'n';
	/* We may be in the middle of the query for the rows. */
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args(INSERT_SEAL, N_SEAL_COLUMNS, types, values, nulls, false, 0) !=
		SPI_OK_INSERT || SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table stratum.audit_seals did not take a seal")));
	SPI_finish();
}

/* Writes the seal that has been filled, and begins another. */
static void
write_seal(Sealing *sealing)
{
	MemoryContext before;

	CHECK_FOR_INTERRUPTS();
	if (sealing->count == 0)
		return;
	before = MemoryContextSwitchTo(sealing->batch);
	fill_header(sealing);
	insert_seal(sealing);
	sealing->sealed += sealing->count;
	sealing->count = 0;
	MemoryContextSwitchTo(before);
	MemoryContextReset(sealing->batch);
}

/* --- rows --- */

/* Whether a row is where none can come from the library any more. */
static bool
is_suspect(const Sealing *sealing, int64 id, TransactionId xmin)
{
	return sealing->has_suspects && id <= sealing->suspect_id &&
		stratum_full_xid(xmin) >= sealing->suspect_xid;
}

static void
fill_salts(Sealing *sealing)
{
	if (!pg_strong_random(sealing->salts, sizeof(sealing->salts)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes for a seal")));
}

static void
seal_row(void *argument, TupleTableSlot *slot)
{
	Sealing    *sealing = argument;
	const Datum *values = slot->tts_values;
	const bool *nulls = slot->tts_isnull;
	int			place = sealing->count;
	int64		id;
	RowDigest	row;
	MemoryContext before;

	id = DatumGetInt64(values[0]);
	if (is_suspect(sealing, id, DatumGetTransactionId(values[N_SEALED_COLUMNS])))
		return;
	if (place == 0)
		fill_salts(sealing);
	before = MemoryContextSwitchTo(sealing->batch);
	stratum_digest_row(values, nulls, sealing->salts + (Size) place * SALT_LENGTH, &row);
	MemoryContextSwitchTo(before);
	sealing->ids[place] = id;
	sealing->times[place] = nulls[CREATED_AT] ? DT_NOBEGIN : DatumGetTimestampTz(values[CREATED_AT]);
	memcpy(sealing->digests + (Size) place * DIGEST_LENGTH, row.digest, DIGEST_LENGTH);
	if (++sealing->count == SEAL_ROWS)
		write_seal(sealing);
}

/* Under the active snapshot, in the order of the ids. */
static void
seal_rows(Sealing *sealing)
{
	static Oid	types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum(sealing->header.tenant_id), Int64GetDatum(sealing->settled_id)};
	RowReceiver receiver = stratum_row_receiver(seal_row, sealing);
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.receiver};
	SPIPlanPtr	plan;

	sealing->batch = AllocSetContextCreate(CurrentMemoryContext, "stratum sealing",
										   ALLOCSET_DEFAULT_SIZES);
	options.params = stratum_constant_parameters(2, types, values);
	options.params->params[0].isnull = !sealing->has_tenant;
	/* Seals are written in the middle of it, which parallel workers do not allow. */
	plan = SPI_prepare_cursor(sealing->few_ids ? UNSEALED_ROWS(OF_CHAIN_BY_IDS) : UNSEALED_ROWS(OF_CHAIN("l")),
							  2, types, CURSOR_OPT_CUSTOM_PLAN);
	if (plan == NULL || SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "could not read the audit trail");
	SPI_freeplan(plan);
	write_seal(sealing);
}

/* --- the function --- */

static Sealing *
read_arguments(FunctionCallInfo fcinfo)
{
	Sealing    *sealing = palloc0(sizeof(Sealing));
	bytea	   *digest;

	sealing->has_tenant = !PG_ARGISNULL(0);
	sealing->header.tenant_id = sealing->has_tenant ? PG_GETARG_INT64(0) : 0;
	sealing->settled_id = PG_GETARG_INT64(1);
	sealing->has_suspects = !PG_ARGISNULL(2) && !PG_ARGISNULL(3);
	if (sealing->has_suspects)
	{
		sealing->suspect_id = PG_GETARG_INT64(2);
		sealing->suspect_xid = (uint64) PG_GETARG_INT64(3);
	}
	if (PG_ARGISNULL(1) || PG_ARGISNULL(4) || PG_ARGISNULL(5) || PG_ARGISNULL(6))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the state of a chain must not be NULL")));
	sealing->header.number = PG_GETARG_INT64(4);
	digest = PG_GETARG_BYTEA_PP(5);
	if (VARSIZE_ANY_EXHDR(digest) != DIGEST_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the last digest of the chain does not have %d bytes", DIGEST_LENGTH)));
	memcpy(sealing->digest, VARDATA_ANY(digest), DIGEST_LENGTH);
	sealing->few_ids = !PG_ARGISNULL(7) && PG_GETARG_INT64(7) - sealing->settled_id <= FEW_IDS;
	return sealing;
}

/*
 * _seal_rows(tenant bigint, settled_id bigint, suspect_id bigint, suspect_xid bigint,
 * number bigint, digest bytea, next_xid bigint, drawn_id bigint) -> (sealed bigint, number bigint,
 * digest bytea, suspects_ended boolean, all_ended boolean)
 *
 * Seals what has no seal; the caller has locked the chain. drawn_id: the last id that was drawn, NULL
 * if nobody knows. suspects_ended: all transactions below suspect_xid; all_ended: all below next_xid.
 */
PG_FUNCTION_INFO_V1(stratum_seal_rows);
Datum
stratum_seal_rows(PG_FUNCTION_ARGS)
{
	Sealing    *sealing = read_arguments(fcinfo);
	Datum		values[5];
	bool		nulls[5] = {false};
	TupleDesc	desc;
	Snapshot	snapshot;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	snapshot = GetActiveSnapshot();
	values[3] = BoolGetDatum(sealing->has_suspects && have_ended(snapshot, sealing->suspect_xid));
	values[4] = BoolGetDatum(have_ended(snapshot, (uint64) PG_GETARG_INT64(6)));
	seal_rows(sealing);
	PopActiveSnapshot();
	SPI_finish();
	values[0] = Int64GetDatum(sealing->sealed);
	values[1] = Int64GetDatum(sealing->header.number);
	values[2] = PointerGetDatum(stratum_bytes(sealing->digest, DIGEST_LENGTH));
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
