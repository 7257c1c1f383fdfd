/*
 * A child process that enters a sandbox and then tries something, for the tests of base/sandbox.c:
 * there is no way back, so that each case needs a process of its own.
 */
#pragma once

#include <stdbool.h>

#include "base/sandbox.h"

enum {
	NOBODY = 65534,
	CHILD_OK = 42,
	CHILD_FAILED = 43,
	CHILD_NOT_ENTERED = 44,
};

/* Runs `act` in a sandboxed child, which then exits with CHILD_OK. Returns its wait status. */
int sandbox_child_run(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *));
/* The same, and the child must be killed for a call that is not permitted. */
void sandbox_child_assert_killed(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *));
/* The same, and the child must come to its end. */
void sandbox_child_assert_fine(
    const struct sandbox_policy *policy, void (*act)(const struct sandbox_result *));

/* In the child: ends it with CHILD_FAILED unless `condition` holds. */
void sandbox_child_check(bool condition);
