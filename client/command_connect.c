/*
 * `tanmatsu connect`: one's desktop on another host. ssh forwards a socket in a private folder to the host's RFB socket,
 * where the identity that sshd established is the login; the local viewer opens the socket. What ends one ends all.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/private_folder.h"
#include "client/viewer.h"

enum {
	SSH_ARGUMENTS_MAX = 160,
	GREETING_SIZE = 12,       /* "RFB 003.008\n" */
	GREETING_WAIT_MS = 15000, /* from the forward to the host's greeting */
	BETWEEN_BIND_AND_LISTEN_MS = 20,
	LOST_WAIT_MS = 200,
	FORWARD_SIZE = 5000,
};

static const char default_remote_socket[] = "/run/tanmatsu/rfb.sock";

struct connection {
	struct client *client;
	const char *host;
	const char *remote_socket;
	struct private_folder folder;
	int signals;
	pid_t ssh_pid, viewer_pid;
	int ssh, viewer; /* pidfds, -1 when not running */
};

/* What wait_event() saw. */
enum event {
	EVENT_SIGNAL,
	EVENT_SSH_ENDED,
	EVENT_VIEWER_ENDED,
	EVENT_READY, /* the descriptor given is readable */
	EVENT_TIMEOUT,
};

static enum event wait_event(const struct connection *connection, int fd, int timeout_ms)
{
	struct pollfd waits[] = {
		{ .fd = connection->signals, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = connection->viewer, .events = POLLIN },
		{ .fd = connection->ssh, .events = POLLIN },
	};
	int ready;

