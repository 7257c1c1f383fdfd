/*
 * The format of vmm/control.h and nothing else, so that the monitor can link it without the VMM.
 * What must stay true: a structure that decoded is in range, and encodes to the same bytes again.
 */
#include "vmm/control.h"

#include <errno.h>

enum {
	CONTROL_MEMORY_MIN = 16, /* MiB */
	CONTROL_MEMORY_MAX = 1024 *
			     1024, /* MiB; what the host has is found out when it is mapped */
	CONTROL_VCPUS_MAX = 16,
	CONTROL_SIZE_MIN = 64,    /* pixels */
	CONTROL_SIZE_MAX = 16384, /* pixels */
	CONTROL_TIMEZONE_MAX = 24 * 60,
	CONTROL_DESCRIPTORS = VMM_FD_KVM | VMM_FD_KERNEL | VMM_FD_INITRD | VMM_FD_CONSOLE |
			      VMM_FD_STATE,
};

static void disk_encode(const struct vmm_disk *disk, struct wire *wire)
{
	wire_put_u8(wire, disk->format);
	wire_put_bool(wire, disk->read_only);
	wire_put_bool(wire, disk->has_base);
	wire_put_bytes(wire, disk->base_id, sizeof(disk->base_id));
	wire_put_string(wire, disk->serial);
}

static void disk_decode(struct wire *wire, struct vmm_disk *disk)
{
	disk->format = wire_get_u8(wire);
	disk->read_only = wire_get_bool(wire);
	disk->has_base = wire_get_bool(wire);
	wire_get_bytes(wire, disk->base_id, sizeof(disk->base_id));
	wire_get_string(wire, disk->serial, sizeof(disk->serial));
}

static bool disks_in_range(const struct vmm_config *config)
{
	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct vmm_disk *disk = &config->disks[i];

		if ((disk->format != VMM_DISK_RAW && disk->format != VMM_DISK_OVERLAY) ||
		    (disk->has_base && disk->format != VMM_DISK_OVERLAY) ||
		    disk->serial[0] == '\0') {
			return false;
		}
	}
	return true;
}

void vmm_config_encode(const struct vmm_config *config, struct wire *wire)
{
	wire_put_string(wire, config->session);
	wire_put_string(wire, config->user);
	wire_put_string(wire, config->host);
	wire_put_u32(wire, (uint32_t)config->timezone_minutes);
	wire_put_u32(wire, config->memory_mib);
	wire_put_u32(wire, config->vcpus);
	wire_put_u32(wire, config->width);
	wire_put_u32(wire, config->height);
	wire_put_string(wire, config->command_line);
	wire_put_u64(wire, config->resumes);
	wire_put_bytes(wire, config->generation_id, sizeof(config->generation_id));
	wire_put_u64(wire, config->snapshot_generation);
	wire_put_u32(wire, config->descriptors);
	wire_put_u32(wire, config->layer_count);
	wire_put_u64(wire, config->console_limit);
	wire_put_u32(wire, config->disk_count);
	for (uint32_t i = 0; i < config->disk_count; i++) {
		disk_encode(&config->disks[i], wire);
	}
}

static bool config_in_range(const struct vmm_config *config)
{
	bool snapshot = config->descriptors & VMM_FD_STATE;

	return config->session[0] != '\0' && config->timezone_minutes >= -CONTROL_TIMEZONE_MAX &&
	       config->timezone_minutes <= CONTROL_TIMEZONE_MAX &&
	       config->memory_mib >= CONTROL_MEMORY_MIN &&
	       config->memory_mib <= CONTROL_MEMORY_MAX && config->vcpus >= 1 &&
	       config->vcpus <= CONTROL_VCPUS_MAX && config->width >= CONTROL_SIZE_MIN &&
	       config->width <= CONTROL_SIZE_MAX && config->height >= CONTROL_SIZE_MIN &&
	       config->height <= CONTROL_SIZE_MAX && (config->descriptors & VMM_FD_KVM) &&
	       !(config->descriptors & ~(uint32_t)CONTROL_DESCRIPTORS) &&
	       !((config->descriptors & VMM_FD_INITRD) && !(config->descriptors & VMM_FD_KERNEL)) &&
	       config->layer_count <= VMM_LAYERS_MAX &&
	       snapshot == (config->snapshot_generation != 0) &&
	       snapshot == (config->layer_count != 0);
}

