/*
 * conditions.h
 *	  The language of segments and rules: what its files share.
 *
 * A definition is parsed into a tree of groups and predicates (conditions_parse.c, conditions_field.c,
 * conditions_operand.c) and the tree is laid out as a flat list of instructions
 * (conditions_compile.c). A row is evaluated by running the instructions: each asks one predicate
 * (conditions_match.c) about one field (conditions_value.c, conditions_events.c).
 *
 * A definition may raise when it is parsed. No value of a row may ever raise when it is evaluated.
 */
#ifndef STRATUM_CONDITIONS_H
#define STRATUM_CONDITIONS_H

#include "conditions_event.h"
#include "stratum.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "utils/numeric.h"

/* --- numbers: conditions_number.c --- */

/*
 * A decimal number as base-10000 digits, which is how numeric stores it: reading one is no work.
 * Neither the first nor the last digit is 0, so equal numbers look alike.
 */
typedef struct Number
{
	int			sign;			/* -1, 0, 1 */
	int			weight;			/* the first digit counts 10000^weight */
	int			ndigits;
	const int16 *digits;
	Numeric		source;			/* the numeric that it was read from, or NULL */
} Number;

/* Room for the digits of a JSON-number string within the limits, and of any int64. */
#define NUMBER_MAX_DECIMALS 1000
#define NUMBER_MAX_EXPONENT 1000
#define NUMBER_ROOM (NUMBER_MAX_DECIMALS / 4 + 2)

extern bool stratum_number_from_numeric(Numeric numeric, Number *number);
extern Size stratum_numeric_text_size(Numeric numeric);
extern bool stratum_number_from_string(const char *string, int length, int16 *digits, Number *number);
extern void stratum_number_from_int64(int64 value, int16 *digits, Number *number);
extern void stratum_number_hundredth(const Number *number, int16 *digits, Number *result);
extern int	stratum_number_compare(const Number *a, const Number *b);
extern int64 stratum_number_days(const Number *days);

/* --- values: conditions_json.c --- */
typedef enum ValueKind
{
	VALUE_MISSING,
	VALUE_NULL,					/* JSON null; a field that holds it counts as missing */
	VALUE_STRING,
	VALUE_NUMBER,
	VALUE_BOOL,
	VALUE_ARRAY,
	VALUE_OBJECT,
	VALUE_TIME					/* of a column or an event; JSON has none */
} ValueKind;

/* What a field holds. It points into the row's data and lives as long as that. */
typedef struct Value
{
	ValueKind	kind;
	int			length;			/* of a string, array or object, in bytes */
	union
	{
		const char *string;
		Number		number;
		bool		boolean;
		const JsonbContainer *container;
		TimestampTz time;
	}			of;
} Value;

typedef struct Elements
{
	const JsonbContainer *container;
	int			count;			/* elements, or values of an object */
	int			first;			/* its number among the children */
	int			next;
	uint32		offset;
	const char *data;
} Elements;

extern void stratum_json_root(const Jsonb *jsonb, Value *value);
extern bool stratum_json_find(const Value *object, const char *key, int length, Value *value);
extern void stratum_json_follow(const Value *document, const Key *path, int npath, Value *value);
extern void stratum_json_elements(const JsonbContainer *array, Elements *elements);
extern bool stratum_json_next(Elements *elements, Value *value);
extern void stratum_json_key(const JsonbContainer *object, int index, Value *key);
extern bool stratum_json_equal(const JsonbContainer *a, const JsonbContainer *b);

/* --- fields: conditions_field.c --- */
typedef enum ColumnReader
{
	READ_NOTHING,				/* the row has no such column: it is missing */
	READ_BOOL,
	READ_INT2,
	READ_INT4,
	READ_INT8,
	READ_FLOAT4,
	READ_FLOAT8,
	READ_NUMERIC,
	READ_TEXT,
	READ_JSONB,
	READ_TIMESTAMP,				/* with and without time zone: the latter is UTC */
	READ_DATE,
	READ_OUTPUT,				/* a string: what the type's output function says */
	READ_ENCODED				/* what to_jsonb makes of it */
} ColumnReader;

