/* The commands about a log or the host: logs, cert, version, and what is said when there is no daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/client.h"
#include "fake_server.h"
#include "run.h"

static json_t *parse(const struct run *result)
{
	json_error_t error;
	json_t *json = json_loads(result->out, 0, &error);

	if (!json) {
		fail_msg("no JSON: %s: %s", error.text, result->out);
	}
	return json;
}

static int make_log(const char *text)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void test_logs(void **state)
{
	int log = make_log("one\ntwo \033[31m\xff\nthree\n");
	const struct fake_answer script[] = {
		{ .method = "Logs", .text = "{\"parameters\":{}}", .fd = log }
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run plain = RUN(server, "logs", "alice", "--kind", "console");
	struct run terminal = RUN_TERMINAL(server, "logs", "alice");
	struct run last = RUN(server, "logs", "alice", "-n", "2");
	struct run more = RUN(server, "logs", "alice", "-n", "200");
	struct run json = RUN(server, "logs", "alice", "--json");

	(void)state;
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_string_equal(plain.out, "one\ntwo \033[31m\xff\nthree\n");
	assert_string_equal(terminal.out, "one\ntwo \\x1b[31m\\xff\nthree\n");
	assert_string_equal(last.out, "two \033[31m\xff\nthree\n");
	assert_string_equal(more.out, plain.out);
	assert_string_equal(json.out, "{\"line\":\"one\"}\n{\"line\":\"two "
				      "\\u001B[31m\xef\xbf\xbd\"}\n{\"line\":\"three\"}\n");
	assert_string_equal(fake_server_call(server, 0),
	    "{\"method\":\"org.tanmatsu.Logs\",\"parameters\":{"
	    "\"session\":\"alice\",\"kind\":\"console\"}}");
	run_free(&plain);
	run_free(&terminal);
	run_free(&last);
	run_free(&more);
	run_free(&json);
	fake_server_stop(server);
	close(log);
}

static void test_log_without_line_end_and_without_descriptor(void **state)
{
	int log = make_log("an unfinished line");
	const struct fake_answer script[] = {
		{ .method = "Logs", .text = "{\"parameters\":{}}", .fd = log, .times = 2 },
		{ .method = "Logs", .text = "{\"parameters\":{}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run json = RUN(server, "logs", "alice", "--json");
	struct run last = RUN(server, "logs", "alice", "-n", "1");
	struct run missing = RUN(server, "logs", "alice");

	(void)state;
	assert_string_equal(json.out, "{\"line\":\"an unfinished line\"}\n");
	assert_string_equal(last.out, "an unfinished line");
	assert_int_equal(missing.status, CLIENT_FAILED);
	run_free(&json);
	run_free(&last);
	run_free(&missing);
	fake_server_stop(server);
	close(log);
}

static void test_cert(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Cert",
		    .text = "{\"parameters\":{\"pem\":\"-----BEGIN CERTIFICATE-----\\nx\\n\","
			    "\"sha256\":\"AB:CD\",\"path\":\"/x/ca.pem\"}}",
		    .times = 4 },
		{ .method = "Cert", .text = "{\"parameters\":{}}" },
	};
	struct fake_server *server = fake_server_start(script, 2);
	struct run plain = RUN(server, "cert");
	struct run fingerprint = RUN(server, "cert", "--fingerprint");
	struct run path = RUN(server, "cert", "--path");
	struct run json = RUN(server, "cert", "--json");
	struct run empty = RUN(server, "cert");
	json_t *parsed = parse(&json);

	(void)state;
	assert_string_equal(plain.out, "-----BEGIN CERTIFICATE-----\nx\n");
	assert_string_equal(plain.err, "");
	assert_string_equal(fingerprint.out, "AB:CD\n");
	assert_string_equal(path.out, "/x/ca.pem\n");
	assert_string_equal(json_string_value(json_object_get(parsed, "sha256")), "AB:CD");
	assert_int_equal(empty.status, CLIENT_FAILED);
	json_decref(parsed);
	run_free(&plain);
	run_free(&fingerprint);
	run_free(&path);
	run_free(&json);
	run_free(&empty);
	fake_server_stop(server);
}

static void test_version_of_the_daemon(void **state)
{
	const struct fake_answer script[] = {
		{ .method = "Info",
		    .text = "{\"parameters\":{\"version\":\"9.8.7\",\"mode\":\"system\",\"pid\":12,"
			    "\"listen\":[{\"address\":\"::\",\"port\":5900}]}}" },
	};
	struct fake_server *server = fake_server_start(script, 1);
	struct run plain = RUN(server, "version");
	struct run json = RUN(server, "version", "--json");
	struct run alone = RUN(NULL, "version", "--json", "--control", "/nowhere");
	json_t *parsed = parse(&json);
	json_t *without = parse(&alone);

	(void)state;
	assert_non_null(strstr(plain.out, "daemon 9.8.7, system mode, pid 12"));
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(parsed, "daemon"), "version")),
	    "9.8.7");
	assert_true(json_is_null(json_object_get(without, "daemon")));
	assert_int_equal(alone.status, CLIENT_DONE);
	json_decref(parsed);
	json_decref(without);
	run_free(&plain);
	run_free(&json);
	run_free(&alone);
	fake_server_stop(server);
}

static void test_no_daemon(void **state)
{
	struct run result = RUN(NULL, "--control", "/nowhere/control.sock", "list");

	(void)state;
	assert_int_equal(result.status, CLIENT_FAILED);
	assert_non_null(strstr(result.err, "/nowhere/control.sock"));
	assert_non_null(strstr(result.err, "systemctl start tanmatsu"));
	assert_non_null(strstr(result.err, "tanmatsu-hostd"));
	run_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_log_without_line_end_and_without_descriptor),
		cmocka_unit_test(test_cert),
		cmocka_unit_test(test_version_of_the_daemon),
		cmocka_unit_test(test_no_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
