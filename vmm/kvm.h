/*
 * A virtual machine of the kernel's: the VM descriptor, its memory slots and interrupt controllers,
 * and what this host's KVM offers. The order matters: memory slots are set before the interrupt
 * controllers are made (0.7 ms against 6 ms, since every later change waits for readers in the
 * kernel), and those before the first vCPU. Documentation/virt/kvm/api.rst in the kernel's source
 * is the specification of every call. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must_check.h"
#include "vmm/guestmem.h"

enum kvm_slot {
	KVM_SLOT_LOW = 0,
	KVM_SLOT_HIGH = 1,
	KVM_SLOT_FRAMEBUFFER = 2,
};

enum {
	KVM_VM_MSRS_MAX = 1024,
	KVM_VM_XSAVE_MAX = 64 * 1024, /* bytes; AMX needs 11 KiB */
};

struct kvm_vm {
	int device_fd; /* /dev/kvm */
	int vm_fd;
	size_t run_size;   /* bytes of a vCPU's shared page */
	size_t xsave_size; /* bytes of KVM_GET_XSAVE2 */
	bool controllers;  /* made: interrupts can be raised */
	uint32_t msr_count;
	uint32_t msrs[KVM_VM_MSRS_MAX]; /* those that KVM says are to be saved */
};

/*
 * Takes `device_fd` in every case. Returns 0, -ENOTSUP when this KVM lacks something that is needed
 * (logged by name), or -errno.
 */
must_check int kvm_vm_create_take(int device_fd, struct kvm_vm *vm);
void kvm_vm_fini(struct kvm_vm *vm);

/* The guest's RAM becomes slots KVM_SLOT_LOW and KVM_SLOT_HIGH. Borrows `memory`'s mapping. */
must_check int kvm_vm_set_memory(struct kvm_vm *vm, const struct guestmem *memory);
/* PIC, IOAPIC, local APICs and PIT; then irq_kvm's interrupts go somewhere. */
must_check int kvm_vm_create_controllers(struct kvm_vm *vm);
/* A new vCPU's descriptor, the caller's. */
must_check int kvm_vm_create_vcpu(struct kvm_vm *vm, uint32_t index, int *vcpu_fd);
/* True when `index` is among vm->msrs. */
bool kvm_vm_saves_msr(const struct kvm_vm *vm, uint32_t index);
