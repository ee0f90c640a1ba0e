/*
 * conditions_sample.c
 *	  A share of all values, the same ones every time and everywhere.
 *
 * A value is in the sample of p per cent if its hash, as a fraction of all hashes, is below p / 100. The hash
 * is the first eight bytes of SHA-256 of the value's text, so that it is no version's or machine's own.
 */
#include "conditions.h"

#include "miscadmin.h"
#include "sha256.h"

/* Between two looks for an interrupt. */
#define CHUNK 65536

/* --- shares --- */

/* Doubles a fraction given as digits of base 10000; returns what gets before the point, 0 or 1. */
static int
double_fraction(int16 *digits, int count)
{
	int			carry = 0;

	for (int i = count - 1; i >= 0; i--)
	{
		int			twice = digits[i] * 2 + carry;

		carry = twice >= 10000;
		digits[i] = twice - carry * 10000;
	}
	return carry;
}

/* The hashes below a number of per cent, from 0 to 100; exact, however many digits it has. */
Share
stratum_share(const Number *per_cent)
{
	Share		share = {0, false};
	int16	   *digits = palloc((per_cent->ndigits + 1) * sizeof(int16));
	Number		part;
	int			zeros,
				count;
	int16	   *fraction;

	stratum_number_hundredth(per_cent, digits, &part);
	if (part.sign == 0)
		return share;
	share.is_all = part.weight >= 0;
	zeros = share.is_all ? 0 : -1 - part.weight;
	count = zeros + part.ndigits;
	fraction = palloc0(count * sizeof(int16));
	memcpy(fraction + zeros, part.digits, part.ndigits * sizeof(int16));
	for (int i = 0; i < 64; i++)
		share.limit = share.limit << 1 | double_fraction(fraction, count);
	/* A hash is whole, so it is below a limit if it is below the next whole number. */
	for (int i = 0; i < count; i++)
	{
		if (fraction[i] != 0)
		{
			share.limit++;
			break;
		}
	}
	pfree(fraction);
	pfree(digits);
	return share;
}

/* --- hashes --- */

static void
hash_bytes_of(Sha256Context *context, const char *bytes, int length)
{
	while (length > 0)
	{
		int			part = Min(length, CHUNK);

		CHECK_FOR_INTERRUPTS();
		stratum_sha256_update(context, (const unsigned char *) bytes, part);
		bytes += part;
		length -= part;
	}
}

/* The decimal form of a number: no exponent, no zeros at its ends but that before the point. */
static void
hash_number(Sha256Context *context, const Number *number)
{
	int			last = number->weight - number->ndigits + 1;
	char		text[8];
	int			length;

	if (number->sign < 0)
		hash_bytes_of(context, "-", 1);
	if (number->weight < 0 || number->ndigits == 0)
		hash_bytes_of(context, "0", 1);
	for (int weight = number->ndigits == 0 ? -1 : Max(number->weight, -1); weight >= Min(last, 0); weight--)
	{
		int			at = number->weight - weight;
		int			digit = at >= 0 && at < number->ndigits ? number->digits[at] : 0;

		if (weight == -1)
			hash_bytes_of(context, ".", 1);
		length = snprintf(text, sizeof(text), weight >= 0 && at == 0 ? "%d" : "%04d", digit);
		while (weight == last && weight < 0 && text[length - 1] == '0')
			length--;
		hash_bytes_of(context, text, length);
	}
}

/* Whether a value is in a sample. Lists, objects and infinite times have no text, and are in none. */
bool
stratum_in_sample(const Value *value, Share share)
{
	Sha256Context context;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		text[32];
	uint64		hash = 0;

	stratum_sha256_init(&context);
	switch (value->kind)
	{
		case VALUE_STRING:
			hash_bytes_of(&context, value->of.string, value->length);
			break;
		case VALUE_NUMBER:
			hash_number(&context, &value->of.number);
			break;
		case VALUE_BOOL:
			hash_bytes_of(&context, value->of.boolean ? "true" : "false", value->of.boolean ? 4 : 5);
			break;
		case VALUE_TIME:
			if (TIMESTAMP_NOT_FINITE(value->of.time))
				return false;
			hash_bytes_of(&context, text, snprintf(text, sizeof(text), INT64_FORMAT, value->of.time));
			break;
		default:
			return false;
	}
	stratum_sha256_final(&context, digest);
	for (int i = 0; i < 8; i++)
		hash = hash << 8 | digest[i];
	return share.is_all || hash < share.limit;
}
