/*
 * The half of snapshot.h that writes. What must stay true: a section is written for everything that has state, each
 * device of the machine, each vCPU, each controller.
 */
#include "vmm/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "display/frame.h"
#include "vmm/chipset_state.h"
#include "vmm/machine_internal.h"
#include "vmm/snapshot_sections.h"
#include "vmm/state_file.h"
#include "vmm/tsc.h"
#include "vmm/vcpu_state.h"

enum {
	SECTION_MAX = 4 * 1024 * 1024,
};

/* Appends what `fill` writes as a section. */
static int put_section(struct machine *machine, struct wire *out, const char *name,
    uint32_t instance, uint32_t version,
    int (*fill)(struct machine *machine, uint32_t instance, struct wire *body))
{
	struct wire body;
	int error;

	wire_init_growing(&body, SECTION_MAX);
	error = fill(machine, instance, &body);
	if (!error && !wire_ok(&body)) {
		error = -ENOMEM;
	}
	if (error) {
		log_error("snapshot: saving %s %u: %s", name, instance, strerrordesc_np(-error));
	} else {
		state_file_put_section(out, name, instance, version, &body);
	}
	wire_fini(&body);
	return error;
}

static int fill_cpuid(struct machine *machine, uint32_t instance, struct wire *body)
{
	(void)instance;
	cpuid_encode(&machine->cpuid, body);
	return 0;
}

static int fill_device(struct machine *machine, uint32_t index, struct wire *body)
{
	return machine->devices[index]->ops->save(machine->devices[index], body);
}

static int fill_vcpu(struct machine *machine, uint32_t instance, struct wire *body)
{
	return vcpu_state_save(&machine->vm, vcpus_fd(machine->vcpus, instance), body);
}

static int fill_tsc(struct machine *machine, uint32_t instance, struct wire *body)
{
	(void)instance;
	return tsc_frequency_save(vcpus_fd(machine->vcpus, 0), body);
}

static int fill_irqchip(struct machine *machine, uint32_t instance, struct wire *body)
{
	return chipset_save_irqchip(&machine->vm, instance, body);
}

static int fill_pit(struct machine *machine, uint32_t instance, struct wire *body)
{
	(void)instance;
	return chipset_save_pit(&machine->vm, body);
}

static int fill_clock(struct machine *machine, uint32_t instance, struct wire *body)
{
	(void)instance;
	return chipset_save_clock(&machine->vm, body);
}

/* The layers that make up RAM from now on, oldest first. */
static int put_ram(
    const struct machine *machine, const struct ram_save_report *ram, struct wire *out)
{
	uint8_t buffer[4 + (VMM_LAYERS_MAX + 1) * sizeof(struct ram_layer_id)];
	uint32_t before = ram->complete ? 0 : machine->ram.layer_count;
	struct wire body;

	if (before + 1 > VMM_LAYERS_MAX) {
		return -E2BIG;
	}
	wire_init_write(&body, buffer, sizeof(buffer));
	wire_put_u32(&body, before + 1);
	for (uint32_t i = 0; i < before; i++) {
		wire_put_bytes(
		    &body, machine->ram.layers[i].bytes, sizeof(machine->ram.layers[i].bytes));
	}
	wire_put_bytes(&body, ram->id.bytes, sizeof(ram->id.bytes));
	state_file_put_section(out, SNAPSHOT_RAM, 0, SNAPSHOT_VERSION, &body);
	return 0;
}

static int put_devices(struct machine *machine, struct wire *out)
{
	int error = 0;

	for (uint32_t i = 0; i < machine->device_count && !error; i++) {
		const struct device *device = machine->devices[i];
		struct wire body;

		wire_init_growing(&body, SECTION_MAX);
		error = fill_device(machine, i, &body);
		if (!error && !wire_ok(&body)) {
			error = -ENOMEM;
		}
		if (error) {
			log_error("snapshot: saving device %s %u: %s", device->ops->name,
			    device->instance, strerrordesc_np(-error));
		} else {
			state_file_put_section(
			    out, device->ops->name, device->instance, device->ops->version, &body);
		}
		wire_fini(&body);
	}
	return error;
}

