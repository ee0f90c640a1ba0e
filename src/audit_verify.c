/*
 * audit_verify.c
 *	  Compares a chain of the audit trail with its seals.
 *
 * One seal at a time: its own digest, the one before, and the rows that it names, which are read by
 * their ids. What the trail has beyond these is found by counting. Everything is read under the
 * snapshot of the calling query, so that a purge or a seal meanwhile does not matter.
 */
#include "audit_seal.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "row_receiver.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define SELECT_CHAIN \
	"SELECT c.last_number::int8, c.last_digest::bytea, c.settled_id::int8," \
	" CASE WHEN c.place = stratum._audit_place() THEN c.drawn_id::int8 END, c.drawn_xid::int8" \
	" FROM stratum.audit_chains c WHERE" OF_CHAIN("c")
#define SELECT_SEALS \
	"SELECT s.number::int8, s.sealed_at::timestamptz, s.settled_id::int8, s.row_count::int8," \
	" s.last_id::int8, s.newest_at::timestamptz, s.previous::bytea, s.content::bytea," \
	" s.digest::bytea, s.log_ids::int8[], s.logged_at::timestamptz[], s.digests::bytea, s.salts::bytea" \
	" FROM stratum.audit_seals s WHERE" OF_CHAIN("s") " ORDER BY s.number"
#define LOG_IDS 10				/* of these */
#define SELECT_ROWS(which) "SELECT " SEALED_COLUMNS " FROM stratum.audit_logs l WHERE " which
/* Until when the trail was purged; as a number, because nobody knows what a forged record says. */
#define SELECT_PURGED \
	"SELECT max(greatest(-9223372036854775808, least((l.metadata ->> 'before_microseconds')::numeric, 9223372036854775807))::int8)" \
	" FROM stratum.audit_logs l WHERE l.resource_type = 'audit_logs' AND l.action = 'delete'" \
	" AND" OF_CHAIN("l") \
	" AND jsonb_typeof(l.metadata -> 'before_microseconds') = 'number'"
#define SELECT_ERASED \
	"SELECT l.metadata -> 'erased' FROM stratum.audit_logs l" \
	" WHERE l.resource_type = 'audit_logs' AND l.action = 'anonymize'" \
	" AND" OF_CHAIN("l") " ORDER BY l.id"
#define COUNT_ROWS "SELECT count(*) FROM stratum.audit_logs l WHERE l.id <= $2 AND" OF_CHAIN("l")
#define SELECT_UNSEALED \
	"SELECT l.id::int8 FROM stratum.audit_logs l WHERE l.id <= $2 AND" OF_CHAIN("l") \
	" EXCEPT SELECT unnest(s.log_ids::int8[]) FROM stratum.audit_seals s WHERE" OF_CHAIN("s") " ORDER BY 1"
#define SELECT_SUSPECTS \
	"SELECT l.id::int8, l.xmin FROM stratum.audit_logs l WHERE" OF_CHAIN("l") " AND" WITHOUT_SEAL

/* Seals that are fetched at a time: some 64 kB each. */
#define SEALS_AT_ONCE 16

/* What an erasure recorded of a row: what its payload's digest was, and what it is since. */
typedef struct Erased
{
	int64		id;				/* the key */
	uint8		was[DIGEST_LENGTH];
	uint8		is[DIGEST_LENGTH];
} Erased;

typedef struct Verification
{
	bool		has_tenant;
	int64		tenant_id;
	ReturnSetInfo *result;
	bool		has_chain;		/* the chain's own row is there, and says: */
	int64		last_number;
	uint8		last_digest[DIGEST_LENGTH];
	int64		settled_id;
	int64		drawn_id;		/* 0: says nothing */
	int64		drawn_xid;
	TimestampTz purged_before;
	HTAB	   *erased;
	SealHeader	header;			/* of the seal before */
	uint8		digest[DIGEST_LENGTH];	/* its digest */
	int64		found;			/* sealed rows that are there, at or below settled_id */
	bool		wants_head;
	bool		has_head;
	uint8		head[DIGEST_LENGTH];
} Verification;

/* A seal as it is stored; arrays of row_count, NULL where a purge has dropped them. */
typedef struct StoredSeal
{
	SealHeader	header;
	uint8		digest[DIGEST_LENGTH];
	bool		is_whole;		/* every column is as it can be */
	int			count;
	int64	   *ids;
	TimestampTz *times;
	const uint8 *digests;
	const uint8 *salts;
	ArrayType  *id_array;
} StoredSeal;

