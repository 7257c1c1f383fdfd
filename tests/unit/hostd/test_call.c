/* Calls of the control socket as text, most of them hostile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostd/control_call.h"
#include "input/event.h"

static int parse(const char *text, struct control_call *call)
{
	return control_call_parse(text, strlen(text), call);
}

static void test_a_call(void **state)
{
	struct control_call call;
	char name[8];

	(void)state;
	assert_int_equal(parse("{\"method\":\"org.tanmatsu.Status\",\"parameters\":{\"session\":"
			       "\"alice\"},\"more\":true}",
			     &call),
	    0);
	assert_string_equal(call.method, "Status");
	assert_true(call.more);
	assert_int_equal(control_call_string(&call, "session", name, sizeof(name)), 0);
	assert_string_equal(name, "alice");
	assert_int_equal(control_call_string(&call, "session", name, 5), -EINVAL);
	assert_int_equal(control_call_string(&call, "nothing", name, sizeof(name)), -ENOENT);
	control_call_fini(&call);
	assert_int_equal(parse("{\"method\":\"org.tanmatsu.List\"}", &call), 0);
	assert_false(call.more);
	assert_non_null(call.parameters);
	control_call_fini(&call);
}

static void test_what_is_no_call(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"null",
		"\"org.tanmatsu.List\"",
		"{}",
		"{\"method\":7}",
		"{\"method\":\"List\"}",
		"{\"method\":\"org.tanmatsu.\"}",
		"{\"method\":\"org.varlink.service.GetInfo\"}",
		"{\"method\":\"org.tanmatsu.List\",\"parameters\":[]}",
		"{\"method\":\"org.tanmatsu.List\",\"method\":\"org.tanmatsu.Kill\"}",
		"{\"method\":\"org.tanmatsu.List\"} {\"method\":\"org.tanmatsu.List\"}",
		"{\"method\":\"org.tanmatsu.\xff\xfe\"}",
		"{\"method\":\"org.tanmatsu."
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
	};
	struct control_call call;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &call), -EPROTO);
		control_call_fini(&call);
	}
}

static void test_deep_and_long(void **state)
{
	size_t size = CONTROL_CALL_MAX + 1;
	char *text = malloc(size);
	struct control_call call;

	(void)state;
	assert_non_null(text);
	memset(text, '[', size);
	assert_int_equal(control_call_parse(text, size, &call), -EPROTO);
	control_call_fini(&call);
	assert_int_equal(control_call_parse(text, size - 1, &call), -EPROTO);
	control_call_fini(&call);
	free(text);
}

static void test_a_nul_inside_a_name(void **state)
{
	struct control_call call;
	char name[64];

	(void)state;
	/* jansson refuses an escaped NUL by default; were it to pass, the string would still be refused. */
	if (parse("{\"method\":\"org.tanmatsu.Kill\",\"parameters\":{\"session\":"
		  "\"bob\\u0000alice\"}}",
		&call) == 0) {
		assert_int_equal(
		    control_call_string(&call, "session", name, sizeof(name)), -EINVAL);
	}
	control_call_fini(&call);
}

static void test_numbers(void **state)
{
	struct control_call call;
	uint64_t number = 0;

	(void)state;
	assert_int_equal(parse("{\"method\":\"org.tanmatsu.Stop\",\"parameters\":{\"a\":5,\"b\":-1,"
			       "\"c\":1.5,\"d\":\"5\",\"e\":100}}",
			     &call),
	    0);
	assert_int_equal(control_call_number(&call, "a", 10, 1, &number), 0);
	assert_int_equal(number, 5);
	assert_int_equal(control_call_number(&call, "none", 10, 60, &number), 0);
	assert_int_equal(number, 60);
	assert_int_equal(control_call_number(&call, "b", 10, 1, &number), -EINVAL);
	assert_int_equal(control_call_number(&call, "c", 10, 1, &number), -EINVAL);
	assert_int_equal(control_call_number(&call, "d", 10, 1, &number), -EINVAL);
	assert_int_equal(control_call_number(&call, "e", 10, 1, &number), -EINVAL);
	control_call_fini(&call);
}

static int events_of(const char *list, struct wire *out, size_t *count)
{
	char text[512];
	struct control_call call;
	int error;

	snprintf(text, sizeof(text),
	    "{\"method\":\"org.tanmatsu.Input\",\"parameters\":{\"events\":%s}}", list);
	assert_int_equal(parse(text, &call), 0);
	error = control_call_events(&call, out, count);
	control_call_fini(&call);
	return error;
}

static void test_events(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"7",
		"[7]",
		"[[1,30,1,0]]",
		"[[1,30,1,0,0,0]]",
		"[[1,30,2,0,0]]",
		"[[1,65535,1,0,0]]",
		"[[9,0,0,0,0]]",
		"[[2,0,0,65536,0]]",
		"[[2,0,0,-1,0]]",
		"[[\"1\",30,1,0,0]]",
		"[[1,30,1,0,0],[]]",
		"[[4,8,4294967296,0,0]]",
	};
	uint8_t bytes[256];
	struct input_event event;
	struct wire wire;
	size_t count = 0;

	(void)state;
	wire_init_write(&wire, bytes, sizeof(bytes));
	assert_int_equal(events_of("[[1,30,1,0,0],[2,0,0,65535,7]]", &wire, &count), 0);
	assert_int_equal(count, 2);
	wire_init_read(&wire, bytes, wire.position);
	assert_int_equal(wire_get_u16(&wire), 2);
	assert_int_equal(input_event_decode(&wire, &event), 0);
	assert_int_equal(event.code, 30);
	assert_int_equal(input_event_decode(&wire, &event), 0);
	assert_int_equal(event.x, 65535);
	assert_true(wire_done(&wire));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wire_init_write(&wire, bytes, sizeof(bytes));
		assert_int_equal(events_of(bad[i], &wire, &count), -EINVAL);
	}
}

static void test_answers(void **state)
{
	char *text = control_answer_take(json_pack("{s:i}", "percent", 5), true);

	(void)state;
	assert_string_equal(text, "{\"parameters\":{\"percent\":5},\"continues\":true}");
	free(text);
	text = control_answer_take(NULL, false);
	assert_string_equal(text, "{\"parameters\":{}}");
	free(text);
	text = control_error_take(
	    "NotRunning", "It is \"off\".", json_pack("{s:s}", "state", "off"));
	assert_string_equal(text, "{\"error\":\"org.tanmatsu.NotRunning\",\"parameters\":{"
				  "\"state\":\"off\",\"message\":\"It is \\\"off\\\".\"}}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call),
		cmocka_unit_test(test_what_is_no_call),
		cmocka_unit_test(test_deep_and_long),
		cmocka_unit_test(test_a_nul_inside_a_name),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
