/*
 * conditions_time.h
 *	  Times in conditions: conditions_time.c, and how far they are from each other.
 */
#ifndef STRATUM_CONDITIONS_TIME_H
#define STRATUM_CONDITIONS_TIME_H

#include "stratum.h"

#include "common/int.h"
#include "datatype/timestamp.h"

extern bool stratum_time_from_string(const char *string, int length, TimestampTz *time);
extern bool stratum_anniversary(TimestampTz time, TimestampTz now, int *days);

/*
 * So many microseconds before or after a finite time. Where that is out of range, or PG_INT64_MAX, which stands for
 * whatever is longer than 99,999,999 days, it is the first or the last finite time: an infinite one is no number of
 * days away.
 */
static inline TimestampTz
stratum_time_ago(TimestampTz time, int64 microseconds)
{
	TimestampTz result;

	if (microseconds == PG_INT64_MAX || pg_sub_s64_overflow(time, microseconds, &result))
		return MIN_TIMESTAMP;
	return Max(result, MIN_TIMESTAMP);
}

static inline TimestampTz
stratum_time_ahead(TimestampTz time, int64 microseconds)
{
	TimestampTz result;

	if (microseconds == PG_INT64_MAX || pg_add_s64_overflow(time, microseconds, &result))
		return END_TIMESTAMP - 1;
	return Min(result, END_TIMESTAMP - 1);
}

#endif							/* STRATUM_CONDITIONS_TIME_H */
