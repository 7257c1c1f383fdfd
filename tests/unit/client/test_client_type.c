/* `tanmatsu type`: what reaches the daemon is what a person's fingers would have done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <unistd.h>

#include "client/client.h"
#include "fake_server.h"
#include "input/event.h"
#include "run.h"

static const char info[] = "{\"parameters\":{\"version\":\"1\"}}";

/* Appends the keys of an Input call as text: "+30 -30 ". */
static size_t add_keys(const char *call, char *keys, size_t size)
{
	json_t *json = json_loads(call, 0, NULL);
	const json_t *events = json_object_get(json_object_get(json, "parameters"), "events");
	size_t count = json_array_size(events);

	for (size_t i = 0; i < count; i++) {
		const json_t *event = json_array_get(events, i);
		size_t used = strlen(keys);

		assert_int_equal(json_array_size(event), 5);
		assert_int_equal(json_integer_value(json_array_get(event, 0)), INPUT_KEY);
		snprintf(keys + used, size - used, "%c%d ",
		    json_integer_value(json_array_get(event, 2)) ? '+' : '-',
		    (int)json_integer_value(json_array_get(event, 1)));
	}
	json_decref(json);
	return count;
}

static void test_keys(void **state)
{
	static const struct {
		const char *layout;
		const char *text;
		const char *keys;
	} cases[] = {
		{ "us", "a", "+30 -30 " },
		{ "us", "aA", "+30 -30 +42 +30 -30 -42 " },
		{ "us", "z", "+44 -44 " },
		{ "de", "z", "+21 -21 " },
		{ "us", "\n\t", "+28 -28 +15 -15 " },
		{ "us", "\r\n", "+28 -28 " },
		{ "us", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char keys[512] = "", answer[64];
		const struct fake_answer script[] = { { .method = "Input", .text = answer } };
		struct fake_server *server;
		struct run result;
		size_t count = 0;

		for (const char *c = cases[i].keys; *c; c++) {
			count += *c == ' ';
		}
		snprintf(answer, sizeof(answer), "{\"parameters\":{\"accepted\":%zu}}", count);
		server = fake_server_start(script, 1);
		result = RUN(
		    server, "type", "alice", cases[i].text, "--layout", cases[i].layout, "-d", "0");
		if (result.status != CLIENT_DONE) {
			fail_msg("%s: %s", cases[i].text, result.err);
		}
		if (fake_server_call(server, 0)) {
			add_keys(fake_server_call(server, 0), keys, sizeof(keys));
		}
		assert_string_equal(keys, cases[i].keys);
		run_free(&result);
		fake_server_stop(server);
	}
}

static void test_layout_of_the_host(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = "{\"parameters\":{\"layout\":\"de\"}}" },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":2}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run result = RUN(server, "type", "alice", "z");

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(fake_server_call(server, 1), "[1,21,1,0,0],[1,21,0,0,0]"));
	run_free(&result);
	fake_server_stop(server);
}

static void test_what_cannot_be_typed(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = info },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":4}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run refused = RUN(server, "type", "alice", "a語b\xff語");
	struct run skipped = RUN(server, "type", "alice", "a語b", "--skip", "--json", "-d", "0");
	struct run unknown = RUN(server, "type", "alice", "a", "-l", "klingon");

	(void)state;
	assert_int_equal(refused.status, CLIENT_FAILED);
	assert_non_null(strstr(refused.err, "layout us has no key for U+8A9E U+FFFD"));
	assert_int_equal(skipped.status, CLIENT_DONE);
	assert_non_null(strstr(skipped.out, "\"skipped\": 1"));
	assert_non_null(strstr(skipped.out, "\"characters\": 2"));
	assert_int_equal(unknown.status, CLIENT_USAGE);
	assert_non_null(strstr(unknown.err, "klingon"));
	/* Two questions for the layout and one call with keys: the refused text sent none. */
	assert_non_null(strstr(fake_server_call(server, 2), "Input"));
	assert_null(fake_server_call(server, 3));
	run_free(&refused);
	run_free(&skipped);
	run_free(&unknown);
	fake_server_stop(server);
}

