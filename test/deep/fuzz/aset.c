/*
 * aset.c
 *	  PostgreSQL's memory contexts with a malloc for each chunk: for a server under AddressSanitizer.
 *
 * The server's own aset.c cuts chunks out of large blocks, where a read or a write beside a chunk, or after it was
 * freed, is within memory that is in use, and nobody sees it. Here each is what malloc knows, to the byte. It
 * stands in for src/backend/utils/mmgr/aset.c of PostgreSQL 15 (the header of a chunk is another one from 16 on).
 */
#include "postgres.h"

#include "utils/memdebug.h"
#include "utils/memutils.h"

/* What stands before a chunk. mcxt.c looks for the context right before the chunk. */
typedef struct Chunk
{
	struct Chunk *previous;
	struct Chunk *next;
	Size		size;
	MemoryContext context;
} Chunk;

typedef struct Set
{
	MemoryContextData header;
	Chunk	   *chunks;
} Set;

static Chunk *
chunk_of(void *pointer)
{
	return (Chunk *) pointer - 1;
}

/* Makes a chunk, new or moved, the first of its context. */
static void *
link_chunk(MemoryContext context, Chunk *chunk, Size size)
{
	Set		   *set = (Set *) context;

	chunk->previous = NULL;
	chunk->next = set->chunks;
	chunk->size = size;
	chunk->context = context;
	if (chunk->next != NULL)
		chunk->next->previous = chunk;
	set->chunks = chunk;
	context->mem_allocated += size + sizeof(Chunk);
	return chunk + 1;
}

static void
unlink_chunk(MemoryContext context, Chunk *chunk)
{
	if (chunk->previous != NULL)
		chunk->previous->next = chunk->next;
	else
		((Set *) context)->chunks = chunk->next;
	if (chunk->next != NULL)
		chunk->next->previous = chunk->previous;
	context->mem_allocated -= chunk->size + sizeof(Chunk);
}

static void *
set_alloc(MemoryContext context, Size size)
{
	Chunk	   *chunk = malloc(size + sizeof(Chunk));

	return chunk == NULL ? NULL : link_chunk(context, chunk, size);
}

static void
set_free(MemoryContext context, void *pointer)
{
	unlink_chunk(context, chunk_of(pointer));
	free(chunk_of(pointer));
}

/* Always another place, so that a pointer to the old one is found out. */
static void *
set_realloc(MemoryContext context, void *pointer, Size size)
{
	void	   *moved = set_alloc(context, size);

	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, chunk_of(pointer)->size));
	set_free(context, pointer);
	return moved;
}

static void
set_reset(MemoryContext context)
{
	while (((Set *) context)->chunks != NULL)
		set_free(context, ((Set *) context)->chunks + 1);
}

static void
set_delete(MemoryContext context)
{
	set_reset(context);
	free(context);
}

static Size
set_chunk_space(MemoryContext context, void *pointer)
{
	return chunk_of(pointer)->size + sizeof(Chunk);
}

static bool
set_is_empty(MemoryContext context)
{
	return ((Set *) context)->chunks == NULL;
}

static void
set_stats(MemoryContext context, MemoryStatsPrintFunc print, void *passthru, MemoryContextCounters *totals,
		  bool print_to_stderr)
{
	if (totals != NULL)
		totals->totalspace += context->mem_allocated;
}

#ifdef MEMORY_CONTEXT_CHECKING
static void
set_check(MemoryContext context)
{
}
#endif

static const MemoryContextMethods methods = {
	set_alloc,
	set_free,
	set_realloc,
	set_reset,
	set_delete,
	set_chunk_space,
	set_is_empty,
	set_stats
#ifdef MEMORY_CONTEXT_CHECKING
	,set_check
#endif
};

MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize, Size initBlockSize,
							  Size maxBlockSize)
{
	Set		   *set = calloc(1, sizeof(Set));

	if (set == NULL)
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
	MemoryContextCreate((MemoryContext) set, T_AllocSetContext, &methods, parent, name);
	return (MemoryContext) set;
}
