/*
 * schedule.c
 *	  When a rule is due: cron expressions and intervals. All times are UTC.
 *
 * A cron expression has the five fields of crontab(5): minute, hour, day of the month, month, day of the
 * week. If both day fields are restricted, that is, begin with no "*", either may match; else both must.
 */
#include "conditions.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define HINT_SCHEDULE "A schedule is a cron expression of five fields (minute, hour, day of the month, month, " \
	"day of the week), for example \"*/15 8-18 * * mon-fri\", one of @hourly, @daily, @weekly, @monthly, @yearly, " \
	"or an interval, for example \"90 minutes\"."

/* The calendar repeats itself after so many days: 400 years. */
#define CALENDAR_DAYS 146097
#define MINUTES_A_DAY (24 * 60)
#define MAX_INTERVAL_YEARS 100
#define MAX_SCHEDULE_LENGTH 1000

typedef enum CronPart
{
	CRON_MINUTE,
	CRON_HOUR,
	CRON_DAY,
	CRON_MONTH,
	CRON_WEEKDAY,
	CRON_PARTS
} CronPart;

typedef struct CronField
{
	const char *name;
	int			min;
	int			max;
	const char *names;			/* of the values from min on, three letters each; NULL: it has none */
	const char *hint;
} CronField;

static const CronField cron_fields[CRON_PARTS] = {
	{"minute", 0, 59, NULL, "Minutes are 0 to 59."},
	{"hour", 0, 23, NULL, "Hours are 0 to 23."},
	{"day of the month", 1, 31, NULL, "Days of the month are 1 to 31."},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", "Months are 1 to 12, or jan to dec."},
	{"day of the week", 0, 7, "sunmontuewedthufrisat", "Days of the week are 0 to 7, both of these being Sunday, or sun to sat."}
};

/* A set of values of each field, a bit each. */
typedef struct Cron
{
	uint64		sets[CRON_PARTS];
	bool		starred[CRON_PARTS];	/* the field begins with "*" */
} Cron;

typedef struct Schedule
{
	bool		is_cron;
	Cron		cron;
	Interval	interval;
} Schedule;

/* A field of the expression while it is read. */
typedef struct CronReader
{
	const char *schedule;		/* all of it, for messages */
	const CronField *field;
	const char *at;
	const char *end;
} CronReader;

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool
is_letter(char c)
{
	unsigned char folded = fold_ascii(c);

	return folded >= 'a' && folded <= 'z';
}

/* --- fields of a cron expression --- */

static void refuse_schedule(const char *schedule, const char *hint, const char *format,...)
			pg_attribute_printf(3, 4) __attribute__((noreturn));

static void
refuse_schedule(const char *schedule, const char *hint, const char *format,...)
{
	char		fault[200];
	va_list		args;

	va_start(args, format);
	vsnprintf(fault, sizeof(fault), format, args);
	va_end(args);
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("invalid schedule \"%s\": %s", stratum_quote(schedule, strlen(schedule)), fault),
			errhint("%s", hint));
}

static void
refuse_field(const CronReader *reader, const char *fault)
{
	refuse_schedule(reader->schedule, reader->field->hint, "%s in the field of the %s", fault,
					reader->field->name);
}

