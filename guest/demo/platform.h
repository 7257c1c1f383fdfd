/*
 * What the desktop needs from whatever it runs on. Two implementations exist: hw/ (the machine of
 * docs/MACHINE.md, bare metal) and host/ (an ordinary Linux program, for tests). The desktop never
 * touches hardware except through this table, so that what the tests see is what the guest runs.
 *
 * What must stay true: everything runs on one thread; no operation calls back into the desktop;
 * pointers that an operation returns stay valid until set_mode() is called (the surface) or for
 * ever (the rest).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct surface;

#define PLATFORM_NO_DEADLINE UINT64_MAX
#define PLATFORM_MAX_DEVICES 12

/* Input and machine events, in the terms of Linux evdev (linux/input-event-codes.h). */
enum platform_event_type {
	PLATFORM_EVENT_NONE,
	PLATFORM_EVENT_KEY,     /* code = KEY_x, value = 0 up, 1 down, 2 repeat */
	PLATFORM_EVENT_POINTER, /* x, y = 0..32767 over the whole screen */
	PLATFORM_EVENT_MOTION,  /* x, y = relative pixels */
	PLATFORM_EVENT_BUTTON,  /* code = BTN_LEFT..., value = 0 up, 1 down */
	PLATFORM_EVENT_WHEEL,   /* value = clicks, positive is up */
	PLATFORM_EVENT_MODE,    /* x, y = the preferred size changed to this */
	PLATFORM_EVENT_RESUMED, /* the machine came back from a suspend */
	PLATFORM_EVENT_POWER,   /* the power button was pressed */
};

struct platform_event {
	enum platform_event_type type;
	int code;
	int value;
	int x;
	int y;
};

/* What there is to see in the system monitor; strings are static. */
struct platform_device {
	char name[40];   /* such as "virtio-input tablet" */
	char detail[40]; /* such as "00:03.0  1af4:1052" */
};

struct platform_info {
	const char *system;    /* such as "KVM, x86-64" */
	uint64_t memory_bytes; /* RAM that the machine has */
	uint64_t boot_us;      /* from the first instruction to now_ms() == 0, microseconds */
	struct platform_device devices[PLATFORM_MAX_DEVICES];
	unsigned int device_count;
	void *spare_memory; /* RAM that nobody uses, for the memory pattern */
	size_t spare_size;  /* bytes */
};

struct platform_ops {
	/* Milliseconds since the start; never goes back, and stands still while the machine is
	 * suspended or not. */
	uint64_t (*now_ms)(void *context);
	/* Seconds since 1970-01-01 UTC. */
	int64_t (*wall_seconds)(void *context);
	/* Reads the wall clock anew; called after a resume. */
	void (*sync_clock)(void *context);
	/* Microseconds that the CPU was halted, since the start. */
	uint64_t (*idle_us)(void *context);
	/* Writes bytes to the serial port; '\n' becomes CR LF. */
	void (*serial_write)(void *context, const char *text, size_t size);
	/* Copies the value of opt/tanmatsu/NAME to buffer as a string (empty if there is none). */
	void (*get_setting)(void *context, const char *name, char *buffer, size_t size);
	/* Sets a display mode and fills in the visible surface; false (and nothing changed) if it
	 * does not exist. */
	bool (*set_mode)(void *context, int width, int height, struct surface *visible);
	/* Bit 0 num lock, bit 1 caps lock, bit 2 scroll lock. */
	void (*set_leds)(void *context, unsigned int leds);
	/* Switches the machine off or starts it anew; do not return on a real machine. */
	void (*power_off)(void *context);
	void (*reboot)(void *context);
};

struct platform {
	const struct platform_ops *ops;
	void *context;
	const struct platform_info *info;
	const char *command_line; /* never NULL */
};
