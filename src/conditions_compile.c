/*
 * conditions_compile.c
 *	  Definitions to programs: a list of instructions that stops at the first answer.
 *
 * The members of a group are asked in the order of their cost. Every instruction asks one predicate
 * and says where to go on if it is true and where if it is false, so that groups need no stack.
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static int
compare_cost(const void *a, const void *b)
{
	double		x = (*(Member *const *) a)->cost;
	double		y = (*(Member *const *) b)->cost;

	return (x > y) - (x < y);
}

static int
emit_instruction(Program *program, int *room, int predicate, int if_true, int if_false)
{
	Instruction *instruction;

	program->instructions = stratum_grow(program->instructions, program->ninstructions, room,
										 sizeof(Instruction));
	instruction = &program->instructions[program->ninstructions];
	instruction->predicate = predicate;
	instruction->if_true = if_true;
	instruction->if_false = if_false;
	return program->ninstructions++;
}

/*
 * Emits a tree; returns where it begins. The members are emitted from the last to the first, so
 * that each knows where the next one begins. The depth is bounded by the parser.
 */
static int
emit(Program *program, int *room, Member *node, int if_true, int if_false)
{
	int			next;

	if (node->members == NULL)
		return emit_instruction(program, room, node->predicate, if_true, if_false);
	qsort(node->members, node->nmembers, sizeof(Member *), compare_cost);
	/* none of the members: as "or", with the answers exchanged */
	if (node->logic == LOGIC_NOT)
	{
		int			swap = if_true;

		if_true = if_false;
		if_false = swap;
	}
	next = node->logic == LOGIC_AND ? if_true : if_false;
	for (int i = node->nmembers - 1; i >= 0; i--)
	{
		if (node->logic == LOGIC_AND)
			next = emit(program, room, node->members[i], next, if_false);
		else
			next = emit(program, room, node->members[i], if_true, next);
	}
	return next;
}

static void
check_lacking(const Parser *parser)
{
	if (parser->lacking.len > 0)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_COLUMN),
				errmsg("the row lacks columns that the definition needs: %s", parser->lacking.data),
				errhint("Pass the whole row of the table, or a row with columns of these names."));
}

static Jsonb *
copy_definition(const Jsonb *definition)
{
	Size		size = VARSIZE(definition);

	return memcpy(palloc_extended(size, MCXT_ALLOC_HUGE), definition, size);
}

/* What is kept about the row that is being evaluated. */
static void
make_room_for_row(Program *program)
{
	Row		   *row = &program->row;

	row->columns = palloc0((program->ncolumns + 1) * sizeof(CachedValue));
	row->fields = palloc_extended((program->nfields + 1) * sizeof(CachedValue),
								  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	row->events = palloc_extended(stratum_tally_size(program) + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (program->ndefinitions > 1)
		row->answers = palloc_extended((program->npredicates + 1) * sizeof(Answer),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* The first jsonb among the columns of a row, from 0; -1 if there is none. */
static int
find_document(TupleDesc row_type)
{
	for (int i = 0; row_type != NULL && i < row_type->natts; i++)
	{
		if (TupleDescAttr(row_type, i)->atttypid == JSONBOID)
			return i;
	}
	return -1;
}

/* Parses the definitions and lays them out, all in the current memory context. */
static void
compile(Program *program, Jsonb **definitions)
{
	Parser		parser = {.program = program};
	int			count = program->ndefinitions;
	int			room = 0;

	/* A row's own columns are enough, but for saying what is wrong with a name that it lacks. */
	parser.table = stratum_table_columns(program->target);
	initStringInfo(&parser.lacking);
	program->entries = palloc_extended(count * sizeof(int), MCXT_ALLOC_HUGE);
	program->trees = palloc_extended(count * sizeof(Member *), MCXT_ALLOC_HUGE);
	for (int i = 0; i < count; i++)
	{
		Member	   *tree = stratum_parse_definition(&parser, copy_definition(definitions[i]));

		program->trees[i] = tree;
		program->entries[i] = tree == NULL ? PROGRAM_REJECT :
			emit(program, &room, tree, PROGRAM_ACCEPT, PROGRAM_REJECT);
	}
	check_lacking(&parser);
	stratum_events_prepare(program);
	make_room_for_row(program);
}

/*
 * Compiles the definitions for rows of a type; where that is NULL they are only checked. A column that the
 * row lacks is an error, or missing where `lenient`. Raises for a definition that means nothing. The
 * program is a child of the current memory context.
 */
Program *
stratum_program_create(StratumTarget target, TupleDesc row_type, bool lenient, int ndefinitions,
					   Jsonb **definitions)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "stratum conditions",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	Program    *program = palloc0(sizeof(Program));

	program->context = context;
	program->scratch = AllocSetContextCreate(context, "stratum conditions row",
											 ALLOCSET_DEFAULT_SIZES);
	program->target = target;
	program->row_type = row_type ? CreateTupleDescCopy(row_type) : NULL;
	program->lenient = lenient;
	program->ndefinitions = ndefinitions;
	program->document = find_document(program->row_type);
	program->id_column = program->tenant_column = -1;
	compile(program, definitions);
	MemoryContextSwitchTo(before);
	return program;
}

/* What a definition can be refused for. */
static bool
is_refusal(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE ||
		sqlerrcode == ERRCODE_UNDEFINED_COLUMN ||
		sqlerrcode == ERRCODE_DATATYPE_MISMATCH;
}

/*
 * The same, lenient, but NULL where a definition means nothing; *fault then says why, unless `fault` is NULL. A
 * refusal leaves nothing behind that only an abort would clean up: parsing reads the catalogs' caches and
 * allocates, no more.
 */
Program *
stratum_program_try_create(StratumTarget target, TupleDesc row_type, int ndefinitions,
						   Jsonb **definitions, char **fault)
{
	MemoryContext before = CurrentMemoryContext;
	Program    *program = NULL;

	PG_TRY();
	{
		program = stratum_program_create(target, row_type, true, ndefinitions, definitions);
	}
	PG_CATCH();
	{
		if (!is_refusal(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(before);
		if (fault != NULL)
			*fault = CopyErrorData()->message;
		FlushErrorState();
		program = NULL;
	}
	PG_END_TRY();
	return program;
}

void
stratum_program_free(Program *program)
{
	MemoryContextDelete(program->context);
}

/* Columns of these types are read without raising, whatever they hold. */
static bool
is_leakproof_column(const Column *column)
{
	switch (column->reader)
	{
		case READ_ENCODED:
			return false;
		case READ_OUTPUT:
			return type_is_enum(column->type) || column->type == UUIDOID || column->type == INETOID;
		default:
			return true;
	}
}

/*
 * Whether asking the program tells nothing about a row but its answer: no table is looked up and no
 * function of others is called.
 */
bool
stratum_program_is_leakproof(const Program *program)
{
	for (int i = 0; i < program->ncolumns; i++)
	{
		if (!is_leakproof_column(&program->columns[i]))
			return false;
	}
	return program->nprobes == 0;
}

/* Refuses a definition that cannot mean anything, with SQLSTATE 22023. */
void
stratum_validate_conditions(Jsonb *conditions, StratumTarget target)
{
	stratum_program_free(stratum_program_create(target, NULL, false, 1, &conditions));
}
