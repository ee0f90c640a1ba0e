/*
 * conditions_event_field.c
 *	  Fields about events: event.<name>.<what>, and the keys that narrow down which events.
 */
#include "conditions.h"

#include "catalog/pg_type.h"

#define HINT_EVENT "Write it as event.<name>.<count|exists|first|last|first_time> or " \
	"event.<name>.<property|sum|avg|min|max>.<path>; " \
	"a name with a dot goes into an array: [\"event\", \"a.b\", \"count\"]."
#define HINT_WINDOW "Use a number of days above 0, as 30 or 0.5, in conditions about events."
#define HINT_TIME "Write it as 2025-01-31 or 2025-01-31T12:00:00Z, in conditions about events."
#define HINT_WHERE "It is a definition over property.<path> and context.<path>, in conditions about events."
#define HINT_FIRST_TIME "Add \"within_days\", \"since\" or \"until\"; without a window, exists says the same."

/* What is asked about events, by the third piece of the name; from EVENT_PROPERTY on a path follows. */
static const char *const parts[] = {
	[EVENT_COUNT] = "count",
	[EVENT_EXISTS] = "exists",
	[EVENT_FIRST] = "first",
	[EVENT_LAST] = "last",
	[EVENT_FIRST_TIME] = "first_time",
	[EVENT_PROPERTY] = "property",
	[EVENT_SUM] = "sum",
	[EVENT_AVG] = "avg",
	[EVENT_MIN] = "min",
	[EVENT_MAX] = "max",
};

/* --- the filter --- */

static bool
is_given(const Setting *setting)
{
	return setting->value.kind != VALUE_MISSING;
}

static void
refuse_setting(const Setting *setting, const char *hint)
{
	if (is_given(setting))
		stratum_refuse(&setting->place, hint, "\"%s\" goes with fields of events only",
					   setting->place.key.name);
}

/* The field is not about events, so no key may say which. */
void
stratum_refuse_filter(const EventFilter *filter)
{
	refuse_setting(&filter->within_days, HINT_WINDOW);
	refuse_setting(&filter->since, HINT_TIME);
	refuse_setting(&filter->until, HINT_TIME);
	refuse_setting(&filter->where, HINT_WHERE);
}

/* So many days in microseconds, -1 where the condition has none. */
int64
stratum_read_days(const Setting *days)
{
	if (!is_given(days))
		return -1;
	if (days->value.kind != VALUE_NUMBER || days->value.of.number.sign <= 0)
		stratum_refuse(&days->place, HINT_WINDOW, "\"within_days\" takes a number of days above 0");
	return stratum_number_days(&days->value.of.number);
}

static TimestampTz
read_time(const Setting *setting, TimestampTz otherwise)
{
	TimestampTz time;

	if (!is_given(setting))
		return otherwise;
	if (setting->value.kind != VALUE_STRING ||
		!stratum_time_from_string(setting->value.of.string, setting->value.length, &time))
		stratum_refuse(&setting->place, HINT_TIME, "\"%s\" takes an ISO 8601 time",
					   setting->place.key.name);
	return time;
}

/* Which times count: back from now, from a time on, and up to one. */
void
stratum_read_window(const EventFilter *filter, int64 *window, TimestampTz *since, TimestampTz *until)
{
	*window = stratum_read_days(&filter->within_days);
	*since = read_time(&filter->since, DT_NOBEGIN);
	*until = read_time(&filter->until, DT_NOEND);
	if (!TIMESTAMP_IS_NOEND(*until) && *since >= *until)
		stratum_refuse(&filter->until.place, HINT_TIME, "\"until\" is not later than \"since\"");
}

/* What an event is for its "where". */
static TupleDesc
event_type(void)
{
	TupleDesc	row_type = CreateTemplateTupleDesc(2);

	TupleDescInitEntry(row_type, 1, "properties", JSONBOID, -1, 0);
	TupleDescInitEntry(row_type, 2, "context", JSONBOID, -1, 0);
	return row_type;
}

Program *
stratum_read_where(const Setting *where)
{
	if (!is_given(where))
		return NULL;
	return stratum_program_inner(STRATUM_EVENT, event_type(), &where->value, &where->place);
}

/* --- probes --- */

