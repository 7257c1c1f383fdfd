/*
 * A first-fit allocator over one region, for windows, documents and files. The desktop asks it a
 * few hundred times in its life, so that clarity wins over speed. What must stay true: blocks tile
 * the region exactly, and no two neighbours are both free.
 */
#pragma once

#include <stddef.h>

struct heap_block;

struct heap {
	struct heap_block *first;
	size_t size; /* of the region */
	size_t used; /* bytes in blocks that are taken, their headers included */
};

/* Takes over `size` bytes at `memory` (16-byte aligned), which the caller keeps mapped. */
void heap_init(struct heap *heap, void *memory, size_t size);

/* Zeroed memory of `size` bytes, 16-byte aligned, or NULL. */
void *heap_alloc(struct heap *heap, size_t size);

/* Resizes like realloc(); what is new is not zeroed. On failure returns NULL and leaves `memory` as
 * it was. */
void *heap_resize(struct heap *heap, void *memory, size_t size);

/* Gives memory back; NULL is fine. */
void heap_free(struct heap *heap, void *memory);
