/* The sections of a snapshot that are the machine's own; devices' sections have their names (struct device_ops). */
#pragma once

#define SNAPSHOT_CPUID   "cpuid"
#define SNAPSHOT_RAM     "ram"
#define SNAPSHOT_TSC     "tsc"
#define SNAPSHOT_VCPU    "vcpu"
#define SNAPSHOT_IRQCHIP "irqchip"
#define SNAPSHOT_PIT     "pit"
#define SNAPSHOT_CLOCK   "clock"

enum {
	SNAPSHOT_VERSION = 1, /* of each of them, but of vcpu: VCPU_STATE_VERSION */
};
