/*
 * transaction_block.c
 *	  Procedures that commit say at once that they cannot do it in a transaction block.
 *
 * PostgreSQL says so at the first COMMIT, when work has been done that is then undone, and does not
 * name the procedure.
 */
#include "stratum.h"

#include "access/xact.h"
#include "utils/builtins.h"

/*
 * refuse_transaction_block(procedure text) -> void: raises in a transaction block and in a
 * sub-transaction. It does not see that a function has called the procedure: there PostgreSQL's own
 * message comes.
 */
PG_FUNCTION_INFO_V1(stratum_refuse_transaction_block);
Datum
stratum_refuse_transaction_block(PG_FUNCTION_ARGS)
{
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("stratum.%s() commits, so it cannot run inside a transaction block",
						text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errhint("CALL it outside of BEGIN ... COMMIT and of EXCEPTION blocks, on a connection with autocommit, as the only statement that is sent.")));
	PG_RETURN_VOID();
}
