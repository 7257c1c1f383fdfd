/*
 * See vcpu_msrs.h. What must stay true on restore: the time stamp counter is written first and the deadline of the APIC
 * timer last, since a deadline is compared with the counter as it is written; and a deadline that has just passed is
 * saved as "now" and not as 0, or its interrupt, not yet delivered, would be lost and the guest sleep for ever.
 */
#include "vmm/vcpu_msrs.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"

enum {
	MSR_BATCH = 200, /* KVM takes 256 at most */
	MSR_TSC = 0x10,
	MSR_TSC_DEADLINE = 0x6e0,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_TIMER_MODE = 3 << 17,
	LAPIC_TIMER_DEADLINE = 2 << 17,
	LAPIC_LVT_MASKED = 1 << 16,
};

/* Room for all that KVM may list. NULL: no memory. */
static struct kvm_msrs *batch_create(void)
{
	return calloc(1, sizeof(struct kvm_msrs) + KVM_VM_MSRS_MAX * sizeof(struct kvm_msr_entry));
}

/* KVM stops at the first register that it does not have for this guest; that one is left out. */
static int read_all(const struct kvm_vm *vm, int vcpu_fd, struct kvm_msrs *all)
{
	struct kvm_msrs *request = batch_create();
	uint32_t next = 0;
	int error = 0;

	if (!request) {
		return -ENOMEM;
	}
	all->nmsrs = 0;
	while (next < vm->msr_count) {
		uint32_t count = vm->msr_count - next < MSR_BATCH ? vm->msr_count - next
								  : MSR_BATCH;
		int got;

		request->nmsrs = count;
		for (uint32_t i = 0; i < count; i++) {
			request->entries[i] = (struct kvm_msr_entry){ .index = vm->msrs[next + i] };
		}
		got = ioctl(vcpu_fd, KVM_GET_MSRS, request);
		if (got < 0) {
			error = -errno;
			break;
		}
		memcpy(&all->entries[all->nmsrs], request->entries,
		    (uint32_t)got * sizeof(request->entries[0]));
		all->nmsrs += (uint32_t)got;
		next += (uint32_t)got < count ? (uint32_t)got + 1 : count;
	}
	free(request);
	return error;
}

static bool waits_for_deadline(int vcpu_fd)
{
	struct kvm_lapic_state lapic;
	uint32_t timer;

	if (ioctl(vcpu_fd, KVM_GET_LAPIC, &lapic) < 0) {
		return false;
	}
	memcpy(&timer, &lapic.regs[LAPIC_LVT_TIMER], sizeof(timer));
	return (timer & LAPIC_TIMER_MODE) == LAPIC_TIMER_DEADLINE && !(timer & LAPIC_LVT_MASKED);
}

static uint64_t find_value(const struct kvm_msrs *all, uint32_t index)
{
	for (uint32_t i = 0; i < all->nmsrs; i++) {
		if (all->entries[i].index == index) {
			return all->entries[i].data;
		}
	}
	return 0;
}

int vcpu_msrs_save(const struct kvm_vm *vm, int vcpu_fd, struct wire *out)
{
	struct kvm_msrs *all = batch_create();
	int error;

	if (!all) {
		return -ENOMEM;
	}
	error = read_all(vm, vcpu_fd, all);
	if (error) {
		goto out;
	}
	wire_put_u32(out, all->nmsrs);
	for (uint32_t i = 0; i < all->nmsrs; i++) {
		uint64_t value = all->entries[i].data;

		if (all->entries[i].index == MSR_TSC_DEADLINE && value == 0 &&
		    waits_for_deadline(vcpu_fd)) {
			value = find_value(all, MSR_TSC);
		}
		wire_put_u32(out, all->entries[i].index);
		wire_put_u64(out, value);
	}
out:
	free(all);
	return error;
}

/* 0 counter, 1 everything else, 2 deadline. */
static int rank(uint32_t index)
{
	return index == MSR_TSC ? 0 : index == MSR_TSC_DEADLINE ? 2 : 1;
}

/* The first of `request`, which KVM did not take. */
static int settle_refused(int vcpu_fd, struct kvm_msrs *request)
{
	const struct kvm_msr_entry wanted = request->entries[0];

	request->nmsrs = 1;
	/* Not writable on this host: good if it holds that value anyway. */
	if (ioctl(vcpu_fd, KVM_GET_MSRS, request) == 1 && request->entries[0].data == wanted.data) {
		return 0;
	}
	log_error("vcpu: register 0x%x does not take 0x%llx", wanted.index,
	    (unsigned long long)wanted.data);
	return -EPROTO;
}

static int write_all(int vcpu_fd, const struct kvm_msrs *all)
{
	struct kvm_msrs *request = batch_create();
	uint32_t next = 0;
	int error = 0;

	if (!request) {
		return -ENOMEM;
	}
	while (next < all->nmsrs && !error) {
		uint32_t count = all->nmsrs - next < MSR_BATCH ? all->nmsrs - next : MSR_BATCH;
		int set;

		request->nmsrs = count;
		memcpy(request->entries, &all->entries[next], count * sizeof(all->entries[0]));
		set = ioctl(vcpu_fd, KVM_SET_MSRS, request);
		if (set < 0) {
			error = -errno;
			break;
		}
		next += (uint32_t)set;
		if ((uint32_t)set < count) {
			request->entries[0] = all->entries[next++];
			error = settle_refused(vcpu_fd, request);
		}
	}
	free(request);
	return error;
}

int vcpu_msrs_load(const struct kvm_vm *vm, int vcpu_fd, struct wire *in)
{
	struct kvm_msrs *all = batch_create();
	struct kvm_msrs *sorted = batch_create();
	uint32_t count = wire_get_u32(in);
	int error = 0;

	if (!all || !sorted) {
		error = -ENOMEM;
		goto out;
	}
	if (count > KVM_VM_MSRS_MAX) {
		error = -EPROTO;
		goto out;
	}
	for (uint32_t i = 0; i < count && !error; i++) {
		all->entries[i].index = wire_get_u32(in);
		all->entries[i].data = wire_get_u64(in);
		error = kvm_vm_saves_msr(vm, all->entries[i].index) ? 0 : -EPROTO;
	}
	if (error || !wire_ok(in)) {
		error = -EPROTO;
		goto out;
	}
	for (int wanted = 0; wanted <= 2; wanted++) {
		for (uint32_t i = 0; i < count; i++) {
			if (rank(all->entries[i].index) == wanted) {
				sorted->entries[sorted->nmsrs++] = all->entries[i];
			}
		}
	}
	error = write_all(vcpu_fd, sorted);
out:
	free(all);
	free(sorted);
	return error;
}
