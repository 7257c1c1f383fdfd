/*
 * The state of what the kernel emulates for the machine as a whole: PICs, IOAPIC, PIT and the paravirtual clock, as
 * bytes. vCPUs stand still. Versioned by their sections in a snapshot. The input is hostile.
 */
#pragma once

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/kvm.h"

enum {
	CHIPSET_PIC_MASTER = 0,
	CHIPSET_PIC_SLAVE = 1,
	CHIPSET_IOAPIC = 2,
	CHIPSET_CHIPS = 3,
};

must_check int chipset_save_irqchip(const struct kvm_vm *vm, unsigned chip, struct wire *out);
must_check int chipset_load_irqchip(const struct kvm_vm *vm, unsigned chip, struct wire *in);
must_check int chipset_save_pit(const struct kvm_vm *vm, struct wire *out);
must_check int chipset_load_pit(const struct kvm_vm *vm, struct wire *in);
/* kvmclock in nanoseconds; set before any vCPU runs, it goes on from where it was. */
must_check int chipset_save_clock(const struct kvm_vm *vm, struct wire *out);
must_check int chipset_load_clock(const struct kvm_vm *vm, struct wire *in);