static void test_long_text_goes_in_batches(void **state)
{
	char text[101], keys[2048] = "";
	const struct fake_answer script[] = {
		{ .method = "Info", .text = info },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":64}}", .times = 1 },
		{ .method = "Input",
		    .text = "{\"parameters\":{\"accepted\":0}}",
		    .times = 2 }, /* not now */
		{ .method = "Input",
		    .text = "{\"parameters\":{\"accepted\":10}}",
		    .times = 1 }, /* some */
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":64}}", .times = 1 },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":62}}", .times = 1 },
	};
	struct fake_server *server = fake_server_start(script, 6);
	struct run result;

	(void)state;
	memset(text, 'a', 100);
	text[100] = 0;
	result = RUN(server, "type", "alice", text, "--delay", "0");
	assert_int_equal(result.status, CLIENT_DONE);
	assert_int_equal(add_keys(fake_server_call(server, 1), keys, sizeof(keys)), 64);
	assert_int_equal(add_keys(fake_server_call(server, 6), keys, sizeof(keys)), 62);
	assert_null(fake_server_call(server, 7));
	run_free(&result);
	fake_server_stop(server);
}

static void test_with_a_delay_each_character_goes_alone(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = info },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":2}}", .times = 1 },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":4}}", .times = 1 },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":2}}", .times = 1 },
	};
	struct fake_server *server = fake_server_start(script, 4);
	struct run result = RUN(server, "type", "alice", "aAb", "--delay", "1");
	char keys[256] = "";

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	add_keys(fake_server_call(server, 2), keys, sizeof(keys));
	assert_string_equal(keys, "+42 +30 -30 -42 ");
	assert_null(fake_server_call(server, 4));
	run_free(&result);
	fake_server_stop(server);
}

static void test_daemon_that_counts_wrongly(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = info },
		{ .method = "Input", .text = "{\"parameters\":{\"accepted\":3}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run result = RUN(server, "type", "alice", "a");

	(void)state;
	assert_int_equal(result.status, CLIENT_FAILED);
	assert_non_null(strstr(result.err, "makes no sense"));
	run_free(&result);
	fake_server_stop(server);
}

static void test_not_running(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = info },
		{ .method = "Input",
		    .text = "{\"error\":\"org.tanmatsu.NotRunning\",\"parameters\":{\"state\":"
			    "\"saved\"}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run result = RUN(server, "type", "alice", "a");

	(void)state;
	assert_int_equal(result.status, CLIENT_NOT_RUNNING);
	run_free(&result);
	fake_server_stop(server);
}

static void test_standard_input(void **state)
{
	const struct fake_answer script[] = { { .method = "Input",
	    .text = "{\"parameters\":{\"accepted\":4}}" } };
	struct fake_server *server = fake_server_start(script, 1);
	int pipe_ends[2], saved = dup(STDIN_FILENO);
	struct run result;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(write(pipe_ends[1], "ab", 2), 2);
	close(pipe_ends[1]);
	dup2(pipe_ends[0], STDIN_FILENO);
	close(pipe_ends[0]);
	result = RUN(server, "type", "alice", "--stdin", "-l", "us", "--delay", "0");
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(
	    fake_server_call(server, 0), "[1,30,1,0,0],[1,30,0,0,0],[1,48,1,0,0],[1,48,0,0,0]"));
	run_free(&result);
	fake_server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_layout_of_the_host),
		cmocka_unit_test(test_what_cannot_be_typed),
		cmocka_unit_test(test_long_text_goes_in_batches),
		cmocka_unit_test(test_with_a_delay_each_character_goes_alone),
		cmocka_unit_test(test_daemon_that_counts_wrongly),
		cmocka_unit_test(test_not_running),
		cmocka_unit_test(test_standard_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
