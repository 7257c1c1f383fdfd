/*
 * The display adapter as a PCI function: the framebuffer BAR, the register page, EDID and events.
 * What must stay true: whoever asks for the scanout gets one that lies inside the framebuffer, and
 * INTA# is asserted exactly while an enabled event is pending.
 */
#include "vmm/dev/bochs_display.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "vmm/dev/bochs_dispi.h"
#include "vmm/dev/edid.h"

enum {
	PORT_DISPI = 0x1ce,
	PORT_DISPI_COUNT = 3, /* index at 0, data at 1; both 16 bits wide */

	BAR_FRAMEBUFFER = 0,
	BAR_REGISTERS = 2,
	REGISTERS_SIZE = 4096,

	PAGE_EDID_END = 0x100,
	PAGE_VGA = 0x400, /* ports 0x3C0-0x3DF */
	PAGE_VGA_END = 0x420,
	PAGE_DISPI = 0x500,
	PAGE_DISPI_END = PAGE_DISPI + 2 * DISPI_COUNT,
	PAGE_EXTENSION_SIZE = 0x600,
	PAGE_ENDIANNESS = 0x604,
	PAGE_MAGIC = 0x700,
	PAGE_EVENT_STATUS = 0x704,
	PAGE_EVENT_ENABLE = 0x708,
	PAGE_PREFERRED = 0x70c,
	EXTENSION_SIZE = 8,

	EVENT_PREFERRED_MODE = 1 << 0,
	EVENT_RESUMED = 1 << 1,
	EVENT_POWER_BUTTON = 1 << 2,
	EVENT_ALL = EVENT_PREFERRED_MODE | EVENT_RESUMED | EVENT_POWER_BUTTON,

	PREFERRED_WIDTH = 1280, /* until somebody says otherwise */
	PREFERRED_HEIGHT = 800,
};

#define MAGIC_VALUE         0x534d5454u
#define LITTLE_ENDIAN_VALUE 0x1e1e1e1eu

struct bochs_display {
	struct device device;
	struct device_environment *environment;
	struct framebuffer *framebuffer;
	struct pci_device *pci;
	bochs_display_on_mode on_mode;
	void *context;
	struct bochs_dispi dispi;
	uint16_t dispi_index;
	uint8_t attribute_index; /* VGA port 0x3C0; drivers write it to unblank the screen */
	uint32_t scanout_id;     /* of the current picture; 0 before the first one */
	uint32_t event_status, event_enable;
	uint32_t preferred_width, preferred_height;
	uint8_t edid[EDID_SIZE];
	struct log_limiter limiter;
};

static void update_interrupt(struct bochs_display *display)
{
	pci_device_set_interrupt(
	    display->pci, (display->event_status & display->event_enable) != 0);
}

static void raise_event(struct bochs_display *display, uint32_t event)
{
	display->event_status |= event;
	update_interrupt(display);
}

bool bochs_display_scanout(const struct bochs_display *display, struct scanout *scanout)
{
	const struct bochs_picture *picture = &display->dispi.picture;

	*scanout = (struct scanout){
		.id = display->scanout_id,
		.format = SCANOUT_FORMAT_XRGB8888,
		.width = picture->width,
		.height = picture->height,
		.stride = picture->stride,
		.offset = picture->offset,
		.memory_size = FRAMEBUFFER_SIZE,
	};
	return picture->width != 0;
}

static void clear_picture(struct bochs_display *display)
{
	const struct bochs_picture *picture = &display->dispi.picture;
	uint64_t length = (uint64_t)picture->stride * picture->height;

	memset(framebuffer_memory(display->framebuffer) + picture->offset, 0, length);
	framebuffer_mark_dirty(display->framebuffer, picture->offset, length);
}

static void dispi_write(struct bochs_display *display, unsigned index, uint16_t value)
{
	unsigned did = bochs_dispi_write(&display->dispi, index, value);
	struct scanout scanout;

	if (did & DISPI_CLEAR) {
		clear_picture(display);
	}
	if (did & DISPI_PICTURE) {
		display->scanout_id = display->scanout_id == UINT32_MAX ? 1
									: display->scanout_id + 1;
		if (display->on_mode && bochs_display_scanout(display, &scanout)) {
			display->on_mode(display->context, &scanout);
		}
	}
}

static uint64_t port_read(void *context, uint64_t offset, unsigned size)
{
	struct bochs_display *display = context;

	if (size != 2) {
		return UINT64_MAX;
	}
	return offset == 0 ? display->dispi_index
			   : bochs_dispi_read(&display->dispi, display->dispi_index);
}

static void port_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct bochs_display *display = context;

	if (size != 2) {
		return;
	}
	if (offset == 0) {
		display->dispi_index = (uint16_t)value;
	} else {
		dispi_write(display, display->dispi_index, (uint16_t)value);
	}
}

