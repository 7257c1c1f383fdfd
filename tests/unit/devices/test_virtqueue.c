/* Queues as a driver uses them that keeps the rules. Sections of virtio 1.2 in the comments. */
#include <errno.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "queue_fixture.h"

static void test_plain_chain(void **state)
{
	struct test *test = *state;
	char text[8] = "";

	assert_int_equal(pop(test), 0);
	assert_int_equal(guestmem_write(&test->memory, BUFFERS, "abc", 3), 0);
	assert_int_equal(guestmem_write(&test->memory, BUFFERS + 100, "defg", 4), 0);
	put(test, TABLE, 3, BUFFERS, 3, NEXT, 5);
	put(test, TABLE, 5, BUFFERS + 100, 4, NEXT, 0);
	put(test, TABLE, 0, BUFFERS + 200, 2, WRITE | NEXT, 7);
	put(test, TABLE, 7, BUFFERS + 300, 4, WRITE, 0);
	give(test, 3);
	assert_int_equal(virtqueue_available(&test->queue), 1);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.id, 3);
	assert_int_equal(test->chain.out_count, 2);
	assert_int_equal(test->chain.in_count, 2);
	assert_int_equal(test->chain.out_length, 7);
	assert_int_equal(test->chain.in_length, 6);
	assert_int_equal(virtqueue_read(&test->queue, &test->chain, 0, text, 8), 7);
	assert_memory_equal(text, "abcdefg", 7);
	assert_int_equal(virtqueue_read(&test->queue, &test->chain, 2, text, 3), 3);
	assert_memory_equal(text, "cde", 3);
	assert_int_equal(virtqueue_read(&test->queue, &test->chain, 7, text, 1), 0);
	assert_int_equal(virtqueue_write(&test->queue, &test->chain, 0, "UVWXYZ!", 7), 6);
	assert_int_equal(virtqueue_write(&test->queue, &test->chain, 3, "-", 1), 1);
	assert_int_equal(guestmem_read(&test->memory, BUFFERS + 200, text, 2), 0);
	assert_memory_equal(text, "UV", 2);
	assert_int_equal(guestmem_read(&test->memory, BUFFERS + 300, text, 4), 0);
	assert_memory_equal(text, "W-YZ", 4);
	virtqueue_push(&test->queue, &test->chain, 6);
	assert_int_equal(load_u16(test, DEVICE + 2), 1);
	assert_int_equal(load_u16(test, DEVICE + 4), 3);
	assert_int_equal(load_u16(test, DEVICE + 8), 6);
	assert_true(virtqueue_wants_interrupt(&test->queue));
	assert_int_equal(guestmem_store_u16(&test->memory, DRIVER, VRING_AVAIL_F_NO_INTERRUPT), 0);
	assert_false(virtqueue_wants_interrupt(&test->queue));
	assert_int_equal(pop(test), 0);
}

static void test_indices_wrap(void **state)
{
	struct test *test = *state;

	put(test, TABLE, 2, BUFFERS, 4, WRITE, 0);
	for (unsigned i = 0; i < 70000; i++) {
		give(test, 2);
		assert_int_equal(pop(test), 1);
		virtqueue_push(&test->queue, &test->chain, 4);
	}
	assert_int_equal(load_u16(test, DEVICE + 2), 70000 & 0xffff);
	assert_int_equal(pop(test), 0);
}

/* 2.7.13.3: no more may be available than there are descriptors. */
/* As long as the queue is the longest that is no loop. */
static void test_longest_chain(void **state)
{
	struct test *test = *state;

	for (unsigned i = 0; i < SIZE; i++) {
		put(test, TABLE, i, BUFFERS + 16 * i, 16, i + 1 < SIZE ? NEXT : 0, i + 1);
	}
	give(test, 0);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.out_count, SIZE);
	assert_int_equal(test->chain.out_length, 16 * SIZE);
}

/* 2.7.4.2: what the device reads comes first. */
/* 2.7.5: at most 2^32 bytes; here each segment is valid, their sum is what would wrap. */
static void test_indirect(void **state)
{
	struct test *test = *state;

	put(test, INDIRECT, 0, BUFFERS, 10, NEXT, 2);
	put(test, INDIRECT, 2, BUFFERS + 16, 20, WRITE, 0);
	/* The table's own descriptor may say WRITE, which means nothing; a plain one may come before it. */
	put(test, TABLE, 4, INDIRECT, 3 * 16, IN_TABLE | WRITE, 0);
	put(test, TABLE, 3, BUFFERS + 64, 5, NEXT, 4);
	give(test, 4);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.id, 4);
	assert_int_equal(test->chain.out_length, 10);
	assert_int_equal(test->chain.in_length, 20);
	give(test, 3);
	assert_int_equal(pop(test), 1);
	assert_int_equal(test->chain.id, 3);
	assert_int_equal(test->chain.out_length, 15);
}

