/*
 * session_lock.c
 *	  A tenant for the whole session: enter_session() and leave_session().
 *
 * The context itself is the session's value of the setting stratum.context (tenancy.c). Here is what
 * holds it fast: whose it is, and the hash of a token that only who entered knows. COMMIT, ROLLBACK,
 * SET ROLE and their like do not touch either. DISCARD ALL and RESET ALL set the setting back to
 * nothing: the session is closed then, since the lock stays, and it takes the token to open it.
 */
#include "sha256.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#define MIN_TOKEN 16
#define MAX_TOKEN 1024
#define SALT_LENGTH 16

typedef struct SessionLock
{
	bool		held;
	int64		tenant_id;
	int64		user_id;		/* 0: none */
	uint8		salt[SALT_LENGTH];
	uint8		hash[PG_SHA256_DIGEST_LENGTH];	/* of salt and token */
} SessionLock;

static SessionLock lock;

/* What it was before this transaction, which may yet fail. */
static SessionLock lock_before;
static bool changed = false;

static ProcessUtility_hook_type next_utility_hook;

bool
stratum_session_is_locked(void)
{
	return lock.held;
}

/* --- the lock belongs to transactions that commit --- */

static void
note_transaction_end(XactEvent event, void *argument)
{
	if (changed && (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT))
		lock = lock_before;
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PARALLEL_PRE_COMMIT)
		changed = false;
}

static void
set_lock(const SessionLock *to)
{
	if (!changed)
		lock_before = lock;
	changed = true;
	lock = *to;
}

/* --- cursors WITH HOLD would carry rows out of the lock --- */

/*
 * Refuses to declare one while the lock is held. There is no other way to make one, and whatever runs
 * a DECLARE, a function or a prepared statement, comes by here.
 */
static void
refuse_holding(PlannedStmt *statement, const char *query, bool read_only_tree,
			   ProcessUtilityContext context, ParamListInfo parameters, QueryEnvironment *environment,
			   DestReceiver *receiver, QueryCompletion *completion)
{
	if (lock.held && IsA(statement->utilityStmt, DeclareCursorStmt) &&
		(castNode(DeclareCursorStmt, statement->utilityStmt)->options & CURSOR_OPT_HOLD) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a locked session makes no cursors WITH HOLD"),
				 errhint("They would outlive the lock. Declare the cursor without it, inside a transaction.")));
	if (next_utility_hook != NULL)
		next_utility_hook(statement, query, read_only_tree, context, parameters, environment,
						  receiver, completion);
	else
		standard_ProcessUtility(statement, query, read_only_tree, context, parameters, environment,
								receiver, completion);
}

/* Those that are open hold rows of another tenant, for all we know. */
static void
refuse_held_cursors(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute("SELECT FROM pg_catalog.pg_cursors c WHERE c.is_holdable", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read the cursors");
	if (SPI_processed != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_CURSOR_STATE),
				 errmsg("a cursor WITH HOLD is open"),
				 errhint("CLOSE ALL or DISCARD ALL closes it.")));
	SPI_finish();
}

/* Once in a session, when it is locked first. */
static void
start_watching(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(note_transaction_end, NULL);
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = refuse_holding;
	watching = true;
}

/* --- the token --- */

static void
hash_token(const SessionLock *of, const text *token, uint8 *digest)
{
	Sha256Context context;

	stratum_sha256_init(&context);
	stratum_sha256_update(&context, of->salt, SALT_LENGTH);
	stratum_sha256_update(&context, (const unsigned char *) VARDATA_ANY(token), VARSIZE_ANY_EXHDR(token));
	stratum_sha256_final(&context, digest);
}

/* Whether two secrets of a length are the same, in a time that does not depend on where they differ. */
bool
stratum_same_secret(const uint8 *a, const uint8 *b, Size length)
{
	uint8		difference = 0;

	for (Size i = 0; i < length; i++)
		difference |= ((const volatile uint8 *) a)[i] ^ ((const volatile uint8 *) b)[i];
	return difference == 0;
}

