/*
 * conditions_columns.c
 *	  Rows whose columns are given one by one, behind an array of their names.
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Whether an argument is a constant of the query: it cannot change between calls. */
bool
stratum_argument_is_constant(FunctionCallInfo fcinfo, int argument)
{
	Node	   *call = fcinfo->flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) &&
		argument < list_length(((FuncExpr *) call)->args) &&
		IsA(list_nth(((FuncExpr *) call)->args, argument), Const);
}

/* A row of traits alone. */
TupleDesc
stratum_traits_type(void)
{
	TupleDesc	row_type = CreateTemplateTupleDesc(1);

	TupleDescInitEntry(row_type, 1, "traits", JSONBOID, -1, 0);
	return row_type;
}

/* The columns of its row type that a program asks about; the first column where it asks about none. */
TupleDesc
stratum_asked_columns(const Program *program)
{
	int			count = Max(program->ncolumns, 1);
	TupleDesc	columns = CreateTemplateTupleDesc(count);

	for (int i = 0; i < count; i++)
		TupleDescCopyEntry(columns, i + 1, program->row_type,
						   program->ncolumns > 0 ? program->columns[i].number : 1);
	return columns;
}

/* The type of a row with columns of these names and types; NULL where the two do not fit together. */
static TupleDesc
make_row_type(Datum array, const Oid *types, int ntypes)
{
	TupleDesc	row_type;
	Datum	   *names;
	bool	   *nulls;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, &nulls, &count);
	if (count != ntypes || count == 0)
		return NULL;
	row_type = CreateTemplateTupleDesc(count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i] || !OidIsValid(types[i]) || types[i] == UNKNOWNOID)
			return NULL;
		TupleDescInitEntry(row_type, i + 1, TextDatumGetCString(names[i]), types[i], -1, 0);
	}
	return row_type;
}

/*
 * The type of the row that a function is given: `names_argument` is a text[], each argument behind it the
 * column of the name at the same place.
 */
TupleDesc
stratum_given_columns(FunctionCallInfo fcinfo, int names_argument)
{
	int			first = names_argument + 1;
	int			count = PG_NARGS() - first;
	Oid			types[FUNC_MAX_ARGS];

	if (get_fn_expr_variadic(fcinfo->flinfo))
		return NULL;
	for (int i = 0; i < count; i++)
		types[i] = get_fn_expr_argtype(fcinfo->flinfo, first + i);
	return make_row_type(PG_GETARG_DATUM(names_argument), types, count);
}

/* The same of a call that is being planned. */
TupleDesc
stratum_named_columns(Datum names, List *columns)
{
	Oid			types[FUNC_MAX_ARGS];
	int			count = 0;
	ListCell   *cell;

	if (list_length(columns) > FUNC_MAX_ARGS)
		return NULL;
	foreach(cell, columns)
		types[count++] = exprType(lfirst(cell));
	return make_row_type(names, types, count);
}
