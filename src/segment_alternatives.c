/*
 * segment_alternatives.c
 *	  A definition as alternatives (its disjunctive normal form), unless there are too many of them.
 */
#include "segment_set.h"

#include "miscadmin.h"

/* An "and" of "or"s multiplies. Beyond these a definition is better asked as it is. */
#define MAX_ALTERNATIVES 64
#define MAX_LITERALS 8192		/* in all alternatives together */

static Alternative *
make_alternative(int nliterals)
{
	Alternative *alternative = palloc0(sizeof(Alternative));

	alternative->literals = palloc(Max(nliterals, 1) * sizeof(Literal));
	return alternative;
}

static List *
single_literal(int predicate, bool holds)
{
	Alternative *alternative = make_alternative(1);

	alternative->literals[0] = (Literal) {predicate, holds};
	alternative->nliterals = 1;
	return list_make1(alternative);
}

static Alternative *
join(const Alternative *a, const Alternative *b)
{
	Alternative *both = make_alternative(a->nliterals + b->nliterals);

	memcpy(both->literals, a->literals, a->nliterals * sizeof(Literal));
	memcpy(both->literals + a->nliterals, b->literals, b->nliterals * sizeof(Literal));
	both->nliterals = a->nliterals + b->nliterals;
	return both;
}

static bool
is_too_much(const List *alternatives)
{
	int			nliterals = 0;
	ListCell   *cell;

	foreach(cell, alternatives)
		nliterals += ((Alternative *) lfirst(cell))->nliterals;
	return list_length(alternatives) > MAX_ALTERNATIVES || nliterals > MAX_LITERALS;
}

/* Each of one list with each of the other. */
static bool
multiply(List **product, const List *factor)
{
	List	   *result = NIL;
	ListCell   *left,
			   *right;

	if (list_length(*product) * list_length(factor) > MAX_ALTERNATIVES)
		return false;
	foreach(left, *product)
	{
		foreach(right, factor)
			result = lappend(result, join(lfirst(left), lfirst(right)));
	}
	*product = result;
	return !is_too_much(result);
}

/*
 * The literals of members that are predicates are put into one alternative first: a long "and" would
 * otherwise copy them again and again.
 */
static List *
start_product(const Member *member, bool holds)
{
	Alternative *alternative = make_alternative(member->nmembers);

	for (int i = 0; i < member->nmembers; i++)
	{
		if (member->members[i]->members == NULL)
			alternative->literals[alternative->nliterals++] =
				(Literal) {member->members[i]->predicate, holds};
	}
	return list_make1(alternative);
}

/* The alternatives under which a member holds, or does not hold; false where there are too many. */
static bool
expand(const Member *member, bool holds, List **alternatives)
{
	/* "not" is an "and" of members that do not hold */
	bool		inner = member->logic == LOGIC_NOT ? !holds : holds;
	bool		is_product = member->logic == LOGIC_OR ? !holds : holds;

	*alternatives = NIL;
	if (member->members == NULL)
	{
		*alternatives = single_literal(member->predicate, holds);
		return true;
	}
	if (is_product)
		*alternatives = start_product(member, inner);
	for (int i = 0; i < member->nmembers; i++)
	{
		List	   *one;

		CHECK_FOR_INTERRUPTS();
		if (is_product && member->members[i]->members == NULL)
			continue;
		if (!expand(member->members[i], inner, &one))
			return false;
		if (!is_product)
			*alternatives = list_concat(*alternatives, one);
		else if (!multiply(alternatives, one))
			return false;
		if (list_length(*alternatives) > MAX_ALTERNATIVES)
			return false;
	}
	return !is_too_much(*alternatives);
}

/* The alternatives of a definition; false where there are so many that it is better asked as it is. */
bool
stratum_alternatives(const Member *tree, int definition, List **alternatives)
{
	ListCell   *cell;

	if (!expand(tree, true, alternatives))
		return false;
	foreach(cell, *alternatives)
		((Alternative *) lfirst(cell))->definition = definition;
	return true;
}
