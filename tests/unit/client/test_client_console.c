/* `tanmatsu console`: in pipes and on a terminal of the test's own, against a guest's end of the socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "client/client.h"
#include "fake_server.h"
#include "run.h"

enum {
	WAIT_MS = 10000,
};

static const struct fake_answer script[] = {
	{ .method = "Console", .text = "{\"parameters\":{}}" },
};

/* The guest, and what it is to do: a greeting, then read until `awaited`, then type Ctrl-] or hang up. */
struct guest {
	struct fake_server *server;
	const char *awaited;
	int keyboard;          /* -1: it hangs up */
	struct termios during; /* of the terminal, once awaited */
	char heard[256];
	bool ends_early; /* the command does, before all of it */
	bool failed;
};

static int take_console(struct fake_server *server)
{
	int console;

	while ((console = fake_server_take_fd(server)) < 0) {
		usleep(1000);
	}
	return console;
}

static bool read_until(int fd, const char *text, char *got, size_t size)
{
	size_t used = 0;

	got[0] = '\0';
	while (!strstr(got, text)) {
		struct pollfd waits = { .fd = fd, .events = POLLIN };
		ssize_t count;

		if (used + 1 == size || poll(&waits, 1, WAIT_MS) != 1) {
			return false;
		}
		count = read(fd, got + used, size - 1 - used);
		if (count <= 0) {
			return false;
		}
		used += (size_t)count;
		got[used] = '\0';
	}
	return true;
}

static void *be_guest(void *context)
{
	struct guest *guest = context;
	int console = take_console(guest->server);

	guest->failed = write(console, "\x1b[1mlogin: ", 11) != 11 ||
			!read_until(console, guest->awaited, guest->heard, sizeof(guest->heard));
	if (guest->keyboard >= 0) {
		char rest[16];

		(void)tcgetattr(guest->keyboard, &guest->during);
		guest->failed = guest->failed || write(guest->keyboard, "\x03y\x1dz", 4) != 4 ||
				!read_until(console, "\x03y", rest, sizeof(rest)) ||
				read(console, rest, 1) != 0;
	}
	guest->failed = guest->failed && !guest->ends_early;
	close(console);
	return NULL;
}

/* Runs the command with `input` as its standard input. */
static struct run console_with(struct guest *guest, int input)
{
	int before = dup(STDIN_FILENO);
	struct run result;
	pthread_t thread;

	guest->server = fake_server_start(script, 1);
	assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(pthread_create(&thread, NULL, be_guest, guest), 0);
	result = RUN(guest->server, "console", "alice");
	pthread_join(thread, NULL);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
	assert_false(guest->failed);
	assert_non_null(strstr(fake_server_call(guest->server, 0), "\"session\":\"alice\""));
	fake_server_stop(guest->server);
	return result;
}

/* Every byte goes through as it is; the end of the input is not the end of the console. */
static void test_pipes(void **state)
{
	struct guest guest = { .awaited = "root\r\x1d!", .keyboard = -1 };
	struct run result;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "root\r\x1d!", 7), 7);
	close(ends[1]);
	result = console_with(&guest, ends[0]);
	close(ends[0]);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_string_equal(result.out, "\x1b[1mlogin: ");
	assert_string_equal(result.err, "");
	run_free(&result);
}

static void open_terminal(int *keyboard, int *terminal)
{
	*keyboard = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*keyboard >= 0);
	assert_int_equal(grantpt(*keyboard), 0);
	assert_int_equal(unlockpt(*keyboard), 0);
	*terminal = open(ptsname(*keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*terminal >= 0);
}

static void assert_same_terminal(const struct termios *a, const struct termios *b)
{
	assert_int_equal(a->c_iflag, b->c_iflag);
	assert_int_equal(a->c_oflag, b->c_oflag);
	assert_int_equal(a->c_lflag, b->c_lflag);
	assert_int_equal(a->c_cflag, b->c_cflag);
}

/* Ctrl-C goes to the guest, Ctrl-] ends it, what comes behind it goes nowhere, and the terminal is as before. */
static void test_terminal(void **state)
{
	struct guest guest = { .awaited = "r" };
	struct termios before, after;
	struct run result;
	int terminal;

	(void)state;
	open_terminal(&guest.keyboard, &terminal);
	assert_int_equal(tcgetattr(terminal, &before), 0);
	assert_true(before.c_lflag & ICANON);
	assert_int_equal(write(guest.keyboard, "r\n", 2), 2);
	result = console_with(&guest, terminal);
	assert_int_equal(tcgetattr(terminal, &after), 0);
	assert_same_terminal(&before, &after);
	assert_false(guest.during.c_lflag & (ICANON | ISIG | ECHO));
	assert_int_equal(result.status, CLIENT_DONE);
	assert_non_null(strstr(result.err, "Ctrl-] ends this"));
	run_free(&result);
	close(terminal);
	close(guest.keyboard);
}

static void test_desktop_ends(void **state)
{
	struct guest guest = { .awaited = "r", .keyboard = -1 };
	struct termios before, after;
	struct run result;
	int keyboard, terminal;

	(void)state;
	open_terminal(&keyboard, &terminal);
	assert_int_equal(tcgetattr(terminal, &before), 0);
	assert_int_equal(write(keyboard, "r\n", 2), 2);
	result = console_with(&guest, terminal);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_int_equal(tcgetattr(terminal, &after), 0);
	assert_same_terminal(&before, &after);
	run_free(&result);
	close(terminal);
	close(keyboard);
}

/* The terminal is put back when it ends by a signal, too. */
static void test_signal(void **state)
{
	struct guest guest = { .awaited = "nobody types", .keyboard = -1, .ends_early = true };
	struct termios before, after;
	struct run result;
	sigset_t signals;
	int keyboard, terminal, number;

	(void)state;
	open_terminal(&keyboard, &terminal);
	assert_int_equal(tcgetattr(terminal, &before), 0);
	/* It waits, blocked, for the command to look at it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0);
	result = console_with(&guest, terminal);
	assert_int_equal(sigwait(&signals, &number), 0);
	assert_int_equal(result.status, CLIENT_DONE);
	assert_int_equal(tcgetattr(terminal, &after), 0);
	assert_same_terminal(&before, &after);
	assert_non_null(strstr(result.err, "No longer at the serial port"));
	run_free(&result);
	close(terminal);
	close(keyboard);
}

static void test_errors(void **state)
{
	const struct fake_answer stopped[] = { { .method = "Console",
	    .text =
		"{\"error\":\"org.tanmatsu.NotRunning\",\"parameters\":{\"message\":\"no\"}}" } };
	const struct fake_answer denied[] = { { .method = "Console",
	    .text = "{\"error\":\"org.tanmatsu.Denied\"}" } };
	struct fake_server *server = fake_server_start(stopped, 1);
	struct run result = RUN(server, "console", "alice");

	(void)state;
	assert_int_equal(result.status, CLIENT_NOT_RUNNING);
	run_free(&result);
	fake_server_stop(server);
	server = fake_server_start(denied, 1);
	result = RUN(server, "console", "alice");
	assert_int_equal(result.status, CLIENT_DENIED);
	run_free(&result);
	result = RUN(server, "console", "alice", "--json");
	assert_int_equal(result.status, CLIENT_USAGE);
	run_free(&result);
	fake_server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_desktop_ends),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
