/*
 * segment_matches.c
 *	  The functions that ask a definition about a row.
 *
 * A definition is compiled at the first row and kept as long as the expression that calls the function.
 * It is compiled again when its bytes or the type of the row change; that is why neither the
 * address of a definition nor a time of the transaction is kept.
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* What fn_extra points to. */
typedef struct Cache
{
	Program    *program;		/* NULL: nothing compiled */
	Jsonb	   *definition;		/* a copy, in the program's memory */
	Oid			type;			/* of the row; InvalidOid for traits alone */
	int32		typmod;
	uint64		type_version;	/* changes with the columns of the type */
} Cache;

static Cache *
get_cache(FunctionCallInfo fcinfo)
{
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Cache));
	return fcinfo->flinfo->fn_extra;
}

static bool
same_bytes(const Jsonb *a, const Jsonb *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static void
forget_program(Cache *cache)
{
	Program    *program = cache->program;

	cache->program = NULL;
	if (program != NULL)
		stratum_program_free(program);
}

/* Takes a program over into the cache. */
static void
keep_program(FunctionCallInfo fcinfo, Cache *cache, Program *program, Oid type, int32 typmod)
{
	MemoryContextSetParent(program->context, fcinfo->flinfo->fn_mcxt);
	cache->program = program;
	cache->type = type;
	cache->typmod = typmod;
	if (OidIsValid(type))
		cache->type_version = assign_record_type_identifier(type, typmod);
}

static Program *
compile_for(StratumTarget target, Oid type, int32 typmod, int ndefinitions, Jsonb **definitions)
{
	TupleDesc	row_type = OidIsValid(type) ? lookup_rowtype_tupdesc(type, typmod) : NULL;
	Program    *program = stratum_program_create(target, row_type, ndefinitions, definitions);

	if (row_type != NULL)
		ReleaseTupleDesc(row_type);
	return program;
}

static bool
is_current(const Cache *cache, Oid type, int32 typmod)
{
	return cache->program != NULL && cache->type == type && cache->typmod == typmod &&
		(!OidIsValid(type) || cache->type_version == assign_record_type_identifier(type, typmod));
}

/* The program of a definition for rows of a type, compiled when it is not at hand. */
static Program *
get_program(FunctionCallInfo fcinfo, StratumTarget target, Oid type, int32 typmod)
{
	Cache	   *cache = get_cache(fcinfo);
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);

	if (!is_current(cache, type, typmod) || !same_bytes(cache->definition, definition))
	{
		Program    *program;

		forget_program(cache);
		program = compile_for(target, type, typmod, 1, &definition);
		cache->definition = MemoryContextAllocHuge(program->context, VARSIZE(definition));
		memcpy(cache->definition, definition, VARSIZE(definition));
		keep_program(fcinfo, cache, program, type, typmod);
	}
	PG_FREE_IF_COPY(definition, 0);
	return cache->program;
}

static void
check_row_argument(FunctionCallInfo fcinfo, int argument, const char *what)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (!type_is_rowtype(type))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("%s must be a row, not %s", what,
					   OidIsValid(type) ? format_type_be(type) : "unknown"),
				errhint("Pass the row of a table or of a sub-query, as in segment_matches(conditions, p)."));
}

static Datum
match_row(FunctionCallInfo fcinfo, StratumTarget target, const char *what)
{
	HeapTupleHeader row;
	Program    *program;

	if (fcinfo->flinfo->fn_extra == NULL)
		check_row_argument(fcinfo, 1, what);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	row = PG_GETARG_HEAPTUPLEHEADER(1);
	program = get_program(fcinfo, target, HeapTupleHeaderGetTypeId(row),
						  HeapTupleHeaderGetTypMod(row));
	stratum_program_row(program, row);
	PG_RETURN_BOOL(stratum_program_matches(program, 0));
}

/* segment_matches(conditions jsonb, profile anyelement) -> boolean; NULL if either is NULL. */
PG_FUNCTION_INFO_V1(stratum_segment_matches);
Datum
stratum_segment_matches(PG_FUNCTION_ARGS)
{
	return match_row(fcinfo, STRATUM_PROFILE, "a profile");
}

/* campaign_matches(conditions jsonb, campaign anyelement) -> boolean; NULL if either is NULL. */
PG_FUNCTION_INFO_V1(stratum_campaign_matches);
Datum
stratum_campaign_matches(PG_FUNCTION_ARGS)
{
	return match_row(fcinfo, STRATUM_CAMPAIGN, "a campaign");
}

/*
 * traits_match(conditions jsonb, traits jsonb) -> boolean, also as segment_matches. NULL only for NULL
 * conditions: where there are no traits, every field is missing.
 */
