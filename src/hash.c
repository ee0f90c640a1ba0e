/*
 * hash.c
 *	  Normal forms and SHA-256 of e-mail addresses and telephone numbers.
 *
 * A hash must not differ between two databases that hold the same text. So letter case is folded
 * for A-Z only, whatever the locale, and what is hashed are UTF-8 bytes, whatever the server
 * encoding. Bytes that are no UTF-8, which only an SQL_ASCII database can hold, are hashed as they
 * are.
 *
 * An address is hashed in the buffer that its normal form is written to. Texts that do not fit, up
 * to 1 GB, are hashed chunk by chunk, without a second copy of them.
 */
#include "hash.h"
#include "sha256.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"

#define CHUNK 8192

/* Fewer digits are no telephone number. */
#define LEAST_DIGITS 7

/* The two hex digits of every byte. */
#define HEX_ROW(high) \
	high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" \
	high "8" high "9" high "a" high "b" high "c" high "d" high "e" high "f"

static const char hex_digits[] =
	HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3")
	HEX_ROW("4") HEX_ROW("5") HEX_ROW("6") HEX_ROW("7")
	HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
	HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

/* The hash as 64 lower-case hex digits. */
static text *
hex_text(const uint8 *digest)
{
	text	   *result = palloc(VARHDRSZ + 2 * PG_SHA256_DIGEST_LENGTH);
	char	   *digits = VARDATA(result);

	SET_VARSIZE(result, VARHDRSZ + 2 * PG_SHA256_DIGEST_LENGTH);
	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		memcpy(digits + 2 * i, hex_digits + 2 * digest[i], 2);
	return result;
}

/* What is in a buffer of SHA256_SHORT_ROOM bytes, which is overwritten. */
static text *
hash_short(unsigned char *message, Size length)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	stratum_sha256_short(message, length, digest);
	return hex_text(digest);
}

static text *
finish_hash(Sha256Context *hash)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	stratum_sha256_final(hash, digest);
	return hex_text(digest);
}

/* SHA-256 of bytes that are hashed as they are. */
text *
stratum_sha256_hex(const unsigned char *utf8, Size length)
{
	unsigned char message[SHA256_SHORT_ROOM];
	Sha256Context hash;

	if (length <= SHA256_SHORT)
	{
		memcpy(message, utf8, length);
		return hash_short(message, length);
	}
	stratum_sha256_init(&hash);
	while (length > 0)
	{
		Size		part = Min(length, 64 * CHUNK);

		CHECK_FOR_INTERRUPTS();
		stratum_sha256_update(&hash, utf8, part);
		utf8 += part;
		length -= part;
	}
	return finish_hash(&hash);
}

/* Is the server encoding one that UTF-8 bytes have to be made of? */
bool
stratum_must_convert(void)
{
	int			encoding = GetDatabaseEncoding();

	return encoding != PG_UTF8 && encoding != PG_SQL_ASCII;
}

Span
stratum_trim(const unsigned char *bytes, Size length)
{
	Span		span;

	while (length > 0 && is_blank(bytes[0]))
	{
		bytes++;
		length--;
	}
	while (length > 0 && is_blank(bytes[length - 1]))
		length--;
	span.bytes = bytes;
	span.length = length;
	return span;
}

