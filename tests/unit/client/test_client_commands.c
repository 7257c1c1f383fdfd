/* The commands that ask the daemon and print: what they call, what they print for people and as JSON, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "client/client.h"
#include "fake_server.h"
#include "run.h"

#define ALICE                                                                               \
	"{\"session\":\"alice\",\"user\":\"alice\",\"state\":\"active\",\"memory_mib\":64," \
	"\"vcpus\":1,"                                                                      \
	"\"width\":1280,\"height\":800,\"pid\":4711,\"generation\":3,\"resumes\":2,"        \
	"\"since_us\":1767225480000000,\"reason\":\"the user logged "                       \
	"in\",\"snapshot_bytes\":5242880,"                                                  \
	"\"viewers\":[{\"viewer\":1,\"peer\":\"192.0.2.7\",\"since_us\":1767225480000000}]}"
#define BOB \
	"{\"session\":\"bob\",\"user\":\"bob\",\"state\":\"saved\",\"since_us\":1767200000000000}"

static json_t *parse(const struct run *result)
{
	json_error_t error;
	json_t *json = json_loads(result->out, 0, &error);

	if (!json) {
		fail_msg("no JSON: %s: %s", error.text, result->out);
	}
	return json;
}

static void test_list(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "List", .text = "{\"parameters\":{\"sessions\":[" ALICE "," BOB "]}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run plain = RUN(server, "list");
	struct run terminal = RUN_TERMINAL(server, "list");
	struct run json = RUN(server, "list", "--json");
	json_t *parsed = parse(&json);

	(void)state;
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_memory_equal(plain.out, "SESSION", 7);
	assert_non_null(strstr(plain.out, "alice"));
	assert_non_null(strstr(plain.out, "64 MiB"));
	assert_non_null(strstr(plain.out, "5 MiB"));
	assert_non_null(strstr(plain.out, "2 min"));
	assert_non_null(strstr(plain.out, "the user logged in"));
	assert_null(strchr(plain.out, '\033'));
	assert_non_null(strstr(terminal.out, "\033[32m"));
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(json_object_get(parsed, "sessions"), 1), "state")),
	    "saved");
	/* Keys are there though the daemon left them out. */
	assert_int_equal(json_integer_value(json_object_get(
			     json_array_get(json_object_get(parsed, "sessions"), 1), "pid")),
	    0);
	assert_true(json_is_array(
	    json_object_get(json_array_get(json_object_get(parsed, "sessions"), 1), "viewers")));
	json_decref(parsed);
	run_free(&plain);
	run_free(&terminal);
	run_free(&json);
	fake_server_stop(server);
}

static void test_list_fits_80_columns(void **state)
{
	const struct fake_answer script[] = { { .method = "List",
	    .text = "{\"parameters\":{\"sessions\":["
		    "{\"session\":\"a-user-with-a-long-name\",\"user\":\"a-user-with-a-long-name\","
		    "\"state\":\"resuming\","
		    "\"memory_mib\":123456,\"snapshot_bytes\":123456789012,\"since_us\":1,"
		    "\"reason\":\"a reason that goes on and on and on, for longer than a line of a "
		    "terminal\"}]}}" } };
	struct fake_server *server = fake_server_start(script, 1);
	struct run result = RUN_TERMINAL(server, "list");
	size_t column = 0;

	(void)state;
	for (const char *c = result.out; *c; c++) {
		if (*c == '\033') {
			c = strchr(c, 'm');
			continue;
		}
		column = *c == '\n' ? 0 : column + (((unsigned char)*c & 0xc0) != 0x80);
		if (column > 80) {
			fail_msg("%s", result.out);
		}
	}
	run_free(&result);
	fake_server_stop(server);
}

