/* The model-specific registers of a vCPU: those that KVM lists as state, and its time stamp counter. See vcpu_state.h. */
#pragma once

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/kvm.h"

must_check int vcpu_msrs_save(const struct kvm_vm *vm, int vcpu_fd, struct wire *out);
must_check int vcpu_msrs_load(const struct kvm_vm *vm, int vcpu_fd, struct wire *in);
