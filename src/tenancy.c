/*
 * tenancy.c
 *	  The tenant context: whom the transaction acts for.
 *
 * The context is the value of one setting, stratum.context, because a setting has the life that
 * we want: local to the transaction, undone by a rollback to a savepoint, known to parallel
 * workers, forgotten by DISCARD ALL. Nobody can write it but enter() and leave(): its check hook
 * refuses SET, set_config(), ALTER ROLE and connection options, for superusers too. A session lock
 * (session_lock.c) keeps one as the setting's value for the session, hence RESET ALL closes it.
 *
 * Its text is "tenant user writes len len len:" followed by request id, address and user agent of
 * those lengths (-1: not set). Nobody needs to read it: use current_tenant_id() and its like.
 */
#include "kept_plan.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inet.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

#define CONTEXT_SETTING "stratum.context"
#define MAX_REQUEST_ID 100		/* as audit_logs.request_id */
#define MAX_USER_AGENT 2048
/* What leave() writes under a session lock: nobody, but not closed either. */
#define LEFT_CONTEXT "0 0 1 -1 -1 -1:"

static const StratumContext no_context = {.may_write = true};
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

/* Whether somebody was entered for this transaction, and anybody has asked who it is. */
static bool entered = false;
static bool asked = false;

const StratumContext *
stratum_context(void)
{
	asked = true;
	return context;
}

/* Whether somebody is entered, or has left under a session lock; not so in a session that is closed. */
bool
stratum_context_is_set(void)
{
	return context != &no_context;
}

/* From now on the transaction can act for no other tenant. */
void
stratum_remember_tenant(int64 tenant_id)
{
	if (entered_tenant != 0 || tenant_id == 0)
		return;
	entered_tenant = tenant_id;
	entered_in = GetCurrentSubTransactionId();
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
	int			may_write, lengths[3], used = 0;
	const char *fields[3];
	char	   *rest, *end;
	Size		size = strlen(text);
	StratumContext *result;

	if (sscanf(text, INT64_FORMAT " " INT64_FORMAT " %d %d %d %d:%n", &tenant_id, &user_id, &may_write,
			   &lengths[0], &lengths[1], &lengths[2], &used) != 6 || used == 0)
		return NULL;
	/* The strings lie one behind the other: copy each, with room for an end of its own. */
	result = stratum_guc_malloc(sizeof(StratumContext) + size + 4);
	if (result == NULL)
		return NULL;
	result->tenant_id = tenant_id;
	result->user_id = user_id;
	result->may_write = may_write != 0;
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

/*
 * Also called for RESET ALL, which asks no check hook: the transaction has acted for that tenant all
 * the same. At its end, when settings get their old values back, it is no longer in progress.
 */
static void
assign_context(const char *newval, void *extra)
{
	if (extra == NULL && IsTransactionState())
		stratum_remember_tenant(context->tenant_id);
	context = extra != NULL ? (const StratumContext *) extra : &no_context;
}

/* As SET LOCAL does: in autocommit the statement that enters is the whole transaction. */
static void
warn_of_autocommit(void)
{
	if (entered && !asked && !IsTransactionBlock())
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("entering a tenant has no effect outside a transaction block"),
				 errhint("It ends with the transaction, here with the statement: BEGIN one first.")));
}

static void
forget_entered_tenant(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT)
		warn_of_autocommit();
	entered_tenant = 0;
	entered_in = InvalidSubTransactionId;
	entered = asked = false;
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

/* Writes the setting, for the rest of the transaction or for the session. */
static void
write_context(const char *text, bool for_session)
{
	writing = true;
	PG_TRY();
	{
		(void) set_config_option(CONTEXT_SETTING, text, PGC_SUSET, PGC_S_SESSION,
								 for_session ? GUC_ACTION_SET : GUC_ACTION_LOCAL, true, ERROR, false);
	}
	PG_FINALLY();
	{
		writing = false;
	}
	PG_END_TRY();
}

