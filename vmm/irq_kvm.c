/* See irq_kvm.h. A guest that routes an interrupt nowhere is its own affair, so errors are not
 * reported. */
#include "vmm/irq_kvm.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

static void irq_kvm_set_line(void *context, unsigned gsi, bool level)
{
	const struct kvm_vm *vm = context;
	struct kvm_irq_level line = { .irq = gsi, .level = level };

	if (vm->controllers) {
		(void)ioctl(vm->vm_fd, KVM_IRQ_LINE, &line);
	}
}

static void irq_kvm_send_msi(void *context, uint64_t address, uint32_t data)
{
	const struct kvm_vm *vm = context;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	if (vm->controllers) {
		(void)ioctl(vm->vm_fd, KVM_SIGNAL_MSI, &msi);
	}
}

const struct irq_ops irq_kvm_ops = {
	.set_line = irq_kvm_set_line,
	.send_msi = irq_kvm_send_msi,
};
