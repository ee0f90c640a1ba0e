/*
 * audit_size.c
 *	  Whether jsonb can be written as text, and so dumped, sent and sealed.
 *
 * PostgreSQL makes no string of a gigabyte or more. Jsonb is smaller than its text: a control character
 * becomes six, and a number such as 1e131071 takes some ten bytes and 131,072 digits. So a small value may have no
 * text. Such an entry would be in the way of every dump of the log.
 */
#include "audit.h"

#include "conditions.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Whatever jsonb of so many bytes holds has less text than that: at worst numbers, of 12 bytes with their entry. */
#define LONGEST_NUMBER (131072 + 16383 + 2)
#define SAFE_SIZE (MaxAllocSize / LONGEST_NUMBER * 12)

/* A buffer asks for a little more than it needs. */
#define MOST_TEXT (MaxAllocSize - 64)

/* Of the other columns of an entry, as COPY writes them. */
#define ROOM_BESIDE (64 * 1024)

/* Characters of a text, and those of them that COPY doubles. */
typedef struct TextSize
{
	Size		length;
	Size		backslashes;
} TextSize;

/* --- measuring --- */

static void
add_string(TextSize *size, const char *string, int length)
{
	size->length += (Size) length + 2;
	for (int i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) string[i];
		int			more = 0;

		if (c == '"' || c == '\\' || c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t')
			more = 1;
		else if (c < ' ')
			more = 5;
		size->length += more;
		size->backslashes += c == '\\' ? 2 : more > 0;
	}
}

static void
add_scalar(TextSize *size, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			add_string(size, value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			size->length += stratum_numeric_text_size(value->val.numeric);
			break;
		case jbvBool:
			size->length += value->val.boolean ? 4 : 5;
			break;
		default:
			size->length += 4;
	}
}

/*
 * Adds the text of `json` as PostgreSQL writes it, or a little more: two characters around members, two after each. It
 * stops once there is more than can be.
 */
static void
add_json(TextSize *size, Jsonb *json)
{
	JsonbIterator *iterator = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while (size->length <= MOST_TEXT && (token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_BEGIN_ARRAY || token == WJB_BEGIN_OBJECT)
			size->length += 4;
		else if (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM)
		{
			add_scalar(size, &value);
			size->length += 2;
		}
	}
}

/* --- what it is asked for --- */

/* Whether PostgreSQL can write it as text. */
bool
stratum_json_has_text(Jsonb *json)
{
	TextSize	size = {0};

	if (VARSIZE(json) <= SAFE_SIZE)
		return true;
	add_json(&size, json);
	return size.length <= MOST_TEXT;
}

/* Refuses an entry that COPY could not write in one line. */
void
stratum_check_entry_size(Jsonb *const *values, int count)
{
	TextSize	size = {0};
	Size		bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += values[i] != NULL ? VARSIZE(values[i]) : 0;
	/* a backslash in each pair of characters, at most */
	if (bytes <= SAFE_SIZE / 2)
		return;
	for (int i = 0; i < count; i++)
	{
		if (values[i] != NULL)
			add_json(&size, values[i]);
	}
	if (size.length + size.backslashes > MOST_TEXT - ROOM_BESIDE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("row is too large for the audit trail"),
				 errdetail("Its values as text would not fit into a line of %zu bytes.",
						   (Size) (MOST_TEXT - ROOM_BESIDE))));
}
