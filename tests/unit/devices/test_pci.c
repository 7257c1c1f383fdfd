/* PCI as Linux enumerates it: probing, sizing, moving and overlapping BARs, INTx, MSI-X, the reset control port. */
#include <errno.h>
#include <linux/pci_regs.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"

enum {
	BAR_FRAMEBUFFER = PCI_BASE_ADDRESS_0,
	BAR_REGISTERS = PCI_BASE_ADDRESS_2,
	MAGIC_OFFSET = 0x700,
};

#define MAGIC 0x534d5454u

static int setup(void **state)
{
	*state = fake_machine_create();
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(*state);
	return 0;
}

static bool registers_at(struct fake_machine *machine, uint64_t address)
{
	return fake_load(machine, address + MAGIC_OFFSET, 4) == MAGIC;
}

/* pci_check_type1(): the address register keeps what is written, and the bridge answers. */
static void test_mechanism_1(void **state)
{
	struct fake_machine *machine = *state;

	fake_out(machine, 0xcfb, 1, 0x01);
	fake_out(machine, 0xcf8, 4, 0x80000000);
	assert_int_equal(fake_in(machine, 0xcf8, 4), 0x80000000);
	assert_int_equal(fake_in(machine, 0xcfc, 4), 0x12378086);
	assert_int_equal(fake_in(machine, 0xcfe, 2), 0x1237);
	/* Without the enable bit, on another bus, at another function and in an empty slot nobody answers. */
	fake_out(machine, 0xcf8, 4, 0);
	assert_int_equal(fake_in(machine, 0xcfc, 4), 0xffffffff);
	fake_out(machine, 0xcf8, 4, 0x80010000);
	assert_int_equal(fake_in(machine, 0xcfc, 4), 0xffffffff);
	fake_out(machine, 0xcf8, 4, 0x80000100);
	assert_int_equal(fake_in(machine, 0xcfc, 4), 0xffffffff);
	assert_int_equal(fake_config_read(machine, 7, 0, 4), 0xffffffff);
	fake_config_write(machine, 7, 4, 2, 0xffff);
}

