/*
 * The virtual processors: a thread each that runs guest code and carries its port and memory
 * accesses to the bus, and the gate at which they all stand still together (for a pause, a reset, a
 * snapshot).
 *
 * A processor that stands still has nothing half done: an access that was answered has been
 * completed in the kernel. All calls from the loop thread and without the machine's lock, except
 * where said otherwise.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"
#include "vmm/bus.h"
#include "vmm/kvm.h"

struct vcpus;

/* Called by vCPU threads, without the machine's lock; the processors have been told to stand still
 * before. */
struct vcpus_ops {
	/* Triple fault, or what else resets a PC. */
	void (*on_reset)(void *context);
	/* The guest cannot go on. `text` says why, for the log and the administrator. */
	void (*on_failure)(void *context, const char *text);
};

/*
 * Makes `count` processors that stand still, each with a thread. `lock` is the machine's and is
 * held around accesses to `bus`. Borrows all arguments. Returns 0 or -errno.
 */
must_check int vcpus_create(struct kvm_vm *vm, uint32_t count, struct bus *bus,
    pthread_mutex_t *lock, const struct vcpus_ops *ops, void *context, struct vcpus **vcpus);
/* Ends the threads. */
void vcpus_destroy(struct vcpus *vcpus);

uint32_t vcpus_count(const struct vcpus *vcpus);
/* The descriptor of one, for saving and loading while they stand still. */
int vcpus_fd(const struct vcpus *vcpus, uint32_t index);

/* Lets them run. The guest is told that it was not running (KVM_KVMCLOCK_CTRL), or its watchdogs
 * would bark. */
void vcpus_run(struct vcpus *vcpus);
/* Returns when all of them stand still; nothing happens when they do already. */
void vcpus_stop(struct vcpus *vcpus);
/* The same without waiting. Any thread, with or without the machine's lock. */
void vcpus_stop_soon(struct vcpus *vcpus);

/* How often KVM_RUN returned, all processors together. Any thread. */
uint64_t vcpus_exits(const struct vcpus *vcpus);
/* CPU time of their threads in microseconds. */
uint64_t vcpus_cpu_us(const struct vcpus *vcpus);
