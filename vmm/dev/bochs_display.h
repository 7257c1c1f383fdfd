/*
 * The display adapter: Bochs DISPI registers (ports 0x1CE/0x1CF and the register page in BAR 2), a
 * linear framebuffer in BAR 0, EDID, and our event registers (docs/MACHINE.md, "PCI, bus 0").
 * Register meanings are those of Bochs' VBE_DISPI interface and of QEMU's docs/specs/standard-vga.
 * Text and planar modes are not part: only 32 bits a pixel.
 *
 * What must stay true: the current scanout always lies inside the framebuffer. All calls with the
 * machine's lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "display/scanout.h"
#include "vmm/dev/pci.h"
#include "vmm/device.h"
#include "vmm/framebuffer.h"

enum {
	/* Largest size that the EDID prefers; a guest may set any mode that fits into the memory
	   and DISPI_SIDE_MAX. */
	BOCHS_DISPLAY_WIDTH_MAX = 3840,
	BOCHS_DISPLAY_HEIGHT_MAX = 2160,
	BOCHS_DISPLAY_WIDTH_MIN = 320,
	BOCHS_DISPLAY_HEIGHT_MIN = 200,
};

struct bochs_display;

/*
 * The picture changed its place, size or stride: called with the new scanout, id != 0 and new. Not
 * called while the guest has the mode switched off (the last picture stays), nor from load (ask
 * bochs_display_scanout() then).
 */
typedef void (*bochs_display_on_mode)(void *context, const struct scanout *scanout);

/* Adds the adapter at `slot`. Borrows all arguments; `on_mode` may be NULL. Returns 0 or -errno. */
must_check int bochs_display_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, struct framebuffer *framebuffer, bochs_display_on_mode on_mode, void *context,
    struct bochs_display **display);
struct device *bochs_display_device(struct bochs_display *display);

/* The picture as it is shown now; false when no mode has been set since creation or reset. */
bool bochs_display_scanout(const struct bochs_display *display, struct scanout *scanout);
/*
 * Sets a linear 32-bit mode as firmware would, before a kernel starts, and clears it; calls
 * `on_mode`. Returns 0 or -EINVAL when the size is 0 or does not fit.
 */
must_check int bochs_display_set_mode(
    struct bochs_display *display, uint32_t width, uint32_t height);
/* The size that the EDID asks for, clamped to the limits above; raises the event (bit 0) when it is
 * another than before. */
void bochs_display_set_preferred(struct bochs_display *display, uint32_t width, uint32_t height);
void bochs_display_preferred(
    const struct bochs_display *display, uint32_t *width, uint32_t *height);
/* Events of register 0x704: bit 1, the machine was resumed; bit 2, the power button was pressed. */
void bochs_display_notify_resumed(struct bochs_display *display);
void bochs_display_notify_power_button(struct bochs_display *display);
/* Guest-physical address of BAR 0 as it is mapped now, 0 when it is not: for screen_info. */
uint64_t bochs_display_framebuffer_address(const struct bochs_display *display);
