/*
 * ingest.c
 *	  ingest_events(): events as they come in, from reading to the profiles that they move forward.
 *
 * What is done once for each person or profile is SQL (sql/parts/ingest.sql); what is done for each event is done here.
 */
#include "ingest.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#define PROFILES_OF "SELECT stratum._profiles_of($1, $2, $3, $4, $5, $6, $7, $8)"
#define PURCHASE_EVENTS "SELECT stratum._purchase_events($1)"

#define STAGE "stratum._reached_stage(p.lifecycle_stage, s.has_bought, p.email_hash, p.external_id)"
#define TRAITS "stratum._joined_traits(p.traits, s.traits)"
/* A profile to which all of it is nothing new is left alone. */
#define ADVANCE \
	"UPDATE stratum.cdp_profiles p" \
	" SET first_seen_at = least(p.first_seen_at, s.first), last_seen_at = greatest(p.last_seen_at, s.last)," \
	"     lifecycle_stage = " STAGE ", traits = " TRAITS \
	" FROM unnest($2, $3, $4, $5, $6) AS s(profile, first, last, has_bought, traits)" \
	" WHERE p.tenant_id = $1 AND p.id = s.profile" \
	"   AND (p.first_seen_at <= s.first IS NOT TRUE OR p.last_seen_at >= s.last IS NOT TRUE" \
	"        OR p.lifecycle_stage IS DISTINCT FROM " STAGE " OR p.traits IS DISTINCT FROM " TRAITS ")"

/* An array of values of any type, of which "nulls" (NULL: none) are none. */
ArrayType *
stratum_array_of(const Datum *values, const bool *nulls, int count, Oid type)
{
	int			lower = 1;
	int16		length;
	bool		by_value;
	char		align;

	if (count == 0)
		return construct_empty_array(type);
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return construct_md_array(unconstify(Datum *, values), unconstify(bool *, nulls), 1, &count, &lower, type, length,
							  by_value, align);
}

/* The one value of a query of one row. It lasts until SPI_finish(). */
static Datum
run_query(SPIPlanPtr *plan, const char *query, int nargs, Oid *types, Datum *values)
{
	bool		isnull;
	Datum		result;

	stratum_keep_plan(plan, query, nargs, types);
	if (SPI_execute_plan(*plan, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not run \"%s\"", query);
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? (Datum) 0 : result;
}

/* --- profiles of the persons --- */

static ArrayType *
names_of(const Intake *intake, NameKind kind)
{
	Datum	   *names = palloc_extended(intake->npersons * sizeof(Datum), MCXT_ALLOC_HUGE);
	bool	   *nulls = palloc_extended(intake->npersons * sizeof(bool), MCXT_ALLOC_HUGE);
	ArrayType  *result;

	for (int i = 0; i < intake->npersons; i++)
	{
		names[i] = intake->persons[i].names[kind];
		nulls[i] = intake->persons[i].nulls[kind];
	}
	result = stratum_array_of(names, nulls, intake->npersons, kind == NAME_CANONICAL ? UUIDOID : TEXTOID);
	pfree(names);
	pfree(nulls);
	return result;
}

/* Of each event the number of its person, which for SQL counts from 1, and its message id. */
static void
take_events(const Intake *intake, Datum *persons, Datum *messages)
{
	Datum	   *numbers = palloc_extended(intake->nevents * sizeof(Datum), MCXT_ALLOC_HUGE);
	Datum	   *ids = palloc_extended(intake->nevents * sizeof(Datum), MCXT_ALLOC_HUGE);
	bool	   *no_ids = palloc_extended(intake->nevents * sizeof(bool), MCXT_ALLOC_HUGE);

	for (int i = 0; i < intake->nevents; i++)
	{
		numbers[i] = Int32GetDatum(intake->events[i].person + 1);
		ids[i] = UUIDPGetDatum(intake->events[i].message);
		no_ids[i] = intake->events[i].message == NULL;
	}
	*persons = PointerGetDatum(stratum_array_of(numbers, NULL, intake->nevents, INT4OID));
	*messages = PointerGetDatum(stratum_array_of(ids, no_ids, intake->nevents, UUIDOID));
	pfree(numbers);
	pfree(ids);
	pfree(no_ids);
}

/* Finds the profiles or has them made; all are locked. One of whom all events are there already has none. */
static void
find_profiles(Intake *intake)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {
		INT8OID, UUIDARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, UUIDARRAYOID
	};
	Datum		values[lengthof(types)] = {Int64GetDatum(intake->tenant)};
	Datum		found;
	Datum	   *profiles;
	bool	   *nulls;
	int			count;

	for (int kind = 0; kind < NAME_KINDS; kind++)
		values[1 + kind] = PointerGetDatum(names_of(intake, kind));
	take_events(intake, &values[1 + NAME_KINDS], &values[2 + NAME_KINDS]);
	found = run_query(&plan, PROFILES_OF, lengthof(types), types, values);
	deconstruct_array(DatumGetArrayTypeP(found), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &profiles, &nulls, &count);
	if (count != intake->npersons)
		elog(ERROR, "%d profiles were found for %d persons", count, intake->npersons);
	for (int i = 0; i < count; i++)
		intake->persons[i].profile = nulls[i] ? 0 : DatumGetInt64(profiles[i]);
}

