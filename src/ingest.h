/*
 * ingest.h
 *	  Events as they come in: what the files about them share.
 *
 * They are read and checked (ingest_read.c), the profiles of the persons found or made (ingest.c, which calls SQL for
 * that), stored (ingest_store.c), and the profiles moved forward.
 */
#ifndef STRATUM_INGEST_H
#define STRATUM_INGEST_H

#include "kept_plan.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

/* The names of a person, in the order of the arguments of _profiles_of(). */
typedef enum NameKind
{
	NAME_CANONICAL,				/* uuid, the others text */
	NAME_EMAIL,
	NAME_EMAIL_HASH,
	NAME_EXTERNAL,
	NAME_ANONYMOUS,
	NAME_KINDS
} NameKind;

typedef struct Person
{
	Datum		names[NAME_KINDS];
	bool		nulls[NAME_KINDS];
	int64		profile;		/* 0: all events are there already, none was looked for */
} Person;

typedef struct Event
{
	text	   *name;
	text	   *type;
	Jsonb	   *properties;
	Jsonb	   *context;
	Jsonb	   *traits;			/* NULL: none */
	pg_uuid_t  *message;		/* NULL: none */
	text	   *anonymous;		/* NULL: none */
	TimestampTz time;
	int			person;			/* its number */
	/* once it is stored */
	int64		id;
	bool		stored;
	bool		is_known;		/* not stored: id is that of the event that was there before */
	bool		has_profile;
	int64		profile;
} Event;

typedef struct Intake
{
	int64		tenant;
	int			nevents;
	Event	   *events;
	int			npersons;		/* different ones, in the order in which they came */
	Person	   *persons;
} Intake;

/* --- ingest_read.c --- */
extern Intake *stratum_read_events(const Jsonb *events);

/* --- ingest_store.c --- */
extern void stratum_store_events(Intake *intake, Oid owner);

/* --- ingest_references.c --- */
struct QueryDesc;
extern bool stratum_set_references_aside(struct QueryDesc *insert);
extern void stratum_check_references(const Intake *intake, Oid owner);

/* --- ingest.c --- */
extern ArrayType *stratum_array_of(const Datum *values, const bool *nulls, int count, Oid type);

#endif							/* STRATUM_INGEST_H */
