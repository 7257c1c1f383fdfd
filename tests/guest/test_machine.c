/* One machine and its monitor: boot, keys, reset, ways to end, a monitor that goes away, viewers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

static void test_boot_and_keys(void **state)
{
	struct vmm_statistics statistics;
	struct world world;

	(void)state;
	world_create(&world);
	world.options.command_line = "said by the test";
	world_boot(&world);
	world_await(&world, "boot said by the test\nready\n", 1);
	assert_int_equal(vmm_harness_type(&world.vmm, "a"), 0);
	world_await(&world, " k30\n", 1);
	assert_int_equal(vmm_harness_type(&world.vmm, "\n"), 0);
	world_await(&world, " k28\n", 1);
	world_check_log(&world);
	assert_int_equal(vmm_harness_statistics(&world.vmm, &statistics), 0);
	assert_int_equal(statistics.input_events, 4);
	assert_true(statistics.exits > 100);
	assert_true(statistics.vcpu_us > 0 && statistics.vcpu_us <= statistics.uptime_us * 2);
	assert_true(
	    statistics.ram_private_bytes > 16 << 20 && statistics.ram_private_bytes < 24 << 20);
	assert_int_equal(statistics.width, 1024);
	assert_int_equal(statistics.damage_scans, 0); /* nobody looks */
	world_destroy(&world);
}

static void test_pause(void **state)
{
	struct world world;
	unsigned exits;
	struct vmm_statistics statistics;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 1);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
		assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RUN), 0);
	}
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
	assert_int_equal(vmm_harness_statistics(&world.vmm, &statistics), 0);
	exits = (unsigned)statistics.exits;
	assert_int_equal(vmm_harness_statistics(&world.vmm, &statistics), 0);
	assert_int_equal(statistics.exits, exits);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RUN), 0);
	world_await_lines(&world, 2);
	world_check_log(&world);
	world_destroy(&world);
}

/* Three ways; each time it begins anew with clean memory, and can be suspended afterwards. */
static void test_reset(void **state)
{
	struct vmm_suspend_report report;
	struct world world;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await(&world, "ready\nL1 ", 1);
	assert_int_equal(vmm_harness_type(&world.vmm, "r"), 0);
	world_await(&world, "ready\nL1 ", 2);
	assert_int_equal(vmm_harness_type(&world.vmm, "t"), 0);
	world_await(&world, "ready\nL1 ", 3);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RESET), 0);
	world_await(&world, "ready\nL1 ", 4);
	world_suspend(&world, &report);
	world_resume(&world);
	world_await_lines(&world, 1);
	assert_int_equal(vmm_harness_type(&world.vmm, "r"), 0);
	world_await(&world, "ready\nL1 ", 5);
	world_suspend(&world, &report);
	assert_true(report.complete); /* its memory has nothing to do with the layers any more */
	world_resume(&world);
	world_await_lines(&world, 2);
	assert_int_equal(world_count(&world, "BAD"), 0);
	assert_int_equal(world_count(&world, "exception"), 0);
	world_destroy(&world);
}

static void test_ends(void **state)
{
	struct world world;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 1);
	assert_int_equal(vmm_harness_type(&world.vmm, "o"), 0);
	world_expect_exit(&world, VMM_EXIT_POWERED_OFF);
	vmm_harness_fini(&world.vmm);

	world_boot(&world);
	world_await(&world, "ready\n", 2);
	assert_int_equal(vmm_harness_type(&world.vmm, "x"), 0);
	world_expect_exit(&world, VMM_EXIT_KVM);
	assert_non_null(strstr(world.vmm.exit_text, "0xd0000000"));
	vmm_harness_fini(&world.vmm);

	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	world.options.kernel = "/proc/self/exe";
	assert_int_not_equal(vmm_harness_configure(&world.vmm, &world.options), 0);
	world_expect_exit(&world, VMM_EXIT_KERNEL);
	vmm_harness_fini(&world.vmm);

	world.options.kernel = TINY_GUEST;
	world.options.memory_mib = 1024 * 1024;
	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	assert_int_not_equal(vmm_harness_configure(&world.vmm, &world.options), 0);
	world_expect_exit(&world, VMM_EXIT_MEMORY);
	vmm_harness_fini(&world.vmm);

	world.options.memory_mib = 3; /* less than any PC */
	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	assert_int_not_equal(vmm_harness_configure(&world.vmm, &world.options), 0);
	world_expect_exit(&world, VMM_EXIT_PROTOCOL);
	world_destroy(&world);
}

