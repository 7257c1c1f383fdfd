/* See ram_layer.h. What must stay true: a layer that decoded can be mapped without a further check of its numbers. */
#include "vmm/ram_layer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/checked.h"
#include "base/wire.h"

enum {
	LAYER_VERSION = 1,
	LAYER_COMPLETE = 1 << 0,
	HEADER_CHECKED = 8 + 4 + 4 + 5 * 8 + 16, /* bytes that the header's checksum covers */
	CHECKSUM = 16,
};

static const uint8_t layer_magic[8] = { 'T', 'M', 'R', 'A', 'M', '0', '0', '1' };

void ram_checksum(const void *bytes, size_t size, uint8_t checksum[16])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
	memcpy(checksum, canonical.digest, CHECKSUM);
}

static uint64_t pages_for(uint64_t bytes)
{
	return (bytes + RAM_PAGE - 1) / RAM_PAGE;
}

/* Sorted, apart, of a known kind, inside the machine. */
static bool runs_in_order(const struct ram_layer *layer)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < layer->run_count; i++) {
		const struct ram_run *run = &layer->runs[i];

		if (run->count == 0 || run->count > RAM_LAYER_RUN_PAGES_MAX || run->page < next ||
		    !checked_range(run->page, run->count, layer->page_count) ||
		    (run->kind != RAM_RUN_DATA && run->kind != RAM_RUN_ZERO)) {
			return false;
		}
		next = run->page + run->count;
	}
	return true;
}

int ram_layer_plan(struct ram_layer *layer)
{
	uint64_t page;

	if (layer->run_count > RAM_LAYER_RUNS_MAX || !runs_in_order(layer)) {
		return -EINVAL;
	}
	layer->data_page = 1 + pages_for((uint64_t)layer->run_count * RAM_LAYER_ENTRY_SIZE);
	page = layer->data_page;
	for (uint32_t i = 0; i < layer->run_count; i++) {
		struct ram_run *run = &layer->runs[i];

		run->file_page = 0;
		if (run->kind == RAM_RUN_DATA) {
			run->file_page = page;
			page += run->count;
		}
	}
	layer->file_pages = page;
	return 0;
}

void ram_layer_encode(struct ram_layer *layer, uint8_t *bytes)
{
	size_t size = (size_t)layer->data_page * RAM_PAGE;
	uint8_t checksum[CHECKSUM];
	struct wire wire;

	memset(bytes, 0, size);
	wire_init_write(&wire, bytes + RAM_PAGE, size - RAM_PAGE);
	for (uint32_t i = 0; i < layer->run_count; i++) {
		const struct ram_run *run = &layer->runs[i];

		wire_put_u64(&wire, run->page);
		wire_put_u32(&wire, run->count);
		wire_put_u32(&wire, run->kind);
		wire_put_u64(&wire, run->file_page);
		wire_put_bytes(&wire, run->checksum, CHECKSUM);
	}
	ram_checksum(bytes + RAM_PAGE, size - RAM_PAGE, checksum);
	wire_init_write(&wire, bytes, RAM_PAGE);
	wire_put_bytes(&wire, layer_magic, sizeof(layer_magic));
	wire_put_u32(&wire, LAYER_VERSION);
	wire_put_u32(&wire, layer->complete ? LAYER_COMPLETE : 0);
	wire_put_u64(&wire, layer->page_count);
	wire_put_u64(&wire, layer->generation);
	wire_put_u64(&wire, layer->run_count);
	wire_put_u64(&wire, layer->data_page);
	wire_put_u64(&wire, layer->file_pages);
	wire_put_bytes(&wire, checksum, CHECKSUM);
	ram_checksum(bytes, HEADER_CHECKED, layer->id.bytes);
	wire_put_bytes(&wire, layer->id.bytes, CHECKSUM);
}

struct header {
	uint32_t flags;
	uint64_t page_count, generation, run_count, data_page, file_pages;
	uint8_t index_checksum[CHECKSUM];
	struct ram_layer_id id;
};

