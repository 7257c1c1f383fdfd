/* See huffman.h. What must stay true: every set of lengths is complete (Kraft's sum is one), as zlib's inflate insists. */
#include "display/huffman.h"

#include <stdlib.h>
#include <string.h>

enum {
	CODE_LENGTHS = 19,
	REPEAT = 16,     /* the length before, 3 to 6 times */
	ZEROS = 17,      /* 3 to 10 zeros */
	MANY_ZEROS = 18, /* 11 to 138 zeros */
	RUNS_MAX = HUFFMAN_LITERALS + HUFFMAN_DISTANCES,
};

struct leaf {
	uint32_t frequency;
	uint16_t symbol;
};

static int compare_leaves(const void *a, const void *b)
{
	const struct leaf *x = a;
	const struct leaf *y = b;

	if (x->frequency != y->frequency) {
		return x->frequency < y->frequency ? -1 : 1;
	}
	return (int)x->symbol - (int)y->symbol;
}

/*
 * In place (Moffat and Katajainen): `weights`, sorted upwards, become the depths of the leaves, which fall from the
 * first to the last.
 */
static void depths_from_weights(uint32_t *weights, size_t count)
{
	size_t root = 0;
	size_t leaf = 2;
	size_t next;
	size_t available = 1;
	size_t used = 0;
	uint32_t depth = 0;

	weights[0] += weights[1];
	for (next = 1; next < count - 1; next++) {
		if (leaf >= count || weights[root] < weights[leaf]) {
			weights[next] = weights[root];
			weights[root++] = (uint32_t)next;
		} else {
			weights[next] = weights[leaf++];
		}
		if (leaf >= count || (root < next && weights[root] < weights[leaf])) {
			weights[next] += weights[root];
			weights[root++] = (uint32_t)next;
		} else {
			weights[next] += weights[leaf++];
		}
	}
	weights[count - 2] = 0;
	for (size_t i = count - 2; i-- > 0;) {
		weights[i] = weights[weights[i]] + 1;
	}
	root = count - 1;
	next = count;
	while (available > 0) {
		while (root > 0 && weights[root - 1] == depth) {
			used++;
			root--;
		}
		while (available > used) {
			weights[--next] = depth;
			available--;
		}
		available = 2 * used;
		depth++;
		used = 0;
	}
}

/* How many leaves there are at each depth once none is below `limit`, with Kraft's sum kept at one. */
static void limit_depths(const uint32_t *depths, size_t count, unsigned limit, uint32_t *at_depth)
{
	uint32_t kraft = 0; /* in units of 2^-limit */

	memset(at_depth, 0, (HUFFMAN_LENGTH_MAX + 1) * sizeof(*at_depth));
	for (size_t i = 0; i < count; i++) {
		unsigned depth = depths[i] > limit ? limit : depths[i];

		at_depth[depth]++;
		kraft += 1u << (limit - depth);
	}
	while (kraft > 1u << limit) {
		unsigned depth = limit - 1;

		/* One leaf goes a level down, and a leaf at the limit becomes its sibling. */
		while (at_depth[depth] == 0) {
			depth--;
		}
		at_depth[depth]--;
		at_depth[depth + 1] += 2;
		at_depth[limit]--;
		kraft--;
	}
}

static uint16_t reverse_bits(uint32_t code, unsigned length)
{
	uint32_t reversed = 0;

	for (unsigned i = 0; i < length; i++, code >>= 1) {
		reversed = reversed << 1 | (code & 1);
	}
	return (uint16_t)reversed;
}

static void codes_from_lengths(struct huffman_code *code, size_t count)
{
	uint32_t per_length[HUFFMAN_LENGTH_MAX + 1] = { 0 };
	uint32_t next[HUFFMAN_LENGTH_MAX + 1] = { 0 };

	for (size_t i = 0; i < count; i++) {
		per_length[code->lengths[i]]++;
	}
	per_length[0] = 0;
	for (unsigned length = 1; length <= HUFFMAN_LENGTH_MAX; length++) {
		next[length] = (next[length - 1] + per_length[length - 1]) << 1;
	}
	for (size_t i = 0; i < count; i++) {
		unsigned length = code->lengths[i];

		code->codes[i] = length ? reverse_bits(next[length]++, length) : 0;
	}
}