static bool
take(CronReader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* A number of one to four digits; -1 where there is none. */
static int
read_number(CronReader *reader)
{
	int			value = 0;
	const char *start = reader->at;

	while (reader->at < reader->end && is_digit(*reader->at) && reader->at - start < 4)
		value = value * 10 + (*reader->at++ - '0');
	return reader->at > start ? value : -1;
}

/* The number that a name stands for; -1 where there is none. */
static int
read_name(CronReader *reader)
{
	const char *names = reader->field->names;

	if (names == NULL || reader->end - reader->at < 3)
		return -1;
	for (int i = 0; names[i] != '\0'; i += 3)
	{
		if (begins_folded(names + i, reader->at, 3))
		{
			reader->at += 3;
			return reader->field->min + i / 3;
		}
	}
	return -1;
}

static int
read_value(CronReader *reader)
{
	int			value = read_number(reader);

	if (value < 0)
		value = read_name(reader);
	if (value < 0)
		refuse_field(reader, reader->at == reader->end || *reader->at == ',' ? "a value is missing" : "a value is neither a number nor a name");
	if (value < reader->field->min || value > reader->field->max)
		refuse_field(reader, "a value is out of range");
	return value;
}

/* "/n" behind a range; 1 where there is none. */
static int
read_step(CronReader *reader, bool is_range)
{
	int			step;

	if (!take(reader, '/'))
		return 1;
	if (!is_range)
		refuse_field(reader, "a step stands behind a single value, not behind a range or *,");
	step = read_number(reader);
	if (step < 1 || step > reader->field->max - reader->field->min + 1)
		refuse_field(reader, "a step is out of range");
	return step;
}

/* One of the things that commas separate: *, value, or value-value, the first and the last with a step. */
static uint64
read_range(CronReader *reader)
{
	int			low = reader->field->min,
				high = reader->field->max,
				step;
	bool		is_range = true;
	uint64		set = 0;

	if (!take(reader, '*'))
	{
		low = high = read_value(reader);
		is_range = take(reader, '-');
		if (is_range)
			high = read_value(reader);
		/* "fri-sun": at the end of a week, Sunday is its seventh day; "sun-sun" is one day */
		if (is_range && high == 0 && low > 0 && reader->field->max == 7)
			high = 7;
		if (high < low)
			refuse_field(reader, "a range ends before it begins");
	}
	else if (high == 7)
		high = 6;				/* every day once: steps count the seven days of a week */
	step = read_step(reader, is_range);
	for (int value = low; value <= high; value += step)
		set |= UINT64CONST(1) << value;
	return set;
}

static uint64
read_cron_field(CronReader *reader)
{
	uint64		set = 0;

	do
		set |= read_range(reader);
	while (take(reader, ','));
	if (reader->at != reader->end)
		refuse_field(reader, "something follows a value that is neither \"-\", \"/\" nor \",\"");
	return set;
}

/* --- schedules --- */

/* Whether the combination of days and months is ever there; only such days matter as both must match. */
static bool
has_days(const Cron *cron)
{
	static const int longest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (!cron->starred[CRON_DAY] && !cron->starred[CRON_WEEKDAY])
		return true;
	for (int month = 1; month <= 12; month++)
	{
		uint64		days = (UINT64CONST(1) << (longest[month - 1] + 1)) - 1;

		if ((cron->sets[CRON_MONTH] >> month & 1) && (cron->sets[CRON_DAY] & days))
			return true;
	}
	return false;
}

static void
read_cron(const char *schedule, const char *const *starts, const char *const *ends, Cron *cron)
{
	for (int part = 0; part < CRON_PARTS; part++)
	{
		CronReader	reader = {schedule, &cron_fields[part], starts[part], ends[part]};

		cron->starred[part] = *starts[part] == '*';
		cron->sets[part] = read_cron_field(&reader);
	}
	if (cron->sets[CRON_WEEKDAY] & (1 << 7))
		cron->sets[CRON_WEEKDAY] |= 1;
	if (!has_days(cron))
		refuse_schedule(schedule, "None of these months has such a day.", "it is never due");
}

/* Splits at blanks; returns how many pieces there are, and notes the first five. */
static int
split_schedule(const char *schedule, const char **starts, const char **ends)
{
	int			count = 0;
	const char *at = schedule;

	for (;;)
	{
		while (is_blank(*at))
			at++;
		if (*at == '\0')
			return count;
		if (count < CRON_PARTS)
			starts[count] = at;
		while (*at != '\0' && !is_blank(*at))
			at++;
		if (count < CRON_PARTS)
			ends[count] = at;
		count++;
	}
}

/* What "@daily" and its like stand for; NULL for anything else. */
static const char *
find_nickname(const char *start, const char *end)
{
	static const char *const nicknames[][2] = {
		{"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
		{"@annually", "0 0 1 1 *"}
	};

	for (int i = 0; i < (int) lengthof(nicknames); i++)
	{
		if (stratum_same_folded(nicknames[i][0], start, end - start))
			return nicknames[i][1];
	}
	return NULL;
}

/*
 * Cron expressions have names in the last two fields only, where an interval such as "1 day 2 hours ago" has
 * letters before. One with too few or too many fields is known by its asterisk.
 */
static bool
looks_like_cron(const char *schedule, int count, const char *const *starts, const char *const *ends)
{
	if (strchr(schedule, '*') != NULL)
		return true;
	if (count != CRON_PARTS)
		return false;
	for (int part = 0; part < CRON_MONTH; part++)
	{
		for (const char *at = starts[part]; at < ends[part]; at++)
		{
			if (is_letter(*at))
				return false;
		}
	}
	return true;
}

/* interval_in() without its error: PostgreSQL 15 has no other way; it only computes, so nothing is left behind. */
static bool
read_interval(const char *string, Interval *interval)
{
	MemoryContext before = CurrentMemoryContext;
	volatile bool succeeded = true;

	PG_TRY();
	{
		*interval = *DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(string),
														   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION)
			PG_RE_THROW();
		MemoryContextSwitchTo(before);
		FlushErrorState();
		succeeded = false;
	}
	PG_END_TRY();
	return succeeded;
}

/* Every part counts forward, so that time never stands still: "1 month -31 days" is refused. */
static void
check_interval(const char *schedule, const Interval *interval)
{
	if (interval->month < 0 || interval->day < 0 || interval->time < 0)
		refuse_schedule(schedule, "Every part of an interval counts forward.", "a part of it is negative");
	if (interval->month == 0 && interval->day == 0 && interval->time < USECS_PER_MINUTE)
		refuse_schedule(schedule, "The shortest interval is one minute.", "it is too short");
	if (interval->month > MAX_INTERVAL_YEARS * MONTHS_PER_YEAR || interval->day > MAX_INTERVAL_YEARS * 366 ||
		interval->time > MAX_INTERVAL_YEARS * 366 * USECS_PER_DAY)
		refuse_schedule(schedule, "The longest interval is a hundred years.", "it is too long");
}

/* Raises for what is no schedule. */
static Schedule
read_schedule(const char *string)
{
	Schedule	schedule = {0};
	const char *starts[CRON_PARTS];
	const char *ends[CRON_PARTS];
	int			count = split_schedule(string, starts, ends);
	const char *meant = count == 1 ? find_nickname(starts[0], ends[0]) : NULL;

	if (count == 0 || strlen(string) > MAX_SCHEDULE_LENGTH)
		refuse_schedule(string, HINT_SCHEDULE, count == 0 ? "it is empty" : "it is too long");
	if (meant != NULL)
		count = split_schedule(meant, starts, ends);
	schedule.is_cron = meant != NULL || looks_like_cron(string, count, starts, ends);
	if (schedule.is_cron)
	{
		if (count != CRON_PARTS)
			refuse_schedule(string, HINT_SCHEDULE, "a cron expression has five fields, this has %d", count);
		read_cron(string, starts, ends, &schedule.cron);
		return schedule;
	}
	if (!read_interval(string, &schedule.interval))
		refuse_schedule(string, HINT_SCHEDULE, "it is neither a cron expression nor an interval");
	check_interval(string, &schedule.interval);
	return schedule;
}

/* --- the next time --- */

static bool
is_due_on(const Cron *cron, int64 day)
{
	int			year,
				month,
				month_day;
	bool		by_day,
				by_weekday;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	if (!(cron->sets[CRON_MONTH] >> month & 1))
		return false;
	by_day = cron->sets[CRON_DAY] >> month_day & 1;
	by_weekday = cron->sets[CRON_WEEKDAY] >> j2day((int) day + POSTGRES_EPOCH_JDATE) & 1;
	if (cron->starred[CRON_DAY] || cron->starred[CRON_WEEKDAY])
		return by_day && by_weekday;
	return by_day || by_weekday;
}

/* The first minute of a day, from one on, at which it is due; -1 if there is none. */
static int
first_minute(const Cron *cron, int from)
{
	for (int minute = from; minute < MINUTES_A_DAY; minute++)
	{
		if ((cron->sets[CRON_HOUR] >> minute / 60 & 1) && (cron->sets[CRON_MINUTE] >> minute % 60 & 1))
			return minute;
	}
	return -1;
}

/* The first time after another one; false where timestamps end before. */
static bool
next_cron(const Cron *cron, TimestampTz after, TimestampTz *next)
{
	int64		day = after / USECS_PER_DAY,
				minute;
	int			found;

	if (after % USECS_PER_DAY < 0)
		day--;
	minute = (after - day * USECS_PER_DAY) / USECS_PER_MINUTE + 1;
	for (int64 last = day + CALENDAR_DAYS + 1; day <= last; day++, minute = 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (!IS_VALID_TIMESTAMP(day * USECS_PER_DAY))
			return false;
		if (!is_due_on(cron, day))
			continue;
		found = first_minute(cron, minute);
		if (found < 0)
			continue;
		*next = day * USECS_PER_DAY + found * USECS_PER_MINUTE;
		return true;
	}
	return false;
}

/* Months and days are UTC's: the arithmetic is that of a timestamp without time zone. */
static bool
next_by_interval(Interval *interval, TimestampTz after, TimestampTz *next)
{
	if (after >= END_TIMESTAMP - 3 * MAX_INTERVAL_YEARS * 366 * USECS_PER_DAY)
		return false;
	*next = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval, TimestampGetDatum(after),
												  IntervalPGetDatum(interval)));
	return true;
}

