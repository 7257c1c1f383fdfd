/* The loader: what a kernel finds, and that no image loads anything outside of RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "vmm/loader.h"

static const uint64_t MIB = 1 << 20;

struct loaded {
	struct guestmem memory;
	struct loader_entry entry;
	char reason[LOADER_REASON_MAX];
	int error;
};

static uint8_t *copy_of(const uint8_t *image, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	memcpy(copy, image, size);
	return copy;
}

/* Loads an exact copy of the image, so that a read past its end is seen by AddressSanitizer. */
static void load(struct loaded *loaded, const uint8_t *image, size_t size, const void *initrd,
    size_t initrd_size, const char *command_line, uint64_t memory)
{
	uint8_t *copy = copy_of(image, size);
	struct loader_source kernel = loader_source_memory(copy, size);
	struct loader_source ramdisk = loader_source_memory(initrd, initrd_size);
	const struct loader_request request = {
		.kernel = &kernel,
		.initrd = initrd_size ? &ramdisk : NULL,
		.command_line = command_line,
		.screen = { 1024, 768, 4096, 0xc2000000, 32 * MIB },
		.seed = "0123456789abcdef0123456789abcde",
	};

	assert_int_equal(guestmem_create(&loaded->memory, memory), 0);
	loaded->error = loader_load(&request, &loaded->memory, &loaded->entry, loaded->reason);
	free(copy);
}

static uint64_t peek(const struct loaded *loaded, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(guestmem_read(&loaded->memory, address, &value, size), 0);
	return value;
}

static void check_tables(const struct loaded *loaded)
{
	uint64_t pml4 = loaded->entry.cr3;
	uint64_t pdpt = peek(loaded, pml4, 8) & ~0xfffull;

	assert_int_equal(peek(loaded, pml4, 8) & 3, 3);
	for (uint64_t gib = 0; gib < 4; gib++) {
		uint64_t directory = peek(loaded, pdpt + gib * 8, 8) & ~0xfffull;

		assert_int_equal(peek(loaded, directory, 8), gib << 30 | 0x83);
		assert_int_equal(
		    peek(loaded, directory + 511 * 8, 8), gib << 30 | 511 << 21 | 0x83);
	}
	assert_int_equal(peek(loaded, pdpt + 4 * 8, 8), 0);
	assert_int_equal(loaded->entry.gdt_limit, 31);
	assert_int_equal(peek(loaded, loaded->entry.gdt + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(peek(loaded, loaded->entry.gdt + 0x18, 8), 0x00cf93000000ffff);
}

static void check_zero_page(const struct loaded *loaded, const char *command_line)
{
	uint64_t zero = loaded->entry.rsi;
	uint64_t seed = peek(loaded, zero + 0x250, 8);
	char text[64] = { 0 };

	assert_int_equal(peek(loaded, zero + 0x1fe, 2), 0xaa55);
	assert_int_equal(peek(loaded, zero + 0x202, 4), 0x53726448);
	assert_int_equal(peek(loaded, zero + 0x210, 1), 0xff);
	assert_int_equal(
	    guestmem_read(&loaded->memory, peek(loaded, zero + 0x228, 4), text, sizeof(text)), 0);
	assert_string_equal(text, command_line);
	/* screen_info */
	assert_int_equal(peek(loaded, zero + 0x0f, 1), 0x23);
	assert_int_equal(peek(loaded, zero + 0x12, 2), 1024);
	assert_int_equal(peek(loaded, zero + 0x14, 2), 768);
	assert_int_equal(peek(loaded, zero + 0x16, 2), 32);
	assert_int_equal(peek(loaded, zero + 0x18, 4), 0xc2000000);
	assert_int_equal(peek(loaded, zero + 0x1c, 4), 32 * MIB >> 16);
	assert_int_equal(peek(loaded, zero + 0x24, 2), 4096);
	assert_int_equal(peek(loaded, zero + 0x26, 8), 0x1808000808081008);
	/* setup_data: one entry, 32 random bytes */
	assert_int_equal(peek(loaded, seed, 8), 0);
	assert_int_equal(peek(loaded, seed + 8, 4), 9);
	assert_int_equal(peek(loaded, seed + 12, 4), 32);
	assert_int_equal(guestmem_read(&loaded->memory, seed + 16, text, 32), 0);
	assert_memory_equal(text, "0123456789abcdef0123456789abcde", 32);
}

static void check_e820(const struct loaded *loaded, uint64_t low, uint64_t high)
{
	uint64_t zero = loaded->entry.rsi;
	uint64_t at = zero + 0x2d0;
	const struct {
		uint64_t start, size;
		uint32_t type;
	} expected[] = {
		{ 0, 0xa0000, 1 },
		{ 0xa0000, 0x60000, 2 },
		{ MIB, low - MIB, 1 },
		{ 0xfeffc000, 0x4000, 2 },
		{ 0x100000000, high, 1 },
	};
	size_t count = high ? 5 : 4;

	assert_int_equal(peek(loaded, zero + 0x1e8, 1), count);
	for (size_t i = 0; i < count; i++, at += 20) {
		assert_int_equal(peek(loaded, at, 8), expected[i].start);
		assert_int_equal(peek(loaded, at + 8, 8), expected[i].size);
		assert_int_equal(peek(loaded, at + 16, 4), expected[i].type);
	}
}

static void test_elf(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_elf(image);
	struct loaded loaded;

	(void)state;
	load(&loaded, image, size, "initrd", 6, "console=ttyS0", 64 * MIB);
	assert_int_equal(loaded.error, 0);
	assert_int_equal(loaded.entry.rip, IMAGE_ELF_ADDRESS + 16);
	assert_int_equal(peek(&loaded, IMAGE_ELF_ADDRESS + 56, 8), 0x9090909090909090);
	assert_int_equal(peek(&loaded, IMAGE_ELF_ADDRESS + 64, 8), 0);
	check_tables(&loaded);
	check_zero_page(&loaded, "console=ttyS0");
	check_e820(&loaded, 64 * MIB, 0);
	/* At the top of RAM, on a page. */
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x218, 4), 64 * MIB - 4096);
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x21c, 4), 6);
	assert_int_equal(peek(&loaded, 64 * MIB - 4096, 6), 0x647274696e69);
	guestmem_fini(&loaded.memory);
}

