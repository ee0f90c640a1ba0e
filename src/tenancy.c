/*
 * tenancy.c
 *	  The tenant context: whom the transaction acts for.
 *
 * The context is the value of one setting, stratum.context, because a setting has the life that
 * we want: local to the transaction, undone by a rollback to a savepoint, known to parallel
 * workers, forgotten by DISCARD ALL. Nobody can write it but enter() and leave(): its check hook
 * refuses SET, set_config(), ALTER ROLE and connection options, for superusers too.
 *
 * Its text is "tenant user len len len:" followed by request id, address and user agent of those
 * lengths (-1: not set). Nobody needs to read it: use current_tenant_id() and its like.
 */
#include "stratum.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"

#define CONTEXT_SETTING "stratum.context"
#define MAX_REQUEST_ID 100		/* as audit_logs.request_id */
#define MAX_USER_AGENT 2048

static const StratumContext no_context = {0};
static const StratumContext *context = &no_context;
static char *context_setting;	/* the text; all else is in "context" */

/* True only while enter() or leave() writes the setting. */
static bool writing = false;
static bool defining = false;

/*
 * The tenant that the transaction has entered. It outlives leave(): otherwise a function called in
 * the middle of a statement could read as one tenant and write as another. A sub-transaction that
 * is rolled back takes it back.
 */
static int64 entered_tenant = 0;
static SubTransactionId entered_in = InvalidSubTransactionId;

const StratumContext *
stratum_context(void)
{
	return context;
}

/* Takes the next string of a length out of *rest; false if the text is not ours. */
static bool
take_string(char **rest, int length, const char **result)
{
	*result = NULL;
	if (length < 0)
		return true;
	if (length > (int) strlen(*rest))
		return false;
	*result = *rest;
	*rest += length;
	return true;
}

/*
 * Parses the setting's text into one chunk of malloc'ed memory (the rule for a setting's "extra"):
 * the struct, then its three strings, each with its own end.
 */
static StratumContext *
parse_context(const char *text)
{
	int64		tenant_id, user_id;
	int			lengths[3], used = 0;
	const char *fields[3];
	char	   *rest, *end;
	Size		size = strlen(text);
	StratumContext *result;

	if (sscanf(text, INT64_FORMAT " " INT64_FORMAT " %d %d %d:%n", &tenant_id, &user_id,
			   &lengths[0], &lengths[1], &lengths[2], &used) != 5 || used == 0)
		return NULL;
	/* The strings lie one behind the other: copy each, with room for an end of its own. */
	result = stratum_guc_malloc(sizeof(StratumContext) + size + 4);
	if (result == NULL)
		return NULL;
	result->tenant_id = tenant_id;
	result->user_id = user_id;
	rest = unconstify(char *, text) + used;
	end = (char *) (result + 1);
	for (int i = 0; i < 3; i++)
	{
		if (!take_string(&rest, lengths[i], &fields[i]))
		{
			stratum_guc_free(result);
			return NULL;
		}
		if (fields[i] != NULL)
		{
			memcpy(end, fields[i], lengths[i]);
			end[lengths[i]] = '\0';
			fields[i] = end;
			end += lengths[i] + 1;
		}
	}
	result->request_id = fields[0];
	result->ip_address = fields[1];
	result->user_agent = fields[2];
	return result;
}

static bool
check_context(char **newval, void **extra, GucSource source)
{
	bool		empty = *newval == NULL || **newval == '\0';

	if (!writing && !InitializingParallelWorker && !(defining && empty))
	{
		GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
		GUC_check_errmsg("the tenant context cannot be set as a setting");
		GUC_check_errhint("Use SELECT stratum.enter(tenant_id, user_id) inside a transaction.");
		return false;
	}
	if (empty)
		return true;
	*extra = parse_context(*newval);
	return *extra != NULL;
}

static void
assign_context(const char *newval, void *extra)
{
	context = extra != NULL ? (const StratumContext *) extra : &no_context;
}

