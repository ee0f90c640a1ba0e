/*
 * sha256.h
 *	  SHA-256, as fast as the processor has it. See sha256.c for why it is our own.
 */
#ifndef STRATUM_SHA256_H
#define STRATUM_SHA256_H

#include "stratum.h"

#include "common/sha2.h"

/*
 * The longest message of stratum_sha256_short(), and the room that its buffer must have: two
 * blocks, of which the padding takes a byte and the length eight.
 */
#define SHA256_SHORT_ROOM (2 * PG_SHA256_BLOCK_LENGTH)
#define SHA256_SHORT (SHA256_SHORT_ROOM - 9)

/* Works whole blocks into the state. */
typedef void (*Sha256Compress) (uint32 *state, const unsigned char *blocks, Size count);

typedef struct Sha256Context
{
	Sha256Compress compress;
	uint32		state[8];
	uint64		length;			/* bytes so far */
	unsigned char tail[SHA256_SHORT_ROOM];	/* those of them that fill no block yet */
} Sha256Context;

extern void stratum_sha256_choose(void);
extern void stratum_sha256_init(Sha256Context *context);
extern void stratum_sha256_update(Sha256Context *context, const unsigned char *bytes, Size length);
extern void stratum_sha256_final(Sha256Context *context, uint8 *digest);
extern void stratum_sha256_short(unsigned char *message, Size length, uint8 *digest);

#endif							/* STRATUM_SHA256_H */
