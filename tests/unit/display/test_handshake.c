/* The handshake, byte by byte and wrong in every way: no path but the two good ones may end in success. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "display/handshake.h"

static const uint32_t all_types[] = {
	DISPLAY_SECURITY_X509_PLAIN,
	DISPLAY_SECURITY_TLS_PLAIN,
	DISPLAY_SECURITY_PLAIN,
	DISPLAY_SECURITY_NONE,
};

static struct handshake handshake;

/* Takes everything that is to be sent. */
static size_t take(uint8_t *bytes)
{
	size_t size;
	const uint8_t *output = handshake_output(&handshake, &size);

	memcpy(bytes, output, size);
	handshake_sent(&handshake, size);
	return size;
}

static void expect_output(const void *bytes, size_t size)
{
	uint8_t output[HANDSHAKE_OUTPUT_MAX];

	assert_int_equal(take(output), size);
	assert_memory_equal(output, bytes, size);
}

/* Feeds byte by byte, as far as bytes are wanted; returns the last step. */
static enum handshake_step feed(const void *bytes, size_t size)
{
	const uint8_t *data = bytes;
	enum handshake_step step = HANDSHAKE_READ;

	for (size_t i = 0; i < size; i++) {
		assert_true(handshake_wanted(&handshake) > 0);
		step = handshake_feed(&handshake, data + i, 1);
		if (i + 1 < size) {
			assert_int_equal(step, HANDSHAKE_READ);
		}
	}
	return step;
}

static void begin(const uint32_t *types, size_t count, bool trusted, bool private_path)
{
	handshake_init(&handshake, types, count, trusted, private_path);
	expect_output("RFB 003.008\n", 12);
}

static void begin_vencrypt(const char *version)
{
	begin(all_types, 3, false, true);
	assert_int_equal(feed(version, 12), HANDSHAKE_READ);
	expect_output("\1\23", 2);
	assert_int_equal(feed("\23", 1), HANDSHAKE_READ);
	expect_output("\0\2", 2);
	assert_int_equal(feed("\0\2", 2), HANDSHAKE_READ);
	expect_output("\0\3\0\0\1\6\0\0\1\3\0\0\1\0", 14);
}

static void put_be32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 24);
	bytes[1] = (uint8_t)(value >> 16);
	bytes[2] = (uint8_t)(value >> 8);
	bytes[3] = (uint8_t)value;
}

static enum handshake_step feed_subtype(uint32_t type)
{
	uint8_t bytes[4];

	put_be32(bytes, type);
	return feed(bytes, 4);
}

static enum handshake_step feed_lengths(uint32_t name, uint32_t password)
{
	uint8_t bytes[8];

	put_be32(bytes, name);
	put_be32(bytes + 4, password);
	return feed(bytes, 8);
}

static void test_good_login(void **state)
{
	static const char *const versions[] = { "RFB 003.007\n", "RFB 003.008\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin_vencrypt(versions[i]);
		assert_int_equal(feed_subtype(DISPLAY_SECURITY_X509_PLAIN), HANDSHAKE_START_TLS);
		expect_output("\1", 1);
		assert_int_equal(handshake_wanted(&handshake), 0);
		assert_int_equal(handshake_chosen(&handshake), DISPLAY_SECURITY_X509_PLAIN);
		assert_int_equal(handshake_tls_done(&handshake), HANDSHAKE_READ);
		assert_int_equal(feed_lengths(5, 6), HANDSHAKE_READ);
		assert_int_equal(feed("alicesecret", 11), HANDSHAKE_ASK);
		assert_string_equal(handshake_name(&handshake), "alice");
		assert_string_equal(handshake_password(&handshake), "secret");
		assert_int_equal(handshake_wanted(&handshake), 0);
		assert_int_equal(handshake_answer(&handshake, true, ""), HANDSHAKE_DONE);
		expect_output("\0\0\0\0", 4);
		assert_string_equal(handshake_password(&handshake), "");
	}
}

static bool contains(const void *memory, size_t size, const char *text)
{
	return memmem(memory, size, text, strlen(text)) != NULL;
}

