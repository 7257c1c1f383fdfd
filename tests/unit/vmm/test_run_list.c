/* Pages become runs: sorted, merged, never too many, and never a page lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/run_list.h"

static void test_neighbours(void **state)
{
	struct run_list list;

	(void)state;
	run_list_init(&list, 100);
	assert_int_equal(run_list_add(&list, 1, RAM_RUN_DATA), 0);
	assert_int_equal(run_list_add(&list, 2, RAM_RUN_DATA), 0);
	assert_int_equal(run_list_add(&list, 3, RAM_RUN_ZERO), 0);
	assert_int_equal(run_list_add(&list, 5, RAM_RUN_ZERO), 0);
	assert_int_equal(run_list_add(&list, 99, RAM_RUN_DATA), 0);
	assert_int_equal(run_list_add(&list, 100, RAM_RUN_DATA), 0); /* the boundary parts them */
	run_list_finish(&list);
	assert_int_equal(list.count, 5);
	assert_int_equal(list.runs[0].page, 1);
	assert_int_equal(list.runs[0].count, 2);
	assert_int_equal(list.runs[1].kind, RAM_RUN_ZERO);
	assert_int_equal(list.runs[4].page, 100);
	run_list_fini(&list);
}

/* Each page that was added is in exactly one run; zeros only where nothing but zeros was added. */
static void check(const struct run_list *list, const uint8_t *kinds, uint64_t pages)
{
	uint64_t next = 0;

	assert_true(list->count <= RAM_LAYER_RUNS_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct ram_run *run = &list->runs[i];

		assert_true(run->page >= next && run->page + run->count <= pages);
		for (uint64_t page = next; page < run->page; page++) {
			assert_int_equal(kinds[page], 0);
		}
		for (uint64_t page = run->page;
		     run->kind == RAM_RUN_ZERO && page < run->page + run->count; page++) {
			assert_int_equal(kinds[page], RAM_RUN_ZERO);
		}
		assert_true(
		    run->page >= list->boundary || run->page + run->count <= list->boundary);
		next = run->page + run->count;
	}
	for (uint64_t page = next; page < pages; page++) {
		assert_int_equal(kinds[page], 0);
	}
}

static void test_too_many(void **state)
{
	enum {
		PAGES = 300000,
	};
	uint8_t *kinds = calloc(1, PAGES);
	static const unsigned densities[] = { 1, 2, 3, 10, 100, 5000 };
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(densities) / sizeof(densities[0]); i++) {
		struct run_list list;

		memset(kinds, 0, PAGES);
		run_list_init(&list, PAGES - 777);
		for (uint64_t page = 0; page < PAGES; page++) {
			random = random * 1664525 + 1013904223;
			if ((random >> 8) % densities[i] == 0) {
				kinds[page] = (random >> 30) ? RAM_RUN_DATA : RAM_RUN_ZERO;
				assert_int_equal(run_list_add(&list, page, kinds[page]), 0);
			}
		}
		run_list_finish(&list);
		check(&list, kinds, PAGES);
		run_list_fini(&list);
	}
	free(kinds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
