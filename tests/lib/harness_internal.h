/* Between the files of the harness. */
#pragma once

#include "tests/lib/vmm_harness.h"

/* 0, -ETIMEDOUT or -errno. */
must_check int harness_wait_readable(int fd, int timeout_ms);
