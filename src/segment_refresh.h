/*
 * segment_refresh.h
 *	  A refresh of segments: what its files share.
 */
#ifndef STRATUM_SEGMENT_REFRESH_H
#define STRATUM_SEGMENT_REFRESH_H

#include "row_receiver.h"
#include "segment_set.h"

#include "executor/spi.h"

/* Numbers to their places. */
typedef struct PlaceOf
{
	int64		number;
	uint32		place;
	char		status;
} PlaceOf;

#define SH_PREFIX places
#define SH_ELEMENT_TYPE PlaceOf
#define SH_KEY_TYPE int64
#define SH_KEY number
#define SH_HASH_KEY(table, key) stratum_hash_number(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE

static inline uint32
stratum_hash_number(int64 number)
{
	uint64		hash = (uint64) number * UINT64CONST(0x9E3779B97F4A7C15);

	return (uint32) (hash >> 32);
}

#include "lib/simplehash.h"

/*
 * The rows of a table that belong to listed profiles of tenant $1. They are looked up profile by profile: a plan that is
 * kept must not depend on how large the tenant is.
 */
#define STRATUM_OF_LIST(table, profile, list) \
	"unnest(" list ") AS u (profile) CROSS JOIN LATERAL (SELECT * FROM stratum." table " t" \
	" WHERE t.tenant_id = $1 AND t." profile " = u.profile OFFSET 0)"

/* What a refresh does with a segment. */
typedef struct SegmentCount
{
	int64		id;
	int64		kept;			/* members that were there and should be */
	int64		added;
	int64		removed;
} SegmentCount;

/* A predicate about events. */
typedef struct EventQuestion
{
	int			predicate;
	int			place;			/* of the count without which it is as for no events; -1 for a sequence */
	int			sequence;
	bool		is_by_count;	/* the count decides */
	uint64		known;			/* for which counts the answer is known, and what it is: a bit for each */
	uint64		holds;
} EventQuestion;

typedef struct EventBatch EventBatch;

/* Queries that are the same each time, if the refresh keeps their plans. */
typedef enum RefreshPlan
{
	PLAN_PROFILES,
	PLAN_EVENTS,
	PLAN_MEMBERSHIPS,
	PLAN_SEGMENTS,
	PLAN_ADD,
	PLAN_REMOVE,
	REFRESH_PLANS,
	PLAN_ANEW					/* one that depends on the values */
} RefreshPlan;

/*
 * A refresh of segments of one tenant. Profiles are taken in ranges of ids, as many at a time as there is
 * memory for, or as a list: of each two rows of bits, the segments that it should be in and those that it is in.
 */
typedef struct Refresh
{
	int64		tenant;
	int			nsegments;
	SegmentCount *segments;		/* in the order of the bits */
	places_hash *segment_places;
	int			nwords;			/* of a row of bits */
	Datum		definitions;	/* jsonb[], in the order of the bits */
	SegmentSet *set;			/* they, compiled, if they are not asked in the query; for these columns of a profile: */
	TupleDesc	columns;
	Datum		column_names;	/* text[] */
	char	   *evaluation;		/* the query that asks them */
	MemoryContext range_context;	/* reset with each range */
	uint32		nprofiles;		/* in the range */
	uint32		room;
	int64	   *profiles;
	places_hash *profile_places;
	Bits	   *wanted;			/* a row of bits for each profile */
	Bits	   *present;
	PlaceOf		last_profile;	/* of the membership read last: most come together */
	places_hash *locked;		/* profiles of the batch that is being written */
	bool		by_list;		/* profiles are given as a list: */
	Datum		list;			/* bigint[] */
	SPIPlanPtr *plans;			/* kept ones, or NULL */
	bool		latest;			/* sees what others have committed, also in a transaction with one snapshot */
	bool		is_locked;		/* the tenant and the segments cannot go */
	bool		must_not_wait;	/* for a segment; where it would have to, nothing is written: */
	bool		is_blocked;
	int			ndiffering;		/* segments in which a profile of the list differs */
	Datum	   *differing;
	int			nlocked;		/* of them */
	bool		has_live;		/* there are segments whose differences are only noted: */
	Bits	   *live;
	Datum		history;		/* bigint[]: segments that keep a history, or 0; made of these: */
	int			nhistory;
	Datum	   *history_ids;
	bool		notifies;		/* who listens hears of what is written */
	int64	   *candidates;		/* profiles that differ in a live segment */
	int			ncandidates;
	int			candidates_room;
	int			event_bytes;	/* of the answers about the events of a profile, a bit a predicate */
	uint8	   *no_events;		/* answers for a profile that has none */
	int			nquestions;
	EventQuestion *questions;
	MemoryContext event_context;	/* as long as events are being read: what tallies point to */
	Size		tally_size;
	char	   *tallies;		/* one for each profile with events; where they come in order, the last one's only */
	int			tallies_room;
	int64		event_profile;	/* the last one's, where they come in order */
	EventBatch *event_batch;
	places_hash *event_places;	/* of tallies, where they come in no order */
	int			nevent_profiles;
	int64	   *event_profiles;	/* ascending, */
	uint8	   *event_answers;	/* and the answers about each */
	int			answers_room;
	int			event_cursor;	/* where the last one was found */
	int64		total_profiles;
	TimestampTz started;
	TimestampTz reported;
} Refresh;

/* --- segment_differences.c --- */
extern Datum stratum_number_array(const Datum *numbers, int count);
extern void stratum_write_differences(Refresh *refresh);

/* --- segment_events.c --- */
extern Size stratum_refresh_event_size(const Refresh *refresh);
extern void stratum_refresh_prepare_events(Refresh *refresh);
extern void stratum_refresh_read_events(Refresh *refresh, int64 after, int64 until);
extern const uint8 *stratum_refresh_event_answers(Refresh *refresh, int64 profile);

/* --- segment_event_query.c --- */
extern bool stratum_refresh_query_events(Refresh *refresh, int64 after, int64 until,
										 RowFunction in_order, RowFunction as_they_come);

/* --- segment_refresh.c --- */
extern Datum stratum_definition_array(const Datum *definitions, int count);
extern void stratum_refresh_prepare(Refresh *refresh, const Datum *ids, const Datum *definitions);
extern void stratum_refresh_all(Refresh *refresh);
extern void stratum_refresh_list(Refresh *refresh, const int64 *profiles, int count);

/* --- refresh_query.c --- */
extern void stratum_refresh_query(Refresh *refresh, RefreshPlan kept, const char *query, int nargs,
								  const Oid *types, const Datum *values, RowFunction function);

#endif							/* STRATUM_SEGMENT_REFRESH_H */
