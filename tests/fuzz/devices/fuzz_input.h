/* Takes numbers from a fuzzer's input; zeros when it is used up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

static inline bool fuzz_done(const struct fuzz_input *input)
{
	return input->size == 0;
}

static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && input->size > 0; i++) {
		value |= (uint64_t)*input->data++ << (8 * i);
		input->size--;
	}
	return value;
}
