/*
 * segment_refresh.c
 *	  Brings the memberships of a tenant's segments up to date, reading its profiles once.
 *
 * The definitions are asked in a query of their own (_segment_bits), so PostgreSQL may do that in parallel. Its
 * rows are taken as they come and kept as bits. The memberships that there are become bits too, and what
 * differs is written (segment_differences.c). Where definitions ask about events, these are read first
 * (segment_events.c), and the profiles are evaluated here, where what is known of their events is.
 */
#include "live.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Below so many segments, their memberships are found by an index rather than among all. */
#define FEW_SEGMENTS 8

/* Bytes that a profile takes beside its two rows of bits. */
#define PROFILE_OVERHEAD (sizeof(int64) + 2 * sizeof(PlaceOf))
#define LEAST_RANGE 1000

/* --- progress --- */

/* A NOTICE now and then, for who waits. */
static void
report_progress(Refresh *refresh)
{
	TimestampTz now;

	if (stratum_progress_interval == 0)
		return;
	now = GetCurrentTimestamp();
	if (!TimestampDifferenceExceeds(refresh->reported, now, stratum_progress_interval * 1000))
		return;
	refresh->reported = now;
	ereport(NOTICE,
			errmsg("segments of tenant " INT64_FORMAT ": " INT64_FORMAT " profiles evaluated after " INT64_FORMAT " seconds",
				   refresh->tenant, refresh->total_profiles + refresh->nprofiles,
				   (now - refresh->started) / USECS_PER_SEC));
}

/* What it came to, if it took long. */
static void
report_end(const Refresh *refresh)
{
	TimestampTz now = GetCurrentTimestamp();
	double		seconds = (double) (now - refresh->started) / USECS_PER_SEC;
	int64		members = 0,
				added = 0,
				removed = 0;

	if (stratum_progress_interval == 0 || seconds < stratum_progress_interval)
		return;
	for (int i = 0; i < refresh->nsegments; i++)
	{
		members += refresh->segments[i].kept + refresh->segments[i].added;
		added += refresh->segments[i].added;
		removed += refresh->segments[i].removed;
	}
	ereport(NOTICE,
			errmsg("segments of tenant " INT64_FORMAT ": %d segments and " INT64_FORMAT " profiles in %.1f seconds, %.0f profiles a second",
				   refresh->tenant, refresh->nsegments, refresh->total_profiles, seconds,
				   refresh->total_profiles / seconds),
			errdetail(INT64_FORMAT " memberships; " INT64_FORMAT " added, " INT64_FORMAT " removed.",
					  members, added, removed));
}

/* --- reading --- */

static void
make_room(Refresh *refresh)
{
	refresh->room *= 2;
	refresh->profiles = repalloc_huge(refresh->profiles, refresh->room * sizeof(int64));
	refresh->wanted = repalloc_huge(refresh->wanted,
									(Size) refresh->room * refresh->nwords * sizeof(Bits));
}

/* The row of bits of the next profile. */
static Bits *
add_profile(Refresh *refresh, int64 profile)
{
	uint32		place = refresh->nprofiles;
	bool		found;

	if ((place & 4095) == 0)
		report_progress(refresh);
	if (place == refresh->room)
		make_room(refresh);
	places_insert(refresh->profile_places, profile, &found)->place = place;
	refresh->profiles[place] = profile;
	refresh->nprofiles++;
	return refresh->wanted + (Size) place * refresh->nwords;
}

/* A profile's id and the bits of the segments that it should be in. */
static void
take_bits(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	const bytea *bits = (const bytea *) DatumGetPointer(row->tts_values[1]);

	if (VARSIZE_ANY_EXHDR(bits) != refresh->nwords * sizeof(Bits))
		elog(ERROR, "the bits of %d segments take %d bytes", refresh->nsegments,
			 (int) VARSIZE_ANY_EXHDR(bits));
	stratum_bits_from_bytes(add_profile(refresh, DatumGetInt64(row->tts_values[0])), VARDATA_ANY(bits),
							refresh->nwords);
}

/* A kept set takes the columns as they were when it was made. */
static void
refuse_type(const Refresh *refresh, int column)
{
	ereport(ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("column \"%s\" of stratum.cdp_profiles has another type since a moment ago",
				   NameStr(TupleDescAttr(refresh->columns, column)->attname)),
			errhint("Try again."));
}

