/*
 * A machine without KVM for the tests of devices: real bus, memory and framebuffer; interrupts, time and timers are
 * recorded and driven by the test. All devices of docs/MACHINE.md, in their slots. One machine at a time, since the
 * environment's clocks take no context.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/dev/bochs_display.h"
#include "vmm/dev/fw_cfg.h"
#include "vmm/dev/i8042.h"
#include "vmm/dev/pci.h"
#include "vmm/dev/pm.h"
#include "vmm/dev/rtc.h"
#include "vmm/dev/uart16550.h"
#include "vmm/device.h"
#include "vmm/framebuffer.h"
#include "vmm/input_router.h"
#include "vmm/virtio/virtio_input.h"
#include "vmm/virtio/virtio_rng.h"

enum {
	FAKE_GSIS = 24,
	FAKE_MESSAGES = 64,
	FAKE_TIMERS = 8,
	FAKE_DEVICES = 16,
	FAKE_MEMORY = 4 * 1024 * 1024,
	FAKE_OUTPUT = 4096,
	SLOT_BRIDGE = 0,
	SLOT_DISPLAY = 1,
	SLOT_KEYBOARD = 2,
	SLOT_TABLET = 3,
	SLOT_RNG = 4,
};

struct device_timer {
	bool used;
	void (*function)(void *context);
	void *context;
	uint64_t when_us;
};

struct fake_machine {
	struct device_environment environment;
	struct irq irq;
	struct guestmem memory;
	struct bus *bus;
	struct framebuffer *framebuffer;

	struct pci_host *pci;
	struct bochs_display *display;
	struct i8042 *i8042;
	struct uart16550 *uart;
	struct rtc *rtc;
	struct fw_cfg *fw_cfg;
	struct pm *pm;
	struct virtio_input *keyboard, *tablet;
	struct virtio_rng *rng;
	struct input_router *router;
	struct device *devices[FAKE_DEVICES]; /* in the order of creation; the PCI host first */
	size_t device_count;

	bool level[FAKE_GSIS];
	unsigned edges[FAKE_GSIS]; /* rising ones */
	struct {
		uint64_t address;
		uint32_t data;
	} messages[FAKE_MESSAGES];
	size_t message_count; /* goes on counting when the table is full */
	struct device_timer timers[FAKE_TIMERS];
	uint64_t now_us, realtime_us;
	unsigned power_offs, resets, modes;
	struct scanout mode; /* the last one told */
	uint8_t output[FAKE_OUTPUT];
	size_t output_count;
	unsigned room_count; /* uart16550_set_room() */
	uint64_t resumes;    /* a file of fw_cfg */
};

/* Builds everything; dies when something fails. Both clocks start at fixed times. */
struct fake_machine *fake_machine_create(void);
void fake_machine_destroy(struct fake_machine *machine);
/* As the machine's own reset: every device, then BARs are assigned. */
void fake_machine_reset(struct fake_machine *machine);
/* Lets both clocks go on and runs the timers that are due, in order. */
void fake_advance(struct fake_machine *machine, uint64_t us);

uint64_t fake_in(struct fake_machine *machine, uint16_t port, unsigned size);
void fake_out(struct fake_machine *machine, uint16_t port, unsigned size, uint64_t value);
uint64_t fake_load(struct fake_machine *machine, uint64_t address, unsigned size);
void fake_store(struct fake_machine *machine, uint64_t address, unsigned size, uint64_t value);
uint32_t fake_config_read(
    struct fake_machine *machine, unsigned slot, unsigned offset, unsigned size);
void fake_config_write(
    struct fake_machine *machine, unsigned slot, unsigned offset, unsigned size, uint32_t value);
/* The address of a memory BAR as it is programmed. */
uint64_t fake_bar(struct fake_machine *machine, unsigned slot, unsigned bar);

/* The device's section, malloc'ed. */
void fake_save(const struct device *device, uint8_t **bytes, size_t *size);
