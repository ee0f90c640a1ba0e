/*
 * conditions_sequence.c
 *	  Sequences of events: did this and then that, or did not.
 *
 * An event is later than another if its time is, or at the same time its id. Each event serves one step.
 */
#include "conditions.h"

#include "utils/memutils.h"

#define MAX_STEPS 16

#define HINT_STEPS "Write it as [{\"event\": \"A\"}, {\"event\": \"B\", \"within_days\": 7}], with 2 to 16 steps."
#define HINT_STEP "Allowed in a step: \"event\", \"where\", \"within_days\" after the first one, " \
	"and \"then_not\" in the last one."

/* --- reading --- */

static void
read_step(Parser *parser, const Value *value, const Place *place, bool is_first, bool is_last,
		  EventSequence *sequence)
{
	static const char *const keys[] = {"event", "where", "within_days", "then_not", NULL};
	Program    *program = parser->program;
	SequenceStep step = {.sequence = program->nsequences, .number = sequence->nsteps++};
	Setting		event,
				where,
				days,
				then_not;

	stratum_check_object(value, place, "a step", keys, HINT_STEP);
	if (!stratum_get_key(value, "event", place, &event))
		stratum_refuse(place, HINT_STEP, "\"event\" is missing");
	if (event.value.kind != VALUE_STRING || event.value.length == 0)
		stratum_refuse(&event.place, HINT_STEP, "the name of an event must be a string, not empty");
	if (stratum_get_key(value, "within_days", place, &days) && is_first)
		stratum_refuse(&days.place, HINT_STEP, "the first step follows nothing");
	if (stratum_get_key(value, "then_not", place, &then_not) && (then_not.value.kind != VALUE_BOOL || !is_last))
		stratum_refuse(&then_not.place, HINT_STEP, "\"then_not\" is true or false, in the last step only");
	sequence->then_not = then_not.value.kind == VALUE_BOOL && then_not.value.of.boolean;
	stratum_get_key(value, "where", place, &where);
	step.name = (Key) {event.value.of.string, event.value.length};
	step.within = stratum_read_days(&days);
	step.where = stratum_read_where(&where);
	program->steps = stratum_grow(program->steps, program->nsteps, &parser->steps_room,
								  sizeof(SequenceStep));
	program->steps[program->nsteps++] = step;
}

/* The field of a sequence; the filter says which times count. */
int
stratum_parse_sequence(Parser *parser, const Value *steps, const Place *place, const EventFilter *filter)
{
	Program    *program = parser->program;
	EventSequence sequence = {.first_step = program->nsteps};
	Field		field = {.source = FIELD_EVENT, .part = EVENT_SEQUENCE, .numbers = -1,
	.sequence = program->nsequences};
	Elements	elements;
	Value		step;

	if (program->target != STRATUM_PROFILE)
		stratum_refuse(place, "Only profiles have events.", "a sequence goes with profiles only");
	if (steps->kind != VALUE_ARRAY)
		stratum_refuse(place, HINT_STEPS, "\"sequence\" must be an array");
	stratum_json_elements(steps->of.container, &elements);
	if (elements.count < 2 || elements.count > MAX_STEPS)
		stratum_refuse(place, HINT_STEPS, "a sequence has 2 to %d steps, not %d", MAX_STEPS, elements.count);
	while (stratum_json_next(&elements, &step))
	{
		Place		at = {.outer = place, .index = elements.next - 1};

		read_step(parser, &step, &at, elements.next == 1, elements.next == elements.count, &sequence);
	}
	stratum_read_window(filter, &sequence.window, &sequence.since, &sequence.until);
	program->sequences = stratum_grow(program->sequences, program->nsequences, &parser->sequences_room,
									  sizeof(EventSequence));
	program->sequences[program->nsequences++] = sequence;
	program->id_column = stratum_use_integer(parser, place, "id");
	program->tenant_column = stratum_use_integer(parser, place, "tenant_id");
	return stratum_add_field(parser, &field);
}

/* --- adding up --- */

static SequenceEvent *
logged_events(SequenceLog *log)
{
	return log->room == 0 ? log->at.few : log->at.moved;
}

