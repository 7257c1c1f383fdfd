/*
 * Opens what a machine is made of. What must stay true: descriptors stand in the order in which VMM_CONFIGURE wants them.
 */
#include "tests/lib/harness_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"

int harness_add_file(struct harness_files *files, const char *path, int flags, uint32_t bit)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	files->fds[files->count++] = fd;
	files->bits |= bit;
	return 0;
}

void harness_close_files(struct harness_files *files)
{
	while (files->count > 0) {
		fd_close(&files->fds[--files->count]);
	}
}

/* One disk of the options: what it is into `disk`, its descriptors to the others. */
static int add_disk(
    struct harness_files *files, const char *text, uint32_t number, struct vmm_disk *disk)
{
	char copy[4096];
	char *base = NULL;
	char *rest = NULL;
	char *path;
	int error;

	snprintf(copy, sizeof(copy), "%s", text);
	path = strtok_r(copy, ",", &rest);
	for (char *word = strtok_r(NULL, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		disk->read_only = disk->read_only || strcmp(word, "ro") == 0;
		base = strncmp(word, "base=", 5) == 0 ? word + 5 : base;
	}
	disk->format = path && strncmp(path, "raw:", 4) == 0       ? VMM_DISK_RAW
		       : path && strncmp(path, "overlay:", 8) == 0 ? VMM_DISK_OVERLAY
								   : 0;
	if (!disk->format) {
		return -EINVAL;
	}
	disk->has_base = base != NULL;
	memset(disk->base_id, 'b', sizeof(disk->base_id));
	snprintf(disk->serial, sizeof(disk->serial), "disk%u", number);
	error = harness_add_file(
	    files, strchr(path, ':') + 1, disk->read_only ? O_RDONLY : O_RDWR, 0);
	return error || !base ? error : harness_add_file(files, base, O_RDONLY, 0);
}

int harness_add_disks(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, struct harness_files *files)
{
	int error = 0;

	memset(vmm->disks, 0, sizeof(vmm->disks));
	for (vmm->disk_count = 0;
	     vmm->disk_count < VMM_DISKS_MAX && !error && options->disks[vmm->disk_count];) {
		error = add_disk(files, options->disks[vmm->disk_count], vmm->disk_count,
		    &vmm->disks[vmm->disk_count]);
		vmm->disk_count++;
	}
	return error;
}
