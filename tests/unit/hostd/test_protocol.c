/* The conversation of monitor and broker: what was written is read back, and what is cut, padded or out of range is not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hostd/protocol.h"

enum {
	BUFFER = 60000,
};

static struct request full_request(void)
{
	static const uint8_t payload[] = { 1, 2, 3 };
	struct request request = {
		.tag = 1,
		.viewer = UINT64_MAX,
		.generation = 7,
		.base = 6,
		.number = { 4, 5 },
		.value = 9,
		.payload = payload,
		.payload_size = sizeof(payload),
	};

	strcpy(request.user, "alice");
	strcpy(request.text, "192.0.2.7");
	return request;
}

static void test_request(void **state)
{
	static uint8_t bytes[BUFFER];
	struct request request = full_request();
	struct request got;
	struct wire wire;
	size_t size;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	request_encode(&request, &wire);
	assert_true(wire_ok(&wire));
	size = wire.position;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(request_decode(&wire, &got), 0);
	assert_int_equal(got.viewer, UINT64_MAX);
	assert_int_equal(got.number[1], 5);
	assert_string_equal(got.user, "alice");
	assert_string_equal(got.text, "192.0.2.7");
	assert_int_equal(got.payload_size, 3);
	assert_memory_equal(got.payload, request.payload, 3);
	for (size_t cut = 0; cut < size; cut++) {
		wire_init_read(&wire, bytes, cut);
		assert_int_equal(request_decode(&wire, &got), -EPROTO);
	}
	wire_init_read(&wire, bytes, size + 1);
	assert_int_equal(request_decode(&wire, &got), -EPROTO);
}

static void test_report(void **state)
{
	static uint8_t bytes[BUFFER];
	struct report report = {
		.tag = 3, .error = -EACCES, .flag = true, .number = { 1, 2, 3, 4, 5, 6, 7, 8 }
	};
	struct report got;
	struct wire wire;

	(void)state;
	strcpy(report.peer, "unix");
	strcpy(report.text, "because");
	wire_init_write(&wire, bytes, sizeof(bytes));
	report_encode(&report, &wire);
	wire_init_read(&wire, bytes, wire.position);
	assert_int_equal(report_decode(&wire, &got), 0);
	assert_int_equal(got.error, -EACCES);
	assert_true(got.flag);
	assert_int_equal(got.number[7], 8);
	assert_string_equal(got.text, "because");
	assert_null(got.payload);
}

static void test_too_long_strings_do_not_pass(void **state)
{
	static uint8_t bytes[BUFFER];
	struct request got;
	char name[GRANT_NAME_MAX + 1];
	struct wire wire;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	wire_init_write(&wire, bytes, sizeof(bytes));
	for (int i = 0; i < 6; i++) {
		wire_put_u64(&wire, 0);
	}
	wire_put_u32(&wire, 0);
	wire_put_string(&wire, name);
	wire_put_string(&wire, "");
	wire_put_u32(&wire, 0);
	wire_init_read(&wire, bytes, wire.position);
	assert_int_equal(request_decode(&wire, &got), -EPROTO);
}

static void test_settings(void **state)
{
	static struct protocol_settings settings, got;
	static uint8_t bytes[BUFFER];
	struct wire wire;
	size_t size;

	(void)state;
	settings.version = PROTOCOL_VERSION;
	settings.listener_count = 2;
	settings.listeners[0].kind = PROTOCOL_LISTENER_TCP;
	settings.listeners[0].port = 5900;
	strcpy(settings.listeners[0].address, "127.0.0.1");
	settings.listeners[1].kind = PROTOCOL_LISTENER_CONTROL;
	memset(settings.ca_pem, 'x', sizeof(settings.ca_pem) - 1);
	wire_init_write(&wire, bytes, sizeof(bytes));
	protocol_settings_encode(&settings, &wire);
	size = wire.position;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(protocol_settings_decode(&wire, &got), 0);
	assert_memory_equal(&settings, &got, sizeof(got));

	bytes[0] = PROTOCOL_VERSION + 1;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(protocol_settings_decode(&wire, &got), -EPROTO);

	settings.listener_count = PROTOCOL_LISTENERS_MAX + 1;
	wire_init_write(&wire, bytes, sizeof(bytes));
	protocol_settings_encode(&settings, &wire);
	assert_false(wire_ok(&wire));
}

static void test_session(void **state)
{
	static struct protocol_session session, got;
	static uint8_t bytes[BUFFER];
	struct wire wire;
	size_t size;

	(void)state;
	strcpy(session.user, "alice");
	policy_default(&session.policy);
	session.helper_count = 1;
	strcpy(session.helpers[0].user, "bob");
	session.helpers[0].help = GRANT_HELP_STEER;
	session.generation = 4;
	session.next = 5;
	wire_init_write(&wire, bytes, sizeof(bytes));
	protocol_session_encode(&session, &wire);
	size = wire.position;
	wire_init_read(&wire, bytes, size);
	assert_int_equal(protocol_session_decode(&wire, &got), 0);
	assert_string_equal(got.helpers[0].user, "bob");
	assert_int_equal(got.policy.memory_mib, session.policy.memory_mib);
	assert_int_equal(got.policy.disconnect_grace_us, session.policy.disconnect_grace_us);
	assert_int_equal(got.next, 5);

	session.user[0] = '\0';
	wire_init_write(&wire, bytes, sizeof(bytes));
	protocol_session_encode(&session, &wire);
	wire_init_read(&wire, bytes, wire.position);
	assert_int_equal(protocol_session_decode(&wire, &got), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_too_long_strings_do_not_pass),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
