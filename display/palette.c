/* See palette.h. Open addressing; the table is four times as large as what it can hold. */
#include "display/palette.h"

#include <string.h>

#define COLOUR_MASK 0xffffffu

static inline size_t slot_of(uint32_t colour)
{
	return colour * 0x9E3779B1u >> 22;
}

static bool palette_add(struct palette *palette, uint32_t colour)
{
	size_t slot = slot_of(colour);

	while (palette->slots[slot]) {
		if (palette->colours[palette->slots[slot] - 1] == colour) {
			return true;
		}
		slot = (slot + 1) % PALETTE_SLOTS;
	}
	if (palette->count == PALETTE_MAX) {
		return false;
	}
	palette->colours[palette->count++] = colour;
	palette->slots[slot] = (uint16_t)palette->count;
	return true;
}

bool palette_collect(
    struct palette *palette, const uint32_t *pixels, size_t stride, size_t width, size_t height)
{
	uint32_t last = ~(pixels[0] & COLOUR_MASK);

	palette->count = 0;
	memset(palette->slots, 0, sizeof(palette->slots));
	for (size_t y = 0; y < height; y++, pixels += stride) {
		for (size_t x = 0; x < width; x++) {
			uint32_t colour = pixels[x] & COLOUR_MASK;

			/* Most pixels are like their neighbour. */
			if (colour != last && !palette_add(palette, colour)) {
				return false;
			}
			last = colour;
		}
	}
	return true;
}

uint8_t palette_index(const struct palette *palette, uint32_t colour)
{
	size_t slot = slot_of(colour);

	while (palette->colours[palette->slots[slot] - 1] != colour) {
		slot = (slot + 1) % PALETTE_SLOTS;
	}
	return (uint8_t)(palette->slots[slot] - 1);
}
