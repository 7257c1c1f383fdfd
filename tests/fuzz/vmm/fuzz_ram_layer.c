/*
 * A RAM layer's header and index. The first byte says whether the checksums are made right first, as an attacker would:
 * then what decodes must be safe to map.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ram_layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PAGES = 4096,
	INDEX_SUM = 56,
	HEADER_SUM = 72,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Inputs are short; what is missing of the pages is zeros. */
	size_t padded = size < RAM_PAGE ? 2 * RAM_PAGE
					: (size + RAM_PAGE - 1) / RAM_PAGE * RAM_PAGE;
	struct ram_layer layer;
	uint64_t file_pages;
	uint8_t *bytes;
	size_t head_size;

	if (size < 1 || size > RAM_LAYER_INDEX_MAX) {
		return 0;
	}
	bytes = calloc(1, padded);
	if (!bytes) {
		return 0;
	}
	/* Header in the first 88 bytes, the index after them. */
	memcpy(bytes, data + 1, size - 1 < 88 ? size - 1 : 88);
	if (size > 89) {
		memcpy(bytes + RAM_PAGE, data + 89,
		    size - 89 < padded - RAM_PAGE ? size - 89 : padded - RAM_PAGE);
	}
	if (data[0] & 1) {
		ram_checksum(bytes + RAM_PAGE, padded - RAM_PAGE, bytes + INDEX_SUM);
		ram_checksum(bytes, HEADER_SUM, bytes + HEADER_SUM);
	}
	memcpy(&file_pages, bytes + 48, sizeof(file_pages));
	(void)!ram_layer_head_size(bytes, &head_size);
	if (ram_layer_decode(bytes, padded, file_pages * RAM_PAGE, PAGES, &layer) == 0) {
		uint64_t next = 0;

		for (uint32_t i = 0; i < layer.run_count; i++) {
			const struct ram_run *run = &layer.runs[i];

			assert(run->count > 0 && run->page >= next && run->page < PAGES);
			assert(run->count <= PAGES - run->page);
			assert(run->kind == RAM_RUN_ZERO ||
			       run->file_page + run->count <= layer.file_pages);
			next = run->page + run->count;
		}
		ram_layer_fini(&layer);
	}
	free(bytes);
	return 0;
}
