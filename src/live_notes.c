/*
 * live_notes.c
 *	  Which profiles a transaction has written, for the moment when it commits.
 *
 * The triggers are called for every row of every tenant, so they do next to nothing: no query, no look at a table. All
 * that is written is noted, also what no live segment seems to ask about: another transaction may be about to change
 * that, and will not see what this one has written. What is noted by a sub-transaction that is rolled back stays; to
 * look at a profile once more does no harm.
 */
#include "live.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* More profiles of a tenant that do not matter are not noted one by one. */
#define MAX_OTHERS 10000

LiveNotes	stratum_live_notes;

/* --- the transaction --- */

static void
forget_notes(void)
{
	/* The memory goes with the transaction. */
	memset(&stratum_live_notes, 0, sizeof(LiveNotes));
	stratum_changes_forget();
}

/*
 * What is left to do is done after all deferred triggers, and those that it sets off itself come behind. PostgreSQL
 * has closed the cursors by then; who opened one meanwhile has it closed too.
 */
static void
follow_transaction(XactEvent event, void *argument)
{
	bool		prepares = event == XACT_EVENT_PRE_PREPARE;

	if (event == XACT_EVENT_PRE_COMMIT || prepares)
	{
		if (stratum_live_notes.context != NULL && stratum_settle_notes() > 0)
		{
			do
				AfterTriggerFireDeferred();
			while (PreCommit_Portals(prepares));
		}
		/* A transaction that has notified cannot be prepared. */
		if (!prepares)
			stratum_changes_send();
	}
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_notes();
}

/* What a sub-transaction has changed goes when it is rolled back, and so do the locks on rows that it took. */
static void
follow_subtransaction(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid, void *argument)
{
	LiveNotes  *notes = &stratum_live_notes;
	int			left = 0;

	stratum_changes_follow(event, my_subid, parent_subid);
	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	for (int i = 0; i < notes->nchanged; i++)
	{
		ChangedSegment changed = notes->changed[i];

		if (changed.changed_in == my_subid)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				continue;
			changed.changed_in = parent_subid;
		}
		notes->changed[left++] = changed;
	}
	notes->nchanged = left;
	for (int i = 0; i < notes->ntenants; i++)
		notes->tenants[i].needs_lock |= event == SUBXACT_EVENT_ABORT_SUB;
}

/* --- taking notes --- */

/* From now on in this session, transactions are followed to their end. */
void
stratum_follow_transactions(void)
{
	static bool registered = false;

	if (registered)
		return;
	RegisterXactCallback(follow_transaction, NULL);
	RegisterSubXactCallback(follow_subtransaction, NULL);
	registered = true;
}

static void
begin_notes(Oid function)
{
	LiveNotes  *notes = &stratum_live_notes;
	/* the work is done as the owner of the triggers' functions, whatever the user may do */
	Oid			owner = stratum_owner_of(function);
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "stratum written profiles",
												  ALLOCSET_SMALL_SIZES);

	notes->tenants_room = 4;
	notes->tenants = MemoryContextAlloc(context, notes->tenants_room * sizeof(TenantNotes));
	notes->changed_room = 4;
	notes->changed = MemoryContextAlloc(context, notes->changed_room * sizeof(ChangedSegment));
	notes->owner = owner;
	stratum_follow_transactions();
	notes->context = context;
}

static TenantNotes *
add_tenant(int64 tenant)
{
	LiveNotes  *notes = &stratum_live_notes;
	TenantNotes new = {.tenant = tenant};

	if (notes->ntenants == notes->tenants_room)
	{
		notes->tenants = repalloc_huge(notes->tenants, 2 * notes->tenants_room * sizeof(TenantNotes));
		notes->tenants_room *= 2;
	}
	new.profiles = places_create(notes->context, 16, NULL);
	notes->tenants[notes->ntenants] = new;
	return &notes->tenants[notes->ntenants++];
}

/* The notes of a tenant. Administrators write more than one in a transaction; rows of one mostly come together. */
static TenantNotes *
get_tenant(Oid function, int64 tenant)
{
	LiveNotes  *notes = &stratum_live_notes;

	if (notes->context == NULL)
		begin_notes(function);
	for (int i = notes->ntenants - 1; i >= 0; i--)
	{
		if (notes->tenants[i].tenant == tenant)
			return &notes->tenants[i];
	}
	return add_tenant(tenant);
}

/*
 * Notes a profile. With a set, it is one that does not matter to that: should the set not hold any more when the
 * transaction commits, it matters after all.
 */
