/* The display as Linux's bochs driver and framebuffer firmware use it; EDID; hostile modes; the event registers. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "cmocka_prelude.h"
#include "fake_machine.h"
#include "vmm/dev/edid.h"

enum {
	ID = 0,
	XRES = 1,
	YRES = 2,
	BPP = 3,
	ENABLE = 4,
	BANK = 5,
	VIRT_WIDTH = 6,
	VIRT_HEIGHT = 7,
	X_OFFSET = 8,
	Y_OFFSET = 9,
	MEMORY_64K = 10,
	ENABLED = 0x01,
	GETCAPS = 0x02,
	LFB = 0x40,
	NOCLEAR = 0x80,
	STATUS = 0x704,
	EVENT_ENABLE = 0x708,
	PREFERRED = 0x70c,
};

struct test {
	struct fake_machine *machine;
	uint64_t mmio;
};

static int setup(void **state)
{
	static struct test test;

	test.machine = fake_machine_create();
	test.mmio = fake_bar(test.machine, SLOT_DISPLAY, 2);
	*state = &test;
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(((struct test *)*state)->machine);
	return 0;
}

static uint16_t dispi_read(struct test *test, unsigned index)
{
	return (uint16_t)fake_load(test->machine, test->mmio + 0x500 + 2 * index, 2);
}

static void dispi_write(struct test *test, unsigned index, uint16_t value)
{
	fake_store(test->machine, test->mmio + 0x500 + 2 * index, 2, value);
}

static bool try_mode(struct test *test, uint16_t width, uint16_t height, uint16_t bpp)
{
	dispi_write(test, ENABLE, 0);
	dispi_write(test, BPP, bpp);
	dispi_write(test, XRES, width);
	dispi_write(test, YRES, height);
	dispi_write(test, ENABLE, ENABLED | LFB);
	return dispi_read(test, ENABLE) & ENABLED;
}

static void assert_same(const struct scanout *a, const struct scanout *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	assert_int_equal(a->stride, b->stride);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->format, b->format);
	assert_int_equal(a->memory_size, b->memory_size);
}

/* bochs_hw_init(), bochs_hw_load_edid() and bochs_hw_setmode() of drivers/gpu/drm/tiny/bochs.c. */
static void test_linux_driver(void **state)
{
	struct test *test = *state;
	struct fake_machine *machine = test->machine;
	struct scanout scanout;
	uint8_t edid[EDID_SIZE], sum = 0;
	unsigned modes;

	assert_int_equal(dispi_read(test, ID) & 0xfff0, 0xb0c0);
	assert_int_equal((uint32_t)dispi_read(test, MEMORY_64K) * 64 * 1024, FRAMEBUFFER_SIZE);
	assert_true(fake_load(machine, test->mmio + 0x600, 4) >= 8);
	fake_store(machine, test->mmio + 0x604, 4, 0x1e1e1e1e);
	assert_int_equal(fake_load(machine, test->mmio + 0x604, 4), 0x1e1e1e1e);
	for (unsigned i = 0; i < EDID_SIZE; i++) {
		edid[i] = (uint8_t)fake_load(machine, test->mmio + i, 1);
		sum = (uint8_t)(sum + edid[i]);
	}
	assert_memory_equal(edid, "\x00\xff\xff\xff\xff\xff\xff\x00", 8);
	assert_int_equal(sum, 0);

	modes = machine->modes;
	fake_store(machine, test->mmio + 0x400, 1, 0x20); /* unblank */
	dispi_write(test, ENABLE, 0);
	dispi_write(test, BPP, 32);
	dispi_write(test, XRES, 1920);
	dispi_write(test, YRES, 1080);
	dispi_write(test, BANK, 0);
	dispi_write(test, VIRT_WIDTH, 1920);
	dispi_write(test, VIRT_HEIGHT, FRAMEBUFFER_SIZE / (1920 * 4));
	dispi_write(test, X_OFFSET, 0);
	dispi_write(test, Y_OFFSET, 0);
	assert_int_equal(machine->modes, modes);
	dispi_write(test, ENABLE, ENABLED | LFB);
	assert_int_equal(machine->modes, modes + 1);
	assert_int_equal(machine->mode.width, 1920);
	assert_int_equal(machine->mode.height, 1080);
	assert_int_equal(machine->mode.stride, 1920 * 4);
	assert_int_equal(machine->mode.offset, 0);
	assert_int_equal(machine->mode.format, SCANOUT_FORMAT_XRGB8888);
	assert_int_equal(machine->mode.memory_size, FRAMEBUFFER_SIZE);
	assert_int_not_equal(machine->mode.id, 0);
	assert_true(bochs_display_scanout(machine->display, &scanout));
	assert_same(&scanout, &machine->mode);

	/* bochs_hw_setbase(): a frame below the first one. */
	dispi_write(test, VIRT_WIDTH, 1920);
	dispi_write(test, X_OFFSET, 0);
	dispi_write(test, Y_OFFSET, 1080);
	assert_int_equal(machine->modes, modes + 2);
	assert_int_equal(machine->mode.offset, 1080u * 1920 * 4);
	assert_int_not_equal(machine->mode.id, scanout.id);
}

