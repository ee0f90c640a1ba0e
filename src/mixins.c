/*
 * mixins.c
 *	  The BEFORE row trigger that every stratum table has: what the server keeps right by itself.
 *
 * The trigger's arguments, both text[] literals, say what a table needs beyond the columns that are
 * known by name (id, tenant_id, updated_at, is_deleted, deleted_at):
 *
 *	1. features: metrics, email, phone, profile_conditions, campaign_conditions
 *	2. columns in which an INSERT's explicit NULL means the column's default
 *
 * What is looked up about the table lives in fn_extra, that is, for one statement: the table cannot
 * change under it, and nothing has to be invalidated.
 */
#include "stratum.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* Columns by number; 0: the table has none of that name. */
typedef struct Mixin
{
	AttrNumber	id, tenant_id, updated_at, is_deleted, deleted_at, conditions, slug;
	AttrNumber	email, email_hash, phone, phone_hash;
	AttrNumber	spend, revenue, impressions, clicks, conversions;
	AttrNumber	ctr, cpc, cpm, cpa, roas;
	StratumTarget target;
	int			nfilled;
	AttrNumber *filled;
} Mixin;

typedef StratumRow Row;

static Row
copy_row(const Row *row)
{
	int			count = row->desc->natts;
	Row			copy = {row->desc, palloc(sizeof(Datum) * count), palloc(sizeof(bool) * count)};

	memcpy(copy.values, row->values, sizeof(Datum) * count);
	memcpy(copy.nulls, row->nulls, sizeof(bool) * count);
	return copy;
}

static inline bool
is_null(const Row *row, AttrNumber column)
{
	return row->nulls[column - 1];
}

static inline Datum
value_of(const Row *row, AttrNumber column)
{
	return row->values[column - 1];
}

static bool
same_column(const Row *a, const Row *b, AttrNumber column)
{
	return stratum_same_value(TupleDescAttr(a->desc, column - 1),
							  value_of(a, column), is_null(a, column),
							  value_of(b, column), is_null(b, column));
}

/* --- what the trigger knows about its table --- */

static void
add_metrics(Mixin *mixin, TupleDesc desc)
{
	mixin->spend = stratum_find_column(desc, "total_spend_cents", STRATUM_INTEGER);
	mixin->revenue = stratum_find_column(desc, "revenue_cents", STRATUM_INTEGER);
	mixin->impressions = stratum_find_column(desc, "impressions", STRATUM_INTEGER);
	mixin->clicks = stratum_find_column(desc, "clicks", STRATUM_INTEGER);
	mixin->conversions = stratum_find_column(desc, "conversions", STRATUM_INTEGER);
	mixin->ctr = stratum_find_column(desc, "ctr", STRATUM_FLOAT);
	mixin->cpc = stratum_find_column(desc, "cpc_cents", STRATUM_INTEGER);
	mixin->cpm = stratum_find_column(desc, "cpm_cents", STRATUM_INTEGER);
	mixin->cpa = stratum_find_column(desc, "cpa_cents", STRATUM_INTEGER);
	mixin->roas = stratum_find_column(desc, "roas", STRATUM_FLOAT);
}

static void
add_feature(Mixin *mixin, TupleDesc desc, const char *feature)
{
	if (strcmp(feature, "metrics") == 0)
		add_metrics(mixin, desc);
	else if (strcmp(feature, "email") == 0)
	{
		mixin->email = stratum_find_column(desc, "email", STRATUM_STRING);
		mixin->email_hash = stratum_find_column(desc, "email_hash", STRATUM_STRING);
	}
	else if (strcmp(feature, "phone") == 0)
	{
		mixin->phone = stratum_find_column(desc, "phone", STRATUM_STRING);
		mixin->phone_hash = stratum_find_column(desc, "phone_hash", STRATUM_STRING);
	}
	else if (strcmp(feature, "profile_conditions") == 0 || strcmp(feature, "campaign_conditions") == 0)
	{
		mixin->conditions = stratum_find_column(desc, "conditions", STRATUM_JSON);
		mixin->target = feature[0] == 'p' ? STRATUM_PROFILE : STRATUM_CAMPAIGN;
		/* what others call it in their definitions */
		if (mixin->target == STRATUM_PROFILE)
			mixin->slug = stratum_find_column(desc, "slug", STRATUM_STRING);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown feature \"%s\" of the mixin trigger", feature)));
}

