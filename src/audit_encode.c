/*
 * audit_encode.c
 *	  A row as jsonb, to the byte what pg_catalog.to_jsonb makes of it.
 *
 * to_jsonb sorts the keys of every row, looks up every type again and takes nested jsonb apart to put
 * it together anew. Here keys are sorted once for a table, types are known, values go straight into
 * the buffer of the result, and nested jsonb is copied as it is. Types that are not known, or may have
 * a cast to json of somebody's, take the slow way: to_jsonb itself.
 *
 * The layout is that of utils/jsonb.h: a header with the number of pairs, an entry for each key, an
 * entry for each value, the keys' bytes, the values' bytes. Numbers and containers are aligned, and
 * the padding counts as theirs.
 */
#include "audit.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"


typedef struct Bytes
{
	char	   *data;
	Size		used;
	Size		size;
} Bytes;

/* --- what is known of a column --- */

/* Whether to_jsonb would make a string of the type's output, without asking for casts of somebody's. */
static bool
is_plain_scalar(Oid type)
{
	Oid			function;

	if (type_is_rowtype(type) || OidIsValid(get_element_type(type)) ||
		get_typtype(type) == TYPTYPE_PSEUDO)
		return false;
	if (type < FirstNormalObjectId)
		return type != JSONOID;
	return type_is_enum(type) &&
		find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function) != COERCION_PATH_FUNC;
}

static AuditEncoding
encoding_of(Oid type)
{
	switch (type)
	{
		case INT2OID:
			return AUDIT_ENCODE_INT2;
		case INT4OID:
			return AUDIT_ENCODE_INT4;
		case INT8OID:
			return AUDIT_ENCODE_INT8;
		case FLOAT4OID:
			return AUDIT_ENCODE_FLOAT4;
		case FLOAT8OID:
			return AUDIT_ENCODE_FLOAT8;
		case NUMERICOID:
			return AUDIT_ENCODE_NUMERIC;
		case BOOLOID:
			return AUDIT_ENCODE_BOOL;
		case TEXTOID:
		case VARCHAROID:
			return AUDIT_ENCODE_TEXT;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return AUDIT_ENCODE_TIME;
		case JSONBOID:
			return AUDIT_ENCODE_JSONB;
		default:
			return is_plain_scalar(type) ? AUDIT_ENCODE_OUTPUT : AUDIT_ENCODE_ANY;
	}
}

/* In the current memory context, where all that the column needs will be. */
void
stratum_choose_encoding(AuditColumn *column, Oid type)
{
	Oid			output;
	bool		is_varlena;

	column->type = getBaseType(type);
	column->encoding = encoding_of(column->type);
	stratum_json_encoder_init(&column->encoder, type, CurrentMemoryContext);
	if (column->encoding != AUDIT_ENCODE_OUTPUT)
		return;
	getTypeOutputInfo(column->type, &output, &is_varlena);
	fmgr_info_cxt(output, &column->output, CurrentMemoryContext);
}

static int
compare_columns(const void *a, const void *b)
{
	const AuditColumn *left = a;
	const AuditColumn *right = b;

	if (left->name_length != right->name_length)
		return left->name_length < right->name_length ? -1 : 1;
	return memcmp(left->name, right->name, left->name_length);
}

/* Shorter keys come first in an object, then the bytes count. */
void
stratum_sort_columns(AuditTable *table)
{
	qsort(table->columns, table->ncolumns, sizeof(AuditColumn), compare_columns);
}

/* --- the buffer --- */

static void
refuse_size(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("row is too large for the audit trail"),
			 errdetail("Its values as jsonb may have %u bytes.", JENTRY_OFFLENMASK)));
}

static pg_noinline void
enlarge(Bytes *buffer, Size more)
{
	/* An object cannot have more; one value may get it above that before this is seen. */
	if (more > JENTRY_OFFLENMASK || buffer->used > JENTRY_OFFLENMASK)
		refuse_size();
	while (buffer->size - buffer->used < more)
		buffer->size *= 2;
	buffer->data = repalloc(buffer->data, buffer->size);
}

static inline void
reserve(Bytes *buffer, Size more)
{
	if (buffer->size - buffer->used < more)
		enlarge(buffer, more);
}

static inline void
put(Bytes *buffer, const void *bytes, Size count)
{
	reserve(buffer, count);
	memcpy(buffer->data + buffer->used, bytes, count);
	buffer->used += count;
}

static inline void
align(Bytes *buffer)
{
	reserve(buffer, ALIGNOF_INT);
	while (buffer->used % ALIGNOF_INT != 0)
		buffer->data[buffer->used++] = '\0';
}

