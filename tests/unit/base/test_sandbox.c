/*
 * The sandbox from inside: each case runs in a child that enters it and then tries something. What
 * is forbidden ends the child with SIGSYS; what is permitted goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

enum {
	NOBODY = 65534,
	CHILD_OK = 42,
	CHILD_FAILED = 43,
	CHILD_NOT_ENTERED = 44,
};

/* Runs `act` in a sandboxed child. Returns its wait status. */
static int run_child(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *))
{
	struct sandbox_result result;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (sandbox_enter(policy, &result) != 0) {
			_exit(CHILD_NOT_ENTERED);
		}
		act(&result);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_killed(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *))
{
	int status = run_child(policy, act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void assert_fine(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *))
{
	int status = run_child(policy, act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void check(bool condition)
{
	if (!condition) {
		_exit(CHILD_FAILED);
	}
}

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
	check(open("/etc/passwd", O_RDONLY) < 0);
}

static void act_socket(const struct sandbox_result *result)
{
	(void)result;
	check(socket(AF_INET, SOCK_STREAM, 0) < 0);
}

static void act_fork(const struct sandbox_result *result)
{
	(void)result;
	check(fork() < 0);
}

static void act_kill_parent(const struct sandbox_result *result)
{
	(void)result;
	check(kill(getppid(), 0) < 0);
}

#ifndef TANMATSU_SANITIZED /* whose shadow memory may be mapped in any way */
static void act_executable_memory(const struct sandbox_result *result)
{
	(void)result;
	check(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
}

static void act_make_executable(const struct sandbox_result *result)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)result;
	check(page != MAP_FAILED);
	check(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
}
#endif

static void act_other_fcntl(const struct sandbox_result *result)
{
	(void)result;
	check(fcntl(0, F_SETOWN, 1) < 0);
}

static void act_ptrace(const struct sandbox_result *result)
{
	(void)result;
	check(syscall(SYS_ptrace, 0, 0, 0, 0) < 0);
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
		assert_killed(&PLAIN, acts[i]);
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

	check(result->seccomp);
	for (size_t i = 0; i < 100; i++) {
		char *block = malloc(i * 40000 + 1);
		char *larger;

		check(block != NULL);
		memset(block, (int)i, i * 40000 + 1);
		larger = realloc(block, i * 80000 + 1);
		check(larger != NULL);
		free(larger);
	}
	for (int i = 0; i < 5000; i++) {
		numbers[i] = i * 7919 % 5000;
	}
	qsort(numbers, 5000, sizeof(numbers[0]), compare);
	check(numbers[0] == 0 && numbers[4999] == 4999);
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
	assert_fine(&PLAIN, act_ordinary_work);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		check(sd_event_new(&event) >= 0);
		check(ipc_pair(ends) == 0);
		check(ipc_channel_create_take(event, ends[0], 10, &ops, &sum, &channel) == 0);
		check(sandbox_enter(&PLAIN, &result) == 0);
		check(sd_event_add_time_relative(
			  event, NULL, CLOCK_MONOTONIC, 1000, 1, count_turn, &fired) >= 0);
		check(ipc_send(ends[1], 5, NULL, &ends[1], 1) == 0);
		check(fd_set_nonblocking(ends[1]) == 0);
		while (!fired || sum != 5) {
			check(sd_event_run(event, UINT64_MAX) >= 0);
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
	status = run_child(&PLAIN, act_abort);
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
	assert_fine(&PLAIN, act_exit);
}

static const struct sandbox_permission EXTRA[] = {
	SANDBOX_PERMIT(openat, "the test tries files"),
	SANDBOX_PERMIT(socket, "the test tries sockets"),
	SANDBOX_PERMIT(bind, "the test tries sockets"),
	SANDBOX_PERMIT_ARG(prctl, 0, PR_GET_DUMPABLE, "the test looks"),
	SANDBOX_PERMIT_ARG(prctl, 0, PR_GET_NO_NEW_PRIVS, "the test looks"),
	SANDBOX_PERMIT_ARG(prctl, 0, PR_CAPBSET_READ, "the test looks"),
	SANDBOX_PERMIT(getuid, "the test looks"),
	SANDBOX_PERMIT(geteuid, "the test looks"),
	SANDBOX_PERMIT(getgid, "the test looks"),
	SANDBOX_PERMIT(getgroups, "the test looks"),
	SANDBOX_PERMIT(setresuid, "the test tries to get back"),
	SANDBOX_PERMIT(getdents64, "the test tries files"),
	SANDBOX_PERMIT(mkdir, "the test tries files"),
	SANDBOX_PERMIT(prlimit64, "the test looks"),
	SANDBOX_PERMIT(clone, "the test tries processes"),
};

static const struct sandbox_policy LOOKING = {
	.process = "test",
	.permissions = EXTRA,
	.permission_count = sizeof(EXTRA) / sizeof(EXTRA[0]),
};

/* Where seccomp lets it try, the other layers still say no. */
static void act_look_around(const struct sandbox_result *result)
{
	struct rlimit core;

	check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	check(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
	if (result->landlocked || result->root_emptied) {
		check(open("/etc/passwd", O_RDONLY) < 0);
		check(open("/", O_RDONLY | O_DIRECTORY) < 0 || result->root_emptied);
		check(mkdir("/new", 0700) < 0);
		check(open("/new", O_CREAT | O_RDWR, 0600) < 0);
	}
	if (result->capabilities_dropped) {
		check(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
		check(prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 0);
	}
}

static void test_layers_below_seccomp(void **state)
{
	(void)state;
	assert_fine(&LOOKING, act_look_around);
}

static void act_expect_nobody(const struct sandbox_result *result)
{
	check(result->uid_dropped && result->root_emptied && result->capabilities_dropped);
	check(getuid() == NOBODY && geteuid() == NOBODY && getgid() == NOBODY);
	check(getgroups(0, NULL) == 0);
	check(setresuid(0, 0, 0) < 0 && errno == EPERM);
	act_look_around(result);
}

/*
 * Root in a container that may not mount: the root is emptied all the same, by another way.
 */
static void test_root_that_may_not_mount(void **state)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	struct sandbox_policy policy = LOOKING;
	struct sandbox_result result;
	int status;
	pid_t child;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	policy.uid = NOBODY;
	policy.gid = NOBODY;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		check(syscall(SYS_capget, &header, data) == 0);
		data[0].effective &= ~(1u << CAP_SYS_ADMIN);
		data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
		check(syscall(SYS_capset, &header, data) == 0);
		check(sandbox_enter(&policy, &result) == 0);
		act_expect_nobody(&result);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void act_expect_ordinary(const struct sandbox_result *result)
{
	check(!result->uid_dropped && !result->root_emptied && result->seccomp);
	act_look_around(result);
}

static void test_root_becomes_nobody(void **state)
{
	struct sandbox_policy policy = LOOKING;

	(void)state;
	policy.uid = NOBODY;
	policy.gid = NOBODY;
	if (geteuid() != 0) {
		assert_fine(&policy, act_expect_ordinary);
		return;
	}
	assert_fine(&policy, act_expect_nobody);
	policy.gid = 0;
	assert_int_equal(WEXITSTATUS(run_child(&policy, act_expect_nobody)), CHILD_NOT_ENTERED);
}

/* The same program started by an ordinary user is sandboxed as far as that user can. */
static void test_ordinary_user(void **state)
{
	struct sandbox_result result;
	struct sandbox_policy policy = LOOKING;
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	policy.uid = NOBODY;
	policy.gid = NOBODY;
	if (child == 0) {
		if (geteuid() == 0) {
			check(setresgid(NOBODY, NOBODY, NOBODY) == 0);
			check(setresuid(NOBODY, NOBODY, NOBODY) == 0);
		}
		check(sandbox_enter(&policy, &result) == 0);
		act_expect_ordinary(&result);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void act_expect_files(const struct sandbox_result *result)
{
	check(!result->root_emptied && !result->landlocked && result->seccomp);
	check(open("/etc/passwd", O_RDONLY) >= 0);
}

static void test_keep_files(void **state)
{
	struct sandbox_policy policy = LOOKING;

	(void)state;
	policy.keep_files = true;
	assert_fine(&policy, act_expect_files);
}

static void act_expect_capabilities(const struct sandbox_result *result)
{
	check(!result->capabilities_dropped);
	check(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 1);
}

static void test_keep_capabilities(void **state)
{
	struct sandbox_policy policy = LOOKING;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	policy.keep_capabilities = true;
	policy.keep_files = true;
	assert_fine(&policy, act_expect_capabilities);
}

#ifndef TANMATSU_SANITIZED
static void *run_thread(void *context)
{
	sem_wait(context);
	return NULL;
}
#endif

/* A thread that is there already would keep what this one gives up. */
static void test_second_thread(void **state)
{
#ifdef TANMATSU_SANITIZED
	(void)state;
	skip(); /* sanitizers have threads of their own, so nothing can be told from their number */
#else
	struct sandbox_result result;
	sem_t gate;
	pthread_t thread;
	int status;
	pid_t child = fork();

	(void)state;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	assert_true(child >= 0);
	if (child == 0) {
		check(pthread_create(&thread, NULL, run_thread, &gate) == 0);
		check(sandbox_enter(&PLAIN, &result) == -EBUSY);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
#endif
}

static void act_large_allocation(const struct sandbox_result *result)
{
	(void)result;
#ifndef TANMATSU_SANITIZED
	check(mmap(NULL, 512u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
#endif
}

static void test_address_space_limit(void **state)
{
	struct sandbox_policy policy = PLAIN;

	(void)state;
	policy.address_space_limit_mib = 256;
	assert_fine(&policy, act_large_allocation);
}

static void test_print(void **state)
{
	char *text = calloc(1, 65536);
	const struct sandbox_permission *common;
	size_t common_count;
	size_t lines = 0;
	int ends[2];

	(void)state;
	assert_non_null(text);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 65536) > 0);
	sandbox_print(&LOOKING, ends[1]);
	fd_close(&ends[1]);
	assert_true(read(ends[0], text, 65535) > 0);
	for (const char *at = text; (at = strchr(at, '\n')); at++) {
		lines++;
	}
	common = sandbox_common_permissions(&common_count);
	assert_in_range(lines, common_count + LOOKING.permission_count + 2, 200);
	assert_ptr_equal(strstr(text, "# test: no files"), text);
	assert_non_null(
	    strstr(text, "openat             any                    the test tries files\n"));
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
		cmocka_unit_test(test_layers_below_seccomp),
		cmocka_unit_test(test_root_becomes_nobody),
		cmocka_unit_test(test_root_that_may_not_mount),
		cmocka_unit_test(test_ordinary_user),
		cmocka_unit_test(test_keep_files),
		cmocka_unit_test(test_keep_capabilities),
		cmocka_unit_test(test_second_thread),
		cmocka_unit_test(test_address_space_limit),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