/* --- looking up tenant and user --- */

/* The owner of a function. */
Oid
stratum_owner_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* What the tables say; of_tenant: the user is the tenant's or the platform's. */
typedef struct Found
{
	bool		tenant;
	bool		is_deleted;
	bool		of_tenant;
	bool		is_active;
	bool		may_write;
} Found;

/*
 * Nothing in them depends on the search path. They are written for the least work: the executor sets up
 * plain columns of one table faster than expressions, or a join.
 */
#define LOOK_UP_TENANT \
	"SELECT t.is_deleted FROM stratum.tenants t WHERE t.id OPERATOR(pg_catalog.=) $1"
#define LOOK_UP_USER \
	"SELECT u.tenant_id, u.is_active, u.is_deleted, u.role, (" LOOK_UP_TENANT ")" \
	" FROM stratum.users u WHERE u.id OPERATOR(pg_catalog.=) $2"

/* Column n of the row that was found, if it is not NULL. */
static bool
found_value(int column, Datum *value)
{
	bool		isnull;

	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);
	return !isnull;
}

/* NULL counts as false. */
static bool
found_true(int column)
{
	Datum		value;

	return found_value(column, &value) && DatumGetBool(value);
}

/* A role that is NULL may no more than a viewer's. */
static bool
found_role_writes(int column)
{
	char	   *role = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return role != NULL && strcmp(role, "viewer") != 0;
}

/*
 * True if there is such a row. It locks none: a standby must answer too. The plan is kept for the
 * session and follows changes of the tables by itself; the answer is not.
 */
static bool
run_look_up(SPIPlanPtr *plan, const char *query, int64 tenant_id, int64 user_id)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum(tenant_id), Int64GetDatum(user_id)};

	stratum_keep_plan(plan, query, lengthof(types), types);
	if (SPI_execute_plan(*plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\"", query);
	return SPI_processed == 1;
}

/* One query tells nearly always; the second is for a tenant that the first says nothing about. */
static Found
read_tables(int64 tenant_id, int64 user_id)
{
	static SPIPlanPtr tenant_plan = NULL;
	static SPIPlanPtr user_plan = NULL;
	Found		found = {0};
	Datum		value;

	if (user_id >= 1 && run_look_up(&user_plan, LOOK_UP_USER, tenant_id, user_id))
	{
		found.of_tenant = !found_value(1, &value) ||
			stratum_integer(TupleDescAttr(SPI_tuptable->tupdesc, 0), value) == tenant_id;
		found.is_active = found_true(2) && !found_true(3);
		found.may_write = found_role_writes(4);
		found.tenant = found_value(5, &value);
		found.is_deleted = found_true(5);
	}
	if (!found.tenant && run_look_up(&tenant_plan, LOOK_UP_TENANT, tenant_id, user_id))
	{
		found.tenant = true;
		found.is_deleted = found_true(1);
	}
	return found;
}

/*
 * Reads as "owner", since the caller may not read the two tables. SECURITY DEFINER with a pinned search
 * path would do the same and take as long as all the rest. An error leaves the rest to the end of the
 * (sub)transaction, which resets the user.
 */
static Found
look_up(int64 tenant_id, int64 user_id, Oid owner)
{
	Found		found;
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	found = read_tables(tenant_id, user_id);
	SPI_finish();
	SetUserIdAndSecContext(user, security);
	return found;
}

/*
 * The tenant must exist and not be deleted, the user, if one is wanted, be active, and of the tenant
 * or of the platform. Another tenant's user is reported like one that does not exist, so that nobody
 * can learn which ids are taken. Notes whether the user may write.
 */
