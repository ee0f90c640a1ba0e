/* Interim: weak stand-ins until hash.c, metrics.c and conditions_*.c land. The lead removes this file. */
#include "stratum.h"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
__attribute__((weak)) bool stratum_cents_ratio(int64 c, int64 m, int64 d, int64 *r) { if (!d) return false; *r = c * m / d; return true; }
__attribute__((weak)) bool stratum_float_ratio(int64 c, double m, int64 d, double *r) { if (!d) return false; *r = c * m / d; return true; }
__attribute__((weak)) text *stratum_email_hash(const text *a) { return NULL; }
__attribute__((weak)) text *stratum_phone_hash(const text *a) { return NULL; }
__attribute__((weak)) bool stratum_is_plain_email(const text *a) { return true; }
__attribute__((weak)) bool stratum_is_plain_phone(const text *a) { return true; }
__attribute__((weak)) void stratum_validate_conditions(Jsonb *c, StratumTarget t) {}
