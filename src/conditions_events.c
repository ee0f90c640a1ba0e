/*
 * conditions_events.c
 *	  What is known about a profile's events of one name: asked from the table once per row.
 */
#include "conditions.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define OF_PROFILE \
	" FROM stratum.cdp_events e" \
	" WHERE e.profile_id OPERATOR(pg_catalog.=) $1 AND e.tenant_id OPERATOR(pg_catalog.=) $2" \
	" AND e.event_name OPERATOR(pg_catalog.=) $3"
#define IN_WINDOW \
	" AND e.\"timestamp\" OPERATOR(pg_catalog.>=) $4 AND e.\"timestamp\" OPERATOR(pg_catalog.<=) $5"

/* The casts hold should somebody change a column's type: what comes out is read as it is. */
#define SUMMARY "SELECT pg_catalog.count(*)," \
	" CAST(pg_catalog.min(e.\"timestamp\") AS pg_catalog.timestamptz)," \
	" CAST(pg_catalog.max(e.\"timestamp\") AS pg_catalog.timestamptz)"
#define LATEST "SELECT CAST(e.properties AS pg_catalog.jsonb)"
#define LATEST_FIRST " ORDER BY e.\"timestamp\" DESC, e.id DESC LIMIT 1"

typedef enum EventQuery
{
	ALL_SUMMARY,
	ALL_LATEST,
	WINDOW_SUMMARY,
	WINDOW_LATEST
} EventQuery;

static const char *const event_queries[] = {
	[ALL_SUMMARY] = SUMMARY OF_PROFILE,
	[ALL_LATEST] = LATEST OF_PROFILE LATEST_FIRST,
	[WINDOW_SUMMARY] = SUMMARY OF_PROFILE IN_WINDOW,
	[WINDOW_LATEST] = LATEST OF_PROFILE IN_WINDOW LATEST_FIRST,
};

/* Saved plans; the plan cache follows changes of the table, of the role and of row security. */
static SPIPlanPtr plans[lengthof(event_queries)];

static SPIPlanPtr
get_plan(EventQuery query)
{
	Oid			types[] = {INT8OID, INT8OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};

	if (plans[query] == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(event_queries[query], query >= WINDOW_SUMMARY ? 5 : 3, types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the look-up of events: %s",
				 SPI_result_code_string(SPI_result));
		plans[query] = plan;
	}
	return plans[query];
}

/* A column of the single row of a result. */
static Datum
result_column(int number, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, isnull);
}

static void
run_query(EventQuery query, Datum *arguments)
{
	if (SPI_execute_plan(get_plan(query), arguments, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not look up events");
}

static void
run_summary(bool windowed, Datum *arguments, EventSummary *events)
{
	bool		isnull;

	run_query(windowed ? WINDOW_SUMMARY : ALL_SUMMARY, arguments);
	events->count = DatumGetInt64(result_column(1, &isnull));
	events->first = DatumGetTimestampTz(result_column(2, &isnull));
	events->last = DatumGetTimestampTz(result_column(3, &isnull));
}

static void
run_latest(Program *program, bool windowed, Datum *arguments, EventSummary *events)
{
	MemoryContext before;
	Datum		properties;
	bool		isnull;

	run_query(windowed ? WINDOW_LATEST : ALL_LATEST, arguments);
	if (SPI_processed == 0)
		return;
	properties = result_column(1, &isnull);
	if (isnull)
		return;
	/* The result goes with SPI_finish, the copy with the row. */
	before = MemoryContextSwitchTo(program->scratch);
	stratum_json_root(DatumGetJsonbPCopy(properties), &events->properties);
	MemoryContextSwitchTo(before);
}

/* An integer column of the row; false where it is NULL or there is none. */
static bool
read_integer(Program *program, int index, int64 *result)
{
	const Column *column = &program->columns[index];
	bool		isnull;
	Datum		datum = stratum_program_datum(program, index, &isnull);

	if (isnull)
		return false;
	*result = stratum_integer(TupleDescAttr(program->row_type, column->number - 1), datum);
	return true;
}

static void
look_up(Program *program, const EventProbe *probe, int64 profile, int64 tenant,
		EventSummary *events)
{
	bool		windowed = probe->window >= 0;
	Datum		arguments[5];

	SPI_connect();
	arguments[0] = Int64GetDatum(profile);
	arguments[1] = Int64GetDatum(tenant);
	arguments[2] = PointerGetDatum(cstring_to_text_with_len(probe->name.name, probe->name.length));
	arguments[3] = TimestampTzGetDatum(stratum_time_ago(program->row.now, probe->window));
	arguments[4] = TimestampTzGetDatum(program->row.now);
	if (probe->wants_summary)
		run_summary(windowed, arguments, events);
	if (probe->wants_latest)
		run_latest(program, windowed, arguments, events);
	SPI_finish();
}

/*
 * The profile's events of the probe's name and window, seen with the statement's snapshot and the rights
 * of its user. None where the row is traits only, or has no id or tenant.
 */
const EventSummary *
stratum_event_summary(Program *program, int probe)
{
	EventSummary *events = &program->row.events[probe];
	int64		profile,
				tenant;

	if (events->row == program->row.number)
		return events;
	events->count = 0;
	events->properties.kind = VALUE_MISSING;
	if (read_integer(program, program->id_column, &profile) &&
		read_integer(program, program->tenant_column, &tenant))
		look_up(program, &program->probes[probe], profile, tenant, events);
	events->row = program->row.number;
	return events;
}
