/*
 * The configuration: good files, each kind of mistake with its message, several mistakes at once, the
 * printout read back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "display/control.h"
#include "hostd/config.h"

/* Parses one text over the defaults; the caller destroys both. */
static struct config *parse(const char *text, struct config_report *report)
{
	struct config *config;

	*report = (struct config_report){ 0 };
	assert_int_equal(config_create(CONFIG_MODE_SYSTEM, &config), 0);
	config_parse(config, "t.conf", text, report);
	config_finish(config, report);
	return config;
}

static void done(struct config *config, struct config_report *report)
{
	config_destroy(config);
	config_report_fini(report);
}

static struct config *parse_good(const char *text, struct config_report *report)
{
	struct config *config = parse(text, report);

	if (report->errors) {
		fail_msg("%s", report->text);
	}
	return config;
}

static void test_defaults(void **state)
{
	struct config_report report;
	struct config *config = parse_good("", &report);
	struct config_resolved resolved;

	(void)state;
	assert_int_equal(config->host.listen_count, 1);
	assert_string_equal(config->host.listen[0].address, "*");
	assert_int_equal(config->host.listen[0].port, 5900);
	assert_int_equal(config->host.security_count, 1);
	assert_int_equal(config->host.security[0], DISPLAY_SECURITY_X509_PLAIN);
	assert_int_equal(config->host.login_grace_s, 30);
	assert_int_equal(config->host.startup_full, 100);
	assert_non_null(strstr(config->host.unix_socket, "/tanmatsu/rfb.sock"));
	assert_non_null(strstr(config->host.control, "/tanmatsu/control.sock"));
	assert_string_equal(config->host.pam_service, "tanmatsu");
	config_resolve(config, "alice", NULL, &resolved);
	assert_int_equal(resolved.policy.on_disconnect, POLICY_DISCONNECT_SUSPEND);
	assert_int_equal(resolved.policy.disconnect_grace_us, 10000000);
	assert_string_equal(resolved.grant.owner, "alice");
	assert_string_equal(resolved.kernel, "");
	assert_int_equal(report.size, 0);
	done(config, &report);
}

static const char whole[] = "# a comment\n"
			    "; another\n"
			    "[host]\n"
			    "listen = 127.0.0.1:5901, [::1]:5902 *:5903\n"
			    "unix = none\n"
			    "control=/run/t/c.sock\r\n"
			    "  state = /srv/t  \n"
			    "runtime = /run/t\n"
			    "security_types = X509Plain, tlsplain\n"
			    "tls_priority = NORMAL:-VERS-TLS1.2\n"
			    "names = desk.example.org 192.0.2.7 2001:db8::7\n"
			    "login_grace = 2min\n"
			    "startup_limit = 5:50:20\n"
			    "max_sessions = 3\n"
			    "max_viewers = 4\n"
			    "layout = jp\n"
			    "desktop_name = %u; on %h # not a comment\n"
			    "pam_service = tanmatsu-test\n"
			    "pam_confdir = /srv/pam\n"
			    "admin_group = wheel\n"
			    "uid_base = 100000\n"
			    "[desktop]\n"
			    "memory = 2G\n"
			    "vcpus = 4\n"
			    "size = 1920x1080\n"
			    "kernel = /boot/vmlinuz\n"
			    "initrd = /boot/initrd\n"
			    "command_line = console=ttyS0 root=/dev/vda ; quiet\n"
			    "on_disconnect = keep\n"
			    "disconnect_grace = 90s\n"
			    "busy_cpu = 25\n"
			    "honour_hold = no\n"
			    "stop_timeout = 2h\n"
			    "keep_snapshots = 3\n"
			    "[user bob]\n"
			    "memory = 64\n"
			    "helpers = carol, dave:steer, erin:view\n"
			    "[user alice]\n"
			    "on_disconnect = pause\n"
			    "kernel = /srv/bzImage\n"
			    "[user mallory]\n"
			    "kernel = none\n";