static void
forget_entered_tenant(XactEvent event, void *arg)
{
	entered_tenant = 0;
	entered_in = InvalidSubTransactionId;
}

static void
follow_subtransaction(SubXactEvent event, SubTransactionId my_subid, SubTransactionId parent_subid,
					  void *arg)
{
	if (entered_tenant == 0 || entered_in != my_subid)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_entered_tenant(XACT_EVENT_ABORT, NULL);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
		entered_in = parent_subid;
}

/* Registers the setting and the callbacks; called once, when the library is loaded. */
void
stratum_define_context(void)
{
	defining = true;
	DefineCustomStringVariable(CONTEXT_SETTING,
							   "The tenant, user and request that the transaction acts for.",
							   "Written by stratum.enter() and stratum.leave() only.",
							   &context_setting, "", PGC_SUSET,
							   GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE | GUC_SUPERUSER_ONLY,
							   check_context, assign_context, NULL);
	defining = false;
	RegisterXactCallback(forget_entered_tenant, NULL);
	RegisterSubXactCallback(follow_subtransaction, NULL);
}

/* Writes the setting for the rest of the transaction. */
static void
write_context(const char *text)
{
	writing = true;
	PG_TRY();
	{
		(void) set_config_option(CONTEXT_SETTING, text, PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, ERROR, false);
	}
	PG_FINALLY();
	{
		writing = false;
	}
	PG_END_TRY();
}

/*
 * Runs a saved query for one id and leaves its only row in SPI_tuptable; false if there is none.
 * The plan is kept for the session and follows changes of the tables by itself.
 */
static bool
look_up(SPIPlanPtr *plan, const char *query, int64 id)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(id)};

	if (*plan == NULL)
	{
		SPIPlanPtr	prepared = SPI_prepare(query, 1, types);

		if (prepared == NULL || SPI_keepplan(prepared) != 0)
			elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
		*plan = prepared;
	}
	if (SPI_execute_plan(*plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	return SPI_processed == 1;
}

/* Column n of the row that look_up() found; NULL counts as false. */
static bool
found_true(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return !isnull && DatumGetBool(value);
}

/* The tenant must exist and not be deleted. */
static void
check_tenant(int64 tenant_id)
{
	static SPIPlanPtr plan = NULL;

	/* Ids count from 1; 0 is how the context says that there is none. */
	if (tenant_id < 1 ||
		!look_up(&plan, "SELECT t.is_deleted::pg_catalog.bool FROM stratum.tenants t"
				 " WHERE t.id OPERATOR(pg_catalog.=) $1", tenant_id))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("tenant " INT64_FORMAT " does not exist", tenant_id)));
	/* widen_ids() lets such ids in; policies compare with an integer */
	if (tenant_id > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("tenant " INT64_FORMAT " is beyond integer, which current_tenant_id() returns",
						tenant_id)));
	if (found_true(1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tenant " INT64_FORMAT " is deleted", tenant_id),
				 errhint("Set is_deleted to false in stratum.tenants to restore it.")));
}

/*
 * The user must be active, and of the tenant or of the platform. Another tenant's user is reported
 * like one that does not exist, so that nobody can learn which ids are taken.
 */
static void
check_user(int64 user_id, int64 tenant_id)
{
	static SPIPlanPtr plan = NULL;
	bool		of_platform;
	Datum		tenant;

	if (user_id >= 1 &&
		look_up(&plan, "SELECT u.is_active AND NOT coalesce(u.is_deleted, false),"
				" CAST(u.tenant_id AS pg_catalog.int8)"
				" FROM stratum.users u WHERE u.id OPERATOR(pg_catalog.=) $1", user_id))
	{
		tenant = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &of_platform);
		if (of_platform || DatumGetInt64(tenant) == tenant_id)
		{
			if (found_true(1))
				return;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
					 errmsg("user " INT64_FORMAT " is not active", user_id)));
		}
	}
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("tenant " INT64_FORMAT " has no user " INT64_FORMAT, tenant_id, user_id)));
}

