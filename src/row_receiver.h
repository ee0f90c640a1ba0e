/*
 * row_receiver.h
 *	  Rows of a query, handed to a function one by one.
 */
#ifndef STRATUM_ROW_RECEIVER_H
#define STRATUM_ROW_RECEIVER_H

#include "stratum.h"

#include "executor/tuptable.h"
#include "nodes/params.h"
#include "tcop/dest.h"

typedef void (*RowFunction) (void *argument, TupleTableSlot *row);

typedef struct RowReceiver
{
	DestReceiver receiver;		/* what SPI is given as its destination */
	RowFunction function;
	void	   *argument;
} RowReceiver;

extern RowReceiver stratum_row_receiver(RowFunction function, void *argument);
extern ParamListInfo stratum_constant_parameters(int count, const Oid *types, const Datum *values);

#endif							/* STRATUM_ROW_RECEIVER_H */
