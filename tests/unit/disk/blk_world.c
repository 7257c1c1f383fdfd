/* See blk_world.h. What must stay true: the machine's lock is taken once, and given back. */
#include "blk_world.h"

#include <linux/virtio_ring.h>
#include <pthread.h>
#include <string.h>

/* Of the test that runs: workers wait in a write while it is closed. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed;
	unsigned waiting;
	const struct disk_io_ops *below;
	struct disk_io_ops ops;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int gate_write(struct disk_io *io, uint64_t offset, const struct iovec *parts, int count)
{
	int error;

	pthread_mutex_lock(&gate.lock);
	gate.waiting++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.closed) {
		pthread_cond_wait(&gate.changed, &gate.lock);
	}
	gate.waiting--;
	/* The file in memory knows one user at a time. */
	error = gate.below->write(io, offset, parts, count);
	pthread_mutex_unlock(&gate.lock);
	return error;
}

void gate_set(bool closed)
{
	pthread_mutex_lock(&gate.lock);
	gate.closed = closed;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

void gate_await(unsigned waiting)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.waiting < waiting) {
		pthread_cond_wait(&gate.changed, &gate.lock);
	}
	pthread_mutex_unlock(&gate.lock);
}

static struct test *current;

static void lock(struct device_environment *environment)
{
	(void)environment;
	assert_int_equal(current->locked++, 0);
}

static void unlock(struct device_environment *environment)
{
	(void)environment;
	assert_int_equal(current->locked--, 1);
}

void create(struct test *test, bool read_only)
{
	struct disk_io *io = memory_file_io(&test->file);
	struct disk *disk;

	gate.below = io->ops;
	gate.ops = *io->ops;
	gate.ops.write = gate_write;
	io->ops = &gate.ops;
	test->machine = fake_machine_create();
	test->machine->environment.event = test->event;
	test->machine->environment.lock = lock;
	test->machine->environment.unlock = unlock;
	assert_int_equal(disk_raw_create_take(io, read_only, &disk), 0);
	assert_int_equal(virtio_blk_create_take(&test->machine->environment, test->machine->pci,
			     SLOT_DISK, 0, disk, "serial-0", &test->blk),
	    0);
	pci_host_assign(test->machine->pci);
	assert_true(fake_driver_probe(test->machine, SLOT_DISK, SPACE, &test->driver));
}

void destroy(struct test *test)
{
	struct device *device = virtio_blk_device(test->blk);

	device->ops->destroy(device);
	fake_machine_destroy(test->machine);
}

int blk_setup(void **state)
{
	static struct test test;

	test = (struct test){ 0 };
	current = &test;
	*state = &test;
	gate_set(false);
	memory_file_init(&test.file, SIZE);
	test.file.size = SIZE;
	assert_true(sd_event_new(&test.event) >= 0);
	create(&test, false);
	return 0;
}

int blk_teardown(void **state)
{
	struct test *test = *state;

	destroy(test);
	memory_file_fini(&test->file);
	sd_event_unref(test->event);
	return 0;
}

void put_header(struct test *test, uint64_t address, uint32_t type, uint64_t sector)
{
	uint8_t bytes[16];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u32(&wire, type);
	wire_put_u32(&wire, 0);
	wire_put_u64(&wire, sector);
	assert_int_equal(guestmem_write(&test->machine->memory, address, bytes, 16), 0);
}

void give(struct test *test, uint16_t head, uint32_t type, uint64_t sector, uint32_t size)
{
	uint64_t table = test->driver.queues[0].descriptors;
	uint16_t write = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID ? VRING_DESC_F_WRITE
										: 0;
	uint16_t next = (uint16_t)(head + 1);

	put_header(test, HEADER + 16ull * head, type, sector);
	assert_int_equal(guestmem_fill(&test->machine->memory, STATUS + head, PLAIN, 1), 0);
	fake_descriptor(
	    test->machine, table, head, HEADER + 16ull * head, 16, VRING_DESC_F_NEXT, next);
	if (size > 0) {
		fake_descriptor(test->machine, table, next, DATA, size,
		    (uint16_t)(write | VRING_DESC_F_NEXT), (uint16_t)(next + 1));
		next++;
	}
	fake_descriptor(test->machine, table, next, STATUS + head, 1, VRING_DESC_F_WRITE, 0);
	fake_give(&test->driver, 0, head);
}

uint8_t status_of(const struct test *test, uint16_t head)
{
	uint8_t status;

	assert_int_equal(guestmem_read(&test->machine->memory, STATUS + head, &status, 1), 0);
	return status;
}

uint32_t collect(struct test *test, uint16_t head)
{
	uint32_t id, length;

	fake_advance(test->machine, 1);
	while (!fake_collect(&test->driver, 0, &id, &length)) {
		assert_true(sd_event_run(test->event, WAIT_US) > 0);
	}
	assert_int_equal(id, head);
	return length;
}

uint8_t request(struct test *test, uint32_t type, uint64_t sector, uint32_t size)
{
	give(test, 0, type, sector, size);
	fake_notify(&test->driver, 0);
	assert_int_equal(collect(test, 0),
	    1 + (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID ? size : 0));
	return status_of(test, 0);
}
