/*
 * What the boot loader says: command line, memory map, framebuffer (struct boot_params of the Linux
 * boot protocol). It is copied first of all, because the loader may have put it anywhere in RAM.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BOOTINFO_LINE 512

struct bootinfo {
	char command_line[BOOTINFO_LINE];
	uint64_t memory_bytes; /* all RAM */
	uintptr_t free_start;  /* the RAM behind our image, below 3 GiB */
	size_t free_size;
	int width; /* of the mode that is set already, 0 if none is */
	int height;
};

/* Reads the zero page at `params`. */
void bootinfo_read(struct bootinfo *info, uintptr_t params);