static Mixin *
describe_table(TriggerData *trigger_data)
{
	TupleDesc	desc = RelationGetDescr(trigger_data->tg_relation);
	Mixin	   *mixin = palloc0(sizeof(Mixin));
	List	   *features = stratum_trigger_names(trigger_data->tg_trigger, 0);
	List	   *filled = stratum_trigger_names(trigger_data->tg_trigger, 1);
	ListCell   *cell;

	mixin->id = stratum_find_column(desc, "id", STRATUM_ANYTHING);
	mixin->tenant_id = stratum_find_column(desc, "tenant_id", STRATUM_INTEGER);
	mixin->updated_at = stratum_find_column(desc, "updated_at", STRATUM_TIME);
	mixin->is_deleted = stratum_find_column(desc, "is_deleted", STRATUM_BOOLEAN);
	mixin->deleted_at = stratum_find_column(desc, "deleted_at", STRATUM_TIME);

	foreach(cell, features)
		add_feature(mixin, desc, lfirst(cell));

	mixin->filled = palloc(sizeof(AttrNumber) * (list_length(filled) + 1));
	foreach(cell, filled)
	{
		AttrNumber	column = stratum_find_column(desc, lfirst(cell), STRATUM_ANYTHING);

		if (column != InvalidAttrNumber)	/* a user may have dropped it */
			mixin->filled[mixin->nfilled++] = column;
	}
	return mixin;
}

/* --- INSERT: an explicit NULL is what the column's default says --- */

/* Evaluates the default of a column, copied into the caller's memory context. */
static Datum
column_default(Relation relation, AttrNumber column, bool *isnull)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), column - 1);
	Node	   *expression = build_column_default(relation, column);
	EState	   *estate;
	Datum		result;

	*isnull = true;
	if (expression == NULL)
		return (Datum) 0;
	estate = CreateExecutorState();
	result = ExecEvalExprSwitchContext(ExecPrepareExpr((Expr *) expression, estate),
									   GetPerTupleExprContext(estate), isnull);
	if (!*isnull)
		result = datumCopy(result, attribute->attbyval, attribute->attlen);
	FreeExecutorState(estate);
	return result;
}

static void
put_tenant(const Mixin *mixin, Relation relation, Row *row, int64 tenant_id)
{
	if (!stratum_put_integer(row, mixin->tenant_id, tenant_id))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("tenant " INT64_FORMAT " does not fit column \"tenant_id\" of table %s",
						tenant_id, RelationGetRelationName(relation))));
}

static void
fill_defaults(const Mixin *mixin, Relation relation, Row *row)
{
	int64		tenant_id = stratum_context()->tenant_id;

	if (mixin->tenant_id && is_null(row, mixin->tenant_id) && tenant_id != 0)
		put_tenant(mixin, relation, row, tenant_id);

	for (int i = 0; i < mixin->nfilled; i++)
	{
		AttrNumber	column = mixin->filled[i];

		if (is_null(row, column))
			row->values[column - 1] = column_default(relation, column, &row->nulls[column - 1]);
	}
}

/* --- UPDATE: a row keeps its id and its tenant --- */

static void
refuse_moves(const Mixin *mixin, Relation relation, const Row *old, const Row *new)
{
	if (mixin->id && !same_column(old, new, mixin->id))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("the id of a row of \"%s\" cannot be changed", RelationGetRelationName(relation)),
				 errhint("Insert a new row instead.")));
	if (mixin->tenant_id && !same_column(old, new, mixin->tenant_id))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a row of \"%s\" cannot be moved to another tenant",
						RelationGetRelationName(relation)),
				 errhint("Insert it for the other tenant instead.")));
}

/* --- hashes of addresses --- */

