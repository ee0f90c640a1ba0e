/*
 * open_cursors.c
 *	  A cursor that one tenant has left open is not there for the next.
 *
 * A cursor WITH HOLD outlives its transaction with the rows of the tenant that opened it; one that
 * was opened before a savepoint outlives an enter() that is rolled back to it, and goes on
 * reading as the tenant it began with. Neither asks row security again. So whoever acts for another
 * tenant than the session did before has to close them first.
 */
#include "stratum.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/portal.h"

/* Whom the session acted for last, and in which transaction; not undone by a rollback. */
static int64 last_tenant = 0;
static TimestampTz last_transaction = 0;

/* Whether the session has a cursor open: one WITH HOLD, or any. */
static bool
has_cursor(bool any)
{
	bool		result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute(any ? "SELECT FROM pg_catalog.pg_cursors"
					: "SELECT FROM pg_catalog.pg_cursors c WHERE c.is_holdable", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read pg_cursors");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/*
 * Raises if a cursor is open that may show rows of a tenant other than `tenant_id`; else the
 * session acts for that one from now on.
 */
void
stratum_refuse_open_cursors(int64 tenant_id)
{
	TimestampTz transaction = GetCurrentTransactionStartTimestamp();

	/* A look into a hash table says no nearly always. */
	if (last_tenant != 0 && last_tenant != tenant_id && !ThereAreNoReadyPortals() &&
		has_cursor(last_transaction == transaction))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a cursor that this session opened for another tenant is still open"),
				 errhint("CLOSE ALL, or DISCARD ALL when a connection changes hands.")));
	last_tenant = tenant_id;
	last_transaction = transaction;
}
