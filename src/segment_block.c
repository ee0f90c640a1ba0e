/*
 * segment_block.c
 *	  Alternatives that are narrowed down together, field by field.
 */
#include "segment_set.h"

#include "miscadmin.h"

/* A literal of the block, to be sorted by field. */
typedef struct Placed
{
	int			field;
	int			position;		/* keeps the order of the definitions */
	Entry		entry;
	bool		decided;		/* by a table */
} Placed;

static int
compare_placed(const void *a, const void *b)
{
	const Placed *x = a;
	const Placed *y = b;

	if (x->field != y->field)
		return x->field < y->field ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* All literals of the alternatives, those of a field together. */
static Placed *
sort_literals(const Program *program, Alternative **alternatives, int count, int *total)
{
	Placed	   *placed;
	int			n = 0;

	for (int i = 0; i < count; i++)
		n += alternatives[i]->nliterals;
	placed = palloc_extended((n + 1) * sizeof(Placed), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	n = 0;
	for (int i = 0; i < count; i++)
	{
		for (int j = 0; j < alternatives[i]->nliterals; j++, n++)
		{
			Literal		literal = alternatives[i]->literals[j];

			placed[n].field = program->predicates[literal.predicate].field;
			placed[n].position = n;
			placed[n].entry = (Entry) {i, literal};
		}
	}
	qsort(placed, n, sizeof(Placed), compare_placed);
	*total = n;
	return placed;
}

/* Events are looked up in their table, so only for what is still alive at the end. */
static bool
is_cheap(const Program *program, int field)
{
	return program->fields[field].source != FIELD_EVENT;
}

/* The tables of one field, from its literals; notes which of them are decided by the tables. */
static void
add_field(const Program *program, SegmentBlock *block, Placed *placed, int count)
{
	Entry	   *entries = palloc_extended(count * sizeof(Entry), MCXT_ALLOC_HUGE);
	bool	   *decided = palloc0(count * sizeof(bool));
	FieldTables *tables;

	for (int i = 0; i < count; i++)
		entries[i] = placed[i].entry;
	tables = stratum_tables_create(program, placed->field, block->nwords, entries, count, decided);
	if (tables != NULL)
		block->fields[block->nfields++] = tables;
	for (int i = 0; i < count; i++)
		placed[i].decided = decided[i];
	pfree(entries);
	pfree(decided);
}

static void
make_tables(const Program *program, SegmentBlock *block, Placed *placed, int total)
{
	int			end;

	block->fields = palloc_extended((program->nfields + 1) * sizeof(FieldTables *), MCXT_ALLOC_HUGE);
	for (int start = 0; start < total; start = end)
	{
		CHECK_FOR_INTERRUPTS();
		for (end = start + 1; end < total && placed[end].field == placed[start].field;)
			end++;
		if (is_cheap(program, placed[start].field))
			add_field(program, block, placed + start, end - start);
	}
}

/* What the tables leave open, of each alternative the cheapest first. */
static void
keep_rest(const Program *program, SegmentBlock *block, const Placed *placed, int total)
{
	int		   *count = palloc0((block->count + 1) * sizeof(int));

	for (int i = 0; i < total; i++)
	{
		if (!placed[i].decided)
			count[placed[i].entry.alternative]++;
	}
	for (int i = 0; i < block->count; i++)
		block->rest[i] = palloc_extended(Max(count[i], 1) * sizeof(Literal), MCXT_ALLOC_HUGE);
	for (int i = 0; i < total; i++)
	{
		int			alternative = placed[i].entry.alternative;
		Literal    *rest = block->rest[alternative];
		double		cost = program->predicates[placed[i].entry.literal.predicate].cost;
		int			at;

		if (placed[i].decided)
			continue;
		for (at = block->nrest[alternative]++;
			 at > 0 && program->predicates[rest[at - 1].predicate].cost > cost; at--)
			rest[at] = rest[at - 1];
		rest[at] = placed[i].entry.literal;
	}
	pfree(count);
}

/* In the current memory context. */
SegmentBlock *
stratum_block_create(const Program *program, Alternative **alternatives, int count)
{
	SegmentBlock	   *block = palloc0(sizeof(SegmentBlock));
	Placed	   *placed;
	int			total;

	block->count = count;
	block->nwords = (count + BITS_PER_WORD - 1) / BITS_PER_WORD;
	block->definitions = palloc(count * sizeof(int));
	block->rest = palloc(count * sizeof(Literal *));
	block->nrest = palloc0(count * sizeof(int));
	block->alive = palloc(block->nwords * sizeof(Bits));
	for (int i = 0; i < count; i++)
		block->definitions[i] = alternatives[i]->definition;
	placed = sort_literals(program, alternatives, count, &total);
	make_tables(program, block, placed, total);
	keep_rest(program, block, placed, total);
	pfree(placed);
	return block;
}

/* Leaves alive the alternatives that no field's value rules out. */
void
stratum_block_narrow(Program *program, SegmentBlock *block)
{
	int			last = block->count % BITS_PER_WORD;

	memset(block->alive, 0xFF, block->nwords * sizeof(Bits));
	if (last != 0)
		block->alive[block->nwords - 1] = (UINT64CONST(1) << last) - 1;
	for (int i = 0; i < block->nfields; i++)
		stratum_tables_narrow(program, block->fields[i], block->alive, block->nwords);
}