static void test_requests_out_of_order(void **state)
{
	struct world world;
	uint16_t type;

	(void)state;
	world_create(&world);
	assert_int_equal(vmm_harness_start(&world.vmm, &world.options), 0);
	for (type = VMM_RUN; type <= VMM_CONSOLE; type++) {
		if (type != VMM_QUIT) {
			assert_int_equal(vmm_harness_simple(&world.vmm, type), -ENODEV);
		}
	}
	assert_int_equal(vmm_harness_configure(&world.vmm, &world.options), 0);
	assert_int_equal(vmm_harness_configure(&world.vmm, &world.options), -EALREADY);
	/* Bodies that are missing. */
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_ATTACH), -EPROTO);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_DETACH), -EPROTO);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_SUSPEND), -EPROTO);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_INPUT), -EPROTO);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RESIZE), -EPROTO);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_CONSOLE), -EPROTO);
	/* A request that does not exist costs the connection, not the machine. */
	assert_int_equal(vmm_harness_simple(&world.vmm, 99), -EPIPE);
	assert_int_equal(vmm_harness_reconnect(&world.vmm), 0);
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_RUN), 0);
	world_await_lines(&world, 1);
	assert_int_equal(vmm_harness_quit(&world.vmm), 0);
	world_destroy(&world);
}

static void test_monitor_goes_away(void **state)
{
	struct world world;
	char session[64];
	int old;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await_lines(&world, 1);
	assert_int_equal(vmm_harness_reconnect(&world.vmm), 0);
	assert_int_equal(wire_get_u8(&world.vmm.message.body), VMM_STATE_RUNNING);
	wire_get_string(&world.vmm.message.body, session, sizeof(session));
	assert_string_equal(session, "test");
	assert_int_equal(wire_get_u32(&world.vmm.message.body), 64);
	assert_int_equal(wire_get_u32(&world.vmm.message.body), world.vmm.pid);
	world_await_lines(&world, 2);
	/* A second monitor waits until the first is gone. */
	old = world.vmm.control;
	world.vmm.control = -1;
	world.vmm.timeout_ms = 200;
	assert_int_equal(vmm_harness_reconnect(&world.vmm), -ETIMEDOUT);
	close(old);
	world.vmm.timeout_ms = 10000;
	assert_int_equal(vmm_harness_reconnect(&world.vmm), 0);
	world_check_log(&world);
	world_destroy(&world);
}

/* Reads until `text` has come. */
static void await_console(int console, const char *text)
{
	static char got[1 << 20];
	size_t used = 0;

	do {
		struct pollfd waits = { .fd = console, .events = POLLIN };
		ssize_t size;

		assert_int_equal(poll(&waits, 1, 10000), 1);
		size = read(console, got + used, sizeof(got) - 1 - used);
		assert_true(size > 0);
		used += (size_t)size;
		got[used] = '\0';
	} while (!strstr(got, text));
}

/* What goes to the log goes there as well; one at a time; nobody reading, or a flood of input, stops nothing. */
static void test_console(void **state)
{
	static const char flood[65536];
	struct world world;
	int first, second;

	(void)state;
	world_create(&world);
	world_boot(&world);
	assert_int_equal(vmm_harness_console(&world.vmm, &first), 0);
	await_console(first, "\nL");
	/* This guest never reads its serial port: the queue fills, then the socket does. */
	while (send(first, flood, sizeof(flood), MSG_DONTWAIT) > 0) {
	}
	assert_int_equal(errno, EAGAIN);
	world_await_lines(&world, 2);
	assert_int_equal(vmm_harness_console(&world.vmm, &second), 0);
	await_console(first, "another console was opened");
	assert_int_not_equal(read(first, &(char){ 0 }, 1), 1);
	await_console(second, "\nL");
	close(second);
	world_await_lines(&world, 2);
	world_check_log(&world);
	/* It ends with the process. */
	assert_int_equal(vmm_harness_console(&world.vmm, &second), 0);
	assert_int_equal(vmm_harness_type(&world.vmm, "r"), 0);
	await_console(second, "ready\n");
	assert_int_equal(vmm_harness_quit(&world.vmm), 0);
	while (read(second, &(char){ 0 }, 1) > 0) {
	}
	close(first);
	close(second);
	world_destroy(&world);
}

static void test_viewer(void **state)
{
	struct world world;
	uint32_t id;
	uint64_t bytes = 0;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await(&world, "L3 ", 1);
	assert_int_equal(vmm_harness_attach(&world.vmm, 77), 0);
	assert_int_equal(vmm_harness_want(&world.vmm, 0), 0);
	assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
	id = world.vmm.scanout.id;
	assert_int_not_equal(id, 0);
	assert_int_equal(world.vmm.scanout.width, 1024);
	/* First all of it, then what the guest draws: 16 rows of 4 KiB at the top. */
	assert_int_equal(world.vmm.damage.span_count, 1);
	assert_int_equal(world.vmm.damage.spans[0].length, 1024 * 768 * 4);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(vmm_harness_want(&world.vmm, id), 0);
		assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
		for (size_t span = 0; span < world.vmm.damage.span_count; span++) {
			assert_true(world.vmm.damage.spans[span].offset +
					world.vmm.damage.spans[span].length <=
				    16 * 4096);
			bytes += world.vmm.damage.spans[span].length;
		}
	}
	assert_true(bytes > 0);
	/* The picture is the guest's own memory: it changes without a copy. */
	assert_int_not_equal(((const uint32_t *)(const void *)world.vmm.picture)[3 * 16], 0);
	/* Nobody waits: nothing is looked at. */
	{
		struct vmm_statistics first, second;

		assert_int_equal(vmm_harness_statistics(&world.vmm, &first), 0);
		world_await_lines(&world, 5);
		assert_int_equal(vmm_harness_statistics(&world.vmm, &second), 0);
		assert_int_equal(first.viewers, 1);
		assert_int_equal(first.damage_scans, second.damage_scans);
	}
	world_destroy(&world);
}

