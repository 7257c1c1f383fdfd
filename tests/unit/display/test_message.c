/* Where a client's message ends, which are refused, and what libvncserver may hear of in SetEncodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "display/encodings.h"
#include "display/message.h"

static uint8_t bytes[MESSAGE_SIZE_MAX * 4];

/* The verdict on what lies in `bytes`, checked to be INCOMPLETE for every shorter piece of a complete message. */
static enum message_verdict verdict(size_t size, struct message *message)
{
	enum message_verdict whole = message_next(bytes, size, message);
	struct message part;

	if (whole == MESSAGE_COMPLETE) {
		assert_true(message->size <= size && message->size <= MESSAGE_SIZE_MAX);
		for (size_t cut = 0; cut < message->size; cut++) {
			assert_int_equal(message_next(bytes, cut, &part), MESSAGE_INCOMPLETE);
		}
	}
	return whole;
}

static void set(uint8_t type)
{
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = type;
}

static void test_fixed_sizes(void **state)
{
	static const struct {
		uint8_t type;
		size_t size;
	} fixed[] = { { 3, 10 }, { 4, 8 }, { 5, 6 }, { 150, 10 }, { 255, 12 } };
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		set(fixed[i].type);
		assert_int_equal(verdict(64, &message), MESSAGE_COMPLETE);
		assert_int_equal(message.size, fixed[i].size);
		assert_int_equal(message.skipped, 0);
	}
}

static void test_refused_types(void **state)
{
	static const uint8_t taken[] = { 0, 2, 3, 4, 5, 6, 150, 248, 251, 255 };
	struct message message;

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		set((uint8_t)type);
		if (memchr(taken, (int)type, sizeof(taken)) == NULL) {
			/* File transfer 7, scaling 8 and 15, text chat 11, and whatever comes. */
			assert_int_equal(message_next(bytes, 1, &message), MESSAGE_REFUSED);
			assert_true(message.error[0] != '\0');
		} else {
			assert_int_equal(message_next(bytes, 1, &message), MESSAGE_INCOMPLETE);
		}
	}
	for (unsigned int sub = 1; sub < 256; sub++) {
		set(255);
		bytes[1] = (uint8_t)sub;
		assert_int_equal(message_next(bytes, 64, &message), MESSAGE_REFUSED);
	}
}

static void test_set_encodings(void **state)
{
	struct message message;

	(void)state;
	for (unsigned int count = 0; count < 65536; count++) {
		set(2);
		bytes[2] = (uint8_t)(count >> 8);
		bytes[3] = (uint8_t)count;
		if (count > MESSAGE_ENCODINGS_MAX) {
			assert_int_equal(
			    message_next(bytes, sizeof(bytes), &message), MESSAGE_REFUSED);
		} else {
			assert_int_equal(
			    message_next(bytes, sizeof(bytes), &message), MESSAGE_COMPLETE);
			assert_int_equal(message.size, 4 + 4 * count);
			assert_true(message.size <= MESSAGE_SIZE_MAX);
		}
	}
}

static void test_cut_text(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 262144, 262145, MESSAGE_CUT_TEXT_SKIPPED,
		MESSAGE_CUT_TEXT_SKIPPED + 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff };
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		set(6);
		bytes[4] = (uint8_t)(lengths[i] >> 24);
		bytes[5] = (uint8_t)(lengths[i] >> 16);
		bytes[6] = (uint8_t)(lengths[i] >> 8);
		bytes[7] = (uint8_t)lengths[i];
		if (lengths[i] > MESSAGE_CUT_TEXT_SKIPPED) {
			assert_int_equal(message_next(bytes, 8, &message), MESSAGE_REFUSED);
		} else {
			assert_int_equal(verdict(8, &message), MESSAGE_COMPLETE);
			assert_int_equal(message.size, 8);
			assert_int_equal(message.skipped, lengths[i]);
		}
	}
}

static void test_fence(void **state)
{
	struct message message;

	(void)state;
	for (unsigned int size = 0; size < 256; size++) {
		set(248);
		bytes[8] = (uint8_t)size;
		if (size > MESSAGE_FENCE_MAX) {
			assert_int_equal(message_next(bytes, 300, &message), MESSAGE_REFUSED);
		} else {
			assert_int_equal(verdict(300, &message), MESSAGE_COMPLETE);
			assert_int_equal(message.size, 9 + size);
		}
	}
}

