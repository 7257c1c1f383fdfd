/*
 * One virtual machine: memory, processors, devices, and the ways they begin, stop, start afresh and end. Owned by the
 * loop thread, which calls everything here; functions that say "lock" are called with machine_lock() held, the others
 * without.
 *
 * The lock guards all devices, the bus, the timers and the framebuffer's bookkeeping. vCPU threads take it for every
 * access that leaves the guest. It is never held while vCPUs are waited for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/must_check.h"
#include "display/scanout.h"
#include "input/event.h"
#include "vmm/control.h"
#include "vmm/framebuffer.h"

struct sd_event;
struct machine;

/* Loop thread. */
struct machine_ops {
	/* It ended, or cannot go on: the process is to say so and exit. vCPUs stand still. Without the lock. */
	void (*on_end)(void *context, enum vmm_exit code, const char *text);
	/* A new picture or mode. Lock; maybe a vCPU's thread. */
	void (*on_mode)(void *context, const struct scanout *scanout);
	/* The keyboard's lights: bit 0 scroll lock, 1 num lock, 2 caps lock. Lock; maybe a vCPU's thread. */
	void (*on_leds)(void *context, uint8_t leds);
	/* How far machine_create() or machine_suspend() is. Lock. */
	void (*on_progress)(void *context, uint32_t percent);
};

struct machine_disk_files {
	int file, base;
};

/* Descriptors of VMM_CONFIGURE; -1 where there is none. */
struct machine_files {
	int kvm, kernel, initrd, console, state;
	struct machine_disk_files disks[VMM_DISKS_MAX];
	int layers[VMM_LAYERS_MAX];
	uint32_t layer_count;
};

/* Closes all that are there. */
void machine_files_close(struct machine_files *files);

enum {
	MACHINE_REASON_MAX = 256,
};

/* What the machine is made in; all borrowed, to outlive it. */
struct machine_surroundings {
	struct sd_event *event;
	struct framebuffer *framebuffer; /* made before the sandbox was entered */
	int pagemap_fd; /* /proc/self/pagemap, opened before the sandbox was entered */
	const struct machine_ops *ops;
	void *context;
};

/*
 * Builds the machine that `config` describes, with the kernel loaded or the snapshot restored; vCPUs stand still. Takes
 * the descriptors in `files` in every case. On an error `*code` says how the process is to exit and `reason` why.
 */
must_check int machine_create(const struct machine_surroundings *surroundings,
    const struct vmm_config *config, struct machine_files *files, struct machine **machine,
    enum vmm_exit *code, char reason[MACHINE_REASON_MAX]);
void machine_destroy(struct machine *machine);

void machine_lock(struct machine *machine);
void machine_unlock(struct machine *machine);

void machine_run(struct machine *machine);
void machine_stop(struct machine *machine);
bool machine_running(const struct machine *machine);
/* The kernel starts afresh; runs on if it ran. Returns 0, or -errno and calls on_end. */
must_check int machine_reset(struct machine *machine);
/*
 * Writes a snapshot into three empty files and fsyncs them; the vCPUs stop and stay stopped. On an error they run again
 * if they ran, and `reason` says what failed.
 */
must_check int machine_suspend(struct machine *machine, uint64_t generation, const int files[3],
    struct vmm_suspend_report *report, char reason[MACHINE_REASON_MAX]);

/* Lock, all of these. */
/* False while no mode has been set. */
bool machine_scanout(const struct machine *machine, struct scanout *scanout);
struct framebuffer *machine_framebuffer(struct machine *machine);
void machine_input(struct machine *machine, const struct input_event *event);
uint8_t machine_leds(const struct machine *machine);
void machine_set_preferred_size(struct machine *machine, uint32_t width, uint32_t height);
void machine_press_power_button(struct machine *machine);
struct timers *machine_timers(struct machine *machine);
/* Takes `socket` in every case: see console_peer_attach_take() in console_peer.h. */
must_check int machine_attach_console_take(struct machine *machine, int socket);

/* Fills what the machine knows: uptime, CPU time, exits, private RAM, input events, picture size. */
void machine_statistics(struct machine *machine, struct vmm_statistics *statistics);