/* Where the rows of a seal are checked; the context is as long as the seal is looked at. */
typedef struct SealCheck
{
	Verification *verification;
	const StoredSeal *seal;
	MemoryContext context;
	bool	   *seen;			/* of each row of the seal: it was there */
} SealCheck;

/* --- problems --- */

static void
report(Verification *verification, int64 id, const char *problem)
{
	Datum		values[2] = {Int64GetDatum(id), CStringGetTextDatum(problem)};
	bool		nulls[2] = {id == 0, false};

	tuplestore_putvalues(verification->result->setResult, verification->result->setDesc, values,
						 nulls);
}

static void
report_seal(Verification *verification, int64 number, const char *problem)
{
	report(verification, 0, psprintf("seal " INT64_FORMAT " %s", number, problem));
}

/* --- queries --- */

/* One with the chain's tenant and, where it takes it, the settled id; under the caller's snapshot. */
static void
query(Verification *verification, const char *text, int nargs)
{
	static Oid	types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {Int64GetDatum(verification->tenant_id), Int64GetDatum(verification->settled_id)};
	char		nulls[2] = {verification->has_tenant ? ' ' : 'n', ' '};

	if (SPI_execute_with_args(text, nargs, types, values, nulls, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the seals of the audit trail");
}

static SPIPlanPtr
keep_plan(const char *text, int nargs, Oid *types)
{
	/* A list of ids or a range says much, and is planned in a moment. */
	SPIPlanPtr	plan = SPI_prepare_cursor(text, nargs, types, CURSOR_OPT_CUSTOM_PLAN);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", text, SPI_result_code_string(SPI_result));
	return plan;
}

/* Column `number` of the first row of the result; zero if there is none or it is NULL. */
static int64
number_of_result(int number, int64 otherwise)
{
	bool		isnull;
	Datum		value;

	if (SPI_processed == 0)
		return otherwise;
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, &isnull);
	return isnull ? otherwise : DatumGetInt64(value);
}

static bool
copy_digest(HeapTuple tuple, TupleDesc desc, int number, uint8 *result)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, number, &isnull);
	bytea	   *bytes;

	if (isnull)
		return false;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != DIGEST_LENGTH)
		return false;
	memcpy(result, VARDATA_ANY(bytes), DIGEST_LENGTH);
	return true;
}

static void
read_chain(Verification *verification)
{
	query(verification, SELECT_CHAIN, 1);
	verification->last_number = number_of_result(1, 0);
	verification->settled_id = number_of_result(3, 0);
	verification->drawn_id = number_of_result(4, 0);
	verification->drawn_xid = number_of_result(5, 0);
	verification->has_chain = SPI_processed > 0 &&
		copy_digest(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, verification->last_digest);
	query(verification, SELECT_PURGED, 1);
	verification->purged_before = number_of_result(1, DT_NOBEGIN);
}

/* --- what was erased --- */

static bool
parse_element(JsonbContainer *array, int number, uint8 *result)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, number);

	return value != NULL && value->type == jbvString &&
		stratum_parse_digest(value->val.string.val, value->val.string.len, result);
}

/* {"id": ["was", "is"], ...}; what is none of it a forger wrote, and nothing is believed of it. */
static void
add_erased(HTAB *erased, Jsonb *record)
{
	JsonbIterator *iterator = JsonbIteratorInit(&record->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int64		id = 0;

	if (!JB_ROOT_IS_OBJECT(record))
		return;
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		Erased		entry;

		if (token == WJB_KEY)
			id = strtoi64(pnstrdup(value.val.string.val, value.val.string.len), NULL, 10);
		if (token != WJB_VALUE || value.type != jbvBinary ||
			!JsonContainerIsArray(value.val.binary.data))
			continue;
		entry.id = id;
		if (parse_element(value.val.binary.data, 0, entry.was) &&
			parse_element(value.val.binary.data, 1, entry.is))
			memcpy(hash_search(erased, &id, HASH_ENTER, NULL), &entry, sizeof(entry));
	}
}

static void
read_erased(Verification *verification)
{
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(Erased), .hcxt = CurrentMemoryContext};

	verification->erased = hash_create("stratum erased log rows", 64, &control,
									   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	query(verification, SELECT_ERASED, 1);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		record = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			add_erased(verification->erased, DatumGetJsonbP(record));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* --- a seal --- */

/* The elements of an array of 8-byte values; NULL, and not whole, if it is not one of `count`. */
static int64 *
read_array(HeapTuple tuple, TupleDesc desc, int number, StoredSeal *seal, ArrayType **array)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, number, &isnull);

	if (isnull)
		return NULL;
	*array = DatumGetArrayTypeP(value);
	if (ARR_ELEMTYPE(*array) != (number == LOG_IDS ? INT8OID : TIMESTAMPTZOID) ||
		ARR_NDIM(*array) != 1 || ARR_HASNULL(*array) || ARR_DIMS(*array)[0] != seal->count)
	{
		seal->is_whole = false;
		return NULL;
	}
	return (int64 *) ((char *) *array + ARR_OVERHEAD_NONULLS(1));
}

