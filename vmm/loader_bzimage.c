/*
 * bzImage: what a distribution calls vmlinuz. Entered at its 64-bit entry, so version 2.12 or later of the boot protocol
 * is needed (Documentation/arch/x86/boot.rst, sections 1.3 and 1.15).
 */
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/wire.h"
#include "vmm/loader_image.h"

enum {
	BZIMAGE_HEADER = 0x1f1,
	BZIMAGE_HEADER_READ = 0x280,
	BZIMAGE_VERSION_MIN = 0x020c,
	BZIMAGE_ENTRY_64 = 0x200,
	BZIMAGE_SECTOR = 512,
	BZIMAGE_LOADED_HIGH = 1 << 0,
	BZIMAGE_KERNEL_64 = 1 << 0,
};

struct setup {
	uint8_t setup_sectors, jump, load_flags, relocatable;
	uint16_t boot_flag, version, load_flags_x;
	uint32_t magic, code32_start, initrd_max, alignment, command_line_max, init_size;
	uint64_t preferred_address;
};

static uint32_t get(struct wire *wire, size_t offset, unsigned size)
{
	wire->position = offset;
	return size == 1 ? wire_get_u8(wire) : size == 2 ? wire_get_u16(wire) : wire_get_u32(wire);
}

static void parse(const uint8_t *bytes, size_t size, struct setup *setup)
{
	struct wire wire;

	wire_init_read(&wire, bytes, size);
	setup->setup_sectors = (uint8_t)get(&wire, 0x1f1, 1);
	setup->boot_flag = (uint16_t)get(&wire, 0x1fe, 2);
	setup->jump = (uint8_t)get(&wire, 0x201, 1);
	setup->magic = get(&wire, 0x202, 4);
	setup->version = (uint16_t)get(&wire, 0x206, 2);
	setup->load_flags = (uint8_t)get(&wire, 0x211, 1);
	setup->code32_start = get(&wire, 0x214, 4);
	setup->initrd_max = get(&wire, 0x22c, 4);
	setup->alignment = get(&wire, 0x230, 4);
	setup->relocatable = (uint8_t)get(&wire, 0x234, 1);
	setup->load_flags_x = (uint16_t)get(&wire, 0x236, 2);
	setup->command_line_max = get(&wire, 0x238, 4);
	setup->preferred_address = get(&wire, 0x258, 4) | (uint64_t)get(&wire, 0x25c, 4) << 32;
	setup->init_size = get(&wire, 0x260, 4);
}

static int check(const struct loader_context *context, const struct setup *setup)
{
	if (setup->boot_flag != 0xaa55 || setup->magic != 0x53726448 /* "HdrS" */) {
		return loader_refuse(context, -ENOEXEC, "it is neither an ELF file nor a bzImage");
	}
	if (setup->version < BZIMAGE_VERSION_MIN) {
		return loader_refuse(context, -ENOEXEC,
		    "it speaks version %u.%02u of the boot protocol, older than 2.12",
		    setup->version >> 8, setup->version & 0xff);
	}
	if (!(setup->load_flags & BZIMAGE_LOADED_HIGH) ||
	    !(setup->load_flags_x & BZIMAGE_KERNEL_64)) {
		return loader_refuse(context, -ENOEXEC, "it is not a 64-bit kernel");
	}
	return 0;
}

int loader_bzimage(const struct loader_context *context, struct loader_image *image)
{
	uint8_t bytes[BZIMAGE_HEADER_READ];
	struct setup setup;
	uint64_t start, size, address;
	int error = context->source->read(context->source, 0, bytes, sizeof(bytes));

	if (error) {
		return error == -ENODATA
			   ? loader_refuse(context, -ENOEXEC, "it is too short to be a kernel")
			   : error;
	}
	parse(bytes, sizeof(bytes), &setup);
	error = check(context, &setup);
	if (error) {
		return error;
	}
	/* 0 means 4, for reasons of 1991. */
	start = ((uint64_t)(setup.setup_sectors ? setup.setup_sectors : 4) + 1) * BZIMAGE_SECTOR;
	if (start >= context->source->size) {
		return loader_refuse(context, -ENOEXEC, "it ends before its protected-mode part");
	}
	size = context->source->size - start;
	address = setup.relocatable ? setup.preferred_address : setup.code32_start;
	if (address < LOADER_LOW_END) {
		return loader_refuse(context, -ENOEXEC, "it wants to lie at 0x%llx, below 1 MiB",
		    (unsigned long long)address);
	}
	image->start = address;
	if (!checked_add_u64(
		address, size > setup.init_size ? size : setup.init_size, &image->end) ||
	    !guestmem_contains(context->memory, address, image->end - address)) {
		return loader_refuse(context, -E2BIG,
		    "it needs %llu MiB at 0x%llx, which the guest's memory does not have",
		    (unsigned long long)((setup.init_size > size ? setup.init_size : size) >> 20),
		    (unsigned long long)address);
	}
	error = loader_copy(context, start, address, size, "its protected-mode part");
	if (error) {
		return error;
	}
	image->entry = address + BZIMAGE_ENTRY_64;
	image->initrd_max = setup.initrd_max;
	image->command_line_max = setup.command_line_max;
	/* The header ends where the jump at its start leads. */
	image->setup_header_size = 0x202u + setup.jump - BZIMAGE_HEADER;
	if (image->setup_header_size > 0x290 - BZIMAGE_HEADER) {
		image->setup_header_size = 0x290 - BZIMAGE_HEADER;
	}
	if (image->setup_header_size > sizeof(bytes) - BZIMAGE_HEADER) {
		image->setup_header_size = sizeof(bytes) - BZIMAGE_HEADER;
	}
	memcpy(image->setup_header, bytes + BZIMAGE_HEADER, image->setup_header_size);
	return 0;
}
