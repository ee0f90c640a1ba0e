/*
 * audit_row.c
 *	  Makes an entry of the audit trail of a change to a row.
 *
 * Values are encoded as the user who made the change: a type may have a cast to json that its owner
 * wrote, and that must not run with the rights of the log's owner.
 */
#include "audit.h"

#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"

#define REDACTED "[REDACTED]"

/* --- values --- */

static JsonbValue
string_value(const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	return value;
}

static Jsonb *
string_as_json(const char *string)
{
	JsonbValue	value = string_value(string);

	return JsonbValueToJsonb(&value);
}

/* A value as the trail shows it; never NULL. json that jsonb cannot hold is shown as a string. */
static Jsonb *
encode(const AuditColumn *column, Datum value)
{
	Jsonb	   *result;
	text	   *unfit;

	if (column->redacted)
		return string_as_json(REDACTED);
	result = stratum_json_encode(unconstify(StratumJsonEncoder *, &column->encoder), value, &unfit);
	return result != NULL ? result : string_as_json(text_to_cstring(unfit));
}

/* A value of a key. Times are in UTC, or a key's text would depend on the session. */
static Jsonb *
encode_key(const AuditColumn *column, Datum value)
{
	char		buffer[MAXDATELEN + 1];
	int			utc = 0;

	if (!column->is_timestamptz || column->redacted)
		return encode(column, value);
	JsonEncodeDateTime(buffer, value, TIMESTAMPTZOID, &utc);
	return string_as_json(buffer);
}

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
	JsonbValue	value = string_value(name);

	pushJsonbValue(state, WJB_KEY, &value);
}

/* The columns of a row that are `wanted` (NULL: all), as an object. */
static Jsonb *
row_as_json(const AuditTable *table, TupleTableSlot *slot, const bool *wanted)
{
	JsonbParseState *state = NULL;
	JsonbValue	null = {.type = jbvNull};

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < table->ncolumns; i++)
	{
		const AuditColumn *column = &table->columns[i];
		int			index = column->number - 1;

		if (wanted != NULL && !wanted[i])
			continue;
		push_name(&state, column->name);
		if (slot->tts_isnull[index])
			pushJsonbValue(&state, WJB_VALUE, &null);
		else
			push_json(&state, WJB_VALUE, encode(column, slot->tts_values[index]));
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* --- the key --- */

static char *
json_as_text(Jsonb *json)
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
				  encode_key(table->keys[i], slot->tts_values[table->keys[i]->number - 1]));
	return json_as_text(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL)));
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
		result = json_as_text(encode_key(table->keys[0],
										 slot->tts_values[table->keys[0]->number - 1]));
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
find_changes(const AuditTable *table, TupleDesc desc, TupleTableSlot *old, TupleTableSlot *new,
			 bool *changed)
{
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

/* {"previous_resource_id": ...}: the row's history goes on under that key. */
static Jsonb *
previous_key(const char *key)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_name(&state, "previous_resource_id");
	push_json(&state, WJB_VALUE, string_as_json(key));
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static bool
describe_update(const AuditTable *table, TriggerData *trigdata, AuditEntry *entry)
{
	TupleTableSlot *old = trigdata->tg_trigslot;
	TupleTableSlot *new = trigdata->tg_newslot;
	bool	   *changed = palloc(sizeof(bool) * table->ncolumns);

	slot_getallattrs(old);
	slot_getallattrs(new);
	if (!find_changes(table, RelationGetDescr(trigdata->tg_relation), old, new, changed))
		return false;
	entry->action = AUDIT_UPDATE;
	if (table->is_deleted != 0 && !is_true(old, table->is_deleted) && is_true(new, table->is_deleted))
		entry->action = AUDIT_DELETE;
	entry->tenant_id = tenant_of_row(table, new);
	entry->resource_id = key_as_text(table, new);
	entry->old_values = row_as_json(table, old, changed);
	entry->new_values = row_as_json(table, new, changed);
	if (key_changed(table, changed))
		entry->metadata = previous_key(key_as_text(table, old));
	return true;
}

static void
describe_whole_row(const AuditTable *table, TupleTableSlot *slot, AuditAction action,
				   AuditEntry *entry)
{
	slot_getallattrs(slot);
	entry->action = action;
	entry->tenant_id = tenant_of_row(table, slot);
	entry->resource_id = key_as_text(table, slot);
	if (action == AUDIT_CREATE)
		entry->new_values = row_as_json(table, slot, NULL);
	else
		entry->old_values = row_as_json(table, slot, NULL);
}

/*
 * Describes what a row trigger was called for, in the current memory context; false if there is
 * nothing to be logged.
 */
bool
stratum_describe_change(const AuditTable *table, TriggerData *trigdata, AuditEntry *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->resource_type = table->resource_type;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		return describe_update(table, trigdata, entry);
	describe_whole_row(table, trigdata->tg_trigslot,
					   TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? AUDIT_CREATE : AUDIT_DELETE,
					   entry);
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
	push_json(&state, WJB_VALUE, string_as_json("truncate"));
	entry->metadata = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
