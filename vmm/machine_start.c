/*
 * How a machine begins: the kernel into fresh memory, the display mode as firmware would have set it, and the boot
 * processor's registers as the 64-bit boot protocol has them; and the state before that, which a reset goes back to.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "vmm/chipset_state.h"
#include "vmm/loader.h"
#include "vmm/machine_internal.h"
#include "vmm/mptable.h"
#include "vmm/vcpu_state.h"
#ifdef TANMATSU_HAVE_DEMO
#include "guest/demo_image.h"
#endif

enum {
	PRISTINE_MAX = 4 * 1024 * 1024,
	CR0_PE = 1 << 0,
	CR0_MP = 1 << 1,
	CR0_ET = 1 << 4,
	CR0_NE = 1 << 5,
	CR0_WP = 1 << 16,
	CR0_PG = (int)(1u << 31),
	CR4_PAE = 1 << 5,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	RFLAGS_FIXED = 1 << 1,
	SELECTOR_CODE = 0x10,
	SELECTOR_DATA = 0x18,
};

static int set_registers(int vcpu_fd, const struct loader_entry *entry)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff,
		.selector = SELECTOR_CODE,
		.type = 11,
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1,
	};
	const struct kvm_segment data = {
		.limit = 0xffffffff,
		.selector = SELECTOR_DATA,
		.type = 3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	struct kvm_regs regs = {
		.rip = entry->rip,
		.rsi = entry->rsi,
		.rsp = entry->rsp,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0) {
		return -errno;
	}
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.gdt.base = entry->gdt;
	sregs.gdt.limit = entry->gdt_limit;
	sregs.cr3 = entry->cr3;
	sregs.cr4 = CR4_PAE;
	sregs.cr0 = (uint32_t)(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	sregs.efer = EFER_LME | EFER_LMA;
	if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0) {
		return -errno;
	}
	return 0;
}

static int open_kernel(const struct machine *machine, struct loader_source *kernel)
{
	if (machine->files.kernel >= 0) {
		return loader_source_file(machine->files.kernel, kernel);
	}
#ifdef TANMATSU_HAVE_DEMO
	*kernel = loader_source_memory(guest_demo_elf, guest_demo_elf_size);
	return 0;
#else
	return -ENOENT;
#endif
}

static struct loader_screen describe_screen(const struct machine *machine)
{
	struct loader_screen screen = { 0 };
	struct scanout scanout;

	if (bochs_display_scanout(machine->display, &scanout)) {
		screen.width = scanout.width;
		screen.height = scanout.height;
		screen.stride = scanout.stride;
		screen.address = bochs_display_framebuffer_address(machine->display) +
				 scanout.offset;
		screen.size = FRAMEBUFFER_SIZE;
	}
	return screen;
}

static int write_mptable(struct machine *machine)
{
	uint32_t signature = 0;
	uint32_t features = 0;

	cpuid_signature(&machine->cpuid, &signature, &features);
	return mptable_write(
	    &machine->memory, machine->bus, machine->config.vcpus, signature, features);
}

int machine_load_kernel(struct machine *machine, char reason[MACHINE_REASON_MAX])
{
	struct loader_source kernel, initrd;
	struct loader_request request = { .kernel = &kernel,
		.command_line = machine->config.command_line };
	struct loader_entry entry;
	char why[LOADER_REASON_MAX] = "";
	int error;

	pci_host_assign(machine->pci);
	error = bochs_display_set_mode(
	    machine->display, machine->config.width, machine->config.height);
	if (error) {
		snprintf(reason, MACHINE_REASON_MAX, "display mode %ux%u: %s",
		    machine->config.width, machine->config.height, strerrordesc_np(-error));
		return error;
	}
	request.screen = describe_screen(machine);
	error = open_kernel(machine, &kernel);
	if (!error && machine->files.initrd >= 0) {
		error = loader_source_file(machine->files.initrd, &initrd);
		request.initrd = &initrd;
	}
	if (!error &&
	    getrandom(request.seed, sizeof(request.seed), 0) != (ssize_t)sizeof(request.seed)) {
		error = -EIO;
	}
	if (!error) {
		error = loader_load(&request, &machine->memory, &entry, why);
	}
	explicit_bzero(request.seed, sizeof(request.seed));
	if (error) {
		snprintf(reason, MACHINE_REASON_MAX, "kernel image: %s",
		    why[0] ? why : strerrordesc_np(-error));
		return error;
	}
	error = write_mptable(machine);
	return error ? error : set_registers(vcpus_fd(machine->vcpus, 0), &entry);
}

int machine_save_pristine(struct machine *machine)
{
	int error = 0;

	wire_init_growing(&machine->pristine, PRISTINE_MAX);
	for (uint32_t i = 0; i < machine->config.vcpus && !error; i++) {
		error = vcpu_state_save(
		    &machine->vm, vcpus_fd(machine->vcpus, i), &machine->pristine);
	}
	for (unsigned chip = 0; chip < CHIPSET_CHIPS && !error; chip++) {
		error = chipset_save_irqchip(&machine->vm, chip, &machine->pristine);
	}
	if (!error) {
		error = chipset_save_pit(&machine->vm, &machine->pristine);
	}
	return error ? error : wire_ok(&machine->pristine) ? 0 : -ENOMEM;
}

int machine_load_pristine(struct machine *machine)
{
	struct wire in;
	const char *what = "";
	int error = 0;

	wire_init_read(&in, machine->pristine.data, machine->pristine.position);
	for (uint32_t i = 0; i < machine->config.vcpus && !error; i++) {
		error = vcpu_state_load(&machine->vm, vcpus_fd(machine->vcpus, i), &in, &what);
	}
	for (unsigned chip = 0; chip < CHIPSET_CHIPS && !error; chip++) {
		error = chipset_load_irqchip(&machine->vm, chip, &in);
	}
	return error ? error : chipset_load_pit(&machine->vm, &in);
}
