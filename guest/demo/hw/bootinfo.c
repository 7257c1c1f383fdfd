/* The zero page, by the offsets of Documentation/arch/x86/zero-page.rst. */
#include "hw/bootinfo.h"

#include "lib/text.h"

#include <string.h>

#define SCREEN_WIDTH  0x12
#define SCREEN_HEIGHT 0x14
#define EXT_LINE      0x0c8
#define E820_COUNT    0x1e8
#define LINE_POINTER  0x228
#define E820_TABLE    0x2d0
#define E820_SIZE     20
#define E820_RAM      1
#define MOST_BYTES    0xc0000000ull

extern char image_end[];

static uint64_t read_number(uintptr_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)at, size);
	return value;
}

/* Remembers the entry if our image lies in it: what is behind the image is free. */
static void take_ram(struct bootinfo *info, uint64_t start, uint64_t size)
{
	uint64_t image = ((uintptr_t)image_end + 0x1fffff) & ~(uint64_t)0x1fffff;
	uint64_t end = start + size < MOST_BYTES ? start + size : MOST_BYTES;

	info->memory_bytes += size;
	if (start <= image && image < end) {
		info->free_start = image;
		info->free_size = end - image;
	}
}

void bootinfo_read(struct bootinfo *info, uintptr_t params)
{
	uintptr_t line = read_number(params + LINE_POINTER, 4) | read_number(params + EXT_LINE, 4)
								     << 32;
	uint64_t count = read_number(params + E820_COUNT, 1);

	*info = (struct bootinfo){ .memory_bytes = 0 };
	if (line) {
		text_copy(info->command_line, sizeof(info->command_line), (const char *)line);
	}
	info->width = (int)read_number(params + SCREEN_WIDTH, 2);
	info->height = (int)read_number(params + SCREEN_HEIGHT, 2);
	for (uint64_t i = 0; i < count && i < 128; i++) {
		uintptr_t entry = params + E820_TABLE + i * E820_SIZE;

		if (read_number(entry + 16, 4) == E820_RAM) {
			take_ram(info, read_number(entry, 8), read_number(entry + 8, 8));
		}
	}
}
