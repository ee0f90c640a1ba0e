/*
 * audit_digest.c
 *	  Digests of rows of the audit trail and of seals.
 *
 * A row's digest is that of two others: one of the columns that nothing ever changes, and one of
 * those that an erasure may replace. Erasure keeps the second as it was, so that the first can still be proved.
 * It is made with a salt, which erasure destroys: otherwise what was erased could be guessed and the guess
 * confirmed, since most of it is as short as an address.
 *
 * A field is a byte, 0 for NULL and 1 otherwise, then the length of its text in four bytes and the
 * text, in UTF-8; so no two rows have the same encoding. Nothing in it depends on settings, on the
 * machine or on the server's version. Numbers are big-endian where they are not text. A value that has no such
 * text, which would keep the chain from ever going on, is a byte 2, and its length and bytes as they are stored.
 */
#include "audit_seal.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "sha256.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define N_FIXED 8				/* of the sealed columns; the rest is payload */
#define N_JSON 3				/* the first ones of the payload */

/* Kinds of fields. */
#define TEXT 1
#define STORED 2

/* --- fields --- */

static void
add_null(Sha256Context *context)
{
	stratum_sha256_update(context, (const unsigned char *) "\0", 1);
}

/* What kind of field it is, and its length. */
static void
add_head(Sha256Context *context, unsigned char kind, Size length)
{
	unsigned char head[5];
	uint32		size = pg_hton32((uint32) length);

	head[0] = kind;
	memcpy(head + 1, &size, sizeof(size));
	stratum_sha256_update(context, head, sizeof(head));
}

/* The field's bytes, of which there may be a gigabyte: a megabyte at a time, so that it can be cancelled. */
static void
add_content(Sha256Context *context, const char *bytes, Size length)
{
	const Size	at_once = 1024 * 1024;

	for (; length > at_once; bytes += at_once, length -= at_once)
	{
		CHECK_FOR_INTERRUPTS();
		stratum_sha256_update(context, (const unsigned char *) bytes, at_once);
	}
	stratum_sha256_update(context, (const unsigned char *) bytes, length);
}

/* What has no text, or none in UTF-8, counts as it is stored. */
static void
add_stored(Sha256Context *context, const char *bytes, Size length)
{
	add_head(context, STORED, length);
	add_content(context, bytes, length);
}

/* The text in UTF-8, which is palloc'd; NULL if it has none. */
static char *
to_utf8(const char *bytes, int length)
{
	int			encoding = GetDatabaseEncoding();
	Oid			function = FindDefaultConversionProc(encoding, PG_UTF8);
	Size		room = (Size) length * MAX_CONVERSION_GROWTH + 1;
	char	   *result;

	if (!OidIsValid(function))
		return NULL;
	result = MemoryContextAllocHuge(CurrentMemoryContext, room);
	if (pg_do_encoding_conversion_buf(function, encoding, PG_UTF8, (unsigned char *) unconstify(char *, bytes),
									  length, (unsigned char *) result,
									  (int) Min(room, (Size) INT_MAX), true) == length)
		return result;
	pfree(result);
	return NULL;
}

static void
add_bytes(Sha256Context *context, const char *bytes, int length)
{
	const char *text = bytes;
	Size		size = length;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		text = to_utf8(bytes, length);
		if (text == NULL)
		{
			add_stored(context, bytes, length);
			return;
		}
		size = strlen(text);
	}
	add_head(context, TEXT, size);
	add_content(context, text, size);
}

