/*
 * conditions_match.c
 *	  Whether a value satisfies a predicate.
 *
 * A value that does not fit the operator satisfies nothing: it is false, never an error.
 */
#include "conditions.h"

#include "miscadmin.h"

/* --- equality --- */

/* By JSON type; a time equals a string that is the same instant. Null equals nothing. */
bool
stratum_value_equals(const Value *value, const Operand *operand)
{
	const Value *other = &operand->value;

	if (value->kind == VALUE_TIME)
		return operand->has_time && value->of.time == operand->time;
	if (value->kind != other->kind)
		return false;
	switch (value->kind)
	{
		case VALUE_STRING:
			return value->length == other->length &&
				memcmp(value->of.string, other->of.string, value->length) == 0;
		case VALUE_NUMBER:
			return stratum_number_compare(&value->of.number, &other->of.number) == 0;
		case VALUE_BOOL:
			return value->of.boolean == other->of.boolean;
		case VALUE_ARRAY:
		case VALUE_OBJECT:
			return stratum_json_equal(value->of.container, other->of.container);
		default:
			return false;
	}
}

static bool
in_list(const OperandSet *set, const Value *value)
{
	for (int i = 0; i < set->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (stratum_value_equals(value, &set->operands[i]))
			return true;
	}
	return false;
}

static bool
in_set(const OperandSet *set, const Value *value)
{
	if (value->kind <= VALUE_NULL)
		return false;
	if (value->kind >= VALUE_ARRAY)
		return (set->has_container || value->kind == VALUE_TIME) && in_list(set, value);
	return set->slots[stratum_set_slot(set, value, stratum_value_hash(value))] != 0;
}

/* --- text --- */

static bool
has_text(const char *folded, int wanted, const char *string, int length)
{
	const char *last = string + length - wanted;

	if (wanted == 0)
		return true;
	for (const char *at = string; at <= last; at++)
	{
		if ((char) fold_ascii(*at) != folded[0])
			continue;
		CHECK_FOR_INTERRUPTS();
		if (begins_folded(folded + 1, at + 1, wanted - 1))
			return true;
	}
	return false;
}

/* starts_with, ends_with */
static bool
match_end(const Predicate *predicate, const Value *value)
{
	int			wanted = predicate->operand.value.length;
	const char *at = value->of.string;

	if (value->kind != VALUE_STRING || value->length < wanted)
		return false;
	if (predicate->operator == OP_ENDS_WITH)
		at += value->length - wanted;
	return begins_folded(predicate->folded, at, wanted);
}

/* Whether an element equals the operand; of strings, the case of A-Z is ignored. */
static bool
has_element(const Predicate *predicate, const Value *array)
{
	const Operand *operand = &predicate->operand;
	Elements	elements;
	Value		element;

	stratum_json_elements(array->of.container, &elements);
	while (stratum_json_next(&elements, &element))
	{
		CHECK_FOR_INTERRUPTS();
		if (element.kind == VALUE_STRING && operand->value.kind == VALUE_STRING)
		{
			if (element.length == operand->value.length &&
				begins_folded(predicate->folded, element.of.string, element.length))
				return true;
		}
		else if (stratum_value_equals(&element, operand))
			return true;
	}
	return false;
}

/* contains, not_contains: both are false for what can contain nothing of the kind. */
static bool
match_contains(const Predicate *predicate, const Value *value)
{
	const Value *wanted = &predicate->operand.value;
	bool		contains;

	if (value->kind == VALUE_ARRAY)
		contains = has_element(predicate, value);
	else if (value->kind == VALUE_STRING && wanted->kind == VALUE_STRING)
		contains = has_text(predicate->folded, wanted->length, value->of.string, value->length);
	else
		return false;
	return contains == (predicate->operator == OP_CONTAINS);
}

/* --- lists --- */

static bool
match_contains_any(const Predicate *predicate, const Value *value)
{
	Elements	elements;
	Value		element;

	if (value->kind != VALUE_ARRAY)
		return false;
	stratum_json_elements(value->of.container, &elements);
	while (stratum_json_next(&elements, &element))
	{
		CHECK_FOR_INTERRUPTS();
		if (in_set(&predicate->set, &element))
			return true;
	}
	return false;
}

static bool
has_operand(const Value *array, const Operand *operand)
{
	Elements	elements;
	Value		element;

	stratum_json_elements(array->of.container, &elements);
	while (stratum_json_next(&elements, &element))
	{
		CHECK_FOR_INTERRUPTS();
		if (stratum_value_equals(&element, operand))
			return true;
	}
	return false;
}