static void test_identities(void **state)
{
	static const uint32_t ids[] = { 0x12378086, 0x11111234, 0x10521af4, 0x10521af4,
		0x10441af4 };
	struct fake_machine *machine = *state;

	for (unsigned slot = 0; slot < 5; slot++) {
		assert_int_equal(fake_config_read(machine, slot, PCI_VENDOR_ID, 4), ids[slot]);
		assert_int_equal(fake_config_read(machine, slot, PCI_HEADER_TYPE, 1), 0);
		/* Read-only fields stay. */
		fake_config_write(machine, slot, PCI_VENDOR_ID, 4, 0xffffffff);
		fake_config_write(machine, slot, PCI_CLASS_REVISION, 4, 0xffffffff);
		fake_config_write(machine, slot, PCI_CAPABILITY_LIST, 1, 0xff);
		assert_int_equal(fake_config_read(machine, slot, PCI_VENDOR_ID, 4), ids[slot]);
	}
	assert_int_equal(
	    fake_config_read(machine, SLOT_DISPLAY, PCI_CLASS_REVISION, 4) >> 8, 0x038000);
	assert_int_equal(
	    fake_config_read(machine, SLOT_DISPLAY, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	assert_int_equal(
	    fake_config_read(machine, SLOT_BRIDGE, PCI_CLASS_REVISION, 4) >> 8, 0x060000);
	assert_int_equal(fake_config_read(machine, SLOT_BRIDGE, PCI_INTERRUPT_PIN, 1), 0);
}

static void test_assigned_before_start(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t framebuffer = fake_bar(machine, SLOT_DISPLAY, 0);

	assert_true(framebuffer >= PCI_WINDOW_BASE);
	assert_int_equal(framebuffer % FRAMEBUFFER_SIZE, 0);
	assert_int_equal(bochs_display_framebuffer_address(machine->display), framebuffer);
	assert_true(registers_at(machine, fake_bar(machine, SLOT_DISPLAY, 2)));
	for (unsigned slot = SLOT_DISPLAY; slot <= SLOT_RNG; slot++) {
		unsigned line = fake_config_read(machine, slot, PCI_INTERRUPT_LINE, 1);

		assert_true(line == 5 || line == 10 || line == 11);
		assert_int_equal(fake_config_read(machine, slot, PCI_INTERRUPT_PIN, 1), 1);
		assert_true(fake_config_read(machine, slot, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	}
}

/* __pci_read_base(): all ones, read back, restore, with decoding off meanwhile. */
static uint32_t size_bar(struct fake_machine *machine, unsigned slot, unsigned offset)
{
	uint32_t command = fake_config_read(machine, slot, PCI_COMMAND, 2);
	uint32_t before = fake_config_read(machine, slot, offset, 4), mask;

	fake_config_write(machine, slot, PCI_COMMAND, 2, command & ~(uint32_t)PCI_COMMAND_MEMORY);
	fake_config_write(machine, slot, offset, 4, 0xffffffff);
	mask = fake_config_read(machine, slot, offset, 4) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
	fake_config_write(machine, slot, offset, 4, before);
	fake_config_write(machine, slot, PCI_COMMAND, 2, command);
	return mask ? ~mask + 1 : 0;
}

static void test_bar_sizing(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t address = fake_bar(machine, SLOT_DISPLAY, 2);

	assert_int_equal(size_bar(machine, SLOT_DISPLAY, BAR_FRAMEBUFFER), 32 * 1024 * 1024);
	assert_int_equal(size_bar(machine, SLOT_DISPLAY, BAR_REGISTERS), 4096);
	assert_int_equal(size_bar(machine, SLOT_DISPLAY, PCI_BASE_ADDRESS_1), 0);
	assert_int_equal(size_bar(machine, SLOT_TABLET, PCI_BASE_ADDRESS_2), 4096);
	assert_int_equal(size_bar(machine, SLOT_TABLET, PCI_BASE_ADDRESS_4), 16384);
	assert_int_equal(size_bar(machine, SLOT_BRIDGE, PCI_ROM_ADDRESS), 0);
	assert_int_equal(fake_config_read(machine, SLOT_DISPLAY, BAR_FRAMEBUFFER, 4) & 0xf,
	    PCI_BASE_ADDRESS_MEM_PREFETCH);
	/* Back where it was. */
	assert_true(registers_at(machine, address));
	assert_int_equal(bochs_display_framebuffer_address(machine->display),
	    fake_bar(machine, SLOT_DISPLAY, 0));
}

static void test_bar_moves(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t before = fake_bar(machine, SLOT_DISPLAY, 2);

	fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS, 4, 0xd0000000);
	assert_true(registers_at(machine, 0xd0000000));
	assert_false(registers_at(machine, before));
	fake_config_write(machine, SLOT_DISPLAY, BAR_FRAMEBUFFER, 4, 0xe0000000);
	assert_int_equal(bochs_display_framebuffer_address(machine->display), 0xe0000000);
	/* A byte of it alone moves it, too. */
	fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS + 3, 1, 0xd2);
	assert_true(registers_at(machine, 0xd2000000));
	fake_config_write(machine, SLOT_DISPLAY, PCI_COMMAND, 2, 0);
	assert_false(registers_at(machine, 0xd2000000));
	assert_int_equal(bochs_display_framebuffer_address(machine->display), 0);
}

/* Nothing of the guest's RAM, the interrupt controllers or what lies above can be covered. */
static void test_bar_outside_of_the_window(void **state)
{
	static const uint32_t places[] = { 0, 0x1000, 0x00100000, 0xbfffe000, 0xbe001000,
		0xfec00000, 0xfee00000, 0xfffff000, 0xfe000000 };
	struct fake_machine *machine = *state;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		fake_config_write(machine, SLOT_DISPLAY, BAR_FRAMEBUFFER, 4, places[i]);
		assert_int_equal(bochs_display_framebuffer_address(machine->display), 0);
	}
	for (size_t i = 0; i + 1 < sizeof(places) / sizeof(places[0]); i++) {
		fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS, 4, places[i]);
		assert_false(registers_at(machine, places[i]));
	}
	fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS, 4, 0xfebff000);
	assert_true(registers_at(machine, 0xfebff000));
}

