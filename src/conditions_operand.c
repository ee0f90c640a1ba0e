/*
 * conditions_operand.c
 *	  Operators, and the values that they are given in a definition.
 */
#include "conditions.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

#define HINT_NUMBER "Use a number, or a string that is a JSON number; " \
	"points in time go with before, after and within_last."
#define HINT_TIME "Write it as 2025-01-31 or 2025-01-31T12:00:00Z."
#define HINT_LIST "Write it as [\"a\", \"b\"]."
#define HINT_DAYS "Use a number of days that is not negative, as 30 or 0.5."

typedef enum Takes
{
	TAKES_NOTHING,
	TAKES_ANYTHING,				/* null as well */
	TAKES_ELEMENT,				/* anything but null */
	TAKES_TEXT,
	TAKES_ORDERED,				/* a number, or a time where the field is one */
	TAKES_BOUNDS,				/* two of these */
	TAKES_LIST,
	TAKES_TIME,
	TAKES_DAYS
} Takes;

typedef struct OperatorInfo
{
	const char *name;
	Operator	operator;
	Takes		takes;
	double		cost;			/* of asking it, in units of an equality */
} OperatorInfo;

/* The cost only orders the members of a group. */
static const OperatorInfo operators[] = {
	{"equals", OP_EQUALS, TAKES_ANYTHING, 1},
	{"not_equals", OP_NOT_EQUALS, TAKES_ANYTHING, 1},
	{"contains", OP_CONTAINS, TAKES_ELEMENT, 8},
	{"not_contains", OP_NOT_CONTAINS, TAKES_ELEMENT, 8},
	{"starts_with", OP_STARTS_WITH, TAKES_TEXT, 2},
	{"ends_with", OP_ENDS_WITH, TAKES_TEXT, 2},
	{"greater_than", OP_GREATER_THAN, TAKES_ORDERED, 2},
	{"less_than", OP_LESS_THAN, TAKES_ORDERED, 2},
	{"greater_or_equal", OP_GREATER_OR_EQUAL, TAKES_ORDERED, 2},
	{"gte", OP_GREATER_OR_EQUAL, TAKES_ORDERED, 2},
	{"less_or_equal", OP_LESS_OR_EQUAL, TAKES_ORDERED, 2},
	{"lte", OP_LESS_OR_EQUAL, TAKES_ORDERED, 2},
	{"between", OP_BETWEEN, TAKES_BOUNDS, 3},
	{"in", OP_IN, TAKES_LIST, 3},
	{"not_in", OP_NOT_IN, TAKES_LIST, 3},
	{"is_null", OP_IS_NULL, TAKES_NOTHING, 0.5},
	{"is_not_null", OP_IS_NOT_NULL, TAKES_NOTHING, 0.5},
	{"before", OP_BEFORE, TAKES_TIME, 4},
	{"after", OP_AFTER, TAKES_TIME, 4},
	{"within_last", OP_WITHIN_LAST, TAKES_DAYS, 4},
	{"contains_any", OP_CONTAINS_ANY, TAKES_LIST, 10},
	{"contains_all", OP_CONTAINS_ALL, TAKES_LIST, 12},
};

/* --- operators --- */

/* Whether `string` is `folded` when A-Z are read as a-z. */
bool
stratum_same_folded(const char *folded, const char *string, int length)
{
	return begins_folded(folded, string, length) && folded[length] == '\0';
}

static char *
fold(const char *string, int length)
{
	char	   *folded = palloc_extended((Size) length + 1, MCXT_ALLOC_HUGE);

	for (int i = 0; i < length; i++)
		folded[i] = fold_ascii(string[i]);
	folded[length] = '\0';
	return folded;
}

static const char *
operators_hint(void)
{
	StringInfoData hint;

	initStringInfo(&hint);
	appendStringInfoString(&hint, "Operators: ");
	for (int i = 0; i < (int) lengthof(operators); i++)
		appendStringInfo(&hint, "%s%s", i > 0 ? ", " : "", operators[i].name);
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

Operator
stratum_parse_operator(const Place *place, const Value *name)
{
	if (name->kind != VALUE_STRING)
		stratum_refuse(place, operators_hint(), "the operator must be a string");
	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		if (stratum_same_folded(operators[i].name, name->of.string, name->length))
			return operators[i].operator;
	}
	stratum_refuse(place, operators_hint(), "unknown operator \"%s\"",
				   stratum_quote(name->of.string, name->length));
}