static bool
match_contains_all(const Predicate *predicate, const Value *value)
{
	if (value->kind != VALUE_ARRAY)
		return false;
	for (int i = 0; i < predicate->set.count; i++)
	{
		if (!has_operand(value, &predicate->set.operands[i]))
			return false;
	}
	return true;
}

/* --- order --- */

/* Compares a number, a string that is one, or a time with an operand; false where they do not fit. */
static bool
compare(const Value *value, const Operand *operand, int *order)
{
	int16		digits[NUMBER_ROOM];
	Number		number;

	switch (value->kind)
	{
		case VALUE_TIME:
			if (!operand->has_time)
				return false;
			*order = (value->of.time > operand->time) - (value->of.time < operand->time);
			return true;
		case VALUE_NUMBER:
			if (!operand->has_number)
				return false;
			*order = stratum_number_compare(&value->of.number, &operand->number);
			return true;
		case VALUE_STRING:
			if (!operand->has_number ||
				!stratum_number_from_string(value->of.string, value->length, digits, &number))
				return false;
			*order = stratum_number_compare(&number, &operand->number);
			return true;
		default:
			return false;
	}
}

static bool
match_order(const Predicate *predicate, const Value *value)
{
	int			order,
				upper;

	if (!compare(value, &predicate->operand, &order))
		return false;
	switch (predicate->operator)
	{
		case OP_GREATER_THAN:
			return order > 0;
		case OP_LESS_THAN:
			return order < 0;
		case OP_GREATER_OR_EQUAL:
			return order >= 0;
		case OP_LESS_OR_EQUAL:
			return order <= 0;
		default:				/* between */
			return order >= 0 && compare(value, &predicate->upper, &upper) && upper <= 0;
	}
}

static bool
read_time(const Value *value, TimestampTz *time)
{
	if (value->kind == VALUE_TIME)
	{
		*time = value->of.time;
		return true;
	}
	return value->kind == VALUE_STRING &&
		stratum_time_from_string(value->of.string, value->length, time);
}

static bool
match_time(const Program *program, const Predicate *predicate, const Value *value)
{
	TimestampTz now = program->row.now;
	TimestampTz time;
	int			days;

	if (!read_time(value, &time))
		return false;
	switch (predicate->operator)
	{
		case OP_BEFORE:
			return time < predicate->operand.time;
		case OP_AFTER:
			return time > predicate->operand.time;
		case OP_WITHIN_NEXT:
			return time >= now && time <= stratum_time_ahead(now, predicate->window);
		case OP_ANNIVERSARY_WITHIN:
			return stratum_anniversary(time, now, &days) && days <= predicate->days;
		default:				/* within_last, not_within_last */
			return (time <= now && time >= stratum_time_ago(now, predicate->window)) ==
				(predicate->operator == OP_WITHIN_LAST);
	}
}

/* --- all operators --- */

bool
stratum_predicate_holds(Program *program, const Predicate *predicate, const Value *value)
{
	if (value->kind <= VALUE_NULL)
		return predicate->operator == OP_IS_NULL;
	switch (predicate->operator)
	{
		case OP_EQUALS:
			return stratum_value_equals(value, &predicate->operand);
		case OP_NOT_EQUALS:
			return !stratum_value_equals(value, &predicate->operand);
		case OP_CONTAINS:
		case OP_NOT_CONTAINS:
			return match_contains(predicate, value);
		case OP_STARTS_WITH:
		case OP_ENDS_WITH:
			return match_end(predicate, value);
		case OP_GREATER_THAN:
		case OP_LESS_THAN:
		case OP_GREATER_OR_EQUAL:
		case OP_LESS_OR_EQUAL:
		case OP_BETWEEN:
			return match_order(predicate, value);
		case OP_IN:
			return in_set(&predicate->set, value);
		case OP_NOT_IN:
			return !in_set(&predicate->set, value);
		case OP_IS_NULL:
			return false;
		case OP_IS_NOT_NULL:
			return true;
		case OP_BEFORE:
		case OP_AFTER:
		case OP_WITHIN_LAST:
		case OP_WITHIN_NEXT:
		case OP_NOT_WITHIN_LAST:
		case OP_ANNIVERSARY_WITHIN:
			return match_time(program, predicate, value);
		case OP_CONTAINS_ANY:
			return match_contains_any(predicate, value);
		case OP_CONTAINS_ALL:
			return match_contains_all(predicate, value);
		case OP_IN_SAMPLE:
			return stratum_in_sample(value, predicate->share);
		case OP_MATCHES:
			return stratum_regex_matches(predicate->regex, value);
	}
	return false;
}