static const uint8 *
read_bytes(HeapTuple tuple, TupleDesc desc, int number, StoredSeal *seal, int size)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, number, &isnull);
	bytea	   *bytes;

	if (isnull)
		return NULL;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != (Size) seal->count * size)
	{
		seal->is_whole = false;
		return NULL;
	}
	return (const uint8 *) VARDATA_ANY(bytes);
}

static int64
read_number(HeapTuple tuple, TupleDesc desc, int number, StoredSeal *seal)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, desc, number, &isnull);

	seal->is_whole &= !isnull;
	return isnull ? 0 : DatumGetInt64(value);
}

static StoredSeal
read_seal(const Verification *verification, HeapTuple tuple, TupleDesc desc)
{
	StoredSeal	seal = {.is_whole = true};
	SealHeader *header = &seal.header;
	ArrayType  *times;
	int			parts;

	header->tenant_id = verification->tenant_id;
	header->number = read_number(tuple, desc, 1, &seal);
	header->sealed_at = read_number(tuple, desc, 2, &seal);
	header->settled_id = read_number(tuple, desc, 3, &seal);
	header->row_count = read_number(tuple, desc, 4, &seal);
	header->last_id = read_number(tuple, desc, 5, &seal);
	header->newest_at = read_number(tuple, desc, 6, &seal);
	seal.is_whole &= copy_digest(tuple, desc, 7, header->previous);
	seal.is_whole &= copy_digest(tuple, desc, 8, header->content);
	seal.is_whole &= copy_digest(tuple, desc, 9, seal.digest);
	if (header->row_count < 1 || header->row_count > SEAL_ROWS)
	{
		seal.is_whole = false;
		return seal;
	}
	seal.count = (int) header->row_count;
	seal.ids = read_array(tuple, desc, LOG_IDS, &seal, &seal.id_array);
	seal.times = (TimestampTz *) read_array(tuple, desc, 11, &seal, &times);
	seal.digests = read_bytes(tuple, desc, 12, &seal, DIGEST_LENGTH);
	seal.salts = read_bytes(tuple, desc, 13, &seal, SALT_LENGTH);
	parts = (seal.ids != NULL) + (seal.times != NULL) + (seal.digests != NULL) + (seal.salts != NULL);
	seal.is_whole &= parts == 0 || parts == 4;
	if (parts != 4)
		seal.count = 0;
	return seal;
}

/* Whether the seal's own digests are right. */
static bool
is_unchanged(const StoredSeal *seal)
{
	uint8		digest[DIGEST_LENGTH];

	if (!seal->is_whole)
		return false;
	stratum_digest_seal(&seal->header, digest);
	if (memcmp(digest, seal->digest, DIGEST_LENGTH) != 0)
		return false;
	if (seal->count == 0)
		return true;
	stratum_digest_content(seal->count, seal->ids, seal->times, seal->digests, digest);
	return memcmp(digest, seal->header.content, DIGEST_LENGTH) == 0;
}

/* The ids ascend, and none is where the seals before had already said that nothing could come. */
static bool
is_in_order(const Verification *verification, const StoredSeal *seal)
{
	int64		last = Max(seal->header.settled_id, verification->header.settled_id);

	if (seal->header.settled_id < verification->header.settled_id)
		return false;
	for (int i = 0; i < seal->count; i++)
	{
		if (seal->ids[i] <= last)
			return false;
		last = seal->ids[i];
	}
	return true;
}

/* The seal itself, against the one before. */
static void
check_seal(Verification *verification, const StoredSeal *seal)
{
	int64		number = seal->header.number;

	if (number != verification->header.number + 1)
		report_seal(verification, verification->header.number + 1,
					number > verification->header.number ? "is missing" : "is there twice");
	else if (!is_unchanged(seal))
		report_seal(verification, number, "was changed");
	else if (memcmp(seal->header.previous, verification->digest, DIGEST_LENGTH) != 0)
		report_seal(verification, number, "does not follow from the seal before");
	else if (seal->count == 0 && seal->header.newest_at >= verification->purged_before)
		report_seal(verification, number, "has lost its rows without a purge");
	else if (!is_in_order(verification, seal))
		report_seal(verification, number, "has rows that came from elsewhere, or in another order");
	verification->has_head |= verification->wants_head &&
		memcmp(seal->digest, verification->head, DIGEST_LENGTH) == 0;
	verification->header = seal->header;
	memcpy(verification->digest, seal->digest, DIGEST_LENGTH);
}

