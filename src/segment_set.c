/*
 * segment_set.c
 *	  Which of many definitions a row satisfies.
 *
 * Few definitions are asked one after the other; they share the answers of their predicates. From
 * LEAST_FOR_TABLES on it is cheaper to look every field up in tables of bits. A definition whose alternatives
 * are too many is asked as it is in either case.
 *
 * Most definitions have one alternative, which the tables decide. Where such plain ones stand side by side, from
 * the first on, the bits that the tables leave are the result, a word at a time.
 */
#include "segment_set.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* Where both ways cost the same: see bench/. */
#define LEAST_FOR_TABLES 8

/* Bytes that tables may take. What would need more is asked as it is. */
#define MOST_FOR_TABLES (128 * 1024 * 1024)

static void
set_member(SegmentSet *set, int definition)
{
	set->members[definition / BITS_PER_WORD] |= UINT64CONST(1) << (definition % BITS_PER_WORD);
}

static bool
is_member(const SegmentSet *set, int definition)
{
	return (set->members[definition / BITS_PER_WORD] >> (definition % BITS_PER_WORD)) & 1;
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

/* Leading words of the block whose bits are bits of the result: alternative by alternative, nothing left open. */
static int
count_plain_words(const SegmentBlock *block)
{
	int			plain = 0;

	if (block->definitions[0] % BITS_PER_WORD != 0)
		return 0;
	while (plain < block->count && block->nrest[plain] == 0 &&
		   block->definitions[plain] == block->definitions[0] + plain)
		plain++;
	return plain == block->count ? block->nwords : plain / BITS_PER_WORD;
}

/* The definitions of these alternatives; of the first, some may be in tables already, which does no harm. */
static void
ask_rest_one_by_one(SegmentSet *set, Alternative **alternatives, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || alternatives[i]->definition != alternatives[i - 1]->definition)
			ask_one_by_one(set, alternatives[i]->definition);
	}
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
	set->blocks = palloc((total / BLOCK_ALTERNATIVES + 1) * sizeof(SegmentBlock *));
	for (int first = 0; first < total; first += BLOCK_ALTERNATIVES)
	{
		SegmentBlock *block;

		if (MemoryContextMemAllocated(CurrentMemoryContext, true) > MOST_FOR_TABLES)
		{
			ask_rest_one_by_one(set, all + first, total - first);
			return;
		}
		block = stratum_block_create(set->program, all + first, Min(total - first, BLOCK_ALTERNATIVES));
		block->nplain = count_plain_words(block);
		set->blocks[set->nblocks++] = block;
	}
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
	set->nwords = (ndefinitions + BITS_PER_WORD - 1) / BITS_PER_WORD;
	set->members = palloc0((set->nwords + 1) * sizeof(Bits));
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

/*
 * In which order the definitions should be given for a set of the same ones to be asked fastest: plain ones
 * first, otherwise as they are.
 */
int *
stratum_set_best_order(const SegmentSet *set)
{
	int		   *order = palloc_extended((set->count + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	int		   *alternatives = palloc0((set->count + 1) * sizeof(int));
	bool	   *open = palloc0(set->count + 1);
	int			n = 0;

	for (int i = 0; i < set->nblocks; i++)
	{
		const SegmentBlock *block = set->blocks[i];

		for (int j = 0; j < block->count; j++)
		{
			alternatives[block->definitions[j]]++;
			if (block->nrest[j] > 0)
				open[block->definitions[j]] = true;
		}
	}
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < set->count; i++)
		{
			bool		plain = alternatives[i] == 1 && !open[i];

			if (plain == (pass == 0))
				order[n++] = i;
		}
	}
	return order;
}

/* --- asking it --- */

static bool
rest_holds(Program *program, const SegmentBlock *block, int alternative)
{
	const Literal *literal = block->rest[alternative];

	for (int i = 0; i < block->nrest[alternative]; i++, literal++)
	{
		if (stratum_program_holds(program, literal->predicate) != literal->holds)
			return false;
	}
	return true;
}

static void
take_plain(SegmentSet *set, const SegmentBlock *block)
{
	Bits	   *members = set->members + block->definitions[0] / BITS_PER_WORD;

	for (int i = 0; i < block->nplain; i++)
		members[i] |= block->alive[i];
}

/* The definitions of which an alternative has outlived all tables, if its other literals hold too. */
static void
take_survivors(SegmentSet *set, const SegmentBlock *block)
{
	for (int i = block->nplain; i < block->nwords; i++)
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
const Bits *
stratum_set_members(SegmentSet *set, const NullableDatum *columns)
{
	Program    *program = set->program;

	memset(set->members, 0, set->nwords * sizeof(Bits));
	stratum_program_columns(program, columns);
	for (int i = 0; i < set->nblocks; i++)
	{
		stratum_block_narrow(program, set->blocks[i]);
		take_plain(set, set->blocks[i]);
		take_survivors(set, set->blocks[i]);
	}
	for (int i = 0; i < set->nothers; i++)
	{
		if (stratum_program_matches(program, set->others[i]))
			set_member(set, set->others[i]);
	}
	return set->members;
}