/* --- profiles moved forward --- */

/* What the stored events tell of the profiles: arrays of the same length. */
typedef struct Advance
{
	int			count;
	Datum	   *profiles;
	Datum	   *first;
	Datum	   *last;
	Datum	   *bought;
	Datum	   *traits;
	bool	   *no_traits;
} Advance;

/* Names of the events that make somebody a customer. */
typedef struct Purchases
{
	int			count;
	Datum	   *names;
} Purchases;

static Purchases
read_purchases(int64 tenant)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(tenant)};
	Datum		names = run_query(&plan, PURCHASE_EVENTS, lengthof(types), types, values);
	Purchases	purchases;
	bool	   *nulls;

	deconstruct_array(DatumGetArrayTypeP(names), TEXTOID, -1, false, TYPALIGN_INT,
					  &purchases.names, &nulls, &purchases.count);
	for (int i = purchases.count - 1; i >= 0; i--)
	{
		if (nulls[i])
			purchases.names[i] = purchases.names[--purchases.count];
	}
	return purchases;
}

static bool
is_purchase(const Purchases *purchases, const Event *event)
{
	Size		size = VARSIZE_ANY_EXHDR(event->name);

	for (int i = 0; i < purchases->count; i++)
	{
		const text *name = DatumGetTextPP(purchases->names[i]);

		if (VARSIZE_ANY_EXHDR(name) == size && memcmp(VARDATA_ANY(name), VARDATA_ANY(event->name), size) == 0)
			return true;
	}
	return false;
}

/* By profile, then in the order of their times, then in that in which they came. */
static int
compare_for_profiles(const void *a, const void *b)
{
	const Event *x = *(const Event *const *) a;
	const Event *y = *(const Event *const *) b;

	if (x->profile != y->profile)
		return x->profile < y->profile ? -1 : 1;
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x > y) - (x < y);
}

/* The stored events in that order. */
static Event **
sort_stored(const Intake *intake, int *count)
{
	Event	  **order = palloc_extended((intake->nevents + 1) * sizeof(Event *), MCXT_ALLOC_HUGE);

	*count = 0;
	for (int i = 0; i < intake->nevents; i++)
	{
		if (intake->events[i].stored)
			order[(*count)++] = &intake->events[i];
	}
	qsort(order, *count, sizeof(Event *), compare_for_profiles);
	return order;
}

static void
make_advance(Advance *advance, int room)
{
	*advance = (Advance) {0};
	advance->profiles = palloc_extended(room * sizeof(Datum), MCXT_ALLOC_HUGE);
	advance->first = palloc_extended(room * sizeof(Datum), MCXT_ALLOC_HUGE);
	advance->last = palloc_extended(room * sizeof(Datum), MCXT_ALLOC_HUGE);
	advance->bought = palloc_extended(room * sizeof(Datum), MCXT_ALLOC_HUGE);
	advance->traits = palloc_extended(room * sizeof(Datum), MCXT_ALLOC_HUGE);
	advance->no_traits = palloc_extended(room * sizeof(bool), MCXT_ALLOC_HUGE);
}