int vmm_config_decode(struct wire *wire, struct vmm_config *config)
{
	*config = (struct vmm_config){ 0 };
	wire_get_string(wire, config->session, sizeof(config->session));
	wire_get_string(wire, config->user, sizeof(config->user));
	wire_get_string(wire, config->host, sizeof(config->host));
	config->timezone_minutes = (int32_t)wire_get_u32(wire);
	config->memory_mib = wire_get_u32(wire);
	config->vcpus = wire_get_u32(wire);
	config->width = wire_get_u32(wire);
	config->height = wire_get_u32(wire);
	wire_get_string(wire, config->command_line, sizeof(config->command_line));
	config->resumes = wire_get_u64(wire);
	wire_get_bytes(wire, config->generation_id, sizeof(config->generation_id));
	config->snapshot_generation = wire_get_u64(wire);
	config->descriptors = wire_get_u32(wire);
	config->layer_count = wire_get_u32(wire);
	config->console_limit = wire_get_u64(wire);
	config->disk_count = wire_get_u32(wire);
	if (config->disk_count > VMM_DISKS_MAX) {
		return -EPROTO;
	}
	for (uint32_t i = 0; i < config->disk_count; i++) {
		disk_decode(wire, &config->disks[i]);
	}
	if (!wire_done(wire) || !config_in_range(config) || !disks_in_range(config)) {
		return -EPROTO;
	}
	return 0;
}

void vmm_suspend_report_encode(const struct vmm_suspend_report *report, struct wire *wire)
{
	wire_put_u64(wire, report->generation);
	wire_put_u64(wire, report->ram_bytes);
	wire_put_u64(wire, report->state_bytes);
	wire_put_u64(wire, report->frame_bytes);
	wire_put_u64(wire, report->stopped_us);
	wire_put_bool(wire, report->complete);
}

int vmm_suspend_report_decode(struct wire *wire, struct vmm_suspend_report *report)
{
	*report = (struct vmm_suspend_report){ 0 };
	report->generation = wire_get_u64(wire);
	report->ram_bytes = wire_get_u64(wire);
	report->state_bytes = wire_get_u64(wire);
	report->frame_bytes = wire_get_u64(wire);
	report->stopped_us = wire_get_u64(wire);
	report->complete = wire_get_bool(wire);
	return wire_done(wire) ? 0 : -EPROTO;
}

void vmm_statistics_encode(const struct vmm_statistics *statistics, struct wire *wire)
{
	wire_put_u64(wire, statistics->uptime_us);
	wire_put_u64(wire, statistics->vcpu_us);
	wire_put_u64(wire, statistics->exits);
	wire_put_u64(wire, statistics->ram_private_bytes);
	wire_put_u64(wire, statistics->damage_scans);
	wire_put_u64(wire, statistics->input_events);
	wire_put_u32(wire, statistics->viewers);
	wire_put_u32(wire, statistics->width);
	wire_put_u32(wire, statistics->height);
}

int vmm_statistics_decode(struct wire *wire, struct vmm_statistics *statistics)
{
	*statistics = (struct vmm_statistics){ 0 };
	statistics->uptime_us = wire_get_u64(wire);
	statistics->vcpu_us = wire_get_u64(wire);
	statistics->exits = wire_get_u64(wire);
	statistics->ram_private_bytes = wire_get_u64(wire);
	statistics->damage_scans = wire_get_u64(wire);
	statistics->input_events = wire_get_u64(wire);
	statistics->viewers = wire_get_u32(wire);
	statistics->width = wire_get_u32(wire);
	statistics->height = wire_get_u32(wire);
	return wire_done(wire) ? 0 : -EPROTO;
}