/* The token that is the argument with this number. No message of ours shows one. */
static const text *
token_argument(FunctionCallInfo fcinfo, int number)
{
	const text *token;
	Size		length;

	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("token must not be null")));
	token = PG_GETARG_TEXT_PP(number);
	length = VARSIZE_ANY_EXHDR(token);
	if (length < MIN_TOKEN || length > MAX_TOKEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the token must have between %d and %d bytes", MIN_TOKEN, MAX_TOKEN),
				 errhint("Take random ones, anew for each session, and send them as a bind parameter.")));
	return token;
}

static void
check_token(const text *token)
{
	uint8		hash[PG_SHA256_DIGEST_LENGTH];

	hash_token(&lock, token, hash);
	if (!stratum_same_secret(hash, lock.hash, sizeof(hash)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PASSWORD),
				 errmsg("this is not the token of the session")));
}

/* --- what is allowed under the lock --- */

/*
 * enter() under a lock: for the lock's tenant and user only, which is what no user means then. It
 * lets the application add the request to a transaction.
 */
void
stratum_keep_to_lock(StratumContext *wanted, bool *has_user)
{
	if (!lock.held)
		return;
	if (!stratum_context_is_set())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this session is closed"),
				 errhint("Its token opens it: SELECT stratum.enter_session(tenant_id, user_id, token).")));
	if (wanted->tenant_id != lock.tenant_id || (*has_user && wanted->user_id != lock.user_id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 wanted->tenant_id != lock.tenant_id ?
				 errmsg("this session is locked to tenant " INT64_FORMAT, lock.tenant_id) :
				 errmsg("this session is locked to another user of tenant " INT64_FORMAT, lock.tenant_id),
				 errhint("It can enter the tenant and the user of its lock only.")));
	if (lock.user_id != 0)
	{
		wanted->user_id = lock.user_id;
		*has_user = true;
	}
}

/*
 * Going over to another tenant takes two steps, so that no statement can see both: what has been
 * opened is closed first.
 */
static void
refuse_going_over(int64 tenant_id)
{
	if (stratum_context_is_set() && lock.tenant_id != tenant_id)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("this session acts for tenant " INT64_FORMAT, lock.tenant_id),
				 errhint("DISCARD ALL closes it, leave_session() ends it; then enter tenant " INT64_FORMAT ".", tenant_id)));
}

/*
 * enter_session(tenant_id bigint, user_id bigint, token text)
 *
 * Locks the session, or with the token of its lock opens it again, for whomever.
 */
PG_FUNCTION_INFO_V1(stratum_enter_session);
Datum
stratum_enter_session(PG_FUNCTION_ARGS)
{
	StratumContext wanted = {0};
	SessionLock wanted_lock = lock;
	bool		has_user = !PG_ARGISNULL(1);
	const text *token;

	wanted.tenant_id = stratum_tenant_argument(fcinfo, 0);
	wanted.user_id = has_user ? PG_GETARG_INT64(1) : 0;
	token = token_argument(fcinfo, 2);
	PreventInTransactionBlock(true, "enter_session()");
	if (lock.held)
	{
		check_token(token);
		refuse_going_over(wanted.tenant_id);
	}
	else if (!pg_strong_random(wanted_lock.salt, SALT_LENGTH))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random bytes")));
	refuse_held_cursors();

	start_watching();
	hash_token(&wanted_lock, token, wanted_lock.hash);
	wanted_lock.held = true;
	wanted_lock.tenant_id = wanted.tenant_id;
	wanted_lock.user_id = wanted.user_id;
	stratum_act_for(fcinfo, &wanted, has_user, true);
	set_lock(&wanted_lock);
	PG_RETURN_VOID();
}

/* leave_session(token text): ends the lock, open or closed. */
PG_FUNCTION_INFO_V1(stratum_leave_session);
Datum
stratum_leave_session(PG_FUNCTION_ARGS)
{
	const SessionLock none = {0};
	const text *token = token_argument(fcinfo, 0);

	PreventInTransactionBlock(true, "leave_session()");
	if (!lock.held)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this session is not locked"),
				 errhint("SELECT stratum.leave() ends what enter() began.")));
	check_token(token);
	set_lock(&none);
	stratum_act_for_nobody(true);
	PG_RETURN_VOID();
}
