/* Processes and the records of them: started with the descriptors named, found again by number and start time, or not. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "hostd/process.h"
#include "hostd/record.h"

struct ended {
	sd_event *event;
	int status;
	int calls;
	bool go_on; /* the test runs the loop itself */
};

static void on_ended(struct process *process, int status, void *context)
{
	struct ended *ended = context;

	ended->status = status;
	ended->calls++;
	process_destroy(process);
	if (!ended->go_on) {
		(void)sd_event_exit(ended->event, 0);
	}
}

static int start(struct ended *ended, const char *script, const int *fds, size_t fd_count,
    struct process **process)
{
	const char *arguments[] = { "/bin/sh", "-c", script, NULL };
	const struct process_spec spec = {
		.path = "/bin/sh",
		.arguments = arguments,
		.fds = fds,
		.fd_count = fd_count,
		.log_fd = -1,
	};

	assert_int_equal(sd_event_new(&ended->event), 0);
	return process_spawn(ended->event, &spec, on_ended, ended, process);
}

static void test_descriptors_arrive_in_order(void **state)
{
	struct ended ended = { 0 };
	struct process *process = NULL;
	int first[2];
	int second[2];
	char byte = 0;

	(void)state;
	assert_int_equal(pipe2(first, O_CLOEXEC), 0);
	assert_int_equal(pipe2(second, O_CLOEXEC), 0);
	/* Given in this order they are 3 and 4; anything else is closed. */
	assert_int_equal(
	    start(&ended, "printf b >&4; printf a >&3; [ -e /dev/fd/5 ] && exit 9; exit 7",
		(const int[]){ second[1], first[1] }, 2, &process),
	    0);
	assert_int_equal(sd_event_loop(ended.event), 0);
	assert_true(WIFEXITED(ended.status));
	assert_int_equal(WEXITSTATUS(ended.status), 7);
	assert_int_equal(read(second[0], &byte, 1), 1);
	assert_int_equal(byte, 'a');
	assert_int_equal(read(first[0], &byte, 1), 1);
	assert_int_equal(byte, 'b');
	for (int i = 0; i < 2; i++) {
		fd_close(&first[i]);
		fd_close(&second[i]);
	}
	sd_event_unref(ended.event);
}

static void test_a_missing_program_is_an_error(void **state)
{
	const char *arguments[] = { "/nonexistent/program", NULL };
	const struct process_spec spec = {
		.path = arguments[0], .arguments = arguments, .log_fd = -1
	};
	struct process *process = NULL;
	struct ended ended = { 0 };

	(void)state;
	assert_int_equal(sd_event_new(&ended.event), 0);
	assert_int_equal(process_spawn(ended.event, &spec, on_ended, &ended, &process), -ENOENT);
	assert_null(process);
	sd_event_unref(ended.event);
}

static void test_killed(void **state)
{
	struct process *process = NULL;
	struct ended ended = { 0 };
	char text[64];

	(void)state;
	assert_int_equal(start(&ended, "exec sleep 600", NULL, 0, &process), 0);
	assert_int_equal(process_signal(process, SIGKILL), 0);
	assert_int_equal(sd_event_loop(ended.event), 0);
	assert_true(WIFSIGNALED(ended.status));
	process_describe(ended.status, text, sizeof(text));
	assert_string_equal(text, "killed by signal 9 (Killed)");
	sd_event_unref(ended.event);
}

static void test_found_by_start_time_only(void **state)
{
	struct process *process = NULL;
	struct process *found = NULL;
	struct ended ended = { .go_on = true };
	struct ended other = { .go_on = true };
	uint64_t start_time;
	pid_t pid;

	(void)state;
	assert_int_equal(start(&ended, "exec sleep 600", NULL, 0, &process), 0);
	other.event = sd_event_ref(ended.event);
	pid = process_pid(process);
	start_time = process_start_time(pid);
	assert_true(start_time != 0);
	assert_int_equal(
	    process_adopt(other.event, pid, start_time + 1, on_ended, &other, &found), -ESRCH);
	assert_int_equal(process_adopt(other.event, 1, 1, on_ended, &other, &found), -ESRCH);
	assert_int_equal(process_adopt(other.event, pid, start_time, on_ended, &other, &found), 0);
	assert_int_equal(process_signal(found, SIGKILL), 0);
	while (ended.calls + other.calls < 2) {
		assert_true(sd_event_run(ended.event, UINT64_MAX) >= 0);
	}
	assert_int_equal(other.status, -1); /* not a child as far as that one knows */
	assert_int_equal(process_start_time(pid), 0);
	sd_event_unref(other.event);
	sd_event_unref(ended.event);
}

static void write_text(int folder, const char *name, const char *text)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

static void test_records(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"pid\": -4}", "not json" };
	struct record record = {
		.pid = 42, .start = 4711, .viewer = 9, .slot = 3, .granted = true, .vcpus = 2
	};
	char folder[] = "/tmp/tanmatsu-record-XXXXXX";
	struct record got;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(record.user, "alice");
	strcpy(record.peer, "192.0.2.7");
	assert_int_equal(record_write(fd, "9", &record), 0);
	assert_int_equal(record_read(fd, "9", &got), 0);
	assert_memory_equal(&record, &got, sizeof(got));
	record_remove(fd, "9");
	assert_int_equal(record_read(fd, "9", &got), -ENOENT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_text(fd, "9.json", bad[i]);
		assert_int_equal(record_read(fd, "9", &got), -EBADMSG);
	}
	record_remove(fd, "9");
	assert_int_equal(symlinkat("/etc/passwd", fd, "9.json"), 0);
	assert_int_equal(record_read(fd, "9", &got), -ELOOP);
	record_remove(fd, "9");
	fd_close(&fd);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors_arrive_in_order),
		cmocka_unit_test(test_a_missing_program_is_an_error),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_found_by_start_time_only),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
