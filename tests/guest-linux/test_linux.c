/*
 * Linux on our machine, judged by its own drivers: what they bind to, the picture, every key and place, the clock, random
 * numbers, a disk with ext4 over a suspend and a resume, the power button and switching off. Its first program
 * (guest/test-kernel/init) says on the serial port what it sees. Few boots, many checks: one takes most of a minute where
 * KVM interprets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/guest/world.h"
#include "vmm/disk/overlay.h"

enum {
	BOOT_MS = 120000, /* on a busy host that interprets */
	DISK_SIZE = 64 << 20,
	PLACES = 20,
};

/* What the interpreting KVM of some test hosts cannot run is switched off; other hosts do not mind. */
#define COMMAND_LINE                                                                              \
	"console=ttyS0 quiet panic=-1 nokaslr noxsave nosmp tsc=reliable mitigations=off "        \
	"lpj=4000000 "                                                                            \
	"clearcpuid=smap,smep,umip,fsgsbase,cx16,invpcid,pcid,pku,erms,fsrm,popcnt,xsave,rdrand," \
	"rdseed "

struct linux_world {
	struct world world;
	char base[96], overlay[96], disk[256];
};

static void run_program(const char *program, const char *path)
{
	char command[256];
	int status;

	snprintf(command, sizeof(command), "PATH=$PATH:/sbin:/usr/sbin %s %s", program, path);
	status = system(command);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fail_msg("%s: %d", command, status);
	}
}

static int create_file(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

/* An ext4 file system as the base, and an empty overlay on it. */
static void create_disk(struct linux_world *guest)
{
	uint8_t id[DISK_ID_SIZE];
	struct disk_io *io;

	snprintf(guest->base, sizeof(guest->base), "%s/base", guest->world.folder);
	snprintf(guest->overlay, sizeof(guest->overlay), "%s/overlay", guest->world.folder);
	snprintf(
	    guest->disk, sizeof(guest->disk), "overlay:%s,base=%s", guest->overlay, guest->base);
	close(create_file(guest->base, DISK_SIZE));
	run_program("mkfs.ext4 -q -F", guest->base);
	memset(id, 'b', sizeof(id)); /* as the harness names it */
	assert_int_equal(disk_io_file_create_take(create_file(guest->overlay, 0), false, &io), 0);
	assert_int_equal(overlay_format(io, DISK_SIZE, DISK_SIZE, id), 0);
	io->ops->destroy(io);
	guest->world.options.disks[0] = guest->disk;
}

/* What the guest left, through the overlay, into a plain file: without an error. */
static void check_file_system(const struct linux_world *guest)
{
	static uint8_t bytes[1 << 20];
	const struct iovec part = { bytes, sizeof(bytes) };
	uint8_t id[DISK_ID_SIZE];
	struct disk_io *io, *base;
	struct disk *disk;
	char path[96];
	int fd;

	memset(id, 'b', sizeof(id));
	assert_int_equal(
	    disk_io_file_create_take(open(guest->overlay, O_RDWR | O_CLOEXEC), false, &io), 0);
	assert_int_equal(
	    disk_io_file_create_take(open(guest->base, O_RDONLY | O_CLOEXEC), true, &base), 0);
	assert_int_equal(disk_overlay_create_take(io, base, id, false, &disk), 0);
	snprintf(path, sizeof(path), "%s/plain", guest->world.folder);
	fd = create_file(path, 0);
	for (uint64_t at = 0; at < DISK_SIZE; at += sizeof(bytes)) {
		assert_int_equal(disk_read(disk, at, &part, 1), 0);
		assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	}
	close(fd);
	disk_destroy(disk);
	run_program("e2fsck -f -n", path);
	/* The base is as it was made. */
	run_program("e2fsck -f -n", guest->base);
}

static void boot(struct linux_world *guest, const char *command_line)
{
	struct world *world = &guest->world;
	uint64_t start = clock_monotonic_us();

	world->await_ms = BOOT_MS;
	world->options.kernel = LINUX_FOLDER "/vmlinux";
	world->options.initrd = LINUX_FOLDER "/initramfs.cpio";
	world->options.command_line = command_line;
	world->options.memory_mib = 192;
	world_boot(world);
	world_await(world, "init: Linux ", 1);
	print_message("Linux reached its first program after %.1f s\n",
	    (double)(clock_monotonic_us() - start) / 1e6);
	world_await(world, "\nready\n", 1);
}

static void check_drivers(const struct world *world)
{
	static const char *const lines[] = {
		"0x1234:0x1111 bochs-drm\n",
		"0x1af4:0x0012 virtio_input\n",
		"0x1af4:0x0004 virtio_rng\n",
		"0x1af4:0x0002 virtio_blk\n",
		"serio0 : atkbd\n",
		"serio1 : psmouse\n",
		"hwrng virtio_rng.0 64 bytes random\n",
		" 1024x768 32 bits stride 4096 red 16 green 8 blue 0\n",
		"fb drawn\n",
		" Tanmatsu Keyboard\n",
		" Tanmatsu Tablet\n",
		" AT Translated Set 2 keyboard\n",
		" ImExPS/2 Generic Explorer Mouse\n",
		"disk vda 67108864 bytes serial disk0 cache write back discard ",
		"disk mounted\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (world_count(world, lines[i]) == 0) {
			char *log = world_log(world);

			print_error("%s\n", log);
			free(log);
			fail_msg("missing: %s", lines[i]);
		}
	}
	assert_int_equal(world_count(world, "0x1af4:0x0012 virtio_input\n"), 2);
}