/* Appends the length of an optional string to the head and the string itself to the tail. */
static void
append_optional(StringInfo head, StringInfo tail, const char *string, char separator)
{
	appendStringInfo(head, "%d%c", string == NULL ? -1 : (int) strlen(string), separator);
	if (string != NULL)
		appendStringInfoString(tail, string);
}

/* The context's text from enter()'s arguments. */
static char *
compose_context(FunctionCallInfo fcinfo, int64 tenant_id, int64 user_id)
{
	StringInfoData head, tail;
	char	   *request_id = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	char	   *address = PG_ARGISNULL(3) ? NULL :
		DatumGetCString(DirectFunctionCall1(inet_out, PG_GETARG_DATUM(3)));
	char	   *user_agent = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));

	if (request_id != NULL && pg_mbstrlen(request_id) > MAX_REQUEST_ID)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("request_id is longer than %d characters", MAX_REQUEST_ID)));
	/* Browsers send what they like: a long one is clipped rather than refused. */
	if (user_agent != NULL)
		user_agent[pg_mbcliplen(user_agent, strlen(user_agent), MAX_USER_AGENT)] = '\0';

	initStringInfo(&head);
	initStringInfo(&tail);
	appendStringInfo(&head, INT64_FORMAT " " INT64_FORMAT " ", tenant_id, user_id);
	append_optional(&head, &tail, request_id, ' ');
	append_optional(&head, &tail, address, ' ');
	append_optional(&head, &tail, user_agent, ':');
	appendStringInfoString(&head, tail.data);
	return head.data;
}

/*
 * enter(tenant_id bigint, user_id bigint, request_id text, ip_address inet, user_agent text)
 *
 * SECURITY DEFINER in SQL: the caller may not read the tables that are looked up here.
 */
PG_FUNCTION_INFO_V1(stratum_enter);
Datum
stratum_enter(PG_FUNCTION_ARGS)
{
	int64		tenant_id, user_id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tenant_id must not be null"),
				 errhint("Use SELECT stratum.leave() to act for no tenant.")));
	tenant_id = PG_GETARG_INT64(0);
	user_id = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);

	if (entered_tenant != 0 && entered_tenant != tenant_id)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("this transaction has already acted for tenant " INT64_FORMAT, entered_tenant),
				 errhint("Enter tenant " INT64_FORMAT " in a transaction of its own.", tenant_id)));

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	check_tenant(tenant_id);
	if (!PG_ARGISNULL(1))
		check_user(user_id, tenant_id);
	SPI_finish();

	write_context(compose_context(fcinfo, tenant_id, user_id));
	if (entered_tenant == 0)
	{
		entered_tenant = tenant_id;
		entered_in = GetCurrentSubTransactionId();
	}
	PG_RETURN_VOID();
}

/* leave(): no tenant and no user for the rest of the transaction. */
PG_FUNCTION_INFO_V1(stratum_leave);
Datum
stratum_leave(PG_FUNCTION_ARGS)
{
	write_context("");
	PG_RETURN_VOID();
}

/* current_tenant_id() -> integer, NULL without a context. Every policy calls it: keep it short. */
PG_FUNCTION_INFO_V1(stratum_current_tenant_id);
Datum
stratum_current_tenant_id(PG_FUNCTION_ARGS)
{
	if (context->tenant_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(context->tenant_id);
}

/* current_user_id() -> integer, NULL where unset */
PG_FUNCTION_INFO_V1(stratum_current_user_id);
Datum
stratum_current_user_id(PG_FUNCTION_ARGS)
{
	if (context->user_id == 0)
		PG_RETURN_NULL();
	if (context->user_id > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("user " INT64_FORMAT " is beyond integer, which current_user_id() returns",
						context->user_id)));
	PG_RETURN_INT32(context->user_id);
}

/* current_request_id() -> text, NULL where unset */
PG_FUNCTION_INFO_V1(stratum_current_request_id);
Datum
stratum_current_request_id(PG_FUNCTION_ARGS)
{
	if (context->request_id == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(context->request_id));
}
