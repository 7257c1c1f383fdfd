/* See chipset_state.h. */
#include "vmm/chipset_state.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

static int result(const struct wire *wire, int returned)
{
	if (!wire_ok(wire)) {
		return -EPROTO;
	}
	return returned < 0 ? -errno : 0;
}

static void put_pic(struct wire *out, const struct kvm_pic_state *pic)
{
	const uint8_t bytes[] = { pic->last_irr, pic->irr, pic->imr, pic->isr, pic->priority_add,
		pic->irq_base, pic->read_reg_select, pic->poll, pic->special_mask, pic->init_state,
		pic->auto_eoi, pic->rotate_on_auto_eoi, pic->special_fully_nested_mode, pic->init4,
		pic->elcr, pic->elcr_mask };

	wire_put_bytes(out, bytes, sizeof(bytes));
}

static void get_pic(struct wire *in, struct kvm_pic_state *pic)
{
	__u8 *const bytes[] = { &pic->last_irr, &pic->irr, &pic->imr, &pic->isr, &pic->priority_add,
		&pic->irq_base, &pic->read_reg_select, &pic->poll, &pic->special_mask,
		&pic->init_state, &pic->auto_eoi, &pic->rotate_on_auto_eoi,
		&pic->special_fully_nested_mode, &pic->init4, &pic->elcr, &pic->elcr_mask };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		*bytes[i] = wire_get_u8(in);
	}
}

int chipset_save_irqchip(const struct kvm_vm *vm, unsigned chip, struct wire *out)
{
	struct kvm_irqchip state = { .chip_id = chip };

	if (ioctl(vm->vm_fd, KVM_GET_IRQCHIP, &state) < 0) {
		return -errno;
	}
	if (chip != CHIPSET_IOAPIC) {
		put_pic(out, &state.chip.pic);
		return 0;
	}
	wire_put_u64(out, state.chip.ioapic.base_address);
	wire_put_u32(out, state.chip.ioapic.ioregsel);
	wire_put_u32(out, state.chip.ioapic.id);
	wire_put_u32(out, state.chip.ioapic.irr);
	for (size_t i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
		wire_put_u64(out, state.chip.ioapic.redirtbl[i].bits);
	}
	return 0;
}

int chipset_load_irqchip(const struct kvm_vm *vm, unsigned chip, struct wire *in)
{
	struct kvm_irqchip state = { .chip_id = chip };

	if (chip != CHIPSET_IOAPIC) {
		get_pic(in, &state.chip.pic);
	} else {
		state.chip.ioapic.base_address = wire_get_u64(in);
		state.chip.ioapic.ioregsel = wire_get_u32(in);
		state.chip.ioapic.id = wire_get_u32(in);
		state.chip.ioapic.irr = wire_get_u32(in);
		for (size_t i = 0; i < KVM_IOAPIC_NUM_PINS; i++) {
			state.chip.ioapic.redirtbl[i].bits = wire_get_u64(in);
		}
	}
	return result(in, wire_ok(in) ? ioctl(vm->vm_fd, KVM_SET_IRQCHIP, &state) : 0);
}

int chipset_save_pit(const struct kvm_vm *vm, struct wire *out)
{
	struct kvm_pit_state2 pit;

	if (ioctl(vm->vm_fd, KVM_GET_PIT2, &pit) < 0) {
		return -errno;
	}
	for (size_t i = 0; i < 3; i++) {
		const struct kvm_pit_channel_state *c = &pit.channels[i];
		const uint8_t bytes[] = { c->count_latched, c->status_latched, c->status,
			c->read_state, c->write_state, c->write_latch, c->rw_mode, c->mode, c->bcd,
			c->gate };

		wire_put_u32(out, c->count);
		wire_put_u16(out, c->latched_count);
		wire_put_bytes(out, bytes, sizeof(bytes));
		wire_put_u64(out, (uint64_t)c->count_load_time);
	}
	wire_put_u32(out, pit.flags);
	return 0;
}

int chipset_load_pit(const struct kvm_vm *vm, struct wire *in)
{
	struct kvm_pit_state2 pit = { 0 };

	for (size_t i = 0; i < 3; i++) {
		struct kvm_pit_channel_state *c = &pit.channels[i];

		c->count = wire_get_u32(in);
		c->latched_count = wire_get_u16(in);
		__u8 *const bytes[] = { &c->count_latched, &c->status_latched, &c->status,
			&c->read_state, &c->write_state, &c->write_latch, &c->rw_mode, &c->mode,
			&c->bcd, &c->gate };

		for (size_t k = 0; k < sizeof(bytes) / sizeof(bytes[0]); k++) {
			*bytes[k] = wire_get_u8(in);
		}
		c->count_load_time = (int64_t)wire_get_u64(in);
	}
	pit.flags = wire_get_u32(in);
	return result(in, wire_ok(in) ? ioctl(vm->vm_fd, KVM_SET_PIT2, &pit) : 0);
}

int chipset_save_clock(const struct kvm_vm *vm, struct wire *out)
{
	struct kvm_clock_data clock = { 0 };

	if (ioctl(vm->vm_fd, KVM_GET_CLOCK, &clock) < 0) {
		return -errno;
	}
	wire_put_u64(out, clock.clock);
	return 0;
}

int chipset_load_clock(const struct kvm_vm *vm, struct wire *in)
{
	struct kvm_clock_data clock = { .clock = wire_get_u64(in) };

	return result(in, wire_ok(in) ? ioctl(vm->vm_fd, KVM_SET_CLOCK, &clock) : 0);
}
