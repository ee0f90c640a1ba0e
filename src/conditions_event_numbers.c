/*
 * conditions_event_numbers.c
 *	  Sums, averages, least and greatest of numbers in the properties of events, exact like numeric.
 */
#include "conditions.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

/* The limits, in base-10000 digits: numbers beyond 10^1000 or with more decimals than 1,000 are passed over. */
#define MAX_WEIGHT 250
#define MAX_DECIMALS 250

/* Sums of what is within them need little room and cannot overflow. */
static bool
is_within_limits(const Number *number)
{
	if (number->sign == 0)
		return true;
	if (number->weight > MAX_WEIGHT || number->ndigits - 1 - number->weight > MAX_DECIMALS)
		return false;
	return number->weight < MAX_WEIGHT || (number->ndigits == 1 && number->digits[0] == 1);
}

/* The number, or the string that is one, at a path of a document; NULL where there is none. */
static Numeric
read_number(const EventNumbers *numbers, const Value *document)
{
	int16		digits[NUMBER_ROOM];
	Number		number;
	Value		value;

	stratum_json_follow(document, numbers->path, numbers->npath, &value);
	if (value.kind == VALUE_NUMBER)
		number = value.of.number;
	else if (value.kind != VALUE_STRING ||
			 !stratum_number_from_string(value.of.string, value.length, digits, &number))
		return NULL;
	if (!is_within_limits(&number))
		return NULL;
	if (number.source != NULL)
		return number.source;
	return DatumGetNumeric(DirectFunctionCall3(numeric_in,
											   CStringGetDatum(pnstrdup(value.of.string, value.length)),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Keeps a copy of a number in place of the last one. */
static void
keep(Numeric *kept, Numeric numeric, MemoryContext context)
{
	if (*kept != NULL)
		pfree(*kept);
	*kept = MemoryContextAlloc(context, VARSIZE_ANY(numeric));
	memcpy(*kept, numeric, VARSIZE_ANY(numeric));
}

static bool
is_less(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(a), NumericGetDatum(b)));
}

static void
add_number(EventSum *sum, Numeric numeric, MemoryContext context)
{
	Numeric		total = numeric;

	if (sum->count > 0)
		total = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(sum->sum),
													NumericGetDatum(numeric)));
	keep(&sum->sum, total, context);
	if (sum->count == 0 || is_less(numeric, sum->least))
		keep(&sum->least, numeric, context);
	if (sum->count == 0 || is_less(sum->greatest, numeric))
		keep(&sum->greatest, numeric, context);
	sum->count++;
}

/* Adds an event's numbers, from the first of its probe on; what is kept goes into the current memory context. */
void
stratum_numbers_add(const Program *program, EventTally *tally, int first, const Event *event)
{
	MemoryContext context;
	Value		document;

	if (event->documents[0].isnull)
		return;
	context = MemoryContextSwitchTo(program->event_scratch);
	stratum_json_root(DatumGetJsonbP(event->documents[0].value), &document);
	for (int i = first; i >= 0; i = program->numbers[i].next)
	{
		Numeric		numeric = read_number(&program->numbers[i], &document);

		if (numeric != NULL)
			add_number(stratum_tally_sum(program, tally, i), numeric, context);
	}
	MemoryContextSwitchTo(context);
	MemoryContextReset(program->event_scratch);
}

/* What the numbers come to; NULL where there were none. */
Numeric
stratum_numbers_result(const EventSum *sum, EventPart part)
{
	if (sum->count == 0)
		return NULL;
	switch (part)
	{
		case EVENT_SUM:
			return sum->sum;
		case EVENT_MIN:
			return sum->least;
		case EVENT_MAX:
			return sum->greatest;
		default:				/* the average */
			return DatumGetNumeric(DirectFunctionCall2(numeric_div, NumericGetDatum(sum->sum),
													   NumericGetDatum(int64_to_numeric(sum->count))));
	}
}
