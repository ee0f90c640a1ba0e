/*
 * conditions_segment.c
 *	  Segments in the definitions of others: the field segment.<slug or id>.
 *
 * Before such a definition is evaluated, the definitions of the segments it asks about are put in the places of
 * these conditions. What comes out asks about no segment any more, and all that makes definitions fast holds for it:
 * indexes, shared predicates, one pass over the events. Segments are those of one tenant, as they are stored at
 * that moment; a segment that would contain itself is refused.
 */
#include "conditions.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

/* Definitions put into one, and the bytes that it may grow to: each level can double both. */
#define MAX_INSERTED 1000
#define MAX_SIZE (16 * 1024 * 1024)

#define HINT_SEGMENT "Write it as segment.<slug> or segment.<id>; " \
	"a slug with a dot goes into an array: [\"segment\", \"a.b\"]."
#define HINT_UNKNOWN "Segments are named by their slug or id; they must be stored before others can ask about them."
#define HINT_CYCLE "Take one of the references out."

/* True of nobody, without looking at anything that a profile can lack. */
#define NOBODY "{\"conditions\": [{\"field\": \"profile.id\", \"operator\": \"in\", \"value\": []}]}"

bool		stratum_lookup_failed = false;

typedef struct Segment
{
	int64		id;
	Jsonb	   *definition;
} Segment;

/* A segment whose definition is being put in, and the one that it is put into. */
typedef struct Level
{
	const struct Level *outer;
	int64		id;				/* 0: a definition that is not stored */
} Level;

typedef struct Expansion
{
	const SegmentScope *scope;
	Place		place;			/* of the condition of the outermost definition that asks */
	int			inserted;
	int			depth;			/* of the group that is being written */
	StringInfoData text;
} Expansion;

static void write_group(Expansion *expansion, const Value *group, const Place *place, const Level *level);

/* --- the field --- */

/* segment.<slug or id> */
void
stratum_read_segment_field(Parser *parser, const Place *place, const Pieces *name, Field *field)
{
	if (name->count != 2 || name->pieces[1].length == 0)
		stratum_refuse_field(place, name, HINT_SEGMENT);
	field->source = FIELD_SEGMENT;
	field->path = name->pieces + 1;
	field->npath = 1;
	parser->program->asks_about_segments = true;
}

/* --- looking segments up --- */

/* The number that a name is; false where it is none, and so a slug. */
static bool
read_id(const Key *name, int64 *id)
{
	*id = 0;
	for (int i = 0; i < name->length; i++)
	{
		if (name->name[i] < '0' || name->name[i] > '9' ||
			pg_mul_s64_overflow(*id, 10, id) || pg_add_s64_overflow(*id, name->name[i] - '0', id))
			return false;
	}
	return true;
}

/* The rows of a query as segments, copied into a memory context. */
static int
take_segments(MemoryContext context, Segment *found)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		MemoryContext before;
		bool		isnull;
		Datum		definition;

		found[i].id = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		definition = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull);
		before = MemoryContextSwitchTo(context);
		found[i].definition = isnull ? NULL : DatumGetJsonbPCopy(definition);
		MemoryContextSwitchTo(before);
	}
	return SPI_processed;
}

/*
 * Up to two segments of the tenant with that id or slug; returns how many. Nothing of the query is left when the
 * definition is refused, so that a refusal can be caught.
 */
static int
find_segments(const SegmentScope *scope, const Key *name, Segment *found)
{
	MemoryContext caller = CurrentMemoryContext;
	int64		id;
	bool		is_id = read_id(name, &id);
	Oid			types[] = {INT8OID, is_id ? INT8OID : TEXTOID};
	Datum		values[] = {Int64GetDatum(scope->tenant),
	is_id ? Int64GetDatum(id) : PointerGetDatum(cstring_to_text_with_len(name->name, name->length))};
	char	   *query = psprintf("SELECT CAST(s.id AS pg_catalog.int8), s.conditions FROM stratum.cdp_segments s"
								 " WHERE s.tenant_id OPERATOR(pg_catalog.=) $1 AND %s OPERATOR(pg_catalog.=) $2",
								 is_id ? "s.id" : "CAST(s.slug AS pg_catalog.text)");
	int			count = 0;

	PG_TRY();
	{
		SPI_connect();
		if (SPI_execute_with_args(query, lengthof(types), types, values, NULL, !scope->fresh, 2) != SPI_OK_SELECT)
			elog(ERROR, "could not look a segment up");
		count = take_segments(caller, found);
		SPI_finish();
	}
	PG_CATCH();
	{
		stratum_lookup_failed = true;
		PG_RE_THROW();
	}
	PG_END_TRY();
	return count;
}