static void
check_wanted(StratumContext *wanted, bool has_user, Oid owner)
{
	/* Ids count from 1; 0 is how the context says that there is none. */
	Found		found = {0};

	if (wanted->tenant_id >= 1)
		found = look_up(wanted->tenant_id, has_user ? wanted->user_id : 0, owner);
	if (!found.tenant)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("tenant " INT64_FORMAT " does not exist", wanted->tenant_id)));
	/* widen_ids() lets such ids in; policies compare with an integer */
	if (wanted->tenant_id > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("tenant " INT64_FORMAT " is beyond integer, which current_tenant_id() returns",
						wanted->tenant_id)));
	if (found.is_deleted)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tenant " INT64_FORMAT " is deleted", wanted->tenant_id),
				 errhint("Set is_deleted to false in stratum.tenants to restore it.")));
	wanted->may_write = !has_user || found.may_write;
	if (!has_user)
		return;
	if (!found.of_tenant)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("tenant " INT64_FORMAT " has no user " INT64_FORMAT,
						wanted->tenant_id, wanted->user_id)));
	if (!found.is_active)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("user " INT64_FORMAT " is not active", wanted->user_id)));
}

/* Appends the length of an optional string to the head and the string itself to the tail. */
static void
append_optional(StringInfo head, StringInfo tail, const char *string, char separator)
{
	appendStringInfo(head, "%d%c", string == NULL ? -1 : (int) strlen(string), separator);
	if (string != NULL)
		appendStringInfoString(tail, string);
}

/* Request id, address and user agent: three arguments, the first being number "first". */
void
stratum_read_request(FunctionCallInfo fcinfo, int first, StratumContext *wanted)
{
	char	   *request_id = PG_ARGISNULL(first) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(first));
	char	   *user_agent = PG_ARGISNULL(first + 2) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(first + 2));

	if (request_id != NULL && pg_mbstrlen(request_id) > MAX_REQUEST_ID)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("request_id is longer than %d characters", MAX_REQUEST_ID)));
	/* Browsers send what they like: a long one is clipped rather than refused. */
	if (user_agent != NULL)
		user_agent[pg_mbcliplen(user_agent, strlen(user_agent), MAX_USER_AGENT)] = '\0';
	wanted->request_id = request_id;
	wanted->ip_address = PG_ARGISNULL(first + 1) ? NULL :
		DatumGetCString(DirectFunctionCall1(inet_out, PG_GETARG_DATUM(first + 1)));
	wanted->user_agent = user_agent;
}

static char *
compose_context(const StratumContext *wanted)
{
	StringInfoData head, tail;

	initStringInfo(&head);
	initStringInfo(&tail);
	appendStringInfo(&head, INT64_FORMAT " " INT64_FORMAT " %d ", wanted->tenant_id,
					 wanted->user_id, wanted->may_write);
	append_optional(&head, &tail, wanted->request_id, ' ');
	append_optional(&head, &tail, wanted->ip_address, ' ');
	append_optional(&head, &tail, wanted->user_agent, ':');
	appendStringInfoString(&head, tail.data);
	return head.data;
}

/*
 * A parameterless plan that was made for one tenant is kept for the next, which may be a thousand
 * times as large. Whoever minds has them made anew. 0: plans of several may be there.
 */
static void
reset_plans(int64 tenant_id)
{
	static int64 planned_for = 0;

	if (planned_for == tenant_id)
		return;
	planned_for = 0;
	if (!stratum_reset_plans_on_enter)
		return;
	ResetPlanCache();
	planned_for = tenant_id;
}

/*
 * Acts for this tenant and user from now on, for the transaction or for the session; has_user: one
 * was named. Looks them up as the owner of the function that was called.
 */
void
stratum_act_for(FunctionCallInfo fcinfo, StratumContext *wanted, bool has_user, bool for_session)
{
	if (entered_tenant != 0 && entered_tenant != wanted->tenant_id)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("this transaction has already acted for tenant " INT64_FORMAT, entered_tenant),
				 errhint("Enter tenant " INT64_FORMAT " in a transaction of its own.", wanted->tenant_id)));
	check_wanted(wanted, has_user, stratum_owner_of(fcinfo->flinfo->fn_oid));
	stratum_refuse_open_cursors(wanted->tenant_id);
	reset_plans(wanted->tenant_id);
	write_context(compose_context(wanted), for_session);
	stratum_remember_tenant(wanted->tenant_id);
	entered = !for_session;
	asked = false;
}

