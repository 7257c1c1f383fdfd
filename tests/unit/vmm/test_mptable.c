/* The MultiProcessor table, read back as a guest would read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vmm/mptable.h"

enum {
	AT = 0xf0000,
};

/* One device with INTA# on line 11 in slot 3, one without a pin in slot 0. */
struct configuration {
	uint32_t address;
};

static uint64_t on_read(void *context, uint64_t offset, unsigned size)
{
	const struct configuration *configuration = context;
	unsigned slot = (configuration->address >> 11) & 31;
	unsigned reg = configuration->address & 0xfc;

	(void)size;
	if (offset != 4 || !(configuration->address >> 31) || (slot != 0 && slot != 3)) {
		return 0xffffffff;
	}
	return reg == 0 ? 0x12345678 : slot == 3 ? 0x010b : 0;
}

static void on_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct configuration *configuration = context;

	(void)size;
	if (offset == 0) {
		configuration->address = (uint32_t)value;
	}
}

static const struct bus_ops ops = { on_read, on_write };

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t result = 0;

	while (size-- > 0) {
		result = (uint8_t)(result + *bytes++);
	}
	return result;
}

static void check(uint32_t vcpus)
{
	struct configuration configuration = { 0 };
	struct guestmem memory;
	struct bus *bus;
	const uint8_t *pointer, *table, *entry;
	uint16_t length, count;
	unsigned processors = 0, isa = 0, pci = 0, others = 0;

	assert_int_equal(bus_create(&bus), 0);
	assert_int_equal(bus_add(bus, BUS_PORTS, 0xcf8, 8, &ops, &configuration), 0);
	assert_int_equal(guestmem_create(&memory, 16 << 20), 0);
	assert_int_equal(mptable_write(&memory, bus, vcpus, 0x606a6, 0x1234), 0);
	pointer = memory.host + AT;
	assert_memory_equal(pointer, "_MP_\x10\x00\x0f\x00\x01\x04", 10);
	assert_int_equal(sum(pointer, 16), 0);
	table = pointer + 16;
	assert_memory_equal(table, "PCMP", 4);
	memcpy(&length, table + 4, 2);
	memcpy(&count, table + 34, 2);
	assert_int_equal(sum(table, length), 0);
	entry = table + 44;
	for (unsigned i = 0; i < count; i++) {
		if (entry[0] == 0) {
			assert_int_equal(entry[1], processors);
			assert_int_equal(entry[3], processors == 0 ? 3 : 1);
			processors++;
		} else if (entry[0] == 2) {
			assert_int_equal(entry[1], vcpus);
		} else if (entry[0] == 3) {
			assert_int_equal(entry[6], vcpus);
			assert_int_not_equal(entry[7], entry[4] == 1 && entry[5] != 0 ? 2 : 0);
			isa += entry[4] == 1;
			if (entry[4] == 0) {
				pci++;
				assert_int_equal(entry[2], 0xd);
				assert_int_equal(entry[5], 3 << 2);
				assert_int_equal(entry[7], 11);
			}
		} else {
			others++;
		}
		entry += entry[0] == 0 ? 20 : 8;
	}
	assert_ptr_equal(entry, table + length);
	assert_int_equal(processors, vcpus);
	assert_int_equal(pci, 1);
	assert_int_equal(isa, 14); /* without 2 and 11 */
	assert_int_equal(others, 4);
	guestmem_fini(&memory);
	bus_destroy(bus);
}

static void test_table(void **state)
{
	(void)state;
	check(1);
	check(2);
	check(16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
