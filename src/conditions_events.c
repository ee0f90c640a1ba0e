/*
 * conditions_events.c
 *	  What is known about a profile's events, summed up for the program's probes.
 *
 * A probe is about the events of one name and window. Events are added one by one, in whatever order, so that
 * a single pass serves all probes: over the events of one profile, when its row is evaluated (here), or over
 * those of many profiles, in a refresh (segment_events.c).
 */
#include "conditions.h"
#include "row_receiver.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* --- probes by name --- */

/* The names, as text[]. */
static Datum
names_array(const Program *program)
{
	int			count = program->event_names.count;
	Datum	   *names = palloc((count + 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
	{
		const Value *name = &program->event_names.operands[i].value;

		names[i] = PointerGetDatum(cstring_to_text_with_len(name->of.string, name->length));
	}
	return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Where a name is among the names, to which it is added if it is new. */
static int
add_name(Program *program, const Key *name)
{
	Operand		operand = {.value = {.kind = VALUE_STRING, .length = name->length, .of.string = name->name}};
	int			at = stratum_set_find(&program->event_names, &operand.value);

	if (at >= 0)
		return at;
	at = program->event_names.count;
	stratum_set_add(&program->event_names, &operand);
	program->first_probes[at] = program->first_steps[at] = -1;
	return at;
}

static void
prepare_probe(Program *program, int index)
{
	EventProbe *probe = &program->probes[index];
	int			at = add_name(program, &probe->name);

	probe->next = program->first_probes[at];
	program->first_probes[at] = index;
	probe->times = probe->wants_times ? program->ntimes++ : -1;
	program->wants_documents |= probe->wants_latest || probe->where != NULL || probe->first_numbers >= 0;
}

static void
prepare_step(Program *program, int index)
{
	SequenceStep *step = &program->steps[index];
	int			at = add_name(program, &step->name);

	step->next = program->first_steps[at];
	program->first_steps[at] = index;
	program->wants_documents |= step->where != NULL;
}

/* Collects the names that are asked about, when all definitions have been parsed. */
void
stratum_events_prepare(Program *program)
{
	int			most = program->nprobes + program->nsteps;

	stratum_set_init(&program->event_names, most);
	program->first_probes = palloc_extended((most + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	program->first_steps = palloc_extended((most + 1) * sizeof(int), MCXT_ALLOC_HUGE);
	for (int i = 0; i < program->nprobes; i++)
		prepare_probe(program, i);
	for (int i = 0; i < program->nsteps; i++)
		prepare_step(program, i);
	program->event_names_array = names_array(program);
	if (most > 0)
		program->event_scratch = AllocSetContextCreate(program->context, "stratum conditions event",
													   ALLOCSET_SMALL_SIZES);
}

static TimestampTz
window_since(int64 window, TimestampTz since, TimestampTz now)
{
	return window < 0 ? since : Max(since, stratum_time_ago(now, window));
}

/* The earliest time that matters to any probe or sequence. */
TimestampTz
stratum_events_since(const Program *program, TimestampTz now)
{
	TimestampTz since = DT_NOEND;

	for (int i = 0; i < program->nprobes; i++)
	{
		const EventProbe *probe = &program->probes[i];

		since = Min(since, probe->wants_ever ? DT_NOBEGIN : window_since(probe->window, probe->since, now));
	}
	for (int i = 0; i < program->nsequences; i++)
		since = Min(since, window_since(program->sequences[i].window, program->sequences[i].since, now));
	return since;
}

/* --- adding up --- */

bool
stratum_is_in_window(int64 window, TimestampTz since, TimestampTz until, TimestampTz time, TimestampTz now)
{
	if (window >= 0 && (time > now || time < stratum_time_ago(now, window)))
		return false;
	return time >= since && (time < until || TIMESTAMP_IS_NOEND(until));
}

static bool
is_in_window(const EventProbe *probe, TimestampTz time, TimestampTz now)
{
	return stratum_is_in_window(probe->window, probe->since, probe->until, time, now);
}

/* Whether a "where", if there is one, holds for the event. */
bool
stratum_event_passes(Program *where, const Event *event)
{
	if (where == NULL)
		return true;
	stratum_program_columns(where, event->documents);
	return stratum_program_matches(where, 0);
}

/* The event outlives its row only as a copy, which takes the place of the last one. */
static void
keep_properties(EventTimes *times, const Event *event)
{
	if (times->properties != NULL)
		pfree(times->properties);
	times->properties = event->documents[0].isnull ? NULL :
		DatumGetJsonbPCopy(event->documents[0].value);
}

static void
add_time(EventTimes *times, const Event *event, bool is_first, bool wants_latest)
{
	if (is_first || event->time < times->first)
		times->first = event->time;
	/* Of events at the same time the one with the greater id is the latest. */
	if (!is_first && (event->time < times->last || (event->time == times->last && event->id < times->last_id)))
		return;
	times->last = event->time;
	times->last_id = event->id;
	if (wants_latest)
		keep_properties(times, event);
}

/* Whenever it was, in the window or not. */
static void
add_ever(EventTimes *times, const Event *event)
{
	if (!times->has_ever || event->time < times->ever)
		times->ever = event->time;
	times->has_ever = true;
}

static void
add_to_probe(const Program *program, EventTally *tally, int index, const Event *event, TimestampTz now)
{
	const EventProbe *probe = &program->probes[index];
	EventTimes *times = probe->wants_times ? stratum_tally_times(program, tally, index) : NULL;
	bool		counts = is_in_window(probe, event->time, now);

	if ((!counts && !probe->wants_ever) || !stratum_event_passes(probe->where, event))
		return;
	if (probe->wants_ever)
		add_ever(times, event);
	if (!counts)
		return;
	if (probe->wants_times)
		add_time(times, event, tally[index] == 0, probe->wants_latest);
	if (probe->first_numbers >= 0)
		stratum_numbers_add(program, tally, probe->first_numbers, event);
	tally[index]++;
}

/* Adds an event to a tally, which is all zeros at first. Copies are made in the current memory context. */
void
stratum_events_add(const Program *program, EventTally *tally, const Event *event, TimestampTz now)
{
	Value		name = {.kind = VALUE_STRING, .length = event->name_length, .of.string = event->name};
	int			at = stratum_set_find(&program->event_names, &name);

	if (at < 0)
		return;
	for (int i = program->first_probes[at]; i >= 0; i = program->probes[i].next)
		add_to_probe(program, tally, i, event, now);
	if (program->first_steps[at] >= 0)
		stratum_sequence_add(program, tally, program->first_steps[at], event, now);
}

/* Whether the first event ever is one of those in the window. */
bool
stratum_is_first_time(const EventProbe *probe, const EventTimes *times, TimestampTz now)
{
	return times->has_ever && is_in_window(probe, times->ever, now);
}

/* An event from a row of (name, time, id, properties, context). */
Event
stratum_event_from_row(const Datum *values, const bool *nulls)
{
	const text *name = DatumGetTextPP(values[0]);

	return (Event) {
		.name = VARDATA_ANY(name),
		.name_length = VARSIZE_ANY_EXHDR(name),
		.time = DatumGetTimestampTz(values[1]),
		.id = DatumGetInt64(values[2]),
		.documents = {{values[3], nulls[3]}, {values[4], nulls[4]}}
	};
}

/* --- the events of one profile --- */

static void
take_event(void *argument, TupleTableSlot *row)
{
	Program    *program = argument;
	MemoryContext before = MemoryContextSwitchTo(program->scratch);
	Event		event = stratum_event_from_row(row->tts_values, row->tts_isnull);

	stratum_events_add(program, program->row.events, &event, program->row.now);
	MemoryContextSwitchTo(before);
}

/*
 * Saved plans, without the documents and with them; the plan cache follows changes of the table, of the role
 * and of row security. The casts hold should somebody change a column's type: what comes out is read as it is.
 */
static SPIPlanPtr
get_plan(bool with_documents)
{
	static SPIPlanPtr plans[2];
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	SPIPlanPtr	plan;

	if (plans[with_documents] != NULL)
		return plans[with_documents];
	plan = SPI_prepare(psprintf("SELECT CAST(e.event_name AS pg_catalog.text),"
								" CAST(e.\"timestamp\" AS pg_catalog.timestamptz), CAST(e.id AS pg_catalog.int8),"
								" CAST(%s AS pg_catalog.jsonb), CAST(%s AS pg_catalog.jsonb)"
								" FROM stratum.cdp_events e"
								" WHERE e.profile_id OPERATOR(pg_catalog.=) $1"
								" AND e.tenant_id OPERATOR(pg_catalog.=) $2"
								" AND e.event_name OPERATOR(pg_catalog.=) ANY ($3)"
								" AND e.\"timestamp\" OPERATOR(pg_catalog.>=) $4",
								with_documents ? "e.properties" : "NULL", with_documents ? "e.context" : "NULL"),
					   lengthof(types), types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the look-up of events: %s", SPI_result_code_string(SPI_result));
	plans[with_documents] = plan;
	return plan;
}

static void
look_up(Program *program, int64 profile, int64 tenant)
{
	RowReceiver receiver = stratum_row_receiver(take_event, program);
	Datum		values[] = {Int64GetDatum(profile), Int64GetDatum(tenant), program->event_names_array,
	TimestampTzGetDatum(stratum_events_since(program, program->row.now))};
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	SPIExecuteOptions options = {0};
	int			result;

	SPI_connect();
	options.params = stratum_constant_parameters(lengthof(values), types, values);
	options.read_only = true;
	options.dest = &receiver.receiver;
	result = SPI_execute_plan_extended(get_plan(program->wants_documents), &options);
	if (result < 0)
		elog(ERROR, "could not look up events: %s", SPI_result_code_string(result));
	SPI_finish();
}

/* An integer column of the row; false where it is NULL or there is none. */
static bool
read_integer(Program *program, int index, int64 *result)
{
	const Column *column = &program->columns[index];
	bool		isnull;
	Datum		datum = stratum_program_datum(program, index, &isnull);

	if (isnull)
		return false;
	*result = stratum_integer(TupleDescAttr(program->row_type, column->number - 1), datum);
	return true;
}

/*
 * What the profile's events come to, seen with the statement's snapshot and the rights of its user. None where the
 * row has no id or tenant. All probes are answered by one look at the table.
 */
const EventTally *
stratum_event_tally(Program *program)
{
	Row		   *row = &program->row;
	int64		profile,
				tenant;

	if (row->events_row == row->number)
		return row->events;
	memset(row->events, 0, stratum_tally_size(program));
	if (read_integer(program, program->id_column, &profile) &&
		read_integer(program, program->tenant_column, &tenant))
		look_up(program, profile, tenant);
	row->events_row = row->number;
	return row->events;
}
