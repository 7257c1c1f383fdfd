/* KVM's exits on their way to the bus, without KVM: string instructions, odd lengths, offsets that lie outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/vcpu_exit.h"

enum {
	RUN_SIZE = 12288,
	DATA = 4096,
};

struct port {
	uint64_t values[16];
	unsigned sizes[16];
	unsigned count;
};

static uint64_t on_read(void *context, uint64_t offset, unsigned size)
{
	struct port *port = context;

	port->sizes[port->count++] = size;
	return 0x1100 + offset * 0x100 + port->count;
}

static void on_write(void *context, uint64_t offset, unsigned size, uint64_t value)
{
	struct port *port = context;

	(void)offset;
	port->sizes[port->count] = size;
	port->values[port->count++] = value;
}

static const struct bus_ops ops = { .read = on_read, .write = on_write };

struct fixture {
	struct bus *bus;
	struct kvm_run *run;
	struct port port;
};

static void fixture_create(struct fixture *fixture)
{
	*fixture = (struct fixture){ 0 };
	assert_int_equal(bus_create(&fixture->bus), 0);
	fixture->run = calloc(1, RUN_SIZE);
	assert_int_equal(bus_add(fixture->bus, BUS_PORTS, 0x60, 4, &ops, &fixture->port), 0);
	assert_int_equal(
	    bus_add(fixture->bus, BUS_MEMORY, 0xc0000000, 16, &ops, &fixture->port), 0);
}

static void fixture_destroy(struct fixture *fixture)
{
	free(fixture->run);
	bus_destroy(fixture->bus);
}

static void set_io(struct fixture *fixture, uint8_t direction, uint8_t size, uint16_t port,
    uint32_t count, uint64_t offset)
{
	fixture->run->exit_reason = KVM_EXIT_IO;
	fixture->run->io.direction = direction;
	fixture->run->io.size = size;
	fixture->run->io.port = port;
	fixture->run->io.count = count;
	fixture->run->io.data_offset = offset;
}

static void test_ports(void **state)
{
	struct fixture fixture;
	uint8_t *data;

	(void)state;
	fixture_create(&fixture);
	data = (uint8_t *)fixture.run + DATA;
	set_io(&fixture, KVM_EXIT_IO_OUT, 2, 0x60, 3, DATA);
	memcpy(data, "\1\2\3\4\5\6", 6);
	vcpu_exit_ports(fixture.run, RUN_SIZE, fixture.bus);
	assert_int_equal(fixture.port.count, 3);
	assert_int_equal(fixture.port.values[0], 0x0201);
	assert_int_equal(fixture.port.values[2], 0x0605);
	fixture.port.count = 0;
	set_io(&fixture, KVM_EXIT_IO_IN, 1, 0x62, 2, DATA);
	vcpu_exit_ports(fixture.run, RUN_SIZE, fixture.bus);
	assert_int_equal(data[0], 0x01);
	assert_int_equal(data[1], 0x02);
	assert_int_equal(data[2], 3); /* untouched */
	set_io(&fixture, KVM_EXIT_IO_IN, 4, 0x1000, 1, DATA);
	vcpu_exit_ports(fixture.run, RUN_SIZE, fixture.bus);
	assert_memory_equal(data, "\xff\xff\xff\xff", 4);
	fixture_destroy(&fixture);
}

static void test_ports_outside(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t count;
		uint8_t size;
	} cases[] = {
		{ RUN_SIZE, 1, 1 },
		{ RUN_SIZE - 1, 1, 2 },
		{ DATA, UINT32_MAX, 4 },
		{ UINT64_MAX, 1, 1 },
		{ DATA, 1, 3 },
		{ DATA, 1, 8 },
	};
	struct fixture fixture;

	(void)state;
	fixture_create(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_io(&fixture, KVM_EXIT_IO_OUT, cases[i].size, 0x60, cases[i].count,
		    cases[i].offset);
		vcpu_exit_ports(fixture.run, RUN_SIZE, fixture.bus);
	}
	assert_int_equal(fixture.port.count, 0);
	fixture_destroy(&fixture);
}

static void test_memory(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_create(&fixture);
	fixture.run->mmio.phys_addr = 0xc0000004;
	fixture.run->mmio.len = 4;
	fixture.run->mmio.is_write = 1;
	memcpy(fixture.run->mmio.data, "\1\2\3\4\5\6\7\10", 8);
	vcpu_exit_memory(fixture.run, fixture.bus);
	assert_int_equal(fixture.port.count, 1);
	assert_int_equal(fixture.port.values[0], 0x04030201);
	/* A piece of an access across a page. */
	fixture.port.count = 0;
	fixture.run->mmio.len = 3;
	vcpu_exit_memory(fixture.run, fixture.bus);
	assert_int_equal(fixture.port.count, 3);
	assert_int_equal(fixture.port.sizes[0], 1);
	/* More than there is. */
	fixture.port.count = 0;
	fixture.run->mmio.len = 200;
	vcpu_exit_memory(fixture.run, fixture.bus);
	assert_int_equal(fixture.port.count, 1);
	assert_int_equal(fixture.port.sizes[0], 8);
	fixture.run->mmio.is_write = 0;
	fixture.run->mmio.phys_addr = 0xd0000000;
	vcpu_exit_memory(fixture.run, fixture.bus);
	assert_memory_equal(fixture.run->mmio.data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	fixture_destroy(&fixture);
}

static void test_describe(void **state)
{
	struct fixture fixture;
	char text[512];

	(void)state;
	fixture_create(&fixture);
	fixture.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	fixture.run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	fixture.run->emulation_failure.ndata = 4;
	fixture.run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	fixture.run->emulation_failure.insn_size = 255; /* more than there are */
	memcpy(fixture.run->emulation_failure.insn_bytes, "\x0f\x0b", 2);
	vcpu_exit_describe(fixture.run, -1, text, sizeof(text));
	assert_non_null(strstr(text, "internal error 1"));
	assert_non_null(strstr(text, "instruction 0f 0b"));
	for (size_t size = 1; size < 100; size++) {
		vcpu_exit_describe(fixture.run, -1, text, size);
		assert_true(strlen(text) < size);
	}
	fixture.run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	fixture.run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	vcpu_exit_describe(fixture.run, -1, text, sizeof(text));
	assert_non_null(strstr(text, "0x80000021"));
	fixture_destroy(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ports_outside),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
