/* The transport: probing, negotiation, reset, interrupts, access through configuration space; and the entropy device. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_driver.h"

enum {
	SPACE = 0x100000,
	BUFFERS = 0x200000,
	ALL_OK = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK,
};

#define VERSION_1 (1ull << VIRTIO_F_VERSION_1)
#define RINGS     (1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX)

struct test {
	struct fake_machine *machine;
	struct fake_driver rng;
};

static int setup(void **state)
{
	static struct test test;

	test.machine = fake_machine_create();
	*state = &test;
	return fake_driver_probe(test.machine, SLOT_RNG, SPACE, &test.rng) ? 0 : -1;
}

static int teardown(void **state)
{
	fake_machine_destroy(((struct test *)*state)->machine);
	return 0;
}

static uint64_t common(struct test *test, unsigned offset, unsigned size)
{
	return fake_load(test->machine, test->rng.common + offset, size);
}

static void set_common(struct test *test, unsigned offset, unsigned size, uint64_t value)
{
	fake_store(test->machine, test->rng.common + offset, size, value);
}

static void test_features(void **state)
{
	struct test *test = *state;

	set_common(test, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_DF, 4), (uint32_t)RINGS);
	set_common(test, VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_DF, 4), 1);
	set_common(test, VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_DF, 4), 0);
	set_common(test, VIRTIO_PCI_COMMON_GFSELECT, 4, 77);
	set_common(test, VIRTIO_PCI_COMMON_GF, 4, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_GF, 4), 0);
	/* A feature that is not offered, and a driver that is not of version 1, are not agreed with. */
	assert_int_equal(
	    fake_driver_start(&test->rng, VERSION_1 | 1, 1, false) & VIRTIO_CONFIG_S_FEATURES_OK,
	    0);
	assert_int_equal(
	    fake_driver_start(&test->rng, RINGS, 1, false) & VIRTIO_CONFIG_S_FEATURES_OK, 0);
	/* DRIVER_OK without FEATURES_OK does not start it. */
	fake_driver_set_status(&test->rng, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_int_equal(fake_driver_status(&test->rng) & VIRTIO_CONFIG_S_DRIVER_OK, 0);
	assert_int_equal(fake_driver_start(&test->rng, VERSION_1 | RINGS, 1, false), ALL_OK);
	/* Agreed is agreed. */
	set_common(test, VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	set_common(test, VIRTIO_PCI_COMMON_GF, 4, 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_GF, 4), (uint32_t)RINGS);
}

static void test_common_structure(void **state)
{
	struct test *test = *state;

	assert_int_equal(common(test, VIRTIO_PCI_COMMON_NUMQ, 2), 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	set_common(test, VIRTIO_PCI_COMMON_MSIX, 2, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_MSIX, 2), 1);
	set_common(test, VIRTIO_PCI_COMMON_MSIX, 2, 2); /* there are two */
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_MSIX, 2), VIRTIO_MSI_NO_VECTOR);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2), 8);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 9);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 0);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 32);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2), 8);
	set_common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 8, 0x1122334455667780);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 4), 0x55667780);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_DESCHI, 4), 0x11223344);
	set_common(test, VIRTIO_PCI_COMMON_Q_USEDHI, 4, 0xffffffff);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_USEDHI, 4), 0xffffffff);
	/* Not before FEATURES_OK. */
	set_common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	/* A queue that does not exist has size 0. */
	set_common(test, VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
	set_common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	set_common(test, VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
	/* Past its end there is nothing. */
	assert_int_equal(common(test, 56, 8), 0);
	set_common(test, 56, 8, UINT64_MAX);
	assert_int_equal(common(test, 52, 8), 0);
}

static void test_queue_is_fixed_while_enabled(void **state)
{
	struct test *test = *state;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, false), ALL_OK);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	set_common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x12340);
	set_common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2, 1);
	set_common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 4), SPACE);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_SIZE, 2), 16);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
	fake_driver_set_status(&test->rng, 0);
	assert_int_equal(fake_driver_status(&test->rng), 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 8), 0);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_GF, 4), 0);
}

static void request(struct test *test, uint16_t index, uint32_t length)
{
	fake_give_buffer(&test->rng, 0, index, BUFFERS + 0x10000ull * index, length, true);
}

