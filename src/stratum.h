/*
 * stratum.h
 *	  What the files of the library share.
 */
#ifndef STRATUM_H
#define STRATUM_H

#include "postgres.h"
#include "compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#define STRATUM_SCHEMA "stratum"

/* --- ASCII: no locale is asked --- */
static inline bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* A-Z to a-z; every other byte, of whatever encoding, stays. */
static inline unsigned char
fold_ascii(unsigned char c)
{
	return c + ((unsigned char) (c - 'A') < 26 ? 'a' - 'A' : 0);
}

/* --- stratum.c --- */
extern int	stratum_progress_interval;
extern bool stratum_reset_plans_on_enter;

/* --- tenancy.c --- */

/* Who the transaction acts for; a number is 0, a string NULL, where it is not set. */
typedef struct StratumContext
{
	int64		tenant_id;
	int64		user_id;
	bool		may_write;		/* false for a viewer */
	const char *request_id;
	const char *ip_address;
	const char *user_agent;
} StratumContext;

extern const StratumContext *stratum_context(void);
extern bool stratum_context_is_set(void);
extern void stratum_define_context(void);
extern void stratum_require_tenant(int64 tenant);
extern int64 stratum_acting_for(void);
extern int64 stratum_tenant_argument(FunctionCallInfo fcinfo, int number);
extern void stratum_read_request(FunctionCallInfo fcinfo, int first, StratumContext *wanted);
extern void stratum_remember_tenant(int64 tenant_id);
extern Oid	stratum_owner_of(Oid function);
extern void stratum_act_for(FunctionCallInfo fcinfo, StratumContext *wanted, bool has_user,
							bool for_session);
extern void stratum_act_for_nobody(bool for_session);

/* --- session_lock.c --- */
extern bool stratum_session_is_locked(void);
extern void stratum_keep_to_lock(StratumContext *wanted, bool *has_user);
extern bool stratum_same_secret(const uint8 *a, const uint8 *b, Size length);

/* --- open_cursors.c --- */
extern void stratum_refuse_open_cursors(int64 tenant_id);

/* --- limits.c --- */
extern void stratum_note_restored(Oid table);

/* --- row_values.c --- */

/* What a column must hold for the library to write or read it. */
typedef enum StratumKind
{
	STRATUM_ANYTHING,
	STRATUM_INTEGER,			/* smallint, integer or bigint */
	STRATUM_FLOAT,				/* real or double precision */
	STRATUM_BOOLEAN,
	STRATUM_STRING,				/* text, varchar and their like */
	STRATUM_TIME,				/* timestamp with time zone */
	STRATUM_JSON,				/* jsonb */
	STRATUM_ADDRESS				/* inet */
} StratumKind;

/* A row taken apart. Column numbers start at 1, as everywhere. */
typedef struct StratumRow
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
} StratumRow;

struct Trigger;

extern bool stratum_is_integer(Oid type);
extern List *stratum_trigger_names(const struct Trigger *trigger, int number);
extern AttrNumber stratum_find_column(TupleDesc desc, const char *name, StratumKind kind);
extern StratumRow stratum_open_row(HeapTuple tuple, TupleDesc desc);
extern void stratum_put(StratumRow *row, AttrNumber column, Datum value);
extern void stratum_put_null(StratumRow *row, AttrNumber column);
extern bool stratum_put_integer(StratumRow *row, AttrNumber column, int64 number);
extern void stratum_put_float(StratumRow *row, AttrNumber column, double number);
extern int64 stratum_integer(Form_pg_attribute attribute, Datum value);
extern bool stratum_same_hash(const text *a, const text *b);
extern bool stratum_same_value(Form_pg_attribute attribute, Datum a, bool a_null, Datum b, bool b_null);
extern HeapTuple stratum_changed_tuple(HeapTuple tuple, TupleDesc desc, const Datum *was,
									   const bool *was_null, Datum *values, bool *nulls);

/* --- metrics.c; false where the metric is NULL --- */
extern bool stratum_cents_ratio(int64 cents, int64 multiplier, int64 divisor, int64 *result);
extern bool stratum_float_ratio(int64 numerator, double multiplier, int64 divisor, double *result);

/* --- hash.c; the texts must not be toasted, short headers are fine --- */
extern text *stratum_email_hash(const text *address);	/* NULL for a blank one */
extern text *stratum_phone_hash(const text *number);	/* NULL where no digit is left */
extern bool stratum_is_plain_email(const text *address);
extern bool stratum_is_plain_phone(const text *number);

/* --- datum_to_json.c --- */
typedef struct StratumJsonEncoder
{
	bool		is_jsonb;		/* the value is the result */
	bool		by_text;		/* jsonb may be unable to hold it: by way of json */
	FmgrInfo	function;		/* to_jsonb, or to_json if by_text */
} StratumJsonEncoder;

extern void stratum_json_encoder_init(StratumJsonEncoder *encoder, Oid type, MemoryContext context);
extern Jsonb *stratum_json_encode(StratumJsonEncoder *encoder, Datum value, text **unfit);

/* --- conditions_json_text.c --- */
extern bool stratum_json_is_safe(const text *json);

/* --- conditions_parse.c --- */
typedef enum StratumTarget
{
	STRATUM_PROFILE,
	STRATUM_CAMPAIGN,
	STRATUM_EVENT				/* only inside a condition about events */
} StratumTarget;

extern void stratum_validate_conditions(Jsonb *conditions, StratumTarget target);

/* --- conditions_segment.c --- */

/* For whom a definition may ask about segments. */
typedef struct SegmentScope
{
	int64		tenant;			/* 0: there is none */
	int64		id;				/* of the segment whose definition it is to become, or 0 */
	const char *slug;			/* its, or NULL */
	bool		fresh;			/* sees what the running command has written */
} SegmentScope;

extern void stratum_validate_segment(Jsonb *definition, const SegmentScope *scope);

/* --- stripes.c --- */

/* What is locked; the numbers are fields of lock tags, beside 1 and 2 of pg_advisory_lock(). */
typedef enum StratumStripes
{
	STRIPES_PERSONS = 16,		/* names of persons, while they become profiles */
	STRIPES_MESSAGES = 17		/* ids of messages, where no key of the table looks after them */
} StratumStripes;

extern void stratum_lock_stripes(StratumStripes kind, int64 tenant, uint32 *hashes, int count);

#endif							/* STRATUM_H */
