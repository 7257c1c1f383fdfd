/*
 * See loader.h. Below 1 MiB lie, for as long as the kernel needs them at its start: the GDT, the zero page, page tables,
 * the command line and the setup data; images may not touch that part.
 */
#include "vmm/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fd.h"
#include "base/wire.h"
#include "vmm/loader_image.h"

enum {
	PAGE = 4096,
	GDT_ADDRESS = 0x1000,
	ZERO_PAGE_ADDRESS = 0x7000,
	STACK_TOP =
	    0x8ff0, /* the protocol asks for none, but an entry that pushes does no harm here */
	PAGE_TABLES_ADDRESS = 0x9000, /* PML4, PDPT, four page directories */
	COMMAND_LINE_ADDRESS = 0x20000,
	COMMAND_LINE_SPACE = 0x1000,
	SETUP_DATA_ADDRESS = 0x21000,
	RESERVED_START = 0xa0000,

	IDENTITY_GIB = 4,
	SETUP_RNG_SEED = 9,
	VIDEO_TYPE_VLFB = 0x23,
	LOADER_TYPE_OTHER = 0xff,
	LOADED_HIGH = 1,
	E820_RAM = 1,
	E820_RESERVED = 2,
	KVM_AREA_ADDRESS = 0xfeffc000,
	KVM_AREA_SIZE = 0x4000,
};

static int read_memory(
    const struct loader_source *source, uint64_t offset, void *bytes, size_t size)
{
	if (!checked_range(offset, size, source->size)) {
		return -ENODATA;
	}
	if (size > 0) {
		memcpy(bytes, (const uint8_t *)source->bytes + offset, size);
	}
	return 0;
}

static int read_file(const struct loader_source *source, uint64_t offset, void *bytes, size_t size)
{
	if (!checked_range(offset, size, source->size)) {
		return -ENODATA;
	}
	return fd_pread_all(source->fd, bytes, size, offset);
}

struct loader_source loader_source_memory(const void *bytes, size_t size)
{
	return (
	    struct loader_source){ .read = read_memory, .size = size, .bytes = bytes, .fd = -1 };
}

int loader_source_file(int fd, struct loader_source *source)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		return -errno;
	}
	if (status.st_size < 0) {
		return -EINVAL;
	}
	*source = (struct loader_source){
		.read = read_file, .size = (uint64_t)status.st_size, .fd = fd
	};
	return 0;
}

int loader_refuse(const struct loader_context *context, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(context->reason, LOADER_REASON_MAX, format, arguments);
	va_end(arguments);
	return error;
}

int loader_copy(const struct loader_context *context, uint64_t offset, uint64_t address,
    uint64_t size, const char *what)
{
	void *to = guestmem_view(context->memory, address, (size_t)size);
	int error;

	if (!to) {
		return loader_refuse(
		    context, -E2BIG, "%s does not fit into the guest's memory", what);
	}
	error = context->source->read(context->source, offset, to, (size_t)size);
	return error == -ENODATA ? loader_refuse(context, -ENOEXEC, "%s is cut off", what) : error;
}

/* At the top of what the kernel and the memory allow, below the gap, and clear of the kernel. */
static int place_initrd(const struct loader_request *request, const struct loader_context *context,
    const struct loader_image *image, uint64_t *address)
{
	uint64_t size = request->initrd->size;
	uint64_t limit = context->memory->low_size;
	struct loader_context initrd = { request->initrd, context->memory, context->reason };

	if (image->initrd_max < limit) {
		limit = (uint64_t)image->initrd_max + 1;
	}
	if (size > limit || limit - size < LOADER_LOW_END) {
		return loader_refuse(context, -E2BIG,
		    "the initrd of %llu MiB does not fit into the guest's memory",
		    (unsigned long long)size >> 20);
	}
	*address = (limit - size) & ~(uint64_t)(PAGE - 1);
	if (*address < image->end && image->start < *address + size) {
		if (image->start < size ||
		    ((image->start - size) & ~(uint64_t)(PAGE - 1)) < LOADER_LOW_END) {
			return loader_refuse(context, -E2BIG,
			    "kernel and initrd do not fit into the guest's memory together");
		}
		*address = (image->start - size) & ~(uint64_t)(PAGE - 1);
	}
	return loader_copy(&initrd, 0, *address, size, "the initrd");
}

