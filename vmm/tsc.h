/*
 * The frequency of the guest's time stamp counter, which it measured once and believes in from then on. A host with
 * another one must scale the counter or leave the guest alone. vCPUs stand still.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/kvm.h"
#include "vmm/vcpu.h"

/* Whether a guest can do without scaling: 250 millionths, as much as one host measures differently from boot to boot. */
bool tsc_frequency_near(uint32_t saved_khz, uint32_t host_khz);
must_check int tsc_frequency_save(int vcpu_fd, struct wire *out);
/* Before the vCPUs' state. -EPROTO; with `*obstacle` set, in words, when this host cannot run at that frequency. */
must_check int tsc_frequency_load(
    const struct kvm_vm *vm, const struct vcpus *vcpus, struct wire *in, const char **obstacle);
