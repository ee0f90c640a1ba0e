/*
 * compat.h
 *	  What differs between the server versions that stratum builds for.
 *
 * Every PG_VERSION_NUM of the project is in this file. Include it after postgres.h.
 */
#ifndef STRATUM_COMPAT_H
#define STRATUM_COMPAT_H

#include "fmgr.h"

/* Until 18 they came along with others. */
#if PG_VERSION_NUM >= 190000
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#endif

/*
 * We build with -fvisibility=hidden. PostgreSQL 15 marks nothing for export on ELF systems, and its
 * PG_FUNCTION_INFO_V1 does not even try for the function itself, so here are those of 16.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname) (void); \
const Pg_finfo_record * \
CppConcat(pg_finfo_, funcname) (void) \
{ \
	static const Pg_finfo_record my_finfo = { 1 }; \
	return &my_finfo; \
} \
extern int no_such_variable
#endif

/* The memory of a setting's "extra" belongs to PostgreSQL, which changed its allocator in 16. */
#if PG_VERSION_NUM < 160000
#define stratum_guc_malloc(size) malloc(size)
#define stratum_guc_free(pointer) free(pointer)
#else
#define stratum_guc_malloc(size) guc_malloc(LOG, size)
#define stratum_guc_free(pointer) guc_free(pointer)
#endif

/* Columns that are computed when they are read exist from 18 on. */
#if PG_VERSION_NUM >= 180000
#define STRATUM_IS_VIRTUAL(attribute) ((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define STRATUM_IS_VIRTUAL(attribute) false
#endif

/* Which outer joins may make a variable NULL, it knows from 16 on; OLD and NEW in RETURNING came with 18. */
#if PG_VERSION_NUM < 160000
#define STRATUM_KNOWS_NULLING(variable) ((void) (variable), false)
#define STRATUM_IS_NULLABLE(variable) true
#elif PG_VERSION_NUM < 180000
#define STRATUM_KNOWS_NULLING(variable) true
#define STRATUM_IS_NULLABLE(variable) (!bms_is_empty((variable)->varnullingrels))
#else
#define STRATUM_KNOWS_NULLING(variable) true
#define STRATUM_IS_NULLABLE(variable) \
	(!bms_is_empty((variable)->varnullingrels) || (variable)->varreturningtype != VAR_RETURNING_DEFAULT)
#endif

/* The ACL of a function: one function for all kinds of objects from 16 on. */
#if PG_VERSION_NUM < 160000
#define stratum_may_execute(function, role) \
	(pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK)
#else
#define stratum_may_execute(function, role) \
	(object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* A lexer for JSON in the database's encoding, allocated; 17 can also set up one that is there already. */
#if PG_VERSION_NUM < 170000
#define stratum_json_lexer(json, length) \
	makeJsonLexContextCstringLen(unconstify(char *, json), length, GetDatabaseEncoding(), false)
#else
#define stratum_json_lexer(json, length) \
	makeJsonLexContextCstringLen(NULL, json, length, GetDatabaseEncoding(), false)
#endif

/* After all rows of a statement some access methods have something to let go of, from 17 on. */
#if PG_VERSION_NUM < 170000
#define stratum_finish_index_insert(index, info) ((void) 0)
#else
#define stratum_finish_index_insert(index, info) index_insert_cleanup(index, info)
#endif

/* The index scan's function got an argument more; users of it include the header. */
#if PG_VERSION_NUM < 180000
#define stratum_index_beginscan(relation, index, snapshot, nkeys, norderbys) \
	index_beginscan(relation, index, snapshot, nkeys, norderbys)
#elif PG_VERSION_NUM < 190000
#define stratum_index_beginscan(relation, index, snapshot, nkeys, norderbys) \
	index_beginscan(relation, index, snapshot, NULL, nkeys, norderbys)
#else
#define stratum_index_beginscan(relation, index, snapshot, nkeys, norderbys) \
	index_beginscan(relation, index, snapshot, NULL, nkeys, norderbys, SO_NONE)
#endif

/*
 * From 19 on what builds jsonb keeps its result in a state, of which the stack of open arrays and objects is a part;
 * until 18 the stack was all, and each call returned the result. Here it does so everywhere.
 */
#if PG_VERSION_NUM >= 190000
static inline JsonbValue *
stratum_push_jsonb(JsonbParseState **stack, JsonbIteratorToken token, JsonbValue *value)
{
	JsonbInState state = {.parseState = *stack};

	pushJsonbValue(&state, token, value);
	*stack = state.parseState;
	return state.result;
}

#define pushJsonbValue stratum_push_jsonb
#endif

/* To the end, all rows. */
#if PG_VERSION_NUM < 180000
#define stratum_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0, true)
#else
#define stratum_executor_run(query) ExecutorRun(query, ForwardScanDirection, 0)
#endif

#endif							/* STRATUM_COMPAT_H */
