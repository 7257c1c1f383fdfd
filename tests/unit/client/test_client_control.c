/* The client's end of the control socket: framing, descriptors, long calls, and daemons that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/control.h"
#include "fake_server.h"

static struct control *open_fake(struct fake_server *server)
{
	struct control *control;

	assert_int_equal(control_open(fake_server_path(server), &control), 0);
	control_set_timeout(control, 5000);
	return control;
}

static void test_call_and_answer(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "List", .text = "{\"parameters\":{\"sessions\":[]}}", .split = true },
		{ .method = "Kill",
		    .text =
			"{\"error\":\"org.tanmatsu.Denied\",\"parameters\":{\"message\":\"no\"}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct control *control = open_fake(server);
	struct control_reply reply;

	(void)state;
	assert_int_equal(control_call_take(control, "List", NULL, -1, NULL, NULL, &reply), 0);
	assert_string_equal(reply.error, "");
	assert_true(json_is_array(json_object_get(reply.parameters, "sessions")));
	assert_string_equal(control_reply_message(&reply), "");
	control_reply_fini(&reply);
	assert_string_equal(fake_server_call(server, 0), "{\"method\":\"org.tanmatsu.List\"}");

	assert_int_equal(control_call_take(control, "Kill", json_pack("{s:s}", "session", "a\"b"),
			     -1, NULL, NULL, &reply),
	    0);
	assert_string_equal(reply.error, "Denied");
	assert_string_equal(control_reply_message(&reply), "no");
	assert_int_equal(reply.fd, -1);
	control_reply_fini(&reply);
	assert_string_equal(fake_server_call(server, 1),
	    "{\"method\":\"org.tanmatsu.Kill\",\"parameters\":{\"session\":\"a\\\"b\"}}");
	control_close(control);
	fake_server_stop(server);
}

static unsigned progress_calls;

static void on_progress(const struct control_reply *reply, void *context)
{
	assert_ptr_equal(context, &progress_calls);
	assert_int_equal(json_integer_value(json_object_get(reply->parameters, "percent")),
	    ++progress_calls * 30);
}

static void test_long_call(void **state)
{
	/* Written at once: the client finds the ends of the answers by itself, and keeps what belongs to the next call. */
	static const char answers[] = "{\"continues\":true,\"parameters\":{\"percent\":30}}\0"
				      "{\"continues\":true,\"parameters\":{\"percent\":60}}\0"
				      "{\"parameters\":{\"took_us\":5}}";
	const struct fake_answer script[] = {
		{ .method = "Suspend", .text = answers, .size = sizeof(answers), .times = 1 },
		{ .method = "Suspend", .text = answers, .size = sizeof(answers), .split = true },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct control *control = open_fake(server);
	struct control_reply reply;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		progress_calls = 0;
		assert_int_equal(control_call_take(control, "Suspend", NULL, -1, on_progress,
				     &progress_calls, &reply),
		    0);
		assert_int_equal(progress_calls, 2);
		assert_int_equal(
		    json_integer_value(json_object_get(reply.parameters, "took_us")), 5);
		control_reply_fini(&reply);
	}
	assert_string_equal(
	    fake_server_call(server, 0), "{\"method\":\"org.tanmatsu.Suspend\",\"more\":true}");
	control_close(control);
	fake_server_stop(server);
}

static void test_long_call_falls_silent(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Suspend",
		    .text = "{\"continues\":true,\"parameters\":{\"percent\":30}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct control *control = open_fake(server);
	struct control_reply reply;

	(void)state;
	progress_calls = 0;
	control_set_timeout(control, 100);
	assert_int_equal(
	    control_call_take(control, "Suspend", NULL, -1, on_progress, &progress_calls, &reply),
	    -ETIMEDOUT);
	assert_int_equal(progress_calls, 1);
	control_close(control);
	fake_server_stop(server);
}

