/*
 * conditions_field.c
 *	  Names of fields: what they stand for, and the columns that they need.
 *
 * A name is a string of pieces joined by dots, or an array of the pieces.
 */
#include "conditions.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#define HINT_PROFILE "Fields of a profile: trait.<path>, computed.<path>, consent.<path>, profile.<column>, " \
	"identifier.<email|phone|external_id|anonymous_id>, event.<name>.<count|exists|first|last|first_time>, " \
	"event.<name>.<property|sum|avg|min|max>.<path>, segment.<slug or id>."
#define HINT_IDENTIFIER "Identifiers: email, phone, external_id, anonymous_id."
#define HINT_PATH "Pieces are joined by dots, as in \"trait.address.city\"; " \
	"a key with a dot goes into an array: [\"trait\", \"a.b\"]."
#define HINT_EVENT_DOCUMENT "Fields of an event: property.<path>, context.<path>."
#define HINT_CAMPAIGN "Write it as campaign.<column> or <column>, or one of " \
	"spend, revenue, cpc, cpm, cpa, conversion_rate."

/* Fields, columns, probes and predicates that a program has already, by bytes that describe them. */
typedef struct Interned
{
	Key			key;
	int			index;
	uint32		hash;
	char		status;
} Interned;

#define SH_PREFIX interned
#define SH_ELEMENT_TYPE Interned
#define SH_KEY_TYPE Key
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_bytes((const unsigned char *) (key).name, (key).length)
#define SH_EQUAL(table, a, b) ((a).length == (b).length && memcmp((a).name, (b).name, (a).length) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) (entry)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/*
 * Finds or notes the bytes in `key`, which stays as it is as long as the parser; *index is that of the
 * thing they describe, `next` where it is new.
 */
bool
stratum_intern(Parser *parser, StringInfo key, int next, int *index)
{
	Interned   *entry;
	bool		found;

	if (parser->interned == NULL)
		parser->interned = interned_create(CurrentMemoryContext, 16, NULL);
	entry = interned_insert(parser->interned, (Key) {key->data, key->len}, &found);
	if (!found)
		entry->index = next;
	*index = entry->index;
	return found;
}

bool
stratum_piece_is(const Key *piece, const char *name)
{
	return (int) strlen(name) == piece->length && memcmp(piece->name, name, piece->length) == 0;
}

static char *
piece_string(const Key *piece)
{
	return pnstrdup(piece->name, piece->length);
}

/* --- columns --- */

/* The columns of the table that holds what the target is about; NULL while it is not there. */
TupleDesc
stratum_table_columns(StratumTarget target)
{
	const char *name = target == STRATUM_PROFILE ? "cdp_profiles" : target == STRATUM_EVENT ? "cdp_events" : "campaigns";
	Oid			schema = get_namespace_oid(STRATUM_SCHEMA, true);
	Oid			table = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
	Oid			type = OidIsValid(table) ? get_rel_type_id(table) : InvalidOid;

	if (!OidIsValid(type))
		return NULL;
	return lookup_rowtype_tupdesc_copy(type, -1);
}

static char *
columns_hint(StratumTarget target, TupleDesc columns)
{
	StringInfoData hint;
	const char *separator = "";

	initStringInfo(&hint);
	if (target == STRATUM_CAMPAIGN)
		appendStringInfoString(&hint, "Fields of a campaign: spend, revenue, cpc, cpm, cpa, "
							   "conversion_rate, and the columns ");
	else
		appendStringInfoString(&hint, "Columns: ");
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(columns, i);

		if (column->attisdropped)
			continue;
		appendStringInfo(&hint, "%s%s", separator, NameStr(column->attname));
		separator = ", ";
	}
	appendStringInfoChar(&hint, '.');
	return hint.data;
}

static ColumnReader
choose_reader(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return READ_BOOL;
		case INT2OID:
			return READ_INT2;
		case INT4OID:
			return READ_INT4;
		case INT8OID:
			return READ_INT8;
		case FLOAT4OID:
			return READ_FLOAT4;
		case FLOAT8OID:
			return READ_FLOAT8;
		case NUMERICOID:
			return READ_NUMERIC;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return READ_TEXT;
		case JSONBOID:
			return READ_JSONB;
		case JSONOID:
			return READ_ENCODED;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return READ_TIMESTAMP;
		case DATEOID:
			return READ_DATE;
		default:
			break;
	}
	if (type_is_enum(type))
		return READ_OUTPUT;
	/* A built-in type has no cast to json that to_jsonb would look for. */
	if (type < FirstNormalObjectId && !type_is_rowtype(type) &&
		!OidIsValid(get_element_type(type)))
		return READ_OUTPUT;
	return READ_ENCODED;
}

