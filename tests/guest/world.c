/* See world.h. What must stay true: nothing here sleeps; a change of the log is awaited, with an end. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

enum {
	LOG_MAX = 16 << 20,
	AWAIT_MS = 20000,
};

bool world_must_skip(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		puts("skipped: /dev/kvm cannot be opened");
		return true;
	}
	close(fd);
	return false;
}

void world_create(struct world *world)
{
	int fd;

	*world = (struct world){ .folder = "/tmp/tanmatsu-test-guest.XXXXXX" };
	assert_non_null(mkdtemp(world->folder));
	snprintf(world->console, sizeof(world->console), "%s/console", world->folder);
	fd = open(world->console, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	world->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	assert_true(world->watch >= 0);
	assert_true(inotify_add_watch(world->watch, world->console, IN_MODIFY) >= 0);
	world->await_ms = AWAIT_MS;
	world->options.kernel = TINY_GUEST;
	world->options.command_line = "tiny";
	world->options.console = world->console;
	world->vmm.pid = -1;
	world->vmm.control = world->vmm.listen = world->vmm.link = world->vmm.picture_fd = -1;
}

void world_destroy(struct world *world)
{
	DIR *folder = opendir(world->folder);
	struct dirent *entry;

	vmm_harness_fini(&world->vmm);
	fd_close(&world->watch);
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.') {
			unlinkat(dirfd(folder), entry->d_name, 0);
		}
	}
	if (folder) {
		closedir(folder);
	}
	rmdir(world->folder);
}

void world_boot(struct world *world)
{
	assert_int_equal(vmm_harness_boot(&world->vmm, &world->options, NULL), 0);
}

void world_resume(struct world *world)
{
	int error = vmm_harness_boot(&world->vmm, &world->options, world->folder);

	if (error) {
		(void)!vmm_harness_wait_exit(&world->vmm);
		print_error("resume: %s: %s\n", strerror(-error), world->vmm.exit_text);
	}
	assert_int_equal(error, 0);
}

void world_suspend(struct world *world, struct vmm_suspend_report *report)
{
	assert_int_equal(vmm_harness_suspend(&world->vmm, world->folder, report), 0);
	assert_int_equal(vmm_harness_quit(&world->vmm), 0);
	assert_true(WIFEXITED(world->vmm.status));
	assert_int_equal(WEXITSTATUS(world->vmm.status), VMM_EXIT_QUIT);
	vmm_harness_fini(&world->vmm);
}

void world_expect_exit(struct world *world, int code)
{
	assert_int_equal(vmm_harness_wait_exit(&world->vmm), 0);
	assert_true(WIFEXITED(world->vmm.status));
	assert_int_equal(WEXITSTATUS(world->vmm.status), code);
	assert_int_equal(world->vmm.exit_code, code);
	assert_string_not_equal(world->vmm.exit_text, "");
}

char *world_log(const struct world *world)
{
	int fd = open(world->console, O_RDONLY | O_CLOEXEC);
	char *text;
	size_t size;

	assert_true(fd >= 0);
	assert_int_equal(fd_read_file(fd, LOG_MAX, &text, &size), 0);
	close(fd);
	return text;
}

unsigned world_count(const struct world *world, const char *text)
{
	char *log = world_log(world);
	unsigned count = 0;

	for (const char *at = strstr(log, text); at; at = strstr(at + 1, text)) {
		count++;
	}
	free(log);
	return count;
}

/* Something was written to the log, or the time is over. */
static void await_change(struct world *world, uint64_t deadline_us)
{
	struct pollfd poller = { .fd = world->watch, .events = POLLIN };
	uint64_t now = clock_monotonic_us();
	char events[4096];

	if (now >= deadline_us) {
		char *log = world_log(world);

		print_error("waited too long; the log:\n%s\n", log);
		free(log);
		fail();
	}
	(void)poll(&poller, 1, (int)((deadline_us - now) / 1000) + 1);
	while (read(world->watch, events, sizeof(events)) > 0) {
	}
}

void world_await(struct world *world, const char *text, unsigned times)
{
	uint64_t deadline = clock_monotonic_us() + world->await_ms * 1000ull;

	while (world_count(world, text) < times) {
		await_change(world, deadline);
	}
}

unsigned world_last_line(const struct world *world)
{
	char *log = world_log(world);
	unsigned last = 0;

	for (const char *at = log; at; at = strchr(at, '\n')) {
		unsigned number;

		at += *at == '\n';
		if (strchr(at, '\n') && sscanf(at, "L%u ", &number) == 1) {
			last = number;
		}
	}
	free(log);
	return last;
}

void world_await_lines(struct world *world, unsigned count)
{
	uint64_t deadline = clock_monotonic_us() + world->await_ms * 1000ull;
	unsigned start = world_last_line(world);

	while (world_last_line(world) < start + count) {
		await_change(world, deadline);
	}
}

void world_check_log(const struct world *world)
{
	char *log = world_log(world);
	unsigned next = 1;

	assert_null(strstr(log, "BAD"));
	assert_null(strstr(log, "exception"));
	for (const char *at = strstr(log, "\nL"); at; at = strstr(at + 1, "\nL")) {
		unsigned number;
		unsigned key;

		/* The last line may not be whole. */
		if (!strchr(at + 1, '\n')) {
			break;
		}
		assert_int_equal(sscanf(at, "\nL%u k%u\n", &number, &key), 2);
		assert_int_equal(number, next);
		next++;
	}
	assert_true(next > 1);
	free(log);
}
