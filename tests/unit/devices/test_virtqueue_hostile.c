/* The queue against drivers that break every rule they can. Sections of virtio 1.2 in the comments. */
#include <errno.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "queue_fixture.h"

static void test_available_index_too_far(void **state)
{
	struct test *test = *state;

	assert_int_equal(guestmem_store_u16(&test->memory, DRIVER + 2, SIZE + 1), 0);
	assert_broken(test);
}

static void test_available_index_backwards(void **state)
{
	struct test *test = *state;

	assert_int_equal(guestmem_store_u16(&test->memory, DRIVER + 2, 0xffff), 0);
	assert_broken(test);
}

static void test_head_out_of_range(void **state)
{
	struct test *test = *state;

	give(test, SIZE);
	assert_broken(test);
}

static void test_next_out_of_range(void **state)
{
	struct test *test = *state;

	put(test, TABLE, 0, BUFFERS, 4, NEXT, 0xffff);
	give(test, 0);
	assert_broken(test);
}

static void test_loop(void **state)
{
	struct test *test = *state;

	put(test, TABLE, 0, BUFFERS, 4, NEXT, 1);
	put(test, TABLE, 1, BUFFERS, 4, NEXT, 0);
	give(test, 0);
	assert_broken(test);
}

static void test_self_loop(void **state)
{
	struct test *test = *state;

	put(test, TABLE, 0, BUFFERS, 4, NEXT | WRITE, 0);
	give(test, 0);
	assert_broken(test);
}

static void test_readable_after_writable(void **state)
{
	struct test *test = *state;

	put(test, TABLE, 0, BUFFERS, 4, WRITE | NEXT, 1);
	put(test, TABLE, 1, BUFFERS, 4, 0, 0);
	give(test, 0);
	assert_broken(test);
}

static void test_addresses(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		bool good;
	} buffers[] = {
		{ 0, 1, true },
		{ MEMORY - 1, 1, true },
		{ 0, MEMORY, true },
		{ MEMORY, 1, false },
		{ MEMORY - 1, 2, false },
		{ 0, MEMORY + 1, false },
		{ BUFFERS, 0, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX, 2, false },
		{ UINT64_MAX - 15, 16, false },
		{ UINT64_MAX - 15, 0x20, false },
		{ 0xfffffffffffff000, 0x2000, false },
		{ BUFFERS, 0xffffffff, false },
		{ 0xc0000000, 16,
		    false }, /* the display's memory, a device's registers, the local APIC, above */
		{ 0xc2000000, 4, false },
		{ 0xfee00000, 4, false },
		{ 0x100000000, 4, false },
	};

	for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++) {
		for (unsigned flags = 0; flags <= WRITE; flags += WRITE) {
			struct test *test;

			queue_teardown(state);
			queue_setup(state);
			test = *state;
			put(test, TABLE, 0, buffers[i].address, buffers[i].length, flags, 0);
			give(test, 0);
			if (buffers[i].good) {
				assert_int_equal(pop(test), 1);
			} else {
				assert_broken(test);
			}
		}
	}
}

static void test_length_sum(void **state)
{
	struct test *test = *state;

	queue_teardown(state);
	memset(test, 0, sizeof(*test));
	assert_int_equal(guestmem_create(&test->memory, 64 << 20), 0);
	virtqueue_init(&test->queue, &test->memory, SIZE);
	test->queue.descriptors = TABLE;
	test->queue.driver_area = DRIVER;
	test->queue.device_area = DEVICE;
	test->queue.indirect = true;
	assert_int_equal(virtqueue_enable(&test->queue), 0);
	for (unsigned i = 0; i < 70; i++) {
		put(test, INDIRECT, i, 0, 64 << 20, i < 69 ? NEXT | WRITE : WRITE, i + 1);
	}
	put(test, TABLE, 0, INDIRECT, 63 * 16, IN_TABLE, 0);
	put(test, INDIRECT, 62, 0, 64 << 20, WRITE, 0);
	give(test, 0);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.in_length, 63u << 26);
	virtqueue_push(&test->queue, &test->chain, 0);
	put(test, INDIRECT, 62, 0, 64 << 20, NEXT | WRITE, 63);
	put(test, TABLE, 0, INDIRECT, 70 * 16, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);
}