static void
prepare_column(Column *column, Oid type)
{
	column->type = getBaseType(type);
	column->reader = choose_reader(column->type);
	if (column->reader == READ_OUTPUT)
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(column->type, &function, &is_varlena);
		fmgr_info(function, &column->output);
	}
	if (column->reader == READ_ENCODED)
		stratum_json_encoder_init(&column->encoder, column->type, CurrentMemoryContext);
}

/* The column of that name; NULL where `columns` is NULL or has none. */
static Form_pg_attribute
find_attribute(TupleDesc columns, const char *name)
{
	AttrNumber	number = columns ? stratum_find_column(columns, name, STRATUM_ANYTHING) : 0;

	return number > 0 ? TupleDescAttr(columns, number - 1) : NULL;
}

/* A column that the row lacks: an error at the end, unless it may be missing. */
static void
note_lacking(Parser *parser, const char *name)
{
	const Program *program = parser->program;

	if (program->row_type != NULL && !program->lenient)
		appendStringInfo(&parser->lacking, "%s\"%s\"", parser->lacking.len > 0 ? ", " : "", name);
}

/*
 * The index of a column among those of the program. One that neither the row nor the table has is
 * refused, unless `built_in`: those are part of the documented tables.
 */
static int
use_column(Parser *parser, const Place *place, const char *name, bool built_in)
{
	Program    *program = parser->program;
	TupleDesc	row = program->row_type;
	Form_pg_attribute given = find_attribute(row, name);
	Form_pg_attribute documented = find_attribute(parser->table, name);
	StringInfoData key;
	Column	   *column;
	int			index;

	initStringInfo(&key);
	appendStringInfo(&key, "column %s", name);
	if (stratum_intern(parser, &key, program->ncolumns, &index))
		return index;
	if (given == NULL && documented == NULL && parser->table != NULL && !built_in)
		stratum_refuse(place, columns_hint(program->target, row && !program->lenient ? row : parser->table),
					   "unknown column \"%s\"", stratum_quote(name, strlen(name)));
	if (given == NULL)
		note_lacking(parser, name);

	program->columns = stratum_grow(program->columns, program->ncolumns, &parser->columns_room,
									sizeof(Column));
	column = &program->columns[program->ncolumns];
	memset(column, 0, sizeof(Column));
	column->name = pstrdup(name);
	if (given != NULL)
	{
		column->number = given->attnum;
		prepare_column(column, given->atttypid);
	}
	else if (documented != NULL && (row == NULL || program->lenient))
		prepare_column(column, documented->atttypid);
	return program->ncolumns++;
}

/* A column that must be of certain types for the field to make sense. */
static int
use_typed_column(Parser *parser, const Place *place, const char *name, const char *types,
				 ColumnReader least, ColumnReader most)
{
	int			index = use_column(parser, place, name, true);
	const Column *column = &parser->program->columns[index];

	if (OidIsValid(column->type) && (column->reader < least || column->reader > most))
		ereport(ERROR,
				errcode(ERRCODE_DATATYPE_MISMATCH),
				errmsg("column \"%s\" is of type %s, expected %s", name,
					   format_type_be(column->type), types));
	return index;
}

int
stratum_use_document(Parser *parser, const Place *place, const char *name)
{
	return use_typed_column(parser, place, name, "jsonb", READ_JSONB, READ_JSONB);
}

static int
use_number(Parser *parser, const Place *place, const char *name)
{
	return use_typed_column(parser, place, name, "a number", READ_INT2, READ_NUMERIC);
}

int
stratum_use_integer(Parser *parser, const Place *place, const char *name)
{
	return use_typed_column(parser, place, name, "an integer", READ_INT2, READ_INT8);
}

/* --- names --- */

static void
split_name(const Value *name, Pieces *result)
{
	const char *at = name->of.string;
	const char *end = at + name->length;
	int			room = 1;

	for (const char *s = at; s < end; s++)
		room += *s == '.';
	result->pieces = palloc_extended(room * sizeof(Key), MCXT_ALLOC_HUGE);
	for (;;)
	{
		const char *dot = memchr(at, '.', end - at);
		const char *stop = dot ? dot : end;

		result->pieces[result->count++] = (Key) {at, stop - at};
		if (dot == NULL)
			return;
		at = dot + 1;
	}
}

