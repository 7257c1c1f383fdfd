/* Planning with generations: names, chains, and what may never be deleted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/catalogue.h"

static void test_names(void **state)
{
	static const struct {
		const char *name;
		enum catalogue_kind kind;
		uint64_t number;
	} cases[] = {
		{ "gen.1", CATALOGUE_COMMITTED, 1 },
		{ "gen.20.tmp", CATALOGUE_TEMPORARY, 20 },
		{ "gen.3.damaged", CATALOGUE_DAMAGED, 3 },
		{ "gen.18446744073709551614", CATALOGUE_COMMITTED, UINT64_MAX - 1 },
		{ "gen.18446744073709551615", CATALOGUE_OTHER, 0 },
		{ "gen.18446744073709551616", CATALOGUE_OTHER, 0 },
		{ "gen.99999999999999999999999", CATALOGUE_OTHER, 0 },
		{ "gen.0", CATALOGUE_OTHER, 0 },
		{ "gen.01", CATALOGUE_OTHER, 0 },
		{ "gen.-1", CATALOGUE_OTHER, 0 },
		{ "gen.+1", CATALOGUE_OTHER, 0 },
		{ "gen. 1", CATALOGUE_OTHER, 0 },
		{ "gen.1x", CATALOGUE_OTHER, 0 },
		{ "gen.1.", CATALOGUE_OTHER, 0 },
		{ "gen.1.tmp.tmp", CATALOGUE_OTHER, 0 },
		{ "gen.1.TMP", CATALOGUE_OTHER, 0 },
		{ "gen.3.damaged.1", CATALOGUE_OTHER, 0 },
		{ "gen.", CATALOGUE_OTHER, 0 },
		{ "gen", CATALOGUE_OTHER, 0 },
		{ "", CATALOGUE_OTHER, 0 },
		{ ".", CATALOGUE_OTHER, 0 },
		{ "..", CATALOGUE_OTHER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 77;
		char name[CATALOGUE_NAME_MAX];

		assert_int_equal(catalogue_parse_name(cases[i].name, &number), cases[i].kind);
		assert_int_equal(number, cases[i].number);
		if (cases[i].kind != CATALOGUE_OTHER) {
			catalogue_format_name(cases[i].kind, number, name);
			assert_string_equal(name, cases[i].name);
		}
	}
}

/* Adds gen `number` over the given layers (0-terminated, itself left out). */
static void add(struct catalogue *catalogue, uint64_t number, bool consumed, const uint64_t *below)
{
	struct catalogue_generation generation = { .number = number,
		.kind = CATALOGUE_COMMITTED,
		.consumed = consumed,
		.readable = true };

	for (; below && *below; below++) {
		generation.layers[generation.layer_count++] = *below;
	}
	generation.layers[generation.layer_count++] = number;
	assert_int_equal(catalogue_add(catalogue, &generation), 0);
}

static void add_other(struct catalogue *catalogue, uint64_t number, enum catalogue_kind kind)
{
	struct catalogue_generation generation = { .number = number, .kind = kind };

	assert_int_equal(catalogue_add(catalogue, &generation), 0);
}

static void test_add(void **state)
{
	struct catalogue catalogue;
	struct catalogue_generation bad[] = {
		{ .number = 0, .kind = CATALOGUE_COMMITTED, .readable = true, .layer_count = 1 },
		{ .number = 5, .kind = CATALOGUE_OTHER },
		{ .number = 5, .kind = CATALOGUE_COMMITTED, .readable = true, .layer_count = 0 },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = 1,
		    .layers = { 4 } },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = 2,
		    .layers = { 5, 5 } },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = 2,
		    .layers = { 0, 5 } },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = 3,
		    .layers = { 3, 2, 5 } },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = SIZE_MAX },
		{ .number = 5,
		    .kind = CATALOGUE_COMMITTED,
		    .readable = true,
		    .layer_count = CATALOGUE_LAYERS_MAX + 1 },
		{ .number = UINT64_MAX, .kind = CATALOGUE_TEMPORARY },
	};

	(void)state;
	catalogue_init(&catalogue);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(catalogue_add(&catalogue, &bad[i]), -EINVAL);
	}
	assert_int_equal(catalogue_next(&catalogue), 1);
	add(&catalogue, 5, false, NULL);
	add_other(&catalogue, 7, CATALOGUE_TEMPORARY);
	add_other(&catalogue, 5, CATALOGUE_DAMAGED);
	add(&catalogue, 3, true, NULL);
	assert_int_equal(catalogue_add(&catalogue, &catalogue.generations[0]), -EEXIST);
	assert_int_equal(catalogue.generations[0].number, 3);
	assert_int_equal(catalogue_newest(&catalogue)->number, 5);
	assert_int_equal(catalogue_next(&catalogue), 8);
	while (catalogue.count < CATALOGUE_GENERATIONS_MAX) {
		add_other(&catalogue, 100 + catalogue.count, CATALOGUE_TEMPORARY);
	}
	assert_int_equal(catalogue_add(&catalogue, &(struct catalogue_generation){ .number = 9,
						       .kind = CATALOGUE_TEMPORARY }),
	    -ENOSPC);
}

