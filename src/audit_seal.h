/*
 * audit_seal.h
 *	  What the files of the sealed audit trail share.
 *
 * Of every row there is a digest, of up to a thousand digests a seal, and each seal has the digest of
 * the one before in it. How each is computed is documented (doc/reference/audit_seals.md), so that
 * others can do it too: changing anything here breaks the trails that are there.
 */
#ifndef STRATUM_AUDIT_SEAL_H
#define STRATUM_AUDIT_SEAL_H

#include "audit.h"

#include "common/sha2.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"

#define DIGEST_LENGTH PG_SHA256_DIGEST_LENGTH
#define SALT_LENGTH 16
#define SEAL_ROWS 1000

/*
 * The columns of a row "l" that is to be digested, in the order that stratum_digest_row() expects;
 * whatever type somebody gave a column, its text is what counts.
 */
#define SEALED_COLUMNS \
	"l.id::pg_catalog.int8, l.tenant_id::pg_catalog.int8, l.user_id::pg_catalog.int8," \
	" l.action::pg_catalog.text, l.resource_type::pg_catalog.text," \
	" l.resource_id::pg_catalog.text, l.request_id::pg_catalog.text," \
	" l.created_at::pg_catalog.timestamptz, l.old_values::pg_catalog.jsonb," \
	" l.new_values::pg_catalog.jsonb, l.metadata::pg_catalog.jsonb," \
	" l.ip_address::pg_catalog.text, l.user_agent::pg_catalog.text"
#define N_SEALED_COLUMNS 13
#define CREATED_AT 7			/* its index among them */

/* Whether a row of `table` is of the chain; $1: its tenant. Planned with the value, it is one or the other, with an index. */
#define OF_CHAIN(table) \
	" CASE WHEN $1 IS NULL THEN " table ".tenant_id IS NULL ELSE " table ".tenant_id = $1 END"

/* The rows "l" above an id ($2) that have no seal. */
#define WITHOUT_SEAL \
	" l.id > $2 AND NOT EXISTS (SELECT FROM" \
	" (SELECT unnest(s.log_ids::int8[]) AS id FROM stratum.audit_seals s WHERE" OF_CHAIN("s") \
	" AND s.last_id > $2) k WHERE k.id = l.id)"

typedef struct RowDigest
{
	uint8		fixed[DIGEST_LENGTH];	/* of what no erasure changes */
	uint8		payload[DIGEST_LENGTH]; /* of the rest, with the salt */
	uint8		digest[DIGEST_LENGTH];	/* of the two */
} RowDigest;

/* What the digest of a seal is of. */
typedef struct SealHeader
{
	int64		tenant_id;		/* 0: of no tenant */
	int64		number;			/* 1, 2, 3 ... in each chain */
	TimestampTz sealed_at;
	int64		settled_id;
	int64		row_count;
	int64		last_id;
	TimestampTz newest_at;
	uint8		previous[DIGEST_LENGTH];	/* of the seal before; zeros in the first */
	uint8		content[DIGEST_LENGTH];
} SealHeader;

/* --- audit_digest.c --- */
extern void stratum_digest_payload(const Datum *values, const bool *nulls, const uint8 *salt,
								   uint8 *result);
extern void stratum_join_digests(const uint8 *fixed, const uint8 *payload, uint8 *result);
extern void stratum_digest_row(const Datum *values, const bool *nulls, const uint8 *salt,
							   RowDigest *result);
extern void stratum_digest_content(int count, const int64 *ids, const TimestampTz *times,
								   const uint8 *digests, uint8 *result);
extern void stratum_digest_seal(const SealHeader *header, uint8 *result);
extern bytea *stratum_bytes(const void *bytes, Size length);
extern bool stratum_parse_digest(const char *hex, Size length, uint8 *result);
extern void stratum_print_digest(const uint8 *digest, char *result);

/* --- audit_seal.c --- */
extern uint64 stratum_full_xid(TransactionId xid);

#endif							/* STRATUM_AUDIT_SEAL_H */