static void
read_name_array(const Place *place, const Value *name, Pieces *result)
{
	Elements	elements;
	Value		element;

	stratum_json_elements(name->of.container, &elements);
	result->pieces = palloc_extended((elements.count + 1) * sizeof(Key), MCXT_ALLOC_HUGE);
	while (stratum_json_next(&elements, &element))
	{
		Place		at = {.outer = place, .index = elements.next - 1};

		if (element.kind != VALUE_STRING)
			stratum_refuse(&at, HINT_PATH, "a piece of a field must be a string");
		result->pieces[result->count++] = (Key) {element.of.string, element.length};
	}
}

void
stratum_read_pieces(const Place *place, const Value *name, Pieces *result)
{
	if (name->kind == VALUE_STRING)
		split_name(name, result);
	else if (name->kind == VALUE_ARRAY)
		read_name_array(place, name, result);
	else
		stratum_refuse(place, HINT_PATH, "the field must be a string or an array of strings");
	/* In a dotted name an empty piece is a slip; in an array it is what it says: the key "". */
	for (int i = 0; i < result->count && name->kind == VALUE_STRING; i++)
	{
		if (result->pieces[i].length == 0)
			stratum_refuse(place, HINT_PATH, "a piece of the field is empty");
	}
	if (result->count == 0)
		stratum_refuse(place, HINT_PATH, "the field is empty");
}

void
stratum_refuse_field(const Place *place, const Pieces *name, const char *hint)
{
	StringInfoData joined;

	initStringInfo(&joined);
	for (int i = 0; i < name->count && joined.len < 200; i++)
		appendStringInfo(&joined, "%s%s", i > 0 ? "." : "",
						 stratum_quote(name->pieces[i].name, name->pieces[i].length));
	stratum_refuse(place, hint, "unknown field \"%s\"", joined.data);
}

/* --- fields of a profile --- */

static bool
read_document_field(Parser *parser, const Place *place, const Pieces *name, Field *field)
{
	static const char *const documents[][2] = {
		{"trait", "traits"}, {"computed", "computed_traits"}, {"consent", "consent"}
	};

	for (int i = 0; i < (int) lengthof(documents); i++)
	{
		if (!stratum_piece_is(&name->pieces[0], documents[i][0]))
			continue;
		if (name->count < 2)
			stratum_refuse_field(place, name, HINT_PROFILE);
		field->source = FIELD_DOCUMENT;
		field->column = stratum_use_document(parser, place, documents[i][1]);
		field->path = name->pieces + 1;
		field->npath = name->count - 1;
		return true;
	}
	return false;
}

static void
read_identifier_field(Parser *parser, const Place *place, const Pieces *name, Field *field)
{
	static const char *const identifiers[] = {"email", "phone", "external_id", "anonymous_id"};

	for (int i = 0; name->count == 2 && i < (int) lengthof(identifiers); i++)
	{
		if (!stratum_piece_is(&name->pieces[1], identifiers[i]))
			continue;
		field->source = FIELD_PRESENCE;
		field->column = use_column(parser, place, identifiers[i], true);
		return;
	}
	stratum_refuse_field(place, name, HINT_IDENTIFIER);
}

static void
read_profile_field(Parser *parser, const Place *place, const Pieces *name, const EventFilter *filter,
				   Field *field)
{
	const Key  *source = &name->pieces[0];

	if (read_document_field(parser, place, name, field))
		return;
	if (stratum_piece_is(source, "identifier"))
		read_identifier_field(parser, place, name, field);
	else if (stratum_piece_is(source, "event"))
		stratum_read_event_field(parser, place, name, filter, field);
	else if (stratum_piece_is(source, "segment"))
		stratum_read_segment_field(parser, place, name, field);
	else if (stratum_piece_is(source, "profile") && name->count == 2)
	{
		field->source = FIELD_COLUMN;
		field->column = use_column(parser, place, piece_string(&name->pieces[1]), false);
	}
	else
		stratum_refuse_field(place, name, HINT_PROFILE);
}

/* --- fields of an event, in a condition's "where" --- */

static void
read_event_document(Parser *parser, const Place *place, const Pieces *name, Field *field)
{
	bool		is_property = stratum_piece_is(&name->pieces[0], "property");

	if (name->count < 2 || (!is_property && !stratum_piece_is(&name->pieces[0], "context")))
		stratum_refuse_field(place, name, HINT_EVENT_DOCUMENT);
	field->source = FIELD_DOCUMENT;
	field->column = stratum_use_document(parser, place, is_property ? "properties" : "context");
	field->path = name->pieces + 1;
	field->npath = name->count - 1;
}