static void
add_text(Sha256Context *context, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	add_bytes(context, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

static void
add_number(Sha256Context *context, int64 number)
{
	char		buffer[MAXINT8LEN + 1];
	int			length = pg_lltoa(number, buffer);

	add_bytes(context, buffer, length);
}

static void
add_json(Sha256Context *context, Datum value)
{
	Jsonb	   *json = DatumGetJsonbP(value);
	StringInfoData buffer;

	if (!stratum_json_has_text(json))
	{
		add_stored(context, (const char *) &json->root, VARSIZE(json) - VARHDRSZ);
		return;
	}
	initStringInfo(&buffer);
	(void) JsonbToCString(&buffer, &json->root, VARSIZE(json));
	add_bytes(context, buffer.data, buffer.len);
}

/* --- rows --- */

/* Of old_values, new_values, metadata (jsonb), ip_address and user_agent (text). */
void
stratum_digest_payload(const Datum *values, const bool *nulls, const uint8 *salt, uint8 *result)
{
	Sha256Context context;

	stratum_sha256_init(&context);
	stratum_sha256_update(&context, salt, SALT_LENGTH);
	for (int i = 0; i < N_SEALED_COLUMNS - N_FIXED; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			add_null(&context);
		else if (i < N_JSON)
			add_json(&context, values[i]);
		else
			add_text(&context, values[i]);
	}
	stratum_sha256_final(&context, result);
}

/* id, tenant_id and user_id (int8), four texts, created_at (microseconds since 2000, UTC). */
static void
digest_fixed(const Datum *values, const bool *nulls, uint8 *result)
{
	Sha256Context context;

	stratum_sha256_init(&context);
	for (int i = 0; i < N_FIXED; i++)
	{
		if (nulls[i])
			add_null(&context);
		else if (i < 3 || i == N_FIXED - 1)
			add_number(&context, DatumGetInt64(values[i]));
		else
			add_text(&context, values[i]);
	}
	stratum_sha256_final(&context, result);
}

void
stratum_join_digests(const uint8 *fixed, const uint8 *payload, uint8 *result)
{
	unsigned char message[SHA256_SHORT_ROOM];

	memcpy(message, fixed, DIGEST_LENGTH);
	memcpy(message + DIGEST_LENGTH, payload, DIGEST_LENGTH);
	stratum_sha256_short(message, 2 * DIGEST_LENGTH, result);
}

/* Of a row that begins with SEALED_COLUMNS. What it allocates is the caller's to forget. */
void
stratum_digest_row(const Datum *values, const bool *nulls, const uint8 *salt, RowDigest *result)
{
	digest_fixed(values, nulls, result->fixed);
	stratum_digest_payload(values + N_FIXED, nulls + N_FIXED, salt, result->payload);
	stratum_join_digests(result->fixed, result->payload, result->digest);
}

/* --- seals --- */

static void
add_int64(Sha256Context *context, int64 number)
{
	uint64		bytes = pg_hton64((uint64) number);

	stratum_sha256_update(context, (const unsigned char *) &bytes, sizeof(bytes));
}

/* Of the rows: for each its id, its time and its digest. */
void
stratum_digest_content(int count, const int64 *ids, const TimestampTz *times,
					   const uint8 *digests, uint8 *result)
{
	Sha256Context context;

	stratum_sha256_init(&context);
	for (int i = 0; i < count; i++)
	{
		add_int64(&context, ids[i]);
		add_int64(&context, times[i]);
		stratum_sha256_update(&context, digests + (Size) i * DIGEST_LENGTH, DIGEST_LENGTH);
	}
	stratum_sha256_final(&context, result);
}

void
stratum_digest_seal(const SealHeader *header, uint8 *result)
{
	Sha256Context context;

	stratum_sha256_init(&context);
	add_int64(&context, header->tenant_id);
	add_int64(&context, header->number);
	add_int64(&context, header->sealed_at);
	add_int64(&context, header->settled_id);
	add_int64(&context, header->row_count);
	add_int64(&context, header->last_id);
	add_int64(&context, header->newest_at);
	stratum_sha256_update(&context, header->previous, DIGEST_LENGTH);
	stratum_sha256_update(&context, header->content, DIGEST_LENGTH);
	stratum_sha256_final(&context, result);
}

/* --- forms --- */

bytea *
stratum_bytes(const void *bytes, Size length)
{
	bytea	   *result = palloc(VARHDRSZ + length);

	SET_VARSIZE(result, VARHDRSZ + length);
	memcpy(VARDATA(result), bytes, length);
	return result;
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = fold_ascii(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False if that is no digest: 64 hex digits. */
bool
stratum_parse_digest(const char *hex, Size length, uint8 *result)
{
	if (length != 2 * DIGEST_LENGTH)
		return false;
	for (int i = 0; i < DIGEST_LENGTH; i++)
	{
		int			high = hex_value(hex[2 * i]);
		int			low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		result[i] = (uint8) (high << 4 | low);
	}
	return true;
}

/* 64 hex digits and the end of the string. */
void
stratum_print_digest(const uint8 *digest, char *result)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < DIGEST_LENGTH; i++)
	{
		result[2 * i] = digits[digest[i] >> 4];
		result[2 * i + 1] = digits[digest[i] & 15];
	}
	result[2 * DIGEST_LENGTH] = '\0';
}

/*
 * _payload_digest(old_values jsonb, new_values jsonb, metadata jsonb, ip_address text,
 * user_agent text, salt bytea) -> text: 64 hex digits. For erasure.
 */
PG_FUNCTION_INFO_V1(stratum_payload_digest);
Datum
stratum_payload_digest(PG_FUNCTION_ARGS)
{
	Datum		values[N_SEALED_COLUMNS - N_FIXED];
	bool		nulls[N_SEALED_COLUMNS - N_FIXED];
	bytea	   *salt;
	uint8		digest[DIGEST_LENGTH];
	char		hex[2 * DIGEST_LENGTH + 1];

	for (int i = 0; i < N_SEALED_COLUMNS - N_FIXED; i++)
	{
		nulls[i] = PG_ARGISNULL(i);
		values[i] = PG_GETARG_DATUM(i);
	}
	if (PG_ARGISNULL(5) || VARSIZE_ANY_EXHDR(salt = PG_GETARG_BYTEA_PP(5)) != SALT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a salt has %d bytes", SALT_LENGTH)));
	stratum_digest_payload(values, nulls, (uint8 *) VARDATA_ANY(salt), digest);
	stratum_print_digest(digest, hex);
	PG_RETURN_TEXT_P(cstring_to_text(hex));
}