/* Nobody from now on. A session that loses its lock cannot act for another in the same transaction. */
void
stratum_act_for_nobody(bool for_session)
{
	write_context(stratum_session_is_locked() ? LEFT_CONTEXT : "", for_session);
}

/* A tenant's id, the argument with this number. */
int64
stratum_tenant_argument(FunctionCallInfo fcinfo, int number)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tenant_id must not be null"),
				 errhint("Use SELECT stratum.leave() to act for no tenant.")));
	return PG_GETARG_INT64(number);
}

/* enter(tenant_id bigint, user_id bigint, request_id text, ip_address inet, user_agent text) */
PG_FUNCTION_INFO_V1(stratum_enter);
Datum
stratum_enter(PG_FUNCTION_ARGS)
{
	StratumContext wanted = {0};
	bool		has_user = !PG_ARGISNULL(1);

	wanted.tenant_id = stratum_tenant_argument(fcinfo, 0);
	wanted.user_id = has_user ? PG_GETARG_INT64(1) : 0;
	stratum_read_request(fcinfo, 2, &wanted);
	stratum_keep_to_lock(&wanted, &has_user);
	stratum_act_for(fcinfo, &wanted, has_user, false);
	PG_RETURN_VOID();
}

/* leave(): no tenant and no user for the rest of the transaction. */
PG_FUNCTION_INFO_V1(stratum_leave);
Datum
stratum_leave(PG_FUNCTION_ARGS)
{
	/* What is closed stays closed. */
	if (stratum_context_is_set())
		stratum_act_for_nobody(false);
	entered = false;
	PG_RETURN_VOID();
}

/* current_tenant_id() -> integer, NULL without a context. Every policy calls it: keep it short. */
PG_FUNCTION_INFO_V1(stratum_current_tenant_id);
Datum
stratum_current_tenant_id(PG_FUNCTION_ARGS)
{
	asked = true;
	if (context->tenant_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(context->tenant_id);
}

/* Raises for 0, which is no tenant: what all say to a caller who has entered none. */
void
stratum_require_tenant(int64 tenant)
{
	if (tenant == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is no tenant to act for"),
				 errhint("SELECT stratum.enter(tenant_id, user_id) first, in the same transaction.")));
}

/* The current tenant; raises where there is none. */
int64
stratum_acting_for(void)
{
	stratum_require_tenant(stratum_context()->tenant_id);
	return context->tenant_id;
}

/* _acting_tenant() -> bigint: current_tenant_id(), which raises where there is none */
PG_FUNCTION_INFO_V1(stratum_acting_tenant);
Datum
stratum_acting_tenant(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(stratum_acting_for());
}

/* current_user_id() -> integer, NULL where unset */
PG_FUNCTION_INFO_V1(stratum_current_user_id);
Datum
stratum_current_user_id(PG_FUNCTION_ARGS)
{
	asked = true;
	if (context->user_id == 0)
		PG_RETURN_NULL();
	if (context->user_id > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("user " INT64_FORMAT " is beyond integer, which current_user_id() returns",
						context->user_id)));
	PG_RETURN_INT32(context->user_id);
}

/* _current_user_id() -> bigint, NULL where unset */
PG_FUNCTION_INFO_V1(stratum_current_user_key);
Datum
stratum_current_user_key(PG_FUNCTION_ARGS)
{
	asked = true;
	if (context->user_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(context->user_id);
}

/* current_request_id() -> text, NULL where unset */
PG_FUNCTION_INFO_V1(stratum_current_request_id);
Datum
stratum_current_request_id(PG_FUNCTION_ARGS)
{
	asked = true;
	if (context->request_id == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(context->request_id));
}
