/*
 * growth.c
 *	  Tables that fill up fast are analyzed before an autovacuum gets round to it.
 *
 * Of a table that was never analyzed the planner knows no more than its size, and while that is small any index will do,
 * also one that only finds the tenant: each look-up then reads all that the tenant has so far. An autovacuum comes within
 * a minute, but never into the transaction that fills the table.
 */
#include "stratum.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* So few pages are read at once anyway; with so many the planner can tell the indexes apart. */
#define FEW_PAGES 8
#define MANY_PAGES 4096

/* What events are looked up in as they come in. */
static const char *const tables[] = {"cdp_profiles", "cdp_profile_aliases", "cdp_events"};

/* Whether a table is more than twice as large as when it was analyzed, and may be analyzed now; then it is locked for that. */
static bool
wants_analyze(const char *name)
{
	Oid			schema = get_namespace_oid(STRATUM_SCHEMA, true);
	Oid			oid = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
	Relation	table = OidIsValid(oid) ? try_table_open(oid, AccessShareLock) : NULL;
	bool		result = false;

	if (table == NULL)
		return false;
	if (table->rd_rel->relkind == RELKIND_RELATION && has_privs_of_role(GetUserId(), table->rd_rel->relowner))
	{
		BlockNumber pages = RelationGetNumberOfBlocks(table);

		result = pages < MANY_PAGES && pages > FEW_PAGES + 2 * (int64) table->rd_rel->relpages &&
			ConditionalLockRelationOid(oid, ShareUpdateExclusiveLock);
	}
	table_close(table, NoLock);
	return result;
}

/* _notice_growth() -> void: as the owner of the tables. */
PG_FUNCTION_INFO_V1(stratum_notice_growth);
Datum
stratum_notice_growth(PG_FUNCTION_ARGS)
{
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		char		statement[sizeof("ANALYZE " STRATUM_SCHEMA ".") + NAMEDATALEN];

		if (!wants_analyze(tables[i]))
			continue;
		snprintf(statement, sizeof(statement), "ANALYZE " STRATUM_SCHEMA ".%s", tables[i]);
		if (SPI_connect() != SPI_OK_CONNECT || SPI_execute(statement, false, 0) != SPI_OK_UTILITY ||
			SPI_finish() != SPI_OK_FINISH)
			elog(ERROR, "could not run \"%s\"", statement);
	}
	PG_RETURN_VOID();
}
