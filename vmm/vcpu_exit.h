/*
 * What KVM_RUN came back with, carried to the bus or put into words. Pure but for the bus; the
 * vCPU's thread, with the machine's lock for the two that touch the bus. Fields are those of struct
 * kvm_run (Documentation/virt/kvm/api.rst, section 5).
 */
#pragma once

#include <stddef.h>

#include "vmm/bus.h"

struct kvm_run;

/* KVM_EXIT_IO, string instructions included. `run_size` is the size of the mapping. */
void vcpu_exit_ports(struct kvm_run *run, size_t run_size, struct bus *bus);
/* KVM_EXIT_MMIO. */
void vcpu_exit_memory(struct kvm_run *run, struct bus *bus);
/* Why the guest cannot go on, with its instruction pointer read from `vcpu_fd` (-1: not asked for).
 */
void vcpu_exit_describe(const struct kvm_run *run, int vcpu_fd, char *text, size_t size);
