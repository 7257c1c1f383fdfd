/* Foreign strings made harmless, and numbers as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "client/text.h"

static void test_clean(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "日本語 é €", "日本語 é €" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
		{ "\xff\xc0\x80", "\\xff\\xc0\\x80" },
		{ "\xc2\x9b", "\\xc2\\x9b" },          /* CSI in one character */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* right-to-left override */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xe0\x80\x80", "\\xe0\\x80\\x80" }, /* an overlong zero */
		{ "\xe6\x97", "\\xe6\\x97" },          /* cut */
		{ "", "" },
	};
	char buffer[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(text_clean(cases[i][0], buffer, sizeof(buffer)), cases[i][1]);
	}
	/* Nothing is cut in the middle of a character or an escape. */
	assert_string_equal(text_clean("ab日", buffer, 5), "ab");
	assert_string_equal(text_clean("ab\x1b", buffer, 5), "ab");
	assert_string_equal(text_clean("abcd", buffer, 1), "");
}

static void test_utf8(void **state)
{
	char *text = text_to_utf8("a\0b\xff\x1b", 5);

	(void)state;
	assert_string_equal(text, "a\xef\xbf\xbd"
				  "b\xef\xbf\xbd\x1b");
	free(text);
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 bytes" },
		{ 1023, "1023 bytes" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 2047, "2 KiB" },
		{ 1023 * 1024 + 1000, "1024 KiB" },
		{ 64ull << 20, "64 MiB" },
		{ 1ull << 30, "1 GiB" },
		{ (1ull << 30) + (1ull << 29), "1.5 GiB" },
		{ UINT64_MAX, "16 EiB" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(
		    text_bytes(cases[i].bytes, buffer, sizeof(buffer)), cases[i].text);
	}
}

static void test_times(void **state)
{
	char buffer[32];

	(void)state;
	assert_string_equal(text_duration(7900, buffer, sizeof(buffer)), "7 ms");
	assert_string_equal(text_duration(300000, buffer, sizeof(buffer)), "0.3 s");
	assert_string_equal(text_duration(42000000, buffer, sizeof(buffer)), "42 s");
	assert_string_equal(text_duration(300000000, buffer, sizeof(buffer)), "5 min");
	assert_string_equal(text_duration(3 * 3600000000ull, buffer, sizeof(buffer)), "3 h");
	assert_string_equal(text_duration(12 * 86400000000ull, buffer, sizeof(buffer)), "12 days");
	assert_non_null(text_duration(UINT64_MAX, buffer, sizeof(buffer)));
	assert_string_equal(
	    text_time(1767225600000000, buffer, sizeof(buffer)), "2026-01-01 00:00:00 UTC");
	assert_string_equal(text_time(0, buffer, sizeof(buffer)), "-");
	assert_string_equal(text_time(UINT64_MAX, buffer, sizeof(buffer)), "-");
}

static void wrap(const char *text, unsigned indent, unsigned width, const char *expected)
{
	char *out = NULL;
	size_t size;
	FILE *file = open_memstream(&out, &size);

	text_wrap(file, text, indent, width);
	fclose(file);
	assert_string_equal(out, expected);
	free(out);
}

static void test_wrap(void **state)
{
	(void)state;
	wrap("one two three", 0, 0, "one two three\n");
	wrap("one two three", 0, 8, "one two\nthree\n");
	wrap("one two three", 4, 12, "one two\n    three\n");
	wrap("ääää öö", 0, 7, "ääää öö\n");
	wrap("averylongwordindeed x", 0, 5, "averylongwordindeed\nx\n");
	wrap("a\nb\n", 2, 80, "a\n  b\n");
	wrap("", 2, 80, "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