/* --- values: each returns the type for the value's entry --- */

static inline JEntry
put_string(Bytes *buffer, const char *string, Size length)
{
	put(buffer, string, length);
	return JENTRY_ISSTRING;
}

static inline JEntry
put_numeric(Bytes *buffer, Numeric number)
{
	align(buffer);
	put(buffer, number, VARSIZE_ANY(number));
	return JENTRY_ISNUMERIC;
}

static JEntry
put_number(Bytes *buffer, Numeric number)
{
	char	   *text;

	if (!numeric_is_nan(number) && !numeric_is_inf(number))
		return put_numeric(buffer, number);
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	return put_string(buffer, text, strlen(text));
}

/* A floating-point number by its shortest text; NaN and the infinities are strings. */
static JEntry
put_float(Bytes *buffer, char *text)
{
	if (strpbrk(text, "Nn") != NULL)
		return put_string(buffer, text, strlen(text));
	return put_numeric(buffer, DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
																   ObjectIdGetDatum(InvalidOid),
																   Int32GetDatum(-1))));
}

static JEntry
put_scalar_of_jsonb(Bytes *buffer, Jsonb *json)
{
	JsonbValue	value;

	if (!JsonbExtractScalar(&json->root, &value))
		elog(ERROR, "a scalar of jsonb is none");
	switch (value.type)
	{
		case jbvNull:
			return JENTRY_ISNULL;
		case jbvBool:
			return value.val.boolean ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case jbvNumeric:
			return put_numeric(buffer, value.val.numeric);
		default:
			return put_string(buffer, value.val.string.val, value.val.string.len);
	}
}

static JEntry
put_jsonb(Bytes *buffer, Jsonb *json)
{
	if (JB_ROOT_IS_SCALAR(json))
		return put_scalar_of_jsonb(buffer, json);
	align(buffer);
	put(buffer, &json->root, VARSIZE(json) - VARHDRSZ);
	return JENTRY_ISCONTAINER;
}

static JEntry
put_text(Bytes *buffer, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	return put_string(buffer, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

static JEntry
put_output(Bytes *buffer, const AuditColumn *column, Datum value)
{
	char	   *text = OutputFunctionCall(unconstify(FmgrInfo *, &column->output), value);

	return put_string(buffer, text, strlen(text));
}

static JEntry
put_time(Bytes *buffer, const AuditColumn *column, Datum value)
{
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, value, column->type, NULL);
	return put_string(buffer, text, strlen(text));
}

static JEntry
put_value(Bytes *buffer, const AuditColumn *column, Datum value)
{
	switch (column->encoding)
	{
		case AUDIT_ENCODE_ANY:
			return put_jsonb(buffer, stratum_encode_value(column, value));
		case AUDIT_ENCODE_OUTPUT:
			return put_output(buffer, column, value);
		case AUDIT_ENCODE_TEXT:
			return put_text(buffer, value);
		case AUDIT_ENCODE_INT2:
			return put_numeric(buffer, int64_to_numeric(DatumGetInt16(value)));
		case AUDIT_ENCODE_INT4:
			return put_numeric(buffer, int64_to_numeric(DatumGetInt32(value)));
		case AUDIT_ENCODE_INT8:
			return put_numeric(buffer, int64_to_numeric(DatumGetInt64(value)));
		case AUDIT_ENCODE_FLOAT4:
			return put_float(buffer, DatumGetCString(DirectFunctionCall1(float4out, value)));
		case AUDIT_ENCODE_FLOAT8:
			return put_float(buffer, DatumGetCString(DirectFunctionCall1(float8out, value)));
		case AUDIT_ENCODE_NUMERIC:
			return put_number(buffer, DatumGetNumeric(value));
		case AUDIT_ENCODE_BOOL:
			return DatumGetBool(value) ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case AUDIT_ENCODE_TIME:
			return put_time(buffer, column, value);
		case AUDIT_ENCODE_JSONB:
			return put_jsonb(buffer, DatumGetJsonbP(value));
	}
	elog(ERROR, "unknown encoding %d", (int) column->encoding);
}

/* --- rows --- */

/* Adds an entry: its length, or at every 32nd the end of what it names, which saves adding up. */
static inline void
set_entry(JEntry *entries, int number, JEntry type, Size length, Size *total)
{
	*total += length;
	if (*total > JENTRY_OFFLENMASK)
		refuse_size();
	if (number % JB_OFFSET_STRIDE == 0)
		entries[number] = type | (JEntry) *total | JENTRY_HAS_OFF;
	else
		entries[number] = type | (JEntry) length;
}

static int
count_wanted(const AuditTable *table, const bool *wanted)
{
	int			count = 0;

	if (wanted == NULL)
		return table->ncolumns;
	for (int i = 0; i < table->ncolumns; i++)
		count += wanted[i];
	return count;
}

/* The entries lie in the buffer, which moves when it grows. */
#define ENTRIES(buffer) ((JEntry *) ((buffer)->data + VARHDRSZ + sizeof(uint32)))

static Size
put_keys(Bytes *buffer, const AuditTable *table, const bool *wanted)
{
	int			number = 0;
	Size		total = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		const AuditColumn *column = &table->columns[i];

		if (wanted != NULL && !wanted[i])
			continue;
		put(buffer, column->name, column->name_length);
		set_entry(ENTRIES(buffer), number++, JENTRY_ISSTRING, column->name_length, &total);
	}
	return total;
}

