/*
 * kept_plan.h
 *	  Plans that are made once and kept for the session.
 */
#ifndef STRATUM_KEPT_PLAN_H
#define STRATUM_KEPT_PLAN_H

#include "stratum.h"

#include "executor/spi.h"

extern void stratum_keep_plan(SPIPlanPtr *plan, const char *query, int nargs, Oid *types);

#endif							/* STRATUM_KEPT_PLAN_H */
