/*
 * conditions_explain.c
 *	  What a campaign's fields hold, for those who want to know why a rule matches or does not.
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* What fn_extra points to. */
typedef struct Explanation
{
	Program    *program;
	ArrayType  *definitions;	/* a copy, in the program's memory */
	Oid			type;
	int32		typmod;
	uint64		type_version;
} Explanation;

/* --- values to JSON --- */

/* The digits as one long integer and the place of its point; numeric_in makes a numeric of that. */
static Numeric
number_to_numeric(const Number *number)
{
	StringInfoData digits;
	Datum		numeric;

	initStringInfo(&digits);
	appendStringInfoString(&digits, number->sign < 0 ? "-0" : "0");
	for (int i = 0; i < number->ndigits; i++)
		appendStringInfo(&digits, "%04d", number->digits[i]);
	appendStringInfo(&digits, "e%d", 4 * (number->weight - number->ndigits + 1));
	numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(digits.data), ObjectIdGetDatum(InvalidOid),
								  Int32GetDatum(-1));
	return DatumGetNumeric(DirectFunctionCall1(numeric_trim_scale, numeric));
}

static void
set_string(JsonbValue *json, const char *string, int length)
{
	json->type = jbvString;
	json->val.string.val = unconstify(char *, string);
	json->val.string.len = length;
}

static void
value_to_json(const Value *value, JsonbValue *json)
{
	int			utc = 0;
	char	   *time;

	switch (value->kind)
	{
		case VALUE_STRING:
			set_string(json, value->of.string, value->length);
			break;
		case VALUE_NUMBER:
			json->type = jbvNumeric;
			json->val.numeric = number_to_numeric(&value->of.number);
			break;
		case VALUE_BOOL:
			json->type = jbvBool;
			json->val.boolean = value->of.boolean;
			break;
		case VALUE_ARRAY:
		case VALUE_OBJECT:
			json->type = jbvBinary;
			json->val.binary.data = unconstify(JsonbContainer *, value->of.container);
			json->val.binary.len = value->length;
			break;
		case VALUE_TIME:
			time = JsonEncodeDateTime(NULL, TimestampTzGetDatum(value->of.time), TIMESTAMPTZOID, &utc);
			set_string(json, time, strlen(time));
			break;
		default:
			json->type = jbvNull;
			break;
	}
}

/* --- definitions of one condition each --- */

static bool
is_current(const Explanation *kept, const ArrayType *definitions, HeapTupleHeader row)
{
	Oid			type = HeapTupleHeaderGetTypeId(row);
	int32		typmod = HeapTupleHeaderGetTypMod(row);

	return kept->program != NULL && kept->type == type && kept->typmod == typmod &&
		kept->type_version == assign_record_type_identifier(type, typmod) &&
		VARSIZE(kept->definitions) == VARSIZE(definitions) &&
		memcmp(kept->definitions, definitions, VARSIZE(definitions)) == 0;
}

static Jsonb **
open_definitions(ArrayType *array, int *count)
{
	Datum	   *elements;
	bool	   *nulls;
	Jsonb	  **definitions;

	deconstruct_array(array, JSONBOID, -1, false, TYPALIGN_INT, &elements, &nulls, count);
	definitions = palloc((*count + 1) * sizeof(Jsonb *));
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("a definition must not be NULL"));
		definitions[i] = DatumGetJsonbP(elements[i]);
	}
	return definitions;
}

/* Compiles the definitions for the row's type, and keeps them. */
static void
compile(FunctionCallInfo fcinfo, Explanation *kept, ArrayType *array, HeapTupleHeader row)
{
	int			count;
	Jsonb	  **definitions = open_definitions(array, &count);
	TupleDesc	row_type = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	Program    *program = stratum_program_create(STRATUM_CAMPAIGN, row_type, false, count, definitions);

	ReleaseTupleDesc(row_type);
	if (kept->program != NULL)
		stratum_program_free(kept->program);
	kept->program = program;
	MemoryContextSetParent(program->context, fcinfo->flinfo->fn_mcxt);
	kept->definitions = MemoryContextAlloc(program->context, VARSIZE(array));
	memcpy(kept->definitions, array, VARSIZE(array));
	kept->type = HeapTupleHeaderGetTypeId(row);
	kept->typmod = HeapTupleHeaderGetTypMod(row);
	kept->type_version = assign_record_type_identifier(kept->type, kept->typmod);
}

/* Adds {"actual": what the field holds, "holds": whether the condition does} for a definition. */
static void
push_answer(JsonbParseState **state, Program *program, int definition)
{
	const Member *tree = program->trees[definition];
	JsonbValue	json;
	int			predicate;

	if (tree == NULL || tree->nmembers != 1 || tree->members[0]->members != NULL)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a definition to be explained must have one condition"));
	predicate = tree->members[0]->predicate;
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	set_string(&json, "actual", 6);
	pushJsonbValue(state, WJB_KEY, &json);
	value_to_json(stratum_program_value(program, program->predicates[predicate].field), &json);
	pushJsonbValue(state, WJB_VALUE, &json);
	set_string(&json, "holds", 5);
	pushJsonbValue(state, WJB_KEY, &json);
	json.type = jbvBool;
	json.val.boolean = stratum_program_holds(program, predicate);
	pushJsonbValue(state, WJB_VALUE, &json);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * explain_conditions(definitions jsonb[], campaign anyelement) -> jsonb: for each definition, which has one
 * condition, what the campaign holds and whether the condition does; an array in the same order. STRICT.
 */
PG_FUNCTION_INFO_V1(stratum_explain_conditions);
Datum
stratum_explain_conditions(PG_FUNCTION_ARGS)
{
	ArrayType  *definitions = PG_GETARG_ARRAYTYPE_P(0);
	HeapTupleHeader row;
	Explanation *kept = fcinfo->flinfo->fn_extra;
	JsonbParseState *state = NULL;

	if (!type_is_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 1)))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("a campaign must be a row"));
	row = PG_GETARG_HEAPTUPLEHEADER(1);
	if (kept == NULL)
		kept = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Explanation));
	if (!is_current(kept, definitions, row))
		compile(fcinfo, kept, definitions, row);
	stratum_program_row(kept->program, row);
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < kept->program->ndefinitions; i++)
		push_answer(&state, kept->program, i);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}
