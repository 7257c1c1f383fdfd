/* Writing pictures as PNG files, by libpng. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/must_check.h"

/*
 * Gives the row `y` as 32-bit XRGB pixels, blue in the lowest byte; the row stays the callee's and lasts until the next
 * call. 0 or -errno, which ends the writing.
 */
typedef int (*png_file_row)(void *context, uint32_t y, const uint8_t **row);

/* Writes a whole picture, 8 bits per channel without alpha. 0, -EIO when libpng or the file fails, -ENOMEM, or what
 * `row` returned. */
must_check int png_file_write(
    FILE *file, uint32_t width, uint32_t height, png_file_row row, void *context);
