/*
 * audience_normalize.c
 *	  The forms of an identifier that advertising platforms match on.
 *
 * Which platform wants which form is in audience.c. No normaliser makes a value longer, but for
 * the + of a telephone number.
 */
#include "hash.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* What fold_words() does to the blanks and the punctuation of a name. */
#define DROP_PUNCTUATION 1
#define DROP_BLANKS 2

Size
stratum_as_written(const unsigned char *value, Size length, unsigned char *out)
{
	memcpy(out, value, length);
	return length;
}

Size
stratum_lower_ascii(const unsigned char *value, Size length, unsigned char *out)
{
	stratum_copy_folded(out, value, length);
	return length;
}

/* --- e-mail addresses --- */

/* In small letters and without any blank; *at is where the last @ is, or the length. */
static Size
copy_address(const unsigned char *value, Size length, unsigned char *out, Size *at)
{
	Size		n = 0;

	*at = SIZE_MAX;
	for (Size i = 0; i < length; i++)
	{
		if (is_blank(value[i]))
			continue;
		if (value[i] == '@')
			*at = n;
		out[n++] = fold_ascii(value[i]);
	}
	*at = Min(*at, n);
	return n;
}

/*
 * Takes the tag behind + out of the part before the @ and, on request, the dots. Returns the new
 * length; 0 if nothing is left before the @.
 */
static Size
clean_local_part(unsigned char *address, Size length, Size at, bool drop_dots)
{
	Size		n = 0;

	for (Size i = 0; i < at && address[i] != '+'; i++)
	{
		if (address[i] != '.' || !drop_dots)
			address[n++] = address[i];
	}
	if (n == 0)
		return 0;
	memmove(address + n, address + at, length - at);
	return n + length - at;
}

/* Gmail reads no dots and no tags, so neither does Google; elsewhere they belong to the address. */
Size
stratum_email_google(const unsigned char *value, Size length, unsigned char *out)
{
	static const char *const gmail[] = {"@gmail.com", "@googlemail.com"};
	Size		at;
	Size		n = copy_address(value, length, out, &at);

	for (int i = 0; i < (int) lengthof(gmail); i++)
	{
		if (n - at == strlen(gmail[i]) && memcmp(out + at, gmail[i], n - at) == 0)
			return clean_local_part(out, n, at, true);
	}
	return n;
}

/* TikTok: no tags, whatever the domain; dots stay. */
Size
stratum_email_tiktok(const unsigned char *value, Size length, unsigned char *out)
{
	Size		at;
	Size		n = copy_address(value, length, out, &at);

	return at < n ? clean_local_part(out, n, at, false) : n;
}

/* --- telephone numbers: the country code must be there, nobody can guess it --- */

/* Digits without leading zeros, be they 00 of a country code or 0 of a national number. */
Size
stratum_phone_digits(const unsigned char *value, Size length, unsigned char *out)
{
	Size		n = 0;

	for (Size i = 0; i < length; i++)
	{
		if (is_digit(value[i]) && (n > 0 || value[i] != '0'))
			out[n++] = value[i];
	}
	return n;
}

/* E.164: the same with a + before it. */
Size
stratum_phone_e164(const unsigned char *value, Size length, unsigned char *out)
{
	Size		n = stratum_phone_digits(value, length, out + 1);

	out[0] = '+';
	return n == 0 ? 0 : n + 1;
}

/* --- names and places --- */

/* In small letters; a run of blanks becomes one blank, or none with DROP_BLANKS. */
static Size
fold_words(const unsigned char *value, Size length, unsigned char *out, int flags)
{
	const unsigned char *end = value + length;
	Size		n = 0;
	bool		blank = false;

	while (value < end)
	{
		uint32		character;
		int			size = stratum_read_character(value, end - value, &character);

		CHECK_FOR_INTERRUPTS();
		if (stratum_is_blank_character(character))
			blank = true;
		else if (!(flags & DROP_PUNCTUATION) || !stratum_is_punctuation(character))
		{
			if (blank && n > 0 && !(flags & DROP_BLANKS))
				out[n++] = ' ';
			blank = false;
			if (character == STRATUM_NO_CHARACTER)
				out[n++] = value[0];
			else
			{
				unicode_to_utf8(stratum_fold_character(character), out + n);
				n += pg_utf_mblen(out + n);
			}
		}
		value += size;
	}
	return n;
}

Size
stratum_name_spaced(const unsigned char *value, Size length, unsigned char *out)
{
	return fold_words(value, length, out, 0);
}

Size
stratum_name_plain(const unsigned char *value, Size length, unsigned char *out)
{
	return fold_words(value, length, out, DROP_PUNCTUATION);
}

Size
stratum_name_joined(const unsigned char *value, Size length, unsigned char *out)
{
	return fold_words(value, length, out, DROP_PUNCTUATION | DROP_BLANKS);
}

typedef struct State
{
	const char *name;
	const char *code;
} State;

