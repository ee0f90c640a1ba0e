/*
 * sha256.c
 *	  SHA-256 (FIPS 180-4), with the processor's instructions for it where there are any.
 *
 * Why our own: hashing a table of a million addresses takes
 *
 *	640 ms	with pg_cryptohash, which finds the algorithm and allocates a context for each
 *	181 ms	with OpenSSL's EVP interface and one context for all
 *	129 ms	with this, 287 ms without the instructions
 *	 50 ms	for reading the column alone
 *
 * (medians, one core). EVP would also have the library link with OpenSSL, which PostgreSQL may be
 * built without, and keep memory that is not PostgreSQL's. OpenSSL's plain functions are
 * deprecated.
 *
 * The usual reasons against cryptography of one's own do not apply: nothing here is secret. The
 * hash is what advertising platforms match people by, its algorithm and the form of its input are
 * published, and there is neither a key nor a timing to protect. It can only be right or wrong, and
 * test/sql/sha256.sql compares both ways of computing it with PostgreSQL's sha256().
 */
#include "sha256.h"

#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"

/* GCC and Clang compile single functions for a processor that the rest does not require. */
#if defined(__x86_64__) && defined(__GNUC__)
#define USE_SHA_EXTENSIONS
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK PG_SHA256_BLOCK_LENGTH

static const uint32 initial_state[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
};

static const uint32 round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
};

/* --- on any processor --- */

/* The block's 16 words and the 48 that follow from them. */
static void
expand_block(uint32 *words, const unsigned char *block)
{
	memcpy(words, block, BLOCK);
	for (int i = 0; i < 16; i++)
		words[i] = pg_ntoh32(words[i]);
	for (int i = 16; i < 64; i++)
	{
		uint32		a = words[i - 15];
		uint32		b = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] +
			(pg_rotate_right32(a, 7) ^ pg_rotate_right32(a, 18) ^ (a >> 3)) +
			(pg_rotate_right32(b, 17) ^ pg_rotate_right32(b, 19) ^ (b >> 10));
	}
}

/* One round. The caller renames the variables for the next instead of moving their values. */
#define ROUND(a, b, c, d, e, f, g, h, i) \
	do { \
		uint32		sum_ = (h) + round_constants[i] + words[i] + ((g) ^ ((e) & ((f) ^ (g)))) + \
			(pg_rotate_right32(e, 6) ^ pg_rotate_right32(e, 11) ^ pg_rotate_right32(e, 25)); \
		(d) += sum_; \
		(h) = sum_ + (((a) & (b)) | ((c) & ((a) | (b)))) + \
			(pg_rotate_right32(a, 2) ^ pg_rotate_right32(a, 13) ^ pg_rotate_right32(a, 22)); \
	} while (0)

static void
compress_portably(uint32 *state, const unsigned char *blocks, Size count)
{
	uint32		words[64];

	for (; count > 0; count--, blocks += BLOCK)
	{
		uint32		a = state[0], b = state[1], c = state[2], d = state[3];
		uint32		e = state[4], f = state[5], g = state[6], h = state[7];

		expand_block(words, blocks);
		for (int i = 0; i < 64; i += 8)
		{
			ROUND(a, b, c, d, e, f, g, h, i);
			ROUND(h, a, b, c, d, e, f, g, i + 1);
			ROUND(g, h, a, b, c, d, e, f, i + 2);
			ROUND(f, g, h, a, b, c, d, e, i + 3);
			ROUND(e, f, g, h, a, b, c, d, i + 4);
			ROUND(d, e, f, g, h, a, b, c, i + 5);
			ROUND(c, d, e, f, g, h, a, b, i + 6);
			ROUND(b, c, d, e, f, g, h, a, i + 7);
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}

/* --- with the SHA extensions of x86-64 --- */

#ifdef USE_SHA_EXTENSIONS

#define SHA_BIT (1U << 29)		/* leaf 7, EBX; not every cpuid.h has a name for it */
#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

/* The processor's view of the eight variables: "abef" has a in its highest word. */
typedef struct Halves
{
	__m128i		abef;
	__m128i		cdgh;
} Halves;

SHA_TARGET static inline Halves
load_state(const uint32 *state)
{
	__m128i		badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) state), 0xB1);
	__m128i		hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) (state + 4)), 0x1B);
	Halves		halves = {_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xF0)};

	return halves;
}

SHA_TARGET static inline void
store_state(uint32 *state, Halves halves)
{
	__m128i		abef = _mm_shuffle_epi32(halves.abef, 0x1B);
	__m128i		ghcd = _mm_shuffle_epi32(halves.cdgh, 0xB1);

	_mm_storeu_si128((__m128i *) state, _mm_blend_epi16(abef, ghcd, 0xF0));
	_mm_storeu_si128((__m128i *) (state + 4), _mm_alignr_epi8(ghcd, abef, 8));
}

/* Words "number" to "number" + 3 of a block; they are big-endian there. */
SHA_TARGET static inline __m128i
load_words(const unsigned char *block, int number)
{
	const __m128i order = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);

	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (block + 4 * number)), order);
}

/* The four words that follow from the last 16. */
SHA_TARGET static inline __m128i
next_words(__m128i w0, __m128i w4, __m128i w8, __m128i w12)
{
	__m128i		sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w4), _mm_alignr_epi8(w12, w8, 4));

	return _mm_sha256msg2_epu32(sum, w12);
}