/* The newest line "START clock C rtc R": both lie between then and now, within a second. */
static void check_time(const struct world *world, const char *start, uint64_t since_us)
{
	char *log = world_log(world);
	char *at = NULL;
	long first = (long)(since_us / 1000000) - 1;
	long last = (long)(clock_realtime_us() / 1000000) + 1;
	long guest_clock, rtc;

	for (char *next = strstr(log, start); next; next = strstr(next + 1, start)) {
		at = next;
	}
	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(start), " clock %ld rtc %ld", &guest_clock, &rtc), 2);
	assert_in_range(guest_clock, first, last);
	assert_in_range(rtc, first, last);
	assert_in_range(guest_clock - rtc + 1, 0, 2);
	free(log);
}

static bool is_pattern(const uint32_t *pixels, uint32_t width, uint32_t height)
{
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			uint32_t is = pixels[(size_t)y * width + x] & 0xffffff;

			if (is !=
			    ((x & 0xff) << 16 | (y & 0xff) << 8 | ((x >> 8) * 16 + (y >> 8)))) {
				return false;
			}
		}
	}
	return true;
}

/* The kernel copies its shadow when it comes to it: each time something changed, all of it is looked at. */
static void check_picture(struct world *world)
{
	uint64_t deadline = clock_monotonic_us() + BOOT_MS * 1000ull;
	uint32_t scanout = 0;
	bool right = false;

	assert_int_equal(vmm_harness_attach(&world->vmm, 7), 0);
	while (!right) {
		uint32_t width, height;
		uint8_t *pixels;

		assert_true(clock_monotonic_us() < deadline);
		assert_int_equal(vmm_harness_want(&world->vmm, scanout), 0);
		assert_int_equal(vmm_harness_damage(&world->vmm, 30000), 0);
		scanout = world->vmm.scanout.id;
		assert_int_equal(vmm_harness_picture(&world->vmm, &pixels, &width, &height), 0);
		right = width == 1024 && height == 768 &&
			is_pattern((const uint32_t *)(const void *)pixels, width, height);
		free(pixels);
	}
	close(world->vmm.link);
	world->vmm.link = -1;
}

/* Presses and releases; the guest names the device that it came from. */
static void check_key(struct world *world, uint16_t code, const char *device)
{
	const struct input_event events[2] = { { .type = INPUT_KEY, .code = code, .value = 1 },
		{ .type = INPUT_KEY, .code = code } };
	char down[64], up[64];
	unsigned downs, ups;

	snprintf(down, sizeof(down), "\nev %s 1 %u 1\n", device, code);
	snprintf(up, sizeof(up), "\nev %s 1 %u 0\n", device, code);
	downs = world_count(world, down);
	ups = world_count(world, up);
	assert_int_equal(vmm_harness_input(&world->vmm, events, 2), 0);
	world_await(world, down, downs + 1);
	world_await(world, up, ups + 1);
}

static void press(struct world *world, uint16_t code)
{
	const struct input_event events[2] = { { .type = INPUT_KEY, .code = code, .value = 1 },
		{ .type = INPUT_KEY, .code = code } };

	assert_int_equal(vmm_harness_input(&world->vmm, events, 2), 0);
}

static const uint16_t keys[] = { KEY_A, KEY_Z, KEY_1, KEY_ENTER, KEY_SPACE, KEY_LEFTSHIFT,
	KEY_RIGHTCTRL, KEY_UP, KEY_DELETE, KEY_F12, KEY_KPENTER, KEY_102ND, KEY_RO, KEY_YEN,
	KEY_HENKAN, KEY_LEFTMETA };

static void check_keys(struct world *world, const char *device)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		check_key(world, keys[i], device);
	}
}

