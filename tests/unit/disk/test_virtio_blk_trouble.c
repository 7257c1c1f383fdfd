/* virtio-blk in trouble: drivers that break the queue, hosts that fail, resets and snapshots with requests under way. */
#include "blk_world.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The host is full, or its disk broken: the guest is told so and goes on. */
static void test_errors_of_the_host(void **state)
{
	struct test *test = *state;

	fake_driver_start(&test->driver, BASIC, 1, true);
	test->file.fail_at = test->file.calls + 1;
	test->file.fail_with = -ENOSPC;
	assert_int_equal(request(test, VIRTIO_BLK_T_OUT, 0, DISK_SECTOR), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(test, VIRTIO_BLK_T_OUT, 0, DISK_SECTOR), VIRTIO_BLK_S_OK);
	test->file.fail_at = test->file.calls + 1;
	test->file.fail_with = -EIO;
	assert_int_equal(request(test, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(test, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR);
}

static bool is_broken(struct test *test)
{
	return fake_driver_status(&test->driver) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

static void test_chains_without_header_or_status(void **state)
{
	struct test *test = *state;
	uint64_t table;

	for (unsigned i = 0; i < 3; i++) {
		fake_driver_start(&test->driver, BASIC, 1, true);
		table = test->driver.queues[0].descriptors;
		put_header(test, HEADER, VIRTIO_BLK_T_FLUSH, 0);
		if (i == 0) { /* no status */
			fake_descriptor(test->machine, table, 0, HEADER, 16, 0, 0);
		} else if (i == 1) { /* no header */
			fake_descriptor(test->machine, table, 0, STATUS, 1, VRING_DESC_F_WRITE, 0);
		} else { /* half a header */
			fake_descriptor(test->machine, table, 0, HEADER, 15, VRING_DESC_F_NEXT, 1);
			fake_descriptor(test->machine, table, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
		}
		fake_give(&test->driver, 0, 0);
		fake_notify(&test->driver, 0);
		fake_advance(test->machine, 1);
		assert_true(is_broken(test));
	}
	/* A reset makes it good again. */
	fake_driver_start(&test->driver, BASIC, 1, true);
	assert_int_equal(request(test, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
}

static void *open_gate(void *argument)
{
	(void)argument;
	gate_await(1);
	gate_set(false);
	return NULL;
}

/* A reset waits for the worker that is at work; what it did is not told, and what had not begun is not done. */
static void test_reset_with_requests_under_way(void **state)
{
	struct test *test = *state;
	pthread_t thread;
	uint32_t id, length;

	fake_driver_start(&test->driver, BASIC, 1, true);
	gate_set(true);
	for (uint16_t i = 0; i < 4; i++) {
		give(test, (uint16_t)(3 * i), VIRTIO_BLK_T_OUT, i, DISK_SECTOR);
	}
	fake_notify(&test->driver, 0);
	fake_advance(test->machine, 1);
	gate_await(2);
	assert_int_equal(pthread_create(&thread, NULL, open_gate, NULL), 0);
	fake_driver_start(&test->driver, BASIC, 1, true);
	pthread_join(thread, NULL);
	assert_int_equal(request(test, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	assert_false(fake_collect(&test->driver, 0, &id, &length));
	for (uint16_t i = 1; i < 4; i++) {
		assert_int_equal(status_of(test, (uint16_t)(3 * i)), PLAIN);
	}
}

/* A snapshot finds nothing in flight: it waits, and the requests are in the guest's memory before that is saved. */
static void test_snapshot_with_requests_under_way(void **state)
{
	struct test *test = *state;
	struct device *device = virtio_blk_device(test->blk);
	uint8_t *bytes;
	uint8_t *memory = malloc(FAKE_MEMORY);
	size_t size;
	struct fake_driver driver;
	struct wire in;
	pthread_t thread;

	assert_non_null(memory);
	fake_driver_start(&test->driver, BASIC, 1, true);
	gate_set(true);
	give(test, 0, VIRTIO_BLK_T_OUT, 0, DISK_SECTOR);
	give(test, 3, VIRTIO_BLK_T_OUT, 1, DISK_SECTOR);
	fake_notify(&test->driver, 0);
	fake_advance(test->machine, 1);
	gate_await(2);
	assert_int_equal(pthread_create(&thread, NULL, open_gate, NULL), 0);
	device->ops->quiesce(device);
	pthread_join(thread, NULL);
	assert_int_equal(status_of(test, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(status_of(test, 3), VIRTIO_BLK_S_OK);
	/* One that waits and was not yet taken is carried out after the resume. */
	give(test, 6, VIRTIO_BLK_T_FLUSH, 0, 0);
	fake_save(device, &bytes, &size);
	memcpy(memory, test->machine->memory.host, FAKE_MEMORY);
	driver = test->driver;
	destroy(test);
	create(test, false);
	memcpy(test->machine->memory.host, memory, FAKE_MEMORY);
	driver.machine = test->machine;
	test->driver = driver;
	device = virtio_blk_device(test->blk);
	wire_init_read(&in, bytes, size);
	assert_int_equal(device->ops->load(device, 1, &in), 0);
	assert_true(wire_done(&in));
	test->driver.queues[0].next_used = 2;
	assert_int_equal(collect(test, 6), 1);
	assert_int_equal(status_of(test, 6), VIRTIO_BLK_S_OK);
	free(bytes);
	free(memory);
}

static void test_snapshot_of_another_size(void **state)
{
	struct test *test = *state;
	struct device *device = virtio_blk_device(test->blk);
	uint8_t *bytes;
	size_t size;
	struct wire in;

	fake_save(device, &bytes, &size);
	for (size_t length = 0; length < size; length++) {
		wire_init_read(&in, bytes, length);
		assert_int_not_equal(device->ops->load(device, 1, &in), 0);
	}
	bytes[0] ^= 1;
	wire_init_read(&in, bytes, size);
	assert_int_equal(device->ops->load(device, 1, &in), -EPROTO);
	free(bytes);
}

/* The same descriptors, again and again, faster than anything is done: no more than a queue's worth is kept. */
static void test_flood(void **state)
{
	struct test *test = *state;
	unsigned collected = 0;
	uint32_t id, length;

	fake_driver_start(&test->driver, BASIC, 1, true);
	gate_set(true);
	give(test, 0, VIRTIO_BLK_T_OUT, 0, DISK_SECTOR);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = round == 0; i < 256; i++) {
			fake_give(&test->driver, 0, 0);
		}
		fake_notify(&test->driver, 0);
		fake_advance(test->machine, 1);
	}
	assert_false(is_broken(test));
	/* The second half still stands in the queue: a third is more than a queue can hold. */
	gate_set(false);
	while (collected < 512) {
		if (fake_collect(&test->driver, 0, &id, &length)) {
			collected++;
		} else {
			(void)!sd_event_run(test->event, WAIT_US);
		}
	}
	assert_int_equal(status_of(test, 0), VIRTIO_BLK_S_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_errors_of_the_host),
		TEST(test_chains_without_header_or_status),
		TEST(test_reset_with_requests_under_way),
		TEST(test_snapshot_with_requests_under_way),
		TEST(test_snapshot_of_another_size),
		TEST(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
