/* What a viewer's process may do once it has started: the table of its system calls, each with its reason. */
#pragma once

#include "base/sandbox.h"

/* With `uid` and `gid` 0 the process keeps those it has (without root there is no choice). */
struct sandbox_policy display_sandbox_policy(uid_t uid, gid_t gid);
