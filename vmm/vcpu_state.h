/*
 * One virtual processor's state as bytes, field by field: for snapshots, and for going back to the state after its
 * creation. While it stands still; any thread.
 */
#pragma once

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/kvm.h"

enum {
	VCPU_STATE_VERSION = 1,
};

/* Appends to `out`. 0 or -errno. */
must_check int vcpu_state_save(const struct kvm_vm *vm, int vcpu_fd, struct wire *out);
/*
 * From a processor whose CPUID has been set, in the order that KVM needs: the local APIC before the model-specific
 * registers, and of those the time stamp counter first and its deadline last. The input is hostile: -EPROTO when it is
 * not what save() writes, or -errno when KVM refuses a value. `what` says which part, for the message.
 */
must_check int vcpu_state_load(
    const struct kvm_vm *vm, int vcpu_fd, struct wire *in, const char **what);