/* Each viewer is told everything, however slowly it asks. */
static void test_two_viewers(void **state)
{
	struct world world;
	int first_link;

	(void)state;
	world_create(&world);
	world_boot(&world);
	world_await(&world, "L1 ", 1);
	assert_int_equal(vmm_harness_attach(&world.vmm, 1), 0);
	assert_int_equal(vmm_harness_want(&world.vmm, 0), 0);
	assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
	first_link = world.vmm.link;
	world.vmm.link = -1;
	assert_int_equal(vmm_harness_attach(&world.vmm, 1), -EEXIST);
	assert_int_equal(vmm_harness_attach(&world.vmm, 2), 0);
	assert_int_equal(vmm_harness_want(&world.vmm, 0), 0);
	assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
	/* The second looks until it has seen changes; then the first still hears of them. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(vmm_harness_want(&world.vmm, world.vmm.scanout.id), 0);
		assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
	}
	assert_int_equal(vmm_harness_simple(&world.vmm, VMM_PAUSE), 0);
	close(world.vmm.link);
	world.vmm.link = first_link;
	assert_int_equal(vmm_harness_want(&world.vmm, world.vmm.scanout.id), 0);
	assert_int_equal(vmm_harness_damage(&world.vmm, 5000), 0);
	assert_true(world.vmm.damage.span_count > 0);
	world_destroy(&world);
}

static void test_viewer_that_breaks_the_protocol(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t bytes[16];
		size_t size;
	} broken[] = {
		{ LINK_WANT, { 0 }, 3 },
		{ LINK_WANT, { 0 }, 5 },
		{ LINK_INPUT, { 0 }, 0 },
		{ LINK_INPUT, { 1, 0, 30 }, 3 },
		{ LINK_INPUT, { 99, 0, 30, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 12 },
		{ LINK_RESIZE, { 0 }, 8 },
		{ LINK_RESIZE, { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 8 },
		{ LINK_SCANOUT, { 0 }, 0 },
		{ 1000, { 0 }, 0 },
	};
	struct world world;

	(void)state;
	world_create(&world);
	world_boot(&world);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct pollfd poller;
		uint8_t bytes[16];
		struct wire wire;

		assert_int_equal(vmm_harness_attach(&world.vmm, i), 0);
		wire_init_write(&wire, bytes, sizeof(bytes));
		wire_put_bytes(&wire, broken[i].bytes, broken[i].size);
		assert_int_equal(ipc_send(world.vmm.link, broken[i].type, &wire, NULL, 0), 0);
		poller = (struct pollfd){ .fd = world.vmm.link, .events = POLLIN };
		assert_int_equal(poll(&poller, 1, 5000), 1);
		assert_true(poller.revents & POLLHUP);
	}
	world_await_lines(&world, 2);
	world_check_log(&world);
	world_destroy(&world);
}

static void read_status(const struct world *world, char text[8192])
{
	char path[64];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", world->vmm.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	size = read(fd, text, 8191);
	assert_true(size > 0);
	text[size] = '\0';
	close(fd);
}

static void test_sandbox_is_on(void **state)
{
	struct vmm_suspend_report report;
	struct world world;
	char text[8192];

	(void)state;
	world_create(&world);
	world.options.uid = getuid() == 0 ? 65534 : 0;
	world_boot(&world);
	read_status(&world, text);
	assert_non_null(strstr(text, "Seccomp:\t2\n"));
	assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000\n"));
	if (getuid() == 0) {
		assert_non_null(strstr(text, "CapBnd:\t0000000000000000\n"));
		assert_non_null(strstr(text, "Uid:\t65534\t65534\t65534\t65534\n"));
		assert_non_null(strstr(text, "Gid:\t65534\t65534\t65534\t65534\n"));
	}
	/* And from in there everything can be done. */
	world_await_lines(&world, 2);
	world_suspend(&world, &report);
	world_resume(&world);
	world_await_lines(&world, 2);
	world_suspend(&world, &report);
	assert_false(report.complete);
	assert_true(report.ram_bytes < 8 << 20);
	world_check_log(&world);
	world_destroy(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_and_keys),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_requests_out_of_order),
		cmocka_unit_test(test_monitor_goes_away),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_viewer),
		cmocka_unit_test(test_two_viewers),
		cmocka_unit_test(test_viewer_that_breaks_the_protocol),
		cmocka_unit_test(test_sandbox_is_on),
	};

	return world_must_skip() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
