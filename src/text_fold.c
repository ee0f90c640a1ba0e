/*
 * text_fold.c
 *	  Letter case and character classes of UTF-8 text, the same in every database.
 *
 * PostgreSQL's lower() asks the collation, so the hash of a name would depend on how the database
 * was made. This table does not: Latin with its extensions (western and eastern Europe, Turkish,
 * Vietnamese, Romanian), Greek, Cyrillic, Armenian and full-width letters. One character becomes
 * one character, never a longer one; other scripts stay as they are.
 */
#include "hash.h"

#include "mb/pg_wchar.h"

/*
 * Capitals from "first" to "last", each "step" characters from the next, become the letter that is
 * "distance" further on.
 */
typedef struct Capitals
{
	uint32		first;
	uint32		last;
	int			step;
	int			distance;
} Capitals;

/* In ascending order. */
static const Capitals capitals[] = {
	{0x0041, 0x005A, 1, 32},	/* A-Z */
	{0x00C0, 0x00D6, 1, 32},	/* Latin-1 */
	{0x00D8, 0x00DE, 1, 32},
	{0x0100, 0x012E, 2, 1},		/* Latin Extended-A */
	{0x0130, 0x0130, 1, 0x69 - 0x130},	/* capital I with a dot: i */
	{0x0132, 0x0136, 2, 1},
	{0x0139, 0x0147, 2, 1},
	{0x014A, 0x0176, 2, 1},
	{0x0178, 0x0178, 1, 0xFF - 0x178},
	{0x0179, 0x017D, 2, 1},
	{0x01A0, 0x01A0, 1, 1},		/* Latin Extended-B, what names need of it */
	{0x01AF, 0x01AF, 1, 1},
	{0x01CD, 0x01DB, 2, 1},
	{0x01DE, 0x01EE, 2, 1},
	{0x01F8, 0x021E, 2, 1},
	{0x0222, 0x0232, 2, 1},
	{0x0386, 0x0386, 1, 38},	/* Greek */
	{0x0388, 0x038A, 1, 37},
	{0x038C, 0x038C, 1, 64},
	{0x038E, 0x038F, 1, 63},
	{0x0391, 0x03A1, 1, 32},
	{0x03A3, 0x03AB, 1, 32},
	{0x0400, 0x040F, 1, 80},	/* Cyrillic */
	{0x0410, 0x042F, 1, 32},
	{0x0460, 0x0480, 2, 1},
	{0x048A, 0x04BE, 2, 1},
	{0x04C0, 0x04C0, 1, 15},
	{0x04C1, 0x04CD, 2, 1},
	{0x04D0, 0x052E, 2, 1},
	{0x0531, 0x0556, 1, 48},	/* Armenian */
	{0x1E00, 0x1E94, 2, 1},		/* Latin Extended Additional */
	{0x1E9E, 0x1E9E, 1, 0xDF - 0x1E9E},
	{0x1EA0, 0x1EFE, 2, 1},
	{0xFF21, 0xFF3A, 1, 32},	/* full width */
};

/* Small letter of a capital; any other character itself. */
uint32
stratum_fold_character(uint32 character)
{
	int			low = 0;
	int			high = lengthof(capitals) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		const Capitals *range = &capitals[middle];

		if (character < range->first)
			high = middle - 1;
		else if (character > range->last)
			low = middle + 1;
		else if ((character - range->first) % range->step == 0)
			return character + range->distance;
		else
			break;
	}
	return character;
}

/*
 * Reads the first character and returns its length in bytes. Where the bytes are not UTF-8 it is
 * STRATUM_NO_CHARACTER of one byte, which callers copy as it is.
 */
int
stratum_read_character(const unsigned char *utf8, Size length, uint32 *character)
{
	int			size = pg_utf_mblen(utf8);

	if (utf8[0] < 0x80)
	{
		*character = utf8[0];
		return 1;
	}
	if ((Size) size > length || !pg_utf8_islegal(utf8, size))
	{
		*character = STRATUM_NO_CHARACTER;
		return 1;
	}
	*character = utf8_to_unicode(utf8);
	return size;
}

/* White space, the wider and the zero-width ones too. */
bool
stratum_is_blank_character(uint32 character)
{
	return (character < 0x80 && is_blank((unsigned char) character)) ||
		character == 0x0085 || character == 0x00A0 || character == 0x1680 ||
		(character >= 0x2000 && character <= 0x200D) ||
		character == 0x2028 || character == 0x2029 || character == 0x202F ||
		character == 0x205F || character == 0x2060 || character == 0x3000 ||
		character == 0xFEFF;
}

/* Punctuation and signs: ASCII, Latin-1, General Punctuation, CJK. */
bool
stratum_is_punctuation(uint32 character)
{
	return (character >= '!' && character <= '/') ||
		(character >= ':' && character <= '@') ||
		(character >= '[' && character <= '`') ||
		(character >= '{' && character <= '~') ||
		(character >= 0x00A1 && character <= 0x00BF &&
		 character != 0x00AA && character != 0x00B5 && character != 0x00BA) ||
		(character >= 0x2010 && character <= 0x2027) ||
		(character >= 0x2030 && character <= 0x205E) ||
		(character >= 0x3001 && character <= 0x3003) ||
		(character >= 0x3008 && character <= 0x301F);
}
