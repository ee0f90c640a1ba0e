/*
 * segment_set.h
 *	  Many definitions at once: what the files about sets of segments share.
 *
 * Asking a thousand definitions one after the other costs a thousand times what one costs. Instead each
 * becomes alternatives, of which one has to hold, and each alternative a list of literals, all of which
 * have to hold (segment_alternatives.c). Then every field of a row is looked up once, whatever the number
 * of definitions, and gives a row of bits: which alternatives its value leaves alive (segment_tables.c).
 * What is still alive after the last field holds (segment_set.c).
 */
#ifndef STRATUM_SEGMENT_SET_H
#define STRATUM_SEGMENT_SET_H

#include "conditions.h"

/* A predicate that has to hold, or not to hold. */
typedef struct Literal
{
	int			predicate;
	bool		holds;
} Literal;

typedef struct Alternative
{
	int			definition;
	int			nliterals;
	Literal    *literals;
} Alternative;

/* --- segment_alternatives.c --- */
extern bool stratum_alternatives(const Member *tree, int definition, List **alternatives);

/* Bits of alternatives; a row of them is so many words. */
typedef uint64 Bits;

#define BITS_PER_WORD 64

/* --- segment_tables.c --- */

/* A literal of an alternative, as the tables see it. */
typedef struct Entry
{
	int			alternative;	/* its number in the block */
	Literal		literal;
} Entry;

/* What decides a literal, if its field is there. */
typedef enum EntryClass
{
	BY_PRESENCE,				/* nothing more */
	BY_EQUALITY,				/* which of the values in definitions the value is */
	BY_NUMBER,					/* where among the numbers in definitions it lies */
	BY_TIME,					/* where among the times in definitions it lies */
	BY_ITSELF					/* the predicate has to be asked */
} EntryClass;

/* Which alternatives are left, for each class of values a row. */
typedef struct Table
{
	int			nrows;
	int			nwords;
	Bits	   *rows;
} Table;

/* A predicate that many alternatives share: row 1 is for where it holds, row 0 for where it does not. */
typedef struct SharedPredicate
{
	int			predicate;
	Table	   *answers;
} SharedPredicate;

/* The last row of the two ordered ones is for values that cannot be ordered. */
typedef struct FieldTables
{
	int			field;
	Table	   *missing;		/* a single row */
	Table	   *present;		/* a single row, or NULL */
	Table	   *equality;		/* NULL where nothing asks, like the next two */
	OperandSet	values;			/* row i + 1 of equality is for value i, row 0 for all others */
	Table	   *order;
	int			nnumbers;
	int64	   *keys;			/* ascending, as the numbers */
	Number	   *numbers;		/* row 2i + 1 is for number i, row 2i for what lies below it */
	Table	   *time;
	int			ntimes;
	TimestampTz *times;			/* ascending; row i is for what lies before time i, and not before i - 1 */
	TimestampTz now;			/* that the times are for */
	int			nentries;		/* those by time: they are put in again in every transaction */
	Entry	   *entries;
	int			nshared;
	SharedPredicate *shared;
} FieldTables;

extern EntryClass stratum_entry_class(const Program *program, int predicate);
extern FieldTables *stratum_tables_create(const Program *program, int field, int nwords,
										  const Entry *entries, int nentries, bool *decided);
extern void stratum_tables_narrow(Program *program, FieldTables *tables, Bits *alive, int nwords);

/* --- segment_block.c --- */

/* Up to so many alternatives share tables: a row is 256 bytes then, and the tables stay in the cache. */
#define BLOCK_ALTERNATIVES 2048

/* Alternatives that are narrowed down together. */
typedef struct SegmentBlock
{
	int			count;
	int			nwords;
	int		   *definitions;	/* of each alternative */
	Literal   **rest;			/* literals that no table decides */
	int		   *nrest;
	int			nfields;
	FieldTables **fields;
	int			nplain;			/* words of which all alternatives are plain: see segment_set.c */
	Bits	   *alive;			/* of the row that is being evaluated */
} SegmentBlock;

extern SegmentBlock *stratum_block_create(const Program *program, Alternative **alternatives, int count);
extern void stratum_block_narrow(Program *program, SegmentBlock *block);

/* --- segment_bits.c --- */
extern void stratum_bits_from_bytes(Bits *bits, const char *bytes, int nwords);
extern Jsonb **stratum_read_definitions(Datum array, int *count);
extern Jsonb *stratum_usable_definition(int64 tenant, int64 id, const char *name, Jsonb *definition);

/* --- segment_set.c --- */
typedef struct SegmentSet
{
	Program    *program;
	int			count;
	int			nblocks;
	SegmentBlock	  **blocks;
	int			nothers;
	int		   *others;			/* definitions that are asked one by one */
	int			nwords;			/* of the result: a bit a definition */
	Bits	   *members;
} SegmentSet;

extern SegmentSet *stratum_set_create(TupleDesc row_type, int ndefinitions, Jsonb **definitions);
extern void stratum_set_free(SegmentSet *set);
extern int *stratum_set_best_order(const SegmentSet *set);
extern const Bits *stratum_set_members(SegmentSet *set, const NullableDatum *columns);

#endif							/* STRATUM_SEGMENT_SET_H */