typedef struct Column
{
	char	   *name;
	AttrNumber	number;			/* 0 when there is no row */
	Oid			type;			/* InvalidOid when unknown; of a domain the base type */
	ColumnReader reader;
	FmgrInfo	output;
	StratumJsonEncoder encoder;
} Column;

typedef enum FieldSource
{
	FIELD_DOCUMENT,				/* a path into a jsonb column */
	FIELD_COLUMN,
	FIELD_PRESENCE,				/* whether a column holds something */
	FIELD_HUNDREDTH,			/* a column of cents, in currency units */
	FIELD_CONVERSION_RATE,		/* two columns' ratio, in per cent */
	FIELD_EVENT,
	FIELD_SEGMENT				/* put in before evaluation; missing where it is not */
} FieldSource;

typedef enum EventPart
{
	EVENT_COUNT,
	EVENT_EXISTS,
	EVENT_FIRST,
	EVENT_LAST,
	EVENT_FIRST_TIME,			/* whether the first one ever is among those of the window */
	EVENT_PROPERTY,				/* of the latest one */
	EVENT_SUM,					/* of the numbers at a path of the properties, like the next three */
	EVENT_AVG,
	EVENT_MIN,
	EVENT_MAX,
	EVENT_SEQUENCE				/* whether the steps of a sequence happened */
} EventPart;

typedef struct Field
{
	FieldSource source;
	int			column;			/* index of the column; not for events */
	int			divisor;		/* FIELD_CONVERSION_RATE: index of the second column */
	int			probe;			/* FIELD_EVENT: index of the probe */
	int			numbers;		/* of the numbers that are added up, or -1 */
	int			sequence;		/* of the sequence, or -1 */
	EventPart	part;
	int			npath;
	Key		   *path;
} Field;

/* --- predicates: conditions_operand.c --- */
typedef enum Operator
{
	OP_EQUALS,
	OP_NOT_EQUALS,
	OP_CONTAINS,
	OP_NOT_CONTAINS,
	OP_STARTS_WITH,
	OP_ENDS_WITH,
	OP_GREATER_THAN,
	OP_LESS_THAN,
	OP_GREATER_OR_EQUAL,
	OP_LESS_OR_EQUAL,
	OP_BETWEEN,
	OP_IN,
	OP_NOT_IN,
	OP_IS_NULL,
	OP_IS_NOT_NULL,
	OP_BEFORE,
	OP_AFTER,
	OP_WITHIN_LAST,
	OP_CONTAINS_ANY,
	OP_CONTAINS_ALL,
	OP_WITHIN_NEXT,
	OP_NOT_WITHIN_LAST,
	OP_ANNIVERSARY_WITHIN,
	OP_IN_SAMPLE,
	OP_MATCHES
} Operator;

/* A value of the definition, and what else it can be read as. */
typedef struct Operand
{
	Value		value;
	bool		has_number;		/* it is a number or a string that is one */
	bool		has_time;		/* it is a string that is an ISO time */
	Number		number;
	TimestampTz time;
} Operand;

/* The scalars of a list by their hash; containers are few and compared one by one. */
typedef struct OperandSet
{
	int			count;
	Operand    *operands;		/* all, in the order of the definition */
	uint32		mask;
	int		   *slots;			/* index of the operand + 1, 0 where empty */
	uint32	   *hashes;			/* of each operand */
	bool		has_container;
} OperandSet;

/* A part of all 64-bit hashes: those below a limit, or all of them. */
typedef struct Share
{
	uint64		limit;
	bool		is_all;
} Share;

typedef struct Regex Regex;

typedef struct Predicate
{
	Operator	operator;
	int			field;
	Operand		operand;		/* the value, or the lower bound */
	Operand		upper;			/* of between */
	OperandSet	set;			/* of in, not_in, contains_any, contains_all */
	char	   *folded;			/* a string to search for, A-Z in lower case */
	int64		window;			/* of within_last and its like, in microseconds */
	int			days;			/* of anniversary_within */
	Share		share;			/* of in_sample */
	Regex	   *regex;			/* of matches */
	double		cost;
} Predicate;

/* --- programs: conditions_compile.c --- */
typedef enum Logic
{
	LOGIC_AND,
	LOGIC_OR,
	LOGIC_NOT					/* none of the members */
} Logic;