static void test_entropy(void **state)
{
	struct test *test = *state;
	uint8_t bytes[64] = { 0 }, zeros[64] = { 0 };
	uint32_t id, length;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1 | RINGS, 1, true), ALL_OK);
	request(test, 3, 64);
	assert_false(fake_collect(&test->rng, 0, &id, &length));
	fake_notify(&test->rng, 0);
	assert_true(fake_collect(&test->rng, 0, &id, &length));
	assert_int_equal(id, 3);
	assert_int_equal(length, 64);
	assert_int_equal(guestmem_read(&test->machine->memory, BUFFERS + 0x30000, bytes, 64), 0);
	assert_memory_not_equal(bytes, zeros, 64);
	assert_int_equal(test->machine->message_count, 1);
	assert_int_equal(test->machine->messages[0].data, FAKE_VECTOR_DATA + 1);
	assert_int_equal(fake_load(test->machine, test->rng.isr, 1), 0);
}

/* A guest that asks without end gets a bounded number of bytes a second, and none of its requests is forgotten. */
static void test_entropy_rate(void **state)
{
	struct test *test = *state;
	uint64_t total = 0;
	uint32_t id, length;
	unsigned pending = 0;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, true), ALL_OK);
	for (unsigned round = 0; round < 1000; round++) {
		while (pending < 16) {
			request(test, (uint16_t)pending++, 65536);
		}
		fake_notify(&test->rng, 0);
		while (fake_collect(&test->rng, 0, &id, &length)) {
			assert_true(length > 0);
			total += length;
			pending--;
		}
		fake_advance(test->machine, 1000);
	}
	assert_in_range(total, 900 * 1024, 1200 * 1024);
	/* Without another notification the rest comes with time. */
	fake_advance(test->machine, 1000000);
	while (fake_collect(&test->rng, 0, &id, &length)) {
		pending--;
	}
	assert_int_equal(pending, 0);
}

/* Many small requests are no way around it. */
static void test_entropy_request_rate(void **state)
{
	struct test *test = *state;
	uint32_t id, length;
	unsigned served = 0;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, false), ALL_OK);
	for (unsigned i = 0; i < 5000; i++) {
		request(test, (uint16_t)(i % 16), 1);
		fake_notify(&test->rng, 0);
		if (!fake_collect(&test->rng, 0, &id, &length)) {
			break;
		}
		served++;
	}
	assert_int_equal(served, 1024);
}

static void test_intx(void **state)
{
	struct test *test = *state;
	unsigned line = fake_config_read(test->machine, SLOT_RNG, PCI_INTERRUPT_LINE, 1);

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, false), ALL_OK);
	request(test, 0, 16);
	fake_notify(&test->rng, 0);
	assert_true(test->machine->level[line]);
	assert_int_equal(test->machine->message_count, 0);
	assert_int_equal(fake_load(test->machine, test->rng.isr, 1), 1);
	assert_false(test->machine->level[line]);
	assert_int_equal(fake_load(test->machine, test->rng.isr, 1), 0);
}

