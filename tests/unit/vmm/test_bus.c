/* The bus: who answers, who does not, and what may lie beside what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "vmm/bus.h"

struct seen {
	uint64_t offset, value;
	unsigned size, reads, writes;
	struct bus *bus; /* to change from within an access */
};

static uint64_t on_read(void *context, uint64_t offset, unsigned size)
{
	struct seen *seen = context;

	seen->reads++;
	seen->offset = offset;
	seen->size = size;
	return 0x1122334455667788;
}

static void on_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct seen *seen = context;

	seen->writes++;
	seen->offset = offset;
	seen->size = size;
	seen->value = value;
	if (seen->bus) {
		bus_remove(seen->bus, BUS_MEMORY, 0x1000);
	}
}

static const struct bus_ops ops = { .read = on_read, .write = on_write };
static const struct bus_ops write_only = { .write = on_write };

static void test_access(void **state)
{
	struct seen seen = { 0 };
	struct bus *bus;
	uint64_t value;

	(void)state;
	assert_int_equal(bus_create(&bus), 0);
	assert_int_equal(bus_add(bus, BUS_PORTS, 0x3f8, 8, &ops, &seen), 0);
	assert_true(bus_read(bus, BUS_PORTS, 0x3fa, 2, &value));
	assert_int_equal(seen.offset, 2);
	assert_int_equal(seen.size, 2);
	assert_int_equal(value, 0x7788); /* only the low bytes */
	assert_true(bus_write(bus, BUS_PORTS, 0x3ff, 1, 0xabcd));
	assert_int_equal(seen.offset, 7);
	assert_int_equal(seen.value, 0xcd);
	assert_false(bus_write(bus, BUS_PORTS, 0x3ff, 2, 0)); /* leaves the region */
	assert_false(bus_read(bus, BUS_PORTS, 0x3f7, 2, &value));
	assert_int_equal(value, 0xffff);
	assert_false(bus_read(bus, BUS_MEMORY, 0x3f8, 4, &value)); /* the other space */
	assert_int_equal(value, 0xffffffff);
	assert_false(bus_read(bus, BUS_PORTS, 0x3f8, 3, &value));
	assert_false(bus_read(bus, BUS_PORTS, 0x3f8, 0, &value));
	assert_int_equal(seen.reads, 1);
	assert_int_equal(seen.writes, 1);
	bus_destroy(bus);
}

static void test_overlaps(void **state)
{
	struct seen seen = { 0 };
	struct bus *bus;

	(void)state;
	assert_int_equal(bus_create(&bus), 0);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x1000, 0x1000, &ops, &seen), 0);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x1000, 1, &ops, &seen), -EEXIST);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x1fff, 1, &ops, &seen), -EEXIST);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0xfff, 2, &ops, &seen), -EEXIST);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0, 0x10000, &ops, &seen), -EEXIST);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x2000, 1, &ops, &seen), 0);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0xfff, 1, &ops, &seen), 0);
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0, 0, &ops, &seen), -EINVAL);
	assert_int_equal(bus_add(bus, BUS_MEMORY, UINT64_MAX, 2, &ops, &seen), -EINVAL);
	assert_int_equal(bus_add(bus, BUS_MEMORY, UINT64_MAX, 1, &ops, &seen), 0);
	assert_int_equal(bus_add(bus, BUS_PORTS, 0xffff, 2, &ops, &seen), -EINVAL);
	assert_int_equal(bus_add(bus, BUS_PORTS, 0x10000, 1, &ops, &seen), -EINVAL);
	bus_destroy(bus);
}

static void test_many_in_any_order(void **state)
{
	struct seen seen[64] = { 0 };
	struct bus *bus;
	uint64_t value;

	(void)state;
	assert_int_equal(bus_create(&bus), 0);
	for (unsigned i = 0; i < 64; i++) {
		unsigned place = (i * 37) % 64;

		assert_int_equal(
		    bus_add(bus, BUS_MEMORY, place * 0x1000, 0x1000, &ops, &seen[place]), 0);
	}
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x100000, 1, &ops, &seen[0]), -ENOSPC);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(bus_read(bus, BUS_MEMORY, i * 0x1000 + 0xffc, 4, &value));
		assert_int_equal(seen[i].reads, 1);
	}
	bus_remove(bus, BUS_MEMORY, 5 * 0x1000 + 1); /* not its start */
	assert_true(bus_read(bus, BUS_MEMORY, 5 * 0x1000, 4, &value));
	bus_remove(bus, BUS_MEMORY, 5 * 0x1000);
	assert_false(bus_read(bus, BUS_MEMORY, 5 * 0x1000, 4, &value));
	assert_true(bus_read(bus, BUS_MEMORY, 6 * 0x1000, 4, &value));
	bus_destroy(bus);
}

/* A device that moves its own region while it is being written to. */
static void test_removed_from_within(void **state)
{
	struct bus *bus;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(bus_create(&bus), 0);
	seen.bus = bus;
	assert_int_equal(bus_add(bus, BUS_MEMORY, 0x1000, 16, &ops, &seen), 0);
	assert_true(bus_write(bus, BUS_MEMORY, 0x1008, 8, 1));
	assert_false(bus_write(bus, BUS_MEMORY, 0x1008, 8, 1));
	assert_int_equal(seen.writes, 1);
	bus_destroy(bus);
}

static void test_missing_direction(void **state)
{
	struct seen seen = { 0 };
	struct bus *bus;
	uint64_t value;

	(void)state;
	assert_int_equal(bus_create(&bus), 0);
	assert_int_equal(bus_add(bus, BUS_PORTS, 0x80, 1, &write_only, &seen), 0);
	assert_false(bus_read(bus, BUS_PORTS, 0x80, 1, &value));
	assert_int_equal(value, 0xff);
	assert_true(bus_write(bus, BUS_PORTS, 0x80, 1, 1));
	bus_destroy(bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_many_in_any_order),
		cmocka_unit_test(test_removed_from_within),
		cmocka_unit_test(test_missing_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
