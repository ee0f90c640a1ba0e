/*
 * conditions_parse.c
 *	  A definition, as a tree of groups and predicates; and all refusals of its outer shape.
 *
 * A refusal names the place as a JSON path and says in the hint what is allowed there.
 */
#include "conditions.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#define MAX_QUOTED 64			/* bytes of the definition repeated in a message */

#define HINT_GROUP "Allowed in a group: \"logic\", \"conditions\", \"groups\"."
#define HINT_CONDITION "Allowed in a condition: \"field\", \"operator\", \"value\", and " \
	"\"within_days\", \"since\", \"until\", \"where\" for events; or \"sequence\" in their place."
#define HINT_SEQUENCE "Allowed beside \"sequence\": \"within_days\", \"since\", \"until\"."
#define HINT_LOGIC "Allowed: \"and\", \"or\", \"not\"."

/* --- messages --- */

static bool
is_plain_key(const Key *key)
{
	for (int i = 0; i < key->length; i++)
	{
		unsigned char c = key->name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80 ||
			  (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return key->length > 0;
}

static void
append_place(StringInfo path, const Place *place)
{
	if (place == NULL)
	{
		appendStringInfoChar(path, '$');
		return;
	}
	append_place(path, place->outer);
	if (place->key.name == NULL)
		appendStringInfo(path, "[%d]", place->index);
	else if (is_plain_key(&place->key))
		appendStringInfo(path, ".%s", stratum_quote(place->key.name, place->key.length));
	else
		appendStringInfo(path, "[\"%s\"]", stratum_quote(place->key.name, place->key.length));
}

/* A text of the definition for a message, shortened where it is long. */
char *
stratum_quote(const char *string, int length)
{
	int			kept = pg_mbcliplen(string, length, MAX_QUOTED);

	return psprintf("%s%s", pnstrdup(string, kept), kept < length ? "..." : "");
}

/* Refuses the definition: what is wrong, at which JSON path, and what would be right. */
void
stratum_refuse(const Place *place, const char *hint, const char *format,...)
{
	StringInfoData path,
				message;
	int			needed;

	initStringInfo(&path);
	append_place(&path, place);
	initStringInfo(&message);
	for (;;)
	{
		va_list		args;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("invalid condition at %s: %s", path.data, message.data),
			errhint("%s", hint));
}

/* --- objects --- */

static bool
key_is(const char *name, const Value *string)
{
	return (int) strlen(name) == string->length && memcmp(name, string->of.string, string->length) == 0;
}

/* Reads a key of an object; JSON null counts as absent. */
bool
stratum_get_key(const Value *object, const char *name, const Place *place, Setting *setting)
{
	setting->place = (Place) {.outer = place, .key = {name, strlen(name)}};
	stratum_json_find(object, name, strlen(name), &setting->value);
	if (setting->value.kind == VALUE_NULL)
		setting->value.kind = VALUE_MISSING;
	return setting->value.kind != VALUE_MISSING;
}

/* Refuses keys that are not in the list, which ends with NULL. */
static void
check_keys(const Value *object, const Place *place, const char *const *allowed, const char *hint)
{
	int			count = JsonContainerSize(object->of.container);

	for (int i = 0; i < count; i++)
	{
		const char *const *name = allowed;
		Value		key;
		Place		inner;

		stratum_json_key(object->of.container, i, &key);
		while (*name != NULL && !key_is(*name, &key))
			name++;
		if (*name != NULL)
			continue;
		inner = (Place) {.outer = place, .key = {key.of.string, key.length}};
		stratum_refuse(&inner, hint, "unknown key \"%s\"",
					   stratum_quote(key.of.string, key.length));
	}
}

/* Refuses what is no object, or has other keys than these. */
void
stratum_check_object(const Value *value, const Place *place, const char *what, const char *const *keys,
					 const char *hint)
{
	if (value->kind != VALUE_OBJECT)
		stratum_refuse(place, hint, "%s must be an object", what);
	check_keys(value, place, keys, hint);
}

/* --- trees --- */

/* Room for one more in an array whose size doubles; "room" is 0 at first. */
void *
stratum_grow(void *array, int used, int *room, Size size)
{
	if (used < *room)
		return array;
	*room = Max(8, *room * 2);
	if (array == NULL)
		return palloc_extended(*room * size, MCXT_ALLOC_HUGE);
	return repalloc_huge(array, *room * size);
}

/* Adds a predicate to the program, unless it has the same one already; returns its index. */
static int
add_predicate(Parser *parser, const Predicate *predicate, const Value *value)
{
	Program    *program = parser->program;
	StringInfoData key;
	int			index;

	initStringInfo(&key);
	appendStringInfo(&key, "predicate %d %d ", predicate->operator, predicate->field);
	stratum_describe_value(value, &key);
	if (stratum_intern(parser, &key, program->npredicates, &index))
		return index;
	program->predicates = stratum_grow(program->predicates, program->npredicates,
									   &parser->predicates_room, sizeof(Predicate));
	program->predicates[program->npredicates] = *predicate;
	return program->npredicates++;
}

/* The keys that say which events. */
static void
read_filter(const Value *condition, const Place *place, EventFilter *filter)
{
	stratum_get_key(condition, "within_days", place, &filter->within_days);
	stratum_get_key(condition, "since", place, &filter->since);
	stratum_get_key(condition, "until", place, &filter->until);
	stratum_get_key(condition, "where", place, &filter->where);
}

/* {"field": ..., "operator": ..., "value": ...} */
static int
parse_comparison(Parser *parser, const Value *condition, const Place *place)
{
	static const char *const keys[] = {"field", "operator", "value", "within_days", "since", "until",
		"where", "sequence", NULL};
	Predicate	predicate = {0};
	EventFilter filter;
	Setting		field,
				operator;
	Place		value_place = {.outer = place, .key = {"value", 5}};
	Value		value;

	stratum_check_object(condition, place, "a condition", keys, HINT_CONDITION);
	if (!stratum_get_key(condition, "field", place, &field))
		stratum_refuse(place, HINT_CONDITION, "\"field\" is missing");
	if (!stratum_get_key(condition, "operator", place, &operator))
		stratum_refuse(place, HINT_CONDITION, "\"operator\" is missing");
	read_filter(condition, place, &filter);
	predicate.operator = stratum_parse_operator(&operator.place, &operator.value);
	predicate.field = stratum_parse_field(parser, &field.place, &field.value, &filter);
	/* Not through stratum_get_key(): for equality the value may be null. */
	stratum_json_find(condition, "value", 5, &value);
	stratum_parse_operand(parser->program, &predicate, &value_place, &value);
	return add_predicate(parser, &predicate, &value);
}

/* Refuses what a comparison has and a sequence has not; null is as if it were not there. */
static void
refuse_comparison(const Value *condition, const Place *place)
{
	static const char *const keys[] = {"field", "operator", "value", "where"};
	Setting		other;

	for (int i = 0; i < (int) lengthof(keys); i++)
	{
		if (stratum_get_key(condition, keys[i], place, &other))
			stratum_refuse(&other.place, HINT_SEQUENCE, "\"%s\" does not go with \"sequence\"", keys[i]);
	}
}

/* {"sequence": [...]}: that its steps happened. */
static int
parse_sequence_condition(Parser *parser, const Value *condition, const Place *place,
						 const Setting *sequence)
{
	static const char *const keys[] = {"sequence", "within_days", "since", "until", "field", "operator",
		"value", "where", NULL};
	Value		happened = {.kind = VALUE_BOOL, .of.boolean = true};
	Predicate	predicate = {.operator = OP_EQUALS, .operand.value = happened};
	EventFilter filter;

	check_keys(condition, place, keys, HINT_SEQUENCE);
	refuse_comparison(condition, place);
	read_filter(condition, place, &filter);
	predicate.field = stratum_parse_sequence(parser, &sequence->value, &sequence->place, &filter);
	predicate.cost = stratum_field_cost(parser->program, predicate.field);
	return add_predicate(parser, &predicate, &happened);
}

static Member *
parse_condition(Parser *parser, const Value *condition, const Place *place)
{
	Member	   *node = palloc0(sizeof(Member));
	Setting		sequence = {0};

	CHECK_FOR_INTERRUPTS();
	if (condition->kind == VALUE_OBJECT && stratum_get_key(condition, "sequence", place, &sequence))
		node->predicate = parse_sequence_condition(parser, condition, place, &sequence);
	else
		node->predicate = parse_comparison(parser, condition, place);
	node->cost = parser->program->predicates[node->predicate].cost;
	return node;
}

static Logic
parse_logic(const Value *object, const Place *place)
{
	Setting		setting;
	const Value *logic = &setting.value;

	if (!stratum_get_key(object, "logic", place, &setting))
		return LOGIC_AND;
	if (logic->kind != VALUE_STRING)
		stratum_refuse(&setting.place, HINT_LOGIC, "the logic must be a string");
	if (stratum_same_folded("and", logic->of.string, logic->length))
		return LOGIC_AND;
	if (stratum_same_folded("or", logic->of.string, logic->length))
		return LOGIC_OR;
	if (stratum_same_folded("not", logic->of.string, logic->length))
		return LOGIC_NOT;
	stratum_refuse(&setting.place, HINT_LOGIC, "unknown logic \"%s\"",
				   stratum_quote(logic->of.string, logic->length));
}

/* Starts a walk through a list that may be absent. */
static void
open_list(const Value *object, const char *name, const Place *place, Setting *list,
		  Elements *elements)
{
	memset(elements, 0, sizeof(Elements));
	if (!stratum_get_key(object, name, place, list))
		return;
	if (list->value.kind != VALUE_ARRAY)
		stratum_refuse(&list->place, HINT_GROUP, "\"%s\" must be an array", name);
	stratum_json_elements(list->value.of.container, elements);
}

static Member *
parse_group(Parser *parser, const Value *object, const Place *place, int depth)
{
	static const char *const keys[] = {"logic", "conditions", "groups", NULL};
	Member	   *node = palloc0(sizeof(Member));
	Setting		condition_list,
				group_list;
	Elements	conditions,
				groups;
	Value		member;

	if (object->kind != VALUE_OBJECT)
		stratum_refuse(place, HINT_GROUP, "%s must be an object", depth == 1 ? "a definition" : "a group");
	if (depth > CONDITIONS_MAX_DEPTH)
		stratum_refuse(place, "A group can often be written as one with more conditions.",
					   "groups are nested deeper than %d levels", CONDITIONS_MAX_DEPTH);
	check_keys(object, place, keys, HINT_GROUP);
	node->logic = parse_logic(object, place);
	open_list(object, "conditions", place, &condition_list, &conditions);
	open_list(object, "groups", place, &group_list, &groups);
	node->members = palloc_extended((conditions.count + groups.count) * sizeof(Member *),
									MCXT_ALLOC_HUGE);
	while (stratum_json_next(&conditions, &member))
	{
		Place		at = {.outer = &condition_list.place, .index = conditions.next - 1};

		node->members[node->nmembers++] = parse_condition(parser, &member, &at);
	}
	while (stratum_json_next(&groups, &member))
	{
		Place		at = {.outer = &group_list.place, .index = groups.next - 1};

		node->members[node->nmembers++] = parse_group(parser, &member, &at, depth + 1);
	}
	if (depth > 1 && node->nmembers == 0)
		stratum_refuse(place, HINT_GROUP, "the group is empty");
	for (int i = 0; i < node->nmembers; i++)
		node->cost += node->members[i]->cost;
	return node;
}

/*
 * The tree of a definition, in the current memory context; its predicates and fields are added to the
 * parser's program. NULL for an empty one and for JSON null: it matches nobody. The definition
 * itself must live as long as the program.
 */
Member *
stratum_parse_definition(Parser *parser, Jsonb *definition)
{
	Value		root;
	Member	   *node;

	stratum_json_root(definition, &root);
	if (root.kind == VALUE_NULL)
		return NULL;
	node = parse_group(parser, &root, NULL, 1);
	return node->nmembers > 0 ? node : NULL;
}

/* The tree of a definition inside another one, which may not be empty. */
Member *
stratum_parse_inner(Parser *parser, const Value *definition, const Place *place)
{
	return parse_group(parser, definition, place, 2);
}
