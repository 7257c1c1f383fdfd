/*
 * The file format of a RAM layer: a header page, an index of runs, then the runs' bytes, each run starting on a page. All
 * numbers little-endian.
 *
 *   0      magic "TMRAM001", u32 format version, u32 flags (bit 0: complete), u64 pages of the machine, u64 generation,
 *          u64 number of runs, u64 first page of the file that holds data, u64 pages of the file, XXH3-128 of the index,
 *          XXH3-128 of this header up to here. The rest of the page is zero.
 *   4096   the index: for each run u64 first page, u32 pages, u32 kind, u64 page in the file, XXH3-128 of its bytes.
 *          Runs are sorted and do not overlap; those of kind ZERO have neither bytes nor checksum (zeros).
 *
 * The id of a layer is its header's checksum, which covers the index, which covers the bytes. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"

enum {
	RAM_PAGE = 4096,
	RAM_LAYER_RUNS_MAX = 2048, /* each is a mapping, and a process may have 65530 */
	RAM_LAYER_RUN_PAGES_MAX = 1 << 28,
	RAM_LAYER_ENTRY_SIZE = 40,
	RAM_LAYER_INDEX_MAX = RAM_LAYER_RUNS_MAX * RAM_LAYER_ENTRY_SIZE,
};

enum ram_run_kind {
	RAM_RUN_DATA = 1,
	RAM_RUN_ZERO = 2,
};

struct ram_layer_id {
	uint8_t bytes[16];
};

struct ram_run {
	uint64_t page;      /* of the machine */
	uint32_t count;     /* pages */
	uint32_t kind;      /* enum ram_run_kind */
	uint64_t file_page; /* DATA: where its bytes are */
	uint8_t checksum[16];
};

struct ram_layer {
	bool complete;       /* needs no older layer */
	uint64_t page_count; /* of the machine */
	uint64_t generation;
	uint64_t data_page;  /* first page of the file that holds runs' bytes */
	uint64_t file_pages; /* length of the file */
	uint32_t run_count;
	struct ram_run *runs; /* malloc'ed */
	struct ram_layer_id id;
};

/* XXH3-128 in its canonical form (big-endian). */
void ram_checksum(const void *bytes, size_t size, uint8_t checksum[16]);

/*
 * Fills in where each DATA run lies in the file, data_page and file_pages; the runs' checksums may still be missing.
 * -EINVAL when the runs are not as the format wants them.
 */
must_check int ram_layer_plan(struct ram_layer *layer);
/* Writes header page and index into `bytes`, data_page * RAM_PAGE of them, and sets the id. */
void ram_layer_encode(struct ram_layer *layer, uint8_t *bytes);
/* Bytes of header page and index that follow from the header page: for reading the rest. -EPROTO: not a layer. */
must_check int ram_layer_head_size(const uint8_t header[RAM_PAGE], size_t *size);
/*
 * Checks everything but the runs' bytes: that the numbers agree with each other, with the checksums, with a file of
 * `file_size` bytes and a machine of `page_count` pages. 0, -EPROTO or -ENOMEM. ram_layer_fini() after success.
 */
must_check int ram_layer_decode(const uint8_t *bytes, size_t size, uint64_t file_size,
    uint64_t page_count, struct ram_layer *layer);
void ram_layer_fini(struct ram_layer *layer);