static uint32_t page_dword(const struct bochs_display *display, uint64_t offset)
{
	switch (offset) {
	case PAGE_EXTENSION_SIZE:
		return EXTENSION_SIZE;
	case PAGE_ENDIANNESS:
		return LITTLE_ENDIAN_VALUE;
	case PAGE_MAGIC:
		return MAGIC_VALUE;
	case PAGE_EVENT_STATUS:
		return display->event_status;
	case PAGE_EVENT_ENABLE:
		return display->event_enable;
	case PAGE_PREFERRED:
		return display->preferred_height << 16 | display->preferred_width;
	default:
		return 0;
	}
}

static uint8_t page_byte(const struct bochs_display *display, uint64_t offset)
{
	if (offset < PAGE_EDID_END) {
		return offset < EDID_SIZE ? display->edid[offset] : 0;
	}
	if (offset >= PAGE_VGA && offset < PAGE_VGA_END) {
		return offset == PAGE_VGA ? display->attribute_index : 0;
	}
	if (offset >= PAGE_DISPI && offset < PAGE_DISPI_END) {
		uint16_t value = bochs_dispi_read(
		    &display->dispi, (unsigned)(offset - PAGE_DISPI) / 2);

		return (uint8_t)(value >> (8 * (offset & 1)));
	}
	return (uint8_t)(page_dword(display, offset & ~3ull) >> (8 * (offset & 3)));
}

static uint64_t page_read(void *context, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	/* Nothing in this page changes by being read, so any width may be put together from bytes.
	 */
	for (unsigned i = 0; i < size; i++) {
		value |= (uint64_t)page_byte(context, offset + i) << (8 * i);
	}
	return value;
}

static void page_write_dword(struct bochs_display *display, uint64_t offset, uint32_t value)
{
	if (offset == PAGE_EVENT_STATUS) {
		display->event_status &= ~value;
		update_interrupt(display);
	} else if (offset == PAGE_EVENT_ENABLE) {
		display->event_enable = value & EVENT_ALL;
		update_interrupt(display);
	}
}

static void page_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct bochs_display *display = context;

	if (offset == PAGE_VGA) {
		display->attribute_index = (uint8_t)value;
	} else if (offset >= PAGE_DISPI && offset < PAGE_DISPI_END && offset % 2 == 0) {
		for (unsigned i = 0; i < size / 2; i++) {
			dispi_write(display, (unsigned)(offset - PAGE_DISPI) / 2 + i,
			    (uint16_t)(value >> (16 * i)));
		}
	} else if (offset % 4 == 0) {
		for (unsigned i = 0; i < size / 4; i++) {
			page_write_dword(display, offset + 4 * i, (uint32_t)(value >> (32 * i)));
		}
	}
}

static void place(void *context, uint64_t address)
{
	struct bochs_display *display = context;

	int error = framebuffer_place(display->framebuffer, address);

	/* The guest then draws into nothing; it can try again by moving the BAR. */
	if (error < 0 && log_limiter_permits(&display->limiter)) {
		log_warning("display: framebuffer not placed at 0x%" PRIx64 ": %s", address,
		    strerror(-error));
	}
}

int bochs_display_set_mode(struct bochs_display *display, uint32_t width, uint32_t height)
{
	if (width > UINT16_MAX || height > UINT16_MAX) {
		return -EINVAL;
	}
	dispi_write(display, DISPI_ENABLE, 0);
	dispi_write(display, DISPI_BPP, 32);
	dispi_write(display, DISPI_XRES, (uint16_t)width);
	dispi_write(display, DISPI_YRES, (uint16_t)height);
	dispi_write(display, DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB);
	return bochs_dispi_read(&display->dispi, DISPI_ENABLE) & DISPI_ENABLED ? 0 : -EINVAL;
}

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min ? min : value > max ? max : value;
}

void bochs_display_set_preferred(struct bochs_display *display, uint32_t width, uint32_t height)
{
	width = clamp(width, BOCHS_DISPLAY_WIDTH_MIN, BOCHS_DISPLAY_WIDTH_MAX);
	height = clamp(height, BOCHS_DISPLAY_HEIGHT_MIN, BOCHS_DISPLAY_HEIGHT_MAX);
	if (width == display->preferred_width && height == display->preferred_height) {
		return;
	}
	display->preferred_width = width;
	display->preferred_height = height;
	edid_make(width, height, display->edid);
	raise_event(display, EVENT_PREFERRED_MODE);
}

void bochs_display_preferred(const struct bochs_display *display, uint32_t *width, uint32_t *height)
{
	*width = display->preferred_width;
	*height = display->preferred_height;
}

void bochs_display_notify_resumed(struct bochs_display *display)
{
	raise_event(display, EVENT_RESUMED);
}

void bochs_display_notify_power_button(struct bochs_display *display)
{
	raise_event(display, EVENT_POWER_BUTTON);
}

uint64_t bochs_display_framebuffer_address(const struct bochs_display *display)
{
	return pci_device_bar_address(display->pci, BAR_FRAMEBUFFER);
}

static void display_reset(struct device *device)
{
	struct bochs_display *display = (struct bochs_display *)device;

	bochs_dispi_reset(&display->dispi);
	display->dispi_index = 0;
	display->attribute_index = 0;
	display->event_status = 0;
	display->event_enable = 0;
	pci_device_reset(display->pci);
}

