/*
 * stripes.c
 *	  Locks on what is no row: one of 256 for each tenant and kind of thing, by a hash of its name.
 *
 * They last until the end of the transaction, as row locks do, and are always taken in ascending order, so that
 * those who take several do not wait for each other in a circle. There are so few that the lock table has room for
 * all of them. They belong to a tenant, so nobody waits for another tenant; and nobody can take one with
 * pg_advisory_lock(): its locks have 1 or 2 as their fourth field.
 */
#include "stratum.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define STRIPES 256

static int
compare_stripes(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

/* Locks the stripes of these hashes, which are sorted in their place. */
void
stratum_lock_stripes(StratumStripes kind, int64 tenant, uint32 *hashes, int count)
{
	for (int i = 0; i < count; i++)
		hashes[i] %= STRIPES;
	qsort(hashes, count, sizeof(uint32), compare_stripes);
	for (int i = 0; i < count; i++)
	{
		LOCKTAG		tag;

		if (i > 0 && hashes[i] == hashes[i - 1])
			continue;
		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) tenant, hashes[i], kind);
		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
}

/*
 * _lock_names(names text[]) -> void: locks the stripes of these names of persons, for the current tenant. NULLs are
 * left out. Strict.
 */
PG_FUNCTION_INFO_V1(stratum_lock_names);
Datum
stratum_lock_names(PG_FUNCTION_ARGS)
{
	Datum	   *names;
	bool	   *nulls;
	int			count;
	int			given = 0;
	uint32	   *hashes;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &count);
	hashes = palloc((count + 1) * sizeof(uint32));
	for (int i = 0; i < count; i++)
	{
		text	   *name;

		if (nulls[i])
			continue;
		name = DatumGetTextPP(names[i]);
		hashes[given++] = hash_bytes((const unsigned char *) VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	}
	stratum_lock_stripes(STRIPES_PERSONS, stratum_context()->tenant_id, hashes, given);
	PG_RETURN_VOID();
}