static void test_list_empty(void **state)
{
	const struct fake_answer script[] = { { .method = "List",
	    .text = "{\"parameters\":{\"sessions\":[]}}" } };
	struct fake_server *server = fake_server_start(script, 1);
	struct run plain = RUN(server, "list");
	struct run json = RUN(server, "list", "--json");
	json_t *parsed = parse(&json);

	(void)state;
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_non_null(strstr(plain.out, "No desktops yet"));
	assert_int_equal(json_array_size(json_object_get(parsed, "sessions")), 0);
	assert_true(json_is_array(json_object_get(parsed, "sessions")));
	json_decref(parsed);
	run_free(&plain);
	run_free(&json);
	fake_server_stop(server);
}

static void test_hostile_lists(void **state)
{
	static const char *const answers[] = {
		"{\"parameters\":{}}",
		"{\"parameters\":{\"sessions\":{}}}",
		"{\"parameters\":{\"sessions\":[5]}}",
		"{\"parameters\":{\"sessions\":[{}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":7}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\\u0000b\"}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\",\"pid\":-1}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\",\"pid\":1e99}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\",\"width\":16385}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\",\"viewers\":3}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":\"a\",\"viewers\":[[]]}]}}",
		"{\"parameters\":{\"sessions\":[{\"session\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123\"}]}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct fake_answer script[] = { { .method = "List", .text = answers[i] } };
		struct fake_server *server = fake_server_start(script, 1);
		struct run result = RUN(server, "list");

		if (result.status != CLIENT_FAILED || !strstr(result.err, "makes no sense")) {
			fail_msg("%s: %d %s", answers[i], result.status, result.err);
		}
		assert_string_equal(result.out, "");
		run_free(&result);
		fake_server_stop(server);
	}
}

static void test_nothing_foreign_reaches_the_terminal(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "List",
		    .text = "{\"parameters\":{\"sessions\":[{\"session\":\"a\\u001b]0;x\\u0007\","
			    "\"reason\":\"\\u001b[2J\\u009b31m\\u202eevil\"}]}}" },
		{ .method = "Status",
		    .text = "{\"parameters\":{\"session\":{\"session\":\"a\\u001b]0;x\\u0007\","
			    "\"last_error\":\"\\u001b[2J\"}}}" },
		{ .method = "Kill",
		    .text = "{\"error\":\"org.tanmatsu.Failed\",\"parameters\":"
			    "{\"message\":\"\\u001b[2Jfoo\"}}" },
		{ .method = "Start", .text = "{\"error\":\"\\u001b[2Jfoo\"}" },
	};
	struct fake_server *server = fake_server_start(script, 4);
	struct run results[] = { RUN(server, "list"), RUN(server, "status", "a"),
		RUN(server, "kill", "a"), RUN(server, "start", "a") };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_null(strchr(results[i].out, '\033'));
		assert_null(strchr(results[i].err, '\033'));
		assert_null(strchr(results[i].out, '\a'));
		assert_null(strstr(results[i].out, "\xc2\x9b"));
		assert_null(strstr(results[i].out, "\xe2\x80\xae"));
		assert_non_null(strstr(i < 2 ? results[i].out : results[i].err, "\\x1b"));
		run_free(&results[i]);
	}
	fake_server_stop(server);
}

static void test_status(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Status",
		    .text = "{\"parameters\":{\"session\":" ALICE
			    ",\"statistics\":{\"uptime_us\":120000000,"
			    "\"vcpu_us\":1500000,\"exits\":42,\"ram_private_bytes\":10485760}}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run plain = RUN(server, "status", "alice");
	struct run json = RUN(server, "status", "alice", "--json");
	json_t *parsed = parse(&json);

	(void)state;
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_non_null(
	    strstr(plain.out, "alice active for 2 min (since 2025-12-31 23:58:00 UTC)"));
	assert_non_null(strstr(plain.out, "192.0.2.7, for 2 min"));
	assert_non_null(strstr(plain.out, "1 vCPU, 64 MiB, pid 4711"));
	assert_non_null(strstr(plain.out, "1280x800"));
	assert_non_null(strstr(plain.out, "10 MiB of its own"));
	assert_non_null(strstr(plain.out, "generation 3, 5 MiB, resumed 2 times"));
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(parsed, "statistics"), "exits")),
	    42);
	assert_string_equal(fake_server_call(server, 0),
	    "{\"method\":\"org.tanmatsu.Status\",\"parameters\":{\"session\":\"alice\"}}");
	json_decref(parsed);
	run_free(&plain);
	run_free(&json);
	fake_server_stop(server);
}