static void try_indirect(void **state, uint64_t address, uint32_t length, unsigned flags)
{
	struct test *test;

	queue_teardown(state);
	queue_setup(state);
	test = *state;
	put(test, INDIRECT, 0, BUFFERS, 10, 0, 0);
	put(test, TABLE, 0, address, length, flags, 0);
	give(test, 0);
	assert_broken(test);
}

static void test_bad_indirect(void **state)
{
	struct test *test;

	try_indirect(state, INDIRECT, 0, IN_TABLE);
	try_indirect(state, INDIRECT, 15, IN_TABLE);
	try_indirect(state, INDIRECT, 17, IN_TABLE);
	try_indirect(state, INDIRECT, 16, IN_TABLE | NEXT);
	try_indirect(state, MEMORY - 8, 16, IN_TABLE);
	try_indirect(state, UINT64_MAX - 15, 16, IN_TABLE);
	try_indirect(state, INDIRECT, 0xfffffff0, IN_TABLE);
	try_indirect(state, 0xc0000000, 16, IN_TABLE);

	/* A table in a table. */
	queue_teardown(state);
	queue_setup(state);
	test = *state;
	put(test, INDIRECT, 0, INDIRECT + 0x100, 16, IN_TABLE, 0);
	put(test, INDIRECT + 0x100, 0, BUFFERS, 16, 0, 0);
	put(test, TABLE, 0, INDIRECT, 16, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);

	/* A loop in it, and a way out of it. */
	queue_teardown(state);
	queue_setup(state);
	test = *state;
	put(test, INDIRECT, 0, BUFFERS, 16, NEXT, 1);
	put(test, INDIRECT, 1, BUFFERS, 16, NEXT, 0);
	put(test, TABLE, 0, INDIRECT, 32, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);
	queue_teardown(state);
	queue_setup(state);
	test = *state;
	put(test, INDIRECT, 0, BUFFERS, 16, NEXT, 2);
	put(test, INDIRECT, 2, BUFFERS, 16, 0, 0);
	put(test, TABLE, 0, INDIRECT, 32, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);

	/* Not negotiated. */
	queue_teardown(state);
	queue_setup(state);
	test = *state;
	test->queue.indirect = false;
	put(test, INDIRECT, 0, BUFFERS, 16, 0, 0);
	put(test, TABLE, 0, INDIRECT, 16, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);
}

static void test_too_many_segments(void **state)
{
	struct test *test = *state;

	for (unsigned i = 0; i <= VIRTQUEUE_SEGMENTS_MAX; i++) {
		put(test, INDIRECT, i, BUFFERS, 1, i < VIRTQUEUE_SEGMENTS_MAX ? NEXT : 0, i + 1);
	}
	put(test, TABLE, 0, INDIRECT, (VIRTQUEUE_SEGMENTS_MAX + 1) * 16, IN_TABLE, 0);
	give(test, 0);
	assert_broken(test);
	queue_teardown(state);
	queue_setup(state);
	for (unsigned i = 0; i < VIRTQUEUE_SEGMENTS_MAX; i++) {
		put(test, INDIRECT, i, BUFFERS, 1, i + 1 < VIRTQUEUE_SEGMENTS_MAX ? NEXT : 0,
		    i + 1);
	}
	put(test, TABLE, 0, INDIRECT, VIRTQUEUE_SEGMENTS_MAX * 16, IN_TABLE, 0);
	give(test, 0);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.out_count, VIRTQUEUE_SEGMENTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_available_index_too_far, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(
		    test_available_index_backwards, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(
		    test_head_out_of_range, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(
		    test_next_out_of_range, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_loop, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_self_loop, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(
		    test_readable_after_writable, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_addresses, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_length_sum, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_bad_indirect, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(
		    test_too_many_segments, queue_setup, queue_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
