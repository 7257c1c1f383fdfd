/*
 * The half of snapshot.h that reads. What must stay true: a snapshot with a section that nobody asked for, or without one
 * that somebody needs, is refused, since half a machine must not run; and nothing is believed before its checksum.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/chipset_state.h"
#include "vmm/machine_internal.h"
#include "vmm/snapshot.h"
#include "vmm/snapshot_sections.h"
#include "vmm/state_file.h"
#include "vmm/tsc.h"
#include "vmm/vcpu_state.h"

struct load {
	struct machine *machine;
	struct state_file *file;
	char *reason; /* MACHINE_REASON_MAX */
};

__attribute__((format(printf, 2, 3))) static int refuse(
    const struct load *load, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(load->reason, MACHINE_REASON_MAX, format, arguments);
	va_end(arguments);
	return -EPROTO;
}

/* Finds a section and opens it for reading. */
static int open_section(const struct load *load, const char *name, uint32_t instance,
    uint32_t version, uint32_t *found_version, struct wire *in)
{
	const struct state_section *section = state_file_find(load->file, name, instance);

	if (!section) {
		return refuse(load, "snapshot: section %s %u is missing", name, instance);
	}
	if (section->version == 0 || section->version > version) {
		return refuse(load, "snapshot: section %s %u was made by another version (%u)",
		    name, instance, section->version);
	}
	*found_version = section->version;
	wire_init_read(in, section->bytes, section->size);
	return 0;
}

static int close_section(
    const struct load *load, const char *name, uint32_t instance, int error, const struct wire *in)
{
	if (error == 0 && wire_done(in)) {
		return 0;
	}
	if (load->reason[0] != '\0') {
		return error ? error : -EPROTO;
	}
	return refuse(load, "snapshot: section %s %u: %s", name, instance,
	    error && error != -EPROTO ? strerrordesc_np(-error) : "what it holds makes no sense");
}

static int load_cpuid(const struct load *load)
{
	struct machine *machine = load->machine;
	struct cpuid *host = calloc(1, sizeof(*host));
	const char *obstacle;
	uint32_t version;
	struct wire in;
	int error = host ? cpuid_query(machine->vm.device_fd, machine->config.vcpus, host)
			 : -ENOMEM;

	error = error ? error
		      : open_section(load, SNAPSHOT_CPUID, 0, SNAPSHOT_VERSION, &version, &in);
	if (!error) {
		error = cpuid_decode(&in, &machine->cpuid);
		error = close_section(load, SNAPSHOT_CPUID, 0, error, &in);
	}
	obstacle = error ? NULL : cpuid_obstacle(&machine->cpuid, host);
	if (obstacle) {
		error = refuse(load, "snapshot: it cannot go on on this host: %s", obstacle);
	}
	free(host);
	return error;
}

static int load_ram(const struct load *load)
{
	struct machine *machine = load->machine;
	struct ram_layer_id ids[VMM_LAYERS_MAX];
	char why[RAM_REASON_MAX] = "";
	uint32_t version, count;
	struct wire in;
	int error = open_section(load, SNAPSHOT_RAM, 0, SNAPSHOT_VERSION, &version, &in);

	if (error) {
		return error;
	}
	count = wire_get_u32(&in);
	if (count == 0 || count > VMM_LAYERS_MAX) {
		return refuse(load, "snapshot: section ram: what it holds makes no sense");
	}
	for (uint32_t i = 0; i < count; i++) {
		wire_get_bytes(&in, ids[i].bytes, sizeof(ids[i].bytes));
	}
	error = close_section(load, SNAPSHOT_RAM, 0, 0, &in);
	if (!error && count != machine->files.layer_count) {
		return refuse(load, "snapshot: it has %u memory layers, %u were given", count,
		    machine->files.layer_count);
	}
	if (!error) {
		error = ram_load(&machine->ram, machine->files.layers, ids, count, why);
		if (error) {
			(void)refuse(load, "snapshot: %s", why[0] ? why : strerrordesc_np(-error));
		}
	}
	return error;
}

static int load_devices(const struct load *load)
{
	int error = 0;

	for (size_t i = 0; i < load->machine->device_count && !error; i++) {
		struct device *device = load->machine->devices[i];
		uint32_t version;
		struct wire in;

		error = open_section(
		    load, device->ops->name, device->instance, device->ops->version, &version, &in);
		if (!error) {
			error = device->ops->load(device, version, &in);
			error = close_section(
			    load, device->ops->name, device->instance, error, &in);
		}
	}
	return error;
}

static int load_vcpus(const struct load *load)
{
	struct machine *machine = load->machine;
	int error = 0;

	for (uint32_t i = 0; i < machine->config.vcpus && !error; i++) {
		const char *what = "";
		uint32_t version;
		struct wire in;

		error = open_section(load, SNAPSHOT_VCPU, i, VCPU_STATE_VERSION, &version, &in);
		if (!error) {
			error = vcpu_state_load(
			    &machine->vm, vcpus_fd(machine->vcpus, i), &in, &what);
			if (error) {
				(void)refuse(load, "snapshot: section vcpu %u: %s: %s", i, what,
				    error == -EPROTO ? "what it holds makes no sense"
						     : strerrordesc_np(-error));
			}
			error = close_section(load, SNAPSHOT_VCPU, i, error, &in);
		}
	}
	return error;
}

