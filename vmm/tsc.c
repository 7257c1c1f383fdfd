/* See tsc.h. Scaling is the exception: where the speeds are the same, or near enough, nothing is set. */
#include "vmm/tsc.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

enum {
	TOLERANCE_PPM = 250,
};

bool tsc_frequency_near(uint32_t saved_khz, uint32_t host_khz)
{
	uint64_t difference = saved_khz > host_khz ? saved_khz - host_khz : host_khz - saved_khz;

	return difference * 1000000 <= (uint64_t)host_khz * TOLERANCE_PPM;
}

int tsc_frequency_save(int vcpu_fd, struct wire *out)
{
	int khz = ioctl(vcpu_fd, KVM_GET_TSC_KHZ, 0);

	if (khz < 0) {
		return -errno;
	}
	wire_put_u32(out, (uint32_t)khz);
	return 0;
}

int tsc_frequency_load(
    const struct kvm_vm *vm, const struct vcpus *vcpus, struct wire *in, const char **obstacle)
{
	uint32_t saved = wire_get_u32(in);
	int host = ioctl(vcpus_fd(vcpus, 0), KVM_GET_TSC_KHZ, 0);

	if (!wire_ok(in) || saved == 0) {
		return -EPROTO;
	}
	if (host < 0) {
		return -errno;
	}
	if (saved == (uint32_t)host) {
		return 0;
	}
	if (ioctl(vm->device_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) <= 0) {
		if (!tsc_frequency_near(saved, (uint32_t)host)) {
			*obstacle = "its processor's time stamp counter ran at another speed";
			return -EPROTO;
		}
		return 0;
	}
	for (uint32_t i = 0; i < vcpus_count(vcpus); i++) {
		if (ioctl(vcpus_fd(vcpus, i), KVM_SET_TSC_KHZ, (unsigned long)saved) < 0) {
			*obstacle = "its processor's time stamp counter ran at a speed that cannot "
				    "be had here";
			return -EPROTO;
		}
	}
	return 0;
}