/* --- its rows --- */

/* The place of a row in the seal, whose ids ascend; -1 if it is not there. */
static int
find_row(const StoredSeal *seal, int64 id)
{
	int			low = 0;
	int			high = seal->count - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;

		if (seal->ids[middle] == id)
			return middle;
		if (seal->ids[middle] < id)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return -1;
}

static bool
is_erased(const uint8 *salt)
{
	static const uint8 none[SALT_LENGTH] = {0};

	return memcmp(salt, none, SALT_LENGTH) == 0;
}

/* A row without its salt: what nothing changes must be as sealed, the rest as the erasure left it. */
static const char *
check_erased(const Verification *verification, int64 id, const RowDigest *row, const uint8 *sealed)
{
	const Erased *erased = hash_search(verification->erased, &id, HASH_FIND, NULL);
	uint8		digest[DIGEST_LENGTH];

	if (erased == NULL)
		return "was changed";
	stratum_join_digests(row->fixed, erased->was, digest);
	if (memcmp(digest, sealed, DIGEST_LENGTH) != 0)
		return "was changed";
	if (memcmp(row->payload, erased->is, DIGEST_LENGTH) != 0)
		return "was changed since it was erased";
	return NULL;
}

static void
check_row(void *argument, TupleTableSlot *slot)
{
	SealCheck  *check = argument;
	const StoredSeal *seal = check->seal;
	MemoryContext before;
	int64		id;
	int			place;
	const uint8 *salt, *sealed;
	const char *problem = NULL;
	RowDigest	row;

	id = DatumGetInt64(slot->tts_values[0]);
	place = find_row(seal, id);
	if (place < 0)
		return;
	if (check->seen[place])
	{
		report(check->verification, id, "is there twice");
		return;
	}
	check->seen[place] = true;
	salt = seal->salts + (Size) place * SALT_LENGTH;
	sealed = seal->digests + (Size) place * DIGEST_LENGTH;
	before = MemoryContextSwitchTo(check->context);
	stratum_digest_row(slot->tts_values, slot->tts_isnull, salt, &row);
	MemoryContextSwitchTo(before);
	if (is_erased(salt))
		problem = check_erased(check->verification, id, &row, sealed);
	else if (memcmp(row.digest, sealed, DIGEST_LENGTH) != 0)
		problem = "was changed";
	if (problem != NULL)
		report(check->verification, id, problem);
}

/*
 * Hands the seal's rows to check_row(): where it has most of the ids between its first and its last, all
 * between, which is the fastest way to read them.
 */
static void
fetch_rows(SealCheck *check)
{
	static SPIPlanPtr by_list = NULL;
	static SPIPlanPtr by_range = NULL;
	static Oid	list_type[1] = {INT8ARRAYOID};
	static Oid	range_types[2] = {INT8OID, INT8OID};
	const StoredSeal *seal = check->seal;
	int64		first = seal->ids[0];
	int64		last = seal->ids[seal->count - 1];
	Datum		list[1] = {PointerGetDatum(seal->id_array)};
	Datum		range[2] = {Int64GetDatum(first), Int64GetDatum(last)};
	RowReceiver receiver = stratum_row_receiver(check_row, check);
	SPIExecuteOptions options = {.read_only = true, .dest = &receiver.receiver};
	bool		is_dense = last >= first && (uint64) last - (uint64) first < (uint64) 2 * seal->count;
	SPIPlanPtr	plan;

	if (by_list == NULL)
		by_list = keep_plan(SELECT_ROWS("l.id = ANY ($1)"), 1, list_type);
	if (by_range == NULL)
		by_range = keep_plan(SELECT_ROWS("l.id BETWEEN $1 AND $2"), 2, range_types);
	plan = is_dense ? by_range : by_list;
	options.params = is_dense ? stratum_constant_parameters(2, range_types, range) :
		stratum_constant_parameters(1, list_type, list);
	if (SPI_execute_plan_extended(plan, &options) < 0)
		elog(ERROR, "could not read the audit trail");
}

static void
check_rows(Verification *verification, const StoredSeal *seal)
{
	SealCheck	check = {verification, seal, CurrentMemoryContext, NULL};

	if (seal->count == 0)
		return;
	check.seen = palloc0(sizeof(bool) * SEAL_ROWS);
	fetch_rows(&check);
	MemoryContextSwitchTo(check.context);
	for (int i = 0; i < seal->count; i++)
	{
		if (!check.seen[i] && seal->times[i] >= verification->purged_before)
			report(verification, seal->ids[i], "was removed");
		if (check.seen[i] && seal->ids[i] <= verification->settled_id)
			verification->found++;
	}
}