static void test_whole_file(void **state)
{
	struct config_report report;
	struct config *config = parse_good(whole, &report);
	const struct config_host *host = &config->host;
	struct config_resolved resolved;

	(void)state;
	assert_int_equal(host->listen_count, 3);
	assert_string_equal(host->listen[1].address, "::1");
	assert_int_equal(host->listen[1].port, 5902);
	assert_string_equal(host->listen[2].address, "*");
	assert_string_equal(host->unix_socket, "");
	assert_string_equal(host->control, "/run/t/c.sock");
	assert_string_equal(host->state, "/srv/t");
	assert_int_equal(host->security[1], DISPLAY_SECURITY_TLS_PLAIN);
	assert_int_equal(host->name_count, 3);
	assert_string_equal(host->names[2], "2001:db8::7");
	assert_int_equal(host->login_grace_s, 120);
	assert_int_equal(host->startup_begin, 5);
	assert_int_equal(host->startup_rate, 50);
	assert_int_equal(host->startup_full, 20);
	assert_string_equal(host->desktop_name, "%u; on %h # not a comment");
	assert_string_equal(host->admin_group, "wheel");
	assert_int_equal(host->uid_base, 100000);
	assert_int_equal(config->user_count, 3);
	assert_string_equal(config->users[0].name, "alice");

	config_resolve(config, "bob", NULL, &resolved);
	assert_int_equal(resolved.policy.memory_mib, 64);
	assert_int_equal(resolved.policy.vcpus, 4);
	assert_int_equal(resolved.policy.width, 1920);
	assert_int_equal(resolved.policy.on_disconnect, POLICY_DISCONNECT_KEEP);
	assert_int_equal(resolved.policy.disconnect_grace_us, 90000000);
	assert_int_equal(resolved.policy.stop_timeout_us, UINT64_C(7200000000));
	assert_false(resolved.policy.honour_hold);
	assert_int_equal(resolved.policy.busy_permille, 250);
	assert_int_equal(resolved.policy.keep_generations, 3);
	assert_string_equal(resolved.command_line, "console=ttyS0 root=/dev/vda ; quiet");
	assert_string_equal(resolved.initrd, "/boot/initrd");
	assert_int_equal(resolved.grant.helper_count, 3);
	assert_string_equal(resolved.grant.helpers[1].user, "dave");
	assert_int_equal(resolved.grant.helpers[1].help, GRANT_HELP_STEER);
	assert_int_equal(resolved.grant.helpers[0].help, GRANT_HELP_VIEW);

	/* A kernel of one's own does not come with the host's initrd and command line. */
	config_resolve(config, "alice", NULL, &resolved);
	assert_string_equal(resolved.kernel, "/srv/bzImage");
	assert_string_equal(resolved.initrd, "");
	assert_string_equal(resolved.command_line, "");
	assert_int_equal(resolved.policy.on_disconnect, POLICY_DISCONNECT_PAUSE);
	assert_int_equal(resolved.grant.helper_count, 0);
	config_resolve(config, "mallory", NULL, &resolved);
	assert_string_equal(resolved.kernel, "");
	done(config, &report);
}

static void test_image_between_host_and_user(void **state)
{
	struct config_report report;
	struct config *config = parse_good(
	    "[desktop]\nmemory = 100\nvcpus = 1\n[user bob]\nvcpus = 3\n", &report);
	struct policy_layer image = { .set = POLICY_SET_MEMORY | POLICY_SET_VCPUS,
		.values = { .memory_mib = 200, .vcpus = 2 } };
	struct config_resolved resolved;

	(void)state;
	config_resolve(config, "bob", &image, &resolved);
	assert_int_equal(resolved.policy.memory_mib, 200);
	assert_int_equal(resolved.policy.vcpus, 3);
	done(config, &report);
}

