/*
 * generate.c
 *	  Random texts in the grammar of conditions, right or nearly so.
 *
 * The pools hold what is at a limit, or looks like something else: so a mutation is worth trying.
 */
#include "fuzz.h"

#include <string.h>

#define PICK(pool) (pool[fuzz_below(sizeof(pool) / sizeof(pool[0]))])

static const char *const operators[] = {"equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with",
	"greater_than", "less_than", "greater_or_equal", "gte", "less_or_equal", "lte", "between", "in", "not_in", "is_null",
	"is_not_null", "before", "after", "within_last", "contains_any", "contains_all", "within_next", "not_within_last",
	"anniversary_within", "in_sample", "matches", "MATCHES", "nope"};

static const char *const fields[] = {"\"trait.a\"", "\"trait.a.b\"", "[\"trait\", \"a.b\"]", "[\"trait\", \"\"]", "\"computed.a\"",
	"\"consent.email\"", "\"profile.email\"", "\"profile.id\"", "\"profile.created_at\"", "\"profile.lifecycle_stage\"", "\"profile.canonical_id\"",
	"\"profile.traits.a\"", "\"identifier.email\"", "\"identifier.phone\"", "\"event.A.count\"", "\"event.A.exists\"", "\"event.A.first\"",
	"\"event.A.last\"", "\"event.A.first_time\"", "\"event.A.property.p\"", "\"event.A.sum.p\"", "\"event.A.avg.p.q\"", "\"event.B.min.p\"",
	"\"event.B.max.p\"", "[\"event\", \"a.b\", \"count\"]", "\"segment.rich\"", "\"segment.1\"", "\"segment.both\"", "\"property.p\"",
	"\"context.p\"", "\"spend\"", "\"cpc\"", "\"conversion_rate\"", "\"campaign.name\"", "\"campaign.raw_data.x\"", "\"status\"",
	"\"trait.é.😀\"", "\"trait..a\"", "\"event.A\"", "\"profile.nope\"", "5", "[]", "null"};

static const char *const numbers[] = {"0", "1", "-1", "0.5", "7", "100", "100.00", "366", "1e3", "1E-3", "-0", "-0.0", "1e1000", "1e-1000",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999", "100000000", "0.0001", "9999.9999", "10000",
	"1e400", "123456789012345678901234567890.123456789", "4294967296", "2147483648", "1e5000", "5e-324", "1.7976931348623157e308"};

static const char *const strings[] = {"", "a", "A", "abc", "vip", "1", "1.0", "1e2", "-0", "1e1000", "1e1001", "1e99999999999", "true", "null", "é", "É",
	"日本", "😀", "\\u0041", "\\ud83d\\ude00", "\\n", "\\\"", "\\\\", "2024-01-15", "2024-02-29", "2023-02-29", "2024-01-15T10:00:00Z",
	"2024-01-15T23:59:60.9999999+15:59", "0001-01-01", "9999-12-31T24:00:00", "0000-01-01", "2024-01-15T10:00:00-15:59", "infinity", "now",
	"rich", "A.b", "..", "100%", "a_b", "NaN", "0x10", " 5", "00000000-0000-0000-0000-000000000001", "a@example.com"};

static const char *const patterns[] = {"^a.*b$", "(a|b)+", "[a-z]{2,5}", "(?i)abc", "a{1,250}", "(a{1,20}){1,20}", "(a*)*", "((((a))))", "[[:alpha:]]+",
	"[^[:space:]]", "\\\\d+\\\\.\\\\d", "\\\\y\\\\w+\\\\M", "(?:x|)y?", "***:a", "***=a.", "(?b)\\\\(a\\\\)", "[[.hyphen.]]", "[[=e=]]", "a{2,}?", "(a)\\\\1", "(?=a)",
	"\\\\u00e9", "\\\\x{41}", "[]a]", "[^]]", "(", "a{1", "x*?y+?", "(?#c)a", "[a-", "[\\u4e00-\\u9fff]", "(|a){9}", "^^$$", "\\\\", "(?n)^a$", "[[:<:]]a[[:>:]]", ".{0,255}.{0,255}"};

static const char *const keys[] = {"logic", "conditions", "groups", "field", "operator", "value", "within_days", "since", "until", "where", "sequence", "event",
	"then_not", "a", "b", "p", "q", "", "type", "percent", "label", "name", "iss", "sub", "exp", "nbf", "aud", "tenant_id", "alg", "kid", "event_name", "properties",
	"identifiers", "timestamp", "message_id", "email", "a.b"};

static const char *const letters = "vctsewrijJnSamxyzqpgkd";

/* --- chance --- */

static uint32_t state = 1;

void
fuzz_seed(uint32_t seed)
{
	state = seed * 2654435761u | 1;
}

unsigned int
fuzz_below(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return (state >> 4) % n;
}

/* --- texts --- */

void
fuzz_put_bytes(Text *text, const char *bytes, size_t length)
{
	if (length > text->room - text->length)
		length = text->room - text->length;
	memcpy(text->at + text->length, bytes, length);
	text->length += length;
}

void
fuzz_put(Text *text, const char *string)
{
	fuzz_put_bytes(text, string, strlen(string));
}

static void
put_string(Text *text, const char *string)
{
	fuzz_put(text, "\"");
	fuzz_put(text, string);
	fuzz_put(text, "\"");
}

void
fuzz_put_key(Text *text)
{
	put_string(text, PICK(keys));
}

