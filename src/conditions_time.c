/*
 * conditions_time.c
 *	  ISO 8601 times, read by hand: the same on every server, without raising.
 *
 *		YYYY-MM-DD
 *		YYYY-MM-DD(T|t| )HH:MM[:SS[.fraction]][Z|z|(+|-)HH[[:]MM]]
 *
 * Years 0001 to 9999 and the days that their months have. 24:00:00 is the next midnight, second 60
 * the next minute's 0. The fraction is rounded to microseconds. A zone is at most 15:59 away.
 * Without a zone the time is UTC, a date its midnight.
 */
#include "conditions.h"

#include "utils/datetime.h"
#include "utils/timestamp.h"

/* Reads `count` digits at *at. */
static bool
read_digits(const char **at, const char *end, int count, int *result)
{
	*result = 0;
	if (end - *at < count)
		return false;
	for (int i = 0; i < count; i++)
	{
		unsigned char digit = (unsigned char) (*(*at)++ - '0');

		if (digit > 9)
			return false;
		*result = *result * 10 + digit;
	}
	return true;
}

static bool
read_char(const char **at, const char *end, char expected)
{
	if (*at >= end || **at != expected)
		return false;
	(*at)++;
	return true;
}

static bool
read_date(const char **at, const char *end, int64 *days)
{
	int			year,
				month,
				day;

	if (!read_digits(at, end, 4, &year) || !read_char(at, end, '-') ||
		!read_digits(at, end, 2, &month) || !read_char(at, end, '-') ||
		!read_digits(at, end, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > day_tab[isleap(year)][month - 1])
		return false;
	*days = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Reads ".digits", rounded half up to microseconds. */
static bool
read_fraction(const char **at, const char *end, int64 *microseconds)
{
	int64		unit = 100000;
	const char *start = ++(*at);

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
	{
		if (unit > 0)
			*microseconds += unit * (**at - '0');
		else if (*at - start == 6 && **at >= '5')
			*microseconds += 1;
		unit /= 10;
	}
	return *at > start;
}

static bool
read_clock(const char **at, const char *end, int64 *microseconds)
{
	int			hour,
				minute,
				second = 0;
	int64		fraction = 0;

	if (!read_digits(at, end, 2, &hour) || !read_char(at, end, ':') ||
		!read_digits(at, end, 2, &minute))
		return false;
	if (read_char(at, end, ':'))
	{
		if (!read_digits(at, end, 2, &second))
			return false;
		if (*at < end && **at == '.' && !read_fraction(at, end, &fraction))
			return false;
	}
	if (hour > 24 || minute > 59 || second > 60)
		return false;
	if (hour == 24 && (minute > 0 || second > 0 || fraction > 0))
		return false;
	*microseconds = ((hour * 60 + minute) * INT64CONST(60) + second) * USECS_PER_SEC + fraction;
	return true;
}

/* Reads what follows the clock: nothing, Z, or an offset. */
static bool
read_zone(const char **at, const char *end, int64 *microseconds)
{
	int			hours,
				minutes = 0;
	bool		negative;

	*microseconds = 0;
	if (*at == end || read_char(at, end, 'Z') || read_char(at, end, 'z'))
		return true;
	negative = **at == '-';
	if (!negative && **at != '+')
		return false;
	(*at)++;
	if (!read_digits(at, end, 2, &hours))
		return false;
	if (*at < end)
	{
		read_char(at, end, ':');
		if (!read_digits(at, end, 2, &minutes))
			return false;
	}
	if (hours > 15 || minutes > 59)
		return false;
	*microseconds = (hours * 60 + minutes) * (negative ? -USECS_PER_MINUTE : USECS_PER_MINUTE);
	return true;
}

/* True when the whole string is a time in the form above. */
bool
stratum_time_from_string(const char *string, int length, TimestampTz *time)
{
	const char *at = string;
	const char *end = string + length;
	int64		days,
				clock = 0,
				zone = 0;

	if (!read_date(&at, end, &days))
		return false;
	if (at < end)
	{
		if (!read_char(&at, end, 'T') && !read_char(&at, end, 't') && !read_char(&at, end, ' '))
			return false;
		if (!read_clock(&at, end, &clock) || !read_zone(&at, end, &zone))
			return false;
	}
	*time = days * USECS_PER_DAY + clock - zone;
	return at == end;
}

/* The day of a time in UTC, counted as date2j() does. */
static int
julian_day(TimestampTz time)
{
	TimestampTz days = time / USECS_PER_DAY;

	if (time % USECS_PER_DAY < 0)
		days--;
	return (int) days + POSTGRES_EPOCH_JDATE;
}

/*
 * How many days after that of `now` the month and day of `time` come next, both in UTC; 29 February
 * counts as 1 March. False where `time` has none, being infinite.
 */
bool
stratum_anniversary(TimestampTz time, TimestampTz now, int *days)
{
	int			today = julian_day(now);
	int			year,
				month,
				day,
				skipped;

	if (TIMESTAMP_NOT_FINITE(time))
		return false;
	j2date(julian_day(time), &skipped, &month, &day);
	if (month == 2 && day == 29)
	{
		month = 3;
		day = 1;
	}
	j2date(today, &year, &skipped, &skipped);
	*days = date2j(year, month, day) - today;
	if (*days < 0)
		*days = date2j(year + 1, month, day) - today;
	return true;
}