static void test_errors_become_exit_statuses(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *told;
	} cases[] = {
		{ "{\"error\":\"org.tanmatsu.NotFound\"}", CLIENT_NOT_FOUND,
		    "there is no such session" },
		{ "{\"error\":\"org.tanmatsu.NotRunning\"}", CLIENT_NOT_RUNNING, "tanmatsu start" },
		{ "{\"error\":\"org.tanmatsu.Denied\"}", CLIENT_DENIED, "group tanmatsu" },
		{ "{\"error\":\"org.tanmatsu.Busy\",\"parameters\":{\"message\":\"it is being "
		  "saved\"}}",
		    CLIENT_FAILED, "it is being saved" },
		{ "{\"error\":\"org.tanmatsu.Failed\",\"parameters\":{\"message\":\"the disk is "
		  "full\"}}",
		    CLIENT_FAILED, "suspend alice: the disk is full" },
		{ "{\"error\":\"org.tanmatsu.InvalidParameter\"}", CLIENT_USAGE,
		    "a value was refused" },
		{ "{\"error\":\"org.tanmatsu.MethodNotFound\"}", CLIENT_FAILED,
		    "tanmatsu version" },
		{ "{\"error\":\"org.tanmatsu.Strange\"}", CLIENT_FAILED, "Strange" },
		{ "{\"error\":\"com.example.Other\",\"parameters\":{\"message\":5}}", CLIENT_FAILED,
		    "com.example.Other" },
		{ "", CLIENT_FAILED, "the daemon hung up" },
		{ "gibberish", CLIENT_FAILED, "makes no sense" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_answer script[] = { { .method = "Suspend",
		    .text = cases[i].text } };
		struct fake_server *server = fake_server_start(script, 1);
		struct run result = RUN(server, "suspend", "alice");

		if (result.status != cases[i].status || !strstr(result.err, cases[i].told)) {
			fail_msg("%s: %d %s", cases[i].text, result.status, result.err);
		}
		assert_string_equal(result.out, "");
		run_free(&result);
		fake_server_stop(server);
	}
}

static void test_power_commands(void **state)
{
	static const struct {
		const char *command;
		const char *call;
	} cases[] = {
		{ "start",
		    "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"alice\"}}" },
		{ "suspend", "{\"method\":\"org.tanmatsu.Suspend\",\"parameters\":{\"session\":"
			     "\"alice\"}}" },
		{ "resume",
		    "{\"method\":\"org.tanmatsu.Resume\",\"parameters\":{\"session\":\"alice\"}}" },
		{ "stop", "{\"method\":\"org.tanmatsu.Stop\",\"parameters\":{\"session\":\"alice\","
			  "\"timeout_s\":60}}" },
		{ "kill",
		    "{\"method\":\"org.tanmatsu.Kill\",\"parameters\":{\"session\":\"alice\"}}" },
	};
	static const char text[] = "{\"parameters\":{\"session\":" ALICE
				   ",\"ram_bytes\":1048576,\"state_bytes\":1048576,"
				   "\"stopped_us\":200000,\"took_us\":300000}}";
	const struct fake_answer script[] = {
		{ .method = "Start", .text = text },
		{ .method = "Suspend", .text = text },
		{ .method = "Resume", .text = text },
		{ .method = "Stop", .text = text },
		{ .method = "Kill", .text = text },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_server *server = fake_server_start(script, 5);
		struct run plain = RUN(server, cases[i].command, "alice");
		struct run json = RUN(server, "--json", cases[i].command, "alice");
		json_t *parsed = parse(&json);

		assert_int_equal(plain.status, CLIENT_DONE);
		assert_string_equal(plain.out, "alice is active, 2 MiB written in 0.3 s\n");
		assert_string_equal(fake_server_call(server, 0), cases[i].call);
		assert_int_equal(json_integer_value(json_object_get(parsed, "ram_bytes")), 1048576);
		assert_int_equal(json_integer_value(json_object_get(parsed, "stopped_us")), 200000);
		assert_string_equal(json_string_value(json_object_get(
					json_object_get(parsed, "session"), "session")),
		    "alice");
		json_decref(parsed);
		run_free(&plain);
		run_free(&json);
		fake_server_stop(server);
	}
}

