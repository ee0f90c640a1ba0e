/*
 * conditions_regex.c
 *	  Regular expressions, at a bounded price: PostgreSQL's own, less what would make them slow.
 *
 * PostgreSQL runs an expression without back-references and look-around as an automaton, which reads a string
 * once, whatever the expression. What is left to bound is the size of the automaton: bounds within bounds,
 * (a{1,250}){1,250}, and what may be empty many times in a row, (a*){250}, have compiling it take minutes.
 * So its arcs are counted from the expression's text before it is compiled.
 *
 * The text is read here as regc_lex.c reads it. It may be counted as more than it is, or wrongly where it does
 * not compile, but not as less.
 */
#include "conditions.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"

#define MAX_PATTERN 1000		/* bytes */
#define MAX_STRING 10000		/* characters */
#define MAX_WORK 50000			/* arcs: compiling takes less than a second then */

/* Strings to this length need no memory. */
#define SHORT_STRING 256

#define HINT_PATTERN "Write it as \"^[a-z]+-[0-9]{4}$\": an advanced regular expression of PostgreSQL, " \
	"of at most 1000 bytes."
#define HINT_NO_BACK "Octal codes begin with \\0."
#define HINT_NO_LOOK "Use several conditions, and \"not\" groups."
#define HINT_NO_OPTION "What may stand at the beginning are options among c, i, m, n, p, s, t, w, as in (?i)."
#define HINT_SIMPLER "Use smaller bounds, and no bounds within bounds."

struct Regex
{
	regex_t		compiled;
	MemoryContextCallback callback;
};

/* --- arcs --- */

/*
 * A part of the automaton: the arcs within it, those that lead into it from each state before it, and the
 * states that others are reached from.
 */
typedef struct Part
{
	double		arcs;
	double		into;
	double		out;
	bool		may_be_empty;
} Part;

typedef struct Scan
{
	const Place *place;
	const pg_wchar *at;
	const pg_wchar *end;
	bool		seen[128];		/* characters that the expression names */
	int			nseen;			/* the others count each time */
	double		colors;			/* arcs of a class of characters: those that are told apart */
	double		work;			/* arcs of groups, which are compiled by themselves as well */
} Scan;

static const Part nothing = {0, 0, 0, true};

static Part
concatenate(Part a, Part b)
{
	Part		both;

	both.arcs = a.arcs + b.arcs + a.out * b.into;
	both.into = a.into + (a.may_be_empty ? b.into : 0);
	both.out = b.out + (b.may_be_empty ? a.out : 0);
	both.may_be_empty = a.may_be_empty && b.may_be_empty;
	return both;
}

static Part
alternate(Part a, Part b)
{
	return (Part) {a.arcs + b.arcs, a.into + b.into, a.out + b.out, a.may_be_empty || b.may_be_empty};
}

static Part
optional(Part part)
{
	part.may_be_empty = true;
	return part;
}

static Part
loop(Part part)
{
	part.arcs += part.out * part.into;
	return part;
}

/* From `least` to `most` times, `most` being 0 for any number, as regcomp.c puts the copies together. */
static Part
repeat(Part part, int least, int most)
{
	Part		all = part;

	if (most == 0)
	{
		/* with a group in it the copy that is captured is another one */
		all = least == 0 ? loop(part) : concatenate(optional(loop(part)), part);
		most = least;
	}
	for (int i = 1; i < most; i++)
		all = concatenate(i <= most - Max(least, 1) ? optional(all) : all, part);
	return least == 0 ? optional(all) : all;
}

/* --- reading --- */

static bool
sees(const Scan *scan, const char *string)
{
	const pg_wchar *at = scan->at;

	for (; *string != '\0'; string++)
	{
		if (at == scan->end || *at++ != (unsigned char) *string)
			return false;
	}
	return true;
}

