/* Interrupts of emulated devices into the VM's in-kernel controllers. Any thread. */
#pragma once

#include "vmm/irq.h"
#include "vmm/kvm.h"

/*
 * Context: the struct kvm_vm. Before the controllers exist nothing is raised: a snapshot that is
 * loaded brings the state of every line with the controllers' own.
 */
extern const struct irq_ops irq_kvm_ops;