/* Rounds "number" to "number" + 3. */
SHA_TARGET static inline void
four_rounds(Halves *halves, __m128i words, int number)
{
	const __m128i *constants = (const __m128i *) (round_constants + number);
	__m128i		sum = _mm_add_epi32(words, _mm_loadu_si128(constants));

	halves->cdgh = _mm_sha256rnds2_epu32(halves->cdgh, halves->abef, sum);
	halves->abef = _mm_sha256rnds2_epu32(halves->abef, halves->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

SHA_TARGET static void
compress_in_hardware(uint32 *state, const unsigned char *blocks, Size count)
{
	Halves		halves = load_state(state);

	for (; count > 0; count--, blocks += BLOCK)
	{
		Halves		before = halves;
		__m128i		w0 = load_words(blocks, 0);
		__m128i		w4 = load_words(blocks, 4);
		__m128i		w8 = load_words(blocks, 8);
		__m128i		w12 = load_words(blocks, 12);

		for (int i = 0;; i += 16)
		{
			four_rounds(&halves, w0, i);
			four_rounds(&halves, w4, i + 4);
			four_rounds(&halves, w8, i + 8);
			four_rounds(&halves, w12, i + 12);
			if (i == 48)
				break;
			w0 = next_words(w0, w4, w8, w12);
			w4 = next_words(w4, w8, w12, w0);
			w8 = next_words(w8, w12, w0, w4);
			w12 = next_words(w12, w0, w4, w8);
		}
		halves.abef = _mm_add_epi32(halves.abef, before.abef);
		halves.cdgh = _mm_add_epi32(halves.cdgh, before.cdgh);
	}
	store_state(state, halves);
}

/* By hand: __builtin_cpu_supports() knows "sha" in new compilers only. */
static bool
has_sha_extensions(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & SHA_BIT) != 0;
}

#endif							/* USE_SHA_EXTENSIONS */

/* --- messages --- */

static Sha256Compress compress = compress_portably;

/* Asks the processor once, when the library is loaded. */
void
stratum_sha256_choose(void)
{
#ifdef USE_SHA_EXTENSIONS
	if (has_sha_extensions())
		compress = compress_in_hardware;
#endif
}

/*
 * Puts the padding behind the last "used" bytes of a message and returns how many blocks they are
 * now. At most SHA256_SHORT bytes.
 */
static Size
pad(unsigned char *tail, Size used, uint64 length)
{
	Size		end = used + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
	uint64		bits = pg_hton64(length * 8);

	tail[used] = 0x80;
	memset(tail + used + 1, 0, end - sizeof(bits) - used - 1);
	memcpy(tail + end - sizeof(bits), &bits, sizeof(bits));
	return end / BLOCK;
}

static void
write_digest(uint8 *digest, const uint32 *state)
{
	for (int i = 0; i < 8; i++)
	{
		uint32		word = pg_hton32(state[i]);

		memcpy(digest + 4 * i, &word, sizeof(word));
	}
}

void
stratum_sha256_init(Sha256Context *context)
{
	context->compress = compress;
	memcpy(context->state, initial_state, sizeof(initial_state));
	context->length = 0;
}

void
stratum_sha256_update(Sha256Context *context, const unsigned char *bytes, Size length)
{
	Size		used = context->length % BLOCK;

	context->length += length;
	if (used > 0)
	{
		Size		part = Min(length, BLOCK - used);

		memcpy(context->tail + used, bytes, part);
		if (used + part < BLOCK)
			return;
		context->compress(context->state, context->tail, 1);
		bytes += part;
		length -= part;
	}
	context->compress(context->state, bytes, length / BLOCK);
	memcpy(context->tail, bytes + length / BLOCK * BLOCK, length % BLOCK);
}

void
stratum_sha256_final(Sha256Context *context, uint8 *digest)
{
	Size		blocks = pad(context->tail, context->length % BLOCK, context->length);

	context->compress(context->state, context->tail, blocks);
	write_digest(digest, context->state);
}

static inline void
hash_short(Sha256Compress with, unsigned char *message, Size length, uint8 *digest)
{
	uint32		state[8];

	memcpy(state, initial_state, sizeof(state));
	with(state, message, pad(message, length, length));
	write_digest(digest, state);
}

/*
 * A message of at most SHA256_SHORT bytes, in a buffer of SHA256_SHORT_ROOM: it is padded where it
 * is, not copied.
 */
void
stratum_sha256_short(unsigned char *message, Size length, uint8 *digest)
{
	hash_short(compress, message, length, digest);
}

/*
 * For tests only, which make a function of it: (data bytea, hardware boolean, part integer) ->
 * bytea. In hardware (if there is any) or without; added in parts of so many bytes or, where that
 * is 0, as a short message if it is one.
 */
PG_FUNCTION_INFO_V1(stratum_sha256_test);
Datum
stratum_sha256_test(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	Sha256Compress with = PG_GETARG_BOOL(1) ? compress : compress_portably;
	Size		part = (Size) PG_GETARG_INT32(2);
	const unsigned char *bytes = (unsigned char *) VARDATA_ANY(data);
	Size		length = VARSIZE_ANY_EXHDR(data);
	bytea	   *result = palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	unsigned char message[SHA256_SHORT_ROOM];
	Sha256Context context;

	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	if (part == 0 && length <= SHA256_SHORT)
	{
		memcpy(message, bytes, length);
		hash_short(with, message, length, (uint8 *) VARDATA(result));
		PG_RETURN_BYTEA_P(result);
	}
	if (part == 0)
		part = length;
	stratum_sha256_init(&context);
	context.compress = with;
	for (Size at = 0; at < length; at += part)
		stratum_sha256_update(&context, bytes + at, Min(part, length - at));
	stratum_sha256_final(&context, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
