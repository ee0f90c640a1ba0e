/*
 * kept_plan.c
 *	  Plans that are made once and kept for the session.
 */
#include "kept_plan.h"

/*
 * Makes the plan of a query, unless *plan is it already. It does not depend on the parameters, and follows changes of
 * the tables by itself. Inside SPI_connect().
 */
void
stratum_keep_plan(SPIPlanPtr *plan, const char *query, int nargs, Oid *types)
{
	SPIPlanPtr	prepared;

	if (*plan != NULL)
		return;
	prepared = SPI_prepare_cursor(query, nargs, types, CURSOR_OPT_GENERIC_PLAN);
	if (prepared == NULL || SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
	*plan = prepared;
}