/* Broken rules: DEVICE_NEEDS_RESET, a configuration interrupt, then silence until the reset. */
static void test_needs_reset(void **state)
{
	struct test *test = *state;
	uint32_t id, length;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, true), ALL_OK);
	fake_give(&test->rng, 0, 0xfff);
	fake_notify(&test->rng, 0);
	assert_int_equal(fake_driver_status(&test->rng), ALL_OK | VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(test->machine->message_count, 1);
	assert_int_equal(test->machine->messages[0].data, FAKE_VECTOR_DATA);
	request(test, 1, 16);
	fake_notify(&test->rng, 0);
	assert_false(fake_collect(&test->rng, 0, &id, &length));
	assert_int_equal(test->machine->message_count, 1);
	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, true), ALL_OK);
	request(test, 1, 16);
	fake_notify(&test->rng, 0);
	assert_true(fake_collect(&test->rng, 0, &id, &length));
	/* A request that nothing can be written to. */
	fake_give_buffer(&test->rng, 0, 2, BUFFERS, 16, false);
	fake_notify(&test->rng, 0);
	assert_int_equal(fake_driver_status(&test->rng), ALL_OK | VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_queue_outside_of_memory(void **state)
{
	struct test *test = *state;

	test->rng.space = FAKE_MEMORY - FAKE_QUEUE_SPACE;
	fake_driver_set_status(&test->rng, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	set_common(test, VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	set_common(test, VIRTIO_PCI_COMMON_GF, 4, 1);
	fake_driver_set_status(&test->rng, 0x0b);
	set_common(test, VIRTIO_PCI_COMMON_Q_DESCLO, 8, 0xc0000000);
	set_common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	assert_int_equal(common(test, VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	assert_int_equal(fake_driver_status(&test->rng) & VIRTIO_CONFIG_S_NEEDS_RESET,
	    VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void test_bus_master(void **state)
{
	struct test *test = *state;
	uint32_t id, length;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, true), ALL_OK);
	fake_config_write(test->machine, SLOT_RNG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	request(test, 0, 16);
	fake_notify(&test->rng, 0);
	assert_false(fake_collect(&test->rng, 0, &id, &length));
	fake_config_write(
	    test->machine, SLOT_RNG, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	fake_notify(&test->rng, 0);
	assert_true(fake_collect(&test->rng, 0, &id, &length));
}

static unsigned find_access(struct test *test)
{
	unsigned offset = fake_config_read(test->machine, SLOT_RNG, PCI_CAPABILITY_LIST, 1);

	while (offset != 0 &&
	       (fake_config_read(test->machine, SLOT_RNG, offset, 1) != PCI_CAP_ID_VNDR ||
		   fake_config_read(test->machine, SLOT_RNG, offset + 3, 1) !=
		       VIRTIO_PCI_CAP_PCI_CFG)) {
		offset = fake_config_read(test->machine, SLOT_RNG, offset + 1, 1);
	}
	assert_int_not_equal(offset, 0);
	return offset;
}

static void open_window(
    struct test *test, unsigned capability, uint8_t bar, uint32_t offset, uint32_t length)
{
	fake_config_write(test->machine, SLOT_RNG, capability + 4, 1, bar);
	fake_config_write(test->machine, SLOT_RNG, capability + 8, 4, offset);
	fake_config_write(test->machine, SLOT_RNG, capability + 12, 4, length);
}

/* 4.1.4.9: the structures through configuration space, with memory decoding off. */
static void test_access_capability(void **state)
{
	struct test *test = *state;
	unsigned capability = find_access(test);

	fake_config_write(test->machine, SLOT_RNG, PCI_COMMAND, 2, 0);
	open_window(test, capability, 4, VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 2), 1);
	assert_int_equal(
	    fake_config_read(test->machine, SLOT_RNG, capability + 8, 4), VIRTIO_PCI_COMMON_NUMQ);
	open_window(test, capability, 4, VIRTIO_PCI_COMMON_STATUS, 1);
	fake_config_write(test->machine, SLOT_RNG, capability + 16, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 1),
	    VIRTIO_CONFIG_S_ACKNOWLEDGE);
	open_window(test, capability, 4, VIRTIO_PCI_COMMON_STATUS, 3);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 4), 0);
	open_window(test, capability, 4, VIRTIO_PCI_COMMON_STATUS + 1, 4);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 4), 0);
	open_window(test, capability, 4, 0xfffffffc, 4);
	fake_config_write(test->machine, SLOT_RNG, capability + 16, 4, 0xffffffff);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 4), 0);
	open_window(test, capability, 2, 0, 4);
	assert_int_equal(fake_config_read(test->machine, SLOT_RNG, capability + 16, 4), 0);
	/* The capability itself cannot be rewritten. */
	fake_config_write(test->machine, SLOT_RNG, capability, 4, 0xffffffff);
	assert_int_equal(
	    fake_config_read(test->machine, SLOT_RNG, capability + 3, 1), VIRTIO_PCI_CAP_PCI_CFG);
}

static void test_machine_reset(void **state)
{
	struct test *test = *state;
	struct fake_driver driver;

	assert_int_equal(fake_driver_start(&test->rng, VERSION_1, 1, true), ALL_OK);
	fake_machine_reset(test->machine);
	assert_true(fake_driver_probe(test->machine, SLOT_RNG, SPACE, &driver));
	assert_int_equal(fake_driver_status(&driver), 0);
	assert_int_equal(fake_driver_start(&driver, VERSION_1, 1, false), ALL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_common_structure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_is_fixed_while_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entropy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entropy_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_entropy_request_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_intx, setup, teardown),
		cmocka_unit_test_setup_teardown(test_needs_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_queue_outside_of_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bus_master, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access_capability, setup, teardown),
		cmocka_unit_test_setup_teardown(test_machine_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
