/*
 * The broker's policy, seen from its monitor's side: logins and their answer times, the limit at the door, who may do what
 * on the control socket, and that nothing a peer sends ends it.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "broker_harness.h"
#include "hostd/throttle.h"
#include "session/machine.h"

static struct harness harness;

static int setup(void **state)
{
	(void)state;
	harness_start(&harness);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	harness_stop(&harness);
	return 0;
}

static uint64_t accept_viewer(int *socket, int host)
{
	*socket = harness_dial(&harness, host);
	harness_expect(&harness, REQUEST_VIEWER_OPEN);
	assert_int_equal(harness.message.fd_count, 1);
	harness_report(
	    &harness, REPORT_VIEWER_STARTED, &(struct report){ .viewer = harness.request.viewer });
	return harness.request.viewer;
}

/* Everything up to the verdict. */
static uint64_t attempt(int *socket, int host, uint64_t hash)
{
	uint64_t viewer = accept_viewer(socket, host);

	harness_report(&harness, REPORT_VIEWER_LOGIN, &(struct report){ .viewer = viewer });
	harness_expect(&harness, REQUEST_VIEWER_LOGIN);
	assert_int_equal(harness.request.viewer, viewer);
	harness_report(&harness, REPORT_VIEWER_ATTEMPT,
	    &(struct report){ .viewer = viewer, .number = { hash } });
	harness_expect(&harness, REQUEST_VIEWER_ATTEMPT);
	return viewer;
}

static void test_login_starts_the_desktop(void **state)
{
	struct report verdict = {
		.user = "alice",
		.text = "alice",
		.value = MACHINE_RIGHT_STEER | MACHINE_RIGHT_START | MACHINE_RIGHT_OWNER,
	};
	int socket;

	(void)state;
	verdict.viewer = attempt(&socket, 1, 1);
	harness_report(&harness, REPORT_VIEWER_VERDICT, &verdict);
	harness_expect(&harness, REQUEST_VMM_START);
	assert_string_equal(harness.request.user, "alice");
	harness_expect(&harness, REQUEST_VIEWER_SHOW);
	assert_int_equal(harness.request.value, MACHINE_CAPTION_STARTING);
	harness_report(
	    &harness, REPORT_VMM_STARTED, &(struct report){ .user = "alice", .number = { 77 } });
	harness_report(&harness, REPORT_VMM_READY, &(struct report){ .user = "alice" });
	harness_expect(&harness, REQUEST_VMM_RUN);
	harness_expect(&harness, REQUEST_VIEWER_ATTACH);
	assert_int_equal(harness.request.viewer, verdict.viewer);
	fd_close(&socket);
}

static void test_wrong_password_is_answered_late(void **state)
{
	struct report verdict = { .error = -EACCES };
	uint64_t begun = clock_monotonic_us();
	int socket;

	(void)state;
	verdict.viewer = attempt(&socket, 1, 5);
	harness_report(&harness, REPORT_VIEWER_VERDICT, &verdict);
	harness_expect(&harness, REQUEST_VIEWER_DENY);
	assert_int_equal(harness.request.viewer, verdict.viewer);
	assert_true(clock_monotonic_us() - begun >= THROTTLE_FLOOR_US);
	/* The next attempt of the same name from the same place begins at once, since the answer has been given. */
	(void)attempt(&socket, 1, 5);
	fd_close(&socket);
}

/* Guesses on alice's name from elsewhere do not hold alice up. */
static void test_nobody_else_waits(void **state)
{
	struct report verdict = { .error = -EACCES };
	uint64_t begun;
	int sockets[6];
	int socket;

	(void)state;
	for (int i = 0; i < 6; i++) {
		verdict.viewer = attempt(&sockets[i], 2 + i, 9);
		harness_report(&harness, REPORT_VIEWER_VERDICT, &verdict);
	}
	begun = clock_monotonic_us();
	(void)accept_viewer(&socket, 1);
	harness_report(
	    &harness, REPORT_VIEWER_LOGIN, &(struct report){ .viewer = harness.request.viewer });
	harness_expect(&harness, REQUEST_VIEWER_LOGIN);
	harness_report(&harness, REPORT_VIEWER_ATTEMPT,
	    &(struct report){ .viewer = harness.request.viewer, .number = { 9 } });
	do {
		assert_true(harness_next(&harness));
	} while (harness.message.type == REQUEST_VIEWER_DENY);
	assert_int_equal(harness.message.type, REQUEST_VIEWER_ATTEMPT);
	assert_true(clock_monotonic_us() - begun < 900 * 1000);
	for (int i = 0; i < 6; i++) {
		fd_close(&sockets[i]);
	}
	fd_close(&socket);
}