static bool
sees_digit(const Scan *scan)
{
	return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

static bool
is_letter(pg_wchar c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
skip(Scan *scan, int count)
{
	scan->at += Min(count, scan->end - scan->at);
}

/* Moves behind the next `string`. */
static void
skip_through(Scan *scan, const char *string)
{
	while (scan->at < scan->end && !sees(scan, string))
		scan->at++;
	skip(scan, strlen(string));
}

static void
skip_comments(Scan *scan)
{
	while (sees(scan, "(?#"))
		skip_through(scan, ")");
}

/* At most what a bound may be. */
static int
read_bound(Scan *scan)
{
	int			number = 0;

	for (; sees_digit(scan); scan->at++)
		number = Min(number * 10 + (int) (*scan->at - '0'), 256);
	return number;
}

static void
note_character(Scan *scan, pg_wchar c)
{
	if (c >= 128 || !scan->seen[c])
		scan->nseen++;
	if (c < 128)
		scan->seen[c] = true;
}

static Part
character_class(const Scan *scan)
{
	return (Part) {0, scan->colors, 1, false};
}

/* What is asked of a place between characters. Many of them at one place multiply, so they count for more. */
static Part
constraint(const Scan *scan)
{
	return (Part) {scan->colors, 16 + scan->colors, 16, true};
}

/* Behind a backslash. */
static Part
read_escape(Scan *scan)
{
	pg_wchar	c;

	if (scan->at == scan->end)
		return nothing;
	c = *scan->at++;
	if (c >= '1' && c <= '9')
		stratum_refuse(scan->place, HINT_NO_BACK, "\"matches\" takes no back-references");
	if (c == 'c')
		skip(scan, 1);
	if (c < 128 && c != 0 && strchr("AmMyYZ", (int) c) != NULL)
		return constraint(scan);
	if (c < 128 && c != 0 && strchr("dDsSwW", (int) c) != NULL)
		return character_class(scan);
	note_character(scan, c);
	return (Part) {0, 1, 1, false};
}

/* A character, or an escape, between brackets. */
static void
read_member(Scan *scan)
{
	if (sees(scan, "\\"))
		skip(scan, sees(scan, "\\c") ? 2 : 1);
	if (scan->at < scan->end)
		note_character(scan, *scan->at++);
}

/* Behind a bracket that opens. */
static Part
read_bracket(Scan *scan)
{
	if (sees(scan, "[:<:]]") || sees(scan, "[:>:]]"))
	{
		skip(scan, 6);
		return constraint(scan);
	}
	if (sees(scan, "^"))
		skip(scan, 1);
	if (sees(scan, "]"))
		read_member(scan);
	while (scan->at < scan->end && !sees(scan, "]"))
	{
		if (sees(scan, "[."))
			skip_through(scan, ".]");
		else if (sees(scan, "[="))
			skip_through(scan, "=]");
		else if (sees(scan, "[:"))
			skip_through(scan, ":]");
		else
			read_member(scan);
	}
	skip(scan, 1);
	return character_class(scan);
}

static Part read_alternatives(Scan *scan);

/* Behind a parenthesis that opens. */
static Part
read_group(Scan *scan)
{
	Part		group;

	if (sees(scan, "?=") || sees(scan, "?!") || sees(scan, "?<"))
		stratum_refuse(scan->place, HINT_NO_LOOK, "\"matches\" takes no look-ahead or look-behind");
	if (sees(scan, "?:"))
		skip(scan, 2);
	group = read_alternatives(scan);
	skip(scan, 1);
	scan->work += group.arcs;
	return group;
}

static Part
read_atom(Scan *scan)
{
	pg_wchar	c = *scan->at++;

	switch (c)
	{
		case '(':
			return read_group(scan);
		case '[':
			return read_bracket(scan);
		case '\\':
			return read_escape(scan);
		case '^':
		case '$':
			return constraint(scan);
		case '.':
			return character_class(scan);
		default:
			note_character(scan, c);
			return (Part) {0, 1, 1, false};
	}
}

static Part
read_quantified(Scan *scan)
{
	Part		atom = read_atom(scan);
	int			least,
				most;

	skip_comments(scan);
	if (sees(scan, "{"))
	{
		skip(scan, 1);
		if (!sees_digit(scan))
		{
			scan->at--;
			return atom;
		}
		least = most = read_bound(scan);
		if (sees(scan, ","))
		{
			skip(scan, 1);
			most = sees_digit(scan) ? read_bound(scan) : 0;
		}
		else if (least == 0)
			atom = nothing;
	}
	else if (sees(scan, "*") || sees(scan, "+"))
	{
		least = sees(scan, "+");
		most = 0;
	}
	else if (sees(scan, "?"))
	{
		least = 0;
		most = 1;
	}
	else
		return atom;
	skip(scan, 1);
	if (sees(scan, "?"))
		skip(scan, 1);
	return repeat(atom, least, most);
}

static Part
read_alternatives(Scan *scan)
{
	Part		all = nothing;
	Part		branch = nothing;
	bool		is_first = true;

	check_stack_depth();
	for (;;)
	{
		skip_comments(scan);
		if (scan->at < scan->end && *scan->at != '|' && *scan->at != ')')
		{
			branch = concatenate(branch, read_quantified(scan));
			continue;
		}
		all = is_first ? branch : alternate(all, branch);
		if (!sees(scan, "|"))
			return all;
		skip(scan, 1);
		is_first = false;
		branch = nothing;
	}
}

/* What may stand before the expression and changes how it is read. */
static void
read_options(Scan *scan)
{
	if (sees(scan, "***"))
		stratum_refuse(scan->place, HINT_NO_OPTION, "\"matches\" takes no expression that begins with \"***\"");
	if (!sees(scan, "(?") || scan->end - scan->at < 3 || !is_letter(scan->at[2]))
		return;
	for (skip(scan, 2); scan->at < scan->end && is_letter(*scan->at); scan->at++)
	{
		if (strchr("cimnpstw", (int) *scan->at) == NULL)
			stratum_refuse(scan->place, HINT_NO_OPTION, "\"matches\" takes no option \"%c\"", (int) *scan->at);
	}
	skip(scan, 1);
}

/* Refuses what would take too long to compile, or to run. */
static void
check_pattern(const Place *place, const pg_wchar *pattern, int length)
{
	Scan		scan = {.place = place, .at = pattern, .end = pattern + length};
	Part		all;

	read_options(&scan);
	pattern = scan.at;
	read_alternatives(&scan);
	/* now it is known how many characters are told apart */
	scan.at = pattern;
	scan.colors = scan.nseen + 2;
	scan.work = 0;
	all = read_alternatives(&scan);
	/* not "greater": counts may have become infinite, or none at all */
	if (!(all.arcs + all.into + scan.work <= MAX_WORK))
		stratum_refuse(place, HINT_SIMPLER, "the regular expression is too complex");
}

/* --- compiling and running --- */

static void
free_regex(void *argument)
{
	pg_regfree(&((Regex *) argument)->compiled);
}

static void
refuse_for_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Failed to compile or run a regular expression.")));
}

static void
refuse_regex(const Place *place, int error, const Regex *regex)
{
	char		message[100];

	/* compiling may have been cancelled */
	CHECK_FOR_INTERRUPTS();
	if (error == REG_ESPACE)
		refuse_for_memory();
	pg_regerror(error, &regex->compiled, message, sizeof(message));
	stratum_refuse(place, HINT_PATTERN, "invalid regular expression: %s", message);
}

/*
 * Compiles the expression of a "matches", or refuses it. It lives as long as the current memory context: before
 * version 16 the memory within is malloc's, so it is freed by a callback.
 */
Regex *
stratum_regex_create(const Place *place, const Value *pattern)
{
	Regex	   *regex = palloc0(sizeof(Regex));
	pg_wchar	wide[MAX_PATTERN + 1];
	int			length;
	int			error;

	if (pattern->length > MAX_PATTERN)
		stratum_refuse(place, HINT_PATTERN, "the regular expression is longer than %d bytes", MAX_PATTERN);
	length = pg_mb2wchar_with_len(pattern->of.string, wide, pattern->length);
	check_pattern(place, wide, length);
	error = pg_regcomp(&regex->compiled, wide, length, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID);
	if (error != REG_OKAY)
		refuse_regex(place, error, regex);
	regex->callback.func = free_regex;
	regex->callback.arg = regex;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &regex->callback);
	if (regex->compiled.re_info & (REG_UBACKREF | REG_ULOOKAROUND))
		stratum_refuse(place, HINT_NO_LOOK, "\"matches\" takes no back-references and no look-around");
	return regex;
}

/*
 * Whether the expression is found in a string. Without the memory to look for it there is no answer: "no" would be
 * a wrong one.
 */
bool
stratum_regex_matches(Regex *regex, const Value *value)
{
	pg_wchar	short_string[SHORT_STRING + 1];
	pg_wchar   *wide = short_string;
	int			length;
	int			result = REG_NOMATCH;

	if (value->kind != VALUE_STRING || value->length > MAX_STRING * pg_database_encoding_max_length())
		return false;
	if (value->length > SHORT_STRING)
		wide = palloc((value->length + 1) * sizeof(pg_wchar));
	length = pg_mb2wchar_with_len(value->of.string, wide, value->length);
	if (length <= MAX_STRING)
		result = pg_regexec(&regex->compiled, wide, length, 0, NULL, 0, NULL, 0);
	if (wide != short_string)
		pfree(wide);
	/* it may have been cancelled */
	if (result != REG_OKAY && result != REG_NOMATCH)
		CHECK_FOR_INTERRUPTS();
	if (result == REG_ESPACE)
		refuse_for_memory();
	return result == REG_OKAY;
}
