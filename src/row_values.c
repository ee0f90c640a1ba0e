/*
 * row_values.c
 *	  Comparing and replacing the values of a row, for triggers.
 */
#include "stratum.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

/* --- columns --- */

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
			return type == INT4OID || type == INT8OID;
		case STRATUM_FLOAT:
			return type == FLOAT8OID;
		case STRATUM_BOOLEAN:
			return type == BOOLOID;
		case STRATUM_STRING:
			get_type_category_preferred(type, &category, &is_preferred);
			return category == TYPCATEGORY_STRING && get_typlen(type) == -1;
		case STRATUM_TIME:
			return type == TIMESTAMPTZOID || type == TIMESTAMPOID;
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
		[STRATUM_INTEGER] = "integer or bigint",
		[STRATUM_FLOAT] = "double precision",
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

/* --- values --- */

bool
stratum_same_text(const text *a, const text *b)
{
	Size		size = VARSIZE_ANY_EXHDR(a);

	return size == VARSIZE_ANY_EXHDR(b) && memcmp(VARDATA_ANY(a), VARDATA_ANY(b), size) == 0;
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
