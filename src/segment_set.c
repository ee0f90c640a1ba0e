/*
 * segment_set.c
 *	  Which of many definitions a row satisfies.
 *
 * Few definitions are asked one after the other; they share the answers of their predicates. From
 * LEAST_FOR_TABLES on it is cheaper to look every field up in tables of bits. A definition whose alternatives
 * are too many is asked as it is in either case.
 */
#include "segment_set.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* Where both ways cost the same: see bench/. */
#define LEAST_FOR_TABLES 48

static void
set_member(SegmentSet *set, int definition)
{
	set->members[definition / 8] |= 1 << (definition % 8);
}

static bool
is_member(const SegmentSet *set, int definition)
{
	return (set->members[definition / 8] >> (definition % 8)) & 1;
}

/* --- making a set --- */

static void
ask_one_by_one(SegmentSet *set, int definition)
{
	set->others[set->nothers++] = definition;
}

/* Alternatives of all definitions, in their order; what has too many is noted among the others. */
static List *
collect_alternatives(SegmentSet *set)
{
	List	   *all = NIL;

	for (int i = 0; i < set->count; i++)
	{
		List	   *alternatives;

		CHECK_FOR_INTERRUPTS();
		if (set->program->trees[i] == NULL)
			continue;
		if (stratum_alternatives(set->program->trees[i], i, &alternatives))
			all = list_concat(all, alternatives);
		else
			ask_one_by_one(set, i);
	}
	return all;
}

static void
make_blocks(SegmentSet *set, List *alternatives)
{
	int			total = list_length(alternatives);
	Alternative **all = palloc_extended((total + 1) * sizeof(Alternative *), MCXT_ALLOC_HUGE);
	ListCell   *cell;
	int			i = 0;

	foreach(cell, alternatives)
		all[i++] = lfirst(cell);
	set->blocks = palloc((total / BLOCK_ALTERNATIVES + 1) * sizeof(Block *));
	for (int first = 0; first < total; first += BLOCK_ALTERNATIVES)
		set->blocks[set->nblocks++] =
			stratum_block_create(set->program, all + first, Min(total - first, BLOCK_ALTERNATIVES));
}

/*
 * Compiles definitions for profiles of which the columns in `row_type` are given. Raises for a definition that
 * means nothing. All of it belongs to the memory context of the set's program, a child of the current one.
 */
SegmentSet *
stratum_set_create(TupleDesc row_type, int ndefinitions, Jsonb **definitions)
{
	Program    *program = stratum_program_create(STRATUM_PROFILE, row_type, false, ndefinitions,
												 definitions);
	MemoryContext before = MemoryContextSwitchTo(program->context);
	SegmentSet *set = palloc0(sizeof(SegmentSet));

	set->program = program;
	set->count = ndefinitions;
	set->others = palloc_extended((ndefinitions + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	set->nbytes = (ndefinitions + 7) / 8;
	set->members = palloc0(set->nbytes + 1);
	if (ndefinitions >= LEAST_FOR_TABLES)
		make_blocks(set, collect_alternatives(set));
	else
	{
		for (int i = 0; i < ndefinitions; i++)
			ask_one_by_one(set, i);
	}
	MemoryContextSwitchTo(before);
	return set;
}

void
stratum_set_free(SegmentSet *set)
{
	stratum_program_free(set->program);
}

/* --- asking it --- */

static bool
rest_holds(Program *program, const Block *block, int alternative)
{
	const Literal *literal = block->rest[alternative];

	for (int i = 0; i < block->nrest[alternative]; i++, literal++)
	{
		if (stratum_program_holds(program, literal->predicate) != literal->holds)
			return false;
	}
	return true;
}

/* The definitions of which an alternative has outlived all tables, if its other literals hold too. */
static void
take_survivors(SegmentSet *set, const Block *block)
{
	for (int i = 0; i < block->nwords; i++)
	{
		Bits		word = block->alive[i];

		while (word != 0)
		{
			int			alternative = i * BITS_PER_WORD + pg_rightmost_one_pos64(word);

			word &= word - 1;
			if (!is_member(set, block->definitions[alternative]) &&
				rest_holds(set->program, block, alternative))
				set_member(set, block->definitions[alternative]);
		}
	}
}

/*
 * The definitions that the profile satisfies, as bits in their order, the first one lowest. They last until
 * the set is asked again.
 */
const uint8 *
stratum_set_members(SegmentSet *set, const NullableDatum *columns)
{
	Program    *program = set->program;

	memset(set->members, 0, set->nbytes);
	stratum_program_columns(program, columns);
	for (int i = 0; i < set->nblocks; i++)
	{
		stratum_block_narrow(program, set->blocks[i]);
		take_survivors(set, set->blocks[i]);
	}
	for (int i = 0; i < set->nothers; i++)
	{
		if (stratum_program_matches(program, set->others[i]))
			set_member(set, set->others[i]);
	}
	return set->members;
}
