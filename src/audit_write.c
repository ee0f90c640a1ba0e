/*
 * audit_write.c
 *	  Writes entries into stratum.audit_logs through saved plans: events, and changes where the log is
 *	  anything but the plain table that audit_sink.c can write directly.
 *
 * A change is recorded with the rights of the library's owner, whatever the user may do with the
 * log: row security must not hide a change from it. An event is recorded with the caller's.
 */
#include "audit.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#define SAFE_PATH "pg_catalog, pg_temp"
#define LOG_TABLE "audit_logs"

/* Parameters: what both statements take, in this order. */
#define INSERT_ENTRY \
	"INSERT INTO stratum.audit_logs (tenant_id, user_id, action, resource_type, resource_id," \
	" old_values, new_values, metadata, ip_address, user_agent, request_id, created_at)" \
	" VALUES ($1, $2, CAST($3 AS stratum.audit_action), $4, $5, $6, $7, $8," \
	" CAST($9 AS pg_catalog.inet), $10, $11, $12)"
#define NPARAMETERS 12

typedef struct Parameters
{
	Datum		values[NPARAMETERS];
	char		nulls[NPARAMETERS];
} Parameters;

/* Labels of the enum audit_action, by AuditAction. */
const char *const stratum_audit_actions[AUDIT_ACTIONS] = {"create", "update", "delete"};

/* Who writes the row that comes next: the guard asks for it. */
static AuditWriter writer = AUDIT_WRITER_OTHER;

/*
 * Whose row the guard is looking at. It is the library's only once: what a user's own trigger on
 * the log inserts meanwhile is not.
 */
AuditWriter
stratum_take_audit_writer(void)
{
	AuditWriter result = writer;

	writer = AUDIT_WRITER_OTHER;
	return result;
}

/* --- the statement --- */

static void
check_log_exists(void)
{
	Oid			namespace = get_namespace_oid(STRATUM_SCHEMA, true);

	if (!OidIsValid(namespace) || !OidIsValid(get_relname_relid(LOG_TABLE, namespace)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the audit trail, table stratum.audit_logs, is missing"),
				 errhint("SELECT stratum.install() creates what is missing.")));
}

static SPIPlanPtr
prepare(const char *query)
{
	static Oid	types[NPARAMETERS] = {
		INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, JSONBOID, JSONBOID,
		TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID
	};
	SPIPlanPtr	plan = SPI_prepare_cursor(query, NPARAMETERS, types, CURSOR_OPT_GENERIC_PLAN);

	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\": %s", query, SPI_result_code_string(SPI_result));
	return plan;
}

static void
set_parameter(Parameters *parameters, int number, bool present, Datum value)
{
	parameters->values[number - 1] = present ? value : (Datum) 0;
	parameters->nulls[number - 1] = present ? ' ' : 'n';
}

static void
set_string(Parameters *parameters, int number, const char *string)
{
	set_parameter(parameters, number, string != NULL,
				  string != NULL ? CStringGetTextDatum(string) : (Datum) 0);
}

static void
set_json(Parameters *parameters, int number, const Jsonb *json)
{
	set_parameter(parameters, number, json != NULL, PointerGetDatum(json));
}

static Jsonb *
empty_object(void)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The entry and what the context knows, as parameters; `action` is the enum's label. */
static void
fill_parameters(Parameters *parameters, const char *action, const AuditEntry *entry)
{
	const StratumContext *context = stratum_context();

	set_parameter(parameters, 1, entry->tenant_id != 0, Int64GetDatum(entry->tenant_id));
	set_parameter(parameters, 2, context->user_id != 0, Int64GetDatum(context->user_id));
	set_string(parameters, 3, action);
	set_string(parameters, 4, entry->resource_type);
	set_string(parameters, 5, entry->resource_id);
	set_json(parameters, 6, entry->old_values);
	set_json(parameters, 7, entry->new_values);
	set_json(parameters, 8, entry->metadata != NULL ? entry->metadata : empty_object());
	set_string(parameters, 9, context->ip_address);
	set_string(parameters, 10, context->user_agent);
	set_string(parameters, 11, context->request_id);
	set_parameter(parameters, 12, true, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()));
}

/* Runs one of the two statements, announced to the guard. Inside SPI_connect(). */
static void
execute(SPIPlanPtr *plan, const char *query, Parameters *parameters, AuditWriter as, int expected)
{
	int			result;

	if (*plan == NULL || !SPI_plan_is_valid(*plan))
		check_log_exists();
	if (*plan == NULL)
		*plan = prepare(query);
	writer = as;
	PG_TRY();
	{
		result = SPI_execute_plan(*plan, parameters->values, parameters->nulls, false, 0);
	}
	PG_FINALLY();
	{
		writer = AUDIT_WRITER_OTHER;
	}
	PG_END_TRY();
	if (result == expected && SPI_processed == 1)
		return;
	/* A rule or a trigger of somebody's on the log. A plan of no statement at all would outlive the rule. */
	SPI_freeplan(*plan);
	*plan = NULL;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the audit trail, table stratum.audit_logs, did not take an entry")));
}

