/* The shell with its commands, the files it works on, the calculator, and the small string library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/screen.h"
#include "apps/shell.h"
#include "host/host_platform.h"
#include "lib/text.h"

struct fixture {
	struct host_platform host;
	struct desktop *desktop;
	struct shell shell;
	char output[16384];
	bool cleared;
	bool left;
};

static void on_print(void *context, const char *text)
{
	struct fixture *fixture = context;

	strncat(fixture->output, text, sizeof(fixture->output) - strlen(fixture->output) - 1);
}

static void on_clear(void *context)
{
	((struct fixture *)context)->cleared = true;
}

static void on_leave(void *context)
{
	((struct fixture *)context)->left = true;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_true(host_platform_init(&fixture->host, "demo.app=none", 16u << 20));
	assert_int_equal(desktop_create(&fixture->host.platform, &fixture->host.heap, 800, 600,
			     &fixture->desktop),
	    0);
	fixture->shell = (struct shell){ .desktop = fixture->desktop,
		.context = fixture,
		.print = on_print,
		.clear = on_clear,
		.leave = on_leave };
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	desktop_destroy(fixture->desktop);
	assert_int_equal(fixture->host.heap.used, 0);
	host_platform_fini(&fixture->host);
	free(fixture);
	return 0;
}

static const char *run(struct fixture *fixture, const char *line)
{
	fixture->output[0] = '\0';
	shell_run(&fixture->shell, line);
	return fixture->output;
}

static void test_files(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(run(f, "echo hello   \"big  world\""), "hello big  world\n");
	assert_string_equal(run(f, "echo one > a.txt"), "");
	assert_string_equal(run(f, "echo two >> a.txt"), "");
	assert_string_equal(run(f, "cat a.txt"), "one\ntwo\n");
	assert_string_equal(run(f, "cp a.txt b.txt"), "");
	assert_string_equal(run(f, "rm a.txt"), "");
	assert_string_equal(run(f, "cat a.txt b.txt"), "cat: a.txt: no such file\none\ntwo\n");
	assert_non_null(strstr(run(f, "ls"), "b.txt"));
	assert_null(strstr(run(f, "ls"), "a.txt"));
	assert_string_equal(run(f, "echo x > /bad/name"), "/bad/name: cannot be written\n");
}

static void test_every_command_survives(void **state)
{
	static const char *const arguments[] = { "", " x",
		" a b c d e f g h i j k l m n o p q r s t", " -1", " 99999999999999999999", " \"",
		" >", " > y" };
	struct fixture *f = *state;
	char line[SHELL_LINE_SIZE];

	for (int t = 0; t < 2; t++) {
		const struct shell_command *c = t ? shell_system_commands : shell_commands;

		for (; c->name; c++) {
			for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
				text_format(line, sizeof(line), "%s%s", c->name, arguments[i]);
				(void)run(f, line);
			}
		}
	}
	assert_true(f->cleared);
	assert_true(f->left);
	assert_int_equal(f->desktop->state, DESKTOP_REBOOTING);
}

static void test_machine_commands(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(run(f, "pattern write 2"), "pattern: written 2 MiB"));
	assert_string_equal(run(f, "pattern check"), "pattern: ok 2 MiB\n");
	((uint8_t *)f->host.info.spare_memory)[100] ^= 4;
	assert_non_null(strstr(run(f, "pattern check"), "pattern: BAD at 0x"));
	assert_non_null(strstr(run(f, "pattern write 100000"), "room"));
	(void)run(f, "serial to the host");
	assert_non_null(strstr(f->host.serial, "to the host\n"));
	assert_string_equal(run(f, "layout de"), "keyboard layout de\n");
	assert_string_equal(run(f, "whoami"), "Alice\n");
	assert_non_null(strstr(run(f, "date"), "2026"));
	assert_non_null(strstr(run(f, "nonsense"), "no such command"));
	assert_non_null(strstr(run(f, "history"), "serial to the host"));
	(void)run(f, "poweroff");
	desktop_render(f->desktop);
	assert_true(f->host.powered_off);
}

static void test_completion(void **state)
{
	struct fixture *f = *state;
	char line[SHELL_LINE_SIZE] = "upt";

	assert_true(shell_complete(&f->shell, line, sizeof(line)));
	assert_string_equal(line, "uptime ");
	strcpy(line, "cat wel");
	assert_true(shell_complete(&f->shell, line, sizeof(line)));
	assert_string_equal(line, "cat welcome.txt ");
	strcpy(line, "cat zzz");
	assert_false(shell_complete(&f->shell, line, sizeof(line)));
}

static void assert_calc(const char *expression, const char *expected, bool good)
{
	char result[64];

	assert_int_equal(calc_evaluate(expression, result, sizeof(result)), good);
	assert_string_equal(result, expected);
}

static void test_calculator(void **state)
{
	char deep[400];

	(void)state;
	assert_calc("2*(3+4)", "14", true);
	assert_calc("1/3", "0.333333", true);
	assert_calc("-2^2 + 10 % 4", "-2", true);
	assert_calc("2^10", "1024", true);
	assert_calc("0.1+0.2", "0.3", true);
	assert_calc("10 / 0", "division by zero", false);
	assert_calc("2 +", "a number is missing", false);
	assert_calc("(1", "a ) is missing", false);
	assert_calc("1 2", "that is not an expression", false);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_calc(deep, "too deep", false);
	memset(deep, '-', sizeof(deep) - 1);
	assert_calc(deep, "too deep", false);
}

static void test_file_system(void **state)
{
	struct fixture *f = *state;
	struct fs fs;
	char name[16];
	char *large = calloc(1, FS_MAX_BYTES + 1);

	fs_init(&fs, &f->host.heap);
	assert_int_equal(fs_write(&fs, "", "x", 1), -EINVAL);
	assert_int_equal(fs_write(&fs, "two words", "x", 1), -EINVAL);
	assert_int_equal(fs_write(&fs, "large", large, FS_MAX_BYTES + 1), -EFBIG);
	assert_int_equal(fs_write(&fs, "empty", NULL, 0), 0);
	assert_int_equal(fs_find(&fs, "empty")->size, 0);
	assert_int_equal(fs_write(&fs, "empty", "now not", 7), 0);
	assert_int_equal(fs_find(&fs, "empty")->size, 7);
	for (int i = 1; i < FS_MAX_FILES; i++) {
		text_format(name, sizeof(name), "f%d", i);
		assert_int_equal(fs_write(&fs, name, "x", 1), 0);
	}
	assert_int_equal(fs_write(&fs, "more", "x", 1), -ENOSPC);
	assert_true(fs_remove(&fs, "f1"));
	assert_false(fs_remove(&fs, "f1"));
	assert_int_equal(fs_write(&fs, "more", "x", 1), 0);
	for (int i = 0; i < FS_MAX_FILES; i++) {
		heap_free(&f->host.heap, fs.files[i].data);
	}
	free(large);
}

static void test_screen(void **state)
{
	struct screen *screen = malloc(sizeof(*screen));

	(void)state;
	screen_init(screen, 10);
	screen_write(screen, "0123456789ab\n\x1b[32mgreen\x1b[0m");
	assert_int_equal(screen->last, 2);
	assert_int_equal(screen_line(screen, 1)[1].code, 'b');
	assert_int_equal(screen_line(screen, 2)[0].color, 2);
	screen->changed_first = 0;
	screen->changed_last = -1;
	screen_move(screen, 2, 0);
	screen_write(screen, "\x1b[32mgreen");
	assert_true(screen->changed_last < screen->changed_first);
	for (int i = 0; i < 3 * SCREEN_LINES; i++) {
		screen_write(screen, "x\n");
	}
	assert_int_equal(screen->last - screen_first(screen), SCREEN_LINES - 1);
	screen_move(screen, 0, 0);
	assert_int_equal(screen->row, screen_first(screen));
	free(screen);
}

static void test_text(void **state)
{
	char buffer[16];
	char big[64];

	(void)state;
	assert_int_equal(text_format(big, sizeof(big), "%5d|%-4s|%04x|%lu|%%|%c|%.2s", -42, "ab",
			     0xbeu, 18446744073709551615ul, 'z', "xyz"),
	    43);
	assert_string_equal(big, "  -42|ab  |00be|18446744073709551615|%|z|xy");
	assert_int_equal(text_format(buffer, 4, "%s", "abcdef"), 3);
	assert_string_equal(buffer, "abc");
	assert_true(text_get_option("a=1 demo.app=paint b=2", "demo.app", buffer, sizeof(buffer)));
	assert_string_equal(buffer, "paint");
	assert_false(text_get_option("xdemo.app=paint", "demo.app", buffer, sizeof(buffer)));
	assert_int_equal(text_parse_int("-12x", 7), -12);
	assert_int_equal(text_parse_int("x", 7), 7);
	assert_int_equal(text_parse_int("99999999999999", 7), 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_command_survives, setup, teardown),
		cmocka_unit_test_setup_teardown(test_machine_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(test_completion, setup, teardown),
		cmocka_unit_test(test_calculator),
		cmocka_unit_test_setup_teardown(test_file_system, setup, teardown),
		cmocka_unit_test(test_screen),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