	do {
		ready = poll(waits, 4, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	return waits[0].revents   ? EVENT_SIGNAL
	       : waits[1].revents ? EVENT_READY
	       : waits[2].revents ? EVENT_VIEWER_ENDED
	       : waits[3].revents ? EVENT_SSH_ENDED
				  : EVENT_TIMEOUT;
}

static int start_ssh(struct connection *connection, const struct arguments *arguments)
{
	const char *program = arguments_get(arguments, "ssh");
	const char *argv[SSH_ARGUMENTS_MAX] = {
		program ? program : "ssh",
		"-N",
		"-T",
		/* A master connection of the user's would take the forward and outlive us. */
		"-o",
		"ControlMaster=no",
		"-o",
		"ControlPath=none",
		"-o",
		"ExitOnForwardFailure=yes",
		"-o",
		"StreamLocalBindMask=0177",
	};
	char forward[FORWARD_SIZE];
	size_t count = 0;
	int error;

	while (argv[count]) {
		count++;
	}
	if (snprintf(forward, sizeof(forward), "%s:%s", connection->folder.socket,
		connection->remote_socket) >= (int)sizeof(forward)) {
		client_error(connection->client, NULL, "the path of the remote socket is too long");
		return CLIENT_USAGE;
	}
	argv[count++] = "-L";
	argv[count++] = forward;
	for (size_t i = 0; i < arguments->given_count; i++) {
		const char *name = arguments->given[i].option->name;

		if (strcmp(name, "port") == 0 || strcmp(name, "identity") == 0) {
			argv[count++] = name[0] == 'p' ? "-p" : "-i";
		} else if (strcmp(name, "ssh-option") != 0) {
			continue;
		}
		argv[count++] = arguments->given[i].value;
	}
	argv[count++] = "--";
	argv[count++] = connection->host;
	argv[count] = NULL;
	error = viewer_spawn(argv, -1, &connection->ssh_pid, &connection->ssh);
	if (error) {
		client_error(connection->client,
		    error == -ENOENT ? "Install it: apt install openssh-client" : NULL,
		    "starting %s: %s", argv[0], strerror(-error));
		return CLIENT_FAILED;
	}
	return CLIENT_DONE;
}

static int report_ssh_end(struct connection *connection)
{
	int status = viewer_end(connection->ssh_pid, &connection->ssh);
	char hint[512];

	snprintf(hint, sizeof(hint), "Does this work? ssh %s true", connection->host);
	if (WIFEXITED(status)) {
		client_error(connection->client, hint, "ssh to %s failed (exit status %d)",
		    connection->host, WEXITSTATUS(status));
	} else {
		client_error(connection->client, hint, "ssh to %s was ended by signal %d",
		    connection->host, WTERMSIG(status));
	}
	return CLIENT_FAILED;
}

/* Waits until ssh has made the socket, however long the user takes to answer its questions. */
static int wait_forward(struct connection *connection)
{
	char events[4096];
	int status = CLIENT_DONE;
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (watch < 0 ||
	    inotify_add_watch(watch, connection->folder.folder, IN_CREATE | IN_MOVED_TO) < 0) {
		client_error(connection->client, NULL, "inotify: %s", strerror(errno));
		fd_close(&watch);
		return CLIENT_FAILED;
	}
	while (status == CLIENT_DONE && access(connection->folder.socket, F_OK) < 0) {
		switch (wait_event(connection, watch, -1)) {
		case EVENT_READY:
			if (read(watch, events, sizeof(events)) < 0 && errno != EAGAIN) {
				status = CLIENT_FAILED;
			}
			break;
		case EVENT_SSH_ENDED:
			status = report_ssh_end(connection);
			break;
		default:
			status = CLIENT_FAILED;
			break;
		}
	}
	fd_close(&watch);
	return status;
}

/* Connects to the forward, which is bound a moment before it listens. */
static int connect_forward(const struct connection *connection)
{
	uint64_t end_us = clock_monotonic_us() + GREETING_WAIT_MS * 1000ull;
	int fd;

	for (;;) {
		fd = private_folder_connect(&connection->folder);
		if (fd != -ECONNREFUSED || clock_monotonic_us() > end_us ||
		    wait_event(connection, -1, BETWEEN_BIND_AND_LISTEN_MS) != EVENT_TIMEOUT) {
			return fd;
		}
	}
}

/* Looks whether an RFB server greets us on the other side: ssh tells of its absence only once it is tried. */
static int check_server(struct connection *connection)
{
	char hint[256];
	char greeting[GREETING_SIZE];
	size_t used = 0;
	int status = CLIENT_FAILED;
	int fd = connect_forward(connection);

	while (fd >= 0 && used < sizeof(greeting)) {
		enum event event = wait_event(connection, fd, GREETING_WAIT_MS);
		ssize_t got;

		if (event == EVENT_SSH_ENDED) {
			fd_close(&fd);
			return report_ssh_end(connection);
		}
		if (event == EVENT_SIGNAL) {
			goto done;
		}
		got = event == EVENT_READY ? recv(fd, greeting + used, sizeof(greeting) - used, 0)
					   : 0;
		if (got <= 0) {
			break;
		}
		used += (size_t)got;
	}
	if (used == sizeof(greeting) && memcmp(greeting, "RFB ", 4) == 0) {
		status = CLIENT_DONE;
		goto done;
	}
	snprintf(hint, sizeof(hint),
	    "Is it installed and started there? ssh %s systemctl status tanmatsu\n"
	    "  Another socket: --remote-socket PATH",
	    connection->host);
	client_error(connection->client, hint,
	    "no Tanmatsu answers at %s on %s, or you may not use it", connection->remote_socket,
	    connection->host);
done:
	fd_close(&fd);
	return status;
}

static int run_viewer(struct connection *connection, char *command)
{
	const char *arguments[VIEWER_ARGUMENTS_MAX];
	int error = viewer_split(command, connection->folder.socket, arguments);
	enum event event;
	int status;

	if (!error) {
		error = viewer_spawn(arguments, -1, &connection->viewer_pid, &connection->viewer);
	}
	if (error) {
		client_error(connection->client, viewer_missing_hint, "starting %s: %s", command,
		    strerror(-error));
		return CLIENT_FAILED;
	}
	event = wait_event(connection, -1, -1);
	if (event == EVENT_VIEWER_ENDED) {
		status = viewer_end(connection->viewer_pid, &connection->viewer);
		/* A viewer whose connection breaks ends as one that is closed; but then ssh has ended, or is about to. */
		event = wait_event(connection, -1, LOST_WAIT_MS);
		if (event != EVENT_SSH_ENDED) {
			return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLIENT_DONE
									     : CLIENT_FAILED;
		}
	}
	if (event == EVENT_SSH_ENDED) {
		client_error(connection->client, "Connect again: your desktop is as you left it.",
		    "the connection to %s was lost", connection->host);
		viewer_end(connection->ssh_pid, &connection->ssh);
	}
	return CLIENT_FAILED;
}

static int connect_host(
    struct connection *connection, const struct arguments *arguments, char *command)
{
	int status = CLIENT_FAILED;

	connection->signals = private_folder_signals();
	if (connection->signals < 0) {
		client_error(
		    connection->client, NULL, "signalfd: %s", strerror(-connection->signals));
		return CLIENT_FAILED;
	}
	status = start_ssh(connection, arguments);
	if (status == CLIENT_DONE) {
		status = wait_forward(connection);
	}
	if (status == CLIENT_DONE) {
		status = check_server(connection);
	}
	if (status == CLIENT_DONE) {
		status = run_viewer(connection, command);
	}
	if (connection->viewer >= 0) {
		viewer_end(connection->viewer_pid, &connection->viewer);
	}
	if (connection->ssh >= 0) {
		viewer_end(connection->ssh_pid, &connection->ssh);
	}
	fd_close(&connection->signals);
	return status;
}

int command_connect(struct client *client, const struct arguments *arguments)
{
	struct connection connection = { .client = client, .signals = -1, .ssh = -1, .viewer = -1 };
	const char *remote = arguments_get(arguments, "remote-socket");
	char command[VIEWER_COMMAND_MAX];
	unsigned long port = 22;
	int status, error;

	connection.host = arguments_positional(arguments, 0);
	connection.remote_socket = remote ? remote : default_remote_socket;
	if (arguments_get_number(client, arguments, "port", 1, 65535, &port)) {
		return CLIENT_USAGE;
	}
	if (!connection.host[0] || connection.host[0] == '-' ||
	    connection.remote_socket[0] != '/') {
		client_error(
		    client, NULL, "a host is NAME or USER@NAME, a remote socket is a whole path");
		return CLIENT_USAGE;
	}
	if (viewer_find(arguments_get(arguments, "viewer"), command, sizeof(command))) {
		client_error(client, viewer_missing_hint, "there is no VNC viewer on this machine");
		return CLIENT_FAILED;
	}
	error = private_folder_create(&connection.folder, "rfb.sock");
	if (error) {
		client_error(client, NULL, "making a folder for the socket: %s", strerror(-error));
		return CLIENT_FAILED;
	}
	status = connect_host(&connection, arguments, command);
	private_folder_remove(&connection.folder);
	return status;
}
