/* libvncclient as a decoder: rectangles go in as a server would send them, pixels come out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoding;

/* A viewer's picture of that size, black, 32 bits. Asserts on failure. */
struct decoding *decoding_create(uint32_t width, uint32_t height);
void decoding_destroy(struct decoding *decoding);
/* Gives it whole server messages. False when the decoder refuses it or wants more bytes. */
bool decoding_feed(struct decoding *decoding, const void *data, size_t size);
/* CopyRects so far. */
size_t decoding_copies(const struct decoding *decoding);
const uint32_t *decoding_pixels(const struct decoding *decoding);
