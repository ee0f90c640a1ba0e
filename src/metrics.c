/*
 * metrics.c
 *	  Advertising metrics: ratios of two counters.
 *
 * A ratio that does not exist (nothing to divide by) or does not fit its type is NULL. No argument
 * raises an error or gives NaN or Infinity, so that one odd row never breaks a report.
 */
#include "stratum.h"

#ifndef HAVE_INT128
#error "stratum needs a compiler with 128-bit integers"
#endif

/*
 * cents * multiplier / divisor, rounded half away from zero. False if there is no such bigint.
 * The product is never cut off: the multiplier is at most a bigint, too.
 */
bool
stratum_cents_ratio(int64 cents, int64 multiplier, int64 divisor, int64 *result)
{
	int128		product = (int128) cents * multiplier;
	int128		quotient;
	int128		rest;

	if (divisor == 0)
		return false;
	quotient = product / divisor;
	rest = product % divisor;
	if (2 * (rest < 0 ? -rest : rest) >= (divisor < 0 ? -(int128) divisor : divisor))
		quotient += (product < 0) == (divisor < 0) ? 1 : -1;
	if (quotient < PG_INT64_MIN || quotient > PG_INT64_MAX)
		return false;
	*result = (int64) quotient;
	return true;
}

/* numerator * multiplier / divisor; false if the divisor is 0. */
bool
stratum_float_ratio(int64 numerator, double multiplier, int64 divisor, double *result)
{
	if (divisor == 0)
		return false;
	/* Not -0 where the divisor is negative. */
	*result = numerator == 0 ? 0.0 : (double) numerator * multiplier / (double) divisor;
	return true;
}

static Datum
return_cents(FunctionCallInfo fcinfo, int64 multiplier)
{
	int64		result;

	if (!stratum_cents_ratio(PG_GETARG_INT64(0), multiplier, PG_GETARG_INT64(1), &result))
		PG_RETURN_NULL();
	PG_RETURN_INT64(result);
}

static Datum
return_ratio(FunctionCallInfo fcinfo, double multiplier)
{
	double		result;

	if (!stratum_float_ratio(PG_GETARG_INT64(0), multiplier, PG_GETARG_INT64(1), &result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

/* ctr(clicks, impressions) -> double precision: clicks per hundred impressions */
PG_FUNCTION_INFO_V1(stratum_ctr);
Datum
stratum_ctr(PG_FUNCTION_ARGS)
{
	return return_ratio(fcinfo, 100.0);
}

/* roas(revenue_cents, spend_cents) -> double precision: revenue per unit spent */
PG_FUNCTION_INFO_V1(stratum_roas);
Datum
stratum_roas(PG_FUNCTION_ARGS)
{
	return return_ratio(fcinfo, 1.0);
}

/* cpc_cents(spend_cents, clicks) and cpa_cents(spend_cents, conversions) -> bigint */
PG_FUNCTION_INFO_V1(stratum_cents_per_unit);
Datum
stratum_cents_per_unit(PG_FUNCTION_ARGS)
{
	return return_cents(fcinfo, 1);
}

/* cpm_cents(spend_cents, impressions) -> bigint: cents per thousand */
PG_FUNCTION_INFO_V1(stratum_cents_per_mille);
Datum
stratum_cents_per_mille(PG_FUNCTION_ARGS)
{
	return return_cents(fcinfo, 1000);
}
