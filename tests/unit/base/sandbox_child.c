/* How the children of the sandbox's tests are run; a child only ever ends with _exit() or a signal. */
#include "tests/unit/base/sandbox_child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int sandbox_child_run(
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

void sandbox_child_assert_killed(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *))
{
	int status = sandbox_child_run(policy, act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

void sandbox_child_assert_fine(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *))
{
	int status = sandbox_child_run(policy, act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CHILD_OK);
}

void sandbox_child_check(bool condition)
{
	if (!condition) {
		_exit(CHILD_FAILED);
	}
}
