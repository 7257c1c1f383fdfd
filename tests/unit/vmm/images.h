/* Kernel images made up for tests: an ELF64 executable and a bzImage that load, to be broken in every way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	IMAGE_MAX = 16 * 1024,
	IMAGE_ELF_SIZE = 0x1000 + 64,
	IMAGE_ELF_ADDRESS = 0x200000,
	IMAGE_BZIMAGE_SIZE = 5 * 512 + 1024,
	IMAGE_BZIMAGE_ADDRESS = 0x1000000,
	IMAGE_BZIMAGE_INIT = 0x4000,
};

void image_put(uint8_t *image, size_t offset, uint64_t value, unsigned size);
/* 64 bytes of 0x90 at 2 MiB, with 8 KiB of memory; entered at its 16th byte. Returns IMAGE_ELF_SIZE. */
size_t image_make_elf(uint8_t image[IMAGE_MAX]);
/* 1 KiB of 0x90 at 16 MiB. Returns IMAGE_BZIMAGE_SIZE. */
size_t image_make_bzimage(uint8_t image[IMAGE_MAX]);
