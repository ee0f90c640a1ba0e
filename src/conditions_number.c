/*
 * conditions_number.c
 *	  Decimal numbers of any size, read and compared without allocating and without raising.
 *
 * numeric_in and the numeric operators would do the same, but they allocate, and the former raises
 * on what a profile may hold. The layout read here is numeric's on-disk format, which cannot
 * change between versions.
 */
#include "conditions.h"

#include "utils/timestamp.h"

#define BASE 10000
#define DECIMALS 4				/* decimal digits in one digit of base 10000 */

/* The header of a numeric, from its first two bytes on. */
#define HEADER_SPECIAL 0xC000
#define HEADER_NEGATIVE 0x4000
#define HEADER_SHORT 0x8000
#define SHORT_NEGATIVE 0x2000
#define SHORT_WEIGHT_SIGN 0x0040
#define SHORT_WEIGHT_MASK 0x003F
#define SHORT_SCALE_MASK 0x1F80
#define SHORT_SCALE_SHIFT 7
#define SCALE_MASK 0x3FFF

/* Takes zeros off both ends of the digits, so that equal numbers look alike. */
static void
strip_zeros(Number *number)
{
	while (number->ndigits > 0 && number->digits[0] == 0)
	{
		number->digits++;
		number->ndigits--;
		number->weight--;
	}
	while (number->ndigits > 0 && number->digits[number->ndigits - 1] == 0)
		number->ndigits--;
	if (number->ndigits == 0)
	{
		number->sign = 0;
		number->weight = 0;
	}
}

/* The digits of `numeric`, which are not copied; false for NaN and the infinities. */
bool
stratum_number_from_numeric(Numeric numeric, Number *number)
{
	const uint16 *data = (const uint16 *) VARDATA_ANY(numeric);
	int			size = VARSIZE_ANY_EXHDR(numeric);
	uint16		header = data[0];
	int			skipped;

	if ((header & HEADER_SPECIAL) == HEADER_SPECIAL)
		return false;
	number->source = numeric;
	if (header & HEADER_SHORT)
	{
		number->sign = (header & SHORT_NEGATIVE) ? -1 : 1;
		number->weight = header & SHORT_WEIGHT_MASK;
		if (header & SHORT_WEIGHT_SIGN)
			number->weight -= SHORT_WEIGHT_MASK + 1;
		skipped = 1;
	}
	else
	{
		number->sign = (header & HEADER_NEGATIVE) ? -1 : 1;
		number->weight = (int16) data[1];
		skipped = 2;
	}
	number->digits = (const int16 *) (data + skipped);
	number->ndigits = size / sizeof(int16) - skipped;
	strip_zeros(number);
	return true;
}

