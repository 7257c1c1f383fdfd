/*
 * See unit_deflate.h. Blocks of BLOCK_UNITS, each parsed into tokens and then written with Huffman codes of its own.
 * What must stay true: a match never reaches before the first unit, further back than deflate's window, or across the
 * end of a block (so that the bound holds).
 */
#include "display/unit_deflate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "display/huffman.h"

enum {
	BLOCK_UNITS = 65536,
	HASH_BITS = 13,
	MATCH_BYTES_MAX = 258,      /* the longest that deflate can say */
	DISTANCE_BYTES_MAX = 32768, /* its window */
	MATCH_GOOD_BYTES =
	    48, /* a run of this length is taken without looking for a better match */
	CODE_LIMIT = 14,
	END_OF_BLOCK = 256,
	BLOCK_HEADER_MAX = 512, /* bytes: type, code lengths, end of block, generously */
};

/* Deflate's symbols for the lengths and distances that whole units of one size can have. */
struct symbols {
	unsigned unit_bytes;
	unsigned match_max, match_good; /* units */
	unsigned distance_max;          /* units */
	uint16_t length_symbol[MATCH_BYTES_MAX + 1];
	uint8_t length_extra[MATCH_BYTES_MAX + 1];
	uint16_t length_base[MATCH_BYTES_MAX + 1];
	uint8_t distance_symbol[DISTANCE_BYTES_MAX + 1];
};

struct unit_deflate {
	struct symbols bytes, pixels;
	uint32_t
	    head[1 << HASH_BITS]; /* of three units: position of the last such place, plus one */
	uint32_t tokens[BLOCK_UNITS]; /* a unit, or TOKEN_MATCH | length << 16 | distance */
	struct huffman_code literals, distances;
};

#define TOKEN_MATCH 0x80000000u

static const uint16_t length_bases[29] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
	35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
static const uint8_t length_extras[29] = { 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3,
	3, 4, 4, 4, 4, 5, 5, 5, 5, 0 };
