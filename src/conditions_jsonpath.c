/*
 * conditions_jsonpath.c
 *	  A definition as an index condition: `document @@ jsonpath`, which GIN indexes on jsonb understand.
 *
 * The path must be true of every document for which the definition is. It may be true of others, so what
 * cannot be said, or what an index would not find, is left out: a member of an "and" simply, a member of an
 * "or" voids it. In lax mode a path also looks into arrays, which is more than the definition means.
 */
#include "conditions.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

/* An index is asked for each value by itself, so beyond some number a scan is as good. */
#define MAX_VALUES 512

/* Digits of a number that is worth writing out. */
#define MAX_WEIGHT 32

/* Keys of a field. PostgreSQL reads a path by recursion, and runs out of stack at some thousands. */
#define MAX_KEYS 64

typedef struct Writer
{
	StringInfoData text;
	const Program *program;
	int			column;			/* index of the program's column that the index is on */
	int			nvalues;
} Writer;

static void
append_string(StringInfo text, const char *string, int length)
{
	escape_json(text, pnstrdup(string, length));
}

static void
append_path(Writer *writer, const Field *field)
{
	appendStringInfoChar(&writer->text, '$');
	for (int i = 0; i < field->npath; i++)
	{
		appendStringInfoChar(&writer->text, '.');
		append_string(&writer->text, field->path[i].name, field->path[i].length);
	}
}

/* From digits of base 10000; numeric writes it as the language of paths wants it. */
static void
append_number(StringInfo text, const Number *number)
{
	int			last = Min(number->weight - number->ndigits + 1, 0);
	StringInfoData digits;
	Datum		numeric;

	initStringInfo(&digits);
	appendStringInfoString(&digits, number->sign < 0 ? "-0" : "0");
	for (int weight = Max(number->weight, 0); weight >= last; weight--)
	{
		int			at = number->weight - weight;

		if (weight == -1)
			appendStringInfoChar(&digits, '.');
		appendStringInfo(&digits, "%04d", at >= 0 && at < number->ndigits ? number->digits[at] : 0);
	}
	numeric = DirectFunctionCall3(numeric_in, CStringGetDatum(digits.data),
								  ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	appendStringInfoString(text, DatumGetCString(DirectFunctionCall1(numeric_out, numeric)));
}

static bool
is_sayable(const Value *value)
{
	switch (value->kind)
	{
		case VALUE_STRING:
		case VALUE_BOOL:
			return true;
		case VALUE_NUMBER:
			return abs(value->of.number.weight) <= MAX_WEIGHT && value->of.number.ndigits <= MAX_WEIGHT;
		default:
			return false;
	}
}

static bool
write_equality(Writer *writer, const Field *field, const Value *value)
{
	if (!is_sayable(value) || ++writer->nvalues > MAX_VALUES)
		return false;
	appendStringInfoChar(&writer->text, '(');
	append_path(writer, field);
	appendStringInfoString(&writer->text, " == ");
	if (value->kind == VALUE_STRING)
		append_string(&writer->text, value->of.string, value->length);
	else if (value->kind == VALUE_NUMBER)
		append_number(&writer->text, &value->of.number);
	else
		appendStringInfoString(&writer->text, value->of.boolean ? "true" : "false");
	appendStringInfoChar(&writer->text, ')');
	return true;
}

/* One of the values; each has to be said, but for null, which stands for nothing. */
static bool
write_any(Writer *writer, const Field *field, const OperandSet *set)
{
	const char *separator = "(";

	for (int i = 0; i < set->count; i++)
	{
		const Value *value = &set->operands[i].value;

		if (value->kind == VALUE_NULL)
			continue;
		appendStringInfoString(&writer->text, separator);
		if (!write_equality(writer, field, value))
			return false;
		separator = " || ";
	}
	appendStringInfoChar(&writer->text, ')');
	return separator[0] == ' ';
}

/* All of the values, or as many of them as can be said. */
static bool
write_all(Writer *writer, const Field *field, const OperandSet *set)
{
	const char *separator = "(";

	for (int i = 0; i < set->count; i++)
	{
		const Value *value = &set->operands[i].value;

		if (!is_sayable(value))
			continue;
		appendStringInfoString(&writer->text, separator);
		if (!write_equality(writer, field, value))
			return false;
		separator = " && ";
	}
	appendStringInfoChar(&writer->text, ')');
	return separator[0] == ' ';
}

static bool
write_predicate(Writer *writer, const Predicate *predicate)
{
	const Field *field = &writer->program->fields[predicate->field];

	if (field->source != FIELD_DOCUMENT || field->column != writer->column || field->npath > MAX_KEYS)
		return false;
	switch (predicate->operator)
	{
		case OP_EQUALS:
			return write_equality(writer, field, &predicate->operand.value);
		case OP_CONTAINS:
			/* of a string it may be a part, in any letter case */
			return predicate->operand.value.kind != VALUE_STRING &&
				write_equality(writer, field, &predicate->operand.value);
		case OP_IN:
		case OP_CONTAINS_ANY:
			return write_any(writer, field, &predicate->set);
		case OP_CONTAINS_ALL:
			return write_all(writer, field, &predicate->set);
		default:
			return false;
	}
}

/* Writes what follows from a member; false, and nothing written, where that is nothing. */
static bool
write_member(Writer *writer, const Member *member)
{
	int			start = writer->text.len;
	int			nvalues = writer->nvalues;
	int			written = 0;
	bool		is_or = member->logic == LOGIC_OR;

	if (member->members == NULL && write_predicate(writer, &writer->program->predicates[member->predicate]))
		return true;
	for (int i = 0; i < member->nmembers && member->logic != LOGIC_NOT; i++)
	{
		int			before = writer->text.len;

		appendStringInfoString(&writer->text, written == 0 ? "(" : is_or ? " || " : " && ");
		if (write_member(writer, member->members[i]))
			written++;
		else
		{
			writer->text.data[writer->text.len = before] = '\0';
			if (is_or)
				written = -member->nmembers;
		}
	}
	if (written > 0)
	{
		appendStringInfoChar(&writer->text, ')');
		return true;
	}
	writer->text.data[writer->text.len = start] = '\0';
	writer->nvalues = nvalues;
	return false;
}

/*
 * `document @@ path` for an index on the column of that number in the program's row; NULL where nothing
 * can be said, or the index knows no such operator.
 */
Expr *
stratum_jsonpath_condition(const Program *program, AttrNumber number, Node *document, Oid opfamily)
{
	Oid			operator = OpernameGetOprid(list_make2(makeString("pg_catalog"), makeString("@@")),
											JSONBOID, JSONPATHOID);
	Writer		writer = {.program = program, .column = -1};
	Oid			input,
				parameter;
	Const	   *path;

	for (int i = 0; i < program->ncolumns; i++)
	{
		if (program->columns[i].number == number)
			writer.column = i;
	}
	initStringInfo(&writer.text);
	if (!OidIsValid(operator) || !op_in_opfamily(operator, opfamily) || program->trees[0] == NULL ||
		!write_member(&writer, program->trees[0]))
		return NULL;
	getTypeInputInfo(JSONPATHOID, &input, &parameter);
	path = makeConst(JSONPATHOID, -1, InvalidOid, -1,
					 OidInputFunctionCall(input, writer.text.data, parameter, -1), false, false);
	return make_opclause(operator, BOOLOID, false, (Expr *) document, (Expr *) path,
						 InvalidOid, InvalidOid);
}