static void test_hold_runs_the_command(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Hold", .text = "{\"parameters\":{\"session\":" ALICE "}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run seven = RUN(server, "hold", "alice", "a backup", "--", "sh", "-c", "exit 7");
	struct run no_command = RUN(server, "hold", "alice", "a backup");
	struct run no_reason = RUN(server, "hold", "--", "true", "false");
	struct run missing = RUN(server, "hold", "alice", "a backup", "--", "/nonexistent");

	(void)state;
	assert_int_equal(seven.status, 7);
	assert_string_equal(fake_server_call(server, 0),
	    "{\"method\":\"org.tanmatsu.Hold\",\"parameters\":{\"session\":\"alice\",\"reason\":"
	    "\"a "
	    "backup\"}}");
	assert_int_equal(no_command.status, CLIENT_USAGE);
	assert_int_equal(no_reason.status, CLIENT_USAGE);
	assert_int_equal(missing.status, CLIENT_FAILED);
	assert_non_null(strstr(missing.err, "/nonexistent"));
	run_free(&seven);
	run_free(&no_command);
	run_free(&no_reason);
	run_free(&missing);
	fake_server_stop(server);
}

/* Who holds a desktop, and what for; also as JSON. */
static void test_holds_are_shown(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Status",
		    .text = "{\"parameters\":{\"session\":{\"session\":\"alice\",\"state\":"
			    "\"detached\","
			    "\"holds\":[{\"user\":\"bob\",\"reason\":\"a "
			    "backup\",\"since_us\":1}]}}}" },
		{ .method = "List",
		    .text = "{\"parameters\":{\"sessions\":[{\"session\":\"alice\",\"state\":"
			    "\"detached\","
			    "\"holds\":[{\"user\":\"bob\",\"reason\":\"a "
			    "backup\",\"since_us\":1}]}]}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run status = RUN(server, "status", "alice");
	struct run list = RUN(server, "list");
	struct run json = RUN(server, "--json", "status", "alice");

	(void)state;
	assert_non_null(strstr(status.out, "Held:"));
	assert_non_null(strstr(status.out, "by bob, for "));
	assert_non_null(strstr(status.out, ": a backup"));
	assert_non_null(strstr(list.out, "held: a backup"));
	assert_non_null(strstr(json.out, "\"holds\""));
	run_free(&status);
	run_free(&list);
	run_free(&json);
	fake_server_stop(server);
}

static void test_stop_timeout_is_passed(void **state)
{
	const struct fake_answer script[] = { { .method = "Stop",
	    .text = "{\"parameters\":{\"session\":" ALICE "}}" } };
	struct fake_server *server = fake_server_start(script, 1);
	struct run result = RUN(server, "stop", "alice", "-t", "5");

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(fake_server_call(server, 0), "\"timeout_s\":5"));
	run_free(&result);
	fake_server_stop(server);
}

