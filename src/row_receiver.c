/*
 * row_receiver.c
 *	  Rows of a query, handed to a function one by one as they come: nothing is copied.
 */
#include "row_receiver.h"

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;

	slot_getallattrs(slot);
	receiver->function(receiver->argument, slot);
	return true;
}

static void
start_rows(DestReceiver *self, int operation, TupleDesc row_type)
{
}

static void
end_rows(DestReceiver *self)
{
}

/* The function may keep nothing that the row points to. */
RowReceiver
stratum_row_receiver(RowFunction function, void *argument)
{
	return (RowReceiver) {{receive_row, start_rows, end_rows, end_rows, DestNone}, function, argument};
}

/* Values for SPI, none of them NULL, which the planner may take for constants. */
ParamListInfo
stratum_constant_parameters(int count, const Oid *types, const Datum *values)
{
	ParamListInfo parameters = makeParamList(count);

	for (int i = 0; i < count; i++)
		parameters->params[i] = (ParamExternData) {values[i], false, PARAM_FLAG_CONST, types[i]};
	return parameters;
}