static Span
trim_text(const text *value)
{
	return stratum_trim((const unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/* A-Z to a-z in eight bytes at a time; every other byte stays. */
static inline uint64
fold_eight(uint64 bytes)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	uint64		low = bytes & (0x7F * ones);
	uint64		from_a = low + (0x80 - 'A') * ones; /* the highest bit of a byte: not below A */
	uint64		beyond_z = low + (0x7F - 'Z') * ones;

	return bytes | ((from_a & ~beyond_z & ~bytes & (0x80 * ones)) >> 2);
}

/* Copies with A-Z folded; true if there is a byte beyond ASCII. The two must not overlap. */
bool
stratum_copy_folded(unsigned char *to, const unsigned char *from, Size length)
{
	const uint64 high_bits = UINT64CONST(0x8080808080808080);
	uint64		seen = 0;
	uint64		bytes;

	if (length < sizeof(bytes))
	{
		for (Size i = 0; i < length; i++)
		{
			seen |= from[i];
			to[i] = fold_ascii(from[i]);
		}
		return (seen & high_bits) != 0;
	}
	/* The last eight may have been copied in part, which does no harm. */
	for (Size i = 0; i < length; i += sizeof(bytes))
	{
		Size		at = Min(i, length - sizeof(bytes));

		memcpy(&bytes, from + at, sizeof(bytes));
		seen |= bytes;
		bytes = fold_eight(bytes);
		memcpy(to + at, &bytes, sizeof(bytes));
	}
	return (seen & high_bits) != 0;
}

/* The text's normal form, or NULL if it is blank. */
static text *
normalize_email(const text *address)
{
	Span		span = trim_text(address);
	text	   *result;

	if (span.length == 0)
		return NULL;
	result = palloc(VARHDRSZ + span.length);
	SET_VARSIZE(result, VARHDRSZ + span.length);
	stratum_copy_folded((unsigned char *) VARDATA(result), span.bytes, span.length);
	return result;
}

/* A trimmed address that is long or has to be converted, chunk by chunk. */
static text *
hash_long_email(Span rest)
{
	bool		convert = stratum_must_convert();
	unsigned char buffer[CHUNK];
	Sha256Context hash;

	stratum_sha256_init(&hash);
	while (rest.length > 0)
	{
		Size		part = Min(rest.length, CHUNK);

		CHECK_FOR_INTERRUPTS();
		if (convert && part < rest.length)
			part = pg_mbcliplen((const char *) rest.bytes, (int) rest.length, CHUNK);
		if (stratum_copy_folded(buffer, rest.bytes, part) && convert)
		{
			char	   *utf8 = pg_server_to_any((char *) buffer, (int) part, PG_UTF8);

			stratum_sha256_update(&hash, (unsigned char *) utf8, strlen(utf8));
			if (utf8 != (char *) buffer)
				pfree(utf8);
		}
		else
			stratum_sha256_update(&hash, buffer, part);
		rest.bytes += part;
		rest.length -= part;
	}
	return finish_hash(&hash);
}

/*
 * SHA-256 of the normalised address, NULL if it is blank. The argument is not toasted (a short
 * header is fine).
 */
text *
stratum_email_hash(const text *address)
{
	Span		span = trim_text(address);
	unsigned char message[SHA256_SHORT_ROOM];

	if (span.length == 0)
		return NULL;
	if (span.length > SHA256_SHORT ||
		(stratum_copy_folded(message, span.bytes, span.length) && stratum_must_convert()))
		return hash_long_email(span);
	return hash_short(message, span.length);
}

/* Moves to the next digit at or after the beginning; false if there is none. */
static bool
find_digit(Span *rest)
{
	while (rest->length > 0 && !is_digit(rest->bytes[0]))
	{
		rest->bytes++;
		rest->length--;
	}
	return rest->length > 0;
}

/* Copies up to "room" digits and moves behind them. */
static Size
take_digits(Span *rest, unsigned char *to, Size room)
{
	Size		count = 0;

	while (count < room && rest->length > 0)
	{
		to[count] = rest->bytes[0];
		count += is_digit(rest->bytes[0]) ? 1 : 0;
		rest->bytes++;
		rest->length--;
	}
	return count;
}

/* Moves behind every leading 00. Its digits may have something between them. */
static void
skip_international_prefix(Span *rest)
{
	for (;;)
	{
		Span		ahead = *rest;
		unsigned char two[2];

		if (take_digits(&ahead, two, 2) < 2 || two[0] != '0' || two[1] != '0')
			return;
		*rest = ahead;
	}
}

/* Digits only, without a leading +, which is none, or 00; NULL if no digit is left. */
static text *
normalize_phone(const text *number)
{
	Span		rest = trim_text(number);
	text	   *result;
	Size		count;

	skip_international_prefix(&rest);
	if (!find_digit(&rest))
		return NULL;
	result = palloc(VARHDRSZ + rest.length);
	count = take_digits(&rest, (unsigned char *) VARDATA(result), rest.length);
	SET_VARSIZE(result, VARHDRSZ + count);
	return result;
}

/*
 * SHA-256 of the normalised number, NULL if no digit is left. The argument is not toasted (a short
 * header is fine).
 */
text *
stratum_phone_hash(const text *number)
{
	Span		rest = trim_text(number);
	unsigned char buffer[CHUNK];
	Sha256Context hash;
	Size		count;

	skip_international_prefix(&rest);
	if (!find_digit(&rest))
		return NULL;
	if (rest.length <= SHA256_SHORT)
	{
		count = take_digits(&rest, buffer, rest.length);
		return hash_short(buffer, count);
	}
	stratum_sha256_init(&hash);
	while ((count = take_digits(&rest, buffer, sizeof(buffer))) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		stratum_sha256_update(&hash, buffer, count);
	}
	return finish_hash(&hash);
}

/* Is it an address rather than what an encrypting client made of one? */
bool
stratum_is_plain_email(const text *address)
{
	return memchr(VARDATA_ANY(address), '@', VARSIZE_ANY_EXHDR(address)) != NULL;
}

/* Is it a number rather than what an encrypting client made of one? */
bool
stratum_is_plain_phone(const text *number)
{
	const char *bytes = VARDATA_ANY(number);
	Size		length = VARSIZE_ANY_EXHDR(number);
	Size		digits = 0;

	for (Size i = 0; i < length; i++)
	{
		if (is_digit(bytes[i]))
			digits++;
		else if (bytes[i] == '\0' || strchr(" +()-.", bytes[i]) == NULL)
			return false;
	}
	return digits >= LEAST_DIGITS;
}

#define RETURN_TEXT_OR_NULL(expression) \
	do { \
		text	   *value_ = (expression); \
		if (value_ == NULL) \
			PG_RETURN_NULL(); \
		PG_RETURN_TEXT_P(value_); \
	} while (0)

PG_FUNCTION_INFO_V1(stratum_normalize_email);
Datum
stratum_normalize_email(PG_FUNCTION_ARGS)
{
	RETURN_TEXT_OR_NULL(normalize_email(PG_GETARG_TEXT_PP(0)));
}

PG_FUNCTION_INFO_V1(stratum_email_sha256);
Datum
stratum_email_sha256(PG_FUNCTION_ARGS)
{
	RETURN_TEXT_OR_NULL(stratum_email_hash(PG_GETARG_TEXT_PP(0)));
}

PG_FUNCTION_INFO_V1(stratum_normalize_phone);
Datum
stratum_normalize_phone(PG_FUNCTION_ARGS)
{
	RETURN_TEXT_OR_NULL(normalize_phone(PG_GETARG_TEXT_PP(0)));
}

PG_FUNCTION_INFO_V1(stratum_phone_sha256);
Datum
stratum_phone_sha256(PG_FUNCTION_ARGS)
{
	RETURN_TEXT_OR_NULL(stratum_phone_hash(PG_GETARG_TEXT_PP(0)));
}
