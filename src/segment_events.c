/*
 * segment_events.c
 *	  What all segments ask about events, answered for many profiles in one pass over the events.
 *
 * A refresh reads the events that any definition names once, adds each to what is known of its profile, and at the
 * end asks the predicates about events of every profile that has some. Their answers, a bit a predicate, are
 * what the evaluation of the profiles then goes by.
 */
#include "segment_refresh.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

static bool
is_about_events(const Program *program, int predicate)
{
	return program->fields[program->predicates[predicate].field].source == FIELD_EVENT;
}

/* The answers for a profile with these events. */
static void
answer_predicates(Program *program, const EventTally *tally, uint8 *answers)
{
	stratum_program_events(program, tally);
	for (int i = 0; i < program->npredicates; i++)
	{
		if (is_about_events(program, i) && stratum_program_holds(program, i))
			answers[i / 8] |= 1 << (i % 8);
	}
}

/* Bytes that a profile takes while its events are read, and after that. */
Size
stratum_refresh_event_size(const Refresh *refresh)
{
	if (refresh->set == NULL)
		return 0;
	return stratum_tally_size(refresh->set->program) + refresh->event_bytes + 2 * sizeof(PlaceOf);
}

/* Once in a refresh: what holds for a profile without events. */
void
stratum_refresh_prepare_events(Refresh *refresh)
{
	Program    *program = refresh->set->program;
	EventTally *nothing = palloc0(stratum_tally_size(program));

	refresh->tally_size = stratum_tally_size(program);
	refresh->event_bytes = (program->npredicates + 7) / 8;
	refresh->no_events = palloc0(refresh->event_bytes + 1);
	answer_predicates(program, nothing, refresh->no_events);
}

static EventTally *
nth_tally(const Refresh *refresh, uint32 n)
{
	return (EventTally *) (refresh->tallies + n * refresh->tally_size);
}

/* An event: (name, time, id, properties, context, profile). */
static void
take_event(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	Program    *program = refresh->set->program;
	MemoryContext before = MemoryContextSwitchTo(refresh->event_context);
	Event		event = stratum_event_from_row(row->tts_values, row->tts_isnull);
	bool		found;
	PlaceOf    *place = places_insert(refresh->event_places, DatumGetInt64(row->tts_values[5]), &found);

	if (!found)
	{
		place->place = refresh->nevent_profiles++;
		refresh->tallies = stratum_grow(refresh->tallies, place->place, &refresh->event_room,
										refresh->tally_size);
		memset(nth_tally(refresh, place->place), 0, refresh->tally_size);
	}
	stratum_events_add(program, nth_tally(refresh, place->place), &event,
					   GetCurrentTransactionStartTimestamp());
	MemoryContextSwitchTo(before);
}

/* Columns as stratum_event_from_row() takes them, and the profile. */
static void
select_events(const Program *program, StringInfo query)
{
	appendStringInfo(query, "SELECT CAST(e.event_name AS text), CAST(e.\"timestamp\" AS timestamptz),"
					 " CAST(e.id AS bigint), CAST(%s AS jsonb), CAST(%s AS jsonb), CAST(e.profile_id AS bigint)",
					 program->wants_documents ? "e.properties" : "NULL",
					 program->wants_documents ? "e.context" : "NULL");
}

/* The events that any probe may count; without conditions that all of them meet. */
static void
query_events(Refresh *refresh, int64 after, int64 until)
{
	Program    *program = refresh->set->program;
	TimestampTz since = stratum_events_since(program, GetCurrentTransactionStartTimestamp());
	Oid			types[] = {INT8OID, INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), Int64GetDatum(after), Int64GetDatum(until),
	program->event_names_array, TimestampTzGetDatum(since)};
	StringInfoData query;

	initStringInfo(&query);
	select_events(program, &query);
	appendStringInfoString(&query, " FROM stratum.cdp_events e"
						   " WHERE e.tenant_id = $1 AND e.event_name = ANY ($4) AND e.profile_id IS NOT NULL");
	if (after > PG_INT64_MIN)
		appendStringInfoString(&query, " AND e.profile_id > $2");
	if (until < PG_INT64_MAX)
		appendStringInfoString(&query, " AND e.profile_id <= $3");
	if (!TIMESTAMP_IS_NOBEGIN(since))
		appendStringInfoString(&query, " AND e.\"timestamp\" >= $5");
	stratum_refresh_query(refresh, PLAN_EVENTS, query.data, lengthof(values), types, values, take_event);
}

/*
 * All events of a list of profiles, since names and times would lead a plan that is kept for all values to an index
 * by tenant and name, or time: in a tenant much larger than others, to most of the table.
 */
static void
query_listed_events(Refresh *refresh)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), refresh->list};
	StringInfoData query;

	initStringInfo(&query);
	select_events(refresh->set->program, &query);
	appendStringInfoString(&query, " FROM " STRATUM_OF_LIST("cdp_events", "profile_id", "$2") " e");
	stratum_refresh_query(refresh, PLAN_EVENTS, query.data, lengthof(values), types, values, take_event);
}

/* Reads the events of a range of profiles and answers what is asked about them. */
void
stratum_refresh_read_events(Refresh *refresh, int64 after, int64 until)
{
	Program    *program = refresh->set->program;

	refresh->event_context = AllocSetContextCreate(CurrentMemoryContext, "stratum refresh events",
												   ALLOCSET_DEFAULT_SIZES);
	refresh->event_places = places_create(CurrentMemoryContext, refresh->by_list ? refresh->room : 1024, NULL);
	refresh->nevent_profiles = refresh->event_room = 0;
	refresh->tallies = NULL;
	if (refresh->by_list && stratum_asks_about_events(program))
		query_listed_events(refresh);
	else if (!refresh->by_list)
		query_events(refresh, after, until);
	refresh->event_answers = palloc_extended((Size) (refresh->nevent_profiles + 1) * refresh->event_bytes,
											 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int i = 0; i < refresh->nevent_profiles; i++)
	{
		CHECK_FOR_INTERRUPTS();
		answer_predicates(program, nth_tally(refresh, i),
						  refresh->event_answers + (Size) i * refresh->event_bytes);
	}
	MemoryContextDelete(refresh->event_context);
}

/* What is known about a profile's events, for its evaluation. */
const uint8 *
stratum_refresh_event_answers(const Refresh *refresh, int64 profile)
{
	const PlaceOf *place = places_lookup(refresh->event_places, profile);

	return place == NULL ? refresh->no_events :
		refresh->event_answers + (Size) place->place * refresh->event_bytes;
}
