/*
 * datum_to_json.c
 *	  A datum of any type as jsonb: what pg_catalog.to_jsonb makes of it.
 *
 * to_jsonb takes the type of its argument from the expression it was called by. We have none, so
 * every encoder carries one: a call on a constant of the type.
 */
#include "stratum.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

static Node *
make_call_on_type(Oid type)
{
	Const	   *argument = makeNullConst(type, -1, InvalidOid);

	return (Node *) makeFuncExpr(F_TO_JSONB, JSONBOID, list_make1(argument),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/*
 * Prepares `encoder` for values of `type`. What it needs is allocated in `context`, which must live
 * as long as the encoder is used.
 */
void
stratum_json_encoder_init(StratumJsonEncoder *encoder, Oid type, MemoryContext context)
{
	MemoryContext before = MemoryContextSwitchTo(context);

	encoder->is_jsonb = getBaseType(type) == JSONBOID;
	fmgr_info_cxt(F_TO_JSONB, &encoder->to_jsonb, context);
	fmgr_info_set_expr(make_call_on_type(type), &encoder->to_jsonb);
	MemoryContextSwitchTo(before);
}

/*
 * The value as jsonb, in the current memory context; a jsonb value that needs no detoasting is
 * returned as it is. A scalar becomes a root scalar. `value` is not a NULL.
 */
Jsonb *
stratum_json_encode(StratumJsonEncoder *encoder, Datum value)
{
	if (encoder->is_jsonb)
		return DatumGetJsonbP(value);
	return DatumGetJsonbP(FunctionCall1(&encoder->to_jsonb, value));
}
