/*
 * segment_events.c
 *	  What all segments ask about events, answered for many profiles in one pass over the events.
 *
 * A refresh reads the events that any definition names once, adds each to what is known of its profile, and at the
 * end asks the predicates about events of every profile that has some. Their answers, a bit a predicate, are
 * what the evaluation of the profiles then goes by.
 *
 * Events come in the order of their profiles, or in none (segment_event_query.c). In order, what is known is kept of one
 * profile at a time. Otherwise it is kept of all, and each event needs two places in memory which the processor does not
 * foresee: so the events are put by until there is a batch of them, whose places can be asked for all at once.
 */
#include "segment_refresh.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* --- answers --- */

/* Answers are remembered for counts below this. */
#define SMALL_COUNTS 64

/* The answer, asked of the program; which is told what is known of the profile the first time. */
static bool
ask_program(Program *program, const EventTally *tally, int predicate, bool *is_told)
{
	if (!*is_told)
		stratum_program_events(program, tally);
	*is_told = true;
	return stratum_program_holds(program, predicate);
}

static bool
ask(Program *program, EventQuestion *question, const EventTally *tally, bool *is_told)
{
	uint64		bit;
	bool		holds;

	if (!question->is_by_count || tally[question->place] >= SMALL_COUNTS)
		return ask_program(program, tally, question->predicate, is_told);
	bit = UINT64CONST(1) << tally[question->place];
	if ((question->known & bit) != 0)
		return (question->holds & bit) != 0;
	holds = ask_program(program, tally, question->predicate, is_told);
	question->known |= bit;
	question->holds |= holds ? bit : 0;
	return holds;
}

/* Whether the question is answered as for a profile without events. */
static bool
has_no_events(const Program *program, const EventQuestion *question, const EventTally *tally)
{
	return question->place >= 0 ? tally[question->place] == 0 :
		stratum_tally_log(program, tally, question->sequence)->count == 0;
}

/* The answers for a profile with these events. */
static void
answer_questions(Refresh *refresh, const EventTally *tally, uint8 *answers)
{
	Program    *program = refresh->set->program;
	bool		is_told = false;

	memcpy(answers, refresh->no_events, refresh->event_bytes);
	for (int i = 0; i < refresh->nquestions; i++)
	{
		EventQuestion *question = &refresh->questions[i];
		uint8	   *byte = &answers[question->predicate / 8];
		uint8		bit = 1 << (question->predicate % 8);

		if (has_no_events(program, question, tally))
			continue;
		*byte = ask(program, question, tally, &is_told) ? *byte | bit : *byte & ~bit;
	}
}

/* --- preparing --- */

/* Bytes that a profile takes while its events are read, and after that. */
Size
stratum_refresh_event_size(const Refresh *refresh)
{
	if (refresh->set == NULL)
		return 0;
	return stratum_tally_size(refresh->set->program) + refresh->event_bytes + sizeof(int64) + 3 * sizeof(PlaceOf);
}

static void
add_question(Refresh *refresh, int predicate)
{
	const Program *program = refresh->set->program;
	const Field *field = &program->fields[program->predicates[predicate].field];
	bool		is_sequence = field->part == EVENT_SEQUENCE;

	if (field->source != FIELD_EVENT)
		return;
	refresh->questions[refresh->nquestions++] = (EventQuestion) {
		.predicate = predicate,
		.place = is_sequence ? -1 : program->probes[field->probe].place,
		.sequence = field->sequence,
		.is_by_count = field->part == EVENT_COUNT || field->part == EVENT_EXISTS
	};
}

/* Once in a refresh: what is asked, and what holds for a profile without events. */
void
stratum_refresh_prepare_events(Refresh *refresh)
{
	Program    *program = refresh->set->program;
	EventTally *nothing = palloc0(stratum_tally_size(program));

	refresh->tally_size = stratum_tally_size(program);
	refresh->event_bytes = (program->npredicates + 7) / 8;
	refresh->no_events = palloc0(refresh->event_bytes + 1);
	refresh->questions = palloc_extended((program->npredicates + 1) * sizeof(EventQuestion), MCXT_ALLOC_HUGE);
	for (int i = 0; i < program->npredicates; i++)
		add_question(refresh, i);
	stratum_program_events(program, nothing);
	for (int i = 0; i < refresh->nquestions; i++)
	{
		int			predicate = refresh->questions[i].predicate;

		if (stratum_program_holds(program, predicate))
			refresh->no_events[predicate / 8] |= 1 << (predicate % 8);
	}
}

