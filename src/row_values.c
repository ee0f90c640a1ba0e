/*
 * row_values.c
 *	  Finding, comparing and replacing the values of a row, for triggers.
 */
#include "stratum.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/reltrigger.h"

/* --- columns --- */

bool
stratum_is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_of_kind(Oid type, StratumKind kind)
{
	bool		is_preferred;
	char		category;

	switch (kind)
	{
		case STRATUM_ANYTHING:
			return true;
		case STRATUM_INTEGER:
			return stratum_is_integer(type);
		case STRATUM_FLOAT:
			return type == FLOAT4OID || type == FLOAT8OID;
		case STRATUM_BOOLEAN:
			return type == BOOLOID;
		case STRATUM_STRING:
			get_type_category_preferred(type, &category, &is_preferred);
			return category == TYPCATEGORY_STRING && get_typlen(type) == -1;
		case STRATUM_TIME:
			return type == TIMESTAMPTZOID;
		case STRATUM_JSON:
			return type == JSONBOID;
		case STRATUM_ADDRESS:
			return type == INETOID;
	}
	return false;
}

static const char *
name_kind(StratumKind kind)
{
	static const char *const names[] = {
		[STRATUM_ANYTHING] = "anything",
		[STRATUM_INTEGER] = "smallint, integer or bigint",
		[STRATUM_FLOAT] = "real or double precision",
		[STRATUM_BOOLEAN] = "boolean",
		[STRATUM_STRING] = "text or character varying",
		[STRATUM_TIME] = "timestamp with time zone",
		[STRATUM_JSON] = "jsonb",
		[STRATUM_ADDRESS] = "inet"
	};

	return names[kind];
}

/*
 * The number of a column, 0 if there is none of that name. One whose type somebody changed is refused:
 * its values would be taken for something that they are not.
 */
AttrNumber
stratum_find_column(TupleDesc desc, const char *name, StratumKind kind)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		if (!is_of_kind(getBaseType(attribute->atttypid), kind))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of table %s is of type %s, stratum needs %s", name,
							get_rel_name(attribute->attrelid), format_type_be(attribute->atttypid),
							name_kind(kind)),
					 errhint("Give it back its documented type; stratum.check_install() lists what has changed.")));
		return attribute->attnum;
	}
	return InvalidAttrNumber;
}

/* --- a trigger's arguments --- */

/* One that is a text[] literal, as a list of strings; empty if there is none. */
List *
stratum_trigger_names(const Trigger *trigger, int number)
{
	List	   *result = NIL;
	Datum		array;
	Datum	   *elements;
	int			count;

	if (number >= trigger->tgnargs)
		return NIL;
	array = OidInputFunctionCall(F_ARRAY_IN, trigger->tgargs[number], TEXTOID, -1);
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, &count);
	for (int i = 0; i < count; i++)
		result = lappend(result, TextDatumGetCString(elements[i]));
	return result;
}

/* --- a row taken apart --- */

StratumRow
stratum_open_row(HeapTuple tuple, TupleDesc desc)
{
	StratumRow	row = {desc, palloc(sizeof(Datum) * desc->natts), palloc(sizeof(bool) * desc->natts)};

	heap_deform_tuple(tuple, desc, row.values, row.nulls);
	return row;
}

void
stratum_put(StratumRow *row, AttrNumber column, Datum value)
{
	row->values[column - 1] = value;
	row->nulls[column - 1] = false;
}

void
stratum_put_null(StratumRow *row, AttrNumber column)
{
	row->values[column - 1] = (Datum) 0;
	row->nulls[column - 1] = true;
}

/* Into a column of any integer type; NULL, and false, where it does not fit. */
bool
stratum_put_integer(StratumRow *row, AttrNumber column, int64 number)
{
	bool		fits = true;

	switch (TupleDescAttr(row->desc, column - 1)->attlen)
	{
		case sizeof(int16):
			fits = number >= PG_INT16_MIN && number <= PG_INT16_MAX;
			stratum_put(row, column, Int16GetDatum((int16) number));
			break;
		case sizeof(int32):
			fits = number >= PG_INT32_MIN && number <= PG_INT32_MAX;
			stratum_put(row, column, Int32GetDatum((int32) number));
			break;
		default:
			stratum_put(row, column, Int64GetDatum(number));
	}
	if (!fits)
		stratum_put_null(row, column);
	return fits;
}

void
stratum_put_float(StratumRow *row, AttrNumber column, double number)
{
	if (TupleDescAttr(row->desc, column - 1)->attlen == sizeof(float4))
		stratum_put(row, column, Float4GetDatum((float4) number));
	else
		stratum_put(row, column, Float8GetDatum(number));
}

/* --- values --- */

/* The value of a column of any integer type, or of a domain over one. */
int64
stratum_integer(Form_pg_attribute attribute, Datum value)
{
	switch (attribute->attlen)
	{
		case sizeof(int16):
			return DatumGetInt16(value);
		case sizeof(int32):
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

/* Whether two hashes are the same: a client may write the hex digits in capitals. */
bool
stratum_same_hash(const text *a, const text *b)
{
	const char *left = VARDATA_ANY(a);
	const char *right = VARDATA_ANY(b);
	Size		size = VARSIZE_ANY_EXHDR(a);

	if (size != VARSIZE_ANY_EXHDR(b))
		return false;
	for (Size i = 0; i < size; i++)
	{
		if (fold_ascii(left[i]) != fold_ascii(right[i]))
			return false;
	}
	return true;
}

/*
 * Whether two values of a column are the same to the byte. The stored form is compared first, so
 * that a value kept out of line which nobody touched is not fetched: its pointer is equal.
 */
bool
stratum_same_value(Form_pg_attribute attribute, Datum a, bool a_null, Datum b, bool b_null)
{
	if (a_null || b_null)
		return a_null && b_null;
	if (attribute->attbyval)
		return a == b;
	if (attribute->attlen == -1)
	{
		const char *left = DatumGetPointer(a);
		const char *right = DatumGetPointer(b);
		Size		size = VARSIZE_ANY(left);

		if (left == right)
			return true;
		if (size == VARSIZE_ANY(right) && memcmp(left, right, size) == 0)
			return true;
	}
	return datum_image_eq(a, b, attribute->attbyval, attribute->attlen);
}

/*
 * The tuple itself where no value was replaced, otherwise a copy with the new ones. "was" is what the
 * tuple was taken apart into: values that nobody touched still have the same Datum.
 */
HeapTuple
stratum_changed_tuple(HeapTuple tuple, TupleDesc desc, const Datum *was, const bool *was_null,
					  Datum *values, bool *nulls)
{
	bool	   *replace = palloc(sizeof(bool) * desc->natts);
	bool		any = false;

	for (int i = 0; i < desc->natts; i++)
	{
		replace[i] = nulls[i] != was_null[i] || (!nulls[i] && values[i] != was[i]);
		any |= replace[i];
	}
	return any ? heap_modify_tuple(tuple, desc, values, nulls, replace) : tuple;
}
