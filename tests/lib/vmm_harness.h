/*
 * Plays the monitor's part towards one tanmatsu-vmm, for tests and for vmmctl: starts it, configures it, asks, attaches
 * a viewer's link, suspends into a folder and resumes from it. Everything waits with a time-out and reports -errno; one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ipc.h"
#include "display/scanout.h"
#include "input/event.h"
#include "vmm/control.h"

struct vmm_harness {
	pid_t pid;
	int control;    /* socket to the VMM */
	int listen;     /* kept, so that a second connection can be made */
	int link;       /* a viewer's link, -1 without */
	int timeout_ms; /* for every wait; 30 s unless changed */
	bool exited;
	int status;    /* wait status, once exited */
	int exit_code; /* from VMM_EVENT_EXITING, -1 before */
	char exit_text[VMM_TEXT_MAX];
	const char *state_folder; /* of vmm_harness_suspend(), vmm_harness_resume() */
	uint64_t generation;
	uint32_t layer_count;
	uint64_t layers[VMM_LAYERS_MAX]; /* generations, oldest first */
	uint32_t disk_count;
	struct vmm_disk disks[VMM_DISKS_MAX]; /* as they were sent last */

	/* The link's side: what the VMM said last. */
	struct scanout scanout;
	int picture_fd; /* -1 before LINK_SCANOUT */
	const uint8_t *picture;
	struct scanout_damage damage;
	uint8_t leds;
	struct ipc_message message; /* last reply */
};

struct vmm_harness_options {
	const char
	    *program; /* tanmatsu-vmm; NULL: $TANMATSU_VMM, else the one built with the tests */
	const char *kernel; /* NULL: the built-in demo */
	const char *initrd;
	const char *command_line;
	const char *console; /* file that is appended to; NULL: none */
	/*
	 * Disks, NULL behind the last: FORMAT:FILE[,base=FILE][,ro], FORMAT being raw or overlay. The serial is disk0 and
	 * so on, the base's name 32 bytes of 'b'.
	 */
	const char *disks[VMM_DISKS_MAX];
	uint32_t memory_mib, vcpus, width, height; /* 0: 64, 1, 1024, 768 */
	uint32_t uid;                              /* user and group that it becomes; 0: stays */
};

/* Starts the program and connects. 0 or -errno. */
must_check int vmm_harness_start(
    struct vmm_harness *vmm, const struct vmm_harness_options *options);
/* Connects once more, as a daemon does that was restarted; the old connection is closed. */
must_check int vmm_harness_reconnect(struct vmm_harness *vmm);
/* VMM_CONFIGURE for a fresh boot. */
must_check int vmm_harness_configure(
    struct vmm_harness *vmm, const struct vmm_harness_options *options);
/* VMM_CONFIGURE from the newest snapshot of `folder` (as written by vmm_harness_suspend). */
must_check int vmm_harness_resume(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, const char *folder);
/* start, configure or resume (when `folder` is not NULL), and VMM_RUN. */
must_check int vmm_harness_boot(
    struct vmm_harness *vmm, const struct vmm_harness_options *options, const char *folder);

/* Sends a request and waits for its reply: the error in it, or -errno. The reply's body is vmm->message.body. */
must_check int vmm_harness_request(struct vmm_harness *vmm, uint16_t type, const struct wire *body,
    const int *fds, size_t fd_count);
must_check int vmm_harness_simple(struct vmm_harness *vmm, uint16_t type);

/* Writes generation N into FOLDER/state.N, ram.N, frame.N and FOLDER/layers. */
must_check int vmm_harness_suspend(
    struct vmm_harness *vmm, const char *folder, struct vmm_suspend_report *report);
must_check int vmm_harness_statistics(struct vmm_harness *vmm, struct vmm_statistics *statistics);
must_check int vmm_harness_input(
    struct vmm_harness *vmm, const struct input_event *events, size_t count);
/* Types US-ASCII on a US keyboard. */
must_check int vmm_harness_type(struct vmm_harness *vmm, const char *text);
must_check int vmm_harness_pointer(struct vmm_harness *vmm, uint32_t x, uint32_t y);
/* Current picture by VMM_PICTURE, as PNG. */
must_check int vmm_harness_screenshot(struct vmm_harness *vmm, const char *path);
/* The same into malloc'ed XRGB rows of width * 4 bytes. */
must_check int vmm_harness_picture(
    struct vmm_harness *vmm, uint8_t **pixels, uint32_t *width, uint32_t *height);

/* Attaches a link as viewer `id`, keeps the other end in vmm->link. */
must_check int vmm_harness_attach(struct vmm_harness *vmm, uint64_t id);
/* A console at the serial port: the other end in `*console`, for the caller to close. */
must_check int vmm_harness_console(struct vmm_harness *vmm, int *console);
/* Says LINK_WANT. */
must_check int vmm_harness_want(struct vmm_harness *vmm, uint32_t scanout_id);
/* Waits for LINK_DAMAGE; LINK_SCANOUT and LINK_LEDS before it are taken in. -ETIMEDOUT after `timeout_ms`. */
must_check int vmm_harness_damage(struct vmm_harness *vmm, int timeout_ms);

/* Waits for the process to end. 0 with vmm->status, or -ETIMEDOUT. */
must_check int vmm_harness_wait_exit(struct vmm_harness *vmm);
/* VMM_QUIT and wait. */
must_check int vmm_harness_quit(struct vmm_harness *vmm);
/* Kills what still runs and frees all. */
void vmm_harness_fini(struct vmm_harness *vmm);
