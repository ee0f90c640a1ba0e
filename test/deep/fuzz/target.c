/*
 * target.c
 *	  libFuzzer within a single-user server: fuzz.run(options) calls it, and it does not come back.
 *
 * An input is a letter, which names a statement of fuzz.targets, and the arguments of that, a line each; the last one has the
 * rest. Each runs in a subtransaction that is rolled back. What the sanitizers see ends the process; so does, by way of
 * abort(), an error of the internal kind, which no argument may ever lead to.
 */
#include "postgres.h"

#include "fuzz.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

#define MAX_ARGUMENTS 4

typedef struct Target
{
	int			nargs;
	SPIPlanPtr	plan;			/* NULL: there is none of this letter */
} Target;

static Target targets[256];
static MemoryContext input_context;

static void
read_targets(void)
{
	Oid			types[MAX_ARGUMENTS] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	SPITupleTable *rows;
	uint64		count;

	if (SPI_execute("SELECT letter, arguments, statement FROM fuzz.targets", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "no targets");
	rows = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		unsigned char letter = *SPI_getvalue(rows->vals[i], rows->tupdesc, 1);
		Target	   *target = &targets[letter];

		target->nargs = atoi(SPI_getvalue(rows->vals[i], rows->tupdesc, 2));
		target->plan = SPI_prepare(SPI_getvalue(rows->vals[i], rows->tupdesc, 3), target->nargs, types);
		SPI_keepplan(target->plan);
	}
}

/* Splits the text into the arguments of the target; those that are not there are NULL. */
static void
split(const char *text, int nargs, Datum *values, char *nulls)
{
	for (int i = 0; i < nargs; i++)
	{
		const char *end = text == NULL ? NULL : strchr(text, '\n');

		nulls[i] = text == NULL ? 'n' : ' ';
		if (text == NULL)
			continue;
		if (end == NULL || i == nargs - 1)
			values[i] = CStringGetTextDatum(text);
		else
			values[i] = PointerGetDatum(cstring_to_text_with_len(text, end - text));
		text = end == NULL ? NULL : end + 1;
	}
}

/* XX000 and its like: what the code has not foreseen. */
static void
judge(const ErrorData *error)
{
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INTERNAL_ERROR)
		return;
	fprintf(stderr, "internal error: %s (%s, %s:%d)\n", error->message, unpack_sql_state(error->sqlerrcode),
			error->filename, error->lineno);
	abort();
}

static void
execute(const Target *target, const char *text)
{
	MemoryContext before = CurrentMemoryContext;
	Datum		values[MAX_ARGUMENTS];
	char		nulls[MAX_ARGUMENTS + 1] = {0};

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(input_context);
	split(text, target->nargs, values, nulls);
	PG_TRY();
	{
		SPI_execute_plan(target->plan, values, nulls, false, 0);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(input_context);
		error = CopyErrorData();
		FlushErrorState();
		judge(error);
	}
	PG_END_TRY();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(before);
	MemoryContextReset(input_context);
}

/* For libFuzzer: -1 for what is not worth keeping. */
static int
run_input(const uint8_t *data, size_t size)
{
	const Target *target;
	char	   *text;

	if (size < 1 || targets[data[0]].plan == NULL)
		return -1;
	target = &targets[data[0]];
	text = pnstrdup((const char *) data + 1, size - 1);
	if (!pg_verify_mbstr(PG_UTF8, text, strlen(text), true))
	{
		pfree(text);
		return -1;
	}
	execute(target, text);
	pfree(text);
	return 0;
}

/* fuzz.run(options text[]): the options of libFuzzer, the first one being the name of the program. */
PG_FUNCTION_INFO_V1(fuzz_run);
Datum
fuzz_run(PG_FUNCTION_ARGS)
{
	Datum	   *options;
	int			count;
	char	  **arguments;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &options, NULL, &count);
	arguments = MemoryContextAllocZero(TopMemoryContext, (count + 1) * sizeof(char *));
	for (int i = 0; i < count; i++)
		arguments[i] = MemoryContextStrdup(TopMemoryContext, TextDatumGetCString(options[i]));
	SPI_connect();
	read_targets();
	input_context = AllocSetContextCreate(TopMemoryContext, "input", ALLOCSET_DEFAULT_SIZES);
	PG_RETURN_INT32(LLVMFuzzerRunDriver(&count, &arguments, run_input));
}