/* The same through the ports, as a kernel's early code does it. */
static void test_ports(void **state)
{
	struct test *test = *state;
	struct fake_machine *machine = test->machine;
	static const uint16_t sequence[][2] = { { ENABLE, 0 }, { BPP, 32 }, { XRES, 1024 },
		{ YRES, 768 }, { ENABLE, ENABLED | LFB } };

	fake_out(machine, 0x1ce, 2, ID);
	assert_int_equal(fake_in(machine, 0x1cf, 2), 0xb0c5);
	fake_out(machine, 0x1cf, 2, 0xb0c0);
	assert_int_equal(fake_in(machine, 0x1cf, 2), 0xb0c0);
	fake_out(machine, 0x1cf, 2, 0x1234);
	assert_int_equal(fake_in(machine, 0x1cf, 2), 0xb0c0);
	for (size_t i = 0; i < sizeof(sequence) / sizeof(sequence[0]); i++) {
		fake_out(machine, 0x1ce, 2, sequence[i][0]);
		fake_out(machine, 0x1cf, 2, sequence[i][1]);
	}
	assert_int_equal(machine->mode.width, 1024);
	assert_int_equal(machine->mode.height, 768);
	assert_int_equal(fake_in(machine, 0x1cf, 2), ENABLED | LFB);
	fake_out(machine, 0x1ce, 2, 0xffff);
	assert_int_equal(fake_in(machine, 0x1cf, 2), 0);
	fake_out(machine, 0x1cf, 2, 1);
	/* Other widths are nobody's. */
	assert_int_equal(fake_in(machine, 0x1ce, 1), 0xff);
	fake_out(machine, 0x1ce, 1, 3);
	assert_int_equal(fake_in(machine, 0x1ce, 2), 0xffff);
}

static void test_capabilities(void **state)
{
	struct test *test = *state;

	assert_true(try_mode(test, 800, 600, 32));
	dispi_write(test, ENABLE, GETCAPS);
	assert_true(dispi_read(test, XRES) >= 3840);
	assert_true(dispi_read(test, YRES) >= 2160);
	assert_int_equal(dispi_read(test, BPP), 32);
	dispi_write(test, ENABLE, 0);
	assert_int_equal(dispi_read(test, XRES), 800);
}

static void test_modes(void **state)
{
	static const struct {
		uint16_t width, height, bpp;
		bool good;
	} modes[] = {
		{ 640, 480, 32, true },
		{ 3840, 2160, 32, true },
		{ 1366, 768, 32, true },
		{ 1, 1, 32, true },
		{ 1023, 767, 32, true },
		{ 2160, 3840, 32, true },
		{ 8192, 1024, 32, true },
		{ 0, 0, 32, false },
		{ 0, 480, 32, false },
		{ 640, 0, 32, false },
		{ 65535, 65535, 32, false },
		{ 65535, 1, 32, false },
		{ 1, 65535, 32, false },
		{ 8192, 1025, 32, false },
		{ 4096, 4096, 32, false },
		{ 8193, 1, 32, false },
		{ 640, 480, 24, false },
		{ 640, 480, 16, false },
		{ 640, 480, 8, false },
		{ 640, 480, 15, false },
		{ 640, 480, 0, false },
		{ 640, 480, 65535, false },
		{ 0x4000, 0x4000, 32, false },
	};
	struct test *test = *state;
	struct scanout before, after;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		bool had = bochs_display_scanout(test->machine->display, &before);

		assert_int_equal(
		    try_mode(test, modes[i].width, modes[i].height, modes[i].bpp), modes[i].good);
		if (modes[i].good) {
			assert_int_equal(test->machine->mode.width, modes[i].width);
			assert_int_equal(test->machine->mode.height, modes[i].height);
		} else {
			/* What was shown stays. */
			assert_int_equal(
			    bochs_display_scanout(test->machine->display, &after), had);
			assert_same(&before, &after);
		}
	}
}

static bool inside(const struct scanout *scanout)
{
	uint64_t end = scanout->offset + (uint64_t)scanout->stride * (scanout->height - 1) +
		       4ull * scanout->width;

	return scanout->stride >= 4 * scanout->width && end <= FRAMEBUFFER_SIZE;
}

