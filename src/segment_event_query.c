/*
 * segment_event_query.c
 *	  How a refresh reads events.
 *
 * Best is the order of profiles, as an index has it: no profile has to be looked up, and what is known of one stays
 * in the processor's cache. But where the index alone does not do, since documents are wanted or many pages have
 * changed since the last VACUUM, that order costs more than it saves, and events are taken as they come.
 *
 * Likewise, names that nothing asks about are passed over here rather than by the query, unless they are many:
 * PostgreSQL takes longer to find out.
 *
 * PostgreSQL knows what each way costs, so it is asked.
 */
#include "segment_refresh.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "optimizer/optimizer.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

/* To find the profile of an event costs so many times what PostgreSQL takes for a row. */
#define FINDING_COST 2.0

#define NPARAMETERS 5

/* A way of reading them, and what PostgreSQL expects of it. */
typedef struct EventQuery
{
	char	   *text;
	Cost		cost;
	double		rows;
} EventQuery;

typedef struct EventRange
{
	bool		with_documents;
	bool		has_after;
	bool		has_until;
	bool		has_since;
	Oid			types[NPARAMETERS];
	Datum		values[NPARAMETERS];
} EventRange;

/* Asks PostgreSQL to plan a query, as it will when it runs it. */
static void
ask_planner(EventRange *range, EventQuery *query)
{
	ParamListInfo parameters = stratum_constant_parameters(NPARAMETERS, range->types, range->values);
	SPIPlanPtr	prepared = SPI_prepare_cursor(query->text, NPARAMETERS, range->types,
											  CURSOR_OPT_PARALLEL_OK);
	CachedPlan *planned;
	Plan	   *plan;

	if (prepared == NULL)
		elog(ERROR, "could not prepare to read events: %s", SPI_result_code_string(SPI_result));
	planned = GetCachedPlan(linitial(SPI_plan_get_plan_sources(prepared)), parameters, NULL, NULL);
	plan = linitial_node(PlannedStmt, planned->stmt_list)->planTree;
	query->cost = plan->total_cost;
	query->rows = plan->plan_rows;
	ReleaseCachedPlan(planned, NULL);
	SPI_freeplan(prepared);
}

/* The events that may count; without conditions that all of them meet. */
static EventQuery
make_query(EventRange *range, bool by_name, bool in_order)
{
	StringInfoData text;
	EventQuery	query;

	initStringInfo(&text);
	appendStringInfo(&text, "SELECT CAST(e.profile_id AS bigint), %s FROM stratum.cdp_events e"
					 " WHERE e.tenant_id = $1 AND e.profile_id IS NOT NULL",
					 stratum_event_columns(range->with_documents));
	if (range->has_after)
		appendStringInfoString(&text, " AND e.profile_id > $2");
	if (range->has_until)
		appendStringInfoString(&text, " AND e.profile_id <= $3");
	if (by_name)
		appendStringInfoString(&text, " AND e.event_name = ANY ($4)");
	if (range->has_since)
		appendStringInfoString(&text, " AND e.\"timestamp\" >= $5");
	if (in_order)
		appendStringInfoString(&text, " ORDER BY e.profile_id");
	query.text = text.data;
	ask_planner(range, &query);
	return query;
}

/*
 * All events of a list of profiles, since names and times would lead a plan that is kept for all values to an index
 * by tenant and name, or time: in a tenant much larger than others, to most of the table.
 */
static void
query_list(Refresh *refresh, RowFunction as_they_come)
{
	Oid			types[] = {INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), refresh->list};
	char	   *query = psprintf("SELECT CAST(e.profile_id AS bigint), %s FROM " STRATUM_OF_LIST("cdp_events", "profile_id", "$2") " e",
								 stratum_event_columns(refresh->set->program->wants_documents));

	stratum_refresh_query(refresh, PLAN_EVENTS, query, lengthof(values), types, values, as_they_come);
}

/*
 * Reads the events of profiles in a range of ids, or of those in the list, for one function or for the other; true
 * for the first.
 */
bool
stratum_refresh_query_events(Refresh *refresh, int64 after, int64 until,
							 RowFunction in_order, RowFunction as_they_come)
{
	Program    *program = refresh->set->program;
	TimestampTz since = stratum_events_begin(program, GetCurrentTransactionStartTimestamp());
	EventRange	range = {
		.with_documents = program->wants_documents,
		.has_after = after > PG_INT64_MIN,
		.has_until = until < PG_INT64_MAX,
		.has_since = !TIMESTAMP_IS_NOBEGIN(since),
		.types = {INT8OID, INT8OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID},
		.values = {Int64GetDatum(refresh->tenant), Int64GetDatum(after), Int64GetDatum(until),
		program->event_names_array, TimestampTzGetDatum(since)}
	};
	EventQuery	all,
				named,
				ordered,
			   *best;
	bool		by_name,
				order;

	if (refresh->by_list)
	{
		query_list(refresh, as_they_come);
		return false;
	}
	all = make_query(&range, false, false);
	named = make_query(&range, true, false);
	by_name = named.rows < all.rows / 2;
	best = by_name ? &named : &all;
	ordered = make_query(&range, by_name, true);
	order = ordered.cost <= best->cost + FINDING_COST * cpu_tuple_cost * best->rows;

	elog(DEBUG1, "events of %s are read %s", by_name ? "the names asked about" : "all names",
		 order ? "in the order of profiles" : "as they come");
	stratum_refresh_query(refresh, PLAN_ANEW, order ? ordered.text : best->text, NPARAMETERS, range.types, range.values,
						  order ? in_order : as_they_come);
	return order;
}