static void test_elf_virtual_entry(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_elf(image);
	struct loaded loaded;

	(void)state;
	image_put(image, 24, 0xffffffff80200020, 8);
	load(&loaded, image, size, NULL, 0, "", 64 * MIB);
	assert_int_equal(loaded.error, 0);
	assert_int_equal(loaded.entry.rip, IMAGE_ELF_ADDRESS + 0x20);
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x21c, 4), 0);
	guestmem_fini(&loaded.memory);
}

static void test_bzimage(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_bzimage(image);
	struct loaded loaded;

	(void)state;
	load(&loaded, image, size, NULL, 0, "quiet", 64 * MIB);
	assert_int_equal(loaded.error, 0);
	assert_int_equal(loaded.entry.rip, IMAGE_BZIMAGE_ADDRESS + 0x200);
	assert_int_equal(peek(&loaded, IMAGE_BZIMAGE_ADDRESS, 4), 0x90909090);
	check_tables(&loaded);
	check_zero_page(&loaded, "quiet");
	/* The kernel's own header was copied as far as it reaches. */
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x260, 4), IMAGE_BZIMAGE_INIT);
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x206, 2), 0x020f);
	guestmem_fini(&loaded.memory);
}

static void test_memory_above_the_gap(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_elf(image);
	struct loaded loaded;

	(void)state;
	load(&loaded, image, size, "initrd", 6, "", GUESTMEM_LOW_END + 512 * MIB);
	assert_int_equal(loaded.error, 0);
	check_e820(&loaded, GUESTMEM_LOW_END, 512 * MIB);
	/* Not above what the kernel takes. */
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x218, 4), 0x7ffff000);
	guestmem_fini(&loaded.memory);
}

static void test_initrd_avoids_kernel(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_elf(image);
	struct loaded loaded;

	(void)state;
	image_put(image, 64 + 24, 16 * MIB - 8192, 8); /* at the very top */
	image_put(image, 24, 16 * MIB - 8192, 8);
	load(&loaded, image, size, "initrd", 6, "", 16 * MIB);
	assert_int_equal(loaded.error, 0);
	assert_int_equal(peek(&loaded, loaded.entry.rsi + 0x218, 4), 16 * MIB - 12288);
	guestmem_fini(&loaded.memory);
}

struct refusal {
	size_t offset;
	uint64_t value;
	unsigned size;
	int error;
	const char *reason; /* part of it */
};

static void check_refusals(
    size_t (*make)(uint8_t *image), const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t image[IMAGE_MAX];
		size_t size = make(image);
		struct loaded loaded;

		image_put(image, refusals[i].offset, refusals[i].value, refusals[i].size);
		load(&loaded, image, size, NULL, 0, "", 64 * MIB);
		assert_int_equal(loaded.error, refusals[i].error);
		assert_non_null(strstr(loaded.reason, refusals[i].reason));
		guestmem_fini(&loaded.memory);
	}
}

