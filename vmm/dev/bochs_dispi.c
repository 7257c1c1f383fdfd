/*
 * DISPI registers. What must stay true: while ENABLED is set the geometry registers describe a
 * picture inside the memory, and `picture` is inside the memory at all times, whatever the guest
 * wrote and in whatever order.
 */
#include "vmm/dev/bochs_dispi.h"

#include <errno.h>
#include <string.h>

enum {
	BITS_PER_PIXEL = 32,
	BYTES_PER_PIXEL = 4,
	MEMORY_UNIT = 64 * 1024,
	ENABLE_WRITABLE = DISPI_ENABLED | DISPI_GETCAPS | 0x10 | DISPI_8BIT_DAC | DISPI_LFB |
			  DISPI_NOCLEAR,
};

static bool enabled(const struct bochs_dispi *dispi)
{
	return dispi->registers[DISPI_ENABLE] & DISPI_ENABLED;
}

void bochs_dispi_reset(struct bochs_dispi *dispi)
{
	memset(dispi->registers, 0, sizeof(dispi->registers));
	memset(&dispi->picture, 0, sizeof(dispi->picture));
	dispi->registers[DISPI_ID] = DISPI_ID_LAST;
	dispi->registers[DISPI_BPP] = BITS_PER_PIXEL;
}

/* Whole lines of the virtual width that fit into the memory. */
static uint32_t lines(const struct bochs_dispi *dispi, uint32_t virtual_width)
{
	uint32_t count = dispi->memory_size / (virtual_width * BYTES_PER_PIXEL);

	return count > UINT16_MAX ? UINT16_MAX : count;
}

static bool size_fits(
    const struct bochs_dispi *dispi, uint32_t width, uint32_t height, uint32_t virtual_width)
{
	return width > 0 && height > 0 && width <= DISPI_SIDE_MAX && height <= DISPI_SIDE_MAX &&
	       virtual_width >= width && height <= lines(dispi, virtual_width);
}

uint16_t bochs_dispi_read(const struct bochs_dispi *dispi, unsigned index)
{
	if (index >= DISPI_COUNT) {
		return 0;
	}
	if (index == DISPI_MEMORY_64K) {
		return (uint16_t)(dispi->memory_size / MEMORY_UNIT);
	}
	if (dispi->registers[DISPI_ENABLE] & DISPI_GETCAPS) {
		switch (index) {
		case DISPI_XRES:
		case DISPI_YRES:
			return DISPI_SIDE_MAX;
		case DISPI_BPP:
			return BITS_PER_PIXEL;
		default:
			break;
		}
	}
	return dispi->registers[index];
}

/* Makes the picture follow the registers, offsets clamped as Bochs does. Returns DISPI_PICTURE when
 * it changed. */
static unsigned update_picture(struct bochs_dispi *dispi)
{
	uint16_t *registers = dispi->registers;
	uint32_t virtual_width = registers[DISPI_VIRT_WIDTH];
	struct bochs_picture picture = {
		.width = registers[DISPI_XRES],
		.height = registers[DISPI_YRES],
		.stride = virtual_width * BYTES_PER_PIXEL,
	};
	uint32_t x_max = virtual_width - picture.width;
	uint32_t y_max = lines(dispi, virtual_width) - picture.height;

	registers[DISPI_VIRT_HEIGHT] = (uint16_t)lines(dispi, virtual_width);
	if (registers[DISPI_X_OFFSET] > x_max) {
		registers[DISPI_X_OFFSET] = (uint16_t)x_max;
	}
	if (registers[DISPI_Y_OFFSET] > y_max) {
		registers[DISPI_Y_OFFSET] = (uint16_t)y_max;
	}
	picture.offset = (uint64_t)registers[DISPI_Y_OFFSET] * picture.stride +
			 (uint64_t)registers[DISPI_X_OFFSET] * BYTES_PER_PIXEL;
	if (picture.width == dispi->picture.width && picture.height == dispi->picture.height &&
	    picture.stride == dispi->picture.stride && picture.offset == dispi->picture.offset) {
		return 0;
	}
	dispi->picture = picture;
	return DISPI_PICTURE;
}

static unsigned write_enable(struct bochs_dispi *dispi, uint16_t value)
{
	uint16_t *registers = dispi->registers;
	bool was_enabled = enabled(dispi);

	value &= ENABLE_WRITABLE;
	if (!(value & DISPI_ENABLED) || was_enabled) {
		registers[DISPI_ENABLE] = value;
		return 0;
	}
	if (registers[DISPI_BPP] != BITS_PER_PIXEL ||
	    !size_fits(
		dispi, registers[DISPI_XRES], registers[DISPI_YRES], registers[DISPI_XRES])) {
		registers[DISPI_ENABLE] = (uint16_t)(value & ~DISPI_ENABLED);
		return 0;
	}
	registers[DISPI_ENABLE] = value;
	registers[DISPI_VIRT_WIDTH] = registers[DISPI_XRES];
	registers[DISPI_X_OFFSET] = 0;
	registers[DISPI_Y_OFFSET] = 0;
	return update_picture(dispi) | (value & DISPI_NOCLEAR ? 0 : DISPI_CLEAR);
}

