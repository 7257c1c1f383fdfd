/* Command lines: what each command accepts, what is refused and how, and that help tells the same as the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/arguments.h"
#include "client/client.h"
#include "run.h"

static void test_no_command_is_usage(void **state)
{
	struct run result = RUN(NULL, NULL);

	(void)state;
	assert_int_equal(result.status, CLIENT_USAGE);
	assert_string_equal(result.out, "");
	assert_non_null(strstr(result.err, "Usage: tanmatsu"));
	run_free(&result);
}

static void test_help_names_every_command(void **state)
{
	struct run result = RUN(NULL, "--help");

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	for (const struct command *command = command_table; command->name; command++) {
		assert_non_null(strstr(result.out, command->name));
		assert_non_null(strstr(result.out, command->summary));
	}
	run_free(&result);
}

static void check_width(const char *name, const char *text)
{
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (length > 80) {
			fail_msg("%s --help: %.*s", name, (int)length, line);
		}
		line += length + (line[length] != 0);
	}
}

static void test_help_fits_80_columns(void **state)
{
	struct run all = RUN(NULL, "help");

	(void)state;
	check_width("tanmatsu", all.out);
	run_free(&all);
	for (const struct command *command = command_table; command->name; command++) {
		struct run result = RUN(NULL, command->name, "--help");

		assert_int_equal(result.status, CLIENT_DONE);
		check_width(command->name, result.out);
		for (const struct command_option *option = command->options; option && option->name;
		     option++) {
			assert_non_null(strstr(result.out, option->name));
			assert_non_null(strstr(result.out, option->help));
		}
		run_free(&result);
	}
}

static void test_every_command_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	for (const struct command *command = command_table; command->name; command++) {
		struct run unknown = RUN(NULL, command->name, "--no-such-option");
		struct run many = RUN(NULL, command->name, "1", "2", "3", "4");

		assert_int_equal(unknown.status, CLIENT_USAGE);
		assert_non_null(strstr(unknown.err, "--no-such-option"));
		assert_int_equal(many.status, CLIENT_USAGE);
		assert_string_equal(many.out, "");
		run_free(&unknown);
		run_free(&many);
	}
}

static void test_table_is_sound(void **state)
{
	(void)state;
	for (const struct command *command = command_table; command->name; command++) {
		assert_ptr_equal(command_find(command->name), command);
		assert_true(command->positional_min <= command->positional_max);
		for (const struct command_option *a = command->options; a && a->name; a++) {
			for (const struct command_option *b = a + 1; b->name; b++) {
				assert_string_not_equal(a->name, b->name);
				assert_true(a->letter == 0 || a->letter != b->letter);
			}
			for (const struct command_option *b = command_common_options; b->name;
			     b++) {
				assert_string_not_equal(a->name, b->name);
				assert_true(a->letter == 0 || a->letter != b->letter);
			}
		}
	}
	assert_null(command_find("frobnicate"));
}

static void test_messages(void **state)
{
	static const struct {
		const char *arguments[6];
		const char *told;
	} cases[] = {
		{ { "frobnicate" }, "there is no command \"frobnicate\"" },
		{ { "stop", "--timeout" }, "--timeout wants an argument" },
		{ { "stop", "-t" }, "-t wants an argument" },
		{ { "stop", "-t", "x" }, "whole number from 0 to 86400, not \"x\"" },
		{ { "stop", "-t", "-1" }, "not \"-1\"" },
		{ { "stop", "-t", "86401" }, "not \"86401\"" },
		{ { "stop", "-t", "99999999999999999999" }, "whole number" },
		{ { "stop", "--timeout", "" }, "not \"\"" },
		{ { "list", "--json=yes" }, "--json=yes takes no argument" },
		{ { "list", "-x" }, "there is no option -x here" },
		{ { "attach", "--json" }, "attach prints nothing that could be JSON" },
		{ { "--json", "connect", "host" }, "connect prints nothing that could be JSON" },
		{ { "connect" }, "usage: tanmatsu connect [USER@]HOST" },
		{ { "connect", "--", "-oProxyCommand=x" }, "a host is NAME or USER@NAME" },
		{ { "connect", "host", "--remote-socket", "relative" }, "a whole path" },
		{ { "connect", "host", "-p", "0" }, "--port wants" },
		{ { "connect", "host", "-p", "65536" }, "--port wants" },
		{ { "screenshot" }, "usage: tanmatsu screenshot [SESSION] FILE.png" },
		{ { "type" }, "usage: tanmatsu type [SESSION] TEXT" },
		{ { "type", "a", "b", "--stdin" }, "usage: tanmatsu type" },
		{ { "logs", "--kind", "secrets" }, "--kind is events or console" },
		{ { "logs", "-n", "0" }, "--lines wants" },
		{ { "status", "" }, "is no session's name" },
		{ { "status", "0123456789012345678901234567890123456789012345678901234567890123" },
		    "is no session's name" },
		{ { "help", "frobnicate" }, "there is no command" },
		{ { "frob\033[31mnicate" }, "frob\\x1b[31mnicate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run result = run(NULL, (struct run_look){ 0 }, cases[i].arguments);

		if (result.status != CLIENT_USAGE || !strstr(result.err, cases[i].told)) {
			fail_msg("%s %s: %d, %s", cases[i].arguments[0],
			    cases[i].arguments[1] ? cases[i].arguments[1] : "", result.status,
			    result.err);
		}
		assert_string_equal(result.out, "");
		run_free(&result);
	}
}

static void test_too_many_options(void **state)
{
	const char *arguments[ARGUMENTS_MAX] = { "connect", "host" };
	struct run result;

	(void)state;
	for (size_t i = 2; i + 1 < ARGUMENTS_MAX - 8; i++) {
		arguments[i] = "--ssh-option=-v";
	}
	arguments[10] = "-p";
	arguments[11] = "none"; /* so that nothing is started */
	result = run(NULL, (struct run_look){ 0 }, arguments);
	assert_int_equal(result.status, CLIENT_USAGE);
	assert_non_null(strstr(result.err, "--port wants"));
	run_free(&result);
}