/* --- the chain --- */

static void
check_seals(Verification *verification)
{
	static Oid	types[1] = {INT8OID};
	Datum		values[1] = {Int64GetDatum(verification->tenant_id)};
	char		nulls[1] = {verification->has_tenant ? ' ' : 'n'};
	MemoryContext one = AllocSetContextCreate(CurrentMemoryContext, "stratum seal",
											  ALLOCSET_DEFAULT_SIZES);
	Portal		portal = SPI_cursor_open_with_args(NULL, SELECT_SEALS, 1, types, values, nulls, true, 0);

	for (;;)
	{
		SPITupleTable *table;

		SPI_cursor_fetch(portal, true, SEALS_AT_ONCE);
		if (SPI_processed == 0)
			break;
		table = SPI_tuptable;
		for (uint64 i = 0; i < table->numvals; i++)
		{
			MemoryContext before = MemoryContextSwitchTo(one);
			StoredSeal	seal;

			CHECK_FOR_INTERRUPTS();
			seal = read_seal(verification, table->vals[i], table->tupdesc);
			check_seal(verification, &seal);
			check_rows(verification, &seal);
			MemoryContextSwitchTo(before);
			MemoryContextReset(one);
		}
		SPI_freetuptable(table);
	}
	SPI_cursor_close(portal);
}

#define INSERTED "was inserted by another way than the library's"

/* Rows with an id that had been drawn, of a transaction that came later: sealing has left them out. */
static void
check_suspects(Verification *verification)
{
	if (verification->drawn_id <= verification->settled_id)
		return;
	query(verification, SELECT_SUSPECTS, 2);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		HeapTuple	tuple = SPI_tuptable->vals[i];
		int64		id = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		Datum		xmin = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull);

		if (id <= verification->drawn_id &&
			stratum_full_xid(DatumGetTransactionId(xmin)) >= (uint64) verification->drawn_xid)
			report(verification, id, INSERTED);
	}
}

/* Rows where nothing can come any more that have no seal. */
static void
check_unsealed(Verification *verification)
{
	query(verification, COUNT_ROWS, 2);
	if (number_of_result(1, 0) == verification->found)
		return;
	query(verification, SELECT_UNSEALED, 2);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			report(verification, DatumGetInt64(id), INSERTED);
	}
}

static void
check_end(Verification *verification)
{
	int64		last = verification->header.number;

	if (!verification->has_chain && last > 0)
		report(verification, 0, "the chain's row in audit_chains is missing");
	else if (verification->has_chain && verification->last_number != last)
		report(verification, 0, psprintf("the chain has " INT64_FORMAT " seals and ends at seal " INT64_FORMAT,
										 verification->last_number, last));
	else if (verification->has_chain &&
			 memcmp(verification->last_digest, verification->digest, DIGEST_LENGTH) != 0)
		report_seal(verification, last, "is not the last one that the chain was given");
	if (verification->wants_head && !verification->has_head)
		report(verification, 0, "no seal has the digest that was given as the head");
}

static void
read_head(FunctionCallInfo fcinfo, Verification *verification)
{
	text	   *head;

	if (PG_ARGISNULL(1))
		return;
	head = PG_GETARG_TEXT_PP(1);
	if (!stratum_parse_digest(VARDATA_ANY(head), VARSIZE_ANY_EXHDR(head), verification->head))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a head has 64 hexadecimal digits"),
				 errhint("Give the digest that stratum.audit_head() returned.")));
	verification->wants_head = true;
}

/*
 * _verify_chain(tenant bigint, head text) -> setof (id bigint, problem text)
 *
 * What is wrong with the chain of a tenant, NULL for that of the rows without one. An id is NULL
 * where the problem is no row's.
 */
PG_FUNCTION_INFO_V1(stratum_verify_chain);
Datum
stratum_verify_chain(PG_FUNCTION_ARGS)
{
	Verification *verification = palloc0(sizeof(Verification));

	verification->has_tenant = !PG_ARGISNULL(0);
	verification->tenant_id = verification->has_tenant ? PG_GETARG_INT64(0) : 0;
	read_head(fcinfo, verification);
	InitMaterializedSRF(fcinfo, 0);
	verification->result = (ReturnSetInfo *) fcinfo->resultinfo;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	read_chain(verification);
	read_erased(verification);
	check_seals(verification);
	check_unsealed(verification);
	check_suspects(verification);
	check_end(verification);
	SPI_finish();
	return (Datum) 0;
}
