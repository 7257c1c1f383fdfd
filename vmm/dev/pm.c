/*
 * PM1a event and control registers. What must stay true: SCI is asserted exactly while a status bit and its enable bit
 * are set, and nothing but SLP_EN with the right type switches the machine off.
 */
#include "vmm/dev/pm.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
	PORT_BASE = 0x600,
	PORT_COUNT = 8,
	OFFSET_STATUS = 0,
	OFFSET_ENABLE = 2,
	OFFSET_CONTROL = 4,
	GSI_SCI = 9,

	/* Tables 4.11, 4.12 and 4.13. */
	PM1_GBL = 1 << 5,
	PM1_PWRBTN = 1 << 8,
	STATUS_ALL = PM1_PWRBTN,
	ENABLE_ALL = PM1_GBL | PM1_PWRBTN,
	CONTROL_SCI_EN = 1 << 0, /* always: there is no legacy mode */
	CONTROL_SLP_TYP_SHIFT = 10,
	CONTROL_SLP_TYP = 7 << CONTROL_SLP_TYP_SHIFT,
	CONTROL_SLP_EN = 1 << 13,
	SLP_TYP_S5 = 0,
};

struct pm {
	struct device device;
	struct device_environment *environment;
	uint16_t status, enable, control;
};

static void update_interrupt(struct pm *pm)
{
	irq_set_line(pm->environment->irq, GSI_SCI, (pm->status & pm->enable) != 0);
}

static uint8_t read_byte(const struct pm *pm, uint64_t offset)
{
	uint16_t value;

	switch (offset & ~1ull) {
	case OFFSET_STATUS:
		value = pm->status;
		break;
	case OFFSET_ENABLE:
		value = pm->enable;
		break;
	case OFFSET_CONTROL:
		value = pm->control | CONTROL_SCI_EN;
		break;
	default:
		return 0;
	}
	return (uint8_t)(value >> (8 * (offset & 1)));
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)read_byte(context, offset + i) << (8 * i);
	}
	return value;
}

/* `value` and `mask` are the written bits at their place in the 16-bit register at `offset`. */
static void write_register(struct pm *pm, uint64_t offset, uint16_t value, uint16_t mask)
{
	switch (offset) {
	case OFFSET_STATUS:
		pm->status &= (uint16_t) ~(value & mask);
		break;
	case OFFSET_ENABLE:
		pm->enable = (uint16_t)(((pm->enable & ~mask) | (value & mask)) & ENABLE_ALL);
		break;
	case OFFSET_CONTROL:
		pm->control = (uint16_t)(((pm->control & ~mask) | (value & mask)) &
					 CONTROL_SLP_TYP);
		if ((value & mask & CONTROL_SLP_EN) &&
		    pm->control >> CONTROL_SLP_TYP_SHIFT == SLP_TYP_S5) {
			pm->environment->request_power_off(pm->environment);
		}
		break;
	default:
		break;
	}
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct pm *pm = context;

	for (unsigned i = 0; i < size;) {
		uint64_t at = offset + i;
		uint16_t part = (uint16_t)(value >> (8 * i));

		if (at % 2 == 1) {
			write_register(pm, at - 1, (uint16_t)(part << 8), 0xff00);
			i += 1;
		} else if (size - i == 1) {
			write_register(pm, at, part, 0x00ff);
			i += 1;
		} else {
			write_register(pm, at, part, 0xffff);
			i += 2;
		}
	}
	update_interrupt(pm);
}

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };

static void pm_reset(struct device *device)
{
	struct pm *pm = (struct pm *)device;

	pm->status = 0;
	pm->enable = 0;
	pm->control = 0;
	update_interrupt(pm);
}

static int pm_save(const struct device *device, struct wire *out)
{
	const struct pm *pm = (const struct pm *)device;

	wire_put_u16(out, pm->status);
	wire_put_u16(out, pm->enable);
	wire_put_u16(out, pm->control);
	return wire_ok(out) ? 0 : -EMSGSIZE;
}

static int pm_load(struct device *device, uint32_t version, struct wire *in)
{
	struct pm *pm = (struct pm *)device;
	uint16_t status = wire_get_u16(in);
	uint16_t enable = wire_get_u16(in);
	uint16_t control = wire_get_u16(in);

	(void)version;
	if (!wire_ok(in) || (status & ~STATUS_ALL) != 0 || (enable & ~ENABLE_ALL) != 0 ||
	    (control & ~CONTROL_SLP_TYP) != 0) {
		return -EPROTO;
	}
	pm->status = status;
	pm->enable = enable;
	pm->control = control;
	update_interrupt(pm);
	return 0;
}

static void pm_destroy(struct device *device)
{
	struct pm *pm = (struct pm *)device;

	bus_remove(pm->environment->bus, BUS_PORTS, PORT_BASE);
	free(pm);
}

static const struct device_ops pm_ops = {
	.name = "pm",
	.version = 1,
	.reset = pm_reset,
	.save = pm_save,
	.load = pm_load,
	.destroy = pm_destroy,
};

int pm_create(struct device_environment *environment, struct pm **pm)
{
	struct pm *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &pm_ops;
	created->environment = environment;
	error = bus_add(environment->bus, BUS_PORTS, PORT_BASE, PORT_COUNT, &port_ops, created);
	if (error < 0) {
		free(created);
		return error;
	}
	*pm = created;
	return 0;
}

struct device *pm_device(struct pm *pm)
{
	return &pm->device;
}

void pm_press_power_button(struct pm *pm)
{
	pm->status |= PM1_PWRBTN;
	update_interrupt(pm);
}