/* A profile's id and the columns by which to find out. */
static void
take_columns(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	NullableDatum columns[MaxTupleAttributeNumber];
	int64		profile = DatumGetInt64(row->tts_values[0]);

	for (int i = 0; i < refresh->columns->natts; i++)
	{
		if (TupleDescAttr(row->tts_tupleDescriptor, i + 1)->atttypid != TupleDescAttr(refresh->columns, i)->atttypid)
			refuse_type(refresh, i);
		columns[i] = (NullableDatum) {row->tts_values[i + 1], row->tts_isnull[i + 1]};
	}
	refresh->set->program->row.event_answers = stratum_refresh_event_answers(refresh, profile);
	memcpy(add_profile(refresh, profile), stratum_set_members(refresh->set, columns),
		   refresh->nwords * sizeof(Bits));
}

/* The value of an id column, of whatever integer type. */
static inline int64
read_id(TupleTableSlot *row, int column)
{
	return stratum_integer(TupleDescAttr(row->tts_tupleDescriptor, column), row->tts_values[column]);
}

/* A membership that there is. One of another segment, or of a profile that was not seen, is not ours to judge. */
static void
take_membership(void *argument, TupleTableSlot *row)
{
	Refresh    *refresh = argument;
	PlaceOf    *segment = places_lookup(refresh->segment_places, read_id(row, 0));
	int64		profile = read_id(row, 1);
	Size		at;
	Bits		bit;

	if (segment == NULL)
		return;
	if (refresh->last_profile.number != profile)
	{
		PlaceOf    *place = places_lookup(refresh->profile_places, profile);

		if (place == NULL)
			return;
		refresh->last_profile = *place;
	}
	at = (Size) refresh->last_profile.place * refresh->nwords + segment->place / BITS_PER_WORD;
	bit = UINT64CONST(1) << (segment->place % BITS_PER_WORD);
	refresh->present[at] |= bit;
	if (refresh->wanted[at] & bit)
		refresh->segments[segment->place].kept++;
}

static void
read_profiles(Refresh *refresh, int64 after, int64 until)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID, JSONBARRAYOID, TEXTARRAYOID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), Int64GetDatum(after), Int64GetDatum(until),
	refresh->definitions, refresh->column_names, refresh->list};

	refresh->nprofiles = 0;
	refresh->profiles = palloc(refresh->room * sizeof(int64));
	refresh->wanted = palloc_extended((Size) refresh->room * refresh->nwords * sizeof(Bits), MCXT_ALLOC_HUGE);
	refresh->profile_places = places_create(CurrentMemoryContext, refresh->room, NULL);
	stratum_refresh_query(refresh, PLAN_PROFILES, refresh->evaluation,
						  refresh->by_list ? lengthof(values) : lengthof(values) - 1, types, values,
						  refresh->set != NULL ? take_columns : take_bits);
}

/* The ids of the segments, as bigint[]. */
static Datum
segment_ids(const Refresh *refresh)
{
	Datum	   *ids = palloc(refresh->nsegments * sizeof(Datum));

	for (int i = 0; i < refresh->nsegments; i++)
		ids[i] = Int64GetDatum(refresh->segments[i].id);
	return stratum_number_array(ids, refresh->nsegments);
}

/* The memberships of the range; without conditions that all of them meet, since there are many. */
static void
read_memberships(Refresh *refresh, int64 after, int64 until)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID, INT8ARRAYOID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), Int64GetDatum(after), Int64GetDatum(until),
	refresh->by_list ? refresh->list : segment_ids(refresh)};
	StringInfoData query;

	refresh->present = palloc_extended((Size) (refresh->nprofiles + 1) * refresh->nwords * sizeof(Bits),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	refresh->last_profile.number = PG_INT64_MIN;
	initStringInfo(&query);
	/*
	 * Nobody reads added_at. It keeps PostgreSQL from reading the primary key alone, segment by segment: in the
	 * table those of a profile stand together, as they were written, and so do their bits.
	 */
	appendStringInfoString(&query, "SELECT m.segment_id, m.profile_id, m.added_at FROM ");
	appendStringInfoString(&query, refresh->by_list ?
						   STRATUM_OF_LIST("cdp_segment_memberships", "profile_id", "$4") " m" :
						   "stratum.cdp_segment_memberships m WHERE m.tenant_id = $1");
	if (after > PG_INT64_MIN)
		appendStringInfoString(&query, " AND m.profile_id > $2");
	if (until < PG_INT64_MAX)
		appendStringInfoString(&query, " AND m.profile_id <= $3");
	if (!refresh->by_list && refresh->nsegments < FEW_SEGMENTS)
		appendStringInfoString(&query, " AND m.segment_id = ANY ($4)");
	stratum_refresh_query(refresh, PLAN_MEMBERSHIPS, query.data, lengthof(values), types, values, take_membership);
}