static void test_set_desktop_size(void **state)
{
	struct message message;

	(void)state;
	for (unsigned int screens = 0; screens < 256; screens++) {
		set(251);
		bytes[6] = (uint8_t)screens;
		assert_int_equal(verdict(sizeof(bytes), &message), MESSAGE_COMPLETE);
		assert_int_equal(message.size, 8 + 16 * screens);
	}
}

static void set_format(
    uint8_t bits, uint8_t depth, uint8_t true_colour, uint16_t maximum, const uint8_t shifts[3])
{
	set(0);
	bytes[4] = bits;
	bytes[5] = depth;
	bytes[7] = true_colour;
	for (int i = 0; i < 3; i++) {
		bytes[8 + 2 * i] = (uint8_t)(maximum >> 8);
		bytes[9 + 2 * i] = (uint8_t)maximum;
		bytes[14 + i] = shifts[i];
	}
}

static void test_pixel_format(void **state)
{
	static const uint8_t usual[3] = { 16, 8, 0 };
	static const uint8_t high[3] = { 24, 16, 8 };
	static const uint8_t over[3] = { 25, 8, 0 };
	static const uint8_t far[3] = { 255, 255, 255 };
	static const uint8_t small[3] = { 11, 5, 0 };
	struct message message;

	(void)state;
	set_format(32, 24, 1, 255, usual);
	assert_int_equal(verdict(20, &message), MESSAGE_COMPLETE);
	set_format(32, 32, 255, 255, high);
	assert_int_equal(verdict(20, &message), MESSAGE_COMPLETE);
	set_format(16, 16, 1, 31, small);
	assert_int_equal(verdict(20, &message), MESSAGE_COMPLETE);
	set_format(32, 24, 1, 255, over);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(32, 24, 1, 255, far);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(16, 16, 1, 255, small);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(32, 24, 0, 255, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(24, 24, 1, 255, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(0, 0, 1, 255, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(32, 33, 1, 255, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(32, 24, 1, 0, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
	set_format(32, 24, 1, 254, usual);
	assert_int_equal(message_next(bytes, 20, &message), MESSAGE_REFUSED);
}

static void put_encoding(size_t index, int32_t encoding)
{
	uint32_t value = (uint32_t)encoding;

	bytes[4 + 4 * index] = (uint8_t)(value >> 24);
	bytes[5 + 4 * index] = (uint8_t)(value >> 16);
	bytes[6 + 4 * index] = (uint8_t)(value >> 8);
	bytes[7 + 4 * index] = (uint8_t)value;
}

static void test_encodings_filter(void **state)
{
	/* Extended clipboard, xvp, server identity, TightPng, Ultra, pointer position and ours stay out. */
	static const int32_t given[] = { 7, (int32_t)0xc0a1e5ce, 16, -309, (int32_t)0xfffe0003,
		-260, 9, -232, -312, -313, -258, -261, -307, -223, 0, -239, -32, -308 };
	static const int32_t kept[] = { 7, 16, -223, 0, -239, -32, -308 };
	struct encodings encodings;
	uint8_t expected[64];
	size_t size;

	(void)state;
	set(2);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		put_encoding(i, kept[i]);
	}
	memcpy(expected, bytes, sizeof(expected));
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		put_encoding(i, given[i]);
	}
	size = encodings_filter(bytes, 4 + sizeof(given), &encodings);
	assert_int_equal(size, 4 + sizeof(kept));
	assert_int_equal(bytes[3], sizeof(kept) / sizeof(kept[0]));
	assert_memory_equal(bytes + 4, expected + 4, sizeof(kept));
	assert_true(encodings.known && encodings.fence && encodings.continuous_updates &&
		    encodings.qemu_extended_key);
	assert_true(encodings.qemu_led_state && encodings.desktop_name && encodings.desktop_size);
	assert_true(encodings.extended_desktop_size);
	set(2);
	assert_int_equal(encodings_filter(bytes, 4, &encodings), 4);
	assert_true(encodings.known);
	assert_false(encodings.fence || encodings.desktop_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed_sizes),
		cmocka_unit_test(test_refused_types),
		cmocka_unit_test(test_set_encodings),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_set_desktop_size),
		cmocka_unit_test(test_pixel_format),
		cmocka_unit_test(test_encodings_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