static void test_restorable(void **state)
{
	struct catalogue catalogue;
	const char *reason;

	(void)state;
	catalogue_init(&catalogue);
	assert_int_equal(catalogue_restorable(&catalogue, &reason), 0);
	assert_null(reason);
	add(&catalogue, 1, false, NULL);
	assert_int_equal(catalogue_restorable(&catalogue, &reason), 1);
	assert_null(reason);
	add(&catalogue, 2, true, (uint64_t[]){ 1, 0 });
	/* Never an older one: the disk has moved on. */
	assert_int_equal(catalogue_restorable(&catalogue, &reason), 0);
	assert_non_null(reason);
	add(&catalogue, 4, false, (uint64_t[]){ 1, 2, 0 });
	assert_int_equal(catalogue_restorable(&catalogue, NULL), 4);
	add(&catalogue, 6, false, (uint64_t[]){ 1, 2, 5, 0 });
	assert_int_equal(catalogue_restorable(&catalogue, &reason), 0);
	assert_non_null(strstr(reason, "missing"));
	assert_int_equal(catalogue_add(&catalogue, &(struct catalogue_generation){ .number = 8,
						       .kind = CATALOGUE_COMMITTED }),
	    0);
	assert_int_equal(catalogue_restorable(&catalogue, &reason), 0);
	assert_non_null(strstr(reason, "cannot be read"));
}