static void test_secrets_are_wiped(void **state)
{
	(void)state;
	begin_vencrypt("RFB 003.008\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(9, 9);
	assert_int_equal(feed("nametokenpassphras", 18), HANDSHAKE_ASK);
	assert_true(contains(&handshake, sizeof(handshake), "passphras"));
	assert_int_equal(handshake_answer(&handshake, false, "no"), HANDSHAKE_REFUSE);
	assert_false(contains(&handshake, sizeof(handshake), "passph"));
	assert_false(contains(&handshake, sizeof(handshake), "nametok"));
	/* Half a password, then the viewer is dropped. */
	begin_vencrypt("RFB 003.008\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(9, 9);
	(void)feed("nametokenpassph", 15);
	handshake_fini(&handshake);
	assert_false(contains(&handshake, sizeof(handshake), "passph"));
	assert_false(contains(&handshake, sizeof(handshake), "nametok"));
}

static void test_denied(void **state)
{
	uint8_t output[HANDSHAKE_OUTPUT_MAX];

	(void)state;
	begin_vencrypt("RFB 003.008\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(1, 1);
	assert_int_equal(feed("ab", 2), HANDSHAKE_ASK);
	assert_int_equal(handshake_answer(&handshake, false, "wrong"), HANDSHAKE_REFUSE);
	expect_output("\0\0\0\1\0\0\0\5wrong", 13);
	/* 3.7 has no reason. */
	begin_vencrypt("RFB 003.007\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(1, 1);
	(void)feed("ab", 2);
	assert_int_equal(handshake_answer(&handshake, false, "wrong"), HANDSHAKE_REFUSE);
	expect_output("\0\0\0\1", 4);
	/* A reason longer than there is room for is cut. */
	begin_vencrypt("RFB 003.008\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(1, 1);
	(void)feed("ab", 2);
	memset(output, 'x', sizeof(output));
	output[sizeof(output) - 1] = '\0';
	(void)handshake_answer(&handshake, false, (const char *)output);
	assert_int_equal(take(output), 8 + HANDSHAKE_REASON_MAX);
}

static void test_old_and_odd_versions(void **state)
{
	static const char *const refused[] = {
		"RFB 003.003\n",
		"RFB 003.004\n",
		"RFB 003.005\n",
		"RFB 003.006\n",
		"RFB 003.009\n",
		"RFB 003.889\n",
		"RFB 004.001\n",
		"RFB 005.000\n",
		"RFB 000.000\n",
	};
	static const char *const alien[] = {
		"GET / HTTP/1",
		"RFB 003,008\n",
		"RFB 003.008 ",
		"RFB 0x3.008\n",
		"RFB 003.-08\n",
		"SSH-2.0-Open",
		"\26\3\1\2\0\1\0\1\374\3\3\0",
	};
	uint8_t output[HANDSHAKE_OUTPUT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		begin(all_types, 4, true, true);
		assert_int_equal(feed(refused[i], 12), HANDSHAKE_REFUSE);
		/* As 3.3 has it: security type 0, then the reason. */
		assert_true(take(output) > 40);
		assert_memory_equal(output, "\0\0\0\0\0\0\0", 7);
	}
	for (size_t i = 0; i < sizeof(alien) / sizeof(alien[0]); i++) {
		enum handshake_step step = HANDSHAKE_READ;

		begin(all_types, 4, true, true);
		for (size_t at = 0; at < 12 && step == HANDSHAKE_READ; at++) {
			step = handshake_feed(&handshake, alien[i] + at, 1);
		}
		assert_int_equal(step, HANDSHAKE_REFUSE);
		assert_int_equal(take(output), 0);
	}
}

/* Every type but the offered ones is refused, whatever was offered. */
static void test_every_type(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		uint8_t byte = (uint8_t)type;
		uint8_t output[HANDSHAKE_OUTPUT_MAX];

		begin(all_types, 3, false, true);
		(void)feed("RFB 003.008\n", 12);
		expect_output("\1\23", 2);
		assert_int_equal(feed(&byte, 1), type == 19 ? HANDSHAKE_READ : HANDSHAKE_REFUSE);
		(void)take(output);

		begin(all_types + 3, 1, true, true);
		(void)feed("RFB 003.008\n", 12);
		expect_output("\1\1", 2);
		assert_int_equal(feed(&byte, 1), type == 1 ? HANDSHAKE_DONE : HANDSHAKE_REFUSE);
	}
}

static void test_every_subtype(void **state)
{
	(void)state;
	for (uint32_t subtype = 0; subtype < 70000; subtype++) {
		uint32_t used = subtype < 66000 ? subtype : 0u - subtype;
		bool offered = used == DISPLAY_SECURITY_TLS_PLAIN;
		static const uint32_t only[] = { DISPLAY_SECURITY_TLS_PLAIN };

		begin(only, 1, false, true);
		(void)feed("RFB 003.008\n\23\0\2", 15);
		handshake_sent(&handshake, handshake.output_size);
		assert_int_equal(
		    feed_subtype(used), offered ? HANDSHAKE_START_TLS : HANDSHAKE_REFUSE);
	}
}

static void test_none_needs_a_known_peer(void **state)
{
	(void)state;
	/* Not known: nothing is left to offer, said in 3.8's words. */
	begin(all_types + 3, 1, false, true);
	assert_int_equal(feed("RFB 003.008\n", 12), HANDSHAKE_REFUSE);
	assert_int_equal(handshake.output[0], 0);
	assert_true(handshake.output_size > 5);
	/* Known, 3.7: no SecurityResult. */
	begin(all_types + 3, 1, true, false);
	(void)feed("RFB 003.007\n", 12);
	expect_output("\1\1", 2);
	assert_int_equal(feed("\1", 1), HANDSHAKE_DONE);
	expect_output("", 0);
	/* Never as a VeNCrypt subtype. */
	begin(all_types, 4, true, true);
	(void)feed("RFB 003.008\n", 12);
	expect_output("\2\23\1", 3);
	(void)feed("\23\0\2", 3);
	handshake_sent(&handshake, handshake.output_size);
	assert_int_equal(feed_subtype(1), HANDSHAKE_REFUSE);
}

static void test_plain_needs_a_private_path(void **state)
{
	(void)state;
	begin(all_types, 4, false, false);
	(void)feed("RFB 003.008\n\23\0\2", 15);
	assert_int_equal(handshake.offered_count, 2);
	assert_int_equal(feed_subtype(DISPLAY_SECURITY_PLAIN), HANDSHAKE_REFUSE);
}

static void test_vencrypt_versions(void **state)
{
	(void)state;
	for (unsigned int version = 0; version < 65536; version++) {
		uint8_t bytes[2] = { (uint8_t)(version >> 8), (uint8_t)version };

		begin(all_types, 1, false, false);
		(void)feed("RFB 003.008\n\23", 13);
		handshake_sent(&handshake, handshake.output_size);
		assert_int_equal(feed(bytes, 2), version == 2 ? HANDSHAKE_READ : HANDSHAKE_REFUSE);
		if (version != 2) {
			expect_output("\377", 1);
		}
	}
}

static void test_lengths(void **state)
{
	static const struct {
		uint32_t length;
		bool good;
	} cases[] = {
		{ 0, true },
		{ 1, true },
		{ 1022, true },
		{ 1023, true },
		{ 1024, false },
		{ 65536, false },
		{ 0x7fffffff, false },
		{ 0x80000000, false },
		{ 0xffffffff, false },
	};
	enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
	uint8_t text[2048];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < COUNT * COUNT; i++) {
		uint32_t name = cases[i / COUNT].length;
		uint32_t password = cases[i % COUNT].length;
		bool good = cases[i / COUNT].good && cases[i % COUNT].good;
		enum handshake_step step;

		begin_vencrypt("RFB 003.008\n");
		(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
		step = feed_lengths(name, password);
		if (!good) {
			assert_int_equal(step, HANDSHAKE_REFUSE);
			continue;
		}
		if (name + password > 0) {
			assert_int_equal(step, HANDSHAKE_READ);
			step = feed(text, name + password);
		}
		assert_int_equal(step, HANDSHAKE_ASK);
		assert_int_equal(strlen(handshake_name(&handshake)), name);
		assert_int_equal(strlen(handshake_password(&handshake)), password);
		assert_int_equal(handshake_answer(&handshake, true, ""), HANDSHAKE_DONE);
	}
}

static void test_embedded_nul(void **state)
{
	(void)state;
	begin_vencrypt("RFB 003.008\n");
	(void)feed_subtype(DISPLAY_SECURITY_PLAIN);
	(void)feed_lengths(6, 1);
	assert_int_equal(feed("root\0xp", 7), HANDSHAKE_REFUSE);
}

/* Whatever bytes come, success needs the verdict: a few hundred thousand random conversations. */
static void test_random_peers(void **state)
{
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		static const char *const openings[] = { "RFB 003.008\n", "RFB 003.007\n\23",
			"RFB 003.008\n\23\0\2\0\0\1\0" };
		static const size_t sizes[] = { 12, 13, 19 };
		size_t opening = (size_t)round % 3;
		enum handshake_step step = HANDSHAKE_READ;

		handshake_init(&handshake, all_types, 3, false, true);
		for (size_t at = 0;
		     step == HANDSHAKE_READ && at < 64 && handshake_wanted(&handshake) > 0; at++) {
			uint8_t byte;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			byte = at < sizes[opening] ? (uint8_t)openings[opening][at]
			       : random % 3 == 0   ? (uint8_t)(random >> 32)
						   : (uint8_t)(random >> 40 & 1);
			step = handshake_feed(&handshake, &byte, 1);
			handshake_sent(&handshake, handshake.output_size);
		}
		assert_int_not_equal(step, HANDSHAKE_DONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_login),
		cmocka_unit_test(test_secrets_are_wiped),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_old_and_odd_versions),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_every_subtype),
		cmocka_unit_test(test_none_needs_a_known_peer),
		cmocka_unit_test(test_plain_needs_a_private_path),
		cmocka_unit_test(test_vencrypt_versions),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_embedded_nul),
		cmocka_unit_test(test_random_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
