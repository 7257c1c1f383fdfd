/*
 * The configuration's files: one over the other, odd ones, the folders of a user's own daemon; and the manual page
 * against the table of options.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostd/config.h"
#include "scratch.h"

static void done(struct config *config, struct config_report *report)
{
	config_destroy(config);
	config_report_fini(report);
}

static void test_files(void **state)
{
	struct config_report report = { 0 };
	struct config *config = NULL;
	const char *folder = scratch_make();

	(void)state;
	(void)folder;
	assert_int_equal(
	    config_load(scratch_path("t.conf"), CONFIG_MODE_SYSTEM, &config, &report), -ENOENT);
	assert_non_null(strstr(report.text, "t.conf: no such file"));
	config_report_fini(&report);

	scratch_write(scratch_path("t.conf"), "[host]\nlayout = us\n[desktop]\nvcpus = 1\n");
	assert_int_equal(mkdir(scratch_path("t.conf.d"), 0700), 0);
	scratch_write(
	    scratch_path("t.conf.d/20-b.conf"), "[host]\nlayout = fr\n[user bob]\nvcpus = 5\n");
	scratch_write(scratch_path("t.conf.d/10-a.conf"),
	    "[host]\nlayout = de\n[desktop]\nmemory = 99\n[user bob]\nvcpus = 4\n");
	scratch_write(scratch_path("t.conf.d/30-c.conf~"), "rubbish\n");
	scratch_write(scratch_path("t.conf.d/.hidden.conf"), "rubbish\n");
	assert_int_equal(
	    config_load(scratch_path("t.conf"), CONFIG_MODE_SYSTEM, &config, &report), 0);
	assert_string_equal(config->host.layout, "fr");
	assert_int_equal(config->desktop.policy.values.vcpus, 1);
	assert_int_equal(config->desktop.policy.values.memory_mib, 99);
	assert_int_equal(config->user_count, 1);
	assert_int_equal(config->users[0].desktop.policy.values.vcpus, 5);
	done(config, &report);

	/* Mistakes of several files are told together, by their names; nothing is used. */
	scratch_write(scratch_path("t.conf.d/10-a.conf"), "[host]\nlayot = de\n");
	scratch_write(scratch_path("t.conf.d/20-b.conf"), "\n\n[hst]\n");
	assert_int_equal(
	    config_load(scratch_path("t.conf"), CONFIG_MODE_SYSTEM, &config, &report), -EINVAL);
	assert_int_equal(report.errors, 2);
	assert_non_null(strstr(report.text, "t.conf.d/10-a.conf:2: "));
	assert_non_null(strstr(report.text, "t.conf.d/20-b.conf:3: "));
	config_report_fini(&report);
	scratch_remove();
}

static void test_odd_files(void **state)
{
	struct config_report report = { 0 };
	struct config *config = NULL;
	FILE *file;

	(void)state;
	scratch_make();
	assert_int_equal(mkdir(scratch_path("folder"), 0700), 0);
	assert_int_equal(
	    config_load(scratch_path("folder"), CONFIG_MODE_SYSTEM, &config, &report), -EINVAL);
	assert_non_null(strstr(report.text, "folder: not a file"));
	config_report_fini(&report);

	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	assert_int_equal(
	    config_load(scratch_path("pipe"), CONFIG_MODE_SYSTEM, &config, &report), -EINVAL);
	config_report_fini(&report);

	file = fopen(scratch_path("nul"), "we");
	fwrite("[host]\0\nlayout = us\n", 1, 20, file);
	fclose(file);
	assert_int_equal(
	    config_load(scratch_path("nul"), CONFIG_MODE_SYSTEM, &config, &report), -EINVAL);
	assert_non_null(strstr(report.text, "NUL"));
	config_report_fini(&report);

	assert_int_equal(truncate(scratch_path("nul"), CONFIG_FILE_MAX + 1), 0);
	assert_int_equal(
	    config_load(scratch_path("nul"), CONFIG_MODE_SYSTEM, &config, &report), -EFBIG);
	config_report_fini(&report);

	scratch_write(scratch_path("t.conf"), "");
	assert_int_equal(mkdir(scratch_path("t.conf.d"), 0700), 0);
	assert_int_equal(symlink("/nowhere/x", scratch_path("t.conf.d/a.conf")), 0);
	assert_int_equal(
	    config_load(scratch_path("t.conf"), CONFIG_MODE_SYSTEM, &config, &report), -ENOENT);
	assert_non_null(strstr(report.text, "a link to nowhere"));
	config_report_fini(&report);
	scratch_remove();
}

static void test_user_mode(void **state)
{
	struct config *config;

	(void)state;
	setenv("HOME", "/home/u", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/5", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(config_create(CONFIG_MODE_USER, &config), 0);
	assert_string_equal(config->path, "/home/u/.config/tanmatsu/tanmatsu.conf");
	assert_string_equal(config->host.state, "/home/u/.local/state/tanmatsu");
	assert_string_equal(config->host.runtime, "/run/user/5/tanmatsu");
	config_destroy(config);
	unsetenv("XDG_RUNTIME_DIR");
	setenv("XDG_STATE_HOME", "/st", 1);
	assert_int_equal(config_create(CONFIG_MODE_USER, &config), 0);
	assert_string_equal(config->host.state, "/st/tanmatsu");
	assert_string_equal(config->host.runtime, "/st/tanmatsu/run");
	config_destroy(config);
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_int_equal(config_create(CONFIG_MODE_USER, &config), -ENXIO);
}

/* tanmatsu.conf(5) has a paragraph "*key* = ..." for each option, in the table's order, with its allowed values. */
static void test_manual(void **state)
{
	char *manual = scratch_read(CONFIG_MANUAL), *at = manual;
	struct config_option option;

	(void)state;
	for (size_t i = 0; config_option_at(i, &option); i++) {
		char heading[128];
		char *found;

		snprintf(heading, sizeof(heading), "\n*%s* =", option.key);
		found = strstr(at, heading);
		if (!found) {
			fail_msg("tanmatsu.conf.5.scd does not describe %s, or not in its place",
			    option.key);
		}
		at = found + 1;
	}
	/* And nothing that is not there. */
	for (at = manual; (at = strstr(at, "\n*")); at++) {
		char key[64] = "";

		if (sscanf(at, "\n*%63[a-z_]* =", key) == 1 &&
		    strstr(at, "* =") == at + 2 + strlen(key)) {
			bool known = false;

			for (size_t i = 0; config_option_at(i, &option); i++) {
				known |= strcmp(option.key, key) == 0;
			}
			if (!known) {
				fail_msg(
				    "tanmatsu.conf.5.scd describes %s, which does not exist", key);
			}
		}
	}
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_user_mode),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
