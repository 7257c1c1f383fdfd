/*
 * The machine's files, and its disks: from the descriptors of VMM_CONFIGURE to virtio-blk functions. What must stay true: the kind of a
 * file is what the monitor says, never what it looks like.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/machine_internal.h"
#include "vmm/virtio/virtio_blk.h"

enum {
	SLOT_FIRST_DISK = 5,
};

/* Opens the disk; its descriptors are gone afterwards, in every case. */
static int open_disk(
    const struct vmm_disk *config, struct machine_disk_files *files, struct disk **disk)
{
	struct disk_io *io = NULL;
	struct disk_io *base = NULL;
	int error = disk_io_file_create_take(files->file, config->read_only, &io);

	files->file = -1;
	if (!error && config->has_base) {
		error = disk_io_file_create_take(files->base, true, &base);
		files->base = -1;
	}
	if (error) {
		if (io) {
			io->ops->destroy(io);
		}
		return error;
	}
	return config->format == VMM_DISK_OVERLAY
		   ? disk_overlay_create_take(io, base, config->base_id, config->read_only, disk)
		   : disk_raw_create_take(io, config->read_only, disk);
}

static const char *explain(int error)
{
	switch (error) {
	case -EBUSY:
		return "it is in use by another desktop";
	case -ESTALE:
		return "its base image is not the one that it was made for";
	case -EPROTO:
		return "it is no overlay, or damaged";
	case -EINVAL:
		return "it is no file of whole sectors";
	default:
		return strerrordesc_np(-error);
	}
}

int machine_create_disks(struct machine *machine)
{
	for (uint32_t i = 0; i < machine->config.disk_count; i++) {
		const struct vmm_disk *config = &machine->config.disks[i];
		struct virtio_blk *blk;
		struct disk *disk;
		int error = open_disk(config, &machine->files.disks[i], &disk);

		if (error) {
			log_error("machine: disk %u (%s): %s", i, config->serial, explain(error));
			return error;
		}
		error = virtio_blk_create_take(&machine->environment, machine->pci,
		    SLOT_FIRST_DISK + i, i, disk, config->serial, &blk);
		if (error) {
			log_error("machine: disk %u (%s): %s", i, config->serial,
			    strerrordesc_np(-error));
			return error;
		}
		machine->devices[machine->device_count++] = virtio_blk_device(blk);
	}
	return 0;
}

void machine_files_close(struct machine_files *files)
{
	fd_close(&files->kvm);
	fd_close(&files->kernel);
	fd_close(&files->initrd);
	fd_close(&files->console);
	fd_close(&files->state);
	for (uint32_t i = 0; i < VMM_DISKS_MAX; i++) {
		fd_close(&files->disks[i].file);
		fd_close(&files->disks[i].base);
	}
	while (files->layer_count > 0) {
		fd_close(&files->layers[--files->layer_count]);
	}
}
