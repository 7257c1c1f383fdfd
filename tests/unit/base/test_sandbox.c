/*
 * The sandbox's list of system calls from inside: what is forbidden ends the child with SIGSYS, what
 * every process needs goes on, and failed assertions and exits stay what they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/sandbox_common.h"
#include "tests/unit/base/sandbox_child.h"

static const struct sandbox_policy PLAIN = { .process = "test" };

static void act_execve(const struct sandbox_result *result)
{
	char *arguments[] = { "/bin/true", NULL };

	(void)result;
	execve(arguments[0], arguments, NULL);
}

static void act_open(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(open("/etc/passwd", O_RDONLY) < 0);
}

static void act_socket(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(socket(AF_INET, SOCK_STREAM, 0) < 0);
}

static void act_fork(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(fork() < 0);
}

static void act_kill_parent(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(kill(getppid(), 0) < 0);
}

#ifndef TANMATSU_SANITIZED /* whose shadow memory may be mapped in any way */
static void act_executable_memory(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				0) == MAP_FAILED);
}

static void act_make_executable(const struct sandbox_result *result)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)result;
	sandbox_child_check(page != MAP_FAILED);
	sandbox_child_check(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
}
#endif

static void act_other_fcntl(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(fcntl(0, F_SETOWN, 1) < 0);
}

static void act_ptrace(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(syscall(SYS_ptrace, 0, 0, 0, 0) < 0);
}

static void test_forbidden_calls_kill(void **state)
{
	static void (*const acts[])(const struct sandbox_result *) = {
		act_execve,
		act_open,
		act_socket,
		act_fork,
		act_kill_parent,
		act_other_fcntl,
		act_ptrace,
#ifndef TANMATSU_SANITIZED
		act_executable_memory,
		act_make_executable,
#endif
	};

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		sandbox_child_assert_killed(&PLAIN, acts[i]);
	}
}

static int count_turn(sd_event_source *source, uint64_t time, void *context)
{
	(void)source;
	(void)time;
	*(bool *)context = true;
	return 0;
}

static int take_message(struct ipc_channel *channel, struct ipc_message *message, void *context)
{
	(void)channel;
	*(unsigned int *)context += message->type;
	return 0;
}

static void lose_peer(struct ipc_channel *channel, int error, void *context)
{
	(void)channel;
	(void)error;
	(void)context;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* What every process of ours does all the time: memory, sorting, log lines. */
static void act_ordinary_work(const struct sandbox_result *result)
{
	static int numbers[5000];

	sandbox_child_check(result->seccomp);
	for (size_t i = 0; i < 100; i++) {
		char *block = malloc(i * 40000 + 1);
		char *larger;

		sandbox_child_check(block != NULL);
		memset(block, (int)i, i * 40000 + 1);
		larger = realloc(block, i * 80000 + 1);
		sandbox_child_check(larger != NULL);
		free(larger);
	}
	for (int i = 0; i < 5000; i++) {
		numbers[i] = i * 7919 % 5000;
	}
	qsort(numbers, 5000, sizeof(numbers[0]), compare);
	sandbox_child_check(numbers[0] == 0 && numbers[4999] == 4999);
	log_debug("%s: inside", "sandbox");
}

/* The same with an event loop and a channel that were opened before. */
static void test_permitted_calls(void **state)
{
	static const struct ipc_channel_ops ops = { .on_message = take_message,
		.on_close = lose_peer };
	struct sandbox_result result;
	struct ipc_channel *channel;
	unsigned int sum = 0;
	bool fired = false;
	sd_event *event;
	int ends[2];
	int status;
	pid_t child;

	(void)state;
	sandbox_child_assert_fine(&PLAIN, act_ordinary_work);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sandbox_child_check(sd_event_new(&event) >= 0);
		sandbox_child_check(ipc_pair(ends) == 0);
		sandbox_child_check(
		    ipc_channel_create_take(event, ends[0], 10, &ops, &sum, &channel) == 0);
		sandbox_child_check(sandbox_enter(&PLAIN, &result) == 0);
		sandbox_child_check(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 1000,
					1, count_turn, &fired) >= 0);
		sandbox_child_check(ipc_send(ends[1], 5, NULL, &ends[1], 1) == 0);
		sandbox_child_check(fd_set_nonblocking(ends[1]) == 0);
		while (!fired || sum != 5) {
			sandbox_child_check(sd_event_run(event, UINT64_MAX) >= 0);
		}
		ipc_channel_destroy(channel);
		sd_event_unref(event);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

/* A failed assertion must end as one, with its message, and not as a mystery. */
static void act_abort(const struct sandbox_result *result)
{
	(void)result;
	abort();
}

static void test_abort_stays_abort(void **state)
{
	int status;

	(void)state;
	status = sandbox_child_run(&PLAIN, act_abort);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* The ordinary end, with what libraries do at exit. */
static void act_exit(const struct sandbox_result *result)
{
	(void)result;
	exit(CHILD_OK);
}

static void test_exit(void **state)
{
	(void)state;
	sandbox_child_assert_fine(&PLAIN, act_exit);
}

static const struct sandbox_permission LISTED[] = {
	SANDBOX_PERMIT(openat, "the test reads files"),
	SANDBOX_PERMIT_ARG(prctl, 0, PR_SET_NAME, "the test names itself"),
};

static void test_print(void **state)
{
	const struct sandbox_policy policy = {
		.process = "test",
		.permissions = LISTED,
		.permission_count = sizeof(LISTED) / sizeof(LISTED[0]),
	};
	char *text = calloc(1, 65536);
	const struct sandbox_permission *common;
	size_t common_count;
	size_t lines = 0;
	int ends[2];

	(void)state;
	assert_non_null(text);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 65536) > 0);
	sandbox_print(&policy, ends[1]);
	fd_close(&ends[1]);
	assert_true(read(ends[0], text, 65535) > 0);
	for (const char *at = text; (at = strchr(at, '\n')); at++) {
		lines++;
	}
	common = sandbox_common_permissions(&common_count);
	assert_in_range(lines, common_count + policy.permission_count + 2, 200);
	assert_ptr_equal(strstr(text, "# test: no files"), text);
	assert_non_null(
	    strstr(text, "openat             any                    the test reads files\n"));
	assert_non_null(strstr(text, "mmap               arg2 & 0x4 == 0x0"));
	assert_null(strchr(text, '%'));
	for (size_t i = 0; i < common_count; i++) {
		assert_non_null(common[i].reason);
		assert_non_null(strstr(text, common[i].reason));
	}
	fd_close(&ends[0]);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden_calls_kill),
		cmocka_unit_test(test_permitted_calls),
		cmocka_unit_test(test_abort_stays_abort),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