unsigned bochs_dispi_write(struct bochs_dispi *dispi, unsigned index, uint16_t value)
{
	uint16_t *registers = dispi->registers;

	switch (index) {
	case DISPI_ID:
		if (value >= DISPI_ID_FIRST && value <= DISPI_ID_LAST) {
			registers[index] = value;
		}
		return 0;
	case DISPI_XRES:
	case DISPI_YRES:
	case DISPI_BPP:
		/* The size of a mode that is on cannot be changed. */
		if (!enabled(dispi)) {
			registers[index] = value;
		}
		return 0;
	case DISPI_ENABLE:
		return write_enable(dispi, value);
	case DISPI_BANK:
		registers[index] = value;
		return 0;
	case DISPI_VIRT_WIDTH:
		if (!enabled(dispi)) {
			registers[index] = value;
			return 0;
		}
		if (!size_fits(dispi, registers[DISPI_XRES], registers[DISPI_YRES], value)) {
			return 0;
		}
		registers[index] = value;
		return update_picture(dispi);
	case DISPI_X_OFFSET:
	case DISPI_Y_OFFSET:
		registers[index] = value;
		return enabled(dispi) ? update_picture(dispi) : 0;
	default:
		return 0; /* the virtual height follows from the memory */
	}
}

void bochs_dispi_save(const struct bochs_dispi *dispi, struct wire *out)
{
	for (unsigned i = 0; i < DISPI_COUNT; i++) {
		wire_put_u16(out, dispi->registers[i]);
	}
	wire_put_u32(out, dispi->picture.width);
	wire_put_u32(out, dispi->picture.height);
	wire_put_u32(out, dispi->picture.stride);
	wire_put_u64(out, dispi->picture.offset);
}

/* A picture that the guest switched off since; it need not follow from the registers. */
static bool picture_fits(const struct bochs_dispi *dispi, const struct bochs_picture *picture)
{
	uint64_t bytes;

	if (picture->width == 0) {
		return picture->height == 0 && picture->stride == 0 && picture->offset == 0;
	}
	if (picture->stride % BYTES_PER_PIXEL != 0 || picture->offset % BYTES_PER_PIXEL != 0 ||
	    picture->stride > UINT16_MAX * BYTES_PER_PIXEL ||
	    !size_fits(dispi, picture->width, picture->height, picture->stride / BYTES_PER_PIXEL)) {
		return false;
	}
	bytes = (uint64_t)picture->stride * (picture->height - 1) +
		(uint64_t)picture->width * BYTES_PER_PIXEL;
	return picture->offset <= dispi->memory_size &&
	       bytes <= dispi->memory_size - picture->offset;
}

int bochs_dispi_load(struct bochs_dispi *dispi, struct wire *in)
{
	struct bochs_dispi loaded = { .memory_size = dispi->memory_size };
	uint16_t *registers = loaded.registers;
	uint16_t x_offset, y_offset;

	for (unsigned i = 0; i < DISPI_COUNT; i++) {
		registers[i] = wire_get_u16(in);
	}
	loaded.picture.width = wire_get_u32(in);
	loaded.picture.height = wire_get_u32(in);
	loaded.picture.stride = wire_get_u32(in);
	loaded.picture.offset = wire_get_u64(in);
	if (!wire_ok(in) || registers[DISPI_ID] < DISPI_ID_FIRST ||
	    registers[DISPI_ID] > DISPI_ID_LAST ||
	    (registers[DISPI_ENABLE] & ~ENABLE_WRITABLE) != 0 || registers[DISPI_MEMORY_64K] != 0 ||
	    !picture_fits(&loaded, &loaded.picture)) {
		return -EPROTO;
	}
	if (enabled(&loaded)) {
		x_offset = registers[DISPI_X_OFFSET];
		y_offset = registers[DISPI_Y_OFFSET];
		if (registers[DISPI_BPP] != BITS_PER_PIXEL ||
		    !size_fits(&loaded, registers[DISPI_XRES], registers[DISPI_YRES],
			registers[DISPI_VIRT_WIDTH]) ||
		    update_picture(&loaded) != 0 || registers[DISPI_X_OFFSET] != x_offset ||
		    registers[DISPI_Y_OFFSET] != y_offset) {
			return -EPROTO;
		}
	}
	*dispi = loaded;
	return 0;
}
