/*
 * conditions_plan.c
 *	  What the planner is told about a definition that is a constant.
 *
 * A call on a whole row, or on traits, becomes a call of an internal function on the columns that the
 * definition names: the row need not be put together, the call can be an index condition, and under row
 * security it may be one, since the internal function is leakproof. The public ones cannot be that: they
 * raise on a bad definition, and a session may pass another column as the definition.
 */
#include "conditions.h"

#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* A row, as the columns that it is made of. */
typedef struct Parts
{
	TupleDesc	row_type;
	List	   *expressions;	/* one a column */
	bool		lenient;		/* other columns are missing, not an error */
} Parts;

/* The value of an argument that is a constant and not NULL. */
static bool
constant_argument(List *args, int number, Datum *value)
{
	Const	   *constant = list_nth(args, number);

	if (!IsA(constant, Const) || constant->constisnull)
		return false;
	*value = constant->constvalue;
	return true;
}

/* --- columns instead of rows --- */

/*
 * Whether there is something to simplify. Without a query, as in an index's expression, what is stored stays as it
 * was written. Who may not call the function is to be told so when it is called. A plan that is kept holds for
 * who may call the internal function too, so it is made anew for another user.
 */
static bool
is_to_be_simplified(SupportRequestSimplify *request, Datum *definition)
{
	if (request->root == NULL || !constant_argument(request->fcall->args, 0, definition))
		return false;
	request->root->glob->dependsOnRole = true;
	return stratum_may_execute(request->fcall->funcid, GetUserId());
}

/*
 * The internal function that takes columns; InvalidOid where the user may not call it: then the call stays as
 * it is.
 */
static Oid
internal_function(StratumTarget target)
{
	Oid			types[] = {JSONBOID, TEXTARRAYOID, ANYOID};
	char	   *name = target == STRATUM_PROFILE ? "_profile_matches" : "_campaign_matches";
	Oid			function = LookupFuncName(list_make2(makeString(STRATUM_SCHEMA), makeString(name)),
										  lengthof(types), types, true);

	if (!OidIsValid(function) || !stratum_may_execute(function, GetUserId()))
		return InvalidOid;
	return function;
}