/* The events of one profile. A time to come is no contact; of traits the later ones count. */
static void
add_profile(Advance *advance, Event **events, int count, const Purchases *purchases)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	Datum		traits = (Datum) 0;
	bool		bought = false;
	int			i = advance->count++;

	for (int e = 0; e < count; e++)
	{
		bought = bought || is_purchase(purchases, events[e]);
		if (events[e]->traits != NULL)
			traits = traits == (Datum) 0 ? JsonbPGetDatum(events[e]->traits) :
				DirectFunctionCall2(jsonb_concat, traits, JsonbPGetDatum(events[e]->traits));
	}
	advance->profiles[i] = Int64GetDatum(events[0]->profile);
	advance->first[i] = TimestampTzGetDatum(Min(events[0]->time, now));
	advance->last[i] = TimestampTzGetDatum(Min(events[count - 1]->time, now));
	advance->bought[i] = BoolGetDatum(bought);
	advance->traits[i] = traits;
	advance->no_traits[i] = traits == (Datum) 0;
}

static void
write_advance(int64 tenant, const Advance *advance)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {INT8OID, INT8ARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, BOOLARRAYOID, JSONBARRAYOID};
	Datum		values[] = {
		Int64GetDatum(tenant),
		PointerGetDatum(stratum_array_of(advance->profiles, NULL, advance->count, INT8OID)),
		PointerGetDatum(stratum_array_of(advance->first, NULL, advance->count, TIMESTAMPTZOID)),
		PointerGetDatum(stratum_array_of(advance->last, NULL, advance->count, TIMESTAMPTZOID)),
		PointerGetDatum(stratum_array_of(advance->bought, NULL, advance->count, BOOLOID)),
		PointerGetDatum(stratum_array_of(advance->traits, advance->no_traits, advance->count, JSONBOID))
	};

	stratum_keep_plan(&plan, ADVANCE, lengthof(types), types);
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not move profiles forward");
}

static void
advance_profiles(const Intake *intake)
{
	Purchases	purchases = read_purchases(intake->tenant);
	Advance		advance;
	int			count;
	Event	  **order = sort_stored(intake, &count);
	int			end;

	if (count == 0)
		return;
	make_advance(&advance, count);
	for (int start = 0; start < count; start = end)
	{
		CHECK_FOR_INTERRUPTS();
		for (end = start + 1; end < count && order[end]->profile == order[start]->profile;)
			end++;
		add_profile(&advance, order + start, end - start, &purchases);
	}
	write_advance(intake->tenant, &advance);
}

/* --- the function --- */

static void
return_rows(const Intake *intake, ReturnSetInfo *result)
{
	Datum		stored = CStringGetTextDatum("stored");
	Datum		duplicate = CStringGetTextDatum("duplicate");

	for (int i = 0; i < intake->nevents; i++)
	{
		const Event *event = &intake->events[i];
		Datum		values[] = {
			Int32GetDatum(i), event->stored ? stored : duplicate, Int64GetDatum(event->id), Int64GetDatum(event->profile)
		};
		bool		nulls[] = {false, false, !event->stored && !event->is_known, !event->has_profile};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * ingest_events(events jsonb) -> (place integer, outcome text, event_id bigint, profile_id bigint): stores the events of
 * a JSON array, all or none. NULL is refused as no array. As the caller.
 */
PG_FUNCTION_INFO_V1(stratum_ingest_events);
Datum
stratum_ingest_events(PG_FUNCTION_ARGS)
{
	int64		tenant = stratum_acting_for();
	Intake	   *intake = stratum_read_events(PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0));

	InitMaterializedSRF(fcinfo, 0);
	if (intake->nevents == 0)
		return (Datum) 0;
	intake->tenant = tenant;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	find_profiles(intake);
	stratum_store_events(intake, stratum_owner_of(fcinfo->flinfo->fn_oid));
	advance_profiles(intake);
	return_rows(intake, (ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
