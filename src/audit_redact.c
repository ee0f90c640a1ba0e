/*
 * audit_redact.c
 *	  What the trail shows of values that it must not show in clear.
 *
 * A column's name in the list stands for "[REDACTED]"; "name:mask" is the same. With "name:hash" it
 * is a keyed hash: equal values can be told to be equal, and nobody without the key can try out which
 * they are. With "name:drop" the column is not there for the trail at all.
 */
#include "audit.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define KEY_TABLE "audit_keys"
#define KEY_LENGTH 32
#define HASH_PREFIX "hmac-sha256:"

static const struct
{
	const char *suffix;
	AuditRedaction redaction;
}			modes[] = {
	{":mask", AUDIT_MASK},
	{":hash", AUDIT_HASH},
	{":drop", AUDIT_DROP}
};

/* The length of the column's name in an entry of the list whose way to redact is told, else 0. */
static Size
length_of_name(const char *entry, AuditRedaction *redaction)
{
	Size		length = strlen(entry);

	for (int i = 0; i < (int) lengthof(modes); i++)
	{
		Size		suffix = strlen(modes[i].suffix);

		if (length > suffix && strcmp(entry + length - suffix, modes[i].suffix) == 0)
		{
			*redaction = modes[i].redaction;
			return length - suffix;
		}
	}
	return 0;
}

/* How a list of redacted columns has a column; its bare name comes before what else may be said. */
AuditRedaction
stratum_redaction(const char *column, List *entries)
{
	AuditRedaction result = AUDIT_SHOW;
	ListCell   *cell;

	foreach(cell, entries)
	{
		const char *entry = lfirst(cell);
		AuditRedaction redaction;
		Size		length = length_of_name(entry, &redaction);

		if (strcmp(entry, column) == 0)
			return AUDIT_MASK;
		if (length > 0 && length == strlen(column) && strncmp(entry, column, length) == 0)
			result = redaction;
	}
	return result;
}

/* The name of the column that an entry is about. */
char *
stratum_redacted_name(Oid relid, const char *entry)
{
	AuditRedaction redaction;
	Size		length = length_of_name(entry, &redaction);

	if (length == 0 || get_attnum(relid, entry) != InvalidAttrNumber)
		return pstrdup(entry);
	return pnstrdup(entry, length);
}

/* --- the key --- */

static Oid
owner_of_keys(void)
{
	Oid			namespace = get_namespace_oid(STRATUM_SCHEMA, true);
	Oid			keys = OidIsValid(namespace) ? get_relname_relid(KEY_TABLE, namespace) : InvalidOid;

	return OidIsValid(keys) ? stratum_owner_of_table(keys) : InvalidOid;
}

/* Reads the key as the owner of its table: nobody else may. */
static bool
read_key(uint8 *key)
{
	Oid			owner = owner_of_keys();
	Oid			user;
	int			security;
	bool		isnull = true;
	Datum		value;

	if (!OidIsValid(owner))
		return false;
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT k.key FROM stratum.audit_keys k WHERE k.id OPERATOR(pg_catalog.=) 1", false, 1) == SPI_OK_SELECT &&
		SPI_processed == 1)
	{
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (!isnull && VARSIZE_ANY_EXHDR(DatumGetByteaPP(value)) == KEY_LENGTH)
			memcpy(key, VARDATA_ANY(DatumGetByteaPP(value)), KEY_LENGTH);
		else
			isnull = true;
	}
	SPI_finish();
	SetUserIdAndSecContext(user, security);
	return !isnull;
}

/* Kept for a transaction: a rollback may take back a key that was made in it. */
static const uint8 *
current_key(void)
{
	static uint8 key[KEY_LENGTH];
	static FullTransactionId of = {0};
	static SubTransactionId subid = InvalidSubTransactionId;
	FullTransactionId now = GetTopFullTransactionId();

	if (FullTransactionIdEquals(of, now) && subid == GetCurrentSubTransactionId())
		return key;
	if (!read_key(key))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the key for hashed values of the audit trail is missing"),
				 errhint("Call stratum.audit_table() again, which makes one.")));
	of = now;
	subid = GetCurrentSubTransactionId();
	return key;
}

/* --- values --- */

static const char *
hash(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);
	char	   *result = palloc(sizeof(HASH_PREFIX) + 2 * sizeof(digest));
	char	   *end = result + strlen(HASH_PREFIX);

	if (context == NULL ||
		pg_hmac_init(context, current_key(), KEY_LENGTH) < 0 ||
		pg_hmac_update(context, (const uint8 *) text, strlen(text)) < 0 ||
		pg_hmac_final(context, digest, sizeof(digest)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not hash a value for the audit trail")));
	pg_hmac_free(context);
	strcpy(result, HASH_PREFIX);
	for (int i = 0; i < (int) lengthof(digest); i++)
	{
		*end++ = digits[digest[i] >> 4];
		*end++ = digits[digest[i] & 15];
	}
	*end = '\0';
	return result;
}

/* What is shown of a value that is not NULL: of a string its characters are hashed, else its JSON. */
const char *
stratum_redacted_value(const AuditColumn *column, Datum value)
{
	AuditColumn clear = *column;

	if (column->redaction != AUDIT_HASH)
		return REDACTED;
	clear.redacted = false;
	return hash(stratum_json_text(stratum_encode_value_in_utc(&clear, value)));
}
