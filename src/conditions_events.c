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

/* The casts hold should somebody change a column's type: what comes out is read as it is. */
#define EVENT_COLUMNS "CAST(e.event_name AS pg_catalog.text)," \
	" CAST(e.\"timestamp\" AS pg_catalog.timestamptz), CAST(e.id AS pg_catalog.int8)"

/* --- probes by name --- */

/* The names, as text[]. */
static Datum
names_array(const EventNames *names)
{
	Datum	   *texts = palloc((names->count + 1) * sizeof(Datum));

	for (int i = 0; i < names->count; i++)
	{
		const Key  *name = &names->names[i].name;

		texts[i] = PointerGetDatum(cstring_to_text_with_len(name->name, name->length));
	}
	return PointerGetDatum(construct_array(texts, names->count, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
prepare_probe(Program *program, EventProbe *probe)
{
	EventName  *name = &program->event_names.names[stratum_event_names_add(&program->event_names, &probe->name)];

	probe->place = name->ncounts++;
	probe->times = probe->wants_times ? program->ntimes++ : -1;
	name->wants_documents |= probe->wants_latest || probe->where != NULL || probe->first_numbers >= 0;
	program->wants_documents |= name->wants_documents;
}

/* Puts the counts of a name side by side. */
static void
place_counts(Program *program)
{
	EventNames *names = &program->event_names;
	int			next = 0;

	for (int i = 0; i < names->count; i++)
	{
		names->names[i].first_count = next;
		next += names->names[i].ncounts;
	}
	program->event_counts = palloc_extended((program->nprobes + 1) * sizeof(EventCount), MCXT_ALLOC_HUGE);
	for (int i = 0; i < program->nprobes; i++)
	{
		EventProbe *probe = &program->probes[i];

		probe->place += names->names[stratum_event_names_add(names, &probe->name)].first_count;
		program->event_counts[probe->place] = (EventCount) {
			.probe = i,
			.is_plain = probe->where == NULL && !probe->wants_times && probe->first_numbers < 0
		};
	}
}

static void
prepare_step(Program *program, int index)
{
	SequenceStep *step = &program->steps[index];
	EventName  *name = &program->event_names.names[stratum_event_names_add(&program->event_names, &step->name)];

	step->next = name->first_step;
	name->first_step = index;
	name->wants_documents |= step->where != NULL;
	program->wants_documents |= name->wants_documents;
}

/* Collects the names that are asked about, when all definitions have been parsed. */
void
stratum_events_prepare(Program *program)
{
	int			most = program->nprobes + program->nsteps;

	stratum_event_names_init(&program->event_names, most);
	for (int i = 0; i < program->nprobes; i++)
		prepare_probe(program, &program->probes[i]);
	place_counts(program);
	for (int i = 0; i < program->nsteps; i++)
		prepare_step(program, i);
	program->event_names_array = names_array(&program->event_names);
	if (most > 0)
		program->event_scratch = AllocSetContextCreate(program->context, "stratum conditions event",
													   ALLOCSET_SMALL_SIZES);
}

/* What a window comes to now; nothing is later than the end of time. */
static EventSpan
find_span(int64 window, TimestampTz since, TimestampTz until, TimestampTz now)
{
	EventSpan	span = {since, TIMESTAMP_IS_NOEND(until) ? until : until - 1};

	if (window < 0)
		return span;
	return (EventSpan) {Max(span.first, stratum_time_ago(now, window)), Min(span.last, now)};
}

/* Before events are added in a transaction: which times count. Returns the earliest that matters. */
TimestampTz
stratum_events_begin(Program *program, TimestampTz now)
{
	TimestampTz since = DT_NOEND;

	for (int i = 0; i < program->nprobes; i++)
	{
		const EventProbe *probe = &program->probes[i];
		EventSpan	span = find_span(probe->window, probe->since, probe->until, now);

		program->event_counts[probe->place].span = span;
		since = Min(since, probe->wants_ever ? DT_NOBEGIN : span.first);
	}
	for (int i = 0; i < program->nsequences; i++)
	{
		EventSequence *sequence = &program->sequences[i];

		sequence->span = find_span(sequence->window, sequence->since, sequence->until, now);
		since = Min(since, sequence->span.first);
	}
	return since;
}

/* --- adding up --- */

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
add_to_probe(const Program *program, EventTally *tally, const EventCount *count, const Event *event)
{
	const EventProbe *probe = &program->probes[count->probe];
	EventTimes *times = probe->wants_times ? stratum_tally_times(program, tally, count->probe) : NULL;
	bool		counts = stratum_is_in_span(count->span, event->time);

	if ((!counts && !probe->wants_ever) || !stratum_event_passes(probe->where, event))
		return;
	if (probe->wants_ever)
		add_ever(times, event);
	if (!counts)
		return;
	if (probe->wants_times)
		add_time(times, event, tally[probe->place] == 0, probe->wants_latest);
	if (probe->first_numbers >= 0)
		stratum_numbers_add(program, tally, probe->first_numbers, event);
	tally[probe->place]++;
}

/*
 * Adds an event of the name with that index to a tally, which is all zeros at first. Copies are made in the current
 * memory context.
 */
void
stratum_events_add(const Program *program, EventTally *tally, int index, const Event *event)
{
	const EventName *name = &program->event_names.names[index];

	for (int i = name->first_count; i < name->first_count + name->ncounts; i++)
	{
		const EventCount *count = &program->event_counts[i];

		if (count->is_plain)
			tally[i] += stratum_is_in_span(count->span, event->time);
		else
			add_to_probe(program, tally, count, event);
	}
	if (name->first_step >= 0)
		stratum_sequence_add(program, tally, name->first_step, event);
}

/* Whether the first event ever is one of those in the window. */
bool
stratum_is_first_time(const Program *program, const EventProbe *probe, const EventTimes *times)
{
	return times->has_ever && stratum_is_in_span(program->event_counts[probe->place].span, times->ever);
}

/*
 * Reads an event from a row of (name, time, id, properties, context), the last two only where the program wants
 * documents. Returns where its name is among the names, -1 where nothing asks about it.
 */
int
stratum_event_from_row(const Program *program, const Datum *values, const bool *nulls, Event *event)
{
	const text *name = DatumGetTextPP(values[0]);
	int			index = stratum_event_names_find(&program->event_names, VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	event->time = DatumGetTimestampTz(values[1]);
	event->id = DatumGetInt64(values[2]);
	for (int i = 0; i < EVENT_DOCUMENTS; i++)
		event->documents[i] = program->wants_documents ? (NullableDatum) {values[3 + i], nulls[3 + i]} :
			(NullableDatum) {(Datum) 0, true};
	return index;
}

/* The columns of such a row. */
const char *
stratum_event_columns(bool with_documents)
{
	return with_documents ? EVENT_COLUMNS ", CAST(e.properties AS pg_catalog.jsonb), CAST(e.context AS pg_catalog.jsonb)" :
		EVENT_COLUMNS;
}

/* --- the events of one profile --- */

static void
take_event(void *argument, TupleTableSlot *row)
{
	Program    *program = argument;
	MemoryContext before = MemoryContextSwitchTo(program->scratch);
	Event		event;
	int			name = stratum_event_from_row(program, row->tts_values, row->tts_isnull, &event);

	if (name >= 0)
		stratum_events_add(program, program->row.events, name, &event);
	MemoryContextSwitchTo(before);
}

/*
 * Saved plans, without the documents and with them; the plan cache follows changes of the table, of the role
 * and of row security.
 */
static SPIPlanPtr
get_plan(bool with_documents)
{
	static SPIPlanPtr plans[2];
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	SPIPlanPtr	plan;

	if (plans[with_documents] != NULL)
		return plans[with_documents];
	plan = SPI_prepare(psprintf("SELECT %s FROM stratum.cdp_events e"
								" WHERE e.profile_id OPERATOR(pg_catalog.=) $1"
								" AND e.tenant_id OPERATOR(pg_catalog.=) $2"
								" AND e.event_name OPERATOR(pg_catalog.=) ANY ($3)"
								" AND e.\"timestamp\" OPERATOR(pg_catalog.>=) $4",
								stratum_event_columns(with_documents)),
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
	TimestampTzGetDatum(stratum_events_begin(program, program->row.now))};
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
