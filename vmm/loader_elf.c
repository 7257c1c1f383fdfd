/*
 * ELF64 executables for x86-64: a vmlinux, or the built-in demo desktop. Segments go to their physical addresses
 * (p_paddr); System V gABI, chapter 5, "Program Header".
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/wire.h"
#include "vmm/loader_image.h"

enum {
	ELF_SEGMENTS_MAX = 64,
	ELF_INITRD_MAX = 0x7fffffff,
	ELF_COMMAND_LINE_MAX = 2047,
};

struct segment {
	uint32_t type;
	uint64_t offset, virtual_address, physical_address, file_size, memory_size;
};

static int read_segment(
    const struct loader_context *context, uint64_t offset, struct segment *segment)
{
	uint8_t bytes[sizeof(Elf64_Phdr)];
	struct wire wire;
	int error = context->source->read(context->source, offset, bytes, sizeof(bytes));

	if (error) {
		return error == -ENODATA
			   ? loader_refuse(context, -ENOEXEC, "its program headers are cut off")
			   : error;
	}
	wire_init_read(&wire, bytes, sizeof(bytes));
	segment->type = wire_get_u32(&wire);
	(void)wire_get_u32(&wire);
	segment->offset = wire_get_u64(&wire);
	segment->virtual_address = wire_get_u64(&wire);
	segment->physical_address = wire_get_u64(&wire);
	segment->file_size = wire_get_u64(&wire);
	segment->memory_size = wire_get_u64(&wire);
	return 0;
}

static int load_segment(const struct loader_context *context, const struct segment *segment)
{
	if (segment->file_size > segment->memory_size) {
		return loader_refuse(
		    context, -ENOEXEC, "a segment is larger in the file than in memory");
	}
	if (segment->physical_address < LOADER_LOW_END) {
		return loader_refuse(context, -ENOEXEC,
		    "a segment wants to lie at 0x%llx, below 1 MiB",
		    (unsigned long long)segment->physical_address);
	}
	if (!guestmem_contains(context->memory, segment->physical_address, segment->memory_size)) {
		return loader_refuse(context, -E2BIG,
		    "a segment of %llu KiB at 0x%llx does not fit into the guest's memory",
		    (unsigned long long)segment->memory_size / 1024,
		    (unsigned long long)segment->physical_address);
	}
	/* What the file does not fill is zero already: RAM is fresh when a kernel is loaded. */
	return loader_copy(
	    context, segment->offset, segment->physical_address, segment->file_size, "a segment");
}

/* e_entry is physical in a vmlinux; elsewhere it may be virtual. */
static void find_entry(
    const struct segment *segment, uint64_t elf_entry, struct loader_image *image)
{
	if (elf_entry - segment->physical_address < segment->memory_size) {
		image->entry = elf_entry;
	} else if (image->entry == 0 &&
		   elf_entry - segment->virtual_address < segment->memory_size) {
		image->entry = segment->physical_address + (elf_entry - segment->virtual_address);
	}
}

static int load_segments(const struct loader_context *context, uint64_t offset, unsigned count,
    uint64_t elf_entry, struct loader_image *image)
{
	image->start = UINT64_MAX;
	for (unsigned i = 0; i < count; i++) {
		struct segment segment = { 0 };
		uint64_t at;
		int error;

		if (!checked_add_u64(offset, (uint64_t)i * sizeof(Elf64_Phdr), &at)) {
			return loader_refuse(context, -ENOEXEC, "its program headers are cut off");
		}
		error = read_segment(context, at, &segment);
		if (error) {
			return error;
		}
		if (segment.type != PT_LOAD || segment.memory_size == 0) {
			continue;
		}
		error = load_segment(context, &segment);
		if (error) {
			return error;
		}
		find_entry(&segment, elf_entry, image);
		if (segment.physical_address < image->start) {
			image->start = segment.physical_address;
		}
		if (segment.physical_address + segment.memory_size > image->end) {
			image->end = segment.physical_address + segment.memory_size;
		}
	}
	if (image->end == 0) {
		return loader_refuse(context, -ENOEXEC, "it has nothing to load");
	}
	if (image->entry == 0) {
		return loader_refuse(context, -ENOEXEC,
		    "its entry 0x%llx lies in none of its segments", (unsigned long long)elf_entry);
	}
	return 0;
}

/* An ELF file has no setup header: this is what a boot loader would have found in a bzImage's. */
static void make_setup_header(struct loader_image *image)
{
	struct wire wire;

	image->setup_header_size = 0x268 - 0x1f1;
	wire_init_write(&wire, image->setup_header, image->setup_header_size);
	wire.position = 0x1fe - 0x1f1;
	wire_put_u16(&wire, 0xaa55);
	wire.position = 0x202 - 0x1f1;
	wire_put_bytes(&wire, "HdrS", 4);
	wire_put_u16(&wire, 0x020f);
	wire.position = 0x230 - 0x1f1;
	wire_put_u32(&wire, 0x1000000); /* kernel_alignment */
}

int loader_elf(const struct loader_context *context, struct loader_image *image)
{
	uint8_t bytes[sizeof(Elf64_Ehdr)];
	struct wire wire;
	uint16_t type, machine, entry_size, count;
	uint64_t entry, offset;
	int error = context->source->read(context->source, 0, bytes, sizeof(bytes));

	if (error) {
		return error == -ENODATA
			   ? loader_refuse(context, -ENOEXEC, "its ELF header is cut off")
			   : error;
	}
	if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB) {
		return loader_refuse(
		    context, -ENOEXEC, "it is an ELF file, but not a 64-bit little-endian one");
	}
	wire_init_read(&wire, bytes, sizeof(bytes));
	(void)wire_get_view(&wire, EI_NIDENT);
	type = wire_get_u16(&wire);
	machine = wire_get_u16(&wire);
	(void)wire_get_u32(&wire); /* version */
	entry = wire_get_u64(&wire);
	offset = wire_get_u64(&wire);
	(void)wire_get_view(&wire, 8 + 4 + 2); /* section headers, flags, header size */
	entry_size = wire_get_u16(&wire);
	count = wire_get_u16(&wire);
	if (type != ET_EXEC && type != ET_DYN) {
		return loader_refuse(context, -ENOEXEC, "it is an ELF file, but not an executable");
	}
	if (machine != EM_X86_64) {
		return loader_refuse(
		    context, -ENOEXEC, "it is for another processor (ELF machine %u)", machine);
	}
	if (entry_size != sizeof(Elf64_Phdr) || count > ELF_SEGMENTS_MAX) {
		return loader_refuse(
		    context, -ENOEXEC, "its program headers are not those of a kernel");
	}
	error = load_segments(context, offset, count, entry, image);
	if (error) {
		return error;
	}
	image->initrd_max = ELF_INITRD_MAX;
	image->command_line_max = ELF_COMMAND_LINE_MAX;
	make_setup_header(image);
	return 0;
}
