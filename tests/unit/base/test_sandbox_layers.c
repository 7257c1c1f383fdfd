/*
 * The layers below the list of system calls: with a list that lets the child try, the file system,
 * the uid, capabilities and limits still say no. As root, as an ordinary user, and as root of a
 * container that may not mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sandbox.h"
#include "tests/unit/base/sandbox_child.h"

static const struct sandbox_policy PLAIN = { .process = "test" };

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

	sandbox_child_check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	sandbox_child_check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	sandbox_child_check(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
	if (result->landlocked || result->root_emptied) {
		sandbox_child_check(open("/etc/passwd", O_RDONLY) < 0);
		sandbox_child_check(open("/", O_RDONLY | O_DIRECTORY) < 0 || result->root_emptied);
		sandbox_child_check(mkdir("/new", 0700) < 0);
		sandbox_child_check(open("/new", O_CREAT | O_RDWR, 0600) < 0);
	}
	if (result->capabilities_dropped) {
		sandbox_child_check(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0);
		sandbox_child_check(prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 0);
	}
}

static void act_clone3(const struct sandbox_result *result)
{
	(void)result;
	sandbox_child_check(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
}

/* Threads are started with clone() where only that is permitted, and not at all elsewhere. */
static void test_clone3(void **state)
{
	(void)state;
	sandbox_child_assert_fine(&LOOKING, act_clone3);
	sandbox_child_assert_killed(&PLAIN, act_clone3);
}

static void test_layers_below_seccomp(void **state)
{
	(void)state;
	sandbox_child_assert_fine(&LOOKING, act_look_around);
}

static void act_expect_nobody(const struct sandbox_result *result)
{
	sandbox_child_check(
	    result->uid_dropped && result->root_emptied && result->capabilities_dropped);
	sandbox_child_check(getuid() == NOBODY && geteuid() == NOBODY && getgid() == NOBODY);
	sandbox_child_check(getgroups(0, NULL) == 0);
	sandbox_child_check(setresuid(0, 0, 0) < 0 && errno == EPERM);
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
		sandbox_child_check(syscall(SYS_capget, &header, data) == 0);
		data[0].effective &= ~(1u << CAP_SYS_ADMIN);
		data[0].permitted &= ~(1u << CAP_SYS_ADMIN);
		sandbox_child_check(syscall(SYS_capset, &header, data) == 0);
		sandbox_child_check(sandbox_enter(&policy, &result) == 0);
		act_expect_nobody(&result);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void act_expect_ordinary(const struct sandbox_result *result)
{
	sandbox_child_check(!result->uid_dropped && !result->root_emptied && result->seccomp);
	act_look_around(result);
}

static void test_root_becomes_nobody(void **state)
{
	struct sandbox_policy policy = LOOKING;

	(void)state;
	policy.uid = NOBODY;
	policy.gid = NOBODY;
	if (geteuid() != 0) {
		sandbox_child_assert_fine(&policy, act_expect_ordinary);
		return;
	}
	sandbox_child_assert_fine(&policy, act_expect_nobody);
	policy.gid = 0;
	assert_int_equal(
	    WEXITSTATUS(sandbox_child_run(&policy, act_expect_nobody)), CHILD_NOT_ENTERED);
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
			sandbox_child_check(setresgid(NOBODY, NOBODY, NOBODY) == 0);
			sandbox_child_check(setresuid(NOBODY, NOBODY, NOBODY) == 0);
		}
		sandbox_child_check(sandbox_enter(&policy, &result) == 0);
		act_expect_ordinary(&result);
		_exit(CHILD_OK);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

static void act_expect_files(const struct sandbox_result *result)
{
	sandbox_child_check(!result->root_emptied && !result->landlocked && result->seccomp);
	sandbox_child_check(open("/etc/passwd", O_RDONLY) >= 0);
}

static void test_keep_files(void **state)
{
	struct sandbox_policy policy = LOOKING;

	(void)state;
	policy.keep_files = true;
	sandbox_child_assert_fine(&policy, act_expect_files);
}

static void act_expect_capabilities(const struct sandbox_result *result)
{
	sandbox_child_check(!result->capabilities_dropped);
	sandbox_child_check(prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 1);
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
	sandbox_child_assert_fine(&policy, act_expect_capabilities);
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
		sandbox_child_check(pthread_create(&thread, NULL, run_thread, &gate) == 0);
		sandbox_child_check(sandbox_enter(&PLAIN, &result) == -EBUSY);
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
	sandbox_child_check(
	    mmap(NULL, 512u << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
#endif
}

static void test_address_space_limit(void **state)
{
	struct sandbox_policy policy = PLAIN;

	(void)state;
	policy.address_space_limit_mib = 256;
	sandbox_child_assert_fine(&policy, act_large_allocation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clone3),
		cmocka_unit_test(test_layers_below_seccomp),
		cmocka_unit_test(test_root_becomes_nobody),
		cmocka_unit_test(test_root_that_may_not_mount),
		cmocka_unit_test(test_ordinary_user),
		cmocka_unit_test(test_keep_files),
		cmocka_unit_test(test_keep_capabilities),
		cmocka_unit_test(test_second_thread),
		cmocka_unit_test(test_address_space_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
