/*
 * conditions_value.c
 *	  What the fields of a row hold. Every value is read when it is asked for, and once per row.
 *
 * Nothing here may raise, whatever the row holds.
 */
#include "conditions.h"

#include "access/xact.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* No numbers beyond 10^1000 are divided: numeric's own division could overflow. */
#define DIVIDED_WEIGHT 250

/* --- the row --- */

/* So much of the memory below a row is asked for in advance. */
#define CACHE_LINE 64
#define LOOK_BELOW 2048
#define BEFORE_DOCUMENT 384

static void
start_row(Program *program)
{
	Row		   *row = &program->row;

	MemoryContextReset(program->scratch);
	row->now = GetCurrentTransactionStartTimestamp();
	if (++row->number != 0)
		return;
	/* The counter has come round: what is cached would seem to be of this row. */
	memset(row->columns, 0, program->ncolumns * sizeof(CachedValue));
	memset(row->fields, 0, program->nfields * sizeof(CachedValue));
	row->events_row = 0;
	if (row->answers != NULL)
		memset(row->answers, 0, program->npredicates * sizeof(Answer));
	row->number = 1;
}

/* Turns to the next row; it must stay where it is until the program has been asked. */
void
stratum_program_row(Program *program, HeapTupleHeader row)
{
	HeapTuple	tuple = &program->row.tuple;

	start_row(program);
	tuple->t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = InvalidOid;
	tuple->t_data = row;
}

/*
 * A scan reads the rows of a page from its end towards its beginning, each just below the one before,
 * which the processor does not foresee: waiting for memory is most of what a scan of wide rows costs. So
 * while this row is looked at, the next one is asked for: as many bytes as lay between the last two rows,
 * and the columns that stand before the document. A guess that is wrong costs next to nothing.
 */
static inline void
prefetch_below(Row *row, const char *document)
{
	Size		distance = row->below - document;

	row->below = document;
	if (distance > LOOK_BELOW)
		return;
	for (Size below = CACHE_LINE; below < distance + BEFORE_DOCUMENT; below += CACHE_LINE)
		__builtin_prefetch(document - below);
}

/* Turns to the next row, of which the columns of the row's type are given one by one. */
void
stratum_program_columns(Program *program, const NullableDatum *columns)
{
	start_row(program);
	program->row.tuple.t_data = NULL;
	program->row.given = columns;
	if (program->document >= 0 && !columns[program->document].isnull)
		prefetch_below(&program->row, DatumGetPointer(columns[program->document].value));
}

/* Turns to a profile of which only the events are known. */
void
stratum_program_events(Program *program, const EventTally *tally)
{
	start_row(program);
	program->row.event_answers = NULL;
	memcpy(program->row.events, tally, stratum_tally_size(program));
	program->row.events_row = program->row.number;
}

/* A column as it is in the row. NULL where the row lacks it. */
Datum
stratum_program_datum(const Program *program, int column, bool *isnull)
{
	const Row  *row = &program->row;
	int			number = program->columns[column].number;

	if (number == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	if (row->tuple.t_data != NULL)
		return heap_getattr(unconstify(HeapTupleData *, &row->tuple), number, program->row_type, isnull);
	*isnull = row->given[number - 1].isnull;
	return row->given[number - 1].value;
}

/* --- columns --- */

static void
set_string(Value *value, const char *string, int length)
{
	value->kind = VALUE_STRING;
	value->of.string = string;
	value->length = length;
}

static void
set_int64(Value *value, int64 number)
{
	value->kind = VALUE_NUMBER;
	stratum_number_from_int64(number, palloc(6 * sizeof(int16)), &value->of.number);
}

/* A float as to_jsonb has it: its shortest decimal form; NaN and the infinities are strings. */
static void
set_shortest(Value *value, const char *shortest)
{
	int16	   *digits = palloc(NUMBER_ROOM * sizeof(int16));

	if (stratum_number_from_string(shortest, strlen(shortest), digits, &value->of.number))
		value->kind = VALUE_NUMBER;
	else
		set_string(value, pstrdup(shortest), strlen(shortest));
}

static void
set_numeric(Value *value, Numeric numeric)
{
	if (stratum_number_from_numeric(numeric, &value->of.number))
		value->kind = VALUE_NUMBER;
	else if (numeric_is_nan(numeric))
		set_string(value, "NaN", 3);
	else
	{
		/* An infinity has no digits; its sign is told by its text. */
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(numeric)));

		set_string(value, text, strlen(text));
	}
}

/* A date's midnight in UTC; one beyond the range of timestamps is at its end. */
static TimestampTz
date_time(DateADT date)
{
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date) || date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return DT_NOEND;
	return date * USECS_PER_DAY;
}

