/*
 * conditions_events.c
 *	  What is known about a profile's events, summed up for the program's probes.
 *
 * A probe is about the events of one name and window. Events are added one by one, in whatever order, so that
 * a single pass serves all probes: over the events of one profile, when its row is evaluated (here), or over
 * those of many profiles, in a refresh (segment_events.c).
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "tcop/dest.h"
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

/* Collects the names that the probes are about, when all definitions have been parsed. */
void
stratum_events_prepare(Program *program)
{
	stratum_set_init(&program->event_names, program->nprobes);
	for (int i = 0; i < program->nprobes; i++)
	{
		EventProbe *probe = &program->probes[i];
		Operand		name = {.value = {.kind = VALUE_STRING, .length = probe->name.length,
				.of.string = probe->name.name}};
		int			at = stratum_set_find(&program->event_names, &name.value);

		if (at < 0)
		{
			at = program->event_names.count;
			stratum_set_add(&program->event_names, &name);
			program->first_probes = stratum_grow(program->first_probes, at, &program->first_probes_room,
												 sizeof(int));
			program->first_probes[at] = -1;
		}
		probe->next = program->first_probes[at];
		program->first_probes[at] = i;
		probe->times = probe->wants_times ? program->ntimes++ : -1;
		program->wants_properties |= probe->wants_latest;
	}
	program->event_names_array = names_array(program);
}

/* The earliest time that matters to any probe. */
TimestampTz
stratum_events_since(const Program *program, TimestampTz now)
{
	TimestampTz since = DT_NOEND;

	for (int i = 0; i < program->nprobes; i++)
	{
		if (program->probes[i].window < 0)
			return DT_NOBEGIN;
		since = Min(since, stratum_time_ago(now, program->probes[i].window));
	}
	return since;
}

/* --- adding up --- */

/* The event outlives its row only as a copy, which takes the place of the last one. */
static void
keep_properties(EventTimes *times, const Event *event)
{
	if (times->properties != NULL)
		pfree(times->properties);
	times->properties = event->properties_null ? NULL : DatumGetJsonbPCopy(event->properties);
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

/* Adds an event to a tally, which is all zeros at first. Copies are made in the current memory context. */
void
stratum_events_add(const Program *program, EventTally *tally, const Event *event, TimestampTz now)
{
	Value		name = {.kind = VALUE_STRING, .length = event->name_length, .of.string = event->name};
	int			at = stratum_set_find(&program->event_names, &name);

	for (int i = at < 0 ? -1 : program->first_probes[at]; i >= 0; i = program->probes[i].next)
	{
		const EventProbe *probe = &program->probes[i];

		if (probe->window >= 0 &&
			(event->time > now || event->time < stratum_time_ago(now, probe->window)))
			continue;
		if (probe->wants_times)
			add_time(stratum_tally_times(program, tally, i), event, tally[i] == 0, probe->wants_latest);
		tally[i]++;
	}
}

/* An event from a row of (name, time, id, properties). */
Event
stratum_event_from_row(const Datum *values, const bool *nulls)
{
	const text *name = DatumGetTextPP(values[0]);

	return (Event) {
		.name = VARDATA_ANY(name),
		.name_length = VARSIZE_ANY_EXHDR(name),
		.time = DatumGetTimestampTz(values[1]),
		.id = DatumGetInt64(values[2]),
		.properties = values[3],
		.properties_null = nulls[3]
	};
}

/* --- the events of one profile --- */

typedef struct EventReceiver
{
	DestReceiver receiver;
	Program    *program;
} EventReceiver;

static bool
receive_event(TupleTableSlot *slot, DestReceiver *self)
{
	Program    *program = ((EventReceiver *) self)->program;
	MemoryContext before;
	Event		event;

	slot_getallattrs(slot);
	before = MemoryContextSwitchTo(program->scratch);
	event = stratum_event_from_row(slot->tts_values, slot->tts_isnull);
	stratum_events_add(program, program->row.events, &event, program->row.now);
	MemoryContextSwitchTo(before);
	return true;
}

static void
start_events(DestReceiver *self, int operation, TupleDesc row_type)
{
}

static void
end_events(DestReceiver *self)
{
}

/*
 * Saved plans, without the properties and with them; the plan cache follows changes of the table, of the role
 * and of row security. The casts hold should somebody change a column's type: what comes out is read as it is.
 */
static SPIPlanPtr
get_plan(bool with_properties)
{
	static SPIPlanPtr plans[2];
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	SPIPlanPtr	plan;

	if (plans[with_properties] != NULL)
		return plans[with_properties];
	plan = SPI_prepare(psprintf("SELECT CAST(e.event_name AS pg_catalog.text),"
								" CAST(e.\"timestamp\" AS pg_catalog.timestamptz), CAST(e.id AS pg_catalog.int8),"
								" CAST(%s AS pg_catalog.jsonb)"
								" FROM stratum.cdp_events e"
								" WHERE e.profile_id OPERATOR(pg_catalog.=) $1"
								" AND e.tenant_id OPERATOR(pg_catalog.=) $2"
								" AND e.event_name OPERATOR(pg_catalog.=) ANY ($3)"
								" AND e.\"timestamp\" OPERATOR(pg_catalog.>=) $4",
								with_properties ? "e.properties" : "NULL"),
					   lengthof(types), types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare the look-up of events: %s", SPI_result_code_string(SPI_result));
	plans[with_properties] = plan;
	return plan;
}

static void
look_up(Program *program, int64 profile, int64 tenant)
{
	EventReceiver receiver = {{receive_event, start_events, end_events, end_events, DestNone}, program};
	Datum		values[] = {Int64GetDatum(profile), Int64GetDatum(tenant), program->event_names_array,
	TimestampTzGetDatum(stratum_events_since(program, program->row.now))};
	Oid			types[] = {INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	SPIExecuteOptions options = {0};
	int			result;

	SPI_connect();
	options.params = makeParamList(lengthof(values));
	options.read_only = true;
	options.dest = &receiver.receiver;
	for (int i = 0; i < (int) lengthof(values); i++)
		options.params->params[i] = (ParamExternData) {values[i], false, PARAM_FLAG_CONST, types[i]};
	result = SPI_execute_plan_extended(get_plan(program->wants_properties), &options);
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