static void test_hostile_geometry(void **state)
{
	static const uint16_t values[] = { 0, 1, 2, 1023, 1024, 1025, 8191, 8192, 10923, 32767,
		32768, 65535 };
	static const unsigned indices[] = { VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET, XRES, YRES,
		BPP };
	struct test *test = *state;
	struct scanout scanout;

	assert_true(try_mode(test, 1024, 768, 32));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (size_t j = 0; j < sizeof(indices) / sizeof(indices[0]); j++) {
			for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
				dispi_write(test, indices[j], values[i]);
				dispi_write(test, Y_OFFSET, values[k]);
				assert_true(
				    bochs_display_scanout(test->machine->display, &scanout));
				assert_true(inside(&scanout));
				assert_int_equal(scanout.width, 1024);
				assert_int_equal(scanout.height, 768);
			}
		}
	}
	/* 8192 * 8192 * 4 would wrap a 32-bit product with the right stride. */
	assert_true(try_mode(test, 64, 64, 32));
	dispi_write(test, VIRT_WIDTH, 65535);
	dispi_write(test, Y_OFFSET, 65535);
	assert_true(bochs_display_scanout(test->machine->display, &scanout));
	assert_true(inside(&scanout));
	assert_int_equal(scanout.stride, 65535 * 4);
	assert_int_equal(dispi_read(test, VIRT_HEIGHT), FRAMEBUFFER_SIZE / (65535 * 4));
	assert_int_equal(dispi_read(test, Y_OFFSET), FRAMEBUFFER_SIZE / (65535 * 4) - 64);
	/* 65536 pixels do not fit into the register; a stride below the width is refused. */
	dispi_write(test, VIRT_WIDTH, 63);
	assert_int_equal(dispi_read(test, VIRT_WIDTH), 65535);
}

static void test_mode_is_fixed_while_enabled(void **state)
{
	struct test *test = *state;
	unsigned modes;

	assert_true(try_mode(test, 1024, 768, 32));
	modes = test->machine->modes;
	dispi_write(test, XRES, 800);
	dispi_write(test, YRES, 600);
	dispi_write(test, BPP, 16);
	assert_int_equal(dispi_read(test, XRES), 1024);
	assert_int_equal(dispi_read(test, YRES), 768);
	assert_int_equal(dispi_read(test, BPP), 32);
	assert_int_equal(test->machine->modes, modes);
	/* Switching off keeps the last picture, switching the same mode on again is no new one. */
	dispi_write(test, ENABLE, 0);
	dispi_write(test, ENABLE, ENABLED | LFB);
	assert_int_equal(test->machine->modes, modes);
}

static void test_clearing(void **state)
{
	struct test *test = *state;
	uint8_t *memory = framebuffer_memory(test->machine->framebuffer);
	static struct scanout_damage damage;
	uint64_t length = 1024 * 768 * 4;

	assert_true(try_mode(test, 1024, 768, 32));
	memset(memory, 0xaa, length + 1);
	assert_true(framebuffer_collect(test->machine->framebuffer, 0, length, &damage) >= 0);
	dispi_write(test, ENABLE, 0);
	dispi_write(test, ENABLE, ENABLED | LFB | NOCLEAR);
	assert_int_equal(memory[0], 0xaa);
	dispi_write(test, ENABLE, 0);
	dispi_write(test, ENABLE, ENABLED | LFB);
	assert_int_equal(memory[0], 0);
	assert_int_equal(memory[length - 1], 0);
	assert_int_equal(memory[length], 0xaa);
	assert_int_equal(framebuffer_collect(test->machine->framebuffer, 0, length, &damage), 1);
	assert_int_equal(damage.spans[0].length, length);
}

static void check_edid(const uint8_t *edid, uint32_t width, uint32_t height)
{
	const uint8_t *timing = edid + 54;
	uint32_t clock = (uint32_t)(timing[0] | timing[1] << 8) * 10000;
	uint32_t h_active = timing[2] | (uint32_t)(timing[4] >> 4) << 8;
	uint32_t h_blank = timing[3] | (uint32_t)(timing[4] & 15) << 8;
	uint32_t v_active = timing[5] | (uint32_t)(timing[7] >> 4) << 8;
	uint32_t v_blank = timing[6] | (uint32_t)(timing[7] & 15) << 8;
	uint32_t v_front = timing[10] >> 4, v_sync = timing[10] & 15;
	uint8_t sum = 0;

	for (unsigned i = 0; i < EDID_SIZE; i++) {
		sum = (uint8_t)(sum + edid[i]);
	}
	assert_int_equal(sum, 0);
	assert_int_equal(edid[18], 1);
	assert_int_equal(edid[19], 4);
	assert_int_equal(h_active, width);
	assert_int_equal(v_active, height);
	assert_true(v_front + v_sync < v_blank);
	assert_true((uint32_t)timing[8] + timing[9] < h_blank);
	if ((uint64_t)(width + h_blank) * (height + v_blank) * 60 < 650000000 && width >= 320) {
		uint32_t refresh = clock / ((h_active + h_blank) * (v_active + v_blank));

		assert_in_range(refresh, 58, 60);
	}
}