static void check_tablet(struct world *world)
{
	const struct input_event click[2] = {
		{ .type = INPUT_BUTTON, .code = BTN_LEFT, .value = 1 },
		{ .type = INPUT_BUTTON, .code = BTN_LEFT }
	};
	const struct input_event wheel = { .type = INPUT_WHEEL, .code = REL_WHEEL, .value = -2 };
	char expected[96];

	for (uint32_t i = 0; i < PLACES; i++) {
		uint32_t x = i == 1 ? 0 : i == 2 ? 1023 : (i * 397 + 11) % 1024;
		uint32_t y = i == 1 ? 0 : i == 2 ? 767 : (i * 251 + 5) % 768;
		/* The middle of the pixel. */
		const struct input_event move = { .type = INPUT_POINTER,
			.x = (uint16_t)((2 * x + 1) * 32768ull / 1024),
			.y = (uint16_t)((2 * y + 1) * 32768ull / 768) };
		unsigned value_x = move.x / 2;
		unsigned value_y = move.y / 2;

		/* What a driver makes of it is the pixel again. */
		assert_int_equal(value_x * 1024ull / 32768, x);
		assert_int_equal(value_y * 768ull / 32768, y);
		snprintf(expected, sizeof(expected), "\nev event1 3 0 %u\nev event1 3 1 %u\n",
		    value_x, value_y);
		assert_int_equal(vmm_harness_input(&world->vmm, &move, 1), 0);
		world_await(world, expected, 1);
	}
	assert_int_equal(vmm_harness_input(&world->vmm, click, 2), 0);
	world_await(world, "\nev event1 1 272 1\n", 1);
	world_await(world, "\nev event1 1 272 0\n", 1);
	assert_int_equal(vmm_harness_input(&world->vmm, &wheel, 1), 0);
	world_await(world, "\nev event1 2 8 -2\n", 1);
}

/* In the middle of writing a file and of summing up memory; then both go on, and the clock is right. */
static void check_suspend(struct linux_world *guest)
{
	struct world *world = &guest->world;
	struct vmm_suspend_report report;
	char *log;
	unsigned round, chunk;
	uint64_t asked;

	world_await(world, "\ndisk synced 1.16\n", 1);
	world_suspend(world, &report);
	print_message("suspended: %.1f MiB in %.0f ms\n", (double)report.ram_bytes / 1048576,
	    (double)report.stopped_us / 1e3);
	assert_true(report.complete);
	log = world_log(world);
	assert_null(strstr(log, "disk verified"));
	free(log);
	/* So that a clock that stood still has something to catch up with; the guest sets it by the RTC. */
	sleep(3);
	world_resume(world);
	world_await(world, "\ndisk verified 1\n", 1);
	world_await(world, "\ndisk synced 2.16\n", 1);
	asked = clock_realtime_us();
	press(world, KEY_F1);
	world_await(world, "\ntime asked ", 1);
	/* Said after it, so that the line is whole. */
	world_await(world, "\nev event0 1 59 0\n", 1);
	check_time(world, "\ntime asked", asked);
	for (round = 1, chunk = 16; chunk <= 64; chunk += 16) {
		char line[64];

		snprintf(line, sizeof(line), "\ndisk synced %u.%u\n", round, chunk);
		assert_int_equal(world_count(world, line), 1);
	}
}

static void check_end(struct linux_world *guest)
{
	struct world *world = &guest->world;

	press(world, KEY_F3);
	world_await(world, "\ndisk unmounted\n", 1);
	assert_int_equal(vmm_harness_simple(&world->vmm, VMM_POWER_BUTTON), 0);
	world_await(world, "\npower button\n", 1);
	assert_int_equal(world_count(world, "BAD"), 0);
	press(world, KEY_F10);
	world->vmm.timeout_ms = BOOT_MS;
	world_expect_exit(world, VMM_EXIT_POWERED_OFF);
	check_file_system(guest);
}

static void test_linux(void **state)
{
	struct linux_world guest;
	struct world *world = &guest.world;
	uint64_t before = clock_realtime_us();

	(void)state;
	world_create(world);
	create_disk(&guest);
	boot(&guest, COMMAND_LINE "disk=ext4");
	check_drivers(world);
	assert_true(world_count(world, "PCI-MSI") >= 8);
	check_time(world, "\ntime start", before);
	check_picture(world);
	check_suspend(&guest);
	check_keys(world, "event0");
	check_tablet(world);
	/* Without virtio-input, the same keys come through the keyboard controller. */
	press(world, KEY_F4);
	world_await(world, "\nunbound virtio1\n", 1);
	check_keys(world, "event2");
	check_end(&guest);
	world_destroy(world);
}

/* Without MSI every interrupt is a level on a PIC's line, which devices share. */
static void test_linux_without_msi(void **state)
{
	struct linux_world guest;
	struct world *world = &guest.world;

	(void)state;
	world_create(world);
	create_disk(&guest);
	boot(&guest, COMMAND_LINE "disk=ext4 pci=nomsi");
	check_drivers(world);
	assert_int_equal(world_count(world, "PCI-MSI"), 0);
	check_key(world, KEY_A, "event0");
	assert_int_equal(vmm_harness_pointer(&world->vmm, 100, 200), 0);
	world_await(world, "\nev event1 3 0 ", 1);
	world_await(world, "\ndisk verified 1\n", 1);
	check_end(&guest);
	world_destroy(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_linux_without_msi),
	};

	if (access(LINUX_FOLDER "/vmlinux", R_OK) != 0) {
		puts("skipped: no " LINUX_FOLDER "/vmlinux: guest/test-kernel/build makes it");
		return 77;
	}
	return world_must_skip() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
