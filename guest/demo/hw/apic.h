/*
 * Interrupt routing: the IOAPIC for ISA and PCI lines, the local APIC for its timer and for ending
 * interrupts (Intel SDM volume 3, chapter 11; 82093AA). The old PIC is masked.
 */
#pragma once

#include "hw/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct apic {
	uint64_t ticks_per_ms; /* of the timer */
	bool armed;
};

/* Turns the local APIC on, masks the PIC and all lines, and measures the timer (about 1 ms). */
void apic_init(struct apic *apic, struct clock *clock);

/* Routes an ISA interrupt, or a PCI line (level), to VECTOR_ISA + irq. */
void apic_route(uint8_t irq, bool level);

/* Ends the interrupt in service. Level lines must have been quieted before. */
void apic_end_interrupt(void);

/* One timer interrupt in `ms` milliseconds (at least 1; far ones may come early); UINT64_MAX: none.
 */
void apic_set_timer(struct apic *apic, uint64_t ms);
