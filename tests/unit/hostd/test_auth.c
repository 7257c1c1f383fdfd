/*
 * tanmatsu-auth as a process: a PAM folder and a user database of the test's own, right, wrong and hostile attempts. The test
 * is the display process and the monitor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "display/control.h"
#include "hostd/auth_protocol.h"

struct fixture {
	char folder[64];
	int display, monitor; /* our ends */
	pid_t pid;
	struct ipc_message message;
};

static struct fixture fixture;

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture.folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_users(void **state)
{
	char command[512];

	(void)state;
	strcpy(fixture.folder, "/tmp/tanmatsu-auth-XXXXXX");
	assert_non_null(mkdtemp(fixture.folder));
	write_file("password", "right horse\n");
	snprintf(command, sizeof(command), "%s %s/pam alice %s/password", THROWAWAY_USER,
	    fixture.folder, fixture.folder);
	return system(command) == 0 ? 0 : -1;
}

static int remove_users(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", fixture.folder);
	return system(command);
}

static void start(void)
{
	int display[2];
	int monitor[2];

	assert_int_equal(ipc_pair(display), 0);
	assert_int_equal(ipc_pair(monitor), 0);
	fixture.pid = fork();
	assert_true(fixture.pid >= 0);
	if (fixture.pid == 0) {
		int first = fcntl(display[1], F_DUPFD, 100);
		int second = fcntl(monitor[1], F_DUPFD, 100);

		if (dup2(first, AUTH_DISPLAY_FD) < 0 || dup2(second, AUTH_MONITOR_FD) < 0 ||
		    close_range(5, ~0u, 0) < 0) {
			_exit(99);
		}
		execl(AUTH_PROGRAM, AUTH_PROGRAM, NULL);
		_exit(98);
	}
	fixture.display = display[0];
	fixture.monitor = monitor[0];
	fd_close(&display[1]);
	fd_close(&monitor[1]);
}

static void set_up(const char *service)
{
	static const uint8_t key[AUTH_KEY_SIZE] = { 1, 2, 3 };
	char confdir[128];
	struct wire wire;

	start();
	snprintf(confdir, sizeof(confdir), "%s/pam", fixture.folder);
	wire_init_growing(&wire, 4096);
	wire_put_string(&wire, service);
	wire_put_string(&wire, confdir);
	wire_put_string(&wire, "192.0.2.7");
	wire_put_bytes(&wire, key, sizeof(key));
	assert_int_equal(ipc_send(fixture.monitor, AUTH_SETUP, &wire, NULL, 0), 0);
	wire_fini(&wire);
}

static void say(const char *name, const char *password)
{
	struct wire wire;

	wire_init_growing(&wire, 8192);
	wire_put_string(&wire, name);
	wire_put_string(&wire, password);
	assert_int_equal(ipc_send(fixture.display, AUTH_ATTEMPT, &wire, NULL, 0), 0);
	wire_fini(&wire);
	fd_close(&fixture.display); /* as the display process does */
}

/* The type of the next message from the helper, 0 at its end. */
static uint16_t next(void)
{
	struct pollfd wait = { .fd = fixture.monitor, .events = POLLIN };

	assert_int_equal(poll(&wait, 1, 20000), 1);
	return ipc_receive(fixture.monitor, &fixture.message) == 1 ? fixture.message.type : 0;
}