static void test_one_source_fills_only_its_own_places(void **state)
{
	int sockets[40];
	int socket;
	size_t dropped = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		sockets[i] = harness_dial(&harness, 3);
	}
	/* By chance some of them are dropped before, as sshd does; over the limit each new one drops the oldest. */
	for (int opened = 0; opened < 40;) {
		assert_true(harness_next(&harness));
		if (harness.message.type == REQUEST_VIEWER_CLOSE) {
			assert_string_equal(harness.request.text, "Too many connections.");
			dropped++;
		} else {
			assert_int_equal(harness.message.type, REQUEST_VIEWER_OPEN);
			opened++;
		}
	}
	assert_true(dropped >= 15);
	socket = harness_dial(&harness, 1);
	do {
		assert_true(harness_next(&harness));
	} while (harness.message.type == REQUEST_VIEWER_CLOSE);
	assert_int_equal(harness.message.type, REQUEST_VIEWER_OPEN);
	for (int i = 0; i < 40; i++) {
		fd_close(&sockets[i]);
	}
	fd_close(&socket);
}

static char *ask(int socket, const char *text)
{
	harness_send(socket, text);
	return harness_receive(socket);
}

static void expect_answer(int socket, const char *call, const char *part)
{
	char *answer = ask(socket, call);

	assert_non_null(answer);
	if (strstr(answer, part) == NULL) {
		fail_msg("%s: %s is not in: %s", call, part, answer);
	}
	free(answer);
}

static void test_who_may_do_what(void **state)
{
	int admin = harness_control(&harness, "root", true);
	int alice = harness_control(&harness, "alice", false);
	int mallory = harness_control(&harness, "mallory", false);

	(void)state;
	expect_answer(admin, "{\"method\":\"org.tanmatsu.List\"}", "\"session\":\"alice\"");
	expect_answer(alice, "{\"method\":\"org.tanmatsu.List\"}", "\"session\":\"alice\"");
	expect_answer(mallory, "{\"method\":\"org.tanmatsu.List\"}", "{\"sessions\":[]}");
	expect_answer(admin,
	    "{\"method\":\"org.tanmatsu.Status\",\"parameters\":{\"session\":\"bob\"}}",
	    "NotFound");
	/* There or not there: to somebody else it sounds the same. */
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Status\",\"parameters\":{\"session\":\"alice\"}}",
	    "Denied");
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Status\",\"parameters\":{\"session\":\"bob\"}}", "Denied");
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Kill\",\"parameters\":{\"session\":\"alice\"}}", "Denied");
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Picture\",\"parameters\":{\"session\":\"alice\"}}",
	    "Denied");
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"alice\"}}", "Denied");
	expect_answer(mallory,
	    "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"bob\"}}", "Denied");
	expect_answer(mallory, "{\"method\":\"org.tanmatsu.Doctor\"}", "Denied");
	expect_answer(mallory, "{\"method\":\"org.tanmatsu.Cert\"}", "BEGIN CERTIFICATE");
	expect_answer(alice,
	    "{\"method\":\"org.tanmatsu.Suspend\",\"parameters\":{\"session\":\"alice\"}}",
	    "NotRunning");
	expect_answer(alice,
	    "{\"method\":\"org.tanmatsu.Input\",\"parameters\":{\"session\":\"alice\"}}",
	    "NotRunning");
	assert_true(harness_quiet(&harness, 100));
	fd_close(&admin);
	fd_close(&alice);
	fd_close(&mallory);
}

/* A hold is its connection's: seen by others, refused to strangers, and gone with the connection. */
static void test_hold_lasts_as_long_as_its_connection(void **state)
{
	static const char hold[] = "{\"method\":\"org.tanmatsu.Hold\",\"parameters\":{\"session\":"
				   "\"alice\",\"reason\":\"backup\"}}";
	static const char list[] = "{\"method\":\"org.tanmatsu.List\"}";
	int admin = harness_control(&harness, "root", true);
	int alice = harness_control(&harness, "alice", false);
	int mallory = harness_control(&harness, "mallory", false);
	uint64_t end = clock_monotonic_us() + HARNESS_WAIT_MS * UINT64_C(1000);
	char *answer = NULL;

	(void)state;
	expect_answer(mallory, hold, "Denied");
	expect_answer(alice,
	    "{\"method\":\"org.tanmatsu.Hold\",\"parameters\":{\"session\":\"alice\"}}", "reason");
	expect_answer(alice,
	    "{\"method\":\"org.tanmatsu.Hold\",\"parameters\":{\"session\":\"alice\","
	    "\"reason\":\"a\\u001bb\"}}",
	    "InvalidParameter");
	expect_answer(admin, list, "\"holds\":[]");
	expect_answer(alice, hold, "\"reason\":\"backup\"");
	expect_answer(alice, hold, "Busy");
	expect_answer(admin, list, "\"user\":\"alice\",\"reason\":\"backup\"");
	fd_close(&alice);
	do {
		free(answer);
		harness_send(admin, list);
		answer = harness_receive(admin);
		assert_non_null(answer);
	} while (strstr(answer, "\"holds\":[]") == NULL && clock_monotonic_us() < end);
	assert_non_null(strstr(answer, "\"holds\":[]"));
	free(answer);
	fd_close(&admin);
	fd_close(&mallory);
}