/* --- profiles --- */

static inline EventTally *
nth_tally(const Refresh *refresh, uint32 n)
{
	return (EventTally *) (refresh->tallies + n * refresh->tally_size);
}

/* What is known of the nth profile; nothing if it is a new one. */
static void
open_tally(Refresh *refresh, uint32 n)
{
	refresh->tallies = stratum_grow(refresh->tallies, n, &refresh->tallies_room, refresh->tally_size);
	memset(nth_tally(refresh, n), 0, refresh->tally_size);
}

static uint8 *
nth_answers(const Refresh *refresh, uint32 n)
{
	return refresh->event_answers + (Size) n * refresh->event_bytes;
}

/* Answers the questions about a profile, which is later than those before it. */
static void
answer_profile(Refresh *refresh, int64 profile, const EventTally *tally)
{
	int			n = refresh->nevent_profiles;

	if (n == refresh->answers_room)
	{
		refresh->answers_room *= 2;
		refresh->event_profiles = repalloc_huge(refresh->event_profiles, refresh->answers_room * sizeof(int64));
		refresh->event_answers = repalloc_huge(refresh->event_answers,
											   (Size) refresh->answers_room * refresh->event_bytes);
	}
	refresh->event_profiles[n] = profile;
	answer_questions(refresh, tally, nth_answers(refresh, n));
	refresh->nevent_profiles++;
}

/* --- events in the order of profiles --- */

/* All events of the profile have been added. */
static void
close_profile(Refresh *refresh)
{
	if (refresh->event_profile != PG_INT64_MIN)
		answer_profile(refresh, refresh->event_profile, nth_tally(refresh, 0));
	MemoryContextReset(refresh->event_context);
}

/* (profile, and what stratum_event_from_row() takes) */
static void
take_in_order(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	Program    *program = refresh->set->program;
	int64		profile = DatumGetInt64(row->tts_values[0]);
	MemoryContext before;
	Event		event;
	int			name = stratum_event_from_row(program, row->tts_values + 1, row->tts_isnull + 1, &event);

	if (name < 0)
		return;
	if (profile != refresh->event_profile)
	{
		close_profile(refresh);
		refresh->event_profile = profile;
		memset(refresh->tallies, 0, refresh->tally_size);
	}
	before = MemoryContextSwitchTo(refresh->event_context);
	stratum_events_add(program, nth_tally(refresh, 0), name, &event);
	MemoryContextSwitchTo(before);
}

/* --- events as they come --- */

#define BATCH 64

typedef struct WaitingEvent
{
	int64		profile;
	uint32		place;
	int			name;
	Event		event;
} WaitingEvent;

struct EventBatch
{
	int			count;
	WaitingEvent events[BATCH];
};

static void
find_waiting(Refresh *refresh, WaitingEvent *waiting)
{
	bool		found;
	PlaceOf    *place = places_insert(refresh->event_places, waiting->profile, &found);

	if (!found)
	{
		place->place = refresh->event_places->members - 1;
		open_tally(refresh, place->place);
	}
	waiting->place = place->place;
	if (found)
		__builtin_prefetch(nth_tally(refresh, waiting->place) +
						   refresh->set->program->event_names.names[waiting->name].first_count);
}

static void
add_waiting(Refresh *refresh, const WaitingEvent *waiting)
{
	stratum_events_add(refresh->set->program, nth_tally(refresh, waiting->place), waiting->name, &waiting->event);
}

static void
add_batch(Refresh *refresh)
{
	EventBatch *batch = refresh->event_batch;
	MemoryContext before = MemoryContextSwitchTo(refresh->event_context);

	for (int i = 0; i < batch->count; i++)
		__builtin_prefetch(&refresh->event_places->data[stratum_hash_number(batch->events[i].profile) &
														refresh->event_places->sizemask]);
	for (int i = 0; i < batch->count; i++)
		find_waiting(refresh, &batch->events[i]);
	for (int i = 0; i < batch->count; i++)
		add_waiting(refresh, &batch->events[i]);
	batch->count = 0;
	MemoryContextSwitchTo(before);
}

/* Documents do not outlive their row. */
static void
add_now(Refresh *refresh, WaitingEvent *waiting)
{
	MemoryContext before = MemoryContextSwitchTo(refresh->event_context);

	find_waiting(refresh, waiting);
	add_waiting(refresh, waiting);
	MemoryContextSwitchTo(before);
}

