/*
 * mutate.c
 *	  Mutations that know what JSON is: values are exchanged, doubled, wrapped, replaced by others of the grammar.
 *
 * The text need not be right: the scan takes what looks like a value.
 */
#include "fuzz.h"

#include <string.h>

#define MAX_SPANS 1024
#define MAX_OPEN 200
#define MAX_TEXT 65536

/* A value, or a key, from `start` to before `end`. */
typedef struct Span
{
	size_t		start;
	size_t		end;
	bool		is_key;
	bool		in_array;
} Span;

typedef struct Scan
{
	const char *text;
	size_t		length;
	int			count;
	Span		spans[MAX_SPANS];
	int			nopen;
	int			open[MAX_OPEN];	/* spans that have begun and not ended */
} Scan;

/* --- reading --- */

static int
add_span(Scan *scan, size_t start, size_t end)
{
	Span	   *span = &scan->spans[scan->count];

	span->start = start;
	span->end = end;
	span->is_key = false;
	span->in_array = scan->nopen > 0 && scan->text[scan->spans[scan->open[scan->nopen - 1]].start] == '[';
	return scan->count++;
}

/* From a quotation mark to behind the next one. */
static size_t
string_end(const Scan *scan, size_t at)
{
	for (at++; at < scan->length && scan->text[at] != '"'; at++)
	{
		if (scan->text[at] == '\\')
			at++;
	}
	return at < scan->length ? at + 1 : scan->length;
}

static size_t
word_end(const Scan *scan, size_t at)
{
	while (at < scan->length && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", scan->text[at]) != NULL && scan->text[at] != '\0')
		at++;
	return at;
}

static void
find_spans(Scan *scan)
{
	for (size_t at = 0; at < scan->length && scan->count < MAX_SPANS;)
	{
		char		c = scan->text[at];
		size_t		end = at + 1;

		if ((c == '{' || c == '[') && scan->nopen < MAX_OPEN)
		{
			int			span = add_span(scan, at, scan->length);

			scan->open[scan->nopen++] = span;
		}
		else if ((c == '}' || c == ']') && scan->nopen > 0)
			scan->spans[scan->open[--scan->nopen]].end = end;
		else if (c == ':' && scan->count > 0)
			scan->spans[scan->count - 1].is_key = true;
		else if (c == '"')
			add_span(scan, at, end = string_end(scan, at));
		else if (word_end(scan, at) > at)
			add_span(scan, at, end = word_end(scan, at));
		at = end;
	}
}

/* --- changes: each writes what stands in the place of a span --- */

static void
put_span(Text *text, const Scan *scan, const Span *span)
{
	fuzz_put_bytes(text, scan->text + span->start, span->end - span->start);
}

static void
put_other(Text *text)
{
	switch (fuzz_below(6))
	{
		case 0:
		case 1:
			fuzz_put_condition(text, 2);
			break;
		case 2:
			fuzz_put_definition(text, 2);
			break;
		default:
			fuzz_put_value(text, 3);
	}
}

static void
put_wrapped(Text *text, const Scan *scan, const Span *span)
{
	static const char *const before[] = {"[", "{\"groups\": [", "{\"logic\": \"not\", \"groups\": [", "{\"a\": ", "{\"conditions\": [", "\""};
	static const char *const behind[] = {"]", "]}", "]}", "}", "]}", "\""};
	unsigned int how = fuzz_below(6);

	fuzz_put(text, before[how]);
	put_span(text, scan, span);
	fuzz_put(text, behind[how]);
}

/* The inside of a string, changed by libFuzzer, which knows what the code compares with. */
static void
put_mutated_string(Text *text, const Scan *scan, const Span *span)
{
	uint8_t		inside[4096];
	size_t		length = span->end - span->start - 2;

	if (span->end - span->start < 2 || length > sizeof(inside) / 2)
	{
		put_other(text);
		return;
	}
	memcpy(inside, scan->text + span->start + 1, length);
	length = LLVMFuzzerMutate(inside, length, sizeof(inside));
	fuzz_put(text, "\"");
	for (size_t i = 0; i < length; i++)
	{
		if (inside[i] >= ' ' && inside[i] != '"')
			fuzz_put_bytes(text, (char *) &inside[i], 1);
	}
	fuzz_put(text, "\"");
}

static void
put_changed(Text *text, const Scan *scan, const Span *span)
{
	if (span->is_key && fuzz_below(4) > 0)
	{
		fuzz_put_key(text);
		return;
	}
	switch (fuzz_below(6))
	{
		case 0:
			put_wrapped(text, scan, span);
			break;
		case 1:
			put_span(text, scan, &scan->spans[fuzz_below(scan->count)]);
			break;
		case 2:
			put_span(text, scan, span);
			if (span->in_array)
			{
				fuzz_put(text, ", ");
				put_other(text);
			}
			break;
		case 3:
			if (scan->text[span->start] == '"')
			{
				put_mutated_string(text, scan, span);
				break;
			}
			/* FALLTHROUGH */
		default:
			put_other(text);
	}
}

/* --- the mutator --- */

/* In one of two inputs of an array's elements one is left away, with its comma. */
static size_t
without(const Scan *scan, const Span *span)
{
	size_t		end = span->end;

	while (end < scan->length && (scan->text[end] == ' ' || scan->text[end] == ','))
		end++;
	return end;
}

static size_t
mutate_structure(const Scan *scan, uint8_t *data, size_t max_size)
{
	static char room[MAX_TEXT];
	Text		text = {room, 0, max_size < MAX_TEXT ? max_size : MAX_TEXT};
	const Span *span = &scan->spans[fuzz_below(scan->count)];
	size_t		end = span->end;

	fuzz_put_bytes(&text, scan->text, span->start);
	if (span->in_array && fuzz_below(8) == 0)
		end = without(scan, span);
	else
		put_changed(&text, scan, span);
	fuzz_put_bytes(&text, scan->text + end, scan->length - end);
	memcpy(data, text.at, text.length);
	return text.length;
}

/* Called by libFuzzer for each new input, instead of its own mutations, to which some are left. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static Scan scan;
	static char copy[MAX_TEXT];
	Text		fresh = {(char *) data, 0, max_size};

	fuzz_seed(seed);
	if (fuzz_below(4) == 0 || size > MAX_TEXT)
		return LLVMFuzzerMutate(data, size, max_size);
	if (fuzz_below(100) == 0)
	{
		fuzz_put_input(&fresh);
		return fresh.length;
	}
	memcpy(copy, data, size);
	scan.text = copy;
	scan.length = size;
	scan.count = scan.nopen = 0;
	find_spans(&scan);
	return scan.count == 0 ? LLVMFuzzerMutate(data, size, max_size) : mutate_structure(&scan, data, max_size);
}