/* Room for one event more. */
static void
make_room(SequenceLog *log)
{
	SequenceEvent *moved;

	if (log->count < Max(log->room, FEW_SEQUENCE_EVENTS))
		return;
	if (log->room > 0)
	{
		log->room *= 2;
		log->at.moved = repalloc_huge(log->at.moved, (Size) log->room * sizeof(SequenceEvent));
		return;
	}
	log->room = 4 * FEW_SEQUENCE_EVENTS;
	moved = palloc(log->room * sizeof(SequenceEvent));
	memcpy(moved, log->at.few, sizeof(log->at.few));
	log->at.moved = moved;
}

static void
note_step(SequenceLog *log, const Event *event, int step)
{
	if (log->count == 0 || logged_events(log)[log->count - 1].id != event->id)
	{
		make_room(log);
		logged_events(log)[log->count++] = (SequenceEvent) {event->time, event->id, 0};
	}
	logged_events(log)[log->count - 1].steps |= (uint32) 1 << step;
}

/* Notes the event for the steps that it is, from the first of its name on; in the current memory context. */
void
stratum_sequence_add(const Program *program, EventTally *tally, int first, const Event *event)
{
	for (int i = first; i >= 0; i = program->steps[i].next)
	{
		const SequenceStep *step = &program->steps[i];

		if (stratum_is_in_span(program->sequences[step->sequence].span, event->time) &&
			stratum_event_passes(step->where, event))
			note_step(stratum_tally_log(program, tally, step->sequence), event, step->number);
	}
}

/* --- the answer --- */

static int
compare_events(const void *a, const void *b)
{
	const SequenceEvent *x = a;
	const SequenceEvent *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static bool
is_step(const SequenceEvent *event, int step)
{
	return (event->steps >> step) & 1;
}

/* Whether a time is not too long after the step before. */
static bool
follows(const SequenceStep *step, TimestampTz before, TimestampTz time)
{
	return step->within < 0 ||
		(!TIMESTAMP_NOT_FINITE(before) && time <= stratum_time_ahead(before, step->within));
}

/*
 * Goes through the events in their order. Of each step the latest event is kept that completes the steps up to it:
 * whatever follows is nearest to that one. The last step, if it must not happen, voids what was completed within
 * its time; what was completed earlier than that stands, whatever comes.
 */
static bool
happened(const EventSequence *sequence, const SequenceStep *steps, const SequenceEvent *events, int count)
{
	int			nsteps = sequence->nsteps - (sequence->then_not ? 1 : 0);
	const SequenceStep *unwanted = &steps[nsteps];
	TimestampTz reached[MAX_STEPS];
	bool		is_reached[MAX_STEPS] = {false};
	bool		pending = false;
	TimestampTz completed = 0;	/* the first completion that is not void */

	for (int i = 0; i < count; i++)
	{
		const SequenceEvent *event = &events[i];

		if (sequence->then_not && pending && is_step(event, nsteps))
		{
			if (!follows(unwanted, completed, event->time))
				return true;
			pending = false;
		}
		/* From the last step to the first, so that an event is not its own successor. */
		for (int step = nsteps - 1; step >= 0; step--)
		{
			if (!is_step(event, step) ||
				(step > 0 && (!is_reached[step - 1] || !follows(&steps[step], reached[step - 1], event->time))))
				continue;
			is_reached[step] = true;
			reached[step] = event->time;
			if (step == nsteps - 1 && !pending)
			{
				pending = true;
				completed = event->time;
			}
		}
		if (pending && !sequence->then_not)
			return true;
	}
	return pending;
}

bool
stratum_sequence_happened(const Program *program, const EventTally *tally, int index)
{
	const EventSequence *sequence = &program->sequences[index];
	SequenceLog *log = stratum_tally_log(program, tally, index);

	if (log->count == 0)
		return false;
	if (log->count > 1)
		qsort(logged_events(log), log->count, sizeof(SequenceEvent), compare_events);
	return happened(sequence, &program->steps[sequence->first_step], logged_events(log), log->count);
}
