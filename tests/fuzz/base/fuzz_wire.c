/*
 * A program of cursor operations over a buffer, both from the input. What must hold: the position
 * never passes the end nor goes back, a failed wire stays failed and gives zeros, and what was
 * written is read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition) {
		abort();
	}
}

/* One read chosen by `operation`. Returns whether it gave only zeros. */
static bool read_once(struct wire *wire, uint8_t operation, uint8_t length)
{
	uint8_t bytes[256];
	const uint8_t *view;
	bool zeros = true;

	switch (operation % 10) {
	case 0:
		return wire_get_u8(wire) == 0;
	case 1:
		return wire_get_u16(wire) == 0;
	case 2:
		return wire_get_u32(wire) == 0;
	case 3:
		return wire_get_u64(wire) == 0;
	case 4:
		return wire_get_be16(wire) == 0;
	case 5:
		return wire_get_be32(wire) == 0;
	case 6:
		return !wire_get_bool(wire);
	case 7:
		memset(bytes, 0x55, sizeof(bytes));
		wire_get_bytes(wire, bytes, length);
		for (size_t i = 0; i < length; i++) {
			zeros = zeros && bytes[i] == 0;
		}
		return zeros;
	case 8:
		view = wire_get_view(wire, length);
		return !view;
	default:
		wire_get_string(wire, (char *)bytes, length);
		expect(length == 0 || memchr(bytes, 0, length));
		return length == 0 || bytes[0] == 0;
	}
}

static void write_once(struct wire *wire, uint8_t operation, uint8_t value)
{
	char string[256];

	memset(string, 'a', sizeof(string));
	string[value] = '\0';
	switch (operation % 8) {
	case 0:
		wire_put_u8(wire, value);
		break;
	case 1:
		wire_put_u16(wire, value);
		break;
	case 2:
		wire_put_u32(wire, value);
		break;
	case 3:
		wire_put_u64(wire, value);
		break;
	case 4:
		wire_put_be32(wire, value);
		break;
	case 5:
		wire_put_bool(wire, value);
		break;
	case 6:
		wire_put_bytes(wire, string, value);
		break;
	default:
		wire_put_string(wire, string);
		break;
	}
}

static void fuzz_reading(const uint8_t *program, size_t steps, const uint8_t *data, size_t size)
{
	struct wire wire;

	wire_init_read(&wire, data, size);
	for (size_t i = 0; i + 1 < steps; i += 2) {
		size_t before = wire.position;
		bool was_ok = wire_ok(&wire);
		bool zeros = read_once(&wire, program[i], program[i + 1]);

		expect(wire.position >= before && wire.position <= size);
		expect(was_ok || (zeros && !wire_ok(&wire) && wire.position == before));
		expect(wire_done(&wire) == (wire_ok(&wire) && wire_remaining(&wire) == 0));
	}
}

static void fuzz_writing(const uint8_t *program, size_t steps, size_t limit)
{
	struct wire growing;
	struct wire fixed;
	uint8_t buffer[512];

	if (limit > sizeof(buffer)) {
		limit = sizeof(buffer);
	}
	wire_init_growing(&growing, limit);
	wire_init_write(&fixed, buffer, limit);
	for (size_t i = 0; i + 1 < steps; i += 2) {
		write_once(&growing, program[i], program[i + 1]);
		write_once(&fixed, program[i], program[i + 1]);
		/* However the memory is had, the result is the same. */
		expect(wire_ok(&growing) == wire_ok(&fixed));
		expect(growing.position == fixed.position && fixed.position <= limit);
	}
	expect(fixed.position == 0 || memcmp(growing.data, buffer, fixed.position) == 0);
	wire_fini(&growing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps;

	if (size < 1) {
		return 0;
	}
	steps = data[0] < size - 1 ? data[0] : size - 1;
	fuzz_reading(data + 1, steps, data + 1 + steps, size - 1 - steps);
	fuzz_writing(data + 1, steps, size);
	return 0;
}
