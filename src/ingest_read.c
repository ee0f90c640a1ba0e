/*
 * ingest_read.c
 *	  Reads and checks events as they come in, in one pass over the JSON.
 *
 * Absent, JSON null and the empty string are the same: nothing was given.
 */
#include "ingest.h"

#include "conditions_time.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"

/* What a key must hold. */
typedef enum KeyKind
{
	HOLDS_TEXT,
	HOLDS_TIME,
	HOLDS_UUID,
	HOLDS_OBJECT,
	HOLDS_HASH
} KeyKind;

typedef enum Key
{
	KEY_EVENT_NAME,
	KEY_EVENT_TYPE,
	KEY_TIMESTAMP,
	KEY_MESSAGE_ID,
	KEY_PROPERTIES,
	KEY_CONTEXT,
	KEY_TRAITS,
	KEY_CANONICAL_ID,
	KEY_EMAIL,
	KEY_EMAIL_HASH,
	KEY_EXTERNAL_ID,
	KEY_ANONYMOUS_ID,
	KEYS
} Key;

/* In the order in which they are checked. */
static const struct
{
	const char *name;
	KeyKind		kind;
	int			most;			/* characters of a text */
}			keys[KEYS] =
{
	[KEY_EVENT_NAME] = {"event_name", HOLDS_TEXT, 255},
	[KEY_EVENT_TYPE] = {"event_type", HOLDS_TEXT, 50},
	[KEY_TIMESTAMP] = {"timestamp", HOLDS_TIME, 0},
	[KEY_MESSAGE_ID] = {"message_id", HOLDS_UUID, 0},
	[KEY_PROPERTIES] = {"properties", HOLDS_OBJECT, 0},
	[KEY_CONTEXT] = {"context", HOLDS_OBJECT, 0},
	[KEY_TRAITS] = {"traits", HOLDS_OBJECT, 0},
	[KEY_CANONICAL_ID] = {"canonical_id", HOLDS_UUID, 0},
	[KEY_EMAIL] = {"email", HOLDS_TEXT, 255},
	[KEY_EMAIL_HASH] = {"email_hash", HOLDS_HASH, 0},
	[KEY_EXTERNAL_ID] = {"external_id", HOLDS_TEXT, 255},
	[KEY_ANONYMOUS_ID] = {"anonymous_id", HOLDS_TEXT, 255}
};

/* The values of one event, of type jbvNull where nothing was given. */
typedef struct Given
{
	int			place;			/* counts from 0 */
	JsonbValue	values[KEYS];
} Given;

/* --- what is wrong --- */

static void
refuse(int place, const char *key, const char *words)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid event at $[%d]%s%s: it %s", place, key[0] == '\0' ? "" : ".", key, words),
			 errhint("Keys of an event: event_name, event_type, timestamp, message_id, properties, context, traits, and at least one of"
					 " canonical_id, email, email_hash, external_id, anonymous_id.")));
}

static bool
is_hex(unsigned char c)
{
	return is_digit(c) || (fold_ascii(c) >= 'a' && fold_ascii(c) <= 'f');
}

static bool
is_hash(const JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len != 64)
		return false;
	for (int i = 0; i < 64; i++)
	{
		if (!is_hex(value->val.string.val[i]))
			return false;
	}
	return true;
}

/* Hexadecimal digits, with or without hyphens in their places; false for anything else. */
static bool
read_uuid(const JsonbValue *value, pg_uuid_t *uuid)
{
	int			digits = 0;
	bool		hyphen = false;

	if (value->type != jbvString)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
	{
		unsigned char c = value->val.string.val[i];

		if (c == '-')
		{
			if (hyphen || digits < 8 || digits > 20 || digits % 4 != 0)
				return false;
			hyphen = true;
			continue;
		}
		if (digits == 2 * UUID_LEN || !is_hex(c))
			return false;
		hyphen = false;
		c = is_digit(c) ? c - '0' : fold_ascii(c) - 'a' + 10;
		uuid->data[digits / 2] = digits % 2 == 0 ? c << 4 : uuid->data[digits / 2] | c;
		digits++;
	}
	return digits == 2 * UUID_LEN && !hyphen;
}