/* A group (members) or a predicate (members is NULL). */
typedef struct Member
{
	Logic		logic;
	int			nmembers;
	struct Member **members;
	int			predicate;
	double		cost;
} Member;

#define PROGRAM_ACCEPT (-1)
#define PROGRAM_REJECT (-2)

/* Asks one predicate; the answer leads to another instruction, or to the end. */
typedef struct Instruction
{
	int			predicate;
	int			if_true;
	int			if_false;
} Instruction;

/* What a predicate said about a row. */
typedef struct Answer
{
	uint32		row;			/* number of the row it was asked about */
	bool		holds;
} Answer;

typedef struct CachedValue
{
	uint32		row;			/* number of the row it was read from */
	Value		value;
} CachedValue;

/* The row that is being evaluated: read lazily, every value once. */
typedef struct Row
{
	uint32		number;
	TimestampTz now;			/* the transaction's time: not kept from one to the next */
	HeapTupleData tuple;		/* t_data is NULL where the columns are given one by one: */
	const NullableDatum *given;	/* those, in the order of the row's type */
	const char *below;			/* where the last row's first document was */
	CachedValue *columns;
	CachedValue *fields;
	uint32		events_row;		/* number of the row that the events are of */
	EventTally *events;
	const uint8 *event_answers;	/* of predicates about events, a bit each; NULL: they are asked */
	Answer	   *answers;		/* of each predicate, where there is more than one definition */
} Row;

/*
 * One or more definitions, compiled for rows of one type. They share fields and predicates, so what
 * several of them ask is read and answered once per row.
 */
typedef struct Program
{
	MemoryContext context;		/* holds everything below */
	MemoryContext scratch;		/* reset with each row */
	MemoryContext event_scratch;	/* and with each event; NULL where none is asked about */
	StratumTarget target;
	TupleDesc	row_type;		/* NULL when the definitions are only checked */
	bool		lenient;		/* a column that the row lacks is missing, not an error */
	int			ncolumns;
	Column	   *columns;
	int			nfields;
	Field	   *fields;
	int			nprobes;
	EventProbe *probes;
	EventNames	event_names;
	Datum		event_names_array;
	EventCount *event_counts;	/* for each probe, in the order of a tally */
	int			ntimes;			/* probes that ask about times */
	int			nnumbers;
	EventNumbers *numbers;
	int			nsequences;
	EventSequence *sequences;
	int			nsteps;
	SequenceStep *steps;
	bool		wants_documents;	/* properties or context of any event */
	int			npredicates;
	Predicate  *predicates;
	int			ninstructions;
	Instruction *instructions;
	int			ndefinitions;
	Member	  **trees;			/* of each definition; NULL for one that matches nobody */
	int		   *entries;		/* where the instructions of each definition begin */
	bool		asks_about_segments;	/* which have to be put in first */
	int			document;		/* the first column given that is jsonb, or -1 */
	int			id_column;
	int			tenant_column;
	Row			row;
} Program;

extern Program *stratum_program_create(StratumTarget target, TupleDesc row_type, bool lenient,
									   int ndefinitions, Jsonb **definitions);
extern Program *stratum_program_try_create(StratumTarget target, TupleDesc row_type,
										   int ndefinitions, Jsonb **definitions, char **fault);
extern void stratum_program_free(Program *program);
extern bool stratum_program_is_leakproof(const Program *program);
extern void stratum_program_row(Program *program, HeapTupleHeader row);
extern void stratum_program_columns(Program *program, const NullableDatum *columns);
extern void stratum_program_events(Program *program, const EventTally *tally);
extern Datum stratum_program_datum(const Program *program, int column, bool *isnull);
extern const Value *stratum_program_value(Program *program, int field);
extern bool stratum_program_holds(Program *program, int predicate);
extern bool stratum_program_matches(Program *program, int definition);

extern bool stratum_attempt(void (*attempt) (void *), void *argument, char **fault);

/* --- segments in definitions: conditions_segment.c --- */

/* What decides which segments a definition that asks about some finds. */
typedef struct SegmentView
{
	int64		tenant;
	Oid			user;
	SubTransactionId subtransaction;
	CommandId	command;
	TransactionId xmin;
	TransactionId xmax;
	uint32		running;
	int32		running_inner;
} SegmentView;

