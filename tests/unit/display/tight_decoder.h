/*
 * A decoder of Tight rectangles for tests, written from rfbproto 7.7.6 on zlib and libjpeg-turbo: strict, so that what it
 * accepts every viewer accepts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display/tight.h"

/*
 * Decodes what follows a rectangle's header into width * height pixels and tells what it was. False when a byte is
 * invalid, missing or left over.
 */
bool tight_decode(const uint8_t *data, size_t size, size_t width, size_t height, uint32_t *pixels,
    enum tight_kind *kind);
/* Inflates a stream that ends with a sync flush: true if it gives exactly `expected` bytes and is used up. */
bool inflate_exactly(const uint8_t *data, size_t size, uint8_t *out, size_t expected);
