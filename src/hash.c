/*
 * hash.c
 *	  Normal forms and SHA-256 of e-mail addresses and telephone numbers.
 *
 * A hash must not differ between two databases that hold the same text. So letter case is folded
 * for A-Z only, whatever the locale, and what is hashed are UTF-8 bytes, whatever the server
 * encoding. Bytes that are no UTF-8, which only an SQL_ASCII database can hold, are hashed as they
 * are.
 *
 * Texts of up to 1 GB are hashed chunk by chunk, without a second copy of them.
 */
#include "hash.h"

#include "common/cryptohash.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define SHA256_BYTES 32
#define HEX_DIGITS (2 * SHA256_BYTES)
#define CHUNK 8192

/* Fewer digits are no telephone number. */
#define LEAST_DIGITS 7

static pg_cryptohash_ctx *
start_hash(void)
{
	/*
	 * No PG_TRY: where the context is more than palloc'd memory, it belongs to the current resource
	 * owner, so an error frees it in either case.
	 */
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start a SHA-256 hash: %s", pg_cryptohash_error(hash));
	return hash;
}

static void
add_to_hash(pg_cryptohash_ctx *hash, const unsigned char *bytes, Size length)
{
	if (pg_cryptohash_update(hash, bytes, length) < 0)
		elog(ERROR, "could not compute a SHA-256 hash: %s", pg_cryptohash_error(hash));
}

/* The hash as 64 lower-case hex digits; frees its context. */
static text *
finish_hash(pg_cryptohash_ctx *hash)
{
	uint8		digest[SHA256_BYTES];
	text	   *result;

	if (pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not finish a SHA-256 hash: %s", pg_cryptohash_error(hash));
	pg_cryptohash_free(hash);

	result = palloc(VARHDRSZ + HEX_DIGITS);
	SET_VARSIZE(result, VARHDRSZ + HEX_DIGITS);
	hex_encode((const char *) digest, sizeof(digest), VARDATA(result));
	return result;
}

/* SHA-256 of bytes that are hashed as they are. */
text *
stratum_sha256_hex(const unsigned char *utf8, Size length)
{
	pg_cryptohash_ctx *hash = start_hash();

	while (length > 0)
	{
		Size		part = Min(length, 64 * CHUNK);

		CHECK_FOR_INTERRUPTS();
		add_to_hash(hash, utf8, part);
		utf8 += part;
		length -= part;
	}
	return finish_hash(hash);
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

/* Copies with A-Z folded; true if there is a byte beyond ASCII. */
static bool
copy_folded(unsigned char *to, const unsigned char *from, Size length)
{
	unsigned char seen = 0;

	for (Size i = 0; i < length; i++)
	{
		seen |= from[i];
		to[i] = fold_ascii(from[i]);
	}
	return (seen & 0x80) != 0;
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
	copy_folded((unsigned char *) VARDATA(result), span.bytes, span.length);
	return result;
}

/*
 * SHA-256 of the normalised address, NULL if it is blank. The argument is not toasted (a short
 * header is fine).
 */
text *
stratum_email_hash(const text *address)
{
	Span		rest = trim_text(address);
	bool		convert = stratum_must_convert();
	unsigned char buffer[CHUNK];
	pg_cryptohash_ctx *hash;

	if (rest.length == 0)
		return NULL;
	hash = start_hash();
	while (rest.length > 0)
	{
		Size		part = Min(rest.length, CHUNK);

		CHECK_FOR_INTERRUPTS();
		if (convert && part < rest.length)
			part = pg_mbcliplen((const char *) rest.bytes, (int) rest.length, CHUNK);
		if (copy_folded(buffer, rest.bytes, part) && convert)
		{
			char	   *utf8 = pg_server_to_any((char *) buffer, (int) part, PG_UTF8);

			add_to_hash(hash, (unsigned char *) utf8, strlen(utf8));
			if (utf8 != (char *) buffer)
				pfree(utf8);
		}
		else
			add_to_hash(hash, buffer, part);
		rest.bytes += part;
		rest.length -= part;
	}
	return finish_hash(hash);
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

	while (count < room && find_digit(rest))
	{
		to[count++] = rest->bytes[0];
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
	pg_cryptohash_ctx *hash;
	Size		count;

	skip_international_prefix(&rest);
	if (!find_digit(&rest))
		return NULL;
	hash = start_hash();
	while ((count = take_digits(&rest, buffer, sizeof(buffer))) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		add_to_hash(hash, buffer, count);
	}
	return finish_hash(hash);
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