/* Exit code of the helper; it must not have been killed. */
static int end(void)
{
	int status = 0;

	fd_close(&fixture.display);
	fd_close(&fixture.monitor);
	assert_int_equal(waitpid(fixture.pid, &status, 0), fixture.pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* One whole attempt: the verdict, and the user in `user`. */
static bool verdict(const char *name, const char *password, uint64_t *hash, char user[64])
{
	bool ok;

	set_up("tanmatsu");
	say(name, password);
	assert_int_equal(next(), AUTH_EVENT_ATTEMPT);
	*hash = wire_get_u64(&fixture.message.body);
	assert_int_equal(ipc_send(fixture.monitor, AUTH_GO, NULL, NULL, 0), 0);
	assert_int_equal(next(), AUTH_EVENT_VERDICT);
	ok = wire_get_bool(&fixture.message.body);
	wire_get_string(&fixture.message.body, user, 64);
	assert_true(wire_done(&fixture.message.body));
	assert_int_equal(next(), 0);
	assert_int_equal(end(), 0);
	return ok;
}

static void test_right(void **state)
{
	char user[64];
	uint64_t hash;

	(void)state;
	assert_true(verdict("alice", "right horse", &hash, user));
	assert_string_equal(user, "alice");
}

static void test_wrong(void **state)
{
	static char longest[DISPLAY_NAME_MAX + 1];
	uint64_t alice;
	uint64_t mallory;
	uint64_t hash;
	char user[64];

	(void)state;
	memset(longest, 'x', DISPLAY_NAME_MAX);
	assert_false(verdict("alice", "wrong", &alice, user));
	assert_string_equal(user, "");
	assert_false(verdict("mallory", "right horse", &mallory, user));
	assert_true(alice != mallory);
	assert_false(verdict("alice", "", &hash, user));
	assert_int_equal(hash, alice); /* the same name, whatever the password */
	assert_false(verdict("", "", &hash, user));
	assert_false(verdict("alice", longest, &hash, user));
	assert_false(verdict(longest, longest, &hash, user));
	assert_false(verdict("../../etc/passwd", "right horse", &hash, user));
	assert_false(verdict("alice\nroot", "right horse", &hash, user));
}

static bool ask_service(const char *service)
{
	bool ok;

	set_up(service);
	say("alice", "right horse");
	assert_int_equal(next(), AUTH_EVENT_ATTEMPT);
	assert_int_equal(ipc_send(fixture.monitor, AUTH_GO, NULL, NULL, 0), 0);
	assert_int_equal(next(), AUTH_EVENT_VERDICT);
	ok = wire_get_bool(&fixture.message.body);
	assert_int_equal(end(), 0);
	return ok;
}

static void test_other_services(void **state)
{
	char text[512];

	(void)state;
	assert_false(ask_service("nosuchservice"));
	/* Two modules that each ask: one password cannot answer two questions, even if both would take it. */
	snprintf(text, sizeof(text),
	    "auth required pam_userdb.so db=%s/pam/users crypt=crypt\n"
	    "auth required pam_userdb.so db=%s/pam/users crypt=crypt\naccount required "
	    "pam_permit.so\n",
	    fixture.folder, fixture.folder);
	write_file("pam/twice", text);
	assert_false(ask_service("twice"));
	/* The password is right and the account is closed. */
	snprintf(text, sizeof(text),
	    "auth required pam_userdb.so db=%s/pam/users crypt=crypt\naccount required "
	    "pam_deny.so\n",
	    fixture.folder);
	write_file("pam/closed", text);
	assert_false(ask_service("closed"));
}

/* Whoever says something else, or nothing, gets no verdict. */
static void test_hostile_display(void **state)
{
	static const uint8_t junk[] = { 5, 0, 'a', 'l', 'i' };
	struct wire wire = {
		.data = (uint8_t *)(uintptr_t)junk, .size = sizeof(junk), .position = sizeof(junk)
	};

	(void)state;
	set_up("tanmatsu");
	assert_int_equal(ipc_send(fixture.display, AUTH_ATTEMPT, &wire, NULL, 0), 0);
	assert_int_equal(next(), 0);
	assert_int_equal(end(), 1);
	set_up("tanmatsu");
	assert_int_equal(ipc_send(fixture.display, 99, NULL, NULL, 0), 0);
	assert_int_equal(next(), 0);
	assert_int_equal(end(), 1);
	set_up("tanmatsu");
	fd_close(&fixture.display);
	assert_int_equal(next(), 0);
	assert_int_equal(end(), 1);
	/* The monitor goes away: nobody waits for the verdict. */
	set_up("tanmatsu");
	fd_close(&fixture.monitor);
	assert_int_equal(end(), 1);
}

/* Before AUTH_GO the password is not looked at. */
static void test_waits_for_go(void **state)
{
	struct pollfd wait = { .events = POLLIN };

	(void)state;
	set_up("tanmatsu");
	say("alice", "right horse");
	assert_int_equal(next(), AUTH_EVENT_ATTEMPT);
	wait.fd = fixture.monitor;
	assert_int_equal(poll(&wait, 1, 200), 0);
	assert_int_equal(end(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_other_services),
		cmocka_unit_test(test_hostile_display),
		cmocka_unit_test(test_waits_for_go),
	};

	return cmocka_run_group_tests(tests, make_users, remove_users);
}