static const OperatorInfo *
operator_info(Operator operator)
{
	const OperatorInfo *info = operators;

	while (info->operator != operator)
		info++;
	return info;
}

/* --- operands --- */

/* A value and what else it can be read as. */
static void
read_operand(const Value *value, Operand *operand)
{
	operand->value = *value;
	if (value->kind == VALUE_NUMBER)
	{
		operand->number = value->of.number;
		operand->has_number = true;
	}
	else if (value->kind == VALUE_STRING)
	{
		int16		digits[NUMBER_ROOM];
		Number	   *number = &operand->number;

		operand->has_time = stratum_time_from_string(value->of.string, value->length,
													 &operand->time);
		operand->has_number = stratum_number_from_string(value->of.string, value->length,
														 digits, number);
		if (operand->has_number)
		{
			Size		size = number->ndigits * sizeof(int16);

			number->digits = memcpy(palloc(size), number->digits, size);
		}
	}
}

/* Adds bytes that are the same for the same value and no other. */
void
stratum_describe_value(const Value *value, StringInfo key)
{
	const Number *number = &value->of.number;

	appendStringInfo(key, "%d ", value->kind);
	switch (value->kind)
	{
		case VALUE_STRING:
			appendBinaryStringInfo(key, value->of.string, value->length);
			break;
		case VALUE_NUMBER:
			appendStringInfo(key, "%d %d ", number->sign, number->weight);
			appendBinaryStringInfo(key, (const char *) number->digits,
								   number->ndigits * sizeof(int16));
			break;
		case VALUE_BOOL:
			appendStringInfoChar(key, value->of.boolean ? 't' : 'f');
			break;
		case VALUE_ARRAY:
		case VALUE_OBJECT:
			appendBinaryStringInfo(key, (const char *) value->of.container, value->length);
			break;
		default:
			break;
	}
}

/* A hash of a scalar that is the same for equal ones. */
uint32
stratum_value_hash(const Value *value)
{
	const Number *number = &value->of.number;

	switch (value->kind)
	{
		case VALUE_STRING:
			return hash_bytes((const unsigned char *) value->of.string, value->length);
		case VALUE_NUMBER:
			return hash_bytes((const unsigned char *) number->digits,
							  number->ndigits * sizeof(int16)) ^ (number->weight * 31 + number->sign);
		case VALUE_BOOL:
			return value->of.boolean ? 1 : 2;
		default:
			return 0;
	}
}

/* Where a scalar is in the hash table, or the empty slot where it would be. */
uint32
stratum_set_slot(const OperandSet *set, const Value *value, uint32 hash)
{
	uint32		slot = hash & set->mask;

	while (set->slots[slot] != 0)
	{
		int			index = set->slots[slot] - 1;

		if (set->hashes[index] == hash &&
			stratum_value_equals(value, &set->operands[index]))
			break;
		slot = (slot + 1) & set->mask;
	}
	return slot;
}