/* The lower slot wins, whatever was written first; the other comes back when the place is free. */
static void test_bar_overlap(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t display = fake_bar(machine, SLOT_DISPLAY, 2);

	fake_config_write(machine, SLOT_TABLET, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	assert_int_equal(fake_load(machine, 0xd0000000 + 12, 4), 1);
	fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS, 4, 0xd0000000);
	assert_true(registers_at(machine, 0xd0000000));
	fake_config_write(machine, SLOT_DISPLAY, BAR_REGISTERS, 4, (uint32_t)display);
	assert_false(registers_at(machine, 0xd0000000));
	assert_int_equal(fake_load(machine, 0xd0000000 + 12, 4), 1);
	/* Inside the framebuffer: the framebuffer has the lower slot. */
	fake_config_write(machine, SLOT_TABLET, PCI_BASE_ADDRESS_2, 4,
	    (uint32_t)fake_bar(machine, SLOT_DISPLAY, 0) + 0x1000);
	assert_int_equal(fake_load(machine, fake_bar(machine, SLOT_TABLET, 2) + 12, 4), 0xffffffff);
	fake_config_write(machine, SLOT_TABLET, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	assert_int_equal(fake_load(machine, 0xd0000000 + 12, 4), 1);
}

static void test_shared_interrupt_line(void **state)
{
	struct fake_machine *machine = *state;
	uint64_t registers = fake_bar(machine, SLOT_DISPLAY, 2);
	unsigned line = fake_config_read(machine, SLOT_DISPLAY, PCI_INTERRUPT_LINE, 1);

	fake_store(machine, registers + 0x708, 4, 2);
	bochs_display_notify_resumed(machine->display);
	assert_true(machine->level[line]);
	assert_true(fake_config_read(machine, SLOT_DISPLAY, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	/* The status bit shows the device's wish even while the pin is disabled. */
	fake_config_write(
	    machine, SLOT_DISPLAY, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
	assert_false(machine->level[line]);
	assert_true(fake_config_read(machine, SLOT_DISPLAY, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	fake_config_write(machine, SLOT_DISPLAY, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_true(machine->level[line]);
	fake_store(machine, registers + 0x704, 4, 2);
	assert_false(machine->level[line]);
	assert_false(fake_config_read(machine, SLOT_DISPLAY, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
}

struct two_users {
	struct pci_device *first, *second;
};

static void test_line_is_the_or_of_its_users(void **state)
{
	static const struct pci_identity identity = { .vendor = 1, .device = 1, .interrupt = true };
	struct fake_machine *machine = *state;
	struct two_users users;
	unsigned line;

	assert_int_equal(pci_device_create(machine->pci, 10, &identity, NULL, &users.first), 0);
	assert_int_equal(pci_device_create(machine->pci, 13, &identity, NULL, &users.second), 0);
	pci_host_assign(machine->pci);
	line = fake_config_read(machine, 10, PCI_INTERRUPT_LINE, 1);
	assert_int_equal(fake_config_read(machine, 13, PCI_INTERRUPT_LINE, 1), line);
	pci_device_set_interrupt(users.first, true);
	pci_device_set_interrupt(users.second, true);
	pci_device_set_interrupt(users.first, false);
	assert_true(machine->level[line]);
	pci_device_set_interrupt(users.second, false);
	assert_false(machine->level[line]);
	pci_device_destroy(users.first);
	pci_device_destroy(users.second);
}

static unsigned find_msix(struct fake_machine *machine, unsigned slot)
{
	unsigned offset = fake_config_read(machine, slot, PCI_CAPABILITY_LIST, 1);

	while (offset != 0 && fake_config_read(machine, slot, offset, 1) != PCI_CAP_ID_MSIX) {
		offset = fake_config_read(machine, slot, offset + 1, 1);
	}
	assert_int_not_equal(offset, 0);
	return offset;
}

static void test_msix(void **state)
{
	static const struct pci_identity identity = { .vendor = 1, .device = 1 };
	struct fake_machine *machine = *state;
	struct pci_device *device;
	unsigned capability;
	uint64_t table;

	assert_int_equal(pci_device_create(machine->pci, 10, &identity, NULL, &device), 0);
	assert_int_equal(pci_device_add_msix(device, 1, 3), 0);
	pci_host_assign(machine->pci);
	capability = find_msix(machine, 10);
	table = fake_bar(machine, 10, 1);
	assert_int_equal(fake_config_read(machine, 10, capability + PCI_MSIX_FLAGS, 2), 2);
	assert_int_equal(fake_config_read(machine, 10, capability + PCI_MSIX_TABLE, 4), 1);
	assert_int_equal(fake_config_read(machine, 10, capability + PCI_MSIX_PBA, 4), 2048 | 1);
	assert_false(pci_device_signal(device, 0));

	fake_config_write(machine, 10, capability + PCI_MSIX_FLAGS, 2, 0xffff);
	assert_int_equal(fake_config_read(machine, 10, capability + PCI_MSIX_FLAGS, 2), 0xc002);
	fake_store(machine, table + 16, 8, 0xfee01003);
	fake_store(machine, table + 24, 4, 0x31);
	/* Masked twice: by the function and by the vector, which starts masked. */
	assert_true(pci_device_signal(device, 1));
	assert_true(pci_device_signal(device, 1));
	assert_int_equal(fake_load(machine, table + 2048, 8), 2);
	fake_config_write(machine, 10, capability + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(machine->message_count, 0);
	fake_store(machine, table + 28, 4, 0);
	assert_int_equal(machine->message_count, 1);
	assert_int_equal(machine->messages[0].address, 0xfee01000);
	assert_int_equal(machine->messages[0].data, 0x31);
	assert_int_equal(fake_load(machine, table + 2048, 8), 0);
	assert_true(pci_device_signal(device, 1));
	assert_int_equal(machine->message_count, 2);

	/* A message that is no interrupt writes nowhere; a vector that does not exist neither. */
	fake_store(machine, table + 16, 4, 0x00001000);
	assert_true(pci_device_signal(device, 1));
	fake_store(machine, table + 16, 8, 0x1fee00000);
	assert_true(pci_device_signal(device, 1));
	assert_true(pci_device_signal(device, 3));
	assert_true(pci_device_signal(device, 4000));
	assert_int_equal(machine->message_count, 2);
	/* Pending bits are for reading, and the table ends after its vectors. */
	fake_store(machine, table + 2048, 8, UINT64_MAX);
	fake_store(machine, table + 48, 8, UINT64_MAX);
	fake_store(machine, table + 2040, 8, UINT64_MAX);
	assert_int_equal(fake_load(machine, table + 2048, 8), 0);
	assert_int_equal(fake_load(machine, table + 48, 8), 0);
	pci_device_destroy(device);
}

static void test_reset_control(void **state)
{
	struct fake_machine *machine = *state;

	fake_out(machine, 0xcf9, 1, 0x02);
	assert_int_equal(machine->resets, 0);
	assert_int_equal(fake_in(machine, 0xcf9, 1), 0x02);
	fake_out(machine, 0xcf9, 1, 0x06);
	assert_int_equal(machine->resets, 1);
}

static void test_refusals(void **state)
{
	static const struct pci_identity identity = { .vendor = 1, .device = 1 };
	static const struct pci_bar_ops none = { .place = NULL };
	struct fake_machine *machine = *state;
	struct pci_device *device, *other;
	uint8_t body[100] = { 0 };

	assert_int_equal(
	    pci_device_create(machine->pci, PCI_SLOTS, &identity, NULL, &device), -EINVAL);
	assert_int_equal(
	    pci_device_create(machine->pci, SLOT_RNG, &identity, NULL, &device), -EEXIST);
	assert_int_equal(pci_device_create(machine->pci, 20, &identity, NULL, &device), 0);
	assert_int_equal(pci_device_create(machine->pci, 20, &identity, NULL, &other), -EEXIST);
	assert_int_equal(pci_device_add_bar(device, 0, 2048, false, &none), -EINVAL);
	assert_int_equal(pci_device_add_bar(device, 0, 12288, false, &none), -EINVAL);
	assert_int_equal(pci_device_add_bar(device, PCI_BARS, 4096, false, &none), -EINVAL);
	assert_int_equal(pci_device_add_msix(device, 0, 0), -EINVAL);
	assert_int_equal(pci_device_add_msix(device, 0, 33), -EINVAL);
	assert_int_equal(pci_device_add_capability(device, 9, body, 100), 0x40);
	assert_int_equal(pci_device_add_capability(device, 9, body, 100), -ENOSPC);
	assert_int_equal(pci_device_add_capability(device, 9, body, 86), 0x40 + 104);
	assert_int_equal(pci_device_add_capability(device, 9, body, 0), -ENOSPC);
	pci_device_destroy(device);
	pci_device_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mechanism_1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_assigned_before_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar_sizing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar_outside_of_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bar_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared_interrupt_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line_is_the_or_of_its_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
