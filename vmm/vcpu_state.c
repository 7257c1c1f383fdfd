/* See vcpu_state.h. The parts, in the order in which they are written and restored, are the table at the end. */
#include "vmm/vcpu_state.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/vcpu_msrs.h"

static int save_mp_state(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_mp_state state;

	(void)vm;
	if (ioctl(fd, KVM_GET_MP_STATE, &state) < 0) {
		return -errno;
	}
	wire_put_u32(out, state.mp_state);
	return 0;
}

static int load_mp_state(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_mp_state state = { .mp_state = wire_get_u32(in) };

	(void)vm;
	return ioctl(fd, KVM_SET_MP_STATE, &state) < 0 ? -errno : 0;
}

static int save_regs(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_regs r;

	(void)vm;
	if (ioctl(fd, KVM_GET_REGS, &r) < 0) {
		return -errno;
	}
	const uint64_t values[] = { r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp, r.rbp, r.r8,
		r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip, r.rflags };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		wire_put_u64(out, values[i]);
	}
	return 0;
}

static int load_regs(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_regs r = { 0 };
	__u64 *const fields[] = { &r.rax, &r.rbx, &r.rcx, &r.rdx, &r.rsi, &r.rdi, &r.rsp, &r.rbp,
		&r.r8, &r.r9, &r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15, &r.rip, &r.rflags };

	(void)vm;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		*fields[i] = wire_get_u64(in);
	}
	return ioctl(fd, KVM_SET_REGS, &r) < 0 ? -errno : 0;
}

static void put_segment(struct wire *out, const struct kvm_segment *s)
{
	wire_put_u64(out, s->base);
	wire_put_u32(out, s->limit);
	wire_put_u16(out, s->selector);
	const uint8_t bytes[] = { s->type, s->present, s->dpl, s->db, s->s, s->l, s->g, s->avl,
		s->unusable };

	wire_put_bytes(out, bytes, sizeof(bytes));
}

static void get_segment(struct wire *in, struct kvm_segment *s)
{
	s->base = wire_get_u64(in);
	s->limit = wire_get_u32(in);
	s->selector = wire_get_u16(in);
	uint8_t *const bytes[] = { &s->type, &s->present, &s->dpl, &s->db, &s->s, &s->l, &s->g,
		&s->avl, &s->unusable };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		*bytes[i] = wire_get_u8(in);
	}
}

static int save_sregs(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_sregs s;

	(void)vm;
	if (ioctl(fd, KVM_GET_SREGS, &s) < 0) {
		return -errno;
	}
	const struct kvm_segment *segments[] = { &s.cs, &s.ds, &s.es, &s.fs, &s.gs, &s.ss, &s.tr,
		&s.ldt };
	const uint64_t values[] = { s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit, s.cr0, s.cr2,
		s.cr3, s.cr4, s.cr8, s.efer, s.apic_base };

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		put_segment(out, segments[i]);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		wire_put_u64(out, values[i]);
	}
	for (size_t i = 0; i < sizeof(s.interrupt_bitmap) / sizeof(s.interrupt_bitmap[0]); i++) {
		wire_put_u64(out, s.interrupt_bitmap[i]);
	}
	return 0;
}

static int load_sregs(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_sregs s = { 0 };
	struct kvm_segment *const segments[] = { &s.cs, &s.ds, &s.es, &s.fs, &s.gs, &s.ss, &s.tr,
		&s.ldt };

	(void)vm;
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
		get_segment(in, segments[i]);
	}
	s.gdt.base = wire_get_u64(in);
	s.gdt.limit = (uint16_t)wire_get_u64(in);
	s.idt.base = wire_get_u64(in);
	s.idt.limit = (uint16_t)wire_get_u64(in);
	s.cr0 = wire_get_u64(in);
	s.cr2 = wire_get_u64(in);
	s.cr3 = wire_get_u64(in);
	s.cr4 = wire_get_u64(in);
	s.cr8 = wire_get_u64(in);
	s.efer = wire_get_u64(in);
	s.apic_base = wire_get_u64(in);
	for (size_t i = 0; i < sizeof(s.interrupt_bitmap) / sizeof(s.interrupt_bitmap[0]); i++) {
		s.interrupt_bitmap[i] = wire_get_u64(in);
	}
	return ioctl(fd, KVM_SET_SREGS, &s) < 0 ? -errno : 0;
}

