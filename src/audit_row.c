/*
 * audit_row.c
 *	  Makes an entry of the audit trail of a change to a row.
 *
 * Values are encoded as the user who made the change: a type may have a cast to json that its owner
 * wrote, and that must not run with the rights of the log's owner.
 */
#include "audit.h"

#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* --- values --- */

static void
push_json(JsonbParseState **state, JsonbIteratorToken token, Jsonb *json)
{
	JsonbValue	value = {.type = jbvBinary};

	value.val.binary.data = &json->root;
	value.val.binary.len = VARSIZE(json) - VARHDRSZ;
	pushJsonbValue(state, token, &value);
}

static void
push_name(JsonbParseState **state, const char *name)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, name);
	value.val.string.len = strlen(name);
	pushJsonbValue(state, WJB_KEY, &value);
}

/* --- the key --- */

/* A string's characters, anything else as JSON has it. */
char *
stratum_json_text(Jsonb *json)
{
	JsonbValue	value;

	if (JB_ROOT_IS_SCALAR(json) && JsonbExtractScalar(&json->root, &value) &&
		value.type == jbvString)
		return pnstrdup(value.val.string.val, value.val.string.len);
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

static char *
composite_key_as_text(const AuditTable *table, TupleTableSlot *slot)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < table->nkeys; i++)
		push_json(&state, WJB_ELEM,
				  stratum_encode_value_in_utc(table->keys[i], slot->tts_values[table->keys[i]->number - 1]));
	return stratum_json_text(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
}

static char *
number_as_text(int64 number)
{
	char	   *result = palloc(MAXINT8LEN + 1);

	pg_lltoa(number, result);
	return result;
}

/* The usual keys are numbers and texts. */
static char *
single_key_as_text(const AuditColumn *column, Datum value)
{
	Jsonb	   *json;

	if (!column->redacted)
	{
		switch (column->encoding)
		{
			case AUDIT_ENCODE_INT2:
				return number_as_text(DatumGetInt16(value));
			case AUDIT_ENCODE_INT4:
				return number_as_text(DatumGetInt32(value));
			case AUDIT_ENCODE_INT8:
				return number_as_text(DatumGetInt64(value));
			case AUDIT_ENCODE_TEXT:
				return TextDatumGetCString(value);
			case AUDIT_ENCODE_JSONB:
				/* the string "1" is not the number 1 */
				json = DatumGetJsonbP(value);
				return JsonbToCString(NULL, &json->root, VARSIZE(json));
			default:
				break;
		}
	}
	return stratum_json_text(stratum_encode_value_in_utc(column, value));
}

/*
 * The text of a row's key: the value's own, a JSON array of the values for a composite key, NULL
 * where the table has none. No cutting: two rows must not become one.
 */
static char *
key_as_text(const AuditTable *table, TupleTableSlot *slot)
{
	char	   *result;
	int			length;

	if (table->nkeys == 0)
		return NULL;
	if (table->nkeys > 1)
		result = composite_key_as_text(table, slot);
	else
		result = single_key_as_text(table->keys[0], slot->tts_values[table->keys[0]->number - 1]);
	length = pg_mbstrlen(result);
	if (length > AUDIT_RESOURCE_ID_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("key of a row of %s is too long for the audit trail", table->resource_type),
				 errdetail("It has %d characters; audit_logs.resource_id holds %d.",
						   length, AUDIT_RESOURCE_ID_LENGTH),
				 errhint("Give the table a shorter primary key, such as a number or a hash.")));
	return result;
}

/* --- the tenant --- */

static int64
tenant_of_context(void)
{
	return stratum_context()->tenant_id;
}

/* The row's own tenant; the context's where the table has no tenant_id. */
static int64
tenant_of_row(const AuditTable *table, TupleTableSlot *slot)
{
	int			index = table->tenant_id - 1;

	if (table->tenant_id == 0)
		return tenant_of_context();
	if (slot->tts_isnull[index])
		return 0;
	return stratum_integer(TupleDescAttr(slot->tts_tupleDescriptor, index), slot->tts_values[index]);
}

/* --- changes --- */

/* Marks the columns that differ; false if none does, or only such as are ignored. */
static bool
find_changes(const AuditTable *table, TupleTableSlot *old, TupleTableSlot *new, bool *changed)
{
	TupleDesc	desc = new->tts_tupleDescriptor;
	bool		worth = false;

	for (int i = 0; i < table->ncolumns; i++)
	{
		int			index = table->columns[i].number - 1;

		changed[i] = !stratum_same_value(TupleDescAttr(desc, index),
										 old->tts_values[index], old->tts_isnull[index],
										 new->tts_values[index], new->tts_isnull[index]);
		worth |= changed[i] && !table->columns[i].ignored;
	}
	return worth;
}

static bool
is_true(TupleTableSlot *slot, AttrNumber number)
{
	return !slot->tts_isnull[number - 1] && DatumGetBool(slot->tts_values[number - 1]);
}

static bool
key_changed(const AuditTable *table, const bool *changed)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		if (changed[table->keys[i] - table->columns])
			return true;
	}
	return false;
}

/* --- metadata --- */