/* (profile, and what stratum_event_from_row() takes) */
static void
take_as_it_comes(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	Program    *program = refresh->set->program;
	EventBatch *batch = refresh->event_batch;
	WaitingEvent *waiting = &batch->events[batch->count];

	waiting->profile = DatumGetInt64(row->tts_values[0]);
	waiting->name = stratum_event_from_row(program, row->tts_values + 1, row->tts_isnull + 1, &waiting->event);
	if (waiting->name < 0)
		return;
	if (program->event_names.names[waiting->name].wants_documents)
		add_now(refresh, waiting);
	else if (++batch->count == BATCH)
		add_batch(refresh);
}

/* --- reading --- */

/* So many tallies ahead the next one is asked for. */
#define LOOK_AHEAD 8

#define ST_SORT sort_places
#define ST_ELEMENT_TYPE PlaceOf
#define ST_COMPARE(a, b) ((a)->number < (b)->number ? -1 : (a)->number > (b)->number)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DECLARE
#define ST_DEFINE
#include "lib/sort_template.h"

/* The places of the profiles whose events came in no order, in the order of the profiles. */
static PlaceOf *
order_places(const Refresh *refresh, uint32 count)
{
	PlaceOf    *ordered = palloc_extended((count + 1) * sizeof(PlaceOf), MCXT_ALLOC_HUGE);
	places_iterator iterator;
	uint32		n = 0;

	places_start_iterate(refresh->event_places, &iterator);
	for (PlaceOf *place; (place = places_iterate(refresh->event_places, &iterator)) != NULL;)
		ordered[n++] = *place;
	sort_places(ordered, n);
	return ordered;
}

static void
answer_all(Refresh *refresh)
{
	uint32		count = refresh->event_places->members;
	PlaceOf    *ordered = order_places(refresh, count);

	for (uint32 i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i + LOOK_AHEAD < count)
			__builtin_prefetch(nth_tally(refresh, ordered[i + LOOK_AHEAD].place));
		answer_profile(refresh, ordered[i].number, nth_tally(refresh, ordered[i].place));
	}
	pfree(ordered);
}

/* What grows while the rows come is made here, where it outlives their query. */
static void
prepare_range(Refresh *refresh)
{
	refresh->event_context = AllocSetContextCreate(CurrentMemoryContext, "stratum refresh events",
												   ALLOCSET_DEFAULT_SIZES);
	refresh->event_places = places_create(CurrentMemoryContext, refresh->by_list ? refresh->room : 1024, NULL);
	refresh->tallies_room = 0;
	refresh->tallies = NULL;
	open_tally(refresh, 0);
	refresh->event_profile = PG_INT64_MIN;
	refresh->event_batch = palloc(sizeof(EventBatch));
	refresh->event_batch->count = 0;
	refresh->nevent_profiles = refresh->event_cursor = 0;
	refresh->answers_room = refresh->by_list ? refresh->room : 1024;
	refresh->event_profiles = palloc(refresh->answers_room * sizeof(int64));
	refresh->event_answers = palloc_extended((Size) refresh->answers_room * refresh->event_bytes + 1, MCXT_ALLOC_HUGE);
}

/* Reads the events of a range of profiles and answers what is asked about them. */
void
stratum_refresh_read_events(Refresh *refresh, int64 after, int64 until)
{
	prepare_range(refresh);
	if (stratum_asks_about_events(refresh->set->program) &&
		stratum_refresh_query_events(refresh, after, until, take_in_order, take_as_it_comes))
		close_profile(refresh);
	else
	{
		add_batch(refresh);
		answer_all(refresh);
	}
	places_destroy(refresh->event_places);
	pfree(refresh->tallies);
	MemoryContextDelete(refresh->event_context);
}

/* The first profile with events that is not before this one. Mostly it is the one after the last that was looked for. */
static int
find_profile(const Refresh *refresh, int64 profile)
{
	const int64 *profiles = refresh->event_profiles;
	int			low = refresh->event_cursor;
	int			high = refresh->nevent_profiles;

	if (low > 0 && profiles[low - 1] >= profile)
		low = 0;
	for (int step = 1; low + step < high; step *= 2)
	{
		if (profiles[low + step - 1] >= profile)
			high = low + step - 1;
		else
			low += step;
	}
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (profiles[middle] < profile)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is known about a profile's events, for its evaluation. */
const uint8 *
stratum_refresh_event_answers(Refresh *refresh, int64 profile)
{
	int			at = refresh->event_cursor = find_profile(refresh, profile);

	return at < refresh->nevent_profiles && refresh->event_profiles[at] == profile ?
		nth_answers(refresh, at) : refresh->no_events;
}