/* --- fields of a campaign --- */

/* The fields that are computed from columns. */
static bool
read_derived_field(Parser *parser, const Place *place, const Key *name, Field *field)
{
	static const char *const amounts[][2] = {
		{"spend", "total_spend_cents"}, {"revenue", "revenue_cents"},
		{"cpc", "cpc_cents"}, {"cpm", "cpm_cents"}, {"cpa", "cpa_cents"}
	};

	for (int i = 0; i < (int) lengthof(amounts); i++)
	{
		if (!stratum_piece_is(name, amounts[i][0]))
			continue;
		field->source = FIELD_HUNDREDTH;
		field->column = use_number(parser, place, amounts[i][1]);
		return true;
	}
	if (!stratum_piece_is(name, "conversion_rate"))
		return false;
	field->source = FIELD_CONVERSION_RATE;
	field->column = use_number(parser, place, "conversions");
	field->divisor = use_number(parser, place, "clicks");
	return true;
}

static void
read_campaign_field(Parser *parser, const Place *place, const Pieces *name, Field *field)
{
	const Key  *column = &name->pieces[name->count - 1];

	if (name->count == 1 && read_derived_field(parser, place, column, field))
		return;
	if (name->count > 2 || (name->count == 2 && !stratum_piece_is(&name->pieces[0], "campaign")))
		stratum_refuse_field(place, name, HINT_CAMPAIGN);
	field->source = FIELD_COLUMN;
	field->column = use_column(parser, place, piece_string(column), false);
}

/* --- all fields --- */

/* Bytes that are the same for the same field and no other. */
static void
describe_field(const Field *field, StringInfo key)
{
	initStringInfo(key);
	appendStringInfo(key, "field %d %d %d %d %d %d %d", field->source, field->column, field->divisor,
					 field->probe, field->numbers, field->sequence, field->part);
	for (int i = 0; i < field->npath; i++)
	{
		appendStringInfo(key, " %d:", field->path[i].length);
		appendBinaryStringInfo(key, field->path[i].name, field->path[i].length);
	}
}

/* The index of a field, which is added to the program if it is new. */
int
stratum_add_field(Parser *parser, const Field *field)
{
	Program    *program = parser->program;
	StringInfoData key;
	int			index;

	describe_field(field, &key);
	if (stratum_intern(parser, &key, program->nfields, &index))
		return index;
	program->fields = stratum_grow(program->fields, program->nfields, &parser->fields_room,
								   sizeof(Field));
	program->fields[program->nfields] = *field;
	return program->nfields++;
}

/*
 * The index of the field that `name` stands for; it is added to the program if it is new. `filter` are the
 * condition's keys that only go with events.
 */
int
stratum_parse_field(Parser *parser, const Place *place, const Value *name, const EventFilter *filter)
{
	Program    *program = parser->program;
	Pieces		pieces = {0};
	Field		field = {.numbers = -1, .sequence = -1};

	stratum_read_pieces(place, name, &pieces);
	if (program->target == STRATUM_PROFILE)
		read_profile_field(parser, place, &pieces, filter, &field);
	else if (program->target == STRATUM_EVENT)
		read_event_document(parser, place, &pieces, &field);
	else
		read_campaign_field(parser, place, &pieces, &field);
	if (field.source != FIELD_EVENT)
		stratum_refuse_filter(filter);
	return stratum_add_field(parser, &field);
}

/* Whether the field is a point in time; *unknown when that cannot be said, for want of the table. */
bool
stratum_field_is_time(const Program *program, int field, bool *unknown)
{
	const Field *f = &program->fields[field];

	*unknown = false;
	if (f->source == FIELD_EVENT)
		return f->part == EVENT_FIRST || f->part == EVENT_LAST;
	if (f->source == FIELD_COLUMN)
	{
		const Column *column = &program->columns[f->column];

		*unknown = !OidIsValid(column->type);
		return column->reader == READ_TIMESTAMP || column->reader == READ_DATE;
	}
	return false;
}

/* What reading the field costs, in units of an equality. It only orders the members of a group. */
double
stratum_field_cost(const Program *program, int field)
{
	const Field *f = &program->fields[field];

	switch (f->source)
	{
		case FIELD_DOCUMENT:
			return 2 + 2 * f->npath;
		case FIELD_EVENT:
			return 1000;
		case FIELD_CONVERSION_RATE:
			return 20;
		case FIELD_SEGMENT:
			return 1;
		default:
			return program->columns[f->column].reader >= READ_OUTPUT ? 20 : 2;
	}
}