static void test_descriptors(void **state)
{
	int sent = memfd_create("sent", MFD_CLOEXEC);
	const struct fake_answer script[] = {
		{ .method = "Logs", .text = "{\"parameters\":{}}", .fd = sent, .split = true },
		{ .method = "Attach", .text = "{\"parameters\":{\"viewer\":7}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct control *control = open_fake(server);
	struct control_reply reply;
	char text[8] = "";
	int pipe_ends[2], passed;

	(void)state;
	assert_int_equal(write(sent, "hello", 5), 5);
	assert_int_equal(control_call_take(control, "Logs", NULL, -1, NULL, NULL, &reply), 0);
	assert_true(reply.fd >= 0);
	assert_true(fcntl(reply.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(pread(reply.fd, text, sizeof(text), 0), 5);
	assert_string_equal(text, "hello");
	control_reply_fini(&reply);
	assert_int_equal(reply.fd, -1);

	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(
	    control_call_take(control, "Attach", NULL, pipe_ends[1], NULL, NULL, &reply), 0);
	assert_int_equal(reply.fd, -1);
	control_reply_fini(&reply);
	passed = fake_server_take_fd(server);
	assert_true(passed >= 0 && passed != pipe_ends[1]);
	assert_int_equal(write(passed, "x", 1), 1);
	assert_int_equal(read(pipe_ends[0], text, 1), 1);
	close(passed);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	control_close(control);
	fake_server_stop(server);
	close(sent);
}

static void test_hostile_answers(void **state)
{
	static const char *const answers[] = {
		"{",
		"[]",
		"null",
		"42",
		"{}x",
		"{\"parameters\":[]}",
		"{\"parameters\":null}",
		"{\"error\":5}",
		"{\"error\":\"\"}",
		"{\"error\":\"org.tanmatsu.\"}",
		"{\"continues\":1}",
		"{\"error\":\"a\",\"error\":\"b\"}",
		"{\"error\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
		"{\"parameters\":{\"a\":\"\xff\"}}",
		"{\"parameters\":{\"a\":99999999999999999999999}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct fake_answer script[] = { { .method = "Info", .text = answers[i] } };
		struct fake_server *server = fake_server_start(script, 1);
		struct control *control = open_fake(server);
		struct control_reply reply;
		int error = control_call_take(control, "Info", NULL, -1, NULL, NULL, &reply);

		if (error != -EPROTO) {
			fail_msg("%s: %d", answers[i], error);
		}
		control_close(control);
		fake_server_stop(server);
	}
}

static void test_deep_and_long_answers(void **state)
{
	size_t size = 4000;
	char *deep = malloc(2 * size + 64);
	char *huge = malloc(CONTROL_MESSAGE_MAX + 1024 * 1024);
	const struct fake_answer script[] = {
		{ .method = "Info", .text = deep },
		{ .method = "List", .text = huge },
	};
	struct fake_server *server;
	struct control *control;
	struct control_reply reply;

	(void)state;
	assert_true(deep && huge);
	memset(deep, '[', size);
	deep[size] = 0;
	memset(huge, ' ', CONTROL_MESSAGE_MAX + 1024 * 1024 - 1);
	huge[CONTROL_MESSAGE_MAX + 1024 * 1024 - 1] = 0;
	server = fake_server_start(script, 2);
	control = open_fake(server);
	assert_int_equal(control_call_take(control, "Info", NULL, -1, NULL, NULL, &reply), -EPROTO);
	assert_int_equal(control_call_take(control, "List", NULL, -1, NULL, NULL, &reply), -EPROTO);
	control_close(control);
	fake_server_stop(server);
	free(deep);
	free(huge);
}

static void test_hang_up_and_silence(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info", .text = "" },
		{ .method = "List", .text = NULL },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct control *control = open_fake(server);
	struct control_reply reply;

	(void)state;
	assert_int_equal(
	    control_call_take(control, "Info", NULL, -1, NULL, NULL, &reply), -ECONNRESET);
	control_close(control);
	control = open_fake(server);
	control_set_timeout(control, 20);
	assert_int_equal(
	    control_call_take(control, "List", NULL, -1, NULL, NULL, &reply), -ETIMEDOUT);
	control_close(control);
	fake_server_stop(server);
}

static void test_error_ends_a_long_call(void **state)
{
	static const char text[] = "{\"continues\":true,\"error\":\"org.tanmatsu.Failed\"}";
	struct control_reply reply;

	(void)state;
	assert_int_equal(control_reply_parse(text, strlen(text), &reply), 0);
	assert_false(reply.continues);
	assert_string_equal(reply.error, "Failed");
	assert_true(json_is_object(reply.parameters));
	control_reply_fini(&reply);
}

static void test_paths(void **state)
{
	char path[200], small[8];

	(void)state;
	unsetenv("TANMATSU_CONTROL");
	assert_int_equal(control_find_path("/given", path, sizeof(path)), 0);
	assert_string_equal(path, "/given");
	setenv("TANMATSU_CONTROL", "/environment", 1);
	assert_int_equal(control_find_path("/given", path, sizeof(path)), 0);
	assert_string_equal(path, "/given");
	assert_int_equal(control_find_path(NULL, path, sizeof(path)), 0);
	assert_string_equal(path, "/environment");
	assert_int_equal(control_find_path(NULL, small, sizeof(small)), -ENAMETOOLONG);
	unsetenv("TANMATSU_CONTROL");
	assert_int_equal(control_find_path(NULL, path, sizeof(path)), 0);
	assert_non_null(strstr(path, "/tanmatsu/control.sock"));
}

static void test_nobody_there(void **state)
{
	char too_long[200];
	struct control *control = NULL;

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = 0;
	assert_int_equal(control_open("/nowhere/control.sock", &control), -ENOENT);
	assert_int_equal(control_open(too_long, &control), -ENAMETOOLONG);
	assert_null(control);
	control_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_and_answer),
		cmocka_unit_test(test_long_call),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_hostile_answers),
		cmocka_unit_test(test_deep_and_long_answers),
		cmocka_unit_test(test_hang_up_and_silence),
		cmocka_unit_test(test_long_call_falls_silent),
		cmocka_unit_test(test_error_ends_a_long_call),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