/* An empty set with room for so many values. */
void
stratum_set_init(OperandSet *set, int count)
{
	uint32		room = 4;

	while (room < (uint32) count * 2)
		room *= 2;
	memset(set, 0, sizeof(OperandSet));
	set->mask = room - 1;
	set->slots = palloc_extended(room * sizeof(int), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	set->hashes = palloc_extended(room * sizeof(uint32), MCXT_ALLOC_HUGE);
	set->operands = palloc_extended((count + 1) * sizeof(Operand), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Adds an operand; of scalars that are equal only the first one is found. */
void
stratum_set_add(OperandSet *set, const Operand *operand)
{
	const Value *value = &operand->value;
	int			index = set->count++;
	uint32		slot;

	set->operands[index] = *operand;
	set->hashes[index] = stratum_value_hash(value);
	if (value->kind == VALUE_ARRAY || value->kind == VALUE_OBJECT)
		set->has_container = true;
	if (value->kind == VALUE_NULL || value->kind >= VALUE_ARRAY)
		return;
	slot = stratum_set_slot(set, value, set->hashes[index]);
	if (set->slots[slot] == 0)
		set->slots[slot] = index + 1;
}

/* Where a scalar is among the operands, -1 if nowhere. */
int
stratum_set_find(const OperandSet *set, const Value *value)
{
	if (value->kind <= VALUE_NULL || value->kind >= VALUE_ARRAY)
		return -1;
	return set->slots[stratum_set_slot(set, value, stratum_value_hash(value))] - 1;
}

/* Reads a list and sets up its hash table. JSON null in it stands for nothing. */
static void
read_set(const Value *list, OperandSet *set)
{
	Elements	elements;
	Value		element;

	stratum_json_elements(list->of.container, &elements);
	stratum_set_init(set, elements.count);
	while (stratum_json_next(&elements, &element))
	{
		Operand		operand = {0};

		CHECK_FOR_INTERRUPTS();
		read_operand(&element, &operand);
		stratum_set_add(set, &operand);
	}
}

/* --- what each operator takes --- */

/* Refuses a value that cannot be ordered against the field. */
static void
read_ordered(const Program *program, const Predicate *predicate, const Place *place,
			 const Value *value, Operand *operand)
{
	const char *name = operator_info(predicate->operator)->name;
	bool		unknown;
	bool		is_time = stratum_field_is_time(program, predicate->field, &unknown);

	read_operand(value, operand);
	if (unknown && (operand->has_time || operand->has_number))
		return;
	if (is_time && !operand->has_time)
		stratum_refuse(place, HINT_TIME, "on a time \"%s\" takes an ISO 8601 time", name);
	if (!is_time && !operand->has_number)
		stratum_refuse(place, HINT_NUMBER, "\"%s\" takes a number", name);
}

static void
read_bounds(const Program *program, Predicate *predicate, const Place *place, const Value *value)
{
	Elements	elements;
	Operand    *operands[2] = {&predicate->operand, &predicate->upper};

	if (value->kind != VALUE_ARRAY || JsonContainerSize(value->of.container) != 2)
		stratum_refuse(place, "Write it as [100, 500]; both bounds are included.",
					   "\"between\" takes an array of two bounds");
	stratum_json_elements(value->of.container, &elements);
	for (int i = 0; i < 2; i++)
	{
		Place		at = {.outer = place, .index = i};
		Value		bound;

		stratum_json_next(&elements, &bound);
		read_ordered(program, predicate, &at, &bound, operands[i]);
	}
}

/*
 * Reads the value of a condition into its predicate, whose operator and field are known, or refuses it.
 * `value` is missing where the definition has no such key.
 */
void
stratum_parse_operand(const Program *program, Predicate *predicate, const Place *place,
					  const Value *value)
{
	const OperatorInfo *info = operator_info(predicate->operator);

	predicate->cost = info->cost + stratum_field_cost(program, predicate->field);
	if (info->takes == TAKES_NOTHING)
		return;
	if (value->kind == VALUE_MISSING || (value->kind == VALUE_NULL && info->takes != TAKES_ANYTHING))
		stratum_refuse(place->outer, "Only \"is_null\" and \"is_not_null\" take no value.",
					   "\"%s\" needs a \"value\"", info->name);
	switch (info->takes)
	{
		case TAKES_TEXT:
			if (value->kind != VALUE_STRING)
				stratum_refuse(place, "Numbers are not searched as text.",
							   "\"%s\" takes a string", info->name);
			break;
		case TAKES_ORDERED:
			read_ordered(program, predicate, place, value, &predicate->operand);
			return;
		case TAKES_BOUNDS:
			read_bounds(program, predicate, place, value);
			return;
		case TAKES_LIST:
			if (value->kind != VALUE_ARRAY)
				stratum_refuse(place, HINT_LIST, "\"%s\" takes an array", info->name);
			read_set(value, &predicate->set);
			return;
		case TAKES_TIME:
			read_operand(value, &predicate->operand);
			if (!predicate->operand.has_time)
				stratum_refuse(place, HINT_TIME, "\"%s\" takes an ISO 8601 time", info->name);
			return;
		case TAKES_DAYS:
			if (value->kind != VALUE_NUMBER || value->of.number.sign < 0)
				stratum_refuse(place, HINT_DAYS, "\"%s\" takes a number of days", info->name);
			predicate->window = stratum_number_days(&value->of.number);
			return;
		default:
			break;
	}
	read_operand(value, &predicate->operand);
	if (value->kind == VALUE_STRING)
		predicate->folded = fold(value->of.string, value->length);
}