static void test_start_waits_for_the_desktop(void **state)
{
	int alice = harness_control(&harness, "alice", false);
	char *answer;

	(void)state;
	harness_send(
	    alice, "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"alice\"}}");
	harness_expect(&harness, REQUEST_VMM_START);
	harness_report(&harness, REPORT_START_FAILED,
	    &(struct report){ .user = "alice", .text = "no /dev/kvm" });
	answer = harness_receive(alice);
	assert_non_null(answer);
	assert_non_null(strstr(answer, "org.tanmatsu.Failed"));
	assert_non_null(strstr(answer, "no /dev/kvm"));
	free(answer);
	harness_send(
	    alice, "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"alice\"}}");
	harness_expect(&harness, REQUEST_VMM_START);
	harness_report(
	    &harness, REPORT_VMM_STARTED, &(struct report){ .user = "alice", .number = { 4711 } });
	harness_report(&harness, REPORT_VMM_READY, &(struct report){ .user = "alice" });
	harness_expect(&harness, REQUEST_VMM_RUN);
	answer = harness_receive(alice);
	assert_non_null(strstr(answer, "\"pid\":4711"));
	assert_non_null(strstr(answer, "\"state\":\"detached\""));
	free(answer);
	fd_close(&alice);
}

static void test_two_calls_in_one_packet_are_answered_in_order(void **state)
{
	static const char calls[] =
	    "{\"method\":\"org.tanmatsu.Cert\"}\0{\"method\":\"org.tanmatsu.Nothing\"}";
	int alice = harness_control(&harness, "alice", false);
	char *answer;

	(void)state;
	assert_int_equal(send(alice, calls, sizeof(calls), 0), sizeof(calls));
	answer = harness_receive(alice);
	assert_non_null(strstr(answer, "BEGIN"));
	free(answer);
	answer = harness_receive(alice);
	assert_non_null(strstr(answer, "MethodNotFound"));
	free(answer);
	fd_close(&alice);
}

static void test_hostile_control_peers(void **state)
{
	static const char *const bad[] = {
		"",
		"nonsense",
		"{\"method\":7}",
		"{\"method\":\"org.tanmatsu.List\",\"parameters\":7}",
		"[[[[[[[[[[[[",
	};
	char *flood = malloc(1 << 20);
	int socket;

	(void)state;
	assert_non_null(flood);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		socket = harness_control(&harness, "mallory", false);
		harness_send(socket, bad[i]);
		free(harness_receive(socket));
		assert_null(harness_receive(socket)); /* and closed */
		fd_close(&socket);
	}
	/* A megabyte without a NUL, by a peer that does not stop: it is cut off. */
	socket = harness_control(&harness, "mallory", false);
	memset(flood, 'A', 1 << 20);
	while (send(socket, flood, 1 << 20, MSG_NOSIGNAL) > 0) {
	}
	fd_close(&socket);
	free(flood);
	socket = harness_control(&harness, "mallory", false);
	expect_answer(socket, "{\"method\":\"org.tanmatsu.List\"}", "sessions");
	fd_close(&socket);
	assert_true(harness_alive(&harness));
}

static void test_shutdown_suspends_what_runs(void **state)
{
	struct report report = { .user = "alice" };
	int admin = harness_control(&harness, "root", true);

	(void)state;
	harness_send(
	    admin, "{\"method\":\"org.tanmatsu.Start\",\"parameters\":{\"session\":\"alice\"}}");
	harness_expect(&harness, REQUEST_VMM_START);
	harness_report(&harness, REPORT_VMM_READY, &report);
	harness_expect(&harness, REQUEST_VMM_RUN);
	harness_report(&harness, REPORT_SHUTDOWN, &(struct report){ 0 });
	harness_expect(&harness, REQUEST_SUSPEND);
	report.generation = harness.request.generation;
	harness_report(&harness, REPORT_SUSPEND_DONE, &report);
	harness_expect(&harness, REQUEST_COMMIT);
	harness_report(&harness, REPORT_COMMIT_DONE, &report);
	harness_expect(&harness, REQUEST_VMM_QUIT);
	harness_report(&harness, REPORT_VMM_EXITED, &report);
	harness_expect(&harness, REQUEST_PRUNE);
	harness_expect(&harness, REQUEST_FINISHED);
	fd_close(&admin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_login_starts_the_desktop, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_wrong_password_is_answered_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_else_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_one_source_fills_only_its_own_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_may_do_what, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_hold_lasts_as_long_as_its_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_waits_for_the_desktop, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_two_calls_in_one_packet_are_answered_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_control_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shutdown_suspends_what_runs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