static void
put_values(Bytes *buffer, const AuditTable *table, const Datum *values, const bool *nulls,
		   const bool *wanted, int number, Size total)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		const AuditColumn *column = &table->columns[i];
		int			index = column->number - 1;
		Size		before = buffer->used;
		JEntry		type;

		if (wanted != NULL && !wanted[i])
			continue;
		if (nulls[index])
			type = JENTRY_ISNULL;
		else if (column->redacted)
		{
			const char *shown = stratum_redacted_value(column, values[index]);

			type = put_string(buffer, shown, strlen(shown));
		}
		else
			type = put_value(buffer, column, values[index]);
		set_entry(ENTRIES(buffer), number++, type, buffer->used - before, &total);
	}
}

/*
 * The columns of a row that are `wanted` (NULL: all), as an object in the current memory context.
 * Redacted values never get into it.
 */
Jsonb *
stratum_encode_row(const AuditTable *table, const Datum *values, const bool *nulls,
				   const bool *wanted)
{
	int			count = count_wanted(table, wanted);
	Size		head = VARHDRSZ + sizeof(uint32) + 2 * count * sizeof(JEntry);
	Bytes		buffer;
	Size		total;

	buffer.size = head + (wanted == NULL ? 1024 : 48 * count);
	buffer.used = head;
	buffer.data = palloc(buffer.size);
	*(uint32 *) (buffer.data + VARHDRSZ) = count | JB_FOBJECT;
	total = put_keys(&buffer, table, wanted);
	put_values(&buffer, table, values, nulls, wanted, count, total);
	SET_VARSIZE(buffer.data, buffer.used);
	return (Jsonb *) buffer.data;
}

/* --- single values --- */

Jsonb *
stratum_encode_string(const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	return JsonbValueToJsonb(&value);
}

/*
 * A value as the trail shows it, the slow way; never NULL. json that jsonb cannot hold is shown as a
 * string.
 */
Jsonb *
stratum_encode_value(const AuditColumn *column, Datum value)
{
	Jsonb	   *result;
	text	   *unfit;

	if (column->redacted)
		return stratum_encode_string(stratum_redacted_value(column, value));
	result = stratum_json_encode(unconstify(StratumJsonEncoder *, &column->encoder), value, &unfit);
	return result != NULL ? result : stratum_encode_string(text_to_cstring(unfit));
}

/* Whether what a value reads as may depend on TimeZone. */
static bool
shows_times(const AuditColumn *column)
{
	Oid			type = column->type;

	if (column->encoding == AUDIT_ENCODE_ANY)
		return OidIsValid(get_element_type(type)) || type_is_rowtype(type) || type_is_range(type) ||
			type_is_multirange(type);
	return type == TIMESTAMPTZOID || type == TSTZRANGEOID || type == TSTZMULTIRANGEOID;
}

/* As stratum_encode_value(), with times in UTC: what values are told apart by must not depend on the session. */
Jsonb *
stratum_encode_value_in_utc(const AuditColumn *column, Datum value)
{
	Jsonb	   *result;
	char		buffer[MAXDATELEN + 1];
	int			utc = 0;
	int			level;

	/* what is redacted comes here again, in clear, if its value counts */
	if (column->redacted || !shows_times(column) || strcmp(pg_get_timezone_name(session_timezone), "UTC") == 0)
		return stratum_encode_value(column, value);
	if (column->type == TIMESTAMPTZOID)
	{
		JsonEncodeDateTime(buffer, value, TIMESTAMPTZOID, &utc);
		return stratum_encode_string(buffer);
	}
	level = NewGUCNestLevel();
	(void) set_config_option("TimeZone", "UTC", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = stratum_encode_value(column, value);
	AtEOXact_GUC(true, level);
	return result;
}
