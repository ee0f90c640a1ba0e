/*
 * segment_matches.c
 *	  The functions that ask a definition about a row.
 *
 * A definition is compiled at the first row and kept as long as the expression that calls the function.
 * Unless it is a constant of the query, it is compiled again when its bytes or the type of the row
 * change; that is why neither the address of a definition nor a time of the transaction is kept.
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
	Program    *program;		/* NULL: nothing compiled, or nothing that can be used */
	bool		constant;		/* the definition cannot change, and has been compiled */
	Jsonb	   *definition;		/* a copy, in the program's memory */
	Oid			type;			/* of the row; InvalidOid where columns are given one by one */
	int32		typmod;
	uint64		type_version;	/* changes with the columns of the type */
	bool		has_segments;	/* others' definitions have been put in, as they were in this view: */
	SegmentView view;
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

/* Takes a program over into the cache, with a copy of its definition. */
static void
keep_program(FunctionCallInfo fcinfo, Cache *cache, Program *program, const Jsonb *definition)
{
	cache->definition = MemoryContextAllocHuge(program->context, VARSIZE(definition));
	memcpy(cache->definition, definition, VARSIZE(definition));
	MemoryContextSetParent(program->context, fcinfo->flinfo->fn_mcxt);
	cache->program = program;
}

/* Compiles a definition and keeps it. */
static void
compile(FunctionCallInfo fcinfo, Cache *cache, StratumTarget target, TupleDesc row_type, bool lenient,
		Jsonb *definition)
{
	Program    *program = stratum_program_with_segments(target, row_type, lenient, definition,
														&cache->has_segments);

	if (cache->has_segments)
		cache->view = stratum_segment_view();
	keep_program(fcinfo, cache, program, definition);
}

/* Whether there is a program, and the segments that have been put into it are still those that there are. */
static bool
is_usable(const Cache *cache)
{
	SegmentView view;

	if (cache->program == NULL || !cache->has_segments)
		return cache->program != NULL;
	view = stratum_segment_view();
	return memcmp(&view, &cache->view, sizeof(view)) == 0;
}

/* --- whole rows --- */

static bool
is_current_type(const Cache *cache, Oid type, int32 typmod)
{
	return is_usable(cache) && cache->type == type && cache->typmod == typmod &&
		cache->type_version == assign_record_type_identifier(type, typmod);
}

static void
note_type(Cache *cache, Oid type, int32 typmod)
{
	cache->type = type;
	cache->typmod = typmod;
	cache->type_version = assign_record_type_identifier(type, typmod);
}

