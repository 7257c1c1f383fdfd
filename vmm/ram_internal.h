/* Between ram.c and ram_save.c. */
#pragma once

#include "vmm/ram.h"

/* Where a page is in our memory: RAM, or the framebuffer. */
uint8_t *ram_page(const struct ram *ram, uint64_t page);
/* Whether the layers have bytes for it; it is zeros otherwise. */
bool ram_covered(const struct ram *ram, uint64_t page);
