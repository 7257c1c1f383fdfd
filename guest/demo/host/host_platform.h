/*
 * The platform table as an ordinary Linux program, for tests and screenshots: memory for a
 * framebuffer, a clock that only moves when told to, and a serial port that is a string. Not part
 * of the guest.
 */
#pragma once

#include "gfx/canvas.h"
#include "lib/heap.h"
#include "platform.h"

#define HOST_SERIAL_SIZE 65536

struct host_platform {
	struct platform platform;
	struct platform_info info;
	uint32_t *pixels;
	int width;
	int height;
	uint64_t now_ms;
	uint64_t idle_us;
	int64_t wall; /* UTC seconds at now_ms == 0 */
	char serial[HOST_SERIAL_SIZE];
	size_t serial_size;
	char user[48];
	int resumes;
	unsigned int leds;
	bool powered_off;
	bool rebooted;
	int max_width; /* larger modes are refused; 0 = none is */
	void *heap_memory;
	struct heap heap;
};

/* Sets everything up with a heap of `heap_size` bytes; false without memory. `command_line` must
 * outlive it. */
bool host_platform_init(struct host_platform *host, const char *command_line, size_t heap_size);
void host_platform_fini(struct host_platform *host);

/* Writes the visible picture to a PNG file; 0 or -1. */
int host_platform_save_png(const struct host_platform *host, const char *path);
