/*
 * Which colours a rectangle has, as long as they are few. Pure; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PALETTE_MAX = 256,
	PALETTE_SLOTS = 1024,
};

struct palette {
	size_t count;
	uint32_t colours[PALETTE_MAX]; /* in the order of their first pixel */
	uint16_t slots[PALETTE_SLOTS]; /* hash: index + 1 */
};

/*
 * Collects the colours of the pixels (the highest byte is ignored). Returns false as soon as there are more than
 * PALETTE_MAX; then the palette is of no use.
 */
bool palette_collect(
    struct palette *palette, const uint32_t *pixels, size_t stride, size_t width, size_t height);
/* The index of a colour that is in it. */
uint8_t palette_index(const struct palette *palette, uint32_t colour);