static void
refresh_range(Refresh *refresh, int64 after, int64 until)
{
	MemoryContext before = MemoryContextSwitchTo(refresh->range_context);

	if (!refresh->by_list)
		refresh->room = LEAST_RANGE;
	if (refresh->set != NULL)
		stratum_refresh_read_events(refresh, after, until);
	read_profiles(refresh, after, until);
	read_memberships(refresh, after, until);
	stratum_write_differences(refresh);
	refresh->total_profiles += refresh->nprofiles;
	refresh->nprofiles = 0;
	MemoryContextSwitchTo(before);
	MemoryContextReset(refresh->range_context);
}

/* As many profiles as maintenance_work_mem has room for. */
static int64
range_size(const Refresh *refresh)
{
	Size		each = 2 * refresh->nwords * sizeof(Bits) + PROFILE_OVERHEAD +
		stratum_refresh_event_size(refresh);

	return Max(maintenance_work_mem * (int64) 1024 / each, LEAST_RANGE);
}

/* The last of so many ids after one; the end of all where there are fewer. */
static int64
find_range_end(const Refresh *refresh, int64 after, int64 profiles)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(refresh->tenant), Int64GetDatum(after), Int64GetDatum(profiles - 1)};
	int64		end = PG_INT64_MAX;
	bool		isnull;

	if (SPI_execute_with_args("SELECT CAST(p.id AS bigint) FROM stratum.cdp_profiles p"
							  " WHERE p.tenant_id = $1 AND p.id > $2 ORDER BY p.id OFFSET $3 LIMIT 1",
							  lengthof(values), types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not count profiles");
	if (SPI_processed > 0)
		end = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return end;
}

/* All profiles of the tenant. Inside SPI_connect(), as the next. */
void
stratum_refresh_all(Refresh *refresh)
{
	int64		profiles = range_size(refresh);
	int64		after = PG_INT64_MIN;

	while (after < PG_INT64_MAX)
	{
		int64		end = find_range_end(refresh, after, profiles);

		refresh_range(refresh, after, end);
		after = end;
	}
}

/* These profiles, each once; for a refresh that has been prepared for lists. */
void
stratum_refresh_list(Refresh *refresh, const int64 *profiles, int count)
{
	Datum	   *numbers = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
		numbers[i] = Int64GetDatum(profiles[i]);
	refresh->list = stratum_number_array(numbers, count);
	refresh->room = count;
	refresh_range(refresh, PG_INT64_MIN, PG_INT64_MAX);
	pfree(DatumGetPointer(refresh->list));
	pfree(numbers);
}

/* --- beginning and end --- */

/* The query that evaluates the profiles of a range, or reads the columns that the set asks about. */
static void
write_evaluation(Refresh *refresh)
{
	TupleDesc	columns = refresh->columns;
	Datum	   *names = palloc(columns->natts * sizeof(Datum));
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT CAST(p.id AS bigint), ");
	if (refresh->set == NULL)
		appendStringInfoString(&query, "stratum._segment_bits($4, $5, ");
	for (int i = 0; i < columns->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(columns, i)->attname);

		names[i] = CStringGetTextDatum(name);
		appendStringInfo(&query, "%sp.%s", i > 0 ? ", " : "", quote_identifier(name));
	}
	if (refresh->set == NULL)
		appendStringInfoChar(&query, ')');
	appendStringInfoString(&query, refresh->by_list ? " FROM " STRATUM_OF_LIST("cdp_profiles", "id", "$6") " p" :
						   " FROM stratum.cdp_profiles p WHERE p.tenant_id = $1 AND p.id > $2 AND p.id <= $3");
	refresh->evaluation = query.data;
	refresh->column_names = PointerGetDatum(construct_array(names, columns->natts, TEXTOID, -1, false,
															TYPALIGN_INT));
}

/* Definitions as jsonb[]. */
Datum
stratum_definition_array(const Datum *definitions, int count)
{
	return PointerGetDatum(construct_array(unconstify(Datum *, definitions), count, JSONBOID, -1, false, TYPALIGN_INT));
}

