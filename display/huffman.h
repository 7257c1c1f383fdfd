/*
 * Huffman codes as deflate has them (RFC 1951, sections 3.2.2 and 3.2.7): lengths from frequencies, bounded; codes from
 * lengths, bit-reversed as they are written; and the header of a dynamic block. Pure; any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	HUFFMAN_LITERALS = 286, /* literals, end of block, lengths */
	HUFFMAN_DISTANCES = 30,
	HUFFMAN_SYMBOLS_MAX = HUFFMAN_LITERALS,
	HUFFMAN_LENGTH_MAX = 15,
};

/* Bits on their way to the output: the lowest `count` bits of `bits` are not yet written. */
struct bit_writer {
	uint8_t *out;
	size_t position;
	uint64_t bits;
	unsigned count; /* < 8 after bit_writer_flush() */
};

static inline void bit_writer_put(struct bit_writer *writer, uint32_t value, unsigned count)
{
	writer->bits |= (uint64_t)value << writer->count;
	writer->count += count;
}

/* Writes whole bytes out; needs eight bytes of room. To be called before 64 bits are exceeded: every 56 bits. */
static inline void bit_writer_flush(struct bit_writer *writer)
{
	unsigned bytes = writer->count / 8;

	__builtin_memcpy(writer->out + writer->position, &writer->bits, 8);
	writer->position += bytes;
	writer->bits >>= bytes * 8;
	writer->count &= 7;
}

struct huffman_code {
	uint16_t codes[HUFFMAN_SYMBOLS_MAX];
	uint8_t lengths[HUFFMAN_SYMBOLS_MAX]; /* 0: does not occur */
};

/*
 * Lengths of at most `limit` bits (up to HUFFMAN_LENGTH_MAX, and 2^limit >= count) for `count` symbols, and their codes.
 * Where fewer than two occur, two get a code, as some decoders insist on a complete set.
 */
void huffman_build(
    struct huffman_code *code, const uint32_t *frequencies, size_t count, unsigned limit);

/* The header of a dynamic block behind its three type bits. */
void huffman_write_header(struct bit_writer *writer, const struct huffman_code *literals,
    const struct huffman_code *distances);
