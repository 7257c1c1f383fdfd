/* Bochs DISPI and the machine's event register; see display.h. */
#include "hw/display.h"

#include "hw/io.h"

#define DISPI_INDEX 0x1ce
#define DISPI_DATA  0x1cf

enum {
	DISPI_ID = 0,
	DISPI_XRES = 1,
	DISPI_YRES = 2,
	DISPI_BPP = 3,
	DISPI_ENABLE = 4,
	DISPI_VIRT_WIDTH = 6,
	DISPI_X_OFFSET = 8,
	DISPI_Y_OFFSET = 9,
};

#define ENABLE_ON       0x01
#define ENABLE_LINEAR   0x40
#define ENABLE_NO_CLEAR 0x80

#define EVENT_MAGIC     0x700
#define EVENT_STATUS    0x704
#define EVENT_ENABLE    0x708
#define EVENT_PREFERRED 0x70c
#define MAGIC           0x534d5454u
#define EVENT_MODE      0x1u
#define EVENT_RESUMED   0x2u
#define EVENT_POWER     0x4u

static void dispi_write(uint16_t index, int value)
{
	io_write16(DISPI_INDEX, index);
	io_write16(DISPI_DATA, (uint16_t)value);
}

static int dispi_read(uint16_t index)
{
	io_write16(DISPI_INDEX, index);
	return io_read16(DISPI_DATA);
}

bool display_probe(struct display *display, const struct pci_device *pci)
{
	if (display->present || pci->vendor != 0x1234 || pci->device != 0x1111) {
		return false;
	}
	display->pci = *pci;
	display->framebuffer = pci_bar(pci, 0);
	display->registers = pci_bar(pci, 2);
	if (display->registers && mmio_read32(display->registers + EVENT_MAGIC) != MAGIC) {
		display->registers = 0;
	}
	display->present = display->framebuffer != 0;
	return display->present;
}

bool display_set_mode(struct display *display, int width, int height, struct surface *visible)
{
	int stride;

	if (!display->present || width > 0xffff || height > 0xffff) {
		return false;
	}
	dispi_write(DISPI_ENABLE, 0);
	dispi_write(DISPI_XRES, width);
	dispi_write(DISPI_YRES, height);
	dispi_write(DISPI_BPP, 32);
	dispi_write(DISPI_ENABLE, ENABLE_ON | ENABLE_LINEAR | ENABLE_NO_CLEAR);
	dispi_write(DISPI_X_OFFSET, 0);
	dispi_write(DISPI_Y_OFFSET, 0);
	stride = dispi_read(DISPI_VIRT_WIDTH);
	if (dispi_read(DISPI_XRES) != width || dispi_read(DISPI_YRES) != height || stride < width) {
		/* Refused: show the old mode again, if there was one. */
		if (visible->width > 0) {
			dispi_write(DISPI_ENABLE, 0);
			dispi_write(DISPI_XRES, visible->width);
			dispi_write(DISPI_YRES, visible->height);
			dispi_write(DISPI_ENABLE, ENABLE_ON | ENABLE_LINEAR | ENABLE_NO_CLEAR);
		}
		return false;
	}
	*visible = (struct surface){ (uint32_t *)display->framebuffer, width, height, stride };
	return true;
}

bool display_preferred(const struct display *display, int *width, int *height)
{
	uint32_t size = display->registers ? mmio_read32(display->registers + EVENT_PREFERRED) : 0;

	*width = (int)(size & 0xffff);
	*height = (int)(size >> 16);
	return *width > 0 && *height > 0;
}

void display_enable_events(const struct display *display)
{
	if (display->registers) {
		mmio_write32(
		    display->registers + EVENT_ENABLE, EVENT_MODE | EVENT_RESUMED | EVENT_POWER);
	}
}

void display_poll(const struct display *display, struct events *events)
{
	struct platform_event mode = { .type = PLATFORM_EVENT_MODE };
	uint32_t status;

	if (!display->registers) {
		return;
	}
	status = mmio_read32(display->registers + EVENT_STATUS);
	if (status == 0) {
		return;
	}
	mmio_write32(display->registers + EVENT_STATUS, status);
	if (status & EVENT_RESUMED) {
		events_push(events, (struct platform_event){ .type = PLATFORM_EVENT_RESUMED });
	}
	if ((status & EVENT_MODE) && display_preferred(display, &mode.x, &mode.y)) {
		events_push(events, mode);
	}
	if (status & EVENT_POWER) {
		events_push(events, (struct platform_event){ .type = PLATFORM_EVENT_POWER });
	}
}
