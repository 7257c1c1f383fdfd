/* The manifests' parsers: what is refused, and with which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostd/store.h"

static void test_session(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *says;
	} cases[] = {
		{ "{\"format\":1,\"user\":\"a\",\"created_us\":1,\"resumes\":2,\"running\":true,"
		  "\"more\":[]}",
		    0, "" },
		{ "", -EBADMSG, "not JSON" },
		{ "null", -EBADMSG, "not JSON" },
		{ "[]", -EBADMSG, "not an object" },
		{ "{}", -EBADMSG, "format: missing" },
		{ "{\"format\":\"1\"}", -EBADMSG, "format: not a number" },
		{ "{\"format\":1.0}", -EBADMSG, "format: not a number" },
		{ "{\"format\":2}", -EXDEV, "newer version" },
		{ "{\"format\":0}", -EBADMSG, "format" },
		{ "{\"format\":1}", -EBADMSG, "user: missing" },
		{ "{\"format\":1,\"format\":1}", -EBADMSG, "duplicate" },
		{ "{\"format\":1,\"user\":\"../"
		  "x\",\"created_us\":1,\"resumes\":2,\"running\":true}",
		    -EBADMSG, "not a user's name" },
		{ "{\"format\":1,\"user\":\"a\\u0000b\",\"created_us\":1,\"resumes\":2,\"running\":"
		  "true}",
		    -EBADMSG, "" },
		{ "{\"format\":1,\"user\":\"a\",\"created_us\":-1,\"resumes\":2,\"running\":true}",
		    -EBADMSG, "created_us" },
		{ "{\"format\":1,\"user\":\"a\",\"created_us\":1,\"resumes\":1e3,\"running\":true}",
		    -EBADMSG, "resumes" },
		{ "{\"format\":1,\"user\":\"a\",\"created_us\":1,\"resumes\":99999999999999999999,"
		  "\"running\":true}",
		    -EBADMSG, "" },
		{ "{\"format\":1,\"user\":\"a\",\"created_us\":1,\"resumes\":2,\"running\":1}",
		    -EBADMSG, "running" },
	};
	char message[STORE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_session_info info;

		message[0] = '\0';
		assert_int_equal(
		    store_parse_session(cases[i].text, strlen(cases[i].text), &info, message),
		    cases[i].error);
		if (!strstr(message, cases[i].says)) {
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, message,
			    cases[i].says);
		}
		assert_int_equal(
		    store_parse_session(cases[i].text, strlen(cases[i].text), &info, NULL),
		    cases[i].error);
	}
}

/* A good manifest with one part replaced. */
static int parse_with(const char *part, const char *replacement, char *message)
{
	static const char good[] =
	    "{\"format\":1,\"number\":7,\"base\":5,\"created_us\":9,\"created\":\"x\","
	    "\"identity\":{\"cpu\":\"c\",\"disk\":\"d\",\"version\":\"v\",\"memory_mib\":64,"
	    "\"vcpus\":2},"
	    "\"files\":{\"state\":{\"bytes\":1,\"xxh3_128\":\"00112233445566778899aabbccddeeff\"},"
	    "\"ram\":{\"bytes\":2},\"frame\":{\"bytes\":3,\"xxh3_128\":"
	    "\"00000000000000000000000000000000\"}},"
	    "\"layers\":[2,5,7]}";
	struct store_generation generation;
	const char *at = strstr(good, part);
	char text[2048];
	int error;

	assert_non_null(at);
	snprintf(
	    text, sizeof(text), "%.*s%s%s", (int)(at - good), good, replacement, at + strlen(part));
	message[0] = '\0';
	error = store_parse_generation(text, strlen(text), &generation, message);
	if (!error) {
		assert_int_equal(generation.number, 7);
		assert_int_equal(generation.base, 5);
		assert_int_equal(generation.layer_count, 3);
		assert_int_equal(generation.layers[1], 5);
		assert_int_equal(generation.identity.vcpus, 2);
		assert_int_equal(generation.state_hash[1], 0x0011223344556677);
		assert_int_equal(generation.state_hash[0], 0x8899aabbccddeeff);
	}
	return error;
}

static void test_generation(void **state)
{
	static const struct {
		const char *part, *replacement, *says;
	} cases[] = {
		{ "\"number\":7", "\"number\":0", "number" },
		{ "\"number\":7", "\"number\":8", "layers" },
		{ "\"number\":7", "\"number\":9223372036854775807", "number" },
		{ "\"base\":5", "\"base\":7", "base: not below" },
		{ "\"base\":5", "\"base\":null", "base" },
		{ "\"cpu\":\"c\"", "\"cpu\":\"\\u001b[31m\"", "control characters" },
		{ "\"cpu\":\"c\"", "\"cpu\":[]", "cpu" },
		{ "\"memory_mib\":64", "\"memory_mib\":0", "memory_mib" },
		{ "\"vcpus\":2", "\"vcpus\":4294967297", "vcpus" },
		{ "\"bytes\":2", "\"bytes\":-2", "bytes" },
		{ "\"ram\":{\"bytes\":2}", "\"ram\":2", "ram: missing" },
		{ "\"files\"", "\"file\"", "files: missing" },
		{ "\"identity\"", "\"id\"", "identity: missing" },
		{ "00112233", "0011223", "xxh3_128" },
		{ "00112233", "0011223Z", "xxh3_128" },
		{ "[2,5,7]", "[]", "layers: none" },
		{ "[2,5,7]", "{}", "layers" },
		{ "[2,5,7]", "[5,2,7]", "ascending" },
		{ "[2,5,7]", "[2,2,7]", "ascending" },
		{ "[2,5,7]", "[0,7]", "ascending" },
		{ "[2,5,7]", "[2,5]", "own number" },
		{ "[2,5,7]",
		    "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,"
		    "29,30,31,32,33]",
		    "too many" },
		{ "}", "", "not JSON" },
	};
	char message[STORE_TEXT_MAX];

	(void)state;
	assert_int_equal(parse_with("\"created\":\"x\"", "\"created\":5,\"new\":{}", message), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    parse_with(cases[i].part, cases[i].replacement, message), -EBADMSG);
		if (!strstr(message, cases[i].says)) {
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].replacement, message,
			    cases[i].says);
		}
	}
}

static void test_size(void **state)
{
	struct store_session_info info;
	char *text = malloc(STORE_MANIFEST_MAX + 1);
	char message[STORE_TEXT_MAX];

	(void)state;
	assert_non_null(text);
	memset(text, '[', STORE_MANIFEST_MAX + 1);
	assert_int_equal(
	    store_parse_session(text, STORE_MANIFEST_MAX + 1, &info, message), -EBADMSG);
	assert_non_null(strstr(message, "too long"));
	assert_int_equal(store_parse_session(text, STORE_MANIFEST_MAX, &info, message), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_generation),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
