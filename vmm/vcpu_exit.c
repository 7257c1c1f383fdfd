/* See vcpu_exit.h. The kernel's page is trusted as far as KVM is; the data offset is checked all
 * the same. */
#include "vmm/vcpu_exit.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"

/* Little-endian, as both sides are. */
static uint64_t get_value(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size);
	return value;
}

void vcpu_exit_ports(struct kvm_run *run, size_t run_size, struct bus *bus)
{
	unsigned size = run->io.size;
	uint32_t count = run->io.count;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint64_t value;

	if ((size != 1 && size != 2 && size != 4) ||
	    !checked_range(run->io.data_offset, (uint64_t)size * count, run_size)) {
		return;
	}
	for (uint32_t i = 0; i < count; i++, data += size) {
		if (run->io.direction == KVM_EXIT_IO_OUT) {
			bus_write(bus, BUS_PORTS, run->io.port, size, get_value(data, size));
		} else {
			bus_read(bus, BUS_PORTS, run->io.port, size, &value);
			memcpy(data, &value, size);
		}
	}
}

void vcpu_exit_memory(struct kvm_run *run, struct bus *bus)
{
	unsigned length = run->mmio.len <= sizeof(run->mmio.data) ? run->mmio.len
								  : sizeof(run->mmio.data);
	/* An access across a page comes in pieces of any length; those go byte by byte. */
	unsigned step = length == 1 || length == 2 || length == 4 || length == 8 ? length : 1;
	uint64_t value;

	for (unsigned i = 0; i < length; i += step) {
		if (run->mmio.is_write) {
			bus_write(bus, BUS_MEMORY, run->mmio.phys_addr + i, step,
			    get_value(run->mmio.data + i, step));
		} else {
			bus_read(bus, BUS_MEMORY, run->mmio.phys_addr + i, step, &value);
			memcpy(run->mmio.data + i, &value, step);
		}
	}
}

/* The bytes of the instruction that KVM could not do, when it tells them. */
static size_t describe_instruction(const struct kvm_run *run, char *text, size_t size)
{
	size_t length = run->emulation_failure.insn_size;
	size_t used = 0;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION ||
	    run->emulation_failure.ndata < 1 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		return 0;
	}
	length = length < sizeof(run->emulation_failure.insn_bytes)
		     ? length
		     : sizeof(run->emulation_failure.insn_bytes);
	used += (size_t)snprintf(text, size, ", instruction");
	for (size_t i = 0; i < length && used + 4 < size; i++) {
		used += (size_t)snprintf(
		    text + used, size - used, " %02x", run->emulation_failure.insn_bytes[i]);
	}
	return used;
}

void vcpu_exit_describe(const struct kvm_run *run, int vcpu_fd, char *text, size_t size)
{
	struct kvm_regs regs = { 0 };
	char where[64] = "";
	char instruction[96] = "";

	if (vcpu_fd >= 0 && ioctl(vcpu_fd, KVM_GET_REGS, &regs) == 0) {
		snprintf(where, sizeof(where), " at rip 0x%" PRIx64, (uint64_t)regs.rip);
	}
	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		describe_instruction(run, instruction, sizeof(instruction));
		snprintf(text, size, "KVM cannot go on: internal error %u%s%s",
		    run->internal.suberror, where, instruction);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(text, size,
		    "the processor refused to enter the guest: reason 0x%" PRIx64 "%s",
		    (uint64_t)run->fail_entry.hardware_entry_failure_reason, where);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		snprintf(text, size, "system event %u%s", run->system_event.type, where);
		break;
	default:
		snprintf(text, size, "exit of a kind that nothing asked for: %u%s",
		    run->exit_reason, where);
		break;
	}
}