static void
note_profile(TenantNotes *tenant, int64 profile, const LiveSegments *no_matter_to)
{
	bool		found;
	PlaceOf    *place;

	if (no_matter_to != NULL)
	{
		tenant->unsure |= tenant->generation != 0 && tenant->generation != no_matter_to->generation;
		tenant->generation = no_matter_to->generation;
		if (tenant->nothers == MAX_OTHERS)
		{
			tenant->overflowed = true;
			return;
		}
	}
	place = places_insert(tenant->profiles, profile, &found);
	if (!found)
		place->place = 0;
	if (no_matter_to == NULL)
	{
		place->place = 1;
		stratum_live_notes.written++;
	}
	else if (!found)
		tenant->nothers++;
}

static void
note_segment(Oid function, int64 tenant, int64 segment)
{
	LiveNotes  *notes = &stratum_live_notes;

	(void) get_tenant(function, tenant);
	if (notes->nchanged == notes->changed_room)
	{
		notes->changed = repalloc_huge(notes->changed, 2 * notes->changed_room * sizeof(ChangedSegment));
		notes->changed_room *= 2;
	}
	notes->written++;
	notes->changed[notes->nchanged++] = (ChangedSegment) {tenant, segment, GetCurrentSubTransactionId()};
}

/* --- the triggers --- */

/* Columns of the table, looked up once in a statement. */
typedef struct NotedColumns
{
	AttrNumber	tenant;
	AttrNumber	id;				/* of the profile or segment */
	AttrNumber	name;			/* of the event */
} NotedColumns;

static TriggerData *
row_trigger_data(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *data = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum.%s() was not called by a trigger", name)));
	if (!TRIGGER_FIRED_AFTER(data->tg_event) || !TRIGGER_FIRED_FOR_ROW(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("stratum.%s() must be fired after the change of each row", name)));
	return data;
}

static const NotedColumns *
get_columns(FunctionCallInfo fcinfo, TupleDesc desc, const char *id, const char *name)
{
	NotedColumns *columns = fcinfo->flinfo->fn_extra;

	if (columns != NULL)
		return columns;
	columns = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(NotedColumns));
	columns->tenant = stratum_find_column(desc, "tenant_id", STRATUM_INTEGER);
	columns->id = stratum_find_column(desc, id, STRATUM_INTEGER);
	columns->name = name == NULL ? 0 : stratum_find_column(desc, name, STRATUM_STRING);
	fcinfo->flinfo->fn_extra = columns;
	return columns;
}

/* An integer of a row; false where it is NULL. */
static bool
read_integer(HeapTuple row, TupleDesc desc, AttrNumber column, int64 *result)
{
	bool		isnull = true;
	Datum		value = 0;

	if (column > 0)
		value = heap_getattr(row, column, desc, &isnull);
	if (!isnull)
		*result = stratum_integer(TupleDescAttr(desc, column - 1), value);
	return !isnull;
}

static bool
same_column(HeapTuple old, HeapTuple new, TupleDesc desc, AttrNumber column)
{
	bool		old_null,
				new_null;
	Datum		old_value,
				new_value;

	if (column == 0)
		return false;
	old_value = heap_getattr(old, column, desc, &old_null);
	new_value = heap_getattr(new, column, desc, &new_null);
	return stratum_same_value(TupleDescAttr(desc, column - 1), old_value, old_null, new_value, new_null);
}

/* --- profiles --- */

/* Whether no live segment asks about what has changed. */
static bool
is_untouched(const LiveSegments *live, const TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);

	if (live->count == 0)
		return true;
	/* A part of the table may have its columns elsewhere. */
	if (!TRIGGER_FIRED_BY_UPDATE(data->tg_event) || RelationGetRelid(data->tg_relation) != live->profiles)
		return false;
	for (int i = 0; i < live->refresh.columns->natts; i++)
	{
		if (!same_column(data->tg_trigtuple, data->tg_newtuple, desc, live->asked[i]))
			return false;
	}
	return true;
}

/* _note_profile(): AFTER INSERT or UPDATE of cdp_profiles, for each row. The memberships of one that goes go with it. */
PG_FUNCTION_INFO_V1(stratum_note_profile);
Datum
stratum_note_profile(PG_FUNCTION_ARGS)
{
	TriggerData *data = row_trigger_data(fcinfo, "_note_profile");
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	const NotedColumns *columns = get_columns(fcinfo, desc, "id", NULL);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	const LiveSegments *live;
	int64		tenant,
				profile;

	if (!read_integer(row, desc, columns->tenant, &tenant) || !read_integer(row, desc, columns->id, &profile))
		return PointerGetDatum(NULL);
	live = stratum_known_live_segments(tenant);
	note_profile(get_tenant(fcinfo->flinfo->fn_oid, tenant), profile,
				 live != NULL && is_untouched(live, data) ? live : NULL);
	return PointerGetDatum(NULL);
}