static bool
is_text(const JsonbValue *value, int most)
{
	return value->type == jbvString &&
		(value->val.string.len <= most ||
		 pg_mbstrlen_with_len(value->val.string.val, value->val.string.len) <= most);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static void
check_value(const Given *given, Key key)
{
	const JsonbValue *value = &given->values[key];
	const char *name = keys[key].name;
	TimestampTz time;
	pg_uuid_t	uuid;

	if (value->type == jbvNull)
		return;
	switch (keys[key].kind)
	{
		case HOLDS_TEXT:
			if (!is_text(value, keys[key].most))
				refuse(given->place, name, psprintf("must be a string of at most %d characters", keys[key].most));
			break;
		case HOLDS_TIME:
			if (value->type != jbvString ||
				!stratum_time_from_string(value->val.string.val, value->val.string.len, &time))
				refuse(given->place, name, "must be an ISO 8601 time");
			break;
		case HOLDS_UUID:
			if (!read_uuid(value, &uuid))
				refuse(given->place, name, "must be a UUID");
			break;
		case HOLDS_OBJECT:
			if (!is_object(value))
				refuse(given->place, name, "must be an object");
			break;
		case HOLDS_HASH:
			if (!is_hash(value))
				refuse(given->place, name, "must be 64 hexadecimal digits");
			break;
	}
}

static bool
is_given(const Given *given, Key key)
{
	return given->values[key].type != jbvNull;
}

/* An address names somebody where its hash can be computed. */
static bool
names_somebody(const Given *given)
{
	const JsonbValue *email = &given->values[KEY_EMAIL];

	return is_given(given, KEY_CANONICAL_ID) || is_given(given, KEY_EMAIL_HASH) ||
		is_given(given, KEY_EXTERNAL_ID) || is_given(given, KEY_ANONYMOUS_ID) ||
		(email->type == jbvString && memchr(email->val.string.val, '@', email->val.string.len) != NULL);
}

static void
check_event(const Given *given)
{
	if (!is_given(given, KEY_EVENT_NAME))
		refuse(given->place, keys[KEY_EVENT_NAME].name, "is missing");
	for (Key key = 0; key < KEYS; key++)
		check_value(given, key);
	if (!names_somebody(given))
		refuse(given->place, "", "names nobody");
}

/* --- taking an object apart --- */

static int
find_key(const JsonbValue *name)
{
	for (int i = 0; i < KEYS; i++)
	{
		if ((int) strlen(keys[i].name) == name->val.string.len &&
			memcmp(keys[i].name, name->val.string.val, name->val.string.len) == 0)
			return i;
	}
	return -1;
}

static void
take_apart(const JsonbValue *event, Given *given)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			key = -1;

	for (int i = 0; i < KEYS; i++)
		given->values[i].type = jbvNull;
	if (!is_object(event))
		refuse(given->place, "", "must be an object");
	iterator = JsonbIteratorInit(event->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			key = find_key(&value);
			if (key < 0)
				refuse(given->place, pnstrdup(value.val.string.val, value.val.string.len), "is no key of an event");
		}
		else if (token == WJB_VALUE && (value.type != jbvString || value.val.string.len > 0))
			given->values[key] = value;
	}
}

/* --- what was given --- */

static text *
given_text(const Given *given, Key key)
{
	const JsonbValue *value = &given->values[key];

	return value->type == jbvNull ? NULL : cstring_to_text_with_len(value->val.string.val, value->val.string.len);
}

static Jsonb *
given_object(Given *given, Key key, Jsonb *otherwise)
{
	return is_given(given, key) ? JsonbValueToJsonb(&given->values[key]) : otherwise;
}

static pg_uuid_t *
given_uuid(const Given *given, Key key)
{
	pg_uuid_t  *uuid;

	if (!is_given(given, key))
		return NULL;
	uuid = palloc(sizeof(pg_uuid_t));
	(void) read_uuid(&given->values[key], uuid);
	return uuid;
}

static TimestampTz
given_time(const Given *given)
{
	const JsonbValue *value = &given->values[KEY_TIMESTAMP];
	TimestampTz time;

	if (value->type == jbvNull || !stratum_time_from_string(value->val.string.val, value->val.string.len, &time))
		return GetCurrentTransactionStartTimestamp();
	return time;
}

/* --- persons --- */

static int16
name_length(int kind)
{
	return kind == NAME_CANONICAL ? UUID_LEN : -1;
}

static uint32
hash_person(const Person *person)
{
	uint32		hash = 0;

	for (int i = 0; i < NAME_KINDS; i++)
	{
		hash = hash_combine(hash, i);
		if (!person->nulls[i])
			hash = hash_combine(hash, datum_image_hash(person->names[i], false, name_length(i)));
	}
	return hash;
}