/*
 * A hash that is NULL is filled where the address is plain. When the address changes, the hash
 * follows it if it was the old address's hash and the client did not set it in the same statement;
 * any other hash is the client's own, who encrypts addresses, and stays.
 */
static void
keep_hash(AttrNumber address, AttrNumber hash, bool (*is_plain) (const text *),
		  text *(*compute) (const text *), const Row *old, Row *new)
{
	text	   *plain = NULL;
	text	   *fresh;

	if (!address || !hash)
		return;
	if (!is_null(new, address))
		plain = DatumGetTextPP(value_of(new, address));
	if (plain != NULL && !is_plain(plain))
		return;

	if (!is_null(new, hash))
	{
		text	   *was;

		if (old == NULL || is_null(old, address) || is_null(old, hash) ||
			same_column(old, new, address) || !same_column(old, new, hash))
			return;
		was = compute(DatumGetTextPP(value_of(old, address)));
		if (was == NULL || !stratum_same_hash(was, DatumGetTextPP(value_of(old, hash))))
			return;
	}
	fresh = plain != NULL ? compute(plain) : NULL;
	if (fresh != NULL)
		stratum_put(new, hash, PointerGetDatum(fresh));
	else
		stratum_put_null(new, hash);
}

/* --- metrics of a campaign --- */

static bool
get_count(const Row *row, AttrNumber column, int64 *result)
{
	if (!column || is_null(row, column))
		return false;
	*result = stratum_integer(TupleDescAttr(row->desc, column - 1), value_of(row, column));
	return true;
}

/* cents * multiplier / divisor into an integer column; NULL where it has no value or does not fit */
static void
put_cents(Row *row, AttrNumber column, AttrNumber cents, int64 multiplier, AttrNumber divisor)
{
	int64		a, b, result;

	if (!column)
		return;
	if (!get_count(row, cents, &a) || !get_count(row, divisor, &b) ||
		!stratum_cents_ratio(a, multiplier, b, &result))
		stratum_put_null(row, column);
	else
		(void) stratum_put_integer(row, column, result);
}

static void
put_ratio(Row *row, AttrNumber column, AttrNumber numerator, double multiplier, AttrNumber divisor)
{
	int64		a, b;
	double		result;

	if (!column)
		return;
	if (get_count(row, numerator, &a) && get_count(row, divisor, &b) &&
		stratum_float_ratio(a, multiplier, b, &result))
		stratum_put_float(row, column, result);
	else
		stratum_put_null(row, column);
}

static void
keep_metrics(const Mixin *mixin, Row *row)
{
	put_ratio(row, mixin->ctr, mixin->clicks, 100.0, mixin->impressions);
	put_cents(row, mixin->cpc, mixin->spend, 1, mixin->clicks);
	put_cents(row, mixin->cpm, mixin->spend, 1000, mixin->impressions);
	put_cents(row, mixin->cpa, mixin->spend, 1, mixin->conversions);
	put_ratio(row, mixin->roas, mixin->revenue, 1.0, mixin->spend);
}

/* --- soft delete, conditions, updated_at --- */

static bool
is_true(const Row *row, AttrNumber column)
{
	return row != NULL && !is_null(row, column) && DatumGetBool(value_of(row, column));
}

/* The limits of the tenant count it again; see limits.c. */
static void
note_restored(const Mixin *mixin, Relation relation, const Row *old, const Row *new)
{
	if (mixin->is_deleted && is_true(old, mixin->is_deleted) && !is_true(new, mixin->is_deleted))
		stratum_note_restored(RelationGetRelid(relation));
}

