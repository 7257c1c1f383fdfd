/* The tests' own decoder of Tight (tight_decoder.h). */
#include "tight_decoder.h"

#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>
#include <zlib.h>

struct input {
	const uint8_t *data;
	size_t size, at;
	bool bad;
};

static uint8_t get_byte(struct input *input)
{
	if (input->at >= input->size) {
		input->bad = true;
		return 0;
	}
	return input->data[input->at++];
}

static uint32_t get_colour(struct input *input)
{
	uint32_t red = get_byte(input);
	uint32_t green = get_byte(input);

	return red << 16 | green << 8 | get_byte(input);
}

static size_t get_length(struct input *input)
{
	size_t byte = get_byte(input);
	size_t length = byte & 0x7f;

	if (byte & 0x80) {
		byte = get_byte(input);
		length |= (byte & 0x7f) << 7;
		if (byte & 0x80) {
			length |= (size_t)get_byte(input) << 14;
		}
	}
	return length;
}

bool inflate_exactly(const uint8_t *data, size_t size, uint8_t *out, size_t expected)
{
	z_stream stream = { 0 };
	uint8_t more;
	bool good;

	if (inflateInit(&stream) != Z_OK) {
		return false;
	}
	stream.next_in = (Bytef *)(uintptr_t)data;
	stream.avail_in = (uInt)size;
	stream.next_out = out;
	stream.avail_out = (uInt)expected;
	good = inflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_out == 0;
	/* Only the flush may be left, and nothing comes of it. */
	stream.next_out = &more;
	stream.avail_out = 1;
	if (good && stream.avail_in > 0) {
		good = inflate(&stream, Z_SYNC_FLUSH) == Z_OK;
	}
	good = good && stream.avail_out == 1 && stream.avail_in == 0;
	inflateEnd(&stream);
	return good;
}

/* The filtered data of a basic rectangle: `size` bytes, compressed unless they are few. The caller frees them. */
static uint8_t *get_data(struct input *input, size_t size)
{
	uint8_t *data = malloc(size + 1);
	size_t length;

	if (!data) {
		abort();
	}
	if (size < 12) {
		for (size_t i = 0; i < size; i++) {
			data[i] = get_byte(input);
		}
		return data;
	}
	length = get_length(input);
	if (input->bad || length > input->size - input->at ||
	    !inflate_exactly(input->data + input->at, length, data, size)) {
		input->bad = true;
		memset(data, 0, size);
		return data;
	}
	input->at += length;
	return data;
}

static void decode_palette(struct input *input, size_t width, size_t height, uint32_t *pixels)
{
	uint32_t colours[256] = { 0 };
	size_t count = (size_t)get_byte(input) + 1;
	size_t row = count == 2 ? (width + 7) / 8 : width;
	uint8_t *data;

	input->bad = input->bad || count < 2;
	for (size_t i = 0; i < count; i++) {
		colours[i] = get_colour(input);
	}
	data = get_data(input, row * height);
	for (size_t y = 0; y < height; y++) {
		for (size_t x = 0; x < width; x++) {
			size_t index = count == 2 ? data[y * row + x / 8] >> (7 - x % 8) & 1u
						  : data[y * row + x];

			input->bad = input->bad || index >= count;
			pixels[y * width + x] = colours[index];
		}
	}
	free(data);
}

static void decode_copy(struct input *input, size_t width, size_t height, uint32_t *pixels)
{
	uint8_t *data = get_data(input, width * height * 3);

	for (size_t i = 0; i < width * height; i++) {
		pixels[i] = (uint32_t)data[i * 3] << 16 | (uint32_t)data[i * 3 + 1] << 8 |
			    data[i * 3 + 2];
	}
	free(data);
}

static void decode_jpeg(struct input *input, size_t width, size_t height, uint32_t *pixels)
{
	size_t length = get_length(input);
	tjhandle jpeg = tjInitDecompress();
	int jpeg_width, jpeg_height, subsampling;

	if (input->bad || length > input->size - input->at ||
	    tjDecompressHeader2(jpeg, (unsigned char *)(uintptr_t)(input->data + input->at), length,
		&jpeg_width, &jpeg_height, &subsampling) != 0 ||
	    jpeg_width != (int)width || jpeg_height != (int)height ||
	    tjDecompress2(jpeg, input->data + input->at, length, (unsigned char *)pixels,
		(int)width, 0, (int)height, TJPF_BGRX, 0) != 0) {
		input->bad = true;
	} else {
		input->at += length;
	}
	tjDestroy(jpeg);
}

bool tight_decode(const uint8_t *data, size_t size, size_t width, size_t height, uint32_t *pixels,
    enum tight_kind *kind)
{
	struct input input = { .data = data, .size = size };
	uint8_t control = get_byte(&input);
	uint8_t filter;

	if (control == 0x80) {
		uint32_t colour = get_colour(&input);

		*kind = TIGHT_FILL;
		for (size_t i = 0; i < width * height; i++) {
			pixels[i] = colour;
		}
	} else if (control == 0x90) {
		*kind = TIGHT_JPEG;
		decode_jpeg(&input, width, height, pixels);
	} else if (control == 0x41) { /* basic, filter follows, stream 0 is reset */
		filter = get_byte(&input);
		if (filter == 1) {
			*kind = input.at < size && data[input.at] == 1 ? TIGHT_BITMAP
								       : TIGHT_PALETTE;
			decode_palette(&input, width, height, pixels);
		} else if (filter == 0) {
			*kind = TIGHT_PIXELS;
			decode_copy(&input, width, height, pixels);
		} else {
			return false;
		}
	} else {
		return false;
	}
	return !input.bad && input.at == size;
}
