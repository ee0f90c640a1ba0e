/*
 * datum_to_json.c
 *	  A datum of any type as jsonb: what pg_catalog.to_jsonb makes of it.
 *
 * to_jsonb takes the type of its argument from the expression it was called by. We have none, so
 * every encoder carries one: a call on a constant of the type.
 *
 * json holds texts that jsonb refuses (\u0000, for one), and may be inside of arrays, rows and what
 * a cast of somebody's makes. Such values are made json first, which never fails, and then looked at.
 */
#include "stratum.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

static Node *
make_call_on_type(Oid function, Oid type)
{
	Const	   *argument = makeNullConst(type, -1, InvalidOid);

	return (Node *) makeFuncExpr(function, function == F_TO_JSON ? JSONOID : JSONBOID,
								 list_make1(argument), InvalidOid, InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

/* Whether there may be json in a value; a built-in scalar type has none, nor an array of such. */
static bool
may_hold_json(Oid type)
{
	Oid			element;

	type = getBaseType(type);
	element = get_element_type(type);
	if (OidIsValid(element))
		return may_hold_json(element);
	return type == JSONOID || type >= FirstNormalObjectId || type_is_rowtype(type);
}

/*
 * Prepares `encoder` for values of `type`. What it needs is allocated in `context`, which must live
 * as long as the encoder is used.
 */
void
stratum_json_encoder_init(StratumJsonEncoder *encoder, Oid type, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);
	Oid			function;

	encoder->is_jsonb = getBaseType(type) == JSONBOID;
	encoder->by_text = !type_is_enum(type) && may_hold_json(type);
	function = encoder->by_text ? F_TO_JSON : F_TO_JSONB;
	fmgr_info_cxt(function, &encoder->function, context);
	fmgr_info_set_expr(make_call_on_type(function, type), &encoder->function);
	MemoryContextSwitchTo(before);
}

/*
 * The value as jsonb, in the current memory context; a jsonb value that needs no detoasting is
 * returned as it is. A scalar becomes a root scalar. `value` is not a NULL. Where jsonb cannot hold
 * it the result is NULL, and *unfit, unless `unfit` is NULL, the value's json.
 */
Jsonb *
stratum_json_encode(StratumJsonEncoder *encoder, Datum value, text **unfit)
{
	Datum		result;
	text	   *json;

	if (encoder->is_jsonb)
		return DatumGetJsonbP(value);
	result = FunctionCall1(&encoder->function, value);
	if (!encoder->by_text)
		return DatumGetJsonbP(result);
	json = DatumGetTextPP(result);
	if (stratum_json_is_safe(json))
		return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(json))));
	if (unfit != NULL)
		*unfit = json;
	return NULL;
}
