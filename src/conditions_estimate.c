/*
 * conditions_estimate.c
 *	  How many rows a definition matches, and what asking it costs: for the planner.
 *
 * What ANALYZE keeps of a column is a sample of its values. The definition is simply asked about them; one
 * about several columns is put together from its predicates.
 */
#include "conditions.h"

#include <math.h>

#include "catalog/pg_statistic.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

/* Fewer values are no sample. */
#define LEAST_SAMPLE 10

/* Without one. */
#define EQUALITY_SELECTIVITY 0.01
#define MATCHES_SELECTIVITY 0.05
#define OTHER_SELECTIVITY 0.333

/* A sample does not know what is rarer. */
#define LEAST_SELECTIVITY 0.00001

/* In units of cpu_operator_cost: a call, and what a predicate costs in units of an equality. */
#define CALL_COST 2
#define PREDICATE_COST 0.25

#define WHOLE_DEFINITION (-1)

typedef struct Estimator
{
	Program    *program;
	PlannerInfo *root;
	Oid			function;
	List	   *columns;		/* expressions, in the order of the program's row */
	int			varRelid;
	NullableDatum *given;
} Estimator;

/* Whether the predicate, or the whole definition, holds for a row of which one column is known. */
static bool
holds_for(Estimator *estimator, int number, NullableDatum value, int predicate)
{
	Program    *program = estimator->program;
	bool		holds;

	/* Columns are read when they are asked about, so the value has to stay until then. */
	estimator->given[number - 1] = value;
	stratum_program_columns(program, estimator->given);
	holds = predicate == WHOLE_DEFINITION ? stratum_program_matches(program, 0) :
		stratum_program_holds(program, predicate);
	estimator->given[number - 1].isnull = true;
	return holds;
}

/* The share of a list's values for which it holds, weighted by their frequencies where there are such. */
static bool
sample_slot(Estimator *estimator, VariableStatData *variable, int kind, int number, int predicate,
			double *matching, double *all)
{
	bool		is_common = kind == STATISTIC_KIND_MCV;
	AttStatsSlot slot;

	*matching = *all = 0;
	if (!get_attstatsslot(&slot, variable->statsTuple, kind, InvalidOid,
						  ATTSTATSSLOT_VALUES | (is_common ? ATTSTATSSLOT_NUMBERS : 0)))
		return false;
	for (int i = 0; i < slot.nvalues; i++)
	{
		double		weight = is_common ? slot.numbers[i] : 1;

		*all += weight;
		if (holds_for(estimator, number, (NullableDatum) {slot.values[i], false}, predicate))
			*matching += weight;
	}
	free_attstatsslot(&slot);
	return true;
}

/*
 * From what is known of a column: how many NULLs, which values are common, and a histogram of the others. Without
 * one they are taken to be like the common ones; false where there are too few of those.
 */
static bool
sample_column(Estimator *estimator, VariableStatData *variable, int number, int predicate,
			  double *selectivity)
{
	double		nulls = ((Form_pg_statistic) GETSTRUCT(variable->statsTuple))->stanullfrac;
	double		common,
				all_common,
				matching,
				all;
	double		rest;

	sample_slot(estimator, variable, STATISTIC_KIND_MCV, number, predicate, &common, &all_common);
	rest = Max(1 - nulls - all_common, 0);
	if (sample_slot(estimator, variable, STATISTIC_KIND_HISTOGRAM, number, predicate, &matching, &all) &&
		all >= LEAST_SAMPLE)
		rest *= (matching + 0.1) / (all + 0.2);
	else if (all_common > 0)
		rest *= common / all_common;
	else if (nulls < 1)
		return false;
	if (nulls > 0 && holds_for(estimator, number, (NullableDatum) {(Datum) 0, true}, predicate))
		*selectivity = nulls;
	else
		*selectivity = 0;
	*selectivity += common + rest;
	return true;
}

/* The selectivity of what concerns one column of the program; false where it is not known. */
static bool
column_selectivity(Estimator *estimator, int column, int predicate, double *selectivity)
{
	int			number = estimator->program->columns[column].number;
	VariableStatData variable;
	bool		known = false;

	if (number == 0)
		return false;
	examine_variable(estimator->root, list_nth(estimator->columns, number - 1), estimator->varRelid,
					 &variable);
	/* Values of rows that the user may not see are asked about only by what cannot leak them. */
	if (HeapTupleIsValid(variable.statsTuple) &&
		statistic_proc_security_check(&variable, estimator->function))
		known = sample_column(estimator, &variable, number, predicate, selectivity);
	ReleaseVariableStats(variable);
	return known;
}

static double
default_selectivity(const Predicate *predicate)
{
	switch (predicate->operator)
	{
		case OP_EQUALS:
		case OP_IN:
			return EQUALITY_SELECTIVITY;
		case OP_ANNIVERSARY_WITHIN:
			return (predicate->days + 1) / 367.0;
		case OP_MATCHES:
			return MATCHES_SELECTIVITY;
		case OP_IN_SAMPLE:
			return predicate->share.is_all ? 1 : ldexp((double) predicate->share.limit, -64);
		default:
			return OTHER_SELECTIVITY;
	}
}

static double
predicate_selectivity(Estimator *estimator, int index)
{
	const Predicate *predicate = &estimator->program->predicates[index];
	const Field *field = &estimator->program->fields[predicate->field];
	double		selectivity;

	if (field->source != FIELD_EVENT && field->source != FIELD_CONVERSION_RATE &&
		column_selectivity(estimator, field->column, index, &selectivity))
		return selectivity;
	return default_selectivity(predicate);
}

/* As if members had nothing to do with each other. */
static double
member_selectivity(Estimator *estimator, const Member *member)
{
	double		all = 1,
				none = 1;

	if (member->members == NULL)
		return predicate_selectivity(estimator, member->predicate);
	for (int i = 0; i < member->nmembers; i++)
	{
		double		selectivity = member_selectivity(estimator, member->members[i]);

		all *= selectivity;
		none *= 1 - selectivity;
	}
	switch (member->logic)
	{
		case LOGIC_AND:
			return all;
		case LOGIC_OR:
			return 1 - none;
		default:
			return none;
	}
}

/* The share of the rows that match; `columns` are the expressions of the program's row. */
Selectivity
stratum_selectivity(Program *program, PlannerInfo *root, Oid function, List *columns, int varRelid)
{
	int			count = list_length(columns);
	Estimator	estimator = {program, root, function, columns, varRelid, NULL};
	double		selectivity;

	if (program->trees[0] == NULL)
		return 0;
	estimator.given = palloc(count * sizeof(NullableDatum));
	for (int i = 0; i < count; i++)
		estimator.given[i] = (NullableDatum) {(Datum) 0, true};
	if (program->ncolumns != 1 ||
		!column_selectivity(&estimator, 0, WHOLE_DEFINITION, &selectivity))
		selectivity = member_selectivity(&estimator, program->trees[0]);
	CLAMP_PROBABILITY(selectivity);
	return Max(selectivity, LEAST_SELECTIVITY);
}

/* Of one row, in the planner's units. */
Cost
stratum_call_cost(const Program *program)
{
	double		predicates = program->trees[0] ? program->trees[0]->cost : 0;

	return cpu_operator_cost * (CALL_COST + PREDICATE_COST * predicates);
}
