/*
 * The machine of docs/MACHINE.md as a platform for the desktop: all drivers, the interrupts, the
 * clock, and the halt when there is nothing to do.
 *
 * What must stay true: interrupts are handled in machine_wait() only, so that drivers need no
 * locks.
 */
#pragma once

#include "hw/apic.h"
#include "hw/bootinfo.h"
#include "hw/clock.h"
#include "hw/display.h"
#include "hw/events.h"
#include "hw/fwcfg.h"
#include "hw/i8042.h"
#include "hw/uart.h"
#include "hw/virtio_input.h"
#include "platform.h"

#define MACHINE_INPUTS 4

struct machine {
	struct platform platform;
	struct platform_info info;
	struct bootinfo boot;
	struct events events;
	struct clock clock;
	struct apic apic;
	struct uart uart;
	struct fwcfg fwcfg;
	struct i8042 i8042;
	struct display display;
	struct virtio_input inputs[MACHINE_INPUTS];
	unsigned int input_count;
	struct surface screen; /* the mode that is set */
	uint64_t idle_ns;
	int64_t wall;          /* UTC seconds when it was read */
	uint64_t wall_read_ns; /* and when that was */
};

/* Finds and starts all hardware. The struct must never move afterwards. */
void machine_init(struct machine *machine);

/* The next event, if there is one. */
bool machine_next_event(struct machine *machine, struct platform_event *event);

/* Halts until something happens or `deadline_ms` (platform time) has come, and lets the drivers
 * gather events. */
void machine_wait(struct machine *machine, uint64_t deadline_ms);

/* Sends what was written to the serial port. */
void machine_flush(struct machine *machine);
