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

/* Lays out the trees of all definitions. */
static void
lay_out(Program *program)
{
	int			room = 0;

	for (int i = 0; i < program->ndefinitions; i++)
		program->entries[i] = program->trees[i] == NULL ? PROGRAM_REJECT :
			emit(program, &room, program->trees[i], PROGRAM_ACCEPT, PROGRAM_REJECT);
	stratum_events_prepare(program);
	make_room_for_row(program);
}

/* A program without definitions, a child of the current memory context. */
static Program *
create_program(StratumTarget target, TupleDesc row_type, bool lenient, int ndefinitions)
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
	program->entries = palloc_extended(ndefinitions * sizeof(int), MCXT_ALLOC_HUGE);
	program->trees = palloc_extended(ndefinitions * sizeof(Member *), MCXT_ALLOC_HUGE);
	MemoryContextSwitchTo(before);
	return program;
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
	Program    *program = create_program(target, row_type, lenient, ndefinitions);
	MemoryContext before = MemoryContextSwitchTo(program->context);
	Parser		parser = {.program = program};

	/* A row's own columns are enough, but for saying what is wrong with a name that it lacks. */
	parser.table = stratum_table_columns(program->target);
	initStringInfo(&parser.lacking);
	for (int i = 0; i < ndefinitions; i++)
		program->trees[i] = stratum_parse_definition(&parser, copy_definition(definitions[i]));
	check_lacking(&parser);
	lay_out(program);
	MemoryContextSwitchTo(before);
	return program;
}

/* A definition inside another one, whose place it names in refusals and whose memory it shares. */
Program *
stratum_program_inner(StratumTarget target, TupleDesc row_type, const Value *definition,
					  const Place *place)
{
	Program    *program = create_program(target, row_type, true, 1);
	MemoryContext before = MemoryContextSwitchTo(program->context);
	Parser		parser = {.program = program};

	program->trees[0] = stratum_parse_inner(&parser, definition, place);
	lay_out(program);
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
 * Calls a function that may refuse a definition; *fault then says why, unless `fault` is NULL. A refusal leaves
 * nothing behind that only an abort would clean up: parsing reads the catalogs' caches and allocates, and when a
 * segment is refused that was looked up, the query has ended. Any other error goes on its way.
 */
bool
stratum_attempt(void (*attempt) (void *), void *argument, char **fault)
{
	MemoryContext before = CurrentMemoryContext;
	volatile bool succeeded = false;

	stratum_lookup_failed = false;
	PG_TRY();
	{
		attempt(argument);
		succeeded = true;
	}
	PG_CATCH();
	{
		if (stratum_lookup_failed || !is_refusal(geterrcode()))
			PG_RE_THROW();
		MemoryContextSwitchTo(before);
		if (fault != NULL)
			*fault = CopyErrorData()->message;
		FlushErrorState();
	}
	PG_END_TRY();
	return succeeded;
}

typedef struct Creation
{
	StratumTarget target;
	TupleDesc	row_type;
	int			ndefinitions;
	Jsonb	  **definitions;
	Program    *program;
} Creation;

static void
attempt_creation(void *argument)
{
	Creation   *c = argument;

	c->program = stratum_program_create(c->target, c->row_type, true, c->ndefinitions, c->definitions);
}

/* As stratum_program_create(), lenient, but NULL where a definition means nothing; *fault then says why. */
Program *
stratum_program_try_create(StratumTarget target, TupleDesc row_type, int ndefinitions,
						   Jsonb **definitions, char **fault)
{
	Creation	creation = {target, row_type, ndefinitions, definitions, NULL};

	return stratum_attempt(attempt_creation, &creation, fault) ? creation.program : NULL;
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
	return !stratum_asks_about_events(program) && !program->asks_about_segments;
}

/*
 * Refuses a definition that cannot mean anything, with SQLSTATE 22023. What it asks about segments can only be
 * looked at where there is a tenant.
 */
void
stratum_validate_conditions(Jsonb *conditions, StratumTarget target)
{
	Program    *program = stratum_program_create(target, NULL, false, 1, &conditions);
	SegmentScope scope = {.tenant = stratum_context()->tenant_id};

	if (program->asks_about_segments && scope.tenant != 0)
		stratum_validate_segment(conditions, &scope);
	stratum_program_free(program);
}
