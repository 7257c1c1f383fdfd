/* First-fit allocator with coalescing of neighbours; see heap.h. */
#include "lib/heap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct heap_block {
	size_t size; /* of the payload */
	struct heap_block *next;
	struct heap_block *previous;
	bool taken;
};

#define HEADER ((sizeof(struct heap_block) + 15) & ~(size_t)15)

static struct heap_block *block_of(void *memory)
{
	return (struct heap_block *)((char *)memory - HEADER);
}

void heap_init(struct heap *heap, void *memory, size_t size)
{
	heap->first = memory;
	heap->size = size & ~(size_t)15;
	heap->used = 0;
	*heap->first = (struct heap_block){ .size = heap->size - HEADER };
}

/* Cuts what `block` has beyond `size` into a free block of its own, if that is worth it. */
static void split(struct heap_block *block, size_t size)
{
	struct heap_block *rest;

	if (block->size < size + HEADER + 16) {
		return;
	}
	rest = (struct heap_block *)((char *)block + HEADER + size);
	*rest = (struct heap_block){
		.size = block->size - size - HEADER, .next = block->next, .previous = block
	};
	if (rest->next) {
		rest->next->previous = rest;
	}
	block->next = rest;
	block->size = size;
}

static void merge_next(struct heap_block *block)
{
	struct heap_block *next = block->next;

	block->size += HEADER + next->size;
	block->next = next->next;
	if (block->next) {
		block->next->previous = block;
	}
}

void *heap_alloc(struct heap *heap, size_t size)
{
	void *memory;

	if (size > heap->size) {
		return NULL;
	}
	size = (size + 15) & ~(size_t)15;
	size = size ? size : 16;
	for (struct heap_block *block = heap->first; block; block = block->next) {
		if (block->taken || block->size < size) {
			continue;
		}
		split(block, size);
		block->taken = true;
		heap->used += HEADER + block->size;
		memory = (char *)block + HEADER;
		memset(memory, 0, block->size);
		return memory;
	}
	return NULL;
}

void *heap_resize(struct heap *heap, void *memory, size_t size)
{
	void *moved;
	size_t keep;

	if (!memory) {
		return heap_alloc(heap, size);
	}
	keep = block_of(memory)->size;
	if (size <= keep) {
		return memory;
	}
	moved = heap_alloc(heap, size);
	if (!moved) {
		return NULL;
	}
	memcpy(moved, memory, keep);
	heap_free(heap, memory);
	return moved;
}

void heap_free(struct heap *heap, void *memory)
{
	struct heap_block *block;

	if (!memory) {
		return;
	}
	block = block_of(memory);
	block->taken = false;
	heap->used -= HEADER + block->size;
	if (block->next && !block->next->taken) {
		merge_next(block);
	}
	if (block->previous && !block->previous->taken) {
		merge_next(block->previous);
	}
}