extern Jsonb *stratum_expand_segments(Jsonb *definition, const SegmentScope *scope);
extern Program *stratum_program_with_segments(StratumTarget target, TupleDesc row_type, bool lenient,
											  Jsonb *definition, bool *asks);
extern SegmentView stratum_segment_view(void);

/* An error has come from within a query for a segment: it is no refusal, whatever its SQLSTATE is. */
extern bool stratum_lookup_failed;

/* --- parsing: conditions_parse.c --- */

/* Groups one in the other. */
#define CONDITIONS_MAX_DEPTH 64

/* Where in the definition we are; "key" is NULL for an element of an array. */
typedef struct Place
{
	const struct Place *outer;
	Key			key;
	int			index;
} Place;

typedef struct Parser
{
	Program    *program;
	TupleDesc	table;			/* columns of the storage table, NULL where it is not there */
	StringInfoData lacking;		/* names of columns that the table has and the row has not */
	struct interned_hash *interned;
	int			columns_room;
	int			fields_room;
	int			probes_room;
	int			numbers_room;
	int			sequences_room;
	int			steps_room;
	int			predicates_room;
} Parser;

/* A key of a condition; the value is missing where it is absent. */
typedef struct Setting
{
	Value		value;
	Place		place;
} Setting;

/* The keys that narrow down which events a condition is about. */
typedef struct EventFilter
{
	Setting		within_days;
	Setting		since;
	Setting		until;
	Setting		where;
} EventFilter;

/* The pieces of a field's name. */
typedef struct Pieces
{
	int			count;
	Key		   *pieces;
} Pieces;

extern Member *stratum_parse_definition(Parser *parser, Jsonb *definition);
extern Member *stratum_parse_inner(Parser *parser, const Value *definition, const Place *place);
extern Program *stratum_program_inner(StratumTarget target, TupleDesc row_type, const Value *definition,
									  const Place *place);
extern void stratum_refuse(const Place *place, const char *hint, const char *format,...)
	pg_attribute_printf(3, 4) __attribute__((noreturn));
extern char *stratum_quote(const char *string, int length);
extern void *stratum_grow(void *array, int used, int *room, Size size);

extern TupleDesc stratum_table_columns(StratumTarget target);
extern bool stratum_intern(Parser *parser, StringInfo key, int next, int *index);
extern int	stratum_parse_field(Parser *parser, const Place *place, const Value *name,
								const EventFilter *filter);
extern void stratum_read_pieces(const Place *place, const Value *name, Pieces *result);
extern void stratum_refuse_field(const Place *place, const Pieces *name, const char *hint)
			__attribute__((noreturn));
extern bool stratum_piece_is(const Key *piece, const char *name);
extern int	stratum_use_integer(Parser *parser, const Place *place, const char *name);
extern int	stratum_use_document(Parser *parser, const Place *place, const char *name);
extern void stratum_read_event_field(Parser *parser, const Place *place, const Pieces *name,
									 const EventFilter *filter, Field *field);
extern void stratum_read_segment_field(Parser *parser, const Place *place, const Pieces *name, Field *field);
extern void stratum_refuse_filter(const EventFilter *filter);
extern void stratum_read_window(const EventFilter *filter, int64 *window, TimestampTz *since,
								TimestampTz *until);
extern Program *stratum_read_where(const Setting *where);
extern int64 stratum_read_days(const Setting *days);
extern int	stratum_parse_sequence(Parser *parser, const Value *steps, const Place *place,
								   const EventFilter *filter);
extern int	stratum_add_field(Parser *parser, const Field *field);
extern bool stratum_get_key(const Value *object, const char *name, const Place *place,
							Setting *setting);
extern void stratum_check_object(const Value *value, const Place *place, const char *what,
								 const char *const *keys, const char *hint);
extern bool stratum_field_is_time(const Program *program, int field, bool *unknown);
extern double stratum_field_cost(const Program *program, int field);

extern Operator stratum_parse_operator(const Place *place, const Value *name);
extern void stratum_parse_operand(const Program *program, Predicate *predicate, const Place *place,
								  const Value *value);
/*
 * Whether `folded` begins with the string, whose A-Z are read as a-z. No character of a JSON string is
 * like the end of `folded`.
 */
