/*
 * Puts a kernel into a guest's memory and says how its processor starts, by the Linux 64-bit boot protocol
 * (Documentation/arch/x86/boot.rst; docs/MACHINE.md, "Start"). Images come from whoever may name one, so every number in
 * them is checked: an image either loads inside RAM or is refused with a sentence. Pure but for the source's reads.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "vmm/guestmem.h"

enum {
	LOADER_SEED_SIZE = 32,
	LOADER_REASON_MAX = 160,
};

/* Where an image is read from. */
struct loader_source {
	/* Reads exactly `size` bytes at `offset`: 0, -ENODATA when they are not there, or -errno. */
	int (*read)(const struct loader_source *source, uint64_t offset, void *bytes, size_t size);
	uint64_t size;
	const void *bytes; /* of a source in memory */
	int fd;            /* of a source in a file */
};

/* Borrows the bytes. */
struct loader_source loader_source_memory(const void *bytes, size_t size);
/* Borrows the descriptor. 0 or -errno. */
must_check int loader_source_file(int fd, struct loader_source *source);

/* The linear framebuffer that is on when the kernel starts; width 0: none. Pixels, bytes. */
struct loader_screen {
	uint32_t width, height, stride;
	uint64_t address;
	uint64_t size;
};

struct loader_request {
	const struct loader_source *kernel;
	const struct loader_source *initrd; /* NULL: none */
	const char *command_line;
	struct loader_screen screen;
	uint8_t seed[LOADER_SEED_SIZE]; /* random, for the kernel's generator */
};

/* How the boot processor starts; guest-physical addresses. */
struct loader_entry {
	uint64_t rip;
	uint64_t rsi; /* the zero page */
	uint64_t rsp;
	uint64_t cr3;
	uint64_t gdt;
	uint16_t gdt_limit;
};

/*
 * `memory` holds zeros everywhere, as after guestmem_create(). Returns 0; -ENOEXEC when it is not a kernel that can be loaded, and -E2BIG when it, or the initrd, does not fit into RAM, both
 * with `reason` filled; or another -errno from reading.
 */
must_check int loader_load(const struct loader_request *request, struct guestmem *memory,
    struct loader_entry *entry, char reason[LOADER_REASON_MAX]);
