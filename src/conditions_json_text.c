/*
 * conditions_json_text.c
 *	  Whether a value of type json can become jsonb without raising.
 *
 * json keeps texts that jsonb refuses: \u0000, lone surrogates, numbers out of range, nesting deeper
 * than the stack. The text is known to be JSON, so a scan is enough.
 */
#include "conditions.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#define MAX_SIZE (64 * 1024 * 1024)
#define MAX_NESTING 500

static int
hex_value(const char *at)
{
	int			value = 0;

	for (int i = 0; i < 4; i++)
	{
		unsigned char c = fold_ascii(at[i]);

		value = value * 16 + (c >= 'a' ? c - 'a' + 10 : c - '0');
	}
	return value;
}

/* Checks the escape after "\u" and steps behind it. */
static bool
check_escape(const char **at, const char *end)
{
	int			first = hex_value(*at);

	*at += 4;
	if (first == 0 || (first >= 0x80 && GetDatabaseEncoding() != PG_UTF8))
		return false;
	if (first >= 0xDC00 && first <= 0xDFFF)
		return false;
	if (first < 0xD800 || first > 0xDBFF)
		return true;
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return false;
	first = hex_value(*at + 2);
	*at += 6;
	return first >= 0xDC00 && first <= 0xDFFF;
}

/* Steps behind the string whose first character is at *at. */
static bool
check_string(const char **at, const char *end)
{
	while (**at != '"')
	{
		if (*(*at)++ != '\\')
			continue;
		if (*(*at)++ == 'u' && !check_escape(at, end))
			return false;
	}
	(*at)++;
	return true;
}

static bool
check_number(const char **at, const char *end)
{
	const char *start = *at;
	int16		digits[NUMBER_ROOM];
	Number		number;

	while (*at < end && strchr("+-.eE0123456789", **at) != NULL)
		(*at)++;
	return stratum_number_from_string(start, *at - start, digits, &number);
}

/*
 * False where the conversion might raise. Numbers must keep to the limits of strings that are numbers,
 * which are narrower than those of jsonb.
 */
bool
stratum_json_is_safe(const text *json)
{
	const char *at = VARDATA_ANY(json);
	const char *end = at + VARSIZE_ANY_EXHDR(json);
	int			depth = 0;

	if (end - at > MAX_SIZE)
		return false;
	while (at < end)
	{
		char		c = *at++;

		if (c == '"')
		{
			if (!check_string(&at, end))
				return false;
		}
		else if (c == '[' || c == '{')
		{
			if (++depth > MAX_NESTING)
				return false;
		}
		else if (c == ']' || c == '}')
			depth--;
		else if (c == '-' || (c >= '0' && c <= '9'))
		{
			at--;
			if (!check_number(&at, end))
				return false;
		}
	}
	return true;
}