/* In the order in which it is restored; the clock is read as late as possible. */
static int encode(struct machine *machine, uint64_t generation, const struct ram_save_report *ram,
    struct wire *out)
{
	const struct state_file header = {
		.generation = generation,
		.memory_size = machine->memory.size,
		.vcpus = machine->config.vcpus,
		.section_count = (uint32_t)machine->device_count + machine->config.vcpus +
				 CHIPSET_CHIPS + 5,
	};
	int error;

	state_file_put_header(out, &header);
	error = put_section(machine, out, SNAPSHOT_CPUID, 0, SNAPSHOT_VERSION, fill_cpuid);
	error = error ? error : put_ram(machine, ram, out);
	error = error ? error : put_devices(machine, out);
	error = error ? error
		      : put_section(machine, out, SNAPSHOT_TSC, 0, SNAPSHOT_VERSION, fill_tsc);
	for (uint32_t i = 0; i < machine->config.vcpus && !error; i++) {
		error = put_section(machine, out, SNAPSHOT_VCPU, i, VCPU_STATE_VERSION, fill_vcpu);
	}
	for (uint32_t i = 0; i < CHIPSET_CHIPS && !error; i++) {
		error = put_section(
		    machine, out, SNAPSHOT_IRQCHIP, i, SNAPSHOT_VERSION, fill_irqchip);
	}
	error = error ? error
		      : put_section(machine, out, SNAPSHOT_PIT, 0, SNAPSHOT_VERSION, fill_pit);
	error = error ? error
		      : put_section(machine, out, SNAPSHOT_CLOCK, 0, SNAPSHOT_VERSION, fill_clock);
	return error ? error : wire_ok(out) ? 0 : -ENOMEM;
}

static int write_frame(struct machine *machine, int fd, uint64_t *bytes)
{
	const uint8_t *memory = framebuffer_memory(machine->surroundings.framebuffer);
	struct scanout scanout;
	int error;

	*bytes = 0;
	if (!machine_scanout(machine, &scanout)) {
		return 0;
	}
	error = frame_write(
	    fd, scanout.width, scanout.height, scanout.stride, memory + scanout.offset);
	*bytes = FRAME_HEADER_SIZE + (uint64_t)scanout.width * 4 * scanout.height;
	return error ? error : fsync(fd) < 0 ? -errno : 0;
}

static int write_state(struct machine *machine, uint64_t generation,
    const struct ram_save_report *ram, int fd, uint64_t *bytes)
{
	struct wire out;
	int error;

	wire_init_growing(&out, STATE_FILE_MAX);
	error = encode(machine, generation, ram, &out);
	if (!error) {
		error = fd_pwrite_all(fd, out.data, out.position, 0);
	}
	if (!error && fsync(fd) < 0) {
		error = -errno;
	}
	*bytes = out.position;
	wire_fini(&out);
	return error;
}

int snapshot_save(struct machine *machine, uint64_t generation, const int files[3],
    struct vmm_suspend_report *report, char reason[MACHINE_REASON_MAX])
{
	struct ram_save_report ram;
	const char *what = "memory";
	int error = ram_save(&machine->ram, files[1], generation, &ram);

	if (!error) {
		what = "the last frame";
		error = write_frame(machine, files[2], &report->frame_bytes);
	}
	if (!error) {
		what = "device state";
		error = write_state(machine, generation, &ram, files[0], &report->state_bytes);
	}
	if (error) {
		snprintf(
		    reason, MACHINE_REASON_MAX, "writing %s: %s", what, strerrordesc_np(-error));
		return error;
	}
	report->generation = generation;
	report->ram_bytes = ram.bytes;
	report->complete = ram.complete;
	return 0;
}
