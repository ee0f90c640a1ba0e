/*
 * audit.h
 *	  What the files of the audit trail share.
 *
 * A change goes three steps: audit_table.c knows the table, audit_row.c makes an AuditEntry of the
 * change (audit_encode.c its values), audit_sink.c puts it into stratum.audit_logs: directly where
 * audit_log.c finds nothing in the way, otherwise by audit_write.c through a saved plan. An entry
 * says nothing about how it is written.
 */
#ifndef STRATUM_AUDIT_H
#define STRATUM_AUDIT_H

#include "stratum.h"

#include "commands/trigger.h"
#include "utils/rel.h"

/* As in the table. */
#define AUDIT_RESOURCE_TYPE_LENGTH 100
#define AUDIT_RESOURCE_ID_LENGTH 255

typedef enum AuditAction
{
	AUDIT_CREATE,
	AUDIT_UPDATE,
	AUDIT_DELETE
} AuditAction;

#define AUDIT_ACTIONS 3

/* A row of the trail but for what the context knows; a pointer is NULL for SQL NULL. */
typedef struct AuditEntry
{
	AuditAction action;
	int64		tenant_id;		/* 0: of no tenant */
	const char *resource_type;
	const char *resource_id;
	Jsonb	   *old_values;
	Jsonb	   *new_values;
	Jsonb	   *metadata;		/* NULL: an empty object */
	bool		is_there;		/* the row is, and refers to its tenant, as far as its table does */
	bool		loosens;		/* a row goes away, or from its tenant to another */
} AuditEntry;

/* A table that a column refers to, by a column of it; InvalidOid: none. */
typedef struct AuditReference
{
	Oid			relation;
	AttrNumber	column;
} AuditReference;

/* How a column's values become jsonb. */
typedef enum AuditEncoding
{
	AUDIT_ENCODE_ANY,			/* by to_jsonb() itself */
	AUDIT_ENCODE_OUTPUT,		/* a string: what the type's output function says */
	AUDIT_ENCODE_TEXT,
	AUDIT_ENCODE_INT2,
	AUDIT_ENCODE_INT4,
	AUDIT_ENCODE_INT8,
	AUDIT_ENCODE_FLOAT4,
	AUDIT_ENCODE_FLOAT8,
	AUDIT_ENCODE_NUMERIC,
	AUDIT_ENCODE_BOOL,
	AUDIT_ENCODE_TIME,			/* date, timestamp with and without time zone */
	AUDIT_ENCODE_JSONB
} AuditEncoding;

/* How a column is shown. */
typedef enum AuditRedaction
{
	AUDIT_SHOW,
	AUDIT_MASK,
	AUDIT_HASH,
	AUDIT_DROP					/* not at all */
} AuditRedaction;

#define REDACTED "[REDACTED]"

typedef struct AuditColumn
{
	AttrNumber	number;
	const char *name;
	int			name_length;
	Oid			type;			/* below a domain */
	bool		redacted;		/* and how: */
	AuditRedaction redaction;
	bool		ignored;		/* a change of nothing else is not logged */
	AuditEncoding encoding;
	FmgrInfo	output;			/* of AUDIT_ENCODE_OUTPUT */
	StratumJsonEncoder encoder; /* for every encoding: the slow way */
} AuditColumn;

/* What the trail needs to know of a table. */
typedef struct AuditTable
{
	const char *resource_type;
	int			ncolumns;
	AuditColumn *columns;		/* without dropped and virtual ones, in the order of an object's keys */
	List	   *left_out;		/* names of those that are AUDIT_DROP, which are not in it either */
	int			nkeys;
	AuditColumn **keys;			/* in the order of the key */
	AttrNumber	tenant_id;		/* 0: has none */
	AttrNumber	is_deleted;		/* 0: has none */
	AuditReference held;		/* what a row keeps from deletion by its tenant_id */
} AuditTable;

/* --- audit_trigger.c --- */
extern TriggerData *stratum_audit_trigger_data(FunctionCallInfo fcinfo, const char *name);
extern void stratum_define_audit(void);

/* --- audit_table.c --- */
extern const AuditTable *stratum_audit_table(Relation relation, Trigger *trigger);
extern bool stratum_is_audit_trigger(const Trigger *trigger);

extern Oid	stratum_root_of(Oid relid);
extern Oid	stratum_owner_of_table(Oid relid);

/* --- audit_redact.c --- */
extern AuditRedaction stratum_redaction(const char *column, List *entries);
extern char *stratum_redacted_name(Oid relid, const char *entry);
extern const char *stratum_redacted_value(const AuditColumn *column, Datum value);

