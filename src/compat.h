/*
 * compat.h
 *	  What differs between the server versions that stratum builds for.
 *
 * Every PG_VERSION_NUM of the project is in this file. Include it after postgres.h.
 */
#ifndef STRATUM_COMPAT_H
#define STRATUM_COMPAT_H

#include "fmgr.h"

/*
 * We build with -fvisibility=hidden. PostgreSQL 15 marks nothing for export on ELF systems, so its
 * PG_FUNCTION_INFO_V1 would be hidden too; the macros expand where they are used, so it is enough
 * to define the marker before that.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* The memory of a setting's "extra" belongs to PostgreSQL, which changed its allocator in 16. */
#if PG_VERSION_NUM < 160000
#define stratum_guc_malloc(size) malloc(size)
#define stratum_guc_free(pointer) free(pointer)
#else
#define stratum_guc_malloc(size) guc_malloc(LOG, size)
#define stratum_guc_free(pointer) guc_free(pointer)
#endif

#endif							/* STRATUM_COMPAT_H */
