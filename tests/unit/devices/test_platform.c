/* fw_cfg as guests read it, and power management. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"

enum {
	SELECTOR = 0x510,
	DATA = 0x511,
	IRQ_SCI = 9,
	PM_STATUS = 0x600,
	PM_ENABLE = 0x602,
	PM_CONTROL = 0x604,
	PWRBTN = 0x100,
};

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

static void select_item(struct fake_machine *machine, uint16_t item)
{
	fake_out(machine, SELECTOR, 2, item);
}

static uint32_t read_be(struct fake_machine *machine, unsigned size)
{
	uint32_t value = 0;

	while (size-- > 0) {
		value = value << 8 | (uint32_t)fake_in(machine, DATA, 1);
	}
	return value;
}

static void test_signature(void **state)
{
	struct fake_machine *machine = *state;

	select_item(machine, 0x00);
	assert_int_equal(read_be(machine, 4), 0x51454d55);
	assert_int_equal(read_be(machine, 4), 0); /* past the end */
	select_item(machine, 0x01);
	assert_int_equal(read_be(machine, 4), 0x01000000);
	select_item(machine, 0x1234);
	assert_int_equal(read_be(machine, 4), 0);
	select_item(machine, 0xffff);
	assert_int_equal(read_be(machine, 4), 0);
}

/* As a guest looks for a file by name. */
static uint16_t find_file(struct fake_machine *machine, const char *name, uint32_t *size)
{
	uint32_t count;

	select_item(machine, 0x19);
	count = read_be(machine, 4);
	for (uint32_t i = 0; i < count; i++) {
		char entry[FW_CFG_NAME_MAX];
		uint16_t selector;

		*size = read_be(machine, 4);
		selector = (uint16_t)read_be(machine, 2);
		(void)read_be(machine, 2);
		for (size_t j = 0; j < sizeof(entry); j++) {
			entry[j] = (char)fake_in(machine, DATA, 1);
		}
		assert_int_equal(entry[FW_CFG_NAME_MAX - 1], 0);
		if (strcmp(entry, name) == 0) {
			return selector;
		}
	}
	return 0;
}

static void test_files(void **state)
{
	struct fake_machine *machine = *state;
	uint32_t size;
	uint16_t selector;

	machine->resumes = 7;
	selector = find_file(machine, "opt/tanmatsu/resumes", &size);
	assert_int_equal(selector, FW_CFG_FILE_FIRST);
	assert_int_equal(size, 1);
	assert_int_equal(find_file(machine, "opt/tanmatsu/none", &size), 0);
	select_item(machine, selector);
	assert_int_equal(fake_in(machine, DATA, 1), '7');
	assert_int_equal(fake_in(machine, DATA, 1), 0);
	/* Current at each select, but one version once selected. */
	machine->resumes = 12;
	select_item(machine, selector);
	assert_int_equal(fake_in(machine, DATA, 1), '1');
	machine->resumes = 13;
	assert_int_equal(fake_in(machine, DATA, 1), '2');
	select_item(machine, selector);
	assert_int_equal(read_be(machine, 2), 0x3133);
}

static size_t get_too_much(void *context, void *bytes, size_t size)
{
	(void)context;
	memset(bytes, 0xee, size);
	return SIZE_MAX;
}

static void test_file_limits(void **state)
{
	struct fake_machine *machine = *state;
	char name[64];
	int error = 0;

	assert_int_equal(fw_cfg_add(machine->fw_cfg, "opt/large", get_too_much, NULL), 0);
	select_item(machine, FW_CFG_FILE_FIRST + 1);
	for (int i = 0; i < FW_CFG_ITEM_MAX; i++) {
		assert_int_equal(fake_in(machine, DATA, 1), 0xee);
	}
	assert_int_equal(fake_in(machine, DATA, 1), 0);
	assert_int_equal(fw_cfg_add(machine->fw_cfg, "opt/large", get_too_much, NULL), -EEXIST);
	assert_int_equal(fw_cfg_add(machine->fw_cfg, "", get_too_much, NULL), -EINVAL);
	memset(name, 'x', sizeof(name));
	name[FW_CFG_NAME_MAX] = 0;
	assert_int_equal(fw_cfg_add(machine->fw_cfg, name, get_too_much, NULL), -EINVAL);
	for (int i = 0; error == 0 && i < 100; i++) {
		snprintf(name, sizeof(name), "opt/file%d", i);
		error = fw_cfg_add(machine->fw_cfg, name, get_too_much, NULL);
	}
	assert_int_equal(error, -ENOSPC);
	select_item(machine, 0x19);
	assert_int_equal(read_be(machine, 4), FW_CFG_FILES_MAX);
}

