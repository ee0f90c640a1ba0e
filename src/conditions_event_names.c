/*
 * conditions_event_names.c
 *	  Which events are asked about: their names, found by a hash.
 *
 * A refresh looks up the name of every event that there is, so this is made to be quick.
 */
#include "conditions.h"

#define HASH_FACTOR UINT64CONST(0x9E3779B97F4A7C15)

/* Eight bytes at a time; names are short. */
static uint32
hash_name(const char *name, int length)
{
	uint64		hash = length;
	uint64		word;

	for (; length > (int) sizeof(word); length -= sizeof(word), name += sizeof(word))
	{
		memcpy(&word, name, sizeof(word));
		hash = (hash ^ word) * HASH_FACTOR;
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, name, length);
	hash = (hash ^ word) * HASH_FACTOR;
	return (uint32) (hash >> 32);
}

/* Where a name is, or the empty slot where it would be. */
static inline uint32
find_slot(const EventNames *names, const char *name, int length)
{
	uint32		slot = hash_name(name, length) & names->mask;

	while (names->slots[slot] != 0)
	{
		const Key  *key = &names->names[names->slots[slot] - 1].name;

		if (key->length == length && memcmp(key->name, name, length) == 0)
			break;
		slot = (slot + 1) & names->mask;
	}
	return slot;
}

/* No names, with room for so many. */
void
stratum_event_names_init(EventNames *names, int most)
{
	uint32		room = 4;

	while (room < (uint32) most * 4)
		room *= 2;
	names->count = 0;
	names->mask = room - 1;
	names->slots = palloc_extended(room * sizeof(int), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	names->names = palloc_extended((most + 1) * sizeof(EventName), MCXT_ALLOC_HUGE);
}

/* Where a name is among the names, to which it is added if it is new. */
int
stratum_event_names_add(EventNames *names, const Key *name)
{
	uint32		slot = find_slot(names, name->name, name->length);

	if (names->slots[slot] == 0)
	{
		names->names[names->count] = (EventName) {.name = *name, .first_step = -1};
		names->slots[slot] = ++names->count;
	}
	return names->slots[slot] - 1;
}

/* Where a name is among the names, -1 if nowhere. */
int
stratum_event_names_find(const EventNames *names, const char *name, int length)
{
	return names->slots[find_slot(names, name, length)] - 1;
}
