/*
 * `tanmatsu console`: the serial port of a desktop on this terminal, or in a pipe. The daemon passes one end of a socket
 * to the desktop's virtual machine, and from then on the two speak directly.
 *
 * What must stay true: the terminal is as it was before on every way out; and this is the one command whose output is
 * not cleaned for a terminal (client.h): a serial console is a terminal's program, as ssh's is.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"

enum {
	CONSOLE_ESCAPE = 0x1d, /* Ctrl-] */
	CONSOLE_CHUNK = 4096,
};

struct console {
	struct client *client;
	int socket, signals;
	bool raw; /* standard input is a terminal, and `before` what it was */
	struct termios before;
	bool input_ended;
	/* Typed, and not yet taken by the desktop. */
	uint8_t typed[CONSOLE_CHUNK];
	size_t typed_used;
};

enum console_step {
	STEP_ON,
	STEP_END,    /* as it was asked to */
	STEP_BROKEN, /* errno has it */
};

static int make_raw(struct console *console)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO)) {
		return 0;
	}
	if (tcgetattr(STDIN_FILENO, &console->before) < 0) {
		return -errno;
	}
	raw = console->before;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0) {
		return -errno;
	}
	console->raw = true;
	return 0;
}

static void restore(struct console *console)
{
	if (console->raw) {
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &console->before);
		console->raw = false;
	}
}

static enum console_step from_desktop(struct console *console)
{
	char chunk[CONSOLE_CHUNK];
	ssize_t size = recv(console->socket, chunk, sizeof(chunk), 0);

	if (size < 0) {
		return errno == EINTR ? STEP_ON : errno == ECONNRESET ? STEP_END : STEP_BROKEN;
	}
	if (size == 0) {
		return STEP_END;
	}
	if (fwrite(chunk, 1, (size_t)size, console->client->out) != (size_t)size ||
	    fflush(console->client->out) != 0) {
		return errno == EPIPE ? STEP_END : STEP_BROKEN;
	}
	return STEP_ON;
}

/* Of a person too much is dropped rather than not read: Ctrl-] is always heard. A pipe waits until all of it is taken. */
static enum console_step from_user(struct console *console)
{
	uint8_t chunk[CONSOLE_CHUNK];
	size_t room = sizeof(console->typed) - console->typed_used;
	ssize_t size = read(STDIN_FILENO, chunk, sizeof(chunk));
	const uint8_t *escape = NULL;
	size_t taken;

	if (size < 0) {
		return errno == EINTR || errno == EAGAIN ? STEP_ON : STEP_BROKEN;
	}
	console->input_ended = size == 0;
	if (console->raw) {
		escape = memchr(chunk, CONSOLE_ESCAPE, (size_t)size);
	}
	taken = escape ? (size_t)(escape - chunk) : (size_t)size;
	taken = taken < room ? taken : room;
	memcpy(console->typed + console->typed_used, chunk, taken);
	console->typed_used += taken;
	return escape ? STEP_END : STEP_ON;
}

static enum console_step to_desktop(struct console *console)
{
	ssize_t sent = send(
	    console->socket, console->typed, console->typed_used, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0) {
		return errno == EAGAIN || errno == EINTR       ? STEP_ON
		       : errno == EPIPE || errno == ECONNRESET ? STEP_END
							       : STEP_BROKEN;
	}
	console->typed_used -= (size_t)sent;
	memmove(console->typed, console->typed + sent, console->typed_used);
	return STEP_ON;
}

/* Until one of the sides, or the person, ends it. */
static enum console_step converse(struct console *console)
{
	enum console_step step = STEP_ON;

	while (step == STEP_ON) {
		bool full = console->typed_used > 0;
		bool listen = !console->input_ended && (console->raw || !full);
		struct pollfd waits[] = {
			{ .fd = console->socket, .events = (short)(POLLIN | (full ? POLLOUT : 0)) },
			{ .fd = console->signals, .events = POLLIN },
			{ .fd = listen ? STDIN_FILENO : -1, .events = POLLIN },
		};

		if (poll(waits, 3, -1) < 0) {
			step = errno == EINTR ? STEP_ON : STEP_BROKEN;
			continue;
		}
		if (waits[1].revents) {
			return STEP_END;
		}
		if (waits[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			step = from_desktop(console);
		}
		if (step == STEP_ON && waits[2].revents) {
			step = from_user(console);
		}
		if (step != STEP_BROKEN && console->typed_used > 0) {
			enum console_step sent = to_desktop(console);

			step = step == STEP_ON ? sent : step;
		}
	}
	return step;
}

/* From the daemon's yes to the end. */
static int hold_console(struct console *console, const char *name)
{
	FILE *err = console->client->err;
	enum console_step step;
	int error = make_raw(console);

	if (error) {
		client_error(console->client, NULL, "the terminal: %s", strerror(-error));
		return CLIENT_FAILED;
	}
	if (console->raw) {
		fprintf(err, "The serial port of %s. Ctrl-] ends this.\r\n", name);
		fflush(err);
	}
	step = converse(console);
	error = errno;
	if (console->raw) {
		restore(console);
		fprintf(err, "\nNo longer at the serial port of %s.\n", name);
	}
	if (step == STEP_BROKEN) {
		client_error(console->client, NULL, "console %s: %s", name, strerror(error));
		return CLIENT_FAILED;
	}
	return CLIENT_DONE;
}

/* A signalfd for what ends the command from outside, blocked from now on: the terminal is put back first. Or -errno. */
static must_check int watch_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		return -errno;
	}
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int command_console(struct client *client, const struct arguments *arguments)
{
	char name[ANSWER_NAME_MAX], what[ANSWER_NAME_MAX + 16];
	struct console console = { .client = client, .socket = -1, .signals = -1 };
	struct control_reply reply;
	int ends[2];
	int status = client_pick_session(client, arguments_positional(arguments, 0), name);

	if (status != CLIENT_DONE) {
		return status;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		client_error(client, NULL, "making a socket: %s", strerror(errno));
		return CLIENT_FAILED;
	}
	console.socket = ends[0];
	snprintf(what, sizeof(what), "console %s", name);
	status = client_call_take(
	    client, what, "Console", client_session_parameter(name), ends[1], &reply);
	fd_close(&ends[1]);
	if (status == CLIENT_DONE) {
		control_reply_fini(&reply);
		console.signals = watch_signals();
		if (console.signals < 0) {
			client_error(client, NULL, "signals: %s", strerror(-console.signals));
			status = CLIENT_FAILED;
		} else {
			status = hold_console(&console, name);
		}
	}
	fd_close(&console.signals);
	fd_close(&console.socket);
	return status;
}
