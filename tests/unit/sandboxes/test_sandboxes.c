/*
 * The display process's and the broker's sandboxes, entered by the same tables as the processes do: what an attacker who
 * has taken one over would want next kills it. Each act runs in a child of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "display/display_sandbox.h"
#include "hostd/broker.h"

static int do_execve(void)
{
	char *const arguments[] = { (char *)(uintptr_t) "/bin/true", NULL };

	return execve(arguments[0], arguments, NULL);
}

static int do_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
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

static int do_kill(void)
{
	return kill(1, 0);
}

static int do_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static int do_read_memory_of_others(void)
{
	return (int)syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0);
}

static const struct {
	const char *name;
	int (*act)(void);
} deadly[] = {
	{ "execve", do_execve },
	{ "open", do_open },
	{ "socket", do_socket },
	{ "unix socket", do_unix_socket },
	{ "connect", do_connect },
	{ "fork", do_fork },
	{ "kill", do_kill },
	{ "ptrace", do_ptrace },
	{ "process_vm_readv", do_read_memory_of_others },
};

/* The wait status of a child that enters the sandbox and then does `act`, or ends at once. */
static int run_inside(const struct sandbox_policy *policy, int (*act)(void))
{
	struct sandbox_result result;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter(policy, &result) || !result.seccomp) {
			_exit(99);
		}
		_exit(act ? act() : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void check_policy(const struct sandbox_policy *policy)
{
	int status = run_inside(policy, NULL);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		status = run_inside(policy, deadly[i].act);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			print_error("%s: %s: status 0x%x\n", policy->process, deadly[i].name,
			    (unsigned)status);
			fail();
		}
	}
	for (size_t i = 0; i < policy->permission_count; i++) {
		assert_non_null(policy->permissions[i].reason);
	}
}

static void test_display(void **state)
{
	struct sandbox_policy policy = display_sandbox_policy(0, 0);

	(void)state;
	check_policy(&policy);
}

static void test_broker(void **state)
{
	struct sandbox_policy policy = broker_sandbox_policy(0);

	(void)state;
	check_policy(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_display),
		cmocka_unit_test(test_broker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
