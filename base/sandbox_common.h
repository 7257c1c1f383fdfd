/* The part of every process's list of permitted calls that is the same, for sandbox.c and its
 * tests. Any thread. */
#pragma once

#include <stddef.h>

#include "base/sandbox.h"

/* The calls every process needs; `*count` is set to how many. Static storage. */
const struct sandbox_permission *sandbox_common_permissions(size_t *count);
/* What the sanitizers' run-time libraries need on top; none in a build without them. */
const struct sandbox_permission *sandbox_sanitizer_permissions(size_t *count);