static void test_power_off(void **state)
{
	struct fake_machine *machine = *state;

	assert_int_equal(fake_in(machine, PM_CONTROL, 2), 1); /* SCI_EN */
	fake_out(machine, PM_CONTROL, 2, 5 << 10 | 1 << 13);  /* another sleep state: not there */
	assert_int_equal(machine->power_offs, 0);
	fake_out(machine, PM_CONTROL, 2, 0);
	assert_int_equal(machine->power_offs, 0);
	fake_out(machine, PM_CONTROL, 2, 1 << 13);
	assert_int_equal(machine->power_offs, 1);
	/* By bytes, too. */
	fake_out(machine, PM_CONTROL + 1, 1, 0x20);
	assert_int_equal(machine->power_offs, 2);
	fake_out(machine, PM_CONTROL, 4, 1 << 13);
	assert_int_equal(machine->power_offs, 3);
}

static void test_power_button(void **state)
{
	struct fake_machine *machine = *state;

	pm_press_power_button(machine->pm);
	assert_false(machine->level[IRQ_SCI]);
	assert_int_equal(fake_in(machine, PM_STATUS, 2), PWRBTN);
	fake_out(machine, PM_ENABLE, 2, 0xffff);
	assert_int_equal(fake_in(machine, PM_ENABLE, 2), PWRBTN | 1 << 5);
	assert_true(machine->level[IRQ_SCI]);
	assert_int_equal(fake_in(machine, PM_STATUS, 4), (PWRBTN | 1u << 5) << 16 | PWRBTN);
	fake_out(machine, PM_STATUS, 1, 0xff);
	assert_true(machine->level[IRQ_SCI]);
	fake_out(machine, PM_STATUS, 2, PWRBTN);
	assert_false(machine->level[IRQ_SCI]);
	pm_press_power_button(machine->pm);
	assert_true(machine->level[IRQ_SCI]);
	fake_out(machine, PM_STATUS, 4, PWRBTN); /* status cleared and enable, too */
	assert_false(machine->level[IRQ_SCI]);
	assert_int_equal(fake_in(machine, PM_ENABLE, 2), 0);
}

static struct device_timer *no_timer(
    struct device_environment *environment, void (*function)(void *context), void *context)
{
	(void)environment;
	(void)function;
	(void)context;
	return NULL;
}

/* A second device at the same place, or one that gets no timer, is refused and leaves nothing behind. */
static void test_creation_fails_cleanly(void **state)
{
	struct fake_machine *machine = *state;
	struct device_environment *environment = &machine->environment;
	struct pci_host *pci;
	struct bochs_display *display;
	struct i8042 *i8042;
	struct uart16550 *uart;
	struct rtc *rtc;
	struct fw_cfg *fw_cfg;
	struct pm *pm;
	struct virtio_input *input;
	struct virtio_rng *rng;

	for (int round = 0; round < 2; round++) {
		assert_int_equal(pci_host_create(environment, &pci), -EEXIST);
		for (unsigned slot = SLOT_DISPLAY; slot < 8; slot++) {
			assert_int_equal(bochs_display_create(environment, machine->pci, slot,
					     machine->framebuffer, NULL, NULL, &display),
			    -EEXIST);
		}
		assert_int_equal(i8042_create(environment, &i8042), -EEXIST);
		assert_int_equal(
		    uart16550_create(environment, 0x3f8, 4, NULL, NULL, &uart), -EEXIST);
		assert_int_equal(rtc_create(environment, &rtc), -EEXIST);
		assert_int_equal(fw_cfg_create(environment, &fw_cfg), -EEXIST);
		assert_int_equal(pm_create(environment, &pm), -EEXIST);
		assert_int_equal(virtio_input_create(environment, machine->pci, SLOT_RNG,
				     VIRTIO_INPUT_TABLET, &input),
		    -EEXIST);
		assert_int_equal(
		    virtio_rng_create(environment, machine->pci, SLOT_RNG, &rng), -EEXIST);
	}
	environment->timer_create = no_timer;
	assert_int_equal(rtc_create(environment, &rtc), -ENOMEM);
	assert_int_equal(virtio_rng_create(environment, machine->pci, 9, &rng), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_power_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_power_button, setup, teardown),
		cmocka_unit_test_setup_teardown(test_creation_fails_cleanly, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
