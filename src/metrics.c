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

/* Without its sign; that of the smallest bigint fits, too. */
static inline uint64
magnitude(int64 number)
{
	return number < 0 ? 0 - (uint64) number : (uint64) number;
}

/*
 * Does cents * multiplier fit 64 bits, and as another than the smallest bigint, which divided by -1
 * does not? The multiplier is positive.
 */
static inline bool
product_fits(int64 cents, int64 multiplier)
{
	return cents <= PG_INT64_MAX / multiplier && cents >= -(PG_INT64_MAX / multiplier);
}

/* product / divisor, rounded half away from zero, for a product as above: then the result fits. */
static inline int64
divide(int64 product, int64 divisor)
{
	int64		quotient = product / divisor;
	uint64		rest = magnitude(product - quotient * divisor);
	int64		away = (product < 0) == (divisor < 0) ? 1 : -1;

	/* Without a branch, which no processor could predict. */
	return quotient + away * (2 * rest >= magnitude(divisor));
}

/* The same of any product; false if there is no such bigint. */
static bool
divide_wide(int128 product, int64 divisor, int64 *result)
{
	int128		quotient = product / divisor;
	int128		rest = product % divisor;

	if (2 * (rest < 0 ? -rest : rest) >= (divisor < 0 ? -(int128) divisor : divisor))
		quotient += (product < 0) == (divisor < 0) ? 1 : -1;
	if (quotient < PG_INT64_MIN || quotient > PG_INT64_MAX)
		return false;
	*result = (int64) quotient;
	return true;
}

/*
 * cents * multiplier / divisor, rounded half away from zero. False if there is no such bigint.
 * The product is never cut off: the multiplier is a positive bigint.
 */
bool
stratum_cents_ratio(int64 cents, int64 multiplier, int64 divisor, int64 *result)
{
	if (divisor == 0)
		return false;
	if (!product_fits(cents, multiplier))
		return divide_wide((int128) cents * multiplier, divisor, result);
	*result = divide(cents * multiplier, divisor);
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

/* Out of the way of return_cents(), which need not save a register without it. */
static pg_noinline Datum
return_wide_cents(FunctionCallInfo fcinfo, int64 multiplier)
{
	int64		result;

	if (!stratum_cents_ratio(PG_GETARG_INT64(0), multiplier, PG_GETARG_INT64(1), &result))
		PG_RETURN_NULL();
	PG_RETURN_INT64(result);
}

/* Inlined, so that the multiplier is a constant. Real counters never need 128 bits. */
static pg_attribute_always_inline Datum
return_cents(FunctionCallInfo fcinfo, int64 multiplier)
{
	int64		cents = PG_GETARG_INT64(0);
	int64		divisor = PG_GETARG_INT64(1);

	if (divisor == 0)
		PG_RETURN_NULL();
	if (unlikely(!product_fits(cents, multiplier)))
		return return_wide_cents(fcinfo, multiplier);
	PG_RETURN_INT64(divide(cents * multiplier, divisor));
}

static pg_attribute_always_inline Datum
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