static void test_elf_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ 0, 0, 1, -ENOEXEC, "neither" },
		{ 4, 1, 1, -ENOEXEC, "64-bit" },
		{ 5, 2, 1, -ENOEXEC, "little-endian" },
		{ 16, 1, 2, -ENOEXEC, "not an executable" },
		{ 18, 183, 2, -ENOEXEC, "another processor" },
		{ 24, 0x100, 8, -ENOEXEC, "entry" },
		{ 24, 0, 8, -ENOEXEC, "entry" },
		{ 32, 0x10000, 8, -ENOEXEC, "program headers" },
		{ 32, UINT64_MAX - 8, 8, -ENOEXEC, "program headers" },
		{ 54, 55, 2, -ENOEXEC, "program headers" },
		{ 56, 0xffff, 2, -ENOEXEC, "program headers" },
		{ 56, 0, 2, -ENOEXEC, "nothing to load" },
		{ 64, 2, 4, -ENOEXEC, "nothing to load" },
		{ 64 + 8, 0x100000, 8, -ENOEXEC, "cut off" },
		{ 64 + 8, UINT64_MAX - 16, 8, -ENOEXEC, "cut off" },
		{ 64 + 24, 0x1000, 8, -ENOEXEC, "below 1 MiB" },
		{ 64 + 24, 64ull << 20, 8, -E2BIG, "does not fit" },
		{ 64 + 24, UINT64_MAX - 64, 8, -E2BIG, "does not fit" },
		{ 64 + 32, 65, 8, -ENOEXEC, "cut off" },
		{ 64 + 32, UINT64_MAX, 8, -ENOEXEC, "larger in the file" },
		{ 64 + 40, 63, 8, -ENOEXEC, "larger in the file" },
		{ 64 + 40, UINT64_MAX, 8, -E2BIG, "does not fit" },
	};

	(void)state;
	check_refusals(image_make_elf, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static void test_bzimage_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ 0x1f1, 255, 1, -ENOEXEC, "protected-mode part" },
		{ 0x1fe, 0, 2, -ENOEXEC, "neither" },
		{ 0x202, 0, 4, -ENOEXEC, "neither" },
		{ 0x206, 0x20b, 2, -ENOEXEC, "older than 2.12" },
		{ 0x211, 0, 1, -ENOEXEC, "not a 64-bit" },
		{ 0x236, 0, 2, -ENOEXEC, "not a 64-bit" },
		{ 0x258, 0x1000, 8, -ENOEXEC, "below 1 MiB" },
		{ 0x258, UINT64_MAX - 4095, 8, -E2BIG, "does not have" },
		{ 0x258, 1ull << 40, 8, -E2BIG, "does not have" },
		{ 0x260, 0xffffffff, 4, -E2BIG, "does not have" },
	};

	(void)state;
	check_refusals(image_make_bzimage, refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static void test_too_long(void **state)
{
	uint8_t image[IMAGE_MAX];
	size_t size = image_make_elf(image);
	char command_line[4096];
	struct loaded loaded;
	uint8_t *initrd = calloc(1, 15 * MIB);

	(void)state;
	memset(command_line, 'x', sizeof(command_line));
	command_line[2048] = '\0';
	load(&loaded, image, size, NULL, 0, command_line, 64 * MIB);
	assert_int_equal(loaded.error, -E2BIG);
	assert_non_null(strstr(loaded.reason, "command line"));
	guestmem_fini(&loaded.memory);

	load(&loaded, image, size, initrd, 15 * MIB, "", 16 * MIB);
	assert_int_equal(loaded.error, -E2BIG);
	assert_non_null(strstr(loaded.reason, "together"));
	guestmem_fini(&loaded.memory);

	load(&loaded, image, size, initrd, 15 * MIB, "", 8 * MIB);
	assert_int_equal(loaded.error, -E2BIG);
	assert_non_null(strstr(loaded.reason, "initrd"));
	guestmem_fini(&loaded.memory);
	free(initrd);
}

static void test_cut_at_every_length(void **state)
{
	size_t (*const make[])(uint8_t * image) = { image_make_elf, image_make_bzimage };

	(void)state;
	for (size_t kind = 0; kind < 2; kind++) {
		uint8_t image[IMAGE_MAX];
		size_t size = make[kind](image);

		for (size_t length = 0; length < size; length++) {
			struct loaded loaded;

			/* What follows the setup is simply shorter in a bzImage. */
			if (kind == 1 && length > 5 * 512) {
				break;
			}
			load(&loaded, image, length, NULL, 0, "", 32 * MIB);
			assert_int_equal(loaded.error, -ENOEXEC);
			assert_string_not_equal(loaded.reason, "");
			guestmem_fini(&loaded.memory);
		}
	}
}

/* Every integer of the headers set to what breaks arithmetic: it loads inside RAM or is refused with a reason. */
static void test_every_integer(void **state)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x100000000, INT64_MAX, 1ull << 63, UINT64_MAX - 4095, UINT64_MAX };
	size_t (*const make[])(uint8_t * image) = { image_make_elf, image_make_bzimage };
	static const size_t from[] = { 0, 0x1f1 };
	static const size_t to[] = { 64 + 56, 0x268 };

	(void)state;
	for (size_t kind = 0; kind < 2; kind++) {
		for (size_t offset = from[kind]; offset < to[kind]; offset++) {
			for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
				uint8_t image[IMAGE_MAX];
				size_t size = make[kind](image);
				struct loaded loaded;

				image_put(image, offset, values[i], 8);
				load(&loaded, image, size, "x", 1, "", 32 * MIB);
				if (loaded.error == 0) {
					assert_true(guestmem_contains(
							&loaded.memory, loaded.entry.rip, 1) ||
						    kind == 1);
				} else {
					assert_string_not_equal(loaded.reason, "");
				}
				guestmem_fini(&loaded.memory);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_virtual_entry),
		cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_memory_above_the_gap),
		cmocka_unit_test(test_initrd_avoids_kernel),
		cmocka_unit_test(test_elf_refusals),
		cmocka_unit_test(test_bzimage_refusals),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_cut_at_every_length),
		cmocka_unit_test(test_every_integer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
