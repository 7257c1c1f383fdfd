/*
 * The display: modes through the Bochs DISPI registers, the framebuffer in BAR 0, and the event
 * register of docs/MACHINE.md in BAR 2 (0x700), which also tells of resumes and the power button.
 */
#pragma once

#include "gfx/canvas.h"
#include "hw/events.h"
#include "hw/pci.h"

struct display {
	bool present;
	struct pci_device pci;
	uintptr_t framebuffer;
	uintptr_t registers; /* of the event page, or 0 if the machine has none */
};

/* Takes the device if it is a display; false if it is not. Events are off until
 * display_enable_events(). */
bool display_probe(struct display *display, const struct pci_device *pci);

/* Sets a mode of 32 bits a pixel; false (and the old mode stays, as well as it can) if the device
 * refuses. */
bool display_set_mode(struct display *display, int width, int height, struct surface *visible);

/* The size that the viewer asks for; false if the machine does not say. */
bool display_preferred(const struct display *display, int *width, int *height);

/* Lets the device interrupt, and turns its events into ours. */
void display_enable_events(const struct display *display);
void display_poll(const struct display *display, struct events *events);
