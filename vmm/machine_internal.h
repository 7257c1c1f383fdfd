/* struct machine, for the files that make it up: machine.c, machine_devices.c, machine_start.c, snapshot*.c. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "vmm/console.h"
#include "vmm/console_peer.h"
#include "vmm/cpuid.h"
#include "vmm/dev/bochs_display.h"
#include "vmm/dev/fw_cfg.h"
#include "vmm/dev/i8042.h"
#include "vmm/dev/pci.h"
#include "vmm/dev/pm.h"
#include "vmm/dev/rtc.h"
#include "vmm/dev/uart16550.h"
#include "vmm/device.h"
#include "vmm/input_router.h"
#include "vmm/irq_kvm.h"
#include "vmm/kvm.h"
#include "vmm/machine.h"
#include "vmm/ram.h"
#include "vmm/ram_verifier.h"
#include "vmm/timers.h"
#include "vmm/vcpu.h"
#include "vmm/virtio/virtio_input.h"
#include "vmm/virtio/virtio_rng.h"

struct sd_event_source;

enum {
	MACHINE_DEVICES_MAX = 24,
};

/* What vCPU threads and devices ask of the loop thread. */
enum machine_request {
	MACHINE_REQUEST_POWER_OFF = 1 << 0,
	MACHINE_REQUEST_RESET = 1 << 1,
	MACHINE_REQUEST_FAILURE = 1 << 2,
	MACHINE_REQUEST_VERIFIED = 1 << 3, /* by the verifier's thread */
};

struct machine {
	struct machine_surroundings surroundings;
	struct vmm_config config;
	struct machine_files files; /* kernel and initrd stay open for a reset */

	pthread_mutex_t lock;
	struct guestmem memory;
	struct ram ram;
	struct ram_verifier verifier;
	struct kvm_vm vm;
	struct cpuid cpuid;
	struct bus *bus;
	struct timers *timers;
	struct irq irq;
	struct device_environment environment;
	struct vcpus *vcpus;
	struct console *console;
	struct console_peer *console_peer;

	/* The devices, in the order of the table in machine_devices.c. */
	struct device *devices[MACHINE_DEVICES_MAX];
	size_t device_count;
	struct pci_host *pci;
	struct bochs_display *display;
	struct i8042 *i8042;
	struct uart16550 *uart;
	struct rtc *rtc;
	struct pm *pm;
	struct fw_cfg *fw_cfg;
	struct virtio_input *keyboard, *tablet;
	struct virtio_rng *rng;
	struct input_router *router;

	/* State of processors and controllers as they were made: what a reset goes back to. */
	struct wire pristine;

	int wake_fd; /* eventfd: `requests` is not 0 */
	struct sd_event_source *wake;
	atomic_uint requests;
	char failure[MACHINE_REASON_MAX]; /* lock */
	struct log_limiter reset_log;     /* a guest may reset as often as it likes */

	bool running;
	uint64_t running_since_us;
	uint64_t ran_us; /* before that */
	uint64_t input_events;
};

/* machine_devices.c: makes them all, in order; removes them in reverse. */
must_check int machine_create_devices(struct machine *machine);
/* machine_disks.c: those after the table. */
must_check int machine_create_disks(struct machine *machine);
void machine_destroy_devices(struct machine *machine);
void machine_reset_devices(struct machine *machine);
/* Completes what is in flight, before a snapshot. */
void machine_quiesce_devices(struct machine *machine);

/* machine_start.c: a kernel into fresh memory and the boot processor's registers; `reason` on an error. */
must_check int machine_load_kernel(struct machine *machine, char reason[MACHINE_REASON_MAX]);
/* Also there: state of processors and controllers as they were made, kept, and gone back to by a reset. 0 or -errno. */
must_check int machine_save_pristine(struct machine *machine);
must_check int machine_load_pristine(struct machine *machine);
