/*
 * live.h
 *	  Memberships that every write of a profile or an event keeps current: what the files about them share.
 *
 * Triggers note which profiles a transaction has written (live_notes.c). When it is about to commit, their memberships
 * in the live segments of their tenant are brought up to date (live_settle.c), by a set of these segments that the
 * session keeps (live_set.c). What changed is told to who listens (live_notify.c).
 */
#ifndef STRATUM_LIVE_H
#define STRATUM_LIVE_H

#include "segment_refresh.h"

#include "access/xact.h"

/* --- live_set.c --- */

/* The live segments of a tenant, compiled for lists of profiles. */
typedef struct LiveSegments
{
	int64		tenant;			/* 0: free */
	uint64		generation;		/* another one each time that it is made */
	uint64		used;			/* the call that asked for it last */
	int			pins;			/* it may not go */
	bool		complete;		/* no error came between */
	bool		stale;
	MemoryContext context;		/* holds the rest */
	int			count;
	Datum	   *ids;			/* bigint */
	Datum	   *definitions;	/* jsonb */
	bool		asks_others;	/* a definition names another segment */
	Oid			profiles;		/* cdp_profiles, and its columns that are asked about: */
	AttrNumber *asked;			/* 0 for one that is not found */
	Refresh		refresh;		/* prepared */
	SPIPlanPtr	plans[REFRESH_PLANS];
} LiveSegments;

extern LiveSegments *stratum_live_segments(int64 tenant);
extern const LiveSegments *stratum_known_live_segments(int64 tenant);
extern void stratum_read_options(Refresh *refresh);

/* --- live_notes.c --- */

/* What a transaction has written of a tenant. */
typedef struct TenantNotes
{
	int64		tenant;
	places_hash *profiles;		/* "place" is 1 for those that matter, 0 for others */
	int			nothers;		/* that do not matter */
	uint64		generation;		/* of the set to which they do not; 0: there are none */
	bool		unsure;			/* to different sets */
	bool		overflowed;		/* not all of those were noted */
	bool		needs_lock;		/* a profile may have been noted that nothing of ours has locked */
} TenantNotes;

/* A segment whose definition or options have changed. */
typedef struct ChangedSegment
{
	int64		tenant;
	int64		segment;		/* 0: all */
	SubTransactionId changed_in;
} ChangedSegment;

/* All of the transaction; in memory that goes with it. */
typedef struct LiveNotes
{
	MemoryContext context;		/* NULL: nothing was noted */
	Oid			owner;			/* with whose rights the work is done */
	uint64		written;		/* goes up when there is more to do */
	int			ntenants;
	int			tenants_room;
	TenantNotes *tenants;
	int			nchanged;
	int			changed_room;
	ChangedSegment *changed;
} LiveNotes;

extern LiveNotes stratum_live_notes;

extern void stratum_follow_transactions(void);

/* --- live_settle.c --- */
extern void stratum_settle_candidates(Refresh *refresh);
extern bool stratum_lock_differing(Refresh *refresh);
extern void stratum_check_visible(int64 tenant, const Datum *segments, const Datum *profiles, int count);
extern int64 stratum_settle_notes(void);

/* --- live_notify.c --- */
extern void stratum_note_change(int64 tenant, int64 profile, int64 segment, bool entered);
extern void stratum_changes_follow(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid);
extern void stratum_changes_forget(void);
extern void stratum_changes_send(void);

#endif							/* STRATUM_LIVE_H */
