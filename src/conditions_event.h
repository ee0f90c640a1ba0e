/*
 * conditions_event.h
 *	  Events in conditions: what is asked about them, and what is known of those of a profile.
 */
#ifndef STRATUM_CONDITIONS_EVENT_H
#define STRATUM_CONDITIONS_EVENT_H

#include "conditions_time.h"
#include "stratum.h"

#include "utils/numeric.h"

typedef struct Key
{
	const char *name;
	int			length;
} Key;

/* --- what is asked --- */

/* The events of one name that pass a filter; all fields about them share them. */
typedef struct EventProbe
{
	Key			name;
	int64		window;			/* microseconds back from now, or -1 */
	TimestampTz since;			/* DT_NOBEGIN: whenever */
	TimestampTz until;			/* not included; DT_NOEND: whenever */
	struct Program *where;		/* what holds for them, or NULL */
	bool		wants_times;	/* of the first and the latest one */
	bool		wants_ever;		/* of the first one outside of the window too */
	bool		wants_latest;	/* the latest one's properties */
	int			times;			/* which times of a tally are its, or -1 */
	int			first_numbers;	/* what is added up, linked by "next", or -1 */
	int			place;			/* of its count in a tally: those of a name stand together */
} EventProbe;

/* Times that count in a transaction, both included. */
typedef struct EventSpan
{
	TimestampTz first;
	TimestampTz last;
} EventSpan;

/* How an event is added to a count of a tally. */
typedef struct EventCount
{
	EventSpan	span;
	int			probe;
	bool		is_plain;		/* nothing but the count is kept, of whatever event */
} EventCount;

/* A name that is asked about. */
typedef struct EventName
{
	Key			name;
	int			first_count;	/* of a tally */
	int			ncounts;
	int			first_step;		/* linked by "next", or -1 */
	bool		wants_documents;	/* of its events */
} EventName;

/* All of them, by their hash: conditions_event_names.c. */
typedef struct EventNames
{
	int			count;
	EventName  *names;
	uint32		mask;
	int		   *slots;			/* index of the name + 1, 0 where empty */
} EventNames;

/* Numbers of a probe's events, at a path of their properties. */
typedef struct EventNumbers
{
	int			npath;
	Key		   *path;
	int			next;			/* numbers of the same probe, or -1 */
} EventNumbers;

/* One event after another. */
typedef struct SequenceStep
{
	Key			name;
	struct Program *where;		/* what holds for the event, or NULL */
	int64		within;			/* microseconds after the step before, or -1 */
	int			sequence;
	int			number;			/* from 0 */
	int			next;			/* step of the same name, or -1 */
} SequenceStep;

typedef struct EventSequence
{
	int64		window;			/* as of a probe */
	TimestampTz since;
	TimestampTz until;
	EventSpan	span;			/* what they come to in a transaction */
	int			first_step;
	int			nsteps;
	bool		then_not;		/* the last step must not happen */
} EventSequence;

/* --- what is known --- */

#define EVENT_DOCUMENTS 2		/* properties, context */

/* An event, as long as it is being added to what is known of a profile. */
typedef struct Event
{
	TimestampTz time;
	int64		id;
	NullableDatum documents[EVENT_DOCUMENTS];
} Event;

/* The first and the latest event of a probe, if there are any. */
typedef struct EventTimes
{
	TimestampTz first;
	TimestampTz last;
	int64		last_id;
	Jsonb	   *properties;		/* of the latest one, copied; NULL where it has none or nothing asks */
	TimestampTz ever;			/* the first one outside of the window too, if there is one */
	bool		has_ever;
} EventTimes;

/* What numbers come to. */
typedef struct EventSum
{
	int64		count;
	Numeric		sum;
	Numeric		least;
	Numeric		greatest;
} EventSum;

/* An event that is a step of a sequence, or several: a bit each. */
typedef struct SequenceEvent
{
	TimestampTz time;
	int64		id;
	uint32		steps;
} SequenceEvent;

/* All of a sequence, in the order in which they were added. The first few, which are all of most profiles, stand here. */
#define FEW_SEQUENCE_EVENTS 2

typedef struct SequenceLog
{
	int			count;
	int			room;			/* of those that have moved, 0 before */
	union
	{
		SequenceEvent few[FEW_SEQUENCE_EVENTS];
		SequenceEvent *moved;
	}			at;
} SequenceLog;

/*
 * What a profile's events come to: a count for each probe, behind the counts the times of those probes that ask
 * about them, then sums, then the logs of sequences. Kept small: in a refresh there is one for every profile with events.
 */
typedef int64 EventTally;

extern void stratum_event_names_init(EventNames *names, int most);
extern int	stratum_event_names_add(EventNames *names, const Key *name);
extern int	stratum_event_names_find(const EventNames *names, const char *name, int length);

static inline bool
stratum_is_in_span(EventSpan span, TimestampTz time)
{
	return span.first <= time && time <= span.last;
}

#endif							/* STRATUM_CONDITIONS_EVENT_H */
