/*
 * The format of the device state file: a header, then sections with a name, an instance, a version and bytes, each under
 * a checksum; the layout is in snapshot.h. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum {
	STATE_SECTIONS_MAX = 64,
	STATE_NAME_MAX = 32, /* with its NUL */
	STATE_FILE_MAX = 16 * 1024 * 1024,
	STATE_REASON_MAX = 128,
};

struct state_section {
	char name[STATE_NAME_MAX];
	uint32_t instance;
	uint32_t version;
	const uint8_t *bytes; /* of the file's buffer */
	size_t size;
	bool used; /* for the reader's bookkeeping */
};

struct state_file {
	uint64_t generation;
	uint64_t memory_size; /* bytes of RAM */
	uint32_t vcpus;
	uint32_t section_count;
	struct state_section sections[STATE_SECTIONS_MAX];
};

/* The header for a file with `section_count` sections; its other fields are taken from `file`. */
void state_file_put_header(struct wire *out, const struct state_file *file);
/* Appends one section. */
void state_file_put_section(struct wire *out, const char *name, uint32_t instance, uint32_t version,
    const struct wire *body);

/*
 * Checks all of it, every checksum included, and fills `file`, whose sections point into `bytes`. 0, or -EPROTO with
 * `reason`.
 */
must_check int state_file_decode(
    const uint8_t *bytes, size_t size, struct state_file *file, char reason[STATE_REASON_MAX]);
/* The section, marked as used, or NULL. */
struct state_section *state_file_find(struct state_file *file, const char *name, uint32_t instance);
/* The first section that nobody asked for, or NULL. */
const struct state_section *state_file_unused(const struct state_file *file);
