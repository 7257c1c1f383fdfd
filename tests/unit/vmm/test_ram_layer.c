/* The index of a RAM layer: damage is found, and what an attacker computes checksums for stays in bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/ram_layer.h"

enum {
	PAGES = 1000,
};

static const struct ram_run runs[] = {
	{ .page = 0, .count = 1, .kind = RAM_RUN_DATA, .checksum = { 1 } },
	{ .page = 10, .count = 5, .kind = RAM_RUN_ZERO },
	{ .page = 15, .count = 100, .kind = RAM_RUN_DATA, .checksum = { 2 } },
	{ .page = 999, .count = 1, .kind = RAM_RUN_DATA, .checksum = { 3 } },
};

static struct ram_layer make(uint8_t **head, size_t *size)
{
	struct ram_layer layer = {
		.complete = true, .page_count = PAGES, .generation = 5, .run_count = 4
	};

	layer.runs = malloc(sizeof(runs));
	memcpy(layer.runs, runs, sizeof(runs));
	assert_int_equal(ram_layer_plan(&layer), 0);
	*size = layer.data_page * RAM_PAGE;
	*head = malloc(*size);
	ram_layer_encode(&layer, *head);
	return layer;
}

static void test_round_trip(void **state)
{
	uint8_t *head;
	size_t size, head_size;
	struct ram_layer layer = make(&head, &size);
	struct ram_layer decoded;

	(void)state;
	assert_int_equal(layer.data_page, 2);
	assert_int_equal(layer.file_pages, 2 + 1 + 100 + 1);
	assert_int_equal(ram_layer_head_size(head, &head_size), 0);
	assert_int_equal(head_size, size);
	assert_int_equal(ram_layer_decode(head, size, 104 * RAM_PAGE, PAGES, &decoded), 0);
	assert_true(decoded.complete);
	assert_int_equal(decoded.generation, 5);
	assert_int_equal(decoded.run_count, 4);
	assert_memory_equal(&decoded.id, &layer.id, sizeof(layer.id));
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(decoded.runs[i].page, runs[i].page);
		assert_int_equal(decoded.runs[i].count, runs[i].count);
		assert_int_equal(decoded.runs[i].kind, runs[i].kind);
		assert_int_equal(decoded.runs[i].file_page, layer.runs[i].file_page);
		assert_memory_equal(decoded.runs[i].checksum, runs[i].checksum, 16);
	}
	assert_int_equal(decoded.runs[2].file_page, 3);
	ram_layer_fini(&decoded);
	/* Another file or another machine. */
	assert_int_equal(ram_layer_decode(head, size, 103 * RAM_PAGE, PAGES, &decoded), -EPROTO);
	assert_int_equal(
	    ram_layer_decode(head, size, 104 * RAM_PAGE + 1, PAGES, &decoded), -EPROTO);
	assert_int_equal(
	    ram_layer_decode(head, size, 104 * RAM_PAGE, PAGES + 1, &decoded), -EPROTO);
	ram_layer_fini(&layer);
	free(head);
}

static void test_every_bit(void **state)
{
	uint8_t *head;
	size_t size;
	struct ram_layer layer = make(&head, &size);
	struct ram_layer decoded;

	(void)state;
	for (size_t i = 0; i < size * 8; i++) {
		head[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(
		    ram_layer_decode(head, size, 104 * RAM_PAGE, PAGES, &decoded), -EPROTO);
		head[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t length = 0; length < size; length += 509) {
		assert_int_equal(
		    ram_layer_decode(head, length, 104 * RAM_PAGE, PAGES, &decoded), -EPROTO);
	}
	ram_layer_fini(&layer);
	free(head);
}

/* The checksums made right again after the change, as an attacker would. */
static void reseal(uint8_t *head, size_t size)
{
	enum {
		INDEX_SUM = 56,
		HEADER_SUM = 72,
	};

	ram_checksum(head + RAM_PAGE, size - RAM_PAGE, head + INDEX_SUM);
	ram_checksum(head, HEADER_SUM, head + HEADER_SUM);
}

static void check_invariants(const struct ram_layer *layer)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < layer->run_count; i++) {
		const struct ram_run *run = &layer->runs[i];

		assert_true(run->count > 0);
		assert_true(run->page >= next);
		assert_true(run->page < PAGES && run->count <= PAGES - run->page);
		next = run->page + run->count;
		if (run->kind == RAM_RUN_DATA) {
			assert_true(run->file_page >= layer->data_page);
			assert_true(run->file_page + run->count <= layer->file_pages);
		} else {
			assert_int_equal(run->kind, RAM_RUN_ZERO);
		}
	}
}

static void test_every_integer_resealed(void **state)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 5, 999, 1000, 2048, 2049, 0x7fffffff,
		0x80000000, 0xffffffff, 1ull << 52, INT64_MAX, 1ull << 63, UINT64_MAX - 1,
		UINT64_MAX };
	uint8_t *head;
	size_t size;
	struct ram_layer layer = make(&head, &size);
	uint8_t *changed = malloc(size);
	unsigned refused = 0;

	(void)state;
	for (size_t offset = 0; offset < RAM_PAGE + 4 * RAM_LAYER_ENTRY_SIZE; offset++) {
		if (offset == 100) {
			offset = RAM_PAGE; /* the rest of the header page is zeros */
		}
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct ram_layer decoded;
			size_t head_size;

			memcpy(changed, head, size);
			memcpy(changed + offset, &values[i], 8);
			reseal(changed, size);
			if (ram_layer_head_size(changed, &head_size) == 0) {
				assert_true(head_size <= RAM_PAGE + RAM_LAYER_INDEX_MAX + RAM_PAGE);
			}
			if (ram_layer_decode(changed, size, 104 * RAM_PAGE, PAGES, &decoded) == 0) {
				check_invariants(&decoded);
				ram_layer_fini(&decoded);
			} else {
				refused++;
			}
		}
	}
	assert_true(refused > 500);
	free(changed);
	ram_layer_fini(&layer);
	free(head);
}

static void test_plan_refuses(void **state)
{
	struct ram_run bad[2] = { runs[0], runs[2] };
	struct ram_layer layer = { .page_count = PAGES, .run_count = 2, .runs = bad };

	(void)state;
	assert_int_equal(ram_layer_plan(&layer), 0);
	bad[1].page = 0;
	assert_int_equal(ram_layer_plan(&layer), -EINVAL);
	bad[1].page = PAGES;
	assert_int_equal(ram_layer_plan(&layer), -EINVAL);
	bad[1].page = 15;
	bad[1].count = PAGES;
	assert_int_equal(ram_layer_plan(&layer), -EINVAL);
	bad[1].count = 0;
	assert_int_equal(ram_layer_plan(&layer), -EINVAL);
	bad[1].count = 1;
	bad[1].kind = 3;
	assert_int_equal(ram_layer_plan(&layer), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_integer_resealed),
		cmocka_unit_test(test_plan_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