/* One mistake each: where it is, and what the message must say. */
static const struct {
	const char *text;
	const char *says[3];
} bad[] = {
	{ "[host]\nlsten = *:5900\n",
	    { "t.conf:2: ", "unknown key \"lsten\"", "listen, unix, control" } },
	{ "[host]\nmemory = 64\n", { "t.conf:2: ", "unknown key \"memory\"", "listen" } },
	{ "[desktop]\nlisten = *:1\n", { "t.conf:2: ", "unknown key", "memory, vcpus" } },
	{ "[desktop]\nhelpers = bob\n", { "t.conf:2: ", "unknown key \"helpers\"" } },
	{ "[hosts]\n",
	    { "t.conf:1: ", "unknown section [hosts]", "[host], [desktop], [user NAME]" } },
	{ "[user]\n", { "t.conf:1: ", "unknown section" } },
	{ "[user ../etc]\n", { "t.conf:1: ", "not a user's name" } },
	{ "[user -x]\n", { "t.conf:1: ", "not a user's name" } },
	{ "[user aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n",
	    { "t.conf:1: ", "not a user's name", "1 to 63" } },
	{ "[host\n", { "t.conf:1: ", "ends with its ]" } },
	{ "[host] listen = *:1\n", { "t.conf:1: ", "ends with its ]" } },
	{ "listen = *:5900\n", { "t.conf:1: ", "before the first section" } },
	{ "[host]\nlisten\n", { "t.conf:2: ", "not understood", "key = value" } },
	{ "[host]\n\n= 5\n", { "t.conf:3: ", "unknown key \"\"" } },
	{ "[host]\nlayout = us\nlayout = de\n", { "t.conf:3: ", "layout: set already on line 2" } },
	{ "[user a]\nvcpus = 1\n[user b]\nvcpus = 1\n[user a]\nvcpus = 2\n",
	    { "t.conf:6: ", "vcpus: set already on line 2" } },
	{ "[host]\nlisten = 5900x\n", { "t.conf:2: ", "port", "ADDRESS:PORT" } },
	{ "[host]\nlisten = *:0\n", { "t.conf:2: ", "port is not 1 to 65535" } },
	{ "[host]\nlisten = *:65536\n", { "t.conf:2: ", "port is not 1 to 65535" } },
	{ "[host]\nlisten = localhost:5900\n", { "t.conf:2: ", "not a numeric address" } },
	{ "[host]\nlisten = ::1:5900\n", { "t.conf:2: ", "brackets" } },
	{ "[host]\nlisten = *:1 *:1\n", { "t.conf:2: ", "named twice" } },
	{ "[host]\nlisten =\n", { "t.conf:2: ", "allowed: ADDRESS:PORT" } },
	{ "[host]\nlisten = ,\n", { "t.conf:2: ", "allowed: ADDRESS:PORT" } },
	{ "[host]\nunix = run/x\n", { "t.conf:2: ", "not an absolute path" } },
	{ "[host]\ncontrol = none\n", { "t.conf:2: ", "not an absolute path" } },
	{ "[host]\nsecurity_types = vnc\n", { "t.conf:2: ", "x509plain, tlsplain, plain" } },
	{ "[host]\nsecurity_types = plain plain\n", { "t.conf:2: ", "named twice" } },
	{ "[host]\nsecurity_types =\n", { "t.conf:2: ", "x509plain" } },
	{ "[host]\ntls_priority = NORMAL:+NOSUCH\n",
	    { "t.conf:2: ", "GnuTLS does not understand \"+NOSUCH\"" } },
	{ "[host]\ntls_priority =\n", { "t.conf:2: ", "GnuTLS" } },
	{ "[host]\nnames = a_b\n", { "t.conf:2: ", "not a host name" } },
	{ "[host]\nlogin_grace = 0\n", { "t.conf:2: ", "out of range", "1 to 600" } },
	{ "[host]\nlogin_grace = 11min\n", { "t.conf:2: ", "660 is out of range" } },
	{ "[host]\nlogin_grace = 1d\n", { "t.conf:2: ", "unit" } },
	{ "[host]\nlogin_grace = -1\n", { "t.conf:2: ", "not a number" } },
	{ "[host]\nlogin_grace = 99999999999999999999\n", { "t.conf:2: ", "not a number" } },
	{ "[host]\nstartup_limit = 10:30\n", { "t.conf:2: ", "BEGIN:RATE:FULL" } },
	{ "[host]\nstartup_limit = 10:30:5\n", { "t.conf:2: ", "out of range" } },
	{ "[host]\nlayout = u s\n", { "t.conf:2: ", "not a plain word" } },
	{ "[host]\nlayout = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	    { "t.conf:2: ", "longer than 31" } },
	{ "[host]\npam_service = ../x\n", { "t.conf:2: ", "not a plain word" } },
	{ "[host]\nuid_base = 1000\n", { "t.conf:2: ", "65536 to" } },
	{ "[host]\ndesktop_name = a\tb\x1b[31m\n", { "t.conf:2: ", "control characters" } },
	{ "[desktop]\nmemory = 0\n", { "t.conf:2: ", "out of range", "16 to" } },
	{ "[desktop]\nmemory = 99999999G\n", { "t.conf:2: ", "out of range" } },
	{ "[desktop]\nmemory = 18446744073709551615G\n", { "t.conf:2: ", "allowed: 16" } },
	{ "[desktop]\nmemory = 2T\n", { "t.conf:2: ", "neither M nor G" } },
	{ "[desktop]\nvcpus = 17\n", { "t.conf:2: ", "1 to 16" } },
	{ "[desktop]\nvcpus = two\n", { "t.conf:2: ", "vcpus = two", "not a number" } },
	{ "[desktop]\nsize = 100x100\n", { "t.conf:2: ", "100 is out of range" } },
	{ "[desktop]\nsize = 1920\n", { "t.conf:2: ", "WIDTHxHEIGHT" } },
	{ "[desktop]\non_disconnect = sleep\n",
	    { "t.conf:2: ", "suspend, pause, keep, shutdown" } },
	{ "[desktop]\nkernel = vmlinuz\n", { "t.conf:2: ", "not an absolute path" } },
	{ "[user bob]\nhelpers = carol:admin\n", { "t.conf:2: ", ":steer" } },
	{ "[user bob]\nhelpers = carol carol:steer\n", { "t.conf:2: ", "named twice" } },
	{ "[user bob]\nhelpers = ../carol\n", { "t.conf:2: ", "helpers" } },
	{ "[host]\ncertificate = /c.pem\n", { "certificate is set, but not key", "set both" } },
	{ "[host]\nkey = /k.pem\n", { "key is set, but not certificate" } },
	{ "[host]\nca = /k.pem\n", { "ca is set, but not certificate" } },
	{ "[desktop]\ninitrd = /i\n", { "[desktop]: initrd is set, but no kernel" } },
	{ "[user bob]\ninitrd = /i\n", { "[user bob]: initrd is set, but no kernel" } },
	{ "[host]\nlisten = none\nunix = none\n", { "no viewer could connect" } },
	{ "[host]\nunix = /x\ncontrol = /x\n", { "the same path" } },
	{ "[host]\nruntime = "
	  "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaa"
	  "aaaaaaa\nunix = /x\n",
	    { "too long for the sockets in it", "set control" } },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_report report;
		struct config *config = parse(bad[i].text, &report);

		if (report.errors != 1) {
			fail_msg("%s\n%zu errors:\n%s", bad[i].text, report.errors,
			    report.text ? report.text : "");
		}
		for (size_t word = 0; word < 3 && bad[i].says[word]; word++) {
			if (!strstr(report.text, bad[i].says[word])) {
				fail_msg(
				    "\"%s\" does not say \"%s\"", report.text, bad[i].says[word]);
			}
		}
		/* One line, and nothing in it that a terminal would obey. */
		assert_ptr_equal(strchr(report.text, '\n'), report.text + report.size - 1);
		assert_null(strchr(report.text, '\x1b'));
		done(config, &report);
	}
}

