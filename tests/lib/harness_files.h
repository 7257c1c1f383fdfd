/* Descriptors on their way to a machine, for the files of the harness. */
#pragma once

#include "tests/lib/vmm_harness.h"

struct harness_files {
	int fds[8 + 2 * VMM_DISKS_MAX + VMM_LAYERS_MAX];
	size_t count;
	uint32_t bits;
};

/* Opens `path` and sets `bit`. 0 or -errno, told on standard error. */
must_check int harness_add_file(
    struct harness_files *files, const char *path, int flags, uint32_t bit);
/* Opens the disks of the options into vmm->disks and `files`. -EINVAL for one that is not understood. */
must_check int harness_add_disks(struct vmm_harness *vmm, const struct vmm_harness_options *options,
    struct harness_files *files);
void harness_close_files(struct harness_files *files);