static bool
same_person(const Person *a, const Person *b)
{
	for (int i = 0; i < NAME_KINDS; i++)
	{
		if (a->nulls[i] != b->nulls[i] ||
			(!a->nulls[i] && !datum_image_eq(a->names[i], b->names[i], false, name_length(i))))
			return false;
	}
	return true;
}

typedef struct NumberOf
{
	int			person;
	uint32		hash;
	char		status;
} NumberOf;

#define SH_PREFIX numbers
#define SH_ELEMENT_TYPE NumberOf
#define SH_KEY_TYPE int
#define SH_KEY person
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry) ((entry)->hash)
#define SH_HASH_KEY(table, key) hash_person(&((const Intake *) (table)->private_data)->persons[key])
#define SH_EQUAL(table, a, b) same_person(&((const Intake *) (table)->private_data)->persons[a], \
										  &((const Intake *) (table)->private_data)->persons[b])
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A pointer; NULL is none. */
static void
put_name(Person *person, NameKind kind, void *name)
{
	person->names[kind] = PointerGetDatum(name);
	person->nulls[kind] = name == NULL;
}

/* As stratum itself writes hashes, so that both letter cases are the same person; NULL stays. */
static text *
fold_hash(text *hash)
{
	int			length = hash == NULL ? 0 : VARSIZE(hash) - VARHDRSZ;

	for (int i = 0; i < length; i++)
		VARDATA(hash)[i] = fold_ascii(VARDATA(hash)[i]);
	return hash;
}

/* An address in plain text stands for its hash, unless one is given. */
static void
read_person(const Given *given, Person *person)
{
	text	   *email = given_text(given, KEY_EMAIL);
	text	   *hash = fold_hash(given_text(given, KEY_EMAIL_HASH));

	if (hash == NULL && email != NULL && stratum_is_plain_email(email))
		hash = stratum_email_hash(email);
	put_name(person, NAME_CANONICAL, given_uuid(given, KEY_CANONICAL_ID));
	put_name(person, NAME_EMAIL, email);
	put_name(person, NAME_EMAIL_HASH, hash);
	put_name(person, NAME_EXTERNAL, given_text(given, KEY_EXTERNAL_ID));
	put_name(person, NAME_ANONYMOUS, given_text(given, KEY_ANONYMOUS_ID));
}

/* The number of a person; one that comes for the first time gets the next. */
static int
number_person(Intake *intake, numbers_hash *numbers, const Given *given)
{
	bool		found;
	NumberOf   *number;

	read_person(given, &intake->persons[intake->npersons]);
	number = numbers_insert(numbers, intake->npersons, &found);
	if (!found)
		intake->npersons++;
	return number->person;
}

/* --- all of it --- */

static void
read_event(Intake *intake, numbers_hash *numbers, Given *given, Jsonb *empty)
{
	Event	   *event = &intake->events[given->place];

	event->name = given_text(given, KEY_EVENT_NAME);
	event->type = given_text(given, KEY_EVENT_TYPE);
	if (event->type == NULL)
		event->type = cstring_to_text("track");
	event->properties = given_object(given, KEY_PROPERTIES, empty);
	event->context = given_object(given, KEY_CONTEXT, empty);
	event->traits = given_object(given, KEY_TRAITS, NULL);
	event->message = given_uuid(given, KEY_MESSAGE_ID);
	event->anonymous = given_text(given, KEY_ANONYMOUS_ID);
	event->time = given_time(given);
	event->person = number_person(intake, numbers, given);
}

/*
 * Events out of a JSON array; NULL, like whatever is none, is refused. So is the first event that cannot be stored, with
 * its place and key. In the current memory context.
 */
Intake *
stratum_read_events(const Jsonb *events)
{
	Intake	   *intake = palloc0(sizeof(Intake));
	Jsonb	   *empty = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	Given		given = {0};
	numbers_hash *numbers;

	if (events == NULL || !JB_ROOT_IS_ARRAY(events) || JB_ROOT_IS_SCALAR(events))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the events must be a JSON array")));
	intake->events = palloc_extended((JB_ROOT_COUNT(events) + 1) * sizeof(Event), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	intake->persons = palloc_extended((JB_ROOT_COUNT(events) + 1) * sizeof(Person), MCXT_ALLOC_HUGE);
	numbers = numbers_create(CurrentMemoryContext, 64, intake);
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &events->root));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		given.place = intake->nevents;
		take_apart(&value, &given);
		check_event(&given);
		read_event(intake, numbers, &given, empty);
		intake->nevents++;
	}
	numbers_destroy(numbers);
	return intake;
}