static inline bool
begins_folded(const char *folded, const char *string, int length)
{
	for (int i = 0; i < length; i++)
	{
		if ((char) fold_ascii(string[i]) != folded[i])
			return false;
	}
	return true;
}

extern void stratum_describe_value(const Value *value, StringInfo key);
extern bool stratum_same_folded(const char *folded, const char *string, int length);
extern uint32 stratum_value_hash(const Value *value);
extern void stratum_set_init(OperandSet *set, int count);
extern void stratum_set_add(OperandSet *set, const Operand *operand);
extern int	stratum_set_find(const OperandSet *set, const Value *value);
extern uint32 stratum_set_slot(const OperandSet *set, const Value *value, uint32 hash);

/* --- conditions_columns.c --- */
extern bool stratum_argument_is_constant(FunctionCallInfo fcinfo, int argument);
extern TupleDesc stratum_traits_type(void);
extern TupleDesc stratum_asked_columns(const Program *program);
extern TupleDesc stratum_given_columns(FunctionCallInfo fcinfo, int names_argument);
extern TupleDesc stratum_named_columns(Datum names, List *columns);

/* --- planning: conditions_jsonpath.c, conditions_estimate.c --- */
struct PlannerInfo;
extern Expr *stratum_jsonpath_condition(const Program *program, AttrNumber number, Node *document,
										Oid opfamily);
extern Selectivity stratum_selectivity(Program *program, struct PlannerInfo *root, Oid function,
									   List *columns, int varRelid);
extern Cost stratum_call_cost(const Program *program);

/* --- samples: conditions_sample.c --- */
extern Share stratum_share(const Number *per_cent);
extern bool stratum_in_sample(const Value *value, Share share);

/* --- regular expressions: conditions_regex.c --- */
extern Regex *stratum_regex_create(const Place *place, const Value *pattern);
extern bool stratum_regex_matches(Regex *regex, const Value *value);

/* --- evaluation --- */
extern void stratum_events_prepare(Program *program);
extern TimestampTz stratum_events_begin(Program *program, TimestampTz now);
extern int	stratum_event_from_row(const Program *program, const Datum *values, const bool *nulls, Event *event);
extern const char *stratum_event_columns(bool with_documents);
extern void stratum_events_add(const Program *program, EventTally *tally, int name, const Event *event);
extern const EventTally *stratum_event_tally(Program *program);
extern bool stratum_is_first_time(const Program *program, const EventProbe *probe, const EventTimes *times);
extern bool stratum_event_passes(Program *where, const Event *event);
extern void stratum_sequence_add(const Program *program, EventTally *tally, int first, const Event *event);
extern bool stratum_sequence_happened(const Program *program, const EventTally *tally, int sequence);
extern void stratum_numbers_add(const Program *program, EventTally *tally, int first,
								const Event *event);
extern Numeric stratum_numbers_result(const EventSum *sum, EventPart part);

static inline Size
stratum_tally_size(const Program *program)
{
	return program->nprobes * sizeof(int64) + program->ntimes * sizeof(EventTimes) +
		program->nnumbers * sizeof(EventSum) + program->nsequences * sizeof(SequenceLog);
}

static inline EventTimes *
stratum_tally_times(const Program *program, const EventTally *tally, int probe)
{
	return (EventTimes *) (tally + program->nprobes) + program->probes[probe].times;
}

static inline EventSum *
stratum_tally_sum(const Program *program, const EventTally *tally, int numbers)
{
	return (EventSum *) ((EventTimes *) (tally + program->nprobes) + program->ntimes) + numbers;
}

static inline SequenceLog *
stratum_tally_log(const Program *program, const EventTally *tally, int sequence)
{
	return (SequenceLog *) stratum_tally_sum(program, tally, program->nnumbers) + sequence;
}

static inline int64
stratum_tally_count(const Program *program, const EventTally *tally, int probe)
{
	return tally[program->probes[probe].place];
}

/* Whether events have to be looked up. */
static inline bool
stratum_asks_about_events(const Program *program)
{
	return program->event_names.count > 0;
}

extern bool stratum_predicate_holds(Program *program, const Predicate *predicate, const Value *value);
extern bool stratum_value_equals(const Value *value, const Operand *operand);

#endif							/* STRATUM_CONDITIONS_H */