/* By name. Codes of ANSI INCITS 38. */
static const State states[] = {
	{"alabama", "al"}, {"alaska", "ak"}, {"americansamoa", "as"}, {"arizona", "az"},
	{"arkansas", "ar"}, {"california", "ca"}, {"colorado", "co"}, {"connecticut", "ct"},
	{"delaware", "de"}, {"districtofcolumbia", "dc"}, {"florida", "fl"}, {"georgia", "ga"},
	{"guam", "gu"}, {"hawaii", "hi"}, {"idaho", "id"}, {"illinois", "il"}, {"indiana", "in"},
	{"iowa", "ia"}, {"kansas", "ks"}, {"kentucky", "ky"}, {"louisiana", "la"}, {"maine", "me"},
	{"maryland", "md"}, {"massachusetts", "ma"}, {"michigan", "mi"}, {"minnesota", "mn"},
	{"mississippi", "ms"}, {"missouri", "mo"}, {"montana", "mt"}, {"nebraska", "ne"},
	{"nevada", "nv"}, {"newhampshire", "nh"}, {"newjersey", "nj"}, {"newmexico", "nm"},
	{"newyork", "ny"}, {"northcarolina", "nc"}, {"northdakota", "nd"},
	{"northernmarianaislands", "mp"}, {"ohio", "oh"}, {"oklahoma", "ok"}, {"oregon", "or"},
	{"pennsylvania", "pa"}, {"puertorico", "pr"}, {"rhodeisland", "ri"}, {"southcarolina", "sc"},
	{"southdakota", "sd"}, {"tennessee", "tn"}, {"texas", "tx"}, {"usvirginislands", "vi"},
	{"utah", "ut"}, {"vermont", "vt"}, {"virginia", "va"}, {"washington", "wa"},
	{"westvirginia", "wv"}, {"wisconsin", "wi"}, {"wyoming", "wy"},
};

/* A state of the United States becomes its two letters; any other is a place name. */
Size
stratum_us_state(const unsigned char *value, Size length, unsigned char *out)
{
	Size		n = stratum_name_joined(value, length, out);

	for (int i = 0; i < (int) lengthof(states); i++)
	{
		if (n == strlen(states[i].name) && memcmp(out, states[i].name, n) == 0)
		{
			memcpy(out, states[i].code, 2);
			return 2;
		}
	}
	return n;
}

/* No blanks, no dashes; of an American ZIP+4 the first five digits. */
Size
stratum_zip(const unsigned char *value, Size length, unsigned char *out)
{
	Size		n = stratum_name_joined(value, length, out);

	for (Size i = 0; i < n; i++)
	{
		if (!is_digit(out[i]))
			return n;
	}
	return n == 9 ? 5 : n;
}

/* An ISO 3166-1 alpha-2 code; nothing else is matched. */
Size
stratum_country_lower(const unsigned char *value, Size length, unsigned char *out)
{
	if (length != 2)
		return 0;
	for (int i = 0; i < 2; i++)
	{
		out[i] = fold_ascii(value[i]);
		if (out[i] < 'a' || out[i] > 'z')
			return 0;
	}
	return 2;
}

Size
stratum_country_upper(const unsigned char *value, Size length, unsigned char *out)
{
	Size		n = stratum_country_lower(value, length, out);

	for (Size i = 0; i < n; i++)
		out[i] -= 'a' - 'A';
	return n;
}

/* --- about a person --- */

static int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Writes YYYYMMDD; 0 if there is no such day since 1900. */
static Size
write_day(int year, int month, int day, unsigned char *out)
{
	char		digits[32];

	if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return 0;
	snprintf(digits, sizeof(digits), "%04d%02d%02d", year, month, day);
	memcpy(out, digits, 8);
	return 8;
}

/* The number that the digits at *at make, up to eight of them; -1 if there are none or more. */
static int
take_number(const unsigned char *value, Size length, Size *at, int *digits)
{
	int			number = 0;

	for (*digits = 0; *at < length && is_digit(value[*at]); (*at)++)
	{
		if (++(*digits) > 8)
			return -1;
		number = number * 10 + (value[*at] - '0');
	}
	return *digits > 0 ? number : -1;
}

static bool
is_date_separator(unsigned char c)
{
	return c == '-' || c == '/' || c == '.' || c == ' ';
}

/*
 * YYYYMMDD of the same, of 1997-02-16 with or without a time behind it, of 2/16/1997, and of
 * 16.2.1997 where the first number can be no month. The separators are - / . or a blank.
 */
Size
stratum_date_of_birth(const unsigned char *value, Size length, unsigned char *out)
{
	int			number[3];
	int			digits[3];
	Size		at = 0;

	for (int i = 0; i < 3; i++)
	{
		if (i > 0 && (at >= length || !is_date_separator(value[at++])))
			return 0;
		number[i] = take_number(value, length, &at, &digits[i]);
		if (number[i] < 0)
			return 0;
		if (i == 0 && digits[i] == 8 && at == length)
			return write_day(number[0] / 10000, number[0] / 100 % 100, number[0] % 100, out);
	}
	if (digits[0] == 4 && (at == length || value[at] == ' ' || value[at] == 'T'))
		return write_day(number[0], number[1], number[2], out);
	if (digits[2] != 4 || at < length)
		return 0;
	if (number[0] > 12)
		return write_day(number[2], number[1], number[0], out);
	return write_day(number[2], number[0], number[1], out);
}

/* f or m; platforms match nothing else. */
Size
stratum_gender(const unsigned char *value, Size length, unsigned char *out)
{
	static const char *const words[] = {"f", "female", "woman", "m", "male", "man"};

	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (length == strlen(words[i]) && pg_strncasecmp((const char *) value, words[i], length) == 0)
		{
			out[0] = i < 3 ? 'f' : 'm';
			return 1;
		}
	}
	return 0;
}

/* As written. Zeros only are what a phone reports whose owner does not want to be followed. */
Size
stratum_mobile_ad_id(const unsigned char *value, Size length, unsigned char *out)
{
	for (Size i = 0; i < length; i++)
	{
		if (value[i] != '0' && value[i] != '-')
			return stratum_as_written(value, length, out);
	}
	return 0;
}

Size
stratum_mobile_ad_id_lower(const unsigned char *value, Size length, unsigned char *out)
{
	return stratum_lower_ascii(out, stratum_mobile_ad_id(value, length, out), out);
}
