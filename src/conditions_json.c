/*
 * conditions_json.c
 *	  Reading jsonb in place, without making JsonbValues of it.
 *
 * Keys of an object are sorted by length, then by bytes, and stand before the values. An entry says
 * its length, every 32nd its end (see jsonb.h).
 */
#include "conditions.h"

#include "miscadmin.h"

/* Objects with up to so many keys are scanned: cheaper than searching, whose steps need offsets. */
#define SCAN_LIMIT 64

static inline uint32
entry_end(JEntry entry, uint32 offset)
{
	return JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : offset + JBE_OFFLENFLD(entry);
}

/* The value of an entry that lies between two offsets. */
static void
read_entry(JEntry entry, const char *data, uint32 offset, uint32 end, Value *value)
{
	const char *aligned = data + INTALIGN(offset);

	switch (entry & JENTRY_TYPEMASK)
	{
		case JENTRY_ISSTRING:
			value->kind = VALUE_STRING;
			value->of.string = data + offset;
			value->length = end - offset;
			break;
		case JENTRY_ISNUMERIC:
			if (stratum_number_from_numeric((Numeric) aligned, &value->of.number))
				value->kind = VALUE_NUMBER;
			else
				value->kind = VALUE_NULL;
			break;
		case JENTRY_ISBOOL_TRUE:
		case JENTRY_ISBOOL_FALSE:
			value->kind = VALUE_BOOL;
			value->of.boolean = JBE_ISBOOL_TRUE(entry);
			break;
		case JENTRY_ISCONTAINER:
			value->of.container = (const JsonbContainer *) aligned;
			value->length = end - INTALIGN(offset);
			value->kind = JsonContainerIsArray(value->of.container) ? VALUE_ARRAY : VALUE_OBJECT;
			break;
		default:
			value->kind = VALUE_NULL;
			break;
	}
}

static void
read_child(const JsonbContainer *container, const char *data, int child, Value *value)
{
	JEntry		entry = container->children[child];
	uint32		offset = getJsonbOffset(container, child);

	read_entry(entry, data, offset, entry_end(entry, offset), value);
}

/* The value of a jsonb datum; a root scalar is that scalar. */
void
stratum_json_root(const Jsonb *jsonb, Value *value)
{
	const JsonbContainer *root = &jsonb->root;

	if (JsonContainerIsScalar(root))
		read_child(root, (const char *) &root->children[1], 0, value);
	else
	{
		value->kind = JsonContainerIsArray(root) ? VALUE_ARRAY : VALUE_OBJECT;
		value->of.container = root;
		value->length = VARSIZE(jsonb) - VARHDRSZ;
	}
}

static int
scan_keys(const JsonbContainer *object, const char *data, int count, const char *key, uint32 length)
{
	uint32		offset = 0;

	for (int i = 0; i < count; i++)
	{
		uint32		end = entry_end(object->children[i], offset);

		if (end - offset >= length)
		{
			int			order;

			if (end - offset > length)
				return -1;
			order = memcmp(data + offset, key, length);
			if (order >= 0)
				return order == 0 ? i : -1;
		}
		offset = end;
	}
	return -1;
}