/* 2.7.5.3. */
static void test_areas(void **state)
{
	static const struct {
		uint16_t size;
		uint64_t table, driver, device;
		bool good;
	} areas[] = {
		{ 8, TABLE, DRIVER, DEVICE, true },
		{ 1, TABLE, DRIVER, DEVICE, true },
		{ 8, 0, 0, 0, true },
		{ 8, MEMORY - 128, DRIVER, DEVICE, true },
		{ 8, TABLE, MEMORY - 22, DEVICE, true },
		{ 0, TABLE, DRIVER, DEVICE, false },
		{ 3, TABLE, DRIVER, DEVICE, false },
		{ 16, TABLE, DRIVER, DEVICE, false },
		{ 8, TABLE + 8, DRIVER, DEVICE, false },
		{ 8, TABLE, DRIVER + 1, DEVICE, false },
		{ 8, TABLE, DRIVER, DEVICE + 2, false },
		{ 8, MEMORY - 112, DRIVER, DEVICE, false },
		{ 8, TABLE, MEMORY - 20, DEVICE, false },
		{ 8, TABLE, DRIVER, MEMORY - 68, false },
		{ 8, UINT64_MAX & ~15ull, DRIVER, DEVICE, false },
		{ 8, TABLE, UINT64_MAX & ~1ull, DEVICE, false },
		{ 8, TABLE, DRIVER, UINT64_MAX & ~3ull, false },
		{ 8, 0xc0000000, DRIVER, DEVICE, false },
		{ 8, TABLE, DRIVER, 0xfec00000, false },
	};
	struct test *test = *state;

	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
		virtqueue_reset(&test->queue);
		test->queue.size = areas[i].size;
		test->queue.descriptors = areas[i].table;
		test->queue.driver_area = areas[i].driver;
		test->queue.device_area = areas[i].device;
		assert_int_equal(virtqueue_enable(&test->queue) == 0, areas[i].good);
		assert_int_equal(test->queue.broken, !areas[i].good);
		assert_int_equal(test->queue.enabled, areas[i].good);
	}
}

/* 2.7.10: interrupts only past the index that the driver names; and we name ours. */
static void test_event_index(void **state)
{
	struct test *test = *state;
	uint64_t used_event = DRIVER + 4 + 2 * SIZE, available_event = DEVICE + 4 + 8 * SIZE;

	test->queue.event_index = true;
	put(test, TABLE, 0, BUFFERS, 4, WRITE, 0);
	assert_int_equal(guestmem_store_u16(&test->memory, used_event, 2), 0);
	for (unsigned i = 0; i < 6; i++) {
		give(test, 0);
		assert_int_equal(pop(test), 1);
		virtqueue_push(&test->queue, &test->chain, 4);
		/* The first time always, since nobody knows what was told before; then when 2 is passed. */
		assert_int_equal(virtqueue_wants_interrupt(&test->queue), i == 0 || i == 2);
		assert_int_equal(pop(test), 0);
		assert_int_equal(load_u16(test, available_event), i + 1);
	}
	/* A group of three: tell me when the third is there. */
	assert_int_equal(virtqueue_request_notification(&test->queue, 3), 0);
	assert_int_equal(load_u16(test, available_event), 6 + 2);
	give(test, 0);
	give(test, 0);
	give(test, 0);
	assert_int_equal(virtqueue_request_notification(&test->queue, 3), 1);
}

static void test_disabled_queue(void **state)
{
	struct test *test = *state;

	virtqueue_reset(&test->queue);
	give(test, 0);
	assert_int_equal(pop(test), 0);
	assert_int_equal(virtqueue_available(&test->queue), 0);
	assert_int_equal(virtqueue_request_notification(&test->queue, 1), 0);
	assert_false(virtqueue_wants_interrupt(&test->queue));
}

static void test_save_and_load(void **state)
{
	struct test *test = *state;
	uint8_t bytes[256], again[256];
	struct virtqueue loaded;
	struct wire out, in;
	size_t size;

	put(test, TABLE, 0, BUFFERS, 4, WRITE, 0);
	give(test, 0);
	assert_int_equal(pop(test), 1);
	virtqueue_push(&test->queue, &test->chain, 1);
	wire_init_write(&out, bytes, sizeof(bytes));
	virtqueue_save(&test->queue, &out);
	size = out.position;
	virtqueue_init(&loaded, &test->memory, SIZE);
	wire_init_read(&in, bytes, size);
	assert_int_equal(virtqueue_load(&loaded, &in), 0);
	assert_true(wire_done(&in));
	wire_init_write(&out, again, sizeof(again));
	virtqueue_save(&loaded, &out);
	assert_int_equal(out.position, size);
	assert_memory_equal(bytes, again, size);
	/* Areas that would not be RAM in this machine. */
	bytes[2 + 6] = 0xff;
	wire_init_read(&in, bytes, size);
	assert_int_equal(virtqueue_load(&loaded, &in), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain_chain, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_indices_wrap, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_longest_chain, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_indirect, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_areas, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_event_index, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_disabled_queue, queue_setup, queue_teardown),
		cmocka_unit_test_setup_teardown(test_save_and_load, queue_setup, queue_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