static int put(struct guestmem *memory, uint64_t address, const struct wire *wire)
{
	return wire_ok(wire) ? guestmem_write(memory, address, wire->data, wire->position)
			     : -EINVAL;
}

static int write_tables(struct guestmem *memory, struct loader_entry *entry)
{
	/* Null, unused, 0x10: 64-bit code, 0x18: data, as the protocol has __BOOT_CS and __BOOT_DS. */
	static const uint64_t gdt[4] = { 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff };
	uint8_t page[PAGE];
	struct wire wire;
	int error = guestmem_write(memory, GDT_ADDRESS, gdt, sizeof(gdt));

	wire_init_write(&wire, page, sizeof(page));
	wire_put_u64(&wire, PAGE_TABLES_ADDRESS + PAGE + 3); /* present, writable */
	error = error ? error : guestmem_fill(memory, PAGE_TABLES_ADDRESS, 0, (size_t)2 * PAGE);
	error = error ? error : put(memory, PAGE_TABLES_ADDRESS, &wire);
	wire_init_write(&wire, page, sizeof(page));
	for (unsigned i = 0; i < IDENTITY_GIB; i++) {
		wire_put_u64(&wire, PAGE_TABLES_ADDRESS + (2 + i) * PAGE + 3);
	}
	error = error ? error : put(memory, PAGE_TABLES_ADDRESS + PAGE, &wire);
	for (uint64_t gib = 0; gib < IDENTITY_GIB; gib++) {
		wire_init_write(&wire, page, sizeof(page));
		for (uint64_t i = 0; i < 512; i++) {
			wire_put_u64(
			    &wire, gib << 30 | i << 21 | 0x83); /* present, writable, 2 MiB */
		}
		error = error ? error : put(memory, PAGE_TABLES_ADDRESS + (2 + gib) * PAGE, &wire);
	}
	entry->gdt = GDT_ADDRESS;
	entry->gdt_limit = sizeof(gdt) - 1;
	entry->cr3 = PAGE_TABLES_ADDRESS;
	entry->rsp = STACK_TOP;
	return error;
}

static void put_e820(
    struct wire *wire, uint64_t address, uint64_t size, uint32_t type, uint8_t *count)
{
	if (size > 0) {
		wire_put_u64(wire, address);
		wire_put_u64(wire, size);
		wire_put_u32(wire, type);
		(*count)++;
	}
}

static void put_screen(struct wire *zero, const struct loader_screen *screen)
{
	if (screen->width == 0 || screen->stride > UINT16_MAX) {
		return;
	}
	zero->position = 0x0f;
	wire_put_u8(zero, VIDEO_TYPE_VLFB);
	zero->position = 0x12;
	wire_put_u16(zero, (uint16_t)screen->width);
	wire_put_u16(zero, (uint16_t)screen->height);
	wire_put_u16(zero, 32);
	wire_put_u32(zero, (uint32_t)screen->address);
	wire_put_u32(zero, (uint32_t)(screen->size >> 16)); /* in units of 64 KiB for this type */
	zero->position = 0x24;
	wire_put_u16(zero, (uint16_t)screen->stride);
	wire_put_bytes(zero, (const uint8_t[]){ 8, 16, 8, 8, 8, 0, 8, 24 },
	    8); /* size and position of r, g, b, x */
	zero->position = 0x32;
	wire_put_u16(zero, 1); /* pages */
	zero->position = 0x3a;
	wire_put_u32(zero, (uint32_t)(screen->address >> 32));
}

struct zero_page {
	uint64_t initrd, initrd_size;
	const struct loader_image *image;
	const struct loader_screen *screen;
};