/* Whether a value is JSON's null, which old_values and new_values show as they show SQL's. */
static bool
is_json_null(const AuditColumn *column, TupleTableSlot *slot)
{
	int			index = column->number - 1;
	struct varlena *stored;
	Jsonb	   *json;

	if (column->encoding != AUDIT_ENCODE_JSONB || column->redacted || slot->tts_isnull[index])
		return false;
	/* It has a size that few values have: do not fetch the others. */
	stored = (struct varlena *) DatumGetPointer(slot->tts_values[index]);
	if (VARATT_IS_EXTERNAL(stored) ||
		VARSIZE_ANY_EXHDR(stored) != sizeof(uint32) + sizeof(JEntry))
		return false;
	json = DatumGetJsonbP(slot->tts_values[index]);
	return JB_ROOT_IS_SCALAR(json) && JBE_ISNULL(json->root.children[0]);
}

/* Columns of a row (NULL: none) that are JSON's null, as strings; NIL if none is. */
static List *
json_nulls(const AuditTable *table, TupleTableSlot *slot, const bool *wanted)
{
	List	   *result = NIL;

	for (int i = 0; slot != NULL && i < table->ncolumns; i++)
	{
		if ((wanted == NULL || wanted[i]) && is_json_null(&table->columns[i], slot))
			result = lappend(result, unconstify(char *, table->columns[i].name));
	}
	return result;
}

static void
push_names(JsonbParseState **state, const char *key, List *names)
{
	ListCell   *cell;

	if (names == NIL)
		return;
	push_name(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, names)
		push_json(state, WJB_ELEM, stratum_encode_string(lfirst(cell)));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * What old_values and new_values cannot tell; NULL for nothing. {"previous_resource_id": ...}: the row's
 * history goes on under that key. {"json_null": {"old": [...], "new": [...]}}: which nulls are JSON's.
 */
static Jsonb *
make_metadata(const AuditTable *table, TupleTableSlot *old, TupleTableSlot *new, const bool *wanted,
			  const char *previous_key)
{
	JsonbParseState *state = NULL;
	List	   *old_nulls = json_nulls(table, old, wanted);
	List	   *new_nulls = json_nulls(table, new, wanted);

	if (previous_key == NULL && old_nulls == NIL && new_nulls == NIL)
		return NULL;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (previous_key != NULL)
	{
		push_name(&state, "previous_resource_id");
		push_json(&state, WJB_VALUE, stratum_encode_string(previous_key));
	}
	if (old_nulls != NIL || new_nulls != NIL)
	{
		push_name(&state, "json_null");
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		push_names(&state, "old", old_nulls);
		push_names(&state, "new", new_nulls);
		pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* --- entries --- */

static bool
describe_update(const AuditTable *table, TupleTableSlot *old, TupleTableSlot *new,
				AuditEntry *entry)
{
	bool		changed[MaxTupleAttributeNumber];

	slot_getallattrs(old);
	slot_getallattrs(new);
	entry->tenant_id = tenant_of_row(table, new);
	entry->is_there = true;
	entry->loosens = tenant_of_row(table, old) != entry->tenant_id;
	if (!find_changes(table, old, new, changed))
		return false;
	entry->action = AUDIT_UPDATE;
	if (table->is_deleted != 0 && !is_true(old, table->is_deleted) && is_true(new, table->is_deleted))
		entry->action = AUDIT_DELETE;
	entry->resource_id = key_as_text(table, new);
	entry->old_values = stratum_encode_row(table, old->tts_values, old->tts_isnull, changed);
	entry->new_values = stratum_encode_row(table, new->tts_values, new->tts_isnull, changed);
	entry->metadata = make_metadata(table, old, new, changed,
									key_changed(table, changed) ? key_as_text(table, old) : NULL);
	return true;
}

static void
describe_whole_row(const AuditTable *table, TupleTableSlot *slot, AuditAction action,
				   AuditEntry *entry)
{
	Jsonb	   *row;

	slot_getallattrs(slot);
	entry->action = action;
	entry->tenant_id = tenant_of_row(table, slot);
	entry->resource_id = key_as_text(table, slot);
	entry->is_there = action == AUDIT_CREATE;
	entry->loosens = !entry->is_there;
	row = stratum_encode_row(table, slot->tts_values, slot->tts_isnull, NULL);
	if (action == AUDIT_CREATE)
		entry->new_values = row;
	else
		entry->old_values = row;
	entry->metadata = make_metadata(table, action == AUDIT_CREATE ? NULL : slot,
									action == AUDIT_CREATE ? slot : NULL, NULL, NULL);
}

/*
 * Describes a change of a row, in the current memory context; false if there is nothing to be
 * logged. No old row: it was inserted; no new one: it was deleted.
 */
bool
stratum_describe_change(const AuditTable *table, TupleTableSlot *old, TupleTableSlot *new,
						AuditEntry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->resource_type = table->resource_type;
	if (old != NULL && new != NULL)
		return describe_update(table, old, new, entry);
	if (new != NULL)
		describe_whole_row(table, new, AUDIT_CREATE, entry);
	else
		describe_whole_row(table, old, AUDIT_DELETE, entry);
	return true;
}

/* All rows went at once: an entry without a row. */
void
stratum_describe_truncate(const AuditTable *table, AuditEntry *entry)
{
	JsonbParseState *state = NULL;

	memset(entry, 0, sizeof(*entry));
	entry->action = AUDIT_DELETE;
	entry->tenant_id = tenant_of_context();
	entry->resource_type = table->resource_type;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_name(&state, "operation");
	push_json(&state, WJB_VALUE, stratum_encode_string("truncate"));
	entry->metadata = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