/* --- events --- */

/* Whether a live segment asks about events of this name. */
static bool
is_asked(const LiveSegments *live, HeapTuple row, TupleDesc desc, AttrNumber column)
{
	bool		isnull = true;
	Datum		datum = 0;
	const text *name;

	if (column > 0)
		datum = heap_getattr(row, column, desc, &isnull);
	if (isnull)
		return true;
	name = DatumGetTextPP(datum);
	return stratum_event_names_find(&live->refresh.set->program->event_names, VARDATA_ANY(name),
									VARSIZE_ANY_EXHDR(name)) >= 0;
}

/* An event that came or went, as it is or was. Who inserts one locks its profile by the reference. */
static void
note_event(FunctionCallInfo fcinfo, const TriggerData *data, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	const NotedColumns *columns = get_columns(fcinfo, desc, "profile_id", "event_name");
	const LiveSegments *live;
	TenantNotes *notes;
	int64		tenant,
				profile;

	if (!read_integer(row, desc, columns->tenant, &tenant) || !read_integer(row, desc, columns->id, &profile))
		return;
	live = stratum_known_live_segments(tenant);
	if (live != NULL && live->count > 0 && is_asked(live, row, desc, columns->name))
		live = NULL;
	notes = get_tenant(fcinfo->flinfo->fn_oid, tenant);
	notes->needs_lock |= !TRIGGER_FIRED_BY_INSERT(data->tg_event);
	note_profile(notes, profile, live);
}

/* _note_event(): AFTER INSERT, UPDATE or DELETE of cdp_events, for each row. */
PG_FUNCTION_INFO_V1(stratum_note_event);
Datum
stratum_note_event(PG_FUNCTION_ARGS)
{
	TriggerData *data = row_trigger_data(fcinfo, "_note_event");

	note_event(fcinfo, data, data->tg_trigtuple);
	if (TRIGGER_FIRED_BY_UPDATE(data->tg_event))
		note_event(fcinfo, data, data->tg_newtuple);
	return PointerGetDatum(NULL);
}

/* --- segments and their options --- */

/* The segment of a changed row. */
static void
note_changed_row(FunctionCallInfo fcinfo, const TriggerData *data, const char *id)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	const NotedColumns *columns = get_columns(fcinfo, desc, id, NULL);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : data->tg_trigtuple;
	int64		tenant,
				segment;

	if (read_integer(row, desc, columns->tenant, &tenant) && read_integer(row, desc, columns->id, &segment))
		note_segment(fcinfo->flinfo->fn_oid, tenant, segment);
}

/* _note_segment(): AFTER INSERT or UPDATE of cdp_segments, for each row. The memberships of one that goes go with it. */
PG_FUNCTION_INFO_V1(stratum_note_segment);
Datum
stratum_note_segment(PG_FUNCTION_ARGS)
{
	static const char *const asked[] = {"conditions", "is_active", "slug"};
	TriggerData *data = row_trigger_data(fcinfo, "_note_segment");
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	bool		same = TRIGGER_FIRED_BY_UPDATE(data->tg_event);

	for (int i = 0; i < (int) lengthof(asked) && same; i++)
		same = same_column(data->tg_trigtuple, data->tg_newtuple, desc,
						   stratum_find_column(desc, asked[i], STRATUM_ANYTHING));
	if (!same)
		note_changed_row(fcinfo, data, "id");
	return PointerGetDatum(NULL);
}

/* _note_options(): AFTER INSERT, UPDATE or DELETE of cdp_segment_options, for each row. */
PG_FUNCTION_INFO_V1(stratum_note_options);
Datum
stratum_note_options(PG_FUNCTION_ARGS)
{
	note_changed_row(fcinfo, row_trigger_data(fcinfo, "_note_options"), "segment_id");
	return PointerGetDatum(NULL);
}

/* _note_all(tenant bigint): all live segments of a tenant may have other members. */
PG_FUNCTION_INFO_V1(stratum_note_all);
Datum
stratum_note_all(PG_FUNCTION_ARGS)
{
	note_segment(fcinfo->flinfo->fn_oid, PG_GETARG_INT64(0), 0);
	PG_RETURN_VOID();
}