/* Columns whose values are strings or JSON. */
static void
set_text_or_json(Column *column, Datum datum, Value *value)
{
	text	   *string;
	char	   *output;
	Jsonb	   *jsonb;

	switch (column->reader)
	{
		case READ_TEXT:
			string = DatumGetTextPP(datum);
			set_string(value, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
			break;
		case READ_OUTPUT:
			output = OutputFunctionCall(&column->output, datum);
			set_string(value, output, strlen(output));
			break;
		case READ_JSONB:
			stratum_json_root(DatumGetJsonbP(datum), value);
			break;
		case READ_ENCODED:
			jsonb = stratum_json_encode(&column->encoder, datum, NULL);
			if (jsonb != NULL)
				stratum_json_root(jsonb, value);
			break;
		default:
			break;
	}
}

static void
set_datum(Column *column, Datum datum, Value *value)
{
	char		shortest[DOUBLE_SHORTEST_DECIMAL_LEN];

	switch (column->reader)
	{
		case READ_BOOL:
			value->kind = VALUE_BOOL;
			value->of.boolean = DatumGetBool(datum);
			break;
		case READ_INT2:
			set_int64(value, DatumGetInt16(datum));
			break;
		case READ_INT4:
			set_int64(value, DatumGetInt32(datum));
			break;
		case READ_INT8:
			set_int64(value, DatumGetInt64(datum));
			break;
		case READ_FLOAT4:
			float_to_shortest_decimal_buf(DatumGetFloat4(datum), shortest);
			set_shortest(value, shortest);
			break;
		case READ_FLOAT8:
			double_to_shortest_decimal_buf(DatumGetFloat8(datum), shortest);
			set_shortest(value, shortest);
			break;
		case READ_NUMERIC:
			set_numeric(value, DatumGetNumeric(datum));
			break;
		case READ_TIMESTAMP:
			value->kind = VALUE_TIME;
			value->of.time = DatumGetTimestampTz(datum);
			break;
		case READ_DATE:
			value->kind = VALUE_TIME;
			value->of.time = date_time(DatumGetDateADT(datum));
			break;
		default:
			set_text_or_json(column, datum, value);
			break;
	}
}

static void
read_column(Program *program, int index, Value *value)
{
	bool		isnull;
	Datum		datum = stratum_program_datum(program, index, &isnull);
	MemoryContext before;

	value->kind = VALUE_MISSING;
	if (isnull)
		return;
	before = MemoryContextSwitchTo(program->scratch);
	set_datum(&program->columns[index], datum, value);
	MemoryContextSwitchTo(before);
}

static const Value *
column_value(Program *program, int column)
{
	CachedValue *cached = &program->row.columns[column];

	if (cached->row != program->row.number)
	{
		read_column(program, column, &cached->value);
		cached->row = program->row.number;
	}
	return &cached->value;
}

/* --- fields --- */

static void
read_hundredth(Program *program, const Value *cents, Value *value)
{
	const Number *number = &cents->of.number;

	if (cents->kind != VALUE_NUMBER)
		return;
	value->kind = VALUE_NUMBER;
	stratum_number_hundredth(number,
							 MemoryContextAlloc(program->scratch,
												(number->ndigits + 1) * sizeof(int16)),
							 &value->of.number);
}

/* A column of numbers as numeric; NULL where there is none that can be divided. */
static Numeric
column_numeric(Program *program, int index)
{
	const Value *value = column_value(program, index);
	Column	   *column = &program->columns[index];
	bool		isnull;
	Datum		datum;

	if (value->kind != VALUE_NUMBER || abs(value->of.number.weight) > DIVIDED_WEIGHT)
		return NULL;
	datum = stratum_program_datum(program, index, &isnull);
	switch (column->reader)
	{
		case READ_INT2:
			return int64_to_numeric(DatumGetInt16(datum));
		case READ_INT4:
			return int64_to_numeric(DatumGetInt32(datum));
		case READ_INT8:
			return int64_to_numeric(DatumGetInt64(datum));
		case READ_NUMERIC:
			return DatumGetNumeric(datum);
		default:
			return DatumGetNumeric(DirectFunctionCall1(column->reader == READ_FLOAT4 ?
													   float4_numeric : float8_numeric, datum));
	}
}

/* Conversions * 100 / clicks, as SQL's numeric says. */
static void
read_conversion_rate(Program *program, const Field *field, Value *value)
{
	MemoryContext before = MemoryContextSwitchTo(program->scratch);
	Numeric		conversions = column_numeric(program, field->column);
	Numeric		clicks = column_numeric(program, field->divisor);

	if (conversions != NULL && clicks != NULL &&
		column_value(program, field->divisor)->of.number.sign != 0)
	{
		Datum		per_cent = DirectFunctionCall2(numeric_mul, NumericGetDatum(conversions),
												   NumericGetDatum(int64_to_numeric(100)));

		set_numeric(value, DatumGetNumeric(DirectFunctionCall2(numeric_div, per_cent,
															   NumericGetDatum(clicks))));
	}
	MemoryContextSwitchTo(before);
}

/* What the times of a probe with events say. */
static void
read_event_times(const EventTimes *times, const Field *field, Value *value)
{
	Value		properties;

	if (field->part == EVENT_PROPERTY)
	{
		if (times->properties == NULL)
			return;
		stratum_json_root(times->properties, &properties);
		stratum_json_follow(&properties, field->path, field->npath, value);
		return;
	}
	value->kind = VALUE_TIME;
	value->of.time = field->part == EVENT_FIRST ? times->first : times->last;
}

static void
read_event_numbers(Program *program, const EventTally *tally, const Field *field, Value *value)
{
	MemoryContext before = MemoryContextSwitchTo(program->scratch);
	Numeric		result = stratum_numbers_result(stratum_tally_sum(program, tally, field->numbers),
												field->part);

	if (result != NULL)
		set_numeric(value, result);
	MemoryContextSwitchTo(before);
}

/* What the events of a probe say. */
static void
read_probe(Program *program, const EventTally *tally, const Field *field, Value *value)
{
	const EventProbe *probe = &program->probes[field->probe];
	int64		count = stratum_tally_count(program, tally, field->probe);

	switch (field->part)
	{
		case EVENT_COUNT:
			value->kind = VALUE_NUMBER;
			stratum_number_from_int64(count, MemoryContextAlloc(program->scratch, 6 * sizeof(int16)),
									  &value->of.number);
			break;
		case EVENT_EXISTS:
			value->kind = VALUE_BOOL;
			value->of.boolean = count > 0;
			break;
		case EVENT_FIRST_TIME:
			value->kind = VALUE_BOOL;
			value->of.boolean = stratum_is_first_time(program, probe,
													  stratum_tally_times(program, tally, field->probe));
			break;
		case EVENT_FIRST:
		case EVENT_LAST:
		case EVENT_PROPERTY:
			if (count > 0)
				read_event_times(stratum_tally_times(program, tally, field->probe), field, value);
			break;
		default:
			read_event_numbers(program, tally, field, value);
			break;
	}
}

static void
read_event(Program *program, const Field *field, Value *value)
{
	const EventTally *tally = stratum_event_tally(program);

	if (field->part != EVENT_SEQUENCE)
	{
		read_probe(program, tally, field, value);
		return;
	}
	value->kind = VALUE_BOOL;
	value->of.boolean = stratum_sequence_happened(program, tally, field->sequence);
}

/* Whether a column holds something: neither NULL nor an empty string. Missing where the row lacks it. */
static void
read_presence(Program *program, const Field *field, Value *value)
{
	const Value *column = column_value(program, field->column);

	if (program->columns[field->column].number == 0)
		return;
	value->kind = VALUE_BOOL;
	value->of.boolean = column->kind > VALUE_NULL &&
		!(column->kind == VALUE_STRING && column->length == 0);
}

static void
read_field(Program *program, const Field *field, Value *value)
{
	value->kind = VALUE_MISSING;
	switch (field->source)
	{
		case FIELD_DOCUMENT:
			stratum_json_follow(column_value(program, field->column), field->path, field->npath, value);
			break;
		case FIELD_COLUMN:
			*value = *column_value(program, field->column);
			break;
		case FIELD_PRESENCE:
			read_presence(program, field, value);
			break;
		case FIELD_HUNDREDTH:
			read_hundredth(program, column_value(program, field->column), value);
			break;
		case FIELD_CONVERSION_RATE:
			read_conversion_rate(program, field, value);
			break;
		case FIELD_EVENT:
			read_event(program, field, value);
			break;
		case FIELD_SEGMENT:
			break;
	}
}

/* What a field of the row holds. */
const Value *
stratum_program_value(Program *program, int field)
{
	CachedValue *cached = &program->row.fields[field];

	if (cached->row != program->row.number)
	{
		read_field(program, &program->fields[field], &cached->value);
		cached->row = program->row.number;
	}
	return &cached->value;
}

/* --- the program --- */

static inline bool
ask(Program *program, int index)
{
	const Predicate *predicate = &program->predicates[index];
	const uint8 *known = program->row.event_answers;

	if (known != NULL && program->fields[predicate->field].source == FIELD_EVENT)
		return (known[index / 8] >> (index % 8)) & 1;
	return stratum_predicate_holds(program, predicate, stratum_program_value(program, predicate->field));
}

/* Whether a predicate holds for the row; where definitions share it, it is asked once. */
bool
stratum_program_holds(Program *program, int predicate)
{
	Answer	   *answer;

	if (program->row.answers == NULL)
		return ask(program, predicate);
	answer = &program->row.answers[predicate];
	if (answer->row != program->row.number)
	{
		answer->holds = ask(program, predicate);
		answer->row = program->row.number;
	}
	return answer->holds;
}

bool
stratum_program_matches(Program *program, int definition)
{
	int			at = program->entries[definition];

	while (at >= 0)
	{
		const Instruction *instruction = &program->instructions[at];

		at = stratum_program_holds(program, instruction->predicate) ?
			instruction->if_true : instruction->if_false;
	}
	return at == PROGRAM_ACCEPT;
}