/* The program of a definition for rows of a type, compiled when it is not at hand. */
static Program *
program_for_row(FunctionCallInfo fcinfo, StratumTarget target, Oid type, int32 typmod)
{
	Cache	   *cache = get_cache(fcinfo);
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);

	if (!is_current_type(cache, type, typmod) || !same_bytes(cache->definition, definition))
	{
		TupleDesc	row_type = lookup_rowtype_tupdesc(type, typmod);

		forget_program(cache);
		compile(fcinfo, cache, target, row_type, false, definition);
		ReleaseTupleDesc(row_type);
		note_type(cache, type, typmod);
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
	program = program_for_row(fcinfo, target, HeapTupleHeaderGetTypeId(row),
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

/* --- columns given one by one --- */

/* A program for rows that have only traits: every other column is missing. */
static Program *
program_for_traits(FunctionCallInfo fcinfo)
{
	Cache	   *cache = get_cache(fcinfo);
	Jsonb	   *definition;

	if (cache->constant && is_usable(cache))
		return cache->program;
	definition = PG_GETARG_JSONB_P(0);
	if (!is_usable(cache) || !same_bytes(cache->definition, definition))
	{
		forget_program(cache);
		compile(fcinfo, cache, STRATUM_PROFILE, stratum_traits_type(), true, definition);
		cache->constant = stratum_argument_is_constant(fcinfo, 0);
	}
	PG_FREE_IF_COPY(definition, 0);
	return cache->program;
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
	program = program_for_traits(fcinfo);
	stratum_program_columns(program, &fcinfo->args[1]);
	PG_RETURN_BOOL(stratum_program_matches(program, 0));
}

/*
 * A program that asks about columns of these names and of the arguments' types; NULL where the definition
 * cannot mean anything, or might tell more than its answer.
 */
static Program *
leakproof_program(FunctionCallInfo fcinfo, StratumTarget target)
{
	Jsonb	   *definition = PG_GETARG_JSONB_P(0);
	TupleDesc	row_type = stratum_given_columns(fcinfo, 1);
	Program    *program;

	if (row_type == NULL)
		return NULL;
	program = stratum_program_try_create(target, row_type, 1, &definition, NULL);
	if (program == NULL || stratum_program_is_leakproof(program))
		return program;
	stratum_program_free(program);
	return NULL;
}

/*
 * Internal and leakproof: whatever the arguments are, it says true or false. It stands in for the public
 * functions where the definition is a constant, so it need not be fast where it is none.
 */
static Datum
match_columns(FunctionCallInfo fcinfo, StratumTarget target)
{
	Cache	   *cache = get_cache(fcinfo);

	if (!cache->constant)
	{
		Program    *program;

		forget_program(cache);
		if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
			PG_RETURN_BOOL(false);
		program = leakproof_program(fcinfo, target);
		if (program != NULL)
			keep_program(fcinfo, cache, program, PG_GETARG_JSONB_P(0));
		cache->constant = stratum_argument_is_constant(fcinfo, 0) && stratum_argument_is_constant(fcinfo, 1);
	}
	if (cache->program == NULL)
		PG_RETURN_BOOL(false);
	stratum_program_columns(cache->program, &fcinfo->args[2]);
	PG_RETURN_BOOL(stratum_program_matches(cache->program, 0));
}

/* _profile_matches(conditions jsonb, columns text[], VARIADIC "any") -> boolean */
PG_FUNCTION_INFO_V1(stratum_profile_columns_match);
Datum
stratum_profile_columns_match(PG_FUNCTION_ARGS)
{
	return match_columns(fcinfo, STRATUM_PROFILE);
}

/* _campaign_matches(conditions jsonb, columns text[], VARIADIC "any") -> boolean */
PG_FUNCTION_INFO_V1(stratum_campaign_columns_match);
Datum
stratum_campaign_columns_match(PG_FUNCTION_ARGS)
{
	return match_columns(fcinfo, STRATUM_CAMPAIGN);
}

/* --- checking --- */

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

/* --- what the SQL of version 1.0 calls: it may meet this library until the extension is updated --- */

/* fn_extra of _matching_segments */
typedef struct SegmentList
{
	Cache		cache;
	Datum		ids_argument;
	Datum		definitions_argument;
	int			count;
	Datum	   *ids;
} SegmentList;

static Datum *
read_array(FunctionCallInfo fcinfo, int argument, Oid type, int length, bool by_value, char align,
		   int *count)
{
	Datum	   *datums;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, length, by_value, align,
					  &datums, NULL, count);
	return datums;
}

static void
compile_list(FunctionCallInfo fcinfo, SegmentList *list, Oid type, int32 typmod)
{
	TupleDesc	row_type = lookup_rowtype_tupdesc(type, typmod);
	Datum	   *definitions;
	Jsonb	  **jsonbs;
	Datum	   *ids;
	int			count;
	Program    *program;
	SegmentScope scope = {.tenant = stratum_context()->tenant_id};

	forget_program(&list->cache);
	ids = read_array(fcinfo, 0, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					 &list->count);
	definitions = read_array(fcinfo, 1, JSONBOID, -1, false, TYPALIGN_INT, &count);
	if (count != list->count)
		elog(ERROR, "%d segments have %d definitions", list->count, count);
	jsonbs = palloc_extended((count + 1) * sizeof(Jsonb *), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
		jsonbs[i] = stratum_expand_segments(DatumGetJsonbP(definitions[i]), &scope);
	program = stratum_program_create(STRATUM_PROFILE, row_type, false, count, jsonbs);
	ReleaseTupleDesc(row_type);
	list->ids = MemoryContextAllocHuge(program->context, (count + 1) * sizeof(Datum));
	memcpy(list->ids, ids, count * sizeof(Datum));
	list->ids_argument = PG_GETARG_DATUM(0);
	list->definitions_argument = PG_GETARG_DATUM(1);
	MemoryContextSetParent(program->context, fcinfo->flinfo->fn_mcxt);
	list->cache.program = program;
	note_type(&list->cache, type, typmod);
}

/*
 * Comparing thousands of definitions with each row would cost more than evaluating them. A parameter
 * of a query stays where and what it is while the query runs; plpgsql's simple expressions, which
 * outlive that, are no place to call this internal function from.
 */
static bool
is_current_list(FunctionCallInfo fcinfo, const SegmentList *list, Oid type, int32 typmod)
{
	return is_current_type(&list->cache, type, typmod) &&
		get_fn_expr_arg_stable(fcinfo->flinfo, 0) && get_fn_expr_arg_stable(fcinfo->flinfo, 1) &&
		list->ids_argument == PG_GETARG_DATUM(0) &&
		list->definitions_argument == PG_GETARG_DATUM(1);
}

/*
 * _matching_segments(ids bigint[], definitions jsonb[], profile anyelement) -> bigint[]: the ids of the
 * definitions that the profile matches. Strict; the definitions must be valid.
 */
PG_FUNCTION_INFO_V1(stratum_matching_segments);
Datum
stratum_matching_segments(PG_FUNCTION_ARGS)
{
	SegmentList *list = fcinfo->flinfo->fn_extra;
	HeapTupleHeader row;
	Oid			type;
	int32		typmod;
	Datum	   *matching;
	int			count = 0;

	if (list == NULL)
	{
		check_row_argument(fcinfo, 2, "a profile");
		list = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SegmentList));
		fcinfo->flinfo->fn_extra = list;
	}
	row = PG_GETARG_HEAPTUPLEHEADER(2);
	type = HeapTupleHeaderGetTypeId(row);
	typmod = HeapTupleHeaderGetTypMod(row);
	if (!is_current_list(fcinfo, list, type, typmod))
		compile_list(fcinfo, list, type, typmod);
	stratum_program_row(list->cache.program, row);
	matching = palloc(Max(list->count, 1) * sizeof(Datum));
	for (int i = 0; i < list->count; i++)
	{
		if (stratum_program_matches(list->cache.program, i))
			matching[count++] = list->ids[i];
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(matching, count, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