void huffman_build(
    struct huffman_code *code, const uint32_t *frequencies, size_t count, unsigned limit)
{
	struct leaf leaves[HUFFMAN_SYMBOLS_MAX];
	uint32_t weights[HUFFMAN_SYMBOLS_MAX];
	uint32_t at_depth[HUFFMAN_LENGTH_MAX + 1];
	size_t used = 0;
	unsigned depth = limit;

	memset(code->lengths, 0, sizeof(code->lengths));
	for (size_t i = 0; i < count; i++) {
		if (frequencies[i]) {
			leaves[used++] = (struct leaf){ frequencies[i], (uint16_t)i };
		}
	}
	for (uint16_t i = 0; used < 2; i++) {
		if (!frequencies[i]) {
			leaves[used++] = (struct leaf){ 0, i };
		}
	}
	qsort(leaves, used, sizeof(leaves[0]), compare_leaves);
	for (size_t i = 0; i < used; i++) {
		weights[i] = leaves[i].frequency;
	}
	depths_from_weights(weights, used);
	limit_depths(weights, used, limit, at_depth);
	/* The rarest get the longest codes. */
	for (size_t i = 0; i < used; i++) {
		while (at_depth[depth] == 0) {
			depth--;
		}
		at_depth[depth]--;
		code->lengths[leaves[i].symbol] = (uint8_t)depth;
	}
	codes_from_lengths(code, count);
}

/* The code lengths of a block, run-length coded. */
struct runs {
	uint8_t symbols[RUNS_MAX];
	uint8_t extra[RUNS_MAX];
	size_t count;
};

static void runs_add(struct runs *runs, uint8_t symbol, size_t extra)
{
	runs->symbols[runs->count] = symbol;
	runs->extra[runs->count++] = (uint8_t)extra;
}

static void runs_add_many(struct runs *runs, uint8_t length, size_t times)
{
	if (length == 0) {
		while (times >= 11) {
			size_t part = times > 138 ? 138 : times;

			runs_add(runs, MANY_ZEROS, part - 11);
			times -= part;
		}
		if (times >= 3) {
			runs_add(runs, ZEROS, times - 3);
			times = 0;
		}
	} else {
		runs_add(runs, length, 0);
		times--;
		while (times >= 3) {
			size_t part = times > 6 ? 6 : times;

			runs_add(runs, REPEAT, part - 3);
			times -= part;
		}
	}
	for (; times > 0; times--) {
		runs_add(runs, length, 0);
	}
}

static void runs_collect(struct runs *runs, const uint8_t *lengths, size_t count)
{
	runs->count = 0;
	for (size_t i = 0, j; i < count; i = j) {
		for (j = i + 1; j < count && lengths[j] == lengths[i];) {
			j++;
		}
		runs_add_many(runs, lengths[i], j - i);
	}
}

void huffman_write_header(struct bit_writer *writer, const struct huffman_code *literals,
    const struct huffman_code *distances)
{
	static const uint8_t order[CODE_LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3,
		13, 2, 14, 1, 15 };
	static const uint8_t extra_bits[3] = { 2, 3, 7 };
	uint8_t lengths[RUNS_MAX];
	uint32_t frequencies[CODE_LENGTHS] = { 0 };
	struct huffman_code code;
	struct runs runs;

	memcpy(lengths, literals->lengths, HUFFMAN_LITERALS);
	memcpy(lengths + HUFFMAN_LITERALS, distances->lengths, HUFFMAN_DISTANCES);
	runs_collect(&runs, lengths, RUNS_MAX);
	for (size_t i = 0; i < runs.count; i++) {
		frequencies[runs.symbols[i]]++;
	}
	huffman_build(&code, frequencies, CODE_LENGTHS, 7);

	bit_writer_put(writer, HUFFMAN_LITERALS - 257, 5);
	bit_writer_put(writer, HUFFMAN_DISTANCES - 1, 5);
	bit_writer_put(writer, CODE_LENGTHS - 4, 4);
	bit_writer_flush(writer);
	for (size_t i = 0; i < CODE_LENGTHS; i++) {
		bit_writer_put(writer, code.lengths[order[i]], 3);
		bit_writer_flush(writer);
	}
	for (size_t i = 0; i < runs.count; i++) {
		uint8_t symbol = runs.symbols[i];

		bit_writer_put(writer, code.codes[symbol], code.lengths[symbol]);
		if (symbol >= REPEAT) {
			bit_writer_put(writer, runs.extra[i], extra_bits[symbol - REPEAT]);
		}
		bit_writer_flush(writer);
	}
}