/* --- changes --- */

static void
insert_change(const AuditEntry *entry)
{
	static SPIPlanPtr plan = NULL;
	Parameters	parameters;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	fill_parameters(&parameters, stratum_audit_actions[entry->action], entry);
	execute(&plan, INSERT_ENTRY, &parameters, AUDIT_WRITER_CHANGE, SPI_OK_INSERT);
	SPI_finish();
}

/*
 * Inserts the entry as the current user, who is the log's owner. What runs on the log besides (defaults,
 * constraints, an owner's own trigger) finds nothing through the caller's search path. An error leaves the
 * rest to the end of the (sub)transaction, which resets the settings.
 */
void
stratum_write_entry(const AuditEntry *entry)
{
	int			nest_level = 0;
	bool		pin = strcmp(namespace_search_path, SAFE_PATH) != 0;

	(void) GetCurrentTransactionId();
	if (pin)
	{
		nest_level = NewGUCNestLevel();
		(void) set_config_option("search_path", SAFE_PATH, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	insert_change(entry);
	if (pin)
		AtEOXact_GUC(true, nest_level);
}

/* --- events --- */

/* Whether an action is one that the triggers record. */
bool
stratum_is_change(const char *action)
{
	for (int i = 0; i < AUDIT_ACTIONS; i++)
	{
		if (strcmp(action, stratum_audit_actions[i]) == 0)
			return true;
	}
	return false;
}

/* The table that a resource type names; InvalidOid if it names none. */
static Oid
table_of(const char *resource_type)
{
	List	   *names;
	Oid			namespace;

	namespace = get_namespace_oid(STRATUM_SCHEMA, true);
	if (OidIsValid(namespace) && OidIsValid(get_relname_relid(resource_type, namespace)))
		return get_relname_relid(resource_type, namespace);
	if (!SplitIdentifierString(pstrdup(resource_type), '.', &names) || list_length(names) != 2)
		return InvalidOid;
	namespace = get_namespace_oid(linitial(names), true);
	return OidIsValid(namespace) ? get_relname_relid(lsecond(names), namespace) : InvalidOid;
}

static bool
is_audited(const char *resource_type)
{
	Oid			relid = table_of(resource_type);
	Relation	relation;
	const TriggerDesc *triggers;
	bool		result = false;

	if (!OidIsValid(relid) || (relation = try_relation_open(relid, AccessShareLock)) == NULL)
		return false;
	/* A copy: what is looked up may bring the relation other triggers. */
	triggers = CopyTriggerDesc(relation->trigdesc);
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
		result |= stratum_is_audit_trigger(&triggers->triggers[i]);
	relation_close(relation, AccessShareLock);
	return result;
}

static void
check_event(const char *action, const char *resource_type)
{
	if (stratum_is_change(action) && is_audited(resource_type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" of %s is recorded by its trigger only", action, resource_type),
				 errhint("Log what the trigger cannot know: login, logout, export, anonymize.")));
	if (!has_privs_of_role(GetUserId(), get_role_oid("stratum_admin", true)))
		stratum_require_tenant(stratum_context()->tenant_id);
}

static char *
required_text(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static int64
insert_event(const char *action, const AuditEntry *entry, AuditWriter as)
{
	static SPIPlanPtr plan = NULL;
	Parameters	parameters;
	Datum		id;
	bool		isnull;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	fill_parameters(&parameters, action, entry);
	execute(&plan, INSERT_ENTRY " RETURNING CAST(id AS pg_catalog.int8)", &parameters,
			as, SPI_OK_INSERT_RETURNING);
	id = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_finish();
	return DatumGetInt64(id);
}

/* An entry of retention or erasure, whose tenant need not be the context's. Returns its id. */
int64
stratum_write_record(const char *action, const AuditEntry *entry)
{
	(void) GetCurrentTransactionId();
	return insert_event(action, entry, AUDIT_WRITER_CHANGE);
}

/*
 * log_event(action text, resource_type text, resource_id text, metadata jsonb) -> bigint
 *
 * The id of the new row of audit_logs. The caller's own rights and row security decide.
 */
PG_FUNCTION_INFO_V1(stratum_log_event);
Datum
stratum_log_event(PG_FUNCTION_ARGS)
{
	AuditEntry	entry = {0};
	char	   *action = required_text(fcinfo, 0, "action");

	entry.resource_type = required_text(fcinfo, 1, "resource_type");
	entry.resource_id = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	entry.metadata = PG_ARGISNULL(3) ? NULL : PG_GETARG_JSONB_P(3);
	entry.tenant_id = stratum_context()->tenant_id;
	check_event(action, entry.resource_type);
	/* Sealing relies on it that a transaction has a number before it draws an id. */
	(void) GetCurrentTransactionId();
	PG_RETURN_INT64(insert_event(action, &entry, AUDIT_WRITER_EVENT));
}