static void test_progress_bar(void **state)
{
	static const char text[] =
	    "{\"continues\":true,\"parameters\":{\"percent\":50,\"message\":\"writing memory\"}}\0"
	    "{\"continues\":true,\"parameters\":{\"percent\":4000000000000,\"message\":5}}\0"
	    "{\"continues\":true,\"parameters\":{\"percent\":\"x\"}}\0"
	    "{\"parameters\":{\"session\":" ALICE "}}";
	const struct fake_answer script[] = {
		{ .method = "Suspend", .text = text, .size = sizeof(text) }
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run terminal = RUN_TERMINAL(server, "suspend", "alice");
	struct run plain = RUN(server, "suspend", "alice");

	(void)state;
	assert_int_equal(terminal.status, CLIENT_DONE);
	assert_non_null(strstr(terminal.err, "suspend alice ["));
	assert_non_null(strstr(terminal.err, " 50 %  writing memory"));
	assert_non_null(strstr(terminal.err, "100 %"));
	/* The line is cleared at the end. */
	assert_string_equal(terminal.err + terminal.err_size - 4, "\r\033[K");
	assert_non_null(strstr(fake_server_call(server, 0), "\"more\":true"));
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_string_equal(plain.err, "");
	run_free(&terminal);
	run_free(&plain);
	fake_server_stop(server);
}

static void test_session_may_be_left_out(void **state)
{
	const char *own = getpwuid(geteuid())->pw_name;
	char lists[4][512], expected[256];
	static const struct {
		size_t list;
		int status;
		const char *session; /* NULL: one's own name */
	} cases[] = {
		{ 0, CLIENT_DONE, NULL },    /* none: one's own, the daemon decides */
		{ 1, CLIENT_DONE, "carol" }, /* the only one */
		{ 2, CLIENT_DONE, NULL },    /* several, one of them one's own */
		{ 3, CLIENT_USAGE, NULL },   /* several, none one's own */
	};

	(void)state;
	snprintf(lists[0], sizeof(lists[0]), "{\"parameters\":{\"sessions\":[]}}");
	snprintf(lists[1], sizeof(lists[1]),
	    "{\"parameters\":{\"sessions\":[{\"session\":\"carol\"}]}}");
	snprintf(lists[2], sizeof(lists[2]),
	    "{\"parameters\":{\"sessions\":[{\"session\":\"carol\"},{\"session\":\"%s\"},{"
	    "\"session\":\"dave\"}]}}",
	    own);
	snprintf(lists[3], sizeof(lists[3]),
	    "{\"parameters\":{\"sessions\":[{\"session\":\"carol\"},{\"session\":\"dave\"}]}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_answer script[] = {
			{ .method = "List", .text = lists[cases[i].list] },
			{ .method = "Kill", .text = "{\"parameters\":{\"session\":" ALICE "}}" },
		};
		struct fake_server *server = fake_server_start(script, 2);
		struct run result = RUN(server, "kill");

		assert_int_equal(result.status, cases[i].status);
		if (cases[i].status == CLIENT_DONE) {
			snprintf(expected, sizeof(expected), "{\"session\":\"%s\"}",
			    cases[i].session ? cases[i].session : own);
			assert_non_null(strstr(fake_server_call(server, 1), expected));
		} else {
			assert_non_null(strstr(result.err, "which session? There are 2"));
			assert_null(fake_server_call(server, 1));
		}
		run_free(&result);
		fake_server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_fits_80_columns),
		cmocka_unit_test(test_list_empty),
		cmocka_unit_test(test_hostile_lists),
		cmocka_unit_test(test_nothing_foreign_reaches_the_terminal),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_errors_become_exit_statuses),
		cmocka_unit_test(test_power_commands),
		cmocka_unit_test(test_hold_runs_the_command),
		cmocka_unit_test(test_holds_are_shown),
		cmocka_unit_test(test_stop_timeout_is_passed),
		cmocka_unit_test(test_progress_bar),
		cmocka_unit_test(test_session_may_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
