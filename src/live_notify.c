/*
 * live_notify.c
 *	  NOTIFY stratum_segments: which profiles entered and left live segments.
 *
 * What a transaction changes is collected and sent when it commits, once for each profile: what came and went again is
 * left out. Payloads hold ids and nothing else, since everyone in the database may listen.
 */
#include "live.h"

#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#define CHANNEL "stratum_segments"

/* PostgreSQL takes payloads below 8000 bytes. */
#define MAX_PAYLOAD 7999

typedef struct Change
{
	int64		tenant;
	int64		profile;
	int64		segment;
	bool		entered;
	SubTransactionId changed_in;
} Change;

/* In memory that goes with the transaction. */
static Change *changes;
static uint64 nchanges;
static uint64 room;

void
stratum_changes_forget(void)
{
	changes = NULL;
	nchanges = room = 0;
}

void
stratum_note_change(int64 tenant, int64 profile, int64 segment, bool entered)
{
	if (changes == NULL)
	{
		room = 64;
		changes = MemoryContextAlloc(TopTransactionContext, room * sizeof(Change));
	}
	else if (nchanges == room)
	{
		changes = repalloc_huge(changes, 2 * room * sizeof(Change));
		room *= 2;
	}
	changes[nchanges++] = (Change) {tenant, profile, segment, entered, GetCurrentSubTransactionId()};
}

/* Changes of a sub-transaction are its parent's, or nobody's. */
void
stratum_changes_follow(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid)
{
	uint64		left = 0;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (uint64 i = 0; i < nchanges; i++)
	{
		Change		change = changes[i];

		if (change.changed_in == my_subid)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			change.changed_in = parent_subid;
		}
		changes[left++] = change;
	}
	nchanges = left;
}

static int
compare_changes(const void *a, const void *b)
{
	const Change *x = a;
	const Change *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	if (x->profile != y->profile)
		return x->profile < y->profile ? -1 : 1;
	return (x->segment > y->segment) - (x->segment < y->segment);
}

/* Of the changes of one profile, those that went one way and not back; false if there are none. */
static bool
list_segments(StringInfo list, const Change *of_profile, uint64 count, bool entered)
{
	uint64		next;

	resetStringInfo(list);
	for (uint64 i = 0; i < count; i = next)
	{
		int			net = 0;

		for (next = i; next < count && of_profile[next].segment == of_profile[i].segment; next++)
			net += of_profile[next].entered ? 1 : -1;
		if (entered ? net > 0 : net < 0)
			appendStringInfo(list, "%s" INT64_FORMAT, list->len > 0 ? ", " : "", of_profile[i].segment);
	}
	return list->len > 0;
}

static void
send_profile(const Change *of_profile, uint64 count, StringInfo entered, StringInfo left)
{
	char	   *payload;
	bool		is_change = list_segments(entered, of_profile, count, true);

	is_change |= list_segments(left, of_profile, count, false);
	if (!is_change)
		return;
	payload = psprintf("{\"tenant_id\": " INT64_FORMAT ", \"profile_id\": " INT64_FORMAT ", \"entered\": [%s], \"left\": [%s]}",
					   of_profile->tenant, of_profile->profile, entered->data, left->data);
	if (strlen(payload) > MAX_PAYLOAD)
		payload = psprintf("{\"tenant_id\": " INT64_FORMAT ", \"profile_id\": " INT64_FORMAT ", \"entered\": null, \"left\": null}",
						   of_profile->tenant, of_profile->profile);
	Async_Notify(CHANNEL, payload);
	pfree(payload);
}

/* Sends what there is; called when the transaction is about to commit. */
void
stratum_changes_send(void)
{
	StringInfoData entered,
				left;
	uint64		next;

	if (nchanges == 0)
		return;
	initStringInfo(&entered);
	initStringInfo(&left);
	qsort(changes, nchanges, sizeof(Change), compare_changes);
	for (uint64 i = 0; i < nchanges; i = next)
	{
		for (next = i + 1; next < nchanges && changes[next].tenant == changes[i].tenant &&
			 changes[next].profile == changes[i].profile; next++)
			;
		send_profile(changes + i, next - i, &entered, &left);
	}
	stratum_changes_forget();
}
