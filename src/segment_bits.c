/*
 * segment_bits.c
 *	  The SQL functions that ask many definitions about a profile, and whether one still means something.
 */
#include "segment_set.h"

#include "catalog/pg_type.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* What fn_extra points to. */
typedef struct SetCache
{
	SegmentSet *set;
	bool		constant;		/* the arguments that it is made of cannot change */
	ArrayType  *definitions;	/* copies of these otherwise, in the set's memory */
	ArrayType  *names;
} SetCache;

/* The definitions of a jsonb[]. */
Jsonb **
stratum_read_definitions(Datum array, int *count)
{
	Jsonb	  **definitions;
	Datum	   *datums;

	deconstruct_array(DatumGetArrayTypeP(array), JSONBOID, -1, false, TYPALIGN_INT, &datums, NULL, count);
	definitions = palloc_extended((*count + 1) * sizeof(Jsonb *), MCXT_ALLOC_HUGE);
	for (int i = 0; i < *count; i++)
		definitions[i] = DatumGetJsonbP(datums[i]);
	return definitions;
}

static SegmentSet *
compile_set(FunctionCallInfo fcinfo)
{
	TupleDesc	row_type = stratum_given_columns(fcinfo, 1);
	Jsonb	  **definitions;
	int			count;

	if (row_type == NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("the names of the columns do not fit the columns given"));
	definitions = stratum_read_definitions(PG_GETARG_DATUM(0), &count);
	return stratum_set_create(row_type, count, definitions);
}

/* As bytes they are the same on every machine: bit n is bit n % 8 of byte n / 8. */
static inline Bits
swap_if_big_endian(Bits word)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(word);
#else
	return word;
#endif
}

static bytea *
make_bytes(const Bits *bits, int nwords)
{
	Size		size = nwords * sizeof(Bits);
	bytea	   *result = palloc(VARHDRSZ + size);

	SET_VARSIZE(result, VARHDRSZ + size);
	for (int i = 0; i < nwords; i++)
	{
		Bits		word = swap_if_big_endian(bits[i]);

		memcpy(VARDATA(result) + i * sizeof(Bits), &word, sizeof(Bits));
	}
	return result;
}

void
stratum_bits_from_bytes(Bits *bits, const char *bytes, int nwords)
{
	memcpy(bits, bytes, nwords * sizeof(Bits));
	for (int i = 0; i < nwords; i++)
		bits[i] = swap_if_big_endian(bits[i]);
}

static bool
same_array(const ArrayType *kept, Datum array)
{
	const ArrayType *other = DatumGetArrayTypeP(array);

	return VARSIZE(kept) == VARSIZE(other) && memcmp(kept, other, VARSIZE(kept)) == 0;
}

static ArrayType *
copy_array(MemoryContext context, Datum array)
{
	const ArrayType *other = DatumGetArrayTypeP(array);

	return memcpy(MemoryContextAllocHuge(context, VARSIZE(other)), other, VARSIZE(other));
}

/* The set for the arguments, made anew if they have changed. */
static SegmentSet *
get_set(FunctionCallInfo fcinfo)
{
	SetCache   *cache = fcinfo->flinfo->fn_extra;
	SegmentSet *last;

	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SetCache));
	if (cache->set != NULL &&
		(cache->constant ||
		 (same_array(cache->definitions, PG_GETARG_DATUM(0)) && same_array(cache->names, PG_GETARG_DATUM(1)))))
		return cache->set;
	last = cache->set;
	cache->set = NULL;
	if (last != NULL)
		stratum_set_free(last);
	last = compile_set(fcinfo);
	MemoryContextSetParent(last->program->context, fcinfo->flinfo->fn_mcxt);
	cache->constant = stratum_argument_is_constant(fcinfo, 0) && stratum_argument_is_constant(fcinfo, 1);
	if (!cache->constant)
	{
		cache->definitions = copy_array(last->program->context, PG_GETARG_DATUM(0));
		cache->names = copy_array(last->program->context, PG_GETARG_DATUM(1));
	}
	cache->set = last;
	return last;
}

/*
 * _segment_bits(definitions jsonb[], columns text[], VARIADIC "any") -> bytea: bit n % 8 of byte n / 8 is set if
 * the profile, of which these columns are given, satisfies definition n; a multiple of 8 bytes. NULL definitions
 * or names: NULL. The definitions are compiled when they are seen first; unless they are a constant of the query, they
 * are compared with the last ones for each row.
 */
PG_FUNCTION_INFO_V1(stratum_segment_bits);
Datum
stratum_segment_bits(PG_FUNCTION_ARGS)
{
	SegmentSet *set;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	set = get_set(fcinfo);
	PG_RETURN_BYTEA_P(make_bytes(stratum_set_members(set, &fcinfo->args[2]), set->nwords));
}

typedef struct Check
{
	SegmentScope scope;
	Jsonb	   *definition;
} Check;

static void
attempt_check(void *argument)
{
	Check	   *check = argument;

	check->definition = stratum_expand_segments(check->definition, &check->scope);
}

/*
 * A stored definition with those of the segments that it asks about put in. It was valid when it was written, but a
 * column that it names, or such a segment, may have gone since: then NULL, and a WARNING says why it is left out.
 */
Jsonb *
stratum_usable_definition(int64 tenant, int64 id, const char *name, Jsonb *definition)
{
	Check		check = {.scope.tenant = tenant, .scope.id = id, .definition = definition};
	char	   *fault = NULL;

	if (stratum_attempt(attempt_check, &check, &fault))
		return check.definition;
	ereport(WARNING,
			errmsg("segment " INT64_FORMAT " \"%s\" is left out: %s", id, name, fault));
	return NULL;
}

/*
 * _usable_definition(tenant bigint, segment_id bigint, name text, conditions jsonb) -> jsonb; strict. NULL for one
 * that means nothing any more.
 */
PG_FUNCTION_INFO_V1(stratum_usable_segment);
Datum
stratum_usable_segment(PG_FUNCTION_ARGS)
{
	Jsonb	   *definition = stratum_usable_definition(PG_GETARG_INT64(0), PG_GETARG_INT64(1),
													   text_to_cstring(PG_GETARG_TEXT_PP(2)),
													   PG_GETARG_JSONB_P(3));

	if (definition == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(definition);
}

