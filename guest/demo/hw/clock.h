/*
 * Monotonic time from the TSC: scaled by kvmclock (Documentation/virt/kvm/x86/msr.rst,
 * MSR_KVM_SYSTEM_TIME_NEW) where the machine has it, else by a calibration against the PIT.
 * kvmclock also stays right over a resume on another host.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool kvm;              /* kvmclock is in use */
	uint64_t ticks_per_ms; /* of the TSC, if it is not */
	uint64_t last_ns;
	uint64_t start_ns;
};

/* Chooses the source; takes up to 10 ms without kvmclock. */
void clock_init(struct clock *clock);

/* Nanoseconds since clock_init(); never goes back. */
uint64_t clock_now_ns(struct clock *clock);

/* Nanoseconds from a TSC value before clock_init() to clock_init(). */
uint64_t clock_since_ns(const struct clock *clock, uint64_t tsc);