/* is_deleted going true sets deleted_at, unless the client set it too; going false clears it. */
static void
keep_deleted_at(const Mixin *mixin, const Row *old, Row *new)
{
	bool		was, is, untouched;

	if (!mixin->is_deleted || !mixin->deleted_at)
		return;
	was = is_true(old, mixin->is_deleted);
	is = is_true(new, mixin->is_deleted);
	untouched = is_null(new, mixin->deleted_at) ||
		(old != NULL && same_column(old, new, mixin->deleted_at));
	if (is && !was && untouched)
		stratum_put(new, mixin->deleted_at, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
	else if (was && !is)
		stratum_put_null(new, mixin->deleted_at);
}

static int64
get_number(const Row *row, AttrNumber column)
{
	if (!column || is_null(row, column))
		return 0;
	return stratum_integer(TupleDescAttr(row->desc, column - 1), value_of(row, column));
}

/* Under another slug too a segment may come to contain itself. */
static void
check_conditions(const Mixin *mixin, const Row *old, const Row *new)
{
	Jsonb	   *conditions;
	SegmentScope scope = {.fresh = true};

	if (!mixin->conditions || is_null(new, mixin->conditions))
		return;
	if (old != NULL && same_column(old, new, mixin->conditions) &&
		(!mixin->slug || same_column(old, new, mixin->slug)))
		return;
	conditions = DatumGetJsonbP(value_of(new, mixin->conditions));
	if (mixin->target != STRATUM_PROFILE)
	{
		stratum_validate_conditions(conditions, mixin->target);
		return;
	}
	scope.tenant = get_number(new, mixin->tenant_id);
	scope.id = get_number(new, mixin->id);
	if (mixin->slug && !is_null(new, mixin->slug))
		scope.slug = TextDatumGetCString(value_of(new, mixin->slug));
	stratum_validate_segment(conditions, &scope);
}

static void
keep_updated_at(const Mixin *mixin, const Row *old, Row *new)
{
	if (!mixin->updated_at)
		return;
	for (AttrNumber column = 1; column <= new->desc->natts; column++)
	{
		if (TupleDescAttr(new->desc, column - 1)->attisdropped || same_column(old, new, column))
			continue;
		stratum_put(new, mixin->updated_at, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
		return;
	}
}

static void
check_protocol(FunctionCallInfo fcinfo)
{
	TriggerEvent event;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum._mixin() was not called by a trigger")));
	event = ((TriggerData *) fcinfo->context)->tg_event;
	if (!TRIGGER_FIRED_BEFORE(event) || !TRIGGER_FIRED_FOR_ROW(event) || TRIGGER_FIRED_BY_DELETE(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum._mixin() must be fired before INSERT or UPDATE for each row")));
}

PG_FUNCTION_INFO_V1(stratum_mixin);
Datum
stratum_mixin(PG_FUNCTION_ARGS)
{
	TriggerData *trigger_data = (TriggerData *) fcinfo->context;
	Relation	relation;
	Mixin	   *mixin;
	Row			before, given, row;
	Row		   *old = NULL;
	HeapTuple	tuple;

	check_protocol(fcinfo);
	relation = trigger_data->tg_relation;
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		fcinfo->flinfo->fn_extra = describe_table(trigger_data);
		MemoryContextSwitchTo(caller);
	}
	mixin = fcinfo->flinfo->fn_extra;

	if (TRIGGER_FIRED_BY_UPDATE(trigger_data->tg_event))
	{
		before = stratum_open_row(trigger_data->tg_trigtuple, RelationGetDescr(relation));
		old = &before;
		tuple = trigger_data->tg_newtuple;
	}
	else
		tuple = trigger_data->tg_trigtuple;
	given = stratum_open_row(tuple, RelationGetDescr(relation));
	row = copy_row(&given);

	if (old != NULL)
		refuse_moves(mixin, relation, old, &row);
	else
		fill_defaults(mixin, relation, &row);
	keep_hash(mixin->email, mixin->email_hash, stratum_is_plain_email, stratum_email_hash, old, &row);
	keep_hash(mixin->phone, mixin->phone_hash, stratum_is_plain_phone, stratum_phone_hash, old, &row);
	keep_metrics(mixin, &row);
	keep_deleted_at(mixin, old, &row);
	note_restored(mixin, relation, old, &row);
	check_conditions(mixin, old, &row);
	if (old != NULL)
		keep_updated_at(mixin, old, &row);

	/* PostgreSQL copies what it keeps; the rest goes with the per-row memory context. */
	return PointerGetDatum(stratum_changed_tuple(tuple, row.desc, given.values, given.nulls,
												 row.values, row.nulls));
}
