/* The fixture of the virtqueue tests. */
#include "queue_fixture.h"
#include "cmocka_prelude.h"

#include <errno.h>
#include <string.h>

int queue_setup(void **state)
{
	static struct test test;

	memset(&test, 0, sizeof(test));
	assert_int_equal(guestmem_create(&test.memory, MEMORY), 0);
	virtqueue_init(&test.queue, &test.memory, SIZE);
	test.queue.descriptors = TABLE;
	test.queue.driver_area = DRIVER;
	test.queue.device_area = DEVICE;
	test.queue.indirect = true;
	assert_int_equal(virtqueue_enable(&test.queue), 0);
	*state = &test;
	return 0;
}

int queue_teardown(void **state)
{
	guestmem_fini(&((struct test *)*state)->memory);
	return 0;
}

void put(struct test *test, uint64_t table, unsigned index, uint64_t address, uint32_t length,
    unsigned flags, unsigned next)
{
	uint8_t bytes[16];
	struct wire out;

	wire_init_write(&out, bytes, sizeof(bytes));
	wire_put_u64(&out, address);
	wire_put_u32(&out, length);
	wire_put_u16(&out, (uint16_t)flags);
	wire_put_u16(&out, (uint16_t)next);
	assert_int_equal(
	    guestmem_write(&test->memory, table + 16ull * index, bytes, sizeof(bytes)), 0);
}

void give(struct test *test, uint16_t head)
{
	assert_int_equal(
	    guestmem_store_u16(&test->memory, DRIVER + 4 + 2u * (test->available % SIZE), head), 0);
	test->available++;
	assert_int_equal(guestmem_store_u16(&test->memory, DRIVER + 2, test->available), 0);
}

uint16_t load_u16(struct test *test, uint64_t address)
{
	uint16_t value = 0;

	assert_int_equal(guestmem_load_u16(&test->memory, address, &value), 0);
	return value;
}

int pop(struct test *test)
{
	return virtqueue_pop(&test->queue, &test->chain);
}

void assert_broken(struct test *test)
{
	assert_int_equal(pop(test), -EPROTO);
	assert_true(test->queue.broken);
	put(test, TABLE, 0, BUFFERS, 16, WRITE, 0);
	give(test, 0);
	assert_int_equal(pop(test), -EPROTO);
	assert_int_equal(virtqueue_available(&test->queue), -EPROTO);
	assert_false(virtqueue_wants_interrupt(&test->queue));
}
