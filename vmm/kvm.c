/* See kvm.h. What must stay true: nothing here depends on the host's make; what is missing is named
 * and refused. */
#include "vmm/kvm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/log.h"

enum {
	KVM_IDENTITY_MAP_ADDRESS = 0xFEFFC000, /* docs/MACHINE.md, "Memory" */
	KVM_TSS_ADDRESS = 0xFEFFD000,
	KVM_XSAVE_PLAIN = 4096,
};

static const struct {
	int capability;
	const char *name;
} needed[] = {
	{ KVM_CAP_USER_MEMORY, "user memory" },
	{ KVM_CAP_SET_TSS_ADDR, "TSS address" },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, "identity map address" },
	{ KVM_CAP_IRQCHIP, "interrupt controllers" },
	{ KVM_CAP_PIT2, "PIT" },
	{ KVM_CAP_PIT_STATE2, "PIT state" },
	{ KVM_CAP_SIGNAL_MSI, "MSI" },
	{ KVM_CAP_EXT_CPUID, "CPUID" },
	{ KVM_CAP_ADJUST_CLOCK, "clock" },
	{ KVM_CAP_MP_STATE, "vCPU state" },
	{ KVM_CAP_VCPU_EVENTS, "vCPU events" },
	{ KVM_CAP_DEBUGREGS, "debug registers" },
	{ KVM_CAP_XSAVE, "XSAVE" },
	{ KVM_CAP_XCRS, "XCRs" },
	{ KVM_CAP_IMMEDIATE_EXIT, "immediate exit" },
};

static int check_capabilities(int device_fd)
{
	int version = ioctl(device_fd, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION) {
		log_error("kvm: API version %d instead of %d", version, KVM_API_VERSION);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (ioctl(device_fd, KVM_CHECK_EXTENSION, needed[i].capability) <= 0) {
			log_error("kvm: this host's KVM has no %s (capability %d)", needed[i].name,
			    needed[i].capability);
			return -ENOTSUP;
		}
	}
	return 0;
}

static int read_msr_list(struct kvm_vm *vm)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + sizeof(vm->msrs));
	int error = 0;

	if (!list) {
		return -ENOMEM;
	}
	list->nmsrs = KVM_VM_MSRS_MAX;
	if (ioctl(vm->device_fd, KVM_GET_MSR_INDEX_LIST, list) < 0) {
		error = -errno;
	} else {
		vm->msr_count = list->nmsrs;
		memcpy(vm->msrs, list->indices, list->nmsrs * sizeof(vm->msrs[0]));
	}
	free(list);
	return error;
}

static int query(struct kvm_vm *vm)
{
	int size = ioctl(vm->device_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	int xsave;

	if (size < (int)sizeof(struct kvm_run)) {
		return size < 0 ? -errno : -ENOTSUP;
	}
	vm->run_size = (size_t)size;
	/* The size may depend on what the process was permitted to use, so the VM is asked. */
	xsave = ioctl(vm->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
	vm->xsave_size = xsave < KVM_XSAVE_PLAIN ? KVM_XSAVE_PLAIN : (size_t)xsave;
	if (vm->xsave_size > KVM_VM_XSAVE_MAX) {
		return -ENOTSUP;
	}
	return read_msr_list(vm);
}

int kvm_vm_create_take(int device_fd, struct kvm_vm *vm)
{
	int error;

	*vm = (struct kvm_vm){ .device_fd = device_fd, .vm_fd = -1 };
	error = check_capabilities(device_fd);
	if (error) {
		goto fail;
	}
	vm->vm_fd = ioctl(device_fd, KVM_CREATE_VM, 0);
	if (vm->vm_fd < 0) {
		error = -errno;
		goto fail;
	}
	error = query(vm);
	if (error) {
		goto fail;
	}
	return 0;

fail:
	kvm_vm_fini(vm);
	return error;
}

void kvm_vm_fini(struct kvm_vm *vm)
{
	fd_close(&vm->vm_fd);
	fd_close(&vm->device_fd);
}

static int set_slot(
    struct kvm_vm *vm, enum kvm_slot slot, uint64_t address, uint64_t size, uint8_t *host)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = address,
		.memory_size = size,
		.userspace_addr = (uint64_t)(uintptr_t)host,
	};

	return ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int kvm_vm_set_memory(struct kvm_vm *vm, const struct guestmem *memory)
{
	int error = set_slot(vm, KVM_SLOT_LOW, 0, memory->low_size, memory->host);

	if (!error && memory->size > memory->low_size) {
		error = set_slot(vm, KVM_SLOT_HIGH, GUESTMEM_HIGH_BASE,
		    memory->size - memory->low_size, memory->host + memory->low_size);
	}
	return error;
}

int kvm_vm_create_controllers(struct kvm_vm *vm)
{
	uint64_t identity_map = KVM_IDENTITY_MAP_ADDRESS;
	/* The speaker's port 0x61 is emulated in the kernel too: its gate is how guests time with
	 * channel 2. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	if (ioctl(vm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
	    ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDRESS) < 0 ||
	    ioctl(vm->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0 ||
	    ioctl(vm->vm_fd, KVM_CREATE_PIT2, &pit) < 0) {
		return -errno;
	}
	vm->controllers = true;
	return 0;
}

int kvm_vm_create_vcpu(struct kvm_vm *vm, uint32_t index, int *vcpu_fd)
{
	int fd = ioctl(vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)index);

	if (fd < 0) {
		return -errno;
	}
	*vcpu_fd = fd;
	return 0;
}

bool kvm_vm_saves_msr(const struct kvm_vm *vm, uint32_t index)
{
	for (uint32_t i = 0; i < vm->msr_count; i++) {
		if (vm->msrs[i] == index) {
			return true;
		}
	}
	return false;
}
