/*
 * What a desktop says about its picture: a SCANOUT, then DAMAGE of it. What passes the decoders must lie inside memory of
 * the size that was said, which is read here as the viewer's process reads it.
 */
#include <stdint.h>
#include <stdlib.h>

#include "display/picture.h"
#include "display/scanout.h"

enum {
	SCANOUT_BYTES = 36,
	MEMORY_MAX = 1 << 20,
};

static void ignore(void *context, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct picture *picture = context;

	if (width == 0 || height == 0 || x + width > picture->width ||
	    y + height > picture->height) {
		abort();
	}
}

static void apply(struct wire *wire, const struct scanout *scanout)
{
	static struct scanout_damage damage;
	struct picture_source source;
	struct picture picture;
	uint8_t *memory;

	if (scanout->memory_size > MEMORY_MAX ||
	    scanout_damage_decode(wire, scanout, &damage) != 0) {
		return;
	}
	if (picture_init(&picture, scanout->width, scanout->height) != 0) {
		return;
	}
	memory = calloc(1, scanout->memory_size);
	source = (struct picture_source){
		.pixels = memory + scanout->offset,
		.width = scanout->width,
		.height = scanout->height,
		.stride = scanout->stride,
	};
	for (uint64_t i = 0; i < scanout->memory_size; i += 37) {
		memory[i] = (uint8_t)i;
	}
	picture_copy_spans(&picture, &source, damage.spans, damage.span_count, ignore, &picture);
	picture_fini(&picture);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scanout scanout;
	struct wire wire;

	wire_init_read(&wire, data, size < SCANOUT_BYTES ? size : SCANOUT_BYTES);
	if (scanout_decode(&wire, &scanout) != 0) {
		return 0;
	}
	wire_init_read(&wire, data + SCANOUT_BYTES, size - SCANOUT_BYTES);
	apply(&wire, &scanout);
	return 0;
}