/* validate_schedule(schedule text) -> void: raises for what is no schedule. */
PG_FUNCTION_INFO_V1(stratum_validate_schedule);
Datum
stratum_validate_schedule(PG_FUNCTION_ARGS)
{
	(void) read_schedule(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

/*
 * next_due(schedule text, after timestamptz) -> timestamptz: the first time after that one at which the
 * schedule is due. NULL where timestamps end before, and for a NULL argument.
 */
PG_FUNCTION_INFO_V1(stratum_next_due);
Datum
stratum_next_due(PG_FUNCTION_ARGS)
{
	Schedule	schedule = read_schedule(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	TimestampTz after = PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz next;

	if (TIMESTAMP_NOT_FINITE(after))
		ereport(ERROR,
				errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				errmsg("there is no next time after an infinite one"));
	if (schedule.is_cron ? next_cron(&schedule.cron, after, &next) :
		next_by_interval(&schedule.interval, after, &next))
		PG_RETURN_TIMESTAMPTZ(next);
	PG_RETURN_NULL();
}

/*
 * is_due(schedule text, last_run timestamptz, made timestamptz, at timestamptz) -> boolean. Where it was never run, the
 * minute in which it was made counts for a cron expression; an interval is due at once.
 */
PG_FUNCTION_INFO_V1(stratum_is_due);
Datum
stratum_is_due(PG_FUNCTION_ARGS)
{
	Schedule	schedule;
	TimestampTz at,
				since,
				next;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
		PG_RETURN_NULL();
	schedule = read_schedule(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	at = PG_GETARG_TIMESTAMPTZ(3);
	if (!PG_ARGISNULL(1))
		since = PG_GETARG_TIMESTAMPTZ(1);
	else if (PG_ARGISNULL(2) || !schedule.is_cron)
		PG_RETURN_BOOL(true);
	else
		since = Min(PG_GETARG_TIMESTAMPTZ(2), at);
	if (TIMESTAMP_NOT_FINITE(since) || TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_BOOL(since < at);
	if (PG_ARGISNULL(1))
		since -= USECS_PER_MINUTE;
	PG_RETURN_BOOL((schedule.is_cron ? next_cron(&schedule.cron, since, &next) :
					next_by_interval(&schedule.interval, since, &next)) && next <= at);
}
