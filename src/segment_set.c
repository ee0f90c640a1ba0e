#include "conditions.h"
PG_FUNCTION_INFO_V1(stratum_matching_segments);
Datum
stratum_matching_segments(PG_FUNCTION_ARGS)
{
	PG_RETURN_NULL();
}
