/* Sets of keys (KEY_*, BTN_*), a bit each, as input devices keep what is down. Header-only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `key` / 8 is inside `bits`. */
static inline bool key_bits_get(const uint8_t *bits, unsigned key)
{
	return bits[key / 8] >> (key % 8) & 1;
}

static inline void key_bits_set(uint8_t *bits, unsigned key, bool down)
{
	if (down) {
		bits[key / 8] |= (uint8_t)(1u << (key % 8));
	} else {
		bits[key / 8] &= (uint8_t) ~(1u << (key % 8));
	}
}