static void test_all_mistakes_at_once(void **state)
{
	struct config_report report;
	struct config *config = parse(
	    "nothing = 1\n[host]\nx = 1\nlisten\n[what]\ny = 1\nz = 2\n[desktop]\nmemory = 0\n",
	    &report);

	(void)state;
	/* What stands in an unknown section is not reported line by line: the section is. */
	assert_int_equal(report.errors, 5);
	assert_non_null(strstr(report.text, "t.conf:1: "));
	assert_non_null(strstr(report.text, "t.conf:3: "));
	assert_non_null(strstr(report.text, "t.conf:4: "));
	assert_non_null(strstr(report.text, "t.conf:5: "));
	assert_non_null(strstr(report.text, "t.conf:9: "));
	done(config, &report);
}

static void test_long_lines(void **state)
{
	struct config_report report;
	struct config *config;
	char *text = calloc(1, 100000);

	(void)state;
	assert_non_null(text);
	/* The longest that fits whole, far above what the library takes by itself. */
	strcpy(text, "[desktop]\nkernel = /k\ncommand_line = ");
	memset(text + strlen(text), 'a', 1023);
	config = parse_good(text, &report);
	assert_int_equal(strlen(config->desktop.command_line), 1023);
	done(config, &report);

	strcat(text, "a\n");
	config = parse(text, &report);
	assert_int_equal(report.errors, 1);
	assert_non_null(strstr(report.text, "longer than 1023"));
	done(config, &report);

	strcpy(text, "[desktop]\nkernel = /k\ncommand_line = ");
	memset(text + strlen(text), 'a', 90000);
	strcat(text, "\nvcpus = 3\n");
	config = parse(text, &report);
	assert_int_equal(report.errors, 1);
	assert_non_null(strstr(report.text, "t.conf:3: longer than 2047"));
	assert_int_equal(config->desktop.policy.values.vcpus, 3);
	done(config, &report);
	free(text);
}

