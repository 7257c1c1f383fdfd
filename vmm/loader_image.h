/* Between loader.c and the two formats it knows. */
#pragma once

#include "vmm/loader.h"

enum {
	LOADER_LOW_END = 0x100000, /* below: tables of ours, and what a PC has there */
};

/* What a format's loader found. Guest-physical addresses. */
struct loader_image {
	uint64_t start, end; /* RAM that the kernel occupies, its uninitialised part included */
	uint64_t entry;
	uint64_t initrd_max;       /* last byte that an initrd may have */
	uint32_t command_line_max; /* bytes without the NUL */
	uint8_t setup_header[256]; /* from offset 0x1F1 of the zero page on */
	size_t setup_header_size;
};

struct loader_context {
	const struct loader_source *source;
	struct guestmem *memory;
	char *reason; /* LOADER_REASON_MAX */
};

/* Says why in context->reason and returns `error`. */
__attribute__((format(printf, 3, 4))) int loader_refuse(
    const struct loader_context *context, int error, const char *format, ...);
/* Reads part of the source into RAM; -ENOEXEC with a reason when either side does not have it. */
must_check int loader_copy(const struct loader_context *context, uint64_t offset, uint64_t address,
    uint64_t size, const char *what);

must_check int loader_elf(const struct loader_context *context, struct loader_image *image);
must_check int loader_bzimage(const struct loader_context *context, struct loader_image *image);