static int decode_header(const uint8_t bytes[RAM_PAGE], struct header *header)
{
	uint8_t checksum[CHECKSUM];
	struct wire wire;

	wire_init_read(&wire, bytes, RAM_PAGE);
	if (memcmp(wire_get_view(&wire, sizeof(layer_magic)), layer_magic, sizeof(layer_magic)) !=
		0 ||
	    wire_get_u32(&wire) != LAYER_VERSION) {
		return -EPROTO;
	}
	header->flags = wire_get_u32(&wire);
	header->page_count = wire_get_u64(&wire);
	header->generation = wire_get_u64(&wire);
	header->run_count = wire_get_u64(&wire);
	header->data_page = wire_get_u64(&wire);
	header->file_pages = wire_get_u64(&wire);
	wire_get_bytes(&wire, header->index_checksum, CHECKSUM);
	wire_get_bytes(&wire, header->id.bytes, CHECKSUM);
	ram_checksum(bytes, HEADER_CHECKED, checksum);
	if (memcmp(checksum, header->id.bytes, CHECKSUM) != 0 ||
	    (header->flags & ~(uint32_t)LAYER_COMPLETE) || header->run_count > RAM_LAYER_RUNS_MAX ||
	    header->data_page != 1 + pages_for(header->run_count * RAM_LAYER_ENTRY_SIZE)) {
		return -EPROTO;
	}
	for (size_t left = wire_remaining(&wire); left > 0; left--) {
		if (wire_get_u8(&wire) != 0) {
			return -EPROTO;
		}
	}
	return 0;
}

int ram_layer_head_size(const uint8_t header[RAM_PAGE], size_t *size)
{
	struct header decoded;
	int error = decode_header(header, &decoded);

	if (!error) {
		*size = (size_t)decoded.data_page * RAM_PAGE;
	}
	return error;
}

static void decode_runs(struct wire *wire, struct ram_layer *layer)
{
	for (uint32_t i = 0; i < layer->run_count; i++) {
		struct ram_run *run = &layer->runs[i];

		run->page = wire_get_u64(wire);
		run->count = wire_get_u32(wire);
		run->kind = wire_get_u32(wire);
		run->file_page = wire_get_u64(wire);
		wire_get_bytes(wire, run->checksum, CHECKSUM);
	}
}

/* The bytes of the runs lie one after another from data_page on, without a gap, up to the end of the file. */
static bool data_in_order(const struct ram_layer *layer)
{
	uint64_t page = layer->data_page;

	for (uint32_t i = 0; i < layer->run_count; i++) {
		const struct ram_run *run = &layer->runs[i];

		if (run->kind == RAM_RUN_DATA) {
			if (run->file_page != page) {
				return false;
			}
			page += run->count;
		} else if (run->file_page != 0) {
			return false;
		}
	}
	return page == layer->file_pages;
}

int ram_layer_decode(const uint8_t *bytes, size_t size, uint64_t file_size, uint64_t page_count,
    struct ram_layer *layer)
{
	struct header header;
	uint8_t checksum[CHECKSUM];
	struct wire wire;
	uint64_t expected;

	*layer = (struct ram_layer){ 0 };
	if (size < RAM_PAGE || decode_header(bytes, &header) ||
	    size != header.data_page * RAM_PAGE || header.page_count != page_count ||
	    !checked_mul_u64(header.file_pages, RAM_PAGE, &expected) || file_size != expected) {
		return -EPROTO;
	}
	ram_checksum(bytes + RAM_PAGE, size - RAM_PAGE, checksum);
	if (memcmp(checksum, header.index_checksum, CHECKSUM) != 0) {
		return -EPROTO;
	}
	layer->complete = header.flags & LAYER_COMPLETE;
	layer->page_count = header.page_count;
	layer->generation = header.generation;
	layer->data_page = header.data_page;
	layer->file_pages = header.file_pages;
	layer->id = header.id;
	layer->run_count = (uint32_t)header.run_count;
	layer->runs = calloc(layer->run_count ? layer->run_count : 1, sizeof(*layer->runs));
	if (!layer->runs) {
		return -ENOMEM;
	}
	wire_init_read(&wire, bytes + RAM_PAGE, size - RAM_PAGE);
	decode_runs(&wire, layer);
	if (!wire_ok(&wire) || !runs_in_order(layer) || !data_in_order(layer)) {
		ram_layer_fini(layer);
		return -EPROTO;
	}
	return 0;
}

void ram_layer_fini(struct ram_layer *layer)
{
	free(layer->runs);
	layer->runs = NULL;
	layer->run_count = 0;
}