static void test_layers(void **state)
{
	struct catalogue catalogue;
	uint64_t layers[CATALOGUE_LAYERS_MAX], chain[CATALOGUE_LAYERS_MAX + 1] = { 0 };
	size_t count;

	(void)state;
	catalogue_init(&catalogue);
	assert_int_equal(catalogue_plan_layers(&catalogue, 0, 1, false, layers, &count), 0);
	assert_int_equal(count, 1);
	add(&catalogue, 1, true, NULL);
	add(&catalogue, 4, true, (uint64_t[]){ 1, 0 });
	assert_int_equal(catalogue_plan_layers(&catalogue, 4, 6, false, layers, &count), 0);
	assert_int_equal(count, 3);
	assert_memory_equal(layers, ((uint64_t[]){ 1, 4, 6 }), 3 * sizeof(uint64_t));
	assert_int_equal(catalogue_plan_layers(&catalogue, 4, 6, true, layers, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(layers[0], 6);
	assert_int_equal(catalogue_plan_layers(&catalogue, 3, 6, false, layers, &count), -ENOENT);
	assert_int_equal(catalogue_plan_layers(&catalogue, 4, 4, false, layers, &count), -EINVAL);
	for (uint64_t i = 0; i < CATALOGUE_LAYERS_MAX - 1; i++) {
		chain[i] = 10 + i;
		add(&catalogue, 10 + i, true, NULL);
	}
	add(&catalogue, 100, true, chain);
	assert_int_equal(catalogue_find(&catalogue, 100)->layer_count, CATALOGUE_LAYERS_MAX);
	assert_int_equal(
	    catalogue_plan_layers(&catalogue, 100, 101, false, layers, &count), -E2BIG);
	assert_true(catalogue_wants_complete(&catalogue, 100, 1000));
	assert_true(catalogue_wants_complete(&catalogue, 4, 2));
	assert_false(catalogue_wants_complete(&catalogue, 4, 3));
	assert_false(catalogue_wants_complete(&catalogue, 0, 1));
	assert_true(catalogue_wants_complete(&catalogue, 55, 8)); /* nobody knows its chain */
}

static void test_prune(void **state)
{
	struct catalogue catalogue;
	struct catalogue_plan plan;

	(void)state;
	catalogue_init(&catalogue);
	catalogue_plan_prune(&catalogue, 1, 0, &plan);
	assert_int_equal(plan.count, 0);
	add(&catalogue, 1, true, NULL);
	add(&catalogue, 2, true, (uint64_t[]){ 1, 0 });
	add(&catalogue, 3, true, NULL);
	add(&catalogue, 4, true, (uint64_t[]){ 3, 0 });
	add(&catalogue, 5, false, (uint64_t[]){ 3, 0 });
	add_other(&catalogue, 6, CATALOGUE_DAMAGED);
	add_other(&catalogue, 7, CATALOGUE_TEMPORARY);
	catalogue_plan_prune(&catalogue, 1, 0, &plan);
	/* 5 and its layer 3 stay; the rest goes, newest first. */
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.items[0].number, 4);
	assert_int_equal(plan.items[1].number, 2);
	assert_int_equal(plan.items[2].number, 1);
	catalogue_plan_prune(&catalogue, 0, 0, &plan); /* never the newest */
	assert_int_equal(plan.count, 3);
	catalogue_plan_prune(&catalogue, 2, 0, &plan);
	assert_int_equal(plan.count, 2);
	/* A VMM that was loaded from 2 still has 1 and 2 mapped, and its next layer lies over them. */
	catalogue_plan_prune(&catalogue, 1, 2, &plan);
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.items[0].number, 4);
	/* What an interrupted suspend left goes once a later one was committed, not before. */
	add_other(&catalogue, 4, CATALOGUE_TEMPORARY);
	catalogue_plan_prune(&catalogue, 1, 2, &plan);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.items[0].kind, CATALOGUE_TEMPORARY);
	assert_int_equal(plan.items[0].number, 4);
	/* A base that is not there: better nothing. */
	catalogue_plan_prune(&catalogue, 1, 99, &plan);
	assert_int_equal(plan.count, 0);
	catalogue_plan_sweep(&catalogue, &plan);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.items[0].number, 7);
	assert_int_equal(plan.items[1].number, 4);
	/* An unreadable newest one: nobody knows what it needs. */
	assert_int_equal(catalogue_add(&catalogue, &(struct catalogue_generation){ .number = 9,
						       .kind = CATALOGUE_COMMITTED }),
	    0);
	catalogue_plan_prune(&catalogue, 1, 0, &plan);
	assert_int_equal(plan.count, 0);
}

/* Whatever the catalogue looks like: after any prefix of the plan what is kept has all that it had before. */
static void test_prune_random(void **state)
{
	(void)state;
	srandom(4711);
	for (int round = 0; round < 3000; round++) {
		struct catalogue before, after;
		struct catalogue_plan plan;
		size_t keep = 1 + (size_t)(random() % 4);

		catalogue_init(&before);
		for (uint64_t number = 1; number < 20; number++) {
			struct catalogue_generation generation = { .number = number,
				.kind = CATALOGUE_COMMITTED,
				.readable = random() % 20 != 0 };

			if (random() % 3 == 0) {
				continue;
			}
			for (uint64_t layer = 1; layer < number; layer++) {
				if (random() % 5 == 0) {
					generation.layers[generation.layer_count++] = layer;
				}
			}
			generation.layers[generation.layer_count++] = number;
			assert_int_equal(catalogue_add(&before, &generation), 0);
		}
		catalogue_plan_prune(&before, keep, 0, &plan);
		after = before;
		for (size_t i = 0; i < plan.count; i++) {
			const struct catalogue_generation *gone = catalogue_find(
			    &after, plan.items[i].number);
			size_t at = (size_t)(gone - after.generations), kept = 0;

			assert_non_null(gone);
			assert_true(gone->readable);
			after.count--;
			memmove(&after.generations[at], &after.generations[at + 1],
			    (after.count - at) * sizeof(after.generations[0]));
			assert_ptr_equal(catalogue_find(&after, catalogue_newest(&before)->number),
			    catalogue_newest(&after));
			for (size_t j = after.count; j-- > 0 && kept < keep; kept++) {
				const struct catalogue_generation *generation =
				    &after.generations[j];

				for (size_t layer = 0; layer < generation->layer_count; layer++) {
					uint64_t number = generation->layers[layer];

					assert_int_equal(!!catalogue_find(&before, number),
					    !!catalogue_find(&after, number));
				}
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_restorable),
		cmocka_unit_test(test_layers),
		cmocka_unit_test(test_prune),
		cmocka_unit_test(test_prune_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
