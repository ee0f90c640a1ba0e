/*
 * hash.h
 *	  Bytes, characters and SHA-256 for the hashing functions.
 */
#ifndef STRATUM_HASH_H
#define STRATUM_HASH_H

#include "stratum.h"

/* Text that somebody else owns; "length" is 0 where nothing is left of it. */
typedef struct Span
{
	const unsigned char *bytes;
	Size		length;
} Span;

/* Blank, tab, newline, vertical tab, form feed, carriage return; no locale is asked. */
static inline bool
is_blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- hash.c --- */
extern Span stratum_trim(const unsigned char *bytes, Size length);
extern bool stratum_copy_folded(unsigned char *to, const unsigned char *from, Size length);
extern text *stratum_sha256_hex(const unsigned char *utf8, Size length);
extern bool stratum_must_convert(void);

/* --- text_fold.c --- */
#define STRATUM_NO_CHARACTER 0xFFFFFFFFU

extern int	stratum_read_character(const unsigned char *utf8, Size length, uint32 *character);
extern uint32 stratum_fold_character(uint32 character);
extern bool stratum_is_blank_character(uint32 character);
extern bool stratum_is_punctuation(uint32 character);

/* --- audience_normalize.c --- */

/*
 * Writes what a platform matches on to "out" (room: length + 1 bytes) and returns its length; 0 if
 * the value cannot be matched. The value is UTF-8 and has no blanks at its ends.
 */
typedef Size (*Normalizer) (const unsigned char *value, Size length, unsigned char *out);

extern Size stratum_as_written(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_lower_ascii(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_email_google(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_email_tiktok(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_phone_digits(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_phone_e164(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_name_spaced(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_name_plain(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_name_joined(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_us_state(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_zip(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_country_lower(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_country_upper(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_date_of_birth(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_gender(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_mobile_ad_id(const unsigned char *value, Size length, unsigned char *out);
extern Size stratum_mobile_ad_id_lower(const unsigned char *value, Size length, unsigned char *out);

#endif							/* STRATUM_HASH_H */