static int save_xcrs(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_xcrs x;

	(void)vm;
	if (ioctl(fd, KVM_GET_XCRS, &x) < 0 || x.nr_xcrs > KVM_MAX_XCRS) {
		return errno ? -errno : -EIO;
	}
	wire_put_u32(out, x.nr_xcrs);
	for (uint32_t i = 0; i < x.nr_xcrs; i++) {
		wire_put_u32(out, x.xcrs[i].xcr);
		wire_put_u64(out, x.xcrs[i].value);
	}
	return 0;
}

static int load_xcrs(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_xcrs x = { .nr_xcrs = wire_get_u32(in) };

	(void)vm;
	if (x.nr_xcrs > KVM_MAX_XCRS) {
		return -EPROTO;
	}
	for (uint32_t i = 0; i < x.nr_xcrs; i++) {
		x.xcrs[i].xcr = wire_get_u32(in);
		x.xcrs[i].value = wire_get_u64(in);
	}
	return ioctl(fd, KVM_SET_XCRS, &x) < 0 ? -errno : 0;
}

/* The processor's own layout (SDM volume 1, section 13.4), which CPUID leaf 0xD fixes. */
static int save_xsave(const struct kvm_vm *vm, int fd, struct wire *out)
{
	void *area = calloc(1, vm->xsave_size);
	unsigned long request = vm->xsave_size > sizeof(struct kvm_xsave) ? KVM_GET_XSAVE2
									  : KVM_GET_XSAVE;
	int error = 0;

	if (!area) {
		return -ENOMEM;
	}
	if (ioctl(fd, request, area) < 0) {
		error = -errno;
	} else {
		wire_put_u32(out, (uint32_t)vm->xsave_size);
		wire_put_bytes(out, area, vm->xsave_size);
	}
	free(area);
	return error;
}

static int load_xsave(const struct kvm_vm *vm, int fd, struct wire *in)
{
	uint32_t size = wire_get_u32(in);
	void *area;
	int error = 0;

	if (size < sizeof(struct kvm_xsave) || size > vm->xsave_size) {
		return -EPROTO;
	}
	/* KVM reads as much as this host has. */
	area = calloc(1, vm->xsave_size);
	if (!area) {
		return -ENOMEM;
	}
	wire_get_bytes(in, area, size);
	if (wire_ok(in) && ioctl(fd, KVM_SET_XSAVE, area) < 0) {
		error = -errno;
	}
	free(area);
	return error;
}

static int save_debugregs(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_debugregs d = { 0 };

	(void)vm;
	if (ioctl(fd, KVM_GET_DEBUGREGS, &d) < 0) {
		return -errno;
	}
	for (size_t i = 0; i < 4; i++) {
		wire_put_u64(out, d.db[i]);
	}
	wire_put_u64(out, d.dr6);
	wire_put_u64(out, d.dr7);
	return 0;
}

static int load_debugregs(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_debugregs d = { 0 };

	(void)vm;
	for (size_t i = 0; i < 4; i++) {
		d.db[i] = wire_get_u64(in);
	}
	d.dr6 = wire_get_u64(in);
	d.dr7 = wire_get_u64(in);
	return ioctl(fd, KVM_SET_DEBUGREGS, &d) < 0 ? -errno : 0;
}

/* The APIC's register page as the hardware lays it out (SDM volume 3, table 11-1). */
static int save_lapic(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_lapic_state lapic;

	(void)vm;
	if (ioctl(fd, KVM_GET_LAPIC, &lapic) < 0) {
		return -errno;
	}
	wire_put_bytes(out, lapic.regs, sizeof(lapic.regs));
	return 0;
}