/* struct boot_params: Documentation/arch/x86/zero-page.rst. */
static int write_zero_page(struct guestmem *memory, const struct zero_page *page)
{
	uint8_t bytes[PAGE] = { 0 };
	uint8_t count = 0;
	struct wire zero;

	wire_init_write(&zero, bytes, sizeof(bytes));
	put_screen(&zero, page->screen);
	zero.position = 0x0c0; /* ext_ramdisk_image, ext_ramdisk_size */
	wire_put_u32(&zero, (uint32_t)(page->initrd >> 32));
	wire_put_u32(&zero, (uint32_t)(page->initrd_size >> 32));
	zero.position = 0x1f1;
	wire_put_bytes(&zero, page->image->setup_header, page->image->setup_header_size);
	zero.position = 0x210;
	wire_put_u8(&zero, LOADER_TYPE_OTHER);
	wire_put_u8(&zero, LOADED_HIGH);
	zero.position = 0x218;
	wire_put_u32(&zero, (uint32_t)page->initrd);
	wire_put_u32(&zero, (uint32_t)page->initrd_size);
	zero.position = 0x228;
	wire_put_u32(&zero, COMMAND_LINE_ADDRESS);
	zero.position = 0x250;
	wire_put_u64(&zero, SETUP_DATA_ADDRESS);
	zero.position = 0x2d0;
	put_e820(&zero, 0, RESERVED_START, E820_RAM, &count);
	put_e820(&zero, RESERVED_START, LOADER_LOW_END - RESERVED_START, E820_RESERVED, &count);
	put_e820(&zero, LOADER_LOW_END, memory->low_size - LOADER_LOW_END, E820_RAM, &count);
	put_e820(&zero, KVM_AREA_ADDRESS, KVM_AREA_SIZE, E820_RESERVED, &count);
	put_e820(&zero, GUESTMEM_HIGH_BASE, memory->size - memory->low_size, E820_RAM, &count);
	zero.position = 0x1e8;
	wire_put_u8(&zero, count);
	return wire_ok(&zero) ? guestmem_write(memory, ZERO_PAGE_ADDRESS, bytes, sizeof(bytes))
			      : -EINVAL;
}

static int write_command_line(const struct loader_context *context,
    const struct loader_image *image, const char *command_line)
{
	size_t length = strlen(command_line);

	if (length > image->command_line_max || length >= COMMAND_LINE_SPACE) {
		return loader_refuse(context, -E2BIG,
		    "the command line of %zu bytes is longer than the kernel takes", length);
	}
	return guestmem_write(context->memory, COMMAND_LINE_ADDRESS, command_line, length + 1);
}

static int write_setup_data(struct guestmem *memory, const uint8_t *seed)
{
	uint8_t bytes[16 + LOADER_SEED_SIZE];
	struct wire wire;

	wire_init_write(&wire, bytes, sizeof(bytes));
	wire_put_u64(&wire, 0); /* no next */
	wire_put_u32(&wire, SETUP_RNG_SEED);
	wire_put_u32(&wire, LOADER_SEED_SIZE);
	wire_put_bytes(&wire, seed, LOADER_SEED_SIZE);
	return put(memory, SETUP_DATA_ADDRESS, &wire);
}

int loader_load(const struct loader_request *request, struct guestmem *memory,
    struct loader_entry *entry, char reason[LOADER_REASON_MAX])
{
	struct loader_context context = { request->kernel, memory, reason };
	struct loader_image image = { 0 };
	struct zero_page zero = { .image = &image, .screen = &request->screen };
	uint8_t magic[4] = { 0 };
	int error;

	reason[0] = '\0';
	*entry = (struct loader_entry){ .rsi = ZERO_PAGE_ADDRESS };
	if (memory->low_size <= LOADER_LOW_END) {
		return loader_refuse(
		    &context, -E2BIG, "the guest's memory is too small for any kernel");
	}
	error = request->kernel->read(request->kernel, 0, magic, sizeof(magic));
	if (error && error != -ENODATA) {
		return error;
	}
	error = memcmp(magic, "\177ELF", sizeof(magic)) == 0 ? loader_elf(&context, &image)
							     : loader_bzimage(&context, &image);
	if (!error && request->initrd) {
		zero.initrd_size = request->initrd->size;
		error = place_initrd(request, &context, &image, &zero.initrd);
	}
	error = error ? error : write_command_line(&context, &image, request->command_line);
	error = error ? error : write_setup_data(memory, request->seed);
	error = error ? error : write_zero_page(memory, &zero);
	error = error ? error : write_tables(memory, entry);
	entry->rip = image.entry;
	return error;
}
