/* The device state file: no byte of it can change, and none be missing, without being noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/state_file.h"

static const struct {
	const char *name;
	uint32_t instance, version;
	const char *bytes;
} sections[] = {
	{ "cpuid", 0, 1, "first" },
	{ "vcpu", 0, 2, "second" },
	{ "vcpu", 1, 2, "" },
	{ "uart16550", 0, 7, "the last one" },
};

enum {
	SECTIONS = sizeof(sections) / sizeof(sections[0]),
};

static struct wire make(void)
{
	const struct state_file header = {
		.generation = 9, .memory_size = 64 << 20, .vcpus = 2, .section_count = SECTIONS
	};
	struct wire out;

	wire_init_growing(&out, STATE_FILE_MAX);
	state_file_put_header(&out, &header);
	for (size_t i = 0; i < SECTIONS; i++) {
		uint8_t buffer[64];
		struct wire body;

		wire_init_write(&body, buffer, sizeof(buffer));
		wire_put_bytes(&body, sections[i].bytes, strlen(sections[i].bytes));
		state_file_put_section(
		    &out, sections[i].name, sections[i].instance, sections[i].version, &body);
	}
	assert_true(wire_ok(&out));
	return out;
}

/* An exact copy, so that a read past the end is seen. */
static int decode(const uint8_t *bytes, size_t size, char reason[STATE_REASON_MAX])
{
	uint8_t *copy = malloc(size ? size : 1);
	struct state_file *file = malloc(sizeof(*file));
	int error;

	memcpy(copy, bytes, size);
	reason[0] = '\0';
	error = state_file_decode(copy, size, file, reason);
	free(file);
	free(copy);
	return error;
}

static void test_round_trip(void **state)
{
	struct wire out = make();
	struct state_file file;
	char reason[STATE_REASON_MAX];

	(void)state;
	assert_int_equal(state_file_decode(out.data, out.position, &file, reason), 0);
	assert_int_equal(file.generation, 9);
	assert_int_equal(file.memory_size, 64 << 20);
	assert_int_equal(file.vcpus, 2);
	assert_int_equal(file.section_count, SECTIONS);
	for (size_t i = SECTIONS; i-- > 0;) {
		struct state_section *section = state_file_find(
		    &file, sections[i].name, sections[i].instance);

		assert_non_null(section);
		assert_int_equal(section->version, sections[i].version);
		assert_int_equal(section->size, strlen(sections[i].bytes));
		assert_memory_equal(section->bytes, sections[i].bytes, section->size);
		/* Each is there once. */
		assert_null(state_file_find(&file, sections[i].name, sections[i].instance));
		assert_int_equal(state_file_unused(&file) != NULL, i > 0);
	}
	assert_null(state_file_find(&file, "vcpu", 2));
	assert_null(state_file_find(&file, "nothing", 0));
	wire_fini(&out);
}

static void test_every_bit(void **state)
{
	struct wire out = make();
	char reason[STATE_REASON_MAX];

	(void)state;
	for (size_t i = 0; i < out.position * 8; i++) {
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(decode(out.data, out.position, reason), -EPROTO);
		assert_string_not_equal(reason, "");
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(decode(out.data, out.position, reason), 0);
	wire_fini(&out);
}

static void test_every_length(void **state)
{
	struct wire out = make();
	uint8_t longer[4096] = { 0 };
	char reason[STATE_REASON_MAX];

	(void)state;
	for (size_t length = 0; length < out.position; length++) {
		assert_int_equal(decode(out.data, length, reason), -EPROTO);
		assert_string_not_equal(reason, "");
	}
	memcpy(longer, out.data, out.position);
	assert_int_equal(decode(longer, out.position + 1, reason), -EPROTO);
	wire_fini(&out);
}

/* The reason names the section that is damaged. */
static void test_reason_names_section(void **state)
{
	struct wire out = make();
	char reason[STATE_REASON_MAX];

	(void)state;
	out.data[out.position - 1] ^= 1;
	assert_int_equal(decode(out.data, out.position, reason), -EPROTO);
	assert_non_null(strstr(reason, "checksum mismatch in section uart16550"));
	wire_fini(&out);
}

/* Sections whose checksums are right, since an attacker can compute them, but whose count is not. */
static void test_counts(void **state)
{
	static const uint32_t counts[] = { 0, SECTIONS - 1, SECTIONS + 1, STATE_SECTIONS_MAX,
		STATE_SECTIONS_MAX + 1, UINT32_MAX };
	struct wire good = make();
	char reason[STATE_REASON_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const struct state_file header = { .generation = 9, .section_count = counts[i] };
		struct wire out;
		size_t header_size;

		wire_init_growing(&out, STATE_FILE_MAX);
		state_file_put_header(&out, &header);
		header_size = out.position;
		wire_put_bytes(&out, good.data + header_size, good.position - header_size);
		assert_int_equal(decode(out.data, out.position, reason), -EPROTO);
		wire_fini(&out);
	}
	wire_fini(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_reason_names_section),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