/* Puts segments and definitions into the order in which they are evaluated fastest. */
static void
arrange_segments(Refresh *refresh, const Datum *ids, const Datum *definitions, const int *order)
{
	Datum	   *arranged = palloc(refresh->nsegments * sizeof(Datum));
	bool		found;

	refresh->segments = palloc0(refresh->nsegments * sizeof(SegmentCount));
	refresh->segment_places = places_create(CurrentMemoryContext, refresh->nsegments, NULL);
	for (int i = 0; i < refresh->nsegments; i++)
	{
		refresh->segments[i].id = DatumGetInt64(ids[order[i]]);
		places_insert(refresh->segment_places, refresh->segments[i].id, &found)->place = i;
		arranged[i] = definitions[order[i]];
	}
	refresh->definitions = stratum_definition_array(arranged, refresh->nsegments);
}

static SegmentSet *
compile_definitions(TupleDesc columns, Datum definitions)
{
	int			count;
	Jsonb	  **jsonbs = stratum_read_definitions(definitions, &count);

	return stratum_set_create(columns, count, jsonbs);
}

/*
 * Finds out what is asked about, and in which order to ask. A set takes memory: it is kept only if needed here. What
 * the refresh needs from here on is in the current memory context.
 */
void
stratum_refresh_prepare(Refresh *refresh, const Datum *ids, const Datum *definitions)
{
	TupleDesc	table = stratum_table_columns(STRATUM_PROFILE);
	SegmentSet *draft;
	bool		evaluate_here;

	if (table == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("table stratum.cdp_profiles does not exist"),
				errhint("SELECT stratum.install() as a superuser."));
	draft = compile_definitions(table, refresh->definitions);
	refresh->columns = stratum_asked_columns(draft->program);
	/* A function takes no more arguments. */
	evaluate_here = refresh->by_list || stratum_asks_about_events(draft->program) || refresh->columns->natts > FUNC_MAX_ARGS - 2;
	refresh->nwords = draft->nwords;
	arrange_segments(refresh, ids, definitions, stratum_set_best_order(draft));
	stratum_set_free(draft);
	if (evaluate_here)
	{
		refresh->set = compile_definitions(refresh->columns, refresh->definitions);
		stratum_refresh_prepare_events(refresh);
	}
	write_evaluation(refresh);
	refresh->range_context = AllocSetContextCreate(CurrentMemoryContext, "stratum refresh",
												   ALLOCSET_DEFAULT_SIZES);
	refresh->started = refresh->reported = GetCurrentTimestamp();
}

static void
return_counts(FunctionCallInfo fcinfo, const Refresh *refresh)
{
	ReturnSetInfo *result;

	InitMaterializedSRF(fcinfo, 0);
	result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int i = 0; i < refresh->nsegments; i++)
	{
		const SegmentCount *segment = &refresh->segments[i];
		Datum		values[] = {Int64GetDatum(segment->id), Int64GetDatum(segment->kept + segment->added),
		Int64GetDatum(segment->added), Int64GetDatum(segment->removed)};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/*
 * _refresh_memberships(tenant bigint, ids bigint[], definitions jsonb[]) -> setof (segment_id bigint,
 * profile_count bigint, added bigint, removed bigint). Strict; the segments are locked and their definitions
 * valid. The caller's rights have to be those of the tables' owner.
 */
PG_FUNCTION_INFO_V1(stratum_refresh_memberships);
Datum
stratum_refresh_memberships(PG_FUNCTION_ARGS)
{
	Refresh		refresh = {.tenant = PG_GETARG_INT64(0), .definitions = PG_GETARG_DATUM(2), .is_locked = true};
	Datum	   *ids,
			   *definitions;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &ids, NULL, &refresh.nsegments);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), JSONBOID, -1, false, TYPALIGN_INT,
					  &definitions, NULL, &count);
	if (count != refresh.nsegments)
		elog(ERROR, "%d segments have %d definitions", refresh.nsegments, count);
	if (count > 0)
	{
		stratum_refresh_prepare(&refresh, ids, definitions);
		SPI_connect();
		stratum_read_options(&refresh);
		stratum_refresh_all(&refresh);
		if (refresh.ncandidates > 0)
			stratum_settle_candidates(&refresh);
		SPI_finish();
		report_end(&refresh);
	}
	return_counts(fcinfo, &refresh);
	PG_RETURN_NULL();
}
