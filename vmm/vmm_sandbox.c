/*
 * The VMM's permissions. What must stay true: nothing here opens a file, makes a socket or starts a program; KVM is
 * reached only through the descriptors that came by message, and by the requests that are named here.
 */
#include "vmm/vmm_sandbox.h"

#include <linux/kvm.h>
#include <sched.h>
#include <sys/syscall.h>

#define PERMIT_IOCTL(request, why) SANDBOX_PERMIT_ARG(ioctl, 1, request, why)

static const struct sandbox_permission permissions[] = {
	/* The monitor */
	SANDBOX_PERMIT(accept4, "the monitor connects, and the next one after it was restarted"),
	SANDBOX_PERMIT(
	    getsockopt, "asks who connected (SO_PEERCRED), and what a console's socket is"),

	/* Files that came by message */
	SANDBOX_PERMIT(fstat, "size of a kernel, a snapshot, a log"),
	SANDBOX_PERMIT(newfstatat, "the C library's fstat()"),
	SANDBOX_PERMIT(lseek, "size of a file"),
	SANDBOX_PERMIT(flock, "a disk has one user"),
	SANDBOX_PERMIT(pread64, "kernel, snapshot, /proc/self/pagemap"),
	SANDBOX_PERMIT(pwrite64, "snapshot and last frame"),
	SANDBOX_PERMIT(preadv, "the guest reads a disk"),
	SANDBOX_PERMIT(pwritev, "snapshot, disks"),
	SANDBOX_PERMIT(ftruncate, "a console log that is full starts afresh"),
	SANDBOX_PERMIT(
	    fallocate, "reserves a snapshot's space before it is written; discards on disks"),
	SANDBOX_PERMIT(fsync, "a snapshot is on the disk before it counts"),
	SANDBOX_PERMIT(fdatasync, "the same; a disk's flush"),

	/* vCPU threads */
	{ .syscall = __NR_clone,
	    .reason = "starts a thread for each vCPU; not a process",
	    .argument = 0,
	    .value = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND,
	    .mask = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND },
	SANDBOX_PERMIT(set_robust_list, "the C library, in a new thread"),
	SANDBOX_PERMIT(rseq, "the C library, in a new thread"),
	SANDBOX_PERMIT(tgkill, "kicks a vCPU out of the guest"),

	/* KVM: the host */
	PERMIT_IOCTL(KVM_GET_API_VERSION, "the machine is made: is this the KVM we know"),
	PERMIT_IOCTL(KVM_CHECK_EXTENSION, "the machine is made: what KVM can do"),
	PERMIT_IOCTL(KVM_CREATE_VM, "the machine is made"),
	PERMIT_IOCTL(KVM_GET_VCPU_MMAP_SIZE, "the machine is made: size of a vCPU's page"),
	PERMIT_IOCTL(KVM_GET_MSR_INDEX_LIST, "the machine is made: which registers are state"),
	PERMIT_IOCTL(KVM_GET_SUPPORTED_CPUID, "the machine is made: what its processors are"),

	/* KVM: the machine */
	PERMIT_IOCTL(
	    KVM_SET_USER_MEMORY_REGION, "RAM, and the framebuffer wherever the guest puts it"),
	PERMIT_IOCTL(KVM_GET_DIRTY_LOG, "what changed in the framebuffer"),
	PERMIT_IOCTL(KVM_SET_IDENTITY_MAP_ADDR, "the machine is made"),
	PERMIT_IOCTL(KVM_SET_TSS_ADDR, "the machine is made"),
	PERMIT_IOCTL(KVM_CREATE_IRQCHIP, "the machine is made: interrupt controllers"),
	PERMIT_IOCTL(KVM_CREATE_PIT2, "the machine is made: timer"),
	PERMIT_IOCTL(KVM_CREATE_VCPU, "the machine is made: processors"),
	PERMIT_IOCTL(KVM_IRQ_LINE, "a device interrupts"),
	PERMIT_IOCTL(KVM_SIGNAL_MSI, "a device interrupts by message"),
	PERMIT_IOCTL(KVM_GET_IRQCHIP, "snapshot"),
	PERMIT_IOCTL(KVM_SET_IRQCHIP, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_PIT2, "snapshot"),
	PERMIT_IOCTL(KVM_SET_PIT2, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_CLOCK, "snapshot"),
	PERMIT_IOCTL(KVM_SET_CLOCK, "snapshot: the guest's clock goes on where it was"),

	/* KVM: a processor */
	PERMIT_IOCTL(KVM_RUN, "the guest runs"),
	PERMIT_IOCTL(KVM_KVMCLOCK_CTRL, "the guest is told that it stood still"),
	PERMIT_IOCTL(KVM_SET_CPUID2, "the machine is made"),
	PERMIT_IOCTL(KVM_GET_TSC_KHZ, "snapshot: speed of the time stamp counter"),
	PERMIT_IOCTL(KVM_SET_TSC_KHZ, "a snapshot of another speed"),
	PERMIT_IOCTL(KVM_GET_REGS, "snapshot; where a guest failed"),
	PERMIT_IOCTL(KVM_SET_REGS, "start, snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_SREGS, "start, snapshot"),
	PERMIT_IOCTL(KVM_SET_SREGS, "start, snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_MSRS, "snapshot"),
	PERMIT_IOCTL(KVM_SET_MSRS, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_XSAVE, "snapshot"),
	PERMIT_IOCTL(KVM_GET_XSAVE2, "snapshot"),
	PERMIT_IOCTL(KVM_SET_XSAVE, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_XCRS, "snapshot"),
	PERMIT_IOCTL(KVM_SET_XCRS, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_LAPIC, "snapshot"),
	PERMIT_IOCTL(KVM_SET_LAPIC, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_MP_STATE, "snapshot"),
	PERMIT_IOCTL(KVM_SET_MP_STATE, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_VCPU_EVENTS, "snapshot"),
	PERMIT_IOCTL(KVM_SET_VCPU_EVENTS, "snapshot, reset"),
	PERMIT_IOCTL(KVM_GET_DEBUGREGS, "snapshot"),
	PERMIT_IOCTL(KVM_SET_DEBUGREGS, "snapshot, reset"),
};

struct sandbox_policy vmm_sandbox_policy(uid_t uid, gid_t gid)
{
	return (struct sandbox_policy){
		.process = "tanmatsu-vmm",
		.permissions = permissions,
		.permission_count = sizeof(permissions) / sizeof(permissions[0]),
		.uid = uid,
		.gid = gid,
	};
}