static int display_save(const struct device *device, struct wire *out)
{
	const struct bochs_display *display = (const struct bochs_display *)device;

	bochs_dispi_save(&display->dispi, out);
	wire_put_u16(out, display->dispi_index);
	wire_put_u8(out, display->attribute_index);
	wire_put_u32(out, display->scanout_id);
	wire_put_u32(out, display->event_status);
	wire_put_u32(out, display->event_enable);
	wire_put_u32(out, display->preferred_width);
	wire_put_u32(out, display->preferred_height);
	return pci_device_save(display->pci, out);
}

static int display_load(struct device *device, uint32_t version, struct wire *in)
{
	struct bochs_display *display = (struct bochs_display *)device;
	uint32_t width, height;
	int error;

	(void)version;
	error = bochs_dispi_load(&display->dispi, in);
	if (error < 0) {
		return error;
	}
	display->dispi_index = wire_get_u16(in);
	display->attribute_index = wire_get_u8(in);
	display->scanout_id = wire_get_u32(in);
	display->event_status = wire_get_u32(in);
	display->event_enable = wire_get_u32(in);
	width = wire_get_u32(in);
	height = wire_get_u32(in);
	if (!wire_ok(in) ||
	    ((display->event_status | display->event_enable) & ~(uint32_t)EVENT_ALL) != 0 ||
	    (display->scanout_id == 0 && display->dispi.picture.width != 0) ||
	    width != clamp(width, BOCHS_DISPLAY_WIDTH_MIN, BOCHS_DISPLAY_WIDTH_MAX) ||
	    height != clamp(height, BOCHS_DISPLAY_HEIGHT_MIN, BOCHS_DISPLAY_HEIGHT_MAX)) {
		return -EPROTO;
	}
	display->preferred_width = width;
	display->preferred_height = height;
	edid_make(width, height, display->edid);
	error = pci_device_load(display->pci, in);
	if (error < 0) {
		return error;
	}
	update_interrupt(display);
	return 0;
}

static void display_destroy(struct device *device)
{
	struct bochs_display *display = (struct bochs_display *)device;

	bus_remove(display->environment->bus, BUS_PORTS, PORT_DISPI);
	pci_device_destroy(display->pci);
	free(display);
}

static const struct device_ops display_ops = {
	.name = "bochs-display",
	.version = 1,
	.reset = display_reset,
	.save = display_save,
	.load = display_load,
	.destroy = display_destroy,
};

static const struct bus_ops port_ops = { .read = port_read, .write = port_write };
static const struct pci_bar_ops framebuffer_bar = { .place = place };
static const struct pci_bar_ops registers_bar = { .bus = {
						      .read = page_read, .write = page_write } };

static int add_to_pci(struct bochs_display *display, struct pci_host *host, unsigned slot)
{
	static const struct pci_identity identity = {
		.vendor = 0x1234,
		.device = 0x1111,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x038000,
		.revision = 2,
		.interrupt = true,
	};
	int error = pci_device_create(host, slot, &identity, display, &display->pci);

	if (error < 0) {
		return error;
	}
	error = pci_device_add_bar(
	    display->pci, BAR_FRAMEBUFFER, FRAMEBUFFER_SIZE, true, &framebuffer_bar);
	if (error == 0) {
		error = pci_device_add_bar(
		    display->pci, BAR_REGISTERS, REGISTERS_SIZE, false, &registers_bar);
	}
	if (error < 0) {
		pci_device_destroy(display->pci);
	}
	return error;
}

int bochs_display_create(struct device_environment *environment, struct pci_host *host,
    unsigned slot, struct framebuffer *framebuffer, bochs_display_on_mode on_mode, void *context,
    struct bochs_display **display)
{
	struct bochs_display *created = calloc(1, sizeof(*created));
	int error;

	if (!created) {
		return -ENOMEM;
	}
	created->device.ops = &display_ops;
	created->environment = environment;
	created->framebuffer = framebuffer;
	created->on_mode = on_mode;
	created->context = context;
	created->limiter = (struct log_limiter){ .burst = 5, .interval_ms = 10000 };
	created->dispi.memory_size = FRAMEBUFFER_SIZE;
	bochs_dispi_reset(&created->dispi);
	created->preferred_width = PREFERRED_WIDTH;
	created->preferred_height = PREFERRED_HEIGHT;
	edid_make(PREFERRED_WIDTH, PREFERRED_HEIGHT, created->edid);
	error = add_to_pci(created, host, slot);
	if (error < 0) {
		goto fail_pci;
	}
	error = bus_add(
	    environment->bus, BUS_PORTS, PORT_DISPI, PORT_DISPI_COUNT, &port_ops, created);
	if (error < 0) {
		goto fail_bus;
	}
	*display = created;
	return 0;

fail_bus:
	pci_device_destroy(created->pci);
fail_pci:
	free(created);
	return error;
}

struct device *bochs_display_device(struct bochs_display *display)
{
	return &display->device;
}
