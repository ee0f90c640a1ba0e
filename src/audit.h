/*
 * audit.h
 *	  What the files of the audit trail share.
 *
 * A change goes three steps: audit_table.c knows the table, audit_row.c makes an AuditEntry of the
 * change, audit_write.c puts it into stratum.audit_logs. An entry says nothing about how it is
 * written.
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
} AuditEntry;

typedef struct AuditColumn
{
	AttrNumber	number;
	const char *name;
	bool		redacted;
	bool		ignored;		/* a change of nothing else is not logged */
	bool		is_timestamptz;
	StratumJsonEncoder encoder;
} AuditColumn;

/* What the trail needs to know of a table. */
typedef struct AuditTable
{
	const char *resource_type;
	int			ncolumns;
	AuditColumn *columns;		/* without dropped and virtual ones */
	int			nkeys;
	AuditColumn **keys;			/* in the order of the key */
	AttrNumber	tenant_id;		/* 0: has none */
	AttrNumber	is_deleted;		/* 0: has none */
} AuditTable;

/* --- audit_trigger.c --- */
extern TriggerData *stratum_audit_trigger_data(FunctionCallInfo fcinfo, const char *name);

/* --- audit_table.c --- */
extern const AuditTable *stratum_audit_table(Relation relation, Trigger *trigger);
extern bool stratum_is_audit_trigger(const Trigger *trigger);

/* --- audit_row.c --- */
extern bool stratum_describe_change(const AuditTable *table, TriggerData *trigdata,
									AuditEntry *entry);
extern void stratum_describe_truncate(const AuditTable *table, AuditEntry *entry);

/* --- audit_write.c --- */

/* Whose INSERT the guard of the log looks at. */
typedef enum AuditWriter
{
	AUDIT_WRITER_OTHER,			/* anybody's */
	AUDIT_WRITER_EVENT,			/* log_event()'s */
	AUDIT_WRITER_CHANGE			/* the triggers' */
} AuditWriter;

extern bool stratum_is_change(const char *action);
extern void stratum_write_entry(const AuditEntry *entry, Oid owner);
extern int64 stratum_write_record(const char *action, const AuditEntry *entry);
extern AuditWriter stratum_take_audit_writer(void);

/* --- audit_change.c --- */
extern bool stratum_take_log_opening(void);
extern bool stratum_audit_is_paused(Oid relid);
extern bool stratum_tenant_audit_is_paused(int64 tenant_id);

#endif							/* STRATUM_AUDIT_H */