static void test_help_json(void **state)
{
	struct run result = RUN(NULL, "help", "--json");
	json_t *json = json_loads(result.out, 0, NULL);
	const json_t *commands = json_object_get(json, "commands");
	size_t index = 0;

	(void)state;
	assert_int_equal(result.status, CLIENT_DONE);
	for (const struct command *command = command_table; command->name; command++) {
		const json_t *entry = json_array_get(commands, index++);
		size_t options = 0;

		assert_string_equal(
		    json_string_value(json_object_get(entry, "name")), command->name);
		for (const struct command_option *option = command->options; option && option->name;
		     option++) {
			options++;
		}
		assert_int_equal(json_array_size(json_object_get(entry, "options")), options);
	}
	assert_int_equal(json_array_size(commands), index);
	json_decref(json);
	run_free(&result);
}

static void test_version(void **state)
{
	struct run plain = RUN(NULL, "--version");
	struct run later = RUN(NULL, "list", "-V");
	struct run json = RUN(NULL, "--json", "--version");

	(void)state;
	assert_int_equal(plain.status, CLIENT_DONE);
	assert_memory_equal(plain.out, "tanmatsu ", 9);
	assert_string_equal(plain.out, later.out);
	assert_non_null(strstr(json.out, "\"version\": \""));
	run_free(&plain);
	run_free(&later);
	run_free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_command_is_usage),
		cmocka_unit_test(test_help_names_every_command),
		cmocka_unit_test(test_help_fits_80_columns),
		cmocka_unit_test(test_every_command_refuses_what_it_does_not_know),
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_too_many_options),
		cmocka_unit_test(test_help_json),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