/* Bytes that are the same for the same name and filter and no other. */
static void
describe_probe(const EventProbe *probe, const Setting *where, StringInfo key)
{
	initStringInfo(key);
	appendStringInfo(key, "event " INT64_FORMAT " " INT64_FORMAT " " INT64_FORMAT " %d:",
					 probe->window, probe->since, probe->until, probe->name.length);
	appendBinaryStringInfo(key, probe->name.name, probe->name.length);
	stratum_describe_value(&where->value, key);
}

static int
use_probe(Parser *parser, const Key *name, const EventFilter *filter)
{
	Program    *program = parser->program;
	EventProbe	probe = {.name = *name, .first_numbers = -1};
	StringInfoData key;
	int			index;

	stratum_read_window(filter, &probe.window, &probe.since, &probe.until);
	describe_probe(&probe, &filter->where, &key);
	if (stratum_intern(parser, &key, program->nprobes, &index))
		return index;
	probe.where = stratum_read_where(&filter->where);
	program->probes = stratum_grow(program->probes, program->nprobes, &parser->probes_room,
								   sizeof(EventProbe));
	program->probes[program->nprobes] = probe;
	return program->nprobes++;
}

/* The numbers at a path of a probe's events. */
static int
use_numbers(Parser *parser, int probe, Key *path, int npath)
{
	Program    *program = parser->program;
	EventNumbers *numbers;
	StringInfoData key;
	int			index;

	initStringInfo(&key);
	appendStringInfo(&key, "numbers %d", probe);
	for (int i = 0; i < npath; i++)
	{
		appendStringInfo(&key, " %d:", path[i].length);
		appendBinaryStringInfo(&key, path[i].name, path[i].length);
	}
	if (stratum_intern(parser, &key, program->nnumbers, &index))
		return index;
	program->numbers = stratum_grow(program->numbers, program->nnumbers, &parser->numbers_room,
									sizeof(EventNumbers));
	numbers = &program->numbers[program->nnumbers];
	*numbers = (EventNumbers) {npath, path, program->probes[probe].first_numbers};
	program->probes[probe].first_numbers = program->nnumbers;
	return program->nnumbers++;
}

/* --- fields --- */

/* Notes what the probe has to keep for the field. */
static void
note_wants(EventProbe *probe, const Field *field)
{
	switch (field->part)
	{
		case EVENT_FIRST:
		case EVENT_LAST:
			probe->wants_times = true;
			break;
		case EVENT_FIRST_TIME:
			probe->wants_times = probe->wants_ever = true;
			break;
		case EVENT_PROPERTY:
			probe->wants_times = probe->wants_latest = true;
			break;
		default:
			break;
	}
}

static EventPart
read_part(const Place *place, const Pieces *name)
{
	int			part = 0;

	if (name->count < 3)
		stratum_refuse_field(place, name, HINT_EVENT);
	while (part < (int) lengthof(parts) && !stratum_piece_is(&name->pieces[2], parts[part]))
		part++;
	if (part == (int) lengthof(parts) || (part >= EVENT_PROPERTY) != (name->count > 3))
		stratum_refuse_field(place, name, HINT_EVENT);
	return part;
}

/* event.<name>.<part>, with a path behind some parts */
void
stratum_read_event_field(Parser *parser, const Place *place, const Pieces *name,
						 const EventFilter *filter, Field *field)
{
	Program    *program = parser->program;

	field->source = FIELD_EVENT;
	field->part = read_part(place, name);
	if (field->part == EVENT_FIRST_TIME && !is_given(&filter->within_days) &&
		!is_given(&filter->since) && !is_given(&filter->until))
		stratum_refuse(place, HINT_FIRST_TIME, "\"first_time\" needs a window");
	field->probe = use_probe(parser, &name->pieces[1], filter);
	if (field->part >= EVENT_PROPERTY)
	{
		field->path = name->pieces + 3;
		field->npath = name->count - 3;
	}
	if (field->part >= EVENT_SUM)
		field->numbers = use_numbers(parser, field->probe, field->path, field->npath);
	note_wants(&program->probes[field->probe], field);
	program->id_column = stratum_use_integer(parser, place, "id");
	program->tenant_column = stratum_use_integer(parser, place, "tenant_id");
}