static void test_no_continuation_lines(void **state)
{
	struct config_report report;
	struct config *config = parse_good("[host]\n  layout = de\n  desktop_name = x\n", &report);

	(void)state;
	assert_string_equal(config->host.layout, "de");
	assert_string_equal(config->host.desktop_name, "x");
	done(config, &report);
}

static void test_warnings(void **state)
{
	struct config_report report;
	struct config *config = parse(
	    "[host]\nsecurity_types = plain\nlisten = *:5900, 127.0.0.1:1\n", &report);

	(void)state;
	assert_int_equal(report.errors, 0);
	assert_int_equal(report.warnings, 1);
	assert_non_null(strstr(report.text, "passwords"));
	done(config, &report);
	config = parse("[host]\nsecurity_types = plain\nlisten = 127.0.0.1:1 [::1]:1\n", &report);
	assert_int_equal(report.warnings, 0);
	done(config, &report);
}

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What is printed says the same as what was read. */
static void test_printout(void **state)
{
	static const char *const texts[] = { "", whole };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config_report report, report_again;
		struct config *config = parse_good(texts[i], &report), *again;
		char *text = print(config), *text_again;

		again = parse_good(text, &report_again);
		text_again = print(again);
		assert_string_equal(text, text_again);
		assert_memory_equal(&config->host, &again->host, sizeof(config->host));
		for (size_t user = 0; user < config->user_count; user++) {
			struct config_resolved before, after;

			config_resolve(config, config->users[user].name, NULL, &before);
			config_resolve(again, config->users[user].name, NULL, &after);
			assert_memory_equal(&before.policy, &after.policy, sizeof(before.policy));
			assert_string_equal(before.kernel, after.kernel);
			assert_string_equal(before.command_line, after.command_line);
			assert_memory_equal(&before.grant, &after.grant, sizeof(before.grant));
		}
		free(text);
		free(text_again);
		done(config, &report);
		done(again, &report_again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_whole_file),
		cmocka_unit_test(test_image_between_host_and_user),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_all_mistakes_at_once),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_no_continuation_lines),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_printout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
