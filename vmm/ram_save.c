/*
 * The half of ram.h that writes. What must stay true: a page is left out only if it is certain that loading the layers
 * before this one gives it the same bytes: it is not private to this process (then nobody wrote to it since they were
 * mapped), or it is zeros and no layer has bytes for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/ram_internal.h"
#include "vmm/run_list.h"

enum {
	PAGEMAP_BATCH = 8192, /* entries */
	WRITE_CHUNK = 8 * 1024 * 1024,
};

/* Documentation/admin-guide/mm/pagemap.rst */
#define PAGEMAP_PRESENT   (1ull << 63)
#define PAGEMAP_SWAPPED   (1ull << 62)
#define PAGEMAP_FILE      (1ull << 61) /* of a file, or shared */
#define PAGEMAP_EXCLUSIVE (1ull << 56) /* mapped here only; not so the zero page */

static bool is_private(uint64_t entry)
{
	return (entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) && !(entry & PAGEMAP_FILE);
}

static bool is_zero(const uint8_t *page)
{
	uint64_t first;

	memcpy(&first, page, sizeof(first));
	return first == 0 && memcmp(page, page + sizeof(first), RAM_PAGE - sizeof(first)) == 0;
}

/* Calls `visit` for every page of RAM with its pagemap entry. */
static int walk_pagemap(
    struct ram *ram, int (*visit)(void *context, uint64_t page, uint64_t entry), void *context)
{
	uint64_t *entries = malloc(PAGEMAP_BATCH * sizeof(*entries));
	uint64_t base = (uint64_t)(uintptr_t)ram->memory->host / RAM_PAGE;
	int error = entries ? 0 : -ENOMEM;

	for (uint64_t page = 0; page < ram->ram_pages && !error; page += PAGEMAP_BATCH) {
		uint64_t count = ram->ram_pages - page < PAGEMAP_BATCH ? ram->ram_pages - page
								       : PAGEMAP_BATCH;

		error = fd_pread_all(ram->pagemap_fd, entries, (size_t)count * sizeof(*entries),
		    (base + page) * sizeof(*entries));
		for (uint64_t i = 0; i < count && !error; i++) {
			error = visit(context, page + i, entries[i]);
		}
	}
	free(entries);
	return error;
}

struct collection {
	struct ram *ram;
	struct run_list list;
	bool complete;
};

/* A page that may differ from what the layers give. */
static int collect(struct collection *collection, uint64_t page)
{
	const struct ram *ram = collection->ram;

	if (!is_zero(ram_page(ram, page))) {
		return run_list_add(&collection->list, page, RAM_RUN_DATA);
	}
	if (!collection->complete && ram_covered(ram, page)) {
		return run_list_add(&collection->list, page, RAM_RUN_ZERO);
	}
	return 0;
}

static int collect_ram(void *context, uint64_t page, uint64_t entry)
{
	struct collection *collection = context;
	bool base = collection->complete && !collection->ram->detached &&
		    ram_covered(collection->ram, page);

	return is_private(entry) || base ? collect(collection, page) : 0;
}

static int collect_framebuffer(struct collection *collection)
{
	struct ram *ram = collection->ram;
	const uint64_t *written;
	int error = framebuffer_written(ram->framebuffer, &written);

	for (uint64_t i = 0; i < FRAMEBUFFER_PAGES && !error; i++) {
		uint64_t page = ram->ram_pages + i;

		if ((written[i / 64] & (1ull << (i % 64))) ||
		    (collection->complete && ram_covered(ram, page))) {
			error = collect(collection, page);
		}
	}
	return error;
}

static int find_runs(struct ram *ram, struct ram_layer *layer)
{
	struct collection collection = { .ram = ram, .complete = layer->complete };
	int error;

	run_list_init(&collection.list, ram->ram_pages);
	error = walk_pagemap(ram, collect_ram, &collection);
	error = error ? error : collect_framebuffer(&collection);
	if (error) {
		run_list_fini(&collection.list);
		return error;
	}
	run_list_finish(&collection.list);
	layer->runs = collection.list.runs;
	layer->run_count = collection.list.count;
	return ram_layer_plan(layer);
}

/* `*written` of `total` bytes have been written before. */
static int write_run(
    const struct ram *ram, int fd, struct ram_run *run, uint64_t *written, uint64_t total)
{
	const uint8_t *from = ram_page(ram, run->page);
	size_t size = (size_t)run->count * RAM_PAGE;
	uint64_t offset = run->file_page * RAM_PAGE;

	ram_checksum(from, size, run->checksum);
	while (size > 0) {
		size_t chunk = size < WRITE_CHUNK ? size : WRITE_CHUNK;
		int error = fd_pwrite_all(fd, from, chunk, offset);

		if (error) {
			return error;
		}
		from += chunk;
		offset += chunk;
		size -= chunk;
		*written += chunk;
		if (ram->progress) {
			ram->progress(ram->progress_context, (uint32_t)(*written * 100 / total));
		}
	}
	return 0;
}

static int write_layer(const struct ram *ram, int fd, struct ram_layer *layer)
{
	uint64_t total = layer->file_pages * RAM_PAGE;
	uint64_t written = 0;
	size_t head_size = (size_t)layer->data_page * RAM_PAGE;
	uint8_t *head = malloc(head_size);
	int error = head ? 0 : -ENOMEM;

	/* A disk that is full says so now; file systems that cannot reserve say it later. */
	if (!error && fallocate(fd, 0, 0, (off_t)total) < 0 && errno != EOPNOTSUPP) {
		error = -errno;
	}
	for (uint32_t i = 0; i < layer->run_count && !error; i++) {
		if (layer->runs[i].kind == RAM_RUN_DATA) {
			error = write_run(ram, fd, &layer->runs[i], &written, total);
		}
	}
	if (!error) {
		ram_layer_encode(layer, head);
		error = fd_pwrite_all(fd, head, head_size, 0);
	}
	if (!error && fsync(fd) < 0) {
		error = -errno;
	}
	free(head);
	return error;
}

static bool wants_complete(const struct ram *ram)
{
	uint64_t covered = 0;

	for (uint64_t page = 0; page < ram->page_count; page++) {
		covered += ram_covered(ram, page);
	}
	return ram->layer_count == 0 || ram->detached || ram->layer_count >= RAM_COMPLETE_AFTER ||
	       (ram->layer_count >= RAM_COMPLETE_SOONER && ram->layer_pages > 2 * covered);
}

int ram_save(struct ram *ram, int fd, uint64_t generation, struct ram_save_report *report)
{
	struct ram_layer layer = {
		.complete = wants_complete(ram),
		.page_count = ram->page_count,
		.generation = generation,
	};
	int error = find_runs(ram, &layer);

	if (!error) {
		error = write_layer(ram, fd, &layer);
	}
	if (!error) {
		report->id = layer.id;
		report->bytes = layer.file_pages * RAM_PAGE;
		report->complete = layer.complete;
	}
	ram_layer_fini(&layer);
	return error;
}

static int count_private(void *context, uint64_t page, uint64_t entry)
{
	uint64_t *count = context;

	(void)page;
	if (is_private(entry) && (!(entry & PAGEMAP_PRESENT) || (entry & PAGEMAP_EXCLUSIVE))) {
		(*count)++;
	}
	return 0;
}

uint64_t ram_private_bytes(struct ram *ram)
{
	uint64_t count = 0;

	if (walk_pagemap(ram, count_private, &count)) {
		return 0;
	}
	return count * RAM_PAGE;
}
