/* Log lines on standard error and in the journal's protocol; the rate limiter on a given clock. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/log.h"

/* Standard error as a pipe, for the time of one test. */
struct capture {
	int saved;
	int ends[2];
};

static void capture_begin(struct capture *capture)
{
	assert_int_equal(pipe2(capture->ends, O_CLOEXEC | O_NONBLOCK), 0);
	capture->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	assert_true(capture->saved >= 0);
	assert_int_equal(dup2(capture->ends[1], STDERR_FILENO), STDERR_FILENO);
	fd_close(&capture->ends[1]);
}

/* Ends it and gives back what was written. */
static void capture_end(struct capture *capture, char *text, size_t size)
{
	ssize_t count;

	assert_int_equal(dup2(capture->saved, STDERR_FILENO), STDERR_FILENO);
	fd_close(&capture->saved);
	count = read(capture->ends[0], text, size - 1);
	text[count > 0 ? count : 0] = '\0';
	fd_close(&capture->ends[0]);
}

static void test_line(void **state)
{
	struct capture capture;
	char text[512];
	char expected[512];

	(void)state;
	capture_begin(&capture);
	errno = ENOENT;
	log_warning("resume: generation %d: %m", 7);
	assert_int_equal(errno, ENOENT);
	log_set_session("alice");
	log_error("one");
	log_set_session(NULL);
	log_debug("below the level");
	capture_end(&capture, text, sizeof(text));
	snprintf(expected, sizeof(expected),
	    "test[%d]: warning: resume: generation 7: No such file or directory\n"
	    "test[%d]: error: session=alice one\n",
	    (int)getpid(), (int)getpid());
	assert_string_equal(text, expected);
}

static void test_nothing_from_outside_starts_a_line(void **state)
{
	struct capture capture;
	char text[512];

	(void)state;
	capture_begin(&capture);
	log_set_session("eve\nsession=root");
	log_info("title: %s", "a\nb\033[2J\177\302\233m caf\303\251");
	log_set_session(NULL);
	capture_end(&capture, text, sizeof(text));
	assert_non_null(strstr(text, "session=eve?session=root title: a?b?[2J???m caf\303\251\n"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void test_long_line_is_cut(void **state)
{
	struct capture capture;
	char *text = malloc(8192);
	char *filler = malloc(5000);

	(void)state;
	assert_non_null(text);
	assert_non_null(filler);
	memset(filler, 'f', 4999);
	filler[4999] = '\0';
	capture_begin(&capture);
	log_notice("%s", filler);
	capture_end(&capture, text, 8192);
	assert_in_range(strlen(text), 2000, 2200);
	assert_string_equal(text + strlen(text) - 5, "f...\n");
	free(filler);
	free(text);
}

static void test_levels(void **state)
{
	struct capture capture;
	char text[512];

	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	assert_true(log_level_enabled(LOG_LEVEL_ERROR));
	assert_false(log_level_enabled(LOG_LEVEL_WARNING));
	capture_begin(&capture);
	log_warning("not this");
	capture_end(&capture, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(setenv("TANMATSU_LOG", "debug", 1), 0);
	log_init("test");
	assert_true(log_level_enabled(LOG_LEVEL_DEBUG));
	assert_int_equal(setenv("TANMATSU_LOG", "info", 1), 0);
	log_init("test");
	assert_false(log_level_enabled(LOG_LEVEL_DEBUG));
}

static void test_limiter(void **state)
{
	struct log_limiter limiter = { .burst = 3, .interval_ms = 100 };
	uint32_t suppressed = 99;
	uint64_t now = 1000;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(log_limiter_permits_at(&limiter, now, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	for (int i = 0; i < 5; i++) {
		assert_false(log_limiter_permits_at(&limiter, now + 99, &suppressed));
	}
	assert_true(log_limiter_permits_at(&limiter, now + 100, &suppressed));
	assert_int_equal(suppressed, 5);
	assert_false(log_limiter_permits_at(&limiter, now + 150, &suppressed));
	/* Half an interval that has passed counts for the next line. */
	assert_true(log_limiter_permits_at(&limiter, now + 200, &suppressed));
	assert_int_equal(suppressed, 1);
	/* After a long silence the whole burst is there again, and not more. */
	now += 1000000;
	for (int i = 0; i < 3; i++) {
		assert_true(log_limiter_permits_at(&limiter, now, &suppressed));
	}
	assert_false(log_limiter_permits_at(&limiter, now, &suppressed));
	/* A clock that stands, or goes back, lets nothing through. */
	assert_false(log_limiter_permits_at(&limiter, now - 500, &suppressed));
	/* An interval of zero limits nothing. */
	limiter = (struct log_limiter){ .burst = 1 };
	for (int i = 0; i < 10; i++) {
		assert_true(log_limiter_permits_at(&limiter, now, &suppressed));
	}
}

static void test_limiter_says_how_many(void **state)
{
	struct log_limiter limiter = { .burst = 1, .interval_ms = 1 };
	struct capture capture;
	char text[512];

	(void)state;
	limiter.suppressed = 41; /* held back since a refill that is long ago */
	limiter.used = 1;
	capture_begin(&capture);
	assert_true(log_limiter_permits(&limiter));
	capture_end(&capture, text, sizeof(text));
	assert_non_null(strstr(text, "41 further messages of this kind were held back"));
}

static void check(bool condition)
{
	if (!condition) {
		_exit(1);
	}
}

/*
 * A child with a journal of its own, in a mount namespace, and an empty root after log_init(), as a
 * sandboxed process has it: lines still arrive, and with the journal gone they go to the stream.
 */
static void run_with_journal(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
		.sun_path = "/run/systemd/journal/socket" };
	struct capture capture;
	struct stat stream;
	char text[512];
	int journal;
	ssize_t count;

	check(mount("none", "/run", "tmpfs", 0, NULL) == 0);
	check(mkdir("/run/systemd", 0755) == 0 && mkdir("/run/systemd/journal", 0755) == 0);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	check(bind(journal, (const struct sockaddr *)&address, sizeof(address)) == 0);
	check(fstat(STDERR_FILENO, &stream) == 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)stream.st_dev,
	    (unsigned long long)stream.st_ino);
	check(setenv("JOURNAL_STREAM", text, 1) == 0);
	log_init("test");
	check(chroot("/run/systemd") == 0 && chdir("/") == 0);

	log_set_session("alice");
	log_warning("one\ntwo");
	count = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
	check(count > 0);
	text[count] = '\0';
	check(strcmp(text, "PRIORITY=4\nSYSLOG_IDENTIFIER=test\nTANMATSU_SESSION=alice\n"
			   "MESSAGE=one?two\n") == 0);

	fd_close(&journal);
	capture_begin(&capture);
	log_warning("three");
	capture_end(&capture, text, sizeof(text));
	check(strstr(text, "warning: session=alice three\n") != NULL);
}

static void test_journal(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
			_exit(77);
		}
		run_with_journal();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		skip(); /* it needs root, and a root directory that is a mount */
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_nothing_from_outside_starts_a_line),
		cmocka_unit_test(test_long_line_is_cut),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_limiter),
		cmocka_unit_test(test_limiter_says_how_many),
	};

	unsetenv("TANMATSU_LOG");
	log_init("test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