static int load_lapic(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_lapic_state lapic;

	(void)vm;
	wire_get_bytes(in, lapic.regs, sizeof(lapic.regs));
	return wire_ok(in) && ioctl(fd, KVM_SET_LAPIC, &lapic) < 0 ? -errno : 0;
}

static int save_events(const struct kvm_vm *vm, int fd, struct wire *out)
{
	struct kvm_vcpu_events e = { 0 };

	(void)vm;
	if (ioctl(fd, KVM_GET_VCPU_EVENTS, &e) < 0) {
		return -errno;
	}
	const uint8_t bytes[] = { e.exception.injected, e.exception.nr, e.exception.has_error_code,
		e.exception.pending, e.interrupt.injected, e.interrupt.nr, e.interrupt.soft,
		e.interrupt.shadow, e.nmi.injected, e.nmi.pending, e.nmi.masked, e.smi.smm,
		e.smi.pending, e.smi.smm_inside_nmi, e.smi.latched_init, e.triple_fault.pending,
		e.exception_has_payload };

	wire_put_u32(out, e.flags);
	wire_put_u32(out, e.exception.error_code);
	wire_put_u32(out, e.sipi_vector);
	wire_put_u64(out, e.exception_payload);
	wire_put_bytes(out, bytes, sizeof(bytes));
	return 0;
}

static int load_events(const struct kvm_vm *vm, int fd, struct wire *in)
{
	struct kvm_vcpu_events e = { 0 };
	__u8 *const bytes[] = { &e.exception.injected, &e.exception.nr, &e.exception.has_error_code,
		&e.exception.pending, &e.interrupt.injected, &e.interrupt.nr, &e.interrupt.soft,
		&e.interrupt.shadow, &e.nmi.injected, &e.nmi.pending, &e.nmi.masked, &e.smi.smm,
		&e.smi.pending, &e.smi.smm_inside_nmi, &e.smi.latched_init, &e.triple_fault.pending,
		&e.exception_has_payload };

	(void)vm;
	e.flags = wire_get_u32(in);
	e.exception.error_code = wire_get_u32(in);
	e.sipi_vector = wire_get_u32(in);
	e.exception_payload = wire_get_u64(in);
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		*bytes[i] = wire_get_u8(in);
	}
	return ioctl(fd, KVM_SET_VCPU_EVENTS, &e) < 0 ? -errno : 0;
}

/*
 * Why this order: KVM_GET_MP_STATE delivers what is pending and so comes before everything it may change. SREGS hold the
 * APIC's mode, which the APIC's state needs; the deadline of the APIC timer (an MSR) is taken only by an APIC that is in
 * that mode; and events come last, as others would clear them.
 */
static const struct {
	const char *name;
	int (*save)(const struct kvm_vm *vm, int fd, struct wire *out);
	int (*load)(const struct kvm_vm *vm, int fd, struct wire *in);
} parts[] = {
	{ "mp_state", save_mp_state, load_mp_state },
	{ "regs", save_regs, load_regs },
	{ "sregs", save_sregs, load_sregs },
	{ "xcrs", save_xcrs, load_xcrs },
	{ "xsave", save_xsave, load_xsave },
	{ "debugregs", save_debugregs, load_debugregs },
	{ "lapic", save_lapic, load_lapic },
	{ "msrs", vcpu_msrs_save, vcpu_msrs_load },
	{ "events", save_events, load_events },
};

int vcpu_state_save(const struct kvm_vm *vm, int vcpu_fd, struct wire *out)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int error = parts[i].save(vm, vcpu_fd, out);

		if (error) {
			return error;
		}
	}
	return wire_ok(out) ? 0 : -ENOMEM;
}

int vcpu_state_load(const struct kvm_vm *vm, int vcpu_fd, struct wire *in, const char **what)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int error;

		*what = parts[i].name;
		error = parts[i].load(vm, vcpu_fd, in);
		if (!wire_ok(in)) {
			return -EPROTO;
		}
		if (error) {
			return error;
		}
	}
	return 0;
}
