/*
 * Bochs' DISPI registers as a pure state machine: what a guest writes, and the picture that follows
 * from it. Part of bochs_display.c. Register meanings: Bochs, iodev/display/vga.cc and its VBE
 * documentation; QEMU, hw/display/vga.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"

enum bochs_dispi_index {
	DISPI_ID = 0,
	DISPI_XRES = 1,
	DISPI_YRES = 2,
	DISPI_BPP = 3,
	DISPI_ENABLE = 4,
	DISPI_BANK = 5,
	DISPI_VIRT_WIDTH = 6,
	DISPI_VIRT_HEIGHT = 7,
	DISPI_X_OFFSET = 8,
	DISPI_Y_OFFSET = 9,
	DISPI_MEMORY_64K = 10,
	DISPI_COUNT = 11,
};

enum {
	DISPI_ENABLED = 0x01,
	DISPI_GETCAPS = 0x02,
	DISPI_8BIT_DAC = 0x20,
	DISPI_LFB = 0x40,
	DISPI_NOCLEAR = 0x80,
	DISPI_ID_FIRST = 0xb0c0,
	DISPI_ID_LAST = 0xb0c5,
	DISPI_SIDE_MAX = 8192, /* pixels, either side */
};

/* What a write did, or'ed. */
enum {
	DISPI_PICTURE = 1 << 0, /* the picture is another one */
	DISPI_CLEAR = 1 << 1,   /* the guest asked for cleared memory */
};

/* The picture: pixels, pixels, bytes, bytes. width 0: none yet. Always lies inside the memory. */
struct bochs_picture {
	uint32_t width, height, stride;
	uint64_t offset;
};

struct bochs_dispi {
	uint32_t memory_size; /* fixed */
	uint16_t registers[DISPI_COUNT];
	struct bochs_picture picture; /* stays while the guest has the mode disabled */
};

void bochs_dispi_reset(struct bochs_dispi *dispi);
/* An index out of range reads 0 and writes nowhere. */
uint16_t bochs_dispi_read(const struct bochs_dispi *dispi, unsigned index);
/* Returns what it did. A mode that cannot be shown is refused: ENABLE then reads without
 * DISPI_ENABLED. */
unsigned bochs_dispi_write(struct bochs_dispi *dispi, unsigned index, uint16_t value);
void bochs_dispi_save(const struct bochs_dispi *dispi, struct wire *out);
must_check int bochs_dispi_load(struct bochs_dispi *dispi, struct wire *in);