static void test_edid(void **state)
{
	static const uint32_t sizes[][2] = { { 1, 1 }, { 320, 200 }, { 640, 480 }, { 1280, 800 },
		{ 1366, 768 }, { 1920, 1080 }, { 2560, 1440 }, { 3840, 2160 }, { 2160, 3840 },
		{ 4095, 4095 } };
	uint8_t edid[EDID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		edid_make(sizes[i][0], sizes[i][1], edid);
		check_edid(edid, sizes[i][0], sizes[i][1]);
	}
}

static void test_preferred_mode(void **state)
{
	struct test *test = *state;
	struct fake_machine *machine = test->machine;
	unsigned line = fake_config_read(machine, SLOT_DISPLAY, PCI_INTERRUPT_LINE, 1);
	uint8_t edid[EDID_SIZE];
	uint32_t width, height;

	assert_int_equal(fake_load(machine, test->mmio + 0x700, 4), 0x534d5454);
	fake_store(machine, test->mmio + EVENT_ENABLE, 4, 0xffffffff);
	assert_int_equal(fake_load(machine, test->mmio + EVENT_ENABLE, 4), 7);
	bochs_display_set_preferred(machine->display, 1600, 900);
	assert_true(machine->level[line]);
	assert_int_equal(fake_load(machine, test->mmio + STATUS, 4), 1);
	assert_int_equal(fake_load(machine, test->mmio + PREFERRED, 4), 900u << 16 | 1600);
	for (unsigned i = 0; i < EDID_SIZE; i++) {
		edid[i] = (uint8_t)fake_load(machine, test->mmio + i, 1);
	}
	check_edid(edid, 1600, 900);
	/* Writing 0 clears nothing; the line falls with the last enabled bit. */
	fake_store(machine, test->mmio + STATUS, 4, 0);
	assert_true(machine->level[line]);
	fake_store(machine, test->mmio + STATUS, 4, 1);
	assert_false(machine->level[line]);
	/* The same again is no event. */
	bochs_display_set_preferred(machine->display, 1600, 900);
	assert_int_equal(fake_load(machine, test->mmio + STATUS, 4), 0);
	bochs_display_set_preferred(machine->display, 100000, 1);
	bochs_display_preferred(machine->display, &width, &height);
	assert_int_equal(width, BOCHS_DISPLAY_WIDTH_MAX);
	assert_int_equal(height, BOCHS_DISPLAY_HEIGHT_MIN);
}

static void test_events(void **state)
{
	struct test *test = *state;
	struct fake_machine *machine = test->machine;
	unsigned line = fake_config_read(machine, SLOT_DISPLAY, PCI_INTERRUPT_LINE, 1);

	bochs_display_notify_resumed(machine->display);
	bochs_display_notify_power_button(machine->display);
	assert_int_equal(fake_load(machine, test->mmio + STATUS, 4), 6);
	assert_false(machine->level[line]);
	fake_store(machine, test->mmio + EVENT_ENABLE, 4, 4);
	assert_true(machine->level[line]);
	fake_store(machine, test->mmio + STATUS, 4, 4);
	assert_false(machine->level[line]);
	assert_int_equal(fake_load(machine, test->mmio + STATUS, 4), 2);
}

static void test_boot_mode_and_reset(void **state)
{
	struct test *test = *state;
	struct fake_machine *machine = test->machine;
	struct scanout scanout;
	uint32_t id;

	assert_false(bochs_display_scanout(machine->display, &scanout));
	assert_int_equal(bochs_display_set_mode(machine->display, 1280, 800), 0);
	assert_int_equal(machine->mode.width, 1280);
	id = machine->mode.id;
	assert_int_equal(bochs_display_set_mode(machine->display, 0, 800), -EINVAL);
	assert_int_equal(bochs_display_set_mode(machine->display, 1u << 16, 800), -EINVAL);
	assert_int_equal(bochs_display_set_mode(machine->display, 8000, 8000), -EINVAL);
	fake_machine_reset(machine);
	assert_false(bochs_display_scanout(machine->display, &scanout));
	assert_int_equal(bochs_display_set_mode(machine->display, 1280, 800), 0);
	assert_int_not_equal(machine->mode.id, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_linux_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_geometry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mode_is_fixed_while_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clearing, setup, teardown),
		cmocka_unit_test(test_edid),
		cmocka_unit_test_setup_teardown(test_preferred_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot_mode_and_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