static const uint16_t distance_bases[30] = { 1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129,
	193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
static const uint8_t distance_extras[30] = { 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7,
	8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };

static void symbols_init(struct symbols *symbols, unsigned unit_bytes)
{
	symbols->unit_bytes = unit_bytes;
	symbols->match_max = MATCH_BYTES_MAX / unit_bytes;
	symbols->match_good = MATCH_GOOD_BYTES / unit_bytes;
	symbols->distance_max = DISTANCE_BYTES_MAX / unit_bytes;
	for (unsigned units = 1; units <= symbols->match_max; units++) {
		unsigned symbol = 28;

		while (symbol > 0 && length_bases[symbol] > units * unit_bytes) {
			symbol--;
		}
		symbols->length_symbol[units] = (uint16_t)(END_OF_BLOCK + 1 + symbol);
		symbols->length_base[units] = length_bases[symbol];
		symbols->length_extra[units] = length_extras[symbol];
	}
	for (unsigned units = 1, symbol = 0; units <= symbols->distance_max; units++) {
		while (symbol < 29 && distance_bases[symbol + 1] <= units * unit_bytes) {
			symbol++;
		}
		symbols->distance_symbol[units] = (uint8_t)symbol;
	}
}

int unit_deflate_create(struct unit_deflate **encoder)
{
	struct unit_deflate *created = calloc(1, sizeof(*created));

	if (!created) {
		return -ENOMEM;
	}
	symbols_init(&created->bytes, 1);
	symbols_init(&created->pixels, 3);
	*encoder = created;
	return 0;
}

void unit_deflate_destroy(struct unit_deflate *encoder)
{
	free(encoder);
}

size_t unit_deflate_bound(size_t units, unsigned unit_bytes)
{
	size_t blocks = units / BLOCK_UNITS + 1;

	/* A code is at most CODE_LIMIT bits a byte; eight bytes for the bit writer's stores, twelve for head and flush. */
	return units * unit_bytes * CODE_LIMIT / 8 + blocks * BLOCK_HEADER_MAX + 20;
}

static inline uint32_t hash(const uint32_t *units)
{
	uint64_t key = ((uint64_t)units[0] << 32 | units[1]) * 0x9E3779B97F4A7C15u;

	return (uint32_t)((key ^ units[2] * 0xC2B2AE3D27D4EB4Fu) >> (64 - HASH_BITS));
}

static inline size_t match_length(const uint32_t *a, const uint32_t *b, size_t limit)
{
	size_t length = 0;

	while (length < limit && a[length] == b[length]) {
		length++;
	}
	return length;
}

/* What is parsed: the units from the first on, and where the block ends. */
struct span {
	const uint32_t *units;
	size_t end;
};

/* The best of two candidates: the unit before (a run), and the last place that began with the same three units. */
static inline size_t find_match(struct unit_deflate *encoder, const struct symbols *symbols,
    const struct span *span, size_t at, uint32_t *distance)
{
	const uint32_t *here = span->units + at;
	size_t limit = span->end - at < symbols->match_max ? span->end - at : symbols->match_max;
	size_t best = 0;

	if (at > 0 && here[-1] == here[0]) {
		best = match_length(here - 1, here, limit);
		*distance = 1;
	}
	if (at + 3 <= span->end) {
		uint32_t *head = &encoder->head[hash(here)];
		size_t candidate = *head;

		*head = (uint32_t)at + 1;
		if (best < symbols->match_good && candidate > 0 &&
		    at - (candidate - 1) <= symbols->distance_max) {
			size_t length = match_length(span->units + candidate - 1, here, limit);

			if (length > best) {
				best = length;
				*distance = (uint32_t)(at - (candidate - 1));
			}
		}
	}
	return best;
}

/* Remembers some places inside a match, so that what repeats only in part is found too. */
static void remember_inside(
    struct unit_deflate *encoder, const struct span *span, size_t at, size_t length)
{
	for (size_t i = at + 1; i < at + length && i < at + 5 && i + 3 <= span->end; i++) {
		encoder->head[hash(span->units + i)] = (uint32_t)i + 1;
	}
}

/* A match must say less than the units it stands for: deflate cannot say fewer than three bytes. */
static inline bool worth(size_t length, uint32_t distance, unsigned unit_bytes)
{
	return unit_bytes == 1 ? length >= 4 || (length == 3 && distance < 1024)
			       : length >= 2 || (length == 1 && distance == 1);
}

static inline size_t parse_block(struct unit_deflate *encoder, const struct symbols *symbols,
    const struct span *span, size_t start)
{
	size_t count = 0;

	for (size_t at = start; at < span->end;) {
		uint32_t distance = 0;
		size_t length = find_match(encoder, symbols, span, at, &distance);

		if (worth(length, distance, symbols->unit_bytes)) {
			encoder->tokens[count++] = TOKEN_MATCH | (uint32_t)length << 16 | distance;
			if (length > 4 && distance != 1) {
				remember_inside(encoder, span, at, length);
			}
			at += length;
		} else {
			encoder->tokens[count++] = span->units[at++];
		}
	}
	return count;
}

static void build_codes(struct unit_deflate *encoder, const struct symbols *symbols, size_t count)
{
	uint32_t literals[HUFFMAN_LITERALS] = { 0 };
	uint32_t distances[HUFFMAN_DISTANCES] = { 0 };

	for (size_t i = 0; i < count; i++) {
		uint32_t token = encoder->tokens[i];

		if (token & TOKEN_MATCH) {
			literals[symbols->length_symbol[token >> 16 & 0x7fff]]++;
			distances[symbols->distance_symbol[token & 0xffff]]++;
			continue;
		}
		for (unsigned byte = 0; byte < symbols->unit_bytes; byte++, token >>= 8) {
			literals[token & 0xff]++;
		}
	}
	literals[END_OF_BLOCK] = 1;
	huffman_build(&encoder->literals, literals, HUFFMAN_LITERALS, CODE_LIMIT);
	huffman_build(&encoder->distances, distances, HUFFMAN_DISTANCES, CODE_LIMIT);
}

static inline void put_match(struct bit_writer *writer, const struct unit_deflate *encoder,
    const struct symbols *symbols, uint32_t token)
{
	uint32_t units = token >> 16 & 0x7fff;
	uint32_t distance = token & 0xffff;
	unsigned symbol = symbols->length_symbol[units];

	bit_writer_put(writer, encoder->literals.codes[symbol], encoder->literals.lengths[symbol]);
	bit_writer_put(writer, units * symbols->unit_bytes - symbols->length_base[units],
	    symbols->length_extra[units]);
	symbol = symbols->distance_symbol[distance];
	bit_writer_put(
	    writer, encoder->distances.codes[symbol], encoder->distances.lengths[symbol]);
	bit_writer_put(writer, distance * symbols->unit_bytes - distance_bases[symbol],
	    distance_extras[symbol]);
	bit_writer_flush(writer);
}

static inline void write_block(struct unit_deflate *encoder, const struct symbols *symbols,
    struct bit_writer *writer, size_t count)
{
	const struct huffman_code *literals = &encoder->literals;

	bit_writer_put(writer, 0, 1); /* not the last */
	bit_writer_put(writer, 2, 2); /* dynamic codes */
	huffman_write_header(writer, literals, &encoder->distances);
	for (size_t i = 0; i < count; i++) {
		uint32_t token = encoder->tokens[i];

		if (token & TOKEN_MATCH) {
			put_match(writer, encoder, symbols, token);
			continue;
		}
		for (unsigned byte = 0; byte < symbols->unit_bytes; byte++, token >>= 8) {
			bit_writer_put(
			    writer, literals->codes[token & 0xff], literals->lengths[token & 0xff]);
		}
		bit_writer_flush(writer);
	}
	bit_writer_put(writer, literals->codes[END_OF_BLOCK], literals->lengths[END_OF_BLOCK]);
	bit_writer_flush(writer);
}

/* Inlined for each size of unit, so that the compiler unrolls what depends on it. */
static inline __attribute__((always_inline)) void write_units(struct unit_deflate *encoder,
    const struct symbols *symbols, const uint32_t *units, size_t total, struct bit_writer *writer)
{
	for (size_t start = 0; start < total; start += BLOCK_UNITS) {
		struct span span = { units,
			total - start < BLOCK_UNITS ? total : start + BLOCK_UNITS };
		size_t count = parse_block(encoder, symbols, &span, start);

		build_codes(encoder, symbols, count);
		write_block(encoder, symbols, writer, count);
	}
}

size_t unit_deflate_encode(struct unit_deflate *encoder, const uint32_t *units, size_t count,
    unsigned unit_bytes, uint8_t *out)
{
	struct bit_writer writer = { .out = out };

	memset(encoder->head, 0, sizeof(encoder->head));
	/* RFC 1950: deflate with a window of 32 KiB, fastest; the check makes the two bytes a multiple of 31. */
	bit_writer_put(&writer, 0x78, 8);
	bit_writer_put(&writer, 0x01, 8);
	bit_writer_flush(&writer);
	write_units(
	    encoder, unit_bytes == 1 ? &encoder->bytes : &encoder->pixels, units, count, &writer);
	/* A sync flush: an empty stored block, whose length begins at a byte. */
	bit_writer_put(&writer, 0, 3);
	writer.count = (writer.count + 7) & ~7u;
	bit_writer_flush(&writer);
	bit_writer_put(&writer, 0xffff0000u, 32);
	bit_writer_flush(&writer);
	return writer.position;
}