/* "[x, x, ...]" of zero to `most` values */
static void
put_list(Text *text, unsigned int most, int depth)
{
	fuzz_put(text, "[");
	for (unsigned int i = 0, count = fuzz_below(most + 1); i < count; i++)
	{
		fuzz_put(text, i > 0 ? ", " : "");
		fuzz_put_value(text, depth - 1);
	}
	fuzz_put(text, "]");
}

static void
put_object(Text *text, int depth)
{
	fuzz_put(text, "{");
	for (unsigned int i = 0, count = fuzz_below(4); i < count; i++)
	{
		fuzz_put(text, i > 0 ? ", " : "");
		fuzz_put_key(text);
		fuzz_put(text, ": ");
		fuzz_put_value(text, depth - 1);
	}
	fuzz_put(text, "}");
}

void
fuzz_put_value(Text *text, int depth)
{
	switch (fuzz_below(depth > 0 ? 10 : 7))
	{
		case 0:
		case 1:
			fuzz_put(text, PICK(numbers));
			break;
		case 2:
		case 3:
		case 4:
			put_string(text, PICK(strings));
			break;
		case 5:
			put_string(text, PICK(patterns));
			break;
		case 6:
			fuzz_put(text, fuzz_below(3) == 0 ? "null" : fuzz_below(2) ? "true" : "false");
			break;
		case 7:
		case 8:
			put_list(text, 4, depth);
			break;
		default:
			put_object(text, depth);
	}
}

/* A value that goes with the operator, mostly. */
static void
put_operand(Text *text, const char *operator, int depth)
{
	if (fuzz_below(10) == 0)
		fuzz_put_value(text, depth);
	else if (strstr(operator, "atches") != NULL)
		put_string(text, PICK(patterns));
	else if (strstr(operator, "between") != NULL)
	{
		fuzz_put(text, "[");
		fuzz_put(text, PICK(numbers));
		fuzz_put(text, ", ");
		fuzz_put(text, PICK(numbers));
		fuzz_put(text, "]");
	}
	else if (strcmp(operator, "in") == 0 || strcmp(operator, "not_in") == 0 || strncmp(operator, "contains_a", 10) == 0)
		put_list(text, 12, depth);
	else if (strstr(operator, "within") != NULL || strstr(operator, "than") != NULL || strcmp(operator, "in_sample") == 0)
		fuzz_put(text, PICK(numbers));
	else if (strcmp(operator, "before") == 0 || strcmp(operator, "after") == 0)
		put_string(text, strings[23 + fuzz_below(8)]);
	else
		fuzz_put_value(text, depth);
}

/* What narrows down the events. */
static void
put_filter(Text *text, int depth)
{
	if (fuzz_below(3) == 0)
	{
		fuzz_put(text, ", \"within_days\": ");
		fuzz_put(text, PICK(numbers));
	}
	if (fuzz_below(6) == 0)
		fuzz_put(text, ", \"since\": \"2024-01-15\"");
	if (fuzz_below(6) == 0)
		fuzz_put(text, ", \"until\": \"2124-01-15T10:00:00Z\"");
	if (depth > 0 && fuzz_below(4) == 0)
	{
		fuzz_put(text, ", \"where\": ");
		fuzz_put_definition(text, depth - 1);
	}
}

static void
put_sequence(Text *text, int depth)
{
	unsigned int count = 1 + fuzz_below(5);

	fuzz_put(text, "{\"sequence\": [");
	for (unsigned int i = 0; i < count; i++)
	{
		fuzz_put(text, i > 0 ? ", {" : "{");
		fuzz_put(text, i + 1 == count && fuzz_below(3) == 0 ? "\"then_not\": " : "\"event\": ");
		put_string(text, fuzz_below(2) ? "A" : "B");
		put_filter(text, depth);
		fuzz_put(text, "}");
	}
	fuzz_put(text, "]}");
}

void
fuzz_put_condition(Text *text, int depth)
{
	const char *operator = PICK(operators);

	if (fuzz_below(8) == 0)
	{
		put_sequence(text, depth);
		return;
	}
	fuzz_put(text, "{\"field\": ");
	fuzz_put(text, PICK(fields));
	fuzz_put(text, ", \"operator\": ");
	put_string(text, operator);
	fuzz_put(text, ", \"value\": ");
	put_operand(text, operator, depth);
	if (fuzz_below(4) == 0)
		put_filter(text, depth);
	fuzz_put(text, "}");
}

void
fuzz_put_definition(Text *text, int depth)
{
	unsigned int conditions = fuzz_below(4);
	unsigned int groups = depth > 0 ? fuzz_below(3) : 0;

	fuzz_put(text, fuzz_below(3) == 0 ? "{\"logic\": \"or\"" : fuzz_below(3) == 0 ? "{\"logic\": \"not\"" : "{\"logic\": \"and\"");
	fuzz_put(text, ", \"conditions\": [");
	for (unsigned int i = 0; i < conditions; i++)
	{
		fuzz_put(text, i > 0 ? ", " : "");
		fuzz_put_condition(text, depth);
	}
	fuzz_put(text, "], \"groups\": [");
	for (unsigned int i = 0; i < groups; i++)
	{
		fuzz_put(text, i > 0 ? ", " : "");
		fuzz_put_definition(text, depth - 1);
	}
	fuzz_put(text, "]}");
}

/* A whole input: its target, a definition, and what it is asked about. */
void
fuzz_put_input(Text *text)
{
	fuzz_put_bytes(text, &letters[fuzz_below(strlen(letters))], 1);
	fuzz_put_definition(text, 3);
	fuzz_put(text, "\n");
	fuzz_put_value(text, 4);
}
