/*
 * Any pixels through the Tight encoder and back through the tests' strict decoder: every byte valid, and the same pixels
 * unless it is a JPEG. Four bytes say the size, what is allowed and how many bytes a pixel takes from the input; the rest
 * are the pixels, repeated if they are too few.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tight_decoder.h"

enum {
	HEADER = 4,
	SIDE_MAX = 255,
};

static struct tight *shared_encoder(void)
{
	static struct tight *tight;

	if (!tight && tight_create(&tight)) {
		abort();
	}
	return tight;
}

static void check(
    const uint32_t *pixels, size_t width, size_t height, const struct tight_options *options)
{
	size_t bound = tight_bound(width, height);
	uint8_t *out = malloc(bound);
	uint32_t *back = malloc(width * height * sizeof(*back));
	enum tight_kind kind, seen;
	size_t size;

	if (!out || !back) {
		abort();
	}
	size = tight_encode(shared_encoder(), pixels, width, width, height, options, out, &kind);
	if (size > bound || !tight_decode(out, size, width, height, back, &seen) || seen != kind) {
		abort();
	}
	if (kind == TIGHT_JPEG && options->jpeg_quality == TIGHT_JPEG_NONE) {
		abort();
	}
	for (size_t i = 0; i < width * height && kind != TIGHT_JPEG; i++) {
		if ((back[i] ^ pixels[i]) & 0xffffff) {
			abort();
		}
	}
	free(back);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint32_t pixels[SIDE_MAX * SIDE_MAX];
	struct tight_options options = { .jpeg_quality = TIGHT_JPEG_NONE };
	size_t width, height, bytes;

	if (size <= HEADER || data[0] == 0 || data[1] == 0) {
		return 0;
	}
	width = data[0];
	height = data[1];
	if (data[2] >= 128) {
		options.jpeg_quality = data[2] % 100 + 1;
		options.subsample = data[2] % 2;
	}
	bytes = data[3] % 4 + 1u;
	data += HEADER;
	size -= HEADER;
	for (size_t i = 0, at = 0; i < width * height; i++) {
		pixels[i] = 0;
		for (size_t byte = 0; byte < bytes; byte++, at++) {
			pixels[i] = pixels[i] << 8 | data[at % size];
		}
	}
	check(pixels, width, height, &options);
	return 0;
}
