/*
 * `tanmatsu attach`: a viewer on a desktop of this host, without a login. The viewer connects to a socket in a private
 * folder; its connection is handed to the daemon, and from then on the two speak with each other directly.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "client/answer.h"
#include "client/arguments.h"
#include "client/client.h"
#include "client/command.h"
#include "client/control.h"
#include "client/private_folder.h"
#include "client/viewer.h"

struct attach {
	struct client *client;
	const char *session;
	struct private_folder folder;
	int listener, signals, viewer; /* descriptors; viewer is a pidfd, or -1 */
	pid_t viewer_pid;
};

/* Waits for one of the descriptors; -1 for the one that is not waited for. Says which: POLLIN in its revents. */
static int wait_for(struct pollfd *waits, nfds_t count)
{
	while (poll(waits, count, -1) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* Until a viewer is connected: its descriptor, or -1 with the exit status set. */
static int accept_viewer(struct attach *attach, int *status)
{
	struct pollfd waits[] = {
		{ .fd = attach->listener, .events = POLLIN },
		{ .fd = attach->signals, .events = POLLIN },
		{ .fd = attach->viewer, .events = POLLIN },
	};
	int viewer;

	*status = CLIENT_FAILED;
	if (wait_for(waits, 3) || waits[1].revents) {
		return -1;
	}
	if (!waits[0].revents) {
		client_error(
		    attach->client, viewer_missing_hint, "the viewer ended before it connected");
		return -1;
	}
	viewer = accept4(attach->listener, NULL, NULL, SOCK_CLOEXEC);
	if (viewer < 0) {
		client_error(attach->client, NULL, "accept: %s", strerror(errno));
	}
	return viewer;
}

static int wait_viewer_end(struct attach *attach)
{
	struct pollfd waits[] = {
		{ .fd = attach->viewer, .events = POLLIN },
		{ .fd = attach->signals, .events = POLLIN },
	};
	int status;

	if (wait_for(waits, 2)) {
		return CLIENT_FAILED;
	}
	status = viewer_end(attach->viewer_pid, &attach->viewer);
	if (waits[1].revents) {
		return CLIENT_FAILED;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLIENT_DONE : CLIENT_FAILED;
}

static int hand_over(struct attach *attach)
{
	struct control_reply reply;
	char what[ANSWER_NAME_MAX + 16];
	int status;
	int viewer = accept_viewer(attach, &status);

	if (viewer < 0) {
		return status;
	}
	snprintf(what, sizeof(what), "attach %s", attach->session);
	status = client_call_take(attach->client, what, "Attach",
	    client_session_parameter(attach->session), viewer, &reply);
	fd_close(&viewer);
	if (status != CLIENT_DONE) {
		return status;
	}
	control_reply_fini(&reply);
	return attach->viewer < 0 ? CLIENT_DONE : wait_viewer_end(attach);
}

static int start_viewer(struct attach *attach, char *command)
{
	const char *arguments[VIEWER_ARGUMENTS_MAX];
	int error = viewer_split(command, attach->folder.socket, arguments);

	if (!error) {
		error = viewer_spawn(arguments, -1, &attach->viewer_pid, &attach->viewer);
	}
	if (error) {
		client_error(attach->client, viewer_missing_hint, "starting %s: %s", command,
		    strerror(-error));
		return CLIENT_FAILED;
	}
	return CLIENT_DONE;
}

static int attach_session(struct attach *attach, bool run, char *command)
{
	int status = CLIENT_DONE;

	attach->signals = private_folder_signals();
	attach->listener = private_folder_listen(&attach->folder);
	if (attach->signals < 0 || attach->listener < 0) {
		client_error(attach->client, NULL, "listening in %s: %s", attach->folder.folder,
		    strerror(attach->signals < 0 ? -attach->signals : -attach->listener));
		return CLIENT_FAILED;
	}
	if (run) {
		status = start_viewer(attach, command);
	} else {
		fprintf(attach->client->out, "%s %s\n", command, attach->folder.socket);
		fflush(attach->client->out);
		if (attach->client->terminal) {
			fputs("Paste this into another terminal. Waiting for the viewer; Ctrl-C "
			      "ends.\n",
			    attach->client->err);
		}
	}
	if (status == CLIENT_DONE) {
		status = hand_over(attach);
	}
	if (attach->viewer >= 0) {
		viewer_end(attach->viewer_pid, &attach->viewer);
	}
	return status;
}

/* The daemon is asked first: a viewer is not started for a session that is not there, or not ours. */
static int check_session(struct client *client, const char *name)
{
	char what[ANSWER_NAME_MAX + 16];
	struct control_reply reply;
	int status;

	snprintf(what, sizeof(what), "attach %s", name);
	status = client_call_take(
	    client, what, "Status", client_session_parameter(name), -1, &reply);
	if (status == CLIENT_DONE) {
		control_reply_fini(&reply);
	}
	return status;
}

int command_attach(struct client *client, const struct arguments *arguments)
{
	bool run = arguments_get(arguments, "run") != NULL;
	char name[ANSWER_NAME_MAX], command[VIEWER_COMMAND_MAX];
	struct attach attach = {
		.client = client, .session = name, .listener = -1, .signals = -1, .viewer = -1
	};
	int status = client_pick_session(client, arguments_positional(arguments, 0), name);
	int error;

	if (status == CLIENT_DONE) {
		status = check_session(client, name);
	}
	if (status != CLIENT_DONE) {
		return status;
	}
	error = viewer_find(arguments_get(arguments, "viewer"), command, sizeof(command));
	if (error && run) {
		client_error(client, viewer_missing_hint, "there is no VNC viewer on this machine");
		return CLIENT_FAILED;
	}
	if (error) {
		strcpy(command, "vncviewer");
	}
	error = private_folder_create(&attach.folder, "desktop.sock");
	if (error) {
		client_error(client, NULL, "making a folder for the socket: %s", strerror(-error));
		return CLIENT_FAILED;
	}
	status = attach_session(&attach, run, command);
	fd_close(&attach.listener);
	fd_close(&attach.signals);
	private_folder_remove(&attach.folder);
	return status;
}