/* Whether the segment that is being written has that slug or id: the table does not have it yet. */
static bool
is_own_name(const SegmentScope *scope, const Key *name)
{
	int64		id;

	if (read_id(name, &id))
		return scope->id != 0 && id == scope->id;
	return scope->slug != NULL && stratum_piece_is(name, scope->slug);
}

/* Where in a message a name stands that is not in the outermost definition. */
static const char *
asked_by(const Level *level)
{
	return level->outer == NULL ? "" : psprintf(", about which segment " INT64_FORMAT " asks", level->id);
}

/* Names those between the segment and itself, from the inside out. */
static void
refuse_cycle(const Expansion *expansion, const Level *level, int64 id)
{
	StringInfoData through;

	initStringInfo(&through);
	for (const Level *at = level; at != NULL && at->id != id; at = at->outer)
		appendStringInfo(&through, "%s" INT64_FORMAT, through.len == 0 ? ", through " : " in ", at->id);
	stratum_refuse(&expansion->place, HINT_CYCLE, "segment " INT64_FORMAT " would contain itself%s", id, through.data);
}

/* The segment of a name, of which there must be one, and which must not be among those that it is put into. */
static Segment
look_up(const Expansion *expansion, const Key *name, const Level *level)
{
	const SegmentScope *scope = expansion->scope;
	const char *quoted = stratum_quote(name->name, name->length);
	Segment		found[2] = {0};
	int			count = find_segments(scope, name, found);

	if (is_own_name(scope, name) && (count == 0 || found[0].id == scope->id))
		refuse_cycle(expansion, level, scope->id);
	if (count == 0)
		stratum_refuse(&expansion->place, HINT_UNKNOWN, "unknown segment \"%s\"%s", quoted, asked_by(level));
	if (count > 1 || is_own_name(scope, name))
		stratum_refuse(&expansion->place, "Name it by its id.", "more than one segment has the slug \"%s\"%s",
					   quoted, asked_by(level));
	for (const Level *at = level; at != NULL; at = at->outer)
	{
		if (at->id == found[0].id)
			refuse_cycle(expansion, level, found[0].id);
	}
	return found[0];
}

/* --- writing --- */

/* The pieces of the condition's field, if that is a segment. The definition has been parsed, so it has its shape. */
static bool
is_about_segment(const Value *condition, Pieces *name)
{
	Setting		field;

	*name = (Pieces) {0};
	if (!stratum_get_key(condition, "field", NULL, &field))
		return false;
	stratum_read_pieces(&field.place, &field.value, name);
	return stratum_piece_is(&name->pieces[0], "segment");
}

static void
write_json(StringInfo text, const Value *value)
{
	JsonbToCString(text, unconstify(JsonbContainer *, value->of.container), value->length);
}

/* What a condition says of those who are in the segment, and of those who are not. */
static void
read_outcomes(const Value *condition, bool *of_members, bool *of_others)
{
	StringInfoData text;
	Jsonb	   *definition;
	Program    *program;
	Value		value = {.kind = VALUE_BOOL};

	initStringInfo(&text);
	appendStringInfoString(&text, "{\"conditions\": [");
	write_json(&text, condition);
	appendStringInfoString(&text, "]}");
	definition = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text.data)));
	program = stratum_program_create(STRATUM_PROFILE, NULL, true, 1, &definition);
	value.of.boolean = true;
	*of_members = stratum_predicate_holds(program, &program->predicates[0], &value);
	value.of.boolean = false;
	*of_others = stratum_predicate_holds(program, &program->predicates[0], &value);
	stratum_program_free(program);
}

