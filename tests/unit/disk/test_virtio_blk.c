/* virtio-blk by a driver that keeps the rules, and requests that are refused. */
#include "blk_world.h"

#include <string.h>

static void test_configuration(void **state)
{
	struct test *test = *state;

	assert_int_equal(fake_config_read(test->machine, SLOT_DISK, 0, 4), 0x10421af4);
	assert_int_equal(fake_load(test->machine, test->driver.config, 4), SECTORS);
	assert_int_equal(fake_load(test->machine, test->driver.config + 4, 4), 0);
	assert_int_equal(fake_load(test->machine, test->driver.config + 12, 4), 254);
	assert_int_equal(fake_load(test->machine, test->driver.config + 20, 4), 512);
	assert_int_equal(fake_load(test->machine, test->driver.config + 36, 4), SECTORS);
	assert_int_equal(fake_load(test->machine, test->driver.config + 40, 4), 16);
	assert_int_equal(fake_load(test->machine, test->driver.config + 56, 1), 1);
	assert_int_equal(fake_load(test->machine, test->driver.config + 60, 4), 0);
	fake_store(test->machine, test->driver.config, 4, 1);
	assert_int_equal(fake_load(test->machine, test->driver.config, 4), SECTORS);
}

static void test_write_and_read(void **state)
{
	struct test *test = *state;
	uint8_t bytes[4 * DISK_SECTOR], back[4 * DISK_SECTOR];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 7);
	}
	fake_driver_start(&test->driver, BASIC, 1, true);
	assert_int_equal(guestmem_write(&test->machine->memory, DATA, bytes, sizeof(bytes)), 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_OUT, 60, sizeof(bytes)), VIRTIO_BLK_S_OK);
	assert_memory_equal(test->file.now + 60 * DISK_SECTOR, bytes, sizeof(bytes));
	assert_int_equal(test->machine->message_count, 1);
	assert_memory_not_equal(test->file.durable + 60 * DISK_SECTOR, bytes, sizeof(bytes));
	assert_int_equal(request(test, VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	assert_memory_equal(test->file.durable + 60 * DISK_SECTOR, bytes, sizeof(bytes));
	assert_int_equal(guestmem_fill(&test->machine->memory, DATA, 0, sizeof(bytes)), 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_IN, 60, sizeof(bytes)), VIRTIO_BLK_S_OK);
	assert_int_equal(guestmem_read(&test->machine->memory, DATA, back, sizeof(back)), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
}

/* A driver that took no FLUSH is told of nothing that is not safe. */
static void test_without_flush(void **state)
{
	struct test *test = *state;

	fake_driver_start(&test->driver, VERSION_1, 1, false);
	assert_int_equal(guestmem_fill(&test->machine->memory, DATA, 9, DISK_SECTOR), 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_OUT, 1, DISK_SECTOR), VIRTIO_BLK_S_OK);
	assert_int_equal(test->file.durable[DISK_SECTOR], 9);
	assert_true(test->machine->edges[5] + test->machine->edges[9] + test->machine->edges[10] +
			test->machine->edges[11] >
		    0);
}

static void put_range(
    struct test *test, unsigned index, uint64_t sector, uint32_t count, uint32_t flags)
{
	uint8_t bytes[16];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u64(&wire, sector);
	wire_put_u32(&wire, count);
	wire_put_u32(&wire, flags);
	assert_int_equal(guestmem_write(&test->machine->memory, DATA + 16 * index, bytes, 16), 0);
}

static void test_discard_and_zeroes(void **state)
{
	struct test *test = *state;

	fake_driver_start(&test->driver, BASIC, 1, true);
	memset(test->file.now, 0xaa, SIZE);
	put_range(test, 0, 2, 3, 0);
	put_range(test, 1, 10, 1, 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 32), VIRTIO_BLK_S_OK);
	for (unsigned i = 0; i < SECTORS; i++) {
		bool zero = (i >= 2 && i < 5) || i == 10;

		assert_int_equal(test->file.now[i * DISK_SECTOR], zero ? 0 : 0xaa);
	}
	put_range(test, 0, 0, SECTORS, 1);
	assert_int_equal(request(test, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_OK);
	assert_int_equal(test->file.now[SIZE - 1], 0);
	/* Flags that are not known, unmap on a discard; ranges outside; sizes that are no ranges. */
	put_range(test, 0, 0, 1, 1);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_UNSUPP);
	put_range(test, 0, 0, 1, 2);
	assert_int_equal(request(test, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), VIRTIO_BLK_S_UNSUPP);
	put_range(test, 0, SECTORS, 1, 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	put_range(test, 0, UINT64_MAX, UINT32_MAX, 0);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 15), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 17 * 16), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(test, VIRTIO_BLK_T_DISCARD, 0, 0), VIRTIO_BLK_S_IOERR);
}

static void test_serial(void **state)
{
	struct test *test = *state;
	char serial[20];

	fake_driver_start(&test->driver, BASIC, 1, true);
	assert_int_equal(request(test, VIRTIO_BLK_T_GET_ID, 0, 20), VIRTIO_BLK_S_OK);
	assert_int_equal(guestmem_read(&test->machine->memory, DATA, serial, sizeof(serial)), 0);
	assert_memory_equal(serial, "serial-0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	assert_int_equal(request(test, VIRTIO_BLK_T_GET_ID, 0, 19), VIRTIO_BLK_S_IOERR);
}

static void test_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		uint8_t status;
	} bad[] = {
		{ VIRTIO_BLK_T_IN, SECTORS, DISK_SECTOR, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, SECTORS - 1, 2 * DISK_SECTOR, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, SECTORS - 1, 2 * DISK_SECTOR, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, UINT64_MAX, DISK_SECTOR, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, UINT64_MAX / DISK_SECTOR, DISK_SECTOR, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_OUT, 0, 100, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_IN, 0, 513, VIRTIO_BLK_S_IOERR },
		{ VIRTIO_BLK_T_SCSI_CMD, 0, 512, VIRTIO_BLK_S_UNSUPP },
		{ 0xffffffff, 0, 512, VIRTIO_BLK_S_UNSUPP },
	};
	struct test *test = *state;
	unsigned calls = test->file.calls;

	fake_driver_start(&test->driver, BASIC, 1, true);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    request(test, bad[i].type, bad[i].sector, bad[i].size), bad[i].status);
	}
	assert_int_equal(test->file.calls, calls);
}

static void test_read_only(void **state)
{
	struct test *test = *state;

	destroy(test);
	create(test, true);
	assert_int_equal(
	    fake_driver_start(&test->driver, BASIC, 1, true) & VIRTIO_CONFIG_S_FEATURES_OK, 0);
	fake_driver_start(&test->driver, VERSION_1 | 1ull << VIRTIO_BLK_F_RO, 1, true);
	assert_int_equal(request(test, VIRTIO_BLK_T_IN, 0, DISK_SECTOR), VIRTIO_BLK_S_OK);
	assert_int_equal(request(test, VIRTIO_BLK_T_OUT, 0, DISK_SECTOR), VIRTIO_BLK_S_IOERR);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_configuration),
		TEST(test_write_and_read),
		TEST(test_without_flush),
		TEST(test_discard_and_zeroes),
		TEST(test_serial),
		TEST(test_refused),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
