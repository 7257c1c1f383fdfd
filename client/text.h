/*
 * Numbers, times and foreign strings as people read them. What a guest, a viewer or another user may have chosen is
 * made harmless here: no control character, no escape sequence and no broken UTF-8 reaches a terminal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Copies `text` with every control character and every byte that is not UTF-8 as \xNN; cut to `size`. Returns `buffer`. */
char *text_clean(const char *text, char *buffer, size_t size);
/* Writes `size` bytes of `text`, cleaned likewise; newline and tab pass. */
void text_write_clean(FILE *file, const char *text, size_t size);
/*
 * Writes `text` cleaned, broken at blanks so that no line is longer than `width` columns (0: never), and a newline. Lines
 * after the first are indented by `indent`; the first is written where the cursor stands, which is at `indent`.
 */
void text_wrap(FILE *file, const char *text, unsigned indent, unsigned width);
/* Copies `text` with broken UTF-8 replaced by U+FFFD, so that JSON can hold it. malloc'ed, NULL without memory. */
char *text_to_utf8(const char *text, size_t size);

/* "512 bytes", "64 MiB", "1.5 GiB". Returns `buffer`, 16 bytes are enough. */
char *text_bytes(uint64_t bytes, char *buffer, size_t size);
/* "7 ms", "0.3 s", "42 s", "5 min", "3 h", "12 days". */
char *text_duration(uint64_t us, char *buffer, size_t size);
/* "2026-11-23 19:30:12 UTC"; "-" for 0. 32 bytes are enough. */
char *text_time(uint64_t utc_us, char *buffer, size_t size);