/* The definition of a segment, as a group. */
static void
write_segment(Expansion *expansion, const Key *name, const Level *level)
{
	Segment		segment = look_up(expansion, name, level);
	Level		inner = {.outer = level, .id = segment.id};
	Program    *program;
	char	   *fault;
	Value		root;

	if (++expansion->inserted > MAX_INSERTED || expansion->text.len > MAX_SIZE)
		stratum_refuse(&expansion->place, "Ask about fewer segments, or about such as do not ask about others.",
					   "the definitions of the segments asked about come to more than %d, or than %d MB",
					   MAX_INSERTED, MAX_SIZE / 1024 / 1024);
	if (segment.definition == NULL)
	{
		appendStringInfoString(&expansion->text, NOBODY);
		return;
	}
	program = stratum_program_try_create(STRATUM_PROFILE, NULL, 1, &segment.definition, &fault);
	if (program == NULL)
		stratum_refuse(&expansion->place, "Mend that segment's definition first.",
					   "segment " INT64_FORMAT " means nothing any more: %s", segment.id, fault);
	stratum_json_root(segment.definition, &root);
	if (program->trees[0] == NULL)
		appendStringInfoString(&expansion->text, NOBODY);
	else
		write_group(expansion, &root, NULL, &inner);
	stratum_program_free(program);
}

/* The definition's own groups are not too deep; what is put into them may be. */
static void
open_group(Expansion *expansion)
{
	if (++expansion->depth > CONDITIONS_MAX_DEPTH)
		stratum_refuse(&expansion->place, "Ask about segments that do not ask about so many others one in the other.",
					   "with the segments asked about, groups are nested deeper than %d levels", CONDITIONS_MAX_DEPTH);
}

/* A condition about a segment, as a group: those in it, those who are not, all or none. */
static void
write_membership(Expansion *expansion, const Value *condition, const Pieces *name, const Level *level)
{
	bool		of_members,
				of_others;

	read_outcomes(condition, &of_members, &of_others);
	if (of_members && !of_others)
	{
		write_segment(expansion, &name->pieces[1], level);
		return;
	}
	open_group(expansion);
	appendStringInfo(&expansion->text, "{\"logic\": \"%s\", \"groups\": [", of_others ? "not" : "and");
	if (of_members == of_others)
		appendStringInfoString(&expansion->text, NOBODY);
	else
		write_segment(expansion, &name->pieces[1], level);
	appendStringInfoString(&expansion->text, "]}");
	expansion->depth--;
}

static void
write_separator(StringInfo text, bool *first)
{
	if (!*first)
		appendStringInfoString(text, ", ");
	*first = false;
}

/* Walks a list of a group, which may be absent. */
static void
open_members(const Value *group, const char *name, const Place *place, Setting *list, Elements *elements)
{
	memset(elements, 0, sizeof(Elements));
	if (stratum_get_key(group, name, place, list))
		stratum_json_elements(list->value.of.container, elements);
}

/* The conditions of a group that are not about segments, as they are. */
static void
write_other_conditions(Expansion *expansion, const Value *group)
{
	Setting		list;
	Elements	elements;
	Value		condition;
	Pieces		name;
	bool		first = true;

	open_members(group, "conditions", NULL, &list, &elements);
	while (stratum_json_next(&elements, &condition))
	{
		if (is_about_segment(&condition, &name))
			continue;
		write_separator(&expansion->text, &first);
		write_json(&expansion->text, &condition);
	}
}

/* The groups of a group, and after them what became of its conditions about segments. */
static void
write_inner_groups(Expansion *expansion, const Value *group, const Place *place, const Level *level)
{
	Setting		list;
	Elements	elements;
	Value		member;
	Pieces		name;
	bool		first = true;

	open_members(group, "groups", place, &list, &elements);
	while (stratum_json_next(&elements, &member))
	{
		Place		at = {.outer = &list.place, .index = elements.next - 1};

		write_separator(&expansion->text, &first);
		write_group(expansion, &member, &at, level);
	}
	open_members(group, "conditions", place, &list, &elements);
	while (stratum_json_next(&elements, &member))
	{
		Place		at = {.outer = &list.place, .index = elements.next - 1};

		if (!is_about_segment(&member, &name))
			continue;
		if (level->outer == NULL)
			expansion->place = (Place) {.outer = &at, .key = {"field", 5}};
		write_separator(&expansion->text, &first);
		write_membership(expansion, &member, &name, level);
	}
}