static int load_tsc(const struct load *load)
{
	const char *obstacle = NULL;
	uint32_t version;
	struct wire in;
	int error = open_section(load, SNAPSHOT_TSC, 0, SNAPSHOT_VERSION, &version, &in);

	if (!error) {
		error = tsc_frequency_load(
		    &load->machine->vm, load->machine->vcpus, &in, &obstacle);
		if (obstacle) {
			return refuse(load, "snapshot: it cannot go on on this host: %s", obstacle);
		}
		error = close_section(load, SNAPSHOT_TSC, 0, error, &in);
	}
	return error;
}

/* After the processors, so that an interrupt that the IOAPIC still holds finds its local APIC ready. */
static int load_chipset(const struct load *load)
{
	const struct kvm_vm *vm = &load->machine->vm;
	uint32_t version;
	struct wire in;
	int error = 0;

	for (uint32_t i = 0; i < CHIPSET_CHIPS && !error; i++) {
		error = open_section(load, SNAPSHOT_IRQCHIP, i, SNAPSHOT_VERSION, &version, &in);
		if (!error) {
			error = chipset_load_irqchip(vm, i, &in);
			error = close_section(load, SNAPSHOT_IRQCHIP, i, error, &in);
		}
	}
	error = error ? error
		      : open_section(load, SNAPSHOT_PIT, 0, SNAPSHOT_VERSION, &version, &in);
	if (!error) {
		error = chipset_load_pit(vm, &in);
		error = close_section(load, SNAPSHOT_PIT, 0, error, &in);
	}
	error = error ? error
		      : open_section(load, SNAPSHOT_CLOCK, 0, SNAPSHOT_VERSION, &version, &in);
	if (!error) {
		error = chipset_load_clock(vm, &in);
		error = close_section(load, SNAPSHOT_CLOCK, 0, error, &in);
	}
	return error;
}

static int check_identity(const struct load *load)
{
	const struct machine *machine = load->machine;
	const struct state_file *file = load->file;

	if (file->generation != machine->config.snapshot_generation) {
		return refuse(load, "snapshot: it is generation %llu, not %llu",
		    (unsigned long long)file->generation,
		    (unsigned long long)machine->config.snapshot_generation);
	}
	if (file->memory_size != machine->memory.size) {
		return refuse(load, "snapshot: it is of a machine with %llu MiB of memory, not %u",
		    (unsigned long long)file->memory_size >> 20, machine->config.memory_mib);
	}
	if (file->vcpus != machine->config.vcpus) {
		return refuse(load, "snapshot: it is of a machine with %u processors, not %u",
		    file->vcpus, machine->config.vcpus);
	}
	return 0;
}

static int apply(
    const struct load *load, int (*create_processors)(struct machine *machine), enum vmm_exit *code)
{
	const struct state_section *unused;
	int error = check_identity(load);

	error = error ? error : load_cpuid(load);
	error = error ? error : load_ram(load);
	error = error ? error : load_devices(load);
	if (error) {
		return error;
	}
	error = create_processors(load->machine);
	if (error) {
		*code = VMM_EXIT_KVM;
		return error;
	}
	error = load_tsc(load);
	error = error ? error : load_vcpus(load);
	error = error ? error : load_chipset(load);
	if (error) {
		return error;
	}
	unused = state_file_unused(load->file);
	return unused ? refuse(load, "snapshot: section %s is of another version's making",
			    unused->name)
		      : 0;
}

int snapshot_load(struct machine *machine, int (*create_processors)(struct machine *machine),
    enum vmm_exit *code, char reason[MACHINE_REASON_MAX])
{
	struct state_file *file = calloc(1, sizeof(*file));
	const struct load load = { .machine = machine, .file = file, .reason = reason };
	char why[STATE_REASON_MAX];
	char *bytes = NULL;
	size_t size;
	int error = file ? 0 : -ENOMEM;

	*code = VMM_EXIT_SNAPSHOT;
	if (!error && lseek(machine->files.state, 0, SEEK_SET) < 0) {
		error = -errno;
	}
	error = error ? error : fd_read_file(machine->files.state, STATE_FILE_MAX, &bytes, &size);
	if (error) {
		snprintf(reason, MACHINE_REASON_MAX, "snapshot: reading the device state: %s",
		    strerrordesc_np(-error));
		goto out;
	}
	error = state_file_decode((const uint8_t *)bytes, size, file, why);
	if (error) {
		(void)refuse(&load, "snapshot: device state: %s", why);
		goto out;
	}
	error = apply(&load, create_processors, code);
	if (!error) {
		bochs_display_notify_resumed(machine->display);
		/* Viewers that held keys down when it was suspended are gone. */
		input_router_resumed(machine->router);
	}
out:
	free(bytes);
	free(file);
	return error;
}
