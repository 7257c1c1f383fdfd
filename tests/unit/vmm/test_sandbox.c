/*
 * The VMM's sandbox, entered by the same table as the process does: what it needs works, and what an attacker would want
 * kills it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/vmm_sandbox.h"

/* The wait status of a child that enters the sandbox and then does `act`. */
static int run_inside(int (*act)(void))
{
	struct sandbox_policy policy = vmm_sandbox_policy(0, 0);
	struct sandbox_result result;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter(&policy, &result) || !result.seccomp) {
			_exit(99);
		}
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int do_execve(void)
{
	char *const arguments[] = { (char *)(uintptr_t) "/bin/true", NULL };

	return execve(arguments[0], arguments, NULL);
}

static int do_open(void)
{
	return (int)syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static int do_openat(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int do_create(void)
{
	return open("/tmp/tanmatsu-test-sandbox", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
}

static int do_unlink(void)
{
	return unlink("/tmp/tanmatsu-test-sandbox");
}

static int do_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int do_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int do_connect(void)
{
	return connect(0, NULL, 0);
}

static int do_fork(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int do_vfork(void)
{
	return (int)syscall(SYS_vfork);
}

static int do_memfd(void)
{
	return memfd_create("x", 0);
}

#ifndef TANMATSU_SANITIZED
static int do_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}
#endif

static int do_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int do_kill(void)
{
	return kill(getppid(), SIGTERM);
}

static int do_other_ioctl(void)
{
	char key = 'x';

	return ioctl(0, TIOCSTI, &key);
}

static int do_new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int do_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static void *thread(void *argument)
{
	*(int *)argument = 7;
	return argument;
}

static int do_needed(void)
{
	pthread_t started;
	int value = 0;
	void *memory;

	if (pthread_create(&started, NULL, thread, &value) || pthread_join(started, NULL) ||
	    value != 7) {
		return 1;
	}
	memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || munmap(memory, 1 << 20) < 0) {
		return 2;
	}
	if (sysconf(_SC_PHYS_PAGES) <= 0) {
		return 3;
	}
	return 42;
}

static void test_needed(void **state)
{
	int status = run_inside(do_needed);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_deadly(void **state)
{
	static const struct {
		const char *name;
		int (*act)(void);
	} deadly[] = {
		{ "execve", do_execve },
		{ "open", do_open },
		{ "openat", do_openat },
		{ "create", do_create },
		{ "unlink", do_unlink },
		{ "socket", do_socket },
		{ "unix socket", do_unix_socket },
		{ "connect", do_connect },
		{ "fork", do_fork },
		{ "vfork", do_vfork },
		{ "memfd_create", do_memfd },
#ifndef TANMATSU_SANITIZED
		{ "executable memory", do_executable_memory },
#endif
		{ "ptrace", do_ptrace },
		{ "kill", do_kill },
		{ "another ioctl", do_other_ioctl },
		{ "unshare", do_new_user_namespace },
		{ "io_uring", do_io_uring },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		int status = run_inside(deadly[i].act);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			print_error("%s: status 0x%x\n", deadly[i].name, (unsigned)status);
			fail();
		}
	}
}

/* Each permission has a reason. */
static void test_reasons(void **state)
{
	struct sandbox_policy policy = vmm_sandbox_policy(0, 0);

	(void)state;
	assert_string_equal(policy.process, "tanmatsu-vmm");
	for (size_t i = 0; i < policy.permission_count; i++) {
		assert_non_null(policy.permissions[i].reason);
		assert_true(strlen(policy.permissions[i].reason) > 3);
		/* ioctl and clone only with a request, or flags, that are named. */
		if (policy.permissions[i].syscall == SYS_ioctl ||
		    policy.permissions[i].syscall == SYS_clone) {
			assert_true(policy.permissions[i].argument >= 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_needed),
		cmocka_unit_test(test_deadly),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