static void
write_group(Expansion *expansion, const Value *group, const Place *place, const Level *level)
{
	Setting		logic;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	open_group(expansion);
	appendStringInfoChar(&expansion->text, '{');
	/* parsed before, so it is a word of letters */
	if (stratum_get_key(group, "logic", NULL, &logic))
		appendStringInfo(&expansion->text, "\"logic\": \"%.*s\", ", logic.value.length, logic.value.of.string);
	appendStringInfoString(&expansion->text, "\"conditions\": [");
	write_other_conditions(expansion, group);
	appendStringInfoString(&expansion->text, "], \"groups\": [");
	write_inner_groups(expansion, group, place, level);
	appendStringInfoString(&expansion->text, "]}");
	expansion->depth--;
}

/* --- definitions --- */

/*
 * A definition of profiles with those of the segments that it asks about in their places; the same one where it asks
 * about none. Raises for a definition that means nothing, for an unknown segment, and for one that would contain
 * itself.
 */
Jsonb *
stratum_expand_segments(Jsonb *definition, const SegmentScope *scope)
{
	Program    *program = stratum_program_create(STRATUM_PROFILE, NULL, true, 1, &definition);
	bool		asks_about_segments = program->asks_about_segments;
	Expansion	expansion = {.scope = scope};
	Level		outermost = {.id = scope->id};
	Value		root;

	stratum_program_free(program);
	if (!asks_about_segments)
		return definition;
	stratum_require_tenant(scope->tenant);
	initStringInfo(&expansion.text);
	stratum_json_root(definition, &root);
	write_group(&expansion, &root, NULL, &outermost);
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(expansion.text.data)));
}

/*
 * Compiles a definition for rows of a type, with what it asks about segments put in; *asks is whether it does: then
 * the program holds as long as stratum_segment_view() is the same.
 */
Program *
stratum_program_with_segments(StratumTarget target, TupleDesc row_type, bool lenient, Jsonb *definition,
							  bool *asks)
{
	SegmentScope scope = {.tenant = stratum_context()->tenant_id};
	Program    *program = stratum_program_create(target, row_type, lenient, 1, &definition);

	*asks = program->asks_about_segments;
	if (!*asks)
		return program;
	stratum_program_free(program);
	definition = stratum_expand_segments(definition, &scope);
	return stratum_program_create(target, row_type, lenient, 1, &definition);
}

/* What decides which segments there are: who asks, and what of the tables is seen. */
SegmentView
stratum_segment_view(void)
{
	Snapshot	snapshot = GetActiveSnapshot();
	SegmentView view;

	/* compared byte by byte */
	memset(&view, 0, sizeof(view));
	view.tenant = stratum_context()->tenant_id;
	view.user = GetUserId();
	view.subtransaction = GetCurrentSubTransactionId();
	view.command = snapshot->curcid;
	view.xmin = snapshot->xmin;
	view.xmax = snapshot->xmax;
	view.running = snapshot->xcnt;
	view.running_inner = snapshot->subxcnt;
	return view;
}

/* Refuses a definition of profiles that cannot mean anything, also for what it asks about segments. */
void
stratum_validate_segment(Jsonb *definition, const SegmentScope *scope)
{
	Jsonb	   *expanded = stratum_expand_segments(definition, scope);

	if (expanded != definition)
		stratum_program_free(stratum_program_create(STRATUM_PROFILE, NULL, true, 1, &expanded));
}

/* _expand_segments(tenant bigint, conditions jsonb) -> jsonb; strict */
PG_FUNCTION_INFO_V1(stratum_expanded_definition);
Datum
stratum_expanded_definition(PG_FUNCTION_ARGS)
{
	SegmentScope scope = {.tenant = PG_GETARG_INT64(0)};

	PG_RETURN_JSONB_P(stratum_expand_segments(PG_GETARG_JSONB_P(1), &scope));
}