static Node *
make_column_call(StratumTarget target, Node *definition, List *names, List *columns)
{
	Oid			function = internal_function(target);
	Datum	   *texts = palloc(list_length(names) * sizeof(Datum));
	int			count = 0;
	ArrayType  *array;
	Const	   *constant;
	ListCell   *cell;

	if (!OidIsValid(function))
		return NULL;
	foreach(cell, names)
		texts[count++] = CStringGetTextDatum(lfirst(cell));
	array = construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT);
	constant = makeConst(TEXTARRAYOID, -1, InvalidOid, -1, PointerGetDatum(array), false, false);
	return (Node *) makeFuncExpr(function, BOOLOID, lcons(definition, lcons(constant, columns)),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/* A column of a whole-row variable. */
static Node *
column_of_variable(const Var *row, Form_pg_attribute attribute)
{
	Var		   *column = copyObject(unconstify(Var *, row));

	column->varattno = column->varattnosyn = attribute->attnum;
	column->vartype = attribute->atttypid;
	column->vartypmod = attribute->atttypmod;
	column->varcollid = attribute->attcollation;
	return (Node *) column;
}

/*
 * Whether an outer join may make a row of the table NULL. Before version 16 a variable does not know, so there
 * any outer join of the query counts. OLD and NEW of RETURNING, from 18 on, may be no row at all.
 */
static bool
may_be_null_row(PlannerInfo *root, const Var *row)
{
	ListCell   *cell;

	if (STRATUM_KNOWS_NULLING(row))
		return STRATUM_IS_NULLABLE(row);
	foreach(cell, root->parse->rtable)
	{
		RangeTblEntry *entry = lfirst(cell);

		if (entry->rtekind == RTE_JOIN && IS_OUTER_JOIN(entry->jointype))
			return true;
	}
	return false;
}

/* Is the row itself, or its like, in an expression of this level of the query? */
static bool
mentions_row(Node *node, void *row)
{
	if (node == NULL)
		return false;
	if (IsA(node, RowExpr) && IsA(row, RowExpr))
		return true;
	if (IsA(node, Var) && IsA(row, Var) && ((Var *) node)->varno == ((Var *) row)->varno &&
		((Var *) node)->varattno == InvalidAttrNumber && ((Var *) node)->varlevelsup == 0)
		return true;
	return expression_tree_walker(node, mentions_row, row);
}

/*
 * Whether the call may be asked above grouping sets. There what is not grouped by becomes NULL: the row as a whole
 * if it is grouped by, or columns but not the row. Either way its columns do not say what the row does.
 */
static bool
may_be_regrouped(PlannerInfo *root, Node *row)
{
	const Query *query = root->parse;

	return query->groupingSets != NIL &&
		(mentions_row((Node *) query->targetList, row) || mentions_row(query->havingQual, row));
}

/*
 * Whether a variable stands for rows of a table that cannot be NULL. On the far side of an outer join they
 * can: the function is NULL for such a row, but not for columns that are all NULL.
 */
static bool
is_row_of_table(PlannerInfo *root, const Var *row)
{
	RangeTblEntry *entry;

	if (row->varattno != InvalidAttrNumber || row->varlevelsup != 0 || row->vartype == RECORDOID)
		return false;
	entry = rt_fetch(row->varno, root->parse->rtable);
	return entry->rtekind == RTE_RELATION && get_rel_type_id(entry->relid) == row->vartype &&
		!may_be_null_row(root, row);
}

static bool
take_apart_variable(PlannerInfo *root, Var *row, Parts *parts)
{
	if (!is_row_of_table(root, row))
		return false;
	parts->row_type = lookup_rowtype_tupdesc_copy(row->vartype, -1);
	for (int i = 0; i < parts->row_type->natts; i++)
		parts->expressions = lappend(parts->expressions,
									 column_of_variable(row, TupleDescAttr(parts->row_type, i)));
	return true;
}

/* ROW(...), which is also what the rows of a sub-query or view become when it is merged into the query. */
static bool
take_apart_constructor(RowExpr *row, Parts *parts)
{
	ListCell   *cell;
	int			i = 0;

	if (contain_volatile_functions((Node *) row))
		return false;
	parts->expressions = row->args;
	if (row->row_typeid != RECORDOID)
	{
		parts->row_type = lookup_rowtype_tupdesc_copy(row->row_typeid, -1);
		return parts->row_type->natts == list_length(row->args);
	}
	parts->row_type = ExecTypeFromExprList(row->args);
	if (list_length(row->colnames) != parts->row_type->natts)
		return false;
	foreach(cell, row->colnames)
		namestrcpy(&TupleDescAttr(parts->row_type, i++)->attname, strVal(lfirst(cell)));
	return true;
}

static bool
take_apart(PlannerInfo *root, Node *row, Parts *parts)
{
	if (may_be_regrouped(root, row))
		return false;
	if (IsA(row, Var))
		return take_apart_variable(root, (Var *) row, parts);
	return IsA(row, RowExpr) && take_apart_constructor((RowExpr *) row, parts);
}

/*
 * The call that does the same with the columns alone, or NULL where there is none. Raises for a definition that
 * cannot mean anything.
 */
static Node *
call_with_columns(StratumTarget target, Node *definition, Datum value, const Parts *parts)
{
	Jsonb	   *jsonb = DatumGetJsonbP(value);
	Program    *program = stratum_program_create(target, parts->row_type, parts->lenient, 1, &jsonb);
	List	   *names = NIL;
	List	   *columns = NIL;

	if (program->trees[0] == NULL)
		return makeBoolConst(false, false);
	if (!stratum_program_is_leakproof(program))
		return NULL;
	for (int i = 0; i < program->ncolumns; i++)
	{
		const Column *column = &program->columns[i];

		if (column->number == 0)
			continue;
		names = lappend(names, column->name);
		columns = lappend(columns, list_nth(parts->expressions, column->number - 1));
	}
	if (names == NIL)
	{
		names = list_make1("traits");
		columns = parts->expressions;
	}
	if (list_length(names) > FUNC_MAX_ARGS - 2)
		return NULL;
	return make_column_call(target, definition, names, columns);
}

static Node *
simplify_row_call(SupportRequestSimplify *request, StratumTarget target)
{
	List	   *args = request->fcall->args;
	Parts		parts = {0};
	Datum		definition;

	if (!is_to_be_simplified(request, &definition) || !take_apart(request->root, lsecond(args), &parts))
		return NULL;
	return call_with_columns(target, linitial(args), definition, &parts);
}

static Node *
simplify_traits_call(SupportRequestSimplify *request)
{
	List	   *args = request->fcall->args;
	Parts		parts = {stratum_traits_type(), list_make1(lsecond(args)), true};
	Datum		definition;

	if (!is_to_be_simplified(request, &definition))
		return NULL;
	return call_with_columns(STRATUM_PROFILE, linitial(args), definition, &parts);
}

/* --- the internal functions: (definition, names, column...) --- */

/*
 * The program of a call, or NULL where it has no constant that means something. What the function itself would not
 * ask, since it might tell more than its answer, is not asked about the columns' statistics either.
 */
static Program *
program_of_call(StratumTarget target, List *args)
{
	Datum		definition,
				names;
	TupleDesc	row_type;
	Jsonb	   *jsonb;
	Program    *program;

	if (!constant_argument(args, 0, &definition) || !constant_argument(args, 1, &names))
		return NULL;
	row_type = stratum_named_columns(names, list_copy_tail(args, 2));
	if (row_type == NULL)
		return NULL;
	jsonb = DatumGetJsonbP(definition);
	program = stratum_program_try_create(target, row_type, 1, &jsonb, NULL);
	return program != NULL && stratum_program_is_leakproof(program) ? program : NULL;
}

static List *
index_condition(SupportRequestIndexCondition *request, StratumTarget target)
{
	List	   *args;
	Program    *program;
	Expr	   *condition;

	if (!IsA(request->node, FuncExpr) || request->indexarg < 2)
		return NIL;
	args = ((FuncExpr *) request->node)->args;
	program = program_of_call(target, args);
	if (program == NULL)
		return NIL;
	condition = stratum_jsonpath_condition(program, request->indexarg - 1,
										   list_nth(args, request->indexarg), request->opfamily);
	/* It finds every row that matches, and some that do not. */
	request->lossy = true;
	return condition ? list_make1(condition) : NIL;
}

static bool
estimate_selectivity(SupportRequestSelectivity *request, StratumTarget target)
{
	Program    *program;

	if (request->is_join)
		return false;
	program = program_of_call(target, request->args);
	if (program == NULL)
		return false;
	request->selectivity = stratum_selectivity(program, request->root, request->funcid,
											   list_copy_tail(request->args, 2), request->varRelid);
	return true;
}

static bool
estimate_cost(SupportRequestCost *request, StratumTarget target)
{
	Program    *program;

	if (request->node == NULL || !IsA(request->node, FuncExpr))
		return false;
	program = program_of_call(target, ((FuncExpr *) request->node)->args);
	if (program == NULL)
		return false;
	request->startup = 0;
	request->per_tuple = stratum_call_cost(program);
	return true;
}

static Node *
answer_about_columns(Node *request, StratumTarget target)
{
	if (IsA(request, SupportRequestIndexCondition))
		return (Node *) index_condition((SupportRequestIndexCondition *) request, target);
	if (IsA(request, SupportRequestSelectivity))
		return estimate_selectivity((SupportRequestSelectivity *) request, target) ? request : NULL;
	if (IsA(request, SupportRequestCost))
		return estimate_cost((SupportRequestCost *) request, target) ? request : NULL;
	return NULL;
}

static Node *
answer_about_rows(Node *request, StratumTarget target)
{
	if (IsA(request, SupportRequestSimplify))
		return simplify_row_call((SupportRequestSimplify *) request, target);
	return NULL;
}

/* --- support functions --- */

PG_FUNCTION_INFO_V1(stratum_segment_matches_support);
Datum
stratum_segment_matches_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(answer_about_rows((Node *) PG_GETARG_POINTER(0), STRATUM_PROFILE));
}

PG_FUNCTION_INFO_V1(stratum_campaign_matches_support);
Datum
stratum_campaign_matches_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(answer_about_rows((Node *) PG_GETARG_POINTER(0), STRATUM_CAMPAIGN));
}

PG_FUNCTION_INFO_V1(stratum_traits_match_support);
Datum
stratum_traits_match_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(simplify_traits_call((SupportRequestSimplify *) request));
	PG_RETURN_POINTER(NULL);
}

PG_FUNCTION_INFO_V1(stratum_profile_columns_support);
Datum
stratum_profile_columns_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(answer_about_columns((Node *) PG_GETARG_POINTER(0), STRATUM_PROFILE));
}

PG_FUNCTION_INFO_V1(stratum_campaign_columns_support);
Datum
stratum_campaign_columns_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(answer_about_columns((Node *) PG_GETARG_POINTER(0), STRATUM_CAMPAIGN));
}