/* --- audit_encode.c --- */
extern void stratum_choose_encoding(AuditColumn *column, Oid type);
extern void stratum_sort_columns(AuditTable *table);
extern Jsonb *stratum_encode_string(const char *string);
extern Jsonb *stratum_encode_value(const AuditColumn *column, Datum value);
extern Jsonb *stratum_encode_value_in_utc(const AuditColumn *column, Datum value);
extern Jsonb *stratum_encode_row(const AuditTable *table, const Datum *values, const bool *nulls,
								 const bool *wanted);

/* --- audit_size.c --- */
extern bool stratum_json_has_text(Jsonb *json);
extern void stratum_check_entry_size(Jsonb *const *values, int count);

/* --- audit_row.c --- */
extern char *stratum_json_text(Jsonb *json);
extern bool stratum_describe_change(const AuditTable *table, TupleTableSlot *old,
									TupleTableSlot *new, AuditEntry *entry);
extern void stratum_describe_truncate(const AuditTable *table, AuditEntry *entry);

/* --- audit_log.c --- */

/* Columns of audit_logs, in the order of the documentation. */
typedef enum AuditLogColumn
{
	LOG_ID,
	LOG_TENANT_ID,
	LOG_USER_ID,
	LOG_ACTION,
	LOG_RESOURCE_TYPE,
	LOG_RESOURCE_ID,
	LOG_OLD_VALUES,
	LOG_NEW_VALUES,
	LOG_METADATA,
	LOG_IP_ADDRESS,
	LOG_USER_AGENT,
	LOG_REQUEST_ID,
	LOG_CREATED_AT
} AuditLogColumn;

#define LOG_COLUMNS (LOG_CREATED_AT + 1)

/* An index of the log. */
typedef struct AuditLogIndex
{
	Oid			index;
	AttrNumber	not_null;		/* only of rows where this column is not NULL; 0: of all */
} AuditLogIndex;

/* More than these are the executor's. */
#define LOG_INDEXES 16

/* The table stratum.audit_logs, of which nothing stands in the way of writing it directly. */
typedef struct AuditLog
{
	Oid			relation;
	Oid			sequence;		/* of the ids */
	AttrNumber	columns[LOG_COLUMNS];
	Oid			actions[AUDIT_ACTIONS]; /* labels of audit_action */
	AuditReference tenants;		/* what tenant_id refers to */
	AuditReference users;		/* what user_id refers to */
	int			index_count;
	AuditLogIndex indexes[LOG_INDEXES];
} AuditLog;

extern bool stratum_open_audit_log(AuditLog *log, Relation *relation);

/* --- audit_index.c --- */
typedef struct AuditIndexes AuditIndexes;

extern bool stratum_describe_log_indexes(AuditLog *log, Relation relation);
extern AuditIndexes *stratum_open_log_indexes(const AuditLog *log, Relation table);
extern void stratum_insert_into_log_indexes(AuditIndexes *indexes, TupleTableSlot *slot);
extern void stratum_close_log_indexes(AuditIndexes *indexes);

/* --- audit_reference.c --- */
extern void stratum_define_audit_references(void);
extern bool stratum_lock_referenced(const AuditReference *reference, int64 id);
extern AuditReference stratum_held_reference(Relation relation, AttrNumber column);
extern bool stratum_secure_referenced(const AuditReference *reference, const AuditReference *held, int64 id);
extern void stratum_lock_relied(void);
extern void stratum_forget_referenced(void);

/* --- audit_sink.c --- */
typedef struct AuditSink AuditSink;

extern AuditSink *stratum_open_sink(Oid owner, const AuditTable *table);
extern MemoryContext stratum_sink_context(AuditSink *sink);
extern void stratum_sink_add(AuditSink *sink, const AuditEntry *entry);
extern void stratum_close_sink(AuditSink *sink);

/* --- audit_write.c --- */

/* Whose INSERT the guard of the log looks at. */
typedef enum AuditWriter
{
	AUDIT_WRITER_OTHER,			/* anybody's */
	AUDIT_WRITER_EVENT,			/* log_event()'s */
	AUDIT_WRITER_CHANGE			/* the triggers' */
} AuditWriter;

extern const char *const stratum_audit_actions[AUDIT_ACTIONS];

extern bool stratum_is_change(const char *action);
extern void stratum_write_entry(const AuditEntry *entry);
extern int64 stratum_write_record(const char *action, const AuditEntry *entry);
extern AuditWriter stratum_take_audit_writer(void);

/* --- audit_change.c --- */
extern bool stratum_take_log_opening(void);
extern bool stratum_audit_is_paused(Oid relid);
extern bool stratum_tenant_audit_is_paused(int64 tenant_id);

#endif							/* STRATUM_AUDIT_H */
