/*
 * row_values.c
 *	  Comparing and replacing the values of a row, for triggers.
 */
#include "stratum.h"

#include "access/htup_details.h"
#include "utils/datum.h"

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