static int
search_keys(const JsonbContainer *object, const char *data, int count, const char *key,
			uint32 length)
{
	int			low = 0;

	while (low < count)
	{
		int			middle = low + (count - low) / 2;
		uint32		found = getJsonbLength(object, middle);
		int			order;

		if (found != length)
			order = found < length ? -1 : 1;
		else
			order = memcmp(data + getJsonbOffset(object, middle), key, length);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return -1;
}

/* The value of a key; false (and a missing value) where there is none or `object` is no object. */
bool
stratum_json_find(const Value *object, const char *key, int length, Value *value)
{
	const JsonbContainer *container = object->of.container;
	const char *data;
	int			count,
				index;

	if (object->kind != VALUE_OBJECT)
	{
		value->kind = VALUE_MISSING;
		return false;
	}
	count = JsonContainerSize(container);
	data = (const char *) &container->children[count * 2];
	if (count <= SCAN_LIMIT)
		index = scan_keys(container, data, count, key, length);
	else
		index = search_keys(container, data, count, key, length);
	if (index < 0)
	{
		value->kind = VALUE_MISSING;
		return false;
	}
	read_child(container, data, count + index, value);
	return true;
}

/* Follows a path through objects; an element of an array has no name. */
void
stratum_json_follow(const Value *document, const Key *path, int npath, Value *value)
{
	if (!stratum_json_find(document, path[0].name, path[0].length, value))
		return;
	for (int i = 1; i < npath; i++)
	{
		Value		object = *value;

		if (!stratum_json_find(&object, path[i].name, path[i].length, value))
			return;
	}
}

/* Starts a walk through the elements of an array. */
void
stratum_json_elements(const JsonbContainer *array, Elements *elements)
{
	elements->container = array;
	elements->count = JsonContainerSize(array);
	elements->next = 0;
	elements->offset = 0;
	elements->data = (const char *) &array->children[elements->count];
}

bool
stratum_json_next(Elements *elements, Value *value)
{
	JEntry		entry;
	uint32		end;

	if (elements->next >= elements->count)
		return false;
	entry = elements->container->children[elements->next++];
	end = entry_end(entry, elements->offset);
	read_entry(entry, elements->data, elements->offset, end, value);
	elements->offset = end;
	return true;
}

/* The name of an object's key, in the order in which they are stored. */
void
stratum_json_key(const JsonbContainer *object, int index, Value *key)
{
	int			count = JsonContainerSize(object);

	read_child(object, (const char *) &object->children[count * 2], index, key);
}

static bool
same_scalar(const JsonbValue *a, const JsonbValue *b)
{
	Number		x,
				y;

	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvNumeric:
			return stratum_number_from_numeric(a->val.numeric, &x) &&
				stratum_number_from_numeric(b->val.numeric, &y) &&
				stratum_number_compare(&x, &y) == 0;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		default:
			return a->type == jbvNull;
	}
}

/* Whether the iterators give the same to their ends. */
static bool
same_rest(JsonbIterator **left, JsonbIterator **right)
{
	JsonbValue	x,
				y;

	for (;;)
	{
		JsonbIteratorToken token = JsonbIteratorNext(left, &x, false);

		CHECK_FOR_INTERRUPTS();
		if (token != JsonbIteratorNext(right, &y, false))
			return false;
		if (token == WJB_DONE)
			return true;
		if (token == WJB_BEGIN_ARRAY && x.val.array.nElems != y.val.array.nElems)
			return false;
		if (token == WJB_BEGIN_OBJECT && x.val.object.nPairs != y.val.object.nPairs)
			return false;
		if ((token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM) && !same_scalar(&x, &y))
			return false;
	}
}

/* An iterator that has not come to its end holds one for each level it is in. */
static void
free_iterator(JsonbIterator *iterator)
{
	while (iterator != NULL)
	{
		JsonbIterator *parent = iterator->parent;

		pfree(iterator);
		iterator = parent;
	}
}

/*
 * Whether two arrays or objects hold the same. PostgreSQL's own comparison asks the collation about
 * strings, which may raise. The iterators do not recurse; they are freed at once, since a row may
 * compare a list with a list, millions of times.
 */
bool
stratum_json_equal(const JsonbContainer *a, const JsonbContainer *b)
{
	JsonbIterator *left,
			   *right;
	bool		result;

	if (a->header != b->header)
		return false;
	left = JsonbIteratorInit(unconstify(JsonbContainer *, a));
	right = JsonbIteratorInit(unconstify(JsonbContainer *, b));
	result = same_rest(&left, &right);
	free_iterator(left);
	free_iterator(right);
	return result;
}