/* The length of its text, or a few characters more, without making it. */
Size
stratum_numeric_text_size(Numeric numeric)
{
	uint16		header = *(const uint16 *) VARDATA_ANY(numeric);
	Number		number;
	int			scale = header & HEADER_SHORT ? (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT : header & SCALE_MASK;

	if (!stratum_number_from_numeric(numeric, &number))
		return strlen("-Infinity");
	return 3 + scale + (Size) Max(number.weight + 1, 0) * DECIMALS;
}

static inline bool
starts_digit(const char *at, const char *end)
{
	return at < end && is_digit(*at);
}

static const char *
skip_digits(const char *at, const char *end)
{
	while (starts_digit(at, end))
		at++;
	return at;
}

/* Reads [eE][+-]digits at *at; false if it is malformed or out of the limits. */
static bool
read_exponent(const char **at, const char *end, int *exponent)
{
	const char *s = *at + 1;
	bool		negative = false;
	int			value = 0;

	if (s < end && (*s == '+' || *s == '-'))
		negative = *s++ == '-';
	if (!starts_digit(s, end))
		return false;
	for (; starts_digit(s, end); s++)
	{
		value = value * 10 + (*s - '0');
		if (value > NUMBER_MAX_EXPONENT)
			return false;
	}
	*exponent = negative ? -value : value;
	*at = s;
	return true;
}

/*
 * Checks the grammar of a JSON number and its limits. Returns where the digits end; *point is how
 * many of them stand before the decimal point, the exponent included.
 */
static const char *
check_json_number(const char *at, const char *end, int *point)
{
	const char *start = at;
	const char *digits_end;
	int			count,
				exponent = 0;

	at = skip_digits(at, end);
	if (at == start || (*start == '0' && at - start > 1))
		return NULL;
	count = Min(at - start, NUMBER_MAX_DECIMALS + 1);
	*point = count;
	if (at < end && *at == '.')
	{
		const char *fraction = at + 1;

		at = skip_digits(fraction, end);
		if (at == fraction)
			return NULL;
		count += Min(at - fraction, NUMBER_MAX_DECIMALS + 1);
	}
	digits_end = at;
	if (at < end && (*at == 'e' || *at == 'E') && !read_exponent(&at, end, &exponent))
		return NULL;
	if (at != end || count > NUMBER_MAX_DECIMALS)
		return NULL;
	*point += exponent;
	return digits_end;
}

/*
 * Reads a JSON number of at most 1,000 digits with an exponent within 1,000; false for anything
 * else. `digits` has NUMBER_ROOM entries and must live as long as the number.
 */
bool
stratum_number_from_string(const char *string, int length, int16 *digits, Number *number)
{
	const char *at = string;
	const char *end = string + length;
	const char *digits_end;
	int			point,
				place,
				ndigits = 0;

	number->source = NULL;
	number->sign = 1;
	if (at < end && *at == '-')
	{
		number->sign = -1;
		at++;
	}
	digits_end = check_json_number(at, end, &point);
	if (digits_end == NULL)
		return false;

	/* "place" counts down the decimal places of the current digit; a new one begins at 4n. */
	number->weight = (point >= 1 ? point - 1 : point - DECIMALS) / DECIMALS;
	place = point - number->weight * DECIMALS;
	digits[0] = 0;
	for (; at < digits_end; at++)
	{
		if (*at == '.')
			continue;
		if (place == 0)
		{
			digits[++ndigits] = 0;
			place = DECIMALS;
		}
		digits[ndigits] = digits[ndigits] * 10 + (*at - '0');
		place--;
	}
	for (; place > 0; place--)
		digits[ndigits] *= 10;
	number->ndigits = ndigits + 1;
	number->digits = digits;
	strip_zeros(number);
	return true;
}

/* `digits` has room for 6 entries and must live as long as the number. */
void
stratum_number_from_int64(int64 value, int16 *digits, Number *number)
{
	uint64		rest = value < 0 ? -(uint64) value : (uint64) value;
	int			at = 5;

	number->source = NULL;
	number->sign = value < 0 ? -1 : 1;
	do
	{
		digits[at--] = rest % BASE;
		rest /= BASE;
	} while (rest > 0);
	number->digits = digits + at + 1;
	number->ndigits = 5 - at;
	number->weight = number->ndigits - 1;
	strip_zeros(number);
}

/* A hundredth of `number`; `digits` has room for one more than it has. */
void
stratum_number_hundredth(const Number *number, int16 *digits, Number *result)
{
	int			carry = 0;

	for (int i = 0; i < number->ndigits; i++)
	{
		digits[i] = carry * 100 + number->digits[i] / 100;
		carry = number->digits[i] % 100;
	}
	digits[number->ndigits] = carry * 100;
	result->source = NULL;
	result->sign = number->sign;
	result->weight = number->weight;
	result->digits = digits;
	result->ndigits = number->ndigits + 1;
	strip_zeros(result);
}

/* As numeric's own order: negative, zero or positive. */
int
stratum_number_compare(const Number *a, const Number *b)
{
	int			shared;

	if (a->sign != b->sign)
		return a->sign < b->sign ? -1 : 1;
	if (a->sign == 0)
		return 0;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -a->sign : a->sign;
	shared = Min(a->ndigits, b->ndigits);
	for (int i = 0; i < shared; i++)
	{
		if (a->digits[i] != b->digits[i])
			return a->digits[i] < b->digits[i] ? -a->sign : a->sign;
	}
	if (a->ndigits != b->ndigits)
		return a->ndigits < b->ndigits ? -a->sign : a->sign;
	return 0;
}

/* The digit that counts 10000^weight. */
static int64
digit_at(const Number *number, int weight)
{
	int			at = number->weight - weight;

	return at >= 0 && at < number->ndigits ? number->digits[at] : 0;
}

/*
 * So many days (not negative) in microseconds, rounded; at most PG_INT64_MAX. One day is 86,400
 * seconds. The fraction counts to its 16th decimal.
 */
int64
stratum_number_days(const Number *days)
{
	int64		whole,
				fraction = 0;

	if (days->sign == 0)
		return 0;
	if (days->weight >= 2)
		return PG_INT64_MAX;
	whole = digit_at(days, 1) * BASE + digit_at(days, 0);
	for (int weight = -1; weight >= -4; weight--)
		fraction = fraction * BASE + digit_at(days, weight);
	/* USECS_PER_DAY is 864 * 10^8, the fraction is in units of 10^-16 */
	return whole * USECS_PER_DAY + (fraction * 864 + INT64CONST(50000000)) / INT64CONST(100000000);
}
