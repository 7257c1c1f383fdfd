/*
 * The little of <stdio.h> and <string.h> that the desktop uses, freestanding: bounded formatting
 * and copying. Every function leaves a terminated string and never writes past `size` bytes.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Formats into buffer like snprintf, and returns the length of what was stored (not what would have
 * been). Knows %d %u %x %c %s %% with l, ll, z, a width, a leading 0 or -, and a precision for %s.
 * `size` must not be 0.
 */
size_t text_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t text_vformat(char *buffer, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Copies a string, cut to size - 1 bytes; returns its stored length. */
size_t text_copy(char *buffer, size_t size, const char *string);

/* Encodes one code point as UTF-8 (at most 4 bytes, not terminated); returns the number of bytes.
 */
size_t text_encode(char *buffer, uint32_t code);

/* Plain comparisons and searches on terminated strings. */
size_t text_length(const char *string);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *string, const char *prefix);
/* First occurrence of `needle`, or NULL. */
const char *text_find(const char *string, const char *needle);

/* Reads decimal digits (with a sign) at the start; `fallback` if there are none. Saturates at
 * +-10^9. */
int text_parse_int(const char *string, int fallback);

/*
 * The value of "NAME=value" in a space-separated option line, copied to buffer; false (and "") if
 * it is not there.
 */
bool text_get_option(const char *line, const char *name, char *buffer, size_t size);
