/*
 * What every emulated device is: a name, operations, and the surroundings it was created in. A device enters the machine
 * by its create function (called from the table in machine.c) and is locked by the machine's one lock: vCPU threads and
 * the loop thread take it before they call any operation or bus handler. Saving is not optional.
 */
#pragma once

#include <stdint.h>

#include "base/must_check.h"
#include "base/wire.h"
#include "vmm/bus.h"
#include "vmm/guestmem.h"
#include "vmm/irq.h"

struct sd_event;
struct device;

struct device_ops {
	const char *
	    name; /* also the name of its section in a snapshot, with an instance where there are several */
	uint32_t
	    version; /* of what save() writes; load() is called for this version or an older one */
	void (*reset)(struct device *device);
	/*
	 * Before save(), on the loop thread while the vCPUs stand still: completes what is in flight. NULL where a device
	 * has nothing that lasts.
	 */
	void (*quiesce)(struct device *device);
	/* Field by field, in wire format. Nothing may be in flight. */
	int (*save)(const struct device *device, struct wire *out);
	/* Into a freshly created device. The input is hostile: returns -EPROTO rather than to believe it. */
	int (*load)(struct device *device, uint32_t version, struct wire *in);
	void (*destroy)(struct device *device);
};

struct device {
	const struct device_ops *ops;
	unsigned instance; /* 0, 1, ... among devices of the same ops */
};

/* What a device may use. Outlives it. */
struct device_environment {
	struct guestmem *memory;
	struct bus *bus;
	const struct irq *irq;
	struct sd_event *
	    event; /* loop thread's; timers are created by the loop thread only. NULL in unit tests */
	/*
	 * Runs `function` on the loop thread, with the machine's lock held, at CLOCK_MONOTONIC `when_us`; one timer per
	 * handle, set again replaces, UINT64_MAX disarms. Callable from any thread that holds the lock.
	 */
	struct device_timer *(*timer_create)(
	    struct device_environment *environment, void (*function)(void *context), void *context);
	void (*timer_set)(struct device_timer *timer, uint64_t when_us);
	void (*timer_destroy)(struct device_timer *timer);
	uint64_t (*now_us)(void);      /* CLOCK_MONOTONIC */
	uint64_t (*realtime_us)(void); /* since the epoch */
	/* The guest asked for power off (S5) or a reset; acted on by the machine soon after, outside of the device. */
	void (*request_power_off)(struct device_environment *environment);
	void (*request_reset)(struct device_environment *environment);
	/* The machine's lock, for a loop-thread callback that does not come with it. */
	void (*lock)(struct device_environment *environment);
	void (*unlock)(struct device_environment *environment);
	void *machine; /* of the four above */
};