PG_FUNCTION_INFO_V1(stratum_traits_match);
Datum
stratum_traits_match(PG_FUNCTION_ARGS)
{
	Program    *program;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	program = get_program(fcinfo, STRATUM_PROFILE, InvalidOid, -1);
	stratum_program_traits(program, PG_GETARG_DATUM(1), PG_ARGISNULL(1));
	PG_RETURN_BOOL(stratum_program_matches(program, 0));
}

static StratumTarget
read_target(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("the target must not be NULL"),
				errhint("Targets: profile, campaign."));
	name = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (strcmp(name, "profile") == 0)
		return STRATUM_PROFILE;
	if (strcmp(name, "campaign") == 0)
		return STRATUM_CAMPAIGN;
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("unknown target \"%s\"", name),
			errhint("Targets: profile, campaign."));
}

/* validate_conditions(conditions jsonb, target text) -> void; NULL conditions are let pass. */
PG_FUNCTION_INFO_V1(stratum_check_conditions);
Datum
stratum_check_conditions(PG_FUNCTION_ARGS)
{
	StratumTarget target = read_target(fcinfo, 1);

	if (!PG_ARGISNULL(0))
		stratum_validate_conditions(PG_GETARG_JSONB_P(0), target);
	PG_RETURN_VOID();
}

/* --- many definitions at once --- */

static Datum *
read_array(FunctionCallInfo fcinfo, int argument, Oid type, int length, bool by_value, char align,
		   int *count)
{
	Datum	   *datums;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, length, by_value, align,
					  &datums, NULL, count);
	return datums;
}

/* fn_extra of _matching_segments */
typedef struct SegmentSet
{
	Cache		cache;
	Datum		ids_argument;
	Datum		definitions_argument;
	int			count;
	Datum	   *ids;
} SegmentSet;

static void
compile_set(FunctionCallInfo fcinfo, SegmentSet *set, Oid type, int32 typmod)
{
	Datum	   *definitions;
	Jsonb	  **jsonbs;
	Datum	   *ids;
	int			count;
	Program    *program;

	forget_program(&set->cache);
	ids = read_array(fcinfo, 0, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					 &set->count);
	definitions = read_array(fcinfo, 1, JSONBOID, -1, false, TYPALIGN_INT, &count);
	if (count != set->count)
		elog(ERROR, "%d segments have %d definitions", set->count, count);
	jsonbs = palloc(count * sizeof(Jsonb *));
	for (int i = 0; i < count; i++)
		jsonbs[i] = DatumGetJsonbP(definitions[i]);
	program = compile_for(STRATUM_PROFILE, type, typmod, count, jsonbs);
	set->ids = MemoryContextAlloc(program->context, count * sizeof(Datum));
	memcpy(set->ids, ids, count * sizeof(Datum));
	set->ids_argument = PG_GETARG_DATUM(0);
	set->definitions_argument = PG_GETARG_DATUM(1);
	keep_program(fcinfo, &set->cache, program, type, typmod);
}

/*
 * Comparing thousands of definitions with each row would cost more than evaluating them. A parameter
 * of a query stays where and what it is while the query runs; plpgsql's simple expressions, which
 * outlive that, are no place to call this internal function from.
 */
static bool
is_current_set(FunctionCallInfo fcinfo, const SegmentSet *set, Oid type, int32 typmod)
{
	return is_current(&set->cache, type, typmod) &&
		get_fn_expr_arg_stable(fcinfo->flinfo, 0) && get_fn_expr_arg_stable(fcinfo->flinfo, 1) &&
		set->ids_argument == PG_GETARG_DATUM(0) &&
		set->definitions_argument == PG_GETARG_DATUM(1);
}

/*
 * _matching_segments(ids bigint[], definitions jsonb[], profile anyelement) -> bigint[]: the ids of the
 * definitions that the profile matches. Internal, strict; the definitions must be valid.
 */
PG_FUNCTION_INFO_V1(stratum_matching_segments);
Datum
stratum_matching_segments(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(2);
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);
	SegmentSet *set = fcinfo->flinfo->fn_extra;
	Datum	   *matching;
	int			count = 0;

	if (set == NULL)
	{
		check_row_argument(fcinfo, 2, "a profile");
		set = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SegmentSet));
		fcinfo->flinfo->fn_extra = set;
	}
	if (!is_current_set(fcinfo, set, type, typmod))
		compile_set(fcinfo, set, type, typmod);
	stratum_program_row(set->cache.program, row);
	matching = palloc(Max(set->count, 1) * sizeof(Datum));
	for (int i = 0; i < set->count; i++)
	{
		if (stratum_program_matches(set->cache.program, i))
			matching[count++] = set->ids[i];
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(matching, count, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